"""Which way do customers go, how long do they take, and where are they lost?

Takes what customers did, one row per event, as any frame Narwhals knows (a DuckDB relation, a pandas frame, …), or a
customer base from which to draw these events. Gives the funnel with its intervals, the steps where customers are
lost, the paths they take and the journey map: small pandas tables, each figure with the number it rests on.

Events stay where they are; only aggregates, and for the funnel one row per customer who entered it, reach pandas.
"""

from analysis.journeys.attribution import METHODS, NO_TOUCH, attribution, attribution_findings
from analysis.journeys.bottlenecks import Bottlenecks, bottlenecks
from analysis.journeys.compare import compare_funnels
from analysis.journeys.customary import DEAL_EVENTS, ORDER_LADDER, SHOP_EVENTS, STAGES
from analysis.journeys.deals import WinRates, deal_events, stage_order, win_rates, with_open_deals
from analysis.journeys.detours import jumps, loops
from analysis.journeys.divergence import Divergence, divergence
from analysis.journeys.findings import bought_all_the_same, findings
from analysis.journeys.funnel import funnel
from analysis.journeys.journey_map import JourneyMap, JourneyMaps, map
from analysis.journeys.markov import removal_effects
from analysis.journeys.members import customers_by, members
from analysis.journeys.mismatch import Mismatch, channel_mismatch
from analysis.journeys.moments import KINDS
from analysis.journeys.paths import paths
from analysis.journeys.pipeline import Pipeline, pipeline
from analysis.journeys.sessions import attempts, sessions
from analysis.journeys.steps import Plan, default_steps, events, touches_in
from analysis.journeys.together import together
from analysis.journeys.touches import touch_paths
from analysis.journeys.transitions import END, START, stage_times, transitions
from analysis.journeys.workshop import Beside, Worksheet, lay_beside, worksheet

__all__ = [
    "DEAL_EVENTS",
    "END",
    "KINDS",
    "METHODS",
    "NO_TOUCH",
    "ORDER_LADDER",
    "SHOP_EVENTS",
    "STAGES",
    "START",
    "Beside",
    "Bottlenecks",
    "Divergence",
    "JourneyMap",
    "JourneyMaps",
    "Mismatch",
    "Pipeline",
    "Plan",
    "WinRates",
    "Worksheet",
    "attempts",
    "attribution",
    "attribution_findings",
    "bottlenecks",
    "bought_all_the_same",
    "channel_mismatch",
    "compare_funnels",
    "customers_by",
    "deal_events",
    "default_steps",
    "divergence",
    "events",
    "findings",
    "funnel",
    "jumps",
    "lay_beside",
    "loops",
    "map",
    "members",
    "paths",
    "pipeline",
    "removal_effects",
    "sessions",
    "stage_order",
    "stage_times",
    "together",
    "touch_paths",
    "touches_in",
    "transitions",
    "win_rates",
    "with_open_deals",
    "worksheet",
]
