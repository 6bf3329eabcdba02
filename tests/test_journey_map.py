"""The journey map: every figure worked out by hand on tables of a few rows, its tests against statsmodels."""

from datetime import date
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from analysis import evidence, journeys, plots, sources
from analysis.errors import Problem
from analysis.expressions import collected, tables_until
from analysis.journeys import by_stage, map_html, waiting
from analysis.journeys.map_measures import measures
from analysis.journeys.map_rows import map_rows
from analysis.journeys.opportunities import FEWEST_COMPARED, opportunities
from analysis.journeys.steps import default_steps
from analysis.report.markup import Outline, clean

LAST = date(2025, 3, 31)


def happened(*rows):
    """Touchpoints from rows (customer, "day time", stage, event)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "stage", "event"])
    at = pd.to_datetime(frame["occurred_at"], format="mixed", utc=True).astype("datetime64[us, UTC]")
    return frame.assign(occurred_at=at, channel="web", owner="shop")


#: Twelve customers come by; of the first six five order on the next day, of the last six one does.
SHOP = happened(
    *((c, "2025-03-01 10:00", "aware", "visit") for c in "abcdefghijkl"),
    *((c, "2025-03-02 10:00", "order", "order") for c in "abcdeg"),
)
PERSONAS = pd.DataFrame({"persona": [1, 2], "name": ["Sara", "Omid"], "title": "", "n": [6, 6], "share": [0.5, 0.5]})
SEGMENTS = pd.DataFrame({"customer_id": list("abcdefghijkl"), "segment": [1] * 6 + [2] * 6})


def of(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


def in_duckdb(frame):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("frame", frame)
    connection.execute("CREATE TABLE events AS SELECT * FROM frame")
    return connection.table("events")


# What is measured


@pytest.mark.parametrize("engine", [lambda frame: frame, in_duckdb])
def test_who_gets_to_a_stage_is_held_against_everybody_else(engine):
    table = journeys.map({"touchpoints": engine(SHOP)}, PERSONAS, SEGMENTS, as_of=LAST).journey_map
    reached = of(table, persona=1, stage="order", measure="reached")
    # five of six here, one of six elsewhere
    assert (reached["value"], reached["elsewhere"], reached["n"]) == (5 / 6, 1 / 6, 6)
    assert (reached["value_low"], reached["value_high"]) == pytest.approx(evidence.share_interval(5, 6))
    assert reached["difference"] == pytest.approx(4 / 6)
    assert reached["low"] < 4 / 6 < reached["high"]
    assert reached["statement"] == "83 % get here"
    time = of(table, persona=1, stage="aware", measure="time")
    assert (time["value"], time["statement"]) == (1, "Half go on within 1 day")
    # one of six only has gone on after 30 days: the median is not known
    assert np.isnan(of(table, persona=2, stage="aware", measure="time")["value"])
    assert of(table, persona=2, stage="aware", measure="time")["statement"] == "Fewer than half ever go on"


def test_every_cell_carries_evidence_or_asks_a_question():
    maps = journeys.map({"touchpoints": SHOP}, PERSONAS, SEGMENTS, as_of=LAST)
    table = maps.journey_map
    cells = {(s, r) for s in maps.stages for r in ("script", "goals", "actions", "feelings", "ownership")}
    for persona in (1, 2):
        of_one = table[table["persona"] == persona]
        assert cells <= set(zip(of_one["stage"], of_one["row"], strict=True))
    assumed = table[table["kind"] == "assumption"]
    assert assumed["question"].str.endswith("?").all()
    assert assumed[["value", "n", "p_corrected"]].isna().all(axis=None)
    assert table.loc[table["kind"] == "measured", "question"].eq("").all()
    assert table.loc[table["kind"] == "measured", "source"].ne("").all()


def test_the_row_order_changes_nothing():
    shuffled = SHOP.sample(frac=1, random_state=2)
    maps = [
        journeys.map({"touchpoints": t}, PERSONAS, s, as_of=LAST).journey_map
        for t, s in ((SHOP, SEGMENTS), (shuffled, SEGMENTS.sample(frac=1, random_state=3)))
    ]
    pd.testing.assert_frame_equal(*maps)


def test_nothing_later_than_the_day_is_seen():
    later = happened(*((c, "2025-04-01 00:00", "order", "order") for c in "hijkl"))
    early = journeys.map({"touchpoints": SHOP}, PERSONAS, SEGMENTS, as_of=LAST).journey_map
    both = journeys.map({"touchpoints": pd.concat([SHOP, later])}, PERSONAS, SEGMENTS, as_of=LAST).journey_map
    pd.testing.assert_frame_equal(early, both)


def test_a_group_of_fewer_than_five_is_neither_shown_nor_part_of_everybody_else():
    few = SEGMENTS.assign(segment=[1] * 6 + [2] * 4 + [3] * 2)
    personas = pd.DataFrame({"persona": [1, 2, 3], "name": list("xyz"), "n": [6, 4, 2], "share": [0.5, 0.3, 0.2]})
    maps = journeys.map({"touchpoints": SHOP}, personas, few, as_of=LAST)
    assert maps.personas["persona"].tolist() == [1]
    assert maps.journey_map.loc[maps.journey_map["measure"] == "reached", "elsewhere"].isna().all()


def test_all_differences_of_the_table_are_corrected_together():
    tables = tables_until({"touchpoints": SHOP}, LAST)
    members = SEGMENTS.rename(columns={"segment": "persona"})
    rows = map_rows(measures(tables, default_steps(tables), members, LAST))
    assert rows["p"].notna().sum() > 8
    assert rows["p_corrected"].to_numpy() == pytest.approx(evidence.holm(rows["p"].to_numpy()), nan_ok=True)
    # and the intervals hold together: each is as wide as for one of so many
    number = int((rows["n_elsewhere"] > 0).sum())
    reached = of(rows, persona=1, place=1, measure="reached")
    low, high = evidence.difference_of_shares(5, 6, 1, 6, 1 - 0.05 / number)[1:3]
    assert (reached["low"], reached["high"]) == pytest.approx((low, high))


# Visits


def test_a_visit_ends_at_a_pause_and_goes_on_only_within_itself():
    rows = happened(
        ("a", "2025-03-01 10:00", "aware", "visit"),
        ("a", "2025-03-01 10:30", "order", "order"),  # thirty minutes later: the same visit
        ("a", "2025-03-02 10:00", "aware", "visit"),
        ("a", "2025-03-02 10:31", "order", "order"),  # thirty-one: another
        ("a", "2025-03-03 10:00", "order", "order"),
        ("a", "2025-03-03 10:01", "aware", "visit"),  # back to an earlier stage is not on
    )
    table = tables_until({"touchpoints": rows}, LAST)
    tries = by_stage.tries(by_stage.happenings(table, default_steps(table)), LAST)
    assert tries.set_index("place")[["tries", "went_on"]].to_dict("index") == {
        0: {"tries": 3, "went_on": 1},
        1: {"tries": 3, "went_on": 0},
    }


def test_events_of_one_moment_count_in_the_order_of_the_stages():
    rows = happened(("a", "2025-03-01", "order", "order"), ("a", "2025-03-01", "aware", "visit"))
    table = tables_until({"touchpoints": rows}, LAST)
    rows = by_stage.happenings(table, default_steps(table))
    assert by_stage.tries(rows, LAST).set_index("place")["went_on"].to_dict() == {0: 1, 1: 0}
    assert by_stage.moves(rows, LAST)[["days", "happened"]].values.tolist() == [[0, True]]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_ticket_belongs_to_the_stage_before_it_and_not_to_the_call_that_opens_it(engine):
    rows = happened(("a", "2025-03-01", "aware", "visit"), ("a", "2025-03-03", "order", "support_call"))
    opened = pd.to_datetime(["2025-03-03", "2025-03-04", "2025-02-01"], utc=True).astype("datetime64[us, UTC]")
    tickets = pd.DataFrame({"ticket_id": list("xyz"), "customer_id": "a", "opened_at": opened})
    base = {"touchpoints": rows, "tickets": tickets}
    if engine == "duckdb":
        connection = duckdb.connect()
        base = {name: connection.from_df(frame) for name, frame in base.items()}
    table = tables_until(base, LAST)
    said = by_stage.happenings(table, default_steps(table))
    found = collected(by_stage.stage_before(said, table["tickets"], "opened_at", "ticket_id")).set_index("ticket_id")
    assert found["place"].fillna(-1).to_dict() == {"x": 0, "y": 1, "z": -1}


# Feelings and ownership


def served(hours):
    """SHOP with a ticket of each customer after the visit, open for so many hours, for the team that delivers."""
    n = len(hours)
    opened = pd.Series(pd.Timestamp("2025-03-01 12:00", tz="UTC"), range(n)).astype("datetime64[us, UTC]")
    closed = (opened + pd.to_timedelta(hours, unit="h")).astype("datetime64[us, UTC]")
    tickets = pd.DataFrame({"ticket_id": range(n), "customer_id": list("abcdefghijkl")[:n], "opened_at": opened})
    tickets = tickets.assign(
        closed_at=closed, team="logistics", topic="late delivery", satisfaction=[5.0, 3] * (n // 2)
    )
    return {"touchpoints": SHOP, "tickets": tickets.astype({"ticket_id": "str"})}


def test_a_team_is_held_to_its_level_of_service():
    # of six, four are closed within a day, one after two, one is open when the data end after 30: that is late, too
    base = served([1, 2, 3, 12, 48, 24 * 60])
    table = journeys.map(base, as_of=LAST, level_days=1).journey_map
    in_time = of(table, stage="aware", measure="in_time")
    assert (in_time["value"], in_time["n"]) == (4 / 6, 6)
    assert in_time["statement"] == "Logistics closed all tickets within 1 day for 67 %; not for 2"
    assert of(table, stage="aware", measure="closed")["value"] == pytest.approx(3 / 24)
    assert of(table, stage="aware", measure="satisfied")["value"] == 4
    assert of(table, stage="aware", measure="raised")["value"] == 6 / 12


def test_a_level_that_nobody_set_is_taken_from_the_data_and_said_to_be():
    # four of five tickets are closed within 8 hours
    maps = journeys.map(served([2, 4, 6, 8, 100, 1]), as_of=LAST)
    assert maps.about["level_days"] == pytest.approx(8 / 24)
    assert "nobody set a level" in maps[0].content["footer"][-1]
    assert "nobody set" not in journeys.map(served([2] * 6), as_of=LAST, level_days=2)[0].content["footer"][-1]


def test_a_ticket_still_open_within_the_level_is_not_judged():
    base = served([1, 1, 1, 1, 1, 24 * 60])
    assert of(journeys.map(base, as_of=LAST, level_days=40).journey_map, stage="aware", measure="in_time")["n"] == 5


def test_a_stage_without_owner_stands_out():
    base = {"touchpoints": SHOP.assign(owner=SHOP["owner"].where(SHOP["stage"] == "aware"))}
    maps = journeys.map(base, as_of=LAST)
    assert of(maps.journey_map, stage="aware", row="ownership")["measure"] == "owned"
    nobody = of(maps.journey_map, stage="order", row="ownership")
    assert (nobody["kind"], nobody["statement"]) == ("assumption", "Nobody is recorded as answering for this stage.")
    cell = maps[0].content["stages"][1]["cells"][-1]
    assert [line["alarm"] for line in cell["lines"]] == [True]


def rated(stage, scores):
    given_at = pd.Timestamp("2025-03-03", tz="UTC")
    table = pd.DataFrame({"customer_id": list("abcdefghijkl")[: len(scores)], "given_at": given_at, "stage": stage})
    table["given_at"] = table["given_at"].astype("datetime64[us, UTC]")
    return table.assign(instrument="csat", score=[float(s) for s in scores], topic="delivery")


def test_scores_stand_by_stage_with_their_change():
    feedback = pd.concat(
        [rated("aware", [5, 5, 4, 5, 5, 5, 4, 5, 5, 5]), rated("order", [1, 2, 1, 2, 2, 1, 2, 1, 2, 1])]
    )
    maps = journeys.map({"touchpoints": SHOP, "feedback": feedback}, as_of=LAST)
    table = maps.journey_map
    # means 4.8 and 1.5; no answer at the first stage ranks below one at the second
    assert of(table, stage="aware", measure="score")["value"] == pytest.approx(4.8)
    change = of(table, stage="order", measure="change")
    assert change["value"] == pytest.approx(-3.3)
    assert change["p_corrected"] < 0.001
    assert change["statement"] == "CSAT is 3.3 points lower than at “Aware”"
    assert of(table, stage="order", measure="unhappy")["value"] == 1
    assert (
        plots.journey_map(maps[0].table, "All").get_title()
        == "All: CSAT is 3.3 points lower at order than at the stage before"
    )
    curve = maps[0].content["stages"][0]["curve"]
    assert curve["score"] == pytest.approx(3.8 / 4)


def test_few_who_agree_are_no_proof():
    # five customers who all answered 5 beside many who answered 4 or 5: Welch's test would be certain of it
    values = np.array([5.0] * 5 + [4.0, 5.0] * 40)
    here = np.arange(len(values)) < 5
    from analysis.journeys.map_rows import rank_test

    assert evidence.difference_of_means(values[here], values[~here])[3] < 1e-9
    delta, p = rank_test(values, here)
    assert (delta, round(p, 2)) == (0.5, 0.03)


# Times, against statsmodels


def waits(seed, n=60):
    rng = np.random.default_rng(seed)
    days, seen = rng.exponential(5, n).round(1) + 0.1, rng.exponential(8, n).round(1) + 0.1
    return np.minimum(days, seen), days <= seen, rng.random(n) < 0.4


@pytest.mark.parametrize("seed", range(5))
def test_times_agree_with_statsmodels(seed):
    days, happened, here = waits(seed)
    curve = SurvfuncRight(days, happened)
    median, low, high = waiting.median_days(days, happened)
    assert median == pytest.approx(curve.quantile(0.5))
    assert (low, high) == pytest.approx(curve.quantile_ci(0.5, method="cloglog"), abs=0.5)
    assert waiting.log_rank(days, happened, here) == pytest.approx(survdiff(days, happened, here)[1])


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_of_two_who_waits_longer_is_counted_pair_by_pair(seed):
    days, happened, here = waits(seed, 14)
    if not here.any() or here.all():
        return
    # the one here is known to be later if the other has been there before, or while the one here still waits
    later = [
        int(happened[j] and days[j] + (1e-9 if happened[i] else 0) <= days[i])
        - int(happened[i] and days[i] + (1e-9 if happened[j] else 0) <= days[j])
        for i in np.flatnonzero(here)
        for j in np.flatnonzero(~here)
    ]
    assert waiting.likelier_later(days, happened, here) == pytest.approx(np.mean(later))


# Opportunities


def visits(rates, seed=0, customers=150, tries=4, channel="app"):
    """Tries of one step by personas with these rates."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"persona": np.repeat(range(1, len(rates) + 1), customers)})
    rows = rows.assign(
        customer_id=[f"{i:05}" for i in range(len(rows))], place=0, action="cart", channel=channel, tries=tries
    )
    return rows.assign(went_on=rng.binomial(tries, np.asarray(rates)[rows["persona"] - 1]))


