"""The first page: does it tell what matters most, by its rule, with figures that are right?"""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import evidence, profiles, report, schema
from analysis.phrases import speaking
from analysis.report import findings as findings_of
from analysis.report.kpis import kpis, latest, since
from analysis.report.summary import findings, summary
from analysis.report.tiles import tiles
from analysis.run import Run, prepare
from analysis.sources import connect

AS_OF = date(2025, 12, 31)
ROOT = Path(__file__).parents[1]


class Shop(dict):
    as_of = AS_OF


def at(*ago):
    """Instants so many days before the last day, at noon."""
    return [pd.Timestamp(AS_OF - timedelta(days), tz="Asia/Tehran") + pd.Timedelta("12h") for days in ago]


def orders_of(who, ago, amounts=10.0, **more):
    table = {"order_id": [f"o{n}" for n in range(len(who))], "customer_id": who, "ordered_at": at(*ago)}
    return pd.DataFrame(table | {"amount": amounts} | more)


def shop(back=4, again=30, first=40):
    """In the latest quarter and in each of those before it the same customers buy; `again` of `first` in the latest."""
    who = [f"c{n}" for quarter in range(back) for n in range(again if quarter == 0 else first)]
    ago = [91 * quarter + 5 for quarter in range(back) for _ in range(again if quarter == 0 else first)]
    # one order on the first day of all, so that the earliest quarter is covered
    return Shop(orders=orders_of([*who, "c0"], [*ago, 91 * back - 1]))


def only(table, kpi):
    return table[table["kpi"] == kpi].reset_index(drop=True)


# Figures from quarter to quarter


def test_retention_is_the_share_of_last_quarters_buyers_who_bought_again():
    row = only(latest(kpis(shop(again=30, first=40))), "retention").iloc[0]
    assert (row["customers"], row["value"]) == (40, 0.75)
    assert (row["low"], row["high"]) == evidence.share_interval(30, 40)
    assert (row["starts"], row["ends"]) == (AS_OF - timedelta(90), AS_OF)


def test_the_interval_of_a_change_of_shares_is_newcombes():
    table = only(kpis(shop(back=6, again=30, first=40)), "retention")
    now = table.iloc[-1]
    assert now["before_starts"] == now["starts"] - timedelta(364)  # the same quarter a year before
    expected = evidence.difference_of_shares(30, 40, 40, 40)[:3]
    assert now[["change", "change_low", "change_high"]].tolist() == pytest.approx(list(expected))


def test_without_a_year_before_the_quarter_before_is_compared_with_and_season_is_said_to_be_in_it():
    table = kpis(shop(back=3))
    now = only(table, "revenue").iloc[-1]
    assert now["before_starts"] == now["starts"] - timedelta(91)
    assert all("season included" in tile.change and not tile.in_season for tile in tiles(table, pd.DataFrame(), ""))


def test_only_full_quarters_count_and_nothing_after_the_last_day():
    base = shop(back=3)
    late = orders_of(["x"] * 9, [-1] * 9, order_id=[f"x{n}" for n in range(9)])  # the day after
    early = orders_of([f"e{n}" for n in range(9)], [290] * 9, order_id=[f"e{n}" for n in range(9)])  # half a quarter
    known = kpis(base)
    assert len(only(known, "revenue")) == 3
    more = kpis(Shop(orders=pd.concat([base["orders"], late, early])))
    pd.testing.assert_frame_equal(only(more, "revenue"), only(known, "revenue"))


def test_a_table_that_falls_silent_does_not_tell_of_the_quarter_that_it_does_not_cover():
    base = shop(back=4)
    base["orders"] = base["orders"][base["orders"]["ordered_at"] < at(90)[0]]
    assert only(kpis(base), "revenue")["ends"].max() == AS_OF - timedelta(91)


def test_a_base_of_three_months_goes_by_four_weeks_and_one_of_three_weeks_has_no_trend():
    assert set(kpis(Shop(orders=orders_of(["a", "b"], [80, 0])))["days"]) == {28}
    assert kpis(Shop(orders=orders_of(["a", "b"], [20, 0]))).empty


def test_revenue_growth_counts_what_was_given_back_and_those_who_paid_in_one_quarter_only():
    # before: a 100, b 100; now: a 150, c 100, and b gives 10 back: 240 after 200
    orders = orders_of(
        ["a", "b", "a", "c", "b", "d"],
        [130, 130, 10, 10, 10, 181],
        [100.0, 100.0, 150.0, 100.0, -10.0, 0.0],
        status=["completed", None, "completed", "completed", "returned", "completed"],
    )
    now = only(kpis(Shop(orders=orders)), "revenue").iloc[-1]
    assert (now["value"], now["before"], round(now["change"], 9)) == (240, 200, 0.2)
    assert now["change_low"] < 0 < now["change_high"]  # of four customers nothing is sure
    cancelled = orders.assign(status=orders["status"].where(orders["customer_id"] != "c", "cancelled"))
    assert only(kpis(Shop(orders=cancelled)), "revenue").iloc[-1]["value"] == 140


