"""The bookshop as a company: deals, campaigns, tickets and opinions follow from what truly happens, piece by piece."""

import tomllib

import numpy as np
import pandas as pd
import pytest

from analysis import bookshop
from analysis.bookshop import opinions
from analysis.bookshop.marketing import CAMPAIGNS, EFFECT_DAYS, TREATED
from analysis.bookshop.people import CITIES, SHARES
from analysis.bookshop.service import fates_of
from analysis.bookshop.truth import _leaves_for_a_complaint

END = pd.Timestamp("2026-03-21", tz="Asia/Tehran")
DAY = pd.Timedelta(days=1)


def contacts(world):
    """Contacts of campaigns with the truth, and the orders placed in the thirty days from the day after the sending."""
    contacts = world.tables["campaign_contacts"].merge(world.truth["campaign_effects"])
    contacts = contacts.merge(world.truth["customers"][["customer_id", "persona", "true_preferred_channel"]])
    contacts = contacts.merge(world.tables["campaigns"][["campaign_id", "name", "channel"]])
    contacts["row"] = np.arange(len(contacts))
    orders = world.tables["orders"].query("status != 'returned'")
    pairs = contacts[["row", "customer_id", "sent_at"]].merge(orders[["customer_id", "ordered_at"]])
    since = pairs["sent_at"].dt.normalize() + DAY
    soon = (pairs["ordered_at"] >= since) & (pairs["ordered_at"] < since + EFFECT_DAYS * DAY)
    contacts["orders"] = pairs[soon].groupby("row").size().reindex(contacts["row"], fill_value=0).to_numpy()
    return contacts


@pytest.fixture(scope="module")
def all_contacts(worlds):
    return pd.concat([contacts(world).assign(seed=seed) for seed, world in worlds.items()], ignore_index=True)


def difference(table, value="orders"):
    """Treatment minus control and its standard error."""
    by = table.groupby("variant")[value].agg(["mean", "var", "size"])
    error = np.sqrt((by["var"] / by["size"]).sum())
    return by.loc["treatment", "mean"] - by.loc["control", "mean"], error


# --- companies --------------------------------------------------------------------------------------------------------


def test_four_customers_in_a_hundred_are_companies_with_industry_and_size(world):
    customers = world.tables["customers"]
    companies = customers[customers["kind"] == "company"]
    assert len(companies) == 200
    assert set(companies["industry"]) == {"school", "library", "company"}
    assert companies["employees"].dropna().ge(3).all()
    personal = ["birth_date", "gender", "marital_status", "education", "occupation", "income", "household_size"]
    assert companies[personal].isna().all(axis=None)
    persons = customers[customers["kind"] == "person"]
    assert persons[["industry", "employees", "annual_revenue"]].isna().all(axis=None)


def test_a_deal_that_is_won_is_an_order_of_its_amount_at_that_moment_and_no_other_is(world):
    deals, orders = world.tables["deals"], world.tables["orders"]
    sold = orders[orders["channel"] == "sales"][["customer_id", "ordered_at", "amount"]]
    won = deals.query("outcome == 'won'")[["customer_id", "closed_at", "amount"]]
    pd.testing.assert_frame_equal(
        sold.sort_values(["ordered_at", "customer_id"], ignore_index=True),
        won.set_axis(sold.columns, axis=1).sort_values(["ordered_at", "customer_id"], ignore_index=True),
    )
    companies = set(world.tables["customers"].query("kind == 'company'")["customer_id"])
    assert set(sold["customer_id"]) <= companies
    assert not set(orders.query("channel != 'sales'")["customer_id"]) & companies
    assert len(won) > 50


def test_every_order_of_a_company_has_a_journey_that_leads_to_it(world):
    orders = world.tables["orders"].query("channel == 'sales'")
    events = world.tables["touchpoints"]
    ordered = events.query("event == 'order' and channel == 'sales'")
    assert set(zip(orders["customer_id"], orders["ordered_at"], strict=True)) == set(
        zip(ordered["customer_id"], ordered["occurred_at"], strict=True)
    )
    for event in ("signup", "sales_call", "meeting", "offer_sent"):
        first = events[events["event"] == event].groupby("customer_id")["occurred_at"].min()
        assert (orders["customer_id"].map(first) < orders["ordered_at"]).all(), event


