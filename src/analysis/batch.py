"""One report for each value of a field of the customers, and a page that compares them.

Takes a source and a field, reads the base once, divides it by the customers' values, and makes a run of each part in
the folder of the whole. One report that fails does not stop the others; groups too small to be told get none.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import pandas as pd

from analysis import pipeline, places, schema
from analysis.errors import Problem
from analysis.kernels import Kernels
from analysis.phrases import phrase, speaking
from analysis.report import comparison
from analysis.run import Run, earlier, exclusive, holds, last_before, prepare, question_of, read_already, write
from analysis.sources import Base, accounts, connect
from analysis.sources.base import sql_name, sql_text
from analysis.sources.merging import BEFORE

#: Groups of fewer customers get no report, so that nobody can be worked out.
FEWEST = 5

#: Memory that one report takes at most, in bytes, its kernels included.
_MEMORY = 2 * 2**30

#: What else lies in the folder of a divided base, and what Windows lets no folder be called.
_TAKEN = ("data", "stamps", "set_aside", "index", "con", "prn", "aux", "nul")
_TAKEN += tuple(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))


@dataclass(frozen=True)
class Part:
    """The customers with one value of a field: the value, how many they are, and the folder of their report."""

    value: str
    customers: int
    folder: str


class Division(NamedTuple):
    """The parts of a base that get a report; values of too few customers; customers without a value."""

    parts: list[Part]
    too_few: list[Part]
    without: int


class Made(NamedTuple):
    """How the report of a part ended: its run, and why it is not there or not whole."""

    part: Part
    run: Run
    reason: str = ""


def make_reports(
    source: str,
    by: str,
    plan: pipeline.Plan,
    as_of: date | None = None,
    data: Path | None = None,
    out: Path | None = None,
    language: str = "en",
    previous: Path | None = None,
    jobs: int | None = None,
) -> tuple[Run, list[Made]]:
    """Make a report for each value of a field of the customers, and the page that compares them.

    Parameters
    ----------
    source, as_of, data, out, language
        As in :func:`analysis.run.prepare`.
    by : str
        The field.
    plan : Plan
        What is made of each part.
    previous : Path, optional
        Folder of an earlier base divided by the same field; default: the last one.
    jobs : int, optional
        Reports that are made at once; default: as many as there are processors, and memory for.

    Returns
    -------
    whole : Run
        The base as read, in whose folder everything lies.
    made : list of Made, the largest part first
    """
    whole = read_already(source, as_of, data, plan.seed, out, language, by)
    whole = whole or prepare(source, as_of, data, plan.seed, out, language, by=by)
    division = divided(whole, by)
    if not division.parts:
        raise Problem(f"--by {by}: no value has {FEWEST} customers or more, so there is nothing to report on.")
    pipeline.checked_parameters(whole.about["parameters"], plan.given, plan.seed)  # once, not in each report
    before = earlier(whole, previous) if previous else None
    with speaking(language), exclusive(whole.folder):
        made = _make_all(whole, by, division.parts, plan, before, jobs or _jobs())
        _compare(whole, by, division, made)
    return whole, made


def divided(whole: Run, by: str) -> Division:
    """The values of a field, the one with most customers first, and the folders of their reports.

    Parameters
    ----------
    whole : Run
    by : str
        A field of its customers.
    """
    kinds = dict(_columns(whole.base.db, "customers"))
    rows = whole.base.db.execute(
        f"SELECT {_value(by, kinds[by])} AS value, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    values = [(value, n) for value, n in rows if value is not None]
    folders = dict(zip([v for v, _ in values], folder_names(v for v, _ in values), strict=True))
    parts = [Part(value, n, folders[value]) for value, n in values]
    return Division(
        [p for p in parts if p.customers >= FEWEST],
        [p for p in parts if p.customers < FEWEST],
        sum(n for value, n in rows if value is None),
    )


def folder_names(values: Iterable[str]) -> list[str]:
    """The name of a folder for each value: safe, readable, and of two values never the same.

    Examples
    --------
    >>> folder_names(["Germany", "../data", "A/B", "a b"])
    ['germany', 'data-2af35d', 'a-b-998d3e', 'a-b-c8687a']
    """
    values = list(values)
    plain = [places.file_name(v) for v in values]
    taken = Counter((*plain, *_TAKEN))
    return [
        p if taken[p] == 1 else f"{p}-{sha256(v.encode()).hexdigest()[:6]}" for p, v in zip(plain, values, strict=True)
    ]


def part_of(whole: Run, by: str, part: Part) -> Base:
    """The base of the customers with one value: all tables without the rows of others.

    Parameters
    ----------
    whole : Run
    by : str
    part : Part

    Notes
    -----
    Rows that were set aside often say of no customer whose they were: they stay with the whole.
    """
    base = whole.base
    db = connect(base.timezone)
    tables = [*base.tables, *([BEFORE] if whole.has(BEFORE) else [])]
    files = {t: f"read_parquet({sql_text(str(whole.file(t)))})" for t in tables}
    kinds = {t: dict(_columns(db, f)) for t, f in files.items()}
    chosen = f"{_value(by, kinds['customers'][by])} = {sql_text(part.value)}"
    db.execute(f"CREATE TABLE members AS SELECT customer_id FROM {files['customers']} WHERE {chosen}")
    db.register("merged", base.customer_merges)
    for table, file in files.items():
        db.execute(f"CREATE VIEW {sql_name(table)} AS FROM {file} {_only_of_members(table, kinds)}")
    kept = {t: nw.from_native(db.table(sql_name(t))) for t in base.tables}
    members = set(db.table("members").df()["customer_id"])
    merges = base.customer_merges
    return replace(
        base,
        title=phrase("{base}: {value}", base=base.title, value=part.value),
        about=phrase(
            "The {n:,} customers whose {field} is {value}, of a base that was read as a whole: rows that were set "
            "aside are told there, as they often say of no customer whose they were.",
            n=part.customers,
            field=by,
            value=part.value,
        ),
        tables=kept,
        accounts=_accounts(base, db),
        unreadable=base.unreadable.iloc[:0],
        count_unified=accounts.unified_cells,
        customer_merges=merges[merges["merged_into"].isin(members)].reset_index(drop=True),
        before_merging=nw.from_native(db.table(BEFORE)) if BEFORE in files else None,
        db=db,
    )


def _columns(db, table: str) -> list[tuple[str, str]]:
    """Names and types."""
    return db.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {table})").fetchall()


def _value(field: str, kind: str) -> str:
    """A field as text: whole numbers without a point, what is empty as nothing."""
    text = f"CAST({sql_name(field)} AS VARCHAR)"
    text = f"regexp_replace({text}, '\\.0$', '')" if kind in ("DOUBLE", "FLOAT") else text
    return f"nullif(trim({text}), '')"


def _only_of_members(table: str, kinds: dict[str, dict[str, str]]) -> str:
    """SQL that keeps the rows of the members: by their id, or by that of an order or a deal of theirs."""
    if table == BEFORE:
        return (
            "WHERE customer_id IN (FROM members) OR "
            "customer_id IN (SELECT customer_id FROM merged WHERE merged_into IN (FROM members))"
        )
    if "customer_id" in kinds[table]:
        return "SEMI JOIN members USING (customer_id)"
    for owner, columns in kinds.items():
        key = schema.TABLES[owner].key if owner in schema.TABLES else None
        if key in kinds[table] and "customer_id" in columns:
            return f"SEMI JOIN {sql_name(owner)} USING ({sql_name(key)})"
    return ""


def _accounts(base: Base, db) -> pd.DataFrame:
    """The rows kept of each table, which are all that a part has."""
    kept = base.accounts[base.accounts["reason"] == ""]
    rows = [db.execute(f"SELECT count(*) FROM {sql_name(t)}").fetchall()[0][0] for t in kept["table"]]
    return kept.assign(rows=rows).reset_index(drop=True)


def _make_all(
    whole: Run, by: str, parts: list[Part], plan: pipeline.Plan, previous: Path | None, jobs: int
) -> list[Made]:
    """The reports of all parts, so many at once."""
    kernels = [Kernels(most=2 if jobs == 1 else 1) for _ in parts]
    each = list(zip(parts, kernels, strict=True))
    with ThreadPoolExecutor(jobs) as threads:
        try:
            tasks = [threads.submit(_make, whole, by, part, plan, previous, own) for part, own in each]
            return [task.result() for task in tasks]
        except BaseException:  # stopped by hand: reports that wait are not begun, the others end with their kernels
            threads.shutdown(wait=False, cancel_futures=True)
            for of_part in kernels:
                of_part.__exit__()
            raise


def _make(whole: Run, by: str, part: Part, plan: pipeline.Plan, previous: Path | None, kernels: Kernels) -> Made:
    """The report of a part; whatever goes wrong in it is said and stops no other."""
    run = Run(whole.folder / part.folder)
    try:
        asked = question_of(whole.folder) | {"value": part.value}
        if not holds(run.folder, asked):
            run = write(part_of(whole, by, part), run.folder, asked)
        before = last_before(run, previous.iterdir()) if previous else earlier(run)
        with kernels:
            outcomes = pipeline.make_book(run, plan, kernels, before)
    except Problem as e:
        return Made(part, run, str(e))
    except Exception as e:
        return Made(part, run, f"{type(e).__name__}: {e}")
    return Made(part, run, "\n".join(o.reason for o in outcomes if o.status == "failed"))


def _jobs() -> int:
    cores = os.cpu_count() or 1
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else _MEMORY
    return max(1, min(cores, pages // _MEMORY))


def _compare(whole: Run, by: str, division: Division, made: Sequence[Made]) -> None:
    """The page that leads to all reports."""
    few = sum(p.customers for p in division.too_few)
    entries = [
        comparison.Entry(
            m.part.value, m.part.customers, m.part.folder, m.run if m.run.has("profiles") else None, m.reason
        )
        for m in made
    ]
    comparison.build(whole, by, entries, comparison.LeftOut(len(division.too_few), few, FEWEST, division.without))
