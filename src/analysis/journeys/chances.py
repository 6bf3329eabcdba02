"""How likely is a deal that lies in a stage, and has lain there for so long, to be won?

Takes the deals as they stood on a day and the order of their stages. Gives the shares that went on, were won and were
lost, and each open deal's chance: once as it is, and as often as wished with the deals weighed anew.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.journeys.deals import Deals
from analysis.journeys.incidence import WAITING, Incidence, Stays, days_until, incidence, stays

#: A chance is conditioned on a deal's days in the stage as far as so many deals left it later; older ones share it.
LEAST_LATER = 20

#: What a deal is worth, deals won in so many days say, as prices change; all that were won, if these are too few.
VALUE_DAYS = 365
FEWEST_VALUES = 20

#: How often the deals are weighed anew for an interval.
DRAWS = 500


class Course(NamedTuple):
    """Deals as arrays, in the order of their ids.

    Attributes
    ----------
    table : DataFrame, one row per deal, as of `Deals`
    whole : Stays, from coming up to the decision; ends are 0 won, 1 lost
    stages : list of Stays, in each stage; ends are the stage gone to, then won, then lost
    valued : array (deals,) of bool, whose amounts say what a won deal is worth
    of_open : DataFrame, one row per open deal
        ``place`` in `table`; ``stage`` it lies in (-1: none is known) and ``days`` since; ``at``, the place of these
        days among those of the stage's incidence; ``amount``.
    """

    table: pd.DataFrame
    whole: Stays
    stages: list[Stays]
    valued: np.ndarray
    of_open: pd.DataFrame


class Estimate(NamedTuple):
    """What the deals say, weighed in one way.

    Attributes
    ----------
    whole : Incidence; stages : list of Incidence, one per stage
    won, win_rate : share won of all within the time seen, and of the decided
    went_on, win_chance : arrays (stages,): share that goes on, chance of a deal that has just come
    chance : array (open deals,); NaN where no deal has left that stage as late
    value : mean amount of a won deal
    cycle, late : days within which half and nine in ten of the won are won
    """

    whole: Incidence
    stages: list[Incidence]
    won: float
    win_rate: float
    went_on: np.ndarray
    win_chance: np.ndarray
    chance: np.ndarray
    value: float
    cycle: float
    late: float


def course(deals: Deals, steps: list[str]) -> Course:
    """The deals' ways through the stages `steps`, of which the first stands for all where no stage is recorded."""
    table = deals.table.assign(place=np.arange(len(deals.table)))
    table["until"] = table["closed_at"].mask(table["outcome"] == "open", deals.end)
    end = table["outcome"].map({"open": WAITING, "won": 0, "lost": 1}).to_numpy("int64")
    whole = _timed(table["place"], table["until"] - table["created_at"], end)
    moves = _moves(deals.entries, table, steps)
    in_stage = [moves[moves["stage"] == i] for i in range(len(steps))]
    stages = [_timed(m["place"], m["length"], m["end"]) for m in in_stage]
    here = moves[moves["end"] == WAITING].set_index("place")
    of_open = table.loc[table["outcome"] == "open", ["place", "amount"]].reset_index(drop=True)
    of_open["stage"] = here["stage"].reindex(of_open["place"]).fillna(-1).to_numpy("int64")
    of_open["days"] = _in_days(here["length"].reindex(of_open["place"]))
    of_open.loc[~(of_open["days"] >= 0), "stage"] = -1
    of_open["at"] = 0
    for i, of in enumerate(stages):
        there = of_open["stage"] == i
        of_open.loc[there, "at"] = _places(of, of_open.loc[there, "days"].to_numpy())
    return Course(table, whole, stages, _valued(table, deals.end), of_open)


def estimate(of: Course, weights: np.ndarray | None = None, doubt: np.ndarray | None = None) -> Estimate:
    """Shares, times and chances, with each deal counted `weights` times.

    Parameters
    ----------
    of : Course
    weights : array (deals,) of float64, optional
    doubt : array (stages + 1, 2) of float64, optional
        So many deals won and lost are added in each stage, and for the whole in the last row.
    """
    n = len(of.stages)
    doubt = np.zeros((n + 1, 2)) if doubt is None else doubt
    whole = incidence(of.whole, 2, weights)
    stages = [incidence(stay, n + 2, weights) for stay in of.stages]
    moves = np.stack([exits.came[:, -1] for exits in stages])
    # stages that lead only to each other lead nowhere: a hair less than 1 keeps the equations solvable
    win_chance = np.linalg.solve(np.eye(n) - moves[:, :n] * (1 - 1e-12), moves[:, n])
    to_win = np.append(win_chance, [1.0, 0.0])
    won = _doubted(whole.came[0, -1], _known(of.whole, whole, 0), doubt[n])
    chance = np.full(len(of.of_open), won)
    stage, at = of.of_open["stage"].to_numpy(), of.of_open["at"].to_numpy()
    for i, exits in enumerate(stages):
        k = at[stage == i]
        shares = to_win @ (exits.came[:, -1:] - exits.came[:, k]) / exits.waiting[k]
        chance[stage == i] = _doubted(shares, _known(of.stages[i], exits, k), doubt[i])
    size = np.array([_known(stay, exits, 0) for stay, exits in zip(of.stages, stages, strict=True)])
    went_on = _doubted(moves[:, : n + 1].sum(axis=1), size, doubt[:n].T)
    win_chance = _doubted(win_chance, size, doubt[:n].T)
    win_rate, value = _of_decided(of, weights, doubt[n])
    cycle, late = days_until(whole, [0], 0.5), days_until(whole, [0], 0.9)
    return Estimate(whole, stages, won, win_rate, went_on, win_chance, chance, value, cycle, late)