def test_satisfaction_is_the_score_of_the_last_answer_of_each_customer():
    scores = [10] * 12 + [3] * 8
    answers = pd.DataFrame({"customer_id": range(20), "given_at": at(*[5] * 20), "instrument": "nps", "score": scores})
    before = answers.assign(score=0, given_at=at(*[9] * 20))  # changed their minds
    feedback = pd.concat([before, answers, answers.head(6).assign(given_at=at(*[181] * 6))])
    now = only(kpis(Shop(feedback=feedback)), "satisfaction").iloc[-1]
    assert (now["source"], now["customers"], round(now["value"], 9)) == ("nps", 20, 20)
    assert [now["low"], now["high"]] == pytest.approx(evidence.nps(scores)[1:])


def test_fewer_than_five_customers_are_not_shown():
    few = pd.DataFrame({"customer_id": range(4), "given_at": at(*[5] * 4), "instrument": "nps", "score": 10})
    assert kpis(Shop(feedback=few)).empty
    assert only(kpis(shop(again=4, first=4)), "retention").empty


def test_engagement_is_of_those_known_before_and_of_campaigns_without_those_held_out():
    met = pd.DataFrame({"customer_id": [*"abcdefgh", *"abc", "new"], "event": "visit"})
    met["occurred_at"] = at(*[181] * 8, *[5] * 3, 5)
    now = only(kpis(Shop(touchpoints=met)), "engagement").iloc[-1]
    assert (now["source"], now["customers"], now["value"]) == ("touchpoints", 8, 3 / 8)
    sent = pd.DataFrame({"campaign_id": "m", "customer_id": [f"c{n}" for n in range(20)]})
    sent = sent.assign(sent_at=at(*[5] * 10, *[100] * 10), variant=["mail"] * 8 + ["control"] * 2 + ["mail"] * 10)
    sent["opened_at"] = sent["sent_at"].where([n < 4 or n >= 18 for n in range(20)])
    first = sent.head(1).assign(sent_at=at(181))
    base = Shop(campaign_contacts=pd.concat([sent, first]), orders=orders_of(["z"], [181]))
    now = only(kpis(base), "engagement").iloc[-1]
    assert (now["source"], now["customers"], now["value"]) == ("campaigns", 8, 0.5)


def test_the_engine_and_pandas_agree_whatever_the_order_of_the_rows():
    orders = shop(back=6)["orders"]
    known = kpis(Shop(orders=orders))
    shuffled = orders.sample(frac=1, random_state=1)
    db = connect("Asia/Tehran")
    db.register("shuffled", shuffled)
    pd.testing.assert_frame_equal(kpis(Shop(orders=db.sql("FROM shuffled"))), known)


def test_a_change_within_chance_is_called_none_and_one_beyond_it_has_its_direction():
    same, down = (
        {tile.title: tile for tile in tiles(kpis(shop(back=6, again=n)), pd.DataFrame(), "toman")} for n in (39, 20)
    )
    assert same["Retention"].way == "same"
    assert "no change beyond chance" in same["Retention"].change
    assert down["Retention"].way == "down"
    assert "lower than in the same days a year before (100.0 %), by 50.0 points" in down["Retention"].change
    assert down["Revenue growth"].figure == "−50 %"
    assert "200 toman after 400 toman" in down["Revenue growth"].change


def test_an_earlier_run_is_compared_with_where_it_measured_the_same():
    earlier = kpis(shop(back=6, again=40))
    now = kpis(shop(back=6, again=20))
    told = since(now, earlier).set_index("kpi")
    assert told.loc["retention", "difference"] == -0.5
    assert told.loc["retention", "high"] < 0
    tile = next(t for t in tiles(now, earlier, "") if t.title == "Retention")
    assert tile.since == "The run before, up to 31 December 2025, said 100.0 %: lower since."
    assert since(now, earlier.assign(days=28)).empty


def test_a_trend_is_drawn_from_the_side_where_one_begins_to_read():
    table = kpis(shop(back=6))
    (english, *_), (persian, *_) = tiles(table, pd.DataFrame(), ""), _in_persian(tiles, table, pd.DataFrame(), "")
    last = [float(re.findall(r'cx="([\d.]+)" cy="[\d.]+" r="3.5"', tile.trend)[0]) for tile in (english, persian)]
    assert last[0] > 100 > 50 > last[1]


# Findings


