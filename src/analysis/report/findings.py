"""Which of all that a run found matters most, and where in the book is it shown?

Takes a run's artefacts. Gives sentences with their figures, the largest consequence first, by a rule that holds for all
chapters alike: see :func:`findings`.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from analysis import evidence, journeys, locale, quality, segments
from analysis.evidence import percent, percent_range
from analysis.journeys import map_words
from analysis.personas import lines
from analysis.phrases import phrase, spoken
from analysis.profiles.describe import OVERDUE
from analysis.report.tiles import money
from analysis.run import Run

#: Findings on the first page, and of one chapter.
MOST, MOST_OF_A_CHAPTER = 8, 2

#: What concerns less than a hundredth of all is no finding; a defect is one where it moves a headline by as much.
LEAST = 0.01

#: What a finding counts in: the share of all customers, of all revenue, of all conversions, or of a headline figure.
COUNTED = ("customers", "revenue", "conversions", "headline")


class Finding(NamedTuple):
    """Something that a chapter found.

    Attributes
    ----------
    chapter, section : str
        Where it is shown: the notebook, and the heading in it.
    what : str
        The kind of finding, one of each at most.
    sentence : str
    counted, consequence : str, float
        What it counts in (see `COUNTED`), and how much of all of it, from 0 to 1.
    """

    chapter: str
    section: str
    what: str
    sentence: str
    counted: str
    consequence: float


def findings(run: Run) -> pd.DataFrame:
    """What matters most of a run, the largest consequence first.

    Parameters
    ----------
    run : Run

    Returns
    -------
    DataFrame, one row per finding, at most eight; empty where nothing was found
        The fields of :class:`Finding`.

    Notes
    -----
    The rule: each finding counts by the share of all customers that it concerns, or of all revenue (conversions, a
    headline figure) where it is about that, and by no more than what would be otherwise if there were nothing to find:
    of the best fifth's revenue what is above a fifth, of a trait the customers who have it beyond those who would if
    all customers were alike.
    Each is taken at the end of its interval that is nearer to nothing, so that what is not sure comes later, and what
    may be nothing does not come at all. All shares are of one base, which makes a customer of a hundred and a hundredth
    of the revenue weigh the same: for whom that is wrong, `consequence` stands beside `counted`. Largest first, two of
    a chapter at most, so that one chapter does not drown the others.
    """
    chapters = (_quality, _profiles, _segments, _personas, _journeys)
    found = [finding for of_chapter in chapters for finding in of_chapter(run) if finding.consequence >= LEAST]
    found.sort(key=lambda finding: -finding.consequence)
    table = pd.DataFrame(found, columns=Finding._fields)
    return table.groupby("chapter", sort=False).head(MOST_OF_A_CHAPTER).head(MOST).reset_index(drop=True)


def bottleneck(run: Run) -> Finding | None:
    """The step of the journey at which most is lost; None without a funnel, or where nobody is known to be lost."""
    funnel = run.read("funnel") if run.has("funnel") else pd.DataFrame()
    if funnel.empty:
        return None
    whole = funnel[(funnel["per"] == funnel["per"].iloc[0]) & funnel["persona"].isna() & (funnel["split"] == "")]
    steps = journeys.bottlenecks(whole.reset_index(drop=True)).table
    if steps.empty or not steps["lost"].iloc[0]:
        return None
    worst = steps.iloc[0]
    judged = int(whole.loc[whole["step"] == worst["step"], "judged"].iloc[0])
    low, high = evidence.share_interval(worst["lost"], judged)
    figures = {
        "step": locale.named(worst["step"]),
        "next": locale.named(worst["next_step"]),
        "lost": int(worst["lost"]),
        "judged": judged,
        "share": percent(worst["loss_rate"], 1),
        "interval": percent_range(low, high, 1),
    }
    sentence = phrase(
        "Of {judged:,} at “{step}” who had the time, {lost:,} did not go on to “{next}” ({share}, interval "
        "{interval}).",
        **figures,
    )
    if worst["lost_value"] > 0:
        sums = {c: money(worst[f"lost_value{c}"], run.about["currency"]) for c in ("", "_low", "_high")}
        sentence += " " + phrase(
            "Had they gone on like the others, they would have brought {money} (interval {low} to {high}).",
            money=sums[""],
            low=sums["_low"],
            high=sums["_high"],
        )
    of_all = low * judged / whole["entered"].iloc[0]
    section = "Where are customers lost, where do they wait?"
    return Finding("4_journeys", section, "bottleneck", sentence, "customers", of_all)


def cards(run: Run) -> dict[int, dict]:
    """The content of each persona's card (docs/persona_schema.md) by its number, in the language of the readers."""
    if not run.has("personas"):
        return {}
    folders = [run.folder / "personas" / language for language in dict.fromkeys((spoken(), *locale.LANGUAGES))]
    found = {}
    for number in run.read("personas")["persona"]:
        file = next((file for f in folders if (file := f / f"persona-{number}.json").is_file()), None)
        if file:
            found[int(number)] = json.loads(file.read_text(encoding="utf-8"))
    return found


