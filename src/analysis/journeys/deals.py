"""Which way do deals go, stage by stage, and who wins more of them than others?

Takes a base with the table `deals` and, where it has them, `deal_stages` and the industries of `customers`. Gives the
deals' events for a funnel, the order of their stages, and win rates by owner, industry, source and product.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import evidence
from analysis.errors import Problem, did_you_mean, require_columns
from analysis.expressions import collected, table_until
from analysis.journeys.shares import interval, ratio, with_corrected_differences
from analysis.locale import named
from analysis.phrases import phrase
from analysis.schema import DEAL_OUTCOMES

#: What deals are compared by.
SPLITS = ("owner", "industry", "source", "product")

#: Groups with fewer decided deals are left out: a rate of four deals says nothing of a group, much of four deals.
MIN_SIZE = 5

#: How a deal ends, which is no stage of it.
ENDS = ("won", "lost")

#: Days within which wins are counted where no loss is recorded: a quarter, for which sales are usually planned.
WITHIN_DAYS = 90

_NEEDED = ("deal_id", "outcome", "created_at", "closed_at")

EVENT_COLUMNS = ["deal_id", "customer_id", "occurred_at", "event", "value", "owner", "source", "industry", "product"]
WIN_RATE_COLUMNS = ["split", "group", "n", "won", "rate", "low", "high", "n_elsewhere", "elsewhere", "difference"]
WIN_RATE_COLUMNS += ["difference_low", "difference_high", "p", "p_corrected", "effect", "differs"]


class WinRates(NamedTuple):
    """Win rates by group, and what may be said about them.

    Attributes
    ----------
    table : DataFrame, one row per split and group
    won, n : int, deals won, of how many judged
    words : str
    """

    table: pd.DataFrame
    won: int
    n: int
    words: str


class Deals(NamedTuple):
    """The deals as they stood on a day.

    Attributes
    ----------
    table : DataFrame, one row per deal, by deal_id
        deal_id, customer_id, created_at, closed_at, outcome, amount, owner, source, product, industry; empty where the
        base has no such column.
    entries : DataFrame, one row per deal and stage entered
        deal_id, stage, entered_at; without the entries that say how the deal ended.
    end : Timestamp or NaT
        Until when the deals were seen.
    """

    table: pd.DataFrame
    entries: pd.DataFrame
    end: pd.Timestamp


def deal_events(base: Mapping[str, IntoFrame], as_of: date | None = None) -> pd.DataFrame:
    """What happened to each deal, when: the stages it entered, and that it was won or lost.

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
        ``deals`` with deal_id, created_at, closed_at and outcome; ``deal_stages``, or else a deal's first event is
        that it was "created".
    as_of : date, optional
        Last day to look at; the base's own when left out, or else all there is.

    Returns
    -------
    DataFrame, one row per event, by deal and time
        ``deal_id``, ``customer_id``, ``occurred_at``, ``event`` (a stage, "won" or "lost"), ``value`` (amount of the
        deal, in the base's currency), ``owner``, ``source``, ``industry``, ``product``. A table of events for
        :func:`funnel` with ``per="deal_id"``.

    Raises
    ------
    Problem
        No deals, a column missing, or an outcome that is none.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["d"], "created_at": pd.to_datetime(["2025-03-01"]), "outcome": ["won"],
    ...                       "closed_at": pd.to_datetime(["2025-03-09"])})
    >>> deal_events({"deals": deals})["event"].tolist()
    ['created', 'won']
    """
    deals = deals_until(base, as_of)
    entered = deals.entries.rename(columns={"stage": "event", "entered_at": "occurred_at"})
    if entered.empty:
        entered = _moments(deals.table, "created_at").assign(event="created")
    ended = deals.table[deals.table["outcome"].isin(ENDS)]
    ended = _moments(ended, "closed_at").assign(event=ended["outcome"])
    events = pd.concat([entered, ended], ignore_index=True).dropna(subset="occurred_at")
    place = {name: i for i, name in enumerate([*stage_order(events), *ENDS])}
    events = events.assign(place=events["event"].map(place)).sort_values(["deal_id", "occurred_at", "place"])
    told = deals.table.rename(columns={"amount": "value"}).drop(columns=["created_at", "closed_at", "outcome"])
    return events.merge(told, on="deal_id")[EVENT_COLUMNS].astype({"event": "str"})


def stage_order(events: pd.DataFrame) -> list[str]:
    """The stages of deals in the order in which deals run through them.

    Parameters
    ----------
    events : DataFrame, columns deal_id, occurred_at, event
        As from :func:`deal_events`; "won" and "lost" are no stages.

    Returns
    -------
    list of str
        By the median place among the stages that a deal entered, each counted where it was first entered; of equal
        medians the lower mean comes first, of equal means the first by name. With "won" behind them, the steps of a
        funnel.

    Examples
    --------
    >>> at = pd.to_datetime(["2025-03-01", "2025-03-05", "2025-03-02", "2025-03-09"])
    >>> stage_order(pd.DataFrame({"deal_id": [*"aaba"], "occurred_at": at, "event": ["lead", "offer", "lead", "won"]}))
    ['lead', 'offer']
    """
    require_columns("The table of events", events.columns, ["deal_id", "occurred_at", "event"])
    stages = events[~events["event"].isin(ENDS)]
    first = stages.groupby(["deal_id", "event"], sort=True)["occurred_at"].min().reset_index()
    # stages entered at one moment share their place
    first["place"] = first.groupby("deal_id")["occurred_at"].rank(method="average")
    places = first.groupby("event")["place"].agg(["median", "mean"]).round(9).reset_index()
    return places.sort_values(["median", "mean", "event"])["event"].tolist()


def win_rates(
    base: Mapping[str, IntoFrame],
    by: Sequence[str] | None = None,
    as_of: date | None = None,
    within_days: float | None = None,
) -> WinRates:
    """Who wins more of their deals than all others, and is that more than chance?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
        ``deals`` with deal_id, outcome and what to compare by; the industry comes from ``customers``.
    by : sequence of str, optional
        Of `SPLITS`; all that the base has when left out.
    as_of : date, optional
        As for :func:`deal_events`.
    within_days : float, optional
        Compare the shares won within so many days of coming up, of all deals that were seen for as long, decided or
        not; for this the base needs created_at and closed_at. When left out, the decided deals are compared, and where
        no loss is recorded `WITHIN_DAYS` hold.

    Returns
    -------
    table : DataFrame, one row per split and group, by split and name
        ``split``, ``group``; ``n`` judged deals, five or more, ``won`` of them; ``rate`` = won / n with its 95 % Wilson
        interval ``low``, ``high``; ``n_elsewhere`` and ``elsewhere``, the rate of all other groups together;
        ``difference`` of the two with ``difference_low``, ``difference_high``, ``p``, ``p_corrected``; ``effect``,
        Cohen's h; ``differs`` (bool).
    won, n : int
        Of all judged deals.
    words : str
        Who stands out in each split; that nobody does is an answer.

    Raises
    ------
    Problem
        As for :func:`deal_events`; a split that is unknown or that the base does not have.

    Notes
    -----
    p values are corrected after Holm over all groups of all splits, and the intervals of the differences are widened
    to hold together (Bonferroni). A best and a worst owner there always is: of twenty who all win 40 % of ten deals
    each, the luckiest wins seven. Interval and correction keep such luck from standing out, as the limits of a funnel
    plot do (Spiegelhalter 2005, Statistics in Medicine 24:1185). Groups of fewer than five deals are left out, from
    "elsewhere" too. Cohen's h is the difference of the arcsines (Cohen 1988). Of decided deals: where wins take longer
    than losses, whoever began lately looks worse than they are; `within_days` is fair to them.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": range(80), "outcome": ["won"] * 30 + ["lost"] * 50,
    ...                       "owner": ["Sara", "Omid"] * 40})
    >>> print(win_rates({"deals": deals}).words)
    By owner: no one stands out (2 compared).
    """
    timed = within_days is not None
    deals = deals_until(base, as_of, need=_NEEDED if timed else _NEEDED[:2])
    known = [c for c in SPLITS if deals.table[c].notna().any()]
    splits = known if by is None else [_known_split(c, known) for c in ([by] if isinstance(by, str) else by)]
    if not timed and deals.table["created_at"].notna().any() and not (deals.table["outcome"] == "lost").any():
        within_days = WITHIN_DAYS
    judged = _decided(deals.table) if within_days is None else _seen_for(deals, within_days)
    table = _judged(pd.concat([_counts(judged, split) for split in splits or SPLITS[:1]], ignore_index=True))
    return WinRates(table, int(judged["won"].sum()), len(judged), _words(judged, table, splits, within_days))


def with_open_deals(funnel: pd.DataFrame) -> pd.DataFrame:
    """The funnel of deals, with those not decided yet as open rather than lost.

    Parameters
    ----------
    funnel : DataFrame, as from :func:`funnel` without a window, its first step that a deal came up

    Returns
    -------
    DataFrame
        At the first step nobody is ``lost`` and nothing is at stake; who went no further is ``censored``. Its ``rate``
        stays that of all, as far as the data go.

    Examples
    --------
    >>> funnel = pd.DataFrame({"step": ["created", "decided", "won"], "lost": [7, 2, None], "censored": [0, 0, None],
    ...                        "lost_value": [70.0, 20.0, None]})
    >>> with_open_deals(funnel)[["lost", "censored"]].fillna(0).astype(int).values.tolist()
    [[0, 7], [2, 0], [0, 0]]
    """
    table, first = funnel.copy(), funnel.index[:1]
    table.loc[first, "censored"] = table.loc[first, "censored"] + table.loc[first, "lost"]
    table.loc[first, [c for c in table if c.startswith("lost")]] = 0
    return table


def deals_until(
    base: Mapping[str, IntoFrame],
    as_of: date | None = None,
    need: Sequence[str] = _NEEDED,
) -> Deals:
    """The deals as they stood at the end of a day; what happened later has not happened."""
    if "deals" not in base:
        raise Problem(f"This needs the table deals, which the base does not have. It has: {', '.join(base) or 'none'}.")
    as_of = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of or getattr(base, "as_of", None)
    frames = {name: nw.from_native(base[name]).lazy() for name in ("deals", "deal_stages", "customers") if name in base}
    require_columns("deals", frames["deals"].collect_schema(), need)
    if as_of is not None:
        frames = {name: table_until(frame, name, as_of) for name, frame in frames.items()}
    table = _deals(frames)
    entries = _entries(frames, table)
    if as_of is not None:
        return Deals(table, entries, pd.Timestamp(as_of, tz=_zone(table)) + pd.DateOffset(days=1))
    return Deals(table, entries, max(table["created_at"].max(), table["closed_at"].max(), entries["entered_at"].max()))


_KNOWN_OF_A_DEAL = ("customer_id", "created_at", "closed_at", "amount", "owner", "source", "product")


def _deals(frames: Mapping[str, nw.LazyFrame]) -> pd.DataFrame:
    """One row per deal with a known outcome, whatever the order and repetition of the rows."""
    has = frames["deals"].collect_schema().names()
    table = collected(frames["deals"].select("deal_id", "outcome", *(c for c in _KNOWN_OF_A_DEAL if c in has)))
    for column in _KNOWN_OF_A_DEAL:
        if column not in table:
            table[column] = pd.NaT if column.endswith("_at") else None if column != "amount" else np.nan
    zone = _zone(table)
    table = table.dropna(subset="deal_id").astype({"deal_id": "str"}).assign(
        outcome=_outcomes(table["outcome"]), created_at=_instants(table, "created_at", zone),
        closed_at=_instants(table, "closed_at", zone), amount=_numbers(table["amount"]),
    )  # fmt: skip
    table["closed_at"] = table["closed_at"].where(table["outcome"] != "open")  # what is to come has not come yet
    table = table.sort_values(["deal_id", "created_at", "closed_at", "outcome", "amount"], kind="stable")
    table = table.drop_duplicates("deal_id", ignore_index=True)
    return table.assign(industry=_industry(frames, table["customer_id"]))


def _entries(frames: Mapping[str, nw.LazyFrame], table: pd.DataFrame) -> pd.DataFrame:
    """Stages that deals entered before they ended, each once, by deal and time."""
    if "deal_stages" not in frames:
        return pd.DataFrame({"deal_id": table["deal_id"][:0], "stage": "", "entered_at": table["created_at"][:0]})
    require_columns("deal_stages", frames["deal_stages"].collect_schema(), ["deal_id", "stage", "entered_at"])
    entries = collected(frames["deal_stages"].select("deal_id", "stage", "entered_at").unique()).dropna()
    entries = entries.astype({"deal_id": "str", "stage": "str"}).assign(
        entered_at=_instants(entries, "entered_at", _zone(table))
    )
    entries = entries.merge(table[["deal_id", "closed_at"]], on="deal_id")
    over = entries["entered_at"] >= entries["closed_at"]
    # a stage that nobody entered before the deal was decided ("closed won") says how it ended
    an_end = entries["stage"].str.casefold().isin(ENDS) | over.groupby(entries["stage"]).transform("all")
    kept = entries[~an_end & ~(entries["entered_at"] > entries["closed_at"])]
    return kept.drop(columns="closed_at").sort_values(["deal_id", "entered_at", "stage"], ignore_index=True)


def _outcomes(column: pd.Series) -> pd.Series:
    """Outcomes as the schema writes them; a deal without one is open."""
    plain = column.fillna("open").astype("str").str.strip().str.casefold()
    unknown = column[~plain.isin(DEAL_OUTCOMES)]
    if len(unknown):
        found = sorted(unknown.astype(str).unique())
        raise Problem(
            f'deals has the outcome "{found[0]}" in {(unknown == found[0]).sum():,} rows.'
            f"{did_you_mean(found[0], DEAL_OUTCOMES)} An outcome is won, lost or open: replace it."
        )
    return plain


def _instants(table: pd.DataFrame, column: str, zone) -> pd.Series:
    """The column as instants like those of the table's other columns; empty ones where nothing is known."""
    times = table[column]
    kind = pd.DatetimeTZDtype("us", zone) if zone is not None else np.dtype("datetime64[us]")
    known = times.dropna()
    if known.empty:
        return pd.Series(pd.NaT, index=times.index, dtype=kind)
    if isinstance(known.iloc[0], date) and not isinstance(known.iloc[0], pd.Timestamp):
        times = pd.to_datetime(times)
    if not pd.api.types.is_datetime64_any_dtype(times):
        raise Problem(
            f"{column} of the deals holds text or numbers ({known.iloc[0]!r}), not instants. "
            "Convert it first, for instance with pandas.to_datetime."
        )
    if (times.dt.tz is None) != (zone is None):
        raise Problem(f"{column} of the deals has a timezone where other times have none, or none where they have one.")
    return times.astype(kind)


