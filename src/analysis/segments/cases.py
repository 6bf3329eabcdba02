"""Customers to learn from and to judge, and what contacting each of them was worth.

Takes profiles of one or two days with what came later, and perhaps who was contacted and who was held out. Without such
an experiment a contact is worth all that the customer did later; with one, what it changed.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.phrases import phrase
from analysis.segments.one_to_one import comparable, expected_outcome, unseen_outcome

#: Fewer customers than this are too few to learn from and be judged by; half as many of those contacted or held out.
FEWEST = 50

#: Names of the columns beside the profiles.
OUTCOME, CONTACTED = "outcome", "contacted"


class Cases(NamedTuple):
    """Customers, and what contacting them was worth.

    Attributes
    ----------
    table : DataFrame, profiles in the order of customer_id, without what came later
    outcome, worth : arrays of float64, shape (customers,)
        What came later; profit of the contact.
    """

    table: pd.DataFrame
    outcome: np.ndarray
    worth: np.ndarray


def cases(past, later, outcome: str, cost: float, margin: float, seed: int) -> tuple[Cases, Cases, bool, list[str]]:
    """The customers to learn from and those to judge: the same ones without a later day.

    Returns
    -------
    seen, judged : Cases
    caused : bool, whether worth is what the contact changed
    doubts : list of str, what speaks against chance having decided who was contacted

    Raises
    ------
    Problem
        As :func:`analysis.segments.policy` says.
    """
    tables = [_checked(past, outcome, "past"), *([] if later is None else [_checked(later, outcome, "later")])]
    caused = _is_experiment(tables)
    known = [t.drop(columns=[outcome, CONTACTED], errors="ignore") for t in tables]
    outcomes = [t[outcome].to_numpy(dtype=float) for t in tables]
    brought = outcomes
    if caused:
        brought = _changed(known, outcomes, [t[CONTACTED].to_numpy(dtype=float) for t in tables], seed)
    found = [Cases(*of, margin * more - cost) for *of, more in zip(known, outcomes, brought, strict=True)]
    return found[0], found[-1], caused, _not_by_chance(tables, outcome) if caused else []


def _checked(table: pd.DataFrame, outcome: str, name: str) -> pd.DataFrame:
    """The customers of whom it is known what came, in an order of their own."""
    table = pd.DataFrame(table)
    require_columns(name, table.columns, ["customer_id", outcome])
    twice = int(table["customer_id"].duplicated().sum())
    if twice:
        raise Problem(f"{name} has {twice:,} rows too many: a policy is judged on one row per customer_id.")
    if not pd.api.types.is_numeric_dtype(table[outcome]):
        raise Problem(f'The outcome "{outcome}" of {name} must be an amount, or true and false; it holds neither.')
    known = table.dropna(subset=[outcome, *([CONTACTED] if CONTACTED in table else [])])
    if len(known) < FEWEST:
        raise Problem(
            f'{name} has {len(known):,} customers whose "{outcome}" is known; a policy needs {FEWEST} to learn from '
            "and as many to be judged by."
        )
    return known.sort_values("customer_id", ignore_index=True)


def _is_experiment(tables: list[pd.DataFrame]) -> bool:
    """Whether some customers were contacted and others held out, each time."""
    arms = [t[CONTACTED].astype(bool).value_counts() if CONTACTED in t else pd.Series(dtype=int) for t in tables]
    mixed = [len(arm) == 2 for arm in arms]
    if any(mixed) and not all(mixed):
        raise Problem(
            f'Only one of past and later has customers who were "{CONTACTED}" and others who were not. Without such in '
            "both, the profit that a contact causes cannot be told; leave the column out to count what customers did."
        )
    least = min((arm.min() for arm in arms if len(arm) == 2), default=FEWEST)
    if least < FEWEST // 2:
        raise Problem(
            f'Of those "{CONTACTED}" or held out there are only {least}; {FEWEST // 2} of each are needed to tell what '
            "a contact changes. Leave the column out to count what customers did."
        )
    return all(mixed)


def _changed(tables: list, outcomes: list, contacted: list, seed: int) -> list[np.ndarray]:
    """What a contact changed: a number per customer whose mean over any group is contacted less held out."""
    known = comparable(tables[0], tables[-1])
    told = [unseen_outcome(known[0], outcomes[0], seed)]
    if len(tables) > 1:
        told.append(expected_outcome(known[0], outcomes[0], known[1], seed))
    changed = []
    for y, z, foretold in zip(outcomes, contacted, told, strict=True):
        share, rest = z.mean(), y - foretold
        rest -= (1 - share) * rest[z == 1].mean() + share * rest[z == 0].mean()  # the level that leaves least noise
        changed.append(rest * (z - share) / (share * (1 - share)))
    return changed


def _not_by_chance(tables: list[pd.DataFrame], outcome: str) -> list[str]:
    """In what customers contacted and held out differ although chance should have decided."""
    confidence = 1 - 0.05 / len(tables)
    compared = [evidence.compare(t.drop(columns=outcome), CONTACTED, confidence=confidence) for t in tables]
    differ = pd.concat(compared).query("distinctive").sort_values("effect", key=abs, ascending=False, kind="stable")
    most = [evidence.in_words(trait) for trait in differ["trait"].head(1)]
    return [
        phrase("Contacted customers and those held out differ, most in {trait}: did chance decide?", trait=trait)
        for trait in most
    ]
