"""What may be expected of each customer by all that is known of them: the model that groups must measure up to.

Takes profiles of two days and a number per customer of the first. Numbers and words as they come, missing ones too;
dates and lists are left out. Amounts are learnt in two parts, whether there is one and how large it is; what a contact
changes, which is lost in noise for any one customer, is held back by how much of it shows in customers not seen.
"""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

from analysis.evidence import MOST_LEVELS

#: Small trees that learn slowly: on five bookshops, Online Retail and CDNOW as good as any of eight kinds of model
#: tried (one-part Poisson boosting with three settings, Poisson and ridge regressions on bands, and means of two of
#: them), also from 600 customers; the library's own settings fit noise there. Ours, by no theory.
_TREES = {"max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 20, "early_stopping": False}

#: A word that fewer customers have is not known by it; as many as make up a leaf of a tree.
_FEWEST = 20

#: Parts of the customers, of which each in turn is foretold by a model of the others.
_FOLDS = 5


def comparable(past: pd.DataFrame, later: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The columns by which customers of two days can be told apart, in the same types.

    Returns
    -------
    past, later : DataFrame of float64 and category
        Words that few have, or that are new, are missing.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": ["a", "b"], "n_orders": [1, 2], "city": ["Yazd", "Qom"], "kind": "person"})
    >>> comparable(table, table)[0].columns.tolist()
    ['n_orders']
    """
    kept = {}
    for column in past.columns.intersection(later.columns).drop("customer_id", errors="ignore"):
        both = past[column], later[column]
        if all(pd.api.types.is_bool_dtype(c) or pd.api.types.is_numeric_dtype(c) for c in both):
            kept[column] = [c.to_numpy(dtype=float, na_value=np.nan) for c in both]
        elif all(_is_words(c) for c in both):
            counts = past[column].value_counts()
            common = counts[counts >= _FEWEST].sort_index().sort_values(ascending=False, kind="stable")
            levels = pd.CategoricalDtype(list(common.index[:MOST_LEVELS].astype(str)))
            kept[column] = [c.astype(object).where(c.isin(levels.categories), None).astype(levels) for c in both]
    varied = [c for c, (seen, _) in kept.items() if pd.Series(seen).nunique() > 1]
    return tuple(pd.DataFrame({c: pd.Series(kept[c][i]).array for c in varied}, index=t.index)
                 for i, t in enumerate((past, later)))  # fmt: skip


def expected_outcome(seen: pd.DataFrame, outcome: np.ndarray, judged: pd.DataFrame, seed: int) -> np.ndarray:
    """What is to be expected of customers, learnt from others.

    Parameters
    ----------
    seen, judged : DataFrame, as from :func:`comparable`
    outcome : array of float64, shape (seen customers,)
        Yes and no (1 and 0) or amounts; less than nothing counts as nothing.
    seed : int

    Returns
    -------
    array of float64, shape (judged customers,)

    Notes
    -----
    The chance of more than nothing times the mean of what is then more: a two-part model (Duan, Manning, Morris and
    Newhouse 1983, Journal of Business and Economic Statistics 1:115), both parts gradient boosted trees (Friedman 2001,
    Annals of Statistics 29:1189), the second with the gamma deviance, so that amounts that differ by factors are as far
    apart as their logarithms while their mean stays right.
    """
    some = outcome > 0
    chance = _chance(seen, some, judged, seed)
    amounts = outcome[some]
    if len(np.unique(amounts)) < 2 or seen.shape[1] == 0:
        return chance * (amounts.mean() if len(amounts) else 0.0)
    model = _trees(HistGradientBoostingRegressor, seed, loss="gamma")
    with threadpool_limits(1):  # the same sums whatever the cores
        return chance * model.fit(seen[some], amounts).predict(judged)


def unseen_outcome(table: pd.DataFrame, outcome: np.ndarray, seed: int) -> np.ndarray:
    """The same for every customer of a table, each by a model of others."""
    foretold = np.empty(len(table))
    for seen, judged in folds(len(table), seed):
        foretold[judged] = expected_outcome(table.iloc[seen], outcome[seen], table.iloc[judged], seed)
    return foretold


def expected_worth(seen: pd.DataFrame, worth: np.ndarray, judged: pd.DataFrame, seed: int) -> np.ndarray:
    """What a contact of customers may be expected to change, learnt from what it was worth with others.

    Returns
    -------
    array of float64, shape (judged customers,)
        The mean of those seen and so much of each customer's distance from it as shows in customers not seen: a share
        between 0 (nobody is told apart) and 1.

    Notes
    -----
    The share is the slope of the worth on what cross-fitted trees foretold, the best linear predictor of Chernozhukov,
    Demirer, Duflo and Fernández-Val (2018, NBER working paper 24678).
    """
    mean = worth.mean()
    if seen.shape[1] == 0 or len(worth) < 2 * _FOLDS:
        return np.full(len(judged), mean)
    told = np.empty(len(worth))
    for some, others in folds(len(worth), seed):
        told[others] = _distance(seen.iloc[some], worth[some], seen.iloc[others], seed)
    spread = np.square(told - told.mean()).sum()
    share = np.clip(((told - told.mean()) * (worth - mean)).sum() / spread, 0, 1) if spread > 0 else 0.0
    return mean + share * _distance(seen, worth, judged, seed)


def folds(n: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Parts of n customers in an order of their own: of each the places of the others, and its own."""
    return list(KFold(_FOLDS, shuffle=True, random_state=seed).split(np.zeros(n)))


def _distance(seen, worth, judged, seed: int) -> np.ndarray:
    """How far from the mean each customer is, as the trees say."""
    scale = worth.std() or 1.0
    model = _trees(HistGradientBoostingRegressor, seed, loss="squared_error")
    with threadpool_limits(1):
        return scale * model.fit(seen, (worth - worth.mean()) / scale).predict(judged)


def _chance(seen, some: np.ndarray, judged, seed: int) -> np.ndarray:
    if some.all() or not some.any() or seen.shape[1] == 0:
        return np.full(len(judged), some.mean() if len(some) else 0.0)
    model = _trees(HistGradientBoostingClassifier, seed)
    with threadpool_limits(1):
        return model.fit(seen, some).predict_proba(judged)[:, 1]


def _trees(kind: type, seed: int, **loss):
    return kind(categorical_features="from_dtype", random_state=seed, **_TREES, **loss)


def _is_words(column: pd.Series) -> bool:
    return column.map(lambda value: isinstance(value, str), na_action="ignore").fillna(True).astype(bool).all()
