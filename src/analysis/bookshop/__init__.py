"""The bookshop: what does a customer base look like whose truth is known?

It takes the number of customers, the years and a seed, and simulates an Iranian chain of bookshops with branches, a web
shop and an app: eight groups of people who buy until they drop out, schools, libraries and companies who buy by deal,
campaigns that win some and annoy others, parcels that come late and complaints that are answered too late. It gives the
canonical tables as any business has them and, apart from them, the truth that no business knows (who belongs to which
group, when they left and why, what a campaign changed, what they will spend next year).

The modules read like chapters, each drawn from what lies before it: draws, days, catalogue, people, records, shop,
service, marketing, companies, contacts, opinions, truth, findings, files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.bookshop import companies as b2b
from analysis.bookshop import contacts as touch
from analysis.bookshop import marketing, opinions, service, truth
from analysis.bookshop.catalogue import catalogue
from analysis.bookshop.days import CLOSED, calendar_of
from analysis.bookshop.draws import numbered, random_numbers
from analysis.bookshop.files import CUSTOM, Folder, canonical
from analysis.bookshop.findings import planted, together
from analysis.bookshop.people import PERSONAS, TWINS, latent_people
from analysis.bookshop.records import recorded, with_times_and_tags
from analysis.bookshop.shop import (
    line_table,
    lines_of,
    order_table,
    purchases_of,
    with_company_orders,
    with_credit_notes,
)
from analysis.errors import Problem

__all__ = ["CLOSED", "CUSTOM", "PERSONAS", "PIECE", "TWINS", "World", "build", "pieces", "write"]

#: Most customers in one piece of a large world.
PIECE = 50_000
#: Days simulated beyond the last, for what customers would spend in the next year.
BEYOND = 365


@dataclass(frozen=True)
class World:
    """A simulated business.

    Attributes
    ----------
    tables : dict of str to DataFrame
        The canonical tables, with the columns and types of :data:`analysis.schema.TABLES`; a column of which the shop
        knows nothing is left out, and its own fields (`CUSTOM`) come last.
    truth : dict of str to DataFrame
        What no business knows. ``customers``: one row per customer with its persona, purchase rate, dropout and so on;
        ``loyalty``: the stages each person has entered; ``campaign_effects``: what each campaign changes for each
        customer it could reach; ``tickets``: which were handled badly; ``deals``: how likely each was to be won;
        ``questions``: which questions of the survey are reverse-coded.
    findings : tuple of dict
        What was planted, each with its size as set and as it came out.
    """

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]
    findings: tuple[dict, ...]


def build(customers: int = 5000, years: int = 3, seed: int = 1, end: date = date(2026, 3, 20)) -> World:
    """A bookshop chain, its customers, what they do and say, and the truth about them.

    Parameters
    ----------
    customers : int
        Number of customers, persons and companies, with those who signed up and never ordered.
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
    day. Causes act on this latent process before there are orders: campaigns add orders or take them away, and badly
    handled complaints end it. Every table has its own random numbers: changing how one is drawn leaves the earlier
    ones as they are.

    Examples
    --------
    >>> world = build(customers=50, seed=7)
    >>> list(world.tables)[:5]
    ['customers', 'orders', 'order_lines', 'products', 'touchpoints']
    >>> world.truth["customers"].columns[:3].tolist()
    ['customer_id', 'persona', 'ever_orders']
    """
    _check(customers, years, seed)
    return _piece(_Plan(customers, years, seed, end), customers, _First(), 0)[0]


def pieces(customers: int, years: int = 3, seed: int = 1, end: date = date(2026, 3, 20)) -> Iterator[World]:
    """A world of any size, one piece after the other, so that no more than one need be in memory.

    Parameters
    ----------
    customers, years, seed, end
        As in :func:`build`.

    Yields
    ------
    World
        Of at most `PIECE` customers. Ids differ between pieces; all share products, campaigns and the questions of the
        survey. The only piece of a small world is what :func:`build` gives.

    Examples
    --------
    >>> [len(world.tables["customers"]) for world in pieces(50)]
    [50]
    """
    _check(customers, years, seed)
    plan, first = _Plan(customers, years, seed, end), _First()
    count = -(-customers // PIECE)
    for number in range(count):
        size = customers // count + (number < customers % count)
        world, first = _piece(plan, size, first, number)
        yield world


def write(folder: str | Path, customers: int = 5000, years: int = 3, seed: int = 1) -> Path:
    """Write a bookshop as Parquet, with the truth in a folder of its own and a mapping to read it by.

    Parameters
    ----------
    folder : path
        Made if it is not there; a bookshop already in it is replaced.
    customers, years, seed : int
        As in :func:`build`. A large world is written piece by piece.

    Returns
    -------
    Path
        The mapping file, ``bookshop.toml`` in the folder.

    Notes
    -----
    Every file is written under a temporary name and then renamed, the mapping last. The same arguments give the same
    bytes.
    """
    found = []
    with Folder(Path(folder)) as shop:
        for world in pieces(customers, years, seed):
            shop.add(world.tables, world.truth)
            found.append(world.findings)
        return shop.finish(together(found))


class _Plan(NamedTuple):
    """What all pieces of a world share."""

    customers: int
    years: int
    seed: int
    end: date


class _First(NamedTuple):
    """The numbers with which the ids of a piece begin."""

    person: int = 1
    company: int = 1
    order: int = 1
    ticket: int = 1
    deal: int = 1


def _check(customers: int, years: int, seed: int) -> None:
    for name, value, least in (("customers", customers, 1), ("years", years, 1), ("seed", seed, 0)):
        if value < least:
            raise Problem(f"A bookshop needs {name} = {least} or more, not {value}.")


def _piece(plan: _Plan, size: int, first: _First, number: int) -> tuple[World, _First]:
    """One piece of a world, and the numbers with which the ids of the next begin."""

    def rng(table: str) -> np.random.Generator:
        return random_numbers(plan.seed, table, number)

    # The days of the history, and the same with a year beyond, in which people would go on buying.
    calendar = calendar_of(plan.end, plan.years)
    n_days = len(calendar)
    days = calendar_of(plan.end, plan.years, BEYOND)
    first_day = calendar["date"].iloc[0]

    # Who there is: persons and companies, as they are and as they are known.
    n_companies = round(b2b.SHARE * size)
    width = max(5, len(str(plan.customers)))
    person_ids = numbered("C", first.person + np.arange(size - n_companies), width)
    company_ids = numbered("B", first.company + np.arange(n_companies), width - 1)
    people = latent_people(rng("people"), size - n_companies, calendar)
    customers = recorded(rng("customers"), people, calendar, person_ids)
    companies = b2b.latent_companies(rng("companies"), n_companies, calendar)
    ids = pd.Series([*person_ids, *company_ids], dtype="str")

    # What people buy, what goes wrong, and how campaigns and complaints change it.
    products = catalogue(random_numbers(plan.seed, "products"))
    programme = marketing.programme_of(calendar, plan.customers)
    purchases = purchases_of(rng("purchases"), people, days, n_days)
    purchases = service.fates_of(rng("fates"), purchases, people)
    purchases, reached, leaving = marketing.contacted(
        rng("campaigns"), programme, purchases, people, customers, days, n_days
    )
    people[["dropout_day", "left_for"]] = leaving
    future = purchases[purchases["day"] >= n_days].reset_index(drop=True)
    purchases = purchases[purchases["day"] < n_days].reset_index(drop=True)
    lines = lines_of(rng("lines"), purchases, people, products, days)
    orders, lines = with_credit_notes(rng("orders"), purchases, lines, people, calendar)

    # What companies buy: deals, and orders of those that were won.
    deals, stages, deal_lines = b2b.deals_of(rng("deals"), companies, products, calendar)
    company_orders, company_lines = b2b.orders_of(deals, deal_lines)

    # The contacts on the way, what customers complain of, and what they answer.
    journeys, lost_checkouts = touch.journeys(rng("journeys"), orders, people, calendar)
    people["signup"] = touch.signups(rng("signups"), people, journeys, calendar)
    people["dropout_day"] = truth.last_moments(people, orders)
    tickets = service.tickets_of(rng("tickets"), purchases, lost_checkouts, people, n_days)
    answers = marketing.responses(rng("responses"), reached, programme, orders, n_days)
    reachable = customers["consents"].map(lambda consents: bool({"email", "sms"} & set(consents))).to_numpy(dtype=bool)
    feedback = service.feedback_of(rng("feedback"), orders, tickets, people, reachable, n_days)
    survey = opinions.survey_of(rng("survey"), orders, people, n_days)
    ratings = opinions.ratings_of(rng("ratings"), orders, people, n_days)
    others = [
        touch.of_tickets(tickets),
        touch.of_campaigns(answers, programme),
        touch.of_companies(companies, deals, stages, len(people), n_days),
    ]
    contacts = touch.all_contacts(rng("contacts"), journeys, orders, people, customers, others, calendar)

    # The truth.
    people["expected_spend_next_year"] = truth.expected_next_year(people, purchases, products, days, n_days)
    future_lines = lines_of(rng("next year"), future, people, products, days)
    people["spend_next_year"] = truth.spend_next_year(future, future_lines, len(people))

    customers = with_times_and_tags(rng("tags"), customers, people, orders, calendar)
    known_companies = b2b.recorded_companies(rng("company records"), companies, calendar, company_ids)
    all_orders, all_lines = with_company_orders(orders, lines, company_orders, company_lines, len(people))
    order_ids = numbered("O", first.order + np.arange(len(all_orders)), max(6, len(str(10 * plan.customers))))
    deal_table, stage_table = b2b.deal_tables(
        deals, stages, pd.Series(company_ids, dtype="str"), first_day, first.deal, width
    )
    ticket_table = service.ticket_table(tickets, ids, first_day, first.ticket, width)
    tables = {
        "customers": _joined(customers, known_companies),
        "orders": order_table(all_orders, order_ids, ids, first_day),
        "order_lines": line_table(all_lines, order_ids, products),
        "products": products.drop(columns="chance"),
        "touchpoints": touch.touchpoint_table(contacts, ids, marketing.campaign_ids(programme), first_day),
        "feedback": service.feedback_table(feedback, ids, first_day),
        "survey_answers": opinions.survey_table(survey, ids, first_day),
        "tickets": ticket_table,
        "campaigns": marketing.campaign_table(programme, first_day),
        "campaign_contacts": marketing.contact_table(answers, programme, ids, first_day),
        "deals": deal_table,
        "deal_stages": stage_table,
        "brand_ratings": opinions.rating_table(ratings, ids, first_day),
    }
    hidden = {
        "customers": truth.true_customers(people, companies, ids, first_day),
        "loyalty": truth.true_loyalty(people, orders, ids, calendar),
        "campaign_effects": marketing.true_effects(answers, programme, ids),
        "tickets": pd.DataFrame(
            {"ticket_id": ticket_table["ticket_id"], "handled_badly": tickets["badly"].astype(bool)}
        ),
        "deals": b2b.true_deals(deals, first.deal, width),
        "questions": opinions.true_questions(),
    }
    found = planted(people, orders, lines, products, contacts, tickets, answers, programme, ratings, n_days)
    following = _First(
        first.person + len(people),
        first.company + n_companies,
        first.order + len(all_orders),
        first.ticket + len(tickets),
        first.deal + len(deals),
    )
    tables = {name: canonical(name, table) for name, table in tables.items()}
    return World(tables, hidden, found), following


def _joined(persons: pd.DataFrame, companies: pd.DataFrame) -> pd.DataFrame:
    """Persons and companies in one table; what only the ones have is empty for the others."""
    return pd.concat([persons, companies], ignore_index=True) if len(companies) else persons
