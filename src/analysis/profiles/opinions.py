"""What customers say: scores of what a survey measures and how far to trust them, and the voice of each customer.

Takes the tables `survey_answers`, `feedback` and `tickets` as of a day. Lazy frames and a frame with one row per
customer for the profiles, and `reliability`, a table of its own with a row for each construct of the survey.
"""

import re
from collections.abc import Mapping
from datetime import date

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from scipy.stats import f as f_distribution
from scipy.stats import norm

from analysis.errors import Problem, require_columns
from analysis.expressions import (
    PARTS,
    collected,
    commonest,
    last_day,
    money,
    tables_until,
    within_days,
)
from analysis.schema import SCORE

#: Enough for the early stages of research (Nunnally 1978, Psychometric Theory, 2nd ed.).
WEAK_BELOW = 0.7

#: Answers up to these speak of discontent: detractors (Reichheld 2003, Harvard Business Review 81(12)), and answers
#: below the middle of the other two scales.
LOW_ANSWERS = {"nps": 6, "csat": 2, "ces": 3}


def reliability(base: Mapping[str, IntoFrame], as_of: date | None = None) -> pd.DataFrame:
    """How well do the questions of each survey construct hold together: can its score be trusted?

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        With `survey_answers`.
    as_of : date, optional
        Last day to look at; default: the base's own.

    Returns
    -------
    DataFrame, one row per construct, sorted
        construct : str, as in the names of the scores.
        questions : int.
        customers : int, who answered all of them; alpha rests on these.
        reversed : list of str, questions that were turned round: they say the opposite of the others.
        alpha, low, high : float, Cronbach's alpha with its 95 % interval; missing with a single question, or where
        fewer than two customers answered all questions.
        weak : bool, no alpha of 0.7 or more: the questions ask for different things, or nobody knows, and their mean
        says little.

    Raises
    ------
    Problem
        When `as_of` or the table is missing, or the table lacks construct, question or answer.

    Notes
    -----
    alpha is ``k / (k - 1) (1 - sum of variances / variance of the sum)`` over k questions (Cronbach 1951, Psychometrika
    16:297), its interval from ``(1 - alpha) / (1 - estimate)``, which has an F distribution with n - 1 and
    (n - 1)(k - 1) degrees of freedom (Feldt 1965, Psychometrika 30:357). A question counts as reversed when its
    correlation with the sum of the others is below 0 with its whole 95 % interval (Fisher's z), in scales of three
    questions and more; the strongest is turned first and the others are judged anew. Nothing is turned where the
    questions hold together badly even so: there, a negative correlation is an answer, not a wording. Where as many
    would be turned as not, the first question by name gives the direction.

    Examples
    --------
    >>> answers = pd.DataFrame({"customer_id": list("abcde") * 3, "construct": "price",
    ...     "question": ["compares"] * 5 + ["waits"] * 5 + ["spends"] * 5,
    ...     "answer": [1, 2, 3, 4, 5, 2, 2, 3, 4, 5, 5, 4, 3, 1, 1]})
    >>> reliability({"survey_answers": answers}, date(2024, 1, 1)).round(2)
      construct  questions  customers  reversed  alpha   low  high   weak
    0     price          3          5  [spends]   0.98  0.89   1.0  False
    """
    as_of = last_day(base, as_of, "profiles.reliability")
    if "survey_answers" not in base:
        raise Problem(f"profiles.reliability needs survey_answers. The base has: {', '.join(base) or 'no table'}.")
    answers = tables_until({"survey_answers": base["survey_answers"]}, as_of)["survey_answers"]
    require_columns("survey_answers", answers.collect_schema(), ["customer_id", "construct", "question", "answer"])
    rows = []
    for construct, table in _constructs(answers):
        complete, turned = table.dropna(), _reversed(table)
        alpha, low, high = _alpha(_turned_round(table, turned).dropna())
        rows.append((construct, table.shape[1], len(complete), turned, alpha, low, high, not alpha >= WEAK_BELOW))
    columns = ["construct", "questions", "customers", "reversed", "alpha", "low", "high", "weak"]
    return pd.DataFrame(rows, columns=columns)


def scores(tables: Mapping[str, nw.LazyFrame]) -> pd.DataFrame | None:
    """A score per construct of the survey: customer_id and ``score_…``; None for a base without a survey."""
    if not {"construct", "question", "answer"} <= set(_columns(tables, "survey_answers")):
        return None
    found = {}
    for construct, table in _constructs(tables["survey_answers"]):
        answers = _turned_round(table, _reversed(table))
        enough = 2 * answers.notna().sum(axis=1) >= answers.shape[1]
        found[SCORE + construct] = answers.mean(axis=1).where(enough)
    return pd.DataFrame(found).rename_axis("customer_id").reset_index() if found else None


