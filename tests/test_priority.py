"""Priority of segments: the parts as measured, the order by the weights, and how sure it is."""

import numpy as np
import pandas as pd
import pytest

from analysis import segments
from analysis.errors import Problem


def _base(means, n=40, spread=0.0, seed=0, **columns):
    """Profiles and segments 1, 2, … of `n` customers each, with the mean spend given."""
    rng = np.random.default_rng(seed)
    segment = np.repeat(np.arange(1, len(means) + 1), n)
    profiles = pd.DataFrame({"customer_id": range(len(segment))})
    profiles["spend_365d"] = np.repeat(np.asarray(means, dtype=float), n) + spread * rng.normal(size=len(segment))
    for name, values in columns.items():
        profiles[name] = np.repeat(np.asarray(values, dtype=float), n)
    return profiles, pd.DataFrame({"customer_id": range(len(segment)), "segment": segment})


def test_the_score_is_the_weighted_share_of_segments_beaten():
    # value 1 < 2 < 3 gives 0, 1/2, 1; tickets 5 > 1 = 1 give 0 to the first and 3/4 to the two who share places
    found = segments.priority(*_base([10, 20, 30], tickets_365d=[5, 1, 1]), {"value": 3, "cost": 1})
    score = found.order.set_index("segment")["score"]
    assert score.to_dict() == pytest.approx({1: 0, 2: (3 * 0.5 + 0.75) / 4, 3: (3 * 1 + 0.75) / 4})
    assert found.order["segment"].tolist() == [3, 2, 1]
    assert found.order["brought"].tolist() == [1200, 800, 400]


def test_potential_is_what_those_of_a_year_ago_have_brought_since():
    # a year ago 1 and 2 were each other's customers: who was in 1 then spends 50 now
    profiles, now = _base([10, 50])
    then = now.assign(segment=3 - now["segment"])
    parts = segments.priority(profiles, now, earlier=then).parts
    potential = parts[parts["part"] == "potential"].set_index("segment")
    assert potential["figure"].to_dict() == {1: 50, 2: 10}
    assert potential["place"].to_dict() == {1: 1, 2: 2}


def test_a_segment_that_nobody_was_in_a_year_ago_has_no_potential_and_stands_in_its_middle():
    profiles, now = _base([10, 20, 30])
    found = segments.priority(profiles, now, {"potential": 1}, earlier=now[now["segment"] != 3])
    potential = found.parts[found.parts["part"] == "potential"].set_index("segment")
    assert np.isnan(potential.loc[3, ["figure", "low", "high", "place"]].astype(float)).all()
    assert found.order.set_index("segment")["score"].to_dict() == {1: 0, 2: 1, 3: 0.5}


def test_prices_make_one_cost_of_the_counts():
    profiles, of = _base([10, 10], tickets_365d=[1, 0], campaigns_received=[0, 10])
    found = segments.priority(profiles, of, {"cost": 1}, {"tickets_365d": 60, "campaigns_received": 5})
    cost = found.parts[found.parts["part"] == "cost"]
    assert cost["figure"].tolist() == [60, 50]
    assert found.order["segment"].tolist() == [2, 1]


def test_without_prices_each_count_ranks_alike_and_it_is_said():
    found = segments.priority(*_base([10, 10], tickets_365d=[1, 0], campaigns_received=[0, 10]), {"cost": 1})
    assert found.order["score"].tolist() == [0.5, 0.5]
    assert found.order["place"].tolist() == [1, 1]
    assert found.order["first"].tolist() == pytest.approx([0.5, 0.5])
    said = segments.priority_in_words(found)
    assert said[0] == (
        "What serving costs is not known in money, so cost goes by the ranks of: tickets in 365 days, "
        "campaigns received."
    )
    assert said[-1].startswith("No segment is clearly first: Segment 1 is in 50 % of draws")


