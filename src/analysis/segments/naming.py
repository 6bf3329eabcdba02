"""A name for each group, by rule from what sets it apart."""

from analysis import evidence
from analysis import locale as locales
from analysis.phrases import spoken
from analysis.schema import BOUGHT, THROUGH
from analysis.segments.describe import joined
from analysis.vocabulary import WORDS, topic


def name_segments(profiles, segments, language=""):
    """Segments with a name each, by rule from what sets them apart.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id` and `segment`.
    language : {"en", "fa"}, optional
        Left out, the readers' language.

    Returns
    -------
    DataFrame
        `segments` with the column `segment_name`: the two strongest distinctive traits in words, more where two
        groups would share a name. Buyers are compared with other buyers only.

    Raises
    ------
    Problem
        A column is missing, a customer has two rows, or there is no such language.

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
    language = language or spoken()
    names = names_by_rule(profiles, segments, [language])[language]
    return segments.assign(segment_name=segments["segment"].map(names))


def names_by_rule(profiles, segments, languages=locales.LANGUAGES):
    """The name of each segment in several languages, from one comparison.

    Parameters
    ----------
    profiles, segments : as in :func:`name_segments`
    languages : sequence of {"en", "fa"}

    Returns
    -------
    dict of str to dict
        Language → segment → name.

    Raises
    ------
    Problem
        As in :func:`name_segments`.

    Examples
    --------
    >>> import pandas as pd
    >>> profiles = pd.DataFrame({"customer_id": range(20), "age": [20, 30] * 5 + [60, 70] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> names_by_rule(profiles, segments) == {"en": {1: "Younger", 2: "Older"}, "fa": {1: "جوان‌تر", 2: "مسن‌تر"}}
    True
    """
    table, spoken = joined(profiles, segments), {language: locales.of(language) for language in languages}
    whole = _hardly_known(segments) | _who_never_bought(table) | _of_one_kind(table)
    rest = [s for s in sorted(set(segments["segment"])) if s not in whole]
    if len(rest) == 1:
        others = set(whole.values()) - {"no_purchase"}
        whole[rest[0]] = "all_others" if others else "all_buyers" if whole else "all_customers"
    apart = _what_sets_apart(table[table["segment"].isin(rest)], rest) if len(rest) > 1 else {}
    return {
        language: {s: locale.say(f"group.{key}") for s, key in whole.items()} | _distinct_names(apart, locale)
        for language, locale in spoken.items()
    }


def _who_never_bought(table):
    """What groups without any buyer are: all such customers, or some of whom too little is known."""
    if "n_orders" not in table:
        return {}
    never = ~(table["n_orders"] > 0)
    without = [s for s, all_never in never.groupby(table["segment"]).all().items() if all_never]
    all_of_them = never.sum() == table["segment"].isin(without).sum()
    return dict.fromkeys(without, "no_purchase" if all_of_them else "hardly_known")


def _hardly_known(segments):
    """The groups none of whose members could be placed, where others could be."""
    if "fit" not in segments or segments["fit"].isna().all():
        return {}
    nobody = segments["fit"].isna().groupby(segments["segment"]).all()
    return dict.fromkeys(nobody.index[nobody], "hardly_known")


def _of_one_kind(table):
    """The groups that hold all companies, or all persons, among customers of both kinds."""
    if "kind" not in table or table["kind"].nunique() < 2:
        return {}
    alone = table.groupby("kind")["segment"].unique()
    of_both = table.groupby("segment")["kind"].nunique()
    kinds = ("company", "person")
    return {s[0]: kind for kind, s in alone.items() if kind in kinds and len(s) == 1 and of_both[s[0]] == 1}


def _what_sets_apart(table, numbers):
    """Of each group what is distinctive of it, strongest first."""
    # of equally strong ones the first in WORDS, and those not in it by name: the order of columns means nothing
    columns = [c for c in WORDS if c in table] + sorted(set(table) - WORDS.keys() - {"customer_id", "segment"})
    traits = evidence.compare(table, "segment", traits=columns).query("distinctive")
    sizes = traits["group"].map(table["segment"].value_counts()).astype("float64")
    traits = traits.assign(known=traits["n"] / sizes)
    return {s: _strongest(traits[traits["group"] == s]) for s in numbers}


def _strongest(traits):
    """Of each topic the strongest trait that may name a group, strongest first."""
    # what is known of few members, or a level that few of them have, is no name for all of them
    number = traits["kind"] == "number"
    delta = evidence.delta(traits)
    strength = delta.abs().where(number, delta).round(6)
    typical = traits["known"] * traits["value"].where(~number, 1) > 0.5
    typical &= number | (strength >= evidence.SMALL_EFFECT)
    typical &= ~_is_share(traits) | (delta > 0) | _lacking(traits)
    ranked = traits.loc[strength[typical].sort_values(ascending=False, kind="stable").index]
    return list(ranked[~ranked["trait"].map(topic).duplicated()].itertuples())


def _is_share(traits):
    """Whether a trait is one of several shares that add up: the more of one, the less of all others."""
    return traits["trait"].str.startswith((BOUGHT, THROUGH))


def _lacking(traits):
    """Whether a share that is most of what others have is less than half of that here."""
    return (traits["elsewhere"] > 0.5) & (2 * traits["value"] < traits["elsewhere"])


def _phrase(row, locale):
    """A distinctive trait in words."""
    if row.kind == "share":
        return locale.called("level", row.trait, row.level)
    if row.trait in ("n_order_days", "n_orders") and row.value == 1:
        return locale.say("group.one_time")
    if row.effect <= 0:
        return locale.called("little", row.trait)
    return locale.called("more" if row.trait.startswith((BOUGHT, THROUGH)) and row.value <= 0.5 else "much", row.trait)


def _distinct_names(apart, locale):
    """A name for each group, with as many traits as it takes to tell them apart."""
    names = {s: _name(traits[:2], locale) for s, traits in apart.items()}
    for count in (3, 4):
        taken = list(names.values())
        names = {s: _name(apart[s][:count], locale) if taken.count(n) > 1 else n for s, n in names.items()}
    taken = list(names.values())
    return {
        s: locale.say("group.numbered", name=n, number=locale.digits(s)) if taken.count(n) > 1 else n
        for s, n in names.items()
    }


def _name(traits, locale):
    """Traits as a name: how recent goes with the buyers it is said of."""
    phrases = {topic(row.trait): _phrase(row, locale) for row in traits}
    recency = phrases.pop("recency", None)
    if recency:
        buyers = phrases.pop("frequency", locale.say("group.buyers"))
        phrases = {"frequency": locale.say("group.by_recency", recency=recency, buyers=buyers), **phrases}
    name = " · ".join(phrases.values()) or locale.say("group.average")
    return name[0].upper() + name[1:]
