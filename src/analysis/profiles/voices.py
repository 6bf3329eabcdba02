"""What do customers ask for and complain of, and what do they value against rivals?

Takes a base. `topics` counts the topics of tickets and feedback, with satisfaction and trend; `rivals` holds our
ratings against those that the same customers give to others, beside how much each attribute seems to matter. Ratings
and answers are added up by the engine; words that customers wrote are never looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.special import ndtri, stdtr, stdtrit
from scipy.stats import spearmanr

from analysis import evidence
from analysis.errors import Problem, did_you_mean, require_columns
from analysis.expressions import PARTS, midnight, table_until
from analysis.locale import month_of, named
from analysis.phrases import phrase
from analysis.schema import TABLES

#: Topics and ratings of fewer customers are not told.
FEWEST = 5

#: Customers who rate us and say how they like us, from which importance is measured against what they say.
FEWEST_FOR_IMPORTANCE = 50

ALL_RIVALS = "all rivals"


@dataclass(frozen=True)
class Rivals:
    """How customers rate us and others.

    Attributes
    ----------
    ours : str
        The brand taken for ours.
    ratings : DataFrame, one row per attribute and rival, and per attribute for "all rivals"
        attribute, rival : str; customers : int, who rate both; ours, theirs : float, mean ratings of these customers;
        value, low, high : float, ``ours - theirs`` with its interval; p, p_corrected : float; ahead : str, the brand
        that is rated better, really and by enough to matter; empty if neither is.
    importance : DataFrame, one row per attribute
        attribute : str; customers : int; ours : float, mean rating by everybody who rates us; value, low, high : float,
        rank correlation of the rating of us on the attribute with `against`. Derived, not stated: nobody was
        asked what matters, and what goes together need not be cause and effect.
    against : str
        "nps", "csat", or "the other attributes".
    said : str
        How ours was found.
    """

    ours: str
    ratings: pd.DataFrame
    importance: pd.DataFrame
    against: str
    said: str


def rivals(
    base: Mapping[str, IntoFrame], as_of: date | str | None = None, ours: str | None = None, confidence: float = 0.95
) -> Rivals:
    """On which attributes are we rated better than rivals, and on which worse, by customers who know both?

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        With `brand_ratings`; `feedback` tells what ratings matter.
    as_of : date, optional
        Last day to look at; default: the base's own.
    ours : str, optional
        Our brand's name in the ratings; default: the brand rated by most customers, of equals the first by name.
    confidence : float
        Between 0 and 1, for all of `ratings` together, and for each row of `importance`.

    Returns
    -------
    Rivals

    Raises
    ------
    Problem
        No ratings, no such brand, or only one brand.

    Notes
    -----
    Differences are of the same customers' ratings, so a mild or a harsh judge counts the same: paired t test, p values
    after Holm and intervals after Bonferroni over all rows. A brand is ahead if that is real and the mean difference at
    least 0.2 standard deviations of the differences (Cohen 1988, small). Importance is Spearman's rank correlation with
    the interval of Bonett and Wright (2000, Psychometrika 65:23), with the last NPS or else the mean CSAT where 50 of
    the raters gave one, else with the mean of the customer's other ratings of us.

    Examples
    --------
    >>> ratings = pd.DataFrame([(c, b, "price", r + c % 2) for c in range(8) for b, r in (("we", 2), ("Barg", 4))],
    ...                        columns=["customer_id", "brand", "attribute", "rating"])
    >>> rivals({"brand_ratings": ratings}, ours="we").ratings[["attribute", "rival", "ours", "theirs", "ahead"]]
      attribute       rival  ours  theirs ahead
    0     price        Barg   2.5     4.5  Barg
    1     price  all rivals   2.5     4.5  all rivals
    """
    rated = _rated(base, as_of)
    brands = rated.group_by("brand").agg(customers=nw.col("customer_id").n_unique()).collect("pandas").to_native()
    brands = brands.sort_values(["customers", "brand"], ascending=[False, True], ignore_index=True)
    if len(brands) < 2:
        raise Problem(f"brand_ratings rates {len(brands)} brands; a comparison needs ours and a rival's.")
    if ours is None:
        ours, raters = str(brands["brand"].iloc[0]), brands["customers"].iloc[0]
        said = phrase("“{brand}” is taken for ours, as most customers rate it ({n:,}).", brand=named(ours), n=raters)
    elif ours not in set(brands["brand"]):
        there = ", ".join(brands["brand"])
        raise Problem(f'brand_ratings has no brand "{ours}".{did_you_mean(ours, brands["brand"])} It has: {there}.')
    else:
        said = phrase("“{brand}” was named as ours.", brand=named(ours))
    importance, against = _importance(base, rated, as_of, ours, confidence)
    return Rivals(ours, _against_rivals(rated, ours, confidence), importance, against, said)


def topics(base: Mapping[str, IntoFrame], as_of: date | str | None = None, confidence: float = 0.95) -> pd.DataFrame:
    """What tickets and feedback are about: how many customers, how satisfied, more or less often than a year before.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        With `tickets` or `feedback`, and a topic in it.
    as_of : date, optional
        Last day to look at; default: the base's own.
    confidence : float
        Between 0 and 1: of shares and scores one by one, of the trends all together.

    Returns
    -------
    DataFrame, one row per source and topic, the commonest first
        source : "tickets", or the instrument of the feedback; topic : str; rows, customers : int.
        value, low, high : float, share of all customers of whom there is such a row (Wilson).
        score, score_low, score_high : float, mean satisfaction or score, with an interval that counts customers.
        year, year_before : float, share of the customers who were active (an order, contact, ticket or answer) in the
        last 365 days, and in the 365 before; NaN where the base does not reach back so far.
        trend, trend_low, trend_high, p, p_corrected : float, their difference (Newcombe, Holm over all rows).
        moved : "up", "down" or "", beyond chance.
        Topics of fewer than five customers are together "other topics", and left out if these are still fewer.

    Raises
    ------
    Problem
        There is neither table, or no topic in either.

    Notes
    -----
    The years are compared as if their customers were different ones. Many are the same and tend to write again, so that
    the interval of a trend is rather too wide.

    Examples
    --------
    >>> day = pd.Timestamp("2024-03-01", tz="UTC")
    >>> about = ["late delivery"] * 5 + ["price"] * 3
    >>> tickets = pd.DataFrame({"customer_id": range(8), "opened_at": day, "topic": about})
    >>> topics({"tickets": tickets}, "2024-12-31")[["source", "topic", "rows", "customers", "value"]]
        source          topic  rows  customers  value
    0  tickets  late delivery     5          5  0.625
    """
    as_of = _day_of(base, as_of)
    if as_of is None:
        raise Problem("topics needs as_of, the last day to look at, e.g. as_of=date(2026, 3, 20).")
    spoken = [part for part in (_tickets(base, as_of), _feedback(base, as_of)) if part is not None]
    if not spoken:
        raise Problem(f"topics needs tickets or feedback with a topic. The base has: {', '.join(base)}.")
    each = pd.concat(spoken, ignore_index=True)  # one row per source, topic and customer
    active = _active(base, as_of)
    everybody = len(active)
    customers = each.groupby(["source", "topic"])["customer_id"].transform("nunique")
    each["topic"] = each["topic"].where(customers >= FEWEST, "other topics")
    rows = [_topic(*name, of, everybody, active, confidence) for name, of in each.groupby(["source", "topic"])]
    table = pd.DataFrame([row for row in rows if row["customers"] >= FEWEST])
    if table.empty:
        raise Problem(f"No topic was raised by {FEWEST} customers or more.")
    table = table.sort_values(["customers", "source", "topic"], ascending=[False, True, True], ignore_index=True)
    return _with_trends(table, confidence)


def nps_by_year(
    base: Mapping[str, IntoFrame], as_of: date | str | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Would they recommend us: the net promoter score of every year, from each customer's last answer in it.

    A year is one of the readers' calendar: in Persian it begins with Farvardin.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        With `feedback`.
    as_of : date, optional
        Last day to look at; default: the base's own.
    confidence : float
        Of each interval.

    Returns
    -------
    DataFrame, one row per year with five answers and more
        group : str, the year; customers : int; value, low, high : float, points from −100 to 100
        (:func:`analysis.evidence.nps`).

    Examples
    --------
    >>> day = pd.Timestamp("2024-03-01", tz="UTC")
    >>> scores = [10] * 6 + [3] * 4
    >>> answers = pd.DataFrame({"customer_id": range(10), "given_at": day, "instrument": "nps", "score": scores})
    >>> nps_by_year({"feedback": answers})[["group", "customers", "value"]]
      group  customers  value
    0  2024         10   20.0
    """
    columns = ["customer_id", "given_at", "instrument", "score"]
    answers = _seen(base, "feedback", _day_of(base, as_of), columns).filter(
        (nw.col("instrument") == "nps") & ~nw.col("score").is_null()
    )
    given = answers.select("customer_id", "score", at="given_at").collect("pandas").to_native()
    days = given["at"].dt.date
    given["year"] = days.map({day: month_of(day) // 12 for day in days.unique()})
    in_order = given.sort_values(["at", "score"], ascending=[True, False])
    last = in_order.drop_duplicates(["customer_id", "year"], keep="last")
    years = {year: of["score"] for year, of in last.groupby("year") if len(of) >= FEWEST}
    rows = [(str(year), len(scores), *evidence.nps(scores, confidence)) for year, scores in years.items()]
    return pd.DataFrame(rows, columns=["group", "customers", "value", "low", "high"])


def _rated(base: Mapping[str, IntoFrame], as_of: date | str | None) -> nw.LazyFrame:
    """One rating (in parts) per customer, brand and attribute: the mean, where somebody rated more than once."""
    if "brand_ratings" not in base:
        raise Problem(f"rivals needs a table of brand_ratings. The base has: {', '.join(base)}.")
    columns = ["customer_id", "brand", "attribute", "rating"]
    frame = _seen(base, "brand_ratings", _day_of(base, as_of), columns).drop_nulls(columns)
    parts = frame.select("customer_id", "brand", "attribute", parts=_in_parts("rating"))
    sums = parts.group_by("customer_id", "brand", "attribute").agg(total=nw.col("parts").sum(), n=nw.len())
    rating = (nw.col("total") / nw.col("n")).round(0).cast(nw.Int64)
    return sums.with_columns(rating=rating).select("customer_id", "brand", "attribute", "rating")


def _against_rivals(rated: nw.LazyFrame, ours: str, confidence: float) -> pd.DataFrame:
    """Paired differences per attribute and rival, and for all rivals together."""
    mine = rated.filter(nw.col("brand") == ours).select("customer_id", "attribute", mine="rating")
    others = rated.filter(nw.col("brand") != ours)
    means = others.group_by("customer_id", "attribute").agg(rating=nw.col("rating").mean())
    together = means.with_columns(rating=nw.col("rating").round(0).cast(nw.Int64), brand=nw.lit(ALL_RIVALS))
    columns = ["customer_id", "attribute", "brand", "rating"]
    pairs = nw.concat([others.select(columns), together.select(columns)]).join(mine, on=["customer_id", "attribute"])
    pairs = pairs.with_columns(d=nw.col("mine") - nw.col("rating"))
    pairs = pairs.with_columns(square=nw.col("d") * nw.col("d"))
    sums = {c: nw.col(c).sum() for c in ("mine", "rating", "d", "square")}
    found = pairs.group_by("attribute", "brand").agg(n=nw.len(), **sums).collect("pandas").to_native()
    found = found[found["n"] >= FEWEST].assign(last=found["brand"] == ALL_RIVALS)
    return _judged(found.sort_values(["attribute", "last", "brand"], ignore_index=True), ours, confidence)


def _judged(sums: pd.DataFrame, ours: str, confidence: float) -> pd.DataFrame:
    """Means, intervals and verdicts from the sums of ratings and differences."""
    n, d, square = (sums[c].to_numpy(dtype=float) for c in ("n", "d", "square"))
    mean, alpha = d / n / PARTS, 1 - confidence
    spread = np.sqrt(np.maximum(square - d**2 / n, 0) / (n - 1)) / PARTS
    error = spread / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(mean) / error, np.where(mean == 0, 0.0, np.inf))
        matters = np.abs(mean) >= evidence.SMALL_EFFECT * spread
    p = 2 * stdtr(n - 1, -t)
    corrected, half = evidence.holm(p), stdtrit(n - 1, 1 - alpha / max(len(n), 1) / 2) * error
    real = (corrected < alpha) & (np.abs(mean) > half) & matters
    ahead = np.where(real, np.where(mean > 0, ours, sums["brand"]), "")
    table = pd.DataFrame({"attribute": sums["attribute"], "rival": sums["brand"], "customers": n.astype(int)})
    table = table.assign(ours=sums["mine"] / n / PARTS, theirs=sums["rating"] / n / PARTS)
    table = table.assign(value=mean, low=mean - half, high=mean + half, p=p, p_corrected=corrected)
    return table.assign(ahead=pd.Series(ahead, dtype="str"))


def _importance(base: Mapping, rated: nw.LazyFrame, as_of, ours: str, confidence: float) -> tuple[pd.DataFrame, str]:
    """How strongly each rating of us goes with how customers like us on the whole, and with what exactly."""
    of_us = rated.filter(nw.col("brand") == ours).collect("pandas").to_native()
    wide = of_us.pivot(index="customer_id", columns="attribute", values="rating").sort_index() / PARTS
    against, liking = _liking(base, as_of, wide)
    rows = []
    for attribute in wide.columns:
        others = wide.drop(columns=attribute).mean(axis=1)
        pair = pd.DataFrame({"x": wide[attribute], "y": others if liking is None else liking}).dropna()
        if len(pair) >= FEWEST:
            mean = float(wide[attribute].mean())
            rows.append((attribute, len(pair), mean, *_rank_correlation(pair["x"], pair["y"], confidence)))
    table = pd.DataFrame(rows, columns=["attribute", "customers", "ours", "value", "low", "high"])
    return table.sort_values(["value", "attribute"], ascending=[False, True], ignore_index=True), against


def _liking(base: Mapping, as_of, wide: pd.DataFrame) -> tuple[str, pd.Series | None]:
    """What importance is measured against, and each rater's figure of it; None for the ratings themselves."""
    if "feedback" in base:
        needed = ["customer_id", "given_at", "instrument", "score"]
        frame = _seen(base, "feedback", _day_of(base, as_of), needed).filter(~nw.col("score").is_null())
        last = nw.col("score").last(order_by=["given_at", "score"])
        for instrument, figure in (("nps", last), ("csat", nw.col("score").mean())):
            of_each = frame.filter(nw.col("instrument") == instrument).group_by("customer_id").agg(liking=figure)
            liking = of_each.collect("pandas").to_native().set_index("customer_id")["liking"].reindex(wide.index)
            if liking.notna().sum() >= FEWEST_FOR_IMPORTANCE:
                return instrument, liking.astype(float).round(6)
    return "the other attributes", None


def _rank_correlation(x: pd.Series, y: pd.Series, confidence: float) -> tuple[float, float, float]:
    if x.nunique() < 2 or y.nunique() < 2:
        return np.nan, np.nan, np.nan
    r = float(np.clip(spearmanr(x, y).statistic, -1, 1))
    with np.errstate(divide="ignore"):
        reach, at = ndtri((1 + confidence) / 2) * np.sqrt((1 + r**2 / 2) / (len(x) - 3)), np.arctanh(r)
    return r, float(np.tanh(at - reach)), float(np.tanh(at + reach))


def _tickets(base: Mapping, as_of: date) -> pd.DataFrame | None:
    if "tickets" not in base or "topic" not in nw.from_native(base["tickets"]).lazy().collect_schema():
        return None
    frame = _seen(base, "tickets", as_of, ["customer_id", "opened_at", "topic"]).with_columns(source=nw.lit("tickets"))
    return _of_each(frame, "opened_at", "satisfaction", as_of)


def _feedback(base: Mapping, as_of: date) -> pd.DataFrame | None:
    if "feedback" not in base or "topic" not in nw.from_native(base["feedback"]).lazy().collect_schema():
        return None
    frame = _seen(base, "feedback", as_of, ["customer_id", "given_at", "instrument", "topic"])
    return _of_each(frame.with_columns(source=nw.col("instrument")), "given_at", "score", as_of)


def _of_each(frame: nw.LazyFrame, time: str, score: str, as_of: date) -> pd.DataFrame:
    """One row per source, topic and customer: rows, sum of scores (in parts), how many are scored, in which years."""
    scored = nw.col(score) if score in frame.collect_schema() else nw.lit(None).cast(nw.Float64)
    frame = frame.with_columns(scored=scored).filter(
        ~nw.col("topic").is_null(), ~nw.col("customer_id").is_null(), ~nw.col("source").is_null()
    )
    known = nw.when(~nw.col("scored").is_null())
    frame = frame.with_columns(score=known.then(nw.col("scored")).otherwise(nw.lit(0.0)))
    rows = frame.select(
        *("source", "topic", "customer_id"),
        score=_in_parts("score"),
        scored=known.then(nw.lit(1)).otherwise(nw.lit(0)),
        **_years(frame, time, as_of),
    )
    sums = {"rows": nw.len(), "score": nw.col("score").sum(), "scored": nw.col("scored").sum()}
    years = {c: nw.col(c).max() for c in ("year", "year_before")}
    return rows.group_by("source", "topic", "customer_id").agg(**sums, **years).collect("pandas").to_native()


def _active(base: Mapping, as_of: date) -> pd.DataFrame:
    """All customers, with in which of the last two years they were active, and whether the base reaches back so far."""
    parts, begins = [], []
    for table in ("orders", "touchpoints", "tickets", "feedback"):
        if table not in base:
            continue
        time = TABLES[table].time
        frame = _seen(base, table, as_of, ["customer_id", time])
        rows = frame.select("customer_id", time, **_years(frame, time, as_of))
        years = {c: nw.col(c).max() for c in ("year", "year_before")}
        found = rows.group_by("customer_id").agg(**years, first=nw.col(time).min()).collect("pandas").to_native()
        begins.append(found.pop("first").min())
        parts.append(found)
    if "customers" in base:
        ids = _seen(base, "customers", as_of, ["customer_id"]).select("customer_id").collect("pandas").to_native()
        parts.append(ids.assign(year=0, year_before=0))
    active = pd.concat(parts, ignore_index=True).groupby("customer_id")[["year", "year_before"]].max()
    active.attrs["two_years"] = min(begins) < pd.Timestamp(as_of - timedelta(days=729), tz=begins[0].tz)
    return active


def _years(frame: nw.LazyFrame, time: str, as_of: date) -> dict[str, nw.Expr]:
    """1 for rows of the last 365 days, and of the 365 before."""
    begins, before = (midnight(frame, time, as_of - timedelta(days=d)) for d in (364, 729))
    lately = nw.col(time) >= begins
    earlier = (nw.col(time) >= before) & (nw.col(time) < begins)
    return {
        name: nw.when(when).then(nw.lit(1)).otherwise(nw.lit(0))
        for name, when in (("year", lately), ("year_before", earlier))
    }


def _topic(source: str, topic: str, of: pd.DataFrame, everybody: int, active: pd.DataFrame, confidence: float) -> dict:
    """The figures of one topic, before the trends are judged together."""
    customers = of["customer_id"].nunique()
    low, high = evidence.share_interval(customers, max(everybody, 1), confidence)
    scored = of[of["scored"] > 0].assign(whole=of["scored"] * PARTS)
    mean = evidence.ratios(scored, "source", "score", "whole", confidence)
    value, score_low, score_high = mean.loc[0, ["value", "low", "high"]] if len(mean) else (np.nan,) * 3
    in_year = of.groupby("customer_id")[["year", "year_before"]].max().sum()
    return {
        **{"source": source, "topic": topic, "rows": int(of["rows"].sum()), "customers": customers},
        **{"value": customers / max(everybody, 1), "low": low, "high": high},
        **{"score": value, "score_low": score_low, "score_high": score_high},
        **{"k": in_year["year"], "n": active["year"].sum()},
        **{"k_before": in_year["year_before"], "n_before": active["year_before"].sum()},
        "two_years": active.attrs["two_years"],
    }


def _with_trends(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The shares of either year, their difference, corrected for how many topics there are."""
    figures = table[["k", "n", "k_before", "n_before"]].astype(float)
    known = table["two_years"].to_numpy(dtype=bool) & (figures[["n", "n_before"]] > 0).all(axis=1).to_numpy()
    alpha, judged = 1 - confidence, np.full((len(table), 4), np.nan)
    if known.any():
        counts = (figures.loc[known, c].to_numpy() for c in figures)
        judged[known] = np.column_stack(evidence.difference_of_shares(*counts, 1 - alpha / known.sum()))
    trend, low, high, p = judged.T
    corrected = evidence.holm(p)
    moved = np.where((corrected < alpha) & (low > 0), "up", np.where((corrected < alpha) & (high < 0), "down", ""))
    year, before = (figures["k"] / figures["n"]).where(known), (figures["k_before"] / figures["n_before"]).where(known)
    table = table.drop(columns=["k", "n", "k_before", "n_before", "two_years"]).assign(year=year, year_before=before)
    table = table.assign(trend=trend, trend_low=low, trend_high=high, p=p, p_corrected=corrected)
    return table.assign(moved=pd.Series(moved, dtype="str"))


def _seen(base: Mapping, table: str, as_of: date | None, columns: list[str]) -> nw.LazyFrame:
    """A table with the columns that are needed, as it was on a day."""
    frame = nw.from_native(base[table], pass_through=False).lazy()
    require_columns(table, frame.collect_schema(), columns)
    return table_until(frame, table, as_of) if as_of else frame


def _day_of(base: Mapping, as_of: date | str | None) -> date | None:
    return date.fromisoformat(as_of) if isinstance(as_of, str) else as_of or getattr(base, "as_of", None)


def _in_parts(column: str) -> nw.Expr:
    return (nw.col(column) * PARTS).round(0).cast(nw.Int64)
