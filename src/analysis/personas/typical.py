"""What is typical of the people of a group, for the strip of facts under a name: age, family, place, work.

Takes the measures of each customer and their persona. Gives one row per persona and fact, also of what is not
recorded, so that a card can say so.
"""

import pandas as pd

from analysis import evidence

#: Facts in the order of a card: the first column that is recorded of anybody tells it. Of persons, and of companies.
FACTS = {
    "age": ("age", "age_band"),
    "gender": ("gender",),
    "family": ("marital_status",),
    "household": ("household_size",),
    "place": ("city", "region", "country"),
    "job": ("occupation",),
    "education": ("education",),
    "income": ("income", "income_band"),
    "since": ("tenure_days",),
}
COMPANY_FACTS = {
    "industry": ("industry",),
    "employees": ("employees", "size_band"),
    "revenue": ("annual_revenue", "revenue_band"),
    "place": ("city", "region", "country"),
    "since": ("tenure_days",),
}

#: A level is named that at least so many customers have, so that nobody is given away.
FEWEST = 5

#: So many levels are named, unless the first is most.
_LEVELS = 3


def typical(customers):
    """The typical values of each persona.

    Parameters
    ----------
    customers : DataFrame, one row per customer
        `persona` and the measures.

    Returns
    -------
    DataFrame, one row per persona, fact and level, in the order of a card
        persona, fact (see FACTS), column (empty: not recorded), level (of a text), n (customers of whom it is known),
        value (median of a number, share of a level), low, high (the quartiles of a number; Wilson's interval of a
        share), elsewhere (the same of all other customers).

    Notes
    -----
    A fact is told if it is known of at least five customers of the persona. Quartiles are given rather than an interval
    of the median: a card asks how unlike each other the people are.

    Examples
    --------
    >>> customers = pd.DataFrame({"persona": [1] * 8 + [2] * 8, "age": [30, 32] * 4 + [60, 70] * 4})
    >>> typical(customers).query("fact == 'age'")[["persona", "value", "low", "high", "elsewhere"]]
       persona  value   low  high  elsewhere
    0        1   31.0  30.0  32.0       65.0
    9        2   65.0  60.0  70.0       31.0
    """
    rows = []
    for persona, members in customers.groupby("persona"):
        others = customers[customers["persona"] != persona]
        company = "kind" in members and (members["kind"] == "company").all()
        for fact, columns in (COMPANY_FACTS if company else FACTS).items():
            column = next((c for c in columns if c in members and members[c].notna().sum() >= FEWEST), "")
            rows += [(persona, fact, column, *figures) for figures in _figures(members, others, column)]
    columns = ["persona", "fact", "column", "level", "n", "value", "low", "high", "elsewhere"]
    return pd.DataFrame(rows, columns=columns)


def _figures(members, others, column):
    """level, n, value, low, high, elsewhere: one row of a number, one for each common level of a text."""
    if not column:
        return [("", 0, *[float("nan")] * 4)]
    values, elsewhere = members[column].dropna(), others[column].dropna()
    if evidence.kind_of(values) == "number":
        low, value, high = values.astype("float64").quantile([0.25, 0.5, 0.75])
        return [("", len(values), value, low, high, elsewhere.astype("float64").median())]
    counts = evidence.as_text(values).value_counts()
    counts = counts[counts >= FEWEST].sort_index().sort_values(ascending=False, kind="stable")
    shares = evidence.as_text(elsewhere).value_counts(normalize=True)
    rows = []
    for level, k in counts.head(_LEVELS).items():
        low, high = evidence.share_interval(k, len(values))
        rows.append((level, len(values), k / len(values), float(low), float(high), shares.get(level, 0.0)))
    return rows or [("", 0, *[float("nan")] * 4)]
