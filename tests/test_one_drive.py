"""One drive in every format it can be written in: the same positions, the same findings, every record accounted for."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.logs import ReadOptions, formats, read_log
from analyzer.zone_loading import load_zone_set
from tests.drives import DEGREES_A_METRE, ENCODINGS, LATITUDE, LONGITUDE, START, drive

ROOT = Path(__file__).resolve().parents[1]
EAST_M = 400.0
"""Metres from the start to the border of the zone."""
DRIVE = drive(
    (20, 10.8, True), (10, 30.4, True), (10, 14.6, True), (30, 14.6, False), (45, 16.2, True), (45, -16.2, True)
)
"""Within the limit, over it for 10 s, on, out of sight for 30 s, over the border and back."""
DERIVED_WINDOW_S = 2.0
RULES = """schema = 1
timezone = "Asia/Seoul"
[evaluation]
default_accuracy_m = 0.5
[[rule]]
id = "permit"
kind = "permit"
text = { ko = "허가", en = "permit" }
zones = ["street"]
max_speed_kph = 20.0
effective = 2026-01-01T00:00:00+09:00
"""


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    """One zone from the start to its border, a permit with a limit of 20 km/h."""
    folder = tmp_path_factory.mktemp("zones")
    west, east = LONGITUDE - 1e-3, LONGITUDE + EAST_M * DEGREES_A_METRE
    ring = [(west, LATITUDE - 1e-3), (east, LATITUDE - 1e-3), (east, LATITUDE + 1e-3), (west, LATITUDE + 1e-3)]
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    street = {"type": "Feature", "properties": {"zone_id": "street", "accuracy_m": 0}, "geometry": geometry}
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [street]}), "utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return folder


def written(folder, name, points=DRIVE):
    """Write a drive; return its path, how it was written, and the profile to read it."""
    encoding, profile = ENCODINGS[name], None
    if encoding.profile:
        profile = folder / "profile.toml"
        profile.write_text(encoding.profile, encoding="utf-8")
    encoding.write(folder / name, points)
    return folder / name, encoding, profile


def test_every_format_is_among_them():
    """A split recording is read by metadata.yaml, which says nothing itself: see the tests of recordings."""
    assert {f.name for f in formats().values()} - {e.kind for e in ENCODINGS.values()} == {"ros2-recording"}


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_same_positions(tmp_path, name):
    path, encoding, profile = written(tmp_path, name)
    log = read_log(str(path), ReadOptions(timezone=encoding.timezone, profile=profile))
    assert log.format == encoding.kind
    assert log.records["vehicle_id"].unique().to_list() == [name.split(".")[0]]
    places = log.records.drop_nulls("longitude")
    assert (places.height, log.rejects.height) == (len(DRIVE), 0)
    for row, point in zip(places.iter_rows(named=True), DRIVE, strict=True):
        assert abs(row["time"] - point.time) <= dt.timedelta(seconds=encoding.seconds)
        metres = ((row["longitude"] - point.longitude) * 0.82, row["latitude"] - point.latitude)
        assert (metres[0] ** 2 + metres[1] ** 2) ** 0.5 * 111_320 <= encoding.metres
    speeds = log.records["speed_kph"].drop_nulls() if encoding.kph is not None else pl.Series([p[3] for p in DRIVE])
    assert speeds.to_list() == [pytest.approx(p.speed_kph, abs=encoding.kph) for p in DRIVE]


def since_start(time):
    return (time - START).total_seconds()


def expected():
    """Return check -> start, end (seconds from the start), peak, as computed by hand from the phases of the drive."""
    fast, hidden = (20.0, 30.0), (39.0, 70.0)
    metres = (20 * 10.8 + 10 * 30.4 + 40 * 14.6) / 3.6  # at 70 s
    crossing = 70 + (EAST_M - metres) / 4.5
    outside_m = metres + 45 * 4.5 - EAST_M
    return {
        "speed-limit": (*fast, 30.4),
        "log-gap": (*hidden, 31 * 14.6 / 3.6),
        "outside-zone": (crossing, 70 + 90 - (crossing - 70), outside_m),
    }


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_same_findings(tmp_path, zones, name):
    path, encoding, profile = written(tmp_path, name)
    options = Options(timezone=encoding.timezone, profile=profile, draw=False)
    found = analyze([path], load_zone_set(zones), options).findings
    verdicts = {"speed-limit": "violation", "log-gap": "not_observed", "outside-zone": "violation"}
    assert dict(found.select("check", "verdict").iter_rows()) == verdicts
    assert found.height == len(verdicts)
    for row in found.iter_rows(named=True):
        start, end, peak = expected()[row["check"]]
        seconds = encoding.seconds + encoding.metres / 4.5 + 1e-3
        metres = 2 * encoding.metres + peak * 5e-4 + 1e-2
        if row["check"] == "speed-limit":
            seconds += DERIVED_WINDOW_S if encoding.kph is None else 0
            metres = 0.1 if encoding.kph is None else encoding.kph
        assert since_start(row["start"]) == pytest.approx(start, abs=seconds)
        assert since_start(row["end"]) == pytest.approx(end, abs=seconds)
        assert row["peak"] == pytest.approx(peak, abs=metres)


def test_every_record_of_every_format_is_accounted_for(tmp_path, zones):
    """A place on no globe, the same instant twice, a jump: rejects with place, reason and words, whatever the format."""
    bad = DRIVE[5]._replace(time=DRIVE[5].time + dt.timedelta(seconds=0.5), latitude=95.0)
    jump = DRIVE[8]._replace(time=DRIVE[8].time + dt.timedelta(seconds=0.5), latitude=35.25)
    points = [*DRIVE[:6], bad, *DRIVE[6:8], DRIVE[8], jump, *DRIVE[9:12], DRIVE[12], *DRIVE[12:]]
    logs = tmp_path / "logs"
    logs.mkdir()
    names = [name for name, encoding in ENCODINGS.items() if not encoding.profile]
    for name in names:
        written(logs, name, points)
    command = [sys.executable, str(ROOT / "cli.py"), "analyze", "logs", "--zones", str(zones), "--out", "out"]
    ended = subprocess.run(
        [*command, "--timezone", "UTC", "--no-map", "--no-report", "--quiet", "--lang", "en"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert ended.returncode == 1, ended.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    rejects = pl.read_parquet(tmp_path / "out" / "rejects.parquet")
    assert {Path(log["path"]).name for log in summary["logs"]} == set(names)
    for log in summary["logs"]:
        mine = rejects.filter(pl.col("file") == log["path"])
        assert log["records"] == log["fixes"] + log["rejects"] + log["other_records"], log["path"]
        assert mine.height == log["rejects"]
        assert mine["record"].is_between(1, log["records"]).all()
        assert mine["record"].is_unique().all()
        assert (mine["text"].str.len_chars() > 0).all(), log["path"]
        assert set(mine["reason"]) == {"bad-position", "duplicate-time", "position-jump"}, log["path"]
