"""Metres from points to the border of a set of zones, within 0.05 % of the geodesic.

The nearest edge is found in a plane whose metres per degree are those of the point's
own latitude (points are binned by latitude, one tree a bin), then measured again with
the metres per degree halfway to the nearest point of that edge; distances beyond
`GEODESIC_FROM_M` are measured on the ellipsoid.
"""

from functools import lru_cache

import numpy as np
import shapely

from analyzer.geometry import geodesic_m, metres_per_degree
from analyzer.membership import Edges

BIN_DEG = 0.05
"""Height of a latitude bin: a degree's length changes by less than 0.07 % across it."""

GEODESIC_FROM_M = 20_000.0

TIE_SHARE = 1e-3
"""Two borders whose distances differ by less than this share are both the nearest (that is how
well distances are known): then the less accurate one counts."""


class Border:
    """Edges to measure from; each carries the index of the zone it belongs to."""

    def __init__(self, edges: Edges) -> None:
        """Keep the edges; trees are built when a latitude is first asked for."""
        self.edges = edges
        self._tree = lru_cache(maxsize=64)(self._build)

    def _build(self, latitude_bin: int) -> tuple[shapely.STRtree, float, float]:
        """Return the tree of one latitude bin, and its metres per degree."""
        east, north = metres_per_degree((latitude_bin + 0.5) * BIN_DEG)
        e = self.edges
        ends = np.column_stack([e.ax * east, e.ay * north, e.bx * east, e.by * north])
        return shapely.STRtree(shapely.linestrings(ends.reshape(-1, 2, 2))), east, north

    def nearest(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return metres to the nearest edge of each point, and the zone of that edge.

        Without any edge the distance is infinite and the zone -1.
        """
        edge = np.full(len(longitude), -1, dtype=np.int64)
        if not len(self.edges.ax) or not len(longitude):
            return np.full(len(longitude), np.inf), edge
        bins = np.floor(latitude / BIN_DEG).astype(np.int64)
        for one in np.unique(bins):
            at = np.flatnonzero(bins == one)
            tree, east, north = self._tree(int(one))
            points = shapely.points(longitude[at] * east, latitude[at] * north)
            found, nearest = tree.query_nearest(points, all_matches=False)
            edge[at[found]] = nearest
        return self._metres(longitude, latitude, edge), self.edges.zone[edge]

    def _metres(self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """Return the metres from each point to one edge."""
        middle = latitude
        for _ in range(2):
            lon, lat = self._foot(longitude, latitude, edge, middle)
            middle = (latitude + lat) / 2
        east, north = metres_per_degree(middle)
        metres = np.hypot((longitude - lon) * east, (latitude - lat) * north)
        far = np.flatnonzero(metres > GEODESIC_FROM_M)
        metres[far] = geodesic_m(longitude[far], latitude[far], lon[far], lat[far])
        return metres

    def _foot(
        self, longitude: np.ndarray, latitude: np.ndarray, edge: np.ndarray, middle: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest point of each edge, in degrees."""
        east, north = metres_per_degree(middle)
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
        self._groups = [(float(a), Border(edges.take(own == a))) for a in np.unique(own)]
        self.least_accuracy_m = min((a for a, _ in self._groups), default=0.0)

    def error_m(self, accuracy_m: np.ndarray, zone_accuracy_m: float | np.ndarray) -> np.ndarray:
        """Return the position error in metres."""
        return self.z * np.sqrt(accuracy_m**2 + np.square(zone_accuracy_m))

    def measure(
        self, longitude: np.ndarray, latitude: np.ndarray, accuracy_m: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return distance, spare, nearest zone (-1: none) and the error for that zone."""
        count = len(longitude)
        distance, spare = np.full(count, np.inf), np.full(count, np.inf)
        zone, error = np.full(count, -1, dtype=np.int64), np.zeros(count)
        for accuracy, border in self._groups:
            metres, nearest = border.nearest(longitude, latitude)
            own_error = self.error_m(accuracy_m, accuracy)
            spare = np.minimum(spare, metres - own_error)
            closer = metres <= distance * (1 + TIE_SHARE)
            distance = np.minimum(distance, metres)
            zone, error = np.where(closer, nearest, zone), np.where(closer, own_error, error)
        return distance, distance - error if self._nearest_only else spare, zone, error

    @property
    def smooth(self) -> bool:
        """Whether the spare changes by no more than the way driven (for one accuracy of the point)."""
        return not self._nearest_only or len(self._groups) <= 1
