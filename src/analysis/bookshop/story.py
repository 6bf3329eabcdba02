"""The story of a piece of the world: from who there is, by what happens to them, to what is known and what is true."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.bookshop import (
    catalogue,
    companies,
    contacts,
    findings,
    marketing,
    opinions,
    records,
    service,
    shop,
    truth,
)
from analysis.bookshop.days import calendar_of
from analysis.bookshop.draws import numbered, random_numbers
from analysis.bookshop.people import latent_people

#: Days simulated beyond the last, for what customers would spend in the next year.
BEYOND = truth.NEXT_YEAR


class Plan(NamedTuple):
    """What all pieces of a world share."""

    customers: int
    years: int
    seed: int
    end: date


class First(NamedTuple):
    """The numbers with which the ids of a piece begin."""

    person: int = 1
    company: int = 1
    order: int = 1
    ticket: int = 1
    deal: int = 1


@dataclass(frozen=True)
class Story:
    """Everything that happened in a piece of a world, in the frames that it was simulated in.

    Customers are row numbers: persons first, then companies; times are seconds since the first midnight.
    """

    plan: Plan
    first: First
    n_days: int
    first_day: pd.Timestamp
    calendar: pd.DataFrame
    ids: pd.Series
    people: pd.DataFrame
    companies: pd.DataFrame
    customers: pd.DataFrame
    products: pd.DataFrame
    programme: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    deals: pd.DataFrame
    stages: pd.DataFrame
    deal_lines: pd.DataFrame
    contacts: pd.DataFrame
    answers: pd.DataFrame
    tickets: pd.DataFrame
    feedback: pd.DataFrame
    survey: pd.DataFrame
    ratings: pd.DataFrame


def told(plan: Plan, size: int, first: First, number: int) -> Story:
    """The story of one piece of a world: `size` customers, ids from `first`, random numbers of the piece's own."""

    def rng(table: str) -> np.random.Generator:
        return random_numbers(plan.seed, table, number)

    # The days of the history, and the same with a year beyond, in which people would go on buying.
    calendar, days = calendar_of(plan.end, plan.years), calendar_of(plan.end, plan.years, BEYOND)
    n_days = len(calendar)

    # Who there is: persons and companies, as they are and as they are known.
    n_companies = round(companies.SHARE * size)
    width = _digits(plan)
    person_ids = numbered("C", first.person + np.arange(size - n_companies), width)
    company_ids = numbered("B", first.company + np.arange(n_companies), width - 1)
    people = latent_people(rng("people"), size - n_companies, calendar)
    known = records.recorded(rng("customers"), people, calendar, person_ids)
    buyers = companies.latent_companies(rng("companies"), n_companies, calendar)

    # What people buy, what goes wrong, and how campaigns and complaints change it.
    products = catalogue.catalogue(random_numbers(plan.seed, "products"))
    programme = marketing.programme_of(calendar, plan.customers)
    purchases = shop.purchases_of(rng("purchases"), people, days, n_days)
    purchases = service.fates_of(rng("fates"), purchases, people)
    purchases, reached, leaving = marketing.contacted(
        rng("campaigns"), programme, purchases, people, known, days, n_days
    )
    people[["dropout_day", "left_for"]] = leaving
    future = purchases[purchases["day"] >= n_days].reset_index(drop=True)
    purchases = purchases[purchases["day"] < n_days].reset_index(drop=True)
    lines = shop.lines_of(rng("lines"), purchases, people, products, days)
    orders, lines = shop.with_credit_notes(rng("orders"), purchases, lines, people, calendar)

    # What companies buy: deals, each about some titles.
    deals, stages, deal_lines = companies.deals_of(rng("deals"), buyers, products, calendar)

    # The contacts on the way, what customers complain of, and what they answer.
    journeys, lost_checkouts = contacts.journeys(rng("journeys"), orders, people, calendar)
    people["signup"] = contacts.signups(rng("signups"), people, journeys, calendar)
    people["dropout_day"] = truth.last_moments(people, orders)
    tickets = service.tickets_of(rng("tickets"), purchases, lost_checkouts, people, n_days)
    answers = marketing.responses(rng("responses"), reached, programme, orders, n_days)
    others = [
        contacts.of_tickets(tickets),
        contacts.of_campaigns(rng("landings"), answers, programme),
        contacts.of_companies(rng("contacts of companies"), buyers, deals, stages, len(people), n_days),
    ]

    # What people would spend in the next year.
    people["expected_spend_next_year"] = truth.expected_next_year(people, purchases, products, days, n_days)
    future_lines = shop.lines_of(rng("next year"), future, people, products, days)
    people["spend_next_year"] = truth.spend_next_year(future, future_lines, len(people))

    known = records.with_times_and_tags(rng("tags"), known, people, orders, calendar)
    known_companies = companies.recorded_companies(rng("company records"), buyers, calendar, company_ids)
    return Story(
        plan=plan,
        first=first,
        n_days=n_days,
        first_day=calendar["date"].iloc[0],
        calendar=calendar,
        ids=pd.Series([*person_ids, *company_ids], dtype="str"),
        people=people,
        companies=buyers,
        customers=pd.concat([known, known_companies], ignore_index=True) if n_companies else known,
        products=products,
        programme=programme,
        orders=orders,
        lines=lines,
        deals=deals,
        stages=stages,
        deal_lines=deal_lines,
        contacts=contacts.all_contacts(rng("contacts"), journeys, orders, people, known, others, calendar),
        answers=answers,
        tickets=tickets,
        feedback=service.feedback_of(rng("feedback"), orders, tickets, people, known, n_days),
        survey=opinions.survey_of(rng("survey"), orders, people, n_days),
        ratings=opinions.ratings_of(rng("ratings"), orders, people, n_days),
    )


