"""The canonical tables: which there are, their columns, types, keys and meaning; and the columns of the profiles.

This is the one place that defines them: reading, checking, the bookshop, the chapters and the documentation in `data/`
all take them from here. A customer base is any subset of these tables that has at least one of `CORE_TABLES`.
"""

from dataclasses import dataclass

from analysis.phrases import marked

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
#: The least and the most that can be answered to each.
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}

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
            marked("customer (person or company)"),
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
            marked("order"),
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
            marked("order and product"),
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
            marked("product"),
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
            marked("contact of a customer with the brand"),
            (
                _CUSTOMER,
                _instant("occurred_at", "when it happened", required=True),
                _text("event", "what happened, e.g. visit, call, email_open, sms_click", required=True),
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
            marked("answer"),
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
            marked("customer and question"),
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
            marked("ticket"),
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
            marked("campaign"),
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
            marked("campaign and customer"),
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
            marked("lead or sales opportunity"),
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
            marked("deal and stage entered"),
            (
                _id("deal_id", "the opportunity", required=True),
                _text("stage", "the stage entered", required=True),
                _instant("entered_at", "when it was entered", required=True),
            ),
            time="entered_at",
        ),
        Table(
            "brand_ratings",
            marked("customer, brand, attribute"),
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


@dataclass(frozen=True)
class ProfileColumn:
    """A column of the profiles.

    Attributes
    ----------
    family : str, one of `FAMILIES`
        Which side of a customer it shows.
    unit : str
        "currency" is the base's own; "name" is text, "day" a day, "share" lies in [0, 1].
    definition : str
    empty : str
        When the cell is empty; "" for never: a count or a sum, 0 where there is nothing to count.
    """

    family: str
    unit: str
    definition: str
    empty: str = ""


#: The sides of a customer, in the order in which a chapter tells them. What a base records of its own is a family for
#: itself, as nobody here knows what it is about.
FAMILIES = (
    *("demographic", "geographic", "firmographic", "psychographic", "engagement", "voice", "behavioural"),
    "own",
)

#: The family of what is recorded of customers; of the base's own fields, those that places are often called.
_RECORDED: dict[str, tuple[str, ...]] = {
    "demographic": (
        *("kind", "birth_date", "gender", "marital_status", "education", "occupation", "income", "household_size"),
    ),
    "geographic": ("city", "region", "country", "district", "province", "state", "postcode", "zip"),
    "firmographic": ("industry", "employees", "annual_revenue"),
    "psychographic": ("interests",),
    "engagement": ("preferred_channel", "consents"),
    "behavioural": ("signup_at", "acquisition_channel", "acquisition_campaign"),
}

#: The oldest age that is believed: hardly anybody has lived longer (the oldest on record reached 122).
OLDEST = 110

#: Columns of the profiles that are made from recorded attributes alone.
FROM_ATTRIBUTES = ("age", "age_band", "size_band", "revenue_band")

_NO_PURCHASE = "without a purchase"

#: What a profile holds beside the attributes as recorded, in the order of the table.
PROFILE_COLUMNS: dict[str, ProfileColumn] = {
    "age": ProfileColumn(
        "demographic",
        "years",
        "full years on the day as_of",
        "without a birth date, or with one that gives no age to 110",
    ),
    "age_band": ProfileColumn(
        "demographic",
        "name",
        "ages in bands of ten years from 25 to 64; the base's own without a birth date",
        "without an age",
    ),
    "size_band": ProfileColumn(
        "firmographic",
        "name",
        "company size by employees: micro below 10, small below 50, medium below 250, else large (Commission "
        "Recommendation 2003/361/EC, by headcount alone)",
        "without a number of employees",
    ),
    "revenue_band": ProfileColumn(
        "firmographic",
        "name",
        "yearly revenue of a company between powers of ten, in the currency",
        "without a revenue",
    ),
    "first_order_at": ProfileColumn("behavioural", "day", "day of the first purchase", _NO_PURCHASE),
    "last_order_at": ProfileColumn("behavioural", "day", "day of the last purchase", _NO_PURCHASE),
    "tenure_days": ProfileColumn("behavioural", "days", "from the first purchase to as_of", _NO_PURCHASE),
    "recency_days": ProfileColumn("behavioural", "days", "from the last purchase to as_of", _NO_PURCHASE),
    "n_orders": ProfileColumn("behavioural", "orders", "purchases"),
    "n_order_days": ProfileColumn("behavioural", "days", "different days with a purchase"),
    "orders_per_year": ProfileColumn(
        "behavioural", "orders a year", "purchases over tenure", "below 90 days of tenure, and without a purchase"
    ),
    "total_spend": ProfileColumn("behavioural", "currency", "paid for purchases, less what was given back"),
    "spend_365d": ProfileColumn("behavioural", "currency", "total_spend of the last 365 days"),
    "spend_trend": ProfileColumn(
        "behavioural",
        "-1 to 1",
        "spend of the last 182 days less that of the 182 before, over both together; a half in which more was given "
        "back than bought counts as nothing",
        "below 364 days of tenure, or without spend in both halves",
    ),
    "mean_order_value": ProfileColumn("behavioural", "currency", "mean amount of a purchase", _NO_PURCHASE),
    "median_gap_days": ProfileColumn(
        "behavioural", "days", "usual gap: median between successive days with a purchase", "below two such days"
    ),
    "gap_cv": ProfileColumn(
        "behavioural",
        "ratio",
        "how irregular: standard deviation of the gaps (n - 1) over their mean; 0 is clockwork, 1 is chance",
        "below three gaps",
    ),
    "overdue_ratio": ProfileColumn("behavioural", "ratio", "recency over usual gap", "below three gaps"),
    "weekend_share": ProfileColumn(
        "behavioural",
        "share",
        "purchases on the days of the weekend in the country of the business's timezone (Unicode CLDR); Saturday and "
        "Sunday where a timezone belongs to no country",
        _NO_PURCHASE,
    ),
    "discount_share": ProfileColumn(
        "behavioural",
        "share",
        "discount over what purchases would have cost without",
        "without a purchase, or where purchases would have cost nothing",
    ),
    "discounted_share": ProfileColumn("behavioural", "share", "purchases with a discount, however small", _NO_PURCHASE),
    "return_rate": ProfileColumn("behavioural", "ratio", "returned orders or credit notes per purchase", _NO_PURCHASE),
    "used_channel": ProfileColumn(
        "behavioural",
        "name",
        "channel of most purchases; of equals, the first by name",
        "without one on a known channel",
    ),
    "used_channel_share": ProfileColumn(
        "behavioural", "share", "purchases with a known channel that went through it", "without one on a known channel"
    ),
    "usual_payment_method": ProfileColumn(
        "behavioural",
        "name",
        "payment method of most purchases; of equals, the first by name",
        "without one paid in a known way",
    ),
    "payment_certainty": ProfileColumn(
        "behavioural", "share", "purchases with a known method that were paid so", "without one paid in a known way"
    ),
    "n_lines": ProfileColumn("behavioural", "lines", "lines of purchases in a known category"),
    "n_categories": ProfileColumn("behavioural", "categories", "different categories bought"),
    "top_category": ProfileColumn(
        "behavioural",
        "name",
        "category with the highest spend; of equals, the first by name",
        "without a purchase in a known category",
    ),
    "top_category_share": ProfileColumn(
        "behavioural", "share", "spend in known categories that went to it", "without spend in a known category"
    ),
    "category_entropy": ProfileColumn(
        "behavioural",
        "bits",
        "how wide the spend is spread over categories (Shannon 1948): 0 is one category, 2 as wide as four equal ones",
        "without spend in a known category",
    ),
    "n_touchpoints": ProfileColumn("engagement", "contacts", "contacts with the brand"),
    "touchpoints_90d": ProfileColumn("engagement", "contacts", "contacts in the last 90 days"),
    "last_contact_at": ProfileColumn("engagement", "day", "day of the last contact", "without a contact"),
    "contact_channel": ProfileColumn(
        "engagement",
        "name",
        "channel of most contacts; of equals, the first by name",
        "without a contact on a known channel",
    ),
    "contact_channel_share": ProfileColumn(
        "engagement", "share", "contacts with a known channel that went through it", "without a contact on one"
    ),
    "opens": ProfileColumn(
        "engagement",
        "messages",
        "messages opened, and campaign calls answered: opened_at of campaign contacts, and events ending in _open; one "
        "that names a campaign is not counted beside campaign contacts, which have it already",
    ),
    "clicks": ProfileColumn(
        "engagement",
        "messages",
        "messages clicked: clicked_at of campaign contacts, and events ending in _click, by the same rule",
    ),
    "campaigns_received": ProfileColumn("engagement", "campaigns", "campaigns sent to the customer"),
    "campaigns_answered": ProfileColumn("engagement", "campaigns", "of those, led to what they were meant for"),
    "n_consents": ProfileColumn(
        "engagement",
        "channels",
        "channels the customer may be contacted on, as recorded now: no export says since when",
        "where none is recorded",
    ),
    "uses_preferred_channel": ProfileColumn(
        "engagement",
        "yes or no",
        "whether used_channel is the recorded preferred_channel",
        "when either is unknown, or nobody mostly buys on the preferred one (an e-mail is no shop)",
    ),
    "price_sensitivity": ProfileColumn(
        "psychographic",
        "-1 to 1",
        "share of purchases with a discount, less the share among other customers' purchases of the same months",
        "below three purchases in months in which others bought too",
    ),
    "quality_over_price": ProfileColumn(
        "psychographic",
        "ratio",
        "what the pieces bought cost by list, over as many at the median list price of their categories; 1 is typical",
        "without a piece of a known category and price",
    ),
    "brand_loyalty": ProfileColumn(
        "psychographic",
        "share",
        "chance that two different lines of the customer's purchases are of one brand (Simpson 1949, Nature 163:688)",
        "below three lines of a known brand",
    ),
    "last_nps": ProfileColumn(
        "voice", "0 to 10", "latest answer to would you recommend us; of two at one moment the lower", "without one"
    ),
    "mean_csat": ProfileColumn("voice", "1 to 5", "mean satisfaction", "without an answer"),
    "mean_ces": ProfileColumn("voice", "1 to 7", "mean ease, 7 being the easiest", "without an answer"),
    "tickets_365d": ProfileColumn("voice", "tickets", "tickets opened in the last 365 days, plain questions too"),
    "complaints_365d": ProfileColumn(
        "voice",
        "complaints",
        "tickets of the last 365 days, and low answers (NPS to 6, CSAT to 2, CES to 3) on topics without such a "
        "ticket, which would say the same twice; a plain question counts too, as no export tells it apart",
    ),
    "complaint_topic": ProfileColumn(
        "voice", "name", "topic of most complaints_365d; of equals, the first by name", "without one on a known topic"
    ),
    "n_deals": ProfileColumn("firmographic", "deals", "leads and opportunities"),
    "won_deals": ProfileColumn("firmographic", "deals", "won"),
    "open_deals": ProfileColumn("firmographic", "deals", "open"),
    "win_rate": ProfileColumn("firmographic", "share", "won over closed", "while none is closed"),
    "won_value": ProfileColumn("firmographic", "currency", "value of the won ones"),
}

#: Columns that begin so hold a survey's constructs, one each: score_ and the construct in lower case.
SCORE = "score_"

_SCORE = ProfileColumn(
    "psychographic",
    "answer",
    "mean of the answers to the questions of this construct, reversed questions turned round; profiles.reliability "
    "says how well the questions hold together",
    "with fewer than half of the questions answered",
)

#: Columns that begin so hold the shares of a customer's purchases, one for each of the commonest categories and
#: channels: bought_ and the category, through_ and the channel.
BOUGHT, THROUGH = "bought_", "through_"

_SHARES = {
    BOUGHT: ProfileColumn(
        "behavioural",
        "share",
        "lines bought that were of this category; the twelve with the most lines have a column",
        "without a purchase in a known category",
    ),
    THROUGH: ProfileColumn(
        "behavioural",
        "share",
        "purchases with a known channel that went through this one; the twelve with the most orders have a column",
        "without one on a known channel",
    ),
}


def is_worked_out(name: str) -> bool:
    """Whether a column of the profiles comes from what customers did or answered, not from what was recorded of them.

    Examples
    --------
    >>> is_worked_out("n_orders"), is_worked_out("bought_novel"), is_worked_out("city"), is_worked_out("age")
    (True, True, False, False)
    """
    ours = name in PROFILE_COLUMNS and name not in FROM_ATTRIBUTES
    return ours or name.startswith((SCORE, BOUGHT, THROUGH))


def profile_column(name: str) -> ProfileColumn:
    """What a column of the profiles means: one of ours, a survey's score, or an attribute as recorded.

    Examples
    --------
    >>> profile_column("n_orders").definition, profile_column("city").definition
    ('purchases', 'city, as recorded')
    """
    if name in PROFILE_COLUMNS:
        return PROFILE_COLUMNS[name]
    if name.startswith(SCORE):
        return _SCORE
    if name.startswith(tuple(_SHARES)):
        return _SHARES[name[: name.index("_") + 1]]
    recorded = TABLES["customers"].column.get(name)
    meaning = recorded.meaning if recorded else "the base's own field"
    family = next((of for of, names in _RECORDED.items() if name in names), "own")
    return ProfileColumn(family, "", f"{meaning}, as recorded", "where nothing is recorded")
