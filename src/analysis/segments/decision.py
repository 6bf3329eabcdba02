"""Which segmentation serves a decision: whom to contact, at what cost, for what gain?

`policy` takes profiles with what came later, the cost of a contact and what an outcome is worth, and any number of
segmentations. Each is learnt from one time and judged by a later one, beside mass marketing, the usual single numbers
and a model of each customer; `policy_in_words` says it in sentences. The answer may be that no segmentation earns more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.segments.advice import best_number, verdict
from analysis.segments.cases import OUTCOME, Cases, cases
from analysis.segments.earnings import Places, drawn, gains, places, share_contacted
from analysis.segments.one_to_one import comparable, expected_outcome, expected_worth, folds
from analysis.segments.schemes import MASS, ONE_TO_ONE, SEGMENTATION, Rule, rules

#: Groups of fewer customers are not told, so that nobody can be worked out.
SMALLEST = 5

#: Shares of the customers at which the curve is told.
CURVE_AT = np.linspace(0, 1, 41)

GROUP_COLUMNS = ["scheme", "group", "n_past", "past", "expected", "n", "value", "low", "high", "contacted"]


@dataclass(frozen=True)
class Policy:
    """What each way to choose earns.

    Attributes
    ----------
    profits : DataFrame, one row per rule
        rule, kind : str; kinds are "mass marketing", "single number", "segmentation" and "one to one".
        contacted, share : float, customers that the rule contacts within the budget, and their share.
        profit, low, high : float, what that earns among the customers judged, with its interval.
        promised : float, what the time learnt from made expect.
    gains : DataFrame, one row per rule and rival
        rule, over : str; mass marketing, the better single number, the model of each customer.
        gain, low, high : float, in money; p, p_corrected : float; clear : bool, beyond chance.
    curve : DataFrame, columns ``rule``, ``kind``, ``share``, ``profit``, ``low``, ``high``
        Profit if so many were contacted, those first of whom most is expected; the band of `use` only.
    groups : DataFrame, one row per scheme and group of five customers or more
        n_past, past, expected : customers learnt from, what their contact was worth on average, and what is expected
        after holding small groups back; n, value, low, high : customers judged and what theirs was worth, with an
        interval that holds for all groups of the scheme together; contacted : share of them that is contacted.
    contacts : DataFrame, one row per customer judged: ``customer_id``, and by rule the share contacted, from 0 to 1
        Customers among whom a rule makes no difference at the cut share its place.
    use : str
        The rule to use.
    verdict : str
        Which, and why, in a sentence.
    doubts : list of str
        What the customers look like that would make it wrong.
    customers, cost, margin, budget : what was asked; the budget as a share of the customers.
    caused : bool
        Whether profit is what the contact changed, held against customers who were not contacted.
    later : bool
        Whether the rules were judged on a later time; else on customers from whom they had not learnt.
    """

    profits: pd.DataFrame
    gains: pd.DataFrame
    curve: pd.DataFrame
    groups: pd.DataFrame
    contacts: pd.DataFrame
    use: str
    verdict: str
    doubts: list[str]
    customers: int
    cost: float
    margin: float
    budget: float
    caused: bool
    later: bool


def policy(
    past: pd.DataFrame,
    later: pd.DataFrame | None = None,
    schemes: Mapping[str, str | Callable] | pd.DataFrame | None = None,
    *,
    cost: float,
    margin: float = 1.0,
    budget: float = 1.0,
    outcome: str = OUTCOME,
    seed: int = 1,
    confidence: float = 0.95,
) -> Policy:
    """What each segmentation earns in a decision whom to contact, on later data, beside doing without one.

    Parameters
    ----------
    past : DataFrame, one row per customer
        Profiles as of a day, with the `outcome` of the time after, as `profiles.followed` and `profiles.contacted` give
        them. With a column ``contacted`` that is true of some and false of others, drawn at random with the same chance
        for all, profit is what the contact changed.
    later : DataFrame, optional
        The same as of a later day. Left out, the customers of `past` are judged by rules learnt from the others.
    schemes : mapping or DataFrame, optional
        Segmentations by name: a column of the profiles, or a function from profiles to labels (a Series by customer_id,
        or a table with customer_id and the labels), which sees the profiles of one day at a time. A name must mean the
        same on both days: groups are formed once and customers assigned to them, not formed anew. Without `later` a
        table will do, with customer_id and a column for each.
    cost : float
        Of contacting a customer, in the base's currency.
    margin : float
        What one of the outcome is worth: the share of an amount that is earned (0.3), or the money that a yes brings.
    budget : float
        At most 1: the share of customers who may be contacted. Above it: money, of which each contact takes `cost`.
    outcome : str
        Its column: an amount, or yes and no.
    seed : int
        Of the draws, of the model and of the parts of the customers.
    confidence : float
        Of each profit, and of all gains together.

    Returns
    -------
    Policy

    Raises
    ------
    Problem
        A column is missing or no number, a customer has two rows, there are too few customers, a cost or margin or
        budget that makes no decision, a scheme that gives no labels.

    Notes
    -----
    Every rule expects a profit of each customer and contacts in that order while more than nothing is expected and the
    budget lasts; customers of whom the same is expected share the place at the cut. Mass marketing expects the same of
    all, a single number what never falls with it, a group its mean, held back where the group is small
    (:func:`~analysis.segments.schemes.credible_means`), the model what :mod:`analysis.segments.one_to_one` says.

    Without a control group, profit is ``margin * outcome - cost`` of every customer contacted: all that they do later
    counts as if the contact had earned it. That ranks whom to serve first; it does not say that a contact pays. With
    one, it is ``margin * (y - m) (z - e) / (e (1 - e)) - cost`` for outcome y, contacted or not z, share contacted e
    and outcome foretold m: in the mean over any group the difference between contacted and held out, whatever is
    foretold, weighed by the inverse of the chance to be contacted (Horvitz and Thompson 1952, Journal of the American
    Statistical Association 47:663), and the less noisy the better it is foretold (Robins, Rotnitzky and Zhao 1994, the
    same 89:846).
    Policies compared in this way, on one experiment: Hitsch, Misra and Zhang (2024, Quantitative Marketing and
    Economics 22). Why on later data: Simester, Timoshenko and Zoumpoulis (2020, Management Science 66) found that what
    fine models learn from one experiment loses much of its edge in the next.

    Intervals by the bootstrap over the customers judged, the same draws for all rules (Efron 1979, Annals of Statistics
    7); a rule stays as it was learnt. p values from the same draws, corrected after Holm over all rows of `gains`,
    whose intervals are each widened to ``1 - (1 - confidence) / rows``. The better single number is picked on the
    customers judged, which favours it.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> city, n_orders = rng.choice(["Yazd", "Qom"], 400), rng.poisson(3, 400)
    >>> table = pd.DataFrame({"customer_id": range(400), "city": city, "total_spend": 10.0 * n_orders})
    >>> table["outcome"] = rng.random(400) < np.where(city == "Yazd", 0.4, 0.1)
    >>> found = policy(table, schemes={"by city": "city"}, cost=2, margin=10)
    >>> found.use
    'by city'
    >>> found.gains.query("over == 'mass marketing' and clear")["rule"].tolist()
    ['by city', 'one to one']
    """
    _check_numbers(cost, margin, budget, confidence)
    seen, judged, caused, doubts = cases(past, later, outcome, cost, margin, seed)
    everybody = [(np.arange(len(seen.table)), np.arange(len(judged.table)))]
    parts = everybody if later is not None else folds(len(seen.table), seed)
    limit = _share(budget, cost, len(judged.table))
    ways = rules(seen, judged, _by_name(schemes, later is None), _model(seen, judged, caused, cost, margin, seed))
    chosen = {way.name: _applied(way, parts, len(judged.table), limit) for way in ways}
    profits, draws = _earned(ways, chosen, judged.worth, seed, confidence)
    ahead = gains(profits.set_index("rule")["profit"], draws, _pairs(profits), confidence)
    use, why = verdict(profits, ahead)
    curve = _curve(ways, chosen, judged.worth, use, seed, confidence)
    groups = _groups(ways, chosen, seen, judged, confidence)
    contacts = judged.table[["customer_id"]].assign(**{name: way.contacted for name, way in chosen.items()})
    asked = {"customers": len(contacts), "cost": cost, "margin": margin, "budget": limit}
    return Policy(
        profits, ahead, curve, groups, contacts, use, why, doubts, **asked, caused=caused, later=later is not None
    )


class _Applied(NamedTuple):
    """What a rule expects of each customer judged, where they stand, and which part of them it contacts."""

    expected: np.ndarray
    places: Places
    contacted: np.ndarray


def _check_numbers(cost: float, margin: float, budget: float, confidence: float) -> None:
    for name, value, right, example in (
        ("cost", cost, cost >= 0, "money per contact, e.g. 2.5"),
        ("margin", margin, margin > 0, "e.g. 0.3 of an amount, or what a yes brings"),
        ("budget", budget, budget > 0, "a share of the customers, e.g. 0.2, or money, e.g. 50000"),
        ("confidence", confidence, 0 < confidence < 1, "between 0 and 1, e.g. 0.95"),
    ):
        if not (right and np.isfinite(value)):
            raise Problem(f"{name} is {value}, which makes no decision. It is {example}.")


def _share(budget: float, cost: float, customers: int) -> float:
    """The budget as a share of the customers."""
    if budget <= 1:
        return float(budget)
    return min(1.0, budget / (cost * customers)) if cost > 0 else 1.0


def _by_name(schemes, one_time: bool) -> Mapping:
    """The schemes by name; a table of labels is of one day, so it can only be judged on that day."""
    if not isinstance(schemes, pd.DataFrame):
        named = {} if schemes is None else dict(schemes)
        taken = sorted({MASS, ONE_TO_ONE} & named.keys())
        if taken:
            raise Problem(f'A scheme cannot be called "{taken[0]}", as a rule that is always tried is. Rename it.')
        return named
    require_columns("schemes", schemes.columns, ["customer_id"])
    if not one_time:
        raise Problem(
            "schemes is a table of labels, which were given on one day, and past and later are two. Give a function "
            'from profiles to labels by name, e.g. {"RFM": segments.rfm}, so that either day has the labels of its own.'
        )
    labels = schemes.set_index("customer_id")
    return {name: lambda _, column=labels[name]: column for name in labels}


def _model(seen: Cases, judged: Cases, caused: bool, cost: float, margin: float, seed: int) -> Callable:
    """A function from places seen and judged to the profit that a model expects of each customer judged."""
    x, x_judged = comparable(seen.table, judged.table)
    if caused:
        return lambda of, to: expected_worth(x.iloc[of], seen.worth[of], x_judged.iloc[to], seed)
    return lambda of, to: margin * expected_outcome(x.iloc[of], seen.outcome[of], x_judged.iloc[to], seed) - cost


def _applied(way: Rule, parts: list, customers: int, limit: float) -> _Applied:
    """A rule learnt and applied, part by part."""
    expected, where = np.empty(customers), Places(*np.empty((3, customers)))
    for seen, judged in parts:
        found = way.learn(seen, judged)
        expected[judged] = found.profit
        for whole, part in zip(where, places(found, limit), strict=True):
            whole[judged] = part
    return _Applied(expected, where, share_contacted(where, where.stop))


def _earned(ways: list[Rule], chosen: dict, worth: np.ndarray, seed: int, confidence: float):
    """What each rule earns, and what it would have earned in draws of the customers."""
    each = np.column_stack([chosen[way.name].contacted * worth for way in ways])
    table = pd.DataFrame({"rule": [way.name for way in ways], "kind": [way.kind for way in ways]})
    draws = pd.DataFrame(drawn(each, seed), columns=table["rule"])
    table["contacted"] = [of.contacted.sum() for of in chosen.values()]
    table["share"], table["profit"] = table["contacted"] / len(worth), each.sum(axis=0)
    table["low"], table["high"] = draws.quantile([(1 - confidence) / 2, (1 + confidence) / 2]).to_numpy()
    table["promised"] = [(of.contacted * of.expected).sum() for of in chosen.values()]
    return table, draws


def _pairs(profits: pd.DataFrame) -> list[tuple[str, str]]:
    """Who is held against whom: all against mass marketing, then those who know more against those who know less."""
    of = {kind: rows["rule"].tolist() for kind, rows in profits.groupby("kind", sort=False)}
    number, groups = best_number(profits), of.get(SEGMENTATION, [])
    pairs = [(rule, MASS) for rule in profits["rule"] if rule != MASS]
    pairs += [(rule, number) for rule in [*groups, ONE_TO_ONE] if number]
    return pairs + [(ONE_TO_ONE, rule) for rule in groups]


def _curve(ways: list[Rule], chosen: dict, worth: np.ndarray, use: str, seed: int, confidence: float) -> pd.DataFrame:
    """Profit by the share contacted of every rule, with a band for the one to use."""
    parts = []
    for way in ways:
        each = np.column_stack([share_contacted(chosen[way.name].places, share) for share in CURVE_AT]) * worth[:, None]
        table = pd.DataFrame({"rule": way.name, "kind": way.kind, "share": CURVE_AT, "profit": each.sum(axis=0)})
        edges = [(1 - confidence) / 2, (1 + confidence) / 2]
        low, high = np.quantile(drawn(each, seed, 500), edges, axis=0) if way.name == use else (np.nan, np.nan)
        parts.append(table.assign(low=low, high=high))
    return pd.concat(parts, ignore_index=True)


def _groups(ways: list[Rule], chosen: dict, seen: Cases, judged: Cases, confidence: float) -> pd.DataFrame:
    """Every group of every scheme: what was seen of it, what was expected, and what came."""
    rows = []
    for way in ways:
        if way.groups is None:
            continue
        before = pd.Series(seen.worth).groupby(way.groups[0]).agg(["size", "mean"])
        of = chosen[way.name]
        told = pd.DataFrame({"expected": of.expected, "contacted": of.contacted, "worth": judged.worth})
        parts = [(label, part) for label, part in told.groupby(way.groups[1]) if len(part) >= SMALLEST]
        for label, part in parts:
            n, mean = before.loc[label] if label in before.index else (0, np.nan)
            interval = evidence.mean_interval(part["worth"], 1 - (1 - confidence) / len(parts))
            figures = (int(n), mean, part["expected"].mean(), len(part), *interval, part["contacted"].mean())
            rows.append((way.name, label, *figures))
    table = pd.DataFrame(rows, columns=GROUP_COLUMNS)
    return table.sort_values(["scheme", "expected", "group"], ascending=[True, False, True], ignore_index=True)
