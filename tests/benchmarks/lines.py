"""A customer base of any number of order lines; its profiles by the package, and the same by one query written by hand.

The files are made by the engine from hashes of row numbers: the same number of lines gives the same files. Every
function that is measured takes the folder of the files, and runs in a process of its own.
"""

import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import profiles, run, sources

from .fresh import peak_bytes

#: Lines per order and per customer, on average: about ten orders of a customer in three years.
LINES_PER_ORDER, LINES_PER_CUSTOMER = 3, 30

PRODUCTS, CATEGORIES, BRANDS = 5_000, 20, 60

#: Price of a product by its number, the same in the list and on the lines.
_PRICE = "round(exp(3 * (hash({}, 2) % 1000003 / 1000003.0)) * 40, 2)"

TIMEZONE = "Asia/Tehran"

MAPPING = f"""
name = "lines"
timezone = "{TIMEZONE}"
currency = "toman"
[tables.order_lines]
path = "order_lines.parquet"
columns = "canonical"
[tables.products]
path = "products.parquet"
columns = "canonical"
"""

# Customers come in hundreds: an order falls into each hundred alike, and within it by the cube of a uniform number, so
# that the best customer has about two hundred orders and the ordinary one six, whatever the size of the base. One order
# in fifty is given back, three in ten have a discount. Orders stand by time and the lines of one order together, as a
# shop exports them.
_LINES = f"""
WITH numbered AS (
    SELECT range AS number, hash(range) / 18446744073709551616.0 AS u, hash(range, 1) % 1000003 / 1000003.0 AS v,
        hash(range, 2) % 1000003 / 1000003.0 AS w, hash(range, 3) AS h
    FROM range($orders)
), orders AS (
    SELECT
        format('O{{:010d}}', number) AS order_id,
        100 * CAST(floor(u * $hundreds) AS BIGINT) + CAST(floor(100 * v * v * v) AS BIGINT) AS customer,
        TIMESTAMPTZ '2021-03-21 00:00:00+03:30'
            + to_seconds(CAST(floor((number + u) / $orders * 3 * 365 * 86400) AS BIGINT)) AS ordered_at,
        ['web', 'shop', 'app', 'phone'][1 + CAST(floor(4 * w * w) AS INTEGER)] AS channel,
        ['card', 'gateway', 'cash'][1 + CAST(floor(3 * v * w) AS INTEGER)] AS payment_method,
        CASE WHEN h % 50 = 0 THEN -1 ELSE 1 END AS sign,
        CASE WHEN h % 10 < 3 AND h % 50 > 0 THEN 0.1 ELSE 0 END AS rebate,
        unnest(range(1 + CAST(h % {2 * LINES_PER_ORDER - 1} AS BIGINT))) AS line,
        h
    FROM numbered
), lines AS (
    SELECT *,
        CAST({PRODUCTS - 1} * power(hash(h, line) % 1000003 / 1000003.0, 2) AS BIGINT) AS product,
        sign * (1 + CAST(hash(h, line, 1) % 10 AS BIGINT) // 8) AS quantity
    FROM orders
), priced AS (
    SELECT *, {_PRICE.format("product")} AS unit_price FROM lines
)
SELECT
    order_id,
    format('C{{:08d}}', customer) AS customer_id,
    ordered_at,
    channel,
    payment_method,
    format('P{{:05d}}', product) AS product_id,
    quantity,
    unit_price,
    round(quantity * unit_price * rebate, 2) AS discount,
    round(quantity * unit_price * (1 - rebate), 2) AS amount
FROM priced
"""

_PRODUCTS = f"""
SELECT format('P{{:05d}}', range) AS product_id, format('category {{:02d}}', hash(range) % {CATEGORIES}) AS category,
    format('brand {{:02d}}', hash(range, 1) % {BRANDS}) AS brand, {_PRICE.format("range")} AS price
FROM range({PRODUCTS})
"""

