"""Figures: the title is the finding, the last line says n, and Jupyter stores SVG with an alternative text."""

import datetime
import inspect
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from analysis import evidence, journeys, plots, profiles
from analysis.errors import Problem
from analysis.plots import canvas

EMPTY = pd.DataFrame()


@pytest.fixture(autouse=True)
def _our_theme():
    as_it_was = [item for option in canvas._TABLES for item in (option, pd.get_option(option))]
    with mpl.rc_context(), pd.option_context(*as_it_was):
        plots.theme()
        yield
    plt.close("all")


def title(axes):
    return " ".join(axes.get_title().split())


def last_line(axes):
    return " ".join(axes.figure.get_supxlabel().split())


def texts(axes):
    return [t.get_text() for t in axes.texts]


def names(axes):
    return [t.get_text().replace("\n", " ") for t in axes.get_yticklabels()]


def svg(axes):
    return canvas._svg_bundle(axes.figure)[0]["image/svg+xml"]


def accounts(*rows):
    return pd.DataFrame(rows, columns=["table", "reason", "rows"])


def months(*orders, **columns):
    start = pd.date_range("2022-01-01", periods=len(orders), freq="MS")
    return pd.DataFrame({"month": start, "orders": orders, **columns})


def steps(*rows):
    """Steps as (name, entered, converted): lost is the rest, and the interval a tenth of the rate either way."""
    table = pd.DataFrame(rows, columns=["step", "entered", "converted"])
    table["rate"] = table["converted"] / table["entered"]
    table["low"], table["high"], table["median_days"] = table["rate"] * 0.9, table["rate"] * 1.1, 3.0
    return table.assign(judged=table["entered"], lost=table["entered"] - table["converted"])


def ways(*rows):
    table = pd.DataFrame(rows, columns=["path", "customers", "share"])
    return table.assign(low=table["share"] * 0.9, high=table["share"] * 1.1)


def trait(name="n_orders", difference=5.5, effect=0.7, **other):
    row = {"group": "Regulars", "trait": name, "level": "", "kind": "number", "n": 612, "value": 8.1, "elsewhere": 2.6}
    return row | {"difference": difference, "low": difference - 1, "high": difference + 1, "effect": effect} | other


def segment_summary(*rows):
    return pd.DataFrame(rows, columns=["segment", "segment_name", "n", "share", "revenue_share"])


def choice(*rows):
    table = pd.DataFrame(rows, columns=["k", "stability"])
    return table.assign(low=table["stability"] - 0.1, high=table["stability"] + 0.05)


CURVE = pd.DataFrame({"customers": [0, 0.2, 1], "revenue": [0, 0.67, 1]})
RHYTHM = pd.DataFrame({"median_gap_days": [30, 30, 30], "recency_days": [10, 50, 90], "overdue_ratio": [0.3, 1.7, 3.0]})
SCORED = pd.DataFrame({"r": [5, 5, 1], "f": [5, 5, 1], "rfm_segment": ["Champions", "Champions", "Lost"]})
MOVES = pd.DataFrame({"source": ["visit", "visit"], "target": ["cart", "visit"], "n": [60, 40]})

EARNED = pd.DataFrame(
    {
        "rule": ["mass marketing", "past spend", "RFM", "one to one"],
        "kind": ["mass marketing", "single number", "segmentation", "one to one"],
        "contacted": [40.0, 40.0, 40.0, 30.0],
        "share": [0.2, 0.2, 0.2, 0.15],
        "profit": [10.0, 30.0, 45.0, 46.0],
        "low": [5.0, 20.0, 35.0, -2.0],
        "high": [15.0, 40.0, 55.0, 58.0],
    }
)
EARNED_CURVE = pd.DataFrame(
    [
        (rule, kind, share, profit, profit - 9, profit + 9)
        for rule, kind, top in zip(EARNED["rule"], EARNED["kind"], (25.0, 40.0, 60.0, 70.0), strict=True)
        for share, profit in ((0.0, 0.0), (0.5, top), (1.0, 50.0))
    ],
    columns=["rule", "kind", "share", "profit", "low", "high"],
)

#: Every figure with a table of more than one row.
GROUPS = pd.DataFrame(
    {
        "group": ["app", "web", "branch"],
        "customers": [40, 300, 2],
        "value": [0.4, 0.8, 0.5],
        "low": [0.25, 0.75, np.nan],
        "high": [0.55, 0.85, np.nan],
        "planted": [0.45, np.nan, 0.5],
    }
)

TAGGED = pd.DataFrame(
    {
        "customer_id": range(60),
        "city": ["Yazd", "تهران"] * 30,
        "n_orders": [4, 1, 5, 2, 6, 3] * 10,
        "interests": [["رمان", "art"], ["novel"]] * 30,
    }
)
CALIBRATED = pd.DataFrame(
    {"customers": 50, "expected": [0.1, 0.5], "value": [0.12, 0.3], "low": [0.06, 0.2], "high": [0.2, 0.42]}
)
IMPORTANT = pd.DataFrame(
    {
        **{"attribute": ["price", "staff"], "customers": 90, "ours": [3.1, 4.2], "value": [0.1, 0.4]},
        **{"low": [-0.1, 0.2], "high": [0.3, 0.6]},
    }
)
FLOW = pd.DataFrame(
    [
        ("Loyal", "Loyal", 50, 0, False),
        ("Loyal", "At risk", 30, 28, True),
        ("At risk", "Loyal", 2, -28, False),
        ("At risk", "At risk", 18, 0, False),
        ("(new)", "Loyal", 9, np.nan, False),
        ("Loyal", "(gone)", 4, np.nan, False),
    ],
    columns=["source", "target", "n", "net", "one_way"],
).assign(of=lambda t: t.groupby("source")["n"].transform("sum"), share=lambda t: t["n"] / t["of"])
NEWS = FLOW.assign(unusual=FLOW["one_way"], usual_share=0.2)
ORDER = pd.DataFrame(
    {
        **{"segment": [2, 1], "segment_name": ["Regulars", "Occasional"], "n": [40, 60], "place": [1, 2]},
        **{"place_low": 1, "place_high": 2, "first": [0.8, 0.2], "clear": False, "first_by_weights": [0.7, 0.3]},
    }
)
PARTS = pd.DataFrame(
    {
        **{"segment": [1, 2] * 2, "part": ["value"] * 2 + ["cost"] * 2, "measure": ["spend_365d"] * 2 + ["cost"] * 2},
        **{"figure": [10.0, 90, 1, np.nan], "low": [8.0, 70, 0.5, np.nan], "high": [12.0, 120, 1.5, np.nan]},
    }
)

