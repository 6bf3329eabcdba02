"""How does a journey map look in a notebook, in the report, on a phone and on paper?

Takes the content of a map. Gives one self-contained element of HTML with styles on the elements alone, since neither
the report nor JupyterLab keeps a style sheet that comes with an output. Stages stand side by side as columns of one
grid, their rows level with each other; where there is no room for another column it goes below. Colours are mixed with
the page's own colour of text, so that the map is readable on a light and on a dark page.
"""

from html import escape

from analysis.plots.canvas import SEGMENT

_QUIET = "color:color-mix(in srgb,currentColor 72%,transparent);font-size:.86em"
_LINE = "1px solid color-mix(in srgb,currentColor 20%,transparent)"
_FONT = {"fa": "Vazirmatn,IRANSans,'Noto Sans Arabic',Tahoma,sans-serif", "en": "system-ui,sans-serif"}
_MAP = (
    f"border:{_LINE};border-radius:12px;margin:1.2em 0;overflow:hidden;font-size:14px;line-height:1.4;text-align:start;"
    "color:inherit;background:transparent"
)
_PAD = "padding:1.1em clamp(.9em,2vw,1.6em)"
_PLAIN = "margin:0;padding:0"
_CELL = "text-align:start;padding:.3em .9em .3em 0;background:none;vertical-align:top;border:0;max-width:28em"

#: Width of a column: the least at which a line still has three words; all there is where the map is a phone's width.
_LEAST = "max(10.5em,min(100%,calc((34em - 100%)*999)))"

#: Stages side by side on a sheet of A4 in landscape.
_ON_PAPER = 6

#: Letters of a text at most: whoever wants more reads the table.
_LONGEST = 300

_ALARM = "color-mix(in srgb,#c01838 70%,currentColor)"


def map_html(content: dict) -> str:
    """The map as HTML, to show in a notebook or in the report.

    Parameters
    ----------
    content : dict
        As from :func:`analysis.journeys.map_content.content`. Any text in it is shown as text.

    Returns
    -------
    str
        One ``article``, from 320 pixels wide to as wide as there is room, in the direction of its language.

    Examples
    --------
    >>> map_html(content)[:8]  # doctest: +SKIP
    '<article'
    """
    rows = [cell["row"] for cell in content["stages"][0]["cells"]] if content["stages"] else []
    return _article(content, _grid(content, content["stages"], rows, f"repeat(auto-fit,minmax({_LEAST},1fr))", ""))


def page(content: dict) -> str:
    """The map as a page of its own, for a screen, a phone and A4 in landscape.

    On paper the rows lie on two sheets, what they do and how it goes, and more than `_ON_PAPER` stages on as many more:
    browsers do not break the rows of a grid between pages without laying one over the other.
    """
    title = escape(f"{content['name']} · {content['kicker']}")
    return (
        f'<!doctype html><html lang="{content["language"]}" dir="{content["direction"]}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title><style>'
        ":root{color-scheme:light dark}body{margin:0 auto;padding:.5rem;max-width:120rem}.paper{display:none}"
        "@page{size:A4 landscape;margin:8mm}@media print{:root{color-scheme:light}body{padding:0}.screen{display:none}"
        ".paper{display:block;print-color-adjust:exact}.paper article{font-size:9px!important;border:0!important;"
        "margin:0!important;overflow:visible!important}.paper details{display:none}.paper svg{height:44px!important}}"
        f'</style></head><body><div class="screen">{map_html(content)}</div>'
        f'<div class="paper">{_on_paper(content)}</div></body></html>'
    )


def _on_paper(content: dict) -> str:
    """Sheets of so many stages that their lines can be read, the upper rows and then the lower ones."""
    stages, rows = content["stages"], [cell["row"] for cell in content["stages"][0]["cells"]]
    sheets = [stages[i : i + _ON_PAPER] for i in range(0, len(stages), _ON_PAPER)]
    columns = f"repeat({min(len(stages), _ON_PAPER)},minmax(0,1fr))"
    whole = "break-inside:avoid"
    grids = [_grid(content, sheet, part, columns, whole) for sheet in sheets for part in (rows[:3], rows[3:])]
    return _article(content, "".join(grids))


def paragraph(text: str) -> str:
    """A sentence where there is no map."""
    return _p(text, "")


def _colours(content: dict) -> tuple[str, str]:
    """The persona's colour, and the same mixed with the colour of text so that it can be read."""
    shade = "currentColor" if content["colour"] is None else SEGMENT[content["colour"] % len(SEGMENT)]
    return shade, f"color-mix(in srgb,{shade} 60%,currentColor)"


