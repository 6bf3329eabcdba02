"""Figures of customers one by one and on the whole."""

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from analysis.errors import require_columns
from analysis.evidence import in_words, percent, short
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
    MANY_POINTS,
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
    is_wide,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    share_axis,
    sizes_in_words,
    write,
)


def distribution(
    profiles: pd.DataFrame, column: str, unit: str = "", log: bool | None = None, source: str | None = None
) -> Axes:
    """How customers spread over a trait: a histogram for numbers and dates, ranked bars for words.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    column : the trait
    unit : what it is counted in, e.g. "days" or the currency
    log : whether the axis grows by factors, showing only values above zero and saying how many are not; by default
        where most are above zero and the ninety-ninth of a hundred of these is more than 10 times the middle one
    source : where the figures come from, for the last line

    Examples
    --------
    >>> spend = pd.DataFrame({"total_spend": [0, 10, 20, 30, 4000]})
    >>> print(distribution(spend, "total_spend", "euro", log=True).get_title())
    Total spend: 20 % have none; half of the others are above 25 euro
    """
    if profiles.empty:
        return nothing_to_show("there are no customers")
    require_columns("profiles", profiles.columns, [column])
    values = profiles[column].dropna()
    if values.empty:
        return nothing_to_show(f"{column} is empty for all {counted(len(profiles), 'customer')}")
    notes = f"n = {counted(len(values), 'customer')}"
    if len(values) < len(profiles):
        notes += f"; {percent(1 - len(values) / len(profiles))} of all have no {in_words(column)} on record"
    if pd.api.types.is_datetime64_any_dtype(values):
        return _dates(values, column, notes, source)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _histogram(values.to_numpy(float), column, unit, log, notes, source)
    if pd.api.types.is_bool_dtype(values):
        values = values.map({True: "yes", False: "no"})
    return _ranking(values.astype(str), column, notes, source)


def rhythm(profiles: pd.DataFrame, source: str | None = None) -> Axes:
    """Who is overdue by their own rhythm: the days since the last order against the customer's usual gap.

    Parameters
    ----------
    profiles : DataFrame, columns median_gap_days, recency_days, overdue_ratio (the second over the first)
    source : where the figures come from, for the last line

    Notes
    -----
    A customer counts as overdue when silent for more than twice the usual gap. What is under half a day is drawn there.

    Examples
    --------
    >>> print(rhythm(pd.DataFrame({"median_gap_days": [30, 30], "recency_days": [10, 90],
    ...                            "overdue_ratio": [1 / 3, 3.0]})).get_title())
    1 of 2 customers (50 %) has been silent for more than twice their usual gap
    """
    if profiles.empty:
        return nothing_to_show("there are no customers")
    require_columns("profiles", profiles.columns, ["median_gap_days", "recency_days", "overdue_ratio"])
    known = profiles.dropna(subset=["median_gap_days", "recency_days", "overdue_ratio"])
    if known.empty:
        return nothing_to_show("nobody has ordered often enough to have a rhythm")
    n, late = len(known), known["overdue_ratio"].to_numpy(float) > 2
    gap = known["median_gap_days"].clip(lower=0.5).to_numpy(float)
    silent = known["recency_days"].clip(lower=0.5).to_numpy(float)
    axes = canvas(height=4.6)
    size, alpha = (34, 0.9) if n <= 60 else (12, 0.55) if n <= MANY_POINTS else (5, 0.3)
    for rows, colour in ((~late, GREY), (late, ACCENT)):
        axes.scatter(gap[rows], silent[rows], s=size, color=colour, alpha=alpha, lw=0, rasterized=n > MANY_POINTS)
    left, right = gap.min() / 1.3, gap.max() * 1.3
    low, high = silent.min() / 1.5, max(silent.max() * 1.5, left * 4)
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    for factor, name in ((1, "due today"), (2, "twice the usual gap")):
        axes.plot([left, right], [left * factor, right * factor], color=QUIET, lw=0.9, ls=(0, (4, 2)))
        at = min(right, high / factor)
        write(axes, name, (at, at * factor), offset=(4, 0), va="center", color=QUIET, size=8)
    _day_axes(axes)
    axes.set_xlabel("usual gap between two orders, days")
    heading(axes, "days since the last order")
    k = int(late.sum())
    title = f"{k:,} of {counted(n, 'customer')} ({percent(k / n)}) {'has' if k == 1 else 'have'} been silent for more "
    title += "than twice their usual gap"
    notes = f"n = {counted(n, 'customer')} with a usual gap, each a dot; overdue in amber"
    if len(profiles) > n:
        notes += f"; {counted(len(profiles) - n, 'other')} ordered too rarely to have one"
    drawn = (
        f"Scatter on logarithmic axes; usual gap: middle customer {short(np.median(gap))} days; since the last order: "
    )
    return finish(axes, title, f"{drawn}middle customer {short(np.median(silent))} days", notes, source)


