"""The folder of a bookshop: every table appended piece by piece, and nothing given its name before all is whole."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.bookshop.export import TextFile, crm_mapping, exported, plain
from analysis.bookshop.files import arrow, findings_toml, mapping_toml, put, unfinished
from analysis.schema import TABLES

if TYPE_CHECKING:
    from analysis.bookshop import World

#: Tables that every piece of a large world has in common: written once.
SHARED = ("products", "campaigns", "questions")


class Folder:
    """The folder of a bookshop while it is written, piece by piece.

    Every file is written under a temporary name; `finish` renames them all, the mapping last. Whatever stops before
    leaves the folder as it was.

    Parameters
    ----------
    folder : Path
    max_set_aside : float
        Share of a table's rows that the mappings let be set aside.
    csv, crm : bool
        Write the tables as CSV too; write them as a CRM exports them, into the folder ``crm``.
    """

    def __init__(self, folder: Path, max_set_aside: float, csv: bool = False, crm: bool = False):
        self.folder, self._max_set_aside, self._csv, self._crm = folder, max_set_aside, csv, crm
        self._writers: dict[Path, pq.ParquetWriter | TextFile] = {}
        self._schemas: dict[Path, pa.Schema] = {}
        self._tables: dict[str, pd.DataFrame] = {}

    def __enter__(self) -> "Folder":
        inner = [self.folder / name for name in ("truth", *(["crm"] if self._crm else []))]
        self._made = [path for path in (*inner, self.folder) if not path.exists()]
        for path in inner:
            path.mkdir(parents=True, exist_ok=True)
        return self

    def add(self, world: "World") -> None:
        """Append a piece of the world to its files."""
        first = not self._writers
        for name, table in world.tables.items():
            if first or name not in SHARED:
                self._append_table(name, table)
        for name, table in world.truth.items():
            if name == "defects" and not first:
                table = table[~table["table"].isin(SHARED)]  # those are the same in every piece
            if first or name not in SHARED:
                truth = pa.Table.from_pandas(table, preserve_index=False)
                self._append(self.folder / "truth" / f"{name}.parquet", truth, pq.ParquetWriter)
        self._tables = {name: table.head(0) for name, table in world.tables.items()}

    def _append_table(self, name: str, table: pd.DataFrame) -> None:
        typed = arrow(name, table)
        self._append(self.folder / f"{name}.parquet", typed, pq.ParquetWriter)
        if self._csv:
            self._append(self.folder / f"{name}.csv", plain(typed), TextFile)
        if self._crm:
            text = exported(name, table)
            self._append(self.folder / "crm" / f"{name}.csv", text, lambda *to: TextFile(*to, exported=True))

    def _append(self, path: Path, table: pa.Table, opened: Callable) -> None:
        if path not in self._writers:
            self._writers[path] = opened(unfinished(path), table.schema)
            self._schemas[path] = table.schema
        self._writers[path].write_table(table.cast(self._schemas[path]))

    def finish(self, findings: tuple[dict, ...]) -> Path:
        """Give every file its name; the mapping, last, is what makes it a bookshop."""
        before = _files_of(self.folder) if is_bookshop(self.folder) else set()
        # first, as by it a bookshop is known, even one that is cut short now
        put(self.folder / "truth" / "findings.toml", lambda path: path.write_bytes(findings_toml(findings).encode()))
        for path, writer in self._writers.items():
            writer.close()
            unfinished(path).replace(path)
        written = set(self._writers)
        if self._crm:
            written.add(mapping := self.folder / "crm" / "mapping.toml")
            text = crm_mapping(self._tables, self._max_set_aside)
            put(mapping, lambda path: path.write_bytes(text.encode()))
        for stale in before - written:
            stale.unlink()
        mapping = self.folder / "bookshop.toml"
        put(mapping, lambda path: path.write_bytes(mapping_toml(self._tables, self._max_set_aside).encode()))
        return mapping

    def __exit__(self, *_: object) -> None:
        for path, writer in self._writers.items():
            writer.close()
            unfinished(path).unlink(missing_ok=True)
        for path in self._made:
            if not any(path.iterdir()):
                path.rmdir()


def is_bookshop(folder: Path) -> bool:
    """Whether a folder holds a bookshop."""
    return (folder / "truth" / "findings.toml").is_file()


def _files_of(folder: Path) -> set[Path]:
    """The tables that an earlier bookshop may have left in the folder."""
    tables = {folder / f"{name}.{ending}" for name in TABLES for ending in ("parquet", "csv")}
    tables |= {folder / "crm" / f"{name}.csv" for name in TABLES} | {folder / "crm" / "mapping.toml"}
    return {path for path in tables if path.is_file()} | set((folder / "truth").glob("*.parquet"))
