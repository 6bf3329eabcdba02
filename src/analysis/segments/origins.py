"""Where do customers come from, and what are those of each origin worth?

Takes `profiles`, one row per customer, and with the base compares customers at equal age: whoever came lately has had
less time to buy. What an origin brought is not what it caused: each draws people of its own kind.
"""

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from analysis import evidence
from analysis.errors import Problem, require_columns
from analysis.evidence import percent, percent_range, short
from analysis.expressions import (
    PARTS,
    collected,
    day_of,
    days_between,
    is_purchase,
    last_day,
    money,
    one_if,
    purchases_of,
    tables_until,
)
from analysis.locale import named
from analysis.phrases import phrase
from analysis.schema import TABLES

OTHER = "other origins"

#: Customers are compared by what they spent in as many days from their first on, the longest of these for which half
#: of them have been known: a year where the base is old enough, as a season alone would speak for the season.
SPANS = (365, 180, 90, 30)


@dataclass(frozen=True)
class Origins:
    """Customers and their worth by origin.

    Attributes
    ----------
    table : DataFrame, one row per origin, the most customers first
        origin : str; customers, buyers : int, and revenue : float, so far; revenue_share : float. aged : int, customers
        known for `days`; bought : float, share of these who bought within that time; worth : float, what each of these
        spent in it on average; differs : bool, whether that is more or less than elsewhere beyond chance. cost,
        cost_per_customer : float, of the campaign of that name, where there is one. Beside a share and a mean stand
        the bounds of its 95 % interval, _low and _high.
    differences : DataFrame, as from :func:`analysis.evidence.compare`
        Every origin against all others, by worth and by who bought, corrected together.
    days : int
        Counted from a customer's first day; 0 where bought and worth are so far, at whatever age.
    left_out : int
        Customers without a recorded origin, and those of too small a rest.
    words : list of str
        All that in sentences.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    days: int
    left_out: int
    words: list[str]


def origins(profiles, by="acquisition_channel", base=None, as_of=None, min_size=20):
    """Which origin brought which customers, and of what worth?

    Parameters
    ----------
    profiles : DataFrame, one row per customer
        With `customer_id`, `by`, and `total_spend` or `n_orders`.
    by : str
        Column of names: "acquisition_channel", "acquisition_campaign" or any other.
    base : Base, or any mapping from canonical table names to dataframes, optional
        With its orders customers are compared at equal age, and costs are taken from its campaigns. A customer's first
        day is that of signing up or of the first purchase, the earlier of the two: in a base without signing up that
        begins in the middle of their time, the first day on which it saw them.
    as_of : date, optional
        Last day to look at; default: the base's own.
    min_size : int
        Origins of fewer customers are put together as "other origins", and left out if these are still fewer.

    Returns
    -------
    Origins

    Raises
    ------
    Problem
        No such column, no origin with enough customers, or nothing that says what customers brought.

    Notes
    -----
    Means of worth with Hall's interval (:func:`analysis.evidence.skewed_mean_interval`), shares with Wilson's;
    differences by Welch and Newcombe, corrected after Holm (:func:`analysis.evidence.compare`). The cost of a campaign
    is all that it cost, also for customers who were there before.

    Examples
    --------
    >>> profiles = pd.DataFrame({"customer_id": range(60), "acquisition_channel": ["fair", "web", "web"] * 20,
    ...                          "n_orders": [2, 1, 0] * 20, "total_spend": [90.0, 20, 0] * 20})
    >>> origins(profiles).table[["origin", "customers", "buyers", "revenue_share", "worth"]]
      origin  customers  buyers  revenue_share  worth
    0    web         40      20       0.181818   10.0
    1   fair         20      20       0.818182   90.0
    """
    require_columns("profiles", profiles.columns, ["customer_id", by])
    as_of = last_day(base, as_of, "segments.origins") if base is not None else None
    tables = tables_until(base, as_of) if base is not None else {}
    known = _with_origin(profiles, by, min_size)
    known, days = _with_worth(known, profiles, tables, as_of)
    table = pd.DataFrame([_figures(known, origin) for origin in known["origin"].value_counts().sort_index().index])
    table = table.join(_costs(table, tables))
    table = table.sort_values(["customers", "origin"], ascending=[False, True], ignore_index=True)
    asked = [c for c in ("worth", "bought") if known[c].nunique() > 1]
    compared = evidence.compare(known, "origin", traits=asked, min_size=min_size)
    real = compared[(compared["p_corrected"] < 0.05) & ((compared["low"] > 0) | (compared["high"] < 0))]
    differs = table["origin"].isin(real.loc[real["trait"] == "worth", "group"])
    table.insert(table.columns.get_loc("worth_high") + 1, "differs", differs)
    left_out = len(profiles) - len(known)
    words = _in_words(table, compared, real, days, left_out, named(getattr(base, "currency", ""), "currency"))
    return Origins(table, compared, days, left_out, words)


def _with_origin(profiles, by, min_size):
    """Customers whose origin is recorded, small origins put together; sorted by customer."""
    origin = profiles[by].astype(object)
    canonical = TABLES["customers"].column.get(by)
    if canonical is not None and canonical.empty:
        origin = origin.fillna(canonical.empty)  # an empty cell says that it was none of them
    table = pd.DataFrame({"customer_id": profiles["customer_id"], "origin": origin}).dropna(subset="origin")
    if table.empty:
        raise Problem(f'profiles: "{by}" is empty for every customer, so nobody\'s origin is known.')
    table["origin"] = table["origin"].astype(str)
    sizes = table["origin"].value_counts()
    table["origin"] = table["origin"].where(table["origin"].map(sizes) >= min_size, OTHER)
    table = table[table["origin"].map(table["origin"].value_counts()) >= min_size]
    if table.empty:
        raise Problem(f'profiles: "{by}" has no origin of {min_size} customers or more. Ask for a smaller min_size.')
    return table.sort_values("customer_id", ignore_index=True)


def _with_worth(known, profiles, tables, as_of):
    """Adds what customers brought so far and, where orders tell it, at equal age; and how many days that is."""
    columns = [c for c in ("n_orders", "total_spend") if c in profiles]
    if not columns:
        raise Problem('profiles has neither "total_spend" nor "n_orders", so it does not say what customers brought.')
    known = known.merge(profiles[["customer_id", *columns]], on="customer_id")
    spend = known["total_spend"].astype("float64") if "total_spend" in columns else np.nan
    buyer = (known["n_orders"] if "n_orders" in columns else spend) > 0
    known = known.assign(buyer=buyer.astype("boolean"), spend=spend)
    first = _first_days(tables)
    if first is not None:
        started = collected(first).set_index("customer_id")["first_day"]
        age = (pd.Timestamp(as_of) - known["customer_id"].map(started).astype("datetime64[us]")).dt.days + 1
        days = next((span for span in SPANS if (age >= span).sum() >= max(age.notna().sum() / 2, 1)), 0)
        if days:
            early = (
                _in_first_days(tables, first, days).reindex(known["customer_id"], fill_value=0).set_axis(known.index)
            )
            worth, bought = early["paid"] / PARTS, (early["purchases"] > 0).astype("boolean")
            return known.assign(worth=worth.where(age >= days), bought=bought.where(age >= days)), days
    return known.assign(worth=spend, bought=known["buyer"]), 0


def _first_days(tables):
    """The day on which each customer signed up or first bought, the earlier one; None where nothing tells spending."""
    if "orders" not in tables or "amount" not in tables["orders"].collect_schema():
        return None
    purchases = purchases_of(tables).select("customer_id", first_day=day_of("ordered_at"))
    days = [purchases]
    if "customers" in tables and "signup_at" in tables["customers"].collect_schema():
        signed = tables["customers"].filter(~nw.col("signup_at").is_null())
        days.append(signed.select("customer_id", first_day=day_of("signup_at")))
    return nw.concat(days).group_by("customer_id").agg(first_day=nw.col("first_day").min())


def _in_first_days(tables, first, days):
    """Each customer's purchases in so many days from the first on, and what they paid less what was given back."""
    orders = tables["orders"]
    bought = is_purchase(orders)
    counts = bought | (nw.col("status") == "returned") if "status" in orders.collect_schema() else bought
    added = {"paid": nw.when(counts).then(money(nw.col("amount"))), "purchases": one_if(bought)}
    rows = orders.select("customer_id", day=day_of("ordered_at"), **added).join(first, on="customer_id")
    rows = rows.filter(days_between(nw.col("day"), nw.col("first_day")) < days)
    sums = rows.group_by("customer_id").agg(**{name: nw.col(name).sum() for name in added})
    return collected(sums).set_index("customer_id").astype("float64")  # the engine's sums are decimals


