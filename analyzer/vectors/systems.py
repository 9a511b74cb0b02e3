"""Coordinate systems: what a file names becomes longitude and latitude in WGS 84, and how exactly."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from analyzer.geometry import ground_distance_m

DEVIATION_M = 0.01
"""How far a straight edge of the source may lie from the edge that is straight in degrees."""

MOST_VERTICES = 5_000_000
_CODE = re.compile(r"(?:urn:(?:x-)?ogc:def:crs:)?(EPSG|OGC|ESRI|IAU_2015)(?::[^:]*)?:{1,2}(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class System:
    """A way to WGS 84: the name, a function (null: it is WGS 84), the accuracy in metres (null: unknown)."""

    name: str
    transform: Any
    accuracy_m: float | None = 0.0
    geographic: bool = False
    by_grid: bool = False


def system_of(text: str, bounds: Sequence[float] | None = None) -> System:
    """Return the system of a code, WKT or PROJ string; ValueError where it is unknown or its datum is.

    `bounds` (least x, least y, largest x, largest y of what is to be changed): the shift of a
    datum is then one that is made for that place.
    """
    from pyproj import CRS  # noqa: PLC0415 - heavy, and rarely needed
    from pyproj.exceptions import ProjError  # noqa: PLC0415

    try:
        crs = _identified(CRS.from_user_input(_named(text)))
        if crs.to_authority() in (("EPSG", "4326"), ("OGC", "CRS84")):
            return System("WGS 84", None, geographic=True)
        if not (crs.is_geographic or crs.is_projected):
            raise ValueError(f"{crs.name!r} is neither degrees nor a map projection; write for example EPSG:5186")
        return _transformed(crs, bounds)
    except ProjError as error:
        raise ValueError(f"unknown coordinate system {text[:80]!r}") from error


def _named(text: str) -> str:
    """Return what PROJ may be asked: a code, WKT or parameters, never the name of a file."""
    own = text.strip()
    if own.isdigit():
        return f"EPSG:{own}"
    if match := _CODE.fullmatch(own):
        return f"{match[1].upper()}:{match[2]}"
    if re.match(r"[A-Z_]+\s*\[", own, re.IGNORECASE) or (own.startswith("+proj=") and "+init" not in own):
        return own
    raise ValueError(f"unknown coordinate system {own[:80]!r}; write for example EPSG:5186")


def _identified(crs: Any) -> Any:
    """Return the registered system that a WKT without a code means, or the WKT itself."""
    from pyproj import CRS  # noqa: PLC0415

    if crs.is_bound or crs.to_authority() is not None:
        return crs
    code = crs.to_epsg(min_confidence=90)
    return CRS.from_epsg(code) if code else crs


def _transformed(crs: Any, bounds: Sequence[float] | None) -> System:
    """Return the way from another system; ValueError where the shift of the datum is unknown."""
    group = _ways(crs, None)
    if bounds is not None and group.transformers:
        group = _ways(crs, _area(group.transformers[0], bounds))
    way = group.transformers[0] if group.transformers else None
    if way is None or "ballpark" in way.description.lower():
        message = (
            f"nobody says how {crs.name!r} relates to WGS 84 there; name the system by --crs (a code, or +towgs84)"
        )
        raise ValueError(message)
    accuracy = way.accuracy if way.accuracy >= 0 else None
    return System(_title(crs), way.transform, accuracy, crs.is_geographic, not group.best_available)


def _ways(crs: Any, area: Any) -> Any:
    """Return the ways to WGS 84 in an area (null: anywhere), the best first."""
    from pyproj.transformer import TransformerGroup  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a grid is missing is in `best_available`
        return TransformerGroup(crs, "EPSG:4326", always_xy=True, area_of_interest=area)


def _area(way: Any, bounds: Sequence[float]) -> Any:
    """Return where on earth something is, roughly; null where it is nowhere."""
    from pyproj.aoi import AreaOfInterest  # noqa: PLC0415

    x, y = way.transform([bounds[0], bounds[2]], [bounds[1], bounds[3]])
    west, east, south, north = min(x), max(x), min(y), max(y)
    somewhere = -180 <= west <= east <= 180 and -90 <= south <= north <= 90  # noqa: PLR2004
    return AreaOfInterest(west, south, east, north) if somewhere else None


def _title(crs: Any) -> str:
    """Return the name of a system with its code."""
    authority = crs.to_authority()
    return f"{':'.join(authority)} ({crs.name})" if authority else str(crs.name)


def transformed(geometries: Any, system: System) -> Any:
    """Return geometries with their vertices in WGS 84; edges are not looked at."""
    if system.transform is None:
        return geometries
    return shapely.transform(geometries, system.transform, interleaved=False)


def exact(geometry: Any, system: System) -> tuple[Any, int]:
    """Return an area in WGS 84 whose edges stay within `DEVIATION_M` of the source's, and the vertices added.

    ValueError where a vertex lies outside of what the system can express.
    """
    if system.transform is None:
        return geometry, 0
    before = int(shapely.get_num_coordinates(geometry))
    parts = [
        shapely.polygons(rings[0], holes=rings[1:] or None)
        for rings in (
            [_ring(shapely.get_coordinates(r), system) for r in shapely.get_rings(p)] for p in _parts(geometry)
        )
    ]
    made = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    return made, int(shapely.get_num_coordinates(made)) - before


def _parts(geometry: Any) -> list[Any]:
    """Return the single polygons."""
    return list(shapely.get_parts(geometry))


def _ring(points: np.ndarray, system: System) -> Any:
    """Return a ring in WGS 84 with as many vertices as its edges need; a deviation falls with their square."""
    parts = np.ones(len(points) - 1, dtype=np.int64)
    for _ in range(8):
        line = _divided(points, parts)
        made = _degrees(line, system)
        deviation = _worst(_sagitta_m(line, made, system), parts)
        if (deviation <= DEVIATION_M / 2).all():
            break
        growth = np.ceil(np.sqrt(np.maximum(deviation / (DEVIATION_M / 2), 1))).astype(np.int64)
        parts = parts * growth
        if parts.sum() > MOST_VERTICES:
            raise ValueError("its edges are too long to be drawn in degrees")
    made[-1] = made[0]
    return shapely.linearrings(made)


def _divided(points: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the vertices with each edge divided into equal parts."""
    edge = np.repeat(np.arange(len(parts)), parts)
    first = np.repeat(np.cumsum(parts) - parts, parts)
    share = ((np.arange(len(edge)) - first) / parts[edge])[:, None]
    line = points[edge] + share * (points[edge + 1] - points[edge])
    return np.vstack([line, points[-1:]])


def _degrees(line: np.ndarray, system: System) -> np.ndarray:
    """Return the positions in WGS 84."""
    made = np.column_stack(system.transform(line[:, 0], line[:, 1]))
    if not np.isfinite(made).all():
        raise ValueError(f"coordinates lie outside of {system.name}; is that the right system?")
    return made


def _sagitta_m(line: np.ndarray, made: np.ndarray, system: System) -> np.ndarray:
    """Return of each edge how far its true middle lies from the middle in degrees, in metres."""
    true = _degrees((line[1:] + line[:-1]) / 2, system)
    middle = (made[1:] + made[:-1]) / 2
    return np.asarray(ground_distance_m(true[:, 0], true[:, 1], middle[:, 0], middle[:, 1]))


def _worst(deviation: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the largest deviation among the parts of each edge of the source."""
    return np.maximum.reduceat(deviation, np.cumsum(parts) - parts)
