"""What a group is: the rule by which to know it, its name, what speaks against it."""

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import evidence, personas, plots, segments
from analysis.errors import Problem
from analysis.personas.titles import titles
from analysis.segments.short_rules import _rounded, _smallest_good


def _base(**columns):
    """Profiles with such columns."""
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": [f"c{i:04}" for i in range(n)], **columns})


def _grouped(profiles, numbers, names=None):
    """Segments with such numbers, and with names "A", "B", … or by number."""
    names = names or {s: chr(64 + s) for s in set(numbers)}
    return pd.DataFrame(
        {"customer_id": profiles["customer_id"], "segment": numbers, "segment_name": [names[s] for s in numbers]}
    )


def _readers(n=100, seed=0):
    """Groups of n: lapsed, recent students, recent others; and a column that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    profiles = _base(
        recency_days=np.concatenate([rng.integers(200, 400, n), rng.integers(1, 50, 2 * n)]).astype(float),
        occupation=["clerk", "nurse"] * (n // 2) + ["student"] * n + ["clerk", "nurse"] * (n // 2),
        n_touchpoints=rng.integers(0, 30, 3 * n),
    )
    return profiles, _grouped(profiles, [1] * n + [2] * n + [3] * n)


# --- rules


def test_a_rule_says_what_makes_the_group_in_figures_that_a_person_would_say():
    profiles, grouped = _readers()
    found = segments.short_rules(profiles, grouped)
    # between 49 and 200 days nobody bought last: the middle, 125, is rounded to 100, as nobody changes sides
    assert found.rules["rule"].tolist() == [
        "who last bought at least 100 days ago",
        "whose occupation is student",
        "who last bought under 100 days ago and whose occupation is not student",
    ]
    assert (found.rules[["precision", "recall"]] == 1).all(axis=None)
    assert found.rules["meet"].tolist() == [100, 100, 100]


def test_the_naive_baseline_is_the_share_of_the_largest_group():
    profiles, grouped = _readers()
    fidelity = segments.short_rules(profiles, grouped.iloc[50:]).fidelity.set_index("told")
    assert fidelity.loc["everybody in the largest group", "accuracy"] == pytest.approx(100 / 250)
    assert fidelity.loc["everybody in the largest group", "balanced"] == pytest.approx(1 / 3)
    assert fidelity.loc["rules as said", "accuracy"] == 1


def test_precision_and_recall_are_counted_on_customers_whom_the_rule_has_not_seen():
    # 300 of 1,000 in group 2; whoever has 5 orders or more is in it, save for every tenth who is not
    orders = np.array([2] * 700 + [7] * 300)
    number = np.where(orders > 5, 2, 1)
    number[700::10] = 1
    profiles = _base(n_orders=orders)
    told = segments.short_rules(profiles, _grouped(profiles, number))
    found = told.rules.set_index("segment")
    assert found.loc[2, ["meet", "precision", "recall"]].tolist() == [300, 0.9, 1.0]
    assert found.loc[1, ["meet", "precision"]].tolist() == [700, 1.0]
    assert found.loc[1, "recall"] == pytest.approx(700 / 730)
    assert told.fidelity.set_index("told").loc["rules as said", "accuracy"] == 0.97  # 30 meet the other group's rule
    assert found.loc[2, "precision_low"] == pytest.approx(evidence.share_interval(270, 300)[0])


def test_where_groups_are_drawn_by_lot_there_is_no_rule():
    rng = np.random.default_rng(1)
    profiles = _base(**{f"x{i}": rng.normal(size=600) for i in range(5)}, city=rng.choice(list("abcd"), 600))
    found = segments.short_rules(profiles, _grouped(profiles, rng.integers(1, 4, 600)))
    assert found.rules["rule"].tolist() == ["", "", ""]
    assert found.rules["precision"].isna().all()
    assert "Groups without a rule: 3." in found.verdict


def test_a_small_group_among_large_ones_gets_its_rule():
    profiles = _base(n_orders=[1, 2] * 500 + [8, 9] * 500, kind=["person"] * 1980 + ["company"] * 20)
    grouped = _grouped(profiles, [1] * 1000 + [2] * 980 + [3] * 20)
    assert segments.short_rules(profiles, grouped).rules["rule"].iloc[2] == "whose kind is company"


def test_a_small_group_is_not_crowded_out_by_large_ones_that_are_hard_to_tell():
    # of the buyers every three numbers of orders the other group: more bounds than the tree has leaves
    orders = np.arange(2000) % 21
    number = np.where(np.arange(2000) < 20, 3, 1 + orders // 3 % 2)
    profiles = _base(n_orders=orders, kind=np.where(number == 3, "company", "person"))
    assert (
        segments.short_rules(profiles, _grouped(profiles, number.tolist())).rules["rule"].iloc[2]
        == "whose kind is company"
    )


def test_two_ways_into_a_group_are_both_said():
    profiles = _base(n_orders=[1, 2] * 30 + [5, 6] * 60 + [11, 12] * 30)
    rules = segments.short_rules(profiles, _grouped(profiles, [1] * 60 + [2] * 120 + [1] * 60)).rules
    assert sorted(rules["rule"].iloc[0].split(", or ")) == [
        "who has placed at least 9 orders",
        "who has placed at most 3 orders",
    ]
    assert rules["recall"].iloc[0] == 1


def test_the_smallest_tree_within_one_standard_error_of_the_best_is_taken():
    trials = pd.DataFrame({"leaves": [2, 3, 4], "balanced": [0.80, 0.84, 0.85], "error": [0.09, 0.09, 0.02]})
    assert _smallest_good(trials) == 3  # 0.84 is within 0.02 of 0.85


def test_what_is_not_known_is_said_openly():
    # whoever has no score is in group 1, with those of 1 and 2
    scores = [1.0, 2.0, np.nan] * 40 + [8.0, 9.0] * 60
    found = segments.short_rules(profiles := _base(last_nps=scores), _grouped(profiles, [1] * 120 + [2] * 120)).rules
    assert found["rule"].tolist() == [
        "who would recommend us with a score of at most 5 out of 10 (or not known)",
        "who would recommend us with a score of at least 6 out of 10",
    ]
    towns = _base(city=["Yazd", None] * 60)
    found = segments.short_rules(towns, _grouped(towns, [1, 2] * 60)).rules
    assert found["rule"].tolist() == ["whose city is Yazd", "whose city is not known"]


def test_customers_without_orders_are_known_by_that():
    profiles = _base(n_orders=[0] * 60 + [1, 2] * 30 + [8, 9] * 30, recency_days=[np.nan] * 60 + [30.0, 60.0] * 60)
    found = segments.short_rules(profiles, _grouped(profiles, [1] * 60 + [2] * 60 + [3] * 60)).rules
    assert found["rule"].tolist() == [
        "who has placed no orders",
        "who has placed 1 to 5 orders",
        "who has placed at least 6 orders",
    ]


def test_money_and_shares_are_said_in_their_units():
    profiles = _base(total_spend=[1.2e6, 1.3e6] * 60 + [8.1e6, 8.4e6] * 60)
    found = segments.short_rules(profiles, _grouped(profiles, [1] * 120 + [2] * 120), currency="toman").rules
    assert found["rule"].iloc[1] == "who has spent at least 5 million toman in all"  # the middle, 4.7 million
    profiles = _base(discount_share=[0.0, 0.02] * 60 + [0.3, 0.4] * 60)
    found = segments.short_rules(profiles, _grouped(profiles, [1] * 120 + [2] * 120)).rules
    assert found["rule"].iloc[0] == "who gets under 20 % off the full price"


def test_rules_do_not_depend_on_the_order_of_rows_or_columns():
    profiles, grouped = _readers()
    expected = segments.short_rules(profiles, grouped)
    shuffled = profiles.sample(frac=1, random_state=0)[list(reversed(profiles.columns))]
    found = segments.short_rules(shuffled, grouped.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(found.rules, expected.rules)
    pd.testing.assert_frame_equal(found.fidelity, expected.fidelity)


def test_too_few_customers_have_no_rule_and_their_neighbours_do():
    profiles, grouped = _readers()
    grouped.loc[:4, "segment"] = 4
    found = segments.short_rules(profiles, grouped).rules
    assert found["segment"].tolist() == [1, 2, 3, 4]
    assert found["rule"].iloc[3] == ""
    assert (found["rule"].iloc[:3] != "").all()
    assert found["n"].tolist() == [95, 100, 100, 5]


def test_one_group_needs_no_rule():
    profiles, grouped = _readers()
    found = segments.short_rules(profiles, grouped.assign(segment=1))
    assert found.rules["rule"].tolist() == [""]
    assert found.verdict == "There is one group only, which needs no rule."


def test_a_customer_with_two_rows_is_refused_in_words():
    profiles, grouped = _readers()
    with pytest.raises(Problem, match="segments must have one row per customer, but 2 rows"):
        segments.short_rules(profiles, pd.concat([grouped, grouped.head(2)]))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 3)), min_size=20, max_size=200), st.integers(0, 18))
def test_a_rounded_bound_moves_hardly_anybody(values, place):
    x = pd.Series(sorted(values))
    threshold = (x[place] + x[place + 1]) / 2
    bound = _rounded(threshold, x, np.array([1, 2] * len(x))[: len(x)])
    moved = (x <= threshold) != (x < bound)
    # of no group more than one in a hundred; these groups have a hundred members at most, so one is too many
    assert moved.sum() <= 1 or bound == pytest.approx(threshold, rel=1e-5)


# --- names


def test_a_level_that_most_of_a_group_have_names_it():
    profiles, grouped = _readers()
    names = segments.name_segments(profiles, grouped).drop_duplicates("segment")["segment_name"].tolist()
    assert names == ["Lapsed buyers", "Recent buyers · student", "Recent buyers"]


def test_a_level_known_of_few_names_nobody():
    # whoever complained in group 1 complained of delivery, but only a tenth complained
    topics = ["delivery"] * 20 + [None] * 180 + ["prices"] * 20 + [None] * 180
    profiles = _base(complaint_topic=topics, n_orders=[1, 2] * 100 + [8, 9] * 100)
    names = segments.name_segments(profiles, _grouped(profiles, [1] * 200 + [2] * 200))["segment_name"].unique()
    assert names.tolist() == ["Occasional buyers", "Frequent buyers"]


def test_a_name_tells_one_trait_of_each_topic():
    # orders and orders a year divide the groups wholly, age nearly (three of twenty are swapped): yet age is the second
    age = [20.0, 21] * 8 + [60.0] * 3 + [20.0] + [60.0, 61] * 8 + [20.0] * 3 + [60.0]
    profiles = _base(n_orders=[1, 2] * 10 + [8, 9] * 10, orders_per_year=[1.0, 2] * 10 + [8.0, 9] * 10, age=age)
    names = segments.name_segments(profiles, _grouped(profiles, [1] * 20 + [2] * 20))["segment_name"].unique()
    assert names.tolist() == ["Occasional buyers · younger", "Frequent buyers · older"]


def test_names_are_told_in_persian_too():
    profiles, grouped = _readers()
    names = segments.name_segments(profiles, grouped, "fa").drop_duplicates("segment")["segment_name"].tolist()
    # as in English: how recent goes with the buyers it is said of, here behind them
    assert names == ["خریداران غیرفعال", "خریداران فعال · دانشجو", "خریداران فعال"]


def test_a_language_has_a_name_for_whoever_is_named_as_a_whole():
    # ten companies, ten who never bought, ten who did: each a group as such, and what is left are all others
    profiles = pd.DataFrame({"customer_id": range(30), "kind": ["company"] * 10 + ["person"] * 20})
    profiles["n_orders"] = [2] * 10 + [0] * 10 + [3] * 10
    grouped = pd.DataFrame({"customer_id": range(30), "segment": [1] * 10 + [2] * 10 + [3] * 10})
    by_language = {"en": ["Companies", segments.NO_PURCHASE, "All others"]}
    by_language["fa"] = ["شرکت‌ها", "بدون خرید تکمیل‌شده", "سایر مشتریان"]
    for language, expected in by_language.items():
        named = segments.name_segments(profiles, grouped, language)
        assert named.drop_duplicates("segment")["segment_name"].tolist() == expected
        bought = segments.name_segments(profiles.iloc[10:], grouped.iloc[10:], language)["segment_name"].iloc[-1]
        assert bought == {"en": "All buyers", "fa": "همهٔ خریداران"}[language]
        everybody = segments.name_segments(profiles[["customer_id"]], grouped.assign(segment=1), language)
        assert everybody["segment_name"].unique().tolist() == [{"en": "All customers", "fa": "همهٔ مشتریان"}[language]]


def test_groups_that_cannot_be_told_apart_are_numbered_in_each_language():
    # twenty customers, alike but for the lot: no trait is distinctive
    profiles = pd.DataFrame({"customer_id": range(20), "age": [30.0, 31] * 10})
    grouped = pd.DataFrame({"customer_id": range(20), "segment": [1, 1, 2, 2] * 5})
    named = {x: segments.name_segments(profiles, grouped, x)["segment_name"].unique().tolist() for x in ("en", "fa")}
    assert named["en"] == ["Average customers (group 1)", "Average customers (group 2)"]
    assert named["fa"] == ["مشتریان معمولی (گروه ۱)", "مشتریان معمولی (گروه ۲)"]


def test_a_name_in_a_language_that_is_not_here_is_refused():
    with pytest.raises(Problem, match="no language"):
        segments.name_segments(*_readers(), "fr")


def test_a_persona_bears_its_name_by_rule_in_the_language_of_the_card_and_a_given_one_in_every_language():
    profiles, grouped = _readers()
    named = segments.name_segments(profiles, grouped)
    named["segment_name"] = named["segment_name"].where(named["segment"] != 2, "Readers at night")
    found = titles(profiles, named)
    assert found == {"fa": {1: "خریداران غیرفعال", 3: "خریداران فعال"}}
    assert titles(profiles, grouped) == {"fa": {}}  # all of them were called something else
    assert titles(profiles, grouped[["customer_id", "segment"]]) == {}
    derived = personas.derive(profiles, named)
    derived = replace(derived, about={**derived.about, "titles": found})
    shown = {x: [personas.card(persona, x).content for persona in derived] for x in ("en", "fa")}
    assert [card["title"] for card in shown["en"]] == ["Lapsed buyers", "Readers at night", "Recent buyers"]
    assert [card["title"] for card in shown["fa"]] == ["خریداران غیرفعال", "Readers at night", "خریداران فعال"]
    # the same persona in both: its key and face hang on the English name
    assert [(c["key"], c["face"]) for c in shown["en"]] == [(c["key"], c["face"]) for c in shown["fa"]]


# --- names that people give


class _Remembered:
    """Three groups and the file of their names."""

    def __init__(self, file):
        self.file = file
        self.profiles, grouped = _readers()
        self.grouped = segments.name_segments(self.profiles, grouped)

    def keep(self, kept=slice(None), profiles=None):
        profiles = self.profiles if profiles is None else profiles
        return segments.own_names(self.file, self.grouped[kept], segments.describe(profiles, self.grouped[kept]))

    def write(self, **names):
        """Write names into the file, by the group's customers: write(g1="…") names segment 1."""
        blocks = self.file.read_text(encoding="utf-8").split('name = ""')
        given = [f'name = "{names.get(f"g{i}", "")}"' for i in range(1, len(blocks))]
        text = blocks[0] + "".join(name + block for name, block in zip(given, blocks[1:], strict=True))
        self.file.write_text(text, encoding="utf-8")


