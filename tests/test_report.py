"""The book: complete, safe, readable without eyes or network, and the same for the same run."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from analysis import report
from analysis.errors import Problem
from analysis.report.markup import Outline, clean

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><path id="p1" d="M0 0"/></svg>'
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SHA = "3f786850e387550fdab836ed7e6dc881de23001b0c9d4f6f5c5a2b1e0d9c8b7a"


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, *outputs, tags=()):
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": list(outputs)}


def shows(kind, data, **metadata):
    return {"output_type": "display_data", "data": {kind: data}, "metadata": metadata}


def prints(said, name="stdout"):
    return {"output_type": "stream", "name": name, "text": said}


def chapter(name, status="made", reason=""):
    return {"name": name, "title": f"About {name}", "status": status, "reason": reason, "seconds": 1.5}


def run(*chapters):
    return {
        "source": "shop",
        "title": "A shop",
        "about": "Sold & told.",
        "as_of": "2026-03-20",
        "version": "0.1.0",
        "made_at": "2026-04-01T01:00:00+00:00",
        "digest": SHA,
        "seed": 1,
        "row_accounts": [{"table": "orders", "rows_in": 10, "kept": 7, "set_aside": 3, "reasons": {"no customer": 3}}],
        "parameters": {"1_profiles": {"top": 0.2}},
        "artefacts": {"profiles": {"rows": 5000, "sha256": SHA, "chapter": "1_profiles"}},
        "packages": {"pandas": "3.1.1"},
        "chapters": list(chapters),
    }


def page_of(*cells, name="1_profiles"):
    return report.page(run(chapter(name)), {name: {"cells": list(cells)}})


class Elements(HTMLParser):
    """Start tags of a page with their attributes and the text that directly follows each."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.found:
            self.found[-1][2] += data


def elements(page, *tags):
    return [(tag, attributes, said) for tag, attributes, said in Elements(page).found if tag in tags]


@pytest.fixture
def folder(tmp_path):
    """A run of five chapters: two made, one unchanged, one failed half-way, one missing."""
    cells = {
        "0_data": [text("# Is the data fit?\n\nText."), code("check()", shows("text/plain", "fine"), tags=["summary"])],
        "1_profiles": [
            text("# Profiles\n\n## Revenue"),
            code("pareto()", shows("image/svg+xml", SVG, **{"image/svg+xml": {"alt": "A curve"}})),
            code("pareto()", shows("image/png", PNG)),
            code("say()", shows("text/markdown", "A fifth bring **57 %**."), tags=["summary"]),
        ],
        "2_segments": [text("# Segments"), code("print(k)", prints("k = 3\n"))],
        "4_journeys": [
            text("# Journeys\n\nBefore the error."),
            code(
                "funnel()",
                {
                    "output_type": "error",
                    "ename": "Problem",
                    "evalue": "\x1b[31mno column event\x1b[0m",
                    "traceback": ["\x1b[31mTraceback (most recent call last)"],
                },
            ),
        ],
    }
    (tmp_path / "notebooks").mkdir()
    for name, content in cells.items():
        (tmp_path / f"notebooks/{name}.ipynb").write_text(json.dumps({"nbformat": 4, "cells": content}))
    chapters = [
        chapter("0_data"),
        chapter("1_profiles"),
        chapter("2_segments", "unchanged"),
        chapter("3_personas", "missing", "It needs segments & profiles."),
        chapter("4_journeys", "failed", "touchpoints has no column event."),
    ]
    (tmp_path / "run.json").write_text(json.dumps(run(*chapters)))
    return tmp_path


def test_the_same_run_gives_the_same_bytes_and_leaves_no_half_written_file(folder):
    before = {p.name for p in folder.iterdir()}
    first = report.build(folder).read_bytes()
    assert report.build(folder) == folder / "index.html"
    assert (folder / "index.html").read_bytes() == first
    assert {p.name for p in folder.iterdir()} - before == {"index.html"}


