"""Ways to choose whom to contact: everybody alike, by a single number, by groups, or one by one.

Takes customers of whom is known what their contact was worth, and others, or the same on a later day, who are to be
judged. Gives rules that learn from the former how much the contact of each of the latter may be expected to bring.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.isotonic import isotonic_regression

from analysis.errors import Problem, did_you_mean, require_columns
from analysis.evidence import in_words
from analysis.segments import one_to_one
from analysis.segments.cases import Cases

#: Kinds of rules.
MASS, NUMBER, SEGMENTATION, ONE_TO_ONE = "mass marketing", "single number", "segmentation", "one to one"

#: Single numbers that anybody would go by, and whether the most or the least of them comes first.
USUAL = {"total_spend": ("past spend", 1), "recency_days": ("recency", -1)}

#: What a function that forms groups may call them, where it gives more than one column.
_LABELS = ("segment_name", "segment", "rfm_segment")


class Expected(NamedTuple):
    """How much the contact of each customer may be expected to bring, and who comes first among equals (the most)."""

    profit: np.ndarray
    order: np.ndarray


class Rule(NamedTuple):
    """A way to choose.

    Attributes
    ----------
    name, kind : str
    learn : function (places of the customers seen, places of those judged) → Expected
    groups : (labels of those seen, labels of those judged), of a segmentation
    """

    name: str
    kind: str
    learn: Callable[[np.ndarray, np.ndarray], Expected]
    groups: tuple[np.ndarray, np.ndarray] | None = None


def rules(past: Cases, later: Cases, schemes: Mapping, model: Callable[[np.ndarray, np.ndarray], np.ndarray]):
    """All rules: mass marketing, the usual single numbers, every scheme, and the model of each customer.

    Parameters
    ----------
    past, later : Cases
    schemes : mapping of a name to a column of the profiles, or to a function from profiles to labels
    model : function (places seen, places judged) → expected profit of those judged

    Returns
    -------
    list of Rule
    """
    everybody = np.zeros(len(past.table)), np.zeros(len(later.table))
    found = [Rule(MASS, MASS, partial(_by_number, past.worth, *everybody))]
    for name, column, sign in _numbers(past, later):
        values = (_ranks_last(sign * t.table[column]) for t in (past, later))
        found.append(Rule(name, NUMBER, partial(_by_number, past.worth, *values)))
    for name, scheme in schemes.items():
        labels = tuple(_labels(name, scheme, cases.table) for cases in (past, later))
        found.append(Rule(name, SEGMENTATION, partial(_by_group, past.worth, *labels), labels))
    return [*found, Rule(ONE_TO_ONE, ONE_TO_ONE, partial(_by_model, model))]


def credible_means(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Mean of each group, the less its own the less it rests on: small groups are held near the mean of all.

    Parameters
    ----------
    values : array of float64, shape (customers,)
    group : array of int, shape (customers,), from 0; -1 for none
    groups : int
        How many there are; one without customers gets the mean of all.

    Returns
    -------
    array of float64, shape (groups,)

    Notes
    -----
    Bühlmann's credibility (1967, ASTIN Bulletin 4:199): a group of n gets ``n / (n + k)`` of its own mean and the rest
    of the mean of all; k is the variance within groups over that between them, both estimated as in an analysis of
    variance (Bühlmann and Straub 1970, for groups that differ in size). Where groups differ no more than chance would
    have it, all get the mean of all.

    Examples
    --------
    >>> credible_means(np.array([9.0, 11, 9, 11, 1, 3, 1, 3]), np.repeat([0, 1], 4), 3).round(2)
    array([9.96, 2.04, 6.  ])
    """
    mean, inside = values.mean(), group >= 0
    v, g = values[inside], group[inside]
    n = np.bincount(g, minlength=groups).astype(float)
    own = np.bincount(g, v, groups) / np.maximum(n, 1)
    there, total = np.count_nonzero(n), n.sum()
    if there < 2 or total <= there:
        return np.full(groups, mean)
    within = np.square(v - own[g]).sum() / (total - there)
    about = (n * np.square(own - v.mean())).sum() - (there - 1) * within
    between = about / (total - np.square(n).sum() / total)
    if between <= 0:
        return np.full(groups, mean)
    credibility = np.divide(n * between, n * between + within, out=np.zeros(groups), where=n > 0)
    return mean + credibility * (own - mean)


