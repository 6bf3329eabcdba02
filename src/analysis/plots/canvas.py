"""The canvas of every figure: colours, look, how a title, the axes and the small last line are written."""

import datetime
import io
import re
import sys
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter
from pandas.io.formats.style import Styler

from analysis.evidence import percent, percent_range, short
from analysis.locale import column_name, day, named
from analysis.phrases import counted, figure, from_the_right, isolated, phrase

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
CLEAR = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 1}


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
    formats |= dict.fromkeys(frame.select_dtypes("datetime").columns, day)
    formats |= {column: percent for column in shares if column in frame}
    lists = [
        c for c in frame.select_dtypes(["object", "str"]) if frame[c].map(lambda cell: isinstance(cell, list)).any()
    ]
    said = {c: frame[c].map(_listed, na_action="ignore") for c in lists}
    said |= {c: frame[c].map({True: phrase("yes"), False: phrase("no")}) for c in frame.select_dtypes("bool")}
    texts = [c for c in frame.select_dtypes(["object", "str", "category"]) if c not in lists]
    said |= {c: frame[c].astype(object).map(lambda v, c=c: _cell(v, c), na_action="ignore") for c in texts}
    styled = frame.assign(**said).style.hide(axis="index").format(formats, na_rep="", escape="html")
    return styled.format_index(_column_heading, axis="columns")


def alt_text(figure: Figure) -> str:
    """What a figure says, for a reader who cannot see it.

    For our figures: the finding, what is drawn with its main values, and the last line. For any other figure: its
    titles and the labels of its axes.

    Examples
    --------
    >>> from analysis import plots
    >>> alt_text(plots.lorenz(pd.DataFrame({"customers": [0, 0.2, 1], "revenue": [0, 0.8, 1]}), 0.8, 0.7, 0.9).figure)
    'A fifth of customers bring 80 % of revenue (interval 70 to 90 %). Curve of the ...'
    """
    titles = [figure.get_suptitle()]
    titles += [axes.get_title(loc) for axes in figure.axes for loc in ("left", "center", "right")]
    drawn = figure.get_label() or phrase("; ").join(filter(None, map(_axes_in_words, figure.axes)))
    sentences = [*titles, drawn, figure.get_supxlabel()]
    return " ".join(_sentence(s) for s in sentences if s) or phrase("Figure without a title.")


def segment_colour(number: int) -> str:
    """The colour of a segment, the same in every figure; from the ninth on they come round again.

    Examples
    --------
    >>> segment_colour(1) == SEGMENT[0] == segment_colour(9)
    True
    """
    return SEGMENT[(int(number) - 1) % len(SEGMENT)]


def canvas(height: float | None = None, rows: float = 0, least: float = 1.9, panels: int = 1):
    """Axes as wide as the theme says and as high as `height` inches, or as so many rows of labelled bars need."""
    size = (plt.rcParams["figure.figsize"][0], height or max(least, 1.25 + 0.3 * rows))
    return plt.subplots(panels, figsize=size, layout="constrained", sharex=True, height_ratios=[3, 2][:panels])[1]


def finish(axes: Axes, title: str, drawn: str, notes: str, source: str | None) -> Axes:
    """Write title and last line over the whole width, attach the description, and fix the layout."""
    drawing, edge = axes.figure, (0.996 if from_the_right() else 0.004)
    side = "right" if from_the_right() else "left"
    drawing.set_label(drawn)
    title_width = drawing.bbox.width * 0.98
    line = drawing.supxlabel("", x=edge, ha=side, size=8, color=QUIET)
    _fill(line, " · ".join(filter(None, (isolated(source or ""), notes))), title_width)
    axes.set_title("", loc="center", ha=side, pad=26 if axes.get_ylabel() else 12)
    _fill(axes.title, title, title_width)
    if axes.get_xlabel():
        _fill(axes.xaxis.label, axes.get_xlabel(), title_width * 0.85)
    _write_ticks_in_the_language(drawing)
    # Further lines of text must not squeeze the marks.
    more = 0.19 * axes.get_title().count("\n") + 0.14 * (line.get_text() + axes.get_xlabel()).count("\n")
    drawing.set_figheight(drawing.get_figheight() + more)
    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")
    # Flush with the figure's edge, not with the axes': long names on the left would push it far in.
    box = axes.get_position()
    axes.title.set_x((edge - box.x0) / box.width)
    return axes


def time_axis(axes: Axes) -> None:
    """Let time run the way the readers read: in Persian from right to left. Once its limits are set."""
    if from_the_right() and not axes.xaxis_inverted():
        axes.invert_xaxis()


def as_one_reads(axes: Axes) -> None:
    """Let what comes first stand where readers begin: in Persian at the right, with what is written beside it."""
    time_axis(axes)
    if from_the_right():
        axes.yaxis.tick_right()
        axes.yaxis.set_label_coords(1, 1.015)
        axes.yaxis.label.set_horizontalalignment("right")


def beginning() -> str:
    """The side on which a text begins."""
    return "right" if from_the_right() else "left"


def nothing_to_show(reason: str) -> Axes:
    axes = canvas(height=0.8)
    axes.set_axis_off()
    side = "right" if from_the_right() else "left"
    title = axes.set_title("", loc="center", ha=side, color=QUIET, weight="normal", x=int(from_the_right()))
    _fill(title, phrase("Nothing to show: {reason}.", reason=reason), axes.figure.bbox.width * 0.95)
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
    text.set_text("\n".join(map(_from_its_side, lines)))


