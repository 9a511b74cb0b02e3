"""Tables that were cut or damaged: a log or a LogError, never anything else, and nothing is lost on the way."""

import datetime as dt
import gzip
import io

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, _packed, guess_log, read_log

HEADER = "vehicle_id,timestamp,latitude,longitude,speed_kph,control_mode"
ROWS = [f"V{n % 2},2026-03-17T10:00:{n:02d}+09:00,35.15,126.8{n},5.{n},autonomous" for n in range(30)]
CSV = "\n".join([HEADER, *ROWS, 'V9,"2026-03-17 10:01:00",35,126.8,"6",원격']).encode() + b"\n"
SEOUL = ReadOptions(timezone="Asia/Seoul")


def _workbook():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("log")
    when = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.write_row(0, 0, HEADER.split(","))
    for n in range(1, 20):
        sheet.write_row(n, 0, ["V1", None, 35.15, 126.8 + n / 1e4, 5, "자율"])
        sheet.write_datetime(n, 1, dt.datetime(2026, 3, 17, 10, 0, n), when)  # noqa: DTZ001 - a workbook's own time
    book.close()
    return out.getvalue()


SEEDS = {
    "log.csv": CSV,
    "log.psv": CSV.replace(b'"', b"").replace(b",", b" | "),
    "korean.csv": CSV.decode().encode("cp949"),
    "wide.csv": CSV.decode().encode("utf-16"),
    "log.csv.gz": gzip.compress(CSV, mtime=0),
    "log.csv.zst": _packed.zstd.compress(CSV),
    "log.xlsx": _workbook(),
}


def outcome(read):
    """Return what reading gives, or the LogError."""
    try:
        return read()
    except LogError as error:
        return error


def check(path, data):
    """Read a file and guess what it is: a LogError, or a log whose counts add up."""
    path.write_bytes(data)
    log = outcome(lambda: read_log(str(path), SEOUL))
    guessed = outcome(lambda: guess_log(str(path), "Asia/Seoul", "en"))
    if isinstance(log, LogError):
        assert str(path) in str(log)
    else:
        assert log.record_count == log.records.height + log.rejects.height + log.other_records
    assert isinstance(guessed, str) or str(path) in str(guessed)


@pytest.mark.parametrize("name", SEEDS)
def test_seeds_are_logs(tmp_path, name):
    (tmp_path / name).write_bytes(SEEDS[name])
    log = read_log(str(tmp_path / name), SEOUL)
    assert (log.record_count, log.rejects.height) == ((19, 0) if name == "log.xlsx" else (31, 0))


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=40)
@given(share=st.floats(0, 1))
@example(share=0.0)
def test_cut_anywhere(tmp_path, name, share):
    check(tmp_path / name, SEEDS[name][: int(share * len(SEEDS[name]))])


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60)
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=8))
def test_bits_turned(tmp_path, name, flips):
    data = bytearray(SEEDS[name])
    for share, mask in flips:
        data[int(share * len(data))] ^= mask
    check(tmp_path / name, bytes(data))


@settings(max_examples=60)
@given(data=st.binary(max_size=400))
def test_anything_after_a_header(tmp_path, data):
    check(tmp_path / "log.csv", HEADER.encode() + b"\n" + data)


@settings(max_examples=60)
@given(text=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_is_a_profile_or_refused(tmp_path, text):
    profile = tmp_path / "profile.toml"
    profile.write_text(text, encoding="utf-8")
    (tmp_path / "log.csv").write_bytes(CSV)
    options = ReadOptions(timezone="Asia/Seoul", profile=profile)
    log = outcome(lambda: read_log(str(tmp_path / "log.csv"), options))
    assert isinstance(log, LogError) or log.record_count == 31
