"""Do the personas differ enough, and where? And how far is a persona from the people behind it?

Takes the derived personas. Gives a table that lays them side by side, a table of how many customers of one are like the
card of another, and one that lays a persona beside a real customer.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence
from analysis import locale as locales
from analysis.personas.examples import FEWEST, chosen
from analysis.personas.likeness import alike
from analysis.personas.lines import about, sentence
from analysis.personas.titles import called
from analysis.personas.traits import concept, strongest
from analysis.phrases import phrase

#: Two personas are hard to tell apart if the card of the other fits at least so many customers of the one better.
MUCH_ALIKE = 0.25

#: So many of a card's strongest lines decide whom it fits, each by how strongly it sets the persona apart.
_LINES = 20


class Comparison(NamedTuple):
    """The tables of :func:`compare`.

    Attributes
    ----------
    side_by_side : DataFrame, one row per trait, one column per persona
        trait : str, what it is about. In the columns, named by the personas' titles, the figure; "*" where it is
        distinctive.
    overlap : DataFrame, personas by personas
        Share of the customers of the one in the row whom the card of the one in the column fits best, of those of whom
        anything is known; on the diagonal their own.
    words : list of str
        Whether the personas differ enough.
    """

    side_by_side: pd.DataFrame
    overlap: pd.DataFrame
    words: list


def compare(derived, language="en", most=14):
    """The personas side by side.

    Parameters
    ----------
    derived : Personas
    language : {"en", "fa"}
    most : int
        Traits to show: those that set some persona apart the most.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> from analysis import personas
    >>> profiles = pd.DataFrame({"customer_id": range(20), "orders_per_year": [1.0, 1.2] * 5 + [6, 6.4] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> compare(personas.derive(profiles, segments)).side_by_side
                    trait Segment 1 Segment 2
    0  how often they buy     1.1 *     6.2 *
    """
    titles = _told_apart(called(derived, language))
    if len(titles) < 2:
        words = phrase("There is one persona at most, and nothing to compare it with.")
        return Comparison(pd.DataFrame(columns=["trait", *titles]), pd.DataFrame(), [words])
    lines = {persona: _strongest_lines(derived, persona, _LINES) for persona in titles.index}
    overlap = _overlap(derived, titles, lines)
    plain = [titles[persona] for persona, of in lines.items() if of.empty]
    return Comparison(_side_by_side(derived, titles, language, most), overlap, _in_words(overlap, plain))


def beside(derived, number, language="en"):
    """A persona beside its people: what its card says, of how many of its customers it is so, and of a typical one.

    Parameters
    ----------
    derived : Personas
    number : int
        Of a persona of twenty customers or more.
    language : {"en", "fa"}

    Returns
    -------
    DataFrame, one row per line
        line : str; so : float, share of the customers of whom it is known who are like that; example : "yes", "no" or
        "not known", of the most typical customer. Empty where no example may be shown.
    """
    told = _strongest_lines(derived, number, 10)
    of = derived.customers["persona"] == number
    if of.sum() < FEWEST or told.empty:
        return pd.DataFrame(columns=["line", "so", "example"])
    near, locale = alike(derived.customers, told), locales.of(language)
    shown = near.iloc[chosen(derived.customers, [number])[number]]
    example = shown.iloc[int(shown.notna().sum(axis=1).to_numpy().argmax())]  # the one of whom most is known
    lines = [sentence(row, locale, derived.about["currency"]) for row in told.itertuples()]
    said = example.map({1.0: phrase("yes"), 0.0: phrase("no")}).fillna(phrase("not known"))
    return pd.DataFrame({"line": lines, "so": near[of].mean().to_numpy(), "example": said.to_numpy()})


def _told_apart(titles):
    """The titles, with the number of the persona where two are alike.

    Examples
    --------
    >>> _told_apart(pd.Series(["Loyal", "Lost", "Lost"], [1, 2, 3])).tolist()
    ['Loyal', 'Lost (2)', 'Lost (3)']
    """
    numbered = titles + " (" + titles.index.astype(str) + ")"
    return titles.where(~titles.duplicated(keep=False), numbered)


def _strongest_lines(derived, persona, most):
    """So many of the lines that set a persona apart the most."""
    own = derived.traits[derived.traits["persona"] == persona]
    return strongest(own[own["elsewhere"].notna() & ~own["part"].isin(("rivals", "touchpoints"))]).head(most)


def _side_by_side(derived, titles, language, most):
    """The traits that set some persona apart the most, one of each concept."""
    locale, traits = locales.of(language), derived.traits
    traits = traits[traits["elsewhere"].notna() & ~traits["part"].isin(("rivals", "touchpoints", "who"))]
    ranked = traits.loc[traits["effect"].abs().round(9).sort_values(ascending=False, kind="stable").index]
    ranked = ranked[ranked["distinctive"].astype(bool)]
    ranked = ranked[~pd.Series([concept(row) for row in ranked.itertuples()], ranked.index, dtype=object).duplicated()]
    rows = []
    for lead in ranked.itertuples():
        of = traits[(traits["trait"] == lead.trait) & (traits["level"] == lead.level)].set_index("persona")
        if 2 * len(of) > len(titles) and len(rows) < most:  # known of one persona alone, it compares nobody
            cells = [_cell(of.loc[[p]].iloc[0], locale) if p in of.index else "–" for p in titles.index]
            rows.append([_named(lead, locale, derived.about["currency"]), *cells])
    return pd.DataFrame(rows, columns=["trait", *titles])


def _named(row, locale, currency):
    """What a trait is about, with its level or its currency."""
    name = about(row, locale)
    if row.level not in ("", "yes"):
        return f"{name}: {locale.value(row.level, row.trait)}"
    return f"{name} ({locale.value(currency, 'currency')})" if row.unit == "money" and currency else name


def _cell(row, locale):
    """A figure of the table, short, with a star where it is distinctive."""
    large = abs(row["value"]) >= 100
    figure = locale.percent(row["value"]) if row["unit"] == "share" else locale.number(row["value"], 0 if large else 1)
    return f"{figure} *" if row["distinctive"] else figure


def _overlap(derived, titles, lines):
    """Share of each persona's customers whom each card fits best; of cards that fit equally well, their own."""
    customers, fits = derived.customers, {}
    own = customers["persona"].map(titles)
    company = (customers["kind"] == "company") if "kind" in customers else pd.Series(False, customers.index)
    for row in derived.personas.itertuples():
        told, title = lines[row.persona], titles[row.persona]
        fit = _fit(alike(customers, told), told["effect"].astype("float64").abs().to_numpy()).round(9)
        # no card of persons fits a company
        fits[title] = np.where(company & ~row.company, np.nan, fit + 1e-9 * (own == title))
    fits = pd.DataFrame(fits, index=customers.index)
    best = fits.fillna(-1).idxmax(axis=1).where(fits.notna().any(axis=1))
    shares = pd.crosstab(own, best, normalize="index")
    return shares.reindex(index=list(titles), columns=list(titles), fill_value=0.0).rename_axis(
        index=None, columns=None
    )


def _fit(near, weights):
    """How well a card fits each customer: the weighted share of what is known of them in which they are like it."""
    known = near.notna().to_numpy() * weights
    whole = known.sum(axis=1)
    return (near.fillna(0).to_numpy() * weights).sum(axis=1) / np.where(whole > 0, whole, np.nan)


def _in_words(overlap, plain):
    """Which personas are hard to tell apart."""
    close = [
        (overlap.loc[one, other], one, other)
        for one in overlap.index
        for other in overlap.columns
        if one != other and overlap.loc[one, other] >= MUCH_ALIKE
    ]
    words = [phrase("Nothing that was measured sets {title} apart from everyone else.", title=t) for t in plain]
    words += [
        phrase(
            "{one} and {other} are hard to tell apart: {share} of the customers of the first are better described by "
            "the card of the second.",
            one=one,
            other=other,
            share=evidence.percent(share),
        )
        for share, one, other in sorted(close, key=lambda pair: (-pair[0], pair[1]))
    ]
    enough = phrase(
        "The personas differ enough: no card fits {share} or more of another's customers better than their own.",
        share=evidence.percent(MUCH_ALIKE),
    )
    return words or [enough]
