"""What the chapter on data says of a base, worked out by hand; and what it finds of the planted defects."""

import numpy as np
import pandas as pd
import pytest

from analysis import bookshop, cli, quality, sources
from analysis.errors import Problem

MAPPING = """[tables.orders]
path = "orders.csv"
columns = "canonical"
[tables.touchpoints]
path = "touchpoints.csv"
columns = "canonical"
"""


def base_with(base_of, order_days, contact_days):
    orders = "order_id,customer_id,ordered_at,amount\n" + "".join(
        f"{i},a,{day},10\n" for i, day in enumerate(order_days)
    )
    contacts = "customer_id,occurred_at,event\n" + "".join(f"a,{day},visit\n" for day in contact_days)
    return sources.read(str(base_of(MAPPING, orders=orders, touchpoints=contacts)))


def stale(base):
    return set(quality.assess(base).query("check.str.startswith('stops ')")["table"])


def found(base, check):
    """The one defect whose check holds these words."""
    return quality.assess(base).query("check.str.contains(@check, regex=False) and defects > 0").squeeze()


def test_a_table_that_stops_early_is_stale_unless_it_was_ever_silent_for_as_long(base_of):
    # contacts every day in January, none in the three months after: they stopped early
    daily = [f"2024-01-{d:02d}" for d in range(1, 31)]
    orders = ["2024-01-05", "2024-04-30"]
    assert stale(base_with(base_of, orders, daily)) == {"touchpoints"}
    # contacts twice a year, the last two months ago: that is how they come
    assert stale(base_with(base_of, orders, ["2023-03-01", "2023-09-01", "2024-03-01"])) == set()


def test_rows_made_from_others_are_no_rows_read(base_of):
    base = base_with(base_of, ["2024-01-05", "2024-04-30"], ["2024-04-01"])  # customers are made from their ids
    assert quality.findings(base, quality.assess(base))[0] == (
        "3 rows in 2 tables were read; 0 were set aside. From them customers were made."
    )
    per = quality.tables(base).set_index("table")["one row per"]
    assert per["customers"] == "customer (person or company), made from other rows"


SHOP = """[tables.customers]
path = "customers.csv"
columns = "canonical"
[tables.orders]
path = "orders.csv"
columns = "canonical"
[tables.order_lines]
path = "lines.csv"
columns = "canonical"
"""


def shop(base_of, customers="", orders="", lines="", mapping=SHOP, people=10):
    """A shop of ten people who buy a thing of 100 on each of ten days, and what is given beside it."""
    tables = {
        "customers": "customer_id,name,email,phone,birth_date,city,kind,employees,signup_at\n",
        "orders": "order_id,customer_id,ordered_at,amount\n",
        "lines": "order_id,product_id,quantity,unit_price,amount\n",
    }
    for i in range(people):
        born = f"198{i % 10}-05-0{i % 9 + 1}"
        tables["customers"] += f"c{i},Sara {i},s{i}@x.org,+98 21 111 111{i},{born},Rasht,person,,\n"
        for day in range(10, 20):
            tables["orders"] += f"o{i}-{day},c{i},2024-01-{day},100\n"
            tables["lines"] += f"o{i}-{day},p,1,100,100\n"
    files = {"customers": customers, "orders": orders, "lines": lines}
    return sources.read(str(base_of(mapping, **{name: tables[name] + more for name, more in files.items()})))


def test_a_sound_base_has_no_defect(base_of):
    assessed = quality.assess(shop(base_of))
    assert assessed.query("defects > 0 and check != 'empty'").empty
    assert quality.page(assessed)[0] == "No defect was found."


def test_a_test_account_is_found_and_what_it_bends_is_told(base_of):
    # 10 people spend 1,000 each; the account's one order of 10,000 doubles the revenue of 10,000
    base = shop(base_of, "t,Test 3,,,,,person,,\n", "o-t,t,2024-01-15,10000\n")
    account = found(base, "test account")
    assert (account["defects"], account["checked"]) == (1, 11)
    assert account["moves"] == pytest.approx(0.5)  # the revenue, by half
    bent = quality.bends(base).query("check == 'test account'").set_index("headline")
    assert bent.loc["revenue", ["as_it_is", "mended"]].tolist() == [20_000, 10_000]
    assert bent.loc["customers", ["as_it_is", "mended"]].tolist() == [11, 10]
    assert "revenue 20,000 → 10,000 toman" in account["bends"]


