"""Attribution: which touches led to which conversion, what each channel may claim, how sure that is."""

from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import evidence, journeys, plots
from analysis.errors import Problem
from analysis.journeys.attribution import _drawn_again


def events(*rows, zone="Asia/Tehran"):
    """Rows of customer, day (a number, or a time), event and channel."""
    table = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event", "channel"])
    days = pd.to_timedelta(table["occurred_at"].astype(float), "D")
    return table.assign(occurred_at=(pd.Timestamp("2025-01-01", tz="UTC") + days).dt.tz_convert(zone))


def ways(*rows):
    return pd.DataFrame(rows, columns=["path", "total_conversions", "total_null"])


def by(table, method, column="share"):
    """A column of one method, by channel."""
    return table[table["method"] == method].set_index("channel")[column].to_dict()


def counted(found):
    """The paths found: conversions and failures."""
    return {row.path: (row.total_conversions, row.total_null) for row in found.itertuples()}


#: Something that happens at the end, so that all windows before it are over.
LATE = ("late", 1000, "visit", None)


# Which touches led to which conversion


def test_a_touch_leads_to_the_next_conversion_within_the_window():
    # a: the touch of day 1 came 31 days before the order and led to nothing, that of day 2 came 30 days before it
    found = journeys.touch_paths(events(("a", 1, "click", "x"), ("a", 2, "click", "y"), ("a", 32, "order", None), LATE),
                                 "order")  # fmt: skip
    assert counted(found) == {"x": (0, 1), "y": (1, 0)}


def test_a_conversion_ends_a_path():
    rows = [("a", 1, "click", "x"), ("a", 2, "order", None), ("a", 3, "click", "y"), ("a", 4, "order", None), LATE]
    assert counted(journeys.touch_paths(events(*rows), "order")) == {"x": (1, 0), "y": (1, 0)}


def test_touches_that_led_to_nothing_are_one_path_until_a_pause_longer_than_the_window():
    rows = [("a", 1, "click", "x"), ("a", 31, "click", "y"), ("a", 62, "click", "z"), ("b", 1, "order", None), LATE]
    assert counted(journeys.touch_paths(events(*rows), "order")) == {"x > y": (0, 1), "z": (0, 1), "": (1, 0)}


def test_who_could_not_be_seen_for_the_whole_window_is_not_judged_whether_they_converted_or_not():
    # the data end on day 100: a began on day 70 and was seen for 30 days, b and c began on day 71
    rows = [("a", 70, "click", "x"), ("a", 90, "click", "y"), ("b", 71, "click", "x"), ("b", 72, "order", None)]
    rows += [("c", 71, "click", "x"), ("d", 60, "click", "z"), ("d", 80, "order", None), ("e", 100, "order", None)]
    assert counted(journeys.touch_paths(events(*rows), "order")) == {"x": (0, 1), "z": (1, 0)}


def test_a_conversion_without_touch_is_the_path_without_channel():
    found = journeys.touch_paths(events(("a", 1, "order", "web"), ("a", 3, "visit", None), LATE), "order")
    assert found.values.tolist() == [["", 1, 0.0, 0]]


def test_touches_of_one_moment_go_by_channel_count_once_and_come_before_the_conversion():
    rows = [("a", 5, "order", None), ("a", 5, "click", "y"), ("a", 5, "open", "x"), ("a", 5, "visit", "x"), LATE]
    assert counted(journeys.touch_paths(events(*rows), "order")) == {"x > y": (1, 0)}


def test_only_the_events_named_are_touches():
    rows = [("a", 1, "delivery", "courier"), ("a", 2, "click", "email"), ("a", 3, "order", None), LATE]
    found = journeys.touch_paths(events(*rows), "order", touches=["click"])
    assert counted(found) == {"email": (1, 0)}


def test_nothing_later_than_as_of_is_seen():
    # as of day 40 nobody has ordered, and the window of the touch is over
    rows = [("a", 1, "click", "x"), ("a", 50, "click", "x"), ("a", 60, "order", None), ("b", 2, "order", None)]
    found = journeys.touch_paths(events(*rows), "order", as_of=date(2025, 2, 10))
    assert counted(found) == {"x": (0, 1), "": (1, 0)}


