"""Groups of customers: what they are formed by, how many there are, and the file by which anybody is given a group."""

import json

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from analysis import segments
from analysis.errors import Problem
from analysis.segments.choice import STABLE
from analysis.segments.features import counted, shrunken
from analysis.segments.methods import measured

GENRES = ("novel", "exam", "art")
OCCUPATIONS = st.none() | st.sampled_from(["pupil", "retired", "x"])


def ids(n):
    return [f"{i:05}" for i in range(n)]


def blobs(sizes, distance=6.0, columns=2, seed=0):
    """Profiles of round groups, and the group of each customer."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(range(len(sizes)), sizes)
    centres = np.eye(max(columns, len(sizes)))[: len(sizes), :columns] * distance
    x = centres[truth] + rng.normal(size=(len(truth), columns))
    names = [f"x{i}" for i in range(columns)]
    return pd.DataFrame(x, columns=names).assign(customer_id=ids(len(truth))), truth


def kinds(n=600, seed=0):
    """Two kinds of customers: pupils who buy for exams, pensioners who buy novels; some never bought."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.arange(n) % 2)
    lines = rng.poisson(4, n)
    mixes = np.array([[0.15, 0.8, 0.05], [0.75, 0.05, 0.2]])[kind]
    counts = rng.multinomial(lines, mixes)
    profiles = pd.DataFrame(
        {
            "customer_id": ids(n),
            "age": np.where(kind == 0, rng.normal(18, 2, n), rng.normal(66, 6, n)).round(),
            "occupation": np.where(rng.random(n) < 0.9, np.array(["pupil", "retired"])[kind], "employee"),
            "n_orders": (lines > 0).astype(int) * (1 + lines // 2),
            "n_lines": lines,
        }
    )
    profiles[[f"bought_{genre}" for genre in GENRES]] = np.where(
        lines[:, None] > 0, counts / np.maximum(lines, 1)[:, None], np.nan
    )
    profiles["age"] = profiles["age"].where(rng.random(n) < 0.8)
    profiles["occupation"] = profiles["occupation"].where(rng.random(n) < 0.7)
    return profiles, kind


def one_kind(style, seed, n=500):
    """Customers of one kind: numbers that go together or not, or categories and shares as well."""
    rng = np.random.default_rng(seed)
    together = np.full((5, 5), 0.0 if style == "independent" else 0.5) + np.eye(5) * (
        1 if style == "independent" else 0.5
    )
    z = rng.multivariate_normal(np.zeros(5), together, n)
    if style in ("independent", "together"):
        return pd.DataFrame(z, columns=list("abcde")).assign(customer_id=ids(n)), list("abcde")
    if style == "skewed":
        return pd.DataFrame(np.exp(z), columns=list("abcde")).assign(customer_id=ids(n)), list("abcde")
    lines = 1 + rng.poisson(3, n)
    counts = rng.multinomial(lines, rng.dirichlet([2, 3, 1], n))
    profiles = pd.DataFrame({"customer_id": ids(n), "age": 40 + 10 * z[:, 0], "n_lines": lines, "n_orders": lines})
    profiles["education"] = np.array(list("klmn"))[np.searchsorted([-0.8, 0.1, 1], z[:, 1])]
    profiles["occupation"] = np.array(list("opqrst"))[np.searchsorted([-1, -0.4, 0, 0.5, 1.1], z[:, 2])]
    profiles[[f"bought_{genre}" for genre in GENRES]] = counts / lines[:, None]
    return profiles, ()


# --- what groups are formed by


def test_who_they_are_and_what_they_buy_comes_before_how_much():
    profiles, _ = kinds()
    found = segments.features(profiles.assign(recency_days=1.0, total_spend=2.0))
    assert [f.name for f in found.features] == ["age", "occupation", "what they buy"]
    assert "age of 19 %" in found.notes[1]  # one in five has no age


def test_a_base_of_orders_alone_is_grouped_by_how_it_buys():
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(
        {"customer_id": ids(50), "recency_days": rng.uniform(0, 99, 50), "n_orders": rng.poisson(3, 50) + 1}
    ).assign(total_spend=lambda t: t["n_orders"] * rng.uniform(5, 9, 50))
    assert [f.name for f in segments.features(profiles).features] == ["recency_days", "n_orders", "total_spend"]


def test_an_unknown_family_is_answered_with_those_there_are():
    profiles, _ = kinds(20)
    with pytest.raises(Problem, match=r'no family or column "demografic"\. Did you mean "demographic"'):
        segments.features(profiles, ["demografic"])


def test_what_cannot_tell_customers_apart_is_left_out_and_named():
    profiles, _ = blobs((30, 30))
    profiles = profiles.assign(
        same=1.0, twin=profiles["x0"] * 2, rare=[1.0] * 10 + [np.nan] * 50, code=[f"k{i}" for i in range(60)], day="a"
    )
    found = segments.features(profiles, ["x0", "x1", "same", "twin", "rare", "code", "day"])
    assert [f.name for f in found.features] == ["x0", "x1"]
    told = " ".join(found.notes)
    for words in (
        "same, the same for everybody",
        "twin, which says the same as x0",
        "rare, not known of 83 %",
        "code, as nearly",
    ):
        assert words in told


def test_the_unit_of_money_and_the_order_of_rows_change_nothing():
    profiles, _ = kinds()
    profiles["income"] = np.random.default_rng(1).lognormal(10, 1, len(profiles))
    first = segments.cluster(profiles, k=2).segments
    again = segments.cluster(
        profiles.assign(income=profiles["income"] * 10).sample(frac=1, random_state=3), k=2
    ).segments
    pd.testing.assert_frame_equal(first, again)


def test_shares_weigh_the_more_the_more_purchases_they_rest_on_but_never_without_bound():
    assert counted(np.array([0.0, 1.0, 50.0]), 0.1).round(2).tolist() == [0.0, 1.0, 8.47]  # 50 / (1 + 49 / 10)
    profiles, _ = kinds()
    feature = next(f for f in segments.features(profiles).features if f.kind == "shares")
    two = profiles.head(2).assign(n_lines=[1, 40], n_orders=[1, 20], bought_novel=1.0, bought_exam=0.0, bought_art=0.0)
    once, often = np.abs(shrunken(two, feature)).sum(axis=1)
    assert 0 < once < often


# --- how many groups


def test_three_plain_groups_are_three_the_largest_first():
    profiles, truth = blobs((120, 60, 90), distance=9.0)
    found = segments.cluster(profiles, ["x0", "x1"])
    assert found.k == 3
    assert found.segments["segment"].value_counts().sort_index().tolist() == [120, 90, 60]
    assert adjusted_rand_score(truth, found.segments["segment"]) > 0.95


def test_two_kinds_are_found_by_numbers_categories_and_shares_together():
    profiles, kind = kinds()
    choice = segments.choose_k(profiles, ks=range(2, 6))
    assert choice.query("chosen")["k"].item() == 2
    assert choice.query("k == 2")["stability"].item() > STABLE
    assert adjusted_rand_score(kind, segments.cluster(profiles, k=2).segments["segment"]) > 0.9


@pytest.mark.parametrize("style", ["independent", "together", "skewed", "mixed"])
def test_customers_of_one_kind_are_one_group(style):
    # 40 such bases, and customers of a single true persona, are measured in tests/accuracy.py
    for seed in range(2):
        profiles, by = one_kind(style, seed)
        choice = segments.choose_k(profiles, by, ks=range(2, 6))
        assert choice.query("chosen")["k"].item() == 1, choice


def test_a_grouping_that_is_not_found_again_is_no_structure_however_much_it_explains():
    table = pd.DataFrame({"k": [1, 2, 3], "stability": [np.nan, 0.7, 0.6], "excess": [np.nan, 0.2, 0.3]})
    from analysis.segments.choice import _elected

    assert _elected(table.assign(beats_reference=[False, True, True])) == 1
    stable = table.assign(beats_reference=[False, True, True], stability=[np.nan, 0.9, 0.9])
    assert _elected(stable) == 3
    assert _elected(stable.assign(excess=[np.nan, 0.3, 0.2])) == 2  # three explain less beyond the reference


def test_customers_all_alike_or_too_few_are_one_group():
    alike = pd.DataFrame({"customer_id": ids(30), "a": 1.0, "b": 2.0})
    assert segments.cluster(alike, ["a", "b"]).segments["segment"].eq(1).all()
    few = pd.DataFrame({"customer_id": ids(3), "a": [1.0, 2, 9]})
    assert segments.cluster(few, ["a"]).segments["segment"].eq(1).all()
    with pytest.raises(Problem, match="4 groups were asked for, but only 3 customers differ"):
        segments.cluster(few, ["a"], k=4)


# --- groups


@pytest.mark.parametrize("method", segments.METHODS)
def test_every_method_finds_groups_that_lie_apart_whatever_the_seed_and_order_of_rows(method):
    profiles, truth = blobs((90, 60, 50), distance=9.0)
    found = segments.cluster(profiles, ["x0", "x1"], k=3, method=method)
    assert adjusted_rand_score(truth, found.segments["segment"]) > 0.97
    other = segments.cluster(profiles.sample(frac=1, random_state=1), ["x0", "x1"], k=3, method=method, seed=5)
    assert (other.segments["segment"] == found.segments["segment"]).all()


def test_a_method_that_there_is_not_is_answered_with_those_there_are():
    with pytest.raises(Problem, match=r'no method "kmeans".*Did you mean "k-means"'):
        segments.cluster(blobs((20, 20))[0], ["x0"], k=2, method="kmeans")


def test_companies_among_persons_are_a_group_of_their_own():
    profiles, _ = kinds(200)
    profiles["kind"] = ["company"] * 12 + ["person"] * 188
    found = segments.cluster(profiles, k=2)
    assert found.apart == "company"
    assert found.segments["segment"].head(12).eq(3).all()
    assert found.segments["segment"].iloc[12:].isin([1, 2]).all()


def test_who_never_bought_comes_last_where_groups_are_formed_by_purchases():
    rng = np.random.default_rng(0)
    orders = np.r_[np.zeros(10), rng.poisson(3, 60) + 1]
    profiles = pd.DataFrame(
        {
            "customer_id": ids(70),
            "n_orders": orders,
            "recency_days": np.where(orders > 0, rng.uniform(0, 300, 70), np.nan),
            "total_spend": orders * 5.0,
        }
    )
    found = segments.cluster(profiles, ["behavioural"], k=2).segments
    assert found["segment"].head(10).eq(3).all()
    assert found["fit"].head(10).isna().all()


def test_a_few_of_whom_nothing_is_known_are_no_group():
    profiles, _ = kinds()
    nobody = profiles.index < 2
    columns = ["age", *(f"bought_{genre}" for genre in GENRES)]
    profiles.loc[nobody, columns] = np.nan
    profiles.loc[nobody, "occupation"] = None
    profiles.loc[nobody, ["n_orders", "n_lines"]] = 0
    found = segments.cluster(profiles, k=2).segments
    assert found["segment"].max() == 2
    assert found["segment"].head(2).eq(1).all()  # where the most customers are
    assert found["fit"].head(2).isna().all()
    profiles.loc[profiles.index < 20, columns] = np.nan
    profiles.loc[profiles.index < 20, "occupation"] = None
    profiles.loc[profiles.index < 20, ["n_orders", "n_lines"]] = 0
    assert segments.cluster(profiles, k=2).segments["segment"].head(20).eq(3).all()  # one in thirty: a group


def test_what_is_not_known_moves_nobody():
    # the chance of a group rests on age alone where occupation and purchases are unknown
    profiles, _ = kinds()
    model = segments.cluster(profiles, k=2)
    bare = pd.DataFrame(
        {"customer_id": ["young", "old"], "age": [18.0, 66], "occupation": None, "n_orders": 0, "n_lines": 0}
    )
    bare[[f"bought_{genre}" for genre in GENRES]] = np.nan
    found = segments.assign(model, bare).set_index("customer_id")["segment"]
    by_age = segments.assign(model, profiles).merge(profiles).groupby("segment")["age"].mean()
    assert by_age[found["old"]] > 50 > 30 > by_age[found["young"]]


# --- the saved segmentation


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    profiles, _ = kinds()
    profiles["member"] = pd.array([True, False, None] * 200, dtype="boolean")
    profiles["kind"] = ["company"] * 20 + ["person"] * 580
    models = {}
    for method in segments.METHODS:
        by = ["demographic", "preference", "member"]
        model = segments.cluster(profiles, by, k=3, method=method).named({1: "Novels", 2: "Exams"})
        file = tmp_path_factory.mktemp("models") / f"{method}.json"
        segments.save(model, file)
        models[method] = (model, file)
    return profiles, models


@pytest.mark.parametrize("method", segments.METHODS)
def test_the_file_gives_everybody_the_group_they_had(saved, method):
    profiles, models = saved
    model, file = models[method]
    again = segments.assign(segments.load(file), profiles.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(again, model.segments)


@pytest.mark.parametrize("method", segments.METHODS)
def test_a_database_gives_the_groups_that_pandas_gives(saved, method):
    profiles, models = saved
    model = segments.load(models[method][1])
    odd = profiles.head(4).assign(
        customer_id=["x1", "x2", "x3", "x4"],
        occupation=["astronaut", None, "pupil", "retired"],
        age=[-5.0, np.nan, 400, 30],
    )
    everybody = pd.concat([profiles, odd], ignore_index=True)
    here = segments.assign(model, everybody)
    there = (
        segments.assign(model, duckdb.connect().from_df(everybody)).df().sort_values("customer_id", ignore_index=True)
    )
    assert (there["segment"] == here["segment"]).all()
    assert (there["segment_name"] == here["segment_name"]).all()
    np.testing.assert_allclose(there["fit"].to_numpy(dtype=float), here["fit"], atol=2e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.none() | st.floats(-1e6, 1e6), OCCUPATIONS, st.integers(0, 9)), min_size=1, max_size=8))
