import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis import evidence
from analysis.errors import Problem


def _row(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_wilson_interval_of_five_in_ten():
    # (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) with p = .5, n = 10, z = 1.959964: .5 ± .263407
    assert evidence.share_interval(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-6)


def test_share_interval_stays_within_0_and_1_and_says_nothing_of_nobody():
    low, high = evidence.share_interval([0, 10, 0], [10, 10, 0])
    assert low[0] == 0
    assert high[1] == 1
    assert (low[2], high[2]) == (0, 1)


def test_difference_of_shares_is_newcombes_and_the_test_is_chi_squared():
    difference, low, high, p = evidence.difference_of_shares(56, 70, 48, 80)
    assert (difference, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)  # Newcombe 1998, table II (a)
    assert p == pytest.approx(stats.chi2_contingency([[56, 14], [48, 32]], correction=False).pvalue)


def test_no_difference_of_shares_where_all_or_none_have_it():
    assert evidence.difference_of_shares(5, 5, 9, 9)[3] == 1
    assert evidence.difference_of_shares(0, 5, 0, 9)[3] == 1


def test_difference_of_means_is_welchs():
    # means 2.5 and 6.5, both variances 5/3: error √(2 · (5/3)/4) = .912871, t = -4.3818 on 6 degrees of freedom
    difference, low, high, p = evidence.difference_of_means([1, 2, 3, 4], [5, 6, 7, 8])
    assert (difference, low, high) == pytest.approx((-4, -4 - 2.446912 * 0.912871, -4 + 2.446912 * 0.912871), abs=1e-5)
    assert p == pytest.approx(stats.ttest_ind([1, 2, 3, 4], [5, 6, 7, 8], equal_var=False).pvalue)


def test_means_without_spread_differ_surely_or_not_at_all():
    assert evidence.difference_of_means([1, 1, 1], [1, 1]) == (0, 0, 0, 1)
    assert evidence.difference_of_means([1, 1, 1], [2, 2]) == (-1, -1, -1, 0)


def test_a_mean_of_one_value_is_refused_in_words():
    with pytest.raises(Problem, match="two values or more"):
        evidence.difference_of_means([1], [1, 2])


def test_confidence_in_per_cent_is_refused_in_words():
    with pytest.raises(Problem, match="between 0 and 1"):
        evidence.share_interval(1, 2, confidence=95)


def _people():
    return pd.DataFrame(
        {
            "customer_id": [str(i) for i in range(18)],
            "segment": [1] * 6 + [2] * 6 + [3] * 6,
            "orders": [1.0, 2, 3, 4, 5, np.nan, 5, 6, 7, 8, 9, 10, 1, 1, 1, 1, 1, 1],
            "city": ["Yazd"] * 5 + ["Qom"] + ["Qom"] * 5 + [None] + ["Qom"] * 6,
        }
    )


def test_a_number_is_compared_with_everybody_else():
    table = evidence.compare(_people(), "segment", traits=["orders"])
    row = _row(table, group=1, trait="orders")
    here, elsewhere = [1, 2, 3, 4, 5], [5, 6, 7, 8, 9, 10, 1, 1, 1, 1, 1, 1]
    welch = stats.ttest_ind(here, elsewhere, equal_var=False)
    assert (row.n, row.value, row.n_elsewhere, row.elsewhere) == (5, 3, 12, 51 / 12)
    assert row.difference == pytest.approx(3 - 51 / 12)
    assert row.p == pytest.approx(welch.pvalue)
    # three rows in the table: each interval is at 1 - .05 / 3
    wide = welch.confidence_interval(1 - 0.05 / 3)
    assert (row.low, row.high) == pytest.approx((wide.low, wide.high))
    # of the 60 pairs: 1 beats none and ties six; 2 to 5 beat six each; 5 also ties one: 24 won, 29 lost
    won = sum(a > b for a in here for b in elsewhere)
    lost = sum(a < b for a in here for b in elsewhere)
    assert row.effect == pytest.approx((won - lost) / 60) == (24 - 29) / 60


def test_a_share_is_compared_with_everybody_else():
    row = _row(evidence.compare(_people(), "segment", traits=["city"]), group=1, level="Yazd")
    # 5 of 6 here; nobody of the 5 + 6 elsewhere whose city is known
    assert (row.kind, row.n, row.n_elsewhere, row.elsewhere) == ("share", 6, 11, 0)
    assert row.value == row.difference == pytest.approx(5 / 6)
    assert row.effect == pytest.approx(2 * np.arcsin(np.sqrt(5 / 6)))
    expected = evidence.difference_of_shares(5, 6, 0, 11, confidence=1 - 0.05 / 6)  # three groups, two levels
    assert (row.difference, row.low, row.high, row.p) == pytest.approx(expected)
    assert row.distinctive


def test_p_values_are_corrected_after_holm_over_the_whole_table():
    table = evidence.compare(_people(), "segment")
    assert len(table) == 9  # 3 groups × (orders, Yazd, Qom)
    assert table["p_corrected"].to_numpy() == pytest.approx(multipletests(table["p"], method="holm")[1])
    assert table["p_corrected"].min() == pytest.approx(9 * table["p"].min())


def test_a_small_effect_is_not_distinctive_however_sure():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"g": np.repeat([0, 1], 20_000), "x": rng.normal(size=40_000) + np.repeat([0, 0.1], 20_000)})
    row = evidence.compare(table, "g").iloc[0]
    assert row.p_corrected < 1e-6
    assert not row.distinctive


