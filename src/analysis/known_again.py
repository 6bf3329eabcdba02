"""Which of the groups of an earlier day is which of today's, whatever their numbers and however large they are?

A group is known by how far it lies from everybody else of the same day, trait by trait, so that prices and time may
move on. Takes what was remembered of groups and a table of such distances; gives for each of today's groups its place
among the remembered ones.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.vocabulary import topic

#: Traits by which a group is known again: the most telling ones, one of each topic.
MOST_TRAITS = 12

#: A group is another one if, over these traits, it differs by more than a small effect from the one remembered.
FARTHEST = evidence.SMALL_EFFECT


def deltas(summary: pd.DataFrame, by: str = "segment") -> pd.DataFrame:
    """How far each group lies from everybody else, trait by trait, in one measure.

    Parameters
    ----------
    summary : DataFrame, rows as from :func:`analysis.evidence.compare`
    by : str
        The column that says which group a row is about.

    Returns
    -------
    DataFrame of float in [-1, 1], one row per group
        A column per trait ("n_orders") or level ("city: Yazd"), Cliff's delta; missing where it was not compared.

    Examples
    --------
    >>> table = pd.DataFrame({"segment": [1] * 5 + [2] * 5, "n_orders": [9, 8, 9, 8, 9, 1, 2, 1, 2, 1]})
    >>> deltas(evidence.compare(table, "segment"), "group")["n_orders"].to_dict()
    {1: 1.0, 2: -1.0}
    """
    if summary.empty:
        return pd.DataFrame()
    trait = summary["trait"].where(summary["level"] == "", summary["trait"] + ": " + summary["level"])
    far = summary.assign(trait=trait, delta=evidence.delta(summary))
    return far.pivot(index=by, columns="trait", values="delta").round(3)


def profiles_of(far: pd.DataFrame) -> dict:
    """What to remember of each group: its distances over the traits that set some group apart the most.

    Examples
    --------
    >>> profiles_of(pd.DataFrame({"age": [0.9, -0.9], "n_orders": [0.1, -0.1]}, index=[1, 2]))
    {1: {'age': 0.9, 'n_orders': 0.1}, 2: {'age': -0.9, 'n_orders': -0.1}}
    """
    telling = _most_telling(far)
    return {group: far.loc[group, telling].dropna().to_dict() for group in far.index}


def matched(remembered: Sequence[Mapping], found: Mapping, far: pd.DataFrame) -> list[int | None]:
    """For each of today's groups the place of the remembered one that it is.

    Parameters
    ----------
    remembered : sequence of mappings
        With ``profile``, as from :func:`profiles_of`, and ``found``, the name by rule.
    found : mapping from today's groups to their names by rule
    far : DataFrame, as from :func:`deltas`

    Returns
    -------
    list of int or None, one for each of today's groups
        None for a group that is like none of them. Two are the same if each is the nearest to the other, by the mean
        distance of their effects, and within a small effect (0.2); by name where a profile says nothing.

    Examples
    --------
    >>> today = pd.DataFrame({"age": [0.9, -0.9]}, index=[1, 2])
    >>> matched([{"profile": {"age": -0.8}, "found": "Younger"}], {1: "Older", 2: "Younger"}, today)
    [None, 0]
    """
    distance = np.array([[_distance(one, group, name, far) for one in remembered] for group, name in found.items()])
    if distance.size == 0:
        return [None] * len(found)
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    return [
        int(one) if back[one] == place and distance[place, one] <= FARTHEST else None
        for place, one in enumerate(nearest)
    ]


def _most_telling(far: pd.DataFrame) -> list[str]:
    """The traits that set some group apart the most, one of each topic."""
    strength = far.abs().max().sort_index().sort_values(ascending=False, kind="stable")
    about = pd.Series([topic(trait.split(": ")[0]) for trait in strength.index], strength.index, dtype=object)
    return list(strength.index[~about.duplicated()][:MOST_TRAITS])


def _distance(one: Mapping, group, name: str, far: pd.DataFrame) -> float:
    """Mean distance between a remembered profile and a group of today; by the name where there is no profile."""
    shared = [trait for trait in one["profile"] if trait in far]
    if not shared or group not in far.index:
        return 0.0 if one["found"] == name else np.inf
    today = far.loc[group, shared].fillna(0.0)
    return float(np.mean([abs(today[trait] - one["profile"][trait]) for trait in shared]))
