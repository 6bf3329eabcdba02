"""What each column of the profiles is about, how it is said in a rule and in a figure, and where a card tells it.

It knows nothing of the data; a column that is not here is said by its own name. Sentences and the words that groups are
called by stand with all other texts in `analysis.locale`, in each language.
"""

from dataclasses import dataclass

from analysis.phrases import marked, phrase
from analysis.schema import BOUGHT, THROUGH

#: Who takes the steps of a journey: one of them, and of them all.
UNITS = {
    marked("customer"): marked("of customers"),
    marked("session"): marked("of sessions"),
    marked("attempt"): marked("of attempts"),
    marked("deal"): marked("of deals"),
}


@dataclass(frozen=True)
class Words:
    """What a column of the profiles is about.

    Attributes
    ----------
    part : {"who", "job", "goals", "pains", "buying", "needs", "channels"}
        The part of a persona's card that it belongs to.
    concept : str
        What it is about; a card tells one trait of each concept.
    unit : str
        Of the number; empty for a text.
    noun : str
        Where the column's own name would say little.
    topic : str
        What a name is about, where that is wider than the concept: a name tells one trait of each topic.
    """

    part: str
    concept: str
    unit: str = ""
    noun: str = ""
    topic: str = ""


WORDS: dict[str, Words] = {
    "age": Words("who", "age", "years"),
    "age_band": Words("who", "age"),
    "gender": Words("who", "gender"),
    "kind": Words("who", "kind"),
    "marital_status": Words("who", "marital status"),
    "education": Words("job", "education"),
    "occupation": Words("job", "occupation"),
    "income": Words("job", "income", "money"),
    "household_size": Words("who", "size of household", "persons"),
    "city": Words("who", "city", topic="place"),
    "region": Words("who", "region", topic="place"),
    "country": Words("who", "country", topic="place"),
    "industry": Words("job", "industry"),
    "employees": Words("job", "company size", "employees", topic="employees"),
    "annual_revenue": Words("job", "company revenue", "money", topic="employees"),
    "size_band": Words("job", "company size", topic="employees"),
    "revenue_band": Words("job", "company revenue", topic="employees"),
    "tenure_days": Words("who", "time as a customer", "days", topic="tenure"),
    "orders_per_year": Words("buying", "how often they buy", "times", topic="frequency"),
    "n_orders": Words("buying", "how often they buy", "orders", topic="frequency"),
    "n_order_days": Words("buying", "how often they buy", "days", topic="frequency"),
    "recency_days": Words("buying", "time since the last order", "days", topic="recency"),
    "total_spend": Words("buying", "spend", "money"),
    "spend_365d": Words("buying", "spend", "money"),
    "spend_trend": Words("buying", "trend of spend", "points"),
    "mean_order_value": Words("buying", "order value", "money", topic="basket"),
    "median_gap_days": Words("buying", "rhythm of buying", "days", noun="usual gap (days)"),
    "gap_cv": Words("buying", "irregularity of buying", "share", noun="irregularity of gaps"),
    "weekend_share": Words("buying", "buying at the weekend", "share", noun="share bought at weekends"),
    "overdue_ratio": Words("buying", "being overdue", "times"),
    "n_lines": Words("buying", "number of lines bought", "lines", topic="frequency"),
    "discount_share": Words("buying", "use of discounts", "share", topic="discount"),
    "discounted_share": Words(
        "buying", "use of discounts", "share", noun="share bought with a discount", topic="discount"
    ),
    "return_rate": Words("buying", "returns", "times"),
    "price_sensitivity": Words("buying", "price sensitivity", "share", topic="discount"),
    "usual_payment_method": Words("buying", "way to pay", topic="payment"),
    "payment_certainty": Words(
        "buying", "keeping to one way to pay", "share", noun="share paid in the usual way", topic="payment"
    ),
    "n_deals": Words("buying", "deals", "deals"),
    "won_deals": Words("buying", "deals won", "deals", topic="deals"),
    "open_deals": Words("buying", "deals open", "deals", topic="open"),
    "win_rate": Words("buying", "win rate", "share", topic="deals"),
    "won_value": Words("buying", "value won", "money", topic="deals"),
    "used_channel": Words("channels", "channel used", topic="channel"),
    "used_channel_share": Words(
        "channels", "keeping to one channel", "share", noun="share of purchases on the usual channel", topic="channel"
    ),
    "preferred_channel": Words("channels", "channel preferred", topic="channel"),
    "uses_preferred_channel": Words("channels", "channel preferred", topic="channel"),
    "contact_channel": Words("channels", "channel of contacts", topic="contact channel"),
    "contact_channel_share": Words("channels", "keeping to one channel of contacts", "share", topic="contact channel"),
    "n_consents": Words("channels", "consents", "channels"),
    "opens": Words("channels", "messages opened or clicked", "messages", topic="messages"),
    "clicks": Words("channels", "messages opened or clicked", "messages", topic="messages"),
    "acquisition_channel": Words("buying", "channel of origin", topic="origin"),
    "acquisition_campaign": Words("buying", "campaign of origin", topic="origin"),
    "n_touchpoints": Words("channels", "contacts in all", "contacts", topic="contact"),
    "campaigns_received": Words("channels", "campaigns", "campaigns"),
    "campaigns_answered": Words("channels", "campaigns answered", "campaigns"),
    "touchpoints_90d": Words("channels", "recent contacts", "contacts", topic="contact"),
    "top_category": Words("needs", "favourite category", noun="favourite category", topic="category"),
    "n_categories": Words("buying", "range of categories", "categories", topic="range"),
    "category_entropy": Words(
        "buying", "range of categories", "bits", noun="spread over categories (bits)", topic="range"
    ),
    "quality_over_price": Words("needs", "price level", "times"),
    "brand_loyalty": Words("needs", "loyalty to brands", "share", topic="brands"),
    "last_nps": Words("pains", "willingness to recommend", "points", noun="last NPS answer"),
    "mean_csat": Words("pains", "satisfaction", "points", noun="mean satisfaction (CSAT)"),
    "mean_ces": Words("pains", "ease of dealing with us", "points", noun="mean ease (CES)"),
    "tickets_365d": Words("pains", "tickets", "tickets", topic="complaints"),
    "complaints_365d": Words("pains", "complaints", "times"),
    "complaint_topic": Words("pains", "complaints"),
    "top_category_share": Words(
        "buying", "range of categories", "share", noun="share of the favourite category", topic="range"
    ),
}


