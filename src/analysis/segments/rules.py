"""Segments by rule: who meets which conditions that somebody has written down, how many are they, what do they bring?

Takes `profiles`, one row per customer, and rules in a TOML file; with the base also conditions on events. Gives for
every customer which segments they are in (several, perhaps, or none), and for every segment its size, worth and reach.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, did_you_mean, require_columns
from analysis.evidence import percent, percent_range
from analysis.expressions import last_day, tables_until
from analysis.locale import named
from analysis.phrases import isolated, phrase
from analysis.schema import TABLES
from analysis.segments.conditions import Ground, Lacking, verdict
from analysis.segments.describe import who_consent

#: The rules that come with the package: special customers, and who gets a discount.
SHIPPED = Path(__file__).parent / "rules.toml"

#: What fewer customers bring is not told: it would tell what one of them brings.
MIN_SIZE = 5


@dataclass(frozen=True)
class RuleSegments:
    """Segments by rule, which may overlap.

    Attributes
    ----------
    members : DataFrame, one row per customer, sorted by customer_id
        `customer_id`, and for each segment a column of bool, ``in_`` and its name.
    summary : DataFrame, one row per segment, in the order of the rules
        segment, column, why : str; n : int, customers in it; share, low, high : float, of all customers with the 95 %
        interval; unknown : int, customers whose place hangs on something unknown, and who are not in it; revenue,
        revenue_share, revenue_low, revenue_high : float, missing for fewer than five customers; reachable : Int64,
        members who consent to be contacted on some channel; missing where nobody's consents are recorded.
    conditions : DataFrame, one row per condition
        segment, condition : str; met, unknown : float, customers; note : str, what is odd about it.
    overlap : DataFrame, segments by segments
        Customers in both; in either one on the diagonal.
    left_out : DataFrame, columns segment, why
        Segments that the base cannot judge.
    words : list of str
        All that in sentences.
    """

    members: pd.DataFrame
    summary: pd.DataFrame
    conditions: pd.DataFrame
    overlap: pd.DataFrame
    left_out: pd.DataFrame
    words: list[str]


def from_rules(profiles, rules="", base=None, as_of=None):
    """Who is in which segment by rule, and what each segment is worth.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        With `customer_id`; every further column can stand in a rule.
    rules : str, Path or dict
        A TOML file, or its content: segment → conditions, all of which must hold, and `why` in words. Empty: the rules
        that ship with the package, for which a file of one's own stands in. `rules.toml` shows all that can be asked.
    base : Base, or any mapping from canonical table names to dataframes, optional
        For conditions on events, which are counted in the engine up to the end of `as_of`.
    as_of : date, optional
        The day to count back from; default: the base's own.

    Returns
    -------
    RuleSegments

    Raises
    ------
    Problem
        A file that cannot be read, or a rule that its writer can mend: an unknown field, a comparison that the column
        does not allow. A field that is known but that this base lacks leaves the segment out, and `left_out` says why;
        among alternatives (any, none) it leaves out that alternative.

    Notes
    -----
    A condition on an unknown value is neither met nor missed. Whoever's place in a segment hangs on it is not in the
    segment and counts as `unknown` (the three-valued logic of Kleene 1952, Introduction to Metamathematics). Intervals
    of shares of revenue take both sums as of a sample of customers (Cochran 1977, section 6.3).

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcd"), "n_orders": [5, 1, 9, 0],
    ...                          "city": ["Tehran", "Karaj", None, "Yazd"]})
    >>> found = from_rules(profiles, {"Regulars in town": {"n_orders": ">= 3", "city": ["Tehran", "Karaj"]}})
    >>> found.members["in_regulars_in_town"].tolist()
    [True, False, False, False]
    >>> found.summary[["segment", "n", "unknown"]]
                segment  n  unknown
    0  Regulars in town  1        1
    """
    require_columns("profiles", profiles.columns, ["customer_id"])
    if profiles["customer_id"].duplicated().any():
        raise Problem("profiles has a customer_id more than once. Rules need one row per customer.")
    file, rules = _read(rules)
    profiles = profiles.sort_values("customer_id", ignore_index=True)
    held, conditions, left_out = _verdicts(rules, _ground(profiles, base, as_of), file)
    columns = {name: f"in_{_slug(name)}" for name in held}
    members = pd.DataFrame({columns[name]: held[name].fillna(False).astype(bool) for name in held}, profiles.index)
    summary = _summary(profiles, members, {n: (columns[n], rules[n].get("why", ""), held[n]) for n in held})
    overlap = _overlap(members, list(held))
    words = _in_words(summary, members, conditions, left_out) + _overlaps_in_words(overlap)
    members = pd.concat([profiles[["customer_id"]], members], axis=1)
    return RuleSegments(members, summary, conditions, overlap, left_out, words)


def rule_labels(profiles, rules="", base=None, as_of=None):
    """One label per customer: all the rule segments that they are in, so that rules can be judged as one segmentation.

    Parameters
    ----------
    profiles, rules, base, as_of : as in :func:`from_rules`

    Returns
    -------
    DataFrame, sorted by customer_id
        customer_id; segment_name : str, the names joined by " + ", "in none" for whoever is in none.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abc"), "n_orders": [5, 9, 0]})
    >>> rule_labels(profiles, {"Some": {"n_orders": ">= 3"}, "Many": {"n_orders": ">= 6"}})["segment_name"].tolist()
    ['Some', 'Some + Many', 'in none']
    """
    found = from_rules(profiles, rules, base, as_of)
    label = pd.Series("", found.members.index)
    for name, column in found.summary[["segment", "column"]].itertuples(index=False):
        label = label.where(~found.members[column], label + " + " + name)
    label = label.str.removeprefix(" + ").replace("", "in none")
    return found.members[["customer_id"]].assign(segment_name=label)


def campaign_list(found, segment, profiles=None, channel=""):
    """Whom to contact: the customers of a segment by rule, those who consent to a channel.

    Parameters
    ----------
    found : RuleSegments
    segment : str
    profiles : DataFrame, one row per customer, with `consents`; needed for a channel
    channel : str
        Only those who may be contacted on it; empty: all of the segment, whether or not they may be contacted.

    Returns
    -------
    DataFrame, column customer_id, sorted
        Ready for ``.to_csv("list.csv", index=False)``.

    Raises
    ------
    Problem
        No such segment, or nobody's consents are known.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abc"), "n_orders": [5, 7, 0], "consents": [["sms"], [], None]})
    >>> found = from_rules(profiles, {"Regulars": {"n_orders": ">= 3"}})
    >>> campaign_list(found, "Regulars", profiles, "sms")["customer_id"].tolist()
    ['a']
    """
    columns = found.summary.set_index("segment")["column"]
    if segment not in columns:
        known = ", ".join(columns.index) or "none"
        raise Problem(f'There is no segment "{segment}".{did_you_mean(segment, columns.index)} There are: {known}.')
    ids = found.members.loc[found.members[columns[segment]], ["customer_id"]].reset_index(drop=True)
    if not channel:
        return ids
    if profiles is None:
        raise Problem(f"Who consents to {channel} stands in the profiles: campaign_list(found, segment, profiles, …).")
    require_columns("profiles", profiles.columns, ["customer_id", "consents"])
    consents = profiles.set_index("customer_id")["consents"].reindex(ids["customer_id"])
    channels = sorted(set(profiles["consents"].explode().dropna().astype(str)))
    if channel not in channels:
        known = ", ".join(channels) or "no channel at all"
        raise Problem(f'Nobody consents to "{channel}".{did_you_mean(channel, channels)} Consented to: {known}.')
    may = consents.map(lambda given: pd.api.types.is_list_like(given) and channel in given).to_numpy(dtype=bool)
    return ids[may].reset_index(drop=True)


def _read(rules):
    """The name of the rules for messages, and the rules: every segment a dict of conditions."""
    if isinstance(rules, Mapping):
        name = "rules"
    elif not isinstance(rules, str | Path):
        raise Problem(f"rules is the path of a TOML file, or a dict of segments, not {rules!r}.")
    else:
        file = Path(rules) if str(rules) else SHIPPED
        name, rules = file.name, _parsed(file)
    if not rules:
        raise Problem(
            f'{name} has no segment. Write one as ["Name"] with a condition below it, e.g. n_orders = ">= 3".'
        )
    slugs = {}
    for segment, rule in rules.items():
        if not isinstance(rule, Mapping):
            raise Problem(
                f'{name}: {segment} = {rule!r} stands before any segment. Write ["Name of the segment"] above it.'
            )
        if not isinstance(rule.get("why", ""), str):
            raise Problem(f'{name} ["{segment}"]: why = {rule["why"]!r} should be a sentence in quotes.')
        slug = _slug(segment)
        if not slug or slug in slugs:
            other = f', as does "{slugs[slug]}"' if slug else ""
            raise Problem(f'{name} ["{segment}"]: the name gives the column "in_{slug}"{other}. Choose another name.')
        slugs[slug] = segment
    return name, rules


def _parsed(file):
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise Problem(f'rules = "{file}" cannot be read: {e.strerror}. Name a TOML file, or leave it empty.') from None
    except UnicodeDecodeError as e:
        raise Problem(f"{file.name} is not UTF-8 text (byte {e.start}). Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as e:
        raise Problem(
            f"{file.name} is not valid TOML: {e}. Names and conditions stand in quotes; mend that line."
        ) from None


def _ground(profiles, base, as_of):
    """What the rules are judged on."""
    if base is not None:
        as_of = last_day(base, as_of, "segments.from_rules")
    elif as_of is not None:
        as_of = last_day({}, as_of, "segments.from_rules")
    personal = {c.name for c in TABLES["customers"].columns if c.personal} | set(getattr(base, "personal", ()))
    return Ground(profiles, tables_until(base, as_of) if base is not None else {}, as_of, frozenset(personal))


def _verdicts(rules, ground, file):
    """For whom each rule holds that the base can judge, what became of its conditions, and the rules left out."""
    held, conditions, left_out = {}, [], []
    for name, rule in rules.items():
        asked = {key: given for key, given in rule.items() if key != "why"}
        try:
            verdicts, rows = verdict(asked, ground, f'{file} ["{name}"]')
            if all(np.isnan(row.met) for row in rows):  # nothing but exclusions, none of which can be judged
                raise Lacking(rows[0].note)
        except Lacking as e:
            left_out.append((name, str(e)))
        else:
            held[name] = verdicts
            conditions += [(name, *row) for row in rows]
    conditions = pd.DataFrame(conditions, columns=["segment", "condition", "met", "unknown", "note"])
    return held, conditions, pd.DataFrame(left_out, columns=["segment", "why"])


def _slug(name):
    """A segment's name as the end of a column's name: letters and digits of any script.

    Examples
    --------
    >>> _slug("No discount: loyal!"), _slug("مشتری ویژه")
    ('no_discount_loyal', 'مشتری_ویژه')
    """
    return re.sub(r"\W+", "_", name.casefold()).strip("_")


def _summary(profiles, members, segments):
    """A row per segment: its size, worth and reach."""
    rows = []
    for name, (column, why, held) in segments.items():
        inside = members[column]
        row = {"segment": name, "column": column, "why": why, "n": int(inside.sum()), "unknown": int(held.isna().sum())}
        rows.append(row | _revenue_of(profiles, inside) | {"reachable": _reachable(profiles, inside)})
    columns = ["segment", "column", "why", "n", "unknown", *_revenue_of(profiles, members.any(axis=1)), "reachable"]
    table = pd.DataFrame(rows, columns=columns).astype({"reachable": "Int64", "n": "int64"})
    size = table.columns.get_loc("n") + 1
    table.insert(size, "share", table["n"] / max(len(profiles), 1))
    low, high = evidence.share_interval(table["n"], np.full(len(table), len(profiles)))
    table.insert(size + 1, "low", low)
    table.insert(size + 2, "high", high)
    return table


def _revenue_of(profiles, inside):
    """What some customers bring: an amount, and a share of everybody's with its interval."""
    names = ("revenue", "revenue_share", "revenue_low", "revenue_high")
    if "total_spend" not in profiles or inside.sum() < MIN_SIZE:
        return dict.fromkeys(names, np.nan)
    spend = profiles["total_spend"].astype("float64")
    shares = (round(x, 6) for x in evidence.share_of_sum(spend, inside))
    return dict(zip(names, (round(float(spend[inside].sort_values().sum()), 2), *shares), strict=True))


