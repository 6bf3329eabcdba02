"""Cards in every format: all that is said stands there, as text, on one page, the same bytes each time."""

import io
import json
import re
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from xml.etree import ElementTree as ET

import mistune
import pytest
from card_contents import ATTACKS, COMPANY, ENGLISH, PERSIAN, POOR, hostile, line, part
from fontTools.ttLib import TTFont
from pptx import Presentation
from pptx.util import Pt

from analysis.errors import Problem
from analysis.personas import face, pages, texts
from analysis.personas.card import card_html
from analysis.personas.export import export
from analysis.personas.slides import deck
from analysis.report.markup import Outline, clean

CARDS = {"English": ENGLISH, "Persian": PERSIAN}
HOSTILE = hostile(ENGLISH)


@pytest.fixture(params=CARDS)
def content(request):
    return CARDS[request.param]


class _Reader(HTMLParser):
    """Text, elements and attributes of HTML as a browser finds them."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.attributes = "", [], []
        self.feed(str(html))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def of_lines(content):
    """The texts of all lines on a card."""
    found = [content["summary"], *(i for p in content["parts"] for i in p["lines"])]
    found += [i for p in content["touchpoints"]["phases"] for i in p["lines"]]
    found += [i for p in content["use"]["parts"] for i in p["lines"]]
    found += content["limits"]["lines"]
    return [i[key] for i in found for key in ("text", "question", "warning") if i[key]]


def even(text):
    """A text without what a format may change: spaces, and where a long word breaks."""
    return re.sub(r"[\s\u200b\u00a0]+", "", text)


def slide_text(slide):
    return "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)


def pdf_text(data, pages_until=1):
    if which("pdftotext") is None:
        pytest.skip("no pdftotext to read a PDF with")
    command = ["pdftotext", "-l", str(pages_until), "-layout", "-", "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()


def as_shown(text):
    return even(texts.readable(text, 10**6))


def test_all_lines_stand_in_the_html(content):
    text = even(_Reader(card_html(content)).text)
    assert [t for t in of_lines(content) if even(t) not in text] == []


def test_the_report_keeps_the_card_whole(content):
    html = card_html(content)
    raw, kept = _Reader(html), _Reader(clean(html, Outline("3_personas"), "p-", inner=True))
    assert even(raw.text) == even(kept.text)
    styles = [value for name, value in raw.attributes if name == "style"]
    assert len([v for n, v in kept.attributes if n == "style"]) >= len(styles) - html.count("<tr ")
    assert {"svg", "details", "summary", "sup", "table"} <= set(kept.tags)


def test_marks_in_the_report_lead_to_their_evidence(content):
    kept = _Reader(clean(card_html(content), Outline("3_personas"), "p-", inner=True)).attributes
    ids, links = ([v for n, v in kept if n == name] for name in ("id", "href"))
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_all_lines_stand_in_markdown_json_and_slides(content):
    read = _Reader(mistune.html(texts.markdown(content))).text
    slide = even(slide_text(Presentation(io.BytesIO(deck([content]))).slides[0]))
    assert [t for t in of_lines(content) if even(t) not in even(read)] == []
    assert [t for t in of_lines(content) if even(t) not in slide] == []
    assert json.loads(texts.to_json(content)) == json.loads(json.dumps(content))


def test_all_lines_stand_on_the_first_page_of_the_pdf():
    # words rather than lines, which columns tear apart; Persian comes out of a PDF in the shapes of its letters
    words = set(re.findall(r"\w+", pdf_text(pages.pdf(ENGLISH))))
    said = {w for t in of_lines(ENGLISH) for w in re.findall(r"\b[a-z]{3,}\b", t)}
    assert said - words == set()


def _page_count(content):
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pages.pdf(content)))


@pytest.mark.parametrize("card", [ENGLISH, PERSIAN, POOR, COMPANY, HOSTILE, hostile(PERSIAN)])
def test_a_card_is_one_page(card):
    assert _page_count({**card, "evidence": {**card["evidence"], "rows": []}}) == 1


def test_the_evidence_comes_after_the_card_on_paper_and_not_in_the_picture():
    assert _page_count(ENGLISH) == 2
    assert "Elsewhere" not in pdf_text(pages.pdf(ENGLISH))
    assert "Elsewhere" in pdf_text(pages.pdf(ENGLISH), pages_until=2)
    assert pages.png(HOSTILE)[:8] == b"\x89PNG\r\n\x1a\n"


def test_what_does_not_fit_is_counted_on_the_page():
    many = [line(f"l{n}", f"Line number {n} of a very long part", "everyone else less", str(n)) for n in range(60)]
    crowded = {**ENGLISH, "parts": [part("buying", "How they buy", *many)]}
    shown = pdf_text(pages.pdf(crowded))
    missing = int(re.search(r"(\d+)\s+more in the", shown)[1])
    assert missing + len(set(re.findall(r"number (\d+) of", shown))) == 60
    on_slide = slide_text(Presentation(io.BytesIO(deck([crowded]))).slides[0])
    assert int(re.search(r"(\d+) more in the", on_slide)[1]) + on_slide.count("Line number") == 60


def test_headings_are_not_counted_among_the_lines_left_out():
    phases = [part(f"p{n}", f"Phase {n}", *[line(f"l{i}", f"Line number {i}") for i in range(20)]) for n in range(3)]
    crowded = {**POOR, "parts": [], "touchpoints": {"title": "Touchpoints", "note": None, "phases": phases}}
    on_slide = slide_text(Presentation(io.BytesIO(deck([crowded]))).slides[0])
    assert int(re.search(r"(\d+) more in the", on_slide)[1]) + on_slide.count("Line number") == 60


def test_persian_counts_what_is_left_out_in_its_own_digits():
    assert texts.more(PERSIAN, 12) == "… ۱۲ مورد دیگر در جدول شواهد"
    assert texts.more({"language": "en"}, 12) == "…"


def test_hostile_texts_are_text_in_html():
    html = card_html(HOSTILE)
    raw, harmless = _Reader(html), _Reader(card_html(ENGLISH))
    kept = _Reader(clean(html, Outline("3_personas"), "p-", inner=True))
    assert set(raw.tags) <= set(harmless.tags)
    assert {n for n, _ in raw.attributes} <= {n for n, _ in harmless.attributes}
    for reader in (raw, kept):
        assert all(as_shown(a) in even(reader.text) for a in ATTACKS if len(a) < 500)


def test_hostile_texts_are_text_in_slides():
    slide = Presentation(io.BytesIO(deck([HOSTILE]))).slides[0]
    text = even(slide_text(slide) + slide.notes_slide.notes_text_frame.text)
    assert all(as_shown(a) in text for a in ATTACKS if len(a) < 500)
    assert not any(rel.is_external for rel in slide.part.rels.values())
    assert len(slide_text(slide)) < 10_000


def test_hostile_texts_are_text_in_markdown():
    read = _Reader(mistune.html(texts.markdown(HOSTILE)))
    harmless = _Reader(mistune.html(texts.markdown(ENGLISH)))
    assert set(read.tags) <= set(harmless.tags)
    assert all(as_shown(a) in even(read.text) for a in ATTACKS if len(a) < 500)
    cells = [re.sub(r"\\.", "", row).count("|") for row in texts.markdown(HOSTILE).splitlines() if row[:2] == "| "]
    assert set(cells) == {len(ENGLISH["evidence"]["head"]) + 1, len(ENGLISH["examples"]["head"]) + 1}


def test_json_keeps_every_text_whole():
    # half of a character is no character: only that is replaced
    kept = json.loads(texts.to_json(HOSTILE))
    assert kept == json.loads(json.dumps(HOSTILE).replace("\\ud800", "?"))


def test_hostile_texts_are_text_on_paper():
    # the ends of attacks, which the template would have swallowed had it read them as markup
    text = even(pdf_text(pages.pdf(HOSTILE), pages_until=9))
    assert all(word in text for word in ("<script>alert(1)", '#import"x"$x^2$@ref<label>', "=HYPERLINK("))


def test_a_word_of_ten_thousand_letters_stays_in_its_column():
    wide = {**ENGLISH, "summary": line("summary", "a" * 10_000), "warnings": ["b" * 10_000]}
    assert _page_count({**wide, "evidence": {**ENGLISH["evidence"], "rows": [["c" * 10_000] * 8]}}) == 2


def test_persian_reads_from_the_right_everywhere():
    assert re.match('<article dir="rtl" lang="fa"', card_html(PERSIAN))
    with zipfile.ZipFile(io.BytesIO(deck([PERSIAN]))) as archive:
        slide = ET.fromstring(archive.read("ppt/slides/slide1.xml"))
    name = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
    said = [p for p in slide.iter(f"{name}p") if p.find(f"{name}r") is not None]
    assert {(p.find(f"{name}pPr").get("rtl"), p.find(f"{name}pPr").get("algn")) for p in said} == {("1", "r")}
    assert {run.get("lang") for run in slide.iter(f"{name}rPr")} == {"fa-IR"}


def test_the_slide_of_a_persian_card_is_mirrored():
    english, persian = Presentation(io.BytesIO(deck([ENGLISH, PERSIAN]))).slides
    wide = Presentation(io.BytesIO(deck([]))).slide_width
    left, right = (next(s for s in slide.shapes if s.shape_type == 13) for slide in (english, persian))
    assert abs(left.left - (wide - right.left - right.width)) <= 1


def test_a_slide_holds_all_boxes_in_letters_that_can_be_read():
    for slide in Presentation(io.BytesIO(deck([ENGLISH, PERSIAN, HOSTILE]))).slides:
        for shape in slide.shapes:
            assert min(shape.left, shape.top) >= 0
            assert shape.left + shape.width <= Pt(960) + 2
            assert shape.top + shape.height <= Pt(540) + 2
            sizes = [r.font.size for p in (shape.text_frame.paragraphs if shape.has_text_frame else ()) for r in p.runs]
            assert all(size >= Pt(8.5) for size in sizes)


def test_the_notes_of_a_slide_hold_the_evidence():
    notes = Presentation(io.BytesIO(deck([ENGLISH]))).slides[0].notes_slide.notes_text_frame.text
    assert "Interval: 22 to 31 · Source: orders" in notes


@pytest.mark.parametrize("make", [card_html, pages.pdf, pages.png, texts.markdown, lambda c: deck([c, PERSIAN])])
def test_the_same_content_gives_the_same_bytes(make, monkeypatch):
    first = make(ENGLISH)
    monkeypatch.setattr("time.localtime", lambda *_: (2001, 2, 3, 4, 5, 6, 0, 1, 0))  # what zip files note
    assert make(json.loads(json.dumps(ENGLISH))) == first


def test_files_name_no_maker_and_no_moment():
    with zipfile.ZipFile(io.BytesIO(deck([ENGLISH]))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert len(ET.fromstring(archive.read("docProps/core.xml"))) == 0
    assert not re.search(rb"/(Author|CreationDate|ModDate)|CreateDate|/tmp/|/home/", pages.pdf(ENGLISH))
    chunks = re.findall(rb"(tEXt|iTXt|zTXt|tIME|eXIf)", pages.png(POOR)[:2000])
    assert chunks == []


def test_a_poor_card_has_no_empty_frames():
    html = card_html(POOR)
    reader = _Reader(html)
    for absent in ("Touchpoints", "What follows", "Real customers", "Not distinctive", "Whom they compare us with"):
        assert absent not in reader.text
        assert absent not in texts.markdown(POOR)
        assert absent not in pdf_text(pages.pdf(POOR))
        assert absent not in slide_text(Presentation(io.BytesIO(deck([POOR]))).slides[0])
    assert "<blockquote" not in html
    assert "Nothing measured sets them apart." in reader.text
    assert not re.search(r"<(p|dl|ul|section|details|table|h\d)( [^>]*)?>\s*</", html)


def test_a_card_may_be_without_quote_and_texts_of_its_own():
    bare = {**POOR, "quote": None, "summary": line("summary", None), "alike": {"title": "Alike", "text": None}}
    for make in (card_html, texts.markdown, pages.pdf, lambda c: deck([c])):
        assert "None" not in str(make(bare))


def test_what_is_assumed_or_edited_looks_different():
    html = card_html(ENGLISH)
    assert html.count("border:1px dashed") == 2
    assert html.count('aria-label="Edited by a person"') == 1
    assert "(Assumption to check)" in texts.markdown(ENGLISH)
    assert "○" in slide_text(Presentation(io.BytesIO(deck([ENGLISH]))).slides[0])


def test_a_company_bears_its_title_and_a_building():
    assert _Reader(card_html(COMPANY)).text.startswith("Persona 3 of 6 · The bookshop · 20 March 2026Wholesalers")
    assert face.svg(COMPANY["face"], 3) != face.svg({**COMPANY["face"], "company": False}, 3)


def test_the_same_seed_gives_the_same_face_and_others_differ():
    def drawn(seed):
        return face.svg({"seed": seed, "gender": None, "age": 30, "company": False}, 0)

    assert drawn(5) == drawn(5)
    assert len({drawn(seed) for seed in range(180)}) == 6  # three haircuts for all, with glasses or without


def test_a_face_is_a_drawing_that_typst_and_browsers_can_read():
    svg = face.svg(ENGLISH["face"], 2)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert clean(svg, Outline("x"), "x-").count("<path") == svg.count("<path")
    assert pages.portrait(ENGLISH)[:4] == b"\x89PNG"


def test_age_changes_the_hair_and_nothing_else():
    young, old = (face.svg({"seed": 9, "gender": "male", "age": age, "company": False}, 1) for age in (30, 80))
    paths = re.compile(r'd="[^"]+"')
    assert young != old
    assert paths.findall(young) == paths.findall(old)


def test_an_export_writes_each_form_once_and_replaces_it(tmp_path):
    first, second = POOR, {**POOR, "persona": 2}
    third = {**POOR, "language": "fa", "direction": "rtl"}
    written = export([second, first, third], tmp_path)
    forms = ("json", "md", "pdf", "png")
    cards = [f"{card}.{form}" for card in ("en/persona-1", "en/persona-2", "fa/persona-1") for form in forms]
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert names == [*cards, "personas-en.pptx", "personas-fa.pptx"]
    before = {path: path.read_bytes() for path in written}
    assert export([third, first, second], tmp_path) == written
    assert {path: path.read_bytes() for path in written} == before
    (tmp_path / "en" / "persona-notes.md").write_text("mine")
    export([first], tmp_path)  # the second is gone: its card would mislead
    left = sorted(path.name for path in (tmp_path / "en").iterdir())
    assert left == [*(f"persona-1.{form}" for form in forms), "persona-notes.md"]


def test_two_cards_of_one_number_are_refused(tmp_path):
    with pytest.raises(Problem, match="Two cards are of persona 3"):
        export([ENGLISH, COMPANY], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_the_font_has_persian_and_latin_letters(weight):
    letters = TTFont(Path(pages.__file__).parent / "fonts" / f"Vazirmatn-{weight}.ttf").getBestCmap()
    assert {c for c in "Nahidcafé 23 %–“”…−±پچژگکیهٔ۱۲۳٪٬٫«»؛؟\u200c\u200f" if ord(c) not in letters} == set()
