"""The checks: what can be wrong in the tables of a customer base, one function for each kind of defect.

Every check takes a base and yields a :class:`Defect` for each place in which it found something (those of completeness
also where nothing is amiss). Nothing is changed here: a defect says how many cells or rows it hit, shows three of them
without naming anybody, says what to do, and where a headline may rest on it, which rows to take out or to mend.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import narwhals as nw
import numpy as np
import pandas as pd
from persiantools.characters import ar_to_fa
from rapidfuzz import process
from rapidfuzz.distance import OSA

from analysis import schema
from analysis.expressions import day_of
from analysis.locale import column_name, day, named, retold
from analysis.phrases import figure, marked, phrase
from analysis.quality.tables import first_of_the_bulk, span
from analysis.sources import Base
from analysis.sources.accounts import reason_in_words
from analysis.sources.duplicates import duplicates, merges
from analysis.sources.likeness import why_in_words

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")

#: A table whose last row is older than this many days before `as_of`, and by more than it ever was silent before, was
#: probably exported earlier than the others.
STALE_DAYS = 31

#: A day of birth that more than so many times the ordinary number share is what somebody typed to get on.
PLACEHOLDER = 30

#: Amounts ten times above or below all others are called out of line while they are no more than this share of them:
#: more would be another part of the business, not a slip.
FEW = 0.005

#: Orders that the silent days would have brought at the usual pace, above which silence is no chance: were orders
#: drawn by lot, it would come about once in e²⁰ times.
MISSED = 20

#: A column with more different values than this is free text or a catalogue too long to compare by pairs.
MOST_VALUES = 300

#: A positive number below this is a nothing that was added up from fractions.
_ROUND_OFF = 1e-6

#: What is typed where a number is asked for and none is known.
_NINES = tuple(float("9" * digits) for digits in range(4, 13))

_EXAMPLES = 3

#: What a test account is called, and what may stand beside it, in the languages met.
_TEST = r"test|tests|testing|tester|dummy|asdf|asdfgh|qwerty|تست|آزمایشی|ازمایشی|آزمایش"
_BESIDE = r"account|customer|user|client|name|kunde|konto|مشتری|کاربر|حساب|\d+"

#: Columns that hold names of the same things: the catalogue's spelling of a name counts for all of them, else the
#: commonest.
_SAME_NAMES = (
    (("products", "name"), ("deals", "product")),
    (("products", "brand"), ("brand_ratings", "brand")),
    (
        *(("orders", "channel"), ("touchpoints", "channel"), ("tickets", "channel"), ("campaigns", "channel")),
        *(("customers", "preferred_channel"), ("customers", "consents")),
    ),
)

#: What cannot come first, and what must come before it.
_IN_ORDER = (
    ("tickets", "opened_at", "closed_at"),
    ("deals", "created_at", "closed_at"),
    ("campaigns", "starts_at", "ends_at"),
    ("campaign_contacts", "sent_at", "opened_at"),
    ("campaign_contacts", "sent_at", "clicked_at"),
    ("campaign_contacts", "sent_at", "converted_at"),
)

#: Columns that only one kind of customer can fill.
_OF_KIND = {"company": ("industry", "employees", "annual_revenue")}
_OF_KIND |= {
    "person": ("birth_date", "gender", "marital_status", "education", "occupation", "income", "household_size")
}

#: Lowest and highest score of each instrument.
_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}

#: Numbers of which ten times as much is nothing odd, as they are answers or scores.
_ANSWERS = {("feedback", "score"), ("survey_answers", "answer"), ("brand_ratings", "rating")}
_ANSWERS |= {("tickets", "satisfaction"), ("customers", "household_size")}

#: Which dimension a reason for setting rows aside belongs to; any other is a matter of validity.
_DIMENSION_OF_REASON = {
    "repeated row": "uniqueness",
    "another row": "uniqueness",
    "unknown ": "consistency",
    "no ": "completeness",
    "in the future": "timeliness",
}


#: What stands before the reason in the check of rows that were set aside.
_ASIDE = "set aside: "

#: All checks: kept in English, as runs are compared by them, and said to readers by `check_in_words`.
_SAID = (
    *(marked("empty"), marked("unreadable"), marked("letters, digits or spaces of another keyboard")),
    *(marked("born after the day of the report"), marked("older than {years}")),
    *(marked("a day of birth that too many share"), marked("long before all others, which begin on {day}")),
    *(marked("out of line with all others"), marked("{scale} runs from {low} to {high}")),
    *(marked("mangled by a spreadsheet"), marked("no address"), marked("not 7 to 15 digits")),
    *(marked("second record of a person"), marked("another spelling of a value")),
    *(marked("perhaps a slip of one letter"), marked("{last} lies before {first}")),
    *(marked("bought before signing up"), marked("ten times the product's usual price")),
    *(marked("not the sum of its lines"), marked("test account"), marked("stops {days} days before {day}")),
    marked("days without an order"),
)


@dataclass(frozen=True)
class Mend:
    """How a base would look without a defect: rows to leave out, amounts to divide, customers to join.

    Attributes
    ----------
    table : {"orders", "customers"}
    keys : LazyFrame
        ``order_id`` or ``customer_id`` of the rows; with `merged_into` beside it where customers are joined,
        or with `excess` where that much is too much in an order's amount.
    how : {"left out", "lowered", "joined"}
    """

    table: str
    keys: nw.LazyFrame
    how: str = "left out"


@dataclass(frozen=True)
class PutBack:
    """How a base would look with orders that reading set aside: so many more, of so much."""

    orders: int
    amount: float


@dataclass(frozen=True)
class Defect:
    """One kind of defect in one place.

    Attributes
    ----------
    table, column : str
        Where; no column for whole rows.
    check : str
        What is wrong, in a few words.
    dimension : str, one of `DIMENSIONS`
    checked, defects : int
        Rows or cells looked at, and how many of them are defective.
    examples : tuple of str
        At most three, which name nobody.
    cure : str
        What to do about it.
    mend : Mend, PutBack or None
    """

    table: str
    column: str
    check: str
    dimension: str
    checked: int
    defects: int
    examples: tuple[str, ...] = ()
    cure: str = ""
    mend: Mend | PutBack | None = None


def all_defects(base: Base) -> list[Defect]:
    """Everything that the checks find, in the order of the checks."""
    return [defect for check in CHECKS for defect in check(base)]


# Completeness


def empty_cells(base: Base) -> Iterator[Defect]:
    """Every column with its empty cells, also where there are none; not those in which empty has a meaning."""
    for table in base:
        means = {c.name for c in schema.TABLES[table].columns if c.empty}
        columns = [c for c in base.columns(table) if c not in means]
        for rows, these in _who_can_fill(base, table, columns):
            counts = _collect(rows.select(nw.len().alias("rows of the table"), nw.col(these).count())).iloc[0]
            total = int(counts.iloc[0])
            for column in these:
                yield Defect(table, column, "empty", "completeness", total, total - int(counts[column]))


def _who_can_fill(base: Base, table: str, columns: list[str]) -> Iterator[tuple[nw.LazyFrame, list[str]]]:
    """The rows by which columns are judged: no person has employees, and no company a date of birth."""
    if table != "customers" or "kind" not in columns:
        yield base[table], columns
        return
    for kind, of_kind in _OF_KIND.items():
        if these := [c for c in columns if c in of_kind]:
            yield base[table].filter(nw.col("kind").is_null() | (nw.col("kind") == kind)), these
    yield base[table], [c for c in columns if not any(c in of_kind for of_kind in _OF_KIND.values())]


def rows_set_aside(base: Base) -> Iterator[Defect]:
    """Rows that reading could not use, by reason; their dimension is the reason's."""
    totals = base.accounts.groupby("table")["rows"].sum()
    for row in base.accounts[base.accounts["defect"].astype(bool)].itertuples():
        of = next((d for start, d in _DIMENSION_OF_REASON.items() if row.reason.startswith(start)), "validity")
        cure = phrase(
            "They stand in set_aside/{table}.parquet, as they came: take them to whoever owns the source.",
            table=row.table,
        )
        counts = int(totals[row.table]), int(row.rows)
        yield Defect(row.table, "", f"{_ASIDE}{row.reason}", of, *counts, (), cure, _put_back(row))


