"""What do customers do next?"""

from collections.abc import Sequence

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.journeys.moments import OCCURRED_AT, clean, collected

START, END = "(start)", "(end)"  # pseudo-states before a customer's first and after the last event


def transitions(events: IntoFrame, order: Sequence[str] = ()) -> pd.DataFrame:
    """What do customers do next?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    order : sequence of str, optional
        Order of events that happened at the same moment; events not in it come after, by name.

    Returns
    -------
    DataFrame, commonest first
        ``source``, ``target``, ``n``, ``share`` of all that follow the same source. A customer's first event follows
        "(start)", the last is followed by "(end)".

    Notes
    -----
    An event recorded more than once for the same customer and moment counts once.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> transitions(visits)
        source target  n  share
    0  (start)  visit  2    1.0
    1    order  (end)  1    1.0
    2    visit  (end)  1    0.5
    3    visit  order  1    0.5
    """
    in_order = {"order_by": order_of_events(order)}
    counts = collected(
        ranked(clean(events), order)
        .with_columns(
            target=nw.col("event").shift(-1).over("customer_id", **in_order),
            target_at=nw.col("occurred_at").shift(-1).over("customer_id", **in_order),
        )
        # of several equal rows only the last stays: its successor is a different event, or the same one later
        .filter(
            (nw.col("target").is_null()) | (nw.col("target") != nw.col("event")) | (nw.col("target_at") != OCCURRED_AT)
        )
        .group_by("event", nw.col("target").fill_null(END).alias("target"))
        .agg(n=nw.len())
    ).rename(columns={"event": "source"})
    counts = pd.concat([_starts(counts), counts], ignore_index=True)
    counts["n"] = counts["n"].astype("int64")
    counts["share"] = counts["n"] / counts.groupby("source")["n"].transform("sum")
    return counts.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)


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


def _starts(counts: pd.DataFrame) -> pd.DataFrame:
    """How often each event is a customer's first: as often as it occurs without being the target of another."""
    occurrences = counts.groupby("source")["n"].sum()
    as_target = counts.groupby("target")["n"].sum().reindex(occurrences.index, fill_value=0)
    first = occurrences - as_target
    first = first[first > 0]
    return pd.DataFrame({"source": START, "target": first.index.to_list(), "n": first.to_numpy("int64")})
