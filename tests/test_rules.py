"""Segments by rule and customers by origin: tables built by hand, figures that can be counted on the fingers."""

import datetime
import itertools
import tomllib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import plots, schema, segments, sources
from analysis.errors import Problem
from analysis.segments import rules as rules_module

DAY = datetime.date(2025, 3, 31)


def customers(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": [f"c{i:02}" for i in range(n)], **columns})


def members(profiles, rule, base=None, as_of=None):
    """Who is in the one segment of a rule: true and false; and how many cannot be judged."""
    found = segments.from_rules(profiles, {"S": rule}, base, as_of)
    return found.members["in_s"].tolist(), int(found.summary["unknown"].item())


def at(*days):
    return pd.to_datetime(list(days)).tz_localize("Asia/Tehran")


# --- one condition


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        (3, [0, 1, 0, 0]),
        ("= 3", [0, 1, 0, 0]),
        (">= 3", [0, 1, 1, 0]),
        ("≥3", [0, 1, 1, 0]),
        ("> 3", [0, 0, 1, 0]),
        ("<= 3", [1, 1, 0, 0]),
        ("< 3", [1, 0, 0, 0]),
        ("not 3", [1, 0, 1, 0]),
        ("not > 3", [1, 1, 0, 0]),
        ("1 to 3", [1, 1, 0, 0]),
        ("2 to 1,000", [0, 1, 1, 0]),
        ([1, ">= 9"], [1, 0, 1, 0]),
        (">= ۳", [0, 1, 1, 0]),
    ],
)
def test_a_number_is_compared_and_an_unknown_one_neither_meets_nor_misses(asked, met):
    held, unknown = members(customers(n_orders=[1, 3, 9, None]), {"n_orders": asked})
    assert held == [bool(m) for m in met]
    assert unknown == 1


@pytest.mark.parametrize(
    ("asked", "met", "unknown"),
    [
        ("Tehran", [1, 0, 0], 1),
        (["Tehran", "Karaj"], [1, 1, 0], 1),
        ("not Tehran", [0, 1, 0], 1),
        ("empty", [0, 0, 1], 0),
        ("not empty", [1, 1, 0], 0),
        (["Tehran", "empty"], [1, 0, 1], 0),
    ],
)
def test_a_name_is_one_of_those_written(asked, met, unknown):
    assert members(customers(city=["Tehran", "Karaj", None]), {"city": asked}) == ([bool(m) for m in met], unknown)


@pytest.mark.parametrize(
    ("asked", "met", "unknown"),
    [
        ("art", [1, 0, 0, 0], 1),
        (["art", "novel"], [1, 1, 0, 0], 1),
        ("not art", [0, 1, 1, 0], 1),
        ("empty", [0, 0, 1, 1], 0),
        ("not empty", [1, 1, 0, 0], 0),
    ],
)
def test_a_list_holds_one_of_the_names_and_an_empty_list_is_known(asked, met, unknown):
    profiles = customers(interests=[["art", "novel"], np.array(["novel"], dtype=object), [], None])
    assert members(profiles, {"interests": asked}) == ([bool(m) for m in met], unknown)


def test_yes_and_no():
    profiles = customers(uses_preferred_channel=pd.array([True, False, None], dtype="boolean"))
    assert members(profiles, {"uses_preferred_channel": True}) == ([True, False, False], 1)
    assert members(profiles, {"uses_preferred_channel": False}) == ([False, True, False], 1)
    assert members(profiles, {"uses_preferred_channel": "empty"}) == ([False, False, True], 0)


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ("in the last 31 days", [0, 1, 1]),  # 1 March is the 31st day counted back from 31 March
        ("in the last 30 days", [0, 0, 1]),
        ("not in the last 31 days", [1, 0, 0]),
        (">= 2025-03-01", [0, 1, 1]),
        ("> 2025-03-01", [0, 0, 1]),
        ("<= 2025-03-01", [1, 1, 0]),  # all of 1 March, also its evening
        ("2025-02-28 to 2025-03-01", [1, 1, 0]),
        ("2025-03-01", [0, 1, 0]),
        (datetime.date(2025, 3, 1), [0, 1, 0]),
        (">= 1403-12-11", [0, 1, 1]),  # 1 March 2025
    ],
)
@pytest.mark.parametrize("timezone", [None, "Asia/Tehran"])
def test_days_are_the_business_s_own_in_their_full_length(asked, met, timezone):
    signed = pd.to_datetime(["2025-02-28 23:59", "2025-03-01 22:00", "2025-03-31 23:59", None]).tz_localize(timezone)
    assert members(customers(signup_at=signed), {"signup_at": asked}, as_of=DAY) == ([*map(bool, met), False], 1)