@pytest.mark.parametrize(
    ("name", "email", "is_one"),
    [
        ("test", "", True),
        ("مشتری آزمایشی", "", True),
        ("Test Customer 12", "", True),
        ("", "test7@x.org", True),
        ("Contessa Testa", "contest@x.org", False),
        ("Test Rossa", "", False),
        ("Customer", "", False),
    ],
)
def test_who_is_a_test_account(base_of, name, email, is_one):
    base = shop(base_of, f"t,{name},{email},,,,person,,\n")
    assert bool(quality.assess(base)["check"].eq("test account").any()) is is_one


def test_a_clock_that_was_never_set_is_told_from_an_old_customer(base_of):
    # one of 101 orders lies years before the others; six of 106 are more than a twentieth, and a business of their own
    old = [f"x{i},c{i},1980-01-01,100\n" for i in range(6)]
    early = found(shop(base_of, orders=old[0]), "long before all others, which begin on 2024-01-10")
    assert (early["defects"], early["checked"], early["examples"]) == (1, 101, "1980-01-01")
    assert quality.assess(shop(base_of, orders="".join(old)))["check"].ne(early["check"]).all()


def test_a_few_amounts_far_from_all_others_are_out_of_line(base_of):
    base = shop(base_of, orders="x,c1,2024-01-12,999999999\ny,c1,2024-01-12,1\n", people=50)
    out = quality.assess(base).query("table == 'orders' and check == 'out of line with all others'").squeeze()
    assert (out["defects"], out["examples"]) == (2, "1, 999,999,999")
    assert "All others lie at 100 to 100." in out["cure"]
    # ten times the usual amount is a large order
    assert quality.assess(shop(base_of, orders="x,c1,2024-01-12,900\n", people=50))["check"].ne(out["check"]).all()


def test_rials_among_tomans_are_found_by_the_product_and_lowered(base_of):
    # 101 lines of 100, one order of 1,000 for the same product: revenue 10,000 + 1,000, mended 10,000 + 100
    base = shop(base_of, orders="x,c1,2024-01-12,1000\n", lines="x,p,1,1000,1000\n")
    assert found(base, "ten times")["defects"] == 1
    bent = quality.bends(base).query("check.str.startswith('ten times')", engine="python").set_index("headline")
    assert bent.loc["revenue", ["as_it_is", "mended"]].tolist() == pytest.approx([11_000, 10_100])
    # a product whose price is now 100, now 300, now 1,000 has no usual price to be ten times of
    prices = [100] * 5 + [300, 400, 500] + [1000]
    varied = "".join(f"o{i}-10,q,1,{price},{price}\n" for i, price in enumerate(prices))
    assert quality.assess(shop(base_of, lines=varied))["check"].str.startswith("ten times").sum() == 0


def test_spellings_of_one_name_are_joined_by_the_commonest(base_of):
    more = "x,Sara,,,,RASHT,person,,\ny,Sara,,,,Ra sht,person,,\nz,Sara,,,,Tehran,person,,\n"
    spelt = found(shop(base_of, more), "another spelling")
    assert (spelt["column"], spelt["defects"], spelt["checked"]) == ("city", 2, 13)
    assert "“RASHT” for “Rasht”" in spelt["examples"]


def test_a_slip_of_one_letter_is_a_guess_of_its_own(base_of):
    people = "".join(f"x{i},Sara,,,,Isfahan,person,,\n" for i in range(40))
    slip = found(shop(base_of, people + "y,Sara,,,,Isfahn,person,,\n"), "perhaps a slip")
    assert (slip["defects"], slip["examples"]) == (1, "“Isfahn” for “Isfahan”")


