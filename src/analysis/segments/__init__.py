"""Which groups does the customer base fall into, if any, what sets them apart, and which decision do they serve?

Takes `profiles`, one row per customer. `rfm` scores, `pareto` asks who brings the revenue, `cluster` finds groups where
there are any; `describe` and `name_segments` say what a group is.
"""

from analysis.segments.advice import policy_in_words
from analysis.segments.cases import FEWEST
from analysis.segments.choice import choose_k
from analysis.segments.concentration import ParetoResult, pareto
from analysis.segments.concerns import concerns
from analysis.segments.decision import Policy, policy
from analysis.segments.describe import describe, findings, sizes
from analysis.segments.features import Feature, Features, features
from analysis.segments.methods import METHODS
from analysis.segments.model import Segmentation, assign, cluster, load, save
from analysis.segments.movement import Movement, movement, movement_between, moves_in_words
from analysis.segments.naming import name_segments
from analysis.segments.origins import Origins, origins
from analysis.segments.own_names import own_names, renamed
from analysis.segments.priority import Priority, priority, priority_in_words
from analysis.segments.rfm import NO_PURCHASE, RFM_GRID, no_scores, rfm, rfm_name
from analysis.segments.rules import RuleSegments, campaign_list, from_rules, rule_labels
from analysis.segments.short_rules import ShortRules, rules_in_words, short_rules

__all__ = [
    "FEWEST",
    "METHODS",
    "NO_PURCHASE",
    "RFM_GRID",
    "Feature",
    "Features",
    "Movement",
    "Origins",
    "ParetoResult",
    "Policy",
    "Priority",
    "RuleSegments",
    "Segmentation",
    "ShortRules",
    "assign",
    "campaign_list",
    "choose_k",
    "cluster",
    "concerns",
    "describe",
    "features",
    "findings",
    "from_rules",
    "load",
    "movement",
    "movement_between",
    "moves_in_words",
    "name_segments",
    "no_scores",
    "origins",
    "own_names",
    "pareto",
    "policy",
    "policy_in_words",
    "priority",
    "priority_in_words",
    "renamed",
    "rfm",
    "rfm_name",
    "rule_labels",
    "rules_in_words",
    "save",
    "short_rules",
    "sizes",
]