def test_what_is_more_on_average_and_less_for_most_is_not_distinctive():
    # 80 of 100 spend 1 and 20 spend 50, a mean of 10.8; of the others all spend 2: less on average, more than most here
    here, there = [1.0] * 80 + [50.0] * 20, [2.0, 2.5] * 50
    table = pd.DataFrame({"group": ["a"] * 100 + ["b"] * 100, "spend": here + there})
    row = evidence.compare(table, "group").iloc[0]
    assert row["low"] > 0
    assert row["effect"] == pytest.approx(0.2 - 0.8)
    assert not row["distinctive"]


def test_groups_below_the_smallest_size_are_left_out_everywhere():
    table = pd.DataFrame({"g": ["a"] * 6 + ["b"] * 6 + ["c"] * 4, "x": [1.0, 2] * 6 + [99.0] * 4})
    compared = evidence.compare(table, "g")
    assert set(compared["group"]) == {"a", "b"}
    # nobody can work the four out from what stands elsewhere
    assert list(compared["elsewhere"]) == [1.5, 1.5]


def test_one_group_alone_has_nothing_to_be_compared_with():
    compared = evidence.compare(pd.DataFrame({"g": [1] * 9, "x": range(9), "t": ["a"] * 9}), "g")
    assert compared.empty
    assert list(compared.columns) == list(evidence.COMPARISON_COLUMNS)


