"""What changed since the previous run, and is a persona due for a refresh?

`drift` takes the personas of two runs: which of today's is which of the previous ones, how their sizes and traits
changed, who moved. `refresh` takes the personas of today and what their customers did in the last quarter and in those
of the year before: a profile of three years hides what changed a month ago. An alarm needs a change that is real beyond
sampling noise, large enough to matter, and neither a season nor the mere passing of time.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from analysis import evidence, schema
from analysis.errors import Problem, require_columns
from analysis.evidence import in_words, percent, percent_range, short
from analysis.known_again import deltas, matched, profiles_of
from analysis.segments.movement import movement
from analysis.vocabulary import topic

#: Chance that anything at all is called a change where nothing changed.
ALPHA = 0.05

#: Fewer customers of a persona in any of the stretches of time are no ground for a verdict about a trait.
FEWEST = 20

#: The season is the same when a year has passed.
DAYS_OF_A_YEAR = 365

#: What is said of a persona whose card still holds.
_NOTHING = "nothing changed beyond chance and by enough to matter"

#: The name under which a persona's share of the customers stands among the traits.
SIZE = "size"

#: Units whose numbers rise with prices, and those that rise by the mere passing of time while one looks back to the
#: beginning. A customer's place among all customers of the same day does not.
_PRICES = {"currency"}
_GROWING = {"days", "years", "orders", "lines", "categories", "contacts", "messages", "campaigns", "deals", "bits"}

#: Levels that change with the calendar or with prices; the number itself is compared.
_BANDS_THAT_MOVE = ("age_band", "revenue_band")

#: What the business sends is its own doing; the rest is said by the shares of purchases or by the number of lines.
_NOT_JUDGED_WITHIN = (
    *("opens", "clicks", "campaigns_received", "campaigns_answered"),
    *("used_channel", "used_channel_share", "payment_certainty", "contact_channel_share", "discount_share"),
    *("n_order_days", "n_categories", "top_category", "top_category_share", "category_entropy"),
)

_TESTED = (
    *("persona", "trait", "level", "kind", "n_before", "before", "n", "value", "change", "difference", "low", "high"),
    *("p", "p_corrected", "effect", "smallest", "year_ago", "p_year", "changed"),
)
_PERSONAS = ("persona", "was", "name", "state", "n_before", "n", "share_before", "share", "change", "due", "reason")
_MOVES = ("source", "target", "n", "of", "share", "low", "high", "one_way")


class Known(NamedTuple):
    """The personas of a run, as far as they are needed to say what changed.

    Attributes
    ----------
    personas : DataFrame, with ``persona`` (int) and ``name``
    traits : DataFrame, as ``persona_traits``
    customers : DataFrame, one row per customer: ``customer_id``, ``persona`` and profile columns
    """

    personas: pd.DataFrame
    traits: pd.DataFrame
    customers: pd.DataFrame


class Drift(NamedTuple):
    """What changed, and which personas are due for a refresh.

    Attributes
    ----------
    personas : DataFrame, one row per persona of today, then those that vanished
        persona : today's number, missing for one that vanished; was : its number then, missing for a new one.
        name : str; state : "known again", "new" or "vanished".
        n_before, n : customers; share_before, share, change : of all customers who were looked at.
        due : bool; reason : str, a sentence.
    traits : DataFrame, one row per persona, trait and level
        persona, trait, level; trait "size" is the persona's share of the customers. kind : "number" or "share".
        n_before, before, n, value : rows, and mean or share, before and now; change : the one less the other.
        difference : float, of a share the change, of a number the change of its Cliff's delta against everybody, with
        low, high : its interval, so wide that all of the table hold together; p, p_corrected (Holm, all of the table).
        effect : Cohen's h of a share, the difference of a number, as in :func:`analysis.evidence.compare`.
        smallest : the smallest effect against any stretch of the time before; 0 where they do not all point one way.
        year_ago, p_year : the value a year before, and p against it, corrected over those that changed; missing where
        it was not asked for.
        changed : bool, real, large enough, and not a season.
    moves : DataFrame
        source, target : names, "(new)", "(gone)"; n, of, share, low, high : customers of the source who went there,
        with a 95 % interval; one_way : clearly more go than come back. Empty for :func:`refresh`, which follows the
        same customers.
    words : list of str
    due : bool, whether any persona is due
    """

    personas: pd.DataFrame
    traits: pd.DataFrame
    moves: pd.DataFrame
    words: list[str]
    due: bool


def drift(before, after) -> Drift:
    """What changed between two runs: which personas, their sizes, their traits, and who moved.

    Parameters
    ----------
    before, after : Personas, or :class:`Known` as from :func:`read`
        With the tables `personas`, `traits` and `customers`.

    Returns
    -------
    Drift

    Raises
    ------
    Problem
        A column is missing, or no customer is in both runs.

    Notes
    -----
    A persona is known again by what sets it apart from everybody of its day, so its number and size may change. The
    test is that of :func:`refresh`; as the profiles of two runs share most of their past, a change that shows here has
    been going on for long, and `refresh` sees it earlier. Amounts and whatever grows as time passes (age, days since,
    orders since the beginning) are compared by a customer's place among all customers of the same day.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": range(80), "persona": [1, 2] * 40, "weekend_share": [0.1, 0.8] * 40})
    >>> traits = evidence.compare(customers, "persona").rename(columns={"group": "persona"})
    >>> before = Known(pd.DataFrame({"persona": [1, 2], "name": ["Workers", "Families"]}), traits, customers)
    >>> drift(before, before).words
    ['No persona is due for a refresh: all 2 are known again, and nothing that was measured changed beyond chance and \
by enough to matter.']
    """
    for where, known in (("before", before), ("after", after)):
        require_columns(f"{where}.customers", known.customers.columns, ["customer_id", "persona"])
        require_columns(f"{where}.personas", known.personas.columns, ["persona", "name"])
    was = _known_again(before, after)
    rows = _rows_of_runs(before.customers, after.customers, was)
    tested = _tested(rows, _columns_of_runs(before.customers, after.customers), _PRICES | _GROWING)
    tested["changed"] = _real(tested) & (tested["effect"].abs() >= evidence.SMALL_EFFECT)
    names = _names(after.personas)
    gone = {one: name for one, name in _names(before.personas).items() if one not in was.values()}
    table = pd.concat([_now(tested, names, was, "the run before"), _vanished(before.customers, gone)])
    table = table.reset_index(drop=True)
    return Drift(table, tested, _moves(before, after, was), _in_words(table, tested), bool(table["due"].any()))


def refresh(windows: pd.DataFrame, made) -> Drift:
    """Has what a persona's customers do changed in the last quarter, so that the persona is due for a refresh?

    Parameters
    ----------
    windows : DataFrame, as from :func:`analysis.profiles.windows`
        What each customer did in the latest stretch of time (`window` 0) and in those of the year before.
    made : Personas, or :class:`Known`
        The personas of today and the customers of each.

    Returns
    -------
    Drift
        Its shares are among the customers who were active in the latest window, and in those before.

    Raises
    ------
    Problem
        A column is missing.

    Notes
    -----
    The latest window is held against all windows of the year before, in three steps.

    *Real.* The difference of two means in which most customers of one side stand on the other side, too, some of them
    several times: each customer's part in the difference is added up first, and the spread of these parts gives the
    error (linearisation with customers as clusters, Cochran 1977, Sampling Techniques, 3rd ed., section 6.3; for two
    samples it is the comparison of partly paired samples). Numbers are read as places among all customers, from -1 to
    1, so that the difference is a change of Cliff's delta (1993, Psychological Bulletin 114:494) and no single large
    order decides it. The test takes deviations from the common mean, as a z test of shares takes the pooled share;
    Student's t with as many degrees of freedom as the smaller side has customers, less one; corrected after Holm over
    all traits and personas.

    *Large enough.* The effect is at least 0.2 against each window of the year before: outside of what quarters
    usually are by more than a small effect, whatever the number of customers.

    *No season.* It differs from the same time a year before as well: tested again, corrected over what was found in
    the first step. A base too short for that gives no alarm, and says so.

    Only those who were active are compared with those who were: who drops out of sight leaves the persona smaller, not
    different. Amounts are compared by place among everybody's of the same window: prices rise for all.

    Examples
    --------
    >>> who = pd.DataFrame({"customer_id": range(60), "persona": [1, 2] * 30})
    >>> at = [who["customer_id"] % 7 / 10 for window in range(5)]
    >>> parts = [who.assign(window=w, ends=pd.Timestamp(2026 - w, 3, 20), through_app=at[w]) for w in range(5)]
    >>> parts[0]["through_app"] += [0.4, 0] * 30
    >>> quarters = pd.concat(parts).drop(columns="persona")
    >>> made = Known(pd.DataFrame({"persona": [1, 2], "name": ["Workers", "Families"]}), pd.DataFrame(), who)
    >>> refresh(quarters, made).personas[["name", "due", "reason"]].values.tolist()
    [['Workers', True, 'share bought by app 69 % now, 29 % in the year before (change 40 to 40 points)'], \
['Families', False, 'nothing changed beyond chance and by enough to matter']]
    """
    require_columns("windows", windows.columns, ["customer_id", "window", "ends"])
    require_columns("customers", made.customers.columns, ["customer_id", "persona"])
    rows = windows.merge(made.customers[["customer_id", "persona"]], on="customer_id")
    rows = rows.sort_values(["customer_id", "window"], ignore_index=True)
    columns = [c for c in windows if c not in {"customer_id", "window", "starts", "ends", *_NOT_JUDGED_WITHIN}]
    tested = _tested(rows, columns, _PRICES)
    found = _real(tested) & (tested["smallest"].abs() >= evidence.SMALL_EFFECT)
    tested["p_year"] = evidence.holm(tested["p_year"].where(found).to_numpy())
    reaches = _reaches_a_year_back(windows)
    tested["changed"] = found & (tested["p_year"] < ALPHA) & reaches
    names = _names(made.personas)
    table = _now(tested, names, {one: one for one in names}, "the year before")
    notes = [] if reaches else _seasons(tested[found], names)
    empty = pd.DataFrame({name: [] for name in _MOVES})
    return Drift(table, tested, empty, _in_words(table, tested) + notes, bool(table["due"].any()))


def read(folder: str | Path) -> Known:
    """The personas of an earlier run, from the folder with its artefacts.

    Parameters
    ----------
    folder : str or Path
        With personas.parquet, persona_traits.parquet, profiles.parquet and segments.parquet.

    Returns
    -------
    Known

    Raises
    ------
    Problem
        The folder lacks one of them.
    """
    tables = {}
    for name in ("personas", "persona_traits", "profiles", "segments"):
        file = Path(folder, f"{name}.parquet")
        if not file.is_file():
            raise Problem(f"There is no {file}. Name the folder data of a run that has made its personas.")
        tables[name] = pd.read_parquet(file)
    members = tables["segments"][["customer_id", "segment"]].rename(columns={"segment": "persona"})
    shown = members[members["persona"].isin(tables["personas"]["persona"])]
    profiles = tables["profiles"].drop(columns="persona", errors="ignore")
    return Known(tables["personas"], tables["persona_traits"], shown.merge(profiles, on="customer_id"))


def distances(traits: pd.DataFrame) -> pd.DataFrame:
    """How far each persona lies from everybody else, as :func:`analysis.known_again.deltas`, from its traits.

    Examples
    --------
    >>> traits = pd.DataFrame({"persona": [1], "trait": "age", "level": "", "effect": [0.4], "difference": [9.0]})
    >>> distances(traits)["age"].to_dict()
    {1: 0.4}
    """
    if traits.empty:
        return pd.DataFrame()
    compared = traits[traits["effect"].notna() & traits["difference"].notna()]
    compared = compared.drop_duplicates(["persona", "trait", "level"])
    return deltas(compared.assign(kind=np.where(compared["level"] == "", "number", "share")), "persona")


def _reaches_a_year_back(windows: pd.DataFrame) -> bool:
    """Whether there is the same time of a year before the latest window."""
    ends = pd.to_datetime(windows["ends"])
    return bool(len(ends)) and (ends.max() - ends.min()).days >= DAYS_OF_A_YEAR


def _names(personas: pd.DataFrame) -> dict[int, str]:
    return dict(zip(personas["persona"].astype(int), personas["name"].astype(str), strict=True))


def _known_again(before, after) -> dict[int, int]:
    """The persona then of each persona now that is known again."""
    then, now = distances(before.traits), distances(after.traits)
    profiles = profiles_of(then)
    earlier = _names(before.personas)
    remembered = [{"profile": profiles.get(one, {}), "found": name} for one, name in earlier.items()]
    found = _names(after.personas)
    places = matched(remembered, found, now)
    return {one: list(earlier)[place] for one, place in zip(found, places, strict=True) if place is not None}


def _columns_of_runs(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    left_out = {"customer_id", "persona", "segment", "segment_name", "fit", *_BANDS_THAT_MOVE}
    return [c for c in after if c in before and c not in left_out]


def _rows_of_runs(before: pd.DataFrame, after: pd.DataFrame, was: Mapping[int, int]) -> pd.DataFrame:
    """One row per customer and run (window 0 is now), under today's number of the persona; -1 if there is none."""
    today = {then: now for now, then in was.items()}
    then = before.assign(window=1, persona=before["persona"].map(today).fillna(-1).astype(int))
    now = after.assign(window=0, persona=after["persona"].where(after["persona"].isin(was), -1).astype(int))
    return pd.concat([now, then], ignore_index=True).sort_values(["customer_id", "window"], ignore_index=True)


