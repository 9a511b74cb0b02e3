"""GeoJSON: RFC 7946, and the older `crs` member that names another system."""

import json
from collections.abc import Iterator
from typing import Any

import shapely

from analyzer.language import Both, both
from analyzer.vectors._records import Feature, VectorLayer, flat_layer, polygon_of

WGS84 = "OGC:CRS84"
KINDS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")


def document_of(data: bytes) -> dict[str, Any]:
    """Return a JSON object; ValueError where it is none."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("the JSON is no object")  # noqa: TRY004 - data, not a wrong call
    return document


def layer_of(document: dict[str, Any], name: str) -> VectorLayer:
    """Return the one layer of a GeoJSON document."""
    kind = document.get("type")
    if kind not in ("FeatureCollection", "Feature", *KINDS):
        raise ValueError(f"this JSON is no GeoJSON: its type is {kind!r}")
    features = document.get("features", []) if kind == "FeatureCollection" else [document]
    if not isinstance(features, list):
        raise ValueError("`features` is no list")  # noqa: TRY004
    crs, remarks = _crs(document)
    return flat_layer(name, crs, _features(features), remarks)


def _features(features: list[Any]) -> Iterator[Feature]:
    """Yield the features; ValueError names the one that cannot be read."""
    for number, feature in enumerate(features, start=1):
        try:
            own = feature if feature.get("type") == "Feature" else {"geometry": feature}
            properties = dict(own.get("properties") or {})
            if "id" in feature and "id" not in properties:
                properties["id"] = feature["id"]
            yield Feature(number, shape_of(own.get("geometry")), properties)
        except (ValueError, TypeError, LookupError, AttributeError, shapely.GEOSException, RecursionError) as error:
            raise ValueError(f"feature {number}: {error}") from error


def shape_of(geometry: dict[str, Any] | None) -> Any:
    """Return a geometry, null for none."""
    if not geometry:
        return None
    kind = geometry.get("type")
    if kind not in KINDS:
        raise ValueError(f"geometry of type {kind!r}")
    if kind == "GeometryCollection":
        return shapely.geometrycollections([s for s in map(shape_of, geometry["geometries"]) if s is not None])
    coordinates = geometry["coordinates"]
    if not coordinates:
        return None
    if kind == "Polygon":
        return _polygon(coordinates)
    if kind == "MultiPolygon":
        return shapely.multipolygons([_polygon(rings) for rings in coordinates])
    return shapely.from_geojson(json.dumps({"type": kind, "coordinates": coordinates}))


def _polygon(rings: list[Any]) -> Any:
    """Return a polygon; with heights where it has some."""
    flat = polygon_of(rings)
    high = len(rings[0][0]) > 2  # noqa: PLR2004
    return shapely.force_3d(flat) if high else flat


def _crs(document: dict[str, Any]) -> tuple[str | None, list[Both]]:
    """Return the coordinate system: WGS 84 by RFC 7946, or what the older `crs` member names."""
    member = document.get("crs")
    if not isinstance(member, dict):
        return WGS84, []
    properties = member.get("properties")
    name = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    if "CRS84" in name:
        return WGS84, []
    return (name or None), [both("The member `crs` says {crs}; RFC 7946 knows only WGS 84.", crs=name or "?")]
