"""How long does a step take, counting those who have not taken it yet?"""

import math

import numpy as np

from analysis.journeys.course import MICROSECONDS_PER_DAY


def days_until(durations: np.ndarray, converted: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Days by which these shares have converted, by Kaplan-Meier; NaN where the estimate never gets there.

    Durations in microseconds; of those who did not convert, for how long they were seen.
    """
    times, position, leaving = np.unique(durations, return_inverse=True, return_counts=True)
    converting = np.bincount(position, weights=converted, minlength=len(times))
    at_risk = len(durations) - np.concatenate([[0], np.cumsum(leaving)[:-1]]) if len(times) else np.empty(0)
    waiting = np.cumprod(1 - converting / at_risk)
    # the products of exact fractions are off by some 1e-16, and a half must count as a half
    first = [np.flatnonzero(waiting <= 1 - share + 1e-12) for share in shares]
    return [float(times[i[0]] / MICROSECONDS_PER_DAY) if len(i) else math.nan for i in first]
