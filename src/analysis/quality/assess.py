"""Every defect of a base in one table, worst first, with what it bends; and the same in sentences.

A defect is bad when a headline moves without it. The headlines are therefore computed anew for the base as it would be
mended: without the orders of a test account, with a tenth of an amount in rial, with two records of a person joined.
"""

import narwhals as nw
import numpy as np
import pandas as pd

from analysis.evidence import percent, short
from analysis.locale import column_name, named, of, retold
from analysis.phrases import counted, marked, phrase, spoken, translated
from analysis.quality.checks import Defect, Mend, PutBack, all_defects, check_in_words, where
from analysis.quality.headlines import HEADLINES, headlines
from analysis.sources import Base
from analysis.sources.accounts import reason_in_words

COLUMNS = ("table", "column", "dimension", "check", "checked", "defects", "share", "moves", "bends", "examples", "cure")

#: The smallest change of a headline that is told: by a thousandth, or of a share by a tenth of a point.
TOLD = 0.001

#: Which figures of a profile rest on a column, where nobody would guess it from its name.
RESTS_ON = {
    ("customers", "birth_date"): marked("age, age bands"),
    ("customers", "email"): marked("whom e-mails reach, who is recorded twice"),
    ("customers", "phone"): marked("whom calls and texts reach, who is recorded twice"),
    ("customers", "signup_at"): marked("who was a customer when, acquisition over time"),
    ("orders", "channel"): marked("used channel"),
    ("orders", "payment_method"): marked("usual payment method"),
    ("orders", "discount"): marked("discount share, price sensitivity"),
    ("orders", "branch"): marked("branches against each other"),
    ("order_lines", "product_id"): marked("categories, brands, price level"),
    ("order_lines", "quantity"): marked("price level"),
    ("order_lines", "unit_price"): marked("price level"),
    ("products", "category"): marked("favourite category, how widely they buy"),
    ("products", "brand"): marked("loyalty to brands"),
    ("products", "name"): marked("what is bought together"),
    ("touchpoints", "channel"): marked("contacts by channel"),
    ("touchpoints", "stage"): marked("the journey's stages"),
    ("feedback", "score"): marked("last NPS, mean satisfaction"),
    ("feedback", "topic"): marked("what customers praise and complain of"),
    ("tickets", "topic"): marked("what customers complain of"),
    ("tickets", "closed_at"): marked("how long an answer takes"),
    ("deals", "customer_id"): marked("deals and win rate of companies"),
    ("deals", "product"): marked("which product is won"),
    ("deals", "closed_at"): marked("how long a deal takes"),
}


def assess(base: Base) -> pd.DataFrame:
    """What is wrong with the data, in one table: how much of it, what it bends, what to do.

    Parameters
    ----------
    base : Base

    Returns
    -------
    DataFrame, worst first: what moves a headline most, then by share
        ``table``, ``column`` (empty for whole rows), ``dimension`` (completeness, validity, uniqueness, consistency or
        timeliness), ``check`` (what is wrong), ``checked`` (rows or cells), ``defects`` (of those), ``share`` (0 to 1),
        ``moves`` (the largest change of a headline once mended: relative, of shares in points over 100; NaN where none
        could be computed), ``bends`` (which figures, from what to what), ``examples`` (at most three, which name
        nobody), ``cure``. Every canonical column that the base has is there with its completeness, save those in which
        an empty cell has a meaning of its own.
    """
    found = all_defects(base)
    bent = _bends(base, found)
    rows = []
    for number, d in enumerate(found):
        moved = bent[bent["number"] == number]
        share = d.defects / d.checked if d.checked else 0.0
        moves = float(moved["change"].abs().max()) if len(moved) else np.nan
        text = _in_words(moved, base.currency) if len(moved) else translated(RESTS_ON.get((d.table, d.column), ""))
        told = (d.table, d.column, d.dimension, d.check, d.checked, d.defects, share, moves)
        rows.append((*told, text if d.defects else "", phrase(", ").join(d.examples), d.cure))
    table = pd.DataFrame(rows, columns=COLUMNS)
    order = table.assign(worst=table["moves"].fillna(0.0))
    order = order.sort_values(
        ["worst", "share", "table", "column", "check"], ascending=[False, False, True, True, True]
    )
    return table.loc[order.index].reset_index(drop=True)


def bends(base: Base) -> pd.DataFrame:
    """Every headline as it is, and as it would be were a defect mended.

    Returns
    -------
    DataFrame, one row per defect that can be mended and headline
        ``table``, ``column``, ``check``, ``headline``, ``as_it_is``, ``mended``, ``change`` (relative; of a share the
        difference).
    """
    found = all_defects(base)
    bent = _bends(base, found)
    where = pd.DataFrame([(d.table, d.column, d.check) for d in found], columns=["table", "column", "check"])
    return where.join(bent.set_index("number"), how="inner").reset_index(drop=True)


