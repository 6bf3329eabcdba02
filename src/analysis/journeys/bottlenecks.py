"""Where are customers lost or held up, what does that cost, and does any step or group stand out?"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import require_columns
from analysis.evidence import duration, percent, percent_range, short
from analysis.journeys.shares import DIFFERENCE_COLUMNS, interval, ratio, with_corrected_differences
from analysis.locale import named
from analysis.phrases import marked, phrase

#: What is said where one group has nobody to be held against.
NO_GROUPS = marked("There are no groups to compare.")

#: In days: whoever goes on within it does not wait, and logs without a clock put their events as close.
MINUTE = 1 / 1440


class Bottlenecks(NamedTuple):
    """Where customers are lost and held up, costliest first, and what may be said about it.

    Attributes
    ----------
    table : DataFrame
    verdict : str
    delays : DataFrame
    verdict_on_delays : str
    """

    table: pd.DataFrame
    verdict: str
    delays: pd.DataFrame
    verdict_on_delays: str

    @property
    def words(self) -> list[str]:
        """Both verdicts, or the one that they share."""
        return list(dict.fromkeys([self.verdict, self.verdict_on_delays]))


def bottlenecks(funnel: pd.DataFrame, currency: str = "") -> Bottlenecks:
    """Where are most customers lost, where do they wait, and does any step, or any group at a step, stand out?

    Parameters
    ----------
    funnel : DataFrame
        As :func:`funnel` gives it: steps are then held against each other. Or as :func:`compare_funnels` does: then
        each group against everybody else at the same step, which is the fairer comparison.
    currency : str
        Of the values, for the sentences.

    Returns
    -------
    table : DataFrame
        Of a funnel, one row per step that has a next one, costliest first: ``step``, ``next_step``, ``entered``,
        ``lost``; ``share``, of all losses, with interval ``low``, ``high``; ``loss_rate`` = lost / judged;
        ``elsewhere``, that of all other steps together, ``difference`` of the two with interval ``difference_low``,
        ``difference_high``, ``p``, ``p_corrected`` (Holm); ``stands_out`` (bool: loses a larger share than each of the
        others; see :func:`analysis.evidence.clearly_largest`); ``lost_value`` with interval where it is known.
        Of funnels compared, one row per group and step that surely loses more than everybody else, costliest first: the
        columns of the groups, ``step``, ``next_step``, ``judged``, ``rate``, ``elsewhere``, ``difference`` with
        interval, ``p_corrected``, ``lost_more`` with interval, ``lost_more_value``.
    verdict : str
        One or two sentences; "no step stands out" is one of them.
    delays : DataFrame
        Of a funnel: ``step``, ``next_step``, ``converted``, ``median_days``, ``p90_days``, ``mean_days``,
        ``days_waited`` by all of them together and its ``share``, most first. Of funnels compared, each group and step
        surely slower than everybody else: ``mean_days``, ``days_elsewhere``, ``days_difference`` with interval,
        ``days_p_corrected``, ``days_waited`` more than if they had been as fast.
    verdict_on_delays : str

    Notes
    -----
    Whether a customer takes a step is judged only among those who reached it, so that the shares of different steps
    can be compared as if they came from different customers. That a step stands out says that it loses more, not that
    it could lose less: that needs a comparison of like with like, or an experiment. Steps that take long by nature, a
    delivery or the next order, are not slow by that; slow is who waits longer than others at the same step.

    "Surely" is: significant after Holm's correction, and a simultaneous interval without 0.

    Examples
    --------
    >>> steps = pd.DataFrame({"step": ["visit", "cart", "order"], "entered": [1000, 900, 300],
    ...                       "judged": [1000, 900, None], "lost": [100, 600, None]})
    >>> print(bottlenecks(steps).verdict)
    Most leave this path between cart and order: 600 of 700 who left it (85.7 %, interval 82.9 to 88.1 %). Losing a \
