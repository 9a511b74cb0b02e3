"""Static maps as SVG: zones, tracks by verdict, findings by number; they print, in grey as well."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import polars as pl
import shapely

from analyzer.figures import number
from analyzer.geometry import metres_per_degree
from analyzer.language import LANGUAGES, Both, both
from analyzer.plain_text import plain
from analyzer.results import Analysis
from analyzer.zones import Zone

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

MARGIN = 22.0
TOGETHER_PX = 19.0
SIMPLIFY_PX = 0.4
PLAIN_PX = 18.0
MOST_VERTICES = 15_000
MOST_DOTS = 100
DRAWN = ("compliant", "not_required", "not_observed", "indeterminate", "violation")
"""Verdicts of tracks, the worst on top."""

HATCH = (
    '<svg width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="7" height="7" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V7" stroke="#444" '
    'stroke-width="1.6"/></pattern></defs></svg>'
)
"""The hatching of restrictions; once a page."""


@dataclass(frozen=True)
class Canvas:
    """Degrees to pixels (equirectangular at the middle latitude) of a drawing of a given size."""

    box: Box
    width: float
    height: float
    metres_per_pixel: float

    @staticmethod
    def around(box: Box, width: float, tall: tuple[float, float]) -> "Canvas":
        """Return a canvas that shows the box; `tall` are the least and most height by width."""
        west, south, east, north = box
        per_lon, per_lat = metres_per_degree((south + north) / 2)
        width_m, height_m = max((east - west) * per_lon, 60.0), max((north - south) * per_lat, 40.0)
        height = min(max(height_m / width_m, tall[0]), tall[1]) * width
        scale = max(width_m / (width - 2 * MARGIN), height_m / (height - 2 * MARGIN))
        middle = ((west + east) / 2, (south + north) / 2)
        half = (width * scale / 2 / per_lon, height * scale / 2 / per_lat)
        shown = (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])
        return Canvas(shown, width, height, scale)

    def pixels(self, lon: Any, lat: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels."""
        west, south, east, north = self.box
        x = (np.asarray(lon, dtype=float) - west) / (east - west) * self.width
        y = (north - np.asarray(lat, dtype=float)) / (north - south) * self.height
        return x, y


def overview(analysis: Analysis, counts: Mapping[str, Both], box: Box | None = None) -> str:
    """Return the SVG of a box, or of all that was driven; `counts` are what to write below the name of a zone."""
    canvas = Canvas.around(box or _seen(analysis), 1000.0, (0.34, 0.5))
    parts = [_zones(analysis, canvas), _tracks(analysis.tracks, canvas), _dots(analysis.findings, canvas)]
    parts.append(_names(analysis, canvas, counts))
    return _svg(canvas, [*parts, _scale_bar(canvas)], both("Map of the zones, the tracks by verdict and the findings"))


def close_up(analysis: Analysis, findings: pl.DataFrame) -> str:
    """Return the SVG of the place of some findings, marked by their `number`."""
    canvas = Canvas.around(_places(findings), 480.0, (0.62, 0.62))
    parts = [_zones(analysis, canvas), _tracks(analysis.tracks, canvas), _marks(findings, canvas)]
    numbers = ", ".join(str(n) for n in findings["number"].head(12))
    return _svg(canvas, [*parts, _scale_bar(canvas)], both("Close-up of findings {numbers}", numbers=numbers))


def _svg(canvas: Canvas, parts: list[str], title: Both) -> str:
    """Return the parts as one drawing."""
    size = f'viewBox="0 0 {canvas.width:.0f} {canvas.height:.0f}"'
    label = escape(f"{title['ko']} / {title['en']}")
    return f'<svg class="drawing" {size} role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _seen(analysis: Analysis) -> Box:
    """Return what to show: the tracks, and the zones that were entered or that findings name."""
    named = {z for text in analysis.exposure["zone_id"] for z in text.split("+")} | set(analysis.findings["zone_id"])
    own = [z.geometry for z in analysis.zone_set.zones if z.zone_id in named]
    boxes = [shapely.total_bounds(own)] if own else []
    if analysis.tracks.height:
        lon, lat = _coordinates(analysis.tracks)
        boxes.append(np.array([lon.min(), lat.min(), lon.max(), lat.max()]))
    if not boxes:
        boxes = [shapely.total_bounds([z.geometry for z in analysis.zone_set.zones])]
    low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
    room = 0.08 * float(high[3] - low[1])  # for the name above the northernmost zone
    return float(low[0]), float(low[1]), float(high[2]), float(high[3]) + room


