"""Legs cut into pieces: stretches in which nothing that a check may ask about changes.

A fix stands for the time up to the next fix of its run, the last of a run for its instant
only. Where any state changes from one fix to the next, or the way between two fixes meets
a border, a piece starts; pieces are then cut where an epoch ends. Fixes are many and looked
at once, with a few array operations each; everything after this works on pieces.

Invariants: pieces are sorted by clock and never overlap; those of a leg cover it without
a gap but for its holes; a piece lies within one run, one leg and one epoch.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

from analyzer.crossings import Memberships, memberships
from analyzer.epochs import Epochs
from analyzer.fixes import Fixes
from analyzer.membership import ZoneIndex
from analyzer.records import record

SPEED_DIGITS = 6
"""Speeds and limits are compared after rounding to this many digits (km/h)."""


@record(frozen=True, eq=False)
class Track:
    """The fixes of a shard with the pieces of its legs.

    `combination` is, per fix, that of the zones in the open interval after it. `pieces` has,
    sorted by trip and start: trip, run, start_us and end_us (of the clock), epoch, kind,
    combination, control_mode, operator, vehicle_type, band, moving (1, 0, -1 unknown),
    ends_run and starts_run; a piece that ends a run includes its last instant.
    """

    fixes: Fixes
    combination: np.ndarray
    pieces: pl.DataFrame
    index: ZoneIndex
    epochs: Epochs


@cache
def _least(bound_kph: float, *, above: bool) -> float:
    """Return the least float that, rounded, is at least `bound_kph`, or above it."""
    low, high = bound_kph - 2e-6, bound_kph + 2e-6
    while (middle := (low + high) / 2) not in (low, high):
        rounded = np.round(middle, SPEED_DIGITS)
        if rounded > bound_kph or (rounded == bound_kph and not above):
            high = middle
        else:
            low = middle
    return float(high)


def speed_bands(thresholds_kph: np.ndarray, speed_kph: np.ndarray) -> np.ndarray:
    """Return how many (sorted) thresholds each rounded speed exceeds; -1 where it is unknown."""
    bands = np.zeros(len(speed_kph), dtype=np.int16)
    for threshold in thresholds_kph.tolist():
        bands += speed_kph >= _least(threshold, above=True)
    return _unless_unknown(bands, speed_kph)


def moving_class(speed_kph: np.ndarray, moving_kph: float) -> np.ndarray:
    """Return 1 where the rounded speed is at least `moving_kph`, 0 below it, -1 where unknown."""
    moving = speed_kph >= _least(float(moving_kph), above=False)
    return _unless_unknown(moving.view(np.int8), speed_kph)


def _unless_unknown(codes: np.ndarray, speed_kph: np.ndarray) -> np.ndarray:
    """Return the codes, -1 where the speed is unknown."""
    if len(speed_kph) and np.isnan(speed_kph.min()):
        codes[np.isnan(speed_kph)] = -1
    return codes


def make_track(  # noqa: PLR0913 - all that cuts a trip
    fixes: Fixes,
    index: ZoneIndex,
    epochs: Epochs,
    midnights_us: np.ndarray,
    thresholds_kph: np.ndarray,
    moving_kph: float,
) -> Track:
    """Return the pieces of all legs; `thresholds_kph` are the distinct speed limits, sorted."""
    found = memberships(index, fixes.longitude, fixes.latitude, fixes.clock_us, fixes.hole_after)
    states = {
        "control_mode": fixes.control_mode,
        "operator": fixes.operator,
        "vehicle_type": fixes.vehicle_type,
        "band": speed_bands(thresholds_kph, fixes.speed_kph),
        "moving": moving_class(fixes.speed_kph, moving_kph),
    }
    pieces = _run_lengths(fixes, found, states)
    return Track(fixes, found.combination, _cut_at(pieces, fixes, epochs, midnights_us), index, epochs)


def _run_lengths(fixes: Fixes, found: Memberships, states: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Return one piece for every longest stretch of a leg in which nothing changes."""
    at_fixes = np.flatnonzero(_changes(fixes, found, states))
    fix = np.concatenate([at_fixes, found.cut_fix])
    is_cut = np.repeat([0, 1], [len(at_fixes), len(found.cut_fix)])
    order = np.lexsort((is_cut, fix))
    fix, is_cut = fix[order], is_cut[order]
    start = np.concatenate([fixes.clock_us[at_fixes], found.cut_us])[order]
    combination = np.concatenate([found.combination[at_fixes], found.cut_combination])[order]
    run = fixes.run_of(fix)
    starts_run, ends_run = np.diff(run, prepend=-1) != 0, np.diff(run, append=-1) != 0
    end = np.where(ends_run, fixes.clock_us[fixes.holes[run]], np.append(start[1:], 0)[: len(start)])
    trip = fixes.trip[fix]
    own_first, own_last = (fixes.trips[n].to_numpy()[trip] for n in ("own_first", "own_last"))
    owned = np.flatnonzero((fix >= own_first) & (fix <= own_last))
    pieces = {"trip": trip.astype(np.int64), "run": run, "combination": combination}
    spans = {"start_us": start, "end_us": end, "starts_run": starts_run, "ends_run": ends_run}
    values_at = {name: values[fix[owned]] for name, values in states.items()}
    return pl.DataFrame({n: v[owned] for n, v in pieces.items()} | values_at | {n: v[owned] for n, v in spans.items()})


def _changes(fixes: Fixes, found: Memberships, states: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return at which fixes a piece starts: a run, the edge of a leg, or another state than before."""
    changed = np.zeros(len(fixes) + 1, dtype=bool)
    changed[:1] = True
    changed[fixes.holes + 1] = True
    changed[fixes.trips["own_first"].to_numpy()] = True
    changed[fixes.trips["own_last"].to_numpy() + 1] = True
    changed = changed[:-1]
    before = found.combination[:-1] != found.combination[1:]
    # What holds before a fix whose way was cut is what the last cut left, not what the fix before had.
    last = np.flatnonzero(np.diff(found.cut_fix, append=-1))
    at = found.cut_fix[last]
    before[at] = found.cut_combination[last] != found.combination[at + 1]
    changed[1:] |= before
    for values in states.values():
        changed[1:] |= values[1:] != values[:-1]
    return changed


def _cut_at(pieces: pl.DataFrame, fixes: Fixes, epochs: Epochs, midnights_us: np.ndarray) -> pl.DataFrame:
    """Return the pieces cut at the edges of epochs and at midnights, with `epoch` and `kind`."""
    cut = cut_pieces(pieces, fixes, np.union1d(epochs.edges_us, midnights_us))
    offset = fixes.trips["offset_us"].to_numpy()[cut["trip"].to_numpy()]
    epoch = epochs.of(cut["start_us"].to_numpy() - offset)
    return cut.hstack([pl.Series("epoch", epoch), pl.Series("kind", epochs.kind[epoch])])


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
