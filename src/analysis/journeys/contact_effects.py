"""What does a contact bring when it comes by another channel than the one the customer asked for?

Takes the contacts of a base, with those whom campaigns held out, and the channel that each customer asks for. Gives the
purchases that a contact adds within thirty days among those who asked for one channel and among the others, and the
difference of the two. Where nobody was held out, those contacted by another channel are compared with those contacted
by the one they asked for, alike in what was known of them before the contact.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import product

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit
from sklearn.linear_model import LogisticRegression

from analysis import evidence
from analysis.expressions import collected, days_between, is_purchase, midnight, money, one_if
from analysis.locale import named
from analysis.phrases import phrase

#: A contact is judged by the purchases of so many days of 24 hours after it.
DAYS = 30

#: Customers of either arm, here and among the others, below which nothing is judged.
FEWEST = 30

#: Chances of being contacted by another channel beyond which nobody alike is to be found (Crump and others 2009,
#: Biometrika 96, advise 0.1 to 0.9; half of that keeps more, and the share set aside is said).
OVERLAP = (0.05, 0.95)

#: Hardly any penalty: chances that are drawn to the middle would hide that nobody alike is there.
WEAK = 100.0

#: Standardised differences above this call for doubt (Austin 2009, Statistics in Medicine 28, takes 0.1; twice that
#: leaves room for chance in arms of a hundred).
APART = 0.2

HELD_OUT, ADJUSTED = "held out at random", "adjusted"

#: "No difference" is said where the ratio surely lies between these: no half of the effect of a contact is lost; what
#: customers buy in all changes by no more than makes two medicines equivalent (FDA, Guidance 2001: 0.80 to 1.25).
SAME = {HELD_OUT: (0.5, 2.0), ADJUSTED: (0.8, 1.25)}

EFFECTS = [
    *(
        "contacted",
        "stated",
        "matched",
        "design",
        "customers",
        "customers_others",
        "effect",
        "effect_low",
        "effect_high",
    ),
    *("others", "others_low", "others_high", "difference", "low", "high", "p", "p_corrected"),
    *("ratio", "ratio_low", "ratio_high", "naive", "overlap", "e_value", "verdict"),
]
BALANCE = ["contacted", "attribute", "before", "after"]

#: What was known before the contact; standing attributes come beside it.
_BEFORE = ["orders_before", "orders_in_year", "spend_before", "recency_days"]


def contact_effects(
    tables: Mapping[str, nw.LazyFrame], sent: nw.LazyFrame, stated: pd.DataFrame, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """What a contact brings to those who asked for one channel and to the others.

    Parameters
    ----------
    tables : mapping of names to lazy frames, as of `as_of`
    sent : LazyFrame
        customer_id, campaign_id, contacted, sent_at, treated (0 or 1), recorded, experiment (0 or 1: of a campaign).
    stated : DataFrame, customer_id and stated
    as_of : date

    Returns
    -------
    effects : DataFrame, one row per channel of contact and stated channel
        contacted, stated, matched (bool); design, "held out at random" or "adjusted"; customers and customers_others.
        effect: purchases per contact within thirty days that the contact adds among those who stated this channel;
        others: the same among those contacted likewise who stated another one (adjusted: what they buy if contacted
        so, and if by the channel they asked for); each with its 95 % interval. difference, with an interval that holds
        with those of all rows together, p, p_corrected (Holm): nothing where the channel is the one asked for. ratio
        of effect to others with its 95 % interval. naive: the difference of what those contacted bought, compared with
        nobody. overlap: the share of the contacts for which somebody alike is there. e_value: adjusted only. verdict:
        "less", "more", "no difference" (the ratio is surely within `SAME`), "cannot be judged" or "as asked for".
    balance : DataFrame
        contacted, attribute, before, after: standardised differences between the arms.
    doubts : list of str
        What could not be looked at and why, and what speaks against the design.

    Notes
    -----
    Each contact gets the doubly robust score of Robins, Rotnitzky and Zhao (1994, Journal of the American Statistical
    Association 89): what a regression on what was known before foretells of either arm, and the weighted rest of the
    arm that was seen. Held out at random, the weights are the campaign's own shares, so the regression can only narrow
    the intervals (Lin 2013, Annals of Applied Statistics 7). Else the weights come from a logistic regression. Means of
    scores over customers of one kind are effects; intervals count customers, not contacts. The interval of a ratio is
    Fieller's (1954, Journal of the Royal Statistical Society B 16). The E-value (VanderWeele and Ding 2017, Annals of
    Internal Medicine 167) is how strongly something unmeasured would have to go along with both the channel and the
    purchases, as a ratio of risks, to explain the bound of the interval away; 1 if the interval holds no difference.
    Groups that are derived from the whole history (personas) are no covariates: they know what came after.
    """
    buys = _purchases(tables)
    if buys is None:
        return *_nothing(), [
            phrase("The effect of a mismatch cannot be looked at: the base records no purchases (map orders).")
        ]
    arms = collected(sent.filter(nw.col("experiment") == 1).group_by("contacted", "treated").agg(n=nw.len()))
    held_out = sorted(
        set(arms.loc[arms["treated"] == 0, "contacted"]) & set(arms.loc[arms["treated"] == 1, "contacted"])
    )
    chosen = _campaigns(sent, held_out) if held_out else _first_of_months(sent, as_of)
    rows, early = _with_history(chosen, buys, as_of)
    rows = rows.merge(stated, on="customer_id").merge(_standing(tables), on="customer_id", how="left")
    rows = rows.sort_values(["customer_id", "contacted", "sent_at", "campaign_id"], ignore_index=True)
    found, balance = (_by_chance if held_out else _by_likeness)(rows)
    others = sorted(set(arms["contacted"]) - set(held_out)) if held_out else []
    doubts = _doubts(held_out, others, early, balance)
    return _judged(found), balance, doubts


def _nothing() -> tuple[pd.DataFrame, pd.DataFrame]:
    return _judged([]), pd.DataFrame(columns=BALANCE)


def _purchases(tables) -> nw.LazyFrame | None:
    """customer_id, ordered_at, spend; of touchpoints called order where there is no table of orders."""
    if "orders" in tables:
        orders = tables["orders"]
        spend = money(nw.col("amount")) if "amount" in orders.collect_schema() else nw.lit(0)
        done = orders.filter(is_purchase(orders), ~nw.col("ordered_at").is_null())
        return done.select("customer_id", "ordered_at", spend=spend)
    frame = tables.get("touchpoints")
    if frame is None or "event" not in frame.collect_schema():
        return None
    bought = frame.filter(nw.col("event").is_in(["order", "purchase"]))
    if not len(collected(bought.select("customer_id").head(1))):
        return None
    return bought.select("customer_id", ordered_at="occurred_at", spend=nw.lit(0))


def _campaigns(sent: nw.LazyFrame, channels: list[str]) -> nw.LazyFrame:
    """The contacts of campaigns that held somebody out, once per customer and campaign."""
    rows = sent.filter(nw.col("experiment") == 1, nw.col("contacted").is_in(channels))
    arms = rows.group_by("campaign_id").agg(least=nw.col("treated").min(), most=nw.col("treated").max())
    tried = arms.filter(nw.col("least") < nw.col("most")).select("campaign_id")
    once = rows.join(tried, on="campaign_id").group_by("customer_id", "campaign_id", "contacted")
    return once.agg(sent_at=nw.col("sent_at").min(), treated=nw.col("treated").max())


def _first_of_months(sent: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """The first contact of each customer by each channel in each month of the last year that can be judged."""
    begin, end = (midnight(sent, "sent_at", as_of + timedelta(days=1 - DAYS - before)) for before in (365, 0))
    judged = sent.filter(nw.col("treated") == 1, nw.col("sent_at") >= begin, nw.col("sent_at") < end)
    months = judged.with_columns(month=nw.col("sent_at").dt.month())
    first = months.group_by("customer_id", "contacted", "month")
    return first.agg(
        sent_at=nw.col("sent_at").min(), treated=nw.col("treated").max(), campaign_id=nw.col("campaign_id").max()
    ).drop("month")


def _with_history(chosen: nw.LazyFrame, buys: nw.LazyFrame, as_of: date) -> tuple[pd.DataFrame, int]:
    """Each contact with what was bought before and in the days after it, and how many contacts are too young."""
    same = ["customer_id", "contacted", "sent_at"]
    after, days = nw.col("ordered_at") > nw.col("sent_at"), days_between(nw.col("ordered_at"), nw.col("sent_at"))
    ago = days_between(nw.col("sent_at"), nw.col("ordered_at"))
    told = {
        "bought": one_if(after & (days <= DAYS)),
        "orders_before": one_if(~after),
        "orders_in_year": one_if(~after & (ago <= 365)),
        "spend_before": nw.when(~after).then(nw.col("spend")).otherwise(nw.lit(0)),
    }
    pairs = chosen.join(buys, on="customer_id").with_columns(**told, recency_days=nw.when(~after).then(ago))
    added = {name: nw.col(name).sum() for name in told} | {"recency_days": nw.col("recency_days").min()}
    sums = pairs.group_by(*same).agg(**added)
    contacts = collected(chosen.select(*same, "campaign_id", "treated"))
    rows = contacts.merge(collected(sums), on=same, how="left")
    numbers = ["bought", *_BEFORE[:3]]
    rows[numbers] = rows[numbers].astype("float64").fillna(0.0)
    last = pd.Timestamp(as_of + timedelta(days=1 - DAYS), tz=rows["sent_at"].dt.tz)
    seen = rows["sent_at"] < last
    return rows[seen], int((~seen).sum())


def _standing(tables) -> pd.DataFrame:
    """Attributes as they stand: customer_id, birth_date, region."""
    frame = tables.get("customers")
    if frame is None:
        return pd.DataFrame({"customer_id": pd.Series(dtype="str")})
    return collected(frame.select("customer_id", *[c for c in ("birth_date", "region") if c in frame.collect_schema()]))


def _by_chance(rows: pd.DataFrame) -> tuple[list[dict], pd.DataFrame]:
    """Each channel's effect among those who asked for one channel against that among the others."""
    found, balance = [], []
    for channel, of in rows.groupby("contacted", sort=True):
        known, treated = _known_before(of), of["treated"].to_numpy(float)
        chance = of.groupby("campaign_id")["treated"].transform("mean").to_numpy()
        design = pd.concat([known, pd.get_dummies(of[["campaign_id", "stated"]], dtype=float)], axis=1)
        scores = np.subtract(*_scores(design, of["bought"].to_numpy(), treated, chance))
        balance.append(_balance(channel, known, treated, chance))
        for stated in sorted(of["stated"].unique()):
            here = (of["stated"] == stated).to_numpy()
            what = {"contacted": channel, "stated": stated, "matched": channel == stated, "design": HELD_OUT}
            arms = [of[where & (treated == arm)] for where in (here, ~here) for arm in (1, 0)]
            enough = min(arm["customer_id"].nunique() for arm in arms) >= FEWEST
            naive = arms[0]["bought"].mean() - arms[2]["bought"].mean()
            means = weighted_means(np.column_stack([scores, scores]), np.column_stack([here, ~here]), of["customer_id"])
            found.append(what | {"naive": naive, "overlap": 1.0} | _contrast(*means, enough))
    return found, _table(balance)


