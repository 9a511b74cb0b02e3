"""Records in the order in which they were driven: by vehicle or seam, lane, trip and time.

A *lane* is all records of one vehicle with one trip id (all its records without one, too):
what may be one trip. Records of a slice that come in order already, as most logs do, are
looked at but never moved.
"""

from functools import cached_property

import numpy as np
import polars as pl

from analyzer.geometry import segment_lengths_um
from analyzer.records import record
from analyzer.rules import Evaluation
from analyzer.runs import changed
from analyzer.terms import SECOND_US

SAME_ID_GAP_US = 12 * 3600 * SECOND_US
"""A trip id seen again after longer than this is a new trip."""


@record(frozen=True, eq=False)
class Ordered:
    """Position records in order; trip k starts at record `first[k]` and is of lane `lane[k]`.

    `lanes` has a row a lane: seam (-1 in a slice), vehicle_id, trip_id (empty: nameless).
    """

    records: pl.DataFrame
    time_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    first: np.ndarray
    lane: np.ndarray
    lanes: pl.DataFrame

    @staticmethod
    def of(records: pl.DataFrame, first: np.ndarray, lane: np.ndarray, lanes: pl.DataFrame) -> "Ordered":
        """Take arrays from ordered records."""
        longitude, latitude = (floats(records, name) for name in ("longitude", "latitude"))
        return Ordered(records, instants_us(records), longitude, latitude, first, lane, lanes)

    @cached_property
    def last(self) -> np.ndarray:
        """Return the last record of each trip."""
        return np.append(self.first[1:], len(self.time_us))[: len(self.first)] - 1

    @cached_property
    def trip(self) -> np.ndarray:
        """Return the number of the trip of each record."""
        return np.repeat(np.arange(len(self.first), dtype=np.int32), self.last - self.first + 1)


def floats(records: pl.DataFrame, name: str) -> np.ndarray:
    """Return a column as floats, NaN for null; without copying where nothing is null."""
    column = records[name].cast(pl.Float64)
    return (column.fill_null(np.nan) if column.null_count() else column).to_numpy()


def instants_us(records: pl.DataFrame) -> np.ndarray:
    """Return the times as microseconds since 1970 UTC."""
    return records["time"].cast(pl.Int64).to_numpy()


def change_points(column: pl.Series) -> np.ndarray:
    """Return the indices at which a value differs from the one before, 0 first."""
    return np.append(0, changed(column).arg_true().to_numpy().astype(np.int64) + 1)[: len(column)]


def in_order(records: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray, pl.DataFrame, pl.DataFrame]:
    """Return the records by group (vehicle, or seam), time, path and record, and where each group starts.

    With them the duplicates, and `order_met`. Of several records of a group with one time the last
    stands, the others are duplicates; `is_copy` says which of them say in every column what the next
    record says.
    """
    together, starts = _together(records)
    step = _steps_in_time(together, starts)
    backwards = step < 0
    one_file = records.is_empty() or records["file"][0] == records["file"][-1]  # files come one after the other
    met = order_met(together, starts if one_file else _file_starts(together, starts), backwards)
    if backwards.any():
        together = _sorted_groups(together, starts)
        step = _steps_in_time(together, starts)
    replaced = np.append(step == 0, False)[: together.height]
    if not replaced.any():
        return together, starts, together.clear(), met
    mask, at = pl.Series(replaced), np.flatnonzero(replaced)
    return together.filter(~mask), starts - np.searchsorted(at, starts), _duplicates(together, at), met


def _file_starts(together: pl.DataFrame, starts: np.ndarray) -> np.ndarray:
    """Return where the group or the file changes."""
    return np.union1d(starts, change_points(together["file"]))


def order_met(together: pl.DataFrame, cuts: np.ndarray, backwards: np.ndarray) -> pl.DataFrame:
    """Return (vehicle_id, file, inversions, first_us, last_us) of groups of records, which start at `cuts`.

    An inversion is a record that is earlier than the one before it of its vehicle and file.
    """
    if not together.height:
        return pl.DataFrame()
    ends = np.append(cuts[1:], together.height) - 1
    file, time = together["file"], instants_us(together)
    inversions = np.zeros(len(cuts), dtype=np.int64)
    if backwards.any():
        inside = np.append(backwards, False)
        inside[ends] = False
        inversions = np.add.reduceat(inside, cuts, dtype=np.int64)
    return pl.DataFrame(
        {
            "vehicle_id": together["vehicle_id"].gather(cuts).cast(pl.String),
            "file": file.to_numpy()[cuts],
            "inversions": inversions,
            "first_us": time[cuts],
            "last_us": time[ends],
        }
    )


def _duplicates(ordered: pl.DataFrame, replaced: np.ndarray) -> pl.DataFrame:
    """Return the records that are replaced by the next one, with `is_copy`."""
    said = [name for name in ordered.columns if name not in ("file", "record")]
    old, new = ordered[replaced], ordered[replaced + 1]
    same = [old[name].eq_missing(new[name]) for name in said]
    return old.with_columns(is_copy=pl.DataFrame(same).select(pl.all_horizontal(pl.all())).to_series())


def _group(records: pl.DataFrame) -> str:
    """Return the column whose values are ordered by themselves."""
    return "seam" if "seam" in records.columns else "vehicle_id"


