"""``python -m tests.accuracy``: how much of the bookshop's hidden truth do the chapters find?

Five seeds, each with the naive baseline beside it; the worst seed is what counts. Chapters never read ``truth/``: only
this measurement does. Prints a table and writes it to ``reports/accuracy-<date>.md``.
"""

import argparse
import re
import tempfile
import tomllib
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import adjusted_rand_score, roc_auc_score
from sklearn.model_selection import cross_val_predict

from analysis import bookshop, evidence, journeys, personas, places, profiles, quality, segments, sources
from analysis.bookshop.people import PERSONAS, SHIFT, TWINS
from analysis.personas.changes import PRICES, changes
from analysis.personas.examples import chosen
from analysis.personas.likeness import line_id
from analysis.profiles.targets import orders_of_the_time
from analysis.segments.cases import cases
from analysis.sources.mapping import MERGE_SCORE
from tests.planted import planted, truths

SEEDS = (1, 2, 3, 4, 5)
#: Rate at which defects are planted to see which of them reading finds.
DEFECTS = 0.03
#: Attributes that truly make no difference to anything that a profile says of a customer.
NOTHINGS = ("newsletter_layout", "card_colour")
#: The same, and what `_with_nothings` adds.
ALL_NOTHINGS = (*NOTHINGS, "even_month", "first_till")
#: A call to a customer who may buy (toman), what is earned of a sale, and shares of the customers who may be called.
CALL, MARGIN, BUDGETS = 150_000, 0.3, (0.1, 0.2, 0.4, 1.0)
#: Ways to form groups, one of which makes no difference.
SCHEMES = {"RFM": segments.rfm, "favourite": "top_category", "channel": "preferred_channel", "nothing": "card_colour"}
#: Later campaigns on each channel, whose effect was drawn for every customer.
CAMPAIGNS = ("M08", "M10", "M11", "M12")
#: Worlds in which a target is dealt out to customers at random, per seed.
SHUFFLED = 10
#: Quarters before the last one, in none of which anything was planted.
STEADY = 4


def main() -> None:
    options = _options()
    found = pd.concat([_of_world(seed, options.customers) for seed in options.seeds], ignore_index=True)
    text = _document(found, options)
    places.REPORTS.mkdir(exist_ok=True)
    file = places.REPORTS / f"accuracy-{date.today().isoformat()}.md"
    file.write_text(text, encoding="utf-8")
    print(f"{text}\n{file}")


def _of_world(seed: int, customers: int) -> pd.DataFrame:
    """Everything that is measured in one world: columns ``what``, ``value``, ``baseline``, ``best`` (1 or 0), seed."""
    with tempfile.TemporaryDirectory(prefix="moshtari-accuracy-") as folder:
        base = sources.read(str(bookshop.write(Path(folder, "clean"), customers=customers, seed=seed)))
        truth = pd.read_parquet(Path(folder, "clean", "truth", "customers.parquet"))
        table = profiles.build(base)
        rows = [*_rhythm(table, truth, base), *_groups(table, truth), *_one_kind(table, truth), *_false_alarms(table)]
        rows += _cards(base, table, truth)
        rows += _steps(base, table, truth, Path(folder, "clean")) + _ideal(base, Path(folder, "clean"))
        rows += _policies(base, table, truth) + _campaigns(base, Path(folder, "clean"))
        rows += _refresh(base, truth, seed)
        spoilt = bookshop.write(Path(folder, "spoilt"), customers=customers, seed=seed, defects=DEFECTS)
        rows += _defects(sources.read(str(spoilt)), pd.read_parquet(spoilt.parent / "truth" / "defects.parquet"))
        rows += _false_defects(base) + _people_twice(spoilt.parent, "English")
        persian = Path(folder, "persian")
        bookshop.write(persian, customers=customers, seed=seed, language="fa", defects=DEFECTS)
        rows += _people_twice(persian, "Persian")
    return pd.DataFrame(rows, columns=["what", "value", "baseline", "best"]).assign(seed=seed)


