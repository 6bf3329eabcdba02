"""Personas from segments: what was measured of each group, put together.

Takes `profiles`, `segments` and the base they come from. Gives the tables that a card is written from, and nothing that
was not measured.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.errors import Problem, require_columns
from analysis.personas import rivals, typical
from analysis.personas.card import card_html
from analysis.personas.content import content
from analysis.personas.examples import exemplars
from analysis.personas.likeness import confidence, coverage
from analysis.personas.measures import KINDS, measured
from analysis.personas.titles import titles
from analysis.personas.traits import FEWEST, LEAST, strongest, told, traits
from analysis.sources.normal import region_of

_PERSONA_COLUMNS = (
    *("persona", "title", "n", "share", "revenue_share", "company", "like", "like_low", "like_high", "like_elsewhere"),
    *("confidence", "trust", "size", "belonging", "known"),
)


@dataclass(frozen=True)
class Personas:
    """What is known of the personas of a base, in tables; iterating gives each as a :class:`Persona`.

    Attributes
    ----------
    personas : DataFrame, one row per persona
        persona (int, the segment), title (name of the segment), n, share, revenue_share (missing without
        `total_spend`), company (bool), like, like_low, like_high, like_elsewhere (see
        :func:`analysis.personas.likeness.coverage`), confidence, size, belonging, known and their word (see
        :func:`analysis.personas.likeness.confidence`).
    traits : DataFrame, as from :func:`analysis.personas.traits.traits`
        With the ratings of rivals as part "rivals".
    typical : DataFrame, as from :func:`analysis.personas.typical.typical`
        What stands in the strip of facts: the middle half of ages, the commonest occupations.
    unlike : DataFrame, one row per persona and told trait
        persona, line, n, share of the members who are like that line, least first.
    exemplars : DataFrame, as from :func:`analysis.personas.examples.exemplars`
    customers : DataFrame, one row per customer
        customer_id, persona, perhaps fit, and all measures.
    about : dict
        title, currency, as_of and country of the base; titles : the names of the groups in the other languages.
    """

    personas: pd.DataFrame
    traits: pd.DataFrame
    typical: pd.DataFrame
    unlike: pd.DataFrame
    exemplars: pd.DataFrame
    customers: pd.DataFrame
    about: dict = field(default_factory=dict)

    def __iter__(self):
        return (self[number] for number in self.personas["persona"])

    def __len__(self):
        return len(self.personas)

    def __getitem__(self, number):
        of = {name: getattr(self, name) for name in ("traits", "typical", "unlike", "exemplars")}
        of = {name: table[table["persona"] == number].reset_index(drop=True) for name, table in of.items()}
        row = self.personas[self.personas["persona"] == number].iloc[0]
        return Persona(row, **of, about={**self.about, "personas": len(self)})


@dataclass(frozen=True)
class Persona:
    """One persona: its row of `personas`, its rows of the other tables. In Jupyter it shows its card."""

    row: pd.Series
    traits: pd.DataFrame
    typical: pd.DataFrame
    unlike: pd.DataFrame
    exemplars: pd.DataFrame
    about: dict

    def _repr_html_(self):
        return card_html(content(self))


def derive(profiles, segments, base=None, least=LEAST):
    """A persona for each segment, resting on what was measured and on nothing else.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame, one row per customer
        With `customer_id`, `segment` and perhaps `segment_name` and `fit`.
    base : Base, or any mapping from canonical table names to dataframes, optional
        What customers answered, raised, opened, were met by; without it a persona rests on the profiles alone.
    least : float
        The least difference that a card tells, in points of a share (0.1) or as Cliff's delta.

    Returns
    -------
    Personas
        Of segments of five customers or more.

    Raises
    ------
    Problem
        A column is missing or there twice; a customer is there twice; groups are not whole numbers; a customer of the
        segments has no profile.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "orders_per_year": [1.0, 1.2] * 5 + [6, 6.4] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> derive(profiles, segments).traits[["persona", "trait", "value", "elsewhere", "distinctive"]].round(1)
       persona            trait  value  elsewhere  distinctive
    0        1  orders_per_year    1.1        6.2         True
    1        2  orders_per_year    6.2        1.1         True
    """
    require_columns("profiles", profiles.columns, ["customer_id"])
    require_columns("segments", segments.columns, ["customer_id", "segment"])
    segments, profiles = _of_known_customers(segments, profiles)
    own = [c for c in ("segment", "segment_name", "fit") if c in segments]
    profiles = profiles.drop(columns=own, errors="ignore").sort_values("customer_id", ignore_index=True)
    measures = measured(profiles, base)
    found = traits(measures, segments, least)
    customers = segments[["customer_id", *own]].merge(measures.table, on="customer_id", validate="one_to_one")
    customers = customers.sort_values("customer_id", ignore_index=True).rename(columns={"segment": "persona"})
    sizes = customers["persona"].value_counts()
    shown = sorted(sizes.index[sizes >= FEWEST])
    found = pd.concat([found, rivals.ratings(base, customers, shown)], ignore_index=True)
    found = found[found["persona"].isin(shown)].reset_index(drop=True)
    of_each = {p: found[(found["persona"] == p) & ~found["part"].isin(("rivals", "touchpoints"))] for p in shown}
    apart = {p: _apart(of_each[p]) for p in shown}
    covered = {p: coverage(customers.assign(here=customers["persona"] == p), apart[p]) for p in shown}
    unlike = [covered[p]["lines"].assign(persona=p) for p in shown]
    return Personas(
        _personas(customers, {p: told(of_each[p]) for p in shown}, covered),
        found,
        typical.typical(customers[customers["persona"].isin(shown)]),
        pd.concat(unlike, ignore_index=True) if unlike else pd.DataFrame(columns=["line", "n", "share", "persona"]),
        exemplars(customers, apart),
        customers,
        _about(base, profiles, segments),
    )


def divided(segments, by):
    """Segments by another column: by scores where the data have no groups, or as an analyst divides the customers.

    Parameters
    ----------
    segments : DataFrame, one row per customer
        customer_id and the column.
    by : str
        "segment" for the groups as they are; else a column of names, such as `rfm_segment`.

    Returns
    -------
    DataFrame
        customer_id, segment (int, the largest first), segment_name, and fit for the groups as they are. Customers
        without a name are left out.

    Raises
    ------
    Problem
        There is no such column.

    Examples
    --------
    >>> scores = pd.DataFrame({"customer_id": list("abc"), "rfm_segment": ["Loyal", "Lost", "Lost"]})
    >>> divided(scores, "rfm_segment")
      customer_id  segment segment_name
    0           a        2        Loyal
    1           b        1         Lost
    2           c        1         Lost
    """
    require_columns("segments", segments.columns, ["customer_id", by])
    if by == "segment":
        return segments
    names = segments[by].dropna().astype(str)
    ranked = names.value_counts().sort_index().sort_values(ascending=False, kind="stable").index
    numbers = names.map({name: place for place, name in enumerate(ranked, 1)}).astype("int64")
    return segments.loc[names.index, ["customer_id"]].assign(segment=numbers, segment_name=names)


def _of_known_customers(segments, profiles):
    """Both tables, checked, with ids as text, columns that mean one thing and no infinite number."""
    segments, profiles = (_by_customer(name, t) for name, t in (("segments", segments), ("profiles", profiles)))
    numbers = pd.to_numeric(segments["segment"], errors="coerce").where(segments["segment"].notna(), 0)
    if pd.api.types.is_bool_dtype(segments["segment"]) or not (numbers % 1 == 0).all():
        raise Problem(
            "segments.segment does not hold whole numbers. Rename it, and personas.divided numbers the groups by name."
        )
    without = (~segments["customer_id"].isin(profiles["customer_id"])).sum()
    if without:
        raise Problem(
            f"{without:,} of the {len(segments):,} customers of segments are not in profiles. Take both from the same "
            "base and day, or leave those customers out of segments."
        )
    named = {c: f"recorded {c}" for c in profiles if c == "persona" or (str(c).partition(" ")[0] in KINDS and " " in c)}
    profiles = profiles.rename(columns=named)
    infinite = [c for c in profiles.select_dtypes("number") if np.isinf(profiles[c].astype("float64")).any()]
    return segments, profiles.assign(**{c: profiles[c].replace([np.inf, -np.inf], np.nan) for c in infinite})


def _by_customer(name, table):
    """The table with one row per customer, ids as text and every column once."""
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise Problem(f'{name} has the column "{twice[0]}" more than once. Rename or drop one of them.')
    table = table.rename(columns=str).assign(customer_id=table["customer_id"].astype("str"))
    again = table["customer_id"].duplicated().sum()
    if again:
        raise Problem(f"{name} has {again:,} more rows than customers. Keep one row of each customer.")
    return table


def _apart(traits):
    """What says how alike a customer is to a persona: the twenty strongest differences from everybody else."""
    return strongest(traits[traits["elsewhere"].notna()]).head(20)


def _personas(customers, lines, covered):
    """One row per persona."""
    by = customers.groupby("persona")
    revenue = _revenue(customers)
    rows = []
    for persona in lines:
        members, cover = by.get_group(persona), covered[persona]
        known = (lines[persona]["n"] / len(members)).clip(upper=1).mean()
        trust = confidence(len(members), members.get("fit"), known)
        rows.append(
            {
                "persona": int(persona),
                "title": _title(members, persona),
                "n": len(members),
                "share": round(len(members) / len(customers), 6),
                "revenue_share": revenue.get(persona, np.nan),
                "company": bool("kind" in members and (members["kind"] == "company").all()),
                **{"like": cover["here"], "like_low": cover["low"], "like_high": cover["high"]},
                **{"like_elsewhere": cover["elsewhere"], "confidence": trust["word"], "trust": trust["value"]},
                **{part: trust[part] for part in ("size", "belonging", "known")},
            }
        )
    return pd.DataFrame(rows, columns=list(_PERSONA_COLUMNS))


def _title(members, persona):
    names = members["segment_name"].dropna() if "segment_name" in members else []
    return str(names.iloc[0]) if len(names) else f"Segment {persona}"


def _revenue(customers):
    """Each persona's share of revenue; empty where nobody's spend is known."""
    if "total_spend" not in customers:
        return {}
    sums = customers.sort_values("total_spend").groupby("persona")["total_spend"].sum()
    total = sums.sum()
    return (sums / total).round(6).to_dict() if total > 0 else {}


def _about(base, profiles, segments):
    """What a card says of the base it comes from."""
    return {
        "title": getattr(base, "title", ""),
        "currency": getattr(base, "currency", ""),
        "as_of": getattr(base, "as_of", None),
        "country": region_of(getattr(base, "timezone", None)) or "",
        "titles": titles(profiles, segments),
    }