def test_ids_dates_and_lists_are_no_traits_and_long_tails_are_cut():
    n = 400
    table = pd.DataFrame(
        {
            "g": ["a", "b"] * (n // 2),
            "customer_id": range(n),
            "note": [f"text {i}" for i in range(n)],
            "since": pd.date_range("2024-01-01", periods=n),
            "tags": [["x"]] * n,
            "town": [f"town {i % 40:02}" for i in range(n)],
            "member": [True, False] * (n // 2),
        }
    )
    compared = evidence.compare(table, "g")
    assert set(compared["trait"]) == {"town", "member"}
    assert compared.query("trait == 'town'")["level"].nunique() == evidence.COMMONEST_LEVELS
    assert _row(compared, trait="member", group="a", level="yes").value == 1


def test_many_groups_with_many_levels_are_counted_rightly():
    # 12 groups × 25 towns: a group's own town has 10 of its 10 + 24 × 5 = 130 customers
    pairs = [(g, t) for g in range(12) for t in range(25) for _ in range(10 if t == g else 5)]
    table = pd.DataFrame(pairs, columns=["g", "town"]).assign(town=lambda d: d["town"].map("town {:02}".format))
    compared = evidence.compare(table, "g")
    assert len(compared) == 12 * 25
    assert _row(compared, group=11, level="town 11").value == pytest.approx(10 / 130)
    assert _row(compared, group=11, level="town 10").value == pytest.approx(5 / 130)


def test_an_unknown_column_is_refused_with_the_nearest_name():
    with pytest.raises(Problem, match='Did you mean "segment"'):
        evidence.compare(_people(), "segmnt")


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_row_order_never_matters(random):
    table = _people().assign(spend=[0.1 * i**3 for i in range(18)])
    shuffled = table.sample(frac=1, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(
        evidence.compare(shuffled, "segment"), evidence.compare(table, "segment"), check_exact=True
    )


def test_nothing_is_distinctive_where_groups_are_drawn_by_lot():
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(40):
        table = pd.DataFrame(rng.lognormal(size=(300, 6)), columns=list("abcdef"))
        table["town"] = rng.choice(["x", "y", "z"], 300)
        table["g"] = rng.integers(0, 4, 300)
        false += evidence.compare(table, "g")["distinctive"].any()
    assert false <= 4  # 5 % of 40, and two more for chance


def test_a_large_base_is_compared_in_seconds():
    rng = np.random.default_rng(0)
    n = 25_000
    table = pd.DataFrame({f"x{i}": rng.lognormal(size=n) for i in range(15)})
    for i in range(10):
        table[f"t{i}"] = rng.choice([f"level {j}" for j in range(8)], n)
    table["g"] = rng.integers(0, 8, n)
    start = time.process_time()
    evidence.compare(table, "g")
    assert time.process_time() - start < 4  # seconds of one core, of which it takes about 0.5


def test_importing_it_does_not_load_all_of_statsmodels():
    code = "import sys, analysis.evidence; sys.exit('statsmodels.api' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.0001, "0.1 %"), (0.9999, "99.9 %"), (1, "100 %"), (-0.02, "−2 %"), (2.5, "250 %")],
)
def test_a_share_is_never_rounded_to_none_or_all(share, text):
    assert evidence.percent(share) == text


def test_the_largest_share_is_clear_only_if_it_beats_each_of_the_others():
    # 60 of 100 against 30 and 55 of 100: larger than the first for sure, not than the second (difference 5 ± 14 points)
    assert evidence.clearly_largest([60, 30], [100, 100]) == (0, True)
    assert evidence.clearly_largest([60, 30, 55], [100, 100, 100]) == (0, False)
    assert evidence.clearly_largest([0, 5], [0, 9]) == (1, False)  # nothing to be larger than
    assert evidence.clearly_largest([], []) == (None, False)


def test_buyers_are_compared_with_buyers():
    profiles = pd.DataFrame({"n_orders": [0, 3], "total_spend": [0.0, 9.0], "age": [20, 30]})
    table = evidence.of_buyers(profiles)
    assert table["total_spend"].isna().tolist() == [True, False]
    assert table["age"].tolist() == [20, 30]  # known of everybody


def test_of_true_and_false_only_yes_is_told():
    table = pd.DataFrame({"group": ["a"] * 10 + ["b"] * 10, "answered": [True] * 8 + [False] * 12})
    for column in (table["answered"], table["answered"].astype("boolean")):
        compared = evidence.compare(table.assign(answered=column), "group")
        assert compared["level"].tolist() == ["yes", "yes"]
        assert compared["value"].tolist() == [0.8, 0.0]


# --- ratios -----------------------------------------------------------------------------------------------------------


def test_a_ratio_counts_customers_not_rows():
    # Sums per customer (part, whole): (2, 2), (0, 1), (1, 1); 3 of 4. Residuals from 0.75: 0.5, -0.75, 0.25, squares
    # 0.875, times 3 / 2 by 4²: error 0.28641; t with two degrees of freedom is 4.30265, so 0.75 ± 1.23233.
    rows = pd.DataFrame({"customer_id": list("aabc"), "shop": "web", "bought": [True, True, False, True]})
    found = _row(evidence.ratios(rows, "shop", "bought"), group="web")
    named_alike = rows.rename(columns={"shop": "part"})
    pd.testing.assert_frame_equal(evidence.ratios(named_alike, "part", "bought"), found.to_frame().T, check_dtype=False)
    assert (found["customers"], found["n"]) == (3, 4)
    assert found[["value", "low", "high"]].tolist() == pytest.approx([0.75, -0.482331, 1.982331], abs=1e-5)
    # Each row once more is no news about more customers.
    twice = _row(evidence.ratios(pd.concat([rows, rows]), "shop", "bought"), group="web")
    assert twice[["value", "low", "high"]].tolist() == pytest.approx(found[["value", "low", "high"]].tolist())


def test_a_ratio_of_one_row_per_customer_is_the_mean_with_its_interval():
    values = np.arange(20.0) ** 1.5
    rows = pd.DataFrame({"customer_id": range(20), "all": "all", "value": values})
    found = _row(evidence.ratios(rows, "all", "value"), group="all")
    assert found[["value", "low", "high"]].tolist() == pytest.approx(evidence.mean_interval(values))


def test_a_ratio_without_spread_to_judge_by_has_no_interval():
    rows = pd.DataFrame({"customer_id": list("aabc"), "shop": ["web", "web", "app", "app"], "bought": [1, 0, 0, 0]})
    found = evidence.ratios(rows, "shop", "bought")
    assert found["value"].tolist() == [0, 0.5]
    assert found[["low", "high"]].isna().all(axis=None)
    with pytest.raises(Problem, match="has no column"):
        evidence.ratios(rows, "shop", "baught")


def test_the_interval_of_a_ratio_holds_the_truth_in_nineteen_of_twenty_samples_of_unequal_customers():
    rng, held = np.random.default_rng(5), 0
    for _ in range(400):
        own, sessions = rng.beta(2, 2, 80), rng.integers(1, 15, 80)  # half of all sessions end in an order
        rows = pd.DataFrame({"customer_id": range(80), "all": "all", "n": sessions, "k": rng.binomial(sessions, own)})
        found = _row(evidence.ratios(rows, "all", "k", "n"), group="all")
        held += found["low"] <= 0.5 <= found["high"]
    assert 0.92 < held / 400 < 0.975


def test_ratios_do_not_depend_on_the_order_of_the_rows():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"customer_id": rng.integers(0, 50, 500), "g": rng.integers(0, 3, 500), "x": rng.random(500)})
    pd.testing.assert_frame_equal(
        evidence.ratios(rows, "g", "x"),
        evidence.ratios(rows.sample(frac=1, random_state=1), "g", "x"),
        check_exact=True,
    )


