from datetime import date

import openpyxl  # writes workbooks for the tests; the project reads them with calamine
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import sources
from analysis.errors import Problem
from analysis.sources import canonical, jalali

ORDERS = """[tables.orders]
path = "orders.csv"
[tables.orders.columns]
order_id = "id"
customer_id = "who"
ordered_at = "day"
amount = "paid"
"""
CUSTOMERS = """[tables.customers]
path = "customers.csv"
[tables.customers.columns]
customer_id = "who"
"""
LINES = "id,who,day,paid\n1,a,2024-01-05,10\n2,a,2024-02-05,20.5\n3,b,2024-02-06,0\n"


def frame(base, table):
    return base[table].collect("pandas").to_native()


def accounts(base, table):
    rows = base.accounts[base.accounts["table"] == table]
    return dict(zip(rows["reason"], rows["rows"], strict=True))


# What a mapping can say


def test_ids_stay_text_so_that_00017_is_not_17(base_of):
    file = base_of(ORDERS, orders="id,who,day,paid\n001,00017,2024-01-05,1\n2,17,2024-01-05,1\n")
    assert sorted(frame(sources.read(str(file)), "customers")["customer_id"]) == ["00017", "17"]


def test_a_number_as_typed_in_persian_or_german_is_read(base_of):
    german = ORDERS.replace('path = "orders.csv"', 'path = "orders.csv"\ndelimiter = ";"\ndecimal = ","')
    file = base_of(german, orders="id;who;day;paid\n1;a;2024-01-05;1.234,50\n2;a;2024-01-05;۱۲٬۵۰۰\n")
    assert sorted(frame(sources.read(str(file)), "orders")["amount"]) == [1234.5, 12500.0]


@pytest.mark.parametrize(
    ("decimal", "typed", "value"),
    [
        (".", "1,234.50", 1234.5), (".", "1,5", None), (".", "12,34", None), (".", "1.234,50", None), (".", "٫5", 0.5),
        (".", "۱۲۳٬۴۵۶", 123456.0), (".", "4.00E+05", 400000.0), (".", "1 234", 1234.0), (".", "12 €", None),
        (",", "1.234,50", 1234.5), (",", "1,234.50", None), (",", "10,5", 10.5), (",", "10.5", None), (",", ",5", 0.5),
    ],
)  # fmt: skip
def test_thousands_marks_count_only_where_they_part_groups_of_three(decimal, typed, value):
    db = sources.connect("UTC")
    jalali.install(db)
    text = "'" + typed + "'"
    found = db.execute(f"SELECT CAST({canonical.plain_number(text, decimal)} AS DOUBLE)").fetchall()[0][0]
    assert found == value


def test_a_line_that_begins_with_a_hash_is_a_row_like_any_other(base_of):
    file = base_of(ORDERS, orders="id,who,day,paid\n1,a,2024-01-01,5\n#2,b,2024-01-02,5\n3,a,2024-01-03,5\n")
    assert accounts(sources.read(str(file)), "orders") == {"": 3}


