"""Who are the people behind each segment, and what do we know of them for sure?

Takes `profiles` and `segments`, one row per customer each. Gives a persona per segment with its evidence trait by
trait, including what does not set it apart, a few masked real examples, and a card to show.
"""

from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence, locale
from analysis.errors import require_columns
from analysis.vocabulary import Words, words

PARTS = {
    "who": "Who they are",
    "job": "What they do",
    "buying": "How they buy",
    "needs": "What they look for",
    "pains": "What troubles them",
    "channels": "Channels",
}

#: A group needs this many members before any of them is shown, and a text value this many bearers in the base.
FEWEST_FOR_EXAMPLES = 20
EXAMPLES = 3

#: Personas of fewer customers are left out.
FEWEST_FOR_PERSONA = 5

#: Of how many customers, and how many times as well they fit their group as the next, a confidence speaks. Ours.
CONFIDENCE = (("High", 100, 2.0), ("Moderate", 30, 1.4), ("Low", 0, 1.0))

PERSONA_COLUMNS = ("persona", "name", "n", "share", "revenue_share", "summary", "confidence")
TRAIT_COLUMNS = (
    "persona",
    "part",
    "trait",
    "level",
    "statement",
    "kind",
    "value",
    "elsewhere",
    "difference",
    "low",
    "high",
    "n",
    "effect",
    "distinctive",
    "source",
)


class Personas(NamedTuple):
    """The three tables of :func:`derive`."""

    personas: pd.DataFrame
    traits: pd.DataFrame
    exemplars: pd.DataFrame


def derive(profiles, segments, currency=""):
    """A persona for each segment, resting on what was measured and on nothing else.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame, one row per customer
        With `customer_id`, `segment` and perhaps `segment_name` and `fit`.
    currency : str
        Said after amounts of money.

    Returns
    -------
    personas : DataFrame, one row per segment of five customers or more
        persona (int, the segment), name, n, share, revenue_share (missing without `total_spend`), summary, confidence.
    traits : DataFrame, one row per persona, trait and level
        persona, part (who, job, buying, needs, pains, channels), trait, level, statement, kind ("measured"), value,
        elsewhere, difference, low, high, n, effect, distinctive, source. Traits that do not set the persona apart are
        kept, with `distinctive` false, so that a card can say so. Strongest first within a part.
    exemplars : DataFrame, up to three rows per persona of twenty customers or more
        persona, rank, mask ("Customer A"), and behaviour in bands; no id, name, contact, exact place or date.

    Raises
    ------
    Problem
        A column is missing.

    Notes
    -----
    Figures and intervals from :func:`analysis.evidence.compare`, corrected over all of them. Examples are the members
    nearest to the middle of their group by ranks (the nearest fifth, and only of the better fitting half where the fit
    is known), chosen to be as different from each other as they can be.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "orders_per_year": [1.0, 1.2] * 5 + [6, 6.4] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> derive(profiles, segments).traits["statement"].iloc[1]
    'Buys 6.2 times a year, everyone else 1.1 (difference 4.9 to 5.3; 10 customers)'
    """
    require_columns("profiles", profiles.columns, ["customer_id"])
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    own = [c for c in ("segment", "segment_name", "fit") if c in segments]
    profiles = profiles.drop(columns=own, errors="ignore").sort_values("customer_id")
    table = profiles.merge(segments[["customer_id", *own]], on="customer_id", validate="one_to_one")
    columns = list(profiles.columns.drop("customer_id"))
    alone = table["segment"].nunique() == 1
    compared = (
        _of_everybody(table, columns)
        if alone
        else evidence.compare(evidence.of_buyers(table), "segment", traits=columns)
    )
    traits = _traits(compared, currency)
    return Personas(_personas(table, traits), traits, _exemplars(table, _telling(compared)))


