"""Figures of the data themselves: rows kept and set aside, what is filled, orders over time."""

import calendar
import datetime

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.errors import require_columns
from analysis.evidence import percent, short
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
        return nothing_to_show("no rows were read")
    require_columns("row_accounts", accounts.columns, ["table", "reason", "rows"])
    accounts = accounts.assign(reason=accounts["reason"].fillna("").astype(str))
    aside = accounts[accounts["reason"] != ""].sort_values(["rows", "reason"], ascending=[False, True])
    aside = aside[aside["rows"] > 0]
    rows = accounts.groupby("table", sort=False)["rows"].sum()
    lost = aside.groupby("table")["rows"].sum().reindex(rows.index, fill_value=0)
    total = int(rows.sum())
    title = f"All {total:,} rows were kept" if total > 1 else "The one row was kept"
    if len(aside):
        most = aside.iloc[0]
        title = (
            f"{percent(lost.sum() / total)} of {total:,} rows were set aside, most for "
            f"“{elided(most['reason'], 60)}” ({counted(most['rows'], 'row')} of {most['table']})"
        )
    texts = []
    for table, n in rows.items():
        reasons = [f"{r.rows:,} {elided(r.reason, 40)}" for r in aside[aside["table"] == table].itertuples()]
        texts.append(f"{n - lost[table]:,} of {n:,} kept" + ("; set aside: " + ", ".join(reasons) if reasons else ""))
    axes = canvas(rows=1.35 * len(rows))
    y = np.arange(len(rows))
    share = (lost / rows.where(rows > 0)).fillna(0).to_numpy()
    # A sliver too thin to see would read as nothing set aside.
    seen = np.where(share > 0, np.maximum(share, 0.008), 0)
    axes.barh(y, 1 - seen, color=GREY, height=0.5)
    axes.barh(y, seen, left=1 - seen, color=ACCENT, height=0.5)
    label_bars(axes, y, np.ones(len(y)), [wrapped(t, 0.5) for t in texts], size=8)
    ranked_axis(axes, [name_of(t) for t in rows.index])
    share_axis(axes, "share of rows kept; set aside in amber")
    axes.set_xlim(0, 1)
    drawn = "Bars by table. " + "; ".join(f"{t}: {text}" for t, text in zip(rows.index, texts, strict=True))
    return finish(axes, title, drawn, f"n = {counted(total, 'row')} read", source)


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
        return nothing_to_show("no columns were checked")
    require_columns("quality", quality.columns, ["table", "column", "filled"])
    quality = quality.dropna(subset="filled").sort_values(["filled", "table", "column"])
    n, gaps = len(quality), quality[quality["filled"] < 1]
    if gaps.empty:
        return nothing_to_show(f"all {counted(n, 'column')} are completely filled" if n else "the tables have no rows")
    thin, worst, shown = int((gaps["filled"] < 0.5).sum()), gaps.iloc[0], gaps.head(20)
    opening = f"{thin} of {counted(n, 'column')} {'is' if thin == 1 else 'are'}" if thin else "No column is"
    title = (
        f"{opening} less than half filled; the emptiest is {elided(worst['column'], 30)} of {worst['table']}, "
        f"{percent(worst['filled'])} filled"
    )
    more = [f"{len(gaps) - 20} fuller columns"] if len(gaps) > 20 else []
    more += [counted(n - len(gaps), "complete column")] if n > len(gaps) else []
    axes = canvas(rows=0.8 * (len(shown) + bool(more)))
    y, filled = np.arange(len(shown)), shown["filled"].to_numpy()
    axes.barh(y, 1, color=PALE, height=0.6)
    axes.barh(y, filled, color=[ACCENT if f < 0.5 else GREY for f in filled], height=0.6)
    labels = [elided(f"{c} · {t}", room(0.3)) for t, c in zip(shown["table"], shown["column"], strict=True)]
    ranked_axis(axes, labels + [""] * bool(more))
    label_bars(axes, y, np.ones(len(y)), [percent(f) for f in filled])
    if more:
        label_bars(axes, [len(shown)], [0], ["… and " + " and ".join(more)], colour=QUIET)
    share_axis(axes, "share of cells with a value")
    axes.set_xlim(0, 1)
    values = listing((f"{t}.{c}", percent(f)) for t, c, f in shown[["table", "column", "filled"]].to_numpy())
    drawn = f"Bars by column, emptiest first: {values}" + ("; and " + " and ".join(more) if more else "")
    return finish(
        axes, title, drawn, f"n = {counted(n, 'column')} of {counted(quality['table'].nunique(), 'table')}", source
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
        return nothing_to_show("there are no orders")
    require_columns("monthly", monthly.columns, ["month", "orders"])
    month = pd.to_datetime(monthly["month"].astype(str)).dt.to_period("M")
    measures = ["orders", *(["amount"] if "amount" in monthly.columns and monthly["amount"].any() else [])]
    table = monthly[measures].groupby(month).sum()
    table = table.reindex(pd.period_range(table.index.min(), table.index.max(), freq="M"), fill_value=0)
    last = table.index[-1]
    days, of_days = (as_of.day, last.days_in_month) if as_of and pd.Period(as_of, "M") == last else (0, 0)
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
        unit = ("amount a month" + (f", {currency}" if currency else "")) if measure == "amount" else "orders a month"
        heading(panel, unit)
    notes = f"n = {counted(table['orders'].sum(), 'order')}"
    if part:
        notes += f"; {_month(last)} (palest) has only {days} of {of_days} days"
    drawn = f"Bars by month from {_month(table.index[0])} to {_month(last)}, orders"
    drawn += " above and amounts below" if below else ""
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
            f"average {short(part.mean())}",
            (at, max(part.max(), 0)),
            ha=side,
            offset=(0, 3),
            color=colour,
            size=8,
            weight="bold",
        )


