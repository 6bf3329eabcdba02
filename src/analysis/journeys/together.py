"""All funnels of a run in one table: the artefact `funnel`."""

from collections.abc import Mapping

import pandas as pd

from analysis.journeys.funnel import FUNNEL_COLUMNS


def together(funnels: Mapping[str, pd.DataFrame], numbers: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Several funnels, of everybody and of groups, under each other.

    Parameters
    ----------
    funnels : dict of str to DataFrame
        As :func:`funnel` and :func:`compare_funnels` give them, under the name of each: "customer", "session".
    numbers : dict of str to int, optional
        Number of each persona by the name that the funnels give it.

    Returns
    -------
    DataFrame, one row per funnel, group and step
        ``per``, the name of the funnel; ``persona``, its number (Int64, missing for everybody), ``split``, what else
        the rows are a part of, such as "channel: app", "" for all; and the columns of :func:`funnel`.

    Examples
    --------
    >>> visits = pd.DataFrame({"customer_id": [*"aab"], "event": ["visit", "order", "visit"],
    ...                        "occurred_at": pd.to_datetime(["2025-03-20", "2025-03-22", "2025-03-21"])})
    >>> from analysis.journeys import funnel
    >>> together({"customer": funnel(visits, ["visit", "order"])})[["per", "persona", "split", "step", "entered"]]
            per  persona split   step  entered
    0  customer     <NA>        visit        2
    1  customer     <NA>        order        1
    """
    parts = [_part(name, table, numbers or {}) for name, table in funnels.items() if len(table)]
    columns = ["per", "persona", "split", *FUNNEL_COLUMNS]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table.astype({"per": "str", "persona": "Int64", "split": "str"})[columns]


def _part(name: str, table: pd.DataFrame, numbers: Mapping[str, int]) -> pd.DataFrame:
    groups = [c for c in table.columns[: table.columns.get_loc("step")] if c != "persona"]
    said = [
        ", ".join(f"{c}: {value}" for c, value in zip(groups, row, strict=True)) for row in table[groups].to_numpy()
    ]
    persona = table["persona"].map(numbers) if "persona" in table else None
    return table.assign(per=name, split=said, persona=persona)[["per", "persona", "split", *FUNNEL_COLUMNS]]
