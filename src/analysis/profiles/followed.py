"""What came of the customers whom one knew on a day: what did they spend in the days after, what did a campaign bring?

`followed` takes a base and gives its customers twice: as they were known on an earlier and on a later day, each with
what they did in the days after, so that a rule learnt from the one can be judged by the other. `contacted` does it for
one campaign: its customers as known on the day before, whether they were contacted or held out, and what came of it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, did_you_mean, require_columns
from analysis.expressions import collected, last_day, midnight
from analysis.locale import day
from analysis.phrases import marked, phrase
from analysis.profiles.build import build
from analysis.profiles.targets import first_day, known_customers, orders_of_the_time

#: What can be looked for in the days after, and the unit of that outcome.
OUTCOMES = {
    "spend": marked("what they spent"),
    "bought": marked("whether they bought"),
    "answered": marked("whether they answered"),
}

#: Shorter than this is no time in which customers show what they are.
_FEWEST_DAYS = 14


class Followed(NamedTuple):
    """Customers as they were known, with what they did in the days after in the column ``outcome``.

    Attributes
    ----------
    past, later : DataFrame, one row per customer
        As of two days, the one as many days before the other as are looked at. No `later` where the base is too short.
    days : int
    words : str, which days these are
    """

    past: pd.DataFrame
    later: pd.DataFrame | None
    days: int
    words: str


def followed(base: Mapping[str, IntoFrame], days: int = 90, outcome: str = "spend") -> Followed:
    """The customers as known on two days, each time with what they did in the days after.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes that has ``as_of``
    days : int
        Length of the time after, at most; never more than a third of what the base spans.
    outcome : {"spend", "bought"}
        What they spent in the base's currency, less what they gave back; or whether they bought.

    Returns
    -------
    Followed
        A base of less than 90 days gives one time only, its second half; `later` is None then.

    Raises
    ------
    Problem
        No orders, no such outcome, no days to look at, or a base of less than four weeks.

    Examples
    --------
    >>> class Shop(dict): as_of = date(2024, 12, 31)
    >>> day = pd.to_datetime(["2024-01-01", "2024-05-20", "2024-07-10", "2024-12-01"]).tz_localize("UTC")
    >>> orders = pd.DataFrame({"order_id": list("1234"), "customer_id": list("aabb"), "amount": [5.0, 7, 1, 2],
    ...                        "ordered_at": day})
    >>> found = followed(Shop(orders=orders), days=90)
    >>> found.words
    'known on 2024-07-04 and on 2024-10-02, each time with what they spent in the 90 days after'
    >>> found.later[["customer_id", "n_orders", "outcome"]].values.tolist()
    [['a', 2, 0.0], ['b', 1, 2.0]]
    """
    _check_outcome(outcome, ("spend", "bought"))
    if "orders" not in base:
        raise Problem(f"profiles.followed needs orders: what customers did later. The base has: {', '.join(base)}.")
    as_of, first = last_day(base, None, "profiles.followed"), first_day(base, "orders")
    span = (as_of - first).days if first else 0
    if span < 2 * _FEWEST_DAYS:
        raise Problem(f"The base spans {span} days. To see what customers did later takes four weeks at least.")
    if days < 1:
        raise Problem(f"days is {days}; to see what customers did later takes one day at least, e.g. days=90.")
    if span < 90:
        days = min(days, span // 2)
        begins, what = day(as_of - timedelta(days)), phrase(OUTCOMES[outcome])
        words = phrase("known on {day}, with {what} in the {days} days after", day=begins, what=what, days=days)
        return Followed(_known_with(base, as_of - timedelta(days), days, outcome), None, days, words)
    days = min(days, span // 3)
    then, now = (as_of - timedelta(n * days) for n in (2, 1))
    words = phrase(
        "known on {then} and on {now}, each time with {what} in the {days} days after",
        **{"then": day(then), "now": day(now), "what": phrase(OUTCOMES[outcome]), "days": days},
    )
    return Followed(_known_with(base, then, days, outcome), _known_with(base, now, days, outcome), days, words)


def contacted(base: Mapping[str, IntoFrame], campaign: str, days: int = 30, outcome: str = "spend") -> pd.DataFrame:
    """The customers of a campaign as known on the day before it, whether they were contacted, and what came of it.

    Parameters
    ----------
    base : Base, or any mapping from canonical table names to dataframes
        With `campaign_contacts` that say when they were sent.
    campaign : str
        Its ``campaign_id``.
    days : int
        Days from the first sending on in which to look.
    outcome : {"spend", "bought", "answered"}
        What they spent, whether they bought, or whether the contact counts as converted.

    Returns
    -------
    DataFrame, sorted by customer_id
        Profiles with ``contacted`` (False for the control group) and ``outcome``; who was not known before has an empty
        profile.

    Raises
    ------
    Problem
        No such campaign or outcome, a table or column is missing, or the base ends before the days are over.

    Examples
    --------
    >>> at = pd.to_datetime(["2024-03-01", "2024-03-01"]).tz_localize("UTC")
    >>> sent = pd.DataFrame({"campaign_id": "M1", "customer_id": ["a", "b"], "variant": ["mail", "control"],
    ...                      "sent_at": at, "converted_at": [at[0], pd.NaT]})
    >>> contacted({"campaign_contacts": sent}, "M1", outcome="answered")[["customer_id", "contacted", "outcome"]]
      customer_id  contacted  outcome
    0           a       True     True
    1           b      False    False
    """
    _check_outcome(outcome, OUTCOMES)
    rows, contacts = _of_the_campaign(base, campaign)
    begins = contacts["sent_at"].min().date()
    until, as_of = begins + timedelta(days - 1), getattr(base, "as_of", None)
    if as_of and until > as_of:
        raise Problem(
            f"The {days} days of campaign {campaign} end on {until}, the base on {as_of}. Look at fewer days."
        )
    known = build(base, begins - timedelta(1))
    known = known.merge(contacts[["customer_id", "contacted"]], on="customer_id", how="right")
    if outcome == "answered":
        require_columns("campaign_contacts", rows.collect_schema(), ["converted_at"])
        in_time = rows.filter(nw.col("converted_at") < midnight(rows, "converted_at", until + timedelta(1)))
        who = collected(in_time.select("customer_id"))["customer_id"]
        return known.assign(outcome=known["customer_id"].isin(who))
    return known.assign(outcome=_outcome(base, known, begins - timedelta(1), until, outcome))


def _check_outcome(outcome: str, there: Mapping | tuple) -> None:
    if outcome not in there:
        raise Problem(f'There is no outcome "{outcome}".{did_you_mean(outcome, there)} There are: {", ".join(there)}.')


def _known_with(base: Mapping, day: date, days: int, outcome: str) -> pd.DataFrame:
    known = known_customers(build(base, day)).reset_index(drop=True)
    return known.assign(outcome=_outcome(base, known, day, day + timedelta(days), outcome))


def _outcome(base: Mapping, known: pd.DataFrame, after: date, until: date, outcome: str) -> pd.Series:
    """What these customers did after one day and up to another."""
    did = orders_of_the_time(base, after, until).set_index("customer_id").reindex(known["customer_id"])
    if outcome == "bought":
        return pd.Series((did["n_orders"] > 0).to_numpy(), index=known.index)
    require_columns("orders", [*did.columns.replace("total_spend", "amount")], ["amount"])
    return pd.Series(did["total_spend"].fillna(0.0).to_numpy(dtype=float), index=known.index)


def _of_the_campaign(base: Mapping, campaign: str) -> tuple[nw.LazyFrame, pd.DataFrame]:
    """The contacts of a campaign, and per customer when the first was sent and whether any was more than a control."""
    if "campaign_contacts" not in base:
        raise Problem(f"profiles.contacted needs campaign_contacts. The base has: {', '.join(base)}.")
    rows = nw.from_native(base["campaign_contacts"], pass_through=False).lazy()
    has = rows.collect_schema()
    require_columns("campaign_contacts", has, ["campaign_id", "customer_id", "sent_at"])
    there = collected(rows.select("campaign_id").unique())["campaign_id"].dropna()
    if campaign not in set(there):
        raise Problem(
            f'There is no campaign "{campaign}".{did_you_mean(str(campaign), map(str, there))} '
            f"There are: {', '.join(sorted(map(str, there)))}."
        )
    rows = rows.filter(nw.col("campaign_id") == campaign, ~nw.col("sent_at").is_null())
    variant = ["variant"] if "variant" in has else []
    each = collected(rows.select("customer_id", "sent_at", *variant))
    each["contacted"] = each["variant"] != "control" if variant else True
    return rows, each.groupby("customer_id", as_index=False).agg(
        sent_at=("sent_at", "min"), contacted=("contacted", "max")
    )
