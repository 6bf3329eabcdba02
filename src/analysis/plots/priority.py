"""Which segments first, with the parts that the order rests on side by side."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.errors import require_columns
from analysis.evidence import in_words, percent
from analysis.locale import named
from analysis.phrases import figure, marked, phrase
from analysis.plots.canvas import (
    ACCENT,
    QUIET,
    amount_axis,
    canvas,
    counted,
    elided,
    finish,
    grid,
    is_wide,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    wrapped,
)


def priority(order: pd.DataFrame, parts: pd.DataFrame | None = None, source: str | None = None) -> Axes:
    """The segments in their order, how sure each place is, and what each part is on average per customer.

    Parameters
    ----------
    order : DataFrame, ``segments.priority(...).order``: columns segment, perhaps segment_name, n, place, place_low,
        place_high, first, clear, first_by_weights
    parts : DataFrame, ``segments.priority(...).parts``: columns segment, part, measure, figure, low, high; a narrow
        figure has no room for them
    source : where the figures come from, for the last line

    Examples
    --------
    >>> order = pd.DataFrame({"segment": [1, 2], "n": [40, 60], "place": [1, 2], "place_low": [1, 2],
    ...                       "place_high": [1, 2], "first": [1.0, 0.0], "clear": [True, False],
    ...                       "first_by_weights": [0.8, 0.2]})
    >>> print(priority(order).get_title())
    Segment 1 first: so in 100 % of draws of the customers, and by 80 % of all weightings
    """
    if order.empty:
        return nothing_to_show(phrase("there are no segments to rank"))
    need = ["segment", "n", "place", "place_low", "place_high", "first", "clear", "first_by_weights"]
    require_columns("order", order.columns, need)
    order = order.sort_values(["place", "segment"], ignore_index=True)
    measures = [] if parts is None or not is_wide() else list(parts.groupby(["part", "measure"], sort=False))
    whole, *others, axes = _panels(len(order), len(measures))
    names = [
        named(name, "segment") if isinstance(name, str) else phrase("Segment {number}", number=name)
        for name in order.get("segment_name", order["segment"])
    ]
    said = [phrase("first in {share}", share=percent(share)) if share > 0 else "" for share in order["first"]]
    _dots(axes, order["place"], order["place_low"], order["place_high"], phrase("place, and\n95 % of draws"))
    axes.set(xlim=(0.5, len(order) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    label_bars(axes, range(len(order)), np.full(len(order), len(order) + 0.5), said, colour=QUIET, size=8)
    for panel, ((part, measure), of) in zip(others, measures, strict=True):
        of = order[["segment"]].merge(of, on="segment", how="left")
        _dots(panel, of["figure"], of["low"], of["high"], f"{named(part, 'part')}:\n{wrapped(in_words(measure), 0.14)}")
        panel.set_xlim(min(0, np.nanmin(of["low"].fillna(0))))
        panel.xaxis.set_major_locator(MaxNLocator(2))
        amount_axis(panel.xaxis)
        panel.tick_params(axis="x", labelsize=7)
    for panel in (axes, *others):
        ranked_axis(panel, [name_of(name) for name in names])
    drawn = _order_in_words(order, names, [name for name, _ in measures])
    return finish(whole, _finding(order.iloc[0], names[0], len(order)), drawn, _notes(order, measures), source)


def _order_in_words(order: pd.DataFrame, names: list[str], measures: list[tuple[str, str]]) -> str:
    """What is drawn: the segments with their places, and what stands beside them."""
    places = listing(
        (
            f"{figure(str(row.place))}. {name}",
            phrase("(place {low} to {high} in 95 % of draws)", low=row.place_low, high=row.place_high),
        )
        for name, row in zip(names, order.itertuples(), strict=True)
    )
    drawn = phrase("Segments in their order: {places}", places=places)
    if not measures:
        return drawn
    means = phrase(", ").join(f"{in_words(name)} ({named(part, 'part')})" for part, name in measures)
    return phrase("{said}. Beside it, with intervals, mean per customer of: {measures}", said=drawn, measures=means)


def _panels(segments: int, measures: int):
    """Axes that bear the title, one for each measure, and on the right those for the places."""
    if not measures:
        return [canvas(rows=segments)] * 2
    size = (plt.rcParams["figure.figsize"][0], max(2.4, 1.7 + 0.3 * segments))
    figure = plt.figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(1, measures + 1, width_ratios=[*[1] * measures, 1.3])
    whole = figure.add_subplot(grid[:])  # a title on the first alone would push the others away
    whole.set_axis_off()
    return [whole, *grid.subplots(sharey=True)]


def _dots(axes: Axes, at, low, high, label: str) -> None:
    """A figure of each segment with its interval, the first one in colour."""
    for place, (value, least, most) in enumerate(zip(at, low, high, strict=True)):
        if np.isfinite(value):
            reach = np.nan_to_num([[max(value - least, 0)], [max(most - value, 0)]])
            style = {"ms": 5, "lw": 1.8, "capsize": 2.5, "color": ACCENT if place == 0 else QUIET}
            axes.errorbar(value, place, xerr=reach, fmt="o", **style)
    grid(axes, "x")
    axes.set_xlabel(label, size=7.5)


def _finding(first: pd.Series, name: str, segments: int) -> str:
    name = elided(name, 40)
    if segments == 1:
        customers = counted(first["n"], "customer")
        return phrase("There is one segment to rank: {name}, {customers}", name=name, customers=customers)
    clearly = marked("{name} first: so in {draws} of draws of the customers, and by {weights} of all weightings")
    hardly = marked(
        "None is clearly first: {name} is in {draws} of draws of the customers, and by {weights} of all weightings"
    )
    shares = {"draws": percent(first["first"]), "weights": percent(first["first_by_weights"])}
    said = clearly if first["clear"] else hardly
    return phrase(said, name=name, **shares)


def _notes(order: pd.DataFrame, measures: list) -> str:
    customers = counted(order["n"].sum(), "customer")
    if measures:
        return phrase("n = {customers}; means per customer with 95 % intervals", customers=customers)
    return phrase("n = {customers}", customers=customers)
