"""Data quality at a glance: what is empty, unreadable, repeated or out of date, per table and column.

`assess` takes a base as read and gives one tidy table, worst first. It counts; what a defect bends further down is for
the chapters to say.
"""

from datetime import date

import narwhals as nw
import pandas as pd

from analysis import schema
from analysis.evidence import percent
from analysis.sources import Base

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")

#: A table whose last row is older than this many days before `as_of`, and by more than it ever was silent before, was
#: probably exported earlier than the others.
STALE_DAYS = 31

#: Which dimension a reason for setting rows aside belongs to; any other is a matter of validity.
_DIMENSION_OF_REASON = {
    "repeated row": "uniqueness",
    "another row": "uniqueness",
    "unknown customer": "consistency",
    "unknown order": "consistency",
    "unknown deal": "consistency",
    "no ": "completeness",
    "in the future": "timeliness",
}


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
        first, last = _span(base, table)
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


def assess(base: Base) -> pd.DataFrame:
    """What is wrong with the data, table by table and column by column.

    Parameters
    ----------
    base : Base

    Returns
    -------
    DataFrame, worst share first
        ``table``, ``column`` (empty for whole rows), ``dimension`` (one of `DIMENSIONS`), ``checked`` (rows or cells),
        ``defects`` (of those), ``share`` (defects over checked, 0 to 1), ``note``. Every canonical column that the base
        has is there with its completeness, save those in which an empty cell has a meaning of its own.
    """
    found = pd.concat(
        [_empty_cells(base), _unreadable_cells(base), _rows_set_aside(base), _last_days(base)], ignore_index=True
    )
    found["share"] = (found["defects"] / found["checked"].where(found["checked"] > 0)).fillna(0.0)
    order = ["share", "table", "column", "dimension"]
    return found[["table", "column", "dimension", "checked", "defects", "share", "note"]].sort_values(
        order, ascending=[False, True, True, True], ignore_index=True
    )


def completeness(quality: pd.DataFrame) -> pd.DataFrame:
    """Share of filled cells per table and column, emptiest first: columns ``table``, ``column``, ``filled``."""
    cells = quality[(quality["dimension"] == "completeness") & (quality["column"] != "")]
    return cells.assign(filled=1 - cells["share"])[["table", "column", "filled"]].sort_values(
        ["filled", "table", "column"], ignore_index=True
    )


def findings(base: Base, quality: pd.DataFrame) -> list[str]:
    """What a reader of the report should know about the data, in sentences with their figures."""
    accounts = base.accounts[~base.accounts["derived"].astype(bool)]
    aside = accounts[accounts["reason"] != ""].sort_values(["rows", "reason"], ascending=[False, True])
    read, tables = int(accounts["rows"].sum()), accounts["table"].nunique()
    sentences = [
        f"{read:,} rows in {tables} table{'s' if tables != 1 else ''} were read; "
        f"{int(aside['rows'].sum()):,} were set aside."
    ]
    if made := sorted(set(base.accounts["table"]) - set(accounts["table"])):
        sentences[0] += f" From them {' and '.join(made)} were made."
    if len(aside):
        most = aside.iloc[0]
        of = int(base.accounts.loc[base.accounts["table"] == most["table"], "rows"].sum())
        sentences.append(
            f"Most common reason: {most['reason']} ({most['rows']:,} of {of:,} rows of {most['table']}, "
            f"{percent(most['rows'] / of)})."
        )
    holes = completeness(quality).query("table == 'customers' and filled < 0.5")
    if len(holes):
        named = ", ".join(f"{h.column} ({percent(h.filled)})" for h in holes.head(4).itertuples())
        sentences.append(f"Known of fewer than half of the customers: {named}.")
    unread = quality[(quality["dimension"] == "validity") & (quality["column"] != "")]
    if len(unread):
        worst = unread.iloc[0]
        sentences.append(f"{worst['table']}.{worst['column']}: {worst['defects']:,} filled cells could not be read.")
    stale = quality[(quality["dimension"] == "timeliness") & (quality["column"] != "") & (quality["defects"] > 0)]
    sentences += [f"{row.table} stops early: {row.note}." for row in stale.itertuples()]
    return sentences


def _empty_cells(base: Base) -> pd.DataFrame:
    rows = []
    for table in base:
        means = {c.name for c in schema.TABLES[table].columns if c.empty}
        columns = [c for c in base.columns(table) if c not in means]
        filled = base[table].select(nw.len().alias("rows of the table"), nw.col(columns).count())
        counts = filled.collect("pandas").to_native().iloc[0]
        total = int(counts.iloc[0])
        rows += [(table, c, "completeness", total, total - int(counts[c]), "empty") for c in columns]
    return pd.DataFrame(rows, columns=["table", "column", "dimension", "checked", "defects", "note"])


def _unreadable_cells(base: Base) -> pd.DataFrame:
    kept = base.accounts[base.accounts["reason"] == ""].groupby("table")["rows"].sum()
    cells = base.unreadable
    return pd.DataFrame(
        {
            "table": cells["table"],
            "column": cells["column"],
            "dimension": "validity",
            "checked": cells["table"].map(kept).astype("int64"),
            "defects": cells["cells"],
            "note": "could not be read, e.g. " + cells["examples"].astype(str),
        }
    )


def _rows_set_aside(base: Base) -> pd.DataFrame:
    totals = base.accounts.groupby("table")["rows"].sum()
    aside = base.accounts[base.accounts["defect"].astype(bool)]
    return pd.DataFrame(
        {
            "table": aside["table"],
            "column": "",
            "dimension": [_dimension(r) for r in aside["reason"]],
            "checked": aside["table"].map(totals).astype("int64"),
            "defects": aside["rows"],
            "note": "set aside: " + aside["reason"].astype(str),
        }
    )


def _dimension(reason: str) -> str:
    return next((d for start, d in _DIMENSION_OF_REASON.items() if reason.startswith(start)), "validity")


def _last_days(base: Base) -> pd.DataFrame:
    """Whether each table reaches up to the day of the report: one that stopped earlier was exported earlier."""
    rows = []
    for table in base:
        _, last = _span(base, table)
        if last and table != "campaigns":
            late = (base.as_of - last).days
            stale = late > STALE_DAYS and late > _longest_silence(base, table)
            note = f"last on {last}, {late} days before {base.as_of}"
            rows.append((table, schema.TABLES[table].time, "timeliness", 1, int(stale), note))
    return pd.DataFrame(rows, columns=["table", "column", "dimension", "checked", "defects", "note"])


def _longest_silence(base: Base, table: str) -> int:
    """Most days between two successive days of a table; 0 for a single day."""
    day = nw.col(schema.TABLES[table].time).dt.replace_time_zone(None).dt.truncate("1d")
    days = base[table].select(day=day).group_by("day").agg(n=nw.len()).collect("pandas").to_native()["day"]
    return int(days.dropna().sort_values().diff().dt.days.max()) if days.notna().sum() > 1 else 0


def _span(base: Base, table: str) -> tuple[date | None, date | None]:
    """The first and the last day in a table."""
    time = schema.TABLES[table].time
    if time is None or time not in base.columns(table):
        return None, None
    bounds = base[table].select(first=nw.col(time).min(), last=nw.col(time).max()).collect("pandas").to_native().iloc[0]
    return tuple(None if pd.isna(b) else pd.Timestamp(b).date() for b in bounds)
