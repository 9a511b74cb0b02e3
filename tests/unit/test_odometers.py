"""Odometers against the way between positions: units, resets, and that parts change nothing."""

import datetime as dt
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis import Options, analyze
from analyzer.odometers import odometer_of, odometers
from analyzer.zone_loading import load_zone_set
from tests.unit.test_dirt import RULES, ZONE, drive, notices

START = dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)


def table(odometer, count=None, mps=2.0):
    """Return records of a drive due north at `mps`; `odometer` gives metres at a second."""
    seconds = range(count or 600)
    return pl.DataFrame(
        {
            "vehicle_id": "V",
            "time": [START + dt.timedelta(seconds=s) for s in seconds],
            "longitude": 126.8,
            "latitude": [35.1 + s * mps / 110_940.0 for s in seconds],
            "odometer_m": [float(odometer(s)) for s in seconds],
        }
    )


def told(*frames):
    return dict(odometers({0: [odometer_of(frame) for frame in frames]}))[0]


@pytest.mark.parametrize("factor", [1.0, 0.001, 1 / 1609.344, 3.281])
def test_the_ratio_by_hand(factor):
    found = told(table(lambda s: 1e5 + 2 * s * factor))
    assert found.ratio == pytest.approx(factor, rel=1e-3)
    assert found.way_m == pytest.approx(599 * 2, rel=1e-3)
    assert found.resets == 0


def test_whole_kilometres_say_nothing_of_a_short_way_and_stuck_ones_of_a_long_one():
    assert told(table(lambda s: s * 2 // 1000 * 1000)).ratio is None
    assert told(table(lambda s: s * 20 // 1000 * 1000, 1200, 20.0)).ratio == pytest.approx(1, abs=0.05)
    assert told(table(lambda _: 5000, 1200, 20.0)).ratio == 0


def test_jitter_is_no_reset_and_a_parked_vehicle_no_way():
    found = told(table(lambda s: 2 * s - (0.07 if s % 2 else 0) - (700 if s >= 400 else 0)))
    assert found.resets == 1
    assert told(table(lambda _: 7, mps=0.1)).ratio is None


def test_records_out_of_order_say_nothing():
    frame = table(lambda s: 2 * s)
    found = told(pl.concat([frame[300:], frame[:300]]))
    assert (found.ratio, found.resets) == (None, 0)


@given(st.lists(st.integers(1, 599), max_size=5), st.floats(0.5, 2.0))
def test_parts_change_nothing(cuts, factor):
    frame = table(lambda s: 2 * s * factor - (900 if s > 450 else 0))
    edges = [0, *sorted(set(cuts)), frame.height]
    assert told(*(frame[a:b] for a, b in pairwise(edges))) == told(frame)


def test_what_the_report_says(tmp_path):
    (tmp_path / "zones.geojson").write_text(ZONE, encoding="utf-8")
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    frame = drive().with_columns(odometer_m=pl.Series([(2 * s % 900) / 1000 for s in range(600)]))
    frame.with_columns(pl.col("odometer_m") * 1.0).write_csv(tmp_path / "km.csv")
    frame.with_columns(odometer_m=pl.Series([2.0 * s % 900 for s in range(600)])).write_parquet(tmp_path / "m.parquet")
    analysis = analyze([tmp_path / "km.csv", tmp_path / "m.parquet"], load_zone_set(tmp_path), Options(base=tmp_path))
    units = notices(analysis, "odometer-unit")
    assert [n.subject for n in units] == ["km.csv"]
    assert "km read as m would do so" in units[0].en
    assert [n.subject for n in notices(analysis, "odometer-reset")] == ["m.parquet"]
