"""Mappings: the small TOML files that say where each canonical table of a customer base comes from.

`find` turns what the user typed (a path, or the name of a mapping that ships with the package) into a file, `load`
reads and checks it, and every slip in it (a misspelt key, an unknown table or column) ends in a message that names the
place and the nearest right word. Nothing here opens the data itself.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from analysis import schema
from analysis.errors import Problem, did_you_mean

SHIPPED = Path(__file__).parent / "mappings"

#: Share of a table's rows that may be set aside for defects before reading stops.
MAX_SET_ASIDE = 0.05

#: Two records are told as one person from this score on: below it, a large base has more namesakes born on one day than
#: people recorded twice.
LEAST_SCORE = 0.8

#: They are merged from this score on, where the mapping asks for it and says no other.
MERGE_SCORE = 0.99

_BASE_KEYS = (
    *("name", "title", "about", "timezone", "currency", "language", "max_set_aside", "limits"),
    *("tables", "duplicates", "parameters"),
)
_TABLE_KEYS = (
    "path",
    "format",
    "delimiter",
    "encoding",
    "decimal",
    "sheet",
    "query",
    "columns",
    "set_aside",
    "lists",
    "personal",
    "drop",
)
_COLUMN_KEYS = ("column", "sql", "format", "calendar", "split", "currency")
_BASE_TYPES = {
    **dict.fromkeys(("name", "title", "about", "timezone", "currency", "language"), str),
    **dict.fromkeys(("limits", "duplicates", "parameters"), dict),
}
_TABLE_TYPES = {
    **dict.fromkeys(("format", "delimiter", "encoding", "decimal", "sheet", "query"), str),
    **{"set_aside": dict, "lists": dict, "personal": list, "drop": list},
}
_DUPLICATES_KEYS = ("merge", "score")
_FORMATS = ("csv", "parquet", "excel", "lines")

#: Where a business writes Persian unless its mapping says otherwise.
_PERSIAN_TIMEZONES = ("Asia/Tehran", "Asia/Kabul", "Iran")

#: Iran's two units of money in rials, and what large sums are counted in. IRT is what shops call the toman.
_RIALS = {"rial": 1, "irr": 1, "ریال": 1, "toman": 10, "irt": 10, "تومان": 10}
_COUNTED_IN = {"thousand": 10**3, "هزار": 10**3, "million": 10**6, "میلیون": 10**6}


@dataclass(frozen=True)
class ColumnSource:
    """What gives one canonical column: a source column or an SQL expression, and how to read it."""

    column: str | None = None
    sql: str | None = None
    format: str | None = None
    calendar: str = "gregorian"
    split: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class TableSource:
    """What gives one canonical table.

    Attributes
    ----------
    paths : dict of str to str
        Name in the query → path or glob. A single file is called ``source``.
    columns : dict of str to ColumnSource, or None
        None: the file already has the canonical column names.
    """

    table: schema.Table
    paths: Mapping[str, str]
    columns: Mapping[str, ColumnSource] | None
    format: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    sheet: str | None = None
    query: str | None = None
    set_aside: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class BaseMapping:
    """A checked mapping file.

    Attributes
    ----------
    merge_score : float or None
        From which score on records of one person are merged; None: never.
    """

    file: Path
    name: str
    title: str
    about: str
    timezone: str
    currency: str
    language: str
    max_set_aside: float
    limits: Mapping[str, float]
    tables: Mapping[str, TableSource]
    merge_score: float | None
    parameters: Mapping[str, Mapping[str, object]]


def shipped() -> dict[str, Path]:
    """Names of the mappings that come with the package, with their files."""
    return {p.stem: p for p in sorted(SHIPPED.glob("*.toml"))}


def find(source: str) -> Path:
    """The mapping file that SOURCE means: a path, or the name of a shipped mapping."""
    path = Path(source)
    if path.is_file():
        if path.suffix == ".toml":
            return path
        raise Problem(
            f"{source} is not a mapping: a source is a TOML file that says where each table comes from. "
            f"data/README.md shows one in ten lines."
        )
    names = shipped()
    if source in names:
        return names[source]
    known = ["bookshop", *names]
    raise Problem(
        f'There is no mapping file "{source}" and no shipped source of that name.{did_you_mean(source, known)} '
        f"Shipped: {', '.join(known)}."
    )


def load(file: Path) -> BaseMapping:
    """Read and check a mapping file.

    Raises
    ------
    Problem
        Unreadable TOML, an unknown key, table, column or timezone, a missing path; the text names it and the nearest
        known word.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as e:
        raise Problem(f"{file} is not UTF-8 text (byte {e.start}). Save the mapping as UTF-8.") from None
    except tomllib.TOMLDecodeError as e:
        raise Problem(f"{file} is not valid TOML: {e}. Mend that line.") from None
    _check_keys(raw, _BASE_KEYS, f"{file.name}")
    _check_types(raw, _BASE_TYPES, file.name)
    tables = raw.get("tables")
    if not isinstance(tables, dict) or not tables:
        raise Problem(
            f"{file.name} maps no table. Add at least one of {_listed(schema.CORE_TABLES)}, as [tables.orders]."
        )
    _check_keys(tables, schema.TABLES, f"{file.name} [tables]", what="table")
    if not any(t in tables for t in schema.CORE_TABLES):
        raise Problem(f"{file.name} maps {_listed(tables)}, but a base needs one of {_listed(schema.CORE_TABLES)}.")
    return BaseMapping(
        file=file,
        name=_safe_name(raw.get("name", file.stem), file),
        title=raw.get("title", raw.get("name", file.stem)),
        about=raw.get("about", "").strip(),
        timezone=_known_timezone(raw.get("timezone"), file),
        currency=raw.get("currency", ""),
        max_set_aside=_share("max_set_aside", raw.get("max_set_aside", MAX_SET_ASIDE), file),
        limits={name: _share(f'[limits] "{name}"', limit, file) for name, limit in raw.get("limits", {}).items()},
        merge_score=_merge_score(raw.get("duplicates", {}), tables, file),
        language=_language(raw, file),
        tables=_checked_currencies(
            {name: _table_source(name, t, tables, file) for name, t in tables.items()}, raw.get("currency", ""), file
        ),
        parameters=raw.get("parameters", {}),
    )


