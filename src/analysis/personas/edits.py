"""What have people written about the personas, and which of today's is each of those remembered?

A file `personas.toml` remembers every persona by what sets it apart: its lasting key, the face and the fictional name
that it keeps, and what people changed. `remembered` reads it for the personas of a run, `apply` puts the changes into
the lines of the cards, marked as edited and with a warning where the data no longer bear them out, `remember` writes
the file for the next run. What somebody wrote is never lost: it waits where its persona is gone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import kept_file
from analysis.errors import Problem, nearest, require_columns
from analysis.known_again import matched, profiles_of
from analysis.personas.drift import distances
from analysis.phrases import phrase

#: The parts of a card that a line may be added to.
PARTS = (
    *("goals", "pains", "buying", "needs", "channels", "rivals", "before", "during", "after"),
    *("advertising", "product", "content"),
)

#: Of personas that are gone and of which nobody wrote anything, so many are remembered, the latest first.
MOST_EARLIER = 24

_HEAD = """\
# The personas, written anew on every run. What you write stays: name = "…" in place of the fictional name, title = "…"
# in place of the title, why = "…" for the reason (other comments are not kept). Of each line of a card:
#   [[personas.lines]]
#   line = "weekend_share"                         # its id, as in the evidence table: rewrite it …
#   text = "Comes on Fridays with the children"
#   [[personas.lines]]
#   line = "mean_csat"
#   hidden = true                                  # … or leave it out …
#   [[personas.lines]]
#   part = "pains"                                 # … or add one: goals, pains, buying, needs, channels, rivals
#   text = "Finds the parking too far"
# Write them below the [[personas]] whose card it is. The program adds to a line what the data said when you changed it
# (was) and how strongly (effect), to warn when they no longer do. Leave key, face, called and profile as they are.
"""

_TYPES = {
    **{"key": str, "found": str, "name": str, "title": str, "why": str, "customers": int, "face": int, "called": str},
    **{"profile": dict, "lines": list},
}
_LINE = {"line": str, "part": str, "text": str, "hidden": bool, "was": str, "effect": float}
_PERSONAS = ("persona", "key", "called", "face", "name", "title", "why", "found", "edited", "seen")


class Edits(NamedTuple):
    """What is remembered of the personas of a run.

    Attributes
    ----------
    personas : DataFrame, one row per persona
        persona : int. key : str, lasting. called : str, the fictional name that it keeps, empty at first sight; whoever
        chooses one puts it here before :func:`remember`. face : int, the seed of its face. name, title, why : str, what
        people wrote, or empty. found : str, its title by rule. edited : bool, whether a person wrote any of it. seen :
        bool, whether it was there in an earlier run.
    lines : DataFrame, one row per line that a person rewrote, hid or added
        persona, line (empty if added), part, text, hidden, was, effect.
    notes : list of str
        Edits that found no persona, and titles that now stand for another one.
    ids : dict of persona to list of str
        The lines that the traits allow for.
    entries, earlier : list of dict
        What stands in the file.
    file : Path
    """

    personas: pd.DataFrame
    lines: pd.DataFrame
    notes: list[str]
    ids: Mapping[int, list[str]]
    entries: list[dict]
    earlier: list[dict]
    file: Path


def remembered(file: str | Path, personas: pd.DataFrame, traits: pd.DataFrame) -> Edits:
    """What is remembered of each persona of this run, and what people wrote about it.

    Parameters
    ----------
    file : str or Path
        personas.toml; there need not be one yet. It is read, not written.
    personas : DataFrame, with ``persona`` (int), ``name`` (its title by rule) and ``n``
    traits : DataFrame, as `persona_traits`

    Returns
    -------
    Edits

    Raises
    ------
    Problem
        The file cannot be read, a person has slipped in it, or two personas have one name, title or line twice.

    Notes
    -----
    A persona is known again as a segment is by :func:`analysis.segments.own_names`: by its effects against everybody
    else of the same day, the nearest of either side, within a small effect. Key and face come from a digest of what is
    known of the persona at first sight, so that the same data give the same face.

    Examples
    --------
    >>> personas = pd.DataFrame({"persona": [1], "title": ["Readers"], "n": [40]})
    >>> traits = pd.DataFrame({"persona": [1], "trait": "age", "level": "", "effect": [0.4], "difference": [9.0]})
    >>> remembered("nowhere.toml", personas, traits).personas[["key", "called", "face", "seen"]].values.tolist()
    [['k9870ec5', '', 13245852, False]]
    """
    require_columns("personas", personas.columns, ["persona", "title", "n"])
    file = Path(file)
    known = [_with_lines(file, entry) for entry in kept_file.read(file, ("personas", "earlier"), _TYPES)]
    far = distances(traits)
    found = dict(zip(personas["persona"].astype(int), personas["title"].astype(str), strict=True))
    places = matched(known, found, far)
    profiles, keys = profiles_of(far), {entry["key"] for entry in known}
    entries = []
    for (persona, name), n, place in zip(found.items(), personas["n"], places, strict=True):
        first_seen = place is None
        entry = dict(known[place]) if not first_seen else _first_sight(name, profiles.get(persona, {}), keys)
        then = entry["found"]
        entry |= {"found": name, "customers": int(n), "profile": profiles.get(persona, {})}
        entries.append(entry | {"persona": persona, "seen": not first_seen, "then": then})
    earlier = [entry for place, entry in enumerate(known) if place not in places]
    _check_twice(file, entries)
    table = pd.DataFrame([_row(entry) for entry in entries], columns=list(_PERSONAS))
    lines = pd.DataFrame(list(_lines(entries)), columns=["persona", *_LINE]).astype({"hidden": bool})
    return Edits(table, lines, _notes(entries, earlier, file), _ids(traits), entries, earlier, file)


def apply(lines: pd.DataFrame, edits: Edits) -> pd.DataFrame:
    """The lines of the cards as people want them.

    Parameters
    ----------
    lines : DataFrame, one row per persona and line
        persona, id, part, kind ("measured" or "assumption"), text; perhaps ``effect`` and ``distinctive``. Further
        columns are kept.
    edits : Edits

    Returns
    -------
    DataFrame
        The lines in their order, hidden ones left out, rewritten ones in their place and added ones at the end of their
        persona's, both of the kind "edited". edited_from : str, what the data say in place of it, or None. warning :
        str, why the data no longer bear it out, or None. ``attrs["notes"]`` holds all warnings in sentences, also those
        of edits that found no line.

    Raises
    ------
    Problem
        A column is missing.

    Examples
    --------
    >>> file = Path("nowhere.toml")
    >>> written = pd.DataFrame([(1, "weekend_share", "", "Comes on Fridays", False, "", np.nan)],
    ...                        columns=["persona", "line", "part", "text", "hidden", "was", "effect"])
    >>> edits = Edits(pd.DataFrame({"persona": [1], "found": ["Families"]}), written, [], {}, [], [], file)
    >>> lines = pd.DataFrame({"persona": [1], "id": "weekend_share", "part": "buying", "kind": "measured",
    ...                       "text": "Places 61 % of the orders at the weekend"})
    >>> apply(lines, edits)[["text", "kind", "edited_from"]].values.tolist()
    [['Comes on Fridays', 'edited', 'Places 61 % of the orders at the weekend']]
    """
    require_columns("lines", lines.columns, ["persona", "id", "part", "kind", "text"])
    there = lines.assign(edited_from=None, warning=None).astype({"edited_from": object, "warning": object})
    called = dict(zip(edits.personas["persona"], edits.personas["found"], strict=True))
    notes, added, hidden = [], [], []
    for edit in edits.lines.itertuples():
        at = there.index[(there["persona"] == edit.persona) & (there["id"] == edit.line)] if edit.line else []
        warning = _warning(edit, there.loc[at], edits.ids, {*PARTS, *lines["part"]})
        if warning:
            notes.append(phrase("{title}: {warning}", title=called[edit.persona], warning=warning))
        if len(at) and edit.hidden:
            hidden.extend(at)
        elif len(at):
            there.loc[at, "edited_from"] = there.loc[at, "text"]
            there.loc[at, ["text", "kind"]] = [edit.text, "edited"]
            there.loc[at, "warning"] = warning
        elif edit.part and not edit.hidden:
            place = f"added {len(added) + 1}" if not edit.line else edit.line
            row = {"persona": edit.persona, "id": place, "part": edit.part, "kind": "edited", "text": edit.text}
            added.append(row | {"edited_from": edit.was or None, "warning": warning})
    both = pd.concat([there.drop(index=hidden), pd.DataFrame(added, columns=there.columns)], ignore_index=True)
    both = both.sort_values("persona", kind="stable", ignore_index=True)
    both.attrs["notes"] = [*edits.notes, *notes]
    return both


def remember(edits: Edits, lines: pd.DataFrame) -> None:
    """Write the file for the next run: what is known of each persona, what people wrote, and what the data said then.

    Parameters
    ----------
    edits : Edits
        As from :func:`remembered`; `called` of its personas may have been filled in since.
    lines : DataFrame
        The lines as the data say them, as given to :func:`apply`.

    Raises
    ------
    Problem
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> personas = pd.DataFrame({"persona": [1], "title": ["Readers"], "n": [40]})
    >>> file = Path(tempfile.mkdtemp(), "personas.toml")
    >>> none = pd.DataFrame(columns=["persona", "trait", "level", "effect", "difference"])
    >>> edits = remembered(file, personas, none)
    >>> edits.personas["called"] = ["Nahid"]
    >>> remember(edits, pd.DataFrame(columns=["persona", "id", "part", "kind", "text"]))
    >>> remembered(file, personas, none).personas[["called", "seen"]].values.tolist()
    [['Nahid', True]]
    """
    called = dict(zip(edits.personas["persona"], edits.personas["called"], strict=True))
    said = lines.drop_duplicates(["persona", "id"]).set_index(["persona", "id"])
    entries = [
        entry
        | {"called": str(called[entry["persona"]])}
        | {"lines": [_with_evidence(line, said, entry["persona"]) for line in entry["lines"]]}
        for entry in edits.entries
    ]
    untouched = [entry for entry in edits.earlier if not _is_edited(entry)]
    earlier = [e for e in edits.earlier if _is_edited(e) or any(e is kept for kept in untouched[:MOST_EARLIER])]
    blocks = [block for entry in entries for block in _blocks("personas", entry)]
    kept_file.write(edits.file, _HEAD, blocks + [block for entry in earlier for block in _blocks("earlier", entry)])


def _with_lines(file: Path, entry: dict) -> dict:
    """An entry whose lines are checked and complete."""
    lines = [kept_file.checked(file, "personas.lines", line, _LINE) for line in entry["lines"]]
    about = entry["title"] or entry["found"] or entry["key"]
    ids = [line["line"] for line in lines if line["line"]]
    twice = [one for one in ids if ids.count(one) > 1]
    if twice:
        raise Problem(f'{file} has two edits of the line "{twice[0]}" of “{about}”. Keep one of them.')
    for line in lines:
        if not line["line"] and not (line["part"] and line["text"]):
            raise Problem(
                f'{file}: a line of “{about}” has neither line = "…", the one to change, nor part and text, to add one.'
            )
        if line["line"] and not line["text"] and not line["hidden"]:
            raise Problem(f'{file}: the line "{line["line"]}" of “{about}” has neither a text nor hidden = true.')
    return entry | {"lines": lines}


def _first_sight(found: str, profile: Mapping[str, float], keys: set[str]) -> dict:
    """An entry for a persona that nobody has seen before; its key is taken from what is known of it."""
    told = json.dumps([found, sorted(profile.items())], ensure_ascii=False)
    tries = (hashlib.sha256(f"{told}{n or ''}".encode()).hexdigest() for n in range(len(keys) + 1))
    digest = next(digest for digest in tries if f"k{digest[:7]}" not in keys)
    keys.add(f"k{digest[:7]}")
    blank = {name: kind() for name, kind in _TYPES.items()}
    return blank | {"key": f"k{digest[:7]}", "found": found, "face": int(digest[7:13], 16)}


def _check_twice(file: Path, entries: list[dict]) -> None:
    """No two personas under one name or title."""
    for what in ("name", "title"):
        given = [entry[what] for entry in entries if entry[what]]
        twice = [one for one in given if given.count(one) > 1]
        if twice:
            raise Problem(f'{file} gives the {what} "{twice[0]}" to two personas. Give each its own.')


def _is_edited(entry: Mapping) -> bool:
    return bool(entry["name"] or entry["title"] or entry["why"] or entry["lines"])


def _row(entry: Mapping) -> dict:
    return {name: entry[name] for name in _PERSONAS if name in entry} | {"edited": _is_edited(entry)}


def _lines(entries: list[dict]) -> Iterator[tuple]:
    for entry in entries:
        for line in entry["lines"]:
            yield (entry["persona"], *(line[name] for name in _LINE))


def _notes(entries: list[dict], earlier: list[dict], file: Path) -> list[str]:
    """What a person who wrote about personas should look at."""
    renamed = [
        phrase(
            "“{name}” was given to a persona found as “{then}”, which would now be “{now}”.",
            name=entry["title"] or entry["name"],
            then=entry["then"],
            now=entry["found"],
        )
        for entry in entries
        if (entry["title"] or entry["name"]) and entry["found"] != entry["then"]
    ]
    return renamed + [
        phrase(
            "No persona is like “{name}” any more. What was written about it waits in {file}, under [[earlier]].",
            name=entry["title"] or entry["name"] or entry["found"],
            file=file.name,
        )
        for entry in earlier
        if _is_edited(entry)
    ]


def _ids(traits: pd.DataFrame) -> dict[int, list[str]]:
    """The ids of the lines of each persona: its traits, with their levels."""
    if traits.empty:
        return {}
    ids = traits["trait"].where(traits["level"] == "", traits["trait"] + ": " + traits["level"])
    return ids.groupby(traits["persona"]).agg(list).to_dict()


def _warning(edit, line: pd.DataFrame, ids: Mapping[int, list[str]], parts: set[str]) -> str | None:
    """Why the data do not bear an edit out any more, or why it is not seen on the card."""
    if not edit.line:
        if edit.part in parts:
            return None
        told = phrase('“{text}” is not shown: a card has no part "{part}".', text=edit.text, part=edit.part)
        return told + _meant(edit.part, sorted(parts))
    if line.empty:
        return _gone(edit, ids.get(edit.persona, []))
    if edit.hidden:
        return None
    now = line.iloc[0]
    effect = now["effect"] if "effect" in line else np.nan
    if pd.notna(effect) and edit.effect * effect < 0:
        told = {"text": edit.text, "was": edit.was, "now": now["text"]}
        return phrase("“{text}” stands for “{was}”, but the data now point the other way: “{now}”.", **told)
    if "distinctive" in line and now["kind"] == "measured" and not now["distinctive"]:
        told = {"text": edit.text, "now": now["text"]}
        return phrase("“{text}” stands for “{now}”, which does not set them apart any more.", **told)
    return None


def _gone(edit, known: list[str]) -> str:
    """What is said of an edit whose line is not on the card."""
    if edit.line in known or edit.was:
        told = {"line": edit.line, "text": edit.text}
        if edit.hidden:
            return phrase(
                'the line "{line}" is hidden, but it is not on the card any more: the data do not support it.', **told
            )
        return phrase(
            'the line "{line}" was rewritten as “{text}”, but it is not on the card any more: the data do not support '
            "it.",
            **told,
        )
    told = phrase('the edit of the line "{line}" changes nothing: there is no such line.', line=edit.line)
    return told + _meant(edit.line, known)


def _meant(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    return "" if near is None else phrase(' Did you mean "{name}"?', name=near)


def _with_evidence(line: Mapping, said: pd.DataFrame, persona: int) -> dict:
    """A line with what the data said when it was changed, written when it is first seen."""
    if not line["line"] or line["was"] or (persona, line["line"]) not in said.index:
        return dict(line)
    now = said.loc[(persona, line["line"])]
    effect = float(now["effect"]) if "effect" in said and pd.notna(now["effect"]) else 0.0
    return dict(line) | {"part": line["part"] or str(now["part"]), "was": str(now["text"]), "effect": round(effect, 3)}


def _blocks(key: str, entry: Mapping) -> Iterator[str]:
    """A persona as the file has it, with its lines below."""
    yield kept_file.block(key, {name: entry[name] for name in _TYPES if name != "lines"})
    for line in entry["lines"]:
        yield kept_file.block(f"{key}.lines", {name: value for name, value in line.items() if value})