def _figures(known, origin):
    """What there is to say of one origin."""
    inside = known["origin"] == origin
    here = known[inside]
    revenue = round(here["spend"].sort_values().sum(min_count=1), 2)
    worth, bought = here["worth"].dropna(), here["bought"].dropna()
    figures = {"origin": origin, "customers": len(here), "buyers": int(here["buyer"].sum()), "revenue": revenue}
    figures |= _named("revenue_share", (round(x, 6) for x in evidence.share_of_sum(known["spend"], inside)))
    figures |= {"aged": len(bought)}
    share = bought.mean() if len(bought) else np.nan
    figures |= _named("bought", (share, *evidence.share_interval(int(bought.sum()), len(bought))))
    return figures | _named("worth", evidence.skewed_mean_interval(worth))


def _named(name, figures):
    """A figure and the bounds of its interval as columns."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(float, figures), strict=True))


def _costs(table, tables):
    """What the campaign of an origin's name (or id) cost, in all and for each customer; empty where there is none."""
    cost = pd.Series(np.nan, index=table.index)
    campaigns = tables.get("campaigns")
    if campaigns is not None and "cost" in campaigns.collect_schema():
        listed = collected(campaigns.select(*(c for c in ("campaign_id", "name", "cost") if c in campaigns.columns)))
        for column in listed.columns.drop("cost"):
            costs = listed.sort_values("cost").groupby(column)["cost"].sum(min_count=1)
            cost = cost.fillna(table["origin"].map(costs))
    return pd.DataFrame({"cost": cost, "cost_per_customer": cost / table["customers"]})