def _article(content: dict, stages: str) -> str:
    shade, accent = _colours(content)
    return (
        f'<article dir="{content["direction"]}" lang="{content["language"]}" '
        f'style="{_MAP};font-family:{_FONT.get(content["language"], _FONT["en"])}">'
        f"{_head(content, shade, accent)}{stages}{_evidence(content['evidence'])}{_foot(content, accent)}</article>"
    )


def _grid(content: dict, stages: list[dict], rows: list[str], columns: str, style: str) -> str:
    """The stages side by side, with these of their rows."""
    joined = [_joined(stages, i) for i in range(len(stages))]
    sections = "".join(_stage(stage, *joined[i], content, rows) for i, stage in enumerate(stages))
    return f'<div style="display:grid;grid-template-columns:{columns};gap:0 1px;{style}">{sections}</div>'


def _head(content: dict, shade: str, accent: str) -> str:
    """Whose journey it is, and what holds for all of it: problem, goals, what weighs on them."""
    who = (
        f'<div style="flex:1 1 13em;min-width:0">{_title(content["row_persona"], accent)}'
        '<h3 style="margin:.1em 0 0;font-size:1.7em;line-height:1.15;overflow-wrap:anywhere">'
        f"{_short(content['name'])}</h3>"
        f"{_p(content['title'], f'font-weight:600;color:{accent}')}{_p(content['share_text'], 'margin-top:.4em')}"
        f"{_p(content['kicker'], _QUIET)}</div>"
    )
    cells = "".join(
        f'<section style="flex:2 1 16em;min-width:0">{_title(cell["title"], accent)}{_lines(cell, accent)}</section>'
        for cell in content["head"]
    )
    return (
        f'<header style="{_PAD};display:flex;flex-wrap:wrap;gap:1em 1.8em;background:'
        f'color-mix(in srgb,{shade} 11%,transparent);border-block-end:3px solid {accent}">{who}{cells}</header>'
    )


def _stage(stage: dict, before, after, content: dict, rows: list[str]) -> str:
    """A column: the heading, and the rows level with those of its neighbours."""
    shade, accent = _colours(content)
    shown = [cell for cell in stage["cells"] if cell["row"] in rows]
    cells = "".join(_cell(cell, stage, before, after, content, accent) for cell in shown)
    heading = (
        f'<h4 style="margin:0;padding:.6em .8em;font-size:1.1em;line-height:1.2;overflow-wrap:anywhere;'
        f'background:color-mix(in srgb,{shade} 16%,transparent)"><span style="{_QUIET}">{stage["number"]}</span> '
        f"{_short(stage['name'])}</h4>"
    )
    return (
        f'<section style="display:grid;grid-row:span {len(rows) + 1};grid-template-rows:subgrid;min-width:0;'
        'align-content:start;box-shadow:0 0 0 1px color-mix(in srgb,currentColor 14%,transparent)">'
        f"{heading}{cells}</section>"
    )


def _cell(cell: dict, stage: dict, before, after, content: dict, accent: str) -> str:
    feelings = cell["row"] == "feelings"
    curve = _curve(stage, before, after, content, accent) if feelings and stage["curve"] else ""
    return (
        f'<div style="min-width:0;overflow-wrap:anywhere;border-block-start:{_LINE};padding-block:.5em .8em">'
        f'<div style="padding-inline:.8em">{_title(cell["title"], accent)}</div>{curve}'
        f'<div style="padding-inline:.8em">{_lines(cell, accent)}</div></div>'
    )


def _lines(cell: dict, accent: str) -> str:
    lines = "".join(_line(line, accent) for line in cell["lines"])
    return f'<ul style="list-style:none;{_PLAIN}">{lines}</ul>'


def _line(line: dict, accent: str) -> str:
    """A line: what it says, beneath it quietly what it rests on, and what to ask where nothing was measured."""
    assumed = line["kind"] == "assumption"
    colour = _ALARM if line["alarm"] else accent
    frame = f"border:1px dashed {colour};border-radius:6px;padding:.3em .5em;" if assumed else ""
    tag = f'<span style="{_QUIET};font-weight:600">{escape(line["tag"])}</span> ' if line["tag"] else ""
    weight = (
        f"font-weight:600;color:{accent}"
        if line["apart"]
        else f"color:{_ALARM};font-weight:600"
        if line["alarm"]
        else ""
    )
    bullet = f'<span aria-hidden="true" style="color:{colour};font-size:.8em">{"○" if assumed else "●"}</span> '
    mark = (
        f'<sup style="{_QUIET};font-size:.68em;line-height:0;padding-inline-start:.2em">{escape(line["mark"])}</sup>'
        if line["mark"]
        else ""
    )
    return (
        f'<li style="margin:.3em 0;{frame}">{bullet}{tag}<span style="{weight}">{_text(line["text"])}</span>'
        f"{mark}{_p(line['detail'], _QUIET)}{_p(line['question'], f'color:{accent};font-size:.93em')}</li>"
    )


