"""Do the chapters on the data and on the personas speak Persian, in all that a reader sees of them?"""

import datetime
import re
from html import unescape

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import personas, plots, quality, schema, sources
from analysis.locale import column_name, first_day, month_of, named, retold
from analysis.personas.compare import _in_words as _who_is_hard_to_tell_apart
from analysis.personas.drift import Known
from analysis.phrases import phrase, speak, speaking
from analysis.quality.assess import RESTS_ON, _in_words, written
from analysis.quality.checks import _SAID as CHECKS
from analysis.quality.checks import check_in_words
from analysis.quality.headlines import HEADLINES
from analysis.run import Run, write_json
from analysis.segments import name_segments
from analysis.sources.accounts import _SAID as REASONS
from analysis.sources.accounts import reason_in_words
from analysis.sources.likeness import why_in_words

#: What stays as it is in any language: what is to be copied into a mapping or found on a disk, kept apart as text from
#: the left, with what is set apart in it once more.
_TO_COPY = re.compile("\u2066(?:[^\u2068\u2069]|\u2068[^\u2069]*\u2069)*\u2069")


@pytest.fixture(autouse=True)
def persian():
    with speaking("fa"):
        yield
    plt.close("all")


def seen(axes):
    """Every text on a figure, and what stands in its place for those who do not see it."""
    axes.figure.draw_without_rendering()
    shown = axes.figure.findobj(Text) if axes.axison else [axes.title]
    return [t.get_text() for t in shown if t.get_text()] + [plots.alt_text(axes.figure)]


def foreign(texts, data=()):
    """The texts with a Latin letter or digit which is neither of the data nor to be copied."""
    of_data = re.compile("|".join(re.escape(text) for text in sorted(data, key=len, reverse=True)) or "$^")
    return [text for text in texts if re.search("[A-Za-z0-9]", of_data.sub("", _TO_COPY.sub("", str(text))))]


