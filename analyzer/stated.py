"""What the log states at each fix, and what stands in where it does not.

Modes and operators become codes, speeds are derived from the way, accuracies take their
default; what a trip says elsewhere (`Hints`) counts for a leg that does not see it.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from analyzer.geometry import ground_distance_m
from analyzer.ordering import Ordered, change_points, floats
from analyzer.records import record
from analyzer.rules import Evaluation
from analyzer.terms import CONTROL_MODES, SECOND_US

DERIVED_SPEED_WINDOW_US = 2 * SECOND_US
"""A speed that nobody reports is measured over at least this time."""

UNKNOWN_MODE = CONTROL_MODES.index("unknown")
UNSAID = -1
"""Code of a control mode or operator that the log does not say."""

SAID = ("mode_said", "operator_said", "speed_known")
"""What a trip may say at all; a check that needs it is not checkable where it does not."""


@record(frozen=True, eq=False)
class Hints:
    """What the rest of its trip says, for legs that do not see it; `trip` numbers them in the shard.

    `said` by the names of SAID; `type_before` and `type_after` the vehicle type stated last
    before and first after the leg, empty where none is.
    """

    trip: np.ndarray
    said: Mapping[str, np.ndarray]
    type_before: tuple[str, ...]
    type_after: tuple[str, ...]

    def among(self, first: int, count: int) -> "Hints":
        """Return the hints for the trips `[first, first + count)`, numbered from 0."""
        at = np.flatnonzero((self.trip >= first) & (self.trip < first + count))
        said = {name: values[at] for name, values in self.said.items()}
        types = (tuple(told[i] for i in at) for told in (self.type_before, self.type_after))
        return Hints(self.trip[at] - first, said, *types)


def accuracy_m(records: pl.DataFrame, evaluation: Evaluation) -> np.ndarray:
    """Return the horizontal accuracy, the default where the log says none (or nonsense), with that of the grid."""
    stated = _stated_accuracy_m(records, evaluation)
    if "coordinate_error_m" not in records.columns or records["coordinate_error_m"].null_count() == records.height:
        return stated
    return np.hypot(stated, records["coordinate_error_m"].fill_null(0.0).to_numpy())


def _stated_accuracy_m(records: pl.DataFrame, evaluation: Evaluation) -> np.ndarray:
    """Return the horizontal accuracy, the default where the log says none (or nonsense)."""
    if "horizontal_accuracy_m" not in records.columns:
        return np.full(records.height, evaluation.default_accuracy_m)
    accuracy = floats(records, "horizontal_accuracy_m")
    if len(accuracy) and accuracy.min() >= 0 and accuracy.max() < np.inf:
        return accuracy
    with np.errstate(invalid="ignore"):
        good = np.isfinite(accuracy) & (accuracy >= 0)
    return np.where(good, accuracy, evaluation.default_accuracy_m)


def codes(records: pl.DataFrame, name: str, words: tuple[str, ...]) -> np.ndarray:
    """Return the index of each value in `words`, -1 for null."""
    if name not in records.columns or records[name].null_count() == records.height:
        return np.full(records.height, UNSAID, dtype=np.int8)
    physical = records[name].cast(pl.Enum(words)).to_physical()
    if physical.null_count():
        return physical.cast(pl.Int8).fill_null(UNSAID).to_numpy()
    return physical.to_numpy().astype(np.int8, copy=False)


def modes(mode: np.ndarray, said: np.ndarray, trip: np.ndarray, evaluation: Evaluation) -> np.ndarray:
    """Return the modes; unsaid ones are unknown, or assumed where the whole trip says none."""
    unsaid = np.flatnonzero(mode == UNSAID)
    if len(unsaid):
        mode = mode.copy()
        assumed = CONTROL_MODES.index(evaluation.assumed_control_mode)
        mode[unsaid] = np.where(said[trip[unsaid]], UNKNOWN_MODE, assumed)
    return mode


def vehicle_types(
    ordered: Ordered, trips: pl.DataFrame, hints: Hints | None
) -> tuple[tuple[str | None, ...], np.ndarray, np.ndarray | None]:
    """Return the types met, the index of each fix's (0: none), and which fixes state theirs.

    A fix without one has the last stated before it on its trip, else the first after it.
    """
    records = ordered.records
    said = "vehicle_type" in records.columns and records["vehicle_type"].null_count() < records.height
    hinted = hints is not None and any((*hints.type_before, *hints.type_after))
    if not said and not hinted:
        return (None,), np.zeros(records.height, dtype=np.int8), None
    stated = pl.Series("type", [None], dtype=pl.String).new_from_index(0, records.height)
    if said:
        column = pl.col("vehicle_type").cast(pl.String)
        stated = records.select(pl.when(column != "").then(column).alias("type"))["type"]
    if stated.null_count() == 0:
        return *_coded(stated), None
    trip = pl.Series("trip", ordered.trip)
    before, after = (types.gather(trip.cast(pl.UInt32)) for types in _hinted_types(trips, hints))
    filled = pl.DataFrame([stated, trip, before.alias("before"), after.alias("after")]).with_columns(
        earlier=pl.col("type").forward_fill().over("trip"), later=pl.col("type").backward_fill().over("trip")
    )
    given = filled.select(pl.coalesce("earlier", "before", "later", "after").alias("type"))["type"]
    return *_coded(given), stated.is_not_null().to_numpy()


def _coded(types: pl.Series) -> tuple[tuple[str | None, ...], np.ndarray]:
    """Return the types met (index 0 is none), and the index of each."""
    starts = change_points(types)
    heads = types.gather(starts)
    names = sorted(heads.drop_nulls().unique().to_list())
    codes = heads.replace_strict(names, range(1, len(names) + 1), default=0, return_dtype=pl.Int32).to_numpy()
    return (None, *names), np.repeat(codes, np.diff(np.append(starts, len(types))))


def _hinted_types(trips: pl.DataFrame, hints: Hints | None) -> tuple[pl.Series, pl.Series]:
    """Return per trip the types stated before and after it, null where none is."""
    both = np.full((2, trips.height), "", dtype=object)
    if hints is not None:
        both[:, hints.trip] = hints.type_before, hints.type_after
    return tuple(pl.Series([t or None for t in row], dtype=pl.String) for row in both)  # type: ignore[return-value]


def said_of_trips(
    trips: pl.DataFrame, codes: Mapping[str, np.ndarray], speed: np.ndarray, hints: Hints | None
) -> pl.DataFrame:
    """Return per trip whether anything is said of the mode, the operator, the speed."""
    anything = {name: code != UNSAID for name, code in codes.items()}
    anything["speed_known"] = ~np.isnan(speed)
    first = trips["first"].to_numpy()
    said = {n: np.logical_or.reduceat(known, first) for n, known in anything.items()} if len(first) else anything
    if hints is not None:
        for name, values in said.items():
            values[hints.trip] |= hints.said[name]
    return pl.DataFrame(said)


def speeds(
    ordered: Ordered, clock: np.ndarray, hole: np.ndarray, accuracy: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return speed and its error, derived from the path where the log reports none."""
    count = len(clock)
    said = "speed_kph" in ordered.records.columns
    speed = floats(ordered.records, "speed_kph") if said else np.full(count, np.nan)
    if count and speed.min() >= 0 and speed.max() < np.inf:
        return speed, None
    with np.errstate(invalid="ignore"):
        speed = np.where((speed >= 0) & np.isfinite(speed), speed, np.nan)
    lacking = np.flatnonzero(np.isnan(speed))
    error = np.zeros(count)
    near, far = _speed_windows(clock, hole, lacking)
    found = far >= 0
    at, near, far = lacking[found], near[found], far[found]
    lon, lat = ordered.longitude, ordered.latitude
    metres = ground_distance_m(lon[near], lat[near], lon[far], lat[far])
    window_s = np.abs(clock[far] - clock[near]) / SECOND_US
    speed[at] = 3.6 * metres / window_s
    error[at] = 3.6 * z * np.sqrt(2) * np.maximum(accuracy[near], accuracy[far]) / window_s
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