def _numbers(amounts: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(amounts).astype("float64")
    except (ValueError, TypeError) as e:
        raise Problem(f"The amount of a deal is no number ({e}). Convert the column, or make such cells empty.") from e


def _zone(table: pd.DataFrame):
    """The timezone of the deals' times, none where they have none."""
    times = (table[c] for c in ("created_at", "closed_at") if pd.api.types.is_datetime64_any_dtype(table[c]))
    return next((t.dt.tz for t in times if t.dt.tz is not None), None)


def _industry(frames: Mapping[str, nw.LazyFrame], customer: pd.Series) -> pd.Series:
    """The industry of each deal's customer; empty where none is known."""
    if "customers" not in frames or "industry" not in frames["customers"].collect_schema():
        return pd.Series(None, index=customer.index, dtype="object")
    known = collected(frames["customers"].select("customer_id", "industry")).dropna()
    known = known.sort_values(["customer_id", "industry"]).drop_duplicates("customer_id")
    return customer.map(known.set_index("customer_id")["industry"])


def _moments(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table[["deal_id", column]].rename(columns={column: "occurred_at"})


def _known_split(split: str, known: list[str]) -> str:
    if split not in SPLITS:
        raise Problem(f'Deals cannot be compared by "{split}".{did_you_mean(split, SPLITS)} By: {", ".join(SPLITS)}.')
    if split not in known:
        raise Problem(f"This base does not say the {split} of its deals. It has: {', '.join(known) or 'none'}.")
    return split


def _decided(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["outcome"].isin(ENDS)].assign(won=lambda d: d["outcome"] == "won")


def _seen_for(deals: Deals, days: float) -> pd.DataFrame:
    """Deals that came up so many days before the end or earlier, and whether they were won within these days."""
    if not days > 0:
        raise Problem(f"within_days is {days}. It must be above 0; leave it out to compare decided deals.")
    length, table = pd.Timedelta(days=days), deals.table
    seen = table[table["created_at"] + length <= deals.end]
    took = seen["closed_at"] - seen["created_at"]
    return seen.assign(won=(seen["outcome"] == "won") & (took >= pd.Timedelta(0)) & (took <= length))


def _counts(judged: pd.DataFrame, split: str) -> pd.DataFrame:
    """Won of judged deals, in each group that is large enough and in all such others together."""
    counts = judged.dropna(subset=split).groupby(split)["won"].agg(["sum", "size"])
    counts = counts[counts["size"] >= MIN_SIZE]
    won, n = counts["sum"].to_numpy("int64"), counts["size"].to_numpy("int64")
    table = pd.DataFrame({"split": split, "group": counts.index.astype("str"), "k": won, "n": n})
    return table.assign(k_elsewhere=won.sum() - won, n_elsewhere=n.sum() - n)


def _words(judged: pd.DataFrame, table: pd.DataFrame, splits: list[str], within_days: float | None) -> str:
    if judged["won"].nunique() < 2:
        return phrase("All deals that can be judged ended alike, or there are none: there are no win rates to compare.")
    if not splits:
        return phrase("Nothing is known of the deals by which they could be compared.")
    verdicts = [_verdict(table[table["split"] == split], split) for split in splits]
    if within_days is not None:
        verdicts.insert(0, phrase("Won within {days:g} days, of all deals seen for as long.", days=within_days))
    return " ".join(verdicts)


def _judged(counts: pd.DataFrame) -> pd.DataFrame:
    counts = counts.assign(rate=ratio(counts["k"], counts["n"]), won=counts["k"])
    counts["low"], counts["high"] = interval(counts["k"], counts["n"])
    table = with_corrected_differences(counts)
    angle = 2 * np.arcsin(np.sqrt(table["rate"])) - 2 * np.arcsin(np.sqrt(table["elsewhere"]))
    table = table.assign(effect=angle).astype({"split": "str", "group": "str"})
    return table[WIN_RATE_COLUMNS].sort_values(["split", "group"], ignore_index=True)


def _verdict(table: pd.DataFrame, split: str) -> str:
    said = {"split": evidence.in_words(split), "n": len(table)}
    if len(table) < 2:
        return phrase(
            "By {split}: nothing to compare, as fewer than two have {n} deals.", split=said["split"], n=MIN_SIZE
        )
    out = table[table["differs"]].sort_values(["p_corrected", "group"])
    if out.empty:
        return phrase("By {split}: no one stands out ({n:,} compared).", **said)
    groups = phrase(", ").join(_rate_in_words(row) for row in out.head(3).itertuples())
    if len(out) == 1:
        return phrase("By {split}: {group} stands out, of {n:,} compared.", group=groups, **said)
    if len(out) <= 3:
        return phrase("By {split}: {groups} stand out, of {n:,} compared.", groups=groups, **said)
    more = len(out) - 3
    return phrase(
        "By {split}: {groups} and {more:,} more stand out, of {n:,} compared.", groups=groups, more=more, **said
    )


def _rate_in_words(row) -> str:
    return phrase(
        "{group} ({share} of {n:,}, all others {elsewhere})",
        group=named(row.group, row.split),
        share=evidence.percent(row.rate),
        n=row.n,
        elsewhere=evidence.percent(row.elsewhere),
    )
