"""Figures of deals: what lies in each stage and what it will bring, who wins how often, and when."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.errors import Problem, require_columns
from analysis.evidence import duration, in_words, percent, percent_range, short
from analysis.locale import named
from analysis.phrases import figure, from_the_right, phrase
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
    time_axis,
    write,
)

#: As many groups as one can still tell apart in a figure.
_MOST_GROUPS = 20

#: A figure and its interval.
_BOUNDS = ("value", "low", "high")


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
        return nothing_to_show(phrase("no deal is open in any stage"))
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
    unit = f" {named(currency, 'currency')}" if currency and money else ""
    pale = phrase("pale: all that is open, amber: expected to be won")
    axes.set_xlabel(f"{pale} ·{unit}" if unit else pale)
    ranked_axis(axes, [name_of(named(stage, "stage")) for stage in stages["stage"]])
    n = said.loc["open_deals", "value"]
    title = _expected_in_words(said, money, unit)
    top = int(np.nanargmax(np.nan_to_num(expected)))
    from_top = stages["stage"].iloc[top]
    if len(stages) > 1 and expected[top] > np.nansum(expected) / 2 and not from_top.startswith("("):
        stage = elided(named(from_top, "stage"), 30)
        title = phrase("{finding}, most of it from {stage}", finding=title, stage=stage)
    notes = phrase("n = {n}", n=counted(n, "open deal"))
    bars = listing(zip((named(stage, "stage") for stage in stages["stage"]), texts, strict=True))
    return finish(axes, title, phrase("Bars by stage, with intervals: {bars}", bars=bars), notes, source)


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
        return nothing_to_show(phrase("no group has enough decided deals"))
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
    write(axes, phrase("all: {share}", share=percent(overall)), (overall, -0.6), offset=(3, 2), size=8, color=QUIET)
    for place, out in enumerate(shown["differs"]):
        reach = [[rate[place] - low[place]], [high[place] - rate[place]]]
        colour = ACCENT if out else QUIET
        axes.errorbar(rate[place], place, xerr=np.clip(reach, 0, None), fmt="o", ms=6, color=colour, lw=2, capsize=3)
    axes.set_xlim(min(low.min(), overall) * 0.95, max(high.max(), overall))
    texts = [
        phrase("{share} of {n:,.0f}", share=percent(r) + interval_words(a, b, " (", ")"), n=n)
        for r, a, b, n in zip(rate, low, high, shown["n"], strict=True)
    ]
    groups = [named(group, splits[0]) for group in shown["group"]]
    figures_by_group(axes, groups, texts, phrase("share of deals that were won"), share=True)
    drawn = phrase("Win rates with intervals: {rates}", rates=listing(zip(groups, texts, strict=True)))
    notes = [phrase("n = {n}", n=counted(table["n"].sum(), "deal"))]
    notes.append(phrase("amber: differs from all others, corrected for all compared"))
    if left := len(table) - len(shown):
        notes.append(phrase("{left:,} of {n:,} groups are not drawn", left=left, n=len(table)))
    return finish(axes, _rates_in_words(table, splits[0]), drawn, phrase("; ").join(notes), source)


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
        return nothing_to_show(phrase("no deal has been won"))
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
    apart = 0 if abs(final - lost[-1]) > 0.06 else 7 if final >= lost[-1] else -7
    _write_later(axes, phrase("half of the won"), (half, final / 4), (4, 0), size=8, color=QUIET, bbox=CLEAR)
    _write_later(axes, phrase("won {share}", share=percent(final)), (days[-1], final), (5, apart), color=ACCENT)
    if lost[-1] > 0:
        end = (days[-1], lost[-1])
        _write_later(axes, phrase("lost {share}", share=percent(end[1])), end, (5, -apart), color=QUIET)
    grid(axes, "y")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: figure(f"{100 * v:.3g} %")))
    axes.set(xlim=(0, days[-1]), ylim=(0, None), xlabel=phrase("days since the deal came up"))
    time_axis(axes)
    heading(axes, phrase("of all deals"))
    if from_the_right():
        _scale_on_the_right(axes)
    title = _won_in_words(final, curve["low"].iloc[-1], curve["high"].iloc[-1], half)
    drawn = phrase("Curves of the shares won, with interval, and lost ({share} in the end).", share=percent(lost[-1]))
    notes = [phrase("n = {n}", n=counted(n, "deal"))] if n else []
    notes.append(phrase("open deals count for as long as they were seen"))
    return finish(axes, title, drawn, phrase("; ").join(notes), source)


def _won_in_words(share: float, low: float, high: float, half: float) -> str:
    said = {"share": percent(share), "half": duration(half)}
    if not np.isfinite([low, high]).all():
        return phrase("{share} of deals are won, half of these within {half}", **said)
    interval = percent_range(low, high)
    return phrase(
        "{share} of deals are won (interval {interval}), half of these within {half}", interval=interval, **said
    )


def _scale_on_the_right(axes: Axes) -> None:
    """The vertical axis where time begins."""
    axes.yaxis.tick_right()
    axes.spines["right"].set_visible(True)
    axes.spines["left"].set_visible(False)
    axes.yaxis.set_label_coords(1, 1.015)
    axes.yaxis.label.set_ha("right")


def _write_later(axes: Axes, text: str, xy, offset, **style) -> None:
    """A text beside a place, on the side where time goes on."""
    side = -1 if from_the_right() else 1
    style["ha"] = "right" if from_the_right() else "left"
    write(axes, text, xy, (side * offset[0], offset[1]), va="center", **style)


def _expected_in_words(said: pd.DataFrame, money: bool, unit: str) -> str:
    """How many open deals there are, and what they are expected to bring."""
    n = said.loc["open_deals", "value"]
    deals = counted(n, "open deal")
    total = {c: short(x) for c, x in said.loc["pipeline_value" if money else "expected_wins"].items() if c in _BOUNDS}
    if money:
        deals = phrase("{deals} of {worth}", deals=deals, worth=short(said.loc["open_value", "value"]) + unit)
        total["value"] += unit
        gain = phrase("{value} (interval {low} to {high})", **total)
    else:
        gain = phrase("{value} wins (interval {low} to {high})", **total)
    if n == 1:
        return phrase("{deals} is expected to bring {gain}", deals=deals, gain=gain)
    return phrase("{deals} are expected to bring {gain}", deals=deals, gain=gain)


def _stage_in_words(n: float, there: float, expected: float, low: float, high: float) -> str:
    if not n:
        return phrase("no deal")
    deals = counted(n, "deal")
    if not np.isfinite(expected):
        return phrase("{deals}; nobody has left it yet", deals=deals)
    bounds = {"value": short(expected), "low": short(low), "high": short(high)}
    return phrase("{deals}; {value} ({low} to {high})", deals=deals, **bounds)


def _rates_in_words(table: pd.DataFrame, split: str) -> str:
    overall, of = percent(table["won"].sum() / table["n"].sum()), in_words(split)
    out = table[table["differs"]].sort_values(["p_corrected", "group"])
    if len(table) < 2:
        only = elided(named(table["group"].iloc[0], split), 30)
        return phrase(
            "{group} is the only {split} with enough deals: {share} are won", group=only, split=of, share=overall
        )
    if out.empty:
        rates = {"low": percent(table["rate"].min()), "high": percent(table["rate"].max()), "share": overall}
        return phrase(
            "No {split} stands out: they win {low} to {high} of their deals, all together {share}", split=of, **rates
        )
    return _standing_out_in_words(out, split, of.capitalize())


def _standing_out_in_words(out: pd.DataFrame, split: str, of: str) -> str:
    """The group that stands out most, and how many more do."""
    top, more = out.iloc[0], len(out) - 1
    finding = phrase(
        "{split}: {group} wins {share} of {deals}, all others {elsewhere}",
        split=of,
        group=elided(named(top["group"], split), 30),
        share=percent(top["rate"]),
        deals=counted(top["n"], "deal"),
        elsewhere=percent(top["elsewhere"]),
    )
    if more == 1:
        return phrase("{finding}, and 1 more stands out", finding=finding)
    return phrase("{finding}, and {n:,} more stand out", finding=finding, n=more) if more else finding
