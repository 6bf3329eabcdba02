"""The two languages say the same things, and each as its readers write."""

import re
import string
import tomllib
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import bookshop, evidence, locale
from analysis.bookshop.persian import WORDS as BOOKSHOP
from analysis.errors import Problem
from analysis.schema import BOUGHT, SCORE, THROUGH
from analysis.vocabulary import WORDS

EN, FA = locale.of("en"), locale.of("fa")
HALF_SPACE = "\u200c"

#: Sections in which English may lack what Persian has: it says values and concepts as data and vocabulary have them.
OF_PERSIAN = ("values", "values_of", "concepts")

#: Texts that stand in English and wait for their Persian.
WITHOUT_PERSIAN = set()


def texts(language, but=()):
    """Every text of a language under its section and name."""
    return {
        f"{section}.{name}": text
        for section, of in language.texts.items()
        if section not in but
        for name, text in of.items()
    }


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def said_in_persian():
    """Every Persian text, those of single columns too."""
    for key, text in texts(FA).items():
        yield from text.items() if isinstance(text, dict) else [(key, text)]


def test_both_languages_have_the_same_texts():
    english, persian = texts(EN, but=OF_PERSIAN), texts(FA, but=OF_PERSIAN)
    assert english.keys() - persian.keys() == WITHOUT_PERSIAN
    assert persian.keys() - english.keys() == set()
    assert EN.texts["concepts"].keys() <= FA.texts["concepts"].keys()


def test_both_languages_have_the_same_places_in_each_text():
    english, persian = texts(EN, but=OF_PERSIAN[:2]), texts(FA, but=OF_PERSIAN[:2])
    for key in english.keys() & persian.keys():
        assert places(english[key]) == places(persian[key]), key


def test_no_text_is_empty():
    for language in (EN, FA):
        for key, text in texts(language).items():
            assert text, key
            assert isinstance(text, dict) or text.strip(), key


def test_every_column_that_the_vocabulary_knows_has_a_sentence_and_a_concept():
    sentences = {*WORDS, BOUGHT, THROUGH, SCORE}
    assert EN.texts["traits"].keys() == sentences
    for column, said in WORDS.items():
        wanted = ["value"] if said.unit or column == "uses_preferred_channel" else ["level", "value"]
        assert places(EN.texts["traits"][column]) == wanted, column
    assert FA.texts["concepts"].keys() >= {said.concept for said in WORDS.values()} | {BOUGHT, THROUGH, SCORE}


def test_every_number_has_words_for_little_and_much_and_every_share_of_a_whole_for_more():
    numbers = {column for column, said in WORDS.items() if said.unit} | {BOUGHT, THROUGH}
    for language in (EN, FA):
        assert language.texts["little"].keys() == language.texts["much"].keys() == numbers
        assert language.texts["more"].keys() == {BOUGHT, THROUGH}
        assert language.texts["level"].keys() <= WORDS.keys() - numbers
        for column in numbers:  # nobody is called the same for little as for much
            assert language.texts["little"][column] != language.texts["much"][column], column


def test_columns_that_name_alike_in_english_name_alike_in_persian():
    # three columns are of the use of discounts: a group must not be called by two of them in one language only
    for how in ("little", "much"):
        english, persian = EN.texts[how], FA.texts[how]
        for one in english:
            for other in english:
                assert english[one] != english[other] or persian[one] == persian[other], (how, one, other)


def test_a_group_is_called_by_what_it_has():
    assert EN.called("much", "bought_novel") == "buying novel"
    assert FA.called("much", "bought_novel") == "خرید «رمان»"
    assert FA.called("more", "through_web") == "خرید بیشتر از کانال «وب‌سایت»"
    assert FA.called("level", "occupation", "retired") == "بازنشسته"
    assert FA.called("level", "education", "school") == "زیر دیپلم"  # of this column, not the building
    assert FA.called("level", "city", "Ribe") == "ساکن \u2068Ribe\u2069"
    assert FA.called("level", "uses_preferred_channel", "no") == "بدون خرید از کانال دلخواه"


def test_a_group_is_called_by_columns_that_nobody_here_knows_too():
    assert EN.called("much", "n_children") == "high number of children"
    assert EN.called("much", "more") == "high more"  # nor is it taken for a section of texts
    assert FA.called("little", "score_quality") == "کیفیت‌خواهی پایین"
    assert [FA.called("level", "garden", level) for level in ("yes", "no")] == [
        "\u2068garden\u2069",
        "بدون \u2068garden\u2069",
    ]
    assert EN.called("level", "pet", "{cat}") == "pet {cat}"  # braces of the data are no places


