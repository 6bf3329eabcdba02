"""Who are the people behind each segment, and what do we know of them for sure?"""

from analysis.personas.build import Persona, Personas, derive, findings

__all__ = ["Persona", "Personas", "derive", "findings"]
