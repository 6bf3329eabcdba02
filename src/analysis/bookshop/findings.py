"""What was planted, as set and as it came out: effects, steps, groups, and attributes that make no difference.

A finding is a flat dict. What came out is told as counts (``here_counts = [312, 693]``) and the figure they make
(``here = 0.4502``): of two counts the first by the second, of four the lift of a pair. Counts of several pieces of one
world add up.
"""

import numpy as np
import pandas as pd

from analysis.bookshop.catalogue import pairs_in
from analysis.bookshop.contacts import EVENT, LOSING_STEP, PASSES
from analysis.bookshop.days import CHANNELS, DAY
from analysis.bookshop.marketing import (
    CAMPAIGNS,
    DEAF,
    EFFECT_DAYS,
    FOR_NOBODY,
    FOR_ONE_GROUP,
    campaign_ids,
)
from analysis.bookshop.opinions import OURS, RATINGS, RIVAL_PREFERRED, RIVALS
from analysis.bookshop.people import (
    CITIES,
    DECLINE,
    DISTRICTS,
    PERSONAS,
    REACHED_BY,
    RICH_DISTRICT,
    SHIFT,
    TWINS,
)
from analysis.bookshop.service import LEAVES, SLOW_STEP

#: After a badly handled complaint, leaving is looked for within this many days.
LEAVING_DAYS = 90

#: Attributes that truly have no influence on anything, or (where said) none where they are looked at.
NOTHINGS = (
    ("customers.newsletter_layout", "which of two layouts of the newsletter a customer gets"),
    ("customers.card_colour", "the colour of the customer's card"),
    ("customers.birth_date", "whether the month of birth is even or odd"),
    ("orders.till", "the till of the branch"),
    ("customers.district", "the district, on spend per order, in every city but Tehran"),
    ("customers.region", "the region, on spend per order, among those outside Tehran"),
    ("campaigns.Publisher of the Month", "this campaign, on anybody"),
)


def planted(
    people: pd.DataFrame,
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    products: pd.DataFrame,
    contacts: pd.DataFrame,
    tickets: pd.DataFrame,
    answers: pd.DataFrame,
    programme: pd.DataFrame,
    ratings: pd.DataFrame,
    n_days: int,
) -> tuple[dict, ...]:
    """The planted findings of a world, from the persons' frames as simulated."""
    placed = orders[orders["status"] != "returned"]
    return tuple(
        _with_figures(finding)
        for finding in (
            _losing_step(contacts, people),
            _slow_step(orders, people),
            *_pairs(placed, lines, products),
            _district(placed, lines, people),
            _decline(placed, people, n_days),
            _shift(placed, people, n_days),
            _complaints(tickets, people, n_days),
            *_campaigns(answers, programme, placed, people),
            _rival(ratings),
            *({"kind": f"same {what}", "personas": list(pair)} for what, pair in TWINS.items()),
            *({"kind": "nothing", "attribute": name, "what": what} for name, what in NOTHINGS),
        )
    )


def together(worlds: list[tuple[dict, ...]]) -> tuple[dict, ...]:
    """The findings of several pieces of one world: counts add up."""
    merged = []
    for same in zip(*worlds, strict=True):
        counts = {
            key: [sum(values) for values in zip(*(finding[key] for finding in same), strict=True)]
            for key in same[0]
            if key.endswith("_counts")
        }
        merged.append(_with_figures({**same[0], **counts}))
    return tuple(merged)


def _with_figures(finding: dict) -> dict:
    figures = {}
    for key, value in finding.items():
        if key.endswith("_counts"):
            figures[key.removesuffix("_counts")] = _figure(value)
        figures[key] = value
    return figures


def _figure(counts: list[int]) -> float:
    if len(counts) == 4:  # both, first, second, all: the lift of a pair
        both, first, second, everything = counts
        return round(both * everything / (first * second), 4) if first * second else 0.0
    part, whole = counts
    return round(part / whole, 4) if whole else 0.0


def _counts(part, whole) -> list[int]:
    return [int(part), int(whole)]


def _losing_step(contacts: pd.DataFrame, people: pd.DataFrame) -> dict:
    on_channel = contacts[
        (contacts["channel"] == CHANNELS.index(LOSING_STEP["channel"])) & (contacts["customer"] < len(people))
    ]
    there = _of_persona(people, LOSING_STEP["persona"])[on_channel["customer"]]
    event = on_channel["event"].to_numpy()
    reached, passed = event == EVENT[LOSING_STEP["step"]], event == EVENT[LOSING_STEP["next"]]
    return {
        "kind": "losing step",
        **LOSING_STEP,
        "passes_elsewhere": PASSES[LOSING_STEP["step"]],
        "here_counts": _counts((passed & there).sum(), (reached & there).sum()),
        "elsewhere_counts": _counts((passed & ~there).sum(), (reached & ~there).sum()),
    }


