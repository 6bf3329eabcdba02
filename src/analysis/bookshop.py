"""The bookshop: what does a customer base look like whose truth is known?

It takes the number of customers, the years and a seed, and simulates an Iranian chain of bookshops with branches, a web
shop and an app: eight groups of customers who buy until they drop out, and the contacts that lead to each order. It
gives the canonical tables as any business has them and, apart from them, the truth that no business knows (who belongs
to which group, how often they would buy, when they left, at which step customers are lost).
"""

import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import jdatetime
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import Problem
from analysis.schema import TABLES

TIMEZONE = "Asia/Tehran"
CHANNELS = ("branch", "web", "app")

# Unless a comment names a source, the figures in this module are made up: chosen so that the whole looks like the
# real bases it was held against (CDNOW, UCI Online Retail, The Complete Journey, an Iranian web shop of 1398), without
# copying any one of them.


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

#: How many of the sessions that reach a step of the web shop or the app go on to the next. From cart to order 53 % are
#: lost (0.60 × 0.78); Baymard Institute's survey of studies gives about 70 % for all visitors, and these are customers.
STEPS = ("visit", "search", "product_view", "cart", "checkout", "order")
PASSES = {"visit": 0.78, "product_view": 0.55, "cart": 0.60, "checkout": 0.78}
#: The planted losing step: the app's checkout lets far fewer of these go on to order.
LOSING_STEP = {"persona": "konkur_student", "channel": "app", "step": "checkout", "next": "order", "passes": 0.45}


@dataclass(frozen=True)
class Genre:
    """A genre: median list price in the last year (toman), spread of its logarithm, kinds, and words for titles."""

    price: float
    spread: float
    kinds: tuple[str, ...]
    first: str
    second: str


GENRES = {
    "novel": Genre(
        320_000, 0.38, ("Iranian", "translated", "crime", "fantasy"),
        "The Silent|A Borrowed|The Last|The Blue|Beyond the|Under the|Return to the|The Forgotten|A Winter in the"
        "|Letters from the|The Other",
        "Garden|House|Caravan|River|Lighthouse|Bazaar|Orchard|Window|Season|Island|Bridge|Train",
    ),
    "poetry": Genre(
        260_000, 0.45, ("classical", "modern"),
        "Songs of|Ghazals of|Quatrains of|Selected|Verses of|The Book of|Nights of",
        "the Nightingale|Shiraz|Rain|the Plain|Exile|the Rose|Dawn|the Desert|Solitude",
    ),
    "children": Genre(
        170_000, 0.42, ("picture books", "first readers", "ages 8 to 12", "young adults"),
        "The Little|The Brave|Who Hid the|Goodnight,|The Moon and the|My First|The Secret of the|Counting with the"
        "|The Flying|Where Is the|The Naughty",
        "Sparrow|Goat|Pomegranate|Elephant|Hedgehog|Kite|Fox|Dragon|Whale|Rabbit|Snail|Bear",
    ),
    "exam": Genre(
        460_000, 0.40, ("test banks", "summaries", "mock examinations", "school guides"),
        "1,000 Questions in|Step by Step|The Night before:|Konkur in 30 Days:|All of|Mock Examinations in|Summary of",
        "Mathematics|Physics|Chemistry|Biology|Persian Literature|Arabic|English|Geology|Economics|Logic|Geometry"
        "|Statistics|Psychology|Sociology",
    ),
    "academic": Genre(
        520_000, 0.50, ("engineering", "medicine", "humanities", "law"),
        "Foundations of|Introduction to|Advanced|Methods in|Handbook of|Problems in|Readings in|Lectures on",
        "Thermodynamics|Statistics|Anatomy|Sociology|Civil Law|Linguistics|Pharmacology|Economics|Algorithms|Ethics",
    ),
    "history": Genre(
        430_000, 0.42, ("Iran", "world", "biography"),
        "A History of|The Rise of|Letters from|Travels in|The Fall of|Memoirs of|The People of",
        "the Safavids|the Silk Road|Constantinople|Khorasan|the Qajar Court|Persepolis|the Steppe|Cordoba|Samarkand",
    ),
    "self-help": Genre(
        270_000, 0.35, ("psychology", "business", "health"),
        "The Art of|The Habit of|Ten Minutes of|The Power of|Small Steps to|A Year of|The Science of",
        "Calm|Saying No|Focus|Good Sleep|Leading|Listening|Courage|Saving|Patience",
    ),
    "art": Genre(
        950_000, 0.55, ("photography", "calligraphy", "architecture", "music"),
        "Masterpieces of|The Colours of|A Journey through|The Album of|Patterns of|Treasures of|Masters of|Light on",
        "Persian Miniature|Isfahan|Nastaliq|the Carpet|Tilework|the Caspian|the Setar|Yazd|Qajar Photography",
    ),
    "rare": Genre(
        2_800_000, 0.70, ("first editions", "lithographs", "signed copies"),
        "First Edition:|Lithograph:|Signed Copy:|Facsimile:|Manuscript Leaf:|Bound Volume:",
        "The Divan|Shahnameh|Golestan|Travels of 1290|Kelileh and Demneh|Almanac of 1305|Map of Tehran|Bustan"
        "|The Caravanserai|Letters of 1320|Quatrains|Khamseh",
    ),
    "stationery": Genre(
        140_000, 0.70, ("notebooks", "pens", "board games", "cards"),
        "Lined Notebook|Fountain Pen|Board Game|Greeting Cards|Desk Calendar|Bookmark Set|Gel Pens|Sketchbook",
        "Cypress|Paisley|Firouzeh|Yalda|Midnight|Saffron|Termeh|Cobalt",
    ),
}  # fmt: skip
TITLES_PER_GENRE = 130  # at most; a genre with fewer titles has them all
PUBLISHERS = tuple(
    f"{name} {kind}"
    for name in ("Simorgh", "Damavand", "Sepidar", "Kaveh Street", "Anar", "Mehregan", "Zayandeh")
    for kind in ("Press", "Books")
)
#: Prices rise every 1 Farvardin; consumer prices in Iran rose by more than this in these years.
YEARLY_PRICE_RISE = 0.25

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
#: Branch purchases of people whose city has none, against people whose city has one.
AWAY_FROM_BRANCHES = 0.12

#: Median yearly income in million toman (0: none), and weights of school, diploma, bachelor, master, doctorate.
OCCUPATIONS = {
    "pupil": (0, (1, 0, 0, 0, 0)),
    "student": (0, (0, 0.45, 0.35, 0.20, 0)),
    "employee": (290, (0, 0.22, 0.53, 0.23, 0.02)),
    "teacher": (260, (0, 0, 0.66, 0.32, 0.02)),
    "nurse": (310, (0, 0, 0.85, 0.15, 0)),
    "engineer": (420, (0, 0, 0.58, 0.38, 0.04)),
    "lecturer": (480, (0, 0, 0, 0.22, 0.78)),
    "physician": (950, (0, 0, 0, 0, 1)),
    "self-employed": (400, (0.06, 0.40, 0.40, 0.13, 0.01)),
    "homemaker": (0, (0.08, 0.45, 0.38, 0.09, 0)),
    "retired": (230, (0.10, 0.36, 0.36, 0.15, 0.03)),
}
EDUCATION = ("school", "diploma", "bachelor", "master", "doctorate")

