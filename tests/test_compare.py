from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis import evidence, profiles, sources
from analysis.errors import Problem

TEHRAN = "Asia/Tehran"


def at(*days):
    return pd.to_datetime(list(days), format="ISO8601").tz_localize(TEHRAN)


# Ratios of shares


def test_a_ratio_of_shares_agrees_with_the_score_interval():
    # Koopman's score interval, worked out by iteration, for groups of fair size
    for counts in ((30, 100, 15, 100), (200, 1000, 150, 1000), (80, 90, 60, 120)):
        ratio, low, high, p = evidence.ratio_of_shares(*counts)
        assert ratio == pytest.approx(counts[0] / counts[1] / (counts[2] / counts[3]))
        score = confint_proportions_2indep(*counts, method="score", compare="ratio", correction=False)
        assert (low, high) == pytest.approx(score, rel=0.015)
        assert p == evidence.difference_of_shares(*counts)[3]


def test_a_ratio_of_nobody_starts_at_zero_and_one_over_nobody_has_no_end():
    assert evidence.ratio_of_shares(0, 20, 30, 100)[:2] == (0, 0)
    ratio, low, high, _ = evidence.ratio_of_shares(5, 20, 0, 100)
    assert (ratio, high) == (np.inf, np.inf)
    assert low > 1
    assert np.isnan(evidence.ratio_of_shares(0, 5, 0, 5)[0])


@given(st.tuples(*[st.integers(1, 50)] * 4), st.floats(0.5, 0.999))
def test_a_ratio_the_other_way_round_is_its_reciprocal(counts, confidence):
    k1, more1, k2, more2 = counts
    there = evidence.ratio_of_shares(k1, k1 + more1, k2, k2 + more2, confidence)
    back = evidence.ratio_of_shares(k2, k2 + more2, k1, k1 + more1, confidence)
    assert there[1] <= there[0] <= there[2]
    assert (1 / back[0], 1 / back[2], 1 / back[1]) == pytest.approx(there[:3])


def test_the_interval_of_a_ratio_holds_its_promise():
    # 12 of 40 against 60 of 400 truly: 95 in 100 intervals shall hold 2; of 4,000 worlds within three standard errors
    rng = np.random.default_rng(1)
    _, low, high, _ = evidence.ratio_of_shares(rng.binomial(40, 0.3, 4000), 40, rng.binomial(400, 0.15, 4000), 400)
    assert np.mean((low <= 2) & (high >= 2)) == pytest.approx(0.95, abs=0.0125)


def test_holm_leaves_out_what_is_missing():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    assert evidence.holm(p)[[0, 2, 3]] == pytest.approx(multipletests(p[[0, 2, 3]], method="holm")[1])
    assert np.isnan(evidence.holm(p)[1])


# Groups compared


def people():
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(80)],
            "gender": ["f", "m"] * 40,
            "age": [30.0, 40.0, 34.0, 44.0] * 20,
            "interests": [["novel", "art"], ["art"], ["novel"], []] * 20,
            "n_orders": [0, 0, 4, 2] * 20,
            "city": ["Yazd", "Qom", "Qom", "Yazd"] * 20,
            "shoe_size": [40] * 40 + [42] * 40,
        }
    )


def test_groups_are_compared_as_evidence_does_with_a_family_and_words_to_each_row():
    found = profiles.compare(people(), "gender")
    row = found.query("group == 'f' and trait == 'age'").squeeze()
    assert (row["family"], row["value"], row["elsewhere"]) == ("demographic", 32, 42)
    assert row["words"].startswith(
        "Of 40 customers with gender “f”, the mean age is 32, 42 among the others (difference −"
    )
    assert found["family"].unique().tolist() == ["demographic", "geographic", "psychographic", "behavioural", "own"]
    assert found["p_corrected"].to_numpy() == pytest.approx(multipletests(found["p"], method="holm")[1])


