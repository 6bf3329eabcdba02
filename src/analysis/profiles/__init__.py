"""Customer profiles: who are the customers, one by one and on the whole, and what marks the best of them?

`build` makes one row per customer as of a day from whatever tables the base has; `engagement` and `reliability` are
tables of their own beside it. `describe` and `findings` say what is typical; `compare`, `by_place`, `topics` and
`rivals` which differences are real; `ideal_customer` what marks those whom a business wants.
"""

from analysis.profiles.behaviour import MIN_GAPS
from analysis.profiles.build import build
from analysis.profiles.compare import best_apart, compare, in_the_dark, shares
from analysis.profiles.contacts import engagement
from analysis.profiles.describe import (
    OVERDUE,
    amounts,
    attributes_to_show,
    describe,
    documented,
    findings,
    key_figures,
)
from analysis.profiles.followed import Followed, contacted, followed
from analysis.profiles.ideal import Ideal, ideal_customer
from analysis.profiles.opinions import reliability
from analysis.profiles.place import Places, by_place, place_to_show
from analysis.profiles.tags import tag_counts, tag_fields
from analysis.profiles.targets import best, known_and_met, known_customers, target_later, worth
from analysis.profiles.traits import attributes, family
from analysis.profiles.voices import Rivals, nps_by_year, rivals, topics
from analysis.profiles.windows import windows, within

__all__ = [
    "MIN_GAPS",
    "OVERDUE",
    "Followed",
    "Ideal",
    "Places",
    "Rivals",
    "amounts",
    "attributes",
    "attributes_to_show",
    "best",
    "best_apart",
    "build",
    "by_place",
    "compare",
    "contacted",
    "describe",
    "documented",
    "engagement",
    "family",
    "findings",
    "followed",
    "ideal_customer",
    "in_the_dark",
    "key_figures",
    "known_and_met",
    "known_customers",
    "nps_by_year",
    "place_to_show",
    "reliability",
    "rivals",
    "shares",
    "tag_counts",
    "tag_fields",
    "target_later",
    "topics",
    "windows",
    "within",
    "worth",
]