@given(st.text().filter(lambda column: column not in WORDS and not column.startswith((BOUGHT, THROUGH))), st.text())
def test_in_english_names_columns_and_values_stay_as_the_data_have_them(column, value):
    assert EN.called("much", column) == f"high {evidence.in_words(column)}"
    assert EN.called("level", "gender", f"{value}_x") == f"{value}_x"
    assert EN.called("little", f"{BOUGHT}{value}") == f"little {value}"


def test_persian_is_spelt_in_persian_letters():
    keys_that_are_marks = {"writing.minus", "writing.comma", "writing.direction", "writing.calendar", "values.#"}
    abbreviations = {"values.nps", "values.csat", "values.ces"}
    for key, text in said_in_persian():
        if key in keys_that_are_marks | abbreviations:
            continue
        text = re.sub(r"\{\w*\}", "۱", text)
        assert not re.search("[A-Za-z0-9يك٠-٩]", text), f"{key}: {text}: letters and digits of other keyboards"
        assert "  " not in text
        assert not re.search(rf"^{HALF_SPACE}|{HALF_SPACE}$|{HALF_SPACE}[ {HALF_SPACE}]| {HALF_SPACE}", text), text
        assert not re.search(r"(^|\s)(می|نمی) |\sها(ی)?(\s|$)", text), f"{key}: {text}: a half-space belongs there"


def test_values_are_found_however_the_data_write_them():
    for language in (EN, FA):
        for section in (language.texts["values"], *language.texts["values_of"].values()):
            assert all(key == key.lower().replace("_", " ").strip() for key in section)
            assert all(key.count("#") == said.count("#") for key, said in section.items())
    assert FA.value("Female") == FA.value("FEMALE") == "زن"
    assert FA.value("product_view") == FA.value("product view") == "دیدن محصول"


def test_the_bookshop_is_called_alike_in_its_tables_and_on_a_card():
    values = FA.texts["values"]
    for word, said in BOOKSHOP.items():
        assert values.get(word.lower(), said) == said or word == "ages 8 to 12", word
    assert FA.value("ages 8 to 12") == BOOKSHOP["ages 8 to 12"]
    assert FA.value("school") == "مدرسه"
    assert FA.value("school", "education") == "زیر دیپلم"


def test_every_value_that_a_card_of_the_bookshop_shows_has_its_persian():
    proper = {"name", "text", "till", "owner", "email", "phone", "product"}  # names of people and things, and remarks
    proper |= {"brand"}  # of publishers
    codes = {"newsletter_layout", "instrument"}  # A and B; NPS, CSAT, CES
    seen = 0
    for table in bookshop.build(customers=500, seed=1).tables.values():
        for column in [c for c in table if not c.endswith("_id") and c not in proper | codes]:
            values = table[column].explode().dropna().unique()
            for value in [v for v in values if isinstance(v, str)]:
                assert re.search("[\u0600-\u06ff]", FA.value(value, column)), f"{column}: {value}"
                seen += 1
    assert seen > 200


def test_a_number_is_written_as_its_readers_write_it():
    assert EN.number(1234.5, decimals=1) == "1,234.5"
    assert FA.number(1234.5, decimals=1) == "۱٬۲۳۴٫۵"
    assert EN.number(-1234567) == "−1,234,567"
    assert FA.number(-3) == "\u200e−۳"  # the mark of direction keeps the sign on the left
    assert EN.number(-0.04, decimals=1) == "0.0"  # no sign before nothing
    for nothing in (None, np.nan, pd.NA, np.inf):
        assert EN.number(nothing) == EN.percent(nothing) == EN.money(nothing, "EUR") == "–"
        assert FA.number(nothing) == FA.percent(nothing) == FA.money(nothing, "EUR") == "–"
    assert EN.date(pd.NaT) == FA.date(None) == "–"


@given(st.floats(-1e15, 1e15), st.integers(0, 4))
def test_a_number_can_be_read_back_in_either_language(value, decimals):
    for language in (EN, FA):
        text, writing = language.number(value, decimals), language.texts["writing"]
        for mark, plain in (("minus", "-"), ("thousands", ""), ("decimal", ".")):
            text = text.replace(writing[mark], plain)
        assert float(text) == float(f"{value:.{decimals}f}")


def test_a_share_is_never_rounded_to_none_or_to_all():
    assert [EN.percent(x) for x in (0.61, 0.0002, 0.9999, 0, 1)] == ["61 %", "0.1 %", "99.9 %", "0 %", "100 %"]
    assert [FA.percent(x) for x in (0.61, 0.0002)] == ["۶۱٪", "۰٫۱٪"]


