"""Customer profiles: one row per customer, as of a day, from whatever tables the base has.

`build` takes a base and gives a pandas frame: attributes as recorded, and behaviour from orders, lines, touchpoints and
deals. Every figure looks back from the end of the day `as_of`; nothing later is seen. A profile is real data of a real
customer: nothing in it is estimated, and what is unknown is empty.

A purchase is an order whose status is completed (or empty). A returned order is a credit note: it lowers the spend and
is no purchase. Cancelled and open orders count for nothing.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, require_columns
from analysis.schema import TABLES

#: Money is added up in whole ten-thousandths, so that a sum does not depend on the order of the rows.
_PARTS = 10_000

#: Gaps between orders from which a usual gap is known: a median of fewer is an anecdote.
MIN_GAPS = 3

#: Names of fields that hold a person's name or contact, whatever stands in them, in the languages met.
_PERSONAL_NAME = re.compile(
    r"(?i)(?<![a-z])(sur|last|first|family|given|full|user|nick|nach|vor|familien)?_?name(?![a-z])|vorname|nachname"
    r"|e-?mail|phone|mobile|handy|telefon|whatsapp|iban|address|adresse|street|stra(ss|ß)e|passport|national_?(id|code)"
    r"|نام|موبایل|تلفن|همراه|ایمیل|آدرس|نشانی|کد ?ملی"
)

#: Names that later tables use for themselves: a base's own field of such a name is kept as "recorded_…".
_TAKEN = ("age", "segment", "segment_name", "fit", "r", "f", "m", "rfm_segment", "group", "persona")

#: Columns, their unit and meaning, in the order of the table. "Empty when" says what an empty cell means.
COLUMNS: dict[str, tuple[str, str]] = {
    "first_order_at": ("day", "day of the first purchase; empty without one"),
    "last_order_at": ("day", "day of the last purchase; empty without one"),
    "tenure_days": ("days", "from the first purchase to as_of; empty without one"),
    "recency_days": ("days", "from the last purchase to as_of; empty without one"),
    "n_orders": ("orders", "purchases; 0 without one"),
    "n_order_days": ("days", "different days with a purchase"),
    "orders_per_year": ("orders a year", "purchases over tenure; empty below 90 days of tenure"),
    "total_spend": ("currency", "paid for purchases, less what was given back"),
    "spend_365d": ("currency", "the same within the last 365 days"),
    "mean_order_value": ("currency", "mean amount of a purchase; empty without one"),
    "median_gap_days": ("days", "usual gap: median between successive days with a purchase; empty below two such days"),
    "overdue_ratio": ("ratio", "recency over usual gap; empty below three gaps"),
    "discount_share": ("share", "discount over what purchases would have cost without"),
    "return_rate": ("ratio", "returned orders or credit notes per purchase; empty without purchases"),
    "used_channel": ("name", "channel of most purchases; of equals, the first by name"),
    "used_channel_share": ("share", "share of purchases with a known channel that went through it"),
    "usual_payment_method": ("name", "payment method of most purchases"),
    "payment_certainty": ("share", "share of purchases with a known method that were paid so"),
    "n_categories": ("categories", "different categories bought"),
    "top_category": ("name", "category with the highest spend"),
    "top_category_share": ("share", "share of spend in known categories that went to it"),
    "n_touchpoints": ("contacts", "contacts with the brand; 0 without one"),
    "touchpoints_90d": ("contacts", "contacts in the last 90 days"),
    "last_contact_at": ("day", "day of the last contact"),
    "n_deals": ("deals", "leads and opportunities; 0 without one"),
    "won_deals": ("deals", "won"),
    "open_deals": ("deals", "open"),
    "win_rate": ("share", "won over closed; empty while none is closed"),
    "won_value": ("currency", "value of the won ones"),
    "campaigns_received": ("campaigns", "campaigns sent to the customer"),
    "campaigns_answered": ("campaigns", "of those, led to what they were meant for"),
}


def build(base: Mapping[str, IntoFrame], as_of: date | None = None) -> pd.DataFrame:
    """One row per customer: who they are as recorded, and how they buy.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        Needs at least `customers`, or one table with a ``customer_id``. Instants must be in the business's timezone.
    as_of : date, optional
        Last day to look at; default: the base's own.

    Returns
    -------
    DataFrame, sorted by ``customer_id``
        The columns of `COLUMNS` that the base allows, after the attributes of `customers` (personal data left out; age
        in full years from the birth date). Customers without orders have a row.

    Raises
    ------
    Problem
        When `as_of` is missing, or a table lacks a column that it must have.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "order_id": ["1", "2", "3"], "customer_id": ["a", "a", "b"], "amount": [10.0, 30.0, 5.0],
    ...     "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-02-01"]).tz_localize("UTC")})
    >>> build({"orders": orders}, date(2024, 1, 31))[["customer_id", "n_orders", "recency_days", "total_spend"]]
      customer_id  n_orders  recency_days  total_spend
    0           a         2          20.0         40.0
    """
    as_of = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of or getattr(base, "as_of", None)
    if as_of is None:
        raise Problem("profiles.build needs as_of, the last day to look at, e.g. as_of=date(2026, 3, 20).")
    tables = {name: _until(_lazy(frame), name, as_of) for name, frame in base.items()}
    parts = [
        _orders(tables, as_of),
        _rhythm(tables, as_of),
        _usual(tables, "channel", "used_channel", "used_channel_share"),
        _usual(tables, "payment_method", "usual_payment_method", "payment_certainty"),
        _categories(tables),
        _touchpoints(tables, as_of),
        _deals(tables),
        _campaigns(tables),
    ]
    behaviour = _customers(tables)
    for part in parts:
        if part is not None:
            behaviour = behaviour.join(part, on="customer_id", how="left")  # a part has a customer once
    profiles = behaviour.collect("pyarrow").to_pandas()  # words as they come: no Python object for each
    attributes = _attributes(tables, as_of, getattr(base, "personal", ()))
    return _finished(profiles if attributes is None else attributes.merge(profiles, on="customer_id", how="left"))


def _lazy(frame: IntoFrame) -> nw.LazyFrame:
    return nw.from_native(frame, pass_through=False).lazy()


def _until(frame: nw.LazyFrame, table: str, as_of: date) -> nw.LazyFrame:
    """A table as it was at the end of the day `as_of`."""
    time = TABLES[table].time if table in TABLES else None
    has = frame.collect_schema()
    if time is not None and table != "campaigns" and time in has:
        frame = frame.filter(
            nw.col(time).is_null() | (nw.col(time) < _midnight(frame, time, as_of + timedelta(days=1)))
        )
    ends = {"deals": ("closed_at", ("outcome", "amount")), "campaign_contacts": ("converted_at", ("converted_at",))}
    end, known_then = ends.get(table, (None, ()))
    if end is None or end not in has:
        return frame
    # a deal that closed later was open then, an answer that came later was not there
    ended = nw.col(end).is_null() | (nw.col(end) < _midnight(frame, end, as_of + timedelta(days=1)))
    otherwise = {"outcome": nw.lit("open")}
    cells = {
        c: nw.when(ended).then(nw.col(c)).otherwise(otherwise.get(c, nw.lit(None))) for c in known_then if c in has
    }
    return frame.with_columns(**cells)


def _day(column: str) -> nw.Expr:
    """The business's day of an instant, without a timezone: the clock change may skip a midnight."""
    return nw.col(column).dt.replace_time_zone(None).dt.truncate("1d")