def test_value_is_what_the_conversions_brought_and_an_event_recorded_twice_was_paid_once():
    rows = [("a", 1, "click", "x"), ("a", 2, "order", None), ("a", 2, "order", None), ("b", 1, "order", None), LATE]
    table = events(*rows).assign(value=[np.nan, 10.5, 10.5, 7.0, np.nan])
    found = journeys.touch_paths(table, "order").set_index("path")["total_conversion_value"]
    assert found.to_dict() == {"x": 10.5, "": 7.0}


def test_touches_can_go_by_session_and_are_drawn_by_customer():
    rows = [("a", 1, "click", "x"), ("a", 2, "order", None), LATE]
    table = events(*rows).assign(session_id=["1", "2", "3"])
    found = journeys.touch_paths(table, "order", per="session_id")
    assert counted(found) == {"x": (0, 1), "": (1, 0)}
    assert len(journeys.attribution(table.drop(columns="customer_id"), "order", per="session_id"))


def many(seed=0, customers=300):
    """Customers who are touched and order at random."""
    rng = np.random.default_rng(seed)
    n = customers * 12
    day = np.round(rng.uniform(0, 400, n), 1)
    event = rng.choice(["click", "visit", "order"], n, p=[0.4, 0.45, 0.15])
    rows = zip(rng.integers(0, customers, n).astype(str), day, event, rng.choice(list("uvwxyz"), n), strict=True)
    return events(*rows).assign(value=np.where(event == "order", np.round(rng.lognormal(3, 1, n), 2), np.nan))


def test_paths_by_hand_agree_with_those_of_the_engine():
    # an independent reading of the definition, customer by customer
    table, window = many(), pd.Timedelta(30, "D")
    cut, expected = table["occurred_at"].max() - window, {}
    for _, of in table.groupby("customer_id"):
        touches = of[of["event"] != "order"].drop_duplicates(["occurred_at", "channel"])
        touches = touches.sort_values(["occurred_at", "channel"])
        orders = sorted(of.loc[of["event"] == "order", "occurred_at"].unique())
        paths = []
        for at, channel in zip(touches["occurred_at"], touches["channel"], strict=True):
            next_one = next((order for order in orders if order >= at), None)
            key = next_one if next_one is not None and next_one - at <= window else None
            same = paths and paths[-1][0] == key and paths[-1][3] == next_one and at - paths[-1][2][-1] <= window
            if same:
                paths[-1][1].append(channel), paths[-1][2].append(at)
            else:
                paths.append((key, [channel], [at], next_one))
        for key, channels, times, _ in paths:
            if times[0] <= cut:
                kept = channels if key is not None else [c for c, t in zip(channels, times, strict=True) if t <= cut]
                found = expected.setdefault(" > ".join(kept), [0, 0])
                found[0 if key is not None else 1] += 1
        reached = {key for key, *_ in paths}
        bare = sum(order not in reached and order <= cut for order in orders)
        expected.setdefault("", [0, 0])[0] += bare
    assert counted(journeys.touch_paths(table, "order")) == {path: tuple(n) for path, n in expected.items()}


# What each channel may claim


def test_the_figures_of_the_public_paths(real_data):
    # published figures; beta's and the others' go with them, as the shares add up
    paths = real_data / "channel_attribution" / "path_data.parquet"
    if not paths.is_file():
        pytest.skip(f"no real data: {real_data} lacks channel_attribution")
    found = journeys.attribution(duckdb.sql(f"FROM '{paths}'"))
    alpha = {m: by(found, m, "conversions")["alpha"] for m in ("first", "last", "linear")}
    assert alpha == {"first": 6308, "last": 8447, "linear": pytest.approx(7574.72, abs=0.005)}
    markov = by(found, "markov", "conversions")
    expected = {"alpha": 5344.95, "eta": 3340.85, "delta": 4.61}
    assert {c: markov[c] for c in expected} == pytest.approx(expected, abs=0.005)
    assert found.groupby("method")["conversions"].sum().to_numpy() == pytest.approx(19785)


def test_the_chain_of_the_toy():
    found = journeys.attribution(ways(("C1>C2>C3", 1, 0), ("C1", 0, 1), ("C2>C3", 0, 1)))
    assert by(found, "markov", "removal_effect") == pytest.approx({"C1": 0.5, "C2": 1, "C3": 1})


