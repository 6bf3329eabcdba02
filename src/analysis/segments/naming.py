"""A name for each group, by rule from what sets it apart."""

from analysis import evidence
from analysis.schema import BOUGHT, THROUGH
from analysis.segments.describe import joined
from analysis.segments.rfm import NO_PURCHASE
from analysis.vocabulary import WORDS, topic, words


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
        `segments` with the column `segment_name`: the two strongest distinctive traits in words, more where two
        groups would share a name. Buyers are compared with other buyers only.

    Notes
    -----
    Numbers and levels are ranked by one measure: Cliff's delta, which for a share is the difference of the two shares
    (Cliff 1993, Psychological Bulletin 114). A trait names a group only if it is known of more than half of the group,
    a level only if more than half have it.

    Examples
    --------
    >>> import pandas as pd
    >>> profiles = pd.DataFrame({"customer_id": range(20), "n_orders": [1] * 10 + [8, 9] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> name_segments(profiles, segments)["segment_name"].unique().tolist()
    ['One-time buyers', 'Frequent buyers']
    """
    table = joined(profiles, segments)
    numbers = sorted(set(segments["segment"]))
    names = {}
    if "n_orders" in table:
        names = _who_never_bought(table)
    names |= _of_one_kind(table)
    names = _hardly_known(segments) | names
    rest = [s for s in numbers if s not in names]
    if len(rest) == 1:
        names[rest[0]] = (
            "All others" if set(names.values()) - {NO_PURCHASE} else "All buyers" if names else "All customers"
        )
    elif rest:
        table = table[table["segment"].isin(rest)]
        # of equally strong ones the first in WORDS, and those not in it by name: the order of columns means nothing
        columns = [c for c in WORDS if c in profiles] + sorted(set(profiles) - WORDS.keys() - {"customer_id"})
        traits = evidence.compare(table, "segment", traits=columns).query("distinctive")
        traits = traits.assign(known=traits["n"] / traits["group"].map(table["segment"].value_counts()))
        names |= _distinct_names({s: _phrases(traits[traits["group"] == s]) for s in rest})
    return segments.assign(segment_name=segments["segment"].map(names))


def _who_never_bought(table):
    """Names of groups without any buyer: of all such customers, or of some of whom too little is known."""
    never = ~(table["n_orders"] > 0)
    without = [s for s, all_never in never.groupby(table["segment"]).all().items() if all_never]
    all_of_them = never.sum() == table["segment"].isin(without).sum()
    return dict.fromkeys(without, NO_PURCHASE if all_of_them else "Hardly known")


def _hardly_known(segments):
    """Names of the groups none of whose members could be placed, where others could be."""
    if "fit" not in segments or segments["fit"].isna().all():
        return {}
    nobody = segments["fit"].isna().groupby(segments["segment"]).all()
    return dict.fromkeys(nobody.index[nobody], "Hardly known")


def _of_one_kind(table):
    """Names of the groups that hold all companies, or all persons, among customers of both kinds."""
    if "kind" not in table or table["kind"].nunique() < 2:
        return {}
    alone = table.groupby("kind")["segment"].unique()
    of_both = table.groupby("segment")["kind"].nunique()
    plural = {"company": "Companies", "person": "Persons"}
    return {s[0]: plural[k] for k, s in alone.items() if k in plural and len(s) == 1 and of_both[s[0]] == 1}


def _phrases(traits):
    """(topic, words) of what is distinctive of a group, the strongest of each topic, strongest first."""
    phrases = {}
    # what is known of few members, or a level that few of them have, is no name for all of them
    number = traits["kind"] == "number"
    delta = evidence.delta(traits)
    strength = delta.abs().where(number, delta).round(6)
    typical = traits["known"] * traits["value"].where(~number, 1) > 0.5
    typical &= number | (strength >= evidence.SMALL_EFFECT)
    typical &= ~_is_share(traits) | (delta > 0) | _lacking(traits)
    for row in traits.loc[strength[typical].sort_values(ascending=False, kind="stable").index].itertuples():
        phrases.setdefault(*_phrase(row))
    return list(phrases.items())


def _is_share(traits):
    """Whether a trait is one of several shares that add up: the more of one, the less of all others."""
    return traits["trait"].str.startswith((BOUGHT, THROUGH))


def _lacking(traits):
    """Whether a share that is most of what others have is less than half of that here."""
    return (traits["elsewhere"] > 0.5) & (2 * traits["value"] < traits["elsewhere"])


def _phrase(row):
    """Topic and words of a distinctive trait."""
    known, plain = words(row.trait), evidence.in_words(row.trait)
    if row.kind == "share":
        phrase = known.level if known else plain if row.level in ("yes", "no") else plain + " {}"
        phrase = phrase.replace("{}", row.level)
        phrase = f"not {phrase}" if row.level == "no" else phrase
    elif row.trait in ("n_order_days", "n_orders") and row.value == 1:
        phrase = "one-time buyers"
    elif known and known.more and row.effect > 0 and row.value <= 0.5:
        phrase = known.more
    elif known and known.much:
        phrase = known.much if row.effect > 0 else known.little
    else:
        phrase = f"{'high' if row.effect > 0 else 'low'} {plain}"
    return topic(row.trait), phrase


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
