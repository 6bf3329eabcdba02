"""What customers did, when: one row per event, drawn from whichever table of a base records it."""

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from analysis.errors import Problem, did_you_mean, require_columns

#: Names of a customer's completed orders as steps; from the sixth on they share one.
ORDER_LADDER = ("1st order", "2nd order", "3rd order", "4th order", "5th order", "6th order or later")

#: What happens to a deal. It is won or lost at the moment it is decided: the rate from decided to won is the win rate.
DEAL_EVENTS = ("created", "decided", "won", "lost")

#: Where events come from, in the order in which a funnel is looked for.
KINDS = ("stages", "events", "orders", "deals", "everything")


#: Tables and columns that each kind of event is drawn from.
SOURCES = {
    "stages": {"touchpoints": ("customer_id", "occurred_at", "stage")},
    "events": {"touchpoints": ("customer_id", "occurred_at", "event")},
    "orders": {"orders": ("order_id", "customer_id", "ordered_at")},
    "deals": {"deals": ("deal_id", "created_at", "closed_at", "outcome")},
    "everything": {
        "touchpoints": ("customer_id", "occurred_at", "event"),
        "orders": ("order_id", "customer_id", "ordered_at"),
    },
}
MICROSECONDS_PER_DAY = 86_400_000_000


OCCURRED_AT = nw.col("occurred_at")
NO_EVENTS = pd.DataFrame({"customer_id": [], "occurred_at": pd.DatetimeIndex([], tz="UTC"), "event": []}).astype(
    {"customer_id": "str", "event": "str"}
)


WORDS = {
    "stages": "stages of touchpoints",
    "events": "events of touchpoints",
    "orders": "completed orders",
    "deals": "deals, created, decided and won",
    "everything": "events of touchpoints and the completed orders",
}


def moments(base, kind: str) -> nw.LazyFrame:
    """Lazy frame [customer_id, occurred_at, event, channel, action] of one kind; channel and action may be empty."""
    if kind not in KINDS:
        raise Problem(f'There is no kind of event "{kind}".{did_you_mean(kind, KINDS)} There are: {", ".join(KINDS)}.')
    for name, columns in SOURCES[kind].items():
        if name not in base:
            others = ", ".join(kinds_in(base)) or "none"
            raise Problem(
                f'Events of kind "{kind}" come from the table {name}, which this base does not have. '
                f"Map it, or take a kind that it has: {others}."
            )
        require_columns(name, columns_of(base[name]), columns)
    tables = {name: nw.from_native(base[name]).lazy() for name in SOURCES[kind]}
    if kind == "orders":
        return _order_moments(tables["orders"])
    if kind == "deals":
        return _deal_moments(tables["deals"])
    if kind == "everything":
        return nw.concat([_touchpoint_moments(tables["touchpoints"], "event"), _order_moments(tables["orders"])])
    return _touchpoint_moments(tables["touchpoints"], kind.removesuffix("s"))


def _touchpoint_moments(touchpoints: nw.LazyFrame, name: str) -> nw.LazyFrame:
    columns = touchpoints.collect_schema().names()
    return touchpoints.select(
        "customer_id",
        "occurred_at",
        nw.col(name).alias("event"),
        _column_or_nothing("channel", columns).alias("channel"),
        (nw.col("event") if name == "stage" and "event" in columns else _NOTHING).alias("action"),
    ).drop_nulls(["customer_id", "occurred_at", "event"])


