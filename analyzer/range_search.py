"""The search within ranges of paths that may hold the deepest point: vertices, then between them."""

import numpy as np

from analyzer.geometry import MICROMETRES
from analyzer.waypoints import DISTANCE, SPARE, Best, Measure, Paths, Points, measured_at

TOLERANCE_M = 0.01
"""No point is missed that is deeper than the one found by more than this."""


def search_ranges(  # noqa: PLR0913 - ranges, and what is known at their ends
    paths: Paths, low: np.ndarray, high: np.ndarray, first: Points, last: Points, measure: Measure, best: Best
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
        best: Best,
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
            at_start, at_end = self._by_edge(edge)
            np.minimum(self.at_start, at_start, out=self.at_start)
            np.minimum(self.anywhere, np.maximum(at_start, at_end), out=self.anywhere)

    def _by_edge(self, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds at the starts and at the ends of all segments by one edge a range, with their accuracy.

        Segments of a range follow each other: where one ends the next starts, and is measured once.
        """
        paths, last = self.paths, np.flatnonzero(np.diff(self.owner, append=-1))
        vertex = np.insert(self.segment, last + 1, self.segment[last] + 1)
        metres = self.measure.to_edge(
            paths.longitude[vertex], paths.latitude[vertex], np.insert(edge, last + 1, edge[last])
        )
        start = np.delete(np.arange(len(vertex)), last + 1 + np.arange(len(last)))
        error = self.measure.edge_error_m(paths.accuracy_m[self.segment], edge)
        return metres[start] - error, metres[start + 1] - error

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
        found = measured_at(self.paths, self.segment[top], self.measure)
        self.best.offer(found)
        self.own[:, open_ranges] = np.maximum(self.own[:, open_ranges], found.objective)
        edge = np.full((2, len(starts)), -1, dtype=np.int64)
        edge[:, open_ranges] = found.edge
        self._bound_some(np.flatnonzero(edge[DISTANCE, self.owner] >= 0), edge)
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


def _bound(start: Points, end: Points, measure: Measure) -> np.ndarray:
    """Return what no point between two points of one segment exceeds."""
    way = (end.way_um - start.way_um) / MICROMETRES
    middle = (start.objective[DISTANCE] + end.objective[DISTANCE] + way) / 2
    bound = middle - measure.least_error_m(start.accuracy_m)
    for edge in (start.edge[DISTANCE], end.edge[DISTANCE]):
        at_ends = (measure.by_edge(p.longitude, p.latitude, p.accuracy_m, edge) for p in (start, end))
        bound = np.minimum(bound, np.maximum(*at_ends))
    return bound


def _on_segments(paths: Paths, low: np.ndarray, share: np.ndarray, measure: Measure) -> Points:
    """Return the points at a share of the way along segments, measured with their accuracy."""

    def between(values: np.ndarray) -> np.ndarray:
        return values[low] + share * (values[low + 1] - values[low])

    accuracy = paths.accuracy_m[low]
    lon, lat = between(paths.longitude), between(paths.latitude)
    # Whole numbers, from the segment's own start: no shard's clock changes a digit.
    clock, way = (
        v[low] + np.rint(share * (v[low + 1] - v[low])).astype(np.int64) for v in (paths.clock_us, paths.way_um)
    )
    return Points(paths.group[:, low], clock, lon, lat, accuracy, way, *measure.at(lon, lat, accuracy))
