"""How a customer buys: how much, how often and in what rhythm, through which channel, what, and at what price.

Takes the tables `orders`, `order_lines` and `products` as of a day and gives lazy frames, one row per customer who
bought. A purchase is an order whose status is completed (or empty). A returned order is a credit note: it lowers the
spend and is no purchase. Cancelled and open orders count for nothing.
"""

from collections.abc import Mapping
from datetime import date

import narwhals as nw
from babel import Locale, UnknownLocaleError
from babel.core import get_global

from analysis.errors import require_columns
from analysis.expressions import (
    PARTS,
    commonest,
    day_of,
    days_before,
    days_between,
    is_purchase,
    median,
    money,
    one_if,
    purchases_of,
    ratio,
    timezone_of,
    within_days,
)
from analysis.schema import BOUGHT, THROUGH

#: Gaps between orders from which a rhythm is known: figures of fewer are an anecdote. The same goes for purchases in a
#: share of discounts, and for lines in a share of brands.
MIN_GAPS = MIN_PURCHASES = MIN_LINES = 3

#: The commonest categories and channels have a share of their own, so many at the most.
MOST_SHARES = 12

#: The trend compares two stretches of so many days, 26 weeks each: as many weekends in the one as in the other.
_HALF = 182

#: Shares and terms of sums that are no money are added up in whole billionths, for the same reason as money.
_BILLIONTHS = 10**9


