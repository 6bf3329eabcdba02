"""Persian dates and digits for the engine: a table of every Jalali day, and the SQL that reads one from text.

The calendar itself is jdatetime's; the engine gets it as a lookup table, so that a hundred million dates are one join.
"""

from datetime import timedelta

import duckdb
import jdatetime
import pyarrow as pa

#: Years that the lookup covers: the oldest birth dates to far plans (1821 to 2071).
FIRST_YEAR, LAST_YEAR = 1200, 1449

#: Month names as exports write them; Persian ones in the letters of the Persian and of the Arabic keyboard.
MONTHS = (
    ("farvardin", "فروردین", "فروردين"),
    ("ordibehesht", "اردیبهشت", "ارديبهشت"),
    ("khordad", "خرداد"),
    ("tir", "تیر", "تير"),
    ("mordad", "مرداد", "amordad", "امرداد"),
    ("shahrivar", "شهریور", "شهريور"),
    ("mehr", "مهر"),
    ("aban", "آبان", "ابان"),
    ("azar", "آذر", "اذر"),
    ("dey", "دی", "دي"),
    ("bahman", "بهمن"),
    ("esfand", "اسفند"),
)

#: Persian and Arabic digits, and the Persian decimal and thousands marks.
_FOREIGN, _LATIN = "۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789"


def install(db: duckdb.DuckDBPyConnection) -> None:
    """Give the connection the macros ``latin_digits(text)`` and ``jalali_day(text)``, and the table behind them."""
    db.register("jalali.frame", _days())
    db.execute('CREATE TABLE jalali_days AS SELECT * FROM "jalali.frame"')
    db.unregister("jalali.frame")
    names = " ".join(f"WHEN '{name}' THEN {month}" for month, spellings in enumerate(MONTHS, 1) for name in spellings)
    db.execute(f"CREATE MACRO latin_digits(t) AS translate(t, '{_FOREIGN}', '{_LATIN}')")
    db.execute(f"CREATE MACRO jalali_month(t) AS coalesce(TRY_CAST(t AS INTEGER), CASE lower(t) {names} END)")
    # year, month, day: 1402/05/13, ۱۴۰۲-۵-۱۳, 1398-Farvardin-1; then nothing, or a time of day
    pattern = r"\s*(\d{4})[-/. ]+([^-/. \d]+|\d{1,2})[-/. ]+(\d{1,2})(?:[T ,]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*"
    whole = f"regexp_full_match(latin_digits(t), '{pattern}')"

    def part(group: int) -> str:
        return f"regexp_extract(latin_digits(t), '{pattern}', {group})"

    db.execute(
        f"CREATE MACRO jalali_number(t) AS CASE WHEN {whole} THEN TRY_CAST({part(1)} AS INTEGER) * 10000"
        f" + jalali_month({part(2)}) * 100 + TRY_CAST({part(3)} AS INTEGER) END"
    )
    db.execute("CREATE MACRO jalali_day(t) AS (SELECT day FROM jalali_days WHERE jalali = jalali_number(t))")
    db.execute(
        f"CREATE MACRO jalali_time(t) AS "
        f"CASE WHEN {part(4)} = '' THEN TIME '00:00' ELSE TRY_CAST({part(4)} AS TIME) END"
    )


def _days() -> pa.Table:
    """Every Jalali day as the number yyyymmdd, with its Gregorian date."""
    numbers, days = [], []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        new_year = jdatetime.date(year, 1, 1)
        lengths = [31] * 6 + [30] * 5 + [30 if new_year.isleap() else 29]
        numbers += [year * 10000 + month * 100 + day for month, n in enumerate(lengths, 1) for day in range(1, n + 1)]
        first = new_year.togregorian()
        days += [first + timedelta(n) for n in range(sum(lengths))]
    return pa.table({"jalali": pa.array(numbers, pa.int32()), "day": pa.array(days, pa.date32())})
