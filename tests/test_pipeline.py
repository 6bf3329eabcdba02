import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from analysis import cli, pipeline
from analysis.errors import Problem
from analysis.run import Run, exclusive, open_run, prepare

ORDERS = """[tables.orders]
path = "orders.csv"
[tables.orders.columns]
order_id = "id"
customer_id = "who"
ordered_at = "day"
amount = "paid"
"""
LINES = "id,who,day,paid\n1,a,2024-01-05,10\n2,a,2024-02-05,20.5\n3,b,2024-02-06,0\n"

FIRST = """run_dir = ""
share = 0.5
names = ["a"]
---
from analysis.run import open_run
import pandas as pd
run = open_run(run_dir, "0_first")
---
run.save("first", pd.DataFrame({"x": [share]}))
"""
SECOND = """run_dir = ""
seed = 1
---
from analysis.run import open_run
run = open_run(run_dir, "1_second")
---
run.save("second", run.read("first") * seed)
"""
ALONE = """run_dir = ""
---
from analysis.run import open_run
run = open_run(run_dir, "2_alone")
---
run.save("alone", run.read("row_accounts"))
"""


def write_notebook(file: Path, text: str) -> None:
    parameters, *cells = text.split("---\n")
    first = nbformat.v4.new_code_cell(parameters.strip(), metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[first, *(nbformat.v4.new_code_cell(c.strip()) for c in cells)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, file)


@pytest.fixture
def chapters(tmp_path, monkeypatch):
    """Three small chapters, of which the second needs the first, in a folder of their own."""
    monkeypatch.setattr(pipeline.places, "NOTEBOOKS", tmp_path)
    for name, text in (("0_first", FIRST), ("1_second", SECOND), ("2_alone", ALONE)):
        write_notebook(tmp_path / f"{name}.ipynb", text)
    made = (
        pipeline.Chapter("0_first", "First", reads=(), writes=("first",)),
        pipeline.Chapter("1_second", "Second", reads=("first",), writes=("second",)),
        pipeline.Chapter("2_alone", "Alone", reads=(), writes=("alone",)),
    )
    monkeypatch.setattr(pipeline, "CHAPTERS", made)
    return tmp_path


@pytest.fixture
def small(base_of):
    return str(base_of(ORDERS, orders=LINES))


def statuses(outcomes):
    return {o.chapter.name: o.status for o in outcomes}


def test_a_second_run_does_only_what_changed(chapters, small, tmp_path):
    out = tmp_path / "out"
    run, outcomes = pipeline.make_report(small, out=out)
    assert set(statuses(outcomes).values()) == {"made"}
    assert run.read("second")["x"].tolist() == [0.5]

    assert set(statuses(pipeline.make_report(small, out=out)[1]).values()) == {"unchanged"}

    # another parameter of the first chapter: its reader follows, the third does not
    _, outcomes = pipeline.make_report(small, out=out, overrides={"first": {"share": "0.75"}})
    assert statuses(outcomes) == {"0_first": "made", "1_second": "made", "2_alone": "unchanged"}
    assert run.read("second")["x"].tolist() == [0.75]

    # another row in the input: everything
    (tmp_path / "orders.csv").write_text(LINES + "4,b,2024-02-06,1\n")
    _, outcomes = pipeline.make_report(small, out=out)
    assert statuses(outcomes)["2_alone"] == "made"


def test_a_failed_chapter_is_told_in_three_lines_and_the_others_are_made(chapters, small, tmp_path):
    write_notebook(chapters / "0_first.ipynb", FIRST + "---\n1 / 0\n")
    run, outcomes = pipeline.make_report(small, out=tmp_path / "out")
    assert statuses(outcomes) == {"0_first": "failed", "1_second": "missing", "2_alone": "made"}
    lines = outcomes[0].reason.splitlines()
    assert lines[0].startswith("0_first stopped in cell 5")  # counting the cell with the run's parameters
    assert lines[1] == "ZeroDivisionError: division by zero"
    assert Path(lines[2].split(": ", 1)[1]).is_file()
    assert "0_first did not make" in outcomes[1].reason
    page = (run.folder / "index.html").read_text()
    assert "division by zero" in page
    assert not run.has("first"), "what a failed chapter wrote must not be taken for its result"


def test_the_command_of_a_failed_chapter_ends_with_an_exit_code(chapters, small, tmp_path, capsys):
    write_notebook(chapters / "0_first.ipynb", FIRST + "---\n1 / 0\n")
    assert cli.main(["report", small, "--out", str(tmp_path / "out")]) == 1
    assert "0_first stopped in cell 5" in capsys.readouterr().err


def test_an_artefact_that_was_changed_by_hand_is_made_again(chapters, small, tmp_path):
    run, _ = pipeline.make_report(small, out=tmp_path / "out")
    run.save("first", pd.DataFrame({"x": [9.0]}))
    _, outcomes = pipeline.make_report(small, out=tmp_path / "out")
    assert statuses(outcomes)["0_first"] == "made"
    assert run.read("second")["x"].tolist() == [0.5]


def test_only_makes_what_is_asked_for_and_what_that_needs(chapters, small, tmp_path):
    _, outcomes = pipeline.make_report(small, out=tmp_path / "out", only=["second"])
    assert statuses(outcomes) == {"0_first": "made", "1_second": "made", "2_alone": "missing"}


def test_a_chapter_whose_tables_went_with_a_base_read_anew_is_not_called_unchanged(chapters, small, tmp_path):
    run, _ = pipeline.make_report(small, out=tmp_path / "out")
    run.file("alone").unlink()
    _, outcomes = pipeline.make_report(small, out=tmp_path / "out", only=["second"])
    assert statuses(outcomes) == {"0_first": "unchanged", "1_second": "unchanged", "2_alone": "missing"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"first": {"shar": "1"}}, r'0_first has no parameter "shar"\. Did you mean "share"\? It has: share, names'),
        ({"first": {"share": "much"}}, r"0_first.share is a number \(default 0.5\), and 'much' is not"),
        ({"second": {"seed": "1.5"}}, r"1_second.seed is a whole number \(default 1\), and 1.5 is not"),
        ({"third": {"x": "1"}}, r'There is no chapter "third"'),
        ({"first": {"run_dir": "x"}}, r'no parameter "run_dir"'),
    ],
)
def test_a_wrong_parameter_stops_the_run_before_it_starts(chapters, small, tmp_path, overrides, message):
    with pytest.raises(Problem, match=message):
        pipeline.make_report(small, out=tmp_path / "out", overrides=overrides)
    assert not (tmp_path / "out").exists()


