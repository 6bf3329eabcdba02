"""Where does one group of customers get on better or worse, faster or slower, than everybody else?"""

from collections.abc import Sequence, Sized
from datetime import date

import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.journeys.course import MICROSECONDS_PER_DAY, Course, Step, course
from analysis.journeys.funnel import FUNNEL_COLUMNS, Taken, Walked, clusters, funnel_table, walked
from analysis.journeys.moments import collected, lazily
from analysis.journeys.reach import Reached, reached
from analysis.journeys.shares import CONFIDENCE, DIFFERENCE_COLUMNS, with_corrected_differences

#: Groups that are times of entering, and the letter by which pandas knows them.
PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}

DELAY_COLUMNS = ["days_elsewhere", "days_difference", "days_low", "days_high", "days_p", "days_p_corrected"]


def compare_funnels(
    events: IntoFrame,
    steps: Sequence[Step],
    by: pd.DataFrame | str,
    group: str = "persona",
    window_days: float | None = None,
    as_of: date | None = None,
    min_size: int = 5,
    *,
    within: str | None = None,
    step_days: float | None = None,
    ordered: bool = True,
    optional: Sequence[str] = (),
    per: str = "customer_id",
) -> pd.DataFrame:
    """Where does one group of customers get on better or worse than everybody else?

    Parameters
    ----------
    events, steps, window_days, as_of, step_days, ordered, optional, per
        As for :func:`funnel`; without steps the table is empty.
    by : DataFrame with columns customer_id (each once) and `group`, or str
        Customers of no group are left out; without any the table is empty. A name is a column of the events, such as
        channel or campaign_id, as the entering event has it; or "month", "quarter" or "year", in which the funnel was
        entered.
    group : str
        Column of `by`; where `by` is a name, that is the group.
    min_size : int
        Groups with fewer in the funnel are left out altogether, from "elsewhere" too, so that nothing can be worked out
        about them by subtraction.
    within : str, optional
        Column of the events, as the entering event has it, or "month", "quarter", "year": like is then compared with
        like, a group with everybody else who entered by the same channel, say.

    Returns
    -------
    DataFrame, one row per group (in each part, if `within` is given) and step
        `group`, `within` and the columns of :func:`funnel`. Of the rate: ``elsewhere``, that of everybody else,
        ``difference`` of the two with interval ``difference_low``, ``difference_high``, ``p``, ``p_corrected`` (Holm),
        ``differs`` (bool: p_corrected < 0.05). Of the mean days to convert likewise: ``days_elsewhere``,
        ``days_difference``, ``days_low``, ``days_high``, ``days_p``, ``days_p_corrected``, ``slower`` (bool).
        And what a lower rate means: ``lost_more``, how many more of the judged were lost than if the group had done as
        everybody else, with ``lost_more_low``, ``lost_more_high``, and ``lost_more_value``, negative where it did
        better.

    Raises
    ------
    Problem
        As for :func:`funnel`; also if `by` names a customer twice, or none who entered the funnel, or if a group bears
        the name of a figure.

    Notes
    -----
    All differences of rates are one family, all of days another. Their intervals are simultaneous, each at confidence
    1 - 0.05 / number of differences (Bonferroni), so they are a little wider than Holm's stepwise test needs. Days are
    those of the judged who converted, compared by Welch's test; where several sessions are one customer's, each
    customer counts once, with the mean of theirs.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": [*"abcdab"], "event": ["visit"] * 4 + ["order"] * 2,
    ...                        "occurred_at": pd.Timestamp("2025-03-20")})
    >>> who = pd.DataFrame({"customer_id": [*"abcd"], "persona": [1, 1, 2, 2]})
    >>> compare_funnels(visits, ["visit", "order"], who, min_size=2)[["persona", "step", "rate", "elsewhere"]]
       persona   step  rate  elsewhere
    0        1  visit   1.0        0.0
    1        1  order   NaN        NaN
    2        2  visit   0.0        1.0
    3        2  order   NaN        NaN
    """
    by = by if isinstance(by, str) else collected(lazily(by))
    keys = _keys(by if isinstance(by, str) else group, within)
    if (isinstance(steps, Sized) and len(steps) == 0) or len(by) == 0:
        return _nothing_compared(keys)
    way = course(steps, window_days, step_days, ordered, optional)
    told = [c for c in (by, within) if isinstance(c, str)]
    together = clusters(events, per)
    ids = together if isinstance(by, str) else ["customer_id"]
    found = reached(events, way, as_of, per, keep=ids, entering=[c for c in told if c not in PERIODS])
    cases = walked(found, way, clustered=bool(together))
    zone = _zone(events)
    entered = found.cases.assign(**{c: _periods(found, c, zone) for c in told if c in PERIODS})
    groups = (entered if isinstance(by, str) else _with_group(entered, by, group))[keys].dropna()
    groups = groups[groups.groupby(keys)[keys[0]].transform("size") >= min_size]
    tables = [_beside_others(cases, way, groups, keys, name) for name in _each(groups, keys)]
    if not tables:
        return _nothing_compared(keys)
    return _judged(pd.concat(tables, ignore_index=True))[[*keys, *FUNNEL_COLUMNS, *_COMPARED]]


_COMPARED = [*DIFFERENCE_COLUMNS, "differs", *DELAY_COLUMNS, "slower"]
_COMPARED += ["lost_more", "lost_more_low", "lost_more_high", "lost_more_value"]


def _zone(events: IntoFrame) -> str | None:
    return getattr(lazily(events).collect_schema()["occurred_at"], "time_zone", None)


