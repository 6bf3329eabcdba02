"""Attribution of many conversions: of a million counted paths over 200 channels, and of events in the engine."""

import time

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import journeys

from .fresh import peak_bytes

CHANNELS = 200


def paths(n: int) -> pd.DataFrame:
    """Counted paths of five touches on average, nearly all of them different."""
    rng = np.random.default_rng(1)
    of = 1 + rng.poisson(4, n)
    code = rng.choice(CHANNELS, of.sum(), p=rng.dirichlet(np.full(CHANNELS, 0.5)))
    names = pa.array([f"channel {i}" for i in range(CHANNELS)]).take(pa.array(code))
    lists = pa.ListArray.from_arrays(np.concatenate([[0], of.cumsum()]).astype("int32"), names)
    came = rng.integers(0, 3, n)
    table = {"path": pc.binary_join(lists, " > ").to_pandas(), "total_conversions": came}
    return pd.DataFrame(table | {"total_conversion_value": 10.0 * came, "total_null": rng.poisson(2, n)})


def of_paths(n: int) -> dict[str, float]:
    """All ways of counting that counted paths allow, Markov's among them, with their intervals."""
    table = paths(n)
    started, used = time.perf_counter(), time.process_time()
    found = journeys.attribution(table)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    assert found["conversions"].sum().round() == 5 * table["total_conversions"].sum()
    return {"seconds": seconds, "processor": used, "peak": peak_bytes()}


def of_events(n: int) -> dict[str, float]:
    """All six, of so many events of a fiftieth as many customers, one in ten an order."""
    con = duckdb.connect()
    con.execute(
        f"""CREATE TABLE events AS SELECT (hash(i) % {n // 50})::VARCHAR AS customer_id,
        TIMESTAMPTZ '2025-01-01' + to_seconds(hash(i + 1e9) % 31536000) AS occurred_at,
        CASE WHEN hash(i + 2e9) % 10 = 0 THEN 'order' ELSE 'visit' END AS event,
        'channel ' || (hash(i + 3e9) % 20) AS channel, (hash(i + 4e9) % 1000) / 10.0 AS value
        FROM range({n}) AS r(i)"""
    )
    started, used = time.perf_counter(), time.process_time()
    found = journeys.attribution(con.table("events"), "order")
    assert len(found) == len(journeys.METHODS) * found["channel"].nunique()
    used = time.process_time() - used
    return {"seconds": time.perf_counter() - started, "processor": used, "peak": peak_bytes()}
