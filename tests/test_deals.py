"""Deals: their stages and events, who wins more, and what the open ones are worth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight

from analysis import journeys
from analysis.bookshop import companies
from analysis.errors import Problem
from analysis.journeys import chances, incidence

START = pd.Timestamp("2025-01-01", tz="Asia/Tehran")


def day(n):
    return START + pd.to_timedelta(n, "D")


def deals(*rows, **columns):
    """Rows (id, day it came up, day it ended or None, outcome); further columns by name."""
    table = pd.DataFrame(rows, columns=["deal_id", "created_at", "closed_at", "outcome"])
    for column in ("created_at", "closed_at"):
        table[column] = pd.to_datetime([pd.NaT if n is None else day(n) for n in table[column].replace({np.nan: None})])
        table[column] = table[column].dt.tz_localize("Asia/Tehran") if table[column].isna().all() else table[column]
    return table.assign(**columns)


def stages(*rows):
    """Rows (id, stage, day it was entered)."""
    return pd.DataFrame([(i, s, day(n)) for i, s, n in rows], columns=["deal_id", "stage", "entered_at"])


THREE = {
    "deals": deals(("a", 0, 9, "won"), ("b", 0, 4, "lost"), ("c", 6, None, "open"), amount=[70.0, 20.0, 50.0]),
    "deal_stages": stages(
        ("a", "lead", 0), ("a", "offer", 3), ("a", "Closed Won", 9), ("b", "lead", 0), ("b", "lost", 4),
        ("c", "lead", 6),
    ),
}  # fmt: skip


def simulated(seed, n=300, end=400.0, pass_on=(0.7, 0.6), mean_days=(10, 20), per_day=1.0, **columns):
    """Deals of two stages, lead and offer, whose shares that go on are known; what is later than `end` is not seen."""
    rng = np.random.default_rng(seed)
    created = np.sort(rng.uniform(end - n / per_day, end, n))
    stays, go_on = rng.exponential(mean_days, (n, 2)), rng.random((n, 2)) < pass_on
    offer = created + stays[:, 0]
    closed = np.where(go_on[:, 0], offer + stays[:, 1], offer)
    outcome = np.where(closed > end, "open", np.where(go_on.all(axis=1), "won", "lost"))
    ids = [f"{i:05}" for i in range(n)]
    table = pd.DataFrame({"deal_id": ids, "created_at": day(created), "outcome": outcome})
    table["closed_at"] = pd.Series(day(closed)).where(outcome != "open")
    table["amount"] = rng.lognormal(3, 0.5, n)
    seen = go_on[:, 0] & (offer <= end)
    entered = pd.DataFrame({"deal_id": ids, "stage": "lead", "entered_at": day(created)})
    further = pd.DataFrame({"deal_id": np.array(ids)[seen], "stage": "offer", "entered_at": day(offer[seen])})
    base = {"deals": table.assign(**columns), "deal_stages": pd.concat([entered, further], ignore_index=True)}
    return base, go_on.all(axis=1)


def figures(base, **kw):
    return journeys.pipeline(base, **kw).figures.set_index("measure")


def said(result):
    return [table.to_csv(index=False) if isinstance(table, pd.DataFrame) else table for table in result]


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(chances, "DRAWS", 40)


# Events and the order of stages


def test_a_deal_enters_its_stages_and_is_won_once_however_the_crm_writes_the_end():
    events = journeys.deal_events(THREE)
    assert events["event"].groupby(events["deal_id"]).agg(list).to_dict() == {
        "a": ["lead", "offer", "won"], "b": ["lead", "lost"], "c": ["lead"]
    }  # fmt: skip
    assert events.loc[events["event"] == "won", ["occurred_at", "value"]].values.tolist() == [[day(9), 70.0]]


def test_events_carry_the_industry_of_the_customer_and_what_the_deal_is_about():
    base = {
        "deals": deals(("a", 0, 1, "won"), customer_id="k", owner="Sara", source="fair", product="exam"),
        "customers": pd.DataFrame({"customer_id": ["k", "l"], "industry": ["school", "library"]}),
    }
    columns = ["customer_id", "owner", "source", "industry", "product"]
    assert journeys.deal_events(base)[columns].values.tolist() == [["k", "Sara", "fair", "school", "exam"]] * 2


def test_stages_come_in_the_order_of_their_median_place():
    # the deals b and c skip the offer; in d the talk came before it, which one deal in three cannot turn round
    rows = [(i, s, n) for i, ways in {"a": "lot", "b": "lt", "c": "l", "d": "lto", "e": "lot"}.items()
            for n, s in enumerate(ways)]  # fmt: skip
    events = stages(*rows).rename(columns={"stage": "event", "entered_at": "occurred_at"})
    # o: places 2, 3, 2; t: 3, 2, 2, 3
    assert journeys.stage_order(events) == ["l", "o", "t"]


def test_a_funnel_runs_over_the_events_of_deals():
    events = journeys.deal_events(THREE)
    as_customers = events.drop(columns="customer_id").rename(columns={"deal_id": "customer_id"})
    funnel = journeys.funnel(as_customers, [*journeys.stage_order(events), "won"])
    assert funnel["entered"].tolist() == [3, 1, 1]


def test_an_order_of_ones_own_is_followed_and_a_wrong_one_is_told():
    assert journeys.pipeline(THREE, ["offer", "lead"]).stages["stage"].tolist() == ["offer", "lead"]
    with pytest.raises(Problem, match=r'a stage "ofer"\. Did you mean "offer"'):
        journeys.pipeline(THREE, ["lead", "ofer"])
    with pytest.raises(Problem, match="must name each stage once: lead, offer"):
        journeys.pipeline(THREE, ["lead"])


def test_what_happened_after_the_day_has_not_happened_yet():
    base, _ = simulated(1)
    then = day(300).date()
    known = {
        "deals": base["deals"][base["deals"]["created_at"] < day(301)].assign(
            outcome=lambda d: d["outcome"].where(d["closed_at"] < day(301), "open"),
            amount=lambda d: d["amount"].where(d["closed_at"].isna() | (d["closed_at"] < day(301))),
            closed_at=lambda d: d["closed_at"].where(d["closed_at"] < day(301)),
        ),
        "deal_stages": base["deal_stages"][base["deal_stages"]["entered_at"] < day(301)],
    }
    assert said(journeys.pipeline(base, as_of=then)) == said(journeys.pipeline(known, as_of=then))
    assert len(journeys.deal_events(base, then)) == len(journeys.deal_events(known))


# Shares that come to an end


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(-1, 1)), min_size=2, max_size=30))
def test_incidence_is_that_of_statsmodels(rows):
    days, ends = map(np.array, zip(*rows, strict=True))
    if set(ends) <= {-1}:
        return
    found = incidence.incidence(incidence.stays(range(len(days)), days, ends), 2)
    theirs = CumIncidenceRight(days, ends + 1)
    for end in range(min(2, len(theirs.cinc))):
        at = np.searchsorted(found.days, theirs.times, "right") - 1
        assert found.came[end, at] == pytest.approx(theirs.cinc[end])
    assert found.came.sum(axis=0) + found.waiting == pytest.approx(1)


def test_weights_count_like_repeated_deals():
    days, ends, weights = np.array([1, 2, 2, 5]), np.array([0, 1, -1, 0]), np.array([3.0, 1.0, 2.0, 1.0])
    once = incidence.incidence(incidence.stays(range(4), days, ends), 2, weights)
    again = np.repeat(np.arange(4), weights.astype(int))
    repeated = incidence.incidence(incidence.stays(range(7), days[again], ends[again]), 2)
    assert once.came == pytest.approx(repeated.came)


# What becomes of deals


def test_where_all_is_decided_the_chance_from_a_stage_is_the_share_won_of_those_who_entered(few_draws):
    base, _ = simulated(2, end=4000.0)
    base = {name: t[t["deal_id"].isin(base["deals"].query("outcome != 'open'")["deal_id"])] for name, t in base.items()}
    found = journeys.pipeline(base)
    table, is_won = base["deals"].set_index("deal_id"), base["deals"]["outcome"] == "won"
    entered = base["deal_stages"].groupby("stage")["deal_id"].agg(lambda ids: (table["outcome"][ids] == "won").mean())
    assert found.stages["win_chance"].tolist() == pytest.approx(entered[["lead", "offer"]].tolist())
    assert found.figures.set_index("measure").loc[["win_rate", "won_in_time"], "value"].tolist() == pytest.approx(
        [is_won.mean()] * 2
    )


def test_velocity_is_open_deals_times_win_rate_times_value_by_days(few_draws):
    # two won of four decided; the won ones are worth 100 and 300 and took 10 and 20 days; three deals are open
    base = {
        "deals": deals(
            ("a", 0, 10, "won"), ("b", 0, 20, "won"), ("c", 0, 5, "lost"), ("d", 0, 30, "lost"),
            *((i, 29, None, "open") for i in "efg"), amount=[100.0, 300.0, 0.0, 0.0, 500.0, 500.0, 500.0],
        )
    }  # fmt: skip
    found = figures(base)
    assert found.loc["cycle_days", "value"] == 10.0
    assert found.loc["velocity", "value"] == pytest.approx(3 * 0.5 * 200 / 10)
    assert found.loc["naive_value", "value"] == pytest.approx(0.5 * 1500)
    assert found.loc["open_value", "value"] == 1500


def test_a_deal_that_has_waited_long_has_the_chance_of_those_that_waited_as_long(few_draws):
    # thirty are won on day 2; after that twenty are won and forty lost, all on day 20
    decided = [(f"w{i}", 0, 2, "won") for i in range(30)] + [(f"x{i}", 0, 20, "won") for i in range(20)]
    decided += [(f"y{i}", 0, 20, "lost") for i in range(40)]
    found = journeys.pipeline({"deals": deals(*decided, ("new", 20, None, "open"), ("old", 10, None, "open"))})
    chance = found.open_deals.set_index("deal_id")["win_chance"]
    # the old one was seen to wait on day 2: 30 of 91 were won then, and a third of those left
    assert chance.to_dict() == pytest.approx({"new": 30 / 91 + 61 / 91 / 3, "old": 1 / 3})


def test_a_deal_older_than_all_that_were_decided_shares_the_chance_of_the_last_twenty(few_draws):
    # one is decided each day, by turns won and lost; the open one is among the 21 that waited longer than 40 days
    decided = [(f"{i:02}", 0, i, "won" if i % 2 else "lost") for i in range(1, 61)]
    found = journeys.pipeline({"deals": deals(*decided, ("old", -100, None, "open"))})
    # day after day one of those left is decided, so that 20 of 21 are seen to end
    assert found.open_deals["win_chance"].tolist() == pytest.approx([10 / 21])


def test_a_stage_written_twice_is_entered_once(few_draws):
    base = {
        "deals": deals(("a", 0, 9, "won"), ("b", 0, 9, "lost")),
        "deal_stages": stages(("a", "lead", 0), ("a", "lead", 3), ("a", "offer", 5), ("b", "lead", 0)),
    }
    lead = journeys.pipeline(base).stages.set_index("stage").loc["lead"]
    assert lead[["entered", "went_on", "lost", "median_days"]].tolist() == [2, 1, 1, 5]


def test_a_stage_entered_after_the_end_is_not_part_of_the_way():
    base = {
        "deals": deals(("a", 0, 9, "won"), ("b", 0, 4, "lost")),
        "deal_stages": stages(("a", "lead", 0), ("a", "offer", 5), ("b", "lead", 0), ("b", "offer", 6)),
    }
    assert journeys.deal_events(base)["event"].tolist() == ["lead", "offer", "won", "lead", "lost"]


def test_lost_deals_are_an_end_and_not_out_of_sight(few_draws):
    # one less Kaplan-Meier with lost deals censored would say that all are won: the last one at risk is
    found = figures({"deals": deals(("a", 0, 1, "lost"), ("b", 0, 2, "lost"), ("c", 0, 3, "won"))})
    assert found.loc["won_in_time", "value"] == pytest.approx(1 / 3)


def test_three_wins_of_three_do_not_make_the_fourth_certain():
    base = {
        "deals": deals(*((i, 0, 3, "won") for i in "abc"), ("d", 8, None, "open"), ("l", 0, 9, "lost")),
        "deal_stages": stages(*((i, "offer", 1) for i in "abc"), ("d", "offer", 8), ("l", "lead", 0)),
    }
    offer = journeys.pipeline(base).stages.set_index("stage").loc["offer"]
    # Jeffreys' interval of 3 of 3 begins at the 2.5 % quantile of a beta distribution with 3½ and ½: 0.53
    assert offer[["win_chance", "win_high"]].tolist() == pytest.approx([1.0, 1.0])
    assert offer["win_low"] == pytest.approx(0.53, abs=0.1)


def test_open_deals_without_amount_are_worth_the_mean_of_the_won_and_that_is_said(few_draws):
    base = {"deals": deals(("a", 0, 1, "won"), ("b", 0, 1, "lost"), ("c", 0, None, "open"), amount=[80, 10, None])}
    found = journeys.pipeline(base)
    assert found.open_deals[["amount", "amount_known"]].values.tolist() == [[80.0, False]]
    assert "Open deals without an amount: 1" in found.words


def test_what_a_deal_is_worth_the_last_year_says(few_draws):
    # prices have risen tenfold; of three years the last one has enough won deals
    won = [(f"{i:03}", 10 * i, 10 * i + 5, "won") for i in range(110)]
    base = {"deals": deals(*won, amount=[10.0] * 60 + [100.0] * 50)}
    # the last 365 days before day 1095 begin on day 730: deals 73 to 109
    assert figures(base).loc["mean_value", ["value", "n"]].tolist() == [100.0, 37]


def test_where_no_loss_is_recorded_no_win_rate_is_told(few_draws):
    base = {"deals": deals(("a", 0, 3, "won"), *((i, 0, None, "open") for i in "bcd"))}
    found = journeys.pipeline(base)
    table = found.figures.set_index("measure")
    assert table["value"][["win_rate", "naive_value", "velocity"]].isna().all()
    assert table.loc["won_in_time", "value"] == pytest.approx(0.25)
    assert "none is recorded as lost" in found.words


def test_the_sums_of_the_stages_are_the_figures(few_draws):
    base, _ = simulated(3, per_day=5.0)
    base["deals"].loc[base["deals"].index[:4], ["created_at", "closed_at", "outcome"]] = [pd.NaT, pd.NaT, "open"]
    base["deal_stages"] = base["deal_stages"][~base["deal_stages"]["deal_id"].isin(base["deals"]["deal_id"][:4])]
    found = journeys.pipeline(base)
    table, of_open = found.figures.set_index("measure")["value"], found.open_deals
    assert found.stages["stage"].tolist() == ["lead", "offer", "(no date)"]
    assert found.stages["open"].sum() == table["open_deals"] == len(of_open)
    assert found.stages["wins"].sum() == pytest.approx(table["expected_wins"])
    assert (
        found.stages["expected"].sum()
        == pytest.approx(table["pipeline_value"])
        == pytest.approx(of_open["expected"].sum())
    )
    assert "without the date of a stage: 4" in found.words


def test_intervals_hold_the_truth_in_nineteen_of_twenty_markets(monkeypatch):
    monkeypatch.setattr(chances, "DRAWS", 100)
    held = []
    for seed in range(30):
        base, won = simulated(seed, n=250, per_day=2.0)
        found, is_open = figures(base), (base["deals"]["outcome"] == "open").to_numpy()
        truth = {"expected_wins": won[is_open].sum(), "won_in_time": 0.7 * 0.6}
        truth["pipeline_value"] = base["deals"]["amount"].to_numpy()[is_open & won].sum()
        held.append([found.loc[m, "low"] <= x <= found.loc[m, "high"] for m, x in truth.items()])
    # 95 % of 30 are 28 or 29; fewer than 25 would be chance in one of a hundred
    assert np.sum(held, axis=0).min() >= 25


def test_the_bookshops_win_rates_and_open_deals_are_found(worlds):
    chances = [share for _, share in companies.STAGES.values()]
    for seed, world in worlds.items():
        found = journeys.pipeline(world.tables)
        table, truth = found.figures.set_index("measure"), world.truth["deals"]["win_chance"].mean()
        for measure in ("win_rate", "won_in_time"):
            assert table.loc[measure, "low"] <= truth <= table.loc[measure, "high"], (seed, measure)
        assert found.stages["stage"].tolist() == list(companies.STAGES)
        # a stage passes on what was planted for an ordinary source, moved a little by the mix of sources
        assert found.stages["rate"].tolist() == pytest.approx(chances, abs=0.06)


# Who wins more


def rates(won, **groups):
    table = pd.DataFrame({"deal_id": range(len(won)), "outcome": np.where(won, "won", "lost"), **groups})
    return journeys.win_rates({"deals": table})


def test_an_owner_who_wins_twice_as_often_stands_out_and_the_others_do_not():
    found = rates(
        [True] * 60 + [False] * 40 + [True, False, False] * 100,
        owner=np.repeat(["Sara", "a", "b", "c"], [100, 99, 99, 102]),
    )
    table = found.table.set_index("group")
    assert table.loc["Sara", ["n", "won", "n_elsewhere"]].tolist() == [100, 60, 300]
    assert table.loc["Sara", "difference"] == pytest.approx(0.6 - 1 / 3)
    assert table.loc["Sara", "differs"]
    # Cohen: 2 asin √.6 - 2 asin √(1/3)
    assert table.loc["Sara", "effect"] == pytest.approx(0.541, abs=0.001)
    assert "Sara (60 % of 100, all others 33 %)" in found.words


def test_no_owner_stands_out_where_all_win_alike():
    # 40 markets of twenty owners with twenty deals each: one in twenty may mislead, two; more than six is no chance
    rng, owners = np.random.default_rng(1), np.repeat([f"o{i}" for i in range(20)], 20)
    misled = sum(rates(rng.random(400) < 0.4, owner=owners).table["differs"].any() for _ in range(40))
    assert misled <= 6


def test_groups_of_fewer_than_five_deals_are_left_out_everywhere():
    found = rates([True, False] * 12, owner=["a"] * 10 + ["b"] * 10 + ["c"] * 4)
    assert found.table[["group", "n", "n_elsewhere"]].values.tolist() == [["a", 10, 10], ["b", 10, 10]]
    assert (found.won, found.n) == (12, 24)


def test_within_days_all_deals_are_judged_that_were_seen_as_long():
    # won on day 5 and 40, lost, open since day 0; the deal of day 80 was seen for 20 days only
    base = {"deals": deals(("a", 0, 5, "won"), ("b", 0, 40, "won"), ("c", 0, 1, "lost"), ("d", 0, None, "open"),
                           ("e", 1, 6, "won"), ("f", 80, 81, "won"), ("z", 0, 100, "lost"), source="fair")}  # fmt: skip
    found = journeys.win_rates(base, "source", within_days=30)
    assert found.table[["n", "won"]].values.tolist() == [[6, 2]]


def test_where_no_loss_is_recorded_wins_of_the_first_quarter_are_compared():
    rows = [(f"{i:03}", 0, 10 if i % 2 else None, "won" if i % 2 else "open") for i in range(40)]
    base = {"deals": deals(*rows, ("late", 200, 201, "won"), source=["web", "fair"] * 20 + ["web"])}
    found = journeys.win_rates(base)
    assert found.words.startswith("Won within 90 days, of all deals seen for as long. By source: fair (100 % of 20")


# Bases as they come


def test_neither_the_order_of_the_rows_nor_repeated_rows_change_anything(few_draws):
    base, _ = simulated(5, per_day=5.0, owner=["Sara", "Omid", "Leila"] * 100)
    mixed = {name: pd.concat([t, t.head(50)]).sample(frac=1, random_state=1) for name, t in base.items()}
    assert said(journeys.pipeline(base)) == said(journeys.pipeline(mixed))
    assert said(journeys.win_rates(base)) == said(journeys.win_rates(mixed))
    assert journeys.deal_events(base).equals(journeys.deal_events(mixed))


def test_the_same_seed_gives_the_same_figures_and_another_one_others(few_draws):
    base, _ = simulated(6, per_day=5.0)
    assert said(journeys.pipeline(base, seed=1)) == said(journeys.pipeline(base, seed=1))
    assert not figures(base, seed=1)["low"].equals(figures(base, seed=2)["low"])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a", 0, 3, "won")],
        [("a", 0, None, "open")],
        [("a", 0, None, "open"), ("b", 2, None, "open")],
        [("a", 0, 3, "lost"), ("b", 0, 3, "lost")],
        [("a", 5, 3, "won"), ("b", 0, None, "lost")],
        [("a", None, None, "open"), ("b", None, None, "won")],
    ],
    ids=["none", "one", "one open", "all open", "all lost", "ends before it begins", "no dates"],
)
def test_poor_bases_give_tables_and_words(rows, few_draws):
    base = {"deals": deals(*rows)}
    found = journeys.pipeline(base)
    assert found.words
    assert found.figures["value"].iloc[0] == sum(r[3] == "open" for r in rows)
    shares = found.stages[["rate", "win_chance"]].to_numpy()
    assert ((shares >= 0) & (shares <= 1) | np.isnan(shares)).all()
    assert journeys.win_rates(base).words
    assert len(journeys.deal_events(base)) <= 2 * len(rows)


def test_nothing_is_expected_of_a_stage_that_nobody_has_left(few_draws):
    base = {
        "deals": deals(("a", 0, 9, "won"), ("b", 0, 9, "lost"), ("c", 0, None, "open"), amount=10.0),
        "deal_stages": stages(("a", "lead", 0), ("b", "lead", 0), ("c", "lead", 0), ("c", "trial", 5)),
    }
    found = journeys.pipeline(base)
    trial = found.stages.set_index("stage").loc["trial"]
    assert (trial["entered"], trial["open"]) == (1, 1)
    assert np.isnan([trial["rate"], trial["win_chance"], trial["median_days"], trial["expected"]]).all()
    assert np.isnan(found.figures.set_index("measure").loc["pipeline_value", "value"])


def test_stages_that_lead_only_to_each_other_lead_to_no_win(few_draws):
    rounds = [(i, "ab"[n % 2], n) for i in "xyz" for n in range(6)]
    base = {"deals": deals(*((i, 0, None, "open") for i in "xyz")), "deal_stages": stages(*rounds)}
    assert journeys.pipeline(base).stages["win_chance"].tolist() == pytest.approx([0, 0])


def test_ten_thousand_owners_are_compared_at_once():
    owners = np.repeat(np.arange(10_000), 6).astype(str)
    found = rates(np.tile([True, False, False], 20_000), owner=owners)
    assert len(found.table) == 10_000
    assert found.words == "By owner: no one stands out (10,000 compared)."


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ({}, "needs the table deals"),
        ({"deals": deals(("a", 0, 1, "Closed"))}, 'the outcome "Closed" in 1 rows.* replace it'),
        ({"deals": deals(("a", 0, 1, "won")).assign(created_at="2025-01-01")}, "created_at of the deals holds text"),
        ({"deals": deals(("a", 0, 1, "won")).drop(columns="closed_at")}, 'deals has no column "closed_at"'),
        ({"deals": deals(("a", 0, 1, "won"), amount="much")}, "amount of a deal is no number"),
        (
            {"deals": deals(("a", 0, 9, "won")), "deal_stages": stages(*(("a", f"s{i}", i / 9) for i in range(60)))},
            "names 60 stages",
        ),
    ],
)
def test_a_slip_is_told_with_its_cure(base, message):
    with pytest.raises(Problem, match=message):
        journeys.pipeline(base)


def test_an_unknown_split_and_one_that_the_base_lacks_are_told():
    rates_of = {"deals": deals(("a", 0, 1, "won"), owner="Sara")}
    with pytest.raises(Problem, match=r'"ownr"\. Did you mean "owner"'):
        journeys.win_rates(rates_of, "ownr")
    with pytest.raises(Problem, match=r"does not say the source of its deals\. It has: owner"):
        journeys.win_rates(rates_of, ["source"])
