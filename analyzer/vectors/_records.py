"""What every reader of shapes gives: layers of features with attributes; and how rings become polygons."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from analyzer.language import Both, several

FEWEST = 3
FARTHEST = 1e9
"""No coordinate is larger, in degrees or metres."""

DEEPEST = 64
"""So many rings may lie around another one."""

MOST_PAIRS = 1_000_000
"""So many pairs of rings are looked at in one go."""


@dataclass(frozen=True)
class Feature:
    """One feature: its number in the file (from 1), a shapely geometry (null: none), its attributes as they are."""

    number: int
    geometry: Any
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VectorLayer:
    """One layer: features in file order, two-dimensional.

    `crs` is what names the coordinate system (`EPSG:5186`, or WKT); null = the file says nothing.
    `remarks` are sentences about what was left out or taken for granted; `drawn` is true of
    formats in which people draw by hand.
    """

    name: str
    crs: str | None
    features: tuple[Feature, ...]
    remarks: tuple[Both, ...] = ()
    drawn: bool = False


def flat_layer(name: str, crs: str | None, features: Iterable[Feature], remarks: Iterable[Both] = ()) -> VectorLayer:
    """Return a layer without heights; how many features had some is a remark."""
    given = list(features)
    shapes = np.array([f.geometry for f in given], dtype=object)
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    if not _sensible(points):
        wrong = owner[~(np.abs(points) < FARTHEST).all(axis=1)][0]
        raise ValueError(f"feature {given[wrong].number}: a coordinate is no number within a billion")
    high = int(np.count_nonzero(shapely.has_z(shapes)))
    flat = shapely.force_2d(shapes)
    kept = tuple(Feature(f.number, shape, f.properties) for f, shape in zip(given, flat, strict=True))
    said = [
        several(high, "{n} feature has heights; they are left out.", "{n} features have heights; they are left out.")
    ]
    return VectorLayer(name, crs, kept, (*remarks, *(said if high else ())))


def polygon_of(rings: Sequence[Any]) -> Any:
    """Return the polygon of an outer ring and its holes, each (n, 2) or more; open rings are closed.

    Raises ValueError where a ring has too few vertices or a coordinate is no sensible number.
    """
    outer, *holes = (shapely.linearrings(closed(ring)) for ring in rings)
    return shapely.polygons(outer, holes=holes or None)


def closed(ring: Any) -> np.ndarray:
    """Return the vertices of a ring, the last like the first."""
    points = np.asarray(ring, dtype=np.float64)[:, :2]
    if len(points) < FEWEST or not _sensible(points):
        raise ValueError("a ring needs at least 3 vertices, and each must be two numbers within a billion")
    return points if (points[0] == points[-1]).all() else np.vstack([points, points[:1]])


def _sensible(points: np.ndarray) -> bool:
    """Return whether all coordinates are finite and small enough to be squared and added."""
    return bool((np.abs(points) < FARTHEST).all())


def polygons_of(rings: Sequence[np.ndarray]) -> Any:
    """Return the polygon or multipolygon of rings in any order: one inside an odd number of others is a hole.

    The direction of rings is not looked at, as many writers get it wrong.
    """
    areas = np.array([shapely.polygons(closed(ring)) for ring in rings], dtype=object)
    around = _containers(areas)
    outer = [n for n in range(len(areas)) if len(around[n]) % 2 == 0]
    holes: dict[int, list[np.ndarray]] = {n: [] for n in outer}
    for n, containers in enumerate(around):
        if len(containers) % 2:
            parents = [c for c in containers if len(around[c]) == len(containers) - 1]
            holes[parents[0] if parents else outer[0]].append(closed(rings[n]))
    parts = [
        shapely.polygons(closed(rings[n]), holes=[shapely.linearrings(h) for h in holes[n]] or None) for n in outer
    ]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _containers(areas: np.ndarray) -> list[list[int]]:
    """Return of each ring the rings around it: those that hold its first vertex and are larger."""
    if len(areas) == 1:
        return [[]]
    sizes = shapely.area(areas)
    inner = shapely.points([shapely.get_coordinates(shapely.point_on_surface(a))[0] for a in shapely.make_valid(areas)])
    around: list[list[int]] = [[] for _ in areas]
    tree, block = shapely.STRtree(areas), max(1, MOST_PAIRS // len(areas))
    for start in range(0, len(areas), block):
        for n, holder in zip(*tree.query(inner[start : start + block], predicate="intersects"), strict=True):
            if sizes[holder] > sizes[start + n]:
                around[start + n].append(int(holder))
        if max(map(len, around[start : start + block])) > DEEPEST:
            raise ValueError(f"more than {DEEPEST} rings lie inside each other")
    return around


def text_of(value: Any) -> str:
    """Return an attribute as text: whole numbers without a fraction, nothing as an empty text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).encode("utf-8", "replace").decode("utf-8").strip()
