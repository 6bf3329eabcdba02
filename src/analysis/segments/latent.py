"""Latent classes: groups within which features are independent, for numbers, categories and shares together.

Each customer belongs to one of k unseen classes; within a class a number is normal, a category has its own shares, and
what was bought is drawn from the class's own mix (Lazarsfeld and Henry 1968, Latent Structure Analysis; Vermunt and
Magidson 2002, Latent class cluster analysis). What is not known of a customer says nothing, instead of being filled in,
and the mix of somebody who bought once weighs less than that of somebody who bought fifty times.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.segments.features import Feature, Features, alike, counted, indicators, shares_of, standardised

#: Starts that are followed a little way together; the best of them are followed to the end.
STARTS, FEW_STARTS, KEPT, SHORT, LONG = 16, 6, 2, 12, 150

#: A class is as if it had seen so many average customers before: none has a chance of nothing for anything.
PRIOR = 2.0
#: No class is narrower in a number than this share of the variance: a class of equal values would explain everything.
NARROWEST = 0.05
#: The likelihood has settled when it grows by less than this per customer.
SETTLED = 1e-4


def block(profiles: pd.DataFrame, feature: Feature) -> np.ndarray:
    """What is known of each customer of a feature, as the columns in which a class's likelihood is linear.

    Returns
    -------
    array of float64, shape (customers, columns)
        Of a number: known (1 or 0), value, square; of a category an indicator per level; of shares the purchases per
        value, as many as they count for.
    """
    if feature.kind == "category":
        return indicators(profiles[feature.name], feature)
    if feature.kind == "shares":
        shares, n = shares_of(profiles, feature)
        return np.nan_to_num(shares) * counted(n, feature.alike)[:, None]
    x = standardised(profiles[feature.name], feature)
    return np.column_stack([~np.isnan(x), np.nan_to_num(x), np.nan_to_num(x) ** 2]).astype(float)


def fitted(
    known: np.ndarray, features: Features, places: Sequence[slice], k: int, seed: int, starts: int = STARTS
) -> tuple[np.ndarray, np.ndarray]:
    """The k classes that make what is known likeliest.

    Parameters
    ----------
    known : array of float64, shape (customers, columns), the blocks of the features side by side
    features : Features
    places : sequence of slice, the columns of each feature
    k, seed, starts : int

    Returns
    -------
    weights : array of float64, shape (columns, k)
    constants : array of float64, shape (k,)
        The log likelihood of a customer in a class, up to what is the same for all classes, is
        ``columns @ weights + constants``.

    Notes
    -----
    Expectation and maximisation (Dempster, Laird and Rubin 1977, JRSS B 39:1) from random starts.
    """
    rng = np.random.default_rng([seed, k])
    n, typical = len(known), known.mean(axis=0)
    begins = rng.choice(n, (starts, k)) if k * 3 > n else np.array([rng.permutation(n)[:k] for _ in range(starts)])
    # Each start takes k customers as its classes, softened towards the average customer.
    softened = (known[begin] * 5 + typical * 5 for begin in begins)
    tens = np.full(k, 10.0)
    ways = [
        _followed(known, features, places, _classes(sums, tens, typical, features, places), SHORT) for sums in softened
    ]
    best = sorted(ways, key=lambda way: -way[0])[:KEPT]
    ended = [_followed(known, features, places, parameters, LONG) for _, parameters in best]
    return max(ended, key=lambda way: way[0])[1]


def log_likelihoods(columns: np.ndarray, weights: np.ndarray, constants: np.ndarray) -> np.ndarray:
    """Log likelihood of each customer in each class, shape (customers, k), up to a term of the customer's own."""
    return columns @ weights + constants


def within_classes(profiles: pd.DataFrame, features: Features, belonging: np.ndarray) -> Features:
    """The features, with purchases of one customer as alike as they are within classes, no longer within everybody."""
    renewed = []
    for feature in features.features:
        if feature.kind == "shares":
            shares, n = shares_of(profiles, feature)
            n = np.where(np.isnan(shares[:, 0]), 0.0, n)
            total = belonging.T @ (np.nan_to_num(shares) * n[:, None])
            means = total / np.maximum(total.sum(axis=1, keepdims=True), 1e-9)
            feature = replace(feature, alike=alike(shares, n, belonging, means))
        renewed.append(feature)
    return replace(features, features=tuple(renewed))


def _followed(
    known: np.ndarray, features: Features, places: Sequence[slice], parameters: tuple, steps: int
) -> tuple[float, tuple]:
    """Parameters after at most so many steps, and their log likelihood per customer."""
    typical, last = known.mean(axis=0), -np.inf
    for _ in range(steps):
        logs = log_likelihoods(known, *parameters)
        highest = logs.max(axis=1, keepdims=True)
        belonging = np.exp(logs - highest)
        sums = belonging.sum(axis=1, keepdims=True)
        total = float((highest + np.log(sums)).mean())
        if total - last < SETTLED:
            break
        last = total
        belonging /= sums
        parameters = _classes(belonging.T @ known, belonging.sum(axis=0), typical, features, places)
    return last, parameters


def _classes(
    sums: np.ndarray, sizes: np.ndarray, typical: np.ndarray, features: Features, places: Sequence[slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of classes from the sums of their members' columns."""
    weights = np.zeros_like(sums)
    constants = np.log(sizes + PRIOR) - np.log(sizes.sum() + PRIOR * len(sizes))
    for feature, place in zip(features.features, places, strict=True):
        own, usual = sums[:, place], typical[place]
        if feature.kind == "number":
            usual = usual / max(usual[0], 1e-12)  # of those of whom it is known
            n = own[:, 0] + PRIOR
            mean = (own[:, 1] + PRIOR * usual[1]) / n
            variance = np.maximum((own[:, 2] + PRIOR * usual[2]) / n - mean**2, NARROWEST)
            weights[:, place] = np.column_stack(
                [-0.5 * (mean**2 / variance + np.log(variance)), mean / variance, -0.5 / variance]
            )
        else:
            shares = own + PRIOR * usual / max(usual.sum(), 1e-12) + 1e-9
            weights[:, place] = np.log(shares / shares.sum(axis=1, keepdims=True))
    return weights.T, constants
