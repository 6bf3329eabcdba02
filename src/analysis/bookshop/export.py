"""The bookshop as text: CSV for any tool, and the base as somebody in Iran would export it from a CRM.

`export_crm` writes what an analyst really gets: semicolons and a byte-order mark, Persian headers, Jalali days, digits
and marks of two alphabets, amounts in rial, telephone numbers as they were typed, and beside it the mapping that reads
it all back. What only text can carry is here and nowhere else: one column of dates in digits of both alphabets, two
marks for decimals.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import jdatetime
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from analysis.bookshop.draws import TIMEZONE
from analysis.bookshop.files import arrow, put
from analysis.phrases import marked
from analysis.schema import TABLES

if TYPE_CHECKING:
    from analysis.bookshop import World

_PERSIAN = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")
_BOM = b"\xef\xbb\xbf"

#: What the columns of an export are called, for all tables; where a table has its own word, "table.column".
HEADERS = {
    "customer_id": "کد مشتری", "kind": "نوع مشتری", "name": "نام", "customers.name": "نام و نام خانوادگی",
    "email": "ایمیل", "phone": "تلفن", "birth_date": "تاریخ تولد", "gender": "جنسیت",
    "marital_status": "وضعیت تأهل", "education": "تحصیلات", "occupation": "شغل", "income": "درآمد سالانه (ریال)",
    "household_size": "تعداد اعضای خانوار", "city": "شهر", "region": "استان", "country": "کشور",
    "signup_at": "تاریخ ثبت", "acquisition_channel": "نحوهٔ آشنایی", "acquisition_campaign": "کمپین ورود",
    "preferred_channel": "راه ارتباطی دلخواه", "consents": "اجازهٔ تماس از راه", "interests": "علاقه‌مندی‌ها",
    "tags": "برچسب‌ها", "industry": "صنعت", "employees": "تعداد کارکنان",
    "annual_revenue": "گردش مالی سالانه (ریال)", "order_id": "شماره سفارش", "ordered_at": "تاریخ سفارش",
    "channel": "کانال", "branch": "شعبه", "payment_method": "روش پرداخت", "orders.amount": "مبلغ پرداختی (ریال)",
    "discount": "تخفیف (ریال)", "status": "وضعیت", "product_id": "کد کالا", "quantity": "تعداد",
    "unit_price": "قیمت واحد (ریال)", "amount": "مبلغ (ریال)", "products.name": "نام کالا", "category": "گروه",
    "subcategory": "زیرگروه", "brand": "برند", "products.brand": "ناشر", "price": "قیمت پشت جلد (میلیون ریال)",
    "occurred_at": "زمان", "event": "رویداد", "stage": "مرحله", "phase": "دوره", "campaign_id": "کد کمپین",
    "content_type": "نوع محتوا", "owner": "مسئول", "given_at": "تاریخ پاسخ", "instrument": "شاخص",
    "score": "امتیاز", "topic": "موضوع", "text": "متن نظر", "answered_at": "تاریخ پاسخ", "construct": "سازه",
    "question": "پرسش", "answer": "پاسخ", "ticket_id": "شماره تیکت", "opened_at": "تاریخ ایجاد",
    "closed_at": "تاریخ بستن", "priority": "اولویت", "team": "واحد", "satisfaction": "رضایت از رسیدگی",
    "starts_at": "آغاز", "ends_at": "پایان", "cost": "هزینه (ریال)", "variant": "نسخه", "sent_at": "زمان ارسال",
    "campaign_contacts.opened_at": "زمان باز کردن", "clicked_at": "زمان کلیک", "converted_at": "زمان خرید",
    "revenue": "فروش (ریال)", "deal_id": "کد فرصت", "created_at": "تاریخ ایجاد", "outcome": "نتیجه",
    "product": "محصول", "source": "منبع", "entered_at": "تاریخ ورود به مرحله", "attribute": "ویژگی",
    "rating": "نمره", "rated_at": "تاریخ نمره",
    # fields of the bookshop's own
    "district": "محله", "newsletter_layout": "قالب خبرنامه", "card_colour": "رنگ کارت", "till": "صندوق",
}  # fmt: skip

#: Words for the values that the schema fixes; all other text stands as it is in the base.
WORDS = {
    "kind": {"person": "حقیقی", "company": "حقوقی"},
    "status": {"completed": "تکمیل‌شده", "returned": "مرجوعی", "cancelled": "لغوشده", "open": "باز"},
    "phase": {"before": "پیش از خرید", "during": "هنگام خرید", "after": "پس از خرید"},
    "instrument": {"nps": "NPS", "csat": "CSAT", "ces": "CES"},
    "outcome": {"won": "موفق", "lost": "ناموفق", "open": "باز"},
}

#: Amounts of money, exported in rial; the price of a product in millions of rial.
MONEY = ("income", "annual_revenue", "amount", "discount", "unit_price", "cost", "revenue")
RIALS_PER_TOMAN, TOMANS_PER_MILLION_RIALS = 10, 100_000


class TextFile:
    """A CSV file that tables are appended to; `exported` to a file with semicolons and a byte-order mark."""

    def __init__(self, path: Path, schema: pa.Schema, exported: bool = False):
        self._file = path.open("wb")
        if exported:
            self._file.write(_BOM)
        style = csv.WriteOptions(delimiter=";", quoting_style="needed") if exported else csv.WriteOptions()
        self._writer = csv.CSVWriter(self._file, schema, write_options=style)

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def plain(table: pa.Table) -> pa.Table:
    """A canonical table for CSV: moments as ISO 8601 with their offset, lists parted by ``;``."""
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def export_crm(world: "World", folder: str | Path, max_set_aside: float = 0.05) -> Path:
    """Write a bookshop as a CRM in Iran would export it, with the mapping that reads it back.

    Parameters
    ----------
    world : World
        In either language, with defects or without.
    folder : path
        Made if it is not there.
    max_set_aside : float
        Share of a table's rows that the mapping lets be set aside.

    Returns
    -------
    Path
        ``mapping.toml`` in the folder.

    Notes
    -----
    Seconds are the finest times; the day alone is given of a customer's first record. Amounts keep what a toman has
    of decimals up to the sixth place.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in world.tables.items():
        put(folder / f"{name}.csv", partial(_write_whole, exported(name, table)))
    mapping = folder / "mapping.toml"
    put(mapping, lambda path: path.write_bytes(crm_mapping(world.tables, max_set_aside).encode()))
    return mapping


