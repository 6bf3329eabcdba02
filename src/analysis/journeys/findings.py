"""Where customers get to and where they are lost, in sentences with their figures."""

from collections.abc import Mapping, Sequence
from datetime import date

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import evidence
from analysis.journeys.bottlenecks import Bottlenecks
from analysis.journeys.course import course
from analysis.journeys.moments import OCCURRED_AT, collected, moments
from analysis.journeys.reach import NEVER, midnight_after, reached
from analysis.journeys.steps import Plan


def bought_all_the_same(
    base: Mapping[str, IntoFrame], events: IntoFrame, steps: Sequence[str], as_of: date | None = None
) -> tuple[int, int]:
    """How many entered the funnel and never reached its end, and how many of them have bought, on another way?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
        Its completed orders tell who has bought.
    events, steps, as_of
        As for :func:`funnel`.

    Returns
    -------
    left, bought : int
        Both 0 for a base without orders, or without steps.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": [*"abb"], "event": ["visit", "visit", "order"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-20", "2025-03-21"])})
    >>> till = pd.DataFrame({"order_id": ["1", "2"], "customer_id": ["a", "b"], "ordered_at": pd.Timestamp(0)})
    >>> bought_all_the_same({"orders": till}, visits, ["visit", "order"])
    (1, 1)
    """
    if "orders" not in base or len(steps) == 0:
        return 0, 0
    found = reached(events, course(steps), as_of, "customer_id", keep=["customer_id"])
    left = found.cases.loc[found.times[:, -1] == NEVER, "customer_id"]
    orders = moments(base, "orders")
    if as_of is not None:
        zone = orders.collect_schema()["occurred_at"].time_zone
        orders = orders.filter(nw.lit(midnight_after(as_of, zone)) > OCCURRED_AT)
    buyers = collected(orders.select("customer_id").unique())["customer_id"]
    return len(left), int(left.isin(buyers).sum())


def findings(
    plan: Plan,
    funnel: pd.DataFrame,
    bottlenecks: Bottlenecks,
    left: tuple[int, int] = (0, 0),
    of_groups: Sequence[Bottlenecks] = (),
) -> list[str]:
    """Where customers get to and where they are lost, in sentences with their figures.

    Parameters
    ----------
    plan, funnel, bottlenecks
        As from :func:`default_steps`, :func:`funnel` and :func:`bottlenecks`.
    left : tuple of int
        Who left the path, and of them bought all the same, as from :func:`bought_all_the_same`.
    of_groups : sequence of Bottlenecks
        Of funnels compared; what stands out in them is told.
    """
    told = [verdict for found in of_groups for verdict in _standing_out(found)]
    if funnel.empty:
        return [plan.why, *told]
    first, last = funnel.iloc[0], funnel.iloc[-1]
    if plan.kind == "deals":
        open_yet = first["entered"] - funnel["entered"].iloc[1]
        return [
            f"Of {first['entered']:,} deals of which it is known when they came up, {last['entered']:,} were won "
            f"afterwards and {open_yet:,} not decided yet "
            f"(won of all: {evidence.percent(last['entered'] / max(first['entered'], 1), 1)}).",
            *told,
        ]
    sentences = [_arrival(plan, funnel), bottlenecks.verdict]
    if left[1] and plan.kind != "orders":
        sentences[1] += f" Of the {left[0]:,} who never came to {last['step']}, {left[1]:,} have bought all the same."
    timed = funnel.iloc[:-1].dropna(subset=["median_days"])
    if len(timed):
        slow = timed.loc[timed["median_days"].idxmax()]
        following = funnel["step"].iloc[slow.name + 1]
        sentences.append(
            f"{_slowest_of(funnel)} is from {slow['step']} to {following}: half of all who entered it took it within "
            f"{evidence.duration(slow['median_days'])}."
        )
    return sentences + told


def _arrival(plan: Plan, funnel: pd.DataFrame) -> str:
    """How many got to the end, and which share of those who had the time to."""
    needed = funnel[~funnel["optional"].astype(bool)] if "optional" in funnel else funnel
    first, last = needed.iloc[0], needed.iloc[-1]
    said = f"Of {first['entered']:,} {plan.unit}s at {first['step']}, {last['entered']:,} reached {last['step']}"
    going_on = (needed["judged"] - needed["lost"]).iloc[:-1].to_list()
    if needed["judged"].iloc[1:-1].to_list() == going_on[:-1] and first["judged"]:  # the same customers at every step
        low, high = evidence.share_interval(going_on[-1], first["judged"])
        share = (
            f"{evidence.percent(going_on[-1] / first['judged'], 1)}, interval {evidence.percent_range(low, high, 1)}"
        )
        whole = first["judged"] == first["entered"]
        said += f" ({share})" if whole else f"; of those who had the time, {share}"
    if may_still := int(needed["censored"].sum()):
        said += f"; {may_still:,} are on the way and may still go on"
    return f"{said}."


def _slowest_of(funnel: pd.DataFrame) -> str:
    """Where fewer than half take a step, it may be slower still."""
    all_timed = funnel["median_days"].iloc[:-1].notna().all()
    return "The slowest step" if all_timed else "Of the steps that half of those who come to them take, the slowest"


def _standing_out(found: Bottlenecks) -> list[str]:
    """The verdicts on groups that lose more or wait longer than everybody else."""
    both = ((found.table, found.verdict), (found.delays, found.verdict_on_delays))
    return [verdict for table, verdict in both if len(table)]
