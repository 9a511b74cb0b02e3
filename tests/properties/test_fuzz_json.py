"""Damaged JSON documents, and JSON of any shape, give a log or a LogError, nothing else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.damage import damaged, read_whatever
from tests.unit.test_json_logs import ISO, MS, RECORD, collection, feature, moving, point, telemetry, trip

LINE = {"type": "MultiLineString", "coordinates": [[[126.8, 35.1], [126.8, 35.2]], [[126.9, 35.1]]]}
DOCUMENTS = (
    [RECORD, {**RECORD, "more": {"a": [1]}}],
    collection(point(timestamp=ISO), feature(LINE, coordTimes=[[ISO, ISO], [MS]], speed_kph=[1, 2, 3])),
    {
        "spatialReference": {"wkid": 4326},
        "features": [{"attributes": {"timestamp": MS}, "geometry": {"x": 126.8, "y": 35.1}}],
    },
    collection(moving(), moving("KNT")),
    {"version": "2.0.0", "telemetry": [telemetry(["a"]), telemetry()], "trips": [trip("a", "human")]},
    {"trips": [trip("a", "autonomous")]},
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from([ISO, MS, 126.8, 35.1])
)
MEMBERS = [
    "type",
    "features",
    "geometry",
    "properties",
    "coordinates",
    "coordTimes",
    "times",
    "timestamp",
    "latitude",
    "longitude",
    "vehicle_id",
    "attributes",
    "x",
    "y",
    "spatialReference",
    "wkid",
    "crs",
    "temporalGeometry",
    "temporalProperties",
    "datetimes",
    "values",
    "form",
    "speed",
    "prisms",
    "data",
    "telemetry",
    "trips",
    "trip_id",
    "trip_ids",
    "trip_attributes",
    "driver_type",
    "location",
    "start_location",
    "lat",
    "lng",
    "device_id",
    "control_mode",
    "id",
    "name",
]
TYPES = ["FeatureCollection", "Feature", "Point", "LineString", "MultiLineString", "Polygon", "MovingPoint"]
ANYTHING = st.recursive(
    st.one_of(SCALARS, st.sampled_from(TYPES)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)),
    max_leaves=25,
)


def _replaced(value, number, other):
    """Return a document in which the value of one place is another."""
    places = []

    def walk(node):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(value)
    node, key = places[number % len(places)]
    node[key] = other
    return value


@settings(max_examples=200)
@given(damaged(*(json.dumps(d).encode() for d in DOCUMENTS)))
def test_damaged_json(tmp_path, data):
    read_whatever(tmp_path / "log.json", data)


@settings(max_examples=300)
@given(
    st.sampled_from(DOCUMENTS).map(json.dumps),
    st.lists(st.tuples(st.integers(0, 1000), ANYTHING), min_size=1, max_size=3),
)
def test_sound_json_with_other_values(tmp_path, text, changes):
    value = json.loads(text)
    for number, other in changes:
        value = _replaced(value, number, other)
    read_whatever(tmp_path / "log.json", json.dumps(value).encode())


@settings(max_examples=200)
@given(ANYTHING)
def test_json_of_any_shape(tmp_path, value):
    read_whatever(tmp_path / "log.json", json.dumps(value).encode())