def test_the_summary_comes_first_and_what_a_chapter_found_stands_at_its_head(folder):
    page = report.build(folder).read_text()
    summary = page[page.index('id="summary"') : page.index('class="chapter" id="0_data"')]
    assert "A shop, as of 20 March 2026: 5,000 customers and 7 rows in one table." in summary
    assert "Sold &amp; told." in summary
    assert "10 rows were read: 7 kept, 3 set aside (orders, no customer: 3)." in summary
    assert page.count("A fifth bring <strong>57\N{NO-BREAK SPACE}%</strong>.") == 1


def test_missing_and_failed_chapters_are_named_with_their_reasons_in_the_summary_and_in_place(folder):
    page = report.build(folder).read_text()
    assert page.count("It needs segments &amp; profiles.") == 2
    assert page.count("touchpoints has no column event.") == 2
    assert "This chapter is missing." in page
    assert "This chapter failed." in page
    assert "Before the error." in page  # what a failed chapter did show is kept


def test_a_chapter_whose_notebook_is_gone_or_broken_says_so_and_does_not_stop_the_book(folder):
    (folder / "notebooks/0_data.ipynb").unlink()
    (folder / "notebooks/1_profiles.ipynb").write_text('{"cells": ')
    page = report.build(folder).read_text()
    assert "notebooks/0_data.ipynb is not in the run&#39;s folder." in page
    assert "notebooks/1_profiles.ipynb cannot be read as a notebook" in page
    assert "k = 3" in page