def tag_cloud(counts: pd.DataFrame, field: str, source: str | None = None) -> Axes:
    """The tags of a multi-choice field, each as large as it is common, in the order of the alphabet.

    Parameters
    ----------
    counts : DataFrame, columns tag, customers, of, share; at most the sixty commonest are drawn
    field : what the tags are, for the title
    source : where the figures come from, for the last line

    Examples
    --------
    >>> counts = pd.DataFrame({"tag": ["novel", "art"], "customers": [60, 15], "of": 100, "share": [0.6, 0.15]})
    >>> print(tag_cloud(counts, "interests").get_title())
    Commonest of 2 interests: “novel”, for 60 % of 100 customers
    """
    if counts.empty:
        return nothing_to_show(f"no customer has {in_words(field)}")
    require_columns("tag_cloud", counts.columns, ["tag", "customers", "of", "share"])
    ranked = counts.sort_values(["customers", "tag"], ascending=[False, True])
    first, shown = ranked.iloc[0], ranked.head(60).sort_values("tag", key=lambda tags: tags.str.casefold())
    axes = canvas(height=0.8)
    axes.set_axis_off()
    # the eye compares areas: the height of the letters goes with the root of the share
    sizes = 8 + 20 * np.sqrt(shown["customers"] / first["customers"])
    words = [
        axes.text(0, 0, elided(tag, 30), size=size, color=ACCENT if tag == first["tag"] else INK, alpha=0.95)
        for tag, size in zip(shown["tag"], sizes, strict=True)
    ]
    _flow(axes, words)
    n = counted(first["of"], "customer")
    title = f"Commonest of {len(counts):,} {in_words(field)}: “{elided(first['tag'], 40)}”, for "
    title += f"{percent(first['share'])} of {n}"
    drawn = "Words sized by use: " + listing((t, percent(s)) for t, s in ranked[["tag", "share"]].to_numpy())
    left = len(counts) - len(shown)
    notes = f"n = {n}; larger letters: more customers" + (f"; {left:,} rarer ones left out" if left else "")
    return finish(axes, title, drawn, notes, source)


def places(places, value: str, unit: str = "", source: str | None = None) -> Axes:
    """A figure by place, drawn toward the whole by as much as chance makes it, with what was measured beside it.

    Parameters
    ----------
    places : ``profiles.Places``, as `profiles.by_place` gives it
    value : what the figure is, for title and axis
    unit : its unit, e.g. the currency
    source : where the figures come from, for the last line

    Examples
    --------
    >>> from analysis.profiles import by_place
    >>> table = pd.DataFrame({"city": ["Yazd"] * 30 + ["Qom"] * 30, "n_orders": [4, 5, 6] * 10 + [1, 2, 3] * 10})
    >>> print(places(by_place(table, "n_orders"), "orders").get_title())
    Places differ in orders: Yazd above everybody's 3.5, at 4.99; Qom below everybody's 3.5, at 2.01
    """
    table, share = places.table, places.scale == "share"
    at, low, high = (table[c].to_numpy(float) for c in ("shrunk", "shrunk_low", "shrunk_high"))
    axes, y = canvas(rows=1.05 * len(table)), np.arange(len(table))
    axes.axvline(places.whole, color=QUIET, lw=0.9)
    apart = (low > places.whole) | (high < places.whole)
    for place in y:
        reach = np.maximum([[at[place] - low[place]], [high[place] - at[place]]], 0)
        colour = ACCENT if apart[place] and places.differ else QUIET
        axes.errorbar(at[place], place, xerr=reach, fmt="o", ms=6, color=colour, lw=2, capsize=3)
    axes.plot(table["value"], y, "D", ms=6, mfc="none", mec=GREY, mew=1.1, clip_on=False)
    write = percent if share else short
    texts = [f"{write(v)} ({write(lo)} to {write(hi)}), n = {n:,}" for v, lo, hi, n in zip(
        at, low, high, table["customers"], strict=True)]  # fmt: skip
    kind = {"typical": "typical ", "share": "share with ", "mean": "mean "}[places.scale]
    label = f"{kind}{value}" + (f", {unit}" if unit else "") + " · line: everybody · hollow: as measured"
    figures_by_group(axes, table["group"], texts, label, share)
    title = f"Places differ in {value} no more than chance would have it"
    if places.differ:
        stand = [
            f"{elided(row.group, 25)} {'above' if row.shrunk > places.whole else 'below'} everybody's "
            f"{write(places.whole)}, at {write(row.shrunk)}"
            for row in table[apart].head(3).itertuples()
        ]
        title = f"Places differ in {value}: " + ("; ".join(stand) or "but none by itself stands apart from everybody")
    drawn = "Dots with intervals, by place: " + listing(zip(table["group"], texts, strict=True))
    return finish(axes, title, drawn, f"n = {counted(table['customers'].sum(), 'customer')}; small places are drawn "
                   "toward everybody", source)  # fmt: skip


