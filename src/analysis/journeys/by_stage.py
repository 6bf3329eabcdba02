"""What did each customer do at each stage, how long until the next, and which visits went on from there?

Takes the tables of a base as of a day and the plan of its journey. Gives tables of customer scale, each from one pass
over the events.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import narwhals as nw
import pandas as pd

from analysis.expressions import collected, days_between, midnight, one_if
from analysis.journeys.steps import Plan, events

#: A pause this long ends a visit: the convention of web analytics since Catledge and Pitkow (1995, Computer Networks
#: and ISDN Systems 27), who measured 25.5 minutes.
PAUSE_MINUTES = 30

#: Kinds of events that fall into visits; orders and deals are steps of one long way.
OF_VISITS = ("stages", "events")

#: Opportunities are counted over so many days, so that "a year" is what was seen and no projection.
YEAR_DAYS = 365

_CASE = ["customer_id", "case_id"]


def happenings(tables: Mapping[str, nw.LazyFrame], plan: Plan) -> nw.LazyFrame:
    """Every event of the journey.

    Returns
    -------
    LazyFrame
        customer_id; case_id, who moves: the deal, or else the customer; occurred_at; place (int, of the plan's steps);
        action, channel, owner (text, perhaps empty).
    """
    if plan.kind in OF_VISITS:
        stage = plan.kind.removesuffix("s")
        rows = tables["touchpoints"].with_columns(case_id=nw.col("customer_id"), event_of=nw.col(stage))
        action = "event" if stage == "stage" else ""
    else:
        rows, action = events(tables, plan.kind).with_columns(event_of=nw.col("event")), ""
        rows = _with_deals(rows, tables) if plan.kind == "deals" else rows.with_columns(case_id=nw.col("customer_id"))
    has = rows.collect_schema().names()
    place = nw.lit(-1)
    for i, step in enumerate(plan.steps):
        place = nw.when(nw.col("event_of") == step).then(nw.lit(i)).otherwise(place)
    given = {name: _text(of, has) for name, of in (("action", action), ("channel", "channel"), ("owner", "owner"))}
    rows = rows.select(*_CASE, "occurred_at", place=place.fill_null(-1), **given)
    return rows.filter(nw.col("place") >= 0, ~nw.col("occurred_at").is_null(), ~nw.col("case_id").is_null())


def _with_deals(rows: nw.LazyFrame, tables) -> nw.LazyFrame:
    """The deal is what moves; whose it is, the table of deals says."""
    if "deal_id" not in rows.collect_schema():
        rows = rows.rename({"customer_id": "deal_id"})
    rows = rows.select("deal_id", "occurred_at", "event_of").rename({"deal_id": "case_id"})
    has = tables["deals"].collect_schema().names()
    deals = tables["deals"].select(
        "deal_id", customer_id=_text("customer_id", has), channel=_text("source", has), owner=_text("owner", has)
    )
    return rows.join(deals, left_on="case_id", right_on="deal_id", how="left")


def _text(name: str, has) -> nw.Expr:
    return (nw.col(name).cast(nw.String) if name in has else nw.lit(None, dtype=nw.String)).fill_null("")


def ways(rows: nw.LazyFrame) -> pd.DataFrame:
    """What each case did at each stage: customer_id, case_id, place, action, channel, owner, n (events)."""
    return collected(rows.group_by(*_CASE, "place", "action", "channel", "owner").agg(n=nw.len()))


def moves(rows: nw.LazyFrame, as_of: date) -> pd.DataFrame:
    """When each case came to each stage, and when it went on.

    Parameters
    ----------
    rows : LazyFrame, as from :func:`happenings`
    as_of : date, last day seen

    Returns
    -------
    DataFrame, one row per case and stage but the last
        customer_id, case_id, place; days, from the first event there to the first at a later stage at or after it, or
        to the end of what was seen; happened (bool), whether there was one; seen, days from that first event to the
        end.
    """
    first = rows.group_by(*_CASE, "place").agg(start=nw.col("occurred_at").min())
    later = rows.select("case_id", "occurred_at", to=nw.col("place"))
    joined = first.join(later, on="case_id")
    joined = joined.filter(nw.col("to") > nw.col("place"), nw.col("occurred_at") >= nw.col("start"))
    went_on = joined.group_by("case_id", "place").agg(went_on=nw.col("occurred_at").min())
    last = first.select(nw.col("place").max().alias("last"))
    end = midnight(first, "start", as_of + timedelta(days=1))
    spans = first.join(went_on, on=["case_id", "place"], how="left").with_columns(
        happened=one_if(~nw.col("went_on").is_null()), seen=_days(end - nw.col("start")),
        until=_days(nw.col("went_on") - nw.col("start")),
    )  # fmt: skip
    table = collected(spans.select(*_CASE, "place", "happened", "seen", "until"))
    table = table[table["place"] < collected(last)["last"].max()]
    table = table.assign(days=table["until"].astype("float64").fillna(table["seen"]), happened=table["happened"] == 1)
    return table.drop(columns="until").astype({"seen": "float64"})


def _days(span: nw.Expr) -> nw.Expr:
    return span.dt.total_seconds() / 86_400


def tries(rows: nw.LazyFrame, as_of: date) -> pd.DataFrame:
    """The visits of the last year, by the stages that they came to, and whether they went on from there.

    Parameters
    ----------
    rows : LazyFrame, as from :func:`happenings`
    as_of : date, last day seen

    Returns
    -------
    DataFrame, one row per customer, stage, and way of coming to it
        customer_id, place; action and channel of the visit's first event at the stage; tries, the visits; went_on,
        those of them in which an event at a later stage came at or after that first one.

    Notes
    -----
    A visit ends at a pause of `PAUSE_MINUTES`. Events of the same moment count in the order of the stages.
    """
    rows = rows.filter(nw.col("occurred_at") >= midnight(rows, "occurred_at", as_of - timedelta(days=YEAR_DAYS - 1)))
    in_order = ["occurred_at", "place", "action", "channel"]
    pause = _days(nw.col("occurred_at") - nw.col("occurred_at").shift(1)) * 1440
    pause = pause.over("customer_id", order_by=in_order)
    rows = rows.with_columns(opens=one_if(pause.is_null() | (pause > PAUSE_MINUTES)), one=nw.lit(1))
    rows = rows.with_columns(visit=nw.col("opens").cum_sum().over("customer_id", order_by=in_order))
    furthest = nw.col("place").cum_max(reverse=True).over("customer_id", "visit", order_by=in_order)
    number = nw.col("one").cum_sum().over("customer_id", "visit", "place", order_by=in_order)
    entries = rows.with_columns(furthest=furthest, number=number).filter(nw.col("number") == 1)
    went_on = one_if(nw.col("furthest") > nw.col("place"))
    counts = entries.with_columns(went_on=went_on).group_by("customer_id", "place", "action", "channel")
    table = collected(counts.agg(tries=nw.len(), went_on=nw.col("went_on").sum()))
    return table.astype({"tries": "int64", "went_on": "int64"})


def single_tries(table: pd.DataFrame, window_days: float | None) -> pd.DataFrame:
    """The same where a journey is one long way: one try per case and stage, among those seen for the whole window.

    Parameters
    ----------
    table : DataFrame, as from :func:`moves`
    window_days : float or None
        Without it, nobody's time is up, and who has not gone on has not gone on.
    """
    window = float("inf") if window_days is None else window_days
    judged = table if window_days is None else table[table["seen"] >= window]
    recent = judged[judged["seen"] < (0 if window_days is None else window) + YEAR_DAYS]
    went_on = (recent["happened"] & (recent["days"] <= window)).astype("int64")
    counts = recent.assign(tries=1, went_on=went_on, action="", channel="")
    keys = ["customer_id", "place", "action", "channel"]
    return counts.groupby(keys, as_index=False, dropna=False)[["tries", "went_on"]].sum()


def stage_before(rows: nw.LazyFrame, said: nw.LazyFrame, at: str, key: str) -> nw.LazyFrame:
    """At which stage was the customer who said something: that of the last event before.

    What the saying itself brings about, as a call to support at the very moment at which a ticket is opened, comes
    after it.

    Parameters
    ----------
    rows : LazyFrame, as from :func:`happenings`
    said : LazyFrame with customer_id, `at` and a column `key` that tells its rows apart

    Returns
    -------
    LazyFrame
        Columns `key` and place; empty for who had been nowhere yet.
    """
    no_key, no_place = nw.lit(None, dtype=nw.String), nw.lit(None, dtype=nw.Float64)
    been = rows.select("customer_id", at=nw.col("occurred_at"), place=nw.col("place").cast(nw.Float64), key=no_key)
    asked = said.select("customer_id", at=nw.col(at), place=no_place, key=nw.col(key).cast(nw.String))
    both = nw.concat([been, asked.filter(~nw.col("key").is_null(), ~nw.col("at").is_null())])
    # of one moment, what has no place (the saying) comes first
    place = nw.col("place").fill_null(strategy="forward").over("customer_id", order_by=["at", "place"])
    return both.with_columns(place=place).filter(~nw.col("key").is_null()).select(nw.col("key").alias(key), "place")


def days_open(opened: str, closed: str, as_of_end: nw.Expr) -> dict[str, nw.Expr]:
    """Days until something was closed, or is still open at the end; and whether it was closed."""
    end = nw.when(~nw.col(closed).is_null() & (nw.col(closed) < as_of_end)).then(nw.col(closed)).otherwise(as_of_end)
    return {"days": days_between(end, nw.col(opened)), "happened": one_if(nw.col(closed) < as_of_end)}