def _rhythm(table: pd.DataFrame, truth: pd.DataFrame, base) -> list[tuple]:
    """Who has left, by their own rhythm and by recency alone; and whose purchase rate is how high."""
    known = table.merge(truth, on="customer_id", suffixes=("", "_true"))
    left = known["dropout_at"] <= pd.Timestamp(base.as_of, tz=base.timezone) + pd.Timedelta(days=1)
    judged = known["overdue_ratio"].notna()
    by_rhythm = roc_auc_score(left[judged], known.loc[judged, "overdue_ratio"])
    by_recency = roc_auc_score(left[judged], known.loc[judged, "recency_days"])
    here = known["orders_per_year"].notna() & known["orders_per_year_true"].notna() & ~left
    rate = spearmanr(known.loc[here, "orders_per_year"], known.loc[here, "orders_per_year_true"]).statistic
    total = spearmanr(known.loc[here, "total_spend"], known.loc[here, "orders_per_year_true"]).statistic
    return [
        ("has left: overdue_ratio, area under the curve; beside it recency_days", by_rhythm, by_recency, 1),
        ("purchase rate of the active: orders_per_year, rank correlation; beside it total_spend", rate, total, 1),
    ]


def _groups(table: pd.DataFrame, truth: pd.DataFrame) -> list[tuple]:
    """Agreement of the groups with the true personas, beside what anybody could know who was told them."""
    personas = truth.set_index("customer_id")["persona"].reindex(table["customer_id"])
    persons = (table["kind"] != "company").to_numpy()
    bought, often = ((table["n_orders"] >= n).to_numpy() & persons for n in (1, 3))
    chosen = segments.cluster(table)
    found = {"chosen": chosen.segments, "eight": segments.cluster(table, k=len(bookshop.PERSONAS)).segments}
    label = {name: grouped["segment"].to_numpy() for name, grouped in found.items()}
    told = _told_personas(table, personas)
    favourite = table["top_category"].fillna("none").to_numpy()
    rows = [("number of groups chosen; beside it the true personas", chosen.k, len(bookshop.PERSONAS), 1)]
    for who, of in (("persons", persons), ("who bought", bought), ("who bought thrice", often)):
        true = personas.to_numpy()[of]
        agreement = {name: adjusted_rand_score(true, labels[of]) for name, labels in label.items()}
        ceiling, naive = (adjusted_rand_score(true, labels[of]) for labels in (told, favourite))
        rows += [
            (f"groups against personas, {who}: adjusted Rand index; beside it a model that was told the personas",
             agreement["chosen"], ceiling, 1),
            (f"the same by the favourite category, {who}; beside it the groups", naive, agreement["chosen"], 1),
            (f"the same told the number of personas, {who}; beside it the groups", agreement["eight"],
             agreement["chosen"], 1),
        ]  # fmt: skip
    return rows + _personas_one_by_one(personas.to_numpy(), label["chosen"])


def _told_personas(table: pd.DataFrame, personas: pd.Series) -> np.ndarray:
    """The persona of each customer as a boosted model says that was told those of the others."""
    numbers = table.drop(columns="customer_id").select_dtypes(["number", "bool"])
    words = table.drop(columns=["customer_id", *numbers]).select_dtypes(["object", "string"])
    words = words[[c for c in words if words[c].dropna().map(type).eq(str).all()]]
    codes = words.apply(lambda c: c.astype("category").cat.codes.where(c.notna()))
    known = pd.concat([numbers, codes], axis=1).astype(float)
    return cross_val_predict(HistGradientBoostingClassifier(max_iter=120, random_state=0), known, personas, cv=3)


def _personas_one_by_one(personas: np.ndarray, label: np.ndarray) -> list[tuple]:
    """How well the best group fits the tiny persona, and whether the twins are told apart."""
    tiny = personas == "collector"
    overlap = [2 * (tiny & (label == g)).sum() / (tiny.sum() + (label == g).sum()) for g in np.unique(label)]
    rows = [("tiny persona, the group that fits it best (F1)", max(overlap), 0, 1)]
    for by, pair in TWINS.items():
        of = np.isin(personas, pair)
        told = f"twins who share their {by} told apart (adjusted Rand index)"
        rows.append((told, adjusted_rand_score(personas[of], label[of]), 0, 1))
    return rows


