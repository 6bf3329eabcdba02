"""Random numbers, and words and instants from numbers: what every table is drawn with."""

import zlib

import numpy as np
import pandas as pd
import pyarrow as pa

TIMEZONE = "Asia/Tehran"


def random_numbers(seed: int, table: str, piece: int = 0) -> np.random.Generator:
    """Random numbers of one table of one piece, which depend on the seed and these two alone."""
    key = (zlib.crc32(table.encode()), piece) if piece else (zlib.crc32(table.encode()),)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def draw(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """One column number per row, with chances in proportion to the row's weights."""
    ladder = np.cumsum(weights, axis=1)
    at = rng.random(len(weights)) * ladder[:, -1]
    return np.minimum((ladder <= at[:, None]).sum(axis=1), weights.shape[1] - 1)


def normed(weights) -> np.ndarray:
    weights = np.array(list(weights), dtype=float)
    return weights / weights.sum()


def dirichlet(rng: np.random.Generator, alpha: np.ndarray) -> np.ndarray:
    """A draw of shares per row; gamma draws divided by their sum."""
    drawn = rng.gamma(alpha) + 1e-12
    return drawn / drawn.sum(axis=1, keepdims=True)


def beta(rng: np.random.Generator, mean: np.ndarray, concentration: float) -> np.ndarray:
    return rng.beta(mean * concentration, (1 - mean) * concentration)


def words(names, codes: np.ndarray) -> pd.Series:
    """The names by their numbers as text; -1 is empty."""
    numbers = pa.array(np.asarray(codes, dtype="int32"), mask=np.asarray(codes) < 0)
    words = pa.DictionaryArray.from_arrays(numbers, pa.array(list(names), pa.large_string()))
    return pd.Series(pd.array(words.cast(pa.large_string()), dtype="str"))


def numbered(letter: str, numbers: np.ndarray, width: int) -> list[str]:
    """Ids: a letter and a number of so many digits."""
    return [f"{letter}{number:0{width}d}" for number in np.asarray(numbers).tolist()]


def instants(seconds: np.ndarray, first_day: pd.Timestamp) -> pd.Series:
    """Instants from seconds since the first midnight in Tehran, counted in its standard time.

    Iran has had +03:30 all the year since September 2022; in a summer before that, clocks showed an hour more.
    """
    missing = np.isnan(np.asarray(seconds, dtype=float))
    seconds = np.where(missing, 0, seconds)
    local = first_day.to_datetime64().astype("datetime64[s]") + np.round(seconds).astype("timedelta64[s]")
    utc = local - np.timedelta64(210, "m")
    utc[missing] = np.datetime64("NaT")
    return pd.Series(utc.astype("datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(TIMEZONE)
