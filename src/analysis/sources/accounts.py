"""Accounting for rows: every row of a table is kept, or set aside with a reason.

`check_table` lays the reason beside every row (nothing for a row that is kept) and counts; `check_limit` stops when
more rows are defective than the mapping allows, with examples and with what to do about the commonest reason.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from analysis import schema
from analysis.errors import Problem
from analysis.locale import retold
from analysis.phrases import marked, translated
from analysis.sources import canonical, persian
from analysis.sources.canonical import PREFIX, TypedTable
from analysis.sources.files import sql_name, sql_text
from analysis.sources.mapping import BaseMapping

#: The column that holds the reason, beside the converted ones.
REASON = sql_name(PREFIX + "reason")

#: What to do about a reason that begins so.
_CURES = {
    "unknown": "Check that both files were exported together and write their ids alike.",
    "customer unusable": "Mend their customers first: see the reasons of customers with moshtari check.",
    "order unusable": "Mend their orders first: see the reasons of orders with moshtari check.",
    "repeated row": "Export each once, or choose the row to keep with a query in the mapping.",
    "another row": "Export each once, or choose the row to keep with a query in the mapping.",
    "negative amount": "If these are credit notes, map status = 'returned' for them.",
    "amount is no number": 'Check decimal = "," and delimiter in the mapping.',
    "after as_of": "Choose a later --as-of.",
    "in the future": "Check the date format (day and month exchanged?) and the clock.",
}

#: All reasons but those of the mapping: kept in English, and said to readers by `reason_in_words`.
_SAID = (
    *(marked("no {column}"), marked("unreadable {column}"), marked("amount is no number"), marked("negative amount")),
    *(marked("unknown {what}"), marked("{what} unusable"), marked("{what} set aside")),
    *(marked("repeated row"), marked("another row has this {column}"), marked("merged into another record")),
    *(marked("in the future"), marked("after as_of"), marked("first heard of after as_of")),
)

#: Reasons of rows that stand in the table once already.
_REPEATED = ("repeated row", "another row has this order_id")


def reason_in_words(reason: str) -> str:
    """Why rows were set aside, as readers are told; a reason that a user's mapping names stays as it is.

    Examples
    --------
    >>> reason_in_words("no customer_id")
    'no customer_id'
    """
    said = translated(reason)  # of a mapping that comes with the package
    return said if said != reason else retold(reason, _SAID)


def check_table(db, typed: Mapping[str, TypedTable], name: str, end: str | None) -> pd.DataFrame:
    """Give every row of a table its reason to be set aside, or none, and count."""
    table = typed[name]
    reasons = canonical.row_reasons(table, end)
    defects = {r for r, _, is_defect in reasons if is_defect}
    _judge_rows(db, table, reasons)
    counts = _counted(db, name, defects)
    # what no row meets need not be tried again at every later scan
    _judge_rows(db, table, [r for r in reasons if r[0] in set(counts["reason"])])
    marked = _mark_duplicates(db, table) | _mark_orphans(db, typed, name)
    return _counted(db, name, defects | marked) if marked else counts


def _judge_rows(db, table: TypedTable, reasons: list[tuple[str, str, bool]]) -> None:
    """Lay the first reason that holds beside every row."""
    cases = " ".join(f"WHEN {condition} THEN {sql_text(reason)}" for reason, condition, _ in reasons)
    reason = f"CASE {cases} END" if cases else "CAST(NULL AS VARCHAR)"
    view = f'CREATE OR REPLACE VIEW "checked.{table.name}"'
    db.execute(f"{view} AS SELECT *, {reason} AS {REASON} FROM {sql_name(table.view)}")


def check_late_customers(db, typed: Mapping[str, TypedTable], before: pd.DataFrame) -> pd.DataFrame:
    """Set aside customers without a date of their own who were first heard of after `as_of`; the new counts."""
    customers, cell = typed["customers"], sql_name(PREFIX + "customer_id")
    heard_of = [
        t for name, t in typed.items() if name != "customers" and t.has("customer_id") and canonical.row_time(t)
    ]
    if not heard_of:
        return before
    rows = " UNION ALL ".join(f'SELECT {cell} AS id, {REASON} AS reason FROM "checked.{t.name}"' for t in heard_of)
    late = f"SELECT id FROM ({rows}) GROUP BY id HAVING bool_or(reason = 'after as_of') AND NOT bool_or(reason IS NULL)"
    undated = f"{sql_name(PREFIX + 'signup_at')} IS NULL" if customers.has("signup_at") else "true"
    condition = f"{REASON} IS NULL AND {undated} AND {cell} IN ({late})"
    _replace_reason(db, "customers", f"CASE WHEN {condition} THEN 'first heard of after as_of' ELSE {REASON} END")
    return _counted(db, "customers", set(before.loc[before["defect"], "reason"]))


def set_merged_aside(db, before: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Set aside the customers that `customer_merges` puts into another record, on purpose; the new counts."""
    merged = f"{sql_name(PREFIX + 'customer_id')} IN (SELECT customer_id FROM customer_merges)"
    condition = f"{REASON} IS NULL AND {merged}"
    _replace_reason(db, "customers", f"CASE WHEN {condition} THEN {sql_text(reason)} ELSE {REASON} END")
    return _counted(db, "customers", set(before.loc[before["defect"], "reason"]))


