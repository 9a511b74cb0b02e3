"""Arrow IPC that states sizes which cannot be: refused, before polars makes room for them and the process ends."""

import struct

import polars as pl
import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log

FRAME = pl.DataFrame(
    {
        "vehicle_id": [f"V{n % 3}" for n in range(600)],
        "timestamp": "2026-03-17T10:00:00Z",
        "latitude": 35.1,
        "longitude": [126.8 + n * 1e-5 for n in range(600)],
    }
)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("categorical", [False, True])
def test_sound_files_are_read(tmp_path, compression, categorical):
    kind = pl.Categorical() if categorical else pl.String()
    path = tmp_path / "log.arrow"
    FRAME.with_columns(pl.col("vehicle_id").cast(kind)).write_ipc(path, compression=compression, record_batch_size=100)
    assert read_log(str(path), ReadOptions()).records.height == 600


@pytest.mark.parametrize("grown", [2**52, 2**40, -(2**40)])
@pytest.mark.parametrize("compression", ["uncompressed", "zstd"])
def test_a_size_that_cannot_be_is_refused(tmp_path, compression, grown):
    """Every number of eight bytes that is as large as the buffer of a column of numbers is made wrong, one by one."""
    path = tmp_path / "log.arrow"
    FRAME.write_ipc(path, compression=compression)
    data, size = path.read_bytes(), struct.pack("<q", 600 * 8)
    places = [place for place in range(0, len(data), 8) if data[place : place + 8] == size]
    assert places
    for place in places:
        path.write_bytes(data[:place] + struct.pack("<q", 600 * 8 + grown) + data[place + 8 :])
        with pytest.raises(LogError, match="sizes that cannot be"):
            read_log(str(path), ReadOptions())