def test_a_step_that_loses_one_persona_is_found_and_sized():
    table = visits([0.4, 0.8, 0.8, 0.8])
    row = of(opportunities(table), persona=1)
    assert row["with_persona"] in (2, 3, 4)
    assert row["low"] < 0.4 < row["high"]
    # of a customer with four tries at 0.4, with 0.8 at least one of the failed succeeds with 1 - (1 - 2/3)^failed
    failed = 4 - table.loc[table["persona"] == 1, "went_on"]
    share = row["difference"] / (1 - row["rate"])
    assert row["gained"] == pytest.approx((1 - (1 - share) ** failed).sum())
    assert row["gained_low"] < row["gained"] < row["gained_high"] <= 150


def test_where_nothing_differs_nothing_is_promised():
    # eight personas alike: the best of them looks better in every draw, and is hardly ever called so
    found = [len(opportunities(visits([0.6] * 8, seed))) > 0 for seed in range(30)]
    assert sum(found) <= 3


def test_looking_at_more_comparisons_costs_certainty():
    two = visits([0.3, 0.8], tries=1, customers=60)
    more = pd.concat([two, visits([0.5] * 5, tries=1, customers=60).assign(persona=lambda t: t["persona"] + 2)])
    few, many = (of(opportunities(t), persona=1, with_persona=2)["p_corrected"] for t in (two, more))
    # one comparison, and the first of twenty-one
    assert many == pytest.approx(21 * few, rel=1e-6)


