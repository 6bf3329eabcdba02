"""Is what the first half of the chapter on journeys says and draws Persian to the last word?"""

import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import journeys, plots
from analysis.phrases import speaking

#: What stays as it is called in files: tables, columns and values that a base should have, a section of a mapping.
CODE = re.compile(r"\[parameters\.4_journeys\]|\b(customer_id|occurred_at|event|stage|visit|view_item|add_to_cart)\b")
CODE_TOO = re.compile(r"\b(checkout|order|delivery)\b")
SHOP = ["visit", "product_view", "cart", "order"]


@pytest.fixture(autouse=True)
def _persian():
    with speaking("fa"):
        yield
    plt.close("all")


def is_persian(text):
    """Whether no Latin letter and no Latin digit stands in a text."""
    plain = CODE_TOO.sub("", CODE.sub("", text))
    return bool(re.search("[\u0600-\u06ff]", plain)) and not re.search("[A-Za-z0-9]", plain)


def written(axes):
    """All that is written on a figure, and what its alternative text says."""
    texts = [t.get_text() for t in axes.figure.findobj(Text) if t.get_visible()]
    return [t for t in texts if re.search(r"\w", t)] + [plots.alt_text(axes.figure)]


def check(axes):
    for text in written(axes):
        assert is_persian(text), text


def walked(*walks, channel=None):
    """Events of a customer for each walk: "visit cart" did both, an hour apart, so many customers each."""
    start, rows = pd.Timestamp("2025-03-01", tz="UTC"), []
    for i, (walk, times) in enumerate(walks):
        for k in range(times):
            rows += [
                (f"{i}_{k}", start + pd.Timedelta(hours=hour), event, channel or ("app", "web")[k % 2])
                for hour, event in enumerate(walk.split())
            ]
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event", "channel"])


COMMON = [("visit product_view cart order", 60), ("visit product_view", 90), ("visit search product_view visit", 30)]


def funnel_of(*walks, **how):
    return journeys.funnel(walked(*walks), SHOP, **how)


# Figures


def test_funnels_are_drawn_in_persian():
    clear = funnel_of(*COMMON, ("visit", 5))
    check(plots.funnel(clear))
    check(plots.funnel(clear, "session"))
    check(plots.funnel(clear, "deal"))
    check(plots.funnel(clear, "attempt"))
    unclear = funnel_of(("visit product_view cart order", 3), ("visit", 2), ("visit product_view", 2))
    check(plots.funnel(unclear))
    check(plots.funnel(funnel_of(*COMMON, window_days=30, as_of=pd.Timestamp("2025-03-02").date(), optional=["cart"])))
    check(plots.funnel(clear.assign(censored=[2, 0, 1, None])))
    check(plots.funnel(clear.assign(rate=float("nan"))))
    check(plots.funnel(clear.head(0)))


