"""The explorer: pick a field, see how it differs; pick what groups are formed by, or the steps of a funnel, and see it.

For JupyterLab; in a scheduled run, where nobody can choose, it shows nothing.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from narwhals.typing import IntoFrame
from pandas.io.formats.style import Styler

from analysis import evidence, journeys, plots, segments
from analysis.errors import Problem, require_columns
from analysis.evidence import in_words
from analysis.journeys.moments import clean, names_of
from analysis.kernels import BATCH
from analysis.locale import named
from analysis.phrases import counted, phrase
from analysis.profiles.compare import compare
from analysis.profiles.traits import is_list, unusable
from analysis.segments.features import BY_FAMILY

#: More groups than this are no split.
_MOST_GROUPS = 8

#: Steps that can be chosen, and of how many events, the commonest.
_STEPS, _EVENTS = 6, 40
#: What is shown of a funnel, and of groups in it.
_OF_FUNNEL = ["step", "entered", "converted", "judged", "rate", "low", "high", "median_days", "lost"]
_OF_GROUPS = ["step", "judged", "rate", "low", "high", "elsewhere", "difference", "difference_low", "difference_high"]
_SHARES = ("rate", "low", "high", "elsewhere", "difference", "difference_low", "difference_high")


@dataclass(frozen=True)
class Grouped:
    """The groups that one choice gives.

    Attributes
    ----------
    sizes : DataFrame, as from :func:`analysis.segments.sizes`
    traits : DataFrame, as from :func:`analysis.segments.describe`; empty for one group
    words : tuple of str
        What the groups were formed by and how, and whether the data support them.
    """

    sizes: pd.DataFrame
    traits: pd.DataFrame
    words: tuple[str, ...]


def explore(profiles: pd.DataFrame, source: str | None = None):
    """An explorer of the profiles: a field, its distribution, a split, and what differs.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    source : where the figures come from, for the last line of each figure

    Returns
    -------
    ipywidgets.VBox, or None in a scheduled run
        Two choices, "Field" and "Split by", and below them the figure and what is told.

    Examples
    --------
    >>> explorer = explore(pd.DataFrame({"customer_id": ["a", "b"], "city": ["Yazd", "Qom"]}))  # doctest: +SKIP
    """
    if os.environ.get(BATCH):
        return None
    import ipywidgets as widgets  # here: a scheduled run does without them

    fields = [c for c in profiles.columns.drop("customer_id") if not unusable(profiles[c]) and not is_list(profiles[c])]
    splits = [c for c in fields if profiles[c].nunique() <= _MOST_GROUPS]
    field = widgets.Dropdown(options=[(in_words(c), c) for c in fields], description=phrase("Field"))
    nothing = (phrase("nothing"), "")
    split = widgets.Dropdown(options=[nothing, *((in_words(c), c) for c in splits)], description=phrase("Split by"))
    shown = widgets.Output()

    def draw() -> tuple[list[Axes], Sequence[str]]:
        return [plots.distribution(profiles, field.value, source=source)], told(profiles, field.value, split.value)

    for choice in (field, split):
        choice.observe(lambda _: _show(shown, draw), "value")
    _show(shown, draw)
    return widgets.VBox([widgets.HBox([field, split]), shown])


def explore_segments(profiles: pd.DataFrame, source: str | None = None):
    """An explorer of groups: what they are formed by, how and how many, and the groups that this gives.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    source : where the figures come from, for the last line of each figure

    Returns
    -------
    ipywidgets.VBox, or None in a scheduled run
        Three choices, "Features", "Method" and "Groups", and a button: forming groups takes seconds, so that nothing
        is formed before it is pressed. Below them the figures and what is told.

    Raises
    ------
    Problem
        The profiles have no `customer_id`.

    Examples
    --------
    >>> explorer = explore_segments(pd.DataFrame({"customer_id": ["a", "b"], "age": [20, 60]}))  # doctest: +SKIP
    """
    if os.environ.get(BATCH):
        return None
    import ipywidgets as widgets  # here: a scheduled run does without them

    known = [(named(family, "family"), family) for family in families_in(profiles)]
    families = widgets.SelectMultiple(options=known, description=phrase("Features"), rows=len(BY_FAMILY) + 1)
    ways = [(phrase("as the features are"), ""), *((named(name), name) for name in segments.METHODS)]
    method = widgets.Dropdown(options=ways, description=phrase("Method"))
    k = widgets.IntSlider(min=0, max=10, description=phrase("Groups"))
    button, state = widgets.Button(description=phrase("Redraw")), widgets.Label()
    hint = widgets.Label(
        phrase("No features: what tells kinds of customers apart. 0 groups: as many as the data support.")
    )
    shown = widgets.Output()

    def redraw(_) -> None:
        button.disabled, state.value = True, phrase("Forming groups …")
        try:
            _show(shown, lambda: drawn(grouped(profiles, families.value, method.value, k.value), source))
        finally:
            button.disabled, state.value = False, ""

    button.on_click(redraw)
    choices = widgets.VBox([method, k, widgets.HBox([button, state])])
    return widgets.VBox([widgets.HBox([families, choices]), hint, shown])


def explore_funnel(events: IntoFrame, groups: pd.DataFrame | None = None, source: str | None = None):
    """An explorer of the funnel: its steps, its window, and whether the customers of one group get on worse.

    Parameters
    ----------
    events : any frame with columns customer_id, occurred_at, event
    groups : DataFrame, optional
        One row per customer_id; its other columns of at most eight values can split the funnel: profiles, personas.
    source : where the figures come from, for the last line of each figure

    Returns
    -------
    ipywidgets.VBox, or None in a scheduled run
        Six steps to choose from the commonest events, in order, the window in days (0: any time) and the split; a
        button, as a pass over all events takes its time. Below them the figure, the table and what is told.

    Raises
    ------
    Problem
        The events lack a column, or the groups have no `customer_id`.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": ["a"], "event": ["visit"], "occurred_at": pd.Timestamp("2025-03-20")})
    >>> explorer = explore_funnel(visits)  # doctest: +SKIP
    """
    if os.environ.get(BATCH):
        return None
    import ipywidgets as widgets  # here: a scheduled run does without them

    names = [("", ""), *((named(name, "event"), name) for name in names_of(clean(events)).index[:_EVENTS])]
    steps = [
        widgets.Dropdown(options=names, description=phrase("Step {number}", number=i)) for i in range(1, _STEPS + 1)
    ]
    window = widgets.BoundedFloatText(min=0, max=36_500, description=phrase("Days"))
    nothing = (phrase("nothing"), "")
    split = widgets.Dropdown(options=[nothing, *splits_in(groups)], description=phrase("Split by"))
    button, state = widgets.Button(description=phrase("Redraw")), widgets.Label()
    shown = widgets.Output()

    def redraw(_) -> None:
        button.disabled, state.value = True, phrase("Counting …")
        chosen = [step.value for step in steps if step.value]
        try:
            _show(shown, lambda: stepped(events, chosen, window.value, groups, split.value, source))
        finally:
            button.disabled, state.value = False, ""

    button.on_click(redraw)
    choices = widgets.VBox([window, split, widgets.HBox([button, state])])
    hint = widgets.Label(
        phrase("Steps in order, those left empty are passed over. Days from the first to the last; 0: any.")
    )
    return widgets.VBox([widgets.HBox([widgets.VBox(steps), choices]), hint, shown])


def told(profiles: pd.DataFrame, field: str, split: str = "") -> list[str]:
    """What the explorer says of a field: each group against the others, real differences first.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": range(40), "city": ["Yazd", "Qom"] * 20, "n_orders": [5, 1] * 20})
    >>> told(table, "n_orders", "city")[0]
    'Real: of 20 customers with city “Qom”, the mean number of orders is 1, 5 among the others (difference −4 to −4).'
    """
    if not split or split == field:
        known = int(profiles[field].notna().sum())
        share = evidence.percent(known / len(profiles))
        return [phrase("Known of {k:,} of {n:,} customers ({share}).", k=known, n=len(profiles), share=share)]
    found = compare(profiles[["customer_id", field, split]], split)
    if found.empty:
        return [phrase("No two groups are large enough to compare.")]
    found = found.sort_values("distinctive", ascending=False, kind="stable")
    return [_judged_in_words(row) for row in found.itertuples()]


def families_in(profiles: pd.DataFrame) -> list[str]:
    """The families of features that can form groups here: of which at least one feature is known and varies.

    Examples
    --------
    >>> families_in(pd.DataFrame({"customer_id": range(4), "age": [20, 30, 40, 50], "city": "Yazd"}))
    ['demographic']
    """
    if profiles.empty:
        return []
    return [family for family in (*BY_FAMILY, "own") if len(segments.features(profiles, [family]))]


def grouped(profiles: pd.DataFrame, families: Sequence[str] = (), method: str = "", k: int = 0) -> Grouped:
    """The groups that a choice of features, method and number gives, named by rule.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    families : sequence of str, as for :func:`analysis.segments.features`
    method : str, as for :func:`analysis.segments.cluster`
    k : int
        Number of groups; 0: as many as the data support, which may be one.

    Raises
    ------
    Problem
        There are no customers, fewer different ones than groups, or no such family or method.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(20), "n_orders": [1] * 10 + [8, 9] * 5})
    >>> grouped(profiles, ["behavioural"], k=2).sizes["segment_name"].tolist()
    ['One-time buyers', 'Frequent buyers']
    """
    if profiles.empty:
        raise Problem("profiles has no customers, so that there is nobody to group. Look at the period of the base.")
    by = segments.features(profiles, families)
    choice = None if k else segments.choose_k(profiles, by, method)
    asked = k or int(choice.query("chosen")["k"].item())
    model = segments.cluster(profiles, by, asked, method)
    named = segments.name_segments(profiles, model.segments)
    sizes = segments.sizes(profiles, named)
    not_judged = [phrase("Whether the data support this number was not judged; 0 groups judges it.")]
    judged = not_judged if k else segments.findings(sizes, choice, asked)
    words = (*model.notes, *_formed_in_words(model, asked, sizes), *judged)
    return Grouped(sizes, segments.describe(profiles, named), words)


def drawn(found: Grouped, source: str | None = None) -> tuple[list[Axes], Sequence[str]]:
    """The figures of groups, and what is told of them; what sets one single group apart is no question."""
    figures = [plots.segment_sizes(found.sizes, source)]
    if len(found.sizes) > 1:
        figures.append(plots.segment_traits(found.traits, source))
    return figures, found.words


def splits_in(groups: pd.DataFrame | None) -> list[tuple[str, str]]:
    """The columns that can split customers into two to eight groups: in words, and as they are called.

    Examples
    --------
    >>> splits_in(pd.DataFrame({"customer_id": [1, 2], "persona": ["Reader", "Gift giver"], "kind": "person"}))
    [('persona', 'persona')]
    """
    if groups is None:
        return []
    require_columns("groups", groups.columns, ["customer_id"])
    fields = [c for c in groups.columns.drop("customer_id") if not is_list(groups[c])]
    return [(in_words(c), c) for c in fields if 2 <= groups[c].nunique() <= _MOST_GROUPS]


def stepped(
    events: IntoFrame,
    steps: Sequence[str],
    window_days: float = 0,
    groups: pd.DataFrame | None = None,
    split: str = "",
    source: str | None = None,
) -> tuple[list[Axes], list[str | Styler]]:
    """The funnel that a choice of steps, window and split gives: the figure, what stands out, and the table.

    Parameters
    ----------
    events, groups, source
        As for :func:`explore_funnel`.
    steps, window_days
        As for :func:`analysis.journeys.funnel`; a window of 0 is none.
    split : str
        Column of `groups`, or "" for all customers together.

    Raises
    ------
    Problem
        As :func:`analysis.journeys.funnel` and :func:`analysis.journeys.compare_funnels`.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": [*"aab"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> figures, told = stepped(visits, ["visit", "order"])
    >>> print(figures[0].get_title().splitlines()[0])
    The narrowest step comes after visit: 50 % of 2 customers go on to order...
    """
    window = window_days or None
    if split:
        found = journeys.compare_funnels(events, steps, groups[["customer_id", split]], split, window)
        figure, columns = plots.funnel_groups(found, source=source), [split, *_OF_GROUPS]
    else:
        found = journeys.funnel(events, steps, window)
        figure, columns = plots.funnel(found, source=source), _OF_FUNNEL
    return [figure], [journeys.bottlenecks(found).verdict, plots.table(found[columns], shares=_SHARES)]


def _judged_in_words(row) -> str:
    """A comparison with the verdict before it."""
    finding = f"{row.words[0].lower()}{row.words[1:]}"
    if row.distinctive:
        return phrase("Real: {finding}", finding=finding)
    return phrase("Not beyond chance, or small: {finding}", finding=finding)


def _formed_in_words(model: segments.Segmentation, asked: int, sizes: pd.DataFrame) -> list[str]:
    """By which method how many groups came out, and who is in none of them."""
    given = {"method": named(model.method), "groups": counted(model.k, "group")}
    sentence = phrase("Method: {method}; {groups}.", **given)
    if model.k != asked:
        sentence = phrase("Method: {method}; {groups}, where {asked} were asked for.", asked=asked, **given)
    apart = phrase("; ").join(map(named, sizes.loc[sizes["segment"] > model.k, "segment_name"]))
    if not apart:
        return [sentence]
    why = phrase("Set apart, as what groups are formed by differs for them or is unknown: {groups}.", groups=apart)
    return [sentence, why]


def _show(shown, draw: Callable[[], tuple[list[Axes], Sequence[str | Styler]]]) -> None:
    """Fill an output anew with figures, sentences and tables, or with what a Problem says."""
    from IPython.display import display

    with shown:
        try:
            figures, sentences = draw()
        except Problem as problem:
            figures, sentences = [], [str(problem)]
        shown.clear_output(wait=True)
        for axes in figures:
            display(axes.figure)
            plt.close(axes.figure)  # else Jupyter shows it once more, below the cell
        for sentence in sentences:
            print(sentence) if isinstance(sentence, str) else display(sentence)
