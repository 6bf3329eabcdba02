"""The truth that no business knows: who customers are, how loyal, what they will spend next."""

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import GENRES
from analysis.bookshop.days import CHANNELS, DAY
from analysis.bookshop.draws import instants, words
from analysis.bookshop.people import (
    CITIES,
    DECLINE,
    PERSONAS,
    REACHED_BY,
    REGULAR_SHAPE,
    SHARES,
    TASTES,
    TRAITS,
    seasons_of,
    to_clock,
)
from analysis.bookshop.service import (
    CANCELLED,
    DELIVERY_DAYS,
    HANDLED_BADLY,
    LATE_AFTER,
    LEAVES,
    SLOW_STEP,
    TROUBLE_CANCELLED,
    TROUBLES,
)
from analysis.bookshop.shop import DISCOUNT_RATES, SEVERAL, declined

#: Stages of loyalty, each from a moment of the latent process: signing up, the first, second and fourth order placed,
#: `AT_RISK_DAYS` before dropping out (not before the first order), and dropping out.
LOYALTY = ("lead", "new", "repeat", "loyal", "at risk", "left")
AT_RISK_DAYS = 60
#: Days in the next year, as blocks over which purchase rates and chances of having left are taken together.
NEXT_YEAR, BLOCK = 365, 5
BUSINESS = "business"  # in place of a persona, for customers that are no persons


def true_customers(
    people: pd.DataFrame, companies: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp
) -> pd.DataFrame:
    """What the business does not know, one row per customer; rounded, so that no last digit depends on the machine."""
    persons = pd.DataFrame(
        {
            "persona": words(list(PERSONAS), people["persona"].to_numpy()),
            "ever_orders": people["ever_orders"],
            "orders_per_year": people["orders_per_year"].round(4),
            "regular": people["regularity"] > 1,
            "dropout_at": instants((people["dropout_day"] * DAY).to_numpy(), first_day),
            "left_for": people["left_for"],
            "true_preferred_channel": words(list(REACHED_BY), people["reached_by"].to_numpy()),
            "spend_level": people["dear"].round(4),
            "price_sensitivity": people["discounts"].round(4),
            "lines_per_order": people["basket"].round(4),
            "expected_spend_next_year": people["expected_spend_next_year"].round(-2),
            "spend_next_year": people["spend_next_year"],
        }
    )
    traits = people[list(TRAITS)].round(4)
    traits.columns = [f"trait_{trait.replace(' ', '_')}" for trait in TRAITS]
    persons = pd.concat([persons, traits, people[SHARES + TASTES].round(4)], axis=1)
    others = pd.DataFrame(
        {
            "persona": BUSINESS,
            "ever_orders": True,
            "orders_per_year": companies["deals_per_year"].round(4),
            "regular": False,
            "dropout_at": instants((companies["dropout_day"] * DAY).to_numpy(), first_day),
        }
    )
    truth = pd.concat([persons, others], ignore_index=True) if len(others) else persons
    truth.insert(0, "customer_id", ids)
    return truth.astype({"persona": "str"})


def true_loyalty(people: pd.DataFrame, orders: pd.DataFrame, ids: pd.Series, calendar: pd.DataFrame) -> pd.DataFrame:
    """The stages of loyalty that each person has entered up to the last day, and when."""
    end = len(calendar) * DAY
    placed = orders[orders["status"] != "returned"].sort_values(["customer", "at"], kind="stable")
    place = placed.groupby("customer").cumcount().to_numpy() + 1
    nth = {n: placed[place == n].set_index("customer")["at"].reindex(range(len(people))) for n in (1, 2, 4)}
    left = people["dropout_day"] * DAY
    risk = np.maximum(left - AT_RISK_DAYS * DAY, nth[1])
    entered = pd.DataFrame(
        {
            "lead": people["signup"].astype(float),
            "new": nth[1],
            **{stage: nth[n].where(nth[n] < risk) for stage, n in (("repeat", 2), ("loyal", 4))},
            "at risk": risk.where(risk < left),
            "left": left,
        }
    )
    rows = entered[list(LOYALTY)].stack().rename("at").reset_index()
    rows.columns = ["customer", "stage", "at"]
    rows = rows[rows["at"] < end]
    stage = pd.Categorical(rows["stage"], LOYALTY).codes
    return pd.DataFrame(
        {
            "customer_id": words(ids, rows["customer"].to_numpy()),
            "from": instants(rows["at"].to_numpy(), calendar["date"].iloc[0]),
            "stage": words(LOYALTY, stage),
        }
    )


