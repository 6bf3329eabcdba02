"""The empty map to print, and what a group wrote beside the data: by hand, forth and back."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import journeys
from analysis.errors import Problem
from analysis.journeys.workshop import NEAR, ROWS, STEPS

STAGES = ["aware", "checkout"]


def figure(measure, value, low, high, of="", row="actions", unit="share", stage="checkout", n=400):
    return {
        **{
            "persona": 1,
            "stage": stage,
            "row": row,
            "statement": "…",
            "kind": "measured",
            "measure": measure,
            "of": of,
        },
        **{"value": value, "value_low": low, "value_high": high, "n": n, "unit": unit, "source": "touchpoints"},
        "question": "",
    }


MAP = pd.DataFrame(
    [
        figure("through", 0.7, 0.66, 0.74, "web"),
        figure("through", 0.3, 0.26, 0.34, "app"),
        figure("through", 0.28, 0.24, 0.32, "phone"),
        figure("does", 0.5, 0.45, 0.55, "product_view"),
        figure("reached", 0.4, 0.37, 0.43),
        figure("goes_on", 0.8, 0.77, 0.83),
        figure("time", 2.0, 1.8, 2.2, unit="days"),
        figure("raised", 0.2, 0.17, 0.23, "late delivery", "feelings"),
        figure("unhappy", 0.9, 0.87, 0.93, "late delivery", "feelings"),
        figure("score", 4.1, 4.0, 4.2, "csat", "feelings", "points"),
        figure("score", 7.5, 7.2, 7.8, "nps", "feelings", "points"),
        figure("owned", 0.6, 0.55, 0.65, "logistics", "ownership"),
        figure("closed", 3.0, 2.8, 3.2, "logistics", "ownership", "days"),
        figure("", None, None, None, row="goals") | {"kind": "assumption", "question": "What did you want here?"},
        figure("reached", 0.9, 0.88, 0.92, stage="aware"),
    ]
)

#: Every claim that a group can make, with the map's own figure and with one far from it.
CLAIMS = {
    "a channel's share": ({"channel": "web", "share": 0.7}, {"channel": "web", "share": 0.2}),
    "the commonest channel": ({"channel": "web"}, {"channel": "app"}),
    "an event": ({"event": "Product view", "share": 0.5}, {"event": "product_view", "share": 0.9}),
    "who gets here": ({"reach": 0.4}, {"reach": 0.8}),
    "who goes on": ({"go_on": 0.8}, {"go_on": 0.4}),
    "how soon": ({"days": 2.0}, {"days": 9.0}),
    "a topic": ({"topic": "late delivery", "share": 0.2}, {"topic": "late delivery", "share": 0.9}),
    "a discontent": ({"unhappy": "late delivery", "share": 0.9}, {"unhappy": "late delivery", "share": 0.2}),
    "a score": ({"score": 4.1}, {"score": 2.0}),
    "another score": ({"score": 7.5, "instrument": "nps"}, {"score": 4.1, "instrument": "nps"}),
    "a team": ({"team": "logistics"}, {"team": "sales"}),
    "a team's time": ({"team": "logistics", "days": 3.0}, {"team": "logistics", "days": 30.0}),
}


def wrote(stage="checkout", row="actions", statement="So it is", **claim):
    return {"persona": 1, "stage": stage, "row": row, "statement": statement, **claim}


def judged(**claim):
    return journeys.lay_beside(pd.DataFrame([wrote(**claim)]), MAP).table.iloc[0]


@pytest.mark.parametrize(("own", "far"), CLAIMS.values(), ids=CLAIMS)
def test_the_data_s_own_figure_agrees_and_one_far_from_it_is_contradicted(own, far):
    assert judged(**own).verdict == "agreed"
    assert judged(**far).verdict == "contradicted"


def test_a_template_filled_with_the_data_s_own_figures_agrees_throughout(tmp_path):
    journeys.worksheet(STAGES).save(tmp_path)
    file = tmp_path / "filled-en.toml"
    blocks = re.split(r"(?=\[\[statements\]\])", file.read_text(encoding="utf-8"))
    own = {"aware": "reach = 0.9", "checkout": "go_on = 0.8"}
    filled = [blocks[0]] + [
        f"{block.rstrip()}\n{own[stage]}\n" for block, stage in zip(blocks[1:], STAGES, strict=True)
    ]
    file.write_text("".join(filled), encoding="utf-8")
    beside = journeys.lay_beside(file, MAP)
    assert beside.table["verdict"].tolist() == ["agreed", "agreed"]
    assert beside.words == "2 agreed, 0 contradicted, 0 unknown."


def test_an_untouched_template_says_nothing_in_either_language(tmp_path):
    for language in ("en", "fa"):
        sheet = journeys.worksheet(["a\nb", 'c "d"'], language=language)
        sheet.save(tmp_path)
        beside = journeys.lay_beside(tmp_path / f"filled-{language}.toml", MAP, language)
        assert beside.table.empty
        assert "<section" in beside._repr_html_()


def test_free_text_is_unknown_with_the_question_of_the_map_or_else_one_of_its_row():
    known = judged(row="goals", statement="They want the book before the exam")
    assert (known.verdict, known.question) == ("unknown", "What did you want here?")
    other = judged(row="script", statement="They ask what to read")
    assert other.question.startswith("Ask five of these customers what brought them here")


def test_what_the_data_cannot_tell_is_unknown_and_says_why():
    assert judged(channel="phone").verdict == "contradicted"  # web is commoner for certain
    close = MAP[MAP["of"] != "web"]  # app 26 to 34 %, phone 24 to 32 %
    row = journeys.lay_beside(pd.DataFrame([wrote(channel="app")]), close).table.iloc[0]
    assert row.verdict == "unknown"
    assert "cannot be told apart from phone" in row.why
    few = pd.DataFrame([figure("reached", 0.5, 0.2, 0.8, n=9)])
    row = journeys.lay_beside(pd.DataFrame([wrote(reach=0.5)]), few).table.iloc[0]
    assert row.verdict == "unknown"
    assert "too few" in row.why
    far_but_wide = pd.DataFrame([figure("reached", 0.5, 0.35, 0.65, n=40)])
    assert journeys.lay_beside(pd.DataFrame([wrote(reach=0.3)]), far_but_wide).table["verdict"].tolist() == ["unknown"]
    assert judged(event="search", share=0.4).why == "The map has no figure for it."


@given(claim=st.floats(0, 1), value=st.floats(0, 1), reach=st.floats(0, 0.3))
@settings(max_examples=60, deadline=None)
def test_a_verdict_follows_from_the_interval_alone(claim, value, reach):
    known = pd.DataFrame([figure("reached", value, value - reach, value + reach)])
    verdict = journeys.lay_beside(pd.DataFrame([wrote(reach=claim)]), known).table["verdict"].iloc[0]
    off = abs(claim - value)
    if off > NEAR["share"] + reach + 1e-6:
        assert verdict == "contradicted"
    elif off < NEAR["share"] - 1e-6:
        assert (
            verdict == ("unknown" if reach > off + NEAR["share"] + 1e-6 else "agreed")
            or abs(reach - off - NEAR["share"]) < 1e-5
        )
    else:
        assert verdict in ("unknown", "contradicted", "agreed")


def test_rows_may_be_called_as_the_printed_map_calls_them_in_either_language():
    told = [wrote(row="Thoughts and feelings"), wrote(row="احساسات و افکار"), wrote(row=" FEELINGS ")]
    assert journeys.lay_beside(pd.DataFrame(told), MAP).table["row"].tolist() == ["feelings"] * 3


def test_a_csv_with_persian_digits_and_per_cent_is_read(tmp_path):
    file = tmp_path / "group.csv"
    file.write_text("persona,stage,row,statement,channel,share\n۱,checkout,actions,Web,web,70%\n1,checkout,actions,Web,web,۰٫۷\n",
                    encoding="utf-8")  # fmt: skip
    table = journeys.lay_beside(file, MAP).table
    assert table["verdict"].tolist() == ["agreed", "agreed"]


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ({"stage": "chekout"}, r'statement 1: there is no stage "chekout" on the map. Did you mean "checkout"\?'),
        ({"row": "feeling"}, r'Did you mean "feelings"\?'),
        ({"persona": 9}, r'there is no persona "9" on the map.*There are: 1'),
        ({"reach": 40.0}, r"reach must lie between 0 and 1 \(0.6 for 60 %\), not 40"),
        ({"share": 0.4}, r"share = 0.4 of what\? Add one of: channel"),
        ({"chanel": "web"}, r'unknown column "chanel". Did you mean "channel"\?'),
        ({"days": "soon"}, r'days must be a number, not "soon"'),
    ],
)
def test_a_slip_is_said_in_a_sentence(slip, said):
    with pytest.raises(Problem, match=said):
        journeys.lay_beside(pd.DataFrame([wrote() | slip]), MAP)


def test_a_file_that_is_missing_or_broken_is_said_in_a_sentence(tmp_path):
    with pytest.raises(Problem, match="There is no file"):
        journeys.lay_beside(tmp_path / "none.toml", MAP)
    broken = tmp_path / "broken.toml"
    broken.write_text("[[statements]]\npersona = one", encoding="utf-8")
    with pytest.raises(Problem, match="is not valid TOML"):
        journeys.lay_beside(broken, MAP)
    broken.write_text("[[statements]]\npersona = 1\nstge = 'aware'", encoding="utf-8")
    with pytest.raises(Problem, match='has no "stge"'):
        journeys.lay_beside(broken, MAP)
    with pytest.raises(Problem, match="needs stages"):
        journeys.worksheet([])


def test_the_page_says_each_verdict_in_words_and_never_reads_text_as_markup():
    told = [wrote(reach=0.4), wrote(reach=0.9), wrote(statement="<script>alert(1)</script>")]
    page = journeys.lay_beside(pd.DataFrame(told), MAP)._repr_html_()
    assert [page.count(word) for word in ("✓ Agreed", "✗ Contradicted", "? Unknown")] == [1, 1, 1]
    assert "<script>" not in page
    persian = journeys.lay_beside(pd.DataFrame(told), MAP, "fa")._repr_html_()
    assert 'dir="rtl"' in persian
    assert "۴۰٪" in persian


# --- the sheet --------------------------------------------------------------------------------------------------------


def test_a_sheet_has_all_rows_roles_and_ninety_minutes_in_both_languages():
    for language, minutes in (("en", "20 min"), ("fa", "۲۰ دقیقه")):
        content = journeys.worksheet(STAGES, language=language).content
        assert [row["key"] for row in content["rows"]] == list(ROWS)
        assert all(row["prompt"] for row in content["rows"])
        assert len(set(content["roles"])) == 3
        assert minutes in [step["minutes"] for step in content["steps"]]
    assert sum(STEPS.values()) == 90


def test_each_persona_has_a_sheet_and_many_stages_go_on_to_the_next():
    personas = pd.DataFrame({"persona": [2, 1], "name": ["Sara", "#set page()"], "title": ["Parents", None]})
    sheet = journeys.worksheet([f"stage {i}" for i in range(8)], personas)
    pages = sheet.content["pages"]
    assert [(page["name"], len(page["stages"])) for page in pages] == [
        *[("#set page()", 6), ("#set page()", 2)],
        *[("Sara", 6), ("Sara", 2)],
    ]
    assert len(sheet.png(20)) == 4  # nothing runs over to a page of its own
    assert sheet.pdf() == journeys.worksheet([f"stage {i}" for i in range(8)], personas).pdf()


def test_what_somebody_wrote_in_a_template_is_not_written_over(tmp_path):
    journeys.worksheet(STAGES).save(tmp_path)
    (tmp_path / "filled-en.toml").write_text("# mine", encoding="utf-8")
    files = journeys.worksheet(STAGES).save(tmp_path)
    assert [file.name for file in files] == ["worksheet-en.pdf", "worksheet-en-1.png", "filled-en.toml"]
    assert (tmp_path / "filled-en.toml").read_text(encoding="utf-8") == "# mine"
