"""Several processes judge as one does; a killed one is replaced and its work done again."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil
import pytest

import analyzer.analysis
from analyzer.analysis import Options, analyze
from analyzer.errors import WorkerError
from analyzer.pool import Pool, pool_of
from analyzer.tasks import Outcome, Reading
from analyzer.zone_loading import load_zone_set
from tests.sharding.test_shards import TABLES, drive


@dataclass(frozen=True)
class Note:
    """A task that notes where it was done; it dies where it is told to, but in the main process never."""

    number: int
    folder: Path
    main: int
    deaths: int = 0
    slow_s: float = 0.0

    def run(self, common, hints=None):
        time.sleep(self.slow_s)
        marks = len(list(self.folder.glob(f"{self.number}-*")))
        if os.getpid() != self.main:
            (self.folder / f"{self.number}-{os.getpid()}-{marks}").touch()
            if marks < self.deaths:
                os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(readings=(Reading(self.number, os.getpid()),))


def run(tasks, workers=2, hold_s=0.0, *, apart=False):
    with pool_of(workers, apart=apart) as pool:
        pool.start()
        pool.share(None)
        pool._here = lambda job: (time.sleep(hold_s), job[0].run(None))[1]
        return pool.run([(task, None) for task in tasks])


def test_outcomes_are_in_the_order_of_the_jobs(tmp_path):
    tasks = [Note(number, tmp_path, os.getpid(), slow_s=0.05) for number in range(20)]
    outcomes = run(tasks, hold_s=0.2)
    assert [outcome.readings[0].file for outcome in outcomes] == list(range(20))
    assert len({outcome.readings[0].part for outcome in outcomes}) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_what_a_killed_worker_did_is_done_again(tmp_path):
    tasks = [Note(number, tmp_path, os.getpid(), deaths=1 if number == 0 else 0) for number in range(6)]
    outcomes = run(tasks, hold_s=0.5)
    assert [outcome.readings[0].file for outcome in outcomes] == list(range(6))
    assert len(list(tmp_path.glob("0-*"))) >= 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_task_that_always_kills_is_given_up_and_the_others_done(tmp_path):
    deadly = Note(0, tmp_path, os.getpid(), deaths=99)
    others = [Note(number, tmp_path, os.getpid()) for number in range(1, 8)]
    outcomes = run([deadly, *others], hold_s=1.0)
    assert isinstance(outcomes[0], WorkerError)
    assert [outcome.readings[0].file for outcome in outcomes[1:]] == list(range(1, 8))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("workers", [1, 2])
def test_who_keeps_apart_does_no_task_and_gives_up_what_always_kills(tmp_path, workers):
    deadly = Note(0, tmp_path, -1, deaths=99)  # this process would die as well
    others = [Note(number, tmp_path, -1) for number in range(1, 5)]
    first, *rest = run([deadly, *others], workers, apart=True)
    assert isinstance(first, WorkerError)
    assert [outcome.readings[0].file for outcome in rest] == list(range(1, 5))
    assert os.getpid() not in {outcome.readings[0].part for outcome in rest}


def test_workers_killed_while_they_had_nothing_to_do_are_replaced(tmp_path):
    with pool_of(2, apart=True) as pool:
        pool.share(None)
        jobs = [(Note(number, tmp_path, -1), None) for number in range(4)]
        assert len(pool.run(jobs)) == 4
        workers = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
        for worker in workers:
            worker.kill()
        psutil.wait_procs(workers, timeout=20)
        assert workers
        assert [outcome.readings[0].file for outcome in pool.run(jobs)] == list(range(4))


def test_who_keeps_apart_starts_no_process_for_nothing(tmp_path):
    with pool_of(2, apart=True) as pool:
        pool.share(None)
        assert pool.run([]) == []
        assert pool.helpers == 0


def test_a_full_temporary_folder_is_said(tmp_path):
    with pool_of(1, apart=True) as pool:
        pool.folder.joinpath("common-0").mkdir()
        with pytest.raises(WorkerError, match="set TMPDIR"):
            pool.run([(Note(0, tmp_path, -1), None)])


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """Return a log of several parts that is worth sharing."""
    monkeypatch.setattr(analyzer.analysis, "WORTH_SHARING", 1)
    path = tmp_path / "fleet.parquet"
    vehicles = [drive(400_000, lon=126.80, vehicle=f"V{number}") for number in range(6)]
    pl.concat(vehicles).write_parquet(path)
    return path


def test_several_processes_give_the_same_tables(fleet):
    zone_set = load_zone_set("demo")
    alone = analyze([fleet], zone_set, Options(draw=False))
    with pool_of(3) as pool:
        shared = analyze([fleet], zone_set, Options(draw=False, pool=pool))
    for name in TABLES:
        assert getattr(alone, name).equals(getattr(shared, name)), name
    assert alone.summary == shared.summary


def test_a_worker_killed_on_the_way_changes_nothing(fleet):
    zone_set = load_zone_set("demo")
    alone = analyze([fleet], zone_set, Options(draw=False))
    killed = []

    def kill():
        while not killed:
            for child in psutil.Process().children(recursive=True):
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    killed.append(child.pid)
            time.sleep(0.01)

    with pool_of(2) as pool:
        killer = threading.Thread(target=kill)
        killer.start()
        shared = analyze([fleet], zone_set, Options(draw=False, pool=pool))
        killer.join()
    assert killed
    for name in TABLES:
        assert getattr(alone, name).equals(getattr(shared, name)), name


def test_one_process_starts_no_other(tmp_path):
    before = {child.pid for child in psutil.Process().children()}
    pool = Pool(1, tmp_path)
    pool.start()
    pool.share(None)
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_workers_end_with_a_main_process_that_is_killed(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from analyzer.pool import Pool\n"
        "if __name__ == '__main__':\n"
        "    pool = Pool(2, Path(sys.argv[1])); pool.start(); print('started', flush=True); time.sleep(60)\n"
    )
    (tmp_path / "main.py").write_text(code, encoding="utf-8")
    main = subprocess.Popen([sys.executable, tmp_path / "main.py", tmp_path], stdout=subprocess.PIPE, text=True)
    assert main.stdout.readline() == "started\n"
    workers = []
    while not any("spawn_main" in " ".join(child.cmdline()) for child in workers):
        workers = psutil.Process(main.pid).children(recursive=True)
        time.sleep(0.05)
    main.kill()
    main.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
