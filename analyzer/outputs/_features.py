"""Findings, tracks and zones as geometries: what the outputs for GIS share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import shapely

from analyzer.results import Analysis

DIGITS = 7
MOST_VERTICES = 1_000_000
SLACK_DEG = 5e-7
"""Where tracks have more vertices than that, those within about 5 cm of a line without them are left out.

Above all the stretches of findings, which have every fix, would make files of a month hundreds of megabytes.
"""

STATIONS = tuple(f"{name}_{axis}" for name in ("start", "peak", "end") for axis in ("longitude", "latitude"))
"""The columns of a finding that say where it started, was worst (null: nowhere) and ended."""


def stations(places: Sequence[float | None]) -> list[list[float]]:
    """Return start, peak and end of a finding, the values of STATIONS, as longitude and latitude; equal ones once."""
    known = [round(degrees, DIGITS) for degrees in places if degrees is not None]
    points = [known[at : at + 2] for at in range(0, len(known), 2)]
    return [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]


def finding_shapes(findings: pl.DataFrame) -> list[Any]:
    """Return a line a finding, a point where it has one place only."""
    places = [stations(row) for row in findings.select(STATIONS).iter_rows()]
    return [shapely.Point(p[0]) if len(p) == 1 else shapely.LineString(p) for p in places]


def track_shapes(tracks: pl.DataFrame) -> np.ndarray:
    """Return a line a track; of more than `MOST_VERTICES` each lies within `SLACK_DEG` of all its fixes."""
    if tracks.is_empty():
        return np.empty(0, dtype=object)
    lon, lat = (
        tracks[n].list.explode(keep_nulls=False, empty_as_null=False).to_numpy() for n in ("longitude", "latitude")
    )
    owner = np.repeat(np.arange(tracks.height), tracks["longitude"].list.len().to_numpy())
    lines = shapely.linestrings(np.column_stack([lon, lat]), indices=owner)
    return lines if len(owner) <= MOST_VERTICES else shapely.simplify(lines, SLACK_DEG, preserve_topology=False)


def layers(analysis: Analysis) -> dict[str, tuple[pl.DataFrame, list[Any]]]:
    """Return layer -> its columns and its geometries, in WGS 84."""
    tracks = analysis.tracks.filter(pl.col("longitude").list.len() > 1)
    zones = analysis.zone_set.zones
    described = pl.DataFrame(
        {
            "zone_id": [z.zone_id for z in zones],
            "name_ko": [z.name["ko"] for z in zones],
            "name_en": [z.name["en"] for z in zones],
            "geometry_confidence": [z.geometry_confidence for z in zones],
            "accuracy_m": [float(z.accuracy_m) for z in zones],
        }
    )
    return {
        "findings": (analysis.findings, finding_shapes(analysis.findings)),
        "tracks": (tracks.drop(pl.selectors.list()), list(track_shapes(tracks))),
        "zones": (described, [z.geometry for z in zones]),
    }
