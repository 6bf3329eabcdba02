"""Who are the people behind each segment, and what do we know of them for sure?"""

from analysis.personas.build import Persona, Personas, derive, divided
from analysis.personas.cards import Card, Cards, card, cards, findings
from analysis.personas.compare import Comparison, beside, compare
from analysis.personas.drift import Drift, Known, drift, read, refresh
from analysis.personas.edits import Edits, apply, remember, remembered
from analysis.personas.export import export

__all__ = [
    "Card",
    "Cards",
    "Comparison",
    "Drift",
    "Edits",
    "Known",
    "Persona",
    "Personas",
    "apply",
    "beside",
    "card",
    "cards",
    "compare",
    "derive",
    "divided",
    "drift",
    "export",
    "findings",
    "read",
    "refresh",
    "remember",
    "remembered",
]
