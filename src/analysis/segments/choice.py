"""How many groups are there, if any? Found again in resamples, and more than customers of one kind would give.

`choose_k` takes profiles and gives a row per number of groups: how alike the groups come out when the customers are
drawn again, how far apart they are, and how much more they explain than in customers without groups whose features are
spread and go together as here. One group is a possible answer.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logsumexp, ndtr, ndtri
from sklearn.isotonic import isotonic_regression
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from threadpoolctl import threadpool_limits

from analysis.evidence import of_buyers
from analysis.segments.features import (
    Feature,
    Features,
    counted,
    features,
    indicators,
    is_apart,
    shares_of,
    standardised,
)
from analysis.segments.methods import (
    METHODS,
    WITH_CHANCES,
    Measured,
    Prototypes,
    fitted,
    known_of,
    labels_and_fit,
    measured,
    method_for,
)

#: Customers on whom the number of groups is tried, and how often.
TRIAL_SIZE = 3000
RESAMPLES = 10
REFERENCES = 6
FEWEST_PER_GROUP = 10
WORKERS = 2

#: Structure must explain this much more than the references without structure do (as a share of all there is to
#: explain), and by this many of their standard deviations, at one number of groups or more.
LEAST_EXCESS = 0.03
LEAST_DEVIATIONS = 4.0

#: "Clusters with a stability below 0.75 should not be trusted" (Hennig 2007, Computational Statistics 52:258).
STABLE = 0.75

#: After so many numbers of groups in a row that are not found again, larger ones are not tried.
GIVEN_UP = 3

#: Of stable numbers of groups that go as far beyond the reference, or hardly less far, the smallest is taken.
NEARLY = 0.99

#: Steps of a number of few values, with those between them that nobody has.
MOST_STEPS = 300

CHOICE_COLUMNS = [
    "k", "stability", "low", "high", "silhouette", "silhouette_low", "silhouette_high", "smallest", "explained",
    "excess", "beats_reference",
]  # fmt: skip


@threadpool_limits.wrap(limits=1)  # many small fits: threads that wait for each other take 17 times as long
def choose_k(
    profiles: pd.DataFrame,
    by: Features | Sequence[str] = (),
    method: str = "",
    ks: Sequence[int] = range(2, 11),
    seed: int = 0,
) -> pd.DataFrame:
    """How many groups do the data support? One is a possible answer.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    by : Features, or families or columns as for :func:`features`
    method : str
        Of `METHODS`; left out, k-means for numbers alone, else latent classes.
    ks : sequence of int
        Numbers of groups to try.
    seed : int
        Of the starts; which customers are tried does not depend on it.

    Returns
    -------
    DataFrame, one row per k, beginning with 1
        k : int.
        stability, low, high : float in [-1, 1]
            Mean adjusted Rand index of groupings formed on resamples of the customers (1: the same groups), and the
            range of 95 % of the pairs.
        silhouette, silhouette_low, silhouette_high : float in [-1, 1]
            How much nearer to the own group than to the next, on at most 1,000 customers, with its 95 % interval.
        smallest : float, share of the smallest group.
        explained : float, share of what tells customers apart that the groups explain, all features counting alike.
        excess : float, what they explain beyond data without structure.
        beats_reference : bool, by at least `LEAST_EXCESS` and `LEAST_DEVIATIONS` standard deviations of the reference.
        chosen : bool, True for one k: of those that are stable and beat the reference the one that goes
            furthest beyond it (of nearly equals the smallest); 1 where there are none.

    Notes
    -----
    Stability by the bootstrap (Hennig 2007, Computational Statistics 52:258; Fang and Wang 2012, Computational
    Statistics 56:468), agreement after Hubert and Arabie (1985). The reference extends the gap statistic (Tibshirani,
    Walther and Hastie 2001, JRSS B 63:411): its numbers have the nearest distributions with a single hump, its
    categories the shares of the base, both together their rank correlations (a Gaussian copula), and its purchases are
    drawn for each customer from one Dirichlet-multinomial.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(-4, 1, (60, 2)), rng.normal(4, 1, (60, 2))])
    >>> profiles = pd.DataFrame(x, columns=["a", "b"]).assign(customer_id=range(120))
    >>> choose_k(profiles, ["a", "b"], ks=[2, 3]).query("chosen")["k"].item()
    2
    """
    by = by if isinstance(by, Features) else features(profiles, by)
    method = method or method_for(by)
    data = _trial_customers(profiles, by, method)
    ks = [k for k in ks if k >= 2 and k * FEWEST_PER_GROUP <= len(data) and k < len(np.unique(data.values, axis=0))]
    ks = ks[:1] if method == "hdbscan" else ks  # it finds a number of its own
    rows = [{"k": 1, "smallest": 1.0}]
    bench = _bench(_settled(data, method, seed), by, method) if ks else None
    for k in sorted(ks):
        rows.append(_trial(bench, method, k, seed))
        if all(row["stability"] < STABLE for row in rows[-GIVEN_UP:] if row["k"] > 1) and len(rows) > GIVEN_UP:
            break
    table = pd.DataFrame(rows, columns=CHOICE_COLUMNS).drop_duplicates("k").round(4)
    table["beats_reference"] = table["beats_reference"].eq(True)
    return table.assign(chosen=table["k"] == _elected(table))


def _trial_customers(profiles: pd.DataFrame, by: Features, method: str) -> Measured:
    """The same customers for every seed, so that it is not the seed that decides on the number of groups."""
    profiles = of_buyers(profiles.sort_values("customer_id", ignore_index=True))
    known = np.flatnonzero(known_of(profiles, by) & ~is_apart(profiles))
    rng = np.random.default_rng(len(known))
    which = np.sort(rng.choice(known, min(TRIAL_SIZE, len(known)), replace=False))
    return measured(profiles.iloc[which].reset_index(drop=True), by, method)


def _settled(data: Measured, method: str, seed: int) -> Measured:
    """The customers measured as the groups will measure them: purchases weighed as within groups."""
    middle = fitted(data, method, min(6, len(data) // FEWEST_PER_GROUP), seed)
    return measured(data.profiles, middle.features, method)


def _formed(data: Measured, of: Measured, method: str, k: int, seed: int) -> tuple[np.ndarray, Prototypes]:
    """Groups of customers `of`, and what gives them, formed by `data`."""
    found = fitted(data, method, k, seed, thorough=False)
    return labels_and_fit(found.scores(of.values), found.chances)[0], found


class _Bench(NamedTuple):
    """What every number of groups is tried on: customers, customers of one kind, and what one group makes of each.

    Attributes
    ----------
    data : Measured
    one_kind : list of Measured
    alone : list of float, mean log likelihood of one group, of `data` first; NaN where groups have none
    near : array of float64, shape (at most 1,000, columns): places of customers, for the silhouette
    """

    data: Measured
    one_kind: list[Measured]
    alone: list[float]
    near: np.ndarray


def _bench(data: Measured, by: Features, method: str) -> _Bench:
    one_kind = _customers_of_one_kind(data, by, method)
    alone = [_likelihood(d, METHODS[method](d, 1, 0, False)) if method in WITH_CHANCES else np.nan
             for d in (data, *one_kind)]  # fmt: skip
    near = measured(data.profiles.iloc[:1000], data.features, "k-means").values
    return _Bench(data, one_kind, alone, near)


def _trial(bench: _Bench, method: str, k: int, seed: int) -> dict:
    """Stability, separation, smallest group and what is explained by k groups."""
    rng, data = np.random.default_rng([seed, k]), bench.data
    drawn = [data.rows(rng.integers(0, len(data), len(data))) for _ in range(RESAMPLES)]
    asked = [(data, data, seed), *((d, data, seed + 1 + i) for i, d in enumerate(drawn))]
    asked += [(other, other, seed) for other in bench.one_kind]
    with ThreadPoolExecutor(WORKERS) as workers:  # the fits are NumPy's, which lets threads run beside each other
        own, *others = workers.map(lambda of: _formed(of[0], of[1], method, k, of[2]), asked)
    labels, again = own[0], [label for label, _ in others[:RESAMPLES]]
    agreement = [adjusted_rand_score(a, b) for a, b in pairwise([*again, again[0]])]
    low, high = np.quantile(agreement, [0.025, 0.975])
    judged = zip((data, *bench.one_kind), (own, *others[RESAMPLES:]), bench.alone, strict=True)
    explained, *reference = (explained_share(of, *formed, alone) for of, formed, alone in judged)
    excess = explained - np.mean(reference)
    sure = excess > LEAST_DEVIATIONS * np.std(reference, ddof=1)
    return {
        "k": len(np.unique(labels)) if method == "hdbscan" else k,
        "stability": np.mean(agreement),
        "low": low,
        "high": high,
        **_silhouette(bench.near, labels[: len(bench.near)]),
        "smallest": np.bincount(labels, minlength=k).min() / len(labels),
        "explained": explained,
        "excess": excess,
        "beats_reference": bool(sure and excess >= LEAST_EXCESS),
    }


def _silhouette(x: np.ndarray, labels: np.ndarray) -> dict:
    if len(np.unique(labels)) < 2:
        return {}
    of_each = silhouette_samples(x, labels)
    error = 1.96 * of_each.std(ddof=1) / np.sqrt(len(of_each))
    mean = of_each.mean()
    return {"silhouette": mean, "silhouette_low": mean - error, "silhouette_high": mean + error}


def explained_share(data: Measured, labels: np.ndarray, found: Prototypes, alone: float) -> float:
    """Share of what tells customers apart that groups explain, all features counting alike.

    `alone` is the mean log likelihood of one group, where groups have likelihoods.

    Notes
    -----
    Where groups have likelihoods, ``1 - exp(-2 g / f)`` for f features and a gain g in log likelihood per customer over
    one group (Maddala 1983, Limited-Dependent and Qualitative Variables): for normal numbers about the share of the
    variance, less for what it costs to tell the groups.
    Else the mean over features of the share of variance (eta squared), of a category Goodman and Kruskal's tau, of
    shares that of what was bought, purchase by purchase; always among those of whom it is known.
    """
    if not found.chances:
        return float(np.mean([_explained(data.profiles, feature, labels) for feature in data.features.features]))
    gain = _likelihood(data, found) - alone
    return float(1 - np.exp(-2 * gain / len(data.features)))


def _likelihood(data: Measured, found: Prototypes) -> float:
    """Mean log likelihood of the customers."""
    return float(logsumexp(found.scores(data.values), axis=1).mean())


def _explained(profiles: pd.DataFrame, feature: Feature, labels: np.ndarray) -> float:
    weight = np.ones(len(labels))
    if feature.kind == "number":
        x = standardised(profiles[feature.name], feature)[:, None]
    elif feature.kind == "category":
        x = indicators(profiles[feature.name], feature)
        x[x.sum(axis=1) == 0] = np.nan
    else:
        x, n = shares_of(profiles, feature)
        weight = counted(n, feature.alike)
    known = ~np.isnan(x[:, 0]) & (weight > 0)
    x, weight, labels = x[known], weight[known], labels[known]
    if not len(x):
        return 0.0
    belongs = np.eye(labels.max() + 1)[labels] * weight[:, None]
    sizes = belongs.sum(axis=0)
    means = (belongs.T @ x) / np.maximum(sizes, 1e-12)[:, None]
    whole = weight @ x / weight.sum()
    total = (weight @ (x - whole) ** 2).sum()
    return float((sizes @ (means - whole) ** 2).sum() / total) if total > 0 else 0.0


def _elected(table: pd.DataFrame) -> int:
    """Of the numbers of groups that are found again, the one that goes furthest beyond the reference; else 1."""
    stable = table[table["beats_reference"] & (table["stability"] >= STABLE)]
    if stable.empty:
        return 1
    return int(stable.loc[stable["excess"] >= NEARLY * stable["excess"].max(), "k"].min())


# --- customers without groups


@dataclass(frozen=True)
class _OneKind:
    """What customers of one kind with these features are drawn from."""

    marginals: dict[str, tuple]
    order: dict[str, np.ndarray]
    correlations: np.ndarray


def _customers_of_one_kind(data: Measured, by: Features, method: str) -> list[Measured]:
    """Customers without groups, several times as many, whose purchases are as alike as those of one kind."""
    rng = np.random.default_rng(len(data))
    kind = _one_kind(data)
    return [measured(_drawn(data, by, kind, rng), by, method) for _ in range(REFERENCES)]


def _one_kind(data: Measured) -> _OneKind:
    marginals, order, scores = {}, {}, {}
    main = _first_component(data)
    for feature in data.features.features:
        if feature.kind == "number":
            x = standardised(data.profiles[feature.name], feature)
            marginals[feature.name] = _single_humped(x[~np.isnan(x)])
            scores[feature.name] = x
        elif feature.kind == "category":
            has = indicators(data.profiles[feature.name], feature)
            level = np.where(has.sum(axis=1) > 0, has.argmax(axis=1), -1)
            height = np.array([main[level == i].mean() if (level == i).any() else 0.0 for i in range(has.shape[1])])
            order[feature.name] = np.argsort(height, kind="stable")
            marginals[feature.name] = has.sum(axis=0)[order[feature.name]]
            rank = np.argsort(order[feature.name])
            scores[feature.name] = np.where(level >= 0, rank[level], np.nan)
    return _OneKind(marginals, order, _rank_correlations(pd.DataFrame(scores)))


def _first_component(data: Measured) -> np.ndarray:
    x = measured(data.profiles, data.features, "k-means").values
    _, vectors = np.linalg.eigh(np.cov(x, rowvar=False).reshape(x.shape[1], x.shape[1]))
    return x @ vectors[:, -1]


def _rank_correlations(scores: pd.DataFrame) -> np.ndarray:
    """Correlations of the unseen normal numbers behind the columns, each pair among those of whom both are known.

    Levels of a category blur what is behind them, so that their normal scores vary less than normal numbers do;
    correlations are raised by as much (as the polyserial correlation, Olsson, Drasgow and Dorans 1982).
    """
    normal = scores.apply(_normal_scores)
    blur = normal.std(ddof=0).to_numpy().clip(1e-6, 1.0)  # of a column that is the same for all: nothing
    seen = np.clip(normal.corr().fillna(0.0).to_numpy() / np.outer(blur, blur), -0.99, 0.99)
    np.fill_diagonal(seen, 1.0)
    values, vectors = np.linalg.eigh(seen)
    nearest = vectors @ np.diag(np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(nearest))
    return nearest / np.outer(scale, scale)


def _normal_scores(values: pd.Series) -> pd.Series:
    """What a standard normal number is on average where it falls into the place of each value."""
    shares = values.value_counts(normalize=True).sort_index()
    bounds = ndtri(np.concatenate([[0.0], shares.cumsum().to_numpy()]).clip(0, 1))
    density = np.exp(-0.5 * bounds**2) / np.sqrt(2 * np.pi)
    return values.map(pd.Series(-np.diff(density) / shares.to_numpy(), index=shares.index))


def _drawn(data: Measured, one_kind: Features, kind: _OneKind, rng: np.random.Generator) -> pd.DataFrame:
    """As many customers of one kind, with as much known of each and as many purchases as here."""
    n = len(data)
    q = len(kind.marginals)
    u = ndtr(rng.multivariate_normal(np.zeros(q), kind.correlations, n, method="eigh")) if q else np.empty((n, 0))
    place = dict(zip(kind.marginals, u.T, strict=True))
    drawn = {}
    for feature in one_kind.features:
        if feature.kind == "shares":
            drawn |= _drawn_shares(data.profiles, feature, rng)
            continue
        known = data.profiles[feature.name].notna().to_numpy()
        at = place[feature.name]
        values = _number_at(at, kind, feature) if feature.kind == "number" else _level_at(at, kind, feature)
        drawn[feature.name] = pd.Series(values).where(known)
    return pd.DataFrame(drawn)


def _number_at(u: np.ndarray, kind: _OneKind, feature: Feature) -> np.ndarray:
    values, cumulated, steps = kind.marginals[feature.name]
    if steps:
        x = values[np.minimum(np.searchsorted(cumulated, u), len(values) - 1)]
    else:
        x = np.interp(u, np.concatenate([[0.0], cumulated]), values)
    read = x * feature.spread + feature.centre[0]
    return np.expm1(read) * feature.unit if feature.unit else read


def _level_at(u: np.ndarray, kind: _OneKind, feature: Feature) -> np.ndarray:
    shares = kind.marginals[feature.name]
    cumulated = np.cumsum(shares) / shares.sum()
    levels = np.array(feature.levels, dtype=object)[kind.order[feature.name]]
    return levels[np.minimum(np.searchsorted(cumulated, u), len(levels) - 1)]


def _drawn_shares(profiles: pd.DataFrame, feature: Feature, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Purchases of customers who differ, but not in kinds: each with a mix of their own around the one mean."""
    shares, n = shares_of(profiles, feature)
    n = np.where(np.isnan(shares[:, 0]), 0, n).astype(int)
    means = np.maximum(feature.centre, 1e-6)
    mixes = rng.gamma(means * (1 - feature.alike) / feature.alike, size=(len(n), len(means))) + 1e-12
    counts = rng.multinomial(n, mixes / mixes.sum(axis=1, keepdims=True))
    of_all = np.where(n[:, None] > 0, counts / np.maximum(n, 1)[:, None], np.nan)
    drawn = dict(zip(feature.columns, of_all.T, strict=False))
    return drawn | {feature.rests_on: n}


