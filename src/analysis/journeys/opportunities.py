"""Where would help move most customers, if a step did as well for them as it does for others?

Takes the visits of the last year by persona, stage and the way of coming to it. Gives the steps that do better
elsewhere beyond doubt, ranked by the customers whom the difference concerns.
"""

import numpy as np
import pandas as pd

from analysis import evidence

#: Customers on either side of a comparison, at least. A share of a half among 30 is known within 18 points, and below
#: some 30 clusters the variance between customers is itself too uncertain to widen an interval by.
FEWEST_COMPARED = 30

OPPORTUNITY_COLUMNS = ["persona", "place", "action", "channel", "with_persona", "with_channel", "customers", "tries",
                       "rate", "best_customers", "best_rate", "difference", "low", "high", "p_corrected", "gained",
                       "gained_low", "gained_high"]  # fmt: skip

_WAY = ["place", "action", "channel"]
_CELL = ["persona", *_WAY]


def opportunities(tries: pd.DataFrame) -> pd.DataFrame:
    """Steps that do better for another persona or on another channel, by the customers who would gain.

    Parameters
    ----------
    tries : DataFrame, as from :func:`analysis.journeys.by_stage.tries`, with persona

    Returns
    -------
    DataFrame, most gained first; empty where no step does better elsewhere
        persona, place, action, channel : which step of whom.
        with_persona, with_channel : with whom it is compared: the same way of another persona, or another channel of
        the same persona, on which the step begins with the same action.
        customers, tries, rate : who tried in the year, how often, and which share went on.
        difference, low, high : of the rate there and the rate here, both drawn towards that of all, with the interval
        of the difference as observed; p_corrected.
        best_customers, best_rate : who tried there, and the rate here with the difference.
        gained, gained_low, gained_high : customers who would go on at least once more in a year.

    Notes
    -----
    A customer's tries are alike, so counts are divided by the design effect (Kish 1965, Survey Sampling), estimated
    from the variance between customers, before Newcombe's interval and the test; what a channel's customers share with
    those of another is left aside, which makes the interval rather too wide. p values are Holm's over all comparisons,
    and intervals hold for all of them together (Bonferroni), so that looking for the best invents none. The best of
    many still looks better than it is: rates are drawn towards their mean by as much as chance has spread them (Efron
    and Morris 1975, JASA 70), and `gained` rests on the rates so drawn.

    Of a customer with f tries that failed, at least one would succeed with probability ``1 - (1 - d / (1 - rate))^f``,
    where d is the difference. That sums to the customers gained; it assumes that what differs is the step and not the
    people, and that a try that failed once could have succeeded as well as any other.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": range(200), "persona": [1] * 100 + [2] * 100, "place": 0, "tries": 1,
    ...                        "action": "cart", "channel": "app", "went_on": [1, 0] * 50 + ([1] * 9 + [0]) * 10})
    >>> opportunities(visits)[["persona", "with_persona", "rate", "best_rate", "gained"]].round(2)
       persona  with_persona  rate  best_rate  gained
    0        1             2   0.5       0.88   37.88
    """
    cells = _cells(tries)
    pairs = _comparisons(cells)
    if pairs.empty:
        return pd.DataFrame(columns=OPPORTUNITY_COLUMNS)
    pairs = _judged(pairs).rename(columns={"persona_there": "with_persona", "channel_there": "with_channel"})
    better = pairs[(pairs["p_corrected"] < 0.05) & (pairs["low"] > 0)]
    order = [*_CELL, "drawn_there", "low", "with_persona", "with_channel"]
    best = better.sort_values(order, ascending=[True] * 4 + [False] * 2 + [True] * 2).drop_duplicates(_CELL)
    found = pd.DataFrame([_gain(row, tries) for row in best.itertuples()], columns=OPPORTUNITY_COLUMNS)
    order = found.assign(less=-found["gained"]).sort_values(["less", *_CELL]).index
    return found.loc[order].reset_index(drop=True)


def compared(tries: pd.DataFrame) -> pd.DataFrame:
    """How many comparisons there are for each persona and place: persona, place, compared."""
    pairs = _comparisons(_cells(tries))
    both = pd.concat([pairs, _from_there(pairs)])
    return both.groupby(["persona", "place"]).size().rename("compared").reset_index()


