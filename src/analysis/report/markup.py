"""What of a notebook's HTML may stand in the book, and in which form?

Takes HTML as a notebook's Markdown and outputs bring it and gives HTML that is safe beside other people's: only known
elements and attributes, nothing that runs or loads, headings one level at a time, ids that no other output shares,
pictures with a text in their stead, tables that scroll in a box of their own with their figures aligned.
"""

import re
from collections.abc import Collection
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from markupsafe import Markup

from analysis.phrases import FROM_THE_RIGHT, from_the_right, phrase

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

#: Elements that may stay. Others lose their tags and keep their text, save for `DROPPED`, which go with all they hold.
ELEMENTS = frozenset(
    word
    for line in (
        "h1 h2 h3 h4 h5 h6 a abbr article aside b bdi bdo blockquote br caption cite code col colgroup dd del details",
        "dfn div dl dt em figcaption figure footer header hr i img ins kbd li main mark ol p pre q s samp section",
        "small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr",
        "svg g path rect circle ellipse line polyline polygon text tspan title desc defs use",
        "lineargradient radialgradient stop clippath marker",
    )
    for word in line.split()
)
DROPPED = {"script", "style", "iframe", "object", "noscript", "template", "foreignobject", "head", "textarea", "select"}
VOID = {"br", "col", "hr", "img", "wbr"}
# Written without an end tag by people in a hurry: the next one of its kind ends it.
CLOSED_BY_THE_NEXT = {"p", "li", "dt", "dd", "tr", "td", "th"}
#: Elements that read from the right when most of their letters do. (Table cells keep to their column's side.)
TURNED = {*HEADINGS, "p", "ul", "ol", "li", "blockquote", "dt", "dd", "summary"}
#: Foreign words that make a line of its own direction in a book from the right.
FOREIGN_FROM = 4
#: A table of more columns than this is set smaller on paper.
WIDE_FROM = 9
#: Columns of texts no longer than this (dates, intervals, names) are not broken over lines.
BRIEF = 20

#: Attributes that may stay on any element; neither handlers (on…) nor sources and forms are among them.
ATTRIBUTES = frozenset(
    word
    for line in (
        "class title lang dir style colspan rowspan alt width height start value datetime open role",
        "d x y x1 x2 y1 y2 cx cy r rx ry dx dy points transform viewbox preserveaspectratio opacity offset color",
        "dominant-baseline alignment-baseline letter-spacing clip-path clip-rule paint-order vector-effect",
        "gradientunits gradienttransform clippathunits markerwidth markerheight refx refy orient",
    )
    for word in line.split()
)
ATTRIBUTE_FAMILIES = ("aria-", "fill", "stroke", "font-", "text-", "stop-", "marker-")
IDS_IN = {"aria-labelledby", "aria-describedby", "aria-controls"}

_UNSAFE_STYLE = re.compile(r"url\s*\(\s*['\"]?(?!['\"]?#)|@|\\|expression|javascript|position\s*:", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|gif|jpeg|webp|svg\+xml)[;,]", re.IGNORECASE)

_FIGURE = r"[\u200e−+\-±~≈<>≤≥]*\s?[$€£﷼]?[\d۰-۹][\d۰-۹.,٫٬'\u2009\u202f\u00a0]*(e[+-]?\d+)?\s?(%|٪|pp|×)?"
_NUMBER = re.compile(rf"[(\[]?{_FIGURE}((\s(to|and|تا|و)\s|\s?–\s?|[,،]\s){_FIGURE})?[)\]]?", re.IGNORECASE)
_NO_VALUE = {"", "nan", "none", "<na>", "nat", "–", "—", "-", "…", "..."}


