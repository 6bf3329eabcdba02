"""What might a customer be called who does not exist?

Takes where and when somebody like the persona was born; gives a first name of `names.toml`, in the letters of the
card's language.
"""

import tomllib
from collections.abc import Collection
from functools import cache
from hashlib import sha256
from pathlib import Path

import pandas as pd

from analysis.locale.language import of


def first_name(
    language: str,
    country: str | None,
    gender: str | None,
    birth_year: float | None,
    seed: int,
    taken: Collection[str] = (),
) -> str:
    """A first name that fits country, sex and age, for a persona and never of a customer.

    Parameters
    ----------
    language : {"en", "fa"}
        In whose letters the name is written; also whose names are used where the country is not known.
    country : str, or nothing
        As the base calls it. Countries without a list of their own share one of names at home in many.
    gender : str, or nothing
        As the base calls it; of anything else than a woman or a man, names of both are used.
    birth_year : number, or nothing
        In the Gregorian calendar. Without one, names of all decades are used.
    seed : int
        Which of the fitting names it is.
    taken : collection of str
        Names that others have, in either language. Where all of the decade are taken, the name is of the nearest
        decade; where all are taken, one is given again.

    Returns
    -------
    str
        The same for the same persona, whichever names were asked for before.

    Raises
    ------
    Problem
        There is no such language here.

    Notes
    -----
    Of the fitting names, the one with the lowest digest of seed and name is taken (rendezvous hashing: Thaler and
    Ravishankar 1998, IEEE/ACM Transactions on Networking 6:1), so that a name added to the list renames few.

    Examples
    --------
    >>> first_name("en", "Iran", "female", 1985, seed=1)
    'Sara'
    >>> first_name("fa", "Iran", "female", 1985, seed=1) == "سارا"
    True
    """
    persian = _listed()["persian"]
    wanted = None if pd.isna(birth_year) else int(birth_year) // 10 * 10
    names = [
        (0 if wanted is None else abs(decade - wanted), sha256(f"{seed} {name}".encode()).digest(), name)
        for decade, of_decade in _by_decade(_place(country, language), gender).items()
        for name in of_decade
    ]
    used = {persian.get(name, name) for name in taken}  # Sara and Sarah are one name to a Persian reader
    chosen = min([name for name in names if persian[name[-1]] not in used] or names)[-1]
    return in_letters(chosen, language)


def in_letters(name: str, language: str) -> str:
    """A listed name in the letters of a language; any other as it is.

    Examples
    --------
    >>> in_letters("Sara", "fa") == "سارا", in_letters("Sara", "en"), in_letters("Zorglub", "fa")
    (True, 'Sara', 'Zorglub')
    """
    return _listed()["persian"].get(name, name) if of(language).language == "fa" else name


def _place(country: str | None, language: str) -> str:
    """Whose names are used: those of the country, of the language, or of many countries."""
    if pd.isna(country) or not str(country).strip():
        return _listed()["languages"][of(language).language]
    said = str(country).strip().lower()
    return next((place for place, spellings in _listed()["countries"].items() if said in spellings), "elsewhere")


def _by_decade(place: str, gender: str | None) -> dict[int, list[str]]:
    """Names by decade of birth, of one sex or of both."""
    said = "" if pd.isna(gender) else str(gender).strip().lower()
    sexes = [sex for sex, spellings in _listed()["genders"].items() if said in spellings] or ["female", "male"]
    lists = _listed()[place]
    return {int(decade): " ".join(lists[sex][decade] for sex in sexes).split() for decade in lists[sexes[0]]}


@cache
def _listed() -> dict:
    return tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
