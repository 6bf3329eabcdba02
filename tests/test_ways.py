"""The ways of customers: figures worked out by hand on a few rows, then against the real event logs."""

import itertools

import duckdb
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from analysis import evidence, journeys, plots
from analysis.errors import Problem
from analysis.journeys.clusters import effective_size, share_of_customers
from analysis.journeys.waiting import median_days


def happened(*rows, tz="UTC"):
    """Events from rows (customer, "day" or "day time", event)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], format="mixed").astype("datetime64[us]")
    frame["occurred_at"] = frame["occurred_at"].dt.tz_localize(tz)
    return frame


def walked(**walks):
    """Events from walks: a="vco" did v, c and o, an hour apart."""
    start = pd.Timestamp("2025-03-01", tz="UTC")
    rows = [(who, start + pd.Timedelta(hours=i), e) for who, walk in walks.items() for i, e in enumerate(walk)]
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event"])


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


EVENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 6), st.sampled_from(["v", "c", "o", "x"])), min_size=1, max_size=30
)
engines = pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb], ids=["pandas", "duckdb"])


def _frame(rows):
    return happened(*[(c, f"2025-03-01 {hour:02d}:00", e) for c, hour, e in rows])


def _all_tables(events, steps):
    yield journeys.transitions(events)
    yield journeys.transitions(events, order=["o", "v"])
    yield journeys.paths(events, max_length=3, goal=steps[-1])
    yield journeys.stage_times(events, steps)
    yield journeys.loops(events, steps)
    yield journeys.jumps(events, steps, goal=steps[1])
    yield from journeys.divergence(events, steps)[:3]


# Whatever the rows


@settings(deadline=None, max_examples=6)
@given(EVENTS, st.randoms(use_true_random=False))
def test_neither_row_order_nor_repeated_rows_nor_the_engine_change_anything(rows, random):
    rows = [*rows, ("a", 3, "v"), ("b", 3, "c")]
    steps = [s for s in "vcox" if any(e == s for _, _, e in rows)]
    shuffled = [*rows, *random.choices(rows, k=5)]
    random.shuffle(shuffled)
    for here, there in zip(
        _all_tables(_frame(rows), steps), _all_tables(in_duckdb(_frame(shuffled)), steps), strict=True
    ):
        pd.testing.assert_frame_equal(here, there)


@settings(deadline=None, max_examples=15)
@given(EVENTS)
def test_transitions_and_paths_are_those_written_out_by_hand(rows):
    counts, ways = {}, {}
    for customer in {c for c, _, _ in rows}:
        names = [e for _, e in sorted({(hour, e) for c, hour, e in rows if c == customer})]
        for pair in zip([journeys.START, *names], [*names, journeys.END], strict=True):
            counts[pair] = counts.get(pair, 0) + 1
        folded = [e for i, e in enumerate(names) if i == 0 or names[i - 1] != e]
        way = " → ".join(folded[:3] + ["…"] * (len(folded) > 3))
        ways[way] = ways.get(way, 0) + 1
    found = journeys.transitions(_frame(rows))
    assert {(t.source, t.target): t.n for t in found.itertuples()} == counts
    found = journeys.paths(_frame(rows), max_length=3)
    assert dict(zip(found["path"], found["customers"], strict=True)) == ways
    assert found["share"].sum() == pytest.approx(1)


def _walks_by_hand(rows, steps):
    """Each customer's steps in order, those of the same hour in the order of the steps, repeats as one."""
    walks = {}
    for customer in {c for c, _, e in rows if e in steps}:
        names = [
            e for _, _, e in sorted({(hour, steps.index(e), e) for c, hour, e in rows if c == customer and e in steps})
        ]
        walks[customer] = [name for name, _ in itertools.groupby(names)]
    return walks


