"""The explorer: two choices and what they show; silent where nobody can choose."""

from statistics import NormalDist

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from analysis import explorer, kernels
from analysis.errors import Problem
from analysis.explorer import grouped

TABLE = pd.DataFrame(
    {
        "customer_id": range(40),
        "city": ["Yazd", "Qom"] * 20,
        "n_orders": [5, 1] * 20,
        "interests": [["novel"], []] * 20,
        "country": "Iran",
    }
)


def test_fields_that_vary_can_be_chosen_and_those_of_few_values_split_by(monkeypatch):
    monkeypatch.delenv(kernels.BATCH, raising=False)
    box = explorer.explore(TABLE)
    field, split = box.children[0].children
    assert field.options == (("city", "city"), ("number of orders", "n_orders"))
    assert [name for _, name in split.options] == ["", "city", "n_orders"]


def test_a_choice_draws_the_field_and_tells_the_difference(monkeypatch, capsys):
    monkeypatch.delenv(kernels.BATCH, raising=False)
    box = explorer.explore(TABLE)
    field, split = box.children[0].children
    capsys.readouterr()
    split.value = "city"
    field.value = "n_orders"
    assert "Real: of 20 customers with city “Yazd”, the mean number of orders is 5" in capsys.readouterr().out


def test_a_scheduled_run_stays_quiet(monkeypatch, capsys):
    monkeypatch.setenv(kernels.BATCH, "1")
    assert explorer.explore(TABLE) is None
    assert explorer.explore_segments(TABLE) is None
    assert explorer.explore_funnel(SHOP, WHO) is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("split", "words"), [("", "Known of 40 of 40"), ("n_orders", "Known of 40"), ("city", "Real")])
def test_what_is_told(split, words):
    assert explorer.told(TABLE, "n_orders", split)[0].startswith(words)


def test_groups_of_four_are_no_groups():
    assert explorer.told(TABLE.head(8), "n_orders", "city") == ["No two groups are large enough to compare."]


# --- groups

# one hump, nothing to tell apart: the quantiles of a normal number, and the same in another order
HUMP = pd.Series(NormalDist().inv_cdf((i + 0.5) / 101) for i in range(101))
ONE_KIND = pd.DataFrame({"customer_id": range(101), "x": HUMP, "y": [HUMP[37 * i % 101] for i in range(101)]})
# a second kind, eight deviations away in both
TWO_KINDS = pd.concat([ONE_KIND, ONE_KIND.add([101, 8, 8])], ignore_index=True)


def test_only_families_with_something_to_tell_customers_apart_are_offered():
    # everybody is from Iran, interests are lists: of what is recorded the city and the number of orders are left
    assert explorer.families_in(TABLE) == ["geographic", "behavioural"]
    assert explorer.families_in(TABLE.drop(columns="city")) == ["behavioural"]
    assert explorer.families_in(TABLE[["customer_id"]]) == []


def test_as_many_groups_as_asked_for_and_it_is_said_that_nobody_judged_their_number():
    found = explorer.grouped(TABLE, ["behavioural"], k=2)
    names = ["In Yazd · frequent buyers", "In Qom · one-time buyers"]
    assert found.sizes[["segment_name", "n"]].to_numpy().tolist() == [[names[0], 20], [names[1], 20]]
    assert found.words == (
        "Formed by: number of orders.",
        "Method: k-means; 2 groups.",
        "Whether the data support this number was not judged; 0 groups judges it.",
    )
    assert found.traits["segment_name"].unique().tolist() == names


def test_without_a_number_the_data_decide_and_may_say_that_there_are_no_groups():
    found = explorer.grouped(TWO_KINDS, ["own"])
    assert found.sizes["n"].tolist() == [101, 101]
    assert found.words[2].startswith("The data support 2 groups: found again in resamples")
    found = explorer.grouped(ONE_KIND, ["own"])
    assert found.sizes["segment_name"].tolist() == ["All customers"]
    assert any("no structure" in sentence for sentence in found.words)


