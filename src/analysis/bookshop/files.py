"""The world as files: Parquet with the types of the schema, the truth apart, a mapping to read it by."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.bookshop.draws import TIMEZONE
from analysis.schema import TABLES


def canonical(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns in the schema's order."""
    return table[[column for column in TABLES[name].names if column in table]]


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
    schema = pa.schema([(column, types[TABLES[name].column[column].type]) for column in table])
    return pa.Table.from_pandas(table, schema, preserve_index=False).replace_schema_metadata()


def findings_toml(findings: tuple[dict, ...]) -> str:
    head = "# What was planted in this world, as set and as it came out.\n"
    tables = ("".join(f"{key} = {json.dumps(value)}\n" for key, value in finding.items()) for finding in findings)
    return head + "".join(f"\n[[findings]]\n{table}" for table in tables)


def mapping_toml(tables: Mapping[str, pd.DataFrame]) -> str:
    head = {"name": "bookshop", "title": "The bookshop, a simulated company", "timezone": TIMEZONE, "currency": "toman"}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in head.items()]
    for name in tables:
        lines.append(f'\n[tables.{name}]\npath = "{name}.parquet"\ncolumns = "canonical"\n')
    return "".join(lines)


def put(path: Path, write_to: Callable[[Path], object]) -> None:
    """Write under a temporary name, then rename: nobody ever reads half a file."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write_to(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
