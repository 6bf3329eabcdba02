"""What people write about personas is kept, shown, and never lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import Problem
from analysis.personas import edits

WEEKEND = "Places 61 % of the orders at the weekend"


def personas(*names, n=100):
    return pd.DataFrame({"persona": range(1, len(names) + 1), "title": names, "n": n})


def traits(*effects):
    """A row per persona and trait; effects are given persona by persona as {trait: Cliff's delta}."""
    rows = [(i, trait, "", at, at, True) for i, of in enumerate(effects, 1) for trait, at in of.items()]
    return pd.DataFrame(rows, columns=["persona", "trait", "level", "effect", "difference", "distinctive"])


def lines(effect=0.4, distinctive=True, text=WEEKEND):
    rows = [
        (1, "weekend_share", "buying", "measured", text, effect, distinctive),
        (1, "mean_csat", "needs", "measured", "Is satisfied with 4.1 of 5", 0.3, True),
        (1, "assumption goals", "goals", "assumption", "Reads to relax", np.nan, False),
        (2, "weekend_share", "buying", "measured", "Places 20 % of the orders at the weekend", -0.4, True),
    ]
    return pd.DataFrame(rows, columns=["persona", "id", "part", "kind", "text", "effect", "distinctive"])


OLD, YOUNG = {"age": 0.9, "weekend_share": 0.4}, {"age": -0.9, "weekend_share": -0.4}
TWO = personas("Older readers", "Younger readers"), traits(OLD, YOUNG)
SWAPPED = personas("Younger readers", "Older readers"), traits(YOUNG, OLD)


class File:
    """personas.toml, as people write in it and as the next run reads it."""

    def __init__(self, folder):
        self.path = folder / "personas.toml"

    def read(self, run=TWO):
        return edits.remembered(self.path, *run)

    def run(self, run=TWO, said=None, called=()):
        found = self.read(run)
        if called:
            found = found._replace(personas=found.personas.assign(called=called))
        edits.remember(found, lines() if said is None else said)
        return found

    def write(self, *below, of=1):
        """Lines of TOML written below the profile of the persona that stands at this place."""
        blocks = self.path.read_text(encoding="utf-8").split("\n[[personas]]\n")
        blocks[of] += "\n".join(below) + "\n\n"
        self.path.write_text("\n[[personas]]\n".join(blocks), encoding="utf-8")

    def replace(self, old, new):
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def file(tmp_path):
    return File(tmp_path)


REWRITTEN = "[[personas.lines]]", 'line = "weekend_share"', 'text = "Comes on Fridays"'


def text_of(table, persona, line):
    found = table[(table["persona"] == persona) & (table["id"] == line)]
    return found["text"].item(), found["kind"].item()


def test_a_persona_keeps_its_key_face_and_name_when_the_groups_are_renumbered(file):
    first = file.run(called=["Nahid", "Sara"]).personas
    again = file.run(SWAPPED).personas
    kept = ["key", "called", "face"]
    assert again[kept].values.tolist() == file.read(SWAPPED).personas[kept].values.tolist()
    assert again["called"].tolist() == ["Sara", "Nahid"]  # persona 1 is now the younger
    assert again["key"].tolist() == first["key"].tolist()[::-1]
    assert again["seen"].tolist() == [True, True]


def test_the_key_comes_from_what_is_known_at_first_sight_and_two_differ(file, tmp_path):
    one = file.read().personas
    other = edits.remembered(tmp_path / "elsewhere.toml", *TWO).personas
    assert one["key"].tolist() == other["key"].tolist()
    assert one["face"].tolist() == other["face"].tolist()
    assert one["key"].nunique() == 2
    twins = edits.remembered(tmp_path / "twins.toml", personas("Same", "Same"), traits({"age": 0.1}, {"age": 0.1}))
    assert twins.personas["key"].nunique() == 2


def test_a_rewritten_line_stands_in_its_place_marked_as_edited_with_what_the_data_say(file):
    file.run()
    file.write(*REWRITTEN)
    made = edits.apply(lines(), file.read())
    assert text_of(made, 1, "weekend_share") == ("Comes on Fridays", "edited")
    assert made.iloc[0]["edited_from"] == WEEKEND
    assert made.iloc[0]["warning"] is None
    assert text_of(made, 2, "weekend_share") == ("Places 20 % of the orders at the weekend", "measured")
    assert made.attrs["notes"] == []


def test_a_hidden_line_is_left_out_and_an_added_one_stands_at_the_end_of_its_card(file):
    file.run()
    file.write("[[personas.lines]]", 'line = "mean_csat"', "hidden = true")
    file.write("[[personas.lines]]", 'part = "pains"', 'text = "Finds the parking too far"')
    made = edits.apply(lines(), file.read())
    assert made["id"].tolist() == ["weekend_share", "assumption goals", "added 1", "weekend_share"]
    assert made.loc[2, ["part", "kind", "text"]].tolist() == ["pains", "edited", "Finds the parking too far"]


def test_edits_survive_runs_under_another_number(file):
    file.run()
    file.write(*REWRITTEN)
    file.run()
    file.run(SWAPPED)
    swapped = lines().assign(persona=lines()["persona"].map({1: 2, 2: 1}))
    assert text_of(edits.apply(swapped, file.read(SWAPPED)), 2, "weekend_share") == ("Comes on Fridays", "edited")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lines(effect=-0.3, text="Places 12 % of the orders at the weekend"), "now point the other way: “Places 12 %"),
        (lines(effect=0.05, distinctive=False), "does not set them apart any more"),
        (lines().query("id != 'weekend_share'"), "not on the card any more: the data do not support it"),
    ],
)
def test_an_edit_that_the_data_no_longer_support_stays_with_a_warning(file, said, words):
    file.run()
    file.write(*REWRITTEN)
    file.run()  # what the data said is remembered here
    made = edits.apply(said, file.read())
    line = made[made["text"] == "Comes on Fridays"].iloc[0]
    assert line["kind"] == "edited"
    assert line["part"] == "buying"
    assert words in line["warning"]
    assert made.attrs["notes"] == [f"Older readers: {line['warning']}"]


