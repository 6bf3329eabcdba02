"""What a rule may say of a customer, and for whom it holds, does not hold, or cannot be judged.

A rule is a dict as TOML gives it: a field of the profiles, or an event table, and what is asked of it. Gives for every
customer true, false or nothing, in the logic of Kleene (1952): what hangs on an unknown value is unknown.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, or_
from typing import NamedTuple

import jdatetime
import narwhals as nw
import pandas as pd
import pyarrow as pa

from analysis import schema
from analysis.errors import Problem, did_you_mean, nearest
from analysis.evidence import short
from analysis.expressions import collected, is_purchase, last_day
from analysis.locale import column_name, named
from analysis.phrases import marked, phrase

#: Words that stand for groups of conditions: every one of them holds, one at least, none.
GROUPS = ("all", "any", "none")

_TABLE_KEYS = ("count", "last_days", "where")

#: Event tables whose customer stands in another one, and the key by which that is found.
_CUSTOMER_IN = {"order_lines": ("orders", "order_id"), "deal_stages": ("deals", "deal_id")}

#: What is known of the thing that a row is about stands beside it.
_MORE_IN = {"order_lines": ("products", "product_id"), "campaign_contacts": ("campaigns", "campaign_id")}

_COMPARED = {">=": ge, "≥": ge, "<=": le, "≤": le, ">": gt, "<": lt, "=": eq, "": eq}
_OPERATOR = r"(>=|<=|≥|≤|>|<|=|)\s*"
_NUMBER = r"([-−]?\d[\d,_]*(?:\.\d+)?(?:e[-+]?\d+)?)\s*(%?)"
_DAY = r"(\d{4}-\d{1,2}-\d{1,2})"

#: Among more names than this a slip is not looked for: they are identifiers.
_MANY_NAMES = 1000

#: A year below this is one of the Jalali calendar.
_FIRST_GREGORIAN_YEAR = 1700

_HOW_TO = {
    "number": '">= 3", "25 to 34", "top 20 %", "empty" or a number',
    "day": '"in the last 90 days", ">= 2025-03-21", "2025-01-01 to 2025-03-31" or "empty"',
    "yes or no": 'true, false or "empty"',
    "list": 'a name, several in [ ], or "empty"',
    "name": 'a name, several in [ ], or "empty"',
}


class Lacking(Exception):
    """The base has no such table or column, so that a condition on it cannot be asked; the text says which."""


class Row(NamedTuple):
    """One condition of a rule: in words, how many meet it, of how many it is unknown, and what is odd about it."""

    condition: str
    met: float
    unknown: float
    note: str = ""


@dataclass(frozen=True)
class Ground:
    """What rules are judged on.

    Attributes
    ----------
    profiles : DataFrame, one row per customer
    tables : dict of str to narwhals.LazyFrame
        As they were at the end of `as_of`.
    as_of : date or None
    personal : frozenset of str
        Columns that no rule may look into.
    """

    profiles: pd.DataFrame
    tables: Mapping[str, nw.LazyFrame]
    as_of: date | None
    personal: frozenset[str]


@dataclass(frozen=True)
class _Field:
    """What a condition is about: a column and what can be asked of it; its values, where they are at hand."""

    kind: str
    where: str
    as_of: date | None
    timezone: str | tzinfo | None = None
    unit: str = ""
    values: pd.Series | None = None


class _Test(NamedTuple):
    """Where a column passes (an empty cell never does), and whether the test has a verdict on empty cells too."""

    passes: Callable
    judges_empty: bool = False
    cut: str = ""


def verdict(rule: Mapping, ground: Ground, where: str) -> tuple[pd.Series, list[Row]]:
    """For whom a rule holds.

    Parameters
    ----------
    rule : dict
        Field or table → what is asked of it; "all", "any" and "none" → lists of such dicts. All of them must hold.
    ground : Ground
    where : str
        File and segment, for messages.

    Returns
    -------
    verdict, rows : Series of nullable bool on the profiles' index, list of Row

    Raises
    ------
    Problem
        Anything about the rule that its writer can mend.
    Lacking
        The base lacks a table or column without which the rule cannot be judged.

    Examples
    --------
    >>> ground = Ground(pd.DataFrame({"n_orders": [5, 1, 9], "last_nps": [9, 9, None]}), {}, None, frozenset())
    >>> held, rows = verdict({"n_orders": ">= 3", "last_nps": ">= 9"}, ground, "rules")
    >>> held.tolist()
    [True, False, <NA>]
    >>> rows[1]
    Row(condition='last_nps >= 9', met=2, unknown=1, note='')
    """
    if not isinstance(rule, Mapping) or not rule:
        raise Problem(f'{where}: has no condition. Write a field and what is asked of it, e.g. n_orders = ">= 3".')
    judged = [(_group if key in GROUPS else _condition)(key, given, ground, where) for key, given in rule.items()]
    return reduce(and_, (held for held, _ in judged)), [row for _, rows in judged for row in rows]


def _group(key: str, rules: object, ground: Ground, where: str) -> tuple[pd.Series, list[Row]]:
    """Several rules as one; of alternatives and exclusions those that the base cannot judge are left out openly."""
    if not isinstance(rules, list) or not rules or not all(isinstance(r, Mapping) for r in rules):
        raise Problem(
            f'{where}: {key} = {rules!r} should be a list of conditions, e.g. {key} = [ {{ n_orders = ">= 3" }}, '
            f'{{ city = "Tehran" }} ].'
        )
    judged, rows, lacking = [], [], []
    for rule in rules:
        try:
            held, of_it = verdict(rule, ground, f"{where} {key}")
        except Lacking as e:
            if key == "all":
                raise
            lacking.append(str(e))
            rows.append(Row(" and ".join(_in_words(*c) for c in rule.items()), float("nan"), float("nan"), str(e)))
        else:
            judged.append(held)
            rows += of_it
    if key == "any" and not judged:
        raise Lacking(lacking[0])
    nobody = pd.Series(False, index=ground.profiles.index, dtype="boolean")
    together = reduce(and_ if key == "all" else or_, judged) if judged else nobody
    return (~together if key == "none" else together), rows


def _condition(key: str, given: object, ground: Ground, where: str) -> tuple[pd.Series, list[Row]]:
    """One condition on a field, or on the number of a customer's rows in an event table."""
    where = f"{where} {key} = {given!r}"
    note = ""
    if isinstance(given, Mapping):
        values, note = _counted(key, given, ground, where)
        field = _Field("number", where, ground.as_of, values=values)
        given_of_values = given.get("count", ">= 1")
    else:
        values = _values(key, ground, where)
        if values.isna().all():
            raise Lacking(phrase("{field} is empty for every customer", field=column_name(key)))
        unit = schema.profile_column(key).unit
        field, given_of_values = _field(values, unit, where, ground.as_of), given
    tests = _tests(given_of_values, field)
    held = reduce(or_, (_judged(test, field) for test in tests))
    cuts = "".join(f" ({test.cut})" for test in tests if test.cut)
    row = Row(_in_words(key, given) + cuts, int(held.fillna(False).sum()), int(held.isna().sum()), note)
    return held, [row._replace(note=note or _unknown_names(given_of_values, field))]


