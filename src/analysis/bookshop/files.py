"""The world as files: Parquet with the types of the schema, the truth apart, a mapping to read it by."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.bookshop.draws import TIMEZONE
from analysis.schema import TABLES

#: Fields of the shop's own, beside those of the schema: all of them text.
CUSTOM = {"customers": ("district", "newsletter_layout", "card_colour"), "orders": ("till",)}
#: Tables that every piece of a large world has in common: written once.
SHARED = ("products", "campaigns", "questions")


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


class Folder:
    """The folder of a bookshop while it is written, piece by piece.

    Every file is written under a temporary name; `finish` renames them all, the mapping last. Whatever stops before
    leaves the folder as it was.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._tables: list[str] = []

    def __enter__(self) -> "Folder":
        (self.folder / "truth").mkdir(parents=True, exist_ok=True)
        return self

    def add(self, tables: Mapping[str, pd.DataFrame], truth: Mapping[str, pd.DataFrame]) -> None:
        """Append a piece of the world to its files."""
        first = not self._writers
        for name, table in tables.items():
            if first or name not in SHARED:
                self._append(self.folder / f"{name}.parquet", arrow(name, table))
        for name, table in truth.items():
            if first or name not in SHARED:
                self._append(
                    self.folder / "truth" / f"{name}.parquet", pa.Table.from_pandas(table, preserve_index=False)
                )
        self._tables = list(tables)

    def _append(self, path: Path, table: pa.Table) -> None:
        if path not in self._writers:
            self._writers[path] = pq.ParquetWriter(_unfinished(path), table.schema)
        self._writers[path].write_table(table.cast(self._writers[path].schema))

    def finish(self, findings: tuple[dict, ...]) -> Path:
        """Give every file its name; the mapping, last, is what makes it a bookshop."""
        for path, writer in self._writers.items():
            writer.close()
            _unfinished(path).replace(path)
        put(self.folder / "truth" / "findings.toml", lambda path: path.write_bytes(findings_toml(findings).encode()))
        mapping = self.folder / "bookshop.toml"
        put(mapping, lambda path: path.write_bytes(mapping_toml(self._tables).encode()))
        return mapping

    def __exit__(self, *_: object) -> None:
        for path, writer in self._writers.items():
            writer.close()
            _unfinished(path).unlink(missing_ok=True)


def findings_toml(findings: tuple[dict, ...]) -> str:
    head = "# What was planted in this world, as set and as it came out.\n"
    tables = ("".join(f"{key} = {json.dumps(value)}\n" for key, value in finding.items()) for finding in findings)
    return head + "".join(f"\n[[findings]]\n{table}" for table in tables)


def mapping_toml(tables: Iterable[str]) -> str:
    head = {"name": "bookshop", "title": "The bookshop, a simulated company", "timezone": TIMEZONE, "currency": "toman"}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in head.items()]
    for name in tables:
        lines.append(f'\n[tables.{name}]\npath = "{name}.parquet"\ncolumns = "canonical"\n')
    return "".join(lines)


def put(path: Path, write_to: Callable[[Path], object]) -> None:
    """Write under a temporary name, then rename: nobody ever reads half a file."""
    unfinished = _unfinished(path)
    try:
        write_to(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")