@pytest.fixture
def a_run(base_of, tmp_path):
    """A run of a small shop, with the artefacts that a test gives."""
    who = [n if n < 60 else n % 20 for n in range(300)]  # forty buy once, twenty thirteen times
    lines = [f"o{n},c{c},2025-{1 + n % 12:02d}-{1 + n % 28:02d},{10 + n % 7}" for n, c in enumerate(who)]
    columns = ("order_id", "customer_id", "ordered_at", "amount")
    mapping = '[tables.orders]\npath = "orders.csv"\n[tables.orders.columns]\n'
    mapping += "".join(f'{c} = "{c}"\n' for c in columns)
    source = base_of(mapping, orders="\n".join([",".join(columns), *lines]))
    return prepare(str(source), out=tmp_path / "run")


def test_the_largest_consequence_comes_first_and_of_a_chapter_two_at_most(a_run, monkeypatch):
    weights = {"a": 0.1, "b": 0.5, "c": 0.3, "d": 0.2, "e": 0.4, "tiny": 0.005, "less": -0.1}
    finding = findings_of.Finding
    one = [finding("1_profiles", "", what, what, "customers", weights[what]) for what in "abc"]
    two = [finding("2_segments", "", what, what, "revenue", weights[what]) for what in ("d", "e", "tiny", "less")]
    monkeypatch.setattr(findings_of, "_profiles", lambda run: one)
    monkeypatch.setattr(findings_of, "_segments", lambda run: two)
    assert findings(a_run)["sentence"].tolist() == ["b", "e", "c", "d"]


def test_a_run_without_findings_says_so(a_run):
    assert findings(a_run).empty
    assert "found nothing that concerns a hundredth" in page(a_run)


def test_findings_of_profiles_carry_counts_and_intervals_and_weigh_at_the_cautious_end(a_run):
    table = profiles.build(a_run.base)
    a_run.save("profiles", table)
    found = findings(a_run).set_index("what")
    once = found.loc["one-time buyers"]
    assert once["sentence"].startswith("40 of 60 buyers bought once and not again so far (67 %, interval 54 to 77 %)")
    assert once["consequence"] == pytest.approx(evidence.share_interval(40, 60)[0])
    a_run.save("segments", table[["customer_id"]].assign(segment=1, segment_name="All"))
    found = findings(a_run).set_index("what")
    assert "The best 20 % of buyers (12 of 60) bring " in found.loc["best fifth", "sentence"]


def test_a_persona_weighs_by_the_customers_who_would_not_be_so_if_all_were_alike(a_run):
    personas = pd.DataFrame({"persona": [1, 2], "name": ["Sara", "Omid"], "n": [30, 70], "share": [0.3, 0.7]})
    row = {"persona": 1, "trait": "city", "level": "Yazd", "measure": "profile", "distinctive": True, "of": ""}
    row |= {"value": 0.8, "elsewhere": 0.2, "low": 0.5, "high": 0.7, "kind": "measured", "unit": "share", "top": 5.0}
    a_run.save("personas", personas)
    a_run.save("persona_traits", pd.DataFrame([row, row | {"level": "Qom", "distinctive": False, "low": 0.9}]))
    found = findings(a_run).iloc[0]
    assert found["consequence"] == pytest.approx(0.3 * 0.7 * 0.5)
    sentence = "Sara, 30 % of the customers: 80 % live in Yazd; elsewhere 20 % (difference 50 % to 70 %)."
    assert found["sentence"] == sentence


def test_a_defect_weighs_what_it_moves_and_below_a_hundredth_it_is_none(a_run):
    row = {"table": "orders", "column": "amount", "dimension": "validity", "check": "out of line", "checked": 300}
    row |= {"defects": 3, "share": 0.01, "moves": 0.12, "bends": "revenue 12 → 10 toman", "examples": "", "cure": ""}
    a_run.save("quality", pd.DataFrame([row]))
    found = findings(a_run).iloc[0]
    assert (found["what"], found["consequence"]) == ("defect", 0.12)
    assert "revenue 12 → 10 toman" in found["sentence"]
    assert "1 kind of defect in the rows that are used; 1 of them would move a headline" in page(a_run)
    a_run.save("quality", pd.DataFrame([row | {"moves": 0.009}]))
    assert findings(a_run).empty


def test_the_worst_bottleneck_stands_there_once(a_run, monkeypatch):
    steps = {
        "step": ["visit", "cart", "order"],
        "entered": [100, 90, 30],
        "judged": [100, 90, np.nan],
        "lost": [10, 60, np.nan],
    }
    funnel = pd.DataFrame(steps).assign(per="customer", persona=pd.NA, split="", lost_value=np.nan)
    a_run.save("funnel", funnel.assign(lost_value_low=np.nan, lost_value_high=np.nan))
    sentence = "Of 90 at “cart” who had the time, 60 did not go on to “order” (66.7 %, interval 56.4 to 75.5 %)."
    assert findings(a_run)["sentence"].tolist() == [sentence]
    assert summary(a_run).bottleneck == ""
    monkeypatch.setattr("analysis.report.findings.MOST", 0)
    assert summary(a_run).bottleneck == sentence


