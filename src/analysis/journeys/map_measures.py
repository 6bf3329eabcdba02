"""What is measured of each persona at each stage of the journey?

Takes the tables of a base as of a day, the plan of its journey and who belongs to which persona. Gives counts, values
and times, of customers and not yet compared.
"""

from datetime import date, timedelta
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from analysis.errors import Problem
from analysis.expressions import collected, midnight
from analysis.journeys.by_stage import (
    OF_VISITS,
    YEAR_DAYS,
    days_open,
    happenings,
    moves,
    single_tries,
    stage_before,
    tries,
    ways,
)
from analysis.journeys.steps import Plan

#: Stage of what holds for the whole journey, and number of the persona that stands for all customers.
WHOLE, EVERYBODY = -1, 0

#: Of actions, channels, owners and topics at a stage so many are counted, commonest first.
MOST = 3

#: Answers up to these speak of discontent: detractors (Reichheld 2003, Harvard Business Review 81(12)), and answers
#: below the middle of the other two scales.
LOW_ANSWERS = {"nps": 6, "csat": 2, "ces": 3}

#: Topics with one of these words are questions that come up, others are complaints.
_QUESTION = r"question|inquir|enquir|\bask|how to|\bhelp\b|information|سوال|سؤال|پرسش|راهنما|اطلاعات"

#: Where fewer visits than this go on from a stage, the way on does not lead through the same visit.
_GOES_ON = 0.1

#: Share of the tickets that a level taken from the data covers: four in five, as service levels are customarily set.
_COVERED = 0.8

_KEYS = ["persona", "place", "row", "measure", "of"]
_AT = ["persona", "place"]


class Measures(NamedTuple):
    """What is measured, by persona, place (of the stage), row, measure and of (what of).

    Attributes
    ----------
    shares : DataFrame
        With k of n, and source.
    values : DataFrame, one row per customer
        With customer_id, value and source.
    times : DataFrame, one row per customer or case
        With customer_id, days, happened and source.
    tries : DataFrame, as from :func:`analysis.journeys.by_stage.tries`, with persona
    level_days : float
        Days within which a ticket should be closed; NaN without tickets.
    days : int
        Days over which the tries were counted: a year, or as many as there are.
    """

    shares: pd.DataFrame
    values: pd.DataFrame
    times: pd.DataFrame
    tries: pd.DataFrame
    level_days: float
    days: int


def measures(
    tables, plan: Plan, members: pd.DataFrame | None, as_of: date, level_days: float | None = None
) -> Measures:
    """Everything that is measured of each persona at each stage.

    Parameters
    ----------
    tables : mapping of names to lazy frames, as of `as_of`
    plan : Plan with steps
    members : DataFrame, one row per customer, or None for everybody
        customer_id and persona.
    as_of : date, last day seen
    level_days : float, optional
        Days within which a ticket should be closed; default the time within which four in five of all tickets are.

    Raises
    ------
    Problem
        No customer of a persona is on the journey.
    """
    rows = happenings(tables, plan)
    done = _of_personas(ways(rows), members)
    if done.empty and members is not None:
        raise Problem(
            f"None of the {len(members):,} customers with a persona is on the journey. "
            "Check that both tables name customers by the same id."
        )
    moved = _of_personas(moves(rows, as_of), members)
    visits = plan.kind in OF_VISITS
    tried = tries(rows, as_of) if visits else single_tries(moved.drop(columns="persona"), plan.window_days)
    tried = _of_personas(tried, members)
    here = done.drop_duplicates([*_AT, "case_id"]).groupby(_AT).size()
    sizes = _sizes(tables, done, members, plan)
    tickets, level_days = _tickets(tables, rows, members, as_of, level_days)
    answers = _answers(tables, rows, plan, members)
    shares = [*_actions(done, here, sizes, plan), _going_on(moved, plan)]
    shares += [_raised(tickets, here), _unhappy(answers), _in_time(tickets, level_days)]
    values = [_scores(answers), _satisfaction(tickets), *(_visits(tried) if visits else ())]
    times = [_known(moved, "actions", "time", ""), _known(tickets.dropna(subset="team"), "ownership", "closed", "team")]
    source = {"touchpoints": plan.kind in OF_VISITS, "deals": plan.kind == "deals"}
    source = next((name for name, so in source.items() if so), "orders")
    return Measures(
        *(
            _joined(parts, columns, source)
            for parts, columns in ((shares, ["k", "n"]), (values, _VALUE), (times, _TIME))
        ),
        tried,
        level_days,
        int(np.ceil(min(moved["seen"].max(), YEAR_DAYS))) if len(moved) else YEAR_DAYS,
    )


_VALUE, _TIME = ["customer_id", "value"], ["customer_id", "days", "happened"]
_SOURCES = {"raised": "tickets", "in_time": "tickets", "closed": "tickets", "satisfied": "tickets",
            "unhappy": "feedback", "score": "feedback"}  # fmt: skip


