"""Which way do customers go, how long do they take, and where are they lost?

Takes what customers did, one row per event, as any frame Narwhals knows (a DuckDB relation, a pandas frame, …), or a
customer base from which to draw these events. Gives the funnel with its intervals, the steps where customers are
lost, the paths they take and the journey map: small pandas tables, each figure with the number it rests on.

Events stay where they are; only aggregates, and for the funnel one row per customer who entered it, reach pandas.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.stats import binom, norm
from statsmodels.stats.multitest import multipletests

from analysis import evidence
from analysis.errors import Problem, did_you_mean, require_columns

#: Stages of a journey in their customary order, with other names in use for the same one. The order is that of the
#: purchase funnel (attention, interest, desire, action: St. Elmo Lewis, 1898) prolonged past the purchase as in Lemon
#: and Verhoef, "Understanding Customer Experience Throughout the Customer Journey", Journal of Marketing 80 (2016).
STAGES = (
    ("awareness", "aware", "attention", "visitor", "visit", "آگاهی"),
    ("interest", "discovery", "lead", "علاقه"),
    ("consideration", "consider", "evaluation", "research", "desire", "بررسی", "ارزیابی"),
    ("decision", "intent", "تصمیم"),
    ("cart", "سبد خرید"),
    ("checkout", "پرداخت"),
    ("purchase", "order", "action", "customer", "خرید"),
    ("delivery", "onboarding", "تحویل"),
    ("use", "usage", "service", "support", "after", "استفاده", "خدمات"),
    ("retention", "repurchase", "repeat", "خرید مجدد"),
    ("loyalty", "وفاداری"),
    ("advocacy", "recommendation", "referral", "توصیه"),
)

#: Events on the way to an order in a shop, in order, with other names in use: among them those that Google Analytics 4
#: recommends for shops (session_start, view_item, add_to_cart, begin_checkout, purchase).
SHOP_EVENTS = (
    ("visit", "home", "session_start", "store_visit"),
    ("view", "product_view", "product", "view_item"),
    ("cart", "add_to_cart"),
    ("checkout", "begin_checkout"),
    ("order", "purchase", "buy"),
)

#: Names of a customer's completed orders as steps; from the sixth on they share one.
ORDER_LADDER = ("1st order", "2nd order", "3rd order", "4th order", "5th order", "6th order or later")

#: What happens to a deal. It is won or lost at the moment it is decided: the rate from decided to won is the win rate.
DEAL_EVENTS = ("created", "decided", "won", "lost")

#: Where events come from, in the order in which a funnel is looked for.
KINDS = ("stages", "events", "orders", "deals", "everything")

START, END = "(start)", "(end)"  # pseudo-states before a customer's first and after the last event
ARROW = " → "
CONFIDENCE = 0.95

#: Tables and columns that each kind of event is drawn from.
_SOURCES = {
    "stages": {"touchpoints": ("customer_id", "occurred_at", "stage")},
    "events": {"touchpoints": ("customer_id", "occurred_at", "event")},
    "orders": {"orders": ("order_id", "customer_id", "ordered_at")},
    "deals": {"deals": ("deal_id", "created_at", "closed_at", "outcome")},
    "everything": {
        "touchpoints": ("customer_id", "occurred_at", "event"),
        "orders": ("order_id", "customer_id", "ordered_at"),
    },
}
_MICROSECONDS_PER_DAY = 86_400_000_000


class Plan(NamedTuple):
    """What to draw a journey from, and why.

    Attributes
    ----------
    kind : str
        One of `KINDS`, for :func:`events`; "" when the base records nothing that a journey could be drawn from.
    steps : list of str
        The ordered steps; empty when their order is not known, and the analyst must name them.
    why : str
        Reason or, without steps, what is missing, in a sentence for the chapter.
    window_days : float or None
        Days within which the next step should follow; None where any time will do.
    """

    kind: str
    steps: list[str]
    why: str
    window_days: float | None = None

    @property
    def unit(self) -> str:
        """Who takes the steps."""
        return "deal" if self.kind == "deals" else "customer"


class Bottlenecks(NamedTuple):
    """The steps ranked by customers lost, and what may be said about them."""

    table: pd.DataFrame
    verdict: str


def default_steps(base: Mapping[str, IntoFrame], steps: Sequence[str] | None = None) -> Plan:
    """Which steps does the journey of this base have?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
    steps : sequence of str, optional
        Steps named by the analyst: then only where they are recorded is looked up.

    Returns
    -------
    Plan
        Without `steps`, the first that holds: stages of touchpoints with customary names, events of touchpoints with
        customary names (both at least two: see `STAGES` and `SHOP_EVENTS`), first to sixth order if anybody ordered
        twice, deals if any was decided. A base with touchpoints of unknown order has a kind but no steps, one with
        none of these has neither; `why` says what is missing.

    Raises
    ------
    Problem
        If a step named is recorded nowhere.

    Examples
    --------
    >>> touchpoints = pd.DataFrame({"customer_id": ["a", "a"], "event": ["Purchase", "View item"],
    ...                             "occurred_at": pd.to_datetime(["2025-03-21", "2025-03-20"])})
    >>> default_steps({"touchpoints": touchpoints}).steps
    ['View item', 'Purchase']
    """
    if steps:
        return _plan_for_named_steps(base, list(steps))
    return (
        _plan_from_touchpoints(base) or _plan_from_orders(base) or _plan_from_deals(base) or _plan_without_steps(base)
    )


def events(base: Mapping[str, IntoFrame], kind: str | None = None) -> nw.LazyFrame:
    """What customers did, when: the one table that all functions of this chapter read.

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
    kind : {"stages", "events", "orders", "deals", "everything"}, optional
        The touchpoints' stages or their events; the completed orders as "1st order" to "5th order" and "6th order or
        later"; the deals, created, decided, won or lost; or the touchpoints' events and the orders together. Default
        is what :func:`default_steps` finds.

    Returns
    -------
    LazyFrame
        Columns customer_id, occurred_at, event. For deals, the case that moves is the deal: customer_id holds the
        deal's id. Rows without customer, time or name are left out (a deal not yet decided is only created).
        Empty where the base has no journey.

    Raises
    ------
    Problem
        If `kind` is unknown, or the base lacks its table.

    Examples
    --------
    >>> orders = pd.DataFrame({"order_id": ["7", "3"], "customer_id": ["a", "a"], "status": ["completed", None],
    ...                        "ordered_at": pd.to_datetime(["2025-03-21", "2025-03-20"])})
    >>> events({"orders": orders}).collect().to_native().sort_values("event")[["customer_id", "event"]].values.tolist()
    [['a', '1st order'], ['a', '2nd order']]
    """
    if kind is None:
        kind = default_steps(base).kind
    if not kind:
        return nw.from_native(_NO_EVENTS).lazy()
    return _moments(base, kind).select("customer_id", "occurred_at", "event").drop_nulls()


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
    steps, window = _ordered_steps(steps), _window(window_days)
    reached, end = _reached(_clean(events), steps, as_of)
    return _funnel_table(_times(reached, len(steps)), steps, window, end)


def compare_funnels(
    events: IntoFrame,
    steps: Sequence[str],
    by: pd.DataFrame,
    group: str = "persona",
    window_days: float | None = None,
    as_of: date | None = None,
    min_size: int = 5,
) -> pd.DataFrame:
    """Where does one group of customers get on better or worse than everybody else?

    Parameters
    ----------
    events, steps, window_days, as_of
        As for :func:`funnel`.
    by : DataFrame with columns customer_id (each once) and `group`
        Customers of no group are left out.
    group : str
    min_size : int
        Groups with fewer customers in the funnel are left out altogether, from "elsewhere" too, so that nothing can
        be worked out about them by subtraction.

    Returns
    -------
    DataFrame, one row per group and step
        `group` and the columns of :func:`funnel`; ``elsewhere``, the rate of everybody else, ``difference`` of the
        two with interval ``difference_low``, ``difference_high``, ``p``, ``p_corrected`` (Holm), ``differs`` (bool:
        p_corrected < 0.05).

    Raises
    ------
    Problem
        As for :func:`funnel`; also if `by` names a customer twice, or none who entered the funnel.

    Notes
    -----
    All differences of the table are one family. Their intervals are simultaneous, each at confidence
    1 - 0.05 / number of differences (Bonferroni), so they are a little wider than Holm's stepwise test needs.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": [*"abcdab"], "event": ["visit"] * 4 + ["order"] * 2,
    ...                        "occurred_at": pd.Timestamp("2025-03-20")})
    >>> who = pd.DataFrame({"customer_id": [*"abcd"], "persona": [1, 1, 2, 2]})
    >>> compare_funnels(visits, ["visit", "order"], who, min_size=2)[["persona", "step", "rate", "elsewhere"]]
       persona   step  rate  elsewhere
    0        1  visit   1.0        0.0
    1        1  order   NaN        NaN
    2        2  visit   0.0        1.0
    3        2  order   NaN        NaN
    """
    steps, window = _ordered_steps(steps), _window(window_days)
    require_columns("The table of groups", by.columns, ["customer_id", group])
    reached, end = _reached(_clean(events), steps, as_of)
    reached = _with_group(reached, by, group)
    reached = reached[reached.groupby(group)["customer_id"].transform("size") >= min_size]
    everybody = _funnel_table(_times(reached, len(steps)), steps, window, end)
    tables = {
        name: _funnel_table(_times(part, len(steps)), steps, window, end) for name, part in reached.groupby(group)
    }
    if not tables:
        tables = {"": everybody.head(0)}
    compared = [_against_everybody_else(table, everybody).assign(**{group: name}) for name, table in tables.items()]
    compared = _with_corrected_differences(pd.concat(compared, ignore_index=True))
    return compared[[group, *_FUNNEL_COLUMNS, *_DIFFERENCE_COLUMNS, "differs"]]


def bottlenecks(funnel: pd.DataFrame) -> Bottlenecks:
    """Where are most customers lost, and does any step stand out?

    Parameters
    ----------
    funnel : DataFrame
        As :func:`funnel` gives it.

    Returns
    -------
    table : DataFrame, one row per step that has a next one, most lost first
        ``step``, ``next_step``, ``entered``, ``lost``; ``share``, of all losses, with interval ``low``, ``high``;
        ``loss_rate`` = lost / judged; ``elsewhere``, that of all other steps together, ``difference`` of
        the two with interval ``difference_low``, ``difference_high``, ``p``, ``p_corrected`` (Holm); ``stands_out``
        (bool: loses a larger share than each of the others; see :func:`analysis.evidence.clearly_largest`).
    verdict : str
        One or two sentences; "no step stands out" is one of them.

    Notes
    -----
    Whether a customer takes a step is judged only among those who reached it, so that the shares of different steps
    can be compared as if they came from different customers. That a step stands out says that it loses more, not that
    it could lose less: that needs a comparison of like with like, or an experiment.

    Examples
    --------
    >>> steps = pd.DataFrame({"step": ["visit", "cart", "order"], "entered": [1000, 900, 300],
    ...                       "judged": [1000, 900, None], "lost": [100, 600, None]})
    >>> print(bottlenecks(steps).verdict)
    Most leave this path between cart and order: 600 of 700 who left it (85.7 %, interval 82.9 to 88.1 %). Losing a \
