"""Reading logs: formats, units, times, words; and what is refused, with which sentence."""

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, find_logs, formats, read_log

HEADER = "vehicle_id,timestamp,latitude,longitude,speed_kph,control_mode,operator"
ROW = "V1,2026-03-17T10:00:00+09:00,35.15,126.80,5,autonomous,remote"
PLAIN = ReadOptions()
SEOUL = ReadOptions(timezone="Asia/Seoul")


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return str(path)


def read(tmp_path, *rows, header=HEADER, options=PLAIN, name="log.csv", encoding="utf-8"):
    return read_log(write(tmp_path / name, "\n".join([header, *rows]) + "\n", encoding), options)


def test_plain_log(tmp_path):
    log = read(tmp_path, ROW)
    row = log.records.row(0, named=True)
    assert row["time"] == dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)
    assert (row["record"], row["vehicle_id"], row["speed_kph"], row["control_mode"]) == (1, "V1", 5.0, "autonomous")
    assert (log.record_count, log.other_records, log.rejects.height) == (1, 0, 0)


@pytest.mark.parametrize(
    ("name", "speed", "kph"),
    [("speed_mps", "2", 7.2), ("speed_mph", "1", 1.609344), ("speed_kn", "1", 1.852), ("Speed (km/h)", "3", 3.0)],
)
def test_units_of_speed(tmp_path, name, speed, kph):
    log = read(tmp_path, f"V1,2026-03-17T10:00:00Z,35.15,126.8,{speed}", header=f"vehicle_id,timestamp,lat,lon,{name}")
    assert log.records["speed_kph"].to_list() == [pytest.approx(kph)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-17T10:00:00+09:00",
        "2026-03-17T01:00:00Z",
        "2026-03-17 10:00:00.000 +09:00",
        "2026/03/17 10:00+09",
        "2026-03-16T20:00:00-0500",
    ],
)
def test_forms_of_time(tmp_path, text):
    log = read(tmp_path, f"V1,{text},35.15,126.8", header="vehicle_id,timestamp,latitude,longitude")
    assert log.records["time"].to_list() == [dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp_s", "1773709200.25"),
        ("timestamp_ms", "1773709200250"),
        ("timestamp_us", "1773709200250000"),
        ("timestamp_ns", "1773709200250000000"),
    ],
)
def test_numeric_times(tmp_path, name, value):
    log = read(tmp_path, f"V1,{value},35.15,126.8", header=f"vehicle_id,{name},latitude,longitude")
    assert log.records["time"].to_list() == [dt.datetime(2026, 3, 17, 1, 0, 0, 250_000, tzinfo=dt.UTC)]


def test_naive_times_need_a_time_zone(tmp_path):
    row, header = "V1,2026-03-17 10:00:00,35.15,126.8", "vehicle_id,timestamp,latitude,longitude"
    with pytest.raises(LogError, match="--timezone Asia/Seoul"):
        read(tmp_path, row, header=header)
    log = read(tmp_path, row, header=header, options=SEOUL)
    assert log.records["time"].to_list() == [dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)]


def test_korean_names_words_and_cp949(tmp_path):
    header = "차량번호,일시,위도,경도,속도(km/h),주행모드,안전요원"
    rows = [
        "청소1호,2026-03-17 10:00:00,35.15,126.8,5,자율,탑승",
        "청소1호,2026-03-17 10:00:01,35.15,126.8,5,원격,원격",
    ]
    log = read(tmp_path, *rows, header=header, options=SEOUL, encoding="cp949")
    assert log.records["control_mode"].to_list() == ["autonomous", "remote"]
    assert log.records["operator"].to_list() == ["on_board", "remote"]
    assert [n.code for n in log.notices] == ["encoding"]


AUTOWARE = {
    "AUTONOMOUS_STEER_ONLY": "autonomous",
    "AUTONOMOUS_VELOCITY_ONLY": "autonomous",
    "LOCAL": "manual",
    "DIRECT": "manual",
    "NO_COMMAND": "unknown",
}


def test_modes_in_the_words_of_autoware(tmp_path):
    log = read(tmp_path, *(ROW.replace("autonomous", word) for word in AUTOWARE))
    assert log.records["control_mode"].to_list() == list(AUTOWARE.values())
    assert log.records["control_mode_raw"].to_list() == list(AUTOWARE)
    assert not log.notices


def test_unknown_words_are_unknown_and_counted(tmp_path):
    log = read(tmp_path, ROW, ROW.replace("autonomous", "Zauber"))
    assert log.records["control_mode"].to_list() == ["autonomous", "unknown"]
    assert log.records["control_mode_raw"].to_list() == ["autonomous", "Zauber"]
    assert [n.code for n in log.notices] == ["unmapped-control-mode"]


