"""How is it said in English, how in Persian?

Takes keys of texts, numbers, days, and columns and values of the data; gives text in one language. The texts lie beside
this module in one file for each language.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import isfinite
from numbers import Integral
from pathlib import Path

import jdatetime
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, did_you_mean
from analysis.phrases import LANGUAGES, isolated, phrase, speaking, spoken, translated
from analysis.schema import BOUGHT, SCORE, THROUGH
from analysis.vocabulary import words

#: Amounts of money from here on are said in millions: whoever reads 12,345,678 counts the commas.
_LONG = 10_000_000

#: A number in a value of the data: a year, a bound of a band.
_FIGURE = r"\d(?:[\d,.]*\d)?"

_PREFIXES = (BOUGHT, THROUGH, SCORE)


def named(value: object, column: str = "") -> str:
    """A value of the data as the readers call it: in English, or where nobody knows it, as the data have it.

    Parameters
    ----------
    value, column
        As for :meth:`Locale.value`.

    Examples
    --------
    >>> named("product_view")
    'product_view'
    >>> with speaking("fa"):
    ...     named("female") == "زن"
    True

    Steps that follow one another are called one by one:

    >>> with speaking("fa"):
    ...     named("visit → order") == "بازدید ← سفارش"
    True
    """
    if spoken() == "en" or column == "column":  # what a column is called in the tables, to find it there
        return str(value)
    steps = [_known(step, column) for step in str(value).split(" → ")]
    return phrase(" → ").join(map(isolated, steps)) if len(steps) > 1 else steps[0]


def column_name(column: object) -> str:
    """A column of a table as the readers call it: in English as the data have it.

    Examples
    --------
    >>> column_name("birth_date")
    'birth_date'
    >>> with speaking("fa"):
    ...     column_name("birth_date") == "تاریخ تولد", column_name("Shoe_size") == "Shoe size"
    (True, True)
    """
    said = translated(str(column))
    return of(spoken()).concept(str(column)) if spoken() != "en" and said == str(column) else said


def day(of_year: date) -> str:
    """A day as the readers write it: in English 2026-03-20, in Persian in its own calendar.

    Examples
    --------
    >>> day(date(2026, 3, 20))
    '2026-03-20'
    >>> with speaking("fa"):
    ...     day(date(2026, 3, 20)) == "۲۹ اسفند ۱۴۰۴"
    True
    """
    return f"{of_year:%Y-%m-%d}" if spoken() == "en" else of(spoken()).date(of_year)


def retold(text: str, templates: Sequence[str]) -> str:
    """A text that was made from one of the templates and kept in English, in the language of the readers.

    In every place of the template stood a single word: a figure, a day, a column.

    Examples
    --------
    >>> retold("stops 40 days early", ("stops {days} days early",))
    'stops 40 days early'
    >>> with speaking("fa"):  # of a template without a translation only what stands in its places is translated
    ...     retold("stops on 2026-03-20", ("stops on {day}",)) == "stops on ۲۹ اسفند ۱۴۰۴"
    True
    """
    if spoken() == "en":
        return text
    for template in templates:
        parts = re.split(r"{(\w+)}", template)  # words and places in turn
        pattern = "".join(f"(?P<{part}>\\S+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        if found := re.fullmatch(pattern, text):
            return phrase(template, **{place: _in_place(said) for place, said in found.groupdict().items()})
    return text


def _known(value: str, column: str) -> str:
    """A value as the language calls it, or just as the data have it."""
    said = of(spoken()).value(value, column)
    return value if said == value.replace("_", " ") else said


def _in_place(text: str) -> str:
    """What stands in a template: a day, the name of a column, or a value."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return day(date.fromisoformat(text))
    return translated(text) if translated(text) != text else named(text)