larger share than any other step: cart (66.7 %, elsewhere 10.0 %).
    """
    require_columns("The funnel", funnel.columns, ["step", "entered", "judged", "lost"])
    if funnel.empty:
        return Bottlenecks(_losses(funnel), "There is no funnel, so nothing can be said of its steps.")
    table = _losses(funnel)
    return Bottlenecks(table, _verdict_on(table))


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
    reached, _ = _reached(_clean(events), _ordered_steps(steps), as_of)
    left = reached.loc[reached[f"step_{len(steps) - 1}"].isna(), "customer_id"]
    orders = _moments(base, "orders")
    if as_of is not None:
        zone = orders.collect_schema()["occurred_at"].time_zone
        orders = orders.filter(nw.lit(_midnight_after(as_of, zone)) > _OCCURRED_AT)
    buyers = _collected(orders.select("customer_id").unique())["customer_id"]
    return len(left), int(left.isin(buyers).sum())


def findings(plan: Plan, funnel: pd.DataFrame, bottlenecks: Bottlenecks, left: tuple[int, int] = (0, 0)) -> list[str]:
    """Where customers get to and where they are lost, in sentences with their figures.

    Parameters
    ----------
    plan, funnel, bottlenecks
        As from :func:`default_steps`, :func:`funnel` and :func:`bottlenecks`.
    left : tuple of int
        Who left the path, and of them bought all the same, as from :func:`bought_all_the_same`.
    """
    if funnel.empty:
        return [plan.why]
    first, last = funnel.iloc[0], funnel.iloc[-1]
    low, high = evidence.share_interval(last["entered"], max(first["entered"], 1))
    if plan.kind == "deals":
        open_yet = first["entered"] - funnel["entered"].iloc[1]
        return [
            f"Of {first['entered']:,} deals created, {last['entered']:,} are won and {open_yet:,} not decided yet "
            f"(won of all: {evidence.percent(last['entered'] / max(first['entered'], 1), 1)})."
        ]
    arrived = evidence.percent(last["entered"] / max(first["entered"], 1), 1)
    sentences = [
        f"Of {first['entered']:,} {plan.unit}s at {first['step']}, {last['entered']:,} reached {last['step']} "
        f"({arrived}, interval {evidence.percent_range(low, high, 1)}).",
        bottlenecks.verdict,
    ]
    if may_still := int(funnel["censored"].sum()):
        sentences[0] = sentences[0].removesuffix(".") + f"; {may_still:,} are on the way and may still go on."
    if left[1] and plan.kind != "orders":
        sentences[1] += f" Of the {left[0]:,} who never came to {last['step']}, {left[1]:,} have bought all the same."
    timed = funnel.iloc[:-1].dropna(subset=["median_days"])
    if len(timed):
        slow = timed.loc[timed["median_days"].idxmax()]
        following = funnel["step"].iloc[slow.name + 1]
        sentences.append(
            f"The slowest step is from {slow['step']} to {following}: half of all who entered it took it within "
            f"{evidence.duration(slow['median_days'])}."
        )
    return sentences


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
    in_order = {"order_by": _order_of_events(order)}
    counts = _collected(
        _ranked(_clean(events), order)
        .with_columns(
            target=nw.col("event").shift(-1).over("customer_id", **in_order),
            target_at=nw.col("occurred_at").shift(-1).over("customer_id", **in_order),
        )
        # of several equal rows only the last stays: its successor is a different event, or the same one later
        .filter(
            (nw.col("target").is_null()) | (nw.col("target") != nw.col("event")) | (nw.col("target_at") != _OCCURRED_AT)
        )
        .group_by("event", nw.col("target").fill_null(END).alias("target"))
        .agg(n=nw.len())
    ).rename(columns={"event": "source"})
    counts = pd.concat([_starts(counts), counts], ignore_index=True)
    counts["n"] = counts["n"].astype("int64")
    counts["share"] = counts["n"] / counts.groupby("source")["n"].transform("sum")
    return counts.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)


def paths(
    events: IntoFrame, max_length: int = 6, top: int = 15, goal: str | None = None, order: Sequence[str] = ()
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

    Returns
    -------
    DataFrame
        ``path``, the events in order, repeats in direct succession folded into one; ``customers``; ``share`` of all
        customers with its 95 % Wilson interval ``low``, ``high``; with `goal`, ``goal_share`` of the path's customers
        with ``goal_low``, ``goal_high``.

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
    moments = _clean(events)
    if goal is not None:
        _require_names(moments, [goal])
    counts = _collected(
        _path_per_customer(moments, max_length, goal, order)
        .group_by("path")
        .agg(customers=nw.len(), reached_goal=nw.col("reached_goal").sum())
        .with_columns(all_customers=nw.col("customers").sum())
        .sort("customers", "path", descending=[True, False])
        .head(top)
    ).reset_index(drop=True)
    n, total = counts["customers"].to_numpy("int64"), counts["all_customers"].to_numpy("int64")
    table = pd.DataFrame({"path": counts["path"], "customers": n, "share": n / total})
    table["low"], table["high"] = _interval(n, total)
    if goal is not None:
        arrived = counts["reached_goal"].to_numpy("int64")
        table["goal_share"] = arrived / n
        table["goal_low"], table["goal_high"] = _interval(arrived, n)
    return table


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
    here = _moments(base, plan.kind).filter(nw.col("event").is_in(plan.steps))
    counts = _counts_per_stage(here)
    who, channel = ("deals", "source") if plan.kind == "deals" else ("customers", "channel")
    rows = [
        *_map_customers(counts, plan.steps, _number_of_customers(base, plan.kind), who),
        *_map_commonest(
            here, counts, "channel", f"Commonest {channel}: {{}}, used by {{:,}} of {{:,}} {who} ({{}}).", top=1
        ),
        *_map_commonest(here, counts, "action", f"Commonest: {{}}, done by {{:,}} of {{:,}} {who} ({{}}).", top=3),
        *_map_times(here, plan.steps),
    ]
    table = pd.DataFrame(rows, columns=_MAP_COLUMNS[:-1])
    table["source"] = ", ".join(_SOURCES[plan.kind])
    table["value"] = table["value"].astype("float64")
    place = table["stage"].map(plan.steps.index) * len(_MAP_ROWS) + table["row"].map(_MAP_ROWS.index)
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


_TIMES_TO_CONVERT = ["median_days", "p90_days"]
_FUNNEL_COLUMNS = ["step", "entered", "converted", "judged", "rate", "low", "high"]
_FUNNEL_COLUMNS += [*_TIMES_TO_CONVERT, "lost", "censored"]
_DIFFERENCE_COLUMNS = ["elsewhere", "difference", "difference_low", "difference_high", "p", "p_corrected"]
_MAP_COLUMNS = ["stage", "row", "statement", "value", "low", "high", "n", "source"]
_MAP_ROWS = ["customers", "activity", "channel", "event", "time"]
_OCCURRED_AT = nw.col("occurred_at")
_NO_EVENTS = pd.DataFrame({"customer_id": [], "occurred_at": pd.DatetimeIndex([], tz="UTC"), "event": []}).astype(
    {"customer_id": "str", "event": "str"}
)


# Where the events come from


def _moments(base, kind: str) -> nw.LazyFrame:
    """Lazy frame [customer_id, occurred_at, event, channel, action] of one kind; channel and action may be empty."""
    if kind not in KINDS:
        raise Problem(f'There is no kind of event "{kind}".{did_you_mean(kind, KINDS)} There are: {", ".join(KINDS)}.')
    for name, columns in _SOURCES[kind].items():
        if name not in base:
            others = ", ".join(_kinds_in(base)) or "none"
            raise Problem(
                f'Events of kind "{kind}" come from the table {name}, which this base does not have. '
                f"Map it, or take a kind that it has: {others}."
            )
        require_columns(name, _columns(base[name]), columns)
    tables = {name: nw.from_native(base[name]).lazy() for name in _SOURCES[kind]}
    if kind == "orders":
        return _order_moments(tables["orders"])
    if kind == "deals":
        return _deal_moments(tables["deals"])
    if kind == "everything":
        return nw.concat([_touchpoint_moments(tables["touchpoints"], "event"), _order_moments(tables["orders"])])
    return _touchpoint_moments(tables["touchpoints"], kind.removesuffix("s"))


def _touchpoint_moments(touchpoints: nw.LazyFrame, name: str) -> nw.LazyFrame:
    columns = touchpoints.collect_schema().names()
    return touchpoints.select(
        "customer_id",
        "occurred_at",
        nw.col(name).alias("event"),
        _column_or_nothing("channel", columns).alias("channel"),
        (nw.col("event") if name == "stage" and "event" in columns else _NOTHING).alias("action"),
    ).drop_nulls(["customer_id", "occurred_at", "event"])


def _order_moments(orders: nw.LazyFrame) -> nw.LazyFrame:
    columns = orders.collect_schema().names()
    if "status" in columns:
        orders = orders.filter(nw.col("status").fill_null("completed") == "completed")
    orders = orders.drop_nulls(["customer_id", "ordered_at"])
    number = nw.col("one").cum_sum().over("customer_id", order_by=["ordered_at", "order_id"])
    label = nw.lit(ORDER_LADDER[-1])
    for i, name in reversed(list(enumerate(ORDER_LADDER[:-1], start=1))):
        label = nw.when(nw.col("number") == i).then(nw.lit(name)).otherwise(label)
    return (
        orders.with_columns(one=nw.lit(1))
        .with_columns(number=number)
        .select(
            "customer_id",
            nw.col("ordered_at").alias("occurred_at"),
            label.alias("event"),
            _column_or_nothing("channel", columns).alias("channel"),
            _NOTHING.alias("action"),
        )
    )


def _deal_moments(deals: nw.LazyFrame) -> nw.LazyFrame:
    columns = deals.collect_schema().names()
    decided = deals.filter(nw.col("outcome").is_in(["won", "lost"]))

    def moments(frame, time, event):
        return frame.select(
            nw.col("deal_id").alias("customer_id"),
            nw.col(time).alias("occurred_at"),
            event.alias("event"),
            _column_or_nothing("source", columns).alias("channel"),
            _NOTHING.alias("action"),
        )

    return nw.concat(
        [
            moments(deals, "created_at", nw.lit("created")),
            moments(decided, "closed_at", nw.lit("decided")),
            moments(decided, "closed_at", nw.col("outcome")),
        ]
    ).drop_nulls(["customer_id", "occurred_at"])


_NOTHING = nw.lit(None, dtype=nw.String)


def _column_or_nothing(name: str, columns) -> nw.Expr:
    return nw.col(name).cast(nw.String) if name in columns else _NOTHING


# Which steps


def _plan_for_named_steps(base, steps: list[str]) -> Plan:
    recorded = {kind: _names(_moments(base, kind)) for kind in _kinds_in(base)}
    for kind, names in recorded.items():
        if set(steps) <= set(names.index):
            return Plan(kind, steps, f"The steps named by the analyst, found among the {_WORDS[kind]}.")
    if not recorded:
        raise Problem(_plan_without_steps(base).why)
    nearest = max(recorded.values(), key=lambda names: len(set(steps) & set(names.index)))
    everything = pd.concat(recorded.values())
    known = everything[~everything.index.duplicated()]
    missing = next((s for s in steps if s not in known.index), None)
    if missing is not None:
        raise Problem(_unknown_name(missing, known))
    missing = next(s for s in steps if s not in nearest.index)
    raise Problem(
        f'The steps come from different places: "{missing}" is not recorded with the others. '
        f"{' '.join(f'{_WORDS[k].capitalize()}: {_some(list(n.index))}.' for k, n in recorded.items())}"
    )


def _plan_from_touchpoints(base) -> Plan | None:
    for kind, customary in (("stages", STAGES), ("events", SHOP_EVENTS)):
        if kind in _kinds_in(base):
            steps = _in_customary_order(_names(_moments(base, kind)), customary)
            if len(steps) >= 2:
                return Plan(kind, steps, f"The {_WORDS[kind]} with customary names, in the customary order.")
    return None


def _plan_from_orders(base) -> Plan | None:
    if "orders" not in _kinds_in(base):
        return None
    names = _names(_moments(base, "orders"))
    steps = [step for step in ORDER_LADDER if step in names.index]
    if len(steps) < 2:
        return None
    window = _patience(base)
    why = (
        f"The {_WORDS['orders']}, one after the other, each within {window} days of the one before: a third of the "
        "time that the data cover. Whoever has had less time than that is not judged, and not taken for lost."
    )
    return Plan("orders", steps, why, window)


def _patience(base) -> int:
    """Days to wait for the next order: a third of the days that the orders cover, a year at most."""
    at = nw.col("ordered_at")
    span = nw.from_native(base["orders"]).lazy().select(first=at.min(), last=at.max())
    first, last = _collected(span).iloc[0]
    return int(min(max((last - first).days // 3, 1), 365))


def _plan_from_deals(base) -> Plan | None:
    if "deals" not in _kinds_in(base):
        return None
    names = _names(_moments(base, "deals"))
    steps = [step for step in DEAL_EVENTS if step != "lost"]
    if not {"created", "decided"} <= set(names.index):
        return None
    why = f"The {_WORDS['deals']}. The rate from decided to won is the win rate; a deal still open is not yet decided."
    return Plan("deals", steps, why)


def _plan_without_steps(base) -> Plan:
    if "events" in _kinds_in(base):
        names = _names(_moments(base, "events"))
        if len(names):
            why = (
                "The order of the touchpoints' events is not known: name the steps, for instance in "
                f"[parameters.4_journeys] of the mapping. The commonest events: {_some(list(names.index))}."
            )
            return Plan("events", [], why)
    found = "Nobody has ordered twice yet. " if "orders" in base else ""
    return Plan(
        "",
        [],
        f"{found}A journey needs steps that follow each other: touchpoints (customer_id, occurred_at, event or "
        "stage), customers with more than one completed order, or deals that were decided.",
    )


_WORDS = {
    "stages": "stages of touchpoints",
    "events": "events of touchpoints",
    "orders": "completed orders",
    "deals": "deals, created, decided and won",
    "everything": "events of touchpoints and the completed orders",
}


def _kinds_in(base) -> list[str]:
    """Kinds of event that the base's tables and their columns allow."""
    return [
        kind
        for kind in KINDS
        if all(name in base and set(columns) <= set(_columns(base[name])) for name, columns in _SOURCES[kind].items())
    ]


