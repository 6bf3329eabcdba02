"""Months as the readers count them: of the Gregorian calendar in English, of the Jalali one in Persian.

A month is a number, how many began since the year 0, so that months can be counted on and compared.
"""

from datetime import date

import jdatetime

from analysis.locale.language import of
from analysis.phrases import figure, spoken


def month_of(day: date) -> int:
    """The month that a day lies in.

    Examples
    --------
    >>> month_of(date(2026, 3, 20)) == 2026 * 12 + 2
    True
    """
    if _is_jalali():
        day = jdatetime.date.fromgregorian(year=day.year, month=day.month, day=day.day)
    return 12 * day.year + day.month - 1


def first_day(month: int) -> date:
    """The day on which a month begins.

    Examples
    --------
    >>> first_day(2026 * 12 + 2)
    datetime.date(2026, 3, 1)
    """
    year, before = divmod(int(month), 12)
    return jdatetime.date(year, before + 1, 1).togregorian() if _is_jalali() else date(year, before + 1, 1)


def month_name(month: int) -> str:
    """What a month is called, without its year.

    Examples
    --------
    >>> month_name(2026 * 12 + 2)
    'March'
    """
    return of(spoken()).say(f"{'jalali_months' if _is_jalali() else 'months'}.{int(month) % 12 + 1}")


def year_of(month: int) -> str:
    """The year of a month, as it is written.

    Examples
    --------
    >>> year_of(2026 * 12 + 2)
    '2026'
    """
    return figure(f"{int(month) // 12}")


def _is_jalali() -> bool:
    return of(spoken()).texts["writing"]["calendar"] == "jalali"
