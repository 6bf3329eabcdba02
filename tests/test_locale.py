"""The two languages say the same things, and each as its readers write."""

import string
from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import locale
from analysis.bookshop import persian
from analysis.errors import Problem
from analysis.schema import BOUGHT, SCORE, THROUGH
from analysis.vocabulary import WORDS

EN, FA = locale.of("en"), locale.of("fa")

#: Sections that English need not fill: it says values and concepts as the data and the vocabulary have them.
OWN = ("values", "values_of", "concepts")

#: Texts that others have written in English and that wait for their Persian.
WITHOUT_PERSIAN = set()


def texts(language):
    return {
        f"{section}.{name}": text
        for section, of in language.texts.items()
        if section not in OWN
        for name, text in of.items()
    }


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_both_languages_have_the_same_texts_with_the_same_places():
    english, farsi = texts(EN), texts(FA)
    assert english.keys() - farsi.keys() == WITHOUT_PERSIAN
    assert not farsi.keys() - english.keys()
    assert {key: places(text) for key, text in english.items() if key in farsi} == {
        key: places(text) for key, text in farsi.items()
    }


def test_no_text_is_empty():
    for language in (EN, FA):
        for section, of in language.texts.items():
            for name, text in of.items():
                assert str(text).strip(), f"{language.language}: {section}.{name}"