def _by_number(worth, seen_number, judged_number, seen: np.ndarray, judged: np.ndarray) -> Expected:
    """Expected profit that never falls as a number rises: of all such the nearest to what the contacts were worth.

    Contacting those of whom it is above nothing is the cut that would have earned the most: isotonic regression by
    pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman 1955, Annals of Mathematical Statistics 26:641).
    """
    distinct, place, n = np.unique(seen_number[seen], return_inverse=True, return_counts=True)
    level = isotonic_regression(np.bincount(place, worth[seen]) / n, sample_weight=n.astype(float))
    number = judged_number[judged]
    return Expected(level[np.clip(np.searchsorted(distinct, number, side="right") - 1, 0, None)], number)


def _by_group(worth, seen_labels, judged_labels, seen: np.ndarray, judged: np.ndarray) -> Expected:
    labels = np.unique(seen_labels[seen])
    means = credible_means(worth[seen], np.searchsorted(labels, seen_labels[seen]), len(labels))
    place = np.clip(np.searchsorted(labels, judged_labels[judged]), 0, len(labels) - 1)
    known = labels[place] == judged_labels[judged]  # a group that is new is expected to be like everybody
    return Expected(np.where(known, means[place], worth[seen].mean()), np.zeros(len(judged)))


def _by_model(model, seen: np.ndarray, judged: np.ndarray) -> Expected:
    expected = model(seen, judged)
    return Expected(expected, np.zeros(len(judged)))


def _numbers(past: Cases, later: Cases) -> list[tuple[str, str, int]]:
    """Name, column and direction of the single numbers; where none of the usual is there, the one that tells most."""
    both = past.table.columns.intersection(later.table.columns)
    usual = [(name, column, sign) for column, (name, sign) in USUAL.items() if column in both]
    if usual:
        return usual
    known, _ = one_to_one.comparable(past.table[both], later.table[both])
    tied = known.select_dtypes("number").rank().corrwith(pd.Series(past.worth, known.index).rank())
    tied = tied.dropna().sort_index()
    if tied.empty:
        return []
    best = tied.abs().idxmax()
    return [(in_words(best), best, 1 if tied[best] > 0 else -1)]


def _ranks_last(values: pd.Series) -> np.ndarray:
    """Numbers, in which what is not known comes after all others."""
    x = values.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(x), -np.inf, x)


def _labels(name: str, scheme, table: pd.DataFrame) -> np.ndarray:
    """The group of each customer in words; "in no group" where there is none."""
    if isinstance(scheme, str):
        require_columns("profiles", table.columns, [scheme])
        found = table.set_index("customer_id")[scheme]
    elif callable(scheme):
        found = _as_series(name, scheme(table.copy()))
    else:
        raise Problem(
            f'The scheme "{name}" is a {type(scheme).__name__}. Give the name of a column of the profiles, or a '
            "function from profiles to labels, e.g. segments.rfm."
        )
    found = found[~found.index.duplicated()].reindex(table["customer_id"])
    if found.isna().all() and len(found):
        raise Problem(f'The scheme "{name}" labels none of {len(found):,} customers; its index must hold their ids.')
    return found.astype(object).where(found.notna(), "in no group").map(str).to_numpy(dtype=str)


def _as_series(name: str, found) -> pd.Series:
    if isinstance(found, pd.Series):
        return found
    if not isinstance(found, pd.DataFrame):
        raise Problem(f'The scheme "{name}" gave a {type(found).__name__}; labels by customer_id were expected.')
    require_columns(f'What the scheme "{name}" gave', found.columns, ["customer_id"])
    others = [c for c in found if c != "customer_id"]
    column = others[0] if len(others) == 1 else next((c for c in _LABELS if c in found), None)
    if column is None:
        near = did_you_mean(others[0], _LABELS) if others else ""
        raise Problem(
            f'The scheme "{name}" gave {", ".join(others) or "no labels"}.{near} Give customer_id and one more column.'
        )
    return found.set_index("customer_id")[column]
