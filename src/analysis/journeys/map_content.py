"""What stands on the map of one persona, in words: of all that was measured what a reader needs, cell by cell.

Takes the rows of one persona and a language. Gives one dictionary of texts, from which HTML is drawn without a further
decision. The rest of what was measured stands in its evidence.
"""

import pandas as pd

from analysis import locale as locales
from analysis.journeys import map_words
from analysis.journeys.map_measures import EVERYBODY
from analysis.schema import SCALES

#: Colours of the palette, in turn: as on the persona cards.
_COLOURS = 8

#: How many lines of each measure stand in a cell: what sets them apart first, then the largest.
_AT_MOST = {"does": 2, "through": 2, "raised": 2, "unhappy": 1, "score": 3, "owned": 2, "closed": 1, "in_time": 1,
            "satisfied": 1, "agrees": 3}  # fmt: skip

#: Shares below this are not worth a line, unless they set a persona apart.
SELDOM = 0.01

#: Of a topic or a team, what is known of fewer customers has no line.
_FEW = 20

#: Which rows of the feelings are thought, felt and done.
_MIND = {"raised": "think", "unhappy": "think", "agrees": "think", "score": "feel", "change": "feel", "ends": "do"}


def content(table: pd.DataFrame, persona: pd.Series, stages: list[str], about) -> dict:
    """Everything that a map shows, in one language.

    Parameters
    ----------
    table : DataFrame, rows of one persona of the artefact `journey_map`
    persona : Series with name, title, n, share; its name is the persona's number
    stages : list of str
    about : mapping with language, as_of, level_days, level_given

    Returns
    -------
    dict
        language, direction, colour (None for everybody), kicker, name, title, share_text; head and each of stages'
        cells: a list of row (key), title, lines; a line has text, detail, kind, question, tag, apart; stages have name
        and curve (None, or score, low, high, elsewhere as shares of the scale); legend, evidence, footer.
    """
    locale = locales.of(about["language"])
    table = table.assign(mark=_marks(table, locale), n=table["n"].astype("float64"))
    shown = _told(table)
    curves = _curve(table, stages)
    heads = [_cell(shown, "", row, locale) for row in ("script", "goals", "feelings")]
    return {
        "language": locale.language,
        "direction": locale.direction,
        "colour": None if persona.name == EVERYBODY else (int(persona.name) - 1) % _COLOURS,
        "kicker": locale.say("map.kicker", stages=len(stages)),
        "name": persona["name"],
        "title": persona["title"],
        "share": float(persona["share"]),
        "share_text": locale.say(
            "map.deals" if about["of_deals"] else "card.share",
            n=int(persona["n"]),
            share=locale.percent(persona["share"]),
        ),
        "row_persona": locale.say("map.row_persona"),
        "whole": locale.say("map.whole"),
        "head": [cell for cell in heads if cell["lines"]],
        "stages": [
            {
                "name": map_words.stage_name(stage, locale),
                "number": locale.number(i + 1),
                "cells": [_cell(shown, stage, row, locale) for row in map_words.ROWS[1:]],
                "curve": curves.get(stage),
            }
            for i, stage in enumerate(stages)
        ],
        "curve_text": _curve_text(table, stages, curves, locale),
        "legend": {kind: locale.say(f"kinds.{kind}") for kind in ("measured", "assumption")}
        | {"apart": locale.say("map.legend_apart")},
        "evidence": _evidence(table, locale),
        "footer": _footer(about, locale),
    }


