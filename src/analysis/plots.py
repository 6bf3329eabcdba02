"""The figures: each function takes a table and returns Axes whose title says what was found.

One visual language for notebooks, report and slides: grey for everybody, one colour for the group in question, labels
on the marks, intervals drawn, and a small last line with source and n. `theme` sets it once, and makes Jupyter store
every figure as a small, repeatable SVG with an alternative text (`alt_text`) for readers who cannot see it.
"""

import calendar
import datetime
import io
import re
import sys
import textwrap
from collections.abc import Sequence

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from pandas.io.formats.style import Styler

from analysis.errors import Problem, require_columns
from analysis.evidence import clearly_largest, duration, in_words, percent, percent_range, short

#: Everybody, and what is merely there. QUIET is the grey for text: 5.3 : 1 on white (WCAG 2.2 AA asks for 4.5).
GREY, PALE, QUIET, INK = "#b3b3b3", "#e3e3e3", "#6b6b6b", "#262626"

#: The group in question: Jupiter's amber, 5.7 : 1 on white, so it may colour text. Not teal, which red-green-blind
#: readers take for grey.
ACCENT = "#a84b00"

#: Segment 1, 2, …: 3 : 1 or more on white, and apart from one another under simulated protanopia, deuteranopia and
#: tritanopia (Machado, Oliveira & Fernandes 2009), which seaborn's "colorblind" is not from the fifth colour on.
SEGMENT = ("#0b55b5", "#cf8100", "#12866c", "#d94fb4", "#2c97e6", "#7d1030", "#6f5a1e", "#4a2a78")

#: More points than this are drawn as pixels inside the SVG, which would otherwise weigh megabytes.
MANY_POINTS = 1500

_HEAT = LinearSegmentedColormap.from_list("moshtari", ["#ffffff", "#f6d9b8", "#d98b3f", ACCENT, "#6b2f00"])

#: Under a text that may lie on a mark.
_CLEAR = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 1}

_STYLE = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 12,
    "figure.dpi": 100,
    "figure.figsize": (8, 4),
    # Comes with matplotlib and has Persian: the same figure on every machine.
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "savefig.dpi": 150,
    # Letters as paths look the same where the reader lacks the font; with a fixed salt the ids do not change.
    "svg.fonttype": "path",
    "svg.hashsalt": "moshtari",
    "text.color": INK,
    # Names from data may hold dollar signs; they are no formulas.
    "text.parse_math": False,
    "xtick.color": GREY,
    "xtick.labelcolor": QUIET,
    "xtick.labelsize": 9,
    "xtick.major.size": 3,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
    "ytick.major.size": 3,
}

_TABLES = {
    "display.float_format": lambda number: _few_digits(number),
    "display.max_rows": 24,
    "display.max_columns": 30,
    "display.max_colwidth": 60,
    "styler.format.thousands": ",",
    "styler.format.precision": 2,
}


# The look, and what Jupyter stores


def theme() -> None:
    """Set our look for figures and tables, and how Jupyter stores figures. Once, at the top of a notebook.

    Notes
    -----
    In a Jupyter kernel every matplotlib figure, ours or not, is from then on stored as SVG alone, with `alt_text` in
    the output's ``metadata["image/svg+xml"]["alt"]`` and as its plain text. The inline backend registers its own PNG
    formatter when pyplot first picks it, perhaps after this call: it is told to use no format at all, and ours stands
    where it does not clear away, among the MIME bundles.

    Examples
    --------
    >>> theme()  # doctest: +SKIP
    """
    sns.set_theme(context="notebook", style="ticks", palette=list(SEGMENT), rc=_STYLE)
    for option, value in _TABLES.items():
        pd.set_option(option, value)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if hasattr(shell, "kernel"):
        from matplotlib_inline.config import InlineBackend  # only a kernel has it, and only a kernel needs it

        InlineBackend.instance(parent=shell).figure_formats = set()
        shell.display_formatter.mimebundle_formatter.for_type(Figure, _svg_bundle)


def table(frame: pd.DataFrame, shares: tuple[str, ...] = ()) -> Styler:
    """A table to read: no row numbers, thousands marked, the digits that count, nothing where nothing is known.

    True and false are yes and no, the items of a list stand one after the other, a column's name has no underscores.

    Parameters
    ----------
    frame : DataFrame
    shares : tuple of str
        Columns to show as percentages.

    Examples
    --------
    >>> "1,234" in table(pd.DataFrame({"n": [1234], "rate": [0.5]}), shares=("rate",)).to_html()
    True
    """
    formats = dict.fromkeys(frame.select_dtypes("number").columns, _few_digits)
    formats |= dict.fromkeys(frame.select_dtypes("datetime").columns, "{:%Y-%m-%d}")
    formats |= {column: percent for column in shares if column in frame}
    lists = [c for c in frame.select_dtypes(object) if frame[c].map(lambda cell: isinstance(cell, list)).any()]
    said = {c: frame[c].map("; ".join, na_action="ignore") for c in lists}
    said |= {c: frame[c].map({True: "yes", False: "no"}) for c in frame.select_dtypes("bool")}
    styled = frame.assign(**said).style.hide(axis="index").format(formats, na_rep="", escape="html")
    return styled.format_index(lambda name: str(name).replace("_", " "), axis="columns")


def alt_text(figure: Figure) -> str:
    """What a figure says, for a reader who cannot see it.

    For our figures: the finding, what is drawn with its main values, and the last line. For any other figure: its
    titles and the labels of its axes.

    Examples
    --------
    >>> alt_text(lorenz(pd.DataFrame({"customers": [0, 0.2, 1], "revenue": [0, 0.8, 1]}), 0.8, 0.7, 0.9).figure)
    'A fifth of customers bring 80 % of revenue (interval 70 to 90 %). Curve of the ...'
    """
    titles = [figure.get_suptitle()]
    titles += [axes.get_title(loc) for axes in figure.axes for loc in ("left", "center", "right")]
    drawn = figure.get_label() or "; ".join(filter(None, map(_axes_in_words, figure.axes)))
    sentences = [*titles, drawn, figure.get_supxlabel()]
    return " ".join(_sentence(s) for s in sentences if s) or "Figure without a title."


def segment_colour(number: int) -> str:
    """The colour of a segment, the same in every figure; from the ninth on they come round again.

    Examples
    --------
    >>> segment_colour(1) == SEGMENT[0] == segment_colour(9)
    True
    """
    return SEGMENT[(int(number) - 1) % len(SEGMENT)]


# Data


