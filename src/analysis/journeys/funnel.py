"""How many customers take each step to the next, how long does it take them, and what are the lost ones worth?"""

import math
from collections.abc import Sequence, Sized
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.stats import norm

from analysis.journeys.course import MICROSECONDS_PER_DAY, Course, Step, course
from analysis.journeys.moments import columns_of
from analysis.journeys.reach import NEVER, Reached, reached
from analysis.journeys.shares import CONFIDENCE, interval, ratio, weight_of_one
from analysis.journeys.waiting import days_until

FUNNEL_COLUMNS = ["step", "optional", "entered", "converted", "judged", "rate", "low", "high"]
FUNNEL_COLUMNS += [
    "median_days",
    "p90_days",
    "mean_days",
    "lost",
    "censored",
    "lost_value",
    "lost_value_low",
    "lost_value_high",
    "weight",
]
_COUNTS = ["converted", "judged", "lost", "censored"]


def funnel(
    events: IntoFrame,
    steps: Sequence[Step],
    window_days: float | None = None,
    as_of: date | None = None,
    *,
    step_days: float | None = None,
    ordered: bool = True,
    optional: Sequence[str] = (),
    per: str = "customer_id",
) -> pd.DataFrame:
    """How many customers take each step to the next, and how long it takes them.

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
        Its column value, if there is one, is money: what an event brought; infinite amounts count as none.
    steps : sequence of str or dict
        Steps in order, at least two: the name of an event, or conditions on columns of the events, such as
        ``{"event": "checkout", "channel": "app"}``, under the name ``"step"`` if given. None gives an empty table, for
        a base that has no steps.
    window_days, step_days : float, optional
        Longest time in days of 24 hours from the first step to the last, and from one step to the next; without them,
        any time will do.
    as_of : date, optional
        Last day seen, in the events' own timezone: later events are ignored. Default: up to the latest event.
    ordered : bool
        Whether steps count in their order only (a closed funnel); else each at any time after the first (open).
    optional : sequence of str
        Steps that may be left out: what follows is looked for from the last one that may not.
    per : str
        Column that names who takes the steps: customer_id; session_id, attempt_id (see :func:`sessions` and
        :func:`attempts`); deal_id.

    Returns
    -------
    DataFrame, one row per step
        ``step``; ``optional``; ``entered``, customers who reached it; ``converted``, those of them who reached the next
        that may not be left out; ``judged``, those who were seen for the whole window, all without a window; ``rate``,
        the share of the judged who converted, with its 95 % Wilson interval ``low``, ``high``; ``median_days`` and
        ``p90_days``, days within which half and nine in ten of all who entered have converted, NaN if so many never
        did; ``mean_days``, which those of the judged who converted took; ``lost``, judged and not converted;
        ``censored``, still inside the window when the data end: neither converted nor lost; ``lost_value``, what the
        lost would have brought had they gone on like those who converted, with interval ``lost_value_low``,
        ``lost_value_high``, NaN where the events have no value or those who came through brought nothing; ``weight``,
        what one of the judged counts for beside independent ones: 1, or less where several cases are one customer's
        (see Notes).
        The last step has no next: its other figures are empty (counts are of dtype Int64).

    Raises
    ------
    Problem
        If a column is missing, a step is not among the events, the steps are not two or more different ones, or a
        window is not positive.

    Notes
    -----
    The first step is reached at its earliest event, each further one at its earliest event at or after the moment at
    which the step before was reached. Events of the same moment thus count in the funnel's own order; neither row order
    nor repeated events change the result. A customer is followed from their first entry; entering again later is no
    second chance: for one chance per visit or per order, give `per`. In an open funnel each step is reached at its
    earliest event at or after entry, and `converted` are those who did both.

    Without window nobody is censored: lost means *not yet by the end of the data*, so that late comers look lost; give
    a window to be fair to them. With one, only those seen for the whole of it are judged: late comers who were quick to
    convert would flatter the rate, as the slow ones are not in it yet.

    Times to convert are quantiles of the Kaplan-Meier estimate (JASA 53, 1958), which counts who has not converted
    yet for as long as they were seen: the shortest time by which the estimated share of converted reaches 50 or 90 %.

    Several sessions of one customer are no independent witnesses: where events have a customer_id beside `per`, the
    interval is that of a cluster sample, by the design effect (Rao and Scott 1992, Biometrics 48).

    The value of a lost customer is what they would have brought on average: the product of the rates of the steps
    still to come, times the mean value of those who came through. It is what is at stake, not what help would bring
    back. Its interval is by the delta method on the logarithm.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> funnel(visits, ["visit", "order"])[["step", "entered", "converted", "rate", "median_days"]]
        step  entered  converted  rate  median_days
    0  visit        2          1   0.5          2.0
    1  order        1       <NA>   NaN          NaN
    """
    if isinstance(steps, Sized) and len(steps) == 0:
        return _no_funnel()
    way = course(steps, window_days, step_days, ordered, optional)
    together = clusters(events, per)
    found = reached(events, way, as_of, per, keep=together)
    return funnel_table(walked(found, way, clustered=bool(together)), way)


