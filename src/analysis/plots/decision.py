"""Figures of a decision whom to contact."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import percent, short
from analysis.locale import named
from analysis.phrases import from_the_right, isolated, marked, phrase
from analysis.plots.canvas import (
    ACCENT,
    CLEAR,
    GREY,
    INK,
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
    listing,
    nothing_to_show,
    room,
    share_axis,
    write,
)

#: Lines that are named; the others are drawn pale.
_NAMED = 6


def profit_curve(
    curve: pd.DataFrame, profits: pd.DataFrame, use: str = "", currency: str = "", source: str | None = None
) -> Axes:
    """What contacting more and more customers earns, by each way to choose who comes first.

    Parameters
    ----------
    curve, profits : DataFrame, as ``segments.policy`` gives them
    use : the rule in question, drawn in amber with its band
    currency : of the profit, for the axis
    source : where the figures come from, for the last line

    Examples
    --------
    >>> curve = pd.DataFrame({"rule": ["mass marketing"] * 2 + ["RFM"] * 3, "kind": ["mass marketing"] * 2 +
    ...     ["segmentation"] * 3, "share": [0, 1, 0, 0.5, 1], "profit": [0, 10.0, 0, 30, 10], "low": 0.0, "high": 40.0})
    >>> profits = pd.DataFrame({"rule": ["mass marketing", "RFM"], "kind": ["mass marketing", "segmentation"],
    ...     "contacted": [40.0, 20], "share": [1, 0.5], "profit": [10.0, 30], "low": [5.0, 20], "high": [15.0, 40]})
    >>> print(profit_curve(curve, profits, "RFM", "GBP").get_title())
    Contacting 50 % of customers by \u200eRFM\u200e earns 30 GBP; mass marketing to 100 % earns 10 GBP
    """
    if curve.empty or profits.empty:
        return nothing_to_show("no rule was judged")
    require_columns("curve", curve.columns, ["rule", "kind", "share", "profit", "low", "high"])
    require_columns("profits", profits.columns, ["rule", "kind", "contacted", "share", "profit", "low", "high"])
    ranked = profits.sort_values("profit", ascending=False, kind="stable")
    bold = _to_name(ranked, use)
    axes = canvas(height=4.4)
    axes.axhline(0, color=QUIET, lw=0.9)
    for row in ranked.iloc[::-1].itertuples():
        line = curve[curve["rule"] == row.rule].sort_values("share")
        style = _style(row, use) if row.rule in bold else {"color": PALE, "lw": 1.0}
        if row.rule == use:
            axes.fill_between(line["share"], line["low"], line["high"], color=ACCENT, alpha=0.12, lw=0)
        axes.plot(line["share"], line["profit"], **style)
        if row.rule in bold:
            axes.plot(row.share, row.profit, "o", ms=6, color=style["color"], zorder=4)
    shown = ranked[ranked["rule"].isin(bold)]
    _label(axes, shown, curve, use)
    share_axis(
        axes,
        phrase("share of customers contacted; the dot: where the rule stops, at the budget or where nothing is left"),
    )
    amount_axis(axes.yaxis)
    axes.set_xlim(0, 1)
    grid(axes, "y")
    unit = named(currency, "currency")
    heading(axes, phrase("profit ({currency})", currency=unit) if currency else phrase("profit"))
    drawn = phrase(
        "Curves of profit by share contacted; where each rule stops it earns: {rules}", rules=_profits_in_words(ranked)
    )
    notes = [_judged(profits)]
    notes += [phrase("band: 95 % interval")] if use in set(ranked["rule"]) else []
    others = len(ranked) - len(bold)
    notes += [phrase("pale: {rules}", rules=counted(others, "further rule"))] if others else []
    return finish(axes, _title(ranked, use, unit), drawn, phrase("; ").join(filter(None, notes)), source)


def profits(profits: pd.DataFrame, use: str = "", currency: str = "", source: str | None = None) -> Axes:
    """What each way to choose whom to contact earns within the budget, with its interval.

    Parameters
    ----------
    profits : DataFrame, as ``segments.policy`` gives it
    use : the rule in question, drawn in amber
    currency : of the profit, for the axis
    source : where the figures come from, for the last line

    Examples
    --------
    >>> table = pd.DataFrame({"rule": ["mass marketing", "RFM"], "kind": ["mass marketing", "segmentation"],
    ...     "contacted": [40.0, 20], "share": [1, 0.5], "profit": [10.0, 30], "low": [5.0, 20], "high": [15.0, 40]})
    >>> profits(table, "RFM", "GBP").get_xlabel()
    'profit (GBP), from the share of customers that the rule contacts'
    """
    if profits.empty:
        return nothing_to_show("no rule was judged")
    require_columns("profits", profits.columns, ["rule", "kind", "contacted", "share", "profit", "low", "high"])
    ranked = profits.sort_values("profit", ascending=False, kind="stable")
    axes = canvas(rows=1.05 * len(ranked))
    axes.axvline(0, color=QUIET, lw=0.9)
    for place, row in enumerate(ranked.itertuples()):
        reach = [[row.profit - row.low], [row.high - row.profit]]
        colour = ACCENT if row.rule == use else QUIET
        axes.errorbar(row.profit, place, xerr=reach, fmt="o", ms=6, color=colour, lw=2, capsize=3)
    texts = [
        phrase("{profit} from {share}", profit=short(row.profit), share=percent(row.share))
        for row in ranked.itertuples()
    ]
    unit = named(currency, "currency")
    label = phrase("profit, from the share of customers that the rule contacts")
    if currency:
        label = phrase("profit ({currency}), from the share of customers that the rule contacts", currency=unit)
    figures_by_group(axes, [named(rule, "rule") for rule in ranked["rule"]], texts, label, share=False)
    drawn = phrase("Profit by rule with its interval: {rules}", rules=_profits_in_words(ranked))
    return finish(axes, _title(ranked, use, unit), drawn, _judged(profits), source)


def _profits_in_words(ranked: pd.DataFrame) -> str:
    return listing((named(row.rule, "rule"), _figures(row)) for row in ranked.itertuples())


def _figures(row) -> str:
    return phrase("{profit} ({low} to {high})", profit=short(row.profit), low=short(row.low), high=short(row.high))


def _judged(profits: pd.DataFrame) -> str:
    """How many customers were judged, as the shares tell."""
    share = profits["share"].sum()
    if share <= 0:
        return ""
    return phrase("n = {customers} judged", customers=counted(profits["contacted"].sum() / share, "customer"))


def _to_name(ranked: pd.DataFrame, use: str) -> set[str]:
    """The rules to name: the one to use, mass marketing, the model, and then those that earn most."""
    first = ranked["rule"].eq(use) | ranked["kind"].isin(["mass marketing", "one to one"])
    return set(pd.concat([ranked[first], ranked[~first]])["rule"].head(_NAMED))


def _style(row, use: str) -> dict:
    if row.rule == use:
        return {"color": ACCENT, "lw": 2.5, "zorder": 3}
    kinds = {"mass marketing": (GREY, (0, (4, 2))), "one to one": (INK, "-"), "single number": (QUIET, (0, (1, 1)))}
    colour, dashes = kinds.get(row.kind, (QUIET, "-"))
    return {"color": colour, "lw": 1.6, "ls": dashes}


def _label(axes: Axes, shown: pd.DataFrame, curve: pd.DataFrame, use: str) -> None:
    """Names beside the dots, or below the curves where the dots lie far to the right, none on another."""
    low, high = min(0, curve["profit"].min()), np.nanmax([curve["profit"].max(), curve["high"].max(), 1e-9])
    height = high - low
    axes.set_ylim(low - 0.05 * height, high + 0.05 * height)
    far = shown["share"].median() > 0.5
    at = 0.62 if far else min(shown["share"].max() + 0.04, 0.6)
    top = low + 0.5 * height if far else np.inf
    for row, place in zip(
        shown.itertuples(), _apart(shown["profit"].clip(upper=top), 0.075 * height, low), strict=True
    ):
        colour = ACCENT if row.rule == use else INK if row.kind == "one to one" else QUIET
        axes.plot([row.share, at], [row.profit, place], color=GREY, lw=0.6, zorder=2)
        words = f"{_as_it_is(elided(named(row.rule, 'rule'), room(0.25)))}: {short(row.profit)}"
        weight = "bold" if row.rule == use else "normal"
        write(axes, words, (at, place), (3, 0), va="center", color=colour, weight=weight, bbox=CLEAR)


def _apart(heights: pd.Series, gap: float, least: float) -> np.ndarray:
    """Falling heights, moved so that they are a gap apart and none is below the least."""
    place = heights.to_numpy(dtype=float, copy=True)
    for i in range(1, len(place)):
        place[i] = min(place[i], place[i - 1] - gap)
    for i in range(len(place)):
        place[i] = max(place[i], least + (len(place) - 1 - i) * gap)
    return place


def _title(ranked: pd.DataFrame, use: str, currency: str) -> str:
    by_rule = ranked.set_index("rule")
    best = use if use in by_rule.index else ranked["rule"].iloc[0]
    mass = "mass marketing"
    told = by_rule.loc[mass] if mass in by_rule.index else None
    against = {} if told is None else {"all": percent(told["share"]), "all_earns": _sum(told["profit"], currency)}
    if best == mass:
        nobody = marked("Nothing clearly beats mass marketing, which would contact nobody")
        some = marked("Nothing clearly beats mass marketing, which earns {all_earns} from {all} of customers")
        does = some if told["share"] else nobody
        return phrase(does, **against)
    said = {"share": percent(by_rule.loc[best, "share"]), "rule": _as_it_is(elided(named(best, "rule"), 40))}
    said |= {"earns": _sum(by_rule.loc[best, "profit"], currency)} | against
    if told is None:
        return phrase("Contacting {share} of customers by {rule} earns {earns}", **said)
    nobody = marked("Contacting {share} of customers by {rule} earns {earns}; mass marketing would contact nobody")
    some = marked("Contacting {share} of customers by {rule} earns {earns}; mass marketing to {all} earns {all_earns}")
    does = some if told["share"] else nobody
    return phrase(does, **said)


def _sum(profit: float, unit: str) -> str:
    return f"{short(profit)} {unit}".strip()


def _as_it_is(name: str) -> str:
    """A name that leaves the text around it in its order, whichever way it is written itself."""
    return isolated(name) if from_the_right() else f"\u200e{name}\u200e"