def card_html(persona, traits, exemplars):
    """A persona as a card of HTML, to show in a notebook or a report.

    Parameters
    ----------
    persona : Series or dict
        A row of `personas`.
    traits, exemplars : DataFrame
        As from :func:`derive`; rows of other personas are passed over.

    Returns
    -------
    str
        One self-contained element, readable on a light and on a dark page. Text from the data is shown as text.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "orders_per_year": [1.0, 1.2] * 5 + [6, 6.4] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> made = derive(profiles, segments)
    >>> card_html(made.personas.iloc[0], made.traits, made.exemplars)[:8]
    '<article'
    """
    traits = traits[traits["persona"] == persona["persona"]]
    parts = "".join(_part_html(title, traits[traits["part"] == part]) for part, title in PARTS.items())
    return (
        f'<article style="{_CARD}">'
        f'<h3 dir="auto" style="margin:0;font-size:1.35em">{escape(str(persona["name"]))}</h3>'
        f'<p dir="auto" style="margin:.5em 0 .6em">{escape(str(persona["summary"]))}</p>'
        f'<div style="{_COLUMNS}">{parts}</div>'
        f"{_alike_html(traits)}{_examples_html(persona['persona'], exemplars)}"
        f'<footer style="{_QUIET};{_RULE}">Confidence: {escape(str(persona["confidence"]))} Every figure is measured '
        "(profiles); differences are against all other customers, with intervals that hold together at 95 %.</footer>"
        "</article>"
    )


def findings(derived):
    """The personas in one sentence each, largest first.

    Parameters
    ----------
    derived : Personas

    Returns
    -------
    list of str
    """
    if derived.personas.empty:
        return [f"No group has the {FEWEST_FOR_PERSONA} customers that a persona needs."]
    largest = derived.personas.sort_values(["n", "persona"], ascending=[False, True])
    return [f"{row['name']}: {row['summary']}" for _, row in largest.iterrows()]


def _traits(compared, currency):
    """The comparison, said in sentences."""
    rows = compared.rename(columns={"group": "persona"})
    rows["part"] = [_saying(row).part for row in rows.itertuples()]
    rows["statement"] = [_statement(row, currency) for row in rows.itertuples()]
    rows["source"] = "profiles"
    rows["kind"] = "measured"
    order = rows.assign(
        part=rows["part"].map(list(PARTS).index), plain=~rows["distinctive"], weakness=-rows["effect"].abs().round(9)
    ).sort_values(["persona", "part", "plain", "weakness", "trait", "level"])
    return rows.loc[order.index, list(TRAIT_COLUMNS)].reset_index(drop=True)


def _of_everybody(table, columns):
    """What is typical of a base that is one group: the same table, with nobody elsewhere to compare with."""
    rows = []
    for column in columns:
        values = table[column].dropna()
        known = words(column)
        if known is None or len(values) < FEWEST_FOR_PERSONA or values.nunique() == 1:
            continue
        if pd.api.types.is_numeric_dtype(values):
            rows.append((column, "", "number", len(values), *evidence.mean_interval(values)))
        else:
            counts = values.astype(str).value_counts()
            level = min(counts.index[counts == counts.max()])
            low, high = evidence.share_interval(counts.max(), len(values))
            rows.append((column, level, "share", len(values), counts.max() / len(values), float(low), float(high)))
    found = pd.DataFrame(rows, columns=["trait", "level", "kind", "n", "value", "low", "high"])
    empty = evidence.compare(table.head(0), "segment", traits=columns)
    found = found.assign(group=table["segment"].iloc[0], n_elsewhere=0, distinctive=False)
    return found.reindex(columns=empty.columns).astype(empty.dtypes.drop("group").to_dict())


def _saying(row):
    """The words for a compared trait; its own name for a column that nobody here knows."""
    number = row.kind == "number" or (row.kind == "measured" and row.level == "")
    known = words(row.trait)
    if known and (known.unit != "") == number:
        return known
    return Words(known.part if known else "who", str(row.trait).replace("_", " "))


def _statement(row, currency):
    """A trait as a sentence: the figure here and elsewhere, the difference and the number of customers."""
    unit = "share" if row.kind == "share" else _saying(row).unit
    value, elsewhere, low, high = _figures(row, unit, currency)
    here = locale.of("en").trait(row.trait, value, row.level)
    if pd.isna(row.elsewhere):
        return f"{here} (interval {low} to {high.replace('points', '%')}; {row.n:,} customers)"
    return f"{here}, everyone else {elsewhere} (difference {low} to {high}; {row.n:,} customers)"


