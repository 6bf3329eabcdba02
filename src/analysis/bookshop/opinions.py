"""What customers say of themselves and of others: a survey of what they are like, and ratings of us and two rivals."""

import numpy as np
import pandas as pd

from analysis.bookshop.days import DAY
from analysis.bookshop.draws import instants, words
from analysis.bookshop.people import PERSONAS, TRAITS
from analysis.bookshop.service import LATE_AFTER

#: Statements of the survey, 1 (not at all) to 5 (entirely); "-" begins one that says the opposite of its construct.
ITEMS = {
    "price consciousness": (
        "I compare prices before I buy a book",
        "I wait for a discount if I can",
        "A rise in prices makes me buy less",
        "-I do not look at the price of a book I want",
    ),
    "quality": (
        "I would rather have one fine edition than two cheap ones",
        "Paper and binding matter to me",
        "A good translation is worth its price",
        "-The cheapest edition is good enough for me",
    ),
    "brand loyalty": (
        "I buy my books here before I look elsewhere",
        "I would recommend this shop to friends",
        "I would stay if another shop opened next door",
        "-It is all the same to me where I buy",
    ),
    "novelty seeking": (
        "I like to read authors I have never heard of",
        "I try genres that are new to me",
        "I look through the new titles first",
        "-I stay with what I know I like",
    ),
    "social influence": (
        "I read what my friends read",
        "Reviews on social media decide what I buy",
        "I ask others before I choose a book",
        "-What others think of a book does not matter to me",
    ),
}
#: Share of an answer's variance that comes from the construct; the rest is the question's own and the day's.
LOADING = 0.62

#: Why people buy and what stands in their way, with the mean answer of each group that differs from 2.6.
GOALS = {
    "goals": {
        "I buy books to relax": {"novel_reader": 4.2, "bargain_hunter": 4.2, "retired_reader": 4.2},
        "I buy books for an examination": {"konkur_student": 4.7, "academic": 3.2, "childrens_parent": 3.0},
        "I buy books for my children": {"childrens_parent": 4.7, "gift_buyer": 3.0},
        "I buy books as presents": {"gift_buyer": 4.6, "childrens_parent": 3.2},
        "I buy books for my work or research": {"academic": 4.5, "collector": 3.2},
        "I buy books to own something rare": {"collector": 4.7},
    },
    "challenges": {
        "Books have become too dear for me": {"bargain_hunter": 4.2, "konkur_student": 3.6, "collector": 1.6},
        "I have no time to go to a bookshop": {"childrens_parent": 4.0, "academic": 3.6, "retired_reader": 2.6},
        "It is hard to find the right book": {"gift_buyer": 4.2, "childrens_parent": 3.2},
        "The titles I need are out of print": {"collector": 4.5, "academic": 3.8},
        "Paying in the app is a trouble": {"konkur_student": 3.9},
        "My orders arrive late": {},
    },
}
OTHERWISE = 2.6
#: Who waited for a late order agrees with the last challenge so much more.
WAITED = 1.6

#: Share of the customers with an order who answer the survey, and who rate brands. A survey a year, on its last days.
SURVEYED, RATES_BRANDS = 0.22, 0.16

OURS, RIVALS = "our bookshop", ("Barg Online", "Kaghazi")
#: Mean rating from 1 to 5; made up, as the rivals are. Planted: one rival is preferred on one attribute.
RATINGS = {
    "price": (3.2, 4.0, 3.1),
    "range": (4.1, 3.7, 3.4),
    "delivery": (3.7, 3.6, 3.3),
    "staff": (4.3, 3.1, 3.9),
    "app": (3.6, 3.5, 2.9),
}
RIVAL_PREFERRED = {"rival": "Barg Online", "attribute": "price"}


