"""Where does one group of customers get on better or worse than everybody else?"""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, require_columns
from analysis.journeys.funnel import (
    FUNNEL_COLUMNS,
    funnel_table,
    microseconds_of,
    ordered_steps,
    reached_steps,
    times_of,
)
from analysis.journeys.moments import clean
from analysis.journeys.shares import DIFFERENCE_COLUMNS, with_corrected_differences


def compare_funnels(
    events: IntoFrame,
    steps: Sequence[str],
    by: pd.DataFrame,
    group: str = "persona",
    window_days: float | None = None,
    as_of: date | None = None,
    min_size: int = 5,
) -> pd.DataFrame:
    """Where does one group of customers get on better or worse than everybody else?

    Parameters
    ----------
    events, steps, window_days, as_of
        As for :func:`funnel`.
    by : DataFrame with columns customer_id (each once) and `group`
        Customers of no group are left out.
    group : str
    min_size : int
        Groups with fewer customers in the funnel are left out altogether, from "elsewhere" too, so that nothing can
        be worked out about them by subtraction.

    Returns
    -------
    DataFrame, one row per group and step
        `group` and the columns of :func:`funnel`; ``elsewhere``, the rate of everybody else, ``difference`` of the
        two with interval ``difference_low``, ``difference_high``, ``p``, ``p_corrected`` (Holm), ``differs`` (bool:
        p_corrected < 0.05).

    Raises
    ------
    Problem
        As for :func:`funnel`; also if `by` names a customer twice, or none who entered the funnel.

    Notes
    -----
    All differences of the table are one family. Their intervals are simultaneous, each at confidence
    1 - 0.05 / number of differences (Bonferroni), so they are a little wider than Holm's stepwise test needs.

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
    steps, window = ordered_steps(steps), microseconds_of(window_days)
    require_columns("The table of groups", by.columns, ["customer_id", group])
    reached, end = reached_steps(clean(events), steps, as_of)
    reached = _with_group(reached, by, group)
    reached = reached[reached.groupby(group)["customer_id"].transform("size") >= min_size]
    everybody = funnel_table(times_of(reached, len(steps)), steps, window, end)
    tables = {
        name: funnel_table(times_of(part, len(steps)), steps, window, end) for name, part in reached.groupby(group)
    }
    if not tables:
        tables = {"": everybody.head(0)}
    compared = [_against_everybody_else(table, everybody).assign(**{group: name}) for name, table in tables.items()]
    compared = with_corrected_differences(pd.concat(compared, ignore_index=True))
    return compared[[group, *FUNNEL_COLUMNS, *DIFFERENCE_COLUMNS, "differs"]]


def _with_group(reached: pd.DataFrame, by: pd.DataFrame, group: str) -> pd.DataFrame:
    groups = by[["customer_id", group]].dropna()
    # identifiers are text everywhere else; a table read from a file may have made numbers of them
    groups = groups.assign(customer_id=groups["customer_id"].astype(str))
    twice = groups["customer_id"].duplicated()
    if twice.any():
        raise Problem(
            f"The table of groups names {twice.sum()} customers more than once. Each may be in one {group} only."
        )
    joined = reached.assign(customer_id=reached["customer_id"].astype(str)).merge(groups, on="customer_id")
    if joined.empty:
        raise Problem(
            f"None of the {len(groups)} customers with a {group} entered the funnel. "
            "Check that both tables name customers by the same id."
        )
    return joined


def _against_everybody_else(part: pd.DataFrame, everybody: pd.DataFrame) -> pd.DataFrame:
    """The funnel of a part, with what the others' funnel counts: n_elsewhere and k_elsewhere."""
    others = everybody.loc[part.index, ["judged", "lost"]] - part[["judged", "lost"]]
    return part.assign(
        k=part["judged"] - part["lost"],
        n=part["judged"],
        k_elsewhere=others["judged"] - others["lost"],
        n_elsewhere=others["judged"],
    )
