"""Every defect of a base in one table, worst first, with what it bends; and the same in sentences.

A defect is bad when a headline moves without it. The headlines are therefore computed anew for the base as it would be
mended: without the orders of a test account, with a tenth of an amount in rial, with two records of a person joined.
"""

import narwhals as nw
import numpy as np
import pandas as pd

from analysis.evidence import percent, short
from analysis.quality.checks import Defect, Mend, PutBack, all_defects, where
from analysis.quality.headlines import HEADLINES, headlines
from analysis.sources import Base

COLUMNS = ("table", "column", "dimension", "check", "checked", "defects", "share", "moves", "bends", "examples", "cure")

#: The smallest change of a headline that is told: by a thousandth, or of a share by a tenth of a point.
TOLD = 0.001

#: Which figures of a profile rest on a column, where nobody would guess it from its name.
RESTS_ON = {
    ("customers", "birth_date"): "age, age bands",
    ("customers", "email"): "whom e-mails reach, who is recorded twice",
    ("customers", "phone"): "whom calls and texts reach, who is recorded twice",
    ("customers", "signup_at"): "who was a customer when, acquisition over time",
    ("orders", "channel"): "used channel",
    ("orders", "payment_method"): "usual payment method",
    ("orders", "discount"): "discount share, price sensitivity",
    ("orders", "branch"): "branches against each other",
    ("order_lines", "product_id"): "categories, brands, price level",
    ("order_lines", "quantity"): "price level",
    ("order_lines", "unit_price"): "price level",
    ("products", "category"): "favourite category, how widely they buy",
    ("products", "brand"): "loyalty to brands",
    ("products", "name"): "what is bought together",
    ("touchpoints", "channel"): "contacts by channel",
    ("touchpoints", "stage"): "the journey's stages",
    ("feedback", "score"): "last NPS, mean satisfaction",
    ("feedback", "topic"): "what customers praise and complain of",
    ("tickets", "topic"): "what customers complain of",
    ("tickets", "closed_at"): "how long an answer takes",
    ("deals", "customer_id"): "deals and win rate of companies",
    ("deals", "product"): "which product is won",
    ("deals", "closed_at"): "how long a deal takes",
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
        text = _in_words(moved, base.currency) if len(moved) else RESTS_ON.get((d.table, d.column), "")
        told = (d.table, d.column, d.dimension, d.check, d.checked, d.defects, share, moves)
        rows.append((*told, text if d.defects else "", ", ".join(d.examples), d.cure))
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
    aside = accounts[accounts["reason"] != ""].sort_values(["rows", "reason"], ascending=[False, True])
    read, tables = int(accounts["rows"].sum()), accounts["table"].nunique()
    sentences = [
        f"{read:,} rows in {tables} table{'s' if tables != 1 else ''} were read; "
        f"{int(aside['rows'].sum()):,} were set aside."
    ]
    if made := sorted(set(base.accounts["table"]) - set(accounts["table"])):
        sentences[0] += f" From them {' and '.join(made)} were made."
    if len(aside):
        most = aside.iloc[0]
        of = int(base.accounts.loc[base.accounts["table"] == most["table"], "rows"].sum())
        sentences.append(
            f"Most common reason: {most['reason']} ({most['rows']:,} of {of:,} rows of {most['table']}, "
            f"{percent(most['rows'] / of)})."
        )
    if joined := len(base.customer_merges):
        sentences.append(f"{joined:,} second records of a person were joined with the first, as the mapping asks for.")
    for row in quality[quality["moves"] >= 0.01].head(3).itertuples():
        sentences.append(f"{where(row)}: {row.check} ({row.defects:,} of {row.checked:,}). Mended: {row.bends}.")
    holes = completeness(quality).query("table == 'customers' and filled < 0.5")
    if len(holes):
        named = ", ".join(f"{h.column} ({percent(h.filled)})" for h in holes.head(4).itertuples())
        sentences.append(f"Known of fewer than half of the customers: {named}.")
    stale = quality[quality["check"].str.startswith("stops ")]
    sentences += [
        f"{row.table} stops early: {row.examples}, {row.check.removeprefix('stops ')}." for row in stale.itertuples()
    ]
    return sentences


def worst(quality: pd.DataFrame, most: int = 12) -> pd.DataFrame:
    """The defects as a reader wants them on one page: what is wrong and how much of it, what it bends, what to do."""
    defects = quality[(quality["defects"] > 0) & (quality["check"] != "empty")].head(most)
    rows = [
        (
            f"{where(d)}: {d.check} ({_of(d)})" + (f", e.g. {d.examples}" if d.examples else ""),
            ("" if pd.isna(d.moves) else "mended: ") + d.bends,
            d.cure,
        )
        for d in defects.itertuples()
    ]
    return pd.DataFrame(rows, columns=["what is wrong", "what it bends", "what to do"])


def page(quality: pd.DataFrame, most: int = 25) -> list[str]:
    """The defects as lines for a terminal, worst first, and in one line how full the columns are."""
    defects = quality[(quality["defects"] > 0) & (quality["check"] != "empty")]
    lines = ["Defects, worst first:"] if len(defects) else ["No defect was found."]
    for row in defects.head(most).itertuples():
        lines.append(f"  {where(row)}: {row.check} ({_of(row)})")
        lines += [f"      {label} {text}" for label, text in _more(row) if text]
    if len(defects) > most:
        lines.append(f"  … and {len(defects) - most} more, which weigh less")
    holes = completeness(quality).query("filled < 1")
    emptiest = ", ".join(f"{h.table}.{h.column} {percent(h.filled)} filled" for h in holes.head(5).itertuples())
    return [*lines, f"Empty cells: in {len(holes)} columns" + (f"; emptiest: {emptiest}" if emptiest else "")]


def _of(row) -> str:
    return f"{row.defects:,} of {row.checked:,}, {percent(row.defects / row.checked, 1)}"


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
        return "no headline by a thousandth"
    told = told.loc[told["change"].abs().sort_values(ascending=False, kind="stable").index].head(2)
    return "; ".join(_from_to(row, currency) for row in told.itertuples())


def _from_to(row, currency: str) -> str:
    """A headline as it is and mended; where both read alike, by how much it changes."""
    before, after = (written(row.headline, figure) for figure in (row.as_it_is, row.mended))
    if before == after:
        return f"{row.headline} {'+' if row.change > 0 else ''}{percent(row.change, 1)}"
    return f"{row.headline} {before} → {written(row.headline, row.mended, currency)}"


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
    unit = currency if kind == "amount" else {"days": "days"}.get(kind, "")
    return f"{short(figure) if kind == 'amount' else f'{figure:,.0f}'} {unit}".rstrip()
