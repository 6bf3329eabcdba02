"""Figures of channels: how much comes by another channel than the one asked for, and what that costs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import percent, percent_range
from analysis.plots.canvas import (
    ACCENT,
    GREY,
    QUIET,
    canvas,
    counted,
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
    wrapped,
)


def channel_mismatch(groups: pd.DataFrame, source: str | None = None) -> Axes:
    """Which share of the contacts comes by another channel than the one asked for, by group.

    Parameters
    ----------
    groups : DataFrame, ``journeys.channel_mismatch(...).groups``: columns group, contacted, contacts, mismatched, low,
        high, p_corrected; a group that differs from the others (p_corrected below 0.05) is in amber
    source : where the figures come from, for the last line

    Examples
    --------
    >>> groups = pd.DataFrame({"group": ["Readers"], "contacted": [80], "contacts": [400], "mismatched": [0.6],
    ...                        "low": [0.5], "high": [0.7], "p_corrected": [None]})
    >>> print(channel_mismatch(groups).get_title())
    60 % of the contacts come by another channel than the one asked for
    """
    if groups.empty or not groups["contacts"].sum():
        return nothing_to_show("nobody who asked for a channel was contacted")
    require_columns(
        "groups", groups.columns, ["group", "contacted", "contacts", "mismatched", "low", "high", "p_corrected"]
    )
    shown = groups[groups["contacts"] > 0].sort_values(
        ["mismatched", "group"], ascending=[False, True], ignore_index=True
    )
    shown = shown.astype(dict.fromkeys(("mismatched", "low", "high", "p_corrected"), "float64"))
    apart = shown["p_corrected"] < 0.05
    axes = canvas(rows=1.05 * len(shown))
    for row, marked in zip(shown.itertuples(), apart, strict=True):
        _dot(axes, row.Index, row.mismatched, row.low, row.high, ACCENT if marked else QUIET)
    all_in_all = (shown["mismatched"] * shown["contacts"]).sum() / shown["contacts"].sum()
    axes.set_xlim(0, 1)
    if len(shown) > 1:
        axes.axvline(all_in_all, color=GREY, lw=1, zorder=0)
    texts = [f"{percent(row.mismatched)} of {row.contacts:,.0f}" for row in shown.itertuples()]
    figures_by_group(
        axes, shown["group"], texts, "share of the contacts by another channel than the one asked for", share=True
    )
    drawn = "Share of contacts by another channel: " + listing(
        (row.group, percent(row.mismatched) + interval_words(row.low, row.high, " (interval ", ")"))
        for row in shown.itertuples()
    )
    notes = f"n = {counted(shown['contacted'].sum(), 'customer')}; 95 % intervals by customers"
    return finish(axes, _share_finding(shown, apart, all_in_all), drawn, notes, source)


def mismatch_effects(effects: pd.DataFrame, source: str | None = None) -> Axes:
    """What a contact brings to those who asked for another channel, beside what it brings to the others.

    Parameters
    ----------
    effects : DataFrame, ``journeys.channel_mismatch(...).effects``; the rows of a mismatch are drawn, those with the
        verdict "less" or "more" in amber
    source : where the figures come from, for the last line

    Examples
    --------
    >>> row = dict(contacted="phone", stated="email", matched=False, design="held out at random", customers=143,
    ...            effect=0.02, effect_low=-0.1, effect_high=0.14, others=0.25, others_low=0.2, others_high=0.3,
    ...            ratio=0.08, ratio_low=-0.4, ratio_high=0.6, verdict="less")
    >>> print(mismatch_effects(pd.DataFrame([row])).get_title())
    By phone to those who ask for email: 8 % of the effect on the others (interval −40 to 60 %)
    """
    if effects.empty or not effects["others"].notna().any():
        return nothing_to_show("no pair of channels has enough customers")
    need = [
        "contacted",
        "stated",
        "matched",
        "design",
        "customers",
        "effect",
        "effect_low",
        "effect_high",
        "others",
        "verdict",
    ]
    require_columns(
        "effects", effects.columns, [*need, "others_low", "others_high", "ratio", "ratio_low", "ratio_high"]
    )
    known = effects[~effects["matched"].astype(bool) & effects["effect"].notna()]
    if known.empty:
        return nothing_to_show("no pair of channels has enough customers")
    told = known["verdict"].isin(["less", "more"])
    shown = known.assign(quiet=~told).sort_values(["quiet", "contacted", "stated"], kind="stable", ignore_index=True)
    axes = canvas(rows=1.3 * len(shown))
    for row in shown.itertuples():
        _dot(axes, row.Index - 0.17, row.others, row.others_low, row.others_high, GREY)
        _dot(axes, row.Index + 0.17, row.effect, row.effect_low, row.effect_high, QUIET if row.quiet else ACCENT)
    axes.axvline(0, color=GREY, lw=1, zorder=0)
    grid(axes, "x")
    at_random = shown["design"].iloc[0] == "held out at random"
    what = "more purchases in 30 days by the contact" if at_random else "purchases in 30 days after the contact"
    axes.set_xlabel(f"{what}; grey above: {'the others' if at_random else 'if contacted as asked for'}")
    label_bars(
        axes,
        range(len(shown)),
        np.full(len(shown), axes.get_xlim()[1]),
        list(map(_verdict, shown.itertuples())),
        size=8,
    )
    ranked_axis(axes, [name_of(f"{row.stated} asked, {row.contacted} used") for row in shown.itertuples()])
    drawn = "Effect of a contact: " + listing(
        (f"by {row.contacted} to those who ask for {row.stated}", f"{row.effect:.2f} against {row.others:.2f}")
        for row in shown.itertuples()
    )
    n = shown["customers"]
    notes = f"n = {n.min():,} to {n.max():,} customers for each pair; 95 % intervals by customers"
    return finish(axes, _effect_finding(shown), drawn, notes, source)


def _dot(axes: Axes, y: float, value: float, low: float, high: float, colour: str) -> None:
    reach = np.nan_to_num([[max(value - low, 0)], [max(high - value, 0)]])
    axes.errorbar(value, y, xerr=reach, fmt="o", ms=5, lw=1.8, capsize=2.5, color=colour)


def _share_finding(shown: pd.DataFrame, apart: pd.Series, all_in_all: float) -> str:
    if not apart.any():
        same = ", in no group more or less than in the others" if len(shown) > 1 else ""
        return f"{percent(all_in_all)} of the contacts come by another channel than the one asked for{same}"
    most = shown.loc[(shown["mismatched"] - all_in_all).abs().where(apart).idxmax()]
    return (
        f"{elided(most['group'], 40)}: {percent(most['mismatched'])} of the contacts come by another channel than the "
        f"one asked for, {percent(all_in_all)} of all"
    )


def _effect_finding(shown: pd.DataFrame) -> str:
    told = shown[~shown["quiet"]]
    if told.empty:
        return "No mismatch of channels is found to cost or bring anything beyond chance"
    row = told.loc[(told["effect"] - told["others"]).abs().idxmax()]
    whom = f"By {row['contacted']} to those who ask for {row['stated']}"
    if not np.isfinite(row["ratio"]):
        return f"{whom}: {row['verdict']} than the others"
    of = "of the effect on the others" if row["design"] == "held out at random" else "of what they buy if asked"
    if row["ratio_high"] < 0:
        return f"{whom}: the contact takes purchases away"
    if row["ratio"] <= 0:
        return f"{whom}: none {of} (at most {percent(row['ratio_high'])})"
    return (
        f"{whom}: {percent(row['ratio'])} {of}{interval_words(row['ratio_low'], row['ratio_high'], ' (interval ', ')')}"
    )


def _verdict(row) -> str:
    n = f"n = {row.customers:,}"
    if not is_wide():
        return row.verdict
    if row.verdict == "cannot be judged" or not np.isfinite(row.ratio):
        return f"{row.verdict}, {n}"
    return wrapped(f"{row.verdict}: {percent(row.ratio)} ({percent_range(row.ratio_low, row.ratio_high)}), {n}", 0.3)
