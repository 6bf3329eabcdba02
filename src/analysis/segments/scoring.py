"""The groups of a saved segmentation as expressions: for bases too large for pandas, on DuckDB or Spark.

The same numbers as :func:`analysis.segments.assign` gives in pandas, column by column: first what is known of each
customer, then its score with each prototype, then the group with the highest score.
"""

from functools import reduce
from operator import add

import narwhals as nw
import numpy as np

from analysis.errors import require_columns
from analysis.evidence import OF_BUYERS
from analysis.segments.features import OTHER, Feature


def columns_of(model) -> list[str]:
    """Names of the columns over which prototypes score, feature by feature."""
    latent = model.method == "latent classes"
    names = []
    for feature in model.features.features:
        if feature.kind == "number":
            names += [f"{feature.name} known", feature.name, f"{feature.name} squared"] if latent else [feature.name]
        elif feature.kind == "category":
            names += [f"{feature.name} {level}" for level in feature.levels]
        else:
            names += [f"{feature.name} {value}" for value in _values(feature)]
    return names


def assigned(model, profiles: nw.LazyFrame) -> nw.LazyFrame:
    """customer_id, segment, segment_name and fit of each customer, lazily."""
    schema = profiles.collect_schema()
    require_columns("profiles", schema, ["customer_id", *model.features.columns])
    reads = {f"v{i}": e for i, e in enumerate(_values_read(model, schema))}
    frame = _with(profiles, _of_buyers(model, schema))
    frame = frame.with_columns(known_=_anything_known(model), apart_=_is_apart(model))
    frame = _with(_with(frame, _totals(model)), reads)
    names = list(reads)
    p = model.prototypes
    if p.axes is not None:
        laid = {f"y{j}": _weighted(names, p.axes[:, j]) for j in range(p.axes.shape[1])}
        frame, names = frame.with_columns(**laid), list(laid)
    scores = {f"p{i}": _score(names, p.linear[:, i], p.square[:, i], p.constant[i]) for i in range(len(p.group))}
    frame = frame.with_columns(**scores)
    groups = {g: [f"p{i}" for i in np.flatnonzero(p.group == g)] for g in range(model.k)}
    best = {f"s{g}": nw.max_horizontal(*of) if len(of) > 1 else nw.col(of[0]) for g, of in groups.items()}
    frame = frame.with_columns(**best)
    frame = frame.with_columns(best_=nw.max_horizontal(*best) if len(best) > 1 else nw.col("s0"))
    frame = frame.with_columns(segment=_segment(model), **_second(model))
    found = frame.select("customer_id", "segment", fit=_fit(model))
    return found.with_columns(segment_name=_name(model)).select("customer_id", "segment", "segment_name", "fit")


def _with(frame: nw.LazyFrame, columns: dict[str, nw.Expr]) -> nw.LazyFrame:
    return frame.with_columns(**columns) if columns else frame


def _of_buyers(model, schema) -> dict[str, nw.Expr]:
    """What is nothing for lack of a purchase is not known."""
    if "n_orders" not in schema:
        return {}
    needed = [f.name for f in model.features.features if f.kind != "shares" and f.name in OF_BUYERS]
    return {c: nw.when(nw.col("n_orders") > 0).then(nw.col(c)) for c in needed}


def _values(feature: Feature) -> list[str]:
    """Columns of shares; of a single one its own and what is left."""
    return [*feature.columns, f"not {feature.name}"] if len(feature.columns) == 1 else list(feature.columns)


def _number(column: str) -> nw.Expr:
    """A number, or nothing where it is not known, also where that was written as not a number."""
    x = nw.col(column).cast(nw.Float64)
    return nw.when(~x.is_nan()).then(x)


def _text(column: str, schema) -> nw.Expr:
    if schema[column] == nw.Boolean:
        return nw.when(nw.col(column)).then(nw.lit("True")).otherwise(nw.when(~nw.col(column)).then(nw.lit("False")))
    return nw.col(column).cast(nw.String)


def _total(feature: Feature) -> nw.Expr:
    """Sum of the shares where they rest on something, else nothing."""
    total = nw.lit(1.0) if len(feature.columns) == 1 else reduce(add, (_number(c) for c in feature.columns))
    known = (_number(feature.rests_on) > 0) & (total > 0) & ~_number(feature.columns[0]).is_null()
    return nw.when(known).then(total)


def _totals(model) -> dict[str, nw.Expr]:
    shares = [f for f in model.features.features if f.kind == "shares"]
    found = {}
    for i, feature in enumerate(shares):
        n = _number(feature.rests_on)
        counted = n / (nw.max_horizontal(n - 1, nw.lit(0.0)) * feature.alike + 1)
        found |= {f"total{i}_": _total(feature), f"counted{i}_": counted}
    return found


def _anything_known(model) -> nw.Expr:
    parts = []
    for feature in model.features.features:
        if feature.kind == "shares":
            parts.append(~_total(feature).is_null())
        else:
            value = _number(feature.name) if feature.kind == "number" else nw.col(feature.name)
            parts.append(~value.is_null())
    return reduce(lambda a, b: a | b, parts) if parts else nw.lit(True)


def _is_apart(model) -> nw.Expr:
    if not model.apart:
        return nw.lit(False)
    is_it = nw.col("kind") == model.apart
    return nw.when(is_it.is_null()).then(nw.lit(False)).otherwise(is_it)


