"""What came in: the tables of a base, how many rows of each are used, and which days they span."""

from datetime import date

import narwhals as nw
import pandas as pd

from analysis import schema
from analysis.expressions import purchases_of
from analysis.sources import Base

#: Rows that lie a year or more before all others are no part of the business while they are no more than this share,
#: as many as reading tolerates: a clock that was never set begins with 1970 or 1980.
FEW_BEFORE = 0.05


def tables(base: Base) -> pd.DataFrame:
    """One row per table: rows read, kept and set aside, and the days that the table spans.

    Returns
    -------
    DataFrame, columns ``table``, ``one row per``, ``rows read``, ``kept``, ``set aside``, ``from``, ``to``
        A table made from another one's rows (orders from their lines, customers from their ids) says so.
    """
    rows = []
    for table in base:
        accounts = base.accounts[base.accounts["table"] == table]
        kept = int(accounts.loc[accounts["reason"] == "", "rows"].sum())
        read = int(accounts["rows"].sum())
        first, last = span(base, table)
        per = schema.TABLES[table].one_row_per + (", made from other rows" if accounts["derived"].any() else "")
        rows.append((table, per, read, kept, read - kept, first, last))
    return pd.DataFrame(rows, columns=["table", "one row per", "rows read", "kept", "set aside", "from", "to"])


def monthly_orders(base: Base) -> pd.DataFrame:
    """Purchases and their amount per calendar month: columns ``month`` (its first day), ``orders``, ``amount``.

    A month without orders has a row with 0: a hole in the data looks like one. The last month ends with `as_of`. A few
    orders that lie a year or more before all others, of a clock that was never set, are left out.
    """
    orders = purchases_of(base)
    amount = nw.col("amount") if "amount" in base.columns("orders") else nw.lit(0.0)
    by_month = orders.select(month=nw.col("ordered_at").dt.truncate("1mo"), amount=amount).group_by("month")
    found = by_month.agg(orders=nw.len(), amount=nw.col("amount").sum()).collect("pandas").to_native()
    found["month"] = found["month"].dt.tz_localize(None)
    if found.empty:
        return found[["month", "orders", "amount"]]
    counts = found.rename(columns={"month": "day", "orders": "n"}).sort_values("day")
    months = pd.date_range(first_of_the_bulk(counts), found["month"].max(), freq="MS", name="month")
    return found.set_index("month").reindex(months, fill_value=0).reset_index()


def first_of_the_bulk(days: pd.DataFrame) -> pd.Timestamp:
    """The day on which a table really begins: after a gap of a year, if hardly any rows lie before it.

    Parameters
    ----------
    days : DataFrame, columns ``day`` (rising) and ``n`` (rows), at least one row

    Examples
    --------
    >>> first_of_the_bulk(pd.DataFrame({"day": pd.to_datetime(["1970-01-01", "2024-01-01"]), "n": [1, 99]}))
    Timestamp('2024-01-01 00:00:00')
    """
    before = days["n"].cumsum().shift(fill_value=0)
    starts = days.loc[(days["day"].diff().dt.days > 365) & (before <= FEW_BEFORE * days["n"].sum()), "day"]
    return starts.iloc[-1] if len(starts) else days["day"].iloc[0]


def span(base: Base, table: str) -> tuple[date | None, date | None]:
    """The first and the last day in a table."""
    time = schema.TABLES[table].time
    if time is None or time not in base.columns(table):
        return None, None
    bounds = base[table].select(first=nw.col(time).min(), last=nw.col(time).max()).collect("pandas").to_native().iloc[0]
    return tuple(None if pd.isna(b) else pd.Timestamp(b).date() for b in bounds)
