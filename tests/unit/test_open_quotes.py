"""Quotes that are opened and never closed swallow no record: every line is counted."""

import pytest

from analyzer.logs import PartSize, ReadOptions, plan_log, read_log

HEADER = "vehicle_id,timestamp,latitude,longitude,speed_kph,note\n"
PLAIN = ReadOptions()


def lines(count, **notes):
    """Return lines of a log; `notes` says what stands in the last field of line `n5`."""
    return [
        f"V1,2026-03-17T10:{n // 60:02}:{n % 60:02}Z,35.1{n:04},126.8,5,{notes.get(f'n{n}', 'ok')}\n"
        for n in range(count)
    ]


def read(tmp_path, text, size=None):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    return read_log(str(path), PLAIN, size) if size else read_log(str(path), PLAIN)


def said(log):
    return [(remark.code, remark.count) for remark in log.remarks if remark.code == "open-quote"]


@pytest.mark.parametrize("note", ['"ok', '"', '"a,b'])
def test_a_quote_that_is_never_closed(tmp_path, note):
    log = read(tmp_path, "".join(lines(300, n10=note)))
    assert (log.record_count, log.records.height, said(log)) == (300, 300, [("open-quote", 289)])


def test_two_of_them_far_apart(tmp_path):
    log = read(tmp_path, "".join(lines(300, n10='"ok', n200='ok"')))
    assert (log.record_count, log.records.height, said(log)) == (300, 300, [("open-quote", 190)])


def test_before_a_number(tmp_path):
    text = "".join(lines(50))
    log = read(tmp_path, text.replace("35.10007", '"35.10007'))
    assert (log.record_count, log.rejects["record"].to_list(), len(said(log))) == (50, [8], 1)


def test_parts_end_at_lines_after_it(tmp_path):
    text = "".join(lines(600, n10='"ok'))
    log = read(tmp_path, text, PartSize(text_bytes=2000))
    assert (log.record_count, log.records.height) == (600, 600)
    assert len(plan_log(str(tmp_path / "log.csv"), PLAIN, PartSize(text_bytes=2000)).parts) > 10


@pytest.mark.parametrize("note", ['"two\nlines"', '"a, b\n, c"', '"said ""no"""', 'o"k', '5" tyre', '"ok" '])
def test_quotes_in_order_are_none(tmp_path, note):
    log = read(tmp_path, "".join(lines(300, n10=note)))
    assert (log.record_count, log.records.height, said(log)) == (300, 300, [])


def test_a_file_that_is_cut_off_in_a_quote(tmp_path):
    text = "".join(lines(30, n29='"cut'))
    log = read(tmp_path, text.rstrip())
    assert (log.record_count, said(log)) == (30, [])