def _columns(table: IntoFrame) -> list[str]:
    return nw.from_native(table).lazy().collect_schema().names()


def _in_customary_order(names: pd.Series, customary) -> list[str]:
    """One recorded name for each customary one that occurs: the commonest spelling of it."""
    plain = {name: str(name).strip().lower().replace(" ", "_").replace("-", "_") for name in names.index}
    found = ([n for n in names.index if plain[n] in [c.replace(" ", "_") for c in same]] for same in customary)
    return [candidates[0] for candidates in found if candidates]


def _names(moments: nw.LazyFrame) -> pd.Series:
    """Number of events by name, commonest first, ties by name."""
    counts = _collected(moments.group_by("event").agg(n=nw.len()))
    counts = counts.sort_values(["n", "event"], ascending=[False, True])
    return pd.Series(counts["n"].to_numpy("int64"), index=counts["event"].to_list())


def _require_names(moments: nw.LazyFrame, wanted: list[str]) -> None:
    found = _collected(moments.filter(nw.col("event").is_in(wanted)).select("event").unique())["event"]
    missing = [name for name in wanted if name not in set(found)]
    if missing:
        raise Problem(_unknown_name(missing[0], _names(moments)))


def _unknown_name(name: str, names: pd.Series) -> str:
    if names.empty:
        return f'There is no event "{name}": there are no events at all. Check the filter, or the table mapped.'
    known = [str(n) for n in names.index]
    return f'No event is called "{name}".{did_you_mean(name, known)} The commonest of {len(known)}: {_some(known)}.'