def _reachable(profiles, inside):
    """How many consent to be contacted on some channel; nothing where nobody's consents are recorded."""
    if "consents" not in profiles or profiles["consents"].isna().all():
        return pd.NA
    return who_consent(profiles.loc[inside, "consents"])


def _overlap(members, names):
    """Customers in both of two segments."""
    inside = members.to_numpy(dtype=np.int64)
    return pd.DataFrame(inside.T @ inside, index=pd.Index(names, name="segment", dtype="str"), columns=names)


def _in_words(summary, members, conditions, left_out):
    sentences = []
    if summary.empty:
        sentences.append(phrase("No rule of the file can be asked of this base: what each asks for is not known here."))
    if len(summary):
        in_how_many = members.sum(axis=1)
        n, some, several = len(members), int((in_how_many > 0).sum()), int((in_how_many > 1).sum())
        sentences.append(
            phrase(
                "{some:,} of {n:,} customers are in a segment by rule ({share}), {several:,} of them in more than one.",
                **{"some": some, "n": n, "share": percent(some / max(n, 1)), "several": several},
            )
        )
    sentences += [_segment_in_words(row, len(members)) for row in summary.itertuples()]
    odd = conditions[conditions["note"] != ""]
    for note, rows in odd.groupby("note", sort=False):
        asked = phrase("; ").join(f"{_called(r.segment)} ({isolated(r.condition)})" for r in rows.itertuples())
        sentences.append(phrase("{conditions}: {note}", conditions=asked, note=_ended(note)))
    for why, rows in left_out.groupby("why", sort=False):
        names = phrase("; ").join(map(_called, rows["segment"]))
        sentences.append(phrase("Left out, as {why}: {segments}.", why=why, segments=names))
    return sentences