def _places(findings: pl.DataFrame) -> Box:
    """Return the box of the places of findings, and half as much around."""
    names = [f"{at}_{{}}" for at in ("start", "peak", "end")]
    lon, lat = (
        pl.concat([findings[n.format(axis)] for n in names]).drop_nulls().to_numpy()
        for axis in ("longitude", "latitude")
    )
    pad_lat = max(0.3 * float(lat.max() - lat.min()), 0.0006)
    pad_lon = max(0.3 * float(lon.max() - lon.min()), 0.0008)
    return (
        float(lon.min()) - pad_lon,
        float(lat.min()) - pad_lat,
        float(lon.max()) + pad_lon,
        float(lat.max()) + pad_lat,
    )


def _coordinates(tracks: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return all vertices of tracks."""
    exploded = (tracks[n].list.explode(keep_nulls=False, empty_as_null=False) for n in ("longitude", "latitude"))
    lon, lat = (series.to_numpy() for series in exploded)
    return lon, lat


def _zones(analysis: Analysis, canvas: Canvas) -> str:
    """Return the outlines of the zones with the band of their own uncertainty."""
    permits = {z for r in analysis.zone_set.rules.rules if r.kind == "permit" for z in r.zones}
    out = []
    for zone in _near(analysis, canvas):
        data = "".join(_ring(ring, canvas) for ring in shapely.get_rings(shapely.get_parts(zone.geometry)))
        kind = "" if zone.zone_id in permits else " restriction"
        sketch = " sketch" if zone.geometry_confidence == "sketch" else ""
        band_px = 2 * 1.645 * zone.accuracy_m / canvas.metres_per_pixel
        if band_px > 1:
            out.append(f'<path class="band" stroke-width="{min(band_px, 400):.1f}" d="{data}"/>')
        out.append(f'<path class="zone{kind}{sketch}" fill-rule="evenodd" d="{data}"/>')
    return "".join(out)


def _near(analysis: Analysis, canvas: Canvas) -> Iterator[Zone]:
    """Yield the zones that meet the drawing."""
    frame = shapely.box(*canvas.box)
    return (zone for zone in analysis.zone_set.zones if zone.geometry.intersects(frame))


def _ring(ring: Any, canvas: Canvas) -> str:
    """Return a ring as path data, without what nobody can see."""
    simple = shapely.simplify(ring, SIMPLIFY_PX * (canvas.box[2] - canvas.box[0]) / canvas.width)
    return _path(*canvas.pixels(*shapely.get_coordinates(simple).T)) + "Z"


def _names(analysis: Analysis, canvas: Canvas, counts: Mapping[str, Both]) -> str:
    """Return the names of the zones, with findings first; one that finds no room is left out."""
    entered = {z for text in analysis.exposure["zone_id"] for z in text.split("+")}
    zones = sorted(
        _near(analysis, canvas),
        key=lambda zone: (zone.zone_id not in counts, zone.zone_id not in entered, -zone.measured_area_km2),
    )
    shapes = {z.zone_id: _pixel_box(z, canvas) for z in zones if z.zone_id in counts}
    taken: list[Box] = []
    out = []
    for zone in zones:
        others = [box for name, box in shapes.items() if name != zone.zone_id]
        badge = counts.get(zone.zone_id)
        width = max(_text_px(text) for names in (zone.name, badge or {}) for text in names.values())
        place = _room(_middle(zone, canvas), width, 38.0 if badge else PLAIN_PX, canvas, (taken, others))
        if (place and _mostly_seen(zone, canvas)) or badge:
            x, y = place or _middle(zone, canvas)[:2]
            out.append(_name(zone, x, y, badge))
    return "".join(out)


def _mostly_seen(zone: Zone, canvas: Canvas) -> bool:
    """Return whether half of a zone or more is inside the drawing."""
    return bool(zone.geometry.intersection(shapely.box(*canvas.box)).area >= zone.geometry.area / 2)


def _text_px(text: str) -> float:
    """Return about how wide a text is; Hangul is wide."""
    return 14 + sum(13.0 if ord(c) > 0x2E80 else 7.2 for c in text)  # noqa: PLR2004


def _middle(zone: Zone, canvas: Canvas) -> tuple[float, float, float]:
    """Return a point inside what is seen of a zone, and how tall that is, in pixels."""
    visible = zone.geometry.intersection(shapely.box(*canvas.box))
    x, y = (float(v[0]) for v in canvas.pixels(*shapely.get_coordinates(visible.representative_point()).T))
    _, low, _, high = visible.bounds
    return x, y, (high - low) / (canvas.box[3] - canvas.box[1]) * canvas.height


def _pixel_box(zone: Zone, canvas: Canvas) -> Box:
    """Return the box of a zone in pixels."""
    west, south, east, north = zone.geometry.bounds
    (left, right), (top, bottom) = canvas.pixels([west, east], [north, south])
    return float(left), float(top), float(right), float(bottom)


def _room(
    middle: tuple[float, float, float], width: float, height: float, canvas: Canvas, full: tuple[list[Box], list[Box]]
) -> tuple[float, float] | None:
    """Return where a label fits, in the zone, above or below it, and take that place; null where it does not.

    `full` are the boxes of labels, to which its own is added, and those of zones not to be covered.
    """
    taken, others = full
    x, y, tall = middle
    x = min(max(x, width / 2), canvas.width - width / 2)
    above, below = -tall / 2 - height + 8, tall / 2 + 16
    steps = (0.0, above, below, above - height, below + height)
    if tall <= 2.2 * height:
        steps = (above, below, above - height, below + height, 0.0)
    for shift in steps if height > PLAIN_PX else steps[:1] if tall > 2.2 * height else steps[:2]:
        at = min(max(y + shift, 18.0), canvas.height - height)
        box = (x - width / 2, at - 14, x + width / 2, at - 14 + height)
        if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken + others):
            taken.append(box)
            return x, at
    return None


def _name(zone: Zone, x: float, y: float, badge: Both | None) -> str:
    """Return the name of a zone, and what was found there."""
    out = []
    for lang in LANGUAGES:
        out.append(
            f'<text class="zone-name" lang="{lang}" x="{x:.1f}" y="{y:.1f}">{escape(plain(zone.name[lang]))}</text>'
        )
        if badge:
            out.append(_badge(badge[lang], lang, x, y + 20))
    return "".join(out)


def _badge(text: str, lang: str, x: float, y: float) -> str:
    """Return a short text on a dark ground."""
    width = _text_px(text)
    box = f'x="{x - width / 2:.1f}" y="{y - 13:.1f}" width="{width:.1f}" height="18" rx="9"'
    words = f'<text class="badge-text" lang="{lang}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
    return f'<rect class="badge" lang="{lang}" {box}/>{words}'


def _path(x: np.ndarray, y: np.ndarray) -> str:
    """Return path data, tenths of a pixel."""
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _tracks(tracks: pl.DataFrame, canvas: Canvas) -> str:
    """Return the tracks inside the drawing, the worst on top."""
    return "".join(_verdict_tracks(tracks.filter(pl.col("verdict") == v), canvas, v) for v in DRAWN)


def _verdict_tracks(tracks: pl.DataFrame, canvas: Canvas, verdict: str) -> str:
    """Return the tracks of one verdict as one path; a short one is never left out."""
    if tracks.is_empty():
        return ""
    lines = _lines(tracks)
    clipped = shapely.clip_by_rect(lines, *canvas.box)
    parts = shapely.get_parts(clipped[~shapely.is_empty(clipped)])
    data = "".join(_path(*canvas.pixels(*shapely.get_coordinates(line).T)) for line in _simplified(parts, canvas))
    casing = f'<path class="casing" d="{data}"/>' if verdict == "violation" and data else ""
    return f'{casing}<path class="track {verdict}" d="{data}"/>' if data else ""


def _simplified(lines: np.ndarray, canvas: Canvas) -> np.ndarray:
    """Return lines without what nobody can see, and coarser ones where there are very many vertices."""
    tolerance = SIMPLIFY_PX * (canvas.box[2] - canvas.box[0]) / canvas.width
    simple = shapely.simplify(lines, tolerance)
    for _ in range(4):
        if shapely.get_num_coordinates(simple).sum() > MOST_VERTICES:
            tolerance *= 2
            simple = shapely.simplify(simple, tolerance)
    return simple


def _lines(tracks: pl.DataFrame) -> np.ndarray:
    """Return tracks of two vertices or more as lines."""
    some = tracks.filter(pl.col("longitude").list.len() > 1)
    lon, lat = _coordinates(some) if some.height else (np.empty(0), np.empty(0))
    owner = np.repeat(np.arange(some.height), some["longitude"].list.len().to_numpy())
    return shapely.linestrings(np.column_stack([lon, lat]), indices=owner)


def _dots(findings: pl.DataFrame, canvas: Canvas) -> str:
    """Return a dot a violation, where there are few: a short one on a wide map is seen as well."""
    certain = findings.filter(pl.col("verdict") == "violation")
    if certain.height > MOST_DOTS:
        return ""
    x, y = canvas.pixels(certain["start_longitude"].to_numpy(), certain["start_latitude"].to_numpy())
    dots = dict.fromkeys(f'<circle class="dot" cx="{a:.0f}" cy="{b:.0f}" r="4.5"/>' for a, b in zip(x, y, strict=True))
    return "".join(dots)


def _marks(findings: pl.DataFrame, canvas: Canvas) -> str:
    """Return numbered marks, those at one place as one."""
    groups: list[tuple[float, float, list[str], str]] = []
    for row in findings.iter_rows(named=True):
        at = "peak" if row["peak_longitude"] is not None else "start"
        x, y = (float(v) for v in canvas.pixels(row[f"{at}_longitude"], row[f"{at}_latitude"]))
        near = next((g for g in groups if math.hypot(g[0] - x, g[1] - y) < TOGETHER_PX), None)
        if near:
            near[2].append(str(row["number"]))
        else:
            groups.append((x, y, [str(row["number"])], row["verdict"]))
    return "".join(_mark(*group) for group in groups)


def _mark(x: float, y: float, numbers: list[str], verdict: str) -> str:
    """Return one mark; what is one too many is dots."""
    text = "·".join(numbers[:4]) + ("…" if len(numbers) > 4 else "")  # noqa: PLR2004
    width = max(18.0, 8 + 7.2 * len(text))
    box = f'x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="18" rx="9"'
    number_ = f'<text class="mark-number {verdict}" x="{x:.1f}" y="{y + 4:.1f}">{text}</text>'
    return f'<rect class="mark {verdict}" {box}/>{number_}'


def _scale_bar(canvas: Canvas) -> str:
    """Return a scale bar of a round length."""
    wanted = 0.2 * canvas.width * canvas.metres_per_pixel
    power = 10 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    text = f"{length / 1000:g} km" if length >= 1000 else number(length, "m").replace(".0 ", " ")  # noqa: PLR2004
    y = canvas.height - 10
    return (
        f'<path class="scale" d="M14 {y - 5:.1f}v5h{length / canvas.metres_per_pixel:.1f}v-5"/>'
        f'<text class="scale-text" x="18" y="{y - 5:.1f}">{text}</text>'
    )