def test_deals_enter_their_stages_in_order_and_end_as_their_outcome_says(world):
    deals = world.tables["deals"].set_index("deal_id")
    stages = world.tables["deal_stages"]
    order = ["lead", "qualified", "offer", "negotiation", "won", "lost"]
    place = stages["stage"].map(order.index)
    assert (place.groupby(stages["deal_id"]).diff().dropna() > 0).all()
    assert (stages["entered_at"].groupby(stages["deal_id"]).diff().dropna() >= pd.Timedelta(0)).all()
    first, last = stages.groupby("deal_id").nth(0), stages.groupby("deal_id").nth(-1).set_index("deal_id")
    assert set(first["stage"]) == {"lead"}
    assert (first.set_index("deal_id")["entered_at"] == deals["created_at"]).all()
    ended = last["stage"].where(last["stage"].isin(["won", "lost"]), "open")
    assert (ended == deals["outcome"].reindex(ended.index)).all()
    closed = deals[deals["outcome"] != "open"]
    assert (last["entered_at"].reindex(closed.index) == closed["closed_at"]).all()
    assert deals.loc[deals["outcome"] == "open", "closed_at"].isna().all()
    assert (deals["outcome"] == "open").sum() >= 5
    assert stages["entered_at"].max() < END


def test_a_few_deals_have_no_customer_yet_and_none_of_them_was_won(world):
    nameless = world.tables["deals"][world.tables["deals"]["customer_id"].isna()]
    assert 0.02 < len(nameless) / len(world.tables["deals"]) < 0.2
    assert set(nameless["outcome"]) <= {"open", "lost"}


def test_deals_are_won_as_often_as_their_true_chance_says(worlds):
    deals = pd.concat([w.tables["deals"].merge(w.truth["deals"]) for w in worlds.values()])
    # Only deals that came up early enough to be closed by the end: late ones are closed only if they were quick.
    closed = deals[deals["created_at"] < END - 200 * DAY]
    won = (closed["outcome"] == "won").astype(float)
    error = np.sqrt((closed["win_chance"] * (1 - closed["win_chance"])).sum()) / len(closed)
    assert abs(won.mean() - closed["win_chance"].mean()) < 3 * error
    by_source = closed.groupby("source")["win_chance"].first()
    assert by_source.idxmax() == "referral"


# --- campaigns --------------------------------------------------------------------------------------------------------


def test_campaigns_reach_only_those_who_agreed_to_the_channel(worlds):
    for world in worlds.values():
        reached = world.tables["campaign_contacts"].merge(world.tables["customers"][["customer_id", "consents"]])
        reached = reached.merge(world.tables["campaigns"][["campaign_id", "channel", "starts_at", "ends_at"]])
        agreed = [c in consents for c, consents in zip(reached["channel"], reached["consents"], strict=True)]
        assert all(agreed)
        assert reached["sent_at"].between(reached["starts_at"], reached["ends_at"]).all()
        assert len(world.tables["campaigns"]) == len(CAMPAIGNS)
        assert not reached.duplicated(["campaign_id", "customer_id"]).any()


def test_whoever_is_held_out_gets_nothing(world):
    sent = world.tables["campaign_contacts"]
    held_out = sent[sent["variant"] == "control"]
    assert held_out[["opened_at", "clicked_at", "converted_at", "revenue"]].isna().all(axis=None)
    events = world.tables["touchpoints"].dropna(subset="campaign_id")
    keys = pd.MultiIndex.from_frame(events[["campaign_id", "customer_id"]])
    assert not keys.isin(pd.MultiIndex.from_frame(held_out[["campaign_id", "customer_id"]])).any()
    treated = pd.MultiIndex.from_frame(sent.loc[sent["variant"] == "treatment", ["campaign_id", "customer_id"]])
    assert treated.isin(keys).all()


