"""Records of GeoJSON: points with properties, lines with a time for every vertex."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.errors import LogError
from analyzer.logs._json import Rows, flat, printable
from analyzer.logs._tracks import TripNames

LINES = ("LineString", "MultiLineString", "MultiPoint")
AREAS = ("Polygon", "MultiPolygon")
GEOMETRIES = ("FeatureCollection", "Feature", "Point", *LINES, *AREAS, "GeometryCollection")
TIMES = ("coordTimes", "times", "datetimes", "timestamps", "coord_times", "time")
TRIPS = ("trip_id", "trip", "name", "id")
WGS84 = ("CRS84", ":4326", "::4326", "WGS84", "WGS 84")
_WORDS = 160


def geojson_rows(path: str, value: Mapping[str, Any]) -> Rows:
    """Return the records of a document; LogError where it is no log as a whole."""
    refuse_other_crs(path, value.get("crs"))
    features = value.get("features") if value["type"] == "FeatureCollection" else [value]
    rows, trips = Rows(), TripNames()
    kinds: set[str] = set()
    for feature in features if isinstance(features, list) else []:
        kinds.add(_add_feature(rows, feature, trips))
    if not rows.rows and not rows.bad:
        _refuse_no_log(path, kinds)
    return rows


def refuse_other_crs(path: str, crs: Any) -> None:
    """Refuse positions that the document itself says are not WGS 84."""
    said = str(crs.get("properties", crs)) if isinstance(crs, dict) else str(crs or "")
    if said and not any(word in said for word in WGS84):
        message = (
            f"{path}: its positions are in another system ({printable(said)[:80]}); export it in WGS 84 (EPSG:4326)"
        )
        raise LogError(message)


def _refuse_no_log(path: str, kinds: set[str]) -> None:
    """Refuse a document of which nothing is a position in time."""
    if kinds & set(AREAS):
        raise LogError(f"{path}: holds areas, not positions in time: zones, not a log; give their folder with --zones")
    if kinds & set(LINES):
        message = (
            f"{path}: its lines say no time for their vertices (properties such as `coordTimes`), so it is a "
            "route, not a log; export it with times"
        )
        raise LogError(message)


def _add_feature(rows: Rows, feature: Any, trips: TripNames) -> str:
    """Take over what one feature holds; return the type of its geometry."""
    if not isinstance(feature, dict):
        rows.add_bad("bad-json", str(feature)[:_WORDS])
        return ""
    geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
    geometry = geometry if isinstance(geometry, dict) else {}
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    kind = str(geometry.get("type") or "")
    if kind in {"Point", ""}:
        rows.add(placed(flat(properties), geometry.get("coordinates")))
    elif kind in LINES:
        _add_line(rows, feature, geometry, properties, trips)
    else:
        rows.add_other()
    return kind


def placed(row: Mapping[str, Any], coordinates: Any) -> dict[str, Any]:
    """Return a record at a position: this one, and before what the record says of its place itself."""
    here = position(coordinates)
    return {**here, **row, **here}


def position(coordinates: Any) -> dict[str, Any]:
    """Return longitude and latitude, null where they are no numbers."""
    pair = coordinates[:2] if isinstance(coordinates, list) and len(coordinates) > 1 else [None, None]
    lon, lat = (v if type(v) in {int, float} else None for v in pair)
    return {"longitude": lon, "latitude": lat}


def _add_line(
    rows: Rows, feature: Mapping[str, Any], geometry: Mapping[str, Any], properties: Mapping[str, Any], trips: TripNames
) -> None:
    """Take over the vertices of a line, in one trip."""
    vertices = joined(geometry.get("coordinates"), geometry["type"] == "MultiLineString")
    more = properties.get("coordinateProperties")
    members = {**properties, **(more if isinstance(more, dict) else {})}
    name, times = next(((n, members[n]) for n in TIMES if isinstance(members.get(n), list)), ("", None))
    if times is None:
        rows.add_other()
        return
    times = joined(times, nested=any(isinstance(t, list) for t in times[:1]))
    if len(times) != len(vertices):
        for vertex in vertices:
            rows.add_bad("times-do-not-match", f"{len(times)} times, {len(vertices)} positions: {vertex!s:.80}")
        return
    if "trip_id" not in properties:
        found = next((feature.get(t) or properties.get(t) for t in TRIPS if feature.get(t) or properties.get(t)), None)
        members["trip_id"] = trips.name(printable(str(found)) if found else f"line {rows.record + 1}")
    lists, plain = _split(members, len(vertices), name)
    for place, vertex in enumerate(vertices):
        row = {**plain, **{n: values[place] for n, values in lists.items()}}
        rows.add(placed(row, vertex) | {"timestamp": times[place]})


def joined(values: Any, nested: bool) -> list[Any]:  # noqa: FBT001
    """Return a list, of a list of lists all their members."""
    if not isinstance(values, list):
        return []
    return list(_members(values)) if nested else values


def _members(values: list[Any]) -> Iterator[Any]:
    """Yield the members of the lists in a list."""
    for part in values:
        if isinstance(part, list):
            yield from part


def _split(members: Mapping[str, Any], count: int, times: str) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Return the properties that say a value for every vertex, and those that say one for all."""
    lists = {printable(n): v for n, v in members.items() if isinstance(v, list) and len(v) == count and n != times}
    plain = {n: v for n, v in members.items() if not isinstance(v, list | dict) and n != "timestamp"}
    return lists, flat(plain)
