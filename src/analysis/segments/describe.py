"""What the segments are: how large, what they bring, what sets each apart."""

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import require_columns
from analysis.segments.choice import STABLE


def describe(profiles, segments):
    """What sets each segment apart, with the evidence.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment` and perhaps `segment_name`.

    Returns
    -------
    DataFrame, as from :func:`analysis.evidence.compare`
        With `segment` (and `segment_name`) in place of `group`.
    """
    summary = evidence.compare(evidence.of_buyers(joined(profiles, segments)), "segment").rename(
        columns={"group": "segment"}
    )
    if "segment_name" in segments:
        names = segments.drop_duplicates("segment").set_index("segment")["segment_name"]
        summary.insert(1, "segment_name", summary["segment"].map(names))
    return summary


def sizes(profiles, segments):
    """How large each segment is, and what it brings.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment` and perhaps `segment_name` and `fit`.

    Returns
    -------
    DataFrame, one row per segment
        segment, segment_name : as given.
        n : int, customers.
        share, low, high : float, share of all customers with its 95 % interval.
        revenue, revenue_share : float, in the base's currency and as a share of all; missing without `total_spend`.
        fit : float, median of the members' fit.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcd"), "total_spend": [70.0, 10, 10, 10]})
    >>> segments = pd.DataFrame({"customer_id": list("abcd"), "segment": [2, 1, 1, 1]})
    >>> sizes(profiles, segments)[["segment", "n", "share", "revenue_share"]]
       segment  n  share  revenue_share
    0        1  3   0.75            0.3
    1        2  1   0.25            0.7
    """
    by = ["segment", *(["segment_name"] if "segment_name" in segments else [])]
    spend = profiles.get("total_spend", np.nan)
    spend = pd.DataFrame({"customer_id": profiles["customer_id"], "revenue": spend})
    table = segments.merge(spend, on="customer_id").sort_values([*by, "revenue"])  # in order of value: exact sums
    fit = table.get("fit", np.nan)
    grouped = table.assign(fit=fit).groupby(by)
    out = grouped.agg(n=("customer_id", "size"), revenue=("revenue", lambda r: r.sum(min_count=1)))
    out["share"] = out["n"] / out["n"].sum()
    out["low"], out["high"] = evidence.share_interval(out["n"], out["n"].sum())
    total = out["revenue"].sum()
    out["revenue_share"] = (out["revenue"] / total if total > 0 else np.nan * out["revenue"]).round(6)
    out["revenue"] = out["revenue"].round(2)
    out["fit"] = grouped["fit"].median()
    return out.reset_index()[[*by, "n", "share", "low", "high", "revenue", "revenue_share", "fit"]]


def findings(sizes, choice, chosen, pareto=None):
    """What the base falls into, in sentences with their figures.

    Parameters
    ----------
    sizes : DataFrame, as from :func:`sizes`, with `segment_name`
    choice : DataFrame, as from :func:`choose_k`
    chosen : int
        Number of groups formed.
    pareto : ParetoResult, optional
        Left out for a base without revenue.

    Returns
    -------
    list of str
    """
    sentences = []
    if pareto is not None:
        sentences.append(
            f"The best {evidence.percent(pareto.top)} of buyers ({pareto.best:,} of {pareto.n:,}) bring "
            f"{evidence.percent(pareto.share, 1)} of revenue (interval "
            f"{evidence.percent_range(pareto.low, pareto.high, 1)}): {pareto.verdict}."
        )
    supported = choice.query("chosen")["k"].item()
    if supported == 1:
        sentences.append("No number of groups explains more than data without groups would: no structure here.")
    else:
        row = choice.query("chosen").iloc[0]
        sentences.append(
            f"The data support {supported} groups: found again in resamples with an agreement of "
            f"{row['stability']:.2f} (interval {row['low']:.2f} to {row['high']:.2f}; 1 is the same groups each time)."
        )
        if row["stability"] < STABLE:
            sentences.append(f"That is less than the {STABLE} asked of stable groups: take them as a sketch.")
    if chosen != supported:
        sentences.append(f"{chosen} groups were asked for and formed all the same.")
    if sizes["revenue_share"].notna().any() and len(sizes) > 1:
        over = sizes.loc[(sizes["revenue_share"] - sizes["share"]).idxmax()]
        sentences.append(
            f"{over['segment_name']}: {evidence.percent(over['share'])} of customers, "
            f"{evidence.percent(over['revenue_share'])} of revenue."
        )
    return sentences


def joined(profiles, segments):
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    require_columns("profiles", profiles.columns, ["customer_id"])
    return profiles.drop(columns="segment", errors="ignore").merge(
        segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one"
    )