ATTRIBUTION = journeys.attribution(
    pd.DataFrame({"path": ["email > web", "web", "فروش"], "total_conversions": [60, 30, 5], "total_null": [10, 90, 5]})
)
OVERLAP = pd.DataFrame([[50, 20], [20, 200]], index=["Special", "تخفیف"], columns=["Special", "تخفیف"])
ORIGINS = pd.DataFrame(
    {
        **{"origin": ["book fair", "web"], "aged": [60, 90], "bought": [0.9, 0.5], "worth": [80.0, 20.0]},
        **{"worth_low": [70.0, 15.0], "worth_high": [95.0, 26.0], "differs": [True, False]},
    }
)


STAGES = pd.DataFrame(
    {
        **{"stage": ["lead", "مذاکره"], "open": [9, 4], "value": [90.0, 80.0]},
        **{"wins": [3.0, 2.5], "wins_low": [1.0, 1.0], "wins_high": [6.0, 4.0]},
        **{"expected": [30.0, 50.0], "expected_low": [5.0, 20.0], "expected_high": [60.0, 75.0]},
    }
)
PIPELINE = pd.DataFrame(
    {
        "measure": ["open_deals", "open_value", "expected_wins", "pipeline_value"],
        **{"value": [13, 170, 5.5, 80], "low": [np.nan, np.nan, 2, 40], "high": [np.nan, np.nan, 9, 120]},
    }
)
WON = pd.DataFrame(
    {
        **{"split": "owner", "group": ["Sara", "امید"], "n": [60, 90], "won": [40, 20], "rate": [2 / 3, 2 / 9]},
        **{"low": [0.54, 0.15], "high": [0.77, 0.32], "elsewhere": [2 / 9, 2 / 3]},
        **{"p_corrected": [0.01, 0.02], "differs": [True, False]},
    }
)
WON_BY = pd.DataFrame(
    {
        "days": [0.0, 10, 50],
        "won": [0, 0.2, 0.4],
        "low": [0, 0.15, 0.33],
        "high": [0, 0.26, 0.47],
        "lost": [0, 0.3, 0.6],
    }
)


def segment_traits(names=("Occasional", "Regulars"), traits=("n_orders", "recency_days", "city")):
    """What sets so many groups apart in such traits."""
    rows = [
        {
            **{"segment": i, "segment_name": name, "trait": trait, "level": "", "kind": "number", "n": 50},
            **{"value": 1.5 * i, "difference": 1.0, "effect": 0.9 - i / 25, "distinctive": True},
        }
        for i, name in enumerate(names, 1)
        for trait in traits
    ]
    return pd.DataFrame(rows)


MAPPED = pd.DataFrame(
    {
        **{
            "persona": 3,
            "stage": ["بررسی", "بررسی", "order"],
            "row": ["actions", "feelings", "feelings"],
            "of": ["", "csat", "csat"],
        },
        **{"statement": ["88 % get here", "", ""], "kind": "measured", "measure": ["reached", "score", "score"]},
        **{"value": [0.88, 3.9, 4.3], "value_low": [0.8, 3.7, 4.0], "value_high": [0.9, 4.1, 4.6], "elsewhere": 4.2},
        **{"n": 90, "p_corrected": 1.0},
    }
)

# by channel: of 40 visits in the app 10 lead to an order, of 60 in the web shop 45
COMPARED = pd.DataFrame(
    {
        "channel": ["app", "app", "web", "web"],
        "step": ["visit", "order"] * 2,
        "judged": pd.array([40, None, 60, None], "Int64"),
        "rate": [0.25, np.nan, 0.75, np.nan],
        "low": [0.14, np.nan, 0.63, np.nan],
        "high": [0.4, np.nan, 0.84, np.nan],
        "elsewhere": [0.75, np.nan, 0.25, np.nan],
        "difference": [-0.5, np.nan, 0.5, np.nan],
        "differs": [True, False, True, False],
    }
)
MISMATCHED = pd.DataFrame(
    {"group": ["Readers", "Givers"], "contacted": [80, 50], "contacts": [400, 90], "mismatched": [0.6, 0.2],
     "low": [0.5, 0.1], "high": [0.7, 0.3], "p_corrected": [0.01, 0.01]}
)  # fmt: skip
CALLED = pd.DataFrame(
    {"contacted": "phone", "stated": ["email", "sms"], "matched": False, "design": "held out at random",
     "customers": [143, 90], "effect": [0.02, 0.2], "effect_low": [-0.1, 0.0], "effect_high": [0.14, 0.4],
     "others": 0.25, "others_low": 0.2, "others_high": 0.3, "ratio": [0.08, 0.8], "ratio_low": [-0.4, 0.0],
     "ratio_high": [0.6, 1.7], "verdict": ["less", "cannot be judged"]}
)  # fmt: skip