def exported(name: str, table: pd.DataFrame) -> pa.Table:
    """A canonical table as the CRM exports it: all of it text."""
    typed = arrow(name, table)
    columns = {}
    for column in typed.column_names:
        cells = typed.column(column).combine_chunks()
        columns[_header(name, column)] = _cells(column, _kind(name, column), cells, typed)
    return pa.table(columns)


def crm_mapping(tables: Mapping[str, pd.DataFrame], max_set_aside: float) -> str:
    """The mapping that reads the CRM's export back."""
    head = {"name": "bookshop_crm", "title": marked("The bookshop, exported from its CRM")}
    head |= {"timezone": TIMEZONE, "currency": "toman", "max_set_aside": max_set_aside}
    lines = [f"{key} = {_toml(value)}\n" for key, value in head.items()]
    for name, table in tables.items():
        lines.append(f'\n[tables.{name}]\npath = "{name}.csv"\ndelimiter = ";"\n')
        if name == "customers":  # columns that are read by an expression are no fields of the base's own as well
            by_expression = [c for c in table if _kind(name, c) != "own" and _source(name, c).startswith("{ sql")]
            lines.append(f"drop = {_toml([_header(name, c) for c in by_expression])}\n")
        lines.append(f"\n[tables.{name}.columns]\n")
        for column in (c for c in table if _kind(name, c) != "own"):
            lines.append(f"{column} = {_source(name, column)}\n")
    return "".join(lines)


# --- the columns of an export -----------------------------------------------------------------------------------------


def _header(table: str, column: str) -> str:
    """What a column is called; a field of the base's own that has no Persian name keeps its own."""
    return HEADERS.get(f"{table}.{column}") or HEADERS.get(column, column)


def _kind(table: str, column: str) -> str:
    """The column's type in the schema; a field of the base's own is exported as it is."""
    known = TABLES[table].column
    return known[column].type if column in known else "own"


