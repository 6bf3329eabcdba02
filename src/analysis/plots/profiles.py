"""Figures of customers one by one and on the whole."""

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from analysis.errors import require_columns
from analysis.evidence import in_words, percent, short
from analysis.locale import day, named, of
from analysis.locale.months import first_day, month_name, month_of, year_of
from analysis.phrases import counted, figure, from_the_right, marked, phrase, spoken, translated
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
    time_axis,
    write,
)

#: Powers of ten are no days anybody counts in.
_DAYS = {
    1: marked("1 day"),
    7: marked("a week"),
    30: marked("a month"),
    91: marked("3 months"),
    365: marked("a year"),
    1096: marked("3 years"),
    3652: marked("10 years"),
}


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
        return nothing_to_show(phrase("there are no customers"))
    require_columns("profiles", profiles.columns, [column])
    values = profiles[column].dropna()
    if values.empty:
        everybody = counted(len(profiles), "customer")
        return nothing_to_show(
            phrase("{trait} is empty for all {customers}", trait=in_words(column), customers=everybody)
        )
    notes = [phrase("n = {customers}", customers=counted(len(values), "customer"))]
    if len(values) < len(profiles):
        unknown = percent(1 - len(values) / len(profiles))
        notes.append(phrase("{share} of all have no {trait} on record", share=unknown, trait=in_words(column)))
    if pd.api.types.is_datetime64_any_dtype(values):
        return _dates(values, column, notes, source)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _histogram(values.to_numpy(float), column, unit, log, notes, source)
    if pd.api.types.is_bool_dtype(values):
        values = values.map({True: "yes", False: "no"})  # as codes, said where shown
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
        return nothing_to_show(phrase("there are no customers"))
    require_columns("profiles", profiles.columns, ["median_gap_days", "recency_days", "overdue_ratio"])
    known = profiles.dropna(subset=["median_gap_days", "recency_days", "overdue_ratio"])
    if known.empty:
        return nothing_to_show(phrase("nobody has ordered often enough to have a rhythm"))
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
    for factor, name in ((1, phrase("due today")), (2, phrase("twice the usual gap"))):
        axes.plot([left, right], [left * factor, right * factor], color=QUIET, lw=0.9, ls=(0, (4, 2)))
        at = min(right, high / factor)
        write(axes, name, (at, at * factor), offset=(4, 0), va="center", color=QUIET, size=8)
    _day_axes(axes)
    axes.set_xlabel(phrase("usual gap between two orders, days"))
    heading(axes, phrase("days since the last order"))
    drawn = phrase(
        "Scatter on logarithmic axes; usual gap: middle customer {gap} days; since the last order: middle customer "
        "{silent} days",
        gap=short(np.median(gap)),
        silent=short(np.median(silent)),
    )
    return finish(axes, _overdue_in_words(int(late.sum()), n), drawn, _rhythms_in_words(n, len(profiles) - n), source)


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
        return nothing_to_show(phrase("no customer has {trait}", trait=in_words(field)))
    require_columns("tag_cloud", counts.columns, ["tag", "customers", "of", "share"])
    ranked = counts.sort_values(["customers", "tag"], ascending=[False, True])
    first, shown = ranked.iloc[0], ranked.head(60).assign(said=ranked["tag"].map(lambda tag: named(tag, field)))
    shown = shown.sort_values("said", key=lambda words: words.str.casefold())
    axes = canvas(height=0.8)
    axes.set_axis_off()
    # the eye compares areas: the height of the letters goes with the root of the share
    sizes = 8 + 20 * np.sqrt(shown["customers"] / first["customers"])
    words = [
        axes.text(0, 0, elided(said, 30), size=size, color=ACCENT if tag == first["tag"] else INK, alpha=0.95)
        for tag, said, size in zip(shown["tag"], shown["said"], sizes, strict=True)
    ]
    _flow(axes, words)
    everybody = counted(first["of"], "customer")
    title = phrase(
        "Commonest of {n:,} {trait}: “{tag}”, for {share} of {customers}",
        **{"n": len(counts), "trait": in_words(field), "tag": elided(named(first["tag"], field), 40)},
        **{"share": percent(first["share"]), "customers": everybody},
    )
    shares = listing((named(t, field), percent(s)) for t, s in ranked[["tag", "share"]].to_numpy())
    drawn = phrase("Words sized by use: {words}", words=shares)
    notes = [phrase("n = {customers}", customers=everybody), phrase("larger letters: more customers")]
    if len(counts) > len(shown):
        notes.append(phrase("{n:,} rarer ones left out", n=len(counts) - len(shown)))
    return finish(axes, title, drawn, phrase("; ").join(notes), source)


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
    apart = ((low > places.whole) | (high < places.whole)) & places.differ
    for place in y:
        reach = np.maximum([[at[place] - low[place]], [high[place] - at[place]]], 0)
        colour = ACCENT if apart[place] else QUIET
        axes.errorbar(at[place], place, xerr=reach, fmt="o", ms=6, color=colour, lw=2, capsize=3)
    axes.plot(table["value"], y, "D", ms=6, mfc="none", mec=GREY, mew=1.1, clip_on=False)
    texts = [_place_in_words(row, share) for row in table.itertuples()]
    label = phrase("{trait} · line: everybody · hollow: as measured", trait=_scale_in_words(places.scale, value, unit))
    figures_by_group(axes, table["group"], texts, label, share)
    shown = listing(zip(map(named, table["group"]), texts, strict=True))
    drawn = phrase("Dots with intervals, by place: {places}", places=shown)
    everybody = counted(table["customers"].sum(), "customer")
    notes = phrase("n = {customers}; small places are drawn toward everybody", customers=everybody)
    return finish(axes, _places_in_words(places, table[apart].head(3), value), drawn, notes, source)


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
        return nothing_to_show(phrase("there were too few customers to judge"))
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
    write(axes, phrase("told = happened"), (top / 2, top / 2), offset=(8, -12), color=QUIET, size=8)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    share_axis(axes, phrase("chance that was told, mean of the group"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: figure(f"{100 * v:.3g} %")))
    heading(axes, phrase("share of the group that met the target, with its interval"))
    grid(axes, "both")
    title = phrase(
        "In {k} of {n} groups what happened agrees with the chance that was told", k=int(right.sum()), n=len(table)
    )
    pairs = [
        phrase("{told} told, {happened} happened", told=percent(row.expected), happened=percent(row.value))
        for row in table.itertuples()
    ]
    drawn = phrase("Chance told against share that came true: {pairs}", pairs=phrase("; ").join(pairs))
    everybody = counted(table["customers"].sum(), "customer")
    notes = phrase("n = {customers} whom the fit had not seen before", customers=everybody)
    return finish(axes, title, drawn, notes, source)


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
        return nothing_to_show(phrase("too few customers rate us on more than one attribute"))
    require_columns("importance", importance.columns, ["attribute", "customers", "ours", "value", "low", "high"])
    table = importance.sort_values(["value", "attribute"], ascending=[False, True])
    axes = canvas(height=4.0)
    for row in table.itertuples():
        sure = row.low > 0
        colour = ACCENT if sure else GREY
        reach = [[max(row.value - row.low, 0)], [max(row.high - row.value, 0)]]
        axes.errorbar(row.value, row.ours, xerr=reach, fmt="o", ms=6, color=colour, lw=1.4, capsize=3)
        write(axes, elided(named(row.attribute), 24), (row.value, row.ours), offset=(6, 6), size=9,
               color=INK if sure else QUIET)  # fmt: skip
    axes.axvline(0, color=QUIET, lw=0.9)
    axes.axhline(table["ours"].mean(), color=PALE, lw=1.2, zorder=0)
    axes.margins(x=0.12, y=0.2)
    strength = phrase(
        "how strongly the rating goes with {liking} (rank correlation); further right matters more",
        liking=named(against),
    )
    axes.set_xlabel(strength)
    heading(axes, phrase("mean rating of us; the line is the mean over what was rated"))
    drawn = phrase("Importance against rating: {attributes}", attributes=phrase("; ").join(_rated_in_words(table)))
    notes = phrase(
        "{sizes}; importance is derived, nobody was asked what matters; grey: not beyond chance",
        sizes=sizes_in_words(table["customers"]),
    )
    return finish(axes, _importance_in_words(table), drawn, notes, source)


