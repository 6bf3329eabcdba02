"""What figures of events are written in: a table as of a day, purchases, days, money, the middle one, the commonest.

Takes and gives Narwhals lazy frames and expressions, so that a figure comes from the engine and from pandas alike.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import count

import duckdb
import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, require_columns
from analysis.schema import TABLES

#: Money is added up in whole ten-thousandths, so that a sum does not depend on the order of the rows.
PARTS = 10_000

#: Numbers for the tables of the engine that hold what was worked out.
_NUMBERS = count(1)

#: Cells that were not known before an instant of their own row: table → column → that instant's column.
_KNOWN_FROM = {
    "deals": {"outcome": "closed_at", "amount": "closed_at"},
    "campaign_contacts": {c: c for c in ("opened_at", "clicked_at", "converted_at")},
}


def tables_until(base: Mapping[str, IntoFrame], as_of: date) -> dict[str, nw.LazyFrame]:
    """All tables of a base as they were at the end of the day `as_of`."""
    return {
        name: table_until(nw.from_native(frame, pass_through=False).lazy(), name, as_of) for name, frame in base.items()
    }


def last_day(base: Mapping[str, IntoFrame], as_of: date | str | None, asking: str) -> date:
    """The day to look back from: the one that was asked for, or else the base's own."""
    as_of = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of or getattr(base, "as_of", None)
    if as_of is None:
        raise Problem(f"{asking} needs as_of, the last day to look at, e.g. as_of=date(2026, 3, 20).")
    return as_of


def purchases_of(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """The orders that are purchases; None for a base without orders."""
    if "orders" not in tables:
        return None
    orders = tables["orders"]
    require_columns("orders", orders.collect_schema(), ["customer_id", "ordered_at"])
    return orders.filter(is_purchase(orders))


def is_purchase(orders: nw.LazyFrame) -> nw.Expr:
    """Whether an order was completed, or says nothing of its status."""
    if "status" not in orders.collect_schema():
        return ~nw.col("ordered_at").is_null()  # every order
    return nw.col("status").is_null() | (nw.col("status") == "completed")


def day_of(column: str) -> nw.Expr:
    """The business's day of an instant, without a timezone: the clock change may skip a midnight."""
    return nw.col(column).dt.replace_time_zone(None).dt.truncate("1d")


def timezone_of(frame: nw.LazyFrame, column: str) -> str:
    """The timezone of a column of instants."""
    kind = frame.collect_schema()[column]
    if not isinstance(kind, nw.Datetime):
        raise Problem(
            f"{column} holds {kind}, not instants with a timezone that can be read here. In pandas, convert it with "
            f'to_datetime and tz_convert; a frame in a timezone such as "America/New_York" goes by way of DuckDB: '
            f'sources.connect("America/New_York").sql("FROM frame").'
        )
    return kind.time_zone


def midnight(frame: nw.LazyFrame, column: str, day: date) -> nw.Expr:
    """The first moment of a day in the timezone of a column."""
    return nw.lit(pd.Timestamp(day, tz=timezone_of(frame, column)).to_pydatetime())


def within_days(frame: nw.LazyFrame, column: str, days: int, as_of: date) -> nw.Expr:
    """Whether an instant falls into the last so many days, of which `as_of` is the last."""
    return nw.col(column) >= midnight(frame, column, as_of - timedelta(days=days - 1))


def days_between(later: nw.Expr, earlier: nw.Expr) -> nw.Expr:
    """Days from one to another."""
    return (later - earlier).dt.total_minutes() / 1440


def days_before(as_of: date, day: str) -> nw.Expr:
    """Days from a day to `as_of`."""
    return days_between(nw.lit(datetime.combine(as_of, time.min)), nw.col(day))


def money(amount: nw.Expr) -> nw.Expr:
    """An amount in whole parts of `PARTS`; an empty one adds nothing."""
    return (amount.fill_null(0) * PARTS).round(0).cast(nw.Int64)


def one_if(condition: nw.Expr) -> nw.Expr:
    """1 where a condition holds, else 0."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def ratio(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """One over the other; empty unless the other is above 0."""
    return nw.when(whole > 0).then(part / whole)


def median(rows: nw.LazyFrame, column: str, name: str) -> nw.LazyFrame:
    """Each customer's median of a column, by the places of its values.

    An engine's own median keeps a list for each of a million customers; DuckDB 2.0 then needs six times as long.
    """
    known = rows.filter(~nw.col(column).is_null()).select("customer_id", column)
    place, last = nw.col(column).rank("ordinal").over("customer_id"), nw.len().over("customer_id")
    placed = known.with_columns(place=place, last=last)
    twice = 2 * nw.col("place")
    middle = placed.filter((twice >= nw.col("last")) & (twice <= nw.col("last") + 2))
    return middle.group_by("customer_id").agg(**{name: nw.col(column).mean()})


def commonest(counts: nw.LazyFrame, column: str, name: str, share: str) -> nw.LazyFrame:
    """Per customer the value with the highest n (of equals the first by name) and its share of all.

    Parameters
    ----------
    counts : one row per customer_id and value of `column`, none of them empty, with n
    """
    ranked = counts.with_columns(less=-nw.col("n"))
    figures = {name: nw.col(column).first(order_by=["less", column])}
    best = ranked.group_by("customer_id").agg(**figures, most=nw.col("n").max(), total=nw.col("n").sum())
    return best.with_columns(**{share: ratio(nw.col("most"), nw.col("total"))}).drop("most", "total")


def collected(frame: nw.LazyFrame) -> pd.DataFrame:
    """A frame of customer scale, in pandas; words as they come, without a Python object for each."""
    return frame.collect("pyarrow").to_pandas()


def worked_out(frame: nw.LazyFrame) -> nw.LazyFrame:
    """A frame of event scale that is worked out once, where it is: each question to a lazy one does all its work anew.

    DuckDB keeps it as a temporary table, which goes to disk where memory is short; frames of other engines stay as
    they are.

    Examples
    --------
    >>> worked_out(nw.from_native(duckdb.sql("SELECT 1 AS n"))).collect().to_dict(as_series=False)
    {'n': [1]}
    """
    relation = frame.to_native()
    if not isinstance(relation, duckdb.DuckDBPyRelation):
        return frame
    number = next(_NUMBERS)
    table, question = f"worked_out_{number}", f"to_work_out_{number}"
    relation.query(question, f"CREATE TEMP TABLE {table} AS FROM {question}")
    return nw.from_native(relation.query(question, f"FROM {table}"))


def table_until(frame: nw.LazyFrame, table: str, as_of: date) -> nw.LazyFrame:
    """A table as it was at the end of the day `as_of`."""
    end = as_of + timedelta(days=1)
    time = TABLES[table].time if table in TABLES else None
    has = frame.collect_schema()
    if time is not None and table != "campaigns" and time in has:
        frame = frame.filter(nw.col(time).is_null() | (nw.col(time) < midnight(frame, time, end)))
    # a deal that closed later was open then, an answer that came later was not there
    cells = {}
    for column, known_at in _KNOWN_FROM.get(table, {}).items():
        if {column, known_at} <= set(has):
            known = nw.col(known_at).is_null() | (nw.col(known_at) < midnight(frame, known_at, end))
            cell = nw.when(known).then(nw.col(column))
            cells[column] = cell.otherwise(nw.lit("open")) if column == "outcome" else cell
    return frame.with_columns(**cells) if cells else frame
