"""Which differences between groups of customers are real and matter, and of whom do we know nothing?

Takes profiles, one row per customer. `compare` holds each group against everybody else, family by family; `shares` says
how many have which value; `in_the_dark` counts for whom a whole family of the profile is empty.
"""

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, did_you_mean, require_columns
from analysis.evidence import in_words, percent
from analysis.locale import named
from analysis.phrases import figure, phrase
from analysis.profiles.targets import best
from analysis.profiles.traits import NONE, family, is_list, unusable
from analysis.schema import FAMILIES, PROFILE_COLUMNS, TABLES, profile_column

#: Fewer customers than this are told of nobody.
FEWEST = 5

#: Whom a family is about, where the base tells persons and companies apart.
_ABOUT = {"demographic": "person", "firmographic": "company"}

#: Families of what customers did: what was recorded when they signed up tells nothing of it.
_DONE = ("behavioural", "engagement")

#: Sums, counts and shares of sums of what customers brought: the best by one of them are the best by all.
_SUMS = ("total_spend", "spend_365d", "won_value", "n_orders", "n_order_days", "orders_per_year", "won_deals")


def compare(
    profiles: pd.DataFrame, by: str, families: list[str] | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """What sets each group of customers apart from everybody else, per family of the profile.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    by : str
        The column that says which group a customer belongs to.
    families : list of str, optional
        Of `FAMILIES`; default: all.
    confidence : float
        Between 0 and 1, for the table as a whole.

    Returns
    -------
    DataFrame, one row per group, trait and level, by family
        family : str; the base's own fields are a family of their own, as nobody here knows what they are about.
        words : str, the row as a sentence.
        The other columns as in :func:`analysis.evidence.compare`, each item of a list being a level. What is nothing
        for lack of a purchase is compared among buyers.

    Raises
    ------
    Problem
        No such column or family.

    Notes
    -----
    p values are corrected (Holm) and intervals widened over everything that is shown: asking for fewer families asks
    fewer questions.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": range(40), "gender": ["f", "m"] * 20, "tags": [["club"], []] * 20})
    >>> compare(table, "gender")["words"].iloc[0]
    'Of 20 customers with gender “f”, 100 % have tags “club”, 0 % of the others (difference 72 to 100 points).'
    """
    require_columns("profiles", profiles.columns, ["customer_id", by])
    unknown = next((f for f in families or () if f not in FAMILIES), None)
    if unknown:
        raise Problem(
            f'There is no family "{unknown}".{did_you_mean(unknown, FAMILIES)} There are: {", ".join(FAMILIES)}.'
        )
    shown = [c for c in profiles.columns if c not in ("customer_id", by) and family(c) in (families or FAMILIES)]
    table, item_of = _with_items(evidence.of_buyers(profiles), shown)
    traits = [c for c in table if c in item_of or (c in shown and not unusable(table[c]))]
    found = evidence.compare(table, by, traits, confidence, min_size=FEWEST)
    told = [item_of.get(trait, (trait, level)) for trait, level in zip(found["trait"], found["level"], strict=True)]
    found = found.assign(trait=[trait for trait, _ in told], level=[level for _, level in told])
    found.insert(0, "family", [family(trait) for trait in found["trait"]])
    found["words"] = [_in_words(row, _customers_in_words(row.n, by, row.group)) for row in found.itertuples()]
    return found.sort_values(
        "family", key=lambda names: names.map(list(FAMILIES).index), kind="stable", ignore_index=True
    )


def best_apart(profiles: pd.DataFrame, value: str, top: float = 0.2) -> pd.DataFrame:
    """What sets the best customers apart from the others, by everything but what they are best by.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    value : column of numbers by which they are the best
    top : share of the customers who are the best

    Returns
    -------
    DataFrame, as from `compare`
        The rows of the best that are distinctive, by family. Left out are the sums that go into `value` or follow from
        it, and tags, which a business gives to those whom it has come to know.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": range(40), "city": ["Yazd"] * 8 + ["Qom"] * 32,
    ...                       "total_spend": [9] * 8 + [1] * 32})
    >>> best_apart(table, "total_spend")["words"].iloc[0]
    'Of 8 customers among the best fifth, 0 % have city “Qom”, 100 % of the others (difference −100 to −53 points).'
    """
    is_best = profiles["customer_id"].map(best(profiles, value, top)).fillna(False).astype(bool)
    traits = profiles.drop(columns=[c for c in (*_SUMS, value, "tags") if c in profiles])
    compared = compare(traits.assign(group=is_best.map({True: "best", False: "others"})), "group")
    apart = compared[(compared["group"] == "best") & compared["distinctive"]]
    who = phrase("the best fifth") if top == 0.2 else phrase("the best {share}", share=percent(top))
    said = [_in_words(row, phrase("{n:,} customers among {group}", n=row.n, group=who)) for row in apart.itertuples()]
    return apart.assign(words=said, group=who).reset_index(drop=True)


def shares(profiles: pd.DataFrame, column: str, confidence: float = 0.95) -> pd.DataFrame:
    """How many of the customers have which value of a column: who pays how, who lives where.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    column : str
        Of words, true and false, or lists (each item counts).
    confidence : float
        Of each share.

    Returns
    -------
    DataFrame, the largest first
        group : str, the value; customers : int; value, low, high : float, share of those of whom the column is known,
        with Wilson's interval. Values of fewer than five customers are together "others".

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": range(10), "usual_payment_method": ["cash"] * 6 + ["card"] * 3 + [None]})
    >>> shares(table, "usual_payment_method").round(2)
        group  customers  value   low  high
    0    cash          6   0.67  0.35  0.88
    1  others          3   0.33  0.12  0.65
    """
    require_columns("profiles", profiles.columns, [column])
    known = profiles[column].dropna()
    words = known.map(lambda value: [str(item) for item in value] or [NONE]).explode() if is_list(known) else known
    words = words.map({True: "yes", False: "no"}) if pd.api.types.is_bool_dtype(words) else words.astype(str)
    counts = words.value_counts()
    few = words.isin(counts.index[counts < FEWEST])
    words = words.mask(few, "others")
    each = pd.DataFrame({"customer": words.index, "group": words.to_numpy()}).drop_duplicates()
    table = each.groupby("group").size().rename("customers").reset_index()
    table = table.sort_values(["customers", "group"], ascending=[False, True], ignore_index=True)
    low, high = evidence.share_interval(table["customers"], max(len(known), 1), confidence)
    return table.assign(value=table["customers"] / max(len(known), 1), low=low, high=high)


def in_the_dark(profiles: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Of how many customers is a whole family of the profile empty?

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    confidence : float

    Returns
    -------
    DataFrame, one row per family that has columns
        group : str, the family; customers : int, whom it is about (persons have no industry, companies no gender, where
        the base tells them apart); dark : int, how many of them have nothing in it; value, low, high : float, their
        share with Wilson's interval; columns : str, what was looked at, in words.

    Notes
    -----
    Nothing is an empty cell, an empty list, or a count or sum of 0; `kind` is not looked at.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": ["a", "b"], "age": [30, None], "n_orders": [0, 2]})
    >>> in_the_dark(table)[["group", "customers", "dark", "columns"]]
             group  customers  dark           columns
    0  demographic          2     1               age
    1  behavioural          2     1  number of orders
    """
    rows = []
    for of in FAMILIES:
        columns = [c for c in profiles.columns if c not in ("customer_id", "kind") and family(c) == of]
        if of in _DONE:
            columns = [c for c in columns if c not in TABLES["customers"].column]
        about = profiles
        if of in _ABOUT and "kind" in profiles:
            about = profiles[profiles["kind"] == _ABOUT[of]]
        if columns and len(about):
            dark = int((~pd.concat([_says_something(about[c]) for c in columns], axis=1).any(axis=1)).sum())
            low, high = evidence.share_interval(dark, len(about), confidence)
            looked_at = phrase(", ").join(dict.fromkeys(in_words(c) for c in columns))  # some are about the same
            rows.append((of, len(about), dark, dark / len(about), low, high, looked_at))
    return pd.DataFrame(rows, columns=["group", "customers", "dark", "value", "low", "high", "columns"])


def _with_items(table: pd.DataFrame, shown: list[str]) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """The table with a column of true and false for each item of each list, and which trait and item they are."""
    added, item_of = {}, {}
    for column in shown:
        if not is_list(table[column]):
            continue
        known = table[column].dropna().map(lambda value: {str(item) for item in value})
        counts = known.explode().value_counts()
        common = sorted(counts.index[counts >= FEWEST], key=lambda item: (-counts[item], item))
        common = common[: evidence.COMMONEST_LEVELS if len(counts) > evidence.MOST_LEVELS else None]
        for item in common:
            name = f"{column}: {item}"
            item_of[name] = (column, item)
            added[name] = known.map(lambda items, item=item: item in items).reindex(table.index).astype("boolean")
    return pd.concat([table, pd.DataFrame(added, index=table.index)], axis=1), item_of


def _says_something(column: pd.Series) -> pd.Series:
    if is_list(column):
        return column.map(len, na_action="ignore").fillna(0) > 0
    if column.name in PROFILE_COLUMNS and not profile_column(column.name).empty:  # a count or a sum
        return column.fillna(0) != 0
    return column.notna() & (column.astype(str) != "nan")


def _customers_in_words(n: int, by: str, group) -> str:
    """So many customers of a group, and what makes them one."""
    level = {True: "yes", False: "no"}.get(group, group) if isinstance(group, bool | np.bool_) else group
    return phrase("{n:,} customers with {trait} “{level}”", n=n, trait=in_words(by), level=named(level, by))


def _in_words(row, who: str) -> str:
    """A comparison as a sentence."""
    given = {"customers": who, "trait": in_words(row.trait)}
    if row.kind != "share":
        given |= {name: _figure(getattr(row, name)) for name in ("value", "elsewhere", "low", "high")}
        return phrase(
            "Of {customers}, the mean {trait} is {value}, {elsewhere} among the others (difference {low} to {high}).",
            **given,
        )
    given |= {"value": percent(row.value), "elsewhere": percent(row.elsewhere)}
    given |= {name: percent(getattr(row, name)).rstrip(" %٪") for name in ("low", "high")}
    if row.level == "yes":
        return phrase(
            "Of {customers}, {value} have {trait}, {elsewhere} of the others (difference {low} to {high} points).",
            **given,
        )
    return phrase(
        "Of {customers}, {value} have {trait} “{level}”, {elsewhere} of the others (difference {low} to {high} "
        "points).",
        level=named(row.level, row.trait),
        **given,
    )


def _figure(number: float) -> str:
    return figure((f"{number:,.3g}" if abs(number) < 1000 else f"{number:,.0f}").replace("-", "−"))
