"""How do the personas look as slides, to be shown and to be changed?

Takes the contents of several cards (see docs/persona_schema.md). Gives a PowerPoint file with a slide per persona,
16:9, of native text boxes; the notes of a slide hold its evidence.
"""

import io
import zipfile
from itertools import combinations_with_replacement, pairwise
from math import ceil
from typing import NamedTuple

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from analysis.personas import pages, texts
from analysis.personas.face import mixed
from analysis.plots.canvas import INK, QUIET, SEGMENT

_WIDTH, _HEIGHT = 13.333, 7.5
_MARGIN, _SIDE = 0.35, 3.35

#: On every machine that opens slides, with Persian letters.
_FONT = "Arial"

#: Width of an average letter of the font, in parts of its size; on the safe side.
_LETTER = 0.5
_LINE_HEIGHT = 1.2

#: The parts stand in so many columns, in letters of the first of these sizes in which all have room.
_COLUMNS, _POINTS = 3, (13, 12, 11, 10)

_ALARM = "#9b1c31"
_BULLETS = {"measured": "● ", "assumption": "○ ", "edited": "◇ "}


def deck(contents: list[dict]) -> bytes:
    """A slide for each persona, as a PowerPoint file.

    Parameters
    ----------
    contents : list of dict
        See docs/persona_schema.md. Slides stand in their order; Persian ones read from the right.

    Returns
    -------
    bytes
        A ``.pptx`` that names no author, program, path or moment: the same contents give the same bytes.

    Examples
    --------
    >>> deck([])[:2]
    b'PK'
    """
    shown = Presentation()
    shown.slide_width, shown.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    for content in contents:
        _Slide(shown, texts.readable(content)).draw()
    _forget_makers(shown)
    buffer = io.BytesIO()
    shown.save(buffer)
    return _without_moments(buffer.getvalue())


