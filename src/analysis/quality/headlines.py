"""The figures that a report on customers opens with, computed anew for a base as it is and as it would be mended."""

import narwhals as nw
import numpy as np
import pandas as pd

from analysis.expressions import PARTS, is_purchase, money, one_if
from analysis.phrases import marked

#: The headlines: name → how it is written ("count", "amount", "share", "days").
HEADLINES = {
    marked("customers"): "count",
    marked("buyers"): "count",
    marked("purchases"): "count",
    marked("revenue"): "amount",
    marked("mean order value"): "amount",
    marked("half of the buyers spent more than"): "amount",
    marked("buyers who bought once"): "share",
    marked("revenue share of the top fifth"): "share",
    marked("usual days since the last purchase"): "days",
}


def headlines(customers: nw.LazyFrame, orders: nw.LazyFrame | None, as_of) -> dict[str, float]:
    """The headlines of a base; those that need a column which orders lack are left out.

    Parameters
    ----------
    customers : LazyFrame with ``customer_id``
    orders : LazyFrame, the canonical orders; None for a base without
    as_of : datetime.date

    Returns
    -------
    dict of str to float
        Keys of `HEADLINES`. Purchases are completed orders; revenue is less what was given back.
    """
    found = {"customers": float(customers.select(n=nw.len()).collect("pandas").to_native()["n"].iloc[0])}
    if orders is None:
        return found
    per_customer = _per_customer(orders)
    buyers = per_customer[per_customer["n"] > 0]
    found |= {"buyers": float(len(buyers)), "purchases": float(buyers["n"].sum())}
    if buyers.empty:
        return found
    last = (pd.Timestamp(as_of) - buyers["last"].dt.tz_localize(None).dt.normalize()).dt.days
    found["buyers who bought once"] = float((buyers["n"] == 1).mean())
    found["usual days since the last purchase"] = float(last.median())
    if "spend" not in buyers:
        return found
    spend = buyers["spend"].sort_values().to_numpy() / PARTS
    found["revenue"] = float(per_customer["spend"].sum() / PARTS)
    found["mean order value"] = float(buyers["bought"].sum() / PARTS / buyers["n"].sum())
    found["half of the buyers spent more than"] = float(np.median(spend))
    if (positive := np.clip(spend, 0, None)).sum() > 0:
        found["revenue share of the top fifth"] = _top_share(positive)
    return found


def _top_share(spend: np.ndarray, top: float = 0.2) -> float:
    """Share of the whole that the best customers bring; whoever is tied at the cut counts in proportion."""
    held = np.concatenate([[0.0], np.cumsum(spend[::-1])])
    return float(np.interp(top * len(spend), np.arange(len(held)), held) / held[-1])


def _per_customer(orders: nw.LazyFrame) -> pd.DataFrame:
    has = set(orders.collect_schema())
    bought = is_purchase(orders)
    adds = {"n": one_if(bought)}
    if "amount" in has:
        counts = bought | (nw.col("status") == "returned") if "status" in has else bought
        parts = money(nw.col("amount"))
        adds |= {"spend": nw.when(counts).then(parts), "bought": nw.when(bought).then(parts)}
    rows = orders.select("customer_id", last=nw.when(bought).then(nw.col("ordered_at")), **adds)
    sums = rows.group_by("customer_id").agg(nw.col("last").max(), *(nw.col(c).sum() for c in adds))
    return sums.collect("pandas").to_native()
