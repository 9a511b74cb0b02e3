"""Where the straight way between two fixes enters or leaves a zone.

Between two fixes longitude and latitude are linear in time, as the zones' edges are
linear in longitude and latitude, so a crossing needs no projection. Most ways stay in
cells that no border touches, and nothing more is asked of them. For the others, every
share of the way at which an edge may be met is found first (too many do no harm); the
parts between them are then told apart by the zones that cover their middles.

Exactness: a part meets no edge between its ends, so all of it lies on one side of every
edge, and GEOS tells which at its middle. A middle within `ON_EDGE_DEG` of an edge lies on
that edge; as a way is also cut wherever a vertex lies that near (`NEAR_VERTEX_DEG` is
wider), such a part runs along the edge as a whole. So membership along a way is that of
GEOS everywhere but within 2 * ON_EDGE_DEG of a border.
"""

import numpy as np

from analyzer.edges import Edges
from analyzer.grid import Ways, ranges
from analyzer.membership import ZoneIndex
from analyzer.records import record

ON_EDGE_DEG = 1e-12
"""A way this near to an edge runs along it (0.1 micrometre: rounding of the coordinates)."""

NEAR_VERTEX_DEG = 4 * ON_EDGE_DEG

BLOCK = 1 << 15
"""Fixes looked up at once: the arrays in between stay in the processor's cache."""

ROUNDING = 8 * np.finfo(np.float64).eps
"""Relative error of a cross product, rounded up."""


@record(frozen=True, eq=False)
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
    """Return the zones along the way of all fixes (the last before a hole stands for its instant).

    Instants must increase from each fix to the next of its run.
    """
    combination = np.empty(len(longitude), dtype=np.int32)
    unsure = _coarsely(index, longitude, latitude, combination)
    standing = hole_after[unsure]
    standing |= unsure == len(longitude) - 1
    fixes = unsure[~standing]
    ways = Ways(longitude[fixes], latitude[fixes], longitude[fixes + 1], latitude[fixes + 1])
    touched, pairs = _finely(index, ways, fixes, combination)
    _settle(index, longitude, latitude, hole_after, combination, unsure, fixes[touched])
    return _cut(index, ways.take(touched), pairs, time_us, combination, fixes[touched])


def _coarsely(index: ZoneIndex, longitude: np.ndarray, latitude: np.ndarray, combination: np.ndarray) -> np.ndarray:
    """Fill in the labels of the fixes' cells; return the fixes that are not done with this.

    Two cells that are the same or share a side are together convex: where both are free of
    borders, so is the way between them, and nothing more is asked.
    """
    unsure = [np.empty(0, dtype=np.int64)]
    for low in range(0, len(longitude), BLOCK):
        part = slice(low, low + BLOCK + 1)
        column, row, label = index.coarse(longitude[part], latitude[part])
        combination[part] = label
        flags = label < 0
        flags[:-1] |= flags[1:]
        flags[:-1] |= _steps(column, row) > 1
        unsure.append(np.flatnonzero(flags[:BLOCK]) + low)
    return np.concatenate(unsure)


