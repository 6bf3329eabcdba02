"""The explorer: two choices and what they show; silent where nobody can choose."""

import pandas as pd
import pytest

from analysis import explorer, kernels

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
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("split", "words"), [("", "Known of 40 of 40"), ("n_orders", "Known of 40"), ("city", "Real")])
def test_what_is_told(split, words):
    assert explorer.told(TABLE, "n_orders", split)[0].startswith(words)


def test_groups_of_four_are_no_groups():
    assert explorer.told(TABLE.head(8), "n_orders", "city") == ["No two groups are large enough to compare."]
