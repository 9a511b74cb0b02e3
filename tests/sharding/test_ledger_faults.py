"""A ledger that is killed, damaged, changed, shared or full: nothing lost, nothing doubled, and it is said."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

import analyzer.analysis
import analyzer.tasks
from analyzer.analysis import Options, analyze
from analyzer.errors import LedgerError, LogError
from analyzer.index import INDEX, Index, Stamp
from analyzer.ledger import Ledger
from analyzer.zone_loading import bundled, load_zone_set
from tests.sharding.test_ledger import assert_all_the_same, done, judge
from tests.sharding.test_shards import TABLES, drive
from tests.unit.test_recording_dirt import split

ROOT = Path(__file__).resolve().parents[2]
OLD_S = 3600


def write(path, frame):
    """Write a log that has been at rest for an hour."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(frame.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%:z"), encoding="utf-8")
    then = time.time() - OLD_S
    os.utime(path, (then, then))
    return path


@pytest.fixture
def logs(tmp_path):
    """Return six logs of two vehicles, that go on from one to the next."""
    folder = tmp_path / "logs"
    for number in range(3):
        for vehicle, lon in (("V", 126.82), ("W", 126.80)):
            frame = drive(200, start=200 * number, lon=lon, vehicle=vehicle)
            write(folder / f"{vehicle}{number}.csv", frame)
    return sorted(folder.glob("*.csv"))


@pytest.fixture
def zone_set():
    return load_zone_set("demo")


def no_reading(monkeypatch):
    def refuse(*arguments):
        pytest.fail(f"{arguments[0].path} is read again")

    monkeypatch.setattr(analyzer.tasks, "read_part", refuse)


def test_only_what_is_new_or_changed_is_done(home, tmp_path, logs, zone_set):
    _, first = judge(logs[:5], zone_set, home.where)
    assert done(first) >= 2  # small logs share a task
    _, second = judge(logs, zone_set, home.where)
    assert done(second) <= 2  # the new log, and the seams of its day
    write(logs[0], drive(190, vehicle="V"))
    changed, third = judge(logs, zone_set, home.where)
    assert done(third) <= 2
    assert_all_the_same(analyze(logs, zone_set), changed)
    left, fourth = judge(logs[1:], zone_set, home.where)
    assert done(fourth) <= 2  # those that shared a task with it, and the seams
    assert_all_the_same(analyze(logs[1:], zone_set), left)


def test_another_rule_reads_no_log_again(home, tmp_path, logs, zone_set, monkeypatch):
    judge(logs, zone_set, home.where)
    shutil.copytree(bundled()["demo"], tmp_path / "stricter")
    rules = tmp_path / "stricter" / "rules.toml"
    rules.write_text(rules.read_text("utf-8").replace("max_speed_kph = 7.0", "max_speed_kph = 3.0"), encoding="utf-8")
    stricter = load_zone_set(tmp_path / "stricter")
    whole = analyze(logs, stricter)
    no_reading(monkeypatch)
    again, ledger = judge(logs, stricter, home.where)
    assert done(ledger) >= 2
    assert_all_the_same(whole, again)
    assert "speed-limit" in again.findings["check"].to_list()


def test_comments_and_order_of_keys_change_nothing(home, tmp_path, logs, zone_set):
    judge(logs, zone_set, home.where)
    shutil.copytree(bundled()["demo"], tmp_path / "same")
    rules = tmp_path / "same" / "rules.toml"
    rules.write_text("# a comment\n" + rules.read_text("utf-8"), encoding="utf-8")
    _, ledger = judge(logs, load_zone_set(tmp_path / "same"), home.where)
    assert done(ledger) == 0


def test_unsorted_vehicles_are_judged_from_what_is_kept(home, tmp_path, zone_set, monkeypatch):
    shuffled = pl.concat([drive(600), drive(600, vehicle="W")]).sample(fraction=1.0, shuffle=True, seed=1)
    logs = [write(tmp_path / "logs" / f"{n}.csv", shuffled[n * 400 : n * 400 + 400]) for n in range(3)]
    whole = analyze(logs, zone_set)
    first, ledger = judge(logs, zone_set, home.where)
    assert_all_the_same(whole, first)
    assert done(ledger) > 3
    no_reading(monkeypatch)
    again, ledger = judge(logs, zone_set, home.where)
    assert done(ledger) == 0
    assert_all_the_same(whole, again)


