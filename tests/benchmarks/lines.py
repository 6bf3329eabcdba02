"""A customer base of any number of order lines, its profiles by the package, and the same by one query written by hand.

The files are made by the engine from hashes of row numbers, so that the same number of lines gives the same files. Every
function that is measured takes the folder of the files and runs in a process of its own.
"""

import time
from pathlib import Path

import duckdb
import pandas as pd

from tests.benchmarks.fresh import peak_bytes

#: Lines per order and per customer, on average; a customer orders about ten times in the three years.
LINES_PER_ORDER, LINES_PER_CUSTOMER = 3, 30

PRODUCTS, CATEGORIES = 5_000, 20

MAPPING = """
name = "lines"
timezone = "Asia/Tehran"
currency = "toman"
[tables.order_lines]
path = "order_lines.parquet"
columns = "canonical"
[tables.products]
path = "products.parquet"
columns = "canonical"
"""

# Customers come in hundreds: an order falls into any hundred alike, and within it by the cube of a uniform number, so
# that the best customer has about 200 orders and the ordinary one three, whatever the size of the base. An order in fifty
# is given back. Lines of an order stand together and orders by time, as in the export of a shop.
_LINES = f"""
COPY (
    WITH numbered AS (
        SELECT range AS number, (hash(range, seed) / 18446744073709551616.0) AS u, hash(range, seed + 1) AS h
        FROM range($orders), (SELECT 20260320 AS seed)
    ), orders AS (
        SELECT
            number,
            format('O{{:010d}}', number) AS order_id,
            format('C{{:08d}}', 100 * CAST(floor(u * $hundreds) AS BIGINT)
                + CAST(floor(100 * power(h % 1000003 / 1000003.0, 3)) AS BIGINT)) AS customer_id,
            TIMESTAMPTZ '2021-03-21 00:00:00+03:30' + to_microseconds(
                CAST(floor((number + u) / $orders * 3 * 365 * 86400) * 1000000 AS BIGINT)) AS ordered_at,
            ['web', 'shop', 'app', 'phone'][1 + CAST(floor(4 * power(h % 10007 / 10007.0, 2)) AS INTEGER)] AS channel,
            CASE WHEN h % 50 = 0 THEN -1 ELSE 1 END AS sign,
            1 + h % {2 * LINES_PER_ORDER - 1} AS n_lines
        FROM numbered
    ), lines AS (
        SELECT *, unnest(range(n_lines)) AS line, hash(number, line) AS g FROM orders
    )
    SELECT
        order_id,
        customer_id,
        ordered_at,
        channel,
        format('P{{:05d}}', CAST(floor({PRODUCTS} * power(g % 1000003 / 1000003.0, 2)) AS BIGINT)) AS product_id,
        sign * CAST(100 + exp(3 * (g % 999983) / 999983.0) * 4000 AS BIGINT) / 100 AS amount
    FROM lines
) TO '{{file}}' (FORMAT parquet, COMPRESSION zstd)
"""

_PRODUCTS = f"""
COPY (
    SELECT format('P{{:05d}}', range) AS product_id, format('category {{:02d}}', hash(range) % {CATEGORIES}) AS category
    FROM range({PRODUCTS})
) TO '{{file}}' (FORMAT parquet)
"""