def orders(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """What orders say of a customer, in one pass over them: first and last, how many, spend and trend, returns."""
    if "orders" not in tables:
        return None
    placed = tables["orders"]
    require_columns("orders", placed.collect_schema(), ["customer_id", "ordered_at"])
    bought = is_purchase(placed)
    # what a row adds to each figure of its customer; the engine then only takes minima, maxima and sums
    adds = {"n_orders": one_if(bought), **_money_added(placed, bought, as_of)}
    if "status" in placed.collect_schema():
        adds["n_returned"] = one_if(nw.col("status") == "returned")
    bought_at = nw.when(bought).then(nw.col("ordered_at"))
    rows = placed.select("customer_id", bought_at=bought_at, **{f"add_{name}": add for name, add in adds.items()})
    first, last = nw.col("bought_at").min(), nw.col("bought_at").max()
    sums = {name: nw.col(f"add_{name}").sum() for name in adds}
    return _order_figures(rows.group_by("customer_id").agg(first_order_at=first, last_order_at=last, **sums), as_of)


def rhythm(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """The customer's own rhythm: the days with a purchase, the gaps between them, how many of them at a weekend."""
    purchases = purchases_of(tables)
    if purchases is None:
        return None
    dated = purchases.select("customer_id", day=day_of("ordered_at"))
    days = dated.group_by("customer_id", "day").agg(n=nw.len())  # the engine's own `unique` numbers every row
    timezone = timezone_of(purchases, "ordered_at")
    earlier = nw.col("day").shift(1).over("customer_id", order_by="day")
    weekend = nw.when(nw.col("day").dt.weekday().is_in(weekend_of(timezone))).then(nw.col("n")).otherwise(nw.lit(0))
    gaps = days.with_columns(earlier=earlier, at_weekend=weekend)
    gaps = gaps.with_columns(gap=days_between(nw.col("day"), nw.col("earlier")))
    gaps = gaps.with_columns(square=nw.col("gap") * nw.col("gap"))
    sums = {column: nw.col(column).sum() for column in ("n", "at_weekend", "gap", "square")}
    of_each = gaps.group_by("customer_id").agg(n_order_days=nw.len(), last_day=nw.col("day").max(), **sums)
    usual = median(gaps, "gap", "median_gap_days")
    return _rhythm_figures(of_each.join(usual, on="customer_id", how="left"), as_of)


def usual(tables: Mapping[str, nw.LazyFrame], column: str, name: str, share: str) -> nw.LazyFrame | None:
    """The commonest value of an order column per customer, and how sure that is."""
    purchases = purchases_of(tables)
    if purchases is None or column not in purchases.collect_schema():
        return None
    known = purchases.filter(~nw.col(column).is_null())
    return commonest(known.group_by("customer_id", column).agg(n=nw.len()), column, name, share)


def through(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """Through which channels a customer's purchases went, each of the commonest as a share."""
    purchases = purchases_of(tables)
    if purchases is None or "channel" not in purchases.collect_schema():
        return None
    known = purchases.filter(~nw.col("channel").is_null()).select("customer_id", "channel", n=nw.lit(1))
    return _shares(known, "channel", _commonest(known, "channel"), THROUGH).drop("n")


def price_sensitivity(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """How much oftener than others in the same months a customer buys with a discount.

    Held against the others' share, so that it says something of the customer and not of the calendar: whoever buys in a
    month of sales gets a discount like everybody. Against the month and not the day, as a customer who waits for the
    day of the sale minds the price.
    """
    purchases = purchases_of(tables)
    if purchases is None or "discount" not in purchases.collect_schema():
        return None
    month = nw.col("ordered_at").dt.replace_time_zone(None).dt.truncate("1mo")
    monthly = purchases.select("customer_id", month=month, discounted=one_if(nw.col("discount") > 0))
    mine = monthly.group_by("customer_id", "month").agg(n=nw.len(), discounted=nw.col("discounted").sum())
    everybody = mine.group_by("month").agg(all_n=nw.col("n").sum(), all_discounted=nw.col("discounted").sum())
    compared = mine.join(everybody, on="month").filter(nw.col("all_n") > nw.col("n"))
    share_of_others = (nw.col("all_discounted") - nw.col("discounted")) / (nw.col("all_n") - nw.col("n"))
    compared = compared.with_columns(expected=(nw.col("n") * share_of_others * _BILLIONTHS).round(0))
    of_each = compared.group_by("customer_id").agg(
        **{column: nw.col(column).sum() for column in ("n", "discounted", "expected")}
    )
    excess = (nw.col("discounted") - nw.col("expected") / _BILLIONTHS) / nw.col("n")
    return of_each.select("customer_id", price_sensitivity=nw.when(nw.col("n") >= MIN_PURCHASES).then(excess))


def categories(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """What customers buy: categories by spend, how wide the spread, and at which price level within them."""
    lines = _lines_bought(tables, "category")
    if lines is None:
        return None
    adds = [c for c in ("spend", "listed", "typical") if c in lines.collect_schema()]
    known = lines.filter(~nw.col("category").is_null())
    bought = known.group_by("customer_id", "category").agg(n=nw.len(), **{c: nw.col(c).sum() for c in adds})
    shares = _shares(bought, "category", _categories_sold(tables), BOUGHT).rename({"n": "n_lines"})
    # entropy is log2 of the whole less the mean log2 of the parts, here in whole parts of money
    logarithm = nw.when(nw.col("spend") > 0).then(nw.col("spend")).log(2)
    bought = bought.with_columns(less=-nw.col("spend"), term=(nw.col("spend") * logarithm).round(0))
    bought = bought.with_columns(positive=nw.when(nw.col("spend") > 0).then(nw.col("spend")))
    figures = {c: nw.col(c).sum() for c in (*adds, "positive", "term")} | {"most": nw.col("spend").max()}
    top = nw.col("category").first(order_by=["less", "category"])
    of_each = bought.group_by("customer_id").agg(n_categories=nw.len(), top_category=top, **figures)
    return _category_figures(of_each).join(shares, on="customer_id", how="left")


def brands(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """Loyalty to brands: the chance that two different lines of a customer's purchases are of one brand.

    Simpson's unbiased form, the sum of n (n - 1) over N (N - 1) (Simpson 1949, Nature 163:688).
    """
    lines = _lines_bought(tables, "brand")
    if lines is None:
        return None
    counts = lines.filter(~nw.col("brand").is_null()).group_by("customer_id", "brand").agg(n=nw.len())
    counts = counts.with_columns(pairs=nw.col("n") * (nw.col("n") - 1))
    of_each = counts.group_by("customer_id").agg(n=nw.col("n").sum(), pairs=nw.col("pairs").sum())
    chance = nw.col("pairs") / (nw.col("n") * (nw.col("n") - 1))
    return of_each.select("customer_id", brand_loyalty=nw.when(nw.col("n") >= MIN_LINES).then(chance))


def _money_added(placed: nw.LazyFrame, bought: nw.Expr, as_of: date) -> dict[str, nw.Expr]:
    """What an order adds to sums of money."""
    has = set(placed.collect_schema())
    adds = {}
    if "amount" in has:
        amount = money(nw.col("amount"))
        counts = bought | (nw.col("status") == "returned") if "status" in has else bought
        in_half = within_days(placed, "ordered_at", _HALF, as_of)
        in_halves = within_days(placed, "ordered_at", 2 * _HALF, as_of)
        adds = {
            "total_spend": nw.when(counts).then(amount),
            "spend_365d": nw.when(counts & within_days(placed, "ordered_at", 365, as_of)).then(amount),
            "lately": nw.when(counts & in_half).then(amount),
            "before": nw.when(counts & in_halves & ~in_half).then(amount),
            "purchases_spend": nw.when(bought).then(amount),
        }
    if "discount" in has:
        adds["discount"] = nw.when(bought).then(money(nw.col("discount")))
        adds["discounted"] = one_if(bought & (nw.col("discount") > 0))
    return adds


def _order_figures(sums: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Days and ratios from the sums."""
    has = set(sums.collect_schema())
    n, tenure = nw.col("n_orders"), nw.col("tenure_days")
    dated = sums.with_columns(first_order_at=day_of("first_order_at"), last_order_at=day_of("last_order_at"))
    dated = dated.with_columns(
        tenure_days=days_before(as_of, "first_order_at"), recency_days=days_before(as_of, "last_order_at")
    )
    # below a quarter of tenure a rate per year says more about the calendar than about the customer
    figures = {"orders_per_year": nw.when(tenure >= 90).then(n / tenure * 365.25)}
    if "total_spend" in has:
        figures |= {c: nw.col(c) / PARTS for c in ("total_spend", "spend_365d")}
        figures["mean_order_value"] = ratio(nw.col("purchases_spend") / PARTS, n)
        dated = dated.with_columns(**{c: nw.when(nw.col(c) > 0).then(nw.col(c)).otherwise(0) for c in _HALVES})
        lately, before = (nw.col(c) for c in _HALVES)
        figures["spend_trend"] = nw.when(tenure >= 2 * _HALF).then(ratio(lately - before, lately + before))
    if {"purchases_spend", "discount"} <= has:
        figures["discount_share"] = ratio(nw.col("discount"), nw.col("purchases_spend") + nw.col("discount"))
    if "discounted" in has:
        figures["discounted_share"] = ratio(nw.col("discounted"), n)
    if "n_returned" in has:
        figures["return_rate"] = ratio(nw.col("n_returned"), n)
    known = ["first_order_at", "last_order_at", "n_orders", "tenure_days", "recency_days"]
    return dated.with_columns(**figures).select("customer_id", *known, *figures)


_HALVES = ("lately", "before")


def weekend_of(timezone: str) -> list[int]:
    """Days of the weekend, 1 being Monday, in the country of a timezone; Saturday and Sunday where it has none.

    From the Unicode Common Locale Data Repository, supplemental data on weeks and timezones, by way of Babel.

    Examples
    --------
    >>> weekend_of("Asia/Tehran"), weekend_of("Europe/Berlin"), weekend_of("UTC")
    ([5], [6, 7], [6, 7])
    """
    name = get_global("zone_aliases").get(timezone, timezone)
    territory = get_global("zone_territories").get(name, "001")
    try:
        country = Locale.parse(f"und_{territory}")
    except (UnknownLocaleError, ValueError):  # Antarctica has nobody's weekend
        country = Locale.parse("und_001")
    return list(range(country.weekend_start + 1, country.weekend_end + 2))


def _rhythm_figures(sums: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Overdue, irregular, at the weekend: from the sums over the days of each customer."""
    gaps, gap, square = nw.col("n_order_days") - 1, nw.col("gap"), nw.col("square")
    enough = gaps >= MIN_GAPS
    # whole days: the difference is exact, and nothing where all gaps are alike
    deviation = ((gaps * square - gap * gap) / (gaps * (gaps - 1))).sqrt()
    figures = {
        "gap_cv": nw.when(enough).then(deviation * gaps / gap),
        "overdue_ratio": nw.when(enough).then(days_before(as_of, "last_day") / nw.col("median_gap_days")),
        "weekend_share": ratio(nw.col("at_weekend"), nw.col("n")),
    }
    return sums.with_columns(**figures).select("customer_id", "n_order_days", "median_gap_days", *figures)


def _lines_bought(tables: Mapping[str, nw.LazyFrame], of: str) -> nw.LazyFrame | None:
    """Lines of purchases with what is known of their products; None where the base does not have `of`.

    Columns customer_id, category, brand, spend; and what the pieces cost at list price (listed) and at the median of
    their category (typical).
    """
    if not {"order_lines", "products", "orders"} <= tables.keys():
        return None
    lines = tables["order_lines"]
    spend, products = _spend_of_lines(lines), _products(tables["products"])
    if spend is None or of not in products.collect_schema():
        return None
    has, known = set(lines.collect_schema()), products.collect_schema()
    pieces = nw.when(nw.col("quantity") > 0).then(nw.col("quantity")) if "quantity" in has else nw.lit(1)
    lines = lines.select("order_id", "product_id", spend=spend, pieces=pieces)
    buyers = purchases_of(tables).select("order_id", "customer_id")
    bought = lines.join(buyers, on="order_id").join(products, on="product_id")
    priced = {c: nw.col(c) * nw.col("pieces") for c in ("listed", "typical") if c in known}
    kept = [c for c in ("category", "brand") if c in known]
    return bought.select("customer_id", *kept, "spend", **{c: p.round(0) for c, p in priced.items()})


def _commonest(rows: nw.LazyFrame, column: str) -> list[str]:
    """The values of a column that have a share of their own: those with the most rows, in the order of their names."""
    counts = rows.filter(~nw.col(column).is_null()).group_by(column).agg(n=nw.len()).collect("pandas").to_native()
    return sorted(counts.sort_values(["n", column], ascending=[False, True])[column].head(MOST_SHARES))


def _categories_sold(tables: Mapping[str, nw.LazyFrame]) -> list[str]:
    """The categories with the most lines; where there are few, all, without counting the lines."""
    products = tables["products"].select("product_id", "category")
    few = _commonest(products, "category")
    return (
        few if len(few) < MOST_SHARES else _commonest(tables["order_lines"].join(products, on="product_id"), "category")
    )


def _shares(counts: nw.LazyFrame, column: str, values: list[str], prefix: str) -> nw.LazyFrame:
    """Per customer the sum of n, and the share of each value in it."""
    own = {prefix + value: nw.when(nw.col(column) == value).then(nw.col("n")).otherwise(0) for value in values}
    rows = counts.select("customer_id", "n", **own)
    sums = rows.group_by("customer_id").agg(*(nw.col(c).sum() for c in ("n", *own)))
    return sums.with_columns(**{c: ratio(nw.col(c), nw.col("n")) for c in own}) if own else sums


def _spend_of_lines(lines: nw.LazyFrame) -> nw.Expr | None:
    """What a line costs the customer, in whole parts of money; None where lines do not say."""
    has = set(lines.collect_schema())
    if "product_id" not in has:
        return None
    if "amount" in has:
        return money(nw.col("amount"))
    if {"quantity", "unit_price"} <= has:
        discount = nw.col("discount").fill_null(0) if "discount" in has else nw.lit(0)
        return money(nw.col("quantity") * nw.col("unit_price") - discount)
    return None


def _products(products: nw.LazyFrame) -> nw.LazyFrame:
    """Products with category and brand and, as money, their list price and the median one of their category."""
    has = set(products.collect_schema())
    known = products.select("product_id", *(c for c in ("category", "brand", "price") if c in has))
    if not {"category", "price"} <= has:
        return known
    medians = known.filter(~nw.col("category").is_null()).group_by("category").agg(middle=nw.col("price").median())
    priced = known.join(medians, on="category", how="left").filter(~nw.col("product_id").is_null())
    both = (nw.col("price") > 0) & (nw.col("middle") > 0)
    listed, typical = (nw.when(both).then(nw.col(c) * PARTS) for c in ("price", "middle"))
    return priced.with_columns(listed=listed, typical=typical).drop("price", "middle")


def _category_figures(sums: nw.LazyFrame) -> nw.LazyFrame:
    """Shares, entropy in bits and price level from the sums over the categories of each customer."""
    positive = nw.col("positive")
    logarithm = nw.when(positive > 0).then(positive).log(2)
    figures = {
        "top_category_share": ratio(nw.col("most"), nw.col("spend")),
        "category_entropy": ratio((positive * logarithm).round(0) - nw.col("term"), positive),
    }
    if "listed" in sums.collect_schema():
        figures["quality_over_price"] = ratio(nw.col("listed"), nw.col("typical"))
    return sums.with_columns(**figures).select("customer_id", "n_categories", "top_category", *figures)
