"""How alike two records are: what speaks for one person, what for a household, what for chance?

Three explanations of what two records have in common are weighed against each other: they are of one person, of two
people of one household or office, or alike by chance. Every field that both have multiplies each of them by the
probability of what it shows (Fellegi and Sunter 1969, A Theory for Record Linkage, Journal of the American Statistical
Association 64(328)); what a value that two records share is worth depends on how many others share it (Winkler 2000,
Frequency-Based Matching in Fellegi-Sunter Model of Record Linkage, US Census Bureau). The household is there because
the usual two explanations take it for one person: a family has a telephone and a surname in common.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from math import prod

import numpy as np
import pandas as pd
from jdatetime import date as jalali_date
from rapidfuzz.distance import OSA

from analysis.phrases import marked, phrase
from analysis.sources import normal

#: What is compared.
FIELDS = ("name", "email", "phone", "birth_date")

# How often it is so for one person, for a household, by chance: in this order everywhere. All are judgements, stated
# here once, looked at on simulated bases alone; a field's shares are of the pairs in which both records have it. By
# chance, a value agrees as often as others have it.

#: Pairs per customer, before anything is known of the two; by chance everybody makes a pair with everybody.
_PAIRS = (0.02, 0.1)
_SAME = {"phone": (0.7, 0.5), "email": (0.6, 0.02), "birth_date": (0.9, 0.02)}
#: Two of day, month and year agree, or day and month are exchanged; by chance 1/12 · 1/30 + 1/50 · 1/30 + 1/50 · 1/12.
_NEAR_DAY = (0.07, 0.01, 0.005)
#: A word of one person's name is written alike, with a slip, otherwise, or is missing in one of the two records.
_SAME_WORD, _SLIP, _OTHER_WORD, _MISSING_WORD = 0.85, 0.05, 0.01, 0.5
#: A household has one word in common, the surname; it gives a given name twice a tenth as often as strangers share it.
_SURNAME, _GIVEN_TWICE = 0.6, 0.1
#: Share of words never seen before that lie one letter from a given word.
_NEAR_BY_CHANCE = 0.02

#: One spelling is a slip of another if that is this many times as frequent; else both are names, as حسن and حسین.
_TIMES_AS_FREQUENT = 50
#: The least that a value's share is taken to be: telephone numbers are given anew, addresses guessed, and people are
#: born on some 20,000 days.
_RAREST = {"phone": 1e-6, "email": 1e-7, "birth_date": 1 / 20_000}
#: So many records share a value without chance: those of a household, or the two of the pair.
_NOT_BY_CHANCE = {"phone": 5, "email": 5, "birth_date": 2}
#: What is supposed of a word before a base is seen, since a small one knows little of names: 5 in 1,000 have it.
_WORD_BEFORE = (5, 1000)
#: A date of birth this many times as frequent as the average one was typed for want of a better.
_PLACEHOLDER_TIMES = 20


@dataclass(frozen=True)
class Records:
    """Customers in a form that can be compared, in the order given.

    Attributes
    ----------
    ids : Series
    codes : dict of str to array of int
        A number for each value of a field in its normal form; -1 where nothing can be compared.
    counts : dict of str to array of int
        How many records have each value.
    names : list of tuple of str
        The words of each name, by code.
    sounds : array of int
        A number for each name as it sounds; -1 where there is none.
    words : tuple of two arrays of int
        Place of a record and number of a word, as it sounds, in its name; one of each for each word.
    holders : Counter
        How many records have a word, as it sounds, in their name.
    births : array of int, shape (records, 3)
        Year, month and day of birth.
    novelty : float
        Share of words that nobody else has: how often the next one is new (Good 1953, Biometrika 40).
    """

    ids: pd.Series
    codes: dict[str, np.ndarray]
    counts: dict[str, np.ndarray]
    names: list[tuple[str, ...]]
    sounds: np.ndarray
    words: tuple[np.ndarray, np.ndarray]
    holders: Counter
    births: np.ndarray
    novelty: float


def records(customers: pd.DataFrame, timezone: str | None = None) -> Records:
    """Customers in a form that can be compared.

    Parameters
    ----------
    customers : DataFrame
        ``customer_id`` and any of ``name``, ``email``, ``phone``, ``birth_date``, ``signup_at``.
    timezone : str, optional
        Whose country's way of writing telephone numbers is understood; default: that of ``signup_at``.

    Examples
    --------
    >>> two = pd.DataFrame({"customer_id": ["a", "b"], "name": ["Sara", "SARA"], "birth_date": ["1990-01-01"] * 2})
    >>> records(two).codes["name"].tolist(), records(two).codes["birth_date"].tolist()  # a placeholder says nothing
    ([0, 0], [-1, -1])
    """
    region = normal.region_of(timezone or _timezone(customers))
    phone, phones = _coded(customers, "phone", lambda cell: normal.phone(cell, region))
    email, emails = _coded(customers, "email", normal.email)
    name, names = _coded(customers, "name", lambda cell: normal.name(cell) or None)
    birth = _births(customers)
    day, days = _factorized(birth.dropna(), customers.index)
    codes = {"name": name, "email": email, "phone": phone, "birth_date": day}
    sizes = {"name": len(names), "email": len(emails), "phone": len(phones), "birth_date": len(days)}
    counts = {field: np.bincount(code[code >= 0], minlength=sizes[field]) for field, code in codes.items()}
    sounds, words = _heard(name, names)
    holders = Counter()
    for parts, n in zip(names, counts["name"].tolist(), strict=True):
        holders.update(dict.fromkeys(map(normal.sound, parts), n))
    once = sum(n == 1 for n in holders.values())
    return Records(
        ids=customers["customer_id"],
        codes=codes,
        counts=counts,
        names=names,
        sounds=sounds,
        words=words,
        holders=holders,
        births=np.column_stack([getattr(birth.dt, part).fillna(-1).astype(int) for part in ("year", "month", "day")]),
        novelty=(once + 1) / (sum(holders.values()) + 1),
    )


def score(of: Records, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability that the records of each pair are of one person, from 0 to 1, and the reasons in words.

    Parameters
    ----------
    of : Records
    left, right : arrays of int, shape (pairs,)
        Places of the two.

    Examples
    --------
    >>> family = pd.DataFrame({"customer_id": range(3), "name": ["Sara Zand", "Zand, Sara", "Ali Zand"],
    ...                        "phone": ["0912 345 6789"] * 3, "birth_date": [None, "1990-05-02", "2013-08-11"]})
    >>> one, why = score(records(family), np.array([0, 1]), np.array([1, 2]))
    >>> one.round(2).tolist(), why.tolist()
    ([1.0, 0.0], ['same telephone number, same name', \
'same telephone number, names differ, dates of birth differ'])
    """
    n = len(of.ids)
    likely = np.tile([*_PAIRS, max(n - 1, 1) / 2], (len(left), 1))
    told = []
    for evidence, words in (
        _of_contact(of, "phone", left, right, (marked("same telephone number"), marked("telephone numbers differ"))),
        _of_contact(of, "email", left, right, (marked("same e-mail address"), marked("e-mail addresses differ"))),
        _of_names(of, left, right),
        _of_births(of, left, right),
    ):
        likely *= evidence
        told.append(words)
    why = [", ".join(filter(None, reasons)) for reasons in zip(*told, strict=True)]
    return (likely[:, 0] / likely.sum(axis=1)).round(6), np.array(why, dtype=object)


