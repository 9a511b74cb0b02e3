"""Which part of each lane a shard judges, and what it leaves to a seam.

A slice of a log sees the middle of a lane, but not what came before and after. What a
fix is worth depends on few fixes around it: those within `CONTEXT_US` (speeds are derived
over two seconds) and the next ones (jumps). So a slice owns a lane from the first fix
with enough calm context before and after it to the last such fix, and hands what lies
outside to a *seam*, which is judged when all slices are known. Legs start and end where
ranges of time do, within which the deepest point is sought (`depth`). Every instant has exactly
one owner: intervals are half-open and meet at fixes.
"""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from analyzer.depth import RANGE_US
from analyzer.ordering import Ordered, Steps
from analyzer.records import record
from analyzer.terms import SECOND_US

CONTEXT_US = 2 * SECOND_US
"""Calm time that must be known on both sides of the first and the last fix owned."""

CONTEXT_FIXES = 4
"""Calm fixes that must be known there."""

LEAST_OWNED = 32
"""A lane that owns fewer fixes than this in a slice is left to a seam as a whole."""

GLANCE = 4096
"""Fixes at the end of a lane among which a calm window is looked for first."""

ALWAYS = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)

HEAD, TAIL, WHOLE = 0, 1, 2
"""Sides of a lane that are left to a seam."""


@record(frozen=True, eq=False)
class Ownership:
    """Half-open intervals of time owned, one a lane, and what is left to seams.

    `lanes` has a row a lane: lane (its number), vehicle_id, trip_id, first_us, last_us, own_from_us, own_to_us
    (null: nothing is owned). `left` are records with `lane` (its row) and `side`.
    """

    own_from_us: np.ndarray
    own_to_us: np.ndarray
    lanes: pl.DataFrame
    left: pl.DataFrame


def own_everything(ordered: Ordered) -> Ownership:
    """Return that a shard owns all of its lanes."""
    count = ordered.lanes.height
    return Ownership(np.full(count, ALWAYS[0]), np.full(count, ALWAYS[1]), pl.DataFrame(), pl.DataFrame())


def own_between(ordered: Ordered, bounds: pl.DataFrame) -> Ownership:
    """Return what the seams of a shard own; `bounds` has seam, own_from_us, own_to_us (null: open)."""
    joined = ordered.lanes.join(bounds, on="seam", how="left", maintain_order="left")
    low, high = (joined[n].fill_null(a).to_numpy() for n, a in zip(("own_from_us", "own_to_us"), ALWAYS, strict=True))
    return Ownership(low, high, pl.DataFrame(), pl.DataFrame())


