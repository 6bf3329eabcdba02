"""What rules whom to contact earn: the order in which customers come, profit by how many are contacted, and draws.

Takes what each rule expects of each customer and what their contact was worth. Gives the share of each customer that is
contacted, sums over draws of the customers, and how far one rule is ahead of another.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from analysis.evidence import holm
from analysis.segments.schemes import Expected

#: Draws of the customers. As many as let a p value of 0.001 be told, which two dozen comparisons need.
DRAWS = 2000

#: Numbers that are held in memory at once while drawing.
_AT_ONCE = 2e7

GAIN_COLUMNS = ["rule", "over", "gain", "low", "high", "p", "p_corrected", "clear"]


class Places(NamedTuple):
    """Where customers stand when those come first of whom most is expected.

    Attributes
    ----------
    begins, ends : arrays of float64, shape (customers,)
        Shares of all customers before each and up to each; those of whom the same is expected have the same.
    stop : array of float64, shape (customers,)
        Share of all customers at which contacting ends.
    """

    begins: np.ndarray
    ends: np.ndarray
    stop: np.ndarray


def places(expected: Expected, budget: float) -> Places:
    """Where each customer stands, and where contacting ends: at the budget, or where nothing more is expected.

    Examples
    --------
    >>> found = places(Expected(np.array([1.0, 5.0, 1.0, -2.0]), np.zeros(4)), budget=0.5)
    >>> found.begins.tolist(), found.ends.tolist(), found.stop.tolist()
    ([0.25, 0.0, 0.25, 0.75], [0.75, 0.25, 0.75, 1.0], [0.5, 0.5, 0.5, 0.5])
    """
    n = len(expected.profit)
    by = np.lexsort((-expected.order, -expected.profit))
    profit, order = expected.profit[by], expected.order[by]
    first = np.append(True, (np.diff(profit) != 0) | (order[1:] != order[:-1]))[:n]
    run = np.cumsum(first) - 1
    size = np.bincount(run)
    ends = np.cumsum(size)
    begin_of, end_of = np.empty(n), np.empty(n)
    begin_of[by], end_of[by] = ((ends - size) / n)[run], (ends / n)[run]
    stop = min(budget, np.count_nonzero(profit > 0) / n)
    return Places(begin_of, end_of, np.full(n, stop))


def share_contacted(of: Places, share: float | np.ndarray) -> np.ndarray:
    """Which part of each customer is contacted when a share of all is: 1, 0, or between for those at the cut."""
    return np.clip((share - of.begins) / (of.ends - of.begins), 0, 1)


def drawn(values: np.ndarray, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Sums over as many customers, drawn with replacement, again and again.

    Parameters
    ----------
    values : array of float64, shape (customers, columns)
    seed, draws : int

    Returns
    -------
    array of float64, shape (draws, columns)
    """
    n, rng = len(values), np.random.default_rng(seed)
    sums = np.empty((draws, values.shape[1]))
    size = int(np.clip(_AT_ONCE // n, 1, draws))
    with threadpool_limits(1):  # the same sums whatever the cores
        for start in range(0, draws, size):
            often = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(min(size, draws - start))]
            sums[start : start + size] = np.array(often, dtype=float) @ values
    return sums


def gains(profit: pd.Series, draws: pd.DataFrame, pairs: list[tuple[str, str]], confidence: float) -> pd.DataFrame:
    """How far one rule is ahead of another, for all pairs together.

    Parameters
    ----------
    profit : Series by rule
    draws : DataFrame, a column per rule: its profit in every draw
    pairs : list of (rule, other rule)
    confidence : float

    Returns
    -------
    DataFrame, one row per pair
        rule, over : str; gain, low, high : float; p, p_corrected : float; clear : bool, beyond chance.

    Notes
    -----
    p is twice the share of draws on the other side of nothing, with one more on either side (Davison and Hinkley 1997,
    Bootstrap Methods and their Application, section 4.2); two rules that choose alike have p = 1.
    """
    edges = (1 - confidence) / max(len(pairs), 1) / 2
    rows = []
    for rule, other in pairs:
        ahead = (draws[rule] - draws[other]).to_numpy()
        low, high = np.quantile(ahead, [edges, 1 - edges])
        least = min(np.count_nonzero(ahead <= 0), np.count_nonzero(ahead >= 0))
        p = min(2 * (least + 1) / (len(ahead) + 1), 1.0)
        rows.append((rule, other, profit[rule] - profit[other], low, high, p))
    table = pd.DataFrame(rows, columns=GAIN_COLUMNS[:6])
    table["p_corrected"] = holm(table["p"].to_numpy(dtype=float))
    beyond = (table["low"] > 0) | (table["high"] < 0)
    return table.assign(clear=(table["p_corrected"] < 1 - confidence) & beyond)