# Chapter by chapter


def _quality(run: Run) -> Iterator[Finding]:
    if not run.has("quality"):
        return
    bending = run.read("quality").query("moves >= @LEAST").head(1)
    for told in quality.worst(bending).itertuples(index=False):
        sentence = phrase("{defect}; {bends}.", defect=told[0], bends=told[1])
        section = "What is wrong, worst first"
        yield Finding("0_data", section, "defect", sentence, "headline", float(bending["moves"].iloc[0]))


def _profiles(run: Run) -> Iterator[Finding]:
    if not run.has("profiles"):
        return
    profiles = run.read("profiles")
    buyers = profiles[profiles["n_orders"] > 0] if "n_orders" in profiles else profiles.head(0)
    if len(buyers):
        yield _bought_once(buyers, len(profiles))
    if len(buyers) and "overdue_ratio" in profiles and profiles["overdue_ratio"].notna().any():
        yield _overdue(profiles, float(_parameter(run, "1_profiles", "overdue_after", OVERDUE)))
    lifts = run.read("ideal_lifts").query("marks and lift > 1") if run.has("ideal_lifts") else ()
    if len(lifts):
        yield _ideal(lifts, len(profiles))


def _bought_once(buyers: pd.DataFrame, customers: int) -> Finding:
    once = int((buyers["n_orders"] == 1).sum())
    low, high = evidence.share_interval(once, len(buyers))
    sentence = phrase(
        "{once:,} of {buyers:,} buyers bought once and not again so far ({share}, interval {interval}).",
        once=once,
        buyers=len(buyers),
        share=percent(once / len(buyers)),
        interval=percent_range(low, high),
    )
    section = "How much do they spend, and how often?"
    return Finding("1_profiles", section, "one-time buyers", sentence, "customers", low * len(buyers) / customers)


def _overdue(profiles: pd.DataFrame, after: float) -> Finding:
    judged = profiles["overdue_ratio"].notna()
    late = profiles["overdue_ratio"] > after
    low, high = evidence.share_interval(late.sum(), judged.sum())
    sentence = phrase(
        "{late:,} of {judged:,} customers with a rhythm of their own have been away for more than {times} times their "
        "usual gap ({share}, interval {interval}).",
        late=int(late.sum()),
        judged=int(judged.sum()),
        times=evidence.short(after),
        share=percent(late.sum() / judged.sum()),
        interval=percent_range(low, high),
    )
    counted, consequence = "customers", low * judged.mean()
    share, least, most = evidence.share_of_sum(profiles.get("total_spend", pd.Series(0.0, profiles.index)), late)
    if least == least:  # where there is no revenue to share, there is no interval
        brought = {"share": percent(share), "interval": percent_range(least, most)}
        sentence += " " + phrase("They have brought {share} of all revenue (interval {interval}).", **brought)
        counted, consequence = "revenue", least
    section = "Who is overdue, by their own rhythm rather than by ours?"
    return Finding("1_profiles", section, "overdue", sentence, counted, consequence)


