"""Logs in object storage: what they say is what the same files say."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.sharding.s3 import needs_s3, use
from tests.sharding.test_engines import needs_ray
from tests.sharding.test_shards import drive

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def logs(bucket, tmp_path_factory):
    """Return a folder of logs that are in the bucket as well, below `logs`."""
    folder = tmp_path_factory.mktemp("objects") / "logs"
    (folder / "more").mkdir(parents=True)
    for number in range(2):
        frame = drive(400, start=400 * number, lon=126.80, vehicle="V")
        (folder / f"{number}.csv").write_text(frame.write_csv(datetime_format="%FT%T%:z"), encoding="utf-8")
    drive(300, vehicle="W").write_parquet(folder / "more" / "w.parquet")
    drive(300, lon=126.83).drop("vehicle_id").write_csv(folder / "more" / "called.csv", datetime_format="%FT%T%:z")
    (folder / "none.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for path in (p for p in folder.rglob("*") if p.is_file()):
        bucket.put(f"logs/{path.relative_to(folder).as_posix()}", path.read_bytes())
    bucket.put("logs/letter.docx", b"dear")
    bucket.put("logs-of-others/x.csv", b"a,b\n1,2\n")
    return folder


def run(logs, folder, engine="serial", **environment):
    """Analyze in a folder of its own; return the status, what was said, and the tables."""
    folder.mkdir(exist_ok=True)
    arguments = ["analyze", *logs, "--zones", "demo", "--out", "out", "--lang", "en", "--no-map", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.sharding.engine_run", *arguments, "--engine", engine],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stderr


def same(folder, other, prefix):
    """Compare all tables of two results, whose logs lie elsewhere."""
    tables = sorted(path.name for path in (folder / "out").glob("*.parquet"))
    assert tables
    for name in tables:
        one, two = pl.read_parquet(folder / "out" / name), pl.read_parquet(other / "out" / name)
        places = [column for column, dtype in two.schema.items() if dtype == pl.String]
        assert one.equals(two.with_columns(pl.col(places).str.replace_all(prefix, "logs", literal=True))), name


@needs_s3
@pytest.mark.parametrize("engine", ["serial", "local", pytest.param("ray", marks=needs_ray)])
def test_objects_say_what_files_say(engine, bucket, logs, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "logs").symlink_to(logs)
    assert run(["logs"], tmp_path / "files")[0] == 4
    status, errors = run(["s3://fleet/logs"], tmp_path / "objects", engine, **bucket.environment)
    assert status == 4, errors  # none.csv
    same(tmp_path / "files", tmp_path / "objects", "s3://fleet/logs")
    summaries = [(tmp_path / kind / "out" / "summary.json").read_text("utf-8") for kind in ("files", "objects")]
    assert summaries[0] == summaries[1].replace("s3://fleet/logs", "logs")  # hashes as well


@needs_s3
def test_one_object_alone(bucket, logs, tmp_path):
    status, errors = run(["s3://fleet/logs/more/w.parquet"], tmp_path, **bucket.environment)
    assert status in {0, 1, 3}, errors


@needs_s3
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://fleet/nothing", "s3://fleet/nothing: no log there"),
        ("s3://nobody/logs", "s3://nobody/logs: cannot be read (Generic S3 error"),
        ("s3://fleet/x.csv", "s3://fleet/x.csv: no log there"),
        ("s3://", "names no bucket"),
    ],
)
def test_what_is_not_there_is_said(bucket, address, said, tmp_path):
    status, errors = run([address], tmp_path, **bucket.environment)
    assert (status, said in errors) == (4, True), errors


@needs_s3
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "nonsense", "AWS_ENDPOINT_URL: 'nonsense' is no address of a store; write http://"),
        ("AWS_ENDPOINT_URL_S3", "localhost:9000", "AWS_ENDPOINT_URL_S3: 'localhost:9000' is no address of a store"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999", "99999' is no address of a store"),
        ("AWS_SECRET_ACCESS_KEY", "from a file\n", "AWS_SECRET_ACCESS_KEY: holds a line end"),
    ],
)
def test_settings_that_cannot_be_are_said(bucket, name, value, said, tmp_path):
    for option in ([], ["--ledger", "s3://fleet/ledger"], ["--out", "s3://fleet/out"]):
        status, errors = run(["s3://fleet/logs", *option], tmp_path, **bucket.environment | {name: value})
        assert (status, said in errors, "from a file" in errors) == (4, True, False), errors
        assert len(errors.splitlines()) == 1, errors


@needs_s3
@pytest.mark.parametrize("address", ["s3://a b/logs", "s3://fleet/a//b", "s3://fleet/../b"])
def test_an_address_that_cannot_be_is_said(bucket, address, tmp_path):
    status, errors = run([address], tmp_path, **bucket.environment)
    assert (status, "is no name of" in errors) == (4, True), errors


@needs_s3
def test_a_breakdown_of_the_library_is_a_sentence():
    from analyzer.buckets import named
    from analyzer.errors import LedgerError

    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(LedgerError, match=r"s3://fleet/x: cannot be read \(unwrap\); check the AWS_"):  # noqa: SIM117
        with named("s3://fleet/x", LedgerError, "read"):
            raise panic("unwrap")
    with pytest.raises(KeyboardInterrupt), named("s3://fleet/x", LedgerError, "read"):
        raise KeyboardInterrupt


@needs_s3
def test_an_object_that_changes_is_named(bucket, logs, monkeypatch):
    from analyzer.errors import LogError
    from analyzer.logs import ReadOptions, plan_log, read_part

    use(bucket, monkeypatch)
    content = (logs / "0.csv").read_bytes()
    bucket.put("changing.csv", content)
    plan = plan_log("s3://fleet/changing.csv", ReadOptions())
    bucket.put("changing.csv", content + content.splitlines(keepends=True)[-1])
    import analyzer.logs._objects

    analyzer.logs._objects._shelf.cache_clear()
    with pytest.raises(LogError, match=r"changing\.csv: was changed while it was read"):
        read_part(plan, plan.parts[0], ReadOptions())


@pytest.mark.skipif(importlib.util.find_spec("obstore") is not None, reason="obstore is installed")
def test_without_the_library_a_sentence_says_what_to_install(tmp_path):
    status, errors = run(["s3://fleet/logs"], tmp_path)
    assert (status, errors) == (
        4,
        'zonelog: s3:// needs a library for object storage; install it: pip install "zonelog[s3]"\n',
    )
