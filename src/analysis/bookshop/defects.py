"""Planted defects: what goes wrong with a customer base on its way from the till to the analyst?

`plant` takes a finished bookshop and a rate and gives the same bookshop with the slips that real bases have: people
recorded twice, dates that are missing or cannot be, telephone numbers in three alphabets, test accounts, orders of
nobody, rials among tomans. Every one of them is listed in ``truth["defects"]``, so that what a method finds can be held
against what there was.

Tables are typed: a moment is a moment in them, however it was typed. What only text can carry (digits and marks of
dates and amounts) therefore appears in the CRM export alone.
"""

import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import Problem
from analysis.schema import TABLES

if TYPE_CHECKING:
    from analysis.bookshop import World

#: Share of a table's rows that reading sets aside for defects without being told (`analysis.sources`).
MAX_SET_ASIDE = 0.05

#: The highest rate: beyond it the kinds would run out of rows that nothing else has hit.
HIGHEST_RATE = 0.2

#: Each kind's share of the rows that it can hit, against the rate; all made up. A row is hit once at most.
SHARES = {
    "duplicate person": 1.0,  # people with an order and a telephone number
    "mixed digits": 1.0,  # telephone numbers
    "currency slip": 1.0,  # completed orders
    "order without customer": 0.5,  # orders
    "brand spelling": 1.0,  # products
    "test account": 0.1,  # customers; added to them
}
#: The same for dates: kind, table, column, share of the dates that are there.
DATE_SHARES = (
    ("missing date", "customers", "birth_date", 0.5),
    ("missing date", "customers", "signup_at", 0.25),
    ("missing date", "orders", "ordered_at", 0.25),
    ("impossible date", "customers", "birth_date", 0.5),
    ("impossible date", "orders", "ordered_at", 0.25),
    ("future date", "customers", "birth_date", 0.25),
    ("future date", "orders", "ordered_at", 0.25),
)
KINDS = tuple(dict.fromkeys([*SHARES, *(kind for kind, *_ in DATE_SHARES)]))

#: Columns of ``truth["defects"]``. The key of an order line is its order and its product with a space between them; of
#: rows that were moved to a duplicate, the duplicate's customer_id. No column: the whole row was added.
COLUMNS = ("table", "key", "column", "kind", "way", "true_value", "planted_value", "original_id")

# Ids of planted rows are derived from the number of another row and one digit longer than all others, so that they can
# neither meet each other nor, in a base written piece by piece, those of another piece. By kind, where they begin.
_DUPLICATE, _TEST, _UNKNOWN = 0, 1, 2

#: What was sent stays with the record that it was sent to.
_SENT = ("email_", "sms_", "push_", "call")

_LATIN_DIGITS, _PERSIAN_DIGITS, _ARABIC_DIGITS = "0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"
_HALF_SPACE = "\u200c"
_PHONE = r"0000 \d{3} \d{4}"
# The ways people write a number of eleven digits, here one whose operator code (000) nobody has.
_PHONE_FORMATS = (
    "+98 000 {0} {1}",
    "+98000{0}{1}",
    "0098000{0}{1}",
    "98000{0}{1}",
    "0000{0}{1}",
    "0000-{0}-{1}",
    "0000 {0}{1}",
    "۰۰۰۰ {0} {1}",
)
_BLANKED = (
    *("birth_date", "marital_status", "education", "occupation", "income", "household_size"),
    *("acquisition_campaign", "preferred_channel"),
)
# Two ways of writing one sound; the first that a name has is taken.
_LATIN_SPELLINGS = (("mm", "m"), ("ss", "s"), ("ou", "oo"), ("gh", "q"), ("aei", "ai"), ("eh", "e"), ("ei", "ey"))
_LATIN_SPELLINGS += (("zadeh", "zade"), ("iz", "eez"), ("ri", "ry"), ("ad", "aad"), ("in", "een"))
_PERSIAN_SPELLINGS = (("ایی", "ائی"), ("ؤ", "و"), ("آ", "ا"), ("سگ", "سک"), ("ظ", "ز"), ("غ", "ق"), ("ق", "غ"))
_PERSIAN_SPELLINGS += (("ص", "س"), ("ط", "ت"), ("ح", "ه"), ("ز", "ذ"))
_TEST_NAMES = ("test", "آزمایشی", "Test Test", "تست", "test customer", "مشتری آزمایشی", "TEST 123", "تست تست")
_ABSURD = (("one toman", 1, 1.0), ("9,999 pieces", 9_999, None), ("all nines", 1, 999_999_999.0))