@settings(deadline=None, max_examples=15)
@given(EVENTS)
def test_returns_circles_and_jumps_are_those_counted_by_hand(rows):
    rows, steps = [*rows, ("a", 0, "v"), ("a", 1, "c"), ("a", 2, "o")], ["v", "c", "o"]
    walks = _walks_by_hand(rows, steps).values()
    loops, jumps = journeys.loops(_frame(rows), steps), journeys.jumps(_frame(rows), steps)
    for here, there in itertools.permutations(steps, 2):
        went = sum((here, there) in itertools.pairwise(walk) for walk in walks)
        left = sum(here in walk[:-1] for walk in walks)
        if steps.index(there) < steps.index(here) and went:
            found = row(loops, kind="return", way=f"{here} → {there}")
            assert (found["n"], found["of"]) == (went, left)
        if (here, there) == ("v", "o") and went:
            found = row(jumps, source=here, target=there)
            assert (found["n"], found["of"], found["skipped"]) == (went, left, "c")
        circled = sum((here, there, here) in zip(walk, walk[1:], walk[2:], strict=False) for walk in walks)
        if circled:
            onwards = sum((here, there) in itertools.pairwise(walk[:-1]) for walk in walks)
            found = row(loops, kind="circle", way=f"{here} → {there} → {here}")
            assert (found["n"], found["of"]) == (circled, onwards)
    assert len(jumps) == any(("v", "o") in itertools.pairwise(walk) for walk in walks)


@settings(deadline=None, max_examples=15)
@given(EVENTS)
def test_fitness_is_the_common_part_of_walk_and_plan(rows):
    rows, steps = [*rows, ("a", 0, "v"), ("a", 1, "c"), ("a", 2, "o")], ["v", "c", "o"]
    walks = _walks_by_hand(rows, steps).values()
    # of three letters each once, the longest common subsequence is the best of their increasing runs: tried out
    plans = [c for k in range(4) for c in itertools.combinations(steps, k)]
    fitness = [2 * max(len(p) for p in plans if _within(p, walk)) / (len(walk) + 3) for walk in walks]
    assert journeys.divergence(_frame(rows), steps).fitness["fitness"].item() == pytest.approx(np.mean(fitness))


def _within(part, walk):
    rest = iter(walk)
    return all(step in rest for step in part)


# Transitions and paths

SOME = happened(("a", "2025-03-01", "visit"), ("b", "2025-03-01", "cart"))


def test_transitions_begin_at_the_start_and_finish_at_the_end():
    frame = happened(
        ("a", "2025-03-01", "v"), ("a", "2025-03-02", "v"), ("a", "2025-03-03", "o"), ("b", "2025-03-01", "v")
    )
    table = journeys.transitions(frame)
    found = {(t.source, t.target): (t.n, round(t.share, 3)) for t in table.itertuples()}
    assert found == {
        ("(start)", "v"): (2, 1.0),
        ("v", "v"): (1, 0.333),
        ("v", "o"): (1, 0.333),
        ("v", "(end)"): (1, 0.333),
        ("o", "(end)"): (1, 1.0),
    }


def test_events_of_the_same_moment_follow_the_order_given_or_their_names():
    frame = happened(("a", "2025-03-01", "order"), ("a", "2025-03-01", "visit"), ("a", "2025-03-01", "cart"))
    assert journeys.paths(frame)["path"].tolist() == ["cart → order → visit"]
    assert journeys.paths(frame, order=["visit"])["path"].tolist() == ["visit → cart → order"]
    table = journeys.transitions(frame, order=["visit", "order"])
    assert row(table, source="(start)")["target"] == "visit"
    assert row(table, source="order")["target"] == "cart"


@pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb])
def test_paths_fold_repeats_are_cut_and_tell_who_reached_the_goal(engine):
    frame = happened(
        *[("a", f"2025-03-{day:02d}", e) for day, e in enumerate(["v", "v", "c", "v", "o"], start=1)],
        *[("b", f"2025-03-{day:02d}", e) for day, e in enumerate(["v", "c", "v"], start=1)],
        *[("c", f"2025-03-{day:02d}", e) for day, e in enumerate(["v", "c", "v", "x"], start=1)],
        ("d", "2025-03-01", "o"),
    )
    table = journeys.paths(engine(frame), max_length=3, goal="o")
    assert table["path"].tolist() == ["v → c → v → …", "o", "v → c → v"]
    assert table["customers"].tolist() == [2, 1, 1]
    assert table["share"].tolist() == [0.5, 0.25, 0.25]
    assert table["goal_share"].tolist() == [0.5, 1, 0]  # a's order lies beyond the cut, and counts
    assert (table["low"][0], table["high"][0]) == pytest.approx(proportion_confint(2, 4, method="wilson"))
    assert journeys.paths(engine(frame), max_length=3, top=1)["share"].tolist() == [0.5]  # of all, not of those shown
    with pytest.raises(Problem, match='"oo"'):
        journeys.paths(engine(frame), goal="oo")