def _single_humped(x: np.ndarray, bins: int = 30) -> tuple[np.ndarray, np.ndarray, bool]:
    """Positions and cumulated shares of the distribution nearest to a column's that has a single hump."""
    values, counts = np.unique(x, return_counts=True)
    steps = len(values) <= bins
    if not steps:
        counts, values = np.histogram(x, bins)
    elif len(values) > 2:  # values that nobody has, between those that some have, are part of the distribution
        places = np.rint((values - values[0]) / np.diff(values).min()).astype(int)
        if places[-1] <= MOST_STEPS:
            counts = np.bincount(places, counts, minlength=places[-1] + 1)
            values = np.interp(np.arange(len(counts)), places, values)
    shares = counts / counts.sum()
    fits = [_rising_to(shares, peak) for peak in range(len(shares))]
    nearest = min(fits, key=lambda fit: round(((fit - shares) ** 2).sum(), 12))
    return values, np.cumsum(nearest) / nearest.sum(), steps


def _rising_to(shares: np.ndarray, peak: int) -> np.ndarray:
    """Nearest shares that rise up to a peak and fall after it (isotonic regression either way)."""
    up = isotonic_regression(shares[: peak + 1])
    down = isotonic_regression(shares[peak:], increasing=False)
    return np.concatenate([up[:-1], [max(up[-1], down[0])], down[1:]])