def _one_kind(table: pd.DataFrame, truth: pd.DataFrame) -> list[tuple]:
    """How often structure is seen in customers of a single true persona, who differ but not in kinds."""
    known = table.merge(truth[["customer_id", "persona"]], on="customer_id")
    seen = []
    for persona in ("novel_reader", "childrens_parent", "konkur_student", "gift_buyer"):
        of = known[known["persona"] == persona].drop(columns="persona")
        for families in ((), ("behavioural",)):
            choice = segments.choose_k(of, families, ks=range(2, 7))
            seen.append(choice.query("chosen")["k"].item() > 1)
    return [("structure seen in customers of one persona, of 8 bases a seed", sum(seen), 0, 0)]


def _false_alarms(table: pd.DataFrame) -> list[tuple]:
    """Statements about groups that rest on attributes which make no difference."""
    grouped = segments.cluster(table, k=len(bookshop.PERSONAS)).segments
    told = segments.describe(table, grouped).query("trait in @NOTHINGS")
    return [("statements about planted nothings called distinctive", int(told["distinctive"].sum()), len(told), 0)]


def _ideal(base, folder: Path) -> list[tuple]:
    """The ideal customer: how well a fit foretells the next year, and whether nothings are said to mark anybody."""
    then = base.as_of - timedelta(days=365)
    known = _with_nothings(profiles.build(base, then), folder, then)
    rows, alarms = [], []
    for kind in ("top value", "retained"):
        found = profiles.ideal_customer(known, profiles.target_later(base, kind, then))
        figure = found.judgement.set_index(["rule", "figure"])
        area = figure.xs("area under the curve", level="figure")["value"]
        naive = area.drop([rule for rule in area.index if rule.startswith("fit")])
        slope = figure.loc[("fit", "calibration slope")]
        lift = figure.xs("lift at 10 %", level="figure")["value"]
        rows += [
            (
                f"{kind} a year later: fit, area under the curve; beside it the best naive rule",
                area["fit"],
                naive.max(),
                1,
            ),
            (
                f"{kind} a year later: lift at 10 %; beside it the best naive rule",
                lift["fit"],
                lift[naive.index].max(),
                1,
            ),
            (f"{kind} a year later: calibration slope (1 is right)", slope["value"], 1, 1),
            (f"{kind} a year later: its interval covers 1 (1 yes)", int(slope["low"] <= 1 <= slope["high"]), 1, 1),
        ]
        alarms.append(_any_nothing(found))
    now = _with_nothings(profiles.build(base), folder, base.as_of)
    alarms += [
        _any_nothing(profiles.ideal_customer(now, profiles.best(now, value))) for value in ("n_orders", "total_spend")
    ]
    dealt = [_dealt_out(now, profiles.best(now), seed) for seed in range(SHUFFLED)]
    return [
        *rows,
        ("lift tables that say a planted nothing marks somebody, share of four", np.mean(alarms), 0, 0),
        ("lift tables that say anything marks whom chance has chosen, share", np.mean([f for f, _ in dealt]), 0, 0),
        (
            "fits called better than chance or a naive rule on whom chance has chosen, share",
            np.mean([v for _, v in dealt]),
            0,
            0,
        ),
    ]


def _with_nothings(table: pd.DataFrame, folder: Path, as_of: date) -> pd.DataFrame:
    """Profiles with the other planted nothings: whether the month of birth is even, the till of the first purchase."""
    born = pd.read_parquet(folder / "customers.parquet").set_index("customer_id")["birth_date"]
    even = (pd.to_datetime(born.dropna()).dt.month % 2 == 0).astype("boolean")
    orders = pd.read_parquet(folder / "orders.parquet").dropna(subset="till").sort_values("ordered_at")
    seen = orders["ordered_at"] < pd.Timestamp(as_of + timedelta(days=1), tz=orders["ordered_at"].dt.tz)
    till = orders[seen].groupby("customer_id")["till"].first()
    return table.assign(even_month=table["customer_id"].map(even), first_till=table["customer_id"].map(till))


