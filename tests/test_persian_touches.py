"""Is all that attribution, deals, channels and the journey's figure say in Persian, whatever they have to say?"""

import re
from datetime import date
from itertools import chain

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import journeys, phrases, plots
from analysis.errors import Problem
from analysis.journeys import chances, map_html
from analysis.journeys.contact_effects import _doubts
from analysis.journeys.mismatch import _effects_in_words, _share_in_words
from tests.renew_translations import said

MODULES = ("attribution", "deals", "pipeline", "mismatch", "contact_effects", "journey_map")
OWN = [f"src/analysis/{folder}/{name}.py" for folder in ("journeys", "plots") for name in MODULES]
TEMPLATES = {text for of in said().values() for text, files in of.items() if set(files) & set(OWN)} - {"value"}

#: Names of instruments and of tables are the same in both languages; the marks around foreign names are no letters.
LATIN = re.compile(r"(?!CSAT|customers\.|preferred|channel|consents|campaign|touchpoints|_sent|call)(?<!\w)[A-Za-z]\w*")
START = pd.Timestamp("2025-03-21", tz="UTC")


class Heard(dict):
    """Translations that remember which were asked for."""

    def __init__(self, of):
        super().__init__(of)
        self.asked = set()

    def get(self, text, default=None):
        self.asked.add(text)
        return super().get(text, default)


@pytest.fixture
def heard(monkeypatch):
    found = Heard(phrases._translations("fa"))
    monkeypatch.setattr(phrases, "_translations", lambda language: found if language == "fa" else {})
    monkeypatch.setattr(chances, "DRAWS", 20)
    with phrases.speaking("fa"):
        yield found
    plt.close("all")


def test_whatever_is_found_is_said_in_persian(heard):
    told = list(chain(_of_attribution(), _of_win_rates(), _of_pipelines(), _of_channels(), _of_maps()))
    foreign = [text for text in told if LATIN.search(text) or re.search("[0-9]", text)]
    assert not foreign
    unsaid = TEMPLATES - heard.asked
    assert not unsaid, "the tables of this test let nobody say: " + "\n".join(sorted(unsaid))


def test_a_sentence_left_in_english_is_found(heard):
    heard["share of deals that were won"] = "share of deals that were won"
    assert any(LATIN.search(text) for text in _drawn(plots.win_rates(_rates((40, 60), (20, 90)))))


def test_time_runs_from_the_right_and_its_labels_with_it(heard):
    axes = plots.win_curve(CURVE)
    start, end = (axes.transData.transform((day, 0))[0] for day in (0, 50))
    assert start > end
    assert axes.yaxis.get_ticks_position() == "right"
    labels = {text.get_text(): text.get_ha() for text in axes.texts}
    assert labels == {"نیمی از موفق‌ها": "right", "موفق ۴۰٪": "right", "ناموفق ۶۰٪": "right"}


def test_maps_and_what_a_group_wrote_beside_them_are_persian_throughout():
    touchpoints = pd.DataFrame(
        {"customer_id": [*"aabbccddeeff"], "occurred_at": START, "event": ["visit", "order"] * 6}
    )
    touchpoints = touchpoints.assign(stage=["aware", "order"] * 6, channel="web", owner="marketing")
    feedback = pd.DataFrame({"customer_id": [*"abcdef"], "given_at": START, "instrument": "csat", "score": 4.0})
    feedback = feedback.assign(stage="order", topic="late delivery")
    maps = journeys.map({"touchpoints": touchpoints, "feedback": feedback}, as_of=date(2025, 3, 21), language="fa")
    wrote = pd.DataFrame([{"persona": 0, "stage": "order", "row": "actions", "statement": "با تلفن", "channel": "web"}])
    beside = journeys.lay_beside(wrote, maps.journey_map, "fa")
    for page in (maps._repr_html_(), beside._repr_html_(), *beside.table["data"]):
        text = re.sub("<[^>]*>", " ", page)
        assert len(re.findall(phrases.FROM_THE_RIGHT, text)) > 20
        assert not LATIN.search(text)
        assert not re.search("[0-9]", text)


def test_a_line_of_the_map_that_begins_with_a_foreign_name_or_a_minus_still_runs_from_the_right():
    assert map_html._text("\u2068CSAT\u2069 ۰٫۴ امتیاز کمتر") == "<bdi dir=rtl>\u2068CSAT\u2069 ۰٫۴ امتیاز کمتر</bdi>"
    assert map_html._text("\u200e−۰٫۵ تا \u200e−۰٫۳").startswith("<bdi dir=rtl>")
    assert map_html._text("By «وب» in 3 days") == "<bdi>By «وب» in 3 days</bdi>"


def _drawn(*figures):
    """All that can be read in figures, and their alternative texts."""
    for axes in figures:
        yield plots.alt_text(axes.figure)
        yield from (text.get_text() for text in axes.figure.findobj(Text))
        plt.close(axes.figure)


# Attribution


def _paths(*rows):
    return pd.DataFrame(rows, columns=["path", "total_conversions", "total_null"])


