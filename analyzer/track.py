"""Trips cut into pieces: stretches in which nothing that a check may ask about changes.

*Rows* are the fixes and the border crossings between them; each stands for the time up
to the next row of its run, the last of a run for its instant only. Rows alike are run
into *pieces* at once, then pieces are cut where an epoch ends. Everything after this
works on pieces.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analyzer.crossings import memberships
from analyzer.epochs import Epochs
from analyzer.fixes import Fixes
from analyzer.membership import ZoneIndex

SPEED_DIGITS = 6
"""Speeds and limits are compared after rounding to this many digits (km/h)."""


@dataclass(frozen=True)
class Rows:
    """Fixes and crossings in order: index of the fix at or before, clock, combination of zones."""

    fix: np.ndarray
    clock_us: np.ndarray
    combination: np.ndarray


@dataclass(frozen=True)
class Track:
    """The fixes of a shard with their rows and pieces.

    `pieces` has, sorted by trip and start: trip, run, start_us and end_us (of the clock),
    epoch, kind, combination, control_mode, operator, vehicle_type, band, moving (1, 0, -1
    unknown), ends_run and starts_run; a piece that ends a run includes its last instant.
    """

    fixes: Fixes
    rows: Rows
    pieces: pl.DataFrame
    index: ZoneIndex
    epochs: Epochs
    run_of_fix: np.ndarray


def speed_bands(thresholds_kph: np.ndarray, speed_kph: np.ndarray) -> np.ndarray:
    """Return how many (sorted) thresholds each speed exceeds; -1 where it is unknown."""
    rounded = np.round(speed_kph, SPEED_DIGITS)
    bands = np.searchsorted(thresholds_kph, rounded, side="left")
    return np.where(np.isnan(rounded), -1, bands).astype(np.int16)


def moving_class(speed_kph: np.ndarray, moving_kph: float) -> np.ndarray:
    """Return 1 where the speed is at least `moving_kph`, 0 below it, -1 where unknown."""
    moving = np.round(speed_kph, SPEED_DIGITS) >= moving_kph
    return np.where(np.isnan(speed_kph), -1, moving).astype(np.int8)


def make_track(fixes: Fixes, index: ZoneIndex, epochs: Epochs, thresholds_kph: np.ndarray, moving_kph: float) -> Track:
    """Return the pieces of all trips; `thresholds_kph` are the distinct speed limits, sorted."""
    rows = _rows(fixes, index)
    run = np.concatenate([[0], np.cumsum(fixes.hole_after)[:-1]]).astype(np.int64)
    states = {
        "trip": fixes.trip[rows.fix],
        "run": run[rows.fix],
        "combination": rows.combination,
        "control_mode": fixes.control_mode[rows.fix],
        "operator": fixes.operator[rows.fix],
        "vehicle_type": fixes.vehicle_type[rows.fix],
        "band": speed_bands(thresholds_kph, fixes.speed_kph)[rows.fix],
        "moving": moving_class(fixes.speed_kph, moving_kph)[rows.fix],
    }
    pieces = _run_lengths(rows, states)
    return Track(fixes, rows, _cut_at(pieces, fixes, epochs), index, epochs, run)


def _rows(fixes: Fixes, index: ZoneIndex) -> Rows:
    """Return the fixes and the crossings between them in order."""
    found = memberships(index, fixes.longitude, fixes.latitude, fixes.clock_us, fixes.hole_after)
    count = np.arange(len(fixes), dtype=np.int64)
    if not len(found.cut_fix):
        return Rows(count, fixes.clock_us, found.combination)
    at = found.cut_fix + 1
    return Rows(
        np.insert(count, at, found.cut_fix),
        np.insert(fixes.clock_us, at, found.cut_us),
        np.insert(found.combination, at, found.cut_combination),
    )


def _run_lengths(rows: Rows, states: dict[str, np.ndarray]) -> pl.DataFrame:
    """Return one piece for every longest sequence of rows alike."""
    changed = np.zeros(len(rows.fix), dtype=bool)
    changed[:1] = True
    for values in states.values():
        changed[1:] |= values[1:] != values[:-1]
    first = np.flatnonzero(changed)
    last = np.append(first[1:], len(rows.fix)) - 1
    run = states["run"]
    starts_run = np.diff(run[first], prepend=-1) != 0
    ends_run = np.diff(run[first], append=-1) != 0
    following = np.minimum(last + 1, len(rows.fix) - 1)
    end = np.where(ends_run, rows.clock_us[last], rows.clock_us[following])
    columns = {name: values[first] for name, values in states.items()}
    spans = {"start_us": rows.clock_us[first], "end_us": end}
    return pl.DataFrame({**columns, **spans, "starts_run": starts_run, "ends_run": ends_run})


def _cut_at(pieces: pl.DataFrame, fixes: Fixes, epochs: Epochs) -> pl.DataFrame:
    """Return the pieces cut at the edges of epochs, with `epoch` and `kind`."""
    cut = cut_pieces(pieces, fixes, epochs.edges_us)
    offset = fixes.trips["offset_us"].to_numpy()[cut["trip"].to_numpy()]
    epoch = epochs.of(cut["start_us"].to_numpy() - offset)
    return cut.with_columns(epoch=pl.Series(epoch), kind=pl.Series(epochs.kind[epoch]))


def cut_pieces(pieces: pl.DataFrame, fixes: Fixes, edges_us: np.ndarray) -> pl.DataFrame:
    """Return the pieces cut at every instant of `edges_us` inside them.

    An edge at the very end of a run leaves a piece of zero length there: the last fix
    stands for its instant, which belongs to what starts at the edge.
    """
    offset = fixes.trips["offset_us"].to_numpy()[pieces["trip"].to_numpy()]
    start, end = pieces["start_us"].to_numpy(), pieces["end_us"].to_numpy()
    ends_run = pieces["ends_run"].to_numpy()
    low = np.searchsorted(edges_us, start - offset, side="right")
    high = np.where(
        ends_run,
        np.searchsorted(edges_us, end - offset, side="right"),
        np.searchsorted(edges_us, end - offset, side="left"),
    )
    extra = np.maximum(high - low, 0)
    if not extra.any():
        return pieces
    piece = np.repeat(np.arange(len(start)), extra + 1)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(extra + 1) - extra - 1, extra + 1)
    edge = np.append(edges_us, 0)
    from_edge = edge[np.clip(low[piece] + place - 1, 0, len(edges_us))] + offset[piece]
    to_edge = edge[np.clip(low[piece] + place, 0, len(edges_us))] + offset[piece]
    is_first, is_last = place == 0, place == extra[piece]
    return pieces[piece].with_columns(
        start_us=pl.Series(np.where(is_first, start[piece], from_edge)),
        end_us=pl.Series(np.where(is_last, end[piece], to_edge)),
        starts_run=pl.Series(pieces["starts_run"].to_numpy()[piece] & is_first),
        ends_run=pl.Series(ends_run[piece] & is_last),
    )


def fix_at(fixes: Fixes, clock_us: np.ndarray) -> np.ndarray:
    """Return the index of the last fix at or before each instant of the clock."""
    return np.searchsorted(fixes.clock_us, clock_us, side="right") - 1


def place_at(fixes: Fixes, clock_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude at each instant, linear between the fixes of a trip."""
    near = fix_at(fixes, clock_us)
    far = np.minimum(near + 1, len(fixes) - 1)
    far = np.where(fixes.trip[far] == fixes.trip[near], far, near)
    span = np.maximum(fixes.clock_us[far] - fixes.clock_us[near], 1)
    share = (clock_us - fixes.clock_us[near]) / span
    return tuple(values[near] + share * (values[far] - values[near]) for values in (fixes.longitude, fixes.latitude))
