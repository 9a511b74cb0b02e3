"""findings.geo.parquet and tracks.geo.parquet: GeoParquet 1.1, for geopandas, DuckDB, QGIS and GDAL.

Geometries are WKB in longitude and latitude (OGC:CRS84), times are UTC. The lines of
tracks are simplified for drawing: what was judged is the log. Stretches of findings have every
fix, or, where all lines have more than a million vertices, lie within 5 cm of every fix.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from analyzer.outputs._features import layers
from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    found = layers(analysis)
    for name in ("findings", "tracks"):
        frame, shapes = found[name]
        geometry = pl.Series("geometry", shapely.to_wkb(np.array(shapes, dtype=object)).tolist(), dtype=pl.Binary)
        path = folder / f"{name}.geo.parquet"
        frame.with_columns(geometry).write_parquet(path, compression="zstd", metadata={"geo": json.dumps(_geo(shapes))})


def _geo(shapes: list[Any]) -> dict[str, Any]:
    """Return the metadata of the format; no `crs` means OGC:CRS84."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted({shape.geom_type for shape in shapes})}
    if shapes:
        column["bbox"] = [float(v) for v in shapely.total_bounds(np.array(shapes, dtype=object))]
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


OUTPUT = Output(
    files=("findings.geo.parquet", "tracks.geo.parquet"), write=_write, wanted=lambda run: run.report or run.map
)