@dataclass
class _Work:
    """The tables on their way to being spoilt (frames are replaced, never changed), rows hit so far, and the list."""

    tables: dict[str, pd.DataFrame]
    hit: dict[str, np.ndarray]
    told: list[pd.DataFrame]

    def set_cells(self, table: str, rows: np.ndarray, column: str, values) -> None:
        changed = self.tables[table][column].copy()
        changed.iloc[rows] = values if isinstance(values, list | np.ndarray) else values.array
        self.tables[table] = self.tables[table].assign(**{column: changed})

    def append(self, table: str, rows: pd.DataFrame) -> None:
        self.tables[table] = pd.concat([self.tables[table], rows], ignore_index=True)


def plant(world: "World", rate: float, seed: int) -> "World":
    """The bookshop with defects planted in it, each listed in ``truth["defects"]``.

    Parameters
    ----------
    world : World
        A finished bookshop, in either language; it stays as it is.
    rate : float
        From 0 (the same world comes back) to 0.2. Each kind hits the rate times its share (``SHARES``,
        ``DATE_SHARES``) of the rows that it can hit, rounded to whole rows.
    seed : int
        The same seed gives the same defects.

    Returns
    -------
    World
        ``truth["defects"]`` has the columns ``COLUMNS``: where, what kind and in which way, the true and the planted
        value as text, and for duplicates and test orders the customer to whom they belong.

    Raises
    ------
    Problem
        If the rate is not between 0 and 0.2.

    Notes
    -----
    A duplicate is a second record of a person, made some time after the first: from then on their orders and contacts
    stand under it. At least a telephone number or an e-mail address, however written, or the name still links the two.

    Examples
    --------
    >>> from analysis import bookshop
    >>> clean = bookshop.build(customers=300)
    >>> plant(clean, rate=0, seed=1) is clean
    True
    >>> defects = plant(clean, rate=0.05, seed=1).truth["defects"]
    >>> defects.query("kind == 'duplicate person' and column == 'phone'")["way"].unique().tolist()
    ['format', 'missing']
    """
    _check_rate(rate)
    if rate == 0:
        return world
    work = _Work(dict(world.tables), {name: np.zeros(len(t), dtype=bool) for name, t in world.tables.items()}, [])
    # Pieces of one large base have a first customer of their own, and share their products.
    first = world.tables["customers"]["customer_id"].iloc[0]
    originals = _originals(_rng(seed, "duplicates", first), work, rate)
    _spoil_dates(_rng(seed, "dates", first), work, rate)
    _mix_digits(_rng(seed, "digits", first), work, rate)
    _lose_customers(_rng(seed, "orphans", first), work, rate)
    _slip_currency(_rng(seed, "currency", first), work, rate)
    _respell_brands(_rng(seed, "brands"), work, rate)
    _duplicate_people(_rng(seed, "second records", first), work, originals)
    _add_test_accounts(_rng(seed, "test accounts", first), work, world.tables, rate)
    defects = pd.concat(work.told, ignore_index=True)
    defects = defects.sort_values(list(COLUMNS), kind="stable", ignore_index=True)
    return replace(world, tables=work.tables, truth=world.truth | {"defects": defects})


def tolerated(rate: float) -> float:
    """Share of a table's rows that a mapping of such a base should let be set aside.

    At the rate itself orders without a day, with one to come or without customer are set aside, and their lines with
    them; twice as much leaves room for chance, and the ordinary limit is the least.

    Examples
    --------
    >>> tolerated(0.01), tolerated(0.05)
    (0.05, 0.1)
    """
    _check_rate(rate)
    return max(MAX_SET_ASIDE, round(2 * rate, 4))


