"""Raw records become fixes, ordered into trips and runs; what cannot is rejected or set aside.

All instants are integer microseconds since 1970 UTC. A *run* is a longest sequence of
fixes of one trip without a hole between them. A *leg* is the part of a trip that a shard
owns: what it judges (`ownership`).
"""

import datetime as dt
from functools import cached_property

import numpy as np
import polars as pl

from analyzer.ordering import Ordered, Steps, in_order, steps_of, with_trips, without_jumps
from analyzer.ownership import Ownership, own_between, own_everything, own_the_middle
from analyzer.records import record
from analyzer.rules import Evaluation
from analyzer.samples import insert_samples
from analyzer.stated import Hints, accuracy_m, codes, modes, said_of_trips, speeds, vehicle_types
from analyzer.tables import RECORDS
from analyzer.terms import CONTROL_MODES, OPERATORS, SECOND_US


@record(frozen=True, eq=False)
class Fixes:
    """Fixes of a shard, sorted by trip and time; every array has one entry a fix.

    `clock_us` rises over all trips (time of the trip plus an offset a trip), so one
    binary search finds an instant of a trip. `hole_after` is true where the next fix is
    beyond a hole or in another trip; `segment_um` are the whole micrometres to the next fix (0 there).
    `speed_kph` is NaN where unknown, `speed_error_kph` null where every speed is reported,
    else 0 where it is. `accuracy_m` is the log's own, the default where it says none.
    `control_mode` and `operator` are indices into `CONTROL_MODES` and `OPERATORS`, -1 = not
    said; `vehicle_type` into `vehicle_types`; `type_stated` is which fixes state theirs
    (null: all, or, with one type, none). `interpolated` (null: none) marks speed and
    mode samples whose position lies between two fixes.

    `trips` has a row a trip: vehicle_id, trip_id (empty: nameless), start_us, end_us,
    offset_us (clock less time), first and last (indices of its fixes), own_first and
    own_last (of its leg; own_last < own_first: none), own_fixes (how many), and the columns
    of SAID.
    """

    trip: np.ndarray
    time_us: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    speed_kph: np.ndarray
    speed_error_kph: np.ndarray | None
    accuracy_m: np.ndarray
    control_mode: np.ndarray
    operator: np.ndarray
    vehicle_type: np.ndarray
    file: np.ndarray
    record: np.ndarray
    interpolated: np.ndarray | None
    hole_after: np.ndarray
    segment_um: np.ndarray
    vehicle_types: tuple[str | None, ...]
    type_stated: np.ndarray | None
    trips: pl.DataFrame

    def __len__(self) -> int:
        """Return the number of fixes."""
        return len(self.time_us)

    @cached_property
    def holes(self) -> np.ndarray:
        """Return the indices of the last fix of every run."""
        return np.flatnonzero(self.hole_after)

    @cached_property
    def driven_um(self) -> np.ndarray:
        """Return the micrometres from the shard's first fix to each, holes left out."""
        driven = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(self.segment_um, out=driven[1:])
        return driven

    def run_of(self, fix: np.ndarray) -> np.ndarray:
        """Return the number of the run of each fix."""
        return np.searchsorted(self.holes, fix)

    def speed_error_of(self, fix: np.ndarray) -> np.ndarray:
        """Return the error of the speed of some fixes."""
        return np.zeros(len(fix)) if self.speed_error_kph is None else self.speed_error_kph[fix]


@record(frozen=True, eq=False)
class FixesMade:
    """Fixes, and what became of the records that are none.

    `rejects` has vehicle_id, file (index), record, reason, text, is_copy (null: no duplicate);
    `others` vehicle_id, file, others: samples that were of no use. `ownership` says what is
    left to seams, `order` in which order records were met (`ordering.order_met`).
    """

    fixes: Fixes
    rejects: pl.DataFrame
    others: pl.DataFrame
    ownership: Ownership
    order: pl.DataFrame


