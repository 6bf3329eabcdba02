"""Who moved from which segment to which between two days, and which moves are more than coming and going?

Takes two tables of `customer_id` and a label: RFM, clusters, a rule, whatever names a segment. Labels come from noisy
behaviour, so that many move to and fro although nothing has changed: a move counts as a flow only where clearly more
go one way than come back, and as news only where clearly more or fewer go than in the period before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import bdtr, ndtr, ndtri

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.locale import named
from analysis.phrases import figure, marked, phrase

#: States of customers whom only one of the tables has, or who have a row but no label.
NEW, GONE, UNLABELLED = "(new)", "(gone)", "(no segment)"

#: Chance that anything at all is called more than chance where nothing is, in each family of tests.
ALPHA = 0.05

#: Below this many expected moves, the normal law of a residual is not to be trusted (Cochran 1954, Biometrics 10).
LEAST_EXPECTED = 5

VERDICTS = ("one_way", "favoured", "unusual")


@dataclass(frozen=True)
class Movement:
    """How customers moved between segments.

    Attributes
    ----------
    moves : DataFrame, one row per pair of states, staying and moves of nobody too
        source, target : str, segments, "(new)" and "(gone)".
        n, of : int, customers who went so, and all at the source.
        share, low, high : float, ``n / of`` with its 95 % interval.
        net, net_low, net_high : float, customers who went less those who came back, with an interval so wide that all
        pairs hold together; missing for staying, new and gone.
        net_p : float, corrected over all pairs.
        one_way : bool, clearly more go than come back.
        expected : float, moves to be expected from how many leave the source and how many move to the target.
        residual, favoured_p : float, standard normal distance from that, and its p corrected over all cells; missing
        where fewer than five are expected.
        favoured : bool, clearly more than expected.
        usual_share, difference, difference_low, difference_high, usual_p : float, where a usual movement was given: its
        share, ours less its with an interval so wide that all hold together, and p corrected over all cells; missing
        where too few customers could have gone so.
        unusual : bool, clearly more or fewer than usual.
        worth_before, worth_after, worth_change, worth_low, worth_high : float, means per customer where a worth was
        asked for, the change with its interval.
    changes : DataFrame, one row per segment
        segment : str.
        before, after : int, customers on either day.
        stayed, entered, left, new, gone : int; entered from and left for other segments.
        change, low, high : float, ``entered - left`` with an interval so wide that all segments hold together.
        p : float, corrected over all segments.
        clear : bool, moves make the segment clearly larger or smaller.
    both : int
        Customers known on both days.
    notes : tuple of str
        What to know before reading the figures.
    """

    moves: pd.DataFrame
    changes: pd.DataFrame
    both: int
    notes: tuple[str, ...] = ()


def movement(before, after, by="segment_name", worth=None, usual=None):
    """Who moved from where to where, and which moves are more than coming and going.

    Parameters
    ----------
    before, after : DataFrame, one row per customer
        With `customer_id`, the label and the worth. Both days must use the same cuts, centres or rules: fifths taken
        anew hold a fifth of the customers on either day, whatever has happened.
    by : str
        Column with the label, e.g. "segment_name" or "rfm_segment".
    worth : str, optional
        Column of numbers, e.g. "spend_365d", whose mean before and after is given for each move.
    usual : Movement, optional
        Between two days as far apart, before these, by the same cuts: what would be nothing new.

    Returns
    -------
    Movement

    Raises
    ------
    Problem
        A column is missing, a customer has two rows, or no customer is in both tables.

    Notes
    -----
    Three questions, each with its own chance model.

    Is it a flow or an exchange? If labels only waver, as many go from one segment to another as come back. Among those
    known on both days each pair is tested against that by the exact binomial test of McNemar (1947, Psychometrika 12),
    pair by pair as in Bowker (1948, JASA 43), and each segment's entries against its exits likewise; corrected after
    Holm over pairs and over segments. The intervals are those of Agresti and Min (2005, Statistics in Medicine 24:729)
    for a difference of matched shares, widened to the number of pairs or segments (Bonferroni). `one_way` and `clear`
    need both, test and interval.

    Where do those who leave go? Among movers, target and source would be independent if all leavers were drawn alike to
    each other segment: quasi-independence with the diagonal left out (Goodman 1965, American Journal of Sociology 70).
    `residual` is Haberman's (1973, Biometrics 29) adjusted residual from its fit. Neighbouring segments are favoured
    also where nothing changes, so that this says where to meet leavers, not that there are more of them.

    Is it news? A scheme with a clock in it goes round: who bought lately can only grow older, over sleeping to lost,
    and a purchase leads back at once; orders and spend of a lifetime only rise; and who is known on both days is older
    on the second, while new customers fill the top. All that gives flows one way although the business is as ever.
    Against it stands only the period before: each share is compared with its own then, as for the stationarity of a
    Markov chain (Anderson and Goodman 1957, Annals of Mathematical Statistics 28), by the z test and Newcombe's
    interval.

    Worth is a part of many labels, and who moved up by spending more has of course spent more: the change in worth says
    what moves go with, not what they cause.

    Examples
    --------
    >>> before = pd.DataFrame({"customer_id": range(100), "segment_name": ["Loyal"] * 60 + ["At risk"] * 40})
    >>> after = before.assign(segment_name=["At risk"] * 30 + ["Loyal"] * 32 + ["At risk"] * 38)
    >>> movement(before, after).moves.query("one_way")[["source", "target", "n", "share", "net"]]
      source   target   n  share   net
    2  Loyal  At risk  30    0.5  28.0
    """
    pairs = _paired(before, after, by, worth)
    segments = sorted({*pairs["source"], *pairs["target"]} - {NEW, GONE})
    counts = pd.crosstab(pairs["source"], pairs["target"])
    inner = counts.reindex(index=segments, columns=segments, fill_value=0).to_numpy()
    both = int(inner.sum())
    if both == 0:
        raise Problem(
            f"No customer is in both tables ({len(before):,} before, {len(after):,} after), so nobody can have moved. "
            "Do both write customer_id alike?"
        )
    here, there = [*segments, *counts.index.intersection([NEW])], [*segments, *counts.columns.intersection([GONE])]
    moves = _shares(counts.reindex(index=here, columns=there, fill_value=0))
    judged = [_net_flows(inner, segments), _favoured(inner, segments)]
    judged += [_worth(pairs)] if worth else []
    judged += [_unusual(moves, usual)] if usual else []
    for found in judged:
        moves = moves.merge(found, on=["source", "target"], how="left")
    verdicts = [verdict for verdict in VERDICTS if verdict in moves]
    moves[verdicts] = moves[verdicts].eq(True)  # what could not be judged is not said to be so
    return Movement(moves, _changes(counts, inner, segments), both)


def movement_between(earlier, later, scheme: Callable, by="segment_name", worth=None, usual=None):
    """Movement under one scheme that is applied to the profiles of two days.

    Parameters
    ----------
    earlier, later : DataFrame, profiles as of two days
    scheme : function of profiles that gives a table with `customer_id` and the label
        With cuts, centres or rules that are fixed, best those of the earlier day. Where it cuts each table anew, a note
        says so: the scheme is tried on every other customer, which may change nobody's label.
    by : str
        Column with the label.
    worth : str, optional
        Column of the profiles.
    usual : Movement, optional
        As for :func:`movement`.

    Returns
    -------
    Movement

    Raises
    ------
    Problem
        As :func:`movement`.

    Examples
    --------
    >>> earlier = pd.DataFrame({"customer_id": list("abcd"), "spend": [9.0, 8, 2, 1]})
    >>> later = earlier.assign(spend=[9.0, 3, 2, 1])
    >>> scheme = lambda profiles: profiles.assign(segment_name=np.where(profiles["spend"] > 5, "much", "little"))
    >>> movement_between(earlier, later, scheme, worth="spend").changes[["segment", "before", "after"]]
      segment  before  after
    0  little       2      3
    1    much       2      1
    """
    labelled = []
    for day, profiles in (("earlier", earlier), ("later", later)):
        require_columns(day, profiles.columns, ["customer_id", *([worth] if worth else [])])
        table = _labels(scheme(profiles), by, day)
        labelled.append(table.merge(profiles[["customer_id", worth]], on="customer_id") if worth else table)
    found = movement(*labelled, by, worth, usual)
    every_other = later.sort_values("customer_id", ignore_index=True)[::2]
    again = _labels(scheme(every_other), by, "later").merge(labelled[1], on="customer_id", suffixes=("", "_of_all"))
    other = int((again[by].astype(str) != again[f"{by}_of_all"].astype(str)).sum())
    if not other:
        return found
    note = phrase(
        "The scheme cuts each day anew: of {n:,} customers {other:,} get another {by} when every other one is left "
        "out. Its segments can hardly grow or shrink; give it the cuts of the earlier day.",
        **{"n": len(again), "other": other, "by": by},
    )
    return replace(found, notes=(*found.notes, note))


def moves_in_words(movement, most=3):
    """What moved, in sentences with their figures; that nothing moved beyond chance is one of them.

    Parameters
    ----------
    movement : Movement
    most : int
        Sentences of each kind at the most, the largest first.

    Returns
    -------
    list of str

    Examples
    --------
    >>> before = pd.DataFrame({"customer_id": range(100), "segment_name": ["Loyal"] * 60 + ["At risk"] * 40})
    >>> after = before.assign(segment_name=["At risk"] * 30 + ["Loyal"] * 32 + ["At risk"] * 38)
    >>> print(*moves_in_words(movement(before, after)), sep="\\n")
    Of 100 customers known on both days 32 (32 %) are in another segment, 0 are new and 0 gone.
    At risk grows by moves: 30 came and 2 went, net 28 (interval 17 to 39); with 0 new and 0 gone from 40 to 68.
    Loyal shrinks by moves: 2 came and 30 went, net −28 (interval −39 to −17); with 0 new and 0 gone from 60 to 32.
    More go from Loyal to At risk than come back: 30 against 2, net 28 (interval 18 to 38); 50 % of Loyal.
    """
    moves, changes = movement.moves, movement.changes
    moved = movement.both - int(changes["stayed"].sum())
    sentences = [
        *movement.notes,
        phrase(
            "Of {n:,} customers known on both days {moved:,} ({share}) are in another segment, {new:,} are new and "
            "{gone:,} gone.",
            **{"n": movement.both, "moved": moved, "share": evidence.percent(moved / movement.both)},
            **{"new": changes["new"].sum(), "gone": changes["gone"].sum()},
        ),
        *(_news_in_words(moves, most) if "unusual" in moves else []),
    ]
    changed = _largest(changes[changes["clear"]], "change")
    sentences += [_change_in_words(change) for change in changed.head(most).itertuples()]
    if changed.empty:
        sentences.append(phrase("No segment grows or shrinks by moves beyond chance."))
    flows = _largest(moves[moves["one_way"]], "net")
    sentences += [_flow_in_words(flow) for flow in flows.head(most).itertuples()]
    if len(flows) > most:
        sentences.append(phrase("{n:,} smaller moves go clearly more one way than back.", n=len(flows) - most))
    if flows.empty:
        sentences.append(
            phrase("No move is more than exchange: between any two segments about as many go as come back.")
        )
    favoured = _largest(moves[moves["favoured"]], "residual")
    return sentences + [_favour_in_words(move) for move in favoured.head(most).itertuples()]


def _paired(before, after, by, worth):
    """One row per customer of either table: source, target, and the worth on either day."""
    sides = []
    for where, table, place in (("before", before, "source"), ("after", after, "target")):
        require_columns(where, table.columns, ["customer_id", by, *([worth] if worth else [])])
        side = _labels(table, by, where).rename(columns={by: place})
        if worth:
            side[f"worth_{where}"] = table.set_index("customer_id")[worth].reindex(side["customer_id"]).to_numpy(float)
        sides.append(side)
    pairs = sides[0].merge(sides[1], on="customer_id", how="outer")
    return pairs.fillna({"source": NEW, "target": GONE}).sort_values("customer_id", ignore_index=True)


def _labels(table, by, where):
    """Customer and label as text, each customer once."""
    require_columns(where, table.columns, ["customer_id", by])
    twice = int(table["customer_id"].duplicated().sum())
    if twice:
        raise Problem(f"{where} has {twice:,} rows of customers it already has. Keep one row per customer_id.")
    labels = table[by].astype(object).where(table[by].notna(), UNLABELLED).map(str)
    return pd.DataFrame({"customer_id": table["customer_id"], by: labels})


def _shares(counts):
    """Every pair of states with its count, and its share of the source with an interval."""
    moves = counts.stack().rename("n").rename_axis(["source", "target"]).reset_index()
    moves = moves[(moves["source"] != NEW) | (moves["target"] != GONE)]
    of = moves.groupby("source", sort=False)["n"].transform("sum")
    moves = moves.assign(of=of)[of > 0].reset_index(drop=True)
    low, high = evidence.share_interval(moves["n"], moves["of"])
    return moves.assign(share=moves["n"] / moves["of"], low=low, high=high)


def _net_flows(inner, segments):
    """For each pair of segments, either way: who went less who came back, and whether that is more than exchange."""
    here, there = np.triu_indices(len(segments), 1)
    names = np.asarray(segments, dtype=object)
    forth = _one_way(inner[here, there], inner[there, here], inner.sum()).assign(
        source=names[here], target=names[there]
    )
    signs = {"change": -forth["change"], "low": -forth["high"], "high": -forth["low"]}
    back = forth.assign(**signs, source=forth["target"], target=forth["source"])
    found = pd.concat([forth, back], ignore_index=True)
    found["one_way"] = found.pop("clear") & (found["change"] > 0)
    return found.rename(columns={"change": "net", "low": "net_low", "high": "net_high", "p": "net_p"})


def _one_way(went, back, n):
    """`went` less `back` among `n` customers, with the interval and the exact test, corrected over all of them."""
    crossed = went + back
    change = (went - back).astype(float)
    reach = -ndtri(ALPHA / max(np.count_nonzero(crossed), 1) / 2) * np.sqrt(crossed + 1 - change**2 / (n + 2))
    p = np.minimum(2 * bdtr(np.minimum(went, back), np.maximum(crossed, 1), 0.5), 1)
    p = evidence.holm(np.where(crossed > 0, p, np.nan))
    low, high = change - reach, change + reach
    clear = (p < ALPHA) & ((low > 0) | (high < 0))
    return pd.DataFrame({"change": change, "low": low, "high": high, "p": p, "clear": clear})


def _favoured(inner, segments):
    """For each move between segments: how many quasi-independence expects, and whether it is clearly more."""
    cells = ~np.eye(len(segments), dtype=bool)
    moved = np.where(cells, inner, 0)
    cells &= (moved.sum(axis=1) > 0)[:, None] & (moved.sum(axis=0) > 0)
    here, there = np.nonzero(cells)
    expected = _quasi_independent(moved, cells)[here, there]
    unexplained = 1 - _leverage(expected, here, there, len(segments))
    tested = (expected >= LEAST_EXPECTED) & (unexplained > 1e-6)
    residual = np.full(len(expected), np.nan)
    gap = moved[here, there] - expected
    residual[tested] = gap[tested] / np.sqrt(expected[tested] * unexplained[tested])
    p = evidence.holm(2 * ndtr(-np.abs(residual)))
    names = np.asarray(segments, dtype=object)
    found = {"source": names[here], "target": names[there], "expected": expected, "residual": residual}
    return pd.DataFrame({**found, "favoured_p": p, "favoured": (p < ALPHA) & (residual > 0)})


def _quasi_independent(moved, cells):
    """Moves expected if source and target were independent among movers, by proportional fitting to both sums."""
    expected = cells.astype(float)
    for _ in range(2000):
        before = expected
        for axis in (0, 1):
            fitted, wanted = expected.sum(axis=axis, keepdims=True), moved.sum(axis=axis, keepdims=True)
            expected = expected * np.divide(wanted, fitted, out=np.zeros_like(fitted), where=fitted > 0)
        if np.abs(expected - before).max() <= 1e-9 * max(moved.sum(), 1):
            break
    return expected


def _leverage(expected, here, there, size):
    """How far each cell of the fitted table decides its own expectation: the diagonal of the hat matrix."""
    design = np.zeros((len(expected), 2 * size))
    design[np.arange(len(expected)), here] = 1
    design[np.arange(len(expected)), size + there] = 1
    weighted = design * np.sqrt(expected)[:, None]
    return np.einsum("ij,jk,ik->i", weighted, np.linalg.pinv(weighted.T @ weighted), weighted)


def _changes(counts, inner, segments):
    """How each segment's size changed, and whether moves made it so beyond chance."""
    stayed = np.diag(inner)
    entered, left = inner.sum(axis=0) - stayed, inner.sum(axis=1) - stayed
    new = counts.reindex(index=[NEW], columns=segments, fill_value=0).to_numpy()[0]
    gone = counts.reindex(index=segments, columns=[GONE], fill_value=0).to_numpy()[:, 0]
    sizes = {"segment": segments, "before": stayed + left + gone, "after": stayed + entered + new}
    sizes |= {"stayed": stayed, "entered": entered, "left": left, "new": new, "gone": gone}
    return pd.DataFrame(sizes).join(_one_way(entered, left, inner.sum()))


