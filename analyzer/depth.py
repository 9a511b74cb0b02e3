"""The deepest point of a path: bounds over ranges of its vertices, to 0.01 m.

Measuring the distance to a border is dear, bounds are cheap: between two vertices at
distances a and b, with L metres of way between them, it is nowhere more than
`(a + b + L) / 2`; and it is no more than the distance to any one edge, which between two
points is at most that at the farther of them. So few vertices are measured: every
`STRIDE`-th *station* (the first vertex of each range of `RANGE_US` of absolute time), then
those of ranges that may hold the best of their group, then vertices and segments within
them that may be the best of their range.

What is found in a range depends on that range alone, and the best of a group is the best
of its ranges. Shards end where ranges do (`ownership`): so how a path is divided into
shards changes nothing.
"""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from analyzer.geometry import MICROMETRES
from analyzer.terms import SECOND_US

TOLERANCE_M = 0.01
RANGE_US = 8 * SECOND_US
"""Vertices of one such span of absolute time are a range."""

STRIDE = 8
"""Of the stations of a path, one in so many is measured before anything is known."""

_NEVER = np.iinfo(np.int64).max


DISTANCE, SPARE = 0, 1
"""What is sought: the greatest distance, and the greatest spare beyond the position error."""


class Measure(Protocol):
    """A border, and how far points are from it; arrays of (objectives, points)."""

    def at(self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return distance and spare, and the edges that give them."""
        ...

    def to_edge(self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return the metres to one edge, which the distance is at the most."""
        ...

    def by_edge(
        self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray, edge: np.ndarray
    ) -> np.ndarray:
        """Return what distance and spare are at the most, by the distance to one edge."""
        ...

    def least_error_m(self, accuracy_m: np.ndarray) -> np.ndarray:
        """Return what distance and spare are at least less than the distance."""
        ...


@dataclass(frozen=True)
class Paths:
    """Polylines by their vertices, path after path; a path may be a single vertex.

    `way_um` (whole micrometres) rises along each path; `accuracy_m` of vertex i is that of
    the segment from it (of its own instant at a path's end). `path` numbers each vertex,
    `group` (objectives, vertices) says of which group it may be the best; `range` is the
    number of its span of time.
    """

    path: np.ndarray
    group: np.ndarray
    range: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    accuracy_m: np.ndarray
    way_um: np.ndarray


@dataclass(frozen=True)
class Deepest:
    """The best point of each group: objective (-inf without any), instant, place, accuracy there."""

    objective: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    accuracy_m: np.ndarray


@dataclass(frozen=True)
class _Points:
    """Points on the paths, by clock (microseconds), with what was measured there."""

    group: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    accuracy_m: np.ndarray
    way_um: np.ndarray
    objective: np.ndarray
    edge: np.ndarray

    def take(self, which: np.ndarray | slice) -> "_Points":
        """Return some of the points."""
        return _Points(*(getattr(self, f.name)[..., which] for f in fields(self)))

    def join(self, other: "_Points") -> "_Points":
        """Return these points and others."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return _Points(*(np.concatenate(pair, axis=-1) for pair in pairs))


def deepest(paths: Paths, groups: tuple[int, int], measure: Measure) -> tuple[Deepest, Deepest]:
    """Return where distance and spare of each group are greatest, to within `TOLERANCE_M`.

    `groups` is how many groups there are for each.
    """
    best = _Best(groups)
    low, high = _ranges(paths)
    if not len(low):
        return best.result()
    stations, number = np.unique(np.concatenate([low, high]), return_inverse=True)
    first, last = number[: len(low)], number[len(low) :]
    upper_m = _upper_m(paths, stations, measure, best)
    worst = measure.least_error_m(_least_accuracy(paths.accuracy_m, low, high))
    way_m = (paths.way_um[high] - paths.way_um[low]) / MICROMETRES
    bound = (upper_m[first] + upper_m[last] + way_m) / 2 - worst
    group = paths.group[:, low]
    _offer_likeliest(paths, low, bound, measure, best)
    keep = np.flatnonzero(best.may_beat(bound, group))
    used, at = np.unique(np.concatenate([first[keep], last[keep]]), return_inverse=True)
    measured = _measured(paths, stations[used], measure)
    best.offer(measured)
    upper_m[used] = measured.objective[DISTANCE]
    bound = (upper_m[first] + upper_m[last] + way_m) / 2 - worst
    still = np.flatnonzero(best.may_beat(bound[:, keep], group[:, keep]) & (high > low)[keep])
    ends = measured.take(at[: len(keep)][still]), measured.take(at[len(keep) :][still])
    _search_ranges(paths, low[keep[still]], high[keep[still]], *ends, measure, best)
    return best.result()


def _upper_m(paths: Paths, stations: np.ndarray, measure: Measure, best: "_Best") -> np.ndarray:
    """Return what the distance at each station is at the most; some of them are measured and offered."""
    path = paths.path[stations]
    coarse = np.flatnonzero((np.arange(len(stations)) % STRIDE == 0) | (np.diff(path, prepend=-1) != 0))
    ends = np.append(coarse[1:], len(stations)) - 1
    coarse = np.unique(np.concatenate([coarse, ends[np.append(path[coarse[1:]] != path[coarse[:-1]], True)]]))
    measured = _measured(paths, stations[coarse], measure)
    best.offer(measured)
    before = np.searchsorted(coarse, np.arange(len(stations)), side="right") - 1
    after = np.minimum(before + 1, len(coarse) - 1)
    lon, lat = paths.longitude[stations], paths.latitude[stations]
    upper_m = np.minimum(*(measure.to_edge(lon, lat, measured.edge[DISTANCE, near]) for near in (before, after)))
    upper_m[coarse] = measured.objective[DISTANCE]
    return upper_m


def _offer_likeliest(paths: Paths, low: np.ndarray, bound: np.ndarray, measure: Measure, best: "_Best") -> None:
    """Measure the first vertex of the range of each group that promises most."""
    group = paths.group[DISTANCE, low]
    order = np.lexsort((-bound[DISTANCE], group))
    top = order[np.diff(group[order], prepend=-1) != 0]
    some = top[best.may_beat(bound[:, top], paths.group[:, low[top]])]
    best.offer(_measured(paths, low[some], measure))


def _ranges(paths: Paths) -> tuple[np.ndarray, np.ndarray]:
    """Return the first vertex of each range of each path, and the first of the next (a path's last)."""
    if not len(paths.path):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    new_path = np.diff(paths.path, prepend=-1) != 0
    low = np.flatnonzero(new_path | (np.diff(paths.range, prepend=0) != 0))
    following = np.append(low[1:], len(paths.path))
    ends_path = np.append(new_path, True)[following]
    return low, following - ends_path


class _Best:
    """The best point so far of each group and objective: the earliest of equals."""

    def __init__(self, groups: tuple[int, int]) -> None:
        self._objective = [np.full(count, -np.inf) for count in groups]
        self._clock = [np.full(count, _NEVER) for count in groups]
        self._place = [np.full((count, 3), np.nan) for count in groups]

    def may_beat(self, bound: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Return where a bound of any objective reaches the best of its group."""
        return np.any([b >= o[g] for b, o, g in zip(bound, self._objective, group, strict=True)], axis=0)

    def offer(self, points: _Points) -> None:
        """Take over points that are better than the best of their group."""
        if points.clock_us.size:
            for sought in (DISTANCE, SPARE):
                self._offer(sought, points)

    def _offer(self, sought: int, points: _Points) -> None:
        """Take over points that are better by one objective."""
        own, value = points.group[sought], points.objective[sought]
        likely = np.flatnonzero(value >= self._objective[sought][own])
        order = likely[np.lexsort((points.clock_us[likely], -value[likely], own[likely]))]
        top = order[np.diff(own[order], prepend=-1) != 0]
        group, clock = own[top], points.clock_us[top]
        old = self._objective[sought][group]
        better = (value[top] > old) | (clock < self._clock[sought][group])
        top, group = top[better], group[better]
        self._objective[sought][group] = value[top]
        self._clock[sought][group] = points.clock_us[top]
        place = (points.longitude[top], points.latitude[top], points.accuracy_m[top])
        self._place[sought][group] = np.column_stack(place)

    def result(self) -> tuple[Deepest, Deepest]:
        """Return the best of each group."""
        distance, spare = (
            Deepest(objective, np.where(clock < _NEVER, clock, -1), *place.T)
            for objective, clock, place in zip(self._objective, self._clock, self._place, strict=True)
        )
        return distance, spare


def _measured(paths: Paths, at: np.ndarray, measure: Measure) -> _Points:
    """Return the vertices at `at`, measured."""
    lon, lat, accuracy = paths.longitude[at], paths.latitude[at], paths.accuracy_m[at]
    found = measure.at(lon, lat, accuracy)
    return _Points(paths.group[:, at], paths.clock_us[at], lon, lat, accuracy, paths.way_um[at], *found)


def _least_accuracy(accuracy_m: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the least accuracy of the vertices from `low` up to and with `high`."""
    bounds = np.column_stack([low, high + 1]).ravel()
    return np.minimum.reduceat(np.append(accuracy_m, np.inf), bounds)[::2]


def _search_ranges(  # noqa: PLR0913 - ranges, and what is known at their ends
    paths: Paths, low: np.ndarray, high: np.ndarray, first: _Points, last: _Points, measure: Measure, best: _Best
) -> None:
    """Offer the best vertex and the best point between vertices of every range, each by itself."""
    if not len(low):
        return
    size = high - low
    owner = np.repeat(np.arange(len(low)), size)
    segment = low[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
    search = _Search(paths, segment, owner, np.maximum(first.objective, last.objective), measure, best)
    search.bound_by(first.edge[:, owner])
    search.bound_by(last.edge[:, owner])
    search.vertices()
    _search_segments(search)


class _Search:
    """The segments of some ranges, each with what its start and any point of it are at the most.

    `own` is the best of each range so far; `owner` the range of each segment.
    """

    def __init__(  # noqa: PLR0913 - all that a search needs
        self,
        paths: Paths,
        segment: np.ndarray,
        owner: np.ndarray,
        own: np.ndarray,
        measure: Measure,
        best: _Best,
    ) -> None:
        self.paths, self.segment, self.owner, self.own = paths, segment, owner, own
        self.measure, self.best = measure, best
        self.at_start = np.full((2, len(segment)), np.inf)
        self.anywhere = np.full((2, len(segment)), np.inf)
        self.at_start[:, np.diff(owner, prepend=-1) != 0] = -np.inf  # a range's first vertex is measured already

    def bound_by(self, edges: np.ndarray) -> None:
        """Take the distances to the edges that give distance and spare, a segment, as bounds."""
        distinct = edges if (edges[DISTANCE] != edges[SPARE]).any() else edges[:1]
        for edge in distinct:
            at_start, at_end = (self._by_edge(at, edge) for at in (self.segment, self.segment + 1))
            np.minimum(self.at_start, at_start, out=self.at_start)
            np.minimum(self.anywhere, np.maximum(at_start, at_end), out=self.anywhere)

    def _by_edge(self, vertex: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return bounds at vertices, with the accuracy of their segments."""
        paths = self.paths
        return self.measure.by_edge(
            paths.longitude[vertex], paths.latitude[vertex], paths.accuracy_m[self.segment], edge
        )

    def vertices(self) -> None:
        """Offer vertices that may be the best of their range, the likeliest of each range first.

        The edge that is nearest to it bounds the others of its range as well.
        """
        for sought in (DISTANCE, SPARE):
            while self._likeliest(sought):
                pass

    def _likeliest(self, sought: int) -> bool:
        """Measure the likeliest vertex of every range that may hold a better one; return whether there was any."""
        starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        sizes = np.diff(np.append(starts, len(self.owner)))
        highest = np.maximum.reduceat(self.at_start[sought], starts)
        open_ranges = np.flatnonzero(highest > self.own[sought] + TOLERANCE_M)
        if not len(open_ranges):
            return False
        top = np.flatnonzero(self.at_start[sought] == np.repeat(highest, sizes))
        top = top[np.unique(self.owner[top], return_index=True)[1]][open_ranges]
        found = _measured(self.paths, self.segment[top], self.measure)
        self.best.offer(found)
        self.own[:, open_ranges] = np.maximum(self.own[:, open_ranges], found.objective)
        edge = np.full((2, len(starts)), -1, dtype=np.int64)
        edge[:, open_ranges] = found.edge
        self._bound_some(np.flatnonzero(np.isin(self.owner, open_ranges)), edge)
        self.at_start[:, top] = -np.inf
        return True

    def _bound_some(self, which: np.ndarray, edge: np.ndarray) -> None:
        """Take the distance to one edge, a range, as a bound on some segments."""
        some = _Search(self.paths, self.segment[which], self.owner[which], self.own, self.measure, self.best)
        some.at_start[:] = np.inf
        some.bound_by(edge[:, some.owner])
        self.at_start[:, which] = np.minimum(self.at_start[:, which], some.at_start)
        self.anywhere[:, which] = np.minimum(self.anywhere[:, which], some.anywhere)


def _search_segments(search: _Search) -> None:
    """Halve segments until none can hold a point better than the best of its range by the tolerance."""
    paths, own, measure, best = search.paths, search.own, search.measure, search.best
    near = np.flatnonzero((search.anywhere > own[:, search.owner] + TOLERANCE_M).any(axis=0))
    if not len(near):
        return
    segment, owner = search.segment[near], search.owner[near]
    from_share, to_share = np.zeros(len(segment)), np.ones(len(segment))
    points = _on_segments(paths, np.tile(segment, 2), np.concatenate([from_share, to_share]), measure)
    start, end = points.take(slice(0, len(segment))), points.take(slice(len(segment), None))
    _raise(own, np.tile(owner, 2), points.objective)
    best.offer(points)
    while True:
        keep = (_bound(start, end, measure) > own[:, owner] + TOLERANCE_M).any(axis=0) & (
            end.way_um - start.way_um > TOLERANCE_M / 10 * MICROMETRES
        )
        segment, owner, from_share, to_share = (a[keep] for a in (segment, owner, from_share, to_share))
        if not len(segment):
            return
        start, end = start.take(keep), end.take(keep)
        half = (from_share + to_share) / 2
        middle = _on_segments(paths, segment, half, measure)
        best.offer(middle)
        _raise(own, owner, middle.objective)
        segment, owner = np.tile(segment, 2), np.tile(owner, 2)
        from_share, to_share = np.concatenate([from_share, half]), np.concatenate([half, to_share])
        start, end = start.join(middle), middle.join(end)


def _raise(own: np.ndarray, owner: np.ndarray, objective: np.ndarray) -> None:
    """Keep the best of each range."""
    for values, found in zip(own, objective, strict=True):
        np.maximum.at(values, owner, found)


def _bound(start: _Points, end: _Points, measure: Measure) -> np.ndarray:
    """Return what no point between two points of one segment exceeds."""
    way = (end.way_um - start.way_um) / MICROMETRES
    middle = (start.objective[DISTANCE] + end.objective[DISTANCE] + way) / 2
    bound = middle - measure.least_error_m(start.accuracy_m)
    for edge in (start.edge[DISTANCE], end.edge[DISTANCE]):
        at_ends = (measure.by_edge(p.longitude, p.latitude, p.accuracy_m, edge) for p in (start, end))
        bound = np.minimum(bound, np.maximum(*at_ends))
    return bound


def _on_segments(paths: Paths, low: np.ndarray, share: np.ndarray, measure: Measure) -> _Points:
    """Return the points at a share of the way along segments, measured with their accuracy."""

    def between(values: np.ndarray) -> np.ndarray:
        return values[low] + share * (values[low + 1] - values[low])

    accuracy = paths.accuracy_m[low]
    lon, lat = between(paths.longitude), between(paths.latitude)
    # Whole numbers, from the segment's own start: no shard's clock changes a digit.
    clock, way = (
        v[low] + np.rint(share * (v[low + 1] - v[low])).astype(np.int64) for v in (paths.clock_us, paths.way_um)
    )
    return _Points(paths.group[:, low], clock, lon, lat, accuracy, way, *measure.at(lon, lat, accuracy))
