"""Recency, frequency and monetary scores, and the segment that each score names.

Takes `profiles`, one row per customer. Equal customers always get equal scores; every score has exactly one name.
"""

import numpy as np
import pandas as pd

from analysis.errors import require_columns

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


def rfm(profiles):
    """Recency, frequency and monetary scores from 1 to 5, and the segment that they name.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        With `customer_id`, `recency_days`, `total_spend` and `n_order_days` or `n_orders`: of the two the first, as two
        orders of one day are one purchase occasion.

    Returns
    -------
    DataFrame, sorted by customer_id
        customer_id : str.
        r, f, m : Int64, 1 (worst) to 5 (best); missing for customers without orders.
        rfm_segment : str, from `RFM_GRID`; "No completed purchase" without orders.

        ``attrs["notes"]`` says in sentences where fewer than five scores could be given.

    Raises
    ------
    Problem
        A column is missing.

    Notes
    -----
    The score of a value is 1 plus the number of quintile cuts of the base below it, so equal customers always get equal
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
    """
    orders = "n_order_days" if "n_order_days" in profiles else "n_orders"
    require_columns("profiles", profiles.columns, ["customer_id", "recency_days", orders, "total_spend"])
    profiles = profiles.sort_values("customer_id", ignore_index=True)
    bought = (profiles[orders] > 0).to_numpy()
    scores, notes = profiles[["customer_id"]].copy(), []
    for name, column, sign in (("r", "recency_days", -1), ("f", orders, 1), ("m", "total_spend", 1)):
        values = sign * profiles[column].where(bought).astype(float)
        scores[name] = _quintiles(values)
        given = sorted(scores[name].dropna().unique())
        if len(given) < 5 and bought.any():
            listed = ", ".join(str(score) for score in given)
            notes.append(f"{column} gives only {len(given)} of 5 scores ({listed}): many customers share a value.")
    known = scores[["r", "f", "m"]].notna().all(axis=1)
    scores["rfm_segment"] = np.where(bought, "Not scored", NO_PURCHASE)
    scores["rfm_segment"] = scores["rfm_segment"].astype(object)
    scores.loc[known, "rfm_segment"] = [
        rfm_name(*s) for s in scores.loc[known, ["r", "f", "m"]].itertuples(index=False)
    ]
    scores.attrs["notes"] = notes
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
        "The base has no orders with amounts, so nobody has a score. A table of orders would add them."
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


def _quintiles(values):
    """1 plus the number of quintile cuts below each value; 3 where all values are the same."""
    known = values.dropna()
    if known.nunique() <= 1:
        return values.where(values.isna(), 3).astype("Int64")
    cuts = np.quantile(known, [0.2, 0.4, 0.6, 0.8])
    scores = pd.Series(1 + np.searchsorted(cuts, values, side="left"), index=values.index, dtype="Int64")
    return scores.where(values.notna())