def test_what_the_data_said_is_written_once_and_not_changed_by_later_runs(file):
    file.run()
    file.write(*REWRITTEN)
    file.run()
    file.run(said=lines(effect=0.2, text="Places 55 % of the orders at the weekend"))
    written = file.read().lines.iloc[0]
    assert (written["was"], written["effect"], written["part"]) == (WEEKEND, 0.4, "buying")


def test_a_misspelt_line_changes_nothing_and_says_which_was_meant(file):
    file.run()
    file.write("[[personas.lines]]", 'line = "weekend_shar"', 'text = "Comes on Fridays"')
    made = edits.apply(lines(), file.read())
    assert made["text"].tolist() == lines()["text"].tolist()
    assert made.attrs["notes"] == [
        'Older readers: the edit of the line "weekend_shar" changes nothing: there is no such line. '
        'Did you mean "weekend_share"?'
    ]
    file.run()
    assert "weekend_shar" in file.path.read_text(encoding="utf-8")


def test_a_part_that_no_card_has_is_told(file):
    file.run()
    file.write("[[personas.lines]]", 'part = "pain"', 'text = "Finds the parking too far"')
    notes = edits.apply(lines(), file.read()).attrs["notes"]
    assert len(notes) == 1
    assert 'no part "pain". Did you mean "pains"?' in notes[0]


def test_what_was_written_waits_for_its_persona_and_comes_back_with_its_face(file):
    first = file.run(called=["Nahid", "Sara"]).personas
    file.write(*REWRITTEN)
    only_young = personas("Younger readers"), traits(YOUNG)
    gone = file.run(only_young)
    assert gone.notes == [
        "No persona is like “Older readers” any more. What was written about it waits in personas.toml, under "
        "[[earlier]]."
    ]
    file.run(only_young)
    back = file.run()
    assert (
        back.personas[["key", "called"]].values.tolist()
        == first.assign(called=["Nahid", "Sara"])[["key", "called"]].values.tolist()
    )
    assert text_of(edits.apply(lines(), back), 1, "weekend_share") == ("Comes on Fridays", "edited")


def test_an_unedited_persona_that_skips_a_run_keeps_its_face_but_not_for_ever(file, monkeypatch):
    first = file.run(called=["Nahid", "Sara"]).personas
    file.run((personas("Younger readers"), traits(YOUNG)))
    assert file.run().personas["key"].tolist() == first["key"].tolist()
    monkeypatch.setattr(edits, "MOST_EARLIER", 0)
    file.run((personas("Younger readers"), traits(YOUNG)))
    assert "[[earlier]]" not in file.path.read_text(encoding="utf-8")


def test_a_title_given_by_a_person_is_told_where_it_now_stands_for_another_persona(file):
    file.run()
    file.replace('title = ""', 'title = "Bookworms"')
    found = file.read((personas("Older buyers", "Younger readers"), traits(OLD, YOUNG)))
    assert found.personas["title"].tolist() == ["Bookworms", ""]
    assert found.personas["edited"].tolist() == [True, False]
    assert found.notes == [
        "“Bookworms” was given to a persona found as “Older readers”, which would now be “Older buyers”."
    ]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (("[[personas.lines]]", 'line = "a'), "is not valid TOML"),
        (("[[personas.lines]]", 'lin = "a"'), 'has no "lin". Did you mean "line"?'),
        (("[[personas.lines]]", 'line = "a"'), "neither a text nor hidden = true"),
        (("[[personas.lines]]", 'text = "a"'), "neither line"),
        (("[[personas.lines]]", 'line = "a"', 'hidden = "yes"'), "hidden in [[personas.lines]] must be true or false"),
        ((*REWRITTEN, *REWRITTEN), 'two edits of the line "weekend_share"'),
        (("[personas.lines]", 'line = "a"'), "lines in [[personas]] must be a list of tables"),
    ],
)
def test_a_slip_is_told_and_the_file_left_as_it_is(file, written, words):
    file.run()
    file.write(*written)
    before = file.path.read_bytes()
    with pytest.raises(Problem, match=words.replace("[", r"\[").replace("]", r"\]").replace("?", r"\?")):
        file.run()
    assert file.path.read_bytes() == before
    assert [f.name for f in file.path.parent.iterdir()] == ["personas.toml"]


def test_two_personas_of_one_name_are_refused(file):
    file.run()
    file.path.write_text(file.path.read_text(encoding="utf-8").replace('name = ""', 'name = "Nahid"'), encoding="utf-8")
    with pytest.raises(Problem, match='the name "Nahid" to two personas'):
        file.read()


def test_a_file_that_cannot_be_written_is_a_problem(tmp_path):
    found = edits.remembered(tmp_path / "no folder" / "personas.toml", *TWO)
    with pytest.raises(Problem, match="cannot be written"):
        edits.remember(found, lines())


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_text_that_a_person_writes_comes_back(tmp_path_factory, text):
    file = File(tmp_path_factory.mktemp("edits"))
    file.run()
    found = file.read()
    line = {"line": "weekend_share", "part": "", "text": text, "hidden": False, "was": "", "effect": 0.0}
    edits.remember(found._replace(entries=[{**e, "lines": [line]} for e in found.entries]), lines(text=text))
    again = file.read().lines
    assert again["text"].tolist() == [" ".join(text.split())] * 2
