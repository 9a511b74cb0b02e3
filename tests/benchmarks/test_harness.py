"""The benchmark's own parts, at sizes that take a second: what needs no peer."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

from benchmarks import __main__ as bench
from benchmarks import agree, data, measure, peers, report, sizing, targets, zone_sets
from benchmarks.prepare import SMALL, ZONE_SETS

FIXES = 6_000


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    return zone_sets.write_zone_set(tmp_path_factory.mktemp("zones") / "seven")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    fleet = data.Fleet(zone_sets.SIX, FIXES)
    return data.write_file(fleet, tmp_path_factory.mktemp("logs") / "fleet.parquet")


class TestData:
    def test_is_the_same_for_the_same_seed(self):
        first, again = (data.drive(3, 1, zone_sets.SIX[3], 2_000) for _ in range(2))
        assert first.equals(again)
        assert not first.equals(data.drive(3, 2, zone_sets.SIX[3], 2_000))

    def test_file_folder_and_csv_hold_the_same(self, log, tmp_path):
        fleet = data.Fleet(zone_sets.SIX, FIXES)
        whole = pl.read_parquet(log)
        assert whole.height == FIXES
        assert whole.columns == list(data.COLUMNS)
        assert whole["vehicle_id"].n_unique() == 24
        folder = data.write_folder(fleet, tmp_path / "folder")
        assert peers.scanned(folder).collect().equals(whole)
        csv = pl.read_csv(data.write_csv(fleet, tmp_path / "fleet.csv"))
        times = csv["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us").dt.convert_time_zone("UTC")
        assert times.equals(whole["timestamp"].alias("timestamp"))
        assert csv.drop("timestamp").equals(whole.drop("timestamp"))

    def test_a_drive_is_plausible(self):
        frame = data.drive(0, 0, zone_sets.SIX[0], 100_000)
        place = zone_sets.SIX[0]
        x = (frame["longitude"].to_numpy() - place.lon) * zone_sets.LON_M
        y = (frame["latitude"].to_numpy() - place.lat) * zone_sets.LAT_M
        seconds = np.diff(frame["timestamp"].dt.epoch("us").to_numpy()) / 1e6
        step = np.hypot(np.diff(x), np.diff(y))
        assert np.median(np.abs(step / seconds - frame["speed_kph"].to_numpy()[1:] / 3.6)) < 0.2
        assert np.isclose(seconds, 0.1).mean() > 0.999
        assert (seconds > 10).any()
        speed = frame["speed_kph"].to_numpy()
        assert 0.02 < (speed == 0).mean() < 0.3
        assert 0.0005 < (speed > 7.2).mean() < 0.05
        assert set(frame["control_mode"].unique()) >= {"autonomous", "manual", "disengaged"}

    def test_vehicles_drive_in_holes_and_outside(self, zones):
        outlines = peers.zones_of(zones)
        place = zone_sets.SIX[1]
        outline = outlines[place.name]
        frame = data.drive(1, 0, place, 100_000)
        lon, lat = frame["longitude"].to_numpy(), frame["latitude"].to_numpy()
        filled = shapely.Polygon(outline.exterior)
        inside, enclosed = (shapely.contains_xy(g, lon, lat) for g in (outline, filled))
        assert 0.7 < inside.mean() < 0.99
        assert (enclosed & ~inside).any()


class TestZoneSets:
    @pytest.mark.parametrize(("zones", "vertices"), [(7, None), (63, None), (7, 10_000), (7, 100_000)])
    def test_are_valid(self, zones, vertices, tmp_path):
        folder = zone_sets.write_zone_set(tmp_path / "set", zones, vertices)
        outlines = peers.zones_of(folder)
        assert len(outlines) == zones
        assert all(g.is_valid for g in outlines.values())
        if vertices:
            assert shapely.get_num_coordinates(list(outlines.values())).sum() == pytest.approx(vertices, rel=0.02)
        checked = measure.run([sys.executable, measure.ROOT / "cli.py", "zones", "check", folder])
        assert f"{zones} zones" in checked.output


class TestAgreement:
    def test_of_index_and_shapely(self, log, zones):
        outlines = peers.zones_of(zones)
        answers = {name: peers.PEERS[name](log, outlines)["inside"] for name in ("contains", "index")}
        assert sum(answers["contains"].values()) > FIXES / 2
        assert agree.same_counts(answers) == []
        answers["index"]["hanam"] += 1
        (complaint,) = agree.same_counts(answers)
        assert complaint.startswith("hanam")
        assert agree.same_counts(answers, allowed=1) == []

    def test_tables_that_do_not_add_up_are_named(self, log, zones, tmp_path):
        options = ["--zones", zones, "--out", tmp_path / "out", "--no-map", "--no-report", "--quiet"]
        measure.run([sys.executable, measure.ROOT / "cli.py", "analyze", log, *options], bench.ANALYZED)
        times = agree.times_of(log, peers.zones_of(zones))
        assert (times.fixes, times.trips) == (FIXES, 24)
        assert agree.whole_analysis(tmp_path / "out", times) == []
        times.fixes += 1
        times.by_vehicle["V003"] += 0.1
        times.by_zone["suwan"] += 1 + times.slack["suwan"]
        complaints = agree.whole_analysis(tmp_path / "out", times)
        assert [c.split(":")[0].split(" ")[-1] for c in complaints] == [str(FIXES), "V003", "suwan"]

    def test_visits_of_one_fix_are_no_trajectory(self, tmp_path):
        square = shapely.box(0, 0, 1, 1)
        lon = [0.5, 2, 0.5, 0.5, 2, 0.5]
        frame = pl.DataFrame({"vehicle_id": list("aaaaab"), "longitude": lon, "latitude": [0.5] * 6})
        frame.write_parquet(tmp_path / "log.parquet")
        assert peers.longer_visits(tmp_path / "log.parquet", {"square": square}) == {"square": 2}


class TestMeasure:
    def test_children_are_counted(self):
        child = "x = bytearray(80_000_000); import time; time.sleep(0.6)"
        parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
        found = measure.peak([sys.executable, "-c", parent])
        assert found.processes == 2
        assert 80 < found.rss < 400

    def test_a_failure_is_no_measurement(self):
        with pytest.raises(measure.FailedError, match="status 7"):
            measure.run([sys.executable, "-c", "raise SystemExit(7)"])
        assert measure.run([sys.executable, "-c", "print(1); raise SystemExit(3)"], (0, 3)).output == "1\n"


class TestTargets:
    def results(self, zonelog, read, fixes=10_000_000):
        results = report.Results()
        for seconds in zonelog:
            results.add(targets.ZONELOG, fixes, seconds)
        results.add(targets.READ, fixes, read)
        return results

    @pytest.mark.parametrize(("zonelog", "verdict"), [((9.0, 2.0, 1.0), "pass"), ((2.1, 2.1, 1.0), "**missed**")])
    def test_medians_are_judged(self, zonelog, verdict):
        (line,) = targets.lines_of(self.results(zonelog, 1.0), [10_000_000], 10_000_000)
        assert (line.target, line.verdict) == ("≤ 2 x", verdict)

    def test_nothing_is_promised_of_small_sizes(self):
        (line,) = targets.lines_of(self.results((9.0,), 1.0, 1_000), [1_000], 1_000)
        assert (line.target, line.verdict) == ("", "")

    def test_cost_leaves_out_the_start(self):
        results = self.results((2.5,), 1.0)
        results.add(targets.SEVEN, SMALL, 0.5)
        assert targets.cost_ns(results, targets.ZONELOG, 10_000_000) == pytest.approx(200, rel=1e-3)

    def test_names_of_sizes(self):
        assert [report.size_name(n) for n in (1_000_000, 250_000)] == ["10^6", "2.5·10^5"]


@pytest.mark.slow
class TestSizing:
    """The page shows what the figures give, and promises no run that is faster than its driver."""

    def test_the_page_has_the_table(self):
        page = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
        assert "\n".join(sizing.table()) in page

    def test_no_number_of_cores_beats_the_driver(self):
        for line in sizing.table()[2:]:
            cells = dict(zip(sizing.HEADS, line.strip("| ").split(" | "), strict=True))
            assert cells["1,024 cores"] == cells["driver alone"]
            assert cells["2 cores"] != cells["driver alone"]


def test_runs_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setitem(ZONE_SETS, "10^6 vertices", {"zones": 7, "vertices": 20_000})
    page = tmp_path / "RESULTS.md"
    options = ["--sizes", "4800", "--rounds", "1", "--peers", "contains", "--results", str(page)]
    assert bench.main([*options, "--work", str(tmp_path / "work")]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Every answer agrees." in text
    for what in (targets.READ, targets.READ_CSV, targets.CONTAINS, "peak memory", "a small log", "63 zones"):
        assert what in text
    run = json.loads((tmp_path / "work" / "out" / "run.json").read_text(encoding="utf-8"))
    assert run
