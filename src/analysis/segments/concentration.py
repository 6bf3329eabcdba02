"""Which share of revenue do the best customers bring: does 80/20 hold here?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import Problem, require_columns
from analysis.phrases import phrase

#: Bootstrap draws of each figure.
DRAWS = 1000

#: In large bases so many customers are drawn one by one, and those behind them in so many groups of nearly equal
#: amounts, which moves the bounds of a hundred thousand by less than 0.001 and takes a second instead of minutes.
LARGEST, GROUPS = 1000, 4000


@dataclass(frozen=True)
class ParetoResult:
    """What the best customers bring.

    Attributes
    ----------
    share, low, high : float
        Revenue share of the top customers, with a 95 % bootstrap interval.
    gini, gini_low, gini_high : float
        0 when all bring the same, towards 1 when one brings all, with its interval.
    curve : DataFrame
        Columns `customers` and `revenue`: cumulated shares, best customers first, at most about 200 points.
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
    gini_low: float
    gini_high: float
    n: int
    best: int
    top: float
    total: float

    @property
    def verdict(self) -> str:
        """Whether the rule of 80/20 holds, in words; it speaks of the best fifth, and of no other share."""
        if self.top != 0.2:
            return phrase("the rule of 80/20 speaks of the best 20 %")
        if self.low >= 0.8:
            return phrase("the rule of 80/20 holds here")
        if self.high < 0.8:
            return phrase("less concentrated than the rule of 80/20 says")
        return phrase("the rule of 80/20 may hold here")


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
    Customers tied at the cut share its place in proportion, so the result does not depend on row order. The 80/20 rule
    is Pareto's (1896) as popularised by Juran; CDNOW's sample gives 67.46 %. Gini from the ordered amounts:
    ``Σ (2i - 1) x_i / (n Σ x) - 1``.

    The intervals are studentised bootstraps over customers (Efron 1982, "The Jackknife, the Bootstrap and Other
    Resampling Plans"), each draw divided by its own standard error from the influence function of the figure, and never
    narrower than the percentiles of the draws, which a handful of customers needs. Giants that a sample has not met
    make every such interval too short where the spread is wild. Simulated with lognormal amounts of a spread (sigma) of
    1, 1.5 and 2, 95 % promised: of 500 customers 95, 95 and 92 % hold the true share (percentiles alone: 92, 88 and 82)
    and 96, 93 and 88 % the true Gini; of 5,000, with 1.5 and 2, 97 and 97 % (93 and 85), and 98 and 93 %. Where an
    interval misses, the truth mostly lies above.

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
    best, cumulated = int(np.ceil(round(top * n, 9))), x.cumsum()
    points = np.unique(np.linspace(0, n, min(n, 200) + 1).round().astype(int))
    curve = pd.DataFrame({"customers": points / n, "revenue": np.concatenate([[0.0], cumulated])[points] / total})
    (share, low, high), (gini, gini_low, gini_high) = _with_intervals(x, best, seed)
    most = 1.0 if x[-1] >= 0 else np.inf  # credit notes let the best bring more than the whole
    low, high = max(low, best / n), min(high, most)
    gini_low, gini_high = max(gini_low, 0.0), min(gini_high, most)
    return ParetoResult(
        share, low, high, curve, gini, gini_low, gini_high, n, best, top, round(float(total), 2)
    )  # fmt: skip


def _with_intervals(x, best, seed):
    """Share of the `best` customers and Gini, each with its interval, from amounts sorted the largest first."""
    amounts, customers = _in_groups(x)
    n, rng = len(x), np.random.default_rng(seed)
    found = _figures(amounts, customers, best)
    batches = (rng.multinomial(n, customers / n, size=DRAWS // 20) for _ in range(20))  # all at once take gigabytes
    drawn = np.concatenate([_figures(amounts, batch, best) for batch in batches], axis=2)
    return [_interval(*found[i], *drawn[i]) for i in (0, 1)]


def _interval(figure, error, drawn, errors):
    """A figure and its bounds from draws of it with their standard errors."""
    known = np.isfinite(drawn)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.sort(np.nan_to_num((drawn[known] - figure) / errors[known], nan=0.0, posinf=np.inf, neginf=-np.inf))
        low, high = figure - error * t[[int(0.975 * len(t)), int(0.025 * len(t))]]
    # a handful of customers, or few different amounts, may leave a draw or the sample without a standard error
    least, most = np.quantile(drawn[known], [0.025, 0.975])
    return float(figure), float(np.fmin(low, least)), float(np.fmax(high, most))


def _in_groups(x):
    """Amounts, and how many customers have each: those behind the largest are put in groups of nearly the same."""
    single, groups = LARGEST, GROUPS
    if len(x) <= single + groups:
        return x, np.ones(len(x))
    starts = np.concatenate([np.arange(single), np.linspace(single, len(x), groups, endpoint=False).astype(int)])
    customers = np.diff(starts, append=len(x))
    return np.add.reduceat(x, starts) / customers, customers.astype(float)


def _figures(x, customers, best):
    """Share of the best and Gini of amounts that so many customers have, each with its standard error.

    `customers` may have an axis of draws before the last; the answer has figures, figure and error, and the draws.

    The influence of an amount on the share S is ``(max(x - q, 0) + c - S x) / mean`` with the amount q at the cut and
    a constant c, on the Gini G ``(2 x F(x) + 2 Σ_{y > x} y / n - (G + 1) (x + mean)) / mean``; the standard error is
    the root of their mean square over the root of n.
    """
    n, cumulated, total = customers.sum(axis=-1)[..., None], customers.cumsum(axis=-1), customers @ x
    total = np.where(total > 0, total, np.nan)[..., None]  # a draw of nothing but credit notes has no shares
    in_order = (customers * x).cumsum(axis=-1)
    share = np.diff(np.minimum(cumulated, best), prepend=0, axis=-1) @ x / total[..., 0]
    below = 1 - (cumulated - customers / 2) / n
    gini = 2 * (customers * x * below).sum(axis=-1) / total[..., 0] - 1
    cut = x[(cumulated >= best).argmax(axis=-1)]
    of_share = np.maximum(x - cut[..., None], 0) - share[..., None] * x
    of_gini = 2 * x * below + 2 * (in_order - customers * x / 2) / n - (gini[..., None] + 1) * x
    errors = [_error(influence, customers, n, total) for influence in (of_share, of_gini)]
    return np.array([[share, errors[0]], [gini, errors[1]]])


def _error(influence, customers, n, total):
    """Standard error of a figure whose influence is so large, but for a constant, per customer and times the mean."""
    mean = (customers * influence).sum(axis=-1)[..., None] / n
    return np.sqrt((customers * (influence - mean) ** 2).sum(axis=-1)) / total[..., 0]
