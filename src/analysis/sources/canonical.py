"""From a source's columns to canonical ones: the SQL that converts each column, and the conditions a row must meet.

`typed_view` lays the converted columns beside the source's own, `checked_view` adds the reason why a row is set aside
(nothing for a row that is kept). Both are views: nothing is computed until somebody asks, and then only the columns
asked for.
"""

from dataclasses import dataclass
from fractions import Fraction

import duckdb

from analysis import schema
from analysis.errors import Problem, did_you_mean
from analysis.sources.files import first_line, sql_name, sql_text
from analysis.sources.mapping import BaseMapping, ColumnSource, TableSource, order_columns_of_lines, rials

#: Converted columns stand beside the source's own under this prefix.
PREFIX = "→"

#: The first moment that an instant, and that a date of birth may have.
EARLIEST = {"instant": "1900-01-01", "date": "1800-01-01"}

_NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)


@dataclass(frozen=True)
class TypedTable:
    """A table after conversion: the view, which canonical and custom columns it has, and what can go wrong in them.

    Attributes
    ----------
    unreadable : dict of str to str
        Canonical column → condition under which a filled source cell gave nothing usable.
    given : dict of str to str
        Canonical column → the source's expression for it, as text, for showing examples.
    unified : dict of str to str
        Canonical or custom column of Persian text → the source's text for it, before letters and digits were unified.
    """

    source: TableSource
    view: str
    columns: tuple[schema.Column, ...]
    custom: tuple[str, ...]
    unreadable: dict[str, str]
    given: dict[str, str]
    unified: dict[str, str]

    @property
    def name(self) -> str:
        return self.source.table.name

    def has(self, column: str) -> bool:
        return any(c.name == column for c in self.columns)


def expected_columns(source: TableSource, mapping: BaseMapping) -> tuple[schema.Column, ...]:
    """The canonical columns that a table may have: its own, and those of the order for lines that carry them."""
    columns = source.table.columns
    if source.table.name == "order_lines" and "orders" not in mapping.tables:
        orders = schema.TABLES["orders"].column
        columns += tuple(orders[c] for c in order_columns_of_lines())
    return columns


def typed_view(db: duckdb.DuckDBPyConnection, raw: str, source: TableSource, mapping: BaseMapping) -> TypedTable:
    """Convert a table's source columns to canonical ones, in a view that keeps the source's columns beside them."""
    types = {name: kind for name, kind, *_ in db.execute(f"DESCRIBE {sql_name(raw)}").fetchall()}
    odd = [name for name in types if name.startswith(PREFIX)]
    if odd:
        raise Problem(f'[tables.{source.table.name}]: rename the column "{odd[0]}"; no name may begin with {PREFIX}.')
    wanted = _column_sources(source, expected_columns(source, mapping), types, mapping)
    where = f"{mapping.file.name} [tables.{source.table.name}.columns]"
    clean = "unified" if mapping.language == "fa" else "trimmed"
    converted, unreadable, given, text = [], {}, {}, {}
    for column, column_source in wanted:
        expression, kind = _source_expression(db, raw, column, column_source, types, where)
        canonical = _canonical_expression(expression, kind, column, column_source, source, where, clean)
        if column_source.currency:
            canonical = _exchanged(canonical, Fraction(rials(column_source.currency), rials(mapping.currency)))
        name = sql_name(PREFIX + column.name)
        converted.append(f"{canonical} AS {name}")
        given[column.name] = f"CAST({expression} AS VARCHAR)"
        unreadable[column.name] = _unreadable(column, expression, kind, name)
        if column.type in ("id", "text", "list") and kind in ("VARCHAR", "VARCHAR[]"):
            text[column.name] = expression
    _check_conditions(db, raw, source, types)
    custom = _custom_columns(source, wanted, types)
    view = f"typed.{source.table.name}"
    text |= {c: sql_name(c) for c in custom if types[c] in ("VARCHAR", "VARCHAR[]")}
    db.execute(f"CREATE VIEW {sql_name(view)} AS SELECT *, {', '.join(converted)} FROM {sql_name(raw)}")
    return TypedTable(
        source=source,
        view=view,
        columns=tuple(c for c, _ in wanted),
        custom=custom,
        unreadable={k: v for k, v in unreadable.items() if v},
        given=given,
        unified=text if mapping.language == "fa" else {},
    )