def last_moments(people: pd.DataFrame, orders: pd.DataFrame) -> np.ndarray:
    """The day (with fractions) on which people drop out, put after all that they did on that day."""
    last = orders[orders["status"] != "returned"].groupby("customer")["at"].max().reindex(range(len(people)))
    did = np.maximum(last.fillna(0).to_numpy(), people["signup"].to_numpy(dtype=float))
    return np.maximum(people["dropout_day"].to_numpy(), (did + 60) / DAY)


def expected_next_year(
    people: pd.DataFrame, purchases: pd.DataFrame, products: pd.DataFrame, calendar: pd.DataFrame, n_days: int
) -> np.ndarray:
    """Spend to be expected in the 365 days after the last, given each person's latent state on it (toman).

    The state is: having dropped out or not, purchase rate, regularity and time since the last purchase, dropout rate,
    season, taste, basket, spend level and price sensitivity, and how likely an order ends in a complaint for which they
    leave; not the hidden moment of dropping out. Cancelled orders count nothing, returns and campaigns to come are left
    out.
    """
    return _orders_to_come(people, purchases, calendar, n_days) * _spend_per_order(people, products)


def _orders_to_come(people: pd.DataFrame, purchases: pd.DataFrame, calendar: pd.DataFrame, n_days: int) -> np.ndarray:
    """Orders expected in the next year, each weighted by the prices of its day."""
    seasons, persona = seasons_of(calendar), people["persona"].to_numpy()
    start = np.maximum(people["first_day"].to_numpy(), n_days).astype(float)
    own = purchases[purchases["campaign"] < 0].groupby("customer")["day"].max().reindex(range(len(people)))
    last = np.where(people["first_day"] < n_days, own.fillna(people["first_day"]), start)
    last_reading, from_reading = to_clock(last + 0.5, persona, seasons), to_clock(start, persona, seasons)
    rate, shape = people["orders_per_year"].to_numpy() / 365.25, people["regularity"].to_numpy()
    phases = _phases_since(rate * np.maximum(from_reading - last_reading, 0), shape)
    yearly_dropout, leaves = people["dropout_rate"].to_numpy(), _leaves_for_a_complaint(people)
    prices = calendar["prices"].to_numpy()
    orders, placed_before = np.zeros(len(people)), np.zeros(len(people))
    for day in range(n_days, n_days + NEXT_YEAR, BLOCK):
        begins, ends = (np.maximum(seasons[:, d][persona] - from_reading, 0) for d in (day, day + BLOCK))
        placed = _renewals(rate * ends, shape, phases) - _renewals(rate * begins, shape, phases)
        still = np.exp(-yearly_dropout * np.maximum(day + BLOCK / 2 - start, 0) / 365.25 - leaves * placed_before)
        orders += placed * still * prices[day : day + BLOCK].mean()
        placed_before += placed
    # The first order of those who have not ordered yet comes on a day of its own.
    comes = (people["first_day"] >= n_days) & (people["first_day"] < n_days + NEXT_YEAR)
    orders += np.where(comes, prices[np.minimum(people["first_day"], len(calendar) - 1)], 0.0)
    orders *= people["ever_orders"] & (people["dropout_day"] > n_days)
    everyone, last_day = np.arange(len(people)), np.full(len(people), n_days)
    return orders * np.where(declined(people, everyone, last_day, n_days), DECLINE["times"], 1.0)


def _spend_per_order(people: pd.DataFrame, products: pd.DataFrame) -> np.ndarray:
    """What each person is expected to pay for an order at the prices of the last year, cancelled ones at nothing."""
    tastes, dear = people[TASTES].to_numpy(), people["dear"].to_numpy()[:, None]
    low, high = _prices_of_two(products)
    pieces = np.array([1 + SEVERAL[genre in SEVERAL["genres"]] for genre in GENRES])
    line = (tastes * (dear * high + (1 - dear) * low) * pieces).sum(axis=1)
    rates, chances = zip(*DISCOUNT_RATES, strict=True)
    paid = 1 - people["discounts"].to_numpy() * np.dot(rates, chances)
    in_branch, on_line, _ = TROUBLES["payment"]
    lost = np.array([CANCELLED[c] + TROUBLE_CANCELLED * (on_line if c != "branch" else in_branch) for c in CHANNELS])
    kept = 1 - people[SHARES].to_numpy() @ lost
    return people["basket"].to_numpy() * line * paid * kept


