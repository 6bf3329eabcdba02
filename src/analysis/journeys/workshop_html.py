"""How does what a group wrote look beside the data?

Takes the rows of :class:`analysis.journeys.workshop.Beside`. Gives one element of HTML with styles on the elements
alone, and the same as a page of its own.
"""

from html import escape

from analysis import locale as locales
from analysis.journeys.map_measures import EVERYBODY

#: Colour and sign of a verdict: a sign and a word beside the colour, for those who do not see it.
COLOURS = {"agreed": ("#12866c", "✓"), "contradicted": ("#c01838", "✗"), "unknown": ("#7a7a7a", "?")}
_QUIET = "color:color-mix(in srgb,currentColor 72%,transparent);font-size:.88em"
_LINE = "1px solid color-mix(in srgb,currentColor 20%,transparent)"
_FONT = {"fa": "Vazirmatn,IRANSans,'Noto Sans Arabic',Tahoma,sans-serif", "en": "system-ui,sans-serif"}


def element(beside) -> str:
    """One element with styles on the elements alone, readable on a light and on a dark page, wide and narrow."""
    words = locales.of(beside.language)
    body = "".join(_row(row, words) for row in beside.table.itertuples())
    said = beside.words if len(beside.table) else words.say("workshop.nothing")
    return (
        f'<section dir="{words.direction}" lang="{words.language}" style="font-family:{_FONT[words.language]};'
        f'font-size:15px;line-height:1.45;max-width:72em;text-align:start;color:inherit">'
        f'<h3 style="margin:0 0 .2em">{escape(words.say("workshop.beside"))}</h3>'
        f'<p style="margin:0 0 .8em;{_QUIET}">{escape(said)}</p><div role="table">{body}</div></section>'
    )


def page(beside) -> str:
    title = escape(locales.of(beside.language).say("workshop.beside"))
    return (
        f'<!doctype html><html lang="{beside.language}"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<style>:root{color-scheme:light dark}body{margin:1.5em auto;max-width:72em;padding:0 1em}</style>"
        f"<body>{element(beside)}</body></html>"
    )


def _row(row, words) -> str:
    """A statement, its verdict and what the data say, side by side where there is room."""
    colour, sign = COLOURS[row.verdict]
    sign = "؟" if (sign, words.direction) == ("?", "rtl") else sign
    shade = f"color-mix(in srgb,{colour} 70%,currentColor)"
    whose = words.say("map.everybody") if row.persona == EVERYBODY else words.digits(str(row.persona))
    place = " · ".join(
        (whose, words.value(row.stage, "stage") if row.stage else words.say("workshop.whole"),
         words.say(f"workshop.row_{row.row}"))
    )  # fmt: skip
    own = f"<bdi>{escape(row.statement)}</bdi>"  # a group may write in another language than the page
    wrote = _p(place, _QUIET) + f'<p style="margin:0">{own}</p>' + _p(row.claim, f"{_QUIET};font-style:italic")
    told = _p(row.data if isinstance(row.data, str) else "", "") + _p(row.why, _QUIET)
    told += _p(f"\u2068{row.question}\u2069" if row.question else "", f"color:{shade};font-size:.93em")
    word = escape(words.say(f"workshop.{row.verdict}"))
    chip = (
        f'<span style="display:inline-block;border:1.5px solid {shade};color:{shade};border-radius:1em;'
        f'padding:.05em .7em;font-weight:600;white-space:nowrap">{sign} {word}</span>'
    )
    cell = "min-width:0;overflow-wrap:anywhere"
    return (
        f'<div role="row" style="display:flex;flex-wrap:wrap;gap:.4em 1.2em;align-items:flex-start;padding:.7em 0;'
        f'border-block-start:{_LINE}"><div role="cell" style="flex:0 0 9.5em">{chip}</div>'
        f'<div role="cell" style="flex:1 1 15em;{cell}">{_p(words.say("workshop.group_says"), _QUIET)}{wrote}</div>'
        f'<div role="cell" style="flex:1 1 15em;{cell}">{_p(words.say("workshop.data_says"), _QUIET)}{told}</div></div>'
    )


def _p(text: str, style: str) -> str:
    return f'<p style="margin:0;{style}">{escape(text)}</p>' if text else ""