def test_a_wrong_parameter_in_the_mapping_is_named_too(chapters, base_of, tmp_path):
    mapping = base_of(ORDERS + "[parameters.0_first]\nshares = 1\n", orders=LINES)
    with pytest.raises(Problem, match='no parameter "shares"'):
        pipeline.make_report(str(mapping), out=tmp_path / "out")


def test_a_reader_who_has_seen_enough_gets_no_traceback(base_of):
    mapping = base_of(ORDERS, orders=LINES)
    command = [sys.executable, "-m", "analysis.cli", "check", str(mapping)]
    checking = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    checking.stdout.close()  # as `| head` does
    assert checking.stderr.read() == ""
    checking.wait(timeout=60)


def test_checking_a_base_checks_its_parameters_and_the_chapters_they_are_for(base_of, capsys):
    mapping = base_of(ORDERS + "[parameters.segmens]\ngroups = 3\n", orders=LINES)
    assert cli.main(["check", str(mapping)]) == 2
    assert 'There is no chapter "segmens"' in capsys.readouterr().err
    mapping = base_of(ORDERS + '[parameters.2_segments]\ngroups = "many"\n', orders=LINES)
    assert cli.main(["check", str(mapping)]) == 2
    assert "2_segments.groups is a whole number" in capsys.readouterr().err


def test_the_second_of_two_runs_into_one_folder_stops(chapters, small, tmp_path):
    run = prepare(small, out=tmp_path / "out")
    with exclusive(run.folder), pytest.raises(Problem, match="is being written by another run"):
        pipeline.make_report(small, out=tmp_path / "out")


def test_a_notebook_opened_beside_another_waits_for_it(chapters, small, tmp_path):
    out = tmp_path / "out"
    first = prepare(small, out=out)
    read_at = first.file("orders").stat().st_mtime_ns
    with ThreadPoolExecutor() as threads:
        with exclusive(out):
            second = threads.submit(prepare, small, out=out, patience=30)
            other = threads.submit(pipeline.make_report, small, out=out, before="2_alone")
            time.sleep(0.5)
            assert not second.done()
            assert not other.done()
        assert second.result().folder == other.result()[0].folder == first.folder
    assert first.file("orders").stat().st_mtime_ns == read_at  # what the first one read is not read again


