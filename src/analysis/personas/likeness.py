"""How like its persona is each customer: whom does a card stand for, and who is not like it?

Takes the measures of each customer and the traits that a card tells. Gives, for each customer and told trait, whether
the customer is nearer to the persona than to everybody else.
"""

import numpy as np
import pandas as pd

from analysis import evidence

#: A customer is like a persona who is nearer to it than to everybody else in more than this share of what is known.
ALIKE = 0.5


def alike(table, told):
    """For each customer and told trait: 1 nearer to the persona, 0 nearer to everybody else, missing if not known.

    Parameters
    ----------
    table : DataFrame, one row per customer
        With the columns named as `trait`.
    told : DataFrame, rows of one persona
        trait, level, value, elsewhere, effect.

    Returns
    -------
    DataFrame, one row per customer, one column per told trait ("trait" or "trait: level")

    Notes
    -----
    Of a level that is commoner here, who has it is nearer; of a number, who lies on the persona's side of the middle
    between the two means. So a rare level says little: one lecturer in four makes most members unlike it. Who never
    bought is like nobody in what they spend.

    Examples
    --------
    >>> told = pd.DataFrame({"trait": ["age"], "level": [""], "value": [60.0], "elsewhere": [30.0], "effect": [0.9]})
    >>> alike(pd.DataFrame({"age": [70, 20, None]}), told)["age"].tolist()
    [1.0, 0.0, nan]
    """
    table, found = evidence.of_buyers(table), {}
    for row in told.itertuples():
        column = table[row.trait]
        if row.level:
            near = (evidence.as_text(column) == row.level).astype(float)
            near = near if row.effect >= 0 else 1 - near
        else:
            near = (np.sign(column.astype("float64") - (row.value + row.elsewhere) / 2) == np.sign(row.effect)) * 1.0
        found[line_id(row)] = near.where(column.notna())
    return pd.DataFrame(found, index=table.index)


def line_id(row):
    """What a line of a card is known by: the trait, and the level of a text."""
    return f"{row.trait}: {row.level}" if row.level else str(row.trait)


def coverage(table, told):
    """How much of its group a card describes, and of everybody else.

    Parameters
    ----------
    table : DataFrame, one row per customer
        The measures, and `here`, whether the customer belongs to the persona.
    told : DataFrame, as for :func:`alike`

    Returns
    -------
    dict
        here, low, high, elsewhere : float, share of the members (with Wilson's interval), and of all others, who are
        like the card in more than half of what is known of them; n, n_elsewhere : customers of whom anything is known.
        lines : DataFrame, one row per told trait: line, n, share (of members who are like it), least first.
    """
    near = alike(table, told)
    known = near.notna().any(axis=1)
    like = near.mean(axis=1) > ALIKE
    here, elsewhere = known & table["here"], known & ~table["here"]
    n, k = int(here.sum()), int((like & here).sum())
    low, high = evidence.share_interval(k, n) if n else (np.nan, np.nan)
    members = near[table["here"]]
    lines = pd.DataFrame(
        {"line": near.columns, "n": members.notna().sum().to_numpy(), "share": members.mean().to_numpy()}
    )
    return {
        **{"here": k / n if n else np.nan, "low": float(low), "high": float(high), "n": n},
        **{"elsewhere": like[elsewhere].mean() if elsewhere.any() else np.nan, "n_elsewhere": int(elsewhere.sum())},
        "lines": lines.sort_values(["share", "line"], ignore_index=True),
    }


def confidence(n, fit, known):
    """How far a card may be trusted, from 0 to 1: the weakest of three.

    Parameters
    ----------
    n : int
        Customers of the persona.
    fit : Series of float in [0, 1]
        How much better each fits this group than the next; missing or empty for a group by rule.
    known : float
        Of how many of its customers an average line of the card is known.

    Returns
    -------
    dict
        size : 1 less the width of the interval of a share of a half (0.8 with 100 customers, 0.9 with 400).
        belonging : share of customers who fit this group at least twice as well as the next; missing where no fit is
        known.
        known : as given.
        value : the least of those that are not missing; word : "high" from 0.8 on, "moderate" from 0.5, else "low".

    Examples
    --------
    >>> confidence(400, pd.Series([0.9, 0.8, 0.2, 0.7]), 0.95)["word"]
    'moderate'
    """
    size = max(0.0, 1 - 1.96 / np.sqrt(n)) if n else 0.0
    fit = pd.Series(fit, dtype="float64").dropna()
    parts = {"size": size, "belonging": float((fit >= 0.5).mean()) if len(fit) else np.nan, "known": known}
    value = float(np.nanmin(list(parts.values())))
    return {**parts, "value": value, "word": next(w for w, least in _WORDS if value >= least)}


#: Ours: eight in ten and one in two are where people begin to say "most" and "half".
_WORDS = (("high", 0.8), ("moderate", 0.5), ("low", 0.0))
