"""findings.gpkg: findings, tracks and zones as layers of a GeoPackage 1.3, for QGIS, ArcGIS and GDAL.

Longitude and latitude in WGS 84; times in UTC. The lines of tracks are simplified for
drawing: what was judged is the log. Stretches of findings have every fix, or, where all lines
have more than a million vertices, lie within 5 cm of every fix.
"""

import datetime as dt
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from analyzer.outputs._features import layers
from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis

APPLICATION_ID, VERSION = 0x47504B47, 10300
WRITTEN = "2000-01-01T00:00:00.000Z"
"""A fixed time of writing: the same input gives the same bytes."""

WGS_84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents(table_name),
  column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys(srs_id), z TINYINT NOT NULL, m TINYINT NOT NULL,
  PRIMARY KEY (table_name, column_name));
"""
SYSTEMS = (
    ("WGS 84", 4326, "EPSG", 4326, WGS_84, "longitude, latitude"),
    ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", ""),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", ""),
)


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    with closing(sqlite3.connect(folder / "findings.gpkg")) as base:
        base.execute("PRAGMA page_size = 4096")
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {VERSION}")
        base.executescript(SCHEMA)
        base.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", SYSTEMS)
        for name, (frame, shapes) in layers(analysis).items():
            _layer(base, name, frame, shapes)
        base.commit()


def _layer(base: sqlite3.Connection, name: str, frame: pl.DataFrame, shapes: Sequence[Any]) -> None:
    """Write one layer; names of tables and columns are our own, values are bound."""
    columns = ", ".join(f'"{column}" {_type(dtype)}' for column, dtype in frame.schema.items())
    base.execute(f'CREATE TABLE "{name}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom GEOMETRY, {columns})')
    box = [None] * 4 if not len(shapes) else [float(v) for v in shapely.total_bounds(np.array(shapes, dtype=object))]
    contents = (name, "features", name, "", WRITTEN, *box, 4326)
    base.execute(f"INSERT INTO gpkg_contents VALUES ({_marks(len(contents))})", contents)  # noqa: S608 - question marks
    base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', 4326, 0, 0)", (name,))
    names = ", ".join(f'"{column}"' for column in frame.columns)
    insert = f'INSERT INTO "{name}" (geom, {names}) VALUES ({_marks(1 + frame.width)})'  # noqa: S608 - see above
    base.executemany(insert, _rows(frame, shapes))


def _marks(number: int) -> str:
    """Return as many question marks."""
    return ", ".join("?" * number)


def _type(dtype: Any) -> str:
    """Return the type of a column."""
    if isinstance(dtype, pl.Datetime):
        return "DATETIME"
    return {pl.String: "TEXT", pl.Float64: "DOUBLE", pl.Int64: "INTEGER"}[type(dtype)]


def _rows(frame: pl.DataFrame, shapes: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows to insert."""
    for row, shape in zip(frame.iter_rows(), shapes, strict=True):
        yield _blob(shape), *(_value(value) for value in row)


def _value(value: Any) -> Any:
    """Return a value as the format has it: instants as ISO 8601 with milliseconds in UTC."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _blob(shape: Any) -> bytes:
    """Return a geometry as GeoPackage binary: header, envelope, WKB, little-endian."""
    west, south, east, north = shape.bounds
    head = struct.pack("<2sBBi4d", b"GP", 0, 0b0000_0011, 4326, west, east, south, north)
    return head + bytes(shapely.to_wkb(shape, byte_order=1))


OUTPUT = Output(files=("findings.gpkg",), write=_write, wanted=lambda run: run.report or run.map)
