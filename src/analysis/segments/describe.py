"""What the segments are: how large, what they bring, what sets each apart."""

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.phrases import phrase
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
        worth, worth_low, worth_high : float, mean spend of a customer with its 95 % interval, made for skewed spends.
        fit : float, median of the members' fit.
        reachable, reachable_low, reachable_high : float, share of those whose consents are known who may be contacted
        on one channel at least, with its 95 % interval; missing without `consents`.
        best_channel, best_channel_share : str and float, the channel on which most of them may be contacted.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcd"), "total_spend": [70.0, 10, 10, 10]})
    >>> segments = pd.DataFrame({"customer_id": list("abcd"), "segment": [2, 1, 1, 1]})
    >>> sizes(profiles, segments)[["segment", "n", "share", "revenue_share", "worth"]]
       segment  n  share  revenue_share  worth
    0        1  3   0.75            0.3   10.0
    1        2  1   0.25            0.7   70.0
    """
    by = ["segment", *(["segment_name"] if "segment_name" in segments else [])]
    known = profiles[["customer_id", *(c for c in ("total_spend", "consents") if c in profiles)]]
    table = segments.drop(columns=known.columns[1:], errors="ignore").merge(known, on="customer_id")
    table = table.assign(revenue=table.get("total_spend", np.nan), fit=table.get("fit", np.nan))
    grouped = table.sort_values([*by, "revenue"]).groupby(by)  # in order of value: exact sums
    out = grouped.agg(n=("customer_id", "size"), revenue=("revenue", lambda r: r.sum(min_count=1)))
    out["share"] = out["n"] / out["n"].sum()
    out["low"], out["high"] = evidence.share_interval(out["n"], out["n"].sum())
    total = out["revenue"].sum()
    out["revenue_share"] = (out["revenue"] / total if total > 0 else np.nan * out["revenue"]).round(6)
    out["revenue"] = out["revenue"].round(2)
    worth = [evidence.skewed_mean_interval(r) for _, r in grouped["revenue"]]
    out[["worth", "worth_low", "worth_high"]] = np.array(worth, dtype=float).reshape(-1, 3).round(2)
    out["fit"] = grouped["fit"].median()
    reach = [_reach(members.get("consents")) for _, members in grouped]
    return out.reset_index()[[*by, *_SIZES]].join(pd.DataFrame(reach, columns=_REACH))


_SIZES = ("n", "share", "low", "high", "revenue", "revenue_share", "worth", "worth_low", "worth_high", "fit")

_REACH = ("reachable", "reachable_low", "reachable_high", "best_channel", "best_channel_share")


def _reach(consents):
    """The figures of `_REACH` for the consents of some customers, a list each; of equal channels the first by name."""
    known = None if consents is None else consents.dropna()
    if known is None or known.empty:
        return np.nan, np.nan, np.nan, None, np.nan
    n, reachable = len(known), who_consent(known)
    low, high = evidence.share_interval(reachable, n)
    counts = known.map(lambda channels: sorted(set(channels))).explode().dropna().value_counts()
    if counts.empty:
        return 0.0, low, high, None, np.nan
    best = min(counts.index[counts == counts.max()])
    return reachable / n, low, high, best, counts.max() / n


def who_consent(consents):
    """How many of some customers may be contacted on one channel at least.

    Examples
    --------
    >>> who_consent(pd.Series([["email"], [], None]))
    1
    """
    return int(consents.dropna().map(len).gt(0).sum())


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
            phrase(
                "The best {top} of buyers ({best:,} of {n:,}) bring {share} of revenue (interval {interval}): "
                "{verdict}.",
                **{"top": evidence.percent(pareto.top), "best": pareto.best, "n": pareto.n},
                **{"share": evidence.percent(pareto.share, 1), "verdict": pareto.verdict},
                interval=evidence.percent_range(pareto.low, pareto.high, 1),
            )
        )
    supported = choice.query("chosen")["k"].item()
    if supported == 1:
        sentences.append(_no_structure_in_words(choice))
    else:
        row = choice.query("chosen").iloc[0]
        sentences.append(
            phrase(
                "The data support {k} groups: found again in resamples with an agreement of {stability:.2f} (interval "
                "{low:.2f} to {high:.2f}; 1 is the same groups each time).",
                **{"k": supported, "stability": row["stability"], "low": row["low"], "high": row["high"]},
            )
        )
    if chosen != supported:
        sentences.append(phrase("{k} groups were asked for and formed all the same.", k=chosen))
    if sizes["revenue_share"].notna().any() and chosen > 1:
        over = sizes.loc[(sizes["revenue_share"] - sizes["share"]).idxmax()]
        sentences.append(
            phrase(
                "{name}: {share} of customers, {revenue} of revenue.",
                **{"name": over["segment_name"], "share": evidence.percent(over["share"])},
                revenue=evidence.percent(over["revenue_share"]),
            )
        )
    return sentences


def _no_structure_in_words(choice):
    """Why the verdict is one group."""
    more, stable = choice[choice["beats_reference"]], choice[choice["stability"] >= STABLE]
    if more.empty and stable.empty:
        return phrase("No number of groups explains more than customers without groups would: no structure here.")
    if more.empty:
        return phrase(
            "Groups are found again when other customers are drawn ({again}), but explain no more than customers "
            "without groups would: no structure here.",
            again=_agreement(stable),
        )
    if stable.empty:
        return phrase(
            "What explains more than customers without groups would ({more}; {least} is asked) is not found again when "
            "other customers are drawn: no structure to rely on here.",
            **{"more": _agreement(more), "least": STABLE},
        )
    return phrase(
        "What explains more than customers without groups would ({more}; {least} is asked) is not found again when "
        "other customers are drawn, and what is found again when other customers are drawn ({again}) explains no more: "
        "no structure to rely on here.",
        **{"more": _agreement(more), "least": STABLE, "again": _agreement(stable)},
    )


def _agreement(choice):
    """The most stable of some numbers of groups, in words."""
    best = choice.loc[choice["stability"].idxmax()]
    return phrase("{k:.0f} groups, agreement {stability:.2f}", k=best["k"], stability=best["stability"])


def joined(profiles, segments):
    """Profiles with the segment of each customer who has one, and with nothing else of the segments."""
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    require_columns("profiles", profiles.columns, ["customer_id"])
    for name, table in (("profiles", profiles), ("segments", segments)):
        twice = int(table["customer_id"].duplicated().sum())
        if twice:
            raise Problem(
                f"{name} must have one row per customer, but {twice:,} rows are of a customer it has already."
            )
    profiles = profiles.drop(columns=["segment", "segment_name", "fit"], errors="ignore")
    return profiles.merge(segments[["customer_id", "segment"]], on="customer_id")
