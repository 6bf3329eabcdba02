import os
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from analysis import segments
from analysis.errors import Problem

DATA = Path(os.environ.get("MOSHTARI_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))


@pytest.fixture(scope="module")
def cdnow():
    """Profiles of CDNOW's sample over the whole period, to 30 June 1998."""
    file = DATA / "cdnow" / "CDNOW_sample.txt"
    if not file.exists():
        pytest.skip(f"needs the public CDNOW sample in {DATA}: set MOSHTARI_DATA")
    columns = ["master_id", "customer_id", "day", "cds", "amount"]
    rows = pd.read_csv(file, sep=r"\s+", names=columns, dtype={"customer_id": str, "day": str})
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    by = rows.groupby("customer_id")
    profiles = by.agg(n_orders=("day", "size"), n_order_days=("day", "nunique"), total_spend=("amount", "sum"))
    end = pd.Timestamp("1998-06-30")
    profiles["recency_days"] = (end - by["day"].max()).dt.days
    profiles["tenure_days"] = (end - by["day"].min()).dt.days
    return profiles.round(2).reset_index()


def _buyers(orders, spend=None, recency=None):
    n = len(orders)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:02}" for i in range(n)],
            "n_orders": orders,
            "total_spend": [float(x) for x in (spend or orders)],
            "recency_days": [float(x) for x in (recency or range(n))],
        }
    )


# --- RFM


def test_every_score_has_exactly_one_name():
    names = {s: segments.rfm_name(*s) for s in product(range(1, 6), repeat=3)}
    assert len(names) == 125
    assert all(names.values())
    assert names[5, 5, 5] == "Champions"
    assert names[1, 1, 1] == "Lost"
    assert names[5, 1, 1] == "New customers"
    assert names[1, 5, 5] == "Cannot lose them"
    assert set(names.values()) == {name for row in segments.RFM_GRID.values() for name in row}


def test_more_worth_or_more_recent_never_gives_a_worse_name():
    # within a row of the grid names may only change once from one to the next: no name comes back
    for row in segments.RFM_GRID.values():
        runs = [name for i, name in enumerate(row) if i == 0 or row[i - 1] != name]
        assert len(runs) == len(set(runs))


def test_equal_customers_get_equal_rfm_scores():
    # six identical one-time buyers among ten: whatever the cut, nobody may be ranked above a twin
    scores = segments.rfm(_buyers([1] * 6 + [2, 3, 4, 5], recency=[9] * 6 + [1, 2, 3, 4]))
    twins = scores.iloc[:6][["r", "f", "m", "rfm_segment"]]
    assert len(twins.drop_duplicates()) == 1


def test_scores_are_the_number_of_quintile_cuts_below():
    # quintile cuts of 1, 2, 3, 4, 5 are 1.8, 2.6, 3.4 and 4.2; the most recent is the best
    scores = segments.rfm(_buyers([1, 2, 3, 4, 5], recency=[5, 4, 3, 2, 1]))
    assert scores["f"].tolist() == scores["m"].tolist() == scores["r"].tolist() == [1, 2, 3, 4, 5]


def test_coinciding_cuts_give_fewer_scores_and_say_so():
    # cuts of eight ones and two threes are 1, 1, 1 and 1.4: below three lie all four, below one none
    scores = segments.rfm(_buyers([1] * 8 + [3, 3]))
    assert scores["f"].tolist() == [1] * 8 + [5, 5]
    assert any("Number of orders gives only 2 of 5 scores (1, 5)" in note for note in scores.attrs["notes"])


def test_where_all_bought_once_for_the_same_amount_nobody_is_better():
    scores = segments.rfm(_buyers([1] * 7, spend=[9] * 7, recency=[3] * 7))
    assert set(scores[["r", "f", "m"]].to_numpy().ravel()) == {3}
    assert set(scores["rfm_segment"]) == {"Need attention"}


def test_customers_without_orders_have_their_own_segment_and_no_scores():
    profiles = _buyers([0, 1, 2], spend=[0, 10, 20], recency=[np.nan, 5, 6])
    scores = segments.rfm(profiles)
    assert scores.loc[0, ["r", "f", "m"]].isna().all()
    assert scores["rfm_segment"].tolist()[0] == segments.NO_PURCHASE
    assert segments.rfm(profiles.head(1))["rfm_segment"].tolist() == [segments.NO_PURCHASE]


