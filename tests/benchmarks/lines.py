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

PRODUCTS, CATEGORIES = 5_000, 20

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
# in fifty is given back. Orders stand by time and the lines of one order together, as a shop exports them.
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
        CASE WHEN h % 50 = 0 THEN -1 ELSE 1 END AS sign,
        unnest(range(1 + CAST(h % {2 * LINES_PER_ORDER - 1} AS BIGINT))) AS line,
        h
    FROM numbered
)
SELECT
    order_id,
    format('C{{:08d}}', customer) AS customer_id,
    ordered_at,
    channel,
    format('P{{:05d}}', CAST({PRODUCTS - 1} * power(hash(h, line) % 1000003 / 1000003.0, 2) AS BIGINT)) AS product_id,
    sign * round(exp(3 * (hash(h, line, 1) % 1000003 / 1000003.0)) * 40, 2) AS amount
FROM orders
"""

_PRODUCTS = f"""
SELECT format('P{{:05d}}', range) AS product_id, format('category {{:02d}}', hash(range) % {CATEGORIES}) AS category
FROM range({PRODUCTS})
"""

# What somebody who knows the files and SQL well would write for just these columns: nothing is checked, counted or set
# aside. Money is added up in whole ten-thousandths, as the profiles do.
_BY_HAND = """
WITH lines AS NOT MATERIALIZED (
    FROM read_parquet($order_lines)
), orders AS MATERIALIZED (
    SELECT order_id, min(customer_id) AS customer_id, min(ordered_at) AS ordered_at, min(channel) AS channel,
        CAST(sum(CAST(round(amount * 10000) AS BIGINT)) AS BIGINT) AS parts
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
        sum(parts) FILTER (parts >= 0) AS purchases
    FROM orders, today GROUP BY customer_id
), days AS (
    SELECT DISTINCT customer_id, CAST(ordered_at AS DATE) AS day FROM orders WHERE parts >= 0
), gaps AS (
    SELECT customer_id, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days
), rhythm AS (
    SELECT customer_id, count(*) AS n_order_days, median(gap) AS median_gap_days FROM gaps GROUP BY customer_id
), by_channel AS (
    SELECT customer_id, channel, count(*) AS n FROM orders WHERE parts >= 0 AND channel IS NOT NULL GROUP BY ALL
), channels AS (
    SELECT customer_id, min_by(channel, (-n, channel)) AS used_channel, max(n) / sum(n) AS used_channel_share
    FROM by_channel GROUP BY customer_id
), by_category AS (
    SELECT o.customer_id, category, sum(CAST(round(l.amount * 10000) AS BIGINT)) AS spend
    FROM lines AS l JOIN orders AS o USING (order_id) JOIN read_parquet($products) AS p USING (product_id)
    WHERE parts >= 0 AND category IS NOT NULL GROUP BY ALL
), categories AS (
    SELECT customer_id, count(*) AS n_categories, min_by(category, (-spend, category)) AS top_category,
        CASE WHEN sum(spend) > 0 THEN max(spend) / sum(spend) END AS top_category_share
    FROM by_category GROUP BY customer_id
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
    purchases / 10000 / nullif(n_orders, 0) AS mean_order_value,
    median_gap_days,
    CASE WHEN n_order_days > 3 THEN (as_of - last_day) / median_gap_days END AS overdue_ratio,
    n_returned / nullif(n_orders, 0) AS return_rate,
    used_channel,
    used_channel_share,
    coalesce(n_categories, 0) AS n_categories,
    top_category,
    top_category_share
FROM figures AS f CROSS JOIN today
LEFT JOIN rhythm USING (customer_id) LEFT JOIN channels USING (customer_id) LEFT JOIN categories USING (customer_id)
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


def preparing(folder: str) -> dict[str, float]:
    """Seconds of reading the base into a run folder."""
    started = time.perf_counter()
    run.prepare(f"{folder}/lines.toml", out=Path(folder, "run"))
    figures = {"prepare": time.perf_counter() - started, "peak": peak_bytes()}
    shutil.rmtree(Path(folder, "run"))
    return figures


def compare(folder: str) -> None:
    """Stop unless both sides have left the same columns, customers and figures."""
    package, hand = (pd.read_parquet(f"{folder}/{side}.parquet") for side in ("by_package", "by_hand"))
    assert list(package) == list(hand), f"columns differ: {sorted({*package} ^ {*hand})}"
    assert len(package) == len(hand), f"{len(package):,} customers by the package, {len(hand):,} by hand"
    for column in package:
        if pd.api.types.is_numeric_dtype(package[column]):
            numbers = [side[column].to_numpy(dtype=float, na_value=np.nan) for side in (package, hand)]
            np.testing.assert_allclose(*numbers, rtol=1e-9, err_msg=column)
        else:
            pd.testing.assert_series_equal(package[column], hand[column], check_dtype=False)
