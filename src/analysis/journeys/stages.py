"""What do customers do at each stage, through which channel, and how soon after the stage before?"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.stats import binom, norm

from analysis import evidence
from analysis.journeys.course import MICROSECONDS_PER_DAY, course
from analysis.journeys.moments import SOURCES, collected, moments
from analysis.journeys.reach import NEVER, reached
from analysis.journeys.shares import CONFIDENCE, interval
from analysis.journeys.steps import default_steps


def journey_map(base: Mapping[str, IntoFrame], stages: Sequence[str] | None = None) -> pd.DataFrame:
    """What do customers do at each stage, through which channel, and how soon after the stage before?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
    stages : sequence of str, optional
        Stages (or events) in order; default those of :func:`default_steps`.

    Returns
    -------
    DataFrame, one row per stage and statement
        ``stage``; ``row``, one of "customers" (share who were ever there), "activity" (events per customer there,
        unless it is one each), "channel" (the commonest; share of the stage's customers who used it), "event" (up to
        three commonest, share likewise), "time" (median days since the stage before); ``statement``, the same in words;
        ``value``, ``low``, ``high``, the figure with its 95 % interval where there is one; ``n``, customers it rests
        on; ``source``, the tables. What is not recorded (no channel, say) has no row. Empty if the base has no journey.

    Raises
    ------
    Problem
        If a stage named is recorded nowhere.

    Notes
    -----
    Unlike in the funnel, a stage counts as reached whatever happened before. Days since the stage before run from the
    customer's first event there to the first event here at or after it, among customers who have both. Intervals:
    Wilson for shares, normal for means, order statistics for medians (Conover, Practical Nonparametric Statistics,
    1999).

    Examples
    --------
    >>> touchpoints = pd.DataFrame({"customer_id": ["a", "a", "b"], "stage": ["awareness", "purchase", "awareness"],
    ...                             "event": ["visit", "order", "visit"], "channel": "web",
    ...                             "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> for statement in journey_map({"touchpoints": touchpoints})["statement"].tail(4): print(statement)
    1 of 2 customers were here (50.0 %).
    Commonest channel: web, used by 1 of 1 customers (100.0 %).
    Commonest: order, done by 1 of 1 customers (100.0 %).
    Half of those who came from awareness took no more than 2 days (n = 1).
    """
    plan = default_steps(base, stages)
    if not plan.steps:
        return pd.DataFrame(columns=_MAP_COLUMNS)
    here = moments(base, plan.kind).filter(nw.col("event").is_in(plan.steps))
    here = here.with_columns(nw.col("deal_id").alias("customer_id")) if plan.kind == "deals" else here
    counts = _counts_per_stage(here)
    who, channel = ("deals", "source") if plan.kind == "deals" else ("customers", "channel")
    rows = [
        *_map_customers(counts, plan.steps, _number_of_customers(base, plan.kind), who),
        *_map_commonest(
            here, counts, "channel", f"Commonest {channel}: {{}}, used by {{:,}} of {{:,}} {who} ({{}}).", top=1
        ),
        *_map_commonest(here, counts, "action", f"Commonest: {{}}, done by {{:,}} of {{:,}} {who} ({{}}).", top=3),
        *_map_times(here, plan.steps, plan.per),
    ]
    table = pd.DataFrame(rows, columns=_MAP_COLUMNS[:-1])
    table["source"] = ", ".join(SOURCES[plan.kind])
    table["value"] = table["value"].astype("float64")
    place = table["stage"].map(plan.steps.index) * len(_MAP_ROWS) + table["row"].map(_MAP_ROWS.index)
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


_MAP_COLUMNS = ["stage", "row", "statement", "value", "low", "high", "n", "source"]
_MAP_ROWS = ["customers", "activity", "channel", "event", "time"]


def _number_of_customers(base, kind: str) -> int:
    """All who are in the tables that the moments come from, also those without any stage."""
    subject = "deal_id" if kind == "deals" else "customer_id"
    ids = [nw.from_native(base[name]).lazy().select(subject) for name in SOURCES[kind]]
    return int(collected(nw.concat(ids).drop_nulls().select(nw.col(subject).n_unique())).iloc[0, 0])


def _counts_per_stage(here: nw.LazyFrame) -> pd.DataFrame:
    """By stage: its customers, their events (repeated rows count once), sum of the squares of events per customer."""
    per_customer = (
        here.select("customer_id", "event", "occurred_at")
        .unique()
        .group_by("event", "customer_id")
        .agg(n=nw.len())
        .with_columns(square=nw.col("n") ** 2)
    )
    sums = {"customers": nw.len(), "events": nw.col("n").sum(), "squares": nw.col("square").sum()}
    return collected(per_customer.group_by("event").agg(**sums)).set_index("event").astype("int64")


def _map_customers(counts: pd.DataFrame, stages: list[str], everybody: int, who: str) -> list[tuple]:
    """Rows "customers" and "activity", for every stage."""
    rows = []
    for stage in stages:
        n, events, squares = (int(counts.at[stage, c]) for c in ("customers", "events", "squares"))
        low, high = (float(bound) for bound in interval(n, everybody))
        said = f"{n:,} of {everybody:,} {who} were here ({evidence.percent(n / everybody, 1)})."
        rows.append((stage, "customers", said, n / everybody, low, high, everybody))
        mean, half = events / n, math.nan
        if n > 1:
            variance = (n * squares - events**2) / (n * (n - 1))
            half = norm.ppf((1 + CONFIDENCE) / 2) * math.sqrt(variance / n)
        if events > n:  # once each is no news
            rows.append((stage, "activity", f"{mean:.1f} events per {who[:-1]}.", mean, mean - half, mean + half, n))
    return rows


def _map_commonest(here: nw.LazyFrame, counts: pd.DataFrame, column: str, words: str, top: int) -> list[tuple]:
    """Rows "channel" or "event": what most customers of a stage used or did, counted once per customer."""
    found = collected(
        here.select("event", "customer_id", column).drop_nulls().unique().group_by("event", column).agg(k=nw.len())
    ).sort_values(["event", "k", column], ascending=[True, False, True])
    rows = []
    found = found[found[column] != found["event"]]  # who was at the cart has been at the cart
    for commonest in found.groupby("event").head(top).itertuples():
        k, n = int(commonest.k), int(counts.at[commonest.event, "customers"])
        low, high = (float(bound) for bound in interval(k, n))
        said = words.format(getattr(commonest, column), k, n, evidence.percent(k / n, 1))
        rows.append((commonest.event, "channel" if column == "channel" else "event", said, k / n, low, high, n))
    return rows


def _map_times(here: nw.LazyFrame, stages: list[str], subject: str) -> list[tuple]:
    """Rows "time": median days since the stage before, for every stage but the first."""
    rows = []
    for before, stage in pairwise(stages):
        times = reached(here, course([before, stage]), None, subject).times
        days = np.sort((times[:, 1] - times[:, 0])[times[:, 1] != NEVER]) / MICROSECONDS_PER_DAY
        if not len(days):
            rows.append((stage, "time", f"Nobody came here after {before}.", math.nan, math.nan, math.nan, 0))
            continue
        median, (low, high) = float(np.median(days)), _interval_of_median(days)
        said = (
            f"Half of those who came from {before} took no more than {evidence.duration(median)} (n = {len(days):,})."
        )
        rows.append((stage, "time", said, median, low, high, len(days)))
    return rows


def _interval_of_median(in_order: np.ndarray) -> tuple[float, float]:
    """Order statistics between which the median lies with at least 95 % confidence; NaN for fewer than six values."""
    rank = int(binom.ppf((1 - CONFIDENCE) / 2, len(in_order), 0.5))
    return (float(in_order[rank - 1]), float(in_order[-rank])) if rank else (math.nan, math.nan)
