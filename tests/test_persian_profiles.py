"""Does the chapter of the profiles speak Persian in all that it says: figures, tables, sentences, widgets?"""

import re
from datetime import date
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import explorer, kernels, plots, profiles
from analysis.phrases import speaking
from analysis.profiles import ideal

#: What stays in Latin letters: acronyms of the field, and what code calls a column.
KEPT = re.compile(r"NPS|CSAT|CES|\b[a-z]+(_\w+)+\b")

N = 240
#: Customers whose values all have a Persian name; every second one lives in Yazd and buys more.
TABLE = pd.DataFrame(
    {
        "customer_id": [f"c{i}" for i in range(N)],
        "gender": ["female", "male", "male"] * (N // 3),
        "age": [20 + i % 50 for i in range(N)],
        "city": ["yazd", "qom"] * (N // 2),
        "uses_preferred_channel": pd.array([i % 4 == 0 for i in range(N)], dtype="boolean"),
        "interests": [["novel"], ["novel", "art"], []] * (N // 3),
        "n_orders": [0 if i % 7 == 0 else 2 + 6 * (i % 2 == 0) + i % 3 for i in range(N)],
        "total_spend": [0.0 if i % 7 == 0 else 10.0 ** (2 + 2 * (i % 2 == 0) + i % 3) for i in range(N)],
        "median_gap_days": [7.0 + i for i in range(N - 1)] + [np.nan],
        "recency_days": [3.0 * i for i in range(N)],
        "overdue_ratio": [3.0 * i / (7.0 + i) for i in range(N - 1)] + [np.nan],
        "first_order_at": pd.date_range("2022-01-05", periods=N, freq="5D"),
        "touchpoints_90d": [i % 3 for i in range(N)],
        "win_rate": [0.5] * N,
    }
)
MET = pd.Series([i % 2 == 0 and i % 5 > 0 for i in range(N)], index=TABLE["customer_id"], name="retained")
CALIBRATED = pd.DataFrame(
    {"customers": [50, 50], "expected": [0.1, 0.5], "value": [0.12, 0.3], "low": [0.06, 0.2], "high": [0.2, 0.42]}
)
IMPORTANT = pd.DataFrame(
    {"attribute": ["price", "staff"], "customers": 90, "ours": [3.1, 4.2], "value": [0.1, 0.4]}
).assign(low=[-0.1, 0.2], high=[0.3, 0.6])
GROUPS = pd.DataFrame({"group": ["app", "web"], "value": [0.4, -0.8], "low": [0.35, -0.9], "high": [0.45, -0.7]})


def traits(n: int = 2) -> pd.DataFrame:
    row = {"group": "the best", "level": "", "kind": "number", "n": 612, "value": 8.1, "elsewhere": 2.6}
    row |= {"difference": 5.5, "low": 5.0, "high": 6.0, "effect": 0.7, "distinctive": True, "group": 3}
    of_a_level = row | {
        "trait": "city",
        "level": "yazd",
        "kind": "share",
        "value": 0.4,
        "elsewhere": 0.1,
        "effect": 0.3,
    }
    return pd.DataFrame([row | {"trait": "n_orders"}, of_a_level][:n])


def many_cities() -> pd.DataFrame:
    names = ["yazd", "qom", "rasht", "ahvaz", "tabriz", "shiraz", "kerman", "karaj", "mashhad", "isfahan", "tehran"]
    return pd.DataFrame({"city": [*names, "sari", "arak", "ilam", "zanjan", *names]})


FIGURES = {
    "numbers": lambda: plots.distribution(TABLE, "age", "years"),
    "amounts": lambda: plots.distribution(TABLE, "total_spend", "toman", log=True),
    "amounts below zero": lambda: plots.distribution(
        pd.DataFrame({"total_spend": [-1.0, 0, 5, 10, 20]}), "total_spend", "toman", log=True
    ),
    "no amount is nothing": lambda: plots.distribution(
        pd.DataFrame({"total_spend": [-1.0, 5, 10, 20]}), "total_spend", "toman", log=True
    ),
    "counts": lambda: plots.distribution(TABLE, "n_orders", "orders"),
    "all alike": lambda: plots.distribution(pd.DataFrame({"n_orders": [1, 1, 1]}), "n_orders", "orders"),
    "most alike": lambda: plots.distribution(pd.DataFrame({"n_orders": [1, 1, 1, 2, 3]}), "n_orders", "orders"),
    "one customer": lambda: plots.distribution(pd.DataFrame({"n_orders": [4]}), "n_orders", "orders"),
    "a giant": lambda: plots.distribution(
        pd.DataFrame({"n_orders": [*range(1, 100), 10_000]}), "n_orders", "orders", log=False
    ),
    "words": lambda: plots.distribution(TABLE, "gender"),
    "one word": lambda: plots.distribution(TABLE[:1], "gender"),
    "many words": lambda: plots.distribution(many_cities(), "city"),
    "flags": lambda: plots.distribution(TABLE, "uses_preferred_channel"),
    "dates": lambda: plots.distribution(TABLE, "first_order_at"),
    "dates of a month": lambda: plots.distribution(TABLE[:5], "first_order_at"),
    "some unknown": lambda: plots.distribution(TABLE, "median_gap_days", "days"),
    "all unknown": lambda: plots.distribution(TABLE.assign(age=np.nan), "age"),
    "nobody": lambda: plots.distribution(TABLE[:0], "age"),
    "rhythm": lambda: plots.rhythm(TABLE),
    "rhythm of two": lambda: plots.rhythm(TABLE[[i in (9, 200) for i in range(N)]]),
    "rhythm of nobody": lambda: plots.rhythm(TABLE.assign(overdue_ratio=np.nan)),
    "tags": lambda: plots.tag_cloud(profiles.tag_counts(TABLE, "interests"), "interests"),
    "no tags": lambda: plots.tag_cloud(profiles.tag_counts(TABLE, "interests")[:0], "interests"),
    "places": lambda: plots.places(profiles.by_place(TABLE, "total_spend"), "", "toman"),
    "shares of places": lambda: plots.places(profiles.by_place(TABLE, "uses_preferred_channel"), ""),
    "means of places": lambda: plots.places(profiles.by_place(TABLE, "age"), ""),
    "calibration": lambda: plots.calibration(CALIBRATED),
    "no calibration": lambda: plots.calibration(CALIBRATED[:0]),
    "importance": lambda: plots.importance(IMPORTANT, "the other attributes"),
    "no importance": lambda: plots.importance(IMPORTANT[:1], "nps"),
    "nothing rated": lambda: plots.importance(IMPORTANT[:0], "nps"),
    "traits": lambda: plots.traits(traits()),
    "one trait": lambda: plots.traits(traits(1)),
    "no trait": lambda: plots.traits(traits().assign(distinctive=False)),
    "nothing compared": lambda: plots.traits(traits()[:0]),
    "intervals": lambda: plots.intervals(GROUPS.assign(customers=[8, 9], planted=0.4), "", ""),
    "intervals of shares": lambda: plots.intervals(GROUPS[:1], "", "", share=True),
    "no groups": lambda: plots.intervals(GROUPS[:0], "", ""),
}


class Shop(dict):
    """Tables, and the last day that they know of."""

    as_of = date(2024, 12, 31)

    def columns(self, table: str) -> list[str]:
        return list(self[table]) if table in self else []


@pytest.fixture(autouse=True)
def persian():
    with speaking("fa"):
        yield
    plt.close("all")


def english_in(texts) -> list[str]:
    """The texts that hold a Latin letter or digit."""
    return [text for text in texts if re.search("[A-Za-z0-9]", KEPT.sub("", str(text)))]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_in_persian(name):
    drawing = FIGURES[name]().figure
    drawing.draw_without_rendering()
    off = [axis for axes in drawing.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)]
    unseen = [text for axis in off for text in axis.findobj(Text)]
    shown = [text.get_text() for text in drawing.findobj(Text) if text not in unseen]
    assert len("".join(shown)) > 20
    assert english_in([*shown, plots.alt_text(drawing)]) == []


def test_time_runs_from_the_right_with_its_label_on_the_left_of_the_line():
    axes = plots.distribution(TABLE, "first_order_at")
    assert axes.xaxis_inverted()
    assert [t.get_ha() for t in axes.texts] == ["right"]
    assert "۱۴۰۲" in "".join(t.get_text() for t in axes.get_xticklabels())


def test_the_largest_tag_comes_in_its_place_from_the_right():
    axes = plots.tag_cloud(profiles.tag_counts(TABLE, "interests"), "interests")
    at = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert at["رمان"] > at["هنر"]


def test_a_figure_that_begins_below_zero_runs_from_the_right():
    # the mark that keeps a minus left of its digits would otherwise turn the whole text
    assert [t.get_text()[0] for t in plots.intervals(GROUPS[1:], "", "").texts] == ["\u200f"]


def test_findings_are_in_persian():
    base = SimpleNamespace(as_of=date(2026, 3, 20), currency="toman")  # all that findings look at
    said = profiles.findings(TABLE, base) + profiles.findings(TABLE[["customer_id"]], base)
    assert len(said) == 7
    assert english_in(said) == []
    assert "۲۹ اسفند ۱۴۰۴" in said[0]


def test_comparisons_are_in_persian():
    apart = pd.concat([profiles.best_apart(TABLE, "total_spend", top) for top in (0.2, 0.3)])
    compared = profiles.compare(TABLE, "city")
    assert {"number", "share"} <= set(compared["kind"])
    assert english_in([*apart["words"], *apart["group"], *compared["words"]]) == []


@pytest.mark.parametrize("value", ["age", "total_spend", "uses_preferred_channel"])
def test_places_are_compared_in_persian(value):
    assert english_in([profiles.by_place(TABLE, value).words]) == []


def test_the_ideal_customer_is_told_in_persian():
    known = TABLE.drop(columns=["first_order_at", "win_rate"])
    nothing = pd.Series([i % 9 < 4 for i in range(N)], index=TABLE["customer_id"], name="retained")
    few = pd.Series([i < 5 for i in range(N)], index=TABLE["customer_id"], name="won")
    for met in (MET, nothing, few):
        found = profiles.ideal_customer(known, met)
        assert english_in([*ideal.findings(found), *ideal.strongest(found)["group"]]) == []


def test_the_days_that_are_compared_are_told_in_persian():
    at = pd.to_datetime(["2024-01-01", "2024-05-20", "2024-07-10", "2024-12-01"]).tz_localize("UTC")
    orders = {"order_id": list("1234"), "customer_id": list("aabb"), "amount": [5.0, 7, 1, 2], "ordered_at": at}
    long = Shop(orders=pd.DataFrame(orders))
    short = Shop(orders=pd.DataFrame(orders | {"ordered_at": at.where(at > "2024-12", at[3] - pd.Timedelta("50D"))}))
    said = [profiles.followed(shop, 90, what).words for shop in (long, short) for what in ("spend", "bought")]
    said.append(profiles.known_and_met(long, TABLE, "uses_preferred_channel")[2])
    said.append(profiles.known_and_met(long, TABLE, "retained")[2])
    assert english_in(said) == []


@pytest.mark.parametrize("ours", [None, "kaghazi"])
def test_whose_brand_is_ours_is_told_in_persian(ours):
    rated = [(c, brand, "price", r + c % 2) for c in range(8) for brand, r in (("kaghazi", 2), ("barg online", 4))]
    ratings = pd.DataFrame(rated, columns=["customer_id", "brand", "attribute", "rating"])
    assert english_in([profiles.rivals({"brand_ratings": ratings}, ours=ours).said]) == []


def test_tables_of_the_chapter_are_in_persian():
    dark = profiles.in_the_dark(TABLE).rename(columns={"group": "family"})
    shown = plots.table(dark).to_html() + plots.table(profiles.documented(TABLE)).to_html()
    cells = re.findall(r"<t[dh][^>]*>([^<]+)</t[dh]>", shown)
    assert english_in(cell for cell in cells if cell not in TABLE) == []


def test_the_explorer_speaks_persian(monkeypatch):
    monkeypatch.delenv(kernels.BATCH, raising=False)
    visits = pd.DataFrame({"customer_id": ["c1"], "event": ["visit"], "occurred_at": pd.Timestamp("2025-03-20")})
    boxes = [explorer.explore(TABLE), explorer.explore_segments(TABLE), explorer.explore_funnel(visits, TABLE)]
    said = [*explorer.told(TABLE, "n_orders", "city"), *explorer.told(TABLE[:4], "n_orders", "city")]
    said += explorer.grouped(TABLE, ["behavioural"], k=2).words[-2:]  # what the explorer adds
    assert english_in([*_labels(boxes), *said]) == []


def _labels(boxes) -> list[str]:
    """What stands on widgets, their choices too."""
    said = []
    for box in boxes:
        said += [getattr(box, "description", ""), *(name for name, _ in getattr(box, "options", ()))]
        said += [box.value] if type(box).__name__ == "Label" else []
        said += _labels(getattr(box, "children", ()))
    return said
