"""What groups of customers are formed by: numbers, categories and shares of the profiles, made comparable.

`features` takes profiles and says which columns can tell customers apart and how each is read: skewed amounts by their
logarithm, outermost hundredths pulled in, categories by their levels, shares by how many purchases they rest on. What
is not known stays not known. The definitions are fixed once, so that next month's customers are measured alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from analysis.errors import Problem, did_you_mean, require_columns
from analysis.evidence import in_words, of_buyers, percent
from analysis.phrases import phrase
from analysis.schema import BOUGHT, FAMILIES, SCORE, THROUGH, profile_column

#: Which columns a family is judged by. Of several in one place the first that there is, as they say the same. How much,
#: how often and how lately is "behavioural"; what, through which channel and at which price is "preference".
BY_FAMILY: dict[str, tuple[tuple[str, ...], ...]] = {
    "demographic": (
        ("age",), ("gender",), ("marital_status",), ("education",), ("occupation",), ("income",), ("household_size",),
    ),
    "geographic": (("city", "region", "country"),),
    "firmographic": (("industry",), ("employees", "size_band"), ("annual_revenue", "revenue_band")),
    "psychographic": (("price_sensitivity",), ("quality_over_price",), ("brand_loyalty",)),
    "behavioural": (
        ("recency_days",), ("n_order_days", "n_orders"), ("mean_order_value", "total_spend"), ("n_deals",),
        ("won_deals",), ("won_value",),
    ),
    "engagement": (("n_touchpoints",), ("contact_channel",), ("opens",), ("clicks",)),
    "preference": (),
}  # fmt: skip

#: Shares that belong together and the count that they rest on.
SHARES = {BOUGHT: ("n_lines", "what they buy"), THROUGH: ("n_orders", "channels they buy through")}

#: Who they are and what they take tells apart kinds of customers; how much and how lately is told by the scores. Where
#: a base knows neither, how they buy; where it knows no purchase, whatever is recorded of customers.
USUAL = (("demographic", "preference"), ("behavioural",), ("engagement",), ("demographic", "firmographic", "own"))

#: A category with more levels than this tells apart single customers, not kinds of them.
MOST_LEVELS = 30
#: Credit notes can push these below nothing; a customer then counts as having spent nothing.
AMOUNTS = ("total_spend", "mean_order_value", "won_value")
LEAST_LEVEL = 0.01  # rarer levels are put together: a centre that rests on a handful of customers is an anecdote
MOST_MISSING = 2 / 3  # a column more often missing than this would divide those of whom it is known, and leave the rest
SKEWED = 1.0  # |skewness| above 1 is called highly skewed (Bulmer 1979, Principles of Statistics)
SAME = 0.95  # two columns this correlated count the same thing twice
OTHER = "other"


@dataclass(frozen=True)
class Feature:
    """One thing that groups are formed by, and how it is read from a profile.

    Attributes
    ----------
    name : str
        As it is said in sentences; for a number or a category the column's own.
    kind : {"number", "category", "shares"}
    columns : tuple of str
        Its columns of the profiles: one, or one per share.
    levels : tuple of str
        Of a category, the commonest first; "other" for the rest where there is a rest.
    unit : float
        Of a skewed number: it is read as log(1 + x / unit). 0 for a number that is read as it is.
    low, high : float
        Values of a number outside are pulled in to these, after the logarithm.
    centre, spread : tuple of float
        Mean and standard deviation of a number; of categories and shares the mean of each level, and the one standard
        deviation of the whole along its first principal axis (Escofier and Pagès 1994, multiple factor analysis).
    rests_on : str
        Column that counts the purchases on which shares rest.
    alike : float
        How alike two purchases of one customer are beside two of different customers of a group: with 0 each purchase
        counts in full, with 1 only the first. The intraclass correlation of the Dirichlet-multinomial.
    """

    name: str
    kind: Literal["number", "category", "shares"]
    columns: tuple[str, ...]
    levels: tuple[str, ...] = ()
    unit: float = 0.0
    low: float = -np.inf
    high: float = np.inf
    centre: tuple[float, ...] = (0.0,)
    spread: float = 1.0
    rests_on: str = ""
    alike: float = 0.0


@dataclass(frozen=True)
class Features:
    """What groups are formed by, and what was left out.

    Attributes
    ----------
    features : tuple of Feature
    notes : tuple of str
        In sentences: which families, what is left out and why, how often a value is missing.
    """

    features: tuple[Feature, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)

    @property
    def numbers_only(self) -> bool:
        return all(f.kind == "number" for f in self.features)

    @property
    def columns(self) -> list[str]:
        """The columns of the profiles that are needed."""
        columns = [c for f in self.features for c in (*f.columns, *([f.rests_on] if f.rests_on else []))]
        return list(dict.fromkeys(columns))


def features(profiles: pd.DataFrame, families: Sequence[str] = ()) -> Features:
    """What groups can be formed by, in chosen families of the profiles.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        With ``customer_id`` and any columns of `schema.PROFILE_COLUMNS`; those it lacks are left out.
    families : sequence of str
        Of "demographic", "geographic", "firmographic", "psychographic", "behavioural", "preference", "engagement",
        "own", or names of single columns. Left out: demographic and preference where the base has them, which tells
        kinds of customers apart; else how much and how lately they buy; else whatever is recorded.

    Returns
    -------
    Features

    Raises
    ------
    Problem
        There is no such family or column.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(6), "age": [20, 30, 40, 50, 60, None], "city": list("aabbab")})
    >>> found = features(profiles, ["demographic", "geographic"])
    >>> [(f.name, f.kind) for f in found.features]
    [('age', 'number'), ('city', 'category')]
    """
    require_columns("profiles", profiles.columns, ["customer_id"])
    profiles = of_buyers(profiles.sort_values("customer_id"))
    profiles = profiles[~is_apart(profiles)]  # what tells the others apart may be the same for all of them
    if profiles.empty:
        return Features((), (phrase("There are no customers to form groups of."),))
    if families:
        return _of_families(profiles, families)
    tried = [_of_families(profiles, usual) for usual in USUAL]
    return next((found for found in tried if len(found) >= 2), max(tried, key=len))


def kind_apart(profiles: pd.DataFrame) -> str:
    """The rarer of persons and companies where there are both: they are known by other things."""
    if "kind" not in profiles:
        return ""
    counts = profiles["kind"].dropna().value_counts()
    return str(counts.index[-1]) if len(counts) == 2 else ""


def is_apart(profiles: pd.DataFrame, apart: str | None = None) -> np.ndarray:
    """Whether each customer is of the kind that is a group of its own; shape (customers,), bool."""
    apart = kind_apart(profiles) if apart is None else apart
    return (profiles["kind"] == apart).to_numpy(dtype=bool) if apart else np.zeros(len(profiles), dtype=bool)


def _of_families(profiles: pd.DataFrame, families: Sequence[str]) -> Features:
    notes, found = [], []
    for column in _columns(profiles, families):
        made = _shares(profiles, column) if column in SHARES else _feature(profiles, column)
        if isinstance(made, Feature):
            found.append(made)
        else:
            notes.append(made)
    found, twins = _without_twins(profiles, found)
    by = phrase(", ").join(in_words(f.name) for f in found)
    told = phrase("Formed by: {features}.", features=by) if by else phrase("Formed by: nothing.")
    return Features(tuple(found), (told, *_missing_in_words(profiles, found), *notes, *twins))


def _columns(profiles: pd.DataFrame, families: Sequence[str]) -> list[str]:
    """The columns of the families; for shares the beginning of their names."""
    columns = []
    for family in families:
        if family not in (*FAMILIES, "preference") and family not in profiles:
            known = [*BY_FAMILY, "own"]
            meant = did_you_mean(family, [*known, *profiles.columns])
            raise Problem(f'There is no family or column "{family}".{meant} Families are: {", ".join(known)}.')
        columns += [c for same in BY_FAMILY.get(family, ()) for c in [c for c in same if c in profiles][:1]]
        if family == "preference":
            columns += [p for p in SHARES if any(c.startswith(p) for c in profiles)]
            columns += ["discounted_share"] if "discounted_share" in profiles else []
        elif family == "psychographic":
            columns += [c for c in profiles if c.startswith(SCORE)]
        elif family == "own":
            columns += [c for c in profiles.columns.drop("customer_id") if profile_column(c).family == "own"]
        elif family in profiles:
            columns.append(family)
    return list(dict.fromkeys(columns))


def _feature(profiles: pd.DataFrame, column: str) -> Feature | str:
    """A number or a category as a feature, or why it is none."""
    values, said = profiles[column], in_words(column)
    missing = values.isna().mean()
    if missing > MOST_MISSING:
        return phrase(
            "Left out: {feature}, not known of {share} of the customers.", feature=said, share=percent(missing)
        )
    if column == "discounted_share" and "n_orders" in profiles:
        return _alike(profiles, Feature(column, "shares", (column,), rests_on="n_orders"))
    if pd.api.types.is_bool_dtype(values.dropna().infer_objects()) or not pd.api.types.is_numeric_dtype(values):
        return _category(values, column)
    return _number(values.astype(float), column)


def _number(values: pd.Series, column: str) -> Feature | str:
    known = values[np.isfinite(values)].to_numpy()
    if column in (
        "total_spend",
        "won_value",
    ):  # credit notes can push these below nothing: a customer who spent nothing
        known = np.maximum(known, 0)
    if np.ptp(known) < 1e-9:
        return phrase("Left out: {feature}, the same for everybody.", feature=in_words(column))
    unit = 0.0
    if known.min() >= 0 and abs(((known - known.mean()) ** 3).mean()) > SKEWED * known.std() ** 3:
        unit = float(np.quantile(known[known > 0], 0.1))
    read = np.log1p(known / unit) if unit else known
    low, high = np.quantile(read, [0.01, 0.99])
    if high - low < 1e-9:
        return phrase("Left out: {feature}, nearly the same for everybody.", feature=in_words(column))
    read = np.sort(np.clip(read, low, high))  # in order of value: the same sums whatever the order of rows
    numbers = (unit, float(low), float(high), float(read.mean()), float(read.std()))
    unit, low, high, mean, deviation = (float(f"{n:.9g}") for n in numbers)
    return Feature(column, "number", (column,), unit=unit, low=low, high=high, centre=(mean,), spread=deviation)


def _category(values: pd.Series, column: str) -> Feature | str:
    known = values.dropna()
    if known.map(lambda v: isinstance(v, list | tuple | np.ndarray)).any():
        return phrase("Left out: {feature}, a list.", feature=in_words(column))
    if isinstance(known.iloc[0] if len(known) else None, pd.Timestamp):
        return phrase("Left out: {feature}, a date.", feature=in_words(column))
    counts = known.astype(str).value_counts()
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    if len(counts) < 2:
        return phrase("Left out: {feature}, the same for everybody of whom it is known.", feature=in_words(column))
    common = counts[counts >= LEAST_LEVEL * counts.sum()]
    if len(common) > MOST_LEVELS or len(common) < 2:
        return phrase(
            "Left out: {feature}, as nearly everybody has their own ({n:,} values).",
            **{"feature": in_words(column), "n": len(counts)},
        )
    shares = common / counts.sum()
    if len(common) < len(counts):
        shares[OTHER] = shares.get(OTHER, 0.0) + 1 - shares.sum()
    made = Feature(column, "category", (column,), levels=tuple(shares.index), centre=_rounded(shares))
    return replace(made, spread=_first_axis(indicators(values, made) - shares.to_numpy()))


def _shares(profiles: pd.DataFrame, prefix: str) -> Feature | str:
    """Shares that belong together as one feature, or why they are none."""
    rests_on, name = SHARES[prefix]
    columns = [c for c in profiles if c.startswith(prefix)]
    if rests_on not in profiles or len(columns) < 2:
        return phrase("Left out: {feature}, as there is no more than one.", feature=in_words(name))
    return _alike(profiles, Feature(name, "shares", tuple(columns), rests_on=rests_on))


def _alike(profiles: pd.DataFrame, made: Feature) -> Feature | str:
    """Shares with their means, and how alike the purchases of one customer are, all customers being one group."""
    shares, counts = shares_of(profiles, made)
    n = np.where(np.isnan(shares[:, 0]), 0.0, counts)
    if n.sum() == 0:
        return phrase("Left out: {feature}, as nobody has bought.", feature=in_words(made.name))
    means = _exact(shares * n[:, None]) / n.sum()
    if (means * (1 - means)).sum() < 1e-9:
        return phrase("Left out: {feature}, the same for everybody.", feature=in_words(made.name))
    made = replace(made, centre=_rounded(means), alike=alike(shares, n, np.ones((len(n), 1)), means[None, :]))
    return replace(made, spread=_first_axis(shrunken(profiles, made)))


def alike(shares: np.ndarray, n: np.ndarray, weights: np.ndarray, means: np.ndarray) -> float:
    """How alike two purchases of one customer are, beside two of different customers of one group.

    Parameters
    ----------
    shares : array of float64, shape (customers, values); n : array, shape (customers,), purchases, 0 where unknown
    weights : array, shape (customers, groups), how much each customer belongs to each group
    means : array, shape (groups, values)

    Notes
    -----
    From the excess of the squared distances over those of a multinomial, whose mean is ``h = Σ p (1 - p)`` a purchase:
    ``n d² = h (1 + (n - 1) ρ)``, the Dirichlet-multinomial (Mosimann 1962, Biometrika 49:65), pooled over groups.
    """
    known = n > 0
    s, n, weights = np.nan_to_num(shares[known]), n[known], weights[known]
    spread = (means * (1 - means)).sum(axis=1)
    distance = (s**2).sum(axis=1)[:, None] - 2 * s @ means.T + (means**2).sum(axis=1)
    above = np.sort((weights * (n[:, None] * distance - spread)).sum(axis=1)).sum()
    most = np.sort((weights * (n[:, None] - 1) * spread).sum(axis=1)).sum()
    return round(float(np.clip(above / most, 0.001, 0.9)), 4) if most > 0 else 0.5


def indicators(values: pd.Series, feature: Feature) -> np.ndarray:
    """1 in the column of the level that a customer has; nothing where it is not known. Shape (customers, levels)."""
    place = {level: i for i, level in enumerate(feature.levels)}
    known = values.notna().to_numpy()
    text = values.astype(object).where(known, None).astype(str)
    codes = text.map(place).where(known).fillna(place.get(OTHER, -1)).to_numpy(dtype=int, copy=True)
    codes[~known] = -1
    has = np.zeros((len(values), len(feature.levels)))
    has[np.arange(len(values))[codes >= 0], codes[codes >= 0]] = 1.0
    return has


def standardised(values: pd.Series, feature: Feature) -> np.ndarray:
    """A number as it is read: logarithm, pulled in, mean 0 and deviation 1; NaN where it is not known."""
    x = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    if feature.unit:
        x = np.log1p(np.maximum(x, 0) / feature.unit)
    return (np.clip(x, feature.low, feature.high) - feature.centre[0]) / feature.spread


def shares_of(profiles: pd.DataFrame, feature: Feature) -> tuple[np.ndarray, np.ndarray]:
    """Shares that add up to 1, shape (customers, values), NaN where unknown; and the purchases that they rest on."""
    shares = profiles[list(feature.columns)].to_numpy(dtype=float, na_value=np.nan)
    if shares.shape[1] == 1:  # with a discount, and without
        shares = np.hstack([shares, 1 - shares])
    n = pd.to_numeric(profiles[feature.rests_on]).to_numpy(dtype=float, na_value=np.nan)
    total = shares.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where((total > 0) & (n[:, None] > 0), shares / total, np.nan)
    return shares, np.nan_to_num(n)


def counted(n: np.ndarray, alike: float) -> np.ndarray:
    """For how many independent purchases the purchases of one customer count (design effect, Kish 1965)."""
    return n / (1 + np.maximum(n - 1, 0) * alike)


def shrunken(profiles: pd.DataFrame, feature: Feature) -> np.ndarray:
    """Shares as deviations from the mean, the nearer to it the fewer purchases they rest on; 0 where unknown."""
    shares, n = shares_of(profiles, feature)
    return np.nan_to_num(shares - np.array(feature.centre)) * (counted(n, feature.alike) * feature.alike)[:, None]


def _without_twins(profiles: pd.DataFrame, found: list[Feature]) -> tuple[list[Feature], list[str]]:
    """Of two numbers that say the same, the first."""
    kept, notes = [], []
    for feature in found:
        x = standardised(profiles[feature.columns[0]], feature) if feature.kind == "number" else None
        twin = next((f for f, other in kept if x is not None and other is not None and _same(x, other)), None)
        if twin is None:
            kept.append((feature, x))
        else:
            notes.append(
                phrase(
                    "Left out: {feature}, which says the same as {twin}.",
                    **{"feature": in_words(feature.name), "twin": in_words(twin.name)},
                )
            )
    return [feature for feature, _ in kept], notes


def _same(x: np.ndarray, other: np.ndarray) -> bool:
    both = ~np.isnan(x) & ~np.isnan(other)
    if both.sum() < 3 or x[both].std() == 0 or other[both].std() == 0:
        return False
    return abs(np.corrcoef(x[both], other[both])[0, 1]) > SAME


def _missing_in_words(profiles: pd.DataFrame, found: list[Feature]) -> list[str]:
    """How often each feature is not known."""
    missing = {}
    for feature in found:
        share = profiles[feature.columns[0]].isna().mean()
        if share > 0:
            missing.setdefault(percent(share), []).append(in_words(feature.name))
    listed = phrase("; ").join(
        phrase("{features} of {share}", features=phrase(", ").join(names), share=share)
        for share, names in missing.items()
    )
    if not listed:
        return []
    return [phrase("Not known: {features} of the customers; a customer is placed by what is known.", features=listed)]


def _first_axis(x: np.ndarray) -> float:
    """Standard deviation along the first principal axis."""
    x = x - x.mean(axis=0)
    largest = np.linalg.eigvalsh(x.T @ x / len(x))[-1]
    return float(f"{np.sqrt(max(largest, 1e-12)):.6g}")


def _exact(x: np.ndarray) -> np.ndarray:
    """Sums of columns, in order of value: the same whatever the order of rows."""
    return np.nansum(np.sort(x, axis=0), axis=0)


def _rounded(values) -> tuple[float, ...]:
    return tuple(float(v) for v in np.round(values, 9))