def _worth(pairs):
    """Mean worth before and after of those who made each move, and the change with its interval."""
    found = []
    for (source, target), of in pairs.groupby(["source", "target"]):
        before, after = of["worth_before"].sort_values(), of["worth_after"].sort_values()
        change = (of["worth_after"] - of["worth_before"]).sort_values()  # in order of value: exact sums
        found.append((source, target, before.mean(), after.mean(), *evidence.mean_interval(change)))
    names = ("source", "target", "worth_before", "worth_after", "worth_change", "worth_low", "worth_high")
    return pd.DataFrame(found, columns=names)


def _unusual(moves, usual):
    """Each move's share less its share in the usual movement, where enough customers could have gone so in both."""
    found = moves.merge(usual.moves, on=["source", "target"], suffixes=("", "_usual"))[
        ["source", "target", "n", "of", "n_usual", "of_usual"]
    ]
    pooled = (found["n"] + found["n_usual"]) / (found["of"] + found["of_usual"])
    fewer = found[["of", "of_usual"]].min(axis=1)
    tested = found[np.minimum(pooled, 1 - pooled) * fewer >= LEAST_EXPECTED].reset_index(drop=True)
    counts = (tested[column].to_numpy() for column in ("n", "of", "n_usual", "of_usual"))
    difference, low, high, p = evidence.difference_of_shares(*counts, confidence=1 - ALPHA / max(len(tested), 1))
    p = evidence.holm(p)
    tested = tested.assign(usual_share=tested["n_usual"] / tested["of_usual"], difference=difference)
    tested = tested.assign(difference_low=low, difference_high=high, usual_p=p)
    tested["unusual"] = (p < ALPHA) & ((tested["difference_low"] > 0) | (tested["difference_high"] < 0))
    return tested.drop(columns=["n", "of", "n_usual", "of_usual"])


