"""How deep, how fast, how sure: the numbers behind each stretch, from its own fixes.

Only the fixes of broken stretches are looked at again. For every stretch the evidence is
its peak, and the instant that decides the verdict with margin and error there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import shapely

from analyzer.borders import Clearance
from analyzer.depth import Deepest, Paths, deepest
from analyzer.fixes import MICROMETRES, Fixes
from analyzer.judgement import Profiles
from analyzer.membership import Edges
from analyzer.rulebook import Rulebook
from analyzer.track import Track, fix_at, place_at

SURE, UNSURE = 1, 0


@dataclass
class Scene:
    """What the evidence is taken from, and the borders already prepared for it."""

    track: Track
    rulebook: Rulebook
    profiles: Profiles
    z: float
    _borders: dict[bytes, Clearance] = field(default_factory=dict)
    _unions: dict[bytes, Clearance] = field(default_factory=dict)

    def border_of(self, zones: np.ndarray) -> Clearance:
        """Return the borders of the zones of a boolean (Z,) row, each zone by itself."""
        key = np.packbits(zones).tobytes()
        if key not in self._borders:
            edges = self.track.index.edges
            own = edges.take(zones[edges.zone])
            self._borders[key] = Clearance(own, self.rulebook.accuracy_m, self.z)
        return self._borders[key]

    def union_border_of(self, zones: np.ndarray) -> Clearance:
        """Return the border of the union of some zones; each edge is of the zone that owns it."""
        key = np.packbits(zones).tobytes()
        if key not in self._unions:
            edges = _union_edges(self.track.index.geometries, np.flatnonzero(zones))
            self._unions[key] = Clearance(edges, self.rulebook.accuracy_m, self.z, nearest_only=True)
        return self._unions[key]

    def segment_accuracy_m(self, fix: np.ndarray) -> np.ndarray:
        """Return the accuracy on the segment after each fix: the larger of its two ends."""
        accuracy, hole = self.track.fixes.accuracy_m, self.track.fixes.hole_after
        after = np.minimum(fix + 1, len(accuracy) - 1)
        return np.where(hole[fix], accuracy[fix], np.maximum(accuracy[fix], accuracy[after]))


def _union_edges(geometries: tuple[shapely.Geometry, ...], zones: np.ndarray) -> Edges:
    """Return the border edges of a union, each with the zone whose border is nearest to it."""
    if len(zones) == 1:
        return _owned(Edges.of([geometries[zones[0]]]), np.array(zones))
    edges = Edges.of([shapely.union_all([geometries[i] for i in zones])])
    middles = shapely.points((edges.ax + edges.bx) / 2, (edges.ay + edges.by) / 2)
    distances = [shapely.distance(middles, shapely.boundary(geometries[i])) for i in zones]
    return _owned(edges, zones[np.argmin(distances, axis=0)])


def _owned(edges: Edges, zone: np.ndarray) -> Edges:
    """Return the edges as those of `zone`."""
    return Edges(edges.ax, edges.ay, edges.bx, edges.by, np.broadcast_to(zone, edges.ax.shape))


def paths_of(scene: Scene, parts: pl.DataFrame, group: np.ndarray) -> Paths:
    """Return the ways of the parts: start, the fixes between, end."""
    fixes = scene.track.fixes
    start, end = parts["start_us"].to_numpy(), parts["end_us"].to_numpy()
    low = np.searchsorted(fixes.clock_us, start, side="right")
    high = np.maximum(np.searchsorted(fixes.clock_us, end, side="left"), low)
    count = np.where(end > start, high - low + 2, 1)
    path = np.repeat(np.arange(len(start)), count)
    place = np.arange(len(path)) - np.repeat(np.cumsum(count) - count, count)
    inner = np.minimum(low[path] + place - 1, len(fixes) - 1)
    first, last = place == 0, (place == count[path] - 1) & (place > 0)
    clock = np.where(first, start[path], np.where(last, end[path], fixes.clock_us[inner]))
    longitude, latitude = place_at(fixes, clock)
    near, way = fix_at(fixes, clock), way_um_at(fixes, clock)
    before = last & ~parts["ends_run"].to_numpy()[path]
    segment = np.where(before, fix_at(fixes, clock - 1), near)
    return Paths(
        path=path,
        group=group[path],
        clock_us=clock,
        longitude=longitude,
        latitude=latitude,
        accuracy_m=scene.segment_accuracy_m(segment),
        way_m=(way - way[np.flatnonzero(first)][path]) / MICROMETRES,
    )


def way_um_at(fixes: Fixes, clock_us: np.ndarray) -> np.ndarray:
    """Return the micrometres driven up to each instant, from the shard's first fix, holes left out.

    Whole numbers: differences are the same however trips are spread over shards.
    """
    near = fix_at(fixes, clock_us)
    following = np.minimum(near + 1, len(fixes) - 1)
    span = np.maximum(fixes.clock_us[following] - fixes.clock_us[near], 1)
    share = np.clip((clock_us - fixes.clock_us[near]) / span, 0, 1)
    return fixes.driven_um[near] + np.rint(share * fixes.segment_um[near]).astype(np.int64)


def depth_evidence(scene: Scene, parts: pl.DataFrame, clearance_of: Mapping[int, Clearance]) -> pl.DataFrame:
    """Return peak and decision of every stretch of one check whose margin is a depth.

    `parts` have `border`, a key of `clearance_of`: the border from which each is measured.
    """
    stretches = parts["stretch"].unique(maintain_order=True)
    number = dict(zip(stretches.to_list(), range(len(stretches)), strict=True))
    group = parts["stretch"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
    decided = np.where(parts["undecided"].to_numpy(), UNSURE, SURE)
    count = len(stretches)
    peak = _Top(count)
    decision = _Top(2 * count)
    for key, clearance in clearance_of.items():
        own = np.flatnonzero((parts["border"] == key).to_numpy())
        if not len(own):
            continue
        some = parts[own]
        peak.offer(key, _peaks(paths_of(scene, some, group[own]), count, clearance))
        two = 2 * group[own] + decided[own]
        decision.offer(key, _decisions(paths_of(scene, some, two), 2 * count, clearance))
    return _depth_rows(scene, stretches, peak, decision, clearance_of)


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


def _peaks(paths: Paths, groups: int, clearance: Clearance) -> Deepest:
    """Return the greatest distance of each group."""

    def measure(lon: np.ndarray, lat: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance = clearance.measure(lon, lat, accuracy)[0]
        return distance, distance

    return deepest(paths, groups, measure, np.zeros_like)


def _decisions(paths: Paths, groups: int, clearance: Clearance) -> Deepest:
    """Return where each group is farthest beyond the position error."""

    def measure(lon: np.ndarray, lat: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance, spare, _, _ = clearance.measure(lon, lat, accuracy)
        return distance, spare

    def least(accuracy: np.ndarray) -> np.ndarray:
        return clearance.error_m(accuracy, clearance.least_accuracy_m)

    return deepest(paths, groups, measure, least, smooth=clearance.smooth)


def _depth_rows(
    scene: Scene,
    stretches: pl.Series,
    peak: _Top,
    decision: _Top,
    clearance_of: Mapping[int, Clearance],
) -> pl.DataFrame:
    """Return one row a stretch: peak with its place and nearest zone, and the deciding instant."""
    buffer = scene.rulebook.zone_set.rules.evaluation.border_buffer_m
    count = len(stretches)
    unsure, sure = 2 * np.arange(count), 2 * np.arange(count) + 1
    certain = decision.objective[sure] > buffer
    best = np.where(certain | (decision.objective[sure] >= decision.objective[unsure]), sure, unsure)
    distance, error = np.full(count, np.nan), np.full(count, np.nan)
    zone = np.full(count, -1, dtype=np.int64)
    for key, clearance in clearance_of.items():
        own = np.flatnonzero(decision.key[best] == key)
        distance[own], _, _, error[own] = clearance.measure(*decision.place[best][own].T)
        own = np.flatnonzero(peak.key == key)
        zone[own] = clearance.measure(*peak.place[own].T)[2]
    return pl.DataFrame(
        {
            "stretch": stretches,
            "peak": peak.objective,
            "peak_us": peak.clock,
            "peak_zone": zone,
            "certain": certain,
            "decided_us": decision.clock[best],
            "margin": distance - buffer,
            "error": error,
        }
    )