def test_rfm_needs_its_columns():
    with pytest.raises(Problem, match='no column "total_spend"'):
        segments.rfm(_buyers([1]).drop(columns="total_spend"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_scores_rise_with_the_value_and_ignore_row_order(orders, random):
    profiles = _buyers(orders, recency=[o * 7 % 5 for o in orders])
    profiles.loc[profiles["n_orders"] == 0, "recency_days"] = np.nan
    scores = segments.rfm(profiles)
    bought = scores[scores["f"].notna()].merge(profiles)
    assert bought.sort_values("n_orders")["f"].is_monotonic_increasing
    assert (bought.groupby("n_orders")["f"].nunique() == 1).all()
    assert bought.sort_values("recency_days")["r"].is_monotonic_decreasing
    shuffled = profiles.sample(frac=1, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(segments.rfm(shuffled), scores)


def test_cuts_of_ones_own_are_where_the_next_score_begins():
    # whoever lies on a cut gets the lower score: 30 days are a 4, one purchase is a 1
    profiles = _buyers([1, 2, 3, 10, 11], spend=[0, 1, 50, 51, 999], recency=[29, 30, 89, 180, 400])
    cuts = {"recency_days": [30, 90, 180, 365], "n_orders": [1, 2, 5, 10], "total_spend": [0, 50, 50, 100]}
    scores = segments.rfm(profiles, cuts)
    assert scores["r"].tolist() == [5, 4, 4, 2, 1]
    assert scores["f"].tolist() == [1, 2, 3, 4, 5]
    assert scores["m"].tolist() == [1, 2, 2, 4, 5]
    assert scores["rfm_segment"].iloc[0] == "New customers"
    assert scores.attrs["cuts"] == cuts
    assert any("Recency (days) gives only 4 of 5 scores (1, 2, 4, 5): nobody lies" in n for n in scores.attrs["notes"])


def test_a_column_without_cuts_is_cut_into_fifths():
    profiles = _buyers([1, 2, 3, 4, 5], recency=[5, 4, 3, 2, 1])
    scores = segments.rfm(profiles, {"recency_days": [10, 20, 30, 40]})
    assert scores["r"].tolist() == [5] * 5
    assert scores["f"].tolist() == [1, 2, 3, 4, 5]


def test_the_cuts_name_which_count_of_purchases_is_meant():
    profiles = _buyers([1, 9]).assign(n_order_days=[1, 1])
    assert segments.rfm(profiles, {"n_orders": [1, 2, 5, 8]})["f"].tolist() == [1, 5]
    assert segments.rfm(profiles)["f"].tolist() == [3, 3]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 6)), min_size=1, max_size=30))
def test_the_cuts_of_a_result_give_the_same_result_again(rows):
    orders, spend, recency = map(list, zip(*rows, strict=True))
    profiles = _buyers(orders, spend=[s / 7 for s in spend], recency=recency)
    first = segments.rfm(profiles)
    again = segments.rfm(profiles, first.attrs["cuts"])
    pd.testing.assert_frame_equal(first, again)
    assert again.attrs["cuts"] == first.attrs["cuts"]


@pytest.mark.parametrize(
    ("cuts", "says"),
    [
        ({"recency": [1, 2, 3, 4]}, 'no cuts for "recency". Did you mean "recency_days"'),
        ({"n_orders": [1, 2, 3]}, "four rising numbers"),
        ({"n_orders": [4, 3, 2, 1]}, "four rising numbers"),
        ({"n_orders": [1, 2, 3, "many"]}, "four rising numbers"),
        ({"n_orders": 5}, "four rising numbers"),
        ([30, 90, 180, 365], "column → cuts"),
    ],
)
def test_cuts_that_are_none_are_told(cuts, says):
    with pytest.raises(Problem) as problem:
        segments.rfm(_buyers([1, 2]), cuts)
    assert says in str(problem.value)


