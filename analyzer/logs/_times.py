"""Times of plain tables: ISO 8601, or numbers since 1970, as instants in UTC."""

from functools import partial
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._clock import layout_of, read_clock
from analyzer.logs._excel import SPAN_EXCEL, are_days, days_not_said, local_of, looks_like_days
from analyzer.logs._numbers import MAJORITY, within
from analyzer.logs._remarks import Remark
from analyzer.windows import resolve_local

INSTANT = pl.Datetime("us", "UTC")
PER_UNIT_US = {"timestamp_s": 1_000_000.0, "timestamp_ms": 1_000.0, "timestamp_us": 1.0, "timestamp_ns": 1e-3}
_EARLIEST_US, _LATEST_US = 315_532_800_000_000, 7_258_118_400_000_000
_YEARS_S = (-62_135_510_400, 253_402_214_400)
"""Seconds since 1970 of the years 1 to 9999, less a day at both ends for the offset of a time zone."""
_TICKS = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_SIGNS_OF_TIME = frozenset("-:/TZ")
SPAN_US = (_EARLIEST_US, _LATEST_US)
"""Instants of logs lie in 1980 to 2200."""
_PARTS = (
    r"^(\d{4})[-/.] ?(\d{1,2})[-/.] ?(\d{1,2})\.?[T ]+(?:(오전|오후|AM|PM) ?)?"
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?(AM|PM)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?$"
)
_OFFSET = r"(?:Z|z|:\d\d(?:[.,]\d+)? ?(?:AM|PM)?\s*[+-]\d\d(?::?\d\d)?)\s*$"
_NOON = {"오전": 0, "AM": 0, "오후": 12, "PM": 12}
"""Word of the half of a day -> hours added to 12-hour clocks, on which 12 is 0."""


def instants(
    path: str, column: pl.Series, kind: str, timezone: str | None, said: list[Remark] | None = None
) -> pl.Series:
    """Return the instants of a column, null where one cannot be read.

    `kind` is `timestamp` (text or a datetime) or `timestamp_s/ms/us/ns`. Times without an
    offset need `timezone`; LogError where it is not given, or the unit is plainly another.
    What was assumed is added to `said`.
    """
    said = [] if said is None else said
    if kind != "timestamp":
        return _from_numbers(path, column, kind)
    if isinstance(column.dtype, pl.Datetime):
        return _from_datetimes(path, column, timezone, said)
    if column.dtype.is_numeric():
        return _from_unnamed(path, column, said)
    return _from_texts(path, column.cast(pl.String), timezone, said)


def in_format(path: str, column: pl.Series, layout: str, timezone: str | None) -> tuple[pl.Series, list[Remark]]:
    """Return the instants of texts in the format of a profile (strptime), null where one does not fit, and remarks."""
    said: list[Remark] = []
    try:
        found = column.str.strip_chars().str.to_datetime(layout, strict=False, time_unit="us")
    except pl.exceptions.PolarsError as error:
        message = f"{path}: its times cannot be read by the format {layout!r} ({str(error).splitlines()[0]})"
        raise LogError(message) from error
    return _from_datetimes(path, found, timezone, said), said


def from_days(path: str, days: pl.Series, timezone: str | None) -> tuple[pl.Series, list[Remark]]:
    """Return the instants of local times that are days as Excel counts them, and remarks; null where there is none.

    LogError without a time zone.
    """
    said: list[Remark] = []
    local = local_of(days, _EARLIEST_US, _LATEST_US)
    return _from_datetimes(path, local, timezone, said), said


def _from_unnamed(path: str, column: pl.Series, said: list[Remark]) -> pl.Series:
    """Return instants from numbers of which no name says the unit: their size does, and nothing else can be meant."""
    sizes = column.cast(pl.Float64, strict=False).drop_nulls().drop_nans()
    middle = sizes.median()
    fits = [kind for kind, unit in PER_UNIT_US.items() if middle is not None and _in_range(float(middle) * unit)]  # type: ignore[arg-type]
    if not fits:
        raise LogError(days_not_said(path, column.name) if are_days(sizes) else _unit_not_said(path, column.name))
    said.append(Remark("epoch-unit", path, words=(fits[0].removeprefix("timestamp_"),)))
    return _from_numbers(path, column, fits[0])


def _in_range(micros: float) -> bool:
    """Return whether an instant lies in 1980 to 2200."""
    return _EARLIEST_US <= micros <= _LATEST_US


def _unit_not_said(path: str, name: str) -> str:
    """Return what to say of numbers whose unit nobody says."""
    return (
        f"{path}: column {name!r} holds numbers; rename it to timestamp_s, timestamp_ms, timestamp_us "
        "or timestamp_ns (since 1970 UTC), or name it so in a profile (--profile)"
    )


def _from_numbers(path: str, column: pl.Series, kind: str) -> pl.Series:
    """Return instants from numbers since 1970; whole numbers stay exact."""
    if column.dtype.is_integer():
        micros = _micros_of_whole(column.cast(pl.Int64, strict=False), kind)
    else:
        micros = _micros_of_fractional(column, kind)
    if not within(micros, _EARLIEST_US, _LATEST_US):
        _plausible(path, micros, kind)
        micros = micros.set(~micros.is_between(_EARLIEST_US, _LATEST_US), None)
    return micros.cast(INSTANT)


