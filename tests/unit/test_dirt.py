"""One test per kind of dirt that real logs hold (the numbers are those of the survey of real logs).

Kinds of dirt that only recorders, NMEA or table profiles have are tested with their readers.
"""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from pyproj import Transformer

from analyzer.analysis import Options, analyze
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from analyzer.zone_loading import load_zone_set
from tests.conftest import SHARED

ZONE = """{"type": "FeatureCollection", "zone_set": {"id": "dirt"}, "features": [{"type": "Feature",
 "properties": {"zone_id": "z", "accuracy_m": 0}, "geometry": {"type": "Polygon", "coordinates":
 [[[126.7, 35.0], [127.1, 35.0], [127.1, 35.4], [126.7, 35.4], [126.7, 35.0]]]}}]}"""
RULES = """schema = 1
timezone = "Asia/Seoul"
[evaluation]
[[rule]]
id = "permit"
revision = 1
kind = "permit"
text = { ko = "허가", en = "Permit" }
legal_basis = "-"
source = "-"
confidence = "assumed"
effective = 2020-01-01T00:00:00+09:00
zones = ["z"]
max_speed_kph = 20.0
"""
START = dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)
METRES_PER_DEGREE = 110_940.0
"""Along a meridian at 35 degrees (WGS 84), within 0.01 %."""