def test_any_customer_has_one_group_and_the_same_in_a_database(saved, rows):
    model = saved[1]["latent classes"][0]
    table = pd.DataFrame(
        {
            "customer_id": ids(len(rows)),
            "age": pd.array([a for a, _, _ in rows], dtype="Float64").astype(float),
            "occupation": pd.array([o for _, o, _ in rows], dtype="str"),
            "n_orders": [n for *_, n in rows],
            "n_lines": [n for *_, n in rows],
            "member": pd.array([True] * len(rows), dtype="boolean"),
            "kind": "person",
        }
    )
    table[[f"bought_{genre}" for genre in GENRES]] = np.where(table[["n_lines"]] > 0, [[0.5, 0.5, 0.0]], np.nan)
    here = segments.assign(model, table)
    there = segments.assign(model, duckdb.connect().from_df(table)).df().sort_values("customer_id", ignore_index=True)
    assert here["segment"].between(1, 5).all()
    assert (there["segment"].to_numpy() == here["segment"].to_numpy()).all()


def test_the_file_is_readable_and_holds_no_customer(saved):
    profiles, models = saved
    text = models["latent classes"][1].read_text(encoding="utf-8")
    content = json.loads(text)
    assert [f["name"] for f in content["features"]] == ["age", "occupation", "what they buy", "member"]
    assert list(content["names"].values())[:3] == ["Novels", "Exams", "Group 3"]
    assert len(content["prototypes"][0]["linear"]) == len(content["columns"])
    assert not any(customer in text for customer in profiles["customer_id"].head(50))


