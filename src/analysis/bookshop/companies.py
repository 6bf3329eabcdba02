"""Schools, libraries and companies: they buy by deal, and a deal that is won becomes an order of its amount."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import GENRES
from analysis.bookshop.days import DAY
from analysis.bookshop.draws import draw, instants, normed, numbered, words
from analysis.bookshop.people import CITIES, DISTRICTS
from analysis.bookshop.records import CARD_COLOURS, NEWSLETTER_LAYOUTS, nobodys_phones

#: Share of the customers that are no persons.
SHARE = 0.04


@dataclass(frozen=True)
class Industry:
    """A kind of customer that is no person.

    Attributes
    ----------
    share : float
        Share of these customers.
    employees, revenue : float
        Medians: of employees, and of the yearly revenue per employee in million toman.
    deals_per_year, pieces : float
        Deals that come up in a year; mean pieces per title of a deal.
    genres : dict of str to float
        Weights.
    months : dict of int to float
        Rate of new deals in a Jalali month against an ordinary one.
    words : str
        Words to make names from, divided by a bar; the place of the city's name is in braces.
    """

    share: float
    employees: float
    revenue: float
    deals_per_year: float
    pieces: float
    genres: dict[str, float]
    months: dict[int, float]
    words: str


INDUSTRIES = {
    "school": Industry(
        0.45, 34, 160, 1.3, 6.0, {"exam": 45, "children": 40, "stationery": 15}, {5: 1.6, 6: 2.6, 7: 2.0, 1: 0.4},
        "Danesh School, {}|Omid School, {}|Farhang School, {}|Mehr School, {}|Hekmat School, {}",
    ),
    "library": Industry(
        0.20, 11, 90, 1.7, 1.6, {"novel": 40, "history": 22, "poetry": 14, "children": 24}, {8: 1.8, 11: 1.6, 12: 0.6},
        "City Library, {}|Golestan Library, {}|Ferdowsi Library, {}|Saadi Library, {}",
    ),
    "company": Industry(
        0.35, 75, 520, 0.9, 4.0, {"stationery": 48, "art": 30, "poetry": 12, "self-help": 10}, {9: 1.5, 11: 2, 12: 2.4},
        "Parto Industries, {}|Alvand Trading, {}|Rayan Software, {}|Kavir Logistics, {}|Nikan Foods, {}",
    ),
}  # fmt: skip

#: Stages in their order: mean days in each, and the share of the deals that go on from it.
STAGES = {"lead": (7, 0.78), "qualified": (10, 0.82), "offer": (13, 0.74), "negotiation": (11, 0.78)}
WON, LOST = "won", "lost"
#: How likely a deal goes on, by where it came from: odds against an ordinary one.
SOURCES = {"referral": (22, 1.8), "phone call": (28, 0.8), "website": (26, 1.0), "book fair": (24, 1.1)}
OWNERS = ("Sara", "Omid", "Leila", "Navid", "Mina", "Kamran")
#: Share of the deals of which nobody knows yet for whom they are, while they are leads.
NAMELESS = 0.5
#: Discount of a deal, by the number of pieces in it: from so many on.
DISCOUNTS = ((0, 0.05), (20, 0.10), (60, 0.15), (150, 0.20))


def latent_companies(rng: np.random.Generator, n: int, calendar: pd.DataFrame) -> pd.DataFrame:
    """One row per company in the order of signing up: kind, size, how often deals come up, when they stop."""
    kinds = list(INDUSTRIES.values())
    kind = rng.choice(len(kinds), n, p=normed([k.share for k in kinds]))
    signup_day = _no_friday((rng.random(n) ** 1.3 * len(calendar)).astype(int), calendar)
    size = np.exp(rng.normal(0, 0.8, n))
    companies = pd.DataFrame(
        {
            "kind": kind,
            "signup_day": signup_day,
            "signup": signup_day * DAY + rng.integers(8 * 3600, 16 * 3600, n),
            "employees": np.maximum(np.round(np.array([k.employees for k in kinds])[kind] * size), 3),
            "deals_per_year": rng.gamma(2.0, np.array([k.deals_per_year for k in kinds])[kind] / 2.0),
            "dropout_day": signup_day + 365.25 * rng.exponential(3.5, n),
            "city": rng.choice(len(CITIES), n, p=normed([weight for _, weight, _ in CITIES.values()])),
        }
    )
    return companies.sort_values("signup_day", kind="stable", ignore_index=True)


def recorded_companies(
    rng: np.random.Generator, companies: pd.DataFrame, calendar: pd.DataFrame, ids: list[str]
) -> pd.DataFrame:
    """The companies as customers: name, place, industry, employees, revenue; nothing that only persons have."""
    n = len(companies)
    kinds, kind = list(INDUSTRIES.values()), companies["kind"].to_numpy()
    cities = list(CITIES)
    place = companies["city"].to_numpy()
    names = [
        of_kind[int(u * len(of_kind))].format(cities[c])
        for of_kind, u, c in zip(
            [kinds[k].words.split("|") for k in kind], rng.random(n).tolist(), place.tolist(), strict=True
        )
    ]
    number = np.array([int(i[1:]) for i in ids], dtype=int)
    per_head = np.array([k.revenue for k in kinds])[kind] * np.exp(rng.normal(0, 0.4, n))
    revenue = np.round(companies["employees"] * per_head, 0) * 1e6
    table = pd.DataFrame({"customer_id": ids, "kind": "company", "name": pd.array(names, dtype="str")})
    table["email"] = [f"books{i}@example.com" for i in number.tolist()]
    table["phone"] = nobodys_phones(number + 5_000_000)
    table["city"] = words(cities, place)
    table["region"] = words([province for province, _, _ in CITIES.values()], place)
    table["country"] = "Iran"
    table["signup_at"] = instants(companies["signup"].to_numpy(), calendar["date"].iloc[0])
    source = draw(rng, np.tile([weight for weight, _ in SOURCES.values()], (n, 1)).astype(float))
    table["acquisition_channel"] = words(list(SOURCES), source)
    table["preferred_channel"] = words(("email", "phone"), rng.integers(0, 2, n))
    table["consents"] = [["email", "phone"] for _ in range(n)]
    table["interests"] = [sorted(kinds[k].genres, key=kinds[k].genres.get, reverse=True)[:2] for k in kind.tolist()]
    table["tags"] = [["business"] for _ in range(n)]
    table["industry"] = words(list(INDUSTRIES), kind)
    table["employees"] = companies["employees"].mask(rng.random(n) < 0.1).astype(float)
    table["annual_revenue"] = revenue.mask(rng.random(n) < 0.3).astype(float)
    table["district"] = words(list(DISTRICTS), rng.integers(0, len(DISTRICTS), n))
    table["newsletter_layout"] = words(NEWSLETTER_LAYOUTS, rng.integers(0, len(NEWSLETTER_LAYOUTS), n))
    table["card_colour"] = words(CARD_COLOURS, rng.integers(0, len(CARD_COLOURS), n))
    return table


def deals_of(
    rng: np.random.Generator, companies: pd.DataFrame, products: pd.DataFrame, calendar: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Deals in the order of coming up, the stages that each entered, and the lines that each is about.

    A deal runs through `STAGES`; at the end of each it goes on or is lost. What lies after the last day has not
    happened yet, so the deal is open.
    """
    company, created = _moments_of_deals(rng, companies, calendar)
    n, n_days = len(company), len(calendar)
    kind = companies["kind"].to_numpy()[company]
    source = draw(rng, np.tile([weight for weight, _ in SOURCES.values()], (n, 1)).astype(float))
    odds = np.array([odds for _, odds in SOURCES.values()])[source]
    stays = np.column_stack([rng.exponential(days, n) + 0.5 for days, _ in STAGES.values()]) * DAY
    # Sorted, as two stages may have ended on one day.
    entered = np.sort(_at_office_hours(rng, created[:, None] + np.cumsum(stays, axis=1), calendar), axis=1)
    pass_odds = np.array([share / (1 - share) for _, share in STAGES.values()]) * odds[:, None]
    passes = rng.random((n, len(STAGES))) < pass_odds / (1 + pass_odds)
    reached = np.cumprod(passes, axis=1).sum(axis=1)  # how many stages were passed
    won = reached == len(STAGES)
    last = np.minimum(reached, len(STAGES) - 1)
    closed = np.maximum(entered[np.arange(n), last], created + 4 * 3600)
    is_open = closed >= n_days * DAY
    chance = (pass_odds / (1 + pass_odds)).prod(axis=1)

    deals = pd.DataFrame(
        {
            "company": company,
            "created": created,
            "closed": np.where(is_open, np.nan, closed),
            "outcome": np.select([is_open, won], ["open", WON], LOST),
            "kind": kind,
            "owner": rng.integers(0, len(OWNERS), n),
            "source": source,
            "chance": chance,
        }
    )
    stages = _stages(deals, created, entered, reached, n_days)
    lines = _deal_lines(rng, deals, products, calendar)
    deals["amount"] = lines.groupby("deal")["amount"].sum().reindex(range(n)).fillna(0.0).to_numpy()
    main = lines.groupby(["deal", "genre"])["amount"].sum().reset_index().sort_values(["deal", "amount", "genre"])
    deals["genre"] = main.groupby("deal")["genre"].last().reindex(range(n)).fillna(0).astype(int).to_numpy()
    furthest = stages.groupby("deal")["stage"].max().reindex(range(n)).fillna(0).to_numpy()
    never_qualified = (furthest == 0) | ((furthest == len(STAGES) + 1) & (reached == 0))
    deals["nameless"] = never_qualified & (rng.random(n) < NAMELESS)
    return deals, stages, lines


