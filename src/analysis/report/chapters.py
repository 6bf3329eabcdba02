"""What does one executed notebook say, as a chapter of the book?

Takes a notebook as parsed JSON (nbformat 4) and its entry in ``run.json``; gives a :class:`Chapter`: its question, its
answer, and its blocks, which are Markdown rendered, outputs made safe and code folded away, in the notebook's order.
"""

import base64
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import mistune
from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from analysis.phrases import marked, phrase, translated
from analysis.report.markup import Outline, clean
from analysis.report.passages import ADVICE, passages

#: Tags of cells that set a chapter up: folded into one line at its end, since the appendix lists all parameters.
SETUP_TAGS = {"parameters", "injected-parameters"}
#: Where the run lies on the machine that made it, which concerns nobody who reads it.
_OF_THE_RUN = re.compile(r"""^run_dir = (["']).+\1""", re.MULTILINE)
#: Tag of the cells whose outputs nbval compares: figures for the tests, not for readers.
CHECKED_TAG = "nbval-check-output"
#: Tag of the cells whose outputs are the chapter's key findings.
SUMMARY_TAG = "summary"
#: What papermill adds to a notebook that failed; the chapter says so itself.
PAPERMILL_TAG = "papermill-error-cell-tag"

#: How a chapter may end, as the run writes it.
STATUSES = (marked("made"), marked("unchanged"), marked("failed"), marked("missing"))

_WIDGET = "application/vnd.jupyter.widget-view+json"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_IMPORTS = re.compile(r"(\s*#[^\n]*\n|\s*\n)*(import|from)\s")
# What objects print about themselves when nobody asked: their address changes from run to run, too.
_OBJECT = re.compile(r"<(Axes|Figure|.* at 0x[0-9a-f]+).*>|\[<.* at 0x[0-9a-f]+>.*\]", re.DOTALL)
_TITLE = re.compile(r"\s*#[ \t]+([^\n]+?)[ \t#]*(?:\n|$)")
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>", re.DOTALL)
_WARNING = re.compile(r"^(?:.*?:\d+: )?(\w*Warning: .+)$", re.MULTILINE)
# CSS pixels per unit, https://www.w3.org/TR/css-values-3/#absolute-lengths
_PIXELS = {"pt": 96 / 72, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "px": 1.0, "": 1.0}
_SIDES = ("width", "height")
_NOTHING = Markup("")
_ERROR_LINES, _ERROR_LENGTH = 4, 600


@dataclass
class Chapter:
    """A chapter as the page shows it.

    Attributes
    ----------
    name, title, status, reason, notebook, seconds
        As in ``run.json``; the title is the notebook's own where it has one.
    lead : Markup
        What the notebook says right under its title: the question.
    answer : Markup
        Outputs of the cells tagged ``summary``: the chapter's key findings; empty if there are none.
    blocks : list of Markup
        The rest of the chapter in order.
    sections : list of (id, text)
        For the table of contents.
    setup : Markup
        Parameters and imports, highlighted; empty if there are none.
    """

    name: str
    title: str
    status: str
    reason: str = ""
    notebook: str = ""
    seconds: float | None = None
    lead: Markup = _NOTHING
    answer: Markup = _NOTHING
    blocks: list[Markup] = field(default_factory=list)
    sections: list[tuple[str, str]] = field(default_factory=list)
    setup: Markup = _NOTHING

    @property
    def number(self) -> str:
        """The digits that the chapter's name begins with; "" if there are none."""
        return re.match(r"\d*", self.name)[0]


def chapter(entry: dict, notebook: dict | None, names: Collection[str] = ()) -> Chapter:
    """One chapter of the book from its entry in ``run.json`` and its executed notebook.

    Parameters
    ----------
    entry : dict
        ``name``, ``title``, ``status`` ("made", "unchanged", "failed" or "missing"), and where known ``reason``,
        ``seconds``, ``notebook`` (its path in the run folder).
    notebook : dict or None
        The notebook as parsed JSON; None where there is none, which leaves the chapter with its title and reason.
    names : collection of str
        Names of all chapters, for links from one to another.

    Examples
    --------
    >>> made = chapter({"name": "0_data", "title": "Data", "status": "made"},
    ...     {"cells": [{"cell_type": "markdown", "source": "# What is in the base?"}]})
    >>> made.title, made.blocks
    ('What is in the base?', [])
    """
    made = Chapter(
        name=entry["name"],
        title=translated(entry.get("title") or entry["name"]),
        status=entry.get("status", "made"),
        reason=translated(entry.get("reason") or ""),
        notebook=entry.get("notebook") or "",
        seconds=entry.get("seconds"),
    )
    cells = [_spoken(c) for c in (notebook or {}).get("cells", []) if PAPERMILL_TAG not in _tags(c)]
    made.title, cells = _title(cells, made.title)
    outline = Outline(made.name, names, level=2, title=made.title)
    made.lead, cells = _lead(cells, outline)
    made.answer = _findings(cells, outline)
    made.blocks = list(_blocks(cells, outline))
    made.sections = outline.sections
    made.setup = _NOTHING.join(_code(_OF_THE_RUN.sub('run_dir = "…"', _source(c))) for c in cells if _is_setup(c))
    return made


