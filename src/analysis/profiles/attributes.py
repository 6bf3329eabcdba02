"""Who a customer is, as recorded: the attributes of `customers`, personal data left out, with ages and sizes in bands.

Takes the table `customers` and gives a pandas frame, one row per customer. Attributes are taken as they stand: no
export says what they were on an earlier day.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from itertools import pairwise

import narwhals as nw
import numpy as np
import pandas as pd

from analysis.schema import OLDEST, PROFILE_COLUMNS, TABLES

#: Names of fields that hold a person's name or contact, whatever stands in them, in the languages met.
_PERSONAL_NAME = re.compile(
    r"(?i)(?<![a-z])(sur|last|first|family|given|full|user|nick|nach|vor|familien)?_?name(?![a-z])|vorname|nachname"
    r"|e-?mail|phone|mobile|handy|telefon|whatsapp|iban|address|adresse|street|stra(ss|ß)e|passport|national_?(id|code)"
    r"|نام|موبایل|تلفن|همراه|ایمیل|آدرس|نشانی|کد ?ملی"
)

#: Names that later tables use for themselves: a base's own field of such a name is kept as "recorded_…".
_TAKEN = ("segment", "segment_name", "fit", "r", "f", "m", "rfm_segment", "group", "persona")

#: What bands are made of: without it, a base's own field of such a name means the same and stays.
_BANDS = {"age_band": "birth_date", "size_band": "employees", "revenue_band": "annual_revenue"}

#: First age of each band but the youngest; the bands of surveys, so that shares can be compared.
_AGES = (18, 25, 35, 45, 55, 65)

#: Employees from which a company is small, medium, large: Commission Recommendation 2003/361/EC, Annex, Article 2.
_SIZES = {"micro": 0, "small": 10, "medium": 50, "large": 250}


def attributes(
    tables: Mapping[str, nw.LazyFrame], as_of: date, personal: Collection[str], computed: Collection[str]
) -> pd.DataFrame | None:
    """What is recorded of the customers, personal data left out; None where nothing is.

    Parameters
    ----------
    personal : names of the base's own fields that identify a person, beside the schema's
    computed : names of the columns that stand beside these: a base's own field of such a name becomes "recorded_…"
    """
    canonical = TABLES["customers"].column
    secret = set(personal) | {c for c, spec in canonical.items() if spec.personal}
    kept = [c for c in tables["customers"].collect_schema() if c not in secret] if "customers" in tables else []
    if kept in ([], ["customer_id"]):
        return None
    frame = tables["customers"].select(kept).collect("pandas").to_native()
    for name, spec in canonical.items():
        if spec.empty and name in frame:
            frame[name] = frame[name].fillna(spec.empty)
    for name in frame.columns.difference([*canonical, "customer_id"]):
        if pd.api.types.is_numeric_dtype(frame[name]) and set(frame[name].dropna().unique()) == {0, 1}:
            frame[name] = frame[name].astype("boolean")  # how most exports write yes and no
    as_recorded = {band for band, source in _BANDS.items() if source not in frame}
    taken = {*computed, *PROFILE_COLUMNS, *_TAKEN} - {*canonical} - as_recorded
    frame = frame.rename(columns={c: f"recorded_{c}" for c in frame if c in taken})
    return _with_bands(frame.drop(columns=_looks_personal(frame, canonical)), as_of)


def _with_bands(customers: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Age and its band in place of the birth date; bands beside employees and revenue; consents counted."""
    if "birth_date" in customers:
        age = _ages(customers["birth_date"], as_of)
        position = customers.columns.get_loc("birth_date")
        customers = customers.drop(columns="birth_date")
        customers.insert(position, "age", age)
        customers.insert(position + 1, "age_band", _bands(age, (0, *_AGES), _age_names()))
    if "employees" in customers:
        customers["size_band"] = _bands(customers["employees"], list(_SIZES.values()), list(_SIZES))
    if "annual_revenue" in customers:
        powers = [10**power for power in range(17)]
        names = [f"{low:,} to {high:,}" for low, high in zip([0, *powers], powers, strict=False)]
        positive = customers["annual_revenue"].where(customers["annual_revenue"] > 0)
        customers["revenue_band"] = _bands(positive, [0, *powers], [*names, f"above {powers[-1]:,}"])
    if "consents" in customers:
        customers["n_consents"] = pd.to_numeric(customers["consents"].map(len, na_action="ignore")).astype("float64")
    return customers


def _ages(birth_date: pd.Series, as_of: date) -> pd.Series:
    """Full years on the day `as_of`; ages below 0 and above the oldest that is believed are nobody's."""
    born = pd.to_datetime(birth_date)
    before_birthday = (born.dt.month > as_of.month) | ((born.dt.month == as_of.month) & (born.dt.day > as_of.day))
    age = as_of.year - born.dt.year - before_birthday.astype(int)
    return age.where(age.between(0, OLDEST)).astype(float)


def _age_names() -> list[str]:
    """Names that stand in the order of age when sorted as text."""
    inner = [f"{low} to {high - 1}" for low, high in pairwise(_AGES)]
    return [f"0 to {_AGES[0] - 1}", *inner, f"{_AGES[-1]} and over"]


def _bands(numbers: pd.Series, starts: Collection[float], names: list[str]) -> pd.Series:
    """The name of the last band that starts at or below a number; empty where there is no number."""
    place = np.searchsorted(np.asarray(starts, dtype=float), numbers.astype(float), side="right") - 1
    return pd.Series(np.array(names, dtype=object)[place], index=numbers.index).where(numbers.notna()).astype("str")


def _looks_personal(customers: pd.DataFrame, canonical: Mapping) -> list[str]:
    """The base's own text fields that look like contacts or names: nearly all different, or addresses and numbers."""
    found = []
    for name in customers.columns.difference([*canonical, "customer_id"]):
        if _PERSONAL_NAME.search(name):
            found.append(name)
            continue
        text = customers[name].dropna()
        if text.empty or not isinstance(text.iloc[0], str):
            continue
        contact = text.str.contains(r"@|\d[\d\s().-]{7,}\d", regex=True).mean()
        if contact > 0.5 or (len(text) > 50 and text.nunique() > 0.9 * len(text)):
            found.append(name)
    return found
