"""How each column of the profiles is said: in the name of a group, in a rule, in a sentence about a group, in a figure.

The one place of these words. It knows nothing of the data; a column that is not here is said by its own name.
"""

from dataclasses import dataclass

from analysis.schema import BOUGHT, THROUGH


@dataclass(frozen=True)
class Words:
    """How a column of the profiles is said.

    Attributes
    ----------
    part : {"who", "buys", "channels", "needs"}
        Which side of a customer it shows.
    concept : str
        What it is about; a card tells one trait of each concept.
    sentence : str
        Of one customer with a number in it; or of a share of customers and the level of a text.
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
    sentence: str
    unit: str = ""
    noun: str = ""
    little: str = ""
    much: str = ""
    more: str = ""
    level: str = "{}"
    topic: str = ""


WORDS: dict[str, Words] = {
    "age": Words("who", "age", "Is {} years old on average", "years", little="younger", much="older"),
    "age_band": Words("who", "age", "{} are {} years old", level="aged {}"),
    "gender": Words("who", "gender", "{} are recorded as {}"),
    "kind": Words("who", "kind", "{} are recorded as {}"),
    "marital_status": Words("who", "marital status", "{} are recorded as {}"),
    "education": Words("who", "education", "{} have the education “{}”"),
    "occupation": Words("who", "occupation", "{} work as {}"),
    "income": Words("who", "income", "Earns {} a year", "money", little="lower incomes", much="higher incomes"),
    "household_size": Words(
        "who", "household", "Lives in a household of {}", "persons", little="small households", much="large households"
    ),
    "city": Words("who", "city", "{} live in {}", level="in {}", topic="place"),
    "region": Words("who", "region", "{} live in {}", level="in {}", topic="place"),
    "country": Words("who", "country", "{} live in {}", level="in {}", topic="place"),
    "industry": Words("who", "industry", "{} work in the industry “{}”"),
    "employees": Words(
        "who",
        "company size",
        "Has {} employees",
        "employees",
        little="small companies",
        much="large companies",
        topic="employees",
    ),
    "annual_revenue": Words(
        "who",
        "company revenue",
        "Has a yearly revenue of {}",
        "money",
        little="small companies",
        much="large companies",
        topic="employees",
    ),
    "size_band": Words("who", "company size", "{} are of the size “{}”", level="{} companies", topic="employees"),
    "revenue_band": Words(
        "who", "company revenue", "{} have a yearly revenue of {}", level="revenue {}", topic="employees"
    ),
    "tenure_days": Words(
        "who",
        "time as a customer",
        "Has been a customer for {} days",
        "days",
        little="new customers",
        much="long-standing customers",
        topic="tenure",
    ),
    "orders_per_year": Words(
        "buys", "frequency", "Buys {} times a year", "times", little="occasional buyers", much="frequent buyers"
    ),
    "n_orders": Words(
        "buys", "frequency", "Has placed {} orders", "orders", little="occasional buyers", much="frequent buyers"
    ),
    "n_order_days": Words(
        "buys", "frequency", "Has bought on {} days", "days", little="occasional buyers", much="frequent buyers"
    ),
    "recency_days": Words("buys", "recency", "Last bought {} days ago", "days", little="recent", much="lapsed"),
    "total_spend": Words("buys", "spend", "Has spent {} in all", "money", little="small spenders", much="big spenders"),
    "spend_365d": Words(
        "buys", "spend", "Has spent {} in the last 365 days", "money", little="small spenders", much="big spenders"
    ),
    "spend_trend": Words(
        "buys",
        "trend",
        "Changes spend from half-year to half-year by {} (−1 to 1)",
        "points",
        little="spending less",
        much="spending more",
    ),
    "mean_order_value": Words(
        "buys",
        "order value",
        "Spends {} per order",
        "money",
        little="small baskets",
        much="large baskets",
        topic="basket",
    ),
    "median_gap_days": Words(
        "buys", "rhythm", "Orders every {} days", "days", noun="usual gap (days)", little="short gaps", much="long gaps"
    ),
    "gap_cv": Words(
        "buys",
        "irregularity",
        "Varies the gaps between orders by {} of their mean",
        "share",
        noun="irregularity of gaps",
        little="regular buyers",
        much="irregular buyers",
    ),
    "weekend_share": Words(
        "buys",
        "weekend",
        "Places {} of the orders at the weekend",
        "share",
        noun="share bought at weekends",
        little="weekday buyers",
        much="weekend buyers",
    ),
    "overdue_ratio": Words(
        "buys", "overdue", "Has waited {} times the own usual gap", "times", little="on time", much="overdue"
    ),
    "n_lines": Words(
        "buys",
        "lines",
        "Bought {} lines in all",
        "lines",
        little="buyers of few lines",
        much="buyers of many lines",
        topic="frequency",
    ),
    "discount_share": Words(
        "buys", "discount", "Gets {} of the price off", "share", little="full-price buyers", much="discount hunters"
    ),
    "discounted_share": Words(
        "buys",
        "discount",
        "Places {} of the orders with a discount",
        "share",
        noun="share bought with a discount",
        little="full-price buyers",
        much="discount hunters",
    ),
    "return_rate": Words(
        "buys", "returns", "Gives back {} times per order", "times", little="few returns", much="many returns"
    ),
    "price_sensitivity": Words(
        "buys",
        "price sensitivity",
        "Buys with a discount more often than others by {}",
        "share",
        little="full-price buyers",
        much="discount hunters",
        topic="discount",
    ),
    "usual_payment_method": Words("buys", "payment", "{} usually pay by {}", level="paying by {}"),
    "payment_certainty": Words(
        "buys",
        "loyalty to a payment method",
        "Pays in the usual way for {} of the orders",
        "share",
        noun="share paid in the usual way",
        little="several ways to pay",
        much="one way to pay",
        topic="payment",
    ),
    "n_deals": Words("buys", "deals", "Has had {} deals", "deals", little="few deals", much="many deals"),
    "won_deals": Words(
        "buys",
        "deals won",
        "Has had {} deals won",
        "deals",
        little="few deals won",
        much="many deals won",
        topic="deals",
    ),
    "open_deals": Words(
        "buys",
        "deals open",
        "Has {} open deals",
        "deals",
        little="few open deals",
        much="many open deals",
        topic="open",
    ),
    "win_rate": Words(
        "buys",
        "win rate",
        "Has {} of the closed deals won",
        "share",
        little="few deals won",
        much="most deals won",
        topic="deals",
    ),
    "won_value": Words(
        "buys", "value won", "Has brought {} in deals won", "money", little="little won", much="much won", topic="deals"
    ),
    "used_channel": Words("channels", "channel used", "{} mostly use {}", level="buying by {}", topic="channel"),
    "used_channel_share": Words(
        "channels",
        "loyalty to a channel",
        "Uses the usual channel for {} of the orders",
        "share",
        noun="share of purchases on the usual channel",
        little="several channels",
        much="one channel",
        topic="channel",
    ),
    "preferred_channel": Words(
        "channels", "channel preferred", "{} ask to be reached by {}", level="preferring {}", topic="channel"
    ),
    "uses_preferred_channel": Words(
        "channels",
        "channel preferred",
        "{} mostly buy on the channel they prefer",
        level="on their preferred channel",
        topic="channel",
    ),
    "contact_channel": Words(
        "channels", "channel of contacts", "{} are mostly met by {}", level="met by {}", topic="contact channel"
    ),
    "contact_channel_share": Words(
        "channels",
        "loyalty to a channel of contacts",
        "Is met there for {} of contacts",
        "share",
        little="met on several channels",
        much="met on one channel",
        topic="contact channel",
    ),
    "n_consents": Words(
        "channels",
        "consents",
        "May be contacted on {} channels",
        "channels",
        little="few consents",
        much="many consents",
    ),
    "opens": Words(
        "channels",
        "messages",
        "Has opened {} messages",
        "messages",
        little="few messages opened",
        much="many messages opened",
    ),
    "clicks": Words(
        "channels",
        "messages",
        "Has clicked {} messages",
        "messages",
        little="few messages clicked",
        much="many messages clicked",
    ),
    "acquisition_channel": Words(
        "channels", "channel of origin", "{} came by way of {}", level="come by {}", topic="origin"
    ),
    "acquisition_campaign": Words(
        "channels", "campaign of origin", "{} came by the campaign “{}”", level="come by “{}”", topic="origin"
    ),
    "n_touchpoints": Words(
        "channels",
        "contacts in all",
        "Has had {} contacts in all",
        "contacts",
        little="little contact",
        much="much contact",
        topic="contact",
    ),
    "campaigns_received": Words(
        "channels",
        "campaigns",
        "Has been sent {} campaigns",
        "campaigns",
        little="few campaigns sent",
        much="many campaigns sent",
    ),
    "campaigns_answered": Words(
        "channels",
        "campaigns answered",
        "Has answered {} campaigns",
        "campaigns",
        little="few campaigns answered",
        much="many campaigns answered",
    ),
    "touchpoints_90d": Words(
        "channels",
        "contacts",
        "Has had {} contacts in 90 days",
        "contacts",
        little="seldom in touch",
        much="often in touch",
        topic="contact",
    ),
    "top_category": Words(
        "needs",
        "favourite category",
        "{} buy mostly {}",
        noun="favourite category",
        level="mostly {}",
        topic="category",
    ),
    "n_categories": Words(
        "needs", "range", "Buys from {} categories", "categories", little="narrow choice", much="wide choice"
    ),
    "category_entropy": Words(
        "needs",
        "range",
        "Spreads spend over categories by {} bits",
        "bits",
        noun="spread over categories (bits)",
        little="narrow choice",
        much="wide choice",
    ),
    "quality_over_price": Words(
        "needs",
        "price level",
        "Buys at {} times the median price of the category",
        "times",
        little="cheaper goods",
        much="dearer goods",
    ),
    "brand_loyalty": Words(
        "needs",
        "loyalty to brands",
        "Buys the same brand in {} of pairs of lines",
        "share",
        little="many brands",
        much="few brands",
        topic="brands",
    ),
    "last_nps": Words(
        "needs",
        "recommendation",
        "Would recommend us with {} of 10",
        "points",
        noun="last NPS answer",
        little="less likely to recommend us",
        much="likelier to recommend us",
    ),
    "mean_csat": Words(
        "needs",
        "satisfaction",
        "Is satisfied with {} of 5",
        "points",
        noun="mean satisfaction (CSAT)",
        little="less satisfied",
        much="more satisfied",
    ),
    "mean_ces": Words(
        "needs",
        "ease",
        "Finds it easy with {} of 7",
        "points",
        noun="mean ease (CES)",
        little="finding it hard",
        much="finding it easy",
    ),
    "tickets_365d": Words(
        "needs",
        "tickets",
        "Has opened {} tickets in a year",
        "tickets",
        little="few tickets",
        much="many tickets",
        topic="complaints",
    ),
    "complaints_365d": Words(
        "needs",
        "complaints",
        "Has complained {} times in a year",
        "times",
        little="few complaints",
        much="many complaints",
    ),
    "complaint_topic": Words("needs", "complaints", "{} complain mostly of {}", level="complaining of {}"),
    "top_category_share": Words(
        "needs",
        "range",
        "Spends {} on the favourite category",
        "share",
        noun="share of the favourite category",
        little="wide choice",
        much="one-category buyers",
    ),
}


def words(column: str) -> Words | None:
    """The words of a column; of the shares of categories and channels, which have one for each, those of their kind.

    Examples
    --------
    >>> words("bought_novel").sentence, words("through_web").much, words("shoe_size")
    ('Buys {} of the lines in novel', 'buying by web', None)
    """
    column = str(column)
    if column.startswith(BOUGHT):
        value = column.removeprefix(BOUGHT)
        said = {"noun": f"share of {value} in what they buy", "much": f"buying {value}", "little": f"little {value}"}
        said["more"] = f"more {value}"
        return Words(
            "needs", f"share of {value}", f"Buys {{}} of the lines in {value}", "share", **said, topic="category"
        )
    if column.startswith(THROUGH):
        value = column.removeprefix(THROUGH)
        said = {"noun": f"share bought by {value}", "much": f"buying by {value}", "little": f"hardly by {value}"}
        said["more"] = f"more by {value}"
        return Words(
            "channels", f"share by {value}", f"Places {{}} of the orders by {value}", "share", **said, topic="channel"
        )
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
