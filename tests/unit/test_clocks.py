"""Several time columns in one table: which is used, and what is said of the others."""

import datetime as dt
import json

import polars as pl
import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log

START = dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)


def instants(apart_s=0.0, count=40):
    return [START + dt.timedelta(seconds=n + apart_s) for n in range(count)]


def texts(apart_s=0.0, count=40):
    return [time.isoformat() for time in instants(apart_s, count)]


def read(tmp_path, columns, name="log.csv", options=None):
    count = len(next(iter(columns.values())))
    place = {"vehicle_id": ["v"] * count, "latitude": [35.1] * count, "longitude": [126.8] * count}
    frame, path = pl.DataFrame(place | columns), tmp_path / name
    if name.endswith(".csv"):
        frame.write_csv(path)
    elif name.endswith(".ndjson"):
        frame.write_ndjson(path)
    elif name.endswith(".json"):
        path.write_text(json.dumps(frame.to_dicts(), default=str), encoding="utf-8")
    else:
        frame.write_parquet(path)
    log = read_log(str(path), options or ReadOptions())
    assert log.record_count == log.records.height == count
    return log.records["time"].to_list(), {n.code: n.en for n in log.notices}


@pytest.mark.parametrize("name", ["log.csv", "log.ndjson", "log.json", "log.parquet"])
def test_the_time_of_measurement_comes_before_those_of_device_and_server(tmp_path, name):
    columns = {"serverTime": texts(7), "deviceTime": texts(2), "fixTime": texts()}
    found, said = read(tmp_path, columns, name)
    assert found == instants()
    assert "used: fixTime, serverTime, deviceTime." in said["other-times"]
    assert "times-apart" not in said


def test_our_own_name_and_a_profile_come_before_all(tmp_path):
    columns = {"gps_time": texts(-3), "timestamp": texts()}
    assert read(tmp_path, columns)[0] == instants()
    profile = tmp_path / "p.toml"
    profile.write_text('[columns]\ntimestamp = "gps_time"\n', encoding="utf-8")
    found, said = read(tmp_path, columns, options=ReadOptions(profile=profile))
    assert found == instants(-3)
    assert "gps_time, timestamp." in said["other-times"]


@pytest.mark.parametrize(
    ("apart_s", "written"),
    [
        (59, None),
        (75, "+75 s"),
        (-1800, "-0.5 h"),
        (32402.5, "+9 h"),
        (-86400, "-24 h"),
        (1790, "+1790 s"),
    ],
)
def test_two_clocks_apart_are_told_and_not_corrected(tmp_path, apart_s, written):
    found, said = read(tmp_path, {"timestamp": texts(), "received_at": texts(apart_s)})
    assert found == instants()
    assert ("times-apart" in said) == (written is not None)
    assert written is None or f"received_at {written}." in said["times-apart"]


def test_a_day_between_epochs_and_texts_is_told(tmp_path):
    epochs = [int(time.timestamp() * 1000) - 86_400_000 for time in instants()]
    found, said = read(tmp_path, {"timestamp": texts(), "timestamp_ms": epochs})
    assert found == instants(-86_400)
    assert "timestamp +24 h." in said["times-apart"]


def test_seconds_of_the_week_beside_a_time_are_named_only(tmp_path):
    found, said = read(tmp_path, {"timestamp": texts(), "gps_time": [176_400.5 + n for n in range(40)]})
    assert found == instants()
    assert "other-times" in said
    assert "times-apart" not in said


def test_local_times_beside_are_compared_where_their_zone_is_said(tmp_path):
    columns = {"timestamp": texts(), "device_time": [f"2026-03-17 10:01:{n:02}" for n in range(40)]}
    assert "times-apart" not in read(tmp_path, columns)[1]
    said = read(tmp_path, columns, options=ReadOptions(timezone="Asia/Seoul"))[1]
    assert "device_time +60 s." in said["times-apart"]


def test_only_a_time_of_receipt_is_used_and_said(tmp_path):
    found, said = read(tmp_path, {"serverTime": texts()})
    assert found == instants()
    assert "they may be older" in said["time-of-receipt"]
    with pytest.raises(LogError, match="no column for timestamp"):
        read(tmp_path, {"created": texts()})


@pytest.mark.parametrize("name", ["log.csv", "log.ndjson", "log.json", "log.parquet"])
def test_two_columns_that_say_the_same_are_told(tmp_path, name):
    columns = {"timestamp": texts(), "speed_kph": [9.0] * 40, "speed_mps": [30.0] * 40, "lat": [36.0] * 40}
    said = read(tmp_path, columns, name)[1]
    assert "are: latitude (lat), speed_kph (speed_mps). A profile" in said["other-columns"]


def test_a_profile_chooses_among_columns_that_say_the_same(tmp_path):
    profile = tmp_path / "p.toml"
    profile.write_text('[columns]\nspeed_mps = "speed"\nlatitude = "lat"\n', encoding="utf-8")
    columns = {"timestamp": texts(), "speed": [1.0] * 40, "lat": [36.0] * 40}
    said = read(tmp_path, columns, options=ReadOptions(profile=profile))[1]
    assert "are: lat (latitude)." in said["other-columns"]
    columns |= {"speed_kph": [100.0] * 40}
    assert "speed (speed_kph)." in read(tmp_path, columns, options=ReadOptions(profile=profile))[1]["other-columns"]
    assert (
        read_log(str(tmp_path / "log.csv"), ReadOptions(profile=profile)).records["speed_kph"].to_list() == [3.6] * 40
    )
    assert "other-columns" not in read(tmp_path, {"timestamp": texts(), "speed_kph": [9.0] * 40})[1]


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-17 오전 10:00:05", 10),
        ("2026-03-17 오후 1:00:05", 13),
        ("2026. 3. 17. 오전 12:00:05", 0),
        ("2026. 3. 17. 오후 12:00:05", 12),
        ("2026/03/17 09:00:05 PM", 21),
        ("2026.03.17 9:00:05", 9),
        ("2026-03-17 오후 13:00:05", None),
        ("2026-03-17 오전 0:00:05", None),
    ],
)
def test_halves_of_a_day(tmp_path, text, hour):
    rows = ["v,2026-03-17 08:00:00,35.1,126.8", f"v,{text},35.1,126.8"]
    (tmp_path / "a.csv").write_text("vehicle_id,timestamp,lat,lon\n" + "\n".join(rows) + "\n", encoding="utf-8")
    log = read_log(str(tmp_path / "a.csv"), ReadOptions(timezone="UTC"))
    expected = [] if hour is None else [dt.datetime(2026, 3, 17, hour, 0, 5, tzinfo=dt.UTC)]
    assert log.records["time"].to_list()[1:] == expected
    assert log.rejects["reason"].to_list() == (["bad-time"] if hour is None else [])


def test_one_name_twice_in_a_header_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("timestamp,lat,lon,speed_kph,speed_kph\n2026-03-17T01:00:00Z,35.1,126.8,9,99\n", encoding="utf-8")
    log = read_log(str(path), ReadOptions())
    assert log.records["speed_kph"].to_list() == [9.0]
    said = {n.code: n.en for n in log.notices}
    assert "speed_kph (speed_kph_duplicated_0)" in said["other-columns"]