def _check_rate(rate: float) -> None:
    if not 0 <= rate <= HIGHEST_RATE:
        raise Problem(f"defects = {rate}: it is a share between 0 and {HIGHEST_RATE}, e.g. 0.02.")


# --- which rows -------------------------------------------------------------------------------------------------------


def _rng(seed: int, what: str, first: str = "") -> np.random.Generator:
    """Random numbers of one step, which depend on the seed, its name and the first customer alone."""
    key = zlib.crc32(f"defects {what} {first}".encode())
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))


def _picked(rng: np.random.Generator, work: _Work, table: str, can: pd.Series | np.ndarray, share: float) -> np.ndarray:
    """Row numbers to spoil: a share of all that can be hit, none that was hit before."""
    can = np.asarray(can, dtype=bool)
    free = np.flatnonzero(can & ~work.hit[table])
    rows = np.sort(rng.permutation(free)[: round(share * can.sum())])
    work.hit[table][rows] = True
    return rows


def _originals(rng: np.random.Generator, work: _Work, rate: float) -> np.ndarray:
    """Row numbers of the customers to be recorded twice; nothing else will happen to them or to their orders."""
    customers, orders = work.tables["customers"], work.tables["orders"]
    bought = orders.loc[orders["status"] != "returned", "customer_id"]
    can = (customers["kind"] == "person") & customers["customer_id"].isin(bought)
    can &= customers["phone"].str.fullmatch(_PHONE).fillna(False).astype(bool)
    rows = _picked(rng, work, "customers", can, rate * SHARES["duplicate person"])
    work.hit["orders"] |= orders["customer_id"].isin(customers["customer_id"].iloc[rows]).to_numpy()
    return rows


# --- single cells -----------------------------------------------------------------------------------------------------


def _spoil_dates(rng: np.random.Generator, work: _Work, rate: float) -> None:
    filled = {(table, column): work.tables[table][column].notna() for _, table, column, _ in DATE_SHARES}
    for kind, table, column, share in DATE_SHARES:
        frame = work.tables[table]
        rows = _picked(rng, work, table, filled[table, column], rate * share)
        true = frame[column].iloc[rows]
        spoil = {"missing date": _no_dates, "impossible date": _impossible, "future date": _later}[kind]
        planted, way = spoil(rng, true)
        work.set_cells(table, rows, column, planted)
        work.told.append(_cells(table, frame[TABLES[table].key].iloc[rows], column, kind, way, true, planted))


def _no_dates(rng: np.random.Generator, true: pd.Series) -> tuple[pd.Series, list[str]]:
    return pd.Series(pd.NaT, index=true.index, dtype=true.dtype), ["empty"] * len(true)


def _impossible(rng: np.random.Generator, true: pd.Series) -> tuple[pd.Series, list[str]]:
    """Dates that cannot be: of birth 1013 or a century too early, of an order the day on which a clock starts anew."""
    if true.name == "birth_date":
        placeholder = pd.Timestamp("1013-05-02").as_unit("us")
        ways = {"placeholder": lambda day: placeholder, "a century early": lambda day: day - pd.DateOffset(years=100)}
    else:
        clocks = {year: pd.Timestamp(f"{year}-01-01", tz=true.dt.tz).as_unit("us") for year in (1970, 1980)}
        ways = {f"clock of {year}": lambda moment, start=start: start for year, start in clocks.items()}
    way = [list(ways)[w] for w in rng.integers(len(ways), size=len(true))]
    planted = [ways[w](moment) for w, moment in zip(way, true, strict=True)]
    return pd.Series(planted, index=true.index, dtype=true.dtype), way


def _later(rng: np.random.Generator, true: pd.Series) -> tuple[pd.Series, list[str]]:
    """Dates still to come: of birth a century late, of an order ten to forty years."""
    years = np.full(len(true), 100) if true.name == "birth_date" else rng.choice([10, 20, 30, 40], len(true))
    planted = [moment + pd.DateOffset(years=int(y)) for moment, y in zip(true, years, strict=True)]
    return pd.Series(planted, index=true.index, dtype=true.dtype), [f"{y} years late" for y in years]


