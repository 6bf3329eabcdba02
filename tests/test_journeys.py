"""Journeys: every figure worked out by hand on tables of a few rows, then against the real event logs."""

from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from analysis import evidence, journeys
from analysis.errors import Problem
from analysis.journeys.waiting import days_until


def happened(*rows, tz="UTC"):
    """Events from rows (customer, "day" or "day time", event)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], format="mixed").astype("datetime64[us]")
    frame["occurred_at"] = frame["occurred_at"].dt.tz_localize(tz)
    return frame


def in_duckdb(frame, tz="UTC"):
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{tz}'")
    connection.register("frame", frame)
    connection.execute("CREATE TABLE events AS SELECT * FROM frame")
    return connection.table("events")


def row(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


# The funnel

FOUR = happened(
    ("a", "2025-03-01", "visit"),
    ("a", "2025-03-02", "cart"),
    ("a", "2025-03-05", "order"),
    ("b", "2025-03-01", "visit"),
    ("b", "2025-03-04", "cart"),
    ("c", "2025-03-09", "visit"),
    ("d", "2025-03-03", "cart"),  # never visited: not in the funnel
    ("d", "2025-03-10", "leave"),  # the data end here
)


@pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb])
def test_a_funnel_counts_only_those_who_entered_it(engine):
    funnel = journeys.funnel(engine(FOUR), ["visit", "cart", "order"])
    assert funnel["step"].tolist() == ["visit", "cart", "order"]
    assert funnel["entered"].tolist() == [3, 2, 1]
    assert funnel["converted"].tolist()[:2] == [2, 1]
    assert funnel["lost"].tolist()[:2] == [1, 1]
    assert funnel["censored"].tolist()[:2] == [0, 0]  # no window: nobody is still on the way
    assert funnel["rate"].tolist()[:2] == [2 / 3, 1 / 2]
    assert (funnel["low"][0], funnel["high"][0]) == pytest.approx(proportion_confint(2, 3, method="wilson"))
    assert (
        funnel.loc[2, ["converted", "rate", "low", "high", "median_days", "p90_days", "lost", "censored"]].isna().all()
    )


def test_customers_still_inside_the_window_are_censored_not_lost():
    # Two days allowed. Visit to cart: a converts after 1 day; b takes 3, too long: lost; c visited on the 9th, the data
    # end on the 10th: censored. Cart to order: only a is there, and needs 3 days: lost.
    funnel = journeys.funnel(FOUR, ["visit", "cart", "order"], window_days=2)
    assert funnel["entered"].tolist() == [3, 1, 0]
    assert funnel["converted"].tolist()[:2] == [1, 0]
    assert funnel["lost"].tolist()[:2] == [1, 1]
    assert funnel["censored"].tolist()[:2] == [1, 0]
    assert funnel["rate"].tolist()[:2] == [1 / 2, 0]  # of the two about whom it is known


def test_a_conversion_on_the_last_moment_of_the_window_counts_and_one_microsecond_later_does_not():
    just = happened(("a", "2025-03-01 10:00", "visit"), ("a", "2025-03-02 10:00", "order"))
    late = happened(("a", "2025-03-01 10:00", "visit"), ("a", "2025-03-02 10:00:00.000001", "order"))
    assert journeys.funnel(just, ["visit", "order"], window_days=1)["converted"][0] == 1
    assert journeys.funnel(late, ["visit", "order"], window_days=1)["lost"][0] == 1


def test_events_after_the_day_asked_for_are_ignored():
    # As of the 4th, a's order of the 5th has not happened, and c has not come yet.
    funnel = journeys.funnel(FOUR, ["visit", "cart", "order"], as_of=date(2025, 3, 4))
    assert funnel["entered"].tolist() == [2, 2, 0]


@pytest.mark.parametrize("engine", [lambda frame, tz: frame, in_duckdb])
def test_the_last_day_ends_at_midnight_in_the_events_own_timezone(engine):
    # 23:30 and 00:30 in Tehran are both the 20th in UTC, but not in Tehran.
    nights = happened(("a", "2025-03-20 23:30", "visit"), ("a", "2025-03-21 00:30", "order"), tz="Asia/Tehran")
    frame = engine(nights, "Asia/Tehran")
    assert journeys.funnel(frame, ["visit", "order"], as_of=date(2025, 3, 20))["converted"][0] == 0
    assert journeys.funnel(frame, ["visit", "order"], as_of=date(2025, 3, 21))["converted"][0] == 1
    assert journeys.funnel(frame, ["visit", "order"])["median_days"][0] == pytest.approx(1 / 24)


def test_days_are_of_24_hours_where_clocks_change():
    # Berlin, the night of 30 March 2025 has 23 hours.
    night = happened(("a", "2025-03-29 12:00", "visit"), ("a", "2025-03-30 12:00", "order"), tz="Europe/Berlin")
    assert journeys.funnel(night, ["visit", "order"])["median_days"][0] == pytest.approx(23 / 24)


def test_events_of_the_same_moment_count_in_the_funnels_order():
    same = happened(("a", "2025-03-01", "order"), ("a", "2025-03-01", "cart"), ("a", "2025-03-01", "visit"))
    assert journeys.funnel(same, ["visit", "cart", "order"])["entered"].tolist() == [1, 1, 1]
    assert journeys.funnel(same, ["order", "cart", "visit"])["entered"].tolist() == [1, 1, 1]


def test_a_step_before_the_one_it_should_follow_does_not_count():
    early = happened(("a", "2025-03-01", "cart"), ("a", "2025-03-02", "visit"), ("a", "2025-03-03", "order"))
    assert journeys.funnel(early, ["visit", "cart", "order"])["entered"].tolist() == [1, 0, 0]


def test_times_to_convert_count_those_who_have_not_converted_yet():
    # Of four, one converts after 1 day, one after 3; two never do in 9 days of data. Half have converted by day 3;
    # the median of the converted alone, 2 days, would flatter. Nine in ten never do.
    frame = happened(
        *[(c, "2025-03-01", "visit") for c in "abcd"],
        ("a", "2025-03-02", "order"),
        ("b", "2025-03-04", "order"),
        ("d", "2025-03-10", "leave"),
    )
    funnel = journeys.funnel(frame, ["visit", "order"])
    assert funnel["median_days"][0] == 3
    assert np.isnan(funnel["p90_days"][0])


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40))
def test_times_to_convert_are_those_of_kaplan_and_meier(waits):
    days, converted = np.array([w for w, _ in waits]), np.array([c for _, c in waits])
    found = days_until(days * 86_400_000_000, converted, (0.5, 0.9))
    curve = SurvfuncRight(days, converted.astype(int))
    for share, quantile in zip((0.5, 0.9), found, strict=True):
        there = curve.surv_times[curve.surv_prob <= 1 - share + 1e-9]
        np.testing.assert_equal(quantile, float(there[0]) if len(there) else np.nan)


def test_a_step_that_nobody_reaches_has_no_rate():
    frame = happened(("a", "2025-03-01", "visit"), ("b", "2025-03-01", "cart"), ("b", "2025-03-01", "order"))
    funnel = journeys.funnel(frame, ["visit", "cart", "order"])
    assert funnel["entered"].tolist() == [1, 0, 0]
    assert (funnel["rate"][0], funnel["lost"][0]) == (0, 1)
    assert (funnel["converted"][1], funnel["lost"][1]) == (0, 0)
    assert funnel.loc[1, ["rate", "low", "high", "median_days"]].isna().all()


def test_one_customer_with_one_event_is_a_funnel():
    frame = pd.concat([happened(("a", "2025-03-01", "visit")), happened(("b", "2025-03-01", "order"))])
    assert journeys.funnel(frame, ["visit", "order"])["entered"].tolist() == [1, 0]
    assert journeys.paths(frame)["path"].tolist() == ["order", "visit"]


def test_rows_without_customer_time_or_name_are_no_events():
    gaps = pd.concat([FOUR, happened((None, "2025-03-01", "visit"), ("e", None, "visit"), ("f", "2025-03-01", None))])
    steps = ["visit", "cart", "order"]
    pd.testing.assert_frame_equal(journeys.funnel(gaps, steps), journeys.funnel(FOUR, steps))


def test_an_unknown_step_names_the_nearest_and_the_commonest():
    with pytest.raises(
        Problem, match=r'"vist"\. Did you mean "visit"\? The commonest of 4: cart, visit, leave, order\.'
    ):
        journeys.funnel(FOUR, ["vist", "order"])
    with pytest.raises(Problem, match="no events at all"):
        journeys.funnel(FOUR.head(0), ["visit", "order"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": ["visit"]}, "at least two steps"),
        ({"steps": "visit"}, "at least two steps"),
        ({"steps": ["visit", "cart", "visit"]}, '"visit" is in the funnel twice'),
        ({"window_days": 0}, "longer than 0"),
        ({"events": FOUR.drop(columns="event")}, 'no column "event"'),
        ({"events": FOUR.assign(occurred_at="2025-03-01")}, "not times"),
    ],
)
def test_a_funnel_that_cannot_be_is_refused_in_words(change, says):
    with pytest.raises(Problem, match=says):
        journeys.funnel(**({"events": FOUR, "steps": ["visit", "cart"]} | change))


def test_dates_without_time_will_do():
    frame = in_duckdb(FOUR).project("customer_id, occurred_at::DATE AS occurred_at, event")
    assert journeys.funnel(frame, ["visit", "cart", "order"])["entered"].tolist() == [3, 2, 1]


# Whatever the rows: a funnel written out by hand in plain Python, as the truth to compare with

EVENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 6), st.sampled_from(["v", "c", "o", "x"])), min_size=1, max_size=30
)


def _frame(rows):
    return happened(*[(c, f"2025-03-01 {hour:02d}:00", e) for c, hour, e in rows])


def _reached_by_hand(rows, steps, window, step_window):
    entered = [0] * len(steps)
    for customer in {c for c, _, _ in rows}:
        first = at = -1
        for i, step in enumerate(steps):
            later = [hour for c, hour, e in rows if c == customer and e == step and hour >= at]
            if not later or (i and (min(later) - at > step_window or min(later) - first > window)):
                break
            at, entered[i] = min(later), entered[i] + 1
            first = first if i else at
    return entered


@settings(deadline=None, max_examples=50)
@given(EVENTS, st.randoms(use_true_random=False), *[st.sampled_from([None, 1, 3])] * 2)
def test_neither_row_order_nor_repeated_rows_nor_the_engine_change_anything(rows, random, window, step_window):
    known = [s for s in "vcox" if any(e == s for _, _, e in rows)]
    shuffled = [*rows, *random.choices(rows, k=5)]
    random.shuffle(shuffled)
    frame, other = _frame(rows), in_duckdb(_frame(shuffled))
    if len(known) > 1:
        days = {"window_days": window and window / 24, "step_days": step_window and step_window / 24}
        funnel = journeys.funnel(frame, known, **days)
        assert funnel["entered"].tolist() == _reached_by_hand(rows, known, window or 99, step_window or 99)
        pd.testing.assert_frame_equal(funnel, journeys.funnel(other, known, **days))
        judged = funnel.iloc[:-1]
        assert (judged["converted"] + judged["lost"] + judged["censored"] == judged["entered"]).all()


# Groups


def _groups():
    # 60 of 100 convert in group 1, 30 of 100 in group 2, and group 3 is two customers
    rows = [(f"{g}-{i}", "2025-03-01", "visit") for g, n in ((1, 100), (2, 100), (3, 2)) for i in range(n)]
    rows += [(f"{g}-{i}", "2025-03-02", "order") for g, k in ((1, 60), (2, 30), (3, 2)) for i in range(k)]
    frame = happened(*rows)
    by = frame[["customer_id"]].drop_duplicates()
    return frame, by.assign(persona=by["customer_id"].str[0].astype(int))


def test_a_groups_funnel_is_compared_with_everybody_elses():
    frame, by = _groups()
    table = journeys.compare_funnels(in_duckdb(frame), ["visit", "order"], by)
    first = row(table, persona=1, step="visit")
    assert (first["rate"], first["elsewhere"], first["difference"]) == pytest.approx((0.6, 0.3, 0.3))
    assert first["difference_low"] > 0
    assert first["differs"]
    # two comparisons, both with the same p: Holm doubles the smaller
    assert first["p_corrected"] == pytest.approx(2 * first["p"])
    # two intervals that hold together with 95 % are of 97.5 % each
    _, low, high, _ = evidence.difference_of_shares(60, 100, 30, 100, confidence=0.975)
    assert (first["difference_low"], first["difference_high"]) == pytest.approx((low, high))
    assert 3 not in set(table["persona"])  # too few, and not among everybody else either


def test_a_group_alone_or_groups_too_small_have_nothing_to_differ_from():
    frame, by = _groups()
    alone = journeys.compare_funnels(frame, ["visit", "order"], by[by["persona"] == 1])
    assert alone["entered"].tolist() == [100, 60]
    assert alone["difference"].isna().all()
    assert not alone["differs"].any()
    assert journeys.compare_funnels(frame, ["visit", "order"], by, min_size=1000).empty


def test_groups_match_whether_ids_are_text_or_numbers():
    frame = happened(*[(str(i), "2025-03-01", e) for i in range(10) for e in ("visit", "order")])
    by = pd.DataFrame({"customer_id": range(10), "segment": ["x", "y"] * 5})
    table = journeys.compare_funnels(frame, ["visit", "order"], by, group="segment")
    assert table["entered"].tolist() == [5, 5, 5, 5]


def test_groups_that_cannot_be_compared_are_refused_in_words():
    frame, by = _groups()
    with pytest.raises(Problem, match="names 1 customers more than once"):
        journeys.compare_funnels(frame, ["visit", "order"], pd.concat([by, by.head(1)]))
    with pytest.raises(Problem, match="None of the 202 customers"):
        journeys.compare_funnels(frame, ["visit", "order"], by.assign(customer_id="no" + by["customer_id"]))
    with pytest.raises(Problem, match='no column "segment"'):
        journeys.compare_funnels(frame, ["visit", "order"], by, group="segment")


# Bottlenecks


def _funnel(entered):
    converted = [*entered[1:], None]
    lost = [a - b for a, b in pairwise(entered)] + [None]
    judged = [*entered[:-1], None]  # no window: everybody
    names = list("abcdefgh")[: len(entered)]
    return pd.DataFrame({"step": names, "entered": entered, "converted": converted, "judged": judged, "lost": lost})


def test_the_step_that_loses_a_larger_share_stands_out():
    # 100 of 1000, then 600 of 900, then 30 of 300 lost: rates 10 %, 66.7 %, 10 %
    table, verdict, *_ = journeys.bottlenecks(_funnel([1000, 900, 300, 270]))
    assert table["step"].tolist() == ["b", "a", "c"]
    assert table["share"].tolist() == [600 / 730, 100 / 730, 30 / 730]
    assert table["stands_out"].tolist() == [True, False, False]
    assert table["elsewhere"][0] == pytest.approx(130 / 1300)
    assert "600 of 730" in verdict
    assert "b (66.7 %, elsewhere 10.0 %)" in verdict


def test_no_step_stands_out_where_all_lose_the_same_share():
    # most are lost at the first step, only because most are there
    table, verdict, *_ = journeys.bottlenecks(_funnel([1000, 500, 250, 125]))
    assert table["step"].tolist() == ["a", "b", "c"]
    assert not table["stands_out"].any()
    assert "No step stands out" in verdict


def test_several_comparisons_are_corrected_after_holm():
    # three comparisons: the smallest p times 3, the next times 2, the largest as it is
    table = journeys.bottlenecks(_funnel([1000, 580, 360, 209])).table.sort_values("p")
    assert table["p"].is_monotonic_increasing
    expected = np.maximum.accumulate(table["p"] * [3, 2, 1]).clip(upper=1)
    np.testing.assert_allclose(table["p_corrected"], expected)
    assert table["p_corrected"].iloc[2] < 1


def test_findings_say_how_many_got_to_the_end_where_they_were_lost_and_what_took_longest():
    # a goes on to the cart after 1 day, b after 3, c was seen for 1 day only: two thirds still wait after day 1, none
    # after day 3, so the median is 3 days. From the cart, a takes 3 days and b never orders: half by day 3.
    funnel = journeys.funnel(FOUR, ["visit", "cart", "order"])
    plan = journeys.Plan("events", ["visit", "cart", "order"], "")
    reach, losses, slowest = journeys.findings(plan, funnel, journeys.bottlenecks(funnel))
    assert reach.startswith("Of 3 customers at visit, 1 reached order (33.3 %, interval ")
    assert "1 of 2 who left it" in losses
    assert slowest.startswith(
        "The slowest step is from visit to cart: half of all who entered it took it within 3 days."
    )


def test_bottlenecks_speak_only_of_what_can_be_compared():
    assert journeys.bottlenecks(_funnel([10, 10, 10])).verdict == "Nobody is known to be lost at any step."
    assert "no other step to compare" in journeys.bottlenecks(_funnel([10, 5])).verdict
    assert "no other step to compare" in journeys.bottlenecks(_funnel([10, 0, 0])).verdict


def test_no_step_is_called_out_by_chance_more_often_than_one_time_in_twenty(monkeypatch):
    # 400 funnels whose four steps all lose 40 %: a false alarm in at most 5 % of them, give or take 2.5 %
    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels' correction collects garbage: 80 ms a call
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        entered = [1000]
        for _ in range(4):
            entered.append(int(random.binomial(entered[-1], 0.6)))
        alarms += journeys.bottlenecks(_funnel(entered)).table["stands_out"].any()
    assert alarms / 400 <= 0.075


# Where the events come from


def touchpoints(*rows):
    frame = happened(*[r[:3] for r in rows])
    return frame.assign(stage=[r[3] for r in rows], channel=[r[4] for r in rows])


STAGED = touchpoints(
    ("a", "2025-03-01", "ad", "Awareness", "web"),
    ("a", "2025-03-02", "ad", "Awareness", "mail"),
    ("a", "2025-03-05", "pay", "Purchase", "web"),
    ("b", "2025-03-01", "ad", "Awareness", "web"),
    ("b", "2025-03-02", "poster", "Awareness", None),
    ("c", "2025-03-01", "chat", None, "web"),
)

ORDERS = pd.DataFrame(
    {
        "order_id": ["9", "2", "3", "4", "5"],
        "customer_id": ["a", "a", "a", "b", "b"],
        "ordered_at": pd.to_datetime(["2025-03-04", "2025-03-01", "2025-03-01", "2025-03-01", "2025-03-02"], utc=True),
        "status": ["completed", None, "completed", "completed", "cancelled"],
    }
)

DEALS = pd.DataFrame(
    {
        "deal_id": ["1", "2", "3"],
        "customer_id": ["a", None, "a"],
        "created_at": pd.to_datetime(["2025-03-01"] * 3, utc=True),
        "closed_at": pd.to_datetime(["2025-03-03", "2025-03-04", None], utc=True),
        "outcome": ["won", "lost", "open"],
        "source": ["web", "fair", "web"],
    }
)


@pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb])
def test_completed_orders_are_numbered_by_time_then_id(engine):
    found = journeys.events({"orders": engine(ORDERS)}).collect("pandas").to_native()
    found = found.assign(day=found["occurred_at"].dt.day).sort_values(["customer_id", "event"])
    # a ordered twice on the 1st and again on the 4th; b's second order was cancelled
    assert found["event"].tolist() == ["1st order", "2nd order", "3rd order", "1st order"]
    assert found["day"].tolist() == [1, 1, 4, 1]
    assert journeys.default_steps({"orders": engine(ORDERS)}).steps == ["1st order", "2nd order", "3rd order"]


def test_the_seventh_order_is_no_step_of_its_own():
    many = pd.DataFrame(
        {"order_id": [*"1234567"], "customer_id": "a", "ordered_at": pd.date_range("2025-03-01", periods=7)}
    )
    names = journeys.events({"orders": many}).collect("pandas").to_native()["event"]
    assert names.value_counts()["6th order or later"] == 2


@pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb])
def test_the_win_rate_is_won_of_decided(engine):
    base = {"deals": engine(DEALS)}
    plan = journeys.default_steps(base)
    funnel = journeys.funnel(journeys.events(base), plan.steps, per=plan.per)
    assert funnel["entered"].tolist() == [3, 2, 1]
    assert row(funnel, step="decided")["rate"] == 0.5


def test_stages_with_customary_names_come_before_everything_else():
    base = {"touchpoints": in_duckdb(STAGED), "orders": in_duckdb(ORDERS), "deals": in_duckdb(DEALS)}
    plan = journeys.default_steps(base)
    assert (plan.kind, plan.steps) == ("stages", ["Awareness", "Purchase"])
    without = {"touchpoints": in_duckdb(STAGED.drop(columns="stage")), "orders": in_duckdb(ORDERS)}
    assert journeys.default_steps(without).kind == "orders"


def test_of_two_names_for_the_same_stage_the_commoner_is_the_step():
    frame = happened(*[("a", f"2025-03-0{i}", e) for i, e in enumerate(["add to cart", "cart", "cart", "Purchase"], 1)])
    assert journeys.default_steps({"touchpoints": frame}).steps == ["cart", "Purchase"]


def test_a_base_without_a_journey_says_what_it_would_need():
    once = {"orders": ORDERS.head(1), "customers": pd.DataFrame({"customer_id": ["a"]})}
    plan = journeys.default_steps(once)
    assert (plan.kind, plan.steps) == ("", [])
    assert "Nobody has ordered twice yet" in plan.why
    assert "touchpoints" in plan.why
    # and the chapter runs to its end, with empty tables of the usual columns
    happened_here = journeys.events(once)
    empty = journeys.funnel(happened_here, plan.steps)
    assert list(empty) == list(journeys.funnel(FOUR, ["visit", "cart"]))
    table, verdict, *_ = journeys.bottlenecks(empty)
    assert "no funnel" in verdict
    assert all(t.empty for t in (empty, table, journeys.transitions(happened_here), journeys.paths(happened_here)))
    assert journeys.findings(plan, empty, journeys.bottlenecks(empty)) == [plan.why]


def test_touchpoints_of_unknown_order_ask_for_the_steps():
    plan = journeys.default_steps({"touchpoints": STAGED.drop(columns="stage")})
    assert (plan.kind, plan.steps) == ("events", [])
    assert "ad, chat, pay, poster" in plan.why


def test_steps_named_by_the_analyst_are_looked_up_where_they_are_recorded():
    base = {"touchpoints": STAGED, "orders": ORDERS}
    assert journeys.default_steps(base, ["ad", "pay"]).kind == "events"
    assert journeys.default_steps(base, ["1st order", "3rd order"]).kind == "orders"
    plan = journeys.default_steps(base, ["ad", "1st order"])
    assert plan.kind == "everything"
    # both of a and b saw the advertisement on the day of their first order, at the same hour
    assert journeys.funnel(journeys.events(base, plan.kind), plan.steps)["entered"].tolist() == [2, 2]
    with pytest.raises(Problem, match=r'"poste"\. Did you mean "poster"\?'):
        journeys.default_steps(base, ["ad", "poste"])
    with pytest.raises(Problem, match=r'different places: "pay" is not recorded'):
        journeys.default_steps({"touchpoints": STAGED}, ["Awareness", "Purchase", "pay"])


def test_a_kind_of_events_that_the_base_lacks_is_refused_in_words():
    with pytest.raises(Problem, match=r'"order"\. Did you mean "orders"\?'):
        journeys.events({"orders": ORDERS}, "order")
    with pytest.raises(Problem, match="a kind that it has: orders"):
        journeys.events({"orders": ORDERS}, "deals")


# Real event logs


def test_the_shop_log_of_retentioneering_gives_its_known_funnel(real_data):
    log = duckdb.sql(
        "SELECT user_id AS customer_id, timestamp::TIMESTAMP AS occurred_at, event "
        f"FROM '{real_data / 'retentioneering_ecom' / 'ecom.parquet'}'"
    )
    steps = ["catalog", "add_to_cart", "purchase"]
    funnel = journeys.funnel(log, steps)
    assert funnel["entered"].tolist() == [600, 511, 285]
    pd.testing.assert_frame_equal(funnel, journeys.funnel(log.df().sample(frac=1, random_state=1), steps))
    table, verdict, *_ = journeys.bottlenecks(funnel)
    assert table["lost"].tolist() == [226, 89]
    assert "add_to_cart (44.2 %, elsewhere 14.8 %)" in verdict


def test_the_pipeline_of_maven_gives_its_known_win_rate(real_data):
    base = {
        "deals": duckdb.sql(
            "SELECT opportunity_id AS deal_id, engage_date::TIMESTAMP created_at, close_date::TIMESTAMP closed_at, "
            "CASE WHEN deal_stage IN ('Won', 'Lost') THEN lower(deal_stage) ELSE 'open' END AS outcome "
            f"FROM '{real_data / 'maven_crm_sales' / 'sales_pipeline.csv'}'"
        )
    }
    funnel = journeys.funnel(journeys.events(base), journeys.default_steps(base).steps, per="deal_id")
    decided = row(funnel, step="decided")
    assert (decided["entered"], decided["converted"]) == (6711, 4238)


def test_a_ladder_of_orders_waits_a_third_of_the_time_that_the_data_cover():
    # 30 days of data: ten days to come back; who first bought within the last ten is not judged
    first = {"a": 1, "b": 1, "late": 28}
    rows = [(f"{who}1", who, day) for who, day in first.items()] + [("a2", "a", 8), ("b2", "b", 31)]
    orders = pd.DataFrame(rows, columns=["order_id", "customer_id", "day"])
    orders["ordered_at"] = pd.to_datetime("2025-03-01") + pd.to_timedelta(orders.pop("day") - 1, unit="D")
    plan = journeys.default_steps({"orders": orders})
    assert plan.step_days == 10
    funnel = journeys.funnel(journeys.events({"orders": orders}), plan.steps, step_days=plan.step_days)
    assert funnel.loc[0, ["entered", "converted", "lost", "censored"]].tolist() == [3, 1, 1, 1]


def test_the_rate_is_of_those_who_were_seen_for_the_whole_window():
    # 20,000 customers come evenly over 100 days and buy after an exponential time of 40 days on average: within 30 days
    # 1 - exp(-30/40) = 52.8 % do. Counting the quick ones among the late comers would make it 54 % and more.
    rng = np.random.default_rng(1)
    came, waits = rng.uniform(0, 100, 20_000), rng.exponential(40, 20_000)
    day = pd.Timestamp("2025-01-01", tz="UTC")
    visits = pd.DataFrame({"customer_id": np.arange(20_000).astype(str), "event": "visit", "day": came})
    orders = visits.assign(event="order", day=came + waits)[came + waits < 100]
    seen = pd.concat([visits, orders]).assign(occurred_at=lambda t: day + pd.to_timedelta(t["day"], unit="D"))
    step = journeys.funnel(seen, ["visit", "order"], window_days=30, as_of=date(2025, 4, 10)).iloc[0]
    assert step["low"] < 1 - np.exp(-30 / 40) < step["high"]
    assert step["converted"] / (step["converted"] + step["lost"]) > step["high"]
    assert step["converted"] + step["lost"] + step["censored"] == step["entered"] == 20_000


def test_who_left_the_path_may_have_bought_on_another():
    visits = pd.DataFrame({"customer_id": [*"abcc"], "event": ["visit", "visit", "visit", "order"]})
    visits["occurred_at"] = pd.to_datetime(["2025-03-20", "2025-03-20", "2025-03-20", "2025-03-21"])
    till = pd.DataFrame({"order_id": ["1", "2", "3"], "customer_id": ["a", "b", "c"]})
    till = till.assign(ordered_at=pd.Timestamp("2025-03-22"), status=["completed", "cancelled", "completed"])
    # a and b left; a bought at the till, b's order was cancelled, c went the whole way
    base = {"touchpoints": visits, "orders": till}
    assert journeys.bought_all_the_same(base, visits, ["visit", "order"]) == (2, 1)
    # on the evening before, nobody has bought: what comes after as_of changes nothing
    assert journeys.bought_all_the_same(base, visits, ["visit", "order"], date(2025, 3, 21)) == (2, 0)
    assert journeys.bought_all_the_same({"touchpoints": visits}, visits, ["visit", "order"]) == (0, 0)
