"""The walk of each customer over the steps of a journey, as a word: what detours are read from.

A walk has a letter for each step, in the order in which they were taken, repeats in direct succession as one. Equal
walks are looked at once, however many took them.
"""

import re
from collections.abc import Sequence

import duckdb
import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, did_you_mean
from analysis.journeys.moments import require_names
from analysis.journeys.transitions import walks

#: The letter of the first step: private letters of Unicode, so many that no journey runs out of them.
_FIRST = 0xF0000

#: The letter of any event that is no step; it comes before all others.
OTHER = "·"


def letters(steps: Sequence[str]) -> dict[str, str]:
    """A letter for each step; letters are in the order of the steps.

    Examples
    --------
    >>> letter = letters(["visit", "order"])
    >>> letter["visit"] < letter["order"]
    True
    """
    if isinstance(steps, str) or len(list(steps)) < 2:
        raise Problem(f"A journey needs at least two steps, in order; it was given {steps!r}.")
    steps = list(steps)
    twice = next((step for i, step in enumerate(steps) if step in steps[:i]), None)
    if twice is not None:
        raise Problem(f'"{twice}" is among the steps twice. Name each once: {", ".join(map(str, steps))}.')
    return {step: chr(_FIRST + i) for i, step in enumerate(steps)}


def goal_letter(goal: str | None, letter: dict[str, str]) -> str:
    """The letter of the goal: the last step, unless another is named."""
    steps = list(letter)
    goal = steps[-1] if goal is None else goal
    if goal not in letter:
        near = did_you_mean(goal, steps)
        raise Problem(f'The goal "{goal}" is none of the steps.{near} They are: {", ".join(steps)}.')
    return letter[goal]


def walk_counts(events: IntoFrame, letter: dict[str, str], per: str, others: bool = False) -> pd.DataFrame:
    """How often each customer took each walk: columns customer_id, walk, n.

    Parameters
    ----------
    events, per
        As for :func:`transitions`.
    letter : as from :func:`letters`
    others : bool
        Whether events that are no steps leave a trace, the letter `OTHER`; walks of nothing else are left out.
    """
    moments = walks(events, per)
    require_names(moments, list(letter))
    chosen = nw.lit(OTHER)
    for step, sign in letter.items():
        chosen = nw.when(nw.col("event") == step).then(nw.lit(sign)).otherwise(chosen)
    moments = moments.with_columns(letter=chosen)
    moments = moments if others else moments.filter(nw.col("letter") != OTHER)
    words = _relation(moments).query(
        "moments",
        f"""
        SELECT customer_id, walk, count(*) AS n FROM (
            SELECT any_value(customer_id) AS customer_id, string_agg(letter, '' ORDER BY occurred_at, letter) AS walk
            FROM moments GROUP BY "{per.replace('"', '""')}"
        ) GROUP BY ALL
        """,
    )
    counts = words.df()
    counts["walk"] = counts["walk"].map({word: without_repeats(word) for word in counts["walk"].unique()})
    counts = counts[counts["walk"] != OTHER].astype({"customer_id": "str", "walk": "str", "n": "int64"})
    return counts.groupby(["customer_id", "walk"], as_index=False)["n"].sum()


def without_repeats(word: str) -> str:
    """A word with letters in direct succession as one."""
    return re.sub(r"(.)\1+", r"\1", word, flags=re.DOTALL)


def _relation(moments: nw.LazyFrame):
    """The events in DuckDB: no other engine strings up rows in an order; theirs are handed over as Arrow."""
    if moments.implementation is nw.Implementation.DUCKDB:
        return moments.to_native()
    return duckdb.from_arrow(moments.collect("pyarrow").to_native())
