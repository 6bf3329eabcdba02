"""The customers as they truly are: eight groups, and what is hidden of each person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.bookshop.catalogue import GENRES
from analysis.bookshop.days import CHANNELS, FEASTS
from analysis.bookshop.draws import beta, dirichlet, draw, normed


@dataclass(frozen=True)
class Persona:
    """A true group of customers: who they are and how they buy.

    Attributes
    ----------
    share : float
        Share of all customers.
    age : tuple of float
        Mean, standard deviation, lowest and highest, in years.
    women, married : float
        Share of women; highest share of married people, reached by those well over thirty.
    occupations, genres : dict of str to float
        Weights.
    channels : tuple of float
        Weights of branch, web and app.
    converts : float
        Share of those who sign up that ever order.
    orders_per_year, rate_shape : float
        Mean and gamma shape of the purchase rate while a customer is active (a small shape: very unequal rates).
    years, years_shape : float
        One over the mean dropout rate, and the gamma shape of the dropout rate.
    regular : float
        Share who buy at regular intervals.
    basket : float
        Mean number of lines in an order.
    dear : float
        How often a customer takes the dearer of two titles, 0 to 1: the spend level.
    discounts : float
        Share of orders bought at a discount: the price sensitivity.
    months : dict of int to float
        Purchase rate in a Jalali month against an ordinary one.
    feasts : float
        The same for the weeks before Yalda and Nowruz.
    """

    share: float
    age: tuple[float, float, float, float]
    women: float
    married: float
    occupations: Mapping[str, float]
    genres: Mapping[str, float]
    channels: tuple[float, float, float]
    converts: float
    orders_per_year: float
    rate_shape: float
    years: float
    years_shape: float
    regular: float
    basket: float
    dear: float
    discounts: float
    months: Mapping[int, float]
    feasts: float


# The shapes of rates lie around those that Fader, Hardie and Lee (2005, "Counting Your Customers" the Easy Way,
# Marketing Science 24(2)) find with the Pareto/NBD in CDNOW: 0.55 for purchases, 0.61 for dropout. Customers of one
# group are more alike than customers at large, hence mostly larger ones here.
_NOVEL_READER = Persona(
    share=0.27, age=(33, 8, 17, 56), women=0.62, married=0.62,
    occupations={"employee": 38, "teacher": 14, "self-employed": 16, "homemaker": 12, "student": 12, "engineer": 8},
    genres={"novel": 56, "poetry": 12, "history": 10, "self-help": 12, "stationery": 5, "art": 3, "children": 2},
    channels=(0.45, 0.30, 0.25), converts=0.88,
    orders_per_year=4.2, rate_shape=0.8, years=0.85, years_shape=0.6, regular=0.30,
    basket=1.9, dear=0.50, discounts=0.22, months={2: 1.3, 5: 1.1}, feasts=1.4,
)  # fmt: skip
PERSONAS: dict[str, Persona] = {
    "novel_reader": _NOVEL_READER,
    "childrens_parent": Persona(
        share=0.21, age=(37, 5, 25, 50), women=0.71, married=0.96,
        occupations={"employee": 40, "homemaker": 28, "teacher": 12, "self-employed": 12, "nurse": 8},
        genres={"children": 66, "stationery": 13, "exam": 6, "novel": 6, "self-help": 8, "art": 1},
        channels=(0.40, 0.22, 0.38), converts=0.90,
        orders_per_year=4.8, rate_shape=1.2, years=1.5, years_shape=0.8, regular=0.45,
        basket=2.9, dear=0.45, discounts=0.27, months={6: 1.5, 7: 1.7, 3: 1.2}, feasts=1.5,
    ),
    "konkur_student": Persona(
        share=0.17, age=(18, 1.2, 16, 23), women=0.56, married=0.02,
        occupations={"pupil": 92, "student": 8},
        genres={"exam": 80, "novel": 7, "stationery": 8, "self-help": 4, "poetry": 1},
        channels=(0.20, 0.25, 0.55), converts=0.86,
        orders_per_year=6.4, rate_shape=1.8, years=0.65, years_shape=2.5, regular=0.25,
        basket=2.2, dear=0.50, discounts=0.30, months={3: 1.6, 4: 2.6, 5: 0.5, 7: 1.9, 8: 1.3, 11: 1.2}, feasts=0.8,
    ),
    "gift_buyer": Persona(
        share=0.15, age=(35, 10, 18, 65), women=0.50, married=0.60,
        occupations={"employee": 45, "self-employed": 28, "student": 15, "engineer": 12},
        genres={"stationery": 32, "art": 24, "poetry": 17, "children": 13, "novel": 14},
        channels=(0.58, 0.27, 0.15), converts=0.84,
        orders_per_year=1.5, rate_shape=1.0, years=1.2, years_shape=0.6, regular=0.10,
        basket=1.6, dear=0.72, discounts=0.14, months={9: 1.6, 12: 2.0}, feasts=4.5,
    ),
    # The demographics of novel readers: only behaviour tells these two apart.
    "bargain_hunter": replace(
        _NOVEL_READER, share=0.075, channels=(0.25, 0.35, 0.40), converts=0.82,
        orders_per_year=3.4, rate_shape=1.1, years=1.1, regular=0.05,
        basket=2.6, dear=0.15, discounts=0.78, months={2: 1.4, 8: 1.8, 9: 1.5}, feasts=2.0,
    ),
    "academic": Persona(
        share=0.065, age=(34, 9, 22, 65), women=0.47, married=0.55,
        occupations={"student": 45, "lecturer": 28, "engineer": 14, "physician": 13},
        genres={"academic": 66, "history": 14, "novel": 8, "self-help": 4, "poetry": 5, "stationery": 3},
        channels=(0.30, 0.55, 0.15), converts=0.90,
        orders_per_year=5.5, rate_shape=1.4, years=2.4, years_shape=1.1, regular=0.40,
        basket=2.1, dear=0.60, discounts=0.13, months={7: 1.8, 8: 1.3, 11: 1.6, 5: 0.7}, feasts=0.9,
    ),
    # The behaviour of novel readers: only demographics tell these two apart.
    "retired_reader": replace(
        _NOVEL_READER, share=0.045, age=(66, 6, 55, 84), married=0.82,
        occupations={"retired": 88, "homemaker": 12},
    ),
    "collector": Persona(
        share=0.015, age=(52, 10, 30, 80), women=0.25, married=0.75,
        occupations={"self-employed": 40, "physician": 25, "lecturer": 15, "retired": 20},
        genres={"rare": 46, "art": 22, "history": 20, "poetry": 12},
        channels=(0.55, 0.40, 0.05), converts=0.95,
        orders_per_year=6.0, rate_shape=2.0, years=3.0, years_shape=1.5, regular=0.20,
        basket=1.4, dear=0.65, discounts=0.04, months={2: 1.8}, feasts=1.1,
    ),
}  # fmt: skip

#: Pairs that share everything but one side of them, so that only the other side can tell them apart.
TWINS = {"demographics": ("novel_reader", "bargain_hunter"), "behaviour": ("novel_reader", "retired_reader")}

#: A regular buyer's gaps are Erlang with this shape (coefficient of variation 0.5), an irregular one's exponential:
#: gamma gaps as in Platzer and Reutterer (2016, Ticking Away the Moments, Marketing Science 35(5)).
REGULAR_SHAPE = 4

#: How near customers are to their persona: concentrations of the Dirichlet draws of tastes and of channel shares, and
#: the Beta draw of the share of their taste that is borrowed from another persona (mean one sixth).
TASTE_CONCENTRATION, CHANNEL_CONCENTRATION, BORROWED = 14, 3.0, (1.0, 5.0)

#: Province, weight and branches; weights follow the size of the cities, tilted towards Tehran.
CITIES = {
    "Tehran": ("Tehran", 34, ("Enghelab", "Tajrish", "Vanak", "Narmak")),
    "Mashhad": ("Razavi Khorasan", 13, ("Ahmadabad", "Sajjad")),
    "Isfahan": ("Isfahan", 11, ("Chaharbagh", "Jolfa")),
    "Shiraz": ("Fars", 9, ("Zand",)),
    "Tabriz": ("East Azerbaijan", 8, ("Abresan",)),
    "Karaj": ("Alborz", 8, ("Gohardasht",)),
    "Qom": ("Qom", 4, ()),
    "Ahvaz": ("Khuzestan", 4, ()),
    "Rasht": ("Gilan", 4, ()),
    "Kerman": ("Kerman", 3, ()),
    "Yazd": ("Yazd", 2, ()),
}
DISTRICTS = {"north": 0.3, "centre": 0.4, "south": 0.3}
#: Planted: in one city the district matters, in the others it does not. Titles per order there, against elsewhere.
RICH_DISTRICT = {"city": "Tehran", "district": "north", "times": 1.4}
#: Planted: in the last year, customers of this city order this much less often, while the whole grows.
DECLINE = {"city": "Karaj", "days": 365, "times": 0.55}
#: Planted: in the last quarter, this share of one group's web sessions and orders has moved to the app.
SHIFT = {"persona": "academic", "from": "web", "to": "app", "days": 90, "share": 0.6}
#: Branch purchases of people whose city has none, against people whose city has one.
AWAY_FROM_BRANCHES = 0.12
#: Purchase rate of everybody in a Jalali month against an ordinary one: quiet Farvardin, busy Mehr, Azar and Esfand.
MONTHS = {1: 0.75, 2: 1.1, 6: 1.1, 7: 1.25, 9: 1.1, 12: 1.3}

#: Ways to be reached and their weights at twenty and at seventy years of age.
REACHED_BY = {"sms": (30, 38), "email": (22, 12), "app": (44, 4), "phone": (4, 46)}

#: What people are like, as standard scores that a survey asks about: how far each follows from how they truly buy
#: (price consciousness from price sensitivity, quality from spend level, brand loyalty from how long they stay, novelty
#: from how far their taste leaves their group's; social influence decides through whom they came).
TRAITS = ("price consciousness", "quality", "brand loyalty", "novelty seeking", "social influence")

TASTES = [f"taste_{genre}" for genre in GENRES]
SHARES = [f"share_{channel}" for channel in CHANNELS]


def latent_people(rng: np.random.Generator, n: int, calendar: pd.DataFrame) -> pd.DataFrame:
    """One row per customer in the order of signing up: everything hidden that later tables are drawn from."""
    traits = {name: np.array([getattr(p, name) for p in PERSONAS.values()]) for name in _NUMBERS}
    persona = rng.choice(len(PERSONAS), n, p=traits["share"] / traits["share"].sum())
    of = {name: values[persona] for name, values in traits.items()}
    seasons = seasons_of(calendar)
    # The exponent: when the shop began to keep customers by name, many who knew it signed up early.
    signup_day = from_clock(rng.random(n) ** 1.15 * len(calendar), persona, seasons).astype(int)
    at_once = rng.random(n) < 0.6
    first_day = signup_day + np.where(at_once, 0, 1 + rng.exponential(18, n).astype(int))
    dropout_rate = rng.gamma(of["years_shape"], 1 / (of["years_shape"] * of["years"]))
    city = rng.choice(len(CITIES), n, p=normed([weight for _, weight, _ in CITIES.values()]))
    district = rng.choice(len(DISTRICTS), n, p=normed(DISTRICTS.values()))
    rich = (city == list(CITIES).index(RICH_DISTRICT["city"])) & (
        district == list(DISTRICTS).index(RICH_DISTRICT["district"])
    )
    basket = (1 + rng.gamma(4, (of["basket"] - 1) / 4)) * np.where(rich, RICH_DISTRICT["times"], 1)
    people = pd.DataFrame(
        {
            "persona": persona,
            "ever_orders": rng.random(n) < of["converts"],
            "signup_day": np.minimum(signup_day, len(calendar) - 1),
            "first_day": first_day,
            "orders_per_year": rng.gamma(of["rate_shape"], of["orders_per_year"] / of["rate_shape"]),
            "regularity": np.where(rng.random(n) < of["regular"], REGULAR_SHAPE, 1),
            "dropout_rate": np.maximum(dropout_rate, 0.01),
            "dropout_day": first_day + 365.25 * rng.exponential(1, n) / np.maximum(dropout_rate, 0.01),
            "basket": basket,
            "dear": beta(rng, of["dear"], 6),
            "discounts": beta(rng, of["discounts"], 6),
            "city": city,
            "district": district,
            "age": _ages(rng, persona),
        }
    )
    people["reached_by"] = _reached_by(rng, people["age"].to_numpy())
    borrowed = rng.beta(*BORROWED, n)
    people[TASTES] = _tastes(rng, persona, borrowed)
    people[SHARES] = _channel_shares(rng, persona, people["city"].to_numpy())
    people[list(TRAITS)] = _traits(rng, people, borrowed)
    return people.sort_values("signup_day", kind="stable", ignore_index=True)


_NUMBERS = (
    "share", "converts", "orders_per_year", "rate_shape", "years", "years_shape", "regular", "basket", "dear",
    "discounts",
)  # fmt: skip


def _ages(rng: np.random.Generator, persona: np.ndarray) -> np.ndarray:
    """Age when signing up, in years."""
    mean, deviation, low, high = np.array([p.age for p in PERSONAS.values()])[persona].T
    age = rng.normal(mean, deviation)
    outside = (age < low) | (age > high)
    return np.where(outside, rng.uniform(low, high), age)


def _reached_by(rng: np.random.Generator, age: np.ndarray) -> np.ndarray:
    """The channel each customer wants to be reached by, by age."""
    young, old = np.array(list(REACHED_BY.values()), dtype=float).T
    older = np.clip((age - 20) / 50, 0, 1)[:, None]
    return draw(rng, (1 - older) * young + older * old)


def _traits(rng: np.random.Generator, people: pd.DataFrame, borrowed: np.ndarray) -> np.ndarray:
    """Standard scores of what each customer is like, in part noise, in part the very cause of what they do."""
    # The Beta(1, b) distribution function is 1 - (1 - x)^b: a uniform number, and by its quantile a standard score.
    novelty = ndtri(np.clip(1 - (1 - borrowed) ** BORROWED[1], 1e-6, 1 - 1e-6))
    causes = (
        (people["discounts"] - 0.32) / 0.24,
        (people["dear"] - 0.50) / 0.22,
        -(np.log(people["dropout_rate"]) + 0.9) / 1.2,
        novelty,
        rng.normal(0, 1, len(people)),
    )
    own = np.sqrt([0.7, 0.6, 0.6, 0.8, 1.0])
    noise = rng.normal(0, 1, (len(people), len(causes)))
    return np.column_stack(causes) * own + noise * np.sqrt(1 - own**2)


def _tastes(rng: np.random.Generator, persona: np.ndarray, borrowed: np.ndarray) -> np.ndarray:
    """Each customer's weights of the genres: their persona's, in part another's, with their own deviation."""
    weights = np.array([[p.genres.get(genre, 0.0) for genre in GENRES] for p in PERSONAS.values()])
    weights /= weights.sum(axis=1, keepdims=True)
    other = rng.choice(len(PERSONAS), len(persona), p=normed([p.share for p in PERSONAS.values()]))
    borrowed = borrowed[:, None]
    return dirichlet(rng, TASTE_CONCENTRATION * ((1 - borrowed) * weights[persona] + borrowed * weights[other]))