def _any_nothing(found: profiles.Ideal) -> bool:
    nothings = found.lifts.query("trait in @ALL_NOTHINGS and level != 'not known'")
    assert len(nothings) >= 10
    return bool(nothings["marks"].any())


def _dealt_out(table: pd.DataFrame, target: pd.Series, seed: int) -> tuple[bool, bool]:
    """Whether a lift table, and a fit, see anything in a target that was dealt out at random."""
    shuffled = pd.Series(np.random.default_rng(seed).permutation(target.to_numpy()), index=target.index, name="chance")
    found = profiles.ideal_customer(table, shuffled)
    return bool(found.lifts["marks"].any()), found.verdict == "better than the naive rule"


def _cards(base, table: pd.DataFrame, truth: pd.DataFrame) -> list[tuple]:
    """What the cards tell of the true personas: of the chapter's groups, and of groups that are the true personas."""
    told = truth["persona"].astype("category")
    told = truth[["customer_id"]].assign(segment=told.cat.codes + 1, segment_name=told.astype("str"))
    found = segments.cluster(table, segments.features(table), 6)
    found = segments.name_segments(table, found.segments)
    rows = []
    for which, of in (("the chapter's groups", found), ("groups told", told)):
        derived = personas.derive(table, of, base)
        true = truth.set_index("customer_id")["persona"].reindex(derived.customers["customer_id"]).to_numpy()
        likest = {p: pd.Series(true[derived.customers["persona"] == p]).mode()[0] for p in derived.personas["persona"]}
        there, right, typical = _on_cards(derived, truth, table, likest), [], []
        for persona, lines in there.items():
            for _, pattern, way in planted(likest[persona]) if likest[persona] in PERSONAS else ():
                right.append(any(re.fullmatch(pattern, line) and effect * way >= 0 for line, effect, _ in lines))
        for persona, shown in chosen(derived.customers, list(there)).items():
            typical += list(true[shown] == likest[persona])
        judged = [wrong for lines in there.values() for *_, wrong in lines if wrong is not None]
        rows += [
            (f"planted traits of the true persona on its card, {which}", np.mean(right), 0, 1),
            (f"lines of cards that are false, of those that can be judged, {which}", np.mean(judged), 0, 0),
            (f"examples of the persona that most of their group are of, {which}", np.mean(typical), 0, 1),
        ]
    return rows


def _on_cards(derived, truth: pd.DataFrame, table: pd.DataFrame, likest: dict) -> dict[int, list[tuple]]:
    """Of each card its distinctive lines: line, effect, whether it is false (None where the truth says nothing)."""
    true = truths(truth, table.set_index("customer_id")["age"])
    by, found = derived.customers.set_index("customer_id")["persona"], {}
    for persona in derived:
        number = int(persona.row["persona"])
        apart = persona.traits[persona.traits["distinctive"].astype(bool)]
        effects = {line_id(row): row.effect for row in apart.itertuples()}
        card = personas.card(persona).content
        shown = [line["id"] for part in card["parts"] for line in part["lines"]]
        shown += [line for fact in card["facts"] for line in fact["tells"]]
        lines = [(line, effects[line]) for line in dict.fromkeys(shown) if line in effects]
        found[number] = [(line, effect, _false(line, effect, true, by, number)) for line, effect in lines]
    return found


def _false(line: str, effect: float, true: dict, by: pd.Series, number: int) -> bool | None:
    """Whether a line of a card points the wrong way, or tells a planted nothing."""
    if line.startswith(ALL_NOTHINGS):
        return True
    for pattern, value in true.items():
        if re.fullmatch(pattern, line):
            here = by.reindex(value.index) == number
            return bool((value[here].mean() - value[~here].mean()) * effect <= 0)
    return None