def test_every_place_that_a_finding_names_is_a_heading_of_its_chapter():
    source = Path(findings_of.__file__).read_text(encoding="utf-8")
    named = re.findall(r'(?:section = |Finding\("\d_\w+", )"([^"]+)"', source)
    assert len(named) >= 10
    headings = set()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                headings |= set(re.findall(r"^#+ (.+)$", "".join(cell["source"]), re.MULTILINE))
    assert not set(named) - headings


# The page


def page(run: Run, **more) -> str:
    """The book of a run without chapters."""
    about = {"title": "A shop", "language": run.about["language"], "as_of": "2025-12-31", "chapters": []} | more
    return report.page(about, {}, summary(run))


def test_the_figures_are_kept_for_a_later_run_and_are_the_same_to_the_byte(a_run):
    summary(a_run)
    first = a_run.file("kpis").read_bytes()
    pd.testing.assert_frame_equal(a_run.read("kpis")[["value", "change"]], kpis(a_run.base)[["value", "change"]])
    a_run.file("kpis").unlink()
    summary(a_run)
    assert a_run.file("kpis").read_bytes() == first
    assert summary(a_run, a_run.folder).trends == ""
    assert "There is no earlier run to compare with." in page(a_run)


def test_a_finding_leads_to_where_it_is_shown_or_else_to_its_chapter_or_else_nowhere(a_run):
    a_run.save("profiles", profiles.build(a_run.base))
    heading = "How much do they spend, and how often?"
    book = {"chapters": [{"name": "1_profiles", "title": "Profiles", "status": "made"}]}
    about = {"title": "A shop", "as_of": "2025-12-31"} | book
    cells = [{"cell_type": "markdown", "metadata": {}, "source": f"# Profiles\n\n## {heading}"}]
    shown = report.page(about, {"1_profiles": {"cells": cells}}, summary(a_run))
    assert f'<a href="#1_profiles-How-much-do-they-spend,-and-how-often?">{heading}</a>' in shown
    assert '<a href="#1_profiles">Profiles</a>' in report.page(about, {"1_profiles": {"cells": []}}, summary(a_run))
    assert "bought once" in page(a_run)
    assert "#1_profiles" not in page(a_run)


def test_what_the_data_do_not_hold_is_said_with_what_it_would_tell(a_run):
    untold = summary(a_run).untold
    assert any("No feedback is recorded" in sentence for sentence in untold)
    assert any("Of the orders nothing says: channel, payment method and discount." in s for s in untold)
    assert not any("No orders are recorded" in sentence for sentence in untold)
    assert set(report.summary._TABLES) <= set(schema.TABLES)
    assert all(set(c) <= set(schema.TABLES[t].names) for t, c in report.summary._COLUMNS.items())


def test_names_from_the_data_never_become_markup(a_run):
    evil = '<script>alert("x")</script><img src=x onerror=y>'
    personas = pd.DataFrame({"persona": [1], "name": [evil], "title": [evil], "n": [60], "share": [1.0]})
    a_run.save("personas", personas)
    card = {"name": evil, "title": evil, "summary": {"text": evil}, "share_text": "", "colour": 0}
    card["face"] = {"seed": 1, "gender": evil, "age": None, "company": False}
    (a_run.folder / "personas" / "en").mkdir(parents=True)
    (a_run.folder / "personas/en/persona-1.json").write_text(json.dumps(card), encoding="utf-8")
    segments = pd.DataFrame({"segment": [evil], "n": [9], "share": [0.1], "revenue_share": [0.5], "revenue_low": [0.4]})
    a_run.save("rule_segments", segments.assign(revenue_high=0.6))
    a_run.save("profiles", profiles.build(a_run.base))
    a_run.save("segments", profiles.build(a_run.base)[["customer_id"]].assign(segment=1, segment_name=evil))
    shown = page(a_run)
    assert shown.count("&lt;script&gt;") >= 3
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_the_first_page_speaks_persian(a_run):
    a_run.save("profiles", profiles.build(a_run.base))
    shown = _in_persian(lambda: page(a_run, language="fa", as_of="2025-12-31", currency="toman"))
    front = shown[shown.index('id="summary"') : shown.index('class="chapter appendix"')]
    text = re.sub(r"<svg.*?</svg>|<[^>]+>|A shop", " ", front, flags=re.DOTALL)
    assert not re.search("[0-9]", text)
    assert "۱۰ دی ۱۴۰۴" in text
    assert "تومان" in text


def _in_persian(made, *given):
    with speaking("fa"):
        return made(*given)