def test_how_often_a_weighting_makes_it_first_is_the_share_of_all_weightings():
    # one is first by value, the other by cost: as two weights are uniform on a line, half of them prefer either
    found = segments.priority(*_base([20, 10], tickets_365d=[1, 0]), {"value": 3, "cost": 1})
    assert found.order["first_by_weights"].tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.order["same_by_weights"].tolist() == [found.order.loc[0, "first_by_weights"]] * 2
    assert found.order["first"].tolist() == [1, 0]


def test_segments_that_hardly_differ_have_no_clear_first_and_far_ones_do():
    near = segments.priority(*_base([100, 101, 102], spread=60), {"value": 1})
    assert not near.order["clear"].any()
    assert near.order["place_high"].max() == 3
    assert "No segment is clearly first" in segments.priority_in_words(near)[-1]
    far = segments.priority(*_base([100, 300, 500], spread=60), {"value": 1})
    assert far.order["first"].tolist() == [1, 0, 0]
    assert segments.priority_in_words(far)[-1].startswith("Segment 3 comes first")


def test_of_segments_all_alike_one_is_called_clearly_first_in_at_most_5_per_cent_of_40_worlds():
    called = sum(
        segments.priority(*_base([100] * 4, n=60, spread=50, seed=seed), {"value": 1}).order["clear"].any()
        for seed in range(40)
    )
    assert called <= 2


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for seed in range(60):
        profiles, of = _base([0, 0], n=200)
        profiles["spend_365d"] = rng.exponential(10, len(profiles))
        held += segments.priority(profiles, of, {"value": 1}, seed=seed).parts.eval("low <= 10 <= high").sum()
    assert held >= 106  # 114 expected of 120; 106 is more than three standard errors below


def test_large_segments_in_blocks_have_the_interval_of_the_mean():
    # 40,000 customers: 1.96 standard errors of the mean on either side, to the tenth that 2,000 blocks allow
    profiles, of = _base([100, 100], n=40_000, spread=50)
    part = segments.priority(profiles, of, {"value": 1}).parts.iloc[0]
    spend = profiles.loc[of["segment"] == 1, "spend_365d"]
    assert part["figure"] == pytest.approx(spend.mean())
    assert part["high"] - part["low"] == pytest.approx(2 * 1.96 * spend.std() / 200, rel=0.12)


def test_row_order_changes_nothing():
    profiles, of = _base([10, 11, 12], n=30, spread=9, tickets_365d=[1, 2, 3])
    expected = segments.priority(profiles, of, earlier=of)
    found = segments.priority(profiles.sample(frac=1, random_state=3), of.sample(frac=1, random_state=4), earlier=of)
    pd.testing.assert_frame_equal(found.order, expected.order)
    pd.testing.assert_frame_equal(found.parts, expected.parts)


def test_small_segments_and_parts_that_cannot_be_measured_are_named():
    profiles, of = _base([10, 20])
    of.loc[:2, "segment"] = 3
    found = segments.priority(profiles, of)
    assert set(found.order["segment"]) == {1, 2}
    assert found.notes == (
        "Cost to serve is left out: nothing is known of tickets, campaigns or returns.",
        "Potential is left out: it takes the segments of a year ago.",
        "Segment 3 has fewer than 5 customers and is not ranked.",
    )


def test_mistakes_are_told_in_words():
    profiles, of = _base([10, 20])
    with pytest.raises(Problem, match=r'no part "potental"\. Did you mean "potential"'):
        segments.priority(profiles, of, {"potental": 1})
    with pytest.raises(Problem, match="nothing to rank segments by"):
        segments.priority(profiles, of, {"cost": 1})
    with pytest.raises(Problem, match="weight of value is -1"):
        segments.priority(profiles, of, {"value": -1})
    with pytest.raises(Problem, match="No segment has 5 customers"):
        segments.priority(profiles, of.head(3))
    with pytest.raises(Problem, match='profiles has no column "ticket_365d"'):
        segments.priority(profiles, of, costs={"ticket_365d": 1})
    with pytest.raises(Problem, match="segments has customers with more than one row"):
        segments.priority(profiles, pd.concat([of, of]))
