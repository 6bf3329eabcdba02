"""What sets each group apart from everybody else, and what does not?

Takes the measures of each customer and the group they belong to. Gives one row per group, trait and level with its
evidence, and says which of them a card should tell.
"""

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.schema import BOUGHT, THROUGH
from analysis.vocabulary import WORDS, topic, words

#: A trait is told if its difference is real and at least so large: points of a share, or Cliff's delta of a number.
#: Ours: one customer in ten more than elsewhere is what a team would notice.
LEAST = 0.1

#: What is known of fewer customers of one group, and of nobody elsewhere, is not told.
FEWEST_ALONE = 20

#: Groups of fewer customers are no personas.
FEWEST = 5

TRAIT_COLUMNS = (
    "persona", "part", "trait", "level", "measure", "of", "kind", "value", "elsewhere", "difference", "low", "high",
    "n", "n_elsewhere", "p_corrected", "effect", "unit", "top", "distinctive", "source",
)  # fmt: skip


def traits(measured, segments, least=LEAST):
    """Every trait of every group against everybody else.

    Parameters
    ----------
    measured : Measured, as from :func:`analysis.personas.measures.measured`
    segments : DataFrame, one row per customer
        With `customer_id` and `segment`.
    least : float
        The least difference that a card tells: of shares in points (0.1: 40 instead of 30 %), of numbers as Cliff's
        delta.

    Returns
    -------
    DataFrame, one row per persona, trait and level; strongest first within a part
        persona (the segment), part (of the card), trait (the measure), level (of a text; "yes" for true), measure and
        of (how it is said, and of what), kind ("measured"), value, elsewhere, difference, low, high, n, n_elsewhere,
        p_corrected, effect (Cliff's delta; of a share the difference), unit ("share" for the share of a level),
        top (of the survey's scale), distinctive (bool), source (table).

    Notes
    -----
    Figures and intervals from :func:`analysis.evidence.compare`, corrected over all of them. Where companies are a
    group of their own, persons are compared with the other persons and companies with everybody: two families, each
    corrected. What is known of one group only, or of a base that is one group, has its own interval and nobody
    elsewhere to compare with.
    """
    table = measured.table.drop(columns=["segment"], errors="ignore")
    table = table.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    table = table.sort_values("customer_id", ignore_index=True)
    columns = [c for c in measured.about.index if c in table]
    if table["segment"].nunique() == 1:
        rows = _of_everybody(table, columns)
    else:
        buyers = evidence.of_buyers(table)
        rows = _compared(buyers, columns)
        rows["effect"] = evidence.delta(rows)
        rows["distinctive"] &= rows["effect"].abs() >= least
        rows = pd.concat([rows, *_of_one_only(buyers, rows, columns)], ignore_index=True)
    about = measured.about.loc[rows["trait"]].reset_index(drop=True)
    rows = rows.rename(columns={"group": "persona"}).reset_index(drop=True)
    rows["unit"] = about["unit"].where(rows["kind"] != "share", "share")
    rows = rows.assign(**{c: about[c] for c in ("part", "measure", "of", "source")}, kind="measured")
    answers = [c for c in measured.about.index if measured.about.loc[c, "measure"] == "agrees"]
    rows["top"] = np.ceil(table[answers].max().max()) if answers else np.nan
    place = rows["trait"].map({name: place for place, name in enumerate(WORDS)}).fillna(len(WORDS))
    order = rows.assign(plain=~rows["distinctive"], weakness=-rows["effect"].abs().round(9), place=place)
    order = order.sort_values(["persona", "part", "plain", "weakness", "place", "trait", "level"]).index
    return rows.loc[order, list(TRAIT_COLUMNS)].reset_index(drop=True)


def strongest(traits):
    """The distinctive rows, of each concept the strongest; all rows where there is nobody to compare with.

    Parameters
    ----------
    traits : DataFrame, rows of one persona as from :func:`traits`

    Returns
    -------
    DataFrame
        Strongest first.
    """
    rows = traits[traits["distinctive"].astype(bool) | traits["elsewhere"].isna()]
    return _one_of_each(rows)


