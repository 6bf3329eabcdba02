"""What customers did, when: one row per event, drawn from whichever table of a base records it."""

from collections.abc import Sequence

import narwhals as nw
import pandas as pd
from narwhals.exceptions import DuplicateError
from narwhals.typing import IntoFrame

from analysis.errors import Problem, did_you_mean, require_columns
from analysis.expressions import PARTS, is_purchase
from analysis.journeys.customary import ORDER_LADDER, SHOP_EVENTS, STAGES
from analysis.phrases import marked

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
_READ = {table for tables in SOURCES.values() for table in tables}
_OF_ORDERS = ["customer_id", "occurred_at", "event", "action", "channel", "campaign_id", "value"]


MICROSECONDS_PER_DAY = 86_400_000_000
OCCURRED_AT = nw.col("occurred_at")
NO_EVENTS = pd.DataFrame({"customer_id": [], "occurred_at": pd.DatetimeIndex([], tz="UTC"), "event": []}).astype(
    {"customer_id": "str", "event": "str"}
)


WORDS = {
    "stages": marked("stages of touchpoints"),
    "events": marked("events of touchpoints"),
    "orders": marked("completed orders"),
    "deals": marked("deals, created, decided and won"),
    "everything": marked("events of touchpoints and the completed orders"),
}


def moments(base, kind: str) -> nw.LazyFrame:
    """Lazy frame [customer_id, occurred_at, event, action, channel, campaign_id] of one kind, the last three may be
    empty; value where amounts are known, deal_id of deals, session_id of touchpoints where it is recorded."""
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
    tables = {name: nw.from_native(frame).lazy() for name, frame in base.items() if name in _READ}
    if kind == "orders":
        return _order_moments(tables["orders"])
    if kind == "deals":
        return _deal_moments(tables["deals"])
    if kind == "everything":
        contacts = _touchpoint_moments(tables["touchpoints"], "event", None).with_columns(value=_NO_NUMBER)
        return nw.concat([contacts.select(_OF_ORDERS), _order_moments(tables["orders"])])
    return _touchpoint_moments(tables["touchpoints"], kind.removesuffix("s"), tables.get("orders"))


def _touchpoint_moments(touchpoints: nw.LazyFrame, name: str, orders: nw.LazyFrame | None) -> nw.LazyFrame:
    columns = touchpoints.collect_schema().names()
    found = touchpoints.select(
        "customer_id",
        "occurred_at",
        nw.col(name).alias("event"),
        (nw.col("event") if name == "stage" and "event" in columns else _NOTHING).alias("action"),
        *[_column_or_nothing(c, columns).alias(c) for c in ("channel", "campaign_id")],
        *[nw.col(c) for c in ("session_id",) if c in columns],
    ).drop_nulls(["customer_id", "occurred_at", "event"])
    return _with_value(found, orders)


def _with_value(moments: nw.LazyFrame, orders: nw.LazyFrame | None) -> nw.LazyFrame:
    """Adds what the customer's completed orders of the same moment came to, to the events that are orders."""
    need = ("customer_id", "ordered_at", "amount")
    if orders is None or not set(need) <= set(schema := orders.collect_schema()):
        return moments
    if schema["ordered_at"] != moments.collect_schema()["occurred_at"]:
        return moments
    worth = (
        orders.filter(is_purchase(orders))
        .drop_nulls(list(need))
        .select("customer_id", occurred_at="ordered_at", parts=(nw.col("amount") * PARTS).round().cast(nw.Int64))
        .group_by("customer_id", "occurred_at")
        .agg(nw.col("parts").sum())
        .with_columns(value=nw.col("parts") / PARTS, event_key=nw.lit(1))
        .drop("parts")
    )
    is_order = nw.when(nw.col("event").is_in(_ORDERS)).then(nw.lit(1)).otherwise(nw.lit(0))
    keys = ["customer_id", "occurred_at", "event_key"]
    return moments.with_columns(event_key=is_order).join(worth, on=keys, how="left").drop("event_key")


