"""One way of writing what people write in many: telephone numbers, e-mail addresses, names.

Each function takes a cell as recorded and gives a form that two records of one person share, or nothing where the cell
says nothing. The forms are for comparing alone: they lose what a reader wants (capitals, vowels, the order of a name).
"""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from babel.core import get_global
from persiantools.characters import ar_to_fa
from persiantools.digits import ar_to_fa as persian_digits
from persiantools.digits import fa_to_en

#: Fewest digits of a telephone number: less is an extension, or a dash in an empty cell.
_SHORTEST_NUMBER = 5

#: The end of a number that was typed for want of a better.
_NO_NUMBER = re.compile(r"((\d)\2{6}|0?1234567|7654321)$")

#: Providers that ignore what follows a plus sign, and those that ignore dots too, as their help pages say.
_IGNORES_TAGS = {"gmail.com", "outlook.com", "hotmail.com", "live.com", "icloud.com", "proton.me", "protonmail.com"}
_IGNORES_TAGS |= {"fastmail.com"}
_IGNORES_DOTS = {"gmail.com"}
_SAME_PROVIDER = {"googlemail.com": "gmail.com"}

#: What is typed for want of an address or a name, or to try the shop.
_NO_ADDRESS = {"test", "none", "no", "na", "nomail", "noemail", "noreply", "unknown", "example", "nobody"}
_NOBODY = {"test", "تست", "آزمایشی", "ازمایشی", "آزمایش", "ازمایش", "customer", "مشتری", "unknown", "نامشخص", "guest"}
_NOBODY |= {"مهمان", "nobody", "none", "user", "کاربر"}

#: Words beside a name that one record has and the other has not.
_TITLES = {"mr", "mrs", "ms", "dr", "prof", "eng", "herr", "frau", "seyed", "seyyed", "sayed"}
_TITLES |= {"آقای", "اقای", "خانم", "دکتر", "مهندس", "حاج", "سید", "سیده", "جناب", "سرکار"}

#: Letters that sound alike in Persian, and what is no sound of its own: the lone hamza and the stretching stroke.
_PERSIAN = {"ثص": "س", "ط": "ت", "حةە": "ه", "ذضظ": "ز", "غ": "ق", "ءـ": ""}
_SAME_SOUND = str.maketrans({letter: sound for letters, sound in _PERSIAN.items() for letter in letters})

#: Sounds that Latin letters write in several ways, in the order in which they are unified; double letters go last.
_LATIN = (
    ("kh", "x"), ("gh", "q"), ("zh", "j"), ("ph", "f"), ("w", "v"),  # Khosravi Xosravi, Ghorbani Qorbani
    ("aei", "ai"), ("ee", "i"), ("ei", "i"), ("ey", "i"), ("ai", "i"), ("y", "i"),  # Rezaei Rezaee Rezai, Meyer Maier
    ("ou", "u"), ("oo", "u"), ("oe", "u"), ("ue", "u"), ("o", "u"),  # Niloufar Niloofar, Mohammad Muhammad, Müller
    (r"eh\b", "e"), (r"ah\b", "a"), (r"ed\b", "ad"),  # Fatemeh Fateme, Mohammed Mohammad
    (r"([^\W\d_])\1+", r"\1"),
)  # fmt: skip


def region_of(timezone: str | None) -> str | None:
    """The country that a timezone belongs to, as a code of two letters; nothing where it belongs to none.

    Examples
    --------
    >>> region_of("Asia/Tehran"), region_of("Iran"), region_of("UTC")
    ('IR', 'IR', None)
    """
    name = get_global("zone_aliases").get(timezone, timezone)
    region = get_global("zone_territories").get(name)
    return region if region and re.fullmatch("[A-Z]{2}", region) and region != "ZZ" else None


def phone(text: str, region: str | None) -> str | None:
    """A telephone number as its country and its digits, however it was typed; nothing if it has too few of them, or
    ends in seven that nobody dialled: all the same, or one after the other.

    Zeros at the front are left out: whether they belong to the number or to the way of dialling it nobody can tell of a
    number that no operator has. Without a region, numbers are compared by their digits.

    Examples
    --------
    >>> {phone(n, "IR") for n in ("0912 345 6789", "+98 912 3456789", "0098-912-345-6789", "۰۹۱۲۳۴۵۶۷۸۹")}
    {'98 9123456789'}
    >>> phone("0000 123 4567", "IR") == phone("980001234567", "IR"), phone("-", "IR")
    (True, None)
    >>> phone("0912 111 1111", "IR"), phone("0912 311 1111", "IR")
    (None, '98 9123111111')
    """
    typed = fa_to_en(persian_digits(text))
    digits = re.sub(r"\D", "", typed).lstrip("0")
    if len(digits) < _SHORTEST_NUMBER or _NO_NUMBER.search(digits):
        return None
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return digits
    return f"{number.country_code} {number.national_number}"


def email(text: str) -> str | None:
    """An e-mail address without case and spaces, and without what its provider ignores; nothing if it is no address, or
    one that was typed for want of a better.

    Examples
    --------
    >>> email(" S.Ahmadi+books@GMail.com"), email("S.Ahmadi@Example.com"), email("test2@example.com")
    ('sahmadi@gmail.com', 's.ahmadi@example.com', None)
    """
    plain = re.sub(r"\s", "", fa_to_en(unicodedata.normalize("NFKC", text))).casefold()
    if not (parts := re.fullmatch(r"([^@]+)@([^@]+\.[^@.]+)", plain)):
        return None
    local, provider = parts[1], _SAME_PROVIDER.get(parts[2], parts[2])
    if provider in _IGNORES_TAGS:
        local = local.split("+")[0] or local
    if provider in _IGNORES_DOTS:
        local = local.replace(".", "")
    if local.rstrip("0123456789") in _NO_ADDRESS:
        return None
    return f"{local}@{provider}"


def name(text: str) -> tuple[str, ...]:
    """The words of a name in alphabetical order: no capitals, accents, titles and initials, no half-spaces, Persian
    letters for Arabic ones, one letter for those that sound alike; none if all of it was typed for want of a name.

    Examples
    --------
    >>> name("Mr. M. REZAEI, José"), name("Test 2")
    (('jose', 'rezaei'), ())
    >>> name("علي كاظمي") == name("کاظمی\u200cعلی") == ("علی", "کازمی")
    True
    """
    apart = unicodedata.normalize("NFKD", text.casefold())  # letters and their marks: آ ؤ ئ é ü lose the mark
    plain = re.sub("['’]", "", "".join(c for c in apart if not unicodedata.combining(c)))
    words = [w for w in re.split(r"[\W\d_]+", ar_to_fa(plain)) if len(w) > 1 and w not in _TITLES]
    return () if _NOBODY.issuperset(words) else tuple(sorted(w.translate(_SAME_SOUND) for w in words))


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """A word of a name as it sounds: one spelling for the usual ways of writing Persian, or German, in Latin letters.

    Examples
    --------
    >>> [sound(w) for w in ("rezaei", "rezaee", "mohammed", "muhamad")]
    ['rezi', 'rezi', 'muhamad', 'muhamad']
    """
    for written, sounds in _LATIN:
        word = re.sub(written, sounds, word)
    return word
