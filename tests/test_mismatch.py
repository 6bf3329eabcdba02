"""Stated against contacted channels: shares counted by hand, effects planted by hand, and nothing where nothing is."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis import journeys, plots
from analysis.errors import Problem
from analysis.journeys.contact_effects import ADJUSTED, HELD_OUT, weighted_means

END = date(2025, 12, 31)


def day(*days):
    return pd.to_datetime(["2025-01-01"] * len(days), utc=True) + pd.to_timedelta(days, unit="D")


def touched(*rows):
    """customer, event, channel, day"""
    table = pd.DataFrame(rows, columns=["customer_id", "event", "channel", "day"])
    return table.assign(occurred_at=day(*table["day"])).drop(columns="day")


PEOPLE = pd.DataFrame({"customer_id": ["a", "b", "c"], "preferred_channel": ["email", "E-Mail", "phone"]})
SENT = touched(
    *[("a", "email_sent", "email", 1), ("a", "call", "phone", 2), ("a", "visit", "web", 2)],
    *[("b", "sms_sent", "sms", 3), ("c", "call", "telephone", 4), ("c", "call", "phone", 5)],
)


def test_contacts_are_counted_by_stated_and_contacted_channel_whatever_it_is_written_like():
    people = pd.concat([PEOPLE, pd.DataFrame({"customer_id": ["d"], "preferred_channel": ["sms"]})])
    found = journeys.channel_mismatch({"customers": people, "touchpoints": SENT}, as_of=END)
    # a: one e-mail and one call; b: an SMS; c: two calls, one on the "telephone"; a visit is no contact by the brand
    assert found.contacts[["stated", "contacted", "matched", "customers", "contacts"]].values.tolist() == [
        ["email", "email", True, 1, 1],
        ["email", "phone", False, 1, 1],
        ["email", "sms", False, 1, 1],
        ["phone", "phone", True, 1, 2],
    ]
    row = found.groups.iloc[0]
    assert (row.customers, row.stated, row.contacted, row.contacts, row.mismatched) == (4, 4, 3, 5, 2 / 5)


def test_a_channel_that_nobody_can_ask_for_is_no_mismatch_and_is_said():
    visits = pd.concat([SENT, touched(("a", "sales_call", "sales", 6))])
    found = journeys.channel_mismatch({"customers": PEOPLE, "touchpoints": visits}, as_of=END)
    assert "sales" not in set(found.contacts["contacted"])
    assert any("1 contacts by sales" in sentence for sentence in found.words)


def test_the_used_channel_is_that_of_most_purchases():
    orders = pd.DataFrame({"order_id": [*"123"], "customer_id": [*"aaa"], "channel": ["web", "app", "app"]})
    orders = orders.assign(ordered_at=day(1, 2, 3), amount=1.0)
    found = journeys.channel_mismatch({"customers": PEOPLE, "touchpoints": SENT, "orders": orders}, as_of=END)
    assert found.used[["stated", "used", "customers", "share"]].values.tolist() == [["email", "app", 1, 1.0]]


def test_a_campaign_that_touchpoints_record_too_is_counted_once_and_controls_are_no_contacts():
    campaigns = pd.DataFrame({"campaign_id": ["M1"], "channel": ["phone"]})
    sent = pd.DataFrame({"campaign_id": "M1", "customer_id": ["a", "c"], "variant": ["call", "control"]})
    sent = sent.assign(sent_at=day(2, 2))
    base = {"customers": PEOPLE, "campaigns": campaigns, "campaign_contacts": sent}
    assert journeys.channel_mismatch(base, as_of=END).contacts["contacts"].tolist() == [1]
    base["touchpoints"] = touched(("a", "call", "phone", 2)).assign(campaign_id="M1")
    assert journeys.channel_mismatch(base, as_of=END).contacts["contacts"].tolist() == [1]


def test_a_survey_fills_what_the_record_does_not_say_and_consents_are_the_last_resort_by_name():
    asked = pd.DataFrame({"customer_id": ["a", "z", "z"], "construct": "preferred channel", "question": "How?"})
    asked = asked.assign(answer=["phone", "email", "sms"], answered_at=day(1, 1, 9))
    sent = pd.concat([SENT, touched(("z", "email_sent", "email", 9))])
    base = {"customers": PEOPLE, "survey_answers": asked, "touchpoints": sent}
    found = journeys.channel_mismatch(base, as_of=END)
    rows = {(r.stated, r.contacted): r.contacts for r in found.contacts.itertuples()}
    assert rows["sms", "email"] == 1  # the later answer of z; the record of a stands
    assert ("email", "phone") in rows
    allowed = pd.DataFrame({"customer_id": ["a", "b"], "consents": [["email"], ["email", "sms"]]})
    found = journeys.channel_mismatch({"customers": allowed, "touchpoints": SENT}, as_of=END)
    assert found.groups["stated"].tolist() == [1]  # b allows two channels: that names none
    assert "not a wish" in found.words[0]


def test_what_is_missing_is_said_in_a_sentence():
    with pytest.raises(Problem, match=r"Map customers.preferred_channel"):
        journeys.channel_mismatch({"touchpoints": SENT}, as_of=END)
    with pytest.raises(Problem, match=r"Map campaign_contacts and campaigns"):
        journeys.channel_mismatch({"customers": PEOPLE}, as_of=END)
    found = journeys.channel_mismatch({"customers": PEOPLE, "touchpoints": SENT}, as_of=END)
    assert any("map orders" in sentence for sentence in found.words)
    twice = pd.DataFrame({"customer_id": ["a", "a"], "persona": [1, 2]})
    with pytest.raises(Problem, match="names 1 customers twice"):
        journeys.channel_mismatch({"customers": PEOPLE, "touchpoints": SENT}, twice, END)


def test_nothing_after_the_day_is_seen():
    late = journeys.channel_mismatch({"customers": PEOPLE, "touchpoints": SENT}, as_of=date(2025, 1, 3))
    assert late.contacts["contacts"].sum() == 2  # the e-mail and the call to a; the SMS came on the fourth


# --- effects ----------------------------------------------------------------------------------------------------------


def experiment(n=3000, deaf=0.1, seed=8, effect=0.5):
    """Calls to people who want e-mail or the phone, a third held out; every buyer buys at a rate of their own."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:05d}" for i in range(n)])
    wants = np.where(rng.random(n) < 0.4, "email", "phone")
    treated, rate = rng.random(n) < 2 / 3, rng.gamma(0.7, 0.5, n)
    adds = effect * np.where(wants == "email", deaf, 1.0)
    before, soon = rng.poisson(12 * rate), rng.poisson(np.maximum(rate + treated * adds, 0))
    who = np.concatenate([np.repeat(ids, before), np.repeat(ids, soon)])
    when = np.concatenate([rng.uniform(0, 200, before.sum()), rng.uniform(200.01, 229.9, soon.sum())])
    orders = pd.DataFrame({"order_id": np.arange(len(who)).astype(str), "customer_id": who, "amount": 10.0})
    sent = pd.DataFrame({"campaign_id": "M1", "customer_id": ids, "variant": np.where(treated, "call", "control")})
    return {
        "customers": pd.DataFrame({"customer_id": ids, "preferred_channel": wants}),
        "orders": orders.assign(ordered_at=day(*when)),
        "campaigns": pd.DataFrame({"campaign_id": ["M1"], "channel": ["phone"]}),
        "campaign_contacts": sent.assign(sent_at=day(*[200] * n)),
    }