def _put_back(row) -> PutBack | None:
    """What the rows would add to the purchases, where reading knows their amount."""
    if pd.isna(row.amount):
        return None
    return PutBack(int(row.rows) if row.table == "orders" else 0, float(row.amount))


# Validity


def unreadable_cells(base: Base) -> Iterator[Defect]:
    """Filled cells from which reading could make nothing."""
    kept = base.accounts[base.accounts["reason"] == ""].groupby("table")["rows"].sum()
    for cell in base.unreadable.itertuples():
        cure = phrase(
            "Say in the mapping how it is written ({column} = {{ column = …, format = … }}), or mend the export.",
            column=cell.column,
        )
        examples = tuple(str(cell.examples).split(", "))
        yield Defect(
            cell.table, cell.column, "unreadable", "validity", int(kept[cell.table]), int(cell.cells), examples, cure
        )


def mixed_alphabets(base: Base) -> Iterator[Defect]:
    """Persian text with letters, digits or spaces of another keyboard; reading has unified it already."""
    kept = base.accounts[base.accounts["reason"] == ""].groupby("table")["rows"].sum()
    for cell in base.unified.itertuples():
        cure = phrase(
            "Nothing: it was unified on reading. Whoever matches by these values elsewhere has to do the same."
        )
        counts = int(kept[cell.table]), int(cell.cells)
        check = "letters, digits or spaces of another keyboard"
        yield Defect(cell.table, cell.column, check, "validity", *counts, (str(cell.examples),), cure)


