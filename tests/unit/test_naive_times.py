"""Times without an offset among times with one: a few are records that are not readable, most refuse the log."""

import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log

HEADER = "vehicle_id,timestamp,latitude,longitude\n"


def log_of(tmp_path, times, timezone=None):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "".join(f"V1,{time},35.15,126.8\n" for time in times), encoding="utf-8")
    return read_log(str(path), ReadOptions(timezone=timezone))


@pytest.mark.parametrize(
    "form", ["2026-03-17T10:00:{:02}Z", "2026-03-17 10:00:{:02}+09:00", "2026-03-17 10:00:{:02} +0900"]
)
@pytest.mark.parametrize("cut", ["2026-03-17T10:00:05", "2026-03-17T10:00", "2026-03-17 10:00:05.250", "2026-03-17"])
def test_one_that_is_cut_off_is_one_reject(tmp_path, form, cut):
    times = [form.format(n) for n in range(30)]
    log = log_of(tmp_path, [*times[:20], cut, *times[20:]])
    assert (log.records.height, log.rejects.rows()) == (30, [(21, "bad-time", f"V1 {cut} 35.15 126.8")])


@pytest.mark.parametrize("with_offset", [0, 9])
def test_most_without_an_offset_refuse_the_log(tmp_path, with_offset):
    times = [f"2026-03-17T10:00:{n:02}" for n in range(20)]
    times[:with_offset] = [f"{time}Z" for time in times[:with_offset]]
    with pytest.raises(LogError, match="no offset"):
        log_of(tmp_path, times)
    assert log_of(tmp_path, times, "Asia/Seoul").records.height == 20


def test_a_log_that_is_cut_off_in_its_last_time(tmp_path):
    path = tmp_path / "log.csv"
    lines = "".join(f"V1,2026-03-17T10:00:{n:02}Z,35.15,126.8\n" for n in range(9))
    path.write_text(f"{HEADER}{lines}V1,2026-03-17T10:00:09", encoding="utf-8")
    log = read_log(str(path), ReadOptions())
    assert (log.records.height, log.rejects["reason"].to_list()) == (9, ["bad-time"])