def test_each_item_of_a_list_is_compared():
    # "novel": all 40 women, no man; "art": 20 women and 20 men
    found = profiles.compare(people(), "gender", ["psychographic"]).query("group == 'f'").set_index("level")
    assert found[["trait", "value", "elsewhere"]].values.tolist() == [["interests", 0.5, 0.5], ["interests", 1, 0]]
    assert found["distinctive"].to_dict() == {"art": False, "novel": True}
    assert "100 % have interests “novel”, 0 % of the others" in found.loc["novel", "words"]


def test_what_is_nothing_without_a_purchase_is_compared_among_buyers():
    # women who bought have 4 orders, men 2; half of either never bought
    row = profiles.compare(people(), "gender", ["behavioural"]).query("group == 'f'").squeeze()
    assert (row["n"], row["value"], row["elsewhere"]) == (20, 4, 2)


def test_asking_for_fewer_families_asks_fewer_questions():
    everything, one = profiles.compare(people(), "gender"), profiles.compare(people(), "gender", ["geographic"])
    assert set(one["family"]) == {"geographic"}
    assert (one["high"] - one["low"]).max() < (everything.query("trait == 'city'")[["high"]].max() * 2).item()
    with pytest.raises(Problem, match=r'no family "demografic"\. Did you mean "demographic"'):
        profiles.compare(people(), "gender", ["demografic"])
    with pytest.raises(Problem, match='Did you mean "gender"'):
        profiles.compare(people(), "gendre")


def test_shares_count_customers_and_few_are_told_together():
    table = pd.DataFrame({"pays": ["cash"] * 12 + ["card"] * 5 + ["gift"] * 2 + ["coupon"] + [None] * 5})
    found = profiles.shares(table, "pays")
    assert found[["group", "customers", "value"]].values.tolist() == [
        ["cash", 12, 0.6],
        ["card", 5, 0.25],
        ["others", 3, 0.15],
    ]
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx(evidence.share_interval(12, 20))
    listed = profiles.shares(pd.DataFrame({"tags": [["a", "b"]] * 6 + [["a"]] * 4}), "tags")
    assert listed["value"].tolist() == [1.0, 0.6]


def test_in_the_dark_is_whoever_has_nothing_in_a_family():
    table = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "kind": ["person", "person", "person", "company"],
            "age": [30, None, None, None],
            "gender": [None, "f", None, None],
            "industry": [None, None, None, "school"],
            "n_orders": [1, 0, 0, 0],
            "recency_days": [3.0, None, None, None],
            "signup_at": pd.Timestamp("2024-01-01"),
            "interests": [["novel"], [], None, None],
            "n_touchpoints": [0, 5, 0, 0],
        }
    )
    found = profiles.in_the_dark(table).set_index("group")
    assert found["dark"].to_dict() == {
        **{"demographic": 1, "firmographic": 0, "psychographic": 3, "engagement": 3, "behavioural": 3}
    }
    assert found["customers"].to_dict() == {
        **{"demographic": 3, "firmographic": 1, "psychographic": 4, "engagement": 4, "behavioural": 4}
    }
    assert found.loc["behavioural", "value"] == 0.75


# Places