def test_dates_of_birth_that_cannot_be(base_of):
    people = "x,A,,,2031-01-01,,person,,\ny,B,,,1880-01-01,,person,,\n"
    base = shop(base_of, people)
    assert found(base, "born after the day")["examples"] == "born in 2031"
    assert found(base, "older than 110")["examples"] == "born in 1880"
    # forty of fifty are born on the first day of 1970, and nobody shares a day with another: typed to get on
    same = "".join(f"z{i},C,,,1970-01-01,,person,,\n" for i in range(40))
    assert found(shop(base_of, same), "too many share")["defects"] == 40


def test_what_only_companies_can_fill_is_no_hole_of_persons(base_of):
    assessed = quality.assess(shop(base_of, "x,School,,,,,company,12,\n")).set_index(["table", "column", "check"])
    employees = assessed.loc[("customers", "employees", "empty")]
    assert (employees["checked"], employees["defects"]) == (1, 0)
    assert assessed.loc[("customers", "birth_date", "empty"), "checked"] == 10


def test_a_week_without_an_order_is_silence_only_where_orders_are_many(base_of):
    # ten orders a day, then none from 20 to 29 January: 10 days
    more = "".join(f"y{i},c{i},2024-01-30,100\n" for i in range(10))
    silence = found(shop(base_of, orders=more), "days without an order")
    assert (silence["defects"], silence["checked"]) == (10, 21)
    assert silence["examples"] == "2024-01-20 to 2024-01-29"
    # one order a day would have brought ten
    assert quality.assess(shop(base_of, people=1, orders="y,c0,2024-01-30,100\n"))["check"].ne(silence["check"]).all()


def test_orders_set_aside_are_told_with_what_they_would_add(base_of):
    # 200 purchases of 100, and one of 1,000 by nobody: with it 21,000 instead of 20,000
    aside = found(shop(base_of, orders="x,,2024-01-12,1000\n", people=20), "set aside: no customer_id")
    assert aside["dimension"] == "completeness"
    assert "revenue 20,000 → 21,000 toman" in aside["bends"]


def test_a_change_too_small_to_read_in_the_figures_is_told_in_per_cent(base_of):
    # 6,000 purchases of 100 and one of 1,100 by nobody: 600,000 and 601,100 are both written 600 and 601 thousand
    aside = found(shop(base_of, orders="x,,2024-01-12,1100\n", people=600), "set aside: no customer_id")
    assert "revenue 600,000 → 601,000 toman" in aside["bends"]
    assert "mean order value +0.2 %" in aside["bends"]


def test_personal_examples_show_only_their_shape(base_of):
    base = shop(base_of, "x,Sara,sara.at.home,12345,,,person,,\n")
    assert found(base, "no address")["examples"] == "aaaa.aa.aaaa"
    assert found(base, "not 7 to 15 digits")["examples"] == "99999"


def test_the_worst_defect_comes_first(base_of):
    # an account that doubles the revenue, and five of fifteen people without a city
    holes = "".join(f"x{i},Sara,,,,,person,,\n" for i in range(5))
    base = shop(base_of, holes + "t,test,,,,Rasht,person,,\n", "o-t,t,2024-01-15,10000\n")
    assert quality.assess(base)["check"].iloc[0] == "test account"
    moves = quality.assess(base)["moves"].fillna(0)
    assert moves.is_monotonic_decreasing


def test_limits_name_the_longest_that_fits_and_check_fails_above_them(base_of, capsys):
    mapping = '[limits]\n"completeness" = 0.5\n"customers.city completeness" = 0.05\n' + SHOP
    shop(base_of, "x,Sara,,,,,person,,\n", mapping=mapping)
    assert cli.main(["check", str(base_of.folder / "small.toml")]) == 3
    out = capsys.readouterr().out
    assert "Above the limit: customers.city: empty, 9.09% of 11, limit 5.00%" in out
    assert out.count("Above the limit") == 2  # and signup_at, which is empty throughout


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("completness", 'Did you mean "completeness"'),
        ("custmers completeness", 'no table "custmers". Did you mean "customers"'),
        ("customers.fone completeness", 'customers has no column "fone". Did you mean'),
    ],
)
def test_a_limit_that_fits_nothing_is_named(limit, message):
    table = pd.DataFrame({"table": ["customers"], "column": ["shoe_size"], "dimension": ["completeness"], "share": 0.3})
    with pytest.raises(Problem, match=message):
        quality.above_limits(table, {limit: 0.1})
    # a field of the base's own has a limit as any other
    assert len(quality.above_limits(table, {"customers.shoe_size completeness": 0.1})) == 1