def test_files_of_one_name_in_two_folders_and_of_odd_names_are_each_read_once(base_of, tmp_path):
    for folder, who in (("x", "a"), ("y", "b"), ("z", "c")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t[1].csv").write_text(f"id,who,day,paid\n{who},{who},2024-01-01,5\n", encoding="cp1252")
    mapping = ORDERS.replace('path = "orders.csv"', 'path = "*/t*.csv"\nencoding = "cp1252"')
    assert sorted(frame(sources.read(str(base_of(mapping))), "customers")["customer_id"]) == ["a", "b", "c"]


def test_a_number_of_a_workbook_is_itself_whatever_the_decimal_mark(base_of, tmp_path):
    book = openpyxl.Workbook()
    for row in [("id", "who", "day", "paid"), (1, "a", "2024-01-05", 10.5), (2, "a", "2024-01-05", "10,5")]:
        book.active.append(row)
    book.save(tmp_path / "orders.xlsx")
    mapping = ORDERS.replace('path = "orders.csv"', 'path = "orders.xlsx"\ndecimal = ","')
    assert frame(sources.read(str(base_of(mapping))), "orders")["amount"].tolist() == [10.5, 10.5]


def test_an_order_of_two_customers_is_refused(base_of):
    mapping = """[tables.order_lines]
path = "lines.csv"
[tables.order_lines.columns]
order_id = "o"
customer_id = "c"
ordered_at = "t"
amount = "x"
"""
    file = base_of(mapping, lines="o,c,t,x\n1,a,2024-01-01,2\n1,b,2024-01-05,3\n")
    with pytest.raises(Problem, match=r"small.toml: .*1 orders have lines of several customers \(order '1'\)"):
        sources.read(str(file))


def test_a_day_of_the_first_century_is_unreadable(base_of):
    mapping = "max_set_aside = 0.5\n" + ORDERS.replace('"day"', '{ column = "day", format = "%d.%m.%Y" }')
    file = base_of(mapping, orders="id,who,day,paid\n1,a,1.3.24,1\n2,a,1.3.2024,1\n")
    assert accounts(sources.read(str(file)), "orders") == {"": 1, "unreadable ordered_at": 1}


def test_windows_1256_export_is_read_when_the_mapping_says_so(base_of):
    persian = (
        CUSTOMERS.replace('path = "customers.csv"', 'path = "customers.csv"\nencoding = "cp1256"') + 'city = "شهر"\n'
    )
    file = base_of(persian + 'signup_at = "day"\n', encoding="cp1256", customers="who,شهر,day\n1,تهران,2024-01-05\n")
    assert frame(sources.read(str(file)), "customers")["city"].tolist() == ["تهران"]


def test_jalali_instant_keeps_its_time_of_day_in_the_business_timezone(base_of):
    mapping = ORDERS.replace('ordered_at = "day"', 'ordered_at = { column = "day", calendar = "jalali" }')
    base = sources.read(str(base_of(mapping, orders="id,who,day,paid\n1,a,۱۴۰۲/۰۵/۱۳ ۲۳:۳۰,1\n")))
    assert frame(base, "orders")["ordered_at"].tolist() == [pd.Timestamp("2023-08-04 23:30", tz="Asia/Tehran")]
    assert base.as_of == date(2023, 8, 4)


def test_lists_are_split_and_blank_parts_dropped(base_of):
    mapping = CUSTOMERS + 'interests = { column = "likes", split = "|" }\nsignup_at = "day"\n'
    base = sources.read(str(base_of(mapping, customers="who,likes,day\n1,novel| poetry |,2024-01-05\n")))
    assert list(frame(base, "customers")["interests"][0]) == ["novel", "poetry"]


def test_further_columns_of_customers_are_kept_as_numbers_only_when_all_are(base_of):
    mapping = CUSTOMERS + 'signup_at = "day"\n'
    text = "who,day,visits,code,mood\n1,2024-01-05,3,007,good\n2,2024-01-05,,12,4\n"
    custom = frame(sources.read(str(base_of(mapping, customers=text))), "customers").set_index("customer_id")
    assert custom.loc["1", "visits"] == 3.0
    assert custom.loc["1", "code"] == "007"
    assert custom["mood"].tolist() == ["good", "4"]


def test_orders_come_from_lines_that_carry_customer_and_time(base_of):
    mapping = """[tables.order_lines]
path = "lines.csv"
[tables.order_lines.columns]
order_id = "id"
customer_id = "who"
ordered_at = "at"
product_id = "what"
quantity = "n"
unit_price = "price"
[tables.order_lines.set_aside]
"no customer" = "who IS NULL"
"""
    lines = (
        "id,who,at,what,n,price\n1,a,2024-01-05 10:00,x,2,3\n1,a,2024-01-05 10:05,y,1,0.1\n"
        "2,,2024-01-06,x,1,3\n3,b,2024-01-07,x,-1,3\n"
    )
    base = sources.read(str(base_of(mapping, lines=lines)))
    orders = frame(base, "orders").sort_values("order_id")
    # order 1: 2 × 3 + 1 × 0.1, at its earliest line; order 3 gives 3 back
    assert orders["amount"].tolist() == [6.1, -3.0]
    assert orders["status"].fillna("").tolist() == ["", "returned"]
    assert orders["ordered_at"].iloc[0] == pd.Timestamp("2024-01-05 10:00", tz="Asia/Tehran")
    assert accounts(base, "orders") == {"": 2, "no customer": 1}
    assert accounts(base, "order_lines") == {"": 3, "no customer": 1}


def test_excel_workbook_is_read_like_csv(base_of, tmp_path):
    book = openpyxl.Workbook()
    for row in [("id", "who", "day", "paid"), (1, 17, "2024-01-05", 2.5)]:
        book.active.append(row)
    book.save(tmp_path / "orders.xlsx")
    base = sources.read(str(base_of(ORDERS.replace("orders.csv", "orders.xlsx"))))
    assert frame(base, "orders")[["order_id", "customer_id", "amount"]].values.tolist() == [["1", "17", 2.5]]


# Rows in = rows kept + rows set aside


DEFECTS = {
    "negative amount": "9,a,2024-01-05,-1",
    "unreadable ordered_at": "9,a,soon,1",
    "no customer_id": "9,,2024-01-05,1",
    "no order_id": ",a,2024-01-05,1",
    "repeated row": "1,a,2024-01-05,10",
    "another row has this order_id": "1,a,2024-01-05,11",
    "in the future": "9,a,2999-01-05,1",
}


@pytest.mark.parametrize("reason", DEFECTS)
def test_a_defective_row_is_set_aside_with_its_reason_and_no_row_is_lost(base_of, reason):
    file = base_of("max_set_aside = 0.5\n" + ORDERS, orders=LINES + DEFECTS[reason] + "\n")
    base = sources.read(str(file))
    assert accounts(base, "orders") == {"": 3, reason: 1}
    rows = base.db.sql(sources.set_aside(base, "orders")).df()
    assert rows["reason"].tolist() == [reason]
    assert list(rows.columns) == ["id", "who", "day", "paid", "reason"]


@pytest.mark.parametrize("amount", ["nan", "inf", "-inf", "ten"])
def test_an_amount_that_is_no_finite_number_is_set_aside(base_of, amount):
    file = base_of("max_set_aside = 0.5\n" + ORDERS, orders=LINES + f"9,a,2024-01-05,{amount}\n")
    assert accounts(sources.read(str(file)), "orders") == {"": 3, "amount is no number": 1}


def test_a_zero_amount_is_kept_because_gifts_are_orders_too(base_of):
    assert frame(sources.read(str(base_of(ORDERS, orders=LINES))), "orders")["amount"].min() == 0


def test_a_field_of_the_bases_own_needs_no_line(base_of):
    file = base_of(CUSTOMERS + 'shoe_size = "size"\n', customers="who,size\na,42\nb,38\n")
    with pytest.raises(Problem, match=r'unknown column "shoe_size".*need no line'):
        sources.read(str(file))


def test_a_condition_that_sets_every_row_aside_is_named(base_of):
    file = base_of(ORDERS + '[tables.orders.set_aside]\n"gifts" = "who IS NOT NULL"\n', orders=LINES)
    with pytest.raises(Problem, match=r'set_aside\] "gifts": the condition who IS NOT NULL holds for all 3 rows'):
        sources.read(str(file))


def test_a_base_that_lies_in_the_future_says_so(base_of):
    file = base_of(ORDERS, orders="id,who,day,paid\n1,a,2124-01-05,10\n")
    with pytest.raises(Problem, match=r"every date in orders lies in the future \(1 rows\)"):
        sources.read(str(file))


def test_orders_of_unknown_customers_are_set_aside(base_of):
    file = base_of("max_set_aside = 0.5\n" + CUSTOMERS + ORDERS, customers="who\na\n", orders=LINES)
    assert accounts(sources.read(str(file)), "orders") == {"": 2, "unknown customer": 1}


def test_a_table_with_repeated_rows_and_unknown_customers_loses_neither_count(base_of):
    file = base_of(
        "max_set_aside = 0.9\n" + CUSTOMERS + ORDERS, customers="who\na\na\n", orders=LINES + "1,a,2024-01-05,10\n"
    )
    base = sources.read(str(file), as_of=date(2024, 2, 1))
    assert accounts(base, "customers") == {"": 1, "repeated row": 1}
    assert accounts(base, "orders") == {"": 1, "after as_of": 2, "repeated row": 1}


def test_a_customer_first_heard_of_after_as_of_is_not_known_yet(base_of):
    base = sources.read(
        str(base_of(CUSTOMERS + ORDERS, customers="who\na\nb\nz\n", orders=LINES)), as_of=date(2024, 2, 5)
    )
    # b ordered on the sixth only; z never ordered, so nobody can say that z came later
    assert accounts(base, "customers") == {"": 2, "first heard of after as_of": 1}
    assert sorted(frame(base, "customers")["customer_id"]) == ["a", "z"]


def test_orders_of_a_customer_who_cannot_be_used_are_a_defect_too(base_of):
    # one bad customer of two owns two orders of three: too many to go on in silence
    mapping = "max_set_aside = 0.5\n" + CUSTOMERS + 'signup_at = "since"\n' + ORDERS
    file = base_of(mapping, customers="who,since\na,2999-01-01\nb,2024-01-01\n", orders=LINES)
    with pytest.raises(Problem, match=r"2 of 3 rows cannot be used.*customer unusable \(2 rows.*Mend their customers"):
        sources.read(str(file))


def test_orders_of_a_customer_who_was_set_aside_on_purpose_follow_and_are_no_defect(base_of):
    customers = CUSTOMERS + '[tables.customers.set_aside]\n"test account" = "who = \'b\'"\n'
    base = sources.read(str(base_of(customers + ORDERS, customers="who\na\nb\n", orders=LINES)))
    assert accounts(base, "orders") == {"": 2, "customer set aside": 1}
    assert not base.accounts["defect"].any()


def test_more_defects_than_the_limit_stop_reading_with_examples_and_a_cure(base_of):
    file = base_of(ORDERS, orders=LINES + "8,a,05.01.2024,1\n9,a,31.12.2023,1\n")
    with pytest.raises(Problem, match=r"orders.csv \(orders\): 2 of 5 rows .* '05.01.2024', '31.12.2023'.*format = "):
        sources.read(str(file))


def test_an_unreadable_cell_of_an_optional_column_is_emptied_and_counted_and_the_customer_kept(base_of):
    mapping = CUSTOMERS + 'birth_date = "born"\nsignup_at = "day"\n'
    base = sources.read(
        str(base_of(mapping, customers="who,born,day\n1,1980-02-30,2024-01-05\n2,1980-02-03,2024-01-05\n"))
    )
    assert frame(base, "customers")["birth_date"].isna().tolist() == [True, False]
    assert base.unreadable[["table", "column", "cells"]].values.tolist() == [["customers", "birth_date", 1]]


def test_what_happens_after_as_of_changes_nothing(base_of):
    before = sources.read(str(base_of(ORDERS, orders=LINES)), as_of=date(2024, 2, 5))
    known = frame(before, "orders").sort_values("order_id", ignore_index=True)
    later = sources.read(str(base_of(ORDERS, orders=LINES + "4,c,2024-03-01,99\n")), as_of=date(2024, 2, 5))
    pd.testing.assert_frame_equal(frame(later, "orders").sort_values("order_id", ignore_index=True), known)
    assert sorted(frame(later, "customers")["customer_id"]) == ["a"]
    assert accounts(later, "orders") == {"": 2, "after as_of": 2}


def test_a_deal_that_closes_after_as_of_is_still_open_and_its_value_unknown(base_of):
    mapping = """[tables.deals]
path = "deals.csv"
[tables.deals.columns]
deal_id = "id"
customer_id = "who"
created_at = "start"
closed_at = "end"
outcome = "state"
amount = "value"
"""
    deals = "id,who,start,end,state,value\n1,a,2024-01-01,2024-01-10,Won,5\n2,a,2024-01-01,2024-03-01,won,7\n"
    base = sources.read(str(base_of(mapping, deals=deals)), as_of=date(2024, 2, 1))
    rows = frame(base, "deals").sort_values("deal_id")
    assert rows["outcome"].tolist() == ["won", "open"]
    assert rows["amount"].isna().tolist() == [False, True]


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order, tmp_path_factory):
    rows = [*LINES.splitlines()[1:], "1,a,2024-01-05,11", "1,a,2024-01-05,10", "5,,2024-01-05,10"]
    folder = tmp_path_factory.mktemp("base")
    (folder / "orders.csv").write_text("\n".join(["id,who,day,paid", *(rows[i] for i in order)]) + "\n")
    (folder / "small.toml").write_text('name = "small"\ntimezone = "UTC"\nmax_set_aside = 0.9\n' + ORDERS)
    base = sources.read(str(folder / "small.toml"))
    kept = frame(base, "orders").sort_values("order_id")
    assert kept[["order_id", "amount"]].values.tolist() == [["1", 11.0], ["2", 20.5], ["3", 0.0]]
    assert accounts(base, "orders") == {
        "": 3, "another row has this order_id": 1, "repeated row": 1, "no customer_id": 1,
    }  # fmt: skip