def _places(sizes, means, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    names = np.repeat([f"p{i:02}" for i in range(len(sizes))], sizes)
    return pd.DataFrame({"city": names, "n_orders": np.repeat(means, sizes) + rng.normal(0, spread, sum(sizes))})


def test_q_and_the_spread_between_places_agree_with_statsmodels():
    table = _places([40, 60, 25, 200], [5, 5.5, 4, 5])
    found = profiles.by_place(table, "n_orders")
    groups = table.groupby("city")["n_orders"].agg(["size", "mean", "var"])
    within = (groups["var"] * (groups["size"] - 1)).sum() / (len(table) - 4)
    by_them = combine_effects(groups["mean"].to_numpy(), (within / groups["size"]).to_numpy(), method_re="chi2")
    assert found.q == pytest.approx(by_them.q)
    assert found.p == pytest.approx(stats.chi2.sf(by_them.q, 3))
    assert found.whole == pytest.approx(by_them.mean_effect_re)
    own = by_them.tau2 / (by_them.tau2 + within / 25)
    shrunk = found.table.set_index("group").loc["p02", "shrunk"]
    assert shrunk == pytest.approx(own * groups.loc["p02", "mean"] + (1 - own) * found.whole)


def test_a_small_place_is_drawn_further_toward_the_whole_than_a_large_one():
    # the same distance above the others: 25 customers count for less than 400
    table = pd.DataFrame({"city": ["big"] * 400 + ["small"] * 25 + ["a"] * 200 + ["b"] * 200})
    table["n_orders"] = [*[7.0, 5.0] * 200, *[7.0, 5.0] * 12, 6.0, *[6.0, 4.0] * 100, *[5.5, 3.5] * 100]
    found = profiles.by_place(table, "n_orders").table.set_index("group")
    assert found.loc["big", "value"] == found.loc["small", "value"] == 6
    assert found.loc["small", "shrunk"] < found.loc["big", "shrunk"] < 6
    assert found.index[0] == "big"


def test_places_that_do_not_differ_are_all_the_whole():
    table = pd.DataFrame({"city": ["a", "b", "c"] * 40, "n_orders": np.repeat([1.0, 2, 3, 4], 30)})
    found = profiles.by_place(table, "n_orders")
    assert not found.differ
    assert found.chance == 1
    assert found.table["shrunk"].to_numpy() == pytest.approx([found.whole] * 3)
    assert "do not differ beyond chance" in found.words


def test_of_places_without_a_difference_one_in_twenty_is_said_to_differ_even_with_skewed_money():
    # 120 worlds of twelve places of 20 to 90 buyers, one lognormal for all: 5 % within three standard errors
    rng = np.random.default_rng(2)
    city = np.repeat([f"p{i}" for i in range(12)], rng.integers(20, 90, 12))
    said = [
        profiles.by_place(pd.DataFrame({"city": city, "total_spend": rng.lognormal(12, 1.3, len(city))})).differ
        for _ in range(120)
    ]
    assert np.mean(said) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)


def test_money_is_told_as_the_typical_amount_of_those_who_have_any():
    # 1, 100 and 10,000: typically 100, whatever the one who has nothing
    table = pd.DataFrame(
        {"city": ["a"] * 40 + ["b"] * 30, "total_spend": [0.0] * 10 + [1.0, 100, 10_000] * 10 + [100.0] * 30}
    )
    found = profiles.by_place(table, "total_spend")
    assert (found.scale, found.left_out) == ("typical", 10)
    assert found.table["value"].to_numpy() == pytest.approx([100, 100])


def test_small_places_are_told_together_and_a_rest_too_small_is_left_out():
    table = pd.DataFrame({"city": ["a"] * 30 + ["b"] * 12 + ["c"] * 11 + [None] * 3, "n_orders": [1, 2, 3, 4] * 14})
    found = profiles.by_place(table, "n_orders")
    assert found.table.set_index("group")["customers"].to_dict() == {"a": 30, "other places": 23}
    assert found.left_out == 3
    with pytest.raises(Problem, match="two are needed"):
        profiles.by_place(table[:42], "n_orders")
    with pytest.raises(Problem, match="holds words"):
        profiles.by_place(table, "city")


def test_a_share_by_place_is_a_share():
    table = pd.DataFrame(
        {"city": ["a"] * 50 + ["b"] * 50, "vip": [True] * 40 + [False] * 10 + [True] * 10 + [False] * 40}
    )
    found = profiles.by_place(table, "vip")
    assert (found.scale, found.differ) == ("share", True)
    assert found.table["value"].tolist() == [0.8, 0.2]


# Rivals


