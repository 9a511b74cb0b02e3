"""Distances on the ground, from coordinates in degrees WGS 84.

Metres per degree of the ellipsoid are taken at the mid-latitude of the two points
(meridional and prime-vertical radius of curvature; e.g. Snyder, *Map projections: a
working manual*, 1987, p. 25): within 0.05 % of the geodesic up to tens of kilometres.
"""

from typing import Any

import numpy as np

SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING)


def metres_per_degree(latitude: Any) -> tuple[Any, Any]:
    """Return metres per degree of longitude and of latitude on WGS 84 at `latitude` (degrees)."""
    cosine = np.cos(np.radians(latitude))
    w2 = 1 - ECCENTRICITY_2 * (1 - cosine * cosine)
    w = np.sqrt(w2)
    east = np.radians(SEMI_MAJOR_M) * cosine / w
    north = np.radians(SEMI_MAJOR_M) * (1 - ECCENTRICITY_2) / (w2 * w)
    return east, north


def ground_distance_m(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> Any:
    """Return the metres between two points (arrays of degrees), mid-latitude formula."""
    east, north = metres_per_degree((lat_a + lat_b) / 2)
    return np.hypot((lon_b - lon_a) * east, (lat_b - lat_a) * north)


def geodesic_m(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> np.ndarray:
    """Return the geodesic metres between two points, at any distance (Karney 2013, by PROJ)."""
    from pyproj import Geod  # noqa: PLC0415 - only long distances need it

    metres = Geod(ellps="WGS84").inv(lon_a, lat_a, lon_b, lat_b)[2]
    return np.asarray(metres, dtype=np.float64)