def why_in_words(why: str) -> str:
    """The reasons that `score` gives, in the language of the readers.

    Examples
    --------
    >>> why_in_words("same telephone number, same name")
    'same telephone number, same name'
    """
    return phrase(", ").join(phrase(reason) for reason in why.split(", "))


def at_odds(of: Records, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether the two of each pair have another name or another date of birth: hardly one person, whoever links them.

    Examples
    --------
    >>> three = pd.DataFrame({"customer_id": range(3), "name": ["Sara Zand", "Sara", "Ali Zand"]})
    >>> at_odds(records(three), np.array([0, 0]), np.array([1, 2])).tolist()
    [False, True]
    """
    same, near, both = _birth_levels(of, left, right)
    other = np.array([bool(c and c.others) for c in _compared_names(of, left, right)], dtype=bool)
    return other | (both & ~same & ~near)


# --- records ----------------------------------------------------------------------------------------------------------


def _timezone(customers: pd.DataFrame) -> str | None:
    tz = getattr(customers.get("signup_at", pd.Series(dtype=object)).dtype, "tz", None)
    return str(tz) if tz is not None else None


def _coded(customers: pd.DataFrame, field: str, form: Callable) -> tuple[np.ndarray, list]:
    """A code for each record's value in its normal form, and the forms by code."""
    if field not in customers:
        return np.full(len(customers), -1), []
    cells = customers[field].dropna().astype(str)
    formed = cells.map({cell: form(cell) for cell in cells.unique()}).dropna()
    return _factorized(formed, customers.index)


def _factorized(values: pd.Series, index: pd.Index) -> tuple[np.ndarray, list]:
    codes, forms = pd.factorize(values, sort=True)
    return pd.Series(codes, index=values.index).reindex(index, fill_value=-1).to_numpy(dtype=int), list(forms)


def _heard(name: np.ndarray, names: list[tuple[str, ...]]) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Each record's name as it sounds, as a number; and place and number of each single word."""
    heard = [tuple(sorted(set(map(normal.sound, words)))) for words in names]
    whole = pd.factorize(pd.Series(heard, dtype=object))[0]
    single = pd.Series([*heard, ()], dtype=object).iloc[name].reset_index(drop=True).explode().dropna()
    return np.append(whole, -1)[name], (single.index.to_numpy(), pd.factorize(single)[0])


def _births(customers: pd.DataFrame) -> pd.Series:
    """Dates of birth that can be true and were not typed for want of a better: the first day of a year, before 1900,
    after signing up, or one that far too many share."""
    if "birth_date" not in customers:
        return pd.Series(pd.NaT, index=customers.index, dtype="datetime64[s]")
    day = pd.to_datetime(customers["birth_date"], errors="coerce")
    day = (day.dt.tz_localize(None) if day.dt.tz is not None else day).dt.normalize().astype("datetime64[s]")
    doubtful = day.lt(pd.Timestamp("1900-01-02")) | ((day.dt.month == 1) & (day.dt.day == 1)) | _first_of_farvardin(day)
    if "signup_at" in customers:
        signup = pd.to_datetime(customers["signup_at"], errors="coerce")
        signup = signup.dt.tz_localize(None) if signup.dt.tz is not None else signup
        doubtful |= day > signup
    day = day.mask(doubtful)
    shared = day.map(day.value_counts())
    return day.mask(shared > _PLACEHOLDER_TIMES * max(1.0, shared.count() / max(day.nunique(), 1)))


def _first_of_farvardin(day: pd.Series) -> pd.Series:
    """Whether a day is the first of a Jalali year."""
    spring = day[(day.dt.month == 3) & day.dt.day.between(19, 22) & (day.dt.year >= 1900)].unique()
    jalali = {d: jalali_date.fromgregorian(date=d.date()) for d in spring}
    firsts = [d for d, j in jalali.items() if (j.month, j.day) == (1, 1)]
    return day.isin(firsts)


# --- what each field says for the three explanations ------------------------------------------------------------------


def _of_contact(of: Records, field: str, left, right, words: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of a telephone number or an address, shape (pairs, 3), and its words."""
    a, b = of.codes[field][left], of.codes[field][right]
    both, same = (a >= 0) & (b >= 0), (a == b) & (a >= 0)
    person, household = _SAME[field]
    agree = _rows(person, household, _share(of, field, a))
    evidence = np.select([same[:, None], both[:, None]], [agree, (1 - person, 1 - household, 1)], 1.0)
    return evidence, np.select([same, both], words, "")


def _of_births(of: Records, left, right) -> tuple[np.ndarray, np.ndarray]:
    same, near, both = _birth_levels(of, left, right)
    person, household = _SAME["birth_date"]
    agree = _rows(person, household, _share(of, "birth_date", of.codes["birth_date"][left]))
    differ = (1 - person - _NEAR_DAY[0], 1 - household - _NEAR_DAY[1], 1)
    evidence = np.select([same[:, None], near[:, None], both[:, None]], [agree, _NEAR_DAY, differ], 1.0)
    words = [marked("same date of birth"), marked("dates of birth differ in one part"), marked("dates of birth differ")]
    return evidence, np.select([same, near, both], words, "")


def _birth_levels(of: Records, left, right) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether dates of birth are the same; nearly so; and both there."""
    a, b = of.births[left], of.births[right]
    both = (of.codes["birth_date"][left] >= 0) & (of.codes["birth_date"][right] >= 0)
    parts = (a == b).sum(axis=1)
    exchanged = (a[:, 0] == b[:, 0]) & (a[:, 1] == b[:, 2]) & (a[:, 2] == b[:, 1])
    return both & (parts == 3), both & ((parts == 2) | exchanged), both


def _share(of: Records, field: str, code: np.ndarray) -> np.ndarray:
    """Share of all others who have a value by chance; never less than the rarest can be."""
    others = of.counts[field][code] - _NOT_BY_CHANCE[field] if len(of.counts[field]) else np.zeros(len(code))
    return np.maximum(others / len(of.ids), _RAREST[field])


def _rows(person: float, household: float, chance: np.ndarray) -> np.ndarray:
    return np.column_stack([np.full(len(chance), person), np.full(len(chance), household), chance])


@dataclass(frozen=True)
class _Names:
    """Two names word by word, as they sound: words in common, words written with a slip (the usual spelling), number of
    words that differ, number of words that one name lacks."""

    same: tuple[str, ...]
    slips: tuple[str, ...]
    others: int
    missing: int


def _of_names(of: Records, left, right) -> tuple[np.ndarray, np.ndarray]:
    compared = _compared_names(of, left, right)
    known = {c: (_name_evidence(of, c), _name_words(c)) for c in set(compared)}
    evidence = np.array([known[c][0] for c in compared], dtype=float).reshape(-1, 3)
    return evidence, np.array([known[c][1] for c in compared], dtype=object)


def _compared_names(of: Records, left, right) -> list[_Names | None]:
    """For each pair its names word by word; None where one is missing or they are in different alphabets."""
    pairs = zip(of.codes["name"][left].tolist(), of.codes["name"][right].tolist(), strict=True)
    known = {}
    return [known[p] if p in known else known.setdefault(p, _compared(of, *p)) for p in pairs]


def _compared(of: Records, a: int, b: int) -> _Names | None:
    if a < 0 or b < 0 or _alphabet(of.names[a]) != _alphabet(of.names[b]):
        return None
    same, mine, yours = _in_common(of.names[a], of.names[b])
    short, long = sorted((mine, yours), key=len)
    if len(short) == 1 < len(long) <= 3 and any("".join(words) == short[0] for words in permutations(long)):
        return _Names(tuple(sorted([*same, *map(normal.sound, long)])), (), 0, 0)  # written without a space
    slips = []
    for word in short[:]:
        near = next((w for w in long if _is_slip(of, word, w)), None)
        if near:
            short.remove(word)
            long.remove(near)
            slips.append(max(map(normal.sound, (word, near)), key=lambda w: (of.holders[w], w)))
    return _Names(tuple(sorted(same)), tuple(slips), len(short), len(long) - len(short))


def _in_common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[list[str], list[str], list[str]]:
    """The words of two names that sound alike, as they sound; the other words of each, as they are written."""
    same, others = [], list(b)
    mine = []
    for word in a:
        alike = next((w for w in others if normal.sound(w) == normal.sound(word)), None)
        if alike is None:
            mine.append(word)
        else:
            others.remove(alike)
            same.append(normal.sound(word))
    return same, mine, others


def _alphabet(words: tuple[str, ...]) -> str:
    return unicodedata.name(words[0][0], "").split(" ")[0]


def _is_slip(of: Records, one: str, other: str) -> bool:
    """Whether two words differ by a letter (left out, added, changed, or exchanged with the next) and one of them is
    hardly anybody's name."""
    heard = normal.sound(one), normal.sound(other)
    near = any(OSA.distance(*words, score_cutoff=1) <= 1 for words in ((one, other), heard))
    rare, frequent = sorted(of.holders[w] for w in heard)
    return near and min(len(one), len(other)) > 2 and (rare - 1) * _TIMES_AS_FREQUENT <= frequent


def _name_evidence(of: Records, names: _Names | None) -> tuple[float, float, float]:
    """Probability of what two names show, for one person, a household, chance.

    In a household one word is the surname: the one that strangers would share least.
    """
    if names is None:
        return 1.0, 1.0, 1.0
    same, slips = ([_word_share(of, w) for w in words] for words in (names.same, names.slips))
    near = _NEAR_BY_CHANCE * of.novelty  # another name, as against the same name with a slip
    person = _SAME_WORD ** len(same) * _SLIP ** len(slips) * _OTHER_WORD**names.others * _MISSING_WORD**names.missing
    household = [(s, _SURNAME, _GIVEN_TWICE * s) for s in same]
    household += [(_SLIP * s + near, _SURNAME * _SLIP, _GIVEN_TWICE * _SLIP * s + near) for s in slips]
    surname, *given = sorted(household) or [(1.0, 1 - _SURNAME, 1.0)]
    return person, surname[1] * prod(g[2] for g in given), prod(same) * prod(_SLIP * s + near for s in slips)


def _word_share(of: Records, word: str) -> float:
    """Share of people, the pair left out, who have a word in their name."""
    before, people = _WORD_BEFORE
    return (max(of.holders[word] - 2, 0) + before) / (len(of.ids) + people)


def _name_words(names: _Names | None) -> str:
    if names is None:
        return ""
    if names.others:
        return marked("names differ")
    if names.slips:
        one, several = marked("names differ by one letter"), marked("names differ by a letter in several words")
        return one if len(names.slips) == 1 else several
    return marked("one name has more words") if names.missing else marked("same name")