def make_fixes(  # noqa: PLR0913 - what is asked of fixes
    records: pl.DataFrame,
    evaluation: Evaluation,
    z: float,
    seams: pl.DataFrame | None = None,
    *,
    alone: bool = True,
    hints: Hints | None = None,
) -> FixesMade:
    """Return the fixes of `records` (schema RECORDS and `file`, an index that sorts as paths do).

    Columns of which nothing is said may be absent. `z` is the one-sided normal quantile of
    the confidence. With `seams` (seam, own_from_us, own_to_us) the records have `seam`; else
    `alone` says that nobody else has records of these vehicles.
    """
    positions, samples = _split_samples(records)
    ordered_records, starts, duplicates, order = in_order(positions)
    ordered = with_trips(ordered_records, starts, evaluation)
    steps = steps_of(ordered, evaluation)
    if seams is not None:
        ownership = own_between(ordered, seams)
    else:
        ownership = own_everything(ordered) if alone else own_the_middle(ordered, steps)
    all_steps = steps
    left, steps, kept = without_jumps(ordered, all_steps, evaluation)
    jumps = _jumps(ordered, all_steps, _owned(ordered, ownership, np.flatnonzero(~kept)))
    others = _no_others(samples)
    if samples.height:
        left, others = _with_samples(left, samples, evaluation)
        steps = steps_of(left, evaluation)
    rejects = pl.concat([_as_rejects(duplicates, "duplicate-time"), _as_rejects(jumps, "position-jump")])
    return FixesMade(_as_fixes(left, steps, ownership, evaluation, z, hints), rejects, others, ownership, order)


