"""Profiles in words and figures: which columns there are, what is typical, what a reader should know.

Takes the table that `build` gives. Nothing here looks at an event table.
"""

import numpy as np
import pandas as pd

from analysis.evidence import percent, percent_range, share_interval
from analysis.locale import day, named
from analysis.phrases import figure, marked, phrase, translated
from analysis.profiles.traits import attributes
from analysis.schema import profile_column
from analysis.sources import Base

#: Days since the last order over the customer's usual gap above which we call somebody overdue.
OVERDUE = 2.0


def describe(profiles: pd.DataFrame) -> pd.DataFrame:
    """Every column of the profiles in one line: how many customers have it, and what is typical.

    Returns
    -------
    DataFrame, columns ``column``, ``unit``, ``meaning``, ``empty_when``, ``filled`` (share), ``typical``, ``spread``
        The first four are `schema.PROFILE_COLUMNS`; nothing under ``empty_when`` is a column that is never empty. For
        numbers the median and the middle half; for words the commonest and how many there are.

    Examples
    --------
    >>> table = describe(pd.DataFrame({"customer_id": ["a", "b"], "n_orders": [1, 3]}))
    >>> table[["column", "filled", "typical", "spread"]]
         column  filled typical      spread
    0  n_orders     1.0       2  1.5 to 2.5
    """
    rows = []
    for name in profiles.columns.drop("customer_id"):
        spec, filled = profile_column(name), float(profiles[name].notna().mean())
        typical, spread = _typical(profiles[name].dropna())
        rows.append((name, spec.unit, spec.definition, spec.empty, filled, typical, spread))
    columns = ["column", "unit", "meaning", "empty_when", "filled", "typical", "spread"]
    return pd.DataFrame(rows, columns=columns)


def documented(profiles: pd.DataFrame) -> pd.DataFrame:
    """`describe` as a page to look things up in: columns ``column``, ``what_it_is``, ``known_of``, ``typical``.

    Examples
    --------
    >>> page = documented(pd.DataFrame({"customer_id": ["a", "b"], "median_gap_days": [3.0, None]}))
    >>> page["what_it_is"].item()
    'days: usual gap: median between successive days with a purchase; empty below two such days'
    """
    described = describe(profiles)
    typical = [
        phrase("{typical} ({spread})", typical=row.typical, spread=row.spread) if row.spread else row.typical
        for row in described.itertuples()
    ]
    what = [_what_it_is(column) for column in described["column"]]
    return pd.DataFrame(
        {"column": described["column"], "what_it_is": what, "known_of": described["filled"], "typical": typical}
    )


def amounts(profiles: pd.DataFrame, currency: str = "") -> dict[str, str]:
    """The amounts and counts worth a figure, with their unit: those that vary, and that a tenth of customers have."""
    units = {"total_spend": currency, "mean_order_value": currency}
    units |= {"n_orders": marked("orders"), "recency_days": marked("days"), "n_touchpoints": marked("contacts")}
    units |= {"won_value": currency, "n_deals": marked("deals")}
    return {
        c: u for c, u in units.items() if c in profiles and profiles[c].nunique() > 1 and (profiles[c] > 0).mean() > 0.1
    }


def attributes_to_show(profiles: pd.DataFrame, at_most: int = 6) -> list[str]:
    """Recorded attributes with few enough values to draw: known of at least a fifth of the customers, fullest first."""
    shown = []
    for column in attributes(profiles.drop(columns="signup_at", errors="ignore")):
        values = profiles[column].dropna()
        if len(values) < 0.2 * len(profiles) or isinstance(values.iloc[0], list | np.ndarray):
            continue
        if values.nunique() > 1 and (pd.api.types.is_numeric_dtype(values) or values.nunique() <= 40):
            shown.append((-len(values), len(shown), column))
    return [column for *_, column in sorted(shown)[:at_most]]


def findings(profiles: pd.DataFrame, base: Base, overdue_after: float = OVERDUE) -> list[str]:
    """Who the customers are, in sentences with their figures."""
    sentences = [_of_buyers_in_words(profiles, base)]
    buyers = profiles[profiles["n_orders"] > 0] if "n_orders" in profiles else profiles.head(0)
    if len(buyers):
        sentences.append(_once_in_words(buyers))
    if len(buyers) and "total_spend" in profiles:
        middle, tenth = (_amount(buyers["total_spend"].quantile(at), base.currency) for at in (0.5, 0.9))
        sentences.append(
            phrase(
                "Half of the buyers spent more than {middle}, a tenth more than {tenth}.", middle=middle, tenth=tenth
            )
        )
    if "overdue_ratio" in profiles and profiles["overdue_ratio"].notna().any():
        sentences.append(_overdue_in_words(profiles["overdue_ratio"].dropna(), overdue_after))
    if "win_rate" in profiles and profiles["win_rate"].median() < 1:
        rate = percent(profiles["win_rate"].median())
        sentences.append(
            phrase("Half of the companies with closed deals have won {share} of theirs or more.", share=rate)
        )
    if "touchpoints_90d" in profiles:
        silent = percent((profiles["touchpoints_90d"] == 0).mean())
        sentences.append(phrase("{share} of customers have had no contact with the brand for 90 days.", share=silent))
    return sentences


