"""What would be lost without a channel, if paths were a chain that remembers only where it is?"""

import numpy as np


def removal_effects(flows: np.ndarray, brought: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """What a path brings, a conversion or its value, and which part of that would be lost without each channel.

    Parameters
    ----------
    flows : array (…, k + 1, k + 2) of float64
        How often a path went from each of k channels, and last from the beginning, to each channel, to a conversion,
        to the end without one. Every channel that a path comes to is left as often.
    brought : array (…, k) of float64, optional
        Value of the conversions to which paths went from each channel. Default: each brings 1.

    Returns
    -------
    rate : array (…)
        The share of paths that convert, or the mean value of a path.
    effects : array (…, k)
        1 - P(conversion without the channel) / P(conversion), or the same of the value: whoever would come to the
        channel is lost. NaN where nobody converts.

    Notes
    -----
    With Q the chances to go from channel to channel, s those to begin at each, r those to convert from each (or the
    value that is brought), the chain's fundamental matrix is N = (I - Q)^-1 (Kemeny and Snell 1960, Finite Markov
    Chains): v = s N counts the visits to each channel on one path, h = N r is the chance to convert from each, P = s h.
    A path comes to channel i at all with chance v_i / N_ii, and converts from there with chance h_i: exactly what is
    lost without it is v_i h_i / N_ii. One inverse thus gives all effects. Whether a channel that follows itself is
    counted once or as often changes nothing: N counts the repeats in, N_ii takes them out.

    Examples
    --------
    >>> flows = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [2, 0, 0, 0.0]])  # start > a > b or conversion, b > half of both
    >>> removal_effects(flows)
    (np.float64(0.75), array([1.        , 0.33333333]))
    """
    k = flows.shape[-2] - 1
    left = flows.sum(axis=-1, keepdims=True)
    chance = np.divide(flows, left, out=np.zeros(flows.shape), where=left > 0)
    inverse = np.linalg.inv(np.eye(k) - chance[..., :k, :k])
    begin = chance[..., k, :k]
    visits = (begin[..., None, :] @ inverse)[..., 0, :]
    gain = chance[..., :k, k] if brought is None else over(brought, left[..., :k, 0])
    gains = (inverse @ np.nan_to_num(gain)[..., None])[..., 0]
    rate = (begin * gains).sum(axis=-1)
    lost = visits * gains / np.diagonal(inverse, axis1=-2, axis2=-1)
    return rate, over(lost, rate[..., None])


def over(part: np.ndarray, whole) -> np.ndarray:
    """Element by element part / whole; NaN where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
