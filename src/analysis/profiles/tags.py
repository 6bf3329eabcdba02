"""Multi-choice fields and free tags: how many customers carry each of them?

A list is kept as a list, in `customers` and in the profiles; here it is counted, tag by tag.
"""

import numpy as np
import pandas as pd

from analysis.evidence import share_interval


def tag_fields(profiles: pd.DataFrame) -> list[str]:
    """Columns that hold lists (interests, tags, consents, a base's own multi-choice fields), those in use."""
    return [c for c in profiles if _lists(profiles[c]).map(len).gt(0).any()]


def tag_counts(profiles: pd.DataFrame, field: str) -> pd.DataFrame:
    """Each tag of a multi-choice field with the customers who carry it.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    field : str, a column of lists; a tag that a customer has twice counts once

    Returns
    -------
    DataFrame, commonest first
        ``tag``, ``customers`` (int), ``of`` (customers whose list is known, also empty ones), ``share``, ``low``,
        ``high`` (Wilson's 95 % interval).

    Examples
    --------
    >>> profiles = pd.DataFrame({"interests": [["novel", "art"], ["novel"], [], None]})
    >>> tag_counts(profiles, "interests")[["tag", "customers", "of"]]
         tag  customers  of
    0  novel          2   3
    1    art          1   3
    """
    lists = _lists(profiles[field])
    counts = lists.map(lambda tags: sorted(set(tags))).explode().dropna().astype(str).value_counts()
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    low, high = share_interval(counts.to_numpy(), np.full(len(counts), max(len(lists), 1)))
    return pd.DataFrame(
        {
            **{"tag": counts.index, "customers": counts.to_numpy(), "of": len(lists)},
            **{"share": counts.to_numpy() / max(len(lists), 1), "low": low, "high": high},
        }
    )


def _lists(values: pd.Series) -> pd.Series:
    """The cells that are lists; nothing of a column that holds anything else."""
    if values.dtype != object:
        return pd.Series(dtype=object)
    known = values.dropna()
    return known[[isinstance(v, list | tuple | np.ndarray) for v in known]]
