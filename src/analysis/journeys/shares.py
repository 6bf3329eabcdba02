"""Shares of those who took a step, element by element, with their intervals and corrected differences."""

import numpy as np
import pandas as pd

from analysis import evidence

CONFIDENCE = 0.95
DIFFERENCE_COLUMNS = ["elsewhere", "difference", "difference_low", "difference_high", "p", "p_corrected"]


def ratio(k, n) -> np.ndarray:
    """Element by element k / n; NaN where n is 0 or missing."""
    k, n = np.asarray(k, dtype="float64"), np.asarray(n, dtype="float64")
    return np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)


def interval(k, n) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the share k / n, element by element; NaN where n is 0 or missing."""
    k, n = np.broadcast_arrays(np.asarray(k, dtype="float64"), np.asarray(n, dtype="float64"))
    low, high = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    known = n > 0
    if known.any():
        low[known], high[known] = evidence.share_interval(k[known], n[known], confidence=CONFIDENCE)
    return low, high


def with_corrected_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Adds `DIFFERENCE_COLUMNS` and differs, from k of n here and k_elsewhere of n_elsewhere elsewhere."""
    k, n, k_else, n_else = (table[c].astype("float64").to_numpy() for c in ("k", "n", "k_elsewhere", "n_elsewhere"))
    measured = np.flatnonzero((n > 0) & (n_else > 0))
    figures = np.full((len(table), 5), np.nan)
    if len(measured):
        counts = (x[measured] for x in (k, n, k_else, n_else))
        confidence = 1 - (1 - CONFIDENCE) / len(measured)
        figures[measured, :4] = np.column_stack(evidence.difference_of_shares(*counts, confidence=confidence))
        figures[measured, 4] = evidence.holm(figures[measured, 3])
    table = table.assign(elsewhere=ratio(k_else, n_else))
    table[["difference", "difference_low", "difference_high", "p", "p_corrected"]] = figures
    return table.assign(differs=figures[:, 4] < 1 - CONFIDENCE)


def weight_of_one(yes: np.ndarray, clusters: np.ndarray | None) -> float:
    """What one case counts for beside cases that are independent: 1, or less where cases of a cluster are alike.

    The inverse of the design effect: the variance of the share over clusters (linearised) against that of as many
    independent cases. Never above 1; where all or none did it, each cluster counts once.
    """
    n = len(yes)
    if clusters is None or not n:
        return 1.0
    codes = pd.factorize(clusters)[0]
    unknown = codes < 0  # of nobody known: a cluster of its own
    codes = np.where(unknown, codes.max(initial=-1) + np.cumsum(unknown), codes)
    size, k = np.bincount(codes), np.bincount(codes, weights=yes)
    share, m = yes.mean(), len(size)
    if m < 2 or share in (0, 1):
        return m / n
    apart = np.sort((k - share * size) ** 2)  # in order of value: the rows come in any order
    variance = apart.sum() * m / (m - 1) / n**2
    return float(min(share * (1 - share) / n / variance, 1.0)) if variance else 1.0
