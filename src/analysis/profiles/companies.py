"""Deals of a customer, mostly a company: how many, how many won, of what value.

Takes the table `deals` as of a day and gives a lazy frame, one row per customer with a deal.
"""

from collections.abc import Mapping

import narwhals as nw

from analysis.expressions import PARTS, money, one_if, ratio


def deals(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """Leads and opportunities, won and open ones, win rate and value won; None for a base without deals."""
    if "deals" not in tables:
        return None
    has = set(tables["deals"].collect_schema())
    named = tables["deals"].filter(~nw.col("customer_id").is_null())
    adds = {}
    if "outcome" in has:
        adds = {f"{outcome}_deals": one_if(nw.col("outcome") == outcome) for outcome in ("won", "lost", "open")}
    if {"outcome", "amount"} <= has:
        adds["won_value"] = nw.when(nw.col("outcome") == "won").then(money(nw.col("amount")))
    rows = named.select("customer_id", **adds)
    sums = rows.group_by("customer_id").agg(nw.len().alias("n_deals"), *(nw.col(c).sum() for c in adds))
    if "outcome" not in has:
        return sums
    figures = {"win_rate": ratio(nw.col("won_deals"), nw.col("won_deals") + nw.col("lost_deals"))}
    if "won_value" in adds:
        figures["won_value"] = nw.col("won_value") / PARTS
    return sums.with_columns(**figures).drop("lost_deals")
