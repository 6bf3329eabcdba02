"""How does a persona's card look in a notebook and in the report?

Takes the content of a card (see docs/persona_schema.md). Gives one self-contained element of HTML with styles on the
elements alone, since neither the report nor JupyterLab keeps a style sheet that comes with an output. Colours are mixed
with the page's own colour of text, so that the card is readable on a light and on a dark page without knowing which.
"""

from html import escape

from analysis.personas import face, texts
from analysis.plots.canvas import SEGMENT

_QUIET = "color:color-mix(in srgb,currentColor 72%,transparent);font-size:.86em"
_LINE = "1px solid color-mix(in srgb,currentColor 20%,transparent)"
_CARD = (
    f"border:{_LINE};border-radius:12px;margin:1.2em 0;max-width:72em;overflow:hidden;font-size:15px;line-height:1.45;"
    "text-align:start;color:inherit;background:transparent;container-type:inline-size"
)
_FONT = {"fa": "Vazirmatn,IRANSans,'Noto Sans Arabic',Tahoma,sans-serif", "en": "system-ui,sans-serif"}
_COLUMNS = "columns:3 17.5em;column-gap:1.8em"
_BOX = "min-width:0;overflow-wrap:anywhere;break-inside:avoid;padding-block:.5em 1.1em"
_PAD = "padding:1.2em clamp(.9em,3cqi,1.8em)"
_LIST = "list-style:none;margin:0;padding:0"
_CELL = "text-align:start;padding:.3em .9em .3em 0;background:none;vertical-align:top;border:0;max-width:24em"
_PLAIN = "margin:0;padding:0"
_BESIDE = "white-space:nowrap;min-width:3.4em;text-align:end"

#: Lines of a list that are shown at once; the others fold out.
_AT_ONCE = 6

#: Letters of a name, a title or a label.
_TITLE = 90

#: The kinds of lines: full where measured, hollow where assumed, a diamond where edited; else an arrow.
_BULLETS = {"measured": "●", "assumption": "○", "edited": "◇"}


def card_html(content: dict) -> str:
    """The card as HTML, to show in a notebook or in the report.

    Parameters
    ----------
    content : dict
        See docs/persona_schema.md. Any text in it is shown as text.

    Returns
    -------
    str
        One ``article``, from 360 to 1,200 pixels wide, in the direction of its language. The evidence is folded away.

    Examples
    --------
    >>> card_html(content)[:8]  # doctest: +SKIP
    '<article'
    """
    content = texts.readable(content)
    shade = SEGMENT[content["colour"] % len(SEGMENT)]
    accent = f"color-mix(in srgb,{shade} 60%,currentColor)"
    return (
        f'<article dir="{escape(content["direction"])}" lang="{escape(content["language"])}" '
        f'style="{_CARD};font-family:{_FONT.get(content["language"], _FONT["en"])}">'
        f"{_head(content, shade, accent)}{_facts(content, accent)}{_warnings(content['warnings'])}"
        f'<div style="{_PAD};padding-block-end:.1em;{_COLUMNS}">'
        f"{''.join(_section(section, content, shade, accent) for section in texts.sections(content))}"
        f"{_alike(content['alike'], shade, accent)}{_confidence(content, shade, accent)}</div>"
        f"{_examples(content['examples'], accent)}{_evidence(content)}{_foot(content, accent)}</article>"
    )


def _head(content: dict, shade: str, accent: str) -> str:
    """Face, name and title, the summary and the quote."""
    name, title = (texts.cut(text, _TITLE) for text in texts.heading(content))
    drawn = face.svg(content["face"], content["colour"]).replace("<svg ", '<svg width="112" height="112" ', 1)
    return (
        f'<header style="{_PAD};display:flex;flex-wrap:wrap;gap:1em 1.8em;align-items:center;'
        f'background:color-mix(in srgb,{shade} 11%,transparent);border-block-end:3px solid {accent}">'
        f'<div style="flex:none;line-height:0">{drawn}</div>'
        f'<div style="flex:1 1 14em;min-width:0">{_p(texts.cut(content["kicker"], 2 * _TITLE), _QUIET)}'
        f'<h3 style="margin:.1em 0 0;font-size:{"2em" if len(name) <= 24 else "1.3em"};line-height:1.15;'
        f'overflow-wrap:anywhere">{escape(name)}</h3>'
        f"{_p(title, f'font-weight:600;font-size:1.1em;color:{accent}')}{_p(content['share_text'], 'margin-top:.5em')}"
        f"{_bar(content['share'], accent, content['share_text'])}</div>"
        f'<div style="flex:2 1 20em;min-width:0">{_summary(content)}{_quote(content["quote"], accent)}</div></header>'
    )


def _summary(content: dict) -> str:
    text = content["summary"]["text"]
    return f'<p style="{_PLAIN};font-size:1.12em">{_text(text)}{_mark(content["summary"], content)}</p>' if text else ""


