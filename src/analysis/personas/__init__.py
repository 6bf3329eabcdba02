"""Who are the people behind each segment, and what do we know of them for sure?"""

from analysis.personas.build import PERSONA_COLUMNS, TRAIT_COLUMNS, Personas, card_html, derive, findings

__all__ = ["PERSONA_COLUMNS", "TRAIT_COLUMNS", "Personas", "card_html", "derive", "findings"]
