"""Which names have people given to the groups, and to which of today's groups does each belong?

Takes the segments of this run and a TOML file that anybody may edit. Gives every group its name, the edited ones kept
for the group that is most like the one they were given to, and writes the file anew for the next run.
"""

import json
import os
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, did_you_mean
from analysis.segments.describe import deltas
from analysis.vocabulary import topic

#: Traits by which a group is known again: the most telling ones, one of each topic.
MOST_TRAITS = 12

#: A group is another one if, over these traits, it differs by more than a small effect from the one remembered.
FARTHEST = evidence.SMALL_EFFECT

_HEAD = """\
# The names of the segments. Write your own into name = "…", and the reason into why, if you like: both are kept on
# every run for the group that is most like this one. All else is written anew. The profile says how far the group lies
# from everybody else, trait by trait: -1 far below, 0 no difference, 1 far above (Cliff's delta).
"""

_TYPES = {"name": str, "why": str, "found": str, "rule": str, "customers": int, "profile": dict}


def own_names(file, segments, summary, rules=None):
    """The name of every segment: the one that people gave it in a file, else the one found by rule.

    Parameters
    ----------
    file : str or Path
        A TOML file; written where there is none, read and written anew where there is one.
    segments : DataFrame
        With `customer_id`, `segment` and `segment_name`, as from :func:`name_segments`.
    summary : DataFrame, as from :func:`describe`
    rules : DataFrame, as in :class:`ShortRules`, optional
        Its rules are written into the file, for whoever thinks of names.

    Returns
    -------
    DataFrame, one row per segment
        segment : as given.
        segment_name : str, the name to use; all are different.
        found : str, the name by rule.
        edited : bool, whether a person gave the name.
        why : str, the reason in the file.

        ``attrs["notes"]`` says in sentences which edited names found no group, and which now stand for a group that
        would be called otherwise.

    Raises
    ------
    Problem
        The file cannot be read or written, or gives one name to two groups. It is then left as it is.

    Notes
    -----
    A remembered group and one of today's are the same if each is the nearest to the other, by the mean distance of
    their effects, and within a small effect (0.2). Effects are against everybody else of the same day, so prices and
    time may move on. An edited name without a group stays in the file under ``[[earlier]]`` and is tried on every run.

    Examples
    --------
    >>> import tempfile
    >>> segments = pd.DataFrame({"customer_id": ["a", "b"], "segment": [1, 1], "segment_name": "All customers"})
    >>> file = Path(tempfile.mkdtemp()) / "segment_names.toml"
    >>> _ = own_names(file, segments, evidence.compare(segments, "segment"))
    >>> _ = file.write_text(file.read_text().replace('name = ""', 'name = "Readers"', 1))
    >>> own_names(file, segments, evidence.compare(segments, "segment"))["segment_name"].tolist()
    ['Readers']
    """
    file = Path(file)
    remembered = _read(file)
    groups = _groups(segments, summary, rules)
    before = _matched(remembered, groups, deltas(summary))
    for group, entry in zip(groups, before, strict=True):
        group.update(name=entry["name"], why=entry["why"]) if entry else group.update(name="", why="")
    waiting = [e for e in remembered if (e["name"] or e["why"]) and not any(e is entry for entry in before)]
    names = _names(groups, file)
    names.attrs["notes"] = _notes(groups, before, waiting, file)
    _write(file, groups, waiting)
    return names


def renamed(table, names):
    """A table with the column `segment`, with `segment_name` as in `names`.

    Examples
    --------
    >>> names = pd.DataFrame({"segment": [1, 2], "segment_name": ["Readers", "Companies"]})
    >>> renamed(pd.DataFrame({"segment": [2, 1]}), names)["segment_name"].tolist()
    ['Companies', 'Readers']
    """
    return table.assign(segment_name=table["segment"].map(names.set_index("segment")["segment_name"]))


def _read(file):
    """The groups remembered in the file, with all keys; none where there is no file yet."""
    if not file.exists():
        return []
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Problem(f"{file} is not valid TOML: {e}. Mend that line, or remove the file to begin anew.") from None
    except OSError as e:
        raise Problem(f"{file} cannot be read: {e.strerror}. Name a TOML file.") from None
    return [entry for key, entries in raw.items() for entry in _checked(key, entries, file)]