# Mistakes of the user


@pytest.mark.parametrize(
    ("mapping", "files", "message"),
    [
        (ORDERS, {}, r"small.toml \[tables.orders\]: no file orders.csv in .*--data"),
        (ORDERS, {"orders": ""}, r"orders.csv is empty"),
        (ORDERS, {"orders": "id,who,day,paid\n"}, r"orders.csv has a header and no rows"),
        (ORDERS, {"orders": "id,who,dya,paid\n1,a,2024-01-05,1\n"}, r'no column "day"\. Did you mean "dya"\?'),
        (ORDERS, {"orders": b"PAR1\0\0\0"}, r"orders.csv is not text but a Parquet file"),
        (ORDERS, {"orders": b"id,who\0\1\2"}, r"orders.csv is not text: it holds binary data"),
        (ORDERS, {"orders": "id,who,day,paid\n1,é,2024-01-05,1\n".encode("cp1252")}, r"not utf-8 text .*encoding"),
        (ORDERS, {"orders": "id,who,id,paid\n1,a,2,1\n"}, r'two columns called "id"'),
        (ORDERS, {"orders": "id,who,day,paid\n1,a,soon,1\n"}, r"no table has a date .* \(found: 'soon'\)"),
        (ORDERS.replace("amount", "amuont"), {"orders": LINES}, r'unknown column "amuont"\. Did you mean "amount"\?'),
        (ORDERS.replace("path =", "pathh ="), {"orders": LINES}, r'unknown key "pathh"\. Did you mean "path"\?'),
        (ORDERS.replace("tables.orders", "tables.order"), {"orders": LINES}, r'unknown table "order"\. Did you mean'),
        (ORDERS.replace('customer_id = "who"\n', ""), {"orders": LINES}, r'has no column "customer_id" \(the customer'),
        (ORDERS + '[tables.orders.set_aside]\nodd = "whoo = 1"\n', {"orders": LINES}, r"the condition .* does not run"),
        (ORDERS.replace('"paid"', '{ sql = "paid *" }'), {"orders": LINES}, r"amount: the SQL paid \* does not run"),
        (ORDERS + "x = = 1", {"orders": LINES}, r"small.toml is not valid TOML"),
        ("about = 5\n" + ORDERS, {"orders": LINES}, r"about = 5 should be text in quotes"),
        (ORDERS.replace("[tables.orders.c", "set_aside = ['x']\n[tables.orders.c"), {"orders": LINES}, r"be a table"),
        (ORDERS.replace('"paid"', '{ sql = "CAST(who AS INT)" }'), {"orders": LINES}, r"small.toml: Conversion Error"),
        ("max_set_aside = 7\n" + ORDERS, {"orders": LINES}, r"share between 0 and 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_to_do(base_of, mapping, files, message):
    with pytest.raises(Problem, match=message):
        sources.read(str(base_of(mapping, **files)))


def test_unknown_source_suggests_the_near_one():
    with pytest.raises(Problem, match='Did you mean "cdnow"'):
        sources.read("cdnwo")


def test_unknown_timezone_is_refused(base_of):
    file = base_of(ORDERS, orders=LINES)
    file.write_text(file.read_text().replace("Asia/Tehran", "Asia/Teheran"))
    with pytest.raises(Problem, match='timezone "Asia/Teheran" is unknown'):
        sources.read(str(file))


def test_a_base_of_one_customer_and_one_order_is_read(base_of):
    base = sources.read(str(base_of(ORDERS, orders="id,who,day,paid\n1,a,2024-01-05,10\n")))
    assert len(frame(base, "customers")) == 1


def test_every_shipped_mapping_is_well_formed():
    assert len(sources.shipped()) >= 7
    for file in sources.shipped().values():
        assert sources.load(file).about, f"{file.name} does not say where the data comes from"


def test_every_canonical_column_has_an_sql_type():
    from analysis import schema

    kinds = {c.type for t in schema.TABLES.values() for c in t.columns}
    assert kinds <= schema.SQL_TYPES.keys()
    assert canonical.PREFIX


def test_multi_choice_fields_of_the_base_are_kept_as_lists(base_of):
    mapping = '[tables.customers]\npath = "people.csv"\ncolumns = "canonical"\nlists = {{ genres = "{mark}" }}\n'
    people = "customer_id,genres,signup_at\na,novel; art ;,2024-01-01\nb,,2024-01-01\n"
    base = sources.read(str(base_of(mapping.format(mark=";"), people=people)))
    genres = base["customers"].collect("pandas").to_native().set_index("customer_id")["genres"]
    assert list(genres["a"]) == ["novel", "art"]
    assert genres.isna()["b"]
    with pytest.raises(Problem, match='no column "genre" to drop, to mark as personal'):
        sources.read(str(base_of(mapping.format(mark=";").replace("genres", "genre"), people=people)))
    with pytest.raises(Problem, match="say what parts its values"):
        sources.read(str(base_of(mapping.format(mark=""), people=people)))
