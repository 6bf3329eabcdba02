"""What came in: the tables of a base, how many rows of each are used, and which days they span."""

from datetime import date

import narwhals as nw
import pandas as pd

from analysis import schema
from analysis.expressions import purchases_of
from analysis.locale import first_day, month_of
from analysis.phrases import marked, phrase
from analysis.sources import Base
from analysis.sources.accounts import reason_in_words

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
        per = phrase(schema.TABLES[table].one_row_per)
        if accounts["derived"].any():
            per = phrase("{row}, made from other rows", row=per)
        rows.append((table, per, read, kept, read - kept, first, last))
    counts = [marked("rows read"), marked("kept"), marked("set aside")]
    return pd.DataFrame(rows, columns=[marked("table"), marked("one row per"), *counts, marked("from"), marked("to")])


def row_accounts(base: Base) -> pd.DataFrame:
    """How many rows of the tables that were read were kept and, for which reason, set aside, as readers are told.

    Returns
    -------
    DataFrame, columns ``table``, ``reason`` (empty for the rows kept), ``rows``, ``defect``, ``derived``
    """
    said = base.accounts.assign(reason=base.accounts["reason"].map(reason_in_words))
    return said[["table", "reason", "rows", "defect", "derived"]]


def monthly_orders(base: Base) -> pd.DataFrame:
    """Purchases and their amount per month of the readers' calendar: columns ``month`` (its first day), ``orders``,
    ``amount``.

    A month without orders has a row with 0: a hole in the data looks like one. The last month ends with `as_of`. A few
    orders that lie a year or more before all others, of a clock that was never set, are left out.
    """
    orders = purchases_of(base)
    amount = nw.col("amount") if "amount" in base.columns("orders") else nw.lit(0.0)
    by_day = orders.select(day=nw.col("ordered_at").dt.truncate("1d"), amount=amount).group_by("day")
    found = by_day.agg(orders=nw.len(), amount=nw.col("amount").sum()).collect("pandas").to_native()
    if found.empty:
        return found.rename(columns={"day": "month"})[["month", "orders", "amount"]]
    found = found.sort_values("day")  # so that sums do not depend on the order of the rows
    by_month = found.groupby(found["day"].map(month_of))[["orders", "amount"]].sum()
    begins = pd.Series(pd.to_datetime(by_month.index.map(first_day)), by_month.index)
    bulk = first_of_the_bulk(pd.DataFrame({"day": begins, "n": by_month["orders"]}))
    months = range(month_of(bulk), by_month.index.max() + 1)
    table = by_month.reindex(months, fill_value=0)
    return table.assign(month=pd.to_datetime([first_day(m) for m in months])).reset_index(drop=True)[
        ["month", "orders", "amount"]
    ]


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