def _values(key: str, ground: Ground, where: str) -> pd.Series:
    """The column of the profiles that a condition names."""
    if key in ground.personal:
        raise Problem(f"{where}: {key} is personal data, into which no rule looks. Take it out.")
    if key in ground.profiles:
        return ground.profiles[key]
    recorded = [c.name for c in schema.TABLES["customers"].columns if not c.personal]
    if key in schema.PROFILE_COLUMNS or key in recorded or key.startswith(schema.SCORE):
        raise Lacking(phrase("the profiles have no {field}", field=column_name(key)))
    if key in schema.TABLES:
        raise Problem(f'{where}: {key} is a table, whose rows are counted. Write {key} = {{ count = ">= 2" }}.')
    columns = [c for c in ground.profiles if c not in ground.personal and c != "customer_id"]
    guess = did_you_mean(key, [*columns, *schema.PROFILE_COLUMNS, *recorded, *GROUPS, "why"])
    raise Problem(f"{where}: there is no field {key}.{guess} The profiles have: {', '.join(columns)}.")


def _field(values: pd.Series, unit: str, where: str, as_of: date | None) -> _Field:
    """A column of the profiles with what can be asked of it; lists as the engine has them, other objects as words."""
    if pd.api.types.is_bool_dtype(values):
        return _Field("yes or no", where, as_of, values=values.astype("boolean"))
    if pd.api.types.is_numeric_dtype(values):
        return _Field("number", where, as_of, unit=unit, values=values.astype("float64"))
    if pd.api.types.is_datetime64_any_dtype(values):
        return _Field("day", where, as_of, values.dt.tz, values=values)
    if pd.api.types.infer_dtype(values, skipna=True) == "date":
        return _Field("day", where, as_of, values=pd.to_datetime(values))
    if values.dtype == object and values.map(pd.api.types.is_list_like).any():
        return _Field("list", where, as_of, values=values)
    return _Field("name", where, as_of, values=values.astype("str"))