def _quote(quote: dict | None, accent: str) -> str:
    if not quote or not quote["text"]:
        return ""
    return (
        f'<blockquote style="margin:.8em 0 0;padding-block:.1em;padding-inline:.9em 0;border:0;'
        f'border-inline-start:3px solid {accent};color:inherit;background:none">'
        f'<p style="{_PLAIN};font-weight:600"><q>{_text(quote["text"])}</q></p>{_p(quote["note"], _QUIET)}</blockquote>'
    )


def _facts(content: dict, accent: str) -> str:
    """A quiet strip: what is typical of them."""
    cells = "".join(
        f'<div style="min-width:0;overflow-wrap:anywhere"><dt style="{_QUIET};font-weight:400">{_short(fact["label"])}'
        f'</dt><dd style="{_PLAIN}">{_bullet(fact, content, accent) if fact["kind"] != "measured" else ""}'
        f"{_text(fact['text'])}{_mark(fact, content)}</dd>{_elsewhere(fact)}</div>"
        for fact in content["facts"]
    )
    columns = "display:grid;grid-template-columns:repeat(auto-fill,minmax(min(10.5em,100%),1fr));gap:.7em 1.4em"
    return f'<dl style="margin:0;{_PAD};{columns};border-block-end:{_LINE}">{cells}</dl>' if cells else ""


def _elsewhere(fact: dict) -> str:
    """What the same fact is of everybody else."""
    return f'<dd style="{_PLAIN};{_QUIET}">{_text(fact["detail"])}</dd>' if fact.get("detail") else ""


def _section(section: dict, content: dict, shade: str, accent: str) -> str:
    groups = "".join(_group(group, content, accent) for group in section["groups"])
    return (
        f'<section style="{_BOX};border-block-start:2px solid {accent}">{_title(section["title"], accent)}'
        f"{_p(section['note'], _QUIET)}{groups}</section>"
    )


def _group(group: dict, content: dict, accent: str) -> str:
    title = _p(group["title"], "font-weight:600;margin-top:.6em")
    if not group["lines"]:
        return title + _p(group["empty"], _QUIET)
    shown, rest = group["lines"][:_AT_ONCE], group["lines"][_AT_ONCE:]
    folded = (
        f'<details><summary style="cursor:pointer;{_QUIET}">{escape(texts.more(content, len(rest)))}</summary>'
        f"{_list(rest, content, accent)}</details>"
        if rest
        else ""
    )
    return f"{title}{_list(shown, content, accent)}{folded}"


def _list(lines: list[dict], content: dict, accent: str) -> str:
    return f'<ul style="{_LIST}">{"".join(_line(line, content, accent) for line in lines)}</ul>'


def _line(line: dict, content: dict, accent: str) -> str:
    """A line: what it says, beside it quietly what it rests on, and what to ask where nothing was measured."""
    frame = f"border:1px dashed {accent};border-radius:6px;padding:.3em .5em;" if line["kind"] == "assumption" else ""
    detail = f' <span style="{_QUIET}">{escape(line["detail"])}</span>' if line["detail"] else ""
    share = line.get("share_text")
    told = f'<b style="color:{accent};{_BESIDE}">{escape(texts.cut(share, 16))}</b>' if share else ""
    return (
        f'<li dir="{content["direction"]}" style="margin:.35em 0;{frame}display:flex;gap:.5em;align-items:baseline">'
        f'{_bullet(line, content, accent)}<div style="flex:1;min-width:0">{_text(line["text"])}{_mark(line, content)}'
        f"{detail}{_p(line['question'], f'color:{accent};font-size:.93em')}{_warning(line['warning'])}"
        f"{_bar(line['share'], accent, share or '') if line.get('share') is not None else ''}</div>{told}</li>"
    )


def _bullet(line: dict, content: dict, accent: str) -> str:
    """The mark of a line's kind, which is said in words to those who do not see it."""
    arrow = "◂" if content["direction"] == "rtl" else "▸"
    kind = escape(content["legend"].get(line["kind"], ""))
    named = f' title="{kind}" role="img" aria-label="{kind}"' if kind else ' aria-hidden="true"'
    return f'<span{named} style="flex:none;color:{accent};font-size:.8em">{_BULLETS.get(line["kind"], arrow)}</span> '


def _mark(line: dict, content: dict) -> str:
    """The number of the evidence, as a link to its row where there is one."""
    mark = line["mark"]
    if not mark:
        return ""
    marks = [row[0] for row in content["evidence"]["rows"]]
    shown = escape(texts.cut(mark, 8))
    if mark in marks:
        place = f"{_anchor(content)}-{marks.index(mark) + 1}"
        shown = f'<a href="#{place}" style="color:inherit;text-decoration:none">{shown}</a>'
    return f'<sup style="{_QUIET};font-size:.68em;line-height:0;padding-inline-start:.15em">{shown}</sup>'


def _anchor(content: dict) -> str:
    """What the ids of this card begin with."""
    key = "".join(c for c in content["key"] if c.isascii() and c.isalnum())[:16]
    return f"persona-{content['persona']}-{key}"


