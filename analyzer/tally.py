"""What the fixes of a file say of the file: counts that add up over shards.

Reported against implied speed: a *window* runs from the first fix of a stretch of
2^25 µs (33.6 s, on the clock, so the choice does not depend on how a log is divided) to the
first fix at least 2 s later. Its ratio is the mean of the two reported speeds by the speed
that the straight line between them implies. Windows count where the vehicle moved: at least
2 m, and both speeds above 0. What is kept are counts by steps of 1/32 octave (2.2 %), so
that medians of files do not depend on which shard saw which window.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from analyzer.fixes import Fixes
from analyzer.geometry import ground_distance_m
from analyzer.terms import SECOND_US

STRETCH_BITS = 25
WINDOW_US = 2 * SECOND_US
LONGEST_WINDOW_US = 60 * SECOND_US
"""Over longer ways a straight line says too little of a speed."""
LEAST_WAY_M = 2.0
STEPS_AN_OCTAVE = 32
OCTAVES = 5
_EDGES = 2.0 ** (np.arange(-OCTAVES * STEPS_AN_OCTAVE, OCTAVES * STEPS_AN_OCTAVE + 1) / STEPS_AN_OCTAVE)


def ratios_of(fixes: Fixes) -> pl.DataFrame:
    """Return (vehicle_id, file, step, windows): windows owned, by the step of their ratio."""
    near = _anchors(fixes)
    far = np.searchsorted(fixes.clock_us, fixes.clock_us[near] + WINDOW_US)
    inside = far < len(fixes)
    near, far = near[inside], far[inside]
    duration_us = fixes.time_us[far] - fixes.time_us[near]
    mean_kph = (fixes.speed_kph[near] + fixes.speed_kph[far]) / 2
    good = (fixes.trip[near] == fixes.trip[far]) & (duration_us <= LONGEST_WINDOW_US) & _reported(fixes, near, far)
    near, far, duration_us, mean_kph = (values[good] for values in (near, far, duration_us, mean_kph))
    lon, lat = fixes.longitude, fixes.latitude
    metres = ground_distance_m(lon[near], lat[near], lon[far], lat[far])
    moved = metres >= LEAST_WAY_M
    ratio = mean_kph[moved] * (duration_us[moved] / SECOND_US) / (3.6 * metres[moved])
    return _counted(fixes, near[moved], np.searchsorted(_EDGES, ratio, side="right"))


def _anchors(fixes: Fixes) -> np.ndarray:
    """Return the first fixes of the stretches of time of each trip, those that are owned."""
    trips = fixes.trips
    start, end = (trips[name].to_numpy() >> STRETCH_BITS for name in ("start_us", "end_us"))
    count = end - start
    if count.sum() > len(fixes):  # sparse fixes: fewer of them than of stretches
        stretch = fixes.time_us >> STRETCH_BITS
        changes = np.flatnonzero(stretch[1:] != stretch[:-1]) + 1
    else:
        before = np.cumsum(count) - count
        begin = (np.arange(1, count.sum() + 1) + np.repeat(start - before, count)) << STRETCH_BITS
        changes = np.searchsorted(fixes.clock_us, begin + np.repeat(trips["offset_us"].to_numpy(), count))
    first = np.union1d(changes, trips["first"].to_numpy())
    low, high = (trips[name].to_numpy()[fixes.trip[first]] for name in ("own_first", "own_last"))
    return first[(first >= low) & (first <= high)]


def _reported(fixes: Fixes, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Return where both speeds are reported ones above 0."""
    both = (fixes.speed_kph[near] > 0) & (fixes.speed_kph[far] > 0)
    if fixes.speed_error_kph is None:
        return both
    return both & (fixes.speed_error_kph[near] == 0) & (fixes.speed_error_kph[far] == 0)


def _counted(fixes: Fixes, near: np.ndarray, step: np.ndarray) -> pl.DataFrame:
    """Return the windows counted, a row a trip, file and step."""
    rows = np.stack([fixes.trip[near].astype(np.int64), fixes.file[near].astype(np.int64), step.astype(np.int64)])
    rows = rows[:, np.lexsort(rows)]
    heads = np.flatnonzero((np.diff(rows, prepend=-1) != 0).any(axis=0))
    trip, file, step = rows[:, heads]
    vehicles = fixes.trips["vehicle_id"].to_list()
    return pl.DataFrame(
        {
            "vehicle_id": pl.Series([vehicles[t] for t in trip.tolist()], dtype=pl.String),
            "file": file.astype(np.int32),
            "step": step,
            "windows": np.diff(np.append(heads, rows.shape[1])),
        }
    )


def medians(ratios: pl.DataFrame) -> Mapping[int, tuple[float, int]]:
    """Return by file the median ratio (the middle of its step) and how many windows there are."""
    if ratios.is_empty():
        return {}
    summed = ratios.group_by("file", "step").agg(pl.col("windows").sum()).sort("file", "step")
    found = {}
    file, step, windows = (summed[name].to_numpy() for name in ("file", "step", "windows"))
    heads = np.flatnonzero(np.diff(file, prepend=-1))
    for low, high in zip(heads, np.append(heads[1:], len(file)), strict=True):
        total = int(windows[low:high].sum())
        middle = low + int(np.searchsorted(windows[low:high].cumsum(), total / 2))
        exponent = (int(step[middle]) - 0.5) / STEPS_AN_OCTAVE - OCTAVES
        found[int(file[low])] = (2.0**exponent, total)
    return found


def inversions(order: pl.DataFrame) -> Mapping[int, int]:
    """Return by file how often a record of a vehicle is earlier than the one before; files without are left out.

    `order` has a row for what a slice holds of a vehicle and file, in the order of the log:
    vehicle_id, file, inversions inside it, first_us and last_us.
    """
    if order.is_empty():
        return {}
    before = pl.col("last_us").shift(1).over("file", "vehicle_id")
    counts = (
        order.with_columns(between=(before > pl.col("first_us")).fill_null(value=False).cast(pl.Int64))
        .group_by("file")
        .agg((pl.col("inversions") + pl.col("between")).sum().alias("count"))
        .sort("file")
    )
    return {file: count for file, count in counts.iter_rows() if count}
