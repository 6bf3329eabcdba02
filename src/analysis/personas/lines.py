"""How a trait is said on a card: the sentence, its evidence, and what a list calls it.

Takes rows of traits and a language. Gives text, and decides nothing about what is told.
"""

import numpy as np
import pandas as pd

from analysis.personas.likeness import line_id
from analysis.vocabulary import words


def line(row, locale, currency="", mark=None):
    """A trait as a line of a card.

    Parameters
    ----------
    row : row of traits
    locale : Locale
    currency : str
    mark : str, optional
        The line's number in the evidence.

    Returns
    -------
    dict
        id, text, detail (everybody else, and of how many customers it is known), kind, mark, question, effect, warning.
    """
    detail = locale.say("card.n", n=int(row.n))
    if not pd.isna(row.elsewhere) and row.measure != "rival":
        detail = locale.say("card.elsewhere_n", elsewhere=figures(row, locale, currency)[1], n=int(row.n))
    effect = None if pd.isna(row.effect) else round(float(row.effect), 3)
    return {
        **{"id": line_id(row), "text": sentence(row, locale, currency), "detail": detail, "kind": row.kind},
        **{"mark": mark, "question": None, "effect": effect, "warning": None},
    }


def assumed(key, locale, of=""):
    """Something that is not measured, as a line with the question to ask customers."""
    return {
        **{"id": f"assumption {key}", "text": locale.say(f"assumptions.{key}", of=of), "detail": None},
        **{"kind": "assumption", "mark": None, "question": locale.say(f"questions.{key}", of=of)},
        **{"effect": None, "warning": None},
    }


def sentence(row, locale, currency=""):
    """A trait as a sentence about its persona."""
    value, elsewhere, *_ = figures(row, locale, currency)
    if row.measure == "profile":
        return locale.trait(row.trait, value, row.level)
    given = {"value": value, "of": what(row, locale), "elsewhere": elsewhere, "level": locale.value(row.level)}
    return locale.say(f"measures.{row.measure}", **given, top=locale.number(getattr(row, "top", 5) or 5))


def changed(row, locale, currency=""):
    """A trait that changed since another time, as a sentence.

    Parameters
    ----------
    row : row of the traits of a :class:`analysis.personas.Drift`
    """
    said = words(row.trait)
    share = row.kind == "share" or (said is not None and said.unit == "share") or row.trait == "size"
    before, now = (
        locale.percent(x)
        if share
        else locale.money(_three_digits(x), currency)
        if said is not None and said.unit == "money"
        else locale.number(x, 0 if abs(x) >= 100 else 1)
        for x in (row.before, row.value)
    )
    name = locale.say("refresh.size") if row.trait == "size" else locale.concept(row.trait)
    name = f"{name}: {locale.value(row.level, row.trait)}" if row.level not in ("", "yes") else name
    return locale.say("refresh.changed", name=name, before=before, now=now)


def about(row, locale):
    """What a trait is about, for a list."""
    if row.measure == "profile":
        return locale.concept(row.trait)
    return locale.say(f"measured.{row.measure}", of=what(row, locale))


def what(row, locale):
    """What a trait is of, in the language: a level or a category, a month, a contact by its event and channel."""
    if row.measure == "profile":
        return locale.value(row.level or row.trait.split("_", 1)[-1], row.trait)
    if row.measure == "month":
        calendar = {"j": "jalali_months", "g": "months"}[row.of[0]]
        return locale.say(f"{calendar}.{row.of[1:]}")
    if row.measure in ("met", "followed"):
        event, channel = row.of.split(" · ", 1)[1].rsplit(" · ", 1)  # an event may have a dot of its own
        return _contact(event, channel, locale)
    # a rival's name is nobody's to change, save for the letters it is written in
    return row.of if row.measure == "rival" and locale.language == "en" else locale.value(row.of)


def _contact(event, channel, locale):
    """An event and its channel as one thing: "visit (web)", and once where both are the same."""
    event, channel = locale.value(event), locale.value(channel)
    return event if not channel or channel.lower() in event.lower() else f"{event} ({channel})"


def figures(row, locale, currency=""):
    """Value, elsewhere, low and high as text, with as many decimals as it takes to see the difference."""
    share = row.unit == "share"
    numbers = [100 * x if share else x for x in (row.value, row.elsewhere, row.low, row.high)]
    known = [abs(x) for x in numbers[:2] if not np.isnan(x)]
    decimals = 0 if share or max(known, default=0) >= 100 else 1 if max(known, default=0) >= 1 else 2
    while row.distinctive and decimals < 4 and len({round(x, decimals) for x in known}) < len(set(known)):
        decimals += 1
    low, high = (locale.number(x, _seen(numbers[2:], decimals)) for x in numbers[2:])
    if share:
        return *(locale.percent(x, decimals) for x in (row.value, row.elsewhere)), low, high
    if row.unit == "money":
        return *(locale.money(_three_digits(x), currency, decimals) for x in numbers[:2]), low, high
    return *(locale.number(x, decimals) for x in numbers[:2]), low, high


def _seen(bounds, decimals):
    """As many decimals as it takes that no bound beside zero is written as zero."""
    while decimals < 4 and any(x != 0 and round(x, decimals) == 0 for x in bounds):
        decimals += 1
    return decimals


def _three_digits(amount):
    """An amount of money to three digits that count: nobody needs a mean to the last toman.

    Examples
    --------
    >>> _three_digits(667_701.0), _three_digits(12.345)
    (668000.0, 12.3)
    """
    return float(f"{amount:.3g}")


def evidence_row(mark, text, row, locale, currency=""):
    """A line of the appendix: mark, statement, customers, here, elsewhere, difference, interval, source."""
    value, elsewhere, low, high = figures(row, locale, currency)
    apart = not pd.isna(row.difference)
    difference = locale.number(100 * row.difference if row.unit == "share" else row.difference, _decimals(row))
    interval = locale.say("card.interval", low=low, high=high)
    points = f" {locale.say('card.points')}" if row.unit == "share" else ""
    return [
        *(mark, text, locale.number(row.n), value, elsewhere if not pd.isna(row.elsewhere) else "–"),
        *(
            f"{difference}{points}" if apart else "–",
            interval if not pd.isna(row.low) else "–",
            locale.value(row.source),
        ),
    ]


def _decimals(row):
    largest = abs(100 * row.difference if row.unit == "share" else row.difference)
    return 0 if largest >= 100 or row.unit == "share" else 1 if largest >= 1 else 2
