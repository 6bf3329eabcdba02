"""What can be known of customers beyond their profile, so that a persona rests on more than purchases?

Takes a base as of a day: what its customers answered, raised, were met by, opened, agreed to, and in which months they
bought. Gives one row per customer, and beside it, for every column, which part of a card it belongs to and which table
it comes from. Each measure is left out where the base lacks its table.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import jdatetime
import narwhals as nw
import numpy as np
import pandas as pd

from analysis.expressions import (
    PARTS,
    collected,
    day_of,
    last_day,
    money,
    one_if,
    purchases_of,
    ratio,
    tables_until,
)
from analysis.profiles.opinions import LOW_ANSWERS, reliability, snake_case
from analysis.profiles.tags import tag_fields
from analysis.schema import SCORE
from analysis.vocabulary import words

#: What a column of :func:`measured` says: how its name begins → part of the card, table it comes from, unit.
KINDS = {
    "agrees": ("needs", "survey_answers", "points"),
    "raised": ("pains", "tickets", ""),
    "unhappy": ("pains", "feedback", ""),
    "dropped": ("pains", "touchpoints", "share"),
    "month": ("buying", "orders", "share"),
    "ever": ("buying", "orders", ""),
    "lines": ("buying", "order_lines", "lines"),
    "looks": ("buying", "touchpoints", "times"),
    "may": ("channels", "customers", ""),
    "opened": ("channels", "touchpoints", "share"),
    "likes": ("needs", "customers", ""),
    "tagged": ("who", "customers", ""),
    "met": ("touchpoints", "touchpoints", ""),
    "followed": ("touchpoints", "touchpoints", "share"),
}

#: Constructs of a survey that tell why people buy, or what stands in their way, by their names.
_GOALS, _PAINS = r"goal|motiv|reason|why|هدف|انگیزه", r"challeng|pain|problem|barrier|obstacle|مشکل|چالش|درد"

#: Values of a list or topics beyond so many would be more figures than anybody reads; the commonest are kept.
_MOST_VALUES = 12

#: Stages and kinds of messages that are counted.
_BUYING, _MESSAGES = ("cart", "checkout", "order"), ("sent", "open")

#: A purchase within so many days follows a contact. Long enough for a decision, short enough not to be the next one.
FOLLOWS_DAYS = 30

#: A day, and a moment after all others, in seconds.
_DAY, _NEVER = 24 * 60 * 60, 2**50

#: Contacts are told apart by phase, event and channel; the commonest are kept.
_MOST_CONTACTS = 40

#: Columns of the profiles that only an expert reads; a plainer one says the same: the share bought with a discount, the
#: number of categories, the days since the last purchase, spend in a year.
_FOR_EXPERTS = ("price_sensitivity", "category_entropy", "overdue_ratio", "spend_trend")

#: Share of purchases by month needs two years, or the months say only when customers came last.
_TWO_YEARS = 2 * 365


class Measured(NamedTuple):
    """The two tables of :func:`measured`.

    Attributes
    ----------
    table : DataFrame, one row per customer
        customer_id and the measures.
    about : DataFrame, one row per measure
        column, measure (a key of KINDS, or "profile"), of (what of: a topic, a question), part, unit, source.
    """

    table: pd.DataFrame
    about: pd.DataFrame


def measured(profiles, base=None, as_of=None):
    """The traits of each customer that a persona may rest on, with what they are and where they come from.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    base : Base, or any mapping from canonical table names to dataframes, optional
        Without it the profiles alone.
    as_of : date, optional
        Last day to look at; default: the base's own.

    Returns
    -------
    Measured

    Notes
    -----
    A trait of which a customer can say nothing is missing: who raised no ticket has raised none of any topic, but who
    bought nothing has no months, and who was not asked has no answer. A question of a survey stands by itself where its
    construct does not hold together (:func:`analysis.profiles.reliability`) or tells goals or challenges; otherwise the
    construct's score says more.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": ["a", "b"], "consents": [["sms"], []]})
    >>> measured(profiles).table
      customer_id  may sms
    0           a     True
    1           b    False
    """
    lists = tag_fields(profiles)
    parts = [_of_lists(profiles, field) for field in lists]
    alone = {}
    if base is not None and len(base):
        as_of = last_day(base, as_of, "personas.derive")
        tables = tables_until(base, as_of)
        alone = _alone(base, tables, as_of)
        parts += [_answers(tables, alone), _topics(tables, profiles), _unhappy(tables)]
        parts += [_dropped(tables), _looks(tables), _opened(tables), _months(tables, getattr(base, "timezone", ""))]
        parts += _contacts(tables)
    parts += [_basket(profiles), _ever(profiles)]
    table = profiles.drop(columns=[*lists, *_FOR_EXPERTS, *(SCORE + c for c in alone)], errors="ignore")
    about = [(c, "profile", "", *_of_profile(c)) for c in table.columns if c != "customer_id"]
    wide = [table.set_index("customer_id")]
    for part in parts:
        if part is not None:
            wide.append(part.table.set_index("customer_id").reindex(wide[0].index))
            about += part.about
    table = pd.concat(wide, axis=1).copy().reset_index()  # copy: in one piece
    columns = ["column", "measure", "of", "part", "unit", "source"]
    return Measured(table, pd.DataFrame(about, columns=columns).set_index("column"))


def _of_profile(column):
    known = words(column)
    if known:
        return known.part, known.unit, "profiles"
    return ("needs", "points", "survey_answers") if column.startswith(SCORE) else ("own", "", "profiles")


def _part(table, kind, part=None):
    """A table whose columns are named "kind of", with what they are."""
    part_of, source, unit = KINDS[kind]
    columns = [c for c in table if c != "customer_id"]
    rows = [(c, kind, c.removeprefix(f"{kind} "), (part or {}).get(c, part_of), unit, source) for c in columns]
    return Measured(table, rows)


def _wide(long, column, value, kind):
    """One column for each value of another, named "kind value"; None where there is nothing."""
    if long.empty:
        return None
    table = long.pivot(index="customer_id", columns=column, values=value).sort_index(axis=1)
    table.columns = [f"{kind} {name}" for name in table]
    return _part(table.reset_index(), kind)


def _of_lists(profiles, field):
    """Whether each value of a list is there, of those whose list is known."""
    known = profiles[["customer_id", field]].dropna()
    rows = known.explode(field).dropna().set_axis(["customer_id", "value"], axis=1)
    return _whether(rows, {"consents": "may", "tags": "tagged"}.get(field, "likes"), known["customer_id"])


def _whether(rows, kind, everybody):
    """For each of the commonest values, whether a customer has it."""
    rows = rows.drop_duplicates()
    commonest = rows["value"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    values = commonest.index[: _MOST_CONTACTS if kind == "met" else _MOST_VALUES]
    customer, value = pd.Index(everybody).get_indexer(rows["customer_id"]), values.get_indexer(rows["value"])
    there = (customer >= 0) & (value >= 0)
    has = np.zeros((len(everybody), len(values)), dtype=bool)
    has[customer[there], value[there]] = True
    table = pd.DataFrame(has, columns=[f"{kind} {name}" for name in values])
    return _part(table.assign(customer_id=everybody.to_numpy()), kind)


def _alone(base, tables, as_of):
    """Constructs whose questions stand by themselves, by the names of their scores, with the part they belong to."""
    if not _has(tables, "survey_answers", "construct", "question", "answer"):
        return {}
    trust = reliability(base, as_of)
    told = {c: _telling(c) for c in trust["construct"]}
    return {c: told[c] or "needs" for c, weak in zip(trust["construct"], trust["weak"], strict=True) if weak or told[c]}


def _telling(construct):
    """The part of a card that a construct belongs to by its name: goals, pains, or None."""
    if re.search(_GOALS, construct.lower()):
        return "goals"
    return "pains" if re.search(_PAINS, construct.lower()) else None


def _basket(profiles):
    """Lines per purchase, of who bought."""
    if not {"n_lines", "n_orders"} <= set(profiles):
        return None
    lines = (profiles["n_lines"] / profiles["n_orders"]).where(profiles["n_orders"] > 0)
    return _part(profiles[["customer_id"]].assign(**{"lines per purchase": lines.where(lines > 0)}), "lines")


def _ever(profiles):
    """Whether a customer has ever bought, where some have and some have not."""
    if "n_orders" not in profiles or (profiles["n_orders"] > 0).nunique() < 2:
        return None
    return _part(profiles[["customer_id"]].assign(**{"ever bought": profiles["n_orders"] > 0}), "ever")


def _answers(tables, alone):
    """Mean answer of each customer to the questions that stand by themselves."""
    if not alone:
        return None
    rows = tables["survey_answers"].select("customer_id", "construct", "question", "answer")
    rows = rows.filter(~nw.any_horizontal(nw.all().is_null(), ignore_nulls=False))
    rows = rows.with_columns(parts=money(nw.col("answer")))
    means = collected(rows.group_by("customer_id", "construct", "question").agg(answer=nw.col("parts").mean()))
    means["answer"] /= PARTS
    means["construct"] = means["construct"].map(snake_case)
    means = means[means["construct"].isin(alone)].drop_duplicates(["customer_id", "question"])
    part = means.drop_duplicates("question").set_index("question")["construct"].map(alone)
    found = _wide(means, "question", "answer", "agrees")
    return found and _part(found.table, "agrees", {f"agrees {question}": to for question, to in part.items()})


def _topics(tables, profiles):
    """Whether each customer has ever raised a topic in a ticket."""
    if not _has(tables, "tickets", "topic"):
        return None
    raised = tables["tickets"].select("customer_id", value="topic").filter(~nw.col("value").is_null()).unique()
    return _whether(collected(raised), "raised", profiles["customer_id"])


def _unhappy(tables):
    """Whether each customer who answered about a topic ever gave a low answer."""
    if not _has(tables, "feedback", "instrument", "score", "topic"):
        return None
    low = nw.lit(0)
    for instrument, at_most in LOW_ANSWERS.items():
        below = (nw.col("instrument") == instrument) & (nw.col("score") <= at_most)
        low = nw.when(below).then(nw.lit(1)).otherwise(low)
    given = tables["feedback"].filter(~nw.col("topic").is_null() & ~nw.col("score").is_null())
    rows = given.select("customer_id", "topic", low=low)
    worst = collected(rows.group_by("customer_id", "topic").agg(low=nw.col("low").max()))
    return _wide(worst.assign(low=(worst["low"] == 1).astype("boolean")), "topic", "low", "unhappy")


def _dropped(tables):
    """Share of the checkouts (or else carts) on each channel that no order followed, of customers with any."""
    if not _has(tables, "touchpoints", "stage", "channel"):
        return None
    rows = tables["touchpoints"].filter(~nw.col("channel").is_null())
    rows = rows.select("customer_id", "channel", **{s: one_if(nw.col("stage") == s) for s in _BUYING})
    counts = rows.group_by("customer_id", "channel").agg(**{s: nw.col(s).sum() for s in _BUYING})
    table = collected(counts)
    last = "checkout" if table["checkout"].any() else "cart"
    sold = table.groupby("channel")["order"].transform("sum")
    table = table[(table[last] > 0) & (sold > 0)]
    return _wide(
        table.assign(dropped=(1 - table["order"] / table[last]).clip(lower=0).astype("float64")),
        "channel",
        "dropped",
        "dropped",
    )


def _looks(tables):
    """Contacts before a purchase, by purchase: how long somebody looks before buying."""
    if not _has(tables, "touchpoints", "stage"):
        return None
    kinds = {"looked": one_if(nw.col("stage") == "consider"), "bought": one_if(nw.col("stage") == "order")}
    counts = tables["touchpoints"].select("customer_id", **kinds)
    counts = counts.group_by("customer_id").agg(**{k: nw.col(k).sum() for k in kinds})
    looks = {"looks per purchase": ratio(nw.col("looked"), nw.col("bought"))}
    table = collected(counts.filter(nw.col("bought") > 0).select("customer_id", **looks))
    return _part(table, "looks") if table["looks per purchase"].gt(0).any() else None


def _opened(tables):
    """Share of the messages of each kind of content that were opened, of customers who were sent any."""
    if not _has(tables, "touchpoints", "event", "content_type"):
        return None
    rows = tables["touchpoints"].filter(~nw.col("content_type").is_null())
    rows = rows.select(
        "customer_id", "content_type", **{end: one_if(nw.col("event").str.ends_with(f"_{end}")) for end in _MESSAGES}
    )
    counts = rows.group_by("customer_id", "content_type").agg(**{end: nw.col(end).sum() for end in _MESSAGES})
    table = collected(counts.filter(nw.col("sent") > 0))
    if not table["open"].any():
        return None
    return _wide(
        table.assign(opened=(table["open"] / table["sent"]).clip(upper=1).astype("float64")),
        "content_type",
        "opened",
        "opened",
    )


def _months(tables, timezone):
    """Share of each customer's purchases by month of the calendar that the business goes by."""
    bought = purchases_of(tables)
    if bought is None:
        return None
    days = bought.select("customer_id", day=day_of("ordered_at"))
    first, last = collected(days.select(first=nw.col("day").min(), last=nw.col("day").max())).iloc[0]
    if pd.isna(first) or (last - first).days < _TWO_YEARS:
        return None
    starts = _months_between(first, last, timezone)
    place = nw.sum_horizontal(*(one_if(nw.col("day") >= nw.lit(day.to_pydatetime())) for day in starts.index))
    counts = collected(days.with_columns(place=place).group_by("customer_id", "place").agg(n=nw.len()))
    by_month = counts.assign(month=counts["place"].map(dict(enumerate(starts.to_numpy(), 1))))
    by_month = by_month.groupby(["customer_id", "month"])["n"].sum().unstack(fill_value=0)
    shares = by_month.div(by_month.sum(axis=1), axis=0)
    shares.columns = [f"month {month}" for month in shares]
    return _part(shares.reset_index(), "month")


