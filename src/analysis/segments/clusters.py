"""Groups of similar customers, with a justified number of them, which may be one: no structure here."""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from sklearn.cluster import KMeans
from sklearn.isotonic import isotonic_regression
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from analysis import evidence
from analysis.errors import Problem, require_columns

#: What a customer does, in the order in which the groups are formed by it. Of two spellings of the same the first.
BEHAVIOUR = (
    ("recency_days",),
    ("n_order_days", "n_orders"),
    ("total_spend",),
    ("tenure_days",),
    ("median_gap_days",),
    ("n_categories",),
    ("top_category_share",),
    ("discount_share",),
    ("return_rate",),
    ("used_channel_share",),
    ("touchpoints_90d",),
    ("n_deals",),
    ("won_deals",),
    ("won_value",),
)


#: Credit notes can push these below nothing; a customer then counts as having spent nothing.
AMOUNTS = ("total_spend", "spend_365d", "mean_order_value", "won_value")


MOST_MISSING = 1 / 3  # a column more often missing than this would be mostly invention


SKEWED = 1.0  # |skewness| above 1 is called highly skewed (Bulmer 1979)


SAME = 0.95  # two columns this correlated count the same thing twice


#: Customers on whom the number of groups is tried, and how often.
TRIAL_SIZE = 1500


RESAMPLES = 20


REFERENCES = 20


FEWEST_PER_GROUP = 10


#: Runs of k-means on the final groups; with ten, one seed in three ended in another optimum on real data.
STARTS = 40


#: Structure must explain this much more of the variance than the reference without structure (as a share of all), and
#: by this many standard deviations of the reference, at one k or more. Tried on 64 normal, correlated, uniform,
#: log-normal, exponential, Poisson, binary and heavy-tailed tables: none of them passes; three overlapping groups of
#: which k-means can recover half do. Simulated purchases of one kind of customer pass at times, as whoever bought once
#: has recency and tenure alike, which is a group to k-means.
LEAST_EXCESS = 0.03


LEAST_DEVIATIONS = 4.0


#: "Clusters with a stability below 0.75 should not be trusted" (Hennig 2007, Computational Statistics 52:258).
STABLE = 0.75


#: Among stable numbers of groups that go nearly as far beyond the reference, the smallest is the most useful.
NEARLY = 0.9


def features(profiles):
    """What the groups are formed by: numbers, made comparable.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        A table with fewer columns gives groups by those alone.

    Returns
    -------
    DataFrame of float64, indexed and sorted by customer_id
        Behaviour (`BEHAVIOUR`) where the base has orders or deals, else every number that is recorded about the
        customers. A row of nothing but missing values is a customer without orders, who has no behaviour to compare.

        ``attrs["notes"]`` says in sentences what was filled and what was left out. Where no number tells the customers
        apart, one column of zeros.

    Notes
    -----
    Missing values get the column's median; a column missing for more than a third is left out, as is one of several
    that are all but the same (correlation above 0.95). Skewed amounts that cannot be negative become logarithms of
    1 + multiples of their lowest tenth, so that the currency's unit does not matter. The outermost hundredth on either
    side is pulled in (winsorised); then mean 0 and standard deviation 1. Text is left out: k-means has no distance for
    it.

    Examples
    --------
    >>> features(pd.DataFrame({"customer_id": ["b", "a"], "n_orders": [1, 3], "total_spend": [10.0, 20.0]}))
                 n_orders
    customer_id
    a                 1.0
    b                -1.0
    """
    require_columns("profiles", profiles.columns, ["customer_id"])
    table = profiles.sort_values("customer_id").set_index("customer_id")
    columns, notes = _chosen_columns(table)
    bought = (table["n_orders"] > 0).to_numpy() if "n_orders" in table else np.ones(len(table), dtype=bool)
    if not bought.all():
        notes.append(
            f"Customers without orders: {(~bought).sum():,}. They have no behaviour to compare: a group of their own."
        )
    kept = {}
    for column in columns if bought.any() else []:
        x = table.loc[bought, column].to_numpy(dtype=float, na_value=np.nan, copy=True)
        missing = ~np.isfinite(x)
        if missing.mean() > MOST_MISSING:
            notes.append(f"{column} is missing for {evidence.percent(missing.mean())} of the customers: left out.")
            continue
        if missing.any():
            x[missing] = np.median(x[~missing])
            notes.append(f"{column} is missing for {missing.sum():,} of {len(x):,} customers, who get the median.")
        x = _standardised(x, column)
        twin = next((c for c in kept if x is not None and abs(np.mean(kept[c] * x)) > SAME), None)
        if x is None:
            notes.append(f"{column} is the same for all: left out.")
        elif twin:
            notes.append(f"{column} says the same as {twin}: left out.")
        else:
            kept[column] = x
    if kept:
        notes.insert(0, f"Groups are formed by {', '.join(kept)}.")
    elif bought.sum() > 1:
        notes.append("No number tells the customers apart: they are one group.")
    matrix = pd.DataFrame(kept or {"alike": np.zeros(bought.sum())}, index=table.index[bought]).reindex(table.index)
    matrix.attrs["notes"] = notes
    return matrix


