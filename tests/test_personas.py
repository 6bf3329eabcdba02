"""Personas: every line rests on what was measured, says so, and is about nobody in particular."""

import io
import json
import re
import zipfile
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from analysis import evidence, locale, personas
from analysis.errors import Problem
from analysis.personas import examples, follows, likeness
from analysis.personas.content import content
from analysis.personas.lines import figures
from analysis.personas.measures import measured
from analysis.personas.traits import told
from analysis.personas.typical import typical


class Shop(dict):
    """A base by hand: tables by name, and what a base knows of itself."""

    title, currency, timezone, as_of = "The shop", "toman", "Asia/Tehran", date(2024, 12, 31)


def _two_groups(n=60):
    """Two thirds buy rarely and live in Yazd, one third buys often; the gender is drawn by lot."""
    often = np.arange(n) >= 2 * n // 3
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(
        {
            "customer_id": [f"secret-{i:05}" for i in range(n)],
            "gender": rng.choice(["woman", "man"], n),
            "city": np.where(often, "Qom", "Yazd"),
            "n_orders": np.where(often, 12.0, 1.0) + np.arange(n) % 3,
            "orders_per_year": np.where(often, 6.0, 0.5) + np.arange(n) % 3 / 10,
            "total_spend": np.where(often, 900.0, 30.0) + np.arange(n) % 7,
            "recency_days": np.where(often, 10.0, 300.0) + np.arange(n) % 5,
            "first_order_at": pd.date_range("2021-03-21", periods=n),
            "used_channel": np.where(often, "app", "shop"),
            "shoe_size": 36.0 + np.arange(n) % 4,
            "interests": [["novel", "art"][: i % 3] for i in range(n)],
        }
    )
    segments = pd.DataFrame({"customer_id": profiles["customer_id"], "segment": np.where(often, 2, 1)})
    segments["segment_name"] = np.where(often, "Frequent buyers", "One-time buyers")
    segments["fit"] = 0.6
    return profiles, segments


def _trait(made, persona, trait, level=""):
    rows = made.traits.query("persona == @persona and trait == @trait and level == @level")
    assert len(rows) == 1
    return rows.iloc[0]


def _part(card, key):
    return next(part for part in card["parts"] if part["key"] == key)


def _texts(card):
    """All texts of a card, wherever they stand."""
    return json.dumps(card, ensure_ascii=False)


# --- what is derived


def test_one_persona_per_segment_with_its_share_of_customers_and_revenue():
    profiles, segments = _two_groups()
    table = personas.derive(profiles, segments).personas
    assert table["persona"].tolist() == [1, 2]
    assert table["title"].tolist() == ["One-time buyers", "Frequent buyers"]
    assert table["n"].tolist() == [40, 20]
    assert table["share"].tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-6)
    spend = profiles["total_spend"]
    shares = [spend[:40].sum() / spend.sum(), spend[40:].sum() / spend.sum()]
    assert table["revenue_share"].tolist() == pytest.approx(shares, abs=1e-6)


def test_every_trait_carries_the_evidence_of_compare():
    profiles, segments = _two_groups()
    profiles = profiles.drop(columns="interests")  # as a list, which is compared value by value
    made = personas.derive(profiles, segments)
    compared = evidence.compare(profiles.assign(segment=segments["segment"]), "segment")
    row = compared.query("group == 2 and trait == 'orders_per_year'").iloc[0]
    found = _trait(made, 2, "orders_per_year")
    for name in ("n", "value", "elsewhere", "difference", "low", "high", "effect", "distinctive"):
        assert found[name] == pytest.approx(row[name])
    # of a level the effect is the difference of the shares
    assert _trait(made, 2, "city", "Qom")["effect"] == pytest.approx(1.0)


def test_the_least_difference_that_is_told_is_a_parameter():
    # 60 of 100 against 40 of 100 women: 20 points, real with two groups of 400
    half = np.arange(800) >= 400
    women = np.where(half, np.arange(800) % 5 < 3, np.arange(800) % 5 < 2)
    profiles = pd.DataFrame({"customer_id": range(800), "gender": np.where(women, "woman", "man")})
    segments = pd.DataFrame({"customer_id": range(800), "segment": half + 1})
    assert _trait(personas.derive(profiles, segments), 2, "gender", "woman")["distinctive"]
    assert not _trait(personas.derive(profiles, segments, least=0.25), 2, "gender", "woman")["distinctive"]


