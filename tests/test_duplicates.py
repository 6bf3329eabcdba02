"""People recorded twice: found by what they share, told from families and namesakes, merged and parted again."""

import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import bookshop, profiles, quality, run, sources
from analysis.bookshop.defects import plant
from analysis.bookshop.persian import in_persian
from analysis.errors import Problem
from analysis.sources import likeness, normal
from analysis.sources.duplicates import _candidates, duplicates, merges
from analysis.sources.mapping import MERGE_SCORE
from analysis.sources.merging import MERGED, RECORDED

TEHRAN = "Asia/Tehran"
ASK = "\n[duplicates]\nmerge = true\n"


def people(*rows):
    """Customers a, b, c … from (name, phone, email, birth_date), any of them None."""
    table = pd.DataFrame(list(rows), columns=["name", "phone", "email", "birth_date"], dtype=object)
    return table.assign(customer_id=list("abcdefghijklmnopqrstuvwxyz")[: len(rows)])


def scores(customers):
    """Score by pair of ids; a pair that is not told has none."""
    found = duplicates(customers, TEHRAN)
    return {one + other: score for one, other, score in found[["customer_id", "other_id", "score"]].values}


@pytest.fixture(scope="module")
def shop():
    """A thousand customers, whose names say which names are common."""
    return bookshop.build(customers=1000, years=1, seed=7).tables["customers"][
        ["customer_id", "name", "phone", "email", "birth_date", "signup_at"]
    ]


def among(shop, *rows):
    return pd.concat([shop, people(*rows)], ignore_index=True)


def told_of_ours(shop, *rows):
    """Pairs told among the given people in a base of a thousand others."""
    found = scores(among(shop, *rows))
    return {pair: score for pair, score in found.items() if len(pair) == 2}


# --- one way of writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "0912 345 6789",
        "+98 912-345-6789",
        "0098 (912) 3456789",
        "989123456789",
        "9123456789",
        "۰۹۱۲۳۴۵۶۷۸۹",
        "٠٩١٢٣٤٥٦٧٨٩",
    ],
)
def test_a_telephone_number_is_one_however_it_is_typed(typed):
    assert normal.phone(typed, "IR") == "98 9123456789"


@pytest.mark.parametrize("typed", ["+98 000 123 4568", "980001234568", "00001234568", "۰۰۰۰ ۱۲۳ ۴۵۶۸"])
def test_a_number_that_no_operator_has_is_compared_all_the_same(typed):
    assert normal.phone(typed, "IR") == normal.phone("0000 123 4568", "IR") != normal.phone("0000 123 4569", "IR")


@pytest.mark.parametrize("typed", ["", "-", "ندارد", "110", "0912 111 1111", "0912 123 4567"])
def test_what_is_no_number_or_was_typed_for_want_of_one_links_nobody(typed):
    assert normal.phone(typed, "IR") is None


def test_dots_and_tags_count_where_the_provider_lets_them_count():
    assert normal.email("S.Ahmadi+shop@GMAIL.com ") == normal.email("sahmadi@googlemail.com")
    assert normal.email("s.ahmadi@firma.de") != normal.email("sahmadi@firma.de")
    assert normal.email("ali+1@firma.de") != normal.email("ali@firma.de")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("علي كاظمي", "کاظمی\u200cعلی"), ("رؤیا رضائی", "رویا رضایی"), ("خانم سارا احمدی", "سارا احمدي"),
        ("Mohammad Rezaei", "REZAEE, Muhammad"), ("Fatemeh Ghorbani", "Fateme Qorbani"),
        ("Jürgen Groß", "Juergen Gross"), ("Niloufar Hosseini", "Niloofar Hoseyni"), ("Dr. S. Zadeh", "Zade"),
    ],
)  # fmt: skip
def test_a_name_sounds_the_same_in_every_usual_spelling(one, other):
    heard = [sorted(map(normal.sound, normal.name(n))) for n in (one, other)]
    assert heard[0] == heard[1]


def test_different_names_do_not_sound_the_same():
    names = [
        "حسن",
        "حسین",
        "محسن",
        "محمد",
        "محمود",
        "Hasan",
        "Hossein",
        "Mina",
        "Nima",
        "Amir",
        "Omar",
        "Sara",
        "Sahar",
    ]
    heard = {normal.sound(word) for n in names for word in normal.name(n)}
    assert len(heard) == len(names)