class _Slide:
    """A slide being drawn: places are in inches from the side where the language begins."""

    def __init__(self, shown, content: dict):
        self.content = content
        self.slide = shown.slides.add_slide(shown.slide_layouts[5])  # a title and nothing else
        self.turned = content["direction"] == "rtl"
        self.shade = SEGMENT[content["colour"] % len(SEGMENT)]
        self.name, self.title = texts.heading(content)

    def draw(self) -> None:
        self._panel()
        self._who()
        self._sections()
        self._foot()
        self.slide.notes_slide.notes_text_frame.text = _notes(self.content)

    def _panel(self) -> None:
        """The tinted side, behind all else."""
        panel = self._shape(MSO_SHAPE.RECTANGLE, 0, 0, _MARGIN + _SIDE, _HEIGHT, fill=mixed(self.shade, "#ffffff", 0.9))
        self.slide.shapes._spTree.insert(2, panel._element)

    def _who(self) -> None:
        """Face, name, summary, quote, facts and confidence, down the side."""
        picture = io.BytesIO(pages.portrait(self.content))
        face = self.slide.shapes.add_picture(picture, self._left(_MARGIN, 1.15), Inches(0.45), width=Inches(1.15))
        face._element.nvPicPr.cNvPr.set("descr", self.name)
        name_size = 24 if len(self.name) <= 14 else 14
        name = self.slide.shapes.title
        self._place(name, _MARGIN + 1.2, 0.45, _SIDE - 1.3, 0.72)
        self._write(
            name.text_frame, [_Paragraph([(self.name, name_size, True, INK)])], 0.72, _SIDE - 1.3, MSO_ANCHOR.BOTTOM
        )
        self._text(_MARGIN + 1.2, 1.17, _SIDE - 1.3, 0.5, [_Paragraph([(self.title, 11, True, self._deep)])])
        self._text(_MARGIN, 0.12, _SIDE - 0.1, 0.3, [_Paragraph([(self.content["kicker"], 8.5, False, QUIET)])])
        self._text(_MARGIN, 1.64, _SIDE - 0.1, 0.4, [_Paragraph([(self.content["share_text"], 9, False, INK)])])
        said = self._said()
        below = 2.1 + min(_height_of(said, _SIDE - 0.22), 2.0)
        self._text(_MARGIN, 2.0, _SIDE - 0.1, below - 2.0, said)
        self._text(_MARGIN, below + 0.1, _SIDE - 0.1, 6.0 - below, self._facts())
        self._confidence(6.15)

    def _said(self) -> list:
        quote = self.content["quote"] or {}
        opening, closing = ("«", "»") if self.content["language"] == "fa" else ("“", "”")
        summary = self._marked(self.content["summary"]) if self.content["summary"]["text"] else ""
        quoted = f"{opening}{quote['text']}{closing}" if quote.get("text") else ""
        note = (quote.get("note") or "") if quoted else ""
        told = [(summary, 11, False, INK), (quoted, 11, True, self._deep), (note, 8.5, False, QUIET)]
        return [_Paragraph([run]) for run in told if run[0]]

    def _facts(self) -> list:
        return [
            _Paragraph(
                [(f"{fact['label']}: ", 10, False, QUIET), (self._kind(fact) + self._marked(fact), 10, False, INK)]
            )
            for fact in self.content["facts"]
        ]

    def _confidence(self, top: float) -> None:
        of = self.content["limits"]["confidence"]
        word = ": ".join(text for text in (of.get("title"), of["word"]) if text)
        self._text(_MARGIN, top, _SIDE - 0.1, 0.27, [_Paragraph([(word, 10, True, self._deep)])])
        filled = round(10 * min(max(of["value"] or 0, 0), 1))
        for place in range(10):
            fill = self._deep if place < filled else "#ffffff"
            self._shape(
                MSO_SHAPE.RECTANGLE, _MARGIN + 0.1 + 0.3 * place, top + 0.3, 0.26, 0.08, fill=fill, line=self._deep
            )
        told = [_Paragraph([(" ".join(text for text in (of["text"], of["how"]) if text), 8.5, False, QUIET)])]
        self._text(_MARGIN, top + 0.4, _SIDE - 0.1, _HEIGHT - top - 0.5, told)

    def _sections(self) -> None:
        """The parts in reading order down three columns, in the largest letters in which all of them fit."""
        sections = texts.sections(self.content)
        left, top, gap = _MARGIN + _SIDE + 0.2, 0.3, 0.14
        wide, high = (_WIDTH - left - _MARGIN - gap * (_COLUMNS - 1)) / _COLUMNS, _HEIGHT - top - 0.6
        for points in _POINTS:
            written = [self._paragraphs(section, points) for section in sections]
            columns = _in_columns([_height_of(lines, wide - 0.12) + 0.12 + gap for lines in written])
            if all(sum(heights) <= high for heights in columns):
                break
        of = iter(written)
        for n, heights in enumerate(columns):
            at, most = top, _cap(heights, high)
            for height in heights:
                self._section(next(of), left + n * (wide + gap), at, wide, min(height, most) - gap)
                at += min(height, most)

    def _section(self, lines: list, left: float, top: float, wide: float, high: float) -> None:
        self._shape(MSO_SHAPE.RECTANGLE, left, top, wide, 0.025, fill=self.shade)
        self._text(left, top + 0.03, wide, high - 0.03, lines)

    def _paragraphs(self, section: dict, points: float) -> list:
        lines = [_Paragraph([(section["title"], points + 1.5, True, self._deep)], heads=True)]
        for group in section["groups"]:
            lines += [_Paragraph([(group["title"], points, True, INK)], heads=True)] if group["title"] else []
            lines += [_Paragraph(self._line(line, points)) for line in group["lines"]]
            lines += [_Paragraph([(group["empty"], points, False, QUIET)])] if not group["lines"] else []
        return lines

    def _line(self, line: dict, points: float) -> list:
        return [
            (self._kind(line), points, False, self._deep),
            (f"{line['share_text']}  " if line.get("share_text") else "", points, True, self._deep),
            (self._marked(line), points, False, INK),
            (f" {line['question']}" if line["question"] else "", points, False, self._deep),
            (f" ⚠ {line['warning']}" if line["warning"] else "", points, False, _ALARM),
        ]

    def _foot(self) -> None:
        legend = self.content["legend"]
        kinds = "   ".join(f"{bullet}{legend[kind]}" for kind, bullet in _BULLETS.items() if kind in legend)
        left = _MARGIN + _SIDE + 0.2
        lines = [_Paragraph([(f"⚠ {text}", 8.5, False, _ALARM)]) for text in self.content["warnings"][:1]]
        lines.append(_Paragraph([(f"{kinds}   {self.content['footer']}", 8.5, False, QUIET)]))
        self._text(left, _HEIGHT - 0.55, _WIDTH - left - _MARGIN, 0.5, lines)

    @property
    def _deep(self) -> str:
        return mixed(self.shade, INK, 0.4)

    def _kind(self, line: dict) -> str:
        if line["kind"] == "follows":
            return "◂ " if self.turned else "▸ "
        return _BULLETS.get(line["kind"], "") if line["kind"] != "measured" or "id" in line else ""

    def _marked(self, line: dict) -> str:
        return f"{line['text']} [{line['mark']}]" if line["mark"] else line["text"]

    def _left(self, start: float, wide: float):
        return Inches(_WIDTH - start - wide if self.turned else start)

    def _place(self, shape, start: float, top: float, wide: float, high: float) -> None:
        shape.left, shape.top = self._left(start, wide), Inches(top)
        shape.width, shape.height = Inches(wide), Inches(high)

    def _shape(self, kind, start: float, top: float, wide: float, high: float, fill: str, line: str | None = None):
        shape = self.slide.shapes.add_shape(kind, self._left(start, wide), Inches(top), Inches(wide), Inches(high))
        shape.fill.solid()
        shape.fill.fore_color.rgb = _rgb(fill)
        shape._element.remove(shape._element.find(qn("p:style")))  # shadows and outlines of the theme
        if line is None:
            shape.line.fill.background()
        else:
            shape.line.color.rgb, shape.line.width = _rgb(line), Pt(0.5)
        return shape

    def _text(self, start: float, top: float, wide: float, high: float, lines: list) -> None:
        box = self.slide.shapes.add_textbox(self._left(start, wide), Inches(top), Inches(wide), Inches(high))
        self._write(box.text_frame, lines, high, wide)

    def _write(self, frame, lines: list, high: float, wide: float, anchor=MSO_ANCHOR.TOP) -> None:
        """As many paragraphs as the box holds, by an estimate of their widths."""
        frame.word_wrap, frame.vertical_anchor = True, anchor
        frame.margin_left = frame.margin_right = Inches(0.06)
        frame.margin_top = frame.margin_bottom = Inches(0.03)
        for n, line in enumerate(self._fitting(lines, high - 0.06, wide - 0.12)):
            paragraph = frame.paragraphs[0] if n == 0 else frame.add_paragraph()
            properties = paragraph._p.get_or_add_pPr()
            properties.set("rtl", "1" if self.turned else "0")
            properties.set("algn", "r" if self.turned else "l")
            for run in line.runs:
                self._run(paragraph.add_run(), *run)

    def _run(self, run, text: str, points: float, bold: bool, colour: str) -> None:
        run.text = text
        run.font.size, run.font.bold, run.font.name = Pt(points), bold, _FONT
        run.font.color.rgb = _rgb(colour)
        run._r.get_or_add_rPr().set("lang", "fa-IR" if self.content["language"] == "fa" else "en-GB")
        script = run._r.get_or_add_rPr().makeelement(qn("a:cs"), {"typeface": _FONT})
        run._r.get_or_add_rPr().append(script)

    def _fitting(self, lines: list, high: float, wide: float) -> list:
        """The paragraphs that fit, their texts cut where one alone would not; then how many more there are."""
        lines = [line for line in lines if any(text for text, *_ in line.runs)]
        if _height_of(lines, wide) <= high:
            return lines
        lines = [_shortened(line, high, wide) for line in lines]
        kept = list(lines)
        while len(kept) > 1 and _height_of([*kept, self._more(lines, kept)], wide) > high:
            kept.pop()
        while len(kept) > 1 and kept[-1].heads:
            kept.pop()
        return kept if len(kept) == len(lines) else [*kept, self._more(lines, kept)]

    def _more(self, lines: list, kept: list) -> "_Paragraph":
        left_out = sum(not line.heads for line in lines[len(kept) :])
        return _Paragraph([(texts.more(self.content, left_out), 8.5, False, QUIET)])