def called(found):
    return found.effects.set_index(["contacted", "stated"]).loc["phone", "email"]


def test_a_planted_mismatch_is_found_and_sized():
    row = called(journeys.channel_mismatch(experiment(), as_of=END))
    assert row.verdict == "less"
    assert row.design == HELD_OUT
    assert row.low < -0.45 < row.high < 0  # 0.05 more purchases instead of 0.5
    assert row.ratio_low < 0.1 < row.ratio_high < 0.5


def test_an_effect_that_is_the_same_is_called_so_and_a_small_base_is_not_forced():
    row = called(journeys.channel_mismatch(experiment(deaf=1.0), as_of=END))
    assert row.verdict == "no difference"
    row = called(journeys.channel_mismatch(experiment(150, deaf=0.6), as_of=END))
    assert row.verdict == "cannot be judged"


def test_intervals_hold_what_was_planted_as_often_as_they_promise():
    # 20 worlds, intervals of 95 %: fewer than 16 hits come by chance once in 3,000 times (binomial)
    rows = [called(journeys.channel_mismatch(experiment(400, seed=seed), as_of=END)) for seed in range(20)]
    assert sum(row.low < -0.45 < row.high for row in rows) >= 16
    assert sum(row.effect_low < 0.05 < row.effect_high for row in rows) >= 16
    assert sum(row.ratio_low < 0.1 < row.ratio_high for row in rows) >= 16


