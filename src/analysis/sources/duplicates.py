"""People recorded twice: which records of a customer base are of one person, how sure is that, and why?

`duplicates` takes customers with whatever they have of name, e-mail address, telephone number and date of birth, and
gives the pairs of records that are probably one person. `merges` turns pairs into groups and says which
record of each group survives.
"""

from itertools import product

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, require_columns
from analysis.sources import likeness
from analysis.sources.likeness import FIELDS, Records
from analysis.sources.mapping import LEAST_SCORE, MERGE_SCORE

#: Most records that are compared because they share one value. A number that more people gave is a company's or a
#: placeholder; of those who gave it, only records of the same name are compared, and again no more than this many.
LARGEST_BLOCK = 20


def duplicates(customers: IntoFrame, timezone: str | None = None) -> pd.DataFrame:
    """Pairs of records that are probably one person, with a score and the reasons.

    Parameters
    ----------
    customers : any dataframe, one row per customer
        ``customer_id`` and at least one of ``name``, ``email``, ``phone``, ``birth_date``; other columns than
        ``signup_at`` are not looked at.
    timezone : str, optional
        The business's own, e.g. "Asia/Tehran": its country's way of writing telephone numbers is understood. Default:
        that of ``signup_at``; without either, numbers are compared by their digits.

    Returns
    -------
    DataFrame, surest first
        ``customer_id`` and ``other_id`` (the ids in order), ``score`` (from 0.8 to 1: the probability that the two are
        one person, as far as the four fields tell), ``why`` (in words, without personal data). The same pairs whatever
        the row order.

    Raises
    ------
    Problem
        Without ``customer_id``, with an empty or a repeated one, or with none of the fields.

    Notes
    -----
    Records are compared that share a telephone number, an e-mail address, or a date of birth and a word of the name,
    at most `LARGEST_BLOCK` for one value; no other pair is looked at, so that the work grows with the customers and not
    with their square. How the score comes about, and what it rests on, `analysis.sources.likeness` says.

    Examples
    --------
    >>> found = duplicates(pd.DataFrame({
    ...     "customer_id": ["a", "b", "c"],
    ...     "name": ["Parisa Rezaei", "REZAEE Parisa", "Sina Rezaei"],
    ...     "phone": ["0912 345 6789", "+98 912 345 6789", "09123456789"],
    ... }), timezone="Asia/Tehran")
    >>> found[["customer_id", "other_id", "why"]].values.tolist()
    [['a', 'b', 'same telephone number, same name']]
    """
    records = likeness.records(_as_pandas(customers), timezone)
    left, right = _candidates(records)
    score, why = likeness.score(records, left, right)
    likely = score >= LEAST_SCORE
    found = {
        "customer_id": records.ids.iloc[left[likely]].array,
        "other_id": records.ids.iloc[right[likely]].array,
        "score": score[likely],
        "why": why[likely],
    }
    return pd.DataFrame(found).sort_values(
        ["score", "customer_id", "other_id"], ascending=[False, True, True], ignore_index=True
    )


def merges(customers: IntoFrame, pairs: pd.DataFrame, score: float = MERGE_SCORE) -> pd.DataFrame:
    """Which record is merged into which: groups of pairs that reach a score, none of them at odds with itself.

    Parameters
    ----------
    customers : any dataframe, one row per customer
        The ones in which the pairs were found.
    pairs : DataFrame
        As `duplicates` gives them.
    score : float
        The least score, between 0.8 and 1.

    Returns
    -------
    DataFrame, columns ``customer_id``, ``merged_into``, ``score``, ``why``, by customer_id
        One row per record that goes into another one. The record that signed up first survives (other systems have
        known it longest, and the customer's history begins with it), of several the one with the first id; those
        without a date come last. Score and reasons are those of the surest pair that ties the record to its group.

    Raises
    ------
    Problem
        If pairs lacks a column or is of other customers.

    Notes
    -----
    Pairs are joined to groups from the surest on; two groups stay apart when any record of one has another name or
    another date of birth than a record of the other. So a chain of pairs does not glue a family together.

    Examples
    --------
    >>> customers = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "email": ["s.ahmadi@example.com"] * 2, "name": ["Sara Ahmadi", "ahmadi, sara"]})
    >>> merges(customers, duplicates(customers))[["customer_id", "merged_into", "why"]].values.tolist()
    [['b', 'a', 'same e-mail address, same name']]
    """
    require_columns("pairs", pairs.columns, ["customer_id", "other_id", "score", "why"])
    customers = _as_pandas(customers).drop(columns=["phone", "email"], errors="ignore")  # the pairs rest on them
    records = likeness.records(customers)
    sure = pairs[pairs["score"] >= score]
    place = pd.Series(range(len(records.ids)), index=records.ids)
    unknown = ~sure[["customer_id", "other_id"]].isin(place.index)
    if unknown.any(axis=None):
        raise Problem(
            f"pairs name {unknown.any(axis=1).sum():,} times a customer_id that customers does not have. Give merges "
            "the customers in which the pairs were found."
        )
    links = zip(place[sure["customer_id"]].tolist(), place[sure["other_id"]].tolist(), strict=True)
    groups, first = _joined(records, list(links))
    rank = _by_signup(customers)
    rows = []
    for members in groups:
        survivor = min(members, key=rank.__getitem__)
        rows += [(m, survivor, first[m]) for m in members if m != survivor]
    merged, into, link = np.array(rows, dtype=int).reshape(-1, 3).T
    return pd.DataFrame(
        {
            "customer_id": records.ids.iloc[merged].array,
            "merged_into": records.ids.iloc[into].array,
            "score": sure["score"].iloc[link].array,
            "why": sure["why"].iloc[link].array,
        }
    ).sort_values("customer_id", ignore_index=True)


