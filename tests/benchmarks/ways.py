"""What customers do next, over any number of events: by the package, and by one query written by hand.

The file is made by the engine from hashes of row numbers: twenty events per customer over two years, of fourteen kinds,
the commonest a quarter of all. Every function that is measured takes the folder of the file, and runs in a process of
its own.
"""

import time
from pathlib import Path

import pandas as pd

from analysis import journeys, sources

from .fresh import peak_bytes

EVENTS_PER_CUSTOMER, KINDS = 20, 14

_EVENTS = f"""
SELECT
    format('C{{:08d}}', CAST(hash(range) % $customers AS BIGINT)) AS customer_id,
    TIMESTAMPTZ '2024-03-20 00:00:00+03:30'
        + to_microseconds(CAST(hash(range, 1) % (2 * 365 * 86_400_000_000) AS BIGINT)) AS occurred_at,
    'event ' || CAST(floor({KINDS} * power(hash(range, 2) % 1000003 / 1000003.0, 2)) AS INTEGER) AS event
FROM range($rows)
"""

# What somebody who knows that no event is there twice would write; the package does not know it, gives each share its
# interval, and how often each event is a customer's first.
_BY_HAND = """
SELECT source, coalesce(target, '(end)') AS target, count(*) AS n FROM (
    SELECT event AS source, lead(event) OVER (PARTITION BY customer_id ORDER BY occurred_at, event) AS target
    FROM read_parquet('{file}')
) GROUP BY ALL ORDER BY n DESC, source, target
"""


def write(folder: str, rows: int) -> dict[str, float]:
    """Write so many events."""
    query = _EVENTS.replace("$customers", str(rows // EVENTS_PER_CUSTOMER)).replace("$rows", str(rows))
    sources.connect("Asia/Tehran").execute(f"COPY ({query}) TO '{_file(folder)}' (FORMAT parquet)")
    return {"bytes": _file(folder).stat().st_size}


def by_package(folder: str) -> dict[str, float]:
    """The matrix with its intervals, as a user gets it."""
    events = sources.connect("Asia/Tehran").read_parquet(str(_file(folder)))
    return _timed(lambda: journeys.transitions(events), Path(folder, "by_package.parquet"))


def by_hand(folder: str) -> dict[str, float]:
    """The counts of the matrix by one query."""
    connection = sources.connect("Asia/Tehran")
    return _timed(lambda: connection.sql(_BY_HAND.format(file=_file(folder))).df(), Path(folder, "by_hand.parquet"))


def compare(folder: str) -> dict[str, float]:
    """Both sides must have found the same."""
    package, hand = (pd.read_parquet(Path(folder, f"{side}.parquet")) for side in ("by_package", "by_hand"))
    package = package.loc[package["source"] != journeys.START, ["source", "target", "n"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(package, hand, check_dtype=False)
    return {"moves": float(hand["n"].sum())}


def _timed(work, answer: Path) -> dict[str, float]:
    started, used = time.perf_counter(), time.process_time()
    table = work()
    figures = {"seconds": time.perf_counter() - started, "processor": time.process_time() - used, "peak": peak_bytes()}
    table.to_parquet(answer)
    return figures


def _file(folder: str) -> Path:
    return Path(folder, "events.parquet")
