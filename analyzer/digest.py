"""What is kept of a slice once its pieces are made: the pieces, and the fixes that may be asked for again.

Fixes are many, pieces few, and of most fixes nothing is asked any more. Kept are those of
broken pieces and around them, the ends of trips, legs and holes, and changes of mode: so
the digests of several slices are judged together, as one track.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import polars as pl

from analyzer.epochs import epochs_between
from analyzer.evidence import way_um_at
from analyzer.fixes import Fixes
from analyzer.membership import ZoneIndex
from analyzer.records import record
from analyzer.terms import SECOND_US
from analyzer.track import Track, fix_at
from analyzer.zones import ZoneSet

ARRAYS = (
    "time_us",
    "clock_us",
    "longitude",
    "latitude",
    "speed_kph",
    "accuracy_m",
    "control_mode",
    "operator",
    "file",
    "record",
    "hole_after",
    "segment_um",
)
"""Arrays of fixes that are simply put together."""


@record(frozen=True, eq=False)
class Digest:
    """Pieces with `way_um` and `top_speed_kph` (NaN: unknown), and the fixes kept with their combinations."""

    fixes: Fixes
    combination: np.ndarray
    pieces: pl.DataFrame


def digest(track: Track, broken: np.ndarray, *, whole: bool) -> Digest:
    """Return what is kept of a track, of which some pieces are `broken`; `whole` keeps all fixes."""
    fixes, pieces = track.fixes, track.pieces
    start, end, ends_run = (pieces[name].to_numpy() for name in ("start_us", "end_us", "ends_run"))
    way = way_um_at(fixes, end) - way_um_at(fixes, start)
    top_speed_kph = _top_speed(fixes, start, end, ends_run)
    measured = pieces.hstack([pl.Series("way_um", way), pl.Series("top_speed_kph", top_speed_kph)])
    if whole:
        return Digest(fixes, track.combination, measured)
    kept = _kept(fixes, start[broken], end[broken])
    return Digest(_some(fixes, kept), track.combination[kept], measured)


def _top_speed(fixes: Fixes, start: np.ndarray, end: np.ndarray, ends_run: np.ndarray) -> np.ndarray:
    """Return the largest speed in force in each piece, NaN where none is known."""
    low = fix_at(fixes, start)
    side_right = np.searchsorted(fixes.clock_us, end, side="right")
    high = np.where(ends_run | (end == start), side_right, np.searchsorted(fixes.clock_us, end, side="left"))
    bounds = np.column_stack([low, np.maximum(high, low + 1)]).ravel()
    known = fixes.speed_kph if fixes.speed_error_kph is None else np.nan_to_num(fixes.speed_kph, nan=-1.0)
    if len(bounds) and bounds[-1] == len(known):
        known = np.append(known, -1.0)
    top = np.maximum.reduceat(known, bounds)[::2] if len(bounds) else np.empty(0)
    return np.where(top < 0, np.nan, top)


def _kept(fixes: Fixes, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the fixes to keep: `start` and `end` are those of broken pieces, sorted."""
    mask = np.zeros(len(fixes), dtype=bool)
    trips = fixes.trips
    for name in ("first", "last", "own_first", "own_last"):
        mask[np.clip(trips[name].to_numpy(), 0, len(fixes) - 1)] = True
    mask[fixes.holes] = True
    mask[np.minimum(fixes.holes + 1, len(fixes) - 1)] = True
    mask[np.flatnonzero(fixes.control_mode[1:] != fixes.control_mode[:-1]) + 1] = True
    low = fix_at(fixes, start)
    high = np.minimum(np.searchsorted(fixes.clock_us, end) + 2, len(fixes))
    apart = np.flatnonzero(low[1:] > high[:-1]) + 1
    for first, last in zip(np.append(0, apart), np.append(apart, len(low)) - 1, strict=True) if len(low) else ():
        mask[low[first] : high[last]] = True
    return np.flatnonzero(mask)


def _some(fixes: Fixes, kept: np.ndarray) -> Fixes:
    """Return some fixes, with the indices of trips among them."""
    indices = {
        name: np.searchsorted(kept, fixes.trips[name].to_numpy()) for name in ("first", "last", "own_first", "own_last")
    }
    owned = fixes.trips["own_fixes"].to_numpy() > 0
    indices["own_first"] = np.where(owned, indices["own_first"], indices["first"])
    indices["own_last"] = np.where(owned, indices["own_last"], indices["first"] - 1)
    names = (f.name for f in fields(Fixes) if f.name not in ("vehicle_types", "trips"))
    arrays: dict[str, Any] = {n: None if (values := getattr(fixes, n)) is None else values[kept] for n in names}
    trips = fixes.trips.with_columns(pl.Series(name, values) for name, values in indices.items())
    return replace(fixes, **arrays, trips=trips)