def _midnight(frame: nw.LazyFrame, column: str, day: date) -> nw.Expr:
    """The first moment of a day in the timezone of a column."""
    kind = frame.collect_schema()[column]
    if not isinstance(kind, nw.Datetime):
        raise Problem(
            f"{column} holds {kind}, not instants with a timezone that can be read here. In pandas, convert it with "
            f'to_datetime and tz_convert; a frame in a timezone such as "America/New_York" goes by way of DuckDB: '
            f'sources.connect("America/New_York").sql("FROM frame").'
        )
    zone = kind.time_zone
    return nw.lit(pd.Timestamp(day, tz=zone).to_pydatetime())


def _days_between(later: nw.Expr, earlier: nw.Expr) -> nw.Expr:
    """Days from one to another."""
    return (later - earlier).dt.total_minutes() / 1440


def _days_before(as_of: date, day: str) -> nw.Expr:
    """Days from a day to `as_of`."""
    return _days_between(nw.lit(datetime.combine(as_of, time.min)), nw.col(day))


def _median(rows: nw.LazyFrame, column: str) -> nw.LazyFrame:
    """Each customer's median of a column, by the places of its values.

    An engine's own median keeps a list for each of a million customers; DuckDB 2.0 then needs six times as long.
    """
    known = rows.filter(~nw.col(column).is_null()).select("customer_id", column)
    place, last = nw.col(column).rank("ordinal").over("customer_id"), nw.len().over("customer_id")
    placed = known.with_columns(place=place, last=last)
    twice = 2 * nw.col("place")
    middle = placed.filter((twice >= nw.col("last")) & (twice <= nw.col("last") + 2))
    return middle.group_by("customer_id").agg(**{f"median_{column}_days": nw.col(column).mean()})


