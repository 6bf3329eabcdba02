from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import bookshop, profiles, schema
from analysis.bookshop.persian import in_persian
from analysis.errors import Problem

TEHRAN = "Asia/Tehran"


def orders(*rows, columns=("order_id", "customer_id", "ordered_at", "amount")):
    frame = pd.DataFrame(rows, columns=list(columns))
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"], format="ISO8601").dt.tz_localize(TEHRAN)
    return frame


def profile(base, as_of=date(2024, 3, 31)):
    return profiles.build(base, as_of).set_index("customer_id")


def test_a_regular_buyer_has_a_rhythm_and_is_overdue_by_their_own_gap():
    # four orders ten days apart, the last 40 days ago: overdue 4 times the usual gap
    days = ["2024-01-21", "2024-01-31", "2024-02-10", "2024-02-20"]
    row = profile({"orders": orders(*[(i, "a", d, 5.0) for i, d in enumerate(days)])}).loc["a"]
    assert (row["median_gap_days"], row["recency_days"], row["overdue_ratio"]) == (10.0, 40.0, 4.0)
    assert (row["tenure_days"], row["n_order_days"], row["total_spend"]) == (70.0, 4, 20.0)
    assert np.isnan(row["orders_per_year"])  # 70 days are too few to speak of a year


def test_with_two_gaps_nobody_is_called_overdue():
    days = ["2024-01-21", "2024-01-31", "2024-02-10"]
    row = profile({"orders": orders(*[(i, "a", d, 5.0) for i, d in enumerate(days)])}).loc["a"]
    assert row["median_gap_days"] == 10.0
    assert np.isnan(row["overdue_ratio"])


def test_half_past_eleven_and_half_past_midnight_are_two_days_in_the_business_timezone():
    row = profile({"orders": orders((1, "a", "2024-01-05 23:30", 1.0), (2, "a", "2024-01-06 00:30", 1.0))}).loc["a"]
    assert (row["n_order_days"], row["median_gap_days"]) == (2, 1.0)


def test_returned_orders_lower_the_spend_and_are_no_purchase_cancelled_ones_count_for_nothing():
    table = orders(
        (1, "a", "2024-01-05", 100.0, "completed"),
        (2, "a", "2024-01-09", -30.0, "returned"),
        (3, "a", "2024-02-05", 50.0, "cancelled"),
        columns=("order_id", "customer_id", "ordered_at", "amount", "status"),
    )
    row = profile({"orders": table}).loc["a"]
    assert (row["n_orders"], row["total_spend"], row["mean_order_value"], row["return_rate"]) == (1, 70.0, 100.0, 1.0)
    assert row["last_order_at"] == pd.Timestamp("2024-01-05")


def test_whoever_was_held_out_of_a_campaign_has_not_received_it():
    sent = pd.to_datetime(["2024-01-05"] * 4).tz_localize(TEHRAN)
    contacts = pd.DataFrame(
        {
            "campaign_id": ["m", "n", "m", "n"],
            "customer_id": ["a", "a", "b", "b"],
            "variant": ["treatment", "control", "control", None],
            "sent_at": sent,
            "converted_at": [sent[0], pd.NaT, pd.NaT, pd.NaT],
        }
    )
    base = {"orders": orders((1, "a", "2024-01-05", 9.0), (2, "b", "2024-01-06", 9.0)), "campaign_contacts": contacts}
    table = profile(base)
    assert table["campaigns_received"].to_dict() == {"a": 1, "b": 1}
    assert table["campaigns_answered"].to_dict() == {"a": 1, "b": 0}


def test_customers_without_orders_have_a_row():
    base = {"customers": pd.DataFrame({"customer_id": ["a", "b"]}), "orders": orders((1, "a", "2024-01-05", 9.0))}
    row = profile(base).loc["b"]
    assert (row["n_orders"], row["total_spend"]) == (0, 0.0)
    assert np.isnan(row["recency_days"])


def test_nothing_after_as_of_leaks_in():
    early = orders((1, "a", "2024-01-05", 9.0), (2, "a", "2024-03-31 23:59", 1.0))
    later = pd.concat([early, orders((3, "a", "2024-04-01 00:01", 1000.0), (4, "z", "2024-05-01", 7.0))])
    pd.testing.assert_frame_equal(profile({"orders": later}), profile({"orders": early}))


def test_spend_of_the_last_365_days_starts_365_days_before_as_of():
    table = orders((1, "a", "2023-04-01 12:00", 5.0), (2, "a", "2023-04-02 00:00", 7.0))
    assert profile({"orders": table}, as_of=date(2024, 3, 31)).loc["a", "spend_365d"] == 7.0


def test_the_usual_channel_is_the_commonest_and_of_equals_the_first_by_name():
    rows = [(1, "a", "web"), (2, "a", "web"), (3, "a", "app"), (4, "b", "web"), (5, "b", "app"), (6, "b", None)]
    table = orders(
        *[(i, c, "2024-01-05", 1.0, ch) for i, c, ch in rows],
        columns=("order_id", "customer_id", "ordered_at", "amount", "channel"),
    )
    found = profile({"orders": table})
    assert found["used_channel"].tolist() == ["web", "app"]
    assert found["used_channel_share"].round(3).tolist() == [0.667, 0.5]


