"""Which way do customers go, how long do they take, and where are they lost?

Takes what customers did, one row per event, as any frame Narwhals knows (a DuckDB relation, a pandas frame, …), or a
customer base from which to draw these events. Gives the funnel with its intervals, the steps where customers are
lost, the paths they take and the journey map: small pandas tables, each figure with the number it rests on.

Events stay where they are; only aggregates, and for the funnel one row per customer who entered it, reach pandas.
"""

from analysis.journeys.bottlenecks import Bottlenecks, bottlenecks
from analysis.journeys.compare import compare_funnels
from analysis.journeys.findings import bought_all_the_same, findings
from analysis.journeys.funnel import funnel
from analysis.journeys.mismatch import Mismatch, channel_mismatch
from analysis.journeys.moments import DEAL_EVENTS, KINDS, ORDER_LADDER
from analysis.journeys.paths import paths
from analysis.journeys.stages import journey_map
from analysis.journeys.steps import SHOP_EVENTS, STAGES, Plan, default_steps, events
from analysis.journeys.transitions import END, START, transitions
from analysis.journeys.workshop import Beside, Worksheet, lay_beside, worksheet

__all__ = [
    "DEAL_EVENTS",
    "END",
    "KINDS",
    "ORDER_LADDER",
    "SHOP_EVENTS",
    "STAGES",
    "START",
    "Beside",
    "Bottlenecks",
    "Mismatch",
    "Plan",
    "Worksheet",
    "bottlenecks",
    "bought_all_the_same",
    "channel_mismatch",
    "compare_funnels",
    "default_steps",
    "events",
    "findings",
    "funnel",
    "journey_map",
    "lay_beside",
    "paths",
    "transitions",
    "worksheet",
]
