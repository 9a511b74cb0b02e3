"""What lies under the zones: layers of files of shapes, packed for the page."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from analyzer.errors import OutputError, VectorError
from analyzer.outputs._packing import packed_json
from analyzer.records import record

if TYPE_CHECKING:
    from analyzer.vectors import VectorLayer

PARTS_A_DEGREE = 1_000_000
SIMPLIFY_DEG = 1e-5
MOST_VERTICES = 300_000
PAD = 0.3


@record(frozen=True, eq=False)
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
    """Return the layers of one file in WGS 84; a file that names no system is taken as WGS 84."""
    from analyzer.vectors import read_layers  # noqa: PLC0415 - most runs have no basemap

    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return [Layer(own.name, _in_wgs84(own), str(path), digest) for own in read_layers(path)]
    except (OSError, ValueError, VectorError, shapely.GEOSException) as error:
        raise OutputError(f"{path}: cannot be used as a basemap ({error})") from error


def _in_wgs84(layer: "VectorLayer") -> np.ndarray:
    """Return the geometries of a layer as longitude and latitude; features without one are left out."""
    from analyzer.vectors.systems import system_of, transformed  # noqa: PLC0415

    geometries = np.array([f.geometry for f in layer.features if f.geometry is not None], dtype=object)
    if layer.crs is None or layer.crs == "OGC:CRS84":
        return geometries
    return np.asarray(transformed(geometries, system_of(layer.crs)), dtype=object)


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