def test_the_order_of_rows_changes_nothing():
    found, again = (explorer.grouped(t, ["own"], k=3) for t in (TWO_KINDS, TWO_KINDS.sample(frac=1, random_state=3)))
    pd.testing.assert_frame_equal(found.sizes, again.sizes)
    pd.testing.assert_frame_equal(found.traits, again.traits)
    assert found.words == again.words


def test_a_method_that_finds_a_number_of_its_own_says_so():
    words = explorer.grouped(TWO_KINDS, ["own"], "hdbscan", k=4).words
    assert "Method: hdbscan; 2 groups, where 4 were asked for." in words


def test_who_is_in_no_group_is_said():
    # ten companies among persons, and ten persons of whom no order is known
    table = TABLE.assign(kind=["company"] * 10 + ["person"] * 30, n_orders=[5.0, 1.0] * 15 + [None] * 10)
    words = explorer.grouped(table, ["behavioural"], k=2).words
    assert words[2] == "Method: k-means; 2 groups."
    assert words[3].endswith("differs for them or is unknown: Companies; No completed purchase.")


def test_one_group_is_drawn_without_asking_what_sets_it_apart():
    several, alone = (explorer.grouped(TABLE, ["behavioural"], k=k) for k in (2, 1))
    assert [len(explorer.drawn(found)[0]) for found in (several, alone)] == [2, 1]
    figures, words = explorer.drawn(several, "By hand")
    assert all(axes.figure.get_supxlabel().startswith("By hand · n = ") for axes in figures)
    assert words == several.words
    plt.close("all")


def test_nobody_cannot_be_grouped():
    nobody = TABLE.head(0)
    assert explorer.families_in(nobody) == []
    with pytest.raises(Problem, match="no customers"):
        explorer.grouped(nobody)