def _steps(base, table: pd.DataFrame, truth: pd.DataFrame, folder: Path) -> list[tuple]:
    """The planted losing step and slow step: found first, sized, and nobody else called losing at that step."""
    planted_steps = {f["kind"]: f for f in tomllib.loads((folder / "truth" / "findings.toml").read_text())["findings"]}
    losing, slow = planted_steps["losing step"], planted_steps["slow step"]
    plan = journeys.default_steps(base)
    whole = journeys.bottlenecks(journeys.funnel(journeys.events(base), plan.steps, plan.window_days, base.as_of)).table
    outstanding = int(whole.query("step == @losing['step']")["stands_out"].item())
    found = segments.cluster(table).segments.merge(truth[["customer_id", "persona"]], on="customer_id")
    of_group = found.groupby("segment")["persona"].agg(lambda of: of.mode()[0])
    chapter = found.assign(persona=found["segment"].astype(str) + " " + found["segment"].map(of_group))
    rows = [("losing step stands out in the funnel of everybody (1 yes)", outstanding, 0, 1)]
    for who, by in (("the chapter's groups", chapter), ("told personas", truth)):
        rows += _losing(base, by[["customer_id", "persona"]], losing, who)
    return rows + _slow(base, slow) + _mismatch(base, planted_steps["channel mismatch"])


def _losing(base, by: pd.DataFrame, losing: dict, who: str) -> list[tuple]:
    plan = journeys.default_steps(base, per="session_id")
    visits = journeys.sessions(journeys.events(base, plan.kind))
    asked = {"within": "channel", "per": plan.per, "as_of": base.as_of}
    compared = journeys.compare_funnels(visits, plan.steps, by, **asked)
    table = journeys.bottlenecks(compared).table
    place = (losing["persona"], losing["channel"], losing["step"])
    names = table["persona"].str.split().str[-1]
    here = (names == place[0]) & (table["channel"] == place[1]) & (table["step"] == place[2])
    first = int(len(table) > 0 and here.iloc[0])
    rates = compared.merge(table.loc[here, ["persona", "channel", "step"]])
    covered = int(len(rates) > 0 and rates["low"].iloc[0] <= losing["here"] <= rates["high"].iloc[0])
    elsewhere = int(((table["step"] == place[2]) & (names != place[0])).sum())
    return [
        (f"losing step is the costliest bottleneck of visits, {who} (1 yes)", first, 0, 1),
        (f"its interval covers the share that came out, {who} (1 yes)", covered, 0, 1),
        (f"others called losing at that step, {who}", elsewhere, 0, 0),
    ]


def _mismatch(base, planted_one: dict) -> list[tuple]:
    """Who wants e-mail and is called: whether that brings less, how much, and whether other pairs are called so."""
    effects = journeys.channel_mismatch(base).effects
    here = (effects["stated"] == planted_one["wants"]) & (effects["contacted"] == planted_one["channel"])
    found, others = effects[here].iloc[0], effects[~here & ~effects["matched"].astype(bool)]
    covered = int(found["ratio_low"] <= planted_one["times"] <= found["ratio_high"])
    annoyed = (others["stated"] == "email") & (others["contacted"] == "sms")  # planted as well: "annoys some"
    return [
        ("channel mismatch found; it may also be too small to judge (1 yes)", int(found["verdict"] == "less"), 0, 1),
        ("the interval of its share covers what was planted (1 yes)", covered, 0, 1),
        ("other mismatches called worse", int((others.loc[~annoyed, "verdict"] == "less").sum()), 0, 0),
    ]