def _some(names: list) -> str:
    return ", ".join(map(str, names[:10])) + (", …" if len(names) > 10 else "")


# The funnel


def _clean(events: IntoFrame) -> nw.LazyFrame:
    """The three columns without gaps, the time as an instant."""
    frame = nw.from_native(events).lazy()
    schema = frame.collect_schema()
    require_columns("The table of events", schema.names(), ["customer_id", "occurred_at", "event"])
    frame = frame.select("customer_id", "occurred_at", "event").drop_nulls()
    if schema["occurred_at"] == nw.Date:
        return frame.with_columns(_OCCURRED_AT.cast(nw.Datetime("us")))
    if not isinstance(schema["occurred_at"], nw.Datetime):
        raise Problem(
            f"occurred_at of the events holds {schema['occurred_at']}, not times. "
            "Convert it first, for instance with pandas.to_datetime or, in SQL, ::TIMESTAMPTZ."
        )
    return frame


def _ordered_steps(steps: Sequence[str]) -> list[str]:
    if isinstance(steps, str) or len(list(steps)) < 2:
        raise Problem(f"A funnel needs at least two steps, in order; it was given {steps!r}.")
    steps = list(steps)
    twice = [s for i, s in enumerate(steps) if s in steps[:i]]
    if twice:
        raise Problem(f'"{twice[0]}" is in the funnel twice. Name each step once: {", ".join(map(str, steps))}.')
    return steps