# --- who is one person ------------------------------------------------------------------------------------------------


def test_two_spellings_of_a_name_with_one_number_are_one_person(shop):
    told = told_of_ours(
        shop, ("Parisa Kazemi", "0912 345 6789", None, None), ("Paisa Kazemi", "+989123456789", None, "1990-05-02")
    )
    assert told["ab"] > MERGE_SCORE


def test_one_address_and_one_name_are_one_person_though_the_number_is_new(shop):
    told = told_of_ours(
        shop,
        ("Neda Rahimi", "09123456789", "n.rahimi@gmail.com", None),
        ("rahimi neda", "09351112233", "NRahimi+a@gmail.com", None),
    )
    assert told["ab"] > MERGE_SCORE


def test_a_family_with_one_number_is_not_one_person(shop):
    told = told_of_ours(
        shop,
        ("Ali Karimi", "02188776655", None, "1960-04-03"),
        ("Sara Karimi", "02188776655", None, "1964-08-11"),
        ("Hasan Karimi", "02188776655", None, "1990-02-21"),
        ("Hossein Karimi", "02188776655", None, "1992-10-30"),
        ("Hosna Karimi", "02188776655", None, None),
    )
    assert not told


def test_twins_are_two_people(shop):
    twins = [("Sina Rostami", "09121119988", None, "2001-07-15"), ("Nima Rostami", "09121119988", None, "2001-07-15")]
    assert not told_of_ours(shop, *twins)


def test_father_and_son_with_one_address_and_number_are_two_people(shop):
    told = told_of_ours(
        shop,
        ("Reza Moradi", "09121119988", "moradi.family@gmail.com", "1965-07-15"),
        ("Omid Moradi", "09121119988", "moradi.family@gmail.com", "1995-01-19"),
    )
    assert not told


def test_of_two_common_names_one_letter_apart_neither_is_a_slip_of_the_other():
    # both are names of sixty people, so these are brothers; Hasann is nobody's name, so that is a slip
    namesakes = [
        (f"{given} {family}", None, None, None) for given in ("حسن", "حسین") for family in ("رضایی", "مرادی") * 30
    ]
    base = pd.DataFrame(namesakes, columns=["name", "phone", "email", "birth_date"])
    base = base.assign(customer_id=[f"number {i}" for i in base.index])
    hasan, hossein, slip = ((f"{given} نادری", "09121119988", None, None) for given in ("حسن", "حسین", "حسنت"))
    assert not told_of_ours(base, hasan, hossein)
    assert told_of_ours(base, hasan, slip)


def test_a_common_name_alone_proves_nothing():
    # forty Ali Karimis, nothing else known but different numbers
    customers = pd.DataFrame(
        {"customer_id": range(40), "name": "Ali Karimi", "phone": [f"0912345{i:04d}" for i in range(40)]}
    )
    assert duplicates(customers, TEHRAN).empty


def test_name_and_birthday_prove_less_in_a_larger_base(shop):
    namesakes = ("Sara Ahmadi", None, None, "1990-05-02"), ("Sara Ahmadi", None, None, "1990-05-02")
    small = told_of_ours(shop, *namesakes)["ab"]
    many = pd.concat(
        [
            shop.assign(customer_id=shop["customer_id"] + f"-{i}", phone=None, email=None, birth_date=None)
            for i in range(60)
        ]
    )
    assert told_of_ours(many, *namesakes).get("ab", 0) < MERGE_SCORE < small


@pytest.mark.parametrize("day", ["1990-01-01", "1900-01-01", "1013-05-02", "1991-03-21"])
def test_a_date_that_was_typed_for_want_of_a_better_speaks_neither_for_nor_against(day):
    # 1991-03-21 is 1 Farvardin 1370
    told = scores(people(("Sara Zand", "09121119988", None, day), ("Sara Zand", "09121119988", None, "1984-06-05")))
    bare = scores(people(("Sara Zand", "09121119988", None, None), ("Sara Zand", "09121119988", None, "1984-06-05")))
    both = scores(people(("Sara Zand", "09121119988", None, day), ("Sara Zand", "09121119988", None, day)))
    assert told == bare == both


