"""What did customers do in the last quarter, and in each of the quarters of the year before?

A profile looks back over all the years of a base, so that what changed a month ago hardly shows in it. `within` gives a
base with the events between two days, `windows` the profiles of what customers did in each of several stretches of time
of equal length: the latest, and those of the year before it, the last of which is the same season a year ago.
"""

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from datetime import date, timedelta

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.expressions import collected, day_of, last_day, midnight, tables_until
from analysis.profiles.build import build
from analysis.schema import BOUGHT, SCORE, TABLES, THROUGH, is_worked_out

#: Tables whose rows are true at any time; campaigns are few, and a contact of the time may belong to an earlier one.
_WHOLE = ("customers", "products", "campaigns")

#: What the business does, not its customers: a quarter without a survey or a campaign says nothing of them.
_OWN_DOING = ("campaigns", "campaign_contacts", "survey_answers", "brand_ratings")

#: Shorter than this is no time in which customers show what they are; longer than a year has no season to compare.
SHORTEST, YEAR = 14, 365

#: What looks back beyond the window, or only says when in it something happened.
_OF_ALL_TIME = (
    *("first_order_at", "last_order_at", "tenure_days", "recency_days", "orders_per_year", "spend_365d"),
    *("spend_trend", "median_gap_days", "gap_cv", "overdue_ratio", "last_contact_at", "touchpoints_90d"),
    *("n_consents", "open_deals"),
)


def within(base: Mapping[str, IntoFrame], start: date, end: date):
    """A base with what happened from one day to another, both included; customers, products and campaigns are whole.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
    start, end : date

    Returns
    -------
    Base of which `end` is the last day, or a dict where a dict was given
        Its tables are lazy. Lines of orders and stages of deals follow their orders and deals; a table whose rows have
        no date is left out, as nobody can say when they happened.

    Raises
    ------
    Problem
        The end comes before the start.

    Examples
    --------
    >>> at = pd.to_datetime(["2024-01-05", "2024-02-05", "2024-03-05"]).tz_localize("UTC")
    >>> orders = pd.DataFrame({"order_id": list("123"), "customer_id": "a", "amount": [1.0, 2, 4], "ordered_at": at})
    >>> february = within({"orders": orders}, date(2024, 2, 1), date(2024, 2, 29))
    >>> build(february, date(2024, 2, 29))[["customer_id", "n_orders", "total_spend"]].values.tolist()
    [['a', 1, 2.0]]
    """
    if end < start:
        raise Problem(f"The time from {start} to {end} is empty. Give the earlier day first.")
    tables = {name: _since(table, name, start) for name, table in tables_until(base, end).items()}
    tables = {name: table for name, table in tables.items() if table is not None}
    for name, of, key in (("order_lines", "orders", "order_id"), ("deal_stages", "deals", "deal_id")):
        if {name, of} <= tables.keys():
            tables[name] = tables[name].join(tables[of].select(key), on=key, how="semi")
    return replace(base, tables=tables, as_of=end) if is_dataclass(base) else tables


def windows(base: Mapping[str, IntoFrame], as_of: date | None = None, days: int = 90) -> pd.DataFrame:
    """What each customer did in the last so many days, and in each such stretch of the year before.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
    as_of : date, optional
        Last day of the latest window; default: the base's own.
    days : int
        Length of a window, 14 to 365; a quarter has 90.

    Returns
    -------
    DataFrame, one row per window and customer who bought in it (without orders: who did anything in it)
        window : int, 0 for the latest, 1 for the one before it, and so on; the last one ended a year before `as_of`.
        starts, ends : date of its first and last day.
        customer_id, and the columns of profiles that say what a customer did in that time.
        Windows that begin before the base does are left out.

    Raises
    ------
    Problem
        As :func:`build`; or a length outside 14 to 365 days.

    Examples
    --------
    >>> at = pd.to_datetime(["2023-01-05", "2023-12-05", "2024-12-05"]).tz_localize("UTC")
    >>> orders = pd.DataFrame({"order_id": list("123"), "customer_id": "a", "amount": [1.0, 2, 4], "ordered_at": at})
    >>> windows({"orders": orders}, date(2024, 12, 31))[["window", "starts", "ends", "total_spend"]]
       window      starts        ends  total_spend
    0       0  2024-10-03  2024-12-31          4.0
    1       4  2023-10-04  2024-01-01          2.0
    """
    as_of = last_day(base, as_of, "profiles.windows")
    if not SHORTEST <= days <= YEAR:
        raise Problem(f"days is {days}; a window has from {SHORTEST} to {YEAR} days, e.g. days=90 for a quarter.")
    first = _first_day(tables_until(base, as_of))
    per_year = YEAR // days
    ends = [as_of - timedelta(round(YEAR * n / per_year)) for n in range(per_year + 1)]
    spans = [(end - timedelta(days - 1), end) for end in ends]
    reached = [n for n, (start, _) in enumerate(spans) if n == 0 or (first is not None and start >= first)]
    parts = [_window(base, *spans[n]).assign(window=n, starts=spans[n][0], ends=spans[n][1]) for n in reached]
    return _complete(pd.concat(parts, ignore_index=True))


def _since(table: nw.LazyFrame, name: str, start: date) -> nw.LazyFrame | None:
    """The rows of a table from a day on; None for one that should say when and does not."""
    if name in _WHOLE or name in ("order_lines", "deal_stages"):
        return table
    time = TABLES[name].time if name in TABLES else None
    if time is None or time not in table.collect_schema():
        return None
    return table.filter(nw.col(time) >= midnight(table, time, start))


def _first_day(tables: Mapping[str, nw.LazyFrame]) -> date | None:
    """The day by which a twentieth of the events had come: a clock that was never set is no beginning."""
    name = next((t for t in ("orders", "touchpoints", "deals", "feedback", "tickets") if t in tables), None)
    if name is None:
        return None
    days = tables[name].select(day=day_of(TABLES[name].time)).group_by("day").agg(n=nw.len())
    days = collected(days).dropna().sort_values("day")
    return days.loc[days["n"].cumsum() >= 0.05 * days["n"].sum(), "day"].iloc[0].date() if len(days) else None


def _window(base: Mapping, start: date, end: date) -> pd.DataFrame:
    """What those did who were active between two days; whom the business asks and writes to is its own doing."""
    done = {name: base[name] for name in base if name not in _OWN_DOING}
    found = build(within(replace(base, tables=done) if is_dataclass(base) else done, start, end), end)
    done = [c for c in found if is_worked_out(c) and c not in _OF_ALL_TIME]
    did = found[["n_orders"] if "n_orders" in found else done]
    active = (did.notna() & (did != 0)).any(axis=1)
    return found.loc[active, ["customer_id", *done]]


def _complete(found: pd.DataFrame) -> pd.DataFrame:
    """Shares of channels and categories that nobody bought through in some window are nothing there, not unknown."""
    for prefix in (BOUGHT, THROUGH):
        shares = [c for c in found if c.startswith(prefix)]
        if shares:
            known = found[shares].notna().any(axis=1)
            found[shares] = found[shares].mask(known, found[shares].fillna(0.0))
    front = [c for c in ("window", "starts", "ends") if c in found]
    scores = [c for c in found if c.startswith(SCORE)]
    rest = [c for c in found if c not in {*front, *scores, "customer_id"}]
    return found[[*front, "customer_id", *rest, *scores]]
