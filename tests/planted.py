"""What the bookshop's true personas are like, as far as a card could tell it, from what the bookshop is drawn with.

For each true persona the traits that set it apart from the other persons by enough that a reader would notice, each
with the columns and levels that would show it; and for each customer what is true of them, so that a line about any
group can be held against the truth.
"""

import re

import numpy as np

from analysis.bookshop.opinions import GOALS, OTHERWISE
from analysis.bookshop.people import CHANNELS, GENRES, PERSONAS, TRAITS

#: How much a truth must differ from the other persons' to count as planted: points of a share, standard deviations,
#: times, steps on the survey's scale. Set before anything was measured.
POINTS, DEVIATIONS, TIMES, STEPS = 0.15, 0.5, 1.25, 1.0

_AGES = {p: spec.age[0] for p, spec in PERSONAS.items()}
_PRICE = r"discounted_share|discount_share|score_price_consciousness"
_QUALITY = r"quality_over_price|score_quality|mean_order_value"


def planted(persona):
    """Traits of a true persona: list of (what, pattern of the lines that show it, whether more or less).

    A line is "trait" or "trait: level".
    """
    of, others = PERSONAS[persona], [spec for name, spec in PERSONAS.items() if name != persona]
    weights = np.array([spec.share for spec in others])

    def elsewhere(get):
        return float(np.average([get(spec) for spec in others], weights=weights))

    found = []
    age = of.age[0] - elsewhere(lambda s: s.age[0])
    spread = np.sqrt(np.average((np.array([s.age[0] for s in others]) - of.age[0] + age) ** 2, weights=weights))
    if abs(age) >= DEVIATIONS * max(spread, 10):
        found.append(("age", rf"age|age_band: {_band(of.age[0])}", np.sign(age)))
    if abs(of.women - elsewhere(lambda s: s.women)) >= POINTS:
        found.append(("gender", "gender: female|gender: male", 0))
    if abs(of.married - elsewhere(lambda s: s.married)) >= POINTS:
        found.append(("family", "marital_status: .*", 0))
    for job, weight in of.occupations.items():
        share = weight / sum(of.occupations.values())
        if share - elsewhere(lambda s, j=job: s.occupations.get(j, 0) / sum(s.occupations.values())) >= POINTS:
            found.append((f"job {job}", f"occupation: {job}|agrees .* work .*", +1))
    for genre in GENRES:
        mine = of.genres.get(genre, 0) / sum(of.genres.values())
        if mine - elsewhere(lambda s, g=genre: s.genres.get(g, 0) / sum(s.genres.values())) >= POINTS:
            found.append((f"buys {genre}", f"bought_{genre}|top_category: {genre}|likes {genre}: yes", +1))
    for place, channel in enumerate(CHANNELS):
        if of.channels[place] - elsewhere(lambda s, c=place: s.channels[c]) >= POINTS:
            found.append((f"by {channel}", rf"(through_|used_channel: |contact_channel: ){channel}", +1))
    ratio = of.basket / elsewhere(lambda s: s.basket)
    if not 1 / TIMES < ratio < TIMES:
        found.append(("basket", "lines per purchase|n_lines", np.sign(ratio - 1)))
    rate = of.orders_per_year / elsewhere(lambda s: s.orders_per_year)
    if not 1 / TIMES < rate < TIMES:
        found.append(("rate", "orders_per_year|n_orders|n_order_days|n_lines|median_gap_days|total_spend", 0))
    for what, value, pattern in (("dear", "dear", _QUALITY), ("discounts", "discounts", _PRICE)):
        apart = getattr(of, value) - elsewhere(lambda s, v=value: getattr(s, v))
        if abs(apart) >= POINTS:
            found.append((what, pattern, np.sign(apart)))
    for part, statements in GOALS.items():
        for statement, means in statements.items():
            apart = means.get(persona, OTHERWISE) - elsewhere(lambda s, m=means: m.get(_name(s), OTHERWISE))
            if apart >= STEPS:
                found.append((f"{part} {statement}", re.escape(f"agrees {statement}"), +1))
    if persona == "konkur_student":
        found.append(("losing step", "dropped app|raised app checkout: yes|agrees Paying in the app is a trouble", +1))
    return found


def truths(truth, ages):
    """What is true of each person, by the columns of a card whose direction it decides.

    Parameters
    ----------
    truth : DataFrame, `truth/customers`
    ages : Series by customer_id, as recorded; of whom none is, the mean of the persona counts

    Returns
    -------
    dict of pattern to Series, by customer_id
    """
    of = truth[truth["persona"].isin(PERSONAS)].set_index("customer_id")
    specs = of["persona"].map(PERSONAS)
    true = {"age": of["persona"].map(_AGES), "gender: female": specs.map(lambda s: s.women)}
    # the older, the likelier married: as the records of the bookshop are drawn
    age = ages.reindex(of.index).fillna(true["age"])
    married = specs.map(lambda s: s.married) / (1 + np.exp((26 - age) / 2.5))
    true |= {"gender: male": -true["gender: female"], "marital_status: married": married}
    true["marital_status: single"] = -true["marital_status: married"]
    for job in sorted({job for spec in PERSONAS.values() for job in spec.occupations}):
        true[f"occupation: {job}"] = specs.map(lambda s, j=job: s.occupations.get(j, 0) / sum(s.occupations.values()))
    for genre in GENRES:
        true[f"bought_{genre}|top_category: {genre}|likes {genre}: yes"] = of[f"taste_{genre}"]
    for channel in CHANNELS:
        true[f"(through_|used_channel: ){channel}"] = of[f"share_{channel}"]
    true |= {_PRICE: of["price_sensitivity"], "quality_over_price": of["spend_level"]}
    true |= {"lines per purchase": of["lines_per_order"], "orders_per_year": of["orders_per_year"]}
    for trait in TRAITS:
        true[f"score_{trait.replace(' ', '_')}"] = of[f"trait_{trait.replace(' ', '_')}"]
    for statements in GOALS.values():
        for statement, means in statements.items():
            if means:
                true[re.escape(f"agrees {statement}")] = of["persona"].map(lambda p, m=means: m.get(p, OTHERWISE))
    true["dropped app"] = (of["persona"] == "konkur_student").astype(float)
    for month in range(1, 13):
        true[f"month j{month}"] = specs.map(lambda s, m=month: s.months.get(m, 1) * (s.feasts if m in (9, 12) else 1))
    return true


def _band(age):
    bands = (("under 18", 18), ("18 to 24", 25), ("25 to 34", 35), ("35 to 44", 45), ("45 to 54", 55), ("55 to 64", 65))
    return next((name for name, below in bands if age < below), "65 and over")


def _name(spec):
    return next(name for name, other in PERSONAS.items() if other is spec)
