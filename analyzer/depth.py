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

import numpy as np

from analyzer.geometry import MICROMETRES
from analyzer.range_search import search_ranges
from analyzer.terms import SECOND_US
from analyzer.waypoints import DISTANCE, Best, Deepest, Measure, Paths, Points, measured_at

RANGE_US = 8 * SECOND_US
"""Vertices of one such span of absolute time are a range."""

STRIDE = 8
"""Of the stations of a path, one in so many is measured before anything is known."""


def deepest(paths: Paths, groups: tuple[int, int], measure: Measure) -> tuple[Deepest, Deepest]:
    """Return where distance and spare of each group are greatest, to within `range_search.TOLERANCE_M`.

    `groups` is how many groups there are for each.
    """
    best = Best(groups)
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
    measured = measured_at(paths, stations[used], measure)
    best.offer(measured)
    upper_m[used] = measured.objective[DISTANCE]
    bound = (upper_m[first] + upper_m[last] + way_m) / 2 - worst
    still = np.flatnonzero(best.may_beat(bound[:, keep], group[:, keep]) & (high > low)[keep])
    first_points, last_points = measured.take(at[: len(keep)][still]), measured.take(at[len(keep) :][still])
    _as_ends(paths, high[keep[still]], last_points, measure, best)
    search_ranges(paths, low[keep[still]], high[keep[still]], first_points, last_points, measure, best)
    return best.result()


def _as_ends(paths: Paths, high: np.ndarray, points: Points, measure: Measure, best: Best) -> None:
    """Measure the ends of ranges again where the last segment has another accuracy than the next range.

    Where a shard ends there is no next one, and what is found in a range must not depend on that.
    """
    accuracy = paths.accuracy_m[high - 1]
    other = np.flatnonzero(accuracy != points.accuracy_m)
    if not len(other):
        return
    points.accuracy_m[other] = accuracy[other]
    some = points.take(other)
    points.objective[:, other], points.edge[:, other] = measure.at(some.longitude, some.latitude, some.accuracy_m)
    best.offer(points.take(other))


def _upper_m(paths: Paths, stations: np.ndarray, measure: Measure, best: Best) -> np.ndarray:
    """Return what the distance at each station is at the most; some of them are measured and offered."""
    path = paths.path[stations]
    coarse = np.flatnonzero((np.arange(len(stations)) % STRIDE == 0) | (np.diff(path, prepend=-1) != 0))
    ends = np.append(coarse[1:], len(stations)) - 1
    coarse = np.unique(np.concatenate([coarse, ends[np.append(path[coarse[1:]] != path[coarse[:-1]], True)]]))
    measured = measured_at(paths, stations[coarse], measure)
    best.offer(measured)
    before = np.searchsorted(coarse, np.arange(len(stations)), side="right") - 1
    after = np.minimum(before + 1, len(coarse) - 1)
    lon, lat = paths.longitude[stations], paths.latitude[stations]
    upper_m = np.minimum(*(measure.to_edge(lon, lat, measured.edge[DISTANCE, near]) for near in (before, after)))
    upper_m[coarse] = measured.objective[DISTANCE]
    return upper_m


def _offer_likeliest(paths: Paths, low: np.ndarray, bound: np.ndarray, measure: Measure, best: Best) -> None:
    """Measure the first vertex of the range of each group that promises most."""
    group = paths.group[DISTANCE, low]
    order = np.lexsort((-bound[DISTANCE], group))
    top = order[np.diff(group[order], prepend=-1) != 0]
    some = top[best.may_beat(bound[:, top], paths.group[:, low[top]])]
    best.offer(measured_at(paths, low[some], measure))


def _ranges(paths: Paths) -> tuple[np.ndarray, np.ndarray]:
    """Return the first vertex of each range of each path, and the first of the next (a path's last)."""
    if not len(paths.path):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    new_path = np.diff(paths.path, prepend=-1) != 0
    low = np.flatnonzero(new_path | (np.diff(paths.range, prepend=0) != 0))
    following = np.append(low[1:], len(paths.path))
    ends_path = np.append(new_path, True)[following]
    return low, following - ends_path


def _least_accuracy(accuracy_m: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the least accuracy of the vertices from `low` up to and with `high`."""
    bounds = np.column_stack([low, high + 1]).ravel()
    return np.minimum.reduceat(np.append(accuracy_m, np.inf), bounds)[::2]
