"""Figures of channels: how much comes by another channel than the one asked for, and what that costs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import percent, percent_range
from analysis.locale import named
from analysis.phrases import phrase
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
        return nothing_to_show(phrase("nobody who asked for a channel was contacted"))
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
    shown["called"] = shown["group"].map(named)
    texts = [phrase("{share} of {n:,.0f}", share=percent(row.mismatched), n=row.contacts) for row in shown.itertuples()]
    label = phrase("share of the contacts by another channel than the one asked for")
    figures_by_group(axes, shown["called"], texts, label, share=True)
    drawn = listing((row.called, _with_interval(row.mismatched, row.low, row.high)) for row in shown.itertuples())
    drawn = phrase("Share of contacts by another channel: {shares}", shares=drawn)
    notes = phrase("n = {n}", n=counted(shown["contacted"].sum(), "customer"))
    notes = phrase("; ").join([notes, phrase("95 % intervals by customers")])
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
        return nothing_to_show(phrase("no pair of channels has enough customers"))
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
        return nothing_to_show(phrase("no pair of channels has enough customers"))
    told = known["verdict"].isin(["less", "more"])
    shown = known.assign(quiet=~told).sort_values(["quiet", "contacted", "stated"], kind="stable", ignore_index=True)
    shown = shown.assign(by=shown["contacted"].map(named), asked=shown["stated"].map(named))
    axes = canvas(rows=1.3 * len(shown))
    for row in shown.itertuples():
        _dot(axes, row.Index - 0.17, row.others, row.others_low, row.others_high, GREY)
        _dot(axes, row.Index + 0.17, row.effect, row.effect_low, row.effect_high, QUIET if row.quiet else ACCENT)
    axes.axvline(0, color=GREY, lw=1, zorder=0)
    grid(axes, "x")
    axes.set_xlabel(_effect_label(shown["design"].iloc[0] == "held out at random"))
    label_bars(
        axes,
        range(len(shown)),
        np.full(len(shown), axes.get_xlim()[1]),
        list(map(_verdict, shown.itertuples())),
        size=8,
    )
    pairs = [phrase("{asked} asked, {by} used", asked=row.asked, by=row.by) for row in shown.itertuples()]
    ranked_axis(axes, [name_of(pair) for pair in pairs])
    drawn = phrase("Effect of a contact: {effects}", effects=phrase("; ").join(map(_drawn, shown[:12].itertuples())))
    n = shown["customers"]
    notes = phrase("n = {least:,} to {most:,} customers for each pair", least=n.min(), most=n.max())
    notes = phrase("; ").join([notes, phrase("95 % intervals by customers")])
    return finish(axes, _effect_finding(shown), drawn, notes, source)


def _effect_label(at_random: bool) -> str:
    if at_random:
        return phrase("more purchases in 30 days by the contact; grey above: the others")
    return phrase("purchases in 30 days after the contact; grey above: if contacted as asked for")


def _drawn(row) -> str:
    return phrase(
        "by {by} to those who ask for {asked} {effect:.2f} against {others:.2f}",
        by=row.by,
        asked=row.asked,
        effect=row.effect,
        others=row.others,
    )


def _with_interval(share: float, low: float, high: float) -> str:
    if not np.isfinite([low, high]).all():
        return percent(share)
    return phrase("{share} (interval {interval})", share=percent(share), interval=percent_range(low, high))


def _dot(axes: Axes, y: float, value: float, low: float, high: float, colour: str) -> None:
    reach = np.nan_to_num([[max(value - low, 0)], [max(high - value, 0)]])
    axes.errorbar(value, y, xerr=reach, fmt="o", ms=5, lw=1.8, capsize=2.5, color=colour)


def _share_finding(shown: pd.DataFrame, apart: pd.Series, all_in_all: float) -> str:
    everywhere = percent(all_in_all)
    if apart.any():
        most = shown.loc[(shown["mismatched"] - all_in_all).abs().where(apart).idxmax()]
        return phrase(
            "{group}: {share} of the contacts come by another channel than the one asked for, {all} of all",
            group=elided(most["called"], 40),
            share=percent(most["mismatched"]),
            all=everywhere,
        )
    if len(shown) < 2:
        return phrase("{share} of the contacts come by another channel than the one asked for", share=everywhere)
    return phrase(
        "{share} of the contacts come by another channel than the one asked for, in no group more or less than in the "
        "others",
        share=everywhere,
    )


def _effect_finding(shown: pd.DataFrame) -> str:
    told = shown[~shown["quiet"]]
    if told.empty:
        return phrase("No mismatch of channels is found to cost or bring anything beyond chance")
    row = told.loc[(told["effect"] - told["others"]).abs().idxmax()]
    whom = phrase("By {by} to those who ask for {asked}", by=row["by"], asked=row["asked"])
    return phrase("{whom}: {what}", whom=whom, what=_effect(row))


def _effect(row: pd.Series) -> str:
    """What a contact by another channel than asked for brings, beside one as asked for."""
    if not np.isfinite(row["ratio"]):
        return phrase("less than the others") if row["verdict"] == "less" else phrase("more than the others")
    if row["ratio_high"] < 0:
        return phrase("the contact takes purchases away")
    at_random, most = row["design"] == "held out at random", percent(row["ratio_high"])
    said = {"share": percent(row["ratio"]), "interval": percent_range(row["ratio_low"], row["ratio_high"])}
    if at_random and row["ratio"] <= 0:
        return phrase("none of the effect on the others (at most {share})", share=most)
    if at_random:
        return phrase("{share} of the effect on the others (interval {interval})", **said)
    if row["ratio"] <= 0:
        return phrase("none of what they buy if asked (at most {share})", share=most)
    return phrase("{share} of what they buy if asked (interval {interval})", **said)


def _verdict(row) -> str:
    verdict = named(row.verdict, "verdict")
    if not is_wide():
        return verdict
    if row.verdict == "cannot be judged" or not np.isfinite(row.ratio):
        return phrase("{verdict}, n = {n:,}", verdict=verdict, n=row.customers)
    share = percent(row.ratio) + interval_words(row.ratio_low, row.ratio_high, " (", ")")
    return wrapped(phrase("{verdict}: {share}, n = {n:,}", verdict=verdict, share=share, n=row.customers), 0.3)