def _of_attribution():
    apart = journeys.attribution(_paths(("email > web", 60, 0), ("web", 40, 100), ("", 10, 0)))
    same = journeys.attribution(_paths(("email > web", 2, 0), ("web", 60, 0)), methods=["linear"])
    last = journeys.attribution(_paths(("web", 60, 5)), methods=["last"])
    untouched = journeys.attribution(_paths(("", 9, 0), ("web", 0, 4)))
    nothing = journeys.attribution(_paths(("web", 0, 4)))
    many = journeys.attribution(_paths(*(("ب" * n, n, 1) for n in range(1, 34))), methods=["linear"])
    tables = (apart, same, last, untouched, nothing, many)
    for table in tables:
        yield from journeys.attribution_findings(table, "order")
    yield from _drawn(*(plots.attribution(table, "order", "منبع") for table in tables))
    with plt.rc_context({"figure.figsize": (4, 3)}):
        yield from _drawn(plots.attribution(apart, "deal"))


# Deals

CURVE = pd.DataFrame({"days": [0, 10, 50], "won": [0, 0.2, 0.4], "low": [0, 0.15, 0.33], "high": [0, 0.26, 0.47]})
CURVE["lost"] = [0, 0.3, 0.6]


def _owned(*counts, **columns):
    """Deals of one owner after the other, so many won of so many."""
    outcome = [["won"] * won + ["lost"] * (n - won) for won, n in counts]
    owner = ["م" * (i + 1) for i, of in enumerate(outcome) for _ in of]
    outcome = list(chain(*outcome))
    return {"deals": pd.DataFrame({"deal_id": range(len(outcome)), "outcome": outcome, "owner": owner} | columns)}


def _rates(*counts):
    return journeys.win_rates(_owned(*counts)).table


def _of_win_rates():
    like_all = [(12, 30)] * 8
    cases = [[(3, 9)], like_all, [(29, 30), *like_all], [(29, 30)] * 2 + like_all, [(29, 30)] * 4 + [(8, 30)] * 9]
    cases.append([(12, 30)] * 25)
    for counts in cases:
        yield journeys.win_rates(_owned(*counts)).words
    yield journeys.win_rates(_owned((4, 4))).words
    yield journeys.win_rates({"deals": _owned((4, 9))["deals"].drop(columns="owner")}).words
    timed = _owned((6, 6), (6, 6), created_at=START, closed_at=START + pd.Timedelta(days=9))
    timed["deals"].loc[5:7, ["outcome", "closed_at"]] = ["open", pd.NaT]
    yield journeys.win_rates(timed, as_of=date(2025, 12, 31)).words
    yield from _drawn(*(plots.win_rates(_rates(*counts)) for counts in cases))
    yield from _drawn(plots.win_rates(_rates((3, 9)).head(0)))


def _deals(*rows, **columns):
    table = pd.DataFrame(rows, columns=["deal_id", "created_at", "closed_at", "outcome"])
    days = {c: START + pd.to_timedelta(table[c], "D") for c in ("created_at", "closed_at")}
    return table.assign(**days, **columns)


def _entered(*rows):
    table = pd.DataFrame(rows, columns=["deal_id", "stage", "entered_at"])
    return table.assign(entered_at=START + pd.to_timedelta(table["entered_at"], "D"))


def _of_pipelines():
    decided = [(f"w{n}", n, n + 9, "won") for n in range(20)] + [(f"l{n}", n, n + 5, "lost") for n in range(20)]
    rows = [*decided, ("x", 5, 1, "lost"), *((i, 30, None, "open") for i in "abcd")]
    amount = [100.0] * 41 + [np.nan] + [90.0] * 3
    stages = [(i, "lead", day) for i, day, *_ in rows if i != "b"]
    stages += [(f"w{n}", "offer", n + 6) for n in range(20)] + [("d", "offer", 33), ("c", "negotiation", 33)]
    valued = {"deals": _deals(*rows, amount=amount), "deal_stages": _entered(*stages)}
    unvalued = {"deals": _deals(*decided, ("a", 30, None, "open"))}
    unlost = {"deals": _deals(*decided[:20], ("a", 30, None, "open"))}
    undecided = {"deals": _deals(("a", 30, None, "open"))}
    found = [journeys.pipeline(base, as_of=date(2025, 5, 1)) for base in (valued, unvalued, unlost, undecided)]
    yield from (each.words for each in found)
    yield from _drawn(*(plots.pipeline(each.stages, each.figures, "IRT", "منبع") for each in found))
    yield from _drawn(plots.pipeline(found[0].stages.head(0), found[0].figures))
    stages = found[0].stages
    from_one = stages.assign(open=[0, *stages["open"][1:]], expected=np.where(stages["stage"] == "offer", 90.0, 0))
    yield from _drawn(plots.pipeline(from_one, found[0].figures))
    unknown = CURVE.assign(low=np.nan, high=np.nan)
    yield from _drawn(plots.win_curve(CURVE, 90), plots.win_curve(unknown), plots.win_curve(CURVE.head(0)))


# Channels


