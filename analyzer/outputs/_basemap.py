"""What lies under the zones: layers of GeoJSON, GeoPackage or FlatGeobuf files, packed for the page."""

import hashlib
import json
import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from analyzer.errors import OutputError
from analyzer.outputs import _flatgeobuf
from analyzer.outputs._packing import packed_json

WGS84 = "EPSG:4326"
PARTS_A_DEGREE = 1_000_000
SIMPLIFY_DEG = 1e-5
MOST_VERTICES = 300_000
ENVELOPE_BYTES = (0, 32, 48, 48, 64)
HEADER_BYTES = 8
PAD = 0.3
TABLES = """
SELECT g.table_name, g.column_name, s.organization, s.organization_coordsys_id
FROM gpkg_geometry_columns g JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id ORDER BY g.table_name
"""


@dataclass(frozen=True)
class Layer:
    """One layer: its name, shapely geometries in WGS 84, its file and the SHA-256 of that."""

    name: str
    geometries: np.ndarray
    file: str = ""
    sha256: str = ""


def read_basemap(paths: Sequence[Path]) -> tuple[Layer, ...]:
    """Return the layers of files; raises OutputError where one cannot be read."""
    return tuple(layer for path in paths for layer in _layers(path))


def _layers(path: Path) -> list[Layer]:
    """Return the layers of one file."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise OutputError(f"{path}: a basemap is a file of the kind {', '.join(READERS)}")
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return [
            Layer(name, _in_wgs84(np.array(own, dtype=object), crs), str(path), digest)
            for name, crs, own in reader(path)
        ]
    except (OSError, ValueError, LookupError, TypeError, sqlite3.Error, struct.error, shapely.GEOSException) as error:
        raise OutputError(f"{path}: cannot be read as a basemap ({error})") from error


def _geojson(path: Path) -> Iterator[tuple[str, str | None, list[Any]]]:
    """Yield the one layer of a GeoJSON file; features are read one by one, those without geometry left out."""
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    crs = content.get("crs") or {}
    name = str(crs.get("properties", {}).get("name", ""))
    features = content.get("features", [content])
    shapes = [f.get("geometry") if f.get("type") == "Feature" else f for f in features]
    yield path.stem, name if name and "CRS84" not in name else None, [_shape(own) for own in shapes if own]


def _shape(geometry: dict[str, Any]) -> Any:
    """Return a geometry of GeoJSON in two dimensions."""
    return shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))


def _geopackage(path: Path) -> Iterator[tuple[str, str | None, list[Any]]]:
    """Yield the layers of a GeoPackage."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
        for table, column, organization, code in base.execute(TABLES).fetchall():
            own, table_name = ('"' + name.replace('"', '""') + '"' for name in (column, table))
            rows = base.execute(f"SELECT {own} FROM {table_name} WHERE {own} IS NOT NULL")  # noqa: S608 - names are quoted
            crs = f"{organization}:{code}" if code and code > 0 else None
            yield table, crs, [_blob(blob) for (blob,) in rows]


def _blob(blob: bytes) -> Any:
    """Return the geometry of a GeoPackage blob: a header, an envelope, WKB."""
    envelope = ENVELOPE_BYTES[(blob[3] >> 1) & 7]
    return shapely.force_2d(shapely.from_wkb(blob[HEADER_BYTES + envelope :]))


def _fgb(path: Path) -> Iterator[tuple[str, str | None, list[Any]]]:
    """Yield the one layer of a FlatGeobuf file."""
    name, crs, geometries = _flatgeobuf.read(path.read_bytes())
    yield name or path.stem, crs, geometries


Reader = Callable[[Path], Iterator[tuple[str, str | None, list[Any]]]]
READERS: dict[str, Reader] = {".geojson": _geojson, ".json": _geojson, ".gpkg": _geopackage, ".fgb": _fgb}


def _in_wgs84(geometries: np.ndarray, crs: str | None) -> np.ndarray:
    """Return the geometries as longitude and latitude; ValueError where the system is unknown."""
    if crs and crs.upper() != WGS84:
        from pyproj import Transformer  # noqa: PLC0415 - only for basemaps in another system
        from pyproj.exceptions import CRSError  # noqa: PLC0415

        try:
            change = Transformer.from_crs(crs, WGS84, always_xy=True)
        except CRSError as error:
            raise ValueError(f"unknown coordinate system {crs}") from error
        geometries = shapely.transform(geometries, change.transform, interleaved=False)
    return geometries


def packed_layers(layers: Sequence[Layer], bounds: Sequence[float]) -> str:
    """Return what of the layers lies around `bounds` (west, south, east, north), packed for the page.

    A line or ring is whole millionths of a degree: the first vertex, then steps.
    """
    pad = PAD * max(bounds[2] - bounds[0], bounds[3] - bounds[1], 0.01)
    box = shapely.box(bounds[0] - pad, bounds[1] - pad, bounds[2] + pad, bounds[3] + pad)
    near = [Layer(layer.name, _near(layer.geometries, box)) for layer in layers]
    tolerance = SIMPLIFY_DEG
    while sum(int(shapely.get_num_coordinates(layer.geometries).sum()) for layer in near) > MOST_VERTICES:
        near = [Layer(own.name, shapely.simplify(own.geometries, tolerance)) for own in near]
        tolerance *= 2
    return packed_json([{"name": layer.name, **_flat(layer.geometries)} for layer in near])


def _near(geometries: np.ndarray, box: Any) -> np.ndarray:
    """Return the single geometries cut at a box, simplified."""
    own = geometries[shapely.intersects(geometries, box)]
    cut = shapely.get_parts(shapely.clip_by_rect(shapely.make_valid(own), *box.bounds))
    single = shapely.get_parts(cut)
    return shapely.simplify(single[~shapely.is_empty(single)], SIMPLIFY_DEG)


def _flat(geometries: np.ndarray) -> dict[str, list[Any]]:
    """Return areas (lists of rings), lines and points of single geometries."""
    dimension = shapely.get_dimensions(geometries)
    areas = [[_steps(ring) for ring in shapely.get_rings(own)] for own in geometries[dimension == 2]]  # noqa: PLR2004
    lines, points = ([_steps(own) for own in geometries[dimension == d]] for d in (1, 0))
    return {"areas": areas, "lines": lines, "points": points}


def _steps(line: Any) -> list[int]:
    """Return x, y, dx, dy, … of a line."""
    whole = np.rint(shapely.get_coordinates(line) * PARTS_A_DEGREE).astype(np.int64)
    return np.diff(whole, axis=0, prepend=0).ravel().tolist() if len(whole) else []
