"""Outlines of zones: GeoJSON geometries read and validated, and their areas on the ellipsoid."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.validation import explain_validity

from analyzer.coordinates import korean_crs_of
from analyzer.errors import ZoneSetError
from analyzer.geometry import ECCENTRICITY_2, FLATTENING, SEMI_MAJOR_M

GAUSS_LEGENDRE = (
    (-0.906179845938664, 0.23692688505618928),
    (-0.5384693101056831, 0.4786286704993663),
    (0.0, 0.5688888888888887),
    (0.5384693101056831, 0.4786286704993663),
    (0.906179845938664, 0.23692688505618928),
)
"""Nodes in (-1, 1) and their weights (`numpy.polynomial.legendre.leggauss(5)`, whose import takes longer than loading
the zones)."""


def outline(where: str, value: Any) -> tuple[Polygon | MultiPolygon, bool]:
    """Return a valid geometry and whether its rings had to be turned or closed."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise ZoneSetError(f"{where}: geometry is {kind}; a zone is a Polygon or MultiPolygon")
    rings = [[_closed(where, ring) for ring in polygon] for polygon in _polygons(where, value)]
    try:
        parts = [_polygon([ring for ring, _ in polygon]) for polygon in rings]
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as error:
        raise ZoneSetError(f"{where}: coordinates cannot be read ({error})") from error
    geometry = parts[0] if kind == "Polygon" else shapely.multipolygons(parts)
    _in_degrees(where, geometry)
    if geometry.is_empty or not geometry.is_valid:
        fault = "it is empty" if geometry.is_empty else explain_validity(geometry)
        message = f"{where}: the outline is not valid: {fault} (longitude latitude); redraw it there"
        raise ZoneSetError(message)
    turned = shapely.orient_polygons(geometry)
    repaired = any(was_open for polygon in rings for _, was_open in polygon)
    same = np.array_equal(shapely.get_coordinates(turned), shapely.get_coordinates(geometry))
    return turned, repaired or not same


def _polygons(where: str, value: Mapping[str, Any]) -> list[list[Any]]:
    """Return the polygons of a geometry, each a list of rings."""
    coordinates = value.get("coordinates")
    if not isinstance(coordinates, list) or not coordinates:
        raise ZoneSetError(f"{where}: has no coordinates")
    polygons = [coordinates] if value["type"] == "Polygon" else coordinates
    if not all(isinstance(polygon, list) for polygon in polygons):
        raise ZoneSetError(f"{where}: a polygon is a list of rings")
    return polygons


def _closed(where: str, ring: Any) -> tuple[list[Any], bool]:
    """Return the positions of a ring, the last like the first, and whether they were not."""
    if not isinstance(ring, list) or len(ring) < 3:  # noqa: PLR2004
        raise ZoneSetError(f"{where}: a ring needs at least 3 vertices")
    return (ring, False) if ring[0] == ring[-1] else ([*ring, ring[0]], True)


def _polygon(rings: list[list[Any]]) -> Polygon:
    """Return the polygon of an outer ring and its holes."""
    outer, *holes = (shapely.linearrings(_positions(ring)) for ring in rings)
    return shapely.polygons(outer, holes=holes or None)


def _positions(ring: list[Any]) -> np.ndarray:
    """Return longitude and latitude of each position (a list of 2 numbers, or 3 with a height)."""
    sizes = set(map(len, ring)) if set(map(type, ring)) == {list} else set()
    if sizes not in ({2}, {3}):
        raise ValueError("a position is a longitude and a latitude")
    points = np.fromiter(itertools.chain.from_iterable(ring), np.float64).reshape(len(ring), *sizes)[:, :2]
    if not np.isfinite(points).all():
        raise ValueError("a coordinate is no number")
    return points


def rings_of(geometry: Polygon | MultiPolygon) -> list[Any]:
    """Return all rings."""
    return list(shapely.get_rings(shapely.get_parts(geometry)))


def _in_degrees(where: str, geometry: Any) -> None:
    """Refuse coordinates that are not longitude and latitude in degrees."""
    points = shapely.get_coordinates(geometry)
    x, y = points[:, 0], points[:, 1]
    if (abs(x) <= 180).all() and (abs(y) <= 90).all():  # noqa: PLR2004
        if ((x > 33) & (x < 43.5) & (y > 124)).all():  # noqa: PLR2004
            raise ZoneSetError(f"{where}: latitude and longitude are swapped; longitude comes first")
        return
    if ((y > 124) & (y < 132) & (x > 33) & (x < 43.5)).all():  # noqa: PLR2004
        raise ZoneSetError(f"{where}: latitude and longitude are swapped; longitude comes first")
    crs = korean_crs_of(float(x.mean()), float(y.mean()))
    looks = f"they look like {crs}; " if crs else ""
    message = f"{where}: coordinates are not degrees: {looks}transform them to WGS 84 (EPSG:4326)"
    raise ZoneSetError(message)


def area_km2(geometry: Polygon | MultiPolygon) -> float:
    """Return the area on the WGS 84 ellipsoid in square kilometres, of edges straight in degrees (RFC 7946, 3.1.1).

    It is the line integral of what lies between the edge and a parallel, exact but for the
    quadrature: five points (Gauss and Legendre) on every edge.
    """
    points, ring = shapely.get_coordinates(rings_of(shapely.orient_polygons(geometry)), return_index=True)
    joined = ring[1:] == ring[:-1]
    latitude = np.radians(points[:, 1])
    step = np.diff(latitude)
    mean = sum(w / 2 * _area_below(latitude[:-1] + (1 + node) / 2 * step) for node, w in GAUSS_LEGENDRE)
    mean = mean - _area_below(latitude[:1])
    return abs(float(np.sum(np.radians(np.diff(points[:, 0])) * mean * joined))) / 1e6


def _area_below(latitude: np.ndarray) -> np.ndarray:
    """Return the square metres between equator and latitude per radian of longitude (Snyder 1987, p. 16)."""
    e = np.sqrt(ECCENTRICITY_2)
    sine = np.sin(latitude)
    polar_m = SEMI_MAJOR_M * (1 - FLATTENING)
    return polar_m**2 / 2 * (sine / (1 - ECCENTRICITY_2 * sine * sine) + np.arctanh(e * sine) / e)
