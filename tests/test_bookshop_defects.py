"""Planted defects: as many as were asked for, every one listed, and nothing else touched."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis import bookshop
from analysis.bookshop.defects import COLUMNS, DATE_SHARES, KINDS, SHARES, plant
from analysis.errors import Problem
from analysis.schema import TABLES

TO_LATIN = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "0123456789" * 2)


@pytest.fixture(scope="module")
def clean():
    return bookshop.build(customers=2000, seed=1)


@pytest.fixture(scope="module")
def spoilt(clean):
    return plant(clean, rate=0.05, seed=1)


def defects(world, kind):
    return world.truth["defects"].query("kind == @kind")


def key_of(name, table):
    if name == "order_lines":
        return table["order_id"] + " " + table["product_id"]
    return table[TABLES[name].key] if TABLES[name].key else pd.Series("", index=table.index)


def parsed(text, like):
    """The text of a defect as a value of the column that it came from."""
    if "datetime" in str(like.dtype):
        return pd.Timestamp(text) if like.dt.tz is None else pd.Timestamp(text).tz_convert(like.dt.tz)
    return float(text) if like.dtype == float else text


def taken_back(world):
    """The tables with everything undone that the list of defects tells, and nothing but that."""
    tables = {}
    for name, table in world.tables.items():
        told = world.truth["defects"].query("table == @name")
        table = table.copy()
        keys = key_of(name, table)
        table = table[~keys.isin(told.loc[told["column"].isna(), "key"])]
        keys = keys.loc[table.index]
        moved = told.query("way == 'moved'").set_index("key")["true_value"]
        if "customer_id" in table and name != "customers":
            back = moved.reindex(table["customer_id"]).astype("str").to_numpy()
            table["customer_id"] = table["customer_id"].where(~table["customer_id"].isin(moved.index), back)
        for column, cells in told[told["column"].notna() & (told["way"] != "moved")].groupby("column"):
            true = cells.set_index("key")["true_value"]
            at = keys.isin(true.index)
            values = [parsed(text, table[column]) for text in true.loc[keys[at]]]
            table.loc[at, column] = pd.Series(values, index=table.index[at], dtype=table[column].dtype)
        tables[name] = table
    return tables


# --- how many ---------------------------------------------------------------------------------------------------------


def test_no_rate_gives_back_the_very_world(clean):
    assert plant(clean, rate=0, seed=1) is clean
    assert "defects" not in clean.truth


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_every_kind_hits_the_share_that_is_set(clean, rate):
    planted = plant(clean, rate, seed=3)
    told = planted.truth["defects"]
    assert set(told["kind"]) == set(KINDS)
    customers, orders = clean.tables["customers"], clean.tables["orders"]
    buys = customers["customer_id"].isin(orders.loc[orders["status"] != "returned", "customer_id"])
    buys &= customers["kind"] == "person"
    of_orders = (told["table"] == "orders") & (told["column"] == "amount")
    hit = {
        "duplicate person": (told["way"] == "second record", customers[buys & customers["phone"].notna()]),
        "mixed digits": (told["kind"] == "mixed digits", customers.query("phone.notna()")),
        "currency slip": ((told["kind"] == "currency slip") & of_orders, orders.query("status == 'completed'")),
        "order without customer": (told["kind"] == "order without customer", orders),
        "brand spelling": (told["kind"] == "brand spelling", clean.tables["products"]),
        "test account": (told["way"] == "account", customers),
    }
    for kind, (those, rows) in hit.items():
        assert those.sum() == round(rate * SHARES[kind] * len(rows)), kind
    for kind, table, column, share in DATE_SHARES:
        those = (told["kind"] == kind) & (told["table"] == table) & (told["column"] == column)
        assert those.sum() == round(rate * share * clean.tables[table][column].notna().sum()), (kind, column)


@pytest.mark.parametrize("rate", [-0.01, 0.3])
def test_a_rate_that_cannot_be_met_is_refused(clean, rate):
    with pytest.raises(Problem, match=r"a share between 0 and 0\.2"):
        plant(clean, rate, seed=1)


@pytest.mark.parametrize("customers", [1, 3, 40])
def test_the_smallest_shops_can_be_spoilt(customers):
    for seed in range(6):
        small = bookshop.build(customers=customers, years=1, seed=seed)
        planted = plant(small, rate=0.2, seed=seed)
        assert list(planted.truth["defects"]) == list(COLUMNS)


# --- what is listed, and nothing else ---------------------------------------------------------------------------------


def test_taking_back_what_is_listed_gives_the_clean_tables_cell_by_cell(clean, spoilt):
    back = taken_back(spoilt)
    for name, table in clean.tables.items():
        if name in ("customers", "orders", "order_lines", "products", "touchpoints"):
            assert not spoilt.tables[name].equals(table), "there is something to take back"
        pd.testing.assert_frame_equal(back[name], table, check_exact=True)


def test_planted_values_stand_in_the_tables_as_listed(spoilt):
    told = spoilt.truth["defects"]
    cells = told[told["column"].notna() & (told["way"] != "moved")]
    assert cells["true_value"].fillna("").ne(cells["planted_value"].fillna("")).all()
    for (name, column), group in cells.groupby(["table", "column"]):
        table = spoilt.tables[name]
        found = table[column].set_axis(key_of(name, table)).loc[group["key"]]
        assert found.notna().tolist() == group["planted_value"].notna().tolist()
        there = group["planted_value"].notna().to_numpy()
        expected = [parsed(text, table[column]) for text in group["planted_value"][there]]
        assert found[there].tolist() == expected


def test_no_cell_is_spoilt_twice_and_the_truth_about_customers_stays(clean, spoilt):
    told = spoilt.truth["defects"]
    cells = told[told["column"].notna()]
    assert not cells.duplicated(["table", "key", "column"]).any()
    assert spoilt.truth["customers"] is clean.truth["customers"]
    assert spoilt.findings == clean.findings


def test_tables_keep_their_types_and_their_keys(clean, spoilt):
    for name, table in spoilt.tables.items():
        assert table.dtypes.equals(clean.tables[name].dtypes)
        assert not TABLES[name].key or table[TABLES[name].key].is_unique


def test_same_seed_same_defects_another_seed_others(clean, spoilt):
    again, other = plant(clean, 0.05, seed=1), plant(clean, 0.05, seed=2)
    pd.testing.assert_frame_equal(again.truth["defects"], spoilt.truth["defects"])
    for name, table in again.tables.items():
        pd.testing.assert_frame_equal(table, spoilt.tables[name])
    assert not other.truth["defects"].equals(spoilt.truth["defects"])


# --- people recorded twice --------------------------------------------------------------------------------------------


def test_a_duplicate_takes_the_orders_from_some_moment_on(clean, spoilt):
    customers = spoilt.tables["customers"].set_index("customer_id")
    records = spoilt.truth["defects"].query("way == 'second record'")
    orders, true = spoilt.tables["orders"], clean.tables["orders"].set_index("order_id")["customer_id"]
    for new, old in zip(records["key"], records["original_id"], strict=True):
        own, left = orders.query("customer_id == @new"), orders.query("customer_id == @old")
        since = customers.loc[new, "signup_at"]
        assert len(own) >= 1
        assert (true.loc[own["order_id"]] == old).all()
        assert own["ordered_at"].min() >= since > customers.loc[old, "signup_at"]
        assert left.empty or left["ordered_at"].max() < since
    kept = orders.groupby("customer_id").size().reindex(records["original_id"]).fillna(0)
    assert (kept > 0).sum() > len(records) / 3


def test_contacts_move_with_the_orders_but_what_was_sent_stays(clean, spoilt):
    new = spoilt.truth["defects"].query("way == 'second record'")["key"]
    moved = spoilt.tables["touchpoints"]
    moved = moved[moved["customer_id"].isin(new)]
    assert {"visit", "cart", "order"} <= set(moved["event"])
    assert not moved["event"].str.startswith(("email_", "sms_")).any()
    own = spoilt.tables["orders"].query("status != 'returned'")
    own = own[own["customer_id"].isin(new)]
    led = own.merge(
        moved.query("event == 'order'"), left_on=["customer_id", "ordered_at"], right_on=["customer_id", "occurred_at"]
    )
    assert len(led) == len(own)


def test_something_links_a_duplicate_to_its_original(spoilt):
    customers = spoilt.tables["customers"].set_index("customer_id")
    records = spoilt.truth["defects"].query("way == 'second record'")
    changed = spoilt.truth["defects"].query("kind == 'duplicate person' and column in ('name', 'phone', 'email')")
    assert set(changed["key"]) == set(records["key"]), "no record is an exact copy"
    for new, old in zip(records["key"], records["original_id"], strict=True):
        one, other = customers.loc[old], customers.loc[new]
        links = [digits(one["phone"]) == digits(other["phone"]), same_mail(one["email"], other["email"])]
        assert any(links), (one["phone"], other["phone"], one["email"], other["email"])
        assert "email" not in other["consents"] or pd.notna(other["email"])
        assert not {"sms", "phone"} & set(other["consents"]) or pd.notna(other["phone"])


def digits(phone):
    """The last ten digits, Latin, whatever stands before and between."""
    return "".join(c for c in str(phone).translate(TO_LATIN) if c.isdigit())[-10:] if pd.notna(phone) else None


def same_mail(one, other):
    return pd.notna(one) and pd.notna(other) and one.lower() == other.lower()


def test_names_and_numbers_are_written_in_many_ways_and_stay_nobodys(spoilt):
    told = defects(spoilt, "duplicate person")
    assert set(told.query("column == 'name'")["way"]) == {"spelling", "typo", "name order"}
    phones = told.query("column == 'phone'")["planted_value"].dropna()
    for start in ("+98", "0098", "98", "۰۰۰۰", "0000"):
        assert phones.str.startswith(start).any(), start
    everybody = spoilt.tables["customers"]["phone"].dropna().map(digits)
    assert everybody.str.startswith("000").all(), "000 is no operator and no city"
    assert spoilt.tables["customers"]["email"].dropna().str.lower().str.endswith("@example.com").all()


def test_one_typo_is_one_slip(spoilt):
    for one, other in (
        defects(spoilt, "duplicate person").query("way == 'typo'")[["true_value", "planted_value"]].values
    ):
        assert abs(len(one) - len(other)) <= 1
        # as letters they differ by one at most: one left out, one doubled, or two exchanged
        assert sum(abs(one.count(c) - other.count(c)) for c in set(one + other)) <= 1
        assert one != other


# --- dates, digits, orders of nobody, money ---------------------------------------------------------------------------


def test_dates_are_missing_impossible_or_still_to_come(clean, spoilt):
    told = spoilt.truth["defects"]
    assert told.query("kind == 'missing date'")["planted_value"].isna().all()
    never = told.query("kind == 'impossible date'")
    births = pd.to_datetime(never.query("column == 'birth_date'")["planted_value"].map(pd.Timestamp))
    assert {"1013-05-02"} < set(births.dt.strftime("%Y-%m-%d"))
    assert births.dt.year.max() < 1913
    assert set(never.query("column == 'ordered_at'")["planted_value"].str[:10]) == {"1970-01-01", "1980-01-01"}
    later = told.query("kind == 'future date' and column == 'ordered_at'")
    assert later["planted_value"].map(pd.Timestamp).min() > pd.Timestamp("2033-01-01", tz="Asia/Tehran")
    assert told.query("kind == 'future date'")["planted_value"].str[:4].max() <= "2111"


def test_digits_of_three_alphabets_mean_the_same_number(spoilt):
    told = defects(spoilt, "mixed digits")
    assert set(told["way"]) == {"Persian digits", "Arabic digits"}
    assert (told["planted_value"].map(lambda phone: phone.translate(TO_LATIN)) == told["true_value"]).all()


def test_orders_of_nobody_have_no_id_or_one_that_nobody_has(clean, spoilt):
    told = defects(spoilt, "order without customer")
    planted = spoilt.tables["orders"].set_index("order_id")["customer_id"].loc[told["key"]]
    assert 0.2 < planted.isna().mean() < 0.8
    assert not planted.dropna().isin(spoilt.tables["customers"]["customer_id"]).any()


def test_an_order_in_rial_is_ten_times_as_much_and_still_the_sum_of_its_lines(clean, spoilt):
    slipped = defects(spoilt, "currency slip").query("table == 'orders' and column == 'amount'")["key"]
    before, after = (w.tables["orders"].set_index("order_id")["amount"].loc[slipped] for w in (clean, spoilt))
    assert (after == before * 10).all()
    orders, lines = spoilt.tables["orders"], spoilt.tables["order_lines"]
    np.testing.assert_array_equal(lines["amount"], lines["quantity"] * lines["unit_price"] - lines["discount"])
    sums = lines.groupby("order_id")[["amount", "discount"]].sum()
    pd.testing.assert_frame_equal(
        sums, orders.set_index("order_id")[["amount", "discount"]].sort_index(), check_names=False
    )


def test_test_accounts_have_absurd_orders(spoilt):
    told = defects(spoilt, "test account")
    accounts, orders = spoilt.tables["customers"], spoilt.tables["orders"]
    accounts = accounts[accounts["customer_id"].isin(told["key"])]
    assert accounts["name"].str.lower().str.contains("test|تست|آزمایشی").all()
    orders = orders[orders["order_id"].isin(told["key"])]
    assert set(orders["customer_id"]) == set(accounts["customer_id"])
    amounts = orders["amount"]
    assert ((amounts == 1) | (amounts == 999_999_999) | (amounts % 9_999 == 0)).all()
    signup = orders["customer_id"].map(accounts.set_index("customer_id")["signup_at"])
    assert (orders["ordered_at"] > signup).all()


def test_a_brand_has_two_spellings_at_most(clean, spoilt):
    told = defects(spoilt, "brand spelling")
    assert told.groupby("true_value")["planted_value"].nunique().eq(1).all()
    assert set(told["true_value"]) <= set(clean.tables["products"]["brand"])


def test_the_same_seed_gives_the_same_defects_in_every_process():
    # words are hashed with another key in every process: nothing may be drawn in the order of a set
    code = (
        "import hashlib; from analysis import bookshop; from analysis.bookshop.defects import plant; "
        "t = plant(bookshop.build(customers=300, seed=3), 0.1, 3).tables['customers']; "
        "print(hashlib.sha256(t.to_csv().encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": key}, capture_output=True
        ).stdout
        for key in ("1", "2", "3")
    }
    assert len(said) == 1
    assert said != {b""}


def test_an_id_tells_neither_what_was_planted_nor_whose_second_record_it_is(spoilt):
    told = spoilt.truth["defects"].query("table == 'customers' and original_id.notna()")
    second, first = told["key"].str[1:], told["original_id"].str[1:]
    assert len(told) > 20
    assert not any(a.endswith(b) for a, b in zip(second, first, strict=True))
    tests = spoilt.truth["defects"].query("table == 'customers' and kind == 'test account'")["key"]
    assert second.str.len().unique().tolist() == tests.str[1:].str.len().unique().tolist()
    assert second.str[0].nunique() > 3, "one leading digit would mark them"