@pytest.fixture
def zone_set(tmp_path):
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "zones.geojson").write_text(ZONE, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return load_zone_set(str(folder))


def drive(count=600, mps=2.0, **columns):
    """Return a drive due north, one fix a second, at `mps`; the log says speed_kph."""
    base = {
        "vehicle_id": ["V1"] * count,
        "timestamp": [START + dt.timedelta(seconds=s) for s in range(count)],
        "latitude": [35.1 + s * mps / METRES_PER_DEGREE for s in range(count)],
        "longitude": [126.812345678] * count,
        "speed_kph": [3.6 * mps] * count,
        "horizontal_accuracy_m": [0.5] * count,
        "control_mode": ["autonomous"] * count,
    }
    return pl.DataFrame({**base, **columns})


@pytest.fixture
def judged(tmp_path, zone_set):
    """Return a function that judges a table, after checking that every record is accounted for."""

    def judge(frame, name="log.parquet", options=None):
        path = tmp_path / name
        frame.write_parquet(path) if name.endswith(".parquet") else frame.write_csv(path)
        analysis = analyze([str(path)], zone_set, options or Options(base=tmp_path))
        account = analysis.logs[0]
        assert account.records == account.fixes + account.rejects + account.other_records == frame.height
        assert account.rejects == analysis.rejects.height
        return analysis

    return judge


def notices(analysis, code):
    return [n for n in analysis.notices if n.code == code]


# 1, 2: units


@pytest.mark.parametrize(
    ("real", "told", "says"),
    [
        ("kph", "kph", None),
        ("mps", "mps", None),
        ("mps", "kph", "m/s read as km/h gives 0.278"),
        ("kph", "mps", "km/h read as m/s gives 3.600"),
        ("mph", "mps", "mph read as m/s gives 2.237"),
        ("mps", "mph", "m/s read as mph gives 0.447"),
        ("kn", "mps", "kn read as m/s gives 1.944"),
        ("kn", "kph", "kn read as km/h gives 0.540"),
        ("kph", "mph", "km/h read as mph gives 1.609"),
    ],
)
def test_a_speed_of_one_unit_read_as_another(judged, real, told, says):
    number = {"kph": 7.2, "mps": 2.0, "mph": 7.2 / 1.609344, "kn": 7.2 / 1.852}[real]
    frame = drive().drop("speed_kph").with_columns(pl.lit(number).alias(f"speed_{told}"))
    found = notices(judged(frame), "speed-unit")
    assert [n.subject for n in found] == ([] if says is None else ["log.parquet"])
    assert all(says in n.en for n in found)


@pytest.mark.parametrize(("factor", "told"), [(0.86, False), (1.18, False), (0.8, True), (1.25, True)])
def test_a_fifth_is_the_tolerance(judged, factor, told):
    found = notices(judged(drive(speed_kph=[7.2 * factor] * 600)), "speed-unit")
    assert bool(found) == told
    assert all("No mistaken unit" in n.en for n in found)


def test_a_wrong_unit_is_told_but_not_corrected(judged):
    slow = judged(drive(speed_kph=[2.0] * 600))
    assert slow.findings.filter(pl.col("check") == "speed-limit").is_empty()
    fast = judged(drive(speed_kph=[25.92] * 600))
    assert fast.findings["check"].to_list() == ["speed-limit"]
    (notice,) = notices(fast, "speed-unit")
    assert "3.600" in notice.en
    assert "3.600" in notice.ko
    assert fast.summary["notices"]


def test_a_stationary_or_short_log_says_nothing_of_units(judged):
    assert not notices(judged(drive(mps=0, speed_kph=[1.0] * 600)), "speed-unit")
    assert not notices(judged(drive(60, speed_kph=[30.0] * 60)), "speed-unit")


# 10, 12: rows


def test_exact_copies_and_other_positions_of_one_time_are_counted_apart(judged):
    frame = drive()
    other = frame[100:103].with_columns(latitude=pl.col("latitude") + 1e-5)
    analysis = judged(pl.concat([frame[:50], frame[49:], other]))
    assert analysis.rejects["reason"].to_list() == ["duplicate-time"] * 4
    (notice,) = notices(analysis, "duplicate-time")
    assert "exact copies: 1, with other content: 3" in notice.en


def test_records_out_of_order_are_counted(judged):
    frame = drive()
    analysis = judged(pl.concat([frame[200:], frame[100:200], frame[:100]]))
    (notice,) = notices(analysis, "out-of-order")
    assert ": 2 records" in notice.en
    assert not notices(judged(frame), "out-of-order")


def test_interleaved_vehicles_are_in_order(judged):
    one = drive()
    both = pl.concat([one, one.with_columns(vehicle_id=pl.lit("V2"))]).sort("timestamp", "vehicle_id")
    analysis = judged(both)
    assert not notices(analysis, "out-of-order")
    assert analysis.summary["vehicles"] == 2


# 14: teleports


def test_a_spike_is_a_reject_that_says_the_speeds_it_implies(judged):
    latitude = drive()["latitude"].to_list()
    latitude[150] += 5000 / METRES_PER_DEGREE
    analysis = judged(drive(latitude=latitude))
    assert analysis.rejects.select("record", "reason").rows() == [(151, "position-jump")]
    # 5,002 m in a second before, 4,998 m after: 3.6 km/h a metre per second
    text = analysis.rejects["text"][0]
    came, went = (float(part.split(" km/h")[0].split()[-1]) for part in (text, text.split("km/h,")[1]))
    assert came == pytest.approx(3.6 * 5002, rel=1e-3)
    assert went == pytest.approx(3.6 * 4998, rel=1e-3)
    assert len(notices(analysis, "position-jump")) == 1


def test_a_jump_that_lasts_is_a_hole_and_the_trip_goes_on(judged):
    latitude = [lat + (5000 / METRES_PER_DEGREE if s >= 150 else 0) for s, lat in enumerate(drive()["latitude"])]
    analysis = judged(drive(latitude=latitude))
    assert analysis.rejects.is_empty()
    assert analysis.findings.select("check", "verdict").rows() == [("log-gap", "not_observed")]
    assert analysis.summary["trips"] == 1


# 8, 9, 15: steps in time


def test_a_step_of_days_is_another_trip(judged):
    frame = drive(120)
    late = frame[60:].with_columns(pl.col("timestamp") + pl.duration(days=964))
    analysis = judged(pl.concat([frame[:60], late]))
    assert analysis.summary["trips"] == 2
    assert "log-gap" not in analysis.findings["check"].to_list()


def test_seconds_that_are_skipped_are_bridged_and_longer_gaps_are_not_observed(judged):
    keep = [s for s in range(120) if s % 4 not in (1, 2) and not 60 <= s < 80]
    analysis = judged(drive(120)[keep])
    (gap,) = analysis.findings.rows(named=True)
    # the last fix before is at 59 s, the first after at 80 s
    assert (gap["check"], gap["duration_s"]) == ("log-gap", 21.0)


# 16, 17: coarse coordinates


def at(metres_outside, count=60, round_to=lambda value: value, **columns):
    """Return a drive east along the zone's northern border (35.4), so many metres outside of it."""
    return drive(
        count,
        latitude=[round_to(35.4 + metres_outside / METRES_PER_DEGREE)] * count,
        longitude=[round_to(126.8000012345 + s * 2 / 91_000) for s in range(count)],
        **columns,
    )


@pytest.mark.parametrize("name", ["log.parquet", "log.csv"])
def test_float32_coordinates_widen_the_error(judged, name):
    # accuracy 0.5 m: the error is 1.645 * 0.5 = 0.82 m; with 0.6 m in quadrature 1.645 * 0.781 = 1.28 m
    fine = judged(at(1.1), name)
    assert fine.findings.select("check", "verdict").rows() == [("outside-zone", "violation")]
    assert not notices(fine, "coarse-positions")
    single = at(1.1, round_to=lambda value: float(np.float32(value)))
    analysis = judged(single, name)
    (finding,) = analysis.findings.rows(named=True)
    assert finding["error"] == pytest.approx(1.6449 * np.hypot(0.5, 0.6), abs=1e-3)
    assert finding["verdict"] == "indeterminate"
    (notice,) = notices(analysis, "coarse-positions")
    assert "32-bit floats; 0.6 m" in notice.en


@pytest.mark.parametrize(("decimals", "half_step_m"), [(5, 0.55597), (4, 5.5597)])
def test_few_decimals_widen_the_error_by_half_a_step(judged, decimals, half_step_m):
    count = 600
    coarse = at(20, count, round_to=lambda value: round(value, decimals))
    (finding,) = judged(coarse).findings.filter(pl.col("check") == "outside-zone").rows(named=True)
    assert finding["error"] == pytest.approx(1.6449 * np.hypot(0.5, half_step_m), rel=1e-3)


def test_six_decimals_and_parked_vehicles_are_no_grid(judged):
    assert not notices(judged(at(1, round_to=lambda value: round(value, 6))), "coarse-positions")
    parked = drive(latitude=[35.1] * 600, longitude=[126.8] * 600, speed_kph=[0.0] * 600)
    assert not notices(judged(parked), "coarse-positions")


# not met in real logs: no position, Korean grids, leap second


def test_null_island_and_positions_that_are_none_are_rejects(judged):
    frame = drive(60)
    bad = [(0.0, 0.0), (float("nan"), 126.8), (35.1, float("inf")), (None, 126.8), (91.0, 126.8)]
    rows = [frame[10 + k].with_columns(latitude=pl.lit(y), longitude=pl.lit(x)) for k, (y, x) in enumerate(bad)]
    analysis = judged(pl.concat([frame, *rows], how="vertical_relaxed"))
    assert analysis.rejects.select("record", "reason").rows() == [(61 + k, "bad-position") for k in range(5)]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("EPSG:5179", "EPSG:5179"),
        ("EPSG:5186", "EPSG:5186"),
        ("EPSG:5181", "EPSG:5181"),
        ("EPSG:5174", "5174"),
        ("EPSG:32652", "EPSG:32652"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_metres_are_named_and_refused(judged, code, says, swapped):
    x, y = Transformer.from_crs("EPSG:4326", code, always_xy=True).transform(126.85, 35.16)
    place = {"longitude": [y if swapped else x] * 60, "latitude": [x if swapped else y] * 60}
    belt = swapped and code in ("EPSG:5186", "EPSG:5181", "EPSG:5174")
    with pytest.raises(LogError, match="Belt" if belt else says) as caught:
        judged(drive(60, **place))
    told_apart = code in ("EPSG:5179", "EPSG:32652")  # the ranges of the belts overlap with their axes exchanged
    assert ("exchanged" in str(caught.value)) == (swapped and told_apart)
    assert "crs = " in str(caught.value)
    assert "Bessel" in str(caught.value)


def test_swapped_axes_are_refused(judged):
    with pytest.raises(LogError, match="swapped; exchange"):
        judged(drive(60, latitude=[126.8] * 60, longitude=[35.1] * 60))


def test_leap_seconds(tmp_path):
    rows = ["2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T08:59:60.500+09:00", "2016-12-31T22:59:60Z"]
    text = "vehicle_id,timestamp,latitude,longitude\n" + "".join(f"V1,{t},35.1,126.8\n" for t in rows)
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    log = read_log(str(tmp_path / "log.csv"), ReadOptions())
    new_year = dt.datetime(2017, 1, 1, tzinfo=dt.UTC)
    seconds = [(time - new_year).total_seconds() for time in log.records["time"]]
    assert seconds == [-1.0, 0.0, 0.5]
    assert log.rejects.select("record", "reason").rows() == [(4, "bad-time")]
    assert [(n.code, "2 leap second" in n.en) for n in log.notices] == [("leap-second", True)]


# not met in real logs: GPS week roll-over


def test_dates_of_a_receiver_whose_week_counter_started_again(judged):
    early = drive().with_columns(pl.col("timestamp") - pl.duration(weeks=1024))
    (notice,) = notices(judged(early), "date-out-of-reach")
    assert "2006-08-01" in notice.en
    assert not notices(judged(drive()), "date-out-of-reach")


# real logs


def test_units_of_a_real_log_read_wrongly(real_logs, tmp_path, zone_set):
    frame = pl.read_csv(SHARED / "logs" / "capmetrics_2016-12-16_mps.csv", infer_schema=False)
    frame.rename({"speed": "speed_mps"}).write_csv(tmp_path / "right.csv")
    frame.rename({"speed": "speed_mph"}).write_csv(tmp_path / "wrong.csv")
    right, wrong = (
        analyze([str(tmp_path / name)], zone_set, Options(base=tmp_path, timezone="UTC"))
        for name in ("right.csv", "wrong.csv")
    )
    assert not notices(right, "speed-unit")
    assert len(notices(wrong, "speed-unit")) == 1


def test_inversions_and_duplicates_of_a_real_log(real_logs, tmp_path, zone_set):
    names = ["latitude", "longitude", "vehicle_id", "address", "timestamp"]
    frame = pl.read_csv(
        SHARED / "logs" / "jersey_city_garbage_trucks.psv",
        separator="|",
        has_header=False,
        infer_schema=False,
        new_columns=names,
    )
    frame.write_csv(tmp_path / "trucks.csv")
    options = Options(base=tmp_path, timezone="America/New_York")
    analysis = analyze([str(tmp_path / "trucks.csv")], zone_set, options)
    account = analysis.logs[0]
    assert (account.records, account.fixes, account.rejects) == (7971, 7349, 622)
    (order,), (duplicates,) = (notices(analysis, code) for code in ("out-of-order", "duplicate-time"))
    assert ": 3,869 records" in order.en
    assert "(exact copies: 0, with other content: 622)" in duplicates.en


# Accounting: records = fixes + rejects + other records, whatever the format


@pytest.mark.parametrize("suffix", ["csv", "tsv", "ndjson", "parquet", "arrow"])
def test_every_record_of_every_format_is_accounted_for(tmp_path, zone_set, suffix):
    frame = drive(100)
    dirty = pl.concat([frame, frame[-3:], frame[50].with_columns(latitude=pl.lit(95.0))])
    path = tmp_path / f"log.{suffix}"
    text = dirty.with_columns(pl.col("timestamp").dt.to_string("%Y-%m-%dT%H:%M:%SZ"))
    {
        "csv": lambda: text.write_csv(path),
        "tsv": lambda: text.write_csv(path, separator="\t"),
        "ndjson": lambda: text.write_ndjson(path),
        "parquet": lambda: dirty.write_parquet(path),
        "arrow": lambda: dirty.write_ipc(path),
    }[suffix]()
    analysis = analyze([str(path)], zone_set, Options(base=tmp_path))
    (account,) = analysis.summary["logs"]
    assert (account["records"], account["fixes"], account["rejects"], account["other_records"]) == (104, 100, 4, 0)
    assert analysis.rejects["reason"].to_list() == ["duplicate-time"] * 3 + ["bad-position"]
    assert analysis.rejects["text"].str.len_chars().min() > 0


# Which test is for which kind of dirt

KINDS = {
    1: [test_a_speed_of_one_unit_read_as_another, test_units_of_a_real_log_read_wrongly],
    8: [test_seconds_that_are_skipped_are_bridged_and_longer_gaps_are_not_observed],
    9: [test_seconds_that_are_skipped_are_bridged_and_longer_gaps_are_not_observed],
    10: [test_exact_copies_and_other_positions_of_one_time_are_counted_apart],
    12: [test_records_out_of_order_are_counted, test_inversions_and_duplicates_of_a_real_log],
    14: [
        test_a_spike_is_a_reject_that_says_the_speeds_it_implies,
        test_a_jump_that_lasts_is_a_hole_and_the_trip_goes_on,
    ],
    15: [test_a_step_of_days_is_another_trip],
    16: [test_float32_coordinates_widen_the_error],
    17: [test_few_decimals_widen_the_error_by_half_a_step],
}
ELSEWHERE = {
    **dict.fromkeys((5, 6, 7, 23, 24, 25, 26), "recordings"),
    **dict.fromkeys((11, 13, 22), "NMEA"),
    **dict.fromkeys((3, 4, 18, 19, 21, 27, 28), "tables by profile"),
    2: "no verdict speaks of odometers",
    20: "tables of events, which are no trip logs",
}


def test_every_kind_of_dirt_is_tested_or_said_to_be_elsewhere():
    assert sorted([*KINDS, *ELSEWHERE]) == list(range(1, 29))
