"""Figures of segments: scores, concentration, number of groups, sizes."""

import re
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter

from analysis.errors import require_columns
from analysis.evidence import delta, in_words, percent, short
from analysis.locale import named
from analysis.phrases import figure, marked, phrase
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
    PALE,
    QUIET,
    canvas,
    counted,
    elided,
    figures_by_group,
    finish,
    grid,
    heading,
    heat,
    interval_words,
    is_wide,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    room,
    segment_colour,
    share_axis,
    sizes_in_words,
    write,
)
from analysis.schema import BOUGHT, THROUGH
from analysis.vocabulary import topic, words

#: Below and above everybody else; blue and orange are told apart by red-green-blind readers too.
_APART = LinearSegmentedColormap.from_list("apart", ["#0b55b5", "#8db4e6", "#ffffff", "#e2a76b", ACCENT])


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
        return nothing_to_show(phrase("there is no revenue to share out"))
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
        _share_and_interval(percent(share), interval_words(low, high)),
        (top, share),
        offset=(12, -8),
        va="top",
        color=ACCENT,
        weight="bold",
        bbox=CLEAR,
    )
    write(axes, phrase("if all spent alike"), (0.75, 0.75), offset=(6, -6), va="top", color=QUIET)
    share_axis(axes, phrase("share of customers, best first"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    axes.set(xlim=(0, 1), ylim=(min(0, y.min()), max(1, y.max(), high) * 1.02), yticks=np.linspace(0, 1, 6))
    heading(axes, phrase("share of revenue"))
    values = listing((phrase("best {top}", top=percent(t)), percent(np.interp(t, x, y))) for t in (0.05, 0.1, 0.2, 0.5))
    drawn = phrase("Curve of the cumulated share of revenue over customers, best first: {shares}", shares=values)
    notes = phrase("n = {customers}", customers=counted(n, "customer")) if n else ""
    return finish(axes, _concentration_in_words(top, percent(share), interval_words(low, high)), drawn, notes, source)


#: Usual shares of customers that are counted as best, in words.
_BEST = {
    0.01: marked("One customer in a hundred brings {share} of revenue"),
    0.05: marked("A twentieth of customers bring {share} of revenue"),
    0.1: marked("A tenth of customers bring {share} of revenue"),
    0.2: marked("A fifth of customers bring {share} of revenue"),
    0.25: marked("A quarter of customers bring {share} of revenue"),
}


def _concentration_in_words(top: float, share: str, interval: str) -> str:
    other = marked("The best {top} of customers bring {share} of revenue")
    said = phrase(_BEST.get(round(top, 4), other), top=percent(top), share=share)
    return phrase("{said} (interval {interval})", said=said, interval=interval) if interval else said


def _share_and_interval(share: str, interval: str) -> str:
    said = phrase("{share} of revenue", share=share)
    return "\n".join([said, phrase("interval {interval}", interval=interval) if interval else ""])


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
        return nothing_to_show(phrase("there are no customers"))
    require_columns("segments", segments.columns, ["r", "f", "rfm_segment"])
    known = segments.dropna(subset=["r", "f", "rfm_segment"])
    if known.empty:
        return nothing_to_show(phrase("nobody has bought, so nobody has a score"))
    n, best = len(known), max(5, int(known[["r", "f"]].to_numpy().max()))
    scores = range(1, best + 1)
    cells = known.groupby(["f", "r", "rfm_segment"], observed=True).size().rename("n").reset_index()
    counts = cells.pivot_table(index="f", columns="r", values="n", aggfunc="sum").reindex(index=scores, columns=scores)
    main = cells.sort_values(["n", "rfm_segment"], ascending=[False, True]).drop_duplicates(["f", "r"])
    names = main.pivot(index="f", columns="r", values="rfm_segment").reindex(index=scores, columns=scores)
    axes = canvas(height=5)
    heat(axes, counts.fillna(0).to_numpy(), lambda v: figure(f"{v:,.0f}") if v else "", nudge=-0.18)
    _regions(axes, names.astype(object).where(names.notna(), "").to_numpy())
    labels = [figure(str(score)) for score in scores]
    axes.set(xticks=np.arange(best) + 0.5, yticks=np.arange(best) + 0.5, xticklabels=labels, yticklabels=labels)
    axes.set_xlabel(phrase("recency score: 5 bought most recently →"))
    heading(axes, phrase("frequency score: 5 buys most often ↑"))
    sizes = known["rfm_segment"].astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    told = listing((named(k, "segment"), figure(f"{v:,}")) for k, v in sizes.items())
    drawn = phrase(
        "Grid of recency by frequency scores with the customers in each cell. Customers by group: {groups}", groups=told
    )
    customers = counted(n, "customer")
    notes = phrase("n = {customers}; a cell bears the name of most of its customers", customers=customers)
    if len(segments) > n:
        more = phrase("{n:,} without an order have no score", n=len(segments) - n)
        notes = phrase("; ").join([notes, more])
    return finish(axes, _largest_in_words(sizes, customers), drawn, notes, source)


def _largest_in_words(sizes: pd.Series, customers: str) -> str:
    name = elided(named(sizes.index[0], "segment"), 40)
    if len(sizes) == 1:
        return phrase("All in one group, {name}: {customers}", name=name, customers=customers)
    return phrase(
        "The largest of {n} groups: {name}, {share} of {customers}",
        **{"n": len(sizes), "name": name, "share": percent(sizes.iloc[0] / sizes.sum()), "customers": customers},
    )


def stability(choice: pd.DataFrame, chosen: int | None = None, source: str | None = None) -> Axes:
    """How alike the segments come out when the customers are drawn again, by number of segments.

    Parameters
    ----------
    choice : DataFrame, columns k, stability (mean adjusted Rand index: 0 as by chance, 1 identical), low, high;
        silhouette is written below where it is given, and hollow is what has beats_reference false: no more is
        explained than in customers without groups
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
        return nothing_to_show(phrase("no number of segments was tried"))
    require_columns(
        "choice", choice.columns, ["k", "stability", "low", "high", *(["chosen"] if chosen is None else [])]
    )
    if chosen is None:
        chosen = int(choice.loc[choice["chosen"].astype(bool), "k"].iloc[0])
    choice = choice[choice["k"] > 1].dropna(subset="stability").sort_values("k")
    if choice.empty:
        return nothing_to_show(phrase("too few customers to try any number of segments"))
    best = choice.sort_values(["stability", "k"], ascending=[False, True]).iloc[0]
    more = choice.get("beats_reference", pd.Series(True, choice.index)).astype(bool)
    axes = canvas(height=3.6)
    for row, filled in zip(choice.itertuples(), more, strict=True):
        colour = ACCENT if row.k == chosen else GREY
        arms = [[max(row.stability - row.low, 0)], [max(row.high - row.stability, 0)]]
        face = colour if filled else "white"
        axes.errorbar(row.k, row.stability, arms, fmt="o", color=colour, mfc=face, ms=8, lw=2, capsize=4)
        write(
            axes,
            figure(f"{row.stability:.2f}"),
            (row.k, np.fmax(row.high, row.stability)),
            offset=(0, 5),
            ha="center",
            color=ACCENT if row.k == chosen else QUIET,
        )
    axes.set(ylim=(min(0, choice["low"].min()), 1.12), xlim=(choice["k"].min() - 0.6, choice["k"].max() + 0.6))
    ends = phrase("0, as by chance"), phrase("1, identical")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], [ends[0], *map(figure, ("0.25", "0.5", "0.75")), ends[1]])
    grid(axes, "y")
    beneath = dict(zip(choice["k"], choice.get("silhouette", pd.Series(np.nan, choice.index)), strict=True))
    given = any(np.isfinite(list(beneath.values())))
    ticks = [f"{k}\n{s:.2f}" if np.isfinite(s) else f"{k}" for k, s in beneath.items()]
    axes.set_xticks(list(beneath), map(figure, ticks))
    with_silhouette = phrase("number of segments; below it the silhouette, how clearly they part (1 is best)")
    axes.set_xlabel(with_silhouette if given else phrase("number of segments"))
    heading(axes, phrase("stability"))
    hollow = phrase(", ").join(figure(f"{k}") for k in choice["k"][~more])
    notes = phrase("intervals hold 95 % of the repeats")
    if hollow:
        notes = phrase("intervals hold 95 % of the repeats; hollow: no more explained than without groups")
    drawn = _stability_in_words(choice, hollow)
    return finish(axes, _choice_in_words(choice, chosen, best), drawn, notes, source)


def _stability_in_words(choice: pd.DataFrame, hollow: str) -> str:
    """What is drawn: every number of segments with its stability, and which explain nothing."""
    pairs = [
        (
            phrase("with {k}", k=row.k),
            phrase("{stability:.2f} ({low:.2f} to {high:.2f})", stability=row.stability, low=row.low, high=row.high),
        )
        for row in choice.itertuples()
    ]
    drawn = phrase("Points with intervals, stability by number of segments: {figures}", figures=listing(pairs))
    if not hollow:
        return drawn
    return phrase("{said}. No more is explained than without groups with {numbers}", said=drawn, numbers=hollow)


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
        return nothing_to_show(phrase("there are no segments"))
    require_columns("segment_summary", summary.columns, ["segment", "segment_name", "n", "share", "revenue_share"])
    summary = summary.sort_values("segment")
    revenue = summary["revenue_share"].astype(float)
    axes = canvas(rows=1.8 * len(summary))
    y = np.arange(len(summary))
    colours = [segment_colour(s) for s in summary["segment"]]
    people = [
        phrase("{share} of customers ({n:,})", share=percent(s), n=n)
        for s, n in zip(summary["share"], summary["n"], strict=True)
    ]
    unknown = phrase("revenue unknown")
    money = [phrase("{share} of revenue", share=percent(s)) if np.isfinite(s) else unknown for s in revenue]
    if revenue.notna().any():
        axes.barh(y - 0.19, summary["share"], height=0.34, color=GREY)
        axes.barh(y + 0.19, revenue.fillna(0), height=0.34, color=colours)
        label_bars(axes, y - 0.19, summary["share"], people, colour=QUIET)
        label_bars(axes, y + 0.19, revenue.fillna(0).clip(lower=0), money)
    else:
        axes.barh(y, summary["share"], height=0.5, color=colours)
        label_bars(axes, y, summary["share"], people)
    ranked_axis(axes, [name_of(s) for s in summary["segment_name"]])
    both = phrase("share of all customers, and of all revenue")
    share_axis(axes, both if revenue.notna().any() else phrase("share of all customers"))
    axes.set_xlim(np.fmin(0, revenue.min() * 1.25), np.fmax(summary["share"].max(), revenue.max()))
    if revenue.min() < 0:
        axes.axvline(0, color=QUIET, lw=0.8)
    at = (revenue - summary["share"]).fillna(-np.inf).argmax() if revenue.notna().any() else summary["n"].argmax()
    first = summary.iloc[at]
    said = phrase("{share} of customers", share=percent(first["share"]))
    said = phrase(", ").join([said, money[at]]) if revenue.notna().any() else said
    title = f"{elided(first['segment_name'], 40)}: {said}"
    told = [f"{k}: {phrase(', ').join(both)}" for k, *both in zip(summary["segment_name"], people, money, strict=True)]
    drawn = phrase("Pairs of bars by segment: {segments}", segments=phrase("; ").join(told))
    notes = phrase("n = {customers}", customers=counted(summary["n"].sum(), "customer"))
    return finish(axes, title, drawn, notes, source)


def segment_traits(summary: pd.DataFrame, source: str | None = None) -> Axes:
    """What sets the groups apart, side by side: a row per segment, a column per telling trait.

    Parameters
    ----------
    summary : DataFrame, as from ``segments.describe``: columns segment, segment_name, trait, level, kind, n, value,
        elsewhere, difference, effect and distinctive
    source : where the figures come from, for the last line

    Notes
    -----
    Of each topic one trait: what sets each group apart the most, then what comes second in each, and so on; what is
    known of less than half of a group does not count. On the left what tells most about most customers. Shaded by
    Cliff's delta against everybody else, for a share the difference of the shares; a difference that may be chance, or
    is less than small, has no shade.

    Examples
    --------
    >>> rows = [(1, "Occasional", 1.2, 8.1, -6.9, -0.9), (2, "Regulars", 8.1, 1.2, 6.9, 0.9)]
    >>> summary = pd.DataFrame(rows, columns=["segment", "segment_name", "value", "elsewhere", "difference", "effect"])
    >>> summary = summary.assign(trait="n_orders", level="", kind="number", n=50, distinctive=True)
    >>> print(segment_traits(summary).get_title())
    What sets the groups apart most: number of orders, 1.2 (Occasional) to 8.1 (Regulars)
    """
    need = ["segment", "segment_name", "trait", "level", "kind", "n", "value", "difference", "effect", "distinctive"]
    if summary.empty:
        return nothing_to_show(phrase("there are no groups to set apart"))
    require_columns("segment_summary", summary.columns, need)
    rows = summary.assign(delta=delta(summary), clear=summary["distinctive"].astype(bool))
    told = _telling(rows, 8 if is_wide() else 4)
    if not told:
        groups = counted(summary["segment"].nunique(), "group")
        return nothing_to_show(phrase("nothing sets {groups} clearly apart", groups=groups))
    names = rows.drop_duplicates("segment").set_index("segment")["segment_name"].sort_index()
    cells = rows.assign(at=list(zip(rows["trait"], rows["level"], strict=True))).pivot(index="segment", columns="at")
    shades = cells["delta"].where(cells["clear"].eq(True))[told].fillna(0).to_numpy(dtype=float)
    kinds = [rows.loc[(rows["trait"] == t) & (rows["level"] == level), "kind"].iloc[0] for t, level in told]
    kinds = [_as_share(trait, kind) for (trait, _), kind in zip(told, kinds, strict=True)]
    figures = [list(map(_figure, row, kinds)) for row in cells["value"][told].to_numpy()]
    axes = canvas(height=1.9 + 0.42 * len(names))
    axes.pcolormesh(shades, cmap=_APART, vmin=-1, vmax=1, edgecolors="white", linewidth=1.5)
    for (y, x), shade in np.ndenumerate(shades):
        colour = "white" if abs(shade) > 0.6 else INK if shade else QUIET
        axes.text(x + 0.5, y + 0.5, figures[y][x], ha="center", va="center", size=9, color=colour)
    heads = [_trait(*t) for t in told]
    _heads_above(axes, heads, [name_of(name) for name in names])
    ends = cells["value"][told[0]].dropna().sort_values(kind="stable")
    low, high = [f"{_figure(value, kinds[0])} ({elided(names[s], 30)})" for s, value in ends.iloc[[0, -1]].items()]
    told_of = [f"{name}: {listing(zip(heads, row, strict=True))}" for name, row in zip(names, figures, strict=True)]
    drawn = phrase("Table of segments by traits. {segments}", segments=". ".join(told_of))
    notes = phrase(
        "{sizes}; orange: above everybody else, blue: below, the more so the darker (Cliff's delta); white: no clear "
        "difference",
        sizes=sizes_in_words(rows.groupby("segment")["n"].max()),
    )
    title = phrase("What sets the groups apart most: {trait}, {low} to {high}", trait=heads[0], low=low, high=high)
    return finish(axes, title, drawn, notes, source)


def _heads_above(axes: Axes, heads: list[str], names: list[str]) -> None:
    """Heads above the columns and names beside the rows of a table, without lines."""
    width = max(int(room(0.8) / len(heads)), 10)
    axes.set_xticks(np.arange(len(heads)) + 0.5, [_head(head, width) for head in heads], size=8)
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    axes.set_ylim(len(names), 0)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)


def _telling(rows, most):
    """(trait, level) of what sets groups apart, one of each topic: each group's strongest, then each one's second, …

    Of what they buy and through which channels one for each group, as each group may be known by another. In the order
    of how much they tell of a customer on average, so that a small group does not come first.
    """
    rows = rows.assign(strength=rows["delta"].abs().round(6), topic=rows["trait"].map(topic))
    rows = rows[rows["clear"] & (2 * rows["n"] > rows.groupby("segment")["n"].transform("max"))]  # known of most
    rows = rows.sort_values(["strength", "trait", "level"], ascending=[False, True, True], kind="stable")
    rows = rows.drop_duplicates(["segment", "topic"]).assign(place=lambda r: r.groupby("segment").cumcount())
    rows["alike"] = rows["topic"].mask(rows["trait"].str.startswith((BOUGHT, THROUGH)), rows["trait"])
    chosen = rows.sort_values("place", kind="stable").drop_duplicates("alike").head(most)[["trait", "level"]]
    told = rows.assign(told=rows["strength"] * rows["n"]).groupby(["trait", "level"])["told"].sum()
    return sorted(chosen.itertuples(index=False, name=None), key=lambda t: (-told[t], t))


def _trait(trait: str, level: str) -> str:
    return in_words(trait) if level in ("", "yes") else f"{in_words(trait)}: {named(level, trait)}"


def _head(text: str, width: int) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)  # NumWebVisits, as some bases write
    return "\n".join(textwrap.wrap(spaced, width, max_lines=4, placeholder=" …"))


def _as_share(trait: str, kind: str) -> str:
    """Numbers that are shares are written as shares."""
    known = words(trait)
    return "share" if known and known.unit == "share" else kind


def _figure(value: float, kind: str) -> str:
    return percent(value) if kind == "share" else short(value)


def overlaps(overlap: pd.DataFrame, source: str | None = None) -> Axes:
    """How much of each segment by rule lies in the others, too.

    Parameters
    ----------
    overlap : DataFrame, segments by segments, customers in both; in either one on the diagonal
    source : where the figures come from, for the last line

    Examples
    --------
    >>> both = pd.DataFrame([[50, 20], [20, 200]], index=["Special", "Reachable"], columns=["Special", "Reachable"])
    >>> print(overlaps(both).get_title())
    Largest overlap: 40 % of Special are in Reachable, too
    """
    if overlap.empty:
        return nothing_to_show(phrase("there are no segments by rule"))
    if len(overlap) == 1:
        return nothing_to_show(phrase("there is one segment by rule, and no other for it to overlap with"))
    both, names = overlap.to_numpy(dtype=float), [named(name, "segment") for name in overlap.columns]
    n = np.diag(both)
    shares = np.divide(both, n[:, None], out=np.zeros_like(both), where=n[:, None] > 0)
    np.fill_diagonal(shares, 0)
    axes = canvas(height=1.6 + 0.36 * max(len(n), 2))
    heat(axes, shares, lambda share: percent(share).rstrip(" %٪") if share else "", 9 if len(n) < 15 else 7, top=1)
    axes.plot([0, len(n)], [0, len(n)], color=PALE, lw=1.2)
    places = np.arange(len(n)) + 0.5
    # the mark keeps the number at the right of names that are written from right to left, too
    numbers = [figure(str(i)) for i in range(1, len(n) + 1)]
    labels = [
        f"\u200e{elided(k, room(0.36))} \u200e({figure(f'{m:,.0f}')})  {i}"
        for i, k, m in zip(numbers, names, n, strict=True)
    ]
    axes.set(xticks=places, xticklabels=numbers, yticks=places, yticklabels=labels)
    axes.xaxis.tick_top()
    axes.invert_yaxis()
    axes.set_xlabel(
        phrase("per cent of the customers at the left (how many) that are in the segment of this number, too")
    )
    told = np.where(n[:, None] >= 5, shares, 0)
    here, there = np.unravel_index(told.argmax(), told.shape)
    title = phrase("No customer is in two of the {segments} by rule", segments=counted(len(n), "segment"))
    if shares.any():
        title = phrase("The segments by rule overlap in a few customers only")
    if told.any():
        title = phrase(
            "Largest overlap: {share} of {here} are in {there}, too",
            **{"share": percent(shares[here, there]), "here": elided(names[here], 40)},
            there=elided(names[there], 40),
        )
    notes = phrase("n = {least:,.0f} to {most:,.0f} customers in a segment", least=n.min(), most=n.max())
    return finish(axes, title, _overlaps_in_words(shares, names), notes, source)


def _overlaps_in_words(shares: np.ndarray, names: list[str]) -> str:
    """What is drawn: the shares of segments in others, the largest first."""
    pairs = [
        (shares[i, j], phrase("{here} in {there}", here=names[i], there=names[j]))
        for i, j in np.ndindex(shares.shape)
        if shares[i, j]
    ]
    pairs = sorted(pairs, key=lambda pair: (-pair[0], pair[1]))
    shared = listing((name, percent(share)) for share, name in pairs)
    return phrase("Shares of segments that lie in others: {shares}", shares=shared or phrase("none"))


def origins(table: pd.DataFrame, days: int = 0, currency: str = "", source: str | None = None) -> Axes:
    """What customers are worth by where they came from, with intervals.

    Parameters
    ----------
    table : DataFrame, as ``segments.origins`` gives it: columns origin, aged, bought, worth, worth_low, worth_high,
        differs
    days : the time within which worth is counted, from a customer's first day on; 0: so far
    currency : unit of worth
    source : where the figures come from, for the last line

    Examples
    --------
    >>> table = pd.DataFrame({"origin": ["fair", "web"], "aged": [60, 90], "bought": [0.9, 0.5], "worth": [80.0, 20.0],
    ...                       "worth_low": [70.0, 15.0], "worth_high": [95.0, 26.0], "differs": [True, True]})
    >>> print(origins(table, 365, "EUR").get_title())
    Customers from fair are worth 80 EUR, those of all origins 44 EUR
    """
    if table.empty:
        return nothing_to_show(phrase("nobody's origin is recorded"))
    need = ["origin", "aged", "bought", "worth", "worth_low", "worth_high", "differs"]
    require_columns("origins", table.columns, need)
    known = table.dropna(subset="worth").sort_values(["worth", "origin"], ascending=[False, True])
    if known.empty:
        return nothing_to_show(phrase("no customer is known for long enough to tell what they are worth"))
    shown = known.nlargest(20, "aged").sort_values(["worth", "origin"], ascending=[False, True])
    worth, low, high = (shown[c].to_numpy(float) for c in ("worth", "worth_low", "worth_high"))
    whole = float(np.average(known["worth"], weights=known["aged"]))
    axes = canvas(rows=1.05 * len(shown))
    axes.axvline(whole, color=QUIET, lw=0.9)
    for place, differs in enumerate(shown["differs"]):
        arms = np.nan_to_num([[worth[place] - low[place]], [high[place] - worth[place]]])
        colour = ACCENT if differs else QUIET
        axes.errorbar(worth[place], place, xerr=arms, fmt="o", ms=6, color=colour, lw=2, capsize=3)
    # the interval of a handful of customers may reach so far that the others could not be told apart
    axes.set_xlim(min(0, np.nanmin([*worth, *low])), min(np.nanmax([*worth, *high]), 2.5 * worth.max() or 1) * 1.02)
    texts = [_worth_in_words(*row) for row in zip(worth, low, high, shown["aged"], strict=True)]
    span = phrase("in the first {days} days", days=days) if days else phrase("so far")
    unit = f"{phrase(', ')}{named(currency, 'currency')}" if currency else ""
    label = phrase("mean spend per customer {span}{unit}; line: all origins", span=span, unit=unit)
    origins = [named(origin, "origin") for origin in shown["origin"]]
    figures_by_group(axes, origins, texts, label, False)
    told = listing(zip(origins, texts, strict=True))
    drawn = phrase("Mean spend per customer {span} with intervals: {origins}", span=span, origins=told)
    customers = counted(known["aged"].sum(), "customer")
    notes = [
        phrase("n = {customers} known for so long", customers=customers)
        if days
        else phrase("n = {customers}; those who came lately had less time", customers=customers)
    ]
    if len(shown) < len(known):
        notes.append(phrase("the {shown} largest of {all} origins are shown", shown=len(shown), all=len(known)))
    unit = f" {named(currency, 'currency')}".rstrip()
    return finish(axes, _origins_in_words(shown, whole, unit), drawn, phrase("; ").join(notes), source)


def _worth_in_words(worth: float, low: float, high: float, n: int) -> str:
    if not np.isfinite([low, high]).all():
        return phrase("{worth}, n = {n:,}", worth=short(worth), n=n)
    return phrase("{worth} ({low} to {high}), n = {n:,}", worth=short(worth), low=short(low), high=short(high), n=n)


def _origins_in_words(shown: pd.DataFrame, whole: float, unit: str) -> str:
    if len(shown) == 1:
        return phrase(
            "Customers from {origin}, the only origin, are worth {worth}",
            **{"origin": elided(named(shown["origin"].iloc[0], "origin"), 40), "worth": f"{short(whole)}{unit}"},
        )
    real = shown[shown["differs"].astype(bool)]
    if real.empty:
        return phrase(
            "No origin's customers are worth more or less beyond chance: {low} to {high} in {n} origins",
            **{"low": short(shown["worth"].min()), "high": f"{short(shown['worth'].max())}{unit}", "n": len(shown)},
        )
    row = real.loc[(real["worth"] - whole).abs().idxmax()]
    return phrase(
        "Customers from {origin} are worth {worth}, those of all origins {whole}",
        **{"origin": elided(named(row["origin"], "origin"), 40), "worth": f"{short(row['worth'])}{unit}"},
        whole=f"{short(whole)}{unit}",
    )


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
            named(name, "segment"),
            max(int(letters * (end - start)), 9),
            max_lines=2,
            placeholder="…",
            break_long_words=False,
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
    said = {"best": best["k"], "most": best["stability"]}
    if row.empty and not best.get("beats_reference", True):
        return phrase(
            "No structure: {best:.0f} segments come out most alike, {most:.2f}, but explain no more than customers "
            "without groups would",
            **said,
        )
    if row.empty:
        least, largest = choice["k"].min(), choice["k"].max()
        tried = phrase("{low} to {high}", low=figure(f"{least}"), high=figure(f"{largest}"))
        tried = tried if len(choice) > 1 else figure(f"{least}")
        return phrase(
            "No structure found in {tried} segments; the most stable, {best:.0f}, reach {most:.2f}", tried=tried, **said
        )
    row = row.iloc[0]
    said |= {"segments": counted(chosen, "segment"), "stability": row["stability"]}
    said |= {"low": row["low"], "high": row["high"]}
    if chosen == best["k"]:
        return phrase(
            "{segments} come out most alike when repeated: stability {stability:.2f} (interval {low:.2f} to "
            "{high:.2f})",
            **said,
        )
    return phrase(
        "{segments} chosen: stability {stability:.2f} (interval {low:.2f} to {high:.2f}); {best:.0f} would be more "
        "stable, {most:.2f}",
        **said,
    )