def answers(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame | None:
    """The last answer to would you recommend us, and the mean of the other two kinds."""
    if not {"instrument", "score", "given_at"} <= set(_columns(tables, "feedback")):
        return None
    given = tables["feedback"].filter(~nw.col("score").is_null())
    of = {name: nw.when(nw.col("instrument") == name).then(money(nw.col("score"))) for name in ("csat", "ces")}
    rows = given.select("customer_id", **of)
    means = {f"mean_{name}": nw.col(name).mean() for name in of}
    means = rows.group_by("customer_id").agg(**means)
    means = means.with_columns(**{f"mean_{name}": nw.col(f"mean_{name}") / PARTS for name in of})
    asked = given.filter(nw.col("instrument") == "nps").with_columns(lower_last=-nw.col("score"))
    last = nw.col("score").last(order_by=["given_at", "lower_last"])
    return means.join(asked.group_by("customer_id").agg(last_nps=last), on="customer_id", how="left")


def complaints(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """Tickets and complaints of the last 365 days, and what most complaints are about."""
    by_topic = _matters(tables, as_of)
    if by_topic is None:
        return None
    sums = {"tickets_365d": nw.col("tickets").sum(), "complaints_365d": nw.col("n").sum()}
    of_each = by_topic.group_by("customer_id").agg(**sums)
    topics = by_topic.filter(~nw.col("topic").is_null() & (nw.col("n") > 0)).select("customer_id", "topic", "n")
    topic = commonest(topics, "topic", "complaint_topic", "share").drop("share")
    of_each = of_each if "tickets" in tables else of_each.drop("tickets_365d")
    return of_each.join(topic, on="customer_id", how="left")


def _columns(tables: Mapping[str, nw.LazyFrame], table: str) -> list[str]:
    return list(tables[table].collect_schema()) if table in tables else []


def _constructs(answers: nw.LazyFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each construct with its answers, customers by questions, both sorted; two spellings of a construct are one."""
    known = answers.select("customer_id", "construct", "question", "answer")
    known = known.filter(~nw.any_horizontal(nw.all().is_null(), ignore_nulls=False))
    known = known.with_columns(parts=money(nw.col("answer")))
    # of somebody who answered a question twice, the mean
    means = known.group_by("customer_id", "construct", "question").agg(answer=nw.col("parts").mean())
    table = collected(means)
    table["answer"] /= PARTS
    table["construct"] = table["construct"].map(snake_case)
    by = table.groupby("construct", sort=True)
    return [(name, of.pivot_table(values="answer", index="customer_id", columns="question")) for name, of in by]


def snake_case(construct: str) -> str:
    return re.sub(r"\W+", "_", construct.strip().lower()).strip("_")


def _reversed(answers: pd.DataFrame) -> list[str]:
    """Questions of a construct that say the opposite of the others; see :func:`reliability`."""
    complete = answers.dropna()
    n, k = complete.shape
    if k < 3 or n < 4:
        return []
    covariance, signs = np.cov(complete.to_numpy(), rowvar=False), np.ones(k)
    highest = _highest_item_rest(covariance, signs, n)
    while (highest < 0).any():
        signs[np.argmin(highest)] *= -1
        highest = _highest_item_rest(covariance, signs, n)
    if signs.sum() < 0 or (signs.sum() == 0 and signs[0] < 0):
        signs = -signs
    turned = list(answers.columns[signs < 0])
    alpha, *_ = _alpha(_turned_round(complete, turned))
    return turned if alpha >= WEAK_BELOW else []


def _highest_item_rest(covariance: np.ndarray, signs: np.ndarray, n: int) -> np.ndarray:
    """Upper 95 % bound of each question's correlation with the sum of the others; 0 where either does not vary."""
    signed = covariance * np.outer(signs, signs)
    own, with_all = np.diag(signed), signed.sum(axis=1)
    rest = signed.sum() - 2 * with_all + own
    varies = (own > 1e-12) & (rest > 1e-12)
    r = np.divide(with_all - own, np.sqrt(np.where(varies, own * rest, 1)), where=varies, out=np.zeros(len(own)))
    bound = np.tanh(np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)) + norm.ppf(0.975) / np.sqrt(n - 3))
    return np.where(varies, bound, 0.0)


def _turned_round(answers: pd.DataFrame, turned: list[str]) -> pd.DataFrame:
    """Answers with some questions turned round within the least and the greatest answer given to the construct."""
    ends = np.nanmin(answers.to_numpy()) + np.nanmax(answers.to_numpy())
    return answers.assign(**{question: ends - answers[question] for question in turned})


def _alpha(complete: pd.DataFrame) -> tuple[float, float, float]:
    """Cronbach's alpha and its 95 % interval; see :func:`reliability`."""
    n, k = complete.shape
    if k < 2 or n < 2 or complete.sum(axis=1).var() <= 0:
        return np.nan, np.nan, np.nan
    alpha = k / (k - 1) * (1 - complete.var().sum() / complete.sum(axis=1).var())
    low, high = (1 - (1 - alpha) * f_distribution.ppf(p, n - 1, (n - 1) * (k - 1)) for p in (0.975, 0.025))
    return float(alpha), float(low), float(high)


def _matters(tables: Mapping[str, nw.LazyFrame], as_of: date) -> nw.LazyFrame | None:
    """What customers raised within 365 days: customer_id, topic (may be empty), tickets and complaints n."""
    raised = []
    if "opened_at" in _columns(tables, "tickets"):
        opened = tables["tickets"].filter(within_days(tables["tickets"], "opened_at", 365, as_of))
        raised.append(opened.select("customer_id", topic=_topic(opened), ticket=nw.lit(1), low=nw.lit(0)))
    if {"instrument", "score", "given_at"} <= set(_columns(tables, "feedback")):
        given = tables["feedback"].filter(within_days(tables["feedback"], "given_at", 365, as_of))
        low = nw.lit(0)
        for instrument, at_most in LOW_ANSWERS.items():
            found = (nw.col("instrument") == instrument) & (nw.col("score") <= at_most)
            low = nw.when(found).then(nw.lit(1)).otherwise(low)
        raised.append(given.select("customer_id", topic=_topic(given), ticket=nw.lit(0), low=low))
    if not raised:
        return None
    sums = {"tickets": nw.col("ticket").sum(), "low": nw.col("low").sum()}
    by_topic = nw.concat(raised).group_by("customer_id", "topic").agg(**sums)
    n = nw.when(nw.col("tickets") > 0).then(nw.col("tickets")).otherwise(nw.col("low"))
    return by_topic.with_columns(n=n)


def _topic(frame: nw.LazyFrame) -> nw.Expr:
    return nw.col("topic") if "topic" in frame.collect_schema() else nw.lit(None).cast(nw.String)
