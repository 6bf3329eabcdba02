"""An alarm when a persona has changed, and none when time, prices, seasons or chance have passed."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import stats

from analysis import evidence, personas, profiles
from analysis.errors import Problem
from analysis.personas import changes as changed
from analysis.personas.drift import Known

NAMES = pd.DataFrame({"persona": [1, 2], "title": ["Workers", "Families"]})


def made(customers):
    """Two personas, half of the customers in each."""
    who = pd.DataFrame({"customer_id": range(customers)})
    return Known(NAMES, pd.DataFrame(), who.assign(persona=who["customer_id"] % 2 + 1))


def quarters(shares, customers=400, years_back=True, trait="through_app", seed=0):
    """What each customer did in five quarters, the latest first; shares are of persona 1, persona 2 stays at 0.3.

    Each customer has an own liking beside it, so that the same customer is alike in all quarters.
    """
    rng = np.random.default_rng(seed)
    who = np.arange(customers)
    liking = rng.normal(0, 0.1, customers)
    parts = []
    for window, share in enumerate(shares):
        mean = np.where(who % 2 == 0, share, 0.3) + liking
        orders = rng.binomial(4, np.clip(mean, 0.01, 0.99)) / 4
        parts.append(pd.DataFrame({"customer_id": who, "window": window, trait: orders}))
    found = pd.concat(parts, ignore_index=True)
    end = pd.Timestamp(2026, 3, 20)
    days = 91 if years_back else 80
    return found.assign(ends=[end - pd.Timedelta(days * w + (w == 4), "D") for w in found["window"]])


def due(found):
    return found.personas.loc[found.personas["due"], "title"].tolist()


# ---- the events between two days


def at(*days):
    return pd.to_datetime(list(days)).tz_localize("Europe/Berlin")


SHOP = {
    "orders": pd.DataFrame(
        {
            "order_id": ["1", "2", "3"],
            "customer_id": ["a", "a", "b"],
            "ordered_at": at("2025-01-31 23:59", "2025-02-01 00:00", "2025-02-28 23:59"),
            "channel": ["web", "app", "app"],
            "amount": [1.0, 2.0, 4.0],
        }
    ),
    "order_lines": pd.DataFrame(
        {"order_id": ["1", "2", "3"], "product_id": ["p", "p", "q"], "amount": [1.0, 2.0, 4.0]}
    ),
    "products": pd.DataFrame({"product_id": ["p", "q"], "category": ["novel", "art"]}),
    "survey_answers": pd.DataFrame({"customer_id": ["a"], "construct": "x", "question": "y", "answer": 1.0}),
}


def test_a_base_within_two_days_has_their_events_with_the_lines_and_all_products():
    february = profiles.within(SHOP, date(2025, 2, 1), date(2025, 2, 28))
    assert february["order_lines"].collect("pandas").to_native()["order_id"].tolist() == ["2", "3"]
    found = profiles.build(february, date(2025, 2, 28)).set_index("customer_id")
    assert found["total_spend"].to_dict() == {"a": 2.0, "b": 4.0}
    assert found["bought_novel"].to_dict() == {"a": 1.0, "b": 0.0}
    assert "survey_answers" not in february  # nobody knows when they were given


def test_the_earlier_day_comes_first():
    with pytest.raises(Problem, match="empty"):
        profiles.within(SHOP, date(2025, 3, 1), date(2025, 2, 28))


def test_a_channel_that_nobody_used_in_a_window_is_nothing_there_and_not_unknown():
    first = {"order_id": "0", "customer_id": "c", "ordered_at": at("2024-12-01")[0], "channel": "web", "amount": 1.0}
    orders = pd.concat([pd.DataFrame([first]), SHOP["orders"]], ignore_index=True)
    found = profiles.windows(SHOP | {"orders": orders}, date(2025, 2, 28), days=28)
    latest, before = found.query("window == 0"), found.query("window == 1")
    assert latest["customer_id"].tolist() == ["a", "b"]
    assert latest["through_web"].tolist() == [0.0, 0.0]
    assert before[["customer_id", "through_app", "through_web"]].values.tolist() == [["a", 0.0, 1.0]]


def test_windows_are_spread_over_the_year_and_the_last_ended_a_year_before():
    orders = pd.DataFrame({"order_id": range(800), "customer_id": "a", "amount": 1.0})
    orders["ordered_at"] = pd.date_range("2023-01-01", periods=800, freq="D", tz="UTC")
    found = profiles.windows({"orders": orders}, date(2025, 3, 1), days=90)
    assert found["ends"].tolist() == [
        date(2025, 3, 1),
        date(2024, 11, 30),
        date(2024, 8, 31),
        date(2024, 5, 31),
        date(2024, 3, 1),
    ]
    assert found["n_orders"].tolist() == [90] * 5
    assert not {"tenure_days", "recency_days", "spend_365d"} & set(found)


@pytest.mark.parametrize("days", [13, 366])
def test_a_window_has_two_weeks_at_least_and_a_year_at_most(days):
    with pytest.raises(Problem, match="14 to 365"):
        profiles.windows(SHOP, date(2025, 2, 28), days=days)


# ---- the test of a difference


def rows(before, now, same_customers=True):
    """One persona in two windows with these values."""
    ids = np.arange(len(before))
    other = ids if same_customers else ids + len(before)
    late = pd.DataFrame({"customer_id": other, "window": 0, "through_app": now})
    return pd.concat([late, pd.DataFrame({"customer_id": ids, "window": 1, "through_app": before})]).assign(persona=1)


def test_shares_of_different_customers_are_tested_as_two_independent_shares():
    before, now = [1.0] * 30 + [0.0] * 70, [1.0] * 50 + [0.0] * 50
    found = changed.changes(rows(before, now, same_customers=False), ["through_app"], changed.PRICES, sizes=False)
    # the z of two independent shares, 2.89, with variances of a sample (199 of 200); Student's t with 99 degrees
    z = 0.2 / np.sqrt(0.4 * 0.6 * 2 / 100 * 200 / 199)
    assert found["difference"].item() == pytest.approx(0.2)
    assert found["p"].item() == pytest.approx(2 * stats.t.sf(z, 99))


def test_customers_who_stand_on_both_sides_are_paired():
    # 30 of 100 on both sides and 20 more now: each customer's change is 1 for 20 and 0 for 80, whatever the 30 do
    before, now = [1.0] * 30 + [0.0] * 70, [1.0] * 50 + [0.0] * 50
    found = changed.changes(rows(before, now), ["through_app"], changed.PRICES, sizes=False)
    half = found["high"].item() - found["difference"].item()
    assert half == pytest.approx(1.984 * np.sqrt(0.2 * 0.8 / 99), rel=0.01)


def test_a_persona_too_few_of_whom_are_known_is_not_judged():
    found = changed.changes(rows([0.2] * 10 + [0.4] * 9, [0.9] * 19), ["through_app"], changed.PRICES, sizes=False)
    assert found.empty


def test_a_persona_none_of_whom_differs_is_not_moved_by_what_others_do():
    # nobody of persona 1 spends anything; of persona 2 more spend now, which makes nothing a lower place
    table = pd.DataFrame({"customer_id": list(range(80)) * 2, "window": [0] * 80 + [1] * 80})
    table["persona"] = table["customer_id"] % 2 + 1
    spends = (table["persona"] == 2) & (table["customer_id"] % 8 < np.where(table["window"] == 0, 8, 4))
    found = changed.changes(table.assign(total_spend=spends * 1.0), ["total_spend"], changed.PRICES, sizes=False)
    assert 1 not in found["persona"].tolist()


def test_where_nothing_changed_p_is_below_a_twentieth_about_once_in_twenty():
    p = [
        changed.changes(made(60).customers.merge(quarters([0.3] * 5, 60, seed=seed)), ["through_app"], changed.PRICES)
        .query("trait == 'through_app'")["p"]
        .to_numpy()
        for seed in range(150)
    ]
    below = (np.concatenate(p) < 0.05).mean()  # of 300: 0.05 give or take 0.025
    assert 0.02 < below < 0.09


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(random):
    table = quarters([0.6, 0.3, 0.3, 0.3, 0.3], 100)
    order = list(range(len(table)))
    random.shuffle(order)
    one, other = personas.refresh(table, made(100)), personas.refresh(table.iloc[order], made(100))
    assert one.words == other.words
    assert_frame_equal(one.traits, other.traits, check_exact=True)


# ---- is it due?


def test_a_persona_that_did_otherwise_in_the_last_quarter_is_due_and_the_trait_is_named():
    found = personas.refresh(quarters([0.6, 0.3, 0.3, 0.3, 0.3]), made(400))
    assert due(found) == ["Workers"]
    assert found.due
    now, before = found.traits.query("persona == 1")[["value", "before"]].iloc[0]
    assert (now, before) == (pytest.approx(0.6, abs=0.05), pytest.approx(0.3, abs=0.05))
    told = f"share bought by app {evidence.percent(now)} now, {evidence.percent(before)} in the year before"
    assert found.words[0].startswith(f"Workers: due for a refresh, as {told} (change ")
    assert found.words[1] == "The others still hold: Families."


@pytest.mark.parametrize(
    ("shares", "why"),
    [
        ([0.3, 0.3, 0.3, 0.3, 0.3], "nothing changed"),
        ([0.6, 0.3, 0.3, 0.3, 0.6], "a season comes round"),
        ([0.7, 0.6, 0.5, 0.4, 0.3], "a slow trend is in every quarter"),
        ([0.6, 0.3, 0.6, 0.3, 0.3], "one quarter of the year was like it"),
    ],
)
def test_no_alarm_where(shares, why):
    assert due(personas.refresh(quarters(shares), made(400))) == [], why


def test_a_real_but_small_change_is_no_alarm_however_many_customers():
    found = personas.refresh(quarters([0.4, 0.3, 0.3, 0.3, 0.3], 40_000), made(40_000))
    workers = found.traits.query("persona == 1").iloc[0]
    assert workers["p_corrected"] < 1e-9
    assert due(found) == []


def test_a_year_ago_of_which_too_little_is_known_excludes_no_season():
    # 60 % of 200 now, 30 % of 200 in three quarters; a year ago 8 of 21, which is 22 points less, but p is 0.07
    counts = [(120, 200), (60, 200), (60, 200), (60, 200), (8, 21)]
    parts = [
        pd.DataFrame(
            {"customer_id": np.arange(of) + 1000 * w, "window": w, "through_app": [1.0] * yes + [0.0] * (of - yes)}
        )
        for w, (yes, of) in enumerate(counts)
    ]
    table = pd.concat(parts, ignore_index=True).astype({"through_app": float})
    table["ends"] = pd.Timestamp(2026, 3, 20) - pd.to_timedelta(table["window"] * 92, "D")
    who = Known(NAMES.head(1), pd.DataFrame(), table[["customer_id"]].assign(persona=1))
    found = personas.refresh(table, who)
    row = found.traits.iloc[0]
    assert (row["p_corrected"] < 0.001, row["smallest"] > 0.2) == (True, True)
    assert 0.05 < row["p_year"] < 0.1
    assert not found.due


def test_a_base_that_does_not_reach_back_a_year_gives_no_alarm_and_says_so():
    found = personas.refresh(quarters([0.6, 0.3, 0.3, 0.3, 0.3], years_back=False), made(400))
    assert not found.due
    assert any("cannot be told from a season" in words for words in found.words)
    assert any(words.startswith("Workers: share bought by app ") for words in found.words)


def spending(factor_of_workers, factor_of_all=1.0):
    table = quarters([0.3] * 5, 600)
    rng = np.random.default_rng(1)
    amount = np.exp(rng.normal(3, 0.5, len(table)))
    latest = table["window"] == 0
    workers = latest & (table["customer_id"] % 2 == 0)
    amount = amount * np.where(latest, factor_of_all, 1) * np.where(workers, factor_of_workers, 1)
    return table.assign(mean_order_value=amount)


def test_prices_that_rise_for_all_are_no_alarm_but_one_persona_that_spends_more_is():
    assert due(personas.refresh(spending(1.0, factor_of_all=2.0), made(600))) == []
    assert due(personas.refresh(spending(2.5), made(600))) == ["Workers", "Families"]  # beside each other's
    assert due(personas.refresh(spending(1.0), made(600))) == []


# ---- two runs


def run(customers, names=("Workers", "Families")):
    traits = evidence.compare(customers, "persona").rename(columns={"group": "persona"})
    numbers = sorted(set(customers["persona"]))
    return Known(pd.DataFrame({"persona": numbers, "title": names[: len(numbers)]}), traits, customers)


def base(n=300, seed=0):
    rng = np.random.default_rng(seed)
    persona = np.arange(n) % 2 + 1
    table = pd.DataFrame({"customer_id": np.arange(n), "persona": persona})
    table["weekend_share"] = np.clip(rng.normal(np.where(persona == 1, 0.2, 0.7), 0.15), 0, 1)
    table["age"] = rng.normal(np.where(persona == 1, 50, 30), 8).round()
    table["tenure_days"] = rng.uniform(0, 900, n).round()
    table["n_orders"] = rng.poisson(5, n) + 1
    return table


def test_the_mere_passing_of_time_is_no_alarm():
    later = base().assign(
        age=base()["age"] + 1, tenure_days=base()["tenure_days"] + 365, n_orders=base()["n_orders"] + 3
    )
    found = personas.drift(run(base()), run(later))
    assert not found.due
    assert found.words == ["No persona is due for a refresh: nothing changed beyond chance and by enough to matter."]


def test_a_persona_is_known_again_under_another_number_and_nobody_has_moved():
    swapped = base().assign(persona=3 - base()["persona"])
    found = personas.drift(run(base()), run(swapped, ("Families", "Workers")))
    assert found.personas[["persona", "was"]].values.tolist() == [[1, 2], [2, 1]]
    assert not found.due
    assert found.moves.query("source != target")["n"].sum() == 0


def test_a_trait_that_changed_is_told_with_its_figures():
    later = base()
    later.loc[later["persona"] == 1, "weekend_share"] = (later["weekend_share"] + 0.25).clip(upper=1)
    before = run(base())
    # known again all the same: by age
    after = run(later)
    found = personas.drift(before, after)
    assert due(found) == ["Workers"]
    row = found.traits.query("persona == 1 and trait == 'weekend_share'").iloc[0]
    assert row["change"] == pytest.approx(0.25, abs=0.01)
    assert row["low"] <= row["change"] <= row["high"]


def test_a_persona_that_is_like_none_before_is_new():
    # workers were older and families there at the weekend; half of the families have become both
    later = base()
    apart = (later["persona"] == 2) & (later["customer_id"] % 4 == 1)
    later = later.assign(persona=later["persona"].mask(apart, 3), age=later["age"].mask(apart, 90))
    later["weekend_share"] = later["weekend_share"].mask(apart, 1.0)
    found = personas.drift(run(base()), run(later, ("Workers", "Families", "Great-grandparents")))
    new = found.personas.set_index("title").loc["Great-grandparents"]
    assert (new["state"], new["n_before"], new["n"]) == ("new", 0, 75)
    assert pd.isna(new["was"])
    assert found.due


def test_a_persona_that_nobody_is_like_any_more_has_vanished():
    alone = base().query("persona == 1")
    found = personas.drift(run(base()), Known(NAMES.head(1), run(base()).traits.query("persona == 1"), alone))
    gone = found.personas.iloc[-1]
    assert (gone["title"], gone["state"], gone["was"], gone["n"]) == ("Families", "vanished", 2, 0)
    assert gone["low"] < gone["change"] < gone["high"] < 0
    assert found.words[-1] == "Families has vanished: no persona is like it any more."


def test_a_persona_that_doubles_is_due_for_its_size():
    # of 300 customers 30 were workers, now 75
    first, later = base(), base()
    first["persona"], later["persona"] = np.where(np.arange(300) < 30, 1, 2), np.where(np.arange(300) < 75, 1, 2)
    age = np.where(np.arange(300) < 52, 60.0, 30.0) + np.arange(300) % 7
    found = personas.drift(run(first.assign(age=age)), run(later.assign(age=age)))
    size = found.traits.query("persona == 1 and trait == 'size'").iloc[0]
    assert (size["before"], size["value"]) == (0.1, 0.25)
    assert bool(size["changed"])


def test_a_run_is_read_from_its_folder_and_a_missing_table_is_named(tmp_path):
    known = run(base())
    known.personas.to_parquet(tmp_path / "personas.parquet")
    known.traits.to_parquet(tmp_path / "persona_traits.parquet")
    known.customers.drop(columns="persona").to_parquet(tmp_path / "profiles.parquet")
    with pytest.raises(Problem, match="segments"):
        personas.read(tmp_path)
    known.customers[["customer_id", "persona"]].rename(columns={"persona": "segment"}).to_parquet(
        tmp_path / "segments.parquet"
    )
    assert not personas.drift(personas.read(tmp_path), known).due


def test_runs_of_other_customers_are_a_problem():
    other = base().assign(customer_id=base()["customer_id"] + 1000)
    with pytest.raises(Problem, match="No customer is in both"):
        personas.drift(run(base()), run(other))


def test_a_base_of_one_window_or_of_nothing_has_no_verdict_and_no_error():
    table = quarters([0.6])
    for found in (personas.refresh(table, made(400)), personas.refresh(table.head(0), made(400))):
        assert not found.due
        assert found.traits.empty
        assert "cannot be told from a season" in found.words[-1]
    customers = pd.DataFrame({"customer_id": ["a", "b"], "city": ["Yazd", "Rasht"]})
    nobody = profiles.windows({"customers": customers}, date(2026, 3, 20))
    assert nobody.empty
    assert not personas.refresh(nobody, Known(NAMES, pd.DataFrame(), customers.assign(persona=[1, 2]))).due


def test_a_missing_column_is_named():
    with pytest.raises(Problem, match='windows has no column "ends"'):
        personas.refresh(quarters([0.3] * 5).drop(columns="ends"), made(400))