def _split_samples(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the position records and the samples."""
    if "is_sample" not in records.columns or not records["is_sample"].any():
        return records, records.clear()
    is_sample = pl.col("is_sample").fill_null(value=False)
    return records.filter(~is_sample), records.filter(is_sample)


def _owned(ordered: Ordered, ownership: Ownership, some: np.ndarray) -> np.ndarray:
    """Return which of some records (indices) a shard owns."""
    lane, time_us = ordered.lane[ordered.trip[some]], ordered.time_us[some]
    return some[(time_us >= ownership.own_from_us[lane]) & (time_us < ownership.own_to_us[lane])]


def complete(records: pl.DataFrame) -> pl.DataFrame:
    """Return `records` with every column of RECORDS, null where it had none."""
    missing = [c for c in RECORDS.columns if c.name not in records.columns]
    return records.with_columns(pl.lit(None, dtype=c.dtype).alias(c.name) for c in missing)


def _no_others(samples: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, file, others) without any row."""
    return samples.clear().select("vehicle_id", "file", others=pl.lit(0, dtype=pl.Int64))


def _with_samples(ordered: Ordered, samples: pl.DataFrame, evaluation: Evaluation) -> tuple[Ordered, pl.DataFrame]:
    """Return the records with the samples among them as fixes, and counts of the others."""
    numbered = complete(ordered.records).with_columns(
        pl.col("trip_id").cast(pl.String).fill_null(""), trip=pl.Series(ordered.trip).cast(pl.Int64)
    )
    merged, others = insert_samples(numbered, complete(samples), evaluation)
    first = np.flatnonzero(np.diff(merged["trip"].to_numpy(), prepend=-1))
    return Ordered.of(merged.drop("trip"), first, ordered.lane, ordered.lanes), others


def holes_after(steps: Steps, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Return where no observed segment follows a fix, and the micrometres to the next fix (0 there)."""
    # A duration of -1, at a trip's end, is the largest of all as an unsigned number.
    hole = steps.duration_us.view(np.uint64) > np.uint64(round(evaluation.max_gap_s * SECOND_US))
    hole |= steps.beyond
    steps.way_um[np.flatnonzero(hole)] = 0
    return hole, steps.way_um


def _as_fixes(  # noqa: PLR0913 - everything comes together here
    ordered: Ordered,
    steps: Steps,
    ownership: Ownership,
    evaluation: Evaluation,
    z: float,
    hints: Hints | None,
) -> Fixes:
    """Return the arrays of the fixes."""
    records = ordered.records
    hole, segment_um = holes_after(steps, evaluation)
    trips = _trips(ordered, ownership)
    hints = None if hints is None else hints.among(0, trips.height)
    clock = _clock(ordered, trips)
    accuracy = accuracy_m(records, evaluation)
    speed, error = speeds(ordered, clock, hole, accuracy, z)
    mode = codes(records, "control_mode", CONTROL_MODES)
    operator = codes(records, "operator", OPERATORS)
    types, type_codes, stated = vehicle_types(ordered, trips, hints)
    said = said_of_trips(trips, {"mode_said": mode, "operator_said": operator}, speed, hints)
    return Fixes(
        trip=ordered.trip,
        time_us=ordered.time_us,
        clock_us=clock,
        longitude=ordered.longitude,
        latitude=ordered.latitude,
        speed_kph=speed,
        speed_error_kph=error,
        accuracy_m=accuracy,
        control_mode=modes(mode, said["mode_said"].to_numpy(), ordered.trip, evaluation),
        operator=operator,
        vehicle_type=type_codes,
        file=records["file"].to_numpy(),
        record=records["record"].to_numpy(),
        interpolated=_interpolated(records),
        hole_after=hole,
        segment_um=segment_um,
        vehicle_types=types,
        type_stated=stated,
        trips=trips.with_columns(said),
    )


def _interpolated(records: pl.DataFrame) -> np.ndarray | None:
    """Return which fixes are samples, null where none is."""
    if "is_sample" not in records.columns or not records["is_sample"].any():
        return None
    return records["is_sample"].fill_null(value=False).to_numpy()


def _trips(ordered: Ordered, ownership: Ownership) -> pl.DataFrame:
    """Return one row a trip, with the fixes that are owned of it."""
    time, first, last = ordered.time_us, ordered.first, ordered.last
    spans = time[last] - time[first] + SECOND_US
    offset = np.cumsum(spans) - spans - time[first]
    low, high = (bound[ordered.lane] for bound in (ownership.own_from_us, ownership.own_to_us))
    own_first = [a + int(np.searchsorted(time[a : b + 1], t)) for a, b, t in zip(first, last, low, strict=True)]
    own_end = [a + int(np.searchsorted(time[a : b + 1], t)) for a, b, t in zip(first, last, high, strict=True)]
    return ordered.lanes[ordered.lane].with_columns(
        start_us=time[first],
        end_us=time[last],
        offset_us=offset,
        first=first,
        last=last,
        own_first=np.array(own_first, dtype=np.int64),
        own_last=np.array(own_end, dtype=np.int64) - 1,
        own_fixes=np.array(own_end, dtype=np.int64) - np.array(own_first, dtype=np.int64),
    )


def _clock(ordered: Ordered, trips: pl.DataFrame) -> np.ndarray:
    """Return the clock of each fix."""
    offset = trips["offset_us"].to_numpy()
    return ordered.time_us + np.repeat(offset, ordered.last - ordered.first + 1)


def instant_text(time_us: int) -> str:
    """Return an instant as ISO 8601 in UTC with `Z`, fractions only where there are any."""
    instant = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
    return instant.isoformat().replace("+00:00", "Z")


def _jumps(ordered: Ordered, steps: Steps, at: np.ndarray) -> pl.DataFrame:
    """Return records between two jumps, with the speeds that the steps to and from each imply, in km/h."""
    records = ordered.records[at]
    if not len(at):
        return records
    implied = (3.6 * steps.way_um[i] / steps.duration_us[i] for i in (at - 1, at))
    came, went = (pl.lit(pl.Series(kph).round(1)) for kph in implied)
    return records.with_columns(implied=pl.format(" (→ {} km/h, {} km/h →)", came, went))


def _as_rejects(records: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Return rows of the table of rejects (with `file` still an index, and the vehicle)."""
    if records.is_empty():
        return _NO_REJECTS
    instant = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    place = pl.format("{} {}", pl.col("longitude"), pl.col("latitude"))
    implied = pl.col("implied") if "implied" in records.columns else pl.lit("")
    words = pl.format("{} {} {}{}", pl.col("vehicle_id").cast(pl.String), instant, place, implied)
    is_copy = pl.col("is_copy") if "is_copy" in records.columns else pl.lit(None, dtype=pl.Boolean).alias("is_copy")
    vehicle = pl.col("vehicle_id").cast(pl.String)
    # polars 2.1 panics where texts are put together from columns of several chunks.
    return records.rechunk().select(
        vehicle, "file", "record", pl.lit(reason).alias("reason"), words.alias("text"), is_copy
    )


_NO_REJECTS = pl.DataFrame(
    schema={
        "vehicle_id": pl.String,
        "file": pl.Int32,
        "record": pl.Int64,
        "reason": pl.String,
        "text": pl.String,
        "is_copy": pl.Boolean,
    }
)
