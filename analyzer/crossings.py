"""Where the straight way between two fixes enters or leaves a zone.

Between two fixes longitude and latitude are linear in time, as the zones' edges are
linear in longitude and latitude, so a crossing needs no projection. Every parameter at
which an edge may be met is found first (too many do no harm); the stretches between
them are then told apart by the zones that cover their middles.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from analyzer.membership import CHUNK, Edges, ZoneIndex, never_crossing

ON_EDGE_DEG = 1e-12
"""A point this near to an edge lies on it (0.1 micrometre: rounding of the coordinates)."""

_PARALLEL = 1e-6
_SLACK = 1e-9


@dataclass(frozen=True)
class Memberships:
    """The combination of zones in the open interval after each fix, and the cuts inside segments.

    `cut_fix` is the fix whose segment is cut, `cut_us` the instant, `cut_combination` what
    covers the way from there on; cuts are sorted by fix and instant.
    """

    combination: np.ndarray
    cut_fix: np.ndarray
    cut_us: np.ndarray
    cut_combination: np.ndarray


def memberships(
    index: ZoneIndex,
    longitude: np.ndarray,
    latitude: np.ndarray,
    time_us: np.ndarray,
    hole_after: np.ndarray,
) -> Memberships:
    """Return the zones along the way of all fixes (the last before a hole stands for its instant)."""
    count = len(longitude)
    combination = np.empty(count, dtype=np.int32)
    near = [
        _chunk(index, longitude, latitude, hole_after, combination, slice(low, low + CHUNK))
        for low in range(0, count, CHUNK)
    ]
    segments = np.concatenate(near) if near else np.empty(0, dtype=np.int64)
    return _cut(index, longitude, latitude, time_us, combination, segments)


def _chunk(  # noqa: PLR0913 - as above
    index: ZoneIndex,
    longitude: np.ndarray,
    latitude: np.ndarray,
    hole_after: np.ndarray,
    combination: np.ndarray,
    part: slice,
) -> np.ndarray:
    """Fill in the combinations of one slice of fixes; return the segments near a border."""
    wider = slice(part.start, part.stop + 1)
    cells = index.cells(longitude[wider], latitude[wider])
    size = len(longitude[part])
    calm = np.ones(size, dtype=bool)
    pairs = len(cells.label) - 1
    calm[:pairs] = never_crossing(cells, slice(0, pairs), slice(1, pairs + 1))[:size]
    last = hole_after[part]
    label = cells.label[:size].copy()
    alone = np.flatnonzero(last & (label < 0))
    label[alone] = index.covering(longitude[part][alone], latitude[part][alone])
    combination[part] = label
    return np.flatnonzero(~calm & ~last) + part.start


def _cut(  # noqa: PLR0913 - as above
    index: ZoneIndex,
    longitude: np.ndarray,
    latitude: np.ndarray,
    time_us: np.ndarray,
    combination: np.ndarray,
    segments: np.ndarray,
) -> Memberships:
    """Cut the given segments at borders; set the combination of their fixes to the first part's."""
    way = _Ways(longitude[segments], latitude[segments], longitude[segments + 1], latitude[segments + 1])
    pairs = _near_edges(index.edges, way)
    segment, start, end = _parts(index.edges, way, pairs)
    begin_us = time_us[segments][segment]
    span_us = (time_us[segments + 1] - time_us[segments])[segment]
    from_us = begin_us + np.rint(start * span_us).astype(np.int64)
    to_us = begin_us + np.rint(end * span_us).astype(np.int64)
    long = to_us > from_us
    segment, from_us = segment[long], from_us[long]
    middle = ((start + end) / 2)[long]
    covering = _covering(index, way, pairs, segment, middle)
    first = np.diff(segment, prepend=-1) != 0
    combination[segments[segment[first]]] = covering[first]
    cut = ~first
    cut[1:] &= covering[1:] != covering[:-1]
    return Memberships(combination, segments[segment[cut]], from_us[cut], covering[cut])


@dataclass(frozen=True)
class _Ways:
    """Segments from (px, py) to (qx, qy), in degrees."""

    px: np.ndarray
    py: np.ndarray
    qx: np.ndarray
    qy: np.ndarray


@dataclass(frozen=True)
class _Pairs:
    """Segments and edges whose boxes meet, sorted by segment."""

    segment: np.ndarray
    edge: np.ndarray