def test_customers_on_a_cut_are_not_parted_from_it_by_round_off():
    # the 0.6 quantile of these is 2.3 in decimals and 2.3000000000000003 or 2.2999999999999998 in bits
    profiles = _buyers([1] * 6, spend=[0.1, 0.7, 1.1, 2.3, 3.1, 5.3])
    cuts = segments.rfm(profiles).attrs["cuts"]["total_spend"]
    assert cuts == [0.7, 1.1, 2.3, 3.1]
    assert segments.rfm(profiles)["m"].tolist() == [1, 1, 2, 3, 4, 5]


def test_cdnows_1218_one_time_buyers_share_a_frequency_score(cdnow):
    # one-time: all CDs bought on a single day; 13 of them placed two orders or more on it
    scores = segments.rfm(cdnow).merge(cdnow)
    once = scores[scores["n_order_days"] == 1]
    assert len(once) == 1218
    assert (once["n_orders"] > 1).sum() == 13
    assert set(once["f"]) == {1}
    assert (scores.groupby("total_spend")["m"].nunique() == 1).all()
    assert (scores.groupby("recency_days")["r"].nunique() == 1).all()
    with pytest.raises(ValueError, match="Bin edges must be unique"):
        pd.qcut(cdnow["n_order_days"], 5)


# --- 80/20


def test_the_best_fifth_of_cdnow_brings_67_46_per_cent(cdnow):
    result = segments.pareto(cdnow)
    assert (result.n, result.best, result.total) == (2357, 472, 244_091.94)
    assert round(result.share, 4) == 0.6746
    assert 0.64 < result.low < result.share < result.high < 0.71
    assert len(result.curve) <= 202


def test_tied_customers_share_the_cut():
    # five alike: the best 30 % are two (1.5 rounded up), and bring two fifths whichever two they are
    assert segments.pareto(_buyers([1] * 5), top=0.3).share == pytest.approx(0.4)


def test_gini_of_all_alike_is_0_and_of_one_for_all_is_the_rest():
    assert segments.pareto(_buyers([1] * 5)).gini == pytest.approx(0)
    assert segments.pareto(_buyers([0, 0, 0, 5])).gini == pytest.approx(3 / 4)
    # |1-2| + |1-3| + |2-3| = 4 over the pairs, twice, over 2 · 3² · mean 2
    assert segments.pareto(_buyers([1, 2, 3])).gini == pytest.approx(2 * 4 / (2 * 9 * 2))


def test_the_curve_runs_from_nobody_to_all():
    curve = segments.pareto(_buyers([80, 5, 5, 5, 5])).curve
    assert curve["customers"].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert curve["revenue"].tolist() == pytest.approx([0, 0.8, 0.85, 0.9, 0.95, 1])


def test_credit_notes_count_as_they_are():
    # 100 from the best of five, 20 in all credited to the others: she brought 125 % of what remained
    result = segments.pareto(_buyers([1] * 5, spend=[100, -5, -5, -5, -5]))
    assert result.share == pytest.approx(1.25)
    assert result.total == 80


def test_no_revenue_cannot_be_shared():
    with pytest.raises(Problem, match="no revenue to share"):
        segments.pareto(_buyers([0, 0]))
    with pytest.raises(Problem, match="top must lie between"):
        segments.pareto(_buyers([1, 1]), top=20)


def test_the_interval_is_repeatable_and_ignores_row_order():
    rng = np.random.default_rng(3)
    profiles = _buyers([1] * 300, spend=list(rng.lognormal(size=300)))
    first, again = segments.pareto(profiles), segments.pareto(profiles.sample(frac=1, random_state=1))
    assert (first.low, first.high) == (again.low, again.high)
    assert first.low < first.share < first.high


def test_the_intervals_hold_the_truth_as_often_as_they_say_and_are_no_wider_than_that_takes():
    # exponential amounts: the top fifth of the population brings .2 · (1 - ln .2) = 52.2 %, and the Gini is 1 / 2
    rng = np.random.default_rng(0)
    found = [segments.pareto(pd.DataFrame({"total_spend": rng.exponential(size=400)}), seed=s) for s in range(60)]
    truths = {("share", "low", "high"): 0.2 * (1 - np.log(0.2)), ("gini", "gini_low", "gini_high"): 0.5}
    for columns, truth in truths.items():
        figure, low, high = np.array([[getattr(f, c) for c in columns] for f in found]).T
        assert ((low <= truth) & (truth <= high)).sum() >= 51  # 57 expected of 60; 51 is three standard errors below
        # 95 % of a normal law span 3.92 standard deviations of the figure over bases drawn anew
        assert (high - low).mean() == pytest.approx(3.92 * figure.std(), rel=0.25)


