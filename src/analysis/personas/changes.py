"""Which traits of which personas are otherwise than before, by how much, and is it more than chance?

Takes rows of customers in several stretches of time, window 0 being the latest, with the persona and the traits of
each. Gives a row per persona and trait: before and now, the difference with its interval, its p and its effect. Most
customers stand on both sides, some several times; what each adds to a difference is therefore summed up first.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from analysis import evidence, schema

#: Chance that anything at all is called a change where nothing changed.
ALPHA = 0.05

#: Fewer customers of a persona in any of the stretches of time are no ground for a verdict about a trait.
FEWEST = 20

#: The name under which a persona's share of the customers stands among the traits.
SIZE = "size"

#: Units whose numbers rise with prices, and those that rise by the mere passing of time while one looks back to the
#: beginning. A customer's place among all customers of the same day does not.
PRICES = frozenset({"currency"})
GROWING = PRICES | {"days", "years", "orders", "lines", "categories", "contacts", "messages", "campaigns", "deals"}

_KINDS = {
    **dict.fromkeys(("persona", "n_before", "n"), "int64"),
    **dict.fromkeys(("trait", "level", "kind"), "str"),
    **dict.fromkeys(("before", "value", "change", "difference", "low", "high", "p", "p_corrected"), "float64"),
    **dict.fromkeys(("effect", "smallest", "year_ago", "p_year"), "float64"),
}
COLUMNS = (
    *("persona", "trait", "level", "kind", "n_before", "before", "n", "value", "change", "difference", "low", "high"),
    *("p", "p_corrected", "effect", "smallest", "year_ago", "p_year"),
)


def changes(rows: pd.DataFrame, traits: Sequence[str], beside: frozenset[str], sizes: bool = True) -> pd.DataFrame:
    """Each persona's traits in the latest window, held against all windows before.

    Parameters
    ----------
    rows : DataFrame, one row per customer and window
        customer_id, persona (int), window (int, 0 is the latest), and the traits.
    traits : sequence of str
    beside : set of str
        Units whose numbers are compared by their place among everybody's of the same window (`PRICES`, `GROWING`).
    sizes : bool
        Whether the personas' shares of the customers are compared as well: not where who is in a persona was found
        from what they did in these windows.

    Returns
    -------
    DataFrame, one row per persona, trait and level of which `FEWEST` are known in each window
        persona; trait, "size" for the persona's share of the customers; level; kind : "number" or "share".
        n_before, before, n, value : rows and mean (of a share, the share) before and now; change : their difference.
        difference : of a share the same, of a number the change of its Cliff's delta against everybody; low, high : its
        interval, so wide that all of the table hold together; p, p_corrected : Holm, over all of the table.
        effect : the same as `difference`; of the size Cohen's h, as a persona of a tenth that doubles is another one.
        smallest : the smallest effect against any of the windows before; 0 where they do not all point one way.
        year_ago, p_year : value of the window furthest back, and p against it alone, not corrected.

    Notes
    -----
    The error of a difference of two means over partly the same customers, by linearisation with customers as clusters
    (Cochran 1977, Sampling Techniques, 3rd ed., section 6.3). The test takes deviations from the common mean, as a z
    test of shares takes the pooled share; Student's t, with as many degrees of freedom as the smaller side has
    customers, less one. Numbers are read as places among all customers from -1 to 1, whose mean in a group is its
    Cliff's delta against everybody (Cliff 1993, Psychological Bulletin 114:494): no single large order decides.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": list(range(40)) * 2, "persona": 1, "window": [0] * 40 + [1] * 40})
    >>> rows["through_app"] = [0.2] * 20 + [0.8] * 20 + [0.2] * 30 + [0.8] * 10
    >>> changes(rows, ["through_app"], PRICES, sizes=False)[["before", "value", "low", "high"]].round(2)
       before  value   low  high
    0    0.35    0.5  0.07  0.23
    """
    personas = np.array(sorted(set(rows["persona"])), dtype=np.int64)
    own = np.searchsorted(personas, rows["persona"].to_numpy())
    customer, window = pd.factorize(rows["customer_id"])[0], rows["window"].to_numpy(dtype=np.int64)
    found = []
    for place, persona in enumerate(personas if sizes else ()):
        is_in = (own == place).astype(float)
        share = _figures(_Read(SIZE, "", "share", is_in, is_in), np.zeros_like(own), customer, window)
        found.append(share.assign(persona=persona))
    for read in _read_as_numbers(rows, traits, beside):
        figures = _figures(read, own, customer, window)
        found.append(figures.assign(persona=personas[figures["place"]]))
    found = [figures for figures in found if len(figures)]
    return _corrected(pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=[*_KINDS, *_OF_TEST]))


class _Read(NamedTuple):
    """A trait or level as numbers, and as what is compared: shares as they are, numbers as places from -1 to 1."""

    trait: str
    level: str
    kind: str
    x: np.ndarray
    compared: np.ndarray


def _read_as_numbers(rows: pd.DataFrame, traits: Sequence[str], beside: frozenset[str]) -> Iterator[_Read]:
    """Every trait and level."""
    window = rows["window"].to_numpy(dtype=np.int64)
    for trait in traits:
        kind = evidence.kind_of(rows[trait])
        if kind == "number":
            x = rows[trait].to_numpy(dtype=float, na_value=np.nan)
            unit = "currency" if trait in schema.MONEY else schema.profile_column(trait).unit
            among = window if unit in beside else np.zeros_like(window)
            is_share = unit == "share"
            yield _Read(trait, "", "share" if is_share else "number", x, x if is_share else _places(x, among))
        elif kind == "share":
            values = evidence.as_text(rows[trait])
            for level in _levels(rows[trait], values):
                has = np.where(values.isna(), np.nan, (values == level).to_numpy(dtype=float, na_value=np.nan))
                yield _Read(trait, level, "share", has, has)


def _levels(column: pd.Series, values: pd.Series) -> list[str]:
    """The commonest levels of a text; of true and false the one."""
    if pd.api.types.is_bool_dtype(column):
        return ["yes"]
    counts = values.dropna().value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return list(counts.index[: evidence.COMMONEST_LEVELS])


def _places(x: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Each number's place among all numbers of its kind: -1 the lowest, 0 the middle, 1 the highest."""
    numbers = pd.Series(x).groupby(among)
    return (2 * (numbers.rank() - 0.5) / numbers.transform("count") - 1).to_numpy()