def _from_its_side(line: str) -> str:
    """A line of Persian that begins with something else, set from the right all the same."""
    as_persian = not from_the_right() or re.match("[^A-Za-z]*?[\u0621-\u064a\u067e-\u06d3]", line)
    return line if as_persian else f"\u200f{line}"


def _svg_bundle(figure: Figure):
    """A figure as Jupyter stores it: SVG and plain text, and the alternative text as the SVG's metadata."""
    if not figure.axes and not figure.lines:
        return None
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.08, metadata={"Date": None, "Creator": None})
    alt = alt_text(figure)
    return {"image/svg+xml": buffer.getvalue(), "text/plain": alt}, {"image/svg+xml": {"alt": alt}}


def _axes_in_words(axes: Axes) -> str:
    labels = ((phrase("horizontal axis"), axes.get_xlabel()), (phrase("vertical axis"), axes.get_ylabel()))
    return phrase(", ").join(f"{name}: {label}" for name, label in labels if label)


def heading(axes: Axes, text: str) -> None:
    """The vertical axis's label, written flat above it, where it can be read without tilting one's head."""
    axes.set_ylabel(text, rotation=0, ha="left", va="bottom")
    axes.yaxis.set_label_coords(0, 1.015)


def grid(axes: Axes, axis: str) -> None:
    axes.grid(True, axis=axis)
    axes.set_axisbelow(True)


def ranked_axis(axes: Axes, labels: list[str]) -> None:
    """Names down the left, the first on top, without line or ticks."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def share_axis(axes: Axes, label: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5 if is_wide() else 2, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: figure(f"{100 * v:.3g} %")))
    axes.set_xlabel(label)


def figures_by_group(axes: Axes, groups, texts: list[str], label: str, share: bool) -> None:
    """Groups down the left, their figures along the axis and, in words, on the right."""
    grid(axes, "x")
    if share:
        share_axis(axes, label)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5 if is_wide() else 2))
        amount_axis(axes.xaxis)
        axes.set_xlabel(label)
    label_bars(axes, range(len(texts)), np.full(len(texts), axes.get_xlim()[1]), texts, size=8)
    ranked_axis(axes, [name_of(group) for group in groups])


def amount_axis(axis) -> None:
    axis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))


def write(axes: Axes, text: str, xy, offset=(0, 0), **style):
    """A text so many points beside a place of the data, wherever that is."""
    return axes.annotate(text, xy, xytext=offset, textcoords="offset points", annotation_clip=False, **style)


def label_bars(axes: Axes, y, x, texts, colour: str = INK, size: int = 9) -> None:
    """Write a text at the end of each bar, outside it."""
    for at, end, text in zip(y, x, texts, strict=True):
        side = -1 if (end < 0) != axes.xaxis_inverted() else 1
        write(
            axes,
            text,
            (end, at),
            offset=(5 * side, 0),
            va="center",
            color=colour,
            size=size,
            ha="left" if side > 0 else "right",
            multialignment="right" if from_the_right() else None,
        )


def heat(axes: Axes, values, text, size: int = 9, nudge: float = 0.0, top: float | None = None) -> None:
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


def _listed(items: list) -> str:
    return phrase("; ").join(named(item) for item in items)


def _cell(value, column: str) -> str:
    return day(value) if isinstance(value, datetime.date) else named(value, column)


def _column_heading(column) -> str:
    """What a column of a table is called over it; the catalogue `columns` has them by their names."""
    return column_name(column).replace("_", " ")


def _write_ticks_in_the_language(drawing: Figure) -> None:
    """Plain numbers along the axes get the language's digits; texts and our own figures have them."""
    for axis in (a for axes in drawing.axes for a in (axes.xaxis, axes.yaxis)):
        if from_the_right() and isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(FuncFormatter(lambda v, _: figure(f"{v:,.6g}".replace("-", "−"))))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text[-1] in ".!?؟…" else text + "."


def is_wide() -> bool:
    return plt.rcParams["figure.figsize"][0] > 6


def room(share: float) -> int:
    """How many letters of 9 points go into a share of the figure's width."""
    return max(10, int(plt.rcParams["figure.figsize"][0] * 72 * share / 5.6))


def name_of(text) -> str:
    """A name for the left margin: broken into two lines at most, cut after that."""
    return "\n".join(textwrap.wrap(named(text), room(0.24), max_lines=2, placeholder=" …"))


def wrapped(text: str, share: float) -> str:
    """A longer text in at most two lines of that share of the figure's width."""
    lines = textwrap.wrap(text, int(room(share) * 1.1), max_lines=2, placeholder=" …")
    return "\n".join(map(_from_its_side, lines))


def elided(text, length: int) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def listing(pairs, limit: int = 12) -> str:
    return phrase("; ").join(f"{name} {value}" for name, value in list(pairs)[:limit])


def interval_words(low: float, high: float, before: str = "", after: str = "") -> str:
    """Two shares as an interval in per cent; nothing where they are unknown."""
    if not np.isfinite([low, high]).all():
        return ""
    return f"{before}{percent_range(low, high)}{after}"


def interval_in_brackets(low: float, high: float) -> str:
    """The interval of a share, behind it; nothing where it is unknown."""
    said = interval_words(low, high)
    return phrase(" (interval {range})", range=said) if said else ""


def sizes_in_words(sizes: pd.Series, unit: str = "customer") -> str:
    least, most = sizes.min(), sizes.max()
    if least == most:
        return phrase("n = {n} in each group", n=counted(most, unit))
    return phrase("n = {least:,.0f} to {most} in a group", least=least, most=counted(most, unit))


def _few_digits(number: float) -> str:
    if not np.isfinite(number):
        return str(number)
    return figure(f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}")
