"""The geometries of a FlatGeobuf file, their attributes, and its coordinate system: what basemaps and zones need.

A file is a signature, a header, a packed R-tree (skipped), and features; header and features
are flatbuffers.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import shapely

from analyzer.vectors._records import polygon_of
from analyzer.vectors.flatbuffers import Table, u32

SIGNATURE = b"fgb\x03fgb"
NODE_BYTES = 40
NUMBERS = ("b", "B", "?", "h", "H", "i", "I", "q", "Q", "f", "d")
"""The `struct` letter of each type of column that is a number; those after it are texts and bytes."""
BYTES = 14
POINT, LINE, POLYGON, POINTS, LINES, POLYGONS, COLLECTION = range(1, 8)


def read(data: bytes) -> tuple[str, str | None, list[tuple[Any, dict[str, Any]]]]:
    """Return name, coordinate system (`EPSG:5186`, null unknown) and geometries with their attributes.

    Raises ValueError, struct.error or IndexError where it is no FlatGeobuf.
    """
    if data[: len(SIGNATURE)] != SIGNATURE:
        raise ValueError("no FlatGeobuf")
    length = u32(data, 8)
    header = Table.root(data[12 : 12 + length])
    count, node = header.scalar(8, "Q", 0), header.scalar(9, "H", 16)
    first = 12 + length + _index_bytes(count, node)
    kind = header.scalar(2, "B", 0)
    columns, budget = _columns(header.tables(7), length), iter(range(len(data)))
    found = []
    for feature in _features(data, first):
        shape = feature.table(0)
        if shape is not None:
            found.append((_geometry(shape, kind, budget), _attributes(feature, columns)))
    return header.text(0), _crs(header), found


def _columns(tables: list[Table], most_bytes: int) -> list[tuple[str, int]]:
    """Return name and type of columns, whose names together are no longer than what they are read from."""
    columns: list[tuple[str, int]] = []
    for table in tables:
        name = table.text(0)
        most_bytes -= len(name)
        if most_bytes < 0:
            raise ValueError("the FlatGeobuf names its columns at greater length than it has")
        columns.append((name, table.scalar(1, "B", 0)))
    return columns


def _attributes(feature: Table, columns: list[tuple[str, int]]) -> dict[str, Any]:
    """Return the attributes of a feature: numbers and texts; bytes are left out."""
    data = feature.vector(1, "<u1").tobytes()
    columns = _columns(feature.tables(2), len(feature.data)) or columns
    found: dict[str, Any] = {}
    at = 0
    while at < len(data):
        name, kind = columns[struct.unpack_from("<H", data, at)[0]]
        at += 2
        if kind < len(NUMBERS):
            found[name] = struct.unpack_from("<" + NUMBERS[kind], data, at)[0]
            at += struct.calcsize("<" + NUMBERS[kind])
            continue
        length = u32(data, at)
        words = data[at + 4 : at + 4 + length]
        at += 4 + length
        if at > len(data) or kind > BYTES:
            raise ValueError("an attribute of the FlatGeobuf is cut off, or of no known type")
        if kind != BYTES:
            found[name] = words.decode("utf-8", "replace")
    return found


def _crs(header: Table) -> str | None:
    """Return the code of the coordinate system."""
    crs = header.table(10)
    code = crs.scalar(1, "i", 0) if crs else 0
    return f"{(crs.text(0) if crs else '') or 'EPSG'}:{code}" if code else None


def _index_bytes(count: int, node: int) -> int:
    """Return the size of the R-tree over so many features."""
    if not count or not node:
        return 0
    if node < 2:  # noqa: PLR2004
        raise ValueError("the index of the FlatGeobuf has nodes of one")
    nodes = level = count
    while level > 1:
        level = -(-level // node)
        nodes += level
    return nodes * NODE_BYTES


def _features(data: bytes, at: int) -> Iterator[Table]:
    """Yield the features."""
    while at + 4 <= len(data):
        length = u32(data, at)
        yield Table.root(data[at + 4 : at + 4 + length])
        at += 4 + length


def _geometry(table: Table, kind: int, budget: Iterator[int]) -> Any:
    """Return a geometry; its own kind counts where the header names none.

    `budget` ends a file that is a graph: each part costs one, each vertex sixteen.
    """
    own = kind or table.scalar(6, "B", 0)
    parts = table.tables(7)
    if parts:
        return shapely.geometrycollections([_geometry(part, part.scalar(6, "B", POLYGON), budget) for part in parts])
    points = table.vector(1, "<f8").reshape(-1, 2)
    if next(islice(budget, 16 * len(points), None), None) is None:
        raise ValueError("the FlatGeobuf holds more than its size allows")
    ends = table.vector(0, "<u4").tolist()
    rings = np.split(points, ends[:-1]) if ends else [points]
    if own in {POINT, POINTS}:
        return shapely.multipoints(points)
    if own in {LINE, LINES}:
        return shapely.multilinestrings([shapely.linestrings(ring) for ring in rings])
    if own == POLYGON:
        return polygon_of(rings)
    raise ValueError(f"geometry of kind {own}")
