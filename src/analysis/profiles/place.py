"""How does place relate to buying: do places differ at all, and by how much once chance is taken out?

Takes profiles, one row per customer. Small places swing most, so a ranking of plain averages puts them first and last;
`by_place` shrinks each place toward the whole by as much as its size makes its average a matter of chance.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtri

from analysis.errors import Problem, require_columns
from analysis.evidence import in_words, percent, times
from analysis.locale import named
from analysis.phrases import phrase
from analysis.schema import profile_column

OTHER = "other places"


@dataclass(frozen=True)
class Places:
    """A figure by place.

    Attributes
    ----------
    table : DataFrame, one row per place, the highest shrunk figure first
        group : str, the place; customers : int; value, low, high : float, as measured; shrunk, shrunk_low,
        shrunk_high : float, drawn toward the whole.
    whole : float
        The figure toward which places are drawn.
    scale : str
        "typical" (geometric mean of those who have any), "share" or "mean".
    q, freedom, p : float, int, float
        Cochran's Q, its degrees of freedom, and how likely so much is if places do not differ.
    differ : bool
        p below 1 − confidence.
    chance : float
        Share of the spread between places that chance alone explains, between 0 and 1.
    left_out : int
        Customers without a place or a figure, and those of too small a rest.
    words : str
        All that in a sentence.
    """

    table: pd.DataFrame
    whole: float
    scale: str
    q: float
    freedom: int
    p: float
    differ: bool
    chance: float
    left_out: int
    words: str


def by_place(
    profiles: pd.DataFrame,
    value: str = "total_spend",
    place: str = "city",
    min_size: int = 20,
    confidence: float = 0.95,
) -> Places:
    """A figure of the customers by place, ranked, with small places shrunk toward the whole.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    value : str
        Column of numbers, or of true and false.
    place : str
        Column of words.
    min_size : int
        Places of fewer customers are put together as "other places", and left out if these are still fewer.
    confidence : float
        Between 0 and 1, of each interval and of the verdict.

    Returns
    -------
    Places

    Raises
    ------
    Problem
        No such column, a value that is no number, or fewer than two places.

    Notes
    -----
    Amounts of money are judged as logarithms, among those who have any: one school that buys for a whole class moves
    the mean of a town by more than all its readers, and money differs by factors, not by sums. What is told is the
    typical amount (geometric mean), so totals cannot be worked out from it. Shares and other numbers are judged as they
    are.

    Within places the spread is taken to be the same everywhere and pooled, as 20 customers do not tell their own.
    Whether places differ: Q of Cochran (1954, Biometrics 10:101). How much they truly do: the variance between places
    after DerSimonian and Laird (1986, Controlled Clinical Trials 7:177). Each place is then weighed against the whole
    by these two (empirical Bayes: Efron and Morris 1975, JASA 70:311); intervals of shrunk figures hold the variance
    between places for known.

    Examples
    --------
    >>> table = pd.DataFrame({"city": ["Yazd"] * 30 + ["Qom"] * 30, "n_orders": [4, 5, 6] * 10 + [1, 2, 3] * 10})
    >>> found = by_place(table, "n_orders")
    >>> found.table[["group", "customers", "value", "shrunk"]].round(2)
      group  customers  value  shrunk
    0  Yazd         30    5.0    4.99
    1   Qom         30    2.0    2.01
    """
    require_columns("profiles", profiles.columns, [place, value])
    if not pd.api.types.is_numeric_dtype(profiles[value]):
        raise Problem(f'by_place needs a number or true and false; "{value}" holds words.')
    known, scale = _judged_values(profiles, value, place)
    sizes = known["place"].value_counts()
    known["place"] = known["place"].where(known["place"].map(sizes) >= min_size, OTHER)
    groups = known.sort_values(["place", "x"]).groupby("place")["x"].agg(["size", "mean", "var"])
    groups = groups[groups["size"] >= min_size]
    if len(groups) < 2:
        raise Problem(
            f'"{place}" has {len(groups)} places of {min_size} customers with a {value} or more; two are needed.'
        )
    return _shrunk(groups, scale, len(profiles) - int(groups["size"].sum()), confidence, (value, place))


def place_to_show(profiles: pd.DataFrame, value: str, min_size: int = 20) -> str:
    """The finest recorded place of which two have enough customers to compare; empty if there is none."""
    for place in ("city", "region", "country"):
        if place in profiles:
            known = profiles[(profiles[value].fillna(0) > 0) & profiles[place].notna()]
            if (known[place].value_counts() >= min_size).sum() > 1:
                return place
    return ""


def _judged_values(profiles: pd.DataFrame, value: str, place: str) -> tuple[pd.DataFrame, str]:
    """Places and the numbers to judge by, and on which scale these are."""
    x = profiles[value].astype("float64")
    known = pd.DataFrame({"place": profiles[place].astype(object), "x": x}).dropna()
    known["place"] = known["place"].astype(str)
    if profile_column(value).unit == "currency":
        known = known[known["x"] > 0]
        return known.assign(x=np.log(known["x"])), "typical"
    return known, "share" if set(known["x"].unique()) <= {0.0, 1.0} else "mean"


def _shrunk(groups: pd.DataFrame, scale: str, left_out: int, confidence: float, what: tuple) -> Places:
    """The verdict over places, from the size, mean and variance of each."""
    n, mean, spread = (groups[c].to_numpy(dtype=float) for c in ("size", "mean", "var"))
    freedom, within = len(n) - 1, np.nansum(spread * (n - 1)) / (n.sum() - len(n))
    variance = np.maximum(within, 1e-300) / n
    weight = 1 / variance
    q = float((weight * (mean - np.average(mean, weights=weight)) ** 2).sum())
    between = max(0.0, (q - freedom) / (weight.sum() - (weight**2).sum() / weight.sum()))
    joint = 1 / (variance + between)
    whole, own = np.average(mean, weights=joint), between / (between + variance)
    drawn = own * mean + (1 - own) * whole
    error = np.sqrt(own * variance + (1 - own) ** 2 / joint.sum())
    reach, told = ndtri((1 + confidence) / 2), np.exp if scale == "typical" else np.asarray
    error_here = reach * np.sqrt(variance)
    bounds = {"value": mean, "low": mean - error_here, "high": mean + error_here}
    bounds |= {"shrunk": drawn, "shrunk_low": drawn - reach * error, "shrunk_high": drawn + reach * error}
    if scale == "share":
        bounds = {name: np.clip(x, 0, 1) for name, x in bounds.items()}
    table = pd.DataFrame({"group": groups.index.astype(str), "customers": n.astype(int)})
    table = table.assign(**{name: told(x) for name, x in bounds.items()})
    table = table.sort_values(["shrunk", "group"], ascending=[False, True], ignore_index=True)
    p, chance = float(chdtrc(freedom, q)), min(freedom / q, 1.0) if q > 0 else 1.0
    differ = p < 1 - confidence
    words = _in_words(what, table, q, freedom, p, differ, chance)
    return Places(table, float(told(whole)), scale, q, freedom, p, differ, chance, left_out, words)


def _in_words(
    what: tuple[str, str], table: pd.DataFrame, q: float, freedom: int, p: float, differ: bool, chance: float
) -> str:
    """The verdict over the places of a value, with the test that it rests on."""
    given = {"value": in_words(what[0]), "place": in_words(what[1]), "test": _test_in_words(q, freedom, p)}
    if not differ:
        return phrase("{value} by {place}: the {n} places do not differ beyond chance ({test}).", n=len(table), **given)
    first, last = table.iloc[0], table.iloc[-1]
    given["share"] = percent(chance)
    if not last["shrunk"] > 0:
        return phrase(
            "{value} by {place}: places differ ({test}); chance alone would make {share} of the spread that is seen.",
            **given,
        )
    given |= {"first": named(first["group"]), "last": named(last["group"])}
    return phrase(
        "{value} by {place}: places differ ({test}, {ratio} times as much in {first} as in {last}); chance alone "
        "would make {share} of the spread that is seen.",
        ratio=times(first["shrunk"] / last["shrunk"]),
        **given,
    )


def _test_in_words(q: float, freedom: int, p: float) -> str:
    if p < 0.001:
        return phrase("Q {q:,.1f} on {freedom} degrees of freedom, p < 0.001", q=q, freedom=freedom)
    return phrase("Q {q:,.1f} on {freedom} degrees of freedom, p = {p:.3f}", q=q, freedom=freedom, p=p)
