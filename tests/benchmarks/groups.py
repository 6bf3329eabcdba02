"""Groups of many customers: by the package, by bare scikit-learn, and assigned in the engine."""

import time

import duckdb
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from analysis import segments
from analysis.segments import choice, model

from .fresh import peak_bytes

#: As asked: twelve features of each customer.
FEATURES = 12


def numbers(n: int) -> pd.DataFrame:
    """Customers in six groups, by twelve numbers of which half are skewed."""
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 1.5, (6, FEATURES))
    x = centres[rng.integers(0, 6, n)] + rng.normal(size=(n, FEATURES))
    x[:, ::2] = np.exp(x[:, ::2])
    return pd.DataFrame(x, columns=[f"x{i:02}" for i in range(FEATURES)]).assign(customer_id=np.arange(n))


def mixed(n: int) -> pd.DataFrame:
    """Customers in six groups, by four numbers, six categories, what they buy and whether at a discount."""
    rng = np.random.default_rng(1)
    group = rng.integers(0, 6, n)
    table = {"customer_id": np.arange(n)}
    for i in range(4):
        table[f"x{i:02}"] = rng.normal(0, 1.5, 6)[group] + rng.normal(size=n)
    for i in range(6):
        mixes = rng.dirichlet(np.full(5, 0.7), 6).cumsum(axis=1)
        table[f"c{i:02}"] = np.array(list("abcde"))[(rng.random(n)[:, None] > mixes[group]).sum(axis=1).clip(max=4)]
    lines = 1 + rng.poisson(4, n)
    counts = rng.multinomial(lines, rng.dirichlet(np.full(6, 0.7), 6)[group])
    table |= {f"bought_{i}": counts[:, i] / lines for i in range(6)}
    table |= {"n_lines": lines, "n_orders": lines, "discounted_share": rng.binomial(lines, 0.3) / lines}
    return pd.DataFrame(table)


def by_package(n: int, kind: str) -> dict[str, float]:
    """The whole segmentation, features ready: the number of groups, the groups, and everybody's group."""
    profiles = (numbers if kind == "numbers" else mixed)(n)
    columns = [c for c in profiles if c.startswith(("x", "c0"))]
    by = segments.features(profiles, columns if kind == "numbers" else [*columns, "preference"])
    started, used, before = time.perf_counter(), time.process_time(), peak_bytes()
    found = segments.cluster(profiles, by)
    return {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - used,
        "k": found.k,
        "peak": peak_bytes(),
        "before": before,
    }


def by_scikit(n: int) -> dict[str, float]:
    """The same k-means fits by bare scikit-learn: as many, on as many customers, from as many starts."""
    x = numbers(n).drop(columns="customer_id").to_numpy()
    started, used = time.perf_counter(), time.process_time()
    x = (np.log1p(np.abs(x)) - 1) / 2
    rng = np.random.default_rng(0)
    sample = x[rng.choice(n, choice.TRIAL_SIZE, replace=False)]
    with threadpool_limits(1):
        for k in range(2, 11):
            for i in range(1 + choice.RESAMPLES + choice.REFERENCES):
                KMeans(k, n_init=3, random_state=i).fit(sample)
        fitted = KMeans(6, n_init=20, random_state=0).fit(x[rng.choice(n, min(n, model.FIT_SIZE), replace=False)])
        fitted.predict(x)
    return {"seconds": time.perf_counter() - started, "processor": time.process_time() - used}


def in_engine(n: int) -> dict[str, float]:
    """Assign customers in DuckDB by groups that were formed from few of them, and count the groups."""
    columns = [f"x{i:02}" for i in range(4)] + [f"c{i:02}" for i in range(6)]
    found = segments.cluster(mixed(20_000), [*columns, "preference"], k=6)
    con = duckdb.connect()
    con.register("few", mixed(200_000))
    times = f"SELECT few.* REPLACE (i * 200000 + customer_id AS customer_id) FROM few, range({n // 200_000}) AS r(i)"
    con.execute(f"CREATE TABLE profiles AS {times}")
    started = time.perf_counter()
    assigned = segments.assign(found, con.table("profiles"))
    counts = assigned.aggregate("segment, count(*) AS n, avg(fit) AS fit", "segment").df()
    assert counts["n"].sum() == n
    return {"seconds": time.perf_counter() - started}