def test_ten_thousand_names_of_events_are_no_trouble():
    rows = duckdb.sql(
        "SELECT (i // 10)::VARCHAR AS customer_id, TIMESTAMP '2025-03-01' + to_seconds(i) AS occurred_at, "
        "'event ' || (i % 10_000) AS event FROM range(50_000) t(i)"
    )
    table = journeys.transitions(rows)
    # ten events each: customer k goes through event 10 k, 10 k + 1, …; a thousand different ways, five customers each
    assert len(table) == 1000 + 9000 + 1000
    assert table["n"].eq(5).all()
    assert journeys.paths(rows, top=3)["customers"].tolist() == [5, 5, 5]


def test_no_events_give_empty_tables():
    assert journeys.transitions(SOME.head(0)).empty
    assert journeys.paths(SOME.head(0)).empty
    assert journeys.transitions(in_duckdb(SOME.head(0))).empty
    assert journeys.paths(in_duckdb(SOME.head(0))).empty


# Intervals that respect customers


def test_ten_moves_of_one_customer_tell_less_than_one_each_of_ten():
    one_each = effective_size(5.0, 10.0, 5.0, 5.0, 10.0)
    assert one_each == 10  # one move per customer: Wilson's own interval
    # two customers with five moves each, all the same way: far less than ten
    assert effective_size(5.0, 10.0, 25.0, 25.0, 50.0) < 0.1
    assert effective_size(10.0, 10.0, 100.0, 100.0, 100.0) == 0  # of one customer nothing follows for others


def test_the_interval_of_a_share_holds_its_promise_where_customers_have_habits():
    # 80 customers with 1 to 20 moves each and a habit of their own, beta(2, 3): the share is 0.4
    rng = np.random.default_rng(3)
    covers, naive = 0, 0
    for _ in range(500):
        n = rng.integers(1, 21, 80)
        k = rng.binomial(n, rng.beta(2, 3, 80))
        share, size = share_of_customers(k, n)
        low, high = evidence.share_interval(share * size, size)
        covers += low <= 0.4 <= high
        low, high = evidence.share_interval(k.sum(), n.sum())
        naive += low <= 0.4 <= high
    assert 0.93 <= covers / 500 <= 0.97
    assert naive / 500 < 0.8


def test_groups_of_customers_in_the_engine_tell_what_customers_tell():
    rng = np.random.default_rng(1)
    walks = {f"customer {i}": "".join(rng.choice(["v", "c"], 12, p=[p, 1 - p])) for i, p in enumerate(rng.random(3000))}
    exact, grouped = journeys.transitions(walked(**walks)), journeys.transitions(in_duckdb(walked(**walks)))
    counts = ["source", "target", "n", "share"]
    pd.testing.assert_frame_equal(exact[counts], grouped[counts])
    width = (grouped["high"] - grouped["low"]) / (exact["high"] - exact["low"])
    assert width.between(0.9, 1.1).all()
    naive = [np.subtract(*proportion_confint(t.n, t.n / t.share, method="wilson")[::-1]) for t in exact.itertuples()]
    inner = ~exact["source"].eq("(start)") & ~exact["target"].eq("(end)")
    assert ((exact["high"] - exact["low"]) / naive)[inner].min() > 1.3


def test_sessions_of_one_customer_do_not_count_as_customers():
    frame = walked(**{f"s{i}": "vo" if i < 30 else "v" for i in range(60)})
    alone = frame.assign(session_id=frame["customer_id"])
    six = alone.assign(
        customer_id=frame["customer_id"].str[1:].astype(int).floordiv(10).astype(str)
    )  # ten sessions each
    for table in (journeys.paths, journeys.transitions):
        wide, narrow = table(six, per="session_id"), table(alone, per="session_id")
        assert wide["share"].tolist() == narrow["share"].tolist()
        halves = wide["share"] == 0.5
        assert halves.any()
        assert ((wide["high"] - wide["low"]) > 2 * (narrow["high"] - narrow["low"]))[halves].all()
    assert journeys.paths(six)["customers"].sum() == 6


# Times at a stage


