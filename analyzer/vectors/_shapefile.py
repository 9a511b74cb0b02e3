"""Shapefiles: .shp with .dbf, .prj and .cpg beside it, or in a zip; read record by record, without an index.

Own code, checked against GDAL in the tests: polygons and their attributes are all that is needed,
and every count in a record is compared with its size before anything is made of it.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import shapely

from analyzer.language import Both, several
from analyzer.vectors._dbf import Table
from analyzer.vectors._records import Feature, VectorLayer, flat_layer, polygons_of

MAGIC = b"\0\0\x27\x0a"
HEAD_BYTES = 100
NULL, POLYGONS, HIGH = 0, {5, 15, 25}, {11, 13, 15, 18}
LINES, POINTS = {3, 13, 23}, {1, 8, 11, 18, 21, 28}
Part = Callable[[str], bytes | None]


def layer_of(name: str, part: Part, encoding: str | None) -> VectorLayer:
    """Return the layer; `part` gives the bytes of a suffix, null where there is no such file."""
    shapes = list(_shapes(part(".shp") or b""))
    remarks: list[Both] = []
    rows: list[dict[str, Any] | None] = [{} for _ in shapes]
    data = part(".dbf")
    if data is not None:
        cpg = (part(".cpg") or b"")[:40].decode("ascii", "replace").strip()
        table = Table(data, encoding or cpg or None)
        if table.count != len(shapes):
            raise ValueError(f"the .shp has {len(shapes)} records, the .dbf {table.count}; they do not belong together")
        rows, remarks = list(table.rows()), list(table.remarks)
    deleted = sum(row is None for row in rows)
    if deleted:
        remarks.append(several(deleted, "{n} deleted record is left out.", "{n} deleted records are left out."))
    pairs = enumerate(zip(shapes, rows, strict=True), start=1)
    features = [Feature(number, shape, row) for number, (shape, row) in pairs if row is not None]
    return flat_layer(name, _crs(part(".prj")), features, remarks)


def _crs(prj: bytes | None) -> str | None:
    """Return the WKT of a .prj."""
    text = (prj or b"").decode("utf-8", "replace").strip("\ufeff \r\n\0")
    return text or None


def _shapes(data: bytes) -> Iterator[Any]:
    """Yield the geometry of each record, null where it has none; ValueError names the record."""
    if data[:4] != MAGIC or len(data) < HEAD_BYTES:
        raise ValueError("no shapefile (.shp)")
    if struct.unpack_from(">i", data, 24)[0] * 2 > len(data):
        raise ValueError("the .shp is cut off")
    at, number = HEAD_BYTES, 0
    while at + 12 <= len(data):
        number += 1
        length = struct.unpack_from(">i", data, at + 4)[0] * 2
        record = data[at + 8 : at + 8 + length]
        if length < 4 or len(record) < length:  # noqa: PLR2004
            raise ValueError(f"record {number} of the .shp is cut off")
        try:
            yield _shape(record)
        except (ValueError, struct.error, shapely.GEOSException) as error:
            raise ValueError(f"record {number} of the .shp: {error}") from error
        at += 8 + length


def _shape(record: bytes) -> Any:
    """Return a geometry; of points and lines only their kind."""
    kind = struct.unpack_from("<i", record)[0]
    if kind == NULL:
        return None
    if kind in POLYGONS:
        own = polygons_of(_rings(record))
        return shapely.force_3d(own) if kind in HIGH else own
    if kind in LINES | POINTS:
        return shapely.Point() if kind in POINTS else shapely.LineString()
    raise ValueError(f"shapes of kind {kind} are not read")


def _rings(record: bytes) -> list[np.ndarray]:
    """Return the rings of a polygon."""
    parts, count = struct.unpack_from("<ii", record, 36)
    if parts < 1 or count < 1 or 44 + 4 * parts + 16 * count > len(record):
        raise ValueError("it has more vertices than bytes")
    starts = np.frombuffer(record, "<i4", parts, 44)
    points = np.frombuffer(record, "<f8", 2 * count, 44 + 4 * parts).reshape(-1, 2)
    if starts[0] != 0 or (np.diff(starts) <= 0).any() or starts[-1] >= count:
        raise ValueError("its rings are not in order")
    return np.split(points, starts[1:])
