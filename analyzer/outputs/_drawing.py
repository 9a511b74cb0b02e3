"""A static map as SVG: zones, tracks by verdict, findings by number; it prints."""

import math
from html import escape
from typing import Any

import numpy as np
import polars as pl
import shapely

from analyzer.geometry import metres_per_degree
from analyzer.results import Analysis

WIDTH = 1000.0
MARGIN = 24.0
MOST_MARKS = 60
MOST_LINES = 4_000


class _Projection:
    """Degrees to pixels: equirectangular at the middle latitude."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        west, south, east, north = bounds
        per_lon, per_lat = metres_per_degree((south + north) / 2)
        width_m = max((east - west) * per_lon, 50.0)
        height_m = max((north - south) * per_lat, 50.0)
        height_m = min(max(height_m, width_m * 0.35), width_m * 1.2)
        self.metres_per_pixel = width_m / (WIDTH - 2 * MARGIN)
        self.height = height_m / self.metres_per_pixel + 2 * MARGIN
        self._scale = (per_lon / self.metres_per_pixel, per_lat / self.metres_per_pixel)
        self._middle = ((west + east) / 2, (south + north) / 2)

    def __call__(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Return pixels."""
        x = WIDTH / 2 + (np.asarray(lon) - self._middle[0]) * self._scale[0]
        y = self.height / 2 - (np.asarray(lat) - self._middle[1]) * self._scale[1]
        return x, y


def drawing(analysis: Analysis, findings: pl.DataFrame) -> str:
    """Return the SVG; `findings` are numbered in their order."""
    project = _Projection(_bounds(analysis))
    parts = [_zones(analysis, project), _tracks(analysis.tracks, project)]
    parts += [_marks(findings.head(MOST_MARKS), project), _scale_bar(project)]
    size = f'viewBox="0 0 {WIDTH:.0f} {project.height:.0f}"'
    return f'<svg class="drawing" {size} role="img">{"".join(parts)}</svg>'


def _bounds(analysis: Analysis) -> tuple[float, float, float, float]:
    """Return what to show: the tracks, and the zones where they are not far away."""
    zones = shapely.total_bounds([z.geometry for z in analysis.zone_set.zones])
    if analysis.tracks.is_empty():
        return tuple(zones)
    lon = analysis.tracks["longitude"].list.explode(keep_nulls=False, empty_as_null=False)
    lat = analysis.tracks["latitude"].list.explode(keep_nulls=False, empty_as_null=False)
    own = np.array([lon.min(), lat.min(), lon.max(), lat.max()], dtype=float)
    pad = 0.15 * max(own[2] - own[0], own[3] - own[1], 0.002)
    return tuple(own + np.array([-pad, -pad, pad, pad]))


def _zones(analysis: Analysis, project: _Projection) -> str:
    """Return outlines and names of the zones."""
    permits = {z for r in analysis.zone_set.rules.rules if r.kind == "permit" for z in r.zones}
    out = []
    for zone in analysis.zone_set.zones:
        rings = [
            _path(*project(*shapely.get_coordinates(r).T)) + "Z"
            for r in shapely.get_rings(shapely.get_parts(zone.geometry))
        ]
        kind = ("" if zone.zone_id in permits else " restriction") + (
            " sketch" if zone.geometry_confidence == "sketch" else ""
        )
        out.append(f'<path class="zone{kind}" fill-rule="evenodd" d="{"".join(rings)}"/>')
        x, y = project(*shapely.get_coordinates(zone.geometry.representative_point())[0])
        for lang in ("ko", "en"):
            name = escape(zone.name[lang])
            out.append(f'<text class="zone-name" lang="{lang}" x="{x:.1f}" y="{y:.1f}">{name}</text>')
    return "".join(out)


def _path(x: np.ndarray, y: np.ndarray) -> str:
    """Return path data, tenths of a pixel."""
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _tracks(tracks: pl.DataFrame, project: _Projection) -> str:
    """Return the tracks, the worst on top."""
    order = ["compliant", "not_required", "not_observed", "indeterminate", "violation"]
    out = []
    for verdict in order:
        own = tracks.filter(pl.col("verdict") == verdict).head(MOST_LINES)
        lines = [
            _path(*project(np.array(lon), np.array(lat)))
            for lon, lat in own.select("longitude", "latitude").iter_rows()
        ]
        if lines:
            out.append(f'<path class="track {verdict}" d="{"".join(lines)}"/>')
    return "".join(out)


def _marks(findings: pl.DataFrame, project: _Projection) -> str:
    """Return a numbered mark a finding, at its peak or its start."""
    out = []
    for number, row in enumerate(findings.iter_rows(named=True), start=1):
        at = "peak" if row["peak_longitude"] is not None else "start"
        x, y = project(row[f"{at}_longitude"], row[f"{at}_latitude"])
        out.append(f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="8"/>')
        out.append(f'<text class="mark-number" x="{x:.1f}" y="{y + 3.5:.1f}">{number}</text>')
    return "".join(out)


def _scale_bar(project: _Projection) -> str:
    """Return a scale bar of a round length."""
    wanted = 160 * project.metres_per_pixel
    power = 10 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    pixels = length / project.metres_per_pixel
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004
    y = project.height - 12
    return (
        f'<path d="M16 {y:.1f}h{pixels:.1f}" stroke="#222" stroke-width="3"/>'
        f'<text x="16" y="{y - 6:.1f}" font-size="12">{text}</text>'
    )
