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
from analysis.locale import named
from analysis.phrases import counted, phrase


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
        return [_won(first["entered"], funnel["entered"].iloc[1], last["entered"]), *told]
    sentences = [_arrival(plan, funnel), bottlenecks.verdict]
    if left[1] and plan.kind != "orders":
        bought = phrase(
            "Of the {left:,} who never came to {step}, {bought:,} have bought all the same.",
            **{"left": left[0], "step": named(last["step"]), "bought": left[1]},
        )
        sentences[1] += f" {bought}"
    return [*sentences, *_slowest(funnel), *told]


def _won(came_up: int, decided: int, won: int) -> str:
    return phrase(
        "Of {n:,} deals of which it is known when they came up, {won:,} were won afterwards and {open:,} not decided "
        "yet (won of all: {share}).",
        **{"n": came_up, "won": won, "open": came_up - decided, "share": evidence.percent(won / max(came_up, 1), 1)},
    )


def _arrival(plan: Plan, funnel: pd.DataFrame) -> str:
    """How many got to the end, and which share of those who had the time to."""
    needed = funnel[~funnel["optional"].astype(bool)] if "optional" in funnel else funnel
    first, last = needed.iloc[0], needed.iloc[-1]
    said = phrase(
        "Of {customers} at {step}, {n:,} reached {last}",
        **{"customers": counted(first["entered"], plan.unit), "n": last["entered"]},
        **{"step": named(first["step"]), "last": named(last["step"])},
    )
    going_on = (needed["judged"] - needed["lost"]).iloc[:-1].to_list()
    if needed["judged"].iloc[1:-1].to_list() == going_on[:-1] and first["judged"]:  # the same customers at every step
        low, high = evidence.share_interval(going_on[-1], first["judged"])
        share = {"share": evidence.percent(going_on[-1] / first["judged"], 1)}
        share["range"] = evidence.percent_range(low, high, 1)
        if first["judged"] == first["entered"]:
            said += phrase(" ({share}, interval {range})", **share)
        else:
            said += phrase("; of those who had the time, {share}, interval {range}", **share)
    if may_still := int(needed["censored"].sum()):
        said += phrase("; {n:,} are on the way and may still go on", n=may_still)
    return f"{said}."


def _slowest(funnel: pd.DataFrame) -> list[str]:
    """The step that takes longest; where fewer than half take a step, that may be slower still."""
    timed = funnel.iloc[:-1].dropna(subset=["median_days"])
    if timed.empty:
        return []
    slow = timed.loc[timed["median_days"].idxmax()]
    told = {"step": named(slow["step"]), "next_step": named(funnel["step"].iloc[slow.name + 1])}
    told["half"] = evidence.duration(slow["median_days"])
    if len(timed) == len(funnel) - 1:
        return [
            phrase(
                "The slowest step is from {step} to {next_step}: half of all who entered it took it within {half}.",
                **told,
            )
        ]
    return [
        phrase(
            "Of the steps that half of those who come to them take, the slowest is from {step} to {next_step}: half of "
            "all who entered it took it within {half}.",
            **told,
        )
    ]


def _standing_out(found: Bottlenecks) -> list[str]:
    """The verdicts on groups that lose more or wait longer than everybody else."""
    both = ((found.table, found.verdict), (found.delays, found.verdict_on_delays))
    return [verdict for table, verdict in both if len(table)]
