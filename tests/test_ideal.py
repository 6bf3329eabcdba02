from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, roc_auc_score
from statsmodels.stats.multitest import multipletests

from analysis import bookshop, profiles, sources
from analysis.errors import Problem
from analysis.profiles import fit as fitting
from analysis.profiles import ideal, traits
from analysis.schema import PROFILE_COLUMNS, TABLES

TEHRAN = "Asia/Tehran"


def customers(n, **columns):
    return pd.DataFrame({"customer_id": [f"c{i:05}" for i in range(n)], **columns})


def of(table, values, name="met"):
    return pd.Series(list(values), index=table["customer_id"], name=name)


def level(found, trait, name):
    return found.lifts.query("trait == @trait and level == @name").squeeze()


@pytest.fixture(scope="module")
def two_causes():
    """1,500 customers of whom students and app users meet a target more often, each by itself; colour does nothing."""
    rng = np.random.default_rng(3)
    job, channel = rng.choice(["student", "nurse", "clerk"], 1500), rng.choice(["app", "web"], 1500)
    chance = expit(-2 + 1.6 * (job == "student") + 1.6 * (channel == "app"))
    table = customers(1500, job=job, channel=channel, colour=rng.choice(["red", "blue"], 1500))
    return table, of(table, rng.random(1500) < chance), chance


@pytest.fixture(scope="module")
def found(two_causes):
    table, target, _ = two_causes
    return profiles.ideal_customer(table, target)


# Lifts


def test_a_lift_is_the_share_here_over_the_share_among_the_others():
    # 40 students, 20 of whom meet the target, 60 others, 10 of whom do: .5 against 1/6 is 3 times as often
    table = customers(100, job=["student"] * 40 + ["clerk"] * 60)
    row = level(profiles.ideal_customer(table, of(table, [i < 20 or i >= 90 for i in range(100)])), "job", "student")
    assert (row["customers"], row["share"], row["base_rate"]) == (40, 0.5, 0.3)
    assert (row["elsewhere"], row["lift"]) == pytest.approx((1 / 6, 3))
    assert row["p"] == pytest.approx(stats.chi2_contingency([[20, 20], [10, 50]], correction=False).pvalue)
    assert 1 < row["low"] < 3 < row["high"]
    assert row["marks"]


def test_not_known_is_a_level_and_the_others_are_those_of_whom_the_trait_is_known():
    # 50 with a job (30 students, 15 meet it; 20 clerks, 4 do), 50 without, 25 of whom do
    table = customers(100, job=["student"] * 30 + ["clerk"] * 20 + [None] * 50)
    met = [*[i < 15 for i in range(30)], *[i < 4 for i in range(20)], *[i < 25 for i in range(50)]]
    found = profiles.ideal_customer(table, of(table, met))
    assert level(found, "job", "student")["elsewhere"] == pytest.approx(4 / 20)
    assert level(found, "job", "not known")["elsewhere"] == pytest.approx(19 / 50)


def test_every_item_of_a_list_is_a_level_and_an_empty_list_too():
    table = customers(90, interests=[["novel", "art"]] * 30 + [["novel"]] * 30 + [[]] * 30)
    lifts = profiles.ideal_customer(table, of(table, [i % 3 == 0 for i in range(90)])).lifts
    assert dict(zip(lifts["level"], lifts["customers"], strict=True)) == {"novel": 60, "art": 30, "none": 30}


def test_p_values_are_corrected_after_holm_over_the_whole_table(found):
    assert len(found.lifts) == 7
    assert found.lifts["p_corrected"].to_numpy() == pytest.approx(multipletests(found.lifts["p"], method="holm")[1])


def test_all_intervals_hold_together(found):
    # seven rows: each interval is one of 1 - .05/7
    from analysis.evidence import ratio_of_shares

    row = level(found, "job", "student")
    k, n = round(row["share"] * row["customers"]), row["customers"]
    low, high = ratio_of_shares(k, n, found.met - k, found.customers - n, 1 - 0.05 / 7)[1:3]
    assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_what_does_something_marks_and_what_does_nothing_does_not(found):
    assert set(found.lifts.query("marks")["trait"]) == {"job", "channel"}