def rials(currency: str) -> int | None:
    """How many rials one of an Iranian unit of money is; none for any other currency.

    Examples
    --------
    >>> rials("rial"), rials("IRT"), rials("هزار تومان"), rials("million rial"), rials("EUR")
    (1, 10, 10000, 1000000, None)
    """
    *counted_in, unit = currency.lower().split() or [""]
    if unit not in _RIALS or len(counted_in) > 1 or not set(counted_in) <= set(_COUNTED_IN):
        return None
    return _RIALS[unit] * (_COUNTED_IN[counted_in[0]] if counted_in else 1)


def _checked_currencies(tables: dict[str, TableSource], currency: str, file: Path) -> dict[str, TableSource]:
    """See that every column with a unit of its own holds money, and that it can be told in the base's currency."""
    for name, table in tables.items():
        for column, given in (table.columns or {}).items():
            where = f"{file.name} [tables.{name}.columns] {column}"
            if given.currency is None:
                continue
            if column not in schema.MONEY:
                raise Problem(
                    f"{where}: currency is for sums of money ({_listed(schema.MONEY)}); remove it from this column."
                )
            for what, unit in (("this column's", given.currency), ("the base's", currency)):
                if rials(unit) is None:
                    raise Problem(
                        f'{where}: {what} currency is "{unit}", and only rial and toman (also by the thousand or the '
                        f"million) are told in each other, as other rates change. Name one of these, or convert the "
                        f'sum yourself: {column} = {{ sql = "… * rate" }}.'
                    )
    return tables


