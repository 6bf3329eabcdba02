"""What goes wrong and how it is handled: fates of orders, tickets, and the feedback that follows what happened."""

import numpy as np
import pandas as pd

from analysis.bookshop.days import CHANNELS, DAY
from analysis.bookshop.draws import draw, instants, numbered, words
from analysis.bookshop.people import CITIES, REACHED_BY

#: Shares of orders cancelled and given back (in whole or in part) without anything having gone wrong.
CANCELLED = {"branch": 0.003, "web": 0.028, "app": 0.028}
GIVEN_BACK = {"branch": 0.011, "web": 0.026, "app": 0.022}

#: What can go wrong with an order: its share in branches and online, and how many complain about it.
TROUBLES = {
    "late delivery": (0.0, 0.030, 0.25),
    "damaged book": (0.002, 0.012, 0.70),
    "wrong book": (0.001, 0.010, 0.70),
    "payment": (0.001, 0.012, 0.40),
}
#: Days from order to delivery, at least and at most, and from which on it is late; days that a late one adds.
DELIVERY_DAYS, LATE_AFTER, LATE_DAYS = (1, 5), 7, (7, 13)
#: Planted: a slow step. Web orders to this region wait some days more; the share that is slowed, and the days.
SLOW_STEP = {"region": "Razavi Khorasan", "channel": "web", "days": (4, 6)}
#: That failed answers to failures drive customers away is Keaveney's finding (1995, Customer Switching Behavior in
#: Service Industries, Journal of Marketing 59(2)); the shares here are made up.
#: Planted: complaints precede leaving. A badly handled one makes this share of customers leave, after some days.
HANDLED_BADLY, LEAVES, LEAVES_AFTER = 0.35, 0.60, (3, 25)
#: Days until the answer, where a complaint is handled well and badly.
ANSWERED_WITHIN = {"well": (0, 4), "badly": (7, 21)}
#: Share of the damaged and wrong books that are given back, of failed payments that end in a cancellation.
TROUBLE_GIVEN_BACK, TROUBLE_CANCELLED = 0.5, 0.4

#: Topic: team and priority of a ticket.
TOPICS = {
    "late delivery": ("logistics", "normal"),
    "damaged book": ("customer service", "high"),
    "wrong book": ("customer service", "high"),
    "payment": ("payments", "high"),
    "app checkout": ("app", "normal"),
    "question": ("customer service", "low"),
}
TICKET_CHANNELS = ("phone", "email", "web", "app")
#: Share of lost app checkouts that open a ticket, and of orders in branches and online that lead to a question.
CHECKOUT_TICKETS, QUESTIONS = 0.06, (0.010, 0.035)
RATES_HANDLING = 0.45

#: Share of customers who answer when asked: after a branch purchase, a delivery, a closed ticket, a return, a year.
ANSWERS = {"branch": 0.04, "delivery": 0.12, "ticket": 0.35, "return": 0.30, "year": 0.22}
WRITES = 0.35  # of those who answer, how many also write a line
#: What they write, by topic, when content and when not.
WORDS = {
    "delivery": ("Arrived in time|Well packed, thank you|Fast as always", "Came far too late|Nobody said it was late"),
    "branch": ("Friendly advice|I always find something|Lovely shop", "Waited long at the till|Did not have my book"),
    "damaged book": ("Replaced at once", "The cover was torn|Pages were wet"),
    "wrong book": ("Exchanged without fuss", "This is not what I ordered|Wrong volume"),
    "late delivery": ("They explained the delay", "Two weeks for one book|I needed it for an examination"),
    "payment": ("Money came back quickly", "Paid twice and nobody answers|The payment failed"),
    "app checkout": ("Works again now", "The app hangs when I pay|Lost my cart again"),
    "question": ("Clear answer", "Had to ask three times"),
    "return": ("Easy to give back", "Too many forms|Had to pay the postage"),
    "everything": ("I tell my friends|My favourite bookshop|Good choice", "Prices rise every month|Used to be better"),
}  # fmt: skip