#: Weights by day of the week, Monday to Sunday: the weekend is Thursday afternoon and Friday.
WEEKDAYS = {
    "branch": (0.90, 0.90, 1.00, 1.55, 0.85, 0.95, 0.90),
    "web": (1.08, 1.06, 1.02, 0.88, 0.82, 1.10, 1.10),
    "app": (0.98, 0.98, 0.98, 1.02, 1.12, 0.98, 0.98),
}
#: Weights by hour of the day; branches open at ten, on Fridays at four in the afternoon, and close at ten.
HOURS = {
    "branch": (0,) * 10 + (3, 5, 6, 4, 3, 4, 6, 9, 11, 12, 9, 5, 0, 0),
    "branch on Fridays": (0,) * 16 + (5, 8, 11, 12, 10, 6, 0, 0),
    "web": (3, 1.5, 0.7, 0.3, 0.2, 0.3, 0.7, 1.5, 3, 5, 6, 6.5, 6, 5, 5, 5, 5, 5, 5, 6, 7.5, 9, 9, 6),
    "app": (5, 2.5, 1.2, 0.5, 0.3, 0.3, 0.8, 1.5, 2.2, 3, 3.5, 4, 4.2, 4, 4, 4, 4.2, 4.8, 5.5, 6.5, 8.5, 11, 12, 9),
}
#: Closed branches, as Jalali month and day: the first days of Nowruz and its thirteenth. The moving (lunar) holidays
#: are left out.
CLOSED = frozenset({(1, 1), (1, 2), (1, 3), (1, 4), (1, 13)})
#: The weeks of presents: before Yalda (the last night of Azar) and before Nowruz, as Jalali month, first and last day.
FEASTS = ((9, 20, 30), (12, 12, 30))
#: Purchase rate of everybody in a Jalali month against an ordinary one: quiet Farvardin, busy Mehr, Azar and Esfand.
MONTHS = {1: 0.75, 2: 1.1, 6: 1.1, 7: 1.25, 9: 1.1, 12: 1.3}

#: Weights of the ways to pay, in branches and online, and how often customers pay the way they are used to.
PAYMENTS = {
    "branch": {"bank card": 78, "cash": 14, "gift card": 8},
    "online": {"online gateway": 70, "wallet": 13, "cash on delivery": 11, "instalments": 6},
}
PAYMENT_HABIT = 0.88

#: Shares of orders cancelled and given back (in whole or in part), in branches and online.
CANCELLED = {"branch": 0.003, "web": 0.035, "app": 0.035}
GIVEN_BACK = {"branch": 0.012, "web": 0.035, "app": 0.030}

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
    "review": ("after", "after", "shop"),
    "email_sent": ("aware", "before", "marketing"),
    "email_open": ("aware", "before", "marketing"),
    "email_click": ("consider", "before", "marketing"),
    "sms_sent": ("aware", "before", "marketing"),
    "sms_click": ("consider", "before", "marketing"),
}
_EVENT = {name: code for code, name in enumerate(EVENTS)}
CONTACT_CHANNELS = (*CHANNELS, "email", "sms", "phone", "courier")
_CONTACT = {name: code for code, name in enumerate(CONTACT_CHANNELS)}
#: A newsletter on this Jalali day of every month, of these kinds in turn; text messages on these months and days.
NEWSLETTER_DAY, NEWSLETTERS = 10, ("new titles", "offer", "reading list")
TEXT_MESSAGES = ((2, 15), (4, 5), (6, 25), (9, 22), (12, 8))

#: Month by month, the campaign that brings people in from outside (Jalali month: name; the year is appended).
ACQUISITION_CAMPAIGNS = {
    2: "Book Fair",
    4: "Konkur",
    6: "Back to School",
    7: "Back to School",
    9: "Yalda",
    12: "Nowruz",
}
ACQUISITION = {
    "branch": {"walk-in": 62, "word of mouth": 22, "school": 8, "book fair": 8},
    "web": {"search engine": 46, "instagram": 26, "word of mouth": 18, "online advertisement": 10},
    "app": {"app store": 38, "instagram": 34, "word of mouth": 16, "online advertisement": 12},
}
PAID = ("instagram", "online advertisement", "school", "book fair")

#: Ways to be reached and their weights at twenty and at seventy years of age.
REACHED_BY = {"sms": (30, 38), "email": (22, 12), "app": (44, 4), "phone": (4, 46)}

WOMEN = (
    "Sara Maryam Zahra Fatemeh Narges Leila Nasrin Parisa Mina Shirin Elham Niloufar Samira Mahsa Azadeh Roya Bahareh "
    "Setareh Yasaman Neda Golnaz Hanieh Parvin Mahnaz Sepideh Ava Taraneh Zhaleh Simin Farzaneh"
)
MEN = (
    "Ali Mohammad Reza Hossein Amir Mehdi Hamid Saeed Farhad Omid Kaveh Babak Arash Nima Pouya Behrouz Siavash Kamran "
    "Dariush Navid Ehsan Vahid Masoud Iman Peyman Sina Milad Hadi Jalal Bijan"
)
FAMILIES = (
    "Ahmadi Mohammadi Hosseini Karimi Rezaei Moradi Jafari Rahimi Ebrahimi Hashemi Sadeghi Akbari Kazemi Ghasemi "
    "Rostami Mousavi Heidari Nazari Bagheri Shahbazi Taheri Zamani Soltani Azizi Ghorbani Amini Fallah Norouzi Kamali "
    "Tavakoli Mirzaei Asgari Yazdani Shirazi Tabrizi Esfahani Kermani Rashidi Salehi Farahani Bahrami Golestani "
    "Daneshvar Parsa Sohrabi Tehrani Vaziri Yeganeh Zand Kiani Lotfi Maleki Naderi Omidi Pakdel Qaderi Ranjbar Sharifi "
    "Torabi Zarei"
)

_DAY, _MINUTE = 86_400, 60
_TASTES = [f"taste_{genre}" for genre in GENRES]
_SHARES = [f"share_{channel}" for channel in CHANNELS]


@dataclass(frozen=True)
class World:
    """A simulated business.

    Attributes
    ----------
    tables : dict of str to DataFrame
        The canonical tables, with the columns and types of :data:`analysis.schema.TABLES`; a column of which the shop
        knows nothing is left out.
    truth : dict of str to DataFrame
        What no business knows. ``customers``: one row per customer with its persona, purchase rate, dropout and so on.
    findings : tuple of dict
        What was planted, each with its size.
    """

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]
    findings: tuple[dict, ...]


