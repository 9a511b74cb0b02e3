"""Records of the Mobility Data Specification 2.0: telemetry, or else the ends of trips."""

from collections.abc import Mapping
from typing import Any

from analyzer.logs._json import Rows

MODES = {"human": "manual", "semi_autonomous": "unknown", "autonomous": "autonomous"}
"""`driver_type` of a trip -> control mode."""
OURS = {
    "vehicle_id": "device_id",
    "timestamp_ms": "timestamp",
    "speed_mps": "speed",
    "heading_deg": "heading",
    "horizontal_accuracy_m": "horizontal_accuracy",
    "control_mode": "driver_type",
    "latitude": "lat",
    "longitude": "lng",
}
_LISTS = {"telemetry": "location", "trips": "start_location"}
_PLACE = ("lat", "lng", "heading", "speed", "horizontal_accuracy")
_WORDS = 160


def mds_body(value: Any) -> Mapping[str, Any] | None:
    """Return what holds the lists of an MDS document, null where it is none."""
    body = value.get("data", value) if isinstance(value, dict) else None
    if not isinstance(body, dict):
        return None
    for name, place in _LISTS.items():
        records = body.get(name)
        first = records[0] if isinstance(records, list) and records else None
        if isinstance(first, dict) and isinstance(first.get(place), dict):
            return body
    return None


def mds_rows(body: Mapping[str, Any]) -> Rows:
    """Return the records of telemetry; of a document without it, the two ends of every trip."""
    rows = Rows(ours=dict(OURS), modes=dict(MODES))
    trips = [t for t in _list(body, "trips") if isinstance(t, dict)]
    drivers = {str(t.get("trip_id")): _driver(t) for t in trips}
    telemetry = _list(body, "telemetry")
    for point in telemetry:
        if isinstance(point, dict):
            rows.add(_point(point, drivers))
        else:
            rows.add_bad("bad-json", str(point)[:_WORDS])
    if telemetry:
        rows.add_other(len(_list(body, "trips")))
        return rows
    for trip in _list(body, "trips"):
        if not isinstance(trip, dict):
            rows.add_bad("bad-json", str(trip)[:_WORDS])
            continue
        for end in ("start", "end"):
            said = {"trip_id": trip.get("trip_id"), "driver_type": _driver(trip), "device_id": trip.get("device_id")}
            rows.add({**said, "timestamp": trip.get(f"{end}_time"), **_place(trip.get(f"{end}_location"))})
    return rows


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list of a document, an empty one where there is none."""
    found = body.get(name)
    return found if isinstance(found, list) else []


def _driver(trip: Mapping[str, Any]) -> Any:
    """Return who drives on a trip, in the document's words."""
    attributes = trip.get("trip_attributes")
    return (attributes if isinstance(attributes, dict) else {}).get("driver_type")


def _point(point: Mapping[str, Any], drivers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a point of telemetry; the driver is that of its trips, where they have one and the same."""
    trips = point.get("trip_ids")
    trips = sorted(str(t) for t in trips) if isinstance(trips, list) else []
    driven = {str(drivers.get(t)): drivers.get(t) for t in trips}
    journey = point.get("journey_id")
    trip = journey if len(trips) > 1 and journey else "+".join(trips) or None
    said = {"device_id": point.get("device_id"), "timestamp": point.get("timestamp"), "trip_id": trip}
    driver = next(iter(driven.values())) if len(driven) == 1 else None
    return {**said, "driver_type": driver, **_place(point.get("location"))}


def _place(location: Any) -> dict[str, Any]:
    """Return position, speed and course."""
    found = location if isinstance(location, dict) else {}
    return {name: found.get(name) for name in _PLACE}