def test_changes_since_an_earlier_run_are_told_from_chance(base_of):
    def table(empty, checked):
        row = {"table": "orders", "column": "channel", "check": "empty", "checked": checked, "defects": empty}
        return pd.DataFrame([row])

    # 2 of 20 against 1 of 20 is chance; 200 of 2,000 against 100 of 2,000 is not
    assert quality.changes(table(2, 20), table(1, 20)).empty
    changed = quality.changes(table(200, 2000), table(100, 2000)).squeeze()
    assert (changed["what"], changed["difference"]) == ("more", pytest.approx(0.05))
    assert quality.changes(table(0, 2000), table(100, 2000)).squeeze()["what"] == "gone"
    # a check that found nothing before has no row: as many were looked at then
    fresh = quality.changes(table(100, 2000), table(0, 2000).iloc[:0]).squeeze()
    assert (fresh["what"], fresh["before"]) == ("new", 0)


def test_check_tells_what_has_changed_since_a_run(base_of, tmp_path, capsys):
    from analysis import run

    sound = shop(base_of)
    (tmp_path / "earlier" / "data").mkdir(parents=True)
    run.Run(tmp_path / "earlier").save("quality", quality.assess(sound))
    shop(base_of, "".join(f"x{i},Sara,,,,,person,,\n" for i in range(10)))
    assert cli.main(["check", str(base_of.folder / "small.toml"), "--against", str(tmp_path / "earlier")]) == 0
    assert "new   customers.city: empty, 0.0 % → 50.0 %" in capsys.readouterr().out
    assert cli.main(["check", str(base_of.folder / "small.toml"), "--against", str(tmp_path)]) == 2


def test_row_order_changes_nothing(base_of, tmp_path):
    rng = np.random.default_rng(1)
    folder = bookshop.write(tmp_path / "shop", customers=300, seed=3, defects=0.03).parent
    before = quality.assess(sources.read(str(folder / "bookshop.toml")))
    for file in folder.glob("*.parquet"):
        table = pd.read_parquet(file)
        table.iloc[rng.permutation(len(table))].to_parquet(file, index=False)
    pd.testing.assert_frame_equal(before, quality.assess(sources.read(str(folder / "bookshop.toml"))))


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_defects_are_found_and_sound_rows_are_not(tmp_path, seed):
    clean = quality.assess(sources.read(str(bookshop.write(tmp_path / "clean", customers=2000, seed=seed))))
    assert clean.query("defects > 0 and check != 'empty' and moves > 0").empty
    file = bookshop.write(tmp_path / "spoilt", customers=2000, seed=seed, defects=0.02)
    base, planted = sources.read(str(file)), pd.read_parquet(file.parent / "truth" / "defects.parquet")
    assessed = quality.assess(base)

    def hits(check, table):
        return int(assessed.query("check.str.startswith(@check) and table == @table")["defects"].sum())

    def told(kind, table, column=None):
        of = planted.query("kind == @kind and table == @table")
        return len(of if column is None else of[of["column"] == column])

    kept = base["orders"].select("order_id").collect("pandas").to_native()["order_id"]
    clocks = planted.query("kind == 'impossible date' and table == 'orders'")["key"].isin(kept).sum()
    assert hits("long before", "orders") == clocks > 0
    assert hits("test account", "customers") == told("test account", "customers") > 0
    slips = told("currency slip", "order_lines", "unit_price")
    assert 0.9 * slips <= hits("ten times", "order_lines") <= 1.02 * slips
    assert hits("another spelling", "products") >= 0.9 * told("brand spelling", "products")


SERVICE = """[tables.customers]
path = "customers.csv"
columns = "canonical"
[tables.orders]
path = "orders.csv"
columns = "canonical"
[tables.tickets]
path = "tickets.csv"
columns = "canonical"
[tables.feedback]
path = "feedback.csv"
columns = "canonical"
"""


