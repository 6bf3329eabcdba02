"""Who are the people behind each segment, and what do we know of them for sure?"""

from analysis.personas.build import Persona, Personas, derive, findings
from analysis.personas.drift import Drift, Known, drift, read, refresh
from analysis.personas.edits import Edits, apply, remember, remembered

__all__ = [
    "Drift",
    "Edits",
    "Known",
    "Persona",
    "Personas",
    "apply",
    "derive",
    "drift",
    "findings",
    "read",
    "refresh",
    "remember",
    "remembered",
]