#: What a test gives beside p; not part of the table.
_OF_TEST = ("se", "freedom", "place")


def _figures(read: _Read, own: np.ndarray, customer: np.ndarray, window: np.ndarray) -> pd.DataFrame:
    """Of each persona of which enough customers are known in every window: means, effects and their errors."""
    known = np.isfinite(read.x)
    x, z, own, customer, window = read.x[known], read.compared[known], own[known], customer[known], window[known]
    size, last = int(own.max(initial=-1)) + 1, int(window.max(initial=0))
    n, sum_x, sum_z = (_sums(own, window, values, size, last + 1) for values in (np.ones_like(x), x, z))
    reached = n.sum(axis=0) > 0  # a window that the base does not reach is no empty one
    kept = (n[:, reached] >= (FEWEST if read.trait != SIZE else 1)).all(axis=1) & reached[0] & (reached.sum() > 1)
    kept &= _differs(x, own, size)
    if not kept.any():
        return pd.DataFrame({"place": np.empty(0, dtype=np.int64)})
    n, sum_x, sum_z = (table[kept][:, reached] for table in (n, sum_x, sum_z))
    test = _test(z, own, customer, (window == 0, window > 0), size)[kept]
    test["p_year"] = _test(z, own, customer, (window == 0, window == last), size)["p"][kept]
    figures = _compared(n, sum_x, sum_z, _arcsine if read.trait == SIZE else np.asarray)
    figures = pd.concat([figures, test.reset_index(drop=True)], axis=1)
    return figures.assign(place=np.flatnonzero(kept), trait=read.trait, level=read.level, kind=read.kind)