def test_nobody_is_born_after_signing_up():
    # so the second date is a slip and says nothing against the pair
    rows = ("Sara Zand", "09121119988", None, "1984-06-05"), ("Sara Zand", "09121119988", None, "2084-08-07")
    customers = people(*rows).assign(signup_at=pd.Timestamp("2024-01-01", tz=TEHRAN))
    why = duplicates(customers)["why"].item()
    assert why == "same telephone number, same name"


def test_another_date_of_birth_makes_it_less_sure_and_a_slip_in_it_hardly():
    def of(day):
        return scores(people(("Sara Zand", "09121119988", None, "1984-06-05"), ("Sara Zand", "09121119988", None, day)))

    same, exchanged, other = of("1984-06-05")["ab"], of("1984-05-06")["ab"], of("1971-11-23").get("ab", 0)
    assert same > exchanged > other
    assert other < MERGE_SCORE < exchanged


def test_names_in_two_alphabets_say_nothing_of_each_other():
    told = duplicates(
        people(("سارا احمدی", "09121119988", "s@x.ir", None), ("Sara Ahmadi", "09121119988", "s@x.ir", None)), TEHRAN
    )
    assert told["why"].tolist() == ["same telephone number, same e-mail address"]


def test_test_accounts_are_nobody():
    accounts = [
        ("test", "0000 123 4567", "test@example.com", None),
        ("Test", "0000 123 4567", "test@example.com", None),
    ]
    assert duplicates(people(*accounts), TEHRAN).empty


# --- how it is found --------------------------------------------------------------------------------------------------


