"""Metres from points to the border of a set of zones, within 0.05 % of the geodesic.

The nearest edge is found in a plane whose metres per degree are those of the point's
own latitude (points are binned by latitude, one tree a bin), then measured again with
the metres per degree halfway to the nearest point of that edge; distances beyond
`GEODESIC_FROM_M` are measured on the ellipsoid.
"""

from functools import cached_property, lru_cache

import numpy as np
import shapely

from analyzer.edges import Edges
from analyzer.geometry import geodesic_m, metres_per_degree
from analyzer.records import record

BIN_DEG = 0.05
"""Height of a latitude bin: a degree's length changes by less than 0.07 % across it."""

GEODESIC_FROM_M = 20_000.0

CHAIN_EDGES = (8, 64)
MOST_CHAINS = 1 << 14
"""Edges of one line of a tree: few lines are built sooner, short ones are searched sooner. They are
as long as needed for so many lines, within bounds."""

NODE_CHAINS = 3
"""Chains or nodes of one node of a tree: twice as quick as with the usual 10."""

FAR_DEG, FAR_FACTOR = 1.0, 1.01
"""A box is far where it is so by the metres per degree of a degree nearer to the pole, and by a
percent more: beyond that degree it is 100 km away."""

MOST_POINTS = 1 << 15
"""Points looked up at once: each is measured against the edges of a chain."""

TIE_SHARE = 1e-3
"""Two borders whose distances differ by less than this share are both the nearest (that is how
well distances are known): then the less accurate one counts."""


