"""DTG records as bytes: their layout found, obfuscation undone, fields decoded column by column."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from analyzer.logs._numerals import DAY_US, Decimals, clock_us, days
from analyzer.records import record

RECORD_BYTES = 68
HEADERS = (79, 80)
TAILS = (0, 18, 35)
LINE_ENDS = (0, 1, 2)
LEAST_LIKE = 4
KST_US = 9 * 3_600_000_000
KM_M = 1000
NO_POSITION, NO_SPEED, NO_SENSORS = 11, 12, 21
_VEHICLE = slice(39, 51)
_TIME, _DOTS, _SIGNS = slice(11, 25), (58, 64), (54, 60)
_ZERO, _DOT = 48, 46


@dataclass(frozen=True)
class Layout:
    """Where records lie: bytes of the header, from record to record, of the line end, and the obfuscating byte."""

    header: int
    pitch: int
    line_end: int
    key: int


def layout_of(head: bytes, *, whole: bool) -> Layout | None:
    """Return the layout of a file by its first bytes (`whole`: there are no more), null where it is no DTG.

    The obfuscating byte is read off the decimal points, which are at fixed places: it is 0
    in a plain file. With 14 digits, two points and two signs in place, no chance makes a
    record; a fourth of the records suffices, because a lost byte shifts all after it.
    """
    buffer = np.frombuffer(head, dtype=np.uint8)
    found = []
    for header, after, tail, line_end in product(HEADERS, LINE_ENDS, TAILS, LINE_ENDS):
        pitch = RECORD_BYTES + tail + line_end
        count = (len(buffer) - header - after - RECORD_BYTES) // pitch + 1
        if count < 1:
            continue
        start = header + after + np.arange(count) * pitch
        first, second = (buffer[start + dot] for dot in _DOTS)
        point = int(np.bincount(first).argmax())
        if np.count_nonzero((first == point) & (second == point)) * LEAST_LIKE < count:
            continue
        key = point ^ _DOT
        like = _like_a_record(buffer[start[:, None] + np.arange(RECORD_BYTES)] ^ np.uint8(key))
        if like.sum() * LEAST_LIKE >= count:
            left = abs(len(buffer) - header - after - count * pitch) if whole else 0
            found.append((-int(like.sum()), left, line_end, Layout(header + after, pitch, line_end, key)))
    return min(found, key=lambda one: one[:3])[3] if found else None


def _like_a_record(rows: np.ndarray) -> np.ndarray:
    """Return which rows have digits, points and signs where records have them."""
    like = ((rows[:, _TIME] - np.uint8(_ZERO)) <= 9).all(axis=1)  # noqa: PLR2004
    for dot, sign in zip(_DOTS, _SIGNS, strict=True):
        like &= (rows[:, dot] == _DOT) & np.isin(rows[:, sign], [*b"+- 0"])
    tens = (rows[:, 13] - _ZERO, rows[:, 15] - _ZERO, rows[:, 17] - _ZERO)
    return like & (tens[0] <= 1) & (tens[1] <= 3) & (tens[2] <= 2)  # noqa: PLR2004


@record(frozen=True)
class Rows:
    """The records of a file, without obfuscation.

    `rows` has the bytes of the whole ones, `start` and `record` where they start and their
    numbers; `broken` has number, start and stop of the others, a row each.
    """

    data: bytes
    rows: np.ndarray
    start: np.ndarray
    record: np.ndarray
    broken: np.ndarray

    @property
    def vehicle(self) -> str | None:
        """Return the registration number, null where there is none."""
        try:
            return self.data[_VEHICLE].decode("cp949").strip("# \x00") or None
        except UnicodeDecodeError:
            return None


def rows_of(data: bytes, layout: Layout) -> Rows:
    """Return the records of a file."""
    plain = np.frombuffer(data, dtype=np.uint8)
    if layout.key:
        plain = plain ^ np.uint8(layout.key)
        data = plain.tobytes()
    return _lines(data, plain, layout) if layout.line_end else _slices(data, plain, layout)


def _slices(data: bytes, plain: np.ndarray, layout: Layout) -> Rows:
    """Return records without line ends."""
    count = (len(plain) - layout.header) // layout.pitch
    start = layout.header + np.arange(count) * layout.pitch
    stop = layout.header + count * layout.pitch
    rows = plain[layout.header : stop].reshape(count, layout.pitch)[:, :RECORD_BYTES]
    rest = [[count + 1, stop, len(data)]] if data[stop:].strip() else []
    return Rows(data, rows, start, np.arange(1, count + 1), np.array(rest, dtype=np.int64).reshape(-1, 3))


def _lines(data: bytes, plain: np.ndarray, layout: Layout) -> Rows:
    """Return records that are lines; one of another length is broken, an empty one is none."""
    ends = np.flatnonzero(plain[layout.header :] == ord("\n")) + layout.header
    stop = np.append(ends, len(plain))
    start = np.append(layout.header, ends + 1)
    stop -= (stop > start) & (plain[stop - 1] == ord("\r"))
    filled = stop > start
    start, stop = start[filled], stop[filled]
    record = np.arange(1, len(start) + 1)
    good = stop - start == layout.pitch - layout.line_end
    rows = plain[start[good][:, None] + np.arange(RECORD_BYTES)]
    return Rows(data, rows, start[good], record[good], np.stack([record, start, stop], axis=1)[~good])


def decoded(rows: np.ndarray) -> pl.DataFrame:
    """Return the records decoded: `reason` is null where one can become a fix."""
    time_us, timely = _time_us(rows)
    x, y = _number(rows, 33, 42), _number(rows, 42, 51)
    status, speed, heading, total = (_number(rows, *place) for place in ((66, 68), (25, 28), (51, 54), (4, 11)))
    code = np.where(status.sound, status.mantissa, -1)
    longitude, latitude = x.mantissa / 1e6, y.mantissa / 1e6
    placed = x.sound & y.sound & (longitude <= 180) & (latitude <= 90)  # noqa: PLR2004
    placed &= (x.mantissa > 0) | (y.mantissa > 0)
    spoken = speed.sound & (code != NO_SPEED) & (code != NO_SENSORS)
    reasons = {"no-fix": code == NO_POSITION, "bad-time": ~timely, "bad-position": ~placed}
    frame = pl.DataFrame(
        {
            "time": time_us,
            "longitude": longitude,
            "latitude": latitude,
            "speed_kph": np.where(spoken, speed.mantissa, np.nan),
            "heading_deg": np.where(heading.sound, heading.mantissa, np.nan),
            "odometer_m": np.where(total.sound, total.mantissa * KM_M, np.nan),
        }
    )
    return frame.with_columns(
        pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        pl.col("speed_kph", "heading_deg", "odometer_m").fill_nan(None),
        reason=pl.coalesce(pl.when(pl.Series(mask)).then(pl.lit(name)) for name, mask in reasons.items()),
    )


def _number(rows: np.ndarray, start: int, stop: int) -> Decimals:
    """Return whole numbers of fixed width."""
    value = np.zeros(len(rows), dtype=np.int64)
    sound = np.ones(len(rows), dtype=bool)
    for column in range(start, stop):
        digit = rows[:, column] - np.uint8(_ZERO)  # what is below zero wraps round to above nine
        sound &= digit <= 9  # noqa: PLR2004
        value = value * 10 + digit
    places = np.zeros_like(value)
    return Decimals(value, places, places + (stop - start), sound)


def _time_us(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the microseconds since 1970 UTC of `YYMMDDhhmmsscc` in Korean time, and which are sound."""
    year, month, day, hundredths = (_number(rows, a, a + 2) for a in (11, 13, 15, 23))
    clock, timely = clock_us(_number(rows, 17, 23))
    count, exists = days(2000 + year.mantissa, month.mantissa, day.mantissa)
    sound = year.sound & month.sound & day.sound & hundredths.sound & timely & exists
    return count * DAY_US + clock + hundredths.mantissa * 10_000 - KST_US, sound