def told(traits):
    """The rows that a card tells: as :func:`strongest`, without what follows from other rows.

    That they buy less of one category follows from their buying more of another; that they open few messages does not.
    """
    rows = traits[traits["distinctive"].astype(bool) | traits["elsewhere"].isna()]
    news = [pd.isna(row.effect) or row.effect > 0 or _says_something(row) for row in rows.itertuples()]
    return _one_of_each(rows[np.array(news, dtype=bool)])


def _one_of_each(rows):
    """Strongest first, one of each concept."""
    rows = rows.loc[rows["effect"].abs().round(9).sort_values(ascending=False, kind="stable").index]
    concepts = pd.Series([concept(row) for row in rows.itertuples()], rows.index, dtype=object)
    return rows[~concepts.duplicated()]


def _says_something(row):
    """Whether it is news that they do or have less of something: not where it follows from what they have more of."""
    if row.measure != "profile":
        return row.measure in ("ever", "may", "met", "followed", "lines", "looks", "opened")
    if row.trait.startswith((BOUGHT, THROUGH)):
        return row.elsewhere > 0.5 and 2 * row.value < row.elsewhere
    return row.level == ""


def concept(row):
    """What a trait is about; a card tells one trait of each concept.

    Examples
    --------
    >>> from types import SimpleNamespace as Row
    >>> concept(Row(trait="bought_novel", level="", measure="profile", of="")) == concept(
    ...     Row(trait="top_category", level="novel", measure="profile", of=""))
    True
    """
    if row.measure != "profile":
        return f"category {row.of}" if row.measure == "likes" else row.trait
    about = topic(row.trait)
    if about in ("category", "channel", "contact channel"):
        name = row.level or row.trait.split("_", 1)[1]
        return f"{about.removeprefix('contact ')} {name}"
    return f"{about} {row.level}" if row.level and about not in ("place", "age") else about


def _compared(table, columns):
    """The comparison; of persons among themselves where companies are groups of their own."""
    columns = [c for c in columns if c != "kind" or not _pure(table)]
    whole = evidence.compare(table, "segment", traits=columns)
    companies = _companies(table)
    persons = table[~table["segment"].isin(companies)]
    if not companies or persons["segment"].nunique() < 2:
        return whole
    among = evidence.compare(persons, "segment", traits=columns)
    return pd.concat([among, whole[whole["group"].isin(companies)]], ignore_index=True)


def _of_one_only(table, rows, columns):
    """What is known of one group and of too few elsewhere to compare with: deals of companies, orders of all buyers."""
    compared = rows.groupby("group")["trait"].agg(set)
    for group, members in table.groupby("segment"):
        rest = [c for c in columns if c not in compared.get(group, set()) and members[c].notna().sum() >= FEWEST_ALONE]
        yield _of_everybody(members, rest)


def _companies(table):
    """The groups of companies, where no group holds both."""
    if "kind" not in table or not _pure(table):
        return []
    kinds = table.groupby("segment")["kind"].first()
    return sorted(kinds.index[kinds == "company"])


def _pure(table):
    """Whether each group holds persons only, or companies only."""
    return "kind" in table and bool((table.groupby("segment")["kind"].nunique() <= 1).all())


def _of_everybody(table, columns):
    """What is typical of a base that is one group: the same table, with nobody elsewhere to compare with."""
    rows = []
    for column in columns:
        values = table[column].dropna()
        if evidence.kind_of(values) is None or len(values) < FEWEST or values.nunique() == 1:
            continue
        if evidence.kind_of(values) == "number":
            values = values.astype("float64")
            rows.append((column, "", "number", len(values), *evidence.mean_interval(values)))
        elif words(column) or pd.api.types.is_bool_dtype(values):
            counts = evidence.as_text(values).value_counts()
            level = "yes" if pd.api.types.is_bool_dtype(values) else min(counts.index[counts == counts.max()])
            low, high = evidence.share_interval(counts[level], len(values))
            rows.append((column, level, "share", len(values), counts[level] / len(values), float(low), float(high)))
    found = pd.DataFrame(rows, columns=["trait", "level", "kind", "n", "value", "low", "high"])
    empty = evidence.compare(table.head(0), "segment", traits=columns)
    group = table["segment"].iloc[0] if len(table) else 0
    found = found.assign(group=group, n_elsewhere=0, distinctive=False, effect=np.nan)
    return found.reindex(columns=empty.columns).astype(empty.dtypes.drop("group").to_dict())
