"""When did each customer reach each step: the one pass over the events that all funnels rest on.

Takes events of any backend and the course of a funnel; the work is done where the events are, and one row per customer
(session, deal) who entered comes back.
"""

from collections.abc import Sequence
from datetime import MAXYEAR, date, datetime, timedelta
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from analysis.errors import Problem
from analysis.expressions import PARTS
from analysis.journeys.course import Course
from analysis.journeys.moments import OCCURRED_AT, clean, collected, columns_of, require_names

NEVER = np.iinfo(np.int64).min  # NumPy's NaT, as a whole number


class Reached(NamedTuple):
    """Who reached what, when.

    Attributes
    ----------
    cases : DataFrame, one row per customer, session or deal that entered
        Columns asked for: `per`, "customer_id", those of the entering event.
    times : array (cases, steps) of int64
        Microseconds since 1970, `NEVER` where a step was not reached; no window is applied yet.
    end : int
        Until when the events were seen.
    value : array (cases) of float64, or None
        What the events between entering and the last step came to; NaN for who did not get there or spent nothing.
        None where the events have no value.
    """

    cases: pd.DataFrame
    times: np.ndarray
    end: int
    value: np.ndarray | None


def reached(
    events, course: Course, as_of: date | None, per: str, keep: Sequence[str] = (), entering: Sequence[str] = ()
) -> Reached:
    """One row per case that entered the funnel.

    Parameters
    ----------
    events, as_of, per
        As for :func:`analysis.journeys.funnel`.
    course : Course
    keep : sequence of str
        Ids to bring along: `per` or "customer_id".
    entering : sequence of str
        Columns of the entering event to bring along.
    """
    worth = ["value"] if "value" in columns_of(events) else []
    asked = [c for step in course.asked if not isinstance(step, str) for c in step]
    everything = clean(events, per, [*dict.fromkeys([*keep, *entering, *worth, *asked])])
    seen, end = _until(everything, as_of)
    of_step = [seen.filter(course.test(i, seen)) for i in range(len(course.steps))]
    cases = _entries(of_step[0], per, [c for c in keep if c != per], list(entering))
    for i in range(1, len(course.steps)):
        cases = _with_step(cases, of_step[i].select(per, _time=OCCURRED_AT), i, course.since(i), per)
    if worth:
        cases = _with_value(cases, seen, f"_step_{len(course.steps) - 1}", per)
    table = _collected(cases, [*keep, *entering], len(course.steps), bool(worth))
    if (table.times == NEVER).all(axis=0).any():  # only then may a name be unknown: spares a pass over the events
        require_names(everything, [step for step in course.asked if isinstance(step, str)])
    return table._replace(end=end)


def midnight_after(day: date, time_zone: str | None) -> datetime:
    """The moment at which a day ends."""
    if not isinstance(day, date) or pd.isna(day) or day.year == MAXYEAR:
        raise Problem(f"{day!r} is no day to look back from: give a date, e.g. date(2026, 3, 20).")
    midnight = pd.Timestamp(datetime.combine(day, datetime.min.time()) + timedelta(days=1))
    if time_zone is not None:  # where clocks go forward at midnight, the day begins at one
        midnight = midnight.tz_localize(time_zone, nonexistent="shift_forward", ambiguous=True)
    return midnight.to_pydatetime()


def _until(events: nw.LazyFrame, as_of: date | None) -> tuple[nw.LazyFrame, int]:
    """The events of the time that is looked at, and its last moment: with midnight the next day begins."""
    if as_of is None:
        return events, int(_microseconds(collected(events.select(OCCURRED_AT.max()))["occurred_at"])[0])
    midnight = midnight_after(as_of, events.collect_schema()["occurred_at"].time_zone)
    return events.filter(nw.lit(midnight) > OCCURRED_AT), int(_microseconds(pd.Series([midnight]))[0]) - 1


def _entries(entering: nw.LazyFrame, per: str, ids: list[str], columns: list[str]) -> nw.LazyFrame:
    """The first step: its earliest time, and what its event tells; of several at that time, the least by name."""
    entries = entering.group_by(per).agg(nw.col("occurred_at").min().alias("_step_0"), *[nw.col(c).min() for c in ids])
    if not columns:
        return entries
    told = entering.select(per, *columns, _step_0=OCCURRED_AT)
    first = entries.join(told, on=[per, "_step_0"], how="left").group_by(per)
    return first.agg(*[nw.col(c).any_value() for c in ("_step_0", *ids)], *[nw.col(c).min() for c in columns])


def _with_step(cases: nw.LazyFrame, here: nw.LazyFrame, place: int, since: int, per: str) -> nw.LazyFrame:
    """Adds the earliest time of a step at or after that of the step `since`."""
    last, this = nw.col(f"_step_{since}"), f"_step_{place}"
    known = [c for c in cases.collect_schema().names() if c != per]
    return (
        # whoever is lost has no key and finds no events: a quarter less time than joining and dismissing them
        cases.with_columns(still_here=nw.when(~last.is_null()).then(nw.col(per)))
        .join(here, left_on="still_here", right_on=per, how="left")
        .with_columns(nw.when(nw.col("_time") >= last).then(nw.col("_time")).alias(this))
        .group_by(per)
        .agg(*[nw.col(c).any_value() for c in known], nw.col(this).min())
    )


def _with_value(cases: nw.LazyFrame, events: nw.LazyFrame, last: str, per: str) -> nw.LazyFrame:
    """Adds what the events from entering to the last step came to, in whole ten-thousandths."""
    through = cases.filter(~nw.col(last).is_null()).select(per, "_step_0", last)
    parts = (
        events.with_columns(value=_amount(events))
        .filter(nw.col("value").is_finite())
        .select(per, "occurred_at", "event", "value")
        .unique()  # an event recorded twice was paid once
        .join(through, on=per, how="inner")
        .filter(nw.col("_step_0") <= OCCURRED_AT, nw.col(last) >= OCCURRED_AT)
        .with_columns(_parts=(nw.col("value") * PARTS).round().cast(nw.Int64))
        .group_by(per)
        .agg(nw.col("_parts").sum())
    )
    return cases.join(parts, on=per, how="left")


def _amount(events: nw.LazyFrame) -> nw.Expr:
    kind = events.collect_schema()["value"]
    # a column of pandas that is empty, or holds exact decimals, has a type that says nothing
    empty = kind == nw.String and collected(events.select("value").drop_nulls().head(1)).empty
    if not (kind.is_numeric() or kind in (nw.Object, nw.Unknown, nw.Boolean) or empty):
        raise Problem(f"value of the events holds {kind}, not amounts. Convert it to numbers first, or leave it out.")
    return nw.col("value").cast(nw.Float64)


def _collected(cases: nw.LazyFrame, columns: list[str], n_steps: int, worth: bool) -> Reached:
    steps = [f"_step_{i}" for i in range(n_steps)]
    table = collected(cases.select(*dict.fromkeys(columns), *steps, *(["_parts"] if worth else [])))
    times = np.column_stack([_microseconds(table[step]) for step in steps])
    value = table["_parts"].to_numpy("float64", na_value=np.nan) / PARTS if worth else None
    return Reached(table[list(dict.fromkeys(columns))], times, 0, value)


def _microseconds(times: pd.Series) -> np.ndarray:
    return times.to_numpy("datetime64[us]").astype("int64")