def test_the_best_of_many_is_not_taken_at_its_word():
    # twenty personas at a half, one at 0.2: the best of the twenty looks better than a half, and is drawn towards it
    table = visits([0.2] + [0.5] * 20, seed=3, customers=40)
    rates = table.groupby("persona")[["went_on", "tries"]].sum().eval("went_on / tries")
    row = of(opportunities(table), persona=1)
    assert 0.4 < row["best_rate"] < rates.max()


def test_tries_of_one_customer_are_not_so_many_customers():
    # each customer's tries all end alike: 40 customers, however often they try
    alike = visits([0.35, 0.65], customers=40, tries=1, seed=1)
    often = alike.assign(tries=50, went_on=alike["went_on"] * 50)
    columns = ["low", "high"]
    few, many = (opportunities(t)[columns] for t in (alike, often))
    assert len(few) == len(many)
    if len(few):
        assert few.to_numpy() == pytest.approx(many.to_numpy(), abs=0.02)


def test_few_customers_are_not_compared():
    assert opportunities(visits([0.1, 0.9], customers=FEWEST_COMPARED - 1)).empty
    assert not opportunities(visits([0.1, 0.9], customers=FEWEST_COMPARED)).empty


def test_ways_that_begin_with_another_action_are_not_compared():
    mail = visits([0.05], channel="email").assign(action="mail sent")
    assert opportunities(pd.concat([visits([0.8]), mail])).empty


