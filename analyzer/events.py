"""Changes of the control mode: disengagements and others, with time, place and zone."""

import numpy as np
import polars as pl

from analyzer.exposure import zone_names
from analyzer.tables import EVENTS, conform
from analyzer.terms import CONTROL_MODES, DISENGAGED_TO, SECOND_US
from analyzer.track import Track

FLIP_US = SECOND_US // 2
"""A mode held for less than this, between two others, is a flip and no mode of its own."""


def events_of(track: Track, zone_ids: list[str], files: list[str]) -> pl.DataFrame:
    """Return the table of events; trips whose log never says a mode have none."""
    fixes = track.fixes
    first = _phases(track)
    trip = fixes.trip[first]
    changed = np.zeros(len(first), dtype=bool)
    changed[1:] = (track.run_of_fix[first][1:] == track.run_of_fix[first][:-1]) & (
        fixes.control_mode[first][1:] != fixes.control_mode[first][:-1]
    )
    changed &= fixes.trips["mode_said"].to_numpy()[trip]
    place = np.flatnonzero(changed)
    at, before = first[place], first[place - 1]
    return _table(track, at, before, zone_ids, files)


def _phases(track: Track) -> np.ndarray:
    """Return the first fix of every phase of one mode, flips left out."""
    fixes, run = track.fixes, track.run_of_fix
    new = np.ones(len(fixes), dtype=bool)
    new[1:] = (np.diff(fixes.control_mode) != 0) | (np.diff(run) != 0)
    first = np.flatnonzero(new)
    if not len(first):
        return first
    inner = np.zeros(len(first), dtype=bool)
    inner[1:-1] = (run[first][1:-1] == run[first][:-2]) & (run[first][1:-1] == run[first][2:])
    lasts_us = np.diff(fixes.clock_us[first], append=np.iinfo(np.int64).max)
    return first[~(inner & (lasts_us < FLIP_US))]


def _table(track: Track, at: np.ndarray, before: np.ndarray, zone_ids: list[str], files: list[str]) -> pl.DataFrame:
    """Return the rows of the changes at fixes `at` from the mode of fixes `before`."""
    fixes = track.fixes
    modes = np.array(CONTROL_MODES, dtype=object)
    from_mode, to_mode = modes[fixes.control_mode[before]], modes[fixes.control_mode[at]]
    disengaged = (from_mode == "autonomous") & np.isin(to_mode.astype(str), DISENGAGED_TO)
    trips = fixes.trips[fixes.trip[at]]
    row = np.searchsorted(track.rows.fix, at)
    names = np.array(zone_names(track, zone_ids), dtype=object)
    frame = trips.select("vehicle_id", "trip_id", trip_start="start_us").with_columns(
        time=pl.Series(fixes.time_us[at], dtype=pl.Int64),
        event=pl.Series(np.where(disengaged, "disengagement", "mode-change"), dtype=pl.String),
        from_mode=pl.Series(from_mode.tolist(), dtype=pl.String),
        to_mode=pl.Series(to_mode.tolist(), dtype=pl.String),
        longitude=pl.Series(fixes.longitude[at]),
        latitude=pl.Series(fixes.latitude[at]),
        zone_id=pl.Series(names[track.rows.combination[row]].tolist(), dtype=pl.String),
        initiated_by=pl.lit("unknown"),
        cause=pl.lit("unknown"),
        file=pl.Series([files[i] for i in fixes.file[at]], dtype=pl.String),
        record=pl.Series(fixes.record[at]),
    )
    instants = [pl.col(n).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") for n in ("trip_start", "time")]
    return conform(frame.with_columns(instants), EVENTS)
