"""Speeds as text with their unit: `12.3 km/h`, `7 mph`, `5.1 kn`."""

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import shortened
from analyzer.logs._numbers import MAJORITY

_TEXT = r"^\s*(-?\d+(?:\.\d+)?)\s*([A-Za-z][A-Za-z/. ]*)\s*$"
UNITS = {
    "km/h": 1.0,
    "kmh": 1.0,
    "kph": 1.0,
    "m/s": 3.6,
    "mps": 3.6,
    "mph": 1.609344,
    "mi/h": 1.609344,
    "kn": 1.852,
    "kt": 1.852,
    "kts": 1.852,
    "knots": 1.852,
}
"""Unit as written, in small letters -> km/h."""


def from_texts(path: str, texts: pl.Series) -> pl.Series:
    """Return km/h of speeds with their unit, null where one cannot be read; LogError where most have no known unit."""
    parts = texts.str.extract_groups(_TEXT).struct.unnest()
    number, unit = (parts[name] for name in parts.columns)
    factor = unit.str.strip_chars().str.to_lowercase().replace_strict(UNITS, default=None, return_dtype=pl.Float64)
    said = texts.is_not_null() & (texts.str.strip_chars() != "")
    unread = said & factor.is_null()
    if int(unread.sum()) > MAJORITY * int(said.sum()):
        first = shortened(str(texts.filter(unread)[0]), 30)
        comma = '; a decimal comma is said in a profile: [read] decimal = ","' if "," in first else ""
        message = f"{path}: the speed {first!r} has no unit that is known; known are {', '.join(UNITS)}{comma}"
        raise LogError(message)
    return (number.cast(pl.Float64, strict=False) * factor).alias("speed_kph")