def test_a_difference_that_is_real_and_small_marks_nobody():
    # 55 against 50 %: 1.1 times as often, beyond chance with 8,000 customers
    table = customers(8000, half=["a", "b"] * 4000)
    met = np.arange(8000) // 2 % 20 < np.where(np.arange(8000) % 2 == 0, 11, 10)
    target = of(table, met)
    small, any_size = (profiles.ideal_customer(table, target, large=large).lifts for large in (1.25, 1.05))
    assert (small["p_corrected"] < 1e-4).all()
    assert (small["marks"].any(), any_size["marks"].all()) == (False, True)


def test_what_marks_those_who_meet_a_target_marks_those_who_do_not(two_causes):
    table, target, _ = two_causes
    marks = [profiles.ideal_customer(table, t).lifts["marks"].tolist() for t in (target, ~target)]
    assert marks[0] == marks[1]


def test_levels_of_few_customers_are_not_told():
    table = customers(200, city=["Yazd"] * 185 + ["Qom"] * 15, job=["a"] * 100 + ["b"] * 90 + ["c"] * 10)
    lifts = profiles.ideal_customer(table, of(table, [i % 4 == 0 for i in range(200)])).lifts
    assert lifts["level"].tolist() == ["a", "b"]  # Yazd has fewer than twenty others, c is too small, even as "others"


# Levels


def test_equal_numbers_fall_into_one_band_and_a_common_number_is_a_band_of_its_own():
    table = customers(100, orders=[0] * 40 + [1, 2, 3, 4, 5, 6] * 10)
    names = traits.levels(table, ["orders"]).table["level"].tolist()
    assert names[0] == "0"
    ages = customers(200, age=list(range(20, 70)) * 4)
    assert traits.levels(ages, ["age"]).table["level"].tolist() == [
        *("under 29", "29 to 38", "39 to 48", "49 to 58", "59 and more")
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-3, 8), st.floats(-1e9, 1e9)), min_size=1, max_size=80))
def test_every_customer_has_exactly_one_band_and_bands_are_in_ascending_order(numbers):
    table = customers(len(numbers), x=pd.Series(numbers, dtype="float64"))
    found = traits.levels(table, ["x"], min_size=1)
    assert found.has.sum(axis=1).tolist() == [1] * len(numbers)
    assert found.table["level"].is_unique
    place = found.has.toarray().argmax(axis=1)
    known = table["x"].notna()
    by_value = pd.Series(place[known]).groupby(table["x"][known].to_numpy()).agg(["min", "max"])
    assert (by_value["min"] == by_value["max"]).all()
    assert by_value["min"].is_monotonic_increasing


def test_dates_constants_and_identifiers_are_no_traits_and_it_is_said_why():
    table = customers(
        60, country="Iran", signup_at=pd.Timestamp("2024-01-01"), code=[f"x{i}" for i in range(60)], a=[0, 1] * 30
    )
    checked = profiles.ideal_customer(table, of(table, [i % 2 == i % 3 for i in range(60)])).checked.set_index("trait")
    assert checked.index[checked["used"]].tolist() == ["a"]
    assert [word in why for word, why in zip(("same", "date", "identifier"), checked["why"], strict=False)] == [
        True
    ] * 3


def test_every_canonical_column_has_a_family_and_only_what_is_recorded_is_an_attribute():
    columns = [*TABLES["customers"].column, *PROFILE_COLUMNS]
    assert [c for c in columns if profiles.family(c) == "own"] == [
        "customer_id",
        "name",
        "email",
        "phone",
        "tags",
    ]
    assert profiles.family("till") == "own"
    table = customers(1, age=30, city="Yazd", tags=[["vip"]], shoe_size=40, n_orders=2, score_quality=0.5, last_nps=9)
    assert profiles.attributes(table) == ["age", "city", "tags", "shoe_size"]


# The target, and what tells it too well