def fates_of(rng: np.random.Generator, purchases: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """The purchases with what becomes of each: delivery, trouble, complaint, its handling, and whether they leave.

    Adds delivery_days (0 in branches), trouble (0: none, else the place in `TROUBLES` plus one), cancelled, given_back,
    complains, complaint_day, reply_days, handled_badly and leaves_day (infinity: not for this).
    """
    n = len(purchases)
    channel, day = purchases["channel"].to_numpy(), purchases["day"].to_numpy()
    online = channel > 0
    trouble = np.zeros(n, dtype=int)
    for code, (in_branch, on_line, _) in enumerate(TROUBLES.values(), start=1):
        trouble[rng.random(n) < np.where(online, on_line, in_branch)] = code
    payment = 1 + list(TROUBLES).index("payment")
    late = 1 + list(TROUBLES).index("late delivery")
    spoilt = np.isin(trouble, [1 + list(TROUBLES).index(t) for t in ("damaged book", "wrong book")])
    cancelled = rng.random(n) < np.array([CANCELLED[c] for c in CHANNELS])[channel]
    cancelled |= (trouble == payment) & (rng.random(n) < TROUBLE_CANCELLED)

    low, high = DELIVERY_DAYS
    delivery = rng.integers(low, high + 1, n)
    region = [province for province, _, _ in CITIES.values()].index(SLOW_STEP["region"])
    slow = (people["city"].to_numpy()[purchases["customer"]] == region) & (
        channel == CHANNELS.index(SLOW_STEP["channel"])
    )
    low, high = SLOW_STEP["days"]
    delivery = delivery + np.where(slow, rng.integers(low, high + 1, n), 0)
    delivery = delivery + np.where(trouble == late, rng.integers(*LATE_DAYS, n), 0)
    trouble = np.where(online & (trouble == 0) & (delivery > LATE_AFTER), late, trouble)
    trouble = np.where(cancelled & (trouble != payment), 0, trouble)
    delivery = np.where(online, delivery, 0)

    given_back = rng.random(n) < np.array([GIVEN_BACK[c] for c in CHANNELS])[channel]
    given_back |= spoilt & (rng.random(n) < TROUBLE_GIVEN_BACK)
    complains = rng.random(n) < np.array([0, *(share for _, _, share in TROUBLES.values())])[trouble]
    # Who waits complains some days after it is late, who was charged wrongly within the day, the others when they have
    # looked: at a parcel on the day after it came at the earliest.
    looks = rng.integers(0, 4, n)
    opened = delivery + np.where(online, np.maximum(looks, 1), looks)
    waited = np.select([trouble == late, trouble == payment], [LATE_AFTER + looks, 0], opened)
    badly = complains & (rng.random(n) < HANDLED_BADLY)
    well, ill = (rng.integers(*ANSWERED_WITHIN[how], n) for how in ("well", "badly"))
    least, mean = LEAVES_AFTER
    leaves = day + waited + least + rng.exponential(mean, n)
    return purchases.assign(
        delivery_days=delivery,
        trouble=trouble,
        cancelled=cancelled,
        given_back=given_back & ~cancelled,
        complains=complains,
        complaint_day=day + waited,
        reply_days=np.where(badly, ill, well),
        handled_badly=badly,
        leaves_day=np.where(badly & (rng.random(n) < LEAVES), leaves, np.inf),
    )


def left_for_a_complaint(purchases: pd.DataFrame, n: int) -> np.ndarray:
    """The day on which each of n customers leaves for a badly handled complaint; infinity for the others."""
    leaves = np.full(n, np.inf)
    np.minimum.at(leaves, purchases["customer"].to_numpy(), purchases["leaves_day"].to_numpy())
    return leaves


def tickets_of(
    rng: np.random.Generator,
    purchases: pd.DataFrame,
    sessions: pd.DataFrame,
    people: pd.DataFrame,
    n_days: int,
) -> pd.DataFrame:
    """Tickets in the order of time: complaints about orders, errors at the app's checkout, and questions.

    `sessions` are those that ended at a checkout on the app (customer, at).
    """
    complaints = purchases[purchases["complains"]]
    daytime = rng.integers(9 * 3600, 21 * 3600, len(complaints))
    same_day = complaints["complaint_day"].to_numpy() == complaints["day"].to_numpy()
    at = complaints["complaint_day"].to_numpy() * DAY + daytime
    at = np.where(same_day, complaints["at"].to_numpy() + 600 + daytime // 6, at)
    topics = list(TOPICS)
    told = pd.DataFrame(
        {
            "customer": complaints["customer"].to_numpy(),
            "at": at,
            "topic": complaints["trouble"].to_numpy() - 1,
            "badly": complaints["handled_badly"].to_numpy(),
            "reply_days": complaints["reply_days"].to_numpy(),
        }
    )
    errors = sessions[rng.random(len(sessions)) < CHECKOUT_TICKETS]
    errors = _quickly_answered(
        rng, errors["customer"], errors["at"] + rng.integers(3600, 4 * 3600, len(errors)), topics.index("app checkout")
    )
    asks = purchases[rng.random(len(purchases)) < np.where(purchases["channel"] > 0, QUESTIONS[1], QUESTIONS[0])]
    questions = _quickly_answered(
        rng, asks["customer"], asks["at"] + rng.integers(600, 3 * DAY, len(asks)), topics.index("question")
    )
    tickets = pd.concat([told, errors, questions], ignore_index=True)
    tickets = tickets[tickets["at"] < n_days * DAY].sort_values(["at", "customer", "topic"], ignore_index=True)
    n = len(tickets)
    closed = tickets["at"] + tickets["reply_days"] * DAY + rng.integers(1200, 5 * 3600, n)
    tickets["closed"] = np.where(closed < n_days * DAY, closed, np.nan)
    weights = np.array([[0.6, 0.15, 0.15, 0.1], [0.2, 0.6, 0.15, 0.05], [0.15, 0.1, 0.1, 0.65], [0.9, 0.05, 0.05, 0]])
    order = ("sms", "email", "app", "phone")  # rows of the weights, by the channel they like to be reached by
    row = np.array([order.index(name) for name in REACHED_BY])[people["reached_by"].to_numpy()[tickets["customer"]]]
    tickets["channel"] = draw(rng, weights[row])
    content = np.clip(np.round(rng.normal(np.where(tickets["badly"], 1.7, 4.2), 0.8)), 1, 5)
    rated = tickets["closed"].notna() & (rng.random(n) < RATES_HANDLING)
    tickets["satisfaction"] = np.where(rated, content, np.nan)
    return tickets


def _quickly_answered(rng: np.random.Generator, customer: pd.Series, at: pd.Series, topic: int) -> pd.DataFrame:
    reply = rng.integers(*ANSWERED_WITHIN["well"], len(at))
    return pd.DataFrame(
        {"customer": customer.to_numpy(), "at": at.to_numpy(), "topic": topic, "badly": False, "reply_days": reply}
    )


def ticket_table(
    tickets: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp, first: int, width: int
) -> pd.DataFrame:
    """The tickets as the business stores them, numbered from `first`."""
    teams, priorities = zip(*TOPICS.values(), strict=True)
    topic = tickets["topic"].to_numpy()
    return pd.DataFrame(
        {
            "ticket_id": numbered("T", np.arange(first, first + len(tickets)), width),
            "customer_id": words(ids, tickets["customer"].to_numpy()),
            "opened_at": instants(tickets["at"].to_numpy(), first_day),
            "closed_at": instants(tickets["closed"].to_numpy(), first_day),
            "topic": words(list(TOPICS), topic),
            "priority": words(priorities, topic),
            "channel": words(TICKET_CHANNELS, tickets["channel"].to_numpy()),
            "team": words(teams, topic),
            "satisfaction": tickets["satisfaction"].astype(float),
        }
    )


def true_tickets(tickets: pd.DataFrame, first: int, width: int) -> pd.DataFrame:
    """Which tickets were handled badly."""
    ticket_ids = numbered("T", np.arange(first, first + len(tickets)), width)
    return pd.DataFrame({"ticket_id": ticket_ids, "handled_badly": tickets["badly"].astype(bool)})


def feedback_of(
    rng: np.random.Generator,
    orders: pd.DataFrame,
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    customers: pd.DataFrame,
    n_days: int,
) -> pd.DataFrame:
    """Answers in the order of time: CSAT after purchases and tickets, CES after returns, NPS once a year.

    Only those who may be written to are asked for an NPS. Every score follows what happened.
    """
    reachable = np.array([bool({"email", "sms"} & set(consents)) for consents in customers["consents"]], dtype=bool)
    orders = orders[orders["status"].isin(["completed", "returned"])]
    parts = [
        _after_purchases(rng, orders[orders["status"] == "completed"], people),
        _after_tickets(rng, tickets),
        _after_returns(rng, orders[orders["status"] == "returned"], people),
        _yearly(rng, orders, tickets, people, reachable, n_days),
    ]
    answers = pd.concat(parts, ignore_index=True)
    answers = answers[answers["at"] < n_days * DAY]
    answers = answers.sort_values(["at", "customer", "instrument", "topic"], ignore_index=True)
    writes = rng.random(len(answers)) < WRITES
    pick = rng.random(len(answers))
    phrases = [
        [phrase.split("|") for phrase in WORDS[topic]][0 if content else 1]
        for topic, content in zip(answers["topic"], answers["content"], strict=True)
    ]
    text = [
        said[int(p * len(said))] if yes else None for said, p, yes in zip(phrases, pick, writes.tolist(), strict=True)
    ]
    return answers.assign(text=pd.array(text, dtype="str"))


def _after_purchases(rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    online = (orders["channel"] > 0).to_numpy()
    answers = rng.random(len(orders)) < np.where(online, ANSWERS["delivery"], ANSWERS["branch"])
    orders, online = orders[answers], online[answers]
    mean = np.array([4.45, 2.3, 1.9, 1.9, 2.6])[orders["trouble"]]  # none, then as listed in TROUBLES
    mood = 0.25 * people["brand loyalty"].to_numpy()[orders["customer"]]
    score = np.clip(np.round(rng.normal(mean + mood, 0.75)), 1, 5)
    evening = rng.integers(17 * 3600, 23 * 3600, len(orders))
    day = orders["day"] + orders["delivery_days"] + rng.integers(1, 5, len(orders))
    topic = np.where(online, "delivery", "branch")
    return _answers(orders["customer"], day * DAY + evening, "csat", score, topic, score >= 4)


def _after_tickets(rng: np.random.Generator, tickets: pd.DataFrame) -> pd.DataFrame:
    tickets = tickets[tickets["closed"].notna() & (rng.random(len(tickets)) < ANSWERS["ticket"])]
    score = np.clip(np.round(rng.normal(np.where(tickets["badly"], 1.7, 4.0), 0.8)), 1, 5)
    at = tickets["closed"] + rng.integers(3600, 2 * DAY, len(tickets))
    topic = np.array(list(TOPICS), dtype=object)[tickets["topic"]]
    return _answers(tickets["customer"], at, "csat", score, topic, score >= 4)


def _after_returns(rng: np.random.Generator, notes: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Ease from 1 (very hard) to 7 (very easy): giving back in a branch is easier than by post."""
    notes = notes[rng.random(len(notes)) < ANSWERS["return"]]
    score = np.clip(np.round(rng.normal(np.where(notes["channel"] == 0, 5.8, 4.4), 1.2)), 1, 7)
    at = (notes["day"] + rng.integers(1, 6, len(notes))) * DAY + rng.integers(10 * 3600, 22 * 3600, len(notes))
    return _answers(notes["customer"], at, "ces", score, "return", score >= 5)


def _yearly(
    rng: np.random.Generator,
    orders: pd.DataFrame,
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    reachable: np.ndarray,
    n_days: int,
) -> pd.DataFrame:
    """NPS of customers who bought within the year before: by brand loyalty and the last year's experience."""
    n, parts = len(people), []
    for day in range(365, n_days + 1, 365):
        # Asked in the last two weeks of the year about the twelve months before them.
        in_year = orders["day"].between(day - 379, day - 15)
        bought = np.bincount(orders.loc[in_year, "customer"], minlength=n) > 0
        told = tickets[(tickets["at"] >= (day - 379) * DAY) & (tickets["at"] < (day - 14) * DAY)]
        bad = np.bincount(told.loc[told["badly"].astype(bool), "customer"], minlength=n)
        good = np.bincount(told.loc[~told["badly"].astype(bool), "customer"], minlength=n)
        wrong = np.bincount(orders.loc[in_year & (orders["trouble"] > 0), "customer"], minlength=n)
        mean = 7.9 + 1.3 * people["brand loyalty"].to_numpy() - 4.0 * (bad > 0) - 0.3 * (good > 0) - 1.0 * (wrong > 0)
        score = np.clip(np.round(rng.normal(mean, 1.4)), 0, 10)
        asked = bought & reachable & (people["dropout_day"] + 60 > day).to_numpy()
        who = np.flatnonzero(asked & (rng.random(n) < ANSWERS["year"]))
        at = (day - 1 - rng.integers(0, 14, len(who))) * DAY + rng.integers(9 * 3600, 23 * 3600, len(who))
        after_signup = at > people["signup"].to_numpy()[who]
        who, at = who[after_signup], at[after_signup]
        parts.append(_answers(who, at, "nps", score[who], "everything", score[who] >= 7))
    return pd.concat(parts, ignore_index=True) if parts else _answers([], [], "nps", [], "everything", [])


def _answers(customer, at, instrument: str, score, topic, content) -> pd.DataFrame:
    table = pd.DataFrame(
        {"customer": np.asarray(customer, dtype=int), "at": np.asarray(at, dtype=float), "instrument": instrument}
    )
    return table.assign(score=np.asarray(score, dtype=float), topic=topic, content=np.asarray(content, dtype=bool))


def feedback_table(answers: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    """The answers as the business stores them."""
    return pd.DataFrame(
        {
            "customer_id": words(ids, answers["customer"].to_numpy()),
            "given_at": instants(answers["at"].to_numpy(), first_day),
            "instrument": answers["instrument"].astype("str"),
            "score": answers["score"],
            "stage": pd.Series(np.where(answers["topic"] == "branch", "order", "after"), dtype="str"),
            "topic": answers["topic"].astype("str"),
            "text": answers["text"],
        }
    )