def test_a_map_names_what_would_be_gained_and_what_that_assumes():
    # on the app one in ten goes on, on the web nine in ten do
    rows = [(f"c{i:03}", f"2025-03-01 10:{i % 60:02}", "aware", "visit") for i in range(200)]
    went = [
        (f"c{i:03}", f"2025-03-01 11:{i % 60:02}", "order", "order") for i in range(200) if (i % 10 == 0) == (i < 100)
    ]
    table = happened(*rows, *[(c, t.replace(" 11", " 10"), s, e) for c, t, s, e in went])
    table["channel"] = np.where(table["customer_id"] < "c100", "app", "web")
    maps = journeys.map({"touchpoints": table}, as_of=LAST)
    row = of(maps.opportunities, stage="aware")
    assert (row["channel"], row["with_channel"], row["compared_with"]) == ("app", "web", "channel")
    assert row["rate"] == pytest.approx(0.1)
    assert row["assumption"].startswith("What differs is the step and not the people")
    assert "Assumption" not in of(maps.journey_map, stage="aware", row="opportunities")["kind"]
    assert "more customers in 31 days" in row["statement"]


# What it looks like


def test_any_text_of_the_data_is_shown_as_text():
    table = SHOP.assign(event="<script>x()</script>", owner='"><b>')
    html = journeys.map({"touchpoints": table}, as_of=LAST)[0]._repr_html_()
    assert "<script>" not in html
    assert "&lt;" in html
    assert "<b>" not in html


