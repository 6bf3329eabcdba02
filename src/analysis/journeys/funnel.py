"""How many customers take each step to the next, and how long does it take them?"""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.journeys.moments import OCCURRED_AT, clean, collected, require_names
from analysis.journeys.shares import interval, ratio

MICROSECONDS_PER_DAY = 86_400_000_000


def funnel(
    events: IntoFrame, steps: Sequence[str], window_days: float | None = None, as_of: date | None = None
) -> pd.DataFrame:
    """How many customers take each step to the next, and how long it takes them.

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    steps : sequence of str
        Names of events, at least two, in order; none gives an empty table, for a base that has no steps.
    window_days : float, optional
        Longest time in days of 24 hours from one step to the next; without it, any time will do.
    as_of : date, optional
        Last day seen, in the events' own timezone: later events are ignored. Default: up to the latest event.

    Returns
    -------
    DataFrame, one row per step
        ``step``; ``entered``, customers who reached it; ``converted``, those of them who reached the next; ``judged``,
        those who were seen for the whole window, all without a window; ``rate``, the share of the judged who
        converted, with its 95 % Wilson interval ``low``, ``high``; ``median_days`` and ``p90_days``, days within which
        half and nine in ten of all who entered have converted, NaN if so many never did; ``lost``, judged and not
        converted; ``censored``, still inside the window when the data end: neither converted nor lost.
        The last step has no next: its other figures are empty (counts are of dtype Int64).

    Raises
    ------
    Problem
        If a column is missing, a step is not among the events, or the steps are not two or more different ones.

    Notes
    -----
    The funnel is ordered (closed): the first step is reached at its earliest event, each further one at its earliest
    event at or after the moment at which the step before was reached. Events of the same moment thus count in the
    funnel's own order; neither row order nor repeated events change the result. A customer is followed from their first
    entry; entering again later is no second chance. Without window nobody is censored: lost means *not yet by the
    end of the data*, so that late comers look lost; give a window to be fair to them. With one, only those seen for the
    whole of it are judged: late comers who were quick to convert would flatter the rate, as the slow ones are not in it
    yet.

    Times to convert are quantiles of the Kaplan-Meier estimate (JASA 53, 1958), which counts who has not converted
    yet for as long as they were seen: the shortest time by which the estimated share of converted reaches 50 or 90 %.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> funnel(visits, ["visit", "order"])[["step", "entered", "converted", "rate", "median_days"]]
        step  entered  converted  rate  median_days
    0  visit        2          1   0.5          2.0
    1  order        1       <NA>   NaN          NaN
    """
    if len(steps) == 0:
        return _no_funnel()
    steps, window = ordered_steps(steps), microseconds_of(window_days)
    reached, end = reached_steps(clean(events), steps, as_of)
    return funnel_table(times_of(reached, len(steps)), steps, window, end)


_TIMES_TO_CONVERT = ["median_days", "p90_days"]
FUNNEL_COLUMNS = ["step", "entered", "converted", "judged", "rate", "low", "high"]
FUNNEL_COLUMNS += [*_TIMES_TO_CONVERT, "lost", "censored"]


def ordered_steps(steps: Sequence[str]) -> list[str]:
    if isinstance(steps, str) or len(list(steps)) < 2:
        raise Problem(f"A funnel needs at least two steps, in order; it was given {steps!r}.")
    steps = list(steps)
    twice = [s for i, s in enumerate(steps) if s in steps[:i]]
    if twice:
        raise Problem(f'"{twice[0]}" is in the funnel twice. Name each step once: {", ".join(map(str, steps))}.')
    return steps


def microseconds_of(window_days: float | None) -> int | None:
    """The window in microseconds."""
    if window_days is None:
        return None
    if not window_days > 0:
        raise Problem(f"The window is {window_days} days. It must be longer than 0; leave it out for no window.")
    return round(window_days * MICROSECONDS_PER_DAY)


