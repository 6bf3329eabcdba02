"""Events of any number; their funnel by the package, and the same by one query written by hand.

The file is made by the engine from hashes of row numbers: the same number of events gives the same file. Every function
that is measured takes the file, and runs in a process of its own.
"""

import time

import duckdb

from analysis import journeys

from .fresh import peak_bytes

STEPS = ("visit", "view", "cart", "checkout", "order")
WINDOW_DAYS = 30
EVENTS_PER_CUSTOMER = 20

# Ten events, the earlier the commoner; every customer uses one channel; the events stand by time, as a log has them.
_EVENTS = f"""
SELECT
    format('C{{:08d}}', CAST(hash(range, 7) % ($n // {EVENTS_PER_CUSTOMER}) AS BIGINT)) AS customer_id,
    TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_microseconds(
        CAST((range + hash(range, 5) % 1000) / $n * 365 * 86400 * 1e6 AS BIGINT)) AS occurred_at,
    ['visit', 'view', 'cart', 'checkout', 'order', 'email', 'search', 'return', 'call', 'review'][
        1 + CAST(floor(10 * pow(hash(range, 3) % 1000003 / 1000003.0, 1.7)) AS INTEGER)] AS event,
    ['web', 'app', 'branch', 'phone'][1 + CAST(hash(range, 7) % 4 AS INTEGER)] AS channel
FROM range($n)
"""


def write(file: str, n: int) -> None:
    """The file of so many events."""
    with duckdb.connect() as db:
        db.execute(f"COPY ({_EVENTS.replace('$n', str(int(n)))}) TO '{file}' (FORMAT parquet)")


def by_package(file: str, split: bool) -> dict[str, float]:
    """The funnel, or with `split` that of each channel."""
    with duckdb.connect() as db:
        events = db.read_parquet(file)
        started, processor = time.perf_counter(), time.process_time()
        if split:
            table = journeys.compare_funnels(events, STEPS, "channel", window_days=WINDOW_DAYS)
        else:
            table = journeys.funnel(events, STEPS, WINDOW_DAYS)
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
    entered = {f"entered {i}": int(n) for i, n in enumerate(table.groupby("step", sort=False)["entered"].sum())}
    return {"seconds": seconds, "processor": processor, "peak": peak_bytes(), **entered}


def by_hand(file: str, split: bool, joins: str) -> dict[str, float]:
    """The same counts, with the median and 90th percentile of the time to convert, by one query."""
    query = _QUERIES[joins](file, split)
    with duckdb.connect() as db:
        started, processor = time.perf_counter(), time.process_time()
        rows = db.sql(query).fetchall()
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
    entered = {f"entered {i}": sum(row[i] for row in rows) for i in range(len(STEPS))}
    return {"seconds": seconds, "processor": processor, "peak": peak_bytes(), **entered}


def _entering(file: str, split: bool) -> str:
    channel = ", arg_min(channel, occurred_at) AS channel" if split else ""
    return f"""WITH events AS (FROM read_parquet('{file}')), s0 AS (
        SELECT customer_id, min(occurred_at) AS t0{channel} FROM events WHERE event = 'visit' GROUP BY ALL)"""


def _counting(split: bool) -> str:
    days = (f"quantile_cont(epoch_us(t{i}) - epoch_us(t{i - 1}), [0.5, 0.9])" for i in range(1, len(STEPS)))
    counts = (f"count(t{i})" for i in range(len(STEPS)))
    return f"SELECT {', '.join([*counts, *days])} FROM s{len(STEPS) - 1}" + (" GROUP BY channel" if split else "")


def _by_asof_joins(file: str, split: bool) -> str:
    steps = (
        f""", s{i} AS (SELECT s{i - 1}.*, CASE WHEN occurred_at <= t0 + INTERVAL {WINDOW_DAYS} DAY THEN occurred_at END
            AS t{i} FROM s{i - 1} ASOF LEFT JOIN (SELECT customer_id, occurred_at FROM events WHERE event = '{step}') x
            ON s{i - 1}.customer_id = x.customer_id AND x.occurred_at >= t{i - 1})"""
        for i, step in enumerate(STEPS[1:], start=1)
    )
    return _entering(file, split) + "".join(steps) + _counting(split)


def _by_joins(file: str, split: bool) -> str:
    known = "any_value(channel) AS channel, " if split else ""
    steps = (
        f""", s{i} AS (SELECT s{i - 1}.customer_id, {known}{"".join(f"any_value(t{j}) AS t{j}, " for j in range(i))}
            min(CASE WHEN occurred_at >= t{i - 1} AND occurred_at <= t0 + INTERVAL {WINDOW_DAYS} DAY
            THEN occurred_at END) AS t{i} FROM s{i - 1} LEFT JOIN (
            SELECT customer_id, occurred_at FROM events WHERE event = '{step}') x
            ON s{i - 1}.customer_id = x.customer_id GROUP BY s{i - 1}.customer_id)"""
        for i, step in enumerate(STEPS[1:], start=1)
    )
    return _entering(file, split) + "".join(steps) + _counting(split)


_QUERIES = {"as-of joins": _by_asof_joins, "joins": _by_joins}