def calibration(calibration: pd.DataFrame, source: str | None = None) -> Axes:
    """Does a chance of so much per cent come true as often? The chance that was told against what happened.

    Parameters
    ----------
    calibration : DataFrame, columns customers, expected, value, low, high (shares), a row per group of like chance
    source : where the figures come from, for the last line

    Examples
    --------
    >>> table = pd.DataFrame({"customers": [50, 50], "expected": [0.1, 0.5], "value": [0.12, 0.3], "low": [0.06, 0.2],
    ...                       "high": [0.2, 0.42]})
    >>> print(calibration(table).get_title())
    In 1 of 2 groups what happened agrees with the chance that was told
    """
    if calibration.empty:
        return nothing_to_show("there were too few customers to judge")
    require_columns("calibration", calibration.columns, ["customers", "expected", "value", "low", "high"])
    table = calibration
    right = (table["low"] <= table["expected"]) & (table["expected"] <= table["high"])
    axes = canvas(height=4.2)
    top = min(1.0, 1.08 * max(table["high"].max(), table["expected"].max()))
    axes.plot([0, top], [0, top], color=QUIET, lw=0.9)
    reach = np.maximum([table["value"] - table["low"], table["high"] - table["value"]], 0)
    for place, colour in enumerate(np.where(right, QUIET, ACCENT)):
        row = table.iloc[place]
        axes.errorbar(
            row["expected"], row["value"], yerr=reach[:, [place]], fmt="o", ms=6, color=colour, lw=2, capsize=3
        )
    write(axes, "told = happened", (top, top), offset=(-4, -14), ha="right", color=QUIET, size=8)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    share_axis(axes, "chance that was told, mean of the group")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g} %"))
    heading(axes, "share of the group that met the target, with its interval")
    grid(axes, "both")
    title = f"In {right.sum()} of {len(table)} groups what happened agrees with the chance that was told"
    pairs = (f"{percent(r.expected)} told, {percent(r.value)} happened" for r in table.itertuples())
    drawn = "Chance told against share that came true: " + "; ".join(pairs)
    return finish(axes, title, drawn, f"n = {counted(table['customers'].sum(), 'customer')} whom the fit had not seen "
                   "before", source)  # fmt: skip


def importance(importance: pd.DataFrame, against: str, source: str | None = None) -> Axes:
    """What matters to customers against how they rate us on it: where to work first is on the lower right.

    Parameters
    ----------
    importance : DataFrame, as `profiles.rivals` gives it: columns attribute, customers, ours, value, low, high
    against : what importance was derived from
    source : where the figures come from, for the last line

    Examples
    --------
    >>> table = pd.DataFrame({"attribute": ["price", "staff"], "customers": 90, "ours": [3.1, 4.2],
    ...                       "value": [0.1, 0.4], "low": [-0.1, 0.2], "high": [0.3, 0.6]})
    >>> print(importance(table, "nps").get_title())
    What goes with liking us most is staff, rated 4.2
    """
    if importance.empty:
        return nothing_to_show("too few customers rate us on more than one attribute")
    require_columns("importance", importance.columns, ["attribute", "customers", "ours", "value", "low", "high"])
    table = importance.sort_values(["value", "attribute"], ascending=[False, True])
    axes = canvas(height=4.0)
    for row in table.itertuples():
        sure = row.low > 0
        colour = ACCENT if sure else GREY
        reach = [[max(row.value - row.low, 0)], [max(row.high - row.value, 0)]]
        axes.errorbar(row.value, row.ours, xerr=reach, fmt="o", ms=6, color=colour, lw=1.4, capsize=3)
        write(axes, elided(row.attribute, 24), (row.value, row.ours), offset=(6, 6), size=9,
               color=INK if sure else QUIET)  # fmt: skip
    axes.axvline(0, color=QUIET, lw=0.9)
    axes.axhline(table["ours"].mean(), color=PALE, lw=1.2, zorder=0)
    axes.margins(x=0.12, y=0.2)
    axes.set_xlabel(f"how strongly the rating goes with {against} (rank correlation); further right matters more")
    heading(axes, "mean rating of us; the line is the mean over what was rated")
    first, sure = table.iloc[0], table["low"] > 0
    title = f"What goes with liking us most is {elided(first['attribute'], 30)}, rated {first['ours']:.1f}"
    if not sure.any():
        title = "No attribute goes with liking us beyond chance"
    drawn = "Importance against rating: " + "; ".join(
        f"{r.attribute}: importance {r.value:.2f} ({r.low:.2f} to {r.high:.2f}), rated {r.ours:.1f}"
        for r in table.itertuples()
    )
    notes = f"{sizes_in_words(table['customers'])}; importance is derived, nobody was asked what matters; grey: not "
    return finish(axes, title, drawn, notes + "beyond chance", source)