def test_an_output_folder_that_cannot_be_written_is_named(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"cannot be written: .*--out"):
        prepare(small, out=tmp_path / "file" / "out")


def test_a_folder_with_files_of_somebody_else_is_not_written_into(small, tmp_path):
    theirs = tmp_path / "theirs" / "data" / "orders.parquet"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("not ours")
    with pytest.raises(Problem, match="holds files that no run has made"):
        prepare(small, out=tmp_path / "theirs")
    assert theirs.read_text() == "not ours"


def test_bad_input_leaves_nothing_behind(base_of, tmp_path, capsys):
    file = base_of(ORDERS, orders="id,who,day,paid\n")
    assert cli.main(["report", str(file), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("small.toml: orders.csv has a header and no rows")
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_what_was_set_aside_is_written_out_with_its_reason(base_of, tmp_path):
    file = base_of("max_set_aside = 0.5\n" + ORDERS, orders=LINES + "9,,2024-01-05,1\n")
    run = prepare(str(file), out=tmp_path / "out")
    aside = pd.read_parquet(run.folder / "set_aside" / "orders.parquet")
    assert aside[["id", "reason"]].values.tolist() == [["9", "no customer_id"]]
    accounts = run.read("row_accounts")
    assert accounts.loc[accounts["table"] == "orders", "rows"].sum() == 4


def test_row_order_of_the_input_changes_no_byte_of_the_tables(base_of, tmp_path):
    head, *rows = LINES.splitlines()
    digests = []
    for nth, order in enumerate((rows, rows[::-1])):
        file = base_of(ORDERS, orders="\n".join([head, *order]) + "\n")
        run = prepare(str(file), out=tmp_path / f"out{nth}")
        digests.append([run.digest(t) for t in run.tables()])
    assert digests[0] == digests[1]


def test_run_json_says_what_the_run_rests_on(chapters, small, tmp_path):
    run, _ = pipeline.make_report(small, out=tmp_path / "out", seed=3)
    told = json.loads((run.folder / "run.json").read_text())
    assert told["seed"] == 3
    assert told["parameters"]["1_second"] == {"seed": 3}
    assert {i["path"] for i in told["inputs"]} == {"orders.csv", "small.toml"}
    assert told["artefacts"]["orders"]["rows"] == 3
    assert told["artefacts"]["first"]["sha256"] == run.digest("first")
    assert "pandas" in told["packages"]


def test_a_run_killed_in_the_middle_is_continued_correctly(small, tmp_path):
    """The real chapters, on a base of three orders, killed by the signal that nobody can catch."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "analysis.cli", "report", small, "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    stamp = out / "stamps" / "0_data.json"
    deadline = time.monotonic() + 120
    while not stamp.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is None, "the run was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "index.html").exists()

    run, outcomes = pipeline.make_report(small, out=out)
    found = statuses(outcomes)
    assert found.pop("0_data") == "unchanged"
    assert set(found.values()) == {"made"}
    assert not list(run.folder.rglob("*.part"))


def test_a_run_folder_without_a_base_is_no_run(tmp_path):
    with pytest.raises(Problem, match="is no run"):
        open_run(str(tmp_path), "1_profiles")


def test_reading_an_artefact_that_is_not_there_says_what_is(small, tmp_path):
    run = prepare(small, out=tmp_path / "out")
    with pytest.raises(Problem, match=r"has no profiles\. Run the chapter that makes it\. It has: .*orders"):
        run.read("profiles")
    assert isinstance(run, Run)


def test_help_shows_examples(capsys):
    for command in ("report", "check", "sources", "sample"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        assert "example" in capsys.readouterr().out


def test_check_prints_the_accounts(small, capsys):
    assert cli.main(["check", small]) == 0
    assert "orders: 3 rows, 3 kept" in capsys.readouterr().out


def test_sources_lists_the_shipped_mappings(capsys):
    assert cli.main(["sources"]) == 0
    assert "completejourney" in capsys.readouterr().out