@pytest.fixture
def remembered(tmp_path):
    groups = _Remembered(tmp_path / "segment_names.toml")
    groups.keep()
    return groups


def test_without_a_file_the_names_are_those_found_and_a_file_is_written(remembered):
    names = remembered.keep()
    assert names["segment_name"].tolist() == remembered.grouped.drop_duplicates("segment")["segment_name"].tolist()
    assert not names["edited"].any()
    written = tomllib.loads(remembered.file.read_text(encoding="utf-8"))["segments"]
    assert [entry["found"] for entry in written] == names["found"].tolist()
    assert [entry["customers"] for entry in written] == [100, 100, 100]
    assert written[0]["profile"]["recency_days"] == 1  # everybody bought longer ago than everybody else


def test_a_name_that_a_person_gave_is_kept_on_every_run(remembered):
    remembered.write(g2="دانشجویان کنکور")
    for _ in range(2):
        names = remembered.keep()
        assert names["segment_name"].iloc[1] == "دانشجویان کنکور"
        assert names["edited"].tolist() == [False, True, False]
        assert names.attrs["notes"] == []


def test_running_again_leaves_the_file_as_it_is(remembered):
    remembered.write(g1="Sleepers", g3="Others")
    remembered.keep()
    before = remembered.file.read_bytes()
    remembered.keep()
    assert remembered.file.read_bytes() == before