@pytest.mark.parametrize(
    "copy",
    [
        lambda met, i: int(met),
        lambda met, i: "gold" if met else ("silver", "none")[i % 2],
        lambda met, i: 100 + i if met else i,
        lambda met, i: 5.0 if met else None,
        lambda met, i: ["best", "any"] if met else ["any"],
    ],
)
def test_a_copy_of_the_target_is_left_out_in_whatever_disguise(copy):
    met = [i % 3 == 0 for i in range(90)]
    table = customers(90, city=["Yazd", "Qom"] * 45, copied=[copy(m, i) for i, m in enumerate(met)])
    checked = profiles.ideal_customer(table, of(table, met)).checked.set_index("trait")
    assert checked["used"].to_dict() == {"city": True, "copied": False}
    assert "without fail" in checked.loc["copied", "why"] or "the same for everybody" in checked.loc["copied", "why"]
    with pytest.raises(Problem, match='"copied" can be no trait of the target "met"'):
        profiles.ideal_customer(table, of(table, met), traits=["city", "copied"])


def test_the_target_is_no_trait_of_itself():
    table = customers(80, city=["Yazd", "Qom"] * 40, met=[i % 3 == 0 for i in range(80)])
    assert "met" not in set(profiles.ideal_customer(table, "met").lifts["trait"])
    with pytest.raises(Problem, match="the target itself"):
        profiles.ideal_customer(table, "met", traits=["met", "city"])


def test_tags_are_looked_at_only_when_asked_for_as_nobody_knows_when_they_were_given():
    table = customers(80, city=["Yazd", "Qom"] * 40, tags=[["vip"] if i % 3 else [] for i in range(80)])
    target = of(table, [i % 5 < 2 for i in range(80)])
    assert set(profiles.ideal_customer(table, target).lifts["trait"]) == {"city"}
    assert set(profiles.ideal_customer(table, target, traits=["city", "tags"]).lifts["trait"]) == {"city", "tags"}


def test_a_level_that_all_but_settles_the_target_is_used_and_doubted():
    # 39 of 40 with a badge meet a target that a fifth of all meet
    table = customers(400, badge=["badge"] * 40 + ["none"] * 360)
    met = [*[True] * 39, False, *[i < 41 for i in range(360)]]
    checked = profiles.ideal_customer(table, of(table, met)).checked.squeeze()
    assert checked["used"]
    assert "written down after" in checked["why"]


def test_the_target_may_be_numbers_nullable_or_a_column_and_nothing_else():
    table = customers(80, city=["Yazd", "Qom"] * 40, job=["a", "b", "c", "d"] * 20)
    met = [i % 3 == 0 for i in range(80)]
    by_number, by_column = (
        profiles.ideal_customer(table.assign(met=pd.Series(met, dtype=kind)), "met", ["city"]).lifts
        for kind in ("float64", "boolean")
    )
    pd.testing.assert_frame_equal(by_number, by_column)
    with pytest.raises(Problem, match="must be true or false, or 1 or 0; it holds 2 different values"):
        profiles.ideal_customer(table, "city")
    with pytest.raises(Problem, match="knows none of the 80 customers"):
        profiles.ideal_customer(table, pd.Series(met))
    with pytest.raises(Problem, match="a Series with customers' ids"):
        profiles.ideal_customer(table, np.array(met))
    with pytest.raises(Problem, match="one row per customer_id"):
        profiles.ideal_customer(pd.concat([table, table]), "city")
    with pytest.raises(Problem, match='Did you mean "city"'):
        profiles.ideal_customer(table, "citty")


def test_too_few_to_learn_from_is_a_verdict_and_no_error():
    table = customers(300, city=["Yazd", "Qom", "Rasht"] * 100)
    few = profiles.ideal_customer(table, of(table, [i < 24 for i in range(300)]))
    assert (few.verdict, few.met) == ("too few to judge", 24)
    assert few.scores["fit"].isna().all()
    assert "at least 25 of either" in " ".join(ideal.findings(few))
    nobody = profiles.ideal_customer(table, of(table, [False] * 300))
    assert nobody.verdict == "too few to judge"
    assert profiles.ideal_customer(table, of(table, [i < 25 for i in range(300)])).verdict != "too few to judge"


# The fit


def test_two_causes_together_foretell_better_than_the_best_of_them(found):
    assert found.verdict == "better than the naive rule"
    ahead = found.judgement.query("rule == 'fit less best single trait' and figure == 'area under the curve'").squeeze()
    assert ahead["low"] > 0


