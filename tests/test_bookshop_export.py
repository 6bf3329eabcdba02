"""The export of a CRM looks like one, and reading it back with its mapping gives the world that it came from."""

import re
import tomllib
from dataclasses import replace

import pandas as pd
import pytest

from analysis import bookshop, sources
from analysis.bookshop.defects import plant, tolerated
from analysis.bookshop.export import HEADERS, export_crm
from analysis.schema import TABLES

TO_LATIN = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "0123456789" * 2)


@pytest.fixture(scope="module")
def world():
    return bookshop.build(customers=300, seed=1)


@pytest.fixture(scope="module")
def crm(world, tmp_path_factory):
    return export_crm(world, tmp_path_factory.mktemp("crm"))


@pytest.fixture(scope="module")
def base(crm):
    return sources.read(str(crm))


def text_of(crm, table):
    return pd.read_csv(crm.parent / f"{table}.csv", sep=";", dtype="str", encoding="utf-8-sig")


def of_base(base, table, by):
    frame = base[table].collect().to_pandas() if table in base else None
    return frame.sort_values(by, ignore_index=True)


# --- there and back ---------------------------------------------------------------------------------------------------


def test_reading_the_export_gives_every_row_and_sets_none_aside(world, base):
    assert base.accounts["reason"].eq("").all()
    assert base.unreadable.empty
    assert dict(zip(base.accounts["table"], base.accounts["rows"], strict=True)) == {
        name: len(table) for name, table in world.tables.items()
    }


def test_orders_come_back_with_their_customers_sums_and_moments(world, base):
    back, true = of_base(base, "orders", "order_id"), world.tables["orders"].sort_values("order_id", ignore_index=True)
    for column in ("order_id", "customer_id", "channel", "branch", "payment_method", "status"):
        assert back[column].fillna("").tolist() == true[column].fillna("").tolist(), column
    for column in ("amount", "discount"):
        assert back[column].tolist() == true[column].tolist(), column
    assert (back["ordered_at"].dt.tz_convert("UTC") == true["ordered_at"].dt.tz_convert("UTC")).all()


def test_lines_and_products_come_back_to_the_toman(world, base):
    key = ["order_id", "product_id"]
    back, true = (of_base(base, "order_lines", key), world.tables["order_lines"].sort_values(key, ignore_index=True))
    pd.testing.assert_frame_equal(back, true, check_dtype=False, rtol=0, atol=1e-5)
    assert back["amount"].tolist() == true["amount"].tolist()
    products = of_base(base, "products", "product_id")
    assert products["price"].tolist() == world.tables["products"]["price"].tolist()
    assert products["name"].tolist() == world.tables["products"]["name"].tolist()
    assert [list(tags) for tags in products["tags"].map(listed)] == world.tables["products"]["tags"].tolist()


def test_customers_come_back_with_their_days_incomes_and_lists(world, base):
    back = of_base(base, "customers", "customer_id")
    true = world.tables["customers"].sort_values("customer_id", ignore_index=True)
    for column in ("customer_id", "kind", "name", "email", "city", "occupation", "acquisition_campaign"):
        assert back[column].fillna("").tolist() == true[column].fillna("").tolist(), column
    assert back["income"].fillna(0).tolist() == true["income"].fillna(0).tolist()
    births = pd.to_datetime(back["birth_date"]).dt.date
    assert births.fillna("").tolist() == true["birth_date"].dt.date.fillna("").tolist()
    assert back["signup_at"].dt.date.tolist() == true["signup_at"].dt.date.tolist()
    for column in ("consents", "interests", "tags"):
        assert [list(values) for values in back[column].map(listed)] == true[column].tolist(), column
    digits = back["phone"].map(lambda phone: re.sub(r"\D", "", str(phone).translate(TO_LATIN))[-10:])
    assert digits.tolist() == true["phone"].map(lambda phone: re.sub(r"\D", "", str(phone))[-10:]).tolist()