def test_what_follows_a_campaign_follows_it_in_time_and_is_an_order_where_it_says_so(world):
    sent = world.tables["campaign_contacts"]
    for earlier, later in (("sent_at", "opened_at"), ("opened_at", "clicked_at"), ("clicked_at", "converted_at")):
        both = sent[[earlier, later]].dropna()
        assert (both[earlier] < both[later]).all(), later
    converted = sent.dropna(subset="converted_at")
    orders = world.tables["orders"].query("status != 'returned'")
    led = converted.merge(orders, left_on=["customer_id", "converted_at"], right_on=["customer_id", "ordered_at"])
    assert len(led) == len(converted)
    assert (led["revenue"] == led["amount"].where(led["status"] != "cancelled", 0)).all()
    assert (converted["converted_at"] < converted["sent_at"] + EFFECT_DAYS * DAY).all()


def test_who_is_held_out_is_drawn_at_random(all_contacts):
    for name, reached in all_contacts.groupby("name"):
        treated = reached["variant"].eq("treatment")
        assert abs(treated.mean() - TREATED) < 4 * np.sqrt(TREATED * (1 - TREATED) / len(reached)), name
        # The true effect is as large among those held out as among those treated.
        gap, error = difference(reached, "effect")
        assert abs(gap) <= 4 * error, name


def test_the_true_effect_is_found_by_treatment_against_control(all_contacts):
    for name, reached in all_contacts.groupby("name"):
        gap, error = difference(reached)
        assert abs(gap - reached["effect"].mean()) < 3.5 * error, name
    # All campaigns and worlds together: the difference is clear, and it is the true one.
    weighted = [(difference(r), r["effect"].mean(), len(r)) for _, r in all_contacts.groupby("name")]
    found = np.average([gap for (gap, _), _, _ in weighted], weights=[n for *_, n in weighted])
    truly = np.average([effect for _, effect, _ in weighted], weights=[n for *_, n in weighted])
    assert truly > 0.05
    assert found == pytest.approx(truly, rel=0.15)


def test_one_campaign_works_on_nobody(worlds, all_contacts):
    for world in worlds.values():
        planted = next(f for f in world.findings if f["kind"] == "works on nobody")
        effects = world.truth["campaign_effects"].query(f"campaign_id == '{planted['campaign']}'")
        assert len(effects) > 300
        assert (effects["effect"] == 0).all()
    gap, error = difference(all_contacts[all_contacts["name"] == "Publisher of the Month"])
    assert abs(gap) < 2 * error


def test_one_campaign_works_for_one_segment_only(all_contacts):
    reached = all_contacts[all_contacts["name"] == "Konkur Countdown"]
    students = reached["persona"] == "konkur_student"
    assert (reached.loc[~students, "effect"] == 0).all()
    gap, error = difference(reached[students])
    assert gap > 4 * error
    gap, error = difference(reached[~students])
    assert abs(gap) < 2 * error


def test_some_are_harmed_by_a_campaign_they_did_not_want(all_contacts):
    reached = all_contacts[all_contacts["name"] == "Spring Bargains"]
    harmed = reached["effect"] < 0
    assert set(reached.loc[harmed & (reached["persona"] != "collector"), "true_preferred_channel"]) == {"email"}
    gap, error = difference(reached[harmed])
    assert gap < -3 * error
    gap, error = difference(reached[~harmed])
    assert gap > 3 * error


def test_some_leave_for_good_because_a_campaign_annoyed_them(worlds):
    for world in worlds.values():
        left = world.truth["customers"].query("left_for == 'campaign'")
        reached = world.tables["campaign_contacts"].merge(world.truth["campaign_effects"])
        annoyed = reached[(reached["variant"] == "treatment") & (reached["effect"] < 0)]
        annoyed = annoyed[annoyed["customer_id"].isin(left["customer_id"])].merge(left[["customer_id", "dropout_at"]])
        assert len(left) > 0
        assert set(annoyed["customer_id"]) == set(left["customer_id"])
        assert (
            (annoyed["dropout_at"] > annoyed["sent_at"] + EFFECT_DAYS * DAY).groupby(annoyed["customer_id"]).any().all()
        )