def test_logs_may_be_moved(home, tmp_path, logs, zone_set):
    judge(logs, zone_set, home.where)
    moved = tmp_path / "moved"
    shutil.move(logs[0].parent, moved)
    logs = sorted(moved.glob("*.csv"))
    again, ledger = judge(logs, zone_set, home.where)
    assert done(ledger) == 0
    assert_all_the_same(analyze(logs, zone_set), again)


def test_the_name_of_a_file_counts_where_vehicles_are_called_after_it(tmp_path, zone_set):
    frame = drive(100).drop("vehicle_id")
    one = write(tmp_path / "logs" / "one.csv", frame)
    judge([one], zone_set, tmp_path / "ledger")
    two = one.rename(one.with_name("two.csv"))
    again, _ = judge([two], zone_set, tmp_path / "ledger")
    assert again.coverage["vehicle_id"].unique().to_list() == ["two"]


def test_a_change_that_keeps_size_and_time_is_seen(home, tmp_path, logs, zone_set):
    judge(logs, zone_set, home.where)
    before = Stamp.of(str(logs[0]))
    text = logs[0].read_text("utf-8")
    logs[0].write_text(text.replace(",3.6", ",9.9"), encoding="utf-8")
    os.utime(logs[0], ns=(before.mtime_ns, before.mtime_ns))
    again, _ = judge(logs, zone_set, home.where)
    assert Stamp.of(str(logs[0])).size == before.size
    assert_all_the_same(analyze(logs, zone_set), again)


def test_a_file_that_was_just_written_is_not_taken_for_known(tmp_path, zone_set):
    log = write(tmp_path / "logs" / "a.csv", drive(100))
    os.utime(log)
    judge([log], zone_set, tmp_path / "ledger")
    base = sqlite3.connect(tmp_path / "ledger" / INDEX)
    assert base.execute("SELECT count(*) FROM files").fetchone() == (0,)
    base.close()


def test_a_file_that_changes_while_it_is_read_is_named_and_not_kept(home, tmp_path, logs, zone_set, monkeypatch):
    honest = analyzer.tasks.read_part

    def meddling(plan, part, options):
        log = honest(plan, part, options)
        if plan.path == str(logs[0]):
            write(logs[0], drive(150, vehicle="V"))
        return log

    monkeypatch.setattr(analyzer.tasks, "read_part", meddling)
    analysis, _ = judge(logs, zone_set, home.where)
    assert "was changed while it was read" in str(analysis.logs[0].error)
    monkeypatch.undo()
    again, _ = judge(logs, zone_set, home.where)
    assert_all_the_same(analyze(logs, zone_set), again)


@pytest.mark.parametrize("kind", ["plans", "records", "judged", "pieces"])
@pytest.mark.parametrize("harm", ["flipped", "short", "empty", "other"])
def test_what_is_damaged_is_named_and_made_again(home, tmp_path, logs, zone_set, kind, harm):
    whole, _ = judge(logs, zone_set, home.where)
    for name in home.names(kind):
        content = home.read(name)
        middle = len(content) // 2
        damaged = {
            "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "short": content[:middle],
            "empty": b"",
            "other": b'[{"receipt": null}]',
        }
        home.write(name, damaged[harm])
    again, ledger = judge(logs, zone_set, home.where)
    assert_all_the_same(whole, again)
    if kind != "records":  # nobody asks for records of which the verdict is known
        assert any(name.startswith(kind) for name in ledger.damaged)
    third, ledger = judge(logs, zone_set, home.where)
    assert_all_the_same(whole, third)
    assert (ledger.damaged, done(ledger)) == ([], 0)


def test_damaged_records_are_read_again(home, tmp_path, logs, zone_set):
    judge(logs, zone_set, home.where)
    for name in home.names("records"):
        home.write(name, home.read(name)[:-2])
    home.remove("judged")
    again, ledger = judge(logs, zone_set, home.where)
    assert_all_the_same(analyze(logs, zone_set), again)
    assert [name.split("/")[0] for name in ledger.damaged] == ["records"] * 6


@pytest.mark.parametrize("kind", ["plans", "records", "judged"])
def test_a_sealed_receipt_of_somebody_else_is_made_again(home, tmp_path, logs, zone_set, kind):
    whole, ledger = judge(logs, zone_set, home.where)
    for key in (Path(name).stem for name in home.names(kind)):
        body = ledger.store.receipt(kind, key)
        strange = {"piece": body.get("piece"), "plan": {"x": 1}, "remarks": {"a": 1}, "readings": 7}
        ledger.store.commit(kind, key, strange)
    if kind == "records":
        home.remove("judged")
    again, ledger = judge(logs, zone_set, home.where)
    assert_all_the_same(whole, again)
    assert {name.split("/")[0] for name in ledger.damaged} == {kind}


