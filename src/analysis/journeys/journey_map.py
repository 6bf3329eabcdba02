"""The journey map of each persona: seven rows for each stage, filled from what customers did and said.

Takes a base, the personas and who belongs to which. Gives a table in which every statement carries its evidence and
everything else is an assumption with the question to ask; the opportunities; and for each persona a map to look at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import evidence
from analysis import locale as locales
from analysis.errors import Problem, require_columns
from analysis.expressions import last_day, tables_until
from analysis.journeys import map_html, map_words
from analysis.journeys.map_content import SELDOM, content
from analysis.journeys.map_measures import EVERYBODY, WHOLE, measures
from analysis.journeys.map_rows import FEWEST, map_rows
from analysis.journeys.opportunities import OPPORTUNITY_COLUMNS, compared, opportunities
from analysis.journeys.steps import default_steps
from analysis.phrases import phrase

MAP_COLUMNS = ["persona", "stage", "row", "statement", "kind", "measure", "of", "value", "value_low", "value_high",
               "elsewhere", "difference", "low", "high", "n", "n_elsewhere", "p_corrected", "effect", "unit", "source",
               "question"]  # fmt: skip

_WHERE = ["persona", "stage", "action", "channel", "compared_with"]
GAIN_COLUMNS = [*_WHERE, *(c for c in OPPORTUNITY_COLUMNS if c not in {*_WHERE, "place"}), "assumption", "statement"]

#: Of the lines of a persona's card so many stand on the map.
_FROM_THE_CARD = 3

#: Parts of the card that belong to a row of the whole journey.
_ROW_OF = {"needs": "script", "goals": "goals", "pains": "feelings"}


@dataclass(frozen=True)
class JourneyMap:
    """The map of one persona in one language; in Jupyter it shows itself.

    Attributes
    ----------
    content : dict
        Every text of the map: name, head (what holds for the whole journey), stages with their cells, evidence.
    table : DataFrame
        Its rows of the artefact `journey_map`.
    """

    content: Mapping
    table: pd.DataFrame

    def _repr_html_(self) -> str:
        return map_html.map_html(self.content)

    def save(self, path: str | Path) -> Path:
        """Write the map as one page of HTML, for a screen, a phone or paper (A4 landscape)."""
        path = Path(path)
        path.write_text(map_html.page(self.content), encoding="utf-8")
        return path


@dataclass(frozen=True)
class JourneyMaps:
    """The maps of all personas; iterating gives each, an index the one of that persona.

    Attributes
    ----------
    journey_map : DataFrame, one row per persona, stage and statement
        persona, stage (empty for the whole journey), row, statement, kind ("measured" or "assumption"), measure, of,
        value with its own 95 % interval value_low, value_high, elsewhere, difference, low, high, n, n_elsewhere,
        p_corrected, effect, unit, source, question. low and high are the interval of the difference; where there is
        nobody to compare with, that of the value.
    opportunities : DataFrame, one row per persona and step that does better elsewhere, most gained first
        persona, stage, action, channel, compared_with ("persona" or "channel"), with_persona, with_channel, and the
        figures of :func:`analysis.journeys.opportunities.opportunities`, with assumption and statement.
    personas : DataFrame
        persona, name, title, n, share.
    stages : list of str
    why : str
        Why these stages, or why there are none.
    """

    journey_map: pd.DataFrame
    opportunities: pd.DataFrame
    personas: pd.DataFrame
    stages: list
    why: str
    about: Mapping

    def __iter__(self) -> Iterator[JourneyMap]:
        return (self[number] for number in self.personas["persona"])

    def __len__(self) -> int:
        return len(self.personas)

    def __getitem__(self, persona: int) -> JourneyMap:
        if persona not in set(self.personas["persona"]):
            known = ", ".join(str(number) for number in self.personas["persona"])
            raise Problem(f"There is no map of persona {persona}. There are: {known or 'none'}.")
        table = self.journey_map[self.journey_map["persona"] == persona].reset_index(drop=True)
        row = self.personas.set_index("persona").loc[persona]
        return JourneyMap(content(table, row, self.stages, self.about), table)

    @property
    def words(self) -> list[str]:
        """What would be gained, most first, with the persona's name before it."""
        names = self.personas.set_index("persona")["name"]
        return [f"{names[gain.persona]}: {gain.statement}" for gain in self.opportunities.itertuples()]

    def save(self, folder: str | Path) -> list[Path]:
        """Write each map as a page of its own, ``persona-<number>.html``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return [self[number].save(folder / f"persona-{number}.html") for number in self.personas["persona"]]

    def _repr_html_(self) -> str:
        return "".join(each._repr_html_() for each in self) or map_html.paragraph(self.why)


def map(
    base: Mapping[str, IntoFrame],
    personas: pd.DataFrame | None = None,
    segments: pd.DataFrame | None = None,
    persona_traits: pd.DataFrame | None = None,
    steps: Sequence[str] | None = None,
    as_of: date | None = None,
    level_days: float | None = None,
    language: str = "en",
) -> JourneyMaps:
    """The journey map of each persona, filled from what customers did and said.

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
    personas : DataFrame, the artefact of that name, optional
        Without it there is one map, of everybody.
    segments : DataFrame, one row per customer, needed with `personas`
        customer_id and segment, the number of the persona.
    persona_traits : DataFrame, the artefact of that name, optional
        Tells goals, needs and pains; without it these are assumptions.
    steps : sequence of str, optional
        The stages in order; default those of :func:`default_steps`.
    as_of : date, optional
        Last day to look at; default the base's own.
    level_days : float, optional
        Days within which a ticket should be closed; default the time within which four in five of all tickets are.
    language : {"en", "fa"}

    Returns
    -------
    JourneyMaps
        Without a map where the base has no journey; `why` then says what is missing.

    Raises
    ------
    Problem
        Personas without segments, segments of other customers or other groups, an unknown step or language, a level
        that is no length of time.

    Notes
    -----
    A stage counts as reached whatever happened before. How long until a later stage is a survival estimate, in which
    those who have not gone on count for as long as they were seen. Tickets belong to the stage of the customer's last
    event before. All differences of the table are corrected together (see :func:`analysis.journeys.map_rows.map_rows`);
    what would be gained is estimated as in :func:`analysis.journeys.opportunities.opportunities`.

    Examples
    --------
    >>> at = pd.to_datetime(["2025-03-20", "2025-03-21"] * 6, utc=True)
    >>> touchpoints = pd.DataFrame({"customer_id": sorted("abcdef" * 2), "occurred_at": at,
    ...                             "stage": ["awareness", "purchase"] * 6, "event": ["visit", "order"] * 6})
    >>> maps = map({"touchpoints": touchpoints}, as_of=date(2025, 3, 21))
    >>> print(*maps.journey_map.query("stage == 'awareness' and row == 'actions'")["statement"], sep="\\n")
    100 % get here
    Visit: 100 %
    Are here 1.0 times in 2 days
    100 % go on to a later stage
    Half go on within 1 day
    """
    locale = locales.of(language)
    as_of = last_day(base, as_of, "journeys.map")
    tables = tables_until(base, as_of)
    plan = default_steps(tables, steps)
    members = _members(personas, segments)
    about = {"language": language, "as_of": as_of, "level_days": np.nan, "level_given": level_days is not None}
    if level_days is not None and not level_days > 0:
        raise Problem(f"level_days is {level_days}. It must be longer than 0; leave it out to take it from the data.")
    if not plan.steps:
        return _no_map(plan.why, about)
    if members is not None and members.empty:
        return _no_map(phrase("No persona has the {n} customers that a map needs.", n=FEWEST), about)
    known = measures(tables, plan, members, as_of, level_days)
    shown = _shown(personas, known, locale)
    about["level_days"] = known.level_days
    about["of_deals"] = plan.unit == "deal" and personas is None
    names = shown.set_index("persona")["name"]
    on_the_way = known.tries[known.tries["place"] < len(plan.steps) - 1]
    gains = _with_words(opportunities(on_the_way), plan, locale, names, known.days)
    rows = [_sizes(shown, locale), _measured(map_rows(known), plan, locale, known)]
    rows += [_from_cards(persona_traits, locale), _of_gains(gains), _none_better(on_the_way, gains, plan, locale)]
    table = _in_order(pd.concat([part for part in rows if len(part)], ignore_index=True), shown, plan)
    table = _in_order(pd.concat([table, _assumed(table, shown, plan, locale)], ignore_index=True), shown, plan)
    return JourneyMaps(table, gains, shown, plan.steps, plan.why, about)


def _members(personas, segments) -> pd.DataFrame | None:
    """Which customer belongs to which persona; None where there are no personas."""
    if personas is None:
        return None
    require_columns("personas", personas.columns, ["persona"])
    if segments is None:
        raise Problem(
            "A map of each persona needs segments, which say whom each stands for: "
            "journeys.map(base, personas, segments)."
        )
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    members = segments[["customer_id", "segment"]].dropna().rename(columns={"segment": "persona"})
    members = members.assign(customer_id=members["customer_id"].astype(str))
    twice = int(members["customer_id"].duplicated().sum())
    if twice:
        raise Problem(f"segments names {twice} customers more than once. Each may be in one segment only.")
    members = members[members["persona"].isin(personas["persona"])].sort_values("customer_id", ignore_index=True)
    sizes = members["persona"].value_counts()
    if "n" in personas:
        _require_sizes(personas, sizes)
    return members[members["persona"].isin(sizes.index[sizes >= FEWEST])].reset_index(drop=True)


def _require_sizes(personas, sizes) -> None:
    found = personas["persona"].map(sizes).fillna(0).astype("int64")
    other = personas[found != personas["n"]]
    if len(other):
        number, n = other.iloc[0][["persona", "n"]]
        raise Problem(
            f"The personas were made of other groups than these: persona {number} stands for {n:,} customers, and "
            f"{found[other.index[0]]:,} are in segment {number}. Pass the segments that personas.derive was given."
        )


def _shown(personas, known, locale) -> pd.DataFrame:
    """The personas that have a map, with their names."""
    if personas is None:
        reached = known.shares[known.shares["measure"] == "reached"]
        n = int(reached["n"].max()) if len(reached) else 0
        name = locale.say("map.everybody")
        return pd.DataFrame({"persona": [EVERYBODY], "name": name, "title": "", "n": n, "share": 1.0})
    has = personas["persona"].isin(known.shares["persona"].unique())
    shown = personas[has].sort_values("persona", ignore_index=True)
    number = shown["persona"].astype(str)
    name = shown["name"].map(lambda of: locales.in_letters(of, locale.language)) if "name" in shown else number
    given = {c: shown.get(c, default) for c, default in (("title", ""), ("n", 0), ("share", np.nan))}
    return shown[["persona"]].assign(name=name, **given)


def _sizes(shown, locale) -> pd.DataFrame:
    """The row that says whose journey it is."""
    whole = (shown["n"] / shown["share"]).round()
    low, high = evidence.share_interval(shown["n"].to_numpy(), whole.fillna(shown["n"]).to_numpy())
    low, high = (np.where(shown["share"].notna(), bound, np.nan) for bound in (low, high))
    said = [locale.say("map.size", value=locale.percent(share)) for share in shown["share"]]
    return pd.DataFrame(
        {"persona": shown["persona"], "stage": "", "row": "persona", "statement": said, "kind": "measured",
         "measure": "size", "of": "", "value": shown["share"], "value_low": low, "value_high": high, "n": whole,
         "unit": "share", "source": "personas", "question": ""}
    )  # fmt: skip


def _measured(rows, plan, locale, known) -> pd.DataFrame:
    said = [map_words.statement(row, locale, plan.steps, known.level_days, known.days) for row in rows.itertuples()]
    stage = rows["place"].map(dict(enumerate(plan.steps)) | {WHOLE: ""})
    alone = rows["elsewhere"].isna()
    bounds = {name: rows[name].where(~alone, rows[f"value_{name}"]) for name in ("low", "high")}
    return rows.assign(stage=stage, statement=said, kind="measured", question="", **bounds)


def _from_cards(traits, locale) -> pd.DataFrame:
    """What holds for the whole journey: goals, needs and pains that set a persona apart, from its card."""
    if traits is None:
        return pd.DataFrame(columns=MAP_COLUMNS)
    need = ["persona", "part", "trait", "statement", "kind", "measure", "of", "value", "effect", "distinctive"]
    require_columns("persona_traits", traits.columns, need)
    told = traits[
        traits["part"].isin(list(_ROW_OF)) & (traits["kind"] == "measured") & traits["distinctive"].astype(bool)
    ]
    told = told[(told["measure"] == "agrees") & (told["effect"] > 0)]
    order = told.assign(less=-told["effect"].round(9)).sort_values(["persona", "part", "less", "trait"]).index
    told = told.loc[order].groupby(["persona", "part"]).head(_FROM_THE_CARD)
    said = [
        locale.say("measures.agrees", of=row.of, value=locale.number(row.value, 1), top=locale.number(row.top))
        for row in told.itertuples()
    ]
    return told.assign(stage="", row=told["part"].map(_ROW_OF), statement=said, question="").reindex(
        columns=MAP_COLUMNS
    )


def _with_words(gains, plan, locale, names, days) -> pd.DataFrame:
    """The opportunities with their stages, the assumption named, and a sentence."""
    gains = gains[gains["persona"].isin(names.index)].reset_index(drop=True)
    gains = gains.assign(stage=gains["place"].map(dict(enumerate(plan.steps))))
    same = gains["with_persona"] == gains["persona"]
    gains["compared_with"] = np.where(same, "channel", "persona")
    gains["assumption"] = locale.say("map.assumes")
    gains["statement"] = [map_words.opportunity(row, locale, names, days) for row in gains.itertuples()]
    return gains[GAIN_COLUMNS]


def _of_gains(gains) -> pd.DataFrame:
    figures = {"value": "rate", "elsewhere": "best_rate", "n": "customers", "n_elsewhere": "best_customers"}
    same = gains.rename(columns={new: old for old, new in figures.items()})
    return same.assign(
        row="opportunities", kind="measured", measure="opportunity", of=gains["channel"], effect=gains["difference"],
        unit="share", source="touchpoints", question="",
    )  # fmt: skip


def _none_better(tries, gains, plan, locale) -> pd.DataFrame:
    """Where there was something to compare with and nothing does better, that is the answer."""
    rest = compared(tries)
    rest = rest.assign(stage=rest["place"].map(dict(enumerate(plan.steps))))
    better = pd.MultiIndex.from_frame(gains[["persona", "stage"]])
    rest = rest[~pd.MultiIndex.from_frame(rest[["persona", "stage"]]).isin(better)]
    said = [locale.say("map.none_better", compared=int(n)) for n in rest["compared"]]
    return rest[["persona", "stage"]].assign(
        row="opportunities", statement=said, kind="measured", measure="none better", of="", unit="",
        source="touchpoints", question="",
    )  # fmt: skip


def _assumed(table, shown, plan, locale) -> pd.DataFrame:
    """An assumption with its question for each cell that nothing measured answers.

    That hardly anybody writes to us does not tell what they ask, nor what they do how they feel.
    """
    seldom = (table["measure"] == "raised") & (table["value"] < SELDOM)
    answers = ~(seldom & (table["row"] == "script")) & ((table["row"] != "feelings") | (table["measure"] == "score"))
    filled = set(zip(*(table.loc[answers, c] for c in ("persona", "stage", "row")), strict=True))
    cells = [("", row) for row in ("script", "goals")]
    cells += [(stage, row) for stage in plan.steps for row in map_words.ROWS[1:]]
    last = (plan.steps[-1], "opportunities")
    rows = [
        (persona, stage, row, *map_words.assumption(row, stage, locale), "assumption")
        for persona in shown["persona"]
        for stage, row in cells
        if (persona, stage, row) not in filled and (stage, row) != last
    ]
    table = pd.DataFrame(rows, columns=["persona", "stage", "row", "statement", "question", "kind"])
    return table.assign(measure="", of="", unit="", source="")


def _in_order(table, shown, plan) -> pd.DataFrame:
    """By persona, stage and row; what was measured in the order in which it is said."""
    table = table.reindex(columns=MAP_COLUMNS)
    table = table[table["persona"].isin(shown["persona"])]
    keys = {
        "a": table["stage"].map({stage: i for i, stage in enumerate(["", *plan.steps])}),
        "b": table["row"].map({row: i for i, row in enumerate(map_words.ROWS)}),
        "c": table["measure"].map({name: i for i, name in enumerate(_MEASURES)}).fillna(len(_MEASURES)),
    }
    order = table.assign(**keys).sort_values(["persona", "a", "b", "c", "of", "statement"], kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    numbers = [c for c in MAP_COLUMNS if c.startswith("value") or c in _NUMBERS]
    table = table.astype(dict.fromkeys(numbers, "float64"))
    return table.astype({"n": "Int64", "n_elsewhere": "Int64", "persona": "int64"})


_MEASURES = ("size", "reached", "does", "through", "visits", "goes_on", "time", "score", "change", "unhappy", "raised",
             "ends", "opportunity", "none better", "owned", "closed", "in_time", "satisfied")  # fmt: skip
_NUMBERS = ("elsewhere", "difference", "low", "high", "n", "n_elsewhere", "p_corrected", "effect")


def _no_map(why: str, about) -> JourneyMaps:
    none = pd.DataFrame(columns=["persona", "name", "title", "n", "share"])
    gains = pd.DataFrame(columns=GAIN_COLUMNS)
    return JourneyMaps(pd.DataFrame(columns=MAP_COLUMNS), gains, none, [], why, about)