def _checked(key, entries, file):
    """The entries under a key of the file, complete; a Problem where a person has slipped."""
    if key not in ("segments", "earlier") or not isinstance(entries, list):
        raise Problem(f'{file}: "{key}" is not known.{did_you_mean(key, ["segments", "earlier"])} It has [[segments]].')
    for entry in entries:
        for name, value in entry.items():
            if name not in _TYPES:
                raise Problem(
                    f'{file}: [[{key}]] has no "{name}".{did_you_mean(name, _TYPES)} It has: {", ".join(_TYPES)}.'
                )
            if not isinstance(value, _TYPES[name]):
                kind = {str: "text in quotation marks", int: "a whole number", dict: "a table"}[_TYPES[name]]
                raise Problem(f"{file}: {name} in [[{key}]] must be {kind}, not {value!r}.")
        far = [trait for trait, at in entry.get("profile", {}).items() if not isinstance(at, int | float)]
        if far:
            raise Problem(f'{file}: "{far[0]}" in a profile must be a number. Leave the profiles as they were written.')
        complete = {name: entry.get(name, kind()) for name, kind in _TYPES.items()}
        yield {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in complete.items()}


def _groups(segments, summary, rules):
    """Today's groups as entries of the file, without the names that people gave."""
    known = segments.groupby("segment").agg(found=("segment_name", "first"), customers=("customer_id", "size"))
    said = {} if rules is None else rules.set_index("segment")["rule"].to_dict()
    far = deltas(summary)
    telling = _most_telling(far)
    return [
        {
            "segment": row.Index,
            "found": row.found,
            "rule": said.get(row.Index, ""),
            "customers": int(row.customers),
            "profile": far.loc[row.Index, telling].dropna().to_dict() if row.Index in far.index else {},
        }
        for row in known.itertuples()
    ]


def _most_telling(far):
    """The traits that set some group apart the most, one of each topic."""
    strength = far.abs().max().sort_index().sort_values(ascending=False, kind="stable")
    about = pd.Series([topic(trait.split(": ")[0]) for trait in strength.index], strength.index, dtype=object)
    return list(strength.index[~about.duplicated()][:MOST_TRAITS])


def _matched(remembered, groups, far):
    """For each of today's groups the entry that remembers it, or None."""
    distance = np.array([[_distance(entry, group, far) for entry in remembered] for group in groups])
    if distance.size == 0:
        return [None] * len(groups)
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    return [
        remembered[entry] if back[entry] == group and distance[group, entry] <= FARTHEST else None
        for group, entry in enumerate(nearest)
    ]


def _distance(entry, group, far):
    """Mean distance between a remembered profile and a group of today; by the name where there is no profile."""
    shared = [trait for trait in entry["profile"] if trait in far]
    if not shared or group["segment"] not in far.index:
        return 0.0 if entry["found"] == group["found"] else np.inf
    today = far.loc[group["segment"], shared].fillna(0.0)
    return float(np.mean([abs(today[trait] - entry["profile"][trait]) for trait in shared]))


def _names(groups, file):
    """The table of names; a name by rule makes way for the same one given by a person."""
    given = [group["name"] for group in groups if group["name"]]
    twice = [name for name in given if given.count(name) > 1]
    if twice:
        raise Problem(f'{file} gives the name "{twice[0]}" to two groups. Give each its own.')
    rows = []
    for group in groups:
        found = f"{group['found']} (group {group['segment']})" if group["found"] in given else group["found"]
        rows.append((group["segment"], group["name"] or found, group["found"], group["name"] != "", group["why"]))
    return pd.DataFrame(rows, columns=["segment", "segment_name", "found", "edited", "why"])


def _notes(groups, before, waiting, file):
    """What a person who gave names should look at."""
    notes = [
        f"“{group['name']}” was given to a group found as “{entry['found']}”, which would now be “{group['found']}”."
        for group, entry in zip(groups, before, strict=True)
        if group["name"] and group["found"] != entry["found"]
    ]
    return notes + [
        f"No group is like “{entry['name'] or entry['found']}” any more. What was written about it waits in "
        f"{file.name}, under [[earlier]]."
        for entry in waiting
    ]


def _write(file, groups, waiting):
    """Write under another name and rename, so that nobody ever reads half a file."""
    blocks = [_block("segments", group) for group in groups] + [_block("earlier", entry) for entry in waiting]
    part = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        part.write_text("\n".join([_HEAD, *blocks]), encoding="utf-8")
        part.replace(file)
    except OSError as e:
        raise Problem(f"{file} cannot be written: {e.strerror}. Name a file in a folder that exists.") from None
    finally:
        part.unlink(missing_ok=True)


def _block(key, entry):
    profile = ", ".join(f"{_toml(trait)} = {_toml(at)}" for trait, at in entry["profile"].items())
    lines = [f"{name} = {_toml(entry[name])}" for name in _TYPES if name != "profile"]
    return "\n".join([f"[[{key}]]", *lines, f"profile = {{ {profile} }}"]) + "\n"


def _toml(value):
    """A text or a number as TOML writes it: as JSON does, but for one letter."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