def _ideal(marks: pd.DataFrame, customers: int) -> Finding:
    """The level that most customers owe it to that they met the target, as far as a level can be owed anything."""
    share = marks["customers"] / customers
    more = share * (1 - share) * marks["elsewhere"] * (marks["low"] - 1)
    best = marks.loc[more.idxmax()]
    sentence = phrase(
        "Of {n:,} customers with {trait} “{level}”, {share} met the target of the ideal customer, {lift} times as "
        "often as the others (interval {low} to {high}).",
        n=int(best["customers"]),
        trait=evidence.in_words(best["trait"]),
        level=locale.named(best["level"], best["trait"]),
        share=percent(best["share"]),
        **{c: evidence.short(round(best[c], 1)) for c in ("lift", "low", "high")},
    )
    return Finding("1_profiles", "The ideal customer", "ideal", sentence, "customers", more.max())


def _segments(run: Run) -> Iterator[Finding]:
    if not (run.has("profiles") and run.has("segments")):
        return
    profiles, seed = run.read("profiles"), int(_parameter(run, "2_segments", "seed", 1))
    for value, count in (("total_spend", "n_orders"), ("won_value", "won_deals")):
        buyers = profiles[profiles[count] > 0] if {value, count} <= set(profiles) else profiles.head(0)
        if len(buyers) and buyers[value].sum() > 0:
            yield _pareto(segments.pareto(buyers, value, seed=seed))
            break  # of a base with both, the chapter speaks of orders
    if "total_spend" in profiles:
        yield from _largest_segment(profiles, run.read("segments"))
    if run.has("rule_segments"):
        yield from _largest_rule(run.read("rule_segments"))


def _pareto(found: segments.ParetoResult) -> Finding:
    sentence = phrase(
        "The best {top} of buyers ({best:,} of {n:,}) bring {share} of revenue (interval {interval}): {verdict}.",
        top=percent(found.top),
        best=found.best,
        n=found.n,
        share=percent(found.share, 1),
        interval=percent_range(found.low, found.high, 1),
        verdict=found.verdict,
    )
    section = "Do a fifth of the customers bring four fifths of the revenue?"
    return Finding("2_segments", section, "best fifth", sentence, "revenue", found.low - found.top)


def _largest_segment(profiles: pd.DataFrame, members: pd.DataFrame) -> Iterator[Finding]:
    """The group that brings most beyond its share of the customers."""
    sizes = segments.sizes(profiles, members)
    known = members.merge(profiles[["customer_id", "total_spend"]], on="customer_id")
    shares = [evidence.share_of_sum(known["total_spend"], known["segment"] == s) for s in sizes["segment"]]
    sizes[["brings", "least", "most"]] = shares
    sizes = sizes.dropna(subset="least")  # of one that brings all, or nothing, no interval can be told
    if sizes.empty:
        return
    best = sizes.loc[(sizes["least"] - sizes["share"]).idxmax()]
    sentence = phrase(
        "{segment}: {share} of customers, {brings} of revenue (interval {interval}).",
        segment=best["segment_name"],
        share=percent(best["share"]),
        brings=percent(best["brings"]),
        interval=percent_range(best["least"], best["most"]),
    )
    consequence = best["least"] - best["share"]
    yield Finding("2_segments", "Groups in the data", "group", sentence, "revenue", consequence)


