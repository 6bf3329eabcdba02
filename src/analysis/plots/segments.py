"""Figures of segments: scores, concentration, number of groups, sizes."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.errors import require_columns
from analysis.evidence import percent
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
    QUIET,
    canvas,
    counted,
    elided,
    finish,
    grid,
    heading,
    heat,
    interval_words,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    segment_colour,
    share_axis,
    write,
)


def lorenz(
    curve: pd.DataFrame, share: float, low: float, high: float, top: float = 0.2, n: int | None = None,
    source: str | None = None,
) -> Axes:  # fmt: skip
    """How much of all revenue the best customers bring: does 80/20 hold here?

    Parameters
    ----------
    curve : DataFrame, columns customers and revenue: cumulated shares, best customers first
    share, low, high : revenue share of the top customers, with its interval
    top : share of customers counted as best
    n : number of customers, for the last line
    source : where the figures come from, for the last line

    Examples
    --------
    >>> curve = pd.DataFrame({"customers": [0, 0.2, 1], "revenue": [0, 0.67, 1]})
    >>> print(lorenz(curve, share=0.67, low=0.62, high=0.71).get_title())
    A fifth of customers bring 67 % of revenue (interval 62 to 71 %)
    """
    if curve.empty or not np.isfinite(share):
        return nothing_to_show("there is no revenue to share out")
    require_columns("curve", curve.columns, ["customers", "revenue"])
    x = np.unique(np.append(np.linspace(0, 1, 201), top))
    y = np.interp(x, np.append(0, curve["customers"]), np.append(0, curve["revenue"]))
    axes = canvas(height=4.2)
    best = x <= top
    axes.fill_between(x[best], 0, y[best], color=ACCENT, alpha=0.15, lw=0)
    axes.plot(x, y, color=GREY, lw=2)
    axes.plot(x[best], y[best], color=ACCENT, lw=2.5)
    axes.plot([0, 1], [0, 1], color=QUIET, lw=0.9, ls=(0, (4, 2)))
    axes.errorbar(top, share, [[max(share - low, 0)], [max(high - share, 0)]], fmt="o", color=ACCENT, capsize=4)
    write(
        axes,
        f"{percent(share)} of revenue\n{interval_words(low, high, 'interval ')}",
        (top, share),
        offset=(12, -8),
        va="top",
        color=ACCENT,
        weight="bold",
        bbox=CLEAR,
    )
    write(axes, "if all spent alike", (0.75, 0.75), offset=(6, -6), va="top", color=QUIET)
    share_axis(axes, "share of customers, best first")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    axes.set(xlim=(0, 1), ylim=(min(0, y.min()), max(1, y.max(), high) * 1.02), yticks=np.linspace(0, 1, 6))
    heading(axes, "share of revenue")
    fractions = {
        0.01: "One customer in a hundred",
        0.05: "A twentieth",
        0.1: "A tenth",
        0.2: "A fifth",
        0.25: "A quarter",
    }
    who = fractions.get(round(top, 4), f"The best {percent(top)}")
    verb = "brings" if top == 0.01 else "of customers bring"
    title = f"{who} {verb} {percent(share)} of revenue{interval_words(low, high, ' (interval ', ')')}"
    values = listing((f"best {percent(t)}", percent(np.interp(t, x, y))) for t in (0.05, 0.1, 0.2, 0.5))
    drawn = f"Curve of the cumulated share of revenue over customers, best first: {values}"
    return finish(axes, title, drawn, f"n = {counted(n, 'customer')}" if n else "", source)


def rfm_map(segments: pd.DataFrame, source: str | None = None) -> Axes:
    """Where customers stand by recency and frequency, and which region bears which name.

    Parameters
    ----------
    segments : DataFrame, one row per customer, columns r, f (scores, 5 is best) and rfm_segment; some may have none
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(rfm_map(pd.DataFrame({"r": [5, 5, 1], "f": [5, 5, 1],
    ...                             "rfm_segment": ["Champions", "Champions", "Lost"]})).get_title())
    The largest of 2 groups: Champions, 67 % of 3 customers
    """
    if segments.empty:
        return nothing_to_show("there are no customers")
    require_columns("segments", segments.columns, ["r", "f", "rfm_segment"])
    known = segments.dropna(subset=["r", "f", "rfm_segment"])
    if known.empty:
        return nothing_to_show("nobody has bought, so nobody has a score")
    n, best = len(known), max(5, int(known[["r", "f"]].to_numpy().max()))
    scores = range(1, best + 1)
    cells = known.groupby(["f", "r", "rfm_segment"], observed=True).size().rename("n").reset_index()
    counts = cells.pivot_table(index="f", columns="r", values="n", aggfunc="sum").reindex(index=scores, columns=scores)
    main = cells.sort_values(["n", "rfm_segment"], ascending=[False, True]).drop_duplicates(["f", "r"])
    names = main.pivot(index="f", columns="r", values="rfm_segment").reindex(index=scores, columns=scores)
    axes = canvas(height=5)
    heat(axes, counts.fillna(0).to_numpy(), lambda v: f"{v:,.0f}" if v else "", nudge=-0.18)
    _regions(axes, names.astype(object).where(names.notna(), "").to_numpy())
    axes.set(xticks=np.arange(best) + 0.5, yticks=np.arange(best) + 0.5, xticklabels=scores, yticklabels=scores)
    axes.set_xlabel("recency score: 5 bought most recently →")
    heading(axes, "frequency score: 5 buys most often ↑")
    sizes = known["rfm_segment"].astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    title = f"The largest of {len(sizes)} groups: {elided(sizes.index[0], 40)}, {percent(sizes.iloc[0] / n)} of "
    if len(sizes) == 1:
        title = f"All in one group, {elided(sizes.index[0], 40)}: "
    drawn = "Grid of recency by frequency scores with the customers in each cell. "
    drawn += "Customers by group: " + listing((k, f"{v:,}") for k, v in sizes.items())
    notes = f"n = {counted(n, 'customer')}; a cell bears the name of most of its customers"
    if len(segments) > n:
        notes += f"; {len(segments) - n:,} without an order have no score"
    return finish(axes, title + counted(n, "customer"), drawn, notes, source)


def stability(choice: pd.DataFrame, chosen: int | None = None, source: str | None = None) -> Axes:
    """How alike the segments come out when the customers are drawn again, by number of segments.

    Parameters
    ----------
    choice : DataFrame, columns k, stability (mean adjusted Rand index: 0 as by chance, 1 identical), low, high;
        silhouette is written below where it is given
    chosen : the number of segments that was chosen, 1 when no structure was found; by default the row that the column
        chosen marks
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(stability(pd.DataFrame({"k": [2, 3], "stability": [0.6, 0.9], "low": [0.5, 0.85], "high": [0.7, 0.94]}),
    ...                 chosen=3).get_title())
    3 segments come out most alike when repeated: stability 0.90 (interval 0.85 to 0.94)
    """
    if choice.empty:
        return nothing_to_show("no number of segments was tried")
    require_columns(
        "choice", choice.columns, ["k", "stability", "low", "high", *(["chosen"] if chosen is None else [])]
    )
    if chosen is None:
        chosen = int(choice.loc[choice["chosen"].astype(bool), "k"].iloc[0])
    choice = choice[choice["k"] > 1].dropna(subset="stability").sort_values("k")
    if choice.empty:
        return nothing_to_show("too few customers to try any number of segments")
    best = choice.sort_values(["stability", "k"], ascending=[False, True]).iloc[0]
    axes = canvas(height=3.6)
    for row in choice.itertuples():
        colour = ACCENT if row.k == chosen else GREY
        arms = [[max(row.stability - row.low, 0)], [max(row.high - row.stability, 0)]]
        axes.errorbar(row.k, row.stability, arms, fmt="o", color=colour, ms=8, lw=2, capsize=4)
        write(
            axes,
            f"{row.stability:.2f}",
            (row.k, np.fmax(row.high, row.stability)),
            offset=(0, 5),
            ha="center",
            color=ACCENT if row.k == chosen else QUIET,
        )
    axes.set(ylim=(min(0, choice["low"].min()), 1.12), xlim=(choice["k"].min() - 0.6, choice["k"].max() + 0.6))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0, as by chance", "0.25", "0.5", "0.75", "1, identical"])
    grid(axes, "y")
    beneath = dict(zip(choice["k"], choice.get("silhouette", pd.Series(np.nan, choice.index)), strict=True))
    given = any(np.isfinite(list(beneath.values())))
    axes.set_xticks(list(beneath), [f"{k}\n{s:.2f}" if np.isfinite(s) else f"{k}" for k, s in beneath.items()])
    axes.set_xlabel(
        "number of segments" + ("; below it the silhouette, how clearly they part (1 is best)" if given else "")
    )
    heading(axes, "stability")
    drawn = "Points with intervals, stability by number of segments: "
    drawn += listing((f"with {r.k}", f"{r.stability:.2f} ({r.low:.2f} to {r.high:.2f})") for r in choice.itertuples())
    notes = "intervals hold 95 % of the repeats"
    return finish(axes, _choice_in_words(choice, chosen, best), drawn, notes, source)


def segment_sizes(summary: pd.DataFrame, source: str | None = None) -> Axes:
    """Each segment's share of customers beside its share of revenue.

    Parameters
    ----------
    summary : DataFrame, columns segment (number from 1), segment_name, n, share, revenue_share
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(segment_sizes(pd.DataFrame({"segment": [1, 2], "segment_name": ["Occasional", "Regulars"], "n": [90, 10],
    ...                                   "share": [0.9, 0.1], "revenue_share": [0.4, 0.6]})).get_title())
    Regulars: 10 % of customers, 60 % of revenue
    """
    if summary.empty:
        return nothing_to_show("there are no segments")
    require_columns("segment_summary", summary.columns, ["segment", "segment_name", "n", "share", "revenue_share"])
    summary = summary.sort_values("segment")
    revenue = summary["revenue_share"].astype(float)
    axes = canvas(rows=1.8 * len(summary))
    y = np.arange(len(summary))
    colours = [segment_colour(s) for s in summary["segment"]]
    axes.barh(y - 0.19, summary["share"], height=0.34, color=GREY)
    axes.barh(y + 0.19, revenue.fillna(0), height=0.34, color=colours)
    people = [f"{percent(s)} of customers ({n:,})" for s, n in zip(summary["share"], summary["n"], strict=True)]
    money = [f"{percent(s)} of revenue" if np.isfinite(s) else "revenue unknown" for s in revenue]
    label_bars(axes, y - 0.19, summary["share"], people, colour=QUIET)
    label_bars(axes, y + 0.19, revenue.fillna(0).clip(lower=0), money)
    ranked_axis(axes, [name_of(s) for s in summary["segment_name"]])
    share_axis(axes, "share of all customers, and of all revenue")
    axes.set_xlim(min(0, revenue.min() * 1.25), max(summary["share"].max(), revenue.max()))
    if revenue.min() < 0:
        axes.axvline(0, color=QUIET, lw=0.8)
    at = (revenue - summary["share"]).fillna(-np.inf).argmax()
    first = summary.iloc[at]
    title = f"{elided(first['segment_name'], 40)}: {percent(first['share'])} of customers, {money[at]}"
    drawn = "Pairs of bars by segment: "
    drawn += "; ".join(f"{k}: {p}, {m}" for k, p, m in zip(summary["segment_name"], people, money, strict=True))
    return finish(axes, title, drawn, f"n = {counted(summary['n'].sum(), 'customer')}", source)


def _regions(axes: Axes, names) -> None:
    """Draw a line round cells of one name, and write the name once in each connected region."""
    size, columns = names.shape
    for (row, column), name in np.ndenumerate(names):
        if column + 1 < columns and names[row, column + 1] != name:
            axes.plot([column + 1] * 2, [row, row + 1], color=INK, lw=1.2, solid_capstyle="round")
        if row + 1 < size and names[row + 1, column] != name:
            axes.plot([column, column + 1], [row + 1] * 2, color=INK, lw=1.2, solid_capstyle="round")
    letters = axes.figure.get_size_inches()[0] * 0.85 / columns * 11
    for name, row, start, end in _widest_runs(names):
        lines = textwrap.wrap(
            str(name), max(int(letters * (end - start)), 9), max_lines=2, placeholder="…", break_long_words=False
        )
        axes.text(
            (start + end) / 2, row + 0.66, "\n".join(lines), ha="center", va="center", size=8, weight="bold",
            linespacing=1.05, bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "alpha": 0.85, "lw": 0},
        )  # fmt: skip


def _widest_runs(names):
    """For each connected region of one name: the name, and row, first and past-last column of its widest run."""
    seen, runs = set(), []
    for start, name in np.ndenumerate(names):
        if not name or start in seen:
            continue
        region, front = set(), [start]
        while front:
            cell = front.pop()
            if cell in region or min(cell) < 0 or cell[0] >= names.shape[0] or cell[1] >= names.shape[1]:
                continue
            if names[cell] == name:
                region.add(cell)
                front += [(cell[0] + dr, cell[1] + dc) for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))]
        seen |= region
        best = (0, 0, 0)
        for row, column in sorted(region, reverse=True):
            width = 1
            while (row, column + width) in region:
                width += 1
            best = max(best, (width, row, column))
        runs.append((name, best[1], best[2], best[2] + best[0]))
    return runs


def _choice_in_words(choice: pd.DataFrame, chosen: int, best: pd.Series) -> str:
    row = choice[choice["k"] == chosen]
    if row.empty:
        tried = f"{choice['k'].min()} to {choice['k'].max()}" if len(choice) > 1 else f"{choice['k'].min()}"
        return (
            f"No structure found in {tried} segments; the most stable, {best['k']:.0f}, reach {best['stability']:.2f}"
        )
    row = row.iloc[0]
    figures = f"stability {row['stability']:.2f} (interval {row['low']:.2f} to {row['high']:.2f})"
    if chosen == best["k"]:
        return f"{counted(chosen, 'segment')} come out most alike when repeated: {figures}"
    return (
        f"{counted(chosen, 'segment')} chosen: {figures}; {best['k']:.0f} would be more stable, {best['stability']:.2f}"
    )
