"""The figure of attribution: what share each channel may claim, by every way of counting."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import percent, percent_range
from analysis.locale import named
from analysis.phrases import figure, phrase
from analysis.plots.canvas import (
    ACCENT,
    INK,
    PALE,
    QUIET,
    canvas,
    counted,
    elided,
    finish,
    grid,
    is_wide,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    share_axis,
    write,
)

#: More channels than this are not drawn.
_MOST = 30

#: What no channel may claim, as :data:`analysis.journeys.NO_TOUCH` has it.
_NO_TOUCH = "(no touch)"

#: Ways of counting that are not called as their method.
_WORDS = {"markov": "Markov", "last": "last touch"}


def attribution(attribution: pd.DataFrame, unit: str = "conversion", source: str | None = None) -> Axes:
    """What share of the conversions each channel may claim: by the model, by last touch, by all other ways of counting.

    Parameters
    ----------
    attribution : DataFrame, as from :func:`analysis.journeys.attribution`; channels stand in its order, and the method
        that comes last is the model
    unit : what a conversion is called: order, deal
    source : where the figures come from, for the last line

    Examples
    --------
    >>> row = dict(channel="web", conversions=40.0, low=0.3, high=0.5, last_touch=0.6, difference=-0.2, differs=True)
    >>> table = pd.DataFrame([row | dict(method="last", share=0.6), row | dict(method="markov", share=0.4)])
    >>> print(attribution(table, "order").get_title())
    By Markov, web may claim 40 % of orders, by last touch 60 %: nowhere do the two differ more
    """
    unit = named(unit)
    if attribution.empty or not attribution["share"].notna().any():
        return nothing_to_show(phrase("there are no {unit}s to share out", unit=unit))
    need = ["channel", "method", "conversions", "share", "low", "high", "last_touch", "difference", "differs"]
    require_columns("attribution", attribution.columns, need)
    channels, methods = list(dict.fromkeys(attribution["channel"])), list(dict.fromkeys(attribution["method"]))
    figures, shown = attribution.set_index(["channel", "method"]), _shown(channels)
    shares = figures["share"].unstack().loc[channels, methods]
    axes = canvas(rows=len(shown) * (1.15 if len(shown) < 12 else 0.95) + 1, least=2.4)
    grid(axes, "x")
    for at, name in enumerate(shown):
        _row(axes, at, figures.loc[name], methods[-1])
    _key(axes, figures.loc[shown[0]], methods[-1])
    ranked_axis(axes, [name_of(name) for name in shown])
    axes.set(xlim=(0, 1.1 * figures.loc[shown, ["share", "high"]].max(axis=None)), ylim=(len(shown) - 0.4, -1.1))
    share_axis(axes, phrase("share of {unit}s", unit=unit))
    if is_wide():
        _columns(axes, shares.loc[shown])
    drawn = listing((elided(named(c), 30), _in_words(shares.loc[c])) for c in shown)
    drawn = phrase("Dots with intervals by channel: {shares}", shares=drawn)
    notes = _notes(attribution, shares, shown, unit)
    return finish(axes, _finding(attribution, unit, methods[-1]), drawn, notes, source)


def _shown(channels: list[str]) -> list[str]:
    """The first channels; "(no touch)", which comes last, always."""
    if len(channels) <= _MOST:
        return channels
    last = [c for c in channels[-1:] if c == _NO_TOUCH]
    return [*channels[: _MOST - len(last)], *last]


def _row(axes: Axes, at: int, ways: pd.DataFrame, model: str) -> None:
    """A channel: the range of all ways of counting, last touch above, the model below."""
    axes.plot([ways["share"].min(), ways["share"].max()], [at, at], color=PALE, lw=9, solid_capstyle="butt", zorder=1)
    for method, colour, y in (("last", QUIET, at - 0.13), (model, ACCENT, at + 0.13)):
        if method in ways.index and (method == model or model != "last"):
            way = ways.loc[method]
            arms = np.clip([[way["share"] - way["low"]], [way["high"] - way["share"]]], 0, None)
            axes.errorbar(way["share"], y, xerr=arms, fmt="o", ms=4.5, color=colour, lw=1.3, capsize=2,
                          zorder=3, clip_on=False)  # fmt: skip


def _key(axes: Axes, ways: pd.DataFrame, model: str) -> None:
    """Which dot is which, in words above the first row."""
    left = ways["share"].get("last", np.nan) < ways.loc[model, "share"]
    for method, colour in (("last", QUIET), (model, ACCENT)):
        if method in ways.index and (method == model or model != "last"):
            side = -1 if (method == "last") == left else 1
            style = {"offset": (2 * side, 0), "ha": "left" if side > 0 else "right", "color": colour, "size": 8}
            write(axes, _word(method), (ways.loc[method, "share"], -0.45), **style)


def _columns(axes: Axes, shares: pd.DataFrame) -> None:
    """All ways of counting in figures, right of the axis."""
    for i, method in enumerate(shares):
        style = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "annotation_clip": False}
        style |= {"xytext": (45 + 36 * i, 0), "ha": "right", "size": 8}
        axes.annotate(_word(method).replace(" ", "\n"), (1, -0.62), va="baseline", color=QUIET, linespacing=1, **style)
        for y, share in enumerate(shares[method]):
            colour = ACCENT if i == len(shares.columns) - 1 else INK
            axes.annotate(figure(f"{100 * share:.1f}"), (1, y), va="center", color=colour, **style)


def _word(method: str) -> str:
    return named(_WORDS.get(method, method), "method")


def _in_words(shares: pd.Series) -> str:
    """The model's share of a channel, and the range of all."""
    said = {"share": shares.iloc[-1], "low": shares.min(), "high": shares.max()}
    said = {name: percent(share, 1) for name, share in said.items()}
    return phrase("{share} by {method}, {low} to {high} by all ways", method=_word(shares.index[-1]), **said)


