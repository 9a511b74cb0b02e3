"""Several time columns in one table: one is used, the others are named and compared with it.

Our own names come first, then names of when a position was measured, then those of the
device, and those of when a record was received or written last; a profile decides
otherwise. Another clock that is a constant minute or more away is told, never corrected.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import BESIDE, RECEIVED, TIMES, kind_of_time, simple
from analyzer.logs._remarks import Remark
from analyzer.logs._times import instants

SAMPLE_RECORDS = 1000
"""Records of a part whose clocks are compared: the first ones."""

HALF_HOUR_S = 1800
NEAR_S = 5.0
"""Two clocks whole half hours apart agree on the rest up to this."""
APART_S = 60.0
"""A receipt this much later than the measurement is an ordinary delay of a network."""


def compared(
    path: str, frame: pl.DataFrame, columns: Mapping[str, str], time: pl.Series, timezone: str | None
) -> Iterator[Remark]:
    """Yield what to say of the time columns; `time` are the instants that are used."""
    used = columns[next(kind for kind in TIMES if kind in columns)]
    others = [columns[name] for name in BESIDE if name in columns]
    if others:
        yield Remark("other-times", path, words=(", ".join((used, *others)),))
    elif simple(used) in RECEIVED:
        yield Remark("time-of-receipt", path, words=(used,))
    for other in others:
        apart = _apart_s(path, frame[other].head(SAMPLE_RECORDS), time.head(SAMPLE_RECORDS), timezone)
        if apart is not None:
            yield Remark("times-apart", path, words=(f"{other} {_written(apart)}",))


def _apart_s(path: str, other: pl.Series, time: pl.Series, timezone: str | None) -> float | None:
    """Return the median seconds another clock is ahead, null where it agrees, or says no instants."""
    try:
        theirs = instants(path, other, kind_of_time(other.name), timezone)
    except LogError:  # seconds of a day or a week, or local times without a zone
        return None
    median = (theirs - time).dt.total_microseconds().median()
    if median is None or abs(float(median)) < APART_S * 1e6:  # type: ignore[arg-type]
        return None
    return float(median) / 1e6  # type: ignore[arg-type]


def _written(apart_s: float) -> str:
    """Return a difference in hours where it is near whole half hours, else in seconds."""
    steps = round(apart_s / HALF_HOUR_S)
    return f"{steps / 2:+g} h" if abs(apart_s - steps * HALF_HOUR_S) < NEAR_S else f"{apart_s:+.0f} s"