def _mix_digits(rng: np.random.Generator, work: _Work, rate: float) -> None:
    """Digits of two alphabets in one telephone number, or all of another one."""
    customers = work.tables["customers"]
    rows = _picked(rng, work, "customers", customers["phone"].notna(), rate * SHARES["mixed digits"])
    true = customers["phone"].iloc[rows]
    planted, ways = [], []
    for phone in true:
        digits = (_PERSIAN_DIGITS, _ARABIC_DIGITS)[rng.integers(2)]
        parts = phone.split(" ")
        which = rng.integers(len(parts) + 1)
        put = [_in_digits(p, digits) if which in (n, len(parts)) else p for n, p in enumerate(parts)]
        planted.append(" ".join(put))
        ways.append(("Persian" if digits == _PERSIAN_DIGITS else "Arabic") + " digits")
    work.set_cells("customers", rows, "phone", planted)
    keys = customers["customer_id"].iloc[rows]
    work.told.append(_cells("customers", keys, "phone", "mixed digits", ways, true, planted))


def _lose_customers(rng: np.random.Generator, work: _Work, rate: float) -> None:
    """Orders of nobody: without an id, or with one that no customer has."""
    orders = work.tables["orders"]
    rows = _picked(rng, work, "orders", orders["customer_id"].notna(), rate * SHARES["order without customer"])
    true = orders["customer_id"].iloc[rows]
    unknown = rng.random(len(rows)) < 0.5
    planted = [_planted_id(id, _UNKNOWN) if u else None for id, u in zip(true, unknown, strict=True)]
    work.set_cells("orders", rows, "customer_id", planted)
    ways = np.where(unknown, "unknown id", "no id")
    keys = orders["order_id"].iloc[rows]
    work.told.append(_cells("orders", keys, "customer_id", "order without customer", ways, true, planted))


def _slip_currency(rng: np.random.Generator, work: _Work, rate: float) -> None:
    """Orders entered in rials where all others are in tomans: ten times the amount, in the order and in its lines."""
    orders, lines = work.tables["orders"], work.tables["order_lines"]
    rows = _picked(rng, work, "orders", orders["status"] == "completed", rate * SHARES["currency slip"])
    slipped = orders["order_id"].iloc[rows]
    of_lines = np.flatnonzero(lines["order_id"].isin(slipped))
    for table, at, columns in (
        ("orders", rows, ("amount", "discount")),
        ("order_lines", of_lines, ("unit_price", "discount", "amount")),
    ):
        for column in columns:
            frame = work.tables[table]
            changed = at[(frame[column].iloc[at].fillna(0) != 0).to_numpy()]
            true = frame[column].iloc[changed]
            work.set_cells(table, changed, column, true.to_numpy() * 10)
            keys = frame["order_id"].iloc[changed]
            if table == "order_lines":
                keys = keys + " " + frame["product_id"].iloc[changed]
            work.told.append(_cells(table, keys, column, "currency slip", "rial", true, true * 10))


def _respell_brands(rng: np.random.Generator, work: _Work, rate: float) -> None:
    """A second spelling for each brand, at some of its products."""
    products = work.tables["products"]
    rows = _picked(rng, work, "products", products["brand"].notna(), rate * SHARES["brand spelling"])
    true = products["brand"].iloc[rows]
    planted = [_second_spelling(brand) for brand in true]
    work.set_cells("products", rows, "brand", planted)
    keys = products["product_id"].iloc[rows]
    work.told.append(_cells("products", keys, "brand", "brand spelling", "second spelling", true, planted))


def _second_spelling(brand: str) -> str:
    """Arabic letters or a half-space in Persian, capitals in Latin.

    Examples
    --------
    >>> _second_spelling("Simorgh Press"), _second_spelling("نشر انار") == "نشر\\u200cانار"
    ('SIMORGH PRESS', True)
    """
    if not _is_persian(brand):
        return brand.upper()
    return _arabic_letters(brand) if _arabic_letters(brand) != brand else brand.replace(" ", _HALF_SPACE)


# --- people recorded twice --------------------------------------------------------------------------------------------


