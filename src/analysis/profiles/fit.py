"""How likely is each customer to meet a target, and is that known any better than by a rule of thumb?

Takes the levels of traits and a target of yes and no. Gives chances from a model that has not seen the customer in
question, the same for the naive rules, and a judgement of both: ranking, lift, Brier score, calibration, all with
intervals.

The model is a scorecard: a logistic regression on the levels of the traits, so that a lift table and a fit rest on the
same bands, and "not known" is a level as any other; where a customer stands by a number tells apart who is in one band.
How strongly its weights are held back, and by how much its chances are stretched, is learnt within the training
customers.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack
from scipy.special import expit, logit, ndtri
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from analysis.evidence import share_interval

#: Parts of the customers, of which each in turn is judged by a model of the others; and the same within those.
FOLDS, INNER_FOLDS = 5, 4

#: How free the weights of the scorecard may be, from hardly at all to nearly as they come.
STRENGTHS = (0.001, 0.01, 0.1, 1.0)

#: The rate of a level in the single-trait rule counts as if so many average customers were among those seen.
_AVERAGE_CUSTOMERS = 10

#: Share of customers with the highest fit for whom the lift is told, and worlds drawn for its interval.
BEST, DRAWS = 0.1, 500

#: The largest and the smallest chance that is ever given is this far from 1 and 0.
_LEAST_CHANCE = 1e-6


JUDGEMENT_COLUMNS = ["rule", "figure", "value", "low", "high"]
CALIBRATION_COLUMNS = ["customers", "expected", "value", "low", "high"]


class Fits(NamedTuple):
    """Chances and rankings of customers, each by rules that have not seen that customer.

    Attributes
    ----------
    fold : array of int, shape (customers,); -1 for customers whose target is not known
    scores : dict of str to array of float64, shape (customers,)
        By rule: "fit" (a chance between 0 and 1), "best single trait" (a chance), and what else was ranked by.
    """

    fold: np.ndarray
    scores: dict[str, np.ndarray]


def cross_fitted(has: csr_array, trait_of: np.ndarray, standings: np.ndarray, target: np.ndarray, seed: int) -> Fits:
    """Chances of every customer, from models of the other folds; of customers without a target, from a model of all.

    Parameters
    ----------
    has : sparse array, shape (customers, levels)
    trait_of : array of int, shape (levels,): the number of the trait that a level belongs to
    standings : array of float64, shape (customers, numbers), as of :func:`analysis.profiles.traits.standings`
    target : array of float64, shape (customers,): 1, 0 or NaN (not known)
    seed : int
        Draws the folds; customers must come in an order of their own, not that of the file.
    """
    known = np.flatnonzero(~np.isnan(target))
    fold = np.full(len(target), -1)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(known, target[known])
    for number, (_, held_out) in enumerate(parts):
        fold[known[held_out]] = number
    design = csr_array(hstack([has, csr_array(standings)]))
    fit, single = np.full(len(target), np.nan), np.full(len(target), np.nan)
    with threadpool_limits(1):  # the same sums whatever the cores
        for number in sorted(set(fold)):
            judged, seen = fold == number, known[fold[known] != number]
            fit[judged] = _scorecard(design[seen], target[seen], seed)(design[judged])
            single[judged] = _single_trait(has[seen], trait_of, target[seen])(has[judged])
    return Fits(fold, {"fit": fit.round(6), "best single trait": single.round(6)})


def judgement(fits: Fits, target: np.ndarray, seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """How well each rule tells customers apart whom it has not seen, and how far the fit is ahead of the others.

    Returns
    -------
    DataFrame, columns ``rule``, ``figure``, ``value``, ``low``, ``high``
        Rules as in `fits`, and "fit less …" for the difference. Figures: "area under the curve" (0.5 is chance), "lift
        at 10 %" (share with the target among the tenth with the highest score, over the share among all), "Brier score"
        (mean squared error of a chance, the smaller the better); of the fit also "calibration slope" (1 is right, less:
        too extreme) and "calibration intercept" (0 is right, less: too high).

    Notes
    -----
    The area is the mean of the areas within the folds, as scores of different models are not compared with each other;
    variances after DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44:837). Lift and Brier score by the bootstrap
    over customers (Efron 1979, Annals of Statistics 7), the same draws for all rules; customers tied at the cut share
    the place in proportion. Slope and intercept after Cox (1958, Biometrika 45:562), Wald intervals. None of them says
    how much the model would change with other customers to learn from.
    """
    judged = fits.fold >= 0
    y, rules = target[judged], {rule: score[judged] for rule, score in fits.scores.items()}
    figures = {**_areas(rules, y, fits.fold[judged], confidence), **_drawn(rules, y, seed, confidence)}
    figures |= _calibration_line(rules["fit"], y, confidence)
    rows = [(*name, *row) for name, row in figures.items()]
    return pd.DataFrame(rows, columns=JUDGEMENT_COLUMNS)


def calibration(fits: Fits, target: np.ndarray, confidence: float = 0.95) -> pd.DataFrame:
    """Of those to whom about this chance was given, how many did meet the target?

    Returns
    -------
    DataFrame, up to ten rows of about as many customers, those with equal chances together
        customers : int; expected : float, mean chance given; value, low, high : share that met the target (Wilson).
    """
    judged = fits.fold >= 0
    table = pd.DataFrame({"fit": fits.scores["fit"][judged], "met": target[judged]}).sort_values(["fit", "met"])
    band = np.minimum((table["fit"].rank(method="average", pct=True) * 10).astype(int), 9)
    bins = table.groupby(band).agg(customers=("met", "size"), expected=("fit", "mean"), met=("met", "sum"))
    low, high = share_interval(bins["met"], bins["customers"], confidence)
    told = bins.assign(value=bins["met"] / bins["customers"], low=low, high=high).reset_index(drop=True)
    return told[CALIBRATION_COLUMNS]


def area_under_curve(scores: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often does somebody with the target score higher than somebody without, and how sure is that?

    Parameters
    ----------
    scores : array of float64, shape (rules, customers)
    target : array of 0 and 1, shape (customers,); at least two of each

    Returns
    -------
    areas, covariance : arrays of float64, shapes (rules,) and (rules, rules)

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44:837), by mid-ranks (Sun and Xu 2014, IEEE Signal Processing
    Letters 21:1389).

    Examples
    --------
    >>> areas, covariance = area_under_curve(np.array([[0.9, 0.4, 0.6, 0.1]]), np.array([1, 1, 0, 0]))
    >>> areas.tolist(), covariance.round(3).tolist()
    ([0.75], [[0.125]])
    """
    with_it, without = scores[:, target == 1], scores[:, target == 0]
    m, n = with_it.shape[1], without.shape[1]
    among_all = rankdata(np.hstack([with_it, without]), axis=1)
    above = (among_all[:, :m] - rankdata(with_it, axis=1)) / n  # share of those without who score lower than each
    below = 1 - (among_all[:, m:] - rankdata(without, axis=1)) / m
    covariance = np.atleast_2d(np.cov(above)) / m + np.atleast_2d(np.cov(below)) / n
    return above.mean(axis=1), covariance


