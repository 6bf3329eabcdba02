"""Opening files: CSV, Parquet, Excel or plain lines, as a DuckDB relation whose columns are named as in the file.

Parquet stays where it is and is scanned when needed. Text and workbooks are staged once in the engine, every cell as
text, because a sniffer that guesses types turns customer 00017 into 17 and a stray word into a crash halfway through.
"""

import codecs
import csv
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from analysis.errors import Problem
from analysis.sources.mapping import TableSource

_ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xls": "excel",
    ".xlsb": "excel",
    ".ods": "excel",
}
_MAGIC = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
}
_CHUNK = 1 << 22


def locate(source: TableSource, folders: tuple[Path, ...], mapping: str) -> dict[str, list[Path]]:
    """The files of a table: name in the query → existing files, in the first folder that has them.

    Raises
    ------
    Problem
        A path that matches nothing, with the folders that were searched.
    """
    return {
        name: _matching_files(pattern, folders, f"{mapping} [tables.{source.table.name}]")
        for name, pattern in source.paths.items()
    }


def open_table(db: duckdb.DuckDBPyConnection, source: TableSource, files: Mapping[str, list[Path]]) -> str:
    """Make the files of a table readable in the engine; the name of the view that holds them, before any conversion."""
    table = source.table.name
    for name, paths in files.items():
        _open_file(db, source, paths, f"{table}.{name}")
    raw = f"raw.{table}"
    if source.query is None:
        db.execute(f'CREATE VIEW "{raw}" AS SELECT * FROM "{table}.source"')
        return raw
    # a query sees its files under their own names
    scope = ", ".join(f'"{name}" AS (SELECT * FROM "{table}.{name}")' for name in files)
    try:
        # staged, or every later scan of the table would run the query anew
        db.execute(f'CREATE TABLE "{raw}" AS WITH {scope} SELECT * FROM ({source.query})')
    except duckdb.Error as e:
        raise Problem(
            f"The query of [tables.{table}] does not run: {first_line(e)}. It sees {', '.join(files)}."
        ) from None
    return raw


def first_line(error: Exception) -> str:
    """The engine's message without its excerpt of the statement."""
    return str(error).split("\n")[0].rstrip(".")


def _matching_files(pattern: str, folders: tuple[Path, ...], where: str) -> list[Path]:
    if pattern.startswith("package:"):
        return _package_files(pattern, where)
    if Path(pattern).is_absolute():
        folders = (Path("/"),)
        pattern = pattern.lstrip("/")
    for folder in folders:
        try:
            literal = folder / pattern
            found = [literal] if literal.is_file() else sorted(p for p in folder.glob(pattern) if p.is_file())
        except (ValueError, NotImplementedError, IndexError, OSError):
            raise Problem(
                f'{where}: "{pattern}" is no path or pattern of files. Name a file, e.g. orders.csv.'
            ) from None
        if found:
            return found
    looked = " and ".join(str(f) for f in dict.fromkeys(folders))
    raise Problem(f"{where}: no file {pattern} in {looked}. Check path, or name the folder with --data.")


def _package_files(pattern: str, where: str) -> list[Path]:
    """Files that an installed package carries, as ``package:name/path``."""
    package, _, inside = pattern.removeprefix("package:").partition("/")
    spec = find_spec(package) if package.isidentifier() and inside else None
    if spec is None or not spec.submodule_search_locations:
        raise Problem(
            f"{where}: the data comes with the package {package}, which is not installed. "
            f"Install it: pip install 'moshtari[examples]' or pip install {package}."
        )
    return _matching_files(inside, (Path(spec.submodule_search_locations[0]),), where)


def _open_file(db: duckdb.DuckDBPyConnection, source: TableSource, paths: list[Path], view: str) -> None:
    kind = source.format or _ENDINGS.get(paths[0].suffix.lower())
    if kind is None:
        raise Problem(
            f'{paths[0].name}: its ending does not say what it is. Add format = "csv", "parquet", "excel" or "lines" '
            f"to [tables.{source.table.name}]."
        )
    for path in paths:
        if path.stat().st_size == 0:
            raise Problem(
                f"{path.name} is empty (0 bytes), so there is nothing for {source.table.name}. Export it again."
            )
    {"csv": _stage_csv, "lines": _stage_lines, "parquet": _scan_parquet, "excel": _stage_excel}[kind](
        db, source, paths, view
    )


def _scan_parquet(db, source, paths, view) -> None:
    try:
        db.execute(f'CREATE VIEW "{view}" AS SELECT * FROM read_parquet({_sql_list(paths)}, union_by_name = true)')
    except duckdb.Error as e:
        raise Problem(
            f"{paths[0].name} cannot be read as Parquet: {first_line(e)}. Check the file, or set format."
        ) from None


def _stage_csv(db, source, paths, view) -> None:
    with TemporaryDirectory(prefix="moshtari-") as scratch:
        texts = [_utf8_text(path, source, Path(scratch) / f"{n}.csv") for n, path in enumerate(paths)]
        for path, text in zip(paths, texts, strict=True):
            _check_header(path, text, source)
        options = (
            f"delim = {sql_text(source.delimiter)}, quote = '\"', escape = '\"', header = true, all_varchar = true"
        )
        # else the engine takes lines that begin with # for comments, and odd first lines for no table
        options += ", comment = '', skip = 0"
        _stage(db, f"read_csv({_sql_list(texts)}, {options}, union_by_name = true)", paths, view, source)