def _spoken(cell: dict) -> dict:
    """The cell with its text in the language of the readers; the text as it was written keeps its name and parts."""
    if cell.get("cell_type") != "markdown":
        return cell
    source = _source(cell)
    return cell | {"source": translated(source), "written": source}


def _title(cells: list[dict], default: str) -> tuple[str, list[dict]]:
    """The notebook's first heading, and the cells without it: the book sets it as the chapter's title."""
    if not cells or cells[0].get("cell_type") != "markdown":
        return default, cells
    first = cells[0]
    found, written = (_TITLE.match(first[text]) for text in ("source", "written"))
    if not found or not written:
        return default, cells
    plain = Markup(_markdown(found[1])).striptags()
    rest = first | {"source": first["source"][found.end() :], "written": first["written"][written.end() :]}
    return plain, [rest, *cells[1:]]


def _lead(cells: list[dict], outline: Outline) -> tuple[Markup, list[dict]]:
    """The text under the title, if it has no parts of its own, and the cells that come after it."""
    if not cells or cells[0].get("cell_type") != "markdown" or _headings(cells[0]["written"]):
        return _NOTHING, cells
    return clean(_markdown(_source(cells[0])), outline, f"{outline.name}-"), cells[1:]


def _blocks(cells: list[dict], outline: Outline) -> Iterator[Markup]:
    code: list[str] = []  # of cells that show nothing: folded together with the next that does
    advising = False
    for number, cell in enumerate(cells):
        if cell.get("cell_type") == "markdown":
            if shown := _text(cell, outline, advising):
                yield from _folded(code)
                code = []
                yield shown
            advising = advising or ADVICE in _headings(cell["written"])
        elif cell.get("cell_type") == "code" and CHECKED_TAG not in _tags(cell):
            # findings stand at the chapter's head
            shown = [] if SUMMARY_TAG in _tags(cell) else _outputs(cell, outline, f"{outline.name}-o{number}-")
            outputs = _NOTHING.join([*shown, *_errors(cell)])
            if _is_setup(cell):
                yield outputs
                continue
            code += [_source(cell)] if _source(cell).strip() else []
            if outputs:
                yield from _folded(code)
                code = []
                yield Markup('<div class="output">{}</div>').format(outputs)
    yield from _folded(code)


def _text(cell: dict, outline: Outline, advising: bool) -> Markup:
    """A text in its parts, each in a frame of its kind; all of it is advice under that heading."""
    outline.ahead = _headings(cell["written"])
    shown = _NOTHING
    for kind, text in passages(cell["written"], _source(cell)):
        part = clean(_markdown(text), outline, f"{outline.name}-")
        kind = kind or ("advice" if advising else "")
        shown += Markup('<div class="{}">{}</div>').format(kind, part) if kind and part.strip() else part
    outline.ahead = []
    return shown


def _headings(source: str) -> list[str]:
    return [Markup(text).striptags() for text in _HEADING.findall(_markdown(source))]


def _findings(cells: list[dict], outline: Outline) -> Markup:
    shown = [
        output
        for number, cell in enumerate(cells)
        if SUMMARY_TAG in _tags(cell)
        for output in _outputs(cell, outline, f"{outline.name}-o{number}-")
    ]
    return _NOTHING.join(shown)


def _folded(code: list[str]) -> Iterator[Markup]:
    if code:
        fold = Markup('<details class="code"><summary>{}</summary>{}</details>')
        yield fold.format(phrase("Code"), _code("\n\n".join(code)))


def _code(source: str) -> Markup:
    coloured = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return Markup('<pre class="source" dir="ltr"><code>{}</code></pre>').format(Markup(coloured))


def _outputs(cell: dict, outline: Outline, prefix: str) -> Iterator[Markup]:
    """What a code cell shows, each output in the richest form that the book can hold."""
    for number, output in enumerate(cell.get("outputs") or []):
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") == "stderr":
            yield _warnings(_joined(output.get("text")))
        elif kind == "stream":
            yield _preformatted(_joined(output.get("text")))
        elif kind in ("display_data", "execute_result"):
            yield _display(output, outline, f"{prefix}{number}-")


def _display(output: dict, outline: Outline, prefix: str) -> Markup:
    data = output.get("data") or {}
    if _WIDGET in data:  # a progress bar: nothing to see once the run is over
        return _NOTHING
    if "text/html" in data:
        caption = _described(output, "text/html", "caption")
        shown = clean(_joined(data["text/html"]), outline, prefix, caption=caption, inner=True)
        if shown.strip():
            return Markup('<div class="html">{}</div>').format(shown)
    for kind in ("image/svg+xml", "image/png"):
        if kind in data:
            return _figure(kind, _joined(data[kind]), output, outline)
    if "text/markdown" in data:
        return clean(_markdown(_joined(data["text/markdown"])), outline, prefix)
    text = _joined(data.get("text/plain"))
    return _NOTHING if "text/html" in data or _OBJECT.fullmatch(text.strip()) else _preformatted(text)


