from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import profiles
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
