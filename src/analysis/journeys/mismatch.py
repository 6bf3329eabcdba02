"""Are customers contacted by the channel they ask for, and what does it cost where they are not?

Takes a customer base and, if wished, who belongs to which persona. Gives stated against contacted and used channels by
persona, and what a contact brings when it comes by another channel than the one asked for: from the customers whom a
campaign held out, or else with adjustment for who gets contacted how.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.special import stdtr, stdtrit

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.evidence import percent, percent_range, short
from analysis.expressions import collected, last_day, purchases_of, tables_until
from analysis.journeys.contact_effects import DAYS, FEWEST, HELD_OUT, contact_effects, weighted_means
from analysis.locale import named
from analysis.phrases import marked, phrase

#: The group of a customer without one, and of all when nobody is grouped.
EVERYBODY = "everybody"

#: What the brand sends ends so in its name, or is one of the calls.
SENT, CALLS = "_sent", ("call", "sales_call", "outbound_call")

#: Ways to write one channel.
_SAME = {
    **dict.fromkeys(("e-mail", "mail", "ایمیل"), "email"),
    **dict.fromkeys(("text message", "پیامک"), "sms"),
    **dict.fromkeys(("telephone", "call", "تلفن", "تماس"), "phone"),
    **dict.fromkeys(("push", "اپ", "اپلیکیشن"), "app"),
}

#: A survey's question about the channel bears these words in its construct or its own text.
_ASKED = r"preferred.{0,3}channel|contact.{0,3}preference|channel.{0,3}preference|کانال.*ترجیح"

#: What is known of whom, by what says so.
_ASKED_IN = {
    "preferred_channel": marked(
        "Which channel customers ask for is taken from preferred_channel: known of {n:,} of {all:,} customers."
    ),
    "survey": marked("Which channel customers ask for is taken from survey: known of {n:,} of {all:,} customers."),
    "preferred_channel and survey": marked(
        "Which channel customers ask for is taken from preferred_channel and survey: known of {n:,} of {all:,} "
        "customers."
    ),
    "consents": marked(
        "Which channel customers ask for is taken from consents (the only channel allowed, which is not a wish): known "
        "of {n:,} of {all:,} customers."
    ),
}

_CONTACTS = ["group", "stated", "contacted", "matched", "customers", "contacts", "share", "low", "high"]
_GROUPS = [
    *("group", "customers", "stated", "contacted", "contacts", "mismatched", "low", "high"),
    *("elsewhere", "difference", "difference_low", "difference_high", "p", "p_corrected"),
]
_USED = ["group", "stated", "used", "customers", "share", "low", "high"]


class Mismatch(NamedTuple):
    """Stated against contacted and used channels, and what it costs.

    Attributes
    ----------
    groups : DataFrame, one row per group
        group; customers, of whom `stated` named a channel and `contacted` of these were contacted; contacts, what these
        were sent; mismatched, the share of these contacts that came by another channel, with interval low, high;
        elsewhere, the same of the other groups, difference with interval, p, p_corrected (Holm over the groups).
    contacts : DataFrame, one row per group, stated channel and channel of contact
        matched (bool), customers, contacts; share of the contacts of these customers, with interval low, high.
    used : DataFrame, one row per group, stated channel and channel used most
        customers, and their share of those who stated that channel, with interval low, high.
    effects : DataFrame, one row per channel of contact and stated channel
        As from :func:`analysis.journeys.contact_effects.contact_effects`.
    balance : DataFrame, one row per channel of contact and attribute
        How far those contacted and those compared with them differ before and after weighting, in standard deviations.
    words : list of str
        The findings in sentences, and what could not be judged for lack of what.
    """

    groups: pd.DataFrame
    contacts: pd.DataFrame
    used: pd.DataFrame
    effects: pd.DataFrame
    balance: pd.DataFrame
    words: list[str]


def channel_mismatch(
    base: Mapping[str, IntoFrame],
    by: pd.DataFrame | None = None,
    as_of: date | str | None = None,
    group: str = "persona",
) -> Mismatch:
    """Are customers contacted by the channel they ask for, and what does it cost where they are not?

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
        customers with preferred_channel, or survey_answers that name a channel, or else consents; campaign_contacts
        with campaigns, or touchpoints. Orders, for the effect.
    by : DataFrame with columns customer_id (each once) and `group`, optional
        Customers of no group are left out of the tables by group, not of the effect.
    as_of : date, optional
        Last day to look at; default the base's own.
    group : str

    Returns
    -------
    Mismatch

    Raises
    ------
    Problem
        Nothing tells which channel customers ask for, or nothing by which they are contacted; the message says what
        would. Also if `by` lacks its columns or names a customer twice.

    Notes
    -----
    A stated channel is customers.preferred_channel, else the latest answer to a survey's question about it. Where a
    base has neither, it is the only channel to which a customer consents, which is what they allow, not what they ask
    for: the words say so. Shares are of contacts, their intervals count customers (:func:`analysis.evidence.ratios`).
    A group is compared with all others together.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "preferred_channel": ["email", "phone"]})
    >>> sent = pd.DataFrame({"customer_id": ["a", "a", "b"], "event": ["call", "email_sent", "email_sent"],
    ...                      "channel": ["phone", "email", "email"],
    ...                      "occurred_at": pd.to_datetime(["2025-03-01", "2025-03-02", "2025-03-02"], utc=True)})
    >>> found = channel_mismatch({"customers": people, "touchpoints": sent}, as_of=date(2025, 12, 31))
    >>> found.contacts[["stated", "contacted", "customers", "contacts"]].values.tolist()
    [['email', 'email', 1, 1], ['email', 'phone', 1, 1], ['phone', 'email', 1, 1]]
    """
    as_of = last_day(base, as_of, "journeys.channel_mismatch")
    tables = tables_until(base, as_of)
    stated, asked = stated_channels(tables)
    sent, unasked = _comparable(_contacts_sent(tables), stated)
    people = _grouped(stated, by, group)
    contacts = people.merge(_counted(sent), on="customer_id")
    used = people.merge(_used_most(tables), on="customer_id")
    effects, balance, doubts = contact_effects(tables, sent, stated, as_of)
    groups = _groups(people, contacts)
    words = [*_share_in_words(groups, asked), *unasked, *_effects_in_words(effects), *doubts]
    return Mismatch(groups, _shares_of_contacts(contacts), _shares_of_use(used), effects, balance, words)


def stated_channels(tables: Mapping[str, nw.LazyFrame]) -> tuple[pd.DataFrame, str]:
    """The channel that each customer asks for, and what says so: the customers' record, a survey, or consents.

    Returns
    -------
    stated : DataFrame, one row per customer who stated one, in the order of customer_id
        customer_id, stated.
    asked : str, "preferred_channel", "survey" or "consents"
    """
    known = {"preferred_channel": _recorded(tables), "survey": _answered(tables)}
    known = {name: table for name, table in known.items() if len(table)}
    if not known and len(only := _only_consent(tables)):
        known = {"consents": only}
    if not known:
        raise Problem(
            phrase(
                "Nothing tells which channel customers ask for. Map customers.preferred_channel, or a survey question "
                'of the construct "preferred channel", or customers.consents. The base has: {tables}.',
                tables=phrase(", ").join(named(table) for table in tables),
            )
        )
    stated = pd.concat(known.values()).drop_duplicates("customer_id").sort_values("customer_id", ignore_index=True)
    return stated.astype({"stated": "str"}), " and ".join(known)


def _recorded(tables) -> pd.DataFrame:
    if "customers" not in tables or "preferred_channel" not in tables["customers"].collect_schema():
        return pd.DataFrame()
    told = tables["customers"].filter(~nw.col("preferred_channel").is_null())
    return _named(collected(told.select("customer_id", stated="preferred_channel")))


def _answered(tables) -> pd.DataFrame:
    """The latest answer of each customer to a question about the channel."""
    frame = tables.get("survey_answers")
    if frame is None or not {"customer_id", "construct", "question", "answer", "answered_at"} <= set(
        frame.collect_schema()
    ):
        return pd.DataFrame()
    about = collected(frame.select("construct", "question").unique()).fillna("")
    asks = about.apply(lambda column: column.str.contains(_ASKED, case=False, regex=True)).any(axis=1)
    if not asks.any():
        return pd.DataFrame()
    asked = nw.col("question").is_in(about.loc[asks, "question"].tolist())
    rows = collected(frame.filter(asked, ~nw.col("answer").is_null()).select("customer_id", "answered_at", "answer"))
    latest = rows.sort_values(["answered_at", "answer"]).groupby("customer_id", as_index=False)["answer"].last()
    return _named(latest.rename(columns={"answer": "stated"}))


def _only_consent(tables) -> pd.DataFrame:
    """Those who allow one channel alone."""
    if "customers" not in tables or "consents" not in tables["customers"].collect_schema():
        return pd.DataFrame()
    allowed = collected(tables["customers"].select("customer_id", "consents")).dropna()
    allowed = allowed[allowed["consents"].map(len) == 1]
    return _named(pd.DataFrame({"customer_id": allowed["customer_id"], "stated": allowed["consents"].str[0]}))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """One channel, one name."""
    return table.assign(stated=table["stated"].astype(str).map(_one_name)).dropna(subset="customer_id")


def _one_name(channel: str) -> str:
    plain = " ".join(channel.replace("_", " ").split()).casefold()
    return _SAME.get(plain, plain)


def _contacts_sent(tables) -> nw.LazyFrame:
    """Every contact by the brand [customer_id, campaign_id, contacted, sent_at, treated, recorded].

    treated is 0 of those held out, to whom nothing was sent. A campaign that touchpoints record too is counted there
    (recorded 0), and is still an experiment.
    """
    parts = [part for part in (_of_touchpoints(tables), _of_campaigns(tables)) if part is not None]
    if not parts:
        raise Problem(
            phrase(
                "Nothing tells how customers are contacted. Map campaign_contacts and campaigns with their channel, or "
                'touchpoints with a channel whose events end in "{end}" or are "call". The base has: {tables}.',
                end=SENT,
                tables=phrase(", ").join(named(table) for table in tables),
            )
        )
    sent = nw.concat(parts)
    channels = collected(sent.select("contacted").unique())["contacted"].dropna()
    one_name = nw.col("contacted")
    for written in sorted(channels):
        one_name = nw.when(nw.col("contacted") == written).then(nw.lit(_one_name(written))).otherwise(one_name)
    return sent.filter(~nw.col("contacted").is_null(), ~nw.col("sent_at").is_null()).with_columns(contacted=one_name)


def _of_touchpoints(tables) -> nw.LazyFrame | None:
    frame = tables.get("touchpoints")
    if frame is None or not {"customer_id", "occurred_at", "event", "channel"} <= set(has := frame.collect_schema()):
        return None
    sends = nw.col("event").str.ends_with(SENT) | nw.col("event").is_in(CALLS)
    campaign = nw.col("campaign_id") if "campaign_id" in has else nw.lit(None, dtype=nw.String)
    return frame.filter(sends).select(
        "customer_id", campaign_id=campaign, contacted="channel", sent_at="occurred_at", treated=nw.lit(1),
        recorded=nw.lit(1), experiment=nw.lit(0),
    )  # fmt: skip


def _of_campaigns(tables) -> nw.LazyFrame | None:
    frame, campaigns = tables.get("campaign_contacts"), tables.get("campaigns")
    if frame is None or campaigns is None or "channel" not in campaigns.collect_schema():
        return None
    require_columns("campaign_contacts", frame.collect_schema(), ["campaign_id", "customer_id", "sent_at"])
    held_out = nw.col("variant") == "control" if "variant" in frame.collect_schema() else nw.lit(False)
    treated = nw.when(held_out).then(nw.lit(0)).otherwise(nw.lit(1))
    touched = _of_touchpoints(tables)
    recorded = treated
    if touched is not None:
        twice = collected(touched.select("campaign_id").unique())["campaign_id"].dropna().tolist()
        recorded = nw.when(nw.col("campaign_id").is_in(twice)).then(nw.lit(0)).otherwise(treated)
    rows = frame.join(campaigns.select("campaign_id", contacted="channel"), on="campaign_id")
    return rows.select(
        "customer_id", "campaign_id", "contacted", "sent_at", treated=treated, recorded=recorded, experiment=nw.lit(1)
    )


def _comparable(sent: nw.LazyFrame, stated: pd.DataFrame) -> tuple[nw.LazyFrame, list[str]]:
    """The contacts by channels that somebody asks for: what nobody asks for (a visit by sales) is no mismatch."""
    asked = sorted(stated["stated"].unique())
    counts = collected(sent.filter(nw.col("recorded") == 1).group_by("contacted").agg(n=nw.len()))
    others = counts[~counts["contacted"].isin(asked)].sort_values("contacted")
    words = [
        phrase("{n:,} contacts by {channel} are left out: nobody asks for it.", n=row.n, channel=named(row.contacted))
        for row in others.itertuples()
    ]
    return sent.filter(nw.col("contacted").is_in(asked)), words


def _counted(sent: nw.LazyFrame) -> pd.DataFrame:
    """How often each customer was contacted by each channel: customer_id, contacted, contacts."""
    counts = sent.filter(nw.col("recorded") == 1).group_by("customer_id", "contacted").agg(contacts=nw.len())
    return collected(counts).astype({"contacts": "int64"})


def _used_most(tables) -> pd.DataFrame:
    """The channel of most of each customer's purchases; of equals the first by name: customer_id, used."""
    purchases = purchases_of(tables)
    if purchases is None or "channel" not in purchases.collect_schema():
        return pd.DataFrame({"customer_id": pd.Series(dtype="str"), "used": pd.Series(dtype="str")})
    known = purchases.filter(~nw.col("channel").is_null())
    counts = collected(known.group_by("customer_id", "channel").agg(n=nw.len()))
    most = counts.sort_values(["n", "channel"], ascending=[False, True]).drop_duplicates("customer_id")
    return most.rename(columns={"channel": "used"})[["customer_id", "used"]]


