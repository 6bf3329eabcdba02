"""What follows from the traits of a persona: for advertising, for product and service, for content.

Takes the told traits of a persona. Gives, for each area, keys of texts, each with the trait that it follows from. What
no trait speaks for is not said.
"""

import re
from typing import NamedTuple

#: At most so many for each area.
MOST = 3

#: A quote is spoken by traits that differ at least so much (points of a share, Cliff's delta): what is said aloud is
#: remembered.
LOUD = 0.3

AREAS = ("advertising", "product", "content")


class Follows(NamedTuple):
    """A suggestion: which area, which text, what of, and the row of the trait that it follows from."""

    area: str
    key: str
    of: str
    row: object


# area, trait (a pattern of the whole name), which way it must differ from everyone else, and the text
_RULES = (
    ("advertising", "preferred_channel", +1, "reach_by"),
    ("advertising", "through_.*|used_channel", +1, "advertise_on"),
    ("advertising", "acquisition_channel", +1, "found_by"),
    ("advertising", "month .*", +1, "season"),
    ("advertising", "weekend_share", +1, "weekend"),
    ("advertising", "weekend_share", -1, "weekday"),
    ("advertising", "discount_share|discounted_share|price_sensitivity|score_price_consciousness", +1, "price_first"),
    ("advertising", "discount_share|discounted_share|price_sensitivity|score_price_consciousness", -1, "no_discount"),
    ("advertising", "may .*", -1, "ask_consent"),
    ("product", "dropped .*", +1, "mend_step"),
    ("product", "raised .*", +1, "mend_topic"),
    ("product", "bought_.*|top_category", +1, "range"),
    ("product", "quality_over_price", +1, "fine"),
    ("product", "quality_over_price", -1, "cheap"),
    ("product", "lines per purchase", +1, "bundle"),
    ("product", "lines per purchase", -1, "single"),
    ("product", "looks per purchase", +1, "long_looks"),
    ("content", "opened .*", +1, "send_content"),
    ("content", "opened .*", -1, "less_content"),
    ("content", "likes .*", +1, "stories"),
    ("content", "score_novelty_seeking", +1, "new_things"),
    ("content", "score_social_influence", +1, "reviews"),
    ("content", "score_quality", +1, "quality_talk"),
    ("content", "score_brand_loyalty", +1, "loyal_talk"),
)

# what people say of themselves in the first person, for a quote; of each text one trait
_VOICES = (
    ("agrees .*", +1, "agrees"),
    ("bought_.*|top_category|likes .*", +1, "range"),
    ("discount_share|discounted_share|price_sensitivity|score_price_consciousness", +1, "waits"),
    ("discount_share|discounted_share|price_sensitivity|score_price_consciousness", -1, "pays"),
    ("through_.*|used_channel", +1, "channel"),
    ("dropped .*", +1, "dropped"),
    ("raised .*", +1, "raised"),
    ("lines per purchase", +1, "several"),
    ("lines per purchase", -1, "single"),
    ("looks per purchase", +1, "looks"),
    ("weekend_share", +1, "weekend"),
    ("orders_per_year|n_orders|n_order_days", +1, "often"),
    ("orders_per_year|n_orders|n_order_days", -1, "seldom"),
)


def follows(told):
    """What is worth trying, by area.

    Parameters
    ----------
    told : DataFrame, told traits of one persona, strongest first
        Only distinctive ones count: what is so of everybody is no reason to treat a group apart.

    Returns
    -------
    list of Follows

    Examples
    --------
    >>> import pandas as pd
    >>> told = pd.DataFrame({"trait": ["may sms"], "level": ["yes"], "of": ["sms"], "measure": ["may"], "part":
    ...     ["channels"], "effect": [-0.4], "value": [0.2], "distinctive": [True]})
    >>> [(f.area, f.key, f.of) for f in follows(told)]
    [('advertising', 'ask_consent', 'sms')]
    """
    rows = [row for row in told.itertuples() if row.distinctive]
    found = [Follows(area, key, _of(row), row) for area, *rule, key in _RULES for row in rows if _holds(row, *rule)]
    found += [_of_an_answer(row) for row in rows if row.measure == "agrees" and row.effect > 0 and row.part != "needs"]
    kept = []
    for area in AREAS:
        of_area = {(f.key, f.of): f for f in found if f.area == area}
        kept += sorted(of_area.values(), key=lambda f: -abs(round(f.row.effect, 9)))[:MOST]
    return kept


def voices(told, most=3):
    """Sentences in the first person that the persona's traits allow, strongest first: (key, row)."""
    said = {}
    for row in (row for row in told.itertuples() if row.distinctive and abs(row.effect) >= LOUD):
        for *rule, key in _VOICES:
            if _holds(row, *rule) and not (key == "agrees" and (row.part == "needs" or 2 * row.value <= row.top)):
                said.setdefault((key, row.part) if key == "agrees" else key, (key, row))
    first = sorted(said.values(), key=lambda s: s[0] != "agrees")  # what they said themselves comes first
    return first[:most]


def _holds(row, pattern, way):
    """Whether a rule is for the trait; a column of the profiles may be called like what is measured beside them."""
    beside = row.measure != "profile"
    said = any(re.fullmatch(of, row.trait) for of in pattern.split("|") if (" " in of) == beside)
    return said and row.effect * way > 0


def _of(row):
    """What a trait is of: the level, the rest of a name that begins a family, or what its measure is of."""
    if row.measure != "profile":
        return row.of
    return row.level or row.trait.split("_", 1)[-1]


def _of_an_answer(row):
    area, key = ("product", "answer_pain") if row.part == "pains" else ("content", "speak_of")
    return Follows(area, key, row.of, row)
