"""The border edges of zones, as arrays."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from analyzer.grid import Ways
from analyzer.records import record


@record(frozen=True, eq=False)
class Edges:
    """Border edges of all zones: start and end in degrees, and the index of their zone."""

    ax: np.ndarray
    ay: np.ndarray
    bx: np.ndarray
    by: np.ndarray
    zone: np.ndarray

    @staticmethod
    def of(geometries: Sequence[BaseGeometry]) -> "Edges":
        """Return the edges of all rings of polygons and multipolygons."""
        parts, zone = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        joined = ring[1:] == ring[:-1]
        start, end = points[:-1][joined], points[1:][joined]
        owner = zone[part[ring[:-1][joined]]].astype(np.int64)
        columns = (np.ascontiguousarray(column) for column in (*start.T, *end.T, owner))
        return Edges(*columns)

    def ways(self) -> Ways:
        """Return the edges as ways."""
        return Ways(self.ax, self.ay, self.bx, self.by)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Return west, south, east and north of the rings that the edges make up."""
        return float(self.ax.min()), float(self.ay.min()), float(self.ax.max()), float(self.ay.max())

    def take(self, which: np.ndarray | slice) -> "Edges":
        """Return the edges at `which` (indices, mask or slice)."""
        return Edges(*(a[which] for a in (self.ax, self.ay, self.bx, self.by, self.zone)))