def row_accounts(accounts: pd.DataFrame, source: str | None = None) -> Axes:
    """How many rows of every table were kept, and why the others were set aside.

    Parameters
    ----------
    accounts : DataFrame, columns table, reason (empty for the rows kept), rows
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(row_accounts(pd.DataFrame({"table": ["orders", "orders"], "reason": ["", "no date"],
    ...                                  "rows": [990, 10]})).get_title())
    1 % of 1,000 rows were set aside, most for “no date” (10 rows of orders)
    """
    if accounts.empty or not accounts["rows"].sum():
        return _nothing("no rows were read")
    require_columns("row_accounts", accounts.columns, ["table", "reason", "rows"])
    accounts = accounts.assign(reason=accounts["reason"].fillna("").astype(str))
    aside = accounts[accounts["reason"] != ""].sort_values(["rows", "reason"], ascending=[False, True])
    aside = aside[aside["rows"] > 0]
    rows = accounts.groupby("table", sort=False)["rows"].sum()
    lost = aside.groupby("table")["rows"].sum().reindex(rows.index, fill_value=0)
    total = int(rows.sum())
    title = f"All {total:,} rows were kept" if total > 1 else "The one row was kept"
    if len(aside):
        most = aside.iloc[0]
        title = (
            f"{percent(lost.sum() / total)} of {total:,} rows were set aside, most for "
            f"“{_elided(most['reason'], 60)}” ({_count(most['rows'], 'row')} of {most['table']})"
        )
    texts = []
    for table, n in rows.items():
        reasons = [f"{r.rows:,} {_elided(r.reason, 40)}" for r in aside[aside["table"] == table].itertuples()]
        texts.append(f"{n - lost[table]:,} of {n:,} kept" + ("; set aside: " + ", ".join(reasons) if reasons else ""))
    axes = _canvas(rows=1.35 * len(rows))
    y = np.arange(len(rows))
    share = (lost / rows.where(rows > 0)).fillna(0).to_numpy()
    # A sliver too thin to see would read as nothing set aside.
    seen = np.where(share > 0, np.maximum(share, 0.008), 0)
    axes.barh(y, 1 - seen, color=GREY, height=0.5)
    axes.barh(y, seen, left=1 - seen, color=ACCENT, height=0.5)
    _label_bars(axes, y, np.ones(len(y)), [_wrapped(t, 0.5) for t in texts], size=8)
    _ranked_axis(axes, [_name(t) for t in rows.index])
    _share_axis(axes, "share of rows kept; set aside in amber")
    axes.set_xlim(0, 1)
    drawn = "Bars by table. " + "; ".join(f"{t}: {text}" for t, text in zip(rows.index, texts, strict=True))
    return _finish(axes, title, drawn, f"n = {_count(total, 'row')} read", source)


def completeness(quality: pd.DataFrame, source: str | None = None) -> Axes:
    """How full the columns are, the emptiest first; the complete ones are only counted.

    Parameters
    ----------
    quality : DataFrame, columns table, column, filled (share of cells with a value, 0 to 1)
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(completeness(pd.DataFrame({"table": ["customers"] * 2, "column": ["city", "income"],
    ...                                  "filled": [1.0, 0.25]})).get_title())
    1 of 2 columns is less than half filled; the emptiest is income of customers, 25 % filled
    """
    if quality.empty:
        return _nothing("no columns were checked")
    require_columns("quality", quality.columns, ["table", "column", "filled"])
    quality = quality.dropna(subset="filled").sort_values(["filled", "table", "column"])
    n, gaps = len(quality), quality[quality["filled"] < 1]
    if gaps.empty:
        return _nothing(f"all {_count(n, 'column')} are completely filled" if n else "the tables have no rows")
    thin, worst, shown = int((gaps["filled"] < 0.5).sum()), gaps.iloc[0], gaps.head(20)
    opening = f"{thin} of {_count(n, 'column')} {'is' if thin == 1 else 'are'}" if thin else "No column is"
    title = (
        f"{opening} less than half filled; the emptiest is {_elided(worst['column'], 30)} of {worst['table']}, "
        f"{percent(worst['filled'])} filled"
    )
    more = [f"{len(gaps) - 20} fuller columns"] if len(gaps) > 20 else []
    more += [_count(n - len(gaps), "complete column")] if n > len(gaps) else []
    axes = _canvas(rows=0.8 * (len(shown) + bool(more)))
    y, filled = np.arange(len(shown)), shown["filled"].to_numpy()
    axes.barh(y, 1, color=PALE, height=0.6)
    axes.barh(y, filled, color=[ACCENT if f < 0.5 else GREY for f in filled], height=0.6)
    labels = [_elided(f"{c} · {t}", _room(0.3)) for t, c in zip(shown["table"], shown["column"], strict=True)]
    _ranked_axis(axes, labels + [""] * bool(more))
    _label_bars(axes, y, np.ones(len(y)), [percent(f) for f in filled])
    if more:
        _label_bars(axes, [len(shown)], [0], ["… and " + " and ".join(more)], colour=QUIET)
    _share_axis(axes, "share of cells with a value")
    axes.set_xlim(0, 1)
    values = _listing((f"{t}.{c}", percent(f)) for t, c, f in shown[["table", "column", "filled"]].to_numpy())
    drawn = f"Bars by column, emptiest first: {values}" + ("; and " + " and ".join(more) if more else "")
    return _finish(
        axes, title, drawn, f"n = {_count(n, 'column')} of {_count(quality['table'].nunique(), 'table')}", source
    )


def orders_over_time(
    monthly: pd.DataFrame, currency: str = "", as_of: datetime.date | None = None, source: str | None = None
) -> Axes:
    """Orders month by month, and what they brought: the last year against the year before.

    Parameters
    ----------
    monthly : DataFrame, columns month (any day in it), orders, amount (in the base's currency; may be left out)
    currency : name of the currency, for the axis
    as_of : last day that the data cover; when it is not a month's last day, that month is drawn paler and not compared
    source : where the figures come from, for the last line

    Returns
    -------
    Axes
        Of the orders; those of the amounts are below it in the same figure.

    Examples
    --------
    >>> months = pd.date_range("2022-01-01", periods=24, freq="MS")
    >>> table = pd.DataFrame({"month": months, "orders": [100] * 12 + [110] * 12})
    >>> print(orders_over_time(table).get_title())
    10 % more orders in the last 12 full months than in the 12 before: 1,320 against 1,200
    """
    if monthly.empty:
        return _nothing("there are no orders")
    require_columns("monthly", monthly.columns, ["month", "orders"])
    month = pd.to_datetime(monthly["month"].astype(str)).dt.to_period("M")
    measures = ["orders", *(["amount"] if "amount" in monthly.columns and monthly["amount"].any() else [])]
    table = monthly[measures].groupby(month).sum()
    table = table.reindex(pd.period_range(table.index.min(), table.index.max(), freq="M"), fill_value=0)
    last = table.index[-1]
    days, of_days = (as_of.day, last.days_in_month) if as_of and pd.Period(as_of, "M") == last else (0, 0)
    part = days < of_days
    full = table[:-1] if part else table
    compared = len(full) >= 24
    colours = np.full(len(table), GREY, dtype=object)
    if compared:
        colours[len(full) - 12 : len(full)] = ACCENT
    if part:
        colours[-1] = PALE
    axes, *below = np.atleast_1d(_canvas(height=4.6 if len(measures) == 2 else 3.2, panels=len(measures)))
    for panel, measure in zip([axes, *below], measures, strict=True):
        _monthly_bars(panel, table[measure], colours, full[measure] if compared else None)
        unit = ("amount a month" + (f", {currency}" if currency else "")) if measure == "amount" else "orders a month"
        _heading(panel, unit)
    notes = f"n = {_count(table['orders'].sum(), 'order')}"
    if part:
        notes += f"; {_month(last)} (palest) has only {days} of {of_days} days"
    drawn = f"Bars by month from {_month(table.index[0])} to {_month(last)}, orders"
    drawn += " above and amounts below" if below else ""
    return _finish(axes, _trend_in_words(full["orders"], table["orders"]), drawn, notes, source)


