"""The reports of the parts of a base side by side: how large is each, what does it earn, and does it differ?

Takes the runs of all parts; gives the page that leads to them, with the figures of each, their intervals and which of
them differ from everybody else's by more than chance.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from analysis import evidence, locale, report
from analysis.evidence import percent, percent_range, short
from analysis.journeys import bottlenecks
from analysis.locale import named
from analysis.phrases import marked, phrase, spoken
from analysis.run import Run

#: The figures by name: heading, and what it is.
FIGURES = {
    "orders": (marked("Orders per customer"), marked("purchases of a customer, since the first")),
    "revenue": (marked("Revenue per customer"), marked("what a customer has paid, less what was given back")),
    "bought_again": (marked("Bought again"), marked("of all who have bought, who did so more than once")),
    "stayed": (marked("Stayed"), marked("of all who first bought over a year ago, who bought in the last 365 days")),
}

_SHARES = ("bought_again", "stayed")


@dataclass(frozen=True)
class Entry:
    """A part of the base: its value and customers, its folder, its run if that has figures, what failed."""

    value: str
    customers: int
    folder: str
    run: Run | None
    reason: str = ""


class LeftOut(NamedTuple):
    """Who has no report: values of fewer customers than are told, their customers; customers without a value."""

    values: int
    customers: int
    fewest: int
    without: int


def build(whole: Run, by: str, entries: list[Entry], left_out: LeftOut) -> Path:
    """Write the page that compares the reports of a divided base, whole or not at all."""
    told = figures({e.value: e.run.read("profiles") for e in entries if e.run})
    rows = [_row(entry, told[told["value"] == entry.value], by) for entry in entries]
    text = (
        report.environment()
        .get_template("comparison.html")
        .render(
            language=spoken(),
            direction=locale.of(spoken()).direction,
            title=phrase("{base}, by {field}", base=whole.about["title"], field=evidence.in_words(by)),
            as_of=locale.of(spoken()).date(whole.base.as_of),
            currency=named(whole.about["currency"], "currency"),
            field=evidence.in_words(by),
            rows=rows,
            figures=dict(FIGURES.values()),
            left_out=left_out,
            read=report.rows_sentence(_accounts(whole)),
        )
    )
    page = whole.folder / "index.html"
    part = page.with_name(".index.html.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(page)
    return page


def figures(profiles: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The figures of each part, and how they stand to everybody else's.

    Parameters
    ----------
    profiles : dict of str to DataFrame
        Value → profiles of its customers.

    Returns
    -------
    DataFrame, one row per value and figure that its profiles allow
        value; figure, a key of `FIGURES`; n, customers of whom it is known; mean, low, high, with its 95 % interval;
        differs : "more" or "less" than elsewhere beyond chance, after Holm's correction for the whole page; else "".

    Examples
    --------
    >>> few, many = (pd.DataFrame({"n_orders": n}) for n in ([1, 2, 1, 1, 2, 1], [9, 8, 9, 9, 8, 9]))
    >>> figures({"A": few, "B": many}).query("figure == 'orders'")[["value", "mean", "differs"]].round(1)
      value  mean differs
    0     A   1.3    less
    2     B   8.7    more
    """
    tables = [_of_customers(table).assign(part=value) for value, table in profiles.items()]
    if not tables:
        return pd.DataFrame(columns=["value", "figure", "n", "mean", "low", "high", "differs"])
    table = pd.concat(tables, ignore_index=True)
    compared = evidence.compare(table, "part", [f for f in FIGURES if f in table])
    sure = compared[(compared["p_corrected"] < 0.05) & ((compared["low"] > 0) | (compared["high"] < 0))]
    differs = {(r.group, r.trait): "more" if r.difference > 0 else "less" for r in sure.itertuples()}
    rows = []
    for value, part in table.groupby("part", sort=False):
        for figure in (f for f in FIGURES if f in part and part[f].notna().any()):
            known = part[figure].dropna().astype(float)
            rows.append((value, figure, len(known), *_with_interval(known, figure), differs.get((value, figure), "")))
    return pd.DataFrame(rows, columns=["value", "figure", "n", "mean", "low", "high", "differs"])


def _of_customers(profiles: pd.DataFrame) -> pd.DataFrame:
    """The figures of each customer; yes or no where it is a share, which is compared as one."""
    found = {}
    if "n_orders" in profiles:
        found["orders"] = profiles["n_orders"].astype(float)
        bought = profiles["n_orders"] > 0
        found["bought_again"] = (profiles["n_orders"] > 1).astype("boolean").where(bought)
        if {"recency_days", "first_order_at", "last_order_at"} <= set(profiles):
            between = (profiles["last_order_at"] - profiles["first_order_at"]).dt.days
            known = profiles["recency_days"] + between >= 365
            found["stayed"] = (profiles["recency_days"] < 365).astype("boolean").where(bought & known)
    if "total_spend" in profiles:
        found["revenue"] = profiles["total_spend"].astype(float)
    return pd.DataFrame(found, index=profiles.index)


def _with_interval(known: pd.Series, figure: str) -> tuple[float, float, float]:
    if figure in _SHARES:
        return (float(known.mean()), *evidence.share_interval(int(known.sum()), len(known)))
    return evidence.skewed_mean_interval(known)


def _row(entry: Entry, told: pd.DataFrame, by: str) -> dict:
    """What the page tells of a part."""
    cells = {row.figure: _cell(row) for row in told.itertuples()}
    return {
        "name": named(entry.value, by),
        "customers": entry.customers,
        "link": f"{entry.folder}/index.html" if entry.run else "",
        "cells": [cells.get(f) for f in FIGURES],
        "worst": _worst_step(entry.run) if entry.run else "",
        "reason": entry.reason,
    }


def _cell(row) -> dict:
    share = row.figure in _SHARES
    interval = ""
    if row.low == row.low:  # there is one
        low, high = short(row.low), short(row.high)
        interval = percent_range(row.low, row.high) if share else phrase("{low} to {high}", low=low, high=high)
    return {"value": percent(row.mean) if share else short(row.mean), "interval": interval, "differs": row.differs}


def _worst_step(run: Run) -> str:
    """Where most leave the first funnel of a run."""
    funnel = run.read("funnel") if run.has("funnel") else pd.DataFrame({"per": []})
    if funnel.empty:
        return ""
    everybody = funnel[(funnel["per"] == funnel["per"].iloc[0]) & funnel["persona"].isna() & (funnel["split"] == "")]
    losses = bottlenecks(everybody.reset_index(drop=True)).table
    if losses.empty or not losses["lost"].sum():
        return ""
    most = losses.loc[losses["lost"].idxmax()]
    return phrase(
        "{step} to {next_step}: {share} of all who are lost ({interval})",
        step=named(most["step"]),
        next_step=named(most["next_step"]),
        share=percent(most["share"]),
        interval=percent_range(most["low"], most["high"]),
    )


def _accounts(whole: Run) -> list[dict]:
    """The accounts of the tables that were read, as a report has them."""
    rows = whole.read("row_accounts").query("not derived")
    found = []
    for table, of_table in rows.groupby("table", sort=False):
        aside = {r.reason: int(r.rows) for r in of_table.itertuples() if r.reason}
        read = int(of_table["rows"].sum())
        kept = read - sum(aside.values())
        found.append({"table": table, "rows_in": read, "kept": kept, "set_aside": read - kept, "reasons": aside})
    return found
