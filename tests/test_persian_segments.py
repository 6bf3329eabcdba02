"""Does the chapter on segments speak Persian, in all that a reader sees of it?"""

import re
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import plots, segments
from analysis.journeys.members import members
from analysis.phrases import speaking
from analysis.segments.advice import verdict


@pytest.fixture(autouse=True)
def persian():
    with speaking("fa"):
        yield
    plt.close("all")


def seen(axes):
    """Every text on a figure, and what stands in its place for those who do not see it."""
    axes.figure.draw_without_rendering()
    shown = axes.figure.findobj(Text) if axes.axison else [axes.title]
    return [t.get_text() for t in shown if t.get_text()] + [plots.alt_text(axes.figure)]


def foreign(texts, data=()):
    """The texts with a Latin letter or digit that is not of the data."""
    texts = list(texts)
    assert texts, "nothing was said"
    of_data = re.compile("|".join(map(re.escape, data)) or "$^")
    return [text for text in texts if re.search("[A-Za-z0-9]", of_data.sub("", str(text)))]


@pytest.fixture(scope="module")
def profiles():
    """Three kinds of 100 customers each, who differ in age, in what they buy and in how much."""
    rng = np.random.default_rng(1)
    kind = np.repeat([0, 1, 2], 100)
    orders = rng.poisson(np.array([2, 5, 9])[kind])
    novel = np.clip(np.array([0.1, 0.5, 0.9])[kind] + rng.normal(0, 0.05, 300), 0, 1)
    table = pd.DataFrame({"customer_id": [f"c{i:03}" for i in range(300)], "n_orders": orders, "n_lines": 4 * orders})
    table["age"] = np.array([25.0, 45, 65])[kind] + rng.normal(0, 3, 300)
    table["gender"] = np.where(kind == 2, "female", "male")
    table["bought_novel"], table["bought_children"] = novel, 1 - novel
    table["n_order_days"] = orders
    table["total_spend"] = orders * np.round(rng.gamma(4, 25, 300))
    table["spend_365d"] = table["total_spend"] / 2
    table["recency_days"] = np.where(orders > 0, rng.integers(1, 700, 300), np.nan)
    table["tenure_days"] = np.where(orders > 0, 800.0, np.nan)
    table["overdue_ratio"] = rng.uniform(0, 4, 300)
    table["tickets_365d"] = rng.poisson(1, 300)
    table["acquisition_channel"] = np.where(kind == 2, "instagram", "web")
    table["acquisition_campaign"] = None
    table["consents"] = [["sms"] if i % 3 else [] for i in range(300)]
    table.loc[::7, "age"] = np.nan
    return table


@pytest.fixture(scope="module")
def grouped(profiles):
    return profiles[["customer_id"]].assign(segment=np.repeat([1, 2, 3], 100), fit=0.2)


def test_segments_by_rule_are_told_in_persian(profiles):
    found = segments.from_rules(profiles)
    assert len(found.summary) >= 2
    assert len(found.left_out) >= 2  # neither price sensitivity nor returns are known
    assert not foreign(found.words, data=["last_nps >= 9", "campaigns_answered >= 1"])  # as the rule is written
    assert not foreign(seen(plots.overlaps(found.overlap)))
    assert "ویژه" in found.words[1]


def test_what_is_odd_about_a_rule_is_told_in_persian(profiles):
    tickets = pd.DataFrame({"ticket_id": ["1"], "customer_id": ["c001"], "topic": ["دیرکرد"]})
    rules = {
        "یکم": {"gender": ["femal", "male"]},
        "دوم": {"tickets": {"where": {"topic": "کیفیت"}}},
        "سوم": {"deals": {"count": ">= 1"}},
        "چهارم": {"acquisition_campaign": "x"},
        "پنجم": {"tickets": {"last_days": 9}},
        "ششم": {"n_orders": "top 10 %"},
    }
    base = SimpleNamespace(tables={"tickets": tickets})
    words = segments.from_rules(profiles, rules, base.tables, as_of="2024-01-31").words
    as_written = [
        "gender femal or male",
        "female",
        "femal",
        "tickets",
        "topic",
        ">= 1",
        "n_orders top 10 %",
    ]  # what the writer of a rule can find
    assert not foreign(words, data=sorted(as_written, key=len, reverse=True))
    assert len(words) >= 8