def test_the_time_at_a_stage_ends_with_the_next_other_stage():
    # a stays two days at v (the second v and the x change nothing), b four; at c a stays one day, b is still there
    rows = [("a", 1, "v"), ("a", 2, "v"), ("a", 2, "x"), ("a", 3, "c"), ("a", 4, "v"), ("b", 1, "v"), ("b", 5, "c")]
    rows += [("z", 9, "x")]  # the data end four days later
    table = journeys.stage_times(happened(*[(who, f"2025-03-{day:02d}", e) for who, day, e in rows]), ["v", "c"])
    assert table[["entered", "left", "still_there"]].to_numpy().tolist() == [[2, 2, 0], [2, 1, 1]]
    assert table["median_days"].tolist() == [2, 1]
    assert table["p90_days"][0] == 4
    assert np.isnan(table["p90_days"][1])  # one of two was still there


@engines
def test_an_hour_over_midnight_is_an_hour_at_any_place(engine):
    night = happened(("a", "2025-03-20 23:30", "v"), ("a", "2025-03-21 00:30", "c"), tz="Asia/Tehran")
    assert journeys.stage_times(engine(night), ["v", "c"])["median_days"][0] == pytest.approx(1 / 24)
    spring = happened(("a", "2025-03-30 01:30", "v"), ("a", "2025-03-30 03:30", "c"), tz="Europe/Berlin")
    assert journeys.stage_times(engine(spring), ["v", "c"])["median_days"][0] == pytest.approx(1 / 24)
    backwards = happened(("a", "2025-03-20 00:30", "c"), ("a", "2025-03-20 23:30", "v"), tz="Asia/Tehran")
    assert journeys.paths(engine(backwards))["path"].item() == "c → v"


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=40))
def test_the_interval_of_a_median_is_that_of_brookmeyer_and_crowley(waits):
    days, ended = np.array([w for w, _ in waits]), np.array([e for _, e in waits])
    with np.errstate(all="ignore"):
        expected = SurvfuncRight(days, ended.astype(int)).quantile_ci(0.5, method="cloglog")
    found = tuple(x if np.isfinite(x) else np.nan for x in median_days(days, ended)[1:])
    for here, there in zip(found, expected, strict=True):
        # statsmodels has no bounds where all of a moment leave at once; half may not still wait there
        assert here == there or np.isnan(there) or np.isinf(there)


# Detours and what becomes of them


def test_what_becomes_of_those_who_go_back_is_beside_what_becomes_of_the_others():
    # from c, 10 go back to v and 2 of them come to o; 20 go on to o and 5 end at p instead
    walks = {f"back {i}": "vcvco" if i < 2 else "vcv" for i in range(10)}
    walks |= {f"on {i}": "vco" for i in range(20)} | {f"off {i}": "vcp" for i in range(5)}
    table = journeys.loops(walked(**walks), ["v", "c", "p", "o"])
    back = row(table, way="c → v")
    assert (back["n"], back["of"], back["share"]) == (10, 35, 10 / 35)
    assert (back["low"], back["high"]) == pytest.approx(proportion_confint(10, 35, method="wilson"))
    assert (back["goal_share"], back["elsewhere"]) == pytest.approx((0.2, 0.8))
    family = int(table["p"].notna().sum())
    expected = evidence.difference_of_shares(2, 10, 20, 25, confidence=1 - 0.05 / family)
    found = back[["difference", "difference_low", "difference_high", "p"]].astype(float)
    assert found.tolist() == pytest.approx(expected)
    assert back["differs"]


def test_a_detour_too_rare_or_at_the_goal_has_no_outcome_but_is_told():
    table = journeys.loops(walked(a="vcv", b="vco", c="vovo"), ["v", "c", "o"])
    assert set(table["way"]) == {"c → v", "v → c → v", "o → v", "v → o → v", "o → v → o"}
    assert table["difference"].isna().all()
    assert not table["differs"].any()


def test_a_jump_says_what_was_skipped_and_whether_it_led_to_the_goal():
    walks = {f"jump {i}": "vpo" if i < 6 else "vp" for i in range(12)} | {f"walk {i}": "vcpo" for i in range(12)}
    jump = journeys.jumps(walked(**walks), ["v", "c", "p", "o"]).iloc[0]
    assert (jump["source"], jump["target"], jump["skipped"]) == ("v", "p", "c")
    assert (jump["n"], jump["of"], jump["goal_share"], jump["elsewhere"]) == (12, 24, 0.5, 1.0)
    assert jump["differs"]