def _by_likeness(rows: pd.DataFrame) -> tuple[list[dict], pd.DataFrame]:
    """What those buy who are contacted by another channel, against those alike contacted by the one they asked for."""
    found, balance = [], []
    for channel, stated in sorted(product(rows["contacted"].unique(), rows["stated"].unique())):
        if channel == stated:
            continue
        of = rows[(rows["stated"] == stated) & rows["contacted"].isin([channel, stated])]
        treated = (of["contacted"] == channel).to_numpy(float)
        arms = [of[treated == arm] for arm in (1, 0)]
        what = {"contacted": channel, "stated": stated, "matched": False, "design": ADJUSTED}
        if min(arm["customer_id"].nunique() for arm in arms) < FEWEST:
            found += [what | _counts(*arms)] if len(arms[0]) else []
            continue
        known = pd.concat([_known_before(of), _season_and_place(of)], axis=1)
        chance = LogisticRegression(C=WEAK, max_iter=2000).fit(known, treated).predict_proba(known)[:, 1]
        alike = (chance > OVERLAP[0]) & (chance < OVERLAP[1])
        spread = known.std(ddof=0)
        of, known, treated, chance = of[alike], known[alike], treated[alike], chance[alike]
        what |= {"naive": arms[0]["bought"].mean() - arms[1]["bought"].mean(), "overlap": alike.mean()}
        arms = [of[treated == arm] for arm in (1, 0)]
        if min(arm["customer_id"].nunique() for arm in arms) < FEWEST:
            found.append(what | _counts(*arms))
            continue
        scores = np.column_stack(_scores(known, of["bought"].to_numpy(), treated, chance))
        balance.append(_balance(channel, known / spread.where(spread > 0, 1.0), treated, chance))
        means = weighted_means(scores, np.ones_like(scores), of["customer_id"])
        found.append(what | _contrast(*means, True) | _counts(*arms))
    return found, _table(balance)