def test_the_map_passes_into_the_report_whole():
    html = journeys.map({"touchpoints": SHOP}, PERSONAS, SEGMENTS, as_of=LAST)[1]._repr_html_()
    kept = str(clean(html, Outline("4_journeys"), "4_journeys-"))
    for said in ("grid-template-rows:subgrid", "repeat(auto-fit", "83\N{NO-BREAK SPACE}% get here"):
        assert said in kept


def test_a_persian_map_reads_from_the_right():
    maps = journeys.map({"touchpoints": SHOP}, PERSONAS, SEGMENTS, as_of=LAST, language="fa")
    content = maps[1].content
    assert (content["direction"], content["name"], content["stages"][0]["name"]) == ("rtl", "سارا", "آگاهی")
    assert 'dir="rtl"' in maps[1]._repr_html_()
    said = maps.journey_map["statement"]
    assert not said.str.contains("[0-9]").any()


def test_no_customer_is_named(tmp_path):
    personal = SHOP.assign(customer_id="private-" + SHOP["customer_id"])
    maps = journeys.map({"touchpoints": personal}, as_of=LAST)
    page = maps[0].save(tmp_path / "map.html").read_text(encoding="utf-8")
    assert "private-" not in page + maps.journey_map.to_csv() + maps.opportunities.to_csv()