def test_categories_are_weighed_by_spend():
    base = {
        "orders": orders((1, "a", "2024-01-05", 30.0)),
        "order_lines": pd.DataFrame({"order_id": [1, 1, 1], "product_id": ["p", "q", "?"], "amount": [20.0, 5.0, 5.0]}),
        "products": pd.DataFrame({"product_id": ["p", "q"], "category": ["novel", "poetry"]}),
    }
    row = profile(base).loc["a"]
    assert (row["n_categories"], row["top_category"], row["top_category_share"]) == (2, "novel", 0.8)


def test_personal_data_stays_out_also_where_a_custom_field_hides_it():
    customers = pd.DataFrame(
        {
            "customer_id": [str(i) for i in range(60)],
            "name": [f"Name {i}" for i in range(60)],
            "mobile": [f"0912 345 67{i:02}" for i in range(60)],
            "Nachname": ["Ada", "Bo", "Cy"] * 20,
            "handy": [491511200000.0 + i for i in range(60)],
            "nickname": [f"nick{i}" for i in range(60)],
            "team": ["red", "blue"] * 30,
        }
    )
    found = profiles.build({"customers": customers}, as_of=date(2024, 3, 31))
    assert found.columns.tolist() == ["customer_id", "team"]


def test_a_field_of_the_base_that_is_called_like_a_figure_of_ours_keeps_its_own_name():
    customers = pd.DataFrame({"customer_id": ["a", "b"], "n_orders": [7, 8], "segment": ["x", "y"]})
    found = profile({"customers": customers, "orders": orders((1, "a", "2024-01-05", 9.0))})
    assert found["n_orders"].tolist() == [1, 0]
    assert found["recorded_n_orders"].tolist() == [7, 8]
    assert found["recorded_segment"].tolist() == ["x", "y"]


def test_age_counts_full_years_and_impossible_ages_are_unknown():
    born = pd.to_datetime(["2000-03-31", "2000-04-01", "1850-01-01", None])
    customers = pd.DataFrame({"customer_id": list("abcd"), "birth_date": born})
    assert profile({"customers": customers})["age"].tolist()[:2] == [24.0, 23.0]
    assert profile({"customers": customers})["age"].isna().tolist() == [False, False, True, True]


def test_a_sum_does_not_depend_on_the_order_it_is_added_up_in():
    amounts = [0.1] * 10 + [1e9, 0.2]
    forward = orders(*[(i, "a", "2024-01-05", x) for i, x in enumerate(amounts)])
    assert profile({"orders": forward}).loc["a", "total_spend"] == 1000000001.2
    assert profile({"orders": forward[::-1]}).loc["a", "total_spend"] == 1000000001.2


ORDER = st.tuples(
    st.sampled_from("abc"),
    st.integers(0, 400),
    st.integers(0, 1439),
    st.floats(-50, 500),
    st.sampled_from(["completed", "returned", "cancelled", None]),
    st.sampled_from(["web", "app", None]),
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ORDER, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_duckdb_and_pandas_and_any_row_order_give_the_same_profiles(rows, seed):
    start = pd.Timestamp("2023-01-01", tz=TEHRAN)
    table = pd.DataFrame(rows, columns=["customer_id", "day", "minute", "amount", "status", "channel"])
    table["ordered_at"] = start + pd.to_timedelta(table.pop("day"), "D") + pd.to_timedelta(table.pop("minute"), "min")
    table["order_id"] = [str(i) for i in range(len(table))]
    table = table.astype({"status": "str", "channel": "str"}).replace({"None": None, "nan": None})
    in_pandas = profiles.build({"orders": table}, date(2023, 12, 31))
    shuffled = table.sample(frac=1, random_state=seed)
    db = duckdb.connect()
    db.execute(f"SET TimeZone = '{TEHRAN}'")
    db.register("shuffled", shuffled)
    in_duckdb = profiles.build({"orders": db.sql("FROM shuffled")}, date(2023, 12, 31))
    pd.testing.assert_frame_equal(in_duckdb, in_pandas, check_dtype=False)


def test_a_missing_column_is_named():
    with pytest.raises(Problem, match='orders has no column "ordered_at"'):
        profiles.build({"orders": pd.DataFrame({"order_id": [1], "customer_id": ["a"]})}, date(2024, 1, 1))


def test_without_a_day_to_look_back_from_nothing_is_built():
    with pytest.raises(Problem, match="needs as_of"):
        profiles.build({"orders": orders((1, "a", "2024-01-05", 9.0))})


def test_cdnow_profiles_agree_with_the_published_figures(real_data):
    from analysis import sources

    table = profiles.build(sources.read("cdnow", data=real_data))
    assert len(table) == 23_570
    assert table["n_orders"].sum() == 69_659
    assert round(table["total_spend"].sum(), 2) == 2_500_315.63


def test_the_usual_gap_is_the_middle_one_or_between_the_two_middle_ones():
    # a: gaps of 1, 9, 2 and 4 days, the middle two 2 and 4; b: gaps of 5, 1 and 30 days, the middle one 5
    days = {"a": [0, 1, 10, 12, 16], "b": [0, 5, 6, 36]}
    rows = [
        (f"{who}{day}", who, pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=day))
        for who in days
        for day in days[who]
    ]
    orders = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at"])
    table = profiles.build({"orders": orders}, date(2024, 3, 1)).set_index("customer_id")
    assert table["median_gap_days"].to_dict() == {"a": 3.0, "b": 5.0}