def test_the_top_share_takes_whoever_has_as_much_as_the_last_of_them():
    # the best 20 % of ten are two; the second and third have the same
    spend = [9, 8, 8, 1, 1, 1, 1, 1, 1, 1]
    assert members(customers(total_spend=spend), {"total_spend": "top 20 %"})[0] == [True] * 3 + [False] * 7
    assert members(customers(total_spend=spend), {"total_spend": "bottom 10 %"})[0] == [False] * 3 + [True] * 7


def test_the_number_at_the_top_is_rounded_up():
    # 20 % of ten are two, 21 % are three, 1 % is one; of the unknown nobody is counted
    for share, n in ((20, 2), (21, 3), (1, 1)):
        assert sum(members(customers(x=[*range(10), None]), {"x": f"top {share} %"})[0]) == n
        assert sum(members(customers(x=[*range(10), None]), {"x": f"bottom {share} %"})[0]) == n


def test_nobody_is_at_the_top_with_the_least_there_is():
    # nine of ten have no return: the best half reaches down to them, and only the one with a return stands out
    assert members(customers(return_rate=[0] * 9 + [0.5]), {"return_rate": "top 50 %"})[0] == [False] * 9 + [True]
    assert not any(members(customers(return_rate=[0] * 10), {"return_rate": "top 5 %"})[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3, 3) | st.none(), min_size=1, max_size=25), st.integers(1, 99))
def test_the_top_never_parts_equal_customers_and_never_takes_a_lesser_one(values, share):
    if all(v is None for v in values):
        return
    held, unknown = members(customers(x=values), {"x": f"top {share} %"})
    inside = {v for v, h in zip(values, held, strict=True) if h}
    outside = {v for v, h in zip(values, held, strict=True) if not h and v is not None}
    assert unknown == values.count(None)
    assert not inside & outside
    assert not inside or not outside or min(inside) > max(outside)


def test_per_cent_of_a_share():
    assert members(customers(discount_share=[0.1, 0.3]), {"discount_share": "> 20 %"})[0] == [False, True]
    assert members(customers(discount_share=[0.1, 0.3]), {"discount_share": "5 to 20 %"})[0] == [True, False]


# --- several conditions


def test_all_conditions_hold_any_is_one_at_least_and_none_excludes():
    profiles = customers(n_orders=[5, 5, 5, 1], last_nps=[9, 2, 2, 9], complaints_365d=[0, 0, 3, 0])
    rule = {"n_orders": ">= 3", "any": [{"last_nps": ">= 9"}, {"complaints_365d": 0}], "none": [{"complaints_365d": 3}]}
    assert members(profiles, rule) == ([True, True, False, False], 0)
    both = {"all": [{"any": [{"n_orders": 5}, {"n_orders": 1}]}, {"any": [{"last_nps": 9}]}]}
    assert members(profiles, both)[0] == [True, False, False, True]


def test_only_whose_place_hangs_on_the_unknown_cannot_be_judged():
    # Kleene: false and unknown is false, true or unknown is true, not unknown is unknown
    profiles = customers(n_orders=[5, 1, 5], last_nps=[None, None, 9.0])
    assert members(profiles, {"n_orders": 5, "last_nps": 9}) == ([False, False, True], 1)
    assert members(profiles, {"any": [{"n_orders": 5}, {"last_nps": 9}]}) == ([True, False, True], 1)
    assert members(profiles, {"none": [{"last_nps": 9}]}) == ([False, False, False], 2)


