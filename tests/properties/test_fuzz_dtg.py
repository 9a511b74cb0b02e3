"""Damaged DTG: read or refused, never a crash, and every record accounted for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from tests.unit.test_dtg import header, record

END = st.sampled_from([b"", b"\n", b"\r\n"])


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
@given(END, st.data())
def test_truncations_and_bit_flips(tmp_path_factory, end, data):
    seed = header() + end + b"".join(record(s) + end for s in range(6))
    damaged = bytearray(seed[: data.draw(st.integers(1, len(seed)))])
    for _ in range(data.draw(st.integers(0, 12))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    survives(tmp_path_factory, bytes(damaged))


@settings(max_examples=40)
@given(END, st.lists(st.binary(max_size=90), max_size=6), st.integers(0, 255))
def test_anything_between_records(tmp_path_factory, end, pieces, key):
    data = header() + end + b"".join(record(s) + end + piece for s, piece in enumerate([b"", b"", *pieces]))
    survives(tmp_path_factory, bytes(byte ^ key for byte in data))