def _counted(db, name: str, defects: set[str]) -> pd.DataFrame:
    counts = db.execute(
        f"SELECT coalesce({REASON}, '') AS reason, count(*) AS rows FROM \"checked.{name}\" GROUP BY 1 ORDER BY 1"
    ).df()
    return counts.assign(table=name, defect=counts["reason"].isin(defects), derived=False)


def amounts_set_aside(db, typed: Mapping[str, TypedTable], counts: pd.DataFrame) -> pd.Series:
    """What was paid for purchases set aside as defects; NaN where that is unknown or would count twice."""
    amounts = pd.Series(float("nan"), index=counts.index)
    for name, table in typed.items():
        purchases = name == "orders" or canonical.carries_orders(table)
        defects = counts[(counts["table"] == name) & counts["defect"] & ~counts["reason"].isin(_REPEATED)]
        if not purchases or not table.has("amount") or defects.empty:
            continue
        status = sql_name(PREFIX + "status")
        bought = f"coalesce({status}, 'completed') = 'completed'" if table.has("status") else "true"
        sums = dict(
            db.execute(
                f'SELECT {REASON}, sum({sql_name(PREFIX + "amount")}) FILTER ({bought}) FROM "checked.{name}" '
                f"WHERE {REASON} IS NOT NULL GROUP BY 1"
            ).fetchall()
        )
        amounts[defects.index] = defects["reason"].map(sums).astype(float)
    return amounts


def check_limit(db, table: TypedTable, accounts: pd.DataFrame, m: BaseMapping) -> None:
    """Stop when more rows are defective than the mapping allows, or when none is left."""
    total = int(accounts["rows"].sum())
    where = f"{', '.join(sorted({Path(p).name for p in table.source.paths.values()}))} ({table.name})"
    bad = accounts[accounts["defect"]].sort_values(["rows", "reason"], ascending=[False, True])
    if total and bad["rows"].sum() > m.max_set_aside * total:
        worst = bad.iloc[0]
        examples = _defect_examples(db, table, worst["reason"])
        raise Problem(
            f"{where}: {bad['rows'].sum():,} of {total:,} rows cannot be used, more than the limit of "
            f"{m.max_set_aside:.0%}. "
            f"Most common: {worst['reason']} ({worst['rows']:,} rows{examples}). {_cure(worst['reason'])} "
            f"Or raise max_set_aside in {m.file.name}."
        )
    if not total or accounts.loc[accounts["reason"] == "", "rows"].sum() == 0:
        reasons = ", ".join(f"{r.reason} {r.rows:,}" for r in accounts.itertuples()) or "the file has none"
        raise Problem(
            f"{where}: no row is left ({reasons}). {_cure(accounts['reason'].iloc[0] if total else '')}".rstrip()
        )


