"""Whom else do the customers of each persona know, and on what do they rate us above or below them?"""

import pandas as pd

from analysis.expressions import collected, last_day, tables_until
from analysis.personas.traits import TRAIT_COLUMNS
from analysis.profiles import voices

#: Of fewer customers' ratings nothing is said.
FEWEST = 20


def ratings(base, customers, shown):
    """Ratings of us and of each rival by the customers of each persona, as rows beside their traits.

    Parameters
    ----------
    base : Base or mapping, or None
        With `brand_ratings`; without it there are no rows.
    customers : DataFrame
        customer_id and persona.
    shown : list of int
        Personas to look at.

    Returns
    -------
    DataFrame, columns as from :func:`analysis.personas.traits.traits`
        trait "rival {name}", level the attribute, value our mean rating, elsewhere the rival's, difference with its
        interval, n (customers who rated both), effect missing, distinctive (whether either is ahead beyond doubt and by
        a fifth of a standard deviation or more; see :func:`analysis.profiles.rivals`).
    """
    empty = pd.DataFrame(columns=list(TRAIT_COLUMNS))
    if base is None or "brand_ratings" not in base:
        return empty
    rated = tables_until({"brand_ratings": base["brand_ratings"]}, last_day(base, None, "personas.derive"))
    rated = collected(rated["brand_ratings"].select("customer_id", "brand", "attribute", "rating").drop_nulls())
    if rated["brand"].nunique() < 2:
        return empty
    ours = voices.rivals({"brand_ratings": rated}).ours
    rows = [
        _of(rated[rated["customer_id"].isin(customers.loc[customers["persona"] == p, "customer_id"])], ours, p)
        for p in shown
    ]
    rows = [part for part in rows if len(part)]
    return pd.concat(rows, ignore_index=True).reindex(columns=list(TRAIT_COLUMNS)) if rows else empty


def _of(rated, ours, persona):
    """The ratings by the customers of one persona; nothing where too few of them rated us and a rival."""
    if ours not in set(rated["brand"]) or rated["brand"].nunique() < 2:
        return pd.DataFrame()
    found = voices.rivals({"brand_ratings": rated}, ours=ours).ratings
    found = found[(found["rival"] != voices.ALL_RIVALS) & (found["customers"] >= FEWEST)]
    return pd.DataFrame(
        {
            **{"persona": persona, "part": "rivals", "trait": "rival " + found["rival"], "level": found["attribute"]},
            **{"measure": "rival", "of": found["rival"], "kind": "measured", "unit": "points"},
            **{"value": found["ours"], "elsewhere": found["theirs"], "difference": found["value"]},
            **{"low": found["low"], "high": found["high"], "n": found["customers"], "n_elsewhere": found["customers"]},
            **{"p_corrected": found["p_corrected"], "distinctive": found["ahead"] != "", "source": "brand_ratings"},
        }
    )
