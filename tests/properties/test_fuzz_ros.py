"""Damaged recordings: whatever is cut off or flipped, nothing but a LogError comes out, soon and in little memory."""

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.rosbag2 import StoragePlugin

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from tests.unit.test_recordings import write1, write2

KINDS = ("mcap", "mcap-zstd", "db3", "bag", "mcap.zstd", "db3.zstd")
MOST_SECONDS, MOST_BYTES = 10.0, 48 << 20
SHARES = st.floats(0, 1, exclude_max=True)
"""Where in a file, from its first byte (0) to its end (1)."""


class Seeds(dict):
    """Bytes that are not shown where a test fails."""

    def __repr__(self):
        return "Seeds"


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Return the bytes of one sound recording a kind."""
    from analyzer.logs._unpack import zstd

    folder = tmp_path_factory.mktemp("seeds")
    modes = {"modes": (1, 4, 2), "operation": (2, 4)}
    paths = {
        "mcap": write2(folder / "a", StoragePlugin.MCAP, **modes),
        "mcap-zstd": write2(folder / "b", StoragePlugin.MCAP, compressed=True, **modes),
        "db3": write2(folder / "c", StoragePlugin.SQLITE3, **modes),
        "bag": write1(folder / "d.bag"),
    }
    found = {kind: Path(path).read_bytes() for kind, path in paths.items()}
    return Seeds(found | {f"{kind}.zstd": zstd.compress(found[kind]) for kind in ("mcap", "db3")})


def read_or_refused(folder, kind, content):
    """Return the codes of what is said of a recording, null where it was refused."""
    path = folder / f"fuzz.{kind.replace('mcap-zstd', 'mcap')}"
    path.write_bytes(content)
    start = time.monotonic()
    try:
        log = read_log(str(path), ReadOptions())
    except LogError as error:
        said = str(error)
    else:
        said = ""
        assert log.record_count == log.records.height + log.rejects.height + log.other_records
        assert log.other_records >= 0
    assert time.monotonic() - start < MOST_SECONDS
    assert "\n" not in said
    return None if said else {notice.code for notice in log.notices}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(share=SHARES)
def test_truncated(kind, seeds, tmp_path_factory, share):
    whole = seeds[kind]
    codes = read_or_refused(tmp_path_factory.mktemp("cut"), kind, whole[: 17 + int(share * (len(whole) - 17))])
    if codes is not None and kind in ("mcap", "mcap-zstd", "bag"):
        assert "recording-cut" in codes


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(flips=st.lists(st.tuples(SHARES, st.integers(0, 7)), min_size=1, max_size=4))
def test_flipped(kind, seeds, tmp_path_factory, flips):
    whole = bytearray(seeds[kind])
    for share, bit in flips:
        whole[8 + int(share * (len(whole) - 8))] ^= 1 << bit
    read_or_refused(tmp_path_factory.mktemp("flip"), kind, bytes(whole))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(share=SHARES, size=st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f" * 2]))
def test_lengths_that_lie_take_no_memory(kind, seeds, tmp_path_factory, share, size):
    whole = bytearray(seeds[kind])
    at = 8 + int(share * (len(whole) - 16))
    whole[at : at + 8] = size
    folder = tmp_path_factory.mktemp("over")
    tracemalloc.start()
    try:
        read_or_refused(folder, kind, bytes(whole))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