def _judged(test: _Test, field: _Field) -> pd.Series:
    """A test's verdict on every customer: true, false, or nothing where the value is unknown."""
    values, index = field.values, field.values.index
    if field.kind == "list":
        items = [list(map(str, v)) if pd.api.types.is_list_like(v) else None for v in values]
        values = pa.chunked_array([pa.array(items, pa.list_(pa.string()))])
    passed = test.passes(nw.from_native(values, series_only=True)).to_list()
    held = pd.Series(passed, index=index, dtype="boolean").fillna(False)
    return held if test.judges_empty else held.mask(field.values.isna())


def _counted(table: str, given: Mapping, ground: Ground, where: str) -> tuple[pd.Series, str]:
    """How many rows of an event table each customer has, counted in the engine; a note where nobody has any."""
    if table not in ground.tables and table not in schema.TABLES:
        known = {**schema.TABLES, **ground.tables}
        raise Problem(f"{where}: there is no table {table}.{did_you_mean(table, known)} Known: {', '.join(known)}.")
    _check_table_keys(given, where)
    if table not in ground.tables:
        raise Lacking(phrase("the base has no table {table}", table=named(table)))
    rows, at = _rows_of_customers(table, ground, purchases_only="status" not in given.get("where", {}))
    every_row = rows
    if "last_days" in given:
        if at not in rows.collect_schema():
            raise Lacking(
                phrase("{table} has no day of its rows ({column})", table=named(table), column=column_name(at))
                if at
                else phrase("{table} has no day of its rows (none is defined)", table=named(table))
            )
        field = _lazy_field(rows, at, where, ground.as_of)
        rows = rows.filter(_tests(f"in the last {given['last_days']} days", field)[0].passes(nw.col(at)))
    for column, asked in given.get("where", {}).items():
        rows = rows.filter(row_test(table, rows, column, asked, ground, where))
    counts = collected(rows.group_by("customer_id").agg(n=nw.len())).set_index("customer_id")["n"]
    found = ground.profiles["customer_id"].map(counts).fillna(0).astype("float64")
    if found.any():
        return found, ""
    note = phrase("no row of {table} is like that.", table=named(table))
    return found, f"{note} {_no_such(every_row, given, where)}".strip()


def _no_such(rows: nw.LazyFrame, given: Mapping, where: str) -> str:
    """Which of the names asked for an event table does not know."""
    notes = []
    for column, asked in given.get("where", {}).items():
        if _lazy_field(rows, column, where, None).kind == "name":
            there = collected(rows.select(column).unique())[column]
            notes.append(_unknown_names(asked, _Field("name", where, None, values=there)))
    return " ".join(filter(None, notes))


def _check_table_keys(given: Mapping, where: str) -> None:
    for key in given:
        if key not in _TABLE_KEYS:
            hint = did_you_mean(key, _TABLE_KEYS)
            raise Problem(
                f'{where}: unknown "{key}".{hint} Known: {", ".join(_TABLE_KEYS)}; columns of the table stand in '
                f'where, e.g. where = {{ topic = "delivery" }}.'
            )
    days, asked = given.get("last_days", 1), given.get("where", {})
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise Problem(f"{where}: last_days is a number of whole days, e.g. 90, not {days!r}.")
    if not isinstance(asked, Mapping):
        raise Problem(f'{where}: where names columns, e.g. where = {{ topic = "delivery" }}, and is {asked!r}.')


