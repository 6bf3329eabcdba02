"""By which short rule would one know a member of each group, and how far can the rule be trusted?

Takes `profiles` and `segments`, one row per customer each. Gives one sentence per group, learnt by a small decision
tree and put in figures that a person would say, with how many of those who meet it belong to the group and how many of
the group meet it: measured on customers from whom the rule was not learnt.
"""

import re
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from analysis import evidence, locale
from analysis.locale import named
from analysis.phrases import phrase, spoken
from analysis.segments.describe import joined
from analysis.vocabulary import WORDS, words

#: Customers from whom the rules are learnt: enough to know the recall of a group of half of them within two points, of
#: one of a tenth within five.
LEARNT_FROM = 5_000

#: Each customer is judged by rules learnt from the other four fifths (ten-fold is steadier and takes twice as long).
FOLDS = 5

#: A group needs two members in each fold, and a rule must leave five customers together: it must not describe one.
FEWEST_FOR_RULE = 2 * FOLDS
FEWEST_TOGETHER = 5

#: Leaves of the largest tree per group: with more than two ways into a group a rule is no longer short.
MOST_WAYS = 2

#: Rounding may move this share of customers to the other side of a bound, and a condition that is dropped may cost this
#: much of a rule's F measure: one in a hundred.
HARDLY_ANY = 0.01

NOT_KNOWN = "not known"


class ShortRules(NamedTuple):
    """A short rule for each group and what it is worth.

    Attributes
    ----------
    rules : DataFrame, one row per group
        segment, segment_name : as given.
        rule : str, ends the sentence "a member of this group is a customer …"; empty where no rule is surer than
        pointing at anybody: where the precision's interval holds the group's share of the customers.
        n : int, customers of the group among those learnt from.
        meet : Int64, customers who meet the rule.
        precision, precision_low, precision_high : float, share of those who meet it that are in the group.
        recall, recall_low, recall_high : float, share of the group that meets it.
    fidelity : DataFrame, one row per way of telling the groups
        told : "tree", "rules as said" and "everybody in the largest group", the naive baseline.
        leaves : Int64, of the tree.
        accuracy, low, high : float, share of customers told rightly with its 95 % interval.
        balanced : float, mean over the groups of the share of each that is told rightly.
        chosen : bool, of the trees the one that the rules are read from.
    verdict : str
        The same in a sentence.
    """

    rules: pd.DataFrame
    fidelity: pd.DataFrame
    verdict: str


class _Condition(NamedTuple):
    """What a rule asks of one trait: a number within bounds, or a level that must or must not be."""

    trait: str
    low: float = -np.inf  # at least
    high: float = np.inf  # and under
    is_level: str = ""
    not_levels: tuple[str, ...] = ()
    also_unknown: bool = False