class Outline:
    """The headings of a chapter as they come: their levels, their ids, and where a link to them leads.

    Parameters
    ----------
    name : the chapter's name, which begins every id in it
    chapters : the names of all chapters in the book, so that links from notebook to notebook stay inside
    level : level of the heading that the chapter stands under; its own headings come below
    title : text of that heading

    Attributes
    ----------
    latest : text of the heading last placed
    sections : (id, text) of the headings one level below the chapter's
    ahead : texts that the next headings get their ids by, where they are not their own: a place keeps its id in
        another language
    """

    def __init__(self, name: str, chapters: Collection[str] = (), level: int = 2, title: str = ""):
        self.name, self.chapters, self.level, self.latest = name, chapters, level, title
        self.sections: list[tuple[str, str]] = []
        self.ahead: list[str] = []
        self._open: list[int] = []
        self._ids: set[str] = set()

    def place(self, rank: int, text: str) -> tuple[int, str]:
        """Level and id of the next heading: never more than one level below the one before, whatever its rank.

        Examples
        --------
        >>> outline = Outline("1_profiles")
        >>> outline.place(2, "Who buys"), outline.place(4, "By city"), outline.place(2, "Who buys")
        ((3, '1_profiles-Who-buys'), (4, '1_profiles-By-city'), (3, '1_profiles-Who-buys-2'))
        """
        while self._open and self._open[-1] >= rank:
            self._open.pop()
        self._open.append(rank)
        level = min(self.level + len(self._open), 6)
        called = self.ahead.pop(0) if self.ahead else text
        plain = f"{self.name}-{'-'.join(called.split())}"  # as JupyterLab makes the anchors that notebooks link to
        unique, n = plain, 1
        while unique in self._ids:
            unique, n = f"{plain}-{(n := n + 1)}", n
        self._ids.add(unique)
        self.latest = text
        if level == self.level + 1:
            self.sections.append((unique, text))
        return level, unique

    def link(self, href: str, prefix: str) -> str | None:
        """Where a link leads in the book: out to the web, to a place in it, or (a file elsewhere) nowhere.

        Examples
        --------
        >>> outline = Outline("1_profiles", ["1_profiles", "2_segments"])
        >>> outline.link("2_segments.ipynb#RFM", ""), outline.link("#By-city", "1_profiles-")
        ('#2_segments-RFM', '#1_profiles-By-city')
        >>> outline.link("javascript:alert(1)", ""), outline.link("../data/README.md", "")
        (None, None)
        """
        href = href.strip()
        if href.startswith("#"):
            return f"#{prefix}{unquote(href[1:])}"
        if re.match(r"(https?://|mailto:)", href, re.IGNORECASE):
            return href
        path, _, fragment = href.partition("#")
        name = PurePosixPath(unquote(path))
        if name.suffix == ".ipynb" and name.stem in self.chapters:
            return f"#{name.stem}-{unquote(fragment)}" if fragment else f"#{name.stem}"
        return None


def clean(html: str, outline: Outline, prefix: str, caption: str = "", inner: bool = False) -> Markup:
    """HTML from a notebook as it may stand in the book.

    Parameters
    ----------
    html : str
        Any HTML, well formed or not.
    outline : Outline
        Where in the chapter it stands; takes up the headings found.
    prefix : str
        What every id begins with, so that two outputs with the same ids do not clash.
    caption : str
        Caption of the first table that has none.
    inner : bool
        Its headings belong under the heading before, whatever their level (a card's title, say).

    Examples
    --------
    >>> clean('<p onclick="x()">A <script>x()</script>B</p>', Outline("0_data"), "0_data-")
    Markup('<p>A B</p>')
    """
    tree = _Tree(prefix, outline)
    tree.feed(html)
    tree.close()
    root = tree.root
    above: dict[int, str] = {}  # the heading that each table stands under
    for element in list(root.iter()):
        if element.tag in TURNED and "dir" not in element.attrib and _runs_the_other_way("".join(element.itertext())):
            element.set("dir", "ltr" if from_the_right() else "rtl")
        if element.tag in HEADINGS:
            _set_heading(element, outline, inner)
        elif element.tag in ("img", "svg"):
            _set_alternative(element, outline)
        elif element.tag == "table":
            above[id(element)] = outline.latest
        elif element.tag in ("title", "desc"):  # text only: an element in them could end them early
            text = "".join(element.itertext())
            element[:] = []
            element.text = text
    for parent in list(root.iter()):
        for position, child in enumerate(list(parent)):
            if child.tag == "table":
                label = caption or phrase("Table: {title}", title=above[id(child)])
                parent[position] = _table_in_its_box(child, label, bool(caption))
                caption = ""
    return Markup("").join([_text(root.text)] + [Markup(ET.tostring(c, "unicode", method="html")) for c in root])