def _as_pandas(customers: IntoFrame) -> pd.DataFrame:
    """The columns that matter, in the order of the ids."""
    lazy = nw.from_native(customers).lazy()
    names = lazy.collect_schema().names()
    require_columns("customers", names, ["customer_id"])
    if not set(FIELDS) & set(names):
        raise Problem(
            f"customers has none of {', '.join(FIELDS)}, so nothing tells whether two records are one person. "
            f"It has: {', '.join(names)}."
        )
    wanted = [c for c in ("customer_id", *FIELDS, "signup_at") if c in names]
    frame = lazy.select(wanted).collect("pandas").to_native()
    ids = frame["customer_id"]
    if ids.isna().any() or ids.duplicated().any():
        found = f"{ids.isna().sum():,} are empty, {ids.dropna().duplicated().sum():,} stand there again"
        raise Problem(f"customers needs one row per customer_id; {found}. Leave one row of each.")
    return frame.sort_values("customer_id", ignore_index=True)


# --- which pairs are looked at ----------------------------------------------------------------------------------------


def _candidates(records: Records) -> tuple[np.ndarray, np.ndarray]:
    """Places of the pairs that share a contact, or a date of birth and a word of the name; every pair once."""
    everybody = np.arange(len(records.ids))
    found = []
    for contact in (records.codes["phone"], records.codes["email"]):
        size = np.bincount(contact[contact >= 0], minlength=1)[contact]
        found.append(_pairs_within(np.where(size <= LARGEST_BLOCK, contact, -1), everybody))
        found.append(_pairs_within(_both(np.where(size > LARGEST_BLOCK, contact, -1), records.sounds), everybody))
    place, word = records.words
    found.append(_pairs_within(_both(word, records.codes["birth_date"][place]), place))
    left, right = np.unique(np.concatenate(found), axis=0).T
    return left, right


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A code for two codes together; -1 where either is missing."""
    together = one * (other.max(initial=0) + 1) + other
    there = (one >= 0) & (other >= 0)
    codes = np.full(len(one), -1)
    codes[there] = np.unique(together[there], return_inverse=True)[1]
    return codes


def _pairs_within(key: np.ndarray, place: np.ndarray) -> np.ndarray:
    """All pairs of places with the same key, of keys that at most `LARGEST_BLOCK` have."""
    size = np.bincount(key[key >= 0], minlength=1)[key]
    chosen = (key >= 0) & (size > 1) & (size <= LARGEST_BLOCK)
    key, place = key[chosen], place[chosen]
    order = np.lexsort((place, key))
    key, place = key[order], place[order]
    pairs = [np.empty((0, 2), dtype=int)]
    for step in range(1, min(LARGEST_BLOCK, len(key))):
        same = key[step:] == key[:-step]
        pairs.append(np.column_stack([place[:-step][same], place[step:][same]]))
    return np.concatenate(pairs)


# --- groups -----------------------------------------------------------------------------------------------------------


def _joined(records: Records, links: list[tuple[int, int]]) -> tuple[list[list[int]], dict[int, int]]:
    """Groups of two and more records, and for each record of one the first link that ties it to its group.

    Links are taken in their order; one that would bring together two records at odds with each other is left out.
    """
    group = {place: [place] for link in links for place in link}
    first = {}
    for number, (a, b) in enumerate(links):
        one, other = group[a], group[b]
        if one is not other:
            left, right = np.array(list(product(one, other))).T
            if likeness.at_odds(records, left, right).any():
                continue
            one += other
            group |= dict.fromkeys(other, one)
        first.setdefault(a, number)
        first.setdefault(b, number)
    groups = {id(members): members for members in group.values() if len(members) > 1}
    return list(groups.values()), first


def _by_signup(customers: pd.DataFrame) -> list[int]:
    """The rank of each record: by the moment of signing up, then by id; those without a moment last."""
    if "signup_at" not in customers:
        return list(range(len(customers)))
    order = customers.sort_values(["signup_at", "customer_id"], na_position="last", ignore_index=False).index
    return pd.Series(range(len(order)), index=order).sort_index().tolist()
