"""Exposure and events against small trips worked out by hand."""

import json

import pytest

from analyzer.analysis import analyze
from analyzer.zone_loading import load_zone_set

RULES = """schema = 1
timezone = "Asia/Seoul"
[[rule]]
id = "permit"
kind = "permit"
text = { ko = "허가", en = "permit" }
zones = ["a", "b"]
effective = 2026-01-01T00:00:00+09:00
"""
LATITUDE = 35.151


def square(zone_id, west, east):
    ring = [[west, 35.15], [east, 35.15], [east, 35.152], [west, 35.152], [west, 35.15]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"zone_id": zone_id}, "geometry": geometry}


@pytest.fixture
def judged(tmp_path):
    """Return a function that judges rows of (time, longitude, mode) in the overlapping zones a and b."""
    features = [square("a", 126.800, 126.802), square("b", 126.801, 126.803)]
    document = {"type": "FeatureCollection", "features": features}
    (tmp_path / "zones.geojson").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")

    def judge(*rows):
        lines = [f"V,{when}+09:00,{lon},{LATITUDE},{mode},6" for when, lon, mode in rows]
        header = "vehicle_id,timestamp,longitude,latitude,control_mode,speed_kph"
        (tmp_path / "log.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return analyze([tmp_path / "log.csv"], load_zone_set(tmp_path))

    return judge


def parts(analysis):
    return {
        (str(r["local_date"]), r["zone_id"], r["control_mode"]): (r["duration_s"], r["observed_s"], r["distance_m"])
        for r in analysis.exposure.iter_rows(named=True)
    }


def test_time_and_way_in_overlapping_zones(judged):
    found = parts(
        judged(("2026-03-17T10:00:00", 126.8005, "autonomous"), ("2026-03-17T10:00:10", 126.8035, "autonomous"))
    )
    metre = 91.12015 * 3  # 0.003 degrees at this latitude (PROJ)
    expected = {"a": 1 / 6, "a+b": 1 / 3, "b": 1 / 3, "": 1 / 6}
    for zone, share in expected.items():
        duration, observed, distance = found["2026-03-17", zone, "autonomous"]
        assert duration == observed == pytest.approx(10 * share, abs=2e-6)
        assert distance == pytest.approx(metre * share, rel=5e-4)
    assert len(found) == 4


def test_a_hole_is_given_to_what_was_before_it_and_cut_at_midnight(judged):
    found = parts(
        judged(
            ("2026-03-17T23:59:30", 126.8005, "manual"),
            ("2026-03-17T23:59:40", 126.8005, "autonomous"),
            ("2026-03-18T00:00:40", 126.8025, "autonomous"),
            ("2026-03-18T00:00:45", 126.8025, "autonomous"),
        )
    )
    assert found == {
        ("2026-03-17", "a", "manual"): (10.0, 10.0, 0.0),
        ("2026-03-17", "a", "autonomous"): (20.0, 0.0, 0.0),
        ("2026-03-18", "a", "autonomous"): (40.0, 0.0, 0.0),
        ("2026-03-18", "b", "autonomous"): (5.0, 5.0, 0.0),
    }


def test_mean_and_top_speed(judged):
    row = judged(
        ("2026-03-17T10:00:00", 126.8002, "autonomous"), ("2026-03-17T10:00:10", 126.8004, "autonomous")
    ).exposure.row(0, named=True)
    assert row["top_speed_kph"] == 6.0
    assert row["mean_speed_kph"] == pytest.approx(3.6 * 18.22403 / 10, rel=5e-4)


def modes(*seconds_and_modes):
    return [(f"2026-03-17T10:00:{s:06.3f}", 126.8015, mode) for s, mode in seconds_and_modes]


def test_events_are_changes_of_mode(judged):
    events = judged(*modes((0, "autonomous"), (1, "manual"), (5, "autonomous"), (9, "minimal_risk"))).events
    assert events.select("event", "from_mode", "to_mode", "zone_id", "record").rows() == [
        ("disengagement", "autonomous", "manual", "a+b", 2),
        ("mode-change", "manual", "autonomous", "a+b", 3),
        ("disengagement", "autonomous", "minimal_risk", "a+b", 4),
    ]
    assert set(events["initiated_by"]) == set(events["cause"]) == {"unknown"}


def test_flips_shorter_than_half_a_second_are_merged(judged):
    events = judged(
        *modes((0, "autonomous"), (1, "manual"), (1.4, "autonomous"), (5, "disengaged"), (5.2, "manual"), (9, "manual"))
    ).events
    assert events.select("from_mode", "to_mode", "record").rows() == [("autonomous", "manual", 5)]


def test_a_hole_is_no_disengagement(judged):
    assert judged(*modes((0, "autonomous"), (30, "manual"), (31, "manual"))).events.is_empty()