def _slow_step(orders: pd.DataFrame, people: pd.DataFrame) -> dict:
    delivered = orders[(orders["status"] == "completed") & (orders["channel"] == CHANNELS.index(SLOW_STEP["channel"]))]
    regions = [province for province, _, _ in CITIES.values()]
    there = people["city"].to_numpy()[delivered["customer"]] == regions.index(SLOW_STEP["region"])
    days = delivered["delivery_days"].to_numpy()
    low, high = SLOW_STEP["days"]
    return {
        "kind": "slow step",
        "region": SLOW_STEP["region"],
        "channel": SLOW_STEP["channel"],
        "step": "order",
        "next": "delivery",
        "days_more": (low + high) / 2,
        "here_counts": _counts(days[there].sum(), there.sum()),
        "elsewhere_counts": _counts(days[~there].sum(), (~there).sum()),
    }


def _pairs(placed: pd.DataFrame, lines: pd.DataFrame, products: pd.DataFrame) -> list[dict]:
    bought = lines[lines["quantity"] > 0]
    found = []
    for first, second, share in pairs_in(products):
        with_first = bought.loc[bought["product"] == first, "order"].unique()
        with_second = bought.loc[bought["product"] == second, "order"].unique()
        both = np.isin(with_first, with_second).sum()
        ids = products["product_id"]
        found.append(
            {
                "kind": "bought together",
                "products": [ids[first], ids[second]],
                "names": [products["name"][first], products["name"][second]],
                "share": share,
                "lift_counts": [int(both), len(with_first), len(with_second), len(placed)],
            }
        )
    return found


def _district(placed: pd.DataFrame, lines: pd.DataFrame, people: pd.DataFrame) -> dict:
    last = placed.index.max() if len(placed) else 0
    titles = np.bincount(lines.loc[lines["quantity"] > 0, "order"], minlength=last + 1)[placed.index]
    customer = placed["customer"].to_numpy()
    in_city = people["city"].to_numpy()[customer] == list(CITIES).index(RICH_DISTRICT["city"])
    in_district = people["district"].to_numpy()[customer] == list(DISTRICTS).index(RICH_DISTRICT["district"])
    here, elsewhere = in_city & in_district, in_city & ~in_district
    amount = placed["amount"].to_numpy()
    return {
        "kind": "district",
        "city": RICH_DISTRICT["city"],
        "district": RICH_DISTRICT["district"],
        "times": RICH_DISTRICT["times"],
        "titles_here_counts": _counts(titles[here].sum(), here.sum()),
        "titles_elsewhere_counts": _counts(titles[elsewhere].sum(), elsewhere.sum()),
        "amount_here_counts": _counts(amount[here].sum(), here.sum()),
        "amount_elsewhere_counts": _counts(amount[elsewhere].sum(), elsewhere.sum()),
    }


def _decline(placed: pd.DataFrame, people: pd.DataFrame, n_days: int) -> dict:
    here = people["city"].to_numpy()[placed["customer"]] == list(CITIES).index(DECLINE["city"])
    day, span = placed["day"].to_numpy(), DECLINE["days"]
    now, before = day >= n_days - span, (day < n_days - span) & (day >= n_days - 2 * span)
    return {
        "kind": "decline in one segment",
        **DECLINE,
        "here_counts": _counts((now & here).sum(), (before & here).sum()),
        "elsewhere_counts": _counts((now & ~here).sum(), (before & ~here).sum()),
        "total_counts": _counts(now.sum(), before.sum()),
    }


def _shift(placed: pd.DataFrame, people: pd.DataFrame, n_days: int) -> dict:
    channel, day = placed["channel"].to_numpy(), placed["day"].to_numpy()
    mine = _of_persona(people, SHIFT["persona"])[placed["customer"]]
    online, app = mine & (channel > 0), mine & (channel == CHANNELS.index(SHIFT["to"]))
    late = day >= n_days - SHIFT["days"]
    return {
        "kind": "shift in the last quarter",
        **SHIFT,
        "last_quarter_counts": _counts((app & late).sum(), (online & late).sum()),
        "before_counts": _counts((app & ~late).sum(), (online & ~late).sum()),
    }


def _complaints(tickets: pd.DataFrame, people: pd.DataFrame, n_days: int) -> dict:
    """Of customers who were still there: who leaves within ninety days of a ticket, by how it was handled."""
    day, left = tickets["at"].to_numpy() / DAY, people["dropout_day"].to_numpy()[tickets["customer"]]
    seen = (day < n_days - LEAVING_DAYS) & (left > day)
    leaves, badly = seen & (left < day + LEAVING_DAYS), tickets["badly"].to_numpy(dtype=bool)
    return {
        "kind": "complaints precede leaving",
        "leaves": LEAVES,
        "within_days": LEAVING_DAYS,
        "handled_badly_counts": _counts((leaves & badly).sum(), (seen & badly).sum()),
        "handled_well_counts": _counts((leaves & ~badly).sum(), (seen & ~badly).sum()),
    }


