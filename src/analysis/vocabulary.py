"""How each column of the profiles is said in the name of a group, in a rule and in a figure, and where a card tells it.

The one place of these words. It knows nothing of the data; a column that is not here is said by its own name. Sentences
stand with all other texts in `analysis.locale`, in each language.
"""

from dataclasses import dataclass

from analysis.schema import BOUGHT, THROUGH


@dataclass(frozen=True)
class Words:
    """How a column of the profiles is said.

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
    little, much : str
        What a group with little or much of it is called; of a share, much is more than half.
    more : str
        Of a share, what a group is called that has more of it than others, if no more than half.
    level : str
        What a group most of whom have a level is called.
    topic : str
        What a name is about, where that is wider than the concept: a name tells one trait of each topic.
    """

    part: str
    concept: str
    unit: str = ""
    noun: str = ""
    little: str = ""
    much: str = ""
    more: str = ""
    level: str = "{}"
    topic: str = ""


WORDS: dict[str, Words] = {
    "age": Words("who", "age", "years", little="younger", much="older"),
    "age_band": Words("who", "age", level="aged {}"),
    "gender": Words("who", "gender"),
    "kind": Words("who", "kind"),
    "marital_status": Words("who", "marital status"),
    "education": Words("job", "education"),
    "occupation": Words("job", "occupation"),
    "income": Words("job", "income", "money", little="lower incomes", much="higher incomes"),
    "household_size": Words("who", "size of household", "persons", little="small households", much="large households"),
    "city": Words("who", "city", level="in {}", topic="place"),
    "region": Words("who", "region", level="in {}", topic="place"),
    "country": Words("who", "country", level="in {}", topic="place"),
    "industry": Words("job", "industry"),
    "employees": Words(
        "job",
        "company size",
        "employees",
        little="small companies",
        much="large companies",
        topic="employees",
    ),
    "annual_revenue": Words(
        "job",
        "company revenue",
        "money",
        little="small companies",
        much="large companies",
        topic="employees",
    ),
    "size_band": Words("job", "company size", level="{} companies", topic="employees"),
    "revenue_band": Words("job", "company revenue", level="revenue {}", topic="employees"),
    "tenure_days": Words(
        "who",
        "time as a customer",
        "days",
        little="new customers",
        much="long-standing customers",
        topic="tenure",
    ),
    "orders_per_year": Words(
        "buying", "how often they buy", "times", little="occasional buyers", much="frequent buyers", topic="frequency"
    ),
    "n_orders": Words(
        "buying", "how often they buy", "orders", little="occasional buyers", much="frequent buyers", topic="frequency"
    ),
    "n_order_days": Words(
        "buying", "how often they buy", "days", little="occasional buyers", much="frequent buyers", topic="frequency"
    ),
    "recency_days": Words(
        "buying", "time since the last order", "days", little="recent", much="lapsed", topic="recency"
    ),
    "total_spend": Words("buying", "spend", "money", little="small spenders", much="big spenders"),
    "spend_365d": Words("buying", "spend", "money", little="small spenders", much="big spenders"),
    "spend_trend": Words("buying", "trend of spend", "points", little="spending less", much="spending more"),
    "mean_order_value": Words(
        "buying",
        "order value",
        "money",
        little="small baskets",
        much="large baskets",
        topic="basket",
    ),
    "median_gap_days": Words(
        "buying",
        "rhythm of buying",
        "days",
        noun="usual gap (days)",
        little="short gaps",
        much="long gaps",
    ),
    "gap_cv": Words(
        "buying",
        "irregularity of buying",
        "share",
        noun="irregularity of gaps",
        little="regular buyers",
        much="irregular buyers",
    ),
    "weekend_share": Words(
        "buying",
        "buying at the weekend",
        "share",
        noun="share bought at weekends",
        little="weekday buyers",
        much="weekend buyers",
    ),
    "overdue_ratio": Words("buying", "being overdue", "times", little="on time", much="overdue"),
    "n_lines": Words(
        "buying",
        "number of lines bought",
        "lines",
        little="buyers of few lines",
        much="buyers of many lines",
        topic="frequency",
    ),
    "discount_share": Words(
        "buying", "use of discounts", "share", little="full-price buyers", much="discount hunters", topic="discount"
    ),
    "discounted_share": Words(
        "buying",
        "use of discounts",
        "share",
        noun="share bought with a discount",
        little="full-price buyers",
        much="discount hunters",
        topic="discount",
    ),
    "return_rate": Words("buying", "returns", "times", little="few returns", much="many returns"),
    "price_sensitivity": Words(
        "buying",
        "price sensitivity",
        "share",
        little="full-price buyers",
        much="discount hunters",
        topic="discount",
    ),
    "usual_payment_method": Words("buying", "way to pay", level="paying by {}", topic="payment"),
    "payment_certainty": Words(
        "buying",
        "keeping to one way to pay",
        "share",
        noun="share paid in the usual way",
        little="several ways to pay",
        much="one way to pay",
        topic="payment",
    ),
    "n_deals": Words("buying", "deals", "deals", little="few deals", much="many deals"),
    "won_deals": Words(
        "buying",
        "deals won",
        "deals",
        little="few deals won",
        much="many deals won",
        topic="deals",
    ),
    "open_deals": Words(
        "buying",
        "deals open",
        "deals",
        little="few open deals",
        much="many open deals",
        topic="open",
    ),
    "win_rate": Words(
        "buying",
        "win rate",
        "share",
        little="few deals won",
        much="most deals won",
        topic="deals",
    ),
    "won_value": Words("buying", "value won", "money", little="little won", much="much won", topic="deals"),
    "used_channel": Words("channels", "channel used", level="buying by {}", topic="channel"),
    "used_channel_share": Words(
        "channels",
        "keeping to one channel",
        "share",
        noun="share of purchases on the usual channel",
        little="several channels",
        much="one channel",
        topic="channel",
    ),
    "preferred_channel": Words("channels", "channel preferred", level="preferring {}", topic="channel"),
    "uses_preferred_channel": Words(
        "channels",
        "channel preferred",
        level="on their preferred channel",
        topic="channel",
    ),
    "contact_channel": Words("channels", "channel of contacts", level="met by {}", topic="contact channel"),
    "contact_channel_share": Words(
        "channels",
        "keeping to one channel of contacts",
        "share",
        little="met on several channels",
        much="met on one channel",
        topic="contact channel",
    ),
    "n_consents": Words(
        "channels",
        "consents",
        "channels",
        little="few consents",
        much="many consents",
    ),
    "opens": Words(
        "channels",
        "messages opened or clicked",
        "messages",
        little="few messages opened",
        much="many messages opened",
        topic="messages",
    ),
    "clicks": Words(
        "channels",
        "messages opened or clicked",
        "messages",
        little="few messages clicked",
        much="many messages clicked",
        topic="messages",
    ),
    "acquisition_channel": Words("buying", "channel of origin", level="come by {}", topic="origin"),
    "acquisition_campaign": Words("buying", "campaign of origin", level="come by “{}”", topic="origin"),
    "n_touchpoints": Words(
        "channels",
        "contacts in all",
        "contacts",
        little="little contact",
        much="much contact",
        topic="contact",
    ),
    "campaigns_received": Words(
        "channels",
        "campaigns",
        "campaigns",
        little="few campaigns sent",
        much="many campaigns sent",
    ),
    "campaigns_answered": Words(
        "channels",
        "campaigns answered",
        "campaigns",
        little="few campaigns answered",
        much="many campaigns answered",
    ),
    "touchpoints_90d": Words(
        "channels",
        "recent contacts",
        "contacts",
        little="seldom in touch",
        much="often in touch",
        topic="contact",
    ),
    "top_category": Words(
        "needs",
        "favourite category",
        noun="favourite category",
        level="mostly {}",
        topic="category",
    ),
    "n_categories": Words(
        "buying", "range of categories", "categories", little="narrow choice", much="wide choice", topic="range"
    ),
    "category_entropy": Words(
        "buying",
        "range of categories",
        "bits",
        noun="spread over categories (bits)",
        little="narrow choice",
        much="wide choice",
        topic="range",
    ),
    "quality_over_price": Words(
        "needs",
        "price level",
        "times",
        little="cheaper goods",
        much="dearer goods",
    ),
    "brand_loyalty": Words(
        "needs",
        "loyalty to brands",
        "share",
        little="many brands",
        much="few brands",
        topic="brands",
    ),
    "last_nps": Words(
        "pains",
        "willingness to recommend",
        "points",
        noun="last NPS answer",
        little="less likely to recommend us",
        much="likelier to recommend us",
    ),
    "mean_csat": Words(
        "pains",
        "satisfaction",
        "points",
        noun="mean satisfaction (CSAT)",
        little="less satisfied",
        much="more satisfied",
    ),
    "mean_ces": Words(
        "pains",
        "ease of dealing with us",
        "points",
        noun="mean ease (CES)",
        little="finding it hard",
        much="finding it easy",
    ),
    "tickets_365d": Words(
        "pains",
        "tickets",
        "tickets",
        little="few tickets",
        much="many tickets",
        topic="complaints",
    ),
    "complaints_365d": Words(
        "pains",
        "complaints",
        "times",
        little="few complaints",
        much="many complaints",
    ),
    "complaint_topic": Words("pains", "complaints", level="complaining of {}"),
    "top_category_share": Words(
        "buying",
        "range of categories",
        "share",
        noun="share of the favourite category",
        little="wide choice",
        much="one-category buyers",
        topic="range",
    ),
}


def words(column: str) -> Words | None:
    """The words of a column; of the shares of categories and channels, which have one for each, those of their kind.

    Examples
    --------
    >>> words("bought_novel").concept, words("through_web").much, words("shoe_size")
    ('share of novel', 'buying by web', None)
    """
    column = str(column)
    if column.startswith(BOUGHT):
        value = column.removeprefix(BOUGHT)
        said = {"noun": f"share of {value} in what they buy", "much": f"buying {value}", "little": f"little {value}"}
        said["more"] = f"more {value}"
        return Words("needs", f"share of {value}", "share", **said, topic="category")
    if column.startswith(THROUGH):
        value = column.removeprefix(THROUGH)
        said = {"noun": f"share bought by {value}", "much": f"buying by {value}", "little": f"hardly by {value}"}
        said["more"] = f"more by {value}"
        return Words("channels", f"share by {value}", "share", **said, topic="channel")
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
