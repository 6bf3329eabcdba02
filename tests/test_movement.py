"""Movement between two days: who went where, and that noise is not taken for a flow."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import segments
from analysis.errors import Problem


def _labels(*labels, first=0):
    return pd.DataFrame({"customer_id": range(first, first + len(labels)), "segment_name": list(labels)})


def _moved(counts):
    """Tables of two days with so many customers per (source, target)."""
    ends = [pair for pair, n in counts.items() for _ in range(n)]
    return _labels(*(source for source, _ in ends)), _labels(*(target for _, target in ends))


def _row(moves, source, target):
    return moves[(moves["source"] == source) & (moves["target"] == target)].iloc[0]


def _noisy(rng, n=1500, fewer=1.0):
    """Labels of two periods from customers who each keep a rate of their own, times `fewer` in the second."""
    rates = rng.gamma(1.0, 2.0, n)
    orders = rng.poisson(rates), rng.poisson(rates * fewer)
    return tuple(_labels(*np.array(["none", "few", "some", "many"])[np.digitize(x, [1, 2, 4])]) for x in orders)


def test_each_move_is_counted_with_its_share_of_the_source():
    # of four A one goes to B, one is gone; one B stays; two are new
    before = _labels("A", "A", "A", "A", "B")
    after = pd.DataFrame({"customer_id": [0, 1, 2, 4, 5, 6], "segment_name": ["A", "A", "B", "B", "A", "B"]})
    found = segments.movement(before, after)
    counted = {(m.source, m.target): (m.n, m.of, m.share) for m in found.moves.itertuples() if m.n}
    assert counted == {
        **{("A", "A"): (2, 4, 0.5), ("A", "B"): (1, 4, 0.25), ("A", "(gone)"): (1, 4, 0.25)},
        **{("B", "B"): (1, 1, 1.0), ("(new)", "A"): (1, 2, 0.5), ("(new)", "B"): (1, 2, 0.5)},
    }
    assert found.both == 4
    a = found.changes.set_index("segment").loc["A"]
    assert a[["before", "after", "stayed", "entered", "left", "new", "gone"]].tolist() == [4, 3, 2, 0, 1, 1, 1]


def test_a_flow_is_judged_by_the_exact_test_and_the_interval_for_matched_shares():
    # 9 go and 1 comes back: 2 · (1 + 10) / 2^10; half of one added to each of four counts makes the variance
    # 9 + 1 + 1 - 8² / (100 + 2), and the only pair needs no correction
    found = segments.movement(*_moved({("A", "B"): 9, ("B", "A"): 1, ("A", "A"): 50, ("B", "B"): 40}))
    there, back = _row(found.moves, "A", "B"), _row(found.moves, "B", "A")
    reach = 1.959964 * np.sqrt(11 - 64 / 102)
    assert there[["net", "net_low", "net_high"]].tolist() == pytest.approx([8, 8 - reach, 8 + reach], abs=1e-5)
    assert back[["net", "net_low", "net_high"]].tolist() == pytest.approx([-8, -8 - reach, -8 + reach], abs=1e-5)
    assert there["net_p"] == back["net_p"] == pytest.approx(22 / 1024)
    assert there["one_way"]
    assert not back["one_way"]
    assert found.changes["clear"].all()


def test_pairs_are_corrected_for_how_many_there_are():
    # 9 against 1 alone is a flow; beside two pairs that only exchange, 3 · 22 / 1024 = 0.064 is none
    exchange = {("A", "C"): 5, ("C", "A"): 5, ("B", "C"): 5, ("C", "B"): 5}
    found = segments.movement(*_moved({("A", "B"): 9, ("B", "A"): 1, ("A", "A"): 50, ("B", "B"): 40, **exchange}))
    assert _row(found.moves, "A", "B")["net_p"] == pytest.approx(66 / 1024)
    assert not found.moves["one_way"].any()
    assert any(said.startswith("No move is more than exchange") for said in segments.moves_in_words(found))


def test_movers_drawn_alike_to_every_other_segment_are_no_favour():
    # sources weigh 10, 20, 30, 40 and targets 2, 3, 4, 5: each count is their product, as quasi-independence says
    out, into = dict(zip("ABCD", (10, 20, 30, 40), strict=True)), dict(zip("ABCD", (2, 3, 4, 5), strict=True))
    counts = {(i, j): out[i] * into[j] for i in "ABCD" for j in "ABCD" if i != j}
    moves = segments.movement(*_moved(counts)).moves.query("source != target")
    assert moves["expected"].to_numpy() == pytest.approx(moves["n"].to_numpy(), rel=1e-6)
    assert not moves["favoured"].any()
    more = segments.movement(*_moved(counts | {("A", "B"): 90})).moves
    assert more.query("favoured")[["source", "target"]].to_numpy().tolist()[0] == ["A", "B"]


def test_residuals_agree_with_a_poisson_model_of_the_moves():
    rng = np.random.default_rng(4)
    counts = {(i, j): int(rng.integers(8, 60)) for i in "ABCD" for j in "ABCD" if i != j}
    moves = segments.movement(*_moved(counts)).moves.query("source != target")
    design = pd.get_dummies(moves[["source", "target"]], drop_first=True).astype(float).assign(constant=1.0)
    fitted = sm.GLM(moves["n"].to_numpy(), design.to_numpy(), sm.families.Poisson()).fit()
    adjusted = fitted.resid_pearson / np.sqrt(1 - fitted.get_hat_matrix_diag())
    assert moves["expected"].to_numpy() == pytest.approx(fitted.mu, rel=1e-4)
    assert moves["residual"].to_numpy() == pytest.approx(adjusted, abs=1e-3)


def test_two_segments_say_nothing_of_favour_and_rare_moves_are_not_judged():
    pair = segments.movement(*_moved({("A", "B"): 90, ("B", "A"): 10}))
    assert pair.moves["residual"].isna().all()
    rare = segments.movement(*_moved({("A", "B"): 4, ("B", "C"): 1, ("C", "A"): 1, ("A", "C"): 1}))
    assert rare.moves["favoured_p"].isna().all()
    assert not rare.moves["favoured"].any()


def test_noise_about_steady_habits_is_called_a_flow_in_5_per_cent_of_worlds():
    # four in ten change their label; the rates behind the labels do not change at all
    rng = np.random.default_rng(1)
    found = [segments.movement(*_noisy(rng)) for _ in range(100)]
    assert min(1 - f.changes["stayed"].sum() / f.both for f in found) > 0.3
    most = 11  # 5 expected of 100; 11 is nearly three standard errors above
    assert sum(f.moves["one_way"].any() for f in found) <= most
    assert sum(f.changes["clear"].any() for f in found) <= most


def test_customers_who_buy_half_as_often_are_a_flow_in_every_world():
    rng = np.random.default_rng(2)
    for _ in range(5):
        found = segments.movement(*_noisy(rng, fewer=0.5))
        assert {("many", "some"), ("few", "none")} <= set(
            found.moves.query("one_way")[["source", "target"]].itertuples(index=False, name=None)
        )
        change = found.changes.set_index("segment")
        assert change.loc["none", "low"] > 0
        assert change.loc["many", "high"] < 0


def test_only_what_differs_from_the_period_before_is_news():
    # a clock: half of the new ones sleep on either occasion, so that the flow is clear and no news
    usual = segments.movement(*_moved({("new", "asleep"): 100, ("new", "new"): 100, ("asleep", "asleep"): 300}))
    same = _moved({("new", "asleep"): 110, ("new", "new"): 100, ("asleep", "asleep"): 300})
    more = _moved({("new", "asleep"): 160, ("new", "new"): 50, ("asleep", "asleep"): 300})
    found = segments.movement(*same, usual=usual)
    assert _row(found.moves, "new", "asleep")["one_way"]
    assert not found.moves["unusual"].any()
    assert segments.moves_in_words(found)[1] == "No move differs from the period before beyond chance."
    news = _row(segments.movement(*more, usual=usual).moves, "new", "asleep")
    assert news["difference"] == pytest.approx(160 / 210 - 100 / 200)
    assert news["difference_low"] > 0
    assert news["unusual"]


def test_moves_too_rare_to_compare_are_no_news():
    # 1 of 20 after 0 of 200 would be nearly three standard errors of a normal law that does not hold
    usual = segments.movement(*_moved({("A", "A"): 200, ("B", "B"): 200}))
    found = segments.movement(*_moved({("A", "A"): 19, ("A", "B"): 1, ("B", "B"): 200}), usual=usual)
    assert found.moves["usual_p"].isna().all()
    assert not found.moves["unusual"].any()


def test_the_worth_of_a_move_is_the_mean_before_and_after():
    before = _labels("A", "A", "B").assign(spend=[10.0, 20, 5])
    after = _labels("B", "B", "B").assign(spend=[1.0, 3, 5])
    move = _row(segments.movement(before, after, worth="spend").moves, "A", "B")
    assert move[["worth_before", "worth_after", "worth_change"]].tolist() == [15, 2, -13]
    # two changes, -9 and -17: standard error 4, and t with one degree of freedom is 12.706
    assert move["worth_low"] == pytest.approx(-13 - 12.7062 * 4, abs=1e-3)


def test_customers_without_a_label_have_a_state_of_their_own():
    moves = segments.movement(_labels("A", None, "A"), _labels("A", "A", None)).moves
    assert _row(moves, "(no segment)", "A")["n"] == 1
    assert _row(moves, "A", "(no segment)")["n"] == 1


def test_a_scheme_that_cuts_each_day_anew_is_told_and_a_fixed_one_is_not():
    rng = np.random.default_rng(0)
    earlier = pd.DataFrame({"customer_id": range(300), "spend": rng.lognormal(size=300)})
    later = earlier.assign(spend=earlier["spend"] * 0.5)
    middle = earlier["spend"].median()

    def halves(profiles, cut=None):
        return profiles.assign(half=profiles["spend"] > (profiles["spend"].median() if cut is None else cut))

    anew = segments.movement_between(earlier, later, halves, by="half")
    fixed = segments.movement_between(earlier, later, lambda p: halves(p, middle), by="half", worth="spend")
    assert "cuts each day anew" in segments.moves_in_words(anew)[0]
    assert not anew.moves["one_way"].any()
    assert fixed.notes == ()
    assert fixed.moves.query("one_way")[["source", "target"]].to_numpy().tolist() == [["True", "False"]]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ABC_"), st.sampled_from("ABC_")), min_size=1, max_size=60), st.integers(0, 9)
)
def test_nobody_is_lost_and_row_order_does_not_matter(ends, seed):
    ends = [("A", "B"), *ends]  # "_" is somebody who is not there
    before = pd.DataFrame([(i, a) for i, (a, _) in enumerate(ends) if a != "_"], columns=["customer_id", "g"])
    after = pd.DataFrame([(i, b) for i, (_, b) in enumerate(ends) if b != "_"], columns=["customer_id", "g"])
    found = segments.movement(before, after, by="g")
    changes, moves = found.changes, found.moves
    assert moves["n"].sum() == len(set(before["customer_id"]) | set(after["customer_id"]))
    assert (changes["before"].sum(), changes["after"].sum()) == (len(before), len(after))
    assert (changes["after"] - changes["before"] == changes["change"] + changes["new"] - changes["gone"]).all()
    assert moves.groupby("source")["share"].sum().to_numpy() == pytest.approx(1)
    shuffled = segments.movement(
        before.sample(frac=1, random_state=seed), after.sample(frac=1, random_state=seed + 1), by="g"
    )
    pd.testing.assert_frame_equal(shuffled.moves, moves)
    pd.testing.assert_frame_equal(shuffled.changes, changes)


def test_mistakes_are_told_in_words():
    with pytest.raises(Problem, match="No customer is in both tables"):
        segments.movement(_labels("A"), _labels("A", first=5))
    with pytest.raises(Problem, match="before has 1 rows of customers it already has"):
        segments.movement(pd.concat([_labels("A")] * 2), _labels("A"))
    with pytest.raises(Problem, match='after has no column "segment_name"'):
        segments.movement(_labels("A"), _labels("A").rename(columns={"segment_name": "segment"}))