def _largest_rule(rules: pd.DataFrame) -> Iterator[Finding]:
    """The segment by rule that brings most beyond its share of the customers."""
    if "revenue_low" not in rules or not rules["revenue_low"].notna().any():
        return
    best = rules.loc[(rules["revenue_low"] - rules["share"]).idxmax()]
    sentence = phrase(
        "{segment}: {n:,} customers, {share} of all, bring {brings} of revenue (interval {interval}).",
        segment=locale.named(best["segment"], "segment"),
        n=int(best["n"]),
        share=percent(best["share"]),
        brings=percent(best["revenue_share"]),
        interval=percent_range(best["revenue_low"], best["revenue_high"]),
    )
    consequence = best["revenue_low"] - best["share"]
    yield Finding("2_segments", "Segments by rule", "rule", sentence, "revenue", consequence)


def _personas(run: Run) -> Iterator[Finding]:
    """What most customers of a persona have that others do not, as far as it is a share of them."""
    if not (run.has("personas") and run.has("persona_traits")):
        return
    traits, personas = run.read("persona_traits"), run.read("personas").set_index("persona")
    told = traits[(traits["measure"] == "profile") & (traits["level"] != "") & traits["distinctive"]]
    told = told[told["low"] > 0]
    if told.empty:
        return
    share = told["persona"].map(personas["n"]) / personas["n"].sum()
    more = share * (1 - share) * told["low"]
    best = told.loc[more.idxmax()]
    card = cards(run).get(int(best["persona"]), {})
    sentence = phrase(
        "{name}, {share} of the customers: {statement}; elsewhere {elsewhere} (difference {low} to {high}).",
        name=card.get("name") or personas.loc[best["persona"], "name"],
        share=percent(personas.loc[best["persona"], "share"]),
        statement=lines.sentence(best, locale.of(spoken()), run.about["currency"]),
        elsewhere=percent(best["elsewhere"]),
        low=percent(best["low"]),
        high=percent(best["high"]),
    )
    yield Finding("3_personas", "The cards", "persona", sentence, "customers", more.max())


def _journeys(run: Run) -> Iterator[Finding]:
    if worst := bottleneck(run):
        yield worst
    if run.has("opportunities") and run.has("personas") and run.count("opportunities"):
        yield _opportunity(run)
    if run.has("attribution"):
        yield from _attribution(run.read("attribution"))


def _opportunity(run: Run) -> Finding:
    personas = run.read("personas").set_index("persona")
    names = personas["name"].to_dict() | {number: card["name"] for number, card in cards(run).items()}
    best = run.read("opportunities").iloc[0]
    said = map_words.opportunity(best, locale.of(spoken()), names)
    whose = names.get(best["persona"])  # the map of everybody is nobody's
    sentence = phrase("{name}: {statement}.", name=whose, statement=said) if whose else f"{said}."
    consequence = best["gained_low"] / personas["n"].sum()
    return Finding("4_journeys", "The map of each persona", "opportunity", sentence, "customers", consequence)


def _attribution(table: pd.DataFrame) -> Iterator[Finding]:
    """The channel that the last touch shows the least rightly, if the way there is counted, too."""
    told = table[(table["method"] == "markov") & table["differs"]]
    if told.empty:
        return
    surely = told[["difference_low", "difference_high"]].abs().min(axis=1)
    most = told.loc[surely.idxmax()]
    figures = {
        "channel": locale.named(most["channel"], "channel"),
        "last": percent(most["last_touch"], 1),
        "share": percent(most["share"], 1),
        "interval": percent_range(most["low"], most["high"], 1),
    }
    sentence = phrase(
        "By the last touch “{channel}” may claim {last} of the conversions, by the part it has on the way there "
        "{share} (interval {interval}).",
        **figures,
    )
    section = "Which channels may claim the orders?"
    yield Finding("4_journeys", section, "attribution", sentence, "conversions", surely.max())


def _parameter(run: Run, chapter: str, name: str, default: object) -> object:
    """What a chapter was run with."""
    file = run.folder / "run.json"
    given = json.loads(file.read_text(encoding="utf-8")).get("parameters") or {} if file.is_file() else {}
    return (given.get(chapter) or {}).get(name, default)