def test_a_persona_keeps_its_colour_on_the_map():
    maps = journeys.map({"touchpoints": SHOP}, PERSONAS, SEGMENTS, as_of=LAST)
    assert [m.content["colour"] for m in maps] == [0, 1]
    assert plots.SEGMENT[1] in maps[2]._repr_html_()


def test_twelve_stages_go_on_paper_six_by_six():
    stages = ["awareness", "interest", "consideration", "decision", "cart", "checkout", "purchase", "delivery", "use"]
    stages += ["retention", "loyalty", "advocacy"]
    rows = [(c, f"2025-03-{i:02}", s, s) for c in "abcdef" for i, s in enumerate(stages, 1)]
    content = journeys.map({"touchpoints": happened(*rows)}, as_of=LAST)[0].content
    paper = map_html.page(content).split('class="paper"')[1]
    assert paper.count("repeat(6,minmax(0,1fr))") == 4


# Other bases, and slips


def test_orders_alone_give_a_ladder_with_questions():
    at = pd.to_datetime([f"2025-0{m}-01" for m in (1, 2, 3)] * 6, utc=True).astype("datetime64[us, UTC]")
    orders = pd.DataFrame(
        {"order_id": [str(i) for i in range(18)], "customer_id": sorted("abcdef" * 3), "ordered_at": at}
    )
    table = journeys.map({"orders": orders}, as_of=LAST).journey_map
    assert of(table, stage="3rd order", measure="reached")["value"] == 1
    assert of(table, stage="1st order", measure="time")["value"] == 31
    assert set(table.loc[table["row"] == "ownership", "kind"]) == {"assumption"}


def test_of_deals_the_deal_moves():
    n = 20
    at = pd.Series(pd.Timestamp("2025-03-01", tz="UTC"), range(n)).astype("datetime64[us, UTC]")
    closed = (at + pd.Timedelta(days=4)).astype("datetime64[us, UTC]").where(pd.Series(range(n)) < 10)
    deals = pd.DataFrame({"deal_id": [f"d{i}" for i in range(n)], "customer_id": list("ab") * 10, "created_at": at})
    deals = deals.assign(closed_at=closed, outcome=["won"] * 6 + ["lost"] * 4 + ["open"] * 10, owner="Mina")
    table = journeys.map({"deals": deals}, as_of=LAST).journey_map
    assert (
        of(table, stage="decided", measure="reached")["value"],
        of(table, stage="won", measure="reached")["value"],
    ) == (
        0.5,
        0.3,
    )
    assert of(table, stage="created", measure="time")["value"] == 4
    assert of(table, stage="won", measure="owned")["n"] == 6