def _month_ticks(months: pd.PeriodIndex):
    """Places and names of about ten months: the year stands under the first and every January, or alone."""
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if len(months) / s <= room(1) / 9), 120)
    fits = (months.month - 1) % step == 0 if step < 12 else (months.month == 1) & (months.year % (step // 12) == 0)
    at = np.flatnonzero(fits) if fits.any() else np.array([0])
    names = [
        str(m.year) if step >= 12 else calendar.month_abbr[m.month] + (f"\n{m.year}" if m.month == 1 or not i else "")
        for i, m in enumerate(months[at])
    ]
    return at, names


def _trend_in_words(full: pd.Series, all_months: pd.Series) -> str:
    if len(full) >= 24 and full[-24:-12].sum():
        after, before = full[-12:].sum(), full[-24:-12].sum()
        change = after / before - 1
        word = "more" if change > 0 else "fewer"
        size = (
            f"{percent(abs(change))} {word} orders" if abs(change) < 2 else f"{after / before:.1f} times as many orders"
        )
        if round(abs(change), 3) == 0:
            return f"As many orders in the last 12 full months as in the 12 before: {after:,.0f} against {before:,.0f}"
        size += (
            " in the last 12 full months than in the 12 before"
            if abs(change) < 2
            else (" in the last 12 full months as in the 12 before")
        )
        return f"{size}: {after:,.0f} against {before:,.0f}"
    if len(full) >= 2:
        most = f"most in {_month(full.idxmax())}, {full.max():,.0f}"
        if all_months.max() > full.max():
            most = f"more in {_month(all_months.idxmax())}, which is not over: {all_months.max():,.0f}"
        return f"{short(full.mean())} orders a month on average; {most}"
    first, last = _month(all_months.index[0]), _month(all_months.index[-1])
    return f"{counted(all_months.sum(), 'order')} " + (f"in {first}" if first == last else f"from {first} to {last}")


def _month(period: pd.Period) -> str:
    return f"{calendar.month_name[period.month]} {period.year}"