def _differs(x: np.ndarray, own: np.ndarray, size: int) -> np.ndarray:
    """Whether there is any difference among the customers of each persona; else others alone would move their place."""
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, own, x)
    np.maximum.at(high, own, x)
    return high > low


def _sums(own: np.ndarray, window: np.ndarray, values: np.ndarray, size: int, windows: int) -> np.ndarray:
    return np.bincount(own * windows + window, values, size * windows).reshape(size, windows)


def _compared(n: np.ndarray, sum_x: np.ndarray, sum_z: np.ndarray, scale) -> pd.DataFrame:
    """Means and effects from the sums; shape (personas, windows)."""
    n_before, each = n[:, 1:].sum(axis=1), sum_z / n
    value, before = sum_x[:, 0] / n[:, 0], sum_x[:, 1:].sum(axis=1) / n_before
    now, then = each[:, 0], sum_z[:, 1:].sum(axis=1) / n_before
    figures = {"n_before": n_before, "before": before, "n": n[:, 0], "value": value, "change": value - before}
    figures |= {"difference": now - then, "effect": scale(now) - scale(then), "year_ago": sum_x[:, -1] / n[:, -1]}
    return pd.DataFrame(figures | {"smallest": _smallest(scale(each[:, [0]]) - scale(each[:, 1:]))})


def _arcsine(share: np.ndarray) -> np.ndarray:
    """A share on the scale of Cohen's h (Cohen 1988, Statistical Power Analysis for the Behavioral Sciences)."""
    return 2 * np.arcsin(np.sqrt(np.clip(share, 0, 1)))


def _smallest(against: np.ndarray) -> np.ndarray:
    """The effect nearest to none against any window; none at all where they point both ways."""
    low, high = against.min(axis=1), against.max(axis=1)
    return np.where(low > 0, low, np.where(high < 0, high, 0.0))


def _test(z: np.ndarray, own: np.ndarray, customer: np.ndarray, sides: tuple, size: int) -> pd.DataFrame:
    """p of the difference between the two sides of each persona, its standard error and degrees of freedom."""
    pair, keys = pd.factorize(own * (customer.max() + 1) + customer)
    of_pair = keys // (customer.max() + 1)
    n = [np.bincount(own[rows], minlength=size) for rows in sides]
    total = [np.bincount(own[rows], z[rows], size) for rows in sides]
    with np.errstate(invalid="ignore", divide="ignore"):
        means, pooled = [t / k for t, k in zip(total, n, strict=True)], sum(total) / sum(n)
        errors = []
        for centres in ((pooled, pooled), means):
            part = np.zeros(len(z))
            for rows, sign, k, centre in zip(sides, (1, -1), n, centres, strict=True):
                part[rows] = sign * (z[rows] - centre[own[rows]]) / k[own[rows]]
            errors.append(_error(np.bincount(pair, part, len(keys)), of_pair, size))
        customers = [np.bincount(of_pair[np.unique(pair[rows])], minlength=size) for rows in sides]
        freedom = np.maximum(np.minimum(*customers) - 1, 1)
        difference = np.abs(means[0] - means[1])
        t = np.where(difference < 1e-12, 0.0, difference / errors[0])
    return pd.DataFrame({"p": 2 * stdtr(freedom, -t), "se": errors[1], "freedom": freedom})


def _error(parts: np.ndarray, of_pair: np.ndarray, size: int) -> np.ndarray:
    """The standard error of a difference, from what each customer adds to it."""
    customers = np.bincount(of_pair, minlength=size)
    return np.sqrt(np.bincount(of_pair, parts**2, size) * customers / (customers - 1))


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """With p corrected over all rows and intervals that hold together; a persona's size before its traits."""
    reach = stdtrit(table["freedom"].to_numpy(float), 1 - ALPHA / max(len(table), 1) / 2) * table["se"].astype(float)
    table = table.assign(low=table["difference"] - reach, high=table["difference"] + reach)
    table["p_corrected"] = evidence.holm(table["p"].to_numpy(float))
    order = table.assign(last=table["trait"] != SIZE).sort_values(["persona", "last"], kind="stable").index
    return table.loc[order, list(COLUMNS)].astype(_KINDS).reset_index(drop=True)