def test_detours_need_steps_and_a_goal_that_exist():
    with pytest.raises(Problem, match='No event is called "cc"'):
        journeys.loops(walked(a="vco"), ["v", "cc", "o"])
    with pytest.raises(Problem, match='goal "x" is none of the steps'):
        journeys.jumps(walked(a="vco"), ["v", "c", "o"], goal="x")
    with pytest.raises(Problem, match='"v" is among the steps twice'):
        journeys.divergence(walked(a="vco"), ["v", "c", "v"])
    with pytest.raises(Problem, match="at least two steps"):
        journeys.loops(walked(a="vco"), ["v"])
    with pytest.raises(Problem, match='no column "session_id"'):
        journeys.loops(walked(a="vco"), ["v", "c"], per="session_id")


# Divergence from a plan


def test_each_departure_from_the_plan_is_told_apart():
    walks = {"follows": "xvcox", "twice": "vvco", "skips": "vo", "goes back": "vcvco", "leaves": "vc", "strays": "vxco"}
    found = journeys.divergence(walked(**walks, stranger="x"), ["v", "c", "o"])
    counts = found.kinds.set_index("kind")["n"]
    # who looked at x on the way followed the plan all the same; who took no step of it is not judged
    assert counts.to_dict() == {"followed": 3, "skipped": 1, "went back": 1, "left": 1, "did something else": 1}
    assert found.kinds["of"].eq(6).all()
    assert found.words.startswith("50.0 % of 6 customers took the way intended (interval 18.8 to 81.2 %)")
    first = found.steps[found.steps["step"] == "v"]
    assert dict(zip(first["happened"], first["n"], strict=True)) == {"c": 5, "o": 1, "x": 1}
    assert first.loc[first["as_planned"], "happened"].tolist() == ["c"]
    assert row(found.steps, step="o", happened="(end)")["as_planned"]


def test_groups_are_held_against_everybody_else_and_small_ones_left_out():
    walks = {f"good {i}": "vco" for i in range(20)} | {f"bad {i}": "vo" for i in range(20)} | {"rare": "o"}
    by = pd.DataFrame({"customer_id": list(walks), "persona": [1] * 20 + [2] * 20 + [3]})
    found = journeys.divergence(walked(**walks), ["v", "c", "o"], by)
    good = row(found.kinds, persona=1, kind="followed")
    assert (good["share"], good["elsewhere"], good["differs"]) == (1, 0, True)
    assert set(found.kinds["persona"]) == {1, 2}
    # 2 · 3 / 6 against 2 · 2 / 5
    assert found.fitness["fitness"].tolist() == pytest.approx([1, 0.8])
    assert found.fitness["difference"].tolist() == pytest.approx([0.2, -0.2])
    with pytest.raises(Problem, match="names 1 customers more than once"):
        journeys.divergence(walked(**walks), ["v", "c", "o"], pd.concat([by, by.head(1)]))
    with pytest.raises(Problem, match="None of the 41 customers"):
        journeys.divergence(walked(**walks), ["v", "c", "o"], by.assign(customer_id="no " + by["customer_id"]))


def test_a_step_that_nobody_leaves_and_one_customer_with_one_event_are_no_trouble():
    one = walked(a="v", b="c")
    assert journeys.loops(one, ["v", "c"]).empty
    assert journeys.jumps(one, ["v", "c"]).empty
    assert journeys.divergence(one, ["v", "c"]).kinds["n"].tolist() == [0, 1, 0, 1, 0]
    assert journeys.stage_times(one, ["v", "c"])["left"].tolist() == [0, 0]


def test_a_base_without_steps_or_events_has_empty_tables_of_the_usual_columns():
    log, usual = walked(a="vco"), ["v", "c", "o"]
    none = log.head(0)
    for table in (journeys.loops, journeys.jumps, journeys.stage_times):
        assert list(table(log, [])) == list(table(log, usual))
        assert table(log, []).empty
    found = journeys.divergence(none, [])
    assert [list(t) for t in found[:3]] == [list(t) for t in journeys.divergence(log, usual)[:3]]
    assert all(table.empty for table in found[:3])
    assert found.words == "Nobody took a step of the plan, so nothing can be said of it."
    with pytest.raises(Problem, match="there are no events at all"):
        journeys.divergence(none, usual)


# Figures


def texts_apart(axes):
    boxes = [t.get_window_extent() for t in axes.texts if t.get_text()]
    return not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("width", [4.2, 8])
