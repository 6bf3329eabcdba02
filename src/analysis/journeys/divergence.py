"""How far is what customers do from the way that was intended for them?"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.journeys.clusters import share_of_customers
from analysis.journeys.shares import CONFIDENCE, DIFFERENCE_COLUMNS, interval, with_corrected_differences
from analysis.journeys.transitions import END, folded, transitions, walks
from analysis.journeys.walks import OTHER, letters, walk_counts, without_repeats
from analysis.locale import named
from analysis.phrases import counted, phrase

#: What may become of a plan; all but the first may come together.
KINDS_OF_DIVERGENCE = ("followed", "skipped", "went back", "left", "did something else")


class Divergence(NamedTuple):
    """How customers depart from the intended way.

    Attributes
    ----------
    kinds : DataFrame, one row per group and kind of `KINDS_OF_DIVERGENCE`
        The group's column where one was given; ``kind``; ``n`` customers (or sessions) ``of`` all who took any step of
        the plan; ``share`` with 95 % interval ``low``, ``high``. With groups also ``elsewhere``, ``difference``,
        ``difference_low``, ``difference_high``, ``p``, ``p_corrected``, ``differs``, as in :func:`compare_funnels`.
    steps : DataFrame, one row per step and what came next
        ``step``, ``planned``, ``happened``, ``as_planned`` (bool), ``n`` moves, their ``share`` of all from the step,
        ``low``, ``high``.
    fitness : DataFrame, one row per group
        The group's column where one was given; ``customers``; ``fitness`` from 0 to 1 with ``low``, ``high``; with
        groups the columns of their differences.
    words : str
        What came out, in two or three sentences.
    """

    kinds: pd.DataFrame
    steps: pd.DataFrame
    fitness: pd.DataFrame
    words: str


def divergence(
    events: IntoFrame,
    intended: Sequence[str],
    by: pd.DataFrame | None = None,
    group: str = "persona",
    per: str = "customer_id",
    min_size: int = 5,
) -> Divergence:
    """How far is what customers do from the way that was intended for them?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    intended : sequence of str
        The steps that customers should take, in order, at least two; none give empty tables, for a base without steps.
    by : DataFrame with columns customer_id (each once) and `group`, optional
        Customers of no group are then left out.
    group : str
    per : str
        The column that names who moves: a customer, or "session_id", "deal_id".
    min_size : int
        Groups with fewer customers on the way are left out altogether, from "elsewhere" too.

    Returns
    -------
    Divergence

    Raises
    ------
    Problem
        If a column is missing, a step is not among the events, or `by` names a customer twice or none of these.

    Notes
    -----
    Who took no step of the plan is not judged. *Followed*: all steps, in order, each once (repeats in direct
    succession are one). *Skipped*: came to a step before one that should come earlier. *Went back*: from a step to an
    earlier one. *Left*: never came to the last step by the end of the data. *Did something else*: other events between
    the first and the last step taken.

    Fitness is that of an optimal alignment with costs of one for each step taken that was not planned and each planned
    that was not taken, against the costs of taking and planning nothing in common (van der Aalst, Adriansyah and van
    Dongen 2012, WIREs Data Mining and Knowledge Discovery 2:182): twice the longest common part over the length of
    both. Other events cost nothing. It is averaged over customers, each counting once: the interval is Student's, the
    difference Welch's.

    Examples
    --------
    >>> rows = [("a", "visit"), ("a", "cart"), ("a", "order"), ("b", "visit"), ("b", "order"), ("c", "visit")]
    >>> log = pd.DataFrame(rows, columns=["customer_id", "event"])
    >>> log["occurred_at"] = pd.to_datetime("2025-03-20") + pd.to_timedelta(range(6), unit="h")
    >>> found = divergence(log, ["visit", "cart", "order"])
    >>> found.kinds[["kind", "n", "of"]].head(4)
            kind  n  of
    0   followed  1   3
    1    skipped  1   3
    2  went back  0   3
    3       left  1   3
    >>> found.fitness["fitness"].round(2).tolist()  # of 1, 4/5 and 2/4
    [0.77]
    """
    letter = letters(intended) if len(intended) else {}
    counts = walk_counts(events, letter, per, others=True)
    counts = _with_group(counts, by, group, min_size)
    judged = {walk: (*_departures(walk, letter), _fitness(walk, letter)) for walk in counts["walk"].unique()}
    figures = pd.DataFrame.from_dict(judged, orient="index", columns=[*KINDS_OF_DIVERGENCE, "fitness"])
    figures.index = figures.index.astype("str")  # without any walk it would be numbers
    counts = counts.join(figures.astype("float64"), on="walk")
    moments = walks(events, per)
    steps = _next_steps(transitions(folded(moments, per, list(letter)), list(letter), per), list(letter))
    kinds, fitness = _shares_of_kinds(counts, group), _mean_fitness(counts, group)
    words = _in_words(counts, steps, per)
    if by is None or not len(by):
        kinds = kinds[["kind", "n", "of", "share", "low", "high"]]
        fitness = fitness[["customers", "fitness", "low", "high"]]
    return Divergence(kinds, steps, fitness, words)


def _with_group(counts: pd.DataFrame, by: pd.DataFrame | None, group: str, min_size: int) -> pd.DataFrame:
    """The walks with the group of each customer; one group of all where none are asked for."""
    if by is None or not len(by):
        return counts.assign(**{group: "everybody"})
    require_columns("The table of groups", by.columns, ["customer_id", group])
    groups = by[["customer_id", group]].dropna()
    groups = groups.assign(customer_id=groups["customer_id"].astype("str"))
    twice = groups["customer_id"].duplicated().sum()
    if twice:
        raise Problem(f"The table of groups names {twice} customers more than once. Each may be in one {group} only.")
    joined = counts.merge(groups, on="customer_id")
    if joined.empty and len(counts):
        raise Problem(
            f"None of the {len(groups)} customers with a {group} took a step of the plan. "
            "Check that both tables name customers by the same id."
        )
    return joined[joined.groupby(group)["customer_id"].transform("nunique") >= min_size]


def _departures(walk: str, letter: dict[str, str]) -> tuple[bool, ...]:
    """Whether each of `KINDS_OF_DIVERGENCE` holds of a walk."""
    signs, taken = list(letter.values()), _of_plan(walk)
    firsts = list(dict.fromkeys(taken))
    followed = taken == "".join(signs)
    skipped = firsts != signs[: len(firsts)]
    back = any(there < here for here, there in pairwise(taken))
    return followed, skipped, back, signs[-1] not in taken, OTHER in walk.strip(OTHER)


def _fitness(walk: str, letter: dict[str, str]) -> float:
    """Twice the length of the longest common subsequence of walk and plan, over the length of both."""
    taken, best = _of_plan(walk), [0] * (len(letter) + 1)
    for sign in taken:
        before = best.copy()
        for i, planned in enumerate(letter.values(), start=1):
            best[i] = before[i - 1] + 1 if sign == planned else max(before[i], best[i - 1])
    return 2 * best[-1] / (len(taken) + len(letter))


def _of_plan(walk: str) -> str:
    return without_repeats(walk.replace(OTHER, ""))


def _next_steps(moves: pd.DataFrame, steps: list[str]) -> pd.DataFrame:
    planned = dict(pairwise([*steps, END]))
    place = {step: i for i, step in enumerate(steps)}
    moves = moves[moves["source"].isin(steps)].rename(columns={"source": "step", "target": "happened"})
    moves = moves.assign(planned=moves["step"].map(planned), _place=moves["step"].map(place))
    moves = moves.assign(as_planned=moves["planned"] == moves["happened"])
    moves = moves.sort_values(["_place", "n", "happened"], ascending=[True, False, True], ignore_index=True)
    return moves[["step", "planned", "happened", "as_planned", "n", "share", "low", "high"]]


def _shares_of_kinds(counts: pd.DataFrame, group: str) -> pd.DataFrame:
    """Share of each kind in each group, with interval and corrected difference from everybody else."""
    rows = []
    for name in sorted(counts[group].unique()):
        inside = (counts[group] == name).to_numpy()
        for kind in KINDS_OF_DIVERGENCE:
            here, size = _share(counts[inside], kind)
            there, size_there = _share(counts[~inside], kind)
            n = counts.loc[inside, "n"]
            having = (n * counts.loc[inside, kind]).sum()
            rows.append((name, kind, having, n.sum(), here, here * size, size, there * size_there, size_there))
    names = [group, "kind", "having", "of", "share", "k", "n", "k_elsewhere", "n_elsewhere"]
    table = pd.DataFrame(rows, columns=names).fillna({"k_elsewhere": 0})
    low, high = interval(table["k"], table["n"])
    table = with_corrected_differences(table.assign(low=low, high=high)).drop(columns="n")
    table = table.rename(columns={"having": "n"}).astype({"n": "int64", "of": "int64"})
    return table[[group, "kind", "n", "of", "share", "low", "high", *DIFFERENCE_COLUMNS, "differs"]]


def _share(counts: pd.DataFrame, kind: str) -> tuple[float, float]:
    of = counts.assign(k=counts["n"] * counts[kind]).groupby("customer_id")[["k", "n"]].sum()
    return share_of_customers(of["k"], of["n"])


def _mean_fitness(counts: pd.DataFrame, group: str) -> pd.DataFrame:
    """Mean fitness of the customers of each group, with interval and corrected difference from everybody else."""
    sums = counts.assign(fitness=counts["fitness"] * counts["n"])
    sums = sums.sort_values(["customer_id", "walk"]).groupby(["customer_id", group])[["fitness", "n"]].sum()
    each = (sums["fitness"] / sums["n"]).rename("fitness").reset_index()
    names = sorted(each[group].unique())
    rows = []
    for name in names:
        here = each.loc[each[group] == name, "fitness"].sort_values()
        there = each.loc[each[group] != name, "fitness"].sort_values()
        mean, low, high = evidence.mean_interval(here)
        compared = [np.nan] * 4
        if min(len(here), len(there)) > 1:
            confidence = 1 - (1 - CONFIDENCE) / len(names)
            compared = evidence.difference_of_means(here, there, confidence)
        rows.append((name, len(here), mean, max(low, 0.0), min(high, 1.0), there.mean(), *compared))
    table = pd.DataFrame(rows, columns=[group, "customers", "fitness", "low", "high", *DIFFERENCE_COLUMNS[:-1]])
    table["p_corrected"] = evidence.holm(table["p"])
    return table.assign(differs=table["p_corrected"] < 1 - CONFIDENCE)


def _in_words(counts: pd.DataFrame, steps: pd.DataFrame, per: str) -> str:
    if counts.empty:
        return phrase("Nobody took a step of the plan, so nothing can be said of it.")
    everybody = counts.assign(all="all")
    kinds = _shares_of_kinds(everybody, "all").set_index("kind")
    followed, fitness = kinds.loc["followed"], _mean_fitness(everybody, "all").iloc[0]
    said = phrase(
        "{share} of {customers} took the way intended (interval {range}); fitness {fitness:.2f} of 1 ({low:.2f} to "
        "{high:.2f}).",
        share=evidence.percent(followed["share"], 1),
        customers=counted(followed["of"], per.removesuffix("_id")),
        range=evidence.percent_range(followed["low"], followed["high"], 1),
        **fitness[["fitness", "low", "high"]],
    )
    astray = steps[~steps["as_planned"]]
    return said if astray.empty else f"{said} {_where_it_fails(astray.loc[astray['n'].idxmax()])}"


def _where_it_fails(most: pd.Series) -> str:
    told = {name: named(most[name]) for name in ("step", "planned", "happened")}
    told["share"] = evidence.percent(most["share"], 1)
    told["range"] = evidence.percent_range(most["low"], most["high"], 1)
    if most["happened"] == END:
        return phrase(
            "Most often the plan fails after {step}: {share} went no further ({range}), where {planned} was planned.",
            **told,
        )
    if most["planned"] == END:
        return phrase(
            "Most often the plan fails after {step}: {share} went to {happened} ({range}), where the end was planned.",
            **told,
        )
    return phrase(
        "Most often the plan fails after {step}: {share} went to {happened} ({range}), where {planned} was planned.",
        **told,
    )
