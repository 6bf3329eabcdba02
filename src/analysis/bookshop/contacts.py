"""The contacts: sessions that lead to an order or end before one, deliveries, newsletters."""

import numpy as np
import pandas as pd

from analysis.bookshop.days import CHANNELS, DAY, MINUTE, moments
from analysis.bookshop.draws import draw, instants, words
from analysis.bookshop.marketing import CAMPAIGNS
from analysis.bookshop.people import DECLINE, PERSONAS, SHARES, from_clock, home_channel, seasons_of, to_clock
from analysis.bookshop.service import TICKET_CHANNELS
from analysis.bookshop.shop import declined, shifted

#: How many of the sessions that reach a step of the web shop or the app go on to the next. From cart to order 53 % are
#: lost (0.60 × 0.78); Baymard Institute's survey of studies gives about 70 % for all visitors, and these are customers.
STEPS = ("visit", "search", "product_view", "cart", "checkout", "order")
PASSES = {"visit": 0.78, "product_view": 0.55, "cart": 0.60, "checkout": 0.78}
#: The planted losing step: the app's checkout lets far fewer of these go on to order.
LOSING_STEP = {"persona": "konkur_student", "channel": "app", "step": "checkout", "next": "order", "passes": 0.45}

#: Stage, phase and owner of every contact.
EVENTS = {
    "signup": ("aware", "before", "shop"),
    "visit": ("aware", "before", "shop"),
    "search": ("consider", "before", "shop"),
    "product_view": ("consider", "before", "shop"),
    "cart": ("cart", "during", "shop"),
    "checkout": ("checkout", "during", "shop"),
    "order": ("order", "during", "shop"),
    "cancellation": ("after", "after", "support"),
    "delivery": ("after", "after", "logistics"),
    "return": ("after", "after", "logistics"),
    "support_call": ("after", "after", "support"),
    "support_message": ("after", "after", "support"),
    "review": ("after", "after", "shop"),
    "email_sent": ("aware", "before", "marketing"),
    "email_open": ("aware", "before", "marketing"),
    "email_click": ("consider", "before", "marketing"),
    "sms_sent": ("aware", "before", "marketing"),
    "sms_click": ("consider", "before", "marketing"),
    "push_sent": ("aware", "before", "marketing"),
    "push_open": ("aware", "before", "marketing"),
    "call": ("aware", "before", "marketing"),
    "sales_call": ("aware", "before", "sales"),
    "meeting": ("consider", "before", "sales"),
    "offer_sent": ("consider", "before", "sales"),
}
EVENT = {name: code for code, name in enumerate(EVENTS)}
CONTACT_CHANNELS = (*CHANNELS, "email", "sms", "phone", "courier", "sales")
CONTACT = {name: code for code, name in enumerate(CONTACT_CHANNELS)}
#: A newsletter on this Jalali day of every month, of these kinds in turn; text messages on these months and days.
NEWSLETTER_DAY, NEWSLETTERS = 10, ("new titles", "offer", "reading list")
TEXT_MESSAGES = ((2, 15), (4, 5), (6, 25), (9, 22), (12, 8))


#: At most so many orders' worth of visits come from somebody who never orders.
NEVER_BUYERS_TRY = 0.7


