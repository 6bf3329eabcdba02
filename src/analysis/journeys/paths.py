"""Which ways do customers take most often?"""

from collections.abc import Sequence

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.journeys.clusters import effective_size
from analysis.journeys.moments import collected, require_names
from analysis.journeys.shares import interval, ratio
from analysis.journeys.transitions import folded, order_of_events, walks

ARROW = " → "


def paths(
    events: IntoFrame,
    max_length: int = 6,
    top: int = 15,
    goal: str | None = None,
    order: Sequence[str] = (),
    per: str = "customer_id",
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
    per : str
        The column that names who moves: a customer, or "session_id", "deal_id".

    Returns
    -------
    DataFrame
        ``path``, the events in order, repeats in direct succession folded into one; ``customers`` (or sessions, deals)
        that took it; ``share`` of all with its 95 % Wilson interval ``low``, ``high``; with `goal`, ``goal_share`` of
        those who took it, with ``goal_low``, ``goal_high``. Where a customer has several sessions, both intervals are
        for as many as would tell as much if each were somebody else's (:func:`analysis.journeys.clusters`).

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
    moments = walks(events, per)
    if goal is not None:
        require_names(moments, [goal])
    of_each = _path_of_each(moments, max_length, goal, order, per).group_by("customer_id", "path")
    of_each = of_each.agg(customers=nw.len(), arrived=nw.col("reached_goal").sum())
    k, g, of = nw.col("customers"), nw.col("arrived"), nw.col("of")
    products = {"kk": k * k, "kn": k * of, "gg": g * g, "gk": g * k}
    counts = collected(
        of_each.collect("pyarrow")
        .lazy("duckdb")
        .with_columns(of=k.sum().over("customer_id"))
        .group_by("path")
        .agg(k.sum(), g.sum(), *(product.sum().alias(name) for name, product in products.items()))
        .with_columns(n=k.sum(), nn=nw.col("kn").sum())
        .sort("customers", "path", descending=[True, False])
        .head(top)
    )
    return _with_intervals(counts.reset_index(drop=True), goal)


def _with_intervals(counts: pd.DataFrame, goal: str | None) -> pd.DataFrame:
    k, n, kk, kn, nn, g, gg, gk = (
        counts[c].to_numpy("float64") for c in ("customers", "n", "kk", "kn", "nn", "arrived", "gg", "gk")
    )
    share, size = ratio(k, n), effective_size(k, n, kk, kn, nn)
    table = pd.DataFrame({"path": counts["path"], "customers": counts["customers"].astype("int64"), "share": share})
    table["low"], table["high"] = interval(share * size, size)
    if goal is not None:
        arrived, size = ratio(g, k), effective_size(g, k, gg, gk, kk)
        table["goal_share"] = arrived
        table["goal_low"], table["goal_high"] = interval(arrived * size, size)
    return table


def _path_of_each(moments: nw.LazyFrame, max_length: int, goal: str | None, order, per: str) -> nw.LazyFrame:
    """Lazy frame [customer_id, path, reached_goal (0 or 1)] of each who moves.

    One column per position, as no backend strings up rows.
    """
    positions = [f"event_{i}" for i in range(1, max_length + 1)]
    placed = (
        folded(moments, per, order)
        .with_columns(one=nw.lit(1))  # summed up: over pandas, cum_count() of a column of order_by is wrong
        .with_columns(position=nw.col("one").cum_sum().over(per, order_by=order_of_events(order)))
    )
    at_goal = nw.lit(0) if goal is None else nw.when(nw.col("event") == goal).then(nw.lit(1)).otherwise(nw.lit(0))
    return (
        placed.with_columns(
            *[
                nw.when(nw.col("position") == i).then(nw.col("event")).alias(name)
                for i, name in enumerate(positions, start=1)
            ],
            reached_goal=at_goal,
        )
        .group_by(*sorted({"customer_id", per}))
        .agg(*[nw.col(name).max() for name in [*positions, "position", "reached_goal"]])
        .with_columns(more=nw.when(nw.col("position") > max_length).then(nw.lit("…")))
        .select(
            "customer_id",
            "reached_goal",
            path=nw.concat_str([*positions, "more"], separator=ARROW, ignore_nulls=True),
        )
    )