# Profiles


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
        return _nothing("there are no customers")
    require_columns("profiles", profiles.columns, [column])
    values = profiles[column].dropna()
    if values.empty:
        return _nothing(f"{column} is empty for all {_count(len(profiles), 'customer')}")
    notes = f"n = {_count(len(values), 'customer')}"
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
        return _nothing("there are no customers")
    require_columns("profiles", profiles.columns, ["median_gap_days", "recency_days", "overdue_ratio"])
    known = profiles.dropna(subset=["median_gap_days", "recency_days", "overdue_ratio"])
    if known.empty:
        return _nothing("nobody has ordered often enough to have a rhythm")
    n, late = len(known), known["overdue_ratio"].to_numpy(float) > 2
    gap = known["median_gap_days"].clip(lower=0.5).to_numpy(float)
    silent = known["recency_days"].clip(lower=0.5).to_numpy(float)
    axes = _canvas(height=4.6)
    size, alpha = (34, 0.9) if n <= 60 else (12, 0.55) if n <= MANY_POINTS else (5, 0.3)
    for rows, colour in ((~late, GREY), (late, ACCENT)):
        axes.scatter(gap[rows], silent[rows], s=size, color=colour, alpha=alpha, lw=0, rasterized=n > MANY_POINTS)
    left, right = gap.min() / 1.3, gap.max() * 1.3
    low, high = silent.min() / 1.5, max(silent.max() * 1.5, left * 4)
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    for factor, name in ((1, "due today"), (2, "twice the usual gap")):
        axes.plot([left, right], [left * factor, right * factor], color=QUIET, lw=0.9, ls=(0, (4, 2)))
        at = min(right, high / factor)
        _write(axes, name, (at, at * factor), offset=(4, 0), va="center", color=QUIET, size=8)
    _day_axes(axes)
    axes.set_xlabel("usual gap between two orders, days")
    _heading(axes, "days since the last order")
    k = int(late.sum())
    title = f"{k:,} of {_count(n, 'customer')} ({percent(k / n)}) {'has' if k == 1 else 'have'} been silent for more "
    title += "than twice their usual gap"
    notes = f"n = {_count(n, 'customer')} with a usual gap, each a dot; overdue in amber"
    if len(profiles) > n:
        notes += f"; {_count(len(profiles) - n, 'other')} ordered too rarely to have one"
    drawn = (
        f"Scatter on logarithmic axes; usual gap: middle customer {short(np.median(gap))} days; since the last order: "
    )
    return _finish(axes, title, f"{drawn}middle customer {short(np.median(silent))} days", notes, source)


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
        return _nothing(f"no customer has {in_words(field)}")
    require_columns("tag_cloud", counts.columns, ["tag", "customers", "of", "share"])
    ranked = counts.sort_values(["customers", "tag"], ascending=[False, True])
    first, shown = ranked.iloc[0], ranked.head(60).sort_values("tag", key=lambda tags: tags.str.casefold())
    axes = _canvas(height=0.8)
    axes.set_axis_off()
    # the eye compares areas: the height of the letters goes with the root of the share
    sizes = 8 + 20 * np.sqrt(shown["customers"] / first["customers"])
    words = [
        axes.text(0, 0, _elided(tag, 30), size=size, color=ACCENT if tag == first["tag"] else INK, alpha=0.95)
        for tag, size in zip(shown["tag"], sizes, strict=True)
    ]
    _flow(axes, words)
    n = _count(first["of"], "customer")
    title = f"Commonest of {len(counts):,} {in_words(field)}: “{_elided(first['tag'], 40)}”, for "
    title += f"{percent(first['share'])} of {n}"
    drawn = "Words sized by use: " + _listing((t, percent(s)) for t, s in ranked[["tag", "share"]].to_numpy())
    left = len(counts) - len(shown)
    notes = f"n = {n}; larger letters: more customers" + (f"; {left:,} rarer ones left out" if left else "")
    return _finish(axes, title, drawn, notes, source)


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
    axes, y = _canvas(rows=1.05 * len(table)), np.arange(len(table))
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
    _figures_by_group(axes, table["group"], texts, label, share)
    title = f"Places differ in {value} no more than chance would have it"
    if places.differ:
        stand = [
            f"{_elided(row.group, 25)} {'above' if row.shrunk > places.whole else 'below'} everybody's "
            f"{write(places.whole)}, at {write(row.shrunk)}"
            for row in table[apart].head(3).itertuples()
        ]
        title = f"Places differ in {value}: " + ("; ".join(stand) or "but none by itself stands apart from everybody")
    drawn = "Dots with intervals, by place: " + _listing(zip(table["group"], texts, strict=True))
    return _finish(axes, title, drawn, f"n = {_count(table['customers'].sum(), 'customer')}; small places are drawn "
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
        return _nothing("there were too few customers to judge")
    require_columns("calibration", calibration.columns, ["customers", "expected", "value", "low", "high"])
    table = calibration
    right = (table["low"] <= table["expected"]) & (table["expected"] <= table["high"])
    axes = _canvas(height=4.2)
    top = min(1.0, 1.08 * max(table["high"].max(), table["expected"].max()))
    axes.plot([0, top], [0, top], color=QUIET, lw=0.9)
    reach = np.maximum([table["value"] - table["low"], table["high"] - table["value"]], 0)
    for place, colour in enumerate(np.where(right, QUIET, ACCENT)):
        row = table.iloc[place]
        axes.errorbar(
            row["expected"], row["value"], yerr=reach[:, [place]], fmt="o", ms=6, color=colour, lw=2, capsize=3
        )
    _write(axes, "told = happened", (top, top), offset=(-4, -14), ha="right", color=QUIET, size=8)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    _share_axis(axes, "chance that was told, mean of the group")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g} %"))
    _heading(axes, "share of the group that met the target, with its interval")
    _grid(axes, "both")
    title = f"In {right.sum()} of {len(table)} groups what happened agrees with the chance that was told"
    pairs = (f"{percent(r.expected)} told, {percent(r.value)} happened" for r in table.itertuples())
    drawn = "Chance told against share that came true: " + "; ".join(pairs)
    return _finish(axes, title, drawn, f"n = {_count(table['customers'].sum(), 'customer')} whom the fit had not seen "
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
        return _nothing("too few customers rate us on more than one attribute")
    require_columns("importance", importance.columns, ["attribute", "customers", "ours", "value", "low", "high"])
    table = importance.sort_values(["value", "attribute"], ascending=[False, True])
    axes = _canvas(height=4.0)
    for row in table.itertuples():
        sure = row.low > 0
        colour = ACCENT if sure else GREY
        reach = [[max(row.value - row.low, 0)], [max(row.high - row.value, 0)]]
        axes.errorbar(row.value, row.ours, xerr=reach, fmt="o", ms=6, color=colour, lw=1.4, capsize=3)
        _write(axes, _elided(row.attribute, 24), (row.value, row.ours), offset=(6, 6), size=9,
               color=INK if sure else QUIET)  # fmt: skip
    axes.axvline(0, color=QUIET, lw=0.9)
    axes.axhline(table["ours"].mean(), color=PALE, lw=1.2, zorder=0)
    axes.margins(x=0.12, y=0.2)
    axes.set_xlabel(f"how strongly the rating goes with {against} (rank correlation); further right matters more")
    _heading(axes, "mean rating of us; the line is the mean over what was rated")
    first, sure = table.iloc[0], table["low"] > 0
    title = f"What goes with liking us most is {_elided(first['attribute'], 30)}, rated {first['ours']:.1f}"
    if not sure.any():
        title = "No attribute goes with liking us beyond chance"
    drawn = "Importance against rating: " + "; ".join(
        f"{r.attribute}: importance {r.value:.2f} ({r.low:.2f} to {r.high:.2f}), rated {r.ours:.1f}"
        for r in table.itertuples()
    )
    notes = f"{_sizes_in_words(table['customers'])}; importance is derived, nobody was asked what matters; grey: not "
    return _finish(axes, title, drawn, notes + "beyond chance", source)


# Segments


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
        return _nothing("there is no revenue to share out")
    require_columns("curve", curve.columns, ["customers", "revenue"])
    x = np.unique(np.append(np.linspace(0, 1, 201), top))
    y = np.interp(x, np.append(0, curve["customers"]), np.append(0, curve["revenue"]))
    axes = _canvas(height=4.2)
    best = x <= top
    axes.fill_between(x[best], 0, y[best], color=ACCENT, alpha=0.15, lw=0)
    axes.plot(x, y, color=GREY, lw=2)
    axes.plot(x[best], y[best], color=ACCENT, lw=2.5)
    axes.plot([0, 1], [0, 1], color=QUIET, lw=0.9, ls=(0, (4, 2)))
    axes.errorbar(top, share, [[max(share - low, 0)], [max(high - share, 0)]], fmt="o", color=ACCENT, capsize=4)
    _write(
        axes,
        f"{percent(share)} of revenue\n{_interval(low, high, 'interval ')}",
        (top, share),
        offset=(12, -8),
        va="top",
        color=ACCENT,
        weight="bold",
        bbox=_CLEAR,
    )
    _write(axes, "if all spent alike", (0.75, 0.75), offset=(6, -6), va="top", color=QUIET)
    _share_axis(axes, "share of customers, best first")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    axes.set(xlim=(0, 1), ylim=(min(0, y.min()), max(1, y.max(), high) * 1.02), yticks=np.linspace(0, 1, 6))
    _heading(axes, "share of revenue")
    fractions = {
        0.01: "One customer in a hundred",
        0.05: "A twentieth",
        0.1: "A tenth",
        0.2: "A fifth",
        0.25: "A quarter",
    }
    who = fractions.get(round(top, 4), f"The best {percent(top)}")
    verb = "brings" if top == 0.01 else "of customers bring"
    title = f"{who} {verb} {percent(share)} of revenue{_interval(low, high, ' (interval ', ')')}"
    values = _listing((f"best {percent(t)}", percent(np.interp(t, x, y))) for t in (0.05, 0.1, 0.2, 0.5))
    drawn = f"Curve of the cumulated share of revenue over customers, best first: {values}"
    return _finish(axes, title, drawn, f"n = {_count(n, 'customer')}" if n else "", source)


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
        return _nothing("there are no customers")
    require_columns("segments", segments.columns, ["r", "f", "rfm_segment"])
    known = segments.dropna(subset=["r", "f", "rfm_segment"])
    if known.empty:
        return _nothing("nobody has bought, so nobody has a score")
    n, best = len(known), max(5, int(known[["r", "f"]].to_numpy().max()))
    scores = range(1, best + 1)
    cells = known.groupby(["f", "r", "rfm_segment"], observed=True).size().rename("n").reset_index()
    counts = cells.pivot_table(index="f", columns="r", values="n", aggfunc="sum").reindex(index=scores, columns=scores)
    main = cells.sort_values(["n", "rfm_segment"], ascending=[False, True]).drop_duplicates(["f", "r"])
    names = main.pivot(index="f", columns="r", values="rfm_segment").reindex(index=scores, columns=scores)
    axes = _canvas(height=5)
    _heat(axes, counts.fillna(0).to_numpy(), lambda v: f"{v:,.0f}" if v else "", nudge=-0.18)
    _regions(axes, names.astype(object).where(names.notna(), "").to_numpy())
    axes.set(xticks=np.arange(best) + 0.5, yticks=np.arange(best) + 0.5, xticklabels=scores, yticklabels=scores)
    axes.set_xlabel("recency score: 5 bought most recently →")
    _heading(axes, "frequency score: 5 buys most often ↑")
    sizes = known["rfm_segment"].astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    title = f"The largest of {len(sizes)} groups: {_elided(sizes.index[0], 40)}, {percent(sizes.iloc[0] / n)} of "
    if len(sizes) == 1:
        title = f"All in one group, {_elided(sizes.index[0], 40)}: "
    drawn = "Grid of recency by frequency scores with the customers in each cell. "
    drawn += "Customers by group: " + _listing((k, f"{v:,}") for k, v in sizes.items())
    notes = f"n = {_count(n, 'customer')}; a cell bears the name of most of its customers"
    if len(segments) > n:
        notes += f"; {len(segments) - n:,} without an order have no score"
    return _finish(axes, title + _count(n, "customer"), drawn, notes, source)


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
        return _nothing("no number of segments was tried")
    require_columns(
        "choice", choice.columns, ["k", "stability", "low", "high", *(["chosen"] if chosen is None else [])]
    )
    if chosen is None:
        chosen = int(choice.loc[choice["chosen"].astype(bool), "k"].iloc[0])
    choice = choice[choice["k"] > 1].dropna(subset="stability").sort_values("k")
    if choice.empty:
        return _nothing("too few customers to try any number of segments")
    best = choice.sort_values(["stability", "k"], ascending=[False, True]).iloc[0]
    axes = _canvas(height=3.6)
    for row in choice.itertuples():
        colour = ACCENT if row.k == chosen else GREY
        arms = [[max(row.stability - row.low, 0)], [max(row.high - row.stability, 0)]]
        axes.errorbar(row.k, row.stability, arms, fmt="o", color=colour, ms=8, lw=2, capsize=4)
        _write(
            axes,
            f"{row.stability:.2f}",
            (row.k, np.fmax(row.high, row.stability)),
            offset=(0, 5),
            ha="center",
            color=ACCENT if row.k == chosen else QUIET,
        )
    axes.set(ylim=(min(0, choice["low"].min()), 1.12), xlim=(choice["k"].min() - 0.6, choice["k"].max() + 0.6))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0, as by chance", "0.25", "0.5", "0.75", "1, identical"])
    _grid(axes, "y")
    beneath = dict(zip(choice["k"], choice.get("silhouette", pd.Series(np.nan, choice.index)), strict=True))
    given = any(np.isfinite(list(beneath.values())))
    axes.set_xticks(list(beneath), [f"{k}\n{s:.2f}" if np.isfinite(s) else f"{k}" for k, s in beneath.items()])
    axes.set_xlabel(
        "number of segments" + ("; below it the silhouette, how clearly they part (1 is best)" if given else "")
    )
    _heading(axes, "stability")
    drawn = "Points with intervals, stability by number of segments: "
    drawn += _listing((f"with {r.k}", f"{r.stability:.2f} ({r.low:.2f} to {r.high:.2f})") for r in choice.itertuples())
    notes = "intervals hold 95 % of the repeats"
    return _finish(axes, _choice_in_words(choice, chosen, best), drawn, notes, source)


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
        return _nothing("there are no segments")
    require_columns("segment_summary", summary.columns, ["segment", "segment_name", "n", "share", "revenue_share"])
    summary = summary.sort_values("segment")
    revenue = summary["revenue_share"].astype(float)
    axes = _canvas(rows=1.8 * len(summary))
    y = np.arange(len(summary))
    colours = [segment_colour(s) for s in summary["segment"]]
    axes.barh(y - 0.19, summary["share"], height=0.34, color=GREY)
    axes.barh(y + 0.19, revenue.fillna(0), height=0.34, color=colours)
    people = [f"{percent(s)} of customers ({n:,})" for s, n in zip(summary["share"], summary["n"], strict=True)]
    money = [f"{percent(s)} of revenue" if np.isfinite(s) else "revenue unknown" for s in revenue]
    _label_bars(axes, y - 0.19, summary["share"], people, colour=QUIET)
    _label_bars(axes, y + 0.19, revenue.fillna(0).clip(lower=0), money)
    _ranked_axis(axes, [_name(s) for s in summary["segment_name"]])
    _share_axis(axes, "share of all customers, and of all revenue")
    axes.set_xlim(min(0, revenue.min() * 1.25), max(summary["share"].max(), revenue.max()))
    if revenue.min() < 0:
        axes.axvline(0, color=QUIET, lw=0.8)
    at = (revenue - summary["share"]).fillna(-np.inf).argmax()
    first = summary.iloc[at]
    title = f"{_elided(first['segment_name'], 40)}: {percent(first['share'])} of customers, {money[at]}"
    drawn = "Pairs of bars by segment: "
    drawn += "; ".join(f"{k}: {p}, {m}" for k, p, m in zip(summary["segment_name"], people, money, strict=True))
    return _finish(axes, title, drawn, f"n = {_count(summary['n'].sum(), 'customer')}", source)


def traits(traits: pd.DataFrame, source: str | None = None) -> Axes:
    """What sets one group apart: its distinctive traits, by size of the difference to everybody else.

    Parameters
    ----------
    traits : DataFrame, one group's rows of ``evidence.compare``: columns group, trait, level, kind, n, value,
        elsewhere, difference, low, high, effect; where there is a column distinctive, only those rows are drawn, and
        where there is a column segment, in that segment's colour
    source : where the figures come from, for the last line

    Raises
    ------
    Problem
        When there is more than one group.

    Notes
    -----
    Traits differ in unit, so each difference and its interval is multiplied by one number that brings the difference to
    the size of its effect: whether an interval holds zero, and how wide it is beside the difference, stay as they are.

    Examples
    --------
    >>> row = dict(group="Regulars", trait="n_orders", level="", kind="number", n=612, value=8.1, elsewhere=2.6,
    ...            difference=5.5, low=5.0, high=6.0, effect=0.7)
    >>> print(traits(pd.DataFrame([row])).get_title())
    What sets Regulars apart most: number of orders, 8.1 against 2.6 elsewhere
    """
    if traits.empty:
        return _nothing("no traits were compared")
    need = ["group", "trait", "level", "kind", "n", "value", "elsewhere", "difference", "low", "high", "effect"]
    require_columns("traits", traits.columns, need)
    groups = sorted(traits["group"].astype(str).unique())
    if len(groups) > 1:
        raise Problem(
            f"traits draws one group at a time, and this table has {len(groups)}: {', '.join(groups[:8])}. "
            f'Keep one, e.g. traits(table[table["group"] == ...]).'
        )
    group, n = traits["group"].iloc[0], int(traits["n"].max())
    number = traits["segment"].iloc[0] if "segment" in traits else group
    compared = len(traits)
    who = f"group {group}" if isinstance(group, (int, np.integer)) else _elided(group, 40)
    if "distinctive" in traits.columns:
        traits = traits[traits["distinctive"].astype(bool)]
    traits = traits[(traits["difference"] != 0) & traits["effect"].notna()]
    if traits.empty:
        return _nothing(f"none of {_count(compared, 'trait')} sets {who} clearly apart from everybody else")
    order = traits.assign(size=traits["effect"].abs()).sort_values(
        ["size", "trait", "level"], ascending=[False, True, True]
    )
    shown = order.head(14)
    scale = shown["size"] / shown["difference"].abs()
    at, low, high = (shown[c].to_numpy(float) * scale.to_numpy() for c in ("difference", "low", "high"))
    labels = [_trait(r.trait, r.level) for r in shown.itertuples()]
    values = [f"{_value(r.value, r.kind)} against {_value(r.elsewhere, r.kind)}" for r in shown.itertuples()]
    axes = _canvas(rows=1.05 * len(shown), least=2.4)
    y = np.arange(len(shown))
    colour = segment_colour(number) if isinstance(number, (int, np.integer)) and number > 0 else ACCENT
    axes.axvline(0, color=QUIET, lw=0.9)
    axes.errorbar(at, y, xerr=[at - low, high - at], fmt="o", ms=7, color=colour, lw=2, capsize=3)
    reach = max(1.0, np.abs([low, high]).max()) * 1.08
    axes.set_xlim(-reach, reach)
    _label_bars(axes, y, np.full(len(y), reach), values)
    _ranked_axis(axes, [_name(t) for t in labels])
    _grid(axes, "x")
    axes.xaxis.set_major_locator(MaxNLocator(5 if _is_wide() else 2))
    axes.set_xlabel("← less than elsewhere · size of the difference (effect) · more than elsewhere →")
    title = f"What sets {who} apart most: {_elided(labels[0], 90)}, {values[0]} elsewhere"
    drawn = "Differences with intervals, here against elsewhere: " + _listing(zip(labels, values, strict=True))
    are = "is" if len(shown) == 1 else "are"
    notes = (
        f"n = {_count(n, 'customer')} in the group; {len(shown)} of {_count(compared, 'trait')} compared {are} shown"
    )
    return _finish(axes, title, drawn, notes, source)


def intervals(
    table: pd.DataFrame,
    title: str,
    label: str,
    of_interest: Sequence[str] = (),
    share: bool = False,
    nothing: float | None = None,
    source: str | None = None,
) -> Axes:
    """A figure of each group as a dot with its interval, and the true one as a hollow diamond where it is known.

    Parameters
    ----------
    table : DataFrame, columns group, value, low, high; customers, written beside the figure, and planted, the true
        figure, where it has them
    title : the finding, with its figure
    label : what the axis measures, with its unit
    of_interest : the groups in question, which are drawn in amber
    share : whether the figures are shares, to be written in per cent
    nothing : where "no difference" lies on the axis; a line is drawn there
    source : where the figures come from, for the last line

    Examples
    --------
    >>> table = pd.DataFrame({"group": ["app", "web"], "value": [0.4, 0.8], "low": [0.35, 0.7], "high": [0.45, 0.9]})
    >>> print(intervals(table, "Half as many get through on the app", "checkouts that end in an order").get_title())
    Half as many get through on the app
    """
    if table.empty:
        return _nothing("there are no groups to compare")
    require_columns("intervals", table.columns, ["group", "value", "low", "high"])
    at, low, high = (table[c].to_numpy(float) for c in ("value", "low", "high"))
    colours = [ACCENT if group in set(of_interest) else QUIET for group in table["group"]]
    axes, y = _canvas(rows=1.05 * len(table)), np.arange(len(table))
    if nothing is not None:
        axes.axvline(nothing, color=QUIET, lw=0.9)
    for place, colour in enumerate(colours):
        reach = np.nan_to_num([[at[place] - low[place]], [high[place] - at[place]]])
        axes.errorbar(at[place], place, xerr=reach, fmt="o", ms=6, color=colour, lw=2, capsize=3)
    known = table["planted"].notna() if "planted" in table else np.zeros(len(table), dtype=bool)
    if known.any():
        axes.plot(table["planted"][known], y[known], "D", ms=9, mfc="none", mec=INK, mew=1.1, clip_on=False)
        label += " · hollow diamond: as planted"
    decimals = None if share else _decimals(high - low)
    texts = [_with_interval(*row, decimals) for row in zip(at, low, high, strict=True)]
    if "customers" in table:
        texts = [f"{text}, n = {n:,.0f}" for text, n in zip(texts, table["customers"], strict=True)]
    _figures_by_group(axes, table["group"], texts, label, share)
    drawn = "Figures with intervals: " + _listing(zip(map(str, table["group"]), texts, strict=True))
    return _finish(axes, title, drawn, _sizes_in_words(table["customers"]) if "customers" in table else "", source)


# Journeys


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
        return _nothing("nobody entered the first step")
    need = ["step", "entered", "converted", "judged", "rate", "low", "high", "median_days", "lost"]
    require_columns("funnel", funnel.columns, need)
    funnel = funnel.reset_index(drop=True)
    numbers = need[1:]
    funnel[numbers] = funnel[numbers].astype(float)
    funnel["censored"] = funnel["censored"].fillna(0).astype(float) if "censored" in funnel.columns else 0.0
    steps = [_elided(s, 30) for s in funnel["step"]]
    ways = funnel[:-1][funnel["rate"][:-1].notna()]
    worst = ways["rate"].idxmin() if len(ways) else None
    axes = _canvas(rows=1.75 * len(funnel) - 0.5, least=1.5)
    texts = [_way_in_words(row) for row in ways.itertuples()]
    for row in funnel.itertuples():
        _funnel_bar(axes, row, last=row.Index == len(funnel) - 1, worst=row.Index == worst)
    for i, text in zip(ways.index, texts, strict=True):
        axes.text(
            0, i + 0.5, _wrapped("↓ " + text, 0.8), va="center", size=8, linespacing=1.1,
            color=ACCENT if i == worst else QUIET, weight="bold" if i == worst else "normal",
        )  # fmt: skip
    _label_bars(axes, funnel.index.to_numpy(), funnel["entered"], [f"{e:,.0f}" for e in funnel["entered"]])
    _ranked_axis(axes, [_name(s) for s in funnel["step"]])
    axes.set(xlim=(0, funnel["entered"].max()), xticks=[])
    axes.spines["bottom"].set_visible(False)
    first, final = funnel["entered"].iloc[0], funnel["entered"].iloc[-1]
    title = f"{_count(first, unit)} entered {steps[0]}; there is no further step with a rate"
    if worst is not None:
        way = ways.loc[worst]
        clear = len(ways) == 1 or clearly_largest(ways["lost"], ways["judged"])[1]
        title = (
            f"{'The narrowest step comes' if clear else 'No step is clearly the narrowest; the lowest rate is'} "
            f"after {steps[worst]}: {percent(way['rate'])} of "
            f"{_count(way['judged'], unit)} go on to {steps[worst + 1]}"
            f"{_interval(way['low'], way['high'], ' (interval ', ')')}"
        )
    then = dict(zip(ways.index, texts, strict=True))
    values = [f"{e:,.0f}" + (f", {then[i]}" if i in then else "") for i, e in funnel["entered"].items()]
    drawn = "Bars by step: " + _listing(zip(steps, values, strict=True))
    notes = f"n = {_count(first, unit)}"
    if len(funnel) > 1 and first:
        notes += f", of whom {percent(final / first)} reached {steps[-1]}"
    notes += "; dark: went on, light: did not" + (", outlined: may still" if funnel["censored"].any() else "")
    return _finish(axes, title, drawn, notes, source)


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
        return _nothing("there are no paths")
    require_columns("paths", paths.columns, ["path", "customers", "share", "low", "high"])
    steps = paths["path"].map(_steps)
    order = paths.assign(_key=steps.map("\n".join), _steps=steps).sort_values(
        ["customers", "_key"], ascending=[False, True]
    )
    shown = order.head(10)
    axes = _canvas(rows=1.75 * len(shown))
    y, share = np.arange(len(shown)), shown["share"].to_numpy(float)
    arms = np.clip([share - shown["low"], shown["high"] - share], 0, None)
    axes.barh(y + 0.22, share, height=0.26, color=[ACCENT] + [GREY] * (len(shown) - 1))
    axes.errorbar(share, y + 0.22, xerr=arms, fmt="none", color=INK, lw=1, capsize=2)
    texts = [f"{percent(r.share)} ({_count(r.customers, unit)})" for r in shown.itertuples()]
    _label_bars(axes, y + 0.22, np.fmax(shown["high"].to_numpy(float), share), texts)
    for i, way in enumerate(shown["_steps"]):
        _chips(axes, i - 0.16, way)
    _ranked_axis(axes, [f"{i + 1}." for i in y])
    axes.set_ylim(len(shown) - 0.45, -0.6)
    axes.set(xlim=(0, np.nanmax(np.fmax(shown["high"].to_numpy(float), share))), xticks=[])
    axes.spines["bottom"].set_visible(False)
    ways = [" → ".join(_cut(s, 4)) for s in shown["_steps"]]
    top = shown.iloc[0]
    title = f"The commonest path is {ways[0]}: {percent(top['share'])} of {unit}s"
    title += _interval(top["low"], top["high"], " (interval ", ")")
    whole = top["customers"] / top["share"] if top["share"] else np.nan
    notes = f"n = {_count(round(whole), unit)}; " if np.isfinite(whole) else ""
    notes += f"{'the' if len(shown) == len(paths) else 'the first'} {_count(len(shown), 'path')}"
    notes += f" of {len(paths):,}" if len(shown) < len(paths) else ""
    notes += f" cover{'s' if len(shown) == 1 else ''} {percent(np.nansum(share))} of them"
    drawn = "Ranked paths with bars and intervals: " + _listing(zip(ways, texts, strict=True))
    return _finish(axes, title, drawn, notes, source)


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
        return _nothing("there are no moves from one step to another")
    require_columns("transitions", transitions.columns, ["source", "target", "n"])
    table = _folded(transitions, list(order), most=20 if _is_wide() else 9)
    states, ends = list(table.index), list(table.columns)
    share = table.div(table.sum(axis=1), axis=0)
    height = 1.6 + min(0.42, 5.6 / len(states)) * max(len(states), 3)
    axes = _canvas(height=height)
    size = 9 if len(states) <= 8 else 7 if len(states) <= 13 else 6
    _heat(axes, share.to_numpy()[::-1], lambda v: f"{100 * v:.0f}" if v >= 0.005 else "", size=size, top=1)
    here, there = ([_elided(s, 22) for s in side] for side in (states, ends))
    tilt = len(ends) > 5 or max(map(len, there)) > 8
    slant = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if tilt else {}
    axes.set_xticks(np.arange(len(ends)) + 0.5, there, **slant)
    moves_from = [f"{s}  {n:,.0f}" for s, n in zip(here, table.sum(axis=1), strict=True)]
    axes.set_yticks(np.arange(len(states)) + 0.5, moves_from[::-1])
    axes.set_xlabel("… went there next, in % of the row")
    _heading(axes, "moves from here …")
    moves = table.stack().rename_axis(["source", "target"]).rename("n").reset_index()
    moves = moves.sort_values(["n", "source", "target"], ascending=[False, True, True])
    # That a journey starts, ends or stays where it is is no news.
    real = moves[~moves[["source", "target"]].isin(["(start)", "(end)", "all others"]).any(axis=1)]
    real = real[real["source"] != real["target"]]
    top = (real if len(real) and real["n"].iloc[0] else moves).iloc[0]
    of = int(table.loc[top["source"]].sum())
    here, there = _elided(top["source"], 30), _elided(top["target"], 30)
    title = f"The commonest move is {here} → {there}: {percent(top['n'] / of)} of {_count(of, 'move')} from {here}"
    drawn = "Heat map, from rows to columns. Commonest moves: "
    drawn += _listing((f"{m.source} → {m.target}", f"{m.n:,.0f}") for m in moves.head(6).itertuples() if m.n)
    folded = len({*transitions["source"].astype(str), *transitions["target"].astype(str)} - {*states, *ends})
    notes = f"n = {_count(table.to_numpy().sum(), 'move')}"
    notes += f"; the {folded} rarest steps are folded into “all others”" if folded else ""
    return _finish(axes, title, drawn, notes, source)


# Private: the sheet a figure is drawn on, from title to last line


def _canvas(height: float | None = None, rows: float = 0, least: float = 1.9, panels: int = 1):
    """Axes as wide as the theme says and as high as `height` inches, or as so many rows of labelled bars need."""
    size = (plt.rcParams["figure.figsize"][0], height or max(least, 1.25 + 0.3 * rows))
    return plt.subplots(panels, figsize=size, layout="constrained", sharex=True, height_ratios=[3, 2][:panels])[1]


def _finish(axes: Axes, title: str, drawn: str, notes: str, source: str | None) -> Axes:
    """Write title and last line over the whole width, attach the description, and fix the layout."""
    figure = axes.figure
    figure.set_label(drawn)
    title_width = figure.bbox.width * 0.98
    line = figure.supxlabel("", x=0.004, ha="left", size=8, color=QUIET)
    _fill(line, " · ".join(filter(None, (source, notes))), title_width)
    axes.set_title("", loc="center", ha="left", pad=26 if axes.get_ylabel() else 12)
    _fill(axes.title, title, title_width)
    if axes.get_xlabel():
        _fill(axes.xaxis.label, axes.get_xlabel(), title_width * 0.85)
    # Further lines of text must not squeeze the marks.
    more = 0.19 * axes.get_title().count("\n") + 0.14 * (line.get_text() + axes.get_xlabel()).count("\n")
    figure.set_figheight(figure.get_figheight() + more)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    # Flush with the figure's left edge, not with the axes': long names on the left would push it far in.
    box = axes.get_position()
    axes.title.set_x((0.004 - box.x0) / box.width)
    return axes


def _nothing(reason: str) -> Axes:
    axes = _canvas(height=0.8)
    axes.set_axis_off()
    title = axes.set_title("", loc="center", ha="left", color=QUIET, weight="normal", x=0)
    _fill(title, f"Nothing to show: {reason}.", axes.figure.bbox.width * 0.95)
    return axes


def _fill(text, words: str, width: float) -> None:
    """Set a text artist to the words, broken into lines no wider than `width` pixels, never between 5 and %."""
    lines = [""]
    for word in re.split(r" (?!%|…|→)", words):
        text.set_text(f"{lines[-1]} {word}".strip())
        if lines[-1] and text.get_window_extent().width > width:
            lines.append(word)
        else:
            lines[-1] = text.get_text()
    text.set_text("\n".join(lines))


def _svg_bundle(figure: Figure):
    """A figure as Jupyter stores it: SVG and plain text, and the alternative text as the SVG's metadata."""
    if not figure.axes and not figure.lines:
        return None
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.08, metadata={"Date": None, "Creator": None})
    alt = alt_text(figure)
    return {"image/svg+xml": buffer.getvalue(), "text/plain": alt}, {"image/svg+xml": {"alt": alt}}


