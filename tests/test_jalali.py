"""Jalali dates in the forms that exports use, every day of the calendar, and what is no date."""

from datetime import date, time, timedelta

import jdatetime
import pytest

from analysis import sources
from analysis.sources import jalali


@pytest.fixture(scope="module")
def db():
    db = sources.connect("Asia/Tehran")
    jalali.install(db)
    return db


def read(db, written):
    return db.execute("SELECT jalali_day($t), jalali_time($t)", {"t": written}).fetchall()[0]


# 13 Mordad 1402 was Friday, 4 August 2023
@pytest.mark.parametrize(
    "written",
    [
        "1402/05/13", "۱۴۰۲-۵-۱۳", "١٤٠٢/٠٥/١٣", "1402-Mordad-13", " 1402.5.13 ", "\u200e1402/05/13\u200f",
        "13/05/1402", "۱۳ مرداد ۱۴۰۲", "جمعه ۱۳ مرداد ۱۴۰۲", "جمعه، ۱۳ مرداد ماه ۱۴۰۲", "۱۳ مردادماه ۱۴۰۲",
        "13 Mordad 1402", "13-mordad-1402", "Friday 13 Mordad 1402", "14020513", "۱۴۰۲۰۵۱۳",
    ],
)  # fmt: skip
def test_one_day_written_in_every_form_is_that_day(db, written):
    assert read(db, written) == (date(2023, 8, 4), time(0))


@pytest.mark.parametrize("weekday", ["شنبه", "یک‌شنبه", "یکشنبه", "دو شنبه", "سه‌شنبه", "چهارشنبه", "پنج شنبه", "جمعه"])
def test_a_weekday_before_the_date_is_taken_away(db, weekday):
    assert read(db, f"{weekday} ۱۳ مرداد ۱۴۰۲")[0] == date(2023, 8, 4)


@pytest.mark.parametrize(
    ("written", "clock"),
    [
        ("1402/05/13 14:30", time(14, 30)), ("1402/05/13T12:30:00.5", time(12, 30, 0, 500_000)),
        ("10:25 1402/05/13", time(10, 25)), ("۱۰:۲۵ - ۱۴۰۲/۰۵/۱۳", time(10, 25)), ("14020513 7:05", time(7, 5)),
        ("جمعه ۱۳ مرداد ۱۴۰۲ ساعت ۱۰:۲۵", time(10, 25)), ("1402/05/13 7:05 PM", time(19, 5)),
        ("۷:۰۵ ب.ظ ۱۴۰۲/۰۵/۱۳", time(19, 5)), ("1402/05/13 07:05 ق.ظ", time(7, 5)),
        ("1402/05/13 12:05 ق.ظ", time(0, 5)), ("1402/05/13 12:05 بعد از ظهر", time(12, 5)),
    ],
)  # fmt: skip
def test_a_time_of_day_stands_before_the_date_or_behind_it(db, written, clock):
    assert read(db, written) == (date(2023, 8, 4), clock)


@pytest.mark.parametrize(
    "written",
    [
        "02/05/13", "13/05/02", "020513",  # two digits of a year
        "1400/12/30", "30 اسفند 1402", "14021230",  # common years
        "1402/07/31", "1402/13/01", "05/13/1402", "1402/00/10", "1402/05/00", "1402/05/32",
        "2023/08/04", "1402/05", "مرداد ۱۴۰۲", "1402/05/13-1402/06/01", "10:25 1402/05/13 11:00", "شنبه", "", "soon",
    ],
)  # fmt: skip
def test_what_is_no_day_of_the_calendar_gives_none(db, written):
    assert read(db, written)[0] is None


@pytest.mark.parametrize("written", ["1402/05/13 25:00", "1402/05/13 10:61", "1402/05/13 13:05 ب.ظ"])
def test_what_no_clock_shows_gives_no_time(db, written):
    assert read(db, written) == (date(2023, 8, 4), None)


def test_30_esfand_of_leap_years_is_the_day_before_norouz(db):
    for year, day in ((1399, date(2021, 3, 20)), (1403, date(2025, 3, 20))):
        assert read(db, f"30 اسفند {year}")[0] == day


FORMS = ("%Y/%m/%d", "%d/%m/%Y", "%Y%m%d", "%d %B %Y")


@pytest.mark.parametrize("form", FORMS)
def test_every_day_of_the_calendar_is_the_one_that_jdatetime_names(db, form):
    first = jdatetime.date(jalali.FIRST_YEAR, 1, 1).togregorian()
    last = jdatetime.date(jalali.LAST_YEAR + 1, 1, 1).togregorian()
    days = [first + timedelta(n) for n in range((last - first).days)]
    assert len(days) > 91_000
    written = [jdatetime.date.fromgregorian(date=day).strftime(form) for day in days]
    found = db.execute("SELECT jalali_day(t) FROM (SELECT unnest($t) AS t)", {"t": written}).fetchall()
    assert [row[0] for row in found] == days


def test_30_esfand_exists_in_leap_years_only(db):
    years = range(jalali.FIRST_YEAR, jalali.LAST_YEAR + 1)
    found = db.execute(
        "SELECT y FROM (SELECT unnest($y) AS y) WHERE jalali_day(y || '/12/30') > '0001-01-01'", {"y": list(years)}
    )
    assert {row[0] for row in found.fetchall()} == {year for year in years if jdatetime.date(year, 1, 1).isleap()}