class _Tree(HTMLParser):
    """Parser that keeps what may stay, as a tree whose every element is closed."""

    def __init__(self, prefix: str, outline: Outline):
        super().__init__(convert_charrefs=True)
        self.root = ET.Element("div")
        self._open = [self.root]
        self._dropping: list[str] = []
        self._prefix, self._outline = prefix, outline

    def handle_starttag(self, tag, attrs):
        if tag in DROPPED:
            self._dropping.append(tag)
        if self._dropping or tag not in ELEMENTS:
            return
        attributes = dict(_kept_attributes(tag, attrs, self._prefix, self._outline))
        if tag == "img" and "src" not in attributes:
            self.handle_data(attributes.get("alt", ""))
            return
        if tag in CLOSED_BY_THE_NEXT and self._open[-1].tag == tag:
            self._open.pop()
        element = ET.SubElement(self._open[-1], tag, attributes)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
        elif tag in (e.tag for e in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data):
        if self._dropping:
            return
        parent = self._open[-1]
        data = data.replace(" %", "\N{NO-BREAK SPACE}%")  # a figure and its sign stay on one line
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data


def _kept_attributes(tag: str, attrs: list[tuple[str, str | None]], prefix: str, outline: Outline):
    for name, value in attrs:
        value = value or ""
        if tag == "img" and name == "src" and _PICTURE.match(value):
            yield name, value
        elif name == "href" and tag == "a":
            if (target := outline.link(value, prefix)) is not None:
                yield name, target
        elif name in ("href", "xlink:href"):
            if tag == "use" and value.startswith("#"):
                yield "href", f"#{prefix}{value[1:]}"
        elif name == "id":
            yield name, prefix + value
        elif name in IDS_IN:
            yield name, " ".join(prefix + i for i in value.split())
        elif (name in ATTRIBUTES or name.startswith(ATTRIBUTE_FAMILIES)) and not _UNSAFE_STYLE.search(value):
            yield name, re.sub(r"url\(\s*(['\"]?)#", rf"url(\1#{prefix}", value)


def _text(text: str | None) -> Markup:
    return Markup.escape(text or "")


def _plain(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).replace("¶", "").split())


def _runs_the_other_way(text: str) -> bool:
    """Whether a text is read from the other side than the book: its letters say so, and the first alone would mislead.

    In a book from the right a few foreign words are a name that keeps its place; a line of them is a foreign text.
    """
    letters = [letter for letter in text if letter.isalpha()]
    turned = sum(bool(re.match(FROM_THE_RIGHT, letter)) for letter in letters)
    if from_the_right():
        return turned * 2 < len(letters) and len(text.split()) >= FOREIGN_FROM
    return turned * 2 > len(letters)


def _set_heading(element: ET.Element, outline: Outline, inner: bool) -> None:
    rank = int(element.tag[1]) + (10 if inner else 0)
    level, unique = outline.place(rank, _plain(element))
    element.tag = f"h{level}"
    element.set("id", unique)


def _set_alternative(element: ET.Element, outline: Outline) -> None:
    if element.tag == "img":
        if not element.get("alt", "").strip():
            element.set("alt", phrase("Figure: {title}", title=outline.latest))
    elif element.get("aria-hidden") != "true" and element.find("title") is None and not element.get("aria-label"):
        element.set("role", "img")
        element.set("aria-label", phrase("Figure: {title}", title=outline.latest))


