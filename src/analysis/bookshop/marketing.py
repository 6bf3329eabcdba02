"""Campaigns: who is contacted, who is held out at random, and what that truly changes for each customer.

A campaign acts on the latent customer, before there are orders: it adds orders to those it wins, takes orders away from
those it annoys, and drives a few of these out for good. What the tables show follows from that.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.bookshop.days import DAY, moments
from analysis.bookshop.draws import instants, words
from analysis.bookshop.people import DECLINE, PERSONAS, REACHED_BY, seasons_of, to_clock
from analysis.bookshop.service import fates_of, left_for_a_complaint
from analysis.bookshop.shop import channels_of, declined

#: A campaign's effect is the change of a customer's expected orders in this many days from the day it is sent.
EFFECT_DAYS = 30
#: Eligible are those who agree to the channel and have bought within so many days.
ELIGIBLE_DAYS = 365
#: Share of those eligible who are contacted; the others are held out as control.
TREATED = 0.6
VARIANTS = ("treatment", "control")
#: Orders that a campaign brings come after a mean of this many days.
BRINGS_AFTER = 7
#: Whom a campaign annoys leaves for good with this chance, once the thirty days are over and some more.
DRIVES_OUT, DRIVES_OUT_AFTER = 0.10, 30
#: Spread of the logarithm of a customer's own share in a campaign's effect.
OWN_SPREAD = 0.3
#: Of those contacted to whom the campaign brings nothing: the chance to open (answer a call), and to click if opened.
# Mailchimp's benchmarks of October 2019 (mailchimp.com/resources/email-marketing-benchmarks) give 22.7 % opened and
# 2.9 % clicked over all accounts; these are customers of the last year, hence more.
OPENS = {"email": (0.36, 0.16), "sms": (0.0, 0.05), "app": (0.22, 0.30), "phone": (0.62, 0.0)}
#: Seconds from a click to the order that it leads to, at least: longer than sessions last.
CLICKS_BEFORE = 1800
#: Cost of a campaign in toman: once, and per customer of the whole base.
COSTS = {"email": (8e6, 60), "sms": (5e6, 450), "app": (6e6, 30), "phone": (10e6, 4_500)}


@dataclass(frozen=True)
class Campaign:
    """A campaign and what it truly does.

    Attributes
    ----------
    name, channel : str
        The channel is one that customers consent to.
    years_ago, month, day : int
        When it starts: Jalali years before the last one, Jalali month and day.
    brings : float
        Extra orders per customer in thirty days.
    brings_to : dict of str to float
        The same for single groups, in place of `brings`.
    annoys : tuple of str
        Groups who take it amiss: they withdraw `withdrawn` of their orders of these days instead.
    annoys_preferring : tuple of str
        The same by the channel on which people want to be reached.
    deaf : tuple of str
        Those who want to be reached on these channels get only a tenth of the effect.
    withdrawn : float
    """

    name: str
    channel: str
    years_ago: int
    month: int
    day: int
    brings: float
    brings_to: dict[str, float] = field(default_factory=dict)
    annoys: tuple[str, ...] = ()
    annoys_preferring: tuple[str, ...] = ()
    deaf: tuple[str, ...] = ()
    withdrawn: float = 0.6


_ONLY_STUDENTS = dict.fromkeys(PERSONAS, 0.0) | {"konkur_student": 0.75}
CAMPAIGNS = (
    Campaign("Book Week", "email", 2, 8, 24, brings=0.15),
    Campaign("Yalda Gifts", "sms", 2, 9, 12, brings=0.15, brings_to={"gift_buyer": 0.40}, annoys=("academic",)),
    Campaign("Spring Calls", "phone", 1, 2, 5, brings=0.38, deaf=("email",)),
    Campaign("Summer Reading", "email", 1, 4, 3, brings=0.18, brings_to={"childrens_parent": 0.35}),
    Campaign("Back to School", "sms", 1, 6, 12, brings=0.10, brings_to={"childrens_parent": 0.35}),
    Campaign("Autumn Calls", "phone", 1, 8, 5, brings=0.38, deaf=("email",)),
    Campaign("Publisher of the Month", "email", 1, 10, 5, brings=0.0),
    Campaign("Spring Bargains", "sms", 0, 2, 8, 0.10, {"bargain_hunter": 0.45}, ("collector",), ("email",)),
    Campaign("Konkur Countdown", "app", 0, 3, 5, brings=0.0, brings_to=_ONLY_STUDENTS),
    Campaign("Summer Calls", "phone", 0, 5, 6, brings=0.38, deaf=("email",)),
    Campaign("Mehr on the App", "app", 0, 7, 4, brings=0.14),
    Campaign("Yalda Night", "email", 0, 9, 8, brings=0.16, brings_to={"gift_buyer": 0.40}),
)
#: Planted, by name: works for one group only; works on nobody.
FOR_ONE_GROUP, FOR_NOBODY = ("Konkur Countdown", "konkur_student"), "Publisher of the Month"
#: Planted: whoever is called and wants e-mail has this share of the others' effect.
DEAF = 0.1


def programme_of(calendar: pd.DataFrame, customers: int) -> pd.DataFrame:
    """The campaigns within the years, in the order of time: number in `CAMPAIGNS`, first and last day, cost."""
    rows = []
    for number, campaign in enumerate(CAMPAIGNS):
        year = calendar["year"].iloc[-1] - campaign.years_ago
        on = (calendar["year"] == year) & (calendar["month"] == campaign.month) & (calendar["day"] == campaign.day)
        starts = np.flatnonzero(on)
        if len(starts) and starts[0] + EFFECT_DAYS <= len(calendar):
            once, each = COSTS[campaign.channel]
            rows.append((number, starts[0], starts[0] + 6, once + each * customers))
    programme = pd.DataFrame(rows, columns=["number", "starts", "ends", "cost"])
    return programme.sort_values(["starts", "number"], ignore_index=True)


def campaign_table(programme: pd.DataFrame, first_day: pd.Timestamp) -> pd.DataFrame:
    """The campaigns as the business lists them."""
    campaigns = [CAMPAIGNS[number] for number in programme["number"]]
    return pd.DataFrame(
        {
            "campaign_id": campaign_ids(programme),
            "name": pd.array([c.name for c in campaigns], dtype="str"),
            "channel": pd.array([c.channel for c in campaigns], dtype="str"),
            "starts_at": instants(programme["starts"].to_numpy() * DAY, first_day),
            "ends_at": instants(programme["ends"].to_numpy() * DAY + DAY - 60, first_day),
            "cost": programme["cost"].astype(float),
        }
    )


def campaign_ids(programme: pd.DataFrame) -> pd.Series:
    """The campaigns' ids, by their places in the programme."""
    return pd.Series([f"M{place:02d}" for place in range(1, len(programme) + 1)], dtype="str")


