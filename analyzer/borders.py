"""Metres from points to the border of a set of zones, within 0.05 % of the geodesic.

The nearest edge is found in a plane whose metres per degree are those of the point's
own latitude (points are binned by latitude, `edge_trees`), then measured again with
the metres per degree halfway to the nearest point of that edge; distances beyond
`GEODESIC_FROM_M` are measured on the ellipsoid.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np

from analyzer.edge_trees import BIN_DEG, EdgeTrees, metres_of
from analyzer.edges import Edges
from analyzer.geometry import geodesic_m, metres_per_degree
from analyzer.records import record

GEODESIC_FROM_M = 20_000.0

FAR_DEG, FAR_FACTOR = 1.0, 1.01
"""A box is far where it is so by the metres per degree of a degree nearer to the pole, and by a
percent more: beyond that degree it is 100 km away."""

MOST_POINTS = 1 << 15
"""Points looked up at once: each is measured against the edges of a chain."""

ROUNDING_M = 1e-6
"""No distance in a plane is wrong by so much for rounding: coordinates are up to 2e7 metres."""

TIE_SHARE = 1e-3
"""Two borders whose distances differ by less than this share are both the nearest (that is how
well distances are known): then the less accurate one counts."""


class Border:
    """Edges of zones to measure from."""

    def __init__(self, trees: EdgeTrees, zones: np.ndarray) -> None:
        """Keep the trees of the edges of some zones."""
        self._edges, self._trees = trees.edges, trees.of(zones)

    @cached_property
    def _boxes(self) -> np.ndarray:
        """The boxes around the edges of each tree: (4, trees, 1)."""
        return np.array([tree.box for tree in self._trees]).T[:, :, None]

    def nearest(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return metres to the nearest edge of each point, and that edge; infinite and -1 without any."""
        edge = np.full(len(longitude), -1, dtype=np.int64)
        if not self._trees or not len(longitude):
            return np.full(len(longitude), np.inf), edge
        bins = np.floor(latitude / BIN_DEG).astype(np.int64)
        for one in np.unique(bins).tolist():
            within = np.flatnonzero(bins == one)
            for at in np.array_split(within, -(-len(within) // MOST_POINTS)):
                edge[at] = self._nearest_edge(one, longitude[at], latitude[at])
        return metres_to(self._edges, longitude, latitude, edge), edge

    def _nearest_edge(self, latitude_bin: int, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the nearest edge of points of one latitude bin, of equals the first."""
        east, north = metres_of(latitude_bin)
        x, y = longitude * east, latitude * north
        if len(self._trees) == 1:
            return self._trees[0].nearest(latitude_bin, x, y)[0]
        least = self._least_square(x, y, east, north)
        square, edge = np.full(len(x), np.inf), np.full(len(x), -1, dtype=np.int64)
        asked = np.argmin(least, axis=0) == np.arange(len(least))[:, None]
        for _ in ("the likeliest", "others that may be as near"):
            for number in np.flatnonzero(asked.any(axis=1)):
                at = np.flatnonzero(asked[number])
                own, own_square = self._trees[number].nearest(latitude_bin, x[at], y[at])
                closer = (own_square < square[at]) | ((own_square == square[at]) & (own < edge[at]))
                square[at[closer]], edge[at[closer]] = own_square[closer], own[closer]
            asked = ~asked & (least <= square)
        return edge

    def _least_square(self, x: np.ndarray, y: np.ndarray, east: float, north: float) -> np.ndarray:
        """Return (trees, points): the square of the metres to the box of each tree, at the most."""
        west, south, right, top = self._boxes
        across = np.maximum(west * east - x, x - right * east)
        up = np.maximum(south * north - y, y - top * north)
        return np.asarray(np.maximum(across - ROUNDING_M, 0) ** 2 + np.maximum(up - ROUNDING_M, 0) ** 2)


def metres_to(edges: Edges, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return the metres from each point to one edge."""
    lon, lat = _foot(edges, longitude, latitude, edge)
    east, north = metres_per_degree((latitude + lat) / 2)
    metres = np.hypot((longitude - lon) * east, (latitude - lat) * north)
    far = np.flatnonzero(metres > GEODESIC_FROM_M)
    if len(far):
        metres[far] = geodesic_m(longitude[far], latitude[far], lon[far], lat[far])
    return metres


def _foot(edges: Edges, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest point of each edge, in degrees, by the metres per degree at the point."""
    east, north = metres_per_degree(latitude)
    ax, ay = edges.ax[edge], edges.ay[edge]
    ex, ey = edges.bx[edge] - ax, edges.by[edge] - ay
    dot = (longitude - ax) * ex * east**2 + (latitude - ay) * ey * north**2
    length2 = (ex * east) ** 2 + (ey * north) ** 2
    share = np.minimum(np.maximum(dot / np.where(length2 > 0, length2, 1), 0), 1)
    return ax + share * ex, ay + share * ey


class Clearance:
    """How far points are from a set of zones, against the position error of each zone.

    Zones of one accuracy are one `Border`. The *spare* of a point is the least, over them,
    of the metres to the border less `z * sqrt(point accuracy^2 + zone accuracy^2)`: above
    0, no point of the border lies within the position error. With `nearest_only` the
    nearest border alone counts, as for the union of a restriction's zones.
    """

    def __init__(
        self, trees: EdgeTrees, zones: np.ndarray, accuracy_m: np.ndarray, z: float, *, nearest_only: bool = False
    ) -> None:
        """Group zones by their accuracy (metres, by zone index)."""
        self.z, self._nearest_only = z, nearest_only
        self._edges, self._accuracy_m = trees.edges, accuracy_m
        own = zones[np.isin(zones, trees.zones)]
        accuracies = np.unique(accuracy_m[own]).tolist()
        self._groups = [(a, Border(trees, own[accuracy_m[own] == a])) for a in accuracies]
        self._least_accuracy_m, self._worst_accuracy_m = min(accuracies, default=0.0), max(accuracies, default=0.0)
        self._boxes = [trees.boxes[zone] for zone in own.tolist()]

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
        found = _Measured.nothing(len(longitude))
        for number, (accuracy, border) in enumerate(self._groups):
            metres, edge = border.nearest(longitude, latitude)
            error = self.error_m(accuracy_m, accuracy)
            own = _Measured(metres, metres - error, self._edges.zone[edge], error, edge, edge)
            found = found.joined(own) if number else own
        if self._nearest_only:
            return replace(found, spare_m=found.distance_m - found.error_m, tight_edge=found.near_edge)
        return found

    def at(self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return distance and spare, and the edges that give them: (2, points) each."""
        found = self._measured(longitude, latitude, accuracy_m)
        return np.stack([found.distance_m, found.spare_m]), np.stack([found.near_edge, found.tight_edge])

    def to_edge(self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return the metres to one edge of each point; infinite where there is none at all."""
        if not self._groups:
            return np.full(len(longitude), np.inf)
        return metres_to(self._edges, longitude, latitude, edge)

    def by_edge(
        self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray, edge: np.ndarray
    ) -> np.ndarray:
        """Return what distance and spare are at the most: the metres to one edge, and less its error.

        Where the nearest border alone counts, less the least error of any.
        """
        return self.to_edge(longitude, latitude, edge) - self.edge_error_m(accuracy_m, edge)

    def edge_error_m(self, accuracy_m: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return by what distance (0) and spare are less than the metres to one edge, at the least."""
        if self._nearest_only or not self._groups:
            return self.least_error_m(accuracy_m)
        zone_accuracy_m = self._accuracy_m[self._edges.zone[edge]]
        return np.stack([np.zeros_like(accuracy_m), self.error_m(accuracy_m, zone_accuracy_m)])

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

    @staticmethod
    def nothing(count: int) -> "_Measured":
        """Return that points are near no border at all."""
        never, none = np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
        return _Measured(never, never, none, np.zeros(count), none, none)

    def joined(self, other: "_Measured") -> "_Measured":
        """Return what is known by these borders and others, less accurate ones."""
        closer = other.distance_m <= self.distance_m * (1 + TIE_SHARE)
        return _Measured(
            distance_m=np.minimum(self.distance_m, other.distance_m),
            spare_m=np.minimum(self.spare_m, other.spare_m),
            zone=np.where(closer, other.zone, self.zone),
            error_m=np.where(closer, other.error_m, self.error_m),
            near_edge=np.where(other.distance_m < self.distance_m, other.near_edge, self.near_edge),
            tight_edge=np.where(other.spare_m < self.spare_m, other.tight_edge, self.tight_edge),
        )
