"""Which segments first: what they bring, what they go on to bring, what serving them takes, and how sure that is.

Takes profiles and a table of segments. Each part is a figure per customer with its interval; the order rests on ranks
and on weights that are the manager's to choose, so that it is said for how many other weights, and for how many draws
of the customers, the order would be the same.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis import evidence
from analysis.errors import Problem, did_you_mean, require_columns
from analysis.locale import column_name, named
from analysis.phrases import marked, phrase

PARTS = ("value", "potential", "cost")

#: What serving a customer takes, where the price of it is unknown: counts that profiles have. Discounts and money given
#: back are not among them: spend is what was paid, less both, and would carry them twice.
SERVING = ("tickets_365d", "campaigns_received", "return_rate")

#: Smaller segments are named and left out of the order: so few customers say nothing of the next ones.
LEAST_SIZE = 5

#: Draws of customers, and of weights.
DRAWS = 1000

#: Customers of a larger segment are drawn in so many blocks, to which they fall at random: as wide an interval, sooner.
MOST_BLOCKS = 2000

#: A segment is clearly first where it is so in as many of the draws: what a 95 % interval leaves out on one side.
CLEAR = 0.975


@dataclass(frozen=True)
class Priority:
    """The order of the segments and what it rests on.

    Attributes
    ----------
    order : DataFrame, one row per segment, the first on top
        segment, segment_name : as given.
        n : int, customers.
        brought : float, value of all of them, in the base's currency; missing without spend.
        score : float in [0, 1], weighted mean of the share of other segments that it beats in each part.
        place : int; equal scores share the better place.
        place_low, place_high : int, 95 % of the draws of customers give a place between.
        first : float, share of those draws in which it is first; ties are shared out.
        clear : bool, first in 97.5 % of them: so is one of two segments alike in 5 % of bases.
        first_by_weights : float, share of all weightings that make it first, on the figures as they are.
        same_by_weights : float, share of all weightings that give it its place.
    parts : DataFrame, one row per segment and measure
        segment, segment_name : as given.
        part : str, "value", "potential" or "cost".
        measure : str, what it is made of.
        figure, low, high : float, mean per customer with its 95 % bootstrap interval.
        place : float, 1 for the best; equal ones share the mean of their places.
    notes : tuple of str
        Parts that are left out, and why.
    """

    order: pd.DataFrame
    parts: pd.DataFrame
    notes: tuple[str, ...]


def priority(profiles, segments, weights=None, costs=None, earlier=None, value="spend_365d", seed=0):
    """Order of the segments by value, potential and cost to serve, and how sure it is.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment` and perhaps `segment_name`.
    weights : mapping, optional
        Of "value", "potential" and "cost" to numbers of at least 0; equal when left out.
    costs : mapping, optional
        Of columns of the profiles to money per unit, e.g. ``{"tickets_365d": 60_000}``. Without it cost goes by the
        counts of `SERVING` that the profiles have, each of which ranks alike.
    earlier : DataFrame, optional
        As `segments`, by the same scheme 365 days before. Without it potential is left out.
    value : str
        Column of what a customer brought in the last 365 days, in the base's currency.
    seed : int
        Of the draws.

    Returns
    -------
    Priority

    Raises
    ------
    Problem
        No such column or part, weights that are negative or all 0, or nothing to go by.

    Notes
    -----
    *Value* is the mean per customer: attention is spent customer by customer; what a segment brings in all stands
    beside it. *Potential* is what those who were in the segment a year ago have brought since, on average: measured,
    with nothing added, and right as far as the next year is like the last. On the simulated bookshop (RFM, five seeds)
    its ranks agree with those of the spend of the following year by a Spearman correlation of 0.76 to 0.96; those of
    this year's spend, the naive guess, do by 0.37 to 0.79. *Cost* is the priced counts together, or their ranks.

    Ranks throw away how far apart segments are, which the intervals of `parts` show. A part of which nothing is known
    for a segment counts as its middle. Customers are drawn again within each segment (bootstrap, percentiles), those of
    a year ago on their own, and weights uniformly from all that add up to 1 (a flat Dirichlet).

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "spend_365d": [90.0] * 10 + [10.0] * 9 + [20.0]})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> priority(profiles, segments, {"value": 1}).order[["segment", "n", "brought", "place", "first"]]
       segment   n  brought  place  first
    0        1  10    900.0      1    1.0
    1        2  10    110.0      2    0.0
    """
    require_columns("profiles", profiles.columns, ["customer_id"])
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    measures, notes = _measures(profiles, value, costs, earlier)
    weights = _known_weights(weights, measures)
    columns = list(dict.fromkeys(column for measure in measures for column in measure.factors))
    members, small = _members(profiles, segments, columns)
    by_segment = members.groupby("segment")
    who = by_segment.first()[["segment_name"] if "segment_name" in members else []].reset_index()
    rng = np.random.default_rng(seed)
    figures = _drawn(members, who["segment"], [m for m in measures if m.part != "potential"], rng)
    if earlier is not None and value in profiles:
        then, _ = _members(profiles, earlier, [value])
        potential = _drawn(then, who["segment"], [m for m in measures if m.part == "potential"], rng)
        figures = np.concatenate([figures, potential], axis=2)
    beaten = _beaten(figures, measures, weights)
    brought = by_segment[value].sum().to_numpy() if value in members else np.nan
    order = who.assign(n=by_segment.size().to_numpy(), brought=brought)
    order = order.join(_order(beaten, np.array(list(weights.values())), rng))
    order = order.sort_values(["place", "segment"], ignore_index=True)
    return Priority(order, _parts(who, figures, measures), (*notes, *small))


def priority_in_words(priority):
    """Which segment comes first and how sure that is, in sentences; that none clearly does is one of them.

    Parameters
    ----------
    priority : Priority

    Returns
    -------
    list of str

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "spend_365d": [90.0] * 10 + [10.0] * 9 + [20.0]})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> print(*priority_in_words(priority(profiles, segments, {"value": 1})), sep="\\n")
    Cost to serve is left out: nothing is known of tickets, campaigns or returns.
    Potential is left out: it takes the segments of a year ago.
    Segment 1 comes first: so it is in 100 % of draws of the customers and by 100 % of all weightings.
    """
    order = priority.order
    first, *others = order.to_dict("records")
    name = _name(first)
    if not others:
        return [*priority.notes, phrase("There is one segment to rank: {name}.", name=name)]
    rivals = phrase(" or ").join(_name(other) for other in others if other["place_low"] <= 1)
    said = _CLEARLY_FIRST if first["clear"] else _FIRST_OR_A_RIVAL if rivals else _HARDLY_FIRST
    shares = {"draws": evidence.percent(first["first"]), "weights": evidence.percent(first["first_by_weights"])}
    return [*priority.notes, phrase(said, name=name, rivals=rivals, **shares)]


_CLEARLY_FIRST = marked(
    "{name} comes first: so it is in {draws} of draws of the customers and by {weights} of all weightings."
)
_FIRST_OR_A_RIVAL = marked(
    "No segment is clearly first: {name} is in {draws} of draws of the customers and by {weights} of all weightings; "
    "it may as well be {rivals}."
)
_HARDLY_FIRST = marked(
    "No segment is clearly first: {name} is in {draws} of draws of the customers and by {weights} of all weightings."
)


class _Measure(NamedTuple):
    """What a part is measured by: the sum of columns, each times a factor."""

    part: str
    name: str
    factors: dict[str, float]


def _measures(profiles, value, costs, earlier):
    """The measures that can be taken, potential last, and notes on the parts that cannot."""
    measures, notes = [], []
    if value in profiles:
        measures.append(_Measure("value", value, {value: 1.0}))
    else:
        notes.append(
            phrase("Value and potential are left out: the profiles have no {column}.", column=column_name(value))
        )
    of_cost, note = _cost_measures(profiles, costs)
    measures += of_cost
    notes += [note] if note else []
    if value in profiles and earlier is not None:
        measures.append(
            _Measure("potential", phrase("{measure} a year on", measure=evidence.in_words(value)), {value: 1.0})
        )
    elif value in profiles:
        notes.append(phrase("Potential is left out: it takes the segments of a year ago."))
    return measures, notes


def _cost_measures(profiles, costs):
    """What serving costs in money if it has a price, else the counts that are known, and a note that says so."""
    if costs:
        require_columns("profiles", profiles.columns, costs)
        prices = {column: float(price) for column, price in costs.items()}
        return [_Measure("cost", phrase("money for service"), prices)], None
    known = [column for column in SERVING if column in profiles and profiles[column].notna().any()]
    if not known:
        return [], phrase("Cost to serve is left out: nothing is known of tickets, campaigns or returns.")
    counts = phrase(", ").join(evidence.in_words(column) for column in known)
    note = phrase("What serving costs is not known in money, so cost goes by the ranks of: {counts}.", counts=counts)
    return [_Measure("cost", column, {column: 1.0}) for column in known], note


def _known_weights(weights, measures):
    """Weights of the parts that are wanted and measured, adding up to 1."""
    weights = dict.fromkeys(PARTS, 1.0) if weights is None else dict(weights)
    for part, weight in weights.items():
        if part not in PARTS:
            raise Problem(f'weights has no part "{part}".{did_you_mean(part, PARTS)} It has: {", ".join(PARTS)}.')
        if not 0 <= weight < np.inf:
            raise Problem(f"The weight of {part} is {weight}. It must be a number, 0 or more.")
    measured = {measure.part for measure in measures}
    known = {part: weights[part] for part in PARTS if weights.get(part) and part in measured}
    if not known:
        raise Problem(
            f"There is nothing to rank segments by: the weights are {weights}, and the profiles tell of "
            f"{' and '.join(part for part in PARTS if part in measured) or 'no part'}."
        )
    return {part: weight / sum(known.values()) for part, weight in known.items()}


def _members(profiles, segments, columns):
    """Customers of the segments that are large enough, by segment and amounts, and notes on the other segments."""
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    names = ["segment_name"] if "segment_name" in segments else []
    members = segments[["customer_id", "segment", *names]].dropna(subset="segment")
    for where, table in (("segments", members), ("profiles", profiles)):
        if table["customer_id"].duplicated().any():
            raise Problem(f"{where} has customers with more than one row. Keep one row per customer_id.")
    members = members.merge(profiles[["customer_id", *columns]], on="customer_id")
    # by amount, so that sums, and who is drawn, depend neither on the order of the rows nor on the ids
    members = members.sort_values(["segment", *columns, "customer_id"], ignore_index=True)
    size = members.groupby("segment")["customer_id"].transform("size")
    small = members[size < LEAST_SIZE].drop_duplicates("segment").to_dict("records")
    if len(small) == members["segment"].nunique():
        raise Problem(f"No segment has {LEAST_SIZE} customers or more with a profile, so there is nothing to rank.")
    notes = [
        phrase("{name} has fewer than {n} customers and is not ranked.", name=_name(row), n=LEAST_SIZE) for row in small
    ]
    return members[size >= LEAST_SIZE], notes


def _drawn(members, segments, measures, rng):
    """Means per customer as they are (first) and in draws of customers, shape (draws + 1, segments, measures)."""
    figures = np.full((DRAWS + 1, len(segments), len(measures)), np.nan)
    of_segment = dict(list(members.groupby("segment")))
    for place, segment in enumerate(segments):
        if segment in of_segment:
            of = of_segment[segment]
            amounts = np.column_stack([sum(of[c] * factor for c, factor in m.factors.items()) for m in measures])
            totals, counts = np.split(_drawn_sums(amounts, rng), 2, axis=1)
            figures[:, place] = np.divide(totals, counts, out=np.full_like(totals, np.nan), where=counts > 0)
    return figures


def _drawn_sums(amounts, rng):
    """Sums of the columns and counts of what is known in them, as they are (first) and in draws of blocks of rows."""
    n, known = len(amounts), np.isfinite(amounts)
    values = np.hstack([np.where(known, amounts, 0), known])
    blocks = min(n, MOST_BLOCKS)
    block = rng.permutation(n) % blocks
    sums = np.column_stack([np.bincount(block, column) for column in values.T])
    times = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    return np.vstack([values.sum(axis=0), times @ sums])


def _beaten(figures, measures, parts):
    """Share of the other segments that each beats in each part, shape (draws + 1, segments, parts)."""
    signs = np.array([-1.0 if measure.part == "cost" else 1.0 for measure in measures])
    ranks = rankdata(figures * signs, axis=1, nan_policy="omit")
    others = np.isfinite(figures).sum(axis=1, keepdims=True) - 1
    # who is alone, or of whom nothing is known, stands in the middle
    shares = np.where(np.isfinite(figures) & (others > 0), (ranks - 1) / np.maximum(others, 1), 0.5)
    of_part = [[place for place, measure in enumerate(measures) if measure.part == part] for part in parts]
    return np.stack([shares[:, :, places].mean(axis=2) for places in of_part], axis=2)


def _order(beaten, weights, rng):
    """Score and place of each segment, and how often it keeps them in draws of customers and of weights."""
    scores = (beaten @ weights).round(9)  # sums of tied ranks differ in the last digit
    places = rankdata(-scores, method="min", axis=1)
    other = (beaten[0] @ rng.dirichlet(np.ones(len(weights)), DRAWS).T).round(9).T
    others = rankdata(-other, method="min", axis=1)
    low, high = np.quantile(places[1:], [0.025, 0.975], axis=0, method="nearest")
    return pd.DataFrame(
        {
            "score": scores[0],
            "place": places[0].astype(int),
            "place_low": low.astype(int),
            "place_high": high.astype(int),
            "first": _first(places[1:]),
            "clear": _first(places[1:]) >= CLEAR,
            "first_by_weights": _first(others),
            "same_by_weights": (others == places[0]).mean(axis=0),
        }
    )


def _first(places):
    """Share of the draws in which each is first; those who are so together share it."""
    first = places == 1
    return (first / first.sum(axis=1, keepdims=True)).mean(axis=0)


def _parts(who, figures, measures):
    """One row per measure and segment: the figure with its interval and its place."""
    found = []
    for at, measure in sorted(enumerate(measures), key=lambda numbered: PARTS.index(numbered[1].part)):
        known, drawn = figures[0, :, at], figures[1:, :, at]
        seen = np.where(np.isfinite(drawn).any(axis=0), drawn, 0.0)
        low, high = np.where(np.isfinite(known), np.nanquantile(seen, [0.025, 0.975], axis=0), np.nan)
        place = rankdata(known if measure.part == "cost" else -known, nan_policy="omit")
        rows = {"part": measure.part, "measure": measure.name, "figure": known, "low": low, "high": high}
        found.append(who.assign(**rows, place=place))
    return pd.concat(found, ignore_index=True)


def _name(row):
    name = row.get("segment_name", row["segment"])
    return named(name, "segment") if isinstance(name, str) else phrase("Segment {number}", number=name)
