"""Are these groups worth having: measurable, substantial, reachable, distinct and of use?

Takes profiles, segments and what was found out about them. Gives what speaks against each group, in sentences with
their figures. The five questions are Kotler's (Marketing Management); the limits are ours, each with its reason.
"""

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.known_again import deltas
from analysis.phrases import counted, phrase
from analysis.segments.describe import joined, sizes
from analysis.vocabulary import topic

#: Among fewer customers a share of a half is known only to ten points either way (Wilson).
FEWEST = 100

#: Where one group holds more than two thirds, the groups say little about most customers.
MOST = 2 / 3

#: Half of a group should fit it this many times as well as the next.
NEARER = 1.4

#: Of those who meet a group's rule, or may be contacted, more than half should: the rule, or the list, is mostly wrong
#: otherwise.
HALF = 0.5


def concerns(profiles, segments, summary, rules=None, formed_by=()):
    """What speaks against the groups, one sentence each.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame
        With `customer_id`, `segment`, `segment_name` and perhaps `fit`.
    summary : DataFrame, as from :func:`describe`
    rules : DataFrame, as in :class:`ShortRules`, optional
        Without them it is not asked whether a group can be recognised.
    formed_by : sequence of str
        The columns by which the groups were formed; without them it is not asked whether they differ in anything else.

    Returns
    -------
    DataFrame, those about the whole base first, then by segment
        segment : Int64, missing where it is about all of them.
        asks : "substantial", "simple", "measurable", "distinct", "reachable" or "actionable".
        sentence : str.

    Notes
    -----
    A limit is passed only where the interval lies beyond it, if there is one. Two groups are too alike if nothing sets
    the one apart from the other beyond chance (Holm) and by more than a small effect; each group is held against the
    one that is most like it.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(200), "n_orders": [1] * 190 + [9] * 10})
    >>> segments = pd.DataFrame({"customer_id": range(200), "segment": [1] * 190 + [2] * 10, "segment_name": "One"})
    >>> segments.loc[190:, "segment_name"] = "Two"
    >>> from analysis.segments import describe
    >>> for sentence in concerns(profiles, segments, describe(profiles, segments))["sentence"]:
    ...     print(sentence)
    No consents are on record, so nothing says whom of any group one may contact.
    One holds 95 % of the customers: for most of them the groups say what holds for everybody.
    Two has 10 customers. Of so few, a share of a half is known only to 26 points either way.
    """
    table = sizes(profiles, segments)
    found = list(_reachable(table)) if len(table) else []
    if len(table) > 1:
        found += [*_simple(table), *_mixed(table), *_alike(profiles, segments, summary)]
        found += [] if rules is None else _measurable(rules)
        found += _actionable(summary, formed_by) if len(formed_by) else []
    found = pd.DataFrame([*found, *_substantial(table)], columns=["segment", "asks", "sentence"])
    return found.astype({"segment": "Int64"}).sort_values(
        "segment", na_position="first", kind="stable", ignore_index=True
    )


def _substantial(table):
    for row in table[table["n"] < FEWEST].itertuples():
        low, high = evidence.share_interval(row.n / 2, row.n)
        text = phrase(
            "{name} has {customers}. Of so few, a share of a half is known only to {points:.0f} points either way.",
            **{"name": row.segment_name, "customers": counted(row.n, "customer"), "points": 50 * (high - low)},
        )
        if row.revenue_share > 2 * row.share:
            share = evidence.percent(row.revenue_share)
            text += " " + phrase("They bring {share} of revenue all the same.", share=share)
        yield row.segment, "substantial", text


def _simple(table):
    for row in table[table["share"] > MOST].itertuples():
        text = phrase(
            "{name} holds {share} of the customers: for most of them the groups say what holds for everybody.",
            **{"name": row.segment_name, "share": evidence.percent(row.share)},
        )
        yield row.segment, "simple", text


def _mixed(table):
    for row in table[table["fit"] < 1 - 1 / NEARER].itertuples():
        text = phrase(
            "{name} runs into its neighbours: its median customer fits it only {times:.2f} times as well as the next "
            "({least} is asked).",
            **{"name": row.segment_name, "times": 1 / (1 - row.fit), "least": NEARER},
        )
        yield row.segment, "distinct", text


def _measurable(rules):
    for row in rules.itertuples():
        text = phrase("No short rule was found by which to know a member of {name}.", name=row.segment_name)
        if row.rule:
            text = phrase(
                "{name} is hard to know by a rule: of those who meet it {precision} are in the group, and {recall} of "
                "the group meet it.",
                **{"name": row.segment_name, "precision": evidence.percent(row.precision)},
                recall=evidence.percent(row.recall),
            )
        if not row.rule or row.precision_high < HALF or row.recall_high < HALF:
            yield row.segment, "measurable", text


def _reachable(table):
    if table["reachable"].isna().all():
        text = phrase("No consents are on record, so nothing says whom of any group one may contact.")
        yield pd.NA, "reachable", text
    for row in table[table["reachable_high"] < HALF].itertuples():
        interval = evidence.percent_range(row.reachable_low, row.reachable_high)
        text = phrase(
            "Of {name} only {share} may be contacted on any channel (interval {interval}).",
            **{"name": row.segment_name, "share": evidence.percent(row.reachable), "interval": interval},
        )
        yield row.segment, "reachable", text


def _alike(profiles, segments, summary):
    """Each group held against the one that is most like it."""
    names = segments.drop_duplicates("segment").set_index("segment")["segment_name"]
    table = joined(profiles, segments)
    for one, other in _nearest_pairs(deltas(summary)):
        between = evidence.compare(table[table["segment"].isin([one, other])], "segment").query("group == @one")
        if len(between) and not between["distinctive"].any():
            text = phrase(
                "{one} and {other} differ clearly in none of {traits}: as one group they would say as much.",
                **{"one": names[one], "other": names[other], "traits": counted(len(between), "trait")},
            )
            yield one, "distinct", text


def _nearest_pairs(far):
    """The pairs of a group and the one most like it, each once; only groups of which the same is known for the most."""
    at = far.to_numpy()
    known = ~np.isnan(at)
    shared = (known[:, None, :] & known).sum(axis=2)
    distance = np.nansum(np.abs(at[:, None, :] - at), axis=2) / np.maximum(shared, 1)
    distance[2 * shared <= at.shape[1]] = np.inf
    np.fill_diagonal(distance, np.inf)
    pairs = [(i, int(row.argmin())) for i, row in enumerate(distance.round(9)) if np.isfinite(row).any()]
    return sorted({tuple(sorted((far.index[i], far.index[j]))) for i, j in pairs})


def _actionable(summary, formed_by):
    used = {topic(column) for column in formed_by}
    other = summary[~summary["trait"].map(topic).isin(used)]
    apart = set(other.loc[other["distinctive"].astype(bool), "segment"])
    for segment, rows in summary.groupby("segment"):
        if segment not in apart:
            compared = other.loc[other["segment"] == segment, "trait"].nunique()
            text = phrase(
                "{name} differs clearly from the others in nothing but what it was formed by ({traits} compared): what "
                "to offer them, the data do not tell.",
                **{"name": rows["segment_name"].iloc[0], "traits": counted(compared, "other trait")},
            )
            yield segment, "actionable", text