@threadpool_limits.wrap(limits=1)  # many small fits: threads that wait for each other take 17 times as long
def choose_k(features, ks=range(2, 9), seed=0):
    """How many groups: which number holds up, and is there any structure at all?

    Parameters
    ----------
    features : DataFrame, as from :func:`features`
    ks : sequence of int
        Numbers of groups to try, 2 or more.
    seed : int
        For the resamples and the starts of k-means.

    Returns
    -------
    DataFrame, one row per number of groups, the first being one group
        k : int.
        stability, low, high : float, mean adjusted Rand index between the groups found in one bootstrap resample and in
        the next, with the interval that holds 95 % of the pairs; 1 is the same groups each time.
        silhouette : float in [-1, 1], how much nearer customers are to their own group than to the next.
        smallest : float, share of customers in the smallest group.
        excess : float, variance explained beyond that of the reference without structure, as a share of all.
        beats_reference : bool, large and sure enough.
        chosen : bool, true once; on ``k = 1`` it means "no structure here".

    Notes
    -----
    Trials run on a sample of at most 1,500 customers. The reference has the same columns with the same rank
    correlations, but each column smoothed to a single hump and no other dependence (a Gaussian copula; the idea is
    the gap statistic's, Tibshirani, Walther and Hastie 2001, JRSS B 63:411, whose uniform reference calls every skewed
    column a structure). Where one k or more beats it, the stable ones of these (0.75 and above, Hennig 2007; else the
    most stable) stand for election, and the one furthest beyond the reference wins, or the smallest that comes within a
    tenth of it. The silhouette is shown and not
    used: on simulated groups of unequal size it settled for two groups too few.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> centres = np.repeat([[0, 0], [6, 0], [0, 6]], 60, axis=0)
    >>> x = pd.DataFrame(centres + rng.normal(size=(180, 2)), index=[f"{i:03}" for i in range(180)])
    >>> choose_k(x, ks=[2, 3, 4]).query("chosen")["k"].item()
    3
    """
    x = _compared(features)
    # the same sample and references for every seed, so that it is not the seed that decides on the number of groups
    rng = np.random.default_rng(len(x))
    sample = x[np.sort(rng.choice(len(x), min(TRIAL_SIZE, len(x)), replace=False))]
    distinct = len(np.unique(sample, axis=0))
    ks = [k for k in ks if k >= 2 and k < distinct and k * FEWEST_PER_GROUP <= len(sample)]
    one = {"k": 1, "smallest": 1.0}
    rows = [one]
    if ks:
        explained = np.array([_explained(sample, k, seed) for k in ks])
        marginals = [_single_humped(column) for column in sample.T]
        correlations = _rank_correlations(sample)
        references = [_without_structure(marginals, correlations, len(sample), rng) for _ in range(REFERENCES)]
        reference = np.array([[_explained(r, k, seed) for k in ks] for r in references])
        excess = explained - reference.mean(axis=0)
        sure = excess > LEAST_DEVIATIONS * reference.std(axis=0, ddof=1)
        for i, k in enumerate(ks):
            beats = bool(sure[i] and excess[i] >= LEAST_EXCESS)
            rows.append({"k": k, **_trial(sample, k, seed), "excess": excess[i], "beats_reference": beats})
    columns = ["k", "stability", "low", "high", "silhouette", "smallest", "excess", "beats_reference"]
    table = pd.DataFrame(rows, columns=columns).round(4)
    table["beats_reference"] = table["beats_reference"].eq(True)
    return table.assign(chosen=table["k"] == _elected(table))


