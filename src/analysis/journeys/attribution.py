"""Which channels may claim the conversions, by six ways of counting, and how far do these ways agree?

Takes events of any backend, or a table of paths that was counted elsewhere. Gives a table of channels and methods, each
share with its interval and beside the share by last touch, and what can and cannot be concluded, in sentences.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.special import stdtr, stdtrit
from scipy.stats import poisson
from threadpoolctl import threadpool_limits

from analysis import evidence
from analysis.errors import Problem, did_you_mean
from analysis.evidence import percent, percent_range
from analysis.journeys.claims import SIMPLE, Claims, of_events, of_paths
from analysis.journeys.markov import over, removal_effects
from analysis.journeys.shares import CONFIDENCE
from analysis.locale import named
from analysis.phrases import figure, marked, phrase

METHODS = (*SIMPLE, "markov")

#: Conversions without any touch in the window: what no channel may claim.
NO_TOUCH = "(no touch)"

#: The chain's matrix is inverted as a whole, in a tenth of a second for so many channels, again in each draw.
MOST_STATES = 1000

DRAWS = 200
_DRAWS_AT_A_TIME = 10

#: Counts below this are drawn again by a table, in steps of chance of 1 / 65,536.
_SMALL, _CHANCES = 16, 2**16

_WORDS = {"last": "last touch", "markov": "Markov"}
_DIFFERENCE = {"difference": "difference", "low": "difference_low", "high": "difference_high"}
_LIMITS = marked(
    "None of these figures is an effect: nobody was touched at random, and who is about to buy comes and opens more "
    "anyway. They say on which ways conversions came. What a channel adds, only customers who were held out at random "
    "can tell."
)


def attribution(
    events: IntoFrame,
    conversion: str | None = None,
    *,
    touches: Sequence[str] = (),
    channel: str = "channel",
    window_days: float = 30,
    half_life_days: float = 7,
    per: str = "customer_id",
    as_of: date | None = None,
    methods: Sequence[str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Which channels may claim the conversions, by first, last, linear, position, time-decay and Markov attribution?

    Parameters
    ----------
    events : any frame
        Events as for :func:`touch_paths`. Or, without `conversion`, paths that were counted: ``path``, channels joined
        by ">"; ``total_conversions``; and, if known, ``total_conversion_value`` and ``total_null``, the paths that led
        to nothing. Then `touches` to `as_of` have no say.
    conversion, touches, channel, window_days, per, as_of
        As for :func:`touch_paths`.
    half_life_days : float
        By time decay, a touch so many days before another one counts half.
    methods : sequence of str, optional
        Of `METHODS`. Default: all that can be told. Counted paths have no times, so no "time decay"; "markov" is for
        at most 1,000 channels.
    seed : int
        Of the draws that the intervals rest on.

    Returns
    -------
    DataFrame, one row per channel and method; channels by their share in the last method, largest first
        ``channel``; ``method``; ``conversions`` that the channel may claim; ``share`` of all conversions with its 95 %
        bootstrap interval ``low``, ``high``; ``value`` of what it may claim, in the currency of the events;
        ``removal_effect``, for "markov": the share of conversions that would be lost if whoever comes to this channel
        went away; ``last_touch``, the share by last touch, and ``difference`` to it, with ``difference_low``,
        ``difference_high``, ``p_corrected`` (Holm), and ``differs``: whether the interval leaves out none, over all
        channels and methods compared.
        Conversions without any touch in the window are of the channel "(no touch)", which comes last.

    Raises
    ------
    Problem
        As :func:`touch_paths`; or a method is unknown or cannot be told, or a count is negative.

    Notes
    -----
    Position-based is 40 % each for the first and the last touch, 20 % for those between. Markov is the removal effect
    in the chain of order one (Anderl, Becker, von Wangenheim and Schumann 2016, International Journal of Research in
    Marketing 33), here solved exactly: see :func:`removal_effects`. Touched conversions are shared out in
    proportion to the effects, and their value in proportion to the effects on value.

    The intervals are percentiles of 200 Poisson bootstrap draws. Of events whole customers are drawn (in at most 1,000
    groups), as several paths of one customer are no independent witnesses; counted paths, which do not tell whose they
    are, are drawn one by one, so that their intervals are too narrow where customers come back. Where no draw differs,
    as for a channel that nobody converts by, the interval is Wilson's (1927). Differences to last touch are judged by
    the draws' standard deviation and Student's t, their intervals widened by Bonferroni's correction.

    Examples
    --------
    >>> paths = pd.DataFrame({"path": ["C1>C2>C3", "C1", "C2>C3"], "total_conversions": [1, 0, 0],
    ...                       "total_null": [0, 1, 1]})
    >>> attribution(paths, methods=["markov"])[["channel", "conversions", "removal_effect"]]
      channel  conversions  removal_effect
    0      C2          0.4             1.0
    1      C3          0.4             1.0
    2      C1          0.2             0.5
    """
    if conversion is None and "path" not in nw.from_native(events).lazy().collect_schema().names():
        raise Problem(
            'Say which event is the conversion, e.g. conversion="order"; '
            "or give a table of counted paths, with columns path and total_conversions."
        )
    if conversion is None:
        found = of_paths(events)
    else:
        found = of_events(events, conversion, touches, channel, window_days, half_life_days, per, as_of)
    if NO_TOUCH in found.channels:
        raise Problem(f'A channel is called "{NO_TOUCH}", as conversions without touch are here. Rename it.')
    methods = _methods(found, methods)
    asked = dict.fromkeys(["last", *methods])
    everyone = _shares(found, found.counts[None, :], list(asked))
    draws = _drawn(found, list(asked), seed)
    return _table(found, methods, {m: s[0] for m, s in everyone.items()}, draws)