def _joined(parts, columns, source) -> pd.DataFrame:
    table = pd.concat([part.reindex(columns=[*_KEYS, *columns]) for part in parts], ignore_index=True)
    return table.assign(source=table["measure"].map(_SOURCES).fillna(source)) if len(table) else table.assign(source="")


def _of_personas(table: pd.DataFrame, members: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of those who belong to a persona, in an order of their own; without personas all are `EVERYBODY`."""
    own = [c for c in ("customer_id", "case_id", "place", "action", "channel", "owner") if c in table]
    # identifiers are text everywhere else; a frame that somebody passes in may have numbers
    table = table.assign(customer_id=table["customer_id"].astype(str))
    table = table.assign(persona=EVERYBODY) if members is None else table.merge(members, on="customer_id")
    return table.sort_values(own, ignore_index=True)


def _sizes(tables, done, members, plan) -> pd.Series:
    """How many each persona has who could move: its customers, or its deals."""
    if plan.kind == "deals" or (members is None and "customers" not in tables):
        return done.drop_duplicates("case_id")["persona"].value_counts()
    if members is None:
        count = tables["customers"].select(n=nw.col("customer_id").n_unique())
        return pd.Series({EVERYBODY: int(collected(count)["n"].iloc[0])})
    return members["persona"].value_counts()


def _known(table: pd.DataFrame, row: str, measure: str, of: str) -> pd.DataFrame:
    return table.assign(row=row, measure=measure, of=table[of] if of else "")


def _actions(done, here, sizes, plan):
    """Who gets to a stage, what they do there, through which channel, and whom of us they meet."""
    reached = pd.MultiIndex.from_product([sizes.index, range(len(plan.steps))], names=_AT)
    reached = here.reindex(reached, fill_value=0).rename("k").reset_index()
    yield _known(reached.assign(n=reached["persona"].map(sizes)), "actions", "reached", "")
    named = done["place"].map(dict(enumerate(plan.steps)))
    done = done.assign(action=done["action"].where(done["action"] != named, ""))
    for of, row, measure in (
        ("action", "actions", "does"),
        ("channel", "actions", "through"),
        ("owner", "ownership", "owned"),
    ):
        yield _known(_counted(done[done[of] != ""], of, here, "case_id"), row, measure, of)


def _counted(table, of, here, who) -> pd.DataFrame:
    """Of those who were at a stage, how many have each of the commonest values there."""
    table = table.drop_duplicates(["place", of, who])
    total = table.groupby(["place", of]).size().rename("total").reset_index()
    total = total.sort_values(["place", "total", of], ascending=[True, False, True]).groupby("place").head(MOST)
    every = here.rename("n").reset_index().merge(total.drop(columns="total"), on="place")
    k = table.groupby([*_AT, of]).size().rename("k").reset_index()
    counted = every.merge(k, on=[*_AT, of], how="left")
    return counted.assign(k=counted["k"].fillna(0).astype("int64"))


def _going_on(moved, plan) -> pd.DataFrame:
    """Who went on to a later stage, of those who were seen long enough."""
    window = plan.window_days or np.inf
    judged = moved[(moved["seen"] >= window) | np.isinf(window)]
    counts = judged.assign(k=judged["happened"] & (judged["days"] <= window)).groupby(_AT)["k"]
    return _known(counts.agg(k="sum", n="size").reset_index(), "actions", "goes_on", "")


def _visits(tried):
    """How often each customer came to a stage within the year, and which share of these visits ended there."""
    sums = tried.groupby([*_AT, "customer_id"], as_index=False)[["tries", "went_on"]].sum()
    yield _known(sums.assign(value=sums["tries"].astype(float)), "actions", "visits", "")
    went = sums.groupby("place")[["went_on", "tries"]].sum()
    on_the_way = went.index[went["went_on"] >= _GOES_ON * went["tries"]]
    ends = sums[sums["place"].isin(on_the_way)]
    yield _known(ends.assign(value=1 - ends["went_on"] / ends["tries"]), "feelings", "ends", "")


def _tickets(tables, rows, members, as_of, level_days):
    """The tickets with the stage at which they were opened, and the days within which they should be closed."""
    columns = ["persona", "customer_id", "place", "topic", "team", "satisfaction", "days", "happened"]
    frame = tables.get("tickets")
    if frame is None or not {"ticket_id", "customer_id", "opened_at", "closed_at"} <= set(frame.collect_schema()):
        return pd.DataFrame(columns=columns), np.nan
    has = frame.collect_schema().names()
    frame = frame.filter(~nw.col("opened_at").is_null())
    end = midnight(frame, "opened_at", as_of + timedelta(days=1))
    nothing = {"satisfaction": nw.lit(None, dtype=nw.Float64)}
    own = {c: nw.col(c) if c in has else nothing.get(c, nw.lit(None, dtype=nw.String)) for c in columns[3:6]}
    told = frame.select("ticket_id", "customer_id", **own, **days_open("opened_at", "closed_at", end))
    where = stage_before(rows, frame, "opened_at", "ticket_id")
    table = collected(told.join(where, on="ticket_id", how="left")).sort_values("ticket_id")
    table = table.assign(
        days=table["days"].astype(float).clip(lower=0), happened=table["happened"] == 1,
        place=table["place"].astype("float64").fillna(WHOLE).astype("int64"),
    )  # fmt: skip
    if level_days is None:
        level_days = float(table["days"].where(table["happened"], np.inf).quantile(_COVERED)) if len(table) else np.nan
    return _of_personas(table, members)[columns], level_days


def _raised(tickets, here) -> pd.DataFrame:
    """Of those who were at a stage, who then wrote to us about each topic."""
    topics = tickets.dropna(subset="topic")
    counts = _counted(topics, "topic", here, "customer_id")
    asks = counts["topic"].str.contains(_QUESTION, case=False, regex=True).astype(bool)
    return _known(counts, "", "raised", "topic").assign(row=np.where(asks, "script", "feelings"))


def _in_time(tickets, level_days) -> pd.DataFrame:
    """Of the customers with tickets for a team, who had all of them closed within the level."""
    judged = tickets[tickets["happened"] | (tickets["days"] > level_days)].dropna(subset="team")
    late = judged.assign(late=judged["days"] > level_days).groupby([*_AT, "team", "customer_id"])["late"].max()
    counts = (~late.astype(bool)).groupby(level=[*_AT, "team"]).agg(k="sum", n="size").reset_index()
    return _known(counts, "ownership", "in_time", "team")


def _satisfaction(tickets) -> pd.DataFrame:
    rated = tickets.dropna(subset=["team", "satisfaction"])
    return _known(_means(rated, "team", "satisfaction"), "ownership", "satisfied", "team")


def _means(table, of, value) -> pd.DataFrame:
    """Each customer's mean."""
    table = table.sort_values(value).astype({value: "float64"})
    return table.groupby([*_AT, of, "customer_id"], as_index=False)[value].mean().rename(columns={value: "value"})


def _answers(tables, rows, plan, members) -> pd.DataFrame:
    """The answers to CSAT, CES and NPS, at the stage that they name or at which the customer was."""
    frame, columns = tables.get("feedback"), ["persona", "customer_id", "place", "instrument", "score", "topic", "low"]
    if frame is None or not {"customer_id", "given_at", "instrument", "score"} <= set(frame.collect_schema()):
        return pd.DataFrame(columns=columns)
    low = nw.lit(0)
    for instrument, at_most in LOW_ANSWERS.items():
        unhappy = (nw.col("instrument") == instrument) & (nw.col("score") <= at_most)
        low = nw.when(unhappy).then(nw.lit(1)).otherwise(low)
    frame = frame.filter(~nw.col("score").is_null() & nw.col("instrument").is_in(list(LOW_ANSWERS)))
    if "stage" in frame.collect_schema() and plan.kind == "stages":
        return _of_personas(_named_stage(frame, low, plan), members)[columns]
    has = frame.collect_schema().names()
    topic = nw.col("topic") if "topic" in has else nw.lit(None, dtype=nw.String)
    in_order = ["customer_id", "given_at", "instrument", "score"]
    one = nw.lit(1)
    frame = frame.with_columns(topic=topic, low=low, one=one)
    frame = frame.with_columns(key=nw.col("one").cum_sum().over(order_by=in_order).cast(nw.String))
    where = stage_before(rows, frame, "given_at", "key")
    table = collected(frame.select("customer_id", "instrument", "score", "topic", "low", "key").join(where, on="key"))
    place = table["place"].astype("float64").fillna(WHOLE).astype("int64")
    return _of_personas(table.assign(place=place), members)[columns]


def _named_stage(frame, low, plan) -> pd.DataFrame:
    topic = nw.col("topic") if "topic" in frame.collect_schema() else nw.lit(None, dtype=nw.String)
    table = collected(frame.select("customer_id", "instrument", "score", "stage", topic=topic, low=low))
    place = table["stage"].map({step: i for i, step in enumerate(plan.steps)})
    return table.assign(place=place.astype("float64").fillna(WHOLE).astype("int64"))


def _scores(answers) -> pd.DataFrame:
    return _known(_means(answers, "instrument", "score"), "feelings", "score", "instrument")


def _unhappy(answers) -> pd.DataFrame:
    """Of those who answered about a topic, who ever gave a low answer."""
    about = answers.dropna(subset="topic")
    worst = about.groupby([*_AT, "topic", "customer_id"])["low"].max()
    counts = worst.groupby(level=[*_AT, "topic"]).agg(k="sum", n="size").reset_index()
    return _known(counts, "feelings", "unhappy", "topic")