def test_rejects_have_reason_and_text_and_add_up(tmp_path):
    rows = [
        ROW,
        ROW.replace("2026-03-17T10:00:00+09:00", "gestern"),
        ROW.replace("35.15", "95"),
        ROW.replace("2026-03-17T10:00:00+09:00", ""),
        ROW.replace("35.15,126.80", "0,0"),
        ROW + ",one,too,many",
        ROW.replace("V1", ""),
    ]
    log = read(tmp_path, *rows)
    reasons = dict(log.rejects.select("record", "reason").iter_rows())
    assert reasons == {
        2: "bad-time",
        3: "bad-position",
        4: "bad-time",
        5: "bad-position",
        6: "ragged-line",
        7: "no-vehicle",
    }
    assert log.record_count == 7 == log.records.height + log.rejects.height
    assert "gestern" in log.rejects["text"][0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (HEADER.encode() + b"\n", "header but no record"),
        (bytes(range(256)) * 20, "binary"),
        (b"time,lat\n1,2\n", "no column for longitude"),
        (b"vehicle_id,timestamp,latitude,longitude,speed\nV1,2026-03-17T10:00:00Z,35.1,126.8,5\n", "unit of column"),
        (b"vehicle_id,timestamp,latitude,longitude\nV1,2026-03-17T10:00:00Z,126.8,35.1\n", "swapped"),
        (b"vehicle_id,timestamp,latitude,longitude\nV1,2026-03-17T10:00:00Z,1684500.5,939500.2\n", "EPSG:5179"),
        (b"vehicle_id,timestamp,latitude,longitude\nV1,2026-03-17T10:00:00Z,284500.5,185500.2\n", "EPSG:5186"),
        (b"vehicle_id,timestamp,latitude,longitude\nV1,20260317100000,35.1,126.8\n", "timestamp_s"),
        (b"vehicle_id,timestamp_s,latitude,longitude\nV1,1773709200250,35.1,126.8\n", "looks like timestamp_ms"),
        (b"vehicle_id,timestamp,latitude,longitude\nV1,never,35.1,126.8\n", "not one of 1 records"),
    ],
)
def test_bad_input_is_one_clear_sentence(tmp_path, content, says):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(LogError, match=says) as caught:
        read_log(str(path), ReadOptions())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_vehicle_from_the_file_name_is_said(tmp_path):
    log = read(tmp_path, "2026-03-17T10:00:00Z,35.1,126.8", header="timestamp,latitude,longitude", name="sweeper7.csv")
    assert log.records["vehicle_id"].to_list() == ["sweeper7"]
    assert [n.code for n in log.notices] == ["vehicle-from-file"]


