"""Figures of the data themselves: rows kept and set aside, what is filled, orders over time."""

import datetime

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.errors import require_columns
from analysis.evidence import percent, short
from analysis.locale import column_name, first_day, month_name, month_of, named, of, year_of
from analysis.phrases import from_the_right, phrase, spoken
from analysis.plots.canvas import (
    ACCENT,
    GREY,
    PALE,
    QUIET,
    amount_axis,
    canvas,
    counted,
    elided,
    finish,
    grid,
    heading,
    label_bars,
    listing,
    name_of,
    nothing_to_show,
    ranked_axis,
    room,
    share_axis,
    time_axis,
    wrapped,
    write,
)


def row_accounts(accounts: pd.DataFrame, source: str | None = None) -> Axes:
    """How many rows of every table were kept, and why the others were set aside.

    Parameters
    ----------
    accounts : DataFrame, columns table, reason (empty for the rows kept), rows
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(row_accounts(pd.DataFrame({"table": ["orders", "orders"], "reason": ["", "no date"],
    ...                                  "rows": [990, 10]})).get_title())
    1 % of 1,000 rows were set aside, most for “no date” (10 rows of orders)
    """
    if accounts.empty or not accounts["rows"].sum():
        return nothing_to_show(phrase("no rows were read"))
    require_columns("row_accounts", accounts.columns, ["table", "reason", "rows"])
    accounts = accounts.assign(reason=accounts["reason"].fillna("").astype(str))
    aside = accounts[accounts["reason"] != ""].sort_values(["rows", "reason"], ascending=[False, True])
    aside = aside[aside["rows"] > 0]
    rows = accounts.groupby("table", sort=False)["rows"].sum()
    lost = aside.groupby("table")["rows"].sum().reindex(rows.index, fill_value=0)
    total = int(rows.sum())
    title = phrase("All {n:,} rows were kept", n=total) if total > 1 else phrase("The one row was kept")
    if len(aside):
        most = aside.iloc[0]
        title = phrase(
            "{share} of {n:,} rows were set aside, most for “{reason}” ({rows} of {table})",
            share=percent(lost.sum() / total),
            n=total,
            reason=elided(most["reason"], 60),
            rows=counted(most["rows"], "row"),
            table=named(most["table"], "table"),
        )
    texts = [_kept_in_words(n, n - lost[table], aside[aside["table"] == table]) for table, n in rows.items()]
    axes = canvas(rows=1.35 * len(rows))
    y = np.arange(len(rows))
    share = (lost / rows.where(rows > 0)).fillna(0).to_numpy()
    # A sliver too thin to see would read as nothing set aside.
    seen = np.where(share > 0, np.maximum(share, 0.008), 0)
    axes.barh(y, 1 - seen, color=GREY, height=0.5)
    axes.barh(y, seen, left=1 - seen, color=ACCENT, height=0.5)
    label_bars(axes, y, np.ones(len(y)), [wrapped(t, 0.5) for t in texts], size=8)
    ranked_axis(axes, [name_of(t) for t in rows.index])
    share_axis(axes, phrase("share of rows kept; set aside in amber"))
    axes.set_xlim(0, 1)
    told = phrase("; ").join(f"{named(t, 'table')}: {text}" for t, text in zip(rows.index, texts, strict=True))
    notes = phrase("n = {rows} read", rows=counted(total, "row"))
    return finish(axes, title, phrase("Bars by table. {values}", values=told), notes, source)


def _kept_in_words(n: int, kept: int, aside: pd.DataFrame) -> str:
    """How many rows of a table were kept, and why the others were not."""
    if aside.empty:
        return phrase("{kept:,} of {n:,} kept", kept=kept, n=n)
    reasons = [phrase("{n:,} {reason}", n=r.rows, reason=elided(r.reason, 40)) for r in aside.itertuples()]
    return phrase("{kept:,} of {n:,} kept; set aside: {reasons}", kept=kept, n=n, reasons=phrase(", ").join(reasons))