def _order_moments(orders: nw.LazyFrame) -> nw.LazyFrame:
    columns = orders.collect_schema().names()
    orders = orders.filter(is_purchase(orders)).drop_nulls(["customer_id", "ordered_at"])
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
            action=_NOTHING,
            channel=_column_or_nothing("channel", columns),
            campaign_id=_NOTHING,
            value=nw.col("amount").cast(nw.Float64) if "amount" in columns else _NO_NUMBER,
        )
    )


def _deal_moments(deals: nw.LazyFrame) -> nw.LazyFrame:
    columns = deals.collect_schema().names()
    decided = deals.filter(nw.col("outcome").is_in(["won", "lost"]))

    def moments(frame, time, event, value=_NO_NUMBER):
        return frame.select(
            "deal_id",
            # a deal without an account stands for itself
            *[nw.coalesce(c, "deal_id").alias(c) for c in ("customer_id",) if c in columns],
            occurred_at=nw.col(time),
            event=event,
            action=_NOTHING,
            channel=_column_or_nothing("source", columns),
            campaign_id=_NOTHING,
            value=value,
        )

    worth = nw.when(nw.col("outcome") == "won").then(nw.col("amount").cast(nw.Float64)) if "amount" in columns else None
    outcome = moments(decided, "closed_at", nw.col("outcome"), _NO_NUMBER if worth is None else worth)
    return nw.concat(
        [moments(deals, "created_at", nw.lit("created")), moments(decided, "closed_at", nw.lit("decided")), outcome]
    ).drop_nulls(["deal_id", "occurred_at"])


_NOTHING = nw.lit(None, dtype=nw.String)
_NO_NUMBER = nw.lit(None, dtype=nw.Float64)
_ORDERS = [*SHOP_EVENTS[-1], *next(same for same in STAGES if "purchase" in same)]


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
    return lazily(table).collect_schema().names()


def lazily(table: IntoFrame) -> nw.LazyFrame:
    """Any table as a lazy frame; rows of pandas lose their index, whose names could be those of columns."""
    try:
        frame = nw.maybe_reset_index(nw.from_native(table)).lazy()
        frame.collect_schema()
    except TypeError:
        raise Problem(
            f"A table was expected, of pandas, DuckDB, Arrow or Spark; it was given {type(table).__name__}."
        ) from None
    except DuplicateError as error:
        raise Problem(f"Two columns of the table have the same name: rename one. {error}") from None
    return frame


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


def clean(events: IntoFrame, per: str = "customer_id", more: Sequence[str] = ()) -> nw.LazyFrame:
    """The columns `per`, occurred_at and event without gaps, and `more` as they are; the time as an instant."""
    if per in ("occurred_at", "event", "value"):
        raise Problem(f'per names who takes the steps, such as customer_id or session_id; it was given "{per}".')
    frame = lazily(events)
    schema = frame.collect_schema()
    need = [per, "occurred_at", "event"]
    require_columns("The table of events", schema.names(), [*need, *more])
    more = [c for c in more if c not in need]
    texts = [nw.col(c).cast(nw.String) for c in _without_a_type(frame, [*need, *more], per)]
    frame = frame.select(*need, *more).drop_nulls(need).with_columns(*need, *texts)
    if schema["occurred_at"] == nw.Date:
        return frame.with_columns(OCCURRED_AT.cast(nw.Datetime("us")))
    if not isinstance(schema["occurred_at"], nw.Datetime):
        raise Problem(
            f"occurred_at of the events holds {schema['occurred_at']}, not times. "
            "Convert it first, for instance with pandas.to_datetime or, in SQL, ::TIMESTAMPTZ."
        )
    return frame


def _without_a_type(frame: nw.LazyFrame, columns: list[str], per: str) -> list[str]:
    """Columns that pandas can only reckon with as texts: empty ones, categories, and ids that are whole numbers.

    Categories have no least one; numbers beside gaps become floats, which long ids do not survive.
    """
    schema = frame.collect_schema()
    ids = (per, "event", "customer_id") if frame.implementation.is_pandas_like() else ()
    kinds = {c: schema[c] for c in columns if c != "value"}
    return [c for c, kind in kinds.items() if kind in (nw.Object, nw.Categorical) or (c in ids and kind.is_integer())]


def collected(frame: nw.LazyFrame) -> pd.DataFrame:
    return frame.collect("pandas").to_native()