def _joined(stages: list[dict], i: int):
    """The curves of the neighbours, where there are any."""
    curves = [stage["curve"] for stage in stages]
    return (curves[i - 1] if i else None), (curves[i + 1] if i + 1 < len(curves) else None)


def _curve(stage: dict, before, after, content: dict, accent: str) -> str:
    """This stage's piece of the curve: its dot with the interval, and half of the way to either neighbour."""
    grey = "color-mix(in srgb,currentColor 40%,transparent)"
    edges = (100, 0) if content["direction"] == "rtl" else (0, 100)
    drawn = ""
    for name, colour, width in (("elsewhere", grey, 5), ("score", accent, 7)):
        here, *beside = (_height(curve[name]) if curve else None for curve in (stage["curve"], before, after))
        if here is not None:
            ways = [(edge, there) for edge, there in zip(edges, beside, strict=True) if there is not None]
            drawn += "".join(_stroke(50, here, edge, (here + there) / 2, colour, 1.5) for edge, there in ways)
            drawn += _stroke(50, here, 50, here, colour, width)
    low, high = (_height(stage["curve"][name]) for name in ("low", "high"))
    drawn += _stroke(50, low, 50, high, accent, 1.5) if low is not None and high is not None else ""
    label = f'role="img" aria-label="{escape(content["curve_text"])}"'
    frame = f"{_stroke(0, 4, 100, 4, grey, 0.5)}{_stroke(0, 56, 100, 56, grey, 0.5)}"
    return (
        f'<svg {label} viewBox="0 0 100 60" preserveAspectRatio="none" width="100%" height="96" '
        f'style="display:block;width:100%;height:96px">{frame}{drawn}</svg>'
    )


def _height(share) -> float | None:
    return None if share is None or share != share else round(56 - 52 * share, 2)


def _stroke(x1, y1, x2, y2, colour, width) -> str:
    """A line, or with both ends in one place a dot, that stays round however wide the column is."""
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" vector-effect="non-scaling-stroke" '
        f'style="stroke:{colour};stroke-width:{width}px;stroke-linecap:round"></line>'
    )


def _evidence(of: dict) -> str:
    if not of["rows"]:
        return ""
    heads = "".join(f'<th style="{_CELL};{_QUIET};font-weight:600">{_text(text)}</th>' for text in of["head"])
    rows = "".join(f'<tr style="background:none">{_table_cells(row)}</tr>' for row in of["rows"])
    table = f'<table style="border-collapse:collapse;margin:0;font-size:.9em"><thead><tr>{heads}</tr></thead>'
    summary = f'<summary style="cursor:pointer;font-weight:600">{escape(of["title"])} ({len(of["rows"])})</summary>'
    return (
        f'<details style="{_PAD};border-block-start:{_LINE}">{summary}<div style="overflow-x:auto">{table}'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _table_cells(row: list[str]) -> str:
    return "".join(f'<td style="{_CELL}">{_text(cell)}</td>' for cell in row)


def _foot(content: dict, accent: str) -> str:
    """What the marks mean, and where the figures come from."""
    legend = content["legend"]
    marks = (("●", legend["measured"]), ("○", legend["assumption"]))
    kinds = " ".join(
        f'<span style="white-space:nowrap;margin-inline-end:1em"><span aria-hidden="true" style="color:{accent}">{mark}'
        f"</span> {escape(said)}</span>"
        for mark, said in marks
    )
    bold = f'<b style="color:{accent}">● …</b> {escape(legend["apart"])}'
    curve = _p(content["curve_text"], "")
    return (
        f'<footer style="{_PAD};padding-block:.7em;border-block-start:{_LINE};overflow-wrap:anywhere;{_QUIET}">'
        f"<div>{kinds}{bold}</div>{curve}{''.join(_p(text, '') for text in content['footer'])}</footer>"
    )


def _title(text: str, accent: str) -> str:
    return f'<h5 style="margin:0 0 .2em;font-size:.86em;line-height:1.3;color:{accent}">{_short(text)}</h5>'


def _p(text: str | None, style: str) -> str:
    return f'<p style="{_PLAIN};{style}">{_text(text)}</p>' if text else ""


def _short(text: str) -> str:
    return _text(text if len(text) <= 90 else text[:89].rstrip() + "…")


def _text(text: str) -> str:
    """A text that keeps its own direction without turning what stands beside it."""
    text = " ".join(str(text).split())
    return f"<bdi>{escape(text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + '…')}</bdi>"