def test_shares_by_place_by_hand():
    found = journeys.attribution(ways(("a > b > c > d", 1, 0), ("a > b", 1, 0), ("b", 1, 0)))
    assert by(found, "first", "conversions") == {"b": 1, "a": 2, "c": 0, "d": 0}
    assert by(found, "last", "conversions") == {"b": 2, "a": 0, "c": 0, "d": 1}
    assert by(found, "linear", "conversions") == pytest.approx({"a": 0.75, "b": 1.75, "c": 0.25, "d": 0.25})
    # 40 % to each end, 20 % between them; halves where there are two
    assert by(found, "position", "conversions") == pytest.approx({"a": 0.9, "b": 1.6, "c": 0.1, "d": 0.4})


def test_a_touch_that_is_a_half_life_older_counts_half():
    rows = [("a", 1, "click", "x"), ("a", 8, "click", "y"), ("a", 9, "order", None), LATE]
    found = journeys.attribution(events(*rows), "order")
    assert by(found, "time decay") == pytest.approx({"x": 1 / 3, "y": 2 / 3})
    found = journeys.attribution(events(*rows), "order", half_life_days=3.5)
    assert by(found, "time decay") == pytest.approx({"x": 1 / 5, "y": 4 / 5})


def test_however_short_the_half_life_the_last_touch_is_there():
    rows = [("a", 1, "click", "x"), ("a", 8, "click", "y"), ("a", 29, "order", None), LATE]
    assert by(journeys.attribution(events(*rows), "order", half_life_days=1e-3), "time decay") == {"y": 1, "x": 0}


@st.composite
def _paths(draw):
    steps = st.lists(st.sampled_from("abcdef"), min_size=0, max_size=6).map(" > ".join)
    row = st.tuples(steps, st.integers(0, 4), st.integers(0, 4))
    return ways(*draw(st.lists(row, min_size=1, max_size=12)))


def _solved_without(paths, channel):
    """P(conversion) of the chain, whoever comes to a channel being lost: by a system of its own."""
    n, states = {}, sorted({s for p in paths["path"] for s in p.split(" > ") if s})
    for path, came, lost in paths.itertuples(index=False):
        way = ["(start)", *(s for s in path.split(" > ") if s)]
        for here, there in pairwise(way):
            n[here, there] = n.get((here, there), 0) + came + lost
        if len(way) > 1:
            n[way[-1], "(end)"] = n.get((way[-1], "(end)"), 0) + came + lost
            n[way[-1], "(came)"] = n.get((way[-1], "(came)"), 0) + came
    rows = ["(start)", *states]
    chain, right = np.eye(len(rows)), np.zeros(len(rows))
    for i, here in enumerate(rows):
        left = sum(n.get((here, there), 0) for there in [*states, "(end)"]) or 1
        right[i] = n.get((here, "(came)"), 0) / left
        for j, there in enumerate(rows):
            chain[i, j] -= n.get((here, there), 0) / left if there != channel else 0
    return np.linalg.solve(chain, right)[0]