def _overdue_in_words(k: int, n: int) -> str:
    given = {"k": k, "customers": counted(n, "customer"), "share": percent(k / n)}
    if k == 1:
        return phrase("{k:,} of {customers} ({share}) has been silent for more than twice their usual gap", **given)
    return phrase("{k:,} of {customers} ({share}) have been silent for more than twice their usual gap", **given)


def _rhythms_in_words(n: int, without: int) -> str:
    known = phrase("n = {customers} with a usual gap, each a dot; overdue in amber", customers=counted(n, "customer"))
    if not without:
        return known
    rarely = phrase("{others} ordered too rarely to have one", others=counted(without, "other"))
    return phrase("; ").join([known, rarely])


def _scale_in_words(scale: str, value: str, unit: str) -> str:
    """What a figure of places is: of which number, on which scale."""
    if scale == "typical":
        said = phrase("typical {trait}", trait=value)
    elif scale == "share":
        said = phrase("share with {trait}", trait=value)
    else:
        said = phrase("mean {trait}", trait=value)
    return phrase("{trait}, {unit}", trait=said, unit=_unit(unit)) if unit else said


def _place_in_words(row, share: bool) -> str:
    """The figure of a place with its interval and how many customers it rests on."""
    said = percent if share else short
    value, low, high = (said(x) for x in (row.shrunk, row.shrunk_low, row.shrunk_high))
    return phrase("{value} ({low} to {high}), n = {n:,}", value=value, low=low, high=high, n=row.customers)


