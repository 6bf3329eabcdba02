"""What does a reader see first: what matters most, how it goes, who the customers are, and what nobody knows?

Takes a run's folder and perhaps that of an earlier run. Gives the content of the first page, in the language of the
readers; `templates/summary.html` sets it.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from analysis import locale, quality
from analysis.evidence import in_words, percent
from analysis.personas import face
from analysis.phrases import counted, marked, phrase, spoken
from analysis.report.findings import LEAST, bottleneck, cards, findings
from analysis.report.kpis import kpis
from analysis.report.tiles import Tile, tiles
from analysis.run import Run

__all__ = ["Summary", "findings", "summary"]


class Face(NamedTuple):
    """A persona, small: name, title, summary, drawing, and where its card may stand."""

    name: str
    title: str
    summary: str
    drawing: Markup
    places: tuple[str, ...]


class Summary(NamedTuple):
    """The content of the first page.

    Attributes
    ----------
    findings : list of (sentence, places)
        The places in the book where each is shown, the nearest first.
    bottleneck : str
        The worst, where it is not among the findings.
    tiles, faces : list of Tile and of Face
    trends, quality : str
        What the figures are compared with; the data in one line.
    untold : list of str
        What the data could not tell.
    """

    findings: list[tuple[str, tuple[str, ...]]]
    bottleneck: str
    tiles: list[Tile]
    faces: list[Face]
    trends: str
    quality: str
    untold: list[str]


#: What a table that is not there would tell.
_TABLES = {
    "orders": marked("No orders are recorded: they would tell revenue, who comes back, and each customer's rhythm."),
    "order_lines": marked("No lines of orders are recorded: they would tell what each customer buys, and with what."),
    "touchpoints": marked(
        "No contacts are recorded: visits, messages and calls would tell the way to an order, and which channels lead "
        "there."
    ),
    "feedback": marked("No feedback is recorded: it would tell how satisfied customers are, and with what."),
    "tickets": marked("No tickets are recorded: they would tell what customers complain of, and how long they wait."),
    "campaign_contacts": marked(
        "No campaigns are recorded: they would tell who answers to what, and with a control group what a contact adds."
    ),
    "survey_answers": marked("No survey is recorded: it would tell what customers want and value."),
    "brand_ratings": marked("No ratings are recorded: they would tell on what rivals are ahead."),
}

#: Columns that many chapters ask for: of the customers, of the orders; those of an age ask for the date of birth.
_COLUMNS = {
    "customers": ("birth_date", "gender", "city", "acquisition_channel", "preferred_channel", "consents"),
    "orders": ("amount", "channel", "payment_method", "discount"),
}


def summary(run: Run, previous: Path | None = None) -> Summary:
    """The first page of a run.

    Parameters
    ----------
    run : Run
        What it was found to measure is kept in its artefact `kpis`.
    previous : Path, optional
        Folder of an earlier run of the same source to compare with.
    """
    found = findings(run)
    worst = bottleneck(run)
    table = _kpis(run)
    earlier = _earlier(previous)
    return Summary(
        findings=[(f.sentence, _places(f.chapter, f.section)) for f in found.itertuples()],
        bottleneck=worst.sentence if worst and worst.what not in set(found["what"]) else "",
        tiles=tiles(table, earlier, run.about["currency"]),
        faces=_faces(run),
        trends=_compared_with(table, earlier),
        quality=_of_the_data(run),
        untold=_untold(run),
    )


# Figures and their trends


def _kpis(run: Run) -> pd.DataFrame:
    """The figures of this run; made once, as the base is read anew when anything that they rest on has changed."""
    if not run.has("kpis"):
        run.save("kpis", kpis(run.base))
    return run.read("kpis")


def _earlier(previous: Path | None) -> pd.DataFrame:
    run = Run(Path(previous)) if previous else None
    return run.read("kpis") if run and run.has("kpis") else pd.DataFrame()


def _compared_with(table: pd.DataFrame, earlier: pd.DataFrame) -> str:
    if table.empty:
        return phrase("The base spans too little time, or records too little, for figures from quarter to quarter.")
    return "" if len(earlier) else phrase("There is no earlier run to compare with.")


# The customers, the data, and what nobody knows


def _faces(run: Run) -> list[Face]:
    """The personas, largest first, as their cards tell them."""
    if not run.has("personas"):
        return []
    told = cards(run)
    order = run.read("personas").sort_values(["n", "persona"], ascending=[False, True])["persona"]
    return [_face(told[number]) for number in order if number in told]


def _face(card: dict) -> Face:
    drawing = Markup(face.svg(card["face"], card["colour"]))
    places = _places("3_personas", card["name"]) + _places("3_personas", "The cards")
    text = card["summary"]["text"] if card["summary"] else card["share_text"]
    return Face(card["name"], card["title"], text, drawing, places)


def _of_the_data(run: Run) -> str:
    """What is wrong with the data, in one line."""
    if not run.has("quality"):
        return ""
    table = run.read("quality")
    defects = table[(table["defects"] > 0) & (table["check"] != "empty")]
    bending = defects[defects["moves"] >= LEAST]
    half_empty = int((quality.completeness(table)["filled"] < 0.5).sum())
    said = [_of_defects(len(defects), bending)]
    if half_empty:
        columns = counted(half_empty, "column")
        said.append(phrase("Filled in fewer than half of the rows: {columns}.", columns=columns))
    return " ".join(said)


def _of_defects(kinds: int, bending: pd.DataFrame) -> str:
    if not kinds:
        return phrase("No defect was found in the rows that are used.")
    found = counted(kinds, "kind of defect", "kinds of defects")
    if bending.empty:
        return phrase("{found} in the rows that are used; none moves a headline by a hundredth.", found=found)
    return phrase(
        "{found} in the rows that are used; {bending:,} of them would move a headline by a hundredth or more, the "
        "worst by {most}.",
        found=found,
        bending=len(bending),
        most=percent(bending["moves"].max()),
    )


def _untold(run: Run) -> list[str]:
    """What the data could not tell, for lack of a table or a column."""
    missing = [phrase(said) for table, said in _TABLES.items() if not run.has(table)]
    for table, columns in _COLUMNS.items():
        has = set(run.base.columns(table))
        unknown = [_column(c) for c in columns if c not in has] if has else []
        if unknown:
            given = {"table": locale.named(table), "columns": locale.of(spoken()).enumerated(unknown)}
            missing.append(phrase("Of the {table} nothing says: {columns}.", **given))
    return missing


def _column(name: str) -> str:
    return in_words({"birth_date": "age"}.get(name, name))


def _places(chapter: str, heading: str) -> tuple[str, ...]:
    """Where something is shown: under a heading, which gives a place its id, or else in the chapter."""
    return f"{chapter}-{'-'.join(heading.split())}", chapter
