"""Moshtari: from a customer base to profiles, segments, personas and journeys.

One module per concept, each of pure functions from table to table; import the one you need
(``from analysis import segments``). Importing the package itself loads nothing heavy.
"""

__version__ = "0.1.0"
