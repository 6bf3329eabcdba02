"""In which language do readers read here, and how is a sentence said in it?

Sentences stand in the code in English, as templates: ``phrase("{n:,} customers", n=n)`` says one in the language that
was set with :func:`speak`. Translations are gettext catalogues, `locale/fa/<concept>.po`, keyed by the English
sentence; what has none is said in English. ``tests/renew_translations.py`` keeps the catalogues in step with the code
and the notebooks.
"""

import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from numbers import Number
from pathlib import Path

from analysis.errors import Problem, did_you_mean

LANGUAGES = ("en", "fa")

#: Letters that are read from the right: Hebrew, Arabic, Persian.
FROM_THE_RIGHT = "[\u0590-\u08ff\ufb1d-\ufefc]"

#: A number as English writes it, with its sign and its per cent: "−1,234.5", "61 %".
_FIGURE = re.compile(r"(?<![A-Za-z\d_.#])(?P<sign>[-−+]?)(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<percent> ?%)?(?![A-Za-z_])")
_PERSIAN = {"digits": str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫"), "percent": "٪"}
_PERSIAN |= {"-": "\u200e−", "−": "\u200e−", "+": "\u200e+", "": ""}  # the mark keeps the sign left of the digits

#: A text that the mark of a negative number would turn to run from the left, as no letter stands before it.
_TURNED = re.compile(r"[^A-Za-zآ-ی\u200e\u200f\u2068]*\u200e.*[آ-ی]", re.DOTALL)

_spoken = "en"


def speak(language: str) -> None:
    """Set the language in which readers read, for the whole process: a notebook's, a report's.

    Raises
    ------
    Problem
        There is no such language here.
    """
    global _spoken  # one process makes one book; passing the language through every figure would serve nobody
    if language not in LANGUAGES:
        near = did_you_mean(str(language), LANGUAGES)
        raise Problem(f'There is no language "{language}".{near} There are: {", ".join(LANGUAGES)}.')
    _spoken = language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have readers read another language for a while.

    Examples
    --------
    >>> with speaking("fa"):
    ...     figure("1,234") == "۱٬۲۳۴"
    True
    """
    before = _spoken
    speak(language)
    try:
        yield
    finally:
        speak(before)


def spoken() -> str:
    """The language in which readers read: "en" or "fa".

    Examples
    --------
    >>> spoken()
    'en'
    """
    return _spoken


def from_the_right() -> bool:
    """Whether it is written from right to left, and time with it."""
    return _spoken == "fa"


def phrase(said: str, /, **given: object) -> str:
    """A sentence, or a part that stands by itself, in the language of the readers.

    Parameters
    ----------
    said : str
        In English, a template as of :meth:`str.format`: it is what the catalogues are keyed by, so it is written out
        where it is said, never put together.
    **given
        What stands in its places. Numbers are written with the language's digits and marks, as the place's format says;
        names from the data are kept from turning a sentence round.

    Examples
    --------
    >>> phrase("{n:,} customers bring {share:.1%} of it", n=1234, share=0.25)
    '1,234 customers bring 25.0% of it'
    >>> with speaking("fa"):
    ...     phrase("{n:,}", n=1234) == "۱٬۲۳۴"
    True
    """
    text = _Localised().vformat(_translations(_spoken).get(said, said), (), given)
    return f"\u200f{text}" if from_the_right() and _TURNED.match(text) else text


def marked(said: str) -> str:
    """A phrase that is said elsewhere, by a name: this marks it for the catalogues.

    Examples
    --------
    >>> titles = {"funnel": marked("The funnel")}
    >>> phrase(titles["funnel"])
    'The funnel'
    """
    return said


def translated(text: str) -> str:
    """A text that is no template, such as a notebook's prose, in the language of the readers.

    Examples
    --------
    >>> translated("Braces {stay} as they are.")
    'Braces {stay} as they are.'
    """
    return _translations(_spoken).get(text.strip(), text)


def counted(n: float, noun: str, nouns: str = "") -> str:
    """So many of something; the plural is given where it is not the noun with an s.

    Examples
    --------
    >>> counted(1, "customer"), counted(1234, "customer"), counted(2, "country", "countries")
    ('1 customer', '1,234 customers', '2 countries')
    """
    if _spoken != "en":  # a noun after a number has no plural in Persian
        return f"{figure(f'{n:,.0f}')} {phrase(noun)}"
    return f"{n:,.0f} {noun if n == 1 else nouns or noun + 's'}"


def figure(text: str) -> str:
    """Numbers that stand in a text, written the English way, with the digits and marks of the readers.

    Examples
    --------
    >>> figure("−1,234.5"), figure("61 %")
    ('−1,234.5', '61 %')
    >>> with speaking("fa"):
    ...     figure("12.5 to 61 %") == "۱۲٫۵ to ۶۱٪", figure("id12") == "id12"
    (True, True)
    """
    return _FIGURE.sub(_as_persian, text) if _spoken == "fa" else text


def isolated(text: str) -> str:
    """Foreign text as it may stand in a sentence from the right: what follows stays where it ends.

    Examples
    --------
    >>> isolated("Barg Online")
    'Barg Online'
    >>> with speaking("fa"):
    ...     isolated("Barg Online") == "\\u2068Barg Online\\u2069"
    True
    """
    foreign = from_the_right() and re.search("[A-Za-z]", text) and not re.search(FROM_THE_RIGHT, text)
    return f"\u2068{text}\u2069" if foreign and "\u2068" not in text else text


class _Localised(string.Formatter):
    """Numbers in the language's digits, foreign names isolated."""

    def format_field(self, value: object, spec: str) -> str:
        text = format(value, spec)
        is_number = isinstance(value, Number) and not isinstance(value, bool)
        return figure(text) if is_number else isolated(text)


def _as_persian(found: re.Match) -> str:
    return (
        _PERSIAN[found["sign"]]
        + found["digits"].translate(_PERSIAN["digits"])
        + (_PERSIAN["percent"] if found["percent"] else "")
    )


@cache
def _translations(language: str) -> dict[str, str]:
    """English → the language, of all catalogues."""
    if language == "en":
        return {}
    from babel.messages.pofile import read_po  # here: English needs none

    found = {}
    for file in sorted((Path(__file__).parent / "locale" / language).glob("*.po")):
        with file.open("rb") as f:
            found |= {m.id: m.string for m in read_po(f, locale=language) if m.id and m.string}
    return found