def test_persons_are_compared_with_persons_where_companies_are_a_group_of_their_own():
    # 40 rare and 20 frequent buyers, and 20 companies that order a hundred times
    profiles, segments = _two_groups(80)
    profiles["kind"] = ["person"] * 60 + ["company"] * 20
    profiles["orders_per_year"] = [0.5] * 20 + [0.6] * 20 + [6.0] * 10 + [6.2] * 10 + [99.0, 101.0] * 10
    segments["segment"] = [1] * 40 + [2] * 20 + [3] * 20
    made = personas.derive(profiles, segments)
    assert _trait(made, 1, "orders_per_year")["elsewhere"] == pytest.approx(6.1)
    assert _trait(made, 3, "orders_per_year")["elsewhere"] == pytest.approx((40 * 0.55 + 20 * 6.1) / 60)
    assert made.traits.query("trait == 'kind'").empty  # that persons are persons is no news
    assert made.personas["company"].tolist() == [False, False, True]


def test_one_segment_alone_is_told_as_it_is_because_there_is_nobody_to_compare_it_with():
    profiles, segments = _two_groups()
    made = personas.derive(profiles, segments.assign(segment=1, segment_name="All customers"))
    assert made.traits["elsewhere"].isna().all()
    card = personas.card(made[1]).content
    assert "the base is one group" in card["summary"]["text"]
    assert "everyone else" not in _texts(card["parts"])
    assert "like this card" not in _texts(card["limits"])


def test_groups_below_five_make_no_persona():
    profiles, segments = _two_groups()
    segments.loc[:3, "segment"] = 3
    assert set(personas.derive(profiles, segments).personas["persona"]) == {1, 2}
    nobody = personas.derive(profiles[:4], segments[:4])
    assert personas.findings(personas.cards(nobody)) == ["No group has the 5 customers that a persona needs."]
    assert personas.compare(nobody).words == ["There is one persona at most, and nothing to compare it with."]


@pytest.mark.parametrize(
    ("profiles", "segments", "says"),
    [
        (lambda p: pd.concat([p, p[:1]]), lambda s: s, "profiles has 1 more rows than customers"),
        (lambda p: p, lambda s: pd.concat([s, s[:2]]), "segments has 2 more rows than customers"),
        (lambda p: p[:40], lambda s: s, "20 of the 60 customers of segments are not in profiles"),
        (lambda p: p, lambda s: s.assign(segment="a"), "does not hold whole numbers"),
        (lambda p: p, lambda s: s.assign(segment=s["segment"] == 1), "does not hold whole numbers"),
        (lambda p: pd.concat([p, p[["city"]]], axis=1), lambda s: s, 'the column "city" more than once'),
    ],
)
def test_tables_that_say_two_things_are_refused_in_words_without_an_id(profiles, segments, says):
    of, groups = _two_groups()
    with pytest.raises(Problem, match=says) as refused:
        personas.derive(profiles(of), segments(groups))
    assert "secret-" not in str(refused.value)


def test_ids_as_numbers_are_those_of_the_base():
    # everybody of the first group raised "late"; the base has the ids as text, as always
    profiles, segments = (table.assign(customer_id=range(60)) for table in _two_groups())
    raised = pd.DataFrame({"customer_id": [str(i) for i in range(40)], "topic": "late"})
    tickets = raised.assign(ticket_id=raised["customer_id"], opened_at=pd.Timestamp("2024-05-05", tz="UTC"))
    assert _trait(personas.derive(profiles, segments, Shop(tickets=tickets)), 1, "raised late", "yes")["value"] == 1


def test_infinite_numbers_and_names_that_are_taken_do_no_harm():
    profiles, segments = _two_groups()
    profiles["total_spend"] = np.where(np.arange(60) % 2, np.inf, profiles["total_spend"])
    profiles = profiles.assign(age=np.inf, persona="x", **{"may sms": 1.0}, consents=[["sms"]] * 60)
    made = personas.derive(profiles, segments.assign(segment_name=None), Shop())
    assert _trait(made, 2, "total_spend")["n"] == 10
    assert made.personas["title"].tolist() == ["Segment 1", "Segment 2"]
    assert "inf" not in _texts(personas.card(made[1]).content["facts"])


def test_who_never_bought_is_told_so_and_is_like_no_small_spender():
    profiles, segments = _two_groups(90)
    never = np.arange(90) < 30
    profiles.loc[never, ["n_orders", "total_spend"]] = 0
    profiles = profiles[["customer_id", "n_orders", "total_spend"]]
    segments.loc[never, ["segment", "segment_name"]] = [3, "No purchase"]
    made = personas.derive(profiles, segments, Shop())
    assert "0 % have ever bought" in _texts(_part(personas.card(made[3]).content, "buying"))
    assert personas.compare(made).overlap.loc["No purchase", "No purchase"] == 1


def test_segments_without_their_columns_are_refused_in_words():
    with pytest.raises(Problem, match='segments has no column "segment"'):
        personas.derive(_two_groups()[0], pd.DataFrame({"customer_id": ["a"]}))


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_row_order_never_matters(random):
    profiles, segments = _two_groups()
    expected = personas.derive(profiles, segments)
    found = personas.derive(
        profiles.sample(frac=1, random_state=random.randrange(2**32)),
        segments.sample(frac=1, random_state=random.randrange(2**32)),
    )
    for name in ("personas", "traits", "typical", "unlike", "exemplars", "customers"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)
    assert [content(p) for p in found] == [content(p) for p in expected]