def completeness(quality: pd.DataFrame, source: str | None = None) -> Axes:
    """How full the columns are, the emptiest first; the complete ones are only counted.

    Parameters
    ----------
    quality : DataFrame, columns table, column, filled (share of cells with a value, 0 to 1)
    source : where the figures come from, for the last line

    Examples
    --------
    >>> print(completeness(pd.DataFrame({"table": ["customers"] * 2, "column": ["city", "income"],
    ...                                  "filled": [1.0, 0.25]})).get_title())
    1 of 2 columns is less than half filled; the emptiest is income of customers, 25 % filled
    """
    if quality.empty:
        return nothing_to_show(phrase("no columns were checked"))
    require_columns("quality", quality.columns, ["table", "column", "filled"])
    quality = quality.dropna(subset="filled").sort_values(["filled", "table", "column"])
    n, gaps = len(quality), quality[quality["filled"] < 1]
    if gaps.empty:
        full = phrase("all {columns} are completely filled", columns=counted(n, "column"))
        return nothing_to_show(full if n else phrase("the tables have no rows"))
    shown = gaps.head(20)
    more = [phrase("{n:,} fuller columns", n=len(gaps) - 20)] if len(gaps) > 20 else []
    more += [counted(n - len(gaps), "complete column")] if n > len(gaps) else []
    more = of(spoken()).enumerated(more)
    axes = canvas(rows=0.8 * (len(shown) + bool(more)))
    y, filled = np.arange(len(shown)), shown["filled"].to_numpy()
    axes.barh(y, 1, color=PALE, height=0.6)
    axes.barh(y, filled, color=[ACCENT if f < 0.5 else GREY for f in filled], height=0.6)
    places = [(column_name(c), named(t, "table")) for t, c in zip(shown["table"], shown["column"], strict=True)]
    labels = [elided(f"{column} · {table}", room(0.3)) for column, table in places]
    ranked_axis(axes, labels + [""] * bool(more))
    label_bars(axes, y, np.ones(len(y)), [percent(f) for f in filled])
    if more:
        label_bars(axes, [len(shown)], [0], [phrase("… and {more}", more=more)], colour=QUIET)
    share_axis(axes, phrase("share of cells with a value"))
    axes.set_xlim(0, 1)
    names = [phrase("{table}.{column}", table=table, column=column) for column, table in places]
    drawn = phrase(
        "Bars by column, emptiest first: {values}", values=listing(zip(names, map(percent, filled), strict=True))
    )
    drawn = phrase("{drawn}; and {more}", drawn=drawn, more=more) if more else drawn
    tables = counted(quality["table"].nunique(), "table")
    notes = phrase("n = {columns} of {tables}", columns=counted(n, "column"), tables=tables)
    return finish(axes, _emptiest_in_words(gaps, n), drawn, notes, source)


def _emptiest_in_words(gaps: pd.DataFrame, n: int) -> str:
    """How many columns are thin, and which is the emptiest."""
    thin, worst = int((gaps["filled"] < 0.5).sum()), gaps.iloc[0]
    told = {"n": thin, "columns": counted(n, "column"), "share": percent(worst["filled"])}
    told |= {"column": elided(column_name(worst["column"]), 30), "table": named(worst["table"], "table")}
    if thin == 0:
        return phrase("No column is less than half filled; the emptiest is {column} of {table}, {share} filled", **told)
    if thin == 1:
        return phrase(
            "{n} of {columns} is less than half filled; the emptiest is {column} of {table}, {share} filled", **told
        )
    return phrase(
        "{n} of {columns} are less than half filled; the emptiest is {column} of {table}, {share} filled", **told
    )


def orders_over_time(
    monthly: pd.DataFrame, currency: str = "", as_of: datetime.date | None = None, source: str | None = None
) -> Axes:
    """Orders month by month, and what they brought: the last year against the year before.

    Parameters
    ----------
    monthly : DataFrame, columns month (any day in it), orders, amount (in the base's currency; may be left out)
    currency : name of the currency, for the axis
    as_of : last day that the data cover; when it is not a month's last day, that month is drawn paler and not compared
    source : where the figures come from, for the last line

    Returns
    -------
    Axes
        Of the orders; those of the amounts are below it in the same figure.

    Examples
    --------
    >>> months = pd.date_range("2022-01-01", periods=24, freq="MS")
    >>> table = pd.DataFrame({"month": months, "orders": [100] * 12 + [110] * 12})
    >>> print(orders_over_time(table).get_title())
    10 % more orders in the last 12 full months than in the 12 before: 1,320 against 1,200
    """
    if monthly.empty:
        return nothing_to_show(phrase("there are no orders"))
    require_columns("monthly", monthly.columns, ["month", "orders"])
    month = pd.to_datetime(monthly["month"].astype(str)).map(month_of)
    measures = ["orders", *(["amount"] if "amount" in monthly.columns and monthly["amount"].any() else [])]
    table = monthly[measures].groupby(month).sum()
    table = table.reindex(range(table.index.min(), table.index.max() + 1), fill_value=0)
    last = table.index[-1]
    days, of_days = _days_of(last, as_of) if as_of and month_of(as_of) == last else (0, 0)
    part = days < of_days
    full = table[:-1] if part else table
    compared = len(full) >= 24
    colours = np.full(len(table), GREY, dtype=object)
    if compared:
        colours[len(full) - 12 : len(full)] = ACCENT
    if part:
        colours[-1] = PALE
    axes, *below = np.atleast_1d(canvas(height=4.6 if len(measures) == 2 else 3.2, panels=len(measures)))
    for panel, measure in zip([axes, *below], measures, strict=True):
        _monthly_bars(panel, table[measure], colours, full[measure] if compared else None)
        heading(panel, phrase("orders a month") if measure == "orders" else _amounts_of(currency))
    time_axis(axes)
    notes = phrase("n = {orders}", orders=counted(table["orders"].sum(), "order"))
    if part:
        pale = phrase("{month} (palest) has only {n} of {all} days", month=_month(last), n=days, all=of_days)
        notes += phrase("; ") + pale
    span = {"first": _month(table.index[0]), "last": _month(last)}
    drawn = phrase("Bars by month from {first} to {last}, orders", **span)
    if below:
        drawn = phrase("Bars by month from {first} to {last}, orders above and amounts below", **span)
    return finish(axes, _trend_in_words(full["orders"], table["orders"]), drawn, notes, source)


