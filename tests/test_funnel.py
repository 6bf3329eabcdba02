"""Funnels: windows, steps that may be left out, visits and attempts, what the lost are worth, intervals that hold."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from test_journeys import happened, in_duckdb, row

from analysis import journeys
from analysis.errors import Problem
from analysis.evidence import difference_of_shares
from analysis.journeys.course import MICROSECONDS_PER_DAY, course
from analysis.journeys.funnel import funnel_table, walked
from analysis.journeys.reach import NEVER, Reached
from analysis.journeys.shares import interval, weight_of_one

ENGINES = pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb])


def test_the_window_of_the_whole_runs_from_the_first_step_that_between_steps_from_each():
    # visit, cart 2 days later, order 2 days after that: each step within 3 days, the whole within 4
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-03", "cart"), ("a", "2025-03-05", "order"),
                     ("z", "2025-04-01", "other"))  # fmt: skip
    steps = ["visit", "cart", "order"]
    assert journeys.funnel(frame, steps, step_days=3)["entered"].tolist() == [1, 1, 1]
    assert journeys.funnel(frame, steps, window_days=3)["entered"].tolist() == [1, 1, 0]
    assert journeys.funnel(frame, steps, window_days=4)["entered"].tolist() == [1, 1, 1]
    assert journeys.funnel(frame, steps, window_days=4, step_days=1)["entered"].tolist() == [1, 0, 0]


def test_within_the_window_of_the_whole_a_late_step_is_censored_by_the_time_left_since_the_first():
    # ten days in all: a came to the cart on day 8 and has 2 days left, of which the data show 1: censored, not lost
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-09", "cart"), ("z", "2025-03-10", "other"),
                     ("b", "2025-03-01", "order"))  # fmt: skip
    step = journeys.funnel(frame, ["visit", "cart", "order"], window_days=10).iloc[1]
    assert step[["entered", "lost", "censored"]].tolist() == [1, 0, 1]


@ENGINES
def test_a_step_that_may_be_left_out_stops_nobody_and_counts_who_took_it(engine):
    frame = happened(
        ("a", "2025-03-01", "visit"), ("a", "2025-03-02", "search"), ("a", "2025-03-03", "order"),
        ("b", "2025-03-01", "visit"), ("b", "2025-03-03", "order"), ("b", "2025-03-04", "search"),  # too late
        ("c", "2025-03-01", "visit"), ("c", "2025-03-02", "search"),
    )  # fmt: skip
    funnel = journeys.funnel(engine(frame), ["visit", "search", "order"], optional=["search"])
    assert funnel["entered"].tolist() == [3, 2, 2]  # a and c searched on the way; a and b ordered
    assert funnel["converted"].tolist()[:2] == [2, 1]  # to the order, also from the visit
    assert funnel["optional"].tolist() == [False, True, False]
    assert journeys.bottlenecks(funnel).table["step"].tolist() == ["visit"]  # nobody is lost twice


@ENGINES
def test_in_an_open_funnel_steps_count_in_any_order_after_the_first(engine):
    frame = happened(
        ("a", "2025-03-01", "visit"), ("a", "2025-03-02", "order"), ("a", "2025-03-03", "cart"),
        ("b", "2025-03-01", "cart"), ("b", "2025-03-02", "visit"), ("b", "2025-03-03", "order"),  # cart before entering
    )  # fmt: skip
    steps = ["visit", "cart", "order"]
    assert journeys.funnel(engine(frame), steps)["entered"].tolist() == [2, 1, 0]
    found = journeys.funnel(engine(frame), steps, ordered=False)
    assert found["entered"].tolist() == [2, 1, 2]
    assert found["converted"].tolist()[:2] == [1, 1]


@ENGINES
def test_a_step_may_be_a_condition_on_columns_of_the_events(engine):
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-02", "checkout"), ("b", "2025-03-01", "visit"),
                     ("b", "2025-03-02", "checkout"))  # fmt: skip
    frame["channel"] = ["app", "app", "web", "web"]
    steps = ["visit", {"event": "checkout", "channel": ["app", "branch"]}, {"step": "any", "event": "checkout"}]
    with pytest.raises(Problem, match='has no column "chanel"'):
        journeys.funnel(engine(frame), ["visit", {"chanel": "app"}])
    funnel = journeys.funnel(engine(frame), steps[:2])
    assert funnel["step"].tolist() == ["visit", "checkout, ['app', 'branch']"]
    assert funnel["entered"].tolist() == [2, 1]
    assert journeys.funnel(engine(frame), [steps[0], steps[2]])["step"].tolist() == ["visit", "any"]


@ENGINES
def test_a_visit_ends_after_a_pause_of_more_than_half_an_hour_and_may_cross_midnight(engine):
    frame = happened(
        ("a", "2025-03-20 23:30", "visit"), ("a", "2025-03-21 00:00", "cart"), ("a", "2025-03-21 00:31", "visit"),
        ("b", "2025-03-20 23:45", "visit"), tz="Asia/Tehran",
    )  # fmt: skip
    table = journeys.sessions(engine(frame)).collect("pandas").to_native().sort_values(["customer_id", "occurred_at"])
    assert table["session_id"].tolist() == ["a 1", "a 1", "a 2", "b 1"]
    with_cart = journeys.sessions(engine(frame), containing="cart").collect("pandas").to_native()
    assert set(with_cart["session_id"]) == {"a 1"}
    with pytest.raises(Problem, match='No event is called "card"'):
        journeys.sessions(engine(frame), containing="card")


@ENGINES
def test_each_order_is_an_attempt_of_its_own(engine):
    frame = happened(
        ("a", "2025-03-01", "visit"),  # before any order: of none
        ("a", "2025-03-02", "order"), ("a", "2025-03-02", "order"), ("a", "2025-03-02", "delivery"),  # twice recorded
        ("a", "2025-03-05", "order"), ("a", "2025-03-09", "delivery"),
    )  # fmt: skip
    cut = journeys.attempts(engine(frame), "order")
    funnel = journeys.funnel(cut, ["order", "delivery"], per="attempt_id")
    assert funnel["entered"].tolist() == [2, 2]
    assert funnel["mean_days"][0] == 2  # 0 and 4
    with pytest.raises(Problem, match=r'"oder".*Did you mean "order"'):
        journeys.attempts(engine(frame), "oder")


@ENGINES
def test_the_lost_are_worth_their_chance_to_come_through_times_what_the_others_brought(engine):
    # 8 visit, 4 get to the cart, 2 order for 100 and 300, mean 200. Lost at the cart: 2, who were one step away: 400.
    # Lost at the visit: 4, whose chance from the cart on is a half: 4 * 0.5 * 200 = 400.
    frame = happened(
        *[(c, "2025-03-01", "visit") for c in "abcdefgh"], *[(c, "2025-03-02", "cart") for c in "abcd"],
        *[(c, "2025-03-03", "order") for c in "ab"],
    )  # fmt: skip
    frame["value"] = [np.nan] * 12 + [100, 300]
    twice = pd.concat([frame, frame.tail(1)])  # recorded twice, paid once
    funnel = journeys.funnel(engine(twice), ["visit", "cart", "order"])
    assert funnel["lost_value"].tolist()[:2] == [400, 400]
    assert (funnel["lost_value_low"][:2] < 400).all()
    assert (funnel["lost_value_high"][:2] > 400).all()
    assert np.isnan(funnel["lost_value"][2])


def drawn_funnel(rng, n, rates, window=30, censored=0.0, orders=None):
    """A funnel of known chances; who goes on does so in time; the share `censored` is inside the window at the end."""
    length = window / censored if censored else 1e6
    at = rng.uniform(0, length if censored else 100, n)
    times, going = [at], np.ones(n, bool)
    for rate in rates:
        going = going & (rng.random(n) < rate)
        at = at + rng.exponential(1, n).clip(0, window / len(rates))
        going = going & (at <= length)
        times.append(np.where(going, at, np.nan))
    days = np.column_stack(times)
    micros = np.where(np.isnan(days), NEVER, np.nan_to_num(days) * MICROSECONDS_PER_DAY).astype("int64")
    value = None if orders is None else np.where(going, orders, np.nan)
    found = Reached(pd.DataFrame(index=range(n)), micros, int(length * MICROSECONDS_PER_DAY), value)
    way = course([f"s{i}" for i in range(len(rates) + 1)], window_days=window)
    return funnel_table(walked(found, way, clustered=False), way)


def test_the_value_at_stake_has_an_interval_that_covers_the_truth():
    # chances 0.5 and 0.4, orders of mean 100: somebody lost at the first step is worth 0.4 * 100
    rng, hits = np.random.default_rng(7), 0
    for _ in range(200):
        step = drawn_funnel(rng, 300, (0.5, 0.4), orders=rng.gamma(2, 50, 300)).iloc[0]
        hits += step["lost_value_low"] <= step["lost"] * 40 <= step["lost_value_high"]
    assert 184 <= hits <= 197  # 95 % of 200, give or take what 200 draws allow


@pytest.mark.parametrize("censored", [0.0, 0.5])
def test_intervals_cover_the_truth_in_93_to_97_of_100_funnels(censored):
    rng, rates, covered = np.random.default_rng(1), (0.7, 0.4, 0.55), np.zeros(3)
    for _ in range(200):
        table = drawn_funnel(rng, 600, rates, censored=censored).iloc[:3]
        assert abs(1 - table["judged"][0] / table["entered"][0] - censored) < 0.1
        covered += ((table["low"] <= np.array(rates)) & (np.array(rates) <= table["high"])).to_numpy()
    assert 0.93 <= covered.mean() / 200 <= 0.97
    assert (covered / 200 >= 0.91).all()  # a single step: 200 draws allow four points


def test_visits_of_one_customer_are_no_independent_witnesses():
    # chances differ between customers by a standard deviation of 0.25, ten visits each: a plain interval is too narrow
    rng, covered, plain = np.random.default_rng(2), 0, 0
    for _ in range(200):
        own = np.repeat(np.clip(rng.normal(0.5, 0.25, 60), 0, 1), 10)
        yes = rng.random(600) < own
        who = np.repeat(np.arange(60), 10)
        weight = weight_of_one(yes, who)
        truth = 0.5
        low, high = (float(x) for x in np.array(interval(yes.sum() * weight, 600 * weight)))
        covered += low <= truth <= high
        low, high = (float(x) for x in np.array(interval(yes.sum(), 600)))
        plain += low <= truth <= high
    assert 186 <= covered <= 198
    assert plain < 170


def test_who_is_alike_in_all_visits_counts_once():
    assert weight_of_one(np.array([True] * 10), np.repeat([1, 2], 5)) == 0.2
    assert weight_of_one(np.array([True, False]), None) == 1


@ENGINES
def test_groups_are_compared_within_the_channel_by_which_they_entered(engine):
    # In the app persona 1 never orders, in the web shop all do; persona 2 always orders. Within the app 0 against 1.
    rows = [(f"{p}{c}{i}", "2025-03-01", e, c) for p in (1, 2) for c in ("app", "web") for i in range(5)
            for e in ("visit", "order") if (p, c, e) != (1, "app", "order")]  # fmt: skip
    frame = happened(*[r[:3] for r in rows]).assign(channel=[r[3] for r in rows])
    who = frame[["customer_id"]].drop_duplicates().assign(persona=lambda t: t["customer_id"].str[0])
    table = journeys.compare_funnels(engine(frame), ["visit", "order"], who, within="channel")
    first = row(table, persona="1", channel="app", step="visit")
    assert (first["rate"], first["elsewhere"], first["lost_more"]) == (0, 1, 5)
    assert row(table, persona="1", channel="web", step="visit")["difference"] == 0
    worst = journeys.bottlenecks(table)
    assert worst.table[["persona", "channel", "step"]].values.tolist() == [["1", "app", "visit"]]
    assert worst.verdict.startswith(
        "Losing more than everybody else at the same step: 1 (app), between visit and order"
    )
    by_channel = journeys.compare_funnels(engine(frame), ["visit", "order"], "channel")
    assert row(by_channel, channel="app", step="visit")["rate"] == 0.5


def test_groups_may_be_the_quarters_in_which_the_funnel_was_entered():
    # the last night of March in Tehran belongs to the first quarter, whatever the day in UTC
    frame = happened(*[(f"a{i}", "2025-03-31 23:30", "visit") for i in range(5)],
                     *[(f"b{i}", "2025-04-01 00:30", "visit") for i in range(5)],
                     *[(f"b{i}", "2025-04-02", "order") for i in range(5)], tz="Asia/Tehran")  # fmt: skip
    table = journeys.compare_funnels(frame, ["visit", "order"], "quarter")
    assert row(table, quarter="2025Q1", step="visit")["rate"] == 0
    assert row(table, quarter="2025Q2", step="visit")["rate"] == 1


def test_a_group_that_waits_longer_at_a_step_is_found_and_how_much_longer():
    rng = np.random.default_rng(3)
    ids = [f"{g}{i}" for g in "xy" for i in range(60)]
    days = np.concatenate([rng.normal(8, 1, 60), rng.normal(3, 1, 60)])
    start = pd.Timestamp("2025-03-01")
    frame = pd.DataFrame({"customer_id": ids * 2, "event": ["order"] * 120 + ["delivery"] * 120,
                          "occurred_at": [start] * 120 + list(start + pd.to_timedelta(days, "D"))})  # fmt: skip
    who = pd.DataFrame({"customer_id": ids, "region": [i[0] for i in ids]})
    found = journeys.bottlenecks(journeys.compare_funnels(frame, ["order", "delivery"], who, "region"))
    slow = found.delays.iloc[0]
    assert found.delays["region"].tolist() == ["x"]
    assert slow["days_low"] < 5 < slow["days_high"]
    assert slow["days_high"] - slow["days_low"] < 1.5
    assert found.table.empty
    assert found.verdict.startswith("No group stands out")
    assert "Waiting longer than everybody else at the same step: x" in found.verdict_on_delays


def test_most_waiting_is_no_fault_of_a_step_by_itself():
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-02", "order"), ("a", "2025-03-10", "delivery"))
    found = journeys.bottlenecks(journeys.funnel(frame, ["visit", "order", "delivery"]))
    assert found.delays[["step", "days_waited"]].values.tolist() == [["order", 8], ["visit", 1]]
    assert "only a comparison with others" in found.verdict_on_delays


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"step_days": -1}, "step_days is -1.*longer than 0"),
        ({"optional": ["serch"]}, '"serch" is not among the steps'),
        ({"optional": ["visit"]}, "begins or ends"),
        ({"ordered": False, "step_days": 3}, "open funnel"),
        ({"per": "session"}, "session"),
        ({"steps": ["visit", {}]}, "name of an event, or a dict"),
    ],
)
def test_what_cannot_be_asked_of_a_funnel_is_refused_in_words(change, says):
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-02", "order"))
    with pytest.raises(Problem, match=says):
        journeys.funnel(frame, **({"steps": ["visit", "order"]} | change))


def test_a_session_needs_a_pause():
    with pytest.raises(Problem, match="more than 0"):
        journeys.sessions(happened(("a", "2025-03-01", "visit")), minutes=0)


def test_personas_are_compared_without_companies_and_without_those_who_never_bought():
    segments = pd.DataFrame({"customer_id": [*"abcd"], "segment": [1, 2, 3, 0],
                             "segment_name": ["Readers", "Parents", "Companies", "No completed purchase"]})  # fmt: skip
    personas = pd.DataFrame({"persona": [1, 2, 3], "company": [False, False, True]})
    assert journeys.members(segments, personas)["customer_id"].tolist() == ["a", "b"]
    assert journeys.members(segments)["customer_id"].tolist() == ["a", "b", "c"]
    assert journeys.members(None).empty
    assert journeys.members(segments[:1]).empty  # one persona has nobody to be compared with
    assert journeys.customers_by({}, "region").empty


def test_all_funnels_of_a_run_stand_under_each_other():
    frame = happened(
        *[(f"{c}{i}", "2025-03-01", "visit") for c in "ab" for i in range(5)], ("a0", "2025-03-02", "order")
    )
    frame["channel"] = frame["customer_id"].str[0]
    who = frame[["customer_id"]].drop_duplicates().assign(persona="Readers")
    steps = ["visit", "order"]
    parts = {
        "customer": journeys.funnel(frame, steps),
        "by": journeys.compare_funnels(frame, steps, who, within="channel"),
    }
    table = journeys.together(parts, {"Readers": 7})
    assert table["split"].unique().tolist() == ["", "channel: a", "channel: b"]
    assert table["persona"].isna().sum() == 2
    assert set(table["persona"].dropna()) == {7}
    assert journeys.together({}).empty


def test_the_summary_takes_the_share_of_those_who_had_the_time():
    # ten visitors a month ago, of whom four ordered within ten days; five yesterday, of whom one has: 4 of 10
    rows = [(f"a{i}", "2025-03-01", "visit") for i in range(10)] + [(f"a{i}", "2025-03-04", "order") for i in range(4)]
    rows += [(f"b{i}", "2025-03-30", "visit") for i in range(5)] + [("b0", "2025-03-31", "order")]
    funnel = journeys.funnel(happened(*rows), ["visit", "order"], window_days=10)
    plan = journeys.Plan("events", ["visit", "order"], "")
    said = journeys.findings(plan, funnel, journeys.bottlenecks(funnel))[0]
    assert said.startswith("Of 15 customers at visit, 5 reached order; of those who had the time, 40.0 %, interval")
    assert said.endswith("; 4 are on the way and may still go on.")


# Whatever is asked: every figure of a funnel written out in plain Python, case by case

DAY = 24  # hours, the unit below
SLOW_STEPS = ("v", "c", "o")


def funnel_by_hand(rows, ask, until):
    """By step: entered, converted, judged, lost, censored, mean days; rows of (case, hour, event)."""
    window, step_window, ordered, optional = ask
    optional = {"c"} if optional else set()
    needed = [s for s in SLOW_STEPS if s not in optional]
    figures = {s: [0, 0, 0, 0, 0, []] for s in SLOW_STEPS}
    for case in {c for c, _, _ in rows}:

        def first(event, since):
            return min((h for c, h, e in rows if c == case and e == event and h >= since), default=None)  # noqa: B023

        at, entry = {}, first("v", -1)
        if entry is None:
            continue
        before = entry
        for step in SLOW_STEPS:
            hour = first(step, before if ordered else entry)
            in_time = hour is not None and (window is None or hour - entry <= window)
            if ordered and in_time and step_window is not None:
                in_time = hour - before <= step_window
            if in_time:
                at[step] = hour
                before = hour if step not in optional else before
            elif ordered and step not in optional:
                break
        if optional and "o" in at and at.get("c", -1) > at["o"]:
            del at["c"]
        for i, step in enumerate(SLOW_STEPS[:-1]):
            if step not in at:
                continue
            following = next(s for s in SLOW_STEPS[i + 1 :] if s in needed)
            ends = [] if window is None else [entry + window]
            if step_window is not None:
                ends.append((entry if step in optional else at[step]) + step_window)
            judged, converted = not ends or min(ends) <= until, following in at
            for place, is_so in enumerate((True, converted, judged, judged and not converted,
                                           not judged and not converted)):  # fmt: skip
                figures[step][place] += is_so
            if judged and converted:
                figures[step][5].append(max(at[following] - at[step], 0) / DAY)
        figures["o"][0] += "o" in at
    return figures


ASKED = st.one_of(
    st.tuples(st.sampled_from([None, 30, 60]), st.sampled_from([None, 10, 40]), st.just(True), st.booleans()),
    st.tuples(st.sampled_from([None, 30, 60]), st.none(), st.just(False), st.just(False)),
)
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 95), st.sampled_from("vvcox")), min_size=4,
                max_size=30)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(ROWS, ASKED, st.sampled_from(["customer_id", "session_id"]), st.sampled_from([None, 1, 2, 3]), st.booleans())
def test_a_funnel_is_what_plain_python_counts_case_by_case(rows, ask, per, last_day, engine):
    window, step_window, ordered, optional = ask
    rows = [*rows, *(("z", 0, e) for e in SLOW_STEPS[1:]), ("z", 0, "v")]  # every name occurs
    start = pd.Timestamp("2025-03-01", tz="UTC")
    frame = pd.DataFrame({"occurred_at": [start + pd.Timedelta(hours=h) for _, h, _ in rows],
                          "event": [e for *_, e in rows]})  # fmt: skip
    frame["customer_id"] = ["one" if per == "session_id" else c for c, *_ in rows]
    frame["session_id"] = [c for c, *_ in rows]
    seen = rows if last_day is None else [r for r in rows if r[1] < last_day * DAY]
    until = max(h for _, h, _ in rows) if last_day is None else last_day * DAY - 1e-9
    found = journeys.funnel(
        in_duckdb(frame) if engine else frame, SLOW_STEPS, window and window / DAY,
        None if last_day is None else date(2025, 3, last_day), step_days=step_window and step_window / DAY,
        ordered=ordered, optional=["c"] if optional else [], per=per,
    ).set_index("step")  # fmt: skip
    by_hand = funnel_by_hand(seen, ask, until)
    for step in SLOW_STEPS[:-1]:
        counts = found.loc[step, ["entered", "converted", "judged", "lost", "censored"]].tolist()
        assert counts == by_hand[step][:5], step
        days = by_hand[step][5]
        assert found.loc[step, "mean_days"] == pytest.approx(np.mean(days) if days else np.nan, nan_ok=True)
    assert found.loc["o", "entered"] == by_hand["o"][0]


def test_a_day_that_has_not_begun_is_not_judged():
    # dates without times, ten days: an order on the 11th is in time, so on the 10th nobody has been lost yet
    frame = pd.DataFrame({"customer_id": [*"ab", "b"], "event": ["visit", "visit", "order"],
                          "occurred_at": pd.to_datetime(["2025-03-01", "2025-03-01", "2025-03-11"])})  # fmt: skip
    assert journeys.funnel(frame, ["visit", "order"], 10, date(2025, 3, 10))["censored"][0] == 2
    assert journeys.funnel(frame, ["visit", "order"], 10, date(2025, 3, 11))["lost"][0] == 1


def test_the_interval_of_sessions_is_that_of_a_cluster_sample():
    # held against statsmodels: the variance of a mean over clusters, and from it the size that the sessions are worth
    rng = np.random.default_rng(4)
    who = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    yes = rng.random(len(who)) < np.where(who % 2, 0.8, 0.3)
    fit = sm.OLS(yes.astype(float), np.ones(len(yes))).fit(cov_type="cluster", cov_kwds={"groups": who})
    share = yes.mean()
    assert weight_of_one(yes, who) == pytest.approx(share * (1 - share) / fit.bse[0] ** 2 / len(yes))


@ENGINES
def test_groups_with_many_sessions_are_compared_as_cluster_samples(engine):
    # each customer does the same in all ten sessions: 3 of 10 customers against 8 of 10, not 30 of 100 against 80
    rows = [(f"{c}{i}", s, e) for c, n in (("x", 3), ("y", 8)) for i in range(10) for s in range(10)
            for e in ("visit", "order")[: 1 + (i < n)]]  # fmt: skip
    frame = happened(*[(c, f"2025-03-{s + 1:02d}", e) for c, s, e in rows])
    frame = frame.assign(session_id=[f"{c} {s}" for c, s, _ in rows], channel=[c[0] for c, *_ in rows])
    table = journeys.compare_funnels(engine(frame), ["visit", "order"], "channel", per="session_id", within="month")
    first = row(table, channel="x", step="visit", month="2025-03")
    assert (first["rate"], first["elsewhere"]) == pytest.approx((0.3, 0.8))
    weight = 9 / 100  # variance of ten customers' shares is p (1 - p) / 9; of a hundred sessions' p (1 - p) / 100
    assert first["weight"] == pytest.approx(weight)
    expected = difference_of_shares(*(np.array([x]) for x in (30 * weight, 100 * weight, 80 * weight, 100 * weight)),
                                    confidence=0.975)  # fmt: skip
    assert first[["difference", "difference_low", "difference_high", "p"]].tolist() == pytest.approx(
        np.ravel(expected).tolist()
    )
    assert first["p_corrected"] == pytest.approx(2 * first["p"])


def test_long_numbers_as_ids_stay_apart():
    # as floats both would be 2**53
    frame = happened((2**53, "2025-03-01", "visit"), (2**53 + 1, "2025-03-01", "visit"),
                     (2**53 + 1, "2025-03-02", "cart"), (2**53, "2025-03-03", "order"))  # fmt: skip
    assert journeys.funnel(frame, ["visit", "cart", "order"])["entered"].tolist() == [2, 1, 0]


def test_names_may_be_categories_and_amounts_decimals():
    frame = happened(("a", "2025-03-01", "visit"), ("b", "2025-03-01", "visit"), ("b", "2025-03-02", "order"))
    plain = frame.assign(channel="app", value=[0.0, 0.0, 10.5])
    odd = plain.astype({"customer_id": "category", "event": "category", "channel": "category"})
    odd = odd.assign(value=[Decimal(0), None, Decimal("10.5")]).set_index("customer_id", drop=False)
    for table in (plain, odd):
        found = journeys.compare_funnels(table, ["visit", "order"], "channel", min_size=1)
        assert found["lost_value"][0] == 10.5


@ENGINES
def test_an_amount_that_is_no_number_counts_as_none_and_refunds_leave_nothing_at_stake(engine):
    frame = happened(("a", "2025-03-01", "visit"), ("b", "2025-03-01", "visit"), ("b", "2025-03-02", "order"))
    steps = ["visit", "order"]
    endless = journeys.funnel(engine(frame.assign(value=[1.0, 2.0, np.inf])), steps)
    assert endless["lost_value"][0] == 2  # what b brought at the visit
    assert journeys.funnel(engine(frame.assign(value=-5)), steps)["lost_value"].isna().all()
    assert journeys.funnel(engine(frame.assign(value=None)), steps)["lost_value"].isna().all()
    with pytest.raises(Problem, match="not amounts"):
        journeys.funnel(engine(frame.assign(value="5")), steps)


@pytest.mark.parametrize("days", [1e9, float("inf")])
def test_in_a_window_longer_than_all_time_nobody_is_judged_yet(days):
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-02", "order"), ("b", "2025-03-01", "visit"))
    for found in (journeys.funnel(frame, ["visit", "order"], days), journeys.funnel(frame, ["visit", "order"],
                                                                                    step_days=days)):  # fmt: skip
        assert found.loc[0, ["entered", "converted", "judged", "censored"]].tolist() == [2, 1, 0, 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"by": "judged"}, '"judged", a column with a meaning of its own'),
        ({"by": "channel", "within": "channel"}, "Leave within out"),
        ({"by": None}, "A table was expected.*NoneType"),
        ({"steps": None}, "at least two steps"),
        ({"window_days": "30"}, "a number of days"),
        ({"as_of": "2025-03-20"}, "no day to look back from"),
        ({"optional": "cart"}, "a list of steps"),
        ({"per": "event"}, "per names who takes the steps"),
        ({"events": [1]}, "A table was expected.*list"),
        ({"events": pd.DataFrame([[1, 2]], columns=["event", "event"])}, "same name"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(change, says):
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-02", "order")).assign(channel="app", judged="x")
    with pytest.raises(Problem, match=says):
        journeys.compare_funnels(**({"events": frame, "steps": ["visit", "order"], "by": "channel"} | change))


def test_groups_keep_their_numbers_where_some_customers_have_none():
    frame = happened(*[(c, "2025-03-01", e) for c in "abc" for e in ("visit", "order")])
    who = pd.DataFrame({"customer_id": [*"ab"], "persona": [1, 2]})
    found = journeys.compare_funnels(frame, ["visit", "order"], who, min_size=1)
    assert found["persona"].dtype == "int64"
    mixed = journeys.compare_funnels(frame, ["visit", "order"], who.assign(persona=["b", 1]), min_size=1)
    assert mixed["persona"].unique().tolist() == ["1", "b"]


def test_the_earlier_of_two_deadlines_decides_who_is_lost():
    # cart on day 8: the step may take until the 14th, the whole until the 11th; on the 12th it is over
    frame = happened(("a", "2025-03-01", "visit"), ("a", "2025-03-09", "cart"), ("z", "2025-03-12", "order"))
    step = journeys.funnel(frame, ["visit", "cart", "order"], 10, step_days=8).iloc[1]
    assert step[["entered", "lost", "censored"]].tolist() == [1, 1, 0]


def test_a_window_that_ends_with_the_data_was_seen_whole():
    frame = happened(("a", "2025-03-01", "visit"), ("z", "2025-03-11", "order"))
    assert journeys.funnel(frame, ["visit", "order"], 10).loc[0, ["lost", "censored"]].tolist() == [1, 0]


def test_differences_of_days_are_corrected_after_holm():
    # three groups, so three comparisons of days: the smallest p counts three times, the next twice
    rng, start = np.random.default_rng(5), pd.Timestamp("2025-03-01")
    ids = [f"{g}{i}" for g in "xyz" for i in range(20)]
    days = np.concatenate([rng.normal(4, 1, 20), rng.normal(4.5, 1, 20), rng.normal(5, 1, 20)])
    frame = pd.DataFrame({"customer_id": ids * 2, "event": ["order"] * 60 + ["delivery"] * 60,
                          "occurred_at": [start] * 60 + list(start + pd.to_timedelta(days, "D"))})  # fmt: skip
    who = pd.DataFrame({"customer_id": ids, "region": [i[0] for i in ids]})
    table = journeys.compare_funnels(frame, ["order", "delivery"], who, "region").dropna(subset=["days_p"])
    p = table["days_p"].sort_values()
    expected = np.maximum.accumulate(np.minimum(p.to_numpy() * [3, 2, 1], 1))
    assert table.loc[p.index, "days_p_corrected"].tolist() == pytest.approx(expected.tolist())