def at(*days):
    return pd.to_datetime(list(days), format="ISO8601").tz_localize(TEHRAN)


def bought(customer, *days):
    """Orders of one customer, five each."""
    return orders(*[(f"{customer}{i}", customer, day, 5.0) for i, day in enumerate(days)])


def test_shares_of_what_was_bought_and_through_which_channel_rest_on_purchases_alone():
    # a buys three lines, two of them novels; the cancelled order counts for nothing, the cookbook has no category
    tables = {
        "orders": pd.DataFrame(
            {
                "order_id": ["1", "2", "3"],
                "customer_id": "a",
                "ordered_at": at("2024-01-01", "2024-01-02", "2024-01-03"),
                "channel": ["web", "app", "web"],
                "status": ["completed", "completed", "cancelled"],
                "discount": [0.0, 2.0, 0.0],
                "amount": 10.0,
            }
        ),
        "order_lines": pd.DataFrame(
            {
                "order_id": ["1", "1", "2", "2", "3"],
                "product_id": ["n", "n", "e", "c", "e"],
                "quantity": 1,
                "unit_price": 5.0,
            }
        ),
        "products": pd.DataFrame({"product_id": ["n", "e", "c"], "category": ["novel", "exam", None]}),
    }
    row = profiles.build(tables, date(2024, 3, 1)).iloc[0]
    assert (row["n_lines"], row["discounted_share"]) == (3, 0.5)
    assert (row["bought_novel"], row["bought_exam"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (row["through_web"], row["through_app"]) == (0.5, 0.5)


def test_every_column_is_documented_and_every_documented_one_is_built(world):
    table = profiles.build(world.tables, date(2026, 3, 20))
    recorded = set(world.tables["customers"])
    scores = {c for c in table if c.startswith(schema.SCORE)}
    shares = {c for c in table if c.startswith((schema.BOUGHT, schema.THROUGH))}
    assert set(table) - recorded - scores - shares == set(schema.PROFILE_COLUMNS)
    assert len(shares) == world.tables["products"]["category"].nunique() + 4  # branch, web, app, and deals by sales
    assert len(scores) == world.tables["survey_answers"]["construct"].nunique()
    never = [c for c, spec in schema.PROFILE_COLUMNS.items() if not spec.empty]
    assert table[never].notna().all(axis=None)
    holes = table[[c for c in schema.PROFILE_COLUMNS if c not in never]].isna().any()
    assert holes[holes].index.tolist() == holes.drop(["last_contact_at", *CONTACT_CHANNEL, "n_consents"]).index.tolist()
    described = profiles.describe(table).set_index("column")
    assert described.loc["gap_cv", "empty_when"] == "below three gaps"
    assert (described["meaning"] != "").all()


#: Everybody in the bookshop signed up, which is a contact, and was asked for consent.
CONTACT_CHANNEL = ("contact_channel", "contact_channel_share")


def test_ages_fall_into_bands_that_sort_by_age():
    born = pd.to_datetime(["2006-04-01", "2006-03-31", "1999-03-31", "1959-03-31", None])
    found = profile({"customers": pd.DataFrame({"customer_id": list("abcde"), "birth_date": born})})
    assert found["age"].tolist()[:4] == [17.0, 18.0, 25.0, 65.0]
    assert found["age_band"].tolist()[:4] == ["0 to 17", "18 to 24", "25 to 34", "65 and over"]
    assert pd.isna(found["age_band"].iloc[4])


def test_an_age_band_of_the_bases_own_stays_where_there_is_no_birth_date():
    own = pd.DataFrame({"customer_id": ["a"], "age_band": ["35-44"]})
    assert profile({"customers": own})["age_band"].tolist() == ["35-44"]
    both = own.assign(birth_date=pd.to_datetime(["2000-01-01"]))
    found = profile({"customers": both})
    assert found[["age_band", "recorded_age_band"]].to_numpy().tolist() == [["18 to 24", "35-44"]]


def test_companies_fall_into_the_size_bands_of_the_european_union_and_powers_of_ten_of_revenue():
    companies = pd.DataFrame(
        {
            "customer_id": list("abcdefg"),
            "employees": [9, 10, 49, 50, 249, 250, None],
            "annual_revenue": [999_999, 1_000_000, 0, None, 1, 0.5, 1e17],
        }
    )
    found = profile({"customers": companies})
    assert found["size_band"].tolist()[:6] == ["micro", "small", "small", "medium", "medium", "large"]
    assert found["revenue_band"].tolist()[:2] == ["100,000 to 1,000,000", "1,000,000 to 10,000,000"]
    assert found["revenue_band"].tolist()[4:6] == ["1 to 10", "0 to 1"]
    assert found["revenue_band"].iloc[6].startswith("above")
    assert found.isna()["size_band"].tolist() == [False] * 6 + [True]
    assert found.isna()["revenue_band"].tolist() == [False, False, True, True, False, False, False]


def test_irregularity_is_the_deviation_of_the_gaps_over_their_mean():
    # a: gaps of 10, 20, 30 days, deviation 10, mean 20; b: a clockwork; c: two gaps are too few
    a = bought("a", "2024-01-01", "2024-01-11", "2024-01-31", "2024-03-01")
    b = bought("b", "2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22")
    c = bought("c", "2024-01-01", "2024-01-08", "2024-01-30")
    found = profile({"orders": pd.concat([a, b, c])})["gap_cv"]
    assert found.tolist()[:2] == [pytest.approx(0.5), 0.0]
    assert np.isnan(found["c"])


def test_the_trend_compares_the_last_182_days_with_the_182_before():
    # as of 31 December 2024 the last half begins on 3 July, the one before on 3 January
    a = [("2023-06-01", 5.0), ("2024-01-02", 99.0), ("2024-01-03", 10.0), ("2024-07-02", 10.0), ("2024-07-03", 60.0)]
    b = [("2024-01-03", 10.0), ("2024-12-01", 10.0)]  # 363 days of tenure
    c = [("2023-01-01", 10.0)]  # nothing in either half
    d = [("2023-01-01", 90.0), ("2024-02-01", -30.0), ("2024-12-01", 50.0)]  # gave back more than they bought
    rows = [
        (f"{who}{i}", who, day, amount, "returned" if amount < 0 else "completed")
        for who, bought in zip("abcd", (a, b, c, d), strict=True)
        for i, (day, amount) in enumerate(bought)
    ]
    table = orders(*rows, columns=("order_id", "customer_id", "ordered_at", "amount", "status"))
    found = profile({"orders": table}, date(2024, 12, 31))["spend_trend"]
    assert found.dropna().to_dict() == {"a": (60 - 20) / 80, "d": 1.0}


@pytest.mark.parametrize(
    ("timezone", "share"), [("Asia/Tehran", 0.25), ("Europe/Berlin", 0.5), ("UTC", 0.5), ("Asia/Riyadh", 0.5)]
)
def test_the_weekend_is_that_of_the_country(timezone, share):
    # Thursday to Sunday: Iran rests on Friday, Saudi Arabia on Friday and Saturday, the others on Saturday and Sunday
    table = bought("a", "2024-01-04", "2024-01-05", "2024-01-06", "2024-01-07")
    table["ordered_at"] = table["ordered_at"].dt.tz_localize(None).dt.tz_localize(timezone)
    assert profile({"orders": table}).loc["a", "weekend_share"] == share


def in_lines(*rows, prices=(("p", "novel", "A", 10.0), ("q", "novel", "B", 20.0), ("r", "novel", "B", 30.0))):
    """A base of one order per customer: lines of customer, product, quantity and amount."""
    lines = pd.DataFrame(rows, columns=["customer_id", "product_id", "quantity", "amount"])
    lines["order_id"] = lines["customer_id"]
    buyers = [(who, who, "2024-01-05", 1.0) for who in lines.pop("customer_id").unique()]
    products = pd.DataFrame(list(prices), columns=["product_id", "category", "brand", "price"])
    return {"orders": orders(*buyers), "order_lines": lines, "products": products}


def test_entropy_of_categories_counts_them_as_if_they_were_equal():
    prices = [(c, c, None, 1.0) for c in "xyz"]
    rows = [("a", "x", 1, 50.0), ("a", "y", 1, 25.0), ("a", "z", 1, 25.0), ("b", "x", 1, 7.0), ("c", "x", 1, 0.0)]
    found = profile(in_lines(*rows, prices=prices))["category_entropy"]
    assert found["a"] == pytest.approx(1.5, abs=1e-5)  # half of one bit, and two quarters of two
    assert found["b"] == 0.0
    assert np.isnan(found["c"])


def test_quality_is_the_price_of_the_pieces_against_the_middle_of_their_category():
    # the middle price is 20: one piece of 30 and two of 10 cost 50 and not 60; what is given back is not bought
    base = in_lines(
        ("a", "r", 1, 30.0), ("a", "p", 2, 20.0), ("a", "r", -1, -30.0), ("b", "q", 3, 60.0), ("c", "?", 1, 5.0)
    )
    found = profile(base)["quality_over_price"]
    assert found.dropna().to_dict() == {"a": pytest.approx(50 / 60), "b": 1.0}


def test_loyalty_to_brands_is_the_chance_that_two_lines_are_of_one_brand():
    rows = [("a", "p", 1, 5.0), ("a", "q", 1, 5.0), ("a", "r", 1, 5.0)]  # of three pairs, q and r are of one brand
    rows += [("b", "q", 1, 5.0), ("b", "r", 9, 5.0)]  # two lines are too few, whatever their quantity
    rows += [("c", "p", 1, 5.0)] * 3 + [("c", "n", 1, 5.0)]  # of nobody knows which brand: does not count
    prices = [("p", "novel", "A", 1.0), ("q", "novel", "B", 1.0), ("r", "poem", "B", 1.0), ("n", "poem", None, 1.0)]
    found = profile(in_lines(*rows, prices=prices))["brand_loyalty"]
    assert found.dropna().to_dict() == {"a": pytest.approx(1 / 3), "c": 1.0}


def discounted(*rows):
    table = orders(
        *[(i, who, day, 9.0, discount) for i, (who, day, discount) in enumerate(rows)],
        columns=("order_id", "customer_id", "ordered_at", "amount", "discount"),
    )
    return {"orders": table}


def test_price_sensitivity_compares_with_others_in_the_same_months():
    rows = [("a", "2024-01-05", 1.0), ("a", "2024-01-06", 1.0), ("a", "2024-02-05", 0.0)]
    rows += [("b", "2024-01-09", 1.0), ("b", "2024-01-30", None), ("b", "2024-02-05", 2.0), ("b", "2024-02-06", 0.0)]
    rows += [("c", "2024-03-01", 1.0), ("c", "2024-03-02", 1.0), ("c", "2024-03-03", 1.0)]
    # a: 2 of 3, others 1 of 2 in January and in February: (2 - 1.5) / 3; b: 2 of 4, a 2 of 2 in January and 0 of 1 in
    # February: (2 - 2) / 4; c was alone in March
    found = profile(discounted(*rows))["price_sensitivity"]
    assert found.dropna().to_dict() == {"a": pytest.approx(1 / 6), "b": pytest.approx(0)}


def test_who_buys_in_the_month_of_the_sale_like_everybody_is_not_sensitive_to_prices():
    january = [(who, f"2024-01-{day:02}", 1.0) for who in "ab" for day in (5, 6, 7)]
    february = [(who, f"2024-02-{day:02}", 0.0) for who in "cd" for day in (5, 6, 7)]
    assert profile(discounted(*january, *february))["price_sensitivity"].tolist() == [0.0] * 4


CONTACTS = pd.DataFrame(
    [
        ("a", "2024-01-01", "email_open", "email", None),
        ("a", "2024-03-01", "email_open", "email", "m"),
        ("a", "2024-03-02", "sms_click", "sms", None),
        ("a", "2024-03-03", "visit", "web", None),
        ("b", "2023-12-31", "visit", "web", None),
        ("b", "2023-12-31", "visit", None, None),
    ],
    columns=["customer_id", "occurred_at", "event", "channel", "campaign_id"],
).assign(occurred_at=lambda t: at(*t["occurred_at"]))


def test_a_message_of_a_campaign_is_opened_once_though_two_tables_have_it():
    # a opened one message of no campaign and that of m; n was answered by telephone; b was held out
    sent = pd.DataFrame(
        {
            "campaign_id": ["m", "n", "m"],
            "customer_id": ["a", "a", "b"],
            "variant": ["treatment", "treatment", "control"],
            "sent_at": at("2024-02-28", "2024-02-29", "2024-02-28"),
            "opened_at": at("2024-03-01", "2024-03-01", "2024-03-01"),
            "clicked_at": at("2024-03-01", "2024-04-01", "2024-03-01"),
        }
    )
    both = profile({"touchpoints": CONTACTS, "campaign_contacts": sent})
    assert both["opens"].to_dict() == {"a": 3, "b": 0}
    assert both["clicks"].to_dict() == {"a": 2, "b": 0}  # the click of April is not seen in March
    alone = profile({"touchpoints": CONTACTS})
    assert alone[["opens", "clicks"]].loc["a"].tolist() == [2, 1]


def test_contacts_are_counted_by_channel():
    found = profile({"touchpoints": CONTACTS})
    assert found["contact_channel"].to_dict() == {"a": "email", "b": "web"}
    assert found["contact_channel_share"].to_dict() == {"a": 0.5, "b": 1.0}
    assert found[["n_touchpoints", "touchpoints_90d"]].to_numpy().tolist() == [[4, 3], [2, 0]]
    table = profiles.engagement({"touchpoints": CONTACTS}, date(2024, 3, 31))
    assert table[["customer_id", "channel", "contacts", "contacts_90d"]].to_numpy().tolist() == [
        ["a", "email", 2, 1],  # 90 days reach back to 2 January
        ["a", "sms", 1, 1],
        ["a", "web", 1, 1],
        ["b", "web", 1, 0],
    ]
    assert table["last_contact_at"].iloc[0] == pd.Timestamp("2024-03-01")


def test_without_contacts_there_is_no_table_of_them():
    with pytest.raises(Problem, match="needs touchpoints with a channel"):
        profiles.engagement({"orders": bought("a", "2024-01-05")}, date(2024, 1, 31))


def test_the_preferred_channel_is_compared_where_one_can_buy_on_it():
    customers = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "preferred_channel": ["web", "web", "email", None, "web"],
            "consents": [["sms"], [], ["sms", "email"], None, ["web"]],
        }
    )
    rows = [
        (i, who, "2024-01-05", 1.0, channel)
        for i, (who, channel) in enumerate(zip("abcd", ("web", "app", "web", "app"), strict=True))
    ]
    placed = orders(*rows, columns=("order_id", "customer_id", "ordered_at", "amount", "channel"))
    found = profile({"customers": customers, "orders": placed})
    # c asks for e-mail, on which nobody buys; of d no wish is known; e has not bought
    assert found["uses_preferred_channel"].dropna().to_dict() == {"a": True, "b": False}
    assert found["n_consents"].fillna(-1).tolist() == [1, 0, 2, -1, 1]