def _monthly_bars(axes: Axes, values: pd.Series, colours, full: pd.Series | None) -> None:
    """Bars by month; with `full`, lines at the averages of its last twelve months and the twelve before."""
    axes.bar(range(len(values)), values.to_numpy(float), width=0.8, color=colours)
    axes.set_xticks(*_month_ticks(values.index))
    axes.set_xlim(-0.6, max(len(values), 6) - 0.4)
    amount_axis(axes.yaxis)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    grid(axes, "y")
    if full is None:
        return
    axes.margins(y=0.2)
    for start, colour, side in ((len(full) - 24, QUIET, "right"), (len(full) - 12, ACCENT, "left")):
        part = full[start : start + 12]
        at = start - 0.4 if side == "left" else start + 11.2
        axes.plot([start - 0.4, start + 11.4], [part.mean()] * 2, color="white", lw=3)
        axes.plot([start - 0.4, start + 11.4], [part.mean()] * 2, color=colour, lw=1.5)
        write(
            axes,
            phrase("average {n}", n=short(part.mean())),
            (at, max(part.max(), 0)),
            ha={"left": "right", "right": "left"}[side] if from_the_right() else side,
            offset=(0, 3),
            color=colour,
            size=8,
            weight="bold",
        )


def _month_ticks(months: pd.Index):
    """Places and names of about ten months: the year stands under the first and every January, or alone."""
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if len(months) / s <= room(1) / 9), 120)
    fits = months % step == 0
    at = np.flatnonzero(fits) if fits.any() else np.array([0])
    if step >= 12:
        return at, [year_of(m) for m in months[at]]
    short_names = [month_name(m) if from_the_right() else month_name(m)[:3] for m in months[at]]
    years = [f"\n{year_of(m)}" if m % 12 == 0 or not i else "" for i, m in enumerate(months[at])]
    return at, [name + year for name, year in zip(short_names, years, strict=True)]


def _trend_in_words(full: pd.Series, all_months: pd.Series) -> str:
    if len(full) >= 24 and full[-24:-12].sum():
        return _change_in_words(full[-12:].sum(), full[-24:-12].sum())
    if len(full) >= 2:
        told = {"average": short(full.mean()), "most": full.max(), "month": _month(full.idxmax())}
        if all_months.max() <= full.max():
            return phrase("{average} orders a month on average; most in {month}, {most:,.0f}", **told)
        told |= {"most": all_months.max(), "month": _month(all_months.idxmax())}
        return phrase("{average} orders a month on average; more in {month}, which is not over: {most:,.0f}", **told)
    first, last = _month(all_months.index[0]), _month(all_months.index[-1])
    orders = counted(all_months.sum(), "order")
    if first == last:
        return phrase("{orders} in {month}", orders=orders, month=first)
    return phrase("{orders} from {first} to {last}", orders=orders, first=first, last=last)


def _change_in_words(after: float, before: float) -> str:
    """The last twelve full months against the twelve before."""
    change, sums = after / before - 1, {"after": after, "before": before}
    if round(abs(change), 3) == 0:
        return phrase(
            "As many orders in the last 12 full months as in the 12 before: {after:,.0f} against {before:,.0f}", **sums
        )
    if change >= 2:
        return phrase(
            "{times:.1f} times as many orders in the last 12 full months as in the 12 before: "
            "{after:,.0f} against {before:,.0f}",
            times=after / before,
            **sums,
        )
    if change > 0:
        return phrase(
            "{share} more orders in the last 12 full months than in the 12 before: {after:,.0f} against {before:,.0f}",
            share=percent(change),
            **sums,
        )
    return phrase(
        "{share} fewer orders in the last 12 full months than in the 12 before: {after:,.0f} against {before:,.0f}",
        share=percent(-change),
        **sums,
    )


def _days_of(month: int, day: datetime.date) -> tuple[int, int]:
    """How many days of a month there are up to a day, and in all."""
    begins = first_day(month)
    return (day - begins).days + 1, (first_day(month + 1) - begins).days


def _amounts_of(currency: str) -> str:
    if not currency:
        return phrase("amount a month")
    return phrase("amount a month, {currency}", currency=named(currency, "currency"))


def _month(month: int) -> str:
    return f"{month_name(month)} {year_of(month)}"