def _moments_of_deals(
    rng: np.random.Generator, companies: pd.DataFrame, calendar: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Company and second of every deal, in the order of time: Poisson, thinned by the season of the industry."""
    n_days, kinds = len(calendar), list(INDUSTRIES.values())
    most = max(max(k.months.values()) for k in kinds)
    first = companies["signup_day"].to_numpy()
    last = np.minimum(companies["dropout_day"].to_numpy(), n_days)
    count = rng.poisson(companies["deals_per_year"] / 365.25 * np.maximum(last - first, 0) * most)
    company = np.repeat(np.arange(len(companies)), count)
    day = (first[company] + rng.random(len(company)) * (last - first)[company]).astype(int)
    by_month = np.array([[k.months.get(m, 1.0) for m in range(1, 13)] for k in kinds])
    season = by_month[companies["kind"].to_numpy()[company], calendar["month"].to_numpy()[day] - 1]
    kept = rng.random(len(company)) < season / most
    company, day = company[kept], _no_friday(day[kept], calendar)
    at = np.maximum(
        day * DAY + rng.integers(8 * 3600, 17 * 3600, len(day)), companies["signup"].to_numpy()[company] + 60
    )
    order = np.lexsort((company, at))
    return company[order], at[order].astype(float)


def _at_office_hours(rng: np.random.Generator, at: np.ndarray, calendar: pd.DataFrame) -> np.ndarray:
    """The same moments, put between eight and five on a day that is no Friday."""
    day = (at // DAY).astype(int)
    weekday = (calendar["weekday"].iloc[0] + day) % 7
    day = day + (weekday == 4)
    return day * DAY + rng.integers(8 * 3600, 17 * 3600, at.shape).astype(float)


def _no_friday(day: np.ndarray, calendar: pd.DataFrame) -> np.ndarray:
    """The same days, a Friday put to the Thursday before it (the first day of all stays)."""
    return np.maximum(day - (calendar["weekday"].to_numpy()[day] == 4), 0)


def _stages(
    deals: pd.DataFrame, created: np.ndarray, entered: np.ndarray, reached: np.ndarray, n_days: int
) -> pd.DataFrame:
    """Stage entered by each deal, 0 to 3 as in `STAGES`, then 4 won and 5 lost; only what has happened."""
    parts = [pd.DataFrame({"deal": np.arange(len(deals)), "stage": 0, "at": created})]
    for stage in range(1, len(STAGES)):
        at = entered[:, stage - 1]
        # On the last day of a deal one stage may follow another within minutes.
        at = np.minimum(at, deals["closed"].fillna(np.inf).to_numpy() - 600 * (len(STAGES) - stage))
        there = (reached >= stage) & (at < n_days * DAY)
        at = np.maximum(at, created + 60 * stage)
        parts.append(pd.DataFrame({"deal": np.flatnonzero(there), "stage": stage, "at": at[there]}))
    closed = np.flatnonzero(deals["closed"].notna())
    end = np.where(deals["outcome"].to_numpy()[closed] == WON, len(STAGES), len(STAGES) + 1)
    parts.append(pd.DataFrame({"deal": closed, "stage": end, "at": deals["closed"].to_numpy()[closed]}))
    return pd.concat(parts, ignore_index=True).sort_values(["deal", "at", "stage"], ignore_index=True)


def _deal_lines(
    rng: np.random.Generator, deals: pd.DataFrame, products: pd.DataFrame, calendar: pd.DataFrame
) -> pd.DataFrame:
    """Titles, pieces and prices of each deal, at the prices of the day on which it closed or, while open, came up."""
    kinds, genres = list(INDUSTRIES.values()), list(GENRES)
    count = 1 + rng.poisson(4, len(deals))
    deal = np.repeat(np.arange(len(deals)), count)
    kind = deals["kind"].to_numpy()[deal]
    weights = np.array([[k.genres.get(g, 0) for g in genres] for k in kinds], dtype=float)
    genre = draw(rng, weights[kind])
    product = np.empty(len(deal), dtype=int)
    for g, name in enumerate(genres):
        rows = np.flatnonzero(products["category"] == name)
        mine = genre == g
        product[mine] = rng.choice(rows, mine.sum())
    pieces = 1 + rng.poisson(np.array([k.pieces for k in kinds])[kind] * rng.gamma(1.5, 1 / 1.5, len(deals))[deal])
    lines = pd.DataFrame({"deal": deal, "product": product, "quantity": pieces, "genre": genre})
    lines = lines.groupby(["deal", "product"], as_index=False).agg({"quantity": "sum", "genre": "first"})
    priced = deals["closed"].fillna(deals["created"]).to_numpy()
    day = np.minimum((priced // DAY).astype(int), len(calendar) - 1)[lines["deal"]]
    price = products["price"].to_numpy()[lines["product"]] * calendar["prices"].to_numpy()[day]
    lines["unit_price"] = np.round(price, -3)
    total = lines.groupby("deal")["quantity"].transform("sum").to_numpy()
    steps, cuts = zip(*DISCOUNTS, strict=True)
    cut = np.array(cuts)[np.searchsorted(steps, total, side="right") - 1]
    lines["discount"] = np.round(lines["unit_price"] * cut, -3) * lines["quantity"]
    lines["amount"] = lines["quantity"] * lines["unit_price"] - lines["discount"]
    return lines


def orders_of(deals: pd.DataFrame, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The orders that the won deals have become, at the moment they were won, and their lines (by order)."""
    won = deals[deals["outcome"] == WON]
    number = pd.Series(np.arange(len(won)), index=won.index)
    own = lines[lines["deal"].isin(won.index)]
    orders = pd.DataFrame({"company": won["company"].to_numpy(), "at": won["closed"].to_numpy()})
    orders["amount"] = won["amount"].to_numpy()
    orders["discount"] = own.groupby("deal")["discount"].sum().reindex(won.index).to_numpy()
    return orders, own.assign(order=number.reindex(own["deal"]).to_numpy()).drop(columns=["deal", "genre"])


def deal_tables(
    deals: pd.DataFrame, stages: pd.DataFrame, company_ids: pd.Series, first_day: pd.Timestamp, first: int, width: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The deals and their stages as the business stores them, deals numbered from `first`."""
    deal_ids = numbered("D", np.arange(first, first + len(deals)), width)
    named = np.where(deals["nameless"], -1, deals["company"])
    table = pd.DataFrame(
        {
            "deal_id": deal_ids,
            "customer_id": words(company_ids, named),
            "created_at": instants(deals["created"].to_numpy(), first_day),
            "closed_at": instants(deals["closed"].to_numpy(), first_day),
            "outcome": deals["outcome"].astype("str"),
            "amount": deals["amount"],
            "product": words(list(GENRES), deals["genre"].to_numpy()),
            "owner": words(OWNERS, deals["owner"].to_numpy()),
            "source": words(list(SOURCES), deals["source"].to_numpy()),
        }
    )
    entered = pd.DataFrame(
        {
            "deal_id": words(deal_ids, stages["deal"].to_numpy()),
            "stage": words((*STAGES, WON, LOST), stages["stage"].to_numpy()),
            "entered_at": instants(stages["at"].to_numpy(), first_day),
        }
    )
    return table, entered


def true_deals(deals: pd.DataFrame, first: int, width: int) -> pd.DataFrame:
    """How likely each deal was to be won when it came up."""
    deal_ids = numbered("D", np.arange(first, first + len(deals)), width)
    return pd.DataFrame({"deal_id": deal_ids, "win_chance": deals["chance"].round(4)})
