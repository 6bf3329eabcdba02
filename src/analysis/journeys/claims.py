"""What each channel may claim of the conversions by the simple rules, and how often one channel follows another.

Takes events of any backend, or a table of paths that was counted elsewhere. Gives what attribution reckons with: the
claims and the moves of each unit that is drawn as a whole, a group of customers or a path.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from narwhals.typing import IntoFrame
from scipy.sparse import csr_array, hstack

from analysis.errors import Problem, require_columns
from analysis.expressions import PARTS, one_if
from analysis.journeys.course import MICROSECONDS_PER_DAY
from analysis.journeys.moments import OCCURRED_AT, collected
from analysis.journeys.touches import PATH_COLUMNS, judged_touches

#: Rules that divide a conversion among the touches of its path by their places alone.
BY_PLACE = ("first", "last", "linear", "position")
#: The same, and the one that needs times.
SIMPLE = (*BY_PLACE, "time decay")

#: Share of the first and of the last touch where there are others between them.
AT_THE_ENDS = 0.4

#: Shares are added up in whole parts, so that a sum does not depend on the order of the rows.
_SHARE_PARTS = 10**12

_HALVING = float(np.log(2))
_LAST = nw.col("place") == nw.col("of")


class Claims(NamedTuple):
    """What attribution reckons with. A unit is drawn as a whole: a path, or a group of customers with all of theirs.

    Attributes
    ----------
    channels : list of str (k)
        In the order of their names.
    counts : array (units) of float64
        How many there are of each unit.
    rules : tuple of str
        Those of `SIMPLE` that can be told.
    credits : sparse array (units, rules * (k + 1))
        Conversions of one unit that each channel may claim by each rule; the last of the k + 1 is "no touch".
    worth : array (rules, k + 1) of float64
        What these conversions brought, in all.
    pairs : array (m, 2) of int64
        From where a path went to where: number of the channel; from k, the beginning; to k, a conversion, or k + 1,
        the end without one.
    moves : sparse array (units, m)
        How often the paths of one unit did so.
    """

    channels: list[str]
    counts: np.ndarray
    rules: tuple[str, ...]
    credits: csr_array
    worth: np.ndarray
    pairs: np.ndarray
    moves: csr_array


def of_paths(paths: IntoFrame) -> Claims:
    """From a table of paths that was counted: see :func:`analysis.journeys.attribution`. Each path is a unit."""
    ended = _ended(_summed(paths))
    unit, code, channels = _steps(ended["path"])
    k, of = len(channels), np.bincount(unit, minlength=len(ended))
    place = np.arange(len(unit)) - np.repeat(np.cumsum(of) - of, of)
    came = ended["came"].to_numpy()
    return Claims(
        channels, ended["n"].to_numpy(), BY_PLACE, *_claims_by_place(ended, unit, code, place, of, k),
        *_moves(len(ended), k, _ways(unit, code, place, of[unit], came[unit], k)),
    )  # fmt: skip


def of_events(
    events: IntoFrame,
    conversion: str,
    touches: Sequence[str],
    channel: str,
    window_days: float,
    half_life_days: float,
    per: str,
    as_of: date | None,
) -> Claims:
    """From events: see :func:`analysis.journeys.attribution`."""
    if not 0 < half_life_days < np.inf:
        raise Problem(f"half_life_days must be above 0 (7 is customary), not {half_life_days}.")
    judged = judged_touches(events, conversion, touches, channel, window_days, per, as_of)
    found = _counted(_with_shares(judged, half_life_days))
    unit, names = pd.factorize(found["unit"], sort=True)[0], sorted(found["channel"].dropna().unique())
    k, number = len(names), {name: i for i, name in enumerate(names)}
    source, target = (found[c].map(number).fillna(k).to_numpy("int64") for c in ("source", "channel"))
    n, came, lost = (found[c].to_numpy("float64") for c in ("n", "came", "lost"))
    shares = [(unit, target, found[rule].to_numpy("float64") / _SHARE_PARTS) for rule in SIMPLE]
    worth = np.array([np.bincount(target, found[f"{rule} worth"] / PARTS, k + 1) for rule in SIMPLE])
    ways = [(unit, source, target, n), (unit, target, np.full(len(unit), k), came)]
    ways = [tuple(x[target < k] for x in way) for way in [*ways, (unit, target, np.full(len(unit), k + 1), lost)]]
    units = unit.max(initial=-1) + 1
    return Claims(names, np.ones(units), SIMPLE, _credits(units, k, shares), worth, *_moves(units, k, ways))


def _ended(table: pd.DataFrame) -> pd.DataFrame:
    """One row for the conversions of a path and one for its failures: n of them, whether they came, their value."""
    came = table.assign(n=table["total_conversions"], value=table["total_conversion_value"], came=True)
    lost = table.assign(n=table["total_null"], value=0.0, came=False)
    ended = pd.concat([came, lost[lost["path"].str.strip(" >") != ""]], ignore_index=True)
    return ended.loc[ended["n"] > 0, ["path", "n", "value", "came"]].reset_index(drop=True)


def _claims_by_place(ended: pd.DataFrame, unit, code, place, of, k: int) -> tuple[csr_array, np.ndarray]:
    """Credits and worth of the conversions; one without touches is claimed by "no touch" as a path of its own."""
    untouched = np.flatnonzero(of == 0)
    unit, code = np.concatenate([unit, untouched]), np.concatenate([code, np.full(len(untouched), k)])
    place = np.concatenate([place, np.zeros(len(untouched), "int64")])
    came = ended["came"].to_numpy()[unit]
    unit, code, place = unit[came], code[came], place[came]
    shares, value = _shares_by_place(place, np.maximum(of, 1)[unit]), ended["value"].to_numpy()[unit]
    worth = np.array([np.bincount(code, share * value, k + 1) for share in shares])
    return _credits(len(ended), k, [(unit, code, share) for share in shares]), worth


def _ways(unit, code, place, of, came, k: int) -> list[tuple]:
    """Unit, from where, to where, how often: for each touch the way to it, and from the last one to the end."""
    before = np.where(place == 0, k, np.roll(code, 1))
    last = place == of - 1
    end = np.where(came[last], k, k + 1)
    return [(unit, before, code, np.ones(len(unit))), (unit[last], code[last], end, np.ones(len(end)))]


def _with_shares(judged: nw.LazyFrame, half_life_days: float) -> nw.LazyFrame:
    """Adds what each touch may claim by each rule."""
    place, of = nw.col("place"), nw.col("of")
    inner = (1 - 2 * AT_THE_ENDS) / nw.when(of > 2).then(of - 2).otherwise(nw.lit(1))
    at_end = (place == 1) | _LAST
    ago = (nw.col("last_at") - OCCURRED_AT).dt.total_microseconds() / (half_life_days * MICROSECONDS_PER_DAY)
    return (
        judged
        # of the time from touch to touch, as it is the ratios that count: the last one never falls to nothing
        .with_columns(weight=((ago * -_HALVING).exp() * _SHARE_PARTS).round().cast(nw.Int64))
        .with_columns(all_weights=nw.col("weight").sum().over("id", "path"))
        .with_columns(
            **{
                "first": nw.when(place == 1).then(nw.lit(1.0)).otherwise(nw.lit(0.0)),
                "last": nw.when(_LAST).then(nw.lit(1.0)).otherwise(nw.lit(0.0)),
                "linear": nw.lit(1.0) / of,
                "position": nw.when(of <= 2).then(1.0 / of).otherwise(
                    nw.when(at_end).then(nw.lit(AT_THE_ENDS)).otherwise(inner)
                ),
                "time decay": nw.col("weight") / nw.col("all_weights"),
            }
        )
    )  # fmt: skip


def _counted(touches: nw.LazyFrame) -> pd.DataFrame:
    """Sums by unit, source and channel, in whole parts; sorted."""
    came = nw.col("in_time")
    claims = {rule: (nw.col(rule) * _SHARE_PARTS).round().cast(nw.Int64) * came for rule in SIMPLE}
    claims |= {f"{rule} worth": (nw.col(rule) * nw.col("worth")).round().cast(nw.Int64) * came for rule in SIMPLE}
    ended = {"came": one_if(_LAST & (came == 1)), "lost": one_if(_LAST & (came == 0))}
    figures = touches.with_columns(n=nw.lit(1), **claims, **ended)
    keys = ["unit", "source", "channel"]
    sums = figures.group_by(keys).agg(*[nw.col(c).sum() for c in ("n", *ended, *claims)])
    return collected(sums).sort_values(keys, ignore_index=True)


def _summed(paths: IntoFrame) -> pd.DataFrame:
    """The table of paths with its four columns, each path once, in the order of their names."""
    frame = nw.from_native(paths).lazy()
    have = frame.collect_schema().names()
    require_columns("The table of paths", have, ["path", "total_conversions"])
    given = collected(frame.select([c for c in PATH_COLUMNS if c in have]))
    table = pd.DataFrame({"path": given["path"].fillna("").astype("str")})
    for column in PATH_COLUMNS[1:]:
        told = given[column] if column in given else pd.Series(0.0, given.index)
        number = pd.to_numeric(told, errors="coerce").astype("float64")
        wrong = told.notna() & ~(np.isfinite(number) & ((number >= 0) | (column == "total_conversion_value")))
        if wrong.any():
            raise Problem(
                f'{column} of the path "{table["path"][wrong].iloc[0]}" is {told[wrong].iloc[0]!r}: '
                "a count is a number of 0 or more, a value any number."
            )
        table[column] = number.fillna(0.0)
    # sums of fractions in the order of their values, so that they do not depend on that of the rows
    return table.sort_values(PATH_COLUMNS).groupby("path", as_index=False).sum()


def _steps(paths: pd.Series) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Row and number of the channel of every touch, and the channels in the order of their names."""
    parts = pc.split_pattern(pa.array(paths.to_numpy(object), pa.large_string()), ">")
    row, name = pc.list_parent_indices(parts).to_numpy(), pc.utf8_trim_whitespace(pc.list_flatten(parts))
    named = pc.not_equal(name, "")
    coded = name.filter(named).dictionary_encode()
    names = coded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), "int64")
    rank[order] = np.arange(len(names))
    return row[named.to_numpy(False)], rank[coded.indices.to_numpy()], [names[i] for i in order]