def _stage_lines(db, source, paths, view) -> None:
    with TemporaryDirectory(prefix="moshtari-") as scratch:
        texts = [_utf8_text(path, source, Path(scratch) / f"{n}.txt") for n, path in enumerate(paths)]
        # a separator that no text holds leaves each line whole
        whole = "delim = '\x01', quote = '', escape = '', header = false, auto_detect = false"
        _stage(db, f"read_csv({_sql_list(texts)}, {whole}, columns = {{'line': 'VARCHAR'}})", paths, view, source)


def _stage(db, reader: str, paths: list[Path], view: str, source: TableSource) -> None:
    try:
        db.execute(f'CREATE TABLE "{view}" AS SELECT * FROM {reader}')
    except duckdb.Error as e:
        names = ", ".join(p.name for p in paths)
        detail = next((line for line in str(e).split("\n") if "on Line" in line), "") or next(
            (line for line in str(e).split("\n") if "line" in line.lower() or "expected" in line.lower()), first_line(e)
        )
        raise Problem(
            f"{names} cannot be read as {source.format or 'csv'} with delimiter {source.delimiter!r}: "
            f"{detail.strip().rstrip('.')}. "
            f"Check delimiter and encoding in [tables.{source.table.name}]."
        ) from None
    if db.execute(f'SELECT count(*) FROM "{view}"').fetchall()[0][0] == 0:
        raise Problem(
            f"{paths[0].name} has a header and no rows, so there is nothing for {source.table.name}. Export it again."
        )


def _stage_excel(db, source, paths, view) -> None:
    import pandas as pd  # workbooks only: the engine's own Excel reader would have to be downloaded

    try:
        frames = [
            pd.read_excel(
                p, sheet_name=source.sheet or 0, engine="calamine", dtype=object, keep_default_na=False, na_values=[""]
            )
            for p in paths
        ]
    except Exception as e:
        raise Problem(
            f"{paths[0].name} cannot be read as a workbook: {first_line(e)}. Check format and sheet."
        ) from None
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        raise Problem(
            f"{paths[0].name} has a header and no rows, so there is nothing for {source.table.name}. Export it again."
        )
    text = frame.map(lambda cell: _cell_text(cell, source.decimal)).rename(columns=str)
    db.register(f"{view}.frame", text)
    cells = ", ".join(f"{sql_name(c)}::VARCHAR AS {sql_name(c)}" for c in text)
    db.execute(f'CREATE TABLE "{view}" AS SELECT {cells} FROM "{view}.frame"')
    db.unregister(f"{view}.frame")


def _cell_text(cell: object, decimal: str) -> str | None:
    """A workbook's cell as text: 17.0 is 17, a number has the mapping's decimal mark, a date is ISO."""
    if cell is None or cell != cell:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)


def _utf8_text(path: Path, source: TableSource, copy: Path) -> Path:
    """The file itself when it is clean UTF-8, else a UTF-8 copy; a message when it is not text of that encoding."""
    with path.open("rb") as f:
        head = f.read(4096)
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise Problem(
                f"{path.name} is not text but {what}. Set format in [tables.{source.table.name}], or unpack it."
            )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and "16" not in source.encoding:
        raise Problem(f'{path.name} is UTF-16 text. Set encoding = "utf-16" in [tables.{source.table.name}].')
    wide = source.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    if b"\0" in head and not wide:
        raise Problem(
            f"{path.name} is not text: it holds binary data. Export it as CSV, or set format in "
            f"[tables.{source.table.name}]."
        )
    try:
        if source.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig", "ascii"):
            _check_utf8(path)
            return path
        return _transcoded(path, source.encoding, copy)
    except LookupError:
        raise Problem(
            f'[tables.{source.table.name}]: encoding "{source.encoding}" is unknown. Try "utf-8", "cp1256" or "cp1252".'
        ) from None
    except UnicodeError as e:
        if not isinstance(e, UnicodeDecodeError) or not e.object:
            raise Problem(f"{path.name} is not {source.encoding} text: {e}. Set encoding, e.g. utf-8.") from None
        raise Problem(
            f"{path.name} is not {source.encoding} text (byte 0x{e.object[e.start]:02x} near {_excerpt(e)!r}). "
            f"Set encoding in [tables.{source.table.name}], e.g. "
            f'"cp1252" for Western or "cp1256" for Persian Windows exports.'
        ) from None


def _check_utf8(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as f:
        while chunk := f.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)


def _transcoded(path: Path, encoding: str, copy: Path) -> Path:
    with path.open(encoding=encoding, newline="") as old, copy.open("w", encoding="utf-8", newline="") as new:
        while chunk := old.read(_CHUNK):
            new.write(chunk)
    return copy


def _check_header(path: Path, text: Path, source: TableSource) -> None:
    with text.open(encoding="utf-8-sig", newline="") as f:
        names = next(csv.reader(f, delimiter=source.delimiter), [])
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Problem(f'{path.name} has two columns called "{twice[0]}". Rename one of them.')


def _excerpt(error: UnicodeDecodeError) -> str:
    return error.object[max(0, error.start - 12) : error.start + 12].decode("latin-1")


def _sql_list(paths: list[Path]) -> str:
    # a found file is a name, not a pattern
    return "[" + ", ".join(sql_text(re.sub(r"([\[*?])", r"[\1]", str(p))) for p in paths) + "]"


def sql_text(value: str) -> str:
    """A string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_name(value: str) -> str:
    """A name as an SQL identifier."""
    return '"' + value.replace('"', '""') + '"'
