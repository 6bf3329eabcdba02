"""Targets of an ideal customer profile: which customers did what we wish, after the day up to which we know them?

`target_later` takes a base and the days between which to look, `best` a number of any table with one row per customer.
Both give true and false by customer id, for :func:`analysis.profiles.ideal_customer`.
"""

import math
from collections.abc import Mapping
from datetime import date, timedelta

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, did_you_mean, require_columns
from analysis.expressions import collected, day_of, midnight, table_until
from analysis.locale import day as dated
from analysis.phrases import phrase
from analysis.profiles import behaviour
from analysis.profiles.build import build
from analysis.profiles.traits import attributes

#: What a target may be, and the name under which it is told.
KINDS = {
    "top value": "among the best by spend in the time after",
    "retained": "bought again in the time after",
    "won": "a deal was won in the time after",
}

#: What a customer is worth to the business, the first that there is.
WORTH = ("total_spend", "won_value", "n_orders", "n_touchpoints")


def best(profiles: pd.DataFrame, value: str = "total_spend", top: float = 0.2) -> pd.Series:
    """Who is among the best customers by a number?

    Parameters
    ----------
    profiles : DataFrame, one row per ``customer_id``
    value : column of numbers
    top : float
        Share of the customers who are the best, between 0 and 1.

    Returns
    -------
    Series of bool by customer_id, named "best 20 % by …"
        Customers without a value are left out. Equal customers are treated alike: whoever has as much as the last of
        the best is among them. Who has nothing is not, however few have more.

    Raises
    ------
    Problem
        No such column, no number, or a share outside 0 to 1.

    Examples
    --------
    >>> best(pd.DataFrame({"customer_id": list("abcde"), "total_spend": [9, 1, 9, 0, 0]})).tolist()
    [True, False, True, False, False]
    """
    require_columns("profiles", profiles.columns, ["customer_id", value])
    if not 0 < top < 1:
        raise Problem(f"top must lie between 0 and 1 (0.2 for the best fifth), not {top}.")
    if not pd.api.types.is_numeric_dtype(profiles[value]):
        raise Problem(f'The best are found by a number; "{value}" holds none.')
    known = profiles.set_index("customer_id")[value].dropna().sort_index()
    if known.empty:
        return known.astype(bool).rename(f"best {top:.0%} by {value}".replace("%", " %"))
    cut = known.nlargest(math.ceil(top * len(known))).iloc[-1]
    return ((known >= cut) & (known > 0)).astype(bool).rename(f"best {top:.0%} by {value}".replace("%", " %"))


def worth(profiles: pd.DataFrame) -> str:
    """The column by which customers are worth more or less: what they spent, brought in deals, or how often they came.

    Examples
    --------
    >>> worth(pd.DataFrame({"customer_id": ["a", "b"], "n_touchpoints": [3, 9], "total_spend": [0.0, 0.0]}))
    'n_touchpoints'
    """
    columns = [c for c in WORTH if c in profiles and profiles[c].nunique() > 1]
    return columns[0] if columns else ""