# --- what is measured


def _shop():
    """Three customers: what they answered, raised, left, were sent, and when they bought."""
    day = pd.Timestamp("2024-07-01 12:00", tz="Asia/Tehran")  # the 11th of Tir, the fourth Jalali month
    answers = [(c, "goals", "To relax", a) for c, a in (("a", 5), ("b", 1), ("c", 3))]
    answers += [(c, "goals", "For work", a) for c, a in (("a", 1), ("b", 5), ("c", 3))]
    contacts = [
        *[
            ("a", day, "visit", "aware", "before", "web", None),
            ("a", day, "checkout", "checkout", "during", "web", None),
        ],
        *[("a", day + pd.Timedelta(days=2), "checkout", "checkout", "during", "web", None)],
        *[("a", day + pd.Timedelta(days=2, hours=1), "order", "order", "during", "web", None)],
        *[("b", day - pd.Timedelta(days=60), "visit", "aware", "before", "web", None)],
        *[("b", day, "email_sent", "aware", "before", "email", "news")] * 2,
        *[("b", day, "email_open", "aware", "before", "email", "news")],
    ]
    orders = [("a", day + pd.Timedelta(days=2, hours=1)), ("b", day), ("b", day - pd.Timedelta(days=766))]
    return Shop(
        survey_answers=pd.DataFrame(answers, columns=["customer_id", "construct", "question", "answer"]).assign(
            answered_at=day
        ),
        tickets=pd.DataFrame({"customer_id": ["a"], "topic": ["late"], "opened_at": [day]}),
        feedback=pd.DataFrame(
            {"customer_id": ["a", "b"], "instrument": "csat", "score": [1.0, 5.0], "topic": "branch", "given_at": day}
        ),
        touchpoints=pd.DataFrame(
            contacts, columns=["customer_id", "occurred_at", "event", "stage", "phase", "channel", "content_type"]
        ),
        orders=pd.DataFrame(orders, columns=["customer_id", "ordered_at"]).assign(order_id=list("123"), amount=1.0),
    )


def _of_shop(base=None):
    profiles = pd.DataFrame({"customer_id": list("abc"), "consents": [["sms"], [], None], "n_orders": [1, 2, 0]})
    profiles["n_lines"] = [3, 2, 0]
    return measured(profiles, base or _shop())


def test_questions_about_goals_stand_by_themselves():
    found = _of_shop()
    assert found.table["agrees To relax"].tolist() == [5, 1, 3]
    assert found.about.loc["agrees To relax", ["part", "source"]].tolist() == ["goals", "survey_answers"]


def test_topics_raised_count_customers_and_low_answers_those_who_were_asked():
    table = _of_shop().table
    assert table["raised late"].tolist() == [True, False, False]
    assert table["unhappy branch"].tolist()[:2] == [True, False]
    assert pd.isna(table["unhappy branch"][2])  # was never asked


def test_a_checkout_is_left_if_no_order_follows_it():
    # two checkouts on the web and one order
    assert _of_shop().table["dropped web"].tolist()[0] == 0.5


def test_months_are_those_of_the_calendar_that_the_business_goes_by():
    table = _of_shop().table
    # b bought on 2024-07-01 (Tir) and on 2022-05-27 (Khordad)
    assert table.set_index("customer_id").loc["b", ["month j4", "month j3"]].tolist() == [0.5, 0.5]
    base = _shop()
    base.timezone = "Europe/Berlin"
    assert _of_shop(base).table.set_index("customer_id").loc["b", "month g7"] == 0.5


def test_a_contact_is_followed_by_an_order_within_thirty_days():
    table = _of_shop().table.set_index("customer_id")
    # a bought two days after the visit; b sixty days after
    assert table["followed before · visit · web"].tolist()[:2] == [1.0, 0.0]
    # the order itself is followed by no other
    assert table.loc["a", "followed during · order · web"] == 0.0
    assert table.loc["b", "opened news"] == 0.5
    assert table["may sms"].tolist()[:2] == [True, False]
    assert pd.isna(table.loc["c", "may sms"])  # nobody knows what c agreed to
    assert table.loc["a", "lines per purchase"] == 3


def test_nothing_after_the_day_is_seen():
    base, later = _shop(), _shop()
    after = pd.Timestamp("2025-01-02", tz="Asia/Tehran")
    for name, time in (("tickets", "opened_at"), ("touchpoints", "occurred_at"), ("orders", "ordered_at")):
        row = later[name].iloc[[0]].assign(**{time: after, "customer_id": "c"})
        row = row.assign(topic="secret") if name == "tickets" else row
        later[name] = pd.concat([later[name], row], ignore_index=True)
    pd.testing.assert_frame_equal(_of_shop(base).table, _of_shop(later).table)