def test_money_is_said_in_millions_once_it_is_long():
    assert EN.money(9_999_999, "toman") == "9,999,999 toman"
    assert EN.money(10_000_000, "toman") == "10 million toman"
    assert EN.money(-12_345_678, "toman") == "−12.3 million toman"
    assert EN.money(12.5, "monetary units", decimals=2) == "12.50 monetary units"
    assert FA.money(1_200_000, "IRT") == "۱٬۲۰۰٬۰۰۰ تومان"
    assert FA.money(2_500_000_000, "rial") == "۲٫۵ میلیارد ریال"
    assert FA.money(3e12, "rial") == "۳ هزار میلیارد ریال"
    assert EN.money(12, "") == "12"


def test_a_day_is_said_in_the_calendar_of_its_readers():
    # Iran's year 1404 ended on 20 March 2026; 1403 was a leap year with a thirtieth of Esfand
    assert EN.date(date(2026, 3, 20)) == "20 March 2026"
    assert FA.date(date(2026, 3, 20)) == "۲۹ اسفند ۱۴۰۴"
    assert FA.date(datetime(2025, 3, 20, 23, 59)) == FA.date(pd.Timestamp("2025-03-20")) == "۳۰ اسفند ۱۴۰۳"
    assert FA.date(date(2026, 3, 21)) == "۱ فروردین ۱۴۰۵"


