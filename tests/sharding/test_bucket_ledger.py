"""A ledger and a result in object storage: as in folders, and what goes wrong there is said."""

import html
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sharding.s3 import needs_s3
from tests.sharding.test_engines import contents, needs_ray
from tests.sharding.test_shards import drive

pytestmark = needs_s3
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def at(tmp_path, bucket):
    """Return an address of this test's own, with two logs below `logs`, which also are files."""
    (tmp_path / "logs").mkdir()
    for number in range(2):
        frame = drive(400, start=400 * number, vehicle="V")
        text = frame.write_csv(datetime_format="%FT%T%:z")
        (tmp_path / "logs" / f"{number}.csv").write_text(text, encoding="utf-8")
        bucket.put(f"{tmp_path.name}/logs/{number}.csv", text.encode())
    bucket.refuse("")
    bucket.asked()
    yield f"s3://fleet/{tmp_path.name}"
    bucket.refuse("")


def zonelog(bucket, folder, *arguments, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-m", "tests.sharding.engine_run", *arguments, "--lang", "en"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | bucket.environment | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def analyze(bucket, folder, logs, out, *more, **environment):
    return zonelog(bucket, folder, "analyze", logs, "--zones", "demo", "--out", out, *more, **environment)


def without_command(files):
    """Return a result but for what was typed, which the report and run.json repeat."""
    record = json.loads(files["run.json"])
    typed = html.escape(" ".join(record.pop("command")), quote=False)
    assert typed in files["report.html"].decode()
    record["outputs"].pop("report.html")
    return files | {"run.json": record, "report.html": files["report.html"].decode().replace(typed, "")}


@pytest.mark.parametrize("engine", ["serial", "local", pytest.param("ray", marks=needs_ray)])
def test_logs_ledger_and_result_in_a_bucket(bucket, at, tmp_path, engine):
    name = tmp_path.name
    there = ("--ledger", f"{at}/ledger", "--engine", engine)
    first = analyze(bucket, tmp_path, f"{at}/logs", f"{at}/out", *there)
    assert first.returncode in (0, 1, 3), first.stderr
    assert "2 new, 0 changed" in first.stderr
    fetched = [line for line in bucket.asked("GET") if "/logs/" in line]
    assert len(fetched) >= 2
    here = analyze(bucket, tmp_path, f"{at}/logs", "out", "--ledger", "ledger")
    assert here.returncode == first.returncode, here.stderr
    assert without_command(bucket.contents(f"{name}/out")) == without_command(contents(tmp_path / "out"))
    bucket.asked()
    again = analyze(bucket, tmp_path, f"{at}/logs", f"{at}/out", *there)
    assert " 0 pieces judged" in again.stderr, again.stderr
    assert "0 new, 0 changed, 0 removed, 2 known logs" in again.stderr
    assert [line for line in bucket.asked("GET") if "/logs/" in line] == []
    assert without_command(bucket.contents(f"{name}/out")) == without_command(contents(tmp_path / "out"))
    bucket.put(f"{name}/logs/1.csv", (tmp_path / "logs" / "1.csv").read_bytes()[:-100])
    changed = analyze(bucket, tmp_path, f"{at}/logs", f"{at}/out", *there)
    assert "0 new, 1 changed, 0 removed, 1 known logs" in changed.stderr
    assert {line.split()[1] for line in bucket.asked("GET") if "/logs/" in line} == {f"/fleet/{name}/logs/1.csv"}


def test_receipts_and_pieces_are_only_created(bucket, at, tmp_path):
    assert analyze(bucket, tmp_path, "logs", "out", "--ledger", f"{at}/ledger").returncode in (0, 1, 3)
    puts = [line for line in bucket.asked("PUT") if "/ledger/" in line]
    assert len(puts) > 8
    assert all(line.endswith(" *") for line in puts)


def test_damage_is_named_and_replaced_under_the_condition_that_it_is_still_that(bucket, at, tmp_path):
    arguments = ("logs", "out", "--ledger", f"{at}/ledger", "--no-map", "--no-report")
    analyze(bucket, tmp_path, *arguments)
    before = contents(tmp_path / "out")
    damaged = bucket.keys(f"{tmp_path.name}/ledger/judged")[0]
    bucket.put(damaged, bucket.get(damaged)[:-5])
    bucket.asked()
    again = analyze(bucket, tmp_path, *arguments)
    assert (
        f"{damaged.removeprefix(f'{tmp_path.name}/ledger/')} was damaged or missing; it was made again" in again.stderr
    )
    puts = [line for line in bucket.asked("PUT") if damaged in line]
    assert puts[0].endswith(" *")
    assert puts[1].endswith('"')  # the ETag of what was damaged
    assert contents(tmp_path / "out") == before


def test_runs_and_diff_of_a_ledger_in_a_bucket(bucket, at, tmp_path):
    ledger = ("--ledger", f"{at}/ledger")
    analyze(bucket, tmp_path, f"{at}/logs", "out", *ledger)
    then = contents(tmp_path / "out")
    bucket.delete(f"{tmp_path.name}/logs/1.csv")
    (tmp_path / "logs" / "1.csv").unlink()
    analyze(bucket, tmp_path, f"{at}/logs", "less", *ledger)
    listed = zonelog(bucket, tmp_path, "runs", f"{at}/ledger")
    assert "1 removed log" in listed.stdout, listed.stderr
    first = Path(bucket.keys(f"{tmp_path.name}/ledger/runs")[0]).stem
    shown = zonelog(bucket, tmp_path, "runs", "show", f"{at}/ledger", first, "--out", f"{at}/again")
    assert "with the same bytes" in shown.stderr
    assert bucket.contents(f"{tmp_path.name}/again") == then
    differs = zonelog(bucket, tmp_path, "diff", f"{at}/ledger", first, "last")
    assert "findings" in differs.stdout, differs.stderr


def test_a_store_that_refuses_writes_changes_nothing(bucket, at, tmp_path):
    more = ("--no-map", "--no-report")
    analyze(bucket, tmp_path, "logs", f"{at}/out", *more)
    before = bucket.contents(f"{tmp_path.name}/out")
    (tmp_path / "logs" / "1.csv").unlink()
    bucket.refuse("^PUT .*/ledger/")
    done = analyze(bucket, tmp_path, "logs", f"{at}/out", *more, "--ledger", f"{at}/ledger")
    assert (done.returncode, "/ledger/ledger.json: cannot be written" in done.stderr) == (4, True), done.stderr
    bucket.refuse("^PUT .*/out/")
    done = analyze(bucket, tmp_path, "logs", f"{at}/out", *more)
    assert (done.returncode, "the previous result is unchanged" in done.stderr) == (4, True), done.stderr
    bucket.refuse("^PUT .*/out/.zonelog-.*/summary.json")  # the last but one
    done = analyze(bucket, tmp_path, "logs", f"{at}/out", *more)
    assert (done.returncode, "the previous result is unchanged" in done.stderr) == (4, True), done.stderr
    assert bucket.contents(f"{tmp_path.name}/out") == before
    bucket.refuse("^PUT .*/out/summary.json")
    done = analyze(bucket, tmp_path, "logs", f"{at}/out", *more)
    assert (done.returncode, "unfinished and has no run.json" in done.stderr) == (4, True), done.stderr
    assert "run.json" not in bucket.contents(f"{tmp_path.name}/out")


def test_a_run_is_booked_before_its_result_takes_its_place_and_withdrawn_where_it_cannot(bucket, at, tmp_path):
    arguments = ("logs", f"{at}/out", "--ledger", f"{at}/ledger", "--no-map", "--no-report")
    assert analyze(bucket, tmp_path, *arguments).returncode in (0, 1, 3)
    before, booked = bucket.contents(f"{tmp_path.name}/out"), bucket.keys(f"{tmp_path.name}/ledger/runs")
    (tmp_path / "logs" / "1.csv").unlink()
    bucket.refuse("^PUT .*/ledger/runs/")
    done = analyze(bucket, tmp_path, *arguments)
    assert (done.returncode, "no result was changed" in done.stderr) == (4, True), done.stderr
    assert bucket.contents(f"{tmp_path.name}/out") == before
    bucket.refuse("^PUT .*/out/summary.json")
    done = analyze(bucket, tmp_path, *arguments)
    assert (done.returncode, "unfinished and has no run.json" in done.stderr) == (4, True), done.stderr
    assert bucket.keys(f"{tmp_path.name}/ledger/runs") == booked
    bucket.refuse("")
    assert analyze(bucket, tmp_path, *arguments).returncode in (0, 1, 3)
    assert len(bucket.keys(f"{tmp_path.name}/ledger/runs")) == len(booked) + 1


def test_a_store_that_does_not_answer_is_named(bucket, at, tmp_path):
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    done = analyze(bucket, tmp_path, "logs", "out", "--ledger", f"{at}/ledger", **nobody)
    assert (done.returncode, "/ledger/ledger.json: cannot be read" in done.stderr) == (4, True), done.stderr
    done = analyze(bucket, tmp_path, "logs", f"{at}/out", **nobody)
    assert (done.returncode, "/out/run.json: cannot be read" in done.stderr) == (4, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_not_ours_is_left_alone(bucket, at, tmp_path):
    bucket.put(f"{tmp_path.name}/letters/a.txt", b"dear")
    done = analyze(bucket, tmp_path, "logs", f"{at}/letters")
    assert (done.returncode, "holds objects that zonelog did not write" in done.stderr) == (4, True)
    done = analyze(bucket, tmp_path, "logs", "out", "--ledger", f"{at}/letters")
    assert (done.returncode, "is no ledger (no ledger.json) and not empty" in done.stderr) == (4, True)
    assert bucket.keys(f"{tmp_path.name}/letters") == [f"{tmp_path.name}/letters/a.txt"]
    done = analyze(bucket, tmp_path, f"{at}/logs", f"{at}/logs/out")
    assert "lies among the logs" in done.stderr
    done = analyze(bucket, tmp_path, f"{at}/logs", "out", "--ledger", f"{at}/logs/ledger")
    assert "lies in a folder of logs" in done.stderr
    done = zonelog(bucket, tmp_path, "explain", f"{at}/out", "x")
    assert (done.returncode, "copy it here first" in done.stderr) == (2, True)


def test_a_result_replaces_one_and_what_that_had_more_goes(bucket, at, tmp_path):
    analyze(bucket, tmp_path, "logs", f"{at}/out")
    assert bucket.kind(f"{tmp_path.name}/out/report.html") == "text/html; charset=utf-8"
    bucket.put(f"{tmp_path.name}/out/note.txt", b"mine")
    bucket.asked()
    analyze(bucket, tmp_path, "logs", f"{at}/out", "--no-map", "--no-report")
    changes = [
        line for line in bucket.asked() if line.startswith(("PUT", "DELETE", "POST")) and "/.zonelog-" not in line
    ]
    places = [line.split()[1].rpartition("/")[2] for line in changes if line.startswith("PUT")]
    assert places[-1] == "run.json"
    found = bucket.contents(f"{tmp_path.name}/out")
    assert set(found) == set(json.loads(found["run.json"])["outputs"]) | {"run.json", "note.txt"}
    assert "report.html" not in found


def test_a_second_run_finishes_what_a_killed_one_began(bucket, at, tmp_path):
    bucket.put(f"{tmp_path.name}/out/.zonelog-0123/summary.json", b"{}")
    bucket.put(f"{tmp_path.name}/out/findings.csv", b"half")
    done = analyze(bucket, tmp_path, "logs", f"{at}/out", "--no-map", "--no-report")
    assert done.returncode in (0, 1, 3), done.stderr
    assert bucket.get(f"{tmp_path.name}/out/findings.csv") != b"half"