# --- how alike, how sure


def test_who_is_nearer_to_the_persona_than_to_everybody_else_is_like_it():
    lines = pd.DataFrame(
        [("age", "", 60.0, 30.0, 0.9), ("city", "Qom", 0.7, 0.1, 0.6)],
        columns=["trait", "level", "value", "elsewhere", "effect"],
    )
    table = pd.DataFrame({"age": [70.0, 20.0, np.nan, 50.0], "city": ["Qom", "Yazd", "Qom", "Yazd"]})
    near = likeness.alike(table, lines)
    assert near["age"].tolist()[:2] == [1, 0]
    assert np.isnan(near["age"][2])
    assert near["city: Qom"].tolist() == [1, 0, 1, 0]
    # more than half of what is known: both of the first, neither of the second, the only one of the third, one of two
    cover = likeness.coverage(table.assign(here=[True, False, True, True]), lines)
    assert cover["here"] == pytest.approx(2 / 3)
    assert (cover["elsewhere"], cover["n"]) == (0.0, 3)


@pytest.mark.parametrize(
    ("n", "fit", "known", "word"),
    [(612, 0.9, 0.9, "high"), (612, 0.9, 0.6, "moderate"), (40, 0.9, 0.9, "moderate"), (12, 0.9, 0.9, "low")],
)
def test_the_weakest_of_size_belonging_and_knowledge_makes_the_confidence(n, fit, known, word):
    # 1 - 1.96 / sqrt(n): 0.92 of 612, 0.69 of 40, 0.43 of 12
    assert likeness.confidence(n, [fit] * n, known)["word"] == word
    assert likeness.confidence(n, [0.1] * n, known)["word"] == "low"  # nobody fits this group twice as well


# --- examples


def test_groups_under_20_give_no_example():
    made = personas.derive(*_two_groups(n=57))  # 38 and 19
    assert set(made.exemplars["persona"]) == {1}
    assert made.exemplars["mask"].tolist() == ["A", "B", "C"]
    assert "no example is shown" in personas.card(made[2]).content["examples"]["empty"]


def test_examples_show_bands_and_nothing_that_identifies():
    made = personas.derive(*_two_groups(300))
    for secret in ("secret-", "2021", "Yazd", "Qom"):
        assert secret not in made.exemplars.to_csv()
    assert set(made.exemplars.query("persona == 1")["last_order"]) == {"6–12 months ago"}
    assert set(made.exemplars.query("persona == 1")["spend"]) == {"20–50"}


def test_what_few_have_is_not_shown_of_an_example():
    profiles, segments = _two_groups(300)
    profiles["used_channel"] = [f"channel {i // 10}" for i in range(300)]
    assert set(personas.derive(profiles, segments).exemplars["channel"]) == {"less usual"}


def test_examples_are_typical_of_their_group():
    # one hundred around 50 and five far out: the far ones are never shown
    spend = [50.0 + i / 100 for i in range(100)] + [9e6] * 5 + [1.0] * 105
    profiles = pd.DataFrame({"customer_id": range(210), "total_spend": spend})
    made = personas.derive(profiles, pd.DataFrame({"customer_id": range(210), "segment": [1] * 105 + [2] * 105}))
    assert set(made.exemplars.query("persona == 1")["spend"]) == {"50–100"}


def test_who_never_bought_is_no_example_where_enough_did():
    profiles, segments = _two_groups(300)
    profiles.loc[:150, ["n_orders", "total_spend"]] = 0.0
    made = personas.derive(profiles, segments)
    assert "none" not in set(made.exemplars.query("persona == 1")["orders"])


def test_who_hardly_belongs_is_no_example():
    # the middle of the group in spend belongs nowhere; those around it do
    table = pd.DataFrame({"customer_id": range(60), "persona": 1, "total_spend": np.arange(60.0)})
    table["fit"] = np.where(table["total_spend"].between(20, 40), 0.0, 0.9)
    assert set(table["fit"].iloc[examples.chosen(table, [1])[1]]) == {0.9}


# --- the card


def test_a_line_says_the_figure_everybody_elses_and_how_many_it_rests_on():
    made = personas.derive(*_two_groups(), Shop())
    line = _part(personas.card(made[2]).content, "buying")["lines"][0]
    assert line["text"] in ("Has placed 13.1 orders", "Buys 6.1 times a year")  # equally strong, one concept
    assert re.fullmatch(r"everyone else \d+\.\d · 20 customers", line["detail"])
    facts = {fact["label"]: fact for fact in personas.card(made[2]).content["facts"]}
    assert (facts["Place"]["text"], facts["Place"]["detail"]) == ("Qom 100 %", "everyone else 0 %")


def test_a_fact_carries_the_difference_of_its_trait():
    made = personas.derive(*_two_groups(), Shop())
    card = personas.card(made[2]).content
    place = next(row for row in card["evidence"]["rows"] if row[1] == "Place: Qom 100 %")
    row = _trait(made, 2, "city", "Qom")
    assert place[5] == "100 points"
    assert place[6] == f"{100 * row['low']:.0f} to {100 * row['high']:.0f}"


