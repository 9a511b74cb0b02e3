"""The deepest point of a path: branch and bound over its segments, to 0.01 m.

The distance to a border changes by no more than the way driven, so between two points
of a path at distances a and b, with L metres of way between them, it is nowhere more
than `(a + b + L) / 2`. Stretches of the path that cannot beat the best point of their
group are dropped, the others halved, until what is left is shorter than the tolerance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TOLERANCE_M = 0.01
_NEVER = np.iinfo(np.int64).max

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(longitude, latitude, accuracy) -> (distance, objective): objective <= distance - least error,
and, for one accuracy, it changes by no more than the way driven."""


@dataclass(frozen=True)
class Paths:
    """Polylines by their vertices, path after path; a path may be a single vertex.

    `way_m` rises along each path; `accuracy_m` of vertex i is that of the segment from it
    (of its own instant at a path's end). `group` and `path` number each vertex.
    """

    path: np.ndarray
    group: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    accuracy_m: np.ndarray
    way_m: np.ndarray


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
    way_m: np.ndarray
    distance_m: np.ndarray
    objective: np.ndarray

    def take(self, which: np.ndarray) -> "_Points":
        """Return some of the points."""
        return _Points(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def deepest(
    paths: Paths,
    groups: int,
    measure: Measure,
    error_m: Callable[[np.ndarray], np.ndarray],
    *,
    smooth: bool = True,
) -> Deepest:
    """Return where each group's objective is greatest, to within `TOLERANCE_M`.

    `error_m(accuracy)` is the least error that an objective takes off a distance; `smooth`
    says that the objective changes by no more than the way driven.
    """
    search = _Search(paths, measure, error_m, smooth)
    best = _Best(groups)
    ends = _ends(paths)
    low, high = ends
    first = _measured(paths, low, measure)
    last = _measured(paths, high, measure)
    best.offer(first)
    best.offer(last)
    many = high > low
    low, high, first, last = low[many], high[many], first.take(many), last.take(many)
    while len(low):
        worst = error_m(_least_accuracy(paths.accuracy_m, low, high))
        bound = (first.distance_m + last.distance_m + last.way_m - first.way_m) / 2 - worst
        keep = bound > best.objective[first.group] + TOLERANCE_M
        low, high, first, last = low[keep], high[keep], first.take(keep), last.take(keep)
        single = high - low == 1
        _search_segments(search, low[single], best)
        low, high, first, last = low[~single], high[~single], first.take(~single), last.take(~single)
        middle = (low + high) // 2
        between = _measured(paths, middle, measure)
        best.offer(between)
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        first, last = _join(first, between), _join(between, last)
    return best.result()


def _join(one: _Points, other: _Points) -> _Points:
    """Return both sets of points as one."""
    names = one.__dataclass_fields__
    return _Points(*(np.concatenate([getattr(one, n), getattr(other, n)]) for n in names))


class _Best:
    """The best point so far of each group: the earliest of equals."""

    def __init__(self, groups: int) -> None:
        self.objective = np.full(groups, -np.inf)
        self._clock = np.full(groups, _NEVER)
        self._place = np.full((groups, 3), np.nan)

    def offer(self, points: _Points) -> None:
        """Take over points that are better than the best of their group."""
        if not len(points.group):
            return
        order = np.lexsort((points.clock_us, -points.objective, points.group))
        top = order[np.diff(points.group[order], prepend=-1) != 0]
        group, objective, clock = points.group[top], points.objective[top], points.clock_us[top]
        old = self.objective[group]
        better = (objective > old) | ((objective == old) & (clock < self._clock[group]))
        top, group = top[better], group[better]
        self.objective[group] = points.objective[top]
        self._clock[group] = points.clock_us[top]
        place = (points.longitude[top], points.latitude[top], points.accuracy_m[top])
        self._place[group] = np.column_stack(place)

    def result(self) -> Deepest:
        """Return the best of each group."""
        clock = np.where(self._clock < _NEVER, self._clock, -1)
        return Deepest(self.objective, clock, *self._place.T)


def _ends(paths: Paths) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last vertex of each path."""
    first = np.flatnonzero(np.diff(paths.path, prepend=-1) != 0)
    return first, np.append(first[1:], len(paths.path))[: len(first)] - 1


def _measured(paths: Paths, at: np.ndarray, measure: Measure) -> _Points:
    """Return the vertices at `at`, measured."""
    lon, lat, accuracy = paths.longitude[at], paths.latitude[at], paths.accuracy_m[at]
    distance, objective = measure(lon, lat, accuracy)
    clock, way = paths.clock_us[at], paths.way_m[at]
    return _Points(paths.group[at], clock, lon, lat, accuracy, way, distance, objective)


def _least_accuracy(accuracy_m: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the least accuracy of the vertices from `low` up to and with `high`."""
    if not len(low):
        return np.empty(0)
    bounds = np.column_stack([low, high + 1]).ravel()
    return np.minimum.reduceat(np.append(accuracy_m, np.inf), bounds)[::2]


@dataclass(frozen=True)
class _Search:
    """What is searched, and how."""

    paths: Paths
    measure: Measure
    error_m: Callable[[np.ndarray], np.ndarray]
    smooth: bool

    def bound(self, start: _Points, end: _Points, accuracy_m: np.ndarray) -> np.ndarray:
        """Return what no point of a segment exceeds."""
        way = end.way_m - start.way_m
        if self.smooth:
            return (start.objective + end.objective + way) / 2
        return (start.distance_m + end.distance_m + way) / 2 - self.error_m(accuracy_m)


def _search_segments(search: _Search, low: np.ndarray, best: _Best) -> None:
    """Halve single segments until none can hold a point better than the best of its group."""
    paths, measure = search.paths, search.measure
    accuracy = paths.accuracy_m[low]
    start = _on_segments(paths, low, accuracy, np.zeros(len(low)), measure)
    end = _on_segments(paths, low, accuracy, np.ones(len(low)), measure)
    best.offer(start)
    best.offer(end)
    from_share, to_share = np.zeros(len(low)), np.ones(len(low))
    while len(low):
        length = end.way_m - start.way_m
        bound = search.bound(start, end, accuracy)
        keep = (bound > best.objective[start.group] + TOLERANCE_M) & (length > TOLERANCE_M / 10)
        low, accuracy = low[keep], accuracy[keep]
        from_share, to_share = from_share[keep], to_share[keep]
        start, end = start.take(keep), end.take(keep)
        half = (from_share + to_share) / 2
        middle = _on_segments(paths, low, accuracy, half, measure)
        best.offer(middle)
        low, accuracy = np.tile(low, 2), np.tile(accuracy, 2)
        from_share = np.concatenate([from_share, half])
        to_share = np.concatenate([half, to_share])
        start, end = _join(start, middle), _join(middle, end)


def _on_segments(paths: Paths, low: np.ndarray, accuracy: np.ndarray, share: np.ndarray, measure: Measure) -> _Points:
    """Return the points at a share of the way along segments, measured with their accuracy."""

    def between(values: np.ndarray) -> np.ndarray:
        return values[low] + share * (values[low + 1] - values[low])

    lon, lat = between(paths.longitude), between(paths.latitude)
    distance, objective = measure(lon, lat, accuracy)
    # Whole microseconds, and ways from each path's start: no sharding changes a digit.
    span_us = paths.clock_us[low + 1] - paths.clock_us[low]
    clock, way = paths.clock_us[low] + np.rint(share * span_us).astype(np.int64), between(paths.way_m)
    return _Points(paths.group[low], clock, lon, lat, accuracy, way, distance, objective)
