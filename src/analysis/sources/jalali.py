"""Persian dates for the engine: the SQL that reads a Jalali day, and a time of day, from text.

Each cell is looked through once, by one regular expression for all forms; the rest is arithmetic, so that a hundred
million dates need no join.
"""

import duckdb

#: Years that are read: the oldest birth dates to far plans (1821 to 2071).
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

#: Weekdays as exports write them before a date.
_WEEKDAY = (
    "(?:(?:[یي]ک|[یي]ك|دو|سه|چهار|پنج)?[ \u200c]?شنبه|جمعه|آد[یي]نه"
    "|(?:yek|do|se|chahar|panj)?shanbeh?|jomeh?|(?:sun|mon|tues|wednes|thurs|fri|satur)day)"
)

#: A time of day; the half of the day, where the clock has twelve hours, in its second group.
_TIME = (
    r"(\d{1,2}:\d{2}(?::\d{2}(?:[.]\d+)?)?)"
    " ?(ق[. ]?ظ[.]?|قبل از ظهر|صبح|am|ب[. ]?ظ[.]?|بعد از ظهر|عصر|pm)?"
)
_AFTERNOON = "('ب', 'ع', 'p')"

#: What the groups of `_pattern` hold, in their order.
_PARTS = (
    *("time_before", "half_before"),
    *("year_first", "month_second", "day_last"),
    *("day_first", "month_between", "year_last"),
    *("year_joined", "month_joined", "day_joined"),
    *("time_behind", "half_behind"),
)


def install(db: duckdb.DuckDBPyConnection) -> None:
    """Give the connection the macros ``jalali_day(text)`` and ``jalali_time(text)``.

    Read are dates with the year first (``1402/05/13``, ``۱۴۰۲-۵-۱۳``, ``1398-Farvardin-1``), with the day first
    (``13/05/1402``, ``13 Mordad 1402``, ``جمعه ۱۳ مرداد ۱۴۰۲``) and in one piece (``14020513``), with a time of day
    before or behind them or without. A weekday is taken for granted, not checked. Nothing is given for a day that the
    calendar does not have (30 Esfand of a common year), nor for years of two digits: their century, and their place
    among day and month, would be a guess.

    Parameters
    ----------
    db : DuckDBPyConnection
        With the macros of :func:`analysis.sources.persian.install`.
    """
    _install_calendar(db)
    _install_time(db)
    # no regular expression inside the lambdas: the engine would compile it anew for every row
    typed = f"regexp_extract(visible(latin_digits(t)), '{_pattern()}', {list(_PARTS)})"
    day = (
        "CASE WHEN p.time_before = '' OR p.time_behind = '' THEN jalali_date("  # a span of time is no moment
        "TRY_CAST(p.year_first || p.year_last || p.year_joined AS INTEGER), "
        "jalali_month(p.month_second || p.month_between || p.month_joined), "
        "TRY_CAST(p.day_last || p.day_first || p.day_joined AS INTEGER)) END"
    )
    db.execute(f"CREATE MACRO jalali_day(t) AS list_transform([{typed}], lambda p: {day})[1]")


def _pattern() -> str:
    """One regular expression of the engine for all forms of a date."""
    names = "|".join(sorted((name for spellings in MONTHS for name in spellings), key=len, reverse=True))
    month = f"({names}|\\d{{1,2}})(?:[ \u200c]?ماه)?"
    year, day, mark, gap = r"(\d{4})", r"(\d{1,2})", "[-/., ،]+", "[-T ,،]+"
    forms = (
        f"{year}{mark}{month}{mark}{day}",
        f"{day}{mark}{month}{mark}{year}",
        r"(\d{4})(\d{2})(\d{2})",
    )
    time = f"(?:ساعت )?{_TIME}"
    return rf"(?i)^\s*(?:{time}{gap})?(?:{_WEEKDAY}{gap})?(?:{'|'.join(forms)})(?:{gap}{time})?\s*$"


def _install_calendar(db: duckdb.DuckDBPyConnection) -> None:
    """The macros ``jalali_month(text)`` and ``jalali_date(year, month, day)``.

    Eight of 33 years are leap years: so they are in Iran's calendar in all years that are read.
    """
    names = " ".join(f"WHEN '{name}' THEN {month}" for month, spellings in enumerate(MONTHS, 1) for name in spellings)
    db.execute(f"CREATE MACRO jalali_month(t) AS coalesce(TRY_CAST(t AS INTEGER), CASE lower(t) {names} END)")
    # days since 1 Farvardin 979, where a cycle begins; 1400 began on 21 March 2021
    db.execute("CREATE MACRO jalali_years(n) AS 365 * n + 8 * (n // 33) + (n % 33 + 3) // 4")
    new_year = f"jalali_years(y - 979) - jalali_years({1400 - 979})"
    db.execute(f"CREATE MACRO jalali_new_year(y) AS DATE '2021-03-21' + CAST({new_year} AS INTEGER)")
    # six months of 31 days, then of 30; Esfand lasts until the new year
    before = "31 * (m - 1) - greatest(m - 7, 0)"
    length = "CASE WHEN m < 7 THEN 31 WHEN m < 12 THEN 30 ELSE jalali_new_year(y + 1) - jalali_new_year(y) - 336 END"
    db.execute(
        f"CREATE MACRO jalali_date(y, m, d) AS CASE "
        f"WHEN y BETWEEN {FIRST_YEAR} AND {LAST_YEAR} AND m BETWEEN 1 AND 12 AND d BETWEEN 1 AND {length} "
        f"THEN jalali_new_year(y) + CAST({before} + d - 1 AS INTEGER) END"
    )


def _install_time(db: duckdb.DuckDBPyConnection) -> None:
    """The macro ``jalali_time(text)``: midnight where none is given, nothing for one that no clock shows."""
    hour = "TRY_CAST(split_part(p.clock, ':', 1) AS INTEGER)"
    clock = "TRY_CAST(p.clock AS TIME)"
    # on a clock of twelve hours 12 is the first hour of either half
    time = (
        f"CASE WHEN p.clock = '' THEN TIME '00:00' WHEN p.half = '' THEN {clock} "
        f"WHEN {hour} <= 12 AND ({hour} = 12) = (lower(p.half[1]) IN {_AFTERNOON}) THEN {clock} "
        f"WHEN {hour} <= 12 THEN {clock} + INTERVAL 12 HOUR END"
    )
    typed = f"regexp_extract(visible(latin_digits(t)), '(?i){_TIME}', ['clock', 'half'])"
    given = f"list_transform([{typed}], lambda p: {time})[1]"
    db.execute(f"CREATE MACRO jalali_time(t) AS CASE WHEN contains(t, ':') THEN {given} ELSE TIME '00:00' END")
