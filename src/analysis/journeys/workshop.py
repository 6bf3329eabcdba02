"""What does a team believe about a persona's journey, and do the data agree?

Gives an empty map to print, on which groups of three draw the journey of a persona by hand, and a template in which a
group writes down what it drew. Takes a filled template and the artefact `journey_map`, and lays each statement beside
the figure that speaks of it: agreed, contradicted or unknown.
"""

import base64
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import typst

from analysis import kept_file
from analysis import locale as locales
from analysis.errors import Problem, did_you_mean, require_columns
from analysis.journeys import workshop_html

#: The rows of the map, in its order.
ROWS = ("persona", "script", "goals", "actions", "feelings", "opportunities", "ownership")

#: The steps of the exercise and their minutes: ninety in all, with the report.
STEPS = {"meet": 10, "act": 20, "feel": 15, "find": 15, "mark": 10, "report": 20}
ROLES = ("writes", "asks", "reports")

VERDICTS = ("agreed", "contradicted", "unknown")

#: So many stages leave room to write in each.
_STAGES_PER_PAGE = 6

#: How far off a guess around a table may be and still be right: shares by ten points, scores by half a point, days by
#: half as much again. Chosen before any figure was seen: people guess in tens and halves.
NEAR = {"share": 0.10, "score": 0.5, "days": 1.5}

#: What a claim names, and the measures of the map that tell of it; what it says of it.
NAMES = {"channel": "through", "event": "does", "topic": "raised", "unhappy": "unhappy", "team": "owned"}
FIGURES = {"reach": "reached", "go_on": "goes_on", "days": "time", "score": "score"}

#: One of each claim, as the template shows it.
_EXAMPLES = (
    *('channel = "phone"', 'event = "product_view"', 'topic = "late delivery"', 'unhappy = "late delivery"'),
    *('team = "logistics"', "share = 0.6", "reach = 0.4", "go_on = 0.7", "days = 3", "score = 4.2"),
    'instrument = "nps"',
)

_TYPES = {
    **{"persona": int, "stage": str, "row": str, "statement": str},
    **dict.fromkeys((*NAMES, "instrument"), str),
    **dict.fromkeys(("share", *FIGURES), float),
}
_BESIDE = [
    *("persona", "stage", "row", "statement", "claim", "verdict", "measure", "of", "value", "low", "high", "n", "unit"),
    *("source", "data", "why", "question"),
]
_NEEDED = ["persona", "stage", "row", "measure", "of", "value", "n", "unit", "source", "question"]
_HERE = Path(__file__).parent
_FONTS = _HERE.parent / "personas" / "fonts"


@dataclass(frozen=True)
class Worksheet:
    """An empty map to print, with the template to write down what was drawn; in Jupyter it shows its first page.

    Attributes
    ----------
    content : dict
        Every text of the sheet.
    template : str
        The TOML file to fill; :func:`lay_beside` reads it.
    """

    content: Mapping
    template: str

    def pdf(self) -> bytes:
        """The sheets as a PDF, A4 landscape; the same content gives the same bytes."""
        return _compiled(json.dumps(self.content), "pdf", None)

    def png(self, pixels_per_inch: int = 150) -> list[bytes]:
        """A picture of each sheet."""
        made = _compiled(json.dumps(self.content), "png", pixels_per_inch)
        return made if isinstance(made, list) else [made]

    def save(self, folder: str | Path) -> list[Path]:
        """Write the PDF, a picture of each sheet and the template into a folder.

        Returns
        -------
        list of Path
            ``worksheet-<language>.pdf``, ``worksheet-<language>-<n>.png`` and ``filled-<language>.toml``. A template
            that is there already stays as it is: somebody may have written in it.
        """
        folder, language = Path(folder), self.content["language"]
        folder.mkdir(parents=True, exist_ok=True)
        files = {f"worksheet-{language}-{n}.png": page for n, page in enumerate(self.png(), 1)}
        files = {f"worksheet-{language}.pdf": self.pdf()} | files
        for name, data in files.items():
            (folder / name).write_bytes(data)
        template = folder / f"filled-{language}.toml"
        if not template.exists():
            template.write_text(self.template, encoding="utf-8")
        return [*(folder / name for name in files), template]

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.png(96)[0]).decode()
        alt = escape(self.content["alt"], quote=True)
        return f'<img alt="{alt}" style="width:100%;max-width:72em" src="data:image/png;base64,{picture}">'


