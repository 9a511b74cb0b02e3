"""Whoever judges: the same bytes. What a killed worker did is done again; what always kills is named."""

import importlib.util
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import polars as pl
import psutil
import pytest

from analyzer.engines import engine_of
from analyzer.errors import WorkerError
from tests.sharding.test_shards import drive

ROOT = Path(__file__).resolve().parents[2]
ASKED = os.environ.get("EXTRAS", "").replace(",", " ").split()
HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(
    not HAS_RAY and "ray" not in ASKED, reason="RAY IS NOT INSTALLED: make test EXTRAS=ray,s3 tests --engine ray"
)
ENGINES = ["serial", "local", pytest.param("ray", marks=needs_ray)]


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Return a folder of logs: trips that go on over files, vehicles in disorder, a file that is none."""
    folder = tmp_path_factory.mktemp("engines") / "logs"
    folder.mkdir()
    for number in range(3):
        frames = [drive(400, start=400 * number, lon=126.80 + 0.02 * v, vehicle=f"V{v}") for v in range(3)]
        write(folder / f"trips{number}.csv", pl.concat(frames))
    shuffled = pl.concat([drive(500, vehicle="X"), drive(500, lon=126.85, vehicle="Y")])
    write(folder / "shuffled.csv", shuffled.sample(fraction=1.0, shuffle=True, seed=1))
    (folder / "none.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return folder


def write(path, frame):
    path.write_text(frame.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%:z"), encoding="utf-8")


def started(engine, logs, folder, *more, **environment):
    """Start an analysis in a folder of its own, so that the command is the same."""
    folder.mkdir(exist_ok=True)
    arguments = ["analyze", str(logs), "--zones", "demo", "--out", "out", "--lang", "en", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sharding.engine_run", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "ZONELOG_ENGINE": engine} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    said = process.communicate(timeout=240)
    return process.returncode, *said


def run(engine, logs, folder, *more, **environment):
    return ended(started(engine, logs, folder, *more, **environment))


def contents(out):
    """Return all files of a result."""
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module", params=[(), ("--ledger", "ledger")], ids=["", "ledger"])
def more(request):
    """Return further arguments."""
    return request.param


@pytest.fixture(scope="module")
def serial(logs, more, tmp_path_factory):
    """Return what the serial run wrote."""
    folder = tmp_path_factory.mktemp("serial")
    status, _, errors = run("serial", logs, folder, *more)
    assert status == 4, errors  # none.csv
    return contents(folder / "out")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_byte_is_that_of_the_serial_run(engine, logs, more, serial, tmp_path):
    status, _, errors = run(engine, logs, tmp_path, *more)
    assert status == 4, errors
    assert contents(tmp_path / "out") == serial


@needs_ray
@pytest.mark.parametrize("seed", range(1))
def test_a_killed_worker_of_ray_changes_nothing(logs, more, serial, tmp_path, seed):
    process = started("ray", logs, tmp_path, *more)
    killed = []

    def kill():
        choose = random.Random(seed)
        while process.poll() is None and not killed:
            with suppress(psutil.Error):
                at_work = [w for w in psutil.Process(process.pid).children(recursive=True) if "ray::_work" in w.name()]
                if at_work:
                    time.sleep(choose.uniform(0, 0.3))
                    at_work[0].kill()
                    killed.append(at_work[0].pid)
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    status, _, errors = ended(process)
    killer.join()
    assert killed
    assert status == 4, errors
    assert contents(tmp_path / "out") == serial


DEADLY = """
import os, signal, sys
if os.environ.get("DEADLY") and any("default_worker.py" in word for word in sys.orig_argv):
    import analyzer.tasks
    honest = analyzer.tasks.read_part
    def read_part(plan, part, options):
        if plan.path.endswith(os.environ["DEADLY"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(plan, part, options)
    analyzer.tasks.read_part = read_part
"""


@needs_ray
def test_a_log_that_always_kills_its_worker_is_named_and_the_others_are_judged(logs, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(DEADLY, encoding="utf-8")
    (logs / "none.csv").rename(tmp_path / "none.csv")
    path = f"{tmp_path / 'site'}{os.pathsep}{ROOT}"
    try:
        ledger = ("--ledger", "ledger")
        status, _, errors = run("ray", logs, tmp_path, *ledger, DEADLY="trips1.csv", PYTHONPATH=path)
        assert status == 4, errors
        account = {log["path"].rsplit("/")[-1]: log["error"] for log in summary(tmp_path)["logs"]}
        assert "killed again and again" in account.pop("trips1.csv")
        assert set(account.values()) == {None}
        status, _, errors = run("ray", logs, tmp_path, *ledger)
        assert status in {1, 3}, errors
        (tmp_path / "serial").mkdir()
        run("serial", logs, tmp_path / "serial", *ledger)
        assert contents(tmp_path / "out") == contents(tmp_path / "serial" / "out")
    finally:
        (tmp_path / "none.csv").rename(logs / "none.csv")


def summary(folder):
    return json.loads((folder / "out" / "summary.json").read_text("utf-8"))


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_a_sentence_says_what_to_install(logs, tmp_path):
    status, _, errors = run("ray", logs, tmp_path)
    assert (status, errors) == (4, 'zonelog: --engine ray needs Ray; install it: pip install "zonelog[ray]"\n')


@needs_ray
def test_no_cluster_at_an_address_is_said(logs, tmp_path):
    status, _, errors = run("ray", logs, tmp_path, RAY_ADDRESS="127.0.0.1:1")
    assert status == 4
    assert "no cluster at 127.0.0.1:1" in errors


@needs_ray
def test_ray_is_refused_below_a_folder_with_spaces(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/my tools/bin/python")
    with engine_of("ray") as engine, pytest.raises(WorkerError, match="has spaces"):
        engine.start()


def is_free(port):
    with socket.socket() as candidate:
        return candidate.connect_ex(("127.0.0.1", port)) != 0


@needs_ray
def test_a_cluster_that_runs_already_is_used_and_left(logs, tmp_path):
    port = next(port for port in range(6400, 9000) if is_free(port))  # below those that Ray gives to workers
    variables = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    options = [f"--port={port}", "--num-cpus=2", "--include-dashboard=false", "--block"]
    ray = Path(sys.executable).with_name("ray")
    with (tmp_path / "head.log").open("w") as told:
        head = subprocess.Popen(
            [ray, "start", "--head", *options], env=os.environ | variables, stdout=told, stderr=told
        )
    try:
        until = time.monotonic() + 60
        while "Ray runtime started" not in (tmp_path / "head.log").read_text() and time.monotonic() < until:
            time.sleep(0.5)
        folder = tmp_path / "run"
        shutil.copytree(logs, folder / "logs")  # relative paths, of which the workers know nothing
        status, said, errors = run("ray", "logs", folder, "--json", RAY_ADDRESS=f"127.0.0.1:{port}", **variables)
        assert status == 4, errors
        assert said, errors
        assert run("serial", "logs", tmp_path / "run", "--json")[1] == said
        assert head.poll() is None
    finally:
        head.terminate()
        head.wait(60)


@needs_ray
def test_ray_does_again_what_was_lost_or_late_and_gives_up_in_the_end(tmp_path):
    cases = ["once", "always", "late", "always-late", "raises"]
    code = [sys.executable, "-m", "tests.sharding.hand_out", str(tmp_path), *cases]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    whole = [[number, 0] for number in range(8)]
    for case in ("once", "late"):
        assert found[case] == [*whole[:3], [3, 1], *whole[4:]], case
    tries = {}
    for case, reason in (("always", "killed again and again"), ("always-late", "did not end within 4 s")):
        assert reason in found[case].pop(3), case
        assert found[case] == [*whole[:3], *whole[4:]], case
        tries[case] = len(list((tmp_path / case).glob("3-*")))
    assert tries["always"] == 3
    assert 1 <= tries["always-late"] <= 3  # on a busy machine one may be late before it has begun
    assert found["raises"] == "LedgerError: as it should be"


@needs_ray
def test_a_killed_driver_of_ray_loses_and_doubles_nothing(logs, tmp_path):
    choose = random.Random()
    ledger = ("--ledger", "ledger")
    (tmp_path / "serial").mkdir()
    assert run("serial", logs, tmp_path / "serial", *ledger)[0] == 4
    folder = tmp_path / "ray"
    process = started("ray", logs, folder, *ledger)
    until = time.monotonic() + 60
    while not list(folder.glob("ledger/judged/*/*")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(choose.uniform(0, 0.5))
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    kept = len(list(folder.glob("ledger/judged/*/*")))
    status, _, errors = run("ray", logs, folder, *ledger)
    assert status == 4, errors
    assert kept > 0
    for left in family:  # agents of Ray that end a minute later by themselves
        with suppress(psutil.NoSuchProcess):
            left.kill()
    assert "damaged" not in errors
    assert contents(folder / "out") == contents(tmp_path / "serial" / "out")
    judged = {kind: sorted(p.name for p in (tmp_path / kind).glob("ledger/judged/*/*")) for kind in ("ray", "serial")}
    assert judged["ray"] == judged["serial"]


def ray_node(folder, name, *options, **variables):
    """Start a node of Ray; return it once it runs."""
    ray = Path(sys.executable).with_name("ray")
    told = folder / f"{name}.log"
    with told.open("w") as file:
        command = [ray, "start", *options, "--num-cpus=1", "--block"]
        node = subprocess.Popen(command, env=os.environ | variables, stdout=file, stderr=file)
    until = time.monotonic() + 60
    while "Ray runtime started" not in told.read_text() and node.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    return node


@needs_ray
def test_two_nodes_give_the_bytes_of_one(logs, serial, more, tmp_path):
    port = next(port for port in range(6400, 9000) if is_free(port))
    variables = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    address = f"127.0.0.1:{port}"
    nodes = [ray_node(tmp_path, "head", "--head", f"--port={port}", "--include-dashboard=false", **variables)]
    try:
        nodes.append(ray_node(tmp_path, "worker", f"--address={address}", **variables))
        status, _, errors = run("ray", logs, tmp_path / "run", *more, RAY_ADDRESS=address, **variables)
        assert status == 4, errors
        assert contents(tmp_path / "run" / "out") == serial
        assert [node.poll() for node in nodes] == [None, None]
    finally:
        for node in reversed(nodes):
            node.terminate()
            node.wait(60)


@needs_ray
def test_tasks_killed_for_their_memory_are_given_up_and_named(logs, tmp_path):
    low = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}  # any memory is too much
    status, _, errors = run("ray", logs / "trips0.csv", tmp_path, **low)  # else Ray itself would try forever
    assert (status, "killed again and again for the memory it took" in errors) == (4, True), errors
    assert not (tmp_path / "out").exists()