def test_nothing_is_formed_before_the_button_is_pressed(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(explorer, "grouped", lambda _, *choices: asked.append(choices) or grouped(TABLE, *choices))
    families, method, k, button, _ = _choices(monkeypatch, TABLE)
    families.value, method.value, k.value = ["geographic"], "k-prototypes", 2
    assert asked == []
    assert capsys.readouterr().out == ""
    button.click()
    assert asked == [(("geographic",), "k-prototypes", 2)]
    assert "Formed by: city.\nMethod: k-prototypes; 2 groups.\n" in capsys.readouterr().out


def test_a_choice_that_cannot_be_is_answered_by_a_sentence(monkeypatch, capsys):
    families, _, k, button, _ = _choices(monkeypatch, TABLE)
    families.value, k.value = ["geographic"], 3
    button.click()
    # two cities
    sentence = "3 groups were asked for, but only 2 customers differ from each other. Ask for fewer.\n"
    assert capsys.readouterr().out.endswith(sentence)


@pytest.mark.parametrize("error", [None, Problem("Ask for fewer."), ValueError("a defect")])
def test_the_button_waits_while_groups_are_formed_and_never_stays_stuck(monkeypatch, error):
    *_, button, state = _choices(monkeypatch, TABLE)
    meanwhile = []

    def busy(*_):
        meanwhile.append((button.disabled, state.value))
        if error:
            raise error
        return grouped(TABLE, ["geographic"], k=1)

    monkeypatch.setattr(explorer, "grouped", busy)
    button.click()
    assert meanwhile == [(True, "Forming groups …")]
    assert (button.disabled, state.value) == (False, "")


def test_no_figure_stays_open_to_be_shown_once_more_below_the_cell(monkeypatch):
    plt.close("all")
    families, _, k, button, _ = _choices(monkeypatch, TABLE)
    families.value, k.value = ["behavioural"], 2
    button.click()
    explorer.explore(TABLE)
    assert plt.get_fignums() == []


def _choices(monkeypatch, profiles):
    """Families, method, number, button and the word beside it."""
    monkeypatch.delenv(kernels.BATCH, raising=False)
    families, below = explorer.explore_segments(profiles).children[0].children
    method, k, pressed = below.children
    return families, method, k, *pressed.children


# --- the funnel

# 40 customers visit; those of Yazd order on the next day, the first ten of the others on day 20
SHOP = pd.DataFrame(
    {
        "customer_id": [f"c{i}" for i in (*range(40), *range(0, 40, 2), *range(1, 20, 2))],
        "occurred_at": pd.Timestamp("2025-03-01", tz="UTC") + pd.to_timedelta([0] * 40 + [1] * 20 + [20] * 10, "D"),
        "event": ["visit"] * 40 + ["order"] * 30,
    }
)
SHOP = pd.concat([SHOP, SHOP.tail(1).assign(event="bye", occurred_at=pd.Timestamp("2025-05-01", tz="UTC"))])
WHO = pd.DataFrame({"customer_id": [f"c{i}" for i in range(40)], "city": ["Yazd", "Qom"] * 20, "kind": "person"})


def test_the_commonest_events_are_the_steps_to_choose_from_and_groups_of_few_values_the_splits(monkeypatch):
    steps, (_, split, _) = _steps(monkeypatch, SHOP, WHO.assign(other=range(40)))
    assert [name for name, _ in steps[0].options] == ["", "visit", "order", "bye"]
    assert [name for name, _ in split.options] == ["nothing", "city"]
    assert [name for name, _ in _steps(monkeypatch, SHOP, None)[1][1].options] == ["nothing"]


def test_the_steps_chosen_are_counted_when_the_button_is_pressed(monkeypatch, capsys):
    counted = []
    monkeypatch.setattr(explorer, "stepped", lambda _, *choices: counted.append(choices) or ([], ["Counted."]))
    steps, (window, _, pressed) = _steps(monkeypatch, SHOP, None)
    steps[0].value, steps[2].value, window.value = "visit", "order", 7
    assert counted == []
    pressed.children[0].click()
    assert counted == [(["visit", "order"], 7, None, "", None)]
    assert capsys.readouterr().out.endswith("Counted.\n")
    assert (pressed.children[0].disabled, pressed.children[1].value) == (False, "")


def test_a_funnel_of_one_step_is_answered_by_a_sentence(monkeypatch, capsys):
    steps, (_, _, pressed) = _steps(monkeypatch, SHOP, None)
    steps[0].value = "visit"
    pressed.children[0].click()
    assert "A funnel needs at least two steps" in capsys.readouterr().out


def test_a_funnel_is_drawn_told_and_shown_as_a_table():
    # within any time 30 of 40 order, within a week the 20 of Yazd
    for window, share in ((0, "75 %"), (7, "50 %")):
        (axes,), (verdict, table) = explorer.stepped(SHOP, ["visit", "order"], window, source="By hand")
        assert f"{share} of 40 customers" in " ".join(axes.get_title().split())
        assert axes.figure.get_supxlabel().startswith("By hand · n = 40")
        assert isinstance(verdict, str)
        assert f">{share}<" in table.to_html()
    plt.close("all")


def test_a_split_lays_each_group_beside_the_others():
    (axes,), (verdict, table) = explorer.stepped(SHOP, ["visit", "order"], 7, WHO, "city")
    title = " ".join(axes.get_title().split())
    assert "of Yazd go on to order" in title or "of Qom go on to order" in title
    assert "city" in verdict or "Qom" in verdict
    assert table.data["city"].tolist() == ["Qom", "Qom", "Yazd", "Yazd"]
    assert table.data["rate"].dropna().tolist() == [0, 1]
    plt.close("all")


def test_groups_without_customers_are_no_split():
    with pytest.raises(Problem, match='groups has no column "customer_id"'):
        explorer.splits_in(WHO.drop(columns="customer_id"))


def _steps(monkeypatch, events, groups):
    """The steps, and window, split and what is pressed."""
    monkeypatch.delenv(kernels.BATCH, raising=False)
    steps, choices = explorer.explore_funnel(events, groups).children[0].children
    return steps.children, choices.children