def known_and_met(
    base: Mapping[str, IntoFrame], profiles: pd.DataFrame, target: str = "", days: float = 365
) -> tuple[pd.DataFrame, pd.Series, str] | None:
    """What an ideal customer profile is learnt from: customers as they were known, and who met the target later.

    Parameters
    ----------
    base : Base
    profiles : DataFrame, as `build` gives it for the base's last day
    target : str
        One of `KINDS`, or a column of the profiles that holds yes and no; empty: by spend where orders have an amount,
        else by another order, else by a won deal.
    days : float
        Length of the time after, at most; never more than a third of what the base spans.

    Returns
    -------
    known, met, words
        Profiles as of the day before that time, the target by customer id, and which days these are. For a column of
        the profiles the recorded attributes, as nobody knows which came first. None where there is no such target, or
        the base spans less than 90 days.

    Raises
    ------
    Problem
        A target that is neither a kind nor a column.
    """
    if target and target not in KINDS:
        if target not in profiles:
            known = [*KINDS, *(c for c in profiles if pd.api.types.is_bool_dtype(profiles[c]))]
            raise Problem(f'There is no target "{target}".{did_you_mean(target, known)} There are: {", ".join(known)}.')
        recorded = profiles[["customer_id", *(c for c in attributes(profiles) if c != target)]]
        return recorded, profiles.set_index("customer_id")[target], phrase("traits and target as recorded now")
    kind = target or _kind(base)
    first = first_day(base, "deals" if kind == "won" else "orders") if kind else None
    if first is None or (base.as_of - first).days < 90:
        return None
    days = int(min(days, (base.as_of - first).days // 3))
    day = base.as_of - timedelta(days=days)
    words = phrase("traits as of {day}, target in the {days} days after", day=dated(day), days=days)
    known = build(base, day)
    return known, _met(base, kind, known, day, base.as_of), words


def _kind(base: Mapping) -> str:
    if "orders" in base:
        return "top value" if "amount" in base.columns("orders") else "retained"
    return "won" if {"closed_at", "outcome", "customer_id"} <= set(base.columns("deals")) else ""


def first_day(base: Mapping, table: str) -> date | None:
    """The day by which a twentieth of the rows had come: a clock that was never set is no beginning."""
    if table not in base:
        return None
    time = "created_at" if table == "deals" else "ordered_at"
    frame = nw.from_native(base[table], pass_through=False).lazy()
    days = frame.select(day=day_of(time)).group_by("day").agg(n=nw.len()).collect("pandas").to_native()
    days = days.dropna().sort_values("day")
    if days.empty:
        return None
    return days.loc[days["n"].cumsum() >= 0.05 * days["n"].sum(), "day"].iloc[0].date()


def target_later(
    base: Mapping[str, IntoFrame], kind: str, after: date | str, until: date | str | None = None, top: float = 0.2
) -> pd.Series:
    """Which of the customers known on a day did, in the time after it, what a business wishes of its customers?

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
    kind : {"top value", "retained", "won"}
        Among the best by what they spent in the time after; who had bought before and bought again; who had a deal
        before and of whom a deal was won.
    after : date
        The last day up to which traits are known, that is, `as_of` of the profiles. The time begins the day after.
    until : date, optional
        Its last day; default: the base's last day.
    top : float
        Share of the customers who are the best by value.

    Returns
    -------
    Series of bool by customer_id, named after the kind
        Of the customers whom the question concerns: everybody known by then, those who had bought, those with a deal.
        Known are, where nobody's day of signing up is recorded, those who had done something by then: who came later is
        in the base only because they did.

    Raises
    ------
    Problem
        No such kind, a table that it needs is missing, or no time between the days.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "order_id": ["1", "2", "3"], "customer_id": ["a", "b", "a"], "amount": [5.0, 7.0, 1.0],
    ...     "ordered_at": pd.to_datetime(["2024-01-05", "2024-01-09", "2024-03-01"]).tz_localize("UTC")})
    >>> target_later({"orders": orders}, "retained", "2024-01-31", "2024-12-31").to_dict()
    {'a': True, 'b': False}
    """
    after, until = _days(base, kind, after, until)
    needed = "deals" if kind == "won" else "orders"
    if needed not in base:
        raise Problem(f'The target "{kind}" needs a table of {needed}. The base has: {", ".join(base)}.')
    return _met(base, kind, build(base, after), after, until, top)


def _met(base: Mapping, kind: str, profiles: pd.DataFrame, after: date, until: date, top: float = 0.2) -> pd.Series:
    """Who of the customers in profiles as of `after` met a target by `until`."""
    known = known_customers(profiles).set_index("customer_id")
    if kind == "top value":
        then = orders_of_the_time(base, after, until).set_index("customer_id")
        if "total_spend" not in then:
            raise Problem('The target "top value" needs the amount of orders. Map it, or take "retained".')
        spend = then["total_spend"].reindex(known.index).fillna(0.0).rename("spend").reset_index()
        return best(spend, "spend", top).rename(kind)
    if kind == "retained":
        then = orders_of_the_time(base, after, until)
        concerned, did = known.index[known["n_orders"] > 0], then.loc[then["n_orders"] > 0, "customer_id"]
    else:
        deals = _of_the_time(base, "deals", "closed_at", after, until)
        won = deals.filter(nw.col("outcome") == "won").select("customer_id").collect("pandas").to_native()
        concerned, did = known.index[known["n_deals"] > 0], won["customer_id"]
    return pd.Series(concerned.isin(did), index=concerned, name=kind)


def _days(base: Mapping, kind: str, after: date | str, until: date | str | None) -> tuple[date, date]:
    if kind not in KINDS:
        raise Problem(f'There is no target "{kind}".{did_you_mean(str(kind), KINDS)} There are: {", ".join(KINDS)}.')
    last = getattr(base, "as_of", None)
    after, until = (date.fromisoformat(day) if isinstance(day, str) else day for day in (after, until or last))
    if until is None:
        raise Problem("target_later needs until, the last day of the time to look at, e.g. until=date(2026, 3, 20).")
    if last and until > last:
        raise Problem(f"until is {until}, but the base knows nothing after {last}: nobody could have met the target.")
    if not after < until:
        raise Problem(
            f"The time from the day after {after} to {until} is empty. Choose an earlier day after which to look."
        )
    return after, until


def known_customers(profiles: pd.DataFrame) -> pd.DataFrame:
    """The customers of whom there was a trace: without a day of signing up, who is in the base may have come later.

    Parameters
    ----------
    profiles : DataFrame, as from :func:`analysis.profiles.build` as of an earlier day

    Returns
    -------
    DataFrame, the rows of those who had bought, been in touch, had a deal or received a campaign by then

    Examples
    --------
    >>> known_customers(pd.DataFrame({"customer_id": ["a", "b"], "n_orders": [1, 0]}))["customer_id"].tolist()
    ['a']
    """
    traces = [c for c in ("n_orders", "n_touchpoints", "n_deals", "campaigns_received") if c in profiles]
    return profiles if "signup_at" in profiles else profiles[(profiles[traces] > 0).any(axis=1)]


def orders_of_the_time(base: Mapping, after: date, until: date) -> pd.DataFrame:
    """What each customer ordered after one day and up to another."""
    ordered = _of_the_time(base, "orders", "ordered_at", after, until)
    return collected(behaviour.orders({"orders": ordered}, until))


def _of_the_time(base: Mapping, table: str, column: str, after: date, until: date) -> nw.LazyFrame:
    """The rows of a table that happened after one day and up to another."""
    frame = table_until(nw.from_native(base[table], pass_through=False).lazy(), table, until)
    require_columns(table, frame.collect_schema(), ["customer_id", column])
    begins, ends = (midnight(frame, column, day + timedelta(days=1)) for day in (after, until))
    return frame.filter((nw.col(column) >= begins) & (nw.col(column) < ends))