def journeys(
    rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame, calendar: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Contacts on the way to an order, and on the ways that ended before one: customer, second, event, channel.

    Beside them, the checkouts on the app that did not lead to an order (customer, second).
    """
    bought = orders[orders["status"] != "returned"]
    online = bought[bought["channel"] > 0]
    branch = bought[bought["channel"] == 0]
    earlier = _earlier_sessions(rng, bought, people, calendar)
    ended = _ended_early(rng, people, calendar)
    sessions = pd.concat(
        [
            online[["customer", "at", "channel"]].assign(depth=STEPS.index("order")),
            earlier,
            ended,
        ],
        ignore_index=True,
    )
    at_till = branch[["customer", "at", "channel"]].assign(event=EVENT["order"])
    contacts = pd.concat([_session_contacts(rng, sessions), at_till], ignore_index=True)
    lost = (ended["depth"] == STEPS.index("checkout")) & (ended["channel"] == CHANNELS.index("app"))
    return contacts.assign(at=contacts["at"].clip(lower=0)), ended.loc[lost, ["customer", "at"]]


def _earlier_sessions(
    rng: np.random.Generator, bought: pd.DataFrame, people: pd.DataFrame, calendar: pd.DataFrame
) -> pd.DataFrame:
    """Visits in the days before an order, online for all of them: some who buy in a branch look there first."""
    count = rng.poisson(np.where(bought["channel"] > 0, 0.7, 0.2))
    of = bought.loc[bought.index.repeat(count)]
    days_before = rng.geometric(0.35, len(of))
    day = of["day"].to_numpy() - days_before
    customer = of["customer"].to_numpy()
    after_signup = day >= people["signup_day"].to_numpy()[customer]
    day, customer = day[after_signup], customer[after_signup]
    channel = 1 + draw(rng, people[SHARES[1:]].to_numpy()[customer] + 1e-9)
    depth = rng.choice([STEPS.index("product_view"), STEPS.index("cart")], len(day), p=[0.85, 0.15])
    at = moments(rng, day, channel, calendar)
    return pd.DataFrame({"customer": customer, "at": at, "channel": channel, "depth": depth})


def _ended_early(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Sessions that ended at a visit, a product, a cart or a checkout while the customer was active.

    Their number follows from the shares that pass each step: for one order, that many must have been lost before.
    """
    seasons = seasons_of(calendar)
    persona = people["persona"].to_numpy()
    first = people["signup_day"].to_numpy()
    last = np.minimum(people["dropout_day"].to_numpy(), len(calendar))
    tries = people["orders_per_year"].to_numpy() * np.maximum(last - first, 0) / 365.25
    # who never buys looks in now and then, whatever their rate would have been
    cut = np.where(people["ever_orders"], tries, np.minimum(tries, NEVER_BUYERS_TRY))
    shares = people[SHARES[1:]].to_numpy()
    expected = (0.3 + cut)[:, None] * shares
    # what they leave out falls to the others of their group, so that each step loses the share that was set
    for p in np.unique(persona):
        mine = persona == p
        whole = ((0.3 + tries)[mine, None] * shares[mine]).sum(axis=0)
        expected[mine] *= whole / np.maximum(expected[mine].sum(axis=0), 1e-9)
    steps = list(PASSES)
    count = rng.poisson(expected[:, :, None] * _lost_per_order()[persona])
    customer, channel, step = (np.repeat(index.ravel(), count.ravel()) for index in np.indices(count.shape))
    start, stop = (to_clock(day, persona, seasons)[customer] for day in (first, np.maximum(last, first + 1)))
    reading = start + (stop - start) * rng.random(len(customer))
    day = np.minimum(from_clock(reading, persona[customer], seasons).astype(int), len(calendar) - 1)
    channel = shifted(rng, people, customer, day, channel + 1, len(calendar))
    at = moments(rng, day, channel, calendar)
    depth = np.array([STEPS.index(s) for s in steps])[step]
    sessions = pd.DataFrame({"customer": customer, "at": at, "channel": channel, "depth": depth})
    fewer = declined(people, customer, day, len(calendar)) & (rng.random(len(day)) >= DECLINE["times"])
    return sessions[~fewer]


def _lost_per_order() -> np.ndarray:
    """Sessions that end at each step for one that ends in an order: persona × (web, app) × step."""
    passes = np.tile(np.array(list(PASSES.values())), (len(PERSONAS), 2, 1))
    planted = list(PERSONAS).index(LOSING_STEP["persona"]), CHANNELS.index(LOSING_STEP["channel"]) - 1
    passes[*planted, list(PASSES).index(LOSING_STEP["step"])] = LOSING_STEP["passes"]
    reach_order = np.cumprod(passes[..., ::-1], axis=-1)[..., ::-1]
    return (1 - passes) / reach_order


def _session_contacts(rng: np.random.Generator, sessions: pd.DataFrame) -> pd.DataFrame:
    """The contacts of sessions, each as deep as told; one that orders ends at its time, any other begins at it."""
    depth = sessions["depth"].to_numpy()
    n = len(sessions)
    view = STEPS.index("product_view")
    searches = (depth >= view) * (rng.random(n) < 0.45)
    views = (depth >= view) * (1 + rng.poisson(0.7, n))
    count = 1 + searches + views + np.maximum(depth - view, 0)
    session = np.repeat(np.arange(n), count)
    start = np.cumsum(count) - count
    place = np.arange(len(session)) - start[session]
    searched, viewed = searches[session], (searches + views)[session]
    step = np.select([place == 0, place <= searched, place <= viewed], [0, 1, view], view + place - viewed)

    # Mean seconds since the contact before: a visit is the first, an order takes its forms to fill in.
    pause = np.array([0, 45, 80, 90, 120, 160])[step]
    pause = np.where(step > 0, 2 + rng.exponential(1, len(step)) * pause, 0).astype(int)
    elapsed = np.cumsum(pause)
    elapsed -= elapsed[start][session]
    whole = elapsed[start + count - 1]
    begins = sessions["at"].to_numpy() - np.where(depth == STEPS.index("order"), whole, 0)
    return pd.DataFrame(
        {
            "customer": sessions["customer"].to_numpy()[session],
            "at": begins[session] + elapsed,
            "channel": sessions["channel"].to_numpy()[session],
            "event": np.array([EVENT[name] for name in STEPS])[step],
        }
    )


def signups(
    rng: np.random.Generator, people: pd.DataFrame, contacts: pd.DataFrame, calendar: pd.DataFrame
) -> np.ndarray:
    """Second of signing up: on the day it fell on, and before the first contact."""
    n = len(people)
    drawn = moments(rng, people["signup_day"].to_numpy(), home_channel(people), calendar)
    first = contacts.groupby("customer")["at"].min().reindex(np.arange(n)).fillna(np.inf)
    return np.maximum(np.minimum(drawn, first - rng.integers(30, 6 * MINUTE, n)), 0).astype(int).to_numpy()


def all_contacts(
    rng: np.random.Generator,
    journeys: pd.DataFrame,
    orders: pd.DataFrame,
    people: pd.DataFrame,
    customers: pd.DataFrame,
    others: list[pd.DataFrame],
    calendar: pd.DataFrame,
) -> pd.DataFrame:
    """Every contact within the years, sorted by customer and time, with content and campaign of what was sent."""
    signups = pd.DataFrame(
        {"customer": people.index, "at": people["signup"], "event": EVENT["signup"], "channel": home_channel(people)}
    )
    parts = [
        signups,
        journeys,
        _after_orders(rng, orders, calendar),
        _messages(rng, people, customers, calendar),
        *others,
    ]
    contacts = pd.concat([part for part in parts if len(part)], ignore_index=True)
    for column in ("content", "campaign"):
        contacts[column] = contacts[column].fillna(-1).astype(int) if column in contacts else -1
    contacts = contacts[contacts["at"] < len(calendar) * DAY]
    # Events follow each other as listed in EVENTS where two fall on the same second.
    return contacts.sort_values(["customer", "at", "event", "channel", "content", "campaign"], ignore_index=True)


def _after_orders(rng: np.random.Generator, orders: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Deliveries, cancellations, returns and reviews."""
    at, status, channel = orders["at"].to_numpy(), orders["status"].to_numpy(), orders["channel"].to_numpy()
    day = orders["day"].to_numpy()
    n = len(orders)
    office = rng.integers(9 * 3600, 18 * 3600, n)
    delivered = (channel > 0) & (status == "completed")
    delivery = np.where(delivered, (day + orders["delivery_days"].to_numpy()) * DAY + office, at)
    evening = rng.integers(17 * 3600, 24 * 3600, n)
    review = (delivery // DAY + rng.integers(1, 21, n)) * DAY + evening
    cancellation = np.minimum(at + rng.integers(300, 20 * 3600, n), len(calendar) * DAY - 1)
    happened = (
        (delivered, delivery, "delivery", CONTACT["courier"]),
        (status == "cancelled", cancellation, "cancellation", channel),
        (status == "returned", at, "return", channel),
        ((status == "completed") & (rng.random(n) < np.where(delivered, 0.11, 0.015)), review, "review", channel),
    )
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "customer": orders["customer"].to_numpy()[yes],
                    "at": when[yes],
                    "event": EVENT[event],
                    "channel": np.broadcast_to(where, n)[yes],
                }
            )
            for yes, when, event, where in happened
        ],
        ignore_index=True,
    )


def _messages(
    rng: np.random.Generator, people: pd.DataFrame, customers: pd.DataFrame, calendar: pd.DataFrame
) -> pd.DataFrame:
    """Newsletters and text messages to those who consented, what came of them, and the visits by a click."""
    day_of_month = list(zip(calendar["month"], calendar["day"], strict=True))
    mailings = [
        ("email", np.flatnonzero(calendar["day"] == NEWSLETTER_DAY), 10 * 3600),
        ("sms", np.flatnonzero([md in TEXT_MESSAGES for md in day_of_month]), 17 * 3600),
    ]
    interest = rng.beta(2, 3.5, len(people))
    parts = []
    for kind, days, hour in mailings:
        consents = np.array([kind in consented for consented in customers["consents"]])
        customer, mailing = np.nonzero(consents[:, None] & (people["signup"].to_numpy()[:, None] < days * DAY))
        sent = days[mailing] * DAY + hour + rng.integers(0, 20 * MINUTE, len(mailing))
        left = sent > people["dropout_day"].to_numpy()[customer] * DAY
        attention = interest[customer] * np.where(left, 0.35, 1.0)
        opened = rng.random(len(sent)) < attention
        # Hours until it is read: half within about four.
        read = sent + (3600 * np.exp(rng.normal(1.4, 1.1, len(sent)))).astype(int)
        clicked = opened & (rng.random(len(sent)) < (0.16 if kind == "email" else 0.10))
        clicks = read + rng.integers(5, 180, len(sent))
        outcomes = [("sent", np.ones(len(sent), dtype=bool), sent), ("click", clicked, clicks)]
        if kind == "email":  # whether a text message was read cannot be seen
            outcomes.insert(1, ("open", opened, read))
        content = mailing % len(NEWSLETTERS) if kind == "email" else np.full(len(sent), NEWSLETTERS.index("offer"))
        channel = CONTACT[kind]
        for outcome, yes, when in outcomes:
            told = {"customer": customer[yes], "at": when[yes], "content": content[yes]}
            parts.append(pd.DataFrame(told).assign(event=EVENT[f"{kind}_{outcome}"], channel=channel))
        parts.append(_landings(rng, customer[clicked], clicks[clicked], CONTACT["web"]))
    return pd.concat(parts, ignore_index=True)


def of_tickets(tickets: pd.DataFrame) -> pd.DataFrame:
    """A call or a message to support for every ticket."""
    by_phone = tickets["channel"].to_numpy() == TICKET_CHANNELS.index("phone")
    channel = np.array([CONTACT[name] for name in TICKET_CHANNELS])[tickets["channel"]]
    event = np.where(by_phone, EVENT["support_call"], EVENT["support_message"])
    return pd.DataFrame(
        {"customer": tickets["customer"].to_numpy(), "at": tickets["at"], "event": event, "channel": channel}
    )


def _landings(rng: np.random.Generator, customer: np.ndarray, clicked: np.ndarray, channel: int) -> pd.DataFrame:
    """The visits that a click leads to some seconds later: as many as of any look at a product."""
    sessions = pd.DataFrame(
        {"customer": customer, "at": clicked + rng.integers(2, 9, len(clicked)), "channel": channel}
    )
    looks = rng.random(len(sessions)) < PASSES["visit"]
    return _session_contacts(rng, sessions.assign(depth=np.where(looks, STEPS.index("product_view"), 0)))


def of_campaigns(rng: np.random.Generator, answers: pd.DataFrame, programme: pd.DataFrame) -> pd.DataFrame:
    """What campaigns sent, what was opened and clicked, and the visits by a click; nothing for the control group."""
    answers = answers[answers["treated"].astype(bool)]
    by = np.array([CAMPAIGNS[number].channel for number in programme["number"]], dtype=object)
    by = by[answers["campaign"].to_numpy(dtype=int)]
    told = []
    for channel, (sent, opened, clicked, lands_on) in _RESPONSES.items():
        here = answers[by == channel]
        for event, column in ((sent, "sent"), (opened, "opened"), (clicked, "clicked")):
            if event:
                yes = here[here[column].notna()]
                told.append(
                    pd.DataFrame(
                        {
                            "customer": yes["customer"].to_numpy(dtype=int),
                            "at": yes[column].to_numpy(dtype=float),
                            "event": EVENT[event],
                            "channel": CONTACT[channel],
                            "campaign": yes["campaign"].to_numpy(dtype=int),
                        }
                    )
                )
        if lands_on:
            for campaign, yes in here[here["clicked"].notna()].groupby("campaign"):
                customer, at = yes["customer"].to_numpy(dtype=int), yes["clicked"].to_numpy(dtype=float)
                told.append(_landings(rng, customer, at, CONTACT[lands_on]).assign(campaign=int(campaign)))
    return pd.concat(told, ignore_index=True)


#: Events of sending, opening and clicking, by channel, and where a click leads.
_RESPONSES = {
    "email": ("email_sent", "email_open", "email_click", "web"),
    "sms": ("sms_sent", "", "sms_click", "web"),
    "app": ("push_sent", "push_open", "", "app"),
    "phone": ("call", "", "", ""),
}


def of_companies(
    rng: np.random.Generator,
    companies: pd.DataFrame,
    deals: pd.DataFrame,
    stages: pd.DataFrame,
    first: int,
    n_days: int,
) -> pd.DataFrame:
    """Calls, meetings and offers on the way of each deal, the order of a deal that was won, and its delivery."""
    event = np.array([EVENT[name] for name in ("sales_call", "meeting", "offer_sent", "sales_call", "order")])
    of_deals = stages[(stages["stage"] < len(event)) & ~deals["nameless"].to_numpy()[stages["deal"]]]
    won = deals[deals["outcome"] == "won"]
    delivered = (won["closed"] // DAY + rng.integers(2, 8, len(won))) * DAY + rng.integers(
        9 * 3600, 18 * 3600, len(won)
    )
    parts = [
        pd.DataFrame({"customer": companies.index, "at": companies["signup"], "event": EVENT["signup"]}),
        pd.DataFrame(
            {
                "customer": deals["company"].to_numpy()[of_deals["deal"]],
                "at": of_deals["at"].to_numpy(),
                "event": event[of_deals["stage"].to_numpy()],
            }
        ),
        pd.DataFrame({"customer": won["company"], "at": delivered, "event": EVENT["delivery"]}),
    ]
    contacts = pd.concat(parts, ignore_index=True)
    by = np.where(contacts["event"] == EVENT["delivery"], CONTACT["courier"], CONTACT["sales"])
    contacts = contacts.assign(customer=contacts["customer"] + first, channel=by)
    return contacts[contacts["at"] < n_days * DAY]


def touchpoint_table(
    contacts: pd.DataFrame, ids: pd.Series, campaigns: pd.Series, first_day: pd.Timestamp
) -> pd.DataFrame:
    """The contacts as the business records them."""
    event = contacts["event"].to_numpy()
    stage, phase, owner = zip(*EVENTS.values(), strict=True)
    return pd.DataFrame(
        {
            "customer_id": words(ids, contacts["customer"].to_numpy()),
            "occurred_at": instants(contacts["at"].to_numpy(), first_day),
            "event": words(list(EVENTS), event),
            "stage": words(stage, event),
            "phase": words(phase, event),
            "channel": words(CONTACT_CHANNELS, contacts["channel"].to_numpy()),
            "campaign_id": words(campaigns, contacts["campaign"].to_numpy()),
            "content_type": words(NEWSLETTERS, contacts["content"].to_numpy()),
            "owner": words(owner, event),
        }
    )
