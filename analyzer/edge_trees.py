"""The edge nearest to a point: trees of edges, in planes whose metres per degree are those of a latitude.

A zone with many edges has trees of its own, which every border that it belongs to asks; one
whose box is farther than an edge found is not asked, and a tree that is not asked is not
made. Zones with few edges share the trees of the border: one tree answers sooner than many.
"""

import itertools
from collections.abc import Sequence
from functools import cache, cached_property, lru_cache

import numpy as np
import shapely

from analyzer.edges import Edges
from analyzer.geometry import metres_per_degree
from analyzer.grid import ranges
from analyzer.records import record

BIN_DEG = 0.05
"""Height of a latitude bin: a degree's length changes by less than 0.07 % across it."""

MANY_EDGES = 1 << 14
"""Edges from which on a zone has trees of its own."""

CHAIN_EDGES = (8, 64)
MOST_CHAINS = 1 << 13
"""Edges of one line of a tree: few lines are built sooner, short ones are searched sooner. They are
as long as needed for so many lines, within bounds."""

NODE_CHAINS = 2
"""Chains or nodes of one node of a tree: twice as quick as with the usual 10."""


@cache
def metres_of(latitude_bin: int) -> tuple[float, float]:
    """Return the metres per degree of the plane of a latitude bin."""
    east, north = (float(metres) for metres in metres_per_degree((latitude_bin + 0.5) * BIN_DEG))
    return east, north


@record(frozen=True, eq=False)
class _Chains:
    """Edges that follow each other, up to `CHAIN_EDGES`, as one line each: number of the first edge, and count."""

    first: np.ndarray
    count: np.ndarray

    @staticmethod
    def of(edges: Edges, own: np.ndarray) -> "_Chains":
        """Return the chains of the edges numbered `own`, which rise."""
        ax, ay, bx, by = (values[own] for values in (edges.ax, edges.ay, edges.bx, edges.by))
        follows = np.zeros(len(own), dtype=bool)
        follows[1:] = (ax[1:] == bx[:-1]) & (ay[1:] == by[:-1]) & (np.diff(own) == 1)
        ring = np.flatnonzero(~follows)
        longest = min(max(len(own) // MOST_CHAINS, CHAIN_EDGES[0]), CHAIN_EDGES[1])
        pieces = -(-np.diff(np.append(ring, len(own))) // longest)
        _, number = ranges(np.zeros_like(pieces), pieces)  # within its ring
        first = np.repeat(ring, pieces) + longest * number
        return _Chains(own[first], np.diff(np.append(first, len(own))))

    def lines(self, edges: Edges, east: float, north: float) -> np.ndarray:
        """Return the chains as lines in a plane of so many metres per degree."""
        chain, vertex = ranges(self.first, self.count + 1)
        end, last = np.cumsum(self.count + 1) - 1, self.first + self.count - 1
        vertex[end] = last
        vertices = np.column_stack([edges.ax[vertex], edges.ay[vertex]])
        vertices[end, 0], vertices[end, 1] = edges.bx[last], edges.by[last]
        vertices *= (east, north)
        return np.asarray(shapely.linestrings(vertices, indices=chain))


@record(frozen=True, eq=False)
class _Plane:
    """Chains as a tree in the plane of one latitude bin."""

    chains: _Chains
    tree: shapely.STRtree
    east: float
    north: float

    def nearest(self, edges: Edges, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest edge of each point (the first of a chain's nearest) and its distance squared."""
        _, chain = self.tree.query_nearest(shapely.points(x, y), all_matches=False)
        count = self.chains.count[chain]
        point, edge = ranges(self.chains.first[chain], count)
        ax, ay = edges.ax[edge] * self.east, edges.ay[edge] * self.north
        ex, ey = edges.bx[edge] * self.east - ax, edges.by[edge] * self.north - ay
        wx, wy = x[point] - ax, y[point] - ay
        share = np.minimum(np.maximum((wx * ex + wy * ey) / np.maximum(ex * ex + ey * ey, 1e-30), 0), 1)
        square = (wx - share * ex) ** 2 + (wy - share * ey) ** 2
        least = np.minimum.reduceat(square, np.cumsum(count) - count)
        nearest = np.flatnonzero(square == least[point])[::-1]
        first = np.empty(len(x), dtype=np.int64)
        first[point[nearest]] = edge[nearest]  # of several, what is written last stays
        return first, least


class Tree:
    """Some of the edges as a tree, one for each latitude bin that is asked for."""

    def __init__(self, edges: Edges, zones: Sequence[slice]) -> None:
        """Keep the edges of some zones."""
        self._edges, self._zones = edges, zones
        self._plane = lru_cache(maxsize=64)(self._make_plane)

    @cached_property
    def box(self) -> np.ndarray:
        """The box around the edges: west, south, east and north."""
        boxes = np.array([self._edges.take(own).box for own in self._zones])
        return np.append(boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0))

    @cached_property
    def _chains(self) -> _Chains:
        """The edges as chains."""
        return _Chains.of(self._edges, np.concatenate([np.arange(own.start, own.stop) for own in self._zones]))

    def nearest(self, latitude_bin: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest edge of each point in the plane of a latitude bin, and the square of the metres to it."""
        return self._plane(latitude_bin).nearest(self._edges, x, y)

    def _make_plane(self, latitude_bin: int) -> _Plane:
        """Return the tree in the plane of a latitude bin."""
        east, north = metres_of(latitude_bin)
        lines = self._chains.lines(self._edges, east, north)
        return _Plane(self._chains, shapely.STRtree(lines, node_capacity=NODE_CHAINS), east, north)


class EdgeTrees:
    """The edges of zones, sorted by zone, and the trees of those that have many."""

    def __init__(self, edges: Edges) -> None:
        """Keep the edges; trees are made when they are first asked for."""
        self.edges = edges
        first = np.flatnonzero(np.diff(edges.zone, prepend=-1))
        self.zones = edges.zone[first]
        spans = itertools.pairwise([*first.tolist(), len(edges.zone)])
        self._own = {zone: slice(*span) for zone, span in zip(self.zones.tolist(), spans, strict=True)}
        self._large = {
            zone: Tree(edges, [own]) for zone, own in self._own.items() if own.stop - own.start >= MANY_EDGES
        }

    @cached_property
    def boxes(self) -> dict[int, tuple[float, float, float, float]]:
        """West, south, east and north of the edges of each zone."""
        return {zone: self.edges.take(own).box for zone, own in self._own.items()}

    def of(self, zones: np.ndarray) -> list[Tree]:
        """Return trees that hold the edges of some zones."""
        large = [zone for zone in zones.tolist() if zone in self._large]
        small = [self._own[zone] for zone in zones.tolist() if zone in self._own and zone not in self._large]
        return [self._large[zone] for zone in large] + [Tree(self.edges, small)] * bool(small)