FIGURES = {
    "journey_map": lambda **kw: plots.journey_map(MAPPED, "پریا", **kw),
    "profit_curve": lambda **kw: plots.profit_curve(EARNED_CURVE, EARNED, "RFM", "GBP", **kw),
    "attribution": lambda **kw: plots.attribution(ATTRIBUTION, "order", **kw),
    "profits": lambda **kw: plots.profits(EARNED, "RFM", "GBP", **kw),
    "row_accounts": lambda **kw: plots.row_accounts(accounts(("orders", "", 990), ("orders", "no date", 10)), **kw),
    "completeness": lambda **kw: plots.completeness(
        pd.DataFrame({"table": ["customers"] * 2, "column": ["city", "income"], "filled": [1, 0.25]}), **kw
    ),
    "orders_over_time": lambda **kw: plots.orders_over_time(months(5, 6, 7, amount=[50.0, 60.0, 70.0]), "toman", **kw),
    "distribution": lambda **kw: plots.distribution(pd.DataFrame({"age": [20, 30, 40]}), "age", "years", **kw),
    "distribution of words": lambda **kw: plots.distribution(pd.DataFrame({"city": ["تهران", "Yazd"]}), "city", **kw),
    "distribution of dates": lambda **kw: plots.distribution(
        pd.DataFrame({"first_order_at": pd.to_datetime(["2024-01-01", "2024-03-01"])}), "first_order_at", **kw
    ),
    "rhythm": lambda **kw: plots.rhythm(RHYTHM, **kw),
    "tag_cloud": lambda **kw: plots.tag_cloud(profiles.tag_counts(TAGGED, "interests"), "interests", **kw),
    "places": lambda **kw: plots.places(profiles.by_place(TAGGED, "n_orders"), "orders", **kw),
    "calibration": lambda **kw: plots.calibration(CALIBRATED, **kw),
    "importance": lambda **kw: plots.importance(IMPORTANT, "nps", **kw),
    "lorenz": lambda **kw: plots.lorenz(CURVE, 0.67, 0.62, 0.71, n=500, **kw),
    "rfm_map": lambda **kw: plots.rfm_map(SCORED, **kw),
    "stability": lambda **kw: plots.stability(choice((2, 0.6), (3, 0.9)), chosen=3, **kw),
    "segment_sizes": lambda **kw: plots.segment_sizes(
        segment_summary((1, "Occasional", 90, 0.9, 0.4), (2, "Regulars", 10, 0.1, 0.6)), **kw
    ),
    "segment_traits": lambda **kw: plots.segment_traits(segment_traits(), **kw),
    "flow": lambda **kw: plots.flow(FLOW, ("20 March 2025", "20 March 2026"), **kw),
    "flow with news": lambda **kw: plots.flow(NEWS, **kw),
    "priority": lambda **kw: plots.priority(ORDER, PARTS, **kw),
    "overlaps": lambda **kw: plots.overlaps(OVERLAP, **kw),
    "origins": lambda **kw: plots.origins(ORIGINS, 365, "toman", **kw),
    "traits": lambda **kw: plots.traits(pd.DataFrame([trait(), trait("recency_days", -20.0, -0.4)]), **kw),
    "intervals": lambda **kw: plots.intervals(
        GROUPS, "Half as many on the app: 40 % against 80 %", "share of checkouts", ["app"], share=True, **kw
    ),
    "funnel": lambda **kw: plots.funnel(steps(("visit", 200, 50), ("cart", 50, 40), ("order", 40, 0)), **kw),
    "funnel_groups": lambda **kw: plots.funnel_groups(COMPARED, **kw),
    "pipeline": lambda **kw: plots.pipeline(STAGES, PIPELINE, "toman", **kw),
    "win_rates": lambda **kw: plots.win_rates(WON, **kw),
    "win_curve": lambda **kw: plots.win_curve(WON_BY, 200, **kw),
    "paths": lambda **kw: plots.paths(ways(("visit → order", 30, 0.3), ("visit", 20, 0.2)), **kw),
    "transitions": lambda **kw: plots.transitions(MOVES, **kw),
    "process_map": lambda **kw: plots.process_map(MOVES, **kw),
    "sankey": lambda **kw: plots.sankey(ways(("visit → order", 30, 0.3), ("visit", 70, 0.7)), **kw),
    "channel_mismatch": lambda **kw: plots.channel_mismatch(MISMATCHED, **kw),
    "mismatch_effects": lambda **kw: plots.mismatch_effects(CALLED, **kw),
}
every_figure = pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)


# What holds for every figure


@every_figure
def test_every_figure_has_a_finding_a_last_line_with_source_and_no_legend(draw):
    axes = draw(source="the bookshop, 2025")
    assert any(c.isdigit() for c in title(axes))
    assert last_line(axes).startswith("the bookshop, 2025")
    assert all(a.get_legend() is None for a in axes.figure.axes)


@every_figure
def test_the_last_line_says_n(draw):
    # choose_k's table does not know how many customers there were
    assert ("n = " in last_line(draw())) != (draw is FIGURES["stability"])


@every_figure
def test_the_same_figure_gives_the_same_bytes(draw):
    assert svg(draw()) == svg(draw())


@every_figure
def test_an_svg_is_small_and_has_neither_date_nor_text_that_needs_a_font(draw):
    text = svg(draw())
    assert len(text) < 150_000
    assert "<dc:date>" not in text
    assert "<text" not in text


@every_figure
def test_the_alternative_text_begins_with_the_finding_and_tells_more(draw):
    axes = draw(source="the bookshop")
    text = plots.alt_text(axes.figure)
    assert text.startswith(title(axes))
    assert "the bookshop" in text
    assert len(text) > len(title(axes)) + 40
    assert "\n" not in text


@every_figure
@pytest.mark.parametrize("width", [4.2, 12])
def test_titles_stay_inside_a_narrow_or_wide_figure(draw, width):
    plt.rcParams["figure.figsize"] = (width, 4)
    axes = draw(source="the bookshop, a simulated company, at the end of Esfand 1403")
    for text in (axes.title, axes.figure._supxlabel):
        assert text.get_window_extent().x0 >= -1
        assert text.get_window_extent().x1 <= axes.figure.bbox.width + 1


