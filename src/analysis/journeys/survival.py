"""Between which times does the median of a wait lie, if not all have been seen to its end?"""

import numpy as np
from scipy.special import ndtri


def median_interval(durations, ended, confidence: float = 0.95) -> tuple[float, float]:
    """Between which durations does the median lie?

    Parameters
    ----------
    durations : array of numbers, in any unit
        How long each wait was; of those not ended, for how long they were seen.
    ended : array of bool
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        In the unit of the durations; NaN where the estimate never gets there.

    Notes
    -----
    All times at which half may still wait, by Greenwood's variance of Kaplan and Meier's curve on the scale of
    log(-log): Brookmeyer and Crowley (1982), Biometrics 38:29, with the transformation of Kalbfleisch and Prentice.

    Examples
    --------
    >>> median_interval(range(1, 21), [True] * 20)
    (5.0, 15.0)
    """
    times, position, leaving = np.unique(np.asarray(durations), return_inverse=True, return_counts=True)
    ending = np.bincount(position, weights=np.asarray(ended, dtype=float), minlength=len(times))
    at_risk = len(position) - np.concatenate([[0], np.cumsum(leaving)[:-1]]) if len(times) else np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        waiting = np.cumprod(1 - ending / at_risk)
        log = np.log(waiting)
        error = np.sqrt(np.cumsum(ending / (at_risk * (at_risk - ending)))) / np.abs(log)
        reach = ndtri((1 + confidence) / 2) * error
        least, most = waiting ** np.exp(reach), waiting ** np.exp(-reach)
    # before the first end all wait surely, after the last of all none do
    least, most = (np.where(waiting <= 0, 0.0, np.where(waiting >= 1, 1.0, x)) for x in (least, most))
    bounds = [np.flatnonzero(x <= 0.5 + 1e-12) for x in (least, most)]
    low, high = (float(times[b[0]]) if len(b) else np.nan for b in bounds)
    return low, high