def _largest(table, column):
    order = table.assign(size=table[column].abs()).sort_values("size", ascending=False, kind="stable")
    return order.drop(columns="size")


def _flow_in_words(move):
    said = {"source": _called(move.source), "target": _called(move.target), "n": move.n, "back": move.n - move.net}
    said |= {"net": move.net, "low": move.net_low, "high": move.net_high, "share": evidence.percent(move.share)}
    if not np.isfinite(getattr(move, "worth_change", np.nan)):
        return phrase(
            "More go from {source} to {target} than come back: {n:,} against {back:,.0f}, net {net:,.0f} (interval "
            "{low:,.0f} to {high:,.0f}); {share} of {source}.",
            **said,
        )
    return phrase(
        "More go from {source} to {target} than come back: {n:,} against {back:,.0f}, net {net:,.0f} (interval "
        "{low:,.0f} to {high:,.0f}); {share} of {source}; worth {before} each before and {after} after.",
        **{**said, "before": evidence.short(move.worth_before), "after": evidence.short(move.worth_after)},
    )


def _change_in_words(change):
    low, net, high = (figure(f"{x:z,.0f}".replace("-", "−")) for x in (change.low, change.change, change.high))
    grows = marked(
        "{segment} grows by moves: {entered:,} came and {left:,} went, net {net} (interval {low} to {high}); with "
        "{new:,} new and {gone:,} gone from {before:,} to {after:,}."
    )
    shrinks = marked(
        "{segment} shrinks by moves: {entered:,} came and {left:,} went, net {net} (interval {low} to {high}); with "
        "{new:,} new and {gone:,} gone from {before:,} to {after:,}."
    )
    said = change._asdict() | {"segment": _called(change.segment), "low": low, "net": net, "high": high}
    return phrase(grows if change.change > 0 else shrinks, **said)