def cells(table):
    """What a table says, with its headings."""
    return list(map(unescape, re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", plots.table(table).to_html())))


SHOP = """title = "An Iranian web shop, spring and summer 1398"
language = "fa"
[tables.customers]
path = "customers.csv"
columns = "canonical"
[tables.orders]
path = "orders.csv"
columns = "canonical"
[tables.order_lines]
path = "lines.csv"
columns = "canonical"
[tables.tickets]
path = "tickets.csv"
columns = "canonical"
[limits]
"""


@pytest.fixture
def base(base_of):
    """Ten people who buy for 100 in January and March of 2024, and a defect of nearly every kind beside them."""
    customers = "customer_id,name,email,phone,birth_date,city,signup_at\n"
    orders, lines = "order_id,customer_id,ordered_at,amount\n", "order_id,product_id,quantity,unit_price,amount\n"
    for i in range(10):
        # nobody is born on the day of another; one address is none, one number too short, one city written otherwise
        email = "سارا" if i == 0 else f"s{i}@x.org"
        phone = "12" if i == 1 else f"+98 21 111 111{i}"
        city = "خراسان-رضوی" if i == 9 else "خراسان رضوی"
        customers += f"c{i},سارا {i},{email},{phone},198{i}-05-0{i % 9 + 1},{city},2024-01-01\n"
        for month in ("01", "03"):
            for day in range(10, 30):
                orders += f"o{i}-{month}-{day},c{i},2024-{month}-{day},100\n"
                lines += f"o{i}-{month}-{day},p,1,100,100\n"
    customers += "t,test 3,,,1800-01-01,یزد,2024-03-01\nz,سارا 2,s2@x.org,,1982-05-03,,2024-02-01\n"
    customers += "f,نو,,,2090-01-01,,2024-02-01\n"
    orders += "o-t,t,2024-03-15,10000\no-x,c1,2024-03-16,999999\no-y,nobody,2024-03-16,100\no-z,,2024-03-16,100\n"
    orders += "o-f,c1,2099-01-01,100\no-p,c2,1980-01-01,100\n"
    lines += "o1-01-10,p,1,1000,1000\n"
    tickets = "ticket_id,customer_id,opened_at,closed_at,satisfaction\n"
    tickets += "1,c1,2024-01-05,2024-01-03,11\n2,c2,2024-01-06,2024-01-07,4\n3,c3,2024-01-07,x,4\n"
    files = {"customers": customers, "orders": orders, "lines": lines, "tickets": tickets}
    mapping = f"max_set_aside = 0.5\n{SHOP}"
    return sources.read(str(base_of(mapping, **files)))


def test_defects_are_told_in_persian_with_what_they_bend_and_what_to_do(base):
    assessed = quality.assess(base)
    found = set(assessed.loc[assessed["defects"] > 0, "check"].str.split(" ").str[0])
    assert {"set", "unreadable", "born", "older", "long", "no", "not", "satisfaction", "second", "closed_at"} <= found
    assert {"bought", "test", "days", "another", "ten", "stops"} <= found  # a table that covers hardly any is no test
    texts = cells(quality.worst(assessed, most=100)) + quality.findings(base, assessed)
    assert len(texts) > 60
    assert not foreign(texts, data=("aaaa", "99", "'x'"))
    assert [text for text in texts if "«خراسان-رضوی» به‌جای «خراسان رضوی»" in text]


def test_what_is_kept_to_compare_runs_by_stays_english(base):
    with speaking("en"):
        english = quality.assess(base)[["table", "column", "dimension", "check"]]
    persian = quality.assess(base)[["table", "column", "dimension", "check"]]
    assert sorted(map(tuple, english.to_numpy())) == sorted(map(tuple, persian.to_numpy()))


def test_the_tables_of_the_data_are_persian(base):
    assert not foreign(cells(quality.tables(base)))
    assert not foreign(cells(quality.row_accounts(base)[["table", "reason", "rows", "defect"]]))
    assert "۱۱ دی ۱۳۵۸" in cells(quality.tables(base))  # the first order: 1 January 1980


def test_the_figures_of_the_data_are_persian(base):
    source = phrase(base.title)
    accounts, full = quality.row_accounts(base), quality.completeness(quality.assess(base))
    for axes in (
        plots.row_accounts(accounts.query("not derived"), source),
        plots.row_accounts(pd.DataFrame({"table": ["orders"], "reason": [""], "rows": [1]})),
        plots.row_accounts(accounts.head(0)),
        plots.completeness(full, source),
        plots.completeness(full.query("filled > 0.5")),
        plots.completeness(full.assign(filled=1.0)),
        plots.completeness(full.head(0)),
        plots.orders_over_time(quality.monthly_orders(base), "toman", base.as_of, source),
    ):
        assert not foreign(seen(axes))


@pytest.mark.parametrize("ratio", [0.5, 1, 1.1, 4])
def test_two_years_of_orders_are_compared_in_persian(ratio):
    months = [first_day(1401 * 12 + n) for n in range(25)]
    table = pd.DataFrame({"month": months, "orders": [100] * 12 + [int(100 * ratio)] * 12 + [9], "amount": 5e6})
    axes = plots.orders_over_time(table, "IRR", months[-1] + datetime.timedelta(days=4))
    assert "۱۲ ماه کامل" in axes.get_title()
    assert "فقط ۵ روز از ۳۱ روز" in plots.alt_text(axes.figure)  # Farvardin has 31 days
    assert not foreign(seen(axes))


def test_few_months_of_orders_are_told_in_persian():
    months = [first_day(1401 * 12 + n) for n in range(3)]
    table = pd.DataFrame({"month": months, "orders": [2, 3, 9]})
    for some in (table, table.head(2), table.head(1), table.head(0)):
        for as_of in (None, months[-1] + datetime.timedelta(days=4)):
            assert not foreign(seen(plots.orders_over_time(some, as_of=as_of)))


@pytest.mark.parametrize("gaps", [0, 1, 2, 25])
def test_holes_are_counted_in_persian(gaps):
    columns = [*schema.TABLES["customers"].names, *schema.TABLES["orders"].names][:30]
    table = pd.DataFrame({"table": "customers", "column": columns, "filled": 1.0})
    table.loc[: gaps - 1, "filled"] = [0.2, 0.3, *[0.8] * 23][:gaps]
    assert not foreign(seen(plots.completeness(table)))


def test_months_are_those_of_the_readers_and_time_runs_from_the_right(base):
    # Bahman begins on 21 January, Farvardin on 20 March 2024: eleven days of ten orders in Dey, nine in Bahman, ten and
    # two odd orders in Esfand, ten in Farvardin; the order of 1980 is no part of the business
    monthly = quality.monthly_orders(base)
    assert monthly["month"].dt.date.tolist() == [first_day(1403 * 12 + n) for n in (-3, -2, -1, 0)]
    assert monthly["orders"].tolist() == [110, 90, 102, 100]
    assert month_of(datetime.date(2024, 3, 20)) == 1403 * 12
    axes = plots.orders_over_time(monthly)
    assert axes.xaxis_inverted()
    assert [t.get_text() for t in axes.figure.axes[-1].get_xticklabels()][-1].startswith("فروردین")


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_canonical_table_and_column_has_a_persian_name(table):
    names = [column_name(column) for column in schema.TABLES[table].names]
    assert not foreign([named(table, "table"), phrase(schema.TABLES[table].one_row_per), *names])
    assert len(set(names)) == len(names)  # no two columns of a table under one name


@pytest.mark.parametrize("template", [*CHECKS, *REASONS])
def test_what_is_kept_in_english_is_said_in_persian(template):
    for given in ("customer_id", "2024-03-20", "12", "order"):
        kept = re.sub(r"{\w+}", given, template)
        said = retold(kept, CHECKS if template in CHECKS else REASONS)
        assert not foreign([said])
        assert given == "order" or not re.search(r"{\w+}", template) or retold(kept, ()) == kept


@pytest.mark.parametrize("text", [*HEADLINES, *sorted(set(RESTS_ON.values()))])
def test_figures_that_a_defect_bends_have_persian_names(text):
    assert not foreign([phrase(text)], data=("NPS",))


@pytest.mark.parametrize(("headline", "after"), [("revenue", 2e9), ("buyers who bought once", 0.3), ("customers", 9)])
def test_what_a_defect_bends_is_told_in_persian(headline, after):
    moved = pd.DataFrame({"headline": [headline], "as_it_is": [after], "mended": [after]})
    for change in (0.002, -0.002, 0.0):
        assert not foreign([_in_words(moved.assign(change=change), "toman")])
    assert not foreign([written("usual days since the last purchase", 1234)])


def test_rows_set_aside_are_told_with_their_reason():
    assert check_in_words("set aside: no customer_id") == "کنار گذاشته شده: بدون شناسهٔ مشتری"
    assert reason_in_words("the owner asked for it") == "the owner asked for it"  # a mapping's own
    assert not foreign([why_in_words("same telephone number, names differ by one letter")])


def two_groups():
    """Forty readers who buy on the web and forty parents who buy in the app, named by rule."""
    who = pd.DataFrame({"customer_id": range(80), "segment": [1, 2] * 40})
    profiles = who[["customer_id"]].assign(
        n_orders=[1, 9] * 40, used_channel=["web", "app"] * 40, age=[25 + n % 3 + 20 * (n % 2) for n in range(80)]
    )
    return profiles, name_segments(profiles, who)


def test_personas_are_compared_in_persian_under_persian_names():
    derived = personas.derive(*two_groups())
    compared = personas.compare(derived, "fa")
    texts = [*compared.words, *compared.overlap.columns, *cells(compared.side_by_side)]
    assert len(compared.side_by_side) > 0
    assert not foreign(texts)
    assert not foreign(personas.beside(derived, 1, "fa").astype(str).drop(columns="so").to_numpy().ravel())
    assert not foreign(seen(plots.persona_fit(compared.overlap)))
    mixed = compared.overlap * 0.4 + 0.3  # both take customers from one another
    assert not foreign(_who_is_hard_to_tell_apart(mixed, [mixed.index[0]]))
    assert not foreign(seen(plots.persona_fit(mixed)))
    assert not foreign(seen(plots.persona_fit(mixed.head(1))))
    assert not foreign(personas.compare(personas.derive(*(t.head(0) for t in two_groups())), "fa").words)


def test_cards_are_persian_in_the_language_of_the_run(tmp_path):
    made = personas.cards(personas.derive(*two_groups()), tmp_path / "personas.toml", ["fa", "en"])
    assert not foreign(personas.findings(made))
    nobody = personas.derive(*(table.head(3) for table in two_groups()))
    assert not foreign(personas.findings(personas.cards(nobody, languages=["fa"])))
    shown = made.by_language["fa"][0]._repr_html_()
    assert not foreign(
        re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]*>|&\w+;|&#\d+;", " ", shown, flags=re.S).split("\n")
    )


def test_what_people_wrote_is_answered_in_persian(tmp_path):
    file = tmp_path / "personas.toml"
    derived = personas.derive(*two_groups())
    personas.cards(derived, file, ["fa"])
    line = '[[personas.lines]]\nline = "{}"\npart = "{}"\ntext = "سر"\n'
    head, first, second = file.read_text(encoding="utf-8").split("\n[[personas]]\n")
    edits = line.format("ag", "") + line.format("", "pain") + line.format("age", "") + 'was = "مسن"\n'
    edits += line.format("city", "").replace('text = "سر"', "hidden = true") + 'was = "تهران"\n'
    edits += line.format("region", "") + 'was = "فارس"\n'
    file.write_text("\n[[personas]]\n".join([head, first + edits, second]), encoding="utf-8")
    notes = personas.cards(derived, file, ["fa"]).notes
    assert len(notes) >= 4  # of a line that never was, a part that is none, and lines that are gone
    assert not foreign(notes, data=("pains", "pain", "ag", "age", "city", "region"))


def quarters(shares, days=91):
    number = pd.Series(range(80))
    who, liking = pd.DataFrame({"customer_id": number.astype(str)}), number % 7 / 20
    end = pd.Timestamp(2026, 3, 20)
    parts = [
        who.assign(
            window=w,
            ends=end - pd.Timedelta(days * w + (w == 4), "D"),
            through_app=liking + share * (number % 2),
            orders_per_year=1 + liking + 9 * share * (number % 2),
        )
        for w, share in enumerate(shares)
    ]
    return pd.concat(parts)


@pytest.mark.parametrize(
    ("shares", "days"), [([0.6, 0, 0, 0, 0], 91), ([0.6, 0, 0, 0, 0], 80), ([0] * 5, 91), ([0] * 5, 80)]
)
def test_what_changed_is_told_in_persian(shares, days):
    found = personas.refresh(quarters(shares, days), personas.derive(*two_groups()))
    assert found.words
    assert not foreign(found.words)


def test_two_runs_are_compared_in_persian():
    profiles, segments = two_groups()
    after = personas.derive(profiles, segments)
    moved = profiles.assign(used_channel=["app", "web"] * 40, age=60.0)
    customers = moved.assign(persona=segments["segment"] + 5, customer_id=moved["customer_id"].astype(str))
    before = Known(pd.DataFrame({"persona": [6, 7], "title": ["الف", "ب"]}), after.traits.head(0), customers)
    words = personas.drift(before, after).words
    assert len(words) >= 4  # two are new, two have vanished
    assert not foreign(words)


def test_a_run_speaks_of_its_base_in_its_language_and_makes_cards_in_it_first(tmp_path):
    (tmp_path / "data").mkdir()
    write_json(tmp_path / "data" / "base.json", {"title": "The bookshop, a simulated company", "language": "fa"})
    assert Run(tmp_path).about["title"] == "کتاب‌فروشی، شرکتی شبیه‌سازی‌شده"
    assert Run(tmp_path).languages == ["fa", "en"]
    speak("en")
    assert Run(tmp_path).languages == ["en", "fa"]
    assert Run(tmp_path).about["title"] == "The bookshop, a simulated company"