def row_reasons(table: TypedTable, as_of_end: str | None) -> list[tuple[str, str, bool]]:
    """Why rows of a table are set aside, first match wins: reason, SQL condition, and whether it is a defect.

    The mapping's own reasons come first and are no defects (somebody meant them), nor is what happened after `as_of`.
    """
    reasons = [(reason, f"({condition})", False) for reason, condition in table.source.set_aside.items()]
    required = {c.name for c in table.columns if c.required} | _carried_order_keys(table)
    for column in table.columns:
        cell = sql_name(PREFIX + column.name)
        if column.name in required:
            if column.name in table.unreadable:
                reasons.append((f"unreadable {column.name}", table.unreadable[column.name], True))
            reasons.append((f"no {column.name}", f"{cell} IS NULL", True))
        elif column.name in ("status", "outcome") and column.name in table.unreadable:
            reasons.append((f"unknown {column.name}", table.unreadable[column.name], True))
        elif column.name == "amount" and column.name in table.unreadable:
            reasons.append(("amount is no number", table.unreadable[column.name], True))
    if table.name == "orders" and table.has("amount"):
        returned = f"{sql_name(PREFIX + 'status')} = 'returned'" if table.has("status") else "false"
        reasons.append(
            ("negative amount", f"{sql_name(PREFIX + 'amount')} < 0 AND NOT coalesce({returned}, false)", True)
        )
    time = row_time(table)
    if time:
        reasons.append(("in the future", f"{sql_name(PREFIX + time)} > now()", True))
        if as_of_end:
            reasons.append(("after as_of", f"{sql_name(PREFIX + time)} >= TIMESTAMPTZ {sql_text(as_of_end)}", False))
    return reasons


def row_time(table: TypedTable) -> str | None:
    """The column that says when a row came into being, where the table has one; a campaign may well lie ahead."""
    if table.name == "campaigns":
        return None
    time = "ordered_at" if table.name == "order_lines" else table.source.table.time
    return time if time and table.has(time) else None


def carries_orders(table: TypedTable) -> bool:
    """Whether a table of order lines also says which customer ordered when."""
    return table.name == "order_lines" and table.has("customer_id") and table.has("ordered_at")


def plain_number(expression: str, decimal: str) -> str:
    """A number as typed (Persian digits, thousands marks) as the engine reads it; nothing for any other text.

    Thousands marks count only where they part groups of three: with a decimal point 1,5 is no number, and not 15.
    """
    point, marks = ("[.]", "[,٬’' \u00a0\u202f]") if decimal == "." else ("[,]", "[.٬’' \u00a0\u202f]")
    typed = f"translate(trim(latin_digits(CAST({expression} AS VARCHAR))), '٫−', '{decimal}-')"
    grouped = sql_text(rf"[+-]?\d{{1,3}}({marks}\d{{3}})+({point}\d*)?")
    plain = sql_text(rf"[+-]?(\d+({point}\d*)?|{point}\d+)([eE][+-]?\d+)?")
    return (
        f"CASE WHEN regexp_full_match({typed}, {plain}) THEN replace({typed}, ',', '.') "
        f"WHEN regexp_full_match({typed}, {grouped}) "
        f"THEN replace(regexp_replace({typed}, {sql_text(marks)}, '', 'g'), ',', '.') END"
    )


def _carried_order_keys(table: TypedTable) -> set[str]:
    return {"customer_id", "ordered_at"} if carries_orders(table) else set()


def _column_sources(source, expected, types, mapping):
    """Which canonical column comes from which source; names checked."""
    if source.columns is not None:
        known = {c.name: c for c in expected}
        return [(known[name], given) for name, given in source.columns.items()]
    missing = [c.name for c in source.table.columns if c.required and c.name not in types]
    if missing:
        raise Problem(
            f'{next(iter(source.paths.values()))} has no column "{missing[0]}".{did_you_mean(missing[0], types)} '
            f"It has: {', '.join(types)}. Map it in [tables.{source.table.name}.columns], e.g. "
            f'{missing[0]} = "{next(iter(types))}".'
        )
    return [(c, ColumnSource(column=c.name)) for c in expected if c.name in types]


def _source_expression(db, raw, column, given, types, where) -> tuple[str, str]:
    """The SQL of a source column or expression, and its type in the engine."""
    if given.column is not None:
        if given.column not in types:
            raise Problem(
                f'{where} {column.name}: the file has no column "{given.column}".{did_you_mean(given.column, types)} '
                f'It has: {", ".join(types)}. Name one of them, e.g. {column.name} = "{next(iter(types))}".'
            )
        return sql_name(given.column), types[given.column]
    try:
        kind = db.execute(f"DESCRIBE SELECT ({given.sql}) FROM {sql_name(raw)}").fetchall()[0][1]
    except duckdb.Error as e:
        raise Problem(
            f"{where} {column.name}: the SQL {given.sql} does not run: {first_line(e)}. It sees: {', '.join(types)}."
        ) from None
    return f"({given.sql})", kind


def _canonical_expression(expression, kind, column, given, source, where, clean) -> str:
    if column.type in ("id", "text"):
        return _as_text(expression, kind, column, clean)
    if column.type == "number":
        return _as_number(expression, kind, column, source)
    if column.type in ("instant", "date"):
        instant = _as_instant(expression, kind, given)
        # earlier ones are two-digit years and the zero dates of databases
        since = f"TIMESTAMPTZ '{EARLIEST[column.type]}'"
        if kind == "VARCHAR":  # in a lambda, so that a text is read once
            real = f"list_transform([{instant}], lambda x: CASE WHEN isfinite(x) AND x >= {since} THEN x END)[1]"
        else:
            real = f"CASE WHEN isfinite({instant}) AND {instant} >= {since} THEN {instant} END"
        return f"CAST({real} AS {schema.SQL_TYPES[column.type]})"
    if kind.endswith("[]"):
        words = f"CAST({expression} AS VARCHAR[])"
        return f"list_transform({words}, lambda x: unified(x))" if clean == "unified" else words
    if given.split is None:
        raise Problem(f'{where} {column.name} is a list; say what parts it, e.g. {{ column = "…", split = ";" }}.')
    return split_list(expression, given.split, clean)