def ratings(n=60, seed=1):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        mood = rng.normal(0, 1)
        for brand, attribute, mean in (
            *(("we", "price", 2.0), ("we", "staff", 4.0), ("we", "app", 3.0)),
            *(("Barg", "price", 3.5), ("Barg", "staff", 2.5), ("Barg", "app", 3.0)),
            *((("Kaghazi", "price", 2.0),) if i % 2 else ()),
        ):
            rows.append((f"c{i}", brand, attribute, round(mean + mood + rng.normal(0, 0.5)), at("2024-03-01")[0]))
    return pd.DataFrame(rows, columns=["customer_id", "brand", "attribute", "rating", "rated_at"])


def test_we_are_compared_with_a_rival_by_the_same_customers():
    table = ratings()
    found = profiles.rivals({"brand_ratings": table}, ours="we").ratings.set_index(["attribute", "rival"])
    wide = table.pivot(index="customer_id", columns=["brand", "attribute"], values="rating")
    ours, theirs = wide["we", "price"], wide["Barg", "price"]
    row = found.loc[("price", "Barg")]
    assert row["value"] == pytest.approx((ours - theirs).mean())
    assert row["p"] == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)
    interval = stats.ttest_rel(ours, theirs).confidence_interval(1 - 0.05 / len(found))
    assert (row["low"], row["high"]) == pytest.approx(tuple(interval))
    assert found["p_corrected"].to_numpy() == pytest.approx(multipletests(found["p"], method="holm")[1])
    assert found["ahead"].to_dict()["price", "Barg"] == "Barg"
    assert found["ahead"].to_dict()["staff", "Barg"] == "we"
    assert found["ahead"].to_dict()["app", "Barg"] == ""
    assert found.loc[("price", "Kaghazi"), "customers"] == 30
    together = wide[[("Barg", "price"), ("Kaghazi", "price")]].mean(axis=1)
    assert found.loc[("price", "all rivals"), "value"] == pytest.approx((ours - together).mean(), abs=1e-4)


def test_ours_is_the_brand_that_most_customers_rate_of_equals_the_first_by_name_and_so_it_is_said():
    table = ratings()
    assert profiles.rivals({"brand_ratings": table}).ours == "Barg"
    few = table[(table["brand"] == "we") | (table["customer_id"] != "c0")]
    found = profiles.rivals({"brand_ratings": few})
    assert (found.ours, found.said) == ("we", "“we” is taken for ours, as most customers rate it (60).")
    with pytest.raises(Problem, match=r'no brand "wee"\. Did you mean "we"'):
        profiles.rivals({"brand_ratings": table}, ours="wee")
    with pytest.raises(Problem, match="rates 1 brands"):
        profiles.rivals({"brand_ratings": table[table["brand"] == "we"]})
    with pytest.raises(Problem, match="needs a table of brand_ratings"):
        profiles.rivals({"orders": table})


def test_importance_is_the_rank_correlation_with_the_last_nps():
    # what staff are rated decides the last NPS; an earlier NPS says the opposite and does not count
    table = ratings(n=80)
    staff = table.query("brand == 'we' and attribute == 'staff'").set_index("customer_id")["rating"]
    last = pd.DataFrame(
        {"customer_id": staff.index, "given_at": at("2024-02-02")[0], "instrument": "nps", "score": staff + 3.0}
    )
    first = last.assign(given_at=at("2024-01-01")[0], score=10.0 - staff)
    base = {"brand_ratings": table, "feedback": pd.concat([last, first])}
    found = profiles.rivals(base, ours="we")
    assert (found.against, found.importance["attribute"].iloc[0]) == ("nps", "staff")
    assert found.importance["value"].iloc[0] == pytest.approx(1)
    price = found.importance.set_index("attribute").loc["price"]
    rated = table.query("brand == 'we' and attribute == 'price'").set_index("customer_id")["rating"]
    r = stats.spearmanr(rated, staff.reindex(rated.index)).statistic
    reach = 1.959964 * np.sqrt((1 + r**2 / 2) / 77)  # Bonett and Wright (2000)
    assert price[["value", "low", "high"]].tolist() == pytest.approx(
        [r, np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach)], abs=1e-6
    )
    early = profiles.rivals(base, "2024-03-31", ours="we").against
    assert (early, profiles.rivals({"brand_ratings": table}, ours="we").against) == ("nps", "the other attributes")


