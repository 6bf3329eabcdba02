"""Customer profiles: one row per customer, as of a day, from whatever tables the base has.

`build` takes a base and gives a pandas frame: attributes as recorded, and behaviour, engagement, opinions and deals
from the events. Every figure looks back from the end of the day `as_of`; nothing later is seen. A profile is real data
of a real customer: nothing in it is estimated, and what is unknown is empty.
"""

from collections.abc import Mapping
from datetime import date

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem
from analysis.expressions import collected, last_day, tables_until
from analysis.profiles import behaviour, companies, contacts, opinions
from analysis.profiles.attributes import attributes
from analysis.schema import BOUGHT, FROM_ATTRIBUTES, PROFILE_COLUMNS, SCORE, THROUGH, profile_column


def build(base: Mapping[str, IntoFrame], as_of: date | None = None) -> pd.DataFrame:
    """One row per customer: who they are as recorded, and how they buy.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        Needs at least `customers`, or one table with a ``customer_id``. Instants must be in the business's timezone.
    as_of : date, optional
        Last day to look at; default: the base's own.

    Returns
    -------
    DataFrame, sorted by ``customer_id``
        The columns of `schema.PROFILE_COLUMNS` that the base allows and a ``score_…`` for each construct of its survey,
        after the attributes of `customers` (personal data left out; age in full years in place of the birth date).
        Customers without orders have a row.

    Raises
    ------
    Problem
        When `as_of` is missing, or a table lacks a column that it must have.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "order_id": ["1", "2", "3"], "customer_id": ["a", "a", "b"], "amount": [10.0, 30.0, 5.0],
    ...     "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-02-01"]).tz_localize("UTC")})
    >>> build({"orders": orders}, date(2024, 1, 31))[["customer_id", "n_orders", "recency_days", "total_spend"]]
      customer_id  n_orders  recency_days  total_spend
    0           a         2          20.0         40.0
    """
    as_of = last_day(base, as_of, "profiles.build")
    tables = tables_until(base, as_of)
    lazy = _customers(tables)
    for part in _parts(tables, as_of):
        if part is not None:
            lazy = lazy.join(part, on="customer_id", how="left")  # a part has a customer once
    profiles = contacts.with_messages(collected(lazy))
    scored = opinions.scores(tables)
    if scored is not None:
        profiles = profiles.merge(scored, on="customer_id", how="left")
    recorded = attributes(tables, as_of, getattr(base, "personal", ()), profiles.columns.drop("customer_id"))
    if recorded is not None:
        profiles = contacts.with_preference(recorded.merge(profiles, on="customer_id", how="left"))
    return _finished(profiles)


def _parts(tables: Mapping[str, nw.LazyFrame], as_of: date) -> list[nw.LazyFrame | None]:
    """Everything that events say of customers, each part with a row per customer; None where the base lacks a table."""
    return [
        behaviour.orders(tables, as_of),
        behaviour.rhythm(tables, as_of),
        behaviour.usual(tables, "channel", "used_channel", "used_channel_share"),
        behaviour.usual(tables, "payment_method", "usual_payment_method", "payment_certainty"),
        behaviour.through(tables),
        behaviour.categories(tables),
        behaviour.price_sensitivity(tables),
        behaviour.brands(tables),
        contacts.touchpoints(tables, as_of),
        contacts.campaigns(tables),
        opinions.answers(tables),
        opinions.complaints(tables, as_of),
        companies.deals(tables),
    ]


def _customers(tables: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame:
    """The ids of all customers."""
    if "customers" in tables:
        return tables["customers"].select("customer_id")
    ids = [t.select("customer_id") for t in tables.values() if "customer_id" in t.collect_schema()]
    if not ids:
        raise Problem("profiles.build needs a table with a customer_id; there is none.")
    return nw.concat(ids).filter(~nw.col("customer_id").is_null()).unique()


def _finished(profiles: pd.DataFrame) -> pd.DataFrame:
    """Counts and sums of customers who are in no row are 0; columns in the documented order, rows by customer."""
    ours = [c for c in PROFILE_COLUMNS if c in profiles and c not in FROM_ATTRIBUTES]
    for column in ours:
        spec = profile_column(column)
        if spec.unit == "name":
            profiles[column] = profiles[column].astype("str")  # also where nobody has one
        elif not spec.empty:
            filled = profiles[column].fillna(0)
            profiles[column] = filled.astype("float64" if spec.unit == "currency" else "int64")
    shares = [c for c in profiles if c.startswith((BOUGHT, THROUGH))]
    scores = [c for c in profiles if c.startswith(SCORE)]
    recorded = [c for c in profiles if c not in {*ours, *shares, *scores, "customer_id"}]
    return profiles[["customer_id", *recorded, *ours, *shares, *scores]].sort_values("customer_id", ignore_index=True)
