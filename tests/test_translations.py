"""Does the book say in Persian all that it says in English, and in good Persian?"""

import re
import string

import pytest

from analysis.phrases import counted, figure, phrase, speaking, translated
from tests.renew_translations import CATALOGUES, ROOT, read, said

SAID = said()
CONCEPTS = sorted(SAID)
#: Written with a half-space or not at all: "می شود", "مشتری ها".
_LOOSE = re.compile(r"(?<![\w\u200c])(می|نمی) [\u0600-\u06ff]|[\u0600-\u06ff] (ها|های|هایی|تر|ترین)(?![\w\u200c])")
#: What is no prose: code, addresses, markup, a name in Latin letters with its digits.
_NO_PROSE = re.compile(r"`[^`]*`|{[^{}]*}|<[^>]*>|\]\([^)]*\)|https?:\S+|[A-Za-z][\w.&+-]*|&\w+;|&#\d+;|#\w+")


def test_every_concept_has_its_catalogue_and_no_other_has_one():
    assert {f.stem for f in CATALOGUES.glob("*.po")} == {*CONCEPTS, "columns"}


@pytest.mark.parametrize("concept", CONCEPTS)
def test_nothing_is_untranslated_and_nothing_stale(concept):
    catalogue = {m.id: m.string for m in read(concept) if m.id}
    missing = [text for text in SAID[concept] if not catalogue.get(text)]
    stale = sorted(catalogue.keys() - SAID[concept].keys())
    assert not missing, "run tests/renew_translations.py and translate: " + "\n".join(missing)
    assert not stale, "run tests/renew_translations.py: " + "\n".join(stale)
    assert not [m.id for m in read(concept) if m.id and m.fuzzy]


@pytest.mark.parametrize("concept", [*CONCEPTS, "columns"])
def test_a_translation_has_the_places_of_its_source(concept):
    for message in (m for m in read(concept) if m.id):
        if "\n" not in message.id:  # a notebook's prose has no places
            assert _names(message.string) == _names(message.id), message.id


@pytest.mark.parametrize("concept", [*CONCEPTS, "columns"])
def test_persian_is_written_as_persian(concept):
    for message in (m for m in read(concept) if m.id):
        prose = _NO_PROSE.sub(" ", message.string)
        assert not re.search("[0-9]", prose), f"a Latin digit: {message.string}"
        assert not re.search("[يكة٠-٩]", prose), f"an Arabic letter or digit: {message.string}"
        assert not re.search(r"[,;?]", prose), f"a Latin mark: {message.string}"
        assert not _LOOSE.search(prose), f"a half-space is missing: {message.string}"
        assert re.search("[\u0600-\u06ff]", message.string) or not re.search("[A-Za-z]{3}", prose), message.string


def test_columns_that_no_table_has_are_not_kept():
    code = "".join(f.read_text(encoding="utf-8") for f in (ROOT / "src" / "analysis").rglob("*.py"))
    code += "".join(f.read_text(encoding="utf-8") for f in (ROOT / "notebooks").glob("*.ipynb"))
    words = set(re.findall(r"\w+", code))
    assert not [m.id for m in read("columns") if m.id and m.id not in words]


def test_what_is_not_translated_is_said_in_english_with_persian_digits():
    with speaking("fa"):
        assert phrase("never said {n:,} times", n=1234) == "never said ۱٬۲۳۴ times"
        assert translated("never said either") == "never said either"
        assert counted(3, "never") == "۳ never"


@pytest.mark.parametrize(
    ("english", "persian"),
    [
        ("1,234.5", "۱٬۲۳۴٫۵"),
        ("−3", "\u200e−۳"),
        ("61 %", "۶۱٪"),
        ("customer_12", "customer_12"),
        ("C12", "C12"),
    ],
)
def test_figures_are_turned_and_names_are_not(english, persian):
    with speaking("fa"):
        assert figure(english) == persian


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