def build(customers: int = 5000, years: int = 3, seed: int = 1, end: date = date(2026, 3, 20)) -> World:
    """A bookshop chain, its customers, orders and contacts, and the truth about them.

    Parameters
    ----------
    customers : int
        Number of customers, with those who signed up and never ordered.
    years : int
        Length of the history; everybody signs up within it.
    seed : int
        The same seed gives the same world, another seed another one of the same kind.
    end : date
        Last day, in Tehran.

    Returns
    -------
    World

    Raises
    ------
    Problem
        If there would be no customer or no year, or the seed is negative.

    Notes
    -----
    Customers buy until they drop out (Schmittlein, Morrison and Colombo 1987, Counting Your Customers, Management
    Science 33(1)): after the first order, gaps have a customer's own gamma-distributed rate, and the unseen dropout
    comes at another gamma-distributed rate. Time runs faster in a persona's season, so rates are those of an average
    day. Every table has its own random numbers: changing how one is drawn leaves the earlier ones as they are.

    Examples
    --------
    >>> world = build(customers=50, seed=7)
    >>> list(world.tables)
    ['customers', 'orders', 'order_lines', 'products', 'touchpoints']
    >>> world.truth["customers"].columns[:3].tolist()
    ['customer_id', 'persona', 'ever_orders']
    """
    for name, value, least in (("customers", customers, 1), ("years", years, 1), ("seed", seed, 0)):
        if value < least:
            raise Problem(f"A bookshop needs {name} = {least} or more, not {value}.")
    calendar = _calendar(end, years)
    people = _people(_rng(seed, "people"), customers, calendar)
    products = _products(_rng(seed, "products"))
    purchases = _purchases(_rng(seed, "purchases"), people, calendar)
    lines = _lines(_rng(seed, "lines"), purchases, people, products, calendar)
    orders, lines = _with_credit_notes(_rng(seed, "orders"), purchases, lines, people, calendar)
    contacts = _journeys(_rng(seed, "journeys"), orders, people, calendar)
    people["signup"] = _signups(_rng(seed, "signups"), people, contacts, calendar)
    customers_table = _customers(_rng(seed, "customers"), people, orders, calendar)
    contacts = _all_contacts(_rng(seed, "contacts"), contacts, orders, people, customers_table, calendar)

    first_day = calendar["date"].iloc[0]
    ids = customers_table["customer_id"]
    tables = {
        "customers": customers_table,
        "orders": _order_table(orders, ids, first_day),
        "order_lines": _line_table(lines, orders, products),
        "products": products.drop(columns="chance"),
        "touchpoints": _touchpoint_table(contacts, ids, first_day),
    }
    truth = {"customers": _truth(people, ids, first_day)}
    return World({name: _canonical(name, table) for name, table in tables.items()}, truth, _findings(contacts, people))


def write(
    folder: str | Path,
    customers: int = 5000,
    years: int = 3,
    seed: int = 1,
    language: str = "en",
    defects: float = 0.0,
    csv: bool = False,
    export: str | None = None,
) -> Path:
    """Write a bookshop as Parquet, with the truth in a folder of its own and a mapping to read it by.

    Parameters
    ----------
    folder : path
        Made if it is not there; a bookshop already in it is replaced.
    customers, years, seed : int
        As in :func:`build`.
    language : {"en", "fa"}
        Of names, cities, titles and all other words that readers see.
    defects : float
        Rate of planted defects, see :func:`analysis.bookshop_defects.plant`; they are listed in the truth.
    csv : bool
        Write every table as CSV too.
    export : {None, "crm"}
        "crm": write the same base once more into the folder ``crm``, as a CRM user in Iran would export it.

    Returns
    -------
    Path
        The mapping file, ``bookshop.toml`` in the folder.

    Raises
    ------
    Problem
        If the bookshop cannot be built, or the language, the rate or the export is none of these.

    Notes
    -----
    Every file is written under a temporary name and then renamed, the mapping last. The same arguments give the same
    bytes.
    """
    # Here, since they take the World that this module defines.
    from analysis import bookshop_defects, bookshop_export, bookshop_words

    for name, value, known in (("language", language, ("en", "fa")), ("export", export, (None, "crm"))):
        if value not in known:
            raise Problem(f'A bookshop has no {name} = "{value}". Known: {", ".join(map(str, known))}.')
    limit = bookshop_defects.tolerated(defects)  # before anything is built, as it refuses a wrong rate
    world = build(customers, years, seed)
    if language == "fa":
        world = bookshop_words.in_persian(world)
    world = bookshop_defects.plant(world, defects, seed)
    folder = Path(folder)
    before = _files_of(folder) if is_bookshop(folder) else set()
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    # First, as by it a bookshop is known, even one whose writing was cut short.
    _put(folder / "truth" / "findings.toml", lambda path: path.write_bytes(_findings_toml(world.findings).encode()))
    for name, table in world.tables.items():
        _put(folder / f"{name}.parquet", partial(pq.write_table, _arrow(name, table)))
        if csv:
            _put(folder / f"{name}.csv", partial(bookshop_export.write_csv, _arrow(name, table)))
    for name, table in world.truth.items():
        _put(folder / "truth" / f"{name}.parquet", partial(table.to_parquet, index=False))
    if export == "crm":
        bookshop_export.export_crm(world, folder / "crm", limit)
    for stale in before - _named_files(folder, world, csv, export):
        stale.unlink()
    mapping = folder / "bookshop.toml"
    _put(mapping, lambda path: path.write_bytes(_mapping_toml(world.tables, limit).encode()))
    return mapping


def is_bookshop(folder: Path) -> bool:
    """Whether a folder holds a bookshop that :func:`write` wrote."""
    return (folder / "truth" / "findings.toml").is_file()


def _files_of(folder: Path) -> set[Path]:
    """The tables that an earlier bookshop may have left in the folder."""
    tables = {folder / f"{name}.{ending}" for name in TABLES for ending in ("parquet", "csv")}
    tables |= {folder / "crm" / f"{name}.csv" for name in TABLES} | {folder / "crm" / "mapping.toml"}
    return {path for path in tables if path.is_file()} | set((folder / "truth").glob("*.parquet"))


def _named_files(folder: Path, world: World, csv: bool, export: str | None) -> set[Path]:
    """The tables that a bookshop has in the folder."""
    files = {folder / f"{name}.{ending}" for name in world.tables for ending in ("parquet", "csv")[: 1 + csv]}
    files |= {folder / "truth" / f"{name}.parquet" for name in world.truth}
    if export == "crm":
        files |= {folder / "crm" / f"{name}.csv" for name in world.tables} | {folder / "crm" / "mapping.toml"}
    return files


