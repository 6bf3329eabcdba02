"""How do satisfaction, retention, engagement and revenue go, from one quarter to the next?

Takes a base. Gives one row per figure and period, each beside the same period a year before, with intervals: the
artefact `kpis`. Whether a change is more than chance stands in its interval, and nowhere is it called good or bad.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from analysis import evidence
from analysis.expressions import (
    PARTS,
    collected,
    day_of,
    days_before,
    is_purchase,
    last_day,
    money,
    tables_until,
)
from analysis.quality.tables import first_of_the_bulk
from analysis.schema import TABLES

#: Whole weeks, so that every period has as many Saturdays, and of both a year of 52 weeks is a whole number.
QUARTER, MONTH, YEAR = 91, 28, 364

#: Periods that a trend shows, where the base goes back so far.
SHOWN = 8

#: Groups of fewer customers say nothing, and might say something about somebody.
FEWEST = 5

COLUMNS = ("kpi", "source", "starts", "ends", "days", "customers", "value", "low", "high", "before_starts", "before",
           "change", "change_low", "change_high")  # fmt: skip

#: What satisfaction is measured by, the first that there is: table and column.
_SATISFACTION = {"nps": ("feedback", "score"), "csat": ("feedback", "score"), "tickets": ("tickets", "satisfaction")}

_TIMES = {name: table.time for name, table in TABLES.items()}


class Periods(NamedTuple):
    """Stretches of so many days, counted back from the last day: 0 is the latest, and all are full."""

    as_of: date
    days: int

    def starts(self, n: int) -> date:
        return self.ends(n) - timedelta(self.days - 1)

    def ends(self, n: int) -> date:
        return self.as_of - timedelta(n * self.days)

    @property
    def a_year(self) -> int:
        return YEAR // self.days

    def of(self, column: str) -> nw.Expr:
        """The period of an instant."""
        return (days_before(self.as_of, "day").cast(nw.Int64) // self.days).alias("period")


def kpis(base: Mapping) -> pd.DataFrame:
    """What a business is steered by, period by period: of satisfaction, retention, engagement and revenue what it has.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes that has ``as_of``

    Returns
    -------
    DataFrame, one row per figure and period, the earliest period first
        kpi, source : str, what it is, and what it is measured by: satisfaction by nps, csat or tickets, retention by
        orders, engagement by touchpoints or campaigns, revenue by orders or deals.
        starts, ends : date; days : int, 91 where the base spans two such quarters, else 28.
        customers : int, who counts: who answered, had bought before, was known or reached before, paid.
        value, low, high : float, with its 95 % interval; revenue is a sum and has none.
        before_starts, before : the same days a year before, or where the base does not go back so far the period
        before; missing where there is neither.
        change, change_low, change_high : float, ``value - before`` with its interval; of revenue its growth,
        ``value / before - 1``.

    Notes
    -----
    A period counts where the table covers it: it has begun by then, and does not fall silent before the last quarter of
    it. The interval of a change recovers the variances from those of both values (Newcombe 1998, Statistics in Medicine
    17:873, method 10, for shares; Zou and Donner 2008, Statistics in Medicine 27:1693, for others) as if they were of
    different customers, which makes it rather too wide; that of revenue is of a ratio of two sums over the same
    customers (:func:`analysis.evidence.ratios`).

    Examples
    --------
    >>> class Shop(dict): as_of = date(2024, 12, 31)
    >>> day = pd.to_datetime(["2024-07-10", "2024-08-10", "2024-12-20", "2024-12-30"]).tz_localize("UTC")
    >>> orders = pd.DataFrame({"order_id": list("1234"), "customer_id": list("abac"), "amount": [5.0, 5, 10, 10],
    ...                        "ordered_at": day})
    >>> kpis(Shop(orders=orders))[["kpi", "days", "ends", "customers", "value"]]  # too few to tell retention by
           kpi  days        ends  customers  value
    0  revenue    28  2024-08-13          1    5.0
    1  revenue    28  2024-12-31          2   20.0
    """
    as_of = last_day(base, None, "report.kpis")
    tables = tables_until(base, as_of)
    periods = Periods(as_of, _length(tables, as_of))
    parts = [part(tables, periods) for part in (_satisfaction, _retention, _engagement, _revenue)]
    rows = [row for part in parts for row in part]
    return pd.DataFrame(rows, columns=COLUMNS)


def since(now: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """The latest of each figure beside the latest of an earlier run.

    Parameters
    ----------
    now, then : DataFrame, as from :func:`kpis`; the earlier one second

    Returns
    -------
    DataFrame, one row per figure that both measure alike
        kpi; ends, the last day of the earlier run's period; value then (of revenue its change), difference to now with
        its interval low, high.

    Examples
    --------
    >>> columns = ["kpi", "source", "days", "ends", "value", "low", "high"]
    >>> now = pd.DataFrame([("retention", "orders", 91, date(2024, 6, 30), 0.5, 0.45, 0.55)], columns=columns)
    >>> since(now, now.assign(value=0.3, low=0.25, high=0.35))[["kpi", "value", "difference", "low"]].round(2)
             kpi  value  difference   low
    0  retention    0.3         0.2  0.13
    """
    rows = []
    before = latest(then).set_index(["kpi", "source", "days"])
    for row in latest(now).itertuples():
        if (row.kpi, row.source, row.days) in before.index:
            earlier = before.loc[(row.kpi, row.source, row.days)]
            here, there = (_told(x, row.kpi) for x in (row, earlier))
            rows.append((row.kpi, earlier["ends"], there[0], *_difference(here, there)))
    return pd.DataFrame(rows, columns=["kpi", "ends", "value", "difference", "low", "high"])


def latest(kpis: pd.DataFrame) -> pd.DataFrame:
    """The last period of each figure."""
    return kpis.sort_values("ends", kind="stable").drop_duplicates("kpi", keep="last").sort_index()


# Satisfaction: what customers say


def _satisfaction(tables: Mapping, periods: Periods) -> list[tuple]:
    """By the net promoter score, else by satisfaction as asked for, else by that with the handling of tickets."""
    for source, (table, column) in _SATISFACTION.items():
        answers = _answers(tables, table, column, source)
        if answers is None:
            continue
        given = _last_of_each(answers, _TIMES[table], column, periods)
        summed_up = evidence.nps if source == "nps" else evidence.mean_interval
        found = {n: (len(of), *summed_up(of[column])) for n, of in given.groupby("period") if len(of) >= FEWEST}
        found = {n: found[n] for n in _covered(answers, _TIMES[table], periods) if n in found}
        if found:
            return _rows("satisfaction", source, found, periods)
    return []


def _answers(tables: Mapping, table: str, column: str, source: str) -> nw.LazyFrame | None:
    has = set(tables[table].collect_schema()) if table in tables else set()
    if not {"customer_id", _TIMES[table], column} <= has or (table == "feedback" and "instrument" not in has):
        return None
    answers = tables[table].filter(~nw.col(column).is_null())
    return answers.filter(nw.col("instrument") == source) if table == "feedback" else answers


def _last_of_each(answers: nw.LazyFrame, at: str, column: str, periods: Periods) -> pd.DataFrame:
    """The last answer of each customer in each period; of several at one time the lowest."""
    rows = _dated(answers, at).select("customer_id", column, periods.of("day"), at=nw.col(at), least=-nw.col(column))
    each = rows.group_by("customer_id", "period").agg(nw.col(column).last(order_by=["at", "least"]))
    return collected(each).sort_values(["period", "customer_id"])


# Retention and engagement: what customers do


def _retention(tables: Mapping, periods: Periods) -> list[tuple]:
    """Of those who bought in one period, how many bought again in the next."""
    if "orders" not in tables:
        return []
    orders = tables["orders"].filter(is_purchase(tables["orders"]))
    who, covered = _who(orders, "ordered_at", periods), _covered(orders, "ordered_at", periods)
    found = {n: (len(who[n + 1]), len(who[n] & who[n + 1])) for n in covered if n + 1 in covered}
    return _rows("retention", "orders", _shares(found), periods)


def _engagement(tables: Mapping, periods: Periods) -> list[tuple]:
    """Of those who were known, how many were in touch; else of those whom a campaign reached, how many answered."""
    if "touchpoints" in tables:
        met = tables["touchpoints"]
        who, covered = _who(met, "occurred_at", periods), _covered(met, "occurred_at", periods)
        since_when = _known_since(tables, periods)
        known = {n: set(since_when.index[since_when > n]) for n in covered if n + 1 in covered}
        found = {n: (len(known[n]), len(known[n] & who[n])) for n in known}
        return _rows("engagement", "touchpoints", _shares(found), periods)
    reached, answered = _campaigns(tables)
    if answered is None:
        return []
    who, did = _who(reached, "sent_at", periods), _who(answered, "sent_at", periods)
    covered = [n for n in _covered(reached, "sent_at", periods) if n in who]
    return _rows("engagement", "campaigns", _shares({n: (len(who[n]), len(did.get(n, ()))) for n in covered}), periods)


def _campaigns(tables: Mapping) -> tuple[nw.LazyFrame | None, nw.LazyFrame | None]:
    """Campaign contacts that reached somebody, and of them those that were opened, clicked or answered."""
    sent = tables.get("campaign_contacts")
    has = set(sent.collect_schema()) if sent is not None else set()
    answers = [~nw.col(c).is_null() for c in ("opened_at", "clicked_at", "converted_at") if c in has]
    if not answers or "sent_at" not in has:
        return None, None
    if "variant" in has:  # whoever was held out as control was reached by nothing
        sent = sent.filter(nw.col("variant").is_null() | (nw.col("variant") != "control"))
    return sent, sent.filter(nw.any_horizontal(*answers, ignore_nulls=True))


def _who(frame: nw.LazyFrame, at: str, periods: Periods) -> dict[int, set]:
    """Who did something, by period."""
    rows = _dated(frame, at).select("customer_id", periods.of("day")).unique()
    who = {n: set(of) for n, of in collected(rows).groupby("period")["customer_id"]}
    return {n: who.get(n, set()) for n in range(max(who, default=-1) + 1)}


def _known_since(tables: Mapping, periods: Periods) -> pd.Series:
    """The period in which each customer was first seen, counted back like the others."""
    seen = []
    for name in ("customers", "orders", "touchpoints", "deals"):
        at = _TIMES[name]
        if name in tables and {"customer_id", at} <= set(tables[name].collect_schema()):
            rows = _dated(tables[name], at).select("customer_id", periods.of("day"))
            seen.append(collected(rows.group_by("customer_id").agg(nw.col("period").max())))
    return pd.concat(seen).groupby("customer_id")["period"].max()


# Revenue: what customers pay


def _revenue(tables: Mapping, periods: Periods) -> list[tuple]:
    """What was paid in each period, and by how much more or less than before."""
    paid = _paid(tables)
    if paid is None:
        return []
    source, frame, at = paid
    amounts = _amounts(frame, at, periods)
    covered = [n for n in _covered(frame, at, periods) if n in amounts]
    rows = []
    for n in covered[:SHOWN]:
        before = _beside(n, covered, periods)
        growth = (np.nan,) * 3 if before is None else _growth(amounts[n], amounts[before])
        there = np.nan if before is None else amounts[before].sum()
        value = (amounts[n].sum(), np.nan, np.nan)
        rows.append(_row("revenue", source, n, len(amounts[n]), value, before, there, growth, periods))
    return rows[::-1]


def _amounts(frame: nw.LazyFrame, at: str, periods: Periods) -> dict[int, pd.Series]:
    """What each customer paid, by period."""
    rows = _dated(frame, at).select("customer_id", periods.of("day"), amount=money(nw.col("amount")))
    sums = collected(rows.group_by("customer_id", "period").agg(nw.col("amount").sum()))
    sums = sums.assign(amount=sums["amount"].astype("float64") / PARTS)
    return {n: of.set_index("customer_id")["amount"].sort_values() for n, of in sums.groupby("period")}


def _paid(tables: Mapping) -> tuple[str, nw.LazyFrame, str] | None:
    """What says who paid what and when: orders, else deals that were won."""
    has = {name: set(tables[name].collect_schema()) for name in ("orders", "deals") if name in tables}
    if "amount" in has.get("orders", ()):
        orders, bought = tables["orders"], is_purchase(tables["orders"])
        counts = bought | (nw.col("status") == "returned") if "status" in has["orders"] else bought
        return "orders", orders.filter(counts), "ordered_at"
    if {"amount", "outcome", "closed_at"} <= has.get("deals", set()):
        return "deals", tables["deals"].filter(nw.col("outcome") == "won"), "closed_at"
    return None


def _growth(now: pd.Series, before: pd.Series) -> tuple[float, float, float]:
    """By how much more was paid, customers being a sample: whoever paid in one of the two periods only counts, too."""
    both = pd.DataFrame({"now": now, "before": before}).fillna(0.0).rename_axis("customer_id").reset_index()
    if not both["before"].sum() > 0:
        return np.nan, np.nan, np.nan
    row = evidence.ratios(both.assign(all=1), "all", "now", "before").iloc[0]
    return row["value"] - 1, row["low"] - 1, row["high"] - 1


# Periods and rows


def _length(tables: Mapping, as_of: date) -> int:
    """Quarters, where the base spans two of them."""
    spans = []
    for name in ("orders", "touchpoints", "deals", "feedback"):
        if name in tables and _TIMES[name] in tables[name].collect_schema():
            days = _days(tables[name], _TIMES[name])
            spans += [(as_of - first_of_the_bulk(days).date()).days + 1] if len(days) else []
    return QUARTER if max(spans, default=0) >= 2 * QUARTER else MONTH


def _covered(frame: nw.LazyFrame, at: str, periods: Periods) -> list[int]:
    """The periods that a table covers, the latest first; a year more than is shown."""
    days = _days(frame, at)
    if days.empty:
        return []
    first, last = first_of_the_bulk(days).date(), days["day"].iloc[-1].date()
    quiet = timedelta(periods.days // 4)
    asked = range(SHOWN + periods.a_year + 1)
    return [n for n in asked if periods.starts(n) >= first and periods.ends(n) - quiet <= last]


def _days(frame: nw.LazyFrame, at: str) -> pd.DataFrame:
    """How many rows there are of each day."""
    days = collected(_dated(frame, at).group_by("day").agg(n=nw.len()))
    return days.sort_values("day", ignore_index=True)


def _dated(frame: nw.LazyFrame, at: str) -> nw.LazyFrame:
    """The rows of known customers that say when they happened, with their day."""
    return frame.filter(~nw.col(at).is_null(), ~nw.col("customer_id").is_null()).with_columns(day=day_of(at))


def _shares(found: dict[int, tuple[int, int]]) -> dict[int, tuple]:
    """Customers, share and interval from customers and how many of them did it."""
    known = {n: of for n, of in found.items() if of[0] >= FEWEST}
    return {n: (of, k / of, *evidence.share_interval(k, of)) for n, (of, k) in known.items()}


def _rows(kpi: str, source: str, found: Mapping[int, tuple], periods: Periods) -> list[tuple]:
    """The rows of a figure, the earliest first: customers, value, low and high by period."""
    rows = []
    for n, (customers, *value) in sorted(found.items()):
        before = _beside(n, found, periods)
        there = found[before][1:] if before is not None else (np.nan,) * 3
        rows.append(_row(kpi, source, n, customers, value, before, there[0], _difference(value, there), periods))
    return rows[:SHOWN][::-1]


def _row(kpi, source, n, customers, value, before, then, change, periods: Periods) -> tuple:
    starts = None if before is None else periods.starts(before)
    when = (periods.starts(n), periods.ends(n), periods.days)
    return (kpi, source, *when, customers, *value, starts, then, *change)


def _beside(n: int, there, periods: Periods) -> int | None:
    """The period to compare with: a year before, or else the one before."""
    return next((before for before in (n + periods.a_year, n + 1) if before in there), None)


def _told(row, kpi: str) -> tuple:
    """The figure by which a KPI is known, with its interval: of revenue its growth."""
    return (row.change, row.change_low, row.change_high) if kpi == "revenue" else (row.value, row.low, row.high)


def _difference(here, there) -> tuple[float, float, float]:
    """Between two figures that come with their intervals."""
    (a, a_low, a_high), (b, b_low, b_high) = here, there
    return a - b, a - b - np.hypot(a - a_low, b_high - b), a - b + np.hypot(a_high - a, b - b_low)
