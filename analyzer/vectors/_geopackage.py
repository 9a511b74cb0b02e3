"""GeoPackage: SQLite, opened for reading only, and only plain tables of it.

A GeoPackage is a program as much as a file: views may never end, and generated columns may
call functions. So functions, recursion, views and virtual tables are refused, and no value
may be longer than the file.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import shapely

from analyzer.vectors._records import Feature, VectorLayer, flat_layer

ENVELOPE_BYTES = (0, 32, 48, 48, 64)
HEADER_BYTES = 8
EMPTY = 0x10
ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
TABLES = """
SELECT g.table_name, g.column_name, g.srs_id FROM gpkg_geometry_columns g JOIN sqlite_master m
ON m.name = g.table_name COLLATE NOCASE
WHERE m.type = 'table' AND m.rootpage > 0 ORDER BY g.table_name
"""


def layers_of(path: Path) -> Iterator[VectorLayer]:
    """Yield the layers; sqlite3.Error or ValueError where it is no GeoPackage."""
    size = path.stat().st_size
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(size, 1_000_000))
        base.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY)
        base.text_factory = lambda data: data.decode("utf-8", "replace")
        cursor = base.execute("SELECT * FROM gpkg_spatial_ref_sys")
        names = [entry[0] for entry in cursor.description]
        systems = [dict(zip(names, row, strict=True)) for row in cursor]
        for table, column, srs in base.execute(TABLES).fetchall():
            own = next((system for system in systems if system["srs_id"] == srs), {})
            yield flat_layer(table, _crs(own), _rows(base, table, column))


def _crs(system: dict[str, Any]) -> str | None:
    """Return the coordinate system of a layer: by code, else by its definition; null where undefined."""
    organization, code = system.get("organization"), system.get("organization_coordsys_id")
    definition = str(system.get("definition") or "")
    if not isinstance(code, int) or code <= 0:
        return None
    if str(organization).upper() == "EPSG":
        return f"EPSG:{code}"
    return definition if definition.lower() not in ("", "undefined", "none") else f"{organization}:{code}"


def _rows(base: sqlite3.Connection, table: str, column: str) -> Iterator[Feature]:
    """Yield the features of a table."""
    cursor = base.execute(f"SELECT * FROM {_quoted(table)}")  # noqa: S608 - the name is quoted
    names = [entry[0] for entry in cursor.description]
    at = [name.lower() for name in names].index(column.lower())
    for number, row in enumerate(cursor, start=1):
        attributes = {n: v for n, v in zip(names, row, strict=True) if not isinstance(v, bytes)}
        attributes.pop(names[at], None)
        try:
            yield Feature(number, None if row[at] is None else _blob(row[at]), attributes)
        except (LookupError, TypeError, ValueError, shapely.GEOSException) as error:
            raise ValueError(f"layer {table!r}, row {number}: {error}") from error


def _quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _blob(blob: bytes) -> Any:
    """Return the geometry of a GeoPackage blob: a header, an envelope, WKB."""
    if blob[:2] != b"GP":
        raise ValueError("no geometry of a GeoPackage")
    if blob[3] & EMPTY:
        return None
    envelope = ENVELOPE_BYTES[(blob[3] >> 1) & 7]
    return shapely.from_wkb(blob[HEADER_BYTES + envelope :])