def short_rules(profiles, segments, currency="", seed=0):
    """A short rule for each group, in figures that a person would say, with what it is worth.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment` and perhaps `segment_name`.
    currency : str
        Said after amounts of money.
    seed : int
        For the folds, and for the sample of a large base.

    Returns
    -------
    ShortRules

    Notes
    -----
    A classification tree (Breiman, Friedman, Olshen and Stone 1984, Classification and Regression Trees) in which every
    group weighs the same, so that a small one gets a rule too. Of the trees with one leaf per group to twice as many,
    the smallest within one standard error of the best in five-fold cross-validation is taken (their one-standard-error
    rule, here on balanced accuracy). Bounds are rounded as far as hardly anybody changes sides, and conditions dropped
    that hardly matter (as Quinlan 1987, International Journal of Man-Machine Studies 27:221, reads rules from trees).
    All figures are of held-out customers, rounding and dropping done anew in each fold.

    Each text is split by level, with "not known" as a level of its own; a number that is not known goes to the side of
    a bound where it helps, and the rule says so. Groups of fewer than ten customers get no rule.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(60), "n_orders": [1, 2, 3] * 10 + [7, 8, 9] * 10})
    >>> segments = pd.DataFrame({"customer_id": range(60), "segment": [1] * 30 + [2] * 30})
    >>> short_rules(profiles, segments).rules[["segment", "rule", "precision", "recall"]]
       segment                              rule  precision  recall
    0        1   who has placed at most 5 orders        1.0     1.0
    1        2  who has placed at least 6 orders        1.0     1.0
    """
    table = joined(profiles, _sampled(segments.sort_values("customer_id"), seed)).sort_values("customer_id")
    counts = table["segment"].value_counts().sort_index()
    everyone = _everyone(segments, counts)
    able = list(counts.index[counts >= FEWEST_FOR_RULE])
    if len(able) < 2:
        return _no_rules(everyone)
    table = table[table["segment"].isin(able)].reset_index(drop=True)
    traits, groups = _traits(table.drop(columns=["customer_id", "segment"])), table["segment"].to_numpy()
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(traits, groups))
    trials = _trials(traits, groups, folds, _sizes(len(able)))
    leaves = _smallest_good(trials)
    learnt = _learnt(traits, groups, leaves)
    met = _met_when_held_out(traits, groups, folds, leaves)
    said = pd.DataFrame({"segment": able, "rule": [_said(learnt[s], traits, currency) for s in able]})
    said = said.merge(_worth(met, groups), on="segment")
    rules = _better_than_nothing(everyone.merge(said, on="segment", how="left"))
    fidelity = _fidelity(trials, leaves, met, groups)
    return ShortRules(rules, fidelity, _verdict(fidelity, rules, groups))


def rules_in_words(rules):
    """Each rule as a sentence, with how far it can be relied on.

    Parameters
    ----------
    rules : DataFrame, as in :class:`ShortRules`

    Returns
    -------
    list of str

    Examples
    --------
    >>> table = {"segment_name": ["Young"], "n": [80], "rule": ["who is under 25 years old"]}
    >>> print(*rules_in_words(pd.DataFrame(table).assign(precision=0.9, recall=0.8)))
    **Young** (80 customers): who is under 25 years old. Of those who meet it 90 % are in the group, and 80 % of the \
group meet it.
    """
    told = []
    for row in rules.itertuples():
        said = {"name": row.segment_name, "n": row.n}
        if not isinstance(row.rule, str) or not row.rule:
            told.append(phrase("**{name}** ({n:,} customers): no short rule was found.", **said))
            continue
        said |= {"precision": evidence.percent(row.precision), "recall": evidence.percent(row.recall)}
        told.append(
            phrase(
                "**{name}** ({n:,} customers): {rule}. Of those who meet it {precision} are in the group, and {recall} "
                "of the group meet it.",
                **{**said, "rule": row.rule},
            )
        )
    return told


def _sampled(table, seed):
    """A large base's sample, the same for the same customers."""
    if len(table) <= LEARNT_FROM:
        return table
    return table.iloc[np.sort(np.random.default_rng(seed).choice(len(table), LEARNT_FROM, replace=False))]


def _everyone(segments, counts):
    """A row per group, named as given, with its customers among those learnt from."""
    kept = [c for c in ("segment", "segment_name") if c in segments]
    everyone = segments[kept].drop_duplicates("segment").sort_values("segment", ignore_index=True)
    return everyone.assign(n=everyone["segment"].map(counts).fillna(0).astype(int))


def _no_rules(everyone):
    missing = {"meet": pd.Series(pd.NA, everyone.index, dtype="Int64"), **dict.fromkeys(_INTERVALS, np.nan)}
    fidelity = pd.DataFrame(columns=["told", "leaves", "accuracy", "low", "high", "balanced", "chosen"])
    verdict = phrase("Fewer than two groups have {n} customers: no rule can tell them apart.", n=FEWEST_FOR_RULE)
    if len(everyone) < 2:
        verdict = phrase("There is one group only, which needs no rule.")
    return ShortRules(everyone.assign(rule="", **missing), fidelity, verdict)


_INTERVALS = ("precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high")


