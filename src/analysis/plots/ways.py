"""The ways of customers: paths, what comes next, and maps of both."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, PathPatch, Rectangle
from matplotlib.path import Path

from analysis.errors import require_columns
from analysis.evidence import percent
from analysis.locale import named
from analysis.phrases import counted, figure, from_the_right, isolated, marked, phrase
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
    PALE,
    QUIET,
    as_one_reads,
    beginning,
    canvas,
    elided,
    finish,
    heading,
    heat,
    interval_in_brackets,
    is_wide,
    label_bars,
    listing,
    nothing_to_show,
    ranked_axis,
    write,
)
from analysis.plots.flow import apart, band
from analysis.vocabulary import several


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
        return nothing_to_show(phrase("there are no paths"))
    require_columns("paths", paths.columns, ["path", "customers", "share", "low", "high"])
    steps = paths["path"].map(_steps)
    order = paths.assign(_key=steps.map("\n".join), _steps=steps).sort_values(
        ["customers", "_key"], ascending=[False, True]
    )
    shown = order.head(10)
    axes = canvas(rows=1.75 * len(shown))
    axes.set(xlim=(0, np.nanmax(np.fmax(shown["high"].to_numpy(float), shown["share"]))), xticks=[])
    y, share = np.arange(len(shown)), shown["share"].to_numpy(float)
    arms = np.clip([share - shown["low"], shown["high"] - share], 0, None)
    axes.barh(y + 0.22, share, height=0.26, color=[ACCENT] + [GREY] * (len(shown) - 1))
    axes.errorbar(share, y + 0.22, xerr=arms, fmt="none", color=INK, lw=1, capsize=2)
    texts = [
        phrase("{share} ({customers})", share=percent(r.share), customers=counted(r.customers, unit))
        for r in shown.itertuples()
    ]
    as_one_reads(axes)
    label_bars(axes, y + 0.22, np.fmax(shown["high"].to_numpy(float), share), texts)
    said = [[_step_name(step) for step in way] for way in shown["_steps"]]
    ranked_axis(axes, [phrase("{n}.", n=i + 1) for i in y])
    axes.set_ylim(len(shown) - 0.45, -0.6)
    axes.spines["bottom"].set_visible(False)
    for i, way in enumerate(said):
        _chips(axes, i - 0.16, way)
    ways = [_way(_cut(steps, 4)) for steps in said]
    top = shown.iloc[0]
    title = phrase(
        "The commonest path is {path}: {share} of {customers}{interval}",
        **{"path": ways[0], "share": percent(top["share"]), "customers": several(unit)},
        interval=interval_in_brackets(top["low"], top["high"]),
    )
    drawn = phrase("Ranked paths with bars and intervals: {paths}", paths=listing(zip(ways, texts, strict=True)))
    return finish(axes, title, drawn, _covered(shown, len(paths), unit), source)


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
        return nothing_to_show(phrase("there are no moves from one step to another"))
    require_columns("transitions", transitions.columns, ["source", "target", "n"])
    table = _folded(transitions, list(order), most=20 if is_wide() else 9)
    states, ends = list(table.index), list(table.columns)
    share = table.div(table.sum(axis=1), axis=0)
    height = 1.6 + min(0.42, 5.6 / len(states)) * max(len(states), 3)
    axes = canvas(height=height)
    size = 9 if len(states) <= 8 else 7 if len(states) <= 13 else 6
    heat(axes, share.to_numpy()[::-1], lambda v: figure(f"{100 * v:.0f}") if v >= 0.005 else "", size=size, top=1)
    here, there = ([elided(named(s), 22) for s in side] for side in (states, ends))
    tilt = len(ends) > 5 or max(map(len, there)) > 8
    slant = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if tilt else {}
    axes.set_xticks(np.arange(len(ends)) + 0.5, there, **slant)
    moves_from = [f"{s}  {figure(f'{n:,.0f}')}" for s, n in zip(here, table.sum(axis=1), strict=True)]
    axes.set_yticks(np.arange(len(states)) + 0.5, moves_from[::-1])
    axes.set_xlabel(phrase("… went there next, in % of the row"))
    heading(axes, phrase("moves from here …"))
    moves = table.stack().rename_axis(["source", "target"]).rename("n").reset_index()
    moves = moves.sort_values(["n", "source", "target"], ascending=[False, True, True])
    # That a journey starts, ends or stays where it is is no news.
    real = moves[~moves[["source", "target"]].isin([*_ENDS, _OTHERS]).any(axis=1)]
    real = real[real["source"] != real["target"]]
    top = (real if len(real) and real["n"].iloc[0] else moves).iloc[0]
    of = int(table.loc[top["source"]].sum())
    title = phrase(
        "The commonest move is {move}: {share} of {moves} from {step}",
        **{"move": _move(top), "share": percent(top["n"] / of), "moves": counted(of, "move")},
        step=elided(named(top["source"]), 30),
    )
    drawn = phrase(
        "Heat map, from rows to columns. Commonest moves: {moves}",
        moves=_listed(m for m in moves.head(6).itertuples() if m.n),
    )
    folded = len({*transitions["source"].astype(str), *transitions["target"].astype(str)} - {*states, *ends})
    notes = phrase("n = {moves}", moves=counted(table.to_numpy().sum(), "move"))
    notes += phrase("; the {n} rarest steps are folded into “all others”", n=folded) if folded else ""
    return finish(axes, title, drawn, notes, source)


def sankey(paths: pd.DataFrame, unit: str = "customer", source: str | None = None) -> Axes:
    """From step to step: how many go which way, and where they stop.

    Parameters
    ----------
    paths : DataFrame, as ``journeys.paths`` gives it: columns path (steps as a list, or as text joined by " → "),
        customers, share; the more paths it has, the more of the customers are in the figure
    unit : who takes the paths: customer, session, deal
    source : where the figures come from, for the last line

    Notes
    -----
    The first six steps of each path (four in a narrow figure). At each, the rarest steps (beyond seven or five, or of
    less than a hundredth) are folded into one, "all others", and the thinnest bands, a tenth of all moves together, are
    left out; the last line says so. A bar that is longer than the bands that leave it: there the others stop.

    Examples
    --------
    >>> ways = pd.DataFrame({"path": ["visit → cart", "visit"], "customers": [30, 70], "share": [0.3, 0.7]})
    >>> print(sankey(ways).get_title())
    30 % of customers begin with visit and go on to cart, more than any other way
    """
    if paths.empty or not paths["customers"].sum():
        return nothing_to_show(phrase("there are no paths"))
    require_columns("paths", paths.columns, ["path", "customers", "share"])
    total = round(float((paths["customers"] / paths["share"]).max()))
    places, folded = _steps_by_place(paths, columns=6 if is_wide() else 4, most=8 if is_wide() else 6)
    moves = _moves_by_place(places)
    drawn, left_out = _strongest(moves, cover=0.9)
    blocks = _stacks(places)
    columns = len(blocks)
    axes = canvas(height=max(3.0, 1.2 + 0.42 * max(map(len, blocks))))
    axes.set(xlim=(0, columns - 0.08), ylim=(1, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    _bands(axes, drawn, blocks)
    for i, block in enumerate(blocks):
        _stack(axes, i, block, total, columns)
        if i:
            write(axes, phrase(_PLACES[i]), (i, 0), offset=(0, 4), va="bottom", color=QUIET, ha=beginning())
    heading(axes, phrase(_PLACES[0]))
    as_one_reads(axes)
    first = _first_move(moves)
    title = phrase("{customers}, and no second step that is not rare", customers=counted(total, unit))
    if len(first):
        top = first.iloc[0]
        title = phrase(
            "{share} of {customers} begin with {step} and go on to {next_step}, more than any other way",
            **{"share": percent(top["n"] / total), "customers": several(unit)},
            **{"step": elided(named(top["source"]), 30), "next_step": elided(named(top["target"]), 30)},
        )
    notes = phrase(
        "n = {customers}, of whom the {paths} given cover {share}; in colour the commonest first move",
        **{"customers": counted(total, unit), "paths": counted(len(paths), "path")},
        share=percent(paths["customers"].sum() / total),
    )
    notes += phrase("; bands left out as too thin: {share} of the moves", share=percent(left_out)) if left_out else ""
    notes += phrase("; {steps} folded into “all others”", steps=counted(folded, "rare step")) if folded else ""
    drawn = phrase("Bands from step to step. Broadest: {moves}", moves=_listed(moves.head(8).itertuples()))
    return finish(axes, title, drawn, notes, source)


def process_map(transitions: pd.DataFrame, order: Sequence[str] = (), source: str | None = None) -> Axes:
    """A map of what follows what: steps from top to bottom, moves ahead on the right, returns on the left.

    Parameters
    ----------
    transitions : DataFrame, as ``journeys.transitions`` gives it: columns source, target, n
    order : steps in the order in which they stand; without it, in the order in which most moves go down
    source : where the figures come from, for the last line

    Notes
    -----
    The strongest moves that cover 85 % of all are drawn, 40 at most (20 in a narrow figure), and the steps that they
    touch; the last line says what is left out. Repeats of a step are written on it (↻, of the moves from there).
    Without an order given, steps are ordered by the heuristic of Eades, Lin and Smyth (1993), Information Processing
    Letters 47:319.

    Examples
    --------
    >>> moves = pd.DataFrame({"source": ["visit", "visit", "cart"], "target": ["cart", "(end)", "visit"],
    ...                       "n": [60, 40, 5]})
    >>> print(process_map(moves).get_title())
    2 of 3 kinds of move make up 95 % of all; the commonest is visit → cart: 60 % of moves from visit
    """
    if transitions.empty or not transitions["n"].sum():
        return nothing_to_show(phrase("there are no moves from one step to another"))
    require_columns("transitions", transitions.columns, ["source", "target", "n"])
    moves = transitions.astype({"source": str, "target": str}).groupby(["source", "target"], as_index=False)["n"].sum()
    moves["share"] = moves["n"] / moves.groupby("source")["n"].transform("sum")
    stays = moves[moves["source"] == moves["target"]].set_index("source")["share"]
    moves = moves[(moves["source"] != moves["target"]) & (moves["n"] > 0)]
    if moves.empty:
        return nothing_to_show(phrase("every step is followed by itself alone"))
    moves = moves.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)
    drawn, left_out = _strongest(moves, cover=0.85, most=40 if is_wide() else 20)
    states = _ordered_states(drawn, moves, list(order))
    axes = canvas(height=1.1 + 0.34 * len(states))
    _arcs(axes, drawn, states, _boxes(axes, states, stays))
    real = drawn[~drawn[["source", "target"]].isin(_ENDS).any(axis=1)]
    top = (real if len(real) else drawn).iloc[0]
    title = phrase(
        "{n:,} of {kinds} of move make up {share} of all; the commonest is {move}: {rate} of moves from {step}",
        **{"n": len(drawn), "kinds": counted(len(moves), "kind"), "share": percent(1 - left_out), "move": _move(top)},
        **{"rate": percent(top["share"]), "step": elided(named(top["source"]), 30)},
    )
    hidden = len({*moves["source"], *moves["target"]} - set(states))
    notes = phrase(
        "n = {moves} to another step; figures: share of all moves from a step; in colour: back to a step above",
        moves=counted(moves["n"].sum(), "move"),
    )
    notes += phrase("; not drawn: the rarer moves, {share} of all", share=percent(left_out)) if left_out else ""
    notes += phrase(", and {steps} that only they touch", steps=counted(hidden, "step")) if hidden else ""
    strongest = phrase("Map of steps and moves. Strongest: {moves}", moves=_listed(drawn.head(8).itertuples()))
    return finish(axes, title, strongest, notes, source)


def _move(move) -> str:
    """From where to where, as readers call it."""
    here, there = (elided(named(getattr(move, end)), 30) for end in ("source", "target"))
    return _way([here, there])


def _way(steps: Sequence[str]) -> str:
    """Steps, as readers call them, one after the other the way that they read."""
    return phrase(" → ").join(map(isolated, steps))


def _listed(moves) -> str:
    ways = ((_way([named(m.source), named(m.target)]), figure(f"{m.n:,.0f}")) for m in moves)
    return listing(ways)


def _step_name(step: str) -> str:
    """A step as readers call it, with how often in a row: visit ×2."""
    name, sign, times = step.rpartition(" ×")
    return f"{named(name)} ×{figure(times)}" if sign and times.isdigit() else named(step)


def _covered(shown: pd.DataFrame, of: int, unit: str) -> str:
    """How many there are, and what share of them the paths shown cover."""
    whole = shown["customers"].iloc[0] / shown["share"].iloc[0] if shown["share"].iloc[0] else np.nan
    told = {"paths": counted(len(shown), "path"), "of": of, "share": percent(np.nansum(shown["share"].to_numpy(float)))}
    if len(shown) < of:
        covered = phrase("the first {paths} of {of:,} cover {share} of them", **told)
    elif of == 1:
        covered = phrase("the {paths} covers {share} of them", **told)
    else:
        covered = phrase("the {paths} cover {share} of them", **told)
    return (
        phrase("n = {customers}; ", customers=counted(round(whole), unit)) + covered if np.isfinite(whole) else covered
    )


_OTHERS = "all others"
_ENDS = ("(start)", "(end)")
_PLACES = (
    *(marked("1st step"), marked("2nd step"), marked("3rd step")),
    *(marked("4th step"), marked("5th step"), marked("6th step")),
)


def _strongest(moves: pd.DataFrame, cover: float, most: int | None = None) -> tuple[pd.DataFrame, float]:
    """The first rows that together make that share of all n, so many at most; and the share of those left out."""
    moves = moves.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)
    before = moves["n"].cumsum() - moves["n"]
    kept = moves[before < cover * moves["n"].sum()].head(most or len(moves))
    return kept, float(1 - kept["n"].sum() / moves["n"].sum()) if len(kept) < len(moves) else 0.0


def _steps_by_place(paths: pd.DataFrame, columns: int, most: int) -> tuple[pd.DataFrame, int]:
    """One row per path and place on it: path, place, step, n; the rarest steps of a place as one, and how many."""
    rows = [
        (i, place, step, n)
        for i, (path, n) in enumerate(zip(paths["path"].map(_plain_steps), paths["customers"], strict=True))
        for place, step in enumerate(path[:columns])
    ]
    table = pd.DataFrame(rows, columns=["path", "place", "step", "n"])
    sizes = table.groupby(["place", "step"], as_index=False)["n"].sum()
    sizes = sizes.sort_values(["place", "n", "step"], ascending=[True, False, True])
    rank = sizes.groupby("place").cumcount()
    rare = sizes[(rank >= most - 1) | (sizes["n"] < 0.01 * table.loc[table["place"] == 0, "n"].sum())]
    rare = rare[rare.groupby("place")["n"].transform("size") > 1]  # one alone may keep its name
    keys = pd.MultiIndex.from_frame(table[["place", "step"]])
    table["step"] = table["step"].where(~keys.isin(pd.MultiIndex.from_frame(rare[["place", "step"]])), _OTHERS)
    return table, rare["step"].nunique()


def _moves_by_place(places: pd.DataFrame) -> pd.DataFrame:
    ahead = places.assign(place=places["place"] - 1).rename(columns={"step": "target"}).drop(columns="n")
    moves = places.rename(columns={"step": "source"}).merge(ahead, on=["path", "place"])
    moves = moves.groupby(["place", "source", "target"], as_index=False)["n"].sum()
    return moves.sort_values(["n", "place", "source", "target"], ascending=[False, True, True, True], ignore_index=True)


def _first_move(moves: pd.DataFrame) -> pd.DataFrame:
    """The row of the commonest move from the first place, none if only rare steps are there."""
    told = (moves["place"] == 0) & ~moves[["source", "target"]].eq(_OTHERS).any(axis=1)
    return moves[told].sort_values(["n", "source", "target"], ascending=[False, True, True]).head(1)


def _stacks(places: pd.DataFrame) -> list[pd.DataFrame]:
    """For each place its steps, the largest on top: n, top and bottom on a height of 1, on one scale for all."""
    sizes = places.groupby(["place", "step"])["n"].sum()
    most = sizes.groupby("place").size().max()
    gap = min(0.05, 0.35 / max(most, 1))
    scale = (1 - gap * (most - 1)) / sizes.groupby("place").sum().max()
    stacks = []
    for place in sorted(places["place"].unique()):
        here = sizes[place].sort_index().sort_values(ascending=False, kind="stable")
        here = pd.concat([here.drop(_OTHERS, errors="ignore"), here[here.index == _OTHERS]])
        top = (here * scale).cumsum() - here * scale + gap * np.arange(len(here))
        stacks.append(pd.DataFrame({"n": here, "top": top, "bottom": top + here * scale, "order": range(len(here))}))
    return stacks


def _bands(axes: Axes, moves: pd.DataFrame, blocks: list[pd.DataFrame]) -> None:
    """One band per move between neighbouring places, in the order of the blocks at either end."""
    first = _first_move(moves).index
    for place in range(len(blocks) - 1):
        left, right = blocks[place], blocks[place + 1]
        here = moves[moves["place"] == place]
        if here.empty:
            continue
        here = here.assign(at=here["source"].map(left["order"]), to=here["target"].map(right["order"]))
        scale = (left["bottom"].iloc[0] - left["top"].iloc[0]) / left["n"].iloc[0]
        here["height"] = here["n"] * scale
        here = here.sort_values(["at", "to"])
        here["start"] = here["source"].map(left["top"]) + here.groupby("source")["height"].cumsum() - here["height"]
        here = here.sort_values(["to", "at"])
        here["end"] = here["target"].map(right["top"]) + here.groupby("target")["height"].cumsum() - here["height"]
        for way in here.itertuples():
            style = {"facecolor": ACCENT, "alpha": 0.6} if way.Index in first else {"facecolor": PALE, "alpha": 0.75}
            ribbon = band(way.start, way.end, way.height, way.height, place + 0.05, place + 1)
            axes.add_patch(PathPatch(ribbon, lw=0, zorder=1, **style))


def _stack(axes: Axes, place: int, block: pd.DataFrame, total: int, columns: int) -> None:
    """The steps at one place as bars, each with its name and share beside it."""
    heights = (block["bottom"] - block["top"]).to_numpy()
    axes.bar(place + 0.025, heights, 0.05, bottom=block["top"], color=QUIET, zorder=3)
    inches = axes.figure.get_size_inches()
    letters = int(inches[0] / columns * 72 / (3.5 if from_the_right() else 4.6)) - 9  # Persian letters are narrower
    line = 0.135 / (inches[1] - 1.0)
    middles = apart(((block["top"] + block["bottom"]) / 2).to_numpy(), np.full(len(block), line))
    for (step, n), middle in zip(block["n"].items(), middles, strict=True):
        text = f"{_shortened(named(step), max(letters, 10))} · {percent(n / total)}"
        style = {"va": "center", "size": 7.5, "bbox": CLEAR | {"pad": 0.5}, "zorder": 4, "ha": beginning()}
        style["color"] = QUIET if step == _OTHERS else INK
        write(axes, text, (place + 0.05, middle), offset=(-3 if from_the_right() else 3, 0), **style)


def _ordered_states(drawn: pd.DataFrame, moves: pd.DataFrame, order: list[str]) -> list[str]:
    """The steps that the drawn moves touch: those of the order given, then the others as most moves go."""
    touched = {*drawn["source"], *drawn["target"]}
    given = [step for step in order if step in touched]
    free = touched - {*given, *_ENDS}
    inner = moves[moves["source"].isin(free) & moves["target"].isin(free)]
    middle = [*given, *_downwards(inner, free)]
    return [*(["(start)"] if "(start)" in touched else []), *middle, *(["(end)"] if "(end)" in touched else [])]


def _downwards(moves: pd.DataFrame, states: set[str]) -> list[str]:
    """An order of the states in which few moves go back: off with sinks and sources, else with what gives most."""
    flow = {(m.source, m.target): m.n for m in moves.itertuples()}
    top, bottom, left = [], [], sorted(states)
    while left:
        out = {s: sum(flow.get((s, t), 0) for t in left) for s in left}
        into = {s: sum(flow.get((t, s), 0) for t in left) for s in left}
        sink = next((s for s in left if not out[s]), None)
        state = sink or next((s for s in left if not into[s]), None) or max(left, key=lambda s: out[s] - into[s])
        (bottom if sink else top).append(state)
        left.remove(state)
    return [*top, *bottom[::-1]]


def _boxes(axes: Axes, states: list[str], stays: pd.Series) -> float:
    """Steps as boxes of one width under each other; gives half this width, in points: the unit across the figure."""
    width = axes.figure.get_size_inches()[0] * 72 * 0.96
    axes.set(xlim=(-width / 2, width / 2), ylim=(len(states) - 0.4, -0.6), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    texts = []
    for y, state in enumerate(states):
        text = _shortened(named(state), 32 if is_wide() else 17)
        text += f"  ↻ {percent(stays[state])}" if stays.get(state, 0) >= 0.005 else ""
        colour = QUIET if state in _ENDS else INK
        texts.append(axes.text(0, y, text, ha="center", va="center", size=8, color=colour, zorder=4))
    half = max(text.get_window_extent().width for text in texts) * 36 / axes.figure.dpi + 6
    for y, state in enumerate(states):
        colour = "white" if state in _ENDS else "#f3f3f3"
        axes.add_patch(Rectangle((-half, y - 0.36), 2 * half, 0.72, fc=colour, ec=GREY, lw=0.6, zorder=3))
    return half


def _arcs(axes: Axes, moves: pd.DataFrame, states: list[str], half: float) -> None:
    """Moves as arrows, down on the right, back up on the left; shares where no other share stands."""
    place = {state: y for y, state in enumerate(states)}
    room = axes.get_xlim()[1] - half - 26
    longest = max(abs(place[m.target] - place[m.source]) for m in moves.itertuples())
    written = []
    for move in moves.itertuples():
        here, there = place[move.source], place[move.target]
        side, span = (1, there - here) if there > here else (-1, here - there)
        reach = room * (span / longest) ** 0.7
        start, end, far = here + 0.18 * side, there - 0.18 * side, side * (half + reach / 0.75)
        curve = Path([(side * half, start), (far, start), (far, end), (side * half, end)], [1, 4, 4, 4])
        colour, width = GREY if side > 0 else ACCENT, 0.7 + 4.3 * move.n / moves["n"].max()
        head = f"-|>,head_length={3 + width * 0.8:.1f},head_width={1.5 + width * 0.5:.1f}"
        style = {"arrowstyle": head, "color": colour, "lw": width, "alpha": 0.8, "shrinkA": 0, "shrinkB": 0}
        axes.add_patch(FancyArrowPatch(path=curve, fill=False, zorder=2, **style))
        at = (side * (half + reach + 2), (start + end) / 2)
        text = axes.text(*at, percent(move.share), size=7, ha="left" if side > 0 else "right", va="center", zorder=5)
        text.set(color=QUIET if side > 0 else ACCENT, bbox=CLEAR | {"pad": 0.5})
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in written):
            text.remove()
        else:
            written.append(box)


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
    at, ahead = 4.0, -1 if from_the_right() else 1
    for i, (chip, width) in enumerate(zip(chips, widths, strict=True)):
        chip.set_position((ahead * at, 0))
        at += width
        if i + 1 < len(chips):
            arrow, style = phrase(" → ").strip(), {"va": "center", "ha": "center", "color": QUIET, "size": 8}
            write(axes, arrow, (0, y), offset=(ahead * (at + 10), 0), **style)
        at += 20


def _chip(axes: Axes, y: float, name: str):
    box = {"boxstyle": "round,pad=0.3", "facecolor": "#f3f3f3", "edgecolor": PALE, "lw": 0.8}
    return write(axes, name, (0, y), offset=(4, 0), va="center", ha=beginning(), size=8, bbox=box)


def _folded(transitions: pd.DataFrame, order: list[str], most: int) -> pd.DataFrame:
    """Moves as a square table, ordered steps first, then the busiest, with so many steps at most."""
    table = transitions.astype({"source": str, "target": str})
    busy = table.groupby("source")["n"].sum().add(table.groupby("target")["n"].sum(), fill_value=0)
    ranked = busy.sort_index().sort_values(ascending=False, kind="stable").index.tolist()
    states = ranked if len(ranked) <= most else [*ranked[: most - 1], _OTHERS]
    for end in ("source", "target"):
        table[end] = table[end].where(table[end].isin(states), _OTHERS)
    square = table.pivot_table(index="source", columns="target", values="n", aggfunc="sum", fill_value=0)
    # Nobody comes back to the start, or leaves from the end.
    place = {"(start)": -1, "(end)": len(order) + 1} | {step: i for i, step in enumerate(order)}
    states.sort(key=lambda s: place.get(s, len(order)))
    square = square.reindex(index=states, columns=states, fill_value=0)
    return square.loc[square.sum(axis=1) > 0, square.sum() > 0]


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


def _plain_steps(path) -> list[str]:
    """The steps of a path, without the mark that it goes on."""
    names = re.split(r"\s*(?:→|>)\s*", path) if isinstance(path, str) else [str(step) for step in path]
    return [name for name in names if name != "…"]


def _shortened(name, length: int) -> str:
    """A name without its middle, so that those remain apart which begin alike."""
    name = " ".join(str(name).split())
    tail = length // 3
    return name if len(name) <= length else f"{name[: length - 1 - tail].rstrip()}…{name[-tail:].lstrip()}"