def test_who_wants_mail_and_is_called_converts_less(worlds, all_contacts):
    called = all_contacts[(all_contacts["channel"] == "phone") & (all_contacts["variant"] == "treatment")]
    converts = (
        called["converted_at"].notna().groupby([called["seed"], called["true_preferred_channel"] == "email"]).mean()
    )
    assert (converts.xs(True, level=1) < 0.75 * converts.xs(False, level=1)).all()
    for seed, world in worlds.items():
        planted = next(f for f in world.findings if f["kind"] == "channel mismatch")
        assert planted["converted_here"] == pytest.approx(converts[seed, True], abs=1e-4)
        assert planted["converted_elsewhere"] == pytest.approx(converts[seed, False], abs=1e-4)


# --- service ----------------------------------------------------------------------------------------------------------


def deliveries(world):
    """Orders of the web shop and the app whose customer has no other, with the day of their delivery."""
    orders = world.tables["orders"].query("channel in ['web', 'app'] and status != 'returned'")
    once = orders[~orders["customer_id"].duplicated(keep=False)].query("status == 'completed'")
    events = world.tables["touchpoints"].query("event == 'delivery'")[["customer_id", "occurred_at"]]
    events = events[~events["customer_id"].duplicated(keep=False)]
    both = once.merge(events, on="customer_id")
    both["days"] = (both["occurred_at"].dt.normalize() - both["ordered_at"].dt.normalize()).dt.days
    return both


def test_tickets_follow_failures(worlds):
    for world in worlds.values():
        tickets = world.tables["tickets"]
        orders = world.tables["orders"].query("status != 'returned'")
        events = world.tables["touchpoints"]
        orders = orders[["customer_id", "ordered_at", "channel"]]
        for topic, before in (
            ("late delivery", orders[orders["channel"] != "branch"]),
            ("damaged book", orders),
            ("wrong book", orders),
            ("payment", orders),
            ("question", orders),
            ("app checkout", events.query("event == 'checkout' and channel == 'app'")),
        ):
            of_topic = tickets[tickets["topic"] == topic]
            assert len(of_topic) >= 10
            first = before.groupby("customer_id").min(numeric_only=False).iloc[:, 0]
            assert (of_topic["opened_at"] > of_topic["customer_id"].map(first)).all(), topic
        single = deliveries(world)
        late = tickets[tickets["topic"] == "late delivery"].merge(single, on="customer_id")
        assert len(late) >= 5
        assert (late["days"] > 7).all()
        closed = tickets.dropna(subset="closed_at")
        assert (closed["closed_at"] > closed["opened_at"]).all()
        assert closed["closed_at"].max() < END
        assert tickets.loc[tickets["closed_at"].isna(), "satisfaction"].isna().all()


def test_who_waits_complains_on_various_days_and_who_was_sent_the_wrong_thing_when_it_has_come(worlds):
    waited, looked = [], []
    for world in worlds.values():
        told = world.tables["tickets"].merge(deliveries(world), on="customer_id")
        late = told[told["topic"] == "late delivery"]
        waited.append((late["opened_at"].dt.normalize() - late["ordered_at"].dt.normalize()).dt.days)
        spoilt = told[told["topic"].isin(["damaged book", "wrong book"]) & (told["opened_at"] > told["ordered_at"])]
        # of customers with one online order; a few of these tickets are about a purchase in a branch
        looked.append(spoilt["opened_at"] > spoilt["occurred_at"])
    waited, looked = pd.concat(waited), pd.concat(looked)
    assert waited.between(7, 10).all()
    assert waited.nunique() == 4
    assert waited.value_counts(normalize=True).max() < 0.5
    assert len(looked) > 50
    assert looked.mean() > 0.97


