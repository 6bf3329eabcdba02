"""Persian text is unified on reading where the base is Persian, and nowhere else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import sources
from analysis.errors import Problem
from analysis.sources import mapping

Z = "\u200c"
CUSTOMERS = """[tables.customers]
path = "customers.csv"
[tables.customers.columns]
customer_id = "who"
city = "city"
signup_at = "day"
"""
ORDERS = """[tables.orders]
path = "orders.csv"
[tables.orders.columns]
order_id = "id"
customer_id = "who"
ordered_at = "day"
amount = "paid"
"""


@pytest.fixture(scope="module")
def unified():
    """The engine's macro as a function."""
    db = sources.connect("UTC")
    return lambda text: db.execute("SELECT unified(?)", [text]).fetchall()[0][0]


def frame(base, table):
    return base[table].collect("pandas").to_native()


def in_rial(given, currency):
    """A mapping of orders whose amount is given in a unit of its own."""
    head = f'currency = "{currency}"\n' if currency else ""
    return head + ORDERS.replace('amount = "paid"', f'amount = {{ column = "paid", currency = "{given}" }}')


@pytest.mark.parametrize(
    ("typed", "one_form"),
    [
        ("علي", "علی"), ("كتاب", "کتاب"), ("موسى", "موسی"), ("خانۀ", "خانهٔ"), ("رحمة", "رحمة"),
        ("١٢۳", "123"), ("کتا\u0640\u0640ب", "کتاب"), ("\u200fتهران\u200e", "تهران"), ("\ufeffتهران\u00ad", "تهران"),
        ("تهران\u00a0بزرگ", "تهران بزرگ"), (f"کتاب{Z}{Z}ها", f"کتاب{Z}ها"), (f"{Z}کتاب{Z}ها{Z}", f"کتاب{Z}ها"),
        (f"کتاب{Z} ها", "کتاب ها"), (f"کتاب {Z}ها", "کتاب ها"), (f"«کتاب{Z}»", "«کتاب»"), (f"۱۲{Z}ام", f"12{Z}ام"),
        ("ا\u0653ب", "آب"), (" تهران ", "تهران"), (Z, None), (" \u200f\u00a0", None), ("", None),
    ],
)  # fmt: skip
def test_what_looks_alike_becomes_alike(unified, typed, one_form):
    assert unified(typed) == one_form


def test_what_a_reader_can_tell_apart_stays_apart(unified):
    assert len({unified(t) for t in (f"نشر{Z}انار", "نشر انار", "نشرانار")}) == 3


ALPHABET = st.sampled_from(f"abZ 09.-يىكیکۀه۱٢ـة«»{Z}\u200d\u200f\u00a0\u00ad\u0654")


@settings(deadline=None, max_examples=60)
@given(text=st.text(ALPHABET))
def test_unifying_twice_changes_nothing_more_and_leaves_nothing_behind(unified, text):
    once = unified(text)
    assert once is None or unified(once) == once
    assert not set(once or "") & set("يىكۀ۱٢ـ\u200d\u200f\u00a0\u00ad")
    assert (once or "x") == (once or "x").strip(" " + Z)


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_ascii_is_only_trimmed(unified, text):
    assert unified(text) == (text.strip(" ") or None)


SPELT = "who,city,day,liked\n۱۲۳,تهران,2024-01-05,كتاب\n45,رى,2024-01-05,فيلم\n"


def test_ids_texts_and_own_fields_of_a_persian_base_are_unified_and_counted(base_of):
    base = sources.read(
        str(base_of(CUSTOMERS + ORDERS, customers=SPELT, orders="id,who,day,paid\n1,123,2024-02-05,7\n"))
    )
    customers = frame(base, "customers").set_index("customer_id")
    assert customers["city"].to_dict() == {"123": "تهران", "45": "ری"}
    assert customers["liked"].to_dict() == {"123": "کتاب", "45": "فیلم"}
    # the order of 123 is that of ۱۲۳
    assert base.accounts["reason"].eq("").all()
    found = base.unified.set_index("column")
    assert found["cells"].to_dict() == {"customer_id": 1, "city": 1, "liked": 2}
    assert found["examples"].to_dict() == {"customer_id": "'۹۹۹'", "city": "'aى'", "liked": "'aيaa', 'كaaa'"}