def tables_of(story: Story) -> dict[str, pd.DataFrame]:
    """The canonical tables: what the business knows."""
    s, ids, first_day = story, story.ids, story.first_day
    company_orders, company_lines = companies.orders_of(s.deals, s.deal_lines)
    orders, lines = shop.with_company_orders(s.orders, s.lines, company_orders, company_lines, len(s.people))
    order_ids = numbered("O", s.first.order + np.arange(len(orders)), max(6, len(str(10 * s.plan.customers))))
    company_ids = ids[len(s.people) :].reset_index(drop=True)
    deals, stages = companies.deal_tables(s.deals, s.stages, company_ids, first_day, s.first.deal, _digits(s.plan))
    return {
        "customers": s.customers,
        "orders": shop.order_table(orders, order_ids, ids, first_day),
        "order_lines": shop.line_table(lines, order_ids, s.products),
        "products": s.products.drop(columns="chance"),
        "touchpoints": contacts.touchpoint_table(s.contacts, ids, marketing.campaign_ids(s.programme), first_day),
        "feedback": service.feedback_table(s.feedback, ids, first_day),
        "survey_answers": opinions.survey_table(s.survey, ids, first_day),
        "tickets": service.ticket_table(s.tickets, ids, first_day, s.first.ticket, _digits(s.plan)),
        "campaigns": marketing.campaign_table(s.programme, first_day),
        "campaign_contacts": marketing.contact_table(s.answers, s.programme, ids, first_day),
        "deals": deals,
        "deal_stages": stages,
        "brand_ratings": opinions.rating_table(s.ratings, ids, first_day),
    }


def truth_of(story: Story) -> dict[str, pd.DataFrame]:
    """What the business does not know."""
    s, width = story, _digits(story.plan)
    return {
        "customers": truth.true_customers(s.people, s.companies, s.ids, s.first_day),
        "loyalty": truth.true_loyalty(s.people, s.orders, s.ids, s.calendar),
        "campaign_effects": marketing.true_effects(s.answers, s.programme, s.ids),
        "tickets": service.true_tickets(s.tickets, s.first.ticket, width),
        "deals": companies.true_deals(s.deals, s.first.deal, width),
        "questions": opinions.true_questions(),
    }


def findings_of(story: Story) -> tuple[dict, ...]:
    """What was planted, as set and as it came out."""
    s = story
    return findings.planted(
        s.people, s.orders, s.lines, s.products, s.contacts, s.tickets, s.answers, s.programme, s.ratings, s.n_days
    )


def next_first(story: Story) -> First:
    """The numbers with which the ids of the next piece begin."""
    s, first = story, story.first
    return First(
        first.person + len(s.people),
        first.company + len(s.companies),
        first.order + len(s.orders) + int((s.deals["outcome"] == companies.WON).sum()),
        first.ticket + len(s.tickets),
        first.deal + len(s.deals),
    )


def _digits(plan: Plan) -> int:
    """Digits of the ids of customers, tickets and deals."""
    return max(5, len(str(plan.customers)))
