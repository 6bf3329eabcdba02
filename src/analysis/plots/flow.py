"""The flow of customers from the segments of one day to those of another."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from analysis.errors import require_columns
from analysis.evidence import percent
from analysis.locale import named
from analysis.phrases import counted, figure, from_the_right, isolated, marked, phrase, translated
from analysis.plots.canvas import (
    ACCENT,
    GREY,
    INK,
    PALE,
    QUIET,
    canvas,
    elided,
    finish,
    heading,
    is_wide,
    listing,
    nothing_to_show,
    time_axis,
    wrapped,
    write,
)

#: States that are no segments stand last, in the small grey of what is merely there.
_NO_SEGMENTS = ("(no segment)", "(new)", "(gone)")


def flow(
    moves: pd.DataFrame, days: tuple[str, str] = (marked("before"), marked("after")), order: Sequence[str] = (),
    source: str | None = None,
) -> Axes:  # fmt: skip
    """Where customers were and where they are now, the moves that are more than chance in colour.

    Parameters
    ----------
    moves : DataFrame, ``segments.movement(...).moves``: columns source, target, n, of, share, net, one_way; where there
        is a column unusual, with usual_share, those moves are coloured that differ from the period before, else those
        that go clearly more one way than back
    days : what to write above either side
    order : segments in the order in which they stand, before all others, which follow by size
    source : where the figures come from, for the last line

    Notes
    -----
    With more than 12 segments (9 in a narrow figure) the smallest are folded into one, "all others".

    Examples
    --------
    >>> moves = pd.DataFrame({"source": ["A", "A", "B", "B"], "target": ["A", "B", "A", "B"], "n": [40, 40, 5, 60],
    ...                       "of": [80, 80, 65, 65], "share": [0.5, 0.5, 5 / 65, 60 / 65], "net": [0, 35, -35, 0],
    ...                       "one_way": [False, True, False, False]})
    >>> print(flow(moves).get_title())
    The largest flow goes from A to B: 40 customers against 5 back
    """
    if moves.empty or not moves["n"].sum():
        return nothing_to_show(phrase("nobody is in a segment on either day"))
    news = "unusual" in moves
    verdict = "unusual" if news else "one_way"
    need = ["source", "target", "n", "of", "share", *(["usual_share"] if news else ["net"]), verdict]
    require_columns("moves", moves.columns, need)
    shown, folded = _folded(moves, verdict, most=12 if is_wide() else 9)
    states = _ordered(shown, order)
    sides = [_blocks(shown, place, states) for place in ("source", "target")]
    axes = canvas(height=max(3.2, 1.4 + 0.36 * max(map(len, sides))))
    _ribbons(axes, shown, sides, verdict)
    for side, place in zip(sides, ("first", "second"), strict=True):
        _bars(axes, side, place, moves["n"].sum())
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    time_axis(axes)
    axes.spines[:].set_visible(False)
    then, now = (figure(translated(day)) for day in days)
    right_first = from_the_right()
    heading(axes, now if right_first else then)
    last = (then, (0, 0)) if right_first else (now, (1, 0))
    write(axes, *last, offset=(0, 4), ha="right", va="bottom", color=QUIET)
    coloured = moves[moves[verdict]].sort_values(["n", "source", "target"], ascending=[False, True, True])
    listed = listing((_way(m), figure(f"{m.n:,}")) for m in coloured.itertuples()) or phrase("none")
    drawn = phrase(
        "Flow between the segments of {then} and of {now}. In colour: {moves}", then=then, now=now, moves=listed
    )
    return finish(axes, _finding(moves, coloured, news), drawn, _notes(moves["n"].sum(), folded, news), source)


def _notes(n: int, folded: int, news: bool) -> str:
    """What the last line says."""
    customers = counted(n, "customer")
    if news:
        notes = phrase("n = {customers}; in colour what differs from the period before", customers=customers)
    else:
        notes = phrase("n = {customers}; in colour what goes clearly more one way than back", customers=customers)
    more = phrase("; the {n} smallest segments are folded into “all others”", n=folded) if folded else ""
    return notes + more


def _folded(moves: pd.DataFrame, verdict: str, most: int):
    """The moves of the largest segments, those of the others as one; and how many these are."""
    sizes = _sizes(moves)
    segments = sizes.drop(list(_NO_SEGMENTS), errors="ignore")
    small = set(segments.index[most - 1 :]) if len(segments) > most else set()
    named = {place: moves[place].where(~moves[place].isin(small), "all others") for place in ("source", "target")}
    shown = moves.assign(**named).groupby(["source", "target", verdict], as_index=False)["n"].sum()
    return shown[shown["n"] > 0], len(small)


def _sizes(moves: pd.DataFrame) -> pd.Series:
    """Customers of each state on both sides together, the largest first, equal ones by name."""
    ends = pd.concat([moves[[place, "n"]].rename(columns={place: "state"}) for place in ("source", "target")])
    return ends.groupby("state")["n"].sum().sort_index().sort_values(ascending=False, kind="stable")


def _ordered(moves: pd.DataFrame, order: Sequence[str]) -> list[str]:
    last = ("all others", *_NO_SEGMENTS)
    sizes = _sizes(moves)
    given = [state for state in order if state in sizes.index and state not in last]
    rest = [state for state in sizes.index if state not in {*given, *last}]
    return [*given, *rest, *(state for state in last if state in sizes.index)]


def _blocks(moves: pd.DataFrame, place: str, states: list[str]) -> pd.DataFrame:
    """Where each state of one side begins and ends on a height of 1, with gaps between them."""
    sizes = moves.groupby(place)["n"].sum().reindex(states).dropna()
    gap = 0.14 / max(len(sizes) - 1, 1)
    height = (1 - gap * (len(sizes) - 1)) * sizes / sizes.sum()
    top = height.cumsum() - height + gap * np.arange(len(sizes))
    return pd.DataFrame({"n": sizes, "top": top, "bottom": top + height})


def _ribbons(axes: Axes, moves: pd.DataFrame, sides, verdict: str) -> None:
    """One band per move, in the order of the blocks at either end; those in question last, on top."""
    left, right = sides
    ranks = moves.assign(
        at=moves["source"].map({s: i for i, s in enumerate(left.index)}),
        to=moves["target"].map({s: i for i, s in enumerate(right.index)}),
    )
    scale = [((side["bottom"] - side["top"]) / side["n"]) for side in sides]
    starts = ranks.sort_values(["at", "to", verdict])
    starts["start"] = starts["source"].map(left["top"]) + starts["source"].map(scale[0]) * (
        starts.groupby("source")["n"].cumsum() - starts["n"]
    )
    ends = starts.sort_values(["to", "at", verdict])
    ends["end"] = ends["target"].map(right["top"]) + ends["target"].map(scale[1]) * (
        ends.groupby("target")["n"].cumsum() - ends["n"]
    )
    for move in ends.sort_values([verdict, "n"], ascending=[True, False]).itertuples():
        marked = getattr(move, verdict)
        heights = move.n * scale[0][move.source], move.n * scale[1][move.target]
        style = {"facecolor": ACCENT, "alpha": 0.7} if marked else {"facecolor": PALE, "alpha": 0.6}
        axes.add_patch(PathPatch(band(move.start, move.end, *heights), lw=0, zorder=2 if marked else 1, **style))


def band(start: float, end: float, here: float, there: float, left: float = 0.012, right: float = 0.988) -> Path:
    """A ribbon from `start` at the left to `end` at the right, so high at either."""
    bend = (left + right) / 2
    points = [(left, start), (bend, start), (bend, end), (right, end)]
    points += [(right, end + there), (bend, end + there), (bend, start + here), (left, start + here), (left, start)]
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _bars(axes: Axes, side: pd.DataFrame, place: str, total: int) -> None:
    """The states of one side as bars, each with its name and share at a height where no other name stands."""
    end, away = (0, -1) if place == "first" else (1, 1)
    to_the_left = (away < 0) != from_the_right()
    axes.bar(end, side["bottom"] - side["top"], 0.024, bottom=side["top"], color=QUIET, zorder=3)
    middles = ((side["top"] + side["bottom"]) / 2).to_numpy()
    labels = [f"{wrapped(named(state, 'segment'), 0.24)} {percent(n / total)}" for state, n in side["n"].items()]
    line = 0.15 / (axes.figure.get_size_inches()[1] - 1.2)
    heights = apart(middles, line * np.array([1.2 + label.count("\n") for label in labels]))
    for state, label, at, height in zip(side.index, labels, middles, heights, strict=True):
        axes.plot([end + 0.014 * away, end + 0.045 * away], [at, height], color=GREY, lw=0.7, clip_on=False)
        style = {"va": "center", "size": 8, "color": QUIET if state in _NO_SEGMENTS else INK}
        style |= {"ha": "right", "offset": (-2, 0)} if to_the_left else {"ha": "left", "offset": (2, 0)}
        write(axes, label, (end + 0.045 * away, height), **style)


def apart(wanted: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The heights nearest to the wanted ones, in the same order, at which marks of such sizes do not overlap.

    The nearest by squared distance: the wanted heights less those of a tight stack, pooled where they fall.
    """
    stacked = np.cumsum(sizes) - sizes / 2
    pools: list[list[float]] = []
    for value in wanted - stacked:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (here, n), (there, m) = pools[-2:]
            pools[-2:] = [[(here * n + there * m) / (n + m), n + m]]
    return np.concatenate([np.full(int(n), value) for value, n in pools]) + stacked