def words(column: str) -> Words | None:
    """The words of a column; of the shares of categories and channels, which have one for each, those of their kind.

    Examples
    --------
    >>> words("bought_novel").concept, words("through_web").noun, words("shoe_size")
    ('share of novel', 'share bought by web', None)
    """
    column = str(column)
    if column.startswith(BOUGHT):
        value = column.removeprefix(BOUGHT)
        return Words("needs", f"share of {value}", "share", f"share of {value} in what they buy", "category")
    if column.startswith(THROUGH):
        value = column.removeprefix(THROUGH)
        return Words("channels", f"share by {value}", "share", f"share bought by {value}", "channel")
    return WORDS.get(column)


def topic(column: str) -> str:
    """What a column is about; a name, a figure or a list of differences tells one trait of each topic.

    Examples
    --------
    >>> topic("n_orders") == topic("orders_per_year"), topic("city"), topic("shoe_size")
    (True, 'place', 'shoe size')
    """
    said = words(column)
    return (said.topic or said.concept) if said else str(column).replace("_", " ")


def of_all(unit: str) -> str:
    """Of all who take the steps of a journey: what a share is of.

    Examples
    --------
    >>> of_all("session"), of_all("company visit")
    ('of sessions', 'of company visits')
    """
    return phrase(UNITS.get(unit, f"of {unit}s"))
