"""Time by speed adds up to the time observed, and a step ends at its number."""

import pytest

from analyzer.analysis import Options, analyze
from analyzer.demo import write_day
from analyzer.zone_loading import load_zone_set


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    write_day(folder)
    logs = sorted(str(path) for path in (folder / "logs").glob("*.csv"))
    return analyze(logs, load_zone_set("demo"), Options(base=folder))


def test_speeds_add_up_to_exposure(day):
    keys = ["vehicle_id", "zone_id", "control_mode"]
    by_speed = day.speeds.group_by(keys).sum().sort(keys)["observed_s"].to_list()
    by_day = day.exposure.group_by(keys).sum().sort(keys)["observed_s"].to_list()
    assert by_speed == pytest.approx(by_day, abs=1e-6)


def test_a_step_ends_at_its_number(day):
    assert set(day.speeds["speed_kph"]) == {6.0, 9.0}
    fast = day.speeds.filter(day.speeds["speed_kph"] == 9.0)
    assert fast["observed_s"].to_list() == [30.0]


def test_nobody_draws_no_speeds(tmp_path):
    write_day(tmp_path)
    logs = sorted(str(path) for path in (tmp_path / "logs").glob("*.csv"))
    assert analyze(logs, load_zone_set("demo"), Options(base=tmp_path, draw=False)).speeds.is_empty()