def test_wild_amounts_are_held_more_often_than_by_percentiles():
    # lognormal with sigma 2: the top fifth of the population brings Φ(2 - z of 80 %) = 87.66 %; percentiles of the same
    # draws hold it in 82 of 100 bases of 500, this interval in 92
    truth, rng = norm.cdf(2 - norm.ppf(0.8)), np.random.default_rng(2)
    found = [segments.pareto(pd.DataFrame({"total_spend": rng.lognormal(0, 2, 500)}), seed=s) for s in range(60)]
    assert np.mean([f.low <= truth <= f.high for f in found]) >= 0.86


def test_a_large_base_in_groups_has_the_figures_of_its_customers_one_by_one():
    x = np.random.default_rng(5).lognormal(0, 1.5, 30_000)
    result, ranked = segments.pareto(pd.DataFrame({"total_spend": x})), np.sort(x)
    assert result.share == pytest.approx(ranked[-6000:].sum() / x.sum(), abs=1e-5)
    order = np.arange(1, len(x) + 1)
    assert result.gini == pytest.approx((2 * order - 1) @ ranked / (len(x) * x.sum()) - 1, abs=1e-5)
    # 1.96 standard errors of a share whose influence is max(x - cut, 0) - share · x
    influence = np.maximum(x - ranked[-6000], 0) - result.share * x
    reach = 1.96 * influence.std() / np.sqrt(len(x)) / x.mean()
    assert result.high - result.low == pytest.approx(2 * reach, rel=0.15)


def test_intervals_stay_where_shares_can_be():
    # the best fifth brings a fifth at the least, and no more than all where nobody is credited
    one = segments.pareto(_buyers([80, 5, 5, 5, 5]))
    assert (one.low, one.high) == (0.2, 1.0)
    assert 0 <= one.gini_low <= one.gini <= one.gini_high <= 1
    alike = segments.pareto(_buyers([1] * 5))
    assert (alike.low, alike.high) == pytest.approx((0.2, 0.2))
    assert segments.pareto(_buyers([1] * 5, spend=[100, -5, -5, -5, -5])).high > 1


def test_the_verdict_follows_from_the_interval_and_speaks_of_the_best_fifth_only():
    few = _buyers([1] * 500, spend=[96.0] * 100 + [1.0] * 400)
    assert segments.pareto(few).verdict == "the rule of 80/20 holds here"  # 96 %
    assert segments.pareto(_buyers([1] * 50)).verdict == "less concentrated than the rule of 80/20 says"
    unsure = _buyers([1] * 20, spend=[900, 50, 40, 30, *[15] * 16])
    assert segments.pareto(unsure).verdict == "the rule of 80/20 may hold here"
    assert "speaks of the best 20 %" in segments.pareto(few, top=0.1).verdict


def test_cdnow_is_less_concentrated_than_80_20_says(cdnow):
    result = segments.pareto(cdnow)
    assert result.verdict == "less concentrated than the rule of 80/20 says"
    assert result.gini_low < result.gini < result.gini_high


# --- names and description


def _lapsed_and_frequent():
    profiles = _buyers([1] * 30 + [8, 9, 10] * 10, spend=[20] * 30 + [900] * 30, recency=[400, 390] * 15 + [3, 9] * 15)
    profiles["discount_share"] = [0.0, 0.1] * 30
    grouped = pd.DataFrame({"customer_id": profiles["customer_id"], "segment": [1] * 30 + [2] * 30})
    return profiles, grouped


def test_names_say_what_sets_the_groups_apart():
    profiles, grouped = _lapsed_and_frequent()
    names = segments.name_segments(profiles, grouped).drop_duplicates("segment")["segment_name"].tolist()
    # recency, orders and spend all divide the groups wholly, and come in this order; the discount does not
    assert names == ["Lapsed one-time buyers", "Recent frequent buyers"]