def contacted(
    rng: np.random.Generator,
    programme: pd.DataFrame,
    purchases: pd.DataFrame,
    people: pd.DataFrame,
    customers: pd.DataFrame,
    calendar: pd.DataFrame,
    n_days: int,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The purchases as the campaigns change them, the contacts with their true effects, and when and why people leave.

    The calendar reaches beyond the `n_days` of history. Contacts: campaign (place in the programme), customer, treated,
    sent (second), effect, brought_at (second of the first order it brings; missing where it brings none).
    """
    seasons, n = seasons_of(calendar), len(people)
    persona = people["persona"].to_numpy()
    purchases = purchases.assign(campaign=-1)
    dropout = people["dropout_day"].to_numpy().copy()
    parts = []
    for place, row in enumerate(programme.itertuples()):
        campaign, start = CAMPAIGNS[row.number], int(row.starts)
        before = purchases[purchases["day"] < start]
        last = np.minimum(dropout, left_for_a_complaint(before, n))
        consent = np.array([campaign.channel in consents for consents in customers["consents"]], dtype=bool)
        who = np.flatnonzero(consent & _bought_lately(before, last, start))
        treated = rng.random(len(who)) < TREATED
        active = last > start
        effect, annoyed = _effects(rng, campaign, people, who)
        expected = _expected_orders(people, who, start, persona, seasons, n_days)
        effect = np.where(annoyed, -campaign.withdrawn * expected, effect) * active[who]
        annoyed &= effect < 0
        sent = start * DAY + 10 * 3600 + rng.integers(0, 8 * 3600, len(who))

        harmed = np.zeros(n, dtype=bool)
        harmed[who[treated & annoyed]] = True
        within = purchases["day"].between(start + 1, start + EFFECT_DAYS)
        withdrawn = within & harmed[purchases["customer"]] & (rng.random(len(purchases)) < campaign.withdrawn)
        goes = treated & annoyed & (rng.random(len(who)) < DRIVES_OUT)
        later = start + EFFECT_DAYS + 1 + rng.exponential(DRIVES_OUT_AFTER, len(who))
        dropout[who[goes]] = np.minimum(dropout[who[goes]], later[goes])

        count = rng.poisson(np.where(treated, np.maximum(effect, 0), 0))
        extra = _brought(rng, np.repeat(who, count), start, last, people, calendar, n_days)
        purchases = pd.concat([purchases[~withdrawn], extra.assign(campaign=place)], ignore_index=True)
        brought_at = extra.groupby("customer")["at"].min().reindex(who).to_numpy()
        told = {"customer": who, "treated": treated, "sent": sent, "effect": effect, "brought_at": brought_at}
        parts.append(pd.DataFrame(told).assign(campaign=place))

    complaint = left_for_a_complaint(purchases, n)
    cause = np.where(dropout < people["dropout_day"], "campaign", "")
    cause = np.where(complaint < dropout, "complaint", cause)
    dropout = np.minimum(dropout, complaint)
    leaving = pd.DataFrame({"dropout_day": dropout, "left_for": pd.array(cause, dtype="str")})
    purchases = purchases[purchases["day"] < dropout[purchases["customer"]]]
    purchases = purchases.sort_values(["customer", "at", "campaign"], kind="stable", ignore_index=True)
    columns = ["campaign", "customer", "treated", "sent", "effect", "brought_at"]
    contacts = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns, dtype=float)
    return purchases, contacts, leaving


def _bought_lately(purchases: pd.DataFrame, last: np.ndarray, start: int) -> np.ndarray:
    """Whether each person has bought within a year before a day, as far as they had not left: the shop can see that."""
    customer, day = purchases["customer"].to_numpy(), purchases["day"].to_numpy()
    lately = (day >= start - ELIGIBLE_DAYS) & (day < last[customer])
    return np.bincount(customer[lately], minlength=len(last)) > 0


def _effects(
    rng: np.random.Generator, campaign: Campaign, people: pd.DataFrame, who: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Extra orders that each customer would place, and who takes the campaign amiss."""
    by_group = np.array([campaign.brings_to.get(name, campaign.brings) for name in PERSONAS])
    own = np.exp(rng.normal(-(OWN_SPREAD**2) / 2, OWN_SPREAD, len(who)))
    wants = np.array(list(REACHED_BY))[people["reached_by"].to_numpy()[who]]
    group = people["persona"].to_numpy()[who]
    effect = by_group[group] * own * np.where(np.isin(wants, campaign.deaf), DEAF, 1.0)
    annoyed = np.isin(np.array(list(PERSONAS))[group], campaign.annoys) | np.isin(wants, campaign.annoys_preferring)
    return effect, annoyed


def _expected_orders(
    people: pd.DataFrame, who: np.ndarray, start: int, persona: np.ndarray, seasons: np.ndarray, n_days: int
) -> np.ndarray:
    """Orders expected in the days of the effect without the campaign, from the purchase rate and the season."""
    of = persona[who]
    at = np.full(len(who), start + 1.0)
    season = to_clock(at + EFFECT_DAYS, of, seasons) - to_clock(at, of, seasons)
    rate = people["orders_per_year"].to_numpy()[who] / 365.25
    fewer = declined(people, who, np.full(len(who), start), n_days)
    leaves = people["dropout_rate"].to_numpy()[who] * EFFECT_DAYS / 365.25
    still = -np.expm1(-leaves) / leaves  # mean chance over these days of not having dropped out
    return rate * season * still * np.where(fewer, DECLINE["times"], 1.0)


def _brought(
    rng: np.random.Generator,
    customer: np.ndarray,
    start: int,
    last: np.ndarray,
    people: pd.DataFrame,
    calendar: pd.DataFrame,
    n_days: int,
) -> pd.DataFrame:
    """The orders that a campaign brings, most of them soon, all within its days and before the customer drops out."""
    days = np.clip(last[customer] - start - 1, 0.0, EFFECT_DAYS)
    soon = -BRINGS_AFTER * np.log1p(-rng.random(len(customer)) * -np.expm1(-days / BRINGS_AFTER))
    day = np.minimum(start + 1 + soon.astype(int), n_days - 1)
    channel = channels_of(rng, people, customer, day, calendar, n_days)
    at = moments(rng, day, channel, calendar)
    extra = pd.DataFrame({"customer": customer, "day": day, "at": at, "channel": channel})
    return fates_of(rng, extra, people)


def responses(
    rng: np.random.Generator, contacts: pd.DataFrame, programme: pd.DataFrame, orders: pd.DataFrame, n_days: int
) -> pd.DataFrame:
    """The contacts with what came of them: opened, clicked, converted (seconds or missing) and revenue.

    Whoever orders because of a campaign has opened and clicked before; it counts as converted when the first order
    within thirty days of the sending follows the click (for a call: the answered call), whatever its cause.
    """
    n = len(contacts)
    channel = np.array([CAMPAIGNS[number].channel for number in programme["number"]], dtype=object)
    channel = channel[contacts["campaign"].to_numpy(dtype=int)]
    sent, treated = contacts["sent"].to_numpy(dtype=float), contacts["treated"].to_numpy(dtype=bool)
    brought = contacts["brought_at"].to_numpy(dtype=float)
    opens, clicks = np.array([OPENS[c] for c in channel]).reshape(n, 2).T
    read = sent + np.round(3600 * np.exp(rng.normal(1.2, 1.1, n)))
    # Whoever orders because of it has clicked before the session of the order began: half an hour, hours or days before
    # (log-uniform). No stretch of time may tell these orders from those that would have come anyway.
    least, most = CLICKS_BEFORE, np.maximum(brought - sent - 600, CLICKS_BEFORE)
    click_for_order = brought - np.floor(least * (most / least) ** rng.random(n))
    read_for_order = np.maximum(click_for_order - rng.integers(5, 180, n), sent + 5)
    came = ~np.isnan(brought)
    by_phone, by_sms = channel == "phone", channel == "sms"
    call = sent + 20  # picked up
    opened = np.where(came, np.where(by_phone, call, read_for_order), np.where(by_phone, call, read))
    does_open = treated & (came | (rng.random(n) < np.where(by_sms, 1.0, opens)))
    does_click = does_open & ~by_phone & (came | (rng.random(n) < clicks))
    clicked = np.where(came, np.maximum(click_for_order, opened + 5), opened + rng.integers(5, 180, n))
    end = n_days * DAY
    does_open &= opened < end
    does_click &= does_open & (clicked < end)

    answers = contacts.assign(
        opened=np.where(does_open & ~by_sms, opened, np.nan),  # whether a text message was read cannot be seen
        clicked=np.where(does_click, clicked, np.nan),
    )
    since = np.where(by_phone, np.where(does_open, opened, np.nan), answers["clicked"])
    return answers.assign(**_converted(since, sent, contacts["customer"].to_numpy(dtype=int), orders))


def _converted(
    since: np.ndarray, sent: np.ndarray, customer: np.ndarray, orders: pd.DataFrame
) -> dict[str, np.ndarray]:
    """First order placed after a moment and within thirty days of the sending, and its amount unless cancelled."""
    placed = orders[orders["status"] != "returned"].sort_values("at", kind="stable")
    moment = pd.DataFrame({"customer": customer, "since": since, "place": np.arange(len(since))}).dropna()
    moment = moment.astype({"since": "float64"}).sort_values("since", kind="stable")
    next_order = pd.merge_asof(
        moment,
        placed[["customer", "at", "amount", "status"]].astype({"at": "float64", "customer": "int64"}),
        left_on="since",
        right_on="at",
        by="customer",
        direction="forward",
    ).set_index("place")
    soon = next_order[next_order["at"] < sent[next_order.index] + EFFECT_DAYS * DAY]
    at, revenue = np.full(len(since), np.nan), np.full(len(since), np.nan)
    at[soon.index] = soon["at"]
    revenue[soon.index] = np.where(soon["status"] == "cancelled", 0.0, soon["amount"])
    return {"converted": at, "revenue": revenue}


def contact_table(
    answers: pd.DataFrame, programme: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp
) -> pd.DataFrame:
    """The contacts as the business records them; for the control group only when they were held out."""
    treated = answers["treated"].to_numpy(dtype=bool)
    return pd.DataFrame(
        {
            "campaign_id": words(campaign_ids(programme), answers["campaign"].to_numpy(dtype=int)),
            "customer_id": words(ids, answers["customer"].to_numpy(dtype=int)),
            "variant": words(VARIANTS, (~treated).astype(int)),
            "sent_at": instants(answers["sent"].to_numpy(dtype=float), first_day),
            "opened_at": instants(answers["opened"].to_numpy(), first_day),
            "clicked_at": instants(answers["clicked"].to_numpy(), first_day),
            "converted_at": instants(answers["converted"].to_numpy(), first_day),
            "revenue": answers["revenue"],
        }
    )


def true_effects(answers: pd.DataFrame, programme: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Each campaign's effect on each customer it could reach: change of expected orders in thirty days."""
    return pd.DataFrame(
        {
            "campaign_id": words(campaign_ids(programme), answers["campaign"].to_numpy(dtype=int)),
            "customer_id": words(ids, answers["customer"].to_numpy(dtype=int)),
            "effect": answers["effect"].to_numpy(dtype=float).round(4),
        }
    )