def _slow(base, slow: dict) -> list[tuple]:
    """Days from an order to its delivery, by region within the channel."""
    plan = journeys.default_steps(base, per="attempt_id")
    orders = journeys.attempts(journeys.events(base, plan.kind), plan.steps[0])
    regions = base["customers"].select("customer_id", "region").collect("pandas").to_native()
    asked = {"within": "channel", "per": plan.per, "as_of": base.as_of}
    compared = journeys.compare_funnels(orders, plan.steps, regions, "region", plan.window_days, **asked)
    delays = journeys.bottlenecks(compared).delays
    here = (delays["region"] == slow["region"]) & (delays["channel"] == slow["channel"])
    first = int(len(delays) > 0 and here.iloc[0])
    days = delays[here].iloc[0] if first else None
    covered = int(first and days["days_low"] <= slow["days_more"] <= days["days_high"])
    return [
        ("slow step is the longest delay (1 yes)", first, 0, 1),
        ("its interval covers the days that were planted (1 yes)", covered, 0, 1),
        ("other regions and channels called slow", int((~here).sum()), 0, 0),
    ]


def _policies(base, table: pd.DataFrame, truth: pd.DataFrame) -> list[tuple]:
    """Whom to call in the year to come: what rules learnt from the last year earn, of what the best policy would."""
    known = truth.set_index("customer_id").reindex(table["customer_id"])
    expected, spent = (known[c].to_numpy() for c in ("expected_spend_next_year", "spend_next_year"))
    longer_ago, past, rows = _year_before(base, 2), _year_before(base, 1), []
    for budget in BUDGETS:
        asked = {"schemes": SCHEMES, "cost": CALL, "margin": MARGIN, "budget": budget}
        found = segments.policy(past, table.assign(outcome=expected), **asked)
        earned = found.profits.set_index("rule")["profit"]
        number = earned[found.profits.query("kind == 'single number'")["rule"]].max()
        best, best_spent = _oracle(expected, spent, budget)
        contacts = found.contacts.set_index("customer_id")["one to one"].reindex(table["customer_id"]).to_numpy()
        realised = np.nansum(contacts * (MARGIN * spent - CALL)) / best_spent
        judged = segments.policy(longer_ago, past, **asked)
        told = judged.profits.set_index("rule")["profit"]
        tie = spearmanr(told, earned[told.index]).statistic
        what = f"whom to call, at most {budget:.0%}: profit as a share of the oracle's"
        rows += [
            (f"{what}, one to one; beside it the best single number", earned["one to one"] / best, number / best, 1),
            (f"{what}, RFM; beside it mass marketing", earned["RFM"] / best, earned["mass marketing"] / best, 1),
            (f"{what}, one to one by what was then spent", realised, 0, 1),
            (
                f"{what}, the rule told a year before; beside it the best",
                earned[judged.use] / best,
                max(earned) / best,
                1,
            ),
            (f"whom to call, at most {budget:.0%}: rules as judged a year before and by the truth, ranks", tie, 0, 1),
        ]
    return rows


def _oracle(expected: np.ndarray, spent: np.ndarray, budget: float) -> tuple[float, float]:
    """What calling those whose expected spend is known to be highest is expected to earn, and what it then earns."""
    persons = ~np.isnan(expected)
    expected, spent = expected[persons], spent[persons]
    first = np.argsort(-expected, kind="stable")[: int(budget * len(expected))]
    first = first[MARGIN * expected[first] > CALL]
    return tuple((MARGIN * of[first] - CALL).sum() for of in (expected, spent))


def _year_before(base, years: int) -> pd.DataFrame:
    """Profiles so many years ago, with what was spent in the year after."""
    then, until = (base.as_of - timedelta(days=365 * n) for n in (years, years - 1))
    known = profiles.build(base, then)
    after = orders_of_the_time(base, then, until).set_index("customer_id")["total_spend"]
    return known.assign(outcome=known["customer_id"].map(after).fillna(0.0))


