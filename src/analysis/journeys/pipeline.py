"""What are the open deals worth, how fast do deals become money, and in which stage do they stay or fall?

Takes a base with the table `deals` and, where it has them, `deal_stages`. Gives the win rate, the time that it takes to
win, the velocity and the value of the pipeline, each with its interval, and the same stage by stage.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import evidence
from analysis.errors import Problem, did_you_mean
from analysis.journeys.chances import Course, Estimate, course, draws, estimate
from analysis.journeys.deals import Deals, deals_until, stage_order
from analysis.journeys.incidence import WAITING, days_until
from analysis.phrases import marked, phrase

#: More stages than this are no stages of a sale.
MOST_STAGES = 50

#: Where open deals lie of which nobody knows since when.
UNDATED = "(no date)"

#: Points at which the curve of winning is given.
_POINTS = 120

STAGE_COLUMNS = ["stage", "entered", "went_on", "lost", "open", "rate", "low", "high", "median_days", "p90_days"]
STAGE_COLUMNS += ["win_chance", "win_low", "win_high", "value"]
STAGE_COLUMNS += ["wins", "wins_low", "wins_high", "expected", "expected_low", "expected_high"]


class Pipeline(NamedTuple):
    """What becomes of deals; see :func:`pipeline`."""

    figures: pd.DataFrame
    stages: pd.DataFrame
    open_deals: pd.DataFrame
    curve: pd.DataFrame
    words: str


def pipeline(
    base: Mapping[str, IntoFrame], order: Sequence[str] | None = None, as_of: date | None = None, seed: int = 0
) -> Pipeline:
    """What are the open deals worth, how many deals are won, and how long does it take?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
        ``deals`` with deal_id, created_at, closed_at, outcome and, for all that is money, amount; ``deal_stages``.
        Without stages, a deal has one: "open".
    order : sequence of str, optional
        The stages in their order; as :func:`stage_order` finds it when left out.
    as_of : date, optional
        Last day to look at; the base's own when left out, or else all there is.
    seed : int
        Of the draws behind the intervals.

    Returns
    -------
    figures : DataFrame, columns ``measure``, ``value``, ``low``, ``high``, ``n``, ``unit``
        ``open_deals`` and ``open_value``, their amounts; ``win_rate``, won of decided deals (Wilson), NaN where no loss
        or no win is recorded; ``won_in_time``, the share of all deals that is won within the time seen, open ones
        counted for as long as they were seen; ``cycle_days`` and ``cycle_p90_days``, days within which half and nine in
        ten of the deals that are won have been won; ``mean_value`` of a deal won in the last 365 days; ``velocity``,
        money per day; ``expected_wins`` and ``pipeline_value``, what the open deals will bring; ``naive_value``, all
        that is open times the win rate.
    stages : DataFrame, one row per stage, in order, and one more where open deals have no date
        ``entered`` (a deal that comes back counts again), ``went_on`` to another stage or to be won, ``lost``,
        ``open``; ``rate`` of going on with ``low``, ``high``; ``median_days`` and ``p90_days`` until half and nine in
        ten of those that go on have gone on; ``win_chance`` of a deal that has just come, with ``win_low``,
        ``win_high``; ``value`` of the deals that lie there, of which ``wins`` (``wins_low``,
        ``wins_high``) are expected to be won and to bring ``expected`` (``expected_low``, ``expected_high``).
    open_deals : DataFrame, one row per open deal, by deal_id
        ``deal_id``, ``stage``, ``days`` in it, ``amount``, ``amount_known`` (bool), ``win_chance``, ``low``, ``high``,
        ``expected``.
    curve : DataFrame, columns ``days``, ``won``, ``low``, ``high``, ``lost``
        Share of all deals that has been won, and lost, so many days after it came up.
    words : str

    Raises
    ------
    Problem
        As for :func:`deal_events`; an order that lacks a stage or names an unknown one; more than 50 stages.

    Notes
    -----
    *Times and chances.* Open deals are censored: they count for as long as they were seen. A lost deal cannot be won
    any more, so that losing is a competing end: shares are those of Aalen and Johansen (1978), see
    `analysis.journeys.incidence`; one less Kaplan-Meier with lost deals taken for censored would promise too many
    wins. From a stage a deal goes to another one, is won or is lost; how likely it is won follows from these shares by
    solving the chain of stages exactly (Kemeny and Snell 1960, Finite Markov Chains, chapter 3). What happens depends
    on the stage and on the days spent in it (as far as 20 deals left it later), not on what was before. What was not
    seen within the time that deals were followed does not count as won: where no loss is recorded, old deals fade away.
    Deals without a date of their own share the chance of a new one.

    *Velocity* is the customary one: open deals × win rate × mean value of a won deal / days of the sales cycle, here
    the median of the deals that are won.

    *Amounts.* An open deal without amount is taken to be worth the mean of the won ones; `words` says how many are.
    What a won deal is worth, those of the last 365 days say, as prices change; all, if fewer than 20 are so young.

    *Intervals* come from weighing the deals anew, 500 times (Bayesian bootstrap: Rubin 1981, Annals of Statistics
    9:130), each chance with half a deal won and half a deal lost added, so that three wins out of three do not make it
    certain (Jeffreys' prior; Brown, Cai and DasGupta 2001, Statistical Science 16:101). What the open deals will bring
    moreover depends on luck: in each draw every one is won or not by its own chance, independently of the others.

    Examples
    --------
    >>> day = pd.to_datetime("2025-03-01") + pd.to_timedelta(range(40), "D")
    >>> deals = pd.DataFrame({"deal_id": range(40), "created_at": day, "closed_at": day + pd.Timedelta(days=5),
    ...                       "outcome": ["won", "lost"] * 19 + ["open"] * 2, "amount": 100.0})
    >>> found = pipeline({"deals": deals}).figures.set_index("measure")
    >>> found.loc[["win_rate", "cycle_days", "pipeline_value"], "value"].round(3).tolist()
    [0.5, 5.0, 100.0]
    """
    deals = deals_until(base, as_of)
    steps = _checked_order(deals, order)
    of = course(deals, steps)
    point = estimate(of)
    drawn = _drawn(of, point, seed)
    figures = _figures(of, point, drawn)
    stages = _stages(of, steps, point, drawn)
    open_deals = _open_deals(of, steps, point, drawn)
    return Pipeline(figures, stages, open_deals, _curve(point, drawn), _words(of, figures, open_deals))


class _Drawn(NamedTuple):
    """Figures of all draws, one row per draw.

    single : won, win_rate, value, cycle, late; curve : share won at `grid`; went_on, win_chance : per stage
    chance : per open deal; wins, money : what open deals bring, per stage, those in no known stage last
    """

    single: np.ndarray
    grid: np.ndarray
    curve: np.ndarray
    went_on: np.ndarray
    win_chance: np.ndarray
    chance: np.ndarray
    wins: np.ndarray
    money: np.ndarray


def _checked_order(deals: Deals, order: Sequence[str] | None) -> list[str]:
    found = stage_order(deals.entries.rename(columns={"stage": "event", "entered_at": "occurred_at"}))
    if len(found) > MOST_STAGES:
        raise Problem(
            f"deal_stages names {len(found):,} stages, e.g. {', '.join(found[:3])}; a sale has {MOST_STAGES} at most. "
            "Is it the right column? Unite spellings, or map another."
        )
    if order is None:
        return found or ["open"]
    order = list(order)
    if unknown := [name for name in order if name not in found]:
        near = did_you_mean(unknown[0], found)
        raise Problem(f'No deal entered a stage "{unknown[0]}".{near} Stages: {", ".join(found) or "none"}.')
    if set(found) != set(order) or len(order) > len(found):
        raise Problem(f"The order must name each stage once: {', '.join(found)}. It has: {', '.join(order)}.")
    return order


def _drawn(of: Course, point: Estimate, seed: int) -> _Drawn:
    rng, n = np.random.default_rng(seed), len(of.stages)
    even = np.linspace(0, of.whole.days[of.whole.end != WAITING].max(initial=0), _POINTS)
    grid = np.unique([*even, *(days for days in (point.cycle, point.late) if math.isfinite(days))])
    amounts, won_amounts = of.of_open["amount"].to_numpy(), of.table["amount"].to_numpy()[of.valued]
    unknown, stage = np.flatnonzero(~np.isfinite(amounts)), of.of_open["stage"].to_numpy() % (n + 1)
    rows = []
    for drawn in draws(of, rng):
        is_won = rng.random(len(stage)) < drawn.chance
        value = amounts.copy()
        value[unknown] = rng.choice(won_amounts, len(unknown)) if len(won_amounts) else np.nan
        money = np.bincount(stage, np.where(is_won, value, 0.0), n + 1)
        final = drawn.whole.came[0, -1]
        curve = _at(drawn, grid)[0] * (drawn.won / final if final > 0 else 1)
        single = np.array([drawn.won, drawn.win_rate, drawn.value, drawn.cycle, drawn.late])
        chance = drawn.chance.astype("float32")
        rows.append((single, curve, drawn.went_on, drawn.win_chance, chance, np.bincount(stage, is_won, n + 1), money))
    single, *others = (np.stack(column) for column in zip(*rows, strict=True))
    return _Drawn(single, grid, *others)


def _at(of: Estimate, grid: np.ndarray) -> np.ndarray:
    """Shares won and lost by the days of the grid."""
    return of.whole.came[:, np.searchsorted(of.whole.days, grid, "right") - 1]


def _bounds(drawn: np.ndarray, value) -> tuple[np.ndarray, np.ndarray]:
    """Between which the middle 95 % of draws lie, and the value with them; NaN where it is unknown."""
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return np.minimum(low, value), np.maximum(high, value)


def _worth(of: Course, point: Estimate) -> np.ndarray:
    """What each open deal is worth: its amount, or the mean of the won ones."""
    amount = of.of_open["amount"].to_numpy()
    return np.where(np.isfinite(amount), amount, point.value)


def _sum(values: np.ndarray) -> float:
    """The sum of what is known, whatever the order; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return math.fsum(known) if len(known) or not len(values) else math.nan


def _figures(of: Course, point: Estimate, drawn: _Drawn) -> pd.DataFrame:
    won, _, value, cycle, late = drawn.single.T
    worth, n_open = _worth(of, point), len(of.of_open)
    n_won, n_lost = (int((of.table["outcome"] == outcome).sum()) for outcome in ("won", "lost"))
    rate_low, rate_high = evidence.share_interval(n_won, n_won + n_lost)
    velocity, drawn_velocity = (
        n_open * rate * mean / days if n_open else days * 0
        for rate, mean, days in ((point.win_rate, point.value, point.cycle), (drawn.single[:, 1], value, cycle))
    )
    rated = math.isfinite(point.win_rate)
    total = _sum(worth)
    rows = [
        ("open_deals", n_open, np.nan, np.nan, n_open, "deals"),
        ("open_value", total, np.nan, np.nan, n_open, "currency"),
        ("win_rate", point.win_rate, *((rate_low, rate_high) if rated else (np.nan,) * 2), n_won + n_lost, "share"),
        ("won_in_time", point.won, *_bounds(won, point.won), len(of.whole.days), "share"),
        ("cycle_days", point.cycle, *_bounds(cycle, point.cycle), n_won, "days"),
        ("cycle_p90_days", point.late, *_bounds(late, point.late), n_won, "days"),
        ("mean_value", point.value, *_bounds(value, point.value), int(of.valued.sum()), "currency"),
        ("velocity", velocity, *_bounds(drawn_velocity, velocity), n_open, "currency per day"),
        ("expected_wins", wins := _sum(point.chance), *_bounds(drawn.wins.sum(axis=1), wins), n_open, "deals"),
        ("pipeline_value", v := _sum(point.chance * worth), *_bounds(drawn.money.sum(axis=1), v), n_open, "currency"),
        ("naive_value", point.win_rate * total, *((rate_low * total, rate_high * total) if rated else (np.nan,) * 2),
         n_open, "currency"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["measure", "value", "low", "high", "n", "unit"])
    return table.astype({"measure": "str", "value": "float64", "low": "float64", "high": "float64", "unit": "str"})


def _stages(of: Course, steps: list[str], point: Estimate, drawn: _Drawn) -> pd.DataFrame:
    n = len(steps)
    on_its_way, rows = list(range(n + 1)), []
    for name, stay, exits in zip(steps, of.stages, point.stages, strict=True):
        on, lost, waits = (int(x.sum()) for x in ((stay.end >= 0) & (stay.end <= n), stay.end > n, stay.end == WAITING))
        times = [days_until(exits, on_its_way, share) for share in (0.5, 0.9)]
        rows.append((name, len(stay.days), on, lost, waits, *times))
    names = ["stage", "entered", "went_on", "lost", "open", "median_days", "p90_days"]
    table = pd.DataFrame(rows, columns=names).assign(rate=point.went_on, win_chance=point.win_chance)
    table["low"], table["high"] = _bounds(drawn.went_on, point.went_on)
    table["win_low"], table["win_high"] = _bounds(drawn.win_chance, point.win_chance)
    if undated := int((of.of_open["stage"] == -1).sum()):
        low, high = _bounds(drawn.single[:, 0], point.won)
        row = {"stage": UNDATED, "entered": undated, "went_on": 0, "lost": 0, "open": undated, "win_chance": point.won}
        table = pd.concat([table, pd.DataFrame([row | {"win_low": low, "win_high": high}])], ignore_index=True)
    stage, worth = of.of_open["stage"].to_numpy() % (n + 1), _worth(of, point)
    sums = {"value": worth, "wins": point.chance, "expected": point.chance * worth}
    table = table.assign(**{name: [_sum(x[stage == i]) for i in table.index] for name, x in sums.items()})
    for name, of_draws in (("wins", drawn.wins), ("expected", drawn.money)):
        bounds = _bounds(of_draws[:, : len(table)], table[name].to_numpy("float64"))
        table[f"{name}_low"], table[f"{name}_high"] = bounds
    counts = ["entered", "went_on", "lost", "open"]
    kinds = dict.fromkeys(STAGE_COLUMNS, "float64") | dict.fromkeys(counts, "int64") | {"stage": "str"}
    return table[STAGE_COLUMNS].astype(kinds)


def _open_deals(of: Course, steps: list[str], point: Estimate, drawn: _Drawn) -> pd.DataFrame:
    named = pd.Series([*steps, None], dtype="str")
    worth = _worth(of, point)
    table = pd.DataFrame(
        {
            "deal_id": of.table["deal_id"].to_numpy()[of.of_open["place"]],
            "stage": named.to_numpy()[of.of_open["stage"]],
            "days": of.of_open["days"].to_numpy(),
            "amount": worth,
            "amount_known": of.of_open["amount"].notna().to_numpy(),
            "win_chance": point.chance,
        }
    )
    table["low"], table["high"] = _bounds(drawn.chance, point.chance)
    return table.assign(expected=point.chance * worth).astype({"stage": "str"})


def _curve(point: Estimate, drawn: _Drawn) -> pd.DataFrame:
    won, lost = _at(point, drawn.grid)
    low, high = _bounds(drawn.curve, won)
    return pd.DataFrame({"days": drawn.grid, "won": won, "low": low, "high": high, "lost": lost})


def _words(of: Course, figures: pd.DataFrame, open_deals: pd.DataFrame) -> str:
    said = figures.set_index("measure")
    outcomes = of.table["outcome"].value_counts()
    n_won, n_lost = (int(outcomes.get(outcome, 0)) for outcome in ("won", "lost"))
    return " ".join([_of_wins(said, n_won, n_lost), *_of_time(said), *_of_value(said), *_of_gaps(of, open_deals)])


def _of_wins(said: pd.DataFrame, n_won: int, n_lost: int) -> str:
    if not n_won + n_lost:
        return phrase("No deal is decided yet, so that nothing can be said of chances, times and value.")
    if not n_lost:
        return phrase(
            "{n:,} deals are won and none is recorded as lost: an open deal may be lost without anybody having said "
            "so. There is no win rate of the decided; what counts is the share that is won in time.",
            n=n_won,
        )
    rate = said.loc["win_rate"]
    return phrase(
        "Of {n:,} deals decided, {won:,} were won ({share}, interval {interval}).",
        n=n_won + n_lost,
        won=n_won,
        share=evidence.percent(rate["value"], 1),
        interval=evidence.percent_range(rate["low"], rate["high"], 1),
    )


def _of_time(said: pd.DataFrame) -> list[str]:
    if not math.isfinite(said.loc["cycle_days", "value"]):
        return []
    share, cycle, late = said.loc["won_in_time"], said.loc["cycle_days"], said.loc["cycle_p90_days", "value"]
    words = phrase(
        "Of all that come up, {share} are won within the time seen (interval {interval}), half of these within {half}, "
        "nine in ten within {most}.",
        share=evidence.percent(share["value"], 1),
        interval=evidence.percent_range(share["low"], share["high"], 1),
        half=evidence.duration(cycle["value"]),
        most=evidence.duration(late),
    )
    return [words]


def _of_value(said: pd.DataFrame) -> list[str]:
    n = int(said.loc["open_deals", "value"])
    wins, value, naive, velocity = (said.loc[m] for m in ("expected_wins", "pipeline_value", "naive_value", "velocity"))
    if not n or not math.isfinite(wins["value"]):
        return []
    expected = {"n": n, "wins": _with_interval(wins)}
    if math.isfinite(value["value"]):
        expected |= {"value": _with_interval(value), "naive": evidence.short(naive["value"])}
        words = phrase(
            "Of {n:,} open deals, {wins} are expected to be won, worth {value}; all of them times the win rate would "
            "say {naive}.",
            **expected,
        )
    else:
        words = phrase("Of {n:,} open deals, {wins} are expected to be won.", **expected)
    if not math.isfinite(velocity["value"]):
        return [words]
    return [words, phrase("Velocity: {value} a day.", value=_with_interval(velocity))]


def _of_gaps(of: Course, open_deals: pd.DataFrame) -> list[str]:
    """What was taken to be so for want of a record."""
    unvalued = int((~open_deals["amount_known"] & open_deals["amount"].notna()).sum())
    undated = int((of.of_open["stage"] == -1).sum())
    unknown = int(open_deals["win_chance"].isna().sum())
    untimed = int((of.table["outcome"] != "open").sum() - (of.whole.end != WAITING).sum())
    gaps = (
        (unvalued, marked("Open deals without an amount: {n:,}; taken to be worth the mean of the won ones.")),
        (undated, marked("Open deals without the date of a stage: {n:,}; given the chance of a new deal.")),
        (
            unknown if unknown < len(open_deals) else 0,
            marked("Open deals in stages that none has left as late: {n:,}; nothing is expected of them."),
        ),
        (untimed, marked("Decided deals without dates, or that end before they begin: {n:,}; times are without them.")),
    )
    return [phrase(words, n=n) for n, words in gaps if n]


def _with_interval(figure: pd.Series) -> str:
    value, low, high = (evidence.short(figure[c]) for c in ("value", "low", "high"))
    return phrase("{value} (interval {low} to {high})", value=value, low=low, high=high)
