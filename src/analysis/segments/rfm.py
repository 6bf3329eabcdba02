"""Recency, frequency and monetary scores, and the segment that each score names.

Takes `profiles`, one row per customer. Equal customers always get equal scores; every score has exactly one name.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

from analysis.errors import Problem, did_you_mean, require_columns
from analysis.evidence import in_words
from analysis.phrases import figure, marked, phrase

NO_PURCHASE = "No completed purchase"


#: Name of every RFM score: a row per recency score, a column per worth, which is the mean of the frequency and the
#: monetary score, halves rounded up. The names are those in common use (Putler's eleven, of which "Promising" is
#: here the second best recency with the least worth); the grid is ours, so that each of the 125 scores has one name.
RFM_GRID = {
    #   worth 1            2                      3                      4              5
    5: ("New customers", "Potential loyalists", "Potential loyalists", "Champions", "Champions"),
    4: ("Promising", "Potential loyalists", "Potential loyalists", "Loyal", "Loyal"),
    3: ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    2: ("Hibernating", "Hibernating", "At risk", "At risk", "Cannot lose them"),
    1: ("Lost", "Lost", "At risk", "Cannot lose them", "Cannot lose them"),
}


def rfm(profiles, cuts=None):
    """Recency, frequency and monetary scores from 1 to 5, and the segment that they name.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        With `customer_id`, `recency_days`, `total_spend` and `n_order_days` or `n_orders`: of the two the first, as two
        orders of one day are one purchase occasion.
    cuts : dict of str to four rising numbers, optional
        Column → where the next score begins, in days, purchases or the base's currency, e.g.
        ``{"recency_days": [30, 90, 180, 365]}``. Whoever lies on a cut gets the lower score: 30 days are a 4, and one
        purchase is a 1 for the cuts 1, 2, 5 and 10. A column without cuts is cut into fifths of this base. The
        ``attrs["cuts"]`` of an earlier result measure a later day by the same yardstick.

    Returns
    -------
    DataFrame, sorted by customer_id
        customer_id : str.
        r, f, m : Int64, 1 (worst) to 5 (best); missing for customers without orders.
        rfm_segment : str, from `RFM_GRID`; "No completed purchase" without orders.

        ``attrs["notes"]`` says in sentences where fewer than five scores could be given, ``attrs["cuts"]`` where the
        scores begin (none for a column in which all are the same).

    Raises
    ------
    Problem
        A column is missing, or cuts that are not four rising numbers of one of these columns.

    Notes
    -----
    The score of a value is 1 plus the number of cuts of the base below it, so equal customers always get equal
    scores, whatever their order. Where many customers share a value, cuts coincide and scores are skipped: if 52 % have
    bought once, these all score 1, and the next get 3 at the least. Where all share one value, all get the middle
    score 3: nobody is better or worse. Hughes (1994), "Strategic Database Marketing", has the quintiles.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcdef"), "recency_days": [5, 90, 200, 310, 400, None],
    ...     "n_orders": [9, 5, 1, 1, 1, 0], "total_spend": [900.0, 300, 40, 40, 40, 0]})
    >>> rfm(profiles)
      customer_id     r     f     m      rfm_segment
    0           a     5     5     5        Champions
    1           b     4     4     4            Loyal
    2           c     3     1     1   About to sleep
    3           d     2     1     1      Hibernating
    4           e     1     1     1             Lost
    5           f  <NA>  <NA>  <NA>  No completed purchase
    >>> rfm(profiles, {"recency_days": [30, 90, 180, 365]})["r"].tolist()
    [5, 3, 2, 2, 1, <NA>]
    """
    frequency = "n_orders" if "n_orders" in (cuts or {}) or "n_order_days" not in profiles else "n_order_days"
    columns = {"r": "recency_days", "f": frequency, "m": "total_spend"}
    require_columns("profiles", profiles.columns, ["customer_id", *columns.values()])
    given = _checked_cuts(cuts or {}, list(columns.values()))
    profiles = profiles.sort_values("customer_id", ignore_index=True)
    bought = (profiles[frequency] > 0).to_numpy()
    scores, used, notes = profiles[["customer_id"]].copy(), {}, []
    for name, column in columns.items():
        values = profiles[column].where(bought).astype(float)
        used[column] = given.get(column) or _fifths(values)
        scores[name] = _scores(values, used[column], falling=name == "r")
        notes += _skipped(column, scores[name], asked=column in given)
    scores["rfm_segment"] = _names(scores, bought)
    scores.attrs = {"notes": notes, "cuts": {column: at for column, at in used.items() if at}}
    return scores


def no_scores(profiles):
    """The table of :func:`rfm` for a base without orders: every score missing.

    Examples
    --------
    >>> no_scores(pd.DataFrame({"customer_id": ["b", "a"]}))["rfm_segment"].tolist()
    ['No completed purchase', 'No completed purchase']
    """
    scores = profiles[["customer_id"]].sort_values("customer_id", ignore_index=True)
    scores[["r", "f", "m"]] = pd.DataFrame(pd.NA, index=scores.index, columns=["r", "f", "m"], dtype="Int64")
    scores = scores.assign(rfm_segment=NO_PURCHASE)
    scores.attrs["notes"] = [
        phrase("The base has no orders with amounts, so nobody has a score. A table of orders would add them.")
    ]
    return scores


def rfm_name(r, f, m):
    """Name of an RFM score.

    Examples
    --------
    >>> rfm_name(5, 5, 4), rfm_name(1, 1, 1)
    ('Champions', 'Lost')
    """
    return RFM_GRID[r][(f + m + 1) // 2 - 1]


def _names(scores, bought):
    """The segment of every customer; of those who bought but lack a recency or a spend, that they have no score."""
    code = 100 * scores["r"] + 10 * scores["f"] + scores["m"]
    names = code.map({100 * r + 10 * f + m: rfm_name(r, f, m) for r, f, m in product(range(1, 6), repeat=3)})
    return names.astype("str").where(code.notna(), np.where(bought, "Not scored", NO_PURCHASE))


def _checked_cuts(cuts, columns):
    """Cuts as lists of four rising floats, by column."""
    if not isinstance(cuts, Mapping):
        raise Problem(f'rfm: cuts is column → cuts, e.g. {{"recency_days": [30, 90, 180, 365]}}, not {cuts!r}.')
    for column, given in cuts.items():
        if column not in columns:
            known = ", ".join(columns)
            raise Problem(f'rfm has no cuts for "{column}".{did_you_mean(str(column), columns)} It scores: {known}.')
        numbers = pd.to_numeric(pd.Series(list(given) if np.iterable(given) else [given]), errors="coerce")
        if len(numbers) != 4 or not np.isfinite(numbers).all() or (numbers.diff() < 0).any():
            raise Problem(
                f"rfm: the cuts of {column} are four rising numbers, between which the scores 1 to 5 lie, e.g. "
                f"[30, 90, 180, 365]; they are {given!r}. Repeat a number to skip a score."
            )
    return {column: [float(cut) for cut in given] for column, given in cuts.items()}


def _fifths(values):
    """The four cuts between fifths of the known values; none where all are the same, as nobody is better or worse."""
    known = values.dropna()
    if known.nunique() <= 1:
        return []
    # round-off would part customers who lie on a cut from the cut
    return np.quantile(known, [0.2, 0.4, 0.6, 0.8]).round(6).tolist()


def _scores(values, cuts, falling):
    """1 plus the number of cuts that a value is past; 3 without cuts. Where less is better, past is below."""
    if not cuts:
        return values.where(values.isna(), 3).astype("Int64")
    past = 4 - np.searchsorted(cuts, values, side="right") if falling else np.searchsorted(cuts, values, side="left")
    return pd.Series(1 + past, index=values.index, dtype="Int64").where(values.notna())


def _skipped(column, scores, asked):
    """A note where fewer than five scores were given, and why."""
    given = sorted(scores.dropna().unique())
    if len(given) in (0, 5):
        return []
    shared = marked("{column} gives only {n} of 5 scores ({scores}): many customers share a value.")
    between = marked("{column} gives only {n} of 5 scores ({scores}): nobody lies between the other cuts.")
    said, scores = in_words(column), phrase(", ").join(figure(str(score)) for score in given)
    return [phrase(between if asked else shared, column=said[0].upper() + said[1:], n=len(given), scores=scores)]
