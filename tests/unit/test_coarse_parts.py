"""Coarse positions in logs that are read as one part: the same error and notice as of tables."""

import dataclasses
import json

import numpy as np
import polars as pl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.zone_loading import load_zone_set
from tests.unit.test_dirt import RULES, START, ZONE, notices
from tests.unit.test_recording_dirt import SECOND, fix_of, store_of, write
from tests.unit.test_recordings import START_NS

LATITUDE = 35.4 + 1.1 / 110_940
"""1.1 m north of the zone."""
PLACES = [(126.8000012345 + n * 2 / 91_000, LATITUDE) for n in range(60)]


def five(value):
    return round(value, 5)


def single(value):
    return float(np.float32(value))


def as_gpx(folder, places):
    points = "".join(
        f'<trkpt lat="{lat!r}" lon="{lon!r}"><time>{START.replace(minute=n // 60, second=n % 60).isoformat()}</time>'
        "</trkpt>"
        for n, (lon, lat) in enumerate(places)
    )
    (folder / "a.gpx").write_text(f"<gpx version='1.1'><trk><trkseg>{points}</trkseg></trk></gpx>", encoding="utf-8")
    return folder / "a.gpx"


def as_json(folder, places):
    rows = [
        {"time": START.replace(second=n % 60).isoformat(), "lat": lat, "lon": lon}
        for n, (lon, lat) in enumerate(places)
    ]
    (folder / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder / "a.json"


def as_mcap(folder, places):
    store = store_of()
    messages = []
    for n, (lon, lat) in enumerate(places):
        ns = START_NS + n * SECOND
        fix = dataclasses.replace(fix_of(store, ns, n), longitude=lon, latitude=lat)
        messages.append(("/fix", "sensor_msgs/msg/NavSatFix", ns, fix))
    return write(folder / "a", messages, store)


@pytest.mark.parametrize("make", [as_gpx, as_json, as_mcap])
@pytest.mark.parametrize(("rounded", "added_m"), [(float, 0.0), (five, 0.55597), (single, 0.6)])
def test_a_coarse_grid_widens_the_error(tmp_path, make, rounded, added_m):
    (tmp_path / "zones.geojson").write_text(ZONE, encoding="utf-8")
    rules = RULES.replace("[evaluation]", "[evaluation]\ndefault_accuracy_m = 0.5").replace("2020-", "2010-")
    (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
    places = [(rounded(lon), rounded(lat)) for lon, lat in PLACES]
    analysis = analyze([make(tmp_path, places)], load_zone_set(tmp_path), Options())
    (finding,) = analysis.findings.filter(pl.col("check") == "outside-zone").rows(named=True)
    assert finding["error"] == pytest.approx(1.6449 * np.hypot(0.5, added_m), abs=1e-3)
    assert bool(notices(analysis, "coarse-positions")) == bool(added_m)
