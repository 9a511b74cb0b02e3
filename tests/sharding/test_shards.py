"""However logs are divided into shards, and whoever judges them: the same tables."""

import random
import tempfile
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analyzer.analysis
import analyzer.judging
import analyzer.ownership
import analyzer.shard
from analyzer.analysis import Options, analyze
from analyzer.logs import PartSize, plan_log
from analyzer.zone_loading import load_zone_set
from tests.oracle.scenarios import write_random_scenario

TABLES = ("findings", "coverage", "exposure", "events", "rejects")


@pytest.fixture
def divided(monkeypatch):
    """Return a function that divides all further analyses, and the judged shards of each."""
    seen = []
    honest = analyzer.judging.judge_all

    def spy(*arguments):
        seen.append(honest(*arguments))
        return seen[-1]

    def divide(records, text_bytes):
        size = PartSize(records=records, text_bytes=text_bytes)
        monkeypatch.setattr(analyzer.analysis, "plan_log", lambda path, options: plan_log(path, options, size))
        monkeypatch.setattr(analyzer.analysis, "judge_all", spy)
        monkeypatch.setattr(analyzer.judging, "PART_RECORDS", records)
        monkeypatch.setattr(analyzer.ownership, "LEAST_OWNED", 1)
        return seen

    return divide


def kinds(judged):
    return {type(work.task).__name__ for work in judged.works}


def assert_same(one, other):
    for name in TABLES:
        assert getattr(one, name).equals(getattr(other, name)), name
    assert other.speeds.is_empty() or one.speeds.equals(other.speeds)  # empty where nobody draws
    assert other.visits.is_empty() or one.visits.equals(other.visits)
    assert one.summary == other.summary


@contextmanager
def divided_by(choose):
    """Divide logs by chance: small parts, small batches and shards."""
    with pytest.MonkeyPatch.context() as patch:
        size = PartSize(records=choose.choice([20, 60, 200]), text_bytes=choose.choice([2_000, 5_000, 12_000]))
        patch.setattr(analyzer.analysis, "plan_log", lambda path, options: plan_log(path, options, size))
        patch.setattr(analyzer.judging, "PART_RECORDS", size.records)
        patch.setattr(analyzer.ownership, "LEAST_OWNED", 1)
        yield patch