def test_a_base_without_a_journey_says_what_it_would_need():
    maps = journeys.map({"customers": pd.DataFrame({"customer_id": ["a"]})}, as_of=LAST)
    assert len(maps) == 0
    assert list(maps.journey_map)[:4] == ["persona", "stage", "row", "statement"]
    assert "touchpoints" in maps._repr_html_()


@pytest.mark.parametrize(
    ("personas", "segments", "said"),
    [
        (PERSONAS, None, "needs segments"),
        (PERSONAS, SEGMENTS.drop(columns="segment"), 'no column "segment"'),
        (PERSONAS, pd.concat([SEGMENTS, SEGMENTS]), "12 customers more than once"),
        (PERSONAS.assign(n=[7, 5]), SEGMENTS, "persona 1 stands for 7 customers, and 6 are in segment 1"),
    ],
)
def test_a_slip_ends_in_a_sentence(personas, segments, said):
    with pytest.raises(Problem, match=said):
        journeys.map({"touchpoints": SHOP}, personas, segments, as_of=LAST)


def test_ids_of_another_table_are_no_customers_of_this_one():
    others = SEGMENTS.assign(customer_id="x" + SEGMENTS["customer_id"])
    with pytest.raises(Problem, match="None of the 12 customers with a persona is on the journey"):
        journeys.map({"touchpoints": SHOP}, PERSONAS, others, as_of=LAST)
    with pytest.raises(Problem, match="level_days is -1"):
        journeys.map({"touchpoints": SHOP}, as_of=LAST, level_days=-1)


def test_ids_may_be_numbers_and_small_personas_have_no_map():
    numbered = [t.assign(customer_id=t["customer_id"].map(ord)) for t in (SHOP, SEGMENTS)]
    maps = journeys.map({"touchpoints": numbered[0]}, PERSONAS, numbered[1], as_of=LAST)
    assert of(maps.journey_map, persona=1, stage="order", measure="reached")["value"] == 5 / 6
    few = PERSONAS.assign(n=2)
    maps = journeys.map({"touchpoints": SHOP}, few, SEGMENTS.iloc[[0, 1, 10, 11]], as_of=LAST)
    assert (len(maps), maps.why) == (0, "No persona has the 5 customers that a map needs.")


def test_a_map_of_nobody_is_refused_by_name():
    with pytest.raises(Problem, match=r"no map of persona 9\. There are: 0"):
        journeys.map({"touchpoints": SHOP}, as_of=LAST)[9]


@pytest.mark.parametrize("name", ["retentioneering_ecom", "online_retail", "maven_crm_sales"])
def test_real_bases_with_less_give_a_map_too(real_data: Path, name):
    base = sources.read(name, data=real_data)
    maps = journeys.map(base)
    table = maps.journey_map
    assert len(maps) == 1
    assert set(table["stage"]) == {"", *maps.stages}
    assert maps[0]._repr_html_().startswith("<article")
    if name == "maven_crm_sales":  # 4,238 won of 6,711 decided
        assert of(table, stage="decided", measure="goes_on")["value"] == pytest.approx(4238 / 6711)
    if name == "retentioneering_ecom":
        carts = nw.from_native(base["touchpoints"]).lazy().filter(nw.col("event") == "add_to_cart")
        n = collected(carts.select(n=nw.col("customer_id").n_unique()))["n"].iloc[0]
        assert of(table, stage="add_to_cart", measure="reached")["value"] == pytest.approx(n / 600)
