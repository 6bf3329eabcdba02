"""Real customers who are typical of a persona, masked so that nobody can tell who they are.

Takes the measures of each customer, their groups and the traits that cards tell. Gives a few members of each group,
near to its middle and unlike each other, with their behaviour in bands that many share.
"""

import numpy as np
import pandas as pd

from analysis import evidence

#: A group needs this many members before any of them is shown, and a text value this many bearers in the base.
FEWEST = 20
EXAMPLES = 3

#: Examples come from this share of the members: the most typical ones.
_NEAREST = 0.03


def exemplars(table, told):
    """Up to three masked members of each group that is large enough.

    Parameters
    ----------
    table : DataFrame, one row per customer, sorted by customer_id
        The measures, `persona`, and perhaps `fit` in [0, 1].
    told : dict of int to DataFrame
        The told traits of each persona.

    Returns
    -------
    DataFrame, up to three rows per persona of twenty customers or more
        persona, rank, mask ("A"), and behaviour in bands; no id, name, contact, exact place or date.

    Notes
    -----
    Of the better fitting half of the members those who lie nearest to the middle of their group by ranks, over all
    numbers that are known of them, and of these nearest such as are as different from each other as they can be.
    Whoever bought nothing is no example where twenty members bought.
    """
    banded = _banded(table, sorted({r.trait for of in told.values() for r in of.itertuples() if not r.level}))
    parts = []
    for persona, places in (chosen(table, told) if banded.shape[1] else {}).items():
        part = banded.iloc[places].reset_index(drop=True)
        part.insert(0, "mask", list("ABCDEFGH"[: len(places)]))
        part.insert(0, "rank", range(1, len(places) + 1))
        part.insert(0, "persona", int(persona))
        parts.append(part)
    empty = pd.DataFrame(columns=["persona", "rank", "mask", *banded.columns])
    return pd.concat(parts, ignore_index=True) if parts else empty


def chosen(table, personas):
    """The rows that :func:`exemplars` shows, by persona; for measuring how typical they are, never for a card."""
    places = {}
    for persona in sorted(personas):
        of = (table["persona"] == persona).to_numpy()
        members = np.flatnonzero(_worth_showing(table, of))
        if of.sum() >= FEWEST:
            places[persona] = members[_typical_and_diverse(table.iloc[members])]
    return places


def _worth_showing(table, of):
    """Members who bought, where enough of them did."""
    bought = of & (table["n_orders"] > 0).to_numpy() if "n_orders" in table else of
    return bought if bought.sum() >= FEWEST else of


def _typical_and_diverse(members):
    """Positions of members near the middle of their group and far from each other."""
    numbers = [c for c in members if c not in ("customer_id", "persona", "fit") and _tells(members[c])]
    ranks = members[numbers].astype("float64").rank(pct=True)
    far = (ranks - 0.5).abs().mean(axis=1).round(9).fillna(1).to_numpy()
    fit = members["fit"].fillna(0).to_numpy() if "fit" in members else np.zeros(len(members))
    eligible = np.flatnonzero(fit >= np.median(fit))
    # of equals the values themselves decide; whoever is equal in all of them looks the same on the card
    places = ranks.fillna(0.5).round(9).to_numpy()[eligible]
    order = np.lexsort((*places.T, far[eligible]))[: max(EXAMPLES, int(_NEAREST * len(members)))]
    return eligible[order][_apart(places[order])]


def _tells(column):
    """Whether a measure is a number that varies; months and contacts are many and would outweigh all others."""
    many = str(column.name).startswith(("month ", "met ", "followed "))
    return not many and evidence.kind_of(column) == "number" and column.notna().sum() >= FEWEST


def _apart(places):
    """The first, and then whoever is farthest from all taken before."""
    taken = [0]
    while len(taken) < min(EXAMPLES, len(places)):
        distance = np.min([np.abs(places - places[t]).mean(axis=1) for t in taken], axis=0).round(9)
        distance[taken] = -1
        taken.append(int(np.argmax(distance)))
    return taken


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
    return out.apply(lambda band: band.where(band.map(band.value_counts()) >= FEWEST, "less usual"))


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