def _table_source(name: str, raw: Mapping, all_tables: Mapping, file: Path) -> TableSource:
    where = f"{file.name} [tables.{name}]"
    _check_keys(raw, _TABLE_KEYS, where)
    _check_types(raw, _TABLE_TYPES, where)
    if name != "customers" and (raw.get("personal") or raw.get("drop") or raw.get("lists")):
        raise Problem(
            f"{where}: lists, personal and drop are for customers, whose further columns are kept; remove them here."
        )
    for column, mark in raw.get("lists", {}).items():
        if not isinstance(mark, str) or not mark:
            raise Problem(f'{where} lists: {column} = {mark!r}; say what parts its values, e.g. {column} = ";".')
    for reason, condition in raw.get("set_aside", {}).items():
        if not reason.strip() or not isinstance(condition, str) or not condition.strip():
            raise Problem(
                f'{where}: set_aside is "reason" = "SQL condition", both in words; it has {reason!r} = {condition!r}.'
            )
    path = raw.get("path")
    named = isinstance(path, dict) and all(isinstance(p, str) for p in path.values())
    if not path or not (isinstance(path, str) or named):
        raise Problem(f'{where} names no file. Add path = "…", relative to the data folder.')
    if isinstance(path, dict) and "query" not in raw:
        raise Problem(f"{where} names several files ({_listed(path)}) but no query that joins them.")
    if raw.get("format") not in (None, *_FORMATS):
        raise Problem(
            f'{where}: format "{raw["format"]}" is none of {_listed(_FORMATS)}.{did_you_mean(raw["format"], _FORMATS)}'
        )
    if raw.get("decimal", ".") not in (".", ","):
        raise Problem(f'{where}: decimal is "{raw["decimal"]}"; it is "." or ",".')
    if len(raw.get("delimiter", ",")) != 1 or raw.get("delimiter") == '"':
        raise Problem(f'{where}: delimiter is {raw["delimiter"]!r}; it is one character, e.g. ";" or "\\t".')
    columns = raw.get("columns")
    if columns is None:
        raise Problem(
            f'{where} maps no column. Add [tables.{name}.columns], or columns = "canonical" when the file already '
            f"has the names {_listed(schema.TABLES[name].names)}."
        )
    return TableSource(
        table=schema.TABLES[name],
        paths={"source": path} if isinstance(path, str) else path,
        columns=None if columns == "canonical" else _column_sources(name, columns, all_tables, where),
        set_aside=raw.get("set_aside", {}),
        lists=raw.get("lists", {}),
        personal=tuple(raw.get("personal", ())),
        drop=tuple(raw.get("drop", ())),
        **{k: raw[k] for k in ("format", "delimiter", "encoding", "decimal", "sheet", "query") if k in raw},
    )


def _column_sources(name: str, raw: Mapping, all_tables: Mapping, where: str) -> dict[str, ColumnSource]:
    if not isinstance(raw, dict):
        raise Problem(f'{where}: columns is "{raw}"; it is "canonical" or a table [tables.{name}.columns].')
    table = schema.TABLES[name]
    known = [*table.names, *(order_columns_of_lines() if name == "order_lines" and "orders" not in all_tables else ())]
    hint = "Further columns of the file need no line: they are kept as they are." if name == "customers" else ""
    _check_keys(raw, known, f"{where[:-1]}.columns]", what="column", hint=hint)
    sources = {column: _column_source(column, given, f"{where[:-1]}.columns]") for column, given in raw.items()}
    for column in table.columns:
        if column.required and column.name not in sources:
            raise Problem(
                f'{where} has no column "{column.name}" ({column.meaning}). '
                f'Map it in [tables.{name}.columns], e.g. {column.name} = "…".'
            )
    return sources


def _column_source(column: str, given: object, where: str) -> ColumnSource:
    if isinstance(given, str):
        return ColumnSource(column=given)
    if not isinstance(given, dict):
        raise Problem(f'{where} {column} = {given!r}: name a source column in quotes, or write {{ sql = "…" }}.')
    _check_keys(given, _COLUMN_KEYS, f"{where} {column}")
    _check_types(given, dict.fromkeys(_COLUMN_KEYS, str), f"{where} {column}")
    if ("column" in given) == ("sql" in given):
        raise Problem(f"{where} {column} needs either column or sql, and has {_listed(given) or 'neither'}.")
    if given.get("calendar", "gregorian") not in ("gregorian", "jalali"):
        raise Problem(f'{where} {column}: calendar is "{given["calendar"]}"; it is "gregorian" or "jalali".')
    return ColumnSource(**given)


