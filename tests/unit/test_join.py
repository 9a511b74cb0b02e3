"""`--join`: modes and operators of another file, as of the time of each record."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from analyzer.__main__ import cli
from analyzer.analysis import Options, analyze
from analyzer.errors import LogError
from analyzer.logs import PartSize, ReadOptions, guess_log, plan_log, read_states
from analyzer.zone_loading import load_zone_set
from tests.recorders import record2
from tests.unit.test_dirt import drive, notices, zone_set  # noqa: F401 - a fixture
from tests.unit.test_recording_dirt import FULL, SECOND, fix_of, stamp_of, store_of
from tests.unit.test_recordings import REPORT, START_NS


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def joined(tmp_path, zone_set):  # noqa: F811
    """Return a function that judges a drive of 60 s from 10:00 Korean time with a file joined."""

    def join(text, tolerance_s=None, frame=None):
        drive(60).drop("control_mode").write_parquet(
            tmp_path / "log.parquet"
        ) if frame is None else frame.write_parquet(tmp_path / "log.parquet")
        modes = write(tmp_path / "modes.csv", text)
        options = Options(base=tmp_path, join=modes, join_tolerance_s=tolerance_s)
        return analyze([str(tmp_path / "log.parquet")], zone_set, options)

    return join


MODES = """vehicle_id,timestamp,control_mode,operator
V1,2026-03-17T10:00:30+09:00,수동,탑승
V1,2026-03-17T10:00:00+09:00,자율,원격
V2,2026-03-17T10:00:00+09:00,자율,원격
V1,gestern,자율,원격
"""


def seconds(analysis):
    table = analysis.exposure.group_by("control_mode").agg(pl.col("duration_s").sum())
    return dict(table.iter_rows())


def test_states_are_taken_as_of_the_time(joined):
    # 10:00:00-10:00:30 autonomous, then manual up to 10:00:59; nothing is older than 30 s
    analysis = joined(MODES, 60)
    assert seconds(analysis) == {"autonomous": 30.0, "manual": 29.0}
    (notice,) = notices(analysis, "joined")
    assert "60 records" in notice.en
    assert "the oldest is 29 s old, 60 s are allowed); 0 found none" in notice.en


def test_an_old_state_is_unknown(joined):
    # the rules say 10 s: fixes at 0..10 and 30..40 s have a state, 11..29 and 41..59 none
    analysis = joined(MODES)
    assert seconds(analysis) == {"autonomous": 11.0, "unknown": 19.0 + 18.0, "manual": 11.0}
    (notice,) = notices(analysis, "joined")
    assert "22 records" in notice.en
    assert "38 found none" in notice.en


def test_what_the_log_says_itself_stands(joined):
    analysis = joined(MODES, 60, drive(60, control_mode=["remote"] * 60))
    assert seconds(analysis) == {"remote": 59.0}


def test_vehicles_that_the_file_does_not_know_stay_unsaid(joined):
    analysis = joined(MODES.replace("V1", "V9"), 60)
    assert notices(analysis, "assumed-mode")
    assert "60 found none" in notices(analysis, "joined")[0].en


def test_a_joined_file_is_an_input_and_is_accounted_for(joined):
    analysis = joined(MODES, 60)
    account = next(a for a in analysis.logs if a.path == "modes.csv")
    assert (account.format, account.records, account.fixes, account.rejects, account.other_records) == (
        "join",
        4,
        0,
        1,
        3,
    )
    assert len(account.sha256) == 64
    assert analysis.rejects.rows() == [("modes.csv", 4, "bad-time", "V1 gestern 자율 원격")]


def test_any_division_of_the_log_gives_the_same(joined, monkeypatch):
    whole = joined(MODES)
    monkeypatch.setattr(
        "analyzer.analysis.plan_log", lambda path, options: plan_log(path, options, PartSize(records=7))
    )
    parts = joined(MODES)
    assert parts.summary == whole.summary
    assert parts.exposure.equals(whole.exposure)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("timestamp,control_mode\n2026-03-17T10:00:00Z,manual\n", "no column for vehicle_id"),
        ("vehicle_id,timestamp,speed\nV1,2026-03-17T10:00:00Z,1\n", "control_mode or operator"),
        ("vehicle_id,timestamp,mode\nV1,never,manual\n", "not one record"),
        ("vehicle_id,timestamp,mode\nV1,2026-03-17 10:00:00,manual\n", "no offset"),
    ],
)
def test_what_cannot_be_joined_is_refused(joined, text, says):
    with pytest.raises(LogError, match=says):
        joined(text)


@pytest.mark.parametrize("name", ["modes.tsv", "modes.parquet", "modes.arrow", "modes.ndjson", "cp949.csv"])
def test_files_that_can_be_joined(tmp_path, name):
    frame = pl.DataFrame({"차량": ["V1"], "timestamp": ["2026-03-17T10:00:00Z"], "주행모드": ["원격"]})
    path = tmp_path / name
    {
        "modes.tsv": lambda: frame.write_csv(path, separator="\t"),
        "modes.parquet": lambda: frame.write_parquet(path),
        "modes.arrow": lambda: frame.write_ipc(path),
        "modes.ndjson": lambda: frame.write_ndjson(path),
        "cp949.csv": lambda: write(path, frame.write_csv(), "cp949"),
    }[name]()
    states = read_states(path, ReadOptions())
    assert states.table.select("vehicle_id", "control_mode").rows() == [("V1", "remote")]


def test_the_command(tmp_path, zone_set):  # noqa: F811
    drive(60).drop("control_mode").write_parquet(tmp_path / "log.parquet")
    modes = write(tmp_path / "modes.csv", MODES)
    arguments = ["analyze", str(tmp_path / "log.parquet"), "--zones", str(tmp_path / "zones"), "--join", str(modes)]
    out = tmp_path / "out"
    options = ["--join-tolerance", "60", "--out", str(out), "--no-map", "--no-report", "--quiet"]
    result = CliRunner().invoke(cli, [*arguments, *options])
    assert result.exit_code in (0, 1, 3), result.output
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert [len(i["sha256"]) for i in run["inputs"]] == [64, 64]


def test_other_names_of_vehicles_are_said(joined):
    """The commonest mistake: nothing is joined, and the assumed mode would be all that is left."""
    (notice,) = notices(joined(MODES.replace("V1", "Bus-1")), "joined-no-vehicle")
    assert "It has: Bus-1, V2; the logs have: V1." in notice.en
    assert not notices(joined(MODES), "joined-no-vehicle")


def test_a_recording_that_says_its_modes_takes_none(tmp_path):
    """Its positions themselves say no mode: each would take the joined one, and the next message its own again."""
    store = store_of(FULL)
    count = range(20)
    messages = [
        ("/fix", "sensor_msgs/msg/NavSatFix", START_NS + n * SECOND, fix_of(store, START_NS + n * SECOND, n))
        for n in count
    ]
    modes = write(tmp_path / "modes.csv", "vehicle_id,timestamp,control_mode\nbus,2026-03-17T10:00:00+09:00,manual\n")
    for name, spent in (("plain", {"manual": 11.0, "unknown": 8.0}), ("own", {"autonomous": 18.5, "unknown": 0.5})):
        if name == "own":
            stamps = [START_NS + n * SECOND + SECOND // 2 for n in count]
            messages += [("/mode", REPORT, ns, store.types[REPORT](stamp=stamp_of(store, ns), mode=1)) for ns in stamps]
        path = record2(tmp_path / name, sorted(messages, key=lambda m: m[2]), store)
        (tmp_path / name / "bus.mcap").write_bytes(Path(path).read_bytes())
        analysis = analyze([str(tmp_path / name / "bus.mcap")], load_zone_set("demo"), Options(join=modes))
        assert seconds(analysis) == spent


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_are_refused(tmp_path):
    """Whoever opened one that nobody writes to would wait for ever."""
    os.mkfifo(tmp_path / "modes.csv")
    with pytest.raises(LogError, match="write it to a file first"):
        read_states(tmp_path / "modes.csv", ReadOptions())
    with pytest.raises(LogError, match="write it to a file first"):
        guess_log(str(tmp_path / "modes.csv"), None, "en")
