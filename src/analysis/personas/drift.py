"""What changed since the previous run, and is a persona due for a refresh?

`drift` takes the personas of two runs: which of today's is which of the previous ones, how their sizes and traits
changed, who moved. `refresh` takes the personas of today and what their customers did in the last quarter and in those
of the year before: a profile of three years hides what changed a month ago. An alarm needs a change that is real beyond
sampling noise, large enough to matter, and neither a season nor the mere passing of time.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.evidence import in_words, percent, short
from analysis.known_again import deltas, matched, profiles_of
from analysis.locale import named
from analysis.personas.changes import ALPHA, COLUMNS, GROWING, PRICES, SIZE, changes
from analysis.personas.titles import called
from analysis.phrases import figure, marked, phrase, spoken
from analysis.segments.movement import movement
from analysis.vocabulary import topic

#: The season is the same when a year has passed.
DAYS_OF_A_YEAR = 365

#: Levels that change with the calendar or with prices, of which the number itself is compared; what is no trait.
_NO_TRAITS = ("customer_id", "persona", "segment", "segment_name", "fit", "age_band", "revenue_band")

#: What the business sends is its own doing; the rest is said by the shares of purchases or by the number of lines.
_NOT_OF_A_WINDOW = (
    "price_sensitivity",  # against what others do in the same months, which moves for all when the shop has a sale
    *("customer_id", "window", "starts", "ends"),
    *("opens", "clicks", "campaigns_received", "campaigns_answered"),
    *("used_channel", "used_channel_share", "payment_certainty", "contact_channel_share", "discount_share"),
    *("n_order_days", "n_categories", "top_category", "top_category_share", "category_entropy"),
)

#: What is said of a persona whose card still holds, and of one that is not known again.
_NOTHING = marked("nothing changed beyond chance and by enough to matter")
_NEW = marked("it is like none of the personas before")
_VANISHED = marked("no persona is like it any more")

_PERSONAS = (
    *("persona", "was", "title", "state", "n_before", "n", "share_before", "share", "change", "low", "high"),
    *("due", "reason"),
)
_MOVES = ("source", "target", "n", "of", "share", "low", "high", "one_way")


class Known(NamedTuple):
    """The personas of a run, as far as they are needed to say what changed.

    Attributes
    ----------
    personas : DataFrame, with ``persona`` (int) and ``title``
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
        title : str; state : "known again", "new" or "vanished".
        n_before, n : customers; of :func:`refresh`, who were active in the latest window, and in one before on average.
        share_before, share, change, low, high : of all customers, the change with an interval so wide that all of
        `traits` hold together; missing for :func:`refresh`.
        due : bool; reason : str.
    traits : DataFrame, one row per persona, trait and level
        The columns of :func:`analysis.personas.changes.changes`, the title of the persona, and changed : bool, real,
        large enough, and no season. p_year is corrected over what was real and large, and missing elsewhere.
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

    Raises
    ------
    Problem
        A column is missing.

    Notes
    -----
    The latest window is held against those of the year before, in three steps.

    *Real*: it differs from all of them together, by a test that knows that the same customers stand on both sides
    (see :func:`analysis.personas.changes.changes`), corrected after Holm over all traits and personas.

    *Large enough*: the effect is at least 0.2 against each of them: outside of what quarters usually are by more than a
    small effect, whatever the number of customers.

    *No season*: it differs from the same time a year before as well, tested by itself and corrected over what passed
    the first two steps. A slow trend passes the year but not the quarters, a season the quarters but not the year. A
    base too short to look back a year gives no alarm, and says so.

    Only who was active is compared with who was: those who drop out of sight make a persona smaller, not different.
    Amounts are compared by place among everybody's of the same window, as prices rise for all. Whether a persona grows
    cannot be seen here, as those who were active lately may be in it for that reason: :func:`drift` says so.

    Examples
    --------
    >>> who = pd.DataFrame({"customer_id": range(60), "persona": [1, 2] * 30})
    >>> at = who["customer_id"] % 7 / 10
    >>> parts = [who.assign(window=w, ends=pd.Timestamp(2026 - w, 3, 20), through_app=at) for w in range(5)]
    >>> parts[0]["through_app"] += [0.4, 0] * 30
    >>> quarters = pd.concat(parts).drop(columns="persona")
    >>> made = Known(pd.DataFrame({"persona": [1, 2], "title": ["Workers", "Families"]}), pd.DataFrame(), who)
    >>> print(*refresh(quarters, made).words, sep="\\n")
    Workers: due for a refresh, as share bought by app 69 % now, 29 % in the year before (change 40 to 40 points).
    The others still hold: Families.
    """
    require_columns("windows", windows.columns, ["customer_id", "window", "ends"])
    require_columns("customers", made.customers.columns, ["customer_id", "persona"])
    rows = windows.merge(made.customers[["customer_id", "persona"]], on="customer_id")
    rows = rows.sort_values(["customer_id", "window"], ignore_index=True)
    tested = changes(rows, [c for c in windows if c not in _NOT_OF_A_WINDOW], PRICES, sizes=False)
    found = _real(tested) & (tested["smallest"].abs() >= evidence.SMALL_EFFECT)
    tested["p_year"] = evidence.holm(tested["p_year"].where(found).to_numpy())
    in_time = _reaches_a_year_back(windows)
    tested["changed"] = found & (tested["p_year"] < ALPHA) & in_time
    names = _names(made)
    table = _verdicts(tested, names, phrase("the year before")).assign(was=list(names), state="known again")
    notes = [] if in_time else _seasons(_named(tested[found], names))
    empty = pd.DataFrame(columns=list(_MOVES))
    return _drift(_active(table, rows), _named(tested, names), empty, notes)


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
    A persona is known again by what sets it apart from everybody of its day, so its number and size may change. Real
    and large enough are judged as in :func:`refresh`. The profiles of two runs share most of their past: a change that
    shows here has gone on for long, and `refresh` sees it earlier. Amounts and whatever grows as time passes (age, days
    since, orders since the beginning) are compared by a customer's place among all customers of the same day.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": range(80), "persona": [1, 2] * 40, "weekend_share": [0.1, 0.8] * 40})
    >>> traits = evidence.compare(customers, "persona").rename(columns={"group": "persona"})
    >>> before = Known(pd.DataFrame({"persona": [1, 2], "title": ["Workers", "Families"]}), traits, customers)
    >>> drift(before, before).words
    ['No persona is due for a refresh: nothing changed beyond chance and by enough to matter.']
    """
    for where, known in (("before", before), ("after", after)):
        require_columns(f"{where}.customers", known.customers.columns, ["customer_id", "persona"])
        require_columns(f"{where}.personas", known.personas.columns, ["persona", "title"])
    was = _known_again(before, after)
    today = _todays_numbers(before, was)
    names = {today[one]: name for one, name in _names(before).items()}
    names = _names(after) | {one: name for one, name in names.items() if one not in was}
    rows = _rows_of_runs(before, after, today)
    tested = changes(rows, [c for c in rows if c in before.customers and c not in _NO_TRAITS], GROWING)
    tested["changed"] = _real(tested) & (tested["effect"].abs() >= evidence.SMALL_EFFECT)
    table = _with_states(_sized(_verdicts(tested, names, phrase("the run before")), tested, rows), was, today)
    return _drift(table, _named(tested, names), _moves(rows, names), [])


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
    profiles = tables["profiles"].drop(columns="persona", errors="ignore")
    return Known(tables["personas"], tables["persona_traits"], members.merge(profiles, on="customer_id"))


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