def test_one_cause_alone_is_no_better_than_the_naive_rule(two_causes):
    table, target, _ = two_causes
    assert profiles.ideal_customer(table, target, traits=["job", "colour"]).verdict == "no better than the naive rule"


def test_the_fit_is_near_the_true_chance(two_causes, found):
    _, _, chance = two_causes
    assert np.abs(found.scores["fit"].to_numpy() - chance).mean() < 0.03
    slope = found.judgement.query("figure == 'calibration slope'").squeeze()
    assert slope["low"] < 1 < slope["high"]
    assert found.calibration["customers"].sum() == 1500


def test_a_customers_own_target_is_not_in_their_fit():
    # 30 towns and 25 jobs that mean nothing and a target by lot: whoever learns it by heart would seem to foretell it
    rng = np.random.default_rng(5)
    table = customers(750, town=[f"t{i % 30}" for i in range(750)], job=[f"j{i // 30}" for i in range(750)])
    found = profiles.ideal_customer(table, of(table, rng.random(750) < 0.3))
    assert found.verdict == "no trait marks them"
    area = found.judgement.query("rule == 'fit' and figure == 'area under the curve'").squeeze()
    assert area["low"] <= 0.5
    single = found.judgement.query("rule == 'best single trait' and figure == 'area under the curve'").squeeze()
    assert single["low"] <= 0.5


def test_leads_are_not_learnt_from_and_get_a_fit_by_their_traits(two_causes):
    table, target, _ = two_causes
    lead = target.astype("boolean").where(np.arange(1500) >= 500)
    with_leads, without = profiles.ideal_customer(table, lead), profiles.ideal_customer(table[500:], target[500:])
    lifts = [f.lifts.sort_values(["trait", "level"], ignore_index=True) for f in (with_leads, without)]
    pd.testing.assert_frame_equal(*lifts)
    known = with_leads.scores["fit"][500:].to_numpy()
    assert known == pytest.approx(without.scores["fit"].to_numpy(), abs=1e-4)  # levels come in another order
    fit = table[:500].assign(fit=with_leads.scores["fit"]).groupby(["job", "channel"])["fit"].mean()
    assert fit.loc["student", "app"] > 0.6 > 0.3 > fit.loc["clerk", "web"]


def test_the_order_of_the_rows_changes_nothing(two_causes, found):
    table, target, _ = two_causes
    order = np.random.default_rng(1).permutation(len(table))
    other = profiles.ideal_customer(table.iloc[order], target.sample(frac=1, random_state=2))
    for name in ("lifts", "scores", "judgement", "calibration", "checked"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(found, name), check_exact=True)


def test_another_seed_draws_other_folds_and_leaves_the_lifts(two_causes, found):
    table, target, _ = two_causes
    other = profiles.ideal_customer(table, target, seed=2)
    pd.testing.assert_frame_equal(other.lifts, found.lifts)
    assert not other.scores["fit"].equals(found.scores["fit"])


# The judgement


def _one_fold(fit, **others):
    scores = {"fit": np.asarray(fit, dtype=float), **{k: np.asarray(v, dtype=float) for k, v in others.items()}}
    return fitting.Fits(np.zeros(len(fit), dtype=int), scores)


def _figure(judged, rule, figure):
    return judged.query("rule == @rule and figure == @figure").squeeze()


def test_area_and_its_covariance_are_those_of_all_pairs():
    # every pair of one with and one without: 1 if ranked right, a half if tied; variances from DeLong's components
    rng = np.random.default_rng(2)
    y = (rng.random(60) < 0.4).astype(float)
    scores = np.round(rng.normal(0, 1, (2, 60)) + y, 1)
    areas, covariance = fitting.area_under_curve(scores, y)
    pairs = np.array([[[(a > b) + (a == b) / 2 for b in s[y == 0]] for a in s[y == 1]] for s in scores])
    assert areas == pytest.approx([roc_auc_score(y, s) for s in scores])
    by_hand = np.cov(pairs.mean(axis=2)) / (y == 1).sum() + np.cov(pairs.mean(axis=1)) / (y == 0).sum()
    assert covariance == pytest.approx(by_hand)


