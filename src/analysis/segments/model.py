"""A segmentation: groups formed once, to which anybody can be assigned, here or in a database, this month or next.

`cluster` forms the groups of a customer base, `assign` gives customers their group, `save` and `load` keep all that is
needed for it in one readable file of JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoFrame
from threadpoolctl import threadpool_limits

from analysis.errors import Problem, require_columns
from analysis.evidence import of_buyers
from analysis.schema import is_worked_out
from analysis.segments import scoring
from analysis.segments.choice import choose_k
from analysis.segments.features import Feature, Features, features, is_apart, kind_apart
from analysis.segments.methods import (
    Prototypes,
    fitted,
    known_of,
    labels_and_fit,
    measured,
    method_for,
)

#: Groups are formed by so many customers; the others are then assigned.
FIT_SIZE = 10_000
#: Customers that are scored at a time: memory does not grow with the base.
CHUNK = 200_000

#: Share of customers of whom nothing is known from which they are a group of their own.
LEAST_STRANGERS = 0.01

FORMAT = "moshtari segmentation 1"


@dataclass(frozen=True)
class Segmentation:
    """Groups of customers, and what gives anybody a group.

    Attributes
    ----------
    method : str
    prototypes : Prototypes
        Their groups are numbered from 0, the largest first: segment 1 is group 0.
    apart : str
        The kind of customers ("company" or "person") that is a group of its own, as its features are others; or "".
    strangers : bool
        Whether customers of whom nothing is known that groups are formed by are a group of their own; else they go
        where the most customers are.
    names : dict of int to str
        By segment.
    notes : tuple of str
        What the groups were formed by and what was left out, in sentences.
    segments : DataFrame, of the customers by whom the groups were formed; empty once loaded from a file
        customer_id : as given; segment : int from 1; segment_name : str; fit : float in [0, 1], 1 is wholly of the
        group, 0 no more than of the next; missing where there is no other.
    """

    method: str
    prototypes: Prototypes
    apart: str = ""
    strangers: bool = True
    names: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    segments: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)

    @property
    def k(self) -> int:
        """Number of groups found, without those set apart."""
        return int(self.prototypes.group.max()) + 1

    @property
    def features(self) -> Features:
        return self.prototypes.features

    def named(self, names: Mapping[int, str]) -> "Segmentation":
        """The same groups under other names."""
        names = {**self.names, **names}
        table = self.segments
        if len(table):
            table = table.assign(segment_name=_names(table["segment"], names))
        return replace(self, names=names, segments=table)


@threadpool_limits.wrap(limits=1)  # sums in threads come out in any order
def cluster(
    profiles: pd.DataFrame, by: Features | Sequence[str] = (), k: int | None = None, method: str = "", seed: int = 0
) -> Segmentation:
    """Groups of similar customers, numbered from the largest.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    by : Features, or families or columns as for :func:`features`
    k : int, optional
        Number of groups; left out, the one that :func:`choose_k` finds, which may be one.
    method : {"", "k-means", "latent classes", "k-prototypes", "gaussian mixture", "hdbscan"}
        Left out: k-means for numbers alone, else latent classes. HDBSCAN finds a number of its own.
    seed : int
        Of the starts.

    Returns
    -------
    Segmentation

    Raises
    ------
    Problem
        More groups than different customers, or no such method or family.

    Notes
    -----
    Formed on at most `FIT_SIZE` customers. Where companies stand among persons (or the reverse), the rarer kind is a
    group of its own, and so are customers of whom nothing is known that groups are formed by: those who never bought,
    where groups are formed by purchases. Where it is known of nearly all, the few others go to the largest group.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": list("abcde"), "x": [-1.0, -1.1, -0.9, 1.5, 1.5]})
    >>> cluster(profiles, ["x"], k=2).segments["segment"].tolist()
    [1, 1, 1, 2, 2]
    """
    by = by if isinstance(by, Features) else features(profiles, by)
    profiles = of_buyers(profiles.sort_values("customer_id", ignore_index=True))
    method = method or method_for(by)
    apart = kind_apart(profiles)
    compared = known_of(profiles, by) & ~is_apart(profiles, apart)
    if k is None:
        k = choose_k(profiles, by, method, seed=seed).query("chosen")["k"].item()
    data = measured(_some(profiles[compared]), by, method)
    distinct = len(np.unique(data.values, axis=0))
    if not 1 <= k <= max(distinct, 1):
        raise Problem(
            f"{k} groups were asked for, but only {distinct} customers differ from each other. Ask for fewer."
        )
    strangers = _are_a_group(by, 1 - (compared | is_apart(profiles, apart)).mean())
    model = Segmentation(method, fitted(data, method, k, seed), apart, strangers, notes=by.notes)
    numbers = range(1, model.k + 3)
    return _canonical(replace(model, names={s: f"Group {s}" for s in numbers}), profiles)


def assign(model: Segmentation, profiles: pd.DataFrame | IntoFrame):
    """The group of each customer, also of those who were not there when the groups were formed.

    Parameters
    ----------
    model : Segmentation
    profiles : DataFrame, or any table that Narwhals reads lazily (DuckDB, Spark), one row per customer
        With the columns by which the groups were formed.

    Returns
    -------
    DataFrame, or a lazy frame of the kind that was given
        customer_id, segment, segment_name, fit, as in :attr:`Segmentation.segments`; a DataFrame in the order of
        customer_id.

    Raises
    ------
    Problem
        A column is missing.

    Examples
    --------
    >>> model = cluster(pd.DataFrame({"customer_id": list("abcde"), "x": [-1.0, -1.1, -0.9, 1.5, 1.5]}), ["x"], k=2)
    >>> assign(model, pd.DataFrame({"customer_id": ["new"], "x": [1.4]}))["segment"].item()
    2
    """
    if not isinstance(profiles, pd.DataFrame):
        return scoring.assigned(model, nw.from_native(profiles, pass_through=False).lazy()).to_native()
    require_columns("profiles", profiles.columns, ["customer_id", *model.features.columns])
    profiles = of_buyers(profiles.sort_values("customer_id", ignore_index=True))
    parts = [_assigned(model, profiles.iloc[at : at + CHUNK]) for at in range(0, max(len(profiles), 1), CHUNK)]
    return pd.concat(parts, ignore_index=True)


def save(model: Segmentation, file: str | Path) -> None:
    """Write a segmentation as JSON: features, prototypes, names; no customer is in it."""
    Path(file).write_text(json.dumps(as_json(model), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(file: str | Path) -> Segmentation:
    """Read a segmentation that :func:`save` wrote.

    Raises
    ------
    Problem
        There is no such file, or it holds no segmentation.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(
            f"There is no {file}. A run writes data/segment_model.json; segments.save writes one too."
        ) from None
    except ValueError as error:
        raise Problem(f"{Path(file).name} is no JSON ({error}). segments.save writes a segmentation.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise Problem(f'{Path(file).name} holds no segmentation: it does not say "format": "{FORMAT}".')
    return _from_json(content)


def as_json(model: Segmentation) -> dict:
    """A segmentation as plain values."""
    p, columns = model.prototypes, scoring.columns_of(model)
    return {
        "format": FORMAT,
        "method": model.method,
        "apart": model.apart,
        "strangers": model.strangers,
        "names": {str(s): name for s, name in sorted(model.names.items())},
        "notes": list(model.notes),
        "features": [_finite(asdict(f)) for f in p.features.features],
        "scores_are_chances": p.chances,
        "columns": columns,
        "axes": None if p.axes is None else p.axes.tolist(),
        "prototypes": [
            {
                "segment": int(p.group[i]) + 1,
                "constant": float(p.constant[i]),
                "linear": p.linear[:, i].tolist(),
                "square": p.square[:, i].tolist(),
            }
            for i in range(len(p.group))
        ],
    }


def _finite(feature: dict) -> dict:
    """JSON has no infinity: a bound that there is not is left empty."""
    return {name: None if value in (np.inf, -np.inf) else value for name, value in feature.items()}


def _from_json(content: dict) -> Segmentation:
    read = [_feature(raw) for raw in content["features"]]
    made = content["prototypes"]
    prototypes = Prototypes(
        linear=np.array([p["linear"] for p in made]).T,
        square=np.array([p["square"] for p in made]).T,
        constant=np.array([p["constant"] for p in made]),
        group=np.array([p["segment"] - 1 for p in made]),
        chances=content["scores_are_chances"],
        features=Features(tuple(read), tuple(content["notes"])),
        axes=None if content["axes"] is None else np.array(content["axes"]),
    )
    names = {int(s): name for s, name in content["names"].items()}
    apart = content["apart"], content["strangers"]
    return Segmentation(content["method"], prototypes, *apart, names, tuple(content["notes"]))


def _feature(raw: dict) -> Feature:
    bounds = {"low": -np.inf, "high": np.inf}
    values = {name: bounds[name] if value is None else value for name, value in raw.items()}
    return Feature(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _are_a_group(by: Features, share: float) -> bool:
    """Whether customers of whom nothing is known are a kind of their own: who never bought, or too many to be few."""
    return all(is_worked_out(column) for column in by.columns) or bool(share >= LEAST_STRANGERS)


def _some(profiles: pd.DataFrame) -> pd.DataFrame:
    """The customers by whom groups are formed: all, or a sample that depends on nothing but their number."""
    rng = np.random.default_rng(len(profiles))
    which = np.sort(rng.choice(len(profiles), min(FIT_SIZE, len(profiles)), replace=False))
    return profiles.iloc[which].reset_index(drop=True)


def _assigned(model: Segmentation, profiles: pd.DataFrame) -> pd.DataFrame:
    values = measured(profiles, model.features, model.method).values
    label, fit = labels_and_fit(model.prototypes.scores(values), model.prototypes.chances)
    segment = label + 1
    unknown, apart = ~known_of(profiles, model.features), is_apart(profiles, model.apart)
    if model.strangers:
        segment[unknown] = model.k + 1 + bool(model.apart)
    segment[apart] = model.k + 1
    fit[unknown | apart] = np.nan
    names = _names(segment, model.names)
    return pd.DataFrame(
        {"customer_id": profiles["customer_id"].to_numpy(), "segment": segment, "segment_name": names, "fit": fit}
    )


def _names(segment, names: Mapping[int, str]) -> pd.Series:
    return pd.Series([names.get(s, "") for s in segment.tolist()], dtype="str")


def _canonical(model: Segmentation, profiles: pd.DataFrame) -> Segmentation:
    """Groups numbered from the largest, equally large ones by their first customer; empty ones are dropped."""
    found = assign(model, profiles)
    counts = found.loc[found["segment"] <= model.k, "segment"].value_counts().to_dict()
    first = found.groupby("segment")["customer_id"].min()
    order = sorted(counts, key=lambda s: (-counts[s], str(first[s]))) or [1]
    p = model.prototypes
    new = {old - 1: place for place, old in enumerate(order)}
    kept = np.flatnonzero([g in new for g in p.group])
    kept = kept[np.argsort([new[p.group[i]] for i in kept], kind="stable")]
    group = np.array([new[p.group[i]] for i in kept])
    p = replace(p, linear=p.linear[:, kept], square=p.square[:, kept], constant=p.constant[kept], group=group)
    model = replace(model, prototypes=p)
    return replace(model, segments=assign(model, profiles))