def _channel_shares(rng: np.random.Generator, persona: np.ndarray, city: np.ndarray) -> np.ndarray:
    shares = np.array([p.channels for p in PERSONAS.values()])[persona]
    without = np.array([not branches for _, _, branches in CITIES.values()])[city]
    shares[:, 0] *= np.where(without, AWAY_FROM_BRANCHES, 1.0)
    return dirichlet(rng, CHANNEL_CONCENTRATION * shares / shares.sum(axis=1, keepdims=True))


def home_channel(people: pd.DataFrame) -> np.ndarray:
    """The channel each customer uses most."""
    return people[SHARES].to_numpy().argmax(axis=1)


def seasons_of(calendar: pd.DataFrame) -> np.ndarray:
    """Cumulated purchase intensity, persona × (days + 1), one unit per average day: each persona's own clock."""
    month = calendar["month"].to_numpy()
    feast = np.zeros(len(calendar), dtype=bool)
    for feast_month, first, last in FEASTS:
        feast |= ((calendar["month"] == feast_month) & calendar["day"].between(first, last)).to_numpy()
    everybody = np.array([MONTHS.get(m, 1.0) for m in month])
    clocks = []
    for persona in PERSONAS.values():
        intensity = everybody * np.array([persona.months.get(m, 1.0) for m in month])
        intensity *= np.where(feast, persona.feasts, 1.0)
        intensity *= calendar[list(CHANNELS)].to_numpy() @ np.array(persona.channels)
        clocks.append(np.concatenate([[0.0], np.cumsum(intensity / intensity.mean())]))
    return np.array(clocks)


def to_clock(day: np.ndarray, persona: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """Reading of each customer's own clock at a day (counted from the first, with fractions)."""
    return _by_persona(day, persona, lambda p: (np.arange(seasons.shape[1]), seasons[p]))


def from_clock(reading: np.ndarray, persona: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """The day (with fractions) at which each customer's own clock shows a reading."""
    return _by_persona(reading, persona, lambda p: (seasons[p], np.arange(seasons.shape[1])))


def _by_persona(x: np.ndarray, persona: np.ndarray, curve: Callable) -> np.ndarray:
    y = np.empty(len(x))
    for p in range(len(PERSONAS)):
        mine = persona == p
        y[mine] = np.interp(x[mine], *curve(p))
    return y