def _counts(here: pd.DataFrame, others: pd.DataFrame) -> dict:
    names = ("customers", "customers_others")
    return {name: arm["customer_id"].nunique() for name, arm in zip(names, (here, others), strict=True)}


def _table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=BALANCE)


def _known_before(rows: pd.DataFrame) -> pd.DataFrame:
    """What was known of each customer before the contact, in standard deviations, long tails as logarithms."""
    known = np.log1p(rows[_BEFORE].astype("float64").clip(lower=0))
    known["no_order_before"] = known["recency_days"].isna().astype(float)
    if "birth_date" in rows:
        born = pd.to_datetime(rows["birth_date"], errors="coerce")
        known["age"] = (rows["sent_at"].dt.tz_localize(None) - born).dt.days / 365.25
        known["age_unknown"] = known["age"].isna().astype(float)
    known = known.fillna(known.mean()).fillna(0.0)
    spread = known.std(ddof=0)
    return ((known - known.mean()) / spread.where(spread > 0, 1.0)).astype(float)


def _season_and_place(rows: pd.DataFrame) -> pd.DataFrame:
    """The month of the contact, so that like is compared within one season, and the customer's region if common."""
    texts = {"month": rows["sent_at"].dt.strftime("%Y-%m")}
    if "region" in rows:
        largest = rows["region"].value_counts().sort_index(kind="stable").nlargest(8).index
        texts["region"] = rows["region"].where(rows["region"].isin(largest), "elsewhere").astype(str)
    return pd.get_dummies(pd.DataFrame(texts, index=rows.index), dtype=float)