def _places_in_words(places, apart: pd.DataFrame, value: str) -> str:
    """The finding over places: which stand apart from everybody, if any."""
    if not places.differ:
        return phrase("Places differ in {trait} no more than chance would have it", trait=value)
    if apart.empty:
        return phrase("Places differ in {trait}: but none by itself stands apart from everybody", trait=value)
    said = percent if places.scale == "share" else short
    stand = []
    for row in apart.itertuples():
        given = {"place": elided(named(row.group), 25), "whole": said(places.whole), "figure": said(row.shrunk)}
        above = row.shrunk > places.whole
        stand.append(
            phrase("{place} above everybody's {whole}, at {figure}", **given)
            if above
            else phrase("{place} below everybody's {whole}, at {figure}", **given)
        )
    return phrase("Places differ in {trait}: {places}", trait=value, places=phrase("; ").join(stand))


def _importance_in_words(table: pd.DataFrame) -> str:
    if not (table["low"] > 0).any():
        return phrase("No attribute goes with liking us beyond chance")
    first = table.iloc[0]
    attribute = elided(named(first["attribute"]), 30)
    return phrase(
        "What goes with liking us most is {attribute}, rated {rating:.1f}", attribute=attribute, rating=first["ours"]
    )


def _rated_in_words(table: pd.DataFrame) -> list[str]:
    """Each attribute with how much it matters and how we are rated on it."""
    return [
        phrase(
            "{attribute}: importance {value:.2f} ({low:.2f} to {high:.2f}), rated {rating:.1f}",
            **{"attribute": named(row.attribute), "rating": row.ours},
            **{"value": row.value, "low": row.low, "high": row.high},
        )
        for row in table.itertuples()
    ]


def _day_axes(axes: Axes) -> None:
    """A day, a week, a month, a year along both axes."""
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        inside = [m for m in _DAYS if low <= m <= high]
        if axis is axes.xaxis and not is_wide():
            inside = inside[::2]
        axis.set_ticks(inside, [phrase(_DAYS[m]) for m in inside])
        axis.set_minor_locator(NullLocator())


