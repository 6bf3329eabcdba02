"""Which steps does the journey of a base have, and which events take a customer from one to the next?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.journeys.customary import (
    DEAL_EVENTS,
    FULFILMENT,
    ORDER_LADDER,
    SHOP_EVENTS,
    STAGES,
    TOUCH_ENDINGS,
    TOUCHES,
)
from analysis.journeys.moments import (
    NO_EVENTS,
    WORDS,
    collected,
    columns_of,
    kinds_in,
    moments,
    names_of,
    some,
    unknown_name,
)
from analysis.phrases import phrase


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
    window_days, step_days : float or None
        Days within which the whole journey, and each next step, should follow; None where any time will do.
    per : {"customer_id", "session_id", "attempt_id", "deal_id"}
        The column of the events that names who takes the steps.
    """

    kind: str
    steps: list[str]
    why: str
    window_days: float | None = None
    step_days: float | None = None
    per: str = "customer_id"

    @property
    def unit(self) -> str:
        """Who takes the steps."""
        return self.per.removesuffix("_id")


def default_steps(base: Mapping[str, IntoFrame], steps: Sequence[str] | None = None, per: str = "customer_id") -> Plan:
    """Which steps does the journey of this base have?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
    steps : sequence of str, optional
        Steps named by the analyst: then only where they are recorded is looked up.
    per : {"customer_id", "session_id", "attempt_id"}
        Of whom: with "session_id", of a single visit, in a shop that records events with customary names; with
        "attempt_id", of a single order until it is delivered.

    Returns
    -------
    Plan
        Without `steps`, the first that holds: stages of touchpoints with customary names, events of touchpoints with
        customary names (both at least two: see `STAGES` and `SHOP_EVENTS`), first to sixth order if anybody ordered
        twice, deals if any was decided. A base with touchpoints of unknown order has a kind but no steps, one with
        none of these has neither; `why` says what is missing. Where nobody named the steps, the whole journey (of
        orders: each next one) is waited for as long as a third of the time that the data cover, a year at most.

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
    if per == "session_id":
        return _plan_for_visits(base)
    if per == "attempt_id":
        return _plan_for_orders(base)
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
        Columns customer_id, occurred_at, event, channel, campaign_id, where amounts are known value (of the customer's
        completed orders of that moment, of a deal won), of deals deal_id, of touchpoints session_id where it is
        recorded. Rows without customer (deal), time or name are left out (a deal not yet decided is only created).
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
        return nw.from_native(NO_EVENTS).lazy()
    return moments(base, kind).drop("action")


def touches_in(base: Mapping[str, IntoFrame]) -> tuple[list[str], str]:
    """By which events do customers come or are reached, and which one is an order: what attribution asks for.

    Parameters
    ----------
    base : customer base, or mapping of table names to frames

    Returns
    -------
    touches : list of str
        Recorded events with customary names: visits, clicks, opened messages, calls, meetings.
    conversion : str
        The event that is an order; "" where touches, orders or their channels are not recorded.

    Examples
    --------
    >>> touchpoints = pd.DataFrame({"customer_id": "a", "event": ["email_click", "order"], "channel": ["email", "web"],
    ...                             "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-21"])})
    >>> touches_in({"touchpoints": touchpoints})
    (['email_click'], 'order')
    """
    if "events" not in kinds_in(base) or "channel" not in columns_of(base["touchpoints"]):
        return [], ""
    names = names_of(moments(base, "events"))
    plain = {name: str(name).strip().lower().replace(" ", "_").replace("-", "_") for name in names.index}
    touches = [name for name in names.index if plain[name] in TOUCHES or plain[name].endswith(TOUCH_ENDINGS)]
    orders = _in_customary_order(names, SHOP_EVENTS[-1:])
    return (touches, orders[0]) if touches and orders else ([], "")


def _plan_for_named_steps(base, steps: list[str]) -> Plan:
    recorded = {kind: names_of(moments(base, kind)) for kind in kinds_in(base)}
    for kind, names in recorded.items():
        if set(steps) <= set(names.index):
            per = "deal_id" if kind == "deals" else "customer_id"
            among = phrase(WORDS[kind])
            why = phrase("The steps named by the analyst, found among the {events}.", events=among)
            return Plan(kind, steps, why, per=per)
    if not recorded:
        raise Problem(_plan_without_steps(base).why)
    nearest = max(recorded.values(), key=lambda names: len(set(steps) & set(names.index)))
    everything = pd.concat(recorded.values())
    known = everything[~everything.index.duplicated()]
    missing = next((s for s in steps if s not in known.index), None)
    if missing is not None:
        raise Problem(unknown_name(missing, known))
    missing = next(s for s in steps if s not in nearest.index)
    raise Problem(
        f'The steps come from different places: "{missing}" is not recorded with the others. '
        f"{' '.join(f'{WORDS[k].capitalize()}: {some(list(n.index))}.' for k, n in recorded.items())}"
    )


def _plan_from_touchpoints(base) -> Plan | None:
    for kind, customary in (("stages", STAGES), ("events", SHOP_EVENTS)):
        if kind in kinds_in(base):
            steps = _in_customary_order(names_of(moments(base, kind)), customary)
            if len(steps) >= 2:
                window = _patience(base, "touchpoints", "occurred_at")
                why = phrase(
                    "The {events} with customary names, in the customary order, all of them within {days} days of the "
                    "first: a third of the time that the data cover. Who has had less time is not judged, and not "
                    "taken for lost.",
                    **{"events": phrase(WORDS[kind]), "days": window},
                )
                return Plan(kind, steps, why, window)
    return None


def _plan_for_visits(base) -> Plan:
    """The events of a shop in one visit."""
    steps = _in_customary_order(names_of(moments(base, "events")), SHOP_EVENTS) if "events" in kinds_in(base) else []
    if len(steps) < 2:
        why = phrase(
            "No visits to a shop are recorded: touchpoints with events such as visit, view_item, add_to_cart, "
            "checkout, order would tell."
        )
        return Plan("", [], why, per="session_id")
    return Plan("events", steps, phrase("The customary events of a shop, visit by visit."), per="session_id")


def _plan_for_orders(base) -> Plan:
    """An order and its delivery, within thirty days."""
    names = names_of(moments(base, "events")) if "events" in kinds_in(base) else pd.Series(dtype="int64")
    steps = _in_customary_order(names, (SHOP_EVENTS[-1], FULFILMENT))
    if len(steps) < 2:
        why = phrase(
            "When orders arrive is not recorded: touchpoints with an event order and an event delivery would tell."
        )
        return Plan("", [], why, per="attempt_id")
    return Plan("events", steps, phrase("Each order until it is delivered, within 30 days."), 30, per="attempt_id")


def _plan_from_orders(base) -> Plan | None:
    if "orders" not in kinds_in(base):
        return None
    names = names_of(moments(base, "orders"))
    steps = [step for step in ORDER_LADDER if step in names.index]
    if len(steps) < 2:
        return None
    window = _patience(base, "orders", "ordered_at")
    why = phrase(
        "The completed orders, one after the other, each within {days} days of the one before: a third of the time "
        "that the data cover. Who has had less time is not judged, and not taken for lost.",
        days=window,
    )
    return Plan("orders", steps, why, step_days=window)


def _patience(base, table: str, column: str) -> int:
    """Days to wait: a third of the days that a table covers, a year at most."""
    at = nw.col(column)
    span = nw.from_native(base[table]).lazy().select(first=at.min(), last=at.max())
    first, last = collected(span).iloc[0]
    return int(min(max((last - first).days // 3, 1), 365))


def _plan_from_deals(base) -> Plan | None:
    if "deals" not in kinds_in(base):
        return None
    names = names_of(moments(base, "deals"))
    steps = [step for step in DEAL_EVENTS if step != "lost"]
    if not {"created", "decided"} <= set(names.index):
        return None
    why = phrase(
        "The deals, created, decided and won. The rate from decided to won is the win rate; a deal still open is not "
        "yet decided."
    )
    return Plan("deals", steps, why, per="deal_id")


def _plan_without_steps(base) -> Plan:
    if "events" in kinds_in(base):
        names = names_of(moments(base, "events"))
        if len(names):
            why = phrase(
                "The order of the touchpoints' events is not known: name the steps, for instance in "
                "[parameters.4_journeys] of the mapping. The commonest events: {events}.",
                events=some(list(names.index)),
            )
            return Plan("events", [], why)
    why = phrase(
        "A journey needs steps that follow each other: touchpoints (customer_id, occurred_at, event or stage), "
        "customers with more than one completed order, or deals that were decided."
    )
    found = [phrase("Nobody has ordered twice yet.")] if "orders" in base else []
    return Plan("", [], " ".join([*found, why]))


def _in_customary_order(names: pd.Series, customary) -> list[str]:
    """One recorded name for each customary one that occurs: the commonest spelling of it."""
    plain = {name: str(name).strip().lower().replace(" ", "_").replace("-", "_") for name in names.index}
    found = ([n for n in names.index if plain[n] in [c.replace(" ", "_") for c in same]] for same in customary)
    return [candidates[0] for candidates in found if candidates]