def impossible_births(base: Base) -> Iterator[Defect]:
    """Dates of birth to come, of people older than anybody, and days that far too many share."""
    if "birth_date" not in base.columns("customers"):
        return
    days = _counts(base["customers"].select(day=nw.col("birth_date").cast(nw.String)), "day")
    if days.empty:
        return
    checked = int(days["n"].sum())
    oldest = base.as_of.replace(year=base.as_of.year - schema.OLDEST, day=min(base.as_of.day, 28)).isoformat()
    late, early = days["day"] > base.as_of.isoformat(), days["day"] < oldest
    shared = ~late & ~early & (days["n"] > PLACEHOLDER * max(days["n"].median(), 1))
    for where, check, cure in (
        (
            late,
            "born after the day of the report",
            phrase("A two-digit year read as the next century? Give its format."),
        ),
        (
            early,
            f"older than {schema.OLDEST}",
            phrase("A placeholder or another calendar? Set such dates to empty in the mapping."),
        ),
        (
            shared,
            "a day of birth that too many share",
            phrase("Probably typed to get on: set that day to empty."),
        ),
    ):
        if where.any():
            ranked = days.loc[where].sort_values("n", ascending=False)["day"]
            years = [phrase("born in {year}", year=int(of[:4])) for of in ranked]
            hit = int(days.loc[where, "n"].sum())
            yield Defect("customers", "birth_date", check, "validity", checked, hit, _first(years), cure)


def days_before_all_others(base: Base) -> Iterator[Defect]:
    """Rows of a clock that was never set: a few that lie a year or more before all the others."""
    for table in base:
        time = schema.TABLES[table].time
        if time is None or time not in base.columns(table):
            continue
        days = _counts(base[table].select(day=day_of(time)), "day")
        if days.empty or (start := first_of_the_bulk(days)) == days["day"].iloc[0]:
            continue
        early = days[days["day"] < start]
        text = f"{start:%Y-%m-%d}"
        rule = f'[tables.{table}.set_aside] "clock not set" = "{time} < \'{text}\'"'
        cure = phrase("Set them aside: {rule}.", rule=rule)
        keys = base[table].filter(day_of(time) < nw.lit(start.to_pydatetime()))
        yield Defect(
            *(table, time, f"long before all others, which begin on {text}", "validity"),
            *(int(days["n"].sum()), int(early["n"].sum()), _first(map(day, early["day"])), cure),
            _orders_left_out(table, keys),
        )


def numbers_out_of_line(base: Base) -> Iterator[Defect]:
    """A few amounts ten times above or below all others, and numbers that are nothing but nines."""
    for table in base:
        numbers = [c for c in schema.TABLES[table].columns if c.type == "number" and (table, c.name) not in _ANSWERS]
        for column in (c.name for c in numbers if c.name in base.columns(table)):
            yield from _out_of_line(base, table, column)


