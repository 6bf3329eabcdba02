import re
import time
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import evidence, personas
from analysis.errors import Problem


def _base(n=60):
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


def test_one_persona_per_segment_with_its_share_of_customers_and_revenue():
    profiles, segments = _base()
    table = personas.derive(profiles, segments).personas
    assert list(table.columns) == list(personas.PERSONA_COLUMNS)
    assert table["persona"].tolist() == [1, 2]
    assert table["name"].tolist() == ["One-time buyers", "Frequent buyers"]
    assert table["n"].tolist() == [40, 20]
    assert table["share"].tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-6)
    spend = profiles["total_spend"]
    assert table["revenue_share"].tolist() == pytest.approx(
        [spend[:40].sum() / spend.sum(), spend[40:].sum() / spend.sum()], abs=1e-6
    )


def test_every_trait_carries_the_evidence_of_compare():
    profiles, segments = _base()
    made = personas.derive(profiles, segments)
    compared = evidence.compare(profiles.assign(segment=segments["segment"]), "segment")
    assert len(made.traits) == len(compared)
    row, expected = _trait(made, 2, "n_orders"), compared.query("group == 2 and trait == 'n_orders'").iloc[0]
    for column in ("value", "elsewhere", "difference", "low", "high", "n", "distinctive"):
        assert row[column] == expected[column]
    assert (row["kind"], row["source"], row["part"]) == ("measured", "profiles", "buying")


def test_a_number_is_said_with_its_figures():
    made = personas.derive(*_base())
    # 6, to which 7 of the 20 add .1 and 7 add .2: 2.1 / 20 = .105; elsewhere .5 and 13 × (.1 + .2) / 40 = .0975
    row = _trait(made, 2, "orders_per_year")
    assert row["value"] == pytest.approx(6.105)
    assert row["statement"] == (
        f"Buys 6.1 times a year, everyone else 0.6 (difference {row['low']:.1f} to {row['high']:.1f}; 20 customers)"
    )


def test_a_share_is_said_in_per_cent_and_its_difference_in_points():
    row = _trait(personas.derive(*_base()), 1, "city", "Yazd")
    assert re.fullmatch(
        r"100 % live in Yazd, everyone else 0 % \(difference \d+ to 100 points; 40 customers\)", row["statement"]
    )


def test_money_is_said_with_its_currency():
    made = personas.derive(*_base(), currency="toman")
    assert _trait(made, 2, "total_spend")["statement"].startswith("Has spent 903 toman in all, everyone else 33 (")


def test_a_smaller_figure_has_a_negative_difference_with_a_true_minus():
    assert "(difference −" in _trait(personas.derive(*_base()), 1, "n_orders")["statement"]


def test_a_column_nobody_knows_is_called_by_its_own_name():
    made = personas.derive(*_base())
    assert _trait(made, 1, "shoe_size")["part"] == "who"
    assert _trait(made, 1, "shoe_size")["statement"].startswith("Shoe size: 37.5, everyone else 37.5")


def test_braces_in_names_and_values_are_text():
    profiles, segments = _base()
    profiles["{0} size"], profiles["plan {}"] = profiles["shoe_size"], np.where(segments["segment"] == 1, "{x}", "{1}")
    statements = " ".join(personas.derive(profiles, segments).traits["statement"])
    assert "{0} size: 37.5" in statements
    assert "“{x}”" in statements


def test_what_is_not_distinctive_is_kept_and_flagged():
    made = personas.derive(*_base())
    assert not _trait(made, 1, "gender", "woman")["distinctive"]
    assert not _trait(made, 1, "shoe_size")["distinctive"]
    assert _trait(made, 1, "recency_days")["distinctive"]


def test_distinctive_traits_come_first_and_strongest_first():
    for _, part in personas.derive(*_base()).traits.groupby(["persona", "part"]):
        assert part["distinctive"].is_monotonic_decreasing
        for _, same in part.groupby("distinctive"):
            assert same["effect"].abs().round(9).is_monotonic_decreasing


