"""A name for each group, by rule from what sets it apart."""

import pandas as pd

from analysis import evidence
from analysis.segments.describe import joined
from analysis.segments.rfm import NO_PURCHASE

#: What a number is about, and the words for a group that has little and one that has much of it. A group is named by
#: one number of each concept, so that orders and days with orders are not told twice.
_WORDS = {
    "recency_days": ("recency", "recent", "lapsed"),
    "n_order_days": ("frequency", "occasional buyers", "frequent buyers"),
    "n_orders": ("frequency", "occasional buyers", "frequent buyers"),
    "orders_per_year": ("frequency", "occasional buyers", "frequent buyers"),
    "total_spend": ("spend", "small spenders", "big spenders"),
    "spend_365d": ("spend", "small spenders", "big spenders"),
    "won_value": ("spend", "little won", "much won"),
    "mean_order_value": ("basket", "small baskets", "large baskets"),
    "tenure_days": ("tenure", "new customers", "long-standing customers"),
    "median_gap_days": ("rhythm", "short gaps", "long gaps"),
    "overdue_ratio": ("overdue", "on time", "overdue"),
    "n_categories": ("range", "narrow choice", "wide choice"),
    "top_category_share": ("range", "wide choice", "one-category buyers"),
    "discount_share": ("discount", "full-price buyers", "discount hunters"),
    "return_rate": ("returns", "few returns", "many returns"),
    "used_channel_share": ("channel", "several channels", "one channel"),
    "n_touchpoints": ("contact", "little contact", "much contact"),
    "touchpoints_90d": ("contact", "seldom in touch", "often in touch"),
    "n_deals": ("deals", "few deals", "many deals"),
    "won_deals": ("deals", "few deals won", "many deals won"),
    "open_deals": ("open", "few open deals", "many open deals"),
    "age": ("age", "younger", "older"),
    "income": ("income", "lower incomes", "higher incomes"),
    "household_size": ("household", "small households", "large households"),
    "employees": ("employees", "small companies", "large companies"),
}


def name_segments(profiles, segments):
    """Segments with a name each, by rule from what sets them apart.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id` and `segment`.

    Returns
    -------
    DataFrame
        `segments` with the column `segment_name`: the two strongest distinctive numbers in words, more where two
        groups would share a name. Buyers are compared with other buyers only.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "n_orders": [1] * 10 + [8, 9] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> name_segments(profiles, segments)["segment_name"].unique().tolist()
    ['One-time buyers', 'Frequent buyers']
    """
    table = joined(profiles, segments)
    numbers = sorted(set(segments["segment"]))
    names = {}
    if "n_orders" in table:
        most = table.groupby("segment")["n_orders"].max()
        names = {s: NO_PURCHASE for s in numbers if not most[s] > 0}
    rest = [s for s in numbers if s not in names]
    if len(rest) == 1:
        names[rest[0]] = "All buyers" if names else "All customers"
    else:
        table = table[table["segment"].isin(rest)]
        numbers = [c for c in profiles if pd.api.types.is_numeric_dtype(profiles[c]) and c != "customer_id"]
        # of equally strong ones the first in _WORDS, and those not in it by name: the order of columns means nothing
        columns = [c for c in _WORDS if c in numbers] + sorted(c for c in numbers if c not in _WORDS)
        traits = evidence.compare(table, "segment", traits=columns).query("distinctive and kind == 'number'")
        phrases = {s: _phrases(traits[traits["group"] == s]) for s in rest}
        names |= _distinct_names(phrases)
    return segments.assign(segment_name=segments["segment"].map(names))


def _phrases(traits):
    """(concept, words) of a group's distinctive numbers, the strongest of each concept, strongest first."""
    phrases = {}
    strength = traits["effect"].abs().round(6)
    for row in traits.loc[strength.sort_values(ascending=False, kind="stable").index].itertuples():
        plain = str(row.trait).replace("_", " ")
        concept, little, much = _WORDS.get(row.trait, (row.trait, f"low {plain}", f"high {plain}"))
        words = much if row.effect > 0 else little
        if row.trait in ("n_order_days", "n_orders") and row.value == 1:
            words = "one-time buyers"
        phrases.setdefault(concept, words)
    return list(phrases.items())


def _distinct_names(phrases):
    """A name for each group, with as many phrases as it takes to tell them apart."""
    names = {s: _name(p[:2]) for s, p in phrases.items()}
    for count in (3, 4):
        taken = list(names.values())
        names = {s: _name(phrases[s][:count]) if taken.count(n) > 1 else n for s, n in names.items()}
    taken = list(names.values())
    return {s: f"{n} (group {s})" if taken.count(n) > 1 else n for s, n in names.items()}


def _name(phrases):
    """Phrases as a name: how recent goes before the buyers it is said of."""
    phrases = dict(phrases)
    recency = phrases.pop("recency", None)
    if recency:
        phrases = {"frequency": f"{recency} {phrases.pop('frequency', 'buyers')}", **phrases}
    name = " · ".join(phrases.values()) or "average customers"
    return name[0].upper() + name[1:]