def survey(answers, construct="price"):
    """Answers of a construct: a list per question, a customer per place; None for not answered."""
    rows = [
        (f"c{i:03}", construct, question, answer)
        for question, given in answers.items()
        for i, answer in enumerate(given)
        if answer is not None
    ]
    return pd.DataFrame(rows, columns=["customer_id", "construct", "question", "answer"])


def test_alpha_is_cronbachs():
    # variances 5/3 each, of the sums (2, 5, 5, 8) 6: 2 (1 - 10/3 / 6) = 8/9
    table = profiles.reliability({"survey_answers": survey({"x": [1, 2, 3, 4], "y": [1, 3, 2, 4]})}, date(2024, 1, 1))
    row = table.iloc[0]
    assert (row["construct"], row["questions"], row["customers"]) == ("price", 2, 4)
    assert row["alpha"] == pytest.approx(8 / 9)
    # with 3 and 3 degrees of freedom 2.5 % of F lie above 15.44 (tables), and below its inverse
    assert row["low"] == pytest.approx(1 - 15.44 / 9, abs=0.001)
    assert row["high"] == pytest.approx(1 - 1 / 15.44 / 9, abs=0.0001)
    assert not row["weak"]


def test_the_interval_of_alpha_holds_its_promise():
    # four questions that share half of their variance: alpha is 4 / 3 (1 - 4 / (4 + 12 / 2)) = 0.8
    rng = np.random.default_rng(0)
    tables = []
    for i in range(250):
        answers = rng.normal(0, 1, (30, 1)) + rng.normal(0, 1, (30, 4))
        tables.append(survey(dict(zip("wxyz", answers.T, strict=True)), construct=f"construct {i:03}"))
    found = profiles.reliability({"survey_answers": pd.concat(tables)}, date(2024, 1, 1))
    held = ((found["low"] <= 0.8) & (found["high"] >= 0.8)).mean()
    assert 0.92 < held < 0.98  # of 250 at 95 %: two standard errors to either side
    assert found["reversed"].map(len).sum() == 0