def completeness(quality: pd.DataFrame) -> pd.DataFrame:
    """Share of filled cells per table and column, emptiest first: columns ``table``, ``column``, ``filled``."""
    cells = quality[quality["check"] == "empty"]
    return cells.assign(filled=1 - cells["share"])[["table", "column", "filled"]].sort_values(
        ["filled", "table", "column"], ignore_index=True
    )


def findings(base: Base, quality: pd.DataFrame) -> list[str]:
    """What a reader of the report should know about the data, in sentences with their figures."""
    accounts = base.accounts[~base.accounts["derived"].astype(bool)]
    sentences = [" ".join(_rows_in_words(base, accounts))]
    sentences += _most_common_reason(base, accounts)
    if joined := len(base.customer_merges):
        sentences.append(
            phrase("{n:,} second records of a person were joined with the first, as the mapping asks for.", n=joined)
        )
    for row in quality[quality["moves"] >= 0.01].head(3).itertuples():
        told = {"place": where(row), "check": check_in_words(row.check), "bends": row.bends}
        told |= {"defects": row.defects, "checked": row.checked}
        sentences.append(phrase("{place}: {check} ({defects:,} of {checked:,}). Mended: {bends}.", **told))
    holes = completeness(quality).query("table == 'customers' and filled < 0.5")
    if len(holes):
        shares = [f"{column_name(h.column)} ({percent(h.filled)})" for h in holes.head(4).itertuples()]
        listed = phrase(", ").join(shares)
        sentences.append(phrase("Known of fewer than half of the customers: {columns}.", columns=listed))
    stale = quality[quality["check"].str.startswith("stops ")]
    return [*sentences, *(_stopped_in_words(row) for row in stale.itertuples())]


def worst(quality: pd.DataFrame, most: int = 12) -> pd.DataFrame:
    """The defects as a reader wants them on one page: what is wrong and how much of it, what it bends, what to do."""
    defects = quality[(quality["defects"] > 0) & (quality["check"] != "empty")].head(most)
    rows = [
        (
            _defect_in_words(d) + (phrase(", e.g. {examples}", examples=d.examples) if d.examples else ""),
            d.bends if pd.isna(d.moves) else phrase("mended: {bends}", bends=d.bends),
            d.cure,
        )
        for d in defects.itertuples()
    ]
    return pd.DataFrame(rows, columns=[marked("what is wrong"), marked("what it bends"), marked("what to do")])


def page(quality: pd.DataFrame, most: int = 25) -> list[str]:
    """The defects as lines for a terminal, worst first, and in one line how full the columns are."""
    defects = quality[(quality["defects"] > 0) & (quality["check"] != "empty")]
    lines = ["Defects, worst first:"] if len(defects) else ["No defect was found."]
    for row in defects.head(most).itertuples():
        lines.append(f"  {_defect_in_words(row)}")
        lines += [f"      {label} {text}" for label, text in _more(row) if text]
    if len(defects) > most:
        lines.append(f"  … and {len(defects) - most} more, which weigh less")
    holes = completeness(quality).query("filled < 1")
    emptiest = ", ".join(f"{h.table}.{h.column} {percent(h.filled)} filled" for h in holes.head(5).itertuples())
    return [*lines, f"Empty cells: in {len(holes)} columns" + (f"; emptiest: {emptiest}" if emptiest else "")]


def _rows_in_words(base: Base, accounts: pd.DataFrame) -> list[str]:
    """How many rows were read and set aside, and which tables were made from them."""
    aside = int(accounts.loc[accounts["reason"] != "", "rows"].sum())
    tables = counted(accounts["table"].nunique(), "table")
    text = phrase(
        "{read:,} rows in {tables} were read; {aside:,} were set aside.",
        read=int(accounts["rows"].sum()),
        tables=tables,
        aside=aside,
    )
    made = [named(table, "table") for table in sorted(set(base.accounts["table"]) - set(accounts["table"]))]
    if not made:
        return [text]
    return [text, phrase("From them {tables} were made.", tables=of(spoken()).enumerated(made))]


def _most_common_reason(base: Base, accounts: pd.DataFrame) -> list[str]:
    """The commonest reason for setting rows aside, if any were."""
    aside = accounts[accounts["reason"] != ""].sort_values(["rows", "reason"], ascending=[False, True])
    if aside.empty:
        return []
    most = aside.iloc[0]
    rows = int(base.accounts.loc[base.accounts["table"] == most["table"], "rows"].sum())
    told = {"reason": reason_in_words(most["reason"]), "table": named(most["table"], "table")}
    told |= {"n": most["rows"], "rows": rows, "share": percent(most["rows"] / rows)}
    return [phrase("Most common reason: {reason} ({n:,} of {rows:,} rows of {table}, {share}).", **told)]