def _grouped(stated: pd.DataFrame, by: pd.DataFrame | None, group: str) -> pd.DataFrame:
    """Everybody who is in a group, with the channel stated, if any: customer_id, group, stated."""
    if by is None:
        return stated.assign(group=EVERYBODY)
    require_columns("by", by.columns, ["customer_id", group])
    if twice := int(by["customer_id"].duplicated().sum()):
        raise Problem(f"by names {twice:,} customers twice. Give each customer one {group}.")
    of = by[["customer_id", group]].rename(columns={group: "group"}).dropna()
    return of.merge(stated, on="customer_id", how="left").sort_values("customer_id", ignore_index=True)


def _groups(people: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """One row per group: which share of the contacts came by another channel, against the other groups."""
    told = contacts.dropna(subset="stated")
    told = told.assign(other=told["contacts"].where(told["stated"] != told["contacted"], 0))
    each = told.groupby(["group", "customer_id"], as_index=False)[["other", "contacts"]].sum()
    shares = evidence.ratios(each, "group", "other", "contacts").set_index("group")
    table = people.groupby("group").agg(customers=("customer_id", "size"), stated=("stated", "count"))
    table = table.assign(
        contacted=shares["customers"], contacts=shares["n"], mismatched=shares["value"],
        low=shares["low"].clip(0, 1), high=shares["high"].clip(0, 1),
    )  # fmt: skip
    table = table.reset_index().fillna({"contacted": 0, "contacts": 0})
    table = table.astype({"contacted": "int64", "contacts": "int64"})
    return pd.concat([table, _against_others(table["group"], each)], axis=1)[_GROUPS]


def _against_others(groups: pd.Series, each: pd.DataFrame) -> pd.DataFrame:
    """The share of contacts that mismatch, in each group against all others."""
    rows = pd.DataFrame(index=groups, columns=_GROUPS[8:], dtype="float64")
    here = {group: (each["group"] == group).to_numpy() for group in groups}
    judged = [group for group in groups if min(here[group].sum(), (~here[group]).sum()) >= FEWEST]
    share = (each["other"] / each["contacts"]).to_numpy()[:, None].repeat(2, axis=1)
    for group in judged:
        weights = each[["contacts"]].to_numpy() * np.column_stack([here[group], ~here[group]])
        (mine, theirs), covariance, n = weighted_means(share, weights, each["customer_id"])
        error, freedom = np.sqrt(np.trace(covariance)), min(n) - 1
        reach = stdtrit(freedom, 1 - 0.025 / len(judged)) * error
        p = 2 * stdtr(freedom, -abs(mine - theirs) / error) if error > 0 else float(mine == theirs)
        rows.loc[group] = [theirs, mine - theirs, mine - theirs - reach, mine - theirs + reach, p, np.nan]
    rows["p_corrected"] = evidence.holm(rows["p"].to_numpy())
    return rows.reset_index(drop=True)


def _shares_of_contacts(contacts: pd.DataFrame) -> pd.DataFrame:
    """By group and stated channel, the share of each channel in the contacts, with an interval by customers."""
    known, rows = contacts.dropna(subset="stated"), []
    for (group, stated), of in known.groupby(["group", "stated"], sort=True):
        wide = of.pivot_table(index="customer_id", columns="contacted", values="contacts", aggfunc="sum", fill_value=0)
        total = wide.sum(axis=1)
        for channel in wide.columns:
            table = pd.DataFrame(
                {"customer_id": wide.index, "all": 0, "here": wide[channel].to_numpy(), "n": total.to_numpy()}
            )
            share = evidence.ratios(table, "all", "here", "n").iloc[0]
            low, high = np.clip([share["low"], share["high"]], 0, 1)
            counts = (int((wide[channel] > 0).sum()), int(wide[channel].sum()))
            rows.append((group, stated, channel, stated == channel, *counts, share["value"], low, high))
    return pd.DataFrame(rows, columns=_CONTACTS)


def _shares_of_use(used: pd.DataFrame) -> pd.DataFrame:
    known = used.dropna(subset="stated")
    counts = known.groupby(["group", "stated", "used"], sort=True).size().rename("customers").reset_index()
    n = counts.groupby(["group", "stated"])["customers"].transform("sum")
    low, high = evidence.share_interval(counts["customers"], n) if len(counts) else (n, n)
    return counts.assign(share=counts["customers"] / n, low=low, high=high)[_USED]


def _share_in_words(groups: pd.DataFrame, asked: str) -> list[str]:
    """How much comes by another channel, and which groups differ from the others."""
    sentences = [phrase(_ASKED_IN[asked], n=groups["stated"].sum(), all=groups["customers"].sum())]
    total = groups["contacts"].sum()
    if total and len(groups) > 1:
        share = percent((groups["mismatched"] * groups["contacts"]).sum() / total)
        sentences.append(
            phrase("{share} of {n:,} contacts came by another channel than the one asked for.", share=share, n=total)
        )
    several = len(groups) > 1
    told = groups[(groups["contacts"] > 0) & (~pd.Series(several, groups.index) | (groups["p_corrected"] < 0.05))]
    sentences += [_group_in_words(row, several) for row in told.itertuples()]
    if several and not (groups["p_corrected"] < 0.05).any():
        sentences.append(phrase("No group is contacted by another channel than the others are beyond chance (Holm)."))
    return sentences


def _group_in_words(row, several: bool) -> str:
    known = row.low == row.low
    said = {
        "group": named(row.group),
        "share": percent(row.mismatched) + (f" ({percent_range(row.low, row.high)})" if known else ""),
        "contacts": row.contacts,
        "n": row.contacted,
    }
    if several:
        return phrase(
            "{group}: {share} of {contacts:,.0f} contacts came by another channel than the one asked for, elsewhere "
            "{elsewhere} (n = {n:,} customers).",
            elsewhere=percent(row.elsewhere),
            **said,
        )
    return phrase(
        "{group}: {share} of {contacts:,.0f} contacts came by another channel than the one asked for (n = {n:,} "
        "customers).",
        **said,
    )


def _effects_in_words(effects: pd.DataFrame) -> list[str]:
    """Where a mismatch costs something, and of how many it cannot be told."""
    mismatched = effects[~effects["matched"]]
    sentences = [_effect_in_words(row) for row in mismatched[mismatched["verdict"].isin(["less", "more"])].itertuples()]
    told, pairs = mismatched["verdict"].value_counts(), len(mismatched)
    same, unknown = told.get("no difference", 0), told.get("cannot be judged", 0)
    if pairs and not sentences:
        sentences.append(phrase("No mismatch effect was found beyond chance (Holm over all pairs of channels)."))
    if same:
        sentences.append(
            phrase("Of {n} of {pairs} pairs of channels a large effect can be ruled out.", n=same, pairs=pairs)
        )
    if unknown:
        n = mismatched.loc[mismatched["verdict"] == "cannot be judged", "customers"]
        sentences.append(_too_few_in_words(unknown, pairs, n.min(), n.max()))
    return sentences


def _too_few_in_words(unknown: int, pairs: int, least: int, most: int) -> str:
    said = {"unknown": unknown, "pairs": pairs, "least": least}
    if least == most:
        return phrase("{unknown} of {pairs} pairs cannot be judged: too few customers alike (n = {least:,}).", **said)
    return phrase(
        "{unknown} of {pairs} pairs cannot be judged: too few customers alike (n = {least:,} to {most:,}).",
        most=most,
        **said,
    )


def _effect_in_words(row) -> str:
    said = {"asked": named(row.stated), "by": named(row.contacted), "days": DAYS, "n": row.customers}
    bounds = {"here": row.effect, "others": row.others, "low": row.low, "high": row.high}
    said |= {name: short(round(x, 3)) for name, x in bounds.items()}
    if row.design != HELD_OUT:
        return phrase(
            "Who asks for {asked} and is contacted by {by} buys {here} times in {days} days, those alike who are "
            "contacted as they asked {others} times (difference {low} to {high}, n = {n:,}). Something unmeasured that "
            "goes along with channel and purchases {e_value:.1f} times as often each would explain it.",
            e_value=row.e_value,
            **said,
        )
    if np.isnan(row.ratio):
        return phrase(
            "Who asks for {asked} and is contacted by {by}: the contact brings {here} more purchases in {days} days, "
            "to the others {others} more purchases (difference {low} to {high}, n = {n:,}; against customers held out "
            "at random).",
            **said,
        )
    return phrase(
        "Who asks for {asked} and is contacted by {by}: the contact brings {here} more purchases in {days} days, to "
        "the others {others} more purchases, {share} of theirs ({interval}) (difference {low} to {high}, n = {n:,}; "
        "against customers held out at random).",
        share=percent(row.ratio),
        interval=percent_range(row.ratio_low, row.ratio_high),
        **said,
    )
