"""What the chapter on data says of a base, worked out by hand."""

from analysis import quality, sources

MAPPING = """[tables.orders]
path = "orders.csv"
columns = "canonical"
[tables.touchpoints]
path = "touchpoints.csv"
columns = "canonical"
"""


def base_with(base_of, order_days, contact_days):
    orders = "order_id,customer_id,ordered_at,amount\n" + "".join(
        f"{i},a,{day},10\n" for i, day in enumerate(order_days)
    )
    contacts = "customer_id,occurred_at,event\n" + "".join(f"a,{day},visit\n" for day in contact_days)
    return sources.read(str(base_of(MAPPING, orders=orders, touchpoints=contacts)))


def stale(base):
    found = quality.assess(base).query("dimension == 'timeliness' and column != ''")
    return set(found.loc[found["defects"] > 0, "table"])


def test_a_table_that_stops_early_is_stale_unless_it_was_ever_silent_for_as_long(base_of):
    # contacts every day in January, none in the three months after: they stopped early
    daily = [f"2024-01-{d:02d}" for d in range(1, 31)]
    orders = ["2024-01-05", "2024-04-30"]
    assert stale(base_with(base_of, orders, daily)) == {"touchpoints"}
    # contacts twice a year, the last two months ago: that is how they come
    assert stale(base_with(base_of, orders, ["2023-03-01", "2023-09-01", "2024-03-01"])) == set()


def test_rows_made_from_others_are_no_rows_read(base_of):
    base = base_with(base_of, ["2024-01-05", "2024-04-30"], ["2024-04-01"])  # customers are made from their ids
    assert quality.findings(base, quality.assess(base))[0] == (
        "3 rows in 2 tables were read; 0 were set aside. From them customers were made."
    )
    per = quality.tables(base).set_index("table")["one row per"]
    assert per["customers"] == "customer (person or company), made from other rows"