def test_an_empty_table_gives_a_figure_that_says_so():
    functions = {
        n: f for n, f in inspect.getmembers(plots, inspect.isfunction) if f.__module__.startswith(plots.__name__)
    }
    arguments = {"distribution": ("age",), "lorenz": (np.nan, np.nan, np.nan), "intervals": ("No finding", "share")}
    arguments |= {"tag_cloud": ("interests",), "importance": ("nps",), "profit_curve": (EMPTY,), "pipeline": (EMPTY,)}
    drawn = [n for n, f in functions.items() if inspect.signature(f).return_annotation is canvas.Axes and n[0] != "_"]
    drawn.remove("places")  # takes what by_place found, and by_place refuses a table without places
    assert len(drawn) == 35
    for name in drawn:
        axes = functions[name](EMPTY, *arguments.get(name, ()))
        assert title(axes).startswith("Nothing to show: "), name
        assert plots.alt_text(axes.figure) == title(axes)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.row_accounts(accounts(("orders", "", 1))),
        lambda: plots.completeness(pd.DataFrame({"table": ["t"], "column": ["c"], "filled": [0.5]})),
        lambda: plots.orders_over_time(months(1, amount=[-3.0]), as_of=datetime.date(2022, 1, 1)),
        lambda: plots.distribution(pd.DataFrame({"age": [30]}), "age"),
        lambda: plots.distribution(pd.DataFrame({"spend": [30.0]}), "spend", log=True),
        lambda: plots.distribution(pd.DataFrame({"city": ["Yazd"]}), "city"),
        lambda: plots.distribution(pd.DataFrame({"day": [pd.Timestamp("2024-01-01")]}), "day"),
        lambda: plots.rhythm(RHYTHM[:1]),
        lambda: plots.tag_cloud(profiles.tag_counts(TAGGED[:1], "interests"), "interests"),
        lambda: plots.calibration(CALIBRATED[:1]),
        lambda: plots.importance(IMPORTANT[:1], "nps"),
        lambda: plots.lorenz(pd.DataFrame({"customers": [1.0], "revenue": [1.0]}), 0.2, 0.2, 0.2),
        lambda: plots.rfm_map(SCORED[:1]),
        lambda: plots.stability(choice((2, 0.6)), chosen=2),
        lambda: plots.segment_sizes(segment_summary((1, "All", 5, 1.0, np.nan))),
        lambda: plots.flow(FLOW[:1]),
        lambda: plots.priority(ORDER[:1]),
        lambda: plots.origins(ORIGINS[:1]),
        lambda: plots.traits(pd.DataFrame([trait()])),
        lambda: plots.intervals(GROUPS[:1], "One group", "share", nothing=0.0),
        lambda: plots.channel_mismatch(MISMATCHED[:1]),
        lambda: plots.mismatch_effects(CALLED[:1]),
        lambda: plots.funnel(steps(("visit", 1, 0))),
        lambda: plots.funnel_groups(COMPARED[:2]),
        lambda: plots.paths(ways((["visit"], 1, 1.0))),
        lambda: plots.transitions(MOVES[:1]),
        lambda: plots.attribution(ATTRIBUTION[:1]),
        lambda: plots.pipeline(STAGES[:1], PIPELINE),
        lambda: plots.win_rates(WON[:1]),
        lambda: plots.win_curve(WON_BY[1:2]),
    ],
)
def test_one_row_is_drawn(draw):
    axes = draw()
    assert title(axes)
    assert not title(axes).startswith("Nothing")
    assert svg(axes)


def test_long_persian_and_dollar_names_are_cut_and_never_read_as_formulas():
    name = "کتاب‌های کمک‌آموزشی $x_1$ " * 20
    axes = plots.segment_sizes(segment_summary((1, name, 90, 0.9, 0.4), (2, "ب", 10, 0.1, 0.6)))
    assert names(axes)[0].endswith("…")
    assert "$x_1$" in names(axes)[0]
    assert len(names(axes)[0]) < 70


# The findings


def test_the_step_at_which_groups_differ_most_is_named_with_both_rates():
    axes = plots.funnel_groups(COMPARED, "session")
    said = "They differ most after visit: 25 % of app go on to order (interval 14 to 40 %), everybody else 75 %"
    assert title(axes).replace("\n", " ") == said
    assert "sessions in a group" in last_line(axes)
    unsure = plots.funnel_groups(COMPARED.assign(differs=False))
    assert title(unsure).startswith("No step differs for certain between groups; widest after visit")


def test_rows_set_aside_are_counted_by_reason():
    table = accounts(("orders", "", 980), ("orders", "no date", 15), ("orders", "test", 5), ("customers", "", 1000))
    axes = plots.row_accounts(table)
    # 20 of 2,000 rows
    assert title(axes) == "1 % of 2,000 rows were set aside, most for “no date” (15 rows of orders)"
    assert texts(axes)[0].replace("\n", " ") == "980 of 1,000 kept; set aside: 15 no date, 5 test"
    assert title(plots.row_accounts(accounts(("orders", "", 980)))) == "All 980 rows were kept"


def test_complete_columns_are_only_counted():
    filled = [0.9, *[1.0] * 12, 0.1]
    columns = [f"c{i}" for i in range(14)]
    axes = plots.completeness(pd.DataFrame({"table": "customers", "column": columns, "filled": filled}))
    assert names(axes)[:2] == ["c13 · customers", "c0 · customers"]
    assert "… and 12 complete columns" in texts(axes)
    assert title(axes).startswith("1 of 14 columns is less than half filled; the emptiest is c13 of customers, 10 %")


def test_a_month_that_has_not_ended_is_drawn_paler_and_not_compared():
    table = months(*[100] * 12, *[110] * 12, 4)
    axes = plots.orders_over_time(table, as_of=datetime.date(2024, 1, 3))
    # 12 × 110 against 12 × 100
    assert title(axes) == "10 % more orders in the last 12 full months than in the 12 before: 1,320 against 1,200"
    assert "January 2024 (palest) has only 3 of 31 days" in last_line(axes)
    colours = [mpl.colors.to_hex(p.get_facecolor()) for p in axes.patches]
    assert colours == [plots.GREY] * 12 + [plots.ACCENT] * 12 + [plots.PALE]


def test_a_month_that_has_ended_is_compared():
    table = months(*[100] * 12, *[110] * 12)
    assert "palest" not in last_line(plots.orders_over_time(table, as_of=datetime.date(2023, 12, 31)))


def test_a_month_without_orders_counts_as_none():
    table = months(*[10] * 24).drop(index=20)
    # 11 × 10 against 12 × 10
    assert title(plots.orders_over_time(table)).endswith("110 against 120")


def test_amounts_have_their_own_axes_with_the_currency_and_none_when_there_are_none():
    both = plots.orders_over_time(months(5, 6, amount=[50.0, 60.0]), "toman").figure.axes
    assert [a.get_ylabel() for a in both] == ["orders a month", "amount a month, toman"]
    assert len(plots.orders_over_time(months(5, 6, amount=[0.0, 0.0])).figure.axes) == 1