def test_money_is_said_with_its_currency_and_three_digits():
    profiles, segments = _two_groups()
    profiles["total_spend"] *= 1234
    made = personas.derive(profiles, segments, Shop())
    assert "Has spent 1,110,000 toman in all" in _texts(personas.card(made[2]).content)


def test_every_measured_line_leads_to_its_row_of_the_evidence():
    card = personas.card(personas.derive(*_two_groups(), Shop())[2]).content
    marks = {row[0]: row for row in card["evidence"]["rows"]}
    lines = [line for part in card["parts"] for line in part["lines"] if line["kind"] == "measured"]
    assert lines
    for line in lines:
        assert marks[line["mark"]][1] == line["text"]
    assert len(marks) == len(card["evidence"]["rows"])  # every mark once


def test_an_interval_beside_zero_is_not_written_as_if_it_held_zero():
    row = personas.derive(*_two_groups(), Shop()).traits.query("trait == 'gender'").iloc[0].copy()
    row["low"], row["high"] = 0.004, 0.3
    assert figures(row, locale.of("en"))[2:] == ("0.4", "30.0")


def test_what_is_not_measured_is_an_assumption_with_a_question():
    profiles, segments = _two_groups()
    card = personas.card(personas.derive(profiles, segments, Shop())[2]).content
    goals = _part(card, "goals")["lines"]
    assert [line["kind"] for line in goals] == ["assumption"]
    assert goals[0]["question"].endswith("?")
    assert goals[0]["mark"] is None
    # as soon as anybody answered, there is nothing to assume
    answers = segments[["customer_id"]].assign(
        construct="goals", question="To relax", answer=4 * segments["segment"] - 3
    )
    base = Shop(survey_answers=answers.assign(answered_at=pd.Timestamp("2024-05-05", tz="UTC")))
    goals = _part(personas.card(personas.derive(profiles, segments, base)[2]).content, "goals")["lines"]
    assert [(line["kind"], line["text"]) for line in goals] == [
        ("measured", "Answers “To relax” with 5.0 on average (highest answer 5)")
    ]


def test_what_does_not_set_them_apart_is_said_and_not_told():
    card = personas.card(personas.derive(*_two_groups(), Shop())[2]).content
    assert {"gender", "shoe size"} <= set(re.split(", | and ", card["alike"]["text"]))
    assert "shoe" not in _texts(card["parts"])


def test_suggestions_follow_from_told_traits_and_from_nothing_else():
    made = personas.derive(*_two_groups(), Shop())
    lines = told(made.traits.query("persona == 2"))
    assert {f.key for f in follows.follows(lines)} == {"advertise_on"}  # they use the app; nothing else is a reason
    assert follows.follows(lines.assign(distinctive=False)) == []
    card = personas.card(made[2]).content
    marks = {row[0] for row in card["evidence"]["rows"]}
    assert all(line["mark"] in marks for part in card["use"]["parts"] for line in part["lines"])


def test_the_card_says_of_how_many_a_line_is_not_so():
    profiles, segments = _two_groups(300)
    # 80 of the 100 of the second group live in Qom now, nobody of the first does
    profiles.loc[280:, "city"] = "Yazd"
    limits = personas.card(personas.derive(profiles, segments, Shop())[2]).content["limits"]["lines"]
    assert any("20 % in city: Qom" in line["text"] for line in limits)


def test_of_many_suggestions_the_strongest_stand():
    rows = [
        (f"bought_{c}", "", "profile", "", "needs", e, 0.5, True)
        for c, e in zip("abcd", (0.2, 0.9, 0.3, 0.8), strict=True)
    ]
    columns = ["trait", "level", "measure", "of", "part", "effect", "value", "distinctive"]
    found = follows.follows(pd.DataFrame(rows, columns=columns))
    assert [f.row.trait for f in found] == ["bought_b", "bought_d", "bought_c"]


def test_a_level_that_few_bear_is_not_named():
    customers = pd.DataFrame({"persona": [1] * 30, "occupation": ["astronaut"] * 4 + ["nurse"] * 26})
    assert typical(customers).query("fact == 'job'")["level"].tolist() == ["nurse"]


def test_a_persian_card_is_persian():
    made = personas.derive(*_two_groups(), Shop())
    card = personas.card(made[2], "fa").content
    assert card["direction"] == "rtl"
    texts = [line["text"] for part in card["parts"] for line in part["lines"]] + [card["kicker"], card["share_text"]]
    data = re.compile("The shop|Qom|shoe size")
    for text in texts:
        assert not re.search("[0-9A-Za-z]", data.sub("", text)), text
    assert "۱۱ دی ۱۴۰۳" in card["kicker"]