def test_a_file_that_holds_no_segmentation_is_refused_in_words(tmp_path):
    with pytest.raises(Problem, match="There is no"):
        segments.load(tmp_path / "none.json")
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(Problem, match="holds no segmentation"):
        segments.load(tmp_path / "other.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(Problem, match="is no JSON"):
        segments.load(tmp_path / "broken.json")


def test_a_column_that_next_months_profiles_lack_is_named(saved):
    profiles, models = saved
    with pytest.raises(Problem, match="occupation"):
        segments.assign(models["k-means"][0], profiles.drop(columns="occupation"))


def test_no_feature_weighs_more_for_having_more_columns():
    profiles, _ = kinds()
    found = segments.features(profiles)
    data = measured(profiles, found, "k-means")
    for place in data.places:  # the first principal axis of each has a deviation of one, but for what is not known
        block = data.values[:, place]
        assert np.sqrt(np.linalg.eigvalsh(np.atleast_2d(np.cov(block, rowvar=False)))[-1]) == pytest.approx(1, abs=0.2)


def test_a_gap_between_few_values_is_a_structure():
    # half are 1 to 4, half 41 to 44: nobody is between, which customers of one kind would be
    values = np.r_[np.tile([1.0, 2, 3, 4], 15), np.tile([41.0, 42, 43, 44], 15)]
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(
        {"customer_id": ids(120), "a": values, "b": np.repeat([0.0, 9.0], 60) + rng.normal(size=120)}
    )
    assert segments.choose_k(profiles, ["a", "b"], ks=[2, 3]).query("chosen")["k"].item() == 2


def test_what_all_persons_share_is_no_feature_though_companies_differ():
    # without the companies nobody has a deal: the deals tell nobody apart
    rng = np.random.default_rng(0)
    profiles = pd.DataFrame(
        {
            "customer_id": ids(80),
            "kind": ["company"] * 10 + ["person"] * 70,
            "n_deals": [3, 5] * 5 + [0] * 70,
            "recency_days": rng.uniform(0, 99, 80),
            "n_orders": rng.poisson(3, 80) + 1,
        }
    )
    found = segments.features(profiles, ["behavioural"])
    assert [f.name for f in found.features] == ["recency_days", "n_orders"]
    assert segments.choose_k(profiles, found, ks=[2, 3])["k"].tolist() == [1, 2, 3]


def test_cutting_numbers_into_levels_hides_no_dependence_from_the_reference():
    # two normal numbers with a correlation of 0.6, both known as above or below the middle only: as seen 0.41
    z = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 4000)
    from analysis.segments.choice import _rank_correlations

    found = _rank_correlations(pd.DataFrame({"a": (z[:, 0] > 0) * 1.0, "b": (z[:, 1] > 0) * 1.0}))
    assert found[0, 1] == pytest.approx(0.6, abs=0.08)


def test_what_likelihood_gains_is_told_per_feature():
    # two groups at 0 and 4 in each of two numbers, variance 1 + 4 = 5 in all: each number gains ln(5) / 2, and the two
    # groups cost ln(2) to tell; 1 - exp(-2 (ln 5 - ln 2) / 2) = 0.6
    rng = np.random.default_rng(0)
    x = np.repeat([0.0, 4.0], 1000)[:, None] + rng.normal(size=(2000, 2))
    profiles = pd.DataFrame(x, columns=["a", "b"]).assign(customer_id=ids(2000))
    choice = segments.choose_k(profiles, ["a", "b"], "latent classes", ks=[2])
    assert choice.query("k == 2")["explained"].item() == pytest.approx(0.6, abs=0.03)