def _traits(table):
    """Numbers as they are, each level of a text as 0 and 1; columns (trait, level), in an order of their own."""
    columns = [c for c in WORDS if c in table] + sorted(c for c in table if c not in WORDS)
    traits = {}
    for column in columns:
        kind = evidence.kind_of(table[column])
        if kind == "number":
            values = table[column].to_numpy(dtype=float, na_value=np.nan)
            traits[column, ""] = np.where(np.isfinite(values), values, np.nan)
        elif kind == "share":
            levels = evidence.as_text(table[column]).where(table[column].notna(), NOT_KNOWN)
            common = levels.value_counts().sort_index().sort_values(ascending=False, kind="stable")
            for level in common.index[: evidence.COMMONEST_LEVELS]:
                traits[column, level] = (levels == level).to_numpy(dtype=float)
    return pd.DataFrame(traits, index=table.index, columns=pd.MultiIndex.from_tuples(traits, names=["trait", "level"]))


def _grown(traits, groups, leaves):
    """A tree of so many leaves in which every group weighs the same."""
    tree = DecisionTreeClassifier(
        max_leaf_nodes=leaves, min_samples_leaf=FEWEST_TOGETHER, class_weight="balanced", random_state=0
    )
    return tree.fit(_matrix(traits), groups)


def _sizes(groups):
    """Numbers of leaves to try: one per group to twice as many, in seven steps or fewer."""
    return range(groups, MOST_WAYS * groups + 1, -(-groups // 7))


def _matrix(traits):
    """The traits as trees take them: an array of its own, no figure beyond what single precision holds."""
    return np.array(traits.clip(-3e38, 3e38), dtype=np.float32)


def _trials(traits, groups, folds, sizes):
    """How well trees of each size tell the groups of held-out customers; `error` is the standard error of balanced."""
    rows = []
    for leaves in sizes:
        right = np.zeros(len(groups), dtype=bool)
        balanced = []
        for train, test in folds:
            tree = _grown(traits.iloc[train], groups[train], leaves)
            right[test] = tree.predict(_matrix(traits.iloc[test])) == groups[test]
            balanced.append(_balanced(right[test], groups[test]))
        error = np.std(balanced, ddof=1) / np.sqrt(len(folds))
        rows.append((leaves, right.sum(), np.mean(balanced).round(9), error))
    return pd.DataFrame(rows, columns=["leaves", "right", "balanced", "error"])


def _balanced(right, groups):
    """Mean over the groups of the share told rightly."""
    return pd.Series(right).groupby(groups).mean().mean()


def _smallest_good(trials):
    """Leaves of the smallest tree within one standard error of the best."""
    best = trials.loc[trials["balanced"].idxmax()]
    return int(trials.loc[trials["balanced"] >= best["balanced"] - best["error"], "leaves"].min())


def _learnt(traits, groups, leaves):
    """The ways into each group, each a list of conditions, rounded and shortened; none where no leaf is the group's."""
    tree = _grown(traits, groups, leaves)
    ways = {group: [] for group in tree.classes_}
    for group, conditions in _leaves(tree, traits, groups):
        ways[group].append(conditions)
    return {group: _shortened(found, traits, groups == group) for group, found in ways.items()}


def _leaves(tree, traits, groups):
    """(group, conditions) of each leaf."""
    nodes = tree.tree_
    todo = [(0, {})]
    while todo:
        node, conditions = todo.pop()
        if nodes.children_left[node] == -1:
            yield tree.classes_[np.argmax(nodes.value[node])], list(conditions.values())
            continue
        trait, level = traits.columns[nodes.feature[node]]
        bound = level or _rounded(nodes.threshold[node], traits[trait, level], groups)
        upper, lower = nodes.children_right[node], nodes.children_left[node]
        unknown_below = bool(nodes.missing_go_to_left[node])
        if not level and np.isinf(bound) and _unknown_without_orders(traits, trait):
            trait, bound, upper, lower = "n_orders", 1.0, lower, upper  # says the same, and says it better
        for child, above in ((upper, True), (lower, False)):
            condition = _narrowed(conditions.get(trait), trait, bound, above, unknown_below != above)
            todo.append((child, {**conditions, trait: condition}))


def _unknown_without_orders(traits, trait):
    """Whether a trait is unknown of just those who have not bought."""
    return ("n_orders", "") in traits and traits[trait, ""].isna().equals(traits["n_orders", ""] == 0)


def _narrowed(condition, trait, bound, above, unknown):
    """A condition with one more bound: at least (above) or under a number; having (above) or not having a level."""
    named = isinstance(bound, str)
    old = condition or _Condition(trait, also_unknown=not named)
    if named:
        return old._replace(is_level=bound) if above else old._replace(not_levels=(*old.not_levels, bound))
    unknown &= old.also_unknown
    if above:
        return old._replace(low=max(old.low, bound), also_unknown=unknown)
    return old._replace(high=min(old.high, bound), also_unknown=unknown)


def _rounded(threshold, values, groups):
    """The roundest bound such that of no group more than hardly anybody changes sides; under it is left of it."""
    known = values.notna().to_numpy()
    x, groups = values.to_numpy()[known], groups[known]
    if _whole(x):
        threshold = np.floor(threshold) + 1
    below = x < threshold if _whole(x) else x <= threshold
    for digits in (1, 2, 3):
        bound = float(f"{threshold:.{digits}g}")
        if pd.Series(below != (x < bound)).groupby(groups).mean().max() <= HARDLY_ANY:
            return bound
    return float(threshold if _whole(x) else f"{threshold:.6g}")


def _whole(x):
    return bool((x == np.floor(x)).all())


def _shortened(ways, traits, member):
    """Fewer conditions and ways, as long as the F measure hardly falls."""
    held = _held(ways, traits)  # each condition is tried once, not with every candidate
    fewest = _f_measure(ways, held, member) - HARDLY_ANY
    while True:
        shorter = [_unique([*ways[:i], *ways[i + 1 :]]) for i in range(len(ways)) if len(ways) > 1]
        for i, way in enumerate(ways):
            for j in range(len(way) if len(way) > 1 else 0):
                shorter.append(_unique([*ways[:i], [*way[:j], *way[j + 1 :]], *ways[i + 1 :]]))
        worth = [_f_measure(candidate, held, member).round(9) for candidate in shorter]
        if not worth or max(worth) < fewest:
            return [[_certain(condition, way, traits) for condition in way] for way in ways]
        ways = shorter[int(np.argmax(worth))]


def _certain(condition, way, traits):
    """The condition without "or not known" where that is true of nobody who meets the way."""
    unknown = condition.also_unknown and traits[condition.trait, ""].isna() & _met([way], traits)
    return condition._replace(also_unknown=bool(np.any(unknown)))


def _unique(ways):
    return [way for i, way in enumerate(ways) if way not in ways[:i]]


def _f_measure(ways, held, member):
    """Harmonic mean of precision and recall (van Rijsbergen 1979, Information Retrieval)."""
    met = _any_of(ways, held, len(member))
    return 2 * (met & member).sum() / (met.sum() + member.sum())


def _met(ways, traits):
    """Who meets any of the ways."""
    return _any_of(ways, _held(ways, traits), len(traits))


def _any_of(ways, held, n):
    """Who of n customers meets any of the ways, by who meets each condition."""
    met = np.zeros(n, dtype=bool)
    for way in ways:
        met |= np.logical_and.reduce([held[condition] for condition in way])
    return met


def _held(ways, traits):
    """Condition → of whom it holds."""
    return {condition: _holds(condition, traits) for condition in dict.fromkeys(chain.from_iterable(ways))}


def _holds(condition, traits):
    """Of whom a condition holds; a level that nobody has is nobody's."""
    if condition.is_level:
        return traits[condition.trait, condition.is_level].to_numpy() == 1
    if condition.not_levels:
        return (traits[[(condition.trait, level) for level in condition.not_levels]].to_numpy() == 0).all(axis=1)
    x = traits[condition.trait, ""].to_numpy()
    return ((x >= condition.low) & (x < condition.high)) | (np.isnan(x) & condition.also_unknown)


def _met_when_held_out(traits, groups, folds, leaves):
    """Which group's rule each customer meets, by rules learnt from the others; one column per group."""
    met = pd.DataFrame(False, index=range(len(groups)), columns=sorted(set(groups)))
    for train, test in folds:
        for group, ways in _learnt(traits.iloc[train], groups[train], leaves).items():
            met.loc[test, group] = _met(ways, traits.iloc[test])
    return met


def _worth(met, groups):
    """Precision and recall of each group's rule, with intervals."""
    meet, n = met.sum(), pd.Series(groups).value_counts().reindex(met.columns)
    both = pd.Series({group: (met[group] & (groups == group)).sum() for group in met})
    figures = [both / meet, *evidence.share_interval(both, meet), both / n, *evidence.share_interval(both, n)]
    worth = {name: np.asarray(values, dtype=float) for name, values in zip(_INTERVALS, figures, strict=True)}
    return pd.DataFrame({"segment": met.columns, "meet": meet.to_numpy(), **worth})


def _better_than_nothing(rules):
    """The rules of those whom one knows by them more surely than by pointing at anybody; no rule for the others."""
    told = (rules["precision_low"] > rules["n"] / rules["n"].sum()) & (rules["rule"] != "")
    rules["rule"] = rules["rule"].where(told, "")
    rules[["meet", *_INTERVALS]] = rules[["meet", *_INTERVALS]].where(told)
    return rules.astype({"meet": "Int64"})


def _fidelity(trials, leaves, met, groups):
    """The trees, the rules as said and the naive baseline, side by side."""
    own = met.to_numpy()[np.arange(len(groups)), met.columns.get_indexer(groups)]
    told = own & (met.sum(axis=1) == 1).to_numpy()
    counts = pd.Series(groups).value_counts()
    others = pd.DataFrame(
        {
            "told": ["rules as said", "everybody in the largest group"],
            "right": [told.sum(), counts.max()],
            "balanced": [_balanced(told, groups), 1 / len(counts)],
        }
    )
    trees = trials.assign(told="tree", chosen=trials["leaves"] == leaves)
    table = pd.concat([trees, others.assign(chosen=False)], ignore_index=True)
    table["accuracy"] = table["right"] / len(groups)
    table["low"], table["high"] = evidence.share_interval(table["right"].astype(int), len(groups))
    table["leaves"] = table["leaves"].astype("Int64")
    return table[["told", "leaves", "accuracy", "low", "high", "balanced", "chosen"]]


def _verdict(fidelity, rules, groups):
    """What the rules are worth, in a sentence or two."""
    of = fidelity.drop_duplicates("told", keep="last").set_index("told")
    tree, said, naive = fidelity[fidelity["chosen"]].iloc[0], of.loc["rules as said"], of.iloc[-1]
    text = phrase(
        "A tree of {leaves} leaves tells {right} of customers it has not seen rightly (interval {interval}), the rules "
        "as said {said}; to call everybody a member of the largest group would be right for {naive} (n = {n:,}).",
        **{"leaves": tree["leaves"], "right": evidence.percent(tree["accuracy"]), "n": len(groups)},
        **{"said": evidence.percent(said["accuracy"]), "naive": evidence.percent(naive["accuracy"])},
        interval=evidence.percent_range(tree["low"], tree["high"]),
    )
    without = int((rules["rule"] == "").sum())
    return f"{text} {phrase('Groups without a rule: {n}.', n=without)}" if without else text


def _said(ways, traits, currency):
    """The ways into a group as one sentence's end: "who …, or who …"."""
    return phrase(", or ").join(_way_said(way, traits, currency) for way in ways)


def _way_said(way, traits, currency):
    does = [condition for condition in way if _is_sentence(condition)]
    has = [_condition_said(condition, traits, currency) for condition in way if not _is_sentence(condition)]
    done = phrase(" and ").join(_condition_said(condition, traits, currency) for condition in does)
    return phrase(" and ").join([*([phrase("who {does}", does=done)] if done else []), *has])


def _is_sentence(condition):
    """Whether the readers' language has a sentence for the trait, and bounds that stand in it."""
    known, bounded = words(condition.trait), np.isfinite(condition.low) or np.isfinite(condition.high)
    named_levels = condition.is_level or condition.not_levels
    return bool(known and known.unit and not named_levels and bounded and not np.isposinf(condition.low))


def _condition_said(condition, traits, currency):
    """A condition in words: "has placed at least 4 orders", "whose favourite category is novel"."""
    if condition.is_level or condition.not_levels:
        return _levels_said(condition, traits)
    noun = evidence.in_words(condition.trait)
    if np.isposinf(condition.low):
        return phrase("whose {noun} is not known", noun=noun)
    if np.isinf(condition.low) and np.isinf(condition.high):
        return phrase("whose {noun} is known", noun=noun)
    unit, x = _unit(words(condition.trait), currency), traits[condition.trait, ""].dropna().to_numpy()
    bounds = _bounds_said(condition, unit, _whole(x))
    text = phrase("whose {noun} is {value}", noun=noun, value=bounds)
    if _is_sentence(condition):
        none = locale.of(spoken()).say("fallback.none")
        text = _sentence_said(condition, none if _is_none(condition, _whole(x)) else bounds)
    unknown = condition.also_unknown and traits[condition.trait, ""].isna().any()
    return phrase("{condition} (or not known)", condition=text) if unknown else text


def _levels_said(condition, traits):
    noun, levels = evidence.in_words(condition.trait), list(condition.not_levels)
    if condition.is_level:
        return phrase("whose {noun} is {value}", noun=noun, value=_level(condition.is_level, condition.trait))
    others = [level for level in traits[condition.trait] if level not in levels]
    if len(others) == 1 and (traits[condition.trait].sum(axis=1) == 1).all():
        return phrase("whose {noun} is {value}", noun=noun, value=_level(others[0], condition.trait))
    nots = [phrase("not {level}", level=_level(level, condition.trait)) for level in levels]
    return phrase("whose {noun} is {value}", noun=noun, value=phrase(" and ").join(nots))


def _level(level, trait):
    return phrase("not known") if level == NOT_KNOWN else named(level, trait)


def _sentence_said(condition, bounds):
    """What the locale says of the trait, of one customer: "Has {…} orders on average" becomes "has … orders"."""
    sentence = locale.of(spoken()).trait(condition.trait, bounds)
    text = (sentence[0].lower() + sentence[1:]).replace(phrase(" on average"), "")
    return re.sub(r"(?<![\d.,])1 (\w+)s\b", lambda m: f"1 {re.sub('ie$', 'y', m[1])}", text)


def _unit(known, currency):
    """How a figure of a trait is written."""
    if known and known.unit == "share":
        return evidence.percent
    if known and known.unit == "money" and currency:
        return lambda amount: f"{evidence.short(amount)} {named(currency, 'currency')}"
    return evidence.short


def _is_none(condition, whole):
    """Whether what is asked is a count of nothing."""
    return whole and np.isinf(condition.low) and condition.high == 1


def _bounds_said(condition, figure, whole):
    """At least, under, or from to; small whole numbers up to the last that counts."""
    low, high = condition.low, condition.high
    counted = whole and high <= 10
    if np.isinf(high):
        return phrase("at least {low}", low=figure(low))
    if np.isinf(low) and counted:
        return phrase("at most {high}", high=figure(high - 1))
    if np.isinf(low):
        return phrase("under {high}", high=figure(high))
    if whole and high - low == 1:
        return figure(low)
    if counted:
        return phrase("{low} to {high}", low=figure(low), high=figure(high - 1))
    return phrase("{low} to under {high}", low=figure(low), high=figure(high))