def _ended(sentence):
    return sentence if sentence.endswith(("?", ".")) else f"{sentence}."


def _segment_in_words(row, n):
    size = phrase(
        "{segment}: {inside:,} of {n:,} customers ({share}, interval {interval})",
        **{"segment": _called(row.segment), "inside": row.n, "n": n, "share": percent(row.share, 1)},
        interval=percent_range(row.low, row.high, 1),
    )
    parts = [size, *_revenue_in_words(row)]
    if not pd.isna(row.reachable) and row.n:
        parts.append(phrase("{n:,} of them reachable", n=row.reachable))
    text = phrase(", ").join(parts)
    return phrase("{said}; of {n:,} more it cannot be said.", said=text, n=row.unknown) if row.unknown else f"{text}."


def _revenue_in_words(row):
    if not np.isfinite(row.revenue_share):
        return []
    share = percent(row.revenue_share)
    if not np.isfinite(row.revenue_low):
        return [phrase("{share} of revenue", share=share)]
    interval = percent_range(row.revenue_low, row.revenue_high)
    return [phrase("{share} of revenue ({interval})", share=share, interval=interval)]


def _called(segment):
    return named(segment, "segment")


def _overlaps_in_words(overlap):
    """The largest share of a segment that is in another one as well, in a sentence."""
    n = np.diag(overlap.to_numpy())
    shares = np.where(n[:, None] >= MIN_SIZE, overlap.to_numpy() / np.maximum(n[:, None], 1), 0.0)
    np.fill_diagonal(shares, 0.0)
    if not shares.any():
        return []
    here, there = np.unravel_index(shares.argmax(), shares.shape)
    names, both = overlap.columns, overlap.iloc[here, there]
    return [
        phrase(
            "Largest overlap: of {n:,} in {here}, {both:,} ({share}) are in {there} too.",
            **{"n": n[here], "here": _called(names[here]), "both": both, "share": percent(shares[here, there])},
            there=_called(names[there]),
        )
    ]
