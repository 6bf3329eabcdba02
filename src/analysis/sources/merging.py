"""Merging people recorded twice, where the mapping asks for it: one record of a person, and a way back.

`merge` takes the tables of a base that has just been read and puts everything under the record that survives; the
others are set aside. Nothing is lost: every table keeps the id under which a row was recorded, and the records are kept
as they were. `unmerged` gives back the base as it was read.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from analysis.schema import TABLES
from analysis.sources.files import sql_name

if TYPE_CHECKING:
    from analysis.sources.base import Base

#: Why a record is set aside that went into another one.
MERGED = "merged into another record"

#: Where a merged base keeps the id under which a row was recorded; no chapter reads it.
RECORDED = "recorded_customer_id"

#: The table of all records that took part in a merge, as they were.
BEFORE = "customers_before_merging"


def none_merged() -> pd.DataFrame:
    """The `customer_merges` of a base in which nothing was merged.

    Examples
    --------
    >>> list(none_merged())
    ['customer_id', 'merged_into', 'score', 'why']
    """
    text = pd.Series(dtype="str")
    return pd.DataFrame({"customer_id": text, "merged_into": text, "score": pd.Series(dtype=float), "why": text})


def find(db, timezone: str, score: float) -> pd.DataFrame:
    """Which customers of a base go into which, as `duplicates.merges` says it."""
    from analysis.sources import duplicates  # here: few bases merge, and every notebook would wait for its libraries

    customers = db.table("customers")
    wanted = [c for c in customers.columns if c in ("customer_id", "signup_at", *duplicates.FIELDS)]
    frame = customers.select(*map(sql_name, wanted)).df()
    return duplicates.merges(frame, duplicates.duplicates(frame, timezone), score)


def merge(db, tables: list[str], merges: pd.DataFrame) -> None:
    """Put the tables of a base under the surviving ids; `customers` must still hold all records.

    Parameters
    ----------
    db : connection
        Holds the canonical tables under their names.
    tables : list of str
        Those that the base has.
    merges : DataFrame
        As `find` gives them.
    """
    db.register("found merges", merges)
    db.execute('CREATE TABLE customer_merges AS FROM "found merges"')
    db.unregister("found merges")
    _merge_customers(db)
    for table in tables:
        if table != "customers" and "customer_id" in TABLES[table].column and "customer_id" in db.table(table).columns:
            _move_rows(db, table)


def unmerged(base: "Base") -> "Base":
    """The base as it was read, before people recorded twice were merged.

    Examples
    --------
    >>> base = unmerged(run.base)  # doctest: +SKIP
    """
    if base.before_merging is None:
        return base
    tables = dict(base.tables)
    others = tables["customers"].join(base.before_merging.select("customer_id"), on="customer_id", how="anti")
    tables["customers"] = nw.concat([others, base.before_merging])
    for name in tables:
        if RECORDED in base.columns(name):
            tables[name] = tables[name].with_columns(customer_id=nw.col(RECORDED)).drop(RECORDED)
    merged = base.accounts["reason"] == MERGED
    kept = (base.accounts["table"] == "customers") & (base.accounts["reason"] == "")
    given_back = kept * base.accounts.loc[merged, "rows"].sum()
    accounts = base.accounts.assign(rows=base.accounts["rows"] + given_back)[~merged].reset_index(drop=True)
    return replace(base, tables=tables, accounts=accounts, customer_merges=none_merged(), before_merging=None)


def _merge_customers(db) -> None:
    """One row for each group: what the survivor does not say, the others say, in the order of signing up."""
    view = db.table("customers")
    types = dict(zip(view.columns, map(str, view.types), strict=True))
    first = "m.survives DESC" + (", m.signup_at NULLS LAST" if "signup_at" in types else "") + ", m.customer_id"
    cells = ["m.goes_into AS customer_id"]
    for column, kind in types.items():
        cell = f"m.{sql_name(column)}"
        if column == "signup_at":
            cells.append(f"min({cell}) AS signup_at")
        elif kind.endswith("[]"):
            lists = f"list({cell} ORDER BY {first}) FILTER ({cell} IS NOT NULL)"
            cells.append(f"list_sort(list_distinct(flatten({lists}))) AS {sql_name(column)}")
        elif column != "customer_id":
            cells.append(f"first({cell} ORDER BY {first}) FILTER ({cell} IS NOT NULL) AS {sql_name(column)}")
    survivors = "SELECT merged_into, merged_into FROM customer_merges"
    groups = f"SELECT customer_id, merged_into FROM customer_merges UNION {survivors}"
    db.execute(
        f'CREATE TABLE "{BEFORE}" AS SELECT c.* FROM customers AS c SEMI JOIN ({groups}) AS g USING (customer_id)'
    )
    db.execute('ALTER VIEW customers RENAME TO "unmerged.customers"')
    member = f'SELECT b.*, g.merged_into AS goes_into, g.merged_into = b.customer_id AS survives FROM "{BEFORE}" AS b'
    db.execute(
        f'CREATE TABLE customers AS SELECT * FROM "unmerged.customers" ANTI JOIN "{BEFORE}" USING (customer_id) '
        f"UNION ALL BY NAME SELECT {', '.join(cells)} FROM ({member} JOIN ({groups}) AS g USING (customer_id)) AS m "
        "GROUP BY m.goes_into"
    )


def _move_rows(db, table: str) -> None:
    """A table's rows under the surviving ids; the id that was recorded stands beside."""
    kind = "SELECT table_type FROM information_schema.tables WHERE table_name = ?"
    is_view = db.execute(kind, [table]).fetchall()[0][0] == "VIEW"  # orders made from their lines are a table
    db.execute(f'ALTER {"VIEW" if is_view else "TABLE"} {sql_name(table)} RENAME TO "unmerged.{table}"')
    db.execute(
        f"CREATE VIEW {sql_name(table)} AS SELECT t.* REPLACE (coalesce(g.merged_into, t.customer_id) AS customer_id), "
        f't.customer_id AS {RECORDED} FROM "unmerged.{table}" AS t '
        "LEFT JOIN customer_merges AS g ON g.customer_id = t.customer_id"
    )