def reached_steps(moments: nw.LazyFrame, steps: list[str], as_of: date | None) -> tuple[pd.DataFrame, int]:
    """One row per customer who entered [customer_id, step_0, step_1, …: time or NaT], and the end of the data.

    No window here: a step's time does not depend on it, so that it can be applied afterwards.
    """
    everything = moments
    if as_of is None:
        end = collected(moments.select(OCCURRED_AT.max()))["occurred_at"]
    else:
        midnight = midnight_after(as_of, moments.collect_schema()["occurred_at"].time_zone)
        moments = moments.filter(nw.lit(midnight) > OCCURRED_AT)
        end = pd.Series([midnight])
    of_step = [moments.filter(nw.col("event") == step).select("customer_id", time=OCCURRED_AT) for step in steps]
    reached = of_step[0].group_by("customer_id").agg(step_0=nw.col("time").min())
    for i, here in enumerate(of_step[1:], start=1):
        earlier, last, this = [f"step_{j}" for j in range(i)], nw.col(f"step_{i - 1}"), f"step_{i}"
        reached = (
            # whoever is lost has no key and finds no events: a quarter less time than joining and dismissing them
            reached.with_columns(still_here=nw.when(~last.is_null()).then(nw.col("customer_id")))
            .join(here, left_on="still_here", right_on="customer_id", how="left")
            .with_columns(nw.when(nw.col("time") >= last).then(nw.col("time")).alias(this))
            .group_by("customer_id")
            .agg(*[nw.col(name).any_value() for name in earlier], nw.col(this).min())
        )
    reached = collected(reached)
    if reached.empty or reached.isna().all().any():  # only then may a name be unknown: spares a pass over the events
        require_names(everything, steps)
    return reached, int(_microseconds(end)[0])


def midnight_after(day: date, time_zone: str | None) -> datetime:
    midnight = pd.Timestamp(datetime.combine(day, datetime.min.time()) + timedelta(days=1))
    if time_zone is not None:  # where clocks go forward at midnight, the day begins at one
        midnight = midnight.tz_localize(time_zone, nonexistent="shift_forward", ambiguous=True)
    return midnight.to_pydatetime()


NEVER = np.iinfo(np.int64).min  # NumPy's NaT, as a whole number


def _microseconds(times: pd.Series) -> np.ndarray:
    return times.to_numpy("datetime64[us]").astype("int64")


def times_of(reached: pd.DataFrame, n_steps: int) -> np.ndarray:
    """Array (customers, steps) of microseconds since 1970, `NEVER` where a step was not reached."""
    return np.column_stack([_microseconds(reached[f"step_{i}"]) for i in range(n_steps)])


def funnel_table(times: np.ndarray, steps: list[str], window: int | None, end: int) -> pd.DataFrame:
    rows = []
    here = np.ones(len(times), dtype=bool)
    for i, step in enumerate(steps[:-1]):
        since, then = times[here, i], times[here, i + 1]
        seen = end - since
        converted = then != NEVER
        open_yet = np.zeros_like(converted)
        if window is not None:
            converted &= then - since <= window
            open_yet = ~converted & (seen < window)
        median, p90 = days_until(np.where(converted, then - since, seen), converted, (0.5, 0.9))
        judged = seen >= window if window is not None else np.ones_like(converted)
        lost = judged & ~converted
        rows.append((step, here.sum(), converted.sum(), judged.sum(), median, p90, lost.sum(), open_yet.sum()))
        here[here] = converted
    rows.append((steps[-1], here.sum(), None, None, math.nan, math.nan, None, None))
    counts = ["converted", "judged", "lost", "censored"]
    table = pd.DataFrame(rows, columns=["step", "entered", *counts[:2], *_TIMES_TO_CONVERT, *counts[2:]])
    table = table.astype({"entered": "int64"} | dict.fromkeys(counts, "Int64"))
    judged, lost = (table[c].astype("float64").to_numpy() for c in ("judged", "lost"))
    table["rate"] = ratio(judged - lost, judged)
    table["low"], table["high"] = interval(judged - lost, judged)
    return table[FUNNEL_COLUMNS]


def _no_funnel() -> pd.DataFrame:
    table = pd.DataFrame({column: pd.Series(dtype="float64") for column in FUNNEL_COLUMNS})
    counts = dict.fromkeys(["converted", "judged", "lost", "censored"], "Int64")
    return table.astype({"step": "str", "entered": "int64"} | counts)


def days_until(durations: np.ndarray, converted: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Days by which these shares have converted, by Kaplan-Meier; NaN where the estimate never gets there.

    Durations in microseconds; of those who did not convert, for how long they were seen.
    """
    times, position, leaving = np.unique(durations, return_inverse=True, return_counts=True)
    converting = np.bincount(position, weights=converted, minlength=len(times))
    at_risk = len(durations) - np.concatenate([[0], np.cumsum(leaving)[:-1]]) if len(times) else np.empty(0)
    waiting = np.cumprod(1 - converting / at_risk)
    # the products of exact fractions are off by some 1e-16, and a half must count as a half
    first = [np.flatnonzero(waiting <= 1 - share + 1e-12) for share in shares]
    return [float(times[i[0]] / MICROSECONDS_PER_DAY) if len(i) else math.nan for i in first]