def united(digests: Sequence[Digest], zone_set: ZoneSet, index: ZoneIndex) -> Track:
    """Return the digests of several slices as one track."""
    fixes, clocks = _together([d.fixes for d in digests])
    trip_base = _bases([d.fixes.trips.height for d in digests])
    run_base = _bases([len(d.fixes.holes) for d in digests])
    codes = [_type_codes(d.fixes, fixes.vehicle_types) for d in digests]
    pieces = [
        d.pieces.with_columns(
            pl.col("trip") + trip,
            pl.col("run") + run,
            pl.col("start_us", "end_us") + clock,
            vehicle_type=pl.Series(code[d.pieces["vehicle_type"].to_numpy()]),
        )
        for d, trip, run, clock, code in zip(digests, trip_base, run_base, clocks, codes, strict=True)
    ]
    combination = np.concatenate([d.combination for d in digests])
    epochs = epochs_between(zone_set, int(fixes.time_us.min()), int(fixes.time_us.max()))
    joined = pl.concat(pieces)
    offset = fixes.trips["offset_us"].to_numpy()[joined["trip"].to_numpy()]
    epoch = epochs.of(joined["start_us"].to_numpy() - offset)
    numbered = joined.with_columns(epoch=pl.Series(epoch), kind=pl.Series(epochs.kind[epoch]))
    return Track(fixes, combination, numbered, index, epochs)


def _bases(counts: Sequence[int]) -> list[int]:
    """Return how many come before each."""
    return (np.cumsum(counts) - counts).tolist()


def _type_codes(fixes: Fixes, names: Sequence[str | None]) -> np.ndarray:
    """Return the index among `names` of each vehicle type of some fixes."""
    return np.array([names.index(name) for name in fixes.vehicle_types], dtype=np.int32)


def _together(many: Sequence[Fixes]) -> tuple[Fixes, list[int]]:
    """Return fixes as one, and what is added to the clock of each."""
    if len(many) == 1:
        return many[0], [0]
    clocks = _bases([int(f.clock_us[-1]) + SECOND_US for f in many])
    trips = _bases([f.trips.height for f in many])
    firsts = _bases([len(f) for f in many])
    names = (None, *sorted({name for f in many for name in f.vehicle_types if name is not None}))
    arrays: dict[str, Any] = {name: np.concatenate([getattr(f, name) for f in many]) for name in ARRAYS}
    arrays["clock_us"] = np.concatenate([f.clock_us + clock for f, clock in zip(many, clocks, strict=True)])
    arrays["trip"] = np.concatenate([f.trip + trip for f, trip in zip(many, trips, strict=True)])
    arrays["vehicle_type"] = np.concatenate([_type_codes(f, names)[f.vehicle_type] for f in many])
    indices = ("first", "last", "own_first", "own_last")
    table = pl.concat(
        [
            f.trips.with_columns(pl.col(indices) + first, pl.col("offset_us") + clock)
            for f, first, clock in zip(many, firsts, clocks, strict=True)
        ]
    )
    none = np.zeros if any(f.speed_error_kph is not None for f in many) else None
    maybe: dict[str, Any] = {
        "speed_error_kph": none and _filled([f.speed_error_kph for f in many], [none(len(f)) for f in many]),
        "interpolated": None,
        "type_stated": _types_stated(many),
    }
    return Fixes(**arrays, **maybe, vehicle_types=names, trips=table), clocks


def _types_stated(many: Sequence[Fixes]) -> np.ndarray | None:
    """Return which fixes state their vehicle type, null where all do, or none does."""
    if all(f.type_stated is None for f in many) and len({len(f.vehicle_types) > 1 for f in many}) == 1:
        return None
    return _filled([f.type_stated for f in many], [np.full(len(f), len(f.vehicle_types) > 1) for f in many])


def _filled(arrays: Sequence[np.ndarray | None], instead: Sequence[np.ndarray]) -> np.ndarray:
    """Return arrays as one, some others in the place of those that are null."""
    return np.concatenate([b if a is None else a for a, b in zip(arrays, instead, strict=True)])
