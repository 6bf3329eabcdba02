"""The bookshop: what does a customer base look like whose truth is known?

It takes the number of customers, the years and a seed, and simulates an Iranian chain of bookshops with branches, a web
shop and an app: eight groups of people who buy until they drop out, schools, libraries and companies who buy by deal,
campaigns that win some and annoy others, parcels that come late and complaints that are answered too late. It gives the
canonical tables as any business has them and, apart from them, the truth that no business knows (who belongs to which
group, when they left and why, what a campaign changed, what they will spend next year).

The modules read like chapters, each drawn from what lies before it: draws, days, catalogue, people, records, shop,
service, marketing, companies, contacts, opinions, truth, findings, story, files; then what may be done to a finished
world: persian, defects, export, folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from analysis.bookshop.days import CLOSED
from analysis.bookshop.files import CUSTOM, canonical
from analysis.bookshop.findings import together
from analysis.bookshop.folder import Folder, is_bookshop
from analysis.bookshop.people import PERSONAS, TWINS
from analysis.bookshop.story import First, Plan, Story, findings_of, next_first, tables_of, told, truth_of
from analysis.errors import Problem

__all__ = ["CLOSED", "CUSTOM", "PERSONAS", "PIECE", "TWINS", "World", "build", "is_bookshop", "pieces", "write"]

#: Most customers in one piece of a large world.
PIECE = 50_000


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
    return _world(told(Plan(customers, years, seed, end), customers, First(), 0))


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
    plan, first = Plan(customers, years, seed, end), First()
    count = -(-customers // PIECE)
    for number in range(count):
        size = customers // count + (number < customers % count)
        story = told(plan, size, first, number)
        first = next_first(story)
        yield _world(story)


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
        As in :func:`build`. A large world is written piece by piece.
    language : {"en", "fa"}
        Of names, cities, titles and all other words that readers see.
    defects : float
        Rate of planted defects, see :func:`analysis.bookshop.defects.plant`; they are listed in the truth.
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
    from analysis.bookshop.defects import plant, tolerated
    from analysis.bookshop.persian import in_persian

    for name, value, known in (("language", language, ("en", "fa")), ("export", export, (None, "crm"))):
        if value not in known:
            raise Problem(f'A bookshop has no {name} = "{value}". Known: {", ".join(map(str, known))}.')
    # Whatever is refused is refused before there is a folder.
    _check(customers, years, seed)
    limit, found = tolerated(defects), []
    with Folder(Path(folder), limit, csv, export == "crm") as shop:
        for world in pieces(customers, years, seed):
            world = plant(in_persian(world) if language == "fa" else world, defects, seed)
            shop.add(world)
            found.append(world.findings)
        return shop.finish(together(found))


def _check(customers: int, years: int, seed: int) -> None:
    for name, value, least in (("customers", customers, 1), ("years", years, 1), ("seed", seed, 0)):
        if value < least:
            raise Problem(f"A bookshop needs {name} = {least} or more, not {value}.")


def _world(story: Story) -> World:
    tables = {name: canonical(name, table) for name, table in tables_of(story).items()}
    return World(tables, truth_of(story), findings_of(story))