@record(frozen=True, eq=False)
class _Chains:
    """Edges that follow each other, up to `CHAIN_EDGES`, as one line each: first edge, count, and vertices.

    `vertices` (degrees) are the start of each edge of a chain, and the end of its last.
    """

    first: np.ndarray
    count: np.ndarray
    vertices: np.ndarray

    @staticmethod
    def of(edges: Edges) -> "_Chains":
        """Return the chains of edges."""
        edge_count = len(edges.ax)
        follows = np.zeros(edge_count, dtype=bool)
        follows[1:] = (edges.ax[1:] == edges.bx[:-1]) & (edges.ay[1:] == edges.by[:-1])
        ring = np.flatnonzero(~follows)
        longest = min(max(edge_count // MOST_CHAINS, CHAIN_EDGES[0]), CHAIN_EDGES[1])
        pieces = -(-np.diff(np.append(ring, edge_count)) // longest)
        number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)  # within its ring
        first = np.repeat(ring, pieces) + longest * number
        count = np.diff(np.append(first, edge_count))
        last = first + count - 1
        chain = np.arange(len(first))
        vertices = np.empty((edge_count + len(first), 2))
        place = np.arange(edge_count) + np.repeat(chain, count)
        vertices[place, 0], vertices[place, 1] = edges.ax, edges.ay
        vertices[last + chain + 1] = np.column_stack([edges.bx[last], edges.by[last]])
        return _Chains(first, count, vertices)

    def tree(self, east: float, north: float) -> shapely.STRtree:
        """Return a tree of the chains in a plane of so many metres per degree."""
        lines = shapely.linestrings(
            self.vertices * (east, north), indices=np.repeat(np.arange(len(self.first)), self.count + 1)
        )
        return shapely.STRtree(lines, node_capacity=NODE_CHAINS)


@record(frozen=True, eq=False)
class _Plane:
    """The chains as a tree in the plane of one latitude bin, of which `east` and `north` are the metres per degree."""

    chains: _Chains
    tree: shapely.STRtree
    east: float
    north: float

    @staticmethod
    def of(chains: _Chains, latitude_bin: int) -> "_Plane":
        """Return the plane of a latitude bin."""
        east, north = (float(metres) for metres in metres_per_degree((latitude_bin + 0.5) * BIN_DEG))
        return _Plane(chains, chains.tree(east, north), east, north)

    def nearest_edge(self, edges: Edges, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the nearest edge of each point: of the nearest chain, the first of the nearest."""
        x, y = longitude * self.east, latitude * self.north
        found, chain = self.tree.query_nearest(shapely.points(x, y), all_matches=False)
        count = self.chains.count[chain]
        starts = np.cumsum(count) - count
        point = np.repeat(found, count)
        edge = np.repeat(self.chains.first[chain] - starts, count) + np.arange(len(point))
        ax, ay = edges.ax[edge] * self.east, edges.ay[edge] * self.north
        ex, ey = edges.bx[edge] * self.east - ax, edges.by[edge] * self.north - ay
        wx, wy = x[point] - ax, y[point] - ay
        share = np.clip((wx * ex + wy * ey) / np.maximum(ex * ex + ey * ey, 1e-30), 0, 1)
        square = (wx - share * ex) ** 2 + (wy - share * ey) ** 2
        least = np.minimum.reduceat(square, starts)
        first = np.flatnonzero(square == np.repeat(least, count))
        return edge[first[np.unique(point[first], return_index=True)[1]]]


class Border:
    """Edges to measure from; each carries the index of the zone it belongs to."""

    def __init__(self, edges: Edges) -> None:
        """Keep the edges; trees are built when a latitude is first asked for."""
        self.edges = edges
        self._plane = lru_cache(maxsize=64)(lambda latitude_bin: _Plane.of(self._chains, latitude_bin))

    @cached_property
    def _chains(self) -> _Chains:
        """The edges as chains."""
        return _Chains.of(self.edges)

    def nearest(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return metres to the nearest edge of each point, and the zone of that edge.

        Without any edge the distance is infinite and the zone -1.
        """
        metres, edge = self.nearest_edge(longitude, latitude)
        return metres, self.edges.zone[edge] if len(self.edges.zone) else edge

    def nearest_edge(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return metres to the nearest edge of each point, and that edge; infinite and -1 without any."""
        edge = np.full(len(longitude), -1, dtype=np.int64)
        if not len(self.edges.ax) or not len(longitude):
            return np.full(len(longitude), np.inf), edge
        bins = np.floor(latitude / BIN_DEG).astype(np.int64)
        for one in np.unique(bins):
            within = np.flatnonzero(bins == one)
            for at in np.array_split(within, -(-len(within) // MOST_POINTS)):
                edge[at] = self._plane(int(one)).nearest_edge(self.edges, longitude[at], latitude[at])
        return self.metres_to(longitude, latitude, edge), edge

    def metres_to(self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return the metres from each point to one edge."""
        lon, lat = self._foot(longitude, latitude, edge)
        east, north = metres_per_degree((latitude + lat) / 2)
        metres = np.hypot((longitude - lon) * east, (latitude - lat) * north)
        far = np.flatnonzero(metres > GEODESIC_FROM_M)
        if len(far):
            metres[far] = geodesic_m(longitude[far], latitude[far], lon[far], lat[far])
        return metres

    def _foot(self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest point of each edge, in degrees, by the metres per degree at the point."""
        east, north = metres_per_degree(latitude)
        ax, ay = self.edges.ax[edge], self.edges.ay[edge]
        ex, ey = self.edges.bx[edge] - ax, self.edges.by[edge] - ay
        dot = (longitude - ax) * ex * east**2 + (latitude - ay) * ey * north**2
        length2 = (ex * east) ** 2 + (ey * north) ** 2
        share = np.clip(dot / np.where(length2 > 0, length2, 1), 0, 1)
        return ax + share * ex, ay + share * ey


class Clearance:
    """How far points are from a set of zones, against the position error of each zone.

    Zones of one accuracy are one `Border`. The *spare* of a point is the least, over them,
    of the metres to the border less `z * sqrt(point accuracy^2 + zone accuracy^2)`: above
    0, no point of the border lies within the position error. With `nearest_only` the
    nearest border alone counts, as for the union of a restriction's zones.
    """

    def __init__(self, edges: Edges, accuracy_m: np.ndarray, z: float, *, nearest_only: bool = False) -> None:
        """Group the edges by the accuracy (metres, by zone index) of their zone."""
        self.z, self._nearest_only = z, nearest_only
        own = accuracy_m[edges.zone]
        accuracies = np.unique(own)
        alike = len(accuracies) == 1
        counts = [int((own == a).sum()) for a in accuracies]
        self._all = Border(edges if alike else edges.take(np.argsort(own, kind="stable")))
        self._groups = [(float(a), self._all if alike else Border(edges.take(own == a))) for a in accuracies]
        self._first = np.cumsum(counts) - counts
        self._accuracy_m = np.repeat(accuracies, counts)
        self._least_accuracy_m = min(accuracies.tolist(), default=0.0)
        self._worst_accuracy_m = max(accuracies.tolist(), default=0.0)
        self._edges = edges

    @cached_property
    def _boxes(self) -> list[tuple[float, float, float, float]]:
        """The box around the edges of each zone."""
        zone = self._edges.zone
        return [self._edges.take(np.flatnonzero(zone == one)).box for one in np.unique(zone)]

    def error_m(self, accuracy_m: np.ndarray, zone_accuracy_m: float | np.ndarray) -> np.ndarray:
        """Return the position error in metres."""
        return self.z * np.sqrt(accuracy_m**2 + np.square(zone_accuracy_m))

    def measure(
        self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return distance, spare, nearest zone (-1: none) and the error for that zone."""
        found = self._measured(longitude, latitude, accuracy_m)
        return found.distance_m, found.spare_m, found.zone, found.error_m

    def clear(self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray) -> np.ndarray:
        """Return where the spare is above 0; points far from every zone are told by boxes alone."""
        clear = self._far(longitude, latitude, accuracy_m)
        near = np.flatnonzero(~clear)
        clear[near] = self.measure(longitude[near], latitude[near], accuracy_m[near])[1] > 0
        return clear

    def _far(self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray) -> np.ndarray:
        """Return which points are farther from the box around each zone's edges than any error, for sure."""
        east, north = metres_per_degree(np.abs(latitude) + FAR_DEG)
        error = self.error_m(accuracy_m, self._worst_accuracy_m)
        far = np.ones(len(longitude), dtype=bool)
        for west, south, right, top in self._boxes:
            across = np.maximum(np.maximum(west - longitude, longitude - right), 0) * east
            up = np.maximum(np.maximum(south - latitude, latitude - top), 0) * north
            far &= np.maximum(across, up) > error * FAR_FACTOR
        return far

    def _measured(self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray) -> "_Measured":
        """Return all that is known of points."""
        count = len(longitude)
        distance, spare = np.full(count, np.inf), np.full(count, np.inf)
        zone, near, tight = (np.full(count, -1, dtype=np.int64) for _ in range(3))
        error = np.zeros(count)
        for first, (accuracy, border) in zip(self._first, self._groups, strict=True):
            metres, edge = border.nearest_edge(longitude, latitude)
            own_error = self.error_m(accuracy_m, accuracy)
            own_spare = metres - own_error
            tight = np.where(own_spare < spare, edge + first, tight)
            spare = np.minimum(spare, own_spare)
            near = np.where(metres < distance, edge + first, near)
            closer = metres <= distance * (1 + TIE_SHARE)
            distance = np.minimum(distance, metres)
            zone, error = np.where(closer, border.edges.zone[edge], zone), np.where(closer, own_error, error)
        if self._nearest_only:
            return _Measured(distance, distance - error, zone, error, near, near)
        return _Measured(distance, spare, zone, error, near, tight)

    def at(self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return distance and spare, and the edges that give them: (2, points) each."""
        found = self._measured(longitude, latitude, accuracy_m)
        return np.stack([found.distance_m, found.spare_m]), np.stack([found.near_edge, found.tight_edge])

    def to_edge(self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return the metres to one edge of each point; infinite where there is none at all."""
        if not len(self._accuracy_m):
            return np.full(len(longitude), np.inf)
        return self._all.metres_to(longitude, latitude, edge)

    def by_edge(
        self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray, edge: np.ndarray
    ) -> np.ndarray:
        """Return what distance and spare are at the most: the metres to one edge, and less its error.

        Where the nearest border alone counts, less the least error of any.
        """
        return self.to_edge(longitude, latitude, edge) - self.edge_error_m(accuracy_m, edge)

    def edge_error_m(self, accuracy_m: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return by what distance (0) and spare are less than the metres to one edge, at the least."""
        if self._nearest_only or not len(self._accuracy_m):
            return self.least_error_m(accuracy_m)
        return np.stack([np.zeros_like(accuracy_m), self.error_m(accuracy_m, self._accuracy_m[edge])])

    def least_error_m(self, accuracy_m: np.ndarray) -> np.ndarray:
        """Return what distance (0) and spare are at least less than the distance."""
        return np.stack([np.zeros_like(accuracy_m), self.error_m(accuracy_m, self._least_accuracy_m)])


@record(frozen=True, eq=False)
class _Measured:
    """Distance, spare, nearest zone and error there, and the edges that give distance and spare."""

    distance_m: np.ndarray
    spare_m: np.ndarray
    zone: np.ndarray
    error_m: np.ndarray
    near_edge: np.ndarray
    tight_edge: np.ndarray
