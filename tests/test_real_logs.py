"""Real recordings, where they lie beside the checkout."""

import json
from pathlib import Path

import polars as pl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from analyzer.zone_loading import load_zone_set
from analyzer.zone_making import Choices, make_zone_set

RULES = """schema = 1
timezone = "{zone}"
[evaluation]
max_gap_s = {max_gap_s}
[[rule]]
id = "permit"
kind = "permit"
text = {{ ko = "허가", en = "permit" }}
zones = ["a"]
max_speed_kph = {limit}
effective = 2010-01-01T00:00:00+00:00
"""


def zone_set(folder, ring, zone="UTC", max_gap_s=10.0, limit=3.6):
    feature = {
        "type": "Feature",
        "properties": {"zone_id": "a", "accuracy_m": 0},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    document = {"type": "FeatureCollection", "features": [feature]}
    (folder / "zones.geojson").write_text(json.dumps(document), encoding="utf-8")
    (folder / "rules.toml").write_text(RULES.format(zone=zone, max_gap_s=max_gap_s, limit=limit), encoding="utf-8")
    return load_zone_set(folder)


def box(west, south, east, north):
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def test_one_drive_as_mcap_and_as_bag_gives_the_same_findings(real_logs, tmp_path):
    profile = tmp_path / "husky.toml"
    profile.write_text('[fixed]\nvehicle_id = "husky"\n', encoding="utf-8")
    across = zone_set(tmp_path, box(-71.14735, 42.37570, -71.1465, 42.3765))
    plain = ("first_file", "first_record", "last_file", "last_record")
    found = []
    for name in ("husky_zstd.ros2.mcap", "husky_lz4.ros2.mcap", "husky_navsatfix_odom_imu.ros1.bag"):
        analysis = analyze([real_logs / name], across, Options(profile=profile))
        account = analysis.logs[0]
        assert account.records == account.fixes + account.rejects + account.other_records
        assert account.fixes > 4900  # odometry samples became fixes, too, and are marked so
        assert account.interpolated == account.fixes - 989
        found.append(analysis.findings.drop(plain))
    assert {"outside-zone", "speed-limit"} <= set(found[0]["check"])
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


@pytest.mark.parametrize(
    ("name", "messages", "said"),
    [
        ("husky_zstd.ros2.mcap", (4941, 4941), set()),
        ("husky_lz4.ros2.mcap", (4941, 4941), set()),
        ("husky_navsatfix_odom_imu.ros1.bag", (16806, 4941), set()),
        ("truncated_zstd_60pct.mcap", (2892, 2892), {"recording-cut"}),
        ("nofooter_lz4.mcap", (4941, 4941), {"recording-cut"}),
    ],
)
def test_recordings_are_read_up_to_where_they_break_off(real_logs, name, messages, said):
    log = read_log(str(real_logs / name), ReadOptions())
    assert (log.record_count, log.records.height) == messages
    assert log.record_count == log.records.height + log.rejects.height + log.other_records
    assert {notice.code for notice in log.notices} - {"vehicle-from-file"} == said


def test_a_bag_without_an_index_is_walked(real_logs):
    """Its fourteen messages are of the recorder itself: a crash fixture without a position."""
    with pytest.raises(LogError, match=r"messages: 14,.*/rosout_agg.*cut off"):
        read_log(str(real_logs / "test_unindexed.bag"), ReadOptions())


def test_a_real_bag_without_its_index_loses_nothing(real_logs, tmp_path):
    """What a crash leaves: no place of an index in the header, and no index."""
    whole = (real_logs / "husky_navsatfix_odom_imu.ros1.bag").read_bytes()
    at = whole.index(b"index_pos=") + len(b"index_pos=")
    end = int.from_bytes(whole[at : at + 8], "little")
    (tmp_path / "crash.bag.active").write_bytes(whole[:at] + bytes(8) + whole[at + 8 : end])
    log = read_log(str(tmp_path / "crash.bag.active"), ReadOptions())
    assert (log.record_count, log.records.height) == (16806, 4941)
    assert "recording-cut" in {notice.code for notice in log.notices}


def test_old_and_new_modes_side_by_side_go_by_their_own_definitions(real_logs):
    """In the synthetic file 2 and 4 both are MANUAL; 3 and 5 both are DISENGAGED."""
    from analyzer.logs._mcap import walk_mcap
    from analyzer.logs._ros import _Reading
    from analyzer.logs._ros_walk import Course

    reading = _Reading(ReadOptions(), Course("modes"))
    reading.take(walk_mcap(real_logs / "autoware_modes_synthetic.mcap", reading.course))
    rows, said = reading.rows, list(reading.rows.said)
    modes = {}
    table = rows.table()
    for topic, mode in zip(table["topic"], table["mode"], strict=True):
        modes.setdefault(rows.topics[topic].name, []).append(said[mode][0])
    new = modes["/vehicle/status/control_mode"]
    assert modes["/old/control_mode"] == new
    assert [new[0], new[3], new[4]] == ["manual", "disengaged", "manual"]
    assert reading.rows.modes.strangers == {}


def test_buses_are_refused_without_the_unit_of_their_speed(real_logs, tmp_path):
    austin = zone_set(tmp_path, box(-97.85, 30.2, -97.65, 30.45))
    with pytest.raises(LogError, match=r"unit of column 'speed' is not said.*profile"):
        analyze([real_logs / "capmetrics_2016-12-16_mps.csv"], austin)


@pytest.mark.parametrize(("max_gap_s", "unseen"), [(10.0, (0.95, 1.0)), (180.0, (0.0, 0.3))])
def test_buses_minutes_apart(real_logs, tmp_path, max_gap_s, unseen):
    profile = tmp_path / "buses.toml"
    profile.write_text('[columns]\nspeed_mps = "speed"\n', encoding="utf-8")
    austin = zone_set(tmp_path, box(-98.5, 29.8, -97.2, 30.9), "America/Chicago", max_gap_s, limit=60)
    analysis = analyze([real_logs / "capmetrics_2016-12-16_mps.csv"], austin, Options(profile=profile, draw=False))
    assert analysis.summary["vehicles"] == 279
    exposure = analysis.exposure
    share = 1 - exposure["observed_s"].sum() / exposure["duration_s"].sum()
    assert unseen[0] <= share <= unseen[1]
    lines = analysis.coverage.filter(pl.col("check") == "outside-zone")
    named = "not_observed" if max_gap_s <= 10 else "compliant"
    assert (lines["verdict"] == named).sum() / lines.height > (0.95 if max_gap_s <= 10 else 0.5)
    if max_gap_s > 10:
        assert analysis.findings.filter(pl.col("check") == "speed-limit").height > 10


def test_ten_hertz_car(real_logs):
    gwangju = load_zone_set("gwangju")
    analysis = analyze([Path(real_logs) / "comma2k19_ublox_10hz.csv"], gwangju)
    assert analysis.summary["verdict"] == "violation"
    assert analysis.findings.filter(pl.col("check") == "outside-zone").height == 1


def test_real_outlines_become_a_zone_set(real_logs, tmp_path):
    source = real_logs.parent / "geo" / "candidates_parts.geojson"
    if not source.is_file():
        pytest.skip("no outlines beside the logs")
    choices = Choices(area_field="published_area_km2", area_unit="km2")
    made, _ = make_zone_set(tmp_path / "set", [source], choices)
    features = json.loads(source.read_text(encoding="utf-8"))["features"]
    assert [z.zone_id for z in made.zones] == [f["properties"]["zone_id"] for f in features]
    for zone, feature in zip(made.zones, features, strict=True):
        assert zone.measured_area_km2 == pytest.approx(feature["properties"]["area_km2"], rel=1e-3)
        assert zone.name["ko"] == feature["properties"]["name_ko"]


def test_receiver_with_two_fixes_a_second_and_whole_second_times(real_logs, tmp_path):
    draper = zone_set(tmp_path, box(-111.9, 40.5, -111.8, 40.6))
    analysis = analyze([real_logs / "inertialsense_serial921600.nmea"], draper)
    account = analysis.logs[0]
    assert (account.records, account.other_records) == (35716, 35716 - 2588)
    assert (account.fixes, account.rejects) == (2588, 0)  # 1285 of the whole-second times in RMC come twice
    assert {n.subject for n in analysis.notices if n.code == "finer-times"} == {account.path}
    assert analysis.summary["trips"] == 1


def test_a_car_with_a_hand_held_receiver(real_logs):
    import gpxpy

    path = real_logs / "gpxpy_car_etrex.gpx"
    log = read_log(str(path), ReadOptions())
    assert (log.format, log.record_count, log.records.height, log.other_records) == ("gpx", 104, 104, 0)
    span = log.records["time"].max() - log.records["time"].min()
    assert span.total_seconds() == 514
    theirs = gpxpy.parse(path.read_text(encoding="utf-8")).tracks[0].segments[0].points
    ours = log.records.select("latitude", "longitude", "time").rows()
    assert ours == [(p.latitude, p.longitude, p.time) for p in theirs]
    assert "speed_kph" not in log.records.columns