@dataclass(frozen=True)
class Beside:
    """What a group wrote, beside the data; in Jupyter it shows itself.

    Attributes
    ----------
    table : DataFrame, one row per statement
        persona, stage, row, statement, as the group wrote them; claim, in words; verdict, "agreed", "contradicted" or
        "unknown"; measure, of, value with its interval low, high, n, unit and source, of the figure that it was held
        against; data, the same in words; why; question, what to ask where it is unknown.
    language : {"en", "fa"}
    """

    table: pd.DataFrame
    language: str

    @property
    def words(self) -> str:
        """How many statements agree, how many do not, how many cannot be told."""
        counts = {verdict: int((self.table["verdict"] == verdict).sum()) for verdict in VERDICTS}
        return locales.of(self.language).say("workshop.counts", **counts)

    def save(self, path: str | Path) -> Path:
        """Write it as one page of HTML."""
        path = Path(path)
        path.write_text(workshop_html.page(self), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        return workshop_html.element(self)


def worksheet(stages: Sequence[str], personas: pd.DataFrame | None = None, language: str = "en") -> Worksheet:
    """An empty journey map for groups of three, to print and fill by hand.

    Parameters
    ----------
    stages : sequence of str
        The stages of the map in order, e.g. those of the artefact `journey_map`.
    personas : DataFrame, the artefact of that name, optional
        persona, name, title: a sheet for each, with its name and title. Without it, one sheet with room for both.
    language : {"en", "fa"}

    Returns
    -------
    Worksheet

    Raises
    ------
    Problem
        No stage, or no such language.

    Notes
    -----
    Seven rows (persona, script, goals and expectations, actions, thoughts and feelings, opportunities, ownership), the
    three roles, the steps with their minutes (ninety in all). More than six stages go on to a further sheet.

    Examples
    --------
    >>> sheet = worksheet(["visit", "cart", "order"])
    >>> sheet.content["pages"][0]["stages"], sheet.pdf()[:5]
    (['visit', 'cart', 'order'], b'%PDF-')
    """
    words = locales.of(language)
    stages = [str(stage) for stage in stages if str(stage)]
    if not stages:
        raise Problem('A worksheet needs stages, e.g. worksheet(["aware", "consider", "order"]).')
    whose = pd.DataFrame({"persona": [1], "name": [""], "title": [""]}) if personas is None else pd.DataFrame(personas)
    require_columns("personas", whose.columns, ["persona", "name", "title"])
    whose = whose.fillna({"name": "", "title": ""}).sort_values("persona", kind="stable")
    return Worksheet(_sheet(words, stages, whose), _template(words, stages, whose))


def lay_beside(filled: str | Path | pd.DataFrame, journey_map: pd.DataFrame, language: str = "en") -> Beside:
    """What a group wrote on its map, beside the data: agreed, contradicted or unknown.

    Parameters
    ----------
    filled : path of a TOML or CSV file, or DataFrame
        persona (number), stage (empty: the whole journey), row, statement, and perhaps a claim: channel, event, topic,
        unhappy or team alone (it is the commonest), or with share; team with days; reach, go_on, days, score (of
        instrument, default csat). The template of :func:`worksheet` says what each means.
    journey_map : DataFrame, the artefact of that name
    language : {"en", "fa"}

    Returns
    -------
    Beside

    Raises
    ------
    Problem
        The file cannot be read; an unknown column, persona, stage or row; a share beyond 0 to 1.

    Notes
    -----
    A figure agrees where it is as near to the claim as people guess (`NEAR`), and contradicts where even the near bound
    of its 95 % interval is further off. In between, and where the interval reaches beyond what would be near on both
    sides, it is unknown. A claim to be the commonest agrees if its share is larger than that of the next for certain
    (their intervals do not meet). What holds no claim is unknown, with the question to ask.

    Examples
    --------
    >>> known = dict(persona=1, stage="order", row="actions", statement="", kind="measured", measure="through",
    ...              of="phone", value=0.6, value_low=0.55, value_high=0.65, n=400, unit="share", source="touchpoints",
    ...              question="")
    >>> wrote = dict(persona=1, stage="order", row="actions", statement="They call", channel="phone", share=0.5)
    >>> lay_beside(pd.DataFrame([wrote]), pd.DataFrame([known])).table["verdict"].tolist()
    ['agreed']
    """
    words = locales.of(language)
    require_columns("journey_map", journey_map.columns, _NEEDED)
    known = _with_own_interval(journey_map)
    where, entries = _entries(filled)
    told = [_checked(where, n, entry, known) for n, entry in enumerate(entries, 1) if _says_something(entry)]
    rows = [_beside(entry, known, words) for entry in told]
    return Beside(pd.DataFrame(rows, columns=_BESIDE), language)


# --- the sheet --------------------------------------------------------------------------------------------------------


def _sheet(words, stages: list[str], personas: pd.DataFrame) -> dict:
    """Every text of the worksheet."""
    say = words.say
    parts = [stages[i : i + _STAGES_PER_PAGE] for i in range(0, len(stages), _STAGES_PER_PAGE)]
    return {
        "language": words.language,
        "direction": words.direction,
        "title": say("workshop.title"),
        "name_label": say("workshop.persona_name"),
        "title_label": say("workshop.persona_title"),
        "stage_label": say("workshop.stage"),
        "steps_label": say("workshop.steps"),
        "alt": say("workshop.alt", n=len(stages)),
        "roles": [say(f"workshop.role_{role}") for role in ROLES],
        "steps": [
            {"minutes": say("workshop.minutes", n=n), "text": say(f"workshop.step_{s}")} for s, n in STEPS.items()
        ],
        "rows": [{"key": r, "label": say(f"workshop.row_{r}"), "prompt": say(f"workshop.prompt_{r}")} for r in ROWS],
        "pages": [
            {
                "name": str(row.name_),
                "title": str(row.title_),
                "stages": [words.value(stage, "stage") for stage in part],
                "note": say("workshop.sheet", n=n, count=len(parts)) if len(parts) > 1 else "",
            }
            for row in personas.rename(columns={"name": "name_", "title": "title_"}).itertuples()
            for n, part in enumerate(parts, 1)
        ],
    }


def _template(words, stages: list[str], personas: pd.DataFrame) -> str:
    """A TOML file with an empty statement for each persona and stage, and how to fill it."""
    whose = ", ".join(f"{row.persona} {row[2]}".strip() for row in personas[["persona", "name"]].itertuples())
    names = {"rows": ", ".join(ROWS), "stages": ", ".join(stages), "personas": whose}
    claims = [f"  {claim:<25} {words.say(f'workshop.help_{claim.split()[0]}')}" for claim in _EXAMPLES]
    head = "\n".join([words.say("workshop.template"), *claims, words.say("workshop.template_names", **names)])
    entry = {"persona": 1, "stage": "", "row": "actions", "statement": ""}
    blocks = [
        kept_file.block("statements", entry | {"persona": int(persona), "stage": stage})
        for persona in personas["persona"]
        for stage in stages
    ]
    return "\n".join([*(f"# {line}" for line in _plain(head).splitlines()), "", *blocks])


def _plain(text: str) -> str:
    """Without the marks that keep a direction on a page: a file of TOML may not have them in what is copied."""
    return text.translate(dict.fromkeys(map(ord, "\u2068\u2069\u200e")))


def _compiled(sheet: str, form: str, pixels_per_inch: int | None):
    return _compiler().compile(format=form, ppi=pixels_per_inch, sys_inputs={"sheet": sheet})


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(_HERE / "worksheet.typ", root=_HERE, font_paths=[_FONTS])


# --- reading what a group wrote ---------------------------------------------------------------------------------------


def _entries(filled) -> tuple[str, list[dict]]:
    """Where it stands, and what each statement has."""
    if isinstance(filled, pd.DataFrame):
        return "The table", _of_table("The table", filled)
    file = Path(filled)
    if not file.is_file():
        raise Problem(f"There is no file {file}. Name the TOML or CSV file in which the group wrote its map.")
    if file.suffix.lower() == ".csv":
        return file.name, _of_table(file.name, _csv(file))
    kept_file.read(file, ("statements",), _TYPES)  # says in a sentence what is wrong
    raw = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("statements", [])
    return file.name, raw


def _csv(file: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(file, dtype="str", encoding="utf-8-sig", keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as e:
        raise Problem(f"{file} cannot be read as CSV in UTF-8: {e}. Save it anew, or use the TOML template.") from None


def _of_table(where: str, table: pd.DataFrame) -> list[dict]:
    """The rows of a table without their empty cells, numbers as numbers."""
    for column in table.columns:
        if column not in _TYPES:
            raise Problem(f'{where} has an unknown column "{column}".{did_you_mean(column, _TYPES)} '
                          f"It may have: {', '.join(_TYPES)}.")  # fmt: skip
    require_columns(where, table.columns, ["persona", "row", "statement"])
    rows = table.astype(object).where(table.notna(), "").to_dict("records")
    return [{name: _typed(where, name, value) for name, value in row.items() if str(value).strip()} for row in rows]


def _typed(where: str, name: str, value):
    if _TYPES[name] is str or not isinstance(value, str):
        return value
    text = value.translate(str.maketrans({"٫": ".", "٪": "%", "٬": ""})).strip()
    try:
        number = float(text.removesuffix("%"))
        return int(number) if _TYPES[name] is int else number / (100 if text.endswith("%") else 1)
    except ValueError:
        raise Problem(f'{where}: {name} must be a number, not "{value}".') from None


def _says_something(entry: dict) -> bool:
    return any(str(entry.get(name, "")).strip() for name in ("statement", *NAMES, "share", *FIGURES))


def _checked(where: str, n: int, entry: dict, known: pd.DataFrame) -> dict:
    """A statement whose persona, stage and row are those of the map."""
    entry = {"stage": "", "row": "", "statement": ""} | entry
    allowed = {
        "persona": sorted(known["persona"].unique()),
        "stage": ["", *dict.fromkeys(stage for stage in known["stage"] if stage)],
        "row": list(ROWS),
    }
    entry["row"] = _row_named(entry["row"])
    for name, values in allowed.items():
        if entry.get(name) not in values:
            found = f'"{entry[name]}"' if name in entry else "none"
            near = did_you_mean(str(entry.get(name, "")), [v for v in map(str, values) if v])
            there = ", ".join(str(v) for v in values if v != "")
            raise Problem(f"{where}, statement {n}: there is no {name} {found} on the map.{near} There are: {there}.")
    for name in ("share", "reach", "go_on"):
        if not 0 <= entry.get(name, 0) <= 1:
            raise Problem(
                f"{where}, statement {n}: {name} must lie between 0 and 1 (0.6 for 60 %), not {entry[name]:g}."
            )
    if "share" in entry and not any(entry.get(name) for name in NAMES):
        raise Problem(f"{where}, statement {n}: share = {entry['share']:g} of what? Add one of: {', '.join(NAMES)}.")
    return entry


def _row_named(row: str) -> str:
    """The row by its key or by what either language calls it."""
    called = {locales.of(language).say(f"workshop.row_{r}"): r for language in ("en", "fa") for r in ROWS}
    return {name.casefold(): r for name, r in called.items()}.get(row.strip().casefold(), row.strip().casefold())


# --- beside the data --------------------------------------------------------------------------------------------------


def _with_own_interval(journey_map: pd.DataFrame) -> pd.DataFrame:
    """The measured rows with the interval of the value itself, not of its difference to the others."""
    own = {"own_low": "value_low", "own_high": "value_high"}
    if "value_low" not in journey_map:
        own = {"own_low": "low", "own_high": "high"}
    require_columns("journey_map", journey_map.columns, own.values())
    known = journey_map.assign(**{name: journey_map[column].astype("float64") for name, column in own.items()})
    return known.fillna({"stage": "", "of": "", "question": "", "source": ""}).astype({"value": "float64"})


def _beside(entry: dict, known: pd.DataFrame, words) -> dict:
    """One statement with its verdict, the figure it was held against, and why."""
    cell = known[(known["persona"] == entry["persona"]) & (known["stage"] == entry["stage"])]
    claim, judged = _judged(entry, cell[cell["value"].notna()], words)
    verdict, against, why = judged
    asks = cell.loc[(cell["row"] == entry["row"]) & (cell["question"] != ""), "question"]
    question = asks.iloc[0] if len(asks) else words.say(f"workshop.ask_{entry['row']}")
    figures = {} if against is None else _figures(against, words)
    said = {name: entry[name] for name in ("persona", "stage", "row", "statement")}
    return (
        said
        | figures
        | {"claim": claim, "verdict": verdict, "why": why, "question": "" if verdict != "unknown" else question}
    )


def _judged(entry: dict, cell: pd.DataFrame, words) -> tuple[str, tuple]:
    """The claim in words, and verdict, figure and reason."""
    name = next((name for name in NAMES if entry.get(name)), None)
    if name and ("share" in entry or "days" in entry):
        of, figure = str(entry[name]), "share" if "share" in entry else "days"
        measure = NAMES[name] if figure == "share" else "closed"
        claim = words.say("workshop.claim_of", of=words.value(of), value=_told(entry[figure], figure, words))
        return claim, _against(entry, figure, cell[(cell["measure"] == measure) & _same(cell["of"], of)], words)
    if name:
        claim = words.say("workshop.claim_commonest", of=words.value(str(entry[name])))
        return claim, _commonest(str(entry[name]), cell[cell["measure"] == NAMES[name]], words)
    figure = next((figure for figure in FIGURES if figure in entry), None)
    if figure is None:
        return "", ("unknown", None, words.say("workshop.why_free"))
    rows = cell[cell["measure"] == FIGURES[figure]]
    if figure == "score":
        rows = rows[_same(rows["of"], entry.get("instrument", "csat"))]
    unit = "share" if figure in ("reach", "go_on") else figure
    claim = words.say(f"workshop.claim_{figure}", value=_told(entry[figure], unit, words))
    return claim, _against(entry, figure, rows, words)


def _told(figure: float, unit: str, words) -> str:
    """A figure with its unit."""
    if unit == "share":
        return words.percent(figure)
    number = words.number(figure, 0 if figure == round(figure) else 1)
    return words.say("workshop.in_days", value=number) if unit == "days" else number


def _same(names: pd.Series, name: str) -> pd.Series:
    return names.astype(str).str.casefold().str.replace("_", " ") == name.casefold().replace("_", " ").strip()


def _against(entry: dict, figure: str, rows: pd.DataFrame, words) -> tuple:
    """A claimed figure against that of the map: of several that of the statement's own row, then of most customers."""
    if rows.empty:
        return "unknown", None, words.say("workshop.why_no_row")
    rows = rows.assign(own=rows["row"] == entry["row"]).sort_values(["own", "n", "of"], ascending=[False, False, True])
    row, kind = rows.iloc[0], figure if figure in NEAR else "share"
    least, most = _near(entry[figure], kind)
    low, high = (x if np.isfinite(x) else row["value"] for x in (row["own_low"], row["own_high"]))
    points = {"n": round(100 * NEAR["share"])} if kind == "share" else {}
    near = words.say(f"workshop.near_{kind}", **points)
    if low > most or high < least:
        return "contradicted", row, words.say("workshop.why_far", near=near)
    if low < least and high > most:
        return "unknown", row, words.say("workshop.why_wide")
    if least <= row["value"] <= most:
        return "agreed", row, words.say("workshop.why_near", near=near)
    return "unknown", row, words.say("workshop.why_between", near=near)


def _near(claim: float, kind: str) -> tuple[float, float]:
    """Between which figures a guess is right; the edges belong to it, whatever the last bit says."""
    if kind == "days":
        return claim / NEAR["days"] - 1e-9, claim * NEAR["days"] + 1e-9
    return claim - NEAR[kind] - 1e-9, claim + NEAR[kind] + 1e-9


def _commonest(name: str, rows: pd.DataFrame, words) -> tuple:
    """Whether what was named is the commonest of its kind at this stage."""
    if rows.empty:
        return "unknown", None, words.say("workshop.why_no_row")
    rows = rows.sort_values(["value", "of"], ascending=[False, True])
    shares = [f"{words.value(row.of)} {words.percent(row.value)}" for row in rows.head(3).itertuples()]
    shares = words.enumerated(shares)
    mine, others = rows[_same(rows["of"], name)], rows[~_same(rows["of"], name)]
    if others.empty or (len(mine) and mine.iloc[0]["own_low"] > others.iloc[0]["own_high"]):
        return "agreed", mine.iloc[0], words.say("workshop.why_commonest", shares=shares)
    most = {"most": words.value(others.iloc[0]["of"]), "shares": shares}
    # the map names the commonest few: what it does not name is rarer than these
    if mine.empty or others.iloc[0]["own_low"] > mine.iloc[0]["own_high"]:
        return "contradicted", (mine if len(mine) else others).iloc[0], words.say("workshop.why_not_commonest", **most)
    return "unknown", mine.iloc[0], words.say("workshop.why_not_clear", **most)


def _figures(row: pd.Series, words) -> dict:
    """The figure that a statement was held against, in numbers and in words."""
    given = {"value": _told(row["value"], row["unit"], words), "n": int(row["n"])}
    given["source"] = row["source"] if words.language == "en" else words.value(row["source"])
    if row["of"]:
        given["value"] = words.say("workshop.claim_of", of=words.value(row["of"]), value=given["value"])
    bounded = np.isfinite([row["own_low"], row["own_high"]]).all()
    bounds = {name: _told(row[f"own_{name}"], row["unit"], words) for name in ("low", "high")} if bounded else {}
    said = words.say("workshop.figure" if bounded else "workshop.figure_alone", **given, **bounds)
    names = ("measure", "of", "value", "n", "unit", "source")
    return {**{name: row[name] for name in names}, "low": row["own_low"], "high": row["own_high"], "data": said}