def test_contacts_come_back_second_by_second(world, base):
    key = ["customer_id", "occurred_at", "event", "channel"]
    back, true = (
        t.sort_values(key, ignore_index=True)[[*key, "phase", "stage"]]
        for t in (base["touchpoints"].collect().to_pandas(), world.tables["touchpoints"])
    )
    back["occurred_at"] = back["occurred_at"].dt.tz_convert("Asia/Tehran").astype(true["occurred_at"].dtype)
    pd.testing.assert_frame_equal(back, true, check_dtype=False)


def listed(values):
    return [] if values is None or (not hasattr(values, "__len__")) else values


def test_a_spoilt_world_comes_back_with_the_same_rows_set_aside(world, tmp_path):
    spoilt = plant(world, rate=0.05, seed=1)
    base = sources.read(str(export_crm(spoilt, tmp_path, tolerated(0.05))))
    aside = base.accounts.query("table == 'orders' and reason != ''").set_index("reason")["rows"]
    told = spoilt.truth["defects"]
    without = told.query("kind == 'order without customer'")["way"].value_counts()
    assert aside["no customer_id"] == without["no id"]
    assert aside["unknown customer"] == without["unknown id"]
    assert aside["no ordered_at"] == len(told.query("kind == 'missing date' and table == 'orders'"))
    assert aside["in the future"] == len(told.query("kind == 'future date' and table == 'orders'"))
    assert aside.sum() < 0.1 * len(spoilt.tables["orders"])


def test_tables_of_sales_and_opinions_come_back_too(world, tmp_path):
    at = pd.Series(pd.to_datetime(["2024-03-20 10:00", None])).dt.tz_localize("Asia/Tehran").dt.as_unit("us")
    ids = world.tables["customers"]["customer_id"][:2].tolist()
    tables = {
        "customers": world.tables["customers"].assign(kind="company", annual_revenue=2.5e9, employees=12.0),
        "deals": pd.DataFrame(
            {"deal_id": ["D1", "D2"], "customer_id": [ids[0], None], "created_at": at[0], "closed_at": at}
        ).assign(outcome=["won", "open"], amount=[1_234_567.0, None], owner=["سارا", "Omid; the younger"]),
        "feedback": pd.DataFrame({"customer_id": ids, "given_at": at[0], "instrument": ["nps", "ces"]}).assign(
            score=[9.0, 4.5], text=['گفت: "خوب بود؛ ممنون"', None]
        ),
        "campaigns": pd.DataFrame({"campaign_id": ["M1"], "name": ["یلدا ۱۴۰۲"], "starts_at": at[:1], "cost": [8.1e6]}),
    }
    base = sources.read(str(export_crm(replace(world, tables=tables), tmp_path)))
    assert base.accounts["reason"].eq("").all()
    deals = of_base(base, "deals", "deal_id")
    assert deals["outcome"].tolist() == ["won", "open"]
    assert deals["amount"].fillna(-1).tolist() == [1_234_567, -1]
    assert deals["owner"].tolist() == ["سارا", "Omid; the younger"]
    assert deals["closed_at"].isna().tolist() == [False, True]
    # 20 March 2024 was the first day of 1403
    assert text_of(tmp_path / "mapping.toml", "deals")["تاریخ ایجاد"].tolist() == ["1403/01/01 10:00:00"] * 2
    feedback = of_base(base, "feedback", "instrument")
    assert feedback["instrument"].tolist() == ["ces", "nps"]
    assert feedback["score"].tolist() == [4.5, 9]
    assert feedback["text"].tolist()[1] == 'گفت: "خوب بود؛ ممنون"'
    assert of_base(base, "campaigns", "campaign_id")["cost"].tolist() == [8.1e6]
    customers = of_base(base, "customers", "customer_id")
    assert set(customers["kind"]) == {"company"}
    assert set(customers["annual_revenue"]) == {2.5e9}


# --- it looks like one ------------------------------------------------------------------------------------------------


def test_files_begin_with_a_mark_and_persian_headers(crm):
    for file in crm.parent.glob("*.csv"):
        assert file.read_bytes().startswith(b"\xef\xbb\xbf")
        header = file.read_text(encoding="utf-8-sig").splitlines()[0]
        assert ";" in header
        assert not re.search("[A-Za-z,]", header), header


