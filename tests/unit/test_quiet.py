"""Damaged tables that make polars panic: the user sees our sentence and nothing of Rust."""

import os
import subprocess
import sys

import polars as pl
import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from analyzer.quiet import without_panics

HEADER = "vehicle_id,timestamp,latitude,longitude,speed_kph"
ROW = "V1,2026-03-17T10:00:0{}+09:00,35.15,126.8,5"
FRAME = pl.DataFrame(
    {"vehicle_id": ["V1"] * 99, "timestamp": "2026-03-17T10:00:00Z", "latitude": 35.1, "longitude": 1.0}
)


def open_quote(path):
    path.write_text(f'{HEADER}\n{ROW.format(1)}\nV1,2026-03-17T10:00:02+09:00,35.15,"', encoding="utf-8")


def read_by_polars(path):
    with without_panics():
        frame = (
            pl.read_csv(path, infer_schema=False, schema_overrides={"longitude": pl.Float64})
            if path.suffix == ".csv"
            else pl.read_ipc(path)
        )
        return frame[-1, -1]


def wrong_lengths(path):
    """Arrow IPC in which a buffer ends beyond the file."""
    FRAME.write_ipc(path)
    data = path.read_bytes()
    for place in range(len(data) - len(data) % 8 - 16, 8, -8):
        if 0 < int.from_bytes(data[place : place + 8], "little") < len(data):
            path.write_bytes(data[: place + 6] + b"\x10" + data[place + 7 :])
            try:
                read_by_polars(path)
            except pl.exceptions.PanicException:
                return
            except (pl.exceptions.PolarsError, OSError):
                continue


def mode_that_is_a_date(path):
    """A mode of a type and with a value that nobody can print."""
    FRAME.with_columns(control_mode=pl.lit(2**62).cast(pl.Datetime("ms"))).write_ipc(path)


DAMAGED = [("log.csv", open_quote), ("a.arrow", wrong_lengths), ("b.arrow", mode_that_is_a_date)]


@pytest.mark.parametrize(("name", "damage"), DAMAGED)
def test_the_command_says_our_sentence_alone(tmp_path, name, damage):
    path = tmp_path / name
    damage(path)
    with pytest.raises(pl.exceptions.PanicException):
        read_by_polars(path)
    command = [sys.executable, "-m", "analyzer", "analyze", path, "--zones", "gwangju", "--out", tmp_path / "out"]
    done = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode in ({1, 3} if name == "log.csv" else {4})
    assert "panicked" not in done.stderr
    assert "unwrap" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_a_panic_is_a_refusal(tmp_path):
    mode_that_is_a_date(tmp_path / "log.arrow")
    with pytest.raises(LogError, match="damaged"):
        read_log(str(tmp_path / "log.arrow"), ReadOptions())


def test_what_is_no_panic_is_written_all_the_same(capfd):
    with without_panics(), without_panics():
        os.write(2, b"something else\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "something else\nafter\n"


def test_who_ends_the_process_is_heard_while_others_read(tmp_path):
    script = (
        "import os\nfrom analyzer.quiet import *\n"
        "held = without_panics(); held.__enter__(); speak_again(); os.write(2, b'interrupted\\n')\n"
        "with without_panics(): os.write(2, b'again\\n')\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "interrupted\nagain\n"


def test_without_a_standard_error_all_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    open_quote(path)
    script = f"import os; os.close(2); from analyzer.logs import *; print(read_log({str(path)!r}, ReadOptions()).record_count)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "2\n"
