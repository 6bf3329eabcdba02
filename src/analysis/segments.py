"""Which groups does the customer base fall into, if any, and what sets them apart?

Takes `profiles`, one row per customer. Gives RFM scores with a named segment each, the answer to the 80/20 question,
and groups found by k-means with a justified number of them (which may be one: no structure here), named by rule.
"""

from dataclasses import dataclass
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

NO_PURCHASE = "No completed purchase"

#: Name of every RFM score: a row per recency score, a column per worth, which is the mean of the frequency and the
#: monetary score, halves rounded up. The names are those in common use (Putler's eleven, of which "Promising" is
#: here the second best recency with the least worth); the grid is ours, so that each of the 125 scores has one name.
RFM_GRID = {
    #   worth 1            2                      3                      4              5
    5: ("New customers", "Potential loyalists", "Potential loyalists", "Champions", "Champions"),
    4: ("Promising", "Potential loyalists", "Potential loyalists", "Loyal", "Loyal"),
    3: ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    2: ("Hibernating", "Hibernating", "At risk", "At risk", "Cannot lose them"),
    1: ("Lost", "Lost", "At risk", "Cannot lose them", "Cannot lose them"),
}

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


def rfm(profiles):
    """Recency, frequency and monetary scores from 1 to 5, and the segment that they name.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        With `customer_id`, `recency_days`, `total_spend` and `n_order_days` or `n_orders`: of the two the first, as two
        orders of one day are one purchase occasion.

    Returns
    -------
    DataFrame, sorted by customer_id
        customer_id : str.
        r, f, m : Int64, 1 (worst) to 5 (best); missing for customers without orders.
        rfm_segment : str, from `RFM_GRID`; "No completed purchase" without orders.

        ``attrs["notes"]`` says in sentences where fewer than five scores could be given.

    Raises
    ------
    Problem
        A column is missing.

    Notes
    -----
    The score of a value is 1 plus the number of quintile cuts of the base below it, so equal customers always get equal
    scores, whatever their order. Where many customers share a value, cuts coincide and scores are skipped: if 52 % have
    bought once, these all score 1, and the next get 3 at the least. Where all share one value, all get the middle
    score 3: nobody is better or worse. Hughes (1994), "Strategic Database Marketing", has the quintiles.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcdef"), "recency_days": [5, 90, 200, 310, 400, None],
    ...     "n_orders": [9, 5, 1, 1, 1, 0], "total_spend": [900.0, 300, 40, 40, 40, 0]})
    >>> rfm(profiles)
      customer_id     r     f     m      rfm_segment
    0           a     5     5     5        Champions
    1           b     4     4     4            Loyal
    2           c     3     1     1   About to sleep
    3           d     2     1     1      Hibernating
    4           e     1     1     1             Lost
    5           f  <NA>  <NA>  <NA>  No completed purchase
    """
    orders = "n_order_days" if "n_order_days" in profiles else "n_orders"
    require_columns("profiles", profiles.columns, ["customer_id", "recency_days", orders, "total_spend"])
    profiles = profiles.sort_values("customer_id", ignore_index=True)
    bought = (profiles[orders] > 0).to_numpy()
    scores, notes = profiles[["customer_id"]].copy(), []
    for name, column, sign in (("r", "recency_days", -1), ("f", orders, 1), ("m", "total_spend", 1)):
        values = sign * profiles[column].where(bought).astype(float)
        scores[name] = _quintiles(values)
        given = sorted(scores[name].dropna().unique())
        if len(given) < 5 and bought.any():
            listed = ", ".join(str(score) for score in given)
            notes.append(f"{column} gives only {len(given)} of 5 scores ({listed}): many customers share a value.")
    known = scores[["r", "f", "m"]].notna().all(axis=1)
    scores["rfm_segment"] = np.where(bought, "Not scored", NO_PURCHASE)
    scores["rfm_segment"] = scores["rfm_segment"].astype(object)
    scores.loc[known, "rfm_segment"] = [
        rfm_name(*s) for s in scores.loc[known, ["r", "f", "m"]].itertuples(index=False)
    ]
    scores.attrs["notes"] = notes
    return scores


def no_scores(profiles):
    """The table of :func:`rfm` for a base without orders: every score missing.

    Examples
    --------
    >>> no_scores(pd.DataFrame({"customer_id": ["b", "a"]}))["rfm_segment"].tolist()
    ['No completed purchase', 'No completed purchase']
    """
    scores = profiles[["customer_id"]].sort_values("customer_id", ignore_index=True)
    scores[["r", "f", "m"]] = pd.DataFrame(pd.NA, index=scores.index, columns=["r", "f", "m"], dtype="Int64")
    scores = scores.assign(rfm_segment=NO_PURCHASE)
    scores.attrs["notes"] = [
        "The base has no orders with amounts, so nobody has a score. A table of orders would add them."
    ]
    return scores


