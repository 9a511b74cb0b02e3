"""JSON documents: records, GeoJSON, ArcGIS, Moving Features, MDS; told by content, counted, refused."""

import datetime as dt
import json
import tracemalloc

import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, find_logs, plan_log, read_log

PLAIN = ReadOptions()
T0 = dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)
ISO = "2026-03-17T01:00:00Z"
MS = 1773709200000
RECORD = {"vehicle_id": "V1", "timestamp": ISO, "latitude": 35.15, "longitude": 126.8, "speed_kph": 5}


def read(tmp_path, value, options=PLAIN, name="log.json", encoding="utf-8"):
    path = tmp_path / name
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    log = read_log(str(path), options)
    assert log.record_count == log.records.height + log.rejects.height + log.other_records
    return log


def profile(tmp_path, text):
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return ReadOptions(profile=path)


def codes(log):
    return [n.code for n in log.notices]


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(lon=126.8, lat=35.15, **properties):
    return feature({"type": "Point", "coordinates": [lon, lat, 12.5]}, **properties)


def collection(*features, **more):
    return {"type": "FeatureCollection", "features": list(features), **more}


@pytest.mark.parametrize("value", [[RECORD], {"count": 1, "results": [RECORD]}])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_records(tmp_path, value, encoding):
    log = read(tmp_path, value, encoding=encoding)
    row = log.records.row(0, named=True)
    assert (log.format, row["vehicle_id"], row["time"], row["speed_kph"]) == ("json", "V1", T0, 5)


def test_korean_windows_writes_cp949(tmp_path):
    log = read(tmp_path, [{**RECORD, "vehicle_id": "청소"}], encoding="cp949")
    assert (log.records["vehicle_id"].to_list(), codes(log)) == (["청소"], ["encoding"])


def test_lines_of_objects_are_ndjson(tmp_path):
    line = json.dumps(RECORD)
    path = tmp_path / "log.json"
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    assert plan_log(str(path), PLAIN).format == "ndjson"
    assert read_log(str(path), PLAIN).records.height == 2


def test_what_is_no_record_is_a_reject(tmp_path):
    log = read(tmp_path, [RECORD, 7, {**RECORD, "timestamp": None}, {**RECORD, "latitude": "x"}, [], RECORD])
    assert dict(log.rejects.select("record", "reason").iter_rows()) == {
        2: "bad-json",
        3: "bad-time",
        4: "bad-position",
        5: "bad-json",
    }
    assert log.records["record"].to_list() == [1, 6]


def test_members_of_objects_can_be_named_by_a_profile(tmp_path):
    value = [{"unit": {"id": "V9"}, "timestamp": ISO, "place": {"lat": 35.15, "lon": 126.8}}]
    options = profile(tmp_path, '[columns]\nvehicle_id = "unit.id"\nlatitude = "place.lat"\nlongitude = "place.lon"\n')
    assert read(tmp_path, value, options).records["vehicle_id"].to_list() == ["V9"]


