"""What came in: the tables of a base, how many rows of each are used, and which days they span."""

from datetime import date

import narwhals as nw
import pandas as pd

from analysis import schema
from analysis.sources import Base


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

    A month without orders has a row with 0: a hole in the data looks like one. The last month ends with `as_of`.
    """
    orders = base["orders"]
    if "status" in base.columns("orders"):
        orders = orders.filter(nw.col("status").is_null() | (nw.col("status") == "completed"))
    amount = nw.col("amount") if "amount" in base.columns("orders") else nw.lit(0.0)
    by_month = orders.select(month=nw.col("ordered_at").dt.truncate("1mo"), amount=amount).group_by("month")
    found = by_month.agg(orders=nw.len(), amount=nw.col("amount").sum()).collect("pandas").to_native()
    found["month"] = found["month"].dt.tz_localize(None)
    if found.empty:
        return found[["month", "orders", "amount"]]
    months = pd.date_range(found["month"].min(), found["month"].max(), freq="MS", name="month")
    return found.set_index("month").reindex(months, fill_value=0).reset_index()


def span(base: Base, table: str) -> tuple[date | None, date | None]:
    """The first and the last day in a table."""
    time = schema.TABLES[table].time
    if time is None or time not in base.columns(table):
        return None, None
    bounds = base[table].select(first=nw.col(time).min(), last=nw.col(time).max()).collect("pandas").to_native().iloc[0]
    return tuple(None if pd.isna(b) else pd.Timestamp(b).date() for b in bounds)