def _bar(share: float, accent: str, said: str) -> str:
    width = round(100 * min(max(share, 0), 1), 1)
    return (
        f'<div role="img" aria-label="{escape(said)}" style="height:.32em;border-radius:.2em;margin:.25em 0 .1em;'
        f'background:color-mix(in srgb,currentColor 16%,transparent);print-color-adjust:exact">'
        f'<div style="width:{width}%;height:100%;border-radius:inherit;background:{accent};'
        'print-color-adjust:exact"></div></div>'
    )


def _warnings(warnings: list[str]) -> str:
    return f'<div style="{_PAD};padding-block:.6em 0">{"".join(map(_warning, warnings))}</div>' if warnings else ""


def _warning(text: str | None) -> str:
    alarm = "color-mix(in srgb,#c01838 70%,currentColor)"
    return _p(f"⚠ {text}", f"color:{alarm};font-size:.93em") if text else ""


def _alike(alike: dict, shade: str, accent: str) -> str:
    if not alike["text"]:
        return ""
    lines = [{"title": None, "lines": [], "empty": alike["text"]}]
    return _section({"title": alike["title"], "note": None, "groups": lines}, {}, shade, accent)


def _confidence(content: dict, shade: str, accent: str) -> str:
    """A small meter, its word, what it rests on and what the figure means."""
    of = content["limits"]["confidence"]
    title = ": ".join(text for text in (of.get("title"), of["word"]) if text)
    filled = round(10 * min(max(of["value"] or 0, 0), 1))
    fields = "".join(
        f'<span style="flex:1;height:.55em;border:1px solid {accent};border-radius:.15em;print-color-adjust:exact;'
        f'background:{accent if place < filled else "transparent"}"></span>'
        for place in range(10)
    )
    meter = f'<div aria-hidden="true" style="display:flex;gap:.15em;margin:.2em 0 .4em;max-width:16em">{fields}</div>'
    told = _p(of["text"], "font-size:.93em") + _p(of["how"], _QUIET)
    return (
        f'<section style="{_BOX};border-block-start:2px solid {accent}">{_title(title, accent)}{meter}{told}</section>'
    )


def _examples(of: dict, accent: str) -> str:
    body = _table(of["head"], of["rows"]) if of["rows"] else _p(of["empty"], _QUIET)
    if not body:
        return ""
    told = f"{_title(of['title'], accent)}{body}{_p(of['note'], _QUIET)}"
    return f'<section style="{_PAD};border-block-start:{_LINE}">{told}</section>'


def _evidence(content: dict) -> str:
    of = content["evidence"]
    if not of["rows"]:
        return ""
    table = _table(of["head"], of["rows"], _anchor(content))
    said = f"{escape(of['title'])} ({texts.counted(content, len(of['rows']))})"
    summary = f'<summary style="cursor:pointer;font-weight:600">{said}</summary>'
    return f'<details style="{_PAD};border-block-start:{_LINE}">{summary}{table}</details>'


def _table(head: list[str], rows: list[list[str]], anchor: str = "") -> str:
    heads = "".join(f'<th style="{_CELL};{_QUIET};font-weight:600">{_text(text)}</th>' for text in head)
    body = "".join(_row(row, f' id="{anchor}-{n}"' if anchor else "") for n, row in enumerate(rows, 1))
    table = f'<table style="border-collapse:collapse;margin:0;font-size:.9em"><thead><tr>{heads}</tr></thead>'
    return f'<div style="overflow-x:auto">{table}<tbody>{body}</tbody></table></div>'


def _row(row: list[str], name: str) -> str:
    cells = "".join(f'<td style="{_CELL}">{_text(cell)}</td>' for cell in row)
    return f'<tr{name} style="background:none;border-block-start:{_LINE}">{cells}</tr>'


def _foot(content: dict, accent: str) -> str:
    """What the marks mean, and where the figures come from."""
    kinds = " ".join(
        f'<span style="white-space:nowrap;margin-inline-end:1em"><span aria-hidden="true" style="color:{accent}">'
        f"{bullet}</span> {escape(texts.cut(content['legend'][kind], 40))}</span>"
        for kind, bullet in _BULLETS.items()
        if kind in content["legend"]
    )
    return (
        f'<footer style="{_PAD};padding-block:.7em;border-block-start:{_LINE};overflow-wrap:anywhere;{_QUIET}">'
        f"<div>{kinds}</div>{_p(content['footer'], '')}</footer>"
    )


def _title(text: str, accent: str) -> str:
    return f'<h4 style="margin:0 0 .3em;font-size:1.02em;line-height:1.3;color:{accent}">{_short(text)}</h4>'


def _short(text: str) -> str:
    return escape(texts.cut(text, _TITLE))


def _p(text: str | None, style: str) -> str:
    return f'<p style="{_PLAIN};{style}">{_text(text)}</p>' if text else ""


def _text(text: str) -> str:
    """A text that keeps its own direction without turning what stands beside it."""
    return f"<bdi>{escape(text)}</bdi>"
