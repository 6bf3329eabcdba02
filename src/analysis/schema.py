"""The canonical tables: which there are, their columns, types, keys and meaning.

This is the one place that defines them: reading, checking, the bookshop, the chapters and the documentation in `data/`
all take them from here. A customer base is any subset of these tables that has at least one of `CORE_TABLES`.
"""

from dataclasses import dataclass

#: One of these a base must have; everything else is optional.
CORE_TABLES = ("orders", "order_lines", "touchpoints", "deals", "customers")

#: Order states that count as a purchase, and the ones that do not. A `returned` order is a credit note: its amount,
#: zero or negative, lowers what the customer spent, and it is no purchase. Cancelled and open orders count for nothing.
ORDER_STATUSES = ("completed", "returned", "cancelled", "open")

DEAL_OUTCOMES = ("won", "lost", "open")
#: Number columns that are sums of money, in the base's currency.
MONEY = ("income", "annual_revenue", "amount", "discount", "unit_price", "price", "cost", "revenue")
PHASES = ("before", "during", "after")
INSTRUMENTS = ("nps", "csat", "ces")

#: SQL type of each kind of column. Identifiers are text, always: 00017 and 17 are two customers.
SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "number": "DOUBLE",
    "instant": "TIMESTAMPTZ",
    "date": "DATE",
    "list": "VARCHAR[]",
}


@dataclass(frozen=True)
class Column:
    """A canonical column.

    Attributes
    ----------
    name, meaning : str
    type : {"id", "text", "number", "instant", "date", "list"}
    personal : bool
        Identifies a person (name, contact, free text): never in a report, a log or a profile.
    required : bool
        A row without it means nothing and is set aside; a table without it is refused.
    values : tuple of str
        The only values allowed, where there is a fixed set.
    minimum : float or None
        Smallest value that makes sense.
    empty : str
        What an empty cell means, where it is no hole in the data.
    """

    name: str
    type: str
    meaning: str
    personal: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    minimum: float | None = None
    empty: str = ""