def _campaigns(
    answers: pd.DataFrame, programme: pd.DataFrame, placed: pd.DataFrame, people: pd.DataFrame
) -> list[dict]:
    """The calls that miss who wants e-mail, the campaigns for one group and for nobody, and the one that annoys."""
    ids = campaign_ids(programme)
    of = answers["campaign"].to_numpy(dtype=int)
    customer, treated = answers["customer"].to_numpy(dtype=int), answers["treated"].to_numpy(dtype=bool)
    orders = _orders_soon(customer, answers["sent"].to_numpy(dtype=float), placed)
    converted = answers["converted"].notna().to_numpy()
    wants = np.array(list(REACHED_BY))[people["reached_by"].to_numpy()[customer]]
    campaigns = [CAMPAIGNS[number] for number in programme["number"]]
    by_phone = np.array([c.channel == "phone" for c in campaigns], dtype=bool)[of]
    by_mail = wants == "email"

    def arms(where: np.ndarray, prefix: str = "") -> dict:
        return {
            f"{prefix}{arm}_counts": _counts(orders[where & in_arm].sum(), (where & in_arm).sum())
            for arm, in_arm in (("treated", treated), ("control", ~treated))
        }

    found: list[dict] = [
        {
            "kind": "channel mismatch",
            "campaigns": [i for i, c in zip(ids, campaigns, strict=True) if c.channel == "phone"],
            "channel": "phone",
            "wants": "email",
            "times": DEAF,
            "converted_here_counts": _counts(*_part(converted, by_phone & treated & by_mail)),
            "converted_elsewhere_counts": _counts(*_part(converted, by_phone & treated & ~by_mail)),
            **arms(by_phone & by_mail, "here_"),
            **arms(by_phone & ~by_mail, "elsewhere_"),
        }
    ]
    for place, campaign in enumerate(campaigns):
        here = of == place
        told = {"campaign": ids[place], "name": campaign.name}
        if campaign.name == FOR_ONE_GROUP[0]:
            group = _of_persona(people, FOR_ONE_GROUP[1])[customer]
            sizes = {"persona": FOR_ONE_GROUP[1], "brings": campaign.brings_to[FOR_ONE_GROUP[1]]}
            both = arms(here & group, "here_") | arms(here & ~group, "elsewhere_")
            found.append({"kind": "works for one segment only", **told, **sizes, **both})
        if campaign.name == FOR_NOBODY:
            found.append({"kind": "works on nobody", **told, "brings": 0.0, **arms(here)})
        if campaign.annoys_preferring:
            wanting = np.isin(wants, campaign.annoys_preferring)
            told["wants"], told["withdrawn"] = list(campaign.annoys_preferring), campaign.withdrawn
            found.append(
                {"kind": "annoys some", **told, **arms(here & wanting, "here_"), **arms(here & ~wanting, "elsewhere_")}
            )
    return found


def _part(yes: np.ndarray, of: np.ndarray) -> tuple[int, int]:
    return (yes & of).sum(), of.sum()


def _orders_soon(customer: np.ndarray, sent: np.ndarray, placed: pd.DataFrame) -> np.ndarray:
    """Orders that each of these customers placed from the day after the sending for thirty days."""
    beyond = 2.0**36  # more seconds than any world has: customers follow each other on one line
    line = np.sort(placed["customer"].to_numpy() * beyond + placed["at"].to_numpy())
    first = customer * beyond + (sent // DAY + 1) * DAY
    return np.searchsorted(line, first + EFFECT_DAYS * DAY) - np.searchsorted(line, first)


def _rival(ratings: pd.DataFrame) -> dict:
    attribute = ratings["attribute"] == list(RATINGS).index(RIVAL_PREFERRED["attribute"])
    brands = (OURS, *RIVALS)
    rating = {name: ratings.loc[attribute & (ratings["brand"] == b), "rating"] for b, name in enumerate(brands)}
    rival, set_means = rating[RIVAL_PREFERRED["rival"]], RATINGS[RIVAL_PREFERRED["attribute"]]
    return {
        "kind": "rival preferred",
        **RIVAL_PREFERRED,
        "points": round(set_means[brands.index(RIVAL_PREFERRED["rival"])] - set_means[0], 4),
        "our_rating_counts": _counts(rating[OURS].sum(), len(rating[OURS])),
        "rival_rating_counts": _counts(rival.sum(), len(rival)),
    }


def _of_persona(people: pd.DataFrame, persona: str) -> np.ndarray:
    return people["persona"].to_numpy() == list(PERSONAS).index(persona)