def test_an_order_is_open_until_it_is_delivered(worlds):
    for world in worlds.values():
        orders = world.tables["orders"].query("channel in ['web', 'app']")
        events = world.tables["touchpoints"].query("event == 'delivery' and customer_id.str.startswith('C')")
        done = orders[orders["status"] == "completed"]
        assert done.groupby("customer_id").size().equals(events.groupby("customer_id").size())
        waiting = orders[orders["status"] == "open"]
        assert len(waiting) >= 10
        assert waiting["ordered_at"].min() > END - pd.Timedelta(days=20)


def test_sales_people_meet_companies_at_office_hours_and_not_on_fridays(worlds):
    met = pd.concat([w.tables["touchpoints"].query("event in ['meeting', 'offer_sent']") for w in worlds.values()])
    at = met["occurred_at"].dt
    assert len(met) > 1000
    # A deal may be closed, and with it the last stages before, up to four hours after an afternoon lead.
    assert at.hour.between(8, 16).mean() > 0.97
    assert at.hour.between(8, 21).all()
    assert (at.day_of_week == 4).mean() < 0.01


def test_parcels_of_companies_come_after_various_days(worlds):
    for world in worlds.values():
        won = world.tables["deals"].query("outcome == 'won'")[["customer_id", "closed_at"]]
        won = won[~won["customer_id"].duplicated(keep=False)]
        events = world.tables["touchpoints"].query("event == 'delivery'")[["customer_id", "occurred_at"]]
        days = won.merge(events, on="customer_id").eval("occurred_at - closed_at").dt.total_seconds() / 86_400
        assert days.between(1.5, 8).all()
        assert days.round().nunique() >= 4


def test_who_clicks_a_message_lands_on_the_shop_and_mostly_looks_at_something(worlds):
    for world in worlds.values():
        events = world.tables["touchpoints"].sort_values("occurred_at", kind="stable")
        clicks = events.query("event in ['email_click', 'sms_click']")[["customer_id", "occurred_at"]]
        for event, low, high in (("visit", 0.99, 1.0), ("product_view", 0.72, 0.84)):  # 0.78 pass a visit anywhere
            of_event = events[events["event"] == event][["customer_id", "occurred_at"]].assign(follows=True)
            within = pd.Timedelta(minutes=15)
            next_one = pd.merge_asof(
                clicks, of_event, on="occurred_at", by="customer_id", direction="forward", tolerance=within
            )
            assert low <= next_one["follows"].notna().mean() <= high


def test_the_time_from_a_click_to_an_order_does_not_tell_what_caused_the_order(worlds):
    contacts = pd.concat([w.tables["campaign_contacts"] for w in worlds.values()]).dropna(subset="clicked_at")
    hours = contacts.eval("converted_at - clicked_at").dt.total_seconds().dropna() / 3600
    # No stretch of a few hours holds most of them: each doubling of the time has its share.
    doublings = np.log2(hours).round().value_counts(normalize=True)
    assert len(hours) > 1000
    assert hours.min() > 0
    assert doublings.max() < 0.25