@dataclass(frozen=True)
class Table:
    """A canonical table: one row per what, under which key, with which columns, dated by which of them."""

    name: str
    one_row_per: str
    columns: tuple[Column, ...]
    key: str | None = None
    time: str | None = None

    @property
    def column(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


def _id(name, meaning, required=False):
    return Column(name, "id", meaning, required=required)


def _text(name, meaning, **kw):
    return Column(name, "text", meaning, **kw)


def _number(name, meaning, **kw):
    return Column(name, "number", meaning, **kw)


def _instant(name, meaning, **kw):
    return Column(name, "instant", meaning, **kw)


def _list(name, meaning):
    return Column(name, "list", meaning)


_CUSTOMER = _id("customer_id", "the customer, a person or a company", required=True)

TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        Table(
            "customers",
            "customer (person or company)",
            (
                _CUSTOMER,
                _text("kind", "person or company", values=("person", "company")),
                _text("name", "name as recorded", personal=True),
                _text("email", "e-mail address", personal=True),
                _text("phone", "telephone number as typed", personal=True),
                Column("birth_date", "date", "date of birth"),
                _text("gender", "gender as recorded"),
                _text("marital_status", "marital status"),
                _text("education", "highest education"),
                _text("occupation", "occupation"),
                _number("income", "yearly income, in the base's currency"),
                _number("household_size", "persons in the household", minimum=1),
                _text("city", "city"),
                _text("region", "region or district"),
                _text("country", "country"),
                _instant("signup_at", "when the customer became known"),
                _text("acquisition_channel", "channel through which the customer came"),
                _text("acquisition_campaign", "campaign through which the customer came", empty="none"),
                _text("preferred_channel", "channel the customer asks to be reached by"),
                _list("consents", "channels the customer may be contacted on"),
                _list("interests", "interests, as stated by the customer"),
                _list("tags", "free tags given by the business"),
                _text("industry", "industry (companies)"),
                _number("employees", "number of employees (companies)", minimum=0),
                _number("annual_revenue", "yearly revenue (companies), in the base's currency"),
            ),
            key="customer_id",
            time="signup_at",
        ),
        Table(
            "orders",
            "order",
            (
                _id("order_id", "the order", required=True),
                _CUSTOMER,
                _instant("ordered_at", "when it was placed", required=True),
                _text("channel", "channel it was placed on"),
                _text("branch", "branch or store", empty="at no branch"),
                _text("payment_method", "how it was paid"),
                _number("amount", "what the customer paid, after discount; negative for a credit note"),
                _number("discount", "discount in it, in the base's currency", minimum=0),
                _text("status", "completed, returned, cancelled or open", values=ORDER_STATUSES, empty="completed"),
            ),
            key="order_id",
            time="ordered_at",
        ),
        Table(
            "order_lines",
            "order and product",
            (
                _id("order_id", "the order", required=True),
                _id("product_id", "the product"),
                _number("quantity", "pieces; negative when given back"),
                _number("unit_price", "price of a piece before discount"),
                _number("discount", "discount on the line", minimum=0),
                _number("amount", "what the customer paid for the line: quantity × unit_price − discount"),
            ),
        ),
        Table(
            "products",
            "product",
            (
                _id("product_id", "the product", required=True),
                _text("name", "its name"),
                _text("category", "category"),
                _text("subcategory", "category within the category"),
                _text("brand", "brand, maker or publisher"),
                _number("price", "list price", minimum=0),
                _list("tags", "free tags"),
            ),
            key="product_id",
        ),
        Table(
            "touchpoints",
            "contact of a customer with the brand",
            (
                _CUSTOMER,
                _instant("occurred_at", "when it happened", required=True),
                _text("event", "what happened, e.g. visit, email_open, call", required=True),
                _text("stage", "stage of the journey it belongs to"),
                _text("phase", "before, during or after a purchase", values=PHASES),
                _text("channel", "channel"),
                Column("campaign_id", "id", "campaign that caused it", empty="none"),
                _text("content_type", "blog, video, webinar, …", empty="none"),
                _text("owner", "team that owns it"),
            ),
            time="occurred_at",
        ),
        Table(
            "feedback",
            "answer",
            (
                _CUSTOMER,
                _instant("given_at", "when it was given", required=True),
                _text("instrument", "nps (0 to 10), csat (1 to 5) or ces (1 to 7)", values=INSTRUMENTS),
                _number("score", "the score", minimum=0),
                _text("stage", "stage of the journey it speaks of"),
                _text("topic", "topic"),
                _text("text", "the customer's words", personal=True),
            ),
            time="given_at",
        ),
        Table(
            "survey_answers",
            "customer and question",
            (
                _CUSTOMER,
                _instant("answered_at", "when it was answered"),
                _text("construct", "what the question measures"),
                _text("question", "the question"),
                _number("answer", "the answer, a number"),
            ),
            time="answered_at",
        ),
        Table(
            "tickets",
            "ticket",
            (
                _id("ticket_id", "the ticket", required=True),
                _CUSTOMER,
                _instant("opened_at", "when it was opened", required=True),
                _instant("closed_at", "when it was closed", empty="still open"),
                _text("topic", "topic"),
                _text("priority", "priority"),
                _text("channel", "channel it came by"),
                _text("team", "team that handled it"),
                _number("satisfaction", "satisfaction with the handling, 1 to 5", minimum=0),
            ),
            key="ticket_id",
            time="opened_at",
        ),
        Table(
            "campaigns",
            "campaign",
            (
                _id("campaign_id", "the campaign", required=True),
                _text("name", "its name"),
                _text("channel", "channel"),
                _instant("starts_at", "first day"),
                _instant("ends_at", "last day"),
                _number("cost", "what it cost", minimum=0),
            ),
            key="campaign_id",
            time="starts_at",
        ),
        Table(
            "campaign_contacts",
            "campaign and customer",
            (
                _id("campaign_id", "the campaign", required=True),
                _CUSTOMER,
                _text("variant", "variant sent, or control"),
                _instant("sent_at", "when it was sent, or (control) the customer was held out"),
                _instant("opened_at", "when it was opened", empty="not opened"),
                _instant("clicked_at", "when it was clicked", empty="not clicked"),
                _instant("converted_at", "when it led to what it was meant for", empty="did not lead to it"),
                _number("revenue", "revenue credited to it", empty="none"),
            ),
            time="sent_at",
        ),
        Table(
            "deals",
            "lead or sales opportunity",
            (
                _id("deal_id", "the opportunity", required=True),
                Column("customer_id", "id", "the customer; empty while nobody is named"),
                _instant("created_at", "when it came up"),
                _instant("closed_at", "when it was won or lost", empty="still open"),
                _text("outcome", "won, lost or open", values=DEAL_OUTCOMES),
                _number("amount", "its value"),
                _text("product", "product it is about"),
                _text("owner", "who owns it"),
                _text("source", "where it came from"),
            ),
            key="deal_id",
            time="created_at",
        ),
        Table(
            "deal_stages",
            "deal and stage entered",
            (
                _id("deal_id", "the opportunity", required=True),
                _text("stage", "the stage entered", required=True),
                _instant("entered_at", "when it was entered", required=True),
            ),
            time="entered_at",
        ),
        Table(
            "brand_ratings",
            "customer, brand, attribute",
            (
                _CUSTOMER,
                _text("brand", "our brand or a rival's"),
                _text("attribute", "what is rated"),
                _number("rating", "the rating, a number"),
                _instant("rated_at", "when it was rated"),
            ),
            time="rated_at",
        ),
    )
}
