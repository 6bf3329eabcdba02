"""The truth that no business knows, and what was planted."""

import pandas as pd

from analysis.bookshop.contacts import EVENT, LOSING_STEP, PASSES
from analysis.bookshop.days import CHANNELS, DAY
from analysis.bookshop.draws import instants, words
from analysis.bookshop.people import PERSONAS, SHARES, TASTES, TWINS


def true_customers(people: pd.DataFrame, ids: pd.Series, first_day: pd.Timestamp) -> pd.DataFrame:
    """What the business does not know, one row per customer; rounded, so that no last digit depends on the machine."""
    truth = pd.DataFrame(
        {
            "customer_id": ids,
            "persona": words(list(PERSONAS), people["persona"].to_numpy()),
            "ever_orders": people["ever_orders"],
            "orders_per_year": people["orders_per_year"].round(4),
            "regular": people["regularity"] > 1,
            "dropout_at": instants((people["dropout_day"] * DAY).to_numpy(), first_day),
            "spend_level": people["dear"].round(4),
            "price_sensitivity": people["discounts"].round(4),
            "lines_per_order": people["basket"].round(4),
        }
    )
    shown = people[SHARES + TASTES].round(4)
    return pd.concat([truth, shown], axis=1)


def planted(contacts: pd.DataFrame, people: pd.DataFrame) -> tuple[dict, ...]:
    """The planted findings, with the share that passes the losing step as set and as it came out in this world."""
    planted = LOSING_STEP
    on_channel = contacts[contacts["channel"] == CHANNELS.index(planted["channel"])]
    there = people["persona"].to_numpy()[on_channel["customer"]] == list(PERSONAS).index(planted["persona"])
    event = on_channel["event"].to_numpy()
    reached, passed = event == EVENT[planted["step"]], event == EVENT[planted["next"]]
    size = {
        "kind": "losing step",
        **planted,
        "passes_elsewhere": PASSES[planted["step"]],
        "reached": int((reached & there).sum()),
        "passed": int((passed & there).sum()),
        "reached_elsewhere": int((reached & ~there).sum()),
        "passed_elsewhere": int((passed & ~there).sum()),
    }
    return size, *({"kind": f"same {what}", "personas": list(pair)} for what, pair in TWINS.items())
