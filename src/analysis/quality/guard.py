"""Guarding a monthly run: is any defect above the limits that the mapping sets, and what changed since the last run?"""

from collections.abc import Mapping

import pandas as pd

from analysis.errors import Problem, did_you_mean
from analysis.evidence import difference_of_shares, percent, percent_range
from analysis.quality.checks import DIMENSIONS, where
from analysis.schema import TABLES

#: The least change of a defect's share that is told: a hundredth of the rows.
LEAST = 0.01


def above_limits(quality: pd.DataFrame, limits: Mapping[str, float]) -> pd.DataFrame:
    """The defects whose share is above the limit that holds for them.

    Parameters
    ----------
    quality : DataFrame, as `assess` gives it
    limits : dict of str to float
        Share (0 to 1) by "dimension", "table dimension" or "table.column dimension"; of several that fit a defect, the
        longest holds.

    Returns
    -------
    DataFrame
        The rows of `quality` that are above, with their ``limit``.

    Raises
    ------
    Problem
        A limit for a dimension, table or column that there is not.

    Examples
    --------
    >>> table = pd.DataFrame({"table": ["customers"] * 2, "column": ["city", "phone"], "dimension": "completeness",
    ...                       "share": [0.3, 0.3]})
    >>> above_limits(table, {"completeness": 0.2, "customers.phone completeness": 0.5})[["column", "limit"]]
      column  limit
    0   city    0.2
    """
    _check_limits(limits, quality)
    limit = [_limit(row, limits) for row in quality.itertuples()]
    judged = quality.assign(limit=pd.Series(limit, index=quality.index, dtype="float64"))
    return judged[judged["share"] > judged["limit"]]


def _check_limits(limits: Mapping[str, float], quality: pd.DataFrame) -> None:
    """See that every limit names a dimension, and a place that there can be: the base's own fields count, too."""
    for name in limits:
        *place, dimension = name.split() or [""]
        if dimension not in DIMENSIONS:
            raise Problem(
                f'[limits] "{name}": a limit ends in one of {", ".join(DIMENSIONS)}.'
                f'{did_you_mean(dimension, DIMENSIONS)} For example "customers.phone completeness" = 0.2.'
            )
        table, _, column = (place or [""])[0].partition(".")
        if table and table not in TABLES:
            raise Problem(f'[limits] "{name}": there is no table "{table}".{did_you_mean(table, TABLES)}')
        own = quality.loc[(quality["table"] == table) & (quality["column"] != ""), "column"]
        known = dict.fromkeys([*(TABLES[table].names if table else ()), *own])
        if column and column not in known:
            raise Problem(
                f'[limits] "{name}": {table} has no column "{column}".{did_you_mean(column, known)} '
                f"It has: {', '.join(known)}."
            )


def _limit(row, limits: Mapping[str, float]) -> float | None:
    names = (f"{row.table}.{row.column} {row.dimension}", f"{row.table} {row.dimension}", row.dimension)
    return next((limits[name] for name in names if name in limits), None)


def changes(now: pd.DataFrame, before: pd.DataFrame, least: float = LEAST) -> pd.DataFrame:
    """What changed in the quality of the data since an earlier run.

    Parameters
    ----------
    now, before : DataFrame, as `assess` gives it
    least : float
        Changes of a defect's share by less are left out, as are those that may be chance.

    Returns
    -------
    DataFrame, largest rise first
        ``table``, ``column``, ``check``, ``before``, ``now`` (shares), ``difference``, ``low``, ``high`` (95 %
        interval, Newcombe's), ``what`` ("new", "gone", "more" or "less").

    Examples
    --------
    >>> of = {"table": ["orders"], "column": ["channel"], "check": ["empty"], "checked": [1000]}
    >>> now, before = pd.DataFrame(of | {"defects": [120]}), pd.DataFrame(of | {"defects": [20]})
    >>> changes(now, before)[["before", "now", "what"]]
       before   now  what
    0    0.02  0.12  more
    """
    keys = ["table", "column", "check"]
    both = now.merge(before, on=keys, how="outer", suffixes=("", "_before"))
    counts = both[["defects", "checked", "defects_before", "checked_before"]].fillna(0)
    both["what"] = "more"
    both.loc[counts["defects_before"] == 0, "what"] = "new"
    # of a check that found nothing at all there is no row: as many were looked at as on the other side
    counts["checked"] = counts["checked"].where(counts["checked"] > 0, counts["checked_before"])
    counts["checked_before"] = counts["checked_before"].where(counts["checked_before"] > 0, counts["checked"])
    counts = counts[counts["checked"] > 0]
    sides = (counts["defects"], counts["checked"], counts["defects_before"], counts["checked_before"])
    difference, low, high, _ = difference_of_shares(*(s.to_numpy() for s in sides))
    both = both.loc[counts.index, [*keys, "what"]].assign(
        before=sides[2] / sides[3], now=sides[0] / sides[1], difference=difference, low=low, high=high
    )
    both.loc[both["difference"] < 0, "what"] = "less"
    both.loc[(both["now"] == 0) & (both["before"] > 0), "what"] = "gone"
    told = both[(both["difference"].abs() >= least) & ((both["low"] > 0) | (both["high"] < 0))]
    order = [*keys, "before", "now", "difference", "low", "high", "what"]
    return told[order].sort_values(["difference", *keys], ascending=[False, True, True, True], ignore_index=True)


def limits_in_words(above: pd.DataFrame) -> list[str]:
    """What `above_limits` gives, line by line."""
    return [
        f"Above the limit: {where(row)}: {row.check}, {row.share:.2%} of {row.checked:,}, limit {row.limit:.2%}"
        for row in above.itertuples()
    ]


def changes_in_words(changed: pd.DataFrame, since: object) -> list[str]:
    """What `changes` gives, line by line, with the interval of each difference."""
    if changed.empty:
        return [f"Since {since}: no defect more or less by a hundredth."]
    lines = [f"Since {since}:"]
    for row in changed.itertuples():
        interval = percent_range(row.low, row.high, 1)
        lines.append(
            f"  {row.what:<5} {where(row)}: {row.check}, {percent(row.before, 1)} → {percent(row.now, 1)} "
            f"(difference {interval})"
        )
    return lines