# Topics


def _tickets(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "opened_at", "topic", "satisfaction"])
    return frame.assign(opened_at=at(*frame["opened_at"]), ticket_id=[str(i) for i in range(len(frame))])


def test_topics_count_customers_and_scores_by_hand():
    # late: a three times, b to f once: 8 tickets of 6 customers of 20; mean of 1, 1, 1, 4 over the four that are scored
    rows = [("a", "2024-01-05", "late", 1.0)] * 3 + [("b", "2024-01-06", "late", 4.0)]
    rows += [(c, "2024-01-06", "late", None) for c in "cdef"] + [("g", "2024-01-06", "rare", 1.0)]
    base = {"tickets": _tickets(*rows), "customers": pd.DataFrame({"customer_id": list("abcdefghijklmnopqrst")})}
    found = profiles.topics(base, "2024-06-30").squeeze()  # "rare" is one customer's: not told
    assert (found["source"], found["topic"], found["rows"], found["customers"]) == ("tickets", "late", 8, 6)
    assert found["value"] == 0.3
    assert (found["low"], found["high"]) == pytest.approx(evidence.share_interval(6, 20))
    assert found["score"] == 1.75
    assert np.isnan(found["trend"])  # the base does not reach back two years


def test_a_topic_that_more_of_the_active_customers_raise_than_a_year_before_moves_up():
    # 200 active in either year; "price" from 10 to 60 of them, "late" 20 in both
    def year(day, price):
        return [(f"c{i}", day, "price" if i < price else "late" if i >= 180 else "question", 3.0) for i in range(200)]

    base = {"tickets": _tickets(*year("2022-06-01", 0), *year("2023-06-01", 10), *year("2024-06-01", 60))}
    found = profiles.topics(base, "2024-12-31").set_index("topic")
    assert found.loc["price", ["year", "year_before", "trend"]].tolist() == pytest.approx([0.3, 0.05, 0.25])
    assert found["moved"].to_dict() == {"price": "up", "late": "", "question": "down"}
    interval = evidence.difference_of_shares(60, 200, 10, 200, 1 - 0.05 / 3)[1:3]
    assert found.loc["price", ["trend_low", "trend_high"]].tolist() == pytest.approx(interval)
    earlier = profiles.topics(base, "2023-12-31").set_index("topic")
    assert earlier.loc["price", "customers"] == 10  # nothing after as_of


def test_feedback_is_told_by_instrument_as_scales_differ():
    rows = [
        (f"c{i}", at("2024-01-05")[0], kind, score, "delivery")
        for i in range(6)
        for kind, score in (("nps", 9), ("csat", 4))
    ]
    base = {"feedback": pd.DataFrame(rows, columns=["customer_id", "given_at", "instrument", "score", "topic"])}
    found = profiles.topics(base, "2024-06-30").set_index("source")
    assert found["score"].to_dict() == {"nps": 9, "csat": 4}
    with pytest.raises(Problem, match="needs tickets or feedback"):
        profiles.topics({"orders": base["feedback"]}, "2024-06-30")


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_the_engine_and_pandas_and_any_row_order_say_the_same(seed):
    table = ratings(n=20).sample(frac=1, random_state=seed)
    tickets = _tickets(*[(f"c{i % 9}", "2024-01-05", ("late", "price")[i % 2], float(i % 5)) for i in range(40)])
    db = sources.connect(TEHRAN)
    shuffled = tickets.sample(frac=1, random_state=seed)
    there = {"brand_ratings": db.from_df(table), "tickets": db.from_df(shuffled)}
    here = {"brand_ratings": ratings(n=20), "tickets": tickets}
    day = date(2024, 6, 30)
    pd.testing.assert_frame_equal(profiles.topics(there, day), profiles.topics(here, day), check_dtype=False)
    ours, theirs = (profiles.rivals(base, day, ours="we") for base in (there, here))
    pd.testing.assert_frame_equal(ours.ratings, theirs.ratings, check_dtype=False, check_exact=True)
    pd.testing.assert_frame_equal(ours.importance, theirs.importance, check_dtype=False)


