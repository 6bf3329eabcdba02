"""Is this persona different from everybody else at a stage, by how much, and how sure can we be?

Takes what is measured of each persona at each stage. Gives one row per persona, stage and measure with its figures, all
differences of the table corrected together.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import fisher_exact, rankdata

from analysis import evidence
from analysis.journeys import waiting
from analysis.journeys.map_measures import WHOLE, Measures

#: What is known of fewer customers is not told.
FEWEST = 5

#: The measures of which there are many, each of whoever did it, met it or wrote of it.
_LEVELS = ("does", "through", "raised", "owned")

#: Fewer expected than this, and the z test is not to be trusted (Cochran 1954, Biometrics 10).
_EXPECTED = 5

FIGURES = ["value", "value_low", "value_high", "elsewhere", "difference", "low", "high", "n", "n_elsewhere", "p",
           "p_corrected", "effect"]  # fmt: skip
_WHAT = ["persona", "place", "row", "measure", "of"]

#: The measures whose value is a share; scores are points, visits visits, times days.
_UNITS = {
    "visits": "visits",
    "score": "points",
    "satisfied": "points",
    "change": "points",
    "time": "days",
    "closed": "days",
}


def map_rows(known: Measures) -> pd.DataFrame:
    """Every measure of every persona and stage against everybody else.

    Parameters
    ----------
    known : Measures

    Returns
    -------
    DataFrame
        persona, place, row, measure, of, unit ("share", "points", "visits", "days"), source and the figures: value with
        its own 95 % interval value_low, value_high; elsewhere, difference with interval low, high; n, n_elsewhere, p,
        p_corrected, effect.

    Notes
    -----
    Shares by Newcombe and the z test, or Fisher's exact test (1922, JRSS 85) where fewer than five are expected in a
    cell; numbers by Welch's interval and the test of Mann and Whitney; times by the log-rank test (see
    :mod:`analysis.evidence`, :mod:`analysis.journeys.waiting`). p values are corrected after Holm (1979) over all
    rows; the intervals of the differences are widened to ``1 - 0.05 / rows`` (Bonferroni) so that all hold together.
    Effects: difference of the shares, Cliff's delta, Gehan's of times. The change of a score from one stage to the next
    is compared with none. What is known of fewer than `FEWEST` customers, here or elsewhere, is left out.
    """
    groups = [_Group(table.sort_values("persona"), judge) for table, judge in _tables(known)]
    several = known.shares["persona"].nunique() > 1
    number = sum(len(group.personas) for group in groups if len(group.personas) > 1) if several else 0
    rows = [row for group in groups for row in group.rows(1 - 0.05 / max(number, 1), several)]
    table = pd.DataFrame(rows, columns=[*_WHAT, "source", *FIGURES[:10], "effect"])
    table = pd.concat([table, _changes(known.values)], ignore_index=True).sort_values(_WHAT, ignore_index=True)
    table["p_corrected"] = evidence.holm(table["p"].to_numpy(float))
    table = table.astype(dict.fromkeys(FIGURES, "float64"))
    table["unit"] = table["measure"].map(_UNITS).fillna("share")
    return table[[*_WHAT, "unit", "source", *FIGURES]]


def _tables(known):
    """The rows of one measure at one stage, with how to judge them."""
    kinds = ((known.shares, _share), (known.values, _value), (known.times, _time))
    for table, judge in kinds:
        for _, of in table.groupby(_WHAT[1:], sort=True):
            yield of, judge


class _Group(NamedTuple):
    """One measure at one stage, of all personas."""

    table: pd.DataFrame
    judge: object

    @property
    def personas(self) -> list:
        """Those of whom enough is known; none where an action or a topic is of a handful of customers in all."""
        table = self.table
        counts = table.groupby("persona")["n"].sum() if "n" in table else table["persona"].value_counts()
        shown = sorted(counts.index[counts >= FEWEST])
        rare = table["measure"].iloc[0] in _LEVELS and table["k"].sum() < FEWEST
        return [] if rare else shown

    def rows(self, confidence, several):
        table = self.table[self.table["persona"].isin(self.personas)]
        first = self.table.iloc[0]
        for persona in self.personas:
            here = (table["persona"] == persona).to_numpy()
            found = self.judge(table, here, confidence, several and len(self.personas) > 1)
            yield {"persona": persona, **first[[*_WHAT[1:], "source"]], **found}


def _share(table, here, confidence, compared):
    k, n = int(table.loc[here, "k"].sum()), int(table.loc[here, "n"].sum())
    low, high = evidence.share_interval(k, n)
    found = {"value": k / n, "value_low": low, "value_high": high, "n": n}
    if not compared:
        return found
    k_else, n_else = int(table.loc[~here, "k"].sum()), int(table.loc[~here, "n"].sum())
    figures = evidence.difference_of_shares(k, n, k_else, n_else, confidence)
    found |= dict(zip(("difference", "low", "high", "p"), figures, strict=True))
    if (k + k_else) * min(n, n_else) < _EXPECTED * (n + n_else):
        found["p"] = fisher_exact([[k, n - k], [k_else, n_else - k_else]]).pvalue
    return found | {"elsewhere": k_else / n_else, "n_elsewhere": n_else, "effect": found["difference"]}


def _value(table, here, confidence, compared):
    values = table["value"].to_numpy(float)
    mine, others = values[here], values[~here]
    found = dict(zip(("value", "value_low", "value_high"), evidence.mean_interval(np.sort(mine)), strict=True))
    found["n"] = len(mine)
    if not compared:
        return found
    figures = evidence.difference_of_means(mine, others, confidence)[:3]
    found |= dict(zip(("difference", "low", "high"), figures, strict=True))
    delta, p = rank_test(values, here)
    elsewhere = {"elsewhere": float(np.sort(others).mean()), "n_elsewhere": len(others)}
    return found | elsewhere | {"effect": delta, "p": p}


def rank_test(values, here) -> tuple[float, float]:
    """Cliff's delta of those here against the others, and its two-sided p value.

    Notes
    -----
    The test of Mann and Whitney (1947, Annals of Mathematical Statistics 18) with the variance under ties. Welch's
    would take a few customers who happen to agree for a group without any spread.

    Examples
    --------
    >>> delta, p = rank_test(np.array([1.0, 2, 3, 4, 5, 6]), np.array([True] * 3 + [False] * 3))
    >>> delta, round(p, 4)
    (-1.0, 0.0495)
    """
    n, n_else, total = here.sum(), (~here).sum(), len(values)
    ranks = rankdata(values)
    u = ranks[here].sum() - n * (n + 1) / 2 - n * n_else / 2
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    variance = n * n_else / 12 * (total + 1 - (ties**3 - ties).sum() / (total * (total - 1)))
    p = 2 * ndtr(-abs(u) / np.sqrt(variance)) if variance > 0 else 1.0
    return float(2 * u / (n * n_else)), float(p)


def _time(table, here, confidence, compared):
    days, happened = table["days"].to_numpy(float), table["happened"].to_numpy(bool)
    mine = waiting.median_days(days[here], happened[here])
    found = dict(zip(("value", "value_low", "value_high"), mine, strict=True)) | {"n": int(here.sum())}
    if compared:
        found |= waiting.against(days, happened, here, confidence) | {"n_elsewhere": int((~here).sum())}
    return {name: np.nan if np.isinf(figure) else figure for name, figure in found.items()}


def _changes(values: pd.DataFrame) -> pd.DataFrame:
    """How far each persona's score is from that of the stage before, where both were asked in the same way."""
    scores = values[(values["measure"] == "score") & (values["place"] != WHOLE)]
    rows = []
    for (persona, instrument), asked in scores.groupby(["persona", "of"]):
        of_stage = {place: of["value"].to_numpy(float) for place, of in asked.groupby("place") if len(of) >= FEWEST}
        for before, place in pairwise(sorted(of_stage)):
            both = np.concatenate([of_stage[place], of_stage[before]])
            change, low, high, _ = evidence.difference_of_means(of_stage[place], of_stage[before])
            p = rank_test(both, np.arange(len(both)) < len(of_stage[place]))[1]
            what = {
                "persona": persona,
                "place": place,
                "row": "feelings",
                "measure": "change",
                "of": f"{instrument} {before}",
            }
            found = {"value": change, "value_low": low, "value_high": high, "n": len(of_stage[place]), "p": p}
            rows.append(what | found | {"source": "feedback"})
    return pd.DataFrame(rows, columns=[*_WHAT, "source", *FIGURES])