def _out_of_line(base: Base, table: str, column: str) -> Iterator[Defect]:
    value = nw.col(column)
    positive = base[table].filter(value > _ROUND_OFF)
    bins = _counts(positive.select(bin=(value.log(10) * 20).round(0).cast(nw.Int64)), "bin")
    if bins.empty:
        return
    low, high = _body(bins)
    usual = bins.loc[2 * bins["n"].cumsum() >= bins["n"].sum(), "bin"].iloc[0]
    nines = [v for v in _NINES if v > 10 ** (usual / 20 + 1)]
    suspect = {*np.rint(np.log10(nines) * 20)} | {*bins["bin"][~bins["bin"].between(low, high)]}
    if not suspect & {*bins["bin"]}:
        return  # the bins have told: no second look at the rows
    few_nines = value.is_in(nines)
    # round-off at the edge of a bin: half a bin of room
    out = (value < 10 ** ((low - 0.5) / 20)) | (value > 10 ** ((high + 0.5) / 20)) | few_nines
    found = positive.filter(out)
    values = _counts(found.select(column), column).sort_values(["n", column], ascending=[False, True])
    if values.empty or values["n"].sum() > FEW * bins["n"].sum():
        return
    examples = _first(figure(f"{v:,.15g}") for v in values[column])
    cure = phrase(
        "All others lie at {low} to {high}. A slip, a test or a placeholder? Set such rows aside in the mapping.",
        low=_rough(10 ** (low / 20)),
        high=_rough(10 ** (high / 20)),
    )
    checked, hit = int(bins["n"].sum()), int(values["n"].sum())
    yield Defect(
        *(table, column, "out of line with all others", "validity", checked, hit, examples, cure),
        _orders_left_out(table, found),
    )


def _body(bins: pd.DataFrame) -> tuple[int, int]:
    """The lowest and the highest bin of the bulk: beyond a decade without a value there are only few."""
    few = FEW * bins["n"].sum()
    below, above = bins["n"].cumsum().shift(fill_value=0), bins["n"][::-1].cumsum()[::-1].shift(-1, fill_value=0)
    gap = bins["bin"].diff()
    starts = bins.loc[(gap > 20) & (below <= few), "bin"]
    ends = bins.loc[(gap.shift(-1) > 20) & (above <= few), "bin"]
    return int(starts.max() if len(starts) else bins["bin"].min()), int(ends.min() if len(ends) else bins["bin"].max())


def scores_outside_their_scale(base: Base) -> Iterator[Defect]:
    """Scores that their instrument does not have: 11 of 10."""
    places = []
    if {"instrument", "score"} <= set(base.columns("feedback")):
        places = [("feedback", "score", i, *ends) for i, ends in _SCALES.items()]
    if "satisfaction" in base.columns("tickets"):
        places += [("tickets", "satisfaction", "", 1, 5)]
    for table, column, instrument, low, high in places:
        rows = base[table].filter(nw.col("instrument") == instrument) if instrument else base[table]
        scores = _counts(rows.select(column), column)
        outside = scores[~scores[column].between(low, high)]
        if len(outside):
            check = f"{instrument or column} runs from {low} to {high}"
            cure = phrase("What does such a value stand for? Set it to empty in the mapping if it means no answer.")
            examples = _first(figure(f"{s:g}") for s in outside[column])
            yield Defect(
                *(table, column, check, "validity", int(scores["n"].sum()), int(outside["n"].sum()), examples, cure)
            )


def ids_mangled_by_a_spreadsheet(base: Base) -> Iterator[Defect]:
    """Ids that a spreadsheet took for large numbers: 5.93E+12 stands for who knows which."""
    for table in base:
        key = schema.TABLES[table].key
        if key in base.columns(table):
            mangled = base[table].filter(nw.col(key).str.contains(r"^\d([.,]\d+)?[Ee]\+\d+$"))
            shown = _counts(mangled.select(key), key)
            if len(shown):
                cure = phrase("Export again with this column as text; the digits that are gone cannot be had back.")
                counts = _rows(base[table]), int(shown["n"].sum())
                yield Defect(table, key, "mangled by a spreadsheet", "validity", *counts, _first(shown[key]), cure)


