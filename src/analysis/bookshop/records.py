"""The customers as the business knows them: with gaps, since not everybody fills in a form."""

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import GENRES
from analysis.bookshop.days import CHANNELS
from analysis.bookshop.draws import draw, instants, words
from analysis.bookshop.people import CITIES, DISTRICTS, PERSONAS, REACHED_BY, TASTES, Persona, home_channel

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
#: Share of people whose occupation is what is usual at large instead of in their group.
OCCUPATION_AT_LARGE = 0.15
#: Youngest and oldest age at which somebody has an occupation; 18 to 70 for the others.
AGES_AT_WORK = {"pupil": (6, 20), "student": (18, 45), "engineer": (23, 70), "teacher": (22, 62), "nurse": (22, 62)}
AGES_AT_WORK |= {"lecturer": (28, 70), "physician": (26, 80), "retired": (52, 120), "self-employed": (18, 80)}
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

#: Share of customers who agree to be reached on a channel that they did not ask for, in the order of `REACHED_BY`.
AGREES = (0.62, 0.50, 0.35, 0.30)
#: Planted nothings: fields that have no influence on anything.
NEWSLETTER_LAYOUTS, CARD_COLOURS = ("A", "B"), ("blue", "green", "red")

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


def recorded(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    """The customers as recorded: with gaps, since not everybody fills in a form; times and tags come later."""
    n = len(people)
    persona = people["persona"].to_numpy()
    groups = list(PERSONAS.values())
    age = people["age"].to_numpy()  # when signing up
    signed_up = calendar["date"].to_numpy()[people["signup_day"]]
    woman = rng.random(n) < np.array([g.women for g in groups])[persona]
    likely = np.array([g.married for g in groups])[persona] / (1 + np.exp((26 - age) / 2.5))
    married = rng.random(n) < likely
    occupation = _occupations(rng, groups, persona, woman, age)
    cities, provinces = list(CITIES), [province for province, _, _ in CITIES.values()]
    customers = pd.DataFrame({"customer_id": ids, "kind": "person"})
    customers = customers.join(_names(rng, woman, np.array([int(i[1:]) for i in ids], dtype=int)))
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
    customers = customers.join(_acquisition(rng, people, calendar))
    customers = customers.join(_reach(rng, people["reached_by"].to_numpy()))
    customers["interests"] = _interests(rng, people)
    customers["district"] = words(list(DISTRICTS), people["district"].to_numpy())
    customers["newsletter_layout"] = words(NEWSLETTER_LAYOUTS, rng.integers(0, len(NEWSLETTER_LAYOUTS), n))
    customers["card_colour"] = words(CARD_COLOURS, rng.integers(0, len(CARD_COLOURS), n))
    return _with_gaps(rng, customers)


def with_times_and_tags(
    rng: np.random.Generator,
    customers: pd.DataFrame,
    people: pd.DataFrame,
    orders: pd.DataFrame,
    calendar: pd.DataFrame,
) -> pd.DataFrame:
    """The recorded customers with what only their contacts and orders tell: when they signed up, their tags."""
    signup = instants(people["signup"].to_numpy(), calendar["date"].iloc[0])
    return customers.assign(signup_at=signup, tags=_tags(rng, orders, len(people)))


def _occupations(
    rng: np.random.Generator, groups: list[Persona], persona: np.ndarray, woman: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """Mostly what is usual in the group, now and then what is usual at large; never what the age forbids."""
    usual = np.array([[g.occupations.get(name, 0) for name in OCCUPATIONS] for g in groups], dtype=float)
    usual /= usual.sum(axis=1, keepdims=True)
    at_large = np.array([g.share for g in groups]) @ usual
    weights = (1 - OCCUPATION_AT_LARGE) * usual[persona] + OCCUPATION_AT_LARGE * at_large
    youngest, oldest = np.array([AGES_AT_WORK.get(name, (18, 70)) for name in OCCUPATIONS]).T
    weights *= (age[:, None] >= youngest) & (age[:, None] < oldest)
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
    return pd.DataFrame(
        {
            "name": [f"{g} {f}" for g, f in zip(given, family, strict=True)],
            "email": [f"{g}.{f}{i}@example.com".lower() for g, f, i in told],
            "phone": nobodys_phones(number),
        }
    )


def nobodys_phones(number: np.ndarray) -> list[str]:
    """A telephone number for each number below ten million, no two the same, that cannot be anybody's."""
    line = number * 7919 % 10**7  # 7919 and ten have no divisor in common
    return [f"0000 {x // 10_000:03d} {x % 10_000:04d}" for x in line.tolist()]


def _acquisition(rng: np.random.Generator, people: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Where customers came from, and the campaign of the season for those whom an advertisement may have brought."""
    n, home, day = len(people), home_channel(people), people["signup_day"].to_numpy()
    sources = sorted({source for ways in ACQUISITION.values() for source in ways})
    weights = np.array([[ACQUISITION[c].get(source, 0) for source in sources] for c in CHANNELS], dtype=float)
    by_others = np.isin(sources, ["word of mouth", "instagram"])
    heeds = np.exp(0.5 * people["social influence"].to_numpy())
    source = draw(rng, weights[home] * np.where(by_others, heeds[:, None], 1))
    month, year = calendar["month"].to_numpy()[day], calendar["year"].to_numpy()[day]
    by_campaign = np.isin(source, [sources.index(s) for s in PAID]) & (rng.random(n) < 0.7)
    campaign = [
        f"{ACQUISITION_CAMPAIGNS[m]} {y}" if yes and m in ACQUISITION_CAMPAIGNS else None
        for yes, m, y in zip(by_campaign, month, year, strict=True)
    ]
    campaign = pd.array(campaign, dtype="str")
    return pd.DataFrame({"acquisition_channel": words(sources, source), "acquisition_campaign": campaign})


def _reach(rng: np.random.Generator, preferred: np.ndarray) -> pd.DataFrame:
    """The channel customers ask to be reached by, and those they may be reached on."""
    n, names = len(preferred), list(REACHED_BY)
    consent = rng.random((n, len(names))) < np.array(AGREES)
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
    blank |= {"preferred_channel": 0.18, "city": 0.02, "district": 0.05, "card_colour": 0.05}
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