def test_lift_at_ten_per_cent_by_hand_and_ties_share_the_cut():
    # 20 customers, 4 met it: the best two by score both did, 100 % against 20 %; if all are tied, everybody is average
    y = np.array([1, 1, 1, 0, 1] + [0] * 15, dtype=float)
    judged = fitting.judgement(_one_fold(np.linspace(0.9, 0.1, 20), other=np.full(20, 3.0)), y, seed=1)
    assert _figure(judged, "fit", "lift at 10 %")["value"] == pytest.approx(5)
    assert _figure(judged, "other", "lift at 10 %")["value"] == pytest.approx(1)
    assert _figure(judged, "fit less other", "lift at 10 %")["value"] == pytest.approx(4)
    assert _figure(judged, "fit", "Brier score")["value"] == pytest.approx(
        brier_score_loss(y, np.linspace(0.9, 0.1, 20))
    )
    assert judged.query("rule == 'other' and figure == 'Brier score'").empty  # 3 is no chance


def test_chances_that_are_too_extreme_have_a_slope_below_one_and_too_high_ones_a_negative_intercept():
    rng = np.random.default_rng(4)
    chance = expit(rng.normal(0, 1, 5000))
    y = (rng.random(5000) < chance).astype(float)
    extreme = fitting.judgement(_one_fold(expit(2 * logit(chance)), other=chance), y, seed=1)
    assert _figure(extreme, "fit", "calibration slope")["value"] == pytest.approx(0.5, abs=0.05)
    assert _figure(extreme, "fit", "calibration slope")["high"] < 1
    high = fitting.judgement(_one_fold(expit(logit(chance) + 1), other=chance), y, seed=1)
    assert _figure(high, "fit", "calibration slope")["value"] == pytest.approx(1, abs=0.1)
    assert _figure(high, "fit", "calibration intercept")["value"] == pytest.approx(-1, abs=0.1)


def test_the_calibration_line_is_the_logistic_regression_of_statsmodels():
    from statsmodels.discrete.discrete_model import Logit

    rng = np.random.default_rng(6)
    fit = expit(rng.normal(0, 1, 300))
    y = (rng.random(300) < fit).astype(float)
    slope = _figure(fitting.judgement(_one_fold(fit, other=fit), y, seed=1), "fit", "calibration slope")
    model = Logit(y, np.column_stack([np.ones(300), logit(fit)])).fit(disp=0)
    assert slope["value"] == pytest.approx(model.params[1])
    assert [slope["low"], slope["high"]] == pytest.approx(model.conf_int()[1])


def test_the_calibration_curve_holds_expected_against_seen():
    fit, y = np.repeat([0.1, 0.5], 100), np.tile([1.0] * 2 + [0.0] * 8, 20)
    curve = fitting.calibration(_one_fold(fit), y)
    assert curve[["customers", "expected", "value"]].to_numpy().round(6).tolist() == [[100, 0.1, 0.2], [100, 0.5, 0.2]]
    assert curve.loc[1, "high"] < 0.5


def test_past_spend_is_a_naive_rule_where_it_is_a_trait_and_no_copy():
    table = customers(300, total_spend=[float(i % 100) for i in range(300)], city=["Yazd", "Qom", "Rasht"] * 100)
    target = of(table, [(i * 7) % 10 < 3 for i in range(300)])
    assert "past spend" in set(profiles.ideal_customer(table, target).judgement["rule"])
    copied = profiles.ideal_customer(table, profiles.best(table))
    assert "past spend" not in set(copied.judgement["rule"])


# Targets


def orders(*rows):
    frame = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount"])
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"], format="ISO8601").dt.tz_localize(TEHRAN)
    return frame


def test_the_best_fifth_treats_equals_alike_and_nothing_is_never_the_best():
    table = customers(10, total_spend=[9, 5, 5, 5, 1, 1, 1, 1, 1, None])
    assert profiles.best(table).tolist() == [True, True, True, True, False, False, False, False, False]
    assert not profiles.best(table.assign(total_spend=0.0)).any()
    with pytest.raises(Problem, match="top must lie between 0 and 1"):
        profiles.best(table, top=20)
    with pytest.raises(Problem, match="holds none"):
        profiles.best(table, "customer_id")