def test_the_summary_says_nothing_where_nothing_was_found():
    profiles, segments = _base()
    drawn = segments.assign(segment=[1, 2] * 30)
    made = personas.derive(profiles[["customer_id", "gender"]].assign(shoe_size=np.arange(60) // 2), drawn)
    assert made.personas["summary"].str.contains("nothing measured sets them apart").all()
    assert made.personas["revenue_share"].isna().all()


def test_one_segment_alone_is_told_as_it_is_because_there_is_nobody_to_compare_it_with():
    profiles, segments = _base()
    made = personas.derive(profiles, segments.assign(segment=1, segment_name="All customers"))
    assert made.personas["share"].tolist() == [1]
    assert not made.traits["distinctive"].any()
    assert made.traits["elsewhere"].isna().all()
    said = made.traits.set_index("trait").loc["orders_per_year"]
    assert said["value"] == pytest.approx(profiles["orders_per_year"].mean())
    card = personas.card_html(made.personas.iloc[0], made.traits, made.exemplars)
    assert "All customers" in card
    assert "everyone else" not in card


def test_groups_below_five_make_no_persona():
    profiles, segments = _base()
    segments.loc[:3, "segment"] = 3
    assert set(personas.derive(profiles, segments).personas["persona"]) == {1, 2}


@pytest.mark.parametrize(
    ("n", "fit", "word"),
    [(612, 0.6, "High"), (612, 0.3, "Moderate"), (40, 0.6, "Moderate"), (12, 0.6, "Low"), (612, 0.1, "Low")],
)
def test_confidence_needs_both_customers_and_a_clear_group(n, fit, word):
    # a fit of .6 is 1 / (1 - .6) = 2.5 times as well as the next, .3 is 1.4 times, .1 is 1.1 times
    assert personas.build._confidence(n, fit).startswith(f"{word}: {n} customers")


def test_groups_under_20_give_no_example():
    made = personas.derive(*_base(n=57))  # 38 and 19
    assert set(made.exemplars["persona"]) == {1}
    assert made.exemplars["mask"].tolist() == ["Customer A", "Customer B", "Customer C"]


def test_examples_show_bands_and_nothing_that_identifies():
    profiles, segments = _base(300)
    made = personas.derive(profiles, segments)
    for told in ("secret-", "2021", "Yazd", "Qom"):
        assert told not in made.exemplars.to_csv()
    assert set(made.exemplars.query("persona == 1")["last_order"]) == {"6–12 months ago"}
    assert set(made.exemplars.query("persona == 1")["spend"]) == {"20–50"}


def test_what_few_have_is_not_shown_of_an_example():
    profiles, segments = _base(300)
    profiles["used_channel"] = [f"channel {i // 10}" for i in range(300)]
    assert set(personas.derive(profiles, segments).exemplars["channel"]) == {"less usual"}


def test_examples_are_typical_of_their_group():
    # one hundred around 50 and five far out: the far ones are never shown
    profiles = pd.DataFrame(
        {"customer_id": range(210), "total_spend": [50.0 + i / 100 for i in range(100)] + [9e6] * 5 + [1.0] * 105}
    )
    made = personas.derive(profiles, pd.DataFrame({"customer_id": range(210), "segment": [1] * 105 + [2] * 105}))
    assert set(made.exemplars.query("persona == 1")["spend"]) == {"50–100"}


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_row_order_never_matters(random):
    profiles, segments = _base()
    shuffled = profiles.sample(frac=1, random_state=random.randrange(2**32))
    other = segments.sample(frac=1, random_state=random.randrange(2**32))
    for expected, found in zip(personas.derive(profiles, segments), personas.derive(shuffled, other), strict=True):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_segments_without_their_columns_are_refused_in_words():
    with pytest.raises(Problem, match='segments has no column "segment"'):
        personas.derive(_base()[0], pd.DataFrame({"customer_id": ["a"]}))


# --- the card


class _Text(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_card_tells_each_concept_once_and_what_is_not_different():
    made = personas.derive(*_base())
    card = _Text(personas.card_html(made.personas.iloc[1], made.traits, made.exemplars))
    assert card.open == []
    assert "Frequent buyers" in card.text
    # orders and orders per year are one concept: of two equally strong ones the first by name
    assert ("Has placed" in card.text) != ("Buys 6.1 times" in card.text)
    assert "100 % live in Qom" in card.text
    assert "live in Yazd" not in card.text
    assert re.search("No clear difference from everyone else(gender, shoe size|shoe size, gender)", card.text)
    assert "Not measured in this base." in card.text  # nothing on what they look for
    assert "Customer A" in card.text


def test_text_from_the_data_is_shown_as_text():
    profiles, segments = _base()
    profiles["city"] = np.where(segments["segment"] == 1, "<script>alert(1)</script>", "<b>&")
    segments["segment_name"] = "<img src=x onerror=alert(1)>"
    made = personas.derive(profiles, segments)
    for _, persona in made.personas.iterrows():
        card = _Text(personas.card_html(persona, made.traits, made.exemplars))
        assert not card.tags & {"script", "img"}
        assert "<img src=x onerror=alert(1)>" in card.text


def test_a_large_base_is_described_in_seconds():
    profiles, segments = _base(25_000)
    for i in range(12):
        profiles[f"x{i}"] = np.random.default_rng(i).lognormal(size=25_000)
    segments["segment"] = np.arange(25_000) % 8 + 1
    start = time.process_time()
    personas.derive(profiles, segments)
    assert time.process_time() - start < 6  # seconds of one core, of which it takes about 1