def test_in_the_bookshop_the_planted_rival_is_ahead_on_price_and_nowhere_else(world):
    db = sources.connect(TEHRAN)
    base = {name: db.from_df(world.tables[name]) for name in ("brand_ratings", "feedback")}
    found = profiles.rivals(base, "2026-03-20")
    assert found.ours == "our bookshop"
    ahead = found.ratings.query("rival != 'all rivals' and ahead not in ('', 'our bookshop')")
    assert ahead[["attribute", "rival"]].values.tolist() == [["price", "Barg Online"]]
    assert ahead["low"].item() < -0.8 < ahead["high"].item()


# The best against the others, and where they live


def test_what_the_best_are_best_by_does_not_set_them_apart():
    # the ten best by spend are those with most orders, and all from Yazd: only the place is told
    table = pd.DataFrame({"customer_id": range(50), "city": ["Yazd"] * 10 + ["Qom"] * 40})
    table = table.assign(total_spend=[9.0] * 10 + [1.0] * 40, spend_365d=table.index < 10, n_orders=[9] * 10 + [1] * 40)
    apart = profiles.best_apart(table, "total_spend")
    assert set(apart["trait"]) == {"city"}
    assert set(apart["group"]) == {"the best fifth"}
    assert apart["words"].str.startswith("Of 10 customers among the best fifth, ").all()


def test_nothing_sets_three_customers_apart():
    table = pd.DataFrame({"customer_id": range(3), "city": ["a", "b", "c"], "total_spend": [1.0, 2.0, 3.0]})
    assert profiles.best_apart(table, "total_spend").empty


def test_the_finest_place_of_which_two_can_be_compared_is_shown():
    table = pd.DataFrame({"city": [f"town {i}" for i in range(60)], "region": ["north", "south"] * 30})
    table = table.assign(country="Iran", total_spend=1.0)
    assert profiles.place_to_show(table, "total_spend") == "region"
    # of whom nothing is known to be worth anything, there are no two either
    assert profiles.place_to_show(table.assign(total_spend=0.0), "total_spend") == ""


def test_worth_is_what_varies_first_money_then_visits():
    table = pd.DataFrame({"total_spend": [0.0, 0.0], "n_orders": [0, 0], "n_touchpoints": [1, 5]})
    assert profiles.worth(table) == "n_touchpoints"
    assert profiles.worth(table.assign(won_value=[1.0, 2.0])) == "won_value"
    assert profiles.worth(table[["n_orders"]]) == ""


def test_the_net_promoter_score_of_a_year_counts_each_customers_last_answer():
    # six customers; the first said 3 in March and 10 in May: 4 of 6 promote, 1 detracts, 50 points
    scores = [("a", "2024-03-01", 3), ("a", "2024-05-01", 10), ("b", "2024-01-01", 9), ("c", "2024-01-01", 9)]
    scores += [("d", "2024-01-01", 10), ("e", "2024-01-01", 8), ("f", "2024-01-01", 6), ("g", "2023-01-01", 0)]
    answers = pd.DataFrame(scores, columns=["customer_id", "given_at", "score"]).assign(instrument="nps")
    answers["given_at"] = at(*answers["given_at"])
    years = profiles.nps_by_year({"feedback": answers})
    assert years[["group", "customers"]].values.tolist() == [["2024", 6]]  # one answer of 2023 is told of nobody
    assert years["value"].item() == pytest.approx(50)
    # before May the first customer still detracts: 3 promote, 2 detract
    assert profiles.nps_by_year({"feedback": answers}, "2024-04-30")["value"].item() == pytest.approx(100 / 6)