def _axes_in_words(axes: Axes) -> str:
    labels = (("horizontal axis", axes.get_xlabel()), ("vertical axis", axes.get_ylabel()))
    return ", ".join(f"{name}: {label}" for name, label in labels if label)


# Private: axes, bars and labels


def _heading(axes: Axes, text: str) -> None:
    """The vertical axis's label, written flat above it, where it can be read without tilting one's head."""
    axes.set_ylabel(text, rotation=0, ha="left", va="bottom")
    axes.yaxis.set_label_coords(0, 1.015)


def _grid(axes: Axes, axis: str) -> None:
    axes.grid(True, axis=axis)
    axes.set_axisbelow(True)


def _ranked_axis(axes: Axes, labels: list[str]) -> None:
    """Names down the left, the first on top, without line or ticks."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _share_axis(axes: Axes, label: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5 if _is_wide() else 2, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g} %"))
    axes.set_xlabel(label)


def _figures_by_group(axes: Axes, groups, texts: list[str], label: str, share: bool) -> None:
    """Groups down the left, their figures along the axis and, in words, on the right."""
    _grid(axes, "x")
    if share:
        _share_axis(axes, label)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5 if _is_wide() else 2))
        _amount_axis(axes.xaxis)
        axes.set_xlabel(label)
    _label_bars(axes, range(len(texts)), np.full(len(texts), axes.get_xlim()[1]), texts, size=8)
    _ranked_axis(axes, [_name(group) for group in groups])


def _amount_axis(axis) -> None:
    axis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))


def _day_axes(axes: Axes) -> None:
    """Powers of ten are no days anybody counts in: a day, a week, a month, a year."""
    marks = {1: "1 day", 7: "a week", 30: "a month", 91: "3 months", 365: "a year", 1096: "3 years", 3652: "10 years"}
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        inside = [m for m in marks if low <= m <= high]
        if axis is axes.xaxis and not _is_wide():
            inside = inside[::2]
        axis.set_ticks(inside, [marks[m] for m in inside])
        axis.set_minor_locator(NullLocator())


def _write(axes: Axes, text: str, xy, offset=(0, 0), **style):
    """A text so many points beside a place of the data, wherever that is."""
    return axes.annotate(text, xy, xytext=offset, textcoords="offset points", annotation_clip=False, **style)


def _label_bars(axes: Axes, y, x, texts, colour: str = INK, size: int = 9) -> None:
    """Write a text at the end of each bar, outside it."""
    for at, end, text in zip(y, x, texts, strict=True):
        side = -1 if end < 0 else 1
        _write(
            axes,
            text,
            (end, at),
            offset=(5 * side, 0),
            va="center",
            color=colour,
            size=size,
            ha="left" if side > 0 else "right",
        )


def _heat(axes: Axes, values, text, size: int = 9, nudge: float = 0.0, top: float | None = None) -> None:
    """Cells shaded by value with the value written in."""
    axes.pcolormesh(values, cmap=_HEAT, vmin=0, vmax=top or max(values.max(), 1), edgecolors="white", linewidth=1)
    for (row, column), value in np.ndenumerate(values):
        dark = value > 0.45 * (top or max(values.max(), 1))
        axes.text(
            column + 0.5, row + 0.5 + nudge, text(value), ha="center", va="center", size=size,
            color="white" if dark else INK,
        )  # fmt: skip
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


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


def _monthly_bars(axes: Axes, values: pd.Series, colours, full: pd.Series | None) -> None:
    """Bars by month; with `full`, lines at the averages of its last twelve months and the twelve before."""
    axes.bar(range(len(values)), values.to_numpy(float), width=0.8, color=colours)
    axes.set_xticks(*_month_ticks(values.index))
    axes.set_xlim(-0.6, max(len(values), 6) - 0.4)
    _amount_axis(axes.yaxis)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    _grid(axes, "y")
    if full is None:
        return
    axes.margins(y=0.2)
    for start, colour, side in ((len(full) - 24, QUIET, "right"), (len(full) - 12, ACCENT, "left")):
        part = full[start : start + 12]
        at = start - 0.4 if side == "left" else start + 11.2
        axes.plot([start - 0.4, start + 11.4], [part.mean()] * 2, color="white", lw=3)
        axes.plot([start - 0.4, start + 11.4], [part.mean()] * 2, color=colour, lw=1.5)
        _write(
            axes,
            f"average {short(part.mean())}",
            (at, max(part.max(), 0)),
            ha=side,
            offset=(0, 3),
            color=colour,
            size=8,
            weight="bold",
        )


def _month_ticks(months: pd.PeriodIndex):
    """Places and names of about ten months: the year stands under the first and every January, or alone."""
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if len(months) / s <= _room(1) / 9), 120)
    fits = (months.month - 1) % step == 0 if step < 12 else (months.month == 1) & (months.year % (step // 12) == 0)
    at = np.flatnonzero(fits) if fits.any() else np.array([0])
    names = [
        str(m.year) if step >= 12 else calendar.month_abbr[m.month] + (f"\n{m.year}" if m.month == 1 or not i else "")
        for i, m in enumerate(months[at])
    ]
    return at, names


def _dates(values: pd.Series, column: str, notes: str, source: str | None) -> Axes:
    days = mdates.date2num(values.dt.tz_localize(None) if values.dt.tz else values)
    axes = _canvas(height=3.4)
    axes.hist(days, bins=min(40, max(1, len(np.unique(days)))), color=GREY, edgecolor="white", lw=0.5)
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator(), show_offset=False))
    middle = mdates.num2date(np.median(days)).date()
    _median_line(axes, np.median(days), f"half before\n{middle:%d %b %Y}")
    _heading(axes, "customers")
    title = (
        f"{_capital(in_words(column))}: half of {_count(len(values), 'customer')} before {middle.day} {middle:%B %Y}"
    )
    drawn = f"Histogram from {values.min():%Y-%m-%d} to {values.max():%Y-%m-%d}"
    return _finish(axes, title, drawn, notes, source)


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
    axes = _canvas(height=3.6)
    axes.hist(shown, bins=_bins(shown, log), color=GREY, edgecolor="white", lw=0.5)
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    elif shown.min() == shown.max():
        axes.margins(x=2)
    year = whole and "year" in column.lower() and 1000 < values.min() <= values.max() < 3000
    said = (lambda v: f"{v:.0f}") if year else short
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: said(v)))
    _amount_axis(axes.yaxis)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylim(top=1.2 * axes.get_ylim()[1])  # room for the label above the bars
    single = unit.removesuffix("s") if middle == 1 else unit
    _median_line(axes, middle, f"middle customer\n{said(middle)}{single}")
    _grid(axes, "y")
    axes.set_xlabel(
        name
        + (f",{unit}" if unit and unit.strip() not in name else "")
        + (" (each mark ten times the last)" if log else "")
    )
    _heading(axes, "customers")
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
        notes += f"; {_count(beyond, 'customer')} beyond the right edge, up to {said(values.max())}{unit}"
    quarters = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    names = ("smallest", "lower quarter", "middle", "upper quarter", "largest")
    drawn = "Histogram" + (" on a logarithmic axis" if log else "") + " of all values: "
    drawn += _listing(zip(names, (said(q) + unit for q in quarters), strict=True))
    return _finish(axes, title, drawn, notes, source)


def _middle_in_words(values, middle: float) -> str:
    """How customers stand to their median: where many share it, it is not true that half are above."""
    same, who = np.mean(values == middle), _count(len(values), "customer")
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
    _write(
        axes,
        text,
        (x, 1),
        xycoords=("data", "axes fraction"),
        offset=(5, -2),
        va="top",
        color=ACCENT,
        size=9,
        weight="bold",
        bbox=_CLEAR,
    )


def _ranking(values: pd.Series, column: str, notes: str, source: str | None) -> Axes:
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shown = counts.head(12 if len(counts) > 13 else 13)
    n, rest = len(values), counts.iloc[len(shown) :]
    axes = _canvas(rows=len(shown) + bool(len(rest)))
    y = np.arange(len(shown))
    axes.barh(y, shown / n, color=[ACCENT] + [GREY] * (len(shown) - 1), height=0.62)
    texts = [f"{percent(c / n)} ({c:,})" for c in shown]
    _label_bars(axes, y, shown / n, texts)
    labels = [_name(v) for v in shown.index]
    if len(rest):
        labels.append("")
        others = f"… and {len(rest):,} others, {percent(rest.sum() / n)} together"
        _label_bars(axes, [len(shown)], [0], [others], colour=QUIET)
    _ranked_axis(axes, labels)
    _share_axis(axes, "share of customers")
    title, who = f"{_capital(in_words(column))}: {_elided(shown.index[0], 40)}", _count(n, "customer")
    title += f" for all {who}" if len(shown) == 1 else f" comes first, {percent(shown.iloc[0] / n)} of {who}"
    drawn = "Ranked bars: " + _listing(zip(map(str, shown.index), texts, strict=True))
    return _finish(axes, title, drawn + (f"; {len(rest):,} others" if len(rest) else ""), notes, source)


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
    keep, names = len(steps), [_elided(s, 24) for s in steps]
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
            _write(axes, "→", (0, y), offset=(at + 10, 0), va="center", ha="center", color=QUIET, size=8)
        at += 20


def _chip(axes: Axes, y: float, name: str):
    box = {"boxstyle": "round,pad=0.3", "facecolor": "#f3f3f3", "edgecolor": PALE, "lw": 0.8}
    return _write(axes, name, (0, y), offset=(4, 0), va="center", size=8, bbox=box)


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


# Private: words and numbers


def _trend_in_words(full: pd.Series, all_months: pd.Series) -> str:
    if len(full) >= 24 and full[-24:-12].sum():
        after, before = full[-12:].sum(), full[-24:-12].sum()
        change = after / before - 1
        word = "more" if change > 0 else "fewer"
        size = (
            f"{percent(abs(change))} {word} orders" if abs(change) < 2 else f"{after / before:.1f} times as many orders"
        )
        if round(abs(change), 3) == 0:
            return f"As many orders in the last 12 full months as in the 12 before: {after:,.0f} against {before:,.0f}"
        size += (
            " in the last 12 full months than in the 12 before"
            if abs(change) < 2
            else (" in the last 12 full months as in the 12 before")
        )
        return f"{size}: {after:,.0f} against {before:,.0f}"
    if len(full) >= 2:
        most = f"most in {_month(full.idxmax())}, {full.max():,.0f}"
        if all_months.max() > full.max():
            most = f"more in {_month(all_months.idxmax())}, which is not over: {all_months.max():,.0f}"
        return f"{short(full.mean())} orders a month on average; {most}"
    first, last = _month(all_months.index[0]), _month(all_months.index[-1])
    return f"{_count(all_months.sum(), 'order')} " + (f"in {first}" if first == last else f"from {first} to {last}")


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
        return f"{_count(chosen, 'segment')} come out most alike when repeated: {figures}"
    return (
        f"{_count(chosen, 'segment')} chosen: {figures}; {best['k']:.0f} would be more stable, {best['stability']:.2f}"
    )


def _way_in_words(row) -> str:
    text = f"{percent(row.rate)} go on{_interval(row.low, row.high, ' (', ')')}"
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


def _trait(trait: str, level) -> str:
    if level == "yes":
        return in_words(trait)
    return f"{in_words(trait)}: {level}" if isinstance(level, str) and level else in_words(trait)


def _value(value: float, kind: str) -> str:
    return percent(value) if kind == "share" else short(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text[-1] in ".!?…" else text + "."


def _is_wide() -> bool:
    return plt.rcParams["figure.figsize"][0] > 6


def _room(share: float) -> int:
    """How many letters of 9 points go into a share of the figure's width."""
    return max(10, int(plt.rcParams["figure.figsize"][0] * 72 * share / 5.6))


