"""How much do the moves of the same customers tell? Sums over customers, and the size that moves are worth."""

import narwhals as nw
import numpy as np
from scipy.special import stdtrit

#: What an interval needs of a share k / n whose cases come in groups: sums over the groups, and of products.
SUMS = ("k", "n", "kk", "kn", "nn")


def sums_of_groups() -> list[nw.Expr]:
    """Expressions for `SUMS` over rows that have k of n, one for each group."""
    k, n = nw.col("k"), nw.col("n")
    products = {"kk": k * k, "kn": k * n, "nn": n * n}
    return [k.sum(), n.sum(), *(product.sum().alias(name) for name, product in products.items())]


def effective_size(k, n, kk, kn, nn, confidence: float = 0.95) -> np.ndarray:
    """As many independent cases as would tell as much of a share k / n as these, which come in groups.

    Parameters
    ----------
    k, n, kk, kn, nn : arrays of float64
        Sums over the groups (customers) of the cases that have it, of all cases, and of the products of the two.
    confidence : float
        Between 0 and 1, of the interval that the size is for.

    Returns
    -------
    array of float64
        Between 0 and `n`; `n` where each group has a single case.

    Notes
    -----
    The variance of a ratio of two sums over groups, by linearisation (Cochran 1977, Sampling Techniques, 3rd ed.,
    section 6.3), gives the size at which a binomial share varies as much; with that size an interval made for
    independent cases may be used (Korn and Graubard 1998, Survey Methodology 24: their correction for few groups by
    Student's t included, and no size beyond `n`). Groups of unequal size count as n² / nn (Kish 1965, Survey Sampling).
    Where none or all have it, nothing varies, and the groups alone are the size.

    Examples
    --------
    Forty cases of four customers: as good as forty customers if each has every second, as four if each has all or none.

    >>> [round(float(effective_size(20.0, 40.0, kk, 200.0, 400.0)), 1) for kk in (100.0, 200.0)]
    [16.2, 1.6]
    """
    k, n, kk, kn, nn = (np.asarray(x, dtype="float64") for x in (k, n, kk, kn, nn))
    with np.errstate(invalid="ignore", divide="ignore"):
        share, groups = k / n, n**2 / nn
        spread = np.maximum(kk - 2 * share * kn + share**2 * nn, 0) / n**2
        size = np.fmin(np.where(spread > 0, share * (1 - share) / spread, n), n)
        size = np.where((share > 0) & (share < 1), size, groups)
        tail = (1 + confidence) / 2
        few = stdtrit(np.maximum(n - 1, 1e-6), tail) / stdtrit(np.maximum(groups - 1, 1e-6), tail)
        size = size * np.where(n > groups, few**2, 1)
        return np.where((n > 0) & (size > 1e-6), size, 0.0)  # of one customer's many moves nothing follows for others


def share_of_customers(k: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """The share of cases that have it, and the size that its cases are worth, from one k of n for each customer."""
    k, n = np.asarray(k, dtype="float64"), np.asarray(n, dtype="float64")
    total = n.sum()
    if not total:
        return np.nan, 0.0
    return k.sum() / total, float(effective_size(k.sum(), total, k @ k, k @ n, n @ n))
