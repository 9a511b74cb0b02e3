"""When who was in which zone: entries and exits of a hand-made way, and sums that are those of exposure."""

import datetime as dt
import json

import polars as pl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.demo import write_day
from analyzer.outputs._charts import Timeline, shortened
from analyzer.terms import Notice
from analyzer.wording import told
from analyzer.zone_loading import load_zone_set

BASE = dt.datetime(2026, 3, 17, 1, 0, tzinfo=dt.UTC)  # 10:00 in Korea
RULES = """schema = 1
timezone = "Asia/Seoul"
[[rule]]
id = "a"
revision = 1
kind = "permit"
text = { ko = "가", en = "a" }
effective = 2020-01-01T00:00:00+09:00
zones = ["box"]
vehicle_types = ["sweeper"]
hours = [{ days = ["tue"], from = "10:00", to = "12:00" }]
[[rule]]
id = "b"
revision = 1
kind = "permit"
text = { ko = "나", en = "b" }
effective = 2020-01-01T00:00:00+09:00
zones = ["box"]
vehicle_types = ["truck"]
hours = [{ days = ["tue"], from = "14:00", to = "16:00" }]
"""


def box(west, east):
    ring = [[west, 35.1], [east, 35.1], [east, 35.2], [west, 35.2], [west, 35.1]]
    return {"type": "Polygon", "coordinates": [ring]}


def analysed(folder, rows, kind="sweeper"):
    """Analyze rows of (second, longitude) of one trip against the zones 126.80..126.81 and 126.805..126.82."""
    zones = [("box", 126.80, 126.81), ("over", 126.805, 126.82)]
    features = [
        {"type": "Feature", "properties": {"zone_id": name}, "geometry": box(west, east)} for name, west, east in zones
    ]
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    lines = [f"v,{(BASE + dt.timedelta(seconds=s)).isoformat()},35.15,{lon},{kind},autonomous,t" for s, lon in rows]
    header = "vehicle_id,timestamp,latitude,longitude,vehicle_type,control_mode,trip_id"
    (folder / "log.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return analyze([folder / "log.csv"], load_zone_set(str(folder)), Options(base=folder))


def seconds(visits):
    return [
        (
            row["zone_id"],
            round((row["start"] - BASE).total_seconds(), 3),
            round((row["end"] - BASE).total_seconds(), 3),
            row["starts_with"],
            row["ends_with"],
        )
        for row in visits.iter_rows(named=True)
    ]


def test_entries_and_exits_of_zones_that_overlap(tmp_path):
    # From 126.799 in steps of 0.002 degrees every 5 s: over 126.80 after 2.5 s, 126.805 after 15 s, 126.81 after 27.5 s.
    found = analysed(tmp_path, [(5 * k, round(126.799 + 0.002 * k, 6)) for k in range(9)]).visits
    assert seconds(found) == [
        ("box", 2.5, 27.5, "entry", "exit"),
        ("over", 15.0, 40.0, "entry", "trip-end"),
    ]


def test_a_hole_ends_a_visit_and_another_starts_behind_it(tmp_path):
    rows = [(0, 126.801), (5, 126.8011), (100, 126.802), (105, 126.8021)]
    assert seconds(analysed(tmp_path, rows).visits) == [
        ("box", 0.0, 5.0, "trip-start", "hole"),
        ("box", 100.0, 105.0, "hole", "trip-end"),
    ]


def test_visits_add_up_to_exposure(tmp_path):
    write_day(tmp_path)
    logs = sorted(str(path) for path in (tmp_path / "logs").glob("*.csv"))
    day = analyze(logs, load_zone_set("demo"), Options(base=tmp_path))
    inside = (
        day.exposure.with_columns(pl.col("zone_id").str.split("+")).explode("zone_id").filter(pl.col("zone_id") != "")
    )
    keys = ["vehicle_id", "zone_id"]
    by_exposure = inside.group_by(keys).agg(pl.col("observed_s").sum()).sort(keys)
    by_visit = day.visits.group_by(keys).agg(pl.col("duration_s").sum()).sort(keys)
    assert by_visit.select(keys).equals(by_exposure.select(keys))
    assert by_visit["duration_s"].to_list() == pytest.approx(by_exposure["observed_s"].to_list(), abs=1e-5)


@pytest.mark.parametrize(("kind", "hours"), [("sweeper", [10, 12]), ("truck", [14, 16]), ("", [10, 12, 14, 16])])
def test_the_allowed_hours_are_those_of_the_type_that_the_log_states(tmp_path, kind, hours):
    analysis = analysed(tmp_path, [(0, 126.801), (6 * 3600 - 60, 126.8011)], kind)
    zone = dt.timezone(dt.timedelta(hours=9))
    from zoneinfo import ZoneInfo

    spans = list(Timeline(analysis, ZoneInfo("Asia/Seoul"))._windows("v", dt.date(2026, 3, 17)))
    edges = [dt.datetime.fromtimestamp(us / 1e6, zone).hour for span in sorted(spans) for us in span]
    assert edges == hours


def test_many_notices_of_one_kind_are_three_and_a_number():
    notices = [Notice("press-rule", "", "가", "rules")] + [
        Notice("assumed-mode", str(n), f"차량 {n}", f"vehicle {n}") for n in range(1_500)
    ]
    assert [line["en"] for line in told(notices)] == [
        "rules",
        "vehicle 0",
        "vehicle 1",
        "vehicle 2",
        "… and 1,497 more notices of this kind; all are in summary.json.",
    ]
    assert len(told(notices[:5])) == 5


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a" * 24, "a" * 24), ("a" * 25, "a" * 23 + "…"), ("가" * 12, "가" * 12), ("가" * 13, "가" * 11 + "…"), ("", "")],
)
def test_names_beside_the_hours_are_cut_by_their_width(name, shown):
    assert shortened(name) == shown