def test_a_reversed_question_is_turned_round_within_the_scale():
    answers = {"p": [1, 2, 3, 4, 5, 5, 1], "q": [1, 2, 3, 4, 5, 4, 1], "turned": [5, 4, 3, 2, 1, 1, 5]}
    base = {"survey_answers": survey(answers)}
    assert profiles.reliability(base, date(2024, 1, 1))["reversed"].tolist() == [["turned"]]
    # c000: 1, 1 and 6 - 5; c005: 5, 4 and 6 - 1
    assert profile(base)["score_price"].loc[["c000", "c005"]].tolist() == [1.0, pytest.approx(14 / 3)]


def test_where_as_many_questions_say_the_opposite_the_first_by_name_gives_the_direction():
    up, down = [1, 2, 3, 4, 5, 2], [5, 4, 3, 2, 1, 4]
    answers = survey({"a": up, "b": down, "c": up, "d": down})
    assert profiles.reliability({"survey_answers": answers}, date(2024, 1, 1))["reversed"].tolist() == [["b", "d"]]


def test_questions_that_ask_for_different_things_are_not_turned_but_called_weak():
    # who buys for the one reason does not buy for the others
    reasons = {"school": [5] * 6 + [1] * 12, "fun": [1] * 6 + [5] * 6 + [1] * 6, "gifts": [1] * 12 + [5] * 6}
    row = profiles.reliability({"survey_answers": survey(reasons)}, date(2024, 1, 1)).iloc[0]
    assert (row["reversed"], bool(row["weak"])) == ([], True)