def test_several_are_said_as_one():
    assert [EN.enumerated(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert FA.enumerated(["الف", "ب", "پ"]) == "الف، ب و پ"
    assert FA.several(["الف", "ب"]) == "الف؛ ب"


def test_values_with_numbers_keep_them():
    assert FA.value("35 to 44") == "۳۵ تا ۴۴"
    assert FA.value("65 and over") == "۶۵ و بالاتر"
    assert FA.value("Nowruz 1404") == "نوروز ۱۴۰۴"
    assert FA.value("1,000,000,000 to 10,000,000,000") == "۱ میلیارد تا ۱۰ میلیارد"
    assert EN.value("1,000,000 to 10,000,000") == "1 million to 10 million"
    assert FA.value("1,234,567 to 2,000,000") == "۱٬۲۳۴٬۵۶۷ تا ۲ میلیون"  # nothing of a value is rounded away
    assert FA.value("20000000000000000000") == "۲۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰۰"
    assert FA.value("12000000") == "۱۲۰۰۰۰۰۰"  # a code, as it has no commas
    assert FA.value("iPhone_12") == "iPhone 12"  # unknown: as the data have it


@given(st.text())
def test_any_text_of_the_data_is_shown_as_text(text):
    for language in (EN, FA):
        assert isinstance(language.value(text), str)
        for said in (language.trait("city", "1 %", text or "x"), language.trait(text, "1 %", text or "x")):
            assert "1 %" in said
        assert "5" in language.trait(text, "5")
        assert language.concept(text) is not None


def test_braces_of_the_data_are_no_places():
    assert EN.trait("{0} size", "37") == "{0} size: 37"
    assert EN.trait("plan", "62 %", "{x}") == "62 % have plan “{x}”"
    assert EN.trait("city", "62 %", "{value}") == "62 % live in {value}"
    assert EN.trait(f"{BOUGHT}{{x}}", "62 %") == "Buys “{x}” in 62 % of all lines"
    assert EN.value("# to #") == FA.value("# to #") == "# to #"


def test_a_trait_says_what_the_column_means():
    assert EN.trait("weekend_share", "61 %") == "Places 61 % of the orders at the weekend"
    assert FA.trait("weekend_share", "۶۱٪") == "۶۱٪ سفارش‌هایش را آخر هفته ثبت می‌کند"
    assert FA.trait("gender", "۶۲٪", "female") == "۶۲٪ آن‌ها زن هستند"
    assert FA.trait("education", "۶۲٪", "school") == "تحصیلات ۶۲٪ آن‌ها «زیر دیپلم» است"
    assert FA.trait("bought_novel", "۶۱٪") == "۶۱٪ اقلام خریدش از دستهٔ «رمان» است"
    assert EN.trait("kind", "96 %", "company") == "96 % are recorded as companies"
    assert EN.trait("score_price_consciousness", "4.2") == "Scores 4.2 on the survey's “price consciousness”"
    assert FA.concept("score_price_consciousness") == "حساسیت به قیمت"


def test_a_column_of_another_kind_under_a_known_name_is_said_plainly():
    # a base's own true-or-false "age", text "n_orders", number "city"; and what is not so is never said to be so
    assert EN.trait("age", "61 %", "yes") == "61 % have age"
    assert FA.trait("district", "۴۰٪", "centre") == "محله برای ۴۰٪ آن‌ها «مرکز» است"
    assert EN.trait("n_orders", "61 %", "many") == "61 % have n orders “many”"
    assert EN.trait("city", "4.2") == "City: 4.2"
    assert EN.trait("uses_preferred_channel", "61 %", "yes") == "61 % mostly buy on the channel they prefer"
    assert EN.trait("uses_preferred_channel", "61 %", "no") == "61 % have uses preferred channel “no”"
    assert EN.trait("bought_before", "61 %", "yes") == "61 % have bought before"


def test_a_text_that_is_not_there_fails_loudly():
    with pytest.raises(KeyError, match=r'no text "traits.weekend_shar"\. Did you mean "traits.weekend_share"'):
        EN.say("traits.weekend_shar", value="1")
    with pytest.raises(KeyError, match="value"):
        EN.say("traits.weekend_share")
    assert not FA.knows("values_of.education")  # a section within a section is no text
    assert FA.say("fallback.number", name="ن", value=np.int64(1234)) == "ن: ۱٬۲۳۴"


def test_a_language_that_is_not_here_names_those_that_are():
    with pytest.raises(Problem, match=r'no language "fr"\. There are: en, fa\.'):
        locale.of("fr")
    with pytest.raises(Problem, match='Did you mean "fa"'):
        locale.of("FA")
    with pytest.raises(Problem, match="no language"):
        locale.first_name("fr", "Iran", "female", 1985, seed=1)


# names

NAMES = tomllib.loads((Path(locale.__file__).parent / "names.toml").read_text(encoding="utf-8"))
PLACES = ("iran", "english", "elsewhere")


def listed(place, gender, decade):
    return NAMES[place][gender][str(decade)].split()


def test_every_list_of_names_has_a_dozen_of_each_and_their_persian():
    for place in PLACES:
        women, men = NAMES[place]["female"], NAMES[place]["male"]
        assert women.keys() == men.keys()
        for names in [text.split() for text in (*women.values(), *men.values())]:
            assert len(set(names)) == len(names) >= 12
            assert len({NAMES["persian"][name] for name in names}) == len(names)
    used = {name for place in PLACES for sex in NAMES[place].values() for text in sex.values() for name in text.split()}
    assert used == NAMES["persian"].keys()
    assert all(re.fullmatch(f"[\u0600-\u06ff{HALF_SPACE}]+", said) for said in NAMES["persian"].values())
    assert NAMES["countries"].keys() | {"elsewhere"} == set(PLACES)
    assert NAMES["languages"].keys() == set(locale.LANGUAGES)


@given(
    st.sampled_from([("Iran", "iran"), ("ایران", "iran"), ("USA", "english"), ("United Kingdom", "english")]),
    st.sampled_from([("female", "female"), ("مرد", "male"), ("Woman", "female")]),
    st.integers(1930, 2019),
    st.integers(0, 1000),
)
def test_a_name_fits_place_sex_and_decade(country, gender, year, seed):
    latin = locale.first_name("en", country[0], gender[0], year, seed)
    assert latin in listed(country[1], gender[1], year // 10 * 10)
    assert locale.first_name("fa", country[0], gender[0], year, seed) == NAMES["persian"][latin]


def test_what_is_not_known_widens_the_choice():
    def several(*person):
        return {locale.first_name(*person, seed) for seed in range(300)}

    women, men = set(listed("iran", "female", 1980)), set(listed("iran", "male", 1980))
    assert several("en", "Iran", None, 1985) == several("en", "Iran", "unknown", 1985) == women | men
    everybody = {n for text in NAMES["english"]["female"].values() for n in text.split()}
    assert several("en", "UK", "female", None) > women & everybody
    assert len(several("en", "UK", "female", np.nan)) > 60
    assert several("en", None, "male", 1985) == set(listed("english", "male", 1980))
    assert several("fa", np.nan, "male", 1985) == {NAMES["persian"][name] for name in men}
    assert several("en", "Brazil", "male", 1985) == set(listed("elsewhere", "male", 0))
    assert several("en", "Iran", "female", 1890) == set(listed("iran", "female", 1930))


def test_taken_names_are_left_to_others_in_either_language():
    given_out = []
    for _ in range(12):
        given_out.append(locale.first_name("fa", "Iran", "female", 1985, 1, given_out))
    assert set(given_out) == {NAMES["persian"][name] for name in listed("iran", "female", 1980)}
    thirteenth = locale.first_name("en", "Iran", "female", 1985, 1, given_out)
    near = set(listed("iran", "female", 1970) + listed("iran", "female", 1990))
    assert thirteenth in near - set(listed("iran", "female", 1980))
    seed = next(n for n in range(100) if locale.first_name("en", "UK", "female", 1985, n) == "Sarah")
    for same in ("Sarah", "Sara", "سارا"):  # Sara and Sarah are one name in Persian letters
        assert locale.first_name("en", "UK", "female", 1985, seed, [same]) != "Sarah"
    assert locale.first_name("en", "Iran", "male", 1985, 1, NAMES["persian"]) in listed("iran", "male", 1980)
