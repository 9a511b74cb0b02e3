"""Files of shapes: GeoJSON, KML and KMZ, shapefiles (also zipped), GeoPackage, FlatGeobuf.

One reader for basemaps and for zone sets. What a file is, its content says, not its name.
Nothing is unpacked to disk, followed or expanded.
"""

import sqlite3
import struct
import zlib
from pathlib import Path, PurePosixPath

import shapely

from analyzer.errors import VectorError
from analyzer.vectors import _flatgeobuf, _geojson, _geopackage, _kml, _shapefile
from analyzer.vectors._archives import Archive
from analyzer.vectors._geojson import document_of, shape_of
from analyzer.vectors._geojson import layer_of as geojson_layer
from analyzer.vectors._records import Feature, VectorLayer, flat_layer, polygon_of, text_of

__all__ = [
    "Feature",
    "VectorLayer",
    "document_of",
    "geojson_layer",
    "is_json",
    "polygon_of",
    "read_layers",
    "shape_of",
    "text_of",
]

KINDS = "GeoJSON, KML, KMZ, shapefile (.shp, or zipped), GeoPackage or FlatGeobuf"
FAULTS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    RecursionError,
    sqlite3.Error,
    struct.error,
    zlib.error,
)


def read_layers(path: Path, encoding: str | None = None) -> list[VectorLayer]:
    """Return the layers of a file; `encoding` is that of a shapefile's attributes.

    Raises VectorError: what is wrong, and where.
    """
    try:
        return _layers(path, encoding)
    except (*FAULTS, shapely.GEOSException, MemoryError) as error:
        raise VectorError(f"{path}: cannot be read ({error})") from error


def is_json(data: bytes) -> bool:
    """Return whether a file begins like a JSON object."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def _layers(path: Path, encoding: str | None) -> list[VectorLayer]:
    """Return the layers of a file by what its first bytes are."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"SQLite format 3\0"):
        return list(_geopackage.layers_of(path))
    if start.startswith(_shapefile.MAGIC):
        return [_shapefile.layer_of(path.stem, lambda suffix: _beside(path, suffix), encoding)]
    data = path.read_bytes()
    if start.startswith(_flatgeobuf.SIGNATURE):
        name, crs, shapes = _flatgeobuf.read(data)
        features = (Feature(number, shape, own) for number, (shape, own) in enumerate(shapes, start=1))
        return [flat_layer(name or path.stem, crs, features)]
    if start.startswith(b"PK"):
        return _archived(path.stem, Archive(data), encoding)
    if is_json(start):
        return [_geojson.layer_of(document_of(data), path.stem)]
    if b"<" in start:
        return [_kml.layer_of(data, path.stem)]
    raise ValueError(f"it is no {KINDS}")


def _beside(path: Path, suffix: str) -> bytes | None:
    """Return the file beside another one with another suffix, in any case."""
    for own in (path if suffix == ".shp" else path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if own.is_file():
            return own.read_bytes()
    return None


def _archived(stem: str, archive: Archive, encoding: str | None) -> list[VectorLayer]:
    """Return the layers of a zip: every shapefile in it, or the KML of a KMZ."""
    shapefiles = archive.names(".shp")
    layers = [
        _shapefile.layer_of(PurePosixPath(name).stem, lambda suffix, name=name: archive.beside(name, suffix), encoding)  # type: ignore[misc]
        for name in shapefiles
    ]
    documents = archive.names(".kml")
    if not layers and documents:
        chosen = "doc.kml" if "doc.kml" in documents else documents[0]
        layers = [_kml.layer_of(archive.read(chosen), stem)]
    if not layers:
        raise ValueError("the zip holds neither a .shp nor a .kml")
    return layers