# --- the days ---------------------------------------------------------------------------------------------------------


def _calendar(end: date, years: int) -> pd.DataFrame:
    """One row per day up to the end: date, Jalali year, month and day, weekday, and each channel's weight on it."""
    start = (pd.Timestamp(end) - pd.DateOffset(years=years)).date() + timedelta(days=1)
    days = [start + timedelta(days=d) for d in range((end - start).days + 1)]
    jalali = [jdatetime.date.fromgregorian(date=day) for day in days]
    calendar = pd.DataFrame(
        {
            "date": pd.to_datetime(days),
            "year": [j.year for j in jalali],
            "month": [j.month for j in jalali],
            "day": [j.day for j in jalali],
            "weekday": [day.weekday() for day in days],
        }
    )
    for channel in CHANNELS:
        calendar[channel] = np.array(WEEKDAYS[channel])[calendar["weekday"]]
    closed = [(j.month, j.day) in CLOSED for j in jalali]
    calendar["branch"] = calendar["branch"].mask(closed, 0.0)
    return calendar


def _seasons(calendar: pd.DataFrame) -> np.ndarray:
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


def _to_clock(day: np.ndarray, persona: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """Reading of each customer's own clock at a day (counted from the first, with fractions)."""
    return _by_persona(day, persona, lambda p: (np.arange(seasons.shape[1]), seasons[p]))


def _from_clock(reading: np.ndarray, persona: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """The day (with fractions) at which each customer's own clock shows a reading."""
    return _by_persona(reading, persona, lambda p: (seasons[p], np.arange(seasons.shape[1])))


def _by_persona(x: np.ndarray, persona: np.ndarray, curve: Callable) -> np.ndarray:
    y = np.empty(len(x))
    for p in range(len(PERSONAS)):
        mine = persona == p
        y[mine] = np.interp(x[mine], *curve(p))
    return y


def _seconds(rng: np.random.Generator, day: np.ndarray, channel: np.ndarray, calendar: pd.DataFrame) -> np.ndarray:
    """Seconds since the first midnight at a plausible hour of the day for the channel."""
    friday = calendar["weekday"].to_numpy()[day] == 4
    profile = np.where((channel == 0) & friday, 3, channel)
    weights = np.array([HOURS[name] for name in (*CHANNELS, "branch on Fridays")], dtype=float)
    hour = _draw(rng, weights[profile])
    return day * _DAY + hour * 3600 + rng.integers(0, 3600, len(day))


# --- the customers as they truly are ----------------------------------------------------------------------------------


def _people(rng: np.random.Generator, n: int, calendar: pd.DataFrame) -> pd.DataFrame:
    """One row per customer in the order of signing up: everything hidden that later tables are drawn from."""
    traits = {name: np.array([getattr(p, name) for p in PERSONAS.values()]) for name in _NUMBERS}
    persona = rng.choice(len(PERSONAS), n, p=traits["share"] / traits["share"].sum())
    of = {name: values[persona] for name, values in traits.items()}
    seasons = _seasons(calendar)
    # The exponent: when the shop began to keep customers by name, many who knew it signed up early.
    signup_day = _from_clock(rng.random(n) ** 1.15 * len(calendar), persona, seasons).astype(int)
    at_once = rng.random(n) < 0.6
    first_day = signup_day + np.where(at_once, 0, 1 + rng.exponential(18, n).astype(int))
    dropout_rate = rng.gamma(of["years_shape"], 1 / (of["years_shape"] * of["years"]))
    people = pd.DataFrame(
        {
            "persona": persona,
            "ever_orders": rng.random(n) < of["converts"],
            "signup_day": np.minimum(signup_day, len(calendar) - 1),
            "first_day": first_day,
            "orders_per_year": rng.gamma(of["rate_shape"], of["orders_per_year"] / of["rate_shape"]),
            "regularity": np.where(rng.random(n) < of["regular"], REGULAR_SHAPE, 1),
            "dropout_day": first_day + 365.25 * rng.exponential(1, n) / np.maximum(dropout_rate, 0.01),
            "basket": 1 + rng.gamma(4, (of["basket"] - 1) / 4),
            "dear": _beta(rng, of["dear"], 6),
            "discounts": _beta(rng, of["discounts"], 6),
            "city": rng.choice(len(CITIES), n, p=_normed([weight for _, weight, _ in CITIES.values()])),
        }
    )
    people[_TASTES] = _tastes(rng, persona)
    people[_SHARES] = _channel_shares(rng, persona, people["city"].to_numpy())
    return people.sort_values("signup_day", kind="stable", ignore_index=True)


_NUMBERS = (
    "share", "converts", "orders_per_year", "rate_shape", "years", "years_shape", "regular", "basket", "dear",
    "discounts",
)  # fmt: skip


def _tastes(rng: np.random.Generator, persona: np.ndarray) -> np.ndarray:
    """Each customer's weights of the genres: their persona's, in part another's, with their own deviation."""
    weights = np.array([[p.genres.get(genre, 0.0) for genre in GENRES] for p in PERSONAS.values()])
    weights /= weights.sum(axis=1, keepdims=True)
    other = rng.choice(len(PERSONAS), len(persona), p=_normed([p.share for p in PERSONAS.values()]))
    borrowed = rng.beta(*BORROWED, len(persona))[:, None]
    return _dirichlet(rng, TASTE_CONCENTRATION * ((1 - borrowed) * weights[persona] + borrowed * weights[other]))


def _channel_shares(rng: np.random.Generator, persona: np.ndarray, city: np.ndarray) -> np.ndarray:
    shares = np.array([p.channels for p in PERSONAS.values()])[persona]
    without = np.array([not branches for _, _, branches in CITIES.values()])[city]
    shares[:, 0] *= np.where(without, AWAY_FROM_BRANCHES, 1.0)
    return _dirichlet(rng, CHANNEL_CONCENTRATION * shares / shares.sum(axis=1, keepdims=True))


def _truth(people: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    """What the business does not know, one row per customer; rounded, so that no last digit depends on the machine."""
    truth = pd.DataFrame(
        {
            "customer_id": ids,
            "persona": _words(list(PERSONAS), people["persona"].to_numpy()),
            "ever_orders": people["ever_orders"],
            "orders_per_year": people["orders_per_year"].round(4),
            "regular": people["regularity"] > 1,
            "dropout_at": _instants((people["dropout_day"] * _DAY).to_numpy(), first_day),
            "spend_level": people["dear"].round(4),
            "price_sensitivity": people["discounts"].round(4),
            "lines_per_order": people["basket"].round(4),
        }
    )
    shown = people[_SHARES + _TASTES].round(4)
    return pd.concat([truth, shown], axis=1)


# --- what they buy ----------------------------------------------------------------------------------------------------


def _products(rng: np.random.Generator) -> pd.DataFrame:
    """The catalogue, with each title's chance of being taken within its genre."""
    rows = []
    for category, genre in GENRES.items():
        titles = [f"{a} {b}" for a in genre.first.split("|") for b in genre.second.split("|")]
        titles = rng.permutation(titles)[:TITLES_PER_GENRE]
        n = len(titles)
        price = genre.price * np.exp(rng.normal(0, genre.spread, n))
        rows.append(
            pd.DataFrame(
                {
                    "name": titles,
                    "category": category,
                    "subcategory": rng.choice(genre.kinds, n),
                    "brand": rng.choice(PUBLISHERS, n),
                    "price": np.maximum(np.round(price, -4), 20_000),
                    # A few bestsellers and a long tail, as in any bookshop (Zipf).
                    "chance": _normed(np.arange(1, n + 1) ** -0.6),
                    "tags": [["bestseller"] if rank < n // 20 else [] for rank in range(n)],
                }
            )
        )
    products = pd.concat(rows, ignore_index=True)
    products.insert(0, "product_id", _ids("P", np.arange(1, len(products) + 1), 4))
    return products


def _purchases(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """One row per purchase: customer (row number), day, second and channel, customer by customer in time."""
    seasons = _seasons(calendar)
    persona = people["persona"].to_numpy()
    last = np.minimum(people["dropout_day"].to_numpy(), len(calendar))
    last_reading = _to_clock(last, persona, seasons)
    who = np.flatnonzero(people["ever_orders"] & (people["first_day"] < len(calendar)))
    reading = _to_clock(people["first_day"].to_numpy()[who] + rng.random(len(who)), persona[who], seasons)
    rate = people["orders_per_year"].to_numpy() / 365.25
    shape = people["regularity"].to_numpy()
    rounds = []
    while len(who):
        rounds.append((who, reading))
        reading = reading + rng.gamma(shape[who], 1 / (shape[who] * np.maximum(rate[who], 1e-6)))
        stays = reading < last_reading[who]
        who, reading = who[stays], reading[stays]
    customer, reading = (np.concatenate(part) for part in zip(*rounds, strict=True)) if rounds else (who, reading)
    day = np.minimum(_from_clock(reading, persona[customer], seasons).astype(int), len(calendar) - 1)
    weights = people[_SHARES].to_numpy()[customer] * calendar[list(CHANNELS)].to_numpy()[day]
    # Whoever never goes anywhere but to a branch that is closed today orders on the web.
    weights[weights.sum(axis=1) <= 0, 1] = 1
    channel = _draw(rng, weights)
    purchases = pd.DataFrame(
        {"customer": customer, "day": day, "at": _seconds(rng, day, channel, calendar), "channel": channel}
    )
    return purchases.sort_values(["customer", "at"], kind="stable", ignore_index=True)


def _lines(
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
    genre = _draw(rng, people[_TASTES].to_numpy()[customer])
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


def _with_credit_notes(
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
    notes["at"] = _seconds(rng, notes["day"].to_numpy(), notes["channel"].to_numpy(), calendar)
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
    own = _draw(rng, at_home)
    customer = orders["customer"].to_numpy()
    other = _draw(rng, at_home[customer])
    branch = np.where(rng.random(len(orders)) < 0.85, own[customer], other)
    return np.where(orders["channel"] == 0, branch, -1)


def _payments(rng: np.random.Generator, orders: pd.DataFrame, n: int) -> np.ndarray:
    """How each order was paid (a number over all ways): mostly the way its customer always pays there."""
    customer, first = orders["customer"].to_numpy(), 0
    paid = np.empty(len(orders), dtype=int)
    for place, ways in PAYMENTS.items():
        weights = _normed(ways.values())
        habit = rng.choice(len(ways), n, p=weights)
        today = rng.choice(len(ways), len(orders), p=weights)
        way = np.where(rng.random(len(orders)) < PAYMENT_HABIT, habit[customer], today)
        here = (orders["channel"] == 0).to_numpy() == (place == "branch")
        paid[here] = first + way[here]
        first += len(ways)
    return paid


# --- the contacts -----------------------------------------------------------------------------------------------------


def _journeys(
    rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame, calendar: pd.DataFrame
) -> pd.DataFrame:
    """Contacts on the way to an order, and on the ways that ended before one: customer, second, event, channel."""
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
    at_till = branch[["customer", "at", "channel"]].assign(event=_EVENT["order"])
    contacts = pd.concat([_session_contacts(rng, sessions), at_till], ignore_index=True)
    return contacts.assign(at=contacts["at"].clip(lower=0))


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
    channel = 1 + _draw(rng, people[_SHARES[1:]].to_numpy()[customer] + 1e-9)
    depth = rng.choice([STEPS.index("product_view"), STEPS.index("cart")], len(day), p=[0.85, 0.15])
    at = _seconds(rng, day, channel, calendar)
    return pd.DataFrame({"customer": customer, "at": at, "channel": channel, "depth": depth})


def _ended_early(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Sessions that ended at a visit, a product, a cart or a checkout while the customer was active.

    Their number follows from the shares that pass each step: for one order, that many must have been lost before.
    """
    seasons = _seasons(calendar)
    persona = people["persona"].to_numpy()
    first = people["signup_day"].to_numpy()
    last = np.minimum(people["dropout_day"].to_numpy(), len(calendar))
    tries = 0.3 + people["orders_per_year"].to_numpy() * np.maximum(last - first, 0) / 365.25
    expected = tries[:, None] * people[_SHARES[1:]].to_numpy()
    steps = list(PASSES)
    count = rng.poisson(expected[:, :, None] * _lost_per_order()[persona])
    customer, channel, step = (np.repeat(index.ravel(), count.ravel()) for index in np.indices(count.shape))
    start, stop = (_to_clock(day, persona, seasons)[customer] for day in (first, np.maximum(last, first + 1)))
    reading = start + (stop - start) * rng.random(len(customer))
    day = np.minimum(_from_clock(reading, persona[customer], seasons).astype(int), len(calendar) - 1)
    at = _seconds(rng, day, channel + 1, calendar)
    depth = np.array([STEPS.index(s) for s in steps])[step]
    return pd.DataFrame({"customer": customer, "at": at, "channel": channel + 1, "depth": depth})


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
            "event": np.array([_EVENT[name] for name in STEPS])[step],
        }
    )


def _signups(
    rng: np.random.Generator, people: pd.DataFrame, contacts: pd.DataFrame, calendar: pd.DataFrame
) -> np.ndarray:
    """Second of signing up: on the day it fell on, and before the first contact."""
    n = len(people)
    drawn = _seconds(rng, people["signup_day"].to_numpy(), _home(people), calendar)
    first = contacts.groupby("customer")["at"].min().reindex(np.arange(n)).fillna(np.inf)
    return np.maximum(np.minimum(drawn, first - rng.integers(30, 6 * _MINUTE, n)), 0).astype(int).to_numpy()


def _home(people: pd.DataFrame) -> np.ndarray:
    """The channel each customer uses most."""
    return people[_SHARES].to_numpy().argmax(axis=1)


def _all_contacts(
    rng: np.random.Generator,
    journeys: pd.DataFrame,
    orders: pd.DataFrame,
    people: pd.DataFrame,
    customers: pd.DataFrame,
    calendar: pd.DataFrame,
) -> pd.DataFrame:
    """Every contact within the years, sorted by customer and time, with the kind of content of what was sent."""
    signups = pd.DataFrame(
        {"customer": people.index, "at": people["signup"], "event": _EVENT["signup"], "channel": _home(people)}
    )
    parts = [
        signups,
        journeys,
        _after_orders(rng, orders, calendar),
        _messages(rng, people, customers, calendar),
    ]
    contacts = pd.concat(parts, ignore_index=True)
    contacts["content"] = contacts["content"].fillna(-1).astype(int)
    contacts = contacts[contacts["at"] < len(calendar) * _DAY]
    # Events follow each other as listed in EVENTS where two fall on the same second.
    return contacts.sort_values(["customer", "at", "event", "channel", "content"], ignore_index=True)


def _after_orders(rng: np.random.Generator, orders: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Deliveries, cancellations, returns, calls to support and reviews."""
    at, status, channel = orders["at"].to_numpy(), orders["status"].to_numpy(), orders["channel"].to_numpy()
    day = orders["day"].to_numpy()
    n = len(orders)
    office = rng.integers(9 * 3600, 18 * 3600, n)
    delivered = (channel > 0) & (status == "completed")
    delivery = np.where(delivered, (day + rng.integers(1, 6, n)) * _DAY + office, at)
    evening = rng.integers(17 * 3600, 24 * 3600, n)
    review = (delivery // _DAY + rng.integers(1, 21, n)) * _DAY + evening
    chance = np.select([status == "cancelled", status == "returned", channel > 0], [0.30, 0.35, 0.045], 0.012)
    call = (at // _DAY + rng.integers(1, 8, n)) * _DAY + rng.integers(9 * 3600, 18 * 3600, n)
    cancellation = np.minimum(at + rng.integers(300, 20 * 3600, n), len(calendar) * _DAY - 1)
    happened = (
        (delivered, delivery, "delivery", _CONTACT["courier"]),
        (status == "cancelled", cancellation, "cancellation", channel),
        (status == "returned", at, "return", channel),
        (rng.random(n) < chance, call, "support_call", _CONTACT["phone"]),
        ((status == "completed") & (rng.random(n) < np.where(delivered, 0.11, 0.015)), review, "review", channel),
    )
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "customer": orders["customer"].to_numpy()[yes],
                    "at": when[yes],
                    "event": _EVENT[event],
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
        customer, mailing = np.nonzero(consents[:, None] & (people["signup"].to_numpy()[:, None] < days * _DAY))
        sent = days[mailing] * _DAY + hour + rng.integers(0, 20 * _MINUTE, len(mailing))
        left = sent > people["dropout_day"].to_numpy()[customer] * _DAY
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
        channel = _CONTACT[kind]
        for outcome, yes, when in outcomes:
            told = {"customer": customer[yes], "at": when[yes], "content": content[yes]}
            parts.append(pd.DataFrame(told).assign(event=_EVENT[f"{kind}_{outcome}"], channel=channel))
        visit = pd.DataFrame({"customer": customer[clicked], "at": clicks[clicked] + 4})
        parts.append(visit.assign(event=_EVENT["visit"], channel=_CONTACT["web"]))
    return pd.concat(parts, ignore_index=True)


# --- what the business knows of its customers -------------------------------------------------------------------------


def _customers(
    rng: np.random.Generator, people: pd.DataFrame, orders: pd.DataFrame, calendar: pd.DataFrame
) -> pd.DataFrame:
    """The customers as recorded: with gaps, since not everybody fills in a form."""
    n = len(people)
    first_day = calendar["date"].iloc[0]
    persona = people["persona"].to_numpy()
    groups = list(PERSONAS.values())
    number = np.arange(1, n + 1)
    age = _ages(rng, groups, persona)  # when signing up
    signed_up = calendar["date"].to_numpy()[people["signup_day"]]
    woman = rng.random(n) < np.array([g.women for g in groups])[persona]
    likely = np.array([g.married for g in groups])[persona] / (1 + np.exp((26 - age) / 2.5))
    married = rng.random(n) < likely
    occupation = _occupations(rng, groups, persona, woman)
    cities, provinces = list(CITIES), [province for province, _, _ in CITIES.values()]
    customers = pd.DataFrame({"customer_id": _ids("C", number, 5), "kind": "person"})
    customers = customers.join(_names(rng, woman, number))
    customers["birth_date"] = (signed_up - (age * 365.25).astype("timedelta64[D]")).astype("datetime64[us]")
    customers["gender"] = _words(["male", "female"], woman.astype(int))
    customers["marital_status"] = _words(["single", "married"], married.astype(int))
    levels = np.array([weights for _, weights in OCCUPATIONS.values()])
    customers["education"] = _words(EDUCATION, _draw(rng, levels[occupation]))
    customers["occupation"] = _words(list(OCCUPATIONS), occupation)
    customers["income"] = _incomes(rng, occupation)
    customers["household_size"] = _households(rng, married, age, persona)
    city = people["city"].to_numpy()
    customers["city"], customers["region"] = _words(cities, city), _words(provinces, city)
    customers["country"] = "Iran"
    customers["signup_at"] = _instants(people["signup"].to_numpy(), first_day)
    customers = customers.join(_acquisition(rng, _home(people), people["signup"].to_numpy() // _DAY, calendar))
    customers = customers.join(_reach(rng, age))
    customers["interests"] = _interests(rng, people)
    customers["tags"] = _tags(rng, orders, n)
    return _with_gaps(rng, customers)


def _ages(rng: np.random.Generator, groups: list[Persona], persona: np.ndarray) -> np.ndarray:
    mean, deviation, low, high = np.array([g.age for g in groups])[persona].T
    age = rng.normal(mean, deviation)
    outside = (age < low) | (age > high)
    return np.where(outside, rng.uniform(low, high), age)


def _occupations(rng: np.random.Generator, groups: list[Persona], persona: np.ndarray, woman: np.ndarray) -> np.ndarray:
    weights = np.array([[g.occupations.get(name, 0) for name in OCCUPATIONS] for g in groups], dtype=float)[persona]
    weights[~woman, list(OCCUPATIONS).index("homemaker")] *= 0.04
    return _draw(rng, weights)


def _incomes(rng: np.random.Generator, occupation: np.ndarray) -> np.ndarray:
    """Yearly income in toman, to ten millions; missing for those who have none of their own."""
    median = np.array([income for income, _ in OCCUPATIONS.values()], dtype=float)[occupation]
    income = np.round(median * np.exp(rng.normal(0, 0.38, len(occupation))), -1) * 1_000_000
    return np.where(median > 0, income, np.nan)


def _households(rng: np.random.Generator, married: np.ndarray, age: np.ndarray, persona: np.ndarray) -> np.ndarray:
    """Persons in the household: the young and single live with their parents, the retired mostly in twos."""
    n = len(age)
    parent = persona == list(PERSONAS).index("childrens_parent")
    children = np.where(parent, 1 + rng.poisson(0.6, n), np.where(age > 58, rng.poisson(0.3, n), rng.poisson(0.7, n)))
    with_parents = (age < 29) | (rng.random(n) < 0.45)
    alone = np.where(with_parents & (age < 45), 3 + rng.poisson(0.7, n), 1 + (rng.random(n) < 0.25))
    size = np.where(married, 2 + children, np.where(parent, 1 + children, alone))
    return np.minimum(size, 7).astype(float)


def _names(rng: np.random.Generator, woman: np.ndarray, number: np.ndarray) -> pd.DataFrame:
    """Names, and addresses and telephone numbers that cannot be anybody's: example.com, and a prefix of zeros."""
    n = len(woman)
    given = np.where(woman, rng.choice(WOMEN.split(), n), rng.choice(MEN.split(), n))
    family = rng.choice(FAMILIES.split(), n)
    told = zip(given, family, number, strict=True)
    line = (number * 7919 + rng.integers(10**7)) % 10**7
    return pd.DataFrame(
        {
            "name": [f"{g} {f}" for g, f in zip(given, family, strict=True)],
            "email": [f"{g}.{f}{i}@example.com".lower() for g, f, i in told],
            "phone": [f"0000 {x // 10_000:03d} {x % 10_000:04d}" for x in line],
        }
    )


def _acquisition(rng: np.random.Generator, home: np.ndarray, day: np.ndarray, calendar: pd.DataFrame) -> pd.DataFrame:
    """Where customers came from, and the campaign of the season for those whom an advertisement may have brought."""
    n = len(home)
    sources = sorted({source for ways in ACQUISITION.values() for source in ways})
    weights = np.array([[ACQUISITION[c].get(source, 0) for source in sources] for c in CHANNELS], dtype=float)
    source = _draw(rng, weights[home])
    month, year = calendar["month"].to_numpy()[day], calendar["year"].to_numpy()[day]
    by_campaign = np.isin(source, [sources.index(s) for s in PAID]) & (rng.random(n) < 0.7)
    campaign = [
        f"{ACQUISITION_CAMPAIGNS[m]} {y}" if yes and m in ACQUISITION_CAMPAIGNS else None
        for yes, m, y in zip(by_campaign, month, year, strict=True)
    ]
    campaign = pd.array(campaign, dtype="str")
    return pd.DataFrame({"acquisition_channel": _words(sources, source), "acquisition_campaign": campaign})


def _reach(rng: np.random.Generator, age: np.ndarray) -> pd.DataFrame:
    """The channel customers ask to be reached by, by age, and those they may be reached on."""
    n = len(age)
    names = list(REACHED_BY)
    young, old = np.array(list(REACHED_BY.values()), dtype=float).T
    older = np.clip((age - 20) / 50, 0, 1)[:, None]
    preferred = _draw(rng, (1 - older) * young + older * old)
    consent = rng.random((n, len(names))) < np.array([0.62, 0.50, 0.35, 0.15])
    # Nearly all agree to the channel they ask for; a few agree to nothing.
    consent[np.arange(n), preferred] |= rng.random(n) < 0.85
    consent[rng.random(n) < 0.06] = False
    consents = [[name for name, yes in zip(names, row, strict=True) if yes] for row in consent.tolist()]
    return pd.DataFrame({"preferred_channel": _words(names, preferred), "consents": consents})


def _interests(rng: np.random.Generator, people: pd.DataFrame) -> list[list[str]]:
    """One to three genres that customers name: mostly, not always, those they like best."""
    genres = list(GENRES)
    liking = np.log(people[_TASTES].to_numpy() + 0.01) + rng.gumbel(0, 0.8, (len(people), len(genres)))
    ranked = np.argsort(-liking, axis=1, kind="stable")
    count = rng.choice([1, 2, 3], len(people), p=[0.35, 0.40, 0.25])
    return [sorted(genres[g] for g in row[:k]) for row, k in zip(ranked.tolist(), count.tolist(), strict=True)]


def _tags(rng: np.random.Generator, orders: pd.DataFrame, n: int) -> list[list[str]]:
    """Tags the staff gave: the club card, the best customers of all time, those who gave something back."""
    spent = orders[orders["status"] != "cancelled"].groupby("customer")["amount"].sum().reindex(range(n)).fillna(0)
    given_back = np.zeros(n, dtype=bool)
    given_back[orders.loc[orders["status"] == "returned", "customer"]] = True
    tags = {
        "club card": rng.random(n) < np.where(spent > 0, 0.45, 0.1),
        "vip": (spent >= spent.quantile(0.97)) & (spent > 0) & (rng.random(n) < 0.9),
        "gave back": given_back & (rng.random(n) < 0.6),
        "reading circle": rng.random(n) < 0.04,
    }
    held = np.column_stack(list(tags.values())).tolist()
    return [[tag for tag, yes in zip(tags, row, strict=True) if yes] for row in held]


def _with_gaps(rng: np.random.Generator, customers: pd.DataFrame) -> pd.DataFrame:
    """The customers with what they did not tell left empty; a third never opened the form about themselves."""
    n = len(customers)
    no_form = rng.random(n) < 0.33
    blank = {"gender": 0.04, "birth_date": 0.14, "email": 0.28, "phone": 0.03, "acquisition_channel": 0.07}
    blank |= {"preferred_channel": 0.18, "city": 0.02}
    on_form = {"marital_status": 0.06, "education": 0.06, "occupation": 0.05, "household_size": 0.08, "income": 0.20}
    on_form |= {"interests": 0.10}
    customers = customers.copy()
    for column, share in (blank | on_form).items():
        missing = rng.random(n) < share
        if column in on_form:
            missing |= no_form
        if column == "interests":
            told = zip(customers[column], missing, strict=True)
            customers[column] = [[] if gone else stated for stated, gone in told]
        else:
            customers[column] = customers[column].mask(missing)
    customers["region"] = customers["region"].mask(customers["city"].isna())
    # Nobody can consent to e-mail without an address, or to a text message or call without a number.
    has = {"email": customers["email"].notna(), "sms": customers["phone"].notna(), "phone": customers["phone"].notna()}
    customers["consents"] = [
        [channel for channel in consents if channel not in has or has[channel][row]]
        for row, consents in enumerate(customers["consents"])
    ]
    return customers


# --- the tables as they are stored ------------------------------------------------------------------------------------


def _order_table(orders: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    branches = [branch for _, _, names in CITIES.values() for branch in names]
    ways = [way for names in PAYMENTS.values() for way in names]
    return pd.DataFrame(
        {
            "order_id": _order_ids(orders),
            "customer_id": _words(ids, orders["customer"].to_numpy()),
            "ordered_at": _instants(orders["at"].to_numpy(), first_day),
            "channel": _words(CHANNELS, orders["channel"].to_numpy()),
            "branch": _words(branches, orders["branch"].to_numpy()),
            "payment_method": _words(ways, orders["payment_method"].to_numpy()),
            "amount": orders["amount"],
            "discount": orders["discount"],
            "status": orders["status"],
        }
    )


def _line_table(lines: pd.DataFrame, orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": _words(_order_ids(orders), lines["order"].to_numpy()),
            "product_id": _words(products["product_id"], lines["product"].to_numpy()),
            "quantity": lines["quantity"].astype(float),
            "unit_price": lines["unit_price"],
            "discount": lines["discount"],
            "amount": lines["amount"],
        }
    )


def _touchpoint_table(contacts: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    event = contacts["event"].to_numpy()
    stage, phase, owner = zip(*EVENTS.values(), strict=True)
    return pd.DataFrame(
        {
            "customer_id": _words(ids, contacts["customer"].to_numpy()),
            "occurred_at": _instants(contacts["at"].to_numpy(), first_day),
            "event": _words(list(EVENTS), event),
            "stage": _words(stage, event),
            "phase": _words(phase, event),
            "channel": _words(CONTACT_CHANNELS, contacts["channel"].to_numpy()),
            "content_type": _words(NEWSLETTERS, contacts["content"].to_numpy()),
            "owner": _words(owner, event),
        }
    )


def _findings(contacts: pd.DataFrame, people: pd.DataFrame) -> tuple[dict, ...]:
    """The planted findings, with the share that passes the losing step as set and as it came out in this world."""
    planted = LOSING_STEP
    on_channel = contacts[contacts["channel"] == CHANNELS.index(planted["channel"])]
    there = people["persona"].to_numpy()[on_channel["customer"]] == list(PERSONAS).index(planted["persona"])
    event = on_channel["event"].to_numpy()
    reached, passed = event == _EVENT[planted["step"]], event == _EVENT[planted["next"]]
    size = {
        "kind": "losing step",
        **planted,
        "passes_elsewhere": PASSES[planted["step"]],
        "reached": int((reached & there).sum()),
        "passed": int((passed & there).sum()),
        "reached_elsewhere": int((reached & ~there).sum()),
        "passed_elsewhere": int((passed & ~there).sum()),
    }
    return size, *({"kind": f"same {what}", "personas": list(pair)} for what, pair in TWINS.items())


def _canonical(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns in the schema's order."""
    return table[[column for column in TABLES[name].names if column in table]]


def _arrow(name: str, table: pd.DataFrame) -> pa.Table:
    """The table with exactly the types of the schema, whatever pandas would make of an empty or a missing value."""
    types = {
        "id": pa.string(),
        "text": pa.string(),
        "number": pa.float64(),
        "instant": pa.timestamp("us", tz=TIMEZONE),
        "date": pa.date32(),
        "list": pa.list_(pa.string()),
    }
    schema = pa.schema([(column, types[TABLES[name].column[column].type]) for column in table])
    return pa.Table.from_pandas(table, schema, preserve_index=False).replace_schema_metadata()


def _findings_toml(findings: tuple[dict, ...]) -> str:
    head = "# What was planted in this world, as set and as it came out.\n"
    tables = (
        "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in finding.items())
        for finding in findings
    )
    return head + "".join(f"\n[[findings]]\n{table}" for table in tables)


def _mapping_toml(tables: Mapping[str, pd.DataFrame], max_set_aside: float) -> str:
    head = {"name": "bookshop", "title": "The bookshop, a simulated company", "timezone": TIMEZONE, "currency": "toman"}
    if max_set_aside > 0.05:  # what reading takes without being told
        head["max_set_aside"] = max_set_aside
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in head.items()]
    for name in tables:
        lines.append(f'\n[tables.{name}]\npath = "{name}.parquet"\ncolumns = "canonical"\n')
    return "".join(lines)


def _put(path: Path, write_to: Callable[[Path], object]) -> None:
    """Write under a temporary name, then rename: nobody ever reads half a file."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write_to(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


# --- numbers and words ------------------------------------------------------------------------------------------------


def _rng(seed: int, table: str) -> np.random.Generator:
    """Random numbers of one table, which depend on the seed and its name alone."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(table.encode()),)))


def _draw(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """One column number per row, with chances in proportion to the row's weights."""
    ladder = np.cumsum(weights, axis=1)
    at = rng.random(len(weights)) * ladder[:, -1]
    return np.minimum((ladder <= at[:, None]).sum(axis=1), weights.shape[1] - 1)


def _normed(weights) -> np.ndarray:
    weights = np.array(list(weights), dtype=float)
    return weights / weights.sum()


def _dirichlet(rng: np.random.Generator, alpha: np.ndarray) -> np.ndarray:
    """A draw of shares per row; gamma draws divided by their sum."""
    drawn = rng.gamma(alpha) + 1e-12
    return drawn / drawn.sum(axis=1, keepdims=True)


def _beta(rng: np.random.Generator, mean: np.ndarray, concentration: float) -> np.ndarray:
    return rng.beta(mean * concentration, (1 - mean) * concentration)


def _words(names, codes: np.ndarray) -> pd.Series:
    """The names by their numbers as text; -1 is empty."""
    numbers = pa.array(np.asarray(codes, dtype="int32"), mask=np.asarray(codes) < 0)
    words = pa.DictionaryArray.from_arrays(numbers, pa.array(list(names), pa.large_string()))
    return pd.Series(pd.array(words.cast(pa.large_string()), dtype="str"))


def _ids(letter: str, numbers: np.ndarray, width: int) -> list[str]:
    width = max(width, len(str(len(numbers))))
    return [f"{letter}{number:0{width}d}" for number in numbers]


def _order_ids(orders: pd.DataFrame) -> list[str]:
    return _ids("O", np.arange(1, len(orders) + 1), 6)


def _instants(seconds: np.ndarray, first_day: pd.Timestamp) -> pd.Series:
    """Instants from seconds since the first midnight in Tehran, counted in its standard time.

    Iran has had +03:30 all the year since September 2022; in a summer before that, clocks showed an hour more.
    """
    local = first_day.to_datetime64().astype("datetime64[s]") + np.round(seconds).astype("timedelta64[s]")
    utc = local - np.timedelta64(210, "m")
    return pd.Series(utc.astype("datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(TIMEZONE)