def _window(window_days: float | None) -> int | None:
    """The window in microseconds."""
    if window_days is None:
        return None
    if not window_days > 0:
        raise Problem(f"The window is {window_days} days. It must be longer than 0; leave it out for no window.")
    return round(window_days * _MICROSECONDS_PER_DAY)


def _reached(moments: nw.LazyFrame, steps: list[str], as_of: date | None) -> tuple[pd.DataFrame, int]:
    """One row per customer who entered [customer_id, step_0, step_1, …: time or NaT], and the end of the data.

    No window here: a step's time does not depend on it, so that it can be applied afterwards.
    """
    everything = moments
    if as_of is None:
        end = _collected(moments.select(_OCCURRED_AT.max()))["occurred_at"]
    else:
        midnight = _midnight_after(as_of, moments.collect_schema()["occurred_at"].time_zone)
        moments = moments.filter(nw.lit(midnight) > _OCCURRED_AT)
        end = pd.Series([midnight])
    of_step = [moments.filter(nw.col("event") == step).select("customer_id", time=_OCCURRED_AT) for step in steps]
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
    reached = _collected(reached)
    if reached.empty or reached.isna().all().any():  # only then may a name be unknown: spares a pass over the events
        _require_names(everything, steps)
    return reached, int(_microseconds(end)[0])