@threadpool_limits.wrap(limits=1)  # sums in threads come out in any order
def cluster(features, k=None, seed=0):
    """Groups of similar customers, numbered from the largest.

    Parameters
    ----------
    features : DataFrame, as from :func:`features`
    k : int, optional
        Number of groups; left out, the one that :func:`choose_k` finds.
    seed : int

    Returns
    -------
    DataFrame, sorted by customer_id
        customer_id : as given.
        segment : int from 1, the largest first; customers without behaviour come last, in a group of their own.
        fit : float in [0, 1], 1 at the centre of the own group, 0 halfway to the next; missing where there is no next.

    Raises
    ------
    Problem
        More groups than different customers, or missing values in a row that is not wholly missing.

    Notes
    -----
    k-means from forty starts on at most 5,000 customers, then on all from the best of them. ``fit`` is
    ``1 - (distance to own centre) / (distance to next centre)``, the simplified silhouette of a customer.

    Examples
    --------
    >>> x = pd.DataFrame({"orders": [-1.0, -1.1, -0.9, 1.5, 1.5]}, index=list("abcde"))
    >>> cluster(x, k=2)["segment"].tolist()
    [1, 1, 1, 2, 2]
    """
    x = _compared(features)
    if k is None:
        k = choose_k(features, seed=seed).query("chosen")["k"].item()
    distinct = len(np.unique(x, axis=0))
    if not 1 <= k <= max(distinct, 1):
        raise Problem(
            f"{k} groups were asked for, but only {distinct} customers differ from each other. Ask for fewer."
        )
    features = features.sort_index()
    compared = features.notna().all(axis=1).to_numpy()
    labels = _canonical(x, _fitted(x, k, seed))
    segment = np.full(len(features), len(np.unique(labels)) + 1)
    segment[compared] = labels
    fit = np.full(len(features), np.nan)
    fit[compared] = _fit(x, labels)
    return pd.DataFrame({"customer_id": features.index.to_numpy(), "segment": segment, "fit": fit})