# What somebody who knows the files and SQL well would write for just these columns: nothing is checked, counted or set
# aside. Money is added up in whole ten-thousandths, as the profiles do.
_BY_HAND = """
WITH lines AS NOT MATERIALIZED (
    FROM read_parquet($order_lines)
), orders AS MATERIALIZED (
    SELECT order_id, min(customer_id) AS customer_id, min(ordered_at) AS ordered_at, min(channel) AS channel,
        min(payment_method) AS payment_method,
        CAST(sum(CAST(round(amount * 10000) AS BIGINT)) AS BIGINT) AS parts,
        CAST(sum(CAST(round(discount * 10000) AS BIGINT)) AS BIGINT) AS discount
    FROM lines GROUP BY order_id
), today AS (
    SELECT CAST(max(ordered_at) AS DATE) AS as_of FROM orders
), figures AS (
    SELECT customer_id,
        CAST(min(ordered_at) FILTER (parts >= 0) AS DATE) AS first_day,
        CAST(max(ordered_at) FILTER (parts >= 0) AS DATE) AS last_day,
        count(*) FILTER (parts >= 0) AS n_orders,
        count(*) FILTER (parts < 0) AS n_returned,
        sum(parts) AS spend,
        sum(parts) FILTER (ordered_at >= CAST(as_of - 364 AS TIMESTAMPTZ)) AS spend_365d,
        greatest(sum(parts) FILTER (ordered_at >= CAST(as_of - 181 AS TIMESTAMPTZ)), 0) AS lately,
        greatest(sum(parts) FILTER (ordered_at >= CAST(as_of - 363 AS TIMESTAMPTZ)
            AND ordered_at < CAST(as_of - 181 AS TIMESTAMPTZ)), 0) AS before,
        sum(parts) FILTER (parts >= 0) AS purchases,
        sum(discount) FILTER (parts >= 0) AS discount
    FROM orders, today GROUP BY customer_id
), days AS MATERIALIZED (
    SELECT customer_id, CAST(ordered_at AS DATE) AS day, count(*) AS n, count(*) FILTER (discount > 0) AS discounted
    FROM orders WHERE parts >= 0 GROUP BY ALL
), gaps AS (
    SELECT *, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days
), rhythm AS (
    SELECT customer_id, count(*) AS n_order_days, median(gap) AS median_gap_days, stddev_samp(gap) / avg(gap) AS gap_cv,
        sum(n) FILTER (isodow(day) = 5) / sum(n) AS weekend_share
    FROM gaps GROUP BY customer_id
), by_month AS (
    SELECT customer_id, date_trunc('month', day) AS month, sum(n) AS n, sum(discounted) AS discounted
    FROM days GROUP BY ALL
), months AS (
    SELECT month, sum(n) AS all_n, sum(discounted) AS all_discounted FROM by_month GROUP BY month
), sensitivity AS (
    SELECT customer_id, CASE WHEN sum(n) >= 3 THEN
        (sum(discounted) - sum(n * (all_discounted - discounted) / (all_n - n))) / sum(n) END AS price_sensitivity
    FROM by_month JOIN months USING (month) WHERE all_n > n GROUP BY customer_id
), by_channel AS (
    SELECT customer_id, channel, count(*) AS n FROM orders WHERE parts >= 0 AND channel IS NOT NULL GROUP BY ALL
), channels AS (
    SELECT customer_id, min_by(channel, (-n, channel)) AS used_channel, max(n) / sum(n) AS used_channel_share
    FROM by_channel GROUP BY customer_id
), by_method AS (
    SELECT customer_id, payment_method, count(*) AS n FROM orders
    WHERE parts >= 0 AND payment_method IS NOT NULL GROUP BY ALL
), methods AS (
    SELECT customer_id, min_by(payment_method, (-n, payment_method)) AS usual_payment_method,
        max(n) / sum(n) AS payment_certainty
    FROM by_method GROUP BY customer_id
), products AS (
    SELECT product_id, category, brand, price, median(price) OVER (PARTITION BY category) AS middle
    FROM read_parquet($products)
), bought AS NOT MATERIALIZED (
    SELECT o.customer_id, l.amount, l.quantity, p.* FROM lines AS l JOIN orders AS o USING (order_id)
    JOIN products AS p USING (product_id) WHERE parts >= 0
), by_category AS (
    SELECT customer_id, category, sum(CAST(round(amount * 10000) AS BIGINT)) AS spend,
        sum(price * quantity) FILTER (quantity > 0) AS listed, sum(middle * quantity) FILTER (quantity > 0) AS typical
    FROM bought WHERE category IS NOT NULL GROUP BY ALL
), categories AS (
    SELECT customer_id, count(*) AS n_categories, min_by(category, (-spend, category)) AS top_category,
        CASE WHEN sum(spend) > 0 THEN max(spend) / sum(spend) END AS top_category_share,
        (round(sum(spend) FILTER (spend > 0) * log2(sum(spend) FILTER (spend > 0)))
            - sum(round(spend * log2(spend))) FILTER (spend > 0)) / sum(spend) FILTER (spend > 0) AS category_entropy,
        sum(listed) / sum(typical) AS quality_over_price
    FROM by_category GROUP BY customer_id
), by_brand AS (
    SELECT customer_id, brand, count(*) AS n FROM bought WHERE brand IS NOT NULL GROUP BY ALL
), brands AS (
    SELECT customer_id,
        CASE WHEN sum(n) >= 3 THEN sum(n * (n - 1)) / (sum(n) * (sum(n) - 1)) END AS brand_loyalty
    FROM by_brand GROUP BY customer_id
)
SELECT customer_id,
    CAST(first_day AS TIMESTAMP) AS first_order_at,
    CAST(last_day AS TIMESTAMP) AS last_order_at,
    as_of - first_day AS tenure_days,
    as_of - last_day AS recency_days,
    n_orders,
    coalesce(n_order_days, 0) AS n_order_days,
    CASE WHEN as_of - first_day >= 90 THEN n_orders / (as_of - first_day) * 365.25 END AS orders_per_year,
    coalesce(spend, 0) / 10000 AS total_spend,
    coalesce(f.spend_365d, 0) / 10000 AS spend_365d,
    CASE WHEN as_of - first_day >= 364 THEN
        (coalesce(lately, 0) - coalesce(before, 0)) / nullif(coalesce(lately, 0) + coalesce(before, 0), 0)
    END AS spend_trend,
    purchases / 10000 / nullif(n_orders, 0) AS mean_order_value,
    median_gap_days,
    CASE WHEN n_order_days > 3 THEN gap_cv END AS gap_cv,
    CASE WHEN n_order_days > 3 THEN (as_of - last_day) / median_gap_days END AS overdue_ratio,
    CASE WHEN n_order_days > 0 THEN coalesce(weekend_share, 0) END AS weekend_share,
    f.discount / nullif(purchases + f.discount, 0) AS discount_share,
    n_returned / nullif(n_orders, 0) AS return_rate,
    used_channel,
    used_channel_share,
    usual_payment_method,
    payment_certainty,
    coalesce(n_categories, 0) AS n_categories,
    top_category,
    top_category_share,
    category_entropy,
    price_sensitivity,
    quality_over_price,
    brand_loyalty
FROM figures AS f CROSS JOIN today
LEFT JOIN rhythm USING (customer_id) LEFT JOIN channels USING (customer_id) LEFT JOIN methods USING (customer_id)
LEFT JOIN categories USING (customer_id) LEFT JOIN sensitivity USING (customer_id) LEFT JOIN brands USING (customer_id)
ORDER BY customer_id
"""


