"""What do the words and figures of the book mean, and what was each chapter run with?

The terms are those that several chapters use without explaining them each time; the parameters are the notebooks' own,
with the comments that explain them there.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from analysis.phrases import marked, phrase, translated

#: A line of a notebook's parameters cell: a name, a literal, what it means.
_LINE = re.compile(r"(?P<name>\w+) = (?P<value>.+?)  # (?P<meaning>.+)")
#: Where a run lies says nothing of what it found.
_UNSAID = "run_dir"

_TERMS = (
    (
        marked("Customer, order, revenue"),
        marked(
            "A customer is whoever has a row of their own in the base, or an id in any of its tables. An order is one "
            "that was completed; cancelled and open orders count for nothing. Revenue is what was paid for orders, "
            "less what was given back."
        ),
    ),
    (
        marked("As of"),
        marked("The day from which everything is seen: nothing that happened later is counted anywhere."),
    ),
    (
        marked("Interval"),
        marked(
            "The range in which the true figure lies, at a confidence of 95 per cent, if these customers are a sample "
            "of customers like them. For shares it is Wilson's, for differences of shares Newcombe's, for "
            "differences of means Welch's; elsewhere it comes from drawing the customers anew (bootstrap)."
        ),
    ),
    (
        marked("Beyond chance"),
        marked(
            "Where many comparisons are made at once, some look large by luck. Within each family of comparisons they "
            "are corrected by Holm's method, so that the chance of even one false statement in the family stays below "
            "5 per cent."
        ),
    ),
    (
        marked("Usual gap, overdue"),
        marked(
            "The usual gap is the median of the days between a customer's successive days of buying. A customer is "
            "overdue when the days since the last order are a multiple of that gap; only those with three gaps or more "
            "are judged."
        ),
    ),
    (
        marked("Recency, frequency, monetary value (RFM)"),
        marked(
            "Scores from 1 to 5 by fifths of this base: how lately, how often and for how much a customer bought. 5 is "
            "the best fifth; equal customers get equal scores."
        ),
    ),
    (
        marked("Satisfaction (NPS, CSAT, CES)"),
        marked(
            "NPS: how willing customers are to recommend us, from 0 to 10. CSAT: how satisfied they are, from 1 to 5. "
            "CES: how easy it was to deal with us, from 1 to 7. Only those who answered are counted."
        ),
    ),
    (
        marked("Conversion, judged, censored"),
        marked(
            "Conversion is the share of those who reached a step and then reached the next, within the window of days "
            "where there is one. Only customers who were seen for the whole window are judged; those who had less time "
            "are censored and count neither for nor against."
        ),
    ),
    (
        marked("At stake"),
        marked(
            "What the lost would have brought had they gone on like all others: an upper bound of what a better step "
            "could win, no forecast."
        ),
    ),
    (
        marked("Fit, lift"),
        marked(
            "Fit is the chance that a customer meets the target, by a model that has not seen that customer. Lift is "
            "how many times as often customers with a trait meet the target as those without it."
        ),
    ),
    (
        marked("Measured, assumption to check"),
        marked(
            "What is measured rests on the data and says on how many customers. What nobody has measured stands as an "
            "assumption, with the question to ask; it is no finding."
        ),
    ),
)


class Parameter(NamedTuple):
    """A parameter of a chapter: its value in this run, and what it means."""

    chapter: str
    name: str
    value: object
    meaning: str


def terms() -> list[tuple[str, str]]:
    """The words that the chapters share, each with its meaning.

    Examples
    --------
    >>> dict(terms())["As of"]
    'The day from which everything is seen: nothing that happened later is counted anywhere.'
    """
    return [(phrase(term), phrase(meaning)) for term, meaning in _TERMS]


def parameters(run: Mapping, notebooks: Mapping[str, Mapping | str | None]) -> list[Parameter]:
    """All parameters of all chapters.

    Parameters
    ----------
    run : dict
        ``run.json``, parsed: what it sets goes before the notebook's own value.
    notebooks : dict
        Executed notebook of each chapter, as :func:`analysis.report.page` takes them.

    Examples
    --------
    >>> cell = {"source": "top = 0.2  # share of the best", "metadata": {"tags": ["parameters"]}}
    >>> parameters({"parameters": {"1_profiles": {"top": 0.3}}}, {"1_profiles": {"cells": [cell]}})
    [Parameter(chapter='1_profiles', name='top', value=0.3, meaning='share of the best')]
    """
    given = run.get("parameters") or {}
    found = []
    for chapter in {**notebooks, **given}:
        own = {p.name: p for p in _own(chapter, notebooks.get(chapter))}
        for name in {**own, **(given.get(chapter) or {})}:
            here = own.get(name) or Parameter(chapter, name, None, "")
            found.append(here._replace(value=(given.get(chapter) or {}).get(name, here.value)))
    return found


def meanings(source: str) -> list[str]:
    """The comments that explain the parameters in a notebook's cell of them.

    Examples
    --------
    >>> meanings('run_dir = ""  # folder of a run\\ntop = 0.2  # share of the best')
    ['share of the best']
    """
    return [p.meaning for p in _read("", source)]


def _own(chapter: str, notebook: Mapping | str | None) -> Iterator[Parameter]:
    for cell in notebook.get("cells", []) if isinstance(notebook, Mapping) else []:
        if "parameters" in ((cell.get("metadata") or {}).get("tags") or []):
            for p in _read(chapter, "".join(cell.get("source") or "")):
                yield p._replace(meaning=translated(p.meaning))


def _read(chapter: str, source: str) -> Iterator[Parameter]:
    for line in source.splitlines():
        if (read := _LINE.fullmatch(line)) and read["name"] != _UNSAID:
            yield Parameter(chapter, read["name"], ast.literal_eval(read["value"]), read["meaning"])