def _order_moments(orders: nw.LazyFrame) -> nw.LazyFrame:
    columns = orders.collect_schema().names()
    if "status" in columns:
        orders = orders.filter(nw.col("status").fill_null("completed") == "completed")
    orders = orders.drop_nulls(["customer_id", "ordered_at"])
    number = nw.col("one").cum_sum().over("customer_id", order_by=["ordered_at", "order_id"])
    label = nw.lit(ORDER_LADDER[-1])
    for i, name in reversed(list(enumerate(ORDER_LADDER[:-1], start=1))):
        label = nw.when(nw.col("number") == i).then(nw.lit(name)).otherwise(label)
    return (
        orders.with_columns(one=nw.lit(1))
        .with_columns(number=number)
        .select(
            "customer_id",
            nw.col("ordered_at").alias("occurred_at"),
            label.alias("event"),
            _column_or_nothing("channel", columns).alias("channel"),
            _NOTHING.alias("action"),
        )
    )


def _deal_moments(deals: nw.LazyFrame) -> nw.LazyFrame:
    columns = deals.collect_schema().names()
    decided = deals.filter(nw.col("outcome").is_in(["won", "lost"]))

    def moments(frame, time, event):
        return frame.select(
            nw.col("deal_id").alias("customer_id"),
            nw.col(time).alias("occurred_at"),
            event.alias("event"),
            _column_or_nothing("source", columns).alias("channel"),
            _NOTHING.alias("action"),
        )

    return nw.concat(
        [
            moments(deals, "created_at", nw.lit("created")),
            moments(decided, "closed_at", nw.lit("decided")),
            moments(decided, "closed_at", nw.col("outcome")),
        ]
    ).drop_nulls(["customer_id", "occurred_at"])


_NOTHING = nw.lit(None, dtype=nw.String)


def _column_or_nothing(name: str, columns) -> nw.Expr:
    return nw.col(name).cast(nw.String) if name in columns else _NOTHING


def kinds_in(base) -> list[str]:
    """Kinds of event that the base's tables and their columns allow."""
    return [
        kind
        for kind in KINDS
        if all(name in base and set(columns) <= set(columns_of(base[name])) for name, columns in SOURCES[kind].items())
    ]


def columns_of(table: IntoFrame) -> list[str]:
    return nw.from_native(table).lazy().collect_schema().names()


def names_of(moments: nw.LazyFrame) -> pd.Series:
    """Number of events by name, commonest first, ties by name."""
    counts = collected(moments.group_by("event").agg(n=nw.len()))
    counts = counts.sort_values(["n", "event"], ascending=[False, True])
    return pd.Series(counts["n"].to_numpy("int64"), index=counts["event"].to_list())


def require_names(moments: nw.LazyFrame, wanted: list[str]) -> None:
    found = collected(moments.filter(nw.col("event").is_in(wanted)).select("event").unique())["event"]
    missing = [name for name in wanted if name not in set(found)]
    if missing:
        raise Problem(unknown_name(missing[0], names_of(moments)))


def unknown_name(name: str, names: pd.Series) -> str:
    if names.empty:
        return f'There is no event "{name}": there are no events at all. Check the filter, or the table mapped.'
    known = [str(n) for n in names.index]
    return f'No event is called "{name}".{did_you_mean(name, known)} The commonest of {len(known)}: {some(known)}.'


def some(names: list) -> str:
    return ", ".join(map(str, names[:10])) + (", …" if len(names) > 10 else "")


def clean(events: IntoFrame) -> nw.LazyFrame:
    """The three columns without gaps, the time as an instant."""
    frame = nw.from_native(events).lazy()
    schema = frame.collect_schema()
    require_columns("The table of events", schema.names(), ["customer_id", "occurred_at", "event"])
    frame = frame.select("customer_id", "occurred_at", "event").drop_nulls()
    if schema["occurred_at"] == nw.Date:
        return frame.with_columns(OCCURRED_AT.cast(nw.Datetime("us")))
    if not isinstance(schema["occurred_at"], nw.Datetime):
        raise Problem(
            f"occurred_at of the events holds {schema['occurred_at']}, not times. "
            "Convert it first, for instance with pandas.to_datetime or, in SQL, ::TIMESTAMPTZ."
        )
    return frame


def collected(frame: nw.LazyFrame) -> pd.DataFrame:
    return frame.collect("pandas").to_native()