def rfm_name(r, f, m):
    """Name of an RFM score.

    Examples
    --------
    >>> rfm_name(5, 5, 4), rfm_name(1, 1, 1)
    ('Champions', 'Lost')
    """
    return RFM_GRID[r][(f + m + 1) // 2 - 1]


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


def name_segments(profiles, segments):
    """Segments with a name each, by rule from what sets them apart.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id` and `segment`.

    Returns
    -------
    DataFrame
        `segments` with the column `segment_name`: the two strongest distinctive numbers in words, more where two
        groups would share a name. Buyers are compared with other buyers only.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "n_orders": [1] * 10 + [8, 9] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> name_segments(profiles, segments)["segment_name"].unique().tolist()
    ['One-time buyers', 'Frequent buyers']
    """
    table = _joined(profiles, segments)
    numbers = sorted(set(segments["segment"]))
    names = {}
    if "n_orders" in table:
        most = table.groupby("segment")["n_orders"].max()
        names = {s: NO_PURCHASE for s in numbers if not most[s] > 0}
    rest = [s for s in numbers if s not in names]
    if len(rest) == 1:
        names[rest[0]] = "All buyers" if names else "All customers"
    else:
        table = table[table["segment"].isin(rest)]
        numbers = [c for c in profiles if pd.api.types.is_numeric_dtype(profiles[c]) and c != "customer_id"]
        # of equally strong ones the first in _WORDS, and those not in it by name: the order of columns means nothing
        columns = [c for c in _WORDS if c in numbers] + sorted(c for c in numbers if c not in _WORDS)
        traits = evidence.compare(table, "segment", traits=columns).query("distinctive and kind == 'number'")
        phrases = {s: _phrases(traits[traits["group"] == s]) for s in rest}
        names |= _distinct_names(phrases)
    return segments.assign(segment_name=segments["segment"].map(names))


def describe(profiles, segments):
    """What sets each segment apart, with the evidence.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment` and perhaps `segment_name`.

    Returns
    -------
    DataFrame, as from :func:`analysis.evidence.compare`
        With `segment` (and `segment_name`) in place of `group`.
    """
    summary = evidence.compare(evidence.of_buyers(_joined(profiles, segments)), "segment").rename(
        columns={"group": "segment"}
    )
    if "segment_name" in segments:
        names = segments.drop_duplicates("segment").set_index("segment")["segment_name"]
        summary.insert(1, "segment_name", summary["segment"].map(names))
    return summary


def sizes(profiles, segments):
    """How large each segment is, and what it brings.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment` and perhaps `segment_name` and `fit`.

    Returns
    -------
    DataFrame, one row per segment
        segment, segment_name : as given.
        n : int, customers.
        share, low, high : float, share of all customers with its 95 % interval.
        revenue, revenue_share : float, in the base's currency and as a share of all; missing without `total_spend`.
        fit : float, median of the members' fit.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcd"), "total_spend": [70.0, 10, 10, 10]})
    >>> segments = pd.DataFrame({"customer_id": list("abcd"), "segment": [2, 1, 1, 1]})
    >>> sizes(profiles, segments)[["segment", "n", "share", "revenue_share"]]
       segment  n  share  revenue_share
    0        1  3   0.75            0.3
    1        2  1   0.25            0.7
    """
    by = ["segment", *(["segment_name"] if "segment_name" in segments else [])]
    spend = profiles.get("total_spend", np.nan)
    spend = pd.DataFrame({"customer_id": profiles["customer_id"], "revenue": spend})
    table = segments.merge(spend, on="customer_id").sort_values([*by, "revenue"])  # in order of value: exact sums
    fit = table.get("fit", np.nan)
    grouped = table.assign(fit=fit).groupby(by)
    out = grouped.agg(n=("customer_id", "size"), revenue=("revenue", lambda r: r.sum(min_count=1)))
    out["share"] = out["n"] / out["n"].sum()
    out["low"], out["high"] = evidence.share_interval(out["n"], out["n"].sum())
    total = out["revenue"].sum()
    out["revenue_share"] = (out["revenue"] / total if total > 0 else np.nan * out["revenue"]).round(6)
    out["revenue"] = out["revenue"].round(2)
    out["fit"] = grouped["fit"].median()
    return out.reset_index()[[*by, "n", "share", "low", "high", "revenue", "revenue_share", "fit"]]


def findings(sizes, choice, chosen, pareto=None):
    """What the base falls into, in sentences with their figures.

    Parameters
    ----------
    sizes : DataFrame, as from :func:`sizes`, with `segment_name`
    choice : DataFrame, as from :func:`choose_k`
    chosen : int
        Number of groups formed.
    pareto : ParetoResult, optional
        Left out for a base without revenue.

    Returns
    -------
    list of str
    """
    sentences = []
    if pareto is not None:
        verdict = (
            "the rule of 80/20 holds here" if pareto.low >= 0.8
            else "less concentrated than the rule of 80/20 says" if pareto.high < 0.8
            else "the rule of 80/20 may hold here"
        )  # fmt: skip
        sentences.append(
            f"The best {evidence.percent(pareto.top)} of buyers ({pareto.best:,} of {pareto.n:,}) bring "
            f"{evidence.percent(pareto.share, 1)} of revenue (interval "
            f"{evidence.percent_range(pareto.low, pareto.high, 1)}): {verdict}."
        )
    supported = choice.query("chosen")["k"].item()
    if supported == 1:
        sentences.append("No number of groups explains more than data without groups would: no structure here.")
    else:
        row = choice.query("chosen").iloc[0]
        sentences.append(
            f"The data support {supported} groups: found again in resamples with an agreement of "
            f"{row['stability']:.2f} (interval {row['low']:.2f} to {row['high']:.2f}; 1 is the same groups each time)."
        )
        if row["stability"] < STABLE:
            sentences.append(f"That is less than the {STABLE} asked of stable groups: take them as a sketch.")
    if chosen != supported:
        sentences.append(f"{chosen} groups were asked for and formed all the same.")
    if sizes["revenue_share"].notna().any() and len(sizes) > 1:
        over = sizes.loc[(sizes["revenue_share"] - sizes["share"]).idxmax()]
        sentences.append(
            f"{over['segment_name']}: {evidence.percent(over['share'])} of customers, "
            f"{evidence.percent(over['revenue_share'])} of revenue."
        )
    return sentences


def _quintiles(values):
    """1 plus the number of quintile cuts below each value; 3 where all values are the same."""
    known = values.dropna()
    if known.nunique() <= 1:
        return values.where(values.isna(), 3).astype("Int64")
    cuts = np.quantile(known, [0.2, 0.4, 0.6, 0.8])
    scores = pd.Series(1 + np.searchsorted(cuts, values, side="left"), index=values.index, dtype="Int64")
    return scores.where(values.notna())


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


def _joined(profiles, segments):
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    require_columns("profiles", profiles.columns, ["customer_id"])
    return profiles.drop(columns="segment", errors="ignore").merge(
        segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one"
    )


#: What a number is about, and the words for a group that has little and one that has much of it. A group is named by
#: one number of each concept, so that orders and days with orders are not told twice.
_WORDS = {
    "recency_days": ("recency", "recent", "lapsed"),
    "n_order_days": ("frequency", "occasional buyers", "frequent buyers"),
    "n_orders": ("frequency", "occasional buyers", "frequent buyers"),
    "orders_per_year": ("frequency", "occasional buyers", "frequent buyers"),
    "total_spend": ("spend", "small spenders", "big spenders"),
    "spend_365d": ("spend", "small spenders", "big spenders"),
    "won_value": ("spend", "little won", "much won"),
    "mean_order_value": ("basket", "small baskets", "large baskets"),
    "tenure_days": ("tenure", "new customers", "long-standing customers"),
    "median_gap_days": ("rhythm", "short gaps", "long gaps"),
    "overdue_ratio": ("overdue", "on time", "overdue"),
    "n_categories": ("range", "narrow choice", "wide choice"),
    "top_category_share": ("range", "wide choice", "one-category buyers"),
    "discount_share": ("discount", "full-price buyers", "discount hunters"),
    "return_rate": ("returns", "few returns", "many returns"),
    "used_channel_share": ("channel", "several channels", "one channel"),
    "n_touchpoints": ("contact", "little contact", "much contact"),
    "touchpoints_90d": ("contact", "seldom in touch", "often in touch"),
    "n_deals": ("deals", "few deals", "many deals"),
    "won_deals": ("deals", "few deals won", "many deals won"),
    "open_deals": ("open", "few open deals", "many open deals"),
    "age": ("age", "younger", "older"),
    "income": ("income", "lower incomes", "higher incomes"),
    "household_size": ("household", "small households", "large households"),
    "employees": ("employees", "small companies", "large companies"),
}


def _phrases(traits):
    """(concept, words) of a group's distinctive numbers, the strongest of each concept, strongest first."""
    phrases = {}
    strength = traits["effect"].abs().round(6)
    for row in traits.loc[strength.sort_values(ascending=False, kind="stable").index].itertuples():
        plain = str(row.trait).replace("_", " ")
        concept, little, much = _WORDS.get(row.trait, (row.trait, f"low {plain}", f"high {plain}"))
        words = much if row.effect > 0 else little
        if row.trait in ("n_order_days", "n_orders") and row.value == 1:
            words = "one-time buyers"
        phrases.setdefault(concept, words)
    return list(phrases.items())


def _distinct_names(phrases):
    """A name for each group, with as many phrases as it takes to tell them apart."""
    names = {s: _name(p[:2]) for s, p in phrases.items()}
    for count in (3, 4):
        taken = list(names.values())
        names = {s: _name(phrases[s][:count]) if taken.count(n) > 1 else n for s, n in names.items()}
    taken = list(names.values())
    return {s: f"{n} (group {s})" if taken.count(n) > 1 else n for s, n in names.items()}


def _name(phrases):
    """Phrases as a name: how recent goes before the buyers it is said of."""
    phrases = dict(phrases)
    recency = phrases.pop("recency", None)
    if recency:
        phrases = {"frequency": f"{recency} {phrases.pop('frequency', 'buyers')}", **phrases}
    name = " · ".join(phrases.values()) or "average customers"
    return name[0].upper() + name[1:]