def _chosen_columns(table):
    """The columns that groups are formed by, and what to say about the choice."""
    numbers = [c for c in table if pd.api.types.is_numeric_dtype(table[c])]
    if "n_orders" in table or "n_deals" in table:
        chosen = [next(c for c in same if c in numbers) for same in BEHAVIOUR if set(same) & set(numbers)]
        return chosen, []
    text = [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    notes = ["The base has no orders and no deals, so groups are formed by what is recorded about customers."]
    return numbers, notes + ([f"Not numbers, and left out: {', '.join(text)}."] if text else [])


def _standardised(x, column):
    """Logarithm where skewed, outermost hundredths pulled in, mean 0 and deviation 1; None for a constant."""
    if column in AMOUNTS:
        x = np.maximum(x, 0)
    if x.min() >= 0 and x.std() > 0 and abs(np.mean(((x - x.mean()) / x.std()) ** 3)) > SKEWED:
        x = np.log1p(x / np.quantile(x[x > 0], 0.1))
    x = np.clip(x, *np.quantile(x, [0.01, 0.99]))
    return (x - x.mean()) / x.std() if np.ptp(x) > 1e-9 else None


def _compared(features):
    """The rows that can be compared, as an array in the order of customer_id."""
    features = features.sort_index()
    missing = features.isna()
    partly = missing.any(axis=1) & ~missing.all(axis=1)
    if partly.any():
        column = missing.columns[missing[partly].any()][0]
        raise Problem(
            f'features has missing values in "{column}" for {partly.sum()} customers. '
            "Build the table with segments.features, or fill them in."
        )
    return features[~missing.all(axis=1)].to_numpy(dtype=float)


def _explained(x, k, seed):
    """Share of the variance that k groups explain."""
    fitted = KMeans(k, n_init=3, random_state=seed).fit(x)
    return 1 - fitted.inertia_ / ((x - x.mean(axis=0)) ** 2).sum()


def _trial(sample, k, seed):
    """Stability, separation and smallest group of k groups."""
    rng = np.random.default_rng([seed, k])
    labels = KMeans(k, n_init=10, random_state=seed).fit_predict(sample)
    found = []
    for _ in range(RESAMPLES):
        drawn = sample[rng.integers(0, len(sample), len(sample))]
        found.append(KMeans(k, n_init=3, random_state=seed).fit(drawn).predict(sample))
    agreement = [adjusted_rand_score(a, b) for a, b in pairwise([*found, found[0]])]
    low, high = np.quantile(agreement, [0.025, 0.975])
    return {
        "stability": np.mean(agreement),
        "low": low,
        "high": high,
        "silhouette": silhouette_score(sample, labels),
        "smallest": np.bincount(labels).min() / len(sample),
    }


def _elected(table):
    """The fewest stable groups that go about as far beyond the reference as any; 1 if none beats it."""
    able = table[table["beats_reference"]]
    if able.empty:
        return 1
    stable = able[able["stability"] >= STABLE]
    if stable.empty:
        return able.sort_values(["stability", "k"], ascending=[False, True])["k"].iloc[0]
    return stable.loc[stable["excess"] >= NEARLY * stable["excess"].max(), "k"].min()


def _single_humped(x, bins=30):
    """Positions and cumulated shares of the distribution nearest to a column's that has a single hump."""
    values, counts = np.unique(x, return_counts=True)
    steps = len(values) <= bins
    if not steps:
        counts, values = np.histogram(x, bins)
    shares = counts / counts.sum()
    fits = [_rising_to(shares, peak) for peak in range(len(shares))]
    nearest = min(fits, key=lambda fit: round(((fit - shares) ** 2).sum(), 12))
    return values, np.cumsum(nearest) / nearest.sum(), steps


def _rising_to(shares, peak):
    """Nearest shares that rise up to a peak and fall after it (isotonic regression either way)."""
    up = isotonic_regression(shares[: peak + 1])
    down = isotonic_regression(shares[peak:], increasing=False)
    return np.concatenate([up[:-1], [max(up[-1], down[0])], down[1:]])


def _rank_correlations(x):
    """Correlations of the columns' normal scores."""
    ranks = pd.DataFrame(x).rank().to_numpy()
    return np.atleast_2d(np.corrcoef(ndtri((ranks - 0.5) / len(x)), rowvar=False))


def _without_structure(marginals, correlations, n, rng):
    """Data with these columns and correlations and no groups."""
    normal = rng.multivariate_normal(np.zeros(len(marginals)), correlations, n, check_valid="ignore", method="eigh")
    columns = []
    for u, (values, cumulated, steps) in zip(ndtr(normal).T, marginals, strict=True):
        if steps:
            columns.append(values[np.minimum(np.searchsorted(cumulated, u), len(values) - 1)])
        else:
            columns.append(np.interp(u, np.concatenate([[0.0], cumulated]), values))
    return np.column_stack(columns)


def _fitted(x, k, seed):
    """Labels of k groups."""
    if k == 1 or len(x) < 2:
        return np.zeros(len(x), dtype=int)
    rng = np.random.default_rng(seed)
    sample = x[np.sort(rng.choice(len(x), min(5000, len(x)), replace=False))]
    best = KMeans(k, n_init=STARTS, random_state=seed).fit(sample)
    if len(sample) == len(x):
        return best.labels_
    return KMeans(k, init=best.cluster_centers_, n_init=1).fit_predict(x)


def _centres(x, labels, numbers):
    return np.array([x[labels == label].mean(axis=0) for label in numbers])


def _canonical(x, labels):
    """Labels from 1, the largest group first, equally large ones by their centres."""
    numbers, counts = np.unique(labels, return_counts=True)
    centres = _centres(x, labels, numbers).round(9)
    order = sorted(range(len(numbers)), key=lambda i: (-counts[i], *centres[i]))
    new = {numbers[i]: place for place, i in enumerate(order, start=1)}
    return np.array([new[label] for label in labels], dtype=int)


def _fit(x, labels):
    """How much nearer to the own centre than to the next."""
    numbers = np.unique(labels)
    if len(numbers) < 2:
        return np.full(len(x), np.nan)
    centres = _centres(x, labels, numbers)
    distances = np.sqrt(((x[:, None, :] - centres) ** 2).sum(axis=2))
    own = distances[np.arange(len(x)), labels - 1]
    distances[np.arange(len(x)), labels - 1] = np.inf
    return np.clip(1 - own / distances.min(axis=1), 0, 1).round(6)