def clusters(events: IntoFrame, per: str) -> list[str]:
    """The id under which several cases hang together, where they do."""
    return ["customer_id"] if per != "customer_id" and "customer_id" in columns_of(events) else []


class Taken(NamedTuple):
    """A step: by case, who stood there, what became of them, and how long it took.

    Attributes
    ----------
    here, converted, judged : arrays (cases) of bool
        The latter two are false for who was not here.
    waited : array (cases) of int64
        Microseconds from the step to the next, or until the last moment at which it was still looked for.
    """

    here: np.ndarray
    converted: np.ndarray
    judged: np.ndarray
    waited: np.ndarray

    def take(self, places: np.ndarray) -> "Taken":
        """The cases at these places."""
        return Taken(*(x[places] for x in self))

    @property
    def timed(self) -> np.ndarray:
        """Who was judged and converted: of these the mean time is taken."""
        return self.converted & self.judged

    def counts(self) -> list[int]:
        """How many entered, converted, were judged, lost, censored."""
        lost = self.judged & ~self.converted
        return [
            int(x.sum()) for x in (self.here, self.converted, self.judged, lost, self.here & ~self.converted & ~lost)
        ]

    def weight(self, who: np.ndarray | None) -> float:
        """What one of the judged counts for beside independent ones."""
        return weight_of_one(self.converted[self.judged], None if who is None else who[self.judged])


class Walked(NamedTuple):
    """All cases on their way through a funnel.

    Attributes
    ----------
    steps : list of Taken
    who : array (cases) of customers' ids, or None where each case is a customer
    value : array (cases) of float64, or None, as :class:`Reached` has it
    """

    steps: list[Taken]
    who: np.ndarray | None
    value: np.ndarray | None

    def take(self, places: np.ndarray) -> "Walked":
        """The cases at these places."""
        of = (x if x is None else x[places] for x in (self.who, self.value))
        return Walked([step.take(places) for step in self.steps], *of)


def walked(found: Reached, way: Course, clustered: bool) -> Walked:
    """What became of every case at each step."""
    times, end = found.times, found.end
    here = [_in_time(times, way, i) for i in range(len(way.steps))]
    if way.ordered:
        here = _one_after_the_other(times, way, here)
    steps = []
    for i in range(len(way.steps) - 1):
        following = way.after(i)
        deadline = _deadline(times[:, 0], times[:, way.since(i) if i in way.optional else i], way)
        converted = here[i] & here[following]
        judged = here[i] if deadline is None else here[i] & (deadline <= end)
        last = end if deadline is None else np.minimum(end, deadline)
        waited = np.where(converted, np.maximum(times[:, following] - times[:, i], 0), last - times[:, i])
        steps.append(Taken(here[i], converted, judged, waited))
    nobody = np.zeros(len(times), bool)
    steps.append(Taken(here[-1], nobody, nobody, np.zeros(len(times), "int64")))
    return Walked(steps, found.cases["customer_id"].to_numpy() if clustered else None, found.value)


