"""The bookshop as text: CSV for any tool."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a canonical table as CSV: UTF-8, commas, moments as ISO 8601 with their offset, lists parted by ``;``."""
    columns = [_plain(column) for column in table.columns]
    csv.write_csv(pa.table(columns, names=table.column_names), path)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(column.type):
        return pc.binary_join(column, ";")
    if pa.types.is_timestamp(column.type):
        seconds = pc.strftime(column.cast(pa.timestamp("s", column.type.tz), safe=False), "%Y-%m-%dT%H:%M:%S%z")
        return pc.replace_substring_regex(seconds, r"(\d\d)$", r":\1")
    return column


def export_crm(world, folder, limit):
    pass