def _scorecard(design: csr_array, target: np.ndarray, seed: int):
    """A function from levels to chances, learnt from these customers."""
    inner = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    unseen = {}
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=500)
        unseen[strength] = cross_val_predict(model, design, target, cv=inner, method="decision_function")
    best = min(STRENGTHS, key=lambda strength: log_loss(target, expit(unseen[strength])))
    stretch, shift = _line(unseen[best], target)[0]
    if not stretch > 0:  # nothing was learnt: everybody is average
        stretch, shift = 0.0, logit(target.mean())
    model = LogisticRegression(C=best, max_iter=500).fit(design, target)
    return lambda others: _chance(stretch * model.decision_function(others) + shift)


def _single_trait(has: csr_array, trait_of: np.ndarray, target: np.ndarray):
    """A function from levels to chances by the one trait that tells these customers apart best."""
    met, size, rate = has.T @ target, has.sum(axis=0), target.mean()
    smoothed = (met + _AVERAGE_CUSTOMERS * rate) / (size + _AVERAGE_CUSTOMERS)
    weight = logit(np.clip(smoothed, _LEAST_CHANCE, 1 - _LEAST_CHANCE)) - logit(rate)
    # one column per trait: what its levels add to the base rate (of a list several may)
    by_trait = csr_array((weight, (np.arange(len(weight)), trait_of)), shape=(len(weight), trait_of.max() + 1))
    areas, _ = area_under_curve((has @ by_trait).toarray().T, target)
    best = weight * (trait_of == np.argmax(areas))
    return lambda others: _chance(others @ best + logit(rate))


