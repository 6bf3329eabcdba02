"""The cards of all personas, with what is remembered of them, what people edited and what has changed.

Takes the derived personas and the file `personas.toml`. Gives a card for each persona and language, and the tables that
a run keeps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from analysis import locale as locales
from analysis.personas import edits as editing
from analysis.personas.card import card_html
from analysis.personas.content import content, identified, plain_line
from analysis.personas.lines import changed, sentence
from analysis.personas.traits import FEWEST
from analysis.phrases import phrase

#: Columns of the artefact `personas` after the number, in this order.
_KEPT = ("key", "name", "title", "n", "share", "revenue_share", "summary", "quote", "confidence", "due")


@dataclass(frozen=True)
class Card:
    """A persona's card in one language; in Jupyter it shows itself.

    Attributes
    ----------
    content : dict
        See docs/persona_schema.md.
    """

    content: Mapping

    def _repr_html_(self):
        return card_html(self.content)


class Cards(NamedTuple):
    """The cards of a run.

    Attributes
    ----------
    by_language : dict of str to list of Card
    notes : list of str
        What whoever edited the personas should look at.
    personas, traits : DataFrame
        As the artefacts `personas` and `persona_traits`, statements in the first language.
    """

    by_language: dict
    notes: list
    personas: pd.DataFrame
    traits: pd.DataFrame


def card(persona, language="en"):
    """A persona as a card.

    Parameters
    ----------
    persona : Persona
    language : {"en", "fa"}

    Returns
    -------
    Card

    Examples
    --------
    >>> from analysis import personas
    >>> profiles = pd.DataFrame({"customer_id": range(20), "orders_per_year": [1.0, 1.2] * 5 + [6, 6.4] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> derived = personas.derive(profiles, segments)
    >>> card(derived[2]).content["parts"][3]["lines"][0]["text"]
    'Buys 6.2 times a year'
    """
    return Card(content(persona, language))


def cards(derived, file=None, languages=("en",), drift=None):
    """The cards of all personas, as people want them.

    Parameters
    ----------
    derived : Personas
    file : str or Path, optional
        `personas.toml`: what is remembered of the personas and what people edited. Read, and written anew, so that next
        time the same persona keeps its name and face; see :mod:`analysis.personas.edits`.
    languages : sequence of {"en", "fa"}
        The first is that of the tables and of what is remembered.
    drift : Drift, optional
        What changed, as from :func:`analysis.personas.refresh`.

    Returns
    -------
    Cards
    """
    edits = None if file is None else editing.remembered(file, derived.personas, derived.traits)
    known = _named(derived, edits)
    made, notes = {}, []
    for language in languages:
        contents = [content(persona, language, known[int(persona.row["persona"])]) for persona in derived]
        contents = [_with_refresh(c, drift, language, derived.about["currency"]) for c in contents]
        lines = _lines(contents)
        if edits is not None:
            applied = editing.apply(lines, edits)
            contents = [_edited(c, applied[applied["persona"] == c["persona"]]) for c in contents]
            notes = notes or applied.attrs["notes"]
            if language == languages[0]:
                editing.remember(edits, lines)
        made[language] = [Card(c) for c in contents]
    first = [c.content for c in made[languages[0]]]
    return Cards(made, notes, _personas(derived, first, drift), _traits(derived, first, languages[0]))


def findings(made):
    """The personas in one sentence each, largest first.

    Parameters
    ----------
    made : Cards

    Returns
    -------
    list of str
    """
    if made.personas.empty:
        return [phrase("No group has the {n} customers that a persona needs.", n=FEWEST)]
    return made.personas.sort_values(["n", "persona"], ascending=[False, True])["summary"].tolist()


def _named(derived, edits):
    """What is remembered of each persona; the fictional names of all are different."""
    known = {int(persona.row["persona"]): {} for persona in derived}
    if edits is not None:
        known = {int(row["persona"]): row for row in edits.personas.to_dict("records")}
    taken = {of["called"] for of in known.values() if of.get("called")}
    for persona in derived:
        of = known[int(persona.row["persona"])]
        of["called"] = of.get("called") or identified(persona, "en", of, taken)["called"]
        taken.add(of["called"])
    if edits is not None:
        edits.personas["called"] = [known[int(p)]["called"] for p in edits.personas["persona"]]
    return known


def _places(card):
    """Every list of lines of a card with the part it belongs to."""
    for part in card["parts"]:
        yield part["key"], part
    for part in (*card["touchpoints"]["phases"], *card["use"]["parts"]):
        yield part["key"], part


def _lines(contents):
    """The lines of all cards as a table: persona, id, part, kind, text, effect."""
    rows = []
    for card in contents:
        for part, place in _places(card):
            rows += [(card["persona"], x["id"], part, x["kind"], x["text"], x["effect"]) for x in place["lines"]]
        for name in ("summary", "quote"):
            rows += [(card["persona"], name, name, "measured", card[name]["text"], None)] if card[name] else []
    return pd.DataFrame(rows, columns=["persona", "id", "part", "kind", "text", "effect"])


def _edited(card, applied):
    """The card with its lines as people want them."""
    rows = {row.id: row for row in applied.itertuples()}
    for part, place in _places(card):
        kept = [_rewritten(line, rows[line["id"]]) for line in place["lines"] if line["id"] in rows]
        known = {line["id"] for line in place["lines"]}
        added = [row for row in rows.values() if row.part == part and row.id not in known and row.kind == "edited"]
        place["lines"] = kept + [_added(row) for row in added]
        place["empty"] = None if place["lines"] else place["empty"]
    for name in ("summary", "quote"):
        if card[name]:
            card[name] = _rewritten(card[name], rows[name]) if name in rows else None
    card["warnings"] = [row.warning for row in rows.values() if row.warning]
    return card


def _rewritten(line, row):
    if row.kind != "edited":
        return line
    return {**line, "text": row.text, "kind": "edited", "warning": row.warning, "question": None}


def _added(row):
    return {
        **{"id": row.id, "text": row.text, "detail": None, "kind": "edited", "mark": None, "question": None},
        **{"effect": None, "warning": row.warning, "share": None, "share_text": ""},
    }


def _with_refresh(card, drift, language, currency):
    """The card with what has changed, where anybody has looked."""
    if drift is None:
        return card
    locale = locales.of(language)
    row = drift.personas[drift.personas["persona"] == card["persona"]].iloc[0]
    tested = drift.traits[(drift.traits["persona"] == card["persona"]) & drift.traits["changed"].astype(bool)]
    said = [changed(change, locale, currency) for change in tested.head(3).itertuples()]
    verdict = locale.say("refresh.due" if row["due"] else "refresh.holds")
    lines = [(f"refresh {place}", text) for place, text in enumerate([verdict, *said])]
    lines = [plain_line(name, text) for name, text in lines]
    return card | {"refresh": {"title": locale.say("parts.refresh"), "due": bool(row["due"]), "lines": lines}}


def _personas(derived, contents, drift):
    """The artefact `personas`: one row per persona, with its name and words."""
    said = pd.DataFrame(
        [(c["persona"], c["key"], c["name"], _text(c["summary"]), _text(c["quote"])) for c in contents],
        columns=["persona", "key", "name", "summary", "quote"],
    )
    said = said.astype({"persona": derived.personas["persona"].dtype})
    table = derived.personas.merge(said, on="persona", how="left")
    if drift is not None:
        table["due"] = table["persona"].map(drift.personas.dropna(subset="persona").set_index("persona")["due"])
    first = [c for c in _KEPT if c in table]
    return table[["persona", *first, *(c for c in table if c not in first and c != "persona")]]


def _text(line):
    return line["text"] if line else ""


def _traits(derived, contents, language):
    """The artefact `persona_traits`: every measured trait with its statement, and what is assumed or was edited."""
    locale, currency = locales.of(language), derived.about["currency"]
    table = derived.traits
    statements = [sentence(row, locale, currency) for row in table.itertuples()]
    table = table.assign(statement=pd.Series(statements, table.index, dtype=object), question="")
    rest = [
        {
            "persona": c["persona"],
            "part": part,
            "trait": x["id"],
            "level": "",
            "statement": x["text"],
            "kind": x["kind"],
        }
        | {"question": x["question"] or "", "source": "", "distinctive": False}
        for c in contents
        for part, place in _places(c)
        for x in place["lines"]
        if x["kind"] in ("assumption", "edited")
    ]
    both = pd.concat([table, pd.DataFrame(rest, columns=table.columns)], ignore_index=True) if rest else table
    first = ["persona", "part", "trait", "level", "statement", "kind"]
    text = ["level", "measure", "of", "unit", "source", "question", "statement"]
    both[text] = both[text].fillna("").astype("str")
    counts = {c: both[c].astype("float64").astype("Int64") for c in ("n", "n_elsewhere")}
    both = both.assign(**counts, distinctive=both["distinctive"].astype(bool))
    return both[[*first, *(c for c in both if c not in first)]]