def test_no_language_is_made_up():
    with pytest.raises(Problem, match='no language "fr"'):
        personas.card(personas.derive(*_two_groups())[1], "fr")


def test_a_persona_shows_itself_as_its_card():
    made = personas.derive(*_two_groups())
    assert "One-time buyers" in made[1]._repr_html_()
    assert [int(p.row["persona"]) for p in made] == [1, 2]


def test_a_field_called_like_a_measure_is_no_reason_for_what_follows():
    profiles, segments = _two_groups()
    profiles["month of birth"] = np.where(segments["segment"] == 1, 3.0, 9.0) + np.arange(60) % 3
    lines = told(personas.derive(profiles, segments, Shop()).traits.query("persona == 2"))
    assert "recorded month of birth" in set(lines["trait"])
    assert {f.key for f in follows.follows(lines)} == {"advertise_on"}


def test_a_quote_speaks_of_what_they_buy_and_of_what_they_say_they_like():
    rows = [("bought_novel", "profile", "novel"), ("likes novel", "likes", "novel")]
    for trait, measure, of in rows:
        row = {"trait": trait, "measure": measure, "of": of, "part": "needs", "level": "", "value": 0.6, "top": 5.0}
        assert [key for key, _ in follows.voices(pd.DataFrame([row | {"effect": 0.5, "distinctive": True}]))] == [
            "range"
        ]


def test_nobody_is_quoted_with_what_most_of_them_deny():
    # 2 of 5 is more than the 1 of everybody else, and yet no agreement; 4 of 5 is one
    row = {"trait": "agrees To relax", "measure": "agrees", "part": "goals", "level": "", "of": "To relax", "top": 5.0}
    said = pd.DataFrame([row | {"effect": 0.8, "distinctive": True, "value": value} for value in (2.0, 4.0)])
    assert follows.voices(said[:1]) == []
    assert [key for key, _ in follows.voices(said[1:])] == ["agrees"]


def test_a_contact_with_a_dot_in_its_name_is_told_whole():
    profiles, segments = _two_groups()
    met = pd.DataFrame({"customer_id": profiles["customer_id"], "event": "visit · blog", "channel": "web"})
    met = met.assign(occurred_at=pd.Timestamp("2024-05-05", tz="UTC"), phase="before")
    card = personas.card(personas.derive(profiles, segments, Shop(touchpoints=met))[1]).content
    assert [line["text"] for line in card["touchpoints"]["phases"][0]["lines"]] == ["visit · blog (web)"]


def test_an_income_known_in_bands_is_not_called_unrecorded():
    profiles, segments = _two_groups()
    card = personas.card(personas.derive(profiles.assign(income_band="50-74K"), segments, Shop())[1]).content
    facts = {fact["label"]: fact["text"] for fact in card["facts"]}
    assert facts["Income"] == "50-74K 100 %"
    assert "Income" not in facts["Not recorded"]


def test_latin_names_keep_their_place_on_a_persian_card():
    # without isolates a reader would see "10 · The shop" and the rest of the day elsewhere
    card = personas.card(personas.derive(*_two_groups(), Shop())[1], "fa").content
    assert "\u2068The shop\u2069" in card["kicker"]
    assert "\u2068shoe size\u2069" in card["alike"]["text"]


# --- rivals


def test_rivals_are_rated_by_the_customers_of_each_persona():
    profiles, segments = _two_groups()
    # of the second group twenty rate us 4 or 5 and Barg 1 or 2 on range; of the first, both alike
    rows = [
        (c, brand, "range", (4 if brand == "us" else 1) + i % 2 if s == 2 else 3 + i % 2)
        for i, (c, s) in enumerate(zip(segments["customer_id"], segments["segment"], strict=True))
        for brand in ("us", "Barg")
    ]
    rated = pd.DataFrame(rows, columns=["customer_id", "brand", "attribute", "rating"])
    rated["rated_at"] = pd.Timestamp("2024-05-05", tz="UTC")
    # somebody who rates us alone, so that ours is known
    alone = rated.iloc[[1]].assign(customer_id="x", brand="us")
    made = personas.derive(profiles, segments, Shop(brand_ratings=pd.concat([rated, alone])))
    row = _trait(made, 2, "rival Barg", "range")
    assert (row["value"], row["elsewhere"], row["difference"], row["n"]) == (4.5, 1.5, 3.0, 20)
    assert not _trait(made, 1, "rival Barg", "range")["distinctive"]
    lines = _part(personas.card(made[2]).content, "rivals")["lines"]
    assert [line["text"] for line in lines] == ["Better than Barg on range: 4.5 against 1.5"]