def _day_axes(axes: Axes) -> None:
    """Powers of ten are no days anybody counts in: a day, a week, a month, a year."""
    marks = {1: "1 day", 7: "a week", 30: "a month", 91: "3 months", 365: "a year", 1096: "3 years", 3652: "10 years"}
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        inside = [m for m in marks if low <= m <= high]
        if axis is axes.xaxis and not is_wide():
            inside = inside[::2]
        axis.set_ticks(inside, [marks[m] for m in inside])
        axis.set_minor_locator(NullLocator())


def _dates(values: pd.Series, column: str, notes: str, source: str | None) -> Axes:
    days = mdates.date2num(values.dt.tz_localize(None) if values.dt.tz else values)
    axes = canvas(height=3.4)
    axes.hist(days, bins=min(40, max(1, len(np.unique(days)))), color=GREY, edgecolor="white", lw=0.5)
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator(), show_offset=False))
    middle = mdates.num2date(np.median(days)).date()
    _median_line(axes, np.median(days), f"half before\n{middle:%d %b %Y}")
    heading(axes, "customers")
    title = (
        f"{_capital(in_words(column))}: half of {counted(len(values), 'customer')} before {middle.day} {middle:%B %Y}"
    )
    drawn = f"Histogram from {values.min():%Y-%m-%d} to {values.max():%Y-%m-%d}"
    return finish(axes, title, drawn, notes, source)


def _histogram(values, column: str, unit: str, log: bool | None, notes: str, source: str | None) -> Axes:
    name, unit = in_words(column).removesuffix(" (days)"), f" {unit}" if unit else ""
    above, whole = values[values > 0], np.all(values == np.round(values))
    few = whole and np.median(values) < 5  # one order, two orders: nobody counts those in multiples
    if log is None:
        log = not few and len(above) > 0.5 * len(values) and np.quantile(above, 0.99) > 10 * np.median(above)
    log = bool(log) and len(above) > 0
    shown = above if log else values
    middle, beyond = np.median(shown), 0
    if not log:
        # A few giants would squeeze everybody else into one bar.
        edge = np.quantile(values, 0.98 if few else 0.995) * 1.05
        if values.max() > 1.5 * edge > 0 and middle < edge:
            beyond, shown = int((values > edge).sum()), values[values <= edge]
    axes = canvas(height=3.6)
    axes.hist(shown, bins=_bins(shown, log), color=GREY, edgecolor="white", lw=0.5)
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    elif shown.min() == shown.max():
        axes.margins(x=2)
    year = whole and "year" in column.lower() and 1000 < values.min() <= values.max() < 3000
    said = (lambda v: f"{v:.0f}") if year else short
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: said(v)))
    amount_axis(axes.yaxis)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylim(top=1.2 * axes.get_ylim()[1])  # room for the label above the bars
    single = unit.removesuffix("s") if middle == 1 else unit
    _median_line(axes, middle, f"middle customer\n{said(middle)}{single}")
    grid(axes, "y")
    axes.set_xlabel(
        name
        + (f",{unit}" if unit and unit.strip() not in name else "")
        + (" (each mark ten times the last)" if log else "")
    )
    heading(axes, "customers")
    zero, negative = np.mean(values == 0), np.mean(values < 0)
    if log and (zero or negative):
        parts = [f"{percent(zero)} have none"] if zero else []
        parts += [f"{percent(negative)} are below zero"] if negative else []
        title = f"{_capital(name)}: {' and '.join(parts)}; half of the others are above {said(middle)}{single}"
    else:
        title = f"{_capital(name)}: {_middle_in_words(values, middle)} {said(middle)}{single}"
    if not log and zero and middle:
        notes += f"; {percent(zero)} are at zero"
    if beyond:
        notes += f"; {counted(beyond, 'customer')} beyond the right edge, up to {said(values.max())}{unit}"
    quarters = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    names = ("smallest", "lower quarter", "middle", "upper quarter", "largest")
    drawn = "Histogram" + (" on a logarithmic axis" if log else "") + " of all values: "
    drawn += listing(zip(names, (said(q) + unit for q in quarters), strict=True))
    return finish(axes, title, drawn, notes, source)