@settings(max_examples=30, deadline=None)
@given(_paths())
def test_one_inverse_gives_what_solving_the_chain_without_each_channel_gives(paths):
    found = journeys.attribution(paths, methods=["markov"])
    whole = _solved_without(paths, None)
    for channel, effect in by(found, "markov", "removal_effect").items():
        if channel != journeys.NO_TOUCH and whole > 0:
            assert effect == pytest.approx(1 - _solved_without(paths, channel) / whole, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(_paths())
def test_all_methods_share_out_all_conversions_and_intervals_hold_the_share(paths):
    found = journeys.attribution(paths)
    total = paths["total_conversions"].sum()
    if total == 0:
        assert found["share"].isna().all()
        return
    assert found.groupby("method")["conversions"].sum().to_numpy() == pytest.approx(total)
    assert found.groupby("method")["share"].sum().to_numpy() == pytest.approx(1)
    assert found[["low", "high"]].stack().between(-1e-9, 1 + 1e-9).all()


def test_a_channel_that_follows_itself_changes_nothing_for_the_chain():
    once = journeys.attribution(ways(("a > b", 3, 1), ("b > a", 1, 4)), methods=["markov"])
    often = journeys.attribution(ways(("a > a > a > b", 3, 1), ("b > b > a", 1, 4)), methods=["markov"])
    pd.testing.assert_series_equal(once["removal_effect"], often["removal_effect"])


def test_value_by_the_chain_follows_the_value_of_what_a_channel_leads_to():
    # sales brings one conversion of 900, web nine of 100 in all; no path has both
    paths = ways(("sales", 1, 0), ("web", 9, 0)).assign(total_conversion_value=[900.0, 100.0])
    found = journeys.attribution(paths)
    for method in ("first", "last", "linear", "position", "markov"):
        assert by(found, method, "value") == pytest.approx({"sales": 900, "web": 100})
        assert by(found, method, "conversions") == pytest.approx({"sales": 1, "web": 9})


def test_events_and_their_counted_paths_give_the_same_shares():
    table = many()
    of_events = journeys.attribution(table, "order", methods=["first", "last", "linear", "position", "markov"])
    of_paths = journeys.attribution(journeys.touch_paths(table, "order"))
    same = ["channel", "method", "conversions", "share", "value", "removal_effect", "last_touch", "difference"]
    pd.testing.assert_frame_equal(of_events[same], of_paths[same], atol=1e-6)


# Same input, same output


def test_neither_row_order_nor_repeats_nor_the_engine_change_a_byte():
    table = many()
    mixed = pd.concat([table, table.sample(50, random_state=1)]).sample(frac=1, random_state=2)
    found = journeys.attribution(table, "order")
    pd.testing.assert_frame_equal(journeys.attribution(mixed, "order"), found, check_exact=True)
    relation = duckdb.sql("SELECT * FROM mixed")
    pd.testing.assert_frame_equal(journeys.attribution(relation, "order"), found, check_exact=True)
    assert journeys.touch_paths(relation, "order").equals(journeys.touch_paths(table, "order"))


def test_a_path_counted_in_two_rows_is_one_whatever_their_order():
    whole = ways(("a > b", 5, 2), ("b", 1, 9)).assign(total_conversion_value=[0.3, 0.1])
    parts = ways(("b", 1, 0), (" a>b ", 2, 2), ("a > b", 3, 0), ("b", 0, 9))
    parts["total_conversion_value"] = [0.1, 0.1, 0.2, 0.0]
    numbers = ["conversions", "share", "value", "difference"]
    pd.testing.assert_frame_equal(journeys.attribution(whole)[numbers], journeys.attribution(parts)[numbers])
    found = journeys.attribution(parts)
    pd.testing.assert_frame_equal(journeys.attribution(parts[::-1]), found, check_exact=True)


# How sure it is


def test_paths_of_one_customer_are_no_independent_witnesses():
    # 40 customers order 25 times each, always by their own channel: the share .5 has a deviation of sqrt(.25 / 40),
    # were the 1,000 orders independent, of sqrt(.25 / 1000)
    rows = [
        (str(c), 10.0 * i + day, event, "xy"[c % 2])
        for c in range(40)
        for i in range(25)
        for day, event in ((0, "click"), (1, "order"))
    ]
    table = events(*rows, LATE)
    drawn = journeys.attribution(table, "order", window_days=5).query("method == 'markov'").iloc[0]
    counted = journeys.attribution(journeys.touch_paths(table, "order", window_days=5)).iloc[0]
    assert drawn["high"] - drawn["low"] == pytest.approx(4 * np.sqrt(0.25 / 40), rel=0.25)
    assert counted["high"] - counted["low"] == pytest.approx(4 * np.sqrt(0.25 / 1000), rel=0.25)


def test_intervals_cover_the_truth_of_a_known_chain():
    # paths begin at a or b, go on to the other with chance .3 and convert with .2: by symmetry each has half
    rng, hits = np.random.default_rng(4), {"last": 0, "markov": 0}
    for world in range(80):
        path = np.where(rng.random(400) < 0.5, "a", "b").astype(object)
        on = rng.random(400) < 0.3
        path[on] = path[on] + " > " + np.where(path[on] == "a", "b", "a")
        came = rng.random(400) < 0.2
        found = journeys.attribution(ways(*zip(path, came, ~came, strict=True)), seed=world, methods=["last", "markov"])
        for method in hits:
            row = found[(found["method"] == method) & (found["channel"] == "a")].iloc[0]
            hits[method] += row["low"] <= 0.5 <= row["high"]
    # of 80 worlds 76 are expected; fewer than 69 come by chance once in a thousand times
    assert min(hits.values()) >= 69


def test_where_no_draw_differs_the_interval_is_wilsons():
    found = journeys.attribution(ways(("a", 3, 0), ("b", 0, 5)), methods=["last"]).set_index("channel")
    assert found.loc["a", ["low", "high"]].tolist() == pytest.approx(evidence.share_interval(3, 3))
    assert found.loc["b", ["low", "high"]].tolist() == pytest.approx(evidence.share_interval(0, 3))


def test_counts_are_drawn_again_with_their_mean_as_variance():
    counts = np.array([0.0, 1, 3, 15, 0.5, 40])
    drawn = _drawn_again(np.random.default_rng(0), np.tile(counts, 2000), 10).reshape(-1, 6)
    assert drawn.mean(axis=0) == pytest.approx(counts, abs=0.2, rel=0.02)
    assert drawn.var(axis=0) == pytest.approx(counts, rel=0.05)


def test_a_difference_to_last_touch_is_one_only_beyond_chance():
    few = journeys.attribution(ways(("a > b", 2, 1), ("b", 1, 2)), methods=["last", "first"])
    many = journeys.attribution(ways(("a > b", 2000, 1000), ("b", 1000, 2000)), methods=["last", "first"])
    assert not few["differs"].any()
    assert by(many, "first", "differs") == {"a": True, "b": True}
    assert not many.loc[many["method"] == "last", "differs"].any()
    # the paired difference is as certain as the share of paths that begin with a: 2/3, of 3,000
    row = many[(many["method"] == "first") & (many["channel"] == "a")].iloc[0]
    assert row["difference"] == pytest.approx(2 / 3)
    # two comparisons: 2.24 deviations either way
    assert row["difference_high"] - row["difference"] == pytest.approx(2.24 * np.sqrt(2 / 9 / 3000), rel=0.15)


def test_draws_in_which_nobody_converted_do_not_hide_a_difference():
    # of 4 conversions all begin at a and end at b; two draws in a hundred have none
    found = journeys.attribution(ways(("a > b", 3, 400), ("a > c > b", 1, 400)), methods=["linear"])
    assert found["difference_low"].notna().any()


def test_the_more_comparisons_the_wider_their_intervals():
    # two channels by one method and by four: quantiles of Student's t at .025 / 2 and .025 / 8 are 2.24 and 2.73
    paths = ways(("a > b", 2000, 1000), ("b", 1000, 2000))
    halves = [
        found["difference_high"] - found["difference"]
        for found in (
            journeys.attribution(paths, methods=methods).set_index(["channel", "method"]).loc[("a", "first")]
            for methods in (["first"], None)
        )
    ]
    assert halves[1] / halves[0] == pytest.approx(2.734 / 2.241, rel=1e-3)


# What comes in


def test_one_path_and_none_and_no_conversion_at_all():
    one = journeys.attribution(ways(("a", 1, 0)))
    assert set(one["share"]) == {1}
    assert not one["differs"].any()
    none = journeys.attribution(ways(("a", 0, 3), ("b", 0, 1)))
    assert (none["conversions"] == 0).all()
    assert none["share"].isna().all()
    assert journeys.attribution(ways()).empty
    for table, words in ((none, "no conversion"), (journeys.attribution(ways()), "no conversion")):
        assert words in journeys.attribution_findings(table)[0]


def test_the_table_given_is_left_as_it_was():
    paths = ways(("a", 1, 0))
    journeys.attribution(paths)
    assert list(paths) == ["path", "total_conversions", "total_null"]


def test_a_channel_on_no_path_that_converts_has_nothing():
    found = journeys.attribution(ways(("a > b", 4, 1), ("c", 0, 6)))
    c = found[found["channel"] == "c"]
    assert (c["conversions"] == 0).all()
    assert (c["high"] > 0).all()
    assert by(found, "markov", "removal_effect")["c"] == 0


def test_conversions_without_touch_are_claimed_by_nobody_and_keep_their_share():
    found = journeys.attribution(ways(("a", 6, 0), ("", 4, 0)))
    for method in ("first", "last", "linear", "position", "markov"):
        assert by(found, method) == pytest.approx({"a": 0.6, journeys.NO_TOUCH: 0.4})
    assert found["channel"].iloc[-1] == journeys.NO_TOUCH


def test_when_no_event_was_a_touch_all_is_claimed_by_nobody():
    found = journeys.attribution(events(("a", 1, "order", "web"), LATE), "order")
    assert set(found["channel"]) == {journeys.NO_TOUCH}
    assert "nothing to share out" in journeys.attribution_findings(found, "order")[0]


def test_ten_thousand_channels_are_shared_out_by_the_simple_methods():
    names = [f"c{i:04}" for i in range(10_000)]
    paths = ways(*[(f"{a} > {b}", 1, 1) for a, b in pairwise(names)])
    found = journeys.attribution(paths)
    assert set(found["method"]) == {"first", "last", "linear", "position"}
    assert found.groupby("method")["conversions"].sum().to_numpy() == pytest.approx(9999)
    with pytest.raises(Problem, match="at most 1,000 channels"):
        journeys.attribution(paths, methods=["markov"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: journeys.attribution(many(customers=3)), "Say which event is the conversion"),
        (lambda: journeys.attribution(many(customers=3), "ordr"), 'No event is called "ordr". Did you mean "order"'),
        (lambda: journeys.attribution(many(customers=3), "order", touches=["clik"]), 'Did you mean "click"'),
        (lambda: journeys.attribution(many(customers=3), "order", channel="chanel"), 'Did you mean "channel"'),
        (lambda: journeys.attribution(many(customers=3), "order", methods=["marcov"]), 'Did you mean "markov"'),
        (lambda: journeys.attribution(many(customers=3), "order", window_days=0), "window_days must be above 0"),
        (lambda: journeys.attribution(many(customers=3), "order", window_days=np.inf), "window_days must be above 0"),
        (lambda: journeys.attribution(many(customers=3), "order", half_life_days=0), "half_life_days must be above 0"),
        (lambda: journeys.attribution(many(customers=3)[:0], "order"), "no events at all"),
        (lambda: journeys.attribution(ways(("a", 1, -1))), "total_null of the path"),
        (lambda: journeys.attribution(ways(("a", "many", 0))), "'many'"),
        (lambda: journeys.attribution(ways(("a", 1, 0)).drop(columns="total_conversions")), "total_conversions"),
        (lambda: journeys.attribution(ways(("a", 1, 0)), methods=["time decay"]), "needs the times"),
        (lambda: journeys.attribution(ways(("a > (no touch)", 1, 0))), "Rename it"),
    ],
)
def test_a_mistake_is_told(call, words):
    with pytest.raises(Problem, match=words):
        call()