def _dates(values: pd.Series, column: str, notes: list[str], source: str | None) -> Axes:
    days = mdates.date2num(values.dt.tz_localize(None) if values.dt.tz else values)
    axes = canvas(height=3.4)
    axes.hist(days, bins=min(40, max(1, len(np.unique(days)))), color=GREY, edgecolor="white", lw=0.5)
    _date_axis(axes)
    middle = mdates.num2date(np.median(days)).date()
    said = of(spoken()).date(middle)
    _median_line(axes, np.median(days), phrase("half before\n{day}", day=said))
    heading(axes, phrase("customers"))
    who = counted(len(values), "customer")
    title = phrase(
        "{trait}: half of {customers} before {day}", trait=_capital(in_words(column)), customers=who, day=said
    )
    drawn = phrase("Histogram from {first} to {last}", first=day(values.min()), last=day(values.max()))
    return finish(axes, title, drawn, phrase("; ").join(notes), source)


def _date_axis(axes: Axes) -> None:
    """Days along the axis in the calendar of the readers, and in the direction in which they read."""
    if from_the_right():
        axes.set_xticks(*_jalali_ticks(*axes.get_xlim()))
    else:
        axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator(), show_offset=False))
    time_axis(axes)


def _jalali_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Where months or years of the Jalali calendar begin between two days, eight at most, and what they are called."""
    first, last = (month_of(mdates.num2date(end).date()) for end in (low, high))
    step = next(months for months in (1, 2, 3, 6, 12, 24, 60, 120, 240, 1200) if (last - first) / months <= 8)
    begins = range(-(-(first + 1) // step) * step, last + 1, step)
    names = [year_of(month) if step >= 12 else f"{month_name(month)}\n{year_of(month)}" for month in begins]
    return [float(mdates.date2num(first_day(month))) for month in begins], names


def _histogram(values, column: str, unit: str, log: bool | None, notes: list[str], source: str | None) -> Axes:
    name, unit = in_words(column).removesuffix(" (days)"), _unit(unit)
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
    said = (lambda v: figure(f"{v:.0f}")) if year else short
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: said(v)))
    amount_axis(axes.yaxis)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylim(top=1.2 * axes.get_ylim()[1])  # room for the label above the bars
    amount = f"{said(middle)} {unit.removesuffix('s') if middle == 1 else unit}".rstrip()
    _median_line(axes, middle, phrase("middle customer\n{amount}", amount=amount))
    grid(axes, "y")
    axes.set_xlabel(_measured_in_words(name, unit, log))
    heading(axes, phrase("customers"))
    if not log and (values == 0).any() and middle:
        notes = [*notes, phrase("{share} are at zero", share=percent(np.mean(values == 0)))]
    if beyond:
        most = f"{said(values.max())} {unit}".rstrip()
        notes = [
            *notes,
            phrase(
                "{customers} beyond the right edge, up to {amount}", customers=counted(beyond, "customer"), amount=most
            ),
        ]
    title = _spread_in_words(_capital(name), values, middle, amount, log)
    drawn = _quarters_in_words(
        [f"{said(q)} {unit}".rstrip() for q in np.quantile(values, [0, 0.25, 0.5, 0.75, 1])], log
    )
    return finish(axes, title, drawn, phrase("; ").join(notes), source)


def _unit(unit: str) -> str:
    """A unit or a currency as the readers call it."""
    return named(translated(unit), "currency") if unit else ""


def _measured_in_words(name: str, unit: str, log: bool) -> str:
    """What the axis of a histogram measures."""
    label = phrase("{trait}, {unit}", trait=name, unit=unit) if unit and unit not in name else name
    return phrase("{label} (each mark ten times the last)", label=label) if log else label


def _spread_in_words(name: str, values, middle: float, amount: str, log: bool) -> str:
    """How customers stand to their median, or to that of those who have any where nothing and less is not drawn."""
    given = {"trait": name, "amount": amount, "none": percent(np.mean(values == 0))}
    given |= {"negative": percent(np.mean(values < 0))}
    none, negative = log and (values == 0).any(), log and (values < 0).any()
    if none and negative:
        return phrase(
            "{trait}: {none} have none and {negative} are below zero; half of the others are above {amount}", **given
        )
    if none:
        return phrase("{trait}: {none} have none; half of the others are above {amount}", **given)
    if negative:
        return phrase("{trait}: {negative} are below zero; half of the others are above {amount}", **given)
    return _middle_in_words(name, values, middle, amount)


def _middle_in_words(name: str, values, middle: float, amount: str) -> str:
    """How customers stand to their median: where many share it, it is not true that half are above."""
    same = np.mean(values == middle)
    given = {"trait": name, "amount": amount, "customers": counted(len(values), "customer"), "share": percent(same)}
    if len(values) == 1:
        return phrase("{trait}: the one customer is at {amount}", **given)
    if same == 1:
        return phrase("{trait}: all {customers} are at {amount}", **given)
    if same > 0.3:
        return phrase("{trait}: {share} of {customers} are at {amount}", **given)
    if same < 0.02:
        return phrase("{trait}: half of {customers} are above {amount}", **given)
    return phrase("{trait}: the middle one of {customers} is at {amount}", **given)


def _quarters_in_words(amounts: list[str], log: bool) -> str:
    """What a histogram draws, by its quarters."""
    names = [phrase("smallest"), phrase("lower quarter"), phrase("middle"), phrase("upper quarter"), phrase("largest")]
    values = listing(zip(names, amounts, strict=True))
    if log:
        return phrase("Histogram on a logarithmic axis of all values: {values}", values=values)
    return phrase("Histogram of all values: {values}", values=values)


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
    mirrored = axes.xaxis_inverted()
    write(
        axes,
        text,
        (x, 1),
        xycoords=("data", "axes fraction"),
        offset=(-5 if mirrored else 5, -2),
        ha="right" if mirrored else "left",
        va="top",
        color=ACCENT,
        size=9,
        weight="bold",
        bbox=CLEAR,
    )


def _ranking(values: pd.Series, column: str, notes: list[str], source: str | None) -> Axes:
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shown = counts.head(12 if len(counts) > 13 else 13)
    n, rest = len(values), counts.iloc[len(shown) :]
    axes = canvas(rows=len(shown) + bool(len(rest)))
    y, names = np.arange(len(shown)), [named(value, column) for value in shown.index]
    axes.barh(y, shown / n, color=[ACCENT] + [GREY] * (len(shown) - 1), height=0.62)
    texts = [phrase("{share} ({n:,})", share=percent(count / n), n=count) for count in shown]
    label_bars(axes, y, shown / n, texts)
    labels, drawn = [name_of(name) for name in names], listing(zip(names, texts, strict=True))
    if len(rest):
        labels.append("")
        together = percent(rest.sum() / n)
        others = phrase("… and {n:,} others, {share} together", n=len(rest), share=together)
        label_bars(axes, [len(shown)], [0], [others], colour=QUIET)
        drawn = phrase("; ").join([drawn, phrase("{n:,} others", n=len(rest))])
    ranked_axis(axes, labels)
    share_axis(axes, phrase("share of customers"))
    title = _first_in_words(_capital(in_words(column)), elided(names[0], 40), counts, n)
    return finish(axes, title, phrase("Ranked bars: {bars}", bars=drawn), phrase("; ").join(notes), source)


def _first_in_words(name: str, first: str, counts: pd.Series, n: int) -> str:
    given = {"trait": name, "first": first, "customers": counted(n, "customer")}
    if len(counts) == 1:
        return phrase("{trait}: {first} for all {customers}", **given)
    share = percent(counts.iloc[0] / n)
    return phrase("{trait}: {first} comes first, {share} of {customers}", share=share, **given)


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
        for word, box in reversed(line) if from_the_right() else line:
            word.set_position((at, floor - 0.22 * heights[0]))
            at += box.width + between


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