def _shares_by_place(place: np.ndarray, of: np.ndarray) -> list[np.ndarray]:
    """What a touch may claim of its path's conversion, from its place (0, 1, …) of so many, by each of `BY_PLACE`."""
    first, last = place == 0, place == of - 1
    inner = (1 - 2 * AT_THE_ENDS) / np.maximum(of - 2, 1)
    position = np.where(of <= 2, 1 / of, np.where(first | last, AT_THE_ENDS, inner))
    return [first.astype("float64"), last.astype("float64"), 1 / of, position]


def _credits(units: int, k: int, shares: list[tuple]) -> csr_array:
    """From unit, channel and share of each touch, by rule."""
    of_rule = [csr_array((s[s > 0], (unit[s > 0], code[s > 0])), shape=(units, k + 1)) for unit, code, s in shares]
    return hstack(of_rule, format="csr")


def _moves(units: int, k: int, ways: list[tuple]) -> tuple[np.ndarray, csr_array]:
    """The pairs that occur, and how often in each unit; from unit, source, target and how often."""
    unit, source, target, n = (np.concatenate(x) for x in zip(*ways, strict=True))
    seen, number = np.unique(source * (k + 2) + target, return_inverse=True)
    return np.column_stack(np.divmod(seen, k + 2)), csr_array((n, (unit, number)), shape=(units, len(seen)))