def _effects(**columns):
    row = {"contacted": "phone", "stated": "email", "matched": False, "design": "held out at random"}
    row |= {"customers": 143, "effect": 0.02, "effect_low": -0.1, "effect_high": 0.14, "verdict": "less"}
    row |= {"others": 0.25, "others_low": 0.2, "others_high": 0.3, "low": -0.3, "high": -0.1}
    row |= {"ratio": 0.08, "ratio_low": -0.4, "ratio_high": 0.6, "e_value": 1.5}
    return pd.DataFrame([row | columns])


def _groups(*rows):
    table = pd.DataFrame(rows, columns=["group", "mismatched", "p_corrected"])
    known = table["mismatched"].notna()
    table = table.assign(customers=90, stated=80, contacted=70 * known, contacts=400 * known, elsewhere=0.3)
    return table.assign(low=table["mismatched"] - 0.1, high=table["mismatched"] + 0.1)


def _of_channels():
    yield from _of_shares()
    at_random = [{}, {"ratio": -0.1}, {"ratio_high": -0.1}, {"ratio": np.nan}, {"ratio": np.nan, "verdict": "more"}]
    adjusted = [{"design": "adjusted"}, {"design": "adjusted", "ratio": -0.1}]
    untold = [{"verdict": "cannot be judged"}, {"verdict": "no difference"}]
    effects = [_effects(**columns) for columns in (*at_random, *adjusted, *untold)]
    effects.append(pd.concat([_effects(**untold[0]), _effects(**untold[0], customers=99)]))
    for table in effects:
        yield from _effects_in_words(table)
    yield from _drawn(*map(plots.mismatch_effects, effects))
    yield from _drawn(plots.mismatch_effects(effects[0].head(0)))
    with plt.rc_context({"figure.figsize": (4, 3)}):
        yield from _drawn(plots.mismatch_effects(effects[0]))
    yield from _of_doubts()


def _of_shares():
    same, apart = _groups(("web", 0.6, 0.5), ("app", 0.6, 0.5)), _groups(("web", 0.9, 0.01), ("app", 0.2, 0.01))
    asked = ("preferred_channel", "survey", "preferred_channel and survey", "consents")
    for groups, by in zip((same, apart, same[:1], same[:1].assign(low=np.nan)), asked, strict=True):
        yield from _share_in_words(groups, by)
        yield from _drawn(plots.channel_mismatch(groups))
    yield from _drawn(plots.channel_mismatch(same.head(0)))
    people = pd.DataFrame({"customer_id": ["a"], "preferred_channel": ["email"]})
    sent = pd.DataFrame({"customer_id": "a", "event": "call", "channel": ["phone"], "occurred_at": START})
    as_of = date(2025, 12, 31)
    yield from journeys.channel_mismatch({"customers": people, "touchpoints": sent}, as_of=as_of).words
    for without in ({"customers": people[["customer_id"]], "touchpoints": sent}, {"customers": people}):
        with pytest.raises(Problem) as missing:
            journeys.channel_mismatch(without, as_of=as_of)
        yield str(missing.value)


def _of_doubts():
    for attribute in ("spend_before", "region_Fars", "month_2025-03"):
        row = {"contacted": "phone", "attribute": attribute, "before": 0.5, "after": 0.4}
        balance = pd.DataFrame([row])
        yield from _doubts(["phone"], ["email", "app"], 1200, balance)
        yield from _doubts([], [], 0, balance)


# The map


def _stage(stage, **columns):
    row = {"persona": 1, "stage": stage, "row": "feelings", "statement": "", "kind": "measured", "measure": "score"}
    row |= {"of": "csat", "value_low": 3.5, "value_high": 4.5, "elsewhere": 4.0, "n": 40, "p_corrected": 0.5}
    return row | {"value": 4.0, "source": "feedback"} | columns


def _of_maps():
    same = [_stage("cart", value=4.1), _stage("order", value=3.9)]
    ways = [[*same, _stage("order", measure="change", of="csat 0", value=v, p_corrected=0.01)] for v in (-0.7, 0.7)]
    reached = {"row": "actions", "measure": "reached", "of": "", "value": 0.9}
    gain = [*same, _stage("order", measure="opportunity", value=0.1, statement="اگر بهتر شود")]
    unasked = [[_stage("cart", **reached, source=source)] for source in ("deals", "orders")]
    cases = [same, *ways, gain, *unasked, [*same[:1], _stage("order", n=1300)], []]
    columns = list(_stage(""))
    yield from _drawn(*(plots.journey_map(pd.DataFrame(rows, columns=columns), "ناهید") for rows in cases))
    touchpoints = pd.DataFrame({"customer_id": [*"aab"], "occurred_at": START, "event": ["visit", "order", "visit"]})
    touchpoints["stage"] = ["awareness", "purchase", "awareness"]
    segments = pd.DataFrame({"customer_id": [*"ab"], "segment": 1})
    of = journeys.map({"touchpoints": touchpoints}, pd.DataFrame({"persona": [1]}), segments, as_of=date(2025, 3, 21))
    yield of.why