def attribution_findings(attribution: pd.DataFrame, unit: str = "conversion") -> list[str]:
    """Which channels conversions came by, where the ways of counting disagree, and what they cannot say.

    Parameters
    ----------
    attribution : DataFrame, as from :func:`attribution`
    unit : str
        What a conversion is called: order, deal.

    Examples
    --------
    >>> paths = pd.DataFrame({"path": ["email > web", "web"], "total_conversions": [60, 40], "total_null": [0, 100]})
    >>> attribution_findings(attribution(paths, methods=["last", "linear"]))[0]
    'Of 100 conversions, by last touch 100 % came by web (interval 96 to 100 %); by linear 70 % came by web (...).'
    """
    known, unit = attribution.dropna(subset=["share"]), named(unit)
    if known.empty:
        return [phrase("There is no {unit} on a path that was seen to its end.", unit=unit)]
    claimed = known[known["channel"] != NO_TOUCH]
    if claimed.empty or not claimed["conversions"].sum():
        return [
            phrase("No {unit} had a touch in the days before it, so that there is nothing to share out.", unit=unit)
        ]
    by_method = known["method"].iloc[-1]
    model, total = claimed[claimed["method"] == by_method], known.groupby("method")["conversions"].sum().iloc[0]
    asked = [method for method in dict.fromkeys(("last", by_method)) if method in set(claimed["method"])]
    leaders = phrase("; ").join(_leader(claimed[claimed["method"] == method], method) for method in asked)
    sentences = [phrase("Of {n:,.0f} {unit}s, {leaders}.", n=total, unit=unit, leaders=leaders)]
    untouched = known[(known["channel"] == NO_TOUCH) & (known["method"] == by_method)]
    if len(untouched):
        share = percent(untouched["share"].iloc[0], 1)
        none = phrase("{share} had no touch in the days before them: these no channel may claim.", share=share)
        sentences.append(none)
    return [*sentences, *_disagreement(claimed, model, by_method), phrase(_LIMITS)]


def _leader(by: pd.DataFrame, method: str) -> str:
    """Who has the largest share by a method."""
    top = by.loc[by["share"].idxmax()]
    return phrase(
        "by {method} {share} came by {channel} (interval {interval})",
        method=_word(method),
        share=percent(top["share"]),
        channel=named(top["channel"]),
        interval=percent_range(top["low"], top["high"]),
    )


def _word(method: str) -> str:
    return named(_WORDS.get(method, method), "method")


