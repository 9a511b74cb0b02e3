"""Records of ArcGIS JSON: features with attributes and a point as `x`, `y`."""

from collections.abc import Mapping
from typing import Any

from analyzer.errors import LogError
from analyzer.logs._geojson import placed
from analyzer.logs._json import Rows, flat, printable

WGS84 = 4326
_WORDS = 160


def arcgis_rows(path: str, value: Mapping[str, Any]) -> Rows:
    """Return the records of a feature set; LogError where its positions are not WGS 84 points."""
    reference = value.get("spatialReference")
    codes = [reference.get("latestWkid"), reference.get("wkid")] if isinstance(reference, dict) else [WGS84]
    if WGS84 not in codes:
        shown = ", ".join(printable(str(c))[:20] for c in codes if c is not None) or "not said"
        raise LogError(f"{path}: its positions are not WGS 84 (wkid {shown}); export it with outSR=4326")
    rows = Rows()
    for feature in value["features"]:
        attributes = feature.get("attributes") if isinstance(feature, dict) else None
        if not isinstance(attributes, dict):
            rows.add_bad("bad-json", str(feature)[:_WORDS])
            continue
        geometry = feature.get("geometry")
        geometry = geometry if isinstance(geometry, dict) else {}
        if geometry and "x" not in geometry:
            rows.add_other()
        else:
            rows.add(placed(flat(attributes), [geometry.get("x"), geometry.get("y")]))
    if not rows.rows and rows.others:
        raise LogError(f"{path}: holds lines or areas, not positions in time; a log has a point for each record")
    return rows