def _in_words(table, compared, real, days, left_out, currency):
    """The findings in sentences."""
    n, aged = int(table["customers"].sum()), int(table["aged"].sum())
    whole = phrase("{n:,} customers of {origins} origins.", n=n, origins=len(table))
    if left_out:
        whole = phrase(
            "{n:,} customers of {origins} origins; {more:,} more have no recorded origin or one of a few customers "
            "only.",
            **{"n": n, "origins": len(table), "more": left_out},
        )
    sentences = [whole, *_most_revenue_in_words(table, n), _compared_in_words(days, aged)]
    sentences += [_difference_in_words(row, currency) for row in real.itertuples()]
    if not len(real) and len(compared):
        sentences.append(
            phrase(
                "No origin differs from the others beyond chance, neither in worth nor in who bought ({n} comparisons, "
                "corrected after Holm).",
                n=len(compared),
            )
        )
    return sentences + [_cost_in_words(row, currency) for row in table.dropna(subset="cost").itertuples()]


def _most_revenue_in_words(table, n):
    if table["revenue_share"].isna().all():
        return []
    row = table.loc[table["revenue_share"].idxmax()]
    return [
        phrase(
            "Most revenue comes from {origin}: {share} ({interval}), from {customers} of the customers.",
            **{"origin": named(row["origin"], "origin"), "share": percent(row["revenue_share"])},
            interval=percent_range(row["revenue_share_low"], row["revenue_share_high"]),
            customers=percent(row["customers"] / n),
        )
    ]


def _compared_in_words(days, aged):
    if not days:
        return phrase(
            "Compared is what customers did so far: those who came lately had less time, and their origins look poor."
        )
    return phrase(
        "Compared is what customers did in the first {days} days after they signed up or first bought, of the {n:,} "
        "known for so long.",
        **{"days": days, "n": aged},
    )


def _cost_in_words(row, currency):
    return phrase(
        "{origin} cost {cost}, {each} for each of {n:,} customers.",
        **{"origin": named(row.origin, "origin"), "cost": _money(short(row.cost), currency)},
        **{"each": short(row.cost_per_customer), "n": row.customers},
    )


def _difference_in_words(row, currency):
    if row.trait == "bought":
        return phrase(
            "{origin}: {share} bought, elsewhere {elsewhere} (difference {low} to {high} points, n = {n:,}).",
            **{"origin": named(row.group, "origin"), "share": percent(row.value), "elsewhere": percent(row.elsewhere)},
            **{"low": short(round(100 * row.low)), "high": short(round(100 * row.high)), "n": row.n},
        )
    return phrase(
        "{origin}: worth {worth} per customer, elsewhere {elsewhere} (difference {low} to {high}, n = {n:,}).",
        **{"origin": named(row.group, "origin"), "worth": _money(short(row.value), currency)},
        **{"elsewhere": short(row.elsewhere), "low": short(row.low), "high": short(row.high), "n": row.n},
    )


def _money(amount, currency):
    return f"{amount} {currency}".rstrip()