def split_list(expression: str, mark: str, clean: str) -> str:
    """A list from text, its items cleaned by a macro of the engine, and without empty ones."""
    parts = f"list_transform(string_split({expression}, {sql_text(mark)}), lambda x: {clean}(x))"
    return f"list_filter({parts}, lambda x: x <> '')"


def _exchanged(number: str, rate: Fraction) -> str:
    """A sum of money in another unit, without the dust of floating point: 4.9 million rial are 490,000 toman."""
    return f"round({number} * {rate.numerator} / {rate.denominator}, 6)"


def _as_text(expression: str, kind: str, column: schema.Column, clean: str) -> str:
    if kind in ("DOUBLE", "FLOAT"):
        # a whole-number id that a missing value turned into 17850.0
        whole = f"{expression} = floor({expression}) AND abs({expression}) < 1e15"
        integer = f"CAST(CAST({expression} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {whole} THEN {integer} ELSE CAST({expression} AS VARCHAR) END"
    text = expression if kind == "VARCHAR" else f"CAST({expression} AS VARCHAR)"
    if kind == "VARCHAR":
        text = f"{clean}({text})"
    if not column.values:
        return text
    allowed = ", ".join(sql_text(v) for v in column.values)
    return f"CASE WHEN lower({text}) IN ({allowed}) THEN lower({text}) END"


def _as_number(expression: str, kind: str, column: schema.Column, source: TableSource) -> str:
    if kind.startswith(_NUMERIC) or kind == "BOOLEAN":
        number = f"CAST({expression} AS DOUBLE)"
    else:
        number = f"TRY_CAST({plain_number(expression, source.decimal)} AS DOUBLE)"
    # sums of money are whole ten-thousandths in 64 bits
    bounds = f"isfinite({number}) AND abs({number}) < 9e14" + (
        f" AND {number} >= {column.minimum}" if column.minimum is not None else ""
    )
    return f"CASE WHEN {bounds} THEN {number} END"


def _as_instant(expression: str, kind: str, given: ColumnSource) -> str:
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"CAST({expression} AS TIMESTAMPTZ)"
    text = f"trim(CAST({expression} AS VARCHAR))"
    if given.calendar == "jalali":
        return f"CAST(jalali_day({text}) + jalali_time({text}) AS TIMESTAMPTZ)"
    digits = f"latin_digits({text})"
    if given.format:
        return f"CAST(try_strptime({digits}, {sql_text(given.format)}) AS TIMESTAMPTZ)"
    return f"TRY_CAST({digits} AS TIMESTAMPTZ)"


def _unreadable(column: schema.Column, expression: str, kind: str, converted: str) -> str:
    """Condition under which a filled cell of the source gave nothing; empty where that cannot happen."""
    if column.type in ("id", "list") or (column.type == "text" and not column.values):
        return ""
    if kind.startswith((*_NUMERIC, "TIMESTAMP")) or kind in ("BOOLEAN", "DATE"):
        return f"{converted} IS NULL AND {expression} IS NOT NULL"  # no text is made of a hundred million numbers
    return f"{converted} IS NULL AND nullif(trim(CAST({expression} AS VARCHAR)), '') IS NOT NULL"


def _check_conditions(db, raw: str, source: TableSource, types) -> None:
    """See that the mapping's own conditions for setting rows aside can be run."""
    for reason, condition in source.set_aside.items():
        try:
            db.execute(f"DESCRIBE SELECT 1 FROM {sql_name(raw)} WHERE {condition}").fetchall()
        except duckdb.Error as e:
            raise Problem(
                f'[tables.{source.table.name}.set_aside] "{reason}": the condition {condition} does not run: '
                f"{first_line(e)}. It sees: {', '.join(types)}."
            ) from None


def _custom_columns(source: TableSource, wanted, types) -> tuple[str, ...]:
    """Further columns of `customers`: the base's own fields, kept under their own names."""
    if source.table.name != "customers":
        return ()
    for name in (*source.drop, *source.personal, *source.lists):
        if name not in types:
            raise Problem(
                f'[tables.customers]: there is no column "{name}" to drop, to mark as personal or to split.'
                f"{did_you_mean(name, types)} It has: {', '.join(types)}."
            )
    used = {given.column for _, given in wanted} | {c.name for c, _ in wanted} | set(source.drop)
    rest = tuple(name for name in types if name not in used)
    for name in rest:
        if name in source.table.names:
            raise Problem(
                f'[tables.customers]: the file has a column called "{name}", a canonical name that the mapping does '
                f'not give. Map it ({name} = "{name}") or drop it (drop = ["{name}"]).'
            )
    return rest