def test_zero_and_missing_values_are_said():
    spend = pd.DataFrame({"total_spend": [0.0, 10, 20, 30, 4000, np.nan, np.nan, np.nan]})
    axes = plots.distribution(spend, "total_spend", "toman", log=True)
    # one of the five known is zero; the middle of 10, 20, 30, 4000 is 25
    assert title(axes) == "Total spend: 20 % have none; half of the others are above 25 toman"
    assert last_line(axes) == "n = 5 customers; 38 % of all have no total spend on record"
    assert axes.get_xscale() == "log"


def test_where_many_share_the_median_it_is_not_said_that_half_are_above():
    orders = pd.DataFrame({"n_orders": [1, 1, 1, 1, 2]})
    assert title(plots.distribution(orders, "n_orders")) == "Number of orders: 80 % of 5 customers are at 1"


def test_whole_numbers_have_bars_of_whole_width():
    # 1 to 90, once each: any uneven bar would show a tooth that is not there
    axes = plots.distribution(pd.DataFrame({"age": range(1, 91)}), "age", log=False)
    assert len({round(p.get_height()) for p in axes.patches[:-1]}) == 1


def test_a_few_giants_are_said_instead_of_drawn():
    axes = plots.distribution(pd.DataFrame({"spend": [*range(1000), 10**6]}), "spend", log=False)
    assert "1 customer beyond the right edge, up to 1 million" in last_line(axes)
    assert axes.get_xlim()[1] < 2000


def test_words_are_ranked_and_the_rest_is_summed():
    cities = pd.DataFrame({"city": ["Tehran"] * 50 + ["Yazd"] * 30 + [f"town {i}" for i in range(20)]})
    axes = plots.distribution(cities, "city")
    assert title(axes) == "City: Tehran comes first, 50 % of 100 customers"
    assert texts(axes)[:2] == ["50 % (50)", "30 % (30)"]
    # 22 cities, 12 shown: ten towns are left
    assert texts(axes)[-1] == "… and 10 others, 10 % together"


def test_the_overdue_are_counted_by_their_own_rhythm():
    table = pd.concat([RHYTHM, pd.DataFrame({"recency_days": [5.0]})])
    axes = plots.rhythm(table)
    assert title(axes) == "1 of 3 customers (33 %) has been silent for more than twice their usual gap"
    assert "1 other ordered too rarely" in last_line(axes)
    assert texts(axes) == ["due today", "twice the usual gap"]


def test_many_points_become_pixels_inside_the_svg():
    few = plots.rhythm(pd.concat([RHYTHM] * 10))
    many = plots.rhythm(pd.concat([RHYTHM] * 1000))
    assert "<image" not in svg(few)
    assert "<image" in svg(many)


def test_concentration_names_share_and_interval():
    axes = plots.lorenz(CURVE, 0.67, 0.62, 0.71, n=500)
    assert title(axes) == "A fifth of customers bring 67 % of revenue (interval 62 to 71 %)"
    assert title(plots.lorenz(CURVE, 0.5, 0.4, 0.6, top=0.15)).startswith("The best 15 % of customers bring 50 %")
    assert "best 20 % 67 %" in plots.alt_text(axes.figure)


def test_a_cell_of_the_map_bears_the_name_of_most_of_its_customers():
    table = pd.DataFrame({"r": [5] * 3 + [np.nan], "f": [5] * 3 + [np.nan], "rfm_segment": ["A", "B", "B", None]})
    axes = plots.rfm_map(table)
    assert "B" in texts(axes)
    assert "A" not in texts(axes)
    assert title(axes) == "The largest of 2 groups: B, 67 % of 3 customers"
    assert "1 without an order" in last_line(axes)


def test_a_region_of_the_map_is_named_once_and_each_part_of_a_split_one():
    cells = [(5, 5, "A"), (4, 5, "A"), (4, 4, "A"), (1, 1, "A"), (2, 1, "B")]
    axes = plots.rfm_map(pd.DataFrame(cells, columns=["r", "f", "rfm_segment"]))
    assert sorted(t for t in texts(axes) if t in ("A", "B")) == ["A", "A", "B"]


def test_the_chosen_number_of_segments_is_the_one_in_colour():
    table = choice((2, 0.6), (3, 0.9))
    axes = plots.stability(table, chosen=2)
    assert title(axes) == "2 segments chosen: stability 0.60 (interval 0.50 to 0.65); 3 would be more stable, 0.90"
    assert [t.get_color() for t in axes.texts] == [plots.ACCENT, plots.QUIET]
    marked = pd.concat([choice((1, np.nan)), table]).assign(chosen=[False, False, True])
    assert title(plots.stability(marked)).startswith("3 segments come out most alike when repeated: stability 0.90")


def test_no_structure_is_said():
    axes = plots.stability(choice((1, np.nan), (2, 0.4), (3, 0.5)), chosen=1)
    assert title(axes) == "No structure found in 2 to 3 segments; the most stable, 3, reach 0.50"
    assert plots.ACCENT not in [t.get_color() for t in axes.texts]


def test_a_segment_has_its_colour_whatever_else_is_drawn():
    rows = [(1, "One", 50, 0.5, 0.5), (2, "Two", 30, 0.3, 0.3), (3, "Three", 20, 0.2, 0.2)]
    for subset in (rows, rows[2:]):
        axes = plots.segment_sizes(segment_summary(*subset))
        assert mpl.colors.to_hex(axes.patches[-1].get_facecolor()) == plots.SEGMENT[2] == plots.segment_colour(3)


def test_the_segment_that_brings_most_beyond_its_size_is_the_finding():
    rows = [(1, "Occasional", 88, 0.88, 0.42), (2, "Regulars", 10, 0.1, 0.6), (3, "Refunders", 2, 0.02, -0.02)]
    axes = plots.segment_sizes(segment_summary(*rows))
    assert title(axes) == "Regulars: 10 % of customers, 60 % of revenue"
    assert "−2 % of revenue" in texts(axes)


