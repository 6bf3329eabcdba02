"""How is a figure shown that a business is steered by: in large, with its interval, its trend and what has changed?

Takes the figures of a run (see `kpis`) and perhaps those of an earlier one. Gives tiles in words, each with a drawing
of its periods. A change within chance is called no change.
"""

from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from analysis import locale
from analysis.evidence import percent, percent_range
from analysis.phrases import counted, figure, from_the_right, marked, phrase, spoken
from analysis.report.kpis import YEAR, latest, since

#: What figures are called.
_TITLES = {
    "satisfaction": marked("Satisfaction"),
    "retention": marked("Retention"),
    "engagement": marked("Engagement"),
    "revenue": marked("Revenue growth"),
}

#: What each figure is, by what it is measured by.
_TOLD = {
    ("satisfaction", "nps"): marked(
        "Net promoter score: the share of promoters (9 or 10) less that of detractors (0 to 6), in points, by the last "
        "answer of each of {customers} in {period}."
    ),
    ("satisfaction", "csat"): marked("Mean satisfaction, 1 to 5, of {customers} who were asked in {period}."),
    ("satisfaction", "tickets"): marked(
        "Mean satisfaction with how a ticket was handled, 1 to 5, of {customers} who rated one in {period}."
    ),
    ("retention", "orders"): marked(
        "Of {customers} who bought in the {days:,} days before, the share who bought again in {period}."
    ),
    ("engagement", "touchpoints"): marked(
        "Of {customers} known before, the share with whom a visit, a message or another contact is recorded in "
        "{period}."
    ),
    ("engagement", "campaigns"): marked(
        "Of {customers} whom a campaign reached, the share who opened, clicked or answered one in {period}."
    ),
    ("revenue", "orders"): marked("What {customers} paid in {period}, less what was given back."),
    ("revenue", "deals"): marked("The deals that {customers} closed with us in {period}."),
}

#: How a figure went, by whether it is held against the same days a year before or those just before.
_CHANGES = {
    (True, "up"): marked("higher than in the same days a year before ({before}), by {by} (interval {interval})"),
    (True, "down"): marked("lower than in the same days a year before ({before}), by {by} (interval {interval})"),
    (True, "same"): marked(
        "no change beyond chance since the same days a year before ({before}): {by} (interval {interval})"
    ),
    (False, "up"): marked("higher than in the days before ({before}), by {by} (interval {interval}); season included"),
    (False, "down"): marked("lower than in the days before ({before}), by {by} (interval {interval}); season included"),
    (False, "same"): marked(
        "no change beyond chance since the days before ({before}): {by} (interval {interval}); season included"
    ),
}
_GROWTH = {
    (True, "up"): marked("more than in the same days a year before: {now} after {before}"),
    (True, "down"): marked("less than in the same days a year before: {now} after {before}"),
    (True, "same"): marked("no change beyond chance since the same days a year before: {now} after {before}"),
    (False, "up"): marked("more than in the days before: {now} after {before}; season included"),
    (False, "down"): marked("less than in the days before: {now} after {before}; season included"),
    (False, "same"): marked("no change beyond chance since the days before: {now} after {before}; season included"),
}
_SINCE = {
    "up": marked("The run before, up to {day}, said {then}: higher since."),
    "down": marked("The run before, up to {day}, said {then}: lower since."),
    "same": marked("The run before, up to {day}, said {then}: no change beyond chance since."),
}

#: What is measured as a share of customers; scores are the others.
_SHARES = ("orders", "touchpoints", "campaigns")

#: In a line from the right a sign would else stand behind its number.
_PLUS = {"en": "+", "fa": "\u200e+"}

#: Width and height of a drawing, and the room that its dots need.
_WIDTH, _HEIGHT, _EDGE = 160, 40, 5


class Tile(NamedTuple):
    """A figure that a business is steered by.

    Attributes
    ----------
    title, figure, interval : str
    way : {"up", "down", "same", ""}
        Which way it went beyond chance; "same" within chance, "" where there is nothing to compare with.
    in_season : bool
        Whether it is held against the same time of the year, so that the way can be called better or worse.
    change, told, since : str
        The change in words, what the figure is, and what an earlier run said.
    trend : Markup
        A small drawing of the periods.
    """

    title: str
    figure: str
    interval: str
    way: str
    in_season: bool
    change: str
    told: str
    since: str
    trend: Markup


def tiles(table: pd.DataFrame, earlier: pd.DataFrame, currency: str) -> list[Tile]:
    """The latest of each figure.

    Parameters
    ----------
    table : DataFrame, as from :func:`analysis.report.kpis.kpis`
    earlier : DataFrame
        The same of an earlier run; empty without one.
    currency : str

    Examples
    --------
    >>> from analysis.report.kpis import COLUMNS
    >>> row = ("retention", "orders", date(2025, 10, 2), date(2025, 12, 31), 91, 1000, 0.5, 0.469, 0.531,
    ...        date(2024, 10, 3), 0.4, 0.1, 0.06, 0.14)
    >>> made, = tiles(pd.DataFrame([row], columns=COLUMNS), pd.DataFrame(), "toman")
    >>> made.figure, made.way, made.change
    ('50.0 %', 'up', 'higher than in the same days a year before (40.0 %), by 10.0 points (interval 6.0 to 14.0)')
    """
    before = since(table, earlier).set_index("kpi") if len(earlier) else pd.DataFrame()
    rows = latest(table)
    return [
        _tile(row, table[table["kpi"] == row.kpi], before.loc[row.kpi] if row.kpi in before.index else None, currency)
        for row in rows.itertuples()
    ]


