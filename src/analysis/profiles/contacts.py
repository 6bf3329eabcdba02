"""How a customer is in touch with the brand: contacts, channels, messages opened and clicked, campaigns.

Takes the tables `touchpoints` and `campaign_contacts` as of a day. Lazy frames with one row per customer for the
profiles, and `engagement`, a table of its own with a row for each channel on which a customer was met.
"""

from collections.abc import Mapping
from datetime import date

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.expressions import collected, day_of, last_day, one_if, ratio, tables_until, within_days

#: What customers do with messages: column of the profiles, end of the names of such events, instant of a campaign's.
_MESSAGES = {"opens": ("_open", "opened_at"), "clicks": ("_click", "clicked_at")}


def engagement(base: Mapping[str, IntoFrame], as_of: date | None = None) -> pd.DataFrame:
    """Contacts of each customer by channel: where are they met, how often, and when last?

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        With `touchpoints`; instants in the business's timezone.
    as_of : date, optional
        Last day to look at; default: the base's own.

    Returns
    -------
    DataFrame, sorted by customer_id and channel
        customer_id, channel : str; contacts on an unknown channel are left out.
        contacts, contacts_90d : int, in all and within the last 90 days.
        last_contact_at : day of the last one.

    Raises
    ------
    Problem
        When `as_of` or the table is missing, or touchpoints have no channel.

    Examples
    --------
    >>> contacts = pd.DataFrame({
    ...     "customer_id": ["a", "a", "a"], "event": ["visit", "visit", "call"], "channel": ["web", "web", "phone"],
    ...     "occurred_at": pd.to_datetime(["2024-01-01", "2024-05-01", "2024-05-02"]).tz_localize("UTC")})
    >>> engagement({"touchpoints": contacts}, date(2024, 5, 31))
      customer_id channel  contacts  contacts_90d last_contact_at
    0           a   phone         1             1      2024-05-02
    1           a     web         2             1      2024-05-01
    """
    as_of = last_day(base, as_of, "profiles.engagement")
    tables = tables_until({name: base[name] for name in base if name == "touchpoints"}, as_of)
    if "touchpoints" not in tables or "channel" not in tables["touchpoints"].collect_schema():
        found = ", ".join(base) or "no table"
        raise Problem(f"profiles.engagement needs touchpoints with a channel. The base has: {found}.")
    known = _by_channel(tables, as_of).filter(~nw.col("channel").is_null())
    rows = known.select("customer_id", "channel", "contacts", "contacts_90d", last_contact_at=day_of("last"))
    kinds = {"customer_id": "str", "channel": "str", "contacts": "int64", "contacts_90d": "int64"}
    return collected(rows).astype(kinds).sort_values(["customer_id", "channel"], ignore_index=True)


def touchpoints(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """Contacts of each customer, the last one, the channel of most, messages opened and clicked: one pass over them."""
    if "touchpoints" not in tables:
        return None
    by_channel = _by_channel(tables, as_of)
    counted = [c for c in _MESSAGES if c in by_channel.collect_schema()]
    figures = {"n_touchpoints": "contacts", "touchpoints_90d": "contacts_90d", **{c: c for c in counted}}
    sums = {name: nw.col(column).sum() for name, column in figures.items()}
    of_each = {**sums, "last_contact_at": nw.col("last").max()}
    if "channel" not in tables["touchpoints"].collect_schema():
        return by_channel.group_by("customer_id").agg(**of_each).with_columns(last_contact_at=day_of("last_contact_at"))
    known = nw.when(~nw.col("channel").is_null()).then(nw.col("contacts")).otherwise(nw.lit(0))
    ranked = by_channel.with_columns(known=known, less=-known)  # an unknown channel comes last
    of_each["contact_channel"] = nw.col("channel").first(order_by=["less", "channel"])
    met = ranked.group_by("customer_id").agg(**of_each, most=nw.col("known").max(), total=nw.col("known").sum())
    share = ratio(nw.col("most"), nw.col("total"))
    return met.with_columns(last_contact_at=day_of("last_contact_at"), contact_channel_share=share).drop(
        "most", "total"
    )


def campaigns(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """Campaigns received, answered, opened and clicked; whoever was held out as control received nothing."""
    if "campaign_contacts" not in tables:
        return None
    sent, has = tables["campaign_contacts"], set(tables["campaign_contacts"].collect_schema())
    if "variant" in has:
        sent = sent.filter(nw.col("variant").is_null() | (nw.col("variant") != "control"))
    moments = {"campaigns_answered": "converted_at", **{f"campaign_{c}": at for c, (_, at) in _MESSAGES.items()}}
    adds = {name: one_if(~nw.col(at).is_null()) for name, at in moments.items() if at in has}
    rows = sent.select("customer_id", **adds)
    return rows.group_by("customer_id").agg(campaigns_received=nw.len(), **{c: nw.col(c).sum() for c in adds})


def with_messages(profiles: pd.DataFrame) -> pd.DataFrame:
    """Profiles with messages opened and clicked on the way of campaigns added to the others."""
    for name in _MESSAGES:
        counts = [c for c in (name, f"campaign_{name}") if c in profiles]
        if counts:
            total = profiles[counts].fillna(0).sum(axis=1)
            profiles = profiles.drop(columns=counts).assign(**{name: total})
    return profiles


def with_preference(profiles: pd.DataFrame) -> pd.DataFrame:
    """Profiles with whether the channel used is the one that was asked for, of those that anybody mostly buys on."""
    if not {"preferred_channel", "used_channel"} <= set(profiles):
        return profiles
    preferred, used = profiles["preferred_channel"], profiles["used_channel"]
    comparable = used.notna() & preferred.isin(used.dropna().unique())
    return profiles.assign(uses_preferred_channel=(preferred == used).astype("boolean").where(comparable))


def _by_channel(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame:
    """Contacts, contacts in 90 days, the last one, opens and clicks by customer and channel (empty: unknown)."""
    met = tables["touchpoints"]
    recent = one_if(within_days(met, "occurred_at", 90, as_of))
    counted = _counted_messages(tables)
    channel = nw.col("channel") if "channel" in met.collect_schema() else nw.lit(None).cast(nw.String)
    rows = met.select("customer_id", "occurred_at", channel=channel, recent=recent, **counted)
    figures = {"contacts": nw.len(), "contacts_90d": nw.col("recent").sum(), "last": nw.col("occurred_at").max()}
    return rows.group_by("customer_id", "channel").agg(**figures, **{c: nw.col(c).sum() for c in counted})


def _counted_messages(tables: Mapping[str, nw.LazyFrame]) -> dict[str, nw.Expr]:
    """1 for a contact that opens or clicks a message and is not among the campaign contacts as well."""
    has = set(tables["touchpoints"].collect_schema())
    sent = set(tables["campaign_contacts"].collect_schema()) if "campaign_contacts" in tables else set()
    counted = {}
    for name, (end, at) in _MESSAGES.items():
        if "event" in has:
            happened = nw.col("event").str.ends_with(end)
            twice = at in sent and "campaign_id" in has
            counted[name] = one_if(happened & nw.col("campaign_id").is_null() if twice else happened)
    return counted