def test_groups_at_a_step_are_drawn_in_persian():
    events = walked(*COMMON)
    bad = events[(events["channel"] == "web") | (events["event"] != "order")]
    sure = journeys.compare_funnels(bad, SHOP, "channel")
    for table in (sure, journeys.compare_funnels(events, SHOP, "channel")):
        axes = plots.funnel_groups(table, "session")
        assert is_persian(axes.get_title())
        assert is_persian(axes.get_xlabel())
    who = pd.DataFrame({"customer_id": events["customer_id"].unique()})
    who["city"] = ["Yazd", "Shiraz", "Qom"] * (len(who) // 3)
    axes = plots.funnel_groups(journeys.compare_funnels(events, SHOP, who, "city", within="channel"))
    assert is_persian(axes.get_title())
    assert is_persian(axes.get_xlabel())
    check(plots.funnel_groups(sure.head(0)))


def test_paths_are_drawn_in_persian_from_the_right():
    axes = plots.paths(journeys.paths(walked(*COMMON)))
    check(axes)
    assert axes.xaxis_inverted()
    check(plots.paths(journeys.paths(walked(("visit visit order", 7)))))
    steps = ["visit", "search", "product_view", "cart", "order"]
    many = [(f"{here} {there}", 2) for here in steps for there in steps if here != there]
    assert len(journeys.paths(walked(*many))) > 10
    for unit in ("session", "deal", "attempt"):
        check(plots.paths(journeys.paths(walked(*many)), unit))
    check(
        plots.paths(pd.DataFrame({"path": ["visit > visit"], "customers": [3], "share": 1.0, "low": 0.4, "high": 1.0}))
    )
    check(plots.paths(journeys.paths(walked(*COMMON)).head(0)))


def test_moves_are_drawn_in_persian():
    moves = journeys.transitions(walked(*COMMON))
    check(plots.transitions(moves, SHOP))
    check(plots.process_map(moves, SHOP))
    check(plots.transitions(moves.head(0)))
    check(plots.process_map(moves[moves["source"] == moves["target"]]))
    stays = pd.DataFrame({"source": ["visit"], "target": ["visit"], "n": [3]})
    check(plots.process_map(stays))
    rare = "search checkout order delivery return review signup login call meeting visit cart product_view "
    rare += "email_sent email_open email_click sms_sent sms_click push_sent push_open support_call sales_call"
    steps = rare.split()
    every = journeys.transitions(walked((" ".join(steps), 2), ("visit product_view", 500)))
    check(plots.transitions(every))
    check(plots.process_map(every))


def test_bands_from_step_to_step_run_from_the_right():
    axes = plots.sankey(journeys.paths(walked(*COMMON, ("search visit", 1), ("cart visit", 1)), top=50))
    check(axes)
    assert axes.xaxis_inverted()
    first = next(t for t in axes.texts if t.get_text().startswith("گام دوم"))
    assert first.get_horizontalalignment() == "right"
    six = [("visit search product_view cart checkout order", 20), *COMMON]
    check(plots.sankey(journeys.paths(walked(*six), top=50), "session"))
    check(plots.sankey(journeys.paths(walked(("visit", 3)))))
    check(plots.sankey(journeys.paths(walked(*COMMON)).head(0)))


def moved(**columns):
    states = {"source": ["male", "male", "female", "female"], "target": ["male", "female", "male", "female"]}
    table = pd.DataFrame(states | {"n": [40, 40, 5, 60], "of": [80, 80, 65, 65], "net": [0, 35, -35, 0]})
    return table.assign(share=table["n"] / table["of"], **columns)


def test_flows_between_segments_are_drawn_in_persian_from_the_right():
    axes = plots.flow(moved(one_way=[False, True, False, False]))
    check(axes)
    assert axes.xaxis_inverted()
    check(plots.flow(moved(one_way=False)))
    check(plots.flow(moved(one_way=False)[lambda t: t["source"] == t["target"]]))
    check(plots.flow(moved(unusual=False, usual_share=0.5)))
    for place, usual in ((0, 0.1), (0, 0.9), (1, 0.1), (1, 0.9)):
        check(plots.flow(moved(unusual=[place == i for i in range(4)], usual_share=usual)))
    check(plots.flow(moved(one_way=False).head(0)))
    cities = ["Tehran", "Mashhad", "Isfahan", "Shiraz", "Tabriz", "Karaj", "Qom", "Ahvaz", "Rasht", "Kerman", "Yazd"]
    cities += ["Urmia", "Zahedan", "Arak"]
    others = ["(no segment)", "(new)", "(gone)"]
    many = pd.DataFrame({"source": [*cities, *others], "target": [*others, *cities], "n": 3, "of": 3, "share": 1.0})
    check(plots.flow(many.assign(net=0, one_way=False)))


def test_in_english_steps_run_from_the_left():
    with speaking("en"):
        for draw in (plots.paths, plots.sankey):
            assert not draw(journeys.paths(walked(*COMMON))).xaxis_inverted()


# Sentences


def test_the_steps_are_explained_in_persian():
    touchpoints = walked(*COMMON)
    orders = pd.DataFrame({"order_id": [*"abc"], "customer_id": [*"xxy"], "ordered_at": touchpoints["occurred_at"][:3]})
    deals = pd.DataFrame(
        {"deal_id": [*"ab"], "created_at": touchpoints["occurred_at"][:2], "closed_at": touchpoints["occurred_at"][:2]}
    ).assign(outcome="won")
    bases = [
        {"touchpoints": touchpoints},
        {"touchpoints": touchpoints.rename(columns={"event": "stage"})},
        {"orders": orders},
        {"orders": orders.drop_duplicates("customer_id")},
        {"deals": deals},
        {},
    ]
    plans = [journeys.default_steps(base) for base in bases]
    plans += [journeys.default_steps(base, per=per) for base in bases[:3] for per in ("session_id", "attempt_id")]
    plans += [journeys.default_steps(bases[0], ["visit", "cart"]), journeys.default_steps(bases[4], ["created", "won"])]
    both = {"touchpoints": touchpoints, "orders": orders}
    plans += [journeys.default_steps(bases[2], ["1st order", "2nd order"])]
    plans += [journeys.default_steps(both, ["visit", "1st order"])]
    delivered = walked(("order delivery", 3))
    plans += [journeys.default_steps({"touchpoints": delivered}, per="attempt_id")]
    unknown = touchpoints.assign(event=touchpoints["event"].map({"visit": "بازدید", "cart": "سبد"})).dropna()
    plans += [journeys.default_steps({"touchpoints": unknown})]
    for plan in plans:
        assert is_persian(plan.why), plan.why


def test_bottlenecks_are_told_in_persian():
    worth = {"lost_value": [30.0, 90.0, 10.0, None], "lost_value_low": 5.0, "lost_value_high": 120.0}
    clear, unclear = funnel_of(*COMMON), funnel_of(("visit product_view cart order", 9), ("visit product_view", 2))
    tables = [clear, unclear, clear.head(0), funnel_of(("visit product_view cart order", 9)), clear.assign(**worth)]
    tables += [clear.assign(lost_value=[30.0, 900.0, 1, None], lost_value_low=5.0, lost_value_high=99.0)]
    tables += [clear.assign(lost_value=[90.0, 1.0, 1, None], lost_value_low=5.0, lost_value_high=99.0)]
    tables += [
        clear.assign(mean_days=0.0),
        clear.assign(mean_days=float("nan")),
        clear.assign(median_days=float("nan")),
    ]
    tables += [journeys.funnel(walked(*COMMON), ["visit", "order"]), clear.assign(mean_days=1e-5)]
    for table in tables:
        for words in journeys.bottlenecks(table, "toman").words:
            assert is_persian(words.replace("toman", "")), words


def test_groups_that_lose_more_or_wait_longer_are_told_in_persian():
    events = walked(*COMMON)
    worse = events[(events["channel"] == "web") | (events["event"] != "order")]
    late = (events["channel"] == "app") & (events["event"] == "order")
    minutes = pd.to_timedelta(events["customer_id"].str.split("_").str[1].astype(int), unit="min")
    slow = events.assign(
        occurred_at=events["occurred_at"] + minutes * (late + 1) + pd.to_timedelta(late.astype(int) * 9, unit="D")
    )
    tables = [journeys.compare_funnels(x, SHOP, "channel") for x in (events, worse, slow)]
    tables += [tables[1].assign(lost_more_value=5.0), journeys.compare_funnels(worse, SHOP, "channel", within="month")]
    losing = tables[1][tables[1]["differs"].astype(bool)]
    tables += [
        pd.concat([tables[1].assign(channel=name) for name in ("app", "web", "sms", "phone", "email", "branch")])
    ]
    tables += [tables[0].head(0)]
    assert len(losing)
    for table in tables:
        table = table.reset_index(drop=True).assign(month="دی") if "month" in table else table.reset_index(drop=True)
        for words in journeys.bottlenecks(table).words:
            assert is_persian(words), words


def test_divergence_is_told_in_persian():
    walks = [
        COMMON,
        [("visit product_view cart order visit", 5), ("visit order visit order", 9)],
        [("visit order", 5)],
        [("visit product_view cart order", 3)],
    ]
    events = [walked(*these, ("visit product_view cart order", 1)) for these in walks]
    for log in events:
        for plan in (SHOP, ["visit", "order"]):
            words = journeys.divergence(log, plan).words
            assert is_persian(words), words
    assert is_persian(journeys.divergence(events[0], []).words)
    kinds = plots.table(journeys.divergence(events[0], SHOP).kinds).to_html()
    assert is_persian(re.sub(r"<style.*?</style>|<[^>]*>", "", kinds, flags=re.DOTALL))


def test_findings_are_told_in_persian():
    events = walked(*COMMON)
    plan = journeys.default_steps({"touchpoints": events})
    seen = {"as_of": pd.Timestamp("2025-03-02").date(), "window_days": 30}
    young = walked(*COMMON, ("visit product_view cart order", 5))
    young["occurred_at"] += pd.to_timedelta(young["customer_id"].str.startswith("0").astype(int) * 40, unit="D")
    funnels = [funnel_of(*COMMON), funnel_of(*COMMON, **seen), funnel_of(*COMMON).head(0), funnel_of(COMMON[0])]
    funnels += [journeys.funnel(young, SHOP, window_days=30)]
    for table in funnels:
        told = journeys.findings(plan, table, journeys.bottlenecks(table), left=(9, 3))
        assert told
        assert all(map(is_persian, told)), told
    deals = plan._replace(kind="deals", per="deal_id")
    assert is_persian(journeys.findings(deals, funnels[0], journeys.bottlenecks(funnels[0]))[0])


def test_detours_are_shown_in_persian():
    log = walked(*COMMON, ("visit order", 6), ("visit cart visit cart order", 7))
    for table in (journeys.jumps(log, SHOP), journeys.loops(log, SHOP)):
        shown = plots.table(table[[c for c in table if c in ("source", "target", "skipped", "kind", "way", "n", "of")]])
        assert is_persian(re.sub(r"<style.*?</style>|<[^>]*>", "", shown.to_html(), flags=re.DOTALL))
