"""What do customers do next, and how long do they stay where they are?"""

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.evidence import share_interval
from analysis.journeys.clusters import SUMS, effective_size, sums_of_groups
from analysis.journeys.course import MICROSECONDS_PER_DAY
from analysis.journeys.moments import OCCURRED_AT, clean, collected, require_names
from analysis.journeys.waiting import days_until, median_days

START, END = "(start)", "(end)"  # pseudo-states before a customer's first and after the last event

#: In DuckDB the intervals compare groups of customers: so many make a variance that is true to 3 %, and cost nothing.
PARTS = 1024


def transitions(events: IntoFrame, order: Sequence[str] = (), per: str = "customer_id") -> pd.DataFrame:
    """What do customers do next?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    order : sequence of str, optional
        Order of events that happened at the same moment; events not in it come after, by name.
    per : str
        The column that names who moves: a customer, or "session_id", "deal_id".

    Returns
    -------
    DataFrame, commonest first
        ``source``, ``target``, ``n`` moves, ``share`` of all that follow the same source, with its 95 % interval
        ``low``, ``high``. A customer's first event follows "(start)", the last is followed by "(end)".

    Raises
    ------
    Problem
        If a column is missing, or the times are none.

    Notes
    -----
    An event recorded more than once for the same customer and moment counts once.

    The moves of one customer hang together, ten of one tell less than one each of ten: the interval is Wilson's, for
    as many moves as would tell as much if each came from somebody else (:func:`effective_size`). DuckDB adds customers
    up in 1,024 groups, by a hash of their id, before it compares them (the method of random groups: Wolter 2007,
    Introduction to Variance Estimation, 2nd ed., chapter 2); elsewhere each customer is a group.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> transitions(visits)[["source", "target", "n", "share"]]
        source target  n  share
    0  (start)  visit  2    1.0
    1    order  (end)  1    1.0
    2    visit  (end)  1    0.5
    3    visit  order  1    0.5
    """
    in_order = {"order_by": order_of_events(order)}
    moves = (
        ranked(walks(events, per), order)
        .with_columns(
            target=nw.col("event").shift(-1).over(per, **in_order),
            target_at=OCCURRED_AT.shift(-1).over(per, **in_order),
        )
        # of several equal rows only the last stays: its successor is a different event, or the same one later
        .filter(
            (nw.col("target").is_null()) | (nw.col("target") != nw.col("event")) | (nw.col("target_at") != OCCURRED_AT)
        )
        .select("customer_id", source=nw.col("event"), target=nw.col("target").fill_null(END))
    )
    moves = _with_part(moves).group_by("part", "source", "target").agg(n=nw.len())
    # a few rows for each pair of events: gathered once, as the starts are worked out from the same counts
    counts = moves.collect("pyarrow").lazy("duckdb").with_columns(nw.col("n").cast(nw.Int64))
    counts = nw.concat([_starts(counts), counts.select("part", "source", "target", "n")])
    table = collected(
        counts.with_columns(k=nw.col("n"), n=nw.col("n").sum().over("part", "source"))
        .group_by("source", "target")
        .agg(*sums_of_groups())
    )
    return _with_shares(table)


def stage_times(events: IntoFrame, stages: Sequence[str], per: str = "customer_id") -> pd.DataFrame:
    """How long do customers stay at a stage before they go on to another?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    stages : sequence of str
        Events that are stages, in the order in which those of the same moment count; other events are passed over.
    per : str
        The column that names who moves.

    Returns
    -------
    DataFrame, one row per stage, in their order
        ``stage``; ``entered``, who came there; ``left`` for another stage; ``still_there`` when the data end;
        ``median_days`` with its 95 % interval ``low``, ``high``, and ``p90_days``: days of 24 hours after which half
        and nine in ten have left; NaN where so many have not.

    Raises
    ------
    Problem
        If a column is missing, or nothing is called like one of the stages.

    Notes
    -----
    From a customer's first coming to a stage until their next event at another one; later stays are not counted, so
    that each customer tells once. Who has not left was seen until the last moment of all events: Kaplan and Meier
    (JASA 53, 1958), with the interval of Brookmeyer and Crowley (Biometrics 38, 1982) for the median.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "event": ["visit", "order", "visit", "order"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-20", "2025-03-24"])})
    >>> stage_times(visits, ["visit", "order"])[["stage", "entered", "left", "still_there", "median_days"]]
       stage  entered  left  still_there  median_days
    0  visit        2     2            0          2.0
    1  order        2     0            2          NaN
    """
    moments, stages = walks(events, per), list(stages)
    if not stages:
        return _stage_rows(pd.DataFrame({"event": [], "since": [], "until": []}), [], 0)
    require_names(moments, stages)
    in_order = {"order_by": order_of_events(stages)}
    stays = (
        folded(moments.filter(nw.col("event").is_in(stages)), per, stages)
        .with_columns(until=OCCURRED_AT.shift(-1).over(per, **in_order))
        .group_by(per, "event")
        .agg(since=OCCURRED_AT.min(), until=nw.col("until").min())
    )
    end = collected(moments.select(OCCURRED_AT.max()))["occurred_at"]
    return _stage_rows(collected(stays), stages, int(_microseconds(end)[0]))