class _Paragraph(NamedTuple):
    """Runs of (text, points, bold, colour), and whether it heads the paragraphs after it."""

    runs: list
    heads: bool = False


def _shortened(line: _Paragraph, high: float, wide: float) -> _Paragraph:
    """A paragraph cut to at most half of a larger box or the whole of a low one; a head to two lines."""
    largest = max(points for _, points, *_ in line.runs)
    rows = 2 if line.heads else max(1, int(max(high / 2, min(high, 0.6)) * 72 / (largest * _LINE_HEIGHT)))
    room, runs = int(rows * _letters_in(wide, largest)), []
    for text, *style in line.runs:
        if text and room > 0:
            runs.append((texts.cut(text, max(room, 2)), *style))
            room -= len(text)
    return line._replace(runs=runs)


def _height_of(lines: list, wide: float) -> float:
    """Inches that paragraphs take together, by the width of an average letter."""
    return sum(_height(line.runs, wide) for line in lines)


def _height(runs: list, wide: float) -> float:
    largest = max(points for _, points, *_ in runs)
    letters = sum(len(text) * points / largest for text, points, *_ in runs)
    return max(1, ceil(letters / _letters_in(wide, largest))) * largest * _LINE_HEIGHT / 72


def _letters_in(wide: float, points: float) -> float:
    """How many letters go into a line; half a word is lost where it breaks."""
    return max(wide * 72 / (points * _LETTER) - 3, 4)


