"""Which names have people given to the groups, and to which of today's groups does each belong?

Takes the segments of this run and a TOML file that anybody may edit. Gives every group its name, the edited ones kept
for the group that is most like the one they were given to, and writes the file anew for the next run.
"""

from pathlib import Path

import pandas as pd

from analysis import kept_file
from analysis.errors import Problem
from analysis.known_again import deltas, matched, profiles_of
from analysis.phrases import phrase

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
    >>> _ = own_names(file, segments, pd.DataFrame())
    >>> _ = file.write_text(file.read_text().replace('name = ""', 'name = "Readers"', 1))
    >>> own_names(file, segments, pd.DataFrame())["segment_name"].tolist()
    ['Readers']
    """
    file = Path(file)
    remembered = kept_file.read(file, ("segments", "earlier"), _TYPES)
    far = deltas(summary)
    groups = _groups(segments, far, rules)
    places = matched(remembered, {group["segment"]: group["found"] for group in groups}, far)
    before = [None if place is None else remembered[place] for place in places]
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


def _groups(segments, far, rules):
    """Today's groups as entries of the file, without the names that people gave."""
    known = segments.groupby("segment").agg(found=("segment_name", "first"), customers=("customer_id", "size"))
    said = {} if rules is None else rules.set_index("segment")["rule"].to_dict()
    profiles = profiles_of(far)
    return [
        {
            "segment": row.Index,
            "found": row.found,
            "rule": said.get(row.Index, ""),
            "customers": int(row.customers),
            "profile": profiles.get(row.Index, {}),
        }
        for row in known.itertuples()
    ]


def _names(groups, file):
    """The table of names; a name by rule makes way for the same one given by a person."""
    given = [group["name"] for group in groups if group["name"]]
    twice = [name for name in given if given.count(name) > 1]
    if twice:
        raise Problem(f'{file} gives the name "{twice[0]}" to two groups. Give each its own.')
    rows = []
    for group in groups:
        found = group["found"]
        if found in given:
            found = phrase("{name} (group {number})", name=found, number=group["segment"])
        rows.append((group["segment"], group["name"] or found, group["found"], group["name"] != "", group["why"]))
    return pd.DataFrame(rows, columns=["segment", "segment_name", "found", "edited", "why"])


def _notes(groups, before, waiting, file):
    """What a person who gave names should look at."""
    notes = [
        phrase(
            "“{name}” was given to a group found as “{before}”, which would now be “{now}”.",
            **{"name": group["name"], "before": entry["found"], "now": group["found"]},
        )
        for group, entry in zip(groups, before, strict=True)
        if group["name"] and group["found"] != entry["found"]
    ]
    return notes + [
        phrase(
            "No group is like “{name}” any more. What was written about it waits in {file}, under [[earlier]].",
            **{"name": entry["name"] or entry["found"], "file": file.name},
        )
        for entry in waiting
    ]


def _write(file, groups, waiting):
    kept = [("segments", group) for group in groups] + [("earlier", entry) for entry in waiting]
    kept_file.write(file, _HEAD, [kept_file.block(key, {n: entry[n] for n in _TYPES}) for key, entry in kept])