def _micros_of_whole(whole: pl.Series, kind: str) -> pl.Series:
    """Return microseconds of whole numbers."""
    return whole // 1000 if kind == "timestamp_ns" else whole * int(PER_UNIT_US[kind])


def _micros_of_fractional(column: pl.Series, kind: str) -> pl.Series:
    """Return microseconds of numbers or their texts: the whole ones exactly, others rounded."""
    if column.dtype != pl.String:
        return _rounded(column.cast(pl.Float64), kind)
    text = column.str.strip_chars()
    whole = text.cast(pl.Int64, strict=False)
    micros = _micros_of_whole(whole, kind)
    if whole.null_count() == text.null_count():
        return micros
    return micros.zip_with(whole.is_not_null(), _rounded(text.cast(pl.Float64, strict=False), kind))


def _rounded(number: pl.Series, kind: str) -> pl.Series:
    """Return microseconds of fractional numbers, rounded."""
    seconds = number.floor() if kind == "timestamp_s" else number
    micros = (seconds * PER_UNIT_US[kind]).fill_nan(None)
    bounded = micros.clip(-9e18, 9e18).round().cast(pl.Int64, strict=False)
    if kind != "timestamp_s":
        return bounded
    return bounded + ((number - seconds) * 1e6).fill_nan(None).round().cast(pl.Int64, strict=False)


def _plausible(path: str, micros: pl.Series, kind: str) -> None:
    """Refuse numbers that as a whole lie outside 1980 to 2200: the unit is another."""
    middle = micros.drop_nulls().median()
    if middle is None or _EARLIEST_US <= float(middle) <= _LATEST_US:  # type: ignore[arg-type]
        return
    per = PER_UNIT_US[kind]
    fits = [
        other
        for other, unit in PER_UNIT_US.items()
        if _EARLIEST_US <= float(middle) / per * unit <= _LATEST_US  # type: ignore[arg-type]
    ]
    if not fits and SPAN_EXCEL[0] <= float(middle) / per <= SPAN_EXCEL[1]:  # type: ignore[arg-type]
        raise LogError(days_not_said(path, micros.name))
    hint = f"it looks like {fits[0]}" if fits else "check its unit"
    raise LogError(f"{path}: read as {kind} the times lie outside 1980 to 2200; {hint}")


class NaiveTimeError(LogError):
    """Times without an offset, of which nobody says the zone."""


def _naive_refused(path: str) -> NaiveTimeError:
    """Return the refusal of times without offset."""
    return NaiveTimeError(
        f"{path}: its times have no offset from UTC, so no instant is sure; say their time zone, "
        "for example --timezone Asia/Seoul"
    )


def _from_datetimes(path: str, column: pl.Series, timezone: str | None, said: list[Remark]) -> pl.Series:
    """Return instants from typed datetimes."""
    column = _of_years_that_exist(column)
    if column.dtype.time_zone is not None:  # type: ignore[attr-defined]
        return column.dt.convert_time_zone("UTC").cast(INSTANT)
    if timezone is None:
        raise _naive_refused(path)
    return _located(path, column, timezone, said)


def _of_years_that_exist(column: pl.Series) -> pl.Series:
    """Return datetimes with those outside the years 1 to 9999, which no calendar here can hold, as null."""
    ticks = _TICKS[column.dtype.time_unit]  # type: ignore[attr-defined]
    low, high = (second * ticks for second in _YEARS_S)
    count = column.to_physical()
    return column if within(count, low, high) else column.set(~count.is_between(low, high), None)


def _located(path: str, column: pl.Series, timezone: str, said: list[Remark]) -> pl.Series:
    """Return local times as instants: of two the first, of none the next that exists."""
    local = column.cast(pl.Datetime("us"))
    first, last = (
        local.dt.replace_time_zone(timezone, ambiguous=which, non_existent="null") for which in ("earliest", "latest")
    )
    if (first != last).any():
        said.append(Remark("clock-fold", path))
    found = first.dt.convert_time_zone("UTC").cast(INSTANT)
    skipped = found.is_null() & local.is_not_null()
    if not skipped.any():
        return found
    said.append(Remark("clock-gap", path))
    zone = ZoneInfo(timezone)
    later = [resolve_local(naive, zone) for naive in local.filter(skipped)]
    return found.scatter(skipped.arg_true(), pl.Series(later, dtype=INSTANT))


def _from_texts(path: str, column: pl.Series, timezone: str | None, said: list[Remark]) -> pl.Series:
    """Return instants from texts; where most have an offset, those without one (cut off, say) are none."""
    try:
        return _from_all_texts(path, column, timezone, said)
    except NaiveTimeError:
        bare = ~column.str.contains(_OFFSET).fill_null(value=True)
        if bare.sum() > MAJORITY * len(column):
            raise
        return _from_all_texts(path, column.set(bare, None), timezone, said)


