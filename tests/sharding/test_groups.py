"""Small logs share a task with the same others from run to run; one that cannot be judged takes none along."""

import pytest

import analyzer.pool
from analyzer.analysis import analyze
from analyzer.errors import WorkerError
from analyzer.kept_tasks import GROUP_LOGS, GROUP_RECORDS, GROWN, grouped
from analyzer.logs import Part, Plan
from analyzer.zone_loading import load_zone_set
from tests.sharding.test_ledger import assert_all_the_same, done, judge
from tests.sharding.test_ledger_faults import run, write
from tests.sharding.test_shards import drive


def plans_of(*records):
    return [
        Plan(path=f"{number}.csv", format="csv", parts=(Part(0, None, count),)) for number, count in enumerate(records)
    ]


def by_name(count, past=(), alone=()):
    names = [f"log{number}" for number in range(count)]
    return grouped(plans_of(*[100] * count), names, past, alone)


def test_new_logs_are_divided_in_their_order():
    assert by_name(GROUP_LOGS + 2) == [tuple(range(GROUP_LOGS)), (GROUP_LOGS, GROUP_LOGS + 1)]
    assert grouped(plans_of(GROUP_RECORDS, 5, 5), ["a", "b", "c"], ()) == [(0,), (1, 2)]
    assert by_name(4, alone=[1]) == [(0, 2, 3), (1,)]


def test_a_group_of_before_stays_as_it_was():
    old = [f"log{number}" for number in range(1, GROWN + 1)]
    assert by_name(GROWN + 2, [old]) == [(0, GROWN + 1), tuple(range(1, GROWN + 1))]
    small = ["log1", "log2"]
    assert by_name(3, [small]) == [(0, 1, 2)]  # small ones grow
    assert by_name(3, [["log0"], small]) == [(0,), (1, 2)]  # but not where nothing is new
    assert by_name(GROWN, [old]) == [tuple(range(GROWN))]  # one is gone


def test_logs_that_hold_the_same_are_each_judged():
    assert grouped(plans_of(5, 5, 5), ["a", "a", "b"], [["a", "b"]]) == [(0, 1, 2)]
    assert grouped(plans_of(5, 5, 5), ["a", "a", "b"], [["a", "b"], ["a"]]) == [(0, 2), (1,)]


@pytest.fixture
def logs(tmp_path):
    """Return twenty short logs of two vehicles."""
    return [
        write(tmp_path / "logs" / f"{vehicle}{n:02}.csv", drive(60, start=60 * n, lon=lon, vehicle=vehicle))
        for vehicle, lon in (("V", 126.82), ("W", 126.80))
        for n in range(10)
    ]


def test_a_new_log_judges_few_others_again(tmp_path, logs):
    folder, ledger, out = logs[0].parent, tmp_path / "ledger", tmp_path / "out"
    assert run(folder, ledger, out).returncode in (0, 1, 3)
    write(folder / "V05b.csv", drive(30, start=5_000, lon=126.82, vehicle="V"))
    assert ", 1 found there" in run(folder, ledger, out).stderr  # the grown group; not the small one, nor the seams
    assert " 0 pieces judged" in run(folder, ledger, out).stderr


def test_a_log_that_ends_its_process_takes_no_other_along(tmp_path, logs, monkeypatch):
    zone_set = load_zone_set("demo")
    whole = analyze(logs, zone_set)
    honest = analyzer.pool.Pool._here

    def here(pool, job):
        pieces = [piece for batch in getattr(job[0].task, "batches", ()) for piece in batch]
        if any(piece.plan.path == str(logs[3]) for piece in pieces):
            return WorkerError("was killed")
        return honest(pool, job)

    monkeypatch.setattr(analyzer.pool.Pool, "_here", here)
    first, _ = judge(logs, zone_set, tmp_path / "ledger")
    assert {log.path: log.error for log in first.logs if log.error} == {str(logs[3]): f"{logs[3]}: was killed"}
    monkeypatch.undo()
    second, ledger = judge(logs, zone_set, tmp_path / "ledger")
    assert_all_the_same(whole, second)
    assert done(ledger) > 0