def test_every_canonical_column_has_a_persian_header_of_its_own():
    for table in TABLES.values():
        headers = [HEADERS.get(f"{table.name}.{name}") or HEADERS[name] for name in table.names]
        assert len(set(headers)) == len(headers), table.name


def test_dates_are_jalali_in_digits_of_two_alphabets(crm, world):
    orders = text_of(crm, "orders")
    latin = orders["تاریخ سفارش"].str.fullmatch(r"14\d\d/[01][0-9]/[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]")
    assert 0.1 < latin.mean() < 0.9
    persian = orders["تاریخ سفارش"][~latin]
    assert persian.str.fullmatch(r"۱۴[۰-۹]{2}/[۰-۹]{2}/[۰-۹]{2} [۰-۹]{2}:[۰-۹]{2}:[۰-۹]{2}").all()
    # 20 March 2026 is the last day of 1404
    assert orders["تاریخ سفارش"].map(lambda day: day.translate(TO_LATIN)[:10]).max() <= "1404/12/29"
    assert text_of(crm, "customers")["تاریخ تولد"].dropna().str.fullmatch("[۰-۹]{4}/[۰-۹]{2}/[۰-۹]{2}").all()


def test_amounts_are_in_rial_with_persian_marks_and_status_in_words(crm, world):
    orders, first = text_of(crm, "orders"), world.tables["orders"].iloc[0]
    rial = f"{first['amount'] * 10:,.0f}".translate(str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬"))
    assert orders.iloc[0]["مبلغ پرداختی (ریال)"] == rial
    assert set(orders["وضعیت"]) <= {"تکمیل‌شده", "مرجوعی", "لغوشده", "باز"}
    assert text_of(crm, "products")["قیمت پشت جلد (میلیون ریال)"].str.contains("/").any()


def test_telephone_numbers_are_typed_in_many_ways(crm):
    phones = text_of(crm, "customers")["تلفن"].dropna()
    for pattern in (r"0000\d{7}", r"\+98\d{10}", r"0098 \d{10}", r"0000-\d{3}-\d{4}", "[۰-۹]{11}", r"0000 \d{3} \d{4}"):
        assert phones.map(lambda phone, p=pattern: bool(re.fullmatch(p, phone, re.ASCII))).any(), pattern


def test_the_same_world_gives_the_same_bytes(world, crm, tmp_path):
    again = export_crm(world, tmp_path)
    assert {f.name: f.read_bytes() for f in again.parent.iterdir()} == {
        f.name: f.read_bytes() for f in crm.parent.iterdir()
    }


def test_the_mapping_is_one_that_a_person_could_write(crm):
    mapping = tomllib.loads(crm.read_text(encoding="utf-8"))
    assert mapping["tables"]["orders"]["columns"]["order_id"] == "شماره سفارش"
    assert mapping["tables"]["orders"]["columns"]["ordered_at"] == {"column": "تاریخ سفارش", "calendar": "jalali"}
    # the shop counts in toman, its CRM in rial
    assert mapping["currency"] == "toman"
    amount = {"column": "مبلغ پرداختی (ریال)", "currency": "rial"}
    assert mapping["tables"]["orders"]["columns"]["amount"] == amount


def test_a_large_world_is_translated_spoilt_and_exported_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(bookshop, "PIECE", 250)
    mapping = bookshop.write(tmp_path, customers=600, language="fa", defects=0.04, csv=True, export="crm")
    base, crm = sources.read(str(mapping)), sources.read(str(tmp_path / "crm" / "mapping.toml"))
    columns = ["table", "reason", "rows"]
    pd.testing.assert_frame_equal(base.accounts[columns], crm.accounts[columns])
    assert base.accounts.query("table == 'customers'")["rows"].sum() >= 600
    listed = pd.read_parquet(tmp_path / "truth" / "defects.parquet")
    assert not listed.duplicated(["table", "key", "column"]).any()  # what pieces share is spoilt once
    lines = len(pd.read_parquet(tmp_path / "order_lines.parquet"))
    assert len(pd.read_csv(tmp_path / "order_lines.csv")) == lines
    assert len((tmp_path / "crm" / "order_lines.csv").read_text("utf-8-sig").splitlines()) == lines + 1