def _near_edges(edges: Edges, way: _Ways) -> _Pairs:
    """Return the pairs of segment and edge whose boxes meet."""
    if not len(edges.ax) or not len(way.px):
        return _Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    west, south = np.minimum(edges.ax, edges.bx), np.minimum(edges.ay, edges.by)
    east, north = np.maximum(edges.ax, edges.bx), np.maximum(edges.ay, edges.by)
    tree = shapely.STRtree(shapely.box(west, south, east, north))
    boxes = shapely.box(
        np.minimum(way.px, way.qx) - ON_EDGE_DEG,
        np.minimum(way.py, way.qy) - ON_EDGE_DEG,
        np.maximum(way.px, way.qx) + ON_EDGE_DEG,
        np.maximum(way.py, way.qy) + ON_EDGE_DEG,
    )
    segment, edge = tree.query(boxes)
    order = np.lexsort((edge, segment))
    return _Pairs(segment[order], edge[order])


def _parts(edges: Edges, way: _Ways, pairs: _Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the parts of each segment between possible crossings: segment, start and end (0..1)."""
    segment, share = _meetings(edges, way, pairs)
    count = len(way.px)
    segments = np.concatenate([np.arange(count), segment])
    starts = np.concatenate([np.zeros(count), share])
    order = np.lexsort((starts, segments))
    segments, starts = segments[order], starts[order]
    ends = np.append(starts[1:], 1.0)
    ends[:-1][np.diff(segments) != 0] = 1.0
    return segments, starts, ends


def _meetings(edges: Edges, way: _Ways, pairs: _Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Return (segment, share of the way) wherever a segment may meet an edge."""
    s, e = pairs.segment, pairs.edge
    rx, ry = (way.qx - way.px)[s], (way.qy - way.py)[s]
    ex, ey = (edges.bx - edges.ax)[e], (edges.by - edges.ay)[e]
    wx, wy = edges.ax[e] - way.px[s], edges.ay[e] - way.py[s]
    cross = rx * ey - ry * ex
    length2 = rx * rx + ry * ry
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (wx * ey - wy * ex) / cross
        along = (wx * ry - wy * rx) / cross
        to_a = (wx * rx + wy * ry) / length2
        to_b = to_a + (ex * rx + ey * ry) / length2
    met = (along >= -_SLACK) & (along <= 1 + _SLACK)
    parallel = np.abs(cross) <= _PARALLEL * np.sqrt(length2 * (ex * ex + ey * ey))
    segment = np.concatenate([s[met], s[parallel], s[parallel]])
    shares = np.concatenate([share[met], to_a[parallel], to_b[parallel]])
    within = (shares > 0) & (shares < 1)
    return segment[within], shares[within]


def _covering(index: ZoneIndex, way: _Ways, pairs: _Pairs, segment: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return the combination at the middle of each part; a way along an edge is covered by its zone."""
    x = way.px[segment] + middle * (way.qx - way.px)[segment]
    y = way.py[segment] + middle * (way.qy - way.py)[segment]
    covering = index.combination_of(x, y)
    part, zone = _on_edges(index.edges, pairs, segment, x, y)
    if len(part):
        inside = index.combinations.matrix()[covering[part]]
        distinct, place = np.unique(part, return_inverse=True)
        merged = np.zeros((len(distinct), inside.shape[1]), dtype=bool)
        np.logical_or.at(merged, place, inside)
        merged[place, zone] = True
        covering[distinct] = index.combinations.numbers(merged)
    return covering


def _on_edges(
    edges: Edges, pairs: _Pairs, segment: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (part, zone) wherever the middle of a part lies on an edge of the zone."""
    low = np.searchsorted(pairs.segment, segment)
    count = np.searchsorted(pairs.segment, segment, side="right") - low
    part = np.repeat(np.arange(len(segment)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    e = pairs.edge[np.repeat(low, count) + np.arange(len(part)) - first]
    ex, ey = edges.bx[e] - edges.ax[e], edges.by[e] - edges.ay[e]
    wx, wy = x[part] - edges.ax[e], y[part] - edges.ay[e]
    length2 = ex * ex + ey * ey
    share = np.clip((wx * ex + wy * ey) / np.where(length2 > 0, length2, 1), 0, 1)
    near = np.hypot(wx - share * ex, wy - share * ey) <= ON_EDGE_DEG
    return part[near], edges.zone[e[near]]