def money(amount: float, currency: str) -> str:
    """An amount to the three digits that count, in the words of its currency.

    Examples
    --------
    >>> money(2_060_634, "GBP")
    '2,060,000 pounds'
    """
    return locale.of(spoken()).money(float(f"{amount:.3g}"), currency)


def _tile(row, periods: pd.DataFrame, before: pd.Series | None, currency: str) -> Tile:
    value = (row.value, row.low, row.high)
    title, shown = phrase(_TITLES[row.kpi]), _written(row.value, row)
    if row.kpi == "revenue":
        value = (row.change, row.change_low, row.change_high)
        title, shown = (title, _written(row.change, row)) if _is_known(row.change) else _amount(row, currency)
    way = _way(row.change_low, row.change_high)
    period = phrase("the {days:,} days to {day}", days=row.days, day=_day(row.ends))
    return Tile(
        title=title,
        figure=shown,
        interval=phrase("interval {interval}", interval=_range(*value[1:], row)) if _is_known(value[1]) else "",
        way=way,
        in_season=_in_season(row),
        change=_change(row, way, currency),
        told=phrase(
            _TOLD[row.kpi, row.source], customers=counted(row.customers, "customer"), period=period, days=row.days
        ),
        since="" if before is None else _since(before, row),
        trend=_trend(periods),
    )


def _amount(row, currency: str) -> tuple[str, str]:
    """Revenue as it is, where nothing is known that it could have grown from."""
    return phrase("Revenue"), money(row.value, currency)


def _change(row, way: str, currency: str) -> str:
    if not way:
        return phrase("nothing earlier to compare with")
    a_year = _in_season(row)
    if row.kpi == "revenue":
        now, before = (money(amount, currency) for amount in (row.value, row.before))
        return phrase(_GROWTH[a_year, way], now=now, before=before)
    by, low, high = row.change, row.change_low, row.change_high
    if way == "down":  # lower by so much: the words bear the sign
        by, low, high = -by, -high, -low
    unit = phrase("{n} points", n=_points(by, row)) if row.source in (*_SHARES, "nps") else _points(by, row)
    interval = phrase("{low} to {high}", low=_points(low, row), high=_points(high, row))
    return phrase(_CHANGES[a_year, way], before=_written(row.before, row), by=unit, interval=interval)


def _in_season(row) -> bool:
    return not pd.isna(row.before_starts) and row.starts - row.before_starts == timedelta(YEAR)


def _since(before, row) -> str:
    way = _way(before["low"], before["high"])
    if not way:
        return ""
    return phrase(_SINCE[way], day=_day(before["ends"]), then=_written(before["value"], row))


def _way(low: float, high: float) -> str:
    if not _is_known(low):
        return ""
    return "up" if low > 0 else "down" if high < 0 else "same"


def _written(value: float, row) -> str:
    """A figure as a reader expects it: growth with its sign, shares in per cent, scores with their digits."""
    if row.kpi == "revenue":
        return f"{_PLUS[spoken()]}{percent(value)}" if value > 0 else percent(value)
    return percent(value, 1) if row.source in _SHARES else _points(value, row)


def _range(low: float, high: float, row) -> str:
    if row.kpi == "revenue" or row.source in _SHARES:
        return percent_range(low, high, 0 if row.kpi == "revenue" else 1)
    return phrase("{low} to {high}", low=_points(low, row), high=_points(high, row))


def _points(value: float, row) -> str:
    """A score, or a difference: of shares in points."""
    text = f"{100 * value:.1f}" if row.source in _SHARES else f"{value:.1f}" if row.source == "nps" else f"{value:.2f}"
    return figure(text.replace("-", "−"))


def _day(day: date) -> str:
    return locale.of(spoken()).date(day)


def _is_known(value: float) -> bool:
    return not pd.isna(value)


def _trend(periods: pd.DataFrame) -> Markup:
    """The periods as dots on a line, from the side where one begins to read; the interval of each as a band."""
    if len(periods) < 2:
        return Markup()
    low, high = (periods[c].fillna(periods["value"]) for c in ("low", "high"))
    x, (line, under, over) = _across(periods["starts"]), _upwards(periods["value"], low, high)
    band = [*zip(x, under, strict=True), *list(zip(x, over, strict=True))[::-1]]
    dots = [*zip(x, line, strict=True)]
    drawn = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{3.5 if a == x[-1] else 1.5}"/>' for a, b in dots)
    return Markup(
        f'<svg class="trend" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true">'
        f'<polygon points="{_points_of(band)}"/><polyline points="{_points_of(dots)}"/>{drawn}</svg>'
    )


def _across(days: pd.Series) -> list[float]:
    """Where each day lies between the sides."""
    first, last = days.iloc[0], days.iloc[-1]
    inside = [_EDGE + (day - first) / (last - first) * (_WIDTH - 2 * _EDGE) for day in days]
    return [_WIDTH - x for x in inside] if from_the_right() else inside


def _upwards(*values: pd.Series) -> list[list[float]]:
    """Where each value lies between the top and the bottom, the same for all."""
    least, most = min(v.min() for v in values), max(v.max() for v in values)
    return [[_HEIGHT - _EDGE - (x - least) / ((most - least) or 1) * (_HEIGHT - 2 * _EDGE) for x in v] for v in values]


def _points_of(corners: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