def test_a_score_needs_half_of_the_questions_and_a_question_answered_twice_counts_once():
    answers = survey({"w": [1, 2, 3, 4], "x": [1, 2, 3, None], "y": [1, 2, None, None], "z": [1, 5, None, None]})
    again = pd.DataFrame([("c002", "price", "w", 5)], columns=answers.columns)
    found = profile({"survey_answers": pd.concat([answers, again])})["score_price"]
    # c002: w is (3 + 5) / 2, x is 3
    assert found.dropna().to_dict() == {"c000": 1.0, "c001": 2.75, "c002": 3.5}


def test_constructs_have_plain_names_in_any_language_and_two_spellings_are_one():
    parts = [survey({"x": [1, 2]}, "Price consciousness"), survey({"y": [3, 4]}, "price-consciousness ")]
    parts.append(survey({"z": [5, 5]}, "کیفیت کتاب"))
    found = profile({"survey_answers": pd.concat(parts)})
    assert found["score_price_consciousness"].tolist() == [2.0, 3.0]
    assert found["score_کیفیت_کتاب"].tolist() == [5.0, 5.0]


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_bookshops_reversed_questions_are_found_and_its_scores_measure_the_traits(worlds, seed):
    world, last = worlds[seed], date(2026, 3, 20)
    planted = world.truth["questions"]
    found = profiles.reliability(world.tables, last)
    assert sorted(found["reversed"].explode().dropna()) == sorted(planted.loc[planted["reversed"], "question"])
    # motives and obstacles are lists of different things, the traits hold together
    assert found.set_index("construct")["weak"].pipe(lambda w: w.index[w].tolist()) == ["challenges", "goals"]
    table = profiles.build(world.tables, last).merge(world.truth["customers"], on="customer_id")
    for trait in ("price_consciousness", "quality", "brand_loyalty", "novelty_seeking", "social_influence"):
        assert table[f"score_{trait}"].corr(table[f"trait_{trait}"], method="spearman") > 0.8
    assert table["price_sensitivity_x"].corr(table["price_sensitivity_y"], method="spearman") > 0.6