def test_a_target_of_later_looks_from_the_first_moment_of_the_next_day_to_the_end_of_the_last():
    base = {
        "orders": orders(
            ("1", "a", "2024-01-05", 1.0),
            ("2", "b", "2024-01-31 23:59", 1.0),
            ("3", "c", "2024-01-31 12:00", 1.0),
            ("4", "a", "2024-02-01 00:00", 1.0),
            ("5", "b", "2024-02-29 23:59", 1.0),
            ("6", "c", "2024-03-01 00:00", 1.0),
            ("7", "d", "2024-02-10", 9.0),
        )
    }
    retained = profiles.target_later(base, "retained", "2024-01-31", date(2024, 2, 29))
    assert retained.to_dict() == {"a": True, "b": True, "c": False}  # d was not known yet
    valued = profiles.target_later(base, "top value", "2024-01-31", "2024-02-29", top=0.5)
    assert valued.to_dict() == {"a": True, "b": True, "c": False}


def test_won_is_a_deal_closed_later_of_those_who_had_one():
    deals = pd.DataFrame(
        {
            "deal_id": list("uvwxy"),
            "customer_id": ["a", "b", "b", "c", "d"],
            "created_at": pd.to_datetime(["2024-01-01"] * 4 + ["2024-02-02"]).tz_localize(TEHRAN),
            "closed_at": pd.to_datetime(["2024-02-10", "2024-01-10", "2024-02-10", None, "2024-02-20"]).tz_localize(
                TEHRAN
            ),
            "outcome": ["won", "won", "lost", "open", "won"],
        }
    )
    assert profiles.target_later({"deals": deals}, "won", "2024-01-31", "2024-03-31").to_dict() == {
        **{"a": True, "b": False, "c": False}
    }


def test_a_target_that_cannot_be_looked_for_is_refused_in_words():
    base = {"orders": orders(("1", "a", "2024-01-05", 1.0))}
    for arguments, said in (
        (("retaned", "2024-01-01", "2024-02-01"), 'Did you mean "retained"'),
        (("won", "2024-01-01", "2024-02-01"), "needs a table of deals"),
        (("retained", "2024-02-01", "2024-02-01"), "is empty"),
        (("retained", "2024-02-01"), "needs until"),
    ):
        with pytest.raises(Problem, match=said):
            profiles.target_later(base, *arguments)


def test_without_a_day_of_signing_up_who_came_later_was_not_known():
    # b is in the table of customers, but did nothing before February: that they came is what is to be foretold
    table = {
        "customers": pd.DataFrame({"customer_id": ["a", "b"]}),
        "orders": orders(("1", "a", "2024-01-05", 1.0), ("2", "b", "2024-02-05", 9.0)),
    }
    assert profiles.target_later(table, "top value", "2024-01-31", "2024-02-29").index.tolist() == ["a"]
    signed = table["customers"].assign(signup_at=pd.to_datetime(["2024-01-01"] * 2).tz_localize(TEHRAN))
    later = profiles.target_later(table | {"customers": signed}, "top value", "2024-01-31", "2024-02-29")
    assert later.to_dict() == {"a": False, "b": True}


def test_standings_are_normal_scores_of_ranks_whatever_the_unit():
    # of 1, 10, 100 the mid-ranks are 1/6, 1/2, 5/6; ndtri(5/6) = 0.967422
    table = customers(4, x=[1.0, 10, 100, None], city=["Yazd"] * 4, flag=[True, False, True, False])
    found = traits.standings(table, ["x", "city", "flag"])
    assert found.T.tolist() == [pytest.approx([-0.967422, 0, 0.967422, 0])]
    assert traits.standings(table.assign(x=np.log(table["x"])), ["x"]) == pytest.approx(found)


def test_within_a_band_the_larger_number_counts_for_more():
    # everybody above the last bound is in one band; those with twice as much still fit better
    rng = np.random.default_rng(8)
    spend = rng.lognormal(5, 1.5, 1200)
    table = customers(1200, spend=spend)
    found = profiles.ideal_customer(table, of(table, rng.random(1200) < expit(np.log(spend) - 6)))
    top = pd.DataFrame({"spend": spend, "fit": found.scores["fit"]}).nlargest(200, "spend")
    assert top["spend"].corr(top["fit"], method="spearman") > 0.8