def _money(column: str) -> nw.Expr:
    return (nw.col(column) * _PARTS).round(0).cast(nw.Int64)


def _one_if(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def _collect(frame: nw.LazyFrame) -> pd.DataFrame:
    return frame.collect("pandas").to_native()


def _purchases(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    if "orders" not in tables:
        return None
    orders = tables["orders"]
    require_columns("orders", orders.collect_schema(), ["customer_id", "ordered_at"])
    return orders.filter(_is_purchase(orders))


def _is_purchase(orders: nw.LazyFrame) -> nw.Expr:
    if "status" not in orders.collect_schema():
        return ~nw.col("ordered_at").is_null()  # every order
    return nw.col("status").is_null() | (nw.col("status") == "completed")


def _customers(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame:
    """The ids of all customers."""
    if "customers" in tables:
        return tables["customers"].select("customer_id")
    ids = [t.select("customer_id") for t in tables.values() if "customer_id" in t.collect_schema()]
    if not ids:
        raise Problem("profiles.build needs a table with a customer_id; there is none.")
    return nw.concat(ids).filter(~nw.col("customer_id").is_null()).unique()


def _attributes(tables: Mapping[str, nw.LazyFrame], as_of: date, personal: tuple[str, ...]) -> pd.DataFrame | None:
    """What is recorded of the customers, personal data left out; None where nothing is."""
    canonical = TABLES["customers"].column
    secret = set(personal) | {c for c, spec in canonical.items() if spec.personal}
    kept = [c for c in tables["customers"].collect_schema() if c not in secret] if "customers" in tables else []
    if kept in ([], ["customer_id"]):
        return None
    frame = _collect(tables["customers"].select(kept))
    for name, spec in canonical.items():
        if spec.empty and name in frame:
            frame[name] = frame[name].fillna(spec.empty)
    for name in frame.columns.difference([*canonical, "customer_id"]):
        if pd.api.types.is_numeric_dtype(frame[name]) and set(frame[name].dropna().unique()) == {0, 1}:
            frame[name] = frame[name].astype("boolean")  # how most exports write yes and no
    taken = [c for c in frame if (c in COLUMNS or c in _TAKEN) and c not in canonical]
    frame = frame.rename(columns={c: f"recorded_{c}" for c in taken})
    return _with_age(frame.drop(columns=_looks_personal(frame, canonical)), as_of)


def _with_age(customers: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Birth date replaced by the age in full years on the day `as_of`; ages outside 0 to 120 are nobody's."""
    if "birth_date" not in customers:
        return customers
    born = pd.to_datetime(customers["birth_date"])
    before_birthday = (born.dt.month > as_of.month) | ((born.dt.month == as_of.month) & (born.dt.day > as_of.day))
    age = as_of.year - born.dt.year - before_birthday.astype(int)
    position = customers.columns.get_loc("birth_date")
    customers = customers.drop(columns="birth_date")
    customers.insert(position, "age", age.where(age.between(0, 120)).astype(float))
    return customers


def _looks_personal(customers: pd.DataFrame, canonical: Mapping) -> list[str]:
    """The base's own text fields that look like contacts or names: nearly all different, or addresses and numbers."""
    found = []
    for name in customers.columns.difference([*canonical, "customer_id"]):
        if _PERSONAL_NAME.search(name):
            found.append(name)
            continue
        text = customers[name].dropna()
        if text.empty or not isinstance(text.iloc[0], str):
            continue
        contact = text.str.contains(r"@|\d[\d\s().-]{7,}\d", regex=True).mean()
        if contact > 0.5 or (len(text) > 50 and text.nunique() > 0.9 * len(text)):
            found.append(name)
    return found


def _orders(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """What orders say of a customer, in one pass over them."""
    if "orders" not in tables:
        return None
    orders = tables["orders"]
    has = set(orders.collect_schema())
    require_columns("orders", has, ["customer_id", "ordered_at"])
    bought = _is_purchase(orders)
    # what a row adds to each figure of its customer; the engine then only takes minima, maxima and sums
    adds = {"n_orders": _one_if(bought)}
    if "amount" in has:
        counts = bought | (nw.col("status") == "returned") if "status" in has else bought
        recent = nw.col("ordered_at") >= _midnight(orders, "ordered_at", as_of - timedelta(days=364))
        adds |= {
            "total_spend": nw.when(counts).then(_money("amount")),
            "spend_365d": nw.when(counts & recent).then(_money("amount")),
            "purchases_spend": nw.when(bought).then(_money("amount")),
        }
    if "discount" in has:
        adds["discount"] = nw.when(bought).then(_money("discount"))
    if "status" in has:
        adds["n_returned"] = _one_if(nw.col("status") == "returned")
    bought_at = nw.when(bought).then(nw.col("ordered_at"))
    rows = orders.select("customer_id", bought_at=bought_at, **{f"add_{name}": add for name, add in adds.items()})
    first, last = nw.col("bought_at").min(), nw.col("bought_at").max()
    sums = {name: nw.col(f"add_{name}").sum() for name in adds}
    return _order_figures(rows.group_by("customer_id").agg(first_order_at=first, last_order_at=last, **sums), as_of)


def _order_figures(sums: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Days and ratios from the sums."""
    has = set(sums.collect_schema())
    n, tenure = nw.col("n_orders"), nw.col("tenure_days")
    dated = sums.with_columns(first_order_at=_day("first_order_at"), last_order_at=_day("last_order_at"))
    dated = dated.with_columns(
        tenure_days=_days_before(as_of, "first_order_at"), recency_days=_days_before(as_of, "last_order_at")
    )
    # below a quarter of tenure a rate per year says more about the calendar than about the customer
    figures = {"orders_per_year": nw.when(tenure >= 90).then(n / tenure * 365.25)}
    figures |= {c: nw.col(c) / _PARTS for c in ("total_spend", "spend_365d") if c in has}
    if "purchases_spend" in has:
        figures["mean_order_value"] = nw.when(n > 0).then(nw.col("purchases_spend") / _PARTS / n)
    if {"purchases_spend", "discount"} <= has:
        full = nw.col("purchases_spend") + nw.col("discount")
        figures["discount_share"] = nw.when(full > 0).then(nw.col("discount") / full)
    if "n_returned" in has:
        figures["return_rate"] = nw.when(n > 0).then(nw.col("n_returned") / n)
    known = ["first_order_at", "last_order_at", "n_orders", "tenure_days", "recency_days"]
    return dated.with_columns(**figures).select("customer_id", *known, *figures)


def _rhythm(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """The customer's own rhythm: the days with a purchase and the gaps between them."""
    purchases = _purchases(tables)
    if purchases is None:
        return None
    dated = purchases.select("customer_id", day=_day("ordered_at"))
    days = dated.group_by("customer_id", "day").agg(n=nw.len())  # the engine's own `unique` numbers every row
    earlier = nw.col("day").shift(1).over("customer_id", order_by="day")
    gaps = days.with_columns(earlier=earlier).with_columns(gap=_days_between(nw.col("day"), nw.col("earlier")))
    figures = {"n_order_days": nw.len(), "last_day": nw.col("day").max()}
    days_of_each = gaps.group_by("customer_id").agg(**figures).join(_median(gaps, "gap"), on="customer_id", how="left")
    recency, usual = _days_before(as_of, "last_day"), nw.col("median_gap_days")
    overdue = nw.when(nw.col("n_order_days") > MIN_GAPS).then(recency / usual)
    return days_of_each.with_columns(overdue_ratio=overdue).drop("last_day")


def _usual(tables: Mapping[str, nw.LazyFrame], column: str, name: str, share: str) -> nw.LazyFrame | None:
    """The commonest value of an order column per customer, and how sure that is."""
    purchases = _purchases(tables)
    if purchases is None or column not in purchases.collect_schema():
        return None
    counts = purchases.filter(~nw.col(column).is_null()).group_by("customer_id", column).agg(n=nw.len())
    return _top(counts, column, name, share).drop("kinds")


def _top(counts: nw.LazyFrame, column: str, name: str, share: str) -> nw.LazyFrame:
    """Per customer the value with the highest n (of equals the first by name), its share of all, and how many kinds."""
    ranked = counts.with_columns(less=-nw.col("n"))
    figures = {name: nw.col(column).first(order_by=["less", column]), "most": nw.col("n").max()}
    figures |= {"total": nw.col("n").sum(), "kinds": nw.len()}
    best = ranked.group_by("customer_id").agg(**figures)
    total = nw.col("total")
    return best.with_columns(**{share: nw.when(total > 0).then(nw.col("most") / total)}).drop("most", "total")


def _categories(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """What customers buy, by category and spend."""
    if not {"order_lines", "products", "orders"} <= tables.keys():
        return None
    lines, products, purchases = tables["order_lines"], tables["products"], _purchases(tables)
    has = set(lines.collect_schema())
    if "category" not in products.collect_schema() or "product_id" not in has:
        return None
    if "amount" in has:
        spend = _money("amount")
    elif {"quantity", "unit_price"} <= has:
        spend = (nw.col("quantity") * nw.col("unit_price") * _PARTS).round(0).cast(nw.Int64)
    else:
        return None
    known = products.filter(~nw.col("category").is_null()).select("product_id", "category")
    spent = (
        lines.with_columns(spend=spend)
        .join(purchases.select("order_id", "customer_id"), on="order_id")
        .join(known, on="product_id")
        .group_by("customer_id", "category")
        .agg(n=nw.col("spend").sum())
    )
    return _top(spent, "category", "top_category", "top_category_share").rename({"kinds": "n_categories"})


def _touchpoints(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    if "touchpoints" not in tables:
        return None
    touchpoints = tables["touchpoints"]
    recent = nw.col("occurred_at") >= _midnight(touchpoints, "occurred_at", as_of - timedelta(days=89))
    rows = touchpoints.select("customer_id", "occurred_at", recent=_one_if(recent))
    figures = {"n_touchpoints": nw.len(), "touchpoints_90d": nw.col("recent").sum()}
    contacts = rows.group_by("customer_id").agg(**figures, last_contact_at=nw.col("occurred_at").max())
    return contacts.with_columns(last_contact_at=_day("last_contact_at"))


def _deals(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    if "deals" not in tables:
        return None
    has = set(tables["deals"].collect_schema())
    deals = tables["deals"].filter(~nw.col("customer_id").is_null())
    adds = {}
    if "outcome" in has:
        adds = {f"{outcome}_deals": _one_if(nw.col("outcome") == outcome) for outcome in ("won", "lost", "open")}
    if {"outcome", "amount"} <= has:
        adds["won_value"] = nw.when(nw.col("outcome") == "won").then(_money("amount"))
    rows = deals.select("customer_id", **adds)
    sums = rows.group_by("customer_id").agg(nw.len().alias("n_deals"), *(nw.col(c).sum() for c in adds))
    if "outcome" not in has:
        return sums
    won, closed = nw.col("won_deals"), nw.col("won_deals") + nw.col("lost_deals")
    figures = {"win_rate": nw.when(closed > 0).then(won / closed)}
    if "won_value" in adds:
        figures["won_value"] = nw.col("won_value") / _PARTS
    return sums.with_columns(**figures).drop("lost_deals")


def _campaigns(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    if "campaign_contacts" not in tables or "converted_at" not in tables["campaign_contacts"].collect_schema():
        return None
    contacts = tables["campaign_contacts"]
    if "variant" in contacts.collect_schema():  # whoever was held out as control received nothing
        contacts = contacts.filter(nw.col("variant").is_null() | (nw.col("variant") != "control"))
    rows = contacts.select("customer_id", answered=_one_if(~nw.col("converted_at").is_null()))
    figures = {"campaigns_received": nw.len(), "campaigns_answered": nw.col("answered").sum()}
    return rows.group_by("customer_id").agg(**figures)


def _finished(profiles: pd.DataFrame) -> pd.DataFrame:
    """Counts and sums of customers who are in no row are 0; columns in the documented order, rows by customer."""
    for column, (unit, _) in COLUMNS.items():
        if column not in profiles:
            continue
        if unit in ("orders", "contacts", "deals", "campaigns", "categories") or column == "n_order_days":
            profiles[column] = profiles[column].fillna(0).astype("int64")
        elif column in ("total_spend", "spend_365d", "won_value"):
            profiles[column] = profiles[column].fillna(0.0)
        elif unit == "name":
            profiles[column] = profiles[column].astype("str")  # also where nobody has one
    recorded = [c for c in profiles if c not in COLUMNS and c != "customer_id"]
    return profiles[["customer_id", *recorded, *(c for c in COLUMNS if c in profiles)]].sort_values(
        "customer_id", ignore_index=True
    )