def test_scores_that_their_scale_does_not_have(base_of):
    base = sources.read(
        str(
            base_of(
                SERVICE,
                customers="customer_id\na\n",
                orders="order_id,customer_id,ordered_at\n1,a,2024-01-05\n",
                tickets="ticket_id,customer_id,opened_at,satisfaction\n1,a,2024-01-05,5\n2,a,2024-01-05,0\n",
                feedback="customer_id,given_at,instrument,score\n"
                + "".join(f"a,2024-01-05,{i},{s}\n" for i, s in [("nps", 0), ("nps", 11), ("csat", 0), ("ces", 7)]),
            )
        )
    )
    told = quality.assess(base).query("check.str.contains(' runs from ')").set_index("check")
    assert told["examples"].to_dict() == {
        "nps runs from 0 to 10": "11",
        "csat runs from 1 to 5": "0",
        "satisfaction runs from 1 to 5": "0",
    }
    assert told.loc["nps runs from 0 to 10", ["defects", "checked"]].tolist() == [1, 2]


def test_a_ticket_that_closed_before_it_opened(base_of):
    base = sources.read(
        str(
            base_of(
                SERVICE,
                customers="customer_id\na\n",
                orders="order_id,customer_id,ordered_at\n1,a,2024-01-05\n",
                feedback="customer_id,given_at\na,2024-01-05\n",
                tickets="ticket_id,customer_id,opened_at,closed_at\n1,a,2024-01-05,2024-01-04\n"
                "2,a,2024-01-04,2024-01-05\n3,a,2024-01-04,\n",
            )
        )
    )
    early = found(base, "closed_at lies before opened_at")
    assert (early["table"], early["defects"], early["checked"]) == ("tickets", 1, 2)  # an open ticket has no end


def test_who_bought_before_signing_up(base_of):
    # c1 to c9 have no day of signing up; x signed up a day after the first order, y on the day itself
    people = "x,X,,,,,person,,2024-01-12\ny,Y,,,,,person,,2024-01-12\n"
    early = found(shop(base_of, people, "o-x,x,2024-01-11,100\no-y,y,2024-01-12,100\n"), "bought before")
    assert (early["defects"], early["checked"]) == (1, 2)


def test_orders_that_cost_another_sum_than_their_lines(base_of):
    # one order of 110 with a line of 100, among a hundred that add up
    base = shop(base_of, orders="x,c1,2024-01-12,110\n", lines="x,p,1,100,100\n")
    off = found(base, "not the sum")
    assert (off["defects"], off["checked"]) == (1, 101)
    # where every order has postage on top, none is a slip
    more = "".join(f"x{i},c1,2024-01-12,110\n" for i in range(50))
    lines = "".join(f"x{i},p,1,100,100\n" for i in range(50))
    assert quality.assess(shop(base_of, orders=more, lines=lines))["check"].ne("not the sum of its lines").all()


def test_ids_that_a_spreadsheet_mangled(base_of):
    mangled = found(shop(base_of, "5.93E+12,Sara,,,,,person,,\n"), "mangled")
    assert (mangled["table"], mangled["defects"], mangled["checked"]) == ("customers", 1, 11)
    assert mangled["examples"] == "5.93E+12"


def test_letters_of_another_keyboard_are_told_though_they_are_unified_already(base_of):
    mixed = found(shop(base_of, "x,Sara,,,,تبريز,person,,\ny,Sara,,,,تبریز,person,,\n"), "another keyboard")
    assert (mixed["column"], mixed["defects"], mixed["checked"]) == ("city", 1, 12)


def test_nines_within_the_usual_range_of_amounts_are_amounts(base_of):
    # 9,999 where others pay 100 is a placeholder, though it lies apart by no empty decade when others pay 1,000
    orders = "".join(f"x{i},c1,2024-01-12,1000\n" for i in range(50)) + "n,c1,2024-01-12,9999\n"
    out = found(shop(base_of, orders=orders, people=50), "out of line")
    assert (out["table"], out["defects"], out["examples"]) == ("orders", 1, "9,999")
    usual = "".join(f"x{i},c1,2024-01-12,8000\n" for i in range(900)) + "n,c1,2024-01-12,9999\n"
    assert quality.assess(shop(base_of, orders=usual, people=50))["check"].ne("out of line with all others").all()