def unreadable_cells(db, table: TypedTable) -> pd.DataFrame:
    """Filled cells of columns that a row can do without, which gave nothing usable."""
    judged = {
        c
        for c in table.unreadable
        if not table.source.table.column.get(c, schema.Column(c, "id", "", required=True)).required
    }
    judged = sorted(judged - {"status", "outcome", "amount"})
    if not judged:
        return pd.DataFrame(columns=["table", "column", "cells", "examples"])
    counts = ", ".join(f"count(*) FILTER ({table.unreadable[c]})" for c in judged)
    cells = db.execute(f'SELECT {counts} FROM "checked.{table.name}" WHERE {REASON} IS NULL').fetchall()[0]
    found = [
        (table.name, column, n, unreadable_examples(db, table, column))
        for column, n in zip(judged, cells, strict=True)
        if n
    ]
    return pd.DataFrame(found, columns=["table", "column", "cells", "examples"])


def unified_cells(db=None, tables: tuple[TypedTable, ...] = ()) -> pd.DataFrame:
    """Cells of Persian text, in rows that are kept, that hold other characters than the source's."""
    found = []
    for table in tables:
        rows = f'FROM "checked.{table.name}" WHERE {REASON} IS NULL'
        changed = {column: _changed(text, _is_list(db, table, text)) for column, text in table.unified.items()}
        if not changed:
            continue
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in changed.values())
        cells = db.execute(f"SELECT {counts} {rows}").fetchall()[0]
        for (column, condition), n in zip(changed.items(), cells, strict=True):
            if n:
                text = f"CAST({table.unified[column]} AS VARCHAR)"
                drawn = db.execute(f"SELECT DISTINCT {text} {rows} AND {condition} ORDER BY 1 LIMIT 3").fetchall()
                found.append((table.name, column, n, ", ".join(repr(_outline(r[0])) for r in drawn)))
    return pd.DataFrame(found, columns=["table", "column", "cells", "examples"])


def _is_list(db, table: TypedTable, text: str) -> bool:
    return db.execute(f"DESCRIBE SELECT {text} FROM {sql_name(table.view)}").fetchall()[0][1] == "VARCHAR[]"


def _changed(text: str, is_list: bool) -> str:
    """Condition under which unifying changes more than the spaces at the ends."""
    if is_list:
        return f"len(list_filter({text}, lambda x: unified(x) IS DISTINCT FROM trimmed(x))) > 0"
    return f"unified({text}) IS DISTINCT FROM trimmed({text})"


def _outline(text: str) -> str:
    """What was unified in a text and nothing else of it: other letters are an a, digits the nine of their keyboard.

    Examples
    --------
    >>> _outline("علي ۱۲") == "aaي ۹۹"
    True
    """
    nines = str.maketrans(
        dict.fromkeys("۰۱۲۳۴۵۶۷۸", "۹") | dict.fromkeys("٠١٢٣٤٥٦٧٨", "٩") | dict.fromkeys("012345678", "9")
    )
    kept = "".join(persian.LETTERS) + "ۀـ"
    shape = re.sub(rf"[^\W\d_{kept}]", "a", text.translate(nines))
    return shape[:24] + ("…" if len(shape) > 24 else "")


def masked(example: str) -> str:
    """A cell as an example that names nobody: of an address or a long text only its shape."""
    if "@" in example or len(example) > 24:
        return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", example))[:24] + ("…" if len(example) > 24 else "")
    return example


def unreadable_examples(db, table: TypedTable, column: str) -> str:
    if column not in table.unreadable:
        return ""
    rows = db.execute(
        f"SELECT DISTINCT {table.given[column]} FROM {sql_name(table.view)} "
        f"WHERE {table.unreadable[column]} ORDER BY 1 LIMIT 3"
    ).fetchall()
    return ", ".join(repr(masked(str(r[0]))) for r in rows)


def _mark_duplicates(db, table: TypedTable) -> set[str]:
    """Set aside all but one of the rows that share a key; which one stays depends on what they hold, not on order."""
    key = table.source.table.key
    if key is None:
        return set()
    name, cell = table.name, sql_name(PREFIX + key)
    total, distinct = db.execute(
        f'SELECT count(*), count(DISTINCT {cell}) FROM "checked.{name}" WHERE {REASON} IS NULL'
    ).fetchall()[0]
    if total == distinct:
        return set()
    repeated, other = _REPEATED[0], f"another row has this {key}"
    cells = ", ".join(sql_name(PREFIX + c.name) for c in table.columns)
    everything = ", ".join(f"{c} DESC NULLS LAST" for c in _columns(db, f"checked.{name}"))
    _replace_reason(
        db,
        name,
        f"CASE WHEN {REASON} IS NOT NULL THEN {REASON} "
        f"WHEN row_number() OVER (PARTITION BY {cells}, {REASON} ORDER BY {everything}) > 1 THEN '{repeated}' "
        f"WHEN row_number() OVER (PARTITION BY {cell}, {REASON} ORDER BY {everything}) > 1 THEN '{other}' END",
    )
    return {repeated, other}