def test_typed_formats_agree_with_csv(tmp_path):
    log = read(tmp_path, ROW, ROW.replace("10:00:00", "10:00:01"))
    frame = pl.read_csv(tmp_path / "log.csv").with_columns(pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%:z"))
    frame.write_parquet(tmp_path / "log.parquet")
    frame.write_ipc(tmp_path / "log.arrow")
    text = pl.read_csv(tmp_path / "log.csv")
    text.write_ndjson(tmp_path / "log.ndjson")
    text.write_csv(tmp_path / "log.tsv", separator="\t")
    for name in ("log.parquet", "log.arrow", "log.ndjson", "log.tsv"):
        other = read_log(str(tmp_path / name), ReadOptions())
        assert other.records.equals(log.records.select(other.records.columns)), name


def test_bad_json_is_a_reject(tmp_path):
    good = json.dumps({"vehicle_id": "V1", "timestamp": "2026-03-17T10:00:00Z", "latitude": 35.1, "longitude": 126.8})
    log = read_log(write(tmp_path / "log.ndjson", f"{good}\n{{broken\n{good}\n"), ReadOptions())
    assert log.rejects.select("record", "reason").rows() == [(2, "bad-json")]


def test_profile(tmp_path):
    profile = tmp_path / "profile.toml"
    profile.write_text(
        '[columns]\nspeed_mps = "v"\ntimestamp_s = "t"\n[values.control_mode]\n"7" = "remote"\n'
        '[fixed]\nvehicle_id = "X"\n',
        encoding="utf-8",
    )
    log = read(tmp_path, "1773709200,35.1,126.8,1,7", header="t,lat,lon,v,mode", options=ReadOptions(profile=profile))
    row = log.records.row(0, named=True)
    assert (row["vehicle_id"], row["speed_kph"], row["control_mode"]) == ("X", 3.6, "remote")
    profile.write_text('[colums]\nspeed_mps = "v"\n', encoding="utf-8")
    with pytest.raises(LogError, match="did you mean `columns`"):
        read(tmp_path, ROW, options=ReadOptions(profile=profile))


def test_find_logs(tmp_path):
    for name in ("b/2.csv", "b/1.csv", "a.parquet", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert [Path(p).name for p in find_logs([str(tmp_path)])] == ["a.parquet", "1.csv", "2.csv"]
    assert [Path(p).name for p in find_logs([str(tmp_path / "b" / "*.csv")])] == ["1.csv", "2.csv"]
    with pytest.raises(LogError, match="no such file"):
        find_logs([str(tmp_path / "none*.csv")])


def test_every_format_has_a_page_with_an_example():
    assert {f.name for f in formats().values()} == {
        "csv",
        "tsv",
        "ndjson",
        "parquet",
        "arrow",
        "xlsx",
        "ros2-mcap",
        "ros2-db3",
        "ros2-recording",
        "ros1-bag",
        "nmea",
        "dtg",
        "gpx",
        "kml",
        "arcgis-json",
        "geojson",
        "json",
        "mds",
        "mf-json",
    }


def test_the_same_drive_in_three_recordings(real_logs):
    names = ("husky_zstd.ros2.mcap", "husky_lz4.ros2.mcap", "husky_navsatfix_odom_imu.ros1.bag")
    first, *others = [read_log(str(real_logs / name), ReadOptions()) for name in names]
    values = ["time", "longitude", "latitude", "speed_kph", "horizontal_accuracy_m", "is_sample"]
    assert first.records.height == 4941
    for other in others:
        assert other.records.select(values).sort("time").equals(first.records.select(values).sort("time"))


def test_brackets_in_a_path_are_no_pattern(tmp_path):
    log = read(tmp_path, ROW, name="run[1].csv")
    pl.read_csv(tmp_path / "run[1].csv", glob=False).write_parquet(tmp_path / "run[1].parquet")
    other = read_log(str(tmp_path / "run[1].parquet"), ReadOptions())
    assert log.records.height == other.records.height == 1


def test_utf16_and_byte_order_marks(tmp_path):
    for encoding in ("utf-16", "utf-8-sig"):
        log = read(tmp_path, ROW, name=f"{encoding}.csv", encoding=encoding)
        assert log.records["vehicle_id"].to_list() == ["V1"]


def test_semicolons_and_tabs_in_a_csv(tmp_path):
    for separator in ";\t|":
        log = read(tmp_path, ROW.replace(",", separator), header=HEADER.replace(",", separator))
        assert log.records["speed_kph"].to_list() == [5.0]


def test_what_lies_in_a_folder_and_is_no_log_is_left_out_and_said(tmp_path):
    from analyzer.logs import notices_of, search_logs

    def put(name, content=b"x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    logs = [put(name) for name in ("a.csv", "b/fleet.csv", "result/mine.csv", "zones/log.csv", "~$b.csv.csv")]
    logs[-1].write_bytes(b"x" * 2000)  # too large to be what Office leaves
    logs.append(put("._b.csv"))  # no shadow: another content
    for name in ("zones/zones.geojson", "zones/fleet.csv", "result/findings.csv", "~$a.xlsx"):
        put(name)
    put("._a.csv", b"\x00\x05\x16\x07 and more")
    modes = put("modes.csv")
    put("old.zip", b"PK\x03\x04")
    put("zones/rules.toml")
    put("result/run.json", b'{"zonelog": "1", "outputs": {"findings.csv": "0", "../a.csv": "0"}}')
    logs.append(put("b/run.json", b'{"outputs": {"fleet.csv": "0"}}'))  # not of zonelog
    put("kept/ledger.json", b'{"zonelog_ledger":1}')
    (tmp_path / "kept" / "runs").mkdir()
    put("kept/runs/log.csv")
    logs.append(put("b/ledger.json", b"[]"))  # of something else
    logs.append(put("large/ledger.json", b'{"zonelog_ledger":1}' + b" " * 2000))  # not read whole only to look
    found = search_logs([str(tmp_path)], [modes])
    assert found.logs == sorted(map(str, logs))
    said = {(n.code, n.subject): n.en for n in notices_of(found.remarks)}
    assert {(code, Path(subject).name) for code, subject in said} == {
        ("left-out-ledger", tmp_path.name),
        ("left-out-option", "modes.csv"),
        ("left-out-result", "result"),
        ("left-out-shadow", tmp_path.name),
        ("left-out-unknown", tmp_path.name),
        ("left-out-zones", "zones"),
    }
    told = "".join(said.values())
    assert "3 files of a zone set (zones.geojson) were not read as logs: fleet.csv, rules.toml, zones.geo" in told
    assert "1 file of no known kind was not read as a log: old.zip." in told
    assert f"1 ledger of zonelog was not read as logs: {tmp_path / 'kept'}." in told
    assert find_logs([str(tmp_path / "zones" / "zones.geojson")])  # named itself: read


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", None])
@pytest.mark.parametrize("wild", [-(2**63) + 1, 2**63 - 1, -(10**18) * 3, 253_402_300_800_000_000])
def test_datetimes_of_no_calendar_are_rejects(tmp_path, unit, zone, wild):
    good = 1_773_709_200 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    frame = pl.DataFrame({"timestamp": [good, wild, good + 1], "latitude": [35.1] * 3, "longitude": [126.8] * 3})
    frame = frame.with_columns(pl.col("timestamp").cast(pl.Datetime(unit)).dt.replace_time_zone(zone))
    frame.write_parquet(tmp_path / "log.parquet")
    log = read_log(str(tmp_path / "log.parquet"), ReadOptions(timezone="Asia/Seoul"))
    expected = [] if unit == "ns" else [(2, "bad-time")]
    assert log.rejects.select("record", "reason").rows() == expected
    assert log.rejects["text"].to_list() == [f"{wild} 35.1 126.8"] * len(expected)