@pytest.mark.parametrize("harm", ["gone", "nonsense", "forged"])
def test_an_index_that_is_gone_or_damaged_costs_only_time(tmp_path, logs, zone_set, harm):
    whole, _ = judge(logs, zone_set, tmp_path / "ledger")
    index = tmp_path / "ledger" / INDEX
    if harm == "forged":
        base = sqlite3.connect(index)
        with base:
            base.execute("UPDATE files SET sha256 = (SELECT max(sha256) FROM files)")
        base.close()
    else:
        index.unlink()
        if harm == "nonsense":
            index.write_bytes(b"nonsense" * 1000)
    again, ledger = judge(logs, zone_set, tmp_path / "ledger")
    assert_all_the_same(whole, again)
    assert done(ledger) == 0
    assert (ledger.damaged == [INDEX]) == (harm == "nonsense")


def test_two_runs_at_once(home, tmp_path, logs, zone_set):
    whole = analyze(logs, zone_set)
    found = []
    runs = [threading.Thread(target=lambda: found.append(judge(logs, zone_set, home.where)[0])) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(found) == 3
    for analysis in found:
        assert_all_the_same(whole, analysis)


def test_a_new_index_is_opened_by_many_at_once(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("time", encoding="utf-8")

    def use(folder):
        index = Index(folder, list, pytest.fail)
        index.known([str(file)])
        index.remember([(str(file), Stamp.of(str(file)), "0" * 64)])
        return index.known([str(file)])

    for number in range(20):  # one in fifty used to meet a lock
        folder = tmp_path / str(number)
        folder.mkdir()
        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(use, [folder] * 8))


def test_a_folder_that_is_no_ledger_is_left_alone(tmp_path, logs, zone_set):
    other = tmp_path / "documents"
    other.mkdir()
    (other / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.at(other)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    with pytest.raises(LedgerError, match="is a file"):
        Ledger.at(logs[0])


def test_urls_are_refused(tmp_path, zone_set):
    with pytest.raises(LedgerError, match="URL"):
        judge(["https://example.org/a.csv"], zone_set, tmp_path / "ledger")


def test_what_cannot_be_read_is_tried_again(home, tmp_path, logs, zone_set):
    bad = logs[0].with_name("bad.csv")
    bad.write_text(logs[0].read_text("utf-8").replace("+00:00", ""), encoding="utf-8")
    for _ in range(2):
        analysis, _ = judge([*logs, bad], zone_set, home.where)
        assert "--timezone" in str([a.error for a in analysis.logs if a.error])
    with pytest.raises(LogError):
        judge([bad], zone_set, home.where)


def command(folder, ledger, out, *more):
    arguments = [
        "analyze",
        str(folder),
        "--zones",
        "demo",
        "--out",
        str(out),
        "--no-map",
        "--no-report",
        "--lang",
        "en",
    ]
    return [sys.executable, str(ROOT / "cli.py"), *arguments, "--ledger", str(ledger), *more]


def run(*arguments, **options):
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120, check=False, **options)


def tables(out):
    return {name: (out / f"{name}.parquet").read_bytes() for name in TABLES}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_instant_a_second_run_finishes(tmp_path, logs, seed):
    folder, ledger, out = logs[0].parent, tmp_path / "ledger", tmp_path / "out"
    assert run(folder, tmp_path / "other", tmp_path / "whole").returncode in (0, 1, 3)
    choose = random.Random(seed)
    for _ in range(3):
        killed = subprocess.Popen(command(folder, ledger, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(choose.uniform(0.3, 1.5))
        killed.kill()
        killed.wait()
    finished = run(folder, ledger, out)
    assert "damaged" not in finished.stderr
    assert tables(out) == tables(tmp_path / "whole")
    assert (out / "summary.json").read_bytes() == (tmp_path / "whole" / "summary.json").read_bytes()
    second = run(folder, ledger, out)
    assert " 0 pieces judged" in second.stderr


DEADLY = """
import os, signal, sys
(lambda folder: open(os.path.join(folder, f"{os.getpid()}"), "w").close())(os.environ["SEEN"])
if os.environ.get("DEADLY") and ("analyze" in sys.argv or "--multiprocessing-fork" in sys.orig_argv):
    import analyzer.tasks
    honest = analyzer.tasks.read_batch
    def read_batch(batch, *others):
        if any(piece.plan.path.endswith(os.environ["DEADLY"]) for piece in batch):
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(batch, *others)
    analyzer.tasks.read_batch = read_batch
"""


@pytest.fixture
def deadly(tmp_path):
    """Return what runs where a log kills every process that judges it, and how many processes of Python there were."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(DEADLY, encoding="utf-8")

    def judged(name, *arguments, cores=None):
        seen = tmp_path / "seen"
        shutil.rmtree(seen, ignore_errors=True)
        seen.mkdir()
        path = f"{tmp_path / 'site'}{os.pathsep}{ROOT}"
        environment = os.environ | {"DEADLY": name, "SEEN": str(seen), "PYTHONPATH": path}
        limit = cores and (lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores]))
        return run(*arguments, env=environment, preexec_fn=limit), len(list(seen.iterdir()))

    return judged


def errors(out):
    """Return the logs that have an error, by name."""
    logs = json.loads((out / "summary.json").read_text("utf-8"))["logs"]
    return {log["path"].rsplit("/")[-1]: log["error"] for log in logs if log["error"]}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the processors of a process cannot be set")
@pytest.mark.parametrize("cores", [1, None])
def test_a_log_that_kills_whoever_judges_it_does_not_kill_the_run(tmp_path, logs, deadly, cores):
    folder, ledger, out = logs[0].parent, tmp_path / "ledger", tmp_path / "out"
    assert run(folder, tmp_path / "other", tmp_path / "whole").returncode in (0, 1, 3)
    first, _ = deadly("V1.csv", folder, ledger, out, cores=cores)
    assert first.returncode == 4, first.stderr
    assert list(errors(out)) == ["V1.csv"]
    assert "killed again and again" in errors(out)["V1.csv"]
    again, _ = deadly("", folder, ledger, out, cores=cores)
    assert again.returncode in (1, 3), again.stderr
    assert tables(out) == tables(tmp_path / "whole")
    shutil.copytree(bundled()["demo"], tmp_path / "stricter")
    rules = tmp_path / "stricter" / "rules.toml"
    rules.write_text(rules.read_text("utf-8").replace("max_speed_kph = 7.0", "max_speed_kph = 3.0"), encoding="utf-8")
    kept, _ = deadly("W2.csv", folder, ledger, out, "--zones", str(tmp_path / "stricter"), cores=cores)
    assert kept.returncode == 4, kept.stderr
    assert list(errors(out)) == ["W2.csv"]  # though its records are kept


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_where_nothing_is_to_be_judged_no_process_is_started(tmp_path, logs, deadly):
    arguments = (logs[0].parent, tmp_path / "ledger", tmp_path / "out")
    assert deadly("", *arguments)[1] > 1
    second, processes = deadly("", *arguments)
    assert " 0 pieces judged" in second.stderr
    assert processes == 1


@pytest.mark.parametrize(("limit", "said"), [(4_000, "cannot be used"), (50_000, "cannot be written")])
def test_a_full_disk_changes_no_result(tmp_path, logs, limit, said):
    resource = pytest.importorskip("resource")
    folder, ledger, out = logs[0].parent, tmp_path / "ledger", tmp_path / "out"
    assert run(folder, ledger, out).returncode in (0, 1, 3)
    before = {path: path.read_bytes() for path in out.iterdir()}
    write(folder / "X0.csv", drive(20_000, vehicle="X"))
    full = run(folder, ledger, out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert full.returncode == 4, full.stderr
    assert said in full.stderr
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    after = run(folder, ledger, out)
    assert "damaged" not in after.stderr
    assert "1 new" in after.stderr
    assert analyze(sorted(folder.glob("*.csv")), load_zone_set("demo"), Options(draw=False)).findings.height == (
        pl.read_parquet(out / "findings.parquet").height
    )


@pytest.fixture
def disk(tmp_path):
    """Return a small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", place]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk):
    """Leave no room on a file system."""
    with (disk / "other").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def contents(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("harm", ["full", "in the way"])
def test_a_run_that_cannot_be_booked_changes_no_result(tmp_path, logs, harm, request):
    folder, out = logs[0].parent, tmp_path / "out"
    ledger = request.getfixturevalue("disk") / "ledger" if harm == "full" else tmp_path / "ledger"
    whole = [word for word in command(folder, ledger, out) if word not in ("--no-map", "--no-report")]
    assert subprocess.run(whole, capture_output=True, check=False).returncode in (0, 1, 3)
    before = contents(out)
    less = [*whole, "--no-map"]
    if harm == "full":
        fill(ledger.parent)
    else:
        (ledger / "runs").rename(ledger / "past")
        (ledger / "runs").touch()
    failed = subprocess.run(less, capture_output=True, text=True, check=False)  # nothing is written but its manifest
    assert failed.returncode == 4
    assert "cannot be written" in failed.stderr
    assert "no result was changed" in failed.stderr
    assert contents(out) == before
    assert not list(tmp_path.glob(".zonelog-*"))
    if harm == "full":
        (ledger.parent / "other").unlink()
    else:
        (ledger / "runs").unlink()
    assert subprocess.run(less, capture_output=True, check=False).returncode in (0, 1, 3)
    assert contents(out).keys() == before.keys() - {"map.html"}


def test_a_run_whose_result_cannot_be_put_in_its_place_is_withdrawn(tmp_path, logs, disk):
    done = run(logs[0].parent, tmp_path / "ledger", disk)  # a folder that is mounted cannot be replaced
    assert (done.returncode, "the previous result is unchanged" in done.stderr) == (4, True), done.stderr
    assert list((tmp_path / "ledger" / "runs").iterdir()) == []
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("new", [False, True])
def test_a_ledger_that_can_only_be_read_is_said_and_its_runs_are_shown(tmp_path, logs, disk, new):
    folder, ledger, out = logs[0].parent, disk / "ledger", tmp_path / "out"
    assert run(folder, ledger, out).returncode in (0, 1, 3)
    before = contents(out)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    if new:
        write(folder / "X0.csv", drive(200, vehicle="X"))
    failed = run(folder, ledger, out)
    said = f"zonelog: {ledger}: the ledger cannot be written (Read-only file system); make it writable,"
    assert (failed.returncode, failed.stdout, failed.stderr.startswith(said)) == (4, "", True), failed.stderr
    assert "no result was changed" in failed.stderr
    assert contents(out) == before
    show = [sys.executable, str(ROOT / "cli.py"), "runs", "show", str(ledger), "last", "--out", str(tmp_path / "again")]
    shown = subprocess.run(show, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert contents(tmp_path / "again") == before


def test_a_ledger_in_the_way_is_refused(tmp_path, logs):
    folder = logs[0].parent
    assert "lies in a folder of logs" in run(folder, folder / "ledger", tmp_path / "out").stderr
    assert "lies in the output" in run(folder, tmp_path / "out" / "ledger", tmp_path / "out").stderr
    assert not (tmp_path / "out").exists()


def test_recordings_of_several_files(home, tmp_path, zone_set):
    folder = split(tmp_path / "morning", ["m_0.mcap", "m_1.mcap"])
    log = folder / "metadata.yaml"
    whole = analyze([log], zone_set)
    first, ledger = judge([log], zone_set, home.where)
    assert_all_the_same(whole, first)
    moved = tmp_path / "elsewhere" / "morning"
    shutil.copytree(folder, moved)
    again, ledger = judge([moved / "metadata.yaml"], zone_set, home.where)
    assert done(ledger) == 0
    assert_all_the_same(analyze([moved / "metadata.yaml"], zone_set), again)
    (moved / "m_1.mcap").unlink()
    less, _ = judge([moved / "metadata.yaml"], zone_set, home.where)
    assert_all_the_same(analyze([moved / "metadata.yaml"], zone_set), less)


def test_real_logs_with_a_ledger(real_logs, tmp_path, zone_set, monkeypatch):
    logs = sorted(
        path for path in real_logs.iterdir() if path.suffix in (".mcap", ".bag", ".csv", ".nmea", ".gpx", ".psv")
    )
    whole = analyze(logs, zone_set, Options(draw=False))
    first, ledger = judge(logs, zone_set, tmp_path / "ledger", draw=False)
    assert_all_the_same(whole, first)
    assert done(ledger) > 3
    failed = {account.path for account in whole.logs if account.error}
    good = [path for path in logs if str(path) not in failed]
    judge(good, zone_set, tmp_path / "ledger", draw=False)
    no_reading(monkeypatch)
    again, ledger = judge(good, zone_set, tmp_path / "ledger", draw=False)
    assert done(ledger) == 0
    monkeypatch.undo()
    assert_all_the_same(analyze(good, zone_set, Options(draw=False)), again)