_RULES = st.recursive(
    st.sampled_from(["a", "b", "c"]).map(lambda f: {f: 1}),
    lambda inner: st.tuples(st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(_RULES)
def test_whoever_is_in_stays_in_whatever_the_unknown_turns_out_to_be(rule):
    def holds(rule, row):
        ((key, given),) = rule.items()
        parts = [holds(r, row) for r in given] if key in ("all", "any", "none") else [row[key] == 1]
        return {"all": all, "any": any, "none": lambda p: not any(p)}.get(key, all)(parts)

    rows = list(itertools.product([0, 1, None], repeat=3))
    profiles = customers(**dict(zip("abc", map(list, zip(*rows, strict=True)), strict=True)))
    held, _ = members(profiles, rule)
    for row, inside in zip(rows, held, strict=True):
        known = [(0, 1) if v is None else (v,) for v in row]
        outcomes = {holds(rule, dict(zip("abc", filled, strict=True))) for filled in itertools.product(*known)}
        assert not inside or outcomes == {True}
        if None not in row:
            assert {inside} == outcomes


# --- events


def tickets():
    return pd.DataFrame(
        {
            "ticket_id": list("12345"),
            "customer_id": ["c00", "c00", "c00", "c01", "c01"],
            "opened_at": at("2025-03-30", "2025-03-29", "2025-01-01", "2025-03-30", "2025-04-01"),
            "topic": ["delivery", "delivery", "delivery", "delivery", "delivery"],
        }
    )


def test_events_are_counted_up_to_as_of_and_customers_without_any_have_none():
    # c00 has two within 90 days before the 31st, the third is of the 90th day, 1 January; c01's second comes after
    profiles, base = customers(n_orders=[1, 1, 1]), {"tickets": tickets()}
    asked = {"count": ">= 2", "last_days": 89, "where": {"topic": "delivery"}}
    assert members(profiles, {"tickets": asked}, base, DAY) == ([True, False, False], 0)
    assert members(profiles, {"tickets": {"count": 3, "last_days": 90}}, base, DAY)[0] == [True, False, False]
    assert members(profiles, {"tickets": {"count": 2, "last_days": 89}}, base, DAY)[0] == [True, False, False]
    assert members(profiles, {"tickets": {"count": 0}}, base, DAY)[0] == [False, False, True]
    assert members(profiles, {"tickets": {"count": 2}}, base, DAY)[0] == [False] * 3
    assert members(profiles, {"tickets": {"count": 2}}, base, "2025-04-01")[0] == [False, True, False]
    assert members(profiles, {"tickets": {"where": {"topic": "not delivery"}}}, base, DAY)[0] == [False] * 3
    assert members(profiles, {"tickets": {}}, base, DAY)[0] == [True, True, False]


@pytest.mark.parametrize("engine", [False, True])
def test_a_row_without_a_topic_is_neither_of_a_topic_nor_of_another(engine):
    rows, db = tickets().assign(topic=["delivery", None, "price", None, None]), sources.connect("Asia/Tehran")
    base = {"tickets": db.sql("FROM rows") if engine else rows}
    for asked, met in (("delivery", [1, 0]), ("not delivery", [1, 0]), ("not price", [1, 0]), ("empty", [1, 1])):
        held, _ = members(customers(n_orders=[1, 1]), {"tickets": {"count": 1, "where": {"topic": asked}}}, base, DAY)
        assert held == list(map(bool, met)), asked


def test_orders_are_purchases_unless_a_status_is_asked_for():
    orders = pd.DataFrame(
        {
            "order_id": list("123"),
            "customer_id": ["c00", "c00", "c01"],
            "ordered_at": at("2025-03-01", "2025-03-02", "2025-03-03"),
            "status": ["completed", "cancelled", None],
        }
    )
    lines = pd.DataFrame({"order_id": list("123"), "product_id": ["x", "x", "y"]})
    products = pd.DataFrame({"product_id": ["x", "y"], "category": ["novel", "school"]})
    base = {"orders": orders, "order_lines": lines, "products": products}
    profiles = customers(city=["a", "b"])
    assert members(profiles, {"orders": {"count": ">= 2"}}, base, DAY)[0] == [False, False]
    assert members(profiles, {"orders": {"where": {"status": "cancelled"}}}, base, DAY)[0] == [True, False]
    novels = {"count": 1, "last_days": 31, "where": {"category": "novel"}}
    assert members(profiles, {"order_lines": novels}, base, DAY)[0] == [True, False]


def test_the_engine_counts_what_pandas_counts():
    profiles, db = customers(n_orders=[1, 1, 1]), sources.connect("Asia/Tehran")
    rows = tickets()
    engine = {"tickets": db.sql("FROM rows")}
    for asked in ({"last_days": 2}, {"count": ">= 3"}, {"where": {"opened_at": "2025-03-29 to 2025-03-30"}}):
        expected = members(profiles, {"tickets": asked}, {"tickets": rows}, DAY)
        assert members(profiles, {"tickets": asked}, engine, DAY) == expected


# --- what comes out


def shop():
    spend = [100.0, 50, 30, 10, 5, 5, 0, 0, 0, 0]
    consents = [["sms"], [], None, ["sms", "email"], ["email"], [], [], [], [], []]
    return customers(total_spend=spend, n_orders=[9, 5, 3, 1, 1, 1, 0, 0, 0, 0], consents=consents)


TWO = {"Buyers": {"n_orders": ">= 1", "why": "They bought."}, "Regulars": {"n_orders": ">= 3"}}


def test_the_summary_counts_shares_revenue_and_reach():
    summary = segments.from_rules(shop(), TWO).summary.set_index("segment")
    assert summary["n"].tolist() == [6, 3]
    assert summary["share"].tolist() == [0.6, 0.3]
    assert summary.loc["Buyers", "revenue"] == 200
    assert summary.loc["Buyers", "revenue_share"] == 1
    assert summary.loc["Buyers", "reachable"] == 3
    assert summary.loc["Buyers", "why"] == "They bought."
    # three regulars: what they bring would nearly tell what one of them brings
    assert np.isnan(summary.loc["Regulars", "revenue"])
    low, high = summary.loc["Regulars", ["low", "high"]]
    assert (round(low, 3), round(high, 3)) == (0.108, 0.603)  # Wilson, 3 of 10


def test_overlaps_are_counted_and_told():
    rule = {"Buyers": {"n_orders": ">= 1"}, "All": {"n_orders": ">= 0"}, "Others": {"n_orders": 0}}
    found = segments.from_rules(shop(), rule)
    assert found.overlap.to_numpy().tolist() == [[6, 6, 0], [6, 10, 4], [0, 4, 4]]
    assert "Largest overlap: of 6 in Buyers, 6 (100 %) are in All too." in found.words
    assert "10 of 10 customers are in a segment by rule (100 %), 10 of them in more than one." in found.words


def test_a_campaign_list_has_those_who_consent():
    found = segments.from_rules(shop(), TWO)
    assert segments.campaign_list(found, "Buyers")["customer_id"].tolist() == [f"c0{i}" for i in range(6)]
    assert segments.campaign_list(found, "Buyers", shop(), "email")["customer_id"].tolist() == ["c03", "c04"]
    assert segments.campaign_list(found, "Regulars", shop(), "email").empty
    with pytest.raises(Problem, match=r'no segment "Buyer"\. Did you mean "Buyers"'):
        segments.campaign_list(found, "Buyer")
    with pytest.raises(Problem, match=r'Nobody consents to "sns"\. Did you mean "sms"'):
        segments.campaign_list(found, "Buyers", shop(), "sns")


def test_the_order_of_rows_means_nothing():
    found = segments.from_rules(shop(), TWO)
    again = segments.from_rules(shop().sample(frac=1, random_state=3), TWO)
    pd.testing.assert_frame_equal(found.members, again.members)
    pd.testing.assert_frame_equal(found.summary, again.summary)
    assert found.words == again.words


def test_columns_are_named_after_segments_in_any_script():
    rules = {"No discount: loyal!": {"n_orders": 1}, "مشتری ویژه": {"n_orders": 9}}
    assert list(segments.from_rules(shop(), rules).members)[1:] == ["in_no_discount_loyal", "in_مشتری_ویژه"]
    with pytest.raises(Problem, match=r'"in_a_b", as does "A b"\. Choose another name'):
        segments.from_rules(shop(), {"A b": {"n_orders": 1}, "a-B": {"n_orders": 1}})


def test_a_misspelt_name_is_told_and_nobody_is_in():
    found = segments.from_rules(customers(city=["Tehran", "Karaj"]), {"S": {"city": "Tehrn"}})
    assert found.conditions["note"].tolist() == ['There is no "Tehrn". Did you mean "Tehran"?']
    found = segments.from_rules(
        customers(n_orders=[1]), {"S": {"tickets": {"where": {"topic": "dlivery"}}}}, {"tickets": tickets()}, DAY
    )
    assert 'no row of tickets is like that. There is no "dlivery". Did you mean "delivery"?' in found.words[-1]


def test_a_table_without_customers_gives_segments_without_customers():
    found = segments.from_rules(shop().head(0), {"S": {"n_orders": 1}})
    assert found.members.empty
    assert found.left_out["why"].tolist() == ["n_orders is empty for every customer"]


# --- what a base lacks, and slips


def test_a_rule_on_what_the_base_lacks_is_left_out_and_says_why():
    rules = {"A": {"last_nps": ">= 9"}, "B": {"n_orders": 9}, "C": {"tickets": {"count": 1}}}
    found = segments.from_rules(shop(), rules)
    assert found.summary["segment"].tolist() == ["B"]
    assert found.left_out["segment"].tolist() == ["A", "C"]
    assert "Left out, as the profiles have no last_nps: A." in found.words
    assert found.left_out["why"].iloc[1] == "the base has no table tickets"


def test_an_alternative_that_the_base_lacks_is_left_out_and_the_others_decide():
    found = segments.from_rules(shop(), {"S": {"any": [{"last_nps": 9}, {"n_orders": 9}], "none": [{"mean_csat": 1}]}})
    assert found.members["in_s"].sum() == 1
    assert found.conditions["condition"].tolist() == ["last_nps 9", "n_orders 9", "mean_csat 1"]
    assert found.conditions["note"].str.startswith("the profiles have no").tolist() == [True, False, True]
    assert segments.from_rules(shop(), {"S": {"any": [{"last_nps": 9}]}}).summary.empty
    assert segments.from_rules(shop(), {"S": {"none": [{"last_nps": 9}]}}).summary.empty
    assert segments.from_rules(shop(), {"S": {"all": [{"last_nps": 9}, {"n_orders": 9}]}}).summary.empty


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"n_order": 1}, 'there is no field n_order. Did you mean "n_orders"'),
        ({"n_orders": "many"}, "the column holds a number. Write "),
        ({"n_orders": "9 to 2"}, "9 is more than 2"),
        ({"n_orders": "> 0,5"}, "Write decimals with a point"),
        ({"n_orders": float("nan")}, "the column holds a number"),
        ({"n_orders": True}, "the column holds a number"),
        ({"n_orders": []}, "write "),
        ({"n_orders": ""}, "the column holds a number"),
        ({"n_orders": "top 20"}, "between 0 and 100 %"),
        ({"n_orders": "top 200 %"}, "between 0 and 100 %"),
        ({"city": ">= 3"}, "the column holds names"),
        ({"city": ["not A", "not B"]}, "one of these always holds"),
        ({"discount_share": "> 20"}, "shares, between 0 and 1. Write 20 % or 0.2"),
        ({"signup_at": "in the last 90 days"}, "needs as_of"),
        ({"signup_at": ">= 2025-02-30"}, "2025-02-30 is no day"),
        ({"signup_at": ">= 9999-12-31"}, "is no day"),
        ({"signup_at": "2025-02-03 to 2025-02-01"}, "Write the earlier day first"),
        ({"signup_at": "recently"}, "the column holds days"),
        ({"email": "not empty"}, "email is personal data"),
        ({"any": {"n_orders": 1}}, "should be a list of conditions"),
        ({"any": [{}]}, "has no condition"),
        ({}, "has no condition"),
        ({"tickets": 2}, "is a table, whose rows are counted"),
        ({"ticket": {"count": 2}}, 'no table ticket. Did you mean "tickets"'),
        ({"tickets": {"counts": 2}}, 'unknown "counts". Did you mean "count"'),
        ({"tickets": {"last_days": "90"}}, "last_days is a number of whole days"),
        ({"tickets": {"where": "topic"}}, "where names columns"),
        ({"tickets": {"where": {"topics": "x"}}}, 'no column topics. Did you mean "topic"'),
        ({"tickets": {"where": {"topic": "> 3"}}}, "the column holds names"),
        ({"feedback": {"where": {"text": "bad"}}}, "text is personal data"),
        ({"feedback": {"where": {"score": "top 20 %"}}}, "are for fields of customers and for counts"),
    ],
)
def test_a_slip_is_told_with_segment_condition_and_cure(rule, says):
    profiles = shop().assign(city="A", discount_share=0.1, signup_at=pd.Timestamp("2025-01-01"), email="a@b.c")
    feedback = pd.DataFrame({"customer_id": ["c00"], "given_at": at("2025-03-01"), "score": [9.0], "text": ["x"]})
    needs_base = "tickets" in rule or "feedback" in rule
    base = {"tickets": tickets(), "feedback": feedback} if needs_base else None
    with pytest.raises(Problem) as problem:
        segments.from_rules(profiles, {"My segment": rule}, base, DAY if needs_base else None)
    assert says in str(problem.value)
    assert 'rules ["My segment"]' in str(problem.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no segment"),
        ('n_orders = ">= 3"', "stands before any segment"),
        ('["A"]\nn_orders = >= 3', "is not valid TOML"),
        ('["A"]\nwhy = 3\nn_orders = 3', "should be a sentence in quotes"),
        ('["..."]\nn_orders = 3', "Choose another name"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, text, says):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=r"^mine\.toml") as problem:
        segments.from_rules(shop(), file)
    assert says in str(problem.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Problem, match=r"nowhere\.toml. cannot be read"):
        segments.from_rules(shop(), str(tmp_path / "nowhere.toml"))
    with pytest.raises(Problem, match="rules is the path of a TOML file, or a dict"):
        segments.from_rules(shop(), None)
    with pytest.raises(Problem, match="more than once"):
        segments.from_rules(pd.concat([shop(), shop()]), TWO)


