"""Which ways do customers take most often?"""

from collections.abc import Sequence

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.journeys.moments import clean, collected, require_names
from analysis.journeys.shares import interval
from analysis.journeys.transitions import order_of_events, ranked

ARROW = " → "


def paths(
    events: IntoFrame, max_length: int = 6, top: int = 15, goal: str | None = None, order: Sequence[str] = ()
) -> pd.DataFrame:
    """Which ways do customers take most often?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    max_length : int
        Events shown of a path; a longer one ends in "…".
    top : int
        Number of paths wanted, commonest first, ties by name.
    goal : str, optional
        Event that the path should lead to: adds how many get there, at any time.
    order : sequence of str, optional
        Order of events that happened at the same moment, as in :func:`transitions`.

    Returns
    -------
    DataFrame
        ``path``, the events in order, repeats in direct succession folded into one; ``customers``; ``share`` of all
        customers with its 95 % Wilson interval ``low``, ``high``; with `goal`, ``goal_share`` of the path's customers
        with ``goal_low``, ``goal_high``.

    Raises
    ------
    Problem
        If a column is missing or nothing is called `goal`.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "event": ["visit", "visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-21", "2025-03-22", "2025-03-23"])})
    >>> paths(visits)[["path", "customers", "share"]]
                path  customers  share
    0          visit          1    0.5
    1  visit → order          1    0.5
    """
    moments = clean(events)
    if goal is not None:
        require_names(moments, [goal])
    counts = collected(
        _path_per_customer(moments, max_length, goal, order)
        .group_by("path")
        .agg(customers=nw.len(), reached_goal=nw.col("reached_goal").sum())
        .with_columns(all_customers=nw.col("customers").sum())
        .sort("customers", "path", descending=[True, False])
        .head(top)
    ).reset_index(drop=True)
    n, total = counts["customers"].to_numpy("int64"), counts["all_customers"].to_numpy("int64")
    table = pd.DataFrame({"path": counts["path"], "customers": n, "share": n / total})
    table["low"], table["high"] = interval(n, total)
    if goal is not None:
        arrived = counts["reached_goal"].to_numpy("int64")
        table["goal_share"] = arrived / n
        table["goal_low"], table["goal_high"] = interval(arrived, n)
    return table


def _path_per_customer(moments: nw.LazyFrame, max_length: int, goal: str | None, order: Sequence[str]) -> nw.LazyFrame:
    """Lazy frame [customer_id, path, reached_goal (0 or 1)]: one column per position, as no backend strings up rows."""
    in_order = {"order_by": order_of_events(order)}
    positions = [f"event_{i}" for i in range(1, max_length + 1)]
    folded = (
        ranked(moments, order)
        .with_columns(before=nw.col("event").shift(1).over("customer_id", **in_order))
        .filter(nw.col("before").is_null() | (nw.col("before") != nw.col("event")))
        .with_columns(one=nw.lit(1))  # summed up: over pandas, cum_count() of a column of order_by is wrong
        .with_columns(position=nw.col("one").cum_sum().over("customer_id", **in_order))
    )
    at_goal = nw.lit(0) if goal is None else nw.when(nw.col("event") == goal).then(nw.lit(1)).otherwise(nw.lit(0))
    return (
        folded.with_columns(
            *[
                nw.when(nw.col("position") == i).then(nw.col("event")).alias(name)
                for i, name in enumerate(positions, start=1)
            ],
            reached_goal=at_goal,
        )
        .group_by("customer_id")
        .agg(*[nw.col(name).max() for name in [*positions, "position", "reached_goal"]])
        .with_columns(more=nw.when(nw.col("position") > max_length).then(nw.lit("…")))
        .select(
            "customer_id",
            "reached_goal",
            path=nw.concat_str([*positions, "more"], separator=ARROW, ignore_nulls=True),
        )
    )
