"""The tracks of the map, packed a local day at a time, so that a page unpacks what it shows.

A day is four columns of varints: heads (trip, verdict, vertices, and longitude, latitude and
time of the first vertex, each less that of the line before), then steps of longitude, latitude
and time. Broken stretches are whole 1e-7 degrees (`TIGHT_DEG` of them where a page would be too
large) and milliseconds, all others 2e-6 degrees and seconds.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analyzer.outputs._packing import packed, varints
from analyzer.tracks import VERTICES
from analyzer.windows import local_midnights

VERDICTS = ("compliant", "not_required", "not_observed", "indeterminate", "violation")
"""Verdicts of tracks in the order of drawing, the worst on top."""

BROKEN = ("indeterminate", "violation")
DEG = 1e7
MILLISECOND_US = 1_000
COARSE_DEG, COARSE_MS = 20, 1_000
TIGHT_DEG = 15
"""Broken stretches are rounded to so many 1e-7 degrees at the most: no vertex moves by more than 9 cm along an axis."""


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
    columns = [*((values, fine_deg, COARSE_DEG) for values in degrees), (milliseconds, 1, COARSE_MS)]
    first = np.cumsum(count) - count
    heads = [ordered["trip"].to_numpy(), verdict.to_numpy(), count]
    heads += [np.diff(values[first], prepend=0) for values, _, _ in columns]
    streams = [varints(np.column_stack(heads).ravel())]
    streams += [varints(_steps(values, first, count, np.where(fine, unit, coarse))) for values, unit, coarse in columns]
    sizes = varints(np.array([len(ordered), *map(len, streams)], dtype=np.int64))
    text = packed(sizes + b"".join(streams))
    return Day(date, int(milliseconds.min()), int(milliseconds.max()), len(milliseconds), text)


def _steps(values: np.ndarray, first: np.ndarray, count: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the steps from vertex to vertex of each line, in whole units of the line.

    Every vertex is rounded by itself, counted from the line's first: errors do not add up.
    """
    line = np.repeat(np.arange(len(count)), count)
    steps = np.rint((values - values[first][line]) / unit[line]).astype(np.int64)
    steps[1:] -= np.where(line[1:] == line[:-1], steps[:-1], 0)
    return np.delete(steps, first)
