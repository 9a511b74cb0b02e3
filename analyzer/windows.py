"""Local windows of time as intervals in UTC, in an IANA time zone, across clock changes.

A window belongs to the local day on which it starts, also where it runs past midnight.
A local time that does not exist (clocks go forward) means the next that does; one that
exists twice (clocks go back) the first. Instants are microseconds since 1970 UTC.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from analyzer.rules import Window

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_S = 86_400


def instant_us(instant: dt.datetime) -> int:
    """Return an aware instant as microseconds since 1970 UTC."""
    return (instant - _EPOCH) // dt.timedelta(microseconds=1)


def local_instant_us(date: dt.date, seconds: int, zone: ZoneInfo) -> int:
    """Return the instant of the clock reading `seconds` after the midnight that starts `date`."""
    naive = dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=seconds)
    return instant_us(resolve_local(naive, zone))


def resolve_local(naive: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the instant of a clock reading: the next that exists, the first of two."""
    first = naive.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
    if first.astimezone(zone).replace(tzinfo=None) == naive:
        return first
    # In a gap the offset before it (fold 0) and after it (fold 1) bound the change of clocks.
    low, high = naive.replace(tzinfo=zone, fold=1).astimezone(dt.UTC), first
    before = low.astimezone(zone).utcoffset()
    while high - low > dt.timedelta(microseconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def _days(zone: ZoneInfo, start_us: int, end_us: int, margin: int) -> Iterator[dt.date]:
    """Yield the local days that meet `[start_us, end_us]`, and `margin` more on both sides."""
    first = local_date(start_us, zone) - dt.timedelta(days=margin)
    last = local_date(end_us, zone) + dt.timedelta(days=margin)
    for number in range((last - first).days + 1):
        yield first + dt.timedelta(days=number)


def local_date(time_us: int, zone: ZoneInfo) -> dt.date:
    """Return the local day of an instant."""
    return (_EPOCH + dt.timedelta(microseconds=time_us)).astimezone(zone).date()


def window_edges(
    windows: Sequence[Window],
    except_dates: Sequence[dt.date],
    timezone: str,
    start_us: int,
    end_us: int,
) -> np.ndarray:
    """Return when the windows are open: int64 (n, 2), merged, sorted, half-open, meeting the span.

    Without windows it is always open but on `except_dates`. No window starts on those.
    """
    zone = ZoneInfo(timezone)
    daily = tuple(windows) or (Window(tuple(range(7)), 0, _DAY_S),)
    spans = []
    for date in _days(zone, start_us, end_us, margin=2):
        if date in except_dates:
            continue
        for window in daily:
            if date.weekday() in window.days:
                opens = local_instant_us(date, window.from_s, zone)
                spans.append((opens, local_instant_us(date, window.to_s, zone)))
    merged = _merged(sorted(spans))
    return np.array([span for span in merged if span[1] > start_us and span[0] <= end_us], dtype=np.int64).reshape(
        -1, 2
    )


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return sorted spans with those that touch or overlap made one, empty ones left out."""
    merged: list[tuple[int, int]] = []
    for opens, closes in spans:
        if closes <= opens:
            continue
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged


def local_midnights(timezone: str, start_us: int, end_us: int) -> list[tuple[int, dt.date]]:
    """Return the first instant of every local day that meets the span, with its date."""
    zone = ZoneInfo(timezone)
    return [(local_instant_us(date, 0, zone), date) for date in _days(zone, start_us, end_us, margin=0)]