def spend_next_year(future: pd.DataFrame, lines: pd.DataFrame, n: int) -> np.ndarray:
    """What each person does spend in the year after the last day (toman): one course of events, nothing cancelled."""
    counts = ~future["cancelled"].to_numpy(dtype=bool)[lines["purchase"]]
    customer = future["customer"].to_numpy()[lines["purchase"]]
    return np.bincount(customer[counts], lines["amount"].to_numpy()[counts], minlength=n)


def _leaves_for_a_complaint(people: pd.DataFrame) -> np.ndarray:
    """How likely each person's order ends in a complaint that is handled badly, so that they leave."""
    complains = np.tile(
        [
            sum(share[place] * complaint for *share, complaint in TROUBLES.values())
            for place in (int(channel != "branch") for channel in CHANNELS)
        ],
        (len(people), 1),
    )
    slow = people["city"].to_numpy() == [province for province, _, _ in CITIES.values()].index(SLOW_STEP["region"])
    usual, more = (np.arange(low, high + 1) for low, high in (DELIVERY_DAYS, SLOW_STEP["days"]))
    days = np.add.outer(usual, more)
    no_trouble = 1 - sum(online for _, online, _ in TROUBLES.values())
    late = (days > LATE_AFTER).mean() * no_trouble * TROUBLES["late delivery"][2]
    complains[slow, CHANNELS.index(SLOW_STEP["channel"])] += late
    return (people[SHARES].to_numpy() * complains).sum(axis=1) * HANDLED_BADLY * LEAVES


def _phases_since(units: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Chances of having passed 0 to 3 of the phases of a gap, given that it is still going on.

    A gap of a regular buyer is Erlang: `REGULAR_SHAPE` exponential phases. In `units` (mean gaps since the last
    purchase) the number of phases passed is Poisson, here below the shape. An irregular buyer's gap has one phase.
    """
    a = REGULAR_SHAPE * np.minimum(units, 50.0)[:, None]  # far overdue: the last phase, all but surely
    k = np.arange(REGULAR_SHAPE)
    weights = a**k / np.cumprod([1, *k[1:]])
    weights /= weights.sum(axis=1, keepdims=True)
    return np.where(shape[:, None] > 1, weights, k == 0)


def _renewals(units: np.ndarray, shape: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Expected purchases within so many mean gaps, from the phases passed before: (phases + Poisson) over the shape.

    The whole part of a quotient is the quotient less its remainder; the mean remainder of a Poisson number modulo four
    follows from its generating function at the fourth roots of unity.
    """
    a = REGULAR_SHAPE * units
    expected = np.zeros(len(units))
    for k in range(REGULAR_SHAPE):
        remainder = np.zeros(len(units))
        for m in range(1, REGULAR_SHAPE):
            turned = np.cos(np.pi * (k - m) / 2 + a)
            remainder += m / 4 * (1 + (-1.0) ** (k - m) * np.exp(-2 * a) + 2 * np.exp(-a) * turned)
        expected += phases[:, k] * (k + a - remainder) / REGULAR_SHAPE
    return np.where(shape > 1, expected, units)


def _prices_of_two(products: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """By genre, the mean price of the cheaper and of the dearer of two titles that catch the eye."""
    low, high = [], []
    for genre in GENRES:
        of = products[products["category"] == genre].sort_values("price", kind="stable")
        price, chance = of["price"].to_numpy(), of["chance"].to_numpy()
        below = np.cumsum(chance)  # chance that one title is at most this dear
        dearest = below**2 - (below - chance) ** 2
        cheapest = (1 - below + chance) ** 2 - (1 - below) ** 2
        low.append((price * cheapest).sum())
        high.append((price * dearest).sum())
    return np.array(low), np.array(high)