def _tested(rows: pd.DataFrame, columns: list[str], beside: set[str]) -> pd.DataFrame:
    """Each persona's size and traits in window 0 against the other windows."""
    personas = np.array(sorted(set(rows["persona"]) - {-1}), dtype=int)
    own = pd.Categorical(rows["persona"], categories=personas).codes.astype(np.int64)
    who = {"customer": pd.factorize(rows["customer_id"])[0], "window": rows["window"].to_numpy(dtype=np.int64)}
    everybody = np.zeros(len(rows), dtype=np.int64)
    found = []
    for place, persona in enumerate(personas):
        figures = _figures(_Read(SIZE, "", "share", *[(own == place).astype(float)] * 2), everybody, **who)
        found.append(figures.assign(persona=persona))
    for read in _read_as_numbers(rows, columns, beside):
        figures = _figures(read, own, **who)
        found.append(figures.assign(persona=personas[figures["place"]]))
    return _corrected(pd.concat(found, ignore_index=True)) if found else pd.DataFrame(columns=list(_TESTED))


class _Read(NamedTuple):
    """A trait or level as numbers, and as what is compared: shares as they are, numbers as places from -1 to 1."""

    trait: str
    level: str
    kind: str
    x: np.ndarray
    compared: np.ndarray


def _read_as_numbers(rows: pd.DataFrame, columns: list[str], beside: set[str]) -> Iterator[_Read]:
    """Every trait and level."""
    window = rows["window"].to_numpy(dtype=np.int64)
    for column in columns:
        kind = evidence.kind_of(rows[column])
        if kind == "number":
            x = rows[column].to_numpy(dtype=float, na_value=np.nan)
            unit = "currency" if column in schema.MONEY else schema.profile_column(column).unit
            if unit == "share":
                yield _Read(column, "", "share", x, x)
            else:
                among = window if unit in beside else np.zeros_like(window)
                yield _Read(column, "", "number", x, _places(x, among))
        elif kind == "share":
            values = evidence.as_text(rows[column])
            for level in _levels(rows[column], values):
                has = np.where(values.isna(), np.nan, (values == level).to_numpy(dtype=float, na_value=np.nan))
                yield _Read(column, level, "share", has, has)


