"""Records of OGC Moving Features JSON: moving points and what is said of them in time."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.logs._geojson import placed, refuse_other_crs
from analyzer.logs._json import Rows, flat, printable
from analyzer.logs._remarks import Remark
from analyzer.logs._tracks import TripNames

SPEED_FORMS = {"KMH": "speed_kph", "KNT": "speed_kn", "MTS": "speed_mps", "HM": "speed_mph"}
"""UN/CEFACT codes (Recommendation 20) of units of speed."""
SPEEDS = ("speed", "velocity")
_GEOMETRY = "temporalGeometry"


def is_moving(value: Any) -> bool:
    """Return whether a document holds moving features."""
    if not isinstance(value, dict):
        return False
    features = value.get("features")
    features = features if isinstance(features, list) else []
    return _GEOMETRY in value or any(isinstance(f, dict) and _GEOMETRY in f for f in features)


def mf_rows(path: str, value: Mapping[str, Any]) -> Rows:
    """Return the records of a document: an instant of a moving point each."""
    rows, trips = Rows(), TripNames()
    refuse_other_crs(path, value.get("crs"))
    unused = 0
    for feature in value["features"] if isinstance(value.get("features"), list) else [value]:
        geometry = feature.get(_GEOMETRY) if isinstance(feature, dict) else None
        if not isinstance(geometry, dict):
            rows.add_other()
            continue
        refuse_other_crs(path, feature.get("crs"))
        properties = feature.get("properties")
        plain = flat(properties if isinstance(properties, dict) else {})
        name = feature.get("id", plain.get("name", plain.get("id")))
        if "trip_id" not in plain:
            plain["trip_id"] = trips.name(f"feature {rows.record + 1}" if name is None else printable(str(name)))
        said = _said(feature.get("temporalProperties"))
        for prism in _prisms(geometry):
            _add_points(rows, prism, plain, said)
        rows.add_other(len(said))
        unused += len(said)
    if unused:
        rows.remarks.append(Remark("values-without-position", path, unused))
    return rows


def _prisms(geometry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a temporal geometry."""
    prisms = geometry.get("prisms")
    for prism in prisms if isinstance(prisms, list) else [geometry]:
        if isinstance(prism, dict):
            yield prism


def _add_points(
    rows: Rows, prism: Mapping[str, Any], plain: Mapping[str, Any], said: dict[Any, dict[str, Any]]
) -> None:
    """Take over the instants of a moving point."""
    times, places = prism.get("datetimes"), prism.get("coordinates")
    if prism.get("type") != "MovingPoint" or not isinstance(times, list) or not isinstance(places, list):
        rows.add_other()
        return
    if len(times) != len(places):
        for place in places:
            rows.add_bad("times-do-not-match", f"{len(times)} times, {len(places)} positions: {place!s:.80}")
        return
    for time, place in zip(times, places, strict=True):
        rows.add(placed({**plain, **said.pop(_key(time), {})}, place) | {"timestamp": time})


def _key(time: Any) -> Any:
    """Return what two equal times have in common."""
    return time if isinstance(time, int | float) else str(time)


def _said(properties: Any) -> dict[Any, dict[str, Any]]:
    """Return time -> the values said of it, by name."""
    said: dict[Any, dict[str, Any]] = {}
    for group in properties if isinstance(properties, list) else []:
        times = group.get("datetimes") if isinstance(group, dict) else None
        if not isinstance(times, list):
            continue
        for member, values in group.items():
            found = values.get("values") if isinstance(values, dict) else None
            if isinstance(found, list) and len(found) == len(times):
                name = _name(member, values.get("form"))
                for time, value in zip(times, found, strict=True):
                    said.setdefault(_key(time), {})[name] = value
    return said


def _name(member: str, form: Any) -> str:
    """Return the name of a column; a speed with a known unit is called so."""
    if member.lower() in SPEEDS:
        return SPEED_FORMS.get(str(form).upper(), "speed")
    return printable(member)
