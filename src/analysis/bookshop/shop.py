"""What they buy: purchases until they drop out, the lines of each, credit notes and sums."""

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import GENRES, pairs_in
from analysis.bookshop.days import CHANNELS, moments
from analysis.bookshop.draws import draw, instants, normed, words
from analysis.bookshop.people import (
    CITIES,
    DECLINE,
    PERSONAS,
    SHARES,
    SHIFT,
    TASTES,
    from_clock,
    seasons_of,
    to_clock,
)

#: Weights of the ways to pay, in branches and online, and how often customers pay the way they are used to.
PAYMENTS = {
    "branch": {"bank card": 78, "cash": 14, "gift card": 8},
    "online": {"online gateway": 70, "wallet": 13, "cash on delivery": 11, "instalments": 6},
}
PAYMENT_HABIT = 0.88

#: Where companies buy and how they pay.
COMPANIES_BUY, COMPANIES_PAY = "sales", "invoice"
#: Discounts and how often each is given; genres of which people take two pieces, how often these and the others.
DISCOUNT_RATES = ((0.10, 0.40), (0.15, 0.25), (0.20, 0.25), (0.30, 0.10))
SEVERAL = {"genres": ("stationery", "children"), True: 0.22, False: 0.03}
#: Planted nothing: the till of the branch has no influence on anything.
TILLS = ("till 1", "till 2", "till 3")


def purchases_of(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame, n_days: int) -> pd.DataFrame:
    """One row per purchase that nothing prevents: customer (row number), day, second and channel.

    The calendar reaches beyond the last of the `n_days` of history: so does what people would buy next.
    """
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
    stopped = declined(people, customer, day, n_days) & (rng.random(len(day)) >= DECLINE["times"])
    customer, day = customer[~stopped], day[~stopped]
    channel = channels_of(rng, people, customer, day, calendar, n_days)
    purchases = pd.DataFrame(
        {"customer": customer, "day": day, "at": moments(rng, day, channel, calendar), "channel": channel}
    )
    return purchases.sort_values(["customer", "at"], kind="stable", ignore_index=True)


def declined(people: pd.DataFrame, customer: np.ndarray, day: np.ndarray, n_days: int) -> np.ndarray:
    """Whether it is the place and the time of the planted decline."""
    there = people["city"].to_numpy()[customer] == list(CITIES).index(DECLINE["city"])
    return there & (day >= n_days - DECLINE["days"])


def channels_of(
    rng: np.random.Generator,
    people: pd.DataFrame,
    customer: np.ndarray,
    day: np.ndarray,
    calendar: pd.DataFrame,
    n_days: int,
) -> np.ndarray:
    """The channel of each order, by the customer's shares, the day, and the planted shift of the last quarter."""
    weights = people[SHARES].to_numpy()[customer] * calendar[list(CHANNELS)].to_numpy()[day]
    # Whoever never goes anywhere but to a branch that is closed today orders on the web.
    weights[weights.sum(axis=1) <= 0, 1] = 1
    return shifted(rng, people, customer, day, draw(rng, weights), n_days)


def shifted(
    rng: np.random.Generator,
    people: pd.DataFrame,
    customer: np.ndarray,
    day: np.ndarray,
    channel: np.ndarray,
    n_days: int,
) -> np.ndarray:
    """The channels after the planted shift: in the last quarter one group goes elsewhere."""
    moves = people["persona"].to_numpy()[customer] == list(PERSONAS).index(SHIFT["persona"])
    moves &= (day >= n_days - SHIFT["days"]) & (channel == CHANNELS.index(SHIFT["from"]))
    moves &= rng.random(len(day)) < SHIFT["share"]
    return np.where(moves, CHANNELS.index(SHIFT["to"]), channel)


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
    several = np.isin(genre, [list(GENRES).index(g) for g in SEVERAL["genres"]])
    quantity = 1 + (rng.random(len(product)) < np.where(several, SEVERAL[True], SEVERAL[False]))
    lines = pd.DataFrame({"purchase": purchase, "product": product, "quantity": quantity})
    lines = pd.concat([lines, _second_of_pairs(rng, lines, customer, products)], ignore_index=True)
    lines = lines.groupby(["purchase", "product"], as_index=False)["quantity"].sum()

    day = purchases["day"].to_numpy()[lines["purchase"]]
    list_price = products["price"].to_numpy()[lines["product"]]
    lines["unit_price"] = np.round(list_price * calendar["prices"].to_numpy()[day], -3)
    cut = _discount_rates(rng, purchases, people)[lines["purchase"]]
    lines["discount"] = np.round(lines["unit_price"] * cut, -3) * lines["quantity"]
    lines["amount"] = lines["quantity"] * lines["unit_price"] - lines["discount"]
    return lines


