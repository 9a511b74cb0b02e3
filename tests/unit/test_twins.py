"""One drive in several files, and two vehicles that only drive together."""

import pytest

from analyzer.analysis import Options, analyze
from analyzer.zone_loading import load_zone_set
from tests.unit.test_dirt import RULES, ZONE, drive, notices


def told(tmp_path, frames):
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "zones.geojson").write_text(ZONE, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    paths = []
    for name, frame in frames.items():
        paths.append(tmp_path / f"{name}.csv")
        frame.write_csv(paths[-1])
    analysis = analyze(paths, load_zone_set(folder), Options(base=tmp_path))
    return [(n.subject, n.en) for n in notices(analysis, "same-drive")]


def test_one_drive_in_three_files_is_told_once(tmp_path):
    plain = drive().drop("vehicle_id")
    cut = plain.head(400)
    coarse = plain.with_columns(plain["latitude"].round(5), plain["longitude"].round(5))
    found = told(tmp_path, {"whole": plain, "cut": cut, "other": coarse})
    assert {subject for subject, _ in found} == {"cut, whole", "other, whole"}
    assert all("1 trip(s)" in text for _, text in found)


@pytest.mark.parametrize("apart_deg", [0.00005, 0.001])
def test_two_vehicles_side_by_side_are_two(tmp_path, apart_deg):
    one = drive().drop("vehicle_id")
    two = one.with_columns(one["longitude"] + apart_deg)[:-30]
    assert told(tmp_path, {"one": one, "two": two}) == []


def test_one_vehicle_in_two_files_is_no_twin(tmp_path):
    assert told(tmp_path, {"one": drive().head(300), "two": drive().tail(300)}) == []
