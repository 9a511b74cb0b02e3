"""The zones and rules of the map: outlines, the band in which an uncertain border may lie, counts."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import shapely
from shapely.affinity import scale, translate

from analyzer.geometry import metres_per_degree
from analyzer.rules import Rule
from analyzer.zones import Zone, ZoneSet

GRID_DEG = 1e-7
BAND_GRID_DEG = 1e-6
NONE = {"violation": 0, "indeterminate": 0, "not_observed": 0}


def zones_of(zone_set: ZoneSet, per_zone: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the page shows of each zone; the counts are those of summary.json."""
    permits = {z for rule in zone_set.rules.rules if rule.kind == "permit" for z in rule.zones}
    z = NormalDist().inv_cdf(zone_set.rules.evaluation.confidence)
    return [
        {
            "id": zone.zone_id,
            "name": dict(zone.name),
            "sketch": zone.geometry_confidence == "sketch",
            "restriction": zone.zone_id not in permits,
            "accuracy_m": zone.accuracy_m,
            "counts": per_zone.get(zone.zone_id, {}).get("findings", NONE),
            "place": list(shapely.get_coordinates(zone.geometry.representative_point())[0]),
            "outline": outlined(shapely.set_precision(zone.geometry, GRID_DEG)),
            "band": outlined(band(zone, z * zone.accuracy_m)) if zone.accuracy_m > 0 else None,
        }
        for zone in zone_set.zones
    ]


def outlined(area: shapely.Geometry) -> list[list[list[int]]]:
    """Return the rings of each polygon as steps of longitude and latitude, by turns, in 1e-7 degrees, from 0, 0."""
    return [[_steps(ring) for ring in (own.exterior, *own.interiors)] for own in shapely.get_parts(area)]


def _steps(ring: shapely.Geometry) -> list[int]:
    """Return the steps of one ring."""
    whole = np.rint(shapely.get_coordinates(ring) / GRID_DEG).astype(np.int64)
    return [int(step) for step in np.diff(whole, axis=0, prepend=0).ravel()]


def band(zone: Zone, half_m: float) -> shapely.Geometry:
    """Return where the border may lie: `half_m` metres to either side of the outline."""
    middle = zone.geometry.centroid
    east, north = metres_per_degree(middle.y)
    moved = translate(zone.geometry.boundary, -middle.x, -middle.y)
    metres = scale(moved, float(east), float(north), origin=(0, 0))
    around = metres.simplify(half_m / 50).buffer(half_m, quad_segs=6).simplify(half_m / 50)
    back = translate(scale(around, 1 / float(east), 1 / float(north), origin=(0, 0)), middle.x, middle.y)
    return shapely.set_precision(back, BAND_GRID_DEG)


def rules_of(zone_set: ZoneSet) -> dict[str, dict[str, Any]]:
    """Return the text and source of each rule, by `id/revision`."""
    return {f"{rule.id}/{rule.revision}": _rule(rule) for rule in zone_set.rules.rules}


def _rule(rule: Rule) -> dict[str, Any]:
    """Return what the page says of a rule."""
    return {
        "id": rule.id,
        "revision": rule.revision,
        "text": dict(rule.text),
        "legal_basis": rule.legal_basis,
        "source": rule.source,
        "confidence": rule.confidence,
    }
