"""The catalogue: genres, their titles and prices."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bookshop.draws import normed, numbered


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
#: Planted: titles bought together, each as genre and rank within it. Whoever takes the first takes the second as well
#: in this share of the orders (if they do not have it).
PAIRS = (
    (("children", 0), ("stationery", 6), 0.35),
    (("exam", 1), ("exam", 7), 0.40),
    (("poetry", 0), ("art", 4), 0.30),
)


def catalogue(rng: np.random.Generator) -> pd.DataFrame:
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
                    "chance": normed(np.arange(1, n + 1) ** -0.6),
                    "tags": [["bestseller"] if rank < n // 20 else [] for rank in range(n)],
                }
            )
        )
    products = pd.concat(rows, ignore_index=True)
    products.insert(0, "product_id", numbered("P", np.arange(1, len(products) + 1), 4))
    return products


def pairs_in(products: pd.DataFrame) -> list[tuple[int, int, float]]:
    """The titles planted to be bought together, as row numbers, and how often the second comes with the first."""
    first = {genre: np.flatnonzero(products["category"] == genre)[0] for genre in GENRES}
    return [(first[a] + i, first[b] + j, share) for (a, i), (b, j), share in PAIRS]
