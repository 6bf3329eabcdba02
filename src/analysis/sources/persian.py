"""Persian text for the engine: letters, digits and half-spaces that look alike become alike.

A customer whose name was typed on an Arabic keyboard, a city with two half-spaces and a product code in Persian digits
are the same as their neighbours to any reader, and three others to a computer. The macro ``unified(text)`` gives one
form to what nobody can see a difference in; what a reader can see (a space for a half-space, a word spelt otherwise)
stays, because only a person may join that.
"""

import duckdb
from persiantools import characters, digits

#: The half-space inside Persian words (zero-width non-joiner).
HALF_SPACE = "\u200c"

#: Letters of the Arabic keyboard; of the library's table only single letters, as the others take vowel marks away.
LETTERS = {a: p for a, p in characters.CHARACTER_MAP_AR_TO_FA.items() if len(a) == len(p) == 1}

#: Digits of the Persian and of the Arabic keyboard.
DIGITS = {chr(persian): chr(latin) for persian, latin in digits.FA_TO_EN_MAP.items()}
DIGITS |= {chr(arabic): DIGITS[chr(persian)] for arabic, persian in digits.AR_TO_FA_MAP.items()}

#: Spaces that do not break a line.
_SPACES = dict.fromkeys("\u00a0\u2007\u202f", " ")

#: What shows nothing, as ranges: zero-width space and joiner, marks of direction, soft hyphen, byte-order mark; and the
#: tatweel, which only draws a word out.
INVISIBLE = "\u200b\u200d-\u200f\u202a-\u202e\u2060\u2066-\u2069\u00ad\ufeff\u0640"

#: What ends a word, and marks that join a letter. Ranges: the engine compiles them for every statement anew, and for
#: the classes of Unicode that takes it longer than to read a small table.
_NO_LETTER = r"[\s!-/:-@\[-`{-~«»،؛؟٪…–—“”]"
_MARKS = "\u0300-\u036f\u064b-\u065f\u0670"


def install(db: duckdb.DuckDBPyConnection) -> None:
    """Give the connection the macros ``trimmed(text)``, ``latin_digits(text)`` and ``unified(text)``.

    Both `trimmed` and `unified` give nothing for blank text.

    Examples
    --------
    >>> db = duckdb.connect()
    >>> install(db)
    >>> db.sql("SELECT unified('علي ۱۲٣ ')").fetchall()[0][0] == "علی 123"
    True
    """
    # plain ASCII without a space at its ends is what it is: only other text is decoded
    plain = "t > '!' AND t < '~' AND NOT ends_with(t, ' ') AND strlen(t) = length(t)"
    db.execute(f"CREATE MACRO trimmed(t) AS CASE WHEN {plain} THEN t ELSE nullif(trim(t), '') END")
    latin = f"translate(t, {_translation(DIGITS)})"
    db.execute(f"CREATE MACRO latin_digits(t) AS CASE WHEN strlen(t) = length(t) THEN t ELSE {latin} END")
    db.execute(f"CREATE MACRO visible(t) AS regexp_replace(t, '[{INVISIBLE}]+', '', 'g')")
    _install_half_spaces(db)
    # a silent he with its ezafe is one character on some keyboards and two on others; ISIRI 6219 writes two
    alike = f"translate(nfc_normalize(visible(t)), {_translation(LETTERS | DIGITS | _SPACES)})"
    alike = f"trim(single_half_spaces(replace({alike}, 'ۀ', 'هٔ')))"
    # most text is well written, and looking is cheaper than changing
    looked_for = "".join((*LETTERS, *DIGITS, *_SPACES)) + "ۀ" + _MARKS + INVISIBLE
    odd = rf"[{looked_for}]|{HALF_SPACE}(?:{_NO_LETTER}|{HALF_SPACE}|$)|(?:^|{_NO_LETTER}){HALF_SPACE}"
    blank = rf"[\s{''.join(_SPACES)}{INVISIBLE}{HALF_SPACE}]*"
    db.execute(
        f"CREATE MACRO unified(t) AS CASE WHEN {plain} THEN t WHEN regexp_full_match(t, '{blank}') THEN NULL "
        f"WHEN regexp_matches(t, '{odd}') THEN {alike} ELSE trim(t) END"
    )


def _install_half_spaces(db: duckdb.DuckDBPyConnection) -> None:
    """The macro ``single_half_spaces(text)``: a half-space stands alone, between letters or digits."""
    before = rf"regexp_replace(t, '{HALF_SPACE}+({_NO_LETTER}|$)', '\1', 'g')"
    behind = rf"regexp_replace({before}, '(^|{_NO_LETTER}){HALF_SPACE}+', '\1', 'g')"
    single = f"regexp_replace({behind}, '{HALF_SPACE}+', '{HALF_SPACE}', 'g')"
    db.execute(f"CREATE MACRO single_half_spaces(t) AS {single}")


def _translation(pairs: dict[str, str]) -> str:
    """Two arguments of the engine's `translate`: characters, and what each becomes."""
    return f"'{''.join(pairs)}', '{''.join(pairs.values())}'"
