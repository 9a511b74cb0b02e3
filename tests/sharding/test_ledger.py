"""With a ledger: the same tables, and only what is new or changed is done."""

import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import analyzer.analysis
import analyzer.judging
import analyzer.kept_tasks
import analyzer.ownership
import analyzer.shard
from analyzer.analysis import Options, analyze
from analyzer.errors import LogError
from analyzer.ledger import Ledger
from analyzer.zone_loading import load_zone_set
from tests.oracle.scenarios import write_random_scenario
from tests.sharding.test_shards import assert_same, divided_by


def assert_all_the_same(one, other):
    assert_same(one, other)
    assert one.notices == other.notices
    assert one.logs == other.logs


def judge(logs, zone_set, root, base=None, **options):
    """Return an analysis with a ledger, and how many tasks were done and reused."""
    ledger = Ledger.at(root)
    analysis = analyze(logs, zone_set, Options(base=base, ledger=ledger, **options))
    return analysis, ledger


def done(ledger):
    return ledger.keeper.done


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(10_000, 99_999))
def test_a_ledger_changes_no_table_however_logs_are_divided(seed):
    folder = write_random_scenario(Path(tempfile.mkdtemp(prefix="zonelog-test-")), seed)
    logs, zone_set = sorted(str(path) for path in folder.glob("log*.csv")), load_zone_set(folder)
    whole = analyze(logs, zone_set, Options(base=folder))
    choose = random.Random(seed)
    with divided_by(choose) as patch:
        for name, some in (
            ("KEPT_BATCHES", [1, 2, 4]),
            ("LOG_TASKS", [1, 4]),
            ("GROUP_LOGS", [1, 2, 3]),
            ("GROWN", [1, 2, 4]),
        ):
            patch.setattr(analyzer.kept_tasks, name, choose.choice(some))
        some = choose.sample(logs, choose.randint(1, len(logs)))
        with suppress(LogError):  # what is there before changes nothing
            judge(some, zone_set, folder / "ledger", folder)
        first, _ = judge(logs, zone_set, folder / "ledger", folder)
        second, ledger = judge(logs, zone_set, folder / "ledger", folder)
    shutil.rmtree(folder)
    assert_all_the_same(whole, first)
    assert_all_the_same(whole, second)
    assert first.tracks.equals(second.tracks)
    assert done(ledger) == 0
    assert ledger.damaged == []


def test_odometers_are_told_by_what_is_kept(tmp_path):
    rows = (
        f"S-1,2026-03-17T10:{n // 60:02}:{n % 60:02}Z,{35.19 + n * 5e-5:.7f},126.82,20,{n * 5.55 / 1609.344:.4f}"
        for n in range(600)
    )
    header = "vehicle_id,timestamp,latitude,longitude,speed_kph,odometer_m"
    (tmp_path / "log.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    logs, zone_set = [str(tmp_path / "log.csv")], load_zone_set("demo")
    whole = analyze(logs, zone_set)
    assert any(notice.code == "odometer-unit" for notice in whole.notices)
    for _ in range(2):
        assert_all_the_same(whole, judge(logs, zone_set, tmp_path / "ledger")[0])
    assert_all_the_same(
        analyze(logs, load_zone_set("gwangju")), judge(logs, load_zone_set("gwangju"), tmp_path / "ledger")[0]
    )
