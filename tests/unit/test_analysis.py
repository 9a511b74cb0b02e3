"""What becomes of records on the way to fixes: samples, jumps, types, parts of logs."""

import datetime as dt
import json

import polars as pl
import pytest

from analyzer.analysis import analyze
from analyzer.fixes import make_fixes
from analyzer.rules import Evaluation
from analyzer.terms import CONTROL_MODES
from analyzer.zone_loading import load_zone_set

START = dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)
Z = 1.645


def records(*rows):
    """Rows of (seconds, longitude or null, speed, mode): a sample where there is no longitude."""
    frame = pl.DataFrame(
        [
            {
                "record": number,
                "vehicle_id": "V",
                "time": START + dt.timedelta(seconds=seconds),
                "longitude": lon,
                "latitude": None if lon is None else 35.0,
                "speed_kph": speed,
                "control_mode": mode,
                "is_sample": lon is None,
                "file": 0,
            }
            for number, (seconds, lon, speed, mode) in enumerate(rows, start=1)
        ],
        infer_schema_length=None,
    )
    return frame.with_columns(
        pl.col("time").cast(pl.Datetime("us", "UTC")),
        pl.col("longitude", "latitude", "speed_kph").cast(pl.Float64),
        pl.col("control_mode").cast(pl.String),
        pl.col("file").cast(pl.Int32),
    )


def modes_of(fixes):
    return [CONTROL_MODES[code] for code in fixes.control_mode]


def test_samples_become_fixes_with_an_interpolated_position():
    made = make_fixes(records((0, 126.0, None, None), (1, None, 5.0, None), (4, 126.0004, None, None)), Evaluation(), Z)
    assert made.fixes.longitude.tolist() == pytest.approx([126.0, 126.0001, 126.0004])
    assert made.fixes.speed_kph[1] == 5.0
    assert made.others["others"].sum() == 0


def test_a_sample_at_the_instant_of_a_fix_completes_it():
    made = make_fixes(
        records((0, 126.0, None, None), (0, None, 5.0, None), (0, None, None, "manual"), (1, 126.0, 4.0, None)),
        Evaluation(),
        Z,
    )
    assert made.fixes.speed_kph.tolist() == [5.0, 4.0]
    assert modes_of(made.fixes) == ["manual", "manual"]
    assert made.others["others"].sum() == 2


def test_samples_in_holes_and_outside_trips_are_counted():
    made = make_fixes(
        records(
            (-5, None, 1.0, None),
            (0, 126.0, None, None),
            (15, None, 2.0, None),
            (30, 126.0, None, None),
            (40, None, 3.0, None),
        ),
        Evaluation(),
        Z,
    )
    assert len(made.fixes) == 2
    assert made.others["others"].sum() == 3


def test_a_mode_of_another_stream_grows_old():
    rows = [(0, 126.0, None, None), (0.5, None, None, "autonomous"), *((s, 126.0, None, None) for s in range(4, 20, 4))]
    made = make_fixes(records(*rows), Evaluation(max_mode_age_s=10.0), Z)
    assert modes_of(made.fixes) == ["unknown", "autonomous", "autonomous", "autonomous", "unknown", "unknown"]


def test_a_fix_between_two_jumps_is_a_reject():
    made = make_fixes(records((0, 126.0, 1.0, None), (1, 126.1, 1.0, None), (2, 126.0, 1.0, None)), Evaluation(), Z)
    assert made.rejects.select("record", "reason").rows() == [(2, "position-jump")]
    assert made.fixes.hole_after.tolist() == [False, True]


def test_speed_is_derived_over_two_seconds():
    made = make_fixes(records(*((s, 126.0 + s * 1e-5, None, None) for s in range(4))), Evaluation(), Z)
    assert made.fixes.speed_kph == pytest.approx([3.6 * 0.9130] * 4, rel=1e-3)
    assert made.fixes.speed_error_kph == pytest.approx([3.6 * Z * 2**0.5 * 3.0 / 2] * 4)


def test_a_vehicle_with_samples_only_is_still_counted(tmp_path, monkeypatch):
    import analyzer.analysis
    import analyzer.tasks
    from analyzer.logs import Log, Part, Plan
    from analyzer.logs._format import NO_REJECTS

    rows = records((0, 126.8, 5.0, None)), records((0, None, 5.0, None)).with_columns(vehicle_id=pl.lit("W"))
    parts = (Part(0, 1, 1), Part(1, 2, 1))
    frames = dict(zip(parts, rows, strict=True))
    monkeypatch.setattr(analyzer.analysis, "plan_log", lambda *_: Plan("x", "csv", parts))
    monkeypatch.setattr(analyzer.analysis, "sha256_of", lambda *_: None)
    monkeypatch.setattr(
        analyzer.tasks,
        "read_part",
        lambda _plan, part, _options: Log("x", "csv", None, frames[part].drop("file"), NO_REJECTS, 1),
    )
    account = analyze(["x"], load_zone_set("demo")).logs[0]
    assert (account.records, account.fixes, account.rejects, account.other_records) == (2, 1, 0, 1)


def test_a_type_in_the_log_wins_and_the_difference_is_said(tmp_path):
    row = "SYNTHETIC-SWEEPER,2026-03-17T10:00:0{}+09:00,35.192,126.82,5,bus"
    (tmp_path / "log.csv").write_text(
        "vehicle_id,timestamp,latitude,longitude,speed_kph,vehicle_type\n"
        + "\n".join(row.format(s) for s in (0, 5))
        + "\n",
        encoding="utf-8",
    )
    analysis = analyze([tmp_path / "log.csv"], load_zone_set("demo"))
    assert {"type-conflict", "assumed-mode"} <= {notice.code for notice in analysis.notices}
    assert analysis.findings["check"].to_list() == ["vehicle-not-permitted"]
    assert json.dumps(analysis.summary)
