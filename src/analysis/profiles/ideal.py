"""The ideal customer profile: which traits mark the customers that meet a target, and how well does anybody fit?

`ideal_customer` takes profiles, one row per customer, and a target of yes and no. It gives a lift for every level of
every trait, a fit between 0 and 1 for every customer and lead, and a judgement on customers that the fit has not seen,
beside the naive rules; `findings` says it in sentences. The answer may be that nothing marks them.

The honest target lies later than the traits: see :func:`analysis.profiles.target_later`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import Problem, require_columns
from analysis.evidence import holm, in_words, percent, percent_range, ratio_of_shares, share_interval, times
from analysis.locale import named
from analysis.phrases import figure, phrase
from analysis.profiles import fit as fitting
from analysis.profiles import traits as of_customers

#: Fewer customers than this with the target, or without it, are too few to learn from and be judged by: five a fold.
FEWEST = 5 * fitting.FOLDS

#: A trait by which the target can be told this well is the target under another name, or was written down after it.
#: Perfect is what a copy is; the one beside it is only said. Areas under the curve; both are ours.
COPY, DOUBTFUL = 1.0, 0.95

#: What the judgement can come to.
TOO_FEW = "too few to judge"
NOTHING = "no trait marks them"
NO_BETTER = "no better than the naive rule"
BETTER = "better than the naive rule"

#: Columns that a rule of thumb ranks customers by, the first that there is.
_SPEND = ("total_spend", "won_value")

#: What a business writes onto customers as it gets to know them, without a date: who is "vip" has spent already.
_UNDATED = ("tags",)


@dataclass(frozen=True)
class Ideal:
    """What marks the customers that meet a target.

    Attributes
    ----------
    target : str
        Its name.
    customers, met : int
        Customers whose target is known, and how many of them meet it.
    lifts : DataFrame, one row per trait and level
        trait, level : str.
        customers : int, how many have the level.
        share, elsewhere, base_rate : float, share with the target among them, among all others of whom the trait is
        known, among everybody.
        lift, low, high : float, ``share / elsewhere`` with its interval.
        p, p_corrected : float, as tested and corrected for all rows.
        marks : bool, real and large enough.
    scores : DataFrame, one row per customer: ``customer_id``, ``fit`` (chance between 0 and 1; NaN if too few to judge)
    judgement : DataFrame, columns ``rule``, ``figure``, ``value``, ``low``, ``high``
        On customers that the rule has not seen; see :func:`analysis.profiles.fit.judgement`.
    calibration : DataFrame, columns ``customers``, ``expected``, ``value``, ``low``, ``high``
    checked : DataFrame, one row per column: ``trait``, ``used`` (bool), ``why`` (why not, or what is doubtful)
    verdict : str
        "better than the naive rule", "no better than the naive rule", "no trait marks them" or "too few to judge".
    """

    target: str
    customers: int
    met: int
    lifts: pd.DataFrame
    scores: pd.DataFrame
    judgement: pd.DataFrame
    calibration: pd.DataFrame
    checked: pd.DataFrame
    verdict: str


def ideal_customer(
    profiles: pd.DataFrame,
    target: str | pd.Series,
    traits: list[str] | None = None,
    seed: int = 1,
    confidence: float = 0.95,
    large: float = 1.25,
    min_size: int = 20,
) -> Ideal:
    """The ideal customer profile: what marks the customers that meet a target, and who fits it.

    Parameters
    ----------
    profiles : DataFrame, one row per ``customer_id``
    target : str or Series
        A column of true and false, or of 1 and 0, or such a Series with the customers' ids as index. Customers without
        a value (leads) are not learnt from, and get a fit.
    traits : list of str, optional
        Columns to look at. When left out, all that can be a trait; `checked` says why others cannot.
    seed : int
        Draws the folds and the bootstrap.
    confidence : float
        Between 0 and 1, for the lift table as a whole, and for each figure of the judgement.
    large : float
        Times as often, or as seldom, from which a difference is large enough to mark somebody. The same holds for
        missing the target, so that where nearly all meet it, those who do not count.
    min_size : int
        Levels of fewer customers, or that fewer have not, are not looked at.

    Returns
    -------
    Ideal

    Raises
    ------
    Problem
        No such column; a target that is not yes and no; a customer with two rows; a trait asked for by name that is the
        target or a copy of it, or that can be none.

    Notes
    -----
    Lifts are ratios of two shares (:func:`analysis.evidence.ratio_of_shares`), their p values corrected after Holm
    (1979) over all rows, their intervals each widened to ``1 - (1 - confidence) / rows`` (Bonferroni), so that all of
    them hold together. A level marks customers if `p_corrected` is below ``1 - confidence``, the interval excludes 1
    and the lift reaches `large`. The fit is a scorecard, cross-fitted in five parts: a customer's own target is never
    in the model that gives their fit. What was recorded after the target came about makes any model look good, and only
    dates can tell: take traits as of a day and the target from the time after it. Tags, which a business gives on days
    that nobody records, are looked at only when asked for by name.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": range(400), "city": ["Yazd", "Qom"] * 200, "age": [20] * 200 + [50] * 200})
    >>> best = pd.Series([i % 2 == 0 and i % 3 > 0 or i % 7 == 0 for i in range(400)], name="best")
    >>> found = ideal_customer(table, best)
    >>> found.verdict
    'no better than the naive rule'
    >>> found.lifts.query("marks")[["trait", "level", "customers", "share", "elsewhere", "lift"]].round(2)
      trait level  customers  share  elsewhere  lift
    0  city   Qom        200   0.14       0.72  0.20
    1  city  Yazd        200   0.72       0.14  4.93
    """
    profiles = _one_row_each(profiles)
    name, met = _target_of(profiles, target)
    checked = _checked(profiles, name, met, traits, isinstance(target, str))
    used = checked.loc[checked["used"], "trait"].tolist()
    levels = of_customers.levels(profiles, used, min_size)
    lifts = _lifts(levels, met, confidence, large, min_size)
    checked = _doubted(checked, lifts)
    known = met[~np.isnan(met)]
    told = {"target": name, "customers": len(known), "met": int(known.sum()), "lifts": lifts, "checked": checked}
    scores = profiles[["customer_id"]].assign(fit=np.nan)
    if min(known.sum(), len(known) - known.sum()) < FEWEST or levels.table.empty:
        judged, calibrated = (pd.DataFrame(columns=c) for c in (fitting.JUDGEMENT_COLUMNS, fitting.CALIBRATION_COLUMNS))
        return Ideal(**told, scores=scores, judgement=judged, calibration=calibrated, verdict=TOO_FEW)
    trait_of, standings = pd.factorize(levels.table["trait"])[0], of_customers.standings(profiles, used)
    fits = fitting.cross_fitted(levels.has, trait_of, standings, met, seed)
    spend = next((c for c in _SPEND if c in profiles), None)
    if spend in set(levels.table["trait"]):
        fits.scores["past spend"] = profiles[spend].fillna(0).to_numpy(dtype=float)
    judged = fitting.judgement(fits, met, seed, confidence)
    return Ideal(
        **told,
        scores=scores.assign(fit=fits.scores["fit"]),
        judgement=judged,
        calibration=fitting.calibration(fits, met, confidence),
        verdict=_verdict(judged, bool(lifts["marks"].any())),
    )


def findings(ideal: Ideal, at_most: int = 6) -> list[str]:
    """The ideal customer in sentences with their figures: the verdict first, then the traits that mark most.

    Parameters
    ----------
    ideal : Ideal
    at_most : int
        Traits told; of each its strongest level.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": range(200), "city": ["Yazd", "Qom"] * 100})
    >>> best = pd.Series([i % 4 == 0 or i % 50 == 1 for i in range(200)], name="bought again")
    >>> for sentence in findings(ideal_customer(table, best)): print(sentence)
    54 of 200 customers meet the target “bought again” (27 %, interval 21 to 34 %).
    The fit is no better than the naive rule: on customers it had not seen, ...
    Of 100 customers with city “Yazd”, 50 % meet it, 12 times as often as the others (interval 4.4 to 37).
    """
    reached = phrase(
        "{k:,} of {n:,} customers meet the target “{target}” ({share}, interval {interval}).",
        **{"k": ideal.met, "n": ideal.customers, "target": named(ideal.target, "target")},
        share=percent(ideal.met / ideal.customers),
        interval=percent_range(*share_interval(ideal.met, ideal.customers)),
    )
    return [reached, _of_the_fit(ideal), *_of_the_marks(ideal, at_most)]


def strongest(ideal: Ideal, at_most: int = 12) -> pd.DataFrame:
    """The traits that mark customers, of each its strongest level: those that meet the target more often first.

    Parameters
    ----------
    ideal : Ideal
    at_most : int

    Returns
    -------
    DataFrame
        Rows of `lifts`, by how far the nearer bound of the interval lies from "as often as the others", with ``group``
        (trait and level in words) and ``value`` (the lift), as `plots.intervals` draws them.
    """
    marks = ideal.lifts[ideal.lifts["marks"]]
    more = marks["lift"] > 1
    strength = np.log(np.where(more, marks["low"], 1 / marks["high"].clip(lower=1e-9)))
    ranked = marks.assign(more=more, strength=strength).sort_values(
        ["more", "strength", "trait", "level"], ascending=[False, False, True, True]
    )
    each = ranked.drop_duplicates("trait").head(at_most).drop(columns=["more", "strength"])
    group = [
        phrase("{trait}: {level}", trait=in_words(row.trait), level=named(row.level, row.trait))
        for row in each.itertuples()
    ]
    return each.assign(group=group, value=each["lift"]).reset_index(drop=True)


def _one_row_each(profiles: pd.DataFrame) -> pd.DataFrame:
    """The profiles in the order of the customers, whatever the order of the rows."""
    profiles = pd.DataFrame(profiles)
    require_columns("profiles", profiles.columns, ["customer_id"])
    twice = int(profiles["customer_id"].duplicated().sum())
    if twice:
        raise Problem(
            f"profiles has {twice:,} rows too many: an ideal customer is learnt from one row per customer_id."
        )
    return profiles.sort_values("customer_id", ignore_index=True)


def _target_of(profiles: pd.DataFrame, target: str | pd.Series) -> tuple[str, np.ndarray]:
    """The name of the target, and 1, 0 or NaN for every customer."""
    if isinstance(target, str):
        require_columns("profiles", profiles.columns, [target])
        if profiles[target].isna().all():
            raise Problem(f'The target "{target}" is known of no customer.')
        return target, _yes_or_no(profiles[target], target)
    if not isinstance(target, pd.Series):
        raise Problem(
            f"target is a {type(target).__name__}. Give the name of a column, or a Series with customers' ids."
        )
    name = str(target.name) if target.name is not None else "target"
    if target.index.has_duplicates:
        raise Problem(f'The target "{name}" has a customer twice in its index. Give one value per customer.')
    aligned = target.reindex(profiles["customer_id"])
    if aligned.isna().all():
        raise Problem(
            f'The target "{name}" knows none of the {len(profiles):,} customers. Its index must hold their ids, e.g. '
            'table.set_index("customer_id")["target"].'
        )
    return name, _yes_or_no(aligned, name)


def _yes_or_no(values: pd.Series, name: str) -> np.ndarray:
    known = values.dropna()
    if not set(known.unique() if known.map(np.isscalar).all() else [None]) <= {0, 1}:
        kind = "lists" if of_customers.is_list(values) else f"{known.nunique():,} different values"
        raise Problem(
            f'The target "{name}" must be true or false, or 1 or 0; it holds {kind}. Make it so, e.g. '
            f'table["{name}"] == "a value", or take the best fifth of a number: profiles.best(table, "{name}").'
        )
    return values.astype("float64").to_numpy(dtype=float, na_value=np.nan)


def _checked(
    profiles: pd.DataFrame, name: str, met: np.ndarray, traits: list[str] | None, a_column: bool
) -> pd.DataFrame:
    """Which columns are used as traits, which are not, and why."""
    if traits is not None:
        require_columns("profiles", profiles.columns, traits)
    rows = []
    for column in profiles.columns.drop("customer_id") if traits is None else dict.fromkeys(traits):
        is_target = a_column and column == name
        why = "the target itself" if is_target else of_customers.unusable(profiles[column])
        if column in _UNDATED and traits is None:
            why = "given by the business on days that are not recorded, perhaps after the target came about"
        area = np.nan if why else _told_alone(profiles[column], met)
        if area >= COPY:
            why = "tells the target without fail: a copy of it, or what it was made from"
        if why and traits is not None:
            raise Problem(f'"{column}" can be no trait of the target "{name}": {why}. Leave it out of traits.')
        doubt = f"tells the target nearly without fail (area {area:.2f}): was it written down after it?"
        rows.append((column, not why, why or (doubt if area >= DOUBTFUL else "")))
    return pd.DataFrame(rows, columns=["trait", "used", "why"])


def _doubted(checked: pd.DataFrame, lifts: pd.DataFrame) -> pd.DataFrame:
    """The same, with a word where a single level all but settles a target that is not common."""
    settles = lifts[(lifts["share"] >= DOUBTFUL) & (lifts["base_rate"] <= 0.5)].drop_duplicates("trait")
    doubts = {
        row.trait: f"{percent(row.share)} of those with “{row.level}” meet the target: was it written down after it?"
        for row in settles.itertuples()
    }
    why = [said or doubts.get(trait, "") for trait, said in zip(checked["trait"], checked["why"], strict=True)]
    return checked.assign(why=why)


def _told_alone(column: pd.Series, met: np.ndarray) -> float:
    """How well a trait alone tells the target, in either direction: an area under the curve from 0.5 to 1."""
    there = column.notna().to_numpy()
    scores = [(there.astype(float), np.ones(len(met), dtype=bool))]
    if of_customers.is_list(column):
        items = sorted({str(item) for value in column[there] for item in value})
        scores += [(_holds(column, item), np.ones(len(met), dtype=bool)) for item in items]
    elif pd.api.types.is_numeric_dtype(column):
        scores.append((column.to_numpy(dtype=float, na_value=np.nan), there))
    else:
        scores.append((pd.Series(met).groupby(column.to_numpy()).transform("mean").to_numpy(), there))
    areas = [0.5]
    for score, judged in scores:
        judged = judged & ~np.isnan(met) & ~np.isnan(score)
        y = met[judged]
        if min(y.sum(), len(y) - y.sum()) >= FEWEST:
            (area,), _ = fitting.area_under_curve(score[None, judged], y)
            areas.append(max(area, 1 - area))
    return max(areas)


def _holds(column: pd.Series, item: str) -> np.ndarray:
    return column.map(lambda value: item in map(str, value), na_action="ignore").fillna(False).to_numpy(dtype=float)


def _lifts(
    levels: of_customers.Levels, met: np.ndarray, confidence: float, large: float, min_size: int
) -> pd.DataFrame:
    """The lift table over the customers whose target is known."""
    table = _counts(levels, met)
    table = table[(table["n"] >= min_size) & (table["n_elsewhere"] >= min_size)].reset_index(drop=True)
    n, k, n_elsewhere, k_elsewhere = (table[c].to_numpy() for c in ("n", "k", "n_elsewhere", "k_elsewhere"))
    wide = 1 - (1 - confidence) / max(len(table), 1)
    lift, low, high, p = ratio_of_shares(k, n, k_elsewhere, n_elsewhere, wide)
    share, elsewhere, corrected = k / n, k_elsewhere / n_elsewhere, holm(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.abs(np.log([share / elsewhere, (1 - share) / (1 - elsewhere)]))
    is_large = np.nanmax(sizes, axis=0, initial=0) >= np.log(large)
    real = (corrected < 1 - confidence) & ((low > 1) | (high < 1))
    figures = {"customers": n.astype("int64"), "share": share, "elsewhere": elsewhere, "base_rate": np.nanmean(met)}
    figures |= {"lift": lift, "low": low, "high": high, "p": p, "p_corrected": corrected, "marks": real & is_large}
    return table[["trait", "level"]].assign(**figures)


def _counts(levels: of_customers.Levels, met: np.ndarray) -> pd.DataFrame:
    """Of each level, how many have it and how many of these meet the target (n, k), and the same elsewhere.

    Elsewhere are the others of whom the trait is known; for "not known" all of these.
    """
    known = ~np.isnan(met)
    has, y = levels.has[np.flatnonzero(known)], met[known]
    table = levels.table.assign(n=has.sum(axis=0), k=has.T @ y)
    is_unknown = table["level"] == of_customers.NOT_KNOWN
    for here, everybody in (("n", float(len(y))), ("k", float(y.sum()))):
        unknown = table["trait"].map(table[is_unknown].set_index("trait")[here]).astype(float).fillna(0.0)
        table[f"{here}_elsewhere"] = everybody - table[here] - unknown.where(~is_unknown, 0.0)
    return table


def _verdict(judged: pd.DataFrame, any_marks: bool) -> str:
    areas = judged[judged["figure"] == "area under the curve"].set_index("rule")
    ahead = areas[areas.index.str.startswith("fit less")]
    if not areas.loc["fit", "low"] > 0.5 and not any_marks:
        return NOTHING
    return BETTER if (ahead["low"] > 0).all() else NO_BETTER


def _of_the_fit(ideal: Ideal) -> str:
    if ideal.verdict == TOO_FEW:
        return phrase(
            "{k:,} meet it and {others:,} do not: at least {least} of either, and a trait that varies, are needed to "
            "learn a fit and to judge it.",
            **{"k": ideal.met, "others": ideal.customers - ideal.met, "least": FEWEST},
        )
    figures = ideal.judgement.set_index(["rule", "figure"])
    area = _told(figures.loc[("fit", "area under the curve")])
    if ideal.verdict == NOTHING:
        return phrase("Nothing recorded tells who meets it: area under the curve {area}, and 0.5 is chance.", area=area)
    given = {"area": area, "ahead": _ahead_in_words(figures), "lift": _told(figures.loc[("fit", "lift at 10 %")])}
    if ideal.verdict == BETTER:
        return phrase(
            "The fit is better than the naive rule: on customers it had not seen, its area under the curve is {area}, "
            "{ahead}. The tenth with the highest fit meet the target {lift} times as often as everybody.",
            **given,
        )
    return phrase(
        "The fit is no better than the naive rule: on customers it had not seen, its area under the curve is {area}, "
        "{ahead}. The tenth with the highest fit meet the target {lift} times as often as everybody.",
        **given,
    )


def _ahead_in_words(figures: pd.DataFrame) -> str:
    """How far the area of the fit is ahead of that of each naive rule."""
    rules = [rule for rule, name in figures.index if rule.startswith("fit less") and name == "area under the curve"]
    return phrase(", ").join(
        phrase(
            "{figure} more than {rule}",
            figure=_told(figures.loc[(rule, "area under the curve")]),
            rule=named(rule.removeprefix("fit less ")),
        )
        for rule in rules
    )


def _told(row: pd.Series) -> str:
    value, low, high = (figure(f"{x:.2f}".replace("-", "−")) for x in (row["value"], row["low"], row["high"]))
    return phrase("{figure} ({low} to {high})", figure=value, low=low, high=high)


def _of_the_marks(ideal: Ideal, at_most: int) -> list[str]:
    if ideal.lifts.empty:
        return []
    if not ideal.lifts["marks"].any():
        return [
            phrase(
                "No trait marks them: of {n:,} levels compared, none differs beyond chance and by much.",
                n=len(ideal.lifts),
            )
        ]
    return [_of_one_mark(row) for row in strongest(ideal, at_most).itertuples()]


def _of_one_mark(row) -> str:
    """A level in a sentence: how many customers, their share, how much oftener than the others."""
    given = {"n": row.customers, "trait": in_words(row.trait), "level": named(row.level, row.trait)}
    return phrase(
        "Of {n:,} customers with {trait} “{level}”, {share} meet it, {often} ({interval}).",
        **given,
        **{"share": percent(row.share), "often": _often_in_words(row.lift), "interval": _interval_in_words(row)},
    )


def _often_in_words(lift: float) -> str:
    if not np.isfinite(lift):
        return phrase("and none of the others")
    if not lift:
        return phrase("fewer than of the others")
    return phrase("{lift} times as often as the others", lift=times(lift))


def _interval_in_words(row) -> str:
    if np.isfinite(row.high):
        return phrase("interval {low} to {high}", low=times(row.low), high=times(row.high))
    return phrase("interval from {low} up", low=times(row.low))
