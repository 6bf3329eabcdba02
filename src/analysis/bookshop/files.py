"""The world as files: Parquet with the types of the schema, the truth apart, a mapping to read it by."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.bookshop.draws import TIMEZONE
from analysis.phrases import marked
from analysis.schema import TABLES

#: Fields of the shop's own, beside those of the schema: all of them text.
CUSTOM = {"customers": ("district", "newsletter_layout", "card_colour"), "orders": ("till",)}


def canonical(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns in the schema's order, then the shop's own."""
    return table[[column for column in (*TABLES[name].names, *CUSTOM.get(name, ())) if column in table]]


def arrow(name: str, table: pd.DataFrame) -> pa.Table:
    """The table with exactly the types of the schema, whatever pandas would make of an empty or a missing value."""
    types = {
        "id": pa.string(),
        "text": pa.string(),
        "number": pa.float64(),
        "instant": pa.timestamp("us", tz=TIMEZONE),
        "date": pa.date32(),
        "list": pa.list_(pa.string()),
    }
    known = TABLES[name].column
    schema = pa.schema([(column, types[known[column].type if column in known else "text"]) for column in table])
    return pa.Table.from_pandas(table, schema, preserve_index=False).replace_schema_metadata()


def findings_toml(findings: tuple[dict, ...]) -> str:
    head = "# What was planted in this world, as set and as it came out.\n"
    tables = (
        "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in finding.items())
        for finding in findings
    )
    return head + "".join(f"\n[[findings]]\n{table}" for table in tables)


def mapping_toml(tables: Iterable[str], max_set_aside: float) -> str:
    head = {
        "name": "bookshop",
        "title": marked("The bookshop, a simulated company"),
        "timezone": TIMEZONE,
        "currency": "toman",
    }
    if max_set_aside > 0.05:  # what reading takes without being told
        head["max_set_aside"] = max_set_aside
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in head.items()]
    for name in tables:
        lines.append(f'\n[tables.{name}]\npath = "{name}.parquet"\ncolumns = "canonical"\n')
    return "".join(lines)


def put(path: Path, write_to: Callable[[Path], object]) -> None:
    """Write under a temporary name, then rename: nobody ever reads half a file."""
    part = unfinished(path)
    try:
        write_to(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def unfinished(path: Path) -> Path:
    """The name of a file while it is written."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")
