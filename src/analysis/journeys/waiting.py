"""How long does it take, when some have not got there yet?

Takes, for each customer, how long they were seen and whether the thing happened at the end of that time. Gives the
days by which half or nine in ten have got there, with intervals, and whether and how far one group is later than
another. Who is still waiting counts for as long as they were seen.
"""

import math

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.journeys.moments import MICROSECONDS_PER_DAY

#: Products of exact fractions are off by some 1e-16, and a half must count as a half.
_ROUNDING = 1e-12


def days_until(durations: np.ndarray, happened: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Days by which these shares have got there, by Kaplan-Meier; NaN where the estimate never gets there.

    Durations in microseconds; of those who did not get there, for how long they were seen.
    """
    if not len(durations):
        return [math.nan] * len(shares)
    times, _, _, waiting = _curve(durations, happened)
    first = [np.flatnonzero(waiting <= 1 - share + _ROUNDING) for share in shares]
    return [float(times[i[0]] / MICROSECONDS_PER_DAY) if len(i) else math.nan for i in first]


def median_days(days, happened, confidence: float = 0.95) -> tuple[float, float, float]:
    """Days by which half have got there, with its interval.

    Parameters
    ----------
    days : array of float, at least 0
        Until it happened; of those to whom it has not, for how long they were seen.
    happened : array of bool
    confidence : float

    Returns
    -------
    median, low, high : float
        In days; infinite where the estimate never falls so low, NaN where nobody was seen.

    Notes
    -----
    The median of the estimate of Kaplan and Meier (1958, JASA 53); its interval holds all days at which the share
    still waiting could be a half by Greenwood's variance on the log(-log) scale (Brookmeyer and Crowley 1982,
    Biometrics 38; Kalbfleisch and Prentice 1980).

    Examples
    --------
    >>> median_days([1, 2, 3, 4, 5], [True, True, True, True, False])[0]
    3.0
    """
    if not len(days):
        return np.nan, np.nan, np.nan
    times, events, at_risk, waiting = _curve(days, happened)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(events / (at_risk * (at_risk - events))) / np.log(waiting) ** 2
        away = (np.log(-np.log(waiting)) - np.log(np.log(2))) / np.sqrt(variance)
    away = np.where(waiting <= _ROUNDING, np.inf, np.where(waiting >= 1, -np.inf, away))
    reach = ndtri((1 + confidence) / 2)
    crossed = (waiting <= 0.5 + _ROUNDING, away >= -reach, away > reach)
    return tuple(float(times[np.argmax(c)]) if c.any() else np.inf for c in crossed)


def log_rank(days, happened, here) -> float:
    """Whether those here get there sooner or later than the others: two-sided p value.

    Parameters
    ----------
    days, happened
        As for :func:`median_days`.
    here : array of bool

    Returns
    -------
    float
        NaN where it happened to nobody, or nothing is left to compare.

    Notes
    -----
    The log-rank test (Mantel 1966, Cancer Chemotherapy Reports 50), with the hypergeometric variance.

    Examples
    --------
    >>> round(log_rank([1, 2, 3, 8, 9, 10], [True] * 6, [True] * 3 + [False] * 3), 3)
    0.025
    """
    days, happened, here = (np.asarray(x) for x in (days, happened, here))
    times, events, at_risk, _ = _curve(days, happened)
    mine = here.astype(bool)
    left = np.sort(days[mine])
    n_here = len(left) - np.searchsorted(left, times)
    d_here = np.bincount(np.searchsorted(times, days[mine]), happened[mine], len(times))
    share = n_here / at_risk
    spread = share * (1 - share) * events * (at_risk - events) / np.maximum(at_risk - 1, 1)
    if not spread.sum() > 0:
        return np.nan
    return float(2 * ndtr(-abs((d_here - events * share).sum()) / np.sqrt(spread.sum())))


def likelier_later(days, happened, here) -> float:
    """How much likelier one of those here is to be later than one of the others, rather than sooner.

    Returns
    -------
    float in [-1, 1]
        Of all pairs, the share in which the one here is known to be later, less the share in which the other is.

    Notes
    -----
    Gehan's (1965, Biometrika 52) scores: of a pair in which the censoring hides who was later nothing is known, and it
    counts as a tie. Without censoring it is Cliff's delta.

    Examples
    --------
    >>> likelier_later([1, 2, 3, 8, 9, 10], [True] * 6, [False] * 3 + [True] * 3)
    1.0
    """
    days, happened, here = (np.asarray(x) for x in (days, happened, here))
    mine = here.astype(bool)
    if not mine.any() or mine.all():
        return np.nan
    a, b = (days[mine], happened[mine]), (days[~mine], happened[~mine])
    return float((_known_later(*a, *b) - _known_later(*b, *a)) / (len(a[0]) * len(b[0])))


def against(days, happened, here, confidence: float) -> dict[str, float]:
    """Those here against the others: elsewhere (their median), difference, low, high (in days), p, effect.

    Examples
    --------
    >>> found = against([1, 2, 3, 8, 9, 10], [True] * 6, [True] * 3 + [False] * 3, 0.95)
    >>> found["elsewhere"], found["difference"], found["effect"]
    (9.0, -7.0, -1.0)
    """
    days, happened, here = (np.asarray(x) for x in (days, happened, here))
    mine, others = (median_days(days[of], happened[of], confidence) for of in (here, ~here))
    difference, low, high = median_difference(mine, others)
    found = {"elsewhere": others[0], "difference": difference, "low": low, "high": high}
    return found | {"p": log_rank(days, happened, here), "effect": likelier_later(days, happened, here)}


def median_difference(here: tuple, there: tuple) -> tuple[float, float, float]:
    """Difference of two medians with its interval, from each one's (median, low, high).

    Notes
    -----
    The variances are recovered from the intervals (Zou and Donner 2008, Statistics in Medicine 27:1693).

    Examples
    --------
    >>> [round(x, 3) for x in median_difference((5, 4, 7), (3, 2, 4))]
    [2, 0.586, 4.236]
    """
    (m1, l1, u1), (m2, l2, u2) = here, there
    if not np.isfinite([m1, m2]).all():
        return np.nan, np.nan, np.nan
    low = m1 - m2 - np.hypot(m1 - l1, u2 - m2)
    return m1 - m2, float(low), float(m1 - m2 + np.hypot(u1 - m1, m2 - l2))


def _known_later(days, happened, other_days, other_happened) -> int:
    """Pairs in which the first is known to be later: the other was there before, or as the first was still waiting."""
    arrived = np.sort(other_days[other_happened.astype(bool)])
    before = np.searchsorted(arrived, days, side="left")
    by_then = np.searchsorted(arrived, days, side="right")
    return int(np.where(happened.astype(bool), before, by_then).sum())


def _curve(durations, happened):
    """Times in order, how many got there at each, how many still waited just before, and the share that still does."""
    times, position, leaving = np.unique(np.asarray(durations), return_inverse=True, return_counts=True)
    events = np.bincount(position, np.asarray(happened, dtype=float), len(times))
    at_risk = len(position) - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    return times, events, at_risk, np.cumprod(1 - events / at_risk)
