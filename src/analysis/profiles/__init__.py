"""Customer profiles: who are the customers, one by one and on the whole, and what marks the best of them?

`build` makes one row per customer as of a day from whatever tables the base has; `describe` and `findings` say what is
typical of them.
"""

from analysis.profiles.build import COLUMNS, MIN_GAPS, build
from analysis.profiles.describe import OVERDUE, amounts, attributes_to_show, describe, findings, key_figures
from analysis.profiles.tags import tag_counts, tag_fields

__all__ = [
    "COLUMNS",
    "MIN_GAPS",
    "OVERDUE",
    "amounts",
    "attributes_to_show",
    "build",
    "describe",
    "findings",
    "key_figures",
    "tag_counts",
    "tag_fields",
]