def _values_read(model, schema) -> list[nw.Expr]:
    """What is known of each customer, in the order of :func:`columns_of`."""
    latent, found, shares = model.method == "latent classes", [], 0
    for feature in model.features.features:
        if feature.kind == "number":
            x = _standardised(feature)
            filled = nw.when(x.is_null()).then(nw.lit(0.0)).otherwise(x)
            known = nw.when(x.is_null()).then(nw.lit(0.0)).otherwise(nw.lit(1.0))
            found += [known, filled, filled * filled] if latent else [filled]
        elif feature.kind == "category":
            found += _levels_read(feature, schema, latent)
        else:
            found += _shares_read(feature, shares, latent)
            shares += 1
    return found


def _standardised(feature: Feature) -> nw.Expr:
    x = _number(feature.name)
    if feature.unit:
        x = (nw.when(x < 0).then(nw.lit(0.0)).otherwise(x) / feature.unit + 1).log()
    pulled = nw.when(x < feature.low).then(nw.lit(feature.low)).when(x > feature.high).then(nw.lit(feature.high))
    return (pulled.otherwise(x) - feature.centre[0]) / feature.spread


def _levels_read(feature: Feature, schema, latent: bool) -> list[nw.Expr]:
    text = _text(feature.name, schema)
    named = [level for level in feature.levels if level != OTHER]
    rest = ~text.is_in(named) & ~text.is_null()
    found = []
    for level, share in zip(feature.levels, feature.centre, strict=True):
        has = (text == OTHER) | rest if level == OTHER else text == level
        yes, no = (1.0, 0.0) if latent else ((1 - share) / feature.spread, -share / feature.spread)
        nothing = nw.when(text.is_null()).then(nw.lit(0.0))
        found.append(nothing.when(has).then(nw.lit(yes)).otherwise(nw.lit(no)))
    return found


def _shares_read(feature: Feature, number: int, latent: bool) -> list[nw.Expr]:
    total, counted = nw.col(f"total{number}_"), nw.col(f"counted{number}_")
    shares = [_number(c) / total for c in feature.columns]
    if len(shares) == 1:
        shares.append(1 - shares[0])
    found = []
    for share, mean in zip(shares, feature.centre, strict=True):
        value = share * counted if latent else (share - mean) * counted * (feature.alike / feature.spread)
        found.append(nw.when(total.is_null()).then(nw.lit(0.0)).otherwise(value))
    return found


def _weighted(names: list[str], weights: np.ndarray) -> nw.Expr:
    terms = [nw.col(name) * float(w) for name, w in zip(names, weights, strict=True) if w != 0]
    return reduce(add, terms) if terms else nw.lit(0.0)


def _score(names: list[str], linear: np.ndarray, square: np.ndarray, constant: float) -> nw.Expr:
    squares = [nw.col(n) * nw.col(n) * float(w) for n, w in zip(names, square, strict=True) if w != 0]
    return reduce(add, squares, _weighted(names, linear)) + float(constant)


def _segment(model) -> nw.Expr:
    """The first group with the highest score; those apart and those of whom nothing is known after all groups."""
    chosen = nw.when(nw.col("apart_")).then(nw.lit(model.k + 1))
    if model.strangers:
        chosen = chosen.when(~nw.col("known_")).then(nw.lit(model.k + 1 + bool(model.apart)))
    for g in range(model.k - 1):
        chosen = chosen.when(nw.col(f"s{g}") == nw.col("best_")).then(nw.lit(g + 1))
    return chosen.otherwise(nw.lit(model.k)).cast(nw.Int64)


def _second(model) -> dict[str, nw.Expr]:
    """The next best score."""
    if model.k == 1:
        return {}
    scores, below = [nw.col(f"s{g}") for g in range(model.k)], []
    for g, score in enumerate(scores):
        earlier = reduce(lambda a, b: a & b, [nw.col(f"s{j}") < nw.col("best_") for j in range(g)], nw.lit(True))
        is_best = (score == nw.col("best_")) & earlier
        below.append(nw.when(~is_best).then(score).otherwise(nw.lit(-1e300)))
    return {"next_": nw.max_horizontal(*below)}


def _fit(model) -> nw.Expr:
    told = nw.col("known_") & ~nw.col("apart_")
    if model.k == 1:
        return nw.when(nw.lit(False)).then(nw.lit(0.0))
    if model.prototypes.chances:
        return nw.when(told).then((1 - (nw.col("next_") - nw.col("best_")).exp()).round(6))
    own, other = (nw.when(nw.col(c) > 0).then(nw.lit(0.0)).otherwise(-nw.col(c)).sqrt() for c in ("best_", "next_"))
    nearer = nw.when(other > 0).then(1 - own / nw.when(other > 0).then(other)).otherwise(nw.lit(0.0))
    return nw.when(told).then(nearer.round(6))


def _name(model) -> nw.Expr:
    if not model.names:
        return nw.lit("")
    first, *others = sorted(model.names.items())
    named = nw.when(nw.col("segment") == first[0]).then(nw.lit(first[1]))
    for segment, name in others:
        named = named.when(nw.col("segment") == segment).then(nw.lit(name))
    return named.otherwise(nw.lit(""))