@pytest.mark.parametrize(("number", "unit"), [(MS // 1000, "s"), (MS, "ms"), (MS * 1000, "us"), (MS * 10**6, "ns")])
def test_the_size_of_a_time_tells_its_unit_and_that_is_said(tmp_path, number, unit):
    log = read(tmp_path, [{**RECORD, "timestamp": number}])
    assert log.records["time"].to_list() == [T0]
    assert f"read as {unit} since" in next(n.en for n in log.notices if n.code == "epoch-unit")


def test_a_profile_names_the_unit_of_times(tmp_path):
    log = read(tmp_path, [{**RECORD, "timestamp": MS}], profile(tmp_path, '[columns]\ntimestamp_ms = "timestamp"\n'))
    assert (log.records["time"].to_list(), codes(log)) == ([T0], [])


def test_numbers_that_are_none(tmp_path):
    text = json.dumps([RECORD] * 9)
    text = text.replace("35.15", "NaN", 1).replace("35.15", "1e999", 1).replace("35.15", "9" * 400, 1)
    log = read(tmp_path, text)
    assert log.rejects["reason"].to_list() == ["bad-position"] * 3


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30])
def test_whole_numbers_too_large_for_any_column(tmp_path, number):
    assert read(tmp_path, [{**RECORD, "trip_id": number}]).records["trip_id"].to_list() == [str(number)]


def test_a_member_said_twice_is_not_said(tmp_path):
    text = json.dumps([RECORD, RECORD])
    log = read(tmp_path, text.replace('"speed_kph": 5', '"speed_kph": 5, "speed_kph": 50', 1))
    assert log.records["speed_kph"].to_list() == [None, 5]
    assert codes(log) == ["said-twice"]
    same = read(tmp_path, text.replace('"speed_kph": 5', '"speed_kph": 5, "speed_kph": 5'))
    assert (same.records["speed_kph"].to_list(), codes(same)) == ([5, 5], [])


def test_halves_of_characters(tmp_path):
    log = read(tmp_path, json.dumps([{**RECORD, "vehicle_id": "\ud800x", "\udfff": 1, "trip_id": "é"}]))
    assert log.records["vehicle_id"].to_list() == ["?x"]


def test_geojson_points(tmp_path):
    there = point(vehicle_id="V1", timestamp=ISO, speed_mps=2, Latitude=1.0, heading=90)
    log = read(tmp_path, collection(there, feature(None, vehicle_id="V1", timestamp=ISO), point(0, 0, timestamp=ISO)))
    row = log.records.row(0, named=True)
    assert (log.format, row["latitude"], row["longitude"]) == ("geojson", 35.15, 126.8)
    assert (row["time"], row["speed_kph"], row["heading_deg"]) == (T0, 7.2, 90)
    assert log.rejects["record"].to_list() == [2, 3]


@pytest.mark.parametrize("name", ["coordTimes", "times", "datetimes", "timestamps"])
@pytest.mark.parametrize("below", [False, True])
def test_geojson_lines_with_times(tmp_path, name, below):
    times = {name: [ISO, "2026-03-17T10:00:01+09:00", None], "speed_kph": [1, 2, 3]}
    properties = {"coordinateProperties": times} if below else times
    line = {"type": "LineString", "coordinates": [[126.8, 35.1], [126.9, 35.1], [126.9, 35.2]]}
    log = read(tmp_path, collection(feature(line, name="morning", **properties)), name="bus.geojson")
    assert log.records["time"].to_list() == [T0, T0 + dt.timedelta(seconds=1)]
    assert log.records["speed_kph"].to_list() == [1, 2]
    assert log.records["trip_id"].unique().to_list() == ["morning"]
    assert log.records["vehicle_id"].unique().to_list() == ["bus"]
    assert log.rejects["reason"].to_list() == ["bad-time"]


def test_lines_are_trips_and_parts_of_lines_are_not(tmp_path):
    line = {"type": "MultiLineString", "coordinates": [[[126.8, 35.1]], [[126.9, 35.1]]]}
    features = [feature(line, name="A", coordTimes=[[MS], [MS + 1000]]) for _ in range(2)]
    log = read(tmp_path, collection(*features))
    assert log.records["trip_id"].to_list() == ["A", "A", "A (2)", "A (2)"]
    assert log.records["time"].to_list() == [T0, T0 + dt.timedelta(seconds=1)] * 2


def test_a_line_with_other_times_than_vertices_is_rejected_whole(tmp_path):
    line = {"type": "LineString", "coordinates": [[126.8, 35.1], [126.9, 35.1]]}
    log = read(tmp_path, collection(feature(line, times=[ISO]), point(timestamp=ISO), feature(line)))
    assert log.rejects["reason"].to_list() == ["times-do-not-match"] * 2
    assert (log.records["record"].to_list(), log.other_records) == ([3], 1)


def test_arcgis(tmp_path):
    features = [
        {"attributes": {"vehicle_id": "V1", "timestamp": MS}, "geometry": {"x": 126.8, "y": 35.15}},
        {"attributes": {"vehicle_id": "V1", "timestamp": MS}},
        {"attributes": {"vehicle_id": "V1", "timestamp": MS}, "geometry": {"paths": []}},
    ]
    log = read(tmp_path, {"spatialReference": {"wkid": 4326}, "features": features})
    assert (log.format, log.records["time"].to_list(), log.other_records) == ("arcgis-json", [T0], 1)
    with pytest.raises(LogError, match=r"wkid 3857, 102100\); export it with outSR=4326"):
        read(tmp_path, {"spatialReference": {"wkid": 102100, "latestWkid": 3857}, "features": features})


def moving(form="KMH", times=(ISO, "2026-03-17T01:00:01Z"), **more):
    return {
        "type": "Feature",
        "id": "drive",
        "properties": {"vehicle_id": "V1"},
        "temporalGeometry": {
            "type": "MovingPoint",
            "coordinates": [[126.8, 35.1, 0], [126.9, 35.1, 0]],
            "datetimes": list(times),
        },
        "temporalProperties": [
            {"datetimes": list(times), "speed": {"type": "Measure", "form": form, "values": [10, 20]}},
            {"datetimes": [ISO, "2026-03-17T02:00:00Z"], "control_mode": {"values": ["autonomous", "manual"]}},
        ],
        **more,
    }


@pytest.mark.parametrize(("form", "factor"), [("KMH", 1), ("KNT", 1.852), ("MTS", 3.6), ("HM", 1.609344)])
def test_moving_features(tmp_path, form, factor):
    log = read(tmp_path, collection(moving(form)))
    assert (log.format, log.records["trip_id"].to_list()) == ("mf-json", ["drive", "drive"])
    assert log.records["speed_kph"].to_list() == [pytest.approx(10 * factor), pytest.approx(20 * factor)]
    assert log.records["control_mode"].to_list() == ["autonomous", None]
    assert (log.other_records, codes(log)) == (1, ["values-without-position"])


def test_moving_features_in_milliseconds(tmp_path):
    log = read(tmp_path, moving(times=(MS, MS + 1000)))
    assert log.records["time"].to_list() == [T0, T0 + dt.timedelta(seconds=1)]
    assert log.records["speed_kph"].to_list() == [10, 20]


def test_a_speed_of_unknown_form_is_refused(tmp_path):
    with pytest.raises(LogError, match="unit of column 'speed' is not said"):
        read(tmp_path, moving("XYZ"))
    options = profile(tmp_path, '[columns]\nspeed_kph = "speed"\n')
    assert read(tmp_path, moving("XYZ"), options).records["speed_kph"].to_list() == [10, 20]


def telemetry(trips=None, speed=2.0, journey=None):
    where = {"lat": 35.15, "lng": 126.8, "speed": speed, "heading": 90, "horizontal_accuracy": 0.5}
    return {"device_id": "d-1", "timestamp": MS, "trip_ids": trips, "journey_id": journey, "location": where}


def trip(name, driver):
    ends = {"start_time": MS, "end_time": MS + 1000, "start_location": {"lat": 35.1, "lng": 126.8}}
    ends["end_location"] = {"lat": 35.2, "lng": 126.8}
    return {"device_id": "d-1", "trip_id": name, "trip_attributes": {"driver_type": driver}, **ends}


@pytest.mark.parametrize("wrapped", [False, True])
def test_mds_telemetry(tmp_path, wrapped):
    points = [
        telemetry(["a"]),
        telemetry(["b"]),
        telemetry(["c"]),
        telemetry(),
        telemetry(["a", "b"]),
        telemetry(["a", "b"], journey="j"),
    ]
    trips = [trip("a", "autonomous"), trip("b", "human"), trip("c", "semi_autonomous")]
    body = {"telemetry": points, "trips": trips}
    log = read(tmp_path, {"version": "2.0.0", "data": body} if wrapped else {"version": "2.0.0", **body})
    first = log.records.row(0, named=True)
    assert (log.format, log.other_records) == ("mds", 3)
    assert (first["vehicle_id"], first["time"], first["speed_kph"], first["heading_deg"]) == ("d-1", T0, 7.2, 90)
    assert first["horizontal_accuracy_m"] == 0.5
    assert log.records["control_mode"].to_list() == ["autonomous", "manual", "unknown", None, None, None]
    assert log.records["trip_id"].to_list() == ["a", "b", "c", None, "a+b", "j"]
    assert codes(log) == []


def test_mds_trips_alone_are_their_ends(tmp_path):
    log = read(tmp_path, {"version": "2.0.0", "trips": [trip("a", "human")]})
    assert log.records["time"].to_list() == [T0, T0 + dt.timedelta(seconds=1)]
    assert log.records["latitude"].to_list() == [35.1, 35.2]
    assert log.records["control_mode"].to_list() == ["manual", "manual"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            collection(feature({"type": "Polygon", "coordinates": []}, zone_id="a")),
            "zones, not a log; give their folder with --zones",
        ),
        ([{"vehicle_id": "S-1", "vehicle_type": "sweeper"}], "a fleet, not a log; write it as fleet.csv"),
        (collection(feature({"type": "LineString", "coordinates": [[1, 2]]})), "no time for their vertices"),
        (
            collection(
                point(timestamp=ISO), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}}
            ),
            "another system",
        ),
        (collection(), "no record"),
        ({"a": 1, "b": {}}, "no array of records.*a, b"),
        ({"a": [RECORD], "b": [RECORD]}, "several arrays"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "nested too deep"),
        ("[" + "[]," * 8_000_000 + "1]", "little but brackets"),
        ('[{"vehicle_id": ', "not sound JSON"),
        ("[" + "9" * 5000 + "]", "not sound JSON"),
        ("7", "unknown kind|no column|no array|header"),
        ([], "no record"),
        ([{**RECORD, "timestamp": 5}], "holds numbers"),
        ([{"timestamp": ISO, "latitude": 35.1, "longitude": 126.8, "speed": 5}], "unit of column"),
    ],
)
def test_refusals(tmp_path, value, says):
    with pytest.raises(LogError, match=says) as caught:
        read(tmp_path, value)
    assert "\n" not in str(caught.value)