def _rows_of_customers(table: str, ground: Ground, purchases_only: bool) -> tuple[nw.LazyFrame, str]:
    """An event table with its customers and what its rows are about beside them, and the column of its instants."""
    rows, at = ground.tables[table], schema.TABLES[table].time if table in schema.TABLES else None
    other, key = _CUSTOMER_IN.get(table, ("", ""))
    if other in ground.tables:
        owner = ground.tables[other]
        has = set(rows.collect_schema())
        columns = [key, *(c for c in owner.collect_schema() if c not in has)]
        rows, at = rows.join(owner.select(columns), on=key), at or schema.TABLES[other].time
    if "orders" in (table, other) and purchases_only and "status" in rows.collect_schema():
        rows = rows.filter(is_purchase(rows))
    more, key = _MORE_IN.get(table, ("", ""))
    if more in ground.tables:
        beside = ground.tables[more]
        has = set(rows.collect_schema())
        rows = rows.join(beside.select(key, *(c for c in beside.collect_schema() if c not in has)), on=key, how="left")
    if "customer_id" not in rows.collect_schema():
        raise Lacking(phrase("{table} does not say which customer a row belongs to", table=named(table)))
    return rows, at or ""


def row_test(table: str, rows: nw.LazyFrame, column: str, asked: object, ground: Ground, where: str) -> nw.Expr:
    """Which rows of an event table are meant."""
    has = list(rows.collect_schema())
    own = schema.TABLES[table].columns if table in schema.TABLES else ()
    personal = ground.personal if table == "customers" else {c.name for c in own if c.personal}
    if column in personal:
        raise Problem(f"{where}: {column} is personal data, into which no rule looks. Take it out.")
    if column not in has:
        canonical = [c.name for c in own]
        if column in canonical:
            raise Lacking(phrase("{table} has no {column}", table=named(table), column=column_name(column)))
        raise Problem(
            f"{where}: {table} has no column {column}.{did_you_mean(column, [*has, *canonical])} It has: "
            f"{', '.join(c for c in has if c not in personal)}."
        )
    field = _lazy_field(rows, column, where, ground.as_of)
    return reduce(or_, (test.passes(nw.col(column)) for test in _tests(asked, field)))


def _lazy_field(rows: nw.LazyFrame, column: str, where: str, as_of: date | None) -> _Field:
    """A column of an event table with what can be asked of it."""
    kind = rows.collect_schema()[column]
    if isinstance(kind, nw.Datetime):
        return _Field("day", where, as_of, kind.time_zone)
    known = {nw.Boolean: "yes or no", nw.List: "list"}
    name = "number" if kind.is_numeric() else next((known[k] for k in known if isinstance(kind, k)), "name")
    return _Field(name, where, as_of)


def _tests(given: object, field: _Field) -> list[_Test]:
    """What is asked of a column: one test, or several of which one must pass."""
    several = given if isinstance(given, list) else [given]
    if not several or any(isinstance(one, list | Mapping) for one in several):
        raise Problem(f"{field.where}: write {_HOW_TO[field.kind]}.")
    negations = [one for one in several if isinstance(one, str) and one.startswith("not ")]
    if negations and len(several) > 1:
        raise Problem(
            f"{field.where}: one of these always holds. Put what is not wanted under none: none = [ {{ … }} ]."
        )
    return [_test(one, field) for one in several]


def _test(given: object, field: _Field) -> _Test:
    """One test, from what is written in the rule."""
    if isinstance(given, bool) or field.kind == "yes or no":
        return _yes_or_no(given, field)
    said = " ".join(str(given).split())
    if said == "empty":
        no_item = (lambda x: x.is_null() | (x.list.len() == 0)) if field.kind == "list" else (lambda x: x.is_null())
        return _Test(no_item, judges_empty=True)
    if said.startswith("not "):
        inner = _test(said.removeprefix("not "), field)
        if inner.judges_empty:
            return inner._replace(passes=lambda x: ~inner.passes(x))
        return inner._replace(passes=lambda x: ~inner.passes(x) & ~x.is_null())
    asked = {"number": _of_numbers, "day": _of_days}.get(field.kind, _of_names)(said, field)
    return asked._replace(passes=lambda x: asked.passes(x) & ~x.is_null())