def _names(known) -> dict[int, str]:
    """What the personas of a run are called by the readers."""
    return {int(persona): title for persona, title in called(known, spoken()).items()}


def _reaches_a_year_back(windows: pd.DataFrame) -> bool:
    """Whether there is the same time of a year before the latest window."""
    ends = pd.to_datetime(windows["ends"])
    return bool(len(ends)) and (ends.max() - ends.min()).days >= DAYS_OF_A_YEAR


def _known_again(before, after) -> dict[int, int]:
    """The persona then of each persona now that is known again."""
    profiles = profiles_of(distances(before.traits))
    earlier, found = (dict(zip(of.personas["persona"], of.personas["title"], strict=True)) for of in (before, after))
    remembered = [{"profile": profiles.get(one, {}), "found": name} for one, name in earlier.items()]
    places = matched(remembered, found, distances(after.traits))
    return {one: list(earlier)[place] for one, place in zip(found, places, strict=True) if place is not None}


def _todays_numbers(before, was: Mapping[int, int]) -> dict[int, int]:
    """Today's number of each persona then; one that is gone has a number of its own, below all others."""
    today = {then: now for now, then in was.items()}
    lowest = min([0, *was])
    return {one: today.get(one, lowest - 1 - place) for place, one in enumerate(before.personas["persona"].astype(int))}


