"""Where are most customers lost, and does any step stand out?"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import require_columns
from analysis.journeys.shares import DIFFERENCE_COLUMNS, interval, ratio, with_corrected_differences


class Bottlenecks(NamedTuple):
    """The steps ranked by customers lost, and what may be said about them."""

    table: pd.DataFrame
    verdict: str


def bottlenecks(funnel: pd.DataFrame) -> Bottlenecks:
    """Where are most customers lost, and does any step stand out?

    Parameters
    ----------
    funnel : DataFrame
        As :func:`funnel` gives it.

    Returns
    -------
    table : DataFrame, one row per step that has a next one, most lost first
        ``step``, ``next_step``, ``entered``, ``lost``; ``share``, of all losses, with interval ``low``, ``high``;
        ``loss_rate`` = lost / judged; ``elsewhere``, that of all other steps together, ``difference`` of
        the two with interval ``difference_low``, ``difference_high``, ``p``, ``p_corrected`` (Holm); ``stands_out``
        (bool: loses a larger share than each of the others; see :func:`analysis.evidence.clearly_largest`).
    verdict : str
        One or two sentences; "no step stands out" is one of them.

    Notes
    -----
    Whether a customer takes a step is judged only among those who reached it, so that the shares of different steps
    can be compared as if they came from different customers. That a step stands out says that it loses more, not that
    it could lose less: that needs a comparison of like with like, or an experiment.

    Examples
    --------
    >>> steps = pd.DataFrame({"step": ["visit", "cart", "order"], "entered": [1000, 900, 300],
    ...                       "judged": [1000, 900, None], "lost": [100, 600, None]})
    >>> print(bottlenecks(steps).verdict)
    Most leave this path between cart and order: 600 of 700 who left it (85.7 %, interval 82.9 to 88.1 %). Losing a \
larger share than any other step: cart (66.7 %, elsewhere 10.0 %).
    """
    require_columns("The funnel", funnel.columns, ["step", "entered", "judged", "lost"])
    if funnel.empty:
        return Bottlenecks(_losses(funnel), "There is no funnel, so nothing can be said of its steps.")
    table = _losses(funnel)
    return Bottlenecks(table, _verdict_on(table))


def _losses(funnel: pd.DataFrame) -> pd.DataFrame:
    counted = funnel.assign(next_step=funnel["step"].shift(-1)).iloc[:-1]
    lost, judged = (
        counted["lost"].astype("int64").to_numpy(),
        counted["judged"].astype("int64").to_numpy(),
    )
    table = pd.DataFrame(
        {
            "step": counted["step"].to_numpy(),
            "next_step": counted["next_step"].to_numpy(),
            "entered": counted["entered"].astype("int64").to_numpy(),
            "lost": lost,
            "share": ratio(lost, np.full(len(lost), lost.sum())),
            "loss_rate": ratio(lost, judged),
            "k": lost,
            "n": judged,
            "k_elsewhere": lost.sum() - lost,
            "n_elsewhere": judged.sum() - judged,
        }
    )
    table["low"], table["high"] = interval(lost, np.full(len(lost), lost.sum()))
    table = with_corrected_differences(table)
    largest, clear = evidence.clearly_largest(lost, judged)
    table["stands_out"] = clear & (table.index == largest)
    columns = ["step", "next_step", "entered", "lost", "share", "low", "high", "loss_rate"]
    table = table[[*columns, *DIFFERENCE_COLUMNS, "stands_out"]]
    return table.sort_values(["lost", "step"], ascending=[False, True], ignore_index=True)


def _verdict_on(table: pd.DataFrame) -> str:
    losses = table["lost"].sum()
    if not losses:
        return "Nobody is known to be lost at any step."
    most = table.iloc[0]
    interval = evidence.percent_range(most["low"], most["high"], 1)
    verdict = (
        f"Most leave this path between {most['step']} and {most['next_step']}: {most['lost']:,} of {losses:,} who "
        f"left it ({evidence.percent(most['share'], 1)}, interval {interval})."
    )
    if table["p"].notna().sum() < 2:
        return f"{verdict} There is no other step to compare with."
    outstanding = table[table["stands_out"]]
    if outstanding.empty:
        return f"{verdict} No step stands out: none loses a clearly larger share of those who reach it than all others."
    step = outstanding.iloc[0]
    rates = f"{evidence.percent(step['loss_rate'], 1)}, elsewhere {evidence.percent(step['elsewhere'], 1)}"
    return f"{verdict} Losing a larger share than any other step: {step['step']} ({rates})."