def test_traits_stand_on_the_side_of_their_difference_with_an_interval_that_keeps_its_proportion():
    # effect 0.7 for a difference of 5.5, 4.5 to 6.5: the interval reaches 0.7 × 4.5 / 5.5 to 0.7 × 6.5 / 5.5
    axes = plots.traits(pd.DataFrame([trait(), trait("recency_days", -20.0, -0.4)]))
    marks = axes.containers[0].lines[0]
    np.testing.assert_allclose(marks.get_xdata(), [0.7, -0.4])
    first = axes.containers[0].lines[2][0].get_segments()[0]
    np.testing.assert_allclose(first[:, 0], [0.7 * 4.5 / 5.5, 0.7 * 6.5 / 5.5])
    assert names(axes) == ["number of orders", "recency (days)"]


def test_only_distinctive_traits_are_drawn_and_none_is_an_answer():
    table = pd.DataFrame([trait(distinctive=True), trait("age", distinctive=False)])
    assert names(plots.traits(table)) == ["number of orders"]
    axes = plots.traits(table[1:])
    assert title(axes) == "Nothing to show: none of 1 trait sets Regulars clearly apart from everybody else."


def test_traits_of_two_groups_are_refused():
    with pytest.raises(Problem, match=r"one group at a time, and this table has 2: Gifts, Regulars"):
        plots.traits(pd.DataFrame([trait(), trait(group="Gifts")]))


def test_the_step_after_which_fewest_go_on_is_the_finding_and_in_colour():
    axes = plots.funnel(steps(("visit", 200, 120), ("cart", 120, 30), ("order", 30, 0)))
    # 30 of 120 go on, a tenth of the rate either way
    assert title(axes) == (
        "The narrowest step comes after cart: 25 % of 120 customers go on to order (interval 22 to 28 %)"
    )
    amber = [p for p in axes.patches if mpl.colors.to_hex(p.get_facecolor()) == plots.ACCENT]
    assert [p.get_width() for p in amber] == [90]
    # of 200 who visited, 30 ordered
    assert "n = 200 customers, of whom 15 % reached order" in last_line(axes)


def test_a_step_hardly_narrower_than_another_is_not_called_the_narrowest():
    axes = plots.funnel(steps(("visit", 200, 60), ("cart", 60, 17), ("order", 17, 0)))
    assert title(axes).startswith("No step is clearly the narrowest; the lowest rate is after cart: 28 %")


def test_customers_who_may_still_go_on_are_not_called_lost():
    table = steps(("visit", 100, 40), ("order", 40, 0)).assign(lost=[50, 0], censored=pd.array([10, None], "Int64"))
    axes = plots.funnel(table)
    assert any("50 did not, 10 may still" in t.replace("\n", " ") for t in texts(axes))


def test_a_step_repeated_in_a_path_is_counted_and_long_paths_lose_their_middle():
    long = [f"step number {i}" for i in range(12)]
    axes = plots.paths(ways((["visit", "visit", "order"], 30, 0.3), (long, 20, 0.2)))
    assert title(axes).startswith("The commonest path is visit ×2 → order: 30 % of customers (interval 27 to 33 %)")
    assert "step number 0" in texts(axes)
    assert "step number 11" in texts(axes)
    assert "step number 9" not in texts(axes)
    # 30 customers are 30 % of 100
    assert last_line(axes).startswith("n = 100 customers")


def test_tags_of_a_path_do_not_overlap():
    axes = plots.paths(ways((["email", "visit", "سبد خرید", "order"], 30, 0.3)))
    tags = [t.get_window_extent() for t in axes.texts if t.get_bbox_patch()]
    assert len(tags) == 4
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(sorted(tags, key=lambda b: b.x0)))


def test_paths_with_equally_many_customers_come_in_one_order():
    rows = [("a > b", 5, 0.5), ("c > d", 5, 0.5)]
    assert svg(plots.paths(ways(*rows))) == svg(plots.paths(ways(*rows[::-1])))