def _midnight_after(day: date, time_zone: str | None) -> datetime:
    midnight = pd.Timestamp(datetime.combine(day, datetime.min.time()) + timedelta(days=1))
    if time_zone is not None:  # where clocks go forward at midnight, the day begins at one
        midnight = midnight.tz_localize(time_zone, nonexistent="shift_forward", ambiguous=True)
    return midnight.to_pydatetime()


_NEVER = np.iinfo(np.int64).min  # NumPy's NaT, as a whole number


def _microseconds(times: pd.Series) -> np.ndarray:
    return times.to_numpy("datetime64[us]").astype("int64")


def _times(reached: pd.DataFrame, n_steps: int) -> np.ndarray:
    """Array (customers, steps) of microseconds since 1970, `_NEVER` where a step was not reached."""
    return np.column_stack([_microseconds(reached[f"step_{i}"]) for i in range(n_steps)])


def _funnel_table(times: np.ndarray, steps: list[str], window: int | None, end: int) -> pd.DataFrame:
    rows = []
    here = np.ones(len(times), dtype=bool)
    for i, step in enumerate(steps[:-1]):
        since, then = times[here, i], times[here, i + 1]
        seen = end - since
        converted = then != _NEVER
        open_yet = np.zeros_like(converted)
        if window is not None:
            converted &= then - since <= window
            open_yet = ~converted & (seen < window)
        median, p90 = _days_until(np.where(converted, then - since, seen), converted, (0.5, 0.9))
        judged = seen >= window if window is not None else np.ones_like(converted)
        lost = judged & ~converted
        rows.append((step, here.sum(), converted.sum(), judged.sum(), median, p90, lost.sum(), open_yet.sum()))
        here[here] = converted
    rows.append((steps[-1], here.sum(), None, None, math.nan, math.nan, None, None))
    counts = ["converted", "judged", "lost", "censored"]
    table = pd.DataFrame(rows, columns=["step", "entered", *counts[:2], *_TIMES_TO_CONVERT, *counts[2:]])
    table = table.astype({"entered": "int64"} | dict.fromkeys(counts, "Int64"))
    judged, lost = (table[c].astype("float64").to_numpy() for c in ("judged", "lost"))
    table["rate"] = _ratio(judged - lost, judged)
    table["low"], table["high"] = _interval(judged - lost, judged)
    return table[_FUNNEL_COLUMNS]