def test_intervals_count_customers_and_not_their_contacts():
    scores, here = np.array([[1.0, 1], [2, 2], [4, 4], [9, 9]]), np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    customers = pd.Series([*"abcd"])
    once = weighted_means(scores, here, customers)
    thrice = weighted_means(scores.repeat(3, 0), here.repeat(3, 0), customers.repeat(3))
    assert once[0].tolist() == thrice[0].tolist() == [1.5, 6.5]
    np.testing.assert_allclose(thrice[1], once[1])
    # squares about the means over n², times n / (n - 1) of all four: (0.25 + 0.25) / 4 * 4 / 3
    assert once[1][0, 0] == pytest.approx(1 / 6)


def test_what_was_known_before_narrows_the_interval_and_row_order_changes_nothing():
    base = experiment()
    row = called(journeys.channel_mismatch(base, as_of=END))
    before = base["orders"]["ordered_at"] < day(199)[0]
    blind = called(journeys.channel_mismatch(base | {"orders": base["orders"][~before]}, as_of=END))
    assert row.high - row.low < 0.95 * (blind.high - blind.low)
    mixed = {name: table.sample(frac=1, random_state=1) for name, table in base.items()}
    again = journeys.channel_mismatch(mixed, as_of=END)
    pd.testing.assert_frame_equal(again.effects, journeys.channel_mismatch(base, as_of=END).effects, check_exact=True)


def test_purchases_count_for_thirty_days_of_24_hours_and_no_longer():
    base, sent = experiment(400), day(200)[0]
    soon = base["orders"]["ordered_at"] > sent
    for minutes, counted in ((0, True), (1, False)):
        at = sent + pd.Timedelta(days=30, minutes=minutes)
        orders = base["orders"].assign(ordered_at=base["orders"]["ordered_at"].mask(soon, at))
        row = called(journeys.channel_mismatch(base | {"orders": orders}, as_of=END))
        assert (row.others > 0.3) == counted
        assert counted or (row.others == pytest.approx(0) and row.verdict == "cannot be judged")


def test_contacts_whose_days_are_not_over_are_counted_and_not_judged():
    found = journeys.channel_mismatch(experiment(300), as_of=date(2025, 8, 1))  # sent on 20 July
    assert called(found).empty if len(found.effects) else True
    assert any("300 contacts of the last 30 days" in sentence for sentence in found.words)