def _figure(kind: str, picture: str, output: dict, outline: Outline) -> Markup:
    """A picture inside the page. As an image of its own, an SVG runs no script, loads nothing and shares no ids."""
    alt = _described(output, kind, "alt") or phrase("Figure: {title}", title=outline.latest)
    if kind == "image/svg+xml":
        size, address = _svg_size(picture), Markup(f"data:{kind},{_as_address(picture)}")
    else:
        encoded = "".join(picture.split())
        size, address = (
            _png_size(encoded, (output.get("metadata") or {}).get(kind) or {}),
            f"data:{kind};base64,{encoded}",
        )
    width, height = size or ("", "")
    measures = Markup(' width="{}" height="{}" style="--width:{}px"').format(width, height, width) if size else ""
    # on a narrow screen the picture scrolls, and its title with it: there the finding stands above it once more
    finding = Markup('<figcaption aria-hidden="true">{}</figcaption>').format(alt.split(". ")[0].removesuffix("."))
    return Markup('<figure class="plot">{}<div class="scroll"><img src="{}" alt="{}"{}></div></figure>').format(
        finding, address, alt, measures
    )


def _as_address(svg: str) -> str:
    """An SVG as the rest of a data URL, two thirds as long as in base 64; nothing in it ends an HTML attribute."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return quote(re.sub(r"\s+", " ", svg).replace("> <", "><"), safe=" <>/:;=,.()-+'!*@_~[]{}|^$")


def _described(output: dict, kind: str, what: str) -> str:
    """A description that the notebook gave with an output: of this form of it, or of the output as a whole."""
    metadata = output.get("metadata") or {}
    own = metadata.get(kind)
    return str((own.get(what) if isinstance(own, dict) else None) or metadata.get(what) or "").strip()


def _svg_size(svg: str) -> tuple[int, int] | None:
    opening = re.search(r"<svg\b[^>]*>", svg)
    sides = [re.search(rf'\s{side}="([\d.]+)(pt|in|cm|mm|px|)"', opening[0] if opening else "") for side in _SIDES]
    if not all(sides):
        return None
    return tuple(round(float(side[1]) * _PIXELS[side[2]]) for side in sides)


def _png_size(encoded: str, metadata: dict) -> tuple[int, int] | None:
    if all(isinstance(metadata.get(side), int | float) for side in _SIDES):
        return tuple(round(metadata[side]) for side in _SIDES)
    head = base64.b64decode(encoded[:32])  # width and height are bytes 16 to 23 of every PNG
    return (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) if head[:4] == b"\x89PNG" else None


def _warnings(text: str) -> Markup:
    said = dict.fromkeys(m[1].strip() for m in _WARNING.finditer(_ANSI.sub("", text)))  # each once, in order
    return _NOTHING.join(Markup('<p class="warning">{}</p>').format(w) for w in said)


def _errors(cell: dict) -> Iterator[Markup]:
    for output in cell.get("outputs") or []:
        if output.get("output_type") == "error":
            lines = _ANSI.sub("", output.get("evalue") or "").strip().splitlines()[:_ERROR_LINES]
            name, message = output.get("ename") or phrase("Error"), "\n".join(lines)[:_ERROR_LENGTH]
            yield Markup('<div class="error"><strong>{}</strong> {}</div>').format(name, message)


def _preformatted(text: str) -> Markup:
    text = _ANSI.sub("", text).strip("\n")
    return Markup('<pre class="text">{}</pre>').format(text) if text.strip() else _NOTHING


def _is_setup(cell: dict) -> bool:
    if cell.get("cell_type") != "code":
        return False
    return bool(_tags(cell) & SETUP_TAGS) or (not cell.get("outputs") and bool(_IMPORTS.match(_source(cell))))


def _tags(cell: dict) -> set[str]:
    return set((cell.get("metadata") or {}).get("tags") or [])


def _source(cell: dict) -> str:
    return _joined(cell.get("source"))


def _joined(text: str | list[str] | None) -> str:
    """Text as nbformat stores it: a string, or a list of its lines."""
    return text if isinstance(text, str) else "".join(text or [])


def _markdown_renderer() -> mistune.Markdown:
    """Markdown as notebooks write it: HTML passes (:func:`clean` comes after), formulas stay as they are typed."""
    markdown = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url", "math"])
    shown = {
        "inline_math": lambda _, text: Markup('<span class="math">${}$</span>').format(text),
        "block_math": lambda _, text: Markup('<p class="math">$${}$$</p>').format(text),
    }
    for name, render in shown.items():
        markdown.renderer.register(name, render)
    return markdown


_markdown = _markdown_renderer()