def test_ratings_by_few_say_nothing():
    profiles, segments = _two_groups(57)  # 38 and 19
    rows = [(c, brand, "range", r) for c in segments["customer_id"] for brand, r in (("us", 5), ("Barg", 1))]
    rated = pd.DataFrame(rows, columns=["customer_id", "brand", "attribute", "rating"])
    rated = rated.assign(rated_at=pd.Timestamp("2024-05-05", tz="UTC"), rating=rated["rating"] - rated.index % 4 // 2)
    rated = pd.concat([rated, rated.iloc[[0]].assign(customer_id="x")])
    made = personas.derive(profiles, segments, Shop(brand_ratings=rated))
    assert set(made.traits.query("part == 'rivals'")["persona"]) == {1}


# --- the set


def test_a_card_fits_its_own_customers_and_a_company_no_card_of_persons():
    profiles, segments = _two_groups()
    companies = profiles[:20].assign(customer_id=[f"company {i}" for i in range(20)], kind="company")
    profiles = pd.concat([profiles.assign(kind="person"), companies], ignore_index=True)
    segments = pd.concat([segments, companies[["customer_id"]].assign(segment=3, segment_name="Companies")])
    segments["segment_name"] = segments["segment"].map({1: "Rare", 2: "Frequent", 3: "Companies"})
    compared = personas.compare(personas.derive(profiles, segments))
    assert compared.overlap.loc["Rare", "Rare"] == 1.0
    assert compared.overlap.loc["Companies", ["Rare", "Frequent"]].tolist() == [0.0, 0.0]
    assert compared.words[0].startswith("The personas differ enough")


def test_groups_drawn_by_lot_are_called_hard_to_tell_apart():
    profiles, segments = _two_groups(200)
    by_lot = segments.assign(segment=np.random.default_rng(1).integers(1, 3, 200))
    by_lot["segment_name"] = by_lot["segment"].map({1: "Heads", 2: "Tails"})
    made = personas.derive(profiles, by_lot)
    assert not made.traits["distinctive"].any()
    assert not any(made.personas["like"] > 0)
    assert personas.compare(made).words == [
        f"Nothing that was measured sets {title} apart from everyone else." for title in ("Heads", "Tails")
    ]


def test_a_customer_whom_two_cards_fit_equally_well_is_described_by_their_own():
    # the first two groups buy alike, so that each of their lines holds for the customers of both
    profiles = pd.DataFrame({"customer_id": range(90), "orders_per_year": [1.0, 1.2] * 30 + [6, 6.4] * 15})
    segments = pd.DataFrame({"customer_id": range(90), "segment": [1, 1, 2, 2] * 15 + [3] * 30})
    compared = personas.compare(personas.derive(profiles, segments.assign(segment_name="Buyers")))
    assert list(compared.overlap) == ["Buyers (1)", "Buyers (2)", "Buyers (3)"]
    assert (np.diag(compared.overlap) == 1).all()
    assert len(compared.side_by_side.columns) == 4


def test_a_real_customer_stands_beside_the_persona_only_where_the_group_is_large():
    made = personas.derive(*_two_groups(n=57))  # 38 and 19
    assert personas.beside(made, 2).empty
    both = personas.beside(made, 1)
    assert set(both["example"]) <= {"yes", "no", "not known"}
    assert both["so"].between(0, 1).all()
    assert "secret-" not in both.to_csv()


# --- memory and edits


def test_a_persona_keeps_its_name_face_and_key_when_groups_are_numbered_anew(tmp_path):
    profiles, segments = _two_groups()
    file = tmp_path / "personas.toml"
    first = personas.cards(personas.derive(profiles, segments, Shop()), file).personas
    turned = segments.assign(segment=3 - segments["segment"])
    again = personas.cards(personas.derive(profiles, turned, Shop()), file).personas
    kept = ["key", "name", "title"]
    pd.testing.assert_frame_equal(first[kept], again[kept].iloc[::-1].reset_index(drop=True))


def test_two_personas_never_bear_one_name():
    profiles = pd.DataFrame({"customer_id": range(300), "orders_per_year": np.arange(300) // 10 + 0.5})
    segments = pd.DataFrame({"customer_id": range(300), "segment": np.arange(300) // 10 + 1})
    assert personas.cards(personas.derive(profiles, segments)).personas["name"].is_unique


def test_what_people_wrote_stands_on_the_cards_of_every_language_and_is_marked(tmp_path):
    made = personas.derive(*_two_groups(), Shop())
    file = tmp_path / "personas.toml"
    personas.cards(made, file)
    entry = file.read_text().replace('name = ""', 'name = "Lady Often"', 1)
    line = _part(personas.card(made[1]).content, "buying")["lines"]
    written = f'[[personas.lines]]\nline = "{line[0]["id"]}"\ntext = "Comes once a year"\n'
    written += f'[[personas.lines]]\nline = "{line[1]["id"]}"\nhidden = true\n'
    written += '[[personas.lines]]\npart = "pains"\ntext = "Finds no parking"\n'
    head, first, second = entry.split("[[personas]]\nkey")
    file.write_text(f"{head}[[personas]]\nkey{first}\n{written}\n[[personas]]\nkey{second}")
    cards = personas.cards(made, file, ("en", "fa"))
    for language in ("en", "fa"):
        card = cards.by_language[language][0].content
        assert card["name"] == "Lady Often"
        lines = {line["id"]: line for part in card["parts"] for line in part["lines"]}
        assert lines[line[0]["id"]]["text"] == "Comes once a year"
        assert lines[line[0]["id"]]["kind"] == "edited"
        assert line[1]["id"] not in lines
        assert "Finds no parking" in [x["text"] for x in _part(card, "pains")["lines"]]
    edited = cards.traits.query("kind == 'edited'")["statement"].tolist()
    assert sorted(edited) == ["Comes once a year", "Finds no parking"]


def test_an_edit_that_the_data_no_longer_bear_out_is_warned_of(tmp_path):
    profiles, segments = _two_groups()
    file = tmp_path / "personas.toml"
    made = personas.derive(profiles, segments, Shop())
    personas.cards(made, file)
    written = '\n[[personas.lines]]\nline = "recency_days"\ntext = "Was here lately"\n'
    file.write_text(file.read_text() + written)
    assert personas.cards(made, file).notes == []
    # both groups were here equally lately now; the second is known again by all the rest
    cards = personas.cards(
        personas.derive(profiles.assign(recency_days=9.0 + np.arange(60) % 5), segments, Shop()), file
    )
    assert len(cards.notes) == 1
    assert cards.by_language["en"][1].content["warnings"]


# --- nothing personal, nothing that runs

SECRETS = ("Zahra Kermani", "zahra.kermani@example.com", "09121234567", "secret-00001", "1987-05-04")


def test_no_personal_datum_leaves_in_any_form(tmp_path, capsys):
    profiles, segments = _two_groups(300)
    base = Shop(customers=pd.DataFrame({"customer_id": profiles["customer_id"], "name": SECRETS[0]}))
    base["feedback"] = pd.DataFrame({"customer_id": profiles["customer_id"][:9], "instrument": "nps", "score": 3.0})
    base["feedback"] = base["feedback"].assign(
        topic="delivery", text=" ".join(SECRETS), given_at=pd.Timestamp("2024-05-05", tz="UTC")
    )
    made = personas.derive(profiles, segments, base)
    cards = personas.cards(made, tmp_path / "personas.toml", ("en", "fa"))
    contents = [card.content for of in cards.by_language.values() for card in of]
    files = personas.export(contents, tmp_path / "out")
    shown = [
        cards.personas.to_csv(),
        cards.traits.to_csv(),
        made.exemplars.to_csv(),
        (tmp_path / "personas.toml").read_text(),
    ]
    shown += [card._repr_html_() for of in cards.by_language.values() for card in of]
    shown += [_readable(file) for file in files] + [str(file) for file in files] + list(capsys.readouterr())
    for secret in SECRETS:
        assert not [text[:60] for text in shown if secret in text]


def _readable(file):
    """All that can be read in a file: the parts of a package, the metadata of a picture, the bytes of the rest."""
    data = file.read_bytes()
    if file.suffix == ".pptx":
        package = zipfile.ZipFile(io.BytesIO(data))
        return " ".join(package.read(name).decode("utf-8", "ignore") for name in package.namelist())
    if file.suffix == ".png":
        return str(Image.open(io.BytesIO(data)).info)
    return data.decode("utf-8", "ignore")


class _Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_text_from_the_data_is_shown_as_text():
    profiles, segments = _two_groups()
    profiles["city"] = np.where(segments["segment"] == 1, "<script>alert(1)</script>", "=1+1|{value}\u202e")
    profiles["{value}<b>"] = np.where(segments["segment"] == 1, "{n}", "{level}")
    segments["segment_name"] = "<img src=x onerror=alert(1)>"
    for persona in personas.derive(profiles, segments, Shop()):
        for language in ("en", "fa"):
            card = _Tags(personas.card(persona, language)._repr_html_())
            assert not card.tags & {"script", "img"}
            assert "<img src=x onerror=alert(1)>" in card.text


def test_named_groups_of_which_nothing_is_known_are_no_mistake():
    profiles, segments = _two_groups()
    made = personas.derive(profiles[["customer_id"]], segments, Shop())
    assert made.personas["title"].tolist() == ["One-time buyers", "Frequent buyers"]
    assert made.traits.empty


def test_a_base_of_ids_alone_gives_cards_of_assumptions():
    profiles = pd.DataFrame({"customer_id": range(30)})
    made = personas.derive(profiles, pd.DataFrame({"customer_id": range(30), "segment": [1, 2] * 15}), Shop())
    card = personas.card(made[1]).content
    assert {line["kind"] for part in card["parts"] for line in part["lines"]} == {"assumption"}
    assert examples.exemplars(made.customers, {}).empty
    assert card["quote"] is None
    assert len(personas.compare(made).words) == 2