def _rows_of_runs(before, after, today: Mapping[int, int]) -> pd.DataFrame:
    """One row per run (window 0 is now) and customer of one of its personas, under today's numbers."""
    then = before.customers.assign(window=1, persona=before.customers["persona"].map(today))
    now = after.customers.assign(window=0)
    now = now[now["persona"].isin(after.personas["persona"])]
    rows = pd.concat([now, then[then["persona"].notna()]], ignore_index=True).astype({"persona": int})
    return rows.sort_values(["customer_id", "window"], ignore_index=True)


def _real(tested: pd.DataFrame) -> pd.Series:
    return (tested["p_corrected"] < ALPHA) & ((tested["low"] > 0) | (tested["high"] < 0))


def _named(tested: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    return tested.assign(title=tested["persona"].map(names))


def _verdicts(tested: pd.DataFrame, names: Mapping[int, str], time: str) -> pd.DataFrame:
    """One row per persona: whether it is due, and why."""
    rows = []
    for persona, name in names.items():
        changed = _strongest(tested[(tested["persona"] == persona) & tested["changed"]])
        reason = phrase("; ").join(_change_in_words(row, time) for row in changed.itertuples())
        rows.append((persona, name, len(changed) > 0, reason or phrase(_NOTHING)))
    return pd.DataFrame(rows, columns=["persona", "title", "due", "reason"])


def _active(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """With the customers who were active in the latest window, and in one before on average."""
    counts = pd.crosstab(rows["persona"], rows["window"]).reindex(table["persona"], fill_value=0)
    before = counts.drop(columns=0, errors="ignore").mean(axis=1).fillna(0)  # no window before: nobody
    n = counts[0] if 0 in counts else 0 * before
    return table.assign(n_before=before.round().to_numpy(), n=np.asarray(n))


def _sized(table: pd.DataFrame, tested: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """With the customers of each persona in both runs, and its share of all."""
    counts = pd.crosstab(rows["persona"], rows["window"]).reindex(table["persona"], fill_value=0)
    sizes = tested[tested["trait"] == SIZE].set_index("persona").reindex(table["persona"])
    shares = sizes[["before", "value", "change", "low", "high"]].set_axis(
        ["share_before", "share", "change", "low", "high"], axis=1
    )
    table = table.assign(n_before=counts[1].to_numpy(), n=counts[0].to_numpy())
    return table.assign(**{name: shares[name].to_numpy() for name in shares})


def _with_states(table: pd.DataFrame, was: Mapping[int, int], today: Mapping[int, int]) -> pd.DataFrame:
    """With what became of each persona; that one is new or gone is a reason by itself."""
    then = {now: one for one, now in today.items()}
    gone = table["persona"].isin(set(then) - set(was))
    new = ~table["persona"].isin(then)
    state = np.select([gone, new], ["vanished", "new"], "known again")
    reason = np.select([gone, new], [phrase(_VANISHED), phrase(_NEW)], table["reason"])
    table = table.assign(was=table["persona"].map(then), state=state, reason=reason, due=table["due"] | gone | new)
    return table.assign(persona=table["persona"].mask(gone))


def _moves(rows: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    """Who went where, by the names of today, and of then for a persona that is gone."""
    labelled = rows[["customer_id", "window"]].assign(title=rows["persona"].map(names))
    before, after = (labelled[labelled["window"] == window] for window in (1, 0))
    return movement(before, after, by="title").moves[list(_MOVES)]


def _drift(table: pd.DataFrame, tested: pd.DataFrame, moves: pd.DataFrame, notes: list[str]) -> Drift:
    """The tables in their order, with the sentences."""
    table = table.reindex(columns=list(_PERSONAS))
    table = table.astype({"persona": "Int64", "was": "Int64", "n_before": int, "n": int, "due": bool})
    front = ["persona", "title", *COLUMNS[1:], "changed"]
    return Drift(table, tested[front], moves, [*_in_words(table), *notes], bool(table["due"].any()))


def _strongest(changed: pd.DataFrame) -> pd.DataFrame:
    """What changed, the strongest first; of one topic only that, and of shares that add up the one that rose."""
    order = changed.assign(size=changed["effect"].abs().round(9), about=changed["trait"].map(topic))
    order["fell"] = (order["kind"] == "share") & (order["change"] < 0)
    one_each = order.sort_values(["fell", "size", "trait", "level"], ascending=[True, False, True, True])
    order = one_each.drop_duplicates("about").sort_values(["size", "trait"], ascending=[False, True])
    return order.drop(columns=["size", "about", "fell"])


def _change_in_words(row, time: str) -> str:
    """A change with its figures."""
    if row.kind == "share":
        low, high = (percent(bound).rstrip(" %٪") for bound in (row.low, row.high))
        return phrase(
            "{what} {now} now, {before} in {time} (change {low} to {high} points)",
            **{"what": _what_in_words(row), "now": percent(row.value), "before": percent(row.before), "time": time},
            **{"low": low, "high": high},
        )
    moved = {name: figure(f"{getattr(row, name):.2f}".replace("-", "−")) for name in ("difference", "low", "high")}
    return phrase(
        "{what} {now} now, {before} in {time} (its place among all moved by {difference}, interval {low} to {high})",
        **{"what": _what_in_words(row), "now": short(row.value), "before": short(row.before), "time": time},
        **moved,
    )


def _what_in_words(row) -> str:
    """What changed: a number, a share of a level, or how many the persona stands for."""
    if row.trait == SIZE:
        return phrase("its share of the customers")
    name = in_words(row.trait)
    return (
        name if row.level in ("", "yes") else phrase("{name} “{level}”", name=name, level=named(row.level, row.trait))
    )


def _in_words(table: pd.DataFrame) -> list[str]:
    """The verdict in sentences."""
    due = table[table["due"]]
    if due.empty:
        return [phrase("No persona is due for a refresh: nothing changed beyond chance and by enough to matter.")]
    said = {"new": marked("{title} is new: {reason}."), "vanished": marked("{title} has vanished: {reason}.")}
    refreshed = marked("{title}: due for a refresh, as {reason}.")
    sentences = [phrase(said.get(of.state, refreshed), title=of.title, reason=of.reason) for of in due.itertuples()]
    still = phrase(", ").join(table.loc[~table["due"], "title"])
    return sentences + ([phrase("The others still hold: {titles}.", titles=still)] if still else [])


def _seasons(found: pd.DataFrame) -> list[str]:
    """What differs from the time before in a base that is too short to tell a season from a change."""
    if found.empty:
        return [
            phrase(
                "The base does not reach back a year before the last window, so a change cannot be told from a season; "
                "nothing differs from the time before, though."
            )
        ]
    changes_in_words = [
        (row.title, _change_in_words(row, phrase("the time before")))
        for _, of in found.groupby("persona")
        for row in _strongest(of).itertuples(index=False)
    ]
    return [
        phrase(
            "The base does not reach back a year before the last window, so a change cannot be told from a season. No "
            "alarm for that reason, but this differs from the time before:"
        ),
        *(phrase("{title}: {change}.", title=title, change=change) for title, change in changes_in_words),
    ]
