"""Who are the people behind each segment, and what do we know of them for sure?"""

from analysis.personas import edits
from analysis.personas.build import PERSONA_COLUMNS, TRAIT_COLUMNS, Personas, card_html, derive, findings
from analysis.personas.drift import Drift, Known, drift, read, refresh

__all__ = [
    "PERSONA_COLUMNS",
    "TRAIT_COLUMNS",
    "Drift",
    "Known",
    "Personas",
    "card_html",
    "derive",
    "drift",
    "edits",
    "findings",
    "read",
    "refresh",
]