def _mark_orphans(db, typed: Mapping[str, TypedTable], name: str) -> set[str]:
    """Set aside rows that refer to a customer, order or deal which the base does not have or has set aside."""
    marked = set()
    for parent, key in (("customers", "customer_id"), ("orders", "order_id"), ("deals", "deal_id")):
        if name == parent or parent not in typed or not typed[name].has(key):
            continue
        cell = sql_name(PREFIX + key)
        known = f'EXISTS (FROM "checked.{parent}" AS p WHERE p.{cell} = c.{cell}'
        orphan = f"{REASON} IS NULL AND {cell} IS NOT NULL AND NOT {known} AND p.{REASON} IS NULL)"
        if not db.execute(f'SELECT count(*) FROM "checked.{name}" AS c WHERE {orphan}').fetchall()[0][0]:
            continue
        what = parent.removesuffix("s")
        # set aside on purpose, by the mapping or by as_of; any other reason of the parent is a defect here too
        meant = [*typed[parent].source.set_aside, "after as_of", "customer set aside"]
        meant = f"p.{REASON} IN ({', '.join(map(sql_text, meant))})"
        why = f"WHEN {known} AND {meant}) THEN '{what} set aside' WHEN {known}) THEN '{what} unusable'"
        _replace_reason(db, name, f"CASE WHEN {orphan} THEN CASE {why} ELSE 'unknown {what}' END ELSE {REASON} END")
        marked |= {f"unknown {what}", f"{what} unusable"}
    return marked


def _replace_reason(db, name: str, reason: str) -> None:
    """Compute the reasons anew and keep them: a table with such rows is staged once instead of judged at every scan."""
    db.execute(
        f'CREATE TABLE "next.{name}" AS SELECT * EXCLUDE ({REASON}), {reason} AS {REASON} FROM "checked.{name}" AS c'
    )
    db.execute(f'DROP VIEW "checked.{name}"')
    db.execute(f'DROP TABLE IF EXISTS "staged.{name}"')
    db.execute(f'ALTER TABLE "next.{name}" RENAME TO "staged.{name}"')
    db.execute(f'CREATE VIEW "checked.{name}" AS FROM "staged.{name}"')


def _cure(reason: str) -> str:
    """What to do about a reason."""
    what = (reason.split() or [""])[-1]
    if reason.startswith("unreadable"):
        written = f'{what} = {{ column = "…", format = "%d.%m.%Y" }} or calendar = "jalali"'
        return f"Say in the mapping how it is written: {written}."
    if reason.startswith("no "):
        return f"Map another column, or name the reason in the mapping's set_aside if rows without {what} are expected."
    if reason in ("unknown status", "unknown outcome"):
        values = schema.ORDER_STATUSES if what == "status" else schema.DEAL_OUTCOMES
        return f'Translate the source\'s words to {", ".join(values)}: {what} = {{ sql = "CASE … END" }}.'
    return next((cure for start, cure in _CURES.items() if reason.startswith(start)), "Mend the export.")


def _defect_examples(db, table: TypedTable, reason: str) -> str:
    column = reason.split()[-1]
    given = table.given.get(column)
    if (
        given is None
        or reason.startswith("no ")
        or (column in table.source.table.column and table.source.table.column[column].personal)
    ):
        return ""
    rows = db.execute(
        f'SELECT DISTINCT {given} AS example FROM "checked.{table.name}" '
        f"WHERE {REASON} = {sql_text(reason)} ORDER BY 1 LIMIT 3"
    ).fetchall()
    return ", e.g. " + ", ".join(repr(masked(str(r[0]))) for r in rows) if rows else ""


def _columns(db, view: str) -> list[str]:
    return [sql_name(row[0]) for row in db.execute(f"DESCRIBE {sql_name(view)}").fetchall()]