def test_lists_are_unified_part_by_part_and_a_list_counts_once(base_of):
    likes = CUSTOMERS + 'interests = { column = "liked", split = "|" }\n'
    text = "who,city,day,liked\n1,a,2024-01-05,كتاب|فيلم | \n2,a,2024-01-05,کتاب\n"
    base = sources.read(str(base_of(likes, customers=text)))
    assert frame(base, "customers")["interests"].map(list).tolist() == [["کتاب", "فیلم"], ["کتاب"]]
    assert base.unified.set_index("column")["cells"].to_dict() == {"interests": 1}


@pytest.mark.parametrize("language", ["ar", "en"])
def test_letters_of_a_base_in_another_language_stay(base_of, language):
    base = sources.read(str(base_of(f'language = "{language}"\n' + CUSTOMERS, customers=SPELT)))
    assert frame(base, "customers").set_index("customer_id")["city"].to_dict() == {"۱۲۳": "تهران", "45": "رى"}
    assert base.unified.empty


def test_persian_is_expected_where_the_clock_is_tehrans(tmp_path):
    file = tmp_path / "m.toml"
    for timezone, language in (("Asia/Tehran", "fa"), ("Asia/Kabul", "fa"), ("Asia/Baghdad", "")):
        file.write_text(f'timezone = "{timezone}"\n{ORDERS}', encoding="utf-8")
        assert mapping.load(file).language == language


def test_a_language_that_is_no_code_is_refused(base_of):
    with pytest.raises(Problem, match=r'language = "Persian"; it is a code .* "fa" for Persian'):
        sources.read(str(base_of('language = "Persian"\n' + ORDERS)))


def test_a_code_in_persian_digits_is_no_number(base_of):
    text = "who,city,day,code\n1,a,2024-01-05,۰۰۷\n2,a,2024-01-05,12\n"
    assert frame(sources.read(str(base_of(CUSTOMERS, customers=text))), "customers")["code"].tolist() == ["007", "12"]


# Rial and toman


@pytest.mark.parametrize(
    ("unit", "in_toman"),
    [("rial", 1.2), ("IRR", 1.2), ("ریال", 1.2), ("toman", 12), ("IRT", 12), ("هزار تومان", 12_000),
     ("thousand toman", 12_000), ("million rial", 1_200_000), ("میلیون ریال", 1_200_000)],
)  # fmt: skip
def test_an_amount_in_its_own_unit_is_told_in_the_bases(base_of, unit, in_toman):
    file = base_of(in_rial(unit, ""), orders="id,who,day,paid\n1,a,2024-01-05,12\n")
    assert frame(sources.read(str(file)), "orders")["amount"].tolist() == [in_toman]


def test_a_base_in_rial_takes_toman_times_ten(tmp_path):
    (tmp_path / "orders.csv").write_text("id,who,day,paid\n1,a,2024-01-05,۱٬۲۳۴\n", encoding="utf-8")
    file = tmp_path / "m.toml"
    file.write_text('timezone = "Asia/Tehran"\n' + in_rial("toman", "ریال"), encoding="utf-8")
    assert frame(sources.read(str(file)), "orders")["amount"].tolist() == [12_340]


def test_a_unit_without_a_fixed_rate_is_refused_with_the_cure(base_of):
    file = base_of(in_rial("EUR", ""), orders="id,who,day,paid\n1,a,2024-01-05,12\n")
    with pytest.raises(Problem, match=r'this column\'s currency is "EUR".*amount = \{ sql = '):
        sources.read(str(file))


def test_a_unit_in_a_base_of_another_currency_is_refused(tmp_path):
    file = tmp_path / "m.toml"
    file.write_text('timezone = "UTC"\n' + in_rial("rial", "EUR"), encoding="utf-8")
    with pytest.raises(Problem, match='the base\'s currency is "EUR"'):
        mapping.load(file)


def test_a_unit_of_what_is_no_money_is_refused(base_of):
    file = base_of(ORDERS.replace('"who"', '{ column = "who", currency = "rial" }'))
    with pytest.raises(Problem, match="customer_id: currency is for sums of money"):
        sources.read(str(file))