def odd_addresses(base: Base) -> Iterator[Defect]:
    """E-mail addresses and telephone numbers that cannot be reached as they are written."""
    has = base.columns("customers")
    email = nw.col("email").str.contains(r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$")
    phone = nw.col("phone").str.replace_all(r"[^0-9۰-۹٠-٩]", "").str.len_chars().is_between(7, 15)
    for column, right in (("email", email), ("phone", phone)):
        if column in has:
            known = base["customers"].filter(~nw.col(column).is_null())
            judged = _counts(known.select(right=right), "right")
            wrong = int(judged.loc[~judged["right"].astype(bool), "n"].sum())
            if wrong:
                what = "no address" if column == "email" else "not 7 to 15 digits"
                shown = _collect(known.filter(~right).select(column).sort(column).head(_EXAMPLES))[column]
                cure = phrase("Ask for it again at the next contact; nobody can be reached by it.")
                examples = _first(map(shape, shown))
                yield Defect("customers", column, what, "validity", int(judged["n"].sum()), wrong, examples, cure)


# Uniqueness


def people_recorded_twice(base: Base) -> Iterator[Defect]:
    """Second records of a person, where they are as sure as merging asks for."""
    has = base.columns("customers")
    if not {"name", "email", "phone", "birth_date"} & set(has):
        return
    known = ("customer_id", "name", "email", "phone", "birth_date", "signup_at")
    customers = _collect(base["customers"].select([c for c in known if c in has]))
    twice = merges(customers, duplicates(customers, base.timezone))
    if len(twice):
        reasons = twice["why"].value_counts()
        cure = phrase(
            "To join them, write {rule} into the mapping; it can be undone.", rule="[duplicates] with merge = true"
        )
        mend = Mend("customers", _of_engine(base, twice[["customer_id", "merged_into"]]), "joined")
        yield Defect(
            *("customers", "", "second record of a person", "uniqueness", len(customers), len(twice)),
            *(_first(phrase("“{why}”", why=why_in_words(why)) for why in reasons.index), cure, mend),
        )


def spellings(base: Base) -> Iterator[Defect]:
    """Values that differ in capitals, spaces or marks alone, and rare ones a letter away from a common one."""
    for places in _columns_of_names(base):
        values = pd.concat([_values(base, *place).assign(table=place[0], column=place[1]) for place in places])
        catalogue = set(values.loc[values["table"] == "products", "value"])
        meant = _meant(values.groupby("value")["n"].sum(), catalogue)
        for check, right in meant.items():
            other = values[values["value"].isin(right.index)]
            for (table, column), rows in other.groupby(["table", "column"], sort=False):
                rows = rows.sort_values(["n", "value"], ascending=[False, True])
                examples = _first(phrase("“{odd}” for “{meant}”", odd=v, meant=right[v]) for v in rows["value"])
                first = rows["value"].iloc[0]
                replaced = f"replace({column}, {_quoted(first)}, {_quoted(right[first])})"
                cure = phrase("In the mapping, {rule}.", rule=f'{column} = {{ sql = "{replaced}" }}')
                at = (values["table"] == table) & (values["column"] == column)
                counts = int(values.loc[at, "n"].sum()), int(rows["n"].sum())
                yield Defect(table, column, check, "uniqueness", *counts, examples, cure)


def _columns_of_names(base: Base) -> list[list[tuple[str, str]]]:
    """Columns of names, those of the same things together."""
    joined = [[p for p in places if p[1] in base.columns(p[0])] for places in _SAME_NAMES]
    taken = {place for places in joined for place in places}
    alone = [
        [(table, c.name)]
        for table in base
        for c in schema.TABLES[table].columns
        if c.type in ("text", "list") and not c.personal and not c.values
        if c.name in base.columns(table) and (table, c.name) not in taken
    ]
    return [places for places in [*joined, *alone] if places]


def _values(base: Base, table: str, column: str) -> pd.DataFrame:
    frame = base[table].select(value=nw.col(column))
    if schema.TABLES[table].column[column].type == "list":
        frame = frame.explode("value")
    return _counts(frame, "value")


def _meant(counts: pd.Series, catalogue: set[str]) -> dict[str, pd.Series]:
    """Check → odd spelling → the spelling that is meant: of those alike the catalogue's, else the commonest."""
    ranked = counts.sort_index().sort_values(ascending=False, kind="stable")
    ranked = ranked.loc[sorted(ranked.index, key=lambda value: value not in catalogue)]
    first = pd.Series(ranked.index, index=ranked.index).groupby([folded(v) for v in ranked.index]).transform("first")
    found = {"another spelling of a value": first[first != first.index]}
    kept = ranked[first == first.index]
    if len(kept) <= MOST_VALUES:
        found["perhaps a slip of one letter"] = _one_letter_away(kept)
    return {check: right for check, right in found.items() if len(right)}


def _one_letter_away(counts: pd.Series) -> pd.Series:
    """Rare values of six letters and more that differ by one letter from a value twenty times as common."""
    words = [v for v in counts.index if len(v) >= 6 and not re.search(r"\d", v)]
    if len(words) < 2:
        return pd.Series(dtype=object)
    n = counts[words].to_numpy()
    near = process.cdist(words, words, scorer=OSA.distance, score_cutoff=1) <= 1
    near &= n[:, None] * 20 <= n[None, :]
    rare = np.flatnonzero(near.any(axis=1))
    return pd.Series([words[near[i].argmax()] for i in rare], index=[words[i] for i in rare], dtype=object)


# Consistency


def events_in_the_wrong_order(base: Base) -> Iterator[Defect]:
    """What ended before it began."""
    for table, first, last in _IN_ORDER:
        if {first, last} <= set(base.columns(table)):
            both = base[table].filter(~nw.col(first).is_null() & ~nw.col(last).is_null())
            judged = _counts(both.select(wrong=nw.col(last) < nw.col(first)), "wrong")
            if wrong := int(judged.loc[judged["wrong"].astype(bool), "n"].sum()):
                check = f"{last} lies before {first}"
                cure = phrase("Day and month exchanged, or two clocks? Compare both columns in the source.")
                yield Defect(table, last, check, "consistency", int(judged["n"].sum()), wrong, (), cure)


def orders_before_signing_up(base: Base) -> Iterator[Defect]:
    """Customers who bought on a day before the one on which they became known."""
    if "signup_at" not in base.columns("customers") or "orders" not in base:
        return
    first = base["orders"].group_by("customer_id").agg(ordered_at=nw.col("ordered_at").min())
    known = base["customers"].filter(~nw.col("signup_at").is_null()).select("customer_id", "signup_at")
    both = known.join(first, on="customer_id").select(before=day_of("ordered_at") < day_of("signup_at"))
    judged = _counts(both, "before")
    if wrong := int(judged.loc[judged["before"].astype(bool), "n"].sum()):
        cure = phrase(
            "Records made anew, or a shop joined later to the CRM? Do not measure age of a customer by {column}.",
            column=column_name("signup_at"),
        )
        check = "bought before signing up"
        yield Defect("customers", "signup_at", check, "consistency", int(judged["n"].sum()), wrong, (), cure)


def ten_times_the_usual_price(base: Base) -> Iterator[Defect]:
    """Lines at about ten times the usual price of their product: rial for toman, or a point in the wrong place."""
    if not {"product_id", "unit_price"} <= set(base.columns("order_lines")):
        return
    lines = base["order_lines"].filter((nw.col("unit_price") > 0) & ~nw.col("product_id").is_null())
    lines = lines.with_columns(bin=(nw.col("unit_price").log(10) * 20).round(0).cast(nw.Int64))
    prices = _collect(lines.group_by("product_id", "bin").agg(n=nw.len())).sort_values(["product_id", "bin"])
    if prices.empty:
        return
    high = _tenfold(prices)
    if high.empty:
        return
    wrong = lines.join(_of_engine(base, high[["product_id", "bin"]]), on=["product_id", "bin"], how="semi")
    shown = _collect(wrong.select("unit_price").unique().sort("unit_price").head(_EXAMPLES))["unit_price"]
    cure = phrase("In the mapping, divide such prices and amounts by ten, or set the orders aside.")
    yield Defect(
        *("order_lines", "unit_price", "ten times the product's usual price", "consistency"),
        *(int(prices["n"].sum()), int(high["n"].sum()), _first(figure(f"{p:,.15g}") for p in shown), cure),
        _lowered_by_nine_tenths(base, wrong),
    )


def _lowered_by_nine_tenths(base: Base, lines: nw.LazyFrame) -> Mend | None:
    has = base.columns("order_lines")
    if "amount" not in base.columns("orders") or not ({"amount"} <= set(has) or "quantity" in has):
        return None
    paid = nw.col("amount") if "amount" in has else nw.col("unit_price") * nw.col("quantity")
    excess = lines.select("order_id", excess=0.9 * paid).group_by("order_id").agg(excess=nw.col("excess").sum())
    return Mend("orders", excess, "lowered")


def _tenfold(prices: pd.DataFrame) -> pd.DataFrame:
    """Prices five to twenty times the product's median: a fifth of its lines at most, and fewer lie in between."""
    of = prices.groupby("product_id")["n"]
    total, below = of.transform("sum"), of.cumsum()
    median = prices["bin"].where(2 * below >= total).groupby(prices["product_id"]).transform("min")
    above = prices["bin"] - median  # in twentieths of a decade: 14 is five times, 26 twenty times
    high = prices[above.between(14, 26)]
    n, lines = high.groupby("product_id")["n"].transform("sum"), total[high.index]
    between = prices["n"].where(above.between(8, 13), 0).groupby(prices["product_id"]).transform("sum")[high.index]
    return high[(n <= 0.2 * lines) & (lines >= 5) & (n > between)]


def amounts_that_do_not_add_up(base: Base) -> Iterator[Defect]:
    """Orders that cost another sum than their lines, in a base where most add up."""
    if "amount" not in base.columns("order_lines") or "amount" not in base.columns("orders"):
        return
    lines = base["order_lines"].filter(~nw.col("amount").is_null())
    sums = lines.group_by("order_id").agg(lines=nw.col("amount").sum())
    both = base["orders"].filter(~nw.col("amount").is_null()).select("order_id", "amount").join(sums, on="order_id")
    judged = _counts(
        both.select(off=(nw.col("amount") - nw.col("lines")).abs() > 0.01 * nw.col("amount").abs() + 0.01), "off"
    )
    wrong, checked = int(judged.loc[judged["off"].astype(bool), "n"].sum()), int(judged["n"].sum())
    if 0 < wrong <= 0.2 * checked:  # where most differ, shipping or tax is in one of them
        cure = phrase("Shipping, vouchers, or lines that are missing? The report takes the order's own amount.")
        yield Defect("orders", "amount", "not the sum of its lines", "consistency", checked, wrong, (), cure)


def test_accounts(base: Base) -> Iterator[Defect]:
    """Customers whom the staff made up to try things."""
    has, customers = base.columns("customers"), base["customers"]
    name, email = nw.col("name").str.to_lowercase(), nw.col("email").str.to_lowercase()
    words = rf"^(?:(?:{_TEST}|{_BESIDE})[\s_.\-]*)+$"
    tests = []
    if "name" in has:
        tests.append(name.str.contains(words) & name.str.contains(_TEST))
    if "email" in has:
        tests.append(email.str.contains(r"^(?:test|tester|testing|demo)[._\-]?\d*@"))
    if not tests:
        return
    found = customers.filter(nw.any_horizontal(*tests, ignore_nulls=True))
    if hit := _rows(found):
        rule = '[tables.customers.set_aside] "test account" = "name ILIKE \'test%\'"'
        cure = phrase("Set them aside: {rule}.", rule=rule)
        mend = Mend("customers", found.select("customer_id"))
        yield Defect("customers", "name", "test account", "consistency", _rows(customers), hit, (), cure, mend)


# Timeliness


def tables_that_stopped(base: Base) -> Iterator[Defect]:
    """Whether each table reaches up to the day of the report: one that stopped earlier was exported earlier."""
    for table in base:
        _, last = span(base, table)
        if last and table != "campaigns":
            late = (base.as_of - last).days
            if late > STALE_DAYS and late > _longest_silence(base, table):
                check = f"stops {late} days before {base.as_of}"
                cure = phrase("Export it again: what looks like customers falling silent may be a file that ended.")
                time = schema.TABLES[table].time
                yield Defect(table, time, check, "timeliness", 1, 1, (phrase("last on {day}", day=day(last)),), cure)


def silent_days(base: Base) -> Iterator[Defect]:
    """Days in a row without a single order, where the usual pace would have brought many."""
    if "orders" not in base:
        return
    days = _counts(base["orders"].select(day=day_of("ordered_at")), "day")
    gaps = days["day"].diff().dt.days
    pace = days["n"].rolling(60, min_periods=1, center=True).median()
    silent = days.assign(missing=gaps - 1, start=days["day"].shift() + timedelta(days=1))
    silent = silent[(gaps > 7) & (gaps < 366) & ((gaps - 1) * pace > MISSED)]
    if silent.empty:
        return
    spanned = int((days["day"].max() - days["day"].min()).days) + 1
    ends = silent["day"] - timedelta(days=1)
    spans = zip(silent["start"], ends, strict=True)
    shown = _first(phrase("{low} to {high}", low=day(first), high=day(last)) for first, last in spans)
    cure = phrase("Was the shop closed, or is the export short of these days?")
    missing = int(silent["missing"].sum())
    yield Defect("orders", "ordered_at", "days without an order", "timeliness", spanned, missing, shown, cure)


#: In the order in which they are made.
CHECKS = (
    *(empty_cells, rows_set_aside),
    *(
        unreadable_cells,
        mixed_alphabets,
        impossible_births,
        days_before_all_others,
        numbers_out_of_line,
        scores_outside_their_scale,
    ),
    *(ids_mangled_by_a_spreadsheet, odd_addresses, people_recorded_twice, spellings),
    *(events_in_the_wrong_order, orders_before_signing_up, ten_times_the_usual_price, amounts_that_do_not_add_up),
    *(test_accounts, tables_that_stopped, silent_days),
)


def folded(value: str) -> str:
    """A value without what does not tell names apart: capitals, keyboards' letters, spaces, hyphens, dots, quotes.

    Examples
    --------
    >>> folded("GTX Pro") == folded("GTXPro"), folded("کتاب\u200cفروشي") == folded("کتاب فروشی")
    (True, True)
    >>> folded("size 1-2") == folded("size 12"), folded("C++") == folded("C")
    (False, False)
    """
    text = ar_to_fa(unicodedata.normalize("NFKC", value).casefold())
    return re.sub(r"(?<!\d)[\s\u200b-\u200f\-_.,'’\"«»]+|[\s\u200b-\u200f\-_.,'’\"«»]+(?!\d)", "", text)


def where(row) -> str:
    """The place of a defect, as a reader finds it: table.column, or the table for whole rows."""
    table = named(row.table, "table")
    return phrase("{table}.{column}", table=table, column=column_name(row.column)) if row.column else table


def check_in_words(check: str) -> str:
    """What is wrong, as readers are told.

    Examples
    --------
    >>> check_in_words("stops 40 days before 2026-03-20")
    'stops 40 days before 2026-03-20'
    """
    if check.startswith(_ASIDE):
        return phrase("set aside: {reason}", reason=reason_in_words(check.removeprefix(_ASIDE)))
    return retold(check, _SAID)


def shape(text: str) -> str:
    """A personal value as an example: only which signs stand where.

    Examples
    --------
    >>> shape("Sara@mail"), shape("0912 345")
    ('aaaa@aaaa', '9999 999')
    """
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", text))[:24]


def _orders_left_out(table: str, rows: nw.LazyFrame) -> Mend | None:
    if table not in ("orders", "order_lines"):
        return None
    return Mend("orders", rows.select("order_id").unique())


def _collect(frame: nw.LazyFrame) -> pd.DataFrame:
    return frame.collect("pandas").to_native()


def _rows(frame: nw.LazyFrame) -> int:
    return int(_collect(frame.select(n=nw.len()))["n"].iloc[0])


def _counts(frame: nw.LazyFrame, column: str) -> pd.DataFrame:
    """Each value of a column with its rows ``n``, empty cells left out, in the order of the values."""
    counted = _collect(frame.filter(~nw.col(column).is_null()).group_by(column).agg(n=nw.len()))
    return counted.sort_values(column, ignore_index=True)


def _of_engine(base: Base, frame: pd.DataFrame) -> nw.LazyFrame:
    """A small table beside the base's own."""
    return nw.from_native(base.db.from_df(frame))


def _first(examples) -> tuple[str, ...]:
    return tuple(dict.fromkeys(examples))[:_EXAMPLES]


def _rough(number: float) -> str:
    """Two digits that count.

    Examples
    --------
    >>> _rough(79432823.5), _rough(0.01)
    ('79,000,000', '0.01')
    """
    return figure(f"{float(f'{number:.2g}'):,.15g}")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _longest_silence(base: Base, table: str) -> int:
    """Most days between two successive days of a table; 0 for a single day."""
    days = _counts(base[table].select(day=day_of(schema.TABLES[table].time)), "day")["day"]
    return int(days.diff().dt.days.max()) if len(days) > 1 else 0
