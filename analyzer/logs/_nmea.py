"""NMEA 0183 sentences in any bytes: found, summed and decoded by passes over arrays."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from analyzer.logs._numerals import Decimals, clock_us, days, decimals
from analyzer.records import record

KINDS = ("RMC", "GGA", "GST", "ZDA", "VTG")
KNOT_KPH = 1.852
_PIVOT_YEAR = 80
_PADDING = 32
_HEX = np.full(256, 255, dtype=np.uint8)
_HEX[[*b"0123456789ABCDEFabcdef"]] = [*range(16), *range(10, 16)]
_NAME = np.zeros(256, dtype=bool)
_NAME[[*b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]] = True
_QUOTES = b"\"'\\"

Values = dict[str, Any]
"""Name -> array (or series) of values, one a sentence."""

COLUMNS = {
    "record": pl.Int64,
    "kind": pl.UInt8,
    "at": pl.Int64,
    "end": pl.Int64,
    "reason": pl.String,
    "unsummed": pl.Boolean,
    "clock_us": pl.Int64,
    "day": pl.Int64,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "speed_kph": pl.Float64,
    "heading_deg": pl.Float64,
    "horizontal_accuracy_m": pl.Float64,
}
"""Columns of decoded sentences: `at` and `end` are bytes, `day` counts from 1970, `clock_us` from midnight UTC."""


@record(frozen=True, eq=False)
class _Found:
    """Sentences of one kind: first byte, end of the body, end; all commas of the buffer and where theirs begin."""

    buffer: np.ndarray
    start: np.ndarray
    body: np.ndarray
    commas: np.ndarray

    @cached_property
    def first(self) -> np.ndarray:
        """Return the index of the first comma of each sentence."""
        return np.searchsorted(self.commas, self.start)

    @cached_property
    def count(self) -> np.ndarray:
        """Return how many fields each sentence has after its name."""
        return np.searchsorted(self.commas, self.body) - self.first

    def field(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where field `number` (from 1) starts and stops; empty where there is none."""
        most = len(self.commas) - 1
        opening = self.commas[np.minimum(self.first + number - 1, most)] + 1
        closing = self.commas[np.minimum(self.first + number, most)]
        start = np.where(number <= self.count, opening, self.body)
        return start, np.where(number < self.count, closing, self.body)

    def number(self, number: int) -> Decimals:
        """Return a field as numbers."""
        return decimals(self.buffer, *self.field(number))

    def letter(self, number: int) -> np.ndarray:
        """Return the only character of a field, 0 where it has none or more."""
        start, stop = self.field(number)
        return np.where(stop - start == 1, self.buffer[start], 0)


def sentences(data: bytes, record: int = 0, offset: int = 0) -> tuple[pl.DataFrame, int, int]:
    """Return the sentences of KINDS (COLUMNS), how many there are of any kind, and the bytes in them.

    `record` sentences and `offset` bytes came before.
    """
    buffer = np.frombuffer(data + bytes(_PADDING), dtype=np.uint8)
    start = _starts(buffer)
    end, body = _ends(buffer, start)
    parts = [pl.DataFrame(schema=COLUMNS)]
    commas = np.flatnonzero(buffer == ord(","))
    name = _names(buffer, start)
    for kind, text in enumerate(KINDS):
        chosen = np.flatnonzero(name == int.from_bytes(text.encode()))
        if len(chosen):
            found = _Found(buffer, start[chosen], body[chosen], commas)
            sums = _sums(buffer, start[chosen], body[chosen], end[chosen])
            places = {"record": chosen + record + 1, "at": start[chosen] + offset, "end": end[chosen] + offset}
            parts.append(_frame(kind, found, sums, places))
    return pl.concat(parts).sort("record"), len(start), int((end - start).sum())


def _starts(buffer: np.ndarray) -> np.ndarray:
    """Return where sentences start: at `$` or `!` first in a line, or before four letters or digits."""
    at = np.flatnonzero((buffer == ord("$")) | (buffer == ord("!")))
    before = buffer[np.maximum(at - 1, 0)]
    in_line = (at > 0) & (before != ord("\n")) & (before != ord("\r"))
    named = np.logical_and.reduce([_NAME[buffer[at + k]] for k in range(1, 5)])
    return at[~in_line | named]