def survey_of(rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame, n_days: int) -> pd.DataFrame:
    """Answers, one row per customer and question: customer, second, construct and question (numbers), answer."""
    who, at = _asked(rng, SURVEYED, orders, people, n_days)
    n, parts = len(who), []
    for construct, trait in enumerate(TRAITS):
        truly = people[trait].to_numpy()[who]
        for question, item in enumerate(ITEMS[trait]):
            drawn = np.sqrt(LOADING) * truly + np.sqrt(1 - LOADING) * rng.normal(0, 1, n)
            if item.startswith("-"):
                drawn = -drawn
            answer = np.clip(np.round(3.2 + 1.05 * drawn), 1, 5)
            parts.append((construct, question, answer))
    late = orders[orders["trouble"] == 1].groupby("customer")["day"].min().reindex(range(len(people)))
    waited = (late.fillna(np.inf).to_numpy()[who] + LATE_AFTER) * DAY < at
    group = people["persona"].to_numpy()[who]
    for construct, (_, statements) in enumerate(GOALS.items(), start=len(TRAITS)):
        for question, (statement, means) in enumerate(statements.items()):
            mean = np.array([means.get(name, OTHERWISE) for name in PERSONAS])[group]
            mean = mean + WAITED * waited * (statement == "My orders arrive late")
            parts.append((construct, question, np.clip(np.round(rng.normal(mean, 0.9)), 1, 5)))
    answers = [
        pd.DataFrame({"customer": who, "at": at, "construct": construct, "question": question, "answer": answer})
        for construct, question, answer in parts
    ]
    # A few skip a question.
    table = pd.concat(answers, ignore_index=True)
    table = table[rng.random(len(table)) >= 0.02]
    return table.sort_values(["at", "customer", "construct", "question"], ignore_index=True)


def ratings_of(rng: np.random.Generator, orders: pd.DataFrame, people: pd.DataFrame, n_days: int) -> pd.DataFrame:
    """Ratings of us and of the rivals that a customer knows, one row per customer, brand and attribute."""
    who, at = _asked(rng, RATES_BRANDS, orders, people, n_days)
    n, parts = len(who), []
    mood = rng.normal(0, 0.35, n)
    loyal, price = people["brand loyalty"].to_numpy()[who], people["price consciousness"].to_numpy()[who]
    for brand in range(1 + len(RIVALS)):
        knows = np.ones(n, dtype=bool) if brand == 0 else rng.random(n) < (0.75, 0.45)[brand - 1]
        for attribute, means in enumerate(RATINGS.values()):
            mean = means[brand] + mood + (0.25 * loyal if brand == 0 else 0)
            if list(RATINGS)[attribute] == "price":
                mean = mean - 0.2 * price
            rating = np.clip(np.round(rng.normal(mean, 0.75)), 1, 5)
            told = {"customer": who, "at": at, "rating": rating}
            parts.append(pd.DataFrame(told)[knows].assign(brand=brand, attribute=attribute))
    ratings = pd.concat(parts, ignore_index=True)
    return ratings.sort_values(["at", "customer", "brand", "attribute"], ignore_index=True)


def _asked(
    rng: np.random.Generator, share: float, orders: pd.DataFrame, people: pd.DataFrame, n_days: int
) -> tuple[np.ndarray, np.ndarray]:
    """Customers who answer, once each, and when: some weeks after one of their orders."""
    bought = orders[orders["status"] == "completed"]
    first = bought.groupby("customer")["at"].agg(["min", "max"])
    answers = rng.random(len(first)) < share
    between = first["min"] + rng.random(len(first)) * (first["max"] - first["min"])
    at = between + (3 + rng.integers(0, 40, len(first))) * DAY
    answers &= (at < n_days * DAY).to_numpy()
    return first.index.to_numpy()[answers].astype(int), at.to_numpy()[answers]


def survey_table(answers: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    """The answers as the business stores them, questions in words."""
    constructs = [*TRAITS, *GOALS]
    wordings = [[item.lstrip("-") for item in ITEMS[trait]] for trait in TRAITS]
    wordings += [list(statements) for statements in GOALS.values()]
    first = np.cumsum([0, *(len(w) for w in wordings)])[:-1]
    construct = answers["construct"].to_numpy()
    questions = [question for of_one in wordings for question in of_one]
    return pd.DataFrame(
        {
            "customer_id": words(ids, answers["customer"].to_numpy()),
            "answered_at": instants(answers["at"].to_numpy(), first_day),
            "construct": words(constructs, construct),
            "question": words(questions, first[construct] + answers["question"].to_numpy()),
            "answer": answers["answer"].astype(float),
        }
    )


def rating_table(ratings: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    """The ratings as the business stores them."""
    return pd.DataFrame(
        {
            "customer_id": words(ids, ratings["customer"].to_numpy()),
            "brand": words((OURS, *RIVALS), ratings["brand"].to_numpy()),
            "attribute": words(list(RATINGS), ratings["attribute"].to_numpy()),
            "rating": ratings["rating"].astype(float),
            "rated_at": instants(ratings["at"].to_numpy(), first_day),
        }
    )


def true_questions() -> pd.DataFrame:
    """The questions of the constructs, and which are reverse-coded."""
    rows = [(trait, item.lstrip("-"), item.startswith("-")) for trait in TRAITS for item in ITEMS[trait]]
    return pd.DataFrame(rows, columns=["construct", "question", "reversed"])
