"""Mistakes that their user can mend: what was wrong, what was found, what to do.

Everything that a user can get wrong (a mapping, a file, an option) raises :class:`Problem`, whose text is all that the
command prints. Any other exception is a defect of ours and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class Problem(Exception):
    """Something that the user can put right; the text says what was wrong, what was found and what to do."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The known name nearest to a misspelt one, as a question to append to a message; empty if none is near.

    Examples
    --------
    >>> did_you_mean("total_spnd", ["customer_id", "total_spend"])
    ' Did you mean "total_spend"?'
    >>> did_you_mean("colour", ["customer_id", "total_spend"])
    ''
    """
    near = nearest(name, known)
    return "" if near is None else f' Did you mean "{near}"?'


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to a misspelt one; None if none is near.

    Examples
    --------
    >>> nearest("total_spnd", ["customer_id", "total_spend"])
    'total_spend'
    """
    by_lower = {str(k).lower(): k for k in known}
    near = get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def require_columns(where: str, have: Iterable[str], need: Iterable[str]) -> None:
    """Raise a :class:`Problem` that names the first needed column which a table lacks.

    Examples
    --------
    >>> require_columns("profiles", ["customer_id", "total_spend"], ["total_spnd"])
    Traceback (most recent call last):
    ...
    analysis.errors.Problem: profiles has no column "total_spnd". Did you mean "total_spend"? \
It has: customer_id, total_spend.
    """
    have = list(have)
    for column in need:
        if column not in have:
            found = ", ".join(map(str, have))
            raise Problem(f'{where} has no column "{column}".{did_you_mean(column, have)} It has: {found}.')