def _together(records: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the records group after group, and where each group starts."""
    name = _group(records)
    starts = change_points(records[name])
    if records[name].gather(starts).n_unique() == len(starts):
        return records, starts
    groups = records.partition_by(name, maintain_order=True)
    heights = np.array([group.height for group in groups])
    return pl.concat(groups, rechunk=True), np.cumsum(heights) - heights


def _steps_in_time(records: pl.DataFrame, starts: np.ndarray) -> np.ndarray:
    """Return the microseconds from each record to the next, 1 where that is of another group."""
    step = np.diff(instants_us(records))
    step[starts[1:] - 1] = 1
    return step


def _sorted_groups(records: pl.DataFrame, starts: np.ndarray) -> pl.DataFrame:
    """Return the records with every group in order of time, path and record number."""
    ends = np.append(starts[1:], records.height)
    groups = [records[int(a) : int(b)] for a, b in zip(starts, ends, strict=True)]
    keys = ["time", "file", "record"]
    ordered = [g if (np.diff(instants_us(g)) > 0).all() else g.sort(keys, maintain_order=True) for g in groups]
    return pl.concat(ordered, rechunk=True)


def with_trips(records: pl.DataFrame, starts: np.ndarray, evaluation: Evaluation) -> Ordered:
    """Return records that are in order, their groups beginning at `starts`, cut into lanes and trips."""
    named = records
    if "trip_id" in records.columns and records["trip_id"].null_count() < records.height:
        named = records.with_columns(pl.col("trip_id").cast(pl.String).fill_null(""))
    lane_starts = _lane_starts(named, starts)
    if "trip_id" in named.columns and _recurring(named, lane_starts):
        named = named.sort(_group(named), "trip_id", "time", maintain_order=True)
        lane_starts = _lane_starts(named, change_points(named[_group(named)]))
    lanes = _lanes(named, lane_starts)
    gap_us = np.diff(instants_us(named))
    gaps = np.flatnonzero(gap_us > _longest_gap_us(lanes, lane_starts, named.height, evaluation)) + 1
    first = np.union1d(lane_starts, gaps)
    return Ordered.of(named, first, np.searchsorted(lane_starts, first, side="right") - 1, lanes)


def _lane_starts(records: pl.DataFrame, starts: np.ndarray) -> np.ndarray:
    """Return where the group, which begins at `starts`, or the vehicle or the trip id changes."""
    names = {"vehicle_id", "trip_id"}.intersection(records.columns) - {_group(records)}
    return np.unique(np.concatenate([starts, *(change_points(records[name]) for name in sorted(names))]))


def _recurring(records: pl.DataFrame, lane_starts: np.ndarray) -> bool:
    """Return whether a lane is left and met again."""
    heads = records[lane_starts].select({_group(records), "vehicle_id", "trip_id"})
    return heads.n_unique() != heads.height


def _lanes(records: pl.DataFrame, lane_starts: np.ndarray) -> pl.DataFrame:
    """Return a row a lane."""
    heads = records[lane_starts]
    trip_id = heads["trip_id"].cast(pl.String).fill_null("") if "trip_id" in heads.columns else pl.lit("")
    seam = heads["seam"] if "seam" in heads.columns else pl.lit(-1, dtype=pl.Int64)
    return heads.select(seam.alias("seam"), pl.col("vehicle_id").cast(pl.String), trip_id.alias("trip_id"))


def _longest_gap_us(lanes: pl.DataFrame, starts: np.ndarray, count: int, evaluation: Evaluation) -> np.ndarray | int:
    """Return the longest time between two records of one trip, per step."""
    nameless = (lanes["trip_id"] == "").to_numpy()
    limit = np.where(nameless, round(evaluation.trip_gap_s * SECOND_US), SAME_ID_GAP_US)
    if len(set(limit.tolist())) == 1:
        return int(limit[0])
    return np.repeat(limit, np.diff(np.append(starts, count)))[1:]


@record(frozen=True, eq=False)
class Steps:
    """From each record to the next: micrometres, microseconds (-1 at a trip's end), and which imply too much."""

    way_um: np.ndarray
    duration_us: np.ndarray
    beyond: np.ndarray


def steps_of(ordered: Ordered, evaluation: Evaluation) -> Steps:
    """Return the steps between consecutive records of the same trip; 0 micrometres at a trip's end."""
    count = len(ordered.time_us)
    way, duration = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    way[:-1] = segment_lengths_um(ordered.longitude, ordered.latitude)
    np.subtract(ordered.time_us[1:], ordered.time_us[:-1], out=duration[:-1])
    duration[ordered.last], way[ordered.last] = -1, 0
    return Steps(way, duration, _beyond(way, duration, evaluation.max_plausible_kph))


def _beyond(way_um: np.ndarray, duration_us: np.ndarray, max_kph: float) -> np.ndarray:
    """Return which steps imply more than the speed: few are looked at exactly."""
    beyond = np.zeros(len(way_um), dtype=bool)
    if not len(way_um):
        return beyond
    # No step shorter than the way of the shortest time can imply too much.
    # As unsigned numbers, less one, those that are 0 or -1 (a trip's end) are the largest of all.
    shortest_us = int((duration_us.view(np.uint64) - np.uint64(1)).min()) + 1
    near = np.flatnonzero(way_um > shortest_us * (max_kph / 3.6 * (1 - 1e-9)))
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = 3.6 * way_um[near] / duration_us[near]
    beyond[near] = (implied > max_kph) & (duration_us[near] >= 0)
    return beyond


def without_jumps(ordered: Ordered, steps: Steps, evaluation: Evaluation) -> tuple[Ordered, Steps, np.ndarray]:
    """Return the records less those between two jumps, their steps, and which were kept."""
    kept = np.ones(len(ordered.time_us), dtype=bool)
    kept[1:-1] = ~(steps.beyond[:-2] & steps.beyond[1:-1])
    if kept.all():
        return ordered, steps, kept
    first = ordered.first - np.searchsorted(np.flatnonzero(~kept), ordered.first)
    left = Ordered.of(ordered.records.filter(pl.Series(kept)), first, ordered.lane, ordered.lanes)
    return left, steps_of(left, evaluation), kept