@pytest.mark.parametrize("n_events", [2, 8, 50])
def test_no_text_of_a_map_crosses_another_and_what_is_left_out_is_said(width, n_events):
    rng = np.random.default_rng(n_events)
    names = [f"a rather long name {i:02d}" for i in range(n_events - 1)] + ["سبد خرید"]
    walks = {f"c{i}": names for i in range(3)} | {f"d{i}": rng.choice(names, 9) for i in range(300)}
    log = walked(**walks)
    moves, ways = journeys.transitions(log), journeys.paths(log, top=1000)
    with mpl.rc_context({"figure.figsize": (width, 4), "font.size": 9}):
        drawn, sankey = plots.process_map(moves), plots.sankey(ways)
        assert texts_apart(drawn)
        assert texts_apart(sankey)
    if n_events == 50:
        said = drawn.figure._supxlabel.get_text().replace("\n", " ")
        real = moves[moves["source"] != moves["target"]]
        shown = real.head(40 if width == 8 else 20)["n"].sum() / real["n"].sum()
        assert f"not drawn: the rarer moves, {evidence.percent(1 - shown)} of all" in said
    plt.close("all")


def test_moves_down_are_few_against_the_order_that_was_given():
    moves = pd.DataFrame([("v", "c", 50), ("c", "v", 30), ("c", "o", 40)], columns=["source", "target", "n"])
    assert _in_colour(plots.process_map(moves, ["v", "c", "o"])) == 1  # the way back
    assert _in_colour(plots.process_map(moves, ["o", "c", "v"])) == 2


def _in_colour(axes):
    return sum(mpl.colors.to_hex(patch.get_edgecolor()) == plots.ACCENT for patch in axes.patches)


# Real event logs


def test_the_moves_of_the_shop_log_are_those_of_a_query_by_hand(real_data):
    file = real_data / "retentioneering_ecom" / "ecom.parquet"
    log = duckdb.sql(f"SELECT user_id AS customer_id, timestamp::TIMESTAMP AS occurred_at, event FROM '{file}'")
    table = journeys.transitions(log)
    by_hand = duckdb.sql(f"""
        SELECT source, target, count(*) AS n FROM (
            SELECT event AS source,
                coalesce(lead(event) OVER (PARTITION BY user_id ORDER BY t, event), '(end)') AS target
            FROM (SELECT DISTINCT user_id, timestamp::TIMESTAMP AS t, event FROM '{file}')
        ) GROUP BY ALL ORDER BY n DESC, source, target
    """).df()
    found = table[table["source"] != "(start)"][["source", "target", "n"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, by_hand, check_dtype=False)
    assert table.query("source == '(start)'")["n"].sum() == 600
    assert journeys.paths(log, top=600)["share"].sum() == pytest.approx(1)
    steps = ["catalog", "add_to_cart", "cart", "purchase"]
    left = duckdb.sql(f"""
        SELECT count(DISTINCT user_id) FROM (
            SELECT user_id, event, lead(event) OVER w AS next FROM '{file}' WHERE event IN {tuple(steps)}
            WINDOW w AS (PARTITION BY user_id ORDER BY timestamp::TIMESTAMP,
                list_position(['catalog', 'add_to_cart', 'cart', 'purchase'], event))
        ) WHERE event = 'catalog' AND next = 'cart'
    """).fetchall()[0][0]
    assert row(journeys.jumps(log, steps), source="catalog", target="cart")["n"] == left


def test_the_helpdesk_log_gives_its_known_cases(real_data):
    file = real_data / "helpdesk" / "helpdesk.parquet"
    log = duckdb.sql(
        'SELECT "Case ID" AS customer_id, Activity AS event, '
        f"""strptime(left("Complete Timestamp", 19), '%Y/%m/%d %H:%M:%S') AS occurred_at FROM '{file}'"""
    )
    assert journeys.transitions(log).query("source == '(start)'")["n"].sum() == 4580
    plan = ["Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed"]
    found = journeys.divergence(log, plan)
    followed = duckdb.sql(
        """
        SELECT count(*) FROM (
            SELECT string_agg(event, '>' ORDER BY occurred_at, list_position($1, event)) AS way
            FROM log WHERE event IN (SELECT unnest($1)) GROUP BY customer_id
        ) WHERE regexp_matches(way, '^(Assign seriousness>)+(Take in charge ticket>)+(Resolve ticket>)+(Closed>?)+$')
    """,
        params=[plan],
    ).fetchall()[0][0]
    assert row(found.kinds, kind="followed")["n"] == followed
    assert (found.fitness["low"] <= found.fitness["fitness"]).all()