def test_a_name_follows_its_group_when_the_numbers_change(remembered):
    remembered.write(g1="Sleepers", g2="Students")
    remembered.grouped["segment"] = 4 - remembered.grouped["segment"]  # 1 becomes 3, 3 becomes 1
    assert remembered.keep()["segment_name"].tolist()[1:] == ["Students", "Sleepers"]


def test_a_name_follows_its_group_when_prices_and_customers_change(remembered):
    remembered.write(g2="Students")
    later, _ = _readers(seed=7)  # other customers of the same kinds, a month later
    names = remembered.keep(profiles=later.assign(recency_days=later["recency_days"] * 2))
    assert names["segment_name"].iloc[1] == "Students"


def test_a_name_without_its_group_waits_and_comes_back(remembered):
    remembered.write(g2="Students")
    names = remembered.keep(kept=remembered.grouped["segment"] != 2)
    assert "Students" not in names["segment_name"].tolist()
    assert "No group is like “Students” any more." in names.attrs["notes"][0]
    assert tomllib.loads(remembered.file.read_text(encoding="utf-8"))["earlier"][0]["name"] == "Students"
    names = remembered.keep()
    assert names["segment_name"].iloc[1] == "Students"
    assert "earlier" not in tomllib.loads(remembered.file.read_text(encoding="utf-8"))


