"""The explorer: pick a field of the profiles, see how it is spread, and how a group differs in it.

For JupyterLab; in a scheduled run, where nobody can choose, it shows nothing.
"""

import os

import pandas as pd

from analysis import evidence, plots
from analysis.evidence import in_words
from analysis.kernels import BATCH
from analysis.profiles.compare import compare
from analysis.profiles.traits import is_list, unusable

#: More groups than this are no split.
_MOST_GROUPS = 8


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
    from IPython.display import display

    fields = [c for c in profiles.columns.drop("customer_id") if not unusable(profiles[c]) and not is_list(profiles[c])]
    splits = [c for c in fields if profiles[c].nunique() <= _MOST_GROUPS]
    field = widgets.Dropdown(options=[(in_words(c), c) for c in fields], description="Field")
    split = widgets.Dropdown(options=[("nothing", ""), *((in_words(c), c) for c in splits)], description="Split by")
    shown = widgets.Output()

    def show(_=None) -> None:
        with shown:
            shown.clear_output(wait=True)
            display(plots.distribution(profiles, field.value, source=source).figure)
            for sentence in told(profiles, field.value, split.value):
                print(sentence)

    field.observe(show, "value")
    split.observe(show, "value")
    show()
    return widgets.VBox([widgets.HBox([field, split]), shown])


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
        return [f"Known of {known:,} of {len(profiles):,} customers ({evidence.percent(known / len(profiles))})."]
    found = compare(profiles[["customer_id", field, split]], split)
    if found.empty:
        return ["No two groups are large enough to compare."]
    found = found.sort_values("distinctive", ascending=False, kind="stable")
    return [f"{'Real' if row.distinctive else 'Not beyond chance, or small'}: {row.words[0].lower()}{row.words[1:]}"
            for row in found.itertuples()]  # fmt: skip