def _chance(score: np.ndarray) -> np.ndarray:
    return np.clip(expit(score), _LEAST_CHANCE, 1 - _LEAST_CHANCE)


def _line(x: np.ndarray, y: np.ndarray, offset: float | np.ndarray = 0.0, sloped: bool = True):
    """Slope and intercept of a logistic regression on one number, and their variances; NaN where there is no answer."""
    design = np.column_stack([x, np.ones_like(x)] if sloped else [np.ones_like(x)])
    weights, nowhere = np.zeros(design.shape[1]), np.full(design.shape[1], np.nan)
    for _ in range(50):  # Newton's steps
        chance = expit(design @ weights + offset)
        information = (design * (chance * (1 - chance))[:, None]).T @ design
        if not np.linalg.cond(information) < 1e12:
            return nowhere, nowhere
        step = np.linalg.solve(information, design.T @ (y - chance))
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            return weights, np.diag(np.linalg.inv(information))
    return nowhere, nowhere


def _calibration_line(fit: np.ndarray, y: np.ndarray, confidence: float) -> dict:
    score, reach = logit(fit), ndtri((1 + confidence) / 2)
    (slope, _), (variance, _) = _line(score, y)
    (shift,), (variance_of_shift,) = _line(score, y, offset=score, sloped=False)
    told = {"calibration slope": (slope, variance), "calibration intercept": (shift, variance_of_shift)}
    return {("fit", name): (at, at - reach * v**0.5, at + reach * v**0.5) for name, (at, v) in told.items()}


def _areas(rules: dict, y: np.ndarray, fold: np.ndarray, confidence: float) -> dict:
    scores, names = np.vstack(list(rules.values())), list(rules)
    parts = [area_under_curve(scores[:, fold == number], y[fold == number]) for number in sorted(set(fold))]
    areas = np.mean([area for area, _ in parts], axis=0)
    covariance = np.sum([c for _, c in parts], axis=0) / len(parts) ** 2
    reach, figures = ndtri((1 + confidence) / 2), {}
    for i, rule in enumerate(names):
        half = reach * np.sqrt(covariance[i, i])
        figures[rule, "area under the curve"] = (areas[i], max(areas[i] - half, 0), min(areas[i] + half, 1))
    for i, rule in enumerate(names[1:], start=1):
        half = reach * np.sqrt(max(covariance[0, 0] + covariance[i, i] - 2 * covariance[0, i], 0))
        ahead = areas[0] - areas[i]
        figures[f"fit less {rule}", "area under the curve"] = (ahead, ahead - half, ahead + half)
    return figures


def _drawn(rules: dict, y: np.ndarray, seed: int, confidence: float) -> dict:
    """Lift and Brier score of every rule, and how far the fit is ahead, with bootstrap intervals."""
    rng = np.random.default_rng(seed)
    sorted_rules = {rule: _ranked(score, y) for rule, score in rules.items()}
    chances = {rule: (score - y) ** 2 for rule, score in rules.items() if np.all((score > 0) & (score < 1))}

    def told(weights):
        lifts = {(rule, "lift at 10 %"): _lift(*ranked, weights, y) for rule, ranked in sorted_rules.items()}
        errors = {(rule, "Brier score"): weights @ error / weights.sum() for rule, error in chances.items()}
        figures = lifts | errors
        ahead = {(f"fit less {r}", f): figures["fit", f] - value for (r, f), value in figures.items() if r != "fit"}
        return figures | ahead

    as_seen = told(np.ones(len(y)))
    # how often each customer is drawn when as many are drawn with replacement
    drawn = [told(np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y))) for _ in range(DRAWS)]
    edges = [(1 - confidence) / 2, (1 + confidence) / 2]
    bounds = {name: np.quantile([figures[name] for figures in drawn], edges) for name in as_seen}
    return {name: (value, *bounds[name]) for name, value in as_seen.items()}


def _ranked(score: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Customers from the highest score down, and the places at which a run of equal scores ends."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    return order, ends


def _lift(order: np.ndarray, ends: np.ndarray, weights: np.ndarray, y: np.ndarray) -> float:
    customers = np.append(0.0, np.cumsum(weights[order])[ends])
    met = np.append(0.0, np.cumsum((weights * y)[order])[ends])
    return float(np.interp(BEST * customers[-1], customers, met) / (BEST * met[-1])) if met[-1] else np.nan