def _favour_in_words(move):
    return phrase(
        "Those who leave {source} go to {target} {times:.1f} times as often as movers do in general: {n:,} against "
        "{expected:,.0f}.",
        **{"source": _called(move.source), "target": _called(move.target), "times": move.n / move.expected},
        **{"n": move.n, "expected": move.expected},
    )


def _news_in_words(moves, most):
    news = _largest(moves[moves["unusual"]], "difference").head(most)
    if news.empty:
        return [phrase("No move differs from the period before beyond chance.")]
    return [_one_news_in_words(move) for move in news.itertuples()]


def _one_news_in_words(move):
    template = _NEWS[move.difference > 0, move.source == move.target]
    return phrase(
        template,
        **{"source": _called(move.source), "target": _called(move.target)},
        **{"share": evidence.percent(move.share), "usual": evidence.percent(move.usual_share)},
        difference=evidence.percent_range(move.difference_low, move.difference_high),
    )


#: By whether more do so than usual, and whether they stay.
_NEWS = {
    (True, True): marked(
        "More than usual stay in {source}: {share} against {usual} in the period before (difference {difference})."
    ),
    (True, False): marked(
        "More than usual go from {source} to {target}: {share} against {usual} in the period before (difference "
        "{difference})."
    ),
    (False, True): marked(
        "Fewer than usual stay in {source}: {share} against {usual} in the period before (difference {difference})."
    ),
    (False, False): marked(
        "Fewer than usual go from {source} to {target}: {share} against {usual} in the period before (difference "
        "{difference})."
    ),
}


def _called(segment):
    """A segment, or what stands for one, as the readers call it."""
    return named(segment, "segment")