def _name(text) -> str:
    """A name for the left margin: broken into two lines at most, cut after that."""
    return "\n".join(textwrap.wrap(str(text), _room(0.24), max_lines=2, placeholder=" …"))


def _wrapped(text: str, share: float) -> str:
    """A longer text in at most two lines of that share of the figure's width."""
    return "\n".join(textwrap.wrap(text, int(_room(share) * 1.1), max_lines=2, placeholder=" …"))


def _elided(text, length: int) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _listing(pairs, limit: int = 12) -> str:
    return "; ".join(f"{name} {value}" for name, value in list(pairs)[:limit])


def _month(period: pd.Period) -> str:
    return f"{calendar.month_name[period.month]} {period.year}"


def _count(n: float, noun: str) -> str:
    return f"{n:,.0f} {noun}" + ("" if n == 1 else "s")


def _interval(low: float, high: float, before: str = "", after: str = "") -> str:
    """Two shares as an interval in per cent; nothing where they are unknown."""
    if not np.isfinite([low, high]).all():
        return ""
    return f"{before}{percent_range(low, high)}{after}"


def _sizes_in_words(sizes: pd.Series) -> str:
    least, most = sizes.min(), sizes.max()
    return (
        f"n = {_count(most, 'customer')} in each group"
        if least == most
        else f"n = {least:,.0f} to {most:,.0f} customers in a group"
    )


def _decimals(widths) -> int:
    """How many decimals leave the first two digits of a usual interval; more would say nothing."""
    known = widths[np.isfinite(widths) & (widths > 0)]
    return max(0, 1 - int(np.floor(np.log10(np.median(known))))) if len(known) else 2


def _with_interval(value: float, low: float, high: float, decimals: int | None) -> str:
    """A figure with its interval in brackets, if it has one; in per cent where no decimals are given."""
    if decimals is None:
        return percent(value) + _interval(low, high, " (", ")")
    figure, least, most = (f"{x:z,.{decimals}f}".replace("-", "−") for x in (value, low, high))
    return f"{figure} ({least} to {most})" if np.isfinite([low, high]).all() else figure


def _few_digits(number: float) -> str:
    if not np.isfinite(number):
        return str(number)
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
