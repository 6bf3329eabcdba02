"""Who belongs to which persona, or lives where, for comparing journeys."""

from collections.abc import Mapping

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis import locale
from analysis.errors import require_columns
from analysis.journeys.moments import collected, columns_of


def members(segments: pd.DataFrame | None, personas: pd.DataFrame | None = None) -> pd.DataFrame:
    """The customers of each persona, by its name.

    Parameters
    ----------
    segments : DataFrame, the artefact of that name, or None
    personas : DataFrame, the artefact of that name, optional
        Tells which of them are companies: these are left out, as they come by another way, by deals.

    Returns
    -------
    DataFrame
        Columns customer_id and persona (the name of the segment). Without those who never bought, who have no last step
        by definition; empty where there are no segments, or only one to compare.

    Examples
    --------
    >>> members(pd.DataFrame({"customer_id": ["a", "b"], "segment_name": ["Readers", "Parents"]}))
      customer_id  persona
    0           a  Readers
    1           b  Parents
    """
    nobody = pd.DataFrame({"customer_id": [], "persona": []}, dtype="str")
    if segments is None:
        return nobody
    require_columns("segments", segments.columns, ["customer_id", "segment_name"])
    never = {locale.of(language).say("group.no_purchase") for language in locale.LANGUAGES}
    bought = segments[~segments["segment_name"].isin(never)]
    if personas is not None and "company" in personas:
        bought = bought[~bought["segment"].isin(personas.loc[personas["company"].astype(bool), "persona"])]
    if bought["segment_name"].nunique() < 2:
        return nobody
    return bought[["customer_id", "segment_name"]].rename(columns={"segment_name": "persona"}).reset_index(drop=True)


def customers_by(base: Mapping[str, IntoFrame], column: str) -> pd.DataFrame:
    """The customers of each region, city or kind, as the base has them.

    Parameters
    ----------
    base : customer base, or mapping of table names to frames
    column : str
        Of the table customers.

    Returns
    -------
    DataFrame
        Columns customer_id and `column`; empty where the base does not have it.

    Examples
    --------
    >>> customers_by({"customers": pd.DataFrame({"customer_id": ["a"], "city": ["Yazd"]})}, "city").values.tolist()
    [['a', 'Yazd']]
    """
    if "customers" not in base or not {"customer_id", column} <= set(columns_of(base["customers"])):
        return pd.DataFrame({"customer_id": [], column: []}, dtype="str")
    customers = nw.from_native(base["customers"]).lazy()
    return collected(customers.select("customer_id", column).drop_nulls())
