"""The tracks of the map, packed a local day at a time, so that a page unpacks what it shows.

A day is streams: heads (trip, verdict, vertices, and longitude, latitude and time of the first
vertex, each less that of the line before), then steps of longitude, latitude and time of all
lines that are not broken (whole `COARSE_DEG`, seconds), steps of time of the broken ones
(milliseconds), and their places (`_map_steps`), in whole 1e-7 degrees, or `STEPS_DEG` of them
where a page would be too large.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analyzer.outputs._map_steps import packed_places
from analyzer.outputs._packing import joined, varints
from analyzer.tracks import VERTICES
from analyzer.windows import local_midnights

VERDICTS = ("compliant", "not_required", "not_observed", "indeterminate", "violation")
"""Verdicts of tracks in the order of drawing, the worst on top."""

BROKEN = ("indeterminate", "violation")
DEG = 1e7
MILLISECOND_US = 1_000
COARSE_DEG, COARSE_MS = 20, 1_000
STEPS_DEG = (1, 5, 8, 10, 15)
"""Broken stretches are whole multiples of so many 1e-7 degrees: no vertex moves by more than 9 cm along an axis."""

SAMPLE, UNSURE = 30, 1.05
"""Trips of a sample, and how much smaller than it says the whole may be."""


@dataclass(frozen=True)
class Day:
    """One local day: its ISO date, first and last instant (ms since 1970 UTC), vertices, packed lines."""

    date: str
    start_ms: int
    end_ms: int
    vertices: int
    lines: str


def days_of(tracks: pl.DataFrame, trips: Mapping[tuple[Any, ...], int], timezone: str, fine_deg: int = 1) -> list[Day]:
    """Return the tracks by local day; `trips` numbers (vehicle_id, trip_id, trip_start).

    `fine_deg` is how many 1e-7 degrees the steps of broken stretches are whole multiples of.
    """
    if tracks.is_empty():
        return []
    midnights = local_midnights(timezone, _us(tracks["start"].min()), _us(tracks["end"].max()))
    numbers = [trips[key] for key in tracks.select("vehicle_id", "trip_id", "trip_start").iter_rows()]
    lines = _by_day(tracks.select("verdict", *VERTICES, trip=pl.Series(numbers, dtype=pl.Int64)), midnights)
    dates = {number: date.isoformat() for number, (_, date) in enumerate(midnights)}
    parts = lines.partition_by("day", as_dict=True, maintain_order=True)
    return [_day(dates[number], parts[(number,)], fine_deg) for number in sorted(key[0] for key in parts)]


def days_that_fit(
    tracks: pl.DataFrame, trips: Mapping[tuple[Any, ...], int], timezone: str, room: int
) -> tuple[list[Day], int]:
    """Return the tracks by local day, rounded as little as `room` characters allow, and the step.

    Where nothing is small enough, they are as precise as can be. What a sample says will not fit is not tried.
    """
    trip = tracks.select(pl.struct("vehicle_id", "trip_id", "trip_start").rle_id()).to_series()
    sample = tracks.filter(trip % (int(trip.n_unique()) // SAMPLE + 1) == 0)
    times = _vertices(tracks) / max(_vertices(sample), 1)
    for step in STEPS_DEG:
        if times > 1 and _size(days_of(sample, trips, timezone, step)) * times > room * UNSURE:
            continue
        days = days_of(tracks, trips, timezone, step)
        if _size(days) <= room:
            return days, step
    return days_of(tracks, trips, timezone), STEPS_DEG[0]


def _vertices(tracks: pl.DataFrame) -> int:
    """Return the number of vertices of tracks."""
    return int(tracks["time_us"].list.len().sum())


def _size(days: list[Day]) -> int:
    """Return the characters of days."""
    return sum(len(day.lines) for day in days)


def _us(instant: Any) -> int:
    """Return microseconds since 1970 UTC."""
    return int((instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1))


def _by_day(lines: pl.DataFrame, midnights: list[tuple[int, dt.date]]) -> pl.DataFrame:
    """Return the lines with `day` (number of a midnight), cut at the vertices that lie on one."""
    edges = np.array([us for us, _ in midnights], dtype=np.int64)
    first, last = (lines["time_us"].list.get(k).to_numpy() for k in (0, -1))
    day = np.maximum(np.searchsorted(edges, first, side="right") - 1, 0)
    over = np.searchsorted(edges, last, side="left") - 1 > day
    numbered = lines.with_columns(day=pl.Series(day))
    cut = [part for row in numbered.filter(pl.Series(over)).iter_rows(named=True) for part in _cut(row, edges)]
    return pl.concat([numbered.filter(pl.Series(~over)), pl.DataFrame(cut, schema=numbered.schema)])


def _cut(row: dict[str, Any], edges: np.ndarray) -> list[dict[str, Any]]:
    """Return a line cut at its vertices on a midnight; a hole has none, and stays whole."""
    times = row["time_us"]
    marks = [k for k in np.flatnonzero(np.isin(times, edges)).tolist() if 0 < k < len(times) - 1]
    spans = zip([0, *marks], [*marks, len(times) - 1], strict=True)
    return [
        row | {name: row[name][low : high + 1] for name in VERTICES} | {"day": _day_of(times[low], edges)}
        for low, high in spans
    ]


def _day_of(time_us: int, edges: np.ndarray) -> int:
    """Return the number of the last midnight at or before an instant."""
    return max(int(np.searchsorted(edges, time_us, side="right")) - 1, 0)


def _day(date: str, lines: pl.DataFrame, fine_deg: int) -> Day:
    """Return one day, packed: trip after trip, in order of time."""
    ordered = lines.with_columns(first=pl.col("time_us").list.first()).sort("trip", "first", "verdict")
    count = ordered["time_us"].list.len().to_numpy().astype(np.int64)
    flat = ordered.select(pl.col(VERTICES).list.explode(keep_nulls=False, empty_as_null=False))
    verdict = ordered["verdict"].replace_strict(list(VERDICTS), range(len(VERDICTS)), return_dtype=pl.Int64)
    fine = ordered["verdict"].is_in(BROKEN).to_numpy()
    degrees = [np.rint(flat[name].to_numpy() * DEG).astype(np.int64) for name in VERTICES[:2]]
    milliseconds = flat["time_us"].to_numpy() // MILLISECOND_US
    first = np.cumsum(count) - count
    heads = [ordered["trip"].to_numpy(), verdict.to_numpy(), count]
    heads += [np.diff(values[first], prepend=0) for values in (*degrees, milliseconds)]
    spread = _Spread(first, count)
    units = [spread.units(values, np.where(fine, fine_deg, COARSE_DEG)) for values in degrees]
    units.append(spread.units(milliseconds, np.where(fine, 1, COARSE_MS)))
    coarse, broken = (spread.later & of[spread.line] for of in (~fine, fine))
    streams = [varints(np.column_stack(heads).ravel())]
    streams += [varints(np.diff(values, prepend=0)[coarse]) for values in units]
    streams.append(varints(np.diff(units[2], prepend=0)[broken]))
    own = fine[spread.line]
    order, bits, places = packed_places([values[own] for values in units[:2]], spread.place[own])
    text = joined([*streams, *places], len(ordered), order, bits)
    return Day(date, int(milliseconds.min()), int(milliseconds.max()), len(milliseconds), text)


class _Spread:
    """The vertices of lines, one after the other."""

    def __init__(self, first: np.ndarray, count: np.ndarray) -> None:
        self.first = first
        self.line = np.repeat(np.arange(len(count)), count)
        self.place = np.arange(len(self.line)) - first[self.line]
        self.later = self.place > 0

    def units(self, values: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Return values in whole units of their line, counted from its first vertex.

        Every vertex is rounded by itself: errors do not add up.
        """
        return np.rint((values - values[self.first][self.line]) / unit[self.line]).astype(np.int64)
