"""What they buy: purchases until they drop out, the lines of each, credit notes and sums."""

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import GENRES, YEARLY_PRICE_RISE
from analysis.bookshop.days import CHANNELS, moments
from analysis.bookshop.draws import draw, instants, normed, numbered, words
from analysis.bookshop.people import CITIES, SHARES, TASTES, from_clock, seasons_of, to_clock

#: Weights of the ways to pay, in branches and online, and how often customers pay the way they are used to.
PAYMENTS = {
    "branch": {"bank card": 78, "cash": 14, "gift card": 8},
    "online": {"online gateway": 70, "wallet": 13, "cash on delivery": 11, "instalments": 6},
}
PAYMENT_HABIT = 0.88

#: Shares of orders cancelled and given back (in whole or in part), in branches and online.
CANCELLED = {"branch": 0.003, "web": 0.035, "app": 0.035}
GIVEN_BACK = {"branch": 0.012, "web": 0.035, "app": 0.030}


def purchases_of(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """One row per purchase: customer (row number), day, second and channel, customer by customer in time."""
    seasons = seasons_of(calendar)
    persona = people["persona"].to_numpy()
    last = np.minimum(people["dropout_day"].to_numpy(), len(calendar))
    last_reading = to_clock(last, persona, seasons)
    who = np.flatnonzero(people["ever_orders"] & (people["first_day"] < len(calendar)))
    reading = to_clock(people["first_day"].to_numpy()[who] + rng.random(len(who)), persona[who], seasons)
    rate = people["orders_per_year"].to_numpy() / 365.25
    shape = people["regularity"].to_numpy()
    rounds = []
    while len(who):
        rounds.append((who, reading))
        reading = reading + rng.gamma(shape[who], 1 / (shape[who] * np.maximum(rate[who], 1e-6)))
        stays = reading < last_reading[who]
        who, reading = who[stays], reading[stays]
    customer, reading = (np.concatenate(part) for part in zip(*rounds, strict=True)) if rounds else (who, reading)
    day = np.minimum(from_clock(reading, persona[customer], seasons).astype(int), len(calendar) - 1)
    weights = people[SHARES].to_numpy()[customer] * calendar[list(CHANNELS)].to_numpy()[day]
    # Whoever never goes anywhere but to a branch that is closed today orders on the web.
    weights[weights.sum(axis=1) <= 0, 1] = 1
    channel = draw(rng, weights)
    purchases = pd.DataFrame(
        {"customer": customer, "day": day, "at": moments(rng, day, channel, calendar), "channel": channel}
    )
    return purchases.sort_values(["customer", "at"], kind="stable", ignore_index=True)


def lines_of(
    rng: np.random.Generator,
    purchases: pd.DataFrame,
    people: pd.DataFrame,
    products: pd.DataFrame,
    calendar: pd.DataFrame,
) -> pd.DataFrame:
    """One row per purchase and product: row numbers of both, quantity, unit price, discount and amount in toman."""
    count = 1 + rng.poisson(people["basket"].to_numpy()[purchases["customer"]] - 1)
    purchase = np.repeat(np.arange(len(purchases)), count)
    customer = purchases["customer"].to_numpy()[purchase]
    genre = draw(rng, people[TASTES].to_numpy()[customer])
    product = _titles(rng, genre, people["dear"].to_numpy()[customer], products)
    for _ in range(2):  # hardly anybody buys a book twice: look again, and again, for what is on the shelf already
        had = pd.DataFrame({"customer": customer, "product": product}).duplicated().to_numpy()
        product[had] = _titles(rng, genre[had], people["dear"].to_numpy()[customer[had]], products)
    # Presents, stationery and children's books go in pairs now and then.
    several = np.isin(genre, [list(GENRES).index(g) for g in ("stationery", "children")])
    quantity = 1 + (rng.random(len(product)) < np.where(several, 0.22, 0.03))
    lines = pd.DataFrame({"purchase": purchase, "product": product, "quantity": quantity})
    lines = lines.groupby(["purchase", "product"], as_index=False)["quantity"].sum()

    day = purchases["day"].to_numpy()[lines["purchase"]]
    years_ago = calendar["year"].iloc[-1] - calendar["year"].to_numpy()[day]
    list_price = products["price"].to_numpy()[lines["product"]]
    lines["unit_price"] = np.round(list_price / (1 + YEARLY_PRICE_RISE) ** years_ago, -3)
    cut = _discount_rates(rng, purchases, people)[lines["purchase"]]
    lines["discount"] = np.round(lines["unit_price"] * cut, -3) * lines["quantity"]
    lines["amount"] = lines["quantity"] * lines["unit_price"] - lines["discount"]
    return lines


def _titles(rng: np.random.Generator, genre: np.ndarray, dear: np.ndarray, products: pd.DataFrame) -> np.ndarray:
    """A title (row number) of each genre: the dearer of two that catch the eye, or the cheaper, by spend level."""
    dearer = rng.random(len(genre)) < dear
    eyed = rng.random((2, len(genre)))
    price = products["price"].to_numpy()
    title = np.empty(len(genre), dtype=int)
    for g, name in enumerate(GENRES):
        rows = np.flatnonzero(products["category"] == name)
        mine = genre == g
        ladder = products["chance"].to_numpy()[rows].cumsum()
        one, other = rows[np.minimum(np.searchsorted(ladder, eyed[:, mine]), len(rows) - 1)]
        title[mine] = np.where((price[one] >= price[other]) == dearer[mine], one, other)
    return title


def _discount_rates(rng: np.random.Generator, purchases: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Discount of every purchase, 0 for most."""
    uses = rng.random(len(purchases)) < people["discounts"].to_numpy()[purchases["customer"]]
    return np.where(uses, rng.choice([0.10, 0.15, 0.20, 0.30], len(purchases), p=[0.40, 0.25, 0.25, 0.10]), 0.0)


def with_credit_notes(
    rng: np.random.Generator,
    purchases: pd.DataFrame,
    lines: pd.DataFrame,
    people: pd.DataFrame,
    calendar: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders in the order of time with status, branch, payment and sums; a return is a credit note of its own."""
    orders = purchases.assign(source=np.arange(len(purchases)), status="completed")
    orders["branch"] = _branches(rng, orders, people)
    orders["payment_method"] = _payments(rng, orders, len(people))
    channel = orders["channel"].to_numpy()
    fate = rng.random(len(orders))
    cancelled = fate < np.array([CANCELLED[c] for c in CHANNELS])[channel]
    open_still = (channel > 0) & (orders["day"] >= len(calendar) - 4) & (rng.random(len(orders)) < 0.7)
    orders.loc[open_still, "status"] = "open"
    orders.loc[cancelled, "status"] = "cancelled"

    given_back = (1 - fate) < np.array([GIVEN_BACK[c] for c in CHANNELS])[channel]
    notes = orders[given_back & (orders["status"] == "completed")].copy()
    notes["day"] += rng.integers(6, 19, len(notes))  # after the delivery
    open_again = np.append(_next_open_day(calendar), [len(calendar)] * 18)
    notes["day"] = np.where(notes["channel"] == 0, open_again[notes["day"]], notes["day"])
    notes = notes[notes["day"] < len(calendar)]
    notes["at"] = moments(rng, notes["day"].to_numpy(), notes["channel"].to_numpy(), calendar)
    notes["status"] = "returned"
    back = _given_back(rng, lines[lines["purchase"].isin(notes["source"])])

    notes["order"], orders["order"] = notes["source"] + len(purchases), orders["source"]
    lines = pd.concat(
        [lines.assign(order=lines["purchase"]), back.assign(order=back["purchase"] + len(purchases))],
        ignore_index=True,
    )
    orders = pd.concat([orders, notes], ignore_index=True).sort_values(["at", "order"], ignore_index=True)
    sums = lines.groupby("order")[["amount", "discount"]].sum()
    orders[["amount", "discount"]] = sums.loc[orders["order"]].to_numpy()
    number = pd.Series(np.arange(len(orders)), index=orders["order"])
    lines["order"] = number.loc[lines["order"]].to_numpy()
    return orders, lines.sort_values(["order", "product"], ignore_index=True)


def _next_open_day(calendar: pd.DataFrame) -> np.ndarray:
    """The day itself, or the next one on which branches are open."""
    days = np.arange(len(calendar), dtype=float)
    opened = pd.Series(np.where(calendar["branch"] > 0, days, np.nan))
    return opened.bfill().fillna(len(calendar)).astype(int).to_numpy()


def _given_back(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of the credit notes: at least one line of each order, at the price that was paid for it."""
    whole = rng.random(len(lines)) < 0.6
    first = ~lines["purchase"].duplicated()
    back = lines[whole | first].copy()
    back["unit_price"] = back["amount"] / back["quantity"]
    back["quantity"], back["amount"], back["discount"] = -back["quantity"], -back["amount"], 0.0
    return back


def _branches(rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Branch of the orders in branches, mostly the customer's own; empty for the others."""
    names = [branch for _, _, branches in CITIES.values() for branch in branches]
    weights = np.zeros((len(CITIES), len(names)))
    for c, (_, _, branches) in enumerate(CITIES.values()):
        # Who has no branch at home buys on a visit to Tehran.
        weights[c] = [name in (branches or CITIES["Tehran"][2]) for name in names]
    at_home = weights[people["city"]]
    own = draw(rng, at_home)
    customer = orders["customer"].to_numpy()
    other = draw(rng, at_home[customer])
    branch = np.where(rng.random(len(orders)) < 0.85, own[customer], other)
    return np.where(orders["channel"] == 0, branch, -1)


def _payments(rng: np.random.Generator, orders: pd.DataFrame, n: int) -> np.ndarray:
    """How each order was paid (a number over all ways): mostly the way its customer always pays there."""
    customer, first = orders["customer"].to_numpy(), 0
    paid = np.empty(len(orders), dtype=int)
    for place, ways in PAYMENTS.items():
        weights = normed(ways.values())
        habit = rng.choice(len(ways), n, p=weights)
        today = rng.choice(len(ways), len(orders), p=weights)
        way = np.where(rng.random(len(orders)) < PAYMENT_HABIT, habit[customer], today)
        here = (orders["channel"] == 0).to_numpy() == (place == "branch")
        paid[here] = first + way[here]
        first += len(ways)
    return paid


def order_ids(orders: pd.DataFrame) -> list[str]:
    return numbered("O", np.arange(1, len(orders) + 1), 6)


def order_table(orders: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    branches = [branch for _, _, names in CITIES.values() for branch in names]
    ways = [way for names in PAYMENTS.values() for way in names]
    return pd.DataFrame(
        {
            "order_id": order_ids(orders),
            "customer_id": words(ids, orders["customer"].to_numpy()),
            "ordered_at": instants(orders["at"].to_numpy(), first_day),
            "channel": words(CHANNELS, orders["channel"].to_numpy()),
            "branch": words(branches, orders["branch"].to_numpy()),
            "payment_method": words(ways, orders["payment_method"].to_numpy()),
            "amount": orders["amount"],
            "discount": orders["discount"],
            "status": orders["status"],
        }
    )


def line_table(lines: pd.DataFrame, orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": words(order_ids(orders), lines["order"].to_numpy()),
            "product_id": words(products["product_id"], lines["product"].to_numpy()),
            "quantity": lines["quantity"].astype(float),
            "unit_price": lines["unit_price"],
            "discount": lines["discount"],
            "amount": lines["amount"],
        }
    )
