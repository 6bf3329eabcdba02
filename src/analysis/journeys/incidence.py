"""By when do those who wait come to one of several ends, while some of them wait still?

Takes how long each has waited and what ended it. Gives the share that has come to each end, by the days waited:
whoever waits still counts for as long as they were seen, and whoever came to one end can no longer come to another.
"""

from typing import NamedTuple

import numpy as np

#: The end of whoever waits still.
WAITING = -1


class Stays(NamedTuple):
    """How long each has waited, in the order of the days.

    Attributes
    ----------
    who : array of int, whose stay it is
    days : array of float64
    end : array of int, the end it came to, or `WAITING`
    starts : array of int, the first place of each different number of days
    """

    who: np.ndarray
    days: np.ndarray
    end: np.ndarray
    starts: np.ndarray


class Incidence(NamedTuple):
    """The share that has come to each end, after so many days.

    Attributes
    ----------
    days : array (m + 1,) of float64, from 0 on
    came : array (ends, m + 1) of float64, cumulated share that has come to each end by then
    waiting : array (m + 1,) of float64, share that has come to none
    """

    days: np.ndarray
    came: np.ndarray
    waiting: np.ndarray


def stays(who, days, end) -> Stays:
    """Stays in the order of their days; of the same days in the order of `who`."""
    who, days, end = np.asarray(who, dtype="int64"), np.asarray(days, dtype="float64"), np.asarray(end, dtype="int64")
    order = np.lexsort((who, days))
    return Stays(who[order], days[order], end[order], np.unique(days[order], return_index=True)[1])


def incidence(of: Stays, ends: int, weights: np.ndarray | None = None) -> Incidence:
    """Share that has come to each end, by the days waited.

    Parameters
    ----------
    of : Stays
    ends : int
        How many ends there are: 0 to ``ends - 1``.
    weights : array of float64, optional
        How much each of `who` counts; 1 if left out.

    Notes
    -----
    The estimate of Aalen and Johansen (Scandinavian Journal of Statistics 5, 1978): of those who still wait after so
    many days, the share that comes to an end on that day, times the share that still waits. One less Kaplan-Meier for
    one end, with the other ends taken for people who were lost from sight, would say how many came to it if there were
    no other end, which is always too many.

    Examples
    --------
    Of four, one came to end 0 on day 1, one to end 1 on day 2, and one was seen for a day and a half only:

    >>> found = incidence(stays([0, 1, 2, 3], [1, 1.5, 2, 3], [0, WAITING, 1, 0]), 2)
    >>> found.came.round(3).tolist(), found.waiting.round(3).tolist()
    ([[0.0, 0.25, 0.25, 0.25, 0.625], [0.0, 0.0, 0.0, 0.375, 0.375]], [1.0, 0.75, 0.75, 0.375, 0.0])
    """
    if len(of.days) == 0:
        return Incidence(np.zeros(1), np.zeros((ends, 1)), np.ones(1))
    counts = np.ones(len(of.days)) if weights is None else weights[of.who]
    here = np.add.reduceat(counts, of.starts)
    at_risk = np.cumsum(here[::-1])[::-1]
    coming = np.stack([np.add.reduceat(counts * (of.end == end), of.starts) for end in range(ends)]) / at_risk
    waiting = np.cumprod(np.append(1, np.clip(1 - coming.sum(axis=0), 0, 1)))
    came = np.cumsum(waiting[:-1] * coming, axis=1)
    return Incidence(np.append(0, of.days[of.starts]), np.pad(came, ((0, 0), (1, 0))), waiting)


def days_until(of: Incidence, ends: list[int], share: float) -> float:
    """Days by which this share of all who ever come to one of these ends has come; NaN where nobody does."""
    came = of.came[ends].sum(axis=0)
    if not came[-1] > 0:
        return np.nan
    # the products of exact fractions are off by some 1e-16, and a half must count as a half
    return float(of.days[np.flatnonzero(came >= share * came[-1] - 1e-12)[0]])