def draws(of: Course, rng: np.random.Generator):
    """Yields `DRAWS` estimates, the deals weighed anew for each (see :func:`analysis.journeys.pipeline`)."""
    for _ in range(DRAWS):
        weights = rng.exponential(size=len(of.table))
        yield estimate(of, weights, rng.gamma(0.5, size=(len(of.stages) + 1, 2)))


def _moves(entries: pd.DataFrame, table: pd.DataFrame, steps: list[str]) -> pd.DataFrame:
    """One row per stay in a stage [place, stage, length, end]; a stage entered again while in it goes on."""
    if entries.empty:
        moves = table[["place", "created_at", "outcome", "until"]].rename(columns={"created_at": "at"}).assign(stage=0)
    else:
        moves = entries.rename(columns={"entered_at": "at"})
        moves["stage"] = moves["stage"].map({name: i for i, name in enumerate(steps)})
        moves = moves.merge(table[["deal_id", "place", "outcome", "until"]], on="deal_id")
        moves = moves.sort_values(["place", "at", "stage"], ignore_index=True)
        again = (moves["place"] == moves["place"].shift()) & (moves["stage"] == moves["stage"].shift())
        moves = moves[~again]
    following = moves.groupby("place")[["at", "stage"]].shift(-1)
    ended = moves["outcome"].map({"open": WAITING, "won": len(steps), "lost": len(steps) + 1})
    length = following["at"].fillna(moves["until"]) - moves["at"]
    moves = moves.assign(end=following["stage"].fillna(ended).astype("int64"), length=length)
    return moves[["place", "stage", "length", "end"]]


def _timed(who, lengths: pd.Series, end) -> Stays:
    """Stays whose length is known and not negative."""
    days = _in_days(lengths)
    known = days >= 0
    return stays(np.asarray(who)[known], days[known], np.asarray(end)[known])


def _in_days(lengths: pd.Series) -> np.ndarray:
    return (lengths / pd.Timedelta(days=1)).to_numpy("float64")


def _places(of: Stays, days: np.ndarray) -> np.ndarray:
    """Where these days lie among those of the incidence, no later than `LEAST_LATER` deals left after them."""
    left = of.days[of.end != WAITING]
    limit = left[-LEAST_LATER] if len(left) >= LEAST_LATER else 0.0
    grid = np.append(0, of.days[of.starts])
    return np.clip(np.minimum(np.searchsorted(grid, days, "right"), np.searchsorted(grid, limit)) - 1, 0, None)


def _known(of: Stays, exits: Incidence, at) -> np.ndarray:
    """As how many deals that were seen to their end those count that stayed longer; 0 where none of them left."""
    left = np.append(0, np.cumsum(np.add.reduceat(of.end != WAITING, of.starts))) if len(of.days) else np.zeros(1)
    share = (exits.came[:, -1].sum() - exits.came[:, at].sum(axis=0)) / exits.waiting[at]
    later = (left[-1] - left[at]).astype("float64")
    return np.divide(later, share, out=np.zeros_like(later), where=(later > 0) & (share > 0))


def _doubted(share, n, doubt: np.ndarray):
    """The share of `n` deals with some won and some lost ones added; NaN where there are none."""
    with np.errstate(invalid="ignore"):
        return np.where(n > 0, (share * n + doubt[0]) / (n + doubt[0] + doubt[1]), np.nan)


def _valued(table: pd.DataFrame, end: pd.Timestamp) -> np.ndarray:
    """The deals whose amounts say what a won deal is worth now."""
    won = ((table["outcome"] == "won") & table["amount"].notna()).to_numpy()
    late = won & (table["closed_at"] > end - pd.Timedelta(days=VALUE_DAYS)).to_numpy()
    return late if late.sum() >= FEWEST_VALUES else won


def _of_decided(of: Course, weights: np.ndarray | None, doubt: np.ndarray) -> tuple[float, float]:
    """Win rate, NaN where no deal is recorded as won or none as lost; mean amount of the won, NaN without amounts."""
    counts = np.ones(len(of.table)) if weights is None else weights
    won, lost = ((of.table["outcome"] == outcome).to_numpy() for outcome in ("won", "lost"))
    n_won, n_lost = math.fsum(counts[won]) + doubt[0], math.fsum(counts[lost]) + doubt[1]
    win_rate = n_won / (n_won + n_lost) if won.any() and lost.any() else math.nan
    if not of.valued.any():
        return win_rate, math.nan
    values, counts = of.table["amount"].to_numpy()[of.valued], counts[of.valued]
    return win_rate, math.fsum(values * counts) / math.fsum(counts)