def _duplicate_people(rng: np.random.Generator, work: _Work, rows: np.ndarray) -> None:
    old = work.tables["customers"].iloc[rows]
    if old.empty:
        return
    ids = pd.Series([_planted_id(id, _DUPLICATE) for id in old["customer_id"]], index=old["customer_id"])
    since = _since(rng, work.tables["orders"], old)
    new = old.assign(customer_id=ids.to_numpy(), signup_at=since.loc[old["customer_id"]].to_numpy())
    new["signup_at"] = since.loc[old["customer_id"]].set_axis(old.index)
    for column in (c for c in _BLANKED if c in new):  # in one order, as each draws
        new[column] = new[column].mask(rng.random(len(new)) < 0.5)
    for column in ("interests", "tags"):
        new[column] = [[] for _ in range(len(new))]
    told = [_rows("customers", ids, "duplicate person", "second record", ids.index)]
    written = [_second_writing(rng, row) for row in old[["name", "phone", "email"]].itertuples(index=False)]
    for column in ("name", "phone", "email"):
        way = np.array([w[column][0] for w in written])
        new[column] = pd.array([w[column][1] for w in written], dtype="str")
        at = np.flatnonzero(way != "same")
        true, planted = old[column].iloc[at], new[column].iloc[at]
        cells = _cells("customers", ids.iloc[at], column, "duplicate person", way[at], true, planted)
        told.append(cells.assign(original_id=ids.index[at]))
    known = zip(new["consents"], new["phone"], new["email"], strict=True)
    new["consents"] = [_reachable(consents, phone, email) for consents, phone, email in known]
    for name, table in list(work.tables.items()):
        moved = _moved(name, table, since)
        if moved is None or not len(moved):
            continue
        true = table["customer_id"].iloc[moved]
        work.set_cells(name, moved, "customer_id", ids.loc[true].to_numpy())
        whose = pd.Series(true.unique())
        cells = _cells(name, ids.loc[whose], "customer_id", "duplicate person", "moved", whose, ids.loc[whose])
        told.append(cells.assign(original_id=whose))
    work.append("customers", new)
    work.told.extend(told)


def _since(rng: np.random.Generator, orders: pd.DataFrame, old: pd.DataFrame) -> pd.Series:
    """The moment at which each person was recorded anew: a little before one of their orders, the first only if one."""
    mine = orders[orders["customer_id"].isin(old["customer_id"]) & (orders["status"] != "returned")]
    mine = mine.sort_values(["customer_id", "ordered_at", "order_id"])
    of = mine.groupby("customer_id")["ordered_at"]
    size, nth = of.transform("size").to_numpy(), of.cumcount().to_numpy()
    first = nth == 0
    drawn = np.floor(rng.random(first.sum()) * np.maximum(size[first] - 1, 1)).astype(int) + (size[first] > 1)
    chosen = mine[nth == drawn[np.cumsum(first) - 1]].set_index("customer_id")["ordered_at"]
    signup = old.set_index("customer_id")["signup_at"] + pd.Timedelta(seconds=1)
    # A session that ends in an order takes less than two hours.
    before = (chosen - pd.Timedelta(hours=2)).reindex(signup.index)
    return before.where(before > signup, signup)


def _moved(name: str, table: pd.DataFrame, since: pd.Series) -> np.ndarray | None:
    """Row numbers of what happened since people were recorded anew; None for a table that stays as it is."""
    time = TABLES[name].time
    if name in ("customers", "campaign_contacts") or "customer_id" not in table or time not in table:
        return None
    moved = (table[time] >= table["customer_id"].map(since)).to_numpy()
    if name == "touchpoints":
        moved = moved & ~table["event"].str.startswith(_SENT).to_numpy()
    return np.flatnonzero(moved)