def _steps(column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return how many cells each is from the next, along both axes together."""
    across, up = column[1:] - column[:-1], row[1:] - row[:-1]
    np.abs(across, out=across)
    np.abs(up, out=up)
    across += up
    return across


@record(frozen=True, eq=False)
class _Pairs:
    """Ways and edges whose boxes meet, sorted by way."""

    way: np.ndarray
    edge: np.ndarray


def _finely(index: ZoneIndex, ways: Ways, fixes: np.ndarray, combination: np.ndarray) -> tuple[np.ndarray, _Pairs]:
    """Fill in the labels of the fixes' fine cells; return the ways that an edge comes near, and which edges."""
    start, end = index.cells(ways.px, ways.py), index.cells(ways.qx, ways.qy)
    combination[fixes] = start.label
    still = (ways.px == ways.qx) & (ways.py == ways.qy)
    asked = np.flatnonzero(~still & ~index.clear(start, end))
    way, edge = index.edges_near(ways.take(asked), NEAR_VERTEX_DEG)
    touched, way = np.unique(way, return_inverse=True)
    return asked[touched], _Pairs(way, edge)


def _settle(  # noqa: PLR0913 - as `memberships`
    index: ZoneIndex,
    longitude: np.ndarray,
    latitude: np.ndarray,
    hole_after: np.ndarray,
    combination: np.ndarray,
    unsure: np.ndarray,
    touched: np.ndarray,
) -> None:
    """Fill in the combination of fixes that the grid does not know and whose way meets no edge.

    A way that no edge comes near has one combination, its ends included: so a fix has that
    of the fix before, unless a hole or an edge lies between them.
    """
    cut = np.zeros(len(longitude), dtype=bool)
    cut[touched] = True
    waiting = unsure[(combination[unsure] < 0) & ~cut[unsure]]
    follows = (waiting > 0) & ~hole_after[waiting - 1] & ~cut[waiting - 1]
    asked = waiting[~follows]
    combination[asked] = index.covering(longitude[asked], latitude[asked])
    known = np.where(follows & (np.diff(waiting, prepend=-2) == 1), 0, np.arange(len(waiting)))
    first = waiting[np.maximum.accumulate(known)]
    source = np.where(combination[first] < 0, first - 1, first)
    combination[waiting] = combination[source]


def _cut(  # noqa: PLR0913 - as `memberships`
    index: ZoneIndex,
    ways: Ways,
    pairs: _Pairs,
    time_us: np.ndarray,
    combination: np.ndarray,
    fixes: np.ndarray,
) -> Memberships:
    """Cut the ways of the given fixes at borders; set the combination of these to the first part's."""
    way, start, end = _parts(index.edges, ways, pairs)
    begin_us = time_us[fixes][way]
    span_us = (time_us[fixes + 1] - time_us[fixes])[way]
    from_us = begin_us + np.rint(start * span_us).astype(np.int64)
    to_us = begin_us + np.rint(end * span_us).astype(np.int64)
    lasts = np.flatnonzero(to_us > from_us)
    way, from_us = way[lasts], from_us[lasts]
    covering = _covering(index, ways, pairs, way, ((start + end) / 2)[lasts])
    first = np.diff(way, prepend=-1) != 0
    combination[fixes[way[first]]] = covering[first]
    cut = ~first
    cut[1:] &= covering[1:] != covering[:-1]
    return Memberships(combination, fixes[way[cut]], from_us[cut], covering[cut])


def _parts(edges: Edges, ways: Ways, pairs: _Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the parts of each way between possible crossings: way, start and end (0..1)."""
    met, share = _meetings(edges, ways, pairs)
    count = len(ways.px)
    way = np.concatenate([np.arange(count), met])
    start = np.concatenate([np.zeros(count), share])
    order = np.lexsort((start, way))
    way, start = way[order], start[order]
    end = np.append(start[1:], 1.0)
    end[:-1][np.diff(way) != 0] = 1.0
    return way, start, end


def _meetings(edges: Edges, ways: Ways, pairs: _Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Return (way, share of it) wherever a way may cross an edge or pass a vertex."""
    w, e = pairs.way, pairs.edge
    rx, ry = (ways.qx - ways.px)[w], (ways.qy - ways.py)[w]
    found = [_crossings(edges, ways, pairs, rx, ry)]
    length2 = rx * rx + ry * ry
    for x, y in ((edges.ax[e], edges.ay[e]), (edges.bx[e], edges.by[e])):
        wx, wy = x - ways.px[w], y - ways.py[w]
        near = np.abs(rx * wy - ry * wx) <= NEAR_VERTEX_DEG * np.sqrt(length2)
        found.append((w[near], ((wx * rx + wy * ry) / length2)[near]))
    way, share = (np.concatenate(values) for values in zip(*found, strict=True))
    within = (share > 0) & (share < 1)
    return way[within], share[within]


def _crossings(
    edges: Edges, ways: Ways, pairs: _Pairs, rx: np.ndarray, ry: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (way, share of it) wherever the ends of an edge are not surely on one side of the way."""
    w, e = pairs.way, pairs.edge
    ax, ay = edges.ax[e] - ways.px[w], edges.ay[e] - ways.py[w]
    bx, by = edges.bx[e] - ways.px[w], edges.by[e] - ways.py[w]
    side_a, side_b = _side(rx, ry, ax, ay), _side(rx, ry, bx, by)
    at = np.flatnonzero(side_a * side_b <= 0)
    ax, ay = ax[at], ay[at]
    ex, ey = edges.bx[e[at]] - edges.ax[e[at]], edges.by[e[at]] - edges.ay[e[at]]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (ax * ey - ay * ex) / (rx[at] * ey - ry[at] * ex)
    return w[at], share


def _side(rx: np.ndarray, ry: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return 1 for points surely left of a way, -1 right of it, 0 where rounding may hide the side."""
    one, other = rx * y, ry * x
    cross = one - other
    sure = np.abs(cross) > ROUNDING * (np.abs(one) + np.abs(other))
    return np.where(sure, np.sign(cross), 0).astype(np.int8)


def _covering(index: ZoneIndex, ways: Ways, pairs: _Pairs, way: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return the combination at the middle of each part; a part along an edge is covered by its zone."""
    x, y = ways.at(way, middle)
    covering = index.combination_of(x, y)
    part, zone = _on_edges(index.edges, pairs, way, x, y)
    if len(part):
        distinct, place = np.unique(part, return_inverse=True)
        inside = index.combinations.matrix()[covering[distinct]]
        inside[place, zone] = True
        covering[distinct] = index.combinations.numbers(inside)
    return covering


def _on_edges(
    edges: Edges, pairs: _Pairs, way: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (part, zone) wherever the middle (x, y) of a part of a way lies on an edge of the zone."""
    first = np.searchsorted(pairs.way, way)
    part, place = ranges(first, np.searchsorted(pairs.way, way, side="right") - first)
    e = pairs.edge[place]
    ex, ey = edges.bx[e] - edges.ax[e], edges.by[e] - edges.ay[e]
    wx, wy = x[part] - edges.ax[e], y[part] - edges.ay[e]
    length2 = ex * ex + ey * ey
    share = np.clip((wx * ex + wy * ey) / np.where(length2 > 0, length2, 1), 0, 1)
    near = np.hypot(wx - share * ex, wy - share * ey) <= ON_EDGE_DEG
    return part[near], edges.zone[e[near]]