def test_the_voice_is_the_last_recommendation_and_the_mean_of_the_other_answers():
    given = pd.DataFrame(
        [
            ("a", "2024-01-01", "nps", 9.0),
            ("a", "2024-02-01", "nps", 7.0),
            ("a", "2024-02-01", "nps", 4.0),
            ("a", "2024-04-01", "nps", 10.0),
            ("a", "2024-02-01", "csat", 5.0),
            ("a", "2024-02-02", "csat", 2.0),
            ("b", "2024-02-02", "ces", 6.0),
            ("b", "2024-02-03", "csat", None),
        ],
        columns=["customer_id", "given_at", "instrument", "score"],
    ).assign(given_at=lambda t: at(*t["given_at"]))
    found = profile({"feedback": given})[["last_nps", "mean_csat", "mean_ces"]]
    assert found.loc["a"].tolist()[:2] == [4.0, 3.5]
    assert found.loc["b"].isna().tolist() == [True, True, False]
    assert found.loc["b", "mean_ces"] == 6.0


def test_a_complaint_is_a_ticket_or_a_low_answer_on_something_else():
    tickets = pd.DataFrame(
        {
            "ticket_id": list("tuvw"),
            "customer_id": ["a", "a", "a", "b"],
            "opened_at": at("2024-01-05", "2024-02-05", "2023-04-01", "2023-04-02"),
            "topic": ["late", "late", "wrong", None],
        }
    )
    rows = [("a", "csat", 1.0, "late"), ("a", "csat", 2.0, "app"), ("a", "csat", 3.0, "shop"), ("a", "nps", 6.0, "all")]
    rows += [("b", "ces", 3.0, "app"), ("b", "ces", 4.0, "app"), ("b", "nps", 7.0, "all"), ("c", "nps", 0.0, "all")]
    answers = pd.DataFrame(rows, columns=["customer_id", "instrument", "score", "topic"])
    answers["given_at"] = at(*["2024-03-01"] * 8)
    found = profile({"tickets": tickets, "feedback": answers})
    # a: two tickets on late, of which the answer speaks too; app; all. 365 days reach back to 2 April 2023
    assert found["tickets_365d"].to_dict() == {"a": 2, "b": 1, "c": 0}
    assert found["complaints_365d"].to_dict() == {"a": 4, "b": 2, "c": 1}
    assert found["complaint_topic"].to_dict() == {"a": "late", "b": "app", "c": "all"}


