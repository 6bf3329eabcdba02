"""The days: the Jalali calendar, when branches are open, and at which hours people buy."""

from datetime import date, timedelta

import jdatetime
import numpy as np
import pandas as pd

from analysis.bookshop.draws import draw

CHANNELS = ("branch", "web", "app")

#: Weights by day of the week, Monday to Sunday: the weekend is Thursday afternoon and Friday.
WEEKDAYS = {
    "branch": (0.90, 0.90, 1.00, 1.55, 0.85, 0.95, 0.90),
    "web": (1.08, 1.06, 1.02, 0.88, 0.82, 1.10, 1.10),
    "app": (0.98, 0.98, 0.98, 1.02, 1.12, 0.98, 0.98),
}
#: Weights by hour of the day; branches open at ten, on Fridays at four in the afternoon, and close at ten.
HOURS = {
    "branch": (0,) * 10 + (3, 5, 6, 4, 3, 4, 6, 9, 11, 12, 9, 5, 0, 0),
    "branch on Fridays": (0,) * 16 + (5, 8, 11, 12, 10, 6, 0, 0),
    "web": (3, 1.5, 0.7, 0.3, 0.2, 0.3, 0.7, 1.5, 3, 5, 6, 6.5, 6, 5, 5, 5, 5, 5, 5, 6, 7.5, 9, 9, 6),
    "app": (5, 2.5, 1.2, 0.5, 0.3, 0.3, 0.8, 1.5, 2.2, 3, 3.5, 4, 4.2, 4, 4, 4, 4.2, 4.8, 5.5, 6.5, 8.5, 11, 12, 9),
}
#: Closed branches, as Jalali month and day: the first days of Nowruz and its thirteenth. The moving (lunar) holidays
#: are left out.
CLOSED = frozenset({(1, 1), (1, 2), (1, 3), (1, 4), (1, 13)})
#: The weeks of presents: before Yalda (the last night of Azar) and before Nowruz, as Jalali month, first and last day.
FEASTS = ((9, 20, 30), (12, 12, 30))
#: Prices rise every 1 Farvardin; consumer prices in Iran rose by more than this in these years.
YEARLY_PRICE_RISE = 0.25
DAY, MINUTE = 86_400, 60


def calendar_of(end: date, years: int, beyond: int = 0) -> pd.DataFrame:
    """One row per day up to the end and some days beyond it.

    Columns: date, Jalali year, month and day, weekday, each channel's weight on it, and prices against the last year.
    """
    start = (pd.Timestamp(end) - pd.DateOffset(years=years)).date() + timedelta(days=1)
    days = [start + timedelta(days=d) for d in range((end - start).days + 1 + beyond)]
    jalali = [jdatetime.date.fromgregorian(date=day) for day in days]
    calendar = pd.DataFrame(
        {
            "date": pd.to_datetime(days),
            "year": [j.year for j in jalali],
            "month": [j.month for j in jalali],
            "day": [j.day for j in jalali],
            "weekday": [day.weekday() for day in days],
        }
    )
    calendar["prices"] = (1 + YEARLY_PRICE_RISE) ** (calendar["year"] - calendar["year"].iloc[-1 - beyond])
    for channel in CHANNELS:
        calendar[channel] = np.array(WEEKDAYS[channel])[calendar["weekday"]]
    closed = [(j.month, j.day) in CLOSED for j in jalali]
    calendar["branch"] = calendar["branch"].mask(closed, 0.0)
    return calendar


def moments(rng: np.random.Generator, day: np.ndarray, channel: np.ndarray, calendar: pd.DataFrame) -> np.ndarray:
    """Seconds since the first midnight at a plausible hour of the day for the channel."""
    friday = calendar["weekday"].to_numpy()[day] == 4
    profile = np.where((channel == 0) & friday, 3, channel)
    weights = np.array([HOURS[name] for name in (*CHANNELS, "branch on Fridays")], dtype=float)
    hour = draw(rng, weights[profile])
    return day * DAY + hour * 3600 + rng.integers(0, 3600, len(day))