def _notes(attribution: pd.DataFrame, shares: pd.DataFrame, shown: list[str], unit: str) -> str:
    model = shares.columns[-1]
    total = attribution.loc[attribution["method"] == model, "conversions"].sum()
    notes = [phrase("n = {n}", n=counted(round(total), unit)), phrase("95 % intervals")]
    ways = len(shares.columns)
    if is_wide():
        notes.append(
            phrase(
                "pale: from the least to the most by all {n} ways of counting, which stand on the right in %", n=ways
            )
        )
    else:
        notes.append(phrase("pale: from the least to the most by all {n} ways of counting", n=ways))
    left = shares.drop(shown)
    if len(left):
        of_left = {"channels": counted(len(left), "channel"), "share": percent(left[model].sum(), 1)}
        notes.append(phrase("{channels} more have {share} by {method}", method=_word(model), **of_left))
    return phrase("; ").join(notes)


def _finding(attribution: pd.DataFrame, unit: str, model: str) -> str:
    """The channel on which the model and last touch differ most; else the one with the largest share."""
    touched = attribution[(attribution["method"] == model) & (attribution["channel"] != _NO_TOUCH)]
    if touched.empty or not touched["share"].max():
        return phrase("None of {n} had a touch before it", n=counted(round(attribution["conversions"].max()), unit))
    apart = touched[touched["differs"].astype(bool)]
    row = apart.loc[apart["difference"].abs().idxmax()] if len(apart) else touched.loc[touched["share"].idxmax()]
    said = {"method": _word(model), "channel": elided(named(row["channel"]), 40), "unit": unit}
    said |= {"share": percent(row["share"]), "last": percent(row["last_touch"])}
    said |= {"interval": percent_range(row["low"], row["high"])}
    if len(apart):
        return phrase(
            "By {method}, {channel} may claim {share} of {unit}s, by last touch {last}: nowhere do the two differ more",
            **said,
        )
    if model == "last":
        return phrase("By {method}, {channel} leads with {share} of {unit}s ({interval})", **said)
    return phrase(
        "By {method}, {channel} leads with {share} of {unit}s ({interval}); last touch says the same as far as chance "
        "lets one see",
        **said,
    )