def test_invalid_bytes_are_refused(tmp_path):
    (tmp_path / "log.json").write_bytes(b'[{"a": "\xff\xfe\x81"}]')
    with pytest.raises(LogError, match="neither UTF-8 nor cp949"):
        read_log(str(tmp_path / "log.json"), PLAIN)


def test_content_comes_before_the_suffix_and_folders_find_them(tmp_path):
    for name in ("a.txt", "b.geojson", "c.json"):
        (tmp_path / name).write_text(json.dumps(collection(point(timestamp=ISO))), encoding="utf-8")
        assert plan_log(str(tmp_path / name), PLAIN).format == "geojson"
        assert read_log(str(tmp_path / name), PLAIN).records.height == 1
    (tmp_path / "d.gpx").touch()
    assert len(find_logs([str(tmp_path)])) == 4


def test_many_members_of_many_names(tmp_path):
    value = [{**RECORD, f"x{n}": n} for n in range(9_000)]
    assert read(tmp_path, value).records.height == 9_000
    with pytest.raises(LogError, match="members of different names"):
        read(tmp_path, [{**RECORD, f"x{n}": n} for n in range(20_000)])


@pytest.mark.parametrize("piece", ["{},", "[],", "1,", '{"a":1},', "[[]],"])
def test_bombs_are_refused_before_they_are_loaded(tmp_path, piece):
    path = tmp_path / "log.json"
    path.write_text("[" + piece * (24_000_000 // len(piece)) + "1]", encoding="ascii")
    tracemalloc.start()
    try:
        with pytest.raises(LogError, match="little but brackets"):
            read_log(str(path), PLAIN)
        assert tracemalloc.get_traced_memory()[1] < 4 * path.stat().st_size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("deep", [100, 400, 700, 900, 980])
def test_nesting_near_the_limit(tmp_path, deep):
    nested = "[" * deep + "]" * deep
    text = f"[{json.dumps(RECORD)}, {nested}, {json.dumps({**RECORD, 'trip_id': 0})[:-2]}{nested}}}]"
    reasons, said = [], ""
    try:
        reasons = read(tmp_path, text).rejects["reason"].to_list()
    except LogError as error:
        said = str(error)
    assert reasons == ["bad-json"] or "nested too deep" in said


def test_control_characters_of_a_reject_are_gone(tmp_path):
    log = read(tmp_path, [RECORD, "\x1b[31m\u202ex"])
    assert log.rejects["text"].to_list() == [" [31m x"]