def _middle_in_words(values, middle: float) -> str:
    """How customers stand to their median: where many share it, it is not true that half are above."""
    same, who = np.mean(values == middle), counted(len(values), "customer")
    if same == 1:
        return f"all {who} are at" if len(values) > 1 else "the one customer is at"
    if same > 0.3:
        return f"{percent(same)} of {who} are at"
    return f"half of {who} are above" if same < 0.02 else f"the middle one of {who} is at"


def _bins(values, log: bool):
    """Edges of the bars: around whole numbers where there are only those, else 40 even ones (by factor when log)."""
    low, high = values.min(), values.max()
    whole = np.all(values == np.round(values))
    if low == high:
        return [low * 0.8, low * 1.25] if log else [low - 0.5, low + 0.5]
    if not log:
        # Bars over an uneven number of whole numbers would show teeth that are not in the data.
        step = np.ceil((high - low + 1) / 42)
        return np.arange(low - 0.5, high + step, step) if whole else np.linspace(low, high, 41)
    edges = np.geomspace(low, high, 41)
    return np.unique([low - 0.5, *(np.floor(edges[1:-1]) + 0.5), high + 0.5]) if whole else edges


def _median_line(axes: Axes, x: float, text: str) -> None:
    axes.axvline(x, color=ACCENT, lw=1.5)
    write(
        axes,
        text,
        (x, 1),
        xycoords=("data", "axes fraction"),
        offset=(5, -2),
        va="top",
        color=ACCENT,
        size=9,
        weight="bold",
        bbox=CLEAR,
    )


def _ranking(values: pd.Series, column: str, notes: str, source: str | None) -> Axes:
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shown = counts.head(12 if len(counts) > 13 else 13)
    n, rest = len(values), counts.iloc[len(shown) :]
    axes = canvas(rows=len(shown) + bool(len(rest)))
    y = np.arange(len(shown))
    axes.barh(y, shown / n, color=[ACCENT] + [GREY] * (len(shown) - 1), height=0.62)
    texts = [f"{percent(c / n)} ({c:,})" for c in shown]
    label_bars(axes, y, shown / n, texts)
    labels = [name_of(v) for v in shown.index]
    if len(rest):
        labels.append("")
        others = f"… and {len(rest):,} others, {percent(rest.sum() / n)} together"
        label_bars(axes, [len(shown)], [0], [others], colour=QUIET)
    ranked_axis(axes, labels)
    share_axis(axes, "share of customers")
    title, who = f"{_capital(in_words(column))}: {elided(shown.index[0], 40)}", counted(n, "customer")
    title += f" for all {who}" if len(shown) == 1 else f" comes first, {percent(shown.iloc[0] / n)} of {who}"
    drawn = "Ranked bars: " + listing(zip(map(str, shown.index), texts, strict=True))
    return finish(axes, title, drawn + (f"; {len(rest):,} others" if len(rest) else ""), notes, source)


def _flow(axes: Axes, words) -> None:
    """Set words side by side in centred lines as wide as the figure, and make the figure as high as they need."""
    figure = axes.figure
    boxes = [word.get_window_extent() for word in words]
    room, between = figure.bbox.width * 0.96, 14.0
    lines, width = [[]], 0.0
    for word, box in zip(words, boxes, strict=True):
        if lines[-1] and width + box.width > room:
            lines.append([])
            width = 0.0
        lines[-1].append((word, box))
        width += box.width + between
    heights = [max(box.height for _, box in line) * 1.25 for line in lines]
    figure.set_figheight((sum(heights) / figure.dpi) + 0.9)
    axes.set_xlim(0, figure.bbox.width)
    axes.set_ylim(sum(heights), 0)
    below = np.cumsum(heights)
    for line, floor in zip(lines, below, strict=True):
        at = (figure.bbox.width - sum(box.width + between for _, box in line) + between) / 2
        for word, box in line:
            word.set_position((at, floor - 0.22 * heights[0]))
            at += box.width + between


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
