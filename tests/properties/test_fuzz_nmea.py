"""Damaged NMEA: read or refused, never a crash, and every record accounted for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from analyzer.logs._nmea import sentences
from tests.properties.damage import damaged
from tests.unit.test_nmea import gga, rmc, sentence, zda

SEED = "\r\n".join(
    text
    for s in range(4)
    for text in (
        gga(f"0102{s:02}.00"),
        rmc(f"0102{s:02}.00"),
        sentence(f"GPGST,0102{s:02}.00,1,1,1,1,3,4,5"),
        sentence("GPVTG,1,T,,M,2,N,3,K,A"),
        zda(f"0102{s:02}.00"),
    )
).encode()
PIECES = [b"$", b"*", b",", b"$GPRMC,", b"$GPGGA,", b"$GPZDA,", b"\n", b".", b"9" * 20, b"235960", b"\xb5\x62", b"\x00"]


def survives(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "drive.nmea"
    path.write_bytes(data)
    try:
        log = read_log(str(path), ReadOptions())
    except LogError:
        return
    assert log.format != "nmea" or log.record_count == log.records.height + log.rejects.height + log.other_records
    assert log.records["record"].is_unique().all()
    assert log.records["latitude"].is_between(-90, 90).all()


@settings(max_examples=60)
@given(damaged(SEED, most=20))
def test_damaged_files(tmp_path_factory, data):
    survives(tmp_path_factory, data)


@settings(max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=60))
def test_pieces_in_any_order(tmp_path_factory, pieces):
    data = b"".join(pieces)
    frame, count, inside = sentences(data)
    assert frame.height <= count
    assert inside <= len(data)
    survives(tmp_path_factory, rmc().encode() + b"\n" + data)