def _table_in_its_box(table: ET.Element, label: str, label_is_caption: bool) -> ET.Element:
    """The table with its caption in a figure, in a box that scrolls sideways when the table is wider than the page."""
    _merge_head_rows(table)
    _drop_row_numbers(table)
    columns = _align_figures(table)
    figure = ET.Element("figure", {"class": "table wide" if columns >= WIDE_FROM else "table"})
    figure.tail, table.tail = table.tail, None
    own = table.find("caption")
    if own is not None or label_is_caption:
        caption = ET.SubElement(figure, "figcaption")
        caption.text = _plain(own) if own is not None else label
        label = caption.text
    if own is not None:
        table.remove(own)
    box = ET.SubElement(figure, "div", {"class": "scroll", "aria-label": label, "role": "group"})
    box.append(table)
    if table.find(".//td") is None:
        ET.SubElement(figure, "p", {"class": "note"}).text = phrase("No rows.")
    return figure


def _merge_head_rows(table: ET.Element) -> None:
    """Put the names of the row labels, which pandas writes in a row of their own, into the empty cells above them."""
    head = table.find("thead")
    rows = head.findall("tr") if head is not None else []
    if len(rows) < 2 or len(rows[-2]) != len(rows[-1]):
        return
    pairs = list(zip(rows[-2], rows[-1], strict=True))
    if any(_plain(above) and _plain(below) for above, below in pairs):
        return
    for above, below in pairs:
        if _plain(below):
            above.text, above[:] = below.text, list(below)
    head.remove(rows[-1])


def _drop_row_numbers(table: ET.Element) -> None:
    """Take off the numbers 0, 1, 2, … that pandas puts before rows that have no name."""
    heads, rows = table.findall("thead/tr"), table.findall("tbody/tr")
    firsts = [row[0] if len(row) else None for row in heads + rows]
    if len(heads) != 1 or any(c is None or c.tag != "th" or "rowspan" in c.attrib for c in firsts):
        return
    if [_plain(c) for c in firsts] == ["", *map(str, range(len(rows)))]:
        for row, first in zip(heads + rows, firsts, strict=True):
            row.remove(first)


def _align_figures(table: ET.Element) -> int:
    """Mark the columns that hold figures only, and which header cells head a column and which a row; count columns."""
    columns: dict[int, list[ET.Element]] = {}
    heads: dict[int, list[ET.Element]] = {}
    in_head = {id(row) for part in table.iter("thead") for row in part.iter("tr")}
    taken: dict[int, int] = {}  # column -> rows it is still taken by a cell above
    for row in table.iter("tr"):
        row.attrib.pop("style", None)  # pandas' own alignment
        column = 0
        below = {c: n - 1 for c, n in taken.items() if n > 1}
        for cell in (c for c in row if c.tag in ("td", "th")):
            while taken.get(column, 0) > 0:
                column += 1
            if cell.tag == "th":
                cell.set("scope", "col" if id(row) in in_head else "row")
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            if wide == 1:
                (heads if id(row) in in_head else columns).setdefault(column, []).append(cell)
            if high > 1:
                below |= dict.fromkeys(range(column, column + wide), high - 1)
            column += wide
        taken = below
    for column, cells in columns.items():
        texts = [t for t in map(_plain, cells) if t.lower() not in _NO_VALUE]
        if texts and all(_NUMBER.fullmatch(t) for t in texts):
            _add_class(cells + heads.get(column, []), "number")
        elif all(len(t) <= BRIEF for t in texts):
            _add_class(cells, "brief")
    for head in (h for cells in heads.values() for h in cells):
        if not _plain(head):
            head.tag = "td"  # what heads nothing is no header
            head.attrib.pop("scope", None)
        elif not len(head):
            _let_break(head)
    return max(columns, default=-1) + 1


def _add_class(cells: list[ET.Element], name: str) -> None:
    for cell in cells:
        cell.set("class", f"{cell.get('class', '')} {name}".strip())


def _let_break(head: ET.Element) -> None:
    """Let a long column name break after its underscores, where the page (on paper) asks for it."""
    first, *rest = re.split("(?<=_)(?=.)", head.text or "")
    head.text = first
    for part in rest:
        ET.SubElement(head, "wbr").tail = part


def _span(cell: ET.Element, name: str) -> int:
    value = cell.get(name, "1")
    return min(int(value), 1000) if value.isdigit() and int(value) else 1
