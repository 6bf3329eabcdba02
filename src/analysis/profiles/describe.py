"""Profiles in words and figures: which columns there are, what is typical, what a reader should know.

Takes the table that `build` gives. Nothing here looks at an event table.
"""

import numpy as np
import pandas as pd

from analysis.evidence import percent, percent_range, share_interval
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
    """`describe` as a page to look things up in: columns ``column``, ``what it is``, ``known of``, ``typical``.

    Examples
    --------
    >>> page = documented(pd.DataFrame({"customer_id": ["a", "b"], "median_gap_days": [3.0, None]}))
    >>> page["what it is"].item()
    'days: usual gap: median between successive days with a purchase; empty below two such days'
    """
    described = describe(profiles)
    recorded = described["meaning"].str.endswith("as recorded")
    empty = ("; empty " + described["empty_when"]).where((described["empty_when"] != "") & ~recorded, "")
    unit = (described["unit"] + ": ").where(~described["unit"].isin(["", "name", "day"]), "")
    typical = described["typical"] + (" (" + described["spread"] + ")").where(described["spread"] != "", "")
    what = unit + described["meaning"] + empty
    return pd.DataFrame(
        {"column": described["column"], "what it is": what, "known of": described["filled"], "typical": typical}
    )


def amounts(profiles: pd.DataFrame, currency: str = "") -> dict[str, str]:
    """The amounts and counts worth a figure, with their unit: those that vary, and that a tenth of customers have."""
    units = {"total_spend": currency, "mean_order_value": currency, "n_orders": "orders", "recency_days": "days"}
    units |= {"n_touchpoints": "contacts", "won_value": currency, "n_deals": "deals"}
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
    n, money = len(profiles), f" {base.currency}" if base.currency else ""
    sentences = [f"{n:,} customers on {base.as_of}."]
    if "n_orders" in profiles:
        buyers = profiles[profiles["n_orders"] > 0]
        low, high = share_interval((buyers["n_orders"] == 1).sum(), max(len(buyers), 1))
        sentences[0] = f"{n:,} customers on {base.as_of}, {len(buyers):,} of whom have bought."
    if "n_orders" in profiles and len(buyers) > 0:
        sentences.append(
            f"{percent((buyers['n_orders'] == 1).mean())} of buyers bought once and not again so far "
            f"(interval {percent_range(low, high)})."
        )
    if "total_spend" in profiles and "n_orders" in profiles and len(buyers) > 0:
        sentences.append(
            f"Half of the buyers spent more than {buyers['total_spend'].median():,.0f}{money}, "
            f"a tenth more than {buyers['total_spend'].quantile(0.9):,.0f}{money}."
        )
    if "overdue_ratio" in profiles and profiles["overdue_ratio"].notna().any():
        judged = profiles["overdue_ratio"].dropna()
        late = int((judged > overdue_after).sum())
        sentences.append(
            f"{late:,} of {len(judged):,} customers with a rhythm of their own have been away for more than "
            f"{overdue_after:g} times their usual gap ({percent(late / len(judged))})."
        )
    if "win_rate" in profiles and profiles["win_rate"].median() < 1:
        sentences.append(
            f"Half of the companies with closed deals have won {percent(profiles['win_rate'].median())} of theirs "
            f"or more."
        )
    if "touchpoints_90d" in profiles:
        silent = float((profiles["touchpoints_90d"] == 0).mean())
        sentences.append(f"{percent(silent)} of customers have had no contact with the brand for 90 days.")
    return sentences


def key_figures(profiles: pd.DataFrame) -> str:
    """Rounded key figures on a few lines, for a check that a change did not move them."""
    lines = [f"customers {len(profiles):,}"]
    for column in ("n_orders", "total_spend", "recency_days", "median_gap_days", "n_touchpoints"):
        if column in profiles:
            lines.append(f"{column}: median {profiles[column].median():,.0f}, mean {profiles[column].mean():,.3g}")
    return "\n".join(lines)


def _figure(number: float) -> str:
    """A number with the digits that count."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _typical(values: pd.Series) -> tuple[str, str]:
    """What is typical of a column and how it spreads, in words."""
    if values.empty:
        return "", ""
    if pd.api.types.is_datetime64_any_dtype(values):
        return f"{values.median():%Y-%m-%d}", f"{values.min():%Y-%m-%d} to {values.max():%Y-%m-%d}"
    if pd.api.types.is_bool_dtype(values):
        values = values.map({True: "yes", False: "no"})
    if pd.api.types.is_numeric_dtype(values):
        low, middle, high = values.astype(float).quantile([0.25, 0.5, 0.75])
        if "year" in str(values.name).lower() and 1000 < low <= high < 3000:
            return f"{middle:.0f}", f"{low:.0f} to {high:.0f}"
        return _figure(middle), f"{_figure(low)} to {_figure(high)}"
    words = (
        values.explode().dropna().astype(str)
        if isinstance(values.iloc[0], list) or hasattr(values.iloc[0], "tolist")
        else values.astype(str)
    )
    counts = words.value_counts()
    if counts.empty:
        return "", ""
    best = sorted(counts[counts == counts.max()].index)[0]
    return f"{best} ({percent(counts.max() / len(values))})", f"{len(counts):,} different"
