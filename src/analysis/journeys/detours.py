"""Who goes back, who walks in circles, who jumps ahead, and what becomes of them?"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.journeys.clusters import share_of_customers
from analysis.journeys.shares import DIFFERENCE_COLUMNS, interval, with_corrected_differences
from analysis.journeys.walks import goal_letter, letters, walk_counts

ARROW = " → "

_COUNTED = ["n", "of", "share", "size", "goal_share", "k", "sized", "k_elsewhere", "n_elsewhere"]
FIGURES = ["n", "of", "share", "low", "high", "goal_share", *DIFFERENCE_COLUMNS, "differs"]


def loops(
    events: IntoFrame, steps: Sequence[str], goal: str | None = None, per: str = "customer_id", min_size: int = 5
) -> pd.DataFrame:
    """Who goes back to an earlier step or walks in circles, and what becomes of them?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    steps : sequence of str
        Events in the order intended, at least two; others are passed over. None give an empty table, for a base that
        has no steps.
    goal : str, optional
        The step to be reached; the last one by default.
    per : str
        The column that names who moves: a customer, or "session_id", "deal_id". Over years nearly every customer comes
        back to the first step; sessions tell more.
    min_size : int
        Outcomes are compared where so many went this way and so many another.

    Returns
    -------
    DataFrame, commonest first
        ``kind``: "return" (from a step to an earlier one) or "circle" (to another step and straight back); ``way``, its
        steps in words; ``n``, who went this way at least once; ``of``, who were where it turns off and went on to any
        step; ``share`` with its 95 % interval ``low``, ``high``. Then the outcome: ``goal_share``, of those who
        went this way, who came to the goal afterwards; ``elsewhere``, of those who went on to other steps only, who
        came there afterwards; ``difference`` of the two with ``difference_low``, ``difference_high``, ``p``,
        ``p_corrected`` (Holm) and ``differs`` (bool); empty where the way starts at the goal or ends there.

    Raises
    ------
    Problem
        If a column is missing, a step is not among the events, or the goal not among the steps.

    Notes
    -----
    A difference is no effect: who goes back may be more careful, or more in doubt, than who does not, and had to stay
    long enough to do so. All differences of the table are one family; their intervals hold together (Bonferroni).
    With more than one walk per customer, sizes are those of :func:`analysis.journeys.clusters.effective_size`.

    Examples
    --------
    >>> rows = [("a", "visit"), ("a", "cart"), ("a", "visit"), ("a", "cart"), ("a", "order"), ("b", "visit"),
    ...         ("b", "cart"), ("b", "order")]
    >>> log = pd.DataFrame(rows, columns=["customer_id", "event"])
    >>> log["occurred_at"] = pd.to_datetime("2025-03-20") + pd.to_timedelta(range(8), unit="h")
    >>> loops(log, ["visit", "cart", "order"])[["kind", "way", "n", "of", "share"]]
         kind                  way  n  of  share
    0  circle  cart → visit → cart  1   1    1.0
    1  circle  visit → cart → visit  1   2    0.5
    2  return          cart → visit  1   2    0.5
    """
    table, name = _detours(events, steps, goal, per, min_size, _turns_back)
    kind = np.where(table["walk"].str.len() == 3, "circle", "return")
    way = [ARROW.join(name[sign] for sign in walk) for walk in table["walk"]]
    table = table.assign(kind=kind, way=way)[["kind", "way", *FIGURES]].astype({"kind": "str", "way": "str"})
    return table.sort_values(["n", "kind", "way"], ascending=[False, True, True], ignore_index=True)


def jumps(
    events: IntoFrame, steps: Sequence[str], goal: str | None = None, per: str = "customer_id", min_size: int = 5
) -> pd.DataFrame:
    """Who skips steps, how often, and what becomes of them?

    Parameters
    ----------
    events, steps, goal, per, min_size
        As for :func:`loops`.

    Returns
    -------
    DataFrame, commonest first
        ``source``, ``target``; ``skipped``, the steps between, in words; then the figures of :func:`loops`: ``n`` who
        jumped ``of`` those who went on from the source to any step.

    Raises
    ------
    Problem
        As for :func:`loops`.

    Notes
    -----
    That a step is not recorded need not mean that it was not taken: a jump that nearly all make is a gap in the data
    more often than a habit. A difference in outcome is no effect of the jump.

    Examples
    --------
    >>> rows = [("a", "visit"), ("a", "order"), ("b", "visit"), ("b", "cart"), ("b", "order")]
    >>> log = pd.DataFrame(rows, columns=["customer_id", "event"])
    >>> log["occurred_at"] = pd.to_datetime("2025-03-20") + pd.to_timedelta(range(5), unit="h")
    >>> jumps(log, ["visit", "cart", "order"])[["source", "target", "skipped", "n", "of", "share"]]
      source target skipped  n  of  share
    0  visit  order    cart  1   2    0.5
    """
    table, name = _detours(events, steps, goal, per, min_size, _jumps_ahead)
    signs = sorted(name)
    skipped = [signs[signs.index(walk[0]) + 1 : signs.index(walk[1])] for walk in table["walk"]]
    ends = {"source": table["walk"].str[0].map(name), "target": table["walk"].str[-1].map(name)}
    table = table.assign(**ends, skipped=[ARROW.join(map(name.get, signs)) for signs in skipped])
    table = table[["source", "target", "skipped", *FIGURES]].astype(dict.fromkeys([*ends, "skipped"], "str"))
    return table.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)


def _turns_back(walk: str, i: int) -> Iterator[tuple[str, bool]]:
    """Where the walk came to its letter i from, and whether it turned back: to an earlier step, or in a circle."""
    yield walk[i - 1], walk[i] < walk[i - 1]
    if i > 1:
        yield walk[i - 2 : i], walk[i] == walk[i - 2]


def _jumps_ahead(walk: str, i: int) -> Iterator[tuple[str, bool]]:
    yield walk[i - 1], ord(walk[i]) > ord(walk[i - 1]) + 1


def _detours(events: IntoFrame, steps, goal, per: str, min_size: int, turns: Callable) -> tuple[pd.DataFrame, dict]:
    """The figures of each detour by its walk in letters, and the steps of the letters."""
    if len(steps) == 0:
        return _judged(pd.DataFrame(columns=_COUNTED, dtype="float64").assign(walk=pd.Series(dtype="str"))), {}
    letter = letters(steps)
    goal = goal_letter(goal, letter)
    counts = walk_counts(events, letter, per)
    found = [(walk, *turn) for walk in counts["walk"].unique() for turn in _turns_of(walk, goal, turns)]
    found = pd.DataFrame(found, columns=["walk", "start", "detour", "then", "from_start"])
    taken = counts.merge(found, on="walk")
    taken[["then", "from_start"]] = taken[["then", "from_start"]].mul(taken["n"], axis=0).astype("int64")
    taken = taken.groupby(["start", "detour", "customer_id"])[["n", "then", "from_start"]].sum()
    ways = found.loc[found["detour"] != "", ["start", "detour"]].drop_duplicates().sort_values(["start", "detour"])
    rows = [_figures(taken.loc[start, ""], taken.loc[start, way]) for start, way in ways.itertuples(index=False)]
    table = pd.DataFrame(rows, columns=_COUNTED, dtype="float64").assign(walk=ways["detour"].to_numpy("str"))
    # where the goal is part of the way, there is nothing left to come to
    told = (table["n"] >= min_size) & (table["of"] - table["n"] >= min_size) & ~table["walk"].str.contains(goal)
    table.loc[~told, ["goal_share", "k", "sized", "k_elsewhere", "n_elsewhere"]] = np.nan
    return _judged(table), {sign: step for step, sign in letter.items()}


def _turns_of(walk: str, goal: str, turns: Callable) -> Iterator[tuple[str, str, bool, bool]]:
    """Each start that the walk went on from ("" as its detour) and each detour, at its first time.

    With whether the goal comes after the detour, and whether it came after the start was first left.
    """
    last_goal = walk.rfind(goal)
    first: dict[str, bool] = {}
    taken = set()
    for i in range(1, len(walk)):
        for start, turned in turns(walk, i):
            if start not in first:
                first[start] = last_goal >= i
                yield start, "", first[start], first[start]
            if turned and (start, walk[i]) not in taken:
                taken.add((start, walk[i]))
                yield start, start + walk[i], last_goal >= i, first[start]


def _figures(all_who_left: pd.DataFrame, took: pd.DataFrame) -> tuple:
    """One row of `_COUNTED`, from the counts of each customer who left the start, and of those who took the detour."""
    took = took.reindex(all_who_left.index, fill_value=0)
    others = all_who_left - took
    share, size = share_of_customers(took["n"], all_who_left["n"])
    here, sized = share_of_customers(took["then"], took["n"])
    there, sized_there = share_of_customers(others["from_start"], others["n"])
    n, of = took["n"].sum(), all_who_left["n"].sum()
    return n, of, share, size, here, here * sized, sized, there * sized_there, sized_there


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Adds intervals and corrected differences to the counts."""
    low, high = interval(table["share"] * table["size"], table["size"])
    table = table.assign(low=low, high=high).rename(columns={"sized": "n", "n": "times"})
    table = with_corrected_differences(table.fillna({"n": 0, "n_elsewhere": 0}))
    table = table.drop(columns="n").rename(columns={"times": "n"})
    return table.astype({"n": "int64", "of": "int64"})
