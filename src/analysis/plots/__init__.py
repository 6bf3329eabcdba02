"""The figures: each function takes a table and returns Axes whose title says what was found.

One visual language for notebooks, report and slides: grey for everybody, one colour for the group in question, labels
on the marks, intervals drawn, and a small last line with source and n. `theme` sets it once, and makes Jupyter store
every figure as a small, repeatable SVG with an alternative text (`alt_text`) for readers who cannot see it.
"""

from analysis.plots.attribution import attribution
from analysis.plots.canvas import (
    ACCENT,
    GREY,
    INK,
    MANY_POINTS,
    PALE,
    QUIET,
    SEGMENT,
    alt_text,
    segment_colour,
    table,
    theme,
)
from analysis.plots.data import completeness, orders_over_time, row_accounts
from analysis.plots.deals import pipeline, win_curve, win_rates
from analysis.plots.decision import profit_curve, profits
from analysis.plots.flow import flow
from analysis.plots.groups import intervals, traits
from analysis.plots.journey_map import journey_map
from analysis.plots.journeys import funnel, funnel_groups
from analysis.plots.mismatch import channel_mismatch, mismatch_effects
from analysis.plots.personas import persona_fit
from analysis.plots.priority import priority
from analysis.plots.profiles import calibration, distribution, importance, places, rhythm, tag_cloud
from analysis.plots.segments import lorenz, origins, overlaps, rfm_map, segment_sizes, segment_traits, stability
from analysis.plots.ways import paths, process_map, sankey, transitions

__all__ = [
    "ACCENT",
    "GREY",
    "INK",
    "MANY_POINTS",
    "PALE",
    "QUIET",
    "SEGMENT",
    "alt_text",
    "attribution",
    "calibration",
    "channel_mismatch",
    "completeness",
    "distribution",
    "flow",
    "funnel",
    "funnel_groups",
    "importance",
    "intervals",
    "journey_map",
    "lorenz",
    "mismatch_effects",
    "orders_over_time",
    "origins",
    "overlaps",
    "paths",
    "persona_fit",
    "pipeline",
    "places",
    "priority",
    "process_map",
    "profit_curve",
    "profits",
    "rfm_map",
    "rhythm",
    "row_accounts",
    "sankey",
    "segment_colour",
    "segment_sizes",
    "segment_traits",
    "stability",
    "table",
    "tag_cloud",
    "theme",
    "traits",
    "transitions",
    "win_curve",
    "win_rates",
]