def _second_of_pairs(
    rng: np.random.Generator, lines: pd.DataFrame, customer: np.ndarray, products: pd.DataFrame
) -> pd.DataFrame:
    """Lines of the titles that come along with another one, for those who do not have them."""
    found = []
    for first, second, share in pairs_in(products):
        product = lines["product"].to_numpy()
        have = np.zeros(customer.max(initial=-1) + 1, dtype=bool)
        have[customer[product == second]] = True
        comes = (product == first) & ~have[customer] & (rng.random(len(product)) < share)
        found.append(pd.DataFrame({"purchase": lines["purchase"].to_numpy()[comes], "product": second, "quantity": 1}))
    return pd.concat(found, ignore_index=True).drop_duplicates(["purchase", "product"])


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
    rates, chances = zip(*DISCOUNT_RATES, strict=True)
    return np.where(uses, rng.choice(rates, len(purchases), p=chances), 0.0)


def with_credit_notes(
    rng: np.random.Generator,
    purchases: pd.DataFrame,
    lines: pd.DataFrame,
    people: pd.DataFrame,
    calendar: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders in the order of time with status, branch, payment and sums; a return is a credit note of its own.

    The purchases know already what became of them (see :mod:`analysis.bookshop.service`).
    """
    orders = purchases.assign(source=np.arange(len(purchases)), status="completed")
    orders["branch"] = _branches(rng, orders, people)
    orders["payment_method"] = _payments(rng, orders, len(people))
    orders["till"] = np.where(orders["channel"] == 0, rng.integers(0, len(TILLS), len(orders)), -1)
    channel = orders["channel"].to_numpy()
    cancelled = orders["cancelled"].to_numpy()
    open_still = (channel > 0) & (orders["day"] + orders["delivery_days"] >= len(calendar))  # not delivered yet
    orders.loc[open_still, "status"] = "open"
    orders.loc[cancelled, "status"] = "cancelled"

    notes = orders[orders["given_back"] & (orders["status"] == "completed")].copy()
    notes["day"] += notes["delivery_days"] + rng.integers(1, 14, len(notes))  # after the delivery
    notes[["complains", "handled_badly"]] = False
    notes["trouble"] = 0
    furthest = int(orders["delivery_days"].max() if len(orders) else 0) + 14
    open_again = np.append(_next_open_day(calendar), [len(calendar)] * furthest)
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


def with_company_orders(
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    company_orders: pd.DataFrame,
    company_lines: pd.DataFrame,
    n_people: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The orders of people and of companies together, numbered anew in the order of time."""
    if company_orders.empty:
        return orders, lines
    theirs = company_orders.assign(
        customer=company_orders["company"] + n_people,
        channel=len(CHANNELS),
        payment_method=sum(len(ways) for ways in PAYMENTS.values()),
        branch=-1,
        till=-1,
        status="completed",
    )
    columns = ["customer", "at", "channel", "payment_method", "branch", "till", "status", "amount", "discount"]
    both = pd.concat([orders[columns], theirs[columns]], ignore_index=True)
    order = np.argsort(both["at"].to_numpy(), kind="stable")
    number = np.empty(len(order), dtype=int)
    number[order] = np.arange(len(order))
    columns = ["order", "product", "quantity", "unit_price", "discount", "amount"]
    their_lines = company_lines.assign(order=company_lines["order"] + len(orders))
    all_lines = pd.concat([lines[columns], their_lines[columns]], ignore_index=True)
    all_lines["order"] = number[all_lines["order"].to_numpy(dtype=int)]
    both = both.iloc[order].reset_index(drop=True)
    return both, all_lines.sort_values(["order", "product"], ignore_index=True)


def order_table(orders: pd.DataFrame, order_ids: list[str], ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    """The orders as the business stores them."""
    branches = [branch for _, _, names in CITIES.values() for branch in names]
    ways = [*(way for names in PAYMENTS.values() for way in names), COMPANIES_PAY]
    return pd.DataFrame(
        {
            "order_id": order_ids,
            "customer_id": words(ids, orders["customer"].to_numpy()),
            "ordered_at": instants(orders["at"].to_numpy(), first_day),
            "channel": words((*CHANNELS, COMPANIES_BUY), orders["channel"].to_numpy()),
            "branch": words(branches, orders["branch"].to_numpy()),
            "payment_method": words(ways, orders["payment_method"].to_numpy()),
            "amount": orders["amount"],
            "discount": orders["discount"],
            "status": orders["status"],
            "till": words(TILLS, orders["till"].to_numpy()),
        }
    )


def line_table(lines: pd.DataFrame, order_ids: list[str], products: pd.DataFrame) -> pd.DataFrame:
    """The lines as the business stores them."""
    return pd.DataFrame(
        {
            "order_id": words(order_ids, lines["order"].to_numpy()),
            "product_id": words(products["product_id"], lines["product"].to_numpy()),
            "quantity": lines["quantity"].astype(float),
            "unit_price": lines["unit_price"],
            "discount": lines["discount"],
            "amount": lines["amount"],
        }
    )