def test_the_share_of_a_sum_is_the_ratio_of_two_sums_over_one_sample():
    # by hand: 70 of 100; residuals 0.3 · 40, 0.3 · 30, 0.7 · 20, 0.7 · 10; squares add up to 470; n / (n - 1) = 4 / 3
    share, low, high = evidence.share_of_sum([40, 30, 20, 10], [True, True, False, False], confidence=0.5)
    reach = stats.t.ppf(0.75, 3) * np.sqrt(470 * 4 / 3) / 100
    assert (share, low, high) == pytest.approx((0.7, 0.7 - reach, 0.7 + reach))
    x = np.random.default_rng(0).lognormal(size=200)
    table = pd.DataFrame({"customer_id": range(200), "all": "all", "part": x * (x > 2), "whole": x})
    expected = evidence.ratios(table, "all", "part", "whole")[["value", "low", "high"]].iloc[0]
    assert evidence.share_of_sum(x, x > 2) == pytest.approx(tuple(expected))


def test_the_share_of_no_sum_is_unknown_and_all_of_it_has_no_interval():
    assert np.isnan(evidence.share_of_sum([0, 0], [True, False])).all()
    share, low, high = evidence.share_of_sum([1, 2, None], [True, True, False])
    assert share == 1
    assert np.isnan([low, high]).all()


def test_the_skewed_interval_is_students_where_there_is_no_skew():
    assert evidence.skewed_mean_interval([1, 2, 3, 4, 5]) == pytest.approx(evidence.mean_interval([1, 2, 3, 4, 5]))


def test_the_skewed_interval_misses_the_mean_of_skewed_amounts_less_often_than_students():
    # log-normal with sigma 1.2, whose mean is exp(0.72); 600 samples of 20: Student's misses 17 %, promised are 5 %
    rng, truth = np.random.default_rng(0), np.exp(0.72)
    missed = {evidence.skewed_mean_interval: 0, evidence.mean_interval: 0}
    for _ in range(600):
        x = rng.lognormal(sigma=1.2, size=20)
        for interval in missed:
            _, low, high = interval(x)
            missed[interval] += not low <= truth <= high
    assert missed[evidence.mean_interval] > 0.1 * 600
    # three standard errors of a share of 600 around 17 % are 4.6 points
    assert missed[evidence.skewed_mean_interval] < missed[evidence.mean_interval] - 0.046 * 600


def test_the_skewed_interval_of_too_few_or_equal_values_is_unknown():
    for values in ([], [1], [1, 2], [3, 3, 3, 3]):
        assert np.isnan(evidence.skewed_mean_interval(values)[1:]).all()