def _from_all_texts(path: str, column: pl.Series, timezone: str | None, said: list[Remark]) -> pl.Series:
    """Return instants from texts: those of one layout by their bytes, whatever is left one by one."""
    if _are_numbers(column):
        return _from_unnamed(path, column, said)
    if looks_like_days(column):
        raise LogError(days_not_said(path, column.name))
    parse = partial(_parsed, path, timezone, said=said)
    layout = layout_of(column)
    clock = read_clock(column, layout, parse) if layout else None
    if clock is None or any(remark.code == "clock-gap" for remark in said):
        found = parse(column)
    else:
        micros, fits = clock
        found = micros.cast(INSTANT)
        if not fits.all():
            found = found.scatter((~fits).arg_true(), parse(column.filter(~fits)))
    return found


def _are_numbers(text: pl.Series) -> bool:
    """Return whether most texts are numbers, looking at all only where the first is one."""
    place = text.is_not_null().arg_max()
    first = None if place is None else text[place]
    if first is None or _SIGNS_OF_TIME & set(first):
        return False
    return int(text.str.contains(r"^\s*\d{9,}(\.\d+)?\s*$").sum()) > MAJORITY * len(text)


def _as_written(path: str, timezone: str | None, column: pl.Series, said: list[Remark] | None = None) -> pl.Series:
    """Return instants from texts: the common form at once, whatever is left by its parts."""
    text = column.str.strip_chars()
    zulu = text.str.replace("Z$", "+00:00")
    fast = zulu.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us")
    fast = fast.dt.convert_time_zone("UTC").cast(INSTANT)
    left = fast.is_null() & text.is_not_null() & (text != "")
    if not left.any():
        return fast
    slow = _by_parts(path, text.filter(left), timezone, [] if said is None else said)
    return fast.scatter(left.arg_true(), slow)


def _parsed(path: str, timezone: str | None, text: pl.Series, said: list[Remark] | None = None) -> pl.Series:
    """Return instants from texts; a second 60 is one only where UTC has leap seconds."""
    found = _as_written(path, timezone, text, said)
    leaps = text.str.contains(r":\d\d:60").fill_null(value=False)
    if not leaps.any():
        return found
    seconds = _leap_seconds(path, text.filter(leaps), timezone)
    if said is not None and (count := len(seconds) - seconds.null_count()):
        said.append(Remark("leap-second", path, count))
    return found.scatter(leaps.arg_true(), seconds)


def _leap_seconds(path: str, text: pl.Series, timezone: str | None) -> pl.Series:
    """Return 23:59:60 UTC as the second after 23:59:59, as POSIX clocks count; null for any other 60."""
    last = _as_written(path, timezone, text.str.replace(r"(:\d\d):60", "${1}:59"))
    midnight = last.dt.offset_by("1s")
    return midnight.set(midnight.dt.truncate("1s") != midnight.dt.truncate("1d"), None)


def _of_24(hour: pl.Expr, half: pl.Expr) -> pl.Expr:
    """Return an hour on the clock of 24, null where a clock of 12 has no such hour."""
    number = hour.cast(pl.Int64)
    added = half.replace_strict(_NOON, default=None, return_dtype=pl.Int64)
    of_12 = pl.when(number.is_between(1, 12)).then(number % 12 + added).cast(pl.String)
    return pl.when(half.is_null()).then(hour).otherwise(of_12)


def _by_parts(path: str, text: pl.Series, timezone: str | None, said: list[Remark]) -> pl.Series:
    """Return instants from texts of other forms of ISO 8601."""
    parts = text.str.extract_groups(_PARTS).struct.unnest()
    names = parts.columns
    year, month, day, before, hour, minute, second, fraction, after, offset = (pl.col(n) for n in names)
    hour = _of_24(hour, pl.coalesce(before, after))
    digits = (fraction.fill_null("") + "000000").str.slice(0, 6)
    canonical = pl.format(
        "{}-{}-{} {}:{}:{}.{}",
        year,
        month.str.zfill(2),
        day.str.zfill(2),
        hour.str.zfill(2),
        minute,
        second.fill_null("00"),
        digits,
    )
    bare = offset.str.replace(":", "").str.replace("^[Zz]$", "+0000")
    minutes = bare.str.slice(1, 2).cast(pl.Int64) * 60 + bare.str.slice(3, 2).str.replace("^$", "0").cast(pl.Int64)
    sign = pl.when(bare.str.starts_with("-")).then(-1).otherwise(1)
    frame = parts.select(
        local=canonical.str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", strict=False, time_unit="us"),
        offset=pl.duration(minutes=minutes * sign),
    )
    naive = frame["local"].is_not_null() & frame["offset"].is_null()
    if naive.any() and timezone is None:
        raise _naive_refused(path)
    aware = (frame["local"] - frame["offset"]).dt.replace_time_zone("UTC").cast(INSTANT)
    if naive.any() and timezone is not None:
        located = _located(path, frame["local"].filter(naive), timezone, said)
        aware = aware.scatter(naive.arg_true(), located)
    return aware