def _campaigns(base, folder: Path) -> list[tuple]:
    """Whether intervals of what campaigns changed hold what they truly changed, by the mean amount of an order."""
    effects = pd.read_parquet(folder / "truth" / "campaign_effects.parquet").groupby("campaign_id")["effect"].mean()
    orders = pd.read_parquet(folder / "orders.parquet", columns=["status", "amount"])
    amount = orders.query("status == 'completed'")["amount"].mean()
    held = []
    for campaign in CAMPAIGNS:
        worth = cases(profiles.contacted(base, campaign), None, "outcome", 0.0, 1.0, 1)[0].worth
        _, low, high = evidence.mean_interval(worth)
        held.append(low <= effects[campaign] * amount <= high)
    return [("intervals of a campaign's effect that hold the true one, share of four", np.mean(held), 0.95, 1)]


#: Kind of planted defect → where it was planted, and the check that should find it there, by how the check begins.
_CHECKS = {
    "duplicate person": [("customers", None, "second record of a person")],
    "mixed digits": [("customers", "phone", "letters, digits or spaces")],
    "currency slip": [("order_lines", "unit_price", "ten times the product")],
    "order without customer": [("orders", "customer_id", ("set aside: no customer_id", "set aside: unknown customer"))],
    "brand spelling": [("products", "brand", "another spelling")],
    "test account": [("customers", None, "test account")],
    "missing date": [("orders", "ordered_at", "set aside: no ordered_at"), ("customers", "birth_date", "empty")],
    "impossible date": [
        ("orders", "ordered_at", "long before"),
        ("customers", "birth_date", ("older than", "unreadable")),
    ],
    "future date": [("orders", "ordered_at", "set aside: in the future"), ("customers", "birth_date", "born after")],
}


def _refresh(base, truth: pd.DataFrame, seed: int) -> list[tuple]:
    """Whether the planted shift of the last quarter raises the alarm, and what else does."""
    days = [base.as_of - timedelta(SHIFT["days"] * ago) for ago in range(STEADY + 1)]
    made = [_personas_of(profiles.build(base, day)) for day in days]
    quarters = [profiles.windows(base, day, SHIFT["days"]) for day in days]
    found = [personas.refresh(of, known) for of, known in zip(quarters, made, strict=True)]
    naive = [_naively_due(of, known) for of, known in zip(quarters, made, strict=True)]
    shifted = _persona_with(made[0], truth, SHIFT["persona"])
    told = found[0].traits.query("persona == @shifted and changed")["trait"].tolist()
    others = found[0].personas.query("due and persona != @shifted")
    rng = np.random.default_rng(seed)
    dealt = [personas.refresh(_dealt_anew(quarters[1], rng), made[1]).due for _ in range(SHUFFLED)]
    return [
        ("last quarter: the persona of the academics is due, and the app named (1 yes); beside it by a naive test",
         int("through_app" in told), int(shifted in naive[0]), 1),
        ("last quarter: other personas due; beside it by a naive test", len(others), len(naive[0] - {shifted}), 0),
        (f"the {STEADY} quarters before: personas due; beside it by a naive test",
         sum(int(of.personas["due"].sum()) for of in found[1:]), sum(len(due) for due in naive[1:]), 0),
        (f"quarters dealt out anew, {SHUFFLED} times: alarms", sum(dealt), 0, 0),
    ]  # fmt: skip


def _personas_of(table: pd.DataFrame) -> personas.Known:
    """The personas that a chapter forms of these profiles."""
    members = segments.name_segments(table, segments.cluster(table, k=6).segments)
    members = members.rename(columns={"segment": "persona", "segment_name": "title"})
    names = members.drop_duplicates("persona")[["persona", "title"]].sort_values("persona")
    return personas.Known(names, pd.DataFrame(), members)


def _persona_with(made: personas.Known, truth: pd.DataFrame, who: str) -> int:
    """The persona that holds the most of a true one."""
    members = made.customers.merge(truth[["customer_id", "persona"]], on="customer_id", suffixes=("", "_true"))
    return int(members.query("persona_true == @who")["persona"].mode().iloc[0])


def _naively_due(quarters: pd.DataFrame, made: personas.Known) -> set[int]:
    """Personas of which any trait differs from the quarter before at the usual twentieth, uncorrected."""
    two = quarters[quarters["window"] <= 1].merge(made.customers[["customer_id", "persona"]], on="customer_id")
    traits = [c for c in quarters if c not in ("customer_id", "window", "starts", "ends")]
    return set(changes(two, traits, PRICES, sizes=False).query("p < 0.05")["persona"])


