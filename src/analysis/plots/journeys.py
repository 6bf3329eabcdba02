"""The figure of a funnel."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.errors import require_columns
from analysis.evidence import clearly_largest, duration, percent
from analysis.locale import named
from analysis.phrases import counted, figure, phrase
from analysis.plots.canvas import (
    ACCENT,
    GREY,
    INK,
    PALE,
    QUIET,
    as_one_reads,
    beginning,
    canvas,
    elided,
    finish,
    interval_in_brackets,
    interval_words,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    wrapped,
)
from analysis.plots.groups import intervals
from analysis.vocabulary import several


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
        return nothing_to_show(phrase("nobody entered the first step"))
    need = ["step", "entered", "converted", "judged", "rate", "low", "high", "median_days", "lost"]
    require_columns("funnel", funnel.columns, need)
    funnel = funnel.reset_index(drop=True)
    numbers = need[1:]
    funnel[numbers] = funnel[numbers].astype(float)
    funnel["censored"] = funnel["censored"].fillna(0).astype(float) if "censored" in funnel.columns else 0.0
    steps = [elided(named(s), 30) for s in funnel["step"]]
    may_be_left_out = funnel["optional"].astype(bool) if "optional" in funnel else pd.Series(False, funnel.index)
    following = pd.Series(steps).where(~may_be_left_out).shift(-1).bfill()
    ways = funnel[:-1][funnel["rate"][:-1].notna()]
    worst = ways["rate"].idxmin() if len(ways) else None
    axes = canvas(rows=1.75 * len(funnel) - 0.5, least=1.5)
    axes.set(xlim=(0, funnel["entered"].max()), xticks=[])
    as_one_reads(axes)
    texts = [_way_in_words(row) for row in ways.itertuples()]
    for row in funnel.itertuples():
        _funnel_bar(axes, row, last=row.Index == len(funnel) - 1, worst=row.Index == worst)
    for i, text in zip(ways.index, texts, strict=True):
        axes.text(
            0, i + 0.5, wrapped("↓ " + text, 0.8), va="center", ha=beginning(), size=8, linespacing=1.1,
            color=ACCENT if i == worst else QUIET, weight="bold" if i == worst else "normal",
        )  # fmt: skip
    entered = [figure(f"{e:,.0f}") for e in funnel["entered"]]
    label_bars(axes, funnel.index.to_numpy(), funnel["entered"], entered)
    ranked_axis(axes, [f"({name_of(s)})" if left else name_of(s) for s, left in zip(
        funnel["step"], may_be_left_out, strict=True)])  # fmt: skip
    axes.spines["bottom"].set_visible(False)
    first, final = funnel["entered"].iloc[0], funnel["entered"].iloc[-1]
    title = phrase(
        "{customers} entered {step}; there is no further step with a rate",
        **{"customers": counted(first, unit), "step": steps[0]},
    )
    if worst is not None:
        title = _narrowest(ways, worst, steps[worst], following[worst], unit)
    then = dict(zip(ways.index, texts, strict=True))
    values = [phrase(", ").join(filter(None, (e, then.get(i)))) for i, e in enumerate(entered)]
    drawn = phrase("Bars by step: {steps}", steps=listing(zip(steps, values, strict=True)))
    notes = phrase("n = {customers}", customers=counted(first, unit))
    if len(funnel) > 1 and first:
        notes += phrase(", of whom {share} reached {step}", share=percent(final / first), step=steps[-1])
    notes += phrase("; dark: went on, light: did not")
    notes += phrase(", outlined: may still") if funnel["censored"].any() else ""
    notes += phrase("; in brackets: may be left out") if may_be_left_out.any() else ""
    return finish(axes, title, drawn, notes, source)


def funnel_groups(compared: pd.DataFrame, unit: str = "customer", source: str | None = None) -> Axes:
    """The step at which the groups differ most, and how each does there.

    Parameters
    ----------
    compared : DataFrame, as from :func:`analysis.journeys.compare_funnels`
    unit : who takes the steps: customer, session, deal
    source : where the figures come from, for the last line

    Notes
    -----
    Of a comparison within channels, that channel is drawn in which the difference lies. The group that differs most
    from everybody else, for certain if any does, is in amber; the intervals drawn are those of each group's own rate.

    Examples
    --------
    >>> from analysis.journeys import compare_funnels
    >>> visits = pd.DataFrame({"customer_id": [f"{i}" for i in range(90)] * 2, "event": ["visit"] * 90 + ["order"] * 90,
    ...                        "occurred_at": pd.Timestamp("2025-03-20"), "channel": ["app", "web", "web"] * 60})
    >>> visits = visits[(visits["channel"] == "web") | (visits["event"] == "visit")]
    >>> print(funnel_groups(compare_funnels(visits, ["visit", "order"], "channel")).get_title())
    They differ most after visit: 0 % of app go on to order (interval 0 to 11 %), everybody else 100 %
    """
    first = compared.columns.get_loc("step") if "step" in compared else 0
    known = compared.dropna(subset=["difference"]) if len(compared) else compared
    if known.empty or not first:
        return nothing_to_show(phrase("there are no groups to compare"))
    group, *within = compared.columns[:first]
    sure = known[known["differs"].astype(bool)]
    most = (sure if len(sure) else known).loc[lambda t: t["difference"].abs().idxmax()]
    following = compared["step"][compared.index[compared.index.get_loc(most.name) + 1]]
    shown = known[(known["step"] == most["step"]) & (known[within] == most[within]).all(axis=1)].sort_values(
        ["rate", group], ascending=[True, True], kind="stable"
    )
    told = {"step": named(most["step"]), "next_step": named(following), "group": elided(named(most[group], group), 36)}
    if within:
        told["group"] = phrase("{group} in {part}", group=told["group"], part=named(most[within[0]], within[0]))
    title = _widest(most, told, sure=len(sure) > 0)
    table = shown.rename(columns={"rate": "value"})[["value", "low", "high"]]
    table = table.assign(group=shown[group].map(name_of), customers=shown["judged"].astype("int64"))
    told["customers"] = several(unit)
    if within:
        told["part"] = named(most[within[0]], within[0])
        label = phrase("of {customers} at {step} in {part}, who go on to {next_step}", **told)
    else:
        label = phrase("of {customers} at {step}, who go on to {next_step}", **told)
    return intervals(table, title, label, of_interest=[name_of(most[group])], share=True, unit=unit, source=source)


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


def _narrowest(ways: pd.DataFrame, worst: int, step: str, following: str, unit: str) -> str:
    """The finding: the step with the lowest rate, and whether it is so for certain."""
    way = ways.loc[worst]
    told = {"step": step, "next_step": following, "share": percent(way["rate"])}
    told |= {"customers": counted(way["judged"], unit), "interval": interval_in_brackets(way["low"], way["high"])}
    if len(ways) == 1 or clearly_largest(ways["lost"], ways["judged"])[1]:
        return phrase(
            "The narrowest step comes after {step}: {share} of {customers} go on to {next_step}{interval}", **told
        )
    return phrase(
        "No step is clearly the narrowest; the lowest rate is after {step}: {share} of {customers} go on to "
        "{next_step}{interval}",
        **told,
    )


def _widest(most: pd.Series, told: dict[str, str], sure: bool) -> str:
    """The finding: where groups differ most, and whether they do so for certain."""
    told = told | {"share": percent(most["rate"]), "elsewhere": percent(most["elsewhere"])}
    told["interval"] = interval_in_brackets(most["low"], most["high"])
    if sure:
        return phrase(
            "They differ most after {step}: {share} of {group} go on to {next_step}{interval}, everybody "
            "else {elsewhere}",
            **told,
        )
    return phrase(
        "No step differs for certain between groups; widest after {step}: {share} of {group} go on to "
        "{next_step}{interval}, everybody else {elsewhere}",
        **told,
    )


def _way_in_words(row) -> str:
    text = phrase("{share} go on", share=percent(row.rate)) + interval_words(row.low, row.high, " (", ")")
    if np.isfinite(row.median_days):
        text += phrase(", half of all within {time}", time=duration(row.median_days))
    text += phrase("; {n:,.0f} did not", n=row.lost)
    return text + (phrase(", {n:,.0f} may still", n=row.censored) if row.censored else "")