larger share than any other step: cart (66.7 %, elsewhere 10.0 %).
    """
    require_columns("The funnel", funnel.columns, ["step", "entered", "judged", "lost"])
    if "lost_more" in funnel:
        return _of_groups(funnel, currency)
    table, delays = _losses(funnel), _waiting(funnel)
    if funnel.empty:
        nothing = phrase("There is no funnel, so nothing can be said of its steps.")
        return Bottlenecks(table, nothing, delays, nothing)
    return Bottlenecks(table, _verdict_on(table, currency), delays, _verdict_on_waiting(delays))


# Steps of one funnel


def _with_next(funnel: pd.DataFrame) -> pd.DataFrame:
    """The steps that have a next one, with its name; those that may be left out are not counted twice."""
    needed = funnel[~funnel["optional"].astype(bool)] if "optional" in funnel else funnel
    return needed.assign(next_step=needed["step"].shift(-1)).iloc[:-1].reset_index(drop=True)


def _losses(funnel: pd.DataFrame) -> pd.DataFrame:
    counted = _with_next(funnel)
    lost, judged, entered = (counted[c].astype("int64").to_numpy() for c in ("lost", "judged", "entered"))
    weight = counted["weight"].to_numpy() if "weight" in counted else 1.0
    table = counted[["step", "next_step"]].assign(
        entered=entered, lost=lost, share=ratio(lost, np.full(len(lost), lost.sum())), loss_rate=ratio(lost, judged)
    )
    table["low"], table["high"] = interval(lost, np.full(len(lost), lost.sum()))
    k, n = lost * weight, judged * weight
    table = with_corrected_differences(table.assign(k=k, n=n, k_elsewhere=k.sum() - k, n_elsewhere=n.sum() - n))
    largest, clear = evidence.clearly_largest(k, n)
    table["stands_out"] = clear & (table.index == largest)
    values = ["lost_value", "lost_value_low", "lost_value_high"]
    table[values] = counted[values] if set(values) <= set(counted) else np.nan
    columns = ["step", "next_step", "entered", "lost", "share", "low", "high", "loss_rate"]
    table = table[[*columns, *DIFFERENCE_COLUMNS, "stands_out", *values]]
    return table.sort_values(["lost_value", "lost", "step"], ascending=[False, False, True], ignore_index=True)


def _waiting(funnel: pd.DataFrame) -> pd.DataFrame:
    days = ["median_days", "p90_days", "mean_days"]
    if not {"converted", *days} <= set(funnel):
        return pd.DataFrame(columns=["step", "next_step", "converted", *days, "days_waited", "share"])
    counted = _with_next(funnel)
    table = counted[["step", "next_step", "converted", *days]]
    waited = table["converted"].astype("float64") * table["mean_days"]
    table = table.assign(days_waited=waited, share=waited / waited.sum())
    return table.sort_values(["days_waited", "step"], ascending=[False, True], ignore_index=True)


def _verdict_on(table: pd.DataFrame, currency: str) -> str:
    losses = table["lost"].sum()
    if not losses:
        return phrase("Nobody is known to be lost at any step.")
    most = table.loc[table["lost"].idxmax()]
    verdict = [
        phrase(
            "Most leave this path between {step} and {next_step}: {lost:,} of {all:,} who left it ({share}, interval "
            "{range}).",
            **_between(most),
            **{"lost": most["lost"], "all": losses, "share": percent(most["share"], 1)},
            range=percent_range(most["low"], most["high"], 1),
        )
    ]
    if table["p"].notna().sum() < 2:
        return " ".join([*verdict, phrase("There is no other step to compare with.")])
    return " ".join([*verdict, *_costliest(table.iloc[0], most, currency), _outstanding(table)])


def _outstanding(table: pd.DataFrame) -> str:
    """The step that loses a larger share than any other, if one does."""
    found = table[table["stands_out"]]
    if found.empty:
        return phrase("No step stands out: none loses a clearly larger share of those who reach it than all others.")
    rates = {
        name: percent(found[column].iloc[0], 1) for name, column in (("here", "loss_rate"), ("there", "elsewhere"))
    }
    step = named(found["step"].iloc[0])
    return phrase("Losing a larger share than any other step: {step} ({here}, elsewhere {there}).", step=step, **rates)


def _costliest(first: pd.Series, most: pd.Series, currency: str) -> list[str]:
    """The step where most is at stake, where values are known: late steps lose fewer, who are worth more."""
    if not first["lost_value"] > 0:
        return []
    worth = {"low": short(first["lost_value_low"]), "high": short(first["lost_value_high"])}
    worth["worth"] = _money(first["lost_value"], currency)
    if first["step"] == most["step"]:
        return [
            phrase(
                "Most is at stake there: {worth} (interval {low} to {high}), had all of them gone on like the others.",
                **worth,
            )
        ]
    return [
        phrase(
            "Most is at stake between {step} and {next_step}: {worth} (interval {low} to {high}), had all of them gone "
            "on like the others.",
            **_between(first),
            **worth,
        )
    ]


def _verdict_on_waiting(delays: pd.DataFrame) -> str:
    timed = delays[delays["days_waited"] > 0]
    if timed.empty:
        return phrase("How long the steps take is not known.")
    most = timed.iloc[0]
    if most["mean_days"] < MINUTE:
        return phrase("The steps follow each other within a minute, as far as their times are recorded: nobody waits.")
    told = {**_between(most), "share": percent(most["share"]), "mean": duration(most["mean_days"])}
    if np.isnan(most["median_days"]):
        return phrase(
            "Most of the waiting lies between {step} and {next_step}: {share} of all, {mean} on average for who went "
            "on. Whether that is too long, only a comparison with others at the same step can tell.",
            **told,
        )
    return phrase(
        "Most of the waiting lies between {step} and {next_step}: {share} of all, {mean} on average for who went on; "
        "half of all within {half}. Whether that is too long, only a comparison with others at the same step can tell.",
        **told,
        half=duration(most["median_days"]),
    )


# Groups at the same step


def _of_groups(compared: pd.DataFrame, currency: str) -> Bottlenecks:
    keys = list(compared.columns[: compared.columns.get_loc("step")])
    comparable = compared["difference"].notna().any()
    table = compared.assign(next_step=compared.groupby(keys, sort=False)["step"].shift(-1))
    worse = table[table["differs"].astype(bool) & (table["difference_high"] < 0)]
    slower = table[table["slower"].astype(bool) & (table["days_low"] > 0)]
    slower = slower.assign(days_waited=slower["days_difference"] * slower["converted"].astype("float64"))
    worse = worse.sort_values(
        ["lost_more_value", "lost_more", *keys, "step"], ascending=[False, False, *[True] * (len(keys) + 1)]
    )
    slower = slower.sort_values(["days_waited", *keys, "step"], ascending=[False, *[True] * (len(keys) + 1)])
    rates = ["judged", "rate", "elsewhere", "difference", "difference_low", "difference_high", "p_corrected"]
    more = ["lost_more", "lost_more_low", "lost_more_high", "lost_more_value"]
    days = ["converted", "mean_days", "days_elsewhere", "days_difference", "days_low", "days_high", "days_p_corrected"]
    return Bottlenecks(
        worse[[*keys, "step", "next_step", *rates, *more]].reset_index(drop=True),
        _verdict_on_groups(worse, keys, currency) if comparable else phrase(NO_GROUPS),
        slower[[*keys, "step", "next_step", *days, "days_waited"]].reset_index(drop=True),
        _verdict_on_slow_groups(slower, keys) if comparable else phrase(NO_GROUPS),
    )


def _verdict_on_groups(worse: pd.DataFrame, keys: list[str], currency: str) -> str:
    if worse.empty:
        return phrase("No group stands out: none surely loses more at a step than everybody else there.")
    first = worse.iloc[0]
    told = {**_between(first), "group": _group(first, keys), "judged": first["judged"]}
    told |= {"rate": percent(first["rate"]), "elsewhere": percent(first["elsewhere"])}
    told |= {name: first[f"lost_{name}"] for name in ("more", "more_low", "more_high")}
    if first["lost_more_value"] > 0:
        verdict = phrase(
            "Losing more than everybody else at the same step: {group}, between {step} and {next_step}. There {rate} "
            "of {judged:,} go on, elsewhere {elsewhere}: {more:,.0f} more lost than if they had done as the others "
            "(interval {more_low:,.0f} to {more_high:,.0f}, worth {worth}).",
            **told,
            worth=_money(first["lost_more_value"], currency),
        )
    else:
        verdict = phrase(
            "Losing more than everybody else at the same step: {group}, between {step} and {next_step}. There {rate} "
            "of {judged:,} go on, elsewhere {elsewhere}: {more:,.0f} more lost than if they had done as the others "
            "(interval {more_low:,.0f} to {more_high:,.0f}).",
            **told,
        )
    return " ".join([verdict, *_others(worse, keys)])


def _verdict_on_slow_groups(slower: pd.DataFrame, keys: list[str]) -> str:
    if slower.empty:
        return phrase("No group is surely slower at a step than everybody else there.")
    first = slower.iloc[0]
    days = {"mean": "mean_days", "elsewhere": "days_elsewhere", "more": "days_difference"}
    days |= {"low": "days_low", "high": "days_high"}
    verdict = phrase(
        "Waiting longer than everybody else at the same step: {group}, between {step} and {next_step}: {mean} on "
        "average, elsewhere {elsewhere} ({more} more, interval {low} to {high}).",
        **_between(first),
        **{name: duration(first[column]) for name, column in days.items()},
        group=_group(first, keys),
    )
    return " ".join([verdict, *_others(slower, keys)])


def _group(row: pd.Series, keys: list[str]) -> str:
    """The group, and where it was compared: Razavi Khorasan (web)."""
    group, *within = (named(row[key], key) for key in keys)
    return phrase("{group} ({within})", group=group, within=phrase(", ").join(within)) if within else group


def _between(row: pd.Series) -> dict[str, str]:
    """The step and the next one, as readers call them."""
    return {"step": named(row["step"]), "next_step": named(row["next_step"])}


def _money(amount: float, currency: str) -> str:
    return f"{short(amount)} {named(currency, 'currency')}".rstrip()


def _others(rows: pd.DataFrame, keys: list[str], most: int = 3) -> list[str]:
    if len(rows) < 2:
        return []
    shown = rows.iloc[1 : most + 1].iterrows()
    groups = [phrase("{group} after {step}", group=_group(row, keys), step=named(row["step"])) for _, row in shown]
    more = ["…"] if len(rows) > most + 1 else []
    return [phrase("Then: {groups}.", groups=phrase("; ").join([*groups, *more]))]
