"""Points along paths, what is measured there, and the best of each group so far."""

from dataclasses import fields
from typing import Protocol

import numpy as np

from analyzer.records import record

DISTANCE, SPARE = 0, 1
"""What is sought: the greatest distance, and the greatest spare beyond the position error."""

_NEVER = np.iinfo(np.int64).max


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

    def edge_error_m(self, accuracy_m: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return by what distance and spare are less than the metres to one edge, at the least."""
        ...

    def least_error_m(self, accuracy_m: np.ndarray) -> np.ndarray:
        """Return what distance and spare are at least less than the distance."""
        ...


@record(frozen=True, eq=False)
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


@record(frozen=True, eq=False)
class Deepest:
    """The best point of each group: objective (-inf without any), instant, place, accuracy there."""

    objective: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    accuracy_m: np.ndarray


@record(frozen=True, eq=False)
class Points:
    """Points on the paths, by clock (microseconds), with what was measured there."""

    group: np.ndarray
    clock_us: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    accuracy_m: np.ndarray
    way_um: np.ndarray
    objective: np.ndarray
    edge: np.ndarray

    def take(self, which: np.ndarray | slice) -> "Points":
        """Return some of the points."""
        return Points(*(getattr(self, f.name)[..., which] for f in fields(self)))

    def join(self, other: "Points") -> "Points":
        """Return these points and others."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Points(*(np.concatenate(pair, axis=-1) for pair in pairs))


class Best:
    """The best point so far of each group and objective: the earliest of equals."""

    def __init__(self, groups: tuple[int, int]) -> None:
        self._objective = [np.full(count, -np.inf) for count in groups]
        self._clock = [np.full(count, _NEVER) for count in groups]
        self._place = [np.full((count, 3), np.nan) for count in groups]

    def may_beat(self, bound: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Return where a bound of any objective reaches the best of its group."""
        return np.any([b >= o[g] for b, o, g in zip(bound, self._objective, group, strict=True)], axis=0)

    def offer(self, points: Points) -> None:
        """Take over points that are better than the best of their group."""
        if points.clock_us.size:
            for sought in (DISTANCE, SPARE):
                self._offer(sought, points)

    def _offer(self, sought: int, points: Points) -> None:
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


def measured_at(paths: Paths, at: np.ndarray, measure: Measure) -> Points:
    """Return the vertices at `at`, measured."""
    lon, lat, accuracy = paths.longitude[at], paths.latitude[at], paths.accuracy_m[at]
    found = measure.at(lon, lat, accuracy)
    return Points(paths.group[:, at], paths.clock_us[at], lon, lat, accuracy, paths.way_um[at], *found)
