"""Outlines of a new set: valid or refused, and what looks like a mistake: slivers and overlaps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.validation import explain_validity

from analyzer.errors import ZoneSetError
from analyzer.language import Both, both, several
from analyzer.zone_making._drafts import Draft
from analyzer.zone_making._shapes import measured_km2

SLIVER_M2 = 1.0
HALF_WAY_ROUND = 180.0
MOST_LISTED = 20
MOST_PAIRS = 10_000
LEAST_M2 = 1e-3


def valid(draft: Draft, *, repair: bool) -> tuple[Draft, list[Both]]:
    """Return a draft whose outline is valid and counter-clockwise; ZoneSetError names feature and place."""
    geometry = draft.geometry
    west, _, east, _ = geometry.bounds
    if east - west > HALF_WAY_ROUND:
        raise ZoneSetError(f"{draft.where}: it crosses the antimeridian; split it there in two (RFC 7946, 3.1.9)")
    if geometry.is_valid:
        return replace(draft, geometry=shapely.orient_polygons(geometry)), []
    fault = explain_validity(geometry)
    if not repair:
        advice = "redraw it there, or let --repair take it apart (the area may change)"
        raise ZoneSetError(f"{draft.where}: the outline is not valid: {fault} (longitude latitude); {advice}")
    made = _areas_of(shapely.make_valid(geometry, method="structure", keep_collapsed=False))
    if made is None or not made.is_valid:
        raise ZoneSetError(f"{draft.where}: the outline is not valid and has no area: {fault}; redraw it")
    said = both(
        "Zone {zone}: the outline was not valid ({fault}) and was repaired; it now measures {km2} km².",
        zone=draft.zone_id,
        fault=fault,
        km2=f"{measured_km2(made):.6f}",
    )
    return replace(draft, geometry=shapely.orient_polygons(made)), [said]


def _areas_of(geometry: Any) -> Any:
    """Return what has an area of a repaired geometry, null for nothing."""
    parts = [p for p in shapely.get_parts(shapely.get_parts(geometry)) if p.geom_type == "Polygon" and not p.is_empty]
    return None if not parts else parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def unique(drafts: Sequence[Draft]) -> None:
    """Refuse an id that two features share."""
    seen: dict[str, str] = {}
    for draft in drafts:
        if draft.zone_id in seen:
            problem = f"two zones are called {draft.zone_id!r} (the other: {seen[draft.zone_id]})"
            raise ZoneSetError(f"{draft.where}: {problem}; choose another --id-field, or make them one feature")
        seen[draft.zone_id] = draft.where


def curiosities(drafts: Sequence[Draft]) -> list[Both]:
    """Return tiny parts and overlaps with their areas."""
    found = [*_slivers(drafts), *_overlaps(drafts)]
    rest = len(found) - MOST_LISTED
    more = [several(rest, "{n} more of this kind.", "{n} more of this kind.")] if rest > 0 else []
    return [*found[:MOST_LISTED], *more]


def _slivers(drafts: Sequence[Draft]) -> list[Both]:
    """Return the parts that are smaller than a square metre."""
    said: list[Both] = []
    for draft in drafts:
        sizes = [measured_km2(part) * 1e6 for part in shapely.get_parts(draft.geometry)]
        tiny = [size for size in sizes if size < SLIVER_M2]
        if tiny:
            text = several(
                len(tiny),
                "Zone {zone}: {n} part is a sliver (together {m2} m²).",
                "Zone {zone}: {n} parts are slivers (together {m2} m²).",
                zone=draft.zone_id,
                m2=f"{sum(tiny):.3f}",
            )
            said.append(text)
    return said


def _overlaps(drafts: Sequence[Draft]) -> list[Both]:
    """Return which zones overlap, and by how much; only so many pairs are looked at."""
    shapes = np.array([d.geometry for d in drafts], dtype=object)
    tree = shapely.STRtree(shapes)
    said: list[Both] = []
    pairs = 0
    for one, draft in enumerate(drafts):
        for other in sorted(tree.query(draft.geometry, predicate="intersects").tolist()):
            if other <= one:
                continue
            pairs += 1
            if pairs > MOST_PAIRS:
                text = both("Overlaps were looked for among the first {n} pairs of zones only.", n=f"{MOST_PAIRS:,}")
                return [text, *said]
            said += _overlap(draft, drafts[other])
    return said


def _overlap(one: Draft, other: Draft) -> list[Both]:
    """Return by how much two zones overlap, nothing where they only touch."""
    shared = _areas_of(shapely.intersection(one.geometry, other.geometry))
    square_m = 0.0 if shared is None else measured_km2(shared) * 1e6
    if square_m < LEAST_M2:
        return []
    text = both(
        "Zones {one} and {other} overlap by {m2} m².", one=one.zone_id, other=other.zone_id, m2=f"{square_m:,.1f}"
    )
    return [text]