@cache
def of(language: str) -> "Locale":
    """A language, with everything that it says.

    Parameters
    ----------
    language : {"en", "fa"}

    Returns
    -------
    Locale

    Raises
    ------
    Problem
        There is no such language here.

    Examples
    --------
    >>> of("fa").direction, of("en").percent(0.61)
    ('rtl', '61 %')
    """
    if language not in LANGUAGES:
        near = did_you_mean(str(language), LANGUAGES)
        raise Problem(f'There is no language "{language}".{near} There are: {", ".join(LANGUAGES)}.')
    return Locale(language, tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Locale:
    """A language: its texts, and how it writes figures, days and the values of the data. Made by :func:`of`.

    Attributes
    ----------
    language : {"en", "fa"}
    texts : dict
        The language's file: a section of texts by key each.
    """

    language: str
    texts: dict = field(repr=False, compare=False)

    @property
    def direction(self) -> str:
        """Which way it is written: "ltr" or "rtl"."""
        return self.texts["writing"]["direction"]

    def say(self, key: str, **given: object) -> str:
        """A text, with what is given in its places.

        Parameters
        ----------
        key : str
            Section and name, as "card.quote_note".
        **given
            What stands in the places {…} of the text. Whole numbers are written as :meth:`number` writes them, all
            else as it is: a figure with decimals, a share, a day or a year comes as text.

        Raises
        ------
        KeyError
            There is no such text, or a place has nothing to stand in it: a mistake in the program, not of its user.

        Examples
        --------
        >>> of("en").say("fallback.number", name="Shoe size", value=1042)
        'Shoe size: 1,042'
        """
        if not self.knows(key):
            known = [f"{section}.{name}" for section, texts in self.texts.items() for name in texts]
            raise KeyError(f'locale/{self.language}.toml has no text "{key}".{did_you_mean(key, known)}')
        section, name = key.split(".", 1)
        whole = {place: self.number(x) if isinstance(x, Integral) else self.isolated(x) for place, x in given.items()}
        return self.texts[section][name].format(**whole)

    def isolated(self, text: str) -> str:
        """Foreign text as it may stand in a sentence of a language from the right: what follows stays where it ends.

        Examples
        --------
        >>> of("en").isolated("Barg Online"), of("fa").isolated("Barg Online") == "\u2068Barg Online\u2069"
        ('Barg Online', True)
        """
        with speaking(self.language):
            return isolated(str(text))

    def knows(self, key: str) -> bool:
        """Whether there is such a text.

        Examples
        --------
        >>> of("en").knows("traits.weekend_share"), of("en").knows("traits.shoe_size"), of("en").knows("traits")
        (True, False, False)
        """
        section, _, name = key.partition(".")
        return isinstance(self.texts.get(section, {}).get(name), str)

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with its thousands apart; a dash for one that is not known.

        Examples
        --------
        >>> of("en").number(-1234.5, decimals=1), of("en").number(float("nan")), of("en").number(-0.2)
        ('−1,234.5', '–', '0')
        >>> of("fa").number(1234.5, decimals=1) == "۱٬۲۳۴٫۵"
        True
        """
        if not _is_known(value):
            return "–"
        text = f"{abs(value):,.{decimals}f}"
        return self._figure(("−" if value < 0 and re.search("[1-9]", text) else "") + text)

    def percent(self, share: float, decimals: int = 0) -> str:
        """A share in per cent, never rounded to none or to all.

        Examples
        --------
        >>> of("en").percent(0.614, decimals=1), of("en").percent(0.0001)
        ('61.4 %', '0.1 %')
        >>> of("fa").percent(0.61) == "۶۱٪"
        True
        """
        if not _is_known(share):
            return "–"
        with speaking("en"):
            figure = evidence.percent(share, decimals).removesuffix(" %")
        return self.say("writing.percent", figure=self._figure(figure))

    def money(self, amount: float, currency: str = "", decimals: int = 0) -> str:
        """An amount in the words of its currency; from ten million on in millions.

        Parameters
        ----------
        amount : float
        currency : str
            An ISO code or the base's own word.
        decimals : int
            Of amounts below ten million; above, three digits are said.

        Examples
        --------
        >>> of("en").money(1_200_000, "toman"), of("en").money(12_345_678, "IRR"), of("en").money(9.5, "", decimals=2)
        ('1,200,000 toman', '12.3 million rials', '9.50')
        >>> of("fa").money(12_345_678, "toman") == "۱۲٫۳ میلیون تومان"
        True
        """
        if not _is_known(amount):
            return "–"
        figure = self._short(amount) if abs(amount) >= _LONG else self.number(amount, decimals)
        return f"{figure} {self.texts['values_of']['currency'].get(currency.lower(), currency)}".rstrip()

    def date(self, day: date) -> str:
        """A day in the calendar of the language; a dash for one that is not known.

        Examples
        --------
        >>> of("en").date(date(2026, 3, 20))
        '20 March 2026'
        >>> of("fa").date(date(2026, 3, 20)) == "۲۹ اسفند ۱۴۰۴"
        True
        """
        if pd.isna(day):
            return "–"
        months = "months"
        if self.texts["writing"]["calendar"] == "jalali":
            day, months = jdatetime.date.fromgregorian(year=day.year, month=day.month, day=day.day), "jalali_months"
        return self.digits(f"{day.day} {self.texts[months][str(day.month)]} {day.year}")

    def digits(self, text: str) -> str:
        """The text with its digits as the language writes them.

        Examples
        --------
        >>> of("en").digits("C12"), of("fa").digits("C12") == "C۱۲"
        ('C12', True)
        """
        return str(text).translate(str.maketrans("0123456789", self.texts["writing"]["digits"]))

    def enumerated(self, parts: Sequence[str]) -> str:
        """Parts as one text.

        Examples
        --------
        >>> of("en").enumerated(["a", "b", "c"]), of("en").enumerated(["a"]), of("en").enumerated([])
        ('a, b and c', 'a', '')
        >>> of("fa").enumerated(["a", "b", "c"]) == "a، b و c"
        True
        """
        *first, last = parts or [""]
        writing = self.texts["writing"]
        return writing["comma"].join(first) + writing["and"] + last if first else last

    def several(self, sentences: Sequence[str]) -> str:
        """Sentences as one text, with semicolons.

        Examples
        --------
        >>> of("en").several(["a", "b"])
        'a; b'
        """
        return self.texts["writing"]["semicolon"].join(sentences)

    def value(self, text: object, column: str = "") -> str:
        """A value of the data as the language calls it; as it is, underscores as spaces, if nobody here knows it.

        Parameters
        ----------
        text : str
            As the data has it, in whichever case. Numbers in it may vary: "35 to 44", "Nowruz 1404".
        column : str
            Where the value stands, for those that mean something else there: school as an education.

        Examples
        --------
        >>> of("en").value("product_view"), of("en").value("sms"), of("en").value("Shoe_size 43")
        ('product view', 'SMS', 'Shoe size 43')
        >>> of("fa").value("female") == "زن", of("fa").value("35 to 44") == "۳۵ تا ۴۴"
        (True, True)
        """
        plain = str(text).replace("_", " ")
        known = self.texts["values"] | self.texts["values_of"].get(column, {})
        if plain.lower() in known and "#" not in plain:
            return known[plain.lower()]
        pattern = re.sub(_FIGURE, "#", plain.lower())
        if pattern not in known or "#" in plain:
            return plain
        figures = iter(re.findall(_FIGURE, plain))
        return re.sub("#", lambda _: self._as_written(next(figures)), known[pattern])

    def trait(self, column: str, value: str, level: str = "") -> str:
        """What a column of the profiles says of a group, as the predicate of a sentence about its persona.

        Parameters
        ----------
        column : str
        value : str
            The figure as it is to be read: of a number its mean, of a level the share of the group that has it.
        level : str
            The value of a text; "yes" of what is true or false; empty for a number.

        Examples
        --------
        >>> en = of("en")
        >>> en.trait("weekend_share", "61 %"), en.trait("gender", "62 %", "female"), en.trait("bought_novel", "61 %")
        ('Places 61 % of the orders at the weekend', '62 % are recorded as female', 'Buys “novel” in 61 % of all lines')
        >>> en.trait("shoe_size", "43"), en.trait("pet", "61 %", "cat"), en.trait("garden", "61 %", "yes")
        ('Shoe size: 43', '61 % have pet “cat”', '61 % have garden')
        """
        prefix, of_what = _parted(column)
        if prefix and level == "":
            return self.say(f"traits.{prefix}", value=value, of=self.value(of_what))
        sentence = self.texts["traits"].get(column, "")
        if _fits(sentence, column, level):
            return sentence.format(value=value, level=self.isolated(self.value(level, column)))
        plain = str(column).replace("_", " ")
        name = self.texts["concepts"].get(plain, plain)
        name = name[:1].upper() + name[1:] if level == "" else name
        kind = "number" if level == "" else "flag" if level == "yes" else "share"
        return self.say(f"fallback.{kind}", name=name, value=value, level=self.value(level, column))

    def concept(self, column: str) -> str:
        """What a column is about, for lists.

        Examples
        --------
        >>> of("en").concept("weekend_share"), of("en").concept("score_quality"), of("en").concept("shoe_size")
        ('buying at the weekend', 'quality', 'shoe size')
        """
        prefix, of_what = _parted(column)
        if prefix:
            return self.say(f"concepts.{prefix}", of=self.value(of_what))
        said = words(column)
        about = said.concept if said else str(column).replace("_", " ")
        return self.texts["concepts"].get(about, about)

    def noun(self, column: str) -> str:
        """What a column is called in figures and sentences: told apart from others of the same concept.

        Examples
        --------
        >>> of("fa").noun("n_orders") == of("fa").noun("orders_per_year")
        False
        """
        return self.texts["concepts"].get(str(column).replace("_", " ")) or self.concept(column)

    def called(self, how: str, column: str, level: str = "") -> str:
        """What a group is called for a column of the profiles, as part of its name.

        Parameters
        ----------
        how : {"little", "much", "more", "level"}
            Whether it has little or much of a number, more of a share than others, or mostly one level of a text.
        column : str
        level : str
            The value of a text; "yes" or "no" of what is true or false; empty for a number.

        Examples
        --------
        >>> en = of("en")
        >>> en.called("much", "age"), en.called("more", "bought_novel"), en.called("level", "city", "Yazd")
        ('older', 'more novel', 'in Yazd')
        >>> en.called("little", "shoe_size"), en.called("level", "pet", "cat"), en.called("level", "garden", "no")
        ('low shoe size', 'pet cat', 'not garden')
        >>> of("fa").called("much", "age") == "مسن‌تر"
        True
        """
        prefix = next((p for p in _PREFIXES if str(column).startswith(p)), "")
        key, value = f"{how}.{prefix or column}", self._in_names(level, column)
        if self.knows(key):
            said = self.say(key, level=value, of=self._in_names(str(column).removeprefix(prefix)))
        elif how != "level":
            said = self.say("group.low" if how == "little" else "group.high", name=self._plain_name(column))
        elif words(column):
            said = value
        elif level in ("yes", "no"):
            said = self._plain_name(column)
        else:
            said = self.say("group.level", name=self._plain_name(column), level=value)
        return self.say("group.no", name=said) if level == "no" else self.isolated(said)

    def _in_names(self, value: str, column: str = "") -> str:
        """A value in the name of a group; in English as the data have it, so that a group is called as ever."""
        return value if self.language == "en" else self.value(value, column)

    def _plain_name(self, column: str) -> str:
        """A column in the name of a group, in English as figures say it."""
        return evidence.in_words(column) if self.language == "en" else self.concept(column)

    def _figure(self, text: str) -> str:
        """A figure written the English way, in the language's digits and marks."""
        writing = self.texts["writing"]
        marks = str.maketrans({",": writing["thousands"], ".": writing["decimal"], "−": writing["minus"]})
        return self.digits(text.translate(marks))

    def _short(self, amount: float) -> str:
        """Three digits and a word: 12.3 million."""
        with speaking("en"):
            figure, _, word = evidence.short(amount).partition(" ")
        return f"{self._figure(figure)} {self.texts['writing'][word]}" if word else self._figure(figure)

    def _as_written(self, figure: str) -> str:
        """A number of a value: round millions with their commas are said short; codes and years stay whole."""
        digits = figure.replace(",", "")
        is_round = len(digits.rstrip("0")) <= 3 and 6 < len(digits) < 16
        return self._short(float(digits)) if "," in figure and is_round and digits.isdigit() else self._figure(figure)


def _is_known(number: float | None) -> bool:
    return not pd.isna(number) and isfinite(number)


def _fits(sentence: str, column: str, level: str) -> bool:
    """Whether a sentence is of a number where there is one, of a level where there is one, and of a flag that is true.

    A base may have a column of its own under our name and of another kind.
    """
    said = words(column)
    of_number = said.unit != "" if said else "{level}" not in sentence
    return sentence != "" and of_number == (level == "") and (of_number or "{level}" in sentence or level == "yes")


def _parted(column: str) -> tuple[str, str]:
    """A column of a family by its prefix and what it is of: bought_novel is of the novel.

    Examples
    --------
    >>> _parted("score_price_consciousness"), _parted("n_orders")
    (('score_', 'price consciousness'), ('', 'n_orders'))
    """
    prefix = next((p for p in _PREFIXES if str(column).startswith(p)), "")
    return prefix, str(column).removeprefix(prefix).replace("_", " ") if prefix else str(column)