def test_names_are_distinct_even_where_the_groups_hardly_are():
    profiles = _buyers([1, 2, 3] * 20)
    grouped = pd.DataFrame({"customer_id": profiles["customer_id"], "segment": [1, 2, 3, 4] * 15})
    names = segments.name_segments(profiles, grouped).drop_duplicates("segment")["segment_name"]
    assert names.is_unique


def test_names_do_not_depend_on_row_or_column_order():
    profiles, grouped = _lapsed_and_frequent()
    expected = segments.name_segments(profiles, grouped)
    shuffled = profiles.sample(frac=1, random_state=0)[list(reversed(profiles.columns))]
    pd.testing.assert_frame_equal(segments.name_segments(shuffled, grouped), expected)


def test_describe_gives_the_evidence_by_segment():
    profiles, grouped = _lapsed_and_frequent()
    summary = segments.describe(profiles, segments.name_segments(profiles, grouped))
    row = summary.query("segment == 2 and trait == 'n_orders'").iloc[0]
    assert (row["value"], row["elsewhere"], row["difference"], row["effect"]) == (9, 1, 8, 1)
    assert row["distinctive"]
    assert not summary.query("trait == 'discount_share'")["distinctive"].any()


def test_sizes_add_up():
    profiles, grouped = _lapsed_and_frequent()
    table = segments.sizes(profiles, grouped)
    assert table["n"].tolist() == [30, 30]
    assert table["revenue"].tolist() == [600, 27_000]
    assert table["revenue_share"].tolist() == pytest.approx([600 / 27_600, 27_000 / 27_600], abs=1e-6)


def _named_by_share(here, there, n=30):
    """Name of a group whose members buy a share of art, beside a group with another."""
    shares = np.array([here] * n + [there] * n) + np.tile(np.linspace(-0.02, 0.02, n), 2)
    profiles = pd.DataFrame({"customer_id": range(2 * n), "bought_art": shares})
    groups = pd.DataFrame({"customer_id": range(2 * n), "segment": [1] * n + [2] * n})
    return segments.name_segments(profiles, groups)["segment_name"].iloc[0]


def test_a_share_is_called_little_only_where_it_is_little():
    # of what most others buy, 0.2 is less than half of 0.6; 0.45 is not, and more than half is no less either
    assert _named_by_share(0.2, 0.6) == "Little art"
    assert _named_by_share(0.45, 0.6) == "Average customers"
    assert _named_by_share(0.55, 0.7) == "Average customers"


def test_a_share_that_is_more_than_elsewhere_but_no_half_is_called_more():
    assert _named_by_share(0.13, 0.03) == "More art"
    assert _named_by_share(0.8, 0.3) == "Buying art"


def test_a_group_of_whom_nothing_was_known_is_called_so():
    profiles = pd.DataFrame({"customer_id": range(40), "age": [20.0, 21] * 10 + [60.0, 61] * 5 + [np.nan] * 10})
    groups = pd.DataFrame({"customer_id": range(40), "segment": [1] * 20 + [2] * 10 + [3] * 10})
    groups["fit"] = [0.9] * 30 + [np.nan] * 10
    named = segments.name_segments(profiles, groups).groupby("segment")["segment_name"].first()
    assert named.tolist() == ["Younger", "Older", "Hardly known"]


@pytest.mark.parametrize(
    ("stability", "more", "says"),
    [
        ([0.4, 0.5], [False, False], "No number of groups explains more than customers without groups would"),
        ([0.9, 0.5], [False, False], "(2 groups, agreement 0.90), but explain no more than"),
        ([0.4, 0.5], [False, True], "(3 groups, agreement 0.50; 0.75 is asked) is not found again"),
        (
            [0.9, 0.5],
            [False, True],
            "and what is found again when other customers are drawn (2 groups, agreement 0.90)",
        ),
    ],
)
def test_why_there_are_no_groups_is_said(stability, more, says):
    choice = pd.DataFrame({"k": [1, 2, 3], "stability": [np.nan, *stability], "beats_reference": [False, *more]})
    sizes = pd.DataFrame({"segment_name": ["All", "None"], "share": [0.9, 0.1], "revenue_share": [1.0, 0.0]})
    said = segments.findings(sizes, choice.assign(chosen=choice["k"] == 1), 1)
    assert len(said) == 1  # that all bring all the revenue is no finding
    assert says in said[0]
