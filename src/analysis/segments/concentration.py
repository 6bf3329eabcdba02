"""Which share of revenue do the best customers bring: does 80/20 hold here?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import Problem, require_columns


@dataclass(frozen=True)
class ParetoResult:
    """What the best customers bring.

    Attributes
    ----------
    share, low, high : float
        Revenue share of the top customers, with a 95 % bootstrap interval.
    curve : DataFrame
        Columns `customers` and `revenue`: cumulated shares, best customers first, at most about 200 points.
    gini : float
        0 when all bring the same, towards 1 when one brings all.
    n, best : int
        Customers, and how many of them count as the best.
    top, total : float
        Share counted as best; revenue of all.
    """

    share: float
    low: float
    high: float
    curve: pd.DataFrame
    gini: float
    n: int
    best: int
    top: float
    total: float


def pareto(profiles, value="total_spend", top=0.2, seed=0):
    """Share of all revenue that the best customers bring: does 80/20 hold here?

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        Customers who bought nothing count if they have a row; leave them out to ask about buyers only.
    value : str
        Column of amounts, in the base's currency. Negative amounts (more credited than bought) count as they are, so
        that the total is what the business took; the curve then rises above 1 before it comes back. Missing ones are
        left out.
    top : float
        Share of customers counted as best, between 0 and 1; their number is rounded up.
    seed : int
        For the bootstrap.

    Returns
    -------
    ParetoResult

    Raises
    ------
    Problem
        No such column, `top` outside 0 to 1, or no revenue to share.

    Notes
    -----
    Customers tied at the cut share its place in proportion, so the result does not depend on row order. The interval
    is a percentile bootstrap over customers. The 80/20 rule is Pareto's (1896) as popularised by Juran; CDNOW's sample
    gives 67.46 %. Gini from the ordered amounts: ``2 Σ i x_i / (n Σ x) - (n + 1) / n``.

    Examples
    --------
    >>> pareto(pd.DataFrame({"total_spend": [80, 5, 5, 5, 5]})).share
    0.8
    """
    require_columns("profiles", profiles.columns, [value])
    if not 0 < top < 1:
        raise Problem(f"top must lie between 0 and 1 (0.2 for the best fifth of customers), not {top}.")
    x = np.sort(profiles[value].dropna().to_numpy(dtype=float))[::-1]
    n, total = len(x), x.sum()
    if n == 0 or total <= 0:
        raise Problem(
            f'{value} adds up to {total:g} over {n} customers: there is no revenue to share. Is it "{value}"?'
        )
    best = int(np.ceil(round(top * n, 9)))
    cumulated = x.cumsum()
    low, high = np.quantile(_bootstrapped_shares(x, best, seed), [0.025, 0.975])
    points = np.unique(np.linspace(0, n, min(n, 200) + 1).round().astype(int))
    curve = pd.DataFrame({"customers": points / n, "revenue": np.concatenate([[0.0], cumulated])[points] / total})
    gini = 2 * (np.arange(1, n + 1) * x[::-1]).sum() / (n * total) - (n + 1) / n
    share = float(cumulated[best - 1] / total)
    return ParetoResult(share, float(low), float(high), curve, float(gini), n, best, top, round(float(total), 2))


def _bootstrapped_shares(x, best, seed):
    """Revenue shares of the `best` customers in resamples of amounts that are sorted, the largest first."""
    n, rng = len(x), np.random.default_rng(seed)
    shares = np.empty(int(np.clip(2.5e7 // n, 200, 1000)))  # fewer where the base is so large that they hardly differ
    for i in range(len(shares)):
        drawn = np.bincount(rng.integers(0, n, n), minlength=n)  # how often each customer was drawn: a multinomial
        places = np.diff(np.minimum(drawn.cumsum(), best), prepend=0)
        total = drawn @ x
        shares[i] = places @ x / total if total > 0 else np.nan
    return shares[np.isfinite(shares)]
