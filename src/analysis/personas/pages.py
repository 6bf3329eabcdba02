"""How does a persona's card look on paper and as a picture?

Takes the content of a card (see docs/persona_schema.md). Gives a PDF, whose first page is the card (A4, landscape) and
whose further pages are its evidence, and a PNG of the card. One template draws both; it reads the content as JSON, so
that no text of the data is ever markup.
"""

import json
from functools import cache
from pathlib import Path

import typst

from analysis.personas import face, texts
from analysis.plots.canvas import SEGMENT

_HERE = Path(__file__).parent

#: Typst remembers what it has laid out for so many compilations, in case the next is alike: 70 MiB for a card.
_REMEMBERED = 10

_NO_FACE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

#: Of a picture: A4 gives 2,339 by 1,654 points, enough for a large screen.
PIXELS_PER_INCH = 200


def pdf(content: dict) -> bytes:
    """The card as a PDF: the card on the first page, its evidence on those that follow.

    The file names no author, no path and no moment of making: the same content gives the same bytes.

    Examples
    --------
    >>> pdf(content)[:5]  # doctest: +SKIP
    b'%PDF-'
    """
    return _compiled("card.typ", "pdf", card=_drawn(content))


def png(content: dict) -> bytes:
    """The card as a picture, without its evidence.

    Examples
    --------
    >>> png(content)[1:4]  # doctest: +SKIP
    b'PNG'
    """
    made = _compiled("card.typ", "png", card=_drawn(content | {"evidence": {**content["evidence"], "rows": []}}))
    return made[0] if isinstance(made, list) else made


def portrait(content: dict) -> bytes:
    """The face alone, as a PNG with nothing around it.

    Examples
    --------
    >>> portrait({"face": {"seed": 7, "gender": None, "age": None, "company": False}, "colour": 0})[1:4]
    b'PNG'
    """
    return _compiled("face.typ", "png", face=face.svg(content["face"], content["colour"]))


def forget() -> None:
    """Give back the memory that drawing a card has taken: the next card is another one."""
    for _ in range(_REMEMBERED + 1):
        _compiled("face.typ", "svg", face=_NO_FACE)


def _drawn(content: dict) -> str:
    """The content as the template reads it: texts made fit for a line, and what is drawn rather than said."""
    card = texts.readable(content)
    name, title = texts.heading(card)
    sections = texts.sections(card)
    most = max((len(group["lines"]) for section in sections for group in section["groups"]), default=0)
    card["drawn"] = {
        "name": name,
        "title": title,
        "face": face.svg(card["face"], card["colour"]),
        "shade": SEGMENT[card["colour"] % len(SEGMENT)],
        "sections": sections,
        "more": [texts.more(card, n) for n in range(most + 1)],
    }
    return json.dumps(card, allow_nan=False)


def _compiled(template: str, form: str, **inputs: str):
    return _compiler(template).compile(format=form, ppi=PIXELS_PER_INCH, sys_inputs=inputs)


@cache
def _compiler(template: str) -> typst.Compiler:
    # Letters that our font lacks (emoji, Chinese) come from the reader's machine rather than not at all.
    return typst.Compiler(_HERE / template, root=_HERE, font_paths=[_HERE / "fonts"])