def test_a_folder_without_a_run_is_refused_in_words(tmp_path):
    with pytest.raises(Problem, match=r"has no run\.json"):
        report.build(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(Problem, match="cannot be read as JSON"):
        report.build(tmp_path)


def test_rows_that_do_not_add_up_are_said_not_to():
    told = run()
    told["row_accounts"][0]["set_aside"] = 2  # 7 + 2 is not 10
    page = report.page(told, {})
    assert "The account does not add up for orders." in page
    assert "does not add up</span>" in page


def test_an_error_is_one_short_message_without_traceback_or_colour_codes(folder):
    page = report.build(folder).read_text()
    assert "<strong>Problem</strong> no column event</div>" in page
    assert "Traceback" not in page
    assert "\x1b" not in page


def test_every_figure_has_an_alternative_text(folder):
    pictures = elements(report.build(folder).read_text(), "img")
    assert [a["alt"] for _, a, _ in pictures] == ["A curve", "Figure: Revenue"]  # its own, else its heading's


def test_pictures_inside_html_get_an_alternative_text_too():
    html = f'<img src="data:image/png;base64,{PNG}"><svg viewBox="0 0 1 1"><path d="M0 0"/></svg>'
    page = page_of(text("# P\n\n## Trends"), code("x", shows("text/html", html)))
    assert elements(page, "img")[0][1]["alt"] == "Figure: Trends"
    assert [a["aria-label"] for _, a, _ in elements(page, "svg") if "aria-label" in a] == ["Figure: Trends"]


def test_a_figure_knows_its_size_so_that_the_page_does_not_jump():
    page = page_of(code("x", shows("image/svg+xml", SVG)), code("y", shows("image/png", PNG)))
    # 72 pt is an inch, 96 CSS pixels; the PNG is one pixel
    assert [(a["width"], a["height"]) for _, a, _ in elements(page, "img")] == [("96", "48"), ("1", "1")]


def test_the_page_loads_nothing_from_anywhere():
    html = (
        '<img src="https://x.example/a.png"><link rel="stylesheet" href="https://x.example/a.css">'
        '<p style="background: url(https://x.example/b.png)">A</p><iframe src="https://x.example"></iframe>'
        '<svg><image href="https://x.example/c.png"/><use href="https://x.example/d.svg#e"/></svg>'
        "<style>@import 'https://x.example/f.css'</style><video src='https://x.example/g.mp4'></video>"
    )
    page = page_of(
        text("# P\n\n[a link](https://x.example/page) ![a picture](https://x.example/h.png)"),
        code("x", shows("text/html", html), shows("image/svg+xml", SVG)),
    )
    for tag, attributes, _ in Elements(page).found:
        for name, value in attributes.items():
            if re.search("https?:|//", value or "") and not (value or "").startswith("data:"):
                assert (tag, name) in {("a", "href"), ("svg", "xmlns")}, (tag, name, value)
    assert page.count("x.example") == 1  # the link
    assert "@import" not in page
    assert not re.search(r"url\(", page)


@pytest.mark.parametrize(
    "html",
    [
        "<script>evil()</script>",
        "<SCRIPT>evil()</SCRIPT >",
        "<script>evil()",
        '<p onclick="evil()">x</p>',
        '<img src="data:image/png;base64,AA" onerror="evil()">',
        '<a href="javascript:evil()">x</a>',
        '<a href=" JaVaScRiPt:evil()">x</a>',
        '<a href="java&#10;script:evil()">x</a>',
        '<svg><a xlink:href="javascript:evil()"><path onload="evil()"/></a></svg>',
        '<svg><set attributeName="href" to="javascript:evil()"/><style>evil()</style></svg>',
        '<iframe srcdoc="<script>evil()</script>"></iframe>',
        '<form action="javascript:evil()"><button formaction="javascript:evil()">x</button></form>',
        '<svg><title><a title="</title><img src=x onerror=evil()>"></a></title></svg>',
        '<object data="evil()"><param value="evil()"></object>',
        '<p style="width: expression(evil())">x</p>',
    ],
)
def test_nothing_that_runs_survives_from_an_output(html):
    assert "evil" not in clean(html, Outline("0_data"), "x-")


def test_nothing_that_runs_survives_from_text_either_and_only_our_two_scripts_are_allowed():
    page = page_of(text('# P <img src=x onerror="evil()">\n\n<script>evil()</script>\n\n<b onclick="evil()">bold</b>'))
    assert "evil" not in page
    assert "<b>bold</b>" in page
    scripts = elements(page, "script")
    policy = next(a["content"] for _, a, _ in elements(page, "meta") if "http-equiv" in a)
    assert len(scripts) == len(re.findall("'sha256-[^']+'", policy)) == 2
    assert "default-src 'none'" in policy


def test_the_policys_digests_are_those_of_the_scripts_as_written():
    page = page_of()
    for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in page


def test_output_that_is_not_closed_does_not_swallow_the_page():
    assert clean("</div></section><div><b>A", Outline("0_data"), "x-") == "<div><b>A</b></div>"


def test_plain_text_is_escaped():
    page = page_of(
        code("x", prints("a <b>bold</b> claim & more")), code("y", shows("text/plain", "<script>x</script>"))
    )
    assert '<pre class="text">a &lt;b&gt;bold&lt;/b&gt; claim &amp; more</pre>' in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page


def test_what_objects_say_of_themselves_and_progress_bars_are_left_out_and_warnings_kept_small():
    page = page_of(
        code("ax", shows("text/plain", "<Axes: title={'left': 'T'}>"), shows("text/plain", "<a.B object at 0x7f00ab>")),
        code("w", prints("/tmp/a.py:3: UserWarning: dates in the future\n  warnings.warn()\n 50%|##  | 1/2", "stderr")),
    )
    assert "Axes" not in page
    assert "0x7f" not in page
    assert '<p class="warning">UserWarning: dates in the future</p>' in page
    assert "50%" not in page
    assert "/tmp/a.py" not in page


def test_headings_are_in_order_whatever_the_notebook_did(folder):
    notebook = [
        text("# Title\n\n#### Deep at once\n\n## Section\n\n##### Deeper\n\n# Another first"),
        code("cards()", shows("text/html", "<h1>Card</h1><h4>Part</h4>")),
        code("say()", shows("text/markdown", "# Loud finding"), tags=["summary"]),
    ]
    (folder / "notebooks/1_profiles.ipynb").write_text(json.dumps({"cells": notebook}))
    levels = [
        int(tag[1]) for tag, _, _ in elements(report.build(folder).read_text(), "h1", "h2", "h3", "h4", "h5", "h6")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_the_notebooks_own_title_is_the_chapters_and_stands_once():
    page = page_of(text("# Who *are* they?\n\nText."))
    titles = [said.strip() for _, _, said in elements(page, "h2")]
    assert titles == ["Summary", "Who are they?", "Appendix"]


def test_ids_are_unique_and_every_link_inside_leads_somewhere(folder):
    twice = shows("text/html", '<p id="a">1</p><svg><defs><marker id="m"/></defs><path marker-end="url(#m)"/></svg>')
    notebook = [
        text("# P\n\n## 50 % of them\n\n## 50 % of them\n\n[there](0_data.ipynb) [here](#50-%25-of-them)"),
        code("x", twice, twice, tags=["summary"]),
    ]
    (folder / "notebooks/1_profiles.ipynb").write_text(json.dumps({"cells": notebook}))
    found = Elements(report.build(folder).read_text()).found
    ids = [a["id"] for _, a, _ in found if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a, _ in found if tag == "a" and a.get("href", "").startswith("#")]
    assert {"#0_data", "#1_profiles-50-%-of-them", "#1_profiles-50-%-of-them-2"} <= set(links)
    assert {link[1:] for link in links} <= set(ids)
    markers = [a["marker-end"] for _, a, _ in found if "marker-end" in a]
    assert {m[5:-1] for m in markers} <= set(ids)
    assert len(markers) == len(set(markers)) == 2


def test_code_is_folded_and_cells_that_show_nothing_share_a_fold():
    page = page_of(text("# P"), code("a = 1"), code("b = a\nb", prints("1")), text("Then."), code("c = 2"))
    folds = elements(page, "details")
    assert [a.get("class") for _, a, _ in folds] == [None, "code", "code"]  # the contents, then a and b, then c
    assert all("open" not in a for _, a, _ in folds[1:])
    outside = re.sub(r"<details class=.*?</details>", "", page, flags=re.DOTALL)
    assert 'class="source"' not in outside


def test_parameters_and_imports_go_to_the_end_of_the_chapter():
    page = page_of(
        text("# P"),
        code("top = 0.2", tags=["parameters"]),
        code("top = 0.3", tags=["injected-parameters"]),
        code("# what we need\nimport pandas as pd\nfrom analysis import plots"),
        text("Last words."),
    )
    assert [a.get("class") for _, a, _ in elements(page, "details")] == [None, "code setup"]
    assert page.index("Last words.") < page.index("Parameters and imports of this chapter")


def test_tables_scroll_in_their_own_box_with_caption_and_figures_to_the_right():
    html = (
        '<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th><th>share</th><th>day</th>'
        "<th>city</th></tr><tr><th>segment</th><th></th><th></th><th></th></tr></thead><tbody>"
        "<tr><th>Loyal</th><td>−20.4 %</td><td>2026-03-20</td><td>تهران</td></tr>"
        "<tr><th>Lapsed</th><td>NaN</td><td>2026-03-21</td><td>17 Rasht</td></tr></tbody></table>"
    )
    page = page_of(text("# P"), code("x", shows("text/html", html, **{"text/html": {"caption": "Segments & cities"}})))
    page = page[: page.index('id="appendix"')]
    assert "<figcaption>Segments &amp; cities</figcaption>" in page
    assert [a.get("class") for _, a, _ in elements(page, "td")] == ["number", "brief", "brief"] * 2
    heads = [(said, a["scope"], a.get("class")) for _, a, said in elements(page, "th")][:4]
    assert heads == [
        ("segment", "col", None),  # the labels' name has moved into the empty cell above it
        ("share", "col", "number"),
        ("day", "col", None),
        ("city", "col", None),
    ]
    assert 'class="scroll"' in page


def test_numbers_of_nameless_rows_are_left_out_and_names_that_happen_to_be_numbers_stay():
    def first_cells(*labels, head=""):
        rows = "".join(f"<tr><th>{label}</th><td>x</td></tr>" for label in labels)
        html = f"<table><thead><tr><th>{head}</th><th>a</th></tr></thead><tbody>{rows}</tbody></table>"
        return [said for _, a, said in elements(clean(html, Outline("0_data"), "x-"), "th") if a["scope"] == "row"]

    assert first_cells(0, 1, 2) == []
    assert first_cells(0, 1, 2, head="segment") == ["0", "1", "2"]
    assert first_cells(1, 0) == ["1", "0"]


def test_a_table_without_rows_says_so():
    html = "<table><thead><tr><th></th><th>a</th></tr></thead><tbody></tbody></table>"
    assert "No rows." in clean(html, Outline("0_data"), "x-")


def test_cells_that_span_rows_do_not_shift_the_columns_beside_them():
    html = (
        '<table><thead><tr><th>a</th><th>b</th><th>n</th></tr></thead><tbody><tr><th rowspan="2">x</th><th>y</th>'
        "<td>1</td></tr><tr><th>z</th><td>2</td></tr></tbody></table>"
    )
    cells = elements(clean(html, Outline("0_data"), "x-"), "th", "td")
    assert [said for _, a, said in cells if "number" in a.get("class", "")] == ["n", "1", "2"]


def test_persian_reads_from_the_right_and_an_english_line_with_a_persian_word_does_not():
    page = page_of(text("# P\n\nمشتریان وفادار با CRM\n\nمشتری is Persian for customer."))
    assert '<p dir="rtl">مشتریان' in page
    assert "<p>مشتری is" in page


def test_formulas_stay_as_they_are_typed():
    page = page_of(text("# P\n\nwith $a*b*c < d$ and it costs $5 or *so*.\n\n$$\n\\sum_i x_i\n$$"))
    assert "$a*b*c &lt; d$" in page
    assert "costs $5 or <em>so</em>" in page
    assert "\\sum_i x_i" in page


def test_the_page_is_laid_out_for_those_who_do_not_see_it(folder):
    page = report.build(folder).read_text()
    assert '<html lang="en" dir="ltr">' in page
    assert elements(page, "a")[0][1] == {"class": "skip", "href": "#text"}
    assert [tag for tag, _, _ in elements(page, "nav", "main")] == ["nav", "main"]
    assert all(said.strip() or "aria-label" in a for _, a, said in elements(page, "button"))


def test_text_is_legible_on_every_ground_in_light_and_dark():
    css = (Path(report.__file__).parent / "templates/book.css").read_text()
    colours = {n: pair for n, *pair in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", css)}

    def luminance(colour):  # WCAG 2.2, "relative luminance"
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for scheme in (0, 1):
        for ground in ("page", "card", "wash"):
            for ink in ("text", "quiet", "accent", "alarm"):
                pair = sorted(luminance(colours[c][scheme]) for c in (ground, ink))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (scheme, ground, ink)


def test_the_footer_says_source_version_date_and_digest(folder):
    page = report.build(folder).read_text()
    footer = page[page.index('class="imprint"') :]
    for part in ("Moshtari 0.1.0", "shop", "2026-04-01 01:00", SHA):
        assert part in footer


def test_the_appendix_lists_parameters_artefacts_and_versions(folder):
    page = report.build(folder).read_text()
    appendix = page[page.index('id="appendix"') :]
    assert "<td>top</td><td><code>0.2</code></td>" in appendix
    assert '<th scope="row">profiles</th><td class="number">5,000</td>' in appendix
    assert '<th scope="row">pandas</th><td>3.1.1</td>' in appendix
    assert SHA[:12] in appendix


def test_importing_the_report_loads_nothing_heavy():
    heavy = "{'pandas', 'numpy', 'matplotlib', 'nbconvert', 'nbformat', 'IPython'} & set(sys.modules)"
    asked = [sys.executable, "-c", f"import sys, analysis.report; print({heavy})"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "set()"
