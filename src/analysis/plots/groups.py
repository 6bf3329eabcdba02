"""Figures of what sets one group apart from the others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.errors import Problem, require_columns
from analysis.evidence import in_words, percent, short
from analysis.locale import named
from analysis.phrases import counted, figure, phrase
from analysis.plots.canvas import (
    ACCENT,
    INK,
    QUIET,
    canvas,
    elided,
    figures_by_group,
    finish,
    grid,
    interval_words,
    is_wide,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    segment_colour,
    sizes_in_words,
)


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
        return nothing_to_show(phrase("no traits were compared"))
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
    numbered = isinstance(group, (int, np.integer))
    who = phrase("group {number}", number=int(group)) if numbered else elided(named(group), 40)
    if "distinctive" in traits.columns:
        traits = traits[traits["distinctive"].astype(bool)]
    traits = traits[(traits["difference"] != 0) & traits["effect"].notna()]
    if traits.empty:
        of_all = counted(compared, "trait")
        return nothing_to_show(
            phrase("none of {traits} sets {group} clearly apart from everybody else", traits=of_all, group=who)
        )
    order = traits.assign(size=traits["effect"].abs()).sort_values(
        ["size", "trait", "level"], ascending=[False, True, True]
    )
    shown = order.head(14)
    scale = shown["size"] / shown["difference"].abs()
    at, low, high = (shown[c].to_numpy(float) * scale.to_numpy() for c in ("difference", "low", "high"))
    labels = [_trait(r.trait, r.level) for r in shown.itertuples()]
    values = [
        phrase("{value} against {elsewhere}", value=_value(r.value, r.kind), elsewhere=_value(r.elsewhere, r.kind))
        for r in shown.itertuples()
    ]
    axes = canvas(rows=1.05 * len(shown), least=2.4)
    y = np.arange(len(shown))
    colour = segment_colour(number) if isinstance(number, (int, np.integer)) and number > 0 else ACCENT
    axes.axvline(0, color=QUIET, lw=0.9)
    axes.errorbar(at, y, xerr=[at - low, high - at], fmt="o", ms=7, color=colour, lw=2, capsize=3)
    reach = max(1.0, np.abs([low, high]).max()) * 1.08
    axes.set_xlim(-reach, reach)
    label_bars(axes, y, np.full(len(y), reach), values)
    ranked_axis(axes, [name_of(t) for t in labels])
    grid(axes, "x")
    axes.xaxis.set_major_locator(MaxNLocator(5 if is_wide() else 2))
    axes.set_xlabel(phrase("← less than elsewhere · size of the difference (effect) · more than elsewhere →"))
    title = phrase(
        "What sets {group} apart most: {trait}, {values} elsewhere",
        **{"group": who, "trait": elided(labels[0], 90), "values": values[0]},
    )
    listed = listing(zip(labels, values, strict=True))
    drawn = phrase("Differences with intervals, here against elsewhere: {traits}", traits=listed)
    return finish(axes, title, drawn, _shown_in_words(n, len(shown), compared), source)


def intervals(
    table: pd.DataFrame,
    title: str,
    label: str,
    of_interest: Sequence[str] = (),
    share: bool = False,
    nothing: float | None = None,
    unit: str = "customer",
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
    unit : what the groups consist of, where not of customers
    source : where the figures come from, for the last line

    Examples
    --------
    >>> table = pd.DataFrame({"group": ["app", "web"], "value": [0.4, 0.8], "low": [0.35, 0.7], "high": [0.45, 0.9]})
    >>> print(intervals(table, "Half as many get through on the app", "checkouts that end in an order").get_title())
    Half as many get through on the app
    """
    if table.empty:
        return nothing_to_show(phrase("there are no groups to compare"))
    require_columns("intervals", table.columns, ["group", "value", "low", "high"])
    at, low, high = (table[c].to_numpy(float) for c in ("value", "low", "high"))
    colours = [ACCENT if group in set(of_interest) else QUIET for group in table["group"]]
    axes, y = canvas(rows=1.05 * len(table)), np.arange(len(table))
    if nothing is not None:
        axes.axvline(nothing, color=QUIET, lw=0.9)
    for place, colour in enumerate(colours):
        reach = np.nan_to_num([[at[place] - low[place]], [high[place] - at[place]]])
        axes.errorbar(at[place], place, xerr=reach, fmt="o", ms=6, color=colour, lw=2, capsize=3)
    known = table["planted"].notna() if "planted" in table else np.zeros(len(table), dtype=bool)
    if known.any():
        axes.plot(table["planted"][known], y[known], "D", ms=9, mfc="none", mec=INK, mew=1.1, clip_on=False)
        label = phrase("{label} · hollow diamond: as planted", label=label)
    decimals = None if share else _decimals(high - low)
    texts = [_with_interval(*row, decimals) for row in zip(at, low, high, strict=True)]
    if "customers" in table:
        sizes = zip(texts, table["customers"], strict=True)
        texts = [phrase("{figure}, n = {n:,.0f}", figure=text, n=n) for text, n in sizes]
    figures_by_group(axes, table["group"], texts, label, share)
    drawn = phrase(
        "Figures with intervals: {groups}", groups=listing(zip(map(named, table["group"]), texts, strict=True))
    )
    return finish(axes, title, drawn, sizes_in_words(table["customers"], unit) if "customers" in table else "", source)


def _shown_in_words(n: int, shown: int, compared: int) -> str:
    given = {"customers": counted(n, "customer"), "k": shown, "traits": counted(compared, "trait")}
    if shown == 1:
        return phrase("n = {customers} in the group; {k} of {traits} compared is shown", **given)
    return phrase("n = {customers} in the group; {k} of {traits} compared are shown", **given)


def _trait(trait: str, level) -> str:
    if level == "yes" or not (isinstance(level, str) and level):
        return in_words(trait)
    return phrase("{trait}: {level}", trait=in_words(trait), level=named(level, trait))


def _value(value: float, kind: str) -> str:
    return percent(value) if kind == "share" else short(value)


def _decimals(widths) -> int:
    """How many decimals leave the first two digits of a usual interval; more would say nothing."""
    known = widths[np.isfinite(widths) & (widths > 0)]
    return max(0, 1 - int(np.floor(np.log10(np.median(known))))) if len(known) else 2


def _with_interval(value: float, low: float, high: float, decimals: int | None) -> str:
    """A figure with its interval in brackets, if it has one; in per cent where no decimals are given."""
    if decimals is None:
        return percent(value) + interval_words(low, high, " (", ")")
    at, least, most = (figure(f"{x:z,.{decimals}f}".replace("-", "−")) for x in (value, low, high))
    if not np.isfinite([low, high]).all():
        return at
    return phrase("{figure} ({low} to {high})", figure=at, low=least, high=most)
