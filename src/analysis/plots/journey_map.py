"""The journey of one persona as a figure: how it feels, stage by stage, beside what they do and who answers for it."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import percent
from analysis.locale import named
from analysis.phrases import figure, from_the_right, phrase
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
    PALE,
    QUIET,
    canvas,
    counted,
    elided,
    finish,
    is_wide,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    room,
    segment_colour,
    write,
)
from analysis.schema import SCALES

#: Measures of the actions, feelings and ownership that stand beside the curve, most of each stage's in this order.
_BESIDE = ("reached", "time", "ends", "owned")

#: Share of the figure's width that the curve has; the rest is text.
_CURVE = 0.42


def journey_map(table: pd.DataFrame, name: str = "They", source: str | None = None) -> Axes:
    """How does one persona feel at each stage, beside everybody else, and what do they do there?

    Parameters
    ----------
    table : DataFrame, rows of one persona of the artefact `journey_map`, in the order of the stages
        persona, stage, row, statement, kind, measure, of, value, value_low, value_high, elsewhere, n, p_corrected.
    name : what the persona is called, for the title
    source : where the figures come from, for the last line

    Notes
    -----
    The curve is of the score that was asked for at most stages (CSAT, CES or NPS), from the least to the most that can
    be given, with 95 % intervals; grey is everybody else. A stage without a dot was not asked about: the line does not
    go through it. Stages run downwards, so that a dozen of them have room for words.

    Examples
    --------
    >>> stage = {"persona": 1, "row": "feelings", "statement": "", "kind": "measured", "measure": "score", "of": "csat",
    ...          "value_low": 3.5, "value_high": 4.5, "elsewhere": 4.0, "n": 40, "p_corrected": 0.5}
    >>> table = pd.DataFrame([{**stage, "stage": "cart", "value": 4.1}, {**stage, "stage": "order", "value": 3.9}])
    >>> print(journey_map(table, "Nahid").get_title())
    Nahid: CSAT from 3.9 to 4.1, and no change between stages is certain
    """
    if table.empty or not (table["stage"] != "").any():
        return nothing_to_show(phrase("the journey has no stages"))
    need = ["persona", "stage", "row", "statement", "kind", "measure", "of", "value", "value_low", "value_high",
            "elsewhere", "n", "p_corrected"]  # fmt: skip
    require_columns("journey_map", table.columns, need)
    stages = [stage for stage in table["stage"].unique() if stage != ""]
    persona = int(table["persona"].iloc[0])
    colour = segment_colour(persona) if persona > 0 else INK
    told = {stage: _told(table[table["stage"] == stage]) for stage in stages}
    score, scores = _scores(table, stages)
    axes = canvas(height=1.5 + 0.62 * len(stages))
    _draw_curve(axes, scores, score, colour)
    for i, stage in enumerate(stages):
        _write_beside(axes, i, *told[stage])
    _finish_axes(axes, stages, score)
    title = _title(table, stages, score, elided(name, 40))
    if scores.empty:
        return finish(axes, title, phrase("No scores"), _size(table), source)
    drawn = listing(((named(stage, "stage"), figure(f"{value:.1f}")) for stage, value in scores["value"].items()), 20)
    drawn = phrase("{score} by stage: {values}", score=named(score.upper()), values=drawn)
    notes = phrase("; ").join([_asked(scores), phrase("intervals 95 %"), phrase("grey: everybody else")])
    return finish(axes, title, drawn, notes, source)


def _scores(table, stages) -> tuple[str, pd.DataFrame]:
    """The score that was asked for at most stages, and its rows by stage."""
    asked = table[(table["measure"] == "score") & table["of"].isin(list(SCALES)) & table["stage"].isin(stages)]
    if asked.empty:
        return "", asked
    counts = asked.groupby("of").agg(stages=("stage", "size"), n=("n", "sum")).reset_index()
    best = counts.sort_values(["stages", "n", "of"], ascending=[False, False, True])["of"].iloc[0]
    rows = asked[asked["of"] == best].set_index("stage")
    return best, rows.assign(place=rows.index.map(stages.index))


def _draw_curve(axes, scores, score, colour) -> None:
    if scores.empty:
        return
    least, most = SCALES[score]
    scaled = (scores[["value", "value_low", "value_high", "elsewhere"]].astype(float) - least) / (most - least)
    scaled = scaled.clip(0, 1).assign(place=scores["place"])
    for column, ink, width, size in (("elsewhere", GREY, 1.2, 4), ("value", colour, 1.8, 6)):
        known = scaled.dropna(subset=column)
        for _, run in known.groupby(known["place"].diff().ne(1).cumsum()):
            axes.plot(
                run[column], run["place"], color=ink, lw=width, marker="o", ms=size, zorder=2 if ink == GREY else 3
            )
    axes.hlines(scaled["place"], scaled["value_low"], scaled["value_high"], color=colour, lw=1.2, zorder=3)
    for row in scaled.join(scores[["n"]].rename(columns={"n": "asked"})).itertuples():
        said = phrase("{value:.1f} (n = {n:,.0f})", value=scores.at[row.Index, "value"], n=row.asked)
        write(axes, said, (row.value, row.place), (0, 7), ha="center", size=8, color=colour, bbox=CLEAR, zorder=4)


def _write_beside(axes, place, lines, gain) -> None:
    """What they do there and who answers for it, right of the curve; in amber what would be gained."""
    width = int(room(1 - _CURVE - 0.22) * (1.5 if from_the_right() else 1.15))  # Persian letters are narrower
    style = {"va": "center", "size": 8, "linespacing": 1.15}
    style["multialignment"] = "right" if from_the_right() else "left"
    text = textwrap.wrap(phrase("; ").join(lines), width, max_lines=1 if gain else 3, placeholder=" …")
    write(axes, "\n".join(text), (1.06, place), (0, 17 if gain else 0), color=INK, **style)
    if gain:
        gain = textwrap.wrap(gain, width, max_lines=3, placeholder=" …")
        write(axes, "\n".join(gain), (1.06, place), (0, -7), color=ACCENT, weight="bold", **style)


def _told(rows) -> tuple[list[str], str]:
    """The statements of a stage for the text beside the curve, and its opportunity, if any."""
    rows = rows[rows["kind"] == "measured"]
    found = []
    for measure in _BESIDE:
        of = rows[rows["measure"] == measure].sort_values(["value", "of"], ascending=[False, True])
        found += of["statement"].head(1).tolist()
    found += [] if (rows["row"] == "ownership").any() else [phrase("nobody is recorded as answering for it")]
    gain = rows.loc[rows["measure"] == "opportunity", "statement"]
    return found, gain.iloc[0] if len(gain) else ""


def _finish_axes(axes, stages, score) -> None:
    axes.set_xlim(0, 1.03 / _CURVE * (1 - 0.18) if is_wide() else 1.03 / _CURVE)
    ranked_axis(axes, [name_of(named(stage, "stage")) for stage in stages])
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    if not score:
        write(axes, phrase("nobody was asked\nhow it feels"), (0.5, (len(stages) - 1) / 2), ha="center", color=QUIET)
        return
    least, most = SCALES[score]
    axes.vlines([0, 1], -0.5, len(stages) - 0.5, color=PALE, lw=0.8, zorder=1)
    for at, value in ((0, least), (1, most)):
        write(axes, figure(f"{value}"), (at, len(stages) - 0.5), (0, -11), ha="center", size=8, color=QUIET)
    scale = phrase("{score} of {most}", score=named(score.upper()), most=most)
    write(axes, scale, (0.5, len(stages) - 0.5), (0, -11), ha="center", size=8, color=QUIET)


def _asked(scores) -> str:
    least, most = scores["n"].min(), scores["n"].max()
    if least == most:
        return phrase("n = {n}", n=counted(most, "answer"))
    return phrase("n = {least:,.0f} to {most} a stage", least=least, most=counted(most, "answer"))


def _size(table) -> str:
    """How many the shares of the first stage rest on."""
    reached = table[table["measure"] == "reached"]
    if reached.empty:
        return ""
    n = reached["n"].iloc[0]
    of_deals = reached["source"].iloc[0] == "deals"
    return phrase("n = {n}", n=counted(n, "deal") if of_deals else counted(n, "customer"))


def _title(table, stages, score, name) -> str:
    """The finding: what would be gained, else where the feelings change for certain, else that nothing stands out."""
    gains = table[table["measure"] == "opportunity"]
    if len(gains):
        most = gains.iloc[0]
        return phrase(
            "{name}: at {stage} {share} of their tries go on, {elsewhere} where it goes better",
            name=name,
            stage=elided(named(most["stage"], "stage"), 30),
            share=percent(most["value"]),
            elsewhere=percent(most["elsewhere"]),
        )
    if not score:
        return phrase("{name}: {n} stages, and nobody was asked how they feel", name=name, n=len(stages))
    changes = table[(table["measure"] == "change") & (table["p_corrected"] < 0.05)]
    if len(changes):
        return _change(changes.loc[changes["value"].abs().idxmax()], name)
    scores = table[(table["measure"] == "score") & (table["of"] == score)]["value"]
    said = {"name": name, "score": named(score.upper()), "low": scores.min(), "high": scores.max()}
    return phrase("{name}: {score} from {low:.1f} to {high:.1f}, and no change between stages is certain", **said)


def _change(row: pd.Series, name: str) -> str:
    """Where the feelings change for certain."""
    stage = elided(named(row["stage"], "stage"), 30)
    said = {"name": name, "score": named(row["of"].split()[0].upper()), "points": abs(row["value"]), "stage": stage}
    if row["value"] < 0:
        return phrase("{name}: {score} is {points:.1f} points lower at {stage} than at the stage before", **said)
    return phrase("{name}: {score} is {points:.1f} points higher at {stage} than at the stage before", **said)