def _yes_or_no(given: object, field: _Field) -> _Test:
    if field.kind != "yes or no" or not (isinstance(given, bool) or given in ("empty", "not empty")):
        holds = "yes or no" if field.kind == "yes or no" else f"a {field.kind}"
        raise Problem(f"{field.where}: the column holds {holds}. Write {_HOW_TO[field.kind]}.")
    if isinstance(given, bool):
        return _Test(lambda x: (x == given) & ~x.is_null())
    return _Test((lambda x: x.is_null()) if given == "empty" else (lambda x: ~x.is_null()), judges_empty=True)


def _of_numbers(said: str, field: _Field) -> _Test:
    """A comparison, a range, or the top or bottom of those at hand."""
    if m := re.fullmatch(_OPERATOR + _NUMBER, said):
        operator, bound = _COMPARED[m[1]], _number(m[2], m[3], field)
        return _Test(lambda x: operator(x, bound))
    if m := re.fullmatch(_NUMBER + r"\s+to\s+" + _NUMBER, said):
        low, high = _number(m[1], m[2] or m[4], field), _number(m[3], m[4], field)
        if low > high:
            raise Problem(f"{field.where}: {m[1]} is more than {m[3]}. Write the smaller number first.")
        return _Test(lambda x: (x >= low) & (x <= high))
    if m := re.fullmatch(r"(top|bottom)\s+" + _NUMBER, said):
        return _best_or_worst(m[1], float(m[2].replace("−", "-").replace(",", "")), m[3], field)
    raise Problem(f"{field.where}: the column holds a number. Write {_HOW_TO['number']}.")