def _marks(table, locale) -> list[str]:
    """The number of each measured row in the evidence."""
    measured = table["kind"].eq("measured") & table["n"].notna()
    return [locale.number(n) if so else "" for n, so in zip(measured.cumsum(), measured, strict=True)]


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a line, in the order of the table."""
    apart = pd.Series([map_words.differs(row) for row in table.itertuples()], table.index, dtype=bool)
    table = table.assign(apart=apart, size=table["n"].astype(float).where(table["unit"] != "share", table["value"]))
    share, few = table["unit"] == "share", table["n"].astype("float64") < _FEW
    seldom = share & (table["value"] < SELDOM) & table["measure"].isin(["does", "through", "raised", "owned"])
    table = table[~(seldom & ~apart) & ~(table["measure"].isin(["unhappy", "closed", "in_time", "satisfied"]) & few)]
    table = table[(table["measure"] != "change") | (table["p_corrected"] < 0.05)]
    ranked = table.assign(first=~table["apart"], less=-table["size"])
    ranked = ranked.sort_values(["stage", "row", "measure", "first", "less", "of"], kind="stable")
    place = ranked.groupby(["stage", "row", "measure"]).cumcount()
    kept = ranked[place < ranked["measure"].map(_AT_MOST).fillna(len(ranked))]
    return table.loc[kept.index.sort_values()]


def _cell(table, stage, row, locale) -> dict:
    of = table[(table["stage"] == stage) & (table["row"] == row)]
    lines = [_line(r, locale) for r in of.itertuples()]
    if row == "feelings":
        order = ("feel", "think", "do")
        lines.sort(key=lambda line: order.index(line["tag_key"]) if line["tag_key"] else len(order))
    return {"row": row, "title": locale.say(f"map.row_{row}"), "lines": lines}


def _line(row, locale) -> dict:
    tag = _MIND.get(row.measure) if row.row == "feelings" else None
    return {
        "text": row.statement,
        "detail": map_words.detail(row, locale) if row.kind == "measured" else "",
        "kind": row.kind,
        "question": row.question,
        "tag_key": tag,
        "tag": locale.say(f"map.{tag}") if tag else "",
        "apart": row.apart or row.measure == "opportunity",
        "mark": row.mark,
        "alarm": row.kind == "assumption" and row.row == "ownership",
    }


def _curve(table, stages) -> dict:
    """The score that was asked for at most stages, stage by stage, as a share of its scale."""
    scores = table[(table["measure"] == "score") & table["stage"].isin(stages) & table["of"].isin(list(SCALES))]
    if scores.empty:
        return {}
    asked = scores.groupby("of").agg(stages=("stage", "size"), n=("n", "sum")).reset_index()
    best = asked.sort_values(["stages", "n", "of"], ascending=[False, False, True])["of"].iloc[0]
    least, most = SCALES[best]
    of = scores[scores["of"] == best].set_index("stage")
    figures = (
        of[["value", "value_low", "value_high", "elsewhere"]].astype(float).sub(least).div(most - least).clip(0, 1)
    )
    figures.columns = ["score", "low", "high", "elsewhere"]
    return {stage: {"of": best, **row} for stage, row in figures.to_dict("index").items()}


def _curve_text(table, stages, curves, locale) -> str:
    if not curves:
        return ""
    name = next(iter(curves.values()))["of"]
    of = table[(table["measure"] == "score") & (table["of"] == name)].set_index("stage")
    values = [f"{map_words.stage_name(s, locale)} {locale.number(of.at[s, 'value'], 1)}" for s in stages if s in curves]
    return locale.say("map.curve", name=locale.value(name), values=locale.enumerated(values))


def _evidence(table, locale) -> dict:
    heads = ("mark", "statement", "n", "here", "elsewhere", "difference", "interval", "source")
    rows = [_evidence_row(row, locale) for row in table[table["mark"] != ""].itertuples()]
    return {
        "title": f"{locale.say('map.evidence')} ({locale.number(len(rows))})",
        "head": [locale.say(f"heads.{name}") for name in heads],
        "rows": rows,
    }


def _evidence_row(row, locale) -> list[str]:
    where = map_words.stage_name(row.stage, locale) if row.stage else locale.say("map.whole")
    here, elsewhere = (map_words.figure(x, row.unit, locale) for x in (row.value, row.elsewhere))
    difference = map_words.span(row.difference, row.difference, row.unit, locale)
    alone = pd.isna(row.elsewhere)
    bounds = [map_words.figure(x, row.unit, locale) for x in (row.low, row.high)]
    interval = (
        locale.say("card.interval", low=bounds[0], high=bounds[1])
        if alone
        else map_words.span(row.low, row.high, row.unit, locale)
    )
    said = f"{where}: {row.statement}"
    return [row.mark, said, locale.number(row.n), here, elsewhere, difference, interval, locale.value(row.source)]


def _footer(about, locale) -> list[str]:
    said = [locale.say("map.footer", day=locale.date(about["as_of"])), locale.say("map.footer_year")]
    level = map_words.duration(about["level_days"], locale)
    if level == "–":
        return said
    return [*said, locale.say("map.level_given" if about["level_given"] else "map.level_found", level=level)]