def test_the_chance_to_leave_for_a_complaint_is_what_orders_come_to():
    # half are in the city whose web orders are slow; each has one channel, so that their chance is that of an order
    n, cities = 600_000, list(CITIES)
    channel = np.arange(n) % 3
    people = pd.DataFrame({"city": np.where(np.arange(n) < n // 2, cities.index("Mashhad"), cities.index("Tehran"))})
    people[SHARES] = np.eye(3)[channel]
    purchases = pd.DataFrame({"customer": np.arange(n), "day": 0, "channel": channel})
    leaves = fates_of(np.random.default_rng(1), purchases, people)["leaves_day"] < np.inf
    found = leaves.groupby([people["city"], channel]).mean()
    told = pd.Series(_leaves_for_a_complaint(people)).groupby([people["city"], channel]).mean()
    assert (found - told).abs().max() < 0.0015  # 100,000 each: four standard errors of the largest, 0.037
    assert told.max() > 3 * told.median()


def test_feedback_follows_what_happened(worlds):
    answers = pd.concat([w.tables["feedback"].assign(seed=s) for s, w in worlds.items()])
    assert answers["given_at"].max() < END
    scale = answers.groupby("instrument")["score"].agg(["min", "max"])
    assert scale.loc["nps"].tolist() == [0, 10]
    assert scale.loc["csat"].tolist() == [1, 5]
    assert scale.loc["ces"].tolist() == [1, 7]
    late = []
    for world in worlds.values():
        single = deliveries(world)
        csat = world.tables["feedback"].query("topic == 'delivery'").merge(single, on="customer_id")
        assert (csat["given_at"] > csat["occurred_at"]).all()
        late.append(csat)
    late = pd.concat(late)
    by = late.groupby(late["days"] > 7)["score"].mean()
    assert by[True] < by[False] - 1
    returned = answers[answers["topic"] == "return"].merge(
        pd.concat([w.tables["orders"].query("status == 'returned'").assign(seed=s) for s, w in worlds.items()]),
        on=["seed", "customer_id"],
    )
    assert (returned["ordered_at"] < returned["given_at"]).groupby(returned["seed"]).mean().min() > 0.8


def test_badly_handled_tickets_are_rated_badly_and_lower_the_recommendation(worlds):
    rated, advice = [], []
    for world in worlds.values():
        tickets = world.tables["tickets"].merge(world.truth["tickets"])
        rated.append(tickets.dropna(subset="satisfaction"))
        nps = world.tables["feedback"].query("instrument == 'nps'")[["customer_id", "given_at", "score"]]
        both = nps.merge(tickets[["customer_id", "opened_at", "handled_badly"]])
        since = both["given_at"] - both["opened_at"]
        advice.append(both[(since > 15 * DAY) & (since < 300 * DAY)])
    by = pd.concat(rated).groupby("handled_badly")["satisfaction"].mean()
    assert by[True] < by[False] - 1.5
    by = pd.concat(advice).groupby("handled_badly")["score"].mean()
    assert by[True] < by[False] - 1.5


def test_complaints_precede_leaving(worlds):
    for world in worlds.values():
        left = world.truth["customers"].query("left_for == 'complaint'")
        tickets = world.tables["tickets"].merge(world.truth["tickets"])
        bad = tickets[tickets["handled_badly"]].merge(left[["customer_id", "dropout_at"]], on="customer_id")
        cause = bad[(bad["opened_at"] < bad["dropout_at"])]
        ended = left[left["dropout_at"] < END]
        assert len(ended) > 50
        assert set(ended["customer_id"]) <= set(cause["customer_id"])
    # By hand, as an analyst would: is there another order within 180 days of a complaint, by how long the answer took?
    seen = []
    for world in worlds.values():
        complaints = world.tables["tickets"].query("topic not in ['question', 'app checkout']").reset_index(drop=True)
        complaints = complaints[complaints["opened_at"] < END - 180 * DAY]
        slow = (complaints["closed_at"] - complaints["opened_at"]) > 6 * DAY
        orders = world.tables["orders"].query("status != 'returned'")[["customer_id", "ordered_at"]]
        later = complaints[["ticket_id", "customer_id", "opened_at"]].merge(orders)
        wait = later["ordered_at"] - later["opened_at"]
        again = later.loc[(wait > pd.Timedelta(0)) & (wait < 180 * DAY), "ticket_id"].unique()
        seen.append(pd.DataFrame({"slow": slow, "again": complaints["ticket_id"].isin(again)}))
    by = pd.concat(seen).groupby("slow")["again"].agg(["mean", "size"])
    error = np.sqrt((by["mean"] * (1 - by["mean"]) / by["size"]).sum())
    assert by.loc[False, "mean"] - by.loc[True, "mean"] > 4 * error


# --- opinions ---------------------------------------------------------------------------------------------------------


def test_questions_of_a_construct_hang_together_and_the_reversed_ones_run_against_it(world):
    answers = world.tables["survey_answers"]
    reverse = world.truth["questions"].set_index("question")["reversed"]
    assert reverse.sum() == 5
    for construct in opinions.TRAITS:
        of = answers[answers["construct"] == construct].pivot(index="customer_id", columns="question", values="answer")
        assert of.stack().dropna().between(1, 5).all()
        signs = np.where(reverse[of.columns], -1, 1)
        related = of.corr().to_numpy() * np.outer(signs, signs)
        assert related[np.triu_indices(len(signs), 1)].min() > 0.3, construct


def test_the_survey_measures_what_people_are_truly_like_and_what_they_do(worlds):
    for world in worlds.values():
        answers = world.tables["survey_answers"].merge(world.truth["questions"], on=["construct", "question"])
        answers["answer"] = answers["answer"].where(~answers["reversed"], 6 - answers["answer"])
        scores = answers.groupby(["customer_id", "construct"])["answer"].mean().unstack()
        truth = world.truth["customers"].set_index("customer_id").reindex(scores.index)
        for construct in opinions.TRAITS:
            assert scores[construct].corr(truth[f"trait_{construct.replace(' ', '_')}"]) > 0.75, construct
        orders = world.tables["orders"].query("status == 'completed'")
        at_discount = orders["discount"].gt(0).groupby(orders["customer_id"]).mean().reindex(scores.index)
        assert scores["price consciousness"].corr(at_discount) > 0.25
        assert scores["brand loyalty"].corr(np.log(truth["dropout_at"].astype("int64") / 1e15)) > 0.1
        assert 0.1 < len(scores) / orders["customer_id"].nunique() < 0.35


def test_goals_tell_the_groups_apart(world):
    answers = world.tables["survey_answers"].merge(world.truth["customers"][["customer_id", "persona"]])
    mean = answers.groupby(["question", "persona"])["answer"].mean().unstack()
    assert mean.loc["I buy books for an examination"].idxmax() == "konkur_student"
    assert mean.loc["I buy books as presents"].idxmax() == "gift_buyer"
    assert mean.loc["I buy books for my children"].idxmax() == "childrens_parent"


def test_one_rival_is_preferred_on_one_attribute_and_on_no_other(worlds):
    for world in worlds.values():
        mean = world.tables["brand_ratings"].groupby(["attribute", "brand"])["rating"].mean().unstack()
        assert set(mean.columns) == {opinions.OURS, *opinions.RIVALS}
        ahead = mean.drop(columns=opinions.OURS).sub(mean[opinions.OURS], axis=0)
        assert ahead.loc["price", "Barg Online"] > 0.5
        ahead.loc["price", "Barg Online"] = np.nan
        assert ahead.max(axis=None) < 0.15


# --- the truth --------------------------------------------------------------------------------------------------------


def test_what_is_expected_for_the_next_year_is_what_comes_on_average(worlds):
    truth = pd.concat([w.truth["customers"].query("persona != 'business'") for w in worlds.values()])
    expected, came = truth["expected_spend_next_year"], truth["spend_next_year"]
    gone = truth["dropout_at"] < END
    assert (expected[gone] == 0).all()
    assert (came[gone] == 0).all()
    assert 0.15 < (expected > 0).mean() < 0.6
    error = np.sqrt(((came - expected) ** 2).sum()) / came.sum()
    assert abs(expected.sum() / came.sum() - 1) < 3 * error
    # Nor is it right only on average: tenths of the customers by expectation come out in order.
    tenths = pd.qcut(expected[expected > 0], 10, labels=False)
    by = came[expected > 0].groupby(tenths).mean() / expected[expected > 0].groupby(tenths).mean()
    assert by.between(0.8, 1.25).all()


def test_stages_of_loyalty_are_entered_in_order_and_end_with_dropping_out(world):
    loyalty = world.truth["loyalty"]
    order = ["lead", "new", "repeat", "loyal", "at risk", "left"]
    place = loyalty["stage"].map(order.index)
    assert (place.groupby(loyalty["customer_id"]).diff().dropna() > 0).all()
    assert (loyalty["from"].groupby(loyalty["customer_id"]).diff().dropna() >= pd.Timedelta(0)).all()
    truth = world.truth["customers"].query("persona != 'business'").set_index("customer_id")
    assert set(loyalty.loc[loyalty["stage"] == "lead", "customer_id"]) == set(truth.index)
    left = loyalty[loyalty["stage"] == "left"].set_index("customer_id")["from"]
    gone = truth.loc[truth["dropout_at"] < END, "dropout_at"]
    pd.testing.assert_series_equal(left.sort_index(), gone.sort_index(), check_names=False)
    orders = world.tables["orders"].query("status != 'returned'").groupby("customer_id")["ordered_at"]
    new = loyalty[loyalty["stage"] == "new"].set_index("customer_id")["from"]
    pd.testing.assert_series_equal(new.sort_index(), orders.min().reindex(new.index).sort_index(), check_names=False)


def test_the_truth_of_five_seeds_differs(worlds):
    personas = {tuple(w.truth["customers"]["persona"].head(50)) for w in worlds.values()}
    assert len(personas) == len(worlds)


# --- pieces -----------------------------------------------------------------------------------------------------------


def test_the_only_piece_of_a_small_world_is_the_world():
    [piece] = bookshop.pieces(120, seed=3)
    whole = bookshop.build(120, seed=3)
    assert piece.findings == whole.findings
    for name in whole.tables:
        pd.testing.assert_frame_equal(piece.tables[name], whole.tables[name])
    for name in whole.truth:
        pd.testing.assert_frame_equal(piece.truth[name], whole.truth[name])


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(bookshop, "PIECE", 100)


def test_pieces_share_products_and_campaigns_and_no_ids(small_pieces):
    first, second, third = bookshop.pieces(250, seed=2)
    assert [len(w.tables["customers"]) for w in (first, second, third)] == [84, 83, 83]
    for name in ("products", "campaigns"):
        pd.testing.assert_frame_equal(first.tables[name], second.tables[name])
    for name in ("customers", "orders", "tickets", "deals"):
        ids = pd.concat([w.tables[name].iloc[:, 0] for w in (first, second, third)])
        assert ids.is_unique, name
        assert ids.str.len().nunique() == (2 if name == "customers" else 1)  # persons and companies
    customers = pd.concat([w.tables["customers"] for w in (first, second, third)])
    assert customers["phone"].dropna().is_unique
    assert customers["email"].dropna().is_unique
    assert not first.tables["orders"]["amount"].head(50).equals(second.tables["orders"]["amount"].head(50))


def test_a_world_written_in_pieces_is_all_of_them_one_after_the_other(small_pieces, tmp_path):
    mapping = bookshop.write(tmp_path, customers=250, seed=2)
    pieces = list(bookshop.pieces(250, seed=2))
    for name in ("orders", "touchpoints", "campaign_contacts"):
        written = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert len(written) == sum(len(w.tables[name]) for w in pieces)
        assert written.iloc[:, 0].tolist() == pd.concat([w.tables[name] for w in pieces]).iloc[:, 0].tolist()
    assert len(pd.read_parquet(tmp_path / "products.parquet")) == len(pieces[0].tables["products"])
    assert len(pd.read_parquet(tmp_path / "truth" / "customers.parquet")) == 250
    findings = tomllib.loads((mapping.parent / "truth" / "findings.toml").read_text())["findings"]
    found = [next(f for f in w.findings if f["kind"] == "decline in one segment") for w in pieces]
    total = next(f for f in findings if f["kind"] == "decline in one segment")
    assert total["total_counts"] == [sum(f["total_counts"][i] for f in found) for i in (0, 1)]
    assert total["total"] == round(total["total_counts"][0] / total["total_counts"][1], 4)
