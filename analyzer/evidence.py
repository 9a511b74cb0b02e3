"""How deep, how fast, how sure: the numbers behind each stretch, from its own fixes.

Only the fixes of broken stretches are looked at again. For every stretch the evidence is
its peak, and the instant that decides the verdict with margin and error there.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from analyzer.borders import Clearance
from analyzer.depth import RANGE_US, deepest
from analyzer.edge_trees import EdgeTrees
from analyzer.edges import Edges
from analyzer.fixes import Fixes
from analyzer.judgement import Profiles
from analyzer.records import record
from analyzer.rulebook import Rulebook
from analyzer.track import Track, fix_at, place_at
from analyzer.waypoints import Deepest, Paths

SURE, UNSURE = 1, 0


class BorderBook:
    """The borders of sets of zones, made when they are first asked for, and kept for all shards."""

    def __init__(
        self, geometries: tuple[shapely.Geometry, ...], edges: Edges, accuracy_m: np.ndarray, z: float
    ) -> None:
        """Keep what borders are made of; `accuracy_m` is that of each zone."""
        self._made_of = (geometries, edges, accuracy_m, z)
        self._trees = EdgeTrees(edges)
        self._borders: dict[bytes, Clearance] = {}
        self._unions: dict[bytes, Clearance] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Send what borders are made of, not the borders."""
        return BorderBook, self._made_of

    def of(self, zones: np.ndarray) -> Clearance:
        """Return the borders of the zones of a boolean (Z,) row, each zone by itself."""
        key = np.packbits(zones).tobytes()
        if key not in self._borders:
            self._borders[key] = self._clearance(self._trees, zones)
        return self._borders[key]

    def of_union(self, zones: np.ndarray) -> Clearance:
        """Return the border of the union of some zones; each edge is of the zone that owns it."""
        key = np.packbits(zones).tobytes()
        if key not in self._unions:
            some = np.flatnonzero(zones)
            trees = self._trees if len(some) == 1 else EdgeTrees(_union_edges(self._made_of[0], some))
            self._unions[key] = self._clearance(trees, zones, nearest_only=True)
        return self._unions[key]

    def _clearance(self, trees: EdgeTrees, zones: np.ndarray, *, nearest_only: bool = False) -> Clearance:
        """Return how far points are from some zones."""
        _, _, accuracy_m, z = self._made_of
        return Clearance(trees, np.flatnonzero(zones), accuracy_m, z, nearest_only=nearest_only)


@record(frozen=True, eq=False)
class Scene:
    """What the evidence is taken from, and the borders already prepared for it."""

    track: Track
    rulebook: Rulebook
    profiles: Profiles
    borders: BorderBook

    def segment_accuracy_m(self, fix: np.ndarray) -> np.ndarray:
        """Return the accuracy on the segment after each fix: the larger of its two ends."""
        return self._segment_accuracy_m[fix]

    @cached_property
    def _segment_accuracy_m(self) -> np.ndarray:
        """The accuracy on the segment after every fix; before a hole that of the fix."""
        own, hole = self.track.fixes.accuracy_m, self.track.fixes.hole_after
        accuracy = own.copy()
        np.maximum(own[:-1], own[1:], out=accuracy[:-1], where=~hole[:-1])
        return accuracy


def _union_edges(geometries: tuple[shapely.Geometry, ...], zones: np.ndarray) -> Edges:
    """Return the border edges of a union, each with the zone whose border is nearest to it, sorted by zone."""
    edges = Edges.of([shapely.union_all([geometries[i] for i in zones])])
    middles = shapely.points((edges.ax + edges.bx) / 2, (edges.ay + edges.by) / 2)
    distances = [shapely.distance(middles, shapely.boundary(geometries[i])) for i in zones]
    owner = zones[np.argmin(distances, axis=0)]
    return replace(edges, zone=owner).take(np.argsort(owner, kind="stable"))