def _levels(column: pd.Series, values: pd.Series) -> list[str]:
    """The commonest levels of a text; of true and false the one."""
    if pd.api.types.is_bool_dtype(column):
        return ["yes"]
    counts = values.dropna().value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return list(counts.index[: evidence.COMMONEST_LEVELS])


def _places(x: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Each number's place among all numbers of its kind: -1 the lowest, 0 the middle, 1 the highest."""
    numbers = pd.Series(x).groupby(among)
    return (2 * (numbers.rank() - 0.5) / numbers.transform("count") - 1).to_numpy()


def _figures(read: _Read, own: np.ndarray, customer: np.ndarray, window: np.ndarray) -> pd.DataFrame:
    """Of each persona of which enough customers are known in every window: means, effects and their errors."""
    known = np.isfinite(read.x) & (own >= 0)
    x, z, own, customer, window = read.x[known], read.compared[known], own[known], customer[known], window[known]
    size, last = int(own.max(initial=-1)) + 1, int(window.max(initial=0))
    n, sum_x, sum_z = (_sums(own, window, v, size, last + 1) for v in (np.ones_like(x), x, z))
    reached = n.sum(axis=0) > 0  # a window that the base does not reach is no empty one
    kept = (n[:, reached] >= FEWEST).all(axis=1) & (reached.sum() > 1) & reached[0]
    n, sum_x, sum_z = n[kept][:, reached], sum_x[kept][:, reached], sum_z[kept][:, reached]
    scale = _arcsine if read.kind == "share" else np.asarray
    n_before = n[:, 1:].sum(axis=1)
    value, before = sum_x[:, 0] / n[:, 0], sum_x[:, 1:].sum(axis=1) / n_before
    now, then, each = sum_z[:, 0] / n[:, 0], sum_z[:, 1:].sum(axis=1) / n_before, sum_z / n
    sides = _errors(z, own, customer, window == 0, window > 0, size).iloc[kept]
    p_year = _errors(z, own, customer, window == 0, window == last, size).iloc[kept]["p"]
    figures = {"place": np.flatnonzero(kept), "n_before": n_before, "before": before, "n": n[:, 0], "value": value}
    figures |= {"change": value - before, "difference": now - then, "effect": scale(now) - scale(then)}
    figures |= {"smallest": _smallest(scale(each[:, [0]]) - scale(each[:, 1:])), "p_year": p_year.to_numpy()}
    figures |= {"year_ago": sum_x[:, -1] / n[:, -1], **{name: sides[name].to_numpy() for name in sides}}
    return pd.DataFrame(figures).assign(trait=read.trait, level=read.level, kind=read.kind)


def _arcsine(share: np.ndarray) -> np.ndarray:
    """A share on the scale of Cohen's h (1988)."""
    return 2 * np.arcsin(np.sqrt(np.clip(share, 0, 1)))


def _sums(own: np.ndarray, window: np.ndarray, values: np.ndarray, size: int, windows: int) -> np.ndarray:
    return np.bincount(own * windows + window, values, size * windows).reshape(size, windows)


def _smallest(against: np.ndarray) -> np.ndarray:
    """The effect nearest to none against any window; none at all where they point both ways."""
    low, high = against.min(axis=1, initial=np.inf), against.max(axis=1, initial=-np.inf)
    return np.where(low > 0, low, np.where(high < 0, high, 0.0))


def _errors(z, own, customer, new, old, size) -> pd.DataFrame:
    """p of the difference of each persona's two means, its standard error and degrees of freedom, one row each."""
    pair, keys = pd.factorize(own * (customer.max(initial=0) + 1) + customer)
    of_pair = keys // (customer.max(initial=0) + 1)
    n = {True: np.bincount(own[new], minlength=size), False: np.bincount(own[old], minlength=size)}
    mean = {side: np.bincount(own[rows], z[rows], size) for side, rows in ((True, new), (False, old))}
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (mean[True] + mean[False]) / (n[True] + n[False])
        mean = {side: mean[side] / n[side] for side in mean}
        errors = [
            _error(z, own, pair, of_pair, ((new, 1 / n[True], here), (old, -1 / n[False], there)), size)
            for here, there in ((pooled, pooled), (mean[True], mean[False]))
        ]
        sides = [np.bincount(of_pair[np.unique(pair[rows])], minlength=size) for rows in (new, old)]
        freedom = np.maximum(np.minimum(*sides) - 1, 1)
        difference = np.abs(mean[True] - mean[False])
        p = 2 * stdtr(freedom, -np.where(difference < 1e-12, 0.0, difference / errors[0]))
    return pd.DataFrame({"p": p, "se": errors[1], "freedom": freedom})


def _error(z, own, pair, of_pair, sides, size) -> np.ndarray:
    """The standard error of a difference of means, from what each customer has a part in it."""
    part = np.zeros(len(z))
    for rows, weight, centre in sides:
        part[rows] = weight[own[rows]] * (z[rows] - centre[own[rows]])
    of_customer = np.bincount(pair, part, len(of_pair))
    customers = np.bincount(of_pair, minlength=size)
    return np.sqrt(np.bincount(of_pair, of_customer**2, size) * customers / (customers - 1))


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """With p corrected over all rows and intervals that hold together."""
    reach = stdtrit(table["freedom"].to_numpy(float), 1 - ALPHA / max(len(table), 1) / 2) * table["se"]
    table = table.assign(low=table["difference"] - reach, high=table["difference"] + reach, changed=False)
    table["p_corrected"] = evidence.holm(table["p"].to_numpy(float))
    table = table.reindex(columns=list(_TESTED)).astype({"n": int, "n_before": int, "persona": int})
    size = table["trait"] != SIZE
    return table.assign(last=size).sort_values(["persona", "last"], kind="stable", ignore_index=True)[list(_TESTED)]


def _real(tested: pd.DataFrame) -> pd.Series:
    return (tested["p_corrected"] < ALPHA) & ((tested["low"] > 0) | (tested["high"] < 0))


def _now(tested: pd.DataFrame, names: Mapping[int, str], was: Mapping[int, int], time: str) -> pd.DataFrame:
    """One row per persona of today."""
    sizes = tested[tested["trait"] == SIZE].set_index("persona")
    rows = []
    for persona, name in names.items():
        changed = _strongest(tested[(tested["persona"] == persona) & tested["changed"]])
        new = persona not in was
        reason = "; ".join(_change_in_words(row, time) for row in changed.itertuples())
        reason = "it is like none of the personas before" if new else reason or _NOTHING
        size = sizes.loc[persona] if persona in sizes.index else None
        n = (size["n_before"] * size["before"], size["n"] * size["value"]) if size is not None else (np.nan, np.nan)
        shares = tuple(size[["before", "value", "change"]]) if size is not None else (np.nan,) * 3
        state = "new" if new else "known again"
        rows.append((persona, was.get(persona), name, state, *np.round(n), *shares, new or len(changed) > 0, reason))
    return pd.DataFrame(rows, columns=list(_PERSONAS)).astype({"persona": "Int64", "was": "Int64", "due": bool})


def _vanished(before: pd.DataFrame, gone: Mapping[int, str]) -> pd.DataFrame:
    """One row per persona that is not known again."""
    counts = before["persona"].value_counts()
    rows = [
        (None, one, name, "vanished", n, 0, n / len(before), 0.0, -n / len(before), True, "no persona is like it now")
        for one, name in gone.items()
        for n in [int(counts.get(one, 0))]
    ]
    return pd.DataFrame(rows, columns=list(_PERSONAS)).astype({"persona": "Int64", "was": "Int64", "due": bool})


def _moves(before, after, was: Mapping[int, int]) -> pd.DataFrame:
    """Who went where, by the names of today, and of then for a persona that vanished."""
    today = _names(after.personas)
    then = _names(before.personas) | {old: today[now] for now, old in was.items()}
    sides = [
        known.customers[["customer_id"]].assign(name=known.customers["persona"].map(names))
        for known, names in ((before, then), (after, today))
    ]
    return movement(*sides, by="name").moves[list(_MOVES)]


def _strongest(changed: pd.DataFrame) -> pd.DataFrame:
    """What changed, the strongest first; of one topic only that, and of shares that add up the one that rose."""
    order = changed.assign(size=changed["effect"].abs().round(9), about=changed["trait"].map(topic))
    order["fell"] = (order["kind"] == "share") & (order["change"] < 0)
    one_each = order.sort_values(["fell", "size", "trait", "level"], ascending=[True, False, True, True])
    order = one_each.drop_duplicates("about").sort_values(["size", "trait"], ascending=[False, True])
    return order.drop(columns=["size", "about", "fell"])


def _change_in_words(row, time: str) -> str:
    """A change with its figures."""
    if row.trait == SIZE:
        what = "its share of the customers"
    else:
        what = in_words(row.trait) + (f" “{row.level}”" if row.level not in ("", "yes") else "")
    if row.kind == "share":
        points = percent_range(row.low, row.high).replace(" %", " points")
        return f"{what} {percent(row.value)} now, {percent(row.before)} in {time} (change {points})"
    return (
        f"{what} {short(row.value)} now, {short(row.before)} in {time} (its place among all customers moved by "
        f"{row.difference:.2f}, interval {row.low:.2f} to {row.high:.2f})"
    ).replace("-", "−")


def _in_words(table: pd.DataFrame, tested: pd.DataFrame) -> list[str]:
    """The verdict in sentences."""
    due = table[table["due"]]
    if due.empty:
        return [
            f"No persona is due for a refresh: all {len(table)} are known again, and nothing that was measured changed "
            "beyond chance and by enough to matter."
        ]
    said = {"new": "{} is new: {}.", "vanished": "{} has vanished: {}."}
    sentences = [
        said.get(row.state, "{} is due for a refresh: {}.").format(row.name, row.reason)
        for row in due.itertuples(index=False)
    ]
    still = ", ".join(table.loc[~table["due"], "name"])
    return sentences + ([f"The others still hold: {still}."] if still else [])


def _seasons(found: pd.DataFrame, names: Mapping[int, str]) -> list[str]:
    """What differs from the time before in a base that is too short to tell a season from a change."""
    told = "The base does not reach back a year before the last window, so a change cannot be told from a season"
    if found.empty:
        return [f"{told}; nothing differs from the time before, though."]
    sentences = [
        f"{names[row.persona]}: {_change_in_words(row, 'the time before')}." for row in _each(found).itertuples()
    ]
    return [f"{told}. No alarm for that reason, but this differs from the time before:", *sentences]


def _each(found: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([_strongest(of) for _, of in found.groupby("persona")])
