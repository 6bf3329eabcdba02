"""In Persian, the bookshop is the same bookshop: every word for readers is Persian, every code stays."""

import re

import pandas as pd
import pytest

from analysis import bookshop
from analysis.bookshop import catalogue, records
from analysis.bookshop import persian as words
from analysis.bookshop.defects import plant
from analysis.bookshop.persian import PEOPLE, SHOWN, TITLES, WORDS, in_persian

LATIN, PERSIAN = "[A-Za-z]", "[\u0600-\u06ff]"
HALF_SPACE = "\u200c"


@pytest.fixture(scope="module")
def english():
    return bookshop.build(customers=2000, seed=1)


@pytest.fixture(scope="module")
def persian(english):
    return in_persian(english)


def words_in(table, column):
    return table[column].explode().dropna() if table[column].map(type).eq(list).all() else table[column].dropna()


def test_no_latin_word_is_left_where_readers_look(persian):
    seen = 0
    for name, table in persian.tables.items():
        for column in set(table) & set(SHOWN):
            words = words_in(table, column)
            assert not words.str.contains(LATIN).any(), (name, column, words[words.str.contains(LATIN)].iloc[0])
            seen += len(words)
    assert seen > 100_000


def test_no_column_of_words_was_forgotten(english):
    # Whatever is text and neither id, code nor address is translated.
    codes = {"event", "stage", "phase", "status", "kind", "outcome", "instrument", "variant", "email", "phone"}
    for name, table in english.tables.items():
        for column in table.columns.difference([*SHOWN, *codes]):
            first = words_in(table, column).iloc[0]
            assert not isinstance(first, str) or re.fullmatch(r"[A-Z]\d*", first), (name, column, first)


def test_everything_else_stays(english, persian):
    for name, table in english.tables.items():
        others = [column for column in table if column not in SHOWN]
        pd.testing.assert_frame_equal(persian.tables[name][others], table[others])
        assert persian.tables[name].isna().equals(table.isna())
        assert persian.tables[name].dtypes.equals(table.dtypes)
    codes = [column for column in english.truth["customers"] if column not in SHOWN]
    pd.testing.assert_frame_equal(persian.truth["customers"][codes], english.truth["customers"][codes])


def test_words_that_differ_stay_different(english, persian):
    for name, table in english.tables.items():
        for column in set(table) & set(SHOWN):
            pairs = pd.DataFrame({"en": words_in(table, column), "fa": words_in(persian.tables[name], column)})
            if name == "products" and column == "name":
                continue  # two genres may have one title
            assert pairs.groupby("fa")["en"].nunique().max() == 1, (name, column)


def test_findings_speak_the_language_of_the_tables(english, persian):
    assert persian.findings[0]["channel"] == "اپلیکیشن"
    assert persian.findings[0]["persona"] == english.findings[0]["persona"]
    assert persian.findings[0]["channel"] in set(persian.tables["touchpoints"]["channel"])


def test_names_fit_addresses_and_titles_read_as_persian_titles_do(english, persian):
    people = persian.tables["customers"].query("kind == 'person' and email.notna()")
    given = people["email"].str.partition(".")[0].str.capitalize()
    assert given.map(PEOPLE).tolist() == people["name"].str.partition(" ")[0].tolist()
    assert words._customer("Azadeh Kazemi") == "آزاده کاظمی"
    titles = dict(zip(english.tables["products"]["name"], persian.tables["products"]["name"], strict=True))
    expected = {
        "The Blue House": "خانهٔ آبی",  # the noun first, and its ezafe written
        "The Other Bridge": "پل دیگر",
        "The Last Window": "آخرین پنجره",
        "Where Is the Fox": "روباه کجاست؟",
        "My First Hedgehog": "اولین جوجه‌تیغی من",
        "Advanced Algorithms": "الگوریتم‌های پیشرفته",
    }
    for title, wanted in expected.items():
        assert words._title(genre_of(title), title) == wanted
        assert titles.get(title, wanted) == wanted


def genre_of(title):
    return next(g for g, (firsts, _) in TITLES.items() if any(title.startswith(f"{first} ") for first in firsts))


def test_every_part_of_every_title_and_every_name_has_its_word():
    for genre, spelled in catalogue.GENRES.items():
        firsts, seconds = TITLES[genre]
        assert set(spelled.first.split("|")) == set(firsts), genre
        assert set(spelled.second.split("|")) == set(seconds), genre
    names = f"{records.WOMEN} {records.MEN} {records.FAMILIES}".split()
    assert set(names) <= set(PEOPLE)
    assert len({PEOPLE[name] for name in names}) == len(set(names))


def test_the_vocabulary_is_spelt_in_persian_letters():
    titles = [word for firsts, seconds in TITLES.values() for word in (*firsts.values(), *seconds.values())]
    for word in (*WORDS.values(), *PEOPLE.values(), *titles):
        assert re.search(PERSIAN, word), word
        assert not re.search(LATIN + "|[يك0-9٠-٩]", word), f"{word}: letters and digits of other keyboards"
        assert word == word.strip()
        assert "  " not in word
        assert not re.search(rf"^{HALF_SPACE}|{HALF_SPACE}$|{HALF_SPACE}[ {HALF_SPACE}]| {HALF_SPACE}", word), word
        assert not re.search(r"(^|\s)(می|نمی) |\sها(ی)?(\s|$)", word), f"{word}: a half-space belongs there"


def test_duplicates_in_persian_have_arabic_letters_and_half_spaces(persian):
    told = plant(persian, rate=0.2, seed=1).truth["defects"].query("kind == 'duplicate person' and column == 'name'")
    ways = told.groupby("way")["planted_value"].agg(list)
    assert {"Arabic letters", "half-space", "name order", "spelling", "typo"} == set(ways.index)
    assert all(re.search("[يك]", name) for name in ways["Arabic letters"])
    assert all(HALF_SPACE in name and " " not in name for name in ways["half-space"])
    same = told.query("way == 'Arabic letters'")
    folded = same["planted_value"].str.replace("ي", "ی").str.replace("ك", "ک")
    assert folded.tolist() == same["true_value"].tolist()