def test_a_name_is_not_given_to_a_group_that_is_far_from_the_one_remembered(remembered):
    remembered.write(g2="Students")
    head, _, students, _ = remembered.file.read_text(encoding="utf-8").split("[[segments]]")
    remembered.file.write_text(f"{head}[[segments]]{students}", encoding="utf-8")
    names = remembered.keep(kept=remembered.grouped["segment"] != 2)
    assert not names["edited"].any()


def test_of_two_groups_alike_the_nearer_one_keeps_the_name(remembered):
    remembered.write(g2="Students")
    students = np.flatnonzero(remembered.grouped["segment"] == 2)
    remembered.grouped.loc[students[::3], ["segment", "segment_name"]] = [4, "More students"]
    names = remembered.keep().set_index("segment")
    assert names["edited"].tolist() == [False, True, False, False]


def test_a_name_by_rule_makes_way_for_the_same_one_given_by_a_person(remembered):
    found = remembered.keep()["found"]
    remembered.write(g2=found.iloc[0])
    names = remembered.keep()["segment_name"]
    assert names.tolist()[:2] == [f"{found.iloc[0]} (group 1)", found.iloc[0]]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = ""', 'name = "', "is not valid TOML"),
        ('name = ""', 'nam = "Students"', 'has no "nam". Did you mean "name"?'),
        ('name = ""', "name = 3", "name in [[segments]] must be text in quotation marks, not 3"),
        ('name = ""', 'name = "The same"', 'gives the name "The same" to two groups'),
        ("[[segments]]", "[[segmnts]]", 'Did you mean "segments"?'),
        ("profile = { ", 'profile = { x = "far", ', '"x" in a profile must be a number'),
    ],
)
def test_a_slip_in_the_file_is_said_and_the_file_left_as_it_is(remembered, old, new, said):
    text = remembered.file.read_text(encoding="utf-8").replace(old, new)
    remembered.file.write_text(text, encoding="utf-8")
    with pytest.raises(Problem) as problem:
        remembered.keep()
    assert said in str(problem.value)
    assert remembered.file.read_text(encoding="utf-8") == text