def test_origins_are_told_in_persian(profiles):
    came = segments.origins(profiles)
    assert came.table["differs"].any()
    assert not foreign(came.words)
    for table, days in ((came.table, 0), (came.table, 365), (came.table.assign(differs=False), 30)):
        assert not foreign(seen(plots.origins(table, days, "toman")))
    assert not foreign(seen(plots.origins(came.table.head(1))))
    alike = segments.origins(profiles.assign(acquisition_channel=np.where(np.arange(300) % 2, "web", None)))
    assert not foreign(alike.words)
    costly = came.table.assign(cost=500.0, cost_per_customer=5.0)
    assert not foreign([segments.origins.__globals__["_cost_in_words"](row, "تومان") for row in costly.itertuples()])


def test_scores_are_told_in_persian(profiles):
    scores = segments.rfm(profiles)
    texts = seen(plots.rfm_map(scores)) + seen(plots.rfm_map(scores[scores["rfm_segment"] == "Lost"]))
    assert not foreign(texts)
    assert [text for text in texts if text.startswith("همه در یک گروه‌اند، ازدست‌رفته")]  # not "ناموفق", as of a deal
    few = profiles.assign(n_order_days=1 + profiles["n_orders"].gt(5))
    cuts = {"recency_days": [1000, 2000, 3000, 4000]}
    notes = segments.rfm(few, cuts).attrs["notes"] + segments.no_scores(profiles).attrs["notes"]
    assert len(notes) == 3
    assert not foreign(notes)


@pytest.mark.parametrize("top", [0.01, 0.05, 0.1, 0.2, 0.25, 0.3])
def test_concentration_is_told_in_persian(profiles, top):
    found = segments.pareto(profiles, top=top)
    assert not foreign(seen(plots.lorenz(found.curve, found.share, found.low, found.high, top, found.n)))
    verdicts = [found._replace(top=0.2, low=low, high=high) if hasattr(found, "_replace") else found.verdict
                for low, high in ((0.9, 1.0), (0.5, 0.6), (0.7, 0.9))]  # fmt: skip
    assert not foreign(verdicts)


def test_groups_are_told_in_persian(profiles, grouped):
    features = segments.features(
        profiles, ["demographic", "preference", "acquisition_campaign", "consents", "tenure_days"]
    )
    assert len(features.notes) >= 4  # one for what they are formed by and for what is not known, and three left out
    assert not foreign(features.notes)
    choice = segments.choose_k(profiles, features, ks=range(2, 5))
    named = segments.name_segments(profiles, grouped)
    summary, sizes = segments.describe(profiles, named), segments.sizes(profiles, named)
    told = segments.short_rules(profiles, named, "toman", seed=1)
    assert (told.rules["rule"] != "").all()
    assert not foreign([*named["segment_name"], told.verdict, *segments.rules_in_words(told.rules)])
    for chosen in (1, 2, 3, 4):
        assert not foreign(seen(plots.stability(choice, chosen)))
    assert not foreign(seen(plots.segment_sizes(sizes)) + seen(plots.segment_traits(summary)))
    against = segments.concerns(profiles, named, summary, told.rules.assign(recall_high=0.3), features.columns)
    assert set(against["asks"]) >= {"measurable", "distinct"}
    assert not foreign(against["sentence"])
    pareto = segments.pareto(profiles)
    assert not foreign([s for chosen in (1, 2, 3) for s in segments.findings(sizes, choice, chosen, pareto)])


@pytest.mark.parametrize(("beats", "stable"), [(True, False), (False, True), (False, False)])
def test_that_there_are_no_groups_is_told_in_persian(beats, stable):
    choice = pd.DataFrame(
        {"k": [1, 2, 3], "stability": [np.nan, 0.5, 0.9 if stable else 0.4], "chosen": [True, False, False]}
    )
    choice = choice.assign(low=0.3, high=0.95, beats_reference=[False, beats, False])
    sizes = pd.DataFrame({"segment": [1], "revenue_share": [1.0]})
    assert not foreign(segments.findings(sizes, choice, 1) + seen(plots.stability(choice, 1)))


