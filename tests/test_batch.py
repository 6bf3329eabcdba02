"""One report for each value of a field: who is in which, what fails alone, what stays apart, what is printed."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis import batch, cli, pipeline
from analysis.errors import Problem
from analysis.kernels import Kernels
from analysis.phrases import speaking
from analysis.report import comparison, pdf
from analysis.run import earlier, exclusive, last_before, prepare, question_of, write

MAPPING = """[tables.customers]
path = "customers.csv"
personal = ["badge"]
[tables.customers.columns]
customer_id = "who"
country = "land"
[tables.orders]
path = "orders.csv"
[tables.orders.columns]
order_id = "id"
customer_id = "who"
ordered_at = "day"
amount = "paid"
[tables.order_lines]
path = "lines.csv"
[tables.order_lines.columns]
order_id = "id"
quantity = "pieces"
"""
LANDS = [*["Iran"] * 6, *["../Iran"] * 5, *["Malta"] * 4, "", ""]
CUSTOMERS = "who,land,badge\n" + "".join(f"c{i},{land},b{i}\n" for i, land in enumerate(LANDS))
ORDERS = "id,who,day,paid\n" + "".join(f"{i},c{i},2024-0{1 + i % 3}-05,{i}\n" for i in range(len(LANDS)))
LINES = "id,pieces\n" + "".join(f"{i},1\n" for i in range(len(LANDS)))


@pytest.fixture
def shop(base_of, tmp_path, monkeypatch):
    """Six customers in Iran, five in a country with an odd name, four in Malta, two without; reports in a folder."""
    monkeypatch.setattr(pipeline.places, "REPORTS", tmp_path / "reports")
    return str(base_of(MAPPING, customers=CUSTOMERS, orders=ORDERS, lines=LINES))


def test_a_base_is_divided_and_every_customer_accounted_for(shop, tmp_path):
    division = batch.divided(prepare(shop, by="country"), "country")
    assert [(p.value, p.customers) for p in division.parts] == [("Iran", 6), ("../Iran", 5)]
    assert [(p.value, p.customers) for p in division.too_few] == [("Malta", 4)]
    assert division.without == 2
    assert len({p.folder for p in division.parts}) == 2  # both would be "iran"
    assert not [p.folder for p in division.parts if set("./\\") & set(p.folder)]


def test_a_part_has_the_rows_of_its_customers_in_every_table(shop, tmp_path):
    whole = prepare(shop, by="country")
    base = batch.part_of(whole, "country", batch.divided(whole, "country").parts[1])
    run = write(base, tmp_path / "part", question_of(whole.folder))
    assert sorted(run.read("customers")["customer_id"]) == ["c10", "c6", "c7", "c8", "c9"]
    assert sorted(run.read("orders")["order_id"]) == ["10", "6", "7", "8", "9"]
    assert sorted(run.read("order_lines")["order_id"]) == ["10", "6", "7", "8", "9"]  # theirs by their orders
    assert set(run.read("row_accounts")["rows"]) == {5}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("contry", r'no field "contry"\. Did you mean "country"\?'),
        ("badge", '"badge" identifies a person'),
        ("customer_id", '"customer_id" identifies a person'),
    ],
)
def test_a_field_that_cannot_be_told_is_refused_before_anything_is_written(shop, tmp_path, field, message):
    with pytest.raises(Problem, match=message):
        prepare(shop, by=field)
    assert not (tmp_path / "reports").exists()


def test_folders_are_safe_and_apart():
    names = batch.folder_names(["تهران", "A/B", "a b", "data", "\x00\u202e", "x" * 500])
    assert len(set(names)) == 6
    assert names[0] == "تهران"
    assert not [n for n in names if not all(c.isalnum() or c == "-" for c in n) or n == "data" or len(n) > 90]


def test_one_report_that_fails_does_not_stop_the_others_and_is_named(shop, tmp_path, monkeypatch, capsys):
    def book(run, plan, kernels, previous=None, patience=0):
        if run.about["title"].endswith("../Iran"):
            raise Problem("<b>no paper</b>")
        run.save("profiles", pd.DataFrame({"n_orders": [1, 2, 1, 1, 2, 1]}))
        return []

    monkeypatch.setattr(pipeline, "make_book", book)
    whole, made = batch.make_reports(shop, "country", pipeline.planned())
    assert [m.reason for m in made] == ["", "<b>no paper</b>"]
    page = (whole.folder / "index.html").read_text(encoding="utf-8")
    assert 'href="iran-' in page
    assert "&lt;b&gt;no paper&lt;/b&gt;" in page
    assert (
        "Values of fewer than 5 customers have no report, so that nobody can be worked out: 1 of them, 4 customers"
        in page
    )
    assert "2 customers have no value" in page


def test_the_page_that_compares_names_the_currency_in_its_language(shop):
    whole = prepare(shop, by="country", language="fa")
    with speaking("fa"):
        page = comparison.build(whole, "country", [], comparison.LeftOut(0, 0, batch.FEWEST, 0)).read_text("utf-8")
    assert "تومان" in page
    assert "toman" not in page


def test_a_figure_differs_only_beyond_chance():
    # two shops alike, and a third where all bought ten times as often
    alike, other = ([1, 2, 1, 3, 2, 1, 1, 2] * 5, [10, 20, 10, 30, 20, 10, 10, 20] * 5)
    told = comparison.figures(
        {n: pd.DataFrame({"n_orders": v}) for n, v in zip("abc", (alike, alike, other), strict=True)}
    )
    orders = told[told["figure"] == "orders"].set_index("value")
    assert orders["differs"].to_dict() == {"a": "less", "b": "less", "c": "more"}
    told = comparison.figures({n: pd.DataFrame({"n_orders": alike}) for n in "ab"})
    assert set(told["differs"]) == {""}


def test_all_of_a_few_are_no_more_than_chance():
    # six of six bought again, elsewhere seven in ten: by luck alone 0.7 ** 6 = 12 %
    few, many = [2] * 6, [2] * 70 + [1] * 30
    told = comparison.figures({n: pd.DataFrame({"n_orders": v}) for n, v in (("few", few), ("many", many))})
    again = told[told["figure"] == "bought_again"].set_index("value")
    assert again["mean"].to_dict() == {"few": 1.0, "many": 0.7}
    assert set(again["differs"]) == {""}


def test_who_stayed_is_judged_by_a_full_year():
    days = pd.to_datetime(["2023-01-01", "2023-01-01", "2024-12-01"])
    last = pd.to_datetime(["2024-12-31", "2023-01-01", "2024-12-01"])
    profiles = pd.DataFrame(
        {"n_orders": [2, 1, 1], "first_order_at": days, "last_order_at": last, "recency_days": [0.0, 730.0, 30.0]}
    )
    stayed = comparison.figures({"a": pd.concat([profiles] * 5)}).set_index("figure").loc["stayed"]
    assert (stayed["n"], stayed["mean"]) == (10, 0.5)  # one of two; the third came too late to be judged


def test_a_run_is_compared_with_the_last_of_the_same_source(shop, tmp_path):
    runs = [prepare(shop, as_of=date(2024, month, 28)) for month in (1, 2)]
    other = prepare(shop, as_of=date(2024, 2, 29), language="fa")
    for run in (*runs, other):
        (run.folder / "index.html").write_text("")
    now = prepare(shop)
    assert earlier(now) == runs[1].folder
    assert earlier(runs[0]) is None
    assert last_before(now, [runs[0].folder, other.folder]) == runs[0].folder
    assert earlier(now, runs[0].folder) == runs[0].folder
    with pytest.raises(Problem, match="wanted is small before 2024-01-28"):
        earlier(runs[0], now.folder)
    with pytest.raises(Problem, match="is no run"):
        earlier(now, tmp_path)


def test_chapters_that_need_nothing_of_each_other_may_run_side_by_side():
    data, profiles, segments, *_, journeys = pipeline.CHAPTERS
    assert pipeline._ready(pipeline.CHAPTERS, []) == [data, profiles]
    assert pipeline._ready([segments, journeys], [profiles]) == []
    assert pipeline._ready([journeys], []) == [journeys]


def test_without_a_browser_a_message_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHROMIUM", "nowhere")
    with pytest.raises(Problem, match=r"looked for CHROMIUM=nowhere, chromium, .*apt-get install chromium"):
        pdf.write(tmp_path / "index.html")


@pytest.mark.skipif(not any(map(pdf.shutil.which, pdf.BROWSERS)), reason="no Chromium to print with")
def test_a_page_is_printed_beside_itself(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("<p>hello", encoding="utf-8")
    assert pdf.write(page).read_bytes().startswith(b"%PDF")
    assert not list(tmp_path.glob("*.part"))


def test_the_number_of_jobs_is_checked(capsys):
    with pytest.raises(SystemExit):
        cli.main(["report", "--jobs", "0"])
    assert "no number of reports" in capsys.readouterr().err


def test_without_a_field_there_is_one_report():
    assert not cli._parser().parse_args(["report"]).by


def test_a_field_without_a_name_is_no_wish_for_one_report_of_everybody(capsys):
    with pytest.raises(SystemExit):
        cli.main(["report", "--by", ""])
    assert "it names no field" in capsys.readouterr().err


def test_folders_are_called_nothing_that_windows_reserves():
    assert not {"con", "nul", "com1", "lpt9"} & set(batch.folder_names(["CON", "nul", "com1", "LPT9"]))


def _finished(run):
    (run.folder / "index.html").write_text("")
    return run


def test_a_divided_base_is_compared_with_one_divided_alike_or_the_command_stops(shop, tmp_path):
    plan = pipeline.planned()
    whole = _finished(prepare(shop, as_of=date(2024, 1, 28)))
    stopped = prepare(shop, as_of=date(2024, 2, 28), by="country")
    for previous, message in (
        (tmp_path / "nowhere", "is no run"),
        (tmp_path / "small.toml", "is no run"),
        (whole.folder, "of all customers together; wanted is one of all customers, divided by country"),
        (stopped.folder, "was stopped before its report was written"),
    ):
        with pytest.raises(Problem, match=message):
            batch.make_reports(shop, "country", plan, previous=previous)
    _finished(stopped)
    assert earlier(prepare(shop, by="country"), stopped.folder) == stopped.folder
    with pytest.raises(Problem, match="divided by country; wanted is one of all customers together"):
        earlier(prepare(shop), stopped.folder)


def test_the_first_report_may_fail_and_the_closing_lines_are_told_all_the_same(shop, tmp_path, monkeypatch, capsys):
    def part_of(whole, by, part):
        if part.value == "Iran":
            raise Problem("torn")
        return real(whole, by, part)

    real = batch.part_of
    monkeypatch.setattr(batch, "part_of", part_of)
    monkeypatch.setattr(pipeline, "make_book", lambda run, *_: [])
    monkeypatch.setattr(cli, "_top_finding", lambda run: run.about["title"])
    assert cli.main(["report", shop, "--by", "country"]) == 1
    said = capsys.readouterr()
    assert said.err == "Iran: torn\n"
    assert "Top finding (../Iran): " in said.out
    assert said.out.count("\n") == 3


def test_a_value_is_printed_on_one_line_and_without_control_characters():
    assert cli._printable("a\x1b[31m\nb\u202e") == "a [31m b"
    assert len(cli._printable("x" * 300)) == 60


def test_a_second_command_into_the_same_folder_is_told_so(shop, monkeypatch):
    whole = prepare(shop, by="country")
    with exclusive(whole.folder), pytest.raises(Problem, match="is being written by another run"):
        batch.make_reports(shop, "country", pipeline.planned())


def test_stopped_by_hand_no_further_report_is_begun(shop, monkeypatch):
    def book(run, plan, kernels, previous=None, patience=0):
        begun.append(run.about["title"])
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        stopped.append(kernels.over.wait(30))
        return []

    begun, stopped = [], []
    monkeypatch.setattr(pipeline, "make_book", book)
    with pytest.raises(KeyboardInterrupt):
        batch.make_reports(shop, "country", pipeline.planned(), jobs=1)
    assert (len(begun), stopped) == (1, [True])


def test_kernels_that_were_shut_down_give_no_other():
    with Kernels() as kernels:
        pass
    with pytest.raises(Problem, match="goes on from here"):
        kernels.take([])


def test_many_threads_may_ask_for_the_parameters_of_a_notebook():
    # Python 3.11 keeps one count of depth for all threads that parse: "AST constructor recursion depth mismatch"
    known = pipeline.checked_parameters({})  # as before the reports of a divided base

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: pipeline.checked_parameters({}), range(400)))
    assert all(f == known for f in found)


def test_a_pdf_of_an_earlier_page_does_not_stay_when_there_is_no_browser(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    (tmp_path / "index.pdf").write_bytes(b"%PDF of last month")
    with pytest.raises(Problem, match="no browser"):
        pdf.write(tmp_path / "index.html")
    assert not (tmp_path / "index.pdf").exists()


def test_a_report_that_is_not_printed_keeps_no_other_from_it(tmp_path, monkeypatch, capsys):
    def write(page):
        if page.parent.name == "a":
            raise Problem("no paper")
        printed.append(page.parent.name)

    printed = []
    monkeypatch.setattr(pdf, "write", write)
    cli._print_pdfs(SimpleNamespace(pdf=True), [tmp_path / name for name in "aab"])
    assert printed == ["b"]
    assert capsys.readouterr().err == "no paper\n"
