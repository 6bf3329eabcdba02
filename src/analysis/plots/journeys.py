"""Figures of journeys: funnels, paths, transitions."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import clearly_largest, duration, percent
from analysis.plots.canvas import (
    ACCENT,
    GREY,
    INK,
    PALE,
    QUIET,
    canvas,
    counted,
    elided,
    finish,
    heading,
    heat,
    interval_words,
    is_wide,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    wrapped,
    write,
)
from analysis.plots.groups import intervals


def funnel(funnel: pd.DataFrame, unit: str = "customer", source: str | None = None) -> Axes:
    """How many customers reach each step, how many go on, and after which step the fewest do.

    Parameters
    ----------
    funnel : DataFrame in the order of the steps, columns step, entered, converted (went on to the next step), judged
        (of whom the rate is taken), rate, low, high, median_days (by which half of all who entered have gone on; empty
        if fewer did), lost; censored (may still go on) where it is known. The last row's rate is not used.
    unit : who takes the steps: customer, deal
    source : where the figures come from, for the last line

    Notes
    -----
    The step with the lowest rate is in amber; the title calls it the narrowest only if it loses a larger share than
    each of the others (:func:`analysis.evidence.clearly_largest`), as :func:`analysis.journeys.bottlenecks` says.

    Examples
    --------
    >>> table = pd.DataFrame({"step": ["visit", "order"], "entered": [200, 50], "converted": [50, 0], "lost": [150, 0],
    ...                       "judged": [200, 0], "rate": [0.25, None], "low": [0.2, None], "high": [0.31, None],
    ...                       "median_days": [3, None]})
    >>> print(funnel(table).get_title())
    The narrowest step comes after visit: 25 % of 200 customers go on to order (interval 20 to 31 %)
    """
    if funnel.empty or not funnel["entered"].max():
        return nothing_to_show("nobody entered the first step")
    need = ["step", "entered", "converted", "judged", "rate", "low", "high", "median_days", "lost"]
    require_columns("funnel", funnel.columns, need)
    funnel = funnel.reset_index(drop=True)
    numbers = need[1:]
    funnel[numbers] = funnel[numbers].astype(float)
    funnel["censored"] = funnel["censored"].fillna(0).astype(float) if "censored" in funnel.columns else 0.0
    steps = [elided(s, 30) for s in funnel["step"]]
    may_be_left_out = funnel["optional"].astype(bool) if "optional" in funnel else pd.Series(False, funnel.index)
    following = pd.Series(steps).where(~may_be_left_out).shift(-1).bfill()
    ways = funnel[:-1][funnel["rate"][:-1].notna()]
    worst = ways["rate"].idxmin() if len(ways) else None
    axes = canvas(rows=1.75 * len(funnel) - 0.5, least=1.5)
    texts = [_way_in_words(row) for row in ways.itertuples()]
    for row in funnel.itertuples():
        _funnel_bar(axes, row, last=row.Index == len(funnel) - 1, worst=row.Index == worst)
    for i, text in zip(ways.index, texts, strict=True):
        axes.text(
            0, i + 0.5, wrapped("↓ " + text, 0.8), va="center", size=8, linespacing=1.1,
            color=ACCENT if i == worst else QUIET, weight="bold" if i == worst else "normal",
        )  # fmt: skip
    label_bars(axes, funnel.index.to_numpy(), funnel["entered"], [f"{e:,.0f}" for e in funnel["entered"]])
    ranked_axis(axes, [f"({name_of(s)})" if left else name_of(s) for s, left in zip(
        funnel["step"], may_be_left_out, strict=True)])  # fmt: skip
    axes.set(xlim=(0, funnel["entered"].max()), xticks=[])
    axes.spines["bottom"].set_visible(False)
    first, final = funnel["entered"].iloc[0], funnel["entered"].iloc[-1]
    title = f"{counted(first, unit)} entered {steps[0]}; there is no further step with a rate"
    if worst is not None:
        way = ways.loc[worst]
        clear = len(ways) == 1 or clearly_largest(ways["lost"], ways["judged"])[1]
        title = (
            f"{'The narrowest step comes' if clear else 'No step is clearly the narrowest; the lowest rate is'} "
            f"after {steps[worst]}: {percent(way['rate'])} of "
            f"{counted(way['judged'], unit)} go on to {following[worst]}"
            f"{interval_words(way['low'], way['high'], ' (interval ', ')')}"
        )
    then = dict(zip(ways.index, texts, strict=True))
    values = [f"{e:,.0f}" + (f", {then[i]}" if i in then else "") for i, e in funnel["entered"].items()]
    drawn = "Bars by step: " + listing(zip(steps, values, strict=True))
    notes = f"n = {counted(first, unit)}"
    if len(funnel) > 1 and first:
        notes += f", of whom {percent(final / first)} reached {steps[-1]}"
    notes += "; dark: went on, light: did not" + (", outlined: may still" if funnel["censored"].any() else "")
    notes += "; in brackets: may be left out" if may_be_left_out.any() else ""
    return finish(axes, title, drawn, notes, source)


def funnel_groups(compared: pd.DataFrame, unit: str = "customer", source: str | None = None) -> Axes:
    """The step at which the groups differ most, and how each does there.

    Parameters
    ----------
    compared : DataFrame, as from :func:`analysis.journeys.compare_funnels`
    unit : who takes the steps: customer, session, deal
    source : where the figures come from, for the last line

    Notes
    -----
    Of a comparison within channels, that channel is drawn in which the difference lies. The group that differs most
    from everybody else, for certain if any does, is in amber; the intervals drawn are those of each group's own rate.

    Examples
    --------
    >>> from analysis.journeys import compare_funnels
    >>> visits = pd.DataFrame({"customer_id": [f"{i}" for i in range(90)] * 2, "event": ["visit"] * 90 + ["order"] * 90,
    ...                        "occurred_at": pd.Timestamp("2025-03-20"), "channel": ["app", "web", "web"] * 60})
    >>> visits = visits[(visits["channel"] == "web") | (visits["event"] == "visit")]
    >>> print(funnel_groups(compare_funnels(visits, ["visit", "order"], "channel")).get_title())
    They differ most after visit: 0 % of app go on to order (interval 0 to 11 %), everybody else 100 %
    """
    first = compared.columns.get_loc("step") if "step" in compared else 0
    known = compared.dropna(subset=["difference"]) if len(compared) else compared
    if known.empty or not first:
        return nothing_to_show("there are no groups to compare")
    group, *within = compared.columns[:first]
    sure = known[known["differs"].astype(bool)]
    most = (sure if len(sure) else known).loc[lambda t: t["difference"].abs().idxmax()]
    following = compared["step"][compared.index[compared.index.get_loc(most.name) + 1]]
    shown = known[(known["step"] == most["step"]) & (known[within] == most[within]).all(axis=1)].sort_values(
        ["rate", group], ascending=[True, True], kind="stable"
    )
    part = f" in {most[within[0]]}" if within else ""
    title = "They differ most after" if len(sure) else "No step differs for certain between groups; widest after"
    title += f" {most['step']}: {percent(most['rate'])} of {elided(most[group], 36)}{part} go on to {following}"
    title += interval_words(most["low"], most["high"], " (interval ", ")")
    title += f", everybody else {percent(most['elsewhere'])}"
    table = shown.rename(columns={"rate": "value"})[["value", "low", "high"]]
    table = table.assign(group=shown[group].map(name_of), customers=shown["judged"].astype("int64"))
    label = f"of {unit}s at {most['step']}{part}, who go on to {following}"
    return intervals(table, title, label, of_interest=[name_of(most[group])], share=True, unit=unit, source=source)


def paths(paths: pd.DataFrame, unit: str = "customer", source: str | None = None) -> Axes:
    """The ways customers go most often, step by step.

    Parameters
    ----------
    paths : DataFrame, columns path (steps as a list, or as text joined by " → " or " > "), customers, share, low, high
    unit : who takes the paths: customer, deal
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(paths(pd.DataFrame({"path": ["visit → order"], "customers": [30], "share": [0.3], "low": [0.22],
    ...                           "high": [0.4]})).get_title())
    The commonest path is visit → order: 30 % of customers (interval 22 to 40 %)
    """
    if paths.empty:
        return nothing_to_show("there are no paths")
    require_columns("paths", paths.columns, ["path", "customers", "share", "low", "high"])
    steps = paths["path"].map(_steps)
    order = paths.assign(_key=steps.map("\n".join), _steps=steps).sort_values(
        ["customers", "_key"], ascending=[False, True]
    )
    shown = order.head(10)
    axes = canvas(rows=1.75 * len(shown))
    y, share = np.arange(len(shown)), shown["share"].to_numpy(float)
    arms = np.clip([share - shown["low"], shown["high"] - share], 0, None)
    axes.barh(y + 0.22, share, height=0.26, color=[ACCENT] + [GREY] * (len(shown) - 1))
    axes.errorbar(share, y + 0.22, xerr=arms, fmt="none", color=INK, lw=1, capsize=2)
    texts = [f"{percent(r.share)} ({counted(r.customers, unit)})" for r in shown.itertuples()]
    label_bars(axes, y + 0.22, np.fmax(shown["high"].to_numpy(float), share), texts)
    for i, way in enumerate(shown["_steps"]):
        _chips(axes, i - 0.16, way)
    ranked_axis(axes, [f"{i + 1}." for i in y])
    axes.set_ylim(len(shown) - 0.45, -0.6)
    axes.set(xlim=(0, np.nanmax(np.fmax(shown["high"].to_numpy(float), share))), xticks=[])
    axes.spines["bottom"].set_visible(False)
    ways = [" → ".join(_cut(s, 4)) for s in shown["_steps"]]
    top = shown.iloc[0]
    title = f"The commonest path is {ways[0]}: {percent(top['share'])} of {unit}s"
    title += interval_words(top["low"], top["high"], " (interval ", ")")
    whole = top["customers"] / top["share"] if top["share"] else np.nan
    notes = f"n = {counted(round(whole), unit)}; " if np.isfinite(whole) else ""
    notes += f"{'the' if len(shown) == len(paths) else 'the first'} {counted(len(shown), 'path')}"
    notes += f" of {len(paths):,}" if len(shown) < len(paths) else ""
    notes += f" cover{'s' if len(shown) == 1 else ''} {percent(np.nansum(share))} of them"
    drawn = "Ranked paths with bars and intervals: " + listing(zip(ways, texts, strict=True))
    return finish(axes, title, drawn, notes, source)


def transitions(transitions: pd.DataFrame, order: Sequence[str] = (), source: str | None = None) -> Axes:
    """What customers do next: of those who were here, what share went there.

    Parameters
    ----------
    transitions : DataFrame, columns source, target, n; shares are taken over each source
    order : steps in the order in which they stand, before all others
    source : where the figures come from, for the last line

    Notes
    -----
    With more than 20 states (9 in a narrow figure) the rarest are folded into one, "all others".

    Examples
    --------
    >>> print(transitions(pd.DataFrame({"source": ["visit", "visit"], "target": ["cart", "visit"],
    ...                                 "n": [60, 40]})).get_title())
    The commonest move is visit → cart: 60 % of 100 moves from visit
    """
    if transitions.empty or not transitions["n"].sum():
        return nothing_to_show("there are no moves from one step to another")
    require_columns("transitions", transitions.columns, ["source", "target", "n"])
    table = _folded(transitions, list(order), most=20 if is_wide() else 9)
    states, ends = list(table.index), list(table.columns)
    share = table.div(table.sum(axis=1), axis=0)
    height = 1.6 + min(0.42, 5.6 / len(states)) * max(len(states), 3)
    axes = canvas(height=height)
    size = 9 if len(states) <= 8 else 7 if len(states) <= 13 else 6
    heat(axes, share.to_numpy()[::-1], lambda v: f"{100 * v:.0f}" if v >= 0.005 else "", size=size, top=1)
    here, there = ([elided(s, 22) for s in side] for side in (states, ends))
    tilt = len(ends) > 5 or max(map(len, there)) > 8
    slant = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if tilt else {}
    axes.set_xticks(np.arange(len(ends)) + 0.5, there, **slant)
    moves_from = [f"{s}  {n:,.0f}" for s, n in zip(here, table.sum(axis=1), strict=True)]
    axes.set_yticks(np.arange(len(states)) + 0.5, moves_from[::-1])
    axes.set_xlabel("… went there next, in % of the row")
    heading(axes, "moves from here …")
    moves = table.stack().rename_axis(["source", "target"]).rename("n").reset_index()
    moves = moves.sort_values(["n", "source", "target"], ascending=[False, True, True])
    # That a journey starts, ends or stays where it is is no news.
    real = moves[~moves[["source", "target"]].isin(["(start)", "(end)", "all others"]).any(axis=1)]
    real = real[real["source"] != real["target"]]
    top = (real if len(real) and real["n"].iloc[0] else moves).iloc[0]
    of = int(table.loc[top["source"]].sum())
    here, there = elided(top["source"], 30), elided(top["target"], 30)
    title = f"The commonest move is {here} → {there}: {percent(top['n'] / of)} of {counted(of, 'move')} from {here}"
    drawn = "Heat map, from rows to columns. Commonest moves: "
    drawn += listing((f"{m.source} → {m.target}", f"{m.n:,.0f}") for m in moves.head(6).itertuples() if m.n)
    folded = len({*transitions["source"].astype(str), *transitions["target"].astype(str)} - {*states, *ends})
    notes = f"n = {counted(table.to_numpy().sum(), 'move')}"
    notes += f"; the {folded} rarest steps are folded into “all others”" if folded else ""
    return finish(axes, title, drawn, notes, source)


def _funnel_bar(axes: Axes, row, last: bool, worst: bool) -> None:
    """One step: those who went on, those lost, those who may still go on; the interval at the end of the first."""
    if last or not np.isfinite(row.rate):
        axes.barh(row.Index, row.entered, height=0.4, color=QUIET)
        return
    went = np.nan_to_num(row.converted)
    axes.barh(row.Index, went, height=0.4, color=QUIET)
    axes.barh(row.Index, row.lost, left=went, height=0.4, color=ACCENT if worst else PALE)
    axes.barh(row.Index, row.censored, left=went + row.lost, height=0.4, color="white", ec=GREY, lw=0.8, clip_on=False)
    if went and row.rate and np.isfinite([row.low, row.high]).all():
        ends = np.array([row.low, row.high]) * went / row.rate
        axes.errorbar(went, row.Index, xerr=np.abs(ends - went)[:, None], fmt="none", color=INK, lw=1.2, capsize=3)


def _chips(axes: Axes, y: float, steps: list[str]) -> None:
    """Step names one after another as small tags; in the middle of a long path some are left out."""
    points = axes.figure.get_size_inches()[0] * 72 - 50
    keep, names = len(steps), [elided(s, 24) for s in steps]
    while True:
        chips = [_chip(axes, y, name) for name in _cut(names, keep)]
        widths = [c.get_window_extent().width * 72 / axes.figure.dpi for c in chips]
        if sum(widths) + 20 * len(widths) <= points or keep <= 2:
            break
        keep -= 1
        for chip in chips:
            chip.remove()
    at = 4.0
    for i, (chip, width) in enumerate(zip(chips, widths, strict=True)):
        chip.set_position((at, 0))
        at += width
        if i + 1 < len(chips):
            write(axes, "→", (0, y), offset=(at + 10, 0), va="center", ha="center", color=QUIET, size=8)
        at += 20


def _chip(axes: Axes, y: float, name: str):
    box = {"boxstyle": "round,pad=0.3", "facecolor": "#f3f3f3", "edgecolor": PALE, "lw": 0.8}
    return write(axes, name, (0, y), offset=(4, 0), va="center", size=8, bbox=box)


def _folded(transitions: pd.DataFrame, order: list[str], most: int) -> pd.DataFrame:
    """Moves as a square table, ordered steps first, then the busiest, with so many steps at most."""
    table = transitions.astype({"source": str, "target": str})
    busy = table.groupby("source")["n"].sum().add(table.groupby("target")["n"].sum(), fill_value=0)
    ranked = busy.sort_index().sort_values(ascending=False, kind="stable").index.tolist()
    states = ranked if len(ranked) <= most else [*ranked[: most - 1], "all others"]
    for end in ("source", "target"):
        table[end] = table[end].where(table[end].isin(states), "all others")
    square = table.pivot_table(index="source", columns="target", values="n", aggfunc="sum", fill_value=0)
    # Nobody comes back to the start, or leaves from the end.
    place = {"(start)": -1, "(end)": len(order) + 1} | {step: i for i, step in enumerate(order)}
    states.sort(key=lambda s: place.get(s, len(order)))
    square = square.reindex(index=states, columns=states, fill_value=0)
    return square.loc[square.sum(axis=1) > 0, square.sum() > 0]


def _way_in_words(row) -> str:
    text = f"{percent(row.rate)} go on{interval_words(row.low, row.high, ' (', ')')}"
    if np.isfinite(row.median_days):
        text += f", half of all within {duration(row.median_days)}"
    text += f"; {row.lost:,.0f} did not"
    return text + (f", {row.censored:,.0f} may still" if row.censored else "")


def _steps(path) -> list[str]:
    """The steps of a path, with repeats of the same step counted: visit, visit, order gives visit ×2, order."""
    names = re.split(r"\s*(?:→|>)\s*", path) if isinstance(path, str) else [str(s) for s in path]
    runs: list[list] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1][1] += 1
        else:
            runs.append([name, 1])
    return [name if times == 1 else f"{name} ×{times}" for name, times in runs]


def _cut(steps: list[str], keep: int) -> list[str]:
    return steps if len(steps) <= keep else [*steps[: keep - 1], "…", steps[-1]]
