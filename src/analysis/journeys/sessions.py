"""Cut what a customer did into visits, or into attempts that begin with an event: each then has a chance of its own."""

from numbers import Real

import narwhals as nw
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.expressions import worked_out
from analysis.journeys.course import MICROSECONDS_PER_DAY
from analysis.journeys.moments import OCCURRED_AT, clean, columns_of, require_names

_MINUTES_PER_DAY = 24 * 60


def sessions(events: IntoFrame, minutes: float = 30, containing: str | None = None) -> nw.LazyFrame:
    """The events with the visit that each belongs to: a pause of more than half an hour ends it.

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    minutes : float
        Longest pause within a session; 30 is the custom of web analytics.
    containing : str, optional
        Only sessions in which this happens, such as "visit": a message sent is no visit.

    Returns
    -------
    LazyFrame
        The events without gaps in the three columns, with ``session_id``: the customer's id and the number of their
        session.

    Raises
    ------
    Problem
        If a column is missing, `minutes` is not positive, or nothing is called `containing`.

    Examples
    --------
    >>> import pandas as pd
    >>> visits = pd.DataFrame({"customer_id": [*"aaa"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.Timestamp("2025-03-20") + pd.to_timedelta([0, 20, 60], "min")})
    >>> sessions(visits).collect().to_native()[["event", "session_id"]].values.tolist()
    [['visit', 'a 1'], ['order', 'a 1'], ['visit', 'a 2']]
    """
    if not isinstance(minutes, Real) or not minutes > 0:
        raise Problem(f"A session cannot end after a pause of {minutes} minutes. Give more than 0; 30 is customary.")
    pause = minutes / _MINUTES_PER_DAY * MICROSECONDS_PER_DAY
    frame = _whole(events, "session_id")
    before = OCCURRED_AT.shift(1).over("customer_id", order_by=["occurred_at", "event"])
    waited = (OCCURRED_AT - before).dt.total_microseconds()
    begins = nw.when(waited <= pause).then(nw.lit(0)).otherwise(nw.lit(1))
    cut = worked_out(_numbered(frame.with_columns(_begins=begins), "session_id", ["occurred_at", "event"]))
    if containing is None:
        return cut
    require_names(frame, [containing])
    wanted = cut.filter(nw.col("event") == containing).select("session_id").unique()
    return worked_out(cut.join(wanted, on="session_id", how="semi"))


def attempts(events: IntoFrame, start: str) -> nw.LazyFrame:
    """The events with the attempt that each belongs to: every event `start` begins one.

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    start : str
        Name of the event, such as "order" to follow each order by itself.

    Returns
    -------
    LazyFrame
        The events from each customer's first `start` on, with ``attempt_id``: the customer's id and a number.

    Raises
    ------
    Problem
        If a column is missing or nothing is called `start`.

    Notes
    -----
    A `start` recorded twice for the same moment begins one attempt; other events of that moment belong to it. What
    comes after the next `start` belongs to that one: a delivery later than the next order is counted with it, so that
    a slow step also looks as if it lost a few.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"customer_id": [*"aaa"], "event": ["order", "order", "delivery"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-21", "2025-03-23"])})
    >>> attempts(orders, "order").collect().to_native()[["event", "attempt_id"]].values.tolist()
    [['order', 'a 1'], ['order', 'a 2'], ['delivery', 'a 2']]
    """
    frame = _whole(events, "attempt_id")
    require_names(frame, [start])
    is_start = nw.when(nw.col("event") == start).then(nw.lit(0)).otherwise(nw.lit(1))
    order = ["occurred_at", "_later"]
    frame = frame.with_columns(_later=is_start)
    before = OCCURRED_AT.shift(1).over("customer_id", order_by=order)
    event_before = nw.col("event").shift(1).over("customer_id", order_by=order)
    again = (event_before == start) & (before == OCCURRED_AT)
    begins = nw.when((nw.col("event") == start) & ~again.fill_null(False)).then(nw.lit(1)).otherwise(nw.lit(0))
    numbered = _numbered(frame.with_columns(_begins=begins), "attempt_id", order, number="_number")
    return worked_out(numbered.filter(nw.col("_number") > 0).drop("_later", "_number"))


def _whole(events: IntoFrame, new: str) -> nw.LazyFrame:
    """All columns of the events, without gaps in the three that they need."""
    return clean(events, more=[c for c in columns_of(events) if c != new])


def _numbered(frame: nw.LazyFrame, name: str, order: list[str], number: str | None = None) -> nw.LazyFrame:
    """Adds the customer's id with the count of what has begun so far."""
    so_far = nw.col("_begins").cum_sum().over("customer_id", order_by=order)
    counted = frame.with_columns(_so_far=so_far).drop("_begins")
    id = nw.concat_str([nw.col("customer_id").cast(nw.String), nw.col("_so_far").cast(nw.String)], separator=" ")
    named = counted.with_columns(id.alias(name))
    return named.rename({"_so_far": number}) if number else named.drop("_so_far")