def _second_writing(rng: np.random.Generator, person) -> dict[str, tuple[str, str | None]]:
    """How name, telephone number and e-mail address of a person are written the second time: way and value."""
    name_way, phone_way, email_way = rng.random(3)
    phone, email = ("same", person.phone), ("same", person.email)
    if phone_way < 0.65:
        phone = "format", _phone_format(rng, person.phone)
    elif phone_way < 0.85:
        phone = "missing", None
    if pd.notna(person.email):
        if email_way < 0.35 and phone[0] != "missing":
            email = "missing", None
        elif email_way < 0.70:
            email = "upper case", person.email.upper()
    elif phone[0] == "missing":  # something must link the two
        phone = "format", _phone_format(rng, person.phone)
    name = ("same", person.name) if name_way < 0.3 else _second_name(rng, person.name)
    if name[0] == phone[0] == email[0] == "same":
        phone = "format", _phone_format(rng, person.phone)
    return {"name": name, "phone": phone, "email": email}


def _phone_format(rng: np.random.Generator, phone: str) -> str:
    _, first, second = phone.split(" ")
    written = _PHONE_FORMATS[rng.integers(len(_PHONE_FORMATS))].format(first, second)
    return _in_digits(written, _PERSIAN_DIGITS) if written[0] == "۰" else written


def _second_name(rng: np.random.Generator, name: str) -> tuple[str, str]:
    """Another way to write a name, and what it is called."""
    ways = ["spelling", "typo", "name order"]
    if _is_persian(name):
        ways += ["Arabic letters", "Arabic letters", "half-space"]
    way = ways[rng.integers(len(ways))]
    given, _, family = name.partition(" ")
    if way == "name order" and family:
        return way, f"{family} {given}"
    if way == "half-space" and family:
        return way, name.replace(" ", _HALF_SPACE)
    if way == "Arabic letters" and _arabic_letters(name) != name:
        return way, _arabic_letters(name)
    if way == "spelling":
        for one, other in _PERSIAN_SPELLINGS if _is_persian(name) else _LATIN_SPELLINGS:
            if one in name:
                return way, name.replace(one, other, 1)
    return "typo", _with_typo(rng, name)


def _with_typo(rng: np.random.Generator, name: str) -> str:
    """One letter left out, doubled, or exchanged with the next."""
    spots = [i for i in range(1, len(name) - 1) if name[i].isalpha() and name[i + 1].isalpha()]
    at = spots[rng.integers(len(spots))]
    exchanged = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    options = [name[:at] + name[at + 1 :], name[: at + 1] + name[at:], exchanged]
    typed = options[rng.integers(3)]
    return typed if typed != name else options[0]


def _reachable(consents: list[str], phone: object, email: object) -> list[str]:
    """The consents of the first record that the second has an address for."""
    gone = {"email", "ایمیل"} if pd.isna(email) else set()
    gone |= {"sms", "phone", "پیامک", "تلفن"} if pd.isna(phone) else set()
    return [channel for channel in consents if channel not in gone]


# --- test accounts ----------------------------------------------------------------------------------------------------


def _add_test_accounts(rng: np.random.Generator, work: _Work, clean: dict[str, pd.DataFrame], rate: float) -> None:
    """Customers whom the staff made up to try the shop, with orders of a toman or of ten thousand pieces."""
    customers, orders, lines = clean["customers"], clean["orders"], clean["order_lines"]
    n = round(rate * SHARES["test account"] * len(customers))
    per_account = rng.integers(1, 4, n)
    like = orders.iloc[np.sort(rng.permutation(np.flatnonzero(orders["status"] == "completed"))[: per_account.sum()])]
    account = np.repeat(np.arange(n), per_account)[: len(like)]
    n = len(set(account))
    if not n:
        return
    accounts = _blank(customers.iloc[np.sort(rng.permutation(len(customers))[:n])])
    accounts["customer_id"] = [_planted_id(id, _TEST) for id in accounts["customer_id"]]
    accounts["kind"] = "person"
    accounts["name"] = [_TEST_NAMES[i] for i in rng.integers(len(_TEST_NAMES), size=n)]
    accounts["email"] = [f"test{i or ''}@example.com" for i in range(n)]
    accounts["phone"] = [("0000 000 0000", "0000 111 1111", "0000 123 4567")[i] for i in rng.integers(3, size=n)]
    orders = like.reset_index(drop=True)
    orders["order_id"] = [_planted_id(id, _TEST) for id in orders["order_id"]]
    orders["customer_id"] = accounts["customer_id"].to_numpy()[account]
    first = orders["ordered_at"].groupby(account).min() - pd.Timedelta(minutes=10)
    accounts["signup_at"] = first.set_axis(accounts.index)

    of_like = lines.drop_duplicates("order_id").set_index("order_id").loc[like["order_id"]].reset_index()
    absurd = rng.integers(len(_ABSURD), size=len(orders))
    of_like["order_id"] = orders["order_id"]
    of_like["quantity"] = [float(_ABSURD[a][1]) for a in absurd]
    of_like["unit_price"] = [_ABSURD[a][2] or p for a, p in zip(absurd, of_like["unit_price"], strict=True)]
    of_like["discount"], orders["discount"] = 0.0, 0.0
    of_like["amount"] = of_like["quantity"] * of_like["unit_price"]
    orders["amount"] = of_like["amount"]
    kind, ways = "test account", [_ABSURD[a][0] for a in absurd]
    work.append("customers", accounts)
    work.append("orders", orders)
    work.append("order_lines", of_like[list(lines)])
    whose = orders["customer_id"]
    work.told += [
        _rows("customers", accounts["customer_id"], kind, "account", None),
        _rows("orders", orders["order_id"], kind, ways, whose),
        _rows("order_lines", of_like["order_id"] + " " + of_like["product_id"], kind, ways, whose),
    ]


