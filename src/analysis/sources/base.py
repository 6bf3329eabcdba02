"""A customer base as read: the canonical tables, what was set aside and why.

`read` opens a source and returns a :class:`Base`. Every table of it is a lazy frame over the engine: nothing of event
scale enters pandas, and nothing is copied before somebody asks. Rows in = rows kept + rows set aside, per table.
"""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, partial
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd

from analysis import bookshop, places, schema
from analysis.errors import Problem
from analysis.sources import accounts, canonical, files, jalali, mapping, merging, persian
from analysis.sources.accounts import REASON
from analysis.sources.canonical import PREFIX, TypedTable
from analysis.sources.files import sql_name, sql_text

#: A quarter of the machine's memory, 1 GiB at least: beside the engine there is pandas, a kernel, a browser.
_MEMORY = max(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4, 2**30) if hasattr(os, "sysconf") else 2**31

# DuckDB 2.0's own conversion to pandas uses what pandas 3.1 deprecates; nothing that a reader of a notebook can mend
warnings.filterwarnings("ignore", message="The inplace keyword", module="duckdb")


@dataclass(frozen=True)
class Base(Mapping):
    """A customer base: a mapping from the name of a canonical table to its lazy frame, and what is known about it.

    Attributes
    ----------
    name, title, about : str
    timezone, currency : str
        The business's own; the timezone decides what a day is.
    as_of : datetime.date
        The last day that the base knows of; nothing later is in any table.
    tables : dict of str to narwhals.LazyFrame
    accounts : DataFrame, columns ``table``, ``reason``, ``rows``, ``defect``, ``derived``, ``amount``
        Rows kept (empty reason) and rows set aside, by reason; what was paid for purchases set aside as defects.
    unreadable : DataFrame, columns ``table``, ``column``, ``cells``, ``examples``
        Filled cells of optional columns that could not be used and are empty now; their rows are kept.
    count_unified : function without arguments
        Gives `unified`.
    personal : tuple of str
        The base's own fields of `customers` that identify a person, beside the schema's.
    limits : dict of str to float
        Shares of defects above which `moshtari check` fails, as the mapping sets them.
    customer_merges : DataFrame, columns ``customer_id``, ``merged_into``, ``score``, ``why``
        People recorded twice, merged because the mapping says so; the other tables of such a base have
        ``recorded_customer_id`` too.
    before_merging : narwhals.LazyFrame or None
        The records that took part in a merge, as they were; `merging.unmerged` gives the whole base as it was.
    """

    name: str
    title: str
    timezone: str
    currency: str
    as_of: date
    tables: dict[str, nw.LazyFrame]
    accounts: pd.DataFrame
    unreadable: pd.DataFrame
    about: str = ""
    personal: tuple[str, ...] = ()
    customer_merges: pd.DataFrame = field(default_factory=merging.none_merged)
    before_merging: nw.LazyFrame | None = None
    parameters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    db: duckdb.DuckDBPyConnection | None = field(default=None, repr=False, compare=False)
    count_unified: Callable[[], pd.DataFrame] = field(default=accounts.unified_cells, repr=False, compare=False)

    @cached_property
    def unified(self) -> pd.DataFrame:
        """Cells of Persian text that were unified: columns ``table``, ``column``, ``cells``, ``examples``.

        Counted when first asked for: it takes a look at every text of the base.
        """
        return self.count_unified()

    def __getitem__(self, table: str) -> nw.LazyFrame:
        if table not in self.tables:
            what = schema.TABLES[table].one_row_per if table in schema.TABLES else "no canonical table"
            raise Problem(f'{self.name} has no table "{table}" ({what}). It has: {", ".join(self.tables)}.')
        return self.tables[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def __contains__(self, table: object) -> bool:
        return table in self.tables

    def columns(self, table: str) -> list[str]:
        """Column names of a table; none when the base does not have it."""
        return list(self.tables[table].collect_schema()) if table in self.tables else []


def connect(timezone: str) -> duckdb.DuckDBPyConnection:
    """An engine whose days are the business's and which spills to disk what does not fit into memory."""
    spill = Path(tempfile.gettempdir()) / "moshtari-spill"
    db = duckdb.connect(config={"temp_directory": str(spill), "memory_limit": f"{_MEMORY}B"})
    try:
        db.execute(f"SET TimeZone = {sql_text(timezone)}")
    except duckdb.Error:
        raise Problem(f'timezone "{timezone}" is unknown to the engine. Use a name such as "Asia/Tehran".') from None
    persian.install(db)
    return db


def read(source: str, as_of: date | None = None, data: Path | None = None, seed: int = 1) -> Base:
    """Read a customer base, whatever its format, into the canonical tables.

    Parameters
    ----------
    source : str
        "bookshop" (the simulated sample), the name of a shipped mapping, or the path of a mapping file.
    as_of : date, optional
        Last day to look at; later rows are set aside as ``after as_of``. Default: the day of the last event.
    data : Path, optional
        Folder of the source's files; default: the environment variable MOSHTARI_DATA, else the mapping's own folder.
    seed : int
        Seed of the bookshop; other sources have no chance in them.

    Raises
    ------
    Problem
        Anything about the source that its user can mend.
    """
    as_of = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    file = (
        bookshop.write(places.ROOT / "data" / f"bookshop-{seed}", seed=seed)
        if source == "bookshop"
        else mapping.find(source)
    )
    return read_mapping(mapping.load(file), as_of, data)


def read_mapping(m: mapping.BaseMapping, as_of: date | None = None, data: Path | None = None) -> Base:
    """Read the base that a checked mapping describes; see :func:`read`."""
    try:
        return _read_mapping(m, as_of, data)
    except duckdb.Error as e:  # SQL of the mapping that fails on the data, a damaged file
        raise Problem(f"{m.file.name}: {files.first_line(e)}. Check the mapping's SQL and the files.") from None
    except Problem as e:
        raise Problem(str(e) if m.file.name in str(e) else f"{m.file.name}: {e}") from None


def _read_mapping(m: mapping.BaseMapping, as_of: date | None, data: Path | None) -> Base:
    if data and not data.is_dir():
        raise Problem(f"--data {data} is no folder. Name the folder that holds the source's files.")
    folders = tuple(f for f in (data, m.file.parent if m.file.parent != mapping.SHIPPED else None, places.DATA) if f)
    located = {name: files.locate(t, folders, m.file.name) for name, t in m.tables.items()}
    db = connect(m.timezone)
    jalali.install(db)
    typed = {
        name: canonical.typed_view(db, files.open_table(db, t, located[name]), t, m) for name, t in m.tables.items()
    }
    if as_of and as_of > date.today():
        raise Problem(f"as_of {as_of} lies in the future; today is {date.today()}. Choose a day that is over.")
    as_of_given, as_of = as_of, as_of or _last_day(db, typed, m)
    end = (as_of + timedelta(days=1)).isoformat()
    counts = []
    for name in _customers_first(typed):
        counts.append(accounts.check_table(db, typed, name, end if as_of_given else None))
        accounts.check_limit(db, typed[name], counts[-1], m)
        _keep(db, typed[name], end)
    if as_of_given and "customers" in typed:
        counts[0] = accounts.check_late_customers(db, typed, counts[0])  # customers were checked first
        accounts.check_limit(db, typed["customers"], counts[0], m)
    _derive_orders(db, typed)
    _derive_customers(db, typed)
    kept = [t for t in schema.TABLES if t in typed or t in _derived(typed)]
    merges = merging.none_merged()
    if m.merge_score is not None:
        merges = merging.find(db, m.timezone, m.merge_score)
        merging.merge(db, kept, merges)
        counts[0] = accounts.set_merged_aside(db, counts[0], merging.MERGED)
    read = pd.concat(counts, ignore_index=True)
    read["amount"] = accounts.amounts_set_aside(db, typed, read)
    return Base(
        name=m.name,
        title=m.title,
        about=m.about,
        timezone=m.timezone,
        currency=m.currency,
        as_of=as_of,
        tables={t: nw.from_native(db.table(sql_name(t))) for t in kept},
        accounts=pd.concat([read, *_derived_accounts(db, typed)], ignore_index=True),
        unreadable=pd.concat([accounts.unreadable_cells(db, t) for t in typed.values()], ignore_index=True),
        personal=m.tables["customers"].personal if "customers" in m.tables else (),
        customer_merges=merges,
        before_merging=nw.from_native(db.table(merging.BEFORE)) if m.merge_score is not None else None,
        parameters=m.parameters,
        limits=m.limits,
        inputs=tuple(sorted({m.file, *(p for named in located.values() for ps in named.values() for p in ps)})),
        db=db,
        count_unified=partial(accounts.unified_cells, db, tuple(typed.values())),
    )


def set_aside(base: Base, table: str) -> str | None:
    """SQL that selects what was set aside of a table: the source's own columns and the reason; None if nothing was."""
    rows = base.accounts.query("table == @table and reason != ''")
    if rows.empty:
        return None
    if rows["derived"].any():
        return f'SELECT * FROM "aside.{table}" ORDER BY ALL'
    own = f"COLUMNS(lambda c: NOT starts_with(c, {sql_text(PREFIX)}))"
    return f'SELECT {own}, {REASON} AS reason FROM "checked.{table}" WHERE {REASON} IS NOT NULL ORDER BY ALL'


def _customers_first(typed: Mapping[str, TypedTable]) -> list[str]:
    """The order of checking: a table after those that it refers to."""
    first = ("customers", "orders", "deals")
    return [t for t in first if t in typed] + [t for t in typed if t not in first]


def _last_day(db, typed: Mapping[str, TypedTable], m: mapping.BaseMapping) -> date:
    """The day of the last event that is not in the future: what the base knows of."""
    dated = {name: t for name, t in typed.items() if canonical.row_time(t)}
    events = [t for name, t in dated.items() if name != "customers"] or list(dated.values())
    days = []
    for t in events:
        own = " OR ".join(f"coalesce(({c}), false)" for c in t.source.set_aside.values()) or "false"
        # a deal that was won is known on the day on which it was won
        for column in (c.name for c in t.columns if c.type == "instant"):
            cell = sql_name(PREFIX + column)
            query = f"SELECT max({cell})::DATE FROM {sql_name(t.view)} WHERE {cell} <= now() AND NOT ({own})"
            days.append(db.execute(query).fetchall()[0][0])
    days = [d for d in days if d]
    if not days:
        _stop_where_all_is_set_aside(db, events, m)
        unread = [accounts.unreadable_examples(db, t, canonical.row_time(t)) for t in events]
        found = next((u for u in unread if u), "no date at all")
        raise Problem(
            f"{m.file.name}: no table has a date that can be read (found: {found}), so there is no day to report on. "
            f'Map a date column and say its format = "%d.%m.%Y" or calendar = "jalali", or give --as-of.'
        )
    return max(days)


def _stop_where_all_is_set_aside(db, events: list[TypedTable], m: mapping.BaseMapping) -> None:
    """Say so where the mapping's own conditions leave no row, or where every date lies ahead."""
    for t in events:
        cell = sql_name(PREFIX + canonical.row_time(t))
        rows, ahead = db.execute(
            f"SELECT count(*), count(*) FILTER ({cell} > now()) FROM {sql_name(t.view)} WHERE {cell} IS NOT NULL"
        ).fetchall()[0]
        if ahead and ahead == rows:
            raise Problem(
                f"{m.file.name}: every date in {t.name} lies in the future ({rows:,} rows). Check the date format "
                "(day and month exchanged?), the calendar and the clock."
            )
        for reason, condition in t.source.set_aside.items():
            met = f"SELECT count(*) FROM {sql_name(t.view)} WHERE {cell} IS NOT NULL AND ({condition})"
            if rows and db.execute(met).fetchall()[0][0] == rows:
                raise Problem(
                    f'{m.file.name} [tables.{t.name}.set_aside] "{reason}": the condition {condition} holds for all '
                    f"{rows:,} rows, so none is left. Mend the condition."
                )


def _keep(db, table: TypedTable, end: str) -> None:
    """The canonical table: rows without a reason, under the canonical names, nothing in them later than `as_of`."""
    later = [
        c.name
        for c in table.columns
        if c.type == "instant" and c.name != canonical.row_time(table) and table.name != "campaigns"
    ]
    cells = []
    for c in table.columns:
        cell, known = sql_name(PREFIX + c.name), ""
        if c.name in later:
            known = _not_after(c.name, end)
        elif table.name == "deals" and table.has("closed_at") and c.name in ("outcome", "amount"):
            known = _not_after("closed_at", end)
        elif table.name == "campaign_contacts" and table.has("converted_at") and c.name == "revenue":
            known = _not_after("converted_at", end)
        otherwise = "'open'" if c.name == "outcome" else "NULL"
        cells.append(
            f"CASE WHEN {known} THEN {cell} ELSE {otherwise} END AS {sql_name(c.name)}"
            if known
            else f"{cell} AS {sql_name(c.name)}"
        )
    cells += [_custom_cell(db, table, c) for c in table.custom]
    db.execute(
        f"CREATE VIEW {sql_name(table.name)} AS SELECT {', '.join(cells)} "
        f'FROM "checked.{table.name}" WHERE {REASON} IS NULL'
    )


def _custom_cell(db, table: TypedTable, column: str) -> str:
    """A field of the base's own: a number where a text file writes nothing but numbers in it, else as it stands."""
    cell = sql_name(column)
    kind = db.execute(f"SELECT typeof({cell}) FROM {sql_name(table.view)} LIMIT 1").fetchall()[0][0]
    if kind == "VARCHAR[]" and column in table.unified:
        return f"list_transform({cell}, lambda x: unified(x)) AS {cell}"
    if kind != "VARCHAR":
        return cell
    if column in table.source.lists:
        clean = "unified" if column in table.unified else "trimmed"
        return f"{canonical.split_list(cell, table.source.lists[column], clean)} AS {cell}"
    number = f"TRY_CAST({canonical.plain_number(cell, table.source.decimal)} AS DOUBLE)"
    # 007 is a code, not seven; nine digits and more are a telephone or an account number
    code = f"regexp_matches(latin_digits({cell}), '^0[0-9]|[0-9]{{9}}')"
    words = f"count(*) FILTER ({cell} <> '' AND ({number} IS NULL OR {code}))"
    filled, no_numbers = db.execute(
        f"SELECT count(*) FILTER ({cell} <> ''), {words} FROM {sql_name(table.view)}"
    ).fetchall()[0]
    clean = "unified" if column in table.unified else "trimmed"
    return f"{number} AS {cell}" if filled and not no_numbers else f"{clean}({cell}) AS {cell}"


def _not_after(column: str, end: str) -> str:
    cell = sql_name(PREFIX + column)
    return f"({cell} IS NULL OR {cell} < TIMESTAMPTZ {sql_text(end)})"


def _derived(typed: Mapping[str, TypedTable]) -> set[str]:
    derived = set()
    if "orders" not in typed and "order_lines" in typed and canonical.carries_orders(typed["order_lines"]):
        derived.add("orders")
    if "customers" not in typed:
        derived.add("customers")
    return derived


def _derive_orders(db, typed: Mapping[str, TypedTable]) -> None:
    """Orders from their lines: the earliest time, the sum of the lines, and what else the lines say of the order."""
    if "orders" not in _derived(typed):
        return
    lines = typed["order_lines"]
    carried = [c for c in mapping.order_columns_of_lines() if lines.has(c)]
    cells = {c: f"min({sql_name(c)})" for c in carried} | {"amount": _exact_sum(_line_amount(lines))}
    if lines.has("discount"):
        cells["discount"] = _exact_sum("discount")
    # an order whose lines come to less than nothing gives money back
    cells["status"] = f"coalesce({cells.get('status', 'NULL')}, CASE WHEN {cells['amount']} < 0 THEN 'returned' END)"
    ordered = [f"{cells[c]} AS {sql_name(c)}" for c in schema.TABLES["orders"].names if c in cells]
    db.execute('ALTER VIEW "order_lines" RENAME TO "wide.order_lines"')
    own = [sql_name(c.name) for c in lines.columns if c.name not in carried]
    db.execute(f'CREATE VIEW "order_lines" AS SELECT {", ".join(own)} FROM "wide.order_lines"')
    ordered.append("max(hash(customer_id)) > min(hash(customer_id)) AS several")
    db.execute(
        f'CREATE TABLE "orders" AS SELECT order_id, {", ".join(ordered)} FROM "wide.order_lines" GROUP BY order_id'
    )
    shared = db.execute('SELECT order_id FROM "orders" WHERE several ORDER BY 1').fetchall()
    if shared:
        raise Problem(
            f"[tables.order_lines]: {len(shared):,} orders have lines of several customers (order {shared[0][0]!r}). "
            f"Make the order's id unique, e.g. order_id = {{ sql = \"concat_ws('-', …, …)\" }}."
        )
    db.execute('ALTER TABLE "orders" DROP COLUMN several')
    cell = sql_name(PREFIX + "order_id")
    db.execute(
        f'CREATE VIEW "aside.orders" AS SELECT {cell} AS order_id, min({REASON}) AS reason FROM "checked.order_lines" '
        f"WHERE {REASON} IS NOT NULL AND {cell} IS NOT NULL "
        f'AND {cell} NOT IN (SELECT order_id FROM "orders") GROUP BY 1'
    )


def _exact_sum(expression: str) -> str:
    """A sum of money that is the same in whatever order it is added up: whole ten-thousandths are exact."""
    return f"CAST(sum(CAST(round(({expression}) * 10000) AS BIGINT)) AS DOUBLE) / 10000"


def _line_amount(lines: TypedTable) -> str:
    if lines.has("amount"):
        return "amount"
    for column in ("quantity", "unit_price"):
        if not lines.has(column):
            raise Problem(
                f"[tables.order_lines] has neither amount nor both quantity and unit_price, so orders have no amount. "
                f"Map amount, or {column}."
            )
    return "quantity * unit_price" + (" - coalesce(discount, 0)" if lines.has("discount") else "")


def _derive_customers(db, typed: Mapping[str, TypedTable]) -> None:
    """Customers from the ids of the other tables."""
    if "customers" in typed:
        return
    with_ids = [t for t in ("orders",) if t in _derived(typed)]
    with_ids += [t for t in typed if typed[t].has("customer_id") and not (t == "order_lines" and with_ids)]
    if not with_ids:
        raise Problem(f"None of {', '.join(typed)} says which customer it belongs to. Map customer_id in one of them.")
    ids = " UNION ALL ".join(f"SELECT customer_id FROM {sql_name(t)}" for t in with_ids)
    db.execute(f'CREATE TABLE "customers" AS SELECT DISTINCT customer_id FROM ({ids}) WHERE customer_id IS NOT NULL')


def _derived_accounts(db, typed: Mapping[str, TypedTable]) -> list[pd.DataFrame]:
    accounts = []
    for table in sorted(_derived(typed)):
        counts = [("", db.execute(f"SELECT count(*) FROM {sql_name(table)}").fetchall()[0][0])]
        if table == "orders":
            counts += db.execute('SELECT reason, count(*) FROM "aside.orders" GROUP BY 1 ORDER BY 1').fetchall()
        accounts.append(
            pd.DataFrame(counts, columns=["reason", "rows"]).assign(
                table=table, defect=False, derived=True, amount=float("nan")
            )
        )
    return accounts