def key_figures(profiles: pd.DataFrame) -> str:
    """Rounded key figures on a few lines, for a check that a change did not move them."""
    lines = [f"customers {len(profiles):,}"]
    for column in ("n_orders", "total_spend", "recency_days", "median_gap_days", "n_touchpoints"):
        if column in profiles:
            lines.append(f"{column}: median {profiles[column].median():,.0f}, mean {profiles[column].mean():,.3g}")
    return "\n".join(lines)


def _of_buyers_in_words(profiles: pd.DataFrame, base: Base) -> str:
    """How many customers there are on the last day, and how many of them have bought where orders tell."""
    if "n_orders" not in profiles:
        return phrase("{n:,} customers on {day}.", n=len(profiles), day=day(base.as_of))
    bought = int((profiles["n_orders"] > 0).sum())
    return phrase(
        "{n:,} customers on {day}, {k:,} of whom have bought.", n=len(profiles), day=day(base.as_of), k=bought
    )


def _once_in_words(buyers: pd.DataFrame) -> str:
    once = buyers["n_orders"] == 1
    return phrase(
        "{share} of buyers bought once and not again so far (interval {interval}).",
        share=percent(once.mean()),
        interval=percent_range(*share_interval(once.sum(), len(buyers))),
    )


def _overdue_in_words(judged: pd.Series, overdue_after: float) -> str:
    late = int((judged > overdue_after).sum())
    return phrase(
        "{k:,} of {n:,} customers with a rhythm of their own have been away for more than {times:g} times their usual "
        "gap ({share}).",
        **{"k": late, "n": len(judged), "times": overdue_after, "share": percent(late / len(judged))},
    )


def _amount(amount: float, currency: str) -> str:
    return f"{figure(f'{amount:,.0f}')} {named(currency, 'currency')}".rstrip()


def _what_it_is(column: str) -> str:
    """A column in words: its unit, what it means, and when a cell is empty."""
    spec = profile_column(column)
    recorded = spec.definition.removesuffix(", as recorded")
    if recorded != spec.definition:
        return phrase("{meaning}, as recorded", meaning=translated(recorded))
    said = translated(spec.definition)
    if spec.unit not in ("", "name", "day"):
        said = phrase("{unit}: {meaning}", unit=translated(spec.unit), meaning=said)
    return phrase("{meaning}; empty {when}", meaning=said, when=translated(spec.empty)) if spec.empty else said


def _figure(number: float) -> str:
    """A number with the digits that count."""
    return figure(f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}")


def _typical(values: pd.Series) -> tuple[str, str]:
    """What is typical of a column and how it spreads, in words."""
    if values.empty:
        return "", ""
    if pd.api.types.is_datetime64_any_dtype(values):
        return day(values.median()), phrase("{low} to {high}", low=day(values.min()), high=day(values.max()))
    if pd.api.types.is_bool_dtype(values):
        values = values.map({True: "yes", False: "no"})
    if pd.api.types.is_numeric_dtype(values):
        low, middle, high = values.astype(float).quantile([0.25, 0.5, 0.75])
        if "year" in str(values.name).lower() and 1000 < low <= high < 3000:
            low, middle, high = (figure(f"{year:.0f}") for year in (low, middle, high))
        else:
            low, middle, high = (_figure(number) for number in (low, middle, high))
        return middle, phrase("{low} to {high}", low=low, high=high)
    words = (
        values.explode().dropna().astype(str)
        if isinstance(values.iloc[0], list) or hasattr(values.iloc[0], "tolist")
        else values.astype(str)
    )
    counts = words.value_counts()
    if counts.empty:
        return "", ""
    best = sorted(counts[counts == counts.max()].index)[0]
    share = percent(counts.max() / len(values))
    common = phrase("{level} ({share})", level=named(best, str(values.name)), share=share)
    return common, phrase("{n:,} different", n=len(counts))
