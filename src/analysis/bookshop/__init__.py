"""The bookshop: what does a customer base look like whose truth is known?

It takes the number of customers, the years and a seed, and simulates an Iranian chain of bookshops with branches, a web
shop and an app: eight groups of customers who buy until they drop out, and the contacts that lead to each order. It
gives the canonical tables as any business has them and, apart from them, the truth that no business knows (who belongs
to which group, how often they would buy, when they left, at which step customers are lost).
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from analysis.bookshop.catalogue import catalogue
from analysis.bookshop.contacts import all_contacts, journeys, signups, touchpoint_table
from analysis.bookshop.days import CLOSED, calendar_of
from analysis.bookshop.draws import random_numbers
from analysis.bookshop.files import arrow, canonical, findings_toml, mapping_toml, put
from analysis.bookshop.people import PERSONAS, TWINS, latent_people
from analysis.bookshop.records import recorded
from analysis.bookshop.shop import line_table, lines_of, order_table, purchases_of, with_credit_notes
from analysis.bookshop.truth import planted, true_customers
from analysis.errors import Problem

__all__ = ["CLOSED", "PERSONAS", "TWINS", "World", "build", "write"]


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
    calendar = calendar_of(end, years)
    people = latent_people(random_numbers(seed, "people"), customers, calendar)
    products = catalogue(random_numbers(seed, "products"))
    purchases = purchases_of(random_numbers(seed, "purchases"), people, calendar)
    lines = lines_of(random_numbers(seed, "lines"), purchases, people, products, calendar)
    orders, lines = with_credit_notes(random_numbers(seed, "orders"), purchases, lines, people, calendar)
    contacts = journeys(random_numbers(seed, "journeys"), orders, people, calendar)
    people["signup"] = signups(random_numbers(seed, "signups"), people, contacts, calendar)
    customers_table = recorded(random_numbers(seed, "customers"), people, orders, calendar)
    contacts = all_contacts(random_numbers(seed, "contacts"), contacts, orders, people, customers_table, calendar)

    first_day = calendar["date"].iloc[0]
    ids = customers_table["customer_id"]
    tables = {
        "customers": customers_table,
        "orders": order_table(orders, ids, first_day),
        "order_lines": line_table(lines, orders, products),
        "products": products.drop(columns="chance"),
        "touchpoints": touchpoint_table(contacts, ids, first_day),
    }
    truth = {"customers": true_customers(people, ids, first_day)}
    return World({name: canonical(name, table) for name, table in tables.items()}, truth, planted(contacts, people))


def write(folder: str | Path, customers: int = 5000, years: int = 3, seed: int = 1) -> Path:
    """Write a bookshop as Parquet, with the truth in a folder of its own and a mapping to read it by.

    Parameters
    ----------
    folder : path
        Made if it is not there; a bookshop already in it is replaced.
    customers, years, seed : int
        As in :func:`build`.

    Returns
    -------
    Path
        The mapping file, ``bookshop.toml`` in the folder.

    Notes
    -----
    Every file is written under a temporary name and then renamed, the mapping last. The same arguments give the same
    bytes.
    """
    world = build(customers, years, seed)
    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    for name, table in world.tables.items():
        put(folder / f"{name}.parquet", partial(pq.write_table, arrow(name, table)))
    for name, table in world.truth.items():
        put(folder / "truth" / f"{name}.parquet", partial(table.to_parquet, index=False))
    put(folder / "truth" / "findings.toml", lambda path: path.write_bytes(findings_toml(world.findings).encode()))
    mapping = folder / "bookshop.toml"
    put(mapping, lambda path: path.write_bytes(mapping_toml(world.tables).encode()))
    return mapping