def test_a_file_that_cannot_be_written_is_said(remembered, tmp_path):
    for file in (tmp_path / "nowhere" / "names.toml", tmp_path):
        remembered.file = file
        with pytest.raises(Problem, match=r"cannot be (written|read)"):
            remembered.keep()


def test_names_are_given_to_any_table_of_segments(remembered):
    remembered.write(g2="Students")
    table = segments.renamed(remembered.grouped, remembered.keep())
    assert table.groupby("segment")["segment_name"].first()[2] == "Students"


# --- sizes


def test_worth_and_reach_are_figures_of_each_group():
    profiles = _base(
        total_spend=[10.0, 20.0, 30.0, 100.0],
        consents=[["sms"], ["sms", "email"], [], None],
    )
    table = segments.sizes(profiles, _grouped(profiles, [1, 1, 1, 2]))
    assert table["worth"].tolist() == [20, 100]
    assert table[["worth_low", "worth_high"]].loc[0].tolist() == pytest.approx(
        [20 - 24.84, 20 + 24.84], abs=0.01
    )  # t 4.30
    assert table["reachable"].tolist()[0] == pytest.approx(2 / 3)
    assert np.isnan(table["reachable"].iloc[1])  # nobody's consents are known
    assert table.loc[0, ["best_channel", "best_channel_share"]].tolist() == ["sms", pytest.approx(2 / 3)]