def _scores(known: pd.DataFrame, bought, treated, chance) -> tuple[np.ndarray, np.ndarray]:
    """What each customer would have bought if treated and if not: foretold, and the weighted rest of the arm seen."""
    design = np.column_stack([np.ones(len(known)), known.to_numpy()])
    scores = []
    for arm, of_arm in ((1, chance), (0, 1 - chance)):
        seen = treated == arm
        foretold = _foretold(design, bought, seen)
        scores.append(foretold + np.where(seen, (bought - foretold) / of_arm, 0.0))
    return scores[0], scores[1]


def _foretold(design: np.ndarray, bought: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Purchases by least squares on those seen, each of these without its own: else its rest would look too small."""
    inverse = np.linalg.pinv(design[seen])
    foretold = design @ (inverse @ bought[seen])
    leverage = np.einsum("ij,ji->i", design[seen], inverse)
    rest = (bought[seen] - foretold[seen]) / np.maximum(1 - leverage, FEWEST**-1)
    foretold[seen] = bought[seen] - rest
    return foretold


def weighted_means(scores: np.ndarray, weights: np.ndarray, customers: pd.Series) -> tuple:
    """Two weighted means, their covariance by customers, and how many customers each rests on.

    Parameters
    ----------
    scores, weights : arrays of float64, shape (rows, 2)
    customers : Series, whose row it is

    Notes
    -----
    Linearised ratios of sums over clusters (Cochran 1977, Sampling Techniques, 3rd ed., section 6.3).
    """
    sums = weights.sum(axis=0)
    means = (scores * weights).sum(axis=0) / sums
    parts = pd.DataFrame((scores - means) * weights / sums).groupby(customers.to_numpy()).sum().to_numpy()
    n = [int(customers[weights[:, i] > 0].nunique()) for i in (0, 1)]
    return means, parts.T @ parts * len(parts) / max(len(parts) - 1, 1), n


def _contrast(means: np.ndarray, covariance: np.ndarray, n: list[int], enough: bool) -> dict:
    """The two means with their intervals, their difference and their ratio; the counts alone where too few."""
    found = {"customers": n[0], "customers_others": n[1]}
    if not enough:
        return found
    freedom = min(n) - 1
    t = stdtrit(freedom, 0.975)
    for name, mean, variance in zip(("effect", "others"), means, np.diag(covariance), strict=True):
        reach = t * np.sqrt(variance)
        found |= {name: mean, f"{name}_low": mean - reach, f"{name}_high": mean + reach}
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found |= {"difference": means[0] - means[1], "error": error, "freedom": freedom}
    return found | dict(zip(("ratio", "ratio_low", "ratio_high"), _ratio(means, covariance, t), strict=True))


def _ratio(means: np.ndarray, covariance: np.ndarray, t: float) -> tuple[float, float, float]:
    """The first over the second with Fieller's interval; nothing where the second may be none."""
    (a, b), v = means, covariance * t**2
    square, middle, rest = b**2 - v[1, 1], a * b - v[0, 1], a**2 - v[0, 0]
    if square <= 0:
        return np.nan, np.nan, np.nan
    reach = np.sqrt(max(middle**2 - square * rest, 0.0))
    return a / b, (middle - reach) / square, (middle + reach) / square


def _judged(found: list[dict]) -> pd.DataFrame:
    """The rows with corrected differences, E-values and verdicts."""
    table = pd.DataFrame(found, columns=[*EFFECTS, "error", "freedom"])
    numbers = [c for c in table if c not in ("contacted", "stated", "matched", "design", "verdict")]
    table[numbers] = table[numbers].astype("float64")
    table["matched"] = table["matched"].astype(bool)
    table.loc[table["matched"], ["difference", "error"]] = (
        np.nan
    )  # what contacts as asked for bring is no question here
    judged = max(int(table["error"].notna().sum()), 1)
    reach = stdtrit(table["freedom"], 1 - 0.025 / judged) * table["error"]
    table["low"], table["high"] = table["difference"] - reach, table["difference"] + reach
    with np.errstate(divide="ignore", invalid="ignore"):
        table["p"] = 2 * stdtr(table["freedom"], -np.abs(table["difference"]) / table["error"])
    table["p_corrected"] = evidence.holm(table["p"].to_numpy())
    bounds = zip(table["ratio"], table["ratio_low"], table["ratio_high"], strict=True)
    table["e_value"] = np.where(table["design"] == ADJUSTED, [_e_value(*of) for of in bounds], np.nan)
    table["verdict"] = [_verdict(row) for row in table.itertuples()]
    table[["customers", "customers_others"]] = table[["customers", "customers_others"]].fillna(0).astype("int64")
    return table[EFFECTS]


def _e_value(ratio: float, low: float, high: float) -> float:
    """How strong something unmeasured must be to move the interval to no difference.

    Examples
    --------
    >>> round(_e_value(3.9, 1.8, 8.7), 1), _e_value(1.2, 0.9, 1.5)
    (3.0, 1.0)
    """
    if not np.isfinite([ratio, low, high]).all():
        return np.nan
    nearest = low if low > 1 else 1 / high if 0 < high < 1 else 1.0
    return float(nearest + np.sqrt(nearest * (nearest - 1)))


def _verdict(row) -> str:
    if row.matched:
        return "as asked for"
    if row.p_corrected < 0.05:
        return "less" if row.difference < 0 else "more"
    least, most = SAME[row.design]
    return "no difference" if least < row.ratio_low and row.ratio_high < most else "cannot be judged"


def _balance(channel: str, known: pd.DataFrame, treated: np.ndarray, chance: np.ndarray) -> pd.DataFrame:
    """How far the arms differ in each attribute (in standard deviations), as they are and as weighted."""
    weighted = [known[treated == a].mul(1 / c[treated == a], axis=0).sum() / (1 / c[treated == a]).sum()
                for a, c in ((1, chance), (0, 1 - chance))]  # fmt: skip
    plain = known[treated == 1].mean() - known[treated == 0].mean()
    apart = pd.DataFrame({"before": plain, "after": weighted[0] - weighted[1]})
    table = apart.rename_axis("attribute").reset_index()
    return table.assign(contacted=channel)[BALANCE]


def _doubts(held_out: list[str], others: list[str], early: int, balance: pd.DataFrame) -> list[str]:
    """What could not be looked at, and what speaks against the design."""
    doubts = []
    if held_out and others:
        channels = phrase(", ").join(named(channel) for channel in others)
        doubts.append(
            phrase("Contacts by {channels} held nobody out: what they change is not judged.", channels=channels)
        )
    if not held_out:
        doubts.append(
            phrase(
                "Nobody was held out from contacts, so customers alike in what was known before were compared. Whoever "
                "chose the channel may have known more than the tables, and what one channel brings to anybody more "
                "than the other is in the figures too: hold some customers out at random to be sure."
            )
        )
    if early:
        doubts.append(phrase("{n:,} contacts of the last {days} days are not judged yet.", n=early, days=DAYS))
    apart = balance[balance["after" if not held_out else "before"].abs() > APART]
    if len(apart):
        doubts.append(_apart_in_words(apart, bool(held_out)))
    return doubts


def _apart_in_words(apart: pd.DataFrame, held_out: bool) -> str:
    """In what the arms differ though they should not."""
    worst = apart.loc[apart.iloc[:, 2:4].abs().max(axis=1).idxmax()]
    said = {"channel": named(worst["contacted"]), "attribute": _attribute(worst["attribute"])}
    if held_out:
        return phrase(
            "Those contacted by {channel} and those compared with them differ in {n} attributes, most in {attribute}: "
            "did chance decide who was held out?",
            n=len(apart),
            **said,
        )
    return phrase(
        "After weighting, those contacted by {channel} still differ in {attribute}: read the figures with care.", **said
    )


def _attribute(column: str) -> str:
    """What was known before the contact, in words."""
    plain = column.replace("_", " ")
    if plain.startswith("region "):
        return phrase("region {name}", name=named(plain.removeprefix("region ")))
    return named(plain, "attribute")
