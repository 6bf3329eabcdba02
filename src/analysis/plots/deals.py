"""Figures of deals: what lies in each stage and what it will bring, who wins how often, and when."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.errors import Problem, require_columns
from analysis.evidence import duration, percent, short
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
    PALE,
    QUIET,
    amount_axis,
    canvas,
    counted,
    elided,
    figures_by_group,
    finish,
    grid,
    heading,
    interval_words,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    write,
)

#: As many groups as one can still tell apart in a figure.
_MOST_GROUPS = 20


def pipeline(stages: pd.DataFrame, figures: pd.DataFrame, currency: str = "", source: str | None = None) -> Axes:
    """What lies open in each stage, and what of it can be expected to be won.

    Parameters
    ----------
    stages, figures : DataFrame
        As ``journeys.pipeline`` gives them; without amounts, numbers of deals are drawn in place of their value.
    currency : of the amounts
    source : where the figures come from, for the last line

    Examples
    --------
    >>> stages = pd.DataFrame({"stage": ["lead", "offer"], "open": [9, 4], "value": [90.0, 80.0], "wins": [3, 2.5],
    ...                        "wins_low": [1, 1], "wins_high": [6, 4], "expected": [30.0, 50.0],
    ...                        "expected_low": [5, 20], "expected_high": [60, 75]})
    >>> said = pd.DataFrame({"measure": ["open_deals", "open_value", "expected_wins", "pipeline_value"],
    ...                      "value": [13, 170, 5.5, 80], "low": [0, 0, 2, 40.0], "high": [0, 0, 8, 120.0]})
    >>> print(pipeline(stages, said).get_title())
    13 open deals of 170 are expected to bring 80 (interval 40 to 120), most of it from offer
    """
    if stages.empty or not stages["open"].sum():
        return nothing_to_show("no deal is open in any stage")
    need = ["stage", "open", "value", "wins", "wins_low", "wins_high", "expected", "expected_low", "expected_high"]
    require_columns("stages", stages.columns, need)
    require_columns("figures", figures.columns, ["measure", "value", "low", "high"])
    said = figures.set_index("measure")
    money = np.isfinite(said.loc["pipeline_value", "value"])
    lies, comes = ("value", "expected") if money else ("open", "wins")
    there, expected, low, high = (stages[c].to_numpy("float64") for c in (lies, comes, f"{comes}_low", f"{comes}_high"))
    axes, y = canvas(rows=1.3 * len(stages)), np.arange(len(stages))
    axes.barh(y, there, height=0.62, color=PALE)
    axes.barh(y, expected, height=0.3, color=ACCENT)
    arms = np.nan_to_num(np.clip([expected - low, high - expected], 0, None))
    some = stages["open"].to_numpy() > 0
    axes.errorbar(expected[some], y[some], xerr=arms[:, some], fmt="none", color=INK, lw=1.2, capsize=3)
    texts = [_stage_in_words(*row) for row in zip(stages["open"], there, expected, low, high, strict=True)]
    axes.set_xlim(0, max(np.nanmax(np.fmax(there, high)), 1e-9))
    label_bars(axes, y, np.fmax(np.nan_to_num(there), np.nan_to_num(high)), texts, size=8)
    grid(axes, "x")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    amount_axis(axes.xaxis)
    axes.set_xlabel("pale: all that is open, amber: expected to be won" + (f" · {currency}" if currency else ""))
    ranked_axis(axes, [name_of(stage) for stage in stages["stage"]])
    n, unit = said.loc["open_deals", "value"], f" {currency}" if currency and money else ""
    total = said.loc["pipeline_value" if money else "expected_wins"]
    worth = f" of {short(said.loc['open_value', 'value'])}{unit}" if money else ""
    title = f"{counted(n, 'open deal')}{worth} {'is' if n == 1 else 'are'} expected to bring {short(total['value'])}"
    title += f"{unit if money else ' wins'} (interval {short(total['low'])} to {short(total['high'])})"
    top = int(np.nanargmax(np.nan_to_num(expected)))
    from_top = stages["stage"].iloc[top]
    if len(stages) > 1 and expected[top] > np.nansum(expected) / 2 and not from_top.startswith("("):
        title += f", most of it from {elided(from_top, 30)}"
    notes = f"n = {counted(n, 'open deal')}"
    drawn = "Bars by stage, with intervals: " + listing(zip(map(str, stages["stage"]), texts, strict=True))
    return finish(axes, title, drawn, notes, source)


def win_rates(table: pd.DataFrame, source: str | None = None) -> Axes:
    """How many of their deals each owner, industry, source or product wins, beside all of them together.

    Parameters
    ----------
    table : DataFrame, one split's rows of the table that ``journeys.win_rates`` gives
    source : where the figures come from, for the last line

    Raises
    ------
    Problem
        When there is more than one split.

    Notes
    -----
    Of more than twenty groups, those that stand out are drawn, and then those with most deals.

    Examples
    --------
    >>> table = pd.DataFrame({"split": "source", "group": ["fair", "web"], "n": [60, 90], "won": [40, 20],
    ...                       "rate": [0.67, 0.22], "low": [0.54, 0.15], "high": [0.77, 0.32],
    ...                       "elsewhere": [0.22, 0.67], "differs": [True, True], "p_corrected": [0.01, 0.02]})
    >>> print(win_rates(table).get_title())
    Source: fair wins 67 % of 60 deals, all others 22 %, and 1 more stands out
    """
    if table.empty:
        return nothing_to_show("no group has enough decided deals")
    require_columns(
        "table", table.columns, ["split", "group", "n", "won", "rate", "low", "high", "elsewhere", "differs"]
    )
    splits = sorted(table["split"].astype(str).unique())
    if len(splits) > 1:
        raise Problem(
            f"win_rates draws one split at a time, and this table has {len(splits)}: {', '.join(splits)}. "
            f'Keep one, e.g. win_rates(table[table["split"] == "{splits[0]}"]).'
        )
    kept = table.sort_values(["differs", "n", "group"], ascending=[False, False, True]).head(_MOST_GROUPS)
    shown = kept.sort_values(["rate", "n", "group"], ascending=[False, False, True])
    rate, low, high = (shown[c].to_numpy("float64") for c in ("rate", "low", "high"))
    overall = table["won"].sum() / table["n"].sum()
    axes = canvas(rows=1.05 * len(shown))
    axes.axvline(overall, color=QUIET, lw=0.9)
    write(axes, f"all: {percent(overall)}", (overall, -0.6), offset=(3, 2), size=8, color=QUIET)
    for place, out in enumerate(shown["differs"]):
        reach = [[rate[place] - low[place]], [high[place] - rate[place]]]
        colour = ACCENT if out else QUIET
        axes.errorbar(rate[place], place, xerr=np.clip(reach, 0, None), fmt="o", ms=6, color=colour, lw=2, capsize=3)
    axes.set_xlim(min(low.min(), overall) * 0.95, max(high.max(), overall))
    texts = [
        f"{percent(r)}{interval_words(a, b, ' (', ')')} of {n:,.0f}"
        for r, a, b, n in zip(rate, low, high, shown["n"], strict=True)
    ]
    figures_by_group(axes, shown["group"], texts, "share of deals that were won", share=True)
    drawn = "Win rates with intervals: " + listing(zip(shown["group"].astype(str), texts, strict=True))
    notes = f"n = {counted(table['n'].sum(), 'deal')}; amber: differs from all others, corrected for all compared"
    if len(shown) < len(table):
        notes += f"; {len(table) - len(shown):,} of {len(table):,} groups are not drawn"
    return finish(axes, _rates_in_words(table, splits[0]), drawn, notes, source)


def win_curve(curve: pd.DataFrame, n: int | None = None, source: str | None = None) -> Axes:
    """What becomes of deals as they grow older: the share won, with its interval, and the share lost.

    Parameters
    ----------
    curve : DataFrame, columns days, won, low, high, lost, as ``journeys.pipeline`` gives it
    n : number of deals, for the last line
    source : where the figures come from, for the last line

    Examples
    --------
    >>> curve = pd.DataFrame({"days": [0, 10, 50], "won": [0, 0.2, 0.4], "low": [0, 0.15, 0.33],
    ...                       "high": [0, 0.26, 0.47], "lost": [0, 0.3, 0.6]})
    >>> print(win_curve(curve).get_title())
    40 % of deals are won (interval 33 to 47 %), half of these within 10 days
    """
    if curve.empty or not curve["won"].max() > 0:
        return nothing_to_show("no deal has been won")
    require_columns("curve", curve.columns, ["days", "won", "low", "high", "lost"])
    decided = curve["won"] + curve["lost"]
    curve = curve[: np.flatnonzero(decided >= decided.iloc[-1])[0] + 2]  # nothing happens after that
    days, won, lost = (curve[c].to_numpy("float64") for c in ("days", "won", "lost"))
    final, half = won[-1], days[np.flatnonzero(won >= won[-1] / 2 - 1e-12)[0]]
    axes = canvas(height=3.8)
    axes.fill_between(days, curve["low"], curve["high"], color=ACCENT, alpha=0.18, lw=0, step="post")
    axes.step(days, lost, where="post", color=GREY, lw=2)
    axes.step(days, won, where="post", color=ACCENT, lw=2.5)
    axes.plot([half, half], [0, final / 2], color=QUIET, lw=0.9, ls=(0, (4, 2)))
    write(axes, "half of the won", (half, final / 4), offset=(4, 0), va="center", size=8, color=QUIET, bbox=CLEAR)
    apart = 0 if abs(final - lost[-1]) > 0.06 else 7 if final >= lost[-1] else -7
    write(axes, f"won {percent(final)}", (days[-1], final), (5, apart), va="center", color=ACCENT)
    if lost[-1] > 0:
        write(axes, f"lost {percent(lost[-1])}", (days[-1], lost[-1]), (5, -apart), va="center", color=QUIET)
    grid(axes, "y")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g} %"))
    axes.set(xlim=(0, days[-1]), ylim=(0, None), xlabel="days since the deal came up")
    heading(axes, "of all deals")
    title = f"{percent(final)} of deals are won"
    title += interval_words(curve["low"].iloc[-1], curve["high"].iloc[-1], " (interval ", ")")
    title += f", half of these within {duration(half)}"
    drawn = f"Curves of the shares won, with interval, and lost ({percent(lost[-1])} in the end)."
    notes = (f"n = {counted(n, 'deal')}; " if n else "") + "open deals count for as long as they were seen"
    return finish(axes, title, drawn, notes, source)


def _stage_in_words(n: float, there: float, expected: float, low: float, high: float) -> str:
    if not n:
        return "no deal"
    if not np.isfinite(expected):
        return f"{counted(n, 'deal')}; nobody has left it yet"
    return f"{counted(n, 'deal')}; {short(expected)} ({short(low)} to {short(high)})"


def _rates_in_words(table: pd.DataFrame, split: str) -> str:
    overall = percent(table["won"].sum() / table["n"].sum())
    if len(table) < 2:
        return f"{elided(table['group'].iloc[0], 30)} is the only {split} with enough deals: {overall} are won"
    out = table[table["differs"]]
    if out.empty:
        spread = f"{percent(table['rate'].min())} to {percent(table['rate'].max())}"
        return f"No {split} stands out: they win {spread} of their deals, all together {overall}"
    top = out.sort_values(["p_corrected", "group"]).iloc[0]
    title = (
        f"{split.capitalize()}: {elided(top['group'], 30)} wins {percent(top['rate'])} of {counted(top['n'], 'deal')}"
    )
    title += f", all others {percent(top['elsewhere'])}"
    more = len(out) - 1
    return title + (f", and {more:,} more stand{'s' if more == 1 else ''} out" if more else "")