def confounded(n=4000, times=1.0, seed=3):
    """Of those who want e-mail the good customers get a call; nobody is held out."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{i:05d}" for i in range(n)])
    rate = rng.choice([0.2, 1.0], n)
    before = rng.poisson(11 * rate)
    call = rng.random(n) < np.where(before > 5, 0.8, 0.2)
    soon = rng.poisson(rate * np.where(call, times, 1.0))
    who = np.concatenate([np.repeat(ids, before), np.repeat(ids, soon)])
    when = np.concatenate([rng.uniform(0, 200, before.sum()), rng.uniform(200.01, 229.9, soon.sum())])
    orders = pd.DataFrame({"order_id": np.arange(len(who)).astype(str), "customer_id": who, "amount": 10.0})
    sent = pd.DataFrame({"customer_id": ids, "event": np.where(call, "call", "email_sent")})
    people = pd.DataFrame({"customer_id": [*ids, "other"], "preferred_channel": ["email"] * n + ["phone"]})
    return {
        "customers": people,
        "orders": orders.assign(ordered_at=day(*when)),
        "touchpoints": sent.assign(channel=np.where(call, "phone", "email"), occurred_at=day(*[200] * n)),
    }


def test_without_a_control_who_gets_called_is_adjusted_for_where_the_naive_difference_misleads():
    row = called(journeys.channel_mismatch(confounded(), as_of=END))
    assert row.design == ADJUSTED
    assert row.naive > 0.4  # about 0.8 against 0.4 purchases, although a call changes nothing
    assert row.low < 0 < row.high
    assert row.verdict == "no difference"
    assert row.e_value == 1


def test_without_a_control_a_true_loss_is_found_with_its_e_value_and_its_limits_in_words():
    found = journeys.channel_mismatch(confounded(times=0.5), as_of=END)
    row = called(found)
    assert row.verdict == "less"
    assert row.ratio_low < 0.5 < row.ratio_high
    nearest = 1 / row.ratio_high  # VanderWeele and Ding's formula at the bound nearest to no difference
    assert row.e_value == pytest.approx(nearest + np.sqrt(nearest * (nearest - 1)))
    assert any("may have known more than the tables" in sentence for sentence in found.words)


def test_where_nobody_alike_is_left_nothing_is_forced():
    base = confounded()
    rich = base["orders"].loc[base["orders"]["ordered_at"] < day(200)[0], "customer_id"].value_counts() > 5
    call = base["touchpoints"]["customer_id"].map(rich).fillna(False).astype(bool)
    event, channel = np.where(call, "call", "email_sent"), np.where(call, "phone", "email")
    sent = base["touchpoints"].assign(event=event, channel=channel)
    row = called(journeys.channel_mismatch(base | {"touchpoints": sent}, as_of=END))
    assert row.verdict == "cannot be judged"
    assert row.overlap < 0.2


def test_several_pairs_are_one_family():
    base = experiment()
    people = base["customers"].copy()
    people.loc[::3, "preferred_channel"] = "sms"
    rows = journeys.channel_mismatch(base | {"customers": people}, as_of=END).effects.query("not matched")
    assert len(rows) == 2
    assert rows["p_corrected"].min() == pytest.approx(2 * rows["p"].min())
    wider = (rows["high"] - rows["low"]) / 2 / np.abs(rows["difference"] / norm.ppf(rows["p"] / 2))
    np.testing.assert_allclose(wider, norm.ppf(1 - 0.025 / 2), rtol=0.02)


def test_groups_are_compared_with_all_others():
    n = 80
    people = pd.DataFrame({"customer_id": [f"C{i}" for i in range(2 * n)], "preferred_channel": ["email", "phone"] * n})
    by = people[["customer_id"]].assign(persona=[1] * n + [2] * n)
    called_all = touched(*[(c, "call", "phone", 1) for c in people["customer_id"][:n]])
    as_asked = people[n:].assign(event="email_sent", channel=people["preferred_channel"][n:], occurred_at=day(1)[0])
    base = {"customers": people, "touchpoints": pd.concat([called_all, as_asked[called_all.columns]])}
    rows = journeys.channel_mismatch(base, by, END).groups.set_index("group")
    assert rows["mismatched"].tolist() == [
        0.5,
        0.0,
    ]  # half of the first group asked for e-mail; the second got its wish
    assert rows["difference"].tolist() == [0.5, -0.5]
    assert (rows["p_corrected"] < 0.001).all()


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_say_the_finding_and_an_effect_below_none_is_called_none():
    found = journeys.channel_mismatch(experiment(deaf=-0.03), as_of=END)
    assert (
        plots.mismatch_effects(found.effects).get_title().startswith("By phone to those who ask for email: none of the")
    )
    same = journeys.channel_mismatch(experiment(deaf=1.0), as_of=END)
    assert plots.mismatch_effects(same.effects).get_title().startswith("No mismatch of channels is found")
    assert "39 % of the contacts" in plots.channel_mismatch(same.groups).get_title()