# Words, and the bookshop


def test_the_findings_say_n_share_and_interval_and_the_verdict_first(found):
    first, second, third, *_ = ideal.findings(found)
    assert first.startswith(f"{found.met:,} of 1,500 customers meet the target “met”")
    assert second.startswith("The fit is better than the naive rule: on customers it had not seen")
    row = level(found, "channel", "app")
    assert third == (
        f"Of {row['customers']:,} customers with channel “app”, {100 * row['share']:.0f} % meet it, "
        f"{row['lift']:.2g} times as often as the others (interval {row['low']:.2g} to {row['high']:.2g})."
    )
    assert len(ideal.findings(found, at_most=1)) == 3


def test_by_lot_nothing_marks_and_nothing_foretells():
    rng = np.random.default_rng(7)
    table = customers(300, a=rng.integers(0, 9, 300), b=rng.normal(0, 1, 300), c=rng.choice(list("xyz"), 300))
    said = [profiles.ideal_customer(table, of(table, rng.permutation(300) < 90)) for _ in range(6)]
    assert sum(f.lifts["marks"].any() for f in said) <= 2  # of 6 families at 5 %, three or more are one in 450
    assert sum(f.verdict == "better than the naive rule" for f in said) <= 1
    assert "No trait marks them" in " ".join(
        ideal.findings(next(f for f in said if f.verdict == "no trait marks them"))
    )


def test_in_the_bookshop_the_fit_foretells_and_planted_nothings_mark_nobody(world):
    then, db = date(2025, 3, 20), sources.connect(TEHRAN)
    tables = {name: db.from_df(table) for name, table in world.tables.items() if name in ("customers", "orders")}
    known = profiles.build(tables, then)
    found = profiles.ideal_customer(known, profiles.target_later(tables, "top value", then, "2026-03-20"))
    assert found.verdict == "better than the naive rule"
    assert _figure(found.judgement, "fit", "area under the curve")["low"] > 0.75
    nothings = found.lifts.query("trait in ['newsletter_layout', 'card_colour'] and level != 'not known'")
    assert len(nothings) == 5
    assert not nothings["marks"].any()
    slope = _figure(found.judgement, "fit", "calibration slope")
    assert slope["low"] < 1 < slope["high"]


# What is learnt from what


def test_traits_end_where_the_time_of_the_target_begins(tmp_path):
    base = sources.read(str(bookshop.write(tmp_path / "shop", customers=400, seed=4)))
    table = profiles.build(base)
    known, met, words = profiles.known_and_met(base, table)
    day = base.as_of - timedelta(days=int(words.split(" in the ")[1].split()[0]))
    assert met.name == "top value"
    assert f"traits as of {day}" in words
    assert (known["last_order_at"].dropna() <= pd.Timestamp(day)).all()
    # never more than asked for, never more than a third of what there is
    assert "in the 90 days" in profiles.known_and_met(base, table, days=90)[2]
    assert (base.as_of - day).days <= 365


def test_a_recorded_yes_or_no_is_learnt_from_what_is_recorded_alone():
    table = customers(10, city="Yazd", club=[True, False] * 5, n_orders=3)
    known, met, words = profiles.known_and_met({}, table, "club")
    assert list(known) == ["customer_id", "city"]
    assert met.sum() == 5
    assert words == "traits and target as recorded now"


def test_a_target_that_there_is_not_is_named_with_the_near_one():
    table = customers(10, club=[True, False] * 5)
    with pytest.raises(Problem, match=r'no target "clubs"\. Did you mean "club"'):
        profiles.known_and_met({}, table, "clubs")


def test_the_strongest_level_of_each_trait_is_shown_those_that_meet_it_more_often_first(found):
    shown = ideal.strongest(found)
    assert shown["trait"].is_unique
    assert shown["marks"].all()
    assert shown["lift"].gt(1).is_monotonic_decreasing
    assert {"group", "value", "low", "high", "customers"} <= {*shown}