def test_looking_from_before_the_first_event_gives_an_empty_table():
    found = journeys.attribution(many(customers=5), "order", as_of=date(2020, 1, 1))
    assert found.empty
    assert journeys.touch_paths(many(customers=5), "order", as_of=date(2020, 1, 1)).empty


# In words


def test_the_findings_name_the_model_the_baseline_where_they_differ_and_the_limits():
    found = journeys.attribution(ways(("email > web", 600, 100), ("web", 300, 900), ("", 100, 0)))
    first, untouched, apart, limits = journeys.attribution_findings(found, "order")
    assert first.startswith("Of 1,000 orders, by last touch 90 % came by web (interval ")
    assert "; by Markov " in first
    assert untouched == "10.0 % had no touch in the days before them: these no channel may claim."
    # what email gains web loses; web, the larger, is named
    share = by(found, "markov")["web"]
    assert f"most for web: {evidence.percent(share)} instead of 90 % (−{100 * (0.9 - share):.1f} points" in apart
    assert "None of these figures is an effect" in limits


def test_the_findings_say_when_the_ways_of_counting_agree():
    found = journeys.attribution(ways(("a", 50, 10), ("b", 30, 10)))
    assert "the same as far as chance lets one see" in journeys.attribution_findings(found)[1]
    assert "last touch says the same" in plots.attribution(found).get_title().replace("\n", " ")


def test_a_channel_in_brackets_is_a_channel_and_only_no_touch_is_none():
    found = journeys.attribution(ways(("(direct)", 60, 10), ("a", 30, 10), ("", 90, 0)))
    assert "(direct) leads with 33 % of conversions" in plots.attribution(found).get_title().replace("\n", " ")


def test_many_channels_are_drawn_as_the_first_thirty_with_no_touch_and_the_rest_is_told():
    rows = [(f"channel {i:02}", 40 - i, 5) for i in range(40)]
    axes = plots.attribution(journeys.attribution(ways(*rows, ("", 5, 0)), methods=["last"]))
    drawn = [label.get_text() for label in axes.get_yticklabels()]
    assert drawn == [*[f"channel {i:02}" for i in range(29)], "(no touch)"]
    # 11 channels of 11, 10, … 1 conversions: 66 of 825
    assert "11 channels more have 8.0 % by last touch" in axes.figure.get_supxlabel().replace("\n", " ")