def own_the_middle(ordered: Ordered, steps: Steps) -> Ownership:
    """Return what a slice owns of each lane, and the records left to seams."""
    starts = ordered.first[np.diff(ordered.lane, prepend=-1) > 0]
    ends = np.append(starts[1:], len(ordered.time_us))
    jumps = np.flatnonzero(steps.beyond)
    middles = [_middle(ordered.time_us, jumps, int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
    own = np.array([(m.own_from, m.own_to) for m in middles], dtype=np.int64).reshape(-1, 2)
    owned = own[:, 0] < own[:, 1]
    times = np.where(owned[:, None], ordered.time_us[np.minimum(own, len(ordered.time_us) - 1)], ALWAYS[0])
    lanes = pl.DataFrame(
        {
            "lane": np.arange(ordered.lanes.height),
            "vehicle_id": ordered.lanes["vehicle_id"],
            "trip_id": ordered.lanes["trip_id"],
            "first_us": ordered.time_us[starts],
            "last_us": ordered.time_us[ends - 1],
            "own_from_us": _where(owned, times[:, 0]),
            "own_to_us": _where(owned, times[:, 1]),
        }
    )
    spans = [span for lane, m in enumerate(middles) for span in m.left(lane)]
    return Ownership(times[:, 0], times[:, 1], lanes, _records(ordered.records, spans))


def _where(mask: np.ndarray, values: np.ndarray) -> pl.Series:
    """Return the values, null where the mask does not hold."""
    pairs = zip(mask.tolist(), values.tolist(), strict=True)
    return pl.Series([value if holds else None for holds, value in pairs], dtype=pl.Int64)


@record(frozen=True)
class _Middle:
    """Indices of a lane: its fixes `[start, end)`, those owned, and how far seams see into it."""

    start: int
    end: int
    own_from: int
    own_to: int
    head_end: int
    tail_start: int

    def left(self, lane: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield (lane, side, from, to) of the records left to seams."""
        if self.own_from >= self.own_to:
            yield lane, WHOLE, self.start, self.end
            return
        yield lane, HEAD, self.start, self.head_end
        yield lane, TAIL, self.tail_start, self.end


def _middle(time_us: np.ndarray, jumps: np.ndarray, start: int, end: int) -> _Middle:
    """Return what is owned of the lane of fixes `[start, end)`; `jumps` are steps that imply too much."""
    nothing = _Middle(start, end, start, start, start, end)
    head = _calm(time_us, jumps, _next_station, start, end)
    if head is None:
        return nothing
    mirror = end - 1
    tail = _calm_end(time_us, jumps, max(start, end - GLANCE), end) or _calm_end(time_us, jumps, start, end)
    if tail is None or (mirror - tail[1]) - head[1] < LEAST_OWNED:
        return nothing
    return _Middle(start, end, head[1], mirror - tail[1], head[2] + 1, mirror - tail[2])


Station = Callable[[np.ndarray, int, int], int]


def _calm(
    time_us: np.ndarray, jumps: np.ndarray, station: Station, start: int, end: int
) -> tuple[int, int, int] | None:
    """Return the first calm window of `[start, end)` as first, middle (a station) and last, null if none."""
    first = start
    while True:
        middle = station(time_us, _reach(time_us, first, end), end)
        last = _reach(time_us, middle, end)
        if last >= end:
            return None
        low, high = np.searchsorted(jumps, (first, last))
        if low == high:
            return first, middle, last
        first = int(jumps[high - 1]) + 1


def _calm_end(time_us: np.ndarray, jumps: np.ndarray, start: int, end: int) -> tuple[int, int, int] | None:
    """Return the last calm window of `[start, end)`, counted backwards from its last fix."""
    flipped = (end - 2 - jumps[(jumps >= start) & (jumps < end - 1)])[::-1]
    return _calm(-time_us[start:end][::-1], flipped, _last_station, 0, end - start)


def _next_station(time_us: np.ndarray, fix: int, end: int) -> int:
    """Return the first fix of the range after the one in which the fix before lies; `end` if none."""
    if fix >= end:
        return end
    border = (time_us[fix - 1] // RANGE_US + 1) * RANGE_US
    return fix + int(np.searchsorted(time_us[fix:end], border))


def _last_station(time_us: np.ndarray, fix: int, end: int) -> int:
    """Return, for times that are negated and run backwards, the first fix of the range of one."""
    if fix >= end:
        return end
    border = -(-time_us[fix] // RANGE_US * RANGE_US)
    return fix + int(np.searchsorted(time_us[fix:end], border, side="right")) - 1


def _reach(time_us: np.ndarray, first: int, end: int) -> int:
    """Return the first fix that lies `CONTEXT_US` and `CONTEXT_FIXES` after another; `end` if none."""
    if first >= end:
        return end
    late = int(np.searchsorted(time_us[first:end], time_us[first] + CONTEXT_US)) + first
    return min(max(late, first + CONTEXT_FIXES), end)


def _records(records: pl.DataFrame, spans: list[tuple[int, int, int, int]]) -> pl.DataFrame:
    """Return the records of spans (lane, side, from, to), with `lane` and `side`."""
    if not spans:
        return records.clear()
    lane, side, low, high = np.array(spans, dtype=np.int64).T
    # Copied: a view of them would keep all records of the slice in memory.
    parts = pl.concat([records[a:b] for _, _, a, b in spans], rechunk=True)
    lanes, sides = np.repeat(lane, high - low), np.repeat(side, high - low)
    return parts.with_columns(lane=pl.Series(lanes), side=pl.Series(sides).cast(pl.Int8))