@record(frozen=True, eq=False)
class Parts:
    """The parts of one check as arrays, in order of stretch and start; `group` numbers the stretches."""

    group: np.ndarray
    start_us: np.ndarray
    end_us: np.ndarray
    ends_run: np.ndarray
    rule: np.ndarray
    kind: np.ndarray
    combination: np.ndarray
    profile: np.ndarray
    undecided: np.ndarray

    def take(self, which: np.ndarray) -> "Parts":
        """Return some of the parts."""
        return Parts(*(getattr(self, f.name)[which] for f in fields(self)))

    def joined(self) -> "Parts":
        """Return the parts, those of one stretch that touch and are as sure as one: one way to search."""
        new = np.ones(len(self.group), dtype=bool)
        new[1:] = (self.start_us[1:] != self.end_us[:-1]) | (self.group[1:] != self.group[:-1])
        new[1:] |= self.undecided[1:] != self.undecided[:-1]
        first = np.flatnonzero(new)
        last = np.append(first[1:], len(new))[: len(first)] - 1
        return replace(self.take(first), end_us=self.end_us[last], ends_run=self.ends_run[last])


@record(frozen=True, eq=False)
class Evidence:
    """What is known of each stretch of a check; NaN and -1 where no number is asked for.

    A stretch that nothing makes certain is decided at its start. `foremost` and `ahead` rank
    the instant that decides among others of its certainty: the best of a kind that is asked
    first, and by how much it is beyond its error.
    """

    peak: np.ndarray
    peak_us: np.ndarray
    peak_zone: np.ndarray
    certain: np.ndarray
    decided_us: np.ndarray
    margin: np.ndarray
    error: np.ndarray
    foremost: np.ndarray
    ahead: np.ndarray

    @staticmethod
    def of(parts: Parts) -> "Evidence":
        """Return that nothing is known yet of the stretches of parts."""
        starts = parts.start_us[np.flatnonzero(np.diff(parts.group, prepend=-1))]
        count = len(starts)
        return Evidence(
            peak=np.full(count, np.nan),
            peak_us=np.full(count, -1, dtype=np.int64),
            peak_zone=np.full(count, -1, dtype=np.int64),
            certain=np.zeros(count, dtype=bool),
            decided_us=starts,
            margin=np.full(count, np.nan),
            error=np.full(count, np.nan),
            foremost=np.ones(count, dtype=bool),
            ahead=np.zeros(count),
        )

    def decide(self, group: np.ndarray, at_us: np.ndarray) -> None:
        """Take down that stretches are certain at an instant; the last said of one counts."""
        self.certain[group] = True
        self.decided_us[group] = at_us


@record(frozen=True, eq=False)
class FixesAt:
    """Fixes whose value is in force in parts: the fix, the part, and the instant from which it counts.

    `own` is whether its own instant lies in the part: the fix before a part counts there,
    but elsewhere.
    """

    part: np.ndarray
    fix: np.ndarray
    at_us: np.ndarray
    own: np.ndarray

    def take(self, which: np.ndarray) -> "FixesAt":
        """Return some of the fixes."""
        return FixesAt(self.part[which], self.fix[which], self.at_us[which], self.own[which])


def fixes_in(scene: Scene, parts: Parts, most: int | None = None) -> FixesAt:
    """Return every fix whose value is in force in a part; of each part the first `most`."""
    clock = scene.track.fixes.clock_us
    start, end = parts.start_us, parts.end_us
    closed = parts.ends_run | (start == end)
    low = np.searchsorted(clock, start, side="right") - 1
    high = np.where(closed, np.searchsorted(clock, end, side="right"), np.searchsorted(clock, end, side="left"))
    count = high - low if most is None else np.minimum(high - low, most)
    part = np.repeat(np.arange(len(start)), count)
    fix = low[part] + np.arange(len(part)) - np.repeat(np.cumsum(count) - count, count)
    return FixesAt(part, fix, np.maximum(clock[fix], start[part]), clock[fix] >= start[part])