def _disagreement(claimed: pd.DataFrame, model: pd.DataFrame, by_method: str) -> list[str]:
    """How far the model and last touch differ, and over which range all methods go for the channel they differ on."""
    if by_method == "last":
        return []
    word, n = _word(by_method), int(model["differs"].sum())
    if not n:
        return [
            phrase("By {method} and by last touch the shares are the same as far as chance lets one see.", method=word)
        ]
    apart = model.loc[model["difference"].abs().idxmax()]
    over = claimed.loc[claimed["channel"] == apart["channel"], "share"]
    differs = phrase(
        "By {method} the share differs from that by last touch for {n} of {channels} channels, most for {channel}: "
        "{share} instead of {last} ({difference} points, interval {low} to {high}).",
        method=word,
        n=n,
        channels=len(model),
        channel=named(apart["channel"]),
        share=percent(apart["share"]),
        last=percent(apart["last_touch"]),
        **{name: _points(apart[of]) for name, of in _DIFFERENCE.items()},
    )
    ways, shares = claimed["method"].nunique(), percent_range(over.min(), over.max())
    spread = phrase("Over all {n} ways of counting it goes from {shares}.", n=ways, shares=shares)
    return [f"{differs} {spread}"]


def _points(share: float) -> str:
    return figure(f"{100 * share:+.1f}".replace("-", "−"))


def _methods(found: Claims, methods: Sequence[str] | None) -> list[str]:
    """The methods asked for, or all that can be told."""
    k = len(found.channels)
    can = [*found.rules, *(["markov"] if k <= MOST_STATES else [])]
    for method in methods or ():
        if method not in METHODS:
            raise Problem(
                f'There is no method "{method}".{did_you_mean(method, METHODS)} There are: {", ".join(METHODS)}.'
            )
        if method not in can:
            why = f"is for at most {MOST_STATES:,} channels, and these are {k:,}; take a coarser column as channel"
            if method == "time decay":
                why = "needs the times of the touches: give events instead of counted paths"
            raise Problem(f'"{method}" {why}.')
    return list(dict.fromkeys(methods or can))


def _shares(found: Claims, counts: np.ndarray, methods: list[str]) -> dict[str, np.ndarray]:
    """Share of each channel, and last of no touch, in all conversions, by method: arrays (draws, k + 1)."""
    k = len(found.channels)
    claims = (found.credits.T @ counts.T).T.reshape(len(counts), len(found.rules), k + 1)
    claims = dict(zip(found.rules, np.moveaxis(claims, 1, 0), strict=True))
    shares = {m: over(claims[m], claims[m].sum(axis=-1, keepdims=True)) for m in methods if m in claims}
    if "markov" in methods:
        effects = _effects(found, counts)
        touched = 1 - shares["last"][:, -1:]
        # where no conversion was touched there is nothing to share out; where there is none at all, nothing is known
        of_touched = np.where(touched == 0, 0.0, over(effects, effects.sum(axis=-1, keepdims=True)) * touched)
        shares["markov"] = np.hstack([of_touched, 1 - touched])
    return shares


def _effects(found: Claims, counts: np.ndarray) -> np.ndarray:
    return removal_effects(_flows(found, counts))[1]


def _flows(found: Claims, counts: np.ndarray) -> np.ndarray:
    """How often the paths went from where to where, as :func:`removal_effects` takes it."""
    k = len(found.channels)
    flows = np.zeros((len(counts), k + 1, k + 2))
    flows[:, found.pairs[:, 0], found.pairs[:, 1]] = (found.moves.T @ counts.T).T
    return flows