def _stopped_in_words(row) -> str:
    early = retold(row.check.removeprefix("stops "), (marked("{days} days before {day}"),))
    return phrase(
        "{table} stops early: {last}, {early}.", table=named(row.table, "table"), last=row.examples, early=early
    )


def _defect_in_words(row) -> str:
    return f"{where(row)}: {check_in_words(row.check)} ({_of(row)})"


def _of(row) -> str:
    share = percent(row.defects / row.checked, 1)
    return phrase("{n:,} of {all:,}, {share}", n=row.defects, all=row.checked, share=share)


def _more(row) -> tuple:
    return ("e.g.", row.examples), ("bends" if pd.isna(row.moves) else "mended:", row.bends), ("cure:", row.cure)


def _bends(base: Base, found: list[Defect]) -> pd.DataFrame:
    """Headlines as they are and mended, for every defect that can be mended, by its number."""
    as_it_is, rows = None, []
    for number, d in enumerate(found):
        if d.mend is None:
            continue
        as_it_is = as_it_is or headlines(base["customers"], base.get("orders"), base.as_of)
        mended = _put_back(as_it_is, d.mend) if isinstance(d.mend, PutBack) else _mended(base, d.mend)
        for name in as_it_is.keys() & mended.keys():
            rows.append((number, name, as_it_is[name], mended[name], _change(name, as_it_is[name], mended[name])))
    columns = ["number", "headline", "as_it_is", "mended", "change"]
    order = {name: n for n, name in enumerate(HEADLINES)}
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("headline", key=lambda names: names.map(order), kind="stable").sort_values(
        "number", kind="stable", ignore_index=True
    )


def _mended(base: Base, mend: Mend) -> dict[str, float]:
    """The headlines of the base without the defect."""
    customers, orders = base["customers"], base.get("orders")
    if mend.table == "customers":
        customers = customers.join(mend.keys, on="customer_id", how="anti")
    if orders is None:
        return headlines(customers, None, base.as_of)
    key = "order_id" if mend.table == "orders" else "customer_id"
    if mend.how == "left out":
        return headlines(customers, orders.join(mend.keys, on=key, how="anti"), base.as_of)
    orders = orders.join(mend.keys, on=key, how="left")
    if mend.how == "lowered":
        excess = nw.when(nw.col("excess").is_null()).then(nw.lit(0.0)).otherwise(nw.col("excess"))
        return headlines(customers, orders.with_columns(amount=nw.col("amount") - excess), base.as_of)
    whose = nw.when(nw.col("merged_into").is_null()).then(nw.col("customer_id")).otherwise(nw.col("merged_into"))
    return headlines(customers, orders.with_columns(customer_id=whose), base.as_of)


def _put_back(as_it_is: dict[str, float], aside: PutBack) -> dict[str, float]:
    """The headlines that need no more than a sum, with the rows that were set aside."""
    if "revenue" not in as_it_is:
        return {}
    purchases = as_it_is["purchases"] + aside.orders
    bought = as_it_is["mean order value"] * as_it_is["purchases"] + aside.amount
    found = {"purchases": purchases, "revenue": as_it_is["revenue"] + aside.amount}
    return found | {"mean order value": bought / purchases}


def _change(headline: str, as_it_is: float, mended: float) -> float:
    if HEADLINES[headline] == "share":
        return mended - as_it_is
    return mended / as_it_is - 1 if as_it_is else 0.0


def _in_words(moved: pd.DataFrame, currency: str) -> str:
    """The two headlines that move most, from what to what."""
    told = moved[moved["change"].abs() >= TOLD]
    if told.empty:
        return phrase("no headline by a thousandth")
    told = told.loc[told["change"].abs().sort_values(ascending=False, kind="stable").index].head(2)
    return phrase("; ").join(_from_to(row, currency) for row in told.itertuples())


def _from_to(row, currency: str) -> str:
    """A headline as it is and mended; where both read alike, by how much it changes."""
    before, after = (written(row.headline, figure) for figure in (row.as_it_is, row.mended))
    name = phrase(row.headline)
    if before == after:
        sign = "+" if row.change > 0 else ""
        return phrase("{headline} {change}", headline=name, change=sign + percent(row.change, 1))
    after = written(row.headline, row.mended, currency)
    return phrase("{headline} {before} → {after}", headline=name, before=before, after=after)


def written(headline: str, figure: float, currency: str = "") -> str:
    """A headline's figure as a reader expects it.

    Examples
    --------
    >>> written("buyers who bought once", 0.345), written("revenue", 1234567.8, "toman")
    ('34.5 %', '1.23 million toman')
    """
    kind = HEADLINES[headline]
    if kind == "share":
        return percent(figure, 1)
    if kind == "amount":
        return f"{short(figure)} {named(currency, 'currency')}".rstrip()
    return phrase("{n:,.0f} days", n=figure) if kind == "days" else phrase("{n:,.0f}", n=figure)