def any_base(seed):
    """A base of few customers with every table that profiles look at, drawn by lot."""
    rng = np.random.default_rng(seed)
    zone = rng.choice([TEHRAN, "UTC"])
    start = pd.Timestamp("2023-01-01", tz=zone)

    def moments(n, within=450 * 1440, empty=0.0):
        drawn = pd.Series(start + pd.to_timedelta(rng.integers(0, within, n), "min"))
        return drawn.mask(rng.random(n) < empty)

    def words(n, *known):
        return pd.Series(rng.choice([*known, None], n), dtype="str")

    n = 25
    who = lambda size=n: pd.Series(rng.choice(list("abcd"), size), dtype="str")  # noqa: E731
    ids = lambda size=n: [str(i) for i in range(size)]  # noqa: E731
    money = lambda size=n, low=0: rng.integers(low, 900, size) / 4  # noqa: E731
    customers = pd.DataFrame({"customer_id": list("abcd"), "preferred_channel": words(4, "web", "app")})
    placed = pd.DataFrame({"order_id": ids(), "customer_id": who(), "ordered_at": moments(n), "amount": money(low=-90)})
    placed = placed.assign(
        channel=words(n, "web", "app"), payment_method=words(n, "card", "cash"), discount=money() // 99
    )
    lines = pd.DataFrame({"order_id": rng.choice(ids(), 60), "product_id": rng.choice(list("pqrs?"), 60)})
    lines = lines.assign(quantity=rng.integers(-1, 4, 60).astype(float), unit_price=money(60), discount=money(60) // 50)
    products = pd.DataFrame({"product_id": list("pqrs"), "price": money(4)})
    contacts = pd.DataFrame({"customer_id": who(), "occurred_at": moments(n), "channel": words(n, "web", "sms")})
    contacts = contacts.assign(event=rng.choice(["visit", "x_open", "x_click"], n), campaign_id=words(n, "m"))
    sent = pd.DataFrame(
        {"campaign_id": "m", "customer_id": who(), "sent_at": moments(n), "variant": words(n, "control")}
    )
    for column in ("opened_at", "clicked_at", "converted_at"):
        sent[column] = (sent["sent_at"] + pd.to_timedelta(rng.integers(1, 90, n), "D")).mask(rng.random(n) < 0.4)
    deals = pd.DataFrame({"deal_id": ids(), "customer_id": who(), "created_at": moments(n), "amount": money()})
    deals["closed_at"] = (deals["created_at"] + pd.to_timedelta(rng.integers(1, 90, n), "D")).mask(rng.random(n) < 0.4)
    deals["outcome"] = pd.Series(rng.choice(["won", "lost"], n), dtype="str").where(deals["closed_at"].notna(), "open")
    given = pd.DataFrame({"customer_id": who(), "given_at": moments(n), "topic": words(n, "late", "app")})
    given = given.assign(instrument=rng.choice(["nps", "csat", "ces"], n), score=rng.integers(1, 6, n).astype(float))
    tickets = pd.DataFrame(
        {"ticket_id": ids(), "customer_id": who(), "opened_at": moments(n), "topic": words(n, "app")}
    )
    tickets["closed_at"] = tickets["opened_at"] + pd.to_timedelta(rng.integers(1, 90, n), "D")
    tickets["satisfaction"] = rng.integers(1, 6, n).astype(float)
    asked = pd.DataFrame({"customer_id": who(80), "answered_at": moments(80), "question": rng.choice(list("xyz"), 80)})
    asked = asked.assign(construct=words(80, "price", "brand"), answer=rng.integers(1, 6, 80).astype(float))
    return {
        "customers": customers,
        "orders": placed.assign(status=words(n, "completed", "returned", "cancelled")),
        "order_lines": lines,
        "products": products.assign(category=words(4, "novel", "poem"), brand=words(4, "A", "B")),
        "touchpoints": contacts,
        "campaign_contacts": sent,
        "deals": deals,
        "feedback": given,
        "tickets": tickets,
        "survey_answers": asked,
    }


def cut(base, day):
    """The base as it stood at the end of a day: later rows gone, later answers and outcomes not there yet."""
    tables = {}
    for name, table in base.items():
        time, zone = schema.TABLES[name].time, base["orders"]["ordered_at"].dt.tz
        end = pd.Timestamp(day, tz=zone) + pd.Timedelta(days=1)
        table = table[table[time] < end] if time in table else table
        if name == "deals":
            open_then = ~(table["closed_at"] < end)
            table = table.assign(outcome=table["outcome"].mask(open_then, "open"))
            closed_later = table["closed_at"] >= end
            table = table.assign(amount=table["amount"].mask(closed_later))
        if name == "tickets":
            table = table.assign(satisfaction=table["satisfaction"].where(table["closed_at"] < end))
        for column in table:
            if column.endswith("_at") and column != time:
                table = table.assign(**{column: table[column].where(table[column] < end)})
        tables[name] = table
    return tables


DAYS = st.integers(0, 450).map(lambda days: date(2023, 1, 1) + pd.Timedelta(days=days))


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), day=DAYS)
def test_no_column_sees_what_comes_after_the_day(seed, day):
    base = any_base(seed)
    pd.testing.assert_frame_equal(profile(base, day), profile(cut(base, day), day), check_dtype=False)
    for table in (profiles.engagement, profiles.reliability):
        pd.testing.assert_frame_equal(table(base, day), table(cut(base, day), day))


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), day=DAYS)
def test_all_columns_are_the_same_on_duckdb_and_in_any_row_order(seed, day):
    base = any_base(seed)
    db = duckdb.connect()
    db.execute(f"SET TimeZone = '{base['orders']['ordered_at'].dt.tz}'")
    elsewhere = {}
    for name, table in base.items():
        db.register(f"{name}_shuffled", table.sample(frac=1, random_state=seed))
        elsewhere[name] = db.sql(f"FROM {name}_shuffled")
    pd.testing.assert_frame_equal(profile(elsewhere, day), profile(base, day), check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(profiles.engagement(elsewhere, day), profiles.engagement(base, day))


def test_a_persian_bookshop_has_the_same_figures():
    world = bookshop.build(customers=400, seed=3)
    tables = [profiles.build(w.tables, date(2026, 3, 20)) for w in (world, in_persian(world))]
    figures = [c for c, spec in schema.PROFILE_COLUMNS.items() if spec.unit != "name"]
    pd.testing.assert_frame_equal(*(table[["customer_id", *figures]] for table in tables))
    scores = [table[[c for c in table if c.startswith(schema.SCORE)]] for table in tables]
    for score in scores[0]:
        assert any(scores[0][score].round(9).equals(scores[1][c].round(9)) for c in scores[1]), score


def test_consents_that_nobody_recorded_are_unknown_and_none_are_none():
    consents = pd.Series([["sms", "email"], [], pd.NA, None], dtype=object)
    people = pd.DataFrame({"customer_id": list("abcd"), "consents": consents})
    table = profiles.build({"customers": people}, "2024-01-31")
    assert table["n_consents"].tolist()[:2] == [2, 0]
    assert table["n_consents"].isna().tolist() == [False, False, True, True]