# --- the shipped rules


def test_shipped_rules_ask_for_nothing_but_documented_fields_and_give_their_reasons():
    def fields(rule):
        inner = itertools.chain(*(map(fields, rule.get(group, [])) for group in ("all", "any", "none")))
        return {k for k in rule if k not in ("why", "all", "any", "none")}.union(*inner)

    rules = tomllib.loads(rules_module.SHIPPED.read_text(encoding="utf-8"))
    assert all(rule["why"].endswith(".") for rule in rules.values())
    assert set().union(*map(fields, rules.values())) <= set(schema.PROFILE_COLUMNS)
    # no threshold of money but a share of this base
    assert {rule["total_spend"].split()[0] for rule in rules.values() if "total_spend" in rule} <= {"top", "bottom"}


def test_a_file_of_ones_own_stands_in_for_the_shipped_one(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('["Mine"]\nn_orders = ">= 3"\n', encoding="utf-8")
    assert segments.from_rules(shop(), str(file)).summary["segment"].tolist() == ["Mine"]


def test_whom_to_give_a_discount_and_whom_not_never_meet():
    # price-sensitive and late, and two who are on time: one full-price regular, one hunter of sales
    profiles = customers(
        **{"n_orders": [9, 9, 9, 0], "n_order_days": [5, 9, 5, 0], "price_sensitivity": [0.3, -0.2, 0.5, None]},
        **{"overdue_ratio": [4.0, 0.5, 1.0, None], "return_rate": [0.0, 0, 0, None], "touchpoints_90d": [0, 0, 0, 2]},
    )
    found = segments.from_rules(profiles.assign(price_sensitivity=[0.6, -0.2, 0.5, None])).members.set_index(
        "customer_id"
    )
    assert found.index[found["in_discount_price_sensitive_and_slipping_away"]].tolist() == ["c00"]
    assert found.index[found["in_no_discount_loyal_at_full_price"]].tolist() == ["c01"]
    assert found.index[found["in_discount_known_but_never_bought"]].tolist() == ["c03"]
    found = segments.from_rules(profiles).members
    assert found["in_no_discount_waits_for_every_sale"].tolist() == [False, False, True, False]


# --- origins


def comers(n=60):
    """Three of four came by the web and spend 10, the others from the fair and spend 40, all a year ago or longer."""
    origin = ["fair" if i % 4 == 0 else "web" for i in range(n)]
    spend = [40.0 + i % 3 if o == "fair" else 10.0 + i % 3 for i, o in enumerate(origin)]
    return customers(acquisition_channel=origin, n_orders=[1] * n, total_spend=spend)


def orders_of(profiles, first="2024-01-01", **columns):
    rows = pd.DataFrame({"customer_id": profiles["customer_id"], "amount": profiles["total_spend"]})
    return rows.assign(order_id=range(len(rows)), ordered_at=at(*[first] * len(rows)), **columns)


def test_origins_are_counted_compared_and_corrected():
    found = segments.origins(comers(), min_size=10)
    table = found.table.set_index("origin")
    assert table["customers"].to_dict() == {"web": 45, "fair": 15}
    assert table["worth"].round(6).to_dict() == {"web": 11.0, "fair": 41.0}
    assert table["revenue_share"].round(4).to_dict() == {"web": 0.4459, "fair": 0.5541}  # 495 and 615 of 1,110
    assert table["differs"].all()
    assert any("fair: worth 41 per customer, elsewhere 11" in words for words in found.words)


def test_small_origins_are_put_together():
    profiles = customers(acquisition_channel=["a"] * 30 + ["b"] * 12 + ["c"] * 10 + [None] * 3, n_orders=[1] * 55)
    found = segments.origins(profiles)
    assert found.table[["origin", "customers"]].to_numpy().tolist() == [["a", 30], ["other origins", 22]]
    assert found.left_out == 3
    # the rest of ten is too small to be told of
    found = segments.origins(profiles[profiles["acquisition_channel"] != "b"])
    assert found.table["origin"].tolist() == ["a"]
    assert found.left_out == 13
    with pytest.raises(Problem, match="no origin of 20 customers"):
        segments.origins(profiles.tail(13))


def test_customers_are_compared_at_equal_age():
    # everybody spends 10 in the first year; those of the web came a year earlier and spent 90 more in their second
    profiles = customers(acquisition_channel=["web", "fair"] * 40, n_orders=1, total_spend=[100.0, 10.0] * 40)
    first = pd.DataFrame({"customer_id": profiles["customer_id"], "amount": 10.0, "order_id": range(80)})
    first["ordered_at"] = at(*["2023-01-01", "2024-03-01"] * 40)
    later = first[::2].assign(amount=90.0, ordered_at=at(*["2024-06-01"] * 40), order_id=range(80, 120))
    found = segments.origins(profiles, base={"orders": pd.concat([first, later])}, as_of=DAY)
    assert found.days == 365
    assert found.table["worth"].tolist() == [10.0, 10.0]
    assert not found.table["differs"].any()
    assert segments.origins(profiles).table["differs"].all()


def test_who_is_too_young_is_not_judged_and_half_of_the_customers_are_enough():
    # by 31 March 2025, those of 1 April 2024 have been known for 365 days; those of the day after for 364
    profiles = comers(80)
    profiles.loc[1::2, "total_spend"] = 1000.0  # what the younger ones spent counts for nothing as yet
    days = at(*["2024-04-01", "2024-04-02"] * 40)
    found = segments.origins(profiles, base={"orders": orders_of(profiles).assign(ordered_at=days)}, as_of=DAY)
    assert (found.days, found.table["aged"].sum()) == (365, 40)
    assert found.table["worth"].max() < 100
    days = at(*["2024-04-02"] * 80)
    found = segments.origins(profiles, base={"orders": orders_of(profiles).assign(ordered_at=days)}, as_of=DAY)
    assert (found.days, found.table["aged"].sum()) == (180, 80)


def test_age_counts_from_signing_up_and_those_who_never_bought_count():
    # eighty signed up in 2023, the first half of them bought on the same day
    profiles = comers(80).assign(total_spend=10.0)
    signed = profiles[["customer_id"]].assign(signup_at=at(*["2023-01-01"] * 80))
    base = {"customers": signed, "orders": orders_of(profiles.head(40), "2023-01-01")}
    found = segments.origins(profiles, base=base, as_of=DAY)
    assert found.table["bought"].tolist() == [0.5, 0.5]
    assert found.table["worth"].tolist() == [5.0, 5.0]
    # an order after the first 365 days does not count
    base["orders"] = orders_of(profiles.head(40), "2024-01-01")
    assert segments.origins(profiles, base=base, as_of=DAY).table["worth"].tolist() == [0.0, 0.0]


def test_credit_notes_lower_the_worth_and_cancelled_orders_count_for_nothing():
    profiles = comers(80).assign(total_spend=10.0)
    back = orders_of(profiles, status="returned").assign(amount=-4.0)
    off = orders_of(profiles, status="cancelled").assign(amount=99.0)
    orders = pd.concat([orders_of(profiles, status="completed"), back, off])
    found = segments.origins(profiles, base={"orders": orders}, as_of=DAY)
    assert found.table["worth"].tolist() == [6.0, 6.0]


def test_a_campaign_s_cost_is_told_per_customer():
    profiles = comers(80).assign(acquisition_campaign=["Yalda", None] * 40)
    campaigns = pd.DataFrame({"campaign_id": ["M1", "M2"], "name": ["Yalda", "Nowruz"], "cost": [400.0, 7.0]})
    found = segments.origins(
        profiles, "acquisition_campaign", {"orders": orders_of(profiles), "campaigns": campaigns}, DAY
    )
    table = found.table.set_index("origin")
    assert table["cost_per_customer"].dropna().to_dict() == {"Yalda": 10.0}
    assert table.loc["none", "customers"] == 40  # an empty campaign says that there was none
    assert any("Yalda cost 400, 10 for each of 40 customers." in words for words in found.words)


def test_origins_that_do_not_differ_are_said_not_to():
    rng = np.random.default_rng(0)
    profiles = comers(400).assign(total_spend=rng.lognormal(3, 1, 400), acquisition_channel=list("abcd") * 100)
    found = segments.origins(profiles)
    assert not found.table["differs"].any()
    assert "No origin differs from the others beyond chance" in " ".join(found.words)


def test_origins_need_an_origin_and_something_brought():
    with pytest.raises(Problem, match='no column "acquisition_chanel"'):
        segments.origins(comers(), "acquisition_chanel")
    with pytest.raises(Problem, match="is empty for every customer"):
        segments.origins(comers().assign(acquisition_channel=None))
    with pytest.raises(Problem, match='neither "total_spend" nor "n_orders"'):
        segments.origins(comers()[["customer_id", "acquisition_channel"]])


def test_neither_the_order_of_rows_nor_the_engine_means_anything_for_origins():
    profiles = comers(80)
    rows, db = orders_of(profiles), sources.connect("Asia/Tehran")
    base = {"orders": rows}
    found = segments.origins(profiles, base=base, as_of=DAY)
    assert found.table["differs"].all()
    engine = segments.origins(profiles, base={"orders": db.sql("FROM rows")}, as_of=DAY)
    pd.testing.assert_frame_equal(found.table, engine.table)
    pd.testing.assert_frame_equal(found.differences, engine.differences)
    again = segments.origins(profiles.sample(frac=1, random_state=2), base={"orders": base["orders"][::-1]}, as_of=DAY)
    pd.testing.assert_frame_equal(found.table, again.table)


# --- figures


def test_the_figure_of_overlaps_names_the_largest_of_segments_that_are_not_tiny():
    names = ["A", "B", "C"]
    both = pd.DataFrame([[50, 20, 1], [20, 200, 4], [1, 4, 4]], index=names, columns=names)
    assert plots.overlaps(both).get_title() == "Largest overlap: 40 % of A are in B, too"
    apart = pd.DataFrame(np.diag([50, 20]), index=names[:2], columns=names[:2])
    assert plots.overlaps(apart).get_title() == "No customer is in two of the 2 segments by rule"


def test_the_figure_of_origins_says_when_nothing_differs():
    found = segments.origins(comers(), min_size=10)
    assert "fair are worth 41 EUR, those of all origins 18.5 EUR" in plots.origins(found.table, 0, "EUR").get_title()
    title = plots.origins(found.table.assign(differs=False)).get_title()
    assert " ".join(title.split()).startswith("No origin's customers are worth more or less beyond chance: 11 to 41")


def test_where_no_rule_can_be_asked_that_is_said_first():
    found = segments.from_rules(customers(n_orders=[1, 2]), {"A": {"last_nps": ">= 9"}})
    assert found.words[0].startswith("No rule of the file can be asked of this base")
    assert "last_nps" in found.words[1]