def walks(events: IntoFrame, per: str = "customer_id") -> nw.LazyFrame:
    """The events without gaps: customer_id, occurred_at, event and the column that names who moves."""
    named = "customer_id" in nw.from_native(events).lazy().collect_schema()
    moments = clean(events, per, ["customer_id"] if named or per == "customer_id" else [])
    return (moments if named else moments.with_columns(customer_id=nw.col(per))).drop_nulls("customer_id")


def order_of_events(order: Sequence[str]) -> list[str]:
    return ["occurred_at", "rank", "event"] if len(order) else ["occurred_at", "event"]


def ranked(moments: nw.LazyFrame, order: Sequence[str]) -> nw.LazyFrame:
    """Adds the place of each event in the order of same-time events, if one is given."""
    if not len(order):
        return moments
    rank = nw.lit(len(order))
    for i, name in enumerate(order):
        rank = nw.when(nw.col("event") == name).then(nw.lit(i)).otherwise(rank)
    return moments.with_columns(rank=rank)


def folded(moments: nw.LazyFrame, per: str, order: Sequence[str] = ()) -> nw.LazyFrame:
    """Events that repeat the one before left out, with their rank in `order` if there is one."""
    before = nw.col("event").shift(1).over(per, order_by=order_of_events(order))
    moments = ranked(moments, order).with_columns(before=before)
    return moments.filter(nw.col("before").is_null() | (nw.col("before") != nw.col("event"))).drop("before")


def _with_part(moments: nw.LazyFrame) -> nw.LazyFrame:
    """Adds whose moves are added up before they are compared: those of a customer or, in DuckDB, of a group of them."""
    if moments.implementation is nw.Implementation.DUCKDB:
        return nw.from_native(moments.to_native().select(f"*, hash(customer_id) % {PARTS} AS part"))
    return moments.with_columns(part=nw.col("customer_id"))


def _starts(counts: nw.LazyFrame) -> nw.LazyFrame:
    """How often each event is the first: as often as it occurs without being the target of another."""
    occurrences = counts.select("part", "n", target=nw.col("source"))
    as_target = counts.filter(nw.col("target") != END).select("part", -nw.col("n"), "target")
    first = nw.concat([occurrences, as_target]).group_by("part", "target").agg(nw.col("n").sum())
    first = first.filter(nw.col("n") > 0).with_columns(nw.col("n").cast(nw.Int64), source=nw.lit(START))
    return first.select("part", "source", "target", "n")


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Moves with share and interval, from the sums over groups of customers."""
    sums = table.astype(dict.fromkeys(SUMS, "float64"))
    moves = sums["k"].to_numpy()
    # a group that never went there adds to the others' sums alone
    by_source = sums.groupby("source")[["k", "kn"]].transform("sum")
    sums["n"], sums["nn"] = by_source["k"], by_source["kn"]
    share = moves / sums["n"].to_numpy()
    size = effective_size(**{name: sums[name].to_numpy() for name in SUMS})
    low, high = share_interval(share * size, size) if len(table) else (share, share)
    table = table[["source", "target"]].assign(n=moves.astype("int64"), share=share, low=low, high=high)
    return table.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)


def _stage_rows(stays: pd.DataFrame, stages: list[str], end: int) -> pd.DataFrame:
    rows = []
    for stage in stages:
        here = stays[stays["event"] == stage]
        left = here["until"].notna().to_numpy()
        since = _microseconds(here["since"])
        days = np.where(left, _microseconds(here["until"]), end) - since
        median, p90 = days_until(days, left, (0.5, 0.9))
        _, low, high = (x if np.isfinite(x) else np.nan for x in median_days(days, left))
        rows.append((stage, len(here), left.sum(), (~left).sum(), median, low, high, p90))
    names = ["stage", "entered", "left", "still_there", "median_days", "low", "high", "p90_days"]
    table = pd.DataFrame(rows, columns=names)
    counts = dict.fromkeys(["entered", "left", "still_there"], "int64")
    days = dict.fromkeys(["median_days", "low", "high", "p90_days"], "float64")
    table = table.astype({"stage": "str"} | counts | days)
    table[["low", "high"]] /= MICROSECONDS_PER_DAY
    return table


def _microseconds(times: pd.Series) -> np.ndarray:
    return times.to_numpy("datetime64[us]").astype("int64")