def _cells(tries: pd.DataFrame) -> pd.DataFrame:
    """Rate of each persona at each stage by each way, how many tries it is worth, and the rate drawn to the mean."""
    tries = tries.sort_values([*_CELL, "customer_id"])
    rows = [
        (*key, len(of), *_rate(of["went_on"].to_numpy(float), of["tries"].to_numpy(float)))
        for key, of in tries.groupby(_CELL)
        if len(of) >= FEWEST_COMPARED
    ]
    cells = pd.DataFrame(rows, columns=[*_CELL, "customers", "tries", "rate", "worth"])
    drawn = [_drawn(of) for _, of in cells.groupby(["place", "action"], sort=False)]
    return cells.assign(drawn=pd.concat(drawn).reindex(cells.index) if drawn else np.nan)


def _rate(went_on, tries):
    """Tries, rate, and how many independent tries they are worth."""
    n, customers = tries.sum(), len(tries)
    rate = went_on.sum() / n
    if 0 < rate < 1:
        spread = customers / (customers - 1) * ((went_on - rate * tries) ** 2).sum() / n
        effect = max(spread / (rate * (1 - rate)), 1.0)
    else:
        effect = (tries**2).sum() / n  # as if all tries of a customer ended alike
    return int(n), rate, n / effect


def _drawn(cells: pd.DataFrame) -> pd.Series:
    """Each rate between its own and the mean, nearer to the mean the more of the spread is chance."""
    rate, worth = cells["rate"].to_numpy(), cells["worth"].to_numpy()
    mean = np.average(rate, weights=worth)
    chance = (mean * (1 - mean) + 1e-12) / worth
    real = max(np.average((rate - mean) ** 2 - chance, weights=worth), 0.0)
    return pd.Series(mean + real / (real + chance) * (rate - mean), cells.index)


def _comparisons(cells: pd.DataFrame) -> pd.DataFrame:
    """Each cell beside the same way of every other persona, and beside the persona's other channels; each pair once."""
    cells = cells.reset_index(names="cell")
    others = cells.merge(cells, on=_WAY, suffixes=("", "_there")).assign(channel_there=lambda t: t["channel"])
    channels = cells.merge(cells, on=["persona", "place", "action"], suffixes=("", "_there"))
    pairs = pd.concat([others, channels.assign(persona_there=lambda t: t["persona"])], ignore_index=True)
    return pairs[pairs["cell"] < pairs["cell_there"]].reset_index(drop=True)


def _judged(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs with interval and corrected p of the difference, from either side."""
    here, there = pairs["worth"].to_numpy(), pairs["worth_there"].to_numpy()
    k, k_there = (np.minimum(pairs[rate] * n, n) for rate, n in (("rate", here), ("rate_there", there)))
    _, low, high, p = evidence.difference_of_shares(k_there, there, k, here, 1 - 0.05 / len(pairs))
    pairs = pairs.assign(low=low, high=high, p_corrected=evidence.holm(p))
    return pd.concat([pairs, _from_there(pairs).assign(low=-high, high=-low)], ignore_index=True)


def _from_there(pairs: pd.DataFrame) -> pd.DataFrame:
    """The same pairs seen from the other side."""
    own = [c for c in pairs if f"{c}_there" in pairs]
    return pairs.rename(columns={c: f"{c}_there" for c in own} | {f"{c}_there": c for c in own})


def _gain(row, tries: pd.DataFrame) -> tuple:
    """A row of the result."""
    of = tries[(tries[_CELL] == [getattr(row, name) for name in _CELL]).all(axis=1)]
    failed = np.sort((of["tries"] - of["went_on"]).to_numpy(float))
    drawn = float(np.clip(row.drawn_there - row.drawn, row.low, row.high))
    gained = [_at_least_once(failed, d / (1 - row.rate)) for d in (drawn, row.low, row.high)]
    return (
        *(
            row.persona,
            row.place,
            row.action,
            row.channel,
            row.with_persona,
            row.with_channel,
            row.customers,
            row.tries,
        ),
        *(row.rate, row.customers_there, row.rate + drawn, drawn, row.low, row.high, row.p_corrected),
        *gained,
    )


def _at_least_once(failed, probability: float) -> float:
    """Customers of whose failed tries at least one would have succeeded."""
    return float((1 - (1 - min(probability, 1.0)) ** failed).sum())