def _finding(moves: pd.DataFrame, coloured: pd.DataFrame, news: bool) -> str:
    if coloured.empty:
        return _nothing_found(moves, news)
    if news:
        return _most_unusual(coloured.loc[(coloured["share"] - coloured["usual_share"]).abs().idxmax()])
    top = coloured.loc[coloured["net"].idxmax()]
    return phrase(
        "The largest flow goes from {here} to {there}: {customers} against {n:,.0f} back",
        **{"here": _name(top["source"]), "there": _name(top["target"])},
        **{"customers": counted(top["n"], "customer"), "n": top["n"] - top["net"]},
    )


def _nothing_found(moves: pd.DataFrame, news: bool) -> str:
    both = moves[~moves["source"].isin(_NO_SEGMENTS[1:]) & ~moves["target"].isin(_NO_SEGMENTS[1:])]
    n, moved = both["n"].sum(), both.loc[both["source"] != both["target"], "n"].sum()
    if not moved:
        return phrase("Nobody has moved: {customers} are where they were", customers=counted(n, "customer"))
    if news:
        return phrase("{share} have moved, but no move differs from the period before", share=percent(moved / n))
    return phrase("{share} have moved, but between any two about as many go as come back", share=percent(moved / n))


def _most_unusual(top: pd.Series) -> str:
    told = {"here": _name(top["source"]), "there": _name(top["target"])}
    told |= {"share": percent(top["share"]), "before": percent(top["usual_share"])}
    more, stay = top["share"] > top["usual_share"], top["source"] == top["target"]
    if stay and more:
        return phrase("More than usual stay in {here}: {share} against {before} before", **told)
    if stay:
        return phrase("Fewer than usual stay in {here}: {share} against {before} before", **told)
    if more:
        return phrase("More than usual go from {here} to {there}: {share} against {before} before", **told)
    return phrase("Fewer than usual go from {here} to {there}: {share} against {before} before", **told)


def _name(state: str) -> str:
    return elided(named(state, "segment"), 30)


def _way(move) -> str:
    return phrase(" → ").join(isolated(named(state, "segment")) for state in (move.source, move.target))