def _dealt_anew(quarters: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """What customers did in a quarter, under another quarter's number: a world without any change."""
    ends = quarters.drop_duplicates("window").set_index("window")["ends"]
    dealt = quarters.assign(window=rng.permutation(quarters["window"].to_numpy()))
    dealt = dealt.drop_duplicates(["customer_id", "window"])
    return dealt.assign(ends=dealt["window"].map(ends))


def _defects(base, planted: pd.DataFrame) -> list[tuple]:
    """Share of each kind of planted defect that the page of defects counts; never more than were planted."""
    assessed = quality.assess(base)
    planted = planted[~planted["way"].isin(["format", "moved"])]
    rows = []
    for kind, places_ in _CHECKS.items():
        there = hits = 0
        for table, column, check in places_:
            of = planted.query("kind == @kind and table == @table")
            of = of[of["column"].isna()] if column is None else of[of["column"] == column]
            found = assessed[(assessed["table"] == table) & assessed["check"].str.startswith(check)]
            if check == "empty":
                found = found[found["column"] == column]
            there += len(of)
            hits += min(int(found["defects"].sum()), len(of))
        rows.append((f"defects found: {kind}", hits / max(there, 1), 0, 1))
    return rows


def _false_defects(base) -> list[tuple]:
    """Defects told of a base that has none, other than empty cells."""
    told = quality.assess(base).query("defects > 0 and check != 'empty'")
    return [("defects told of a clean base", len(told), 0, 0)]


def _people_twice(folder: Path, language: str) -> list[tuple]:
    """Precision and recall of the pairs that are told, and of those that are sure enough to be merged."""
    customers = pd.read_parquet(folder / "customers.parquet")
    planted = pd.read_parquet(folder / "truth" / "defects.parquet").query("way == 'second record'")
    true = _unordered(planted["key"], planted["original_id"])
    pairs = quality.duplicates(customers)
    merged = pairs[pairs["score"] >= MERGE_SCORE]
    same_phone = (
        customers[customers["phone"].notna()].merge(customers, on="phone").query("customer_id_x < customer_id_y")
    )
    found = {
        "told": _unordered(pairs["customer_id"], pairs["other_id"]),
        "sure": _unordered(merged["customer_id"], merged["other_id"]),
    }
    naive = _unordered(same_phone["customer_id_x"], same_phone["customer_id_y"])
    rows = []
    for name, those in found.items():
        what = f"people recorded twice, {language}, {name}"
        right = len(those & true)
        rows += [
            (
                f"{what}: precision; beside it the very same telephone number",
                right / max(len(those), 1),
                len(naive & true) / max(len(naive), 1),
                1,
            ),
            (
                f"{what}: recall; beside it the very same telephone number",
                right / len(true),
                len(naive & true) / len(true),
                1,
            ),
        ]
    return rows


def _unordered(one, other) -> set[frozenset]:
    return {frozenset(pair) for pair in zip(one, other, strict=True)}


def _document(found: pd.DataFrame, options: argparse.Namespace) -> str:
    """The worst and the middle seed of everything, as a table."""
    head = "| measured | worst seed | middle | beside it (middle) |\n|---|---|---|---|\n"
    lines = []
    for what, rows in found.groupby("what", sort=False):
        worst = rows["value"].min() if rows["best"].iloc[0] else rows["value"].max()
        lines.append(f"| {what} | {worst:.2f} | {rows['value'].median():.2f} | {rows['baseline'].median():.2f} |\n")
    about = (
        f"{options.customers:,} customers, seeds {', '.join(map(str, options.seeds))}; defects at a rate of {DEFECTS}."
    )
    return f"# Accuracy on the bookshop, {date.today().isoformat()}\n\n{about}\n\n{head}{''.join(lines)}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__.split("\n")[0])
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