@pytest.mark.parametrize("text_bytes", [2_000, 3_000])
def test_a_shard_that_ends_where_the_accuracy_changes_finds_the_same_peak(tmp_path, divided, text_bytes):
    """In this scenario two fixes of a parked vehicle are equally far outside, and the second is less accurate."""
    folder = write_random_scenario(tmp_path, 28_269)
    logs, zone_set = sorted(str(path) for path in folder.glob("log*.csv")), load_zone_set(folder)
    whole = analyze(logs, zone_set, Options(base=folder))
    divided(40, text_bytes)
    assert_same(whole, analyze(logs, zone_set, Options(base=folder)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(10_000, 99_999))
def test_any_division_gives_the_same_tables(seed):
    folder = write_random_scenario(Path(tempfile.mkdtemp(prefix="zonelog-test-")), seed)
    logs, zone_set = sorted(str(path) for path in folder.glob("log*.csv")), load_zone_set(folder)
    whole = analyze(logs, zone_set, Options(base=folder))
    choose = random.Random(seed)
    with divided_by(choose) as patch:
        patch.setattr(analyzer.judging, "TASK_BATCHES", choose.choice([1, 2, 4]))
        patch.setattr(analyzer.shard, "MOST_KEPT", choose.choice([1, 200, 1 << 18]))
        divided = analyze(logs, zone_set, Options(base=folder, draw=choose.choice([True, False])))
    assert_same(whole, divided)


def drive(seconds, start=0, lon=126.82, vehicle="V"):
    """Rows of a vehicle that drives east at 1 Hz, a metre a second."""
    frame = pl.DataFrame({"second": range(start, start + seconds)})
    return frame.select(
        vehicle_id=pl.lit(vehicle),
        timestamp=pl.datetime(2026, 3, 17, 1, time_zone="UTC") + pl.duration(seconds="second"),
        latitude=pl.lit(35.192),
        longitude=lon + pl.col("second") * 1.1e-5,
        speed_kph=pl.lit(3.6),
    )


def judge_both(tmp_path, divided, frame, records):
    """Return the judged shards of a divided analysis, equal to that of the whole."""
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    whole = analyze([path], load_zone_set("demo"))
    seen = divided(records, 0)
    assert_same(whole, analyze([path], load_zone_set("demo")))
    return seen[-1]


def test_slices_own_the_middle_and_seams_the_ends(tmp_path, divided, monkeypatch):
    monkeypatch.setattr(analyzer.judging, "FAIR_SHARE", 1)
    judged = judge_both(tmp_path, divided, drive(1_000), 250)
    assert kinds(judged) == {"SliceTask", "SeamTask"}
    legs = [shard.legs["fixes"].sum() for shard in judged.shards]
    assert sum(legs) == 1_000
    assert 900 < legs[0] < 1_000


def test_a_task_of_several_slices_judges_what_each_alone_would(tmp_path, divided, monkeypatch):
    monkeypatch.setattr(analyzer.judging, "TASK_BATCHES", 1)
    judged = judge_both(tmp_path, divided, drive(1_000), 250)
    assert min(shard.legs["fixes"].sum() for shard in judged.shards[:4]) > 200


def test_interleaved_vehicles_are_judged_as_slices(tmp_path, divided):
    both = pl.concat([drive(600), drive(600, vehicle="W")]).sort("timestamp", "vehicle_id")
    assert kinds(judge_both(tmp_path, divided, both, 300)) == {"SliceTask", "SeamTask"}


def test_unsorted_records_are_put_aside_and_judged_by_vehicle(tmp_path, divided):
    shuffled = pl.concat([drive(600), drive(600, vehicle="W")]).sample(fraction=1.0, shuffle=True, seed=1)
    assert "GatherTask" in kinds(judge_both(tmp_path, divided, shuffled, 300))


def test_a_long_unsorted_vehicle_is_cut_by_the_hour(tmp_path, divided):
    shuffled = drive(3 * 3600).sample(fraction=1.0, shuffle=True, seed=1)
    judged = judge_both(tmp_path, divided, shuffled, 4_000)
    gathers = [work.task for work in judged.works if type(work.task).__name__ == "GatherTask"]
    assert len(gathers) == 3
    assert not any(task.alone for task in gathers)


def test_one_instant_in_two_slices_leaves_one_fix(tmp_path, divided):
    twice = pl.concat([drive(300), drive(300, start=299)])
    judged = judge_both(tmp_path, divided, twice, 300)
    assert "GatherTask" in kinds(judged)


def test_a_leg_is_told_what_its_trip_says_elsewhere(tmp_path, divided):
    silent = drive(700).with_columns(
        control_mode=pl.when(pl.col("longitude") > 126.8265).then(pl.lit("autonomous")),
        operator=pl.when(pl.col("longitude") > 126.8265).then(pl.lit("remote")),
        vehicle_type=pl.when(pl.col("longitude") > 126.8265).then(pl.lit("sweeper")),
    )
    judged = judge_both(tmp_path, divided, silent, 200)
    assert all(shard.legs["mode_said"].all() for shard in judged.shards if shard.legs.height)


def test_jumps_at_the_end_of_a_slice(tmp_path, divided):
    frame = drive(900).with_row_index()
    spikes = pl.col("index").is_in([298, 299, 300, 302, 303, 305, 599, 600])
    jumping = frame.with_columns(latitude=pl.col("latitude") + pl.when(spikes).then(0.5).otherwise(0.0)).drop("index")
    judge_both(tmp_path, divided, jumping, 300)


def test_records_are_numbered_in_their_file(tmp_path, divided):
    folder = tmp_path / "logs"
    folder.mkdir()
    text = drive(500).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%:z")
    (folder / "a.csv").write_text(text + text.splitlines()[-1] + "\n", encoding="utf-8")
    (folder / "b.csv").write_text(drive(10, vehicle="W").write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%:z"))
    divided(50, 5_000)
    analysis = analyze(sorted(folder.glob("*.csv")), load_zone_set("demo"), Options(base=folder))
    assert analysis.rejects.select("file", "record", "reason").rows() == [("a.csv", 500, "duplicate-time")]
    assert [(a.records, a.fixes, a.rejects) for a in analysis.logs] == [(501, 500, 1), (10, 10, 0)]


def test_a_bad_part_refuses_its_log_alone(tmp_path, divided):
    good = drive(300).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%:z")
    naive = drive(300, start=300).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S", include_header=False)
    (tmp_path / "bad.csv").write_text(good + naive, encoding="utf-8")
    (tmp_path / "good.csv").write_text(good.replace("V,", "W,"), encoding="utf-8")
    divided(100, 4_000)
    analysis = analyze(sorted(tmp_path.glob("*.csv")), load_zone_set("demo"), Options(base=tmp_path))
    assert [account.error is None for account in analysis.logs] == [False, True]
    assert "--timezone" in str(analysis.logs[0].error)
    assert analysis.coverage["vehicle_id"].unique().to_list() == ["W"]
