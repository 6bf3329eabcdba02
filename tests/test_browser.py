"""The book in a browser, in both languages: everything on it works, from disk, without network, for everybody."""

import json
import re
import shutil
from functools import partial

import pandas as pd
import pytest

from analysis import plots, report
from analysis.phrases import figure, phrase, speaking

playwright = pytest.importorskip("playwright.sync_api", reason="the development dependencies are not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the development dependencies are missing")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="720pt" height="36pt"><path d="M0 0h9"/></svg>'
HOSTILE = '<img src=x onerror="evil=1"></td><script>evil=1</script>{{7*7}}\u202e\x07' + "long" * 500
TITLE = {"cell_type": "markdown", "metadata": {}, "source": "# Segments: which groups?"}
CARD = '<article class="card"><h3>Nasrin</h3><p class="assumption">Buys for others.</p></article>'


def cells() -> list[dict]:
    """An executed notebook with a bit of everything, as notebooks bring it in the language that is spoken."""
    cities = ["=1+1", HOSTILE, *(f"city {n}" for n in range(1, 19))]
    table = pd.DataFrame({"city": cities, "orders": [figure(f"{n * 1000:,}") for n in range(1, 21)]})
    table["share"] = [figure(f"{n}.5 %") for n in range(20, 0, -1)]
    html = table.to_html(index=False)
    texts = [
        "# Profiles: who are they?\n\nThe question.",
        "## Cities\n\nA [link](2_segments.ipynb).\n\nHow to read it: up is more. How it misleads: or not.",
        "## What to do with this",
        "- Call them.",
    ]
    shown = [
        {"text/html": html},
        {"text/html": plots.table(table[["city", "orders"]]).to_html()},
        {"image/svg+xml": SVG},
        {"text/html": CARD},
        {"text/plain": HOSTILE},
    ]
    made = [{"cell_type": "markdown", "metadata": {}, "source": t} for t in texts]
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}} for data in shown]
    code = [{"cell_type": "code", "metadata": {}, "source": "show()", "outputs": [o]} for o in outputs]
    answer = {"output_type": "display_data", "data": {"text/markdown": "- A fifth."}, "metadata": {}}
    code.append({"cell_type": "code", "metadata": {"tags": ["summary"]}, "source": "say()", "outputs": [answer]})
    return [*made[:2], *code, *made[2:]]


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """The address of a small book in each language."""
    found = {}
    for language in ("en", "fa"):
        folder = tmp_path_factory.mktemp(language)
        (folder / "notebooks").mkdir()
        chapters = [{"name": name, "status": "made", "seconds": 1.5} for name in ("1_profiles", "2_segments")]
        chapters.append({"name": "3_personas", "status": "failed", "reason": HOSTILE})
        with speaking(language):
            contents = {"1_profiles": cells(), "2_segments": [TITLE], "3_personas": []}
        for name, content in contents.items():
            (folder / f"notebooks/{name}.ipynb").write_text(json.dumps({"cells": content}), encoding="utf-8")
        about = {
            "source": "shop",
            "title": HOSTILE[:80],
            "language": language,
            "as_of": "2026-03-20",
            "chapters": chapters,
        }
        account = {"table": "orders", "rows_in": 10, "kept": 7, "set_aside": 3, "reasons": {HOSTILE: 3}}
        about |= {"row_accounts": [account], "parameters": {"1_profiles": {"target": HOSTILE}}, "seed": 1}
        (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
        found[language] = report.build(folder).as_uri()
    return found


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # CI runs as root
        yield browser
        browser.close()


@pytest.fixture(params=["en", "fa"])
def opened(request, books, chromium):
    """Opens the book of a language; afterwards nothing may have gone wrong and nothing been asked of the network."""
    said, asked, pages = [], [], []

    def open_(**options):
        page = chromium.new_page(**options)
        page.on("console", lambda m: said.append(m.text))
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("request", lambda r: asked.append(r.url))
        page.goto(books[request.param])
        pages.append(page)
        return page

    open_.language = request.param
    open_.phrase = partial(_said_in, request.param)
    yield open_
    for page in pages:
        page.close()
    assert said == []
    assert {re.match(r"\w+", url)[0] for url in asked} <= {"file", "data", "blob"}


def _said_in(language, text, **given):
    with speaking(language):
        return phrase(text, **given)


def test_every_link_leads_to_a_place_in_the_book(opened):
    page = opened(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    links = page.locator("a[href]")
    assert links.count() >= 10  # of the contents, of the front page and of a chapter
    for i in range(links.count()):
        target = links.nth(i).get_attribute("href")
        assert target.startswith("#")
        links.nth(i).evaluate("link => link.click()")
        place = page.evaluate("() => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.tagName")
        assert page.evaluate("() => '#' + decodeURIComponent(location.hash.slice(1))") == target
        assert place, target


def test_it_is_laid_out_from_the_side_that_its_language_is_read_from(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    contents, text = (page.locator(s).bounding_box()["x"] for s in ("nav.contents", "main"))
    assert (contents < text) == (opened.language == "en")
    assert page.locator("html").get_attribute("lang") == opened.language
    assert page.locator("pre.source").first.evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_parts_of_a_chapter_stand_in_order_each_in_its_form(opened):
    page = opened()
    chapter = page.locator("[id='1_profiles']")
    order = chapter.evaluate(
        "c => [...c.querySelectorAll('.lead, .findings, figure, .advice')].map(e => e.className.split(' ')[0])"
    )
    assert order[:2] == ["lead", "findings"]
    assert order[-1] == "advice"
    assert chapter.locator(".findings").inner_text().splitlines()[-1].strip() == "A fifth."


def test_code_is_folded_and_unfolds_one_by_one_and_all_at_once(opened):
    page = opened()
    fold, source = page.locator("details.code").first, page.locator("details.code pre").first
    assert not source.is_visible()
    fold.locator("summary").click()
    assert source.is_visible()
    page.locator("#all-code").click()
    assert page.locator("details.code:not([open])").count() == 0
    page.locator("#all-code").click()
    assert page.locator("details.code[open]").count() == 0


def test_a_long_table_is_searched_whatever_the_digits(opened):
    page = opened()
    box = page.locator("figure.table").first
    for asked in ("12,000", "۱۲٬۰۰۰"):
        box.locator("input").fill(asked)
        assert box.locator("tbody tr:visible").all_inner_texts()[0].split("\t")[0] == "city 10"
        said = opened.phrase("{n} of {all} rows", n=1, all=20)
        assert box.locator(".count").inner_text() == said
    box.locator("input").fill("")
    assert box.locator("tbody tr:visible").count() == 20
    assert box.locator(".count").inner_text() == ""


def test_a_long_table_is_sorted_by_its_numbers_up_and_down(opened):
    page = opened()
    box = page.locator("figure.table").first
    head = box.locator("thead th").nth(2)
    shares = box.locator("tbody tr td:nth-child(3)")
    for how, first in (("ascending", "1.5"), ("descending", "20.5")):
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") == how
        with speaking(opened.language):
            assert shares.first.inner_text().replace("\u00a0", " ") == figure(f"{first} %")


def test_a_table_is_saved_with_plain_numbers_and_no_formula(opened):
    page = opened(accept_downloads=True)
    with page.expect_download() as download:
        page.locator("figure.table").first.locator("button.save").click()
    assert download.value.suggested_filename.endswith(".csv")
    saved = pd.read_csv(download.value.path(), encoding="utf-8-sig")
    assert saved.iloc[:, 1].tolist() == [n * 1000 for n in range(1, 21)]
    assert saved.iloc[:, 2].tolist() == [round((n + 0.5) / 100, 3) for n in range(20, 0, -1)]
    assert saved.iloc[0, 0] == "'=1+1"
    assert saved.iloc[1, 0].startswith("<img src=x")  # as text, all of it


def test_the_theme_is_switched_and_remembered(opened):
    page = opened(color_scheme="light")
    ground = partial(page.evaluate, "() => getComputedStyle(document.body).backgroundColor")
    light = ground()
    assert page.locator("#theme").inner_text() == opened.phrase("Dark")
    page.locator("#theme").click()
    dark = ground()
    assert dark != light
    assert page.locator("#theme").inner_text() == opened.phrase("Light")
    page.reload()
    assert ground() == dark


def test_a_narrow_screen_needs_no_scrolling_sideways(opened):
    page = opened(viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.locator(".contents ol").first.is_visible()
    page.locator(".contents summary").click()
    assert page.locator(".contents ol").first.is_visible()


def test_it_prints_without_controls_and_code_and_with_all_rows(opened):
    page = opened()
    page.locator("figure.table input").first.fill("city 1")
    page.emulate_media(media="print")
    for gone in (".masthead", ".contents", ".tools", "details.code"):
        assert page.locator(f"{gone}:visible").count() == 0, gone
    assert page.locator("figure.table").first.locator("tbody tr:visible").count() == 20
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.9" in printed.replace(b"595", b"594.9")  # A4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(opened, scheme):
    page = opened(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []


def test_untrusted_text_stays_text(opened):
    page = opened()
    assert page.evaluate("typeof evil") == "undefined"
    assert page.locator("[onerror], img[src='x']").count() == 0
    assert page.locator("main script").count() == 0
    assert "onerror=" in page.locator("h1").inner_text()
    assert "{{7*7}}" in page.locator("#accounts ~ figure").first.inner_text()