def _figures(row, unit, currency):
    """Value, elsewhere, low and high as text, with as many decimals as it takes to see the difference."""
    factor = 100 if unit == "share" else 1
    numbers = [factor * x for x in (row.value, row.elsewhere, row.low, row.high)]
    largest = max(abs(x) for x in numbers[:2] if not np.isnan(x))
    decimals = 0 if largest >= 100 or unit == "share" else 1 if largest >= 1 else 2
    while decimals < 4 and any(x != 0 and round(x, decimals) == 0 for x in numbers[2:]):
        decimals += 1
    value, elsewhere, low, high = (f"{x:,.{decimals}f}".replace("-", "−") for x in numbers)
    if unit == "share":
        return f"{value} %", f"{elsewhere} %", low, f"{high} points"
    if unit == "money" and currency:
        return f"{value} {currency}", elsewhere, low, high
    return value, elsewhere, low, high


def _personas(table, traits):
    """One row per persona."""
    by = table.groupby("segment")
    sizes = by.size()
    shown = sizes.index[sizes >= FEWEST_FOR_PERSONA]
    revenue = (
        table.sort_values("total_spend").groupby("segment")["total_spend"].sum() if "total_spend" in table else None
    )
    total = revenue.sum() if revenue is not None else 0
    rows = []
    for segment in sorted(shown):
        members = by.get_group(segment)
        persona = {
            "persona": int(segment),
            "name": str(members["segment_name"].iloc[0]) if "segment_name" in members else f"Segment {segment}",
            "n": len(members),
            "share": round(len(members) / len(table), 6),
            "revenue_share": round(revenue[segment] / total, 6) if total > 0 else np.nan,
            "confidence": _confidence(len(members), members["fit"].median() if "fit" in members else np.nan),
        }
        persona["summary"] = _summary(persona, traits[traits["persona"] == segment])
        rows.append(persona)
    return pd.DataFrame(rows, columns=list(PERSONA_COLUMNS))


def _summary(persona, traits):
    """Size, revenue and the two strongest traits in one sentence."""
    if traits["elsewhere"].isna().all():
        return f"{_extent(persona)}: the base is one group, and this is everybody."
    told = _told(traits, strongest_first=True)[:2]
    apart = " and ".join(_short(row) for row in told) or "nothing measured sets them apart from everyone else"
    return f"{_extent(persona)}: {apart}."


def _short(row):
    statement = row.statement.split(" (difference")[0]
    here, elsewhere = statement.rsplit(", everyone else ", 1)
    here = here[0].lower() + here[1:] if words(row.trait) else here  # the base's own column names stay as they are
    return f"{here} (everyone else {elsewhere})"


def _told(traits, strongest_first=False):
    """Distinctive rows, the strongest of each concept; of a text with several levels the one that is commoner here."""
    rows = traits[traits["distinctive"].astype(bool) | traits["elsewhere"].isna()]
    if strongest_first:
        rows = rows.loc[rows["effect"].abs().round(9).sort_values(ascending=False, kind="stable").index]
    told = {}
    for row in rows.itertuples():
        concept = _saying(row).concept
        if row.level == "" or not row.effect < 0:
            told.setdefault(concept if row.level == "" else (concept, row.level), row)
    return list(told.values())


def _extent(persona):
    text = f"{persona['n']:,} customers, {evidence.percent(persona['share'])} of all"
    if pd.notna(persona["revenue_share"]):
        text += f" with {evidence.percent(persona['revenue_share'])} of revenue"
    return text


def _confidence(n, fit):
    """Confidence in words, from how many customers there are and how clearly they belong together."""
    better = 1 / (1 - min(fit, 0.999)) if pd.notna(fit) else np.inf
    word = next(word for word, fewest, least in CONFIDENCE if n >= fewest and better >= least)
    if pd.isna(fit):
        return f"{word}: {n:,} customers, a group by rule or the only one, with no neighbour to mistake it for."
    times = f"{better:.1f}" if better < 20 else "20"
    return f"{word}: {n:,} customers; half fit this group at least {times} times as well as the next."


def _telling(compared):
    """The numbers of the base, those first that set some group apart the most."""
    numbers = compared[compared["kind"] == "number"]
    strength = numbers["effect"].abs().round(9).groupby(numbers["trait"]).max()
    return list(strength.sort_index().sort_values(ascending=False, kind="stable").index)


