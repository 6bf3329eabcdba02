"""Data quality: what is wrong with a customer base, which later figures does it bend, and by how much?

`tables` and `monthly_orders` say what came in; `assess` counts every defect, with examples, what it bends and what to
do; `bends` gives every headline with and without each of them; `above_limits` and `changes` guard a monthly run.
"""

from analysis.quality.assess import assess, bends, completeness, findings, page, worst
from analysis.quality.guard import above_limits, changes, changes_in_words, limits_in_words
from analysis.quality.tables import monthly_orders, row_accounts, tables
from analysis.sources.duplicates import duplicates

__all__ = [
    "above_limits",
    "assess",
    "bends",
    "changes",
    "changes_in_words",
    "completeness",
    "duplicates",
    "findings",
    "limits_in_words",
    "monthly_orders",
    "page",
    "row_accounts",
    "tables",
    "worst",
]