def write(folder: str, rows: int) -> None:
    """Write the files and the mapping of a base with about so many order lines."""
    db = sources.connect(TIMEZONE)
    size = {"orders": rows // LINES_PER_ORDER, "hundreds": rows // LINES_PER_CUSTOMER // 100}
    select = _LINES.replace("$orders", str(size["orders"])).replace("$hundreds", str(size["hundreds"]))
    for name, statement in (("order_lines", select), ("products", _PRODUCTS)):
        db.execute(f"COPY ({statement}) TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    Path(folder, "lines.toml").write_text(MAPPING, encoding="utf-8")


def by_package(folder: str) -> dict[str, float]:
    """Seconds of reading the base and of building its profiles, by the clock and of the processor."""
    started, processor = time.perf_counter(), time.process_time()
    base = sources.read(f"{folder}/lines.toml")
    read = time.perf_counter()
    table = profiles.build(base)
    built = time.perf_counter()
    figures = {"read": read - started, "profiles": built - read, "both": built - started}
    figures |= {"processor": time.process_time() - processor, "peak": peak_bytes()}
    table.to_parquet(f"{folder}/by_package.parquet")
    return figures


def by_hand(folder: str) -> dict[str, float]:
    """Seconds of the same columns by one query over the same files, in an engine set up alike."""
    started, processor = time.perf_counter(), time.process_time()
    db = sources.connect(TIMEZONE)
    files = {"order_lines": f"{folder}/order_lines.parquet", "products": f"{folder}/products.parquet"}
    table = db.execute(_BY_HAND, files).df()
    figures = {"both": time.perf_counter() - started, "processor": time.process_time() - processor}
    figures["peak"] = peak_bytes()
    table.to_parquet(f"{folder}/by_hand.parquet")
    return figures


def by_pandas(folder: str) -> dict[str, float]:
    """Seconds of the same columns by pandas over the same files, whole columns at a time and no Python loop."""
    started, processor = time.perf_counter(), time.process_time()
    lines = pd.read_parquet(f"{folder}/order_lines.parquet")
    products = pd.read_parquet(f"{folder}/products.parquet")
    orders = _orders_in_pandas(lines)
    bought = orders[orders["amount"] >= 0].reset_index()
    as_of = orders["day"].max()
    parts = [
        _spend_in_pandas(orders, bought, as_of),
        _rhythm_in_pandas(bought, as_of),
        _commonest_in_pandas(bought.value_counts(["customer_id", "channel"]), "used_channel", "used_channel_share"),
        _commonest_in_pandas(
            bought.value_counts(["customer_id", "payment_method"]), "usual_payment_method", "payment_certainty"
        ),
        *_lines_in_pandas(lines, products, bought),
        _sensitivity_in_pandas(bought),
    ]
    table = pd.concat(parts, axis=1).sort_index()
    counts = ["n_orders", "n_order_days", "n_categories"]
    table[counts] = table[counts].fillna(0).astype("int64")
    figures = {"both": time.perf_counter() - started, "processor": time.process_time() - processor}
    figures["peak"] = peak_bytes()
    table.rename_axis("customer_id").reset_index().to_parquet(f"{folder}/by_pandas.parquet")
    return figures


def preparing(folder: str) -> dict[str, float]:
    """Seconds of reading the base into a run folder."""
    started = time.perf_counter()
    run.prepare(f"{folder}/lines.toml", out=Path(folder, "run"))
    figures = {"prepare": time.perf_counter() - started, "peak": peak_bytes()}
    shutil.rmtree(Path(folder, "run"))
    return figures


def compare(folder: str, side: str = "by_hand") -> None:
    """Stop unless the package and another side have left the same columns, customers and figures."""
    package, other = (pd.read_parquet(f"{folder}/{name}.parquet") for name in ("by_package", side))
    assert {*package} == {*other}, f"columns differ: {sorted({*package} ^ {*other})}"
    assert len(package) == len(other), f"{len(package):,} customers by the package, {len(other):,} {side}"
    for column in package:
        if pd.api.types.is_numeric_dtype(package[column]):
            numbers = [table[column].to_numpy(dtype=float, na_value=np.nan) for table in (package, other)]
            np.testing.assert_allclose(*numbers, rtol=1e-9, atol=_LOOSELY.get(column, 1e-9), err_msg=column)
        else:
            pd.testing.assert_series_equal(package[column], other[column], check_dtype=False)


#: Bits by which the entropy of a small spend may differ: the terms of the others are not rounded, or not by this log2.
_LOOSELY = {"category_entropy": 1e-4}


def _orders_in_pandas(lines: pd.DataFrame) -> pd.DataFrame:
    first = {column: (column, "first") for column in ("customer_id", "ordered_at", "channel", "payment_method")}
    sums = {"amount": ("amount", "sum"), "discount": ("discount", "sum")}
    orders = lines.groupby("order_id", sort=False).agg(**first, **sums)
    orders["ordered_at"] = orders["ordered_at"].dt.tz_convert(TIMEZONE)
    return orders.assign(day=orders["ordered_at"].dt.tz_localize(None).dt.normalize())


def _spend_in_pandas(orders: pd.DataFrame, bought: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    ago = (as_of - orders["day"]).dt.days
    of_all, of_bought = orders.groupby("customer_id"), bought.groupby("customer_id")
    of_stretch = {
        name: orders["amount"].where((ago >= newest) & (ago < oldest), 0).groupby(orders["customer_id"]).sum()
        for name, newest, oldest in (("year", 0, 365), ("lately", 0, 182), ("before", 182, 364))
    }
    first, last, n = of_bought["day"].min(), of_bought["day"].max(), of_bought.size()
    tenure, paid, discount = (as_of - first).dt.days, of_bought["amount"].sum(), of_bought["discount"].sum()
    lately, before = of_stretch["lately"].clip(lower=0), of_stretch["before"].clip(lower=0)
    trend = ((lately - before) / (lately + before)).where(lately + before > 0)
    figures = {
        "first_order_at": first,
        "last_order_at": last,
        "tenure_days": tenure,
        "recency_days": (as_of - last).dt.days,
        "n_orders": n,
        "orders_per_year": (n / tenure * 365.25).where(tenure >= 90),
        "total_spend": of_all["amount"].sum(),
        "spend_365d": of_stretch["year"],
        "spend_trend": trend[tenure[tenure >= 364].index],
        "mean_order_value": paid / n,
        "discount_share": discount / (paid + discount),
        "return_rate": (orders["amount"] < 0).groupby(orders["customer_id"]).sum().reindex(n.index) / n,
    }
    return pd.DataFrame(figures)


def _rhythm_in_pandas(bought: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    days = bought[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    days["gap"] = days["day"].diff().dt.days.where(days["customer_id"] == days["customer_id"].shift())
    of_days = days.groupby("customer_id")
    n, gap = of_days.size(), of_days["gap"]
    usual = gap.median()
    figures = {
        "n_order_days": n,
        "median_gap_days": usual,
        "gap_cv": (gap.std() / gap.mean()).where(n > 3),
        "overdue_ratio": ((as_of - of_days["day"].max()).dt.days / usual).where(n > 3),
        "weekend_share": (bought["day"].dt.dayofweek == 4).groupby(bought["customer_id"]).mean(),
    }
    return pd.DataFrame(figures)


def _commonest_in_pandas(counts: pd.Series, name: str, share: str) -> pd.DataFrame:
    """The value with the highest count and its share, by counts indexed by customer and value."""
    column = counts.index.names[1]
    ranked = counts.rename("n").reset_index().sort_values(["customer_id", "n", column], ascending=[True, False, True])
    best, total = ranked.drop_duplicates("customer_id").set_index("customer_id"), counts.groupby(level=0).sum()
    return pd.DataFrame({name: best[column], share: best["n"] / total.where(total > 0)})


def _lines_in_pandas(lines: pd.DataFrame, products: pd.DataFrame, bought: pd.DataFrame) -> list[pd.DataFrame]:
    products = products.assign(middle=products.groupby("category")["price"].transform("median"))
    known = lines[["order_id", "product_id", "quantity", "amount"]].merge(products, on="product_id")
    known = known.merge(bought[["order_id", "customer_id"]], on="order_id")
    spend = known.groupby(["customer_id", "category"])["amount"].sum()
    positive = spend[spend > 0]
    share = positive / positive.groupby(level=0).transform("sum")
    pieces, who = known["quantity"].clip(lower=0), known["customer_id"]
    brands = known.value_counts(["customer_id", "brand"])
    pairs, n = (brands * (brands - 1)).groupby(level=0).sum(), brands.groupby(level=0).sum()
    figures = {
        "n_categories": spend.groupby(level=0).size(),
        "category_entropy": (-share * np.log2(share)).groupby(level=0).sum(),
        "quality_over_price": (known["price"] * pieces).groupby(who).sum()
        / (known["middle"] * pieces).groupby(who).sum(),
        "brand_loyalty": (pairs / (n * (n - 1))).where(n >= 3),
    }
    return [_commonest_in_pandas(spend.round(4), "top_category", "top_category_share"), pd.DataFrame(figures)]


def _sensitivity_in_pandas(bought: pd.DataFrame) -> pd.DataFrame:
    month = bought["day"].dt.to_period("M")
    mine = (bought["discount"] > 0).groupby([bought["customer_id"], month]).agg(["size", "sum"])
    others = mine.groupby(level=1).transform("sum") - mine
    mine["expected"] = mine["size"] * others["sum"] / others["size"]
    of_each = mine[others["size"] > 0].groupby(level=0).sum()
    excess = (of_each["sum"] - of_each["expected"]) / of_each["size"]
    return pd.DataFrame({"price_sensitivity": excess.where(of_each["size"] >= 3)})