def _no_funnel() -> pd.DataFrame:
    table = pd.DataFrame({column: pd.Series(dtype="float64") for column in _FUNNEL_COLUMNS})
    counts = dict.fromkeys(["converted", "judged", "lost", "censored"], "Int64")
    return table.astype({"step": "str", "entered": "int64"} | counts)


def _days_until(durations: np.ndarray, converted: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Days by which these shares have converted, by Kaplan-Meier; NaN where the estimate never gets there.

    Durations in microseconds; of those who did not convert, for how long they were seen.
    """
    times, position, leaving = np.unique(durations, return_inverse=True, return_counts=True)
    converting = np.bincount(position, weights=converted, minlength=len(times))
    at_risk = len(durations) - np.concatenate([[0], np.cumsum(leaving)[:-1]]) if len(times) else np.empty(0)
    waiting = np.cumprod(1 - converting / at_risk)
    # the products of exact fractions are off by some 1e-16, and a half must count as a half
    first = [np.flatnonzero(waiting <= 1 - share + 1e-12) for share in shares]
    return [float(times[i[0]] / _MICROSECONDS_PER_DAY) if len(i) else math.nan for i in first]


def _with_group(reached: pd.DataFrame, by: pd.DataFrame, group: str) -> pd.DataFrame:
    groups = by[["customer_id", group]].dropna()
    # identifiers are text everywhere else; a table read from a file may have made numbers of them
    groups = groups.assign(customer_id=groups["customer_id"].astype(str))
    twice = groups["customer_id"].duplicated()
    if twice.any():
        raise Problem(
            f"The table of groups names {twice.sum()} customers more than once. Each may be in one {group} only."
        )
    joined = reached.assign(customer_id=reached["customer_id"].astype(str)).merge(groups, on="customer_id")
    if joined.empty:
        raise Problem(
            f"None of the {len(groups)} customers with a {group} entered the funnel. "
            "Check that both tables name customers by the same id."
        )
    return joined


def _against_everybody_else(part: pd.DataFrame, everybody: pd.DataFrame) -> pd.DataFrame:
    """The funnel of a part, with what the others' funnel counts: n_elsewhere and k_elsewhere."""
    others = everybody.loc[part.index, ["judged", "lost"]] - part[["judged", "lost"]]
    return part.assign(
        k=part["judged"] - part["lost"],
        n=part["judged"],
        k_elsewhere=others["judged"] - others["lost"],
        n_elsewhere=others["judged"],
    )


def _with_corrected_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Adds `_DIFFERENCE_COLUMNS` and differs, from k of n here and k_elsewhere of n_elsewhere elsewhere."""
    k, n, k_else, n_else = (table[c].astype("float64").to_numpy() for c in ("k", "n", "k_elsewhere", "n_elsewhere"))
    measured = np.flatnonzero((n > 0) & (n_else > 0))
    figures = np.full((len(table), 5), np.nan)
    if len(measured):
        counts = (x[measured] for x in (k, n, k_else, n_else))
        confidence = 1 - (1 - CONFIDENCE) / len(measured)
        figures[measured, :4] = np.column_stack(evidence.difference_of_shares(*counts, confidence=confidence))
        figures[measured, 4] = multipletests(figures[measured, 3], method="holm")[1]
    table = table.assign(elsewhere=_ratio(k_else, n_else))
    table[["difference", "difference_low", "difference_high", "p", "p_corrected"]] = figures
    return table.assign(differs=figures[:, 4] < 1 - CONFIDENCE)


# Losses


def _losses(funnel: pd.DataFrame) -> pd.DataFrame:
    counted = funnel.assign(next_step=funnel["step"].shift(-1)).iloc[:-1]
    lost, judged = (
        counted["lost"].astype("int64").to_numpy(),
        counted["judged"].astype("int64").to_numpy(),
    )
    table = pd.DataFrame(
        {
            "step": counted["step"].to_numpy(),
            "next_step": counted["next_step"].to_numpy(),
            "entered": counted["entered"].astype("int64").to_numpy(),
            "lost": lost,
            "share": _ratio(lost, np.full(len(lost), lost.sum())),
            "loss_rate": _ratio(lost, judged),
            "k": lost,
            "n": judged,
            "k_elsewhere": lost.sum() - lost,
            "n_elsewhere": judged.sum() - judged,
        }
    )
    table["low"], table["high"] = _interval(lost, np.full(len(lost), lost.sum()))
    table = _with_corrected_differences(table)
    largest, clear = evidence.clearly_largest(lost, judged)
    table["stands_out"] = clear & (table.index == largest)
    columns = ["step", "next_step", "entered", "lost", "share", "low", "high", "loss_rate"]
    table = table[[*columns, *_DIFFERENCE_COLUMNS, "stands_out"]]
    return table.sort_values(["lost", "step"], ascending=[False, True], ignore_index=True)


def _verdict_on(table: pd.DataFrame) -> str:
    losses = table["lost"].sum()
    if not losses:
        return "Nobody is known to be lost at any step."
    most = table.iloc[0]
    interval = evidence.percent_range(most["low"], most["high"], 1)
    verdict = (
        f"Most leave this path between {most['step']} and {most['next_step']}: {most['lost']:,} of {losses:,} who "
        f"left it ({evidence.percent(most['share'], 1)}, interval {interval})."
    )
    if table["p"].notna().sum() < 2:
        return f"{verdict} There is no other step to compare with."
    outstanding = table[table["stands_out"]]
    if outstanding.empty:
        return f"{verdict} No step stands out: none loses a clearly larger share of those who reach it than all others."
    step = outstanding.iloc[0]
    rates = f"{evidence.percent(step['loss_rate'], 1)}, elsewhere {evidence.percent(step['elsewhere'], 1)}"
    return f"{verdict} Losing a larger share than any other step: {step['step']} ({rates})."


# Transitions and paths


def _order_of_events(order: Sequence[str]) -> list[str]:
    return ["occurred_at", "rank", "event"] if len(order) else ["occurred_at", "event"]


def _ranked(moments: nw.LazyFrame, order: Sequence[str]) -> nw.LazyFrame:
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


def _path_per_customer(moments: nw.LazyFrame, max_length: int, goal: str | None, order: Sequence[str]) -> nw.LazyFrame:
    """Lazy frame [customer_id, path, reached_goal (0 or 1)]: one column per position, as no backend strings up rows."""
    in_order = {"order_by": _order_of_events(order)}
    positions = [f"event_{i}" for i in range(1, max_length + 1)]
    folded = (
        _ranked(moments, order)
        .with_columns(before=nw.col("event").shift(1).over("customer_id", **in_order))
        .filter(nw.col("before").is_null() | (nw.col("before") != nw.col("event")))
        .with_columns(one=nw.lit(1))  # summed up: over pandas, cum_count() of a column of order_by is wrong
        .with_columns(position=nw.col("one").cum_sum().over("customer_id", **in_order))
    )
    at_goal = nw.lit(0) if goal is None else nw.when(nw.col("event") == goal).then(nw.lit(1)).otherwise(nw.lit(0))
    return (
        folded.with_columns(
            *[
                nw.when(nw.col("position") == i).then(nw.col("event")).alias(name)
                for i, name in enumerate(positions, start=1)
            ],
            reached_goal=at_goal,
        )
        .group_by("customer_id")
        .agg(*[nw.col(name).max() for name in [*positions, "position", "reached_goal"]])
        .with_columns(more=nw.when(nw.col("position") > max_length).then(nw.lit("…")))
        .select(
            "customer_id",
            "reached_goal",
            path=nw.concat_str([*positions, "more"], separator=ARROW, ignore_nulls=True),
        )
    )


# The journey map


def _number_of_customers(base, kind: str) -> int:
    """All who are in the tables that the moments come from, also those without any stage."""
    subject = "deal_id" if kind == "deals" else "customer_id"
    ids = [nw.from_native(base[name]).lazy().select(subject) for name in _SOURCES[kind]]
    return int(_collected(nw.concat(ids).drop_nulls().select(nw.col(subject).n_unique())).iloc[0, 0])


def _counts_per_stage(here: nw.LazyFrame) -> pd.DataFrame:
    """By stage: its customers, their events (repeated rows count once), sum of the squares of events per customer."""
    per_customer = here.unique().group_by("event", "customer_id").agg(n=nw.len()).with_columns(square=nw.col("n") ** 2)
    sums = {"customers": nw.len(), "events": nw.col("n").sum(), "squares": nw.col("square").sum()}
    return _collected(per_customer.group_by("event").agg(**sums)).set_index("event").astype("int64")


def _map_customers(counts: pd.DataFrame, stages: list[str], everybody: int, who: str) -> list[tuple]:
    """Rows "customers" and "activity", for every stage."""
    rows = []
    for stage in stages:
        n, events, squares = (int(counts.at[stage, c]) for c in ("customers", "events", "squares"))
        low, high = (float(bound) for bound in _interval(n, everybody))
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
    found = _collected(
        here.select("event", "customer_id", column).drop_nulls().unique().group_by("event", column).agg(k=nw.len())
    ).sort_values(["event", "k", column], ascending=[True, False, True])
    rows = []
    found = found[found[column] != found["event"]]  # who was at the cart has been at the cart
    for commonest in found.groupby("event").head(top).itertuples():
        k, n = int(commonest.k), int(counts.at[commonest.event, "customers"])
        low, high = (float(bound) for bound in _interval(k, n))
        said = words.format(getattr(commonest, column), k, n, evidence.percent(k / n, 1))
        rows.append((commonest.event, "channel" if column == "channel" else "event", said, k / n, low, high, n))
    return rows


def _map_times(here: nw.LazyFrame, stages: list[str]) -> list[tuple]:
    """Rows "time": median days since the stage before, for every stage but the first."""
    rows = []
    for before, stage in pairwise(stages):
        reached, _ = _reached(here, [before, stage], None)
        times = _times(reached, 2)
        days = np.sort((times[:, 1] - times[:, 0])[times[:, 1] != _NEVER]) / _MICROSECONDS_PER_DAY
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


# Small things


def _collected(frame: nw.LazyFrame) -> pd.DataFrame:
    return frame.collect("pandas").to_native()


def _ratio(k, n) -> np.ndarray:
    """Element by element k / n; NaN where n is 0 or missing."""
    k, n = np.asarray(k, dtype="float64"), np.asarray(n, dtype="float64")
    return np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)


def _interval(k, n) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the share k / n, element by element; NaN where n is 0 or missing."""
    k, n = np.broadcast_arrays(np.asarray(k, dtype="float64"), np.asarray(n, dtype="float64"))
    low, high = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    known = n > 0
    if known.any():
        low[known], high[known] = evidence.share_interval(k[known], n[known], confidence=CONFIDENCE)
    return low, high
