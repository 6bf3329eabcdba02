"""Ways to find k groups: each ends in prototypes, by which anybody, also next month's customer, can be given a group.

A prototype scores a customer by a sum over what is known of them, linear and square; the group of the prototype with
the highest score is theirs. That is a squared distance turned round for k-means, k-prototypes and HDBSCAN, and a log
likelihood for the Gaussian mixture and the latent classes, so that one rule serves them all, here and in a database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from analysis.errors import Problem, did_you_mean
from analysis.segments import latent
from analysis.segments.features import Features, indicators, shares_of, shrunken, standardised

#: Components that hold this share of the variance are kept for mixtures and densities, which fail in many dimensions.
KEPT_VARIANCE = 0.8
#: Prototypes with which the shape of one dense group is drawn, and the least share of customers that is called dense.
SHAPE, LEAST_DENSE = 4, 0.02


@dataclass(frozen=True)
class Measured:
    """Customers as a method sees them.

    Attributes
    ----------
    profiles : DataFrame, one row per customer
    features : Features
    values : array of float64, shape (customers, columns)
    places : tuple of slice, the columns of each feature
    """

    profiles: pd.DataFrame
    features: Features
    values: np.ndarray
    places: tuple[slice, ...]

    def rows(self, which: np.ndarray) -> "Measured":
        return Measured(self.profiles.iloc[which], self.features, self.values[which], self.places)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Prototypes:
    """What gives a customer a group.

    Attributes
    ----------
    linear, square : array of float64, shape (columns, prototypes)
    constant : array of float64, shape (prototypes,)
    group : array of int, shape (prototypes,), from 0
    axes : array of float64, shape (measured columns, columns), or None
        Principal axes on which customers are laid before they are scored.
    chances : bool
        Whether scores are log likelihoods; else they are squared distances turned round.
    features : Features
        As the groups were formed by them.
    """

    linear: np.ndarray
    square: np.ndarray
    constant: np.ndarray
    group: np.ndarray
    chances: bool
    features: Features
    axes: np.ndarray | None = None

    def scores(self, values: np.ndarray) -> np.ndarray:
        """How well each customer fits each group, shape (customers, groups): the higher the better."""
        x = values if self.axes is None else values @ self.axes
        of_prototypes = x @ self.linear + (x * x) @ self.square + self.constant
        groups = np.arange(self.group.max() + 1)
        return np.column_stack([of_prototypes[:, self.group == g].max(axis=1) for g in groups])


def labels_and_fit(scores: np.ndarray, chances: bool) -> tuple[np.ndarray, np.ndarray]:
    """The group of each customer, from 0, and how much better they fit it than the next: 1 wholly, 0 no better.

    Notes
    -----
    1 less the distance to the own prototype over that to the next, the simplified silhouette of one customer; where
    scores are log likelihoods, 1 less the chance of the next group over that of the own. NaN where there is one group.
    """
    label = scores.argmax(axis=1)
    if scores.shape[1] == 1:
        return label, np.full(len(label), np.nan)
    own, other = -np.sort(-scores, axis=1)[:, :2].T
    if chances:
        return label, (1 - np.exp(other - own)).round(6)
    own, other = (np.sqrt(np.maximum(-score, 0)) for score in (own, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        return label, np.where(other > 0, 1 - own / other, 0.0).round(6)


def measured(profiles: pd.DataFrame, features: Features, method: str) -> Measured:
    """The customers as a method sees them: what is known, or how far from the average on comparable scales."""
    read = latent.block if method == "latent classes" else _comparable
    blocks = [read(profiles, feature) for feature in features.features]
    ends = np.cumsum([0, *(block.shape[1] for block in blocks)])
    places = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))
    return Measured(profiles, features, np.hstack(blocks) if blocks else np.zeros((len(profiles), 0)), places)


def _comparable(profiles: pd.DataFrame, feature) -> np.ndarray:
    """Deviations from the average such that no feature weighs more for having more columns; 0 where not known."""
    if feature.kind == "number":
        return np.nan_to_num(standardised(profiles[feature.name], feature))[:, None]
    if feature.kind == "shares":
        return shrunken(profiles, feature) / feature.spread
    has = indicators(profiles[feature.name], feature)
    return (has - np.array(feature.centre)) * has.sum(axis=1, keepdims=True) / feature.spread


def known_of(profiles: pd.DataFrame, features: Features) -> np.ndarray:
    """Whether anything is known of each customer that groups are formed by; shape (customers,), bool."""
    known = np.full(len(profiles), not len(features))  # with nothing to tell them apart by, all are alike
    for feature in features.features:
        if feature.kind == "shares":
            known |= ~np.isnan(shares_of(profiles, feature)[0][:, 0])
        else:
            known |= profiles[feature.name].notna().to_numpy()
    return known


def method_for(features: Features) -> str:
    """k-means for numbers alone, latent classes where there are categories or shares.

    Examples
    --------
    >>> method_for(Features(()))
    'k-means'
    """
    return "k-means" if features.numbers_only else "latent classes"


def fitted(data: Measured, method: str, k: int, seed: int, thorough: bool = True) -> Prototypes:
    """Prototypes of k groups by a method; of fewer where customers do not differ enough."""
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise Problem(
            f'There is no method "{method}" to form groups.{did_you_mean(method, METHODS)} There are: {known}.'
        )
    if k == 1 or len(data) < 2 or data.values.shape[1] == 0:
        p = data.values.shape[1]
        return Prototypes(np.zeros((p, 1)), np.zeros((p, 1)), np.zeros(1), np.zeros(1, dtype=int), False, data.features)
    return METHODS[method](data, k, seed, thorough)


def _k_means(data: Measured, k: int, seed: int, thorough: bool) -> Prototypes:
    model = KMeans(k, n_init=20 if thorough else 3, random_state=seed).fit(data.values)
    return _nearest(model.cluster_centers_, np.arange(k), data.features)


def _nearest(centres: np.ndarray, group: np.ndarray, features: Features, axes=None) -> Prototypes:
    """The nearest centre: the squared distance, turned round."""
    centres = centres.T
    return Prototypes(2 * centres, -np.ones_like(centres), -(centres**2).sum(axis=0), group, False, features, axes)


def _k_prototypes(data: Measured, k: int, seed: int, thorough: bool) -> Prototypes:
    """As k-means, but a prototype has one level of each category, its commonest (Huang 1998, DMKD 2:283)."""
    rng, x = np.random.default_rng([seed, k]), data.values
    ways = []
    for _ in range(20 if thorough else 4):
        centres = x[rng.choice(len(x), k, replace=False)]
        for _ in range(60):
            distance = (centres**2).sum(axis=1) - 2 * x @ centres.T
            label = distance.argmin(axis=1)
            moved = np.array([_prototype(data, label == g, centres[g]) for g in range(k)])
            if np.allclose(moved, centres):
                break
            centres = moved
        ways.append((distance.min(axis=1).sum(), centres))
    centres = min(ways, key=lambda way: way[0])[1]
    return _nearest(centres, np.arange(k), data.features)


def _prototype(data: Measured, members: np.ndarray, before: np.ndarray) -> np.ndarray:
    if not members.any():
        return before
    centre = data.values[members].mean(axis=0)
    for feature, place in zip(data.features.features, data.places, strict=True):
        if feature.kind == "category":
            shares = np.array(feature.centre)
            level = (centre[place] * feature.spread + shares).argmax()
            centre[place] = (np.eye(len(shares))[level] - shares) / feature.spread
    return centre


def _gaussian_mixture(data: Measured, k: int, seed: int, thorough: bool) -> Prototypes:
    axes = _axes(data.values)
    model = GaussianMixture(
        k, covariance_type="diag", n_init=8 if thorough else 2, reg_covar=1e-3, random_state=seed, max_iter=200
    ).fit(data.values @ axes)
    mean, variance = model.means_.T, model.covariances_.T
    constant = np.log(model.weights_) - 0.5 * (mean**2 / variance + np.log(variance)).sum(axis=0)
    return Prototypes(mean / variance, -0.5 / variance, constant, np.arange(k), True, data.features, axes)


def _axes(x: np.ndarray) -> np.ndarray:
    """Principal axes that hold most of the variance, each pointing where its largest weight is positive."""
    axes = PCA(KEPT_VARIANCE, svd_solver="full").fit(x).components_.T
    return axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])


def _hdbscan(data: Measured, k: int, seed: int, thorough: bool) -> Prototypes:
    """Dense groups (Campello, Moulavi and Sander 2013), each drawn by a few prototypes; k counts for nothing."""
    axes = _axes(data.values)
    x = data.values @ axes
    label = HDBSCAN(min_cluster_size=max(10, int(LEAST_DENSE * len(x))), copy=True).fit_predict(x)
    found = sorted(set(label) - {-1})
    if len(found) < 2:
        return fitted(data, "k-means", 1, seed)
    shapes = [_shape(x[label == g], seed) for g in found]
    group = np.repeat(np.arange(len(found)), [len(s) for s in shapes])
    return _nearest(np.vstack(shapes), group, data.features, axes)


def _shape(members: np.ndarray, seed: int) -> np.ndarray:
    n = min(SHAPE, len(np.unique(members, axis=0)))
    return KMeans(n, n_init=3, random_state=seed).fit(members).cluster_centers_


def _latent_classes(data: Measured, k: int, seed: int, thorough: bool) -> Prototypes:
    starts = latent.STARTS if thorough else latent.FEW_STARTS
    weights, constant = latent.fitted(data.values, data.features, data.places, k, seed, starts)
    if thorough and any(f.kind == "shares" for f in data.features.features):
        belonging = softmax(latent.log_likelihoods(data.values, weights, constant), axis=1)
        features = latent.within_classes(data.profiles, data.features, belonging)
        data = measured(data.profiles, features, "latent classes")
        weights, constant = latent.fitted(data.values, features, data.places, k, seed, starts)
    return Prototypes(weights, np.zeros_like(weights), constant, np.arange(k), True, data.features)


METHODS: dict[str, Callable[[Measured, int, int, bool], Prototypes]] = {
    "k-means": _k_means,
    "latent classes": _latent_classes,
    "k-prototypes": _k_prototypes,
    "gaussian mixture": _gaussian_mixture,
    "hdbscan": _hdbscan,
}

#: Methods whose groups have likelihoods.
WITH_CHANCES = ("latent classes", "gaussian mixture")