def _best_or_worst(which: str, size: float, sign: str, field: _Field) -> _Test:
    """The top or bottom so many per cent of the known values; whoever has as much as the last of them is among them.

    Where the last of them has the least of all (or the most, for the bottom), as where hardly anybody has any, nobody
    stands out by that: then only those beyond it.
    """
    if field.values is None:
        raise Problem(f"{field.where}: top and bottom are for fields of customers and for counts, not for rows.")
    if not sign or not 0 < size < 100:
        raise Problem(f'{field.where}: say which share of customers, between 0 and 100 %, e.g. "{which} 20 %".')
    known = field.values.dropna().sort_values(ascending=which == "bottom", ignore_index=True)
    if known.empty:
        return _Test(lambda x: ~x.is_null())  # of nobody; all are unknown
    cut, end = known[-int(-size * len(known) // 100) - 1], known.iloc[-1]
    beyond, up_to = (gt, ge) if which == "top" else (lt, le)
    if cut == end:
        said = marked("above {figure}") if which == "top" else marked("below {figure}")
        return _Test(lambda x: beyond(x, cut), cut=phrase(said, figure=short(cut)))
    said = marked("from {figure}") if which == "top" else marked("up to {figure}")
    return _Test(lambda x: up_to(x, cut), cut=phrase(said, figure=short(cut)))


def _number(digits: str, sign: str, field: _Field) -> float:
    number = float(re.sub("[,_]", "", digits.replace("−", "-")))
    if re.search(r",(?!\d{3}(\D|$))", digits):
        raise Problem(f"{field.where}: {digits} is no number here. Write decimals with a point: 0.5.")
    if field.unit == "share" and not sign and abs(number) > 1:
        raise Problem(f"{field.where}: the column holds shares, between 0 and 1. Write {digits} % or {number / 100:g}.")
    return number / 100 if sign else number


def _of_days(said: str, field: _Field) -> _Test:
    """An instant between two days, counted back from as_of or as dates; the business's days, in their full length."""
    first = end = None
    if m := re.fullmatch(r"in the last (\d+) days?", said):
        as_of = last_day({}, field.as_of, f"{field.where}: segments.from_rules")
        if not 1 <= int(m[1]) <= 100_000:
            raise Problem(f"{field.where}: {m[1]} days are no time to look back.")
        first, end = as_of - timedelta(days=int(m[1]) - 1), as_of + timedelta(days=1)
    elif m := re.fullmatch(_DAY + r"\s+to\s+" + _DAY, said):
        first, end = _date(m[1], field), _date(m[2], field) + timedelta(days=1)
        if first >= end:
            raise Problem(f"{field.where}: {m[1]} lies after {m[2]}. Write the earlier day first.")
    elif m := re.fullmatch(_OPERATOR + _DAY, said):
        day, next_day = _date(m[2], field), _date(m[2], field) + timedelta(days=1)
        at_least, at_most = m[1] in (">=", "≥", "=", ""), m[1] in ("<=", "≤", "=", "")
        first = day if at_least else next_day if m[1] == ">" else None
        end = next_day if at_most else day if m[1] == "<" else None
    else:
        raise Problem(f"{field.where}: the column holds days. Write {_HOW_TO['day']}.")
    bounds = [(ge, first)] * (first is not None) + [(lt, end)] * (end is not None)
    return _Test(lambda x: reduce(and_, (operator(x, _midnight(day, field)) for operator, day in bounds)))


def _date(said: str, field: _Field) -> date:
    """A day as written; below the year 1700 one of the Jalali calendar."""
    year, month, day = map(int, said.split("-"))
    try:
        if not 1000 <= year <= 2999:
            raise ValueError(f"there is no year {year} here")
        return (
            jdatetime.date(year, month, day).togregorian() if year < _FIRST_GREGORIAN_YEAR else date(year, month, day)
        )
    except ValueError as e:
        raise Problem(f"{field.where}: {said} is no day ({e}). Write year-month-day, e.g. 2025-03-21.") from None


def _midnight(day: date, field: _Field) -> datetime:
    """The first moment of a day on the column's clock."""
    return pd.Timestamp(datetime.combine(day, time.min), tz=field.timezone).to_pydatetime()


def _of_names(said: str, field: _Field) -> _Test:
    """A name that a column holds, or one of the names in its lists."""
    if not said or re.match("[<>=≥≤]", said):
        raise Problem(f"{field.where}: the column holds names. Write {_HOW_TO['name']}.")
    if field.kind == "list":
        return _Test(lambda x: x.list.contains(said).fill_null(False))
    return _Test(lambda x: x == said)


def _unknown_names(given: object, field: _Field) -> str:
    """A note on names that do not occur, with the nearest that does: a slip, or nobody has it as yet."""
    if field.kind not in ("name", "list"):
        return ""
    there = field.values.explode() if field.kind == "list" else field.values
    there = set(there.dropna().astype(str))
    asked = [str(one).removeprefix("not ") for one in (given if isinstance(given, list) else [given])]
    missing = [one for one in asked if one != "empty" and one not in there]
    near = sorted(there) if len(there) <= _MANY_NAMES else []
    return " ".join(_missing_in_words(one, nearest(one, near)) for one in missing)


def _missing_in_words(name: str, near: str) -> str:
    if near:
        return phrase('There is no "{name}". Did you mean "{near}"?', name=name, near=near)
    return phrase('There is no "{name}".', name=name)


def _in_words(key: str, given: object) -> str:
    """A condition as one reads it."""
    if key in GROUPS and isinstance(given, list):
        joint = {"all": " and ", "any": " or ", "none": " or "}[key]
        inner = joint.join(" and ".join(_in_words(*c) for c in rule.items()) for rule in given)
        return f"not ({inner})" if key == "none" else f"({inner})"
    if isinstance(given, list):
        return f"{key} " + " or ".join(map(str, given))
    if not isinstance(given, Mapping):
        return f"{key} {'yes' if given is True else 'no' if given is False else given}"
    days = f" in the last {given['last_days']} days" if "last_days" in given else ""
    asked = " and ".join(_in_words(*c) for c in given.get("where", {}).items())
    return _in_words(key, given.get("count", ">= 1")) + days + (f", {asked}" if asked else "")
