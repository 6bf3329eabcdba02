"""How is a row of the journey map said, and what is asked where nothing was measured?

Takes rows of figures and a language. Gives text, and decides nothing about what is told.
"""

import numpy as np

from analysis.journeys.by_stage import YEAR_DAYS
from analysis.journeys.steps import STAGES

ROWS = ("persona", "script", "goals", "actions", "feelings", "opportunities", "ownership")

#: A difference is said where it is at least so large, as on the persona cards: points of a share, Cliff's delta.
LEAST = 0.1


def statement(row, locale, stages, level_days=np.nan, days=YEAR_DAYS) -> str:
    """A row of figures as a sentence.

    Parameters
    ----------
    row : row of :func:`analysis.journeys.map_rows.map_rows`
    locale : Locale
    stages : list of str
    level_days : float
        Days within which a ticket should be closed.
    days : int
        Days over which it was counted how often they are somewhere.
    """
    value, of = figure(row.value, row.unit, locale), locale.value(row.of)
    given = {
        "value": value,
        "of": of[:1].upper() + of[1:] if row.measure in ("does", "owned", "closed", "in_time") else of,
    }
    if row.measure in ("time", "closed") and np.isnan(row.value):
        return locale.say(f"map.{row.measure}_never", **given)
    if row.measure == "time" and row.value == 0:
        return locale.say("map.time_now")
    if row.measure == "score":
        return locale.say(f"map.score_{row.of}", value=value)
    if row.measure == "change":
        instrument, before = row.of.rsplit(" ", 1)
        given = {"of": locale.value(instrument), "stage": stage_name(stages[int(before)], locale)}
        way = "up" if row.value >= 0 else "down"
        return locale.say(f"map.change_{way}", value=locale.number(abs(row.value), 1), **given)
    if row.measure == "visits":
        return locale.say("map.visits", value=value, period=period(days, locale))
    if row.measure == "in_time":
        late = round(row.n * (1 - row.value))
        return locale.say("map.in_time", **given, level=duration(level_days, locale), late=late)
    return locale.say(f"map.{row.measure}", **given)


def detail(row, locale) -> str:
    """What a sentence rests on: everybody else where they differ, or else the interval; and how many."""
    if np.isnan(row.n):
        return ""
    n = int(row.n)
    if row.measure == "opportunity":
        rates = {"rate": locale.percent(row.value), "best": locale.percent(row.elsewhere)}
        return locale.say("map.opportunity_detail", **rates, difference=span(row.low, row.high, row.unit, locale), n=n)
    if differs(row):
        difference = span(row.low, row.high, row.unit, locale)
        return locale.say("map.apart", elsewhere=figure(row.elsewhere, row.unit, locale), difference=difference, n=n)
    if np.isnan(row.value_low):
        return locale.say("map.of_n", n=n)
    low, high = (figure(x, row.unit, locale) for x in (row.value_low, row.value_high))
    return locale.say("map.within", low=low, high=high, n=n)


def differs(row) -> bool:
    """Whether a row differs from everybody else, for certain and by enough to matter."""
    return bool(row.p_corrected < 0.05 and abs(row.effect) >= LEAST and (row.low > 0 or row.high < 0))


def opportunity(row, locale, names, days=YEAR_DAYS) -> str:
    """What would be gained if a step went as well as elsewhere; names of the personas, days over which was counted."""
    step = locale.value(row.action or row.stage)
    if row.channel:
        step = locale.say("map.by_channel", of=step, channel=locale.value(row.channel))
    other = row.with_persona != row.persona
    whom = names[row.with_persona] if other else locale.value(row.with_channel)
    gained, low, high = (locale.number(x) for x in (row.gained, row.gained_low, row.gained_high))
    key = "map.opportunity_persona" if other else "map.opportunity_channel"
    return locale.say(key, of=step, whom=whom, gained=gained, low=low, high=high, period=period(days, locale))


def assumption(row: str, stage: str, locale) -> tuple[str, str]:
    """What is not measured of a row at a stage (of the whole journey without one), and what to ask."""
    if not stage:
        return locale.say(f"map.assume_whole_{row}"), locale.say(f"map.ask_whole_{row}")
    name = stage_name(stage, locale)
    if row != "goals":
        return locale.say(f"map.assume_{row}"), locale.say(f"map.ask_{row}", stage=name)
    plain = stage.strip().lower()
    known = next((same[0] for same in STAGES if plain in same), "other")
    return locale.say("map.assume_goals"), locale.say(
        f"map.expect_{known}", **({"stage": name} if known == "other" else {})
    )


def period(days: int, locale) -> str:
    """Over which time something was counted: a year, or as many days as there are."""
    return locale.say("map.year") if days >= YEAR_DAYS else locale.say("map.in_days", n=int(days))


def stage_name(stage: str, locale) -> str:
    """A stage as its heading."""
    said = locale.value(stage)
    return said[:1].upper() + said[1:]


def figure(value: float, unit: str, locale) -> str:
    """A figure with its unit."""
    if np.isnan(value):
        return "–"
    if unit == "share":
        return locale.percent(value)
    return duration(value, locale) if unit == "days" else locale.number(value, 1)


def span(low: float, high: float, unit: str, locale) -> str:
    """A difference from low to high, both in the unit of the larger; one figure where they are the same.

    Examples
    --------
    >>> from analysis import locale
    >>> span(-0.05, -0.002, "days", locale.of("en")), span(0.12, 0.12, "share", locale.of("en"))
    ('−1.20 to −0.05 hours', '12 points')
    """
    if np.isnan(low) or np.isnan(high):
        return "–"
    largest = max(abs(low), abs(high))
    name, length = {"share": ("points", 100), "days": _unit(largest)}.get(unit, ("", 1))
    numbers = [x * length for x in dict.fromkeys((low, high))]
    decimals = 0 if unit == "share" else 1
    while decimals < 3 and any(x and not round(x, decimals) for x in numbers):
        decimals += 1
    said = [locale.number(x, decimals) for x in numbers]
    text = locale.say("card.interval", low=said[0], high=said[1]) if len(said) > 1 else said[0]
    return locale.say(f"map.{name}", n=text) if name else text


def duration(days: float, locale) -> str:
    """A length of time in the unit that leaves a figure one can read.

    Examples
    --------
    >>> from analysis import locale
    >>> [duration(days, locale.of("en")) for days in (12.34, 0.1, 0.0034, 0)]
    ['12.3 days', '2.4 hours', '4.9 minutes', 'no time']
    """
    if np.isnan(days):
        return "–"
    if days * 86_400 < 0.5:
        return locale.say("map.no_time")
    unit, length = _unit(days)
    rounded = round(days * length, 1 if days * length < 100 else 0)
    if rounded == 1:
        return locale.say(f"map.one_{unit}")
    return locale.say(f"map.{unit}", n=locale.number(rounded, 0 if rounded % 1 == 0 else 1))


def _unit(days: float) -> tuple[str, int]:
    """The largest unit of which there is at least one, and how many are a day."""
    units = (("days", 1), ("hours", 24), ("minutes", 1440), ("seconds", 86_400))
    return next(((unit, n) for unit, n in units if days * n >= 1), units[-1])