def _keys(group: str, within: str | None) -> list[str]:
    """The columns that name the groups."""
    keys = [group] if within is None else [group, within]
    ids = ["customer_id", "session_id", "attempt_id", "deal_id", "occurred_at", "value"]
    taken = [key for key in keys if key in (*FUNNEL_COLUMNS, *_COMPARED, *ids)]
    if taken:
        raise Problem(f'Groups cannot be told by "{taken[0]}", a column with a meaning of its own. Rename it.')
    if group == within:
        raise Problem(f'Groups by "{group}" cannot be compared within each {within}. Leave within out.')
    return keys


def _with_group(cases: pd.DataFrame, by: pd.DataFrame, group: str) -> pd.DataFrame:
    """The cases that have a group, with it."""
    require_columns("The table of groups", by.columns, ["customer_id", group])
    groups = by[["customer_id", group]].dropna()
    # identifiers are text everywhere else; a table read from a file may have made numbers of them
    groups = groups.assign(customer_id=groups["customer_id"].astype(str))
    if groups[group].dtype == object:  # numbers among texts have no order
        groups = groups.assign(**{group: groups[group].astype(str)})
    twice = groups["customer_id"].duplicated()
    if twice.any():
        raise Problem(
            f"The table of groups names {twice.sum()} customers more than once. Each may be in one {group} only."
        )
    of_case = cases["customer_id"].astype(str).map(groups.set_index("customer_id")[group])
    if of_case.isna().all():
        raise Problem(
            f"None of the {len(groups)} customers with a {group} entered the funnel. "
            "Check that both tables name customers by the same id."
        )
    known = of_case.notna()  # who has no group turned whole numbers into floats
    return cases[known].assign(**{group: of_case[known].astype(groups[group].dtype)})


def _periods(found: Reached, by: str, zone: str | None) -> pd.Series:
    """When each case entered, in the events' own timezone."""
    entered = pd.Series(pd.to_datetime(found.times[:, 0], unit="us"))
    local = entered.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None) if zone else entered
    return local.dt.to_period(PERIODS[by]).astype(str)


def _each(groups: pd.DataFrame, keys: list[str]) -> list[tuple]:
    """The groups that there are, in order."""
    return list(groups[keys].drop_duplicates().sort_values(keys[::-1]).itertuples(index=False, name=None))


def _beside_others(cases: Walked, way: Course, groups: pd.DataFrame, keys: list[str], name: tuple) -> pd.DataFrame:
    """The funnel of a group, with what the others of its part did: their rates as k of n, and the days of both."""
    in_part = groups if len(keys) == 1 else groups[groups[keys[1]] == name[1]]
    inside = (in_part[keys[0]] == name[0]).to_numpy()
    here, others = (cases.take(in_part.index[x].to_numpy()) for x in (inside, ~inside))
    table = funnel_table(here, way)
    rows = []
    for ours, theirs in zip(here.steps, others.steps, strict=True):
        judged, weight = theirs.judged.sum(), theirs.weight(others.who)
        k = (judged - (theirs.judged & ~theirs.converted).sum()) * weight
        rows.append((k, judged * weight, *_days_beside(ours, theirs, here.who, others.who)))
    columns = ["k_elsewhere", "n_elsewhere", "days_here", "days_there"]
    table[columns] = pd.DataFrame(rows, columns=columns, index=table.index)
    judged, lost = (table[c].astype("float64").fillna(0) for c in ("judged", "lost"))
    table = table.assign(k=(judged - lost) * table["weight"].fillna(1), n=judged * table["weight"].fillna(1))
    return table.assign(**dict(zip(keys, name, strict=True)))


def _days_beside(ours: Taken, theirs: Taken, our_ids: np.ndarray | None, their_ids: np.ndarray | None) -> tuple:
    """Days to convert, here and elsewhere; where cases hang together, the mean of each customer."""
    sides = []
    for step, ids in ((ours, our_ids), (theirs, their_ids)):
        days = step.waited[step.timed] / MICROSECONDS_PER_DAY
        sides.append(days if ids is None else pd.Series(days).groupby(ids[step.timed]).mean().to_numpy())
    return tuple(sides)


def _nothing_compared(keys: list[str]) -> pd.DataFrame:
    """A table without rows."""
    return pd.DataFrame(columns=[*keys, *FUNNEL_COLUMNS, *_COMPARED])


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Adds the differences of rates and of days, each family corrected, and how many more were lost."""
    table = _with_days(with_corrected_differences(table))
    judged = table["judged"].astype("float64")
    worth = table["lost_value"] / table["lost"].astype("float64").where(table["lost"] > 0)
    return table.assign(
        lost_more=-table["difference"] * judged,
        lost_more_low=-table["difference_high"] * judged,
        lost_more_high=-table["difference_low"] * judged,
        lost_more_value=-table["difference"] * judged * worth,
    )


def _with_days(table: pd.DataFrame) -> pd.DataFrame:
    sides = table[["days_here", "days_there"]].to_numpy()
    measured = np.array([i for i, (a, b) in enumerate(sides) if len(a) > 1 and len(b) > 1], dtype=int)
    figures = np.full((len(table), 6), np.nan)
    for i in measured:
        a, b = (np.sort(x) for x in sides[i])
        confidence = 1 - (1 - CONFIDENCE) / len(measured)
        figures[i, :5] = (b.mean(), *evidence.difference_of_means(a, b, confidence=confidence))
    if len(measured):
        figures[measured, 5] = evidence.holm(figures[measured, 4])
    table[DELAY_COLUMNS] = figures
    return table.assign(slower=(figures[:, 5] < 1 - CONFIDENCE) & (figures[:, 1] > 0))