def paths_of(scene: Scene, parts: Parts, groups: np.ndarray) -> Paths:
    """Return the ways of the parts: start, the fixes between, end; `groups` are (objectives, parts)."""
    fixes = scene.track.fixes
    start, end = parts.start_us, parts.end_us
    low = np.searchsorted(fixes.clock_us, start, side="right")
    high = np.maximum(np.searchsorted(fixes.clock_us, end, side="left"), low)
    count = np.where(end > start, high - low + 2, 1)
    first = np.cumsum(count) - count
    path = np.repeat(np.arange(len(start), dtype=np.int32), count)
    near = np.arange(len(path), dtype=np.int32)
    near += np.repeat((low - 1 - first).astype(np.int32), count)
    np.minimum(near, len(fixes) - 1, out=near)
    ends = np.unique(np.concatenate([first, first + count - 1]))
    own, starts = path[ends], ends == first[path[ends]]
    clock, longitude, latitude = (values[near] for values in (fixes.clock_us, fixes.longitude, fixes.latitude))
    clock[ends] = np.where(starts, start[own], end[own])
    longitude[ends], latitude[ends] = place_at(fixes, clock[ends])
    near[ends] = fix_at(fixes, clock[ends])
    way = fixes.driven_um[near]
    way[ends] = way_um_at(fixes, clock[ends])
    before = ends[~starts & ~parts.ends_run[own]]
    near[before] = fix_at(fixes, clock[before] - 1)
    time = fixes.time_us[near]
    time[ends] = clock[ends] - fixes.trips["offset_us"].to_numpy()[fixes.trip[near[ends]]]
    accuracy = scene.segment_accuracy_m(near)
    return Paths(path, groups.astype(np.int32)[:, path], time // RANGE_US, clock, longitude, latitude, accuracy, way)


def way_um_at(fixes: Fixes, clock_us: np.ndarray) -> np.ndarray:
    """Return the micrometres driven up to each instant, from the shard's first fix, holes left out.

    Whole numbers: differences are the same however trips are spread over shards.
    """
    near = fix_at(fixes, clock_us)
    following = np.minimum(near + 1, len(fixes) - 1)
    span = np.maximum(fixes.clock_us[following] - fixes.clock_us[near], 1)
    share = np.clip((clock_us - fixes.clock_us[near]) / span, 0, 1)
    return fixes.driven_um[near] + np.rint(share * fixes.segment_um[near]).astype(np.int64)


def depth_evidence(scene: Scene, parts: Parts, border: np.ndarray, clearance_of: Mapping[int, Clearance]) -> Evidence:
    """Return peak and decision of every stretch of one check whose margin is a depth.

    `border` has, a part, a key of `clearance_of`: the border from which it is measured.
    """
    found = Evidence.of(parts)
    count = len(found.peak)
    peak, decision = _Top(count), _Top(2 * count)
    for key, clearance in clearance_of.items():
        some = parts.take(np.flatnonzero(border == key)).joined()
        groups = some.group, 2 * some.group + np.where(some.undecided, UNSURE, SURE)
        top, best = deepest(paths_of(scene, some, np.stack(groups)), (count, 2 * count), clearance)
        peak.offer(key, top)
        decision.offer(key, best)
    _fill_in(scene, found, peak, decision, clearance_of)
    return found


class _Top:
    """The best of several searches over the same groups, and the border it was measured from."""

    def __init__(self, groups: int) -> None:
        self.objective = np.full(groups, -np.inf)
        self.clock = np.full(groups, -1, dtype=np.int64)
        self.place = np.full((groups, 3), np.nan)
        self.key = np.full(groups, -1, dtype=np.int64)

    def offer(self, key: int, found: Deepest) -> None:
        """Take over what is better."""
        better = (found.clock_us >= 0) & (found.objective > self.objective)
        self.objective[better] = found.objective[better]
        self.clock[better] = found.clock_us[better]
        place = np.column_stack([found.longitude, found.latitude, found.accuracy_m])
        self.place[better] = place[better]
        self.key[better] = key


def _fill_in(scene: Scene, found: Evidence, peak: _Top, decision: _Top, clearance_of: Mapping[int, Clearance]) -> None:
    """Take down the peaks with their nearest zone, and the instants that decide."""
    buffer = scene.rulebook.zone_set.rules.evaluation.border_buffer_m
    count = len(found.peak)
    unsure, sure = 2 * np.arange(count), 2 * np.arange(count) + 1
    found.certain[:] = decision.objective[sure] > buffer
    best = np.where(found.certain | (decision.objective[sure] >= decision.objective[unsure]), sure, unsure)
    found.peak[:], found.peak_us[:], found.decided_us[:] = peak.objective, peak.clock, decision.clock[best]
    found.ahead[:] = decision.objective[best]
    for key, clearance in clearance_of.items():
        own = np.flatnonzero(decision.key[best] == key)
        distance, _, _, found.error[own] = clearance.measure(*decision.place[best][own].T)
        found.margin[own] = distance - buffer
        own = np.flatnonzero(peak.key == key)
        found.peak_zone[own] = clearance.measure(*peak.place[own].T)[2]
