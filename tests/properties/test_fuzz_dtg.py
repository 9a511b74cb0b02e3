"""Damaged DTG: read or refused, never a crash, and every record accounted for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from tests.properties.damage import damaged
from tests.unit.test_dtg import header, record

ENDS = (b"", b"\n", b"\r\n")


def survives(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "drive.dtg"
    path.write_bytes(data)
    try:
        log = read_log(str(path), ReadOptions())
    except LogError:
        return
    assert log.record_count == log.records.height + log.rejects.height + log.other_records
    assert log.records["record"].is_unique().all()
    assert log.records["latitude"].is_between(-90, 90).all()


@settings(max_examples=80)
@given(damaged(*(header() + end + b"".join(record(s) + end for s in range(6)) for end in ENDS), most=12))
def test_damaged_files(tmp_path_factory, data):
    survives(tmp_path_factory, data)


@settings(max_examples=40)
@given(st.sampled_from(ENDS), st.lists(st.binary(max_size=90), max_size=6), st.integers(0, 255))
def test_anything_between_records(tmp_path_factory, end, pieces, key):
    data = header() + end + b"".join(record(s) + end + piece for s, piece in enumerate([b"", b"", *pieces]))
    survives(tmp_path_factory, bytes(byte ^ key for byte in data))