def _in_columns(heights: list[float]) -> list[list[float]]:
    """Heights in order, broken into columns so that the longest is as short as may be.

    Examples
    --------
    >>> _in_columns([3, 1, 1, 1, 2])
    [[3], [1, 1], [1, 2]]
    """
    places = combinations_with_replacement(range(len(heights) + 1), _COLUMNS - 1)
    ways = ([heights[a:b] for a, b in pairwise((0, *cuts, len(heights)))] for cuts in places)
    return min(ways, key=lambda columns: (max(map(sum, columns)), -len(columns[0])))


def _cap(heights: list[float], room: float) -> float:
    """The height to which the tallest must come down so that all have room together.

    Examples
    --------
    >>> _cap([1, 5, 4], 7), _cap([1, 2], 7)
    (3.0, 2)
    """
    if sum(heights) <= room:
        return max(heights, default=0)
    lower = sorted(heights)
    for n, height in enumerate(lower):
        share = (room - sum(lower[:n])) / (len(lower) - n)
        if height >= share:
            return share
    return lower[-1]


def _notes(content: dict) -> str:
    """The evidence, a line each, with the head of its column before every figure."""
    of = content["evidence"]
    lines = [" · ".join(_noted(of["head"], row)) for row in of["rows"]]
    alike = f"{content['alike']['title']}: {content['alike']['text']}" if content["alike"]["text"] else ""
    return "\n".join(filter(None, [of["title"] if lines else "", *lines, alike]))


def _noted(head: list[str], row: list[str]) -> list[str]:
    return [f"{name}: {cell}" if name else cell for name, cell in zip(head, row, strict=False) if cell]


def _forget_makers(shown) -> None:
    """Take off the core properties that the template brings along: author, program, moments."""
    core = shown.core_properties._element
    for child in list(core):
        core.remove(child)


def _without_moments(data: bytes) -> bytes:
    """The same archive, its members without the time of writing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.removeprefix("#").upper())