def test_doubts_about_few_and_uneven_groups_are_told_in_persian(profiles):
    uneven = profiles[["customer_id"]].assign(segment=[1] * 290 + [2] * 10, segment_name="گروه")
    summary = segments.describe(profiles, uneven)
    rules = pd.DataFrame(
        {"segment": [1, 2], "segment_name": "گروه", "rule": ["", "x"], "precision": 0.2, "recall": 0.2}
    )
    rules = rules.assign(precision_high=0.3, recall_high=0.3)
    without = profiles.drop(columns="consents")
    rarely = profiles.assign(consents=[["sms"] if i % 9 == 0 else [] for i in range(300)])
    found = pd.concat([segments.concerns(table, uneven, summary, rules) for table in (without, rarely)])
    assert set(found["asks"]) == {"substantial", "simple", "measurable", "reachable"}
    assert not foreign(found["sentence"])


@pytest.fixture(scope="module")
def served():
    """Customers of two cities, of whom those in Yazd buy twice as much later."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"customer_id": range(400), "city": rng.choice(["Yazd", "Qom"], 400)})
    table["total_spend"], table["recency_days"] = 10.0 * rng.poisson(3, 400), rng.integers(1, 90, 400)
    return table.assign(outcome=np.where(table["city"] == "Yazd", 40, 5) + rng.normal(0, 1, 400))


@pytest.mark.parametrize("cost", [2, 12, 60])
def test_what_a_decision_earns_is_told_in_persian(served, cost):
    found = segments.policy(
        served, served.assign(outcome=served["outcome"] * 0.6), {"groups": "city"}, cost=cost, margin=1
    )
    assert not foreign(segments.policy_in_words(found, "toman"))
    figures = (plots.profit_curve, lambda _, *given: plots.profits(*given))
    for use in (found.use, "mass marketing", "groups"):
        for draw in figures:
            assert not foreign(seen(draw(found.curve, found.profits, use, "toman")))
    assert not foreign(seen(plots.profits(found.profits[found.profits["kind"] != "mass marketing"])))


def test_what_an_experiment_shows_is_told_in_persian(served):
    contacted = served.assign(contacted=(served["recency_days"] > 30) | (served.index % 9 == 0))
    found = segments.policy(contacted, schemes={"RFM": "city"}, cost=1, margin=0.3)
    assert found.caused
    assert found.doubts
    assert not foreign(segments.policy_in_words(found, "toman"))


def test_every_verdict_is_told_in_persian():
    kinds = {
        "mass marketing": "mass marketing",
        "recency": "single number",
        "RFM": "segmentation",
        "one to one": "one to one",
    }
    profits = pd.DataFrame({"rule": kinds.keys(), "kind": kinds.values(), "profit": [1.0, 2, 3, 4], "share": 0.5})
    rivals = {"RFM": ["mass marketing", "recency"], "one to one": ["mass marketing", "recency", "RFM"]}
    rivals |= {"recency": ["mass marketing"]}
    beaten = [(rule, rival) for rule, of in rivals.items() for rival in of]
    said = set()
    for clear in range(2 ** len(beaten)):
        rows = [(*pair, 1.0, bool(clear >> i & 1)) for i, pair in enumerate(beaten)]
        gains = pd.DataFrame(rows, columns=["rule", "over", "gain", "clear"])
        for table in (profits, profits[profits["rule"] != "RFM"], profits[profits["rule"] != "recency"]):
            for share in (0.0, 0.5, 1.0):
                said.add(verdict(table.assign(share=share), gains)[1])
    assert len(said) >= 12
    assert not foreign(said)


def test_priority_is_told_in_persian(profiles, grouped):
    named = segments.name_segments(profiles, grouped)
    named.loc[0, ["segment", "segment_name"]] = 9, "کوچک"
    alike = profiles[["customer_id"]].assign(segment=np.arange(300) % 3)
    for ranked, earlier in ((named, named), (grouped, None), (alike, None), (alike.assign(segment=1), None)):
        found = segments.priority(profiles, ranked, earlier=earlier)
        assert not foreign(segments.priority_in_words(found))
        assert not foreign(seen(plots.priority(found.order, found.parts)) + seen(plots.priority(found.order)))
    without = segments.priority(profiles, grouped, {"cost": 1}, value="spend_in_all", costs={"tickets_365d": 5})
    assert not foreign(segments.priority_in_words(without), data=["spend in all"])
    poor = profiles.drop(columns="tickets_365d")
    assert not foreign(segments.priority_in_words(segments.priority(poor, grouped)))


def _moved(share, n=300):
    """Customers who were loyal or at risk; a share of the loyal is at risk after."""
    before = pd.DataFrame({"customer_id": range(n), "rfm_segment": np.where(np.arange(n) < n / 2, "Loyal", "Lost")})
    after = before.copy()
    after.loc[: int(share * n / 2), "rfm_segment"] = "Lost"
    after.loc[n - 3 :, "rfm_segment"] = "At risk"
    after.loc[n - 9 : n - 4, "customer_id"] += n
    return before.assign(spend=9.0), after.assign(spend=5.0)


@pytest.mark.parametrize(("share", "usual"), [(0.6, 0.1), (0.1, 0.6), (0.0, 0.0), (0.3, None)])
def test_movement_is_told_in_persian(share, usual):
    before = None if usual is None else segments.movement(*_moved(usual), "rfm_segment")
    for worth in (None, "spend"):
        found = segments.movement(*_moved(share), "rfm_segment", worth, before)
        assert not foreign(segments.moves_in_words(found))
    assert not foreign(seen(plots.flow(found.moves)))


def test_names_that_people_gave_are_told_in_persian(profiles, grouped, tmp_path):
    file, named = tmp_path / "names.toml", segments.name_segments(profiles, grouped)
    summary = segments.describe(profiles, named)
    segments.own_names(file, named, summary)
    file.write_text(file.read_text(encoding="utf-8").replace('name = ""', 'name = "خوانندگان"', 1), encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace("found = ", 'found = "پیشین" # ', 1), encoding="utf-8")
    changed = segments.own_names(file, named.assign(segment_name="گروه"), summary)
    file.write_text(file.read_text(encoding="utf-8") + '\n[[earlier]]\nname = "گمشده"\n', encoding="utf-8")
    lost = segments.own_names(file, named, summary)
    assert not foreign([*changed.attrs["notes"], *lost.attrs["notes"]], data=["names.toml", "earlier"])
    assert len(changed.attrs["notes"]) >= 1
    assert len(lost.attrs["notes"]) >= 1


def test_figures_without_anything_to_show_say_so_in_persian():
    nothing = pd.DataFrame()
    draw = [plots.rfm_map, plots.stability, plots.segment_sizes, plots.segment_traits, plots.overlaps, plots.origins]
    empty = [*(figure(nothing) for figure in draw), plots.lorenz(nothing, 1, 1, 1), plots.priority(nothing)]
    empty += [
        plots.profits(nothing),
        plots.profit_curve(nothing, nothing),
        plots.overlaps(pd.DataFrame([[1]], ["a"], ["a"])),
    ]
    empty.append(plots.rfm_map(pd.DataFrame({"r": [np.nan], "f": [np.nan], "rfm_segment": ["Lost"]})))
    assert not foreign([text for axes in empty for text in seen(axes)])


def test_who_never_bought_has_no_journey_in_either_language():
    named = {"en": "No completed purchase", "fa": "بدون خرید تکمیل‌شده"}
    for never in named.values():
        table = pd.DataFrame({"customer_id": ["a", "b", "c"], "segment_name": ["یک", "دو", never]})
        assert members(table)["persona"].tolist() == ["یک", "دو"]


def test_groups_are_named_in_the_language_of_the_readers(profiles, grouped):
    names = segments.name_segments(profiles, grouped)["segment_name"].unique()
    with speaking("en"):
        english = segments.name_segments(profiles, grouped)["segment_name"].unique()
    assert not foreign(names)
    assert len(foreign(english)) == 3