def _exemplars(table, numbers):
    """Up to three masked members of each group that is large enough."""
    ranks = table[numbers].rank(pct=True).to_numpy(dtype=float)
    banded = _banded(table, numbers)
    parts = []
    for segment in sorted(table["segment"].dropna().unique()):
        members = np.flatnonzero(table["segment"] == segment)
        if len(members) < FEWEST_FOR_EXAMPLES or not numbers or banded.shape[1] == 0:
            continue
        chosen = members[
            _typical_and_diverse(ranks[members], table["fit"].to_numpy()[members] if "fit" in table else None)
        ]
        part = banded.iloc[chosen].reset_index(drop=True)
        part.insert(0, "mask", [f"Customer {letter}" for letter in "ABCDEFGH"[: len(chosen)]])
        part.insert(0, "rank", range(1, len(chosen) + 1))
        part.insert(0, "persona", int(segment))
        parts.append(part)
    empty = pd.DataFrame(columns=["persona", "rank", "mask", *banded.columns])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _typical_and_diverse(ranks, fit):
    """Positions of members near the middle of their group and far from each other."""
    known = np.isfinite(ranks)
    middle = np.array([np.median(r[k]) if k.any() else 0.5 for r, k in zip(ranks.T, known.T, strict=True)])
    ranks = np.where(known, ranks, middle)
    distance = np.abs(ranks - middle).mean(axis=1).round(9)
    eligible = np.arange(len(ranks))
    if fit is not None and np.isfinite(fit).all():
        eligible = np.flatnonzero(fit >= np.median(fit))
    # ties in distance by the values themselves; whoever is equal in all of them looks the same on the card
    order = eligible[np.lexsort((*ranks[eligible].round(9).T, distance[eligible]))]
    near = order[: max(EXAMPLES, len(ranks) // 5)]
    chosen = [near[0]]
    while len(chosen) < min(EXAMPLES, len(near)):
        apart = np.min([np.abs(ranks[near] - ranks[c]).mean(axis=1) for c in chosen], axis=0).round(9)
        chosen.append(near[int(np.argmax(np.where(np.isin(near, chosen), -1, apart)))])
    return np.array(chosen)


def _banded(table, numbers):
    """What may be shown of a single customer: behaviour in bands wide enough to hold many."""
    out = pd.DataFrame(index=table.index)
    orders = next((c for c in ("n_orders", "n_order_days") if c in table), None)
    if orders:
        out["orders"] = _band(
            table[orders], [0, 1, 2, 5, 10, 20], ["none", "1", "2", "3–5", "6–10", "11–20", "over 20"]
        )
    if "total_spend" in table:
        out["spend"] = table["total_spend"].map(_one_two_five)
    if "recency_days" in table:
        words = ["within a month", "1–3 months ago", "3–6 months ago", "6–12 months ago", "over a year ago"]
        out["last_order"] = _band(table["recency_days"], [30, 91, 182, 365], words)
    if "tenure_days" in table:
        words = ["under 3 months", "3–12 months", "1–2 years", "2–5 years", "over 5 years"]
        out["customer_for"] = _band(table["tenure_days"], [91, 365, 730, 1826], words)
    for column, name in (("top_category", "favourite"), ("used_channel", "channel")):
        if column in table:
            out[name] = table[column].fillna("–")
    if not out.columns.size:
        fifths = ["lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth"]
        for column in [c for c in numbers if table[c].nunique() >= 20][:4]:  # fewer values have no fifths
            out[column] = _band(table[column].rank(pct=True), [0.2, 0.4, 0.6, 0.8], fifths)
    # what few have would give them away
    return out.apply(lambda band: band.where(band.map(band.value_counts()) >= FEWEST_FOR_EXAMPLES, "less usual"))


def _band(values, cuts, words):
    """Words for values up to each cut, and for what lies beyond the last."""
    positions = np.searchsorted(cuts, values.to_numpy(dtype=float, na_value=np.nan), side="left")
    return pd.Series(
        np.array([*words, "–"], dtype=object)[np.where(values.isna(), len(words), positions)], values.index
    )


def _one_two_five(amount):
    """An amount as a band of the series 1, 2, 5, 10, …

    Examples
    --------
    >>> _one_two_five(37.5), _one_two_five(1_200_000), _one_two_five(-3)
    ('20–50', '1,000,000–2,000,000', '0 or less')
    """
    if pd.isna(amount) or amount <= 0:
        return "–" if pd.isna(amount) else "0 or less"
    if amount < 1:
        return "under 1"
    tens = 10 ** int(np.floor(np.log10(amount)))
    low, high = next((a, b) for a, b in ((5, 10), (2, 5), (1, 2)) if amount >= a * tens)
    return f"{low * tens:,}–{high * tens:,}"


# half-transparent greys and the page's own colour: the card is readable on white and on black
_RULE = "border-top:1px solid rgba(127,127,127,.35);padding-top:.7em;margin-top:1em"
_CARD = (
    "border:1px solid rgba(127,127,127,.45);border-radius:8px;padding:1.1em 1.3em;margin:1em 0;max-width:56em;"
    "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;color:inherit;background:transparent"
)
_COLUMNS = "columns:2 19em;column-gap:2.2em"
_UNBROKEN = "break-inside:avoid"
_QUIET = "opacity:.72;font-size:.87em"
_TITLE = "margin:.6em 0 .2em;font-size:.8em;letter-spacing:.06em;text-transform:uppercase;opacity:.72"
_MOST_PER_PART = 5


def _part_html(title, traits):
    """One part of the card: what is distinctive, or that nothing is, or that nothing was measured."""
    rows = _told(traits)[:_MOST_PER_PART]
    if rows:
        lines = []
        for row in rows:
            compared = ", everyone else " if pd.notna(row.elsewhere) else " ("
            said, figures = row.statement.rsplit(compared, 1)
            figures = f"everyone else {figures}" if pd.notna(row.elsewhere) else figures.rstrip(")")
            evidence_of = f'<span style="{_QUIET}">{escape(figures)}</span>'
            lines.append(
                f'<li dir="auto" style="padding:.2em 0;{_UNBROKEN}"><b>{escape(said)}</b><br>{evidence_of}</li>'
            )
        body = f'<ul style="margin:0;padding:0;list-style:none">{"".join(lines)}</ul>'
    else:
        nothing = "Nothing that sets them apart." if len(traits) else "Not measured in this base."
        body = f'<p style="margin:.25em 0;{_QUIET}">{nothing}</p>'
    return f'<section><h4 style="{_TITLE};break-after:avoid">{escape(title)}</h4>{body}</section>'


def _alike_html(traits):
    """What does not set them apart, so that nobody reads it in."""
    apart = {_saying(row).concept for row in traits[traits["distinctive"].astype(bool)].itertuples()}
    compared = traits[traits["elsewhere"].notna()]
    alike = dict.fromkeys(_saying(row).concept for row in compared.itertuples() if _saying(row).concept not in apart)
    if not alike:
        return ""
    return (
        f'<section style="{_RULE}"><h4 style="{_TITLE};margin-top:0">No clear difference from everyone else</h4>'
        f'<p dir="auto" style="margin:0">{escape(", ".join(alike))}</p></section>'
    )


def _examples_html(number, exemplars):
    """The masked examples as a small table."""
    rows = exemplars[exemplars["persona"] == number].drop(columns=["persona", "rank"])
    if rows.empty:
        return ""
    cell = "text-align:start;padding:.15em 1.2em .15em 0;border:0;background:none"
    heads = ["", *(c.replace("_", " ") for c in rows.columns[1:])]
    head = "".join(f'<th style="{cell};font-weight:normal;opacity:.72">{escape(h)}</th>' for h in heads)
    body = ""
    for row in rows.itertuples(index=False):
        cells = "".join(f'<td dir="auto" style="{cell}">{escape(str(v))}</td>' for v in row)
        body += f'<tr style="background:none">{cells}</tr>'
    return (
        f'<section style="{_RULE}"><h4 style="{_TITLE};margin-top:0">Typical customers, masked, in bands</h4>'
        f'<table style="border-collapse:collapse;margin:0;font-size:.93em"><tr style="background:none">{head}</tr>'
        f"{body}</table></section>"
    )