def order_columns_of_lines() -> tuple[str, ...]:
    """Columns of `orders` that a file of order lines may carry too, where the base has no file of orders."""
    own = set(schema.TABLES["order_lines"].names)
    return tuple(c for c in schema.TABLES["orders"].names if c not in own)


def _check_keys(raw: object, known: Iterable[str], where: str, what: str = "key", hint: str = "") -> None:
    if not isinstance(raw, dict):
        raise Problem(f"{where} should be a TOML table, and is {raw!r}.")
    known = list(known)
    for key in raw:
        if key not in known:
            names = f"Known: {', '.join(known)}. {hint}".rstrip()
            raise Problem(f'{where}: unknown {what} "{key}".{did_you_mean(key, known)} {names}')


def _check_types(raw: Mapping, types: Mapping, where: str) -> None:
    """See that every value is of its kind: text, a list of texts, a table."""
    words = {str: "text in quotes", list: "a list of texts", dict: "a table"}
    for key, kind in types.items():
        value = raw.get(key, kind())
        right = isinstance(value, kind) and (kind is not list or all(isinstance(v, str) for v in value))
        if not right:
            raise Problem(f"{where}: {key} = {value!r} should be {words[kind]}.")


def _known_timezone(name: object, file: Path) -> str:
    if not name:
        raise Problem(f'{file.name} has no timezone. Add the business\'s own, e.g. timezone = "Asia/Tehran".')
    try:
        ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise Problem(
            f'{file.name}: timezone "{name}" is unknown. Use a name such as "Asia/Tehran" or "UTC".'
        ) from None
    return str(name)


def _language(raw: Mapping, file: Path) -> str:
    """The language of a base's text; Persian where the business's clock is Iran's or Afghanistan's."""
    language = raw.get("language", "fa" if raw.get("timezone") in _PERSIAN_TIMEZONES else "")
    if "language" in raw and not (len(language) in (2, 3) and language.isascii() and language.islower()):
        raise Problem(
            f'{file.name}: language = "{language}"; it is a code of two or three letters: "fa" for Persian, whose '
            f'letters and digits are unified, or that of another, whose text stays as it is, e.g. "ar".'
        )
    return language


def _safe_name(name: object, file: Path) -> str:
    if (
        not isinstance(name, str)
        or not name
        or any(c in '/\\:*?"<>|' or ord(c) < 32 for c in name)
        or name.startswith(".")
    ):
        raise Problem(f'{file.name}: name = {name!r} becomes a folder\'s name; use letters, digits, "_" and "-".')
    return name


def _share(key: str, value: object, file: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Problem(f"{file.name}: {key} = {value!r}; it is a share between 0 and 1, e.g. 0.05.")
    return float(value)


def _merge_score(raw: Mapping, tables: Mapping, file: Path) -> float | None:
    """From which score on records of one person are merged, where the mapping asks for it."""
    where = f"{file.name} [duplicates]"
    _check_keys(raw, _DUPLICATES_KEYS, where)
    merge, score = raw.get("merge", False), raw.get("score", MERGE_SCORE)
    if not isinstance(merge, bool):
        raise Problem(f"{where}: merge = {merge!r}; it is true or false.")
    if isinstance(score, bool) or not isinstance(score, int | float) or not LEAST_SCORE <= score <= 1:
        raise Problem(f"{where}: score = {score!r}; it is a number between {LEAST_SCORE} and 1, e.g. {MERGE_SCORE}.")
    if merge and "customers" not in tables:
        raise Problem(
            f"{where}: merge = true, but there is no [tables.customers] to find people in. Map it, or leave "
            "[duplicates] out."
        )
    return float(score) if merge else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
