"""Distances on the ground, from coordinates in degrees WGS 84.

Metres per degree of the ellipsoid are taken at the mid-latitude of the two points
(meridional and prime-vertical radius of curvature; e.g. Snyder, *Map projections: a
working manual*, 1987, p. 25): within 0.05 % of the geodesic up to tens of kilometres.
"""

import math
from functools import cache
from typing import Any

import numpy as np

MICROMETRES = 1_000_000
"""Whole ones are added up: sums of them are the same in any order."""

SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING)


_EAST_M = np.radians(SEMI_MAJOR_M)
_NORTH_M = _EAST_M * (1 - ECCENTRICITY_2)


def metres_per_degree(latitude: Any) -> tuple[Any, Any]:
    """Return metres per degree of longitude and of latitude on WGS 84 at `latitude` (degrees)."""
    cosine = np.cos(np.radians(latitude))
    w2 = 1 - ECCENTRICITY_2 * (1 - cosine * cosine)
    w = np.sqrt(w2)
    east = _EAST_M * cosine / w
    north = _NORTH_M / (w2 * w)
    return east, north


def ground_distance_m(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> Any:
    """Return the metres between two points (arrays of degrees), mid-latitude formula."""
    east, north = metres_per_degree((lat_a + lat_b) / 2)
    return np.hypot((lon_b - lon_a) * east, (lat_b - lat_a) * north)


FAR_M = 20_000.0
"""From here on the mid-latitude formula may be off by more than a millionth."""


def geodesic_m(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> np.ndarray:
    """Return the geodesic metres between two points, at any distance.

    Long ones are PROJ's (Karney 2013), short ones of the mid-latitude formula.
    """
    metres = np.atleast_1d(np.asarray(ground_distance_m(lon_a, lat_a, lon_b, lat_b), dtype=np.float64))
    far = np.flatnonzero(metres > FAR_M)
    if len(far):
        from pyproj import Geod  # noqa: PLC0415 - only long distances need it

        metres[far] = Geod(ellps="WGS84").inv(*(np.atleast_1d(v)[far] for v in (lon_a, lat_a, lon_b, lat_b)))[2]
    return metres


def segment_lengths_um(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Return the whole micrometres from each point to the next (one fewer than points).

    As `ground_distance_m`, at a fraction of its cost: metres per degree come from a parabola
    in each band of `BAND_DEG`. A length depends on its own two points alone.
    """
    micrometres = np.empty(max(len(longitude) - 1, 0), dtype=np.int64)
    for low in range(0, len(micrometres), BLOCK):
        high = min(low + BLOCK, len(micrometres))
        metres = _block_lengths_m(longitude[low : high + 1], latitude[low : high + 1])
        metres *= MICROMETRES
        micrometres[low:high] = np.rint(metres, out=metres)
    return micrometres


BAND_DEG = 0.25
"""Height of the bands of latitude in which metres per degree are a parabola: right to 1e-8."""

BLOCK = 1 << 15
"""Points handled at once: the arrays in between stay in the processor's cache."""


def _block_lengths_m(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Return the lengths of one block."""
    middle = latitude[1:] + latitude[:-1]
    middle *= 0.5
    low, high = (math.floor(float(m) / BAND_DEG) for m in (middle.min(), middle.max()))
    bands: Any = low if low == high else np.floor(middle / BAND_DEG).astype(np.int64)
    east, north = _parabolas()[:, bands + _BANDS]
    middle -= (bands + 0.5) * BAND_DEG
    across, up = longitude[1:] - longitude[:-1], latitude[1:] - latitude[:-1]
    across *= _at(middle, east)
    up *= _at(middle, north)
    across *= across
    up *= up
    across += up
    return np.asarray(np.sqrt(across, out=across))


def _at(middle: np.ndarray, parabola: np.ndarray) -> np.ndarray:
    """Return the values of parabolas (coefficients last, of rising powers), without arrays in between."""
    values = middle * parabola[..., 2]
    values += parabola[..., 1]
    values *= middle
    values += parabola[..., 0]
    return values


_BANDS = round(90 / BAND_DEG)


@cache
def _parabolas() -> np.ndarray:
    """Return (2, bands, 3): metres per degree east and north about the middle of each band."""
    middle = (np.arange(-_BANDS, _BANDS + 1) + 0.5) * BAND_DEG
    low, at, high = (np.array(metres_per_degree(middle + shift * BAND_DEG / 2)) for shift in (-1, 0, 1))
    half = BAND_DEG / 2
    return np.stack([at, (high - low) / (2 * half), (high - 2 * at + low) / (2 * half**2)], axis=-1)
