"""Raw records become fixes, ordered into trips and runs; what cannot is rejected or set aside.

All instants are integer microseconds since 1970 UTC. A *run* is a longest sequence of
fixes of one trip without a hole between them.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from analyzer.geometry import ground_distance_m
from analyzer.rules import Evaluation
from analyzer.samples import insert_samples
from analyzer.tables import RECORDS
from analyzer.terms import CONTROL_MODES, OPERATORS, SECOND_US

SAME_ID_GAP_US = 12 * 3600 * SECOND_US
"""A trip id seen again after longer than this is a new trip."""

DERIVED_SPEED_WINDOW_US = 2 * SECOND_US
"""A speed that nobody reports is measured over at least this time."""

UNKNOWN_MODE = CONTROL_MODES.index("unknown")
UNSAID = -1
"""Code of a control mode or operator that the log does not say."""


@dataclass(frozen=True)
class Fixes:
    """Fixes of whole trips, sorted by trip and time; every array has one entry a fix.

    `clock_us` rises over all trips (time of the trip plus an offset a trip), so one
    binary search finds an instant of a trip. `hole_after` is true where the next fix is
    beyond a hole or in another trip. `speed_kph` is NaN where unknown, `speed_error_kph` 0
    where the speed is reported. `control_mode` and `operator` are indices into
    `CONTROL_MODES` and `OPERATORS`, -1 = not said; `vehicle_type` into `vehicle_types`.
    `interpolated` marks speed and mode samples whose position lies between two fixes.

    `trips` has a row a trip: vehicle_id, trip_id, start_us, end_us, offset_us (clock less
    time), first and last (indices of its fixes), mode_said, operator_said, speed_known.
    """

    trip: np.ndarray
    time_us: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    speed_kph: np.ndarray
    speed_error_kph: np.ndarray
    accuracy_m: np.ndarray
    control_mode: np.ndarray
    operator: np.ndarray
    vehicle_type: np.ndarray
    file: np.ndarray
    record: np.ndarray
    interpolated: np.ndarray
    hole_after: np.ndarray
    segment_m: np.ndarray
    vehicle_types: tuple[str | None, ...]
    trips: pl.DataFrame

    def __len__(self) -> int:
        """Return the number of fixes."""
        return len(self.time_us)


@dataclass(frozen=True)
class FixesMade:
    """Fixes, and what became of the records that are none: rejects and unused samples a file."""

    fixes: Fixes
    rejects: pl.DataFrame
    others: pl.DataFrame


def make_fixes(records: pl.DataFrame, evaluation: Evaluation, z: float) -> FixesMade:
    """Return the fixes of `records` (schema RECORDS and `file`, an index that sorts as paths do).

    `records` must hold all records of each vehicle in it; columns of which nothing is said
    may be absent. `z` is the one-sided normal quantile of the confidence.
    """
    said = complete(records)
    positions, samples = _split_samples(said)
    ordered = _in_time_order(positions)
    ordered, duplicates = _without_duplicates(ordered)
    named = _with_trips(ordered, evaluation)
    kept, jumps, steps = _without_jumps(named, evaluation)
    merged, others = insert_samples(kept, samples, evaluation)
    rejects = pl.concat([_as_rejects(duplicates, "duplicate-time"), _as_rejects(jumps, "position-jump")])
    return FixesMade(_as_fixes(merged, steps if merged is kept else _steps(merged), evaluation, z), rejects, others)


def complete(records: pl.DataFrame) -> pl.DataFrame:
    """Return `records` with every column of RECORDS, null where it had none."""
    missing = [c for c in RECORDS.columns if c.name not in records.columns]
    fills = [pl.lit(None, dtype=c.dtype).alias(c.name) for c in missing]
    return records.with_columns(fills)


def _split_samples(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the position records and the samples."""
    if records["is_sample"].null_count() == records.height:
        return records, records.clear()
    is_sample = pl.col("is_sample").fill_null(value=False)
    return records.filter(~is_sample), records.filter(is_sample)