def _ends(buffer: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where sentences end, and where their body does: at the asterisk, if there is one."""
    stop = (buffer - np.uint8(ord(" "))) > ord("~") - ord(" ")  # control characters wrap round to above
    for quote in _QUOTES:
        stop |= buffer == quote
    stops, stars = np.flatnonzero(stop), np.flatnonzero(buffer == ord("*"))
    end = stops[np.searchsorted(stops, start)]
    end[:-1] = np.minimum(end[:-1], start[1:])
    following = np.append(stars, len(buffer))[np.searchsorted(stars, start)]
    starred = following < end
    end = np.where(starred, np.minimum(following + 3, end), end)
    return end, np.where(starred, following, end)


def _names(buffer: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the three letters of each sentence after a talker of two, as a number; 0 where there are none."""
    third, fourth, fifth = (buffer[start + k].astype(np.int32) for k in (3, 4, 5))
    standard = (buffer[start] == ord("$")) & (buffer[start + 1] != ord("P")) & (buffer[start + 6] == ord(","))
    standard &= _NAME[buffer[start + 1]] & _NAME[buffer[start + 2]]
    return np.where(standard, third << 16 | fourth << 8 | fifth, 0)


def _sums(buffer: np.ndarray, start: np.ndarray, body: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which checksums are wrong, and which are not there at all."""
    edges = np.stack([start + 1, body], axis=1).ravel()
    own = np.bitwise_xor.reduceat(buffer, edges)[::2]
    stated = end - body == 3  # noqa: PLR2004 - an asterisk and two digits
    high, low = (_HEX[buffer[np.where(stated, body + k, 0)]].astype(np.int32) for k in (1, 2))
    return (body < end) & ~(stated & ((high << 4 | low) == own)), body == end


def _frame(kind: int, found: _Found, sums: tuple[np.ndarray, np.ndarray], places: Values) -> pl.DataFrame:
    """Return the decoded sentences of one kind."""
    values = _DECODERS[kind](found)
    reasons = {"bad-checksum": sums[0]} | {n: values.pop(n) for n in _REASONS if n in values}
    reason = pl.coalesce(pl.when(pl.Series(mask)).then(pl.lit(name)) for name, mask in reasons.items())
    frame = pl.DataFrame({**places, **values})
    typed = frame.with_columns(kind=pl.lit(kind), reason=reason, unsummed=pl.Series(sums[1]))
    return typed.select(
        (pl.col(n).fill_nan(None) if dtype == pl.Float64 else pl.col(n)).cast(dtype)
        if n in typed.columns
        else pl.lit(None, dtype=dtype).alias(n)
        for n, dtype in COLUMNS.items()
    )


_REASONS = ("no-fix", "not-measured", "bad-time", "bad-position")


def _degrees(found: _Found, number: int, signs: bytes, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees written as `dddmm.mmmm` with the letter of the hemisphere after them, and which are sound."""
    value, letter = found.number(number), found.letter(number + 1)
    whole = value.integer // 100
    minutes = (value.mantissa - whole * 100 * value.power) / value.power
    magnitude = whole + minutes / 60
    sound = value.sound & (minutes < 60) & (magnitude <= most)  # noqa: PLR2004
    sound &= (letter == signs[0]) | (letter == signs[1])
    return np.where(letter == signs[1], -magnitude, magnitude), sound


def _position(found: _Found, first: int) -> Values:
    """Return the position in four fields from `first` on, and whether it is said and sound."""
    latitude, good = _degrees(found, first, b"NS", 90)
    longitude, fine = _degrees(found, first + 2, b"EW", 180)
    empty = [np.equal(*found.field(n)) for n in (first, first + 2)]
    zero = (latitude == 0) & (longitude == 0)
    return {"latitude": latitude, "longitude": longitude, "bad-position": ~(good & fine) | zero} | {
        "no-fix": empty[0] | empty[1]
    }


def _clock(found: _Found) -> Values:
    """Return the time of day in field 1, null where it is none."""
    clock, sound = clock_us(found.number(1))
    return {"clock_us": _where(clock, sound), "bad-time": ~sound}


def _where(values: np.ndarray, sound: np.ndarray) -> pl.Series:
    """Return values, null where they are not sound."""
    mask = pl.Series(sound)
    return pl.select(pl.when(mask).then(pl.Series(values))).to_series()


def _among(letters: np.ndarray, wanted: bytes) -> np.ndarray:
    """Return which letters are among the wanted ones."""
    return np.isin(letters, np.frombuffer(wanted, dtype=np.uint8))


def _rmc(found: _Found) -> Values:
    values = _clock(found) | _position(found, 3)
    date = found.number(9)
    year, month, day = date.integer % 100, date.integer // 100 % 100, date.integer // 10_000
    count, exists = days(np.where(year >= _PIVOT_YEAR, 1900, 2000) + year, month, day)
    exists &= date.sound & (date.whole == 6) & (date.places == 0)  # noqa: PLR2004
    status, mode = found.letter(2), found.letter(12)
    values["no-fix"] |= ~_among(status, b"AD") | (mode == ord("N"))
    values["not-measured"] = _among(mode, b"MS")
    values["bad-time"] |= ~exists
    values["speed_kph"] = found.number(7).floats() * KNOT_KPH
    return values | {"heading_deg": found.number(8).floats(), "day": _where(count, exists)}


def _gga(found: _Found) -> Values:
    values = _clock(found) | _position(found, 2)
    quality = found.letter(6)
    values["no-fix"] |= ~_among(quality, b"12345678")
    return values | {"not-measured": _among(quality, b"78")}


def _gst(found: _Found) -> Values:
    north, east = (found.number(n).floats() for n in (6, 7))
    sigma = np.sqrt((north**2 + east**2) / 2)
    return _clock(found) | {"horizontal_accuracy_m": np.where(sigma > 0, sigma, np.nan)}


def _zda(found: _Found) -> Values:
    day, month, year = (found.number(n) for n in (2, 3, 4))
    count, exists = days(year.integer, month.integer, day.integer)
    exists &= day.sound & month.sound & year.sound & (year.whole == 4)  # noqa: PLR2004
    return _clock(found) | {"day": _where(count, exists)}


def _vtg(found: _Found) -> Values:
    knots = np.where(found.letter(6) == ord("N"), found.number(5).floats() * KNOT_KPH, np.nan)
    kph = np.where(found.letter(8) == ord("K"), found.number(7).floats(), np.nan)
    course = np.where(found.letter(2) == ord("T"), found.number(1).floats(), np.nan)
    fresh = found.letter(9) != ord("N")
    return {"speed_kph": np.where(fresh, np.where(np.isnan(knots), kph, knots), np.nan), "heading_deg": course}


_DECODERS = (_rmc, _gga, _gst, _zda, _vtg)