def _blank(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with nothing in them but their id; lists are empty."""
    blank = rows.reset_index(drop=True)
    lists = [c.name for c in TABLES["customers"].columns if c.type == "list"]
    for column in blank.columns.drop("customer_id"):
        empty = np.ones(len(blank), dtype=bool)
        blank[column] = [[] for _ in empty] if column in lists else blank[column].mask(empty)
    return blank


# --- the list of defects, and words -----------------------------------------------------------------------------------


def _cells(table: str, keys, column: str, kind: str, way, true, planted) -> pd.DataFrame:
    """Rows of the list for changed cells."""
    told = {"table": table, "key": list(keys), "column": column, "kind": kind, "way": way}
    told |= {"true_value": [_text(v) for v in true], "planted_value": [_text(v) for v in planted], "original_id": None}
    return _typed(told, len(keys))


def _rows(table: str, keys, kind: str, way, original) -> pd.DataFrame:
    """Rows of the list for added rows."""
    told = {"table": table, "key": list(keys), "column": None, "kind": kind, "way": way}
    told |= {"true_value": None, "planted_value": None, "original_id": None if original is None else list(original)}
    return _typed(told, len(keys))


def _typed(told: dict, n: int) -> pd.DataFrame:
    return pd.DataFrame({c: pd.Series(told[c], index=range(n), dtype="str") for c in COLUMNS})


def _text(value) -> str | None:
    """A value as text: dates and moments as ISO 8601, whole numbers without a point; nothing for an empty one.

    Examples
    --------
    >>> _text(826000.0), _text(pd.Timestamp("1992-05-02")), _text(None)
    ('826000', '1992-05-02', None)
    """
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp | np.datetime64):
        moment = pd.Timestamp(value)
        return moment.isoformat() if moment.tzinfo else moment.isoformat()[:10]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _planted_id(id: str, block: int) -> str:
    """An id that nobody has, one digit longer, that tells neither what it was made from nor why.

    Examples
    --------
    >>> _planted_id("C00001", 0), _planted_id("C00002", 0), _planted_id("C00002", 1)
    ('C107919', 'C115838', 'C915838')
    """
    size = 10 ** (len(id) - 1)
    number = (block * size + int(id[1:])) * 7919 % (9 * size)  # 7919 divides neither nine nor ten: no two the same
    return f"{id[0]}{size + number}"


def _in_digits(text: str, digits: str) -> str:
    return text.translate(str.maketrans(_LATIN_DIGITS, digits))


def _is_persian(text: str) -> bool:
    return bool(re.search(r"[\u0600-\u06ff]", text))


def _arabic_letters(text: str) -> str:
    """The text in letters of the Arabic keyboard: another yeh and another kaf, alike to the eye."""
    return text.replace("ی", "ي").replace("ک", "ك")
