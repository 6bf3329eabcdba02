"""The customers as the business knows them: with gaps, since not everybody fills in a form."""

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import GENRES
from analysis.bookshop.days import CHANNELS, DAY
from analysis.bookshop.draws import draw, instants, numbered, words
from analysis.bookshop.people import CITIES, PERSONAS, TASTES, Persona, home_channel

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


def recorded(
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
    customers = pd.DataFrame({"customer_id": numbered("C", number, 5), "kind": "person"})
    customers = customers.join(_names(rng, woman, number))
    customers["birth_date"] = (signed_up - (age * 365.25).astype("timedelta64[D]")).astype("datetime64[us]")
    customers["gender"] = words(["male", "female"], woman.astype(int))
    customers["marital_status"] = words(["single", "married"], married.astype(int))
    levels = np.array([weights for _, weights in OCCUPATIONS.values()])
    customers["education"] = words(EDUCATION, draw(rng, levels[occupation]))
    customers["occupation"] = words(list(OCCUPATIONS), occupation)
    customers["income"] = _incomes(rng, occupation)
    customers["household_size"] = _households(rng, married, age, persona)
    city = people["city"].to_numpy()
    customers["city"], customers["region"] = words(cities, city), words(provinces, city)
    customers["country"] = "Iran"
    customers["signup_at"] = instants(people["signup"].to_numpy(), first_day)
    customers = customers.join(_acquisition(rng, home_channel(people), people["signup"].to_numpy() // DAY, calendar))
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
    return draw(rng, weights)


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
    source = draw(rng, weights[home])
    month, year = calendar["month"].to_numpy()[day], calendar["year"].to_numpy()[day]
    by_campaign = np.isin(source, [sources.index(s) for s in PAID]) & (rng.random(n) < 0.7)
    campaign = [
        f"{ACQUISITION_CAMPAIGNS[m]} {y}" if yes and m in ACQUISITION_CAMPAIGNS else None
        for yes, m, y in zip(by_campaign, month, year, strict=True)
    ]
    campaign = pd.array(campaign, dtype="str")
    return pd.DataFrame({"acquisition_channel": words(sources, source), "acquisition_campaign": campaign})


def _reach(rng: np.random.Generator, age: np.ndarray) -> pd.DataFrame:
    """The channel customers ask to be reached by, by age, and those they may be reached on."""
    n = len(age)
    names = list(REACHED_BY)
    young, old = np.array(list(REACHED_BY.values()), dtype=float).T
    older = np.clip((age - 20) / 50, 0, 1)[:, None]
    preferred = draw(rng, (1 - older) * young + older * old)
    consent = rng.random((n, len(names))) < np.array([0.62, 0.50, 0.35, 0.15])
    # Nearly all agree to the channel they ask for; a few agree to nothing.
    consent[np.arange(n), preferred] |= rng.random(n) < 0.85
    consent[rng.random(n) < 0.06] = False
    consents = [[name for name, yes in zip(names, row, strict=True) if yes] for row in consent.tolist()]
    return pd.DataFrame({"preferred_channel": words(names, preferred), "consents": consents})


def _interests(rng: np.random.Generator, people: pd.DataFrame) -> list[list[str]]:
    """One to three genres that customers name: mostly, not always, those they like best."""
    genres = list(GENRES)
    liking = np.log(people[TASTES].to_numpy() + 0.01) + rng.gumbel(0, 0.8, (len(people), len(genres)))
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