def test_the_commonest_move_is_neither_a_start_nor_a_repeat():
    rows = [("(start)", "visit", 90), ("visit", "visit", 80), ("visit", "cart", 20), ("cart", "(end)", 20)]
    axes = plots.transitions(pd.DataFrame(rows, columns=["source", "target", "n"]))
    assert title(axes) == "The commonest move is visit → cart: 20 % of 100 moves from visit"
    assert names(axes) == ["cart  20", "visit  100", "(start)  90"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["visit", "cart", "(end)"]


def test_rare_states_are_folded_and_no_move_is_lost():
    rows = [(f"s{i:02}", f"s{j:02}", 30 - i) for i in range(30) for j in range(30)]
    axes = plots.transitions(pd.DataFrame(rows, columns=["source", "target", "n"]))
    assert len(names(axes)) == 20
    # 30 × (30 + 29 + … + 1)
    assert "n = 13,950 moves; the 11 rarest steps are folded" in last_line(axes)


# Colours, numbers, and what Jupyter stores


def contrast_with_white(colour):
    """WCAG 2.2's contrast ratio, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


def test_text_colours_can_be_read_and_segments_seen_on_white():
    assert min(map(contrast_with_white, (plots.ACCENT, plots.QUIET, plots.INK))) >= 4.5
    assert min(map(contrast_with_white, plots.SEGMENT)) >= 3
    assert len(set(plots.SEGMENT)) == 8


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999.6, "1,000"),
        (-42, "−42"),
        (999_999_999, "1 billion"),
        (2.5e12, "2.5 trillion"),
        (0.00123, "0.0012"),
        (np.nan, "–"),
    ],
)
def test_short_numbers(number, text):
    assert evidence.short(number) == text


def test_tables_show_few_digits_and_thousands():
    shown = repr(pd.DataFrame({"spend": [1234567.891, 0.12345, -1234.5, np.nan]})).split()
    assert [s for s in shown if "." in s or "," in s] == ["1,234,568", "0.123", "-1,234"]


def test_a_figure_that_is_not_ours_has_its_title_and_axes_as_alternative_text():
    _, axes = plt.subplots()
    axes.set(title="Orders fall", xlabel="month", ylabel="orders")
    assert plots.alt_text(axes.figure) == "Orders fall. horizontal axis: month, vertical axis: orders."


@pytest.mark.parametrize("before", ["", "%matplotlib inline\nimport matplotlib.pyplot as plt; plt.figure();"])
def test_jupyter_stores_figures_as_svg_alone_with_their_alternative_text(before):
    cells = [
        f"{before}\nfrom analysis import plots\nplots.theme()",
        "import pandas as pd\n"
        'curve = pd.DataFrame({"customers": [0, 0.2, 1], "revenue": [0, 0.67, 1]})\n'
        "plots.lorenz(curve, 0.67, 0.62, 0.71);",
        "%matplotlib inline\n"
        "import matplotlib.pyplot as plt\n"
        'plt.plot([1, 2]); plt.title("Two points");',
    ]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    first, second = ([o for o in c.outputs if o.output_type == "display_data"] for c in notebook.cells[1:])
    for outputs, start in ((first, "A fifth of customers bring 67 % of revenue"), (second, "Two points")):
        assert len(outputs) == 1
        assert sorted(outputs[0].data) == ["image/svg+xml", "text/plain"]
        assert outputs[0].metadata["image/svg+xml"]["alt"].startswith(start)
        assert outputs[0].data["text/plain"] == outputs[0].metadata["image/svg+xml"]["alt"]


# Intervals


def test_intervals_are_written_beside_their_dots_and_the_true_figure_is_marked_where_known():
    axes = plots.intervals(GROUPS, "Half as many", "share of checkouts", ["app"], share=True, nothing=0.5)
    assert texts(axes) == ["40 % (25 to 55 %), n = 40", "80 % (75 to 85 %), n = 300", "50 %, n = 2"]
    [marks] = [line for line in axes.lines if line.get_marker() == "D"]
    assert marks.get_xydata().tolist() == [[0.45, 0], [0.5, 2]]
    assert "as planted" in axes.get_xlabel()
    assert last_line(axes) == "n = 2 to 300 customers in a group"
    dots = [line.get_color() for line in axes.lines if line.get_marker() == "o"]
    assert dots == [plots.ACCENT, plots.QUIET, plots.QUIET]


def test_intervals_without_truth_speak_of_none():
    axes = plots.intervals(GROUPS.drop(columns=["planted", "customers"]), "Half as many", "titles per order")
    assert texts(axes)[0] == "0.40 (0.25 to 0.55)"
    assert axes.get_xlabel() == "titles per order"
    assert not [line for line in axes.lines if line.get_marker() == "D"]


def test_figures_have_as_many_digits_as_their_intervals_justify_and_no_negative_nothing():
    table = pd.DataFrame({"group": list("abc"), "value": [-0.004, 0.5, 7.9], "low": [-0.21, 0.31, np.nan]})
    table["high"] = [0.22, 0.7, np.nan]
    assert texts(plots.intervals(table, "Three groups", "orders")) == [
        "0.00 (−0.21 to 0.22)",
        "0.50 (0.31 to 0.70)",
        "7.90",
    ]
    wide = pd.DataFrame({"group": ["a"], "value": [1234.56], "low": [1200.4], "high": [1270.4]})
    assert texts(plots.intervals(wide, "One group", "toman")) == ["1,235 (1,200 to 1,270)"]


def test_places_that_differ_by_chance_alone_are_not_ranked_in_the_title():
    alike = pd.DataFrame({"customer_id": range(90), "city": ["a", "b", "c"] * 30, "n_orders": [1] * 45 + [2] * 45})
    assert title(plots.places(profiles.by_place(alike, "n_orders"), "orders")) == (
        "Places differ in orders no more than chance would have it"
    )


def test_importance_that_may_be_chance_is_not_told():
    unsure = IMPORTANT.assign(low=-0.1)
    assert title(plots.importance(unsure, "nps")) == "No attribute goes with liking us beyond chance"


def test_the_largest_word_of_a_cloud_is_the_commonest():
    axes = plots.tag_cloud(
        profiles.tag_counts(TAGGED.assign(interests=[["art"], ["art", "novel"]] * 30), "interests"), "x"
    )
    sizes = {text.get_text(): text.get_size() for text in axes.texts}
    # areas go with shares: half as common is 1 / √2 as high above the smallest letters
    assert sizes["art"] == 28
    assert sizes["novel"] == pytest.approx(8 + 20 / 2**0.5)


# Flow and priority


def _labels_apart(axes):
    boxes = [t.get_window_extent() for t in axes.texts if "%" in t.get_text()]
    return not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("groups", [1, 2, 11, 20])
def test_names_on_either_side_of_a_flow_never_overlap(width, groups):
    # most are tiny, so that their bars stand closer than their names are high
    plt.rcParams["figure.figsize"] = (width, 4)
    states = [f"Cannot lose them {i}" for i in range(groups)]
    flows = [(a, b, 500 if a == b == states[0] else 1) for a in states for b in states]
    moves = pd.DataFrame(flows, columns=["source", "target", "n"]).assign(of=600, share=0.1, net=0, one_way=False)
    axes = plots.flow(moves)
    assert _labels_apart(axes)
    least = 9 if width == 4 else 12
    assert ("folded" in last_line(axes)) == (groups > least)


def test_a_flow_says_the_largest_or_that_there_is_none():
    assert title(plots.flow(FLOW)) == "The largest flow goes from Loyal to At risk: 30 customers against 2 back"
    # 32 of the 100 known on both days; who is new or gone has not moved
    none = title(plots.flow(FLOW.assign(one_way=False)))
    assert none == "32 % have moved, but between any two about as many go as come back"
    assert title(plots.flow(NEWS)) == "More than usual go from Loyal to At risk: 36 % against 20 % before"
    stay = FLOW[(FLOW["source"] == FLOW["target"])]
    assert title(plots.flow(stay)) == "Nobody has moved: 68 customers are where they were"


def test_only_what_is_more_than_chance_is_coloured_in_a_flow():
    colours = [mpl.colors.to_hex(p.get_facecolor()) for p in plots.flow(FLOW).patches if not hasattr(p, "get_width")]
    assert sorted(colours) == sorted([plots.ACCENT] + [plots.PALE] * 5)


def test_the_first_segment_is_named_with_how_sure_it_is():
    assert title(plots.priority(ORDER, PARTS)) == (
        "None is clearly first: Regulars is in 80 % of draws of the customers, and by 70 % of all weightings"
    )
    clear = plots.priority(ORDER.assign(clear=[True, False]))
    assert title(clear) == "Regulars first: so in 80 % of draws of the customers, and by 70 % of all weightings"


def test_the_rule_to_use_is_in_amber_with_its_band_and_mass_marketing_in_grey():
    axes = FIGURES["profit_curve"]()
    colours = {line.get_color() for line in axes.lines if line.get_linewidth() == 2.5}
    assert colours == {plots.ACCENT}
    assert len(axes.collections) == 1
    assert (
        title(axes)
        == "Contacting 20 % of customers by \u200eRFM\u200e earns 45 GBP; mass marketing to 20 % earns 10 GBP"
    )
    assert "n = 200 customers judged" in last_line(axes)


def test_no_two_names_of_rules_lie_on_one_another():
    alike = EARNED.assign(profit=[10.0, 10.1, 10.2, 10.3])
    axes = plots.profit_curve(EARNED_CURVE, alike, "RFM")
    boxes = sorted((t.get_window_extent() for t in axes.texts), key=lambda box: box.y0)
    assert len(boxes) == 4
    assert all(below.y1 <= above.y0 + 3 for below, above in itertools.pairwise(boxes))  # 3 of padding


def test_of_many_rules_six_are_named_and_the_others_are_pale():
    many = pd.concat([EARNED, *(EARNED.iloc[[2]].assign(rule=f"بخش {i}") for i in range(16))], ignore_index=True)
    curve = pd.concat([EARNED_CURVE, *(EARNED_CURVE.iloc[6:9].assign(rule=f"بخش {i}") for i in range(16))])
    axes = plots.profit_curve(curve, many, "RFM")
    assert len(texts(axes)) == 6
    assert "14 further rules" in last_line(axes)
    assert sum(line.get_color() == plots.PALE for line in axes.lines) == 14


def test_stable_segments_that_explain_no_more_are_hollow_and_said_to_be():
    table = choice((2, 0.9), (3, 0.6)).assign(beats_reference=[False, True])
    axes = plots.stability(table, chosen=1)
    said = "No structure: 2 segments come out most alike, 0.90, but explain no more than customers without groups would"
    assert title(axes) == said
    assert [line.lines[0].get_markerfacecolor() for line in axes.containers] == ["white", plots.GREY]
    assert "hollow" in last_line(axes)
    assert "hollow" not in last_line(plots.stability(choice((2, 0.9)), chosen=2))


def test_sizes_without_revenue_show_customers_only():
    axes = plots.segment_sizes(segment_summary((1, "A", 30, 0.3, np.nan), (2, "B", 70, 0.7, np.nan)))
    assert title(axes) == "B: 70 % of customers"
    assert len(axes.patches) == 2
    assert not any("revenue" in text for text in texts(axes))


def test_a_number_that_is_a_share_is_written_as_one():
    rows = [(1, "A", 0.2, 0.4, -0.2, -0.9), (2, "B", 0.4, 0.2, 0.2, 0.9)]
    summary = pd.DataFrame(rows, columns=["segment", "segment_name", "value", "elsewhere", "difference", "effect"])
    summary = summary.assign(trait="discount_share", level="", kind="number", n=50, distinctive=True)
    assert {"20 %", "40 %"} <= set(texts(plots.segment_traits(summary)))


def test_groups_known_by_what_they_buy_each_show_it():
    rows = [(1, "A", "bought_art", 1.0), (1, "A", "bought_law", -0.5)]
    rows += [(2, "B", "bought_law", 1.0), (2, "B", "bought_art", -0.5)]
    summary = pd.DataFrame(rows, columns=["segment", "segment_name", "trait", "effect"])
    summary = summary.assign(level="", kind="number", n=50, value=0.3, difference=0.1, distinctive=True)
    heads = [text.get_text() for text in plots.segment_traits(summary).get_xticklabels()]
    assert [("art" in head, "law" in head) for head in heads] == [(True, False), (False, True)]


# Deals


def test_a_pipeline_without_amounts_is_drawn_in_deals():
    unvalued = STAGES.assign(value=np.nan, expected=np.nan, expected_low=np.nan, expected_high=np.nan)
    axes = plots.pipeline(unvalued, PIPELINE.assign(value=[13, np.nan, 5.5, np.nan]))
    assert title(axes) == "13 open deals are expected to bring 5.5 wins (interval 2 to 9), most of it from lead"
    assert "9 deals; 3 (1 to 6)" in texts(axes)


def test_win_rates_name_who_stands_out_and_say_when_nobody_does():
    assert title(plots.win_rates(WON)) == "Owner: Sara wins 67 % of 60 deals, all others 22 %"
    nobody = plots.win_rates(WON.assign(differs=False))
    assert title(nobody) == "No owner stands out: they win 22 % to 67 % of their deals, all together 40 %"
    with pytest.raises(Problem, match="one split at a time, and this table has 2: owner, source"):
        plots.win_rates(pd.concat([WON, WON.assign(split="source")]))


def test_of_a_hundred_owners_twenty_are_drawn_among_them_those_who_stand_out():
    many = pd.concat([WON.tail(1)] * 100, ignore_index=True)
    many = many.assign(group=[f"owner {i}" for i in range(100)], n=range(100, 200), differs=[True] + [False] * 99)
    axes = plots.win_rates(many)
    assert len(names(axes)) == 20
    assert {"owner 0", "owner 99"} <= set(names(axes))
    assert "80 of 100 groups are not drawn" in last_line(axes)


def test_the_curve_ends_where_nothing_happens_any_more():
    longer = pd.concat([WON_BY, WON_BY.tail(1).assign(days=[400.0]), WON_BY.tail(1).assign(days=[800.0])])
    axes = plots.win_curve(longer)
    assert axes.get_xlim()[1] == 400
    assert title(axes) == "40 % of deals are won (interval 33 to 47 %), half of these within 10 days"
