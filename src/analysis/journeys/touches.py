"""Which contacts came before which conversion?

Takes events of any backend. Gives the paths by which customers came to a conversion and those that led to nothing,
counted, and for attribution the touches themselves, as a lazy frame.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import duckdb
import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.expressions import PARTS, money, one_if
from analysis.journeys.course import MICROSECONDS_PER_DAY
from analysis.journeys.moments import OCCURRED_AT, clean, collected, columns_of, require_names
from analysis.journeys.reach import midnight_after

#: Customers are drawn again in so many groups: the interval's width is then off by 2 % (1 / sqrt(2 * 1000)), and what
#: leaves the engine does not grow with the base.
_GROUPS = 1000

#: A century, in days.
_LONGEST = 36_525

PATH_COLUMNS = ["path", "total_conversions", "total_conversion_value", "total_null"]


def touch_paths(
    events: IntoFrame,
    conversion: str,
    *,
    touches: Sequence[str] = (),
    channel: str = "channel",
    window_days: float = 30,
    per: str = "customer_id",
    as_of: date | None = None,
) -> pd.DataFrame:
    """By which channels did customers come to buy, and which ways led to nothing?

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event and `channel`
        Its column value, if there is one, is money: what a conversion brought.
    conversion : str
        Name of the event that the touches may lead to, such as "order".
    touches : sequence of str
        Names of the events that count as touches. Default: all others.
    channel : str
        Column that names where a touch came from; an event without it is no touch. "campaign_id" does as well.
    window_days : float
        A touch led to the next conversion if it came at most so many days of 24 hours before it.
    per : str
        Column that names whose touches they are: customer_id, session_id, deal_id.
    as_of : date, optional
        Last day seen, in the events' own timezone. Default: up to the latest event.

    Returns
    -------
    DataFrame, the commonest path first, ties by name
        ``path``, the channels in order, joined by " > "; ``total_conversions``, ``total_null``: paths that ended in a
        conversion and that did not; ``total_conversion_value``, 0 where the events have no value. The path "" is that
        of conversions without any touch.

    Raises
    ------
    Problem
        If a column is missing, nothing is called `conversion` or as one of `touches`, or the window is not positive, or
        longer than a century.

    Notes
    -----
    A conversion ends a path. What came longer than the window before it, or before no conversion at all, makes up a
    path that led to nothing; a pause longer than the window begins another. Touches of the moment of the conversion
    came before it; touches of one moment are in the order of their channels' names, the same one twice counts once.

    Only paths that were seen for the whole window are judged: those that begin later than `window_days` before the end
    are left out whether they have converted or not, as the slow ones among them are not in yet. A touch whose window is
    still open is likewise neither a success nor a failure.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": [*"aaab"], "event": ["click", "visit", "order", "visit"],
    ...                        "channel": ["email", "web", None, "web"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-01", "2025-03-02", "2025-03-02", "2025-06-01"])})
    >>> touch_paths(events, "order").values.tolist()
    [['email > web', 1, 0.0, 0]]
    """
    judged = judged_touches(events, conversion, touches, channel, window_days, per, as_of)
    steps = judged.select("path", "place", "channel", "worth", "id", came=nw.col("in_time"))
    native = nw.to_native(steps)
    relation = native if isinstance(native, duckdb.DuckDBPyRelation) else duckdb.from_df(collected(steps))
    ways = relation.aggregate(
        "coalesce(string_agg(channel, ' > ' ORDER BY place), '') AS path, max(came) AS came, max(worth) AS worth",
        "id, path",
    )
    found = ways.aggregate("path, sum(came) AS came, sum(worth * came) AS worth, count(*) AS paths", "path").df()
    counts = found[["came", "worth", "paths"]].astype("int64")
    table = pd.DataFrame({"path": found["path"], "total_conversions": counts["came"]})
    table["total_conversion_value"] = counts["worth"] / PARTS
    table["total_null"] = counts["paths"] - counts["came"]
    order = table.assign(paths=counts["paths"]).sort_values(["paths", "path"], ascending=[False, True]).index
    return table.loc[order].reset_index(drop=True)


def judged_touches(events, conversion: str, touches, channel: str, window_days: float, per: str, as_of) -> nw.LazyFrame:
    """The touches of all paths that were seen for the whole window, in the order of their times; conversions that no
    touch led to are paths of one row without channel.

    Columns id (number of whose touches they are), unit, occurred_at, channel; path (number of the id's), in_time (1: it
    converted), worth of its conversion in whole ten-thousandths; place, of, last_at; source, the channel before.
    """
    if not 0 < window_days <= _LONGEST:
        raise Problem(f"window_days must be above 0 and at most {_LONGEST:,} (30 is customary), not {window_days}.")
    window = int(window_days * MICROSECONDS_PER_DAY)
    rows, end = _rows(events, conversion, touches, channel, per, as_of)
    cut, order = nw.lit(end - timedelta(microseconds=window)), {"order_by": ["occurred_at", "is_end", "channel"]}
    path, one = ("id", "path"), nw.col("one")
    return (
        _led(rows, window, order)
        # a touch whose window is open neither led to something nor to nothing
        .filter((nw.col("in_time") == 1) | (cut >= OCCURRED_AT))
        .with_columns(path=nw.col("begins").cum_sum().over("id", **order), one=nw.lit(1))
        .with_columns(
            began_at=OCCURRED_AT.min().over(*path), last_at=OCCURRED_AT.max().over(*path), of=one.sum().over(*path),
            place=one.cum_sum().over(*path, **order), source=nw.col("channel").shift(1).over(*path, **order),
        )
        .filter(nw.col("began_at") <= cut)
    )  # fmt: skip


def _led(rows: nw.LazyFrame, window: int, order: dict) -> nw.LazyFrame:
    """Adds to each touch whether it was followed by a conversion in time (in_time) and what that was worth, and whether
    it begins a path; of the conversions only those that no touch led to are left."""
    turn = ("id", "turn")

    def soon(later: nw.Expr, earlier: nw.Expr) -> nw.Expr:
        return one_if((later - earlier).dt.total_microseconds() <= window)

    before = {f"{c}_before": nw.col(c).shift(1).over("id", **order) for c in ("occurred_at", "is_end")}
    after_touch = nw.col("is_end_before") == 0  # and thus in the same turn
    at_before, is_end = nw.col("occurred_at_before"), nw.col("is_end")
    return (
        rows.with_columns(**before, so_far=is_end.cum_sum().over("id", **order))
        .with_columns(turn=nw.col("so_far") - is_end, paused=1 - soon(OCCURRED_AT, at_before))
        .with_columns(ended_at=nw.col("ended_at").max().over(*turn), worth=nw.col("parts").sum().over(*turn))
        .with_columns(in_time=soon(nw.col("ended_at"), OCCURRED_AT), before_in_time=soon(nw.col("ended_at"), at_before))
        # if any touch led to a conversion, then the last one before it
        .filter((is_end == 0) | ~after_touch.fill_null(False) | (nw.col("before_in_time") == 0))
        .with_columns(goes_on=after_touch & (nw.col("paused") == 0) & (nw.col("in_time") == nw.col("before_in_time")))
        .with_columns(begins=nw.when(nw.col("goes_on")).then(nw.lit(0)).otherwise(nw.lit(1)))
    )


def _rows(events, conversion: str, touches, channel: str, per: str, as_of) -> tuple[nw.LazyFrame, datetime]:
    """Touches (is_end 0) and conversions (is_end 1) without repeats, each with the unit it is drawn with; the end."""
    columns = columns_of(events)
    who = "customer_id" if "customer_id" in columns else per
    whole = clean(events, per, [who, channel, *[c for c in ("value",) if c in columns]])
    require_names(whole, [conversion, *touches])
    ids = {"per": nw.col(per), "who": nw.coalesce(*[nw.col(c).cast(nw.String) for c in (who, per)])}
    seen, end = _until(whole.with_columns(**ids), as_of)
    is_touch = nw.col("event").is_in(list(touches)) if len(touches) else nw.col("event") != conversion
    touched = seen.filter(is_touch & ~nw.col(channel).is_null())
    rows = nw.concat([_touched(touched, channel), _ends(seen.filter(nw.col("event") == conversion))])
    # numbers instead of names: by these the engine sorts in half the time
    ids = rows.select("per", "who").unique()
    numbers = {c: nw.col(c).rank("dense").cast(nw.Int64) for c in ("per", "who")}
    ids = ids.with_columns(id=numbers["per"], unit=(numbers["who"] - 1) % _GROUPS)
    return rows.join(ids, on=["per", "who"], how="inner").drop("per", "who"), end


def _until(events: nw.LazyFrame, as_of: date | None) -> tuple[nw.LazyFrame, datetime]:
    if as_of is None:
        return events, collected(events.select(OCCURRED_AT.max()))["occurred_at"].iloc[0].to_pydatetime()
    end = midnight_after(as_of, events.collect_schema()["occurred_at"].time_zone)
    return events.filter(nw.lit(end) > OCCURRED_AT), end


def _touched(touches: nw.LazyFrame, channel: str) -> nw.LazyFrame:
    told = touches.select("per", "who", "occurred_at", channel=nw.col(channel).cast(nw.String)).unique()
    never = nw.lit(None, dtype=touches.collect_schema()["occurred_at"])
    return _alike(told.with_columns(ended_at=never, is_end=nw.lit(0), parts=nw.lit(0)))


def _ends(conversions: nw.LazyFrame) -> nw.LazyFrame:
    """Conversions of one moment are one, and bring what they come to; recorded twice they were paid once."""
    columns = ["per", "who", "occurred_at"]
    parts = money(nw.col("value")) if "value" in conversions.collect_schema() else nw.lit(0)
    told = conversions.select(*columns, parts=parts).unique().group_by(columns).agg(nw.col("parts").sum())
    nowhere = nw.lit(None, dtype=nw.String)
    return _alike(told.with_columns(ended_at=OCCURRED_AT, is_end=nw.lit(1), channel=nowhere))


def _alike(rows: nw.LazyFrame) -> nw.LazyFrame:
    numbers = [nw.col(c).cast(nw.Int64) for c in ("is_end", "parts")]
    return rows.select("per", "who", "occurred_at", "channel", "ended_at", *numbers)