# --- concerns


def _asked(profiles, grouped, **also):
    found = segments.concerns(profiles, grouped, segments.describe(profiles, grouped), **also)
    return list(zip(found["segment"].fillna(0), found["asks"], strict=True)), found["sentence"].tolist()


def _sound():
    """Two groups of 120 against which nothing speaks."""
    profiles = _base(
        n_orders=[1, 2] * 60 + [8, 9] * 60, city=["Yazd"] * 120 + ["Tehran"] * 120, consents=[["sms"]] * 240
    )
    return profiles, _grouped(profiles, [1] * 120 + [2] * 120).assign(fit=0.5)


def test_nothing_speaks_against_sound_groups():
    profiles, grouped = _sound()
    rules = segments.short_rules(profiles, grouped).rules
    assert _asked(profiles, grouped, rules=rules, formed_by=["n_orders"]) == ([], [])


def test_a_group_of_few_is_too_small_and_says_how_little_one_knows():
    profiles, grouped = _sound()
    asked, said = _asked(profiles, grouped.iloc[:219])
    assert asked == [(2, "substantial")]
    # Wilson's interval of 49.5 of 99
    assert said == ["B has 99 customers. Of so few, a share of a half is known only to 10 points either way."]
    assert _asked(profiles, grouped.iloc[:220]) == ([], [])


def test_one_group_of_nearly_all_is_over_simple():
    profiles, _ = _sound()
    asked, said = _asked(profiles, _grouped(profiles, [1] * 161 + [2] * 79))
    assert asked[0] == (1, "simple")
    assert said[0].startswith("A holds 67 % of the customers")
    assert (1, "simple") not in _asked(profiles, _grouped(profiles, [1] * 160 + [2] * 80))[0]  # two thirds, not more


def test_groups_that_differ_in_nothing_are_too_alike():
    profiles = _base(n_orders=[1, 2, 3] * 120, consents=[["sms"]] * 360)
    asked, said = _asked(profiles, _grouped(profiles, [1] * 180 + [2] * 180))
    assert asked == [(1, "distinct")]
    assert said == ["A and B differ clearly in none of 1 trait: as one group they would say as much."]


def test_a_group_whose_customers_are_as_near_to_the_next_is_too_mixed():
    profiles, grouped = _sound()
    asked, said = _asked(profiles, grouped.assign(fit=[0.2] * 120 + [0.3] * 120))
    assert asked == [(1, "distinct")]
    assert "only 1.25 times as well" in said[0]  # 1 / (1 - 0.2)