def _months_between(first, last, timezone):
    """The first day of each month and its name: "j4" is Tir, where Iran's time goes; elsewhere "g4" is April."""
    days = pd.date_range(first.normalize(), last.normalize())
    jalali = timezone == "Asia/Tehran"
    months = [jdatetime.date.fromgregorian(date=day.date()).month if jalali else day.month for day in days]
    names = pd.Series(months, days).map(f"{'j' if jalali else 'g'}{{}}".format)
    return names[names != names.shift()]


def _contacts(tables):
    """Whether each customer was met in each way, and how many of these contacts a purchase followed.

    A contact is a phase, an event and a channel, as in "before · visit · web"; of customers with any contact.
    """
    if not _has(tables, "touchpoints", "event", "occurred_at"):
        return []
    met, has = tables["touchpoints"], tables["touchpoints"].collect_schema()
    way = {c: nw.col(c).fill_null("") if c in has else nw.lit("") for c in ("phase", "event", "channel")}
    met = met.select("customer_id", at=_seconds("occurred_at"), next=nw.lit(_NEVER), **way)
    met = met.filter(nw.col("event") != "")
    purchases = purchases_of(tables)
    if purchases is not None:
        at, none = _seconds("ordered_at"), {c: nw.lit("") for c in way}
        met = nw.concat([met, purchases.select("customer_id", at=at, next=at, **none)])
    upcoming = nw.col("next").cum_min(reverse=True).over("customer_id", order_by=["at", "next"])
    soon = one_if(upcoming - nw.col("at") <= FOLLOWS_DAYS * _DAY)
    rows = met.with_columns(soon=soon).filter(nw.col("event") != "").select("customer_id", *way, "soon")
    counts = collected(rows.group_by("customer_id", *way).agg(n=nw.len(), soon=nw.col("soon").sum()))
    counts["way"] = counts["phase"] + " · " + counts["event"] + " · " + counts["channel"]
    everybody = counts["customer_id"].drop_duplicates()
    commonest = counts["way"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    counts = counts[counts["way"].isin(commonest.index[:_MOST_CONTACTS])]
    parts = [_whether(counts[["customer_id", "way"]].rename(columns={"way": "value"}), "met", everybody)]
    if purchases is not None:
        share = (counts["soon"] / counts["n"]).astype("float64")
        parts.append(_wide(counts.assign(soon=share), "way", "soon", "followed"))
    return parts


def _seconds(column):
    """Seconds since 1970 by the business's clock."""
    return (nw.col(column).dt.replace_time_zone(None) - nw.lit(datetime(1970, 1, 1))).dt.total_seconds()


def _has(tables: Mapping[str, nw.LazyFrame], table: str, *columns: str) -> bool:
    return table in tables and set(columns) <= set(tables[table].collect_schema())
