"""Traits of customers: which kind of profile does a column belong to, and into which levels does it fall?

Takes profiles, one row per customer. Gives the family of every column, the recorded ones, and for any set of columns
their levels (numbers in bands, each item of a list, "not known") with who has which: what lift tables and fits rest on.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import ndtri

from analysis.evidence import COMMONEST_LEVELS, MOST_LEVELS, NEARLY_UNIQUE
from analysis.schema import is_worked_out, profile_column

NOT_KNOWN, OTHERS, NONE = "not known", "others", "none"

#: Bands of a number: fifths, as large as one another as ties allow.
BANDS = 5

#: Whole numbers below this are counted one by one ("20 to 34"); above it, as amounts are, a band ends under a bound.
_COUNTED = 1000


class Levels(NamedTuple):
    """The levels of traits and who has which.

    Attributes
    ----------
    table : DataFrame, one row per level: ``trait``, ``level``
    has : sparse array of 0.0 and 1.0, one row per customer, one column per level
    """

    table: pd.DataFrame
    has: csr_array


def family(column: str) -> str:
    """The family of profiles that a column belongs to.

    Examples
    --------
    >>> family("age"), family("touchpoints_90d"), family("score_quality"), family("shoe_size")
    ('demographic', 'engagement', 'psychographic', 'own')
    """
    return profile_column(column).family


def attributes(profiles: pd.DataFrame) -> list[str]:
    """The columns that were recorded, not worked out from what customers did.

    Examples
    --------
    >>> attributes(pd.DataFrame({"customer_id": ["a"], "city": ["Yazd"], "n_orders": [3]}))
    ['city']
    """
    return [c for c in profiles.columns.drop("customer_id", errors="ignore") if not is_worked_out(c)]


def is_list(column: pd.Series) -> bool:
    """Whether a column holds lists, as interests and tags do."""
    known = column.dropna()
    return len(known) > 0 and isinstance(known.iloc[0], list | tuple | np.ndarray)


def unusable(column: pd.Series) -> str:
    """Why a column can be no trait; empty if it can.

    Examples
    --------
    >>> unusable(pd.Series(["Iran", "Iran", None])), unusable(pd.Series([1, 2]))
    ('the same for everybody of whom it is known', '')
    """
    known = column.dropna()
    if known.empty:
        return "known of nobody"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "a date: time since then is a trait, a day is not"
    if is_list(column):
        return "" if known.map(len).any() else "the same for everybody of whom it is known"
    if pd.api.types.is_numeric_dtype(column):
        return "the same for everybody of whom it is known" if known.nunique() == 1 else ""
    if not known.map(lambda value: isinstance(value, str | bool | np.bool_)).all():
        return "neither number nor word nor list"
    distinct = known.nunique()
    if distinct > MOST_LEVELS and distinct > NEARLY_UNIQUE * len(known):
        return "nearly everybody has their own: an identifier or free text"
    return "the same for everybody of whom it is known" if distinct == 1 else ""


def levels(profiles: pd.DataFrame, traits: list[str], min_size: int = 20) -> Levels:
    """The levels of traits, and which customers have which.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    traits : list of str
        Columns of numbers, words, true and false, or lists.
    min_size : int
        Levels of fewer customers are put together as "others", and left out if these are still fewer; only "not known"
        is kept of however few.

    Returns
    -------
    Levels
        Numbers fall into up to five bands of about equal size: equal values are never parted, bounds are rounded to as
        few digits as keep the bands apart, and a value that many have (no orders) is a band by itself.
        A customer has one level of each trait, of a list as many as there are items; who has no value is "not known".

    Examples
    --------
    >>> table = pd.DataFrame({"orders": [0, 0, 0, 1, 4, 9, None], "tags": [["a"], ["a", "b"], [], ["b"]] + [["a"]] * 3})
    >>> found = levels(table, ["orders", "tags"], min_size=1)
    >>> found.table["level"].tolist()
    ['0', '1', '4', '9', 'not known', 'a', 'b', 'none']
    >>> found.has.sum(axis=0).tolist()
    [3.0, 1.0, 1.0, 1.0, 1.0, 5.0, 2.0, 1.0]
    """
    parts = [_levels_of(profiles[trait].reset_index(drop=True), min_size) for trait in traits]
    named = [(trait, level) for trait, (names, _) in zip(traits, parts, strict=True) for level in names]
    begins = np.cumsum([0, *(len(names) for names, _ in parts)])
    pairs = [places.assign(level=places["level"] + start) for (_, places), start in zip(parts, begins, strict=False)]
    has = pd.concat(pairs) if pairs else pd.DataFrame({"customer": [], "level": []}, dtype=int)
    matrix = csr_array((np.ones(len(has)), (has["customer"], has["level"])), shape=(len(profiles), len(named)))
    return Levels(pd.DataFrame(named, columns=["trait", "level"], dtype="str"), matrix)


def standings(profiles: pd.DataFrame, traits: list[str]) -> np.ndarray:
    """Where each customer stands among all by each number, which within a band is all that tells them apart.

    Returns
    -------
    array of float64, shape (customers, numbers among the traits)
        Normal scores: 0 in the middle, about −2 and 2 for one in forty at either end; equal numbers alike; 0 where it
        is not known.

    Notes
    -----
    Van der Waerden's scores, the normal quantile of the rank (Conover 1999, Practical Nonparametric Statistics, 3rd
    ed., section 5.10): whatever the unit, and amounts that differ by factors are as far apart as their logarithms.

    Examples
    --------
    >>> table = pd.DataFrame({"orders": [3, 9, 9, None], "city": ["Yazd"] * 4})
    >>> standings(table, ["orders", "city"]).round(2).T.tolist()
    [[-0.97, 0.43, 0.43, 0.0]]
    """
    numbers = [t for t in traits if pd.api.types.is_numeric_dtype(profiles[t]) and not is_flag(profiles[t])]
    place = (profiles[numbers].astype("float64").rank() - 0.5) / profiles[numbers].notna().sum().clip(lower=1)
    return np.nan_to_num(ndtri(place.to_numpy(dtype=float)))


def is_flag(column: pd.Series) -> bool:
    """Whether a column is true or false."""
    return pd.api.types.is_bool_dtype(column)


def _levels_of(column: pd.Series, min_size: int) -> tuple[list[str], pd.DataFrame]:
    """The names of the levels of a column in their order, and pairs of customer (place) and level (place)."""
    if is_list(column):
        told, order = _items(column), []
    elif pd.api.types.is_numeric_dtype(column) and not is_flag(column):
        told, order = _bands(column, min_size)
    else:
        words = column.map({True: "yes", False: "no"}) if is_flag(column) else column
        told, order = words.astype(object).where(words.notna(), NOT_KNOWN).map(_word), []
    counts = told.value_counts()
    by_size = sorted(counts.index, key=lambda level: (-counts[level], level))
    named = [level for level in by_size if counts[level] >= min_size and level != NOT_KNOWN]
    named = named if len(named) <= MOST_LEVELS else named[:COMMONEST_LEVELS]
    told = told.where(told.isin([*named, NOT_KNOWN]), OTHERS)
    pairs = pd.DataFrame({"customer": told.index, "name": told.to_numpy()}).drop_duplicates()
    kept = [level for level in (order or by_size) if level in named and level != OTHERS]
    few = {OTHERS: min_size, NOT_KNOWN: 1}  # that a cell is empty is told of however few: all else is among the rest
    kept += [level for level in few if (pairs["name"] == level).sum() >= few[level]]
    pairs = pairs[pairs["name"].isin(kept)]
    return kept, pd.DataFrame({"customer": pairs["customer"], "level": pairs["name"].map(kept.index).astype(int)})


def _word(value) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"


def _items(column: pd.Series) -> pd.Series:
    """Each item of each list under its customer; an empty list is an answer, too."""
    items = column.map(lambda value: [str(item) for item in value] or [NONE], na_action="ignore").explode()
    return items.where(items.notna(), NOT_KNOWN)


def _bands(column: pd.Series, min_size: int) -> tuple[pd.Series, list[str]]:
    """The band of each number in words, and the bands in ascending order."""
    x = column.to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(x)
    bounds = _bounds(np.sort(x[known]), min_size)
    names = np.array(_band_names(x[known], bounds), dtype=object)
    band = np.searchsorted(bounds, np.where(known, x, -np.inf), side="right")
    return pd.Series(np.where(known, names[band], NOT_KNOWN)), list(names)


def _bounds(x: np.ndarray, min_size: int) -> np.ndarray:
    """Where the second and each further band begins; a value that would fill a band alone is a band by itself."""
    distinct, counts = np.unique(x, return_counts=True)
    if len(distinct) <= BANDS + 1:
        return distinct[1:]
    place = int(np.argmax(counts))
    if counts[place] <= len(x) / BANDS:
        return _cuts(x, len(x), min_size)
    alone, after = distinct[place], distinct[place + 1 : place + 2]
    below, above = (_cuts(part, len(x), min_size) for part in (x[x < alone], x[x > alone]))
    own = [alone] if place else []
    return np.array([*below[below < alone], *own, *after, *above[above > np.max(after, initial=alone)]])


def _cuts(x: np.ndarray, of: int, min_size: int) -> np.ndarray:
    """Bounds that part numbers, some of so many, into as many bands as are due to them."""
    bands = min(round(BANDS * len(x) / of), len(x) // max(2 * min_size, 1))  # ties and rounding make some smaller
    if bands < 2:
        return np.empty(0)
    cuts = np.quantile(x, np.arange(1, bands) / bands, method="inverted_cdf")
    cuts = np.unique(cuts[cuts > x[0]])
    for digits in range(2, 16):
        rounded = np.unique([float(f"{cut:.{digits - 1}e}") for cut in cuts])
        if len(rounded) == len(cuts):
            return rounded
    return cuts


def _band_names(x: np.ndarray, bounds: np.ndarray) -> list[str]:
    """The bands in words, as "under 20", "20 to 34", "35 and more"; a band of one value is called by it."""
    names, alone = [], None
    counted = bool(np.all(x == np.round(x))) and np.max(bounds, initial=0) < _COUNTED
    for low, high in zip([-np.inf, *bounds], [*bounds, np.inf], strict=True):
        inside = x[(x >= low) & (x < high)]
        begins = f"over {_figure(alone)}" if alone is not None and not counted else _figure(low)
        alone = inside[0] if len(inside) and inside.min() == inside.max() else None
        if alone is not None:
            names.append(_figure(alone))
        elif low == -np.inf:
            names.append(f"under {_figure(high)}")
        elif high == np.inf:
            names.append(begins if begins.startswith("over") else f"{begins} and more")
        else:
            names.append(f"{begins} to {_figure(high - 1)}" if counted else f"{begins} to under {_figure(high)}")
    return names


def _figure(number: float) -> str:
    text = f"{number:,.0f}" if np.isfinite(number) and number == round(number) else f"{number:,.6g}"
    return text.replace("-", "−")