def test_a_group_without_consents_is_out_of_reach():
    profiles, grouped = _sound()
    profiles["consents"] = [["sms"]] * 120 + [[]] * 90 + [["sms"]] * 30
    asked, said = _asked(profiles, grouped)
    assert asked == [(2, "reachable")]
    assert said[0].startswith("Of B only 25 % may be contacted on any channel (interval 18 to ")
    assert _asked(profiles.drop(columns="consents"), grouped)[0] == [(0, "reachable")]


def test_a_group_that_differs_only_in_what_formed_it_gives_nothing_to_act_on():
    profiles, grouped = _sound()
    profiles["city"] = ["Yazd", "Tehran"] * 120
    asked, said = _asked(profiles, grouped, formed_by=["n_orders"])
    assert asked == [(1, "actionable"), (2, "actionable")]
    assert "(1 other trait compared)" in said[0]
    # days with orders are the same topic as orders
    assert _asked(profiles.assign(n_order_days=profiles["n_orders"]), grouped, formed_by=["n_orders"])[0] == asked


def test_a_group_without_a_rule_cannot_be_recognised():
    profiles, grouped = _sound()
    rules = segments.short_rules(profiles, grouped).rules
    rules.loc[0, "rule"] = ""
    rules.loc[1, "precision_high"] = 0.4
    asked, _ = _asked(profiles, grouped, rules=rules)
    assert asked == [(1, "measurable"), (2, "measurable")]


def test_one_group_or_none_raises_no_concern_about_differences():
    profiles, grouped = _sound()
    for some in (_grouped(profiles, [1] * 240).assign(fit=0.1), grouped.head(0)):
        assert _asked(profiles, some, formed_by=["n_orders"]) == ([], [])


# --- side by side


def _cells(axes):
    return [text.get_text() for text in axes.texts]


def test_the_figure_has_a_row_per_group_and_a_column_per_topic():
    profiles, grouped = _readers()
    profiles["n_orders"] = profiles["n_order_days"] = [1, 2] * 50 + [8, 9] * 50 + [1, 2] * 50
    axes = plots.segment_traits(segments.describe(profiles, grouped))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B", "C"]
    heads = [" ".join(label.get_text().split()) for label in axes.get_xticklabels()]
    # contacts set nobody apart; orders and days with orders are one topic
    assert sorted(heads) == ["number of order days", "occupation: student", "recency (days)"]
    assert _cells(axes)[heads.index("occupation: student") :: 3] == ["0 %", "100 %", "0 %"]


def test_the_figure_shades_only_what_is_clear():
    summary = pd.DataFrame(
        {
            **{"segment": [1, 2], "segment_name": ["A", "B"], "trait": "n_orders", "level": "", "kind": "number"},
            **{"n": 50, "value": [1.0, 4.0], "difference": [-3.0, 3.0], "effect": [-0.5, 0.5]},
        }
    )
    shades = plots.segment_traits(summary.assign(distinctive=[True, False])).collections[0].get_array()
    assert shades.ravel().tolist() == [-0.5, 0.0]
    axes = plots.segment_traits(summary.assign(distinctive=False))
    assert axes.get_title() == "Nothing to show: nothing sets 2 groups clearly apart."


def test_a_group_of_which_a_trait_is_not_known_has_an_empty_cell():
    profiles = _base(n_orders=[0] * 60 + [1, 2] * 30 + [8, 9] * 30, city=["Yazd"] * 60 + ["Tehran"] * 120)
    axes = plots.segment_traits(segments.describe(profiles, _grouped(profiles, [1] * 60 + [2] * 60 + [3] * 60)))
    heads = [" ".join(label.get_text().split()) for label in axes.get_xticklabels()]
    row = dict(zip(heads, _cells(axes)[: len(heads)], strict=True))  # group A has not bought: no number of orders
    assert row == {"number of orders": "–", "city: Tehran": "0 %"}