def _drawn(found: Claims, methods: list[str], seed: int) -> dict[str, np.ndarray]:
    """The shares in each draw: arrays (draws, k + 1) by method."""
    rng = np.random.default_rng(seed)
    blocks = []
    with threadpool_limits(1):  # the same sums whatever the cores
        for _ in range(DRAWS // _DRAWS_AT_A_TIME):
            blocks.append(_shares(found, _drawn_again(rng, found.counts, _DRAWS_AT_A_TIME), methods))
    return {m: np.concatenate([block[m] for block in blocks]) for m in methods}


def _drawn_again(rng: np.random.Generator, counts: np.ndarray, draws: int) -> np.ndarray:
    """Poisson numbers about the counts: array (draws, counts).

    The small whole numbers, nearly all of a million paths, are looked up at a random place of a table: a tenth of the
    time that drawing each takes.
    """
    small = (counts < _SMALL) & (counts == np.floor(counts))
    drawn = np.empty((draws, len(counts)))
    at, by_chance = counts[small].astype("int32") * _CHANCES, _poisson_by_chance()
    for row in drawn:
        row[small] = by_chance[at + rng.integers(0, _CHANCES, len(at), dtype="uint16")]
        row[~small] = rng.poisson(counts[~small])
    return drawn


@cache
def _poisson_by_chance() -> np.ndarray:
    """The Poisson number at each step of chance, for the means 0, 1, … one after the other."""
    chances, numbers = (np.arange(_CHANCES) + 0.5) / _CHANCES, np.arange(4 * _SMALL)
    return np.concatenate([np.searchsorted(poisson.cdf(numbers, mean), chances) for mean in range(_SMALL)])


def _table(found: Claims, methods: list[str], shares: dict, draws: dict) -> pd.DataFrame:
    k = len(found.channels)
    claims = (found.credits.T @ found.counts).reshape(len(found.rules), k + 1)
    total = claims[0].sum()
    independent = found.counts[np.diff(found.credits.indptr) > 0].sum()
    effects = _effects(found, found.counts[None, :])[0] if "markov" in methods else np.full(k, np.nan)
    tables = []
    for method in methods:
        low, high = _interval(shares[method], draws[method], independent)
        table = pd.DataFrame({"channel": [*found.channels, NO_TOUCH], "method": method, "place": range(k + 1)})
        conversions = shares[method] * total if total else np.zeros(k + 1)
        table = table.assign(conversions=conversions, share=shares[method], low=low, high=high)
        table["value"] = _value(found, method)
        table["removal_effect"] = np.append(effects, np.nan) if method == "markov" else np.nan
        table["last_touch"], table["difference"] = shares["last"], np.round(shares[method] - shares["last"], 9) + 0.0
        table["deviation"] = _deviation(draws[method] - draws["last"])
        tables.append(table)
    table = _judged(pd.concat(tables, ignore_index=True), found.counts.sum())
    return _in_order(table, shares[methods[-1]], bool(claims[0, k])).drop(columns=["deviation", "place"])


def _value(found: Claims, method: str) -> np.ndarray:
    """What the conversions brought that each channel may claim."""
    if method in found.rules:
        return found.worth[found.rules.index(method)]
    worth = found.worth[found.rules.index("last")]  # each conversion at the channel from which a path went to it
    effects = removal_effects(_flows(found, found.counts[None, :]), worth[:-1])[1][0]
    return np.append(np.nan_to_num(over(effects, effects.sum())) * worth[:-1].sum(), worth[-1])


def _interval(share: np.ndarray, draws: np.ndarray, n: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles of the draws; Wilson's interval of n conversions where no draw differs."""
    if not n:
        return np.full(share.shape, np.nan), np.full(share.shape, np.nan)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail], axis=0)
    flat = high - low < 1e-12
    wide = evidence.share_interval(share * n, n, confidence=CONFIDENCE)
    return np.where(flat, wide[0], low), np.where(flat, wide[1], high)


def _deviation(draws: np.ndarray) -> np.ndarray:
    """Standard deviation over the draws; those in which nobody converted have nothing to say."""
    told = np.isfinite(draws).all(axis=1)
    return draws[told].std(axis=0, ddof=1) if told.sum() > 1 else np.full(draws.shape[1], np.nan)


def _judged(table: pd.DataFrame, n: float) -> pd.DataFrame:
    """Adds whether the shares differ from those by last touch: all channels and methods are one family."""
    figures = np.full((len(table), 3), np.nan)
    compared = (table["method"] != "last") & (table["channel"] != NO_TOUCH) & (table["deviation"] > 1e-12)
    if compared.any() and n > 1:
        difference, deviation = (table.loc[compared, c].to_numpy() for c in ("difference", "deviation"))
        reach = stdtrit(n - 1, 1 - (1 - CONFIDENCE) / 2 / compared.sum()) * deviation
        p = 2 * stdtr(n - 1, -np.abs(difference) / deviation)
        figures[compared] = np.column_stack([difference - reach, difference + reach, evidence.holm(p)])
    table[["difference_low", "difference_high", "p_corrected"]] = figures
    return table.assign(differs=(figures[:, 0] > 0) | (figures[:, 1] < 0))


def _in_order(table: pd.DataFrame, share: np.ndarray, untouched: bool) -> pd.DataFrame:
    """Channels by share, "no touch" last and only where there is such a conversion; of each, the methods in order."""
    rank = np.append(np.argsort(np.argsort(-np.round(share[:-1], 12), kind="stable")), len(share))
    ordered = table.assign(rank=rank[table["place"]]).sort_values("rank", kind="stable", ignore_index=True)
    return ordered[untouched | (ordered["channel"] != NO_TOUCH)].drop(columns="rank").reset_index(drop=True)