def test_a_number_of_five_thousand_callers_costs_no_five_thousand_squared():
    # two have the same name; the others have nothing but the call centre's number in common
    names = ["".join("bdflmnprst"[int(digit)] + "a" for digit in f"{i:04d}") for i in range(5000)]
    customers = pd.DataFrame({"customer_id": range(5000), "name": names, "phone": "021 88776655"})
    customers.loc[4999, "name"] = names[0]
    started = time.perf_counter()
    left, right = _candidates(likeness.records(customers, TEHRAN))
    assert time.perf_counter() - started < 10
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 4999)]


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_same_pairs_and_merges_whatever_the_row_order(random):
    rows = [("Sara Zand", "09121119988", None, None), ("Zand Sara", "9121119988", "s@x.ir", None),
            ("Sarra Zand", None, "S@x.ir", None), ("Ali Zand", "09121119988", None, None),
            ("Ali Zand", "+98 912 111 9988", None, "1990-02-03")]  # fmt: skip
    customers = people(*rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = customers.iloc[order]
    one, other = duplicates(customers, TEHRAN), duplicates(shuffled, TEHRAN)
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(merges(customers, one, 0.9), merges(shuffled, other, 0.9))


def test_any_table_with_one_of_the_fields_will_do():
    ids = [11, 12, 13]
    mails = pd.DataFrame({"customer_id": ids, "email": ["a@x.ir", "b@x.ir", "A@x.ir"]})
    found = quality.duplicates(mails)
    assert found[["customer_id", "other_id", "why"]].values.tolist() == [[11, 13, "same e-mail address"]]
    assert quality.duplicates(mails.iloc[:0]).empty
    assert quality.duplicates(mails.assign(email=None)).empty
    dated = mails.assign(birth_date=pd.to_datetime(["1990-05-02", "1990-05-02", None]), phone=[9123456789, 5, None])
    assert len(quality.duplicates(dated)) == 1


def test_a_year_of_birth_links_nobody(real_data):
    # customer_personality tells of 2,240 customers the year alone, read as 1 January
    base = sources.read("customer_personality", data=real_data)
    assert base["customers"].select("birth_date").collect("pandas").to_native()["birth_date"].notna().all()
    assert quality.duplicates(base["customers"]).empty


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"customer": ["a"]}, r'customers has no column "customer_id". Did you mean'),
        ({"customer_id": ["a"], "city": ["x"]}, r"none of name, email, phone, birth_date"),
        ({"customer_id": ["a", "a", None], "name": ["x"] * 3}, r"1 are empty, 1 stand there again"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_searched_says_why(table, message):
    with pytest.raises(Problem, match=message):
        duplicates(pd.DataFrame(table))


def test_reasons_hold_no_personal_data():
    one = ("Sara Zand", "09121119988", "sara@x.ir", "1984-06-05")
    other = ("Sarah Zand", "09121119988", "sara@x.ir", "1984-06-06")
    why = duplicates(people(one, other), TEHRAN)["why"].item()
    assert why == "same telephone number, same e-mail address, same name, dates of birth differ in one part"


# --- groups -----------------------------------------------------------------------------------------------------------


def test_a_chain_does_not_glue_two_people_together():
    # b has a's number and c's address, a and c were born on other days: b goes to one of them, never both
    customers = people(
        ("Sara Zand", "09121119988", None, "1984-06-05"),
        ("Sara Zand", "09121119988", "zand@x.ir", None),
        ("Sara Zand", None, "zand@x.ir", "1990-02-13"),
    )
    pairs = duplicates(customers, TEHRAN)
    assert len(pairs) == 2
    merged = merges(customers, pairs)
    assert len(merged) == 1
    assert merged["customer_id"].item() == "b" or merged["merged_into"].item() == "b"


def test_who_signed_up_first_survives_and_of_equals_the_first_id():
    rows = [("Sara Zand", "09121119988", "s@x.ir", None)] * 3
    days = pd.to_datetime(["2024-01-02", "2023-01-02", None])
    customers = people(*rows).assign(signup_at=days)
    merged = merges(customers, duplicates(customers, TEHRAN))
    assert merged[["customer_id", "merged_into"]].values.tolist() == [["a", "b"], ["c", "b"]]
    merged = merges(people(*rows), duplicates(people(*rows), TEHRAN))
    assert merged["merged_into"].tolist() == ["a", "a"]


def test_only_pairs_that_reach_the_score_are_merged():
    customers = people(("Sara Zand", "09121119988", None, None), ("Sara Zand", "09121119988", None, None))
    pairs = duplicates(customers, TEHRAN)
    assert len(merges(customers, pairs, pairs["score"].item())) == 1
    assert merges(customers, pairs, pairs["score"].item() + 1e-6).empty


def test_pairs_of_other_customers_are_refused():
    customers = people(*[("Sara Zand", "09121119988", None, None)] * 2)
    with pytest.raises(Problem, match="a customer_id that customers does not have"):
        merges(customers.iloc[:1], duplicates(customers, TEHRAN))


# --- the bookshop's planted people ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "language"), [(11, "en"), (12, "fa")])
def test_planted_people_are_found_and_hardly_anybody_else(seed, language):
    # a small version of what `make accuracy` measures; the measure asked for is 0.98 at 0.9
    clean = bookshop.build(customers=1500, years=2, seed=seed)
    world = plant(in_persian(clean) if language == "fa" else clean, 0.03, seed)
    told = world.truth["defects"].query("way == 'second record'")
    true = {frozenset(pair) for pair in zip(told["key"], told["original_id"], strict=True)}
    pairs = duplicates(world.tables["customers"])
    for score in (0, MERGE_SCORE):
        sure = pairs[pairs["score"] >= score]
        found = {frozenset(pair) for pair in zip(sure["customer_id"], sure["other_id"], strict=True)}
        assert len(true) > 25
        assert len(found & true) / len(found) >= 0.98
        assert len(found & true) / len(true) >= 0.9


def test_families_are_told_from_people_recorded_twice():
    # every fifth customer gets a relative: the same number and surname, another given name, mostly another birthday
    clean = bookshop.build(customers=1500, years=2, seed=13)
    world = plant(clean, 0.03, 13)
    told = world.truth["defects"].query("way == 'second record'")
    true = {frozenset(pair) for pair in zip(told["key"], told["original_id"], strict=True)}
    customers = world.tables["customers"][["customer_id", "name", "phone", "email", "birth_date", "signup_at"]]
    head = clean.tables["customers"].query("kind == 'person' and phone.notna()").iloc[::5]
    given, family = (head["name"].str.split(" ").str[part] for part in (0, -1))
    relative = given.shift(1).where(given.shift(1) != given, "Golnar").fillna("Golnar")
    relatives = head.assign(
        customer_id="R" + head["customer_id"],
        name=relative + " " + family,
        birth_date=head["birth_date"].shift(2),
        email=head["email"].where(head.index % 10 == 0),
    )[list(customers)]
    pairs = duplicates(pd.concat([customers, relatives], ignore_index=True))
    found = {frozenset(pair) for pair in zip(pairs["customer_id"], pairs["other_id"], strict=True)}
    assert len(relatives) > 250
    assert len(found & true) / len(found) >= 0.98
    assert len(found & true) / len(true) >= 0.9


# --- merging ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A bookshop with people recorded twice: its mapping, one that merges them, and the clean one's."""
    folder = tmp_path_factory.mktemp("spoilt")
    plain = bookshop.write(folder / "shop", customers=700, years=1, seed=3, defects=0.08)
    merging = plain.with_name("merging.toml")
    merging.write_text(plain.read_text(encoding="utf-8") + ASK, encoding="utf-8")
    return plain, merging, bookshop.write(folder / "clean", customers=700, years=1, seed=3)


@pytest.fixture(scope="module")
def bases(spoilt):
    return [sources.read(str(file)) for file in spoilt]


def rows(base, table):
    """A table as Arrow, in an order of its own."""
    cells = base[table].collect("pyarrow").to_native()  # noqa: F841 the engine finds it by its name
    return base.db.sql("SELECT * FROM cells ORDER BY ALL").to_arrow_table()


def test_merging_gives_people_recorded_twice_their_own_figures_back(bases, spoilt):
    # nothing else was planted on these people and on their orders, so their figures are those of the clean base
    told = pd.read_parquet(spoilt[0].parent / "truth" / "defects.parquet").query("way == 'second record'")
    plain, merged, clean = (profiles.build(base).set_index("customer_id") for base in bases)
    figures = ["n_orders", "total_spend", "first_order_at", "last_order_at"]
    originals = told["original_id"]
    assert len(originals) > 30
    assert not clean.loc[originals, figures].equals(plain.loc[originals, figures])
    healed = (merged.loc[originals, figures] == clean.loc[originals, figures]).all(axis=1)
    assert healed.mean() >= 0.9
    # customers and buyers: what is left too many are the test accounts, 0.008 of 700, and who was not found
    added = len(originals) + 6
    assert [len(plain) - len(clean), len(merged) - len(clean)] == [added, added - len(bases[1].customer_merges)]
    doubled = (plain["n_orders"] > 0).sum() - (merged["n_orders"] > 0).sum()
    bought_twice = (plain.loc[originals, "n_orders"] > 0).sum()
    assert 0.9 * bought_twice <= doubled <= bought_twice


def test_customers_in_are_kept_or_set_aside_and_a_merge_is_no_defect(bases):
    plain, merged, _ = bases
    before, after = (b.accounts.query("table == 'customers'").set_index("reason") for b in (plain, merged))
    assert before["rows"].sum() == after["rows"].sum()
    assert after.loc[MERGED, "rows"] == len(merged.customer_merges) > 30
    assert not after.loc[MERGED, "defect"]
    aside = merged.db.sql(sources.set_aside(merged, "customers")).df()
    assert set(aside.loc[aside["reason"] == MERGED, "customer_id"]) == set(merged.customer_merges["customer_id"])


def test_a_merged_base_says_so_and_has_no_second_records_left(bases):
    merged = bases[1]
    assessed = quality.assess(merged)
    assert assessed["check"].ne("second record of a person").all()
    joined = f"{len(merged.customer_merges):,} second records of a person were joined"
    assert joined in " ".join(quality.findings(merged, assessed))
    # the page of the base as it came tells as many as were merged
    told = quality.assess(bases[0]).query("check == 'second record of a person'").squeeze()
    assert told["defects"] == len(merged.customer_merges)
    assert "customers" in told["bends"]


def test_undoing_a_merge_gives_the_unmerged_base_cell_by_cell(bases):
    plain, merged, _ = bases
    back = sources.unmerged(merged)
    assert not rows(merged, "orders").drop_columns(RECORDED).equals(rows(plain, "orders")), "there is something to undo"
    for table in plain:
        assert rows(back, table).equals(rows(plain, table)), table
    pd.testing.assert_frame_equal(back.accounts, plain.accounts)
    assert back.customer_merges.empty


def test_what_a_run_wrote_can_be_undone_too(bases, spoilt, tmp_path):
    plain, merged, _ = bases
    made = run.prepare(str(spoilt[1]), out=tmp_path / "run")
    pd.testing.assert_frame_equal(made.read("customer_merges"), merged.customer_merges)
    back = sources.unmerged(run.Run(made.folder).base)
    for table in plain:
        assert rows(back, table).equals(rows(plain, table)), table


def test_nothing_is_merged_and_no_column_added_unless_the_mapping_asks(bases, spoilt, tmp_path):
    plain = bases[0]
    assert plain.customer_merges.empty
    assert sources.unmerged(plain) is plain
    assert RECORDED not in plain.columns("orders")
    made = run.prepare(str(spoilt[0]), out=tmp_path / "run")
    assert made.read("customer_merges").empty
    assert list(made.read("customer_merges")) == ["customer_id", "merged_into", "score", "why"]


CUSTOMERS = """[tables.customers]
path = "customers.csv"
[tables.customers.columns]
customer_id = "id"
name = "name"
phone = "phone"
city = "city"
signup_at = "since"
interests = { column = "likes", split = "|" }
[tables.orders]
path = "orders.csv"
[tables.orders.columns]
order_id = "o"
customer_id = "id"
ordered_at = "day"
amount = "paid"
"""
TWICE = """id,name,phone,city,since,likes,card
1,Sara Zand,09121119988,,2024-03-01,poetry|novel,
2,"ZAND, Sara",+989121119988,Qom,2024-01-01,art|novel,
3,Ali Zand,09121119988,Yazd,2024-01-01,,red
4,Sara Zand,00989121119988,Yazd,,,blue
"""
PAID = "o,id,day,paid\n10,1,2024-04-01,5\n11,2,2024-04-02,7\n12,3,2024-04-03,9\n13,4,2024-04-03,1\n"


def test_the_first_record_survives_and_takes_what_it_does_not_know_from_the_others(base_of):
    base = sources.read(str(base_of(CUSTOMERS + ASK, customers=TWICE, orders=PAID)))
    assert base.customer_merges[["customer_id", "merged_into"]].values.tolist() == [["1", "2"], ["4", "2"]]
    customers = base["customers"].collect("pandas").to_native().set_index("customer_id").sort_index()
    assert customers.index.tolist() == ["2", "3"]
    sara = customers.loc["2"]
    assert (sara["name"], sara["city"], sara["card"]) == ("ZAND, Sara", "Qom", "blue")
    assert sara["signup_at"] == pd.Timestamp("2024-01-01", tz=TEHRAN)
    assert list(sara["interests"]) == ["art", "novel", "poetry"]
    orders = base["orders"].collect("pandas").to_native().sort_values("order_id")
    assert orders["customer_id"].tolist() == ["2", "2", "3", "2"]
    assert orders[RECORDED].tolist() == ["1", "2", "3", "4"]


def test_rows_of_lines_that_carry_orders_are_merged_too(base_of):
    lines = CUSTOMERS.replace("[tables.orders", "[tables.order_lines").replace("orders.csv", "lines.csv")
    base = sources.read(str(base_of(lines + ASK, customers=TWICE, lines=PAID)))
    orders = base["orders"].collect("pandas").to_native().sort_values("order_id")
    assert orders["customer_id"].tolist() == ["2", "2", "3", "2"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("mrge = true", r'\[duplicates\]: unknown key "mrge". Did you mean "merge"\?'),
        ('merge = "yes"', r"merge = 'yes'; it is true or false"),
        ("merge = true\nscore = 0.2", r"score = 0.2; it is a number between 0.8 and 1"),
        ("merge = true\nscore = true", r"score = True"),
    ],
)
def test_a_slip_in_the_mapping_is_named(base_of, asked, message):
    with pytest.raises(Problem, match=message):
        sources.read(str(base_of(CUSTOMERS + f"\n[duplicates]\n{asked}\n", customers=TWICE, orders=PAID)))


def test_merging_without_anything_to_tell_people_by_is_refused(base_of):
    orders = "[tables.orders" + CUSTOMERS.split("[tables.orders", 1)[1]
    with pytest.raises(Problem, match=r"no \[tables.customers\] to find people in"):
        sources.read(str(base_of(orders + ASK, orders=PAID)))
    bare = CUSTOMERS.replace('name = "name"\nphone = "phone"\n', "")
    with pytest.raises(Problem, match=r"none of name, email, phone, birth_date"):
        sources.read(str(base_of(bare + ASK, customers=TWICE.replace("name,phone", "n,p"), orders=PAID)))
