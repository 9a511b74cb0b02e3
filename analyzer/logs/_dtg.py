"""DTG records as bytes: their layout found, obfuscation undone, fields decoded column by column."""

from itertools import product

import numpy as np
import polars as pl

from analyzer.logs._numerals import DAY_US, Decimals, clock_us, days
from analyzer.records import record

RECORD_BYTES = 68
HEADERS = (79, 80)
_HEADER_PIECES = (79, 80, 81, 82)
TAILS = (0, 18, 35)
LINE_ENDS = (0, 1, 2)
LEAST_LIKE = 4
KST_US = 9 * 3_600_000_000
KM_M = 1000
NO_POSITION, NO_SPEED, NO_SENSORS = 11, 12, 21
_MODEL_BYTES, _TYPE, _VEHICLE = 20, slice(37, 39), (39, 51)
_TIME, _DOTS, _SIGNS = slice(11, 25), (58, 64), (54, 60)
_ZERO, _DOT = 48, 46
_BLOCK_RECORDS, _REACH_RECORDS = 4096, 64
"""Records looked at in one go, and how far behind them the next one is looked for after lost bytes."""
_MOST_SEAMS = 1000
"""Behind so many places with lost bytes nobody looks for the next record."""


@record(frozen=True)
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
        points = np.bincount(first[first == second], minlength=1)
        for point in np.flatnonzero(points * LEAST_LIKE >= count).tolist():
            key = point ^ _DOT
            like = _like_a_record(buffer[start[:, None] + np.arange(RECORD_BYTES)] ^ np.uint8(key))
            if like.sum() * LEAST_LIKE >= count:
                left = abs(len(buffer) - header - after - count * pitch) if whole else 0
                rank = (not like[0], -int(like.sum()), left, line_end)  # behind a damage records may lie otherwise
                found.append((rank, Layout(header + after, pitch, line_end, key)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _like_a_record(rows: np.ndarray) -> np.ndarray:
    """Return which rows have digits, points and signs where records have them."""
    like = ((rows[:, _TIME] - np.uint8(_ZERO)) <= 9).all(axis=1)  # noqa: PLR2004
    for dot, sign in zip(_DOTS, _SIGNS, strict=True):
        like &= (rows[:, dot] == _DOT) & np.isin(rows[:, sign], [*b"+- 0"])
    tens = (rows[:, 13] - _ZERO, rows[:, 15] - _ZERO, rows[:, 17] - _ZERO)
    return like & (tens[0] <= 1) & (tens[1] <= 3) & (tens[2] <= 2)  # noqa: PLR2004


@record(frozen=True, eq=False)
class Rows:
    """The records of a file, without obfuscation.

    `rows` has the bytes of the whole ones, `start` and `record` where they start and their
    numbers; `broken` has number, start and stop of the others, a row each; `headers` where
    headers start: more than one where files were put one after another.
    """

    data: bytes
    rows: np.ndarray
    start: np.ndarray
    record: np.ndarray
    broken: np.ndarray
    headers: np.ndarray

    @property
    def vehicles(self) -> list[str | None]:
        """Return the registration number in each header, null where there is none."""
        return [_vehicle(self.data[at + _VEHICLE[0] : at + _VEHICLE[1]]) for at in self.headers.tolist()]

    @property
    def header_of(self) -> np.ndarray:
        """Return for each whole record which header is the last before it, from 0."""
        return np.searchsorted(self.headers, self.start, side="right") - 1


def _vehicle(field: bytes) -> str | None:
    """Return a registration number, null where there is none."""
    try:
        return field.decode("cp949").strip("# \x00") or None
    except UnicodeDecodeError:
        return None


def rows_of(data: bytes, layout: Layout) -> Rows:
    """Return the records of a file."""
    plain = np.frombuffer(data, dtype=np.uint8)
    if layout.key:
        plain = plain ^ np.uint8(layout.key)
        data = plain.tobytes()
    pieces = (_lines if layout.line_end else _slices)(plain, layout)
    start, stop, whole, is_header = _headers(data, *pieces, layout.pitch - layout.line_end)
    headers = np.append(0, start[is_header])
    start, stop, whole = start[~is_header], stop[~is_header], whole[~is_header]
    record = np.arange(1, len(start) + 1)
    rows = _bytes_at(plain, start[whole])
    return Rows(data, rows, start[whole], record[whole], np.stack([record, start, stop], axis=1)[~whole], headers)


def _bytes_at(plain: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the bytes of records, a row each: a view where they are evenly spaced."""
    if len(start) > 1 and (pitch := int(start[1] - start[0])) >= RECORD_BYTES and (np.diff(start) == pitch).all():
        window = np.lib.stride_tricks.sliding_window_view(plain[int(start[0]) :], RECORD_BYTES)
        return window[::pitch][: len(start)]
    return plain[start[:, None] + np.arange(RECORD_BYTES)]


def _headers(
    data: bytes, start: np.ndarray, stop: np.ndarray, whole: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the pieces of a file with headers as pieces of their own, and which those are.

    A header may follow a record without a line end, or one that was cut off.
    """
    rows = []
    for number in np.flatnonzero(~whole & (stop - start >= min(HEADERS))).tolist():
        first, last = int(start[number]), int(stop[number])
        at = next((last - n for n in _HEADER_PIECES if n <= last - first and _is_header(data[last - n : last])), None)
        if at is not None:
            rows.append((number, first, at, last))
    found = np.array(rows, dtype=np.int64).reshape(-1, 4)
    number, first, at, last = found[found[:, 1] < found[:, 2]].T
    start, stop, whole = start.copy(), np.append(stop, last), np.append(whole, np.zeros(len(at), dtype=bool))
    is_header = np.zeros(len(stop), dtype=bool)
    is_header[found[found[:, 1] == found[:, 2], 0]] = True
    is_header[len(start) :] = True
    stop[number], whole[number] = at, at - first == size
    start = np.append(start, at)
    order = np.argsort(start, kind="stable")
    return start[order], stop[order], whole[order], is_header[order]


def _is_header(piece: bytes) -> bool:
    """Return whether what is no record is a header: a record begins with digits, a header with a name."""
    text = piece.rstrip(b"\r\n")
    return len(text) in HEADERS and text[_TYPE].isdigit() and not text[:_MODEL_BYTES].isdigit()


Pieces = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Where the pieces of a file start and stop, and which are whole records."""


def _slices(plain: np.ndarray, layout: Layout) -> Pieces:
    """Return records without line ends; behind lost or added bytes they go on where the next one is seen."""
    begin, pitch, seams = layout.header, layout.pitch, 0
    starts, broken = [], []
    while (count := min((len(plain) - begin) // pitch, _BLOCK_RECORDS)) > 0:
        start = begin + np.arange(count) * pitch
        good, following = _seam(plain, start, pitch) if seams < _MOST_SEAMS else (count, -1)
        starts.append(start[:good])
        begin = int(start[0]) + good * pitch
        if good < count:
            broken.append((begin, following))
            begin, seams = following, seams + 1
    if plain[begin:].tobytes().strip():
        broken.append((begin, len(plain)))
    return _sorted(np.concatenate([np.zeros(0, dtype=np.int64), *starts]), pitch, broken)


def _sorted(start: np.ndarray, pitch: int, broken: list[tuple[int, int]]) -> Pieces:
    """Return whole records and broken pieces in the order of the file."""
    low, high = np.array(broken, dtype=np.int64).reshape(-1, 2).T
    first, last = np.concatenate([start, low]), np.concatenate([start + pitch, high])
    whole = np.arange(len(first)) < len(start)
    order = np.argsort(first, kind="stable")
    return first[order], last[order], whole[order]


def _seam(plain: np.ndarray, start: np.ndarray, pitch: int) -> tuple[int, int]:
    """Return how many records there are before the first that is none, and where the next after it starts.

    A record without points or signs in place counts, unless the next one that has them does
    not start a whole number of records later.
    """
    dotted = (plain[start + _DOTS[0]] == _DOT) & (plain[start + _DOTS[1]] == _DOT)
    if dotted.all():
        return len(start), -1
    low = int(start[int(dotted.argmin())])
    high = min(int(start[-1]) + _REACH_RECORDS * pitch, len(plain))
    likely = _likely(plain, low, high)
    odd = start[~dotted]
    behind = np.searchsorted(likely, odd)
    following = np.append(likely, -1)[behind]
    at = np.flatnonzero((following >= 0) & ((following - odd) % pitch != 0))
    if not len(at):
        return len(start), -1
    return int(np.searchsorted(start, odd[at[0]])), int(following[at[0]])


def _likely(plain: np.ndarray, low: int, high: int) -> np.ndarray:
    """Return where in some bytes records start, by points, signs and digits at their places."""
    first, second = (plain[low + dot : high - RECORD_BYTES + dot + 1] == _DOT for dot in _DOTS)
    at = low + np.flatnonzero(first & second)
    return at[_like_a_record(plain[at[:, None] + np.arange(RECORD_BYTES)])]


def _lines(plain: np.ndarray, layout: Layout) -> Pieces:
    """Return records that are lines; one of another length is broken, an empty one is none."""
    ends = np.flatnonzero(plain[layout.header :] == ord("\n")) + layout.header
    stop = np.append(ends, len(plain))
    start = np.append(layout.header, ends + 1)
    stop -= (stop > start) & (plain[stop - 1] == ord("\r"))
    filled = stop > start
    start, stop = start[filled], stop[filled]
    return start, stop, stop - start == layout.pitch - layout.line_end


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