def funnel_table(cases: Walked, way: Course) -> pd.DataFrame:
    """The table of a funnel."""
    rows = []
    for i, (name, step) in enumerate(zip(way.steps[:-1], cases.steps, strict=False)):
        median, p90 = days_until(step.waited[step.here], step.converted[step.here], (0.5, 0.9))
        mean = step.waited[step.timed].mean() / MICROSECONDS_PER_DAY if step.timed.any() else math.nan
        rows.append((name, i in way.optional, *step.counts(), median, p90, mean, step.weight(cases.who)))
    arrived = cases.steps[-1].here
    rows.append((way.steps[-1], False, arrived.sum(), *[None] * 4, *[math.nan] * 4))
    columns = ["step", "optional", "entered", "converted", "judged", "lost", "censored"]
    table = pd.DataFrame(rows, columns=[*columns, "median_days", "p90_days", "mean_days", "weight"])
    table = table.astype({"entered": "int64"} | dict.fromkeys(_COUNTS, "Int64"))
    judged, lost = (table[c].astype("float64").to_numpy() for c in ("judged", "lost"))
    table["rate"] = ratio(judged - lost, judged)
    table["low"], table["high"] = interval((judged - lost) * table["weight"], judged * table["weight"])
    return _with_lost_value(table, way, None if cases.value is None else cases.value[arrived])[FUNNEL_COLUMNS]


def _in_time(times: np.ndarray, way: Course, place: int) -> np.ndarray:
    """Who reached a step within the window of the whole."""
    there = times[:, place] != NEVER
    return there if way.window is None else there & (times[:, place] - times[:, 0] <= way.window)


def _one_after_the_other(times: np.ndarray, way: Course, here: list[np.ndarray]) -> list[np.ndarray]:
    """Who reached each step having reached those before it that may not be left out, each in its time."""
    here = [x.copy() for x in here]
    for i in range(1, len(way.steps)):
        before = way.since(i)
        here[i] &= here[before]
        if way.step_window is not None:
            here[i] &= times[:, i] - times[:, before] <= way.step_window
    for i in way.optional:  # what came after the next step was not on the way to it
        here[i] &= ~here[way.after(i)] | (times[:, i] <= times[:, way.after(i)])
    return here


def _deadline(entry: np.ndarray, anchor: np.ndarray, way: Course) -> np.ndarray | None:
    """Until when the next step counts."""
    if way.window is None and way.step_window is None:
        return None
    of_step = anchor + way.step_window if way.step_window is not None else None
    if way.window is None:
        return of_step
    return entry + way.window if of_step is None else np.minimum(of_step, entry + way.window)


def _with_lost_value(table: pd.DataFrame, way: Course, values: np.ndarray | None) -> pd.DataFrame:
    """Adds what the lost would have brought: the chance to come through from the next step on, times the mean value."""
    columns = ["lost_value", "lost_value_low", "lost_value_high"]
    table[columns] = math.nan
    if values is None or not np.nansum(values) > 0:
        return table
    values = np.sort(np.nan_to_num(values))  # in order of size: the sum must not depend on that of the rows
    mean, squares = values.mean(), 0.0
    if len(values) > 1:
        squares = values.var(ddof=1) / len(values) / mean**2
    half = norm.ppf((1 + CONFIDENCE) / 2)
    needed = [i for i in range(len(way.steps) - 1) if i not in way.optional]
    chance, uncertain = 1.0, squares
    for i in reversed(needed):
        lost = float(table.at[i, "lost"])
        worth = lost * chance * mean
        factor = math.exp(half * math.sqrt(uncertain))
        table.loc[i, columns] = [worth, worth / factor, worth * factor]
        rate, n = table.at[i, "rate"], float(table.at[i, "judged"] or 0) * table.at[i, "weight"]
        if not rate > 0:
            return table
        chance, uncertain = chance * rate, uncertain + (1 - rate) / (rate * n)
    return table


def _no_funnel() -> pd.DataFrame:
    table = pd.DataFrame({column: pd.Series(dtype="float64") for column in FUNNEL_COLUMNS})
    counts = dict.fromkeys(_COUNTS, "Int64")
    return table.astype({"step": "str", "optional": "bool", "entered": "int64"} | counts)