def _in_time_order(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records by vehicle, time, path and record number."""
    keys = ["vehicle_id", "time", "file", "record"]
    vehicle = records["vehicle_id"].rle_id().to_numpy()
    time = records["time"].to_physical().to_numpy()
    rising = (np.diff(time) > 0) | (np.diff(vehicle) > 0)
    contiguous = records.is_empty() or records["vehicle_id"].n_unique() == vehicle[-1] + 1
    return records if rising.all() and contiguous else records.sort(keys)


def _without_duplicates(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the records less those that a later record of the same instant replaces, and those."""
    time = records["time"].to_physical().to_numpy()
    vehicle = records["vehicle_id"].rle_id().to_numpy()
    replaced = np.zeros(len(time), dtype=bool)
    replaced[:-1] = (np.diff(time) == 0) & (np.diff(vehicle) == 0)
    if not replaced.any():
        return records, records.clear()
    return records.filter(~pl.Series(replaced)), records.filter(pl.Series(replaced))


def _with_trips(records: pl.DataFrame, evaluation: Evaluation) -> pl.DataFrame:
    """Return the records sorted by trip and time, with `trip`, its number."""
    named = records.with_columns(pl.col("trip_id").cast(pl.String).fill_null(""))
    runs = _runs_of_ids(named)
    nameless = named.is_empty() or records["trip_id"].null_count() == records.height
    if not nameless and named.select(pl.struct("vehicle_id", "trip_id").n_unique()).item() != runs[-1] + 1:
        named = named.sort("vehicle_id", "trip_id", "time")
        runs = _runs_of_ids(named)
    limit_us = np.where((named["trip_id"] == "").to_numpy(), round(evaluation.trip_gap_s * SECOND_US), SAME_ID_GAP_US)
    gap_us = np.diff(named["time"].to_physical().to_numpy(), prepend=0)
    starts = (np.diff(runs, prepend=-1) > 0) | (gap_us > limit_us)
    return named.with_columns(trip=pl.Series(np.cumsum(starts) - 1, dtype=pl.Int64))


def _runs_of_ids(records: pl.DataFrame) -> np.ndarray:
    """Return numbers that go up where the vehicle or the trip's id changes."""
    ids = [records[name].rle_id().to_numpy() for name in ("vehicle_id", "trip_id")]
    changes = np.any([np.diff(numbers, prepend=numbers[:1]) != 0 for numbers in ids], axis=0)
    return np.cumsum(changes)


def _without_jumps(records: pl.DataFrame, evaluation: Evaluation) -> tuple[pl.DataFrame, pl.DataFrame, "_Steps"]:
    """Return the records less those between two jumps, those, and the steps of what is left."""
    steps = _steps(records)
    beyond = steps.implied_kph > evaluation.max_plausible_kph
    lone = np.zeros(records.height, dtype=bool)
    lone[1:-1] = beyond[:-2] & beyond[1:-1]
    if not lone.any():
        return records, records.clear(), steps
    kept = records.filter(~pl.Series(lone))
    return kept, records.filter(pl.Series(lone)), _steps(kept)


@dataclass(frozen=True)
class _Steps:
    """From each fix to the next: metres, microseconds, km/h implied; NaN and -1 at a trip's end."""

    metres: np.ndarray
    duration_us: np.ndarray
    implied_kph: np.ndarray


def _steps(records: pl.DataFrame) -> _Steps:
    """Return the steps between consecutive fixes of the same trip."""
    trip = records["trip"].to_numpy()
    time = records["time"].to_physical().to_numpy()
    lon, lat = records["longitude"].to_numpy(), records["latitude"].to_numpy()
    metres = np.full(len(time), np.nan)
    duration = np.full(len(time), -1, dtype=np.int64)
    same = np.flatnonzero(trip[1:] == trip[:-1]) if len(trip) else np.empty(0, dtype=int)
    metres[:-1] = ground_distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    duration[same] = time[same + 1] - time[same]
    metres[duration < 0] = np.nan
    with np.errstate(invalid="ignore"):
        implied = 3.6 * metres / (duration / SECOND_US)
    return _Steps(metres, duration, implied)


def holes_after(steps: _Steps, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Return where no observed segment follows a fix, and the metres to the next fix (0 there)."""
    long = steps.duration_us > round(evaluation.max_gap_s * SECOND_US)
    hole = (steps.duration_us < 0) | long | (steps.implied_kph > evaluation.max_plausible_kph)
    return hole, np.where(hole, 0.0, steps.metres)


def _as_fixes(records: pl.DataFrame, steps: _Steps, evaluation: Evaluation, z: float) -> Fixes:
    """Return the arrays of the fixes."""
    hole, segment_m = holes_after(steps, evaluation)
    time = records["time"].to_physical().to_numpy()
    trips = _trips(records)
    trip = _dense(records["trip"].to_numpy())
    clock = time + trips["offset_us"].to_numpy()[trip]
    lon, lat = records["longitude"].to_numpy(), records["latitude"].to_numpy()
    accuracy = _accuracy_m(records, evaluation)
    speed, error = _speeds(records, clock, hole, accuracy, z)
    mode = _codes(records["control_mode"], CONTROL_MODES)
    operator = _codes(records["operator"], OPERATORS)
    types, type_codes = _vehicle_types(records)
    said = _said(trip, trips.height, mode, operator, speed)
    return Fixes(
        trip=trip,
        time_us=time,
        clock_us=clock,
        longitude=lon,
        latitude=lat,
        speed_kph=speed,
        speed_error_kph=error,
        accuracy_m=accuracy,
        control_mode=_modes(mode, said["mode_said"].to_numpy()[trip], evaluation),
        operator=operator,
        vehicle_type=type_codes,
        file=records["file"].to_numpy(),
        record=records["record"].to_numpy(),
        interpolated=_flags(records["is_sample"]),
        hole_after=hole,
        segment_m=segment_m,
        vehicle_types=types,
        trips=trips.with_columns(said),
    )


def _flags(column: pl.Series) -> np.ndarray:
    """Return truths, null as false."""
    if column.null_count() == len(column):
        return np.zeros(len(column), dtype=bool)
    return column.fill_null(value=False).to_numpy()


def _dense(trip: np.ndarray) -> np.ndarray:
    """Return trip numbers without gaps, in the same order."""
    return np.cumsum(np.diff(trip, prepend=trip[:1]) > 0)


def _trips(records: pl.DataFrame) -> pl.DataFrame:
    """Return one row a trip, nameless ones named by their first instant."""
    ends = np.flatnonzero(np.diff(records["trip"].to_numpy(), append=-1) != 0)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if len(ends) else ends
    time = records["time"].to_physical().to_numpy()
    spans = time[ends] - time[starts] + SECOND_US
    offset = np.concatenate([[0], np.cumsum(spans)])[:-1][: len(starts)] - time[starts]
    head = records[starts].select(pl.col("vehicle_id").cast(pl.String), "trip_id")
    trips = head.with_columns(start_us=time[starts], end_us=time[ends], offset_us=offset, first=starts, last=ends)
    names = [t or instant_text(s) for t, s in trips.select("trip_id", "start_us").iter_rows()]
    return trips.with_columns(trip_id=pl.Series(names, dtype=pl.String))


def instant_text(time_us: int) -> str:
    """Return an instant as ISO 8601 in UTC with `Z`, fractions only where there are any."""
    instant = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
    return instant.isoformat().replace("+00:00", "Z")


def _accuracy_m(records: pl.DataFrame, evaluation: Evaluation) -> np.ndarray:
    """Return the horizontal accuracy, the default where the log says none (or nonsense)."""
    accuracy = records["horizontal_accuracy_m"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    with np.errstate(invalid="ignore"):
        good = np.isfinite(accuracy) & (accuracy >= 0)
    return np.where(good, accuracy, evaluation.default_accuracy_m)


def _codes(column: pl.Series, words: tuple[str, ...]) -> np.ndarray:
    """Return the index of each value in `words`, -1 for null."""
    if column.null_count() == len(column):
        return np.full(len(column), UNSAID, dtype=np.int8)
    codes = column.cast(pl.String).cast(pl.Enum(words)).to_physical().cast(pl.Int8)
    return codes.fill_null(UNSAID).to_numpy()


def _modes(mode: np.ndarray, said: np.ndarray, evaluation: Evaluation) -> np.ndarray:
    """Return the modes; unsaid ones are unknown, or assumed where the whole trip says none."""
    assumed = CONTROL_MODES.index(evaluation.assumed_control_mode)
    return np.where(mode != UNSAID, mode, np.where(said, UNKNOWN_MODE, assumed)).astype(np.int8)


def _vehicle_types(records: pl.DataFrame) -> tuple[tuple[str | None, ...], np.ndarray]:
    """Return the types that the log states, and the index of each fix's; index 0 is none."""
    column = records["vehicle_type"]
    if column.null_count() == len(column):
        return (None,), np.zeros(len(column), dtype=np.int32)
    text = pl.col("vehicle_type").cast(pl.String)
    text = pl.when(text != "").then(text)
    filled = records.select(text.forward_fill().over("trip"), "trip").select(
        pl.col("vehicle_type").backward_fill().over("trip")
    )["vehicle_type"]
    types = sorted(filled.drop_nulls().unique().to_list())
    codes = filled.replace_strict(types, range(1, len(types) + 1), default=0, return_dtype=pl.Int32)
    return (None, *types), codes.to_numpy()


def _said(trip: np.ndarray, trips: int, mode: np.ndarray, operator: np.ndarray, speed: np.ndarray) -> pl.DataFrame:
    """Return per trip whether anything is said of the mode, the operator, the speed."""
    anything = {
        "mode_said": mode != UNSAID,
        "operator_said": operator != UNSAID,
        "speed_known": ~np.isnan(speed),
    }
    counts = {n: np.bincount(trip[known], minlength=trips) for n, known in anything.items()}
    return pl.DataFrame({name: count > 0 for name, count in counts.items()})


def _speeds(
    records: pl.DataFrame, clock: np.ndarray, hole: np.ndarray, accuracy: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return speed and its error, derived from the path where the log reports none."""
    speed = records["speed_kph"].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    speed[~np.isfinite(speed)] = np.nan
    with np.errstate(invalid="ignore"):
        speed[speed < 0] = np.nan
    error = np.zeros(len(speed))
    lacking = np.flatnonzero(np.isnan(speed))
    if len(lacking):
        near, far = _speed_windows(clock, hole, lacking)
        found = far >= 0
        at, near, far = lacking[found], near[found], far[found]
        lon, lat = records["longitude"].to_numpy(), records["latitude"].to_numpy()
        metres = ground_distance_m(lon[near], lat[near], lon[far], lat[far])
        window_s = np.abs(clock[far] - clock[near]) / SECOND_US
        speed[at] = 3.6 * metres / window_s
        sigma = np.maximum(accuracy[near], accuracy[far])
        error[at] = 3.6 * z * np.sqrt(2) * sigma / window_s
    return speed, error


def _speed_windows(clock: np.ndarray, hole: np.ndarray, lacking: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each fix both ends of the run from which its speed is derived, -1 = none."""
    run = np.concatenate([[0], np.cumsum(hole)[:-1]])
    after = np.searchsorted(clock, clock[lacking] + DERIVED_SPEED_WINDOW_US)
    before = np.searchsorted(clock, clock[lacking] - DERIVED_SPEED_WINDOW_US, side="right") - 1
    follows = run[np.minimum(after, len(run) - 1)] == run[lacking]
    follows &= after < len(run)
    precedes = (before >= 0) & (run[before] == run[lacking])
    return lacking, np.where(follows, after, np.where(precedes, before, -1))


def _as_rejects(records: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Return rows of the table of rejects (with `file` still an index)."""
    instant = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    place = pl.format("{} {}", pl.col("longitude"), pl.col("latitude"))
    words = pl.format("{} {} {}", pl.col("vehicle_id").cast(pl.String), instant, place)
    return records.select("file", "record", pl.lit(reason).alias("reason"), words.alias("text"))