def _cells(column: str, kind: str, cells: pa.Array, table: pa.Table) -> pa.Array:
    """One column as text, in the way in which its kind is exported."""
    if column in WORDS:
        return _each(cells, lambda word: WORDS[column].get(word, word))
    if column in MONEY:
        return _each(cells, lambda toman: _number(toman * RIALS_PER_TOMAN))
    if column == "price":
        return _each(cells, lambda toman: _number(toman / TOMANS_PER_MILLION_RIALS).replace("٫", "/"))
    if column == "phone":
        return _each(cells, _as_typed)
    if column == "signup_at":
        return _each(pc.local_timestamp(cells).cast(pa.date32()), _jalali)
    if kind == "date":
        return _each(cells, lambda day: _jalali(day).translate(_PERSIAN))
    if kind == "instant":
        text = _jalali_moments(pc.local_timestamp(cells))
        if column == "ordered_at" and "branch" in table.column_names:
            # The till writes Persian digits, the web shop and the app write Latin ones.
            till = pc.is_valid(table.column("branch").combine_chunks())
            return pc.if_else(till, _each(text, lambda moment: moment.translate(_PERSIAN)), text)
        return text
    if kind == "number":
        return _each(cells, _number)
    if kind == "list":
        return pc.binary_join(cells, "، ")
    return cells


def _each(cells: pa.Array, text_of: Callable[[object], str]) -> pa.Array:
    """The text of every cell, found once for each value."""
    coded = cells.dictionary_encode()
    texts = pa.array([text_of(value) for value in coded.dictionary.to_pylist()], pa.string())
    return texts.take(coded.indices)


def _number(value: float) -> str:
    """A number in Persian digits and with Persian marks.

    Examples
    --------
    >>> _number(1840000.0) == "۱٬۸۴۰٬۰۰۰", _number(-0.5) == "-۰٫۵"
    (True, True)
    """
    text = f"{round(value, 5):,.5f}".rstrip("0").rstrip(".")
    return text.translate(_PERSIAN)


def _jalali_moments(local: pa.Array) -> pa.Array:
    days = _each(local.cast(pa.date32()), _jalali)
    times = pc.strftime(local.cast(pa.timestamp("s"), safe=False), "%H:%M:%S")
    return pc.binary_join_element_wise(days, times, " ")


def _jalali(day) -> str:
    return jdatetime.date.fromgregorian(date=day).strftime("%Y/%m/%d")


def _as_typed(phone: str) -> str:
    """A telephone number in one of the ways in which people type theirs; its last digit says in which."""
    if not re.fullmatch(r"0000 \d{3} \d{4}", phone):
        return phone
    joined, last = phone.replace(" ", ""), phone[-1]
    if last in "012":
        return joined
    if last in "34":
        return joined.translate(_PERSIAN)
    if last == "5":
        return f"+98{joined[1:]}"
    if last == "6":
        return f"0098 {joined[1:]}"
    return phone.replace(" ", "-") if last == "7" else phone


def _write_whole(table: pa.Table, path: Path) -> None:
    file = TextFile(path, table.schema, exported=True)
    file.write_table(table)
    file.close()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(column.type):
        return pc.binary_join(column, ";")
    if pa.types.is_timestamp(column.type):
        seconds = pc.strftime(column.cast(pa.timestamp("s", column.type.tz), safe=False), "%Y-%m-%dT%H:%M:%S%z")
        return pc.replace_substring_regex(seconds, r"(\d\d)$", r":\1")
    return column


# --- the mapping that reads it back -----------------------------------------------------------------------------------


def _source(table: str, column: str) -> str:
    """Where the mapping finds a column, and how it reads it."""
    header = _header(table, column)
    if column in WORDS:
        # A word that nobody expects stays as it is, and reading says so.
        cases = " ".join(f"WHEN '{word}' THEN '{value}'" for value, word in WORDS[column].items())
        return _sql(f'CASE trim("{header}") {cases} ELSE "{header}" END')
    if column in MONEY:
        return f'{{ column = {_toml(header)}, currency = "rial" }}'
    if column == "price":
        number = _toml(f"""replace("{header}", '/', '.')""")
        return f'{{ sql = {number}, currency = "million rial" }}'
    kind = _kind(table, column)
    if kind in ("date", "instant"):
        return f'{{ column = {_toml(header)}, calendar = "jalali" }}'
    if kind == "list":
        return f'{{ column = {_toml(header)}, split = "،" }}'
    return _toml(header)


def _sql(expression: str) -> str:
    return f"{{ sql = {_toml(expression)} }}"


def _toml(value) -> str:
    return json.dumps(value, ensure_ascii=False)
