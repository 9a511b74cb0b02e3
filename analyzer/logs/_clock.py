"""Times as texts of one layout, taken apart by their bytes instead of parsed one by one.

Date, hour and minute change rarely from record to record, as does the offset: they are
parsed where they change. Seconds and their fraction are digits at fixed places, read
eight bytes at a time as one number each. What does not keep to the layout is left to the
parser of single texts, so that every text gives the same instant as there.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl

from analyzer.logs._words import run_starts
from analyzer.records import record

_LAYOUT = re.compile(r"(\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d):\d\d(?:\.(\d{1,7}))?(?:\s*(?:Z|z|[+-]\d\d(?::?\d\d)?))?")
_MINUTE, _SECOND, _WINDOW = 16, 19, 8
"""Where the minute ends, where the second does, and bytes of a number."""
_ONE_WINDOW = 4
"""Up to so many digits of a fraction lie within eight bytes of the second."""
_SECONDS, _MICRO_DIGITS = 60, 6
_NOTHING = pl.Series([None], dtype=pl.String)
_HIGH, _LOW, _ZEROS, _SIXES = (np.uint64(byte * 0x0101_0101_0101_0101) for byte in (0xF0, 0x0F, 0x30, 0x06))
_PAIRINGS = tuple(
    (np.uint64(1 + (base << bits)), np.uint64(bits), np.uint64(mask))
    for base, bits, mask in (
        (10, 8, 0x00FF_00FF_00FF_00FF),
        (100, 16, 0x0000_FFFF_0000_FFFF),
        (10_000, 32, 0xFFFF_FFFF),
    )
)

Numbers = np.ndarray[Any, np.dtype[np.uint64]]
Micros = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Parse = Callable[[pl.Series], pl.Series]


@record(frozen=True)
class Layout:
    """Texts of one length with `digits` digits after the point of the second, null where none is."""

    length: int
    digits: int

    @property
    def end(self) -> int:
        """Return where the fraction ends and the offset begins."""
        return _SECOND + (1 + self.digits if self.digits else 0)

    @property
    def template(self) -> str:
        """Return what stands up to the end: `#` is a digit, `?` anything."""
        return ("?" * _MINUTE + ":##." + "#" * self.digits)[: self.end]


def layout_of(text: pl.Series) -> Layout | None:
    """Return the layout of the first text, null where it has none that is known here."""
    place = text.is_not_null().arg_max()
    first = None if place is None else text[place]
    match = _LAYOUT.fullmatch(first) if first else None
    return Layout(len(match[0]), len(match[2] or "")) if match else None


def read_clock(text: pl.Series, layout: Layout, parse: Parse) -> tuple[pl.Series, pl.Series] | None:
    """Return microseconds since 1970 and whether each text keeps to the layout.

    `parse` gives the instants of single texts. Null where the minutes change too often to
    gain anything.
    """
    minute, offset = text.str.head(_MINUTE), text.str.tail(layout.length - layout.end)
    starts = run_starts(minute, offset)
    if starts is None or text.is_empty():
        return None
    seconds, fits = _seconds(text, layout)
    fits &= (text.str.len_bytes() == layout.length).fill_null(value=False).to_numpy()
    heads = pl.Series(starts)
    begins = (minute.gather(heads) + ":00" + offset.gather(heads)).zip_with(pl.Series(fits[starts]), _NOTHING)
    begun = parse(begins).cast(pl.Int64)
    lengths = np.diff(starts, append=np.uint32(len(text)))
    seconds += np.repeat(begun.fill_null(0).to_numpy(), lengths)
    if begun.null_count():
        fits &= np.repeat(begun.is_not_null().to_numpy(), lengths)
    return pl.Series(seconds), pl.Series(fits)


def _seconds(text: pl.Series, layout: Layout) -> tuple[Micros, Mask]:
    """Return the microseconds of each text within its minute, and whether they are well-formed."""
    binary = text.cast(pl.Binary).to_frame("text")
    if layout.digits <= _ONE_WINDOW:
        number, fits = _window(binary, layout.template, layout.end)
        power = np.uint64(10 ** (layout.digits + 1) if layout.digits else 1)
        second = number // power
        fraction = number - second * power
    else:
        second, fits = _window(binary, layout.template, _SECOND)
        fraction, also = _window(binary, "?" * _SECOND + layout.template[_SECOND:], layout.end)
        fits &= also
    fits &= second < _SECONDS
    return (second * np.uint64(1_000_000) + _micros(fraction, layout.digits)).view(np.int64), fits


def _micros(fraction: Numbers, digits: int) -> Numbers:
    """Return the digits after the point as microseconds, what is beyond them cut off."""
    if digits <= _MICRO_DIGITS:
        return fraction * np.uint64(10 ** (_MICRO_DIGITS - digits))
    return fraction // np.uint64(10 ** (digits - _MICRO_DIGITS))


def _window(binary: pl.DataFrame, template: str, stop: int) -> tuple[Numbers, Mask]:
    """Return the number that the digits among the eight bytes before `stop` make, and whether they fit."""
    here = pl.col("text").bin.slice(stop - _WINDOW, _WINDOW).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    window = binary.select(here.fill_null(0)).to_series().to_numpy()
    signs = template[stop - _WINDOW : stop]
    digits = _word(b"\xff" if sign == "#" else b"\0" for sign in signs)
    fixed = _word(b"\xff" if sign in ":." else b"\0" for sign in signs)
    marks = _word(sign.encode() if sign in ":." else b"\0" for sign in signs)
    fits = (window & (fixed | digits & _HIGH)) == (marks | digits & _ZEROS)
    fits &= ((window & digits) + (digits & _SIXES)) & (digits & _HIGH) == digits & _ZEROS
    return _number(window & (digits & _LOW)), fits


def _word(parts: Iterable[bytes]) -> np.uint64:
    """Return eight bytes as one number, the first the lowest."""
    return np.uint64(int.from_bytes(b"".join(parts), "little"))


def _number(digits: Numbers) -> Numbers:
    """Return the number of eight decimal digits, one in each byte: pairs, fours, all."""
    for factor, shift, mask in _PAIRINGS:
        digits *= factor
        digits >>= shift
        digits &= mask
    return digits
