"""Decompression with limits that are checked before anything is decompressed."""

import bz2
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import lz4.frame

from analyzer.errors import LogError
from analyzer.logs._recordings import ZSTD_MAGIC

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST_CHUNK_BYTES = 64 << 20
"""A chunk of a recording that grows beyond this is refused."""
MOST_RATIO = 200
"""Nothing may grow more than so many times."""
FREE_BYTES = 1 << 20
"""What stays below this is never refused for its ratio."""
_BLOCK_BYTES = 1 << 20
_ASK = "no recorder writes that: ask who sent this file"


class BrokenError(Exception):
    """Bytes of a recording make no sense; what was read before stands."""


@dataclass
class Growth:
    """Bytes of a recording as they lie in its files, and of its chunks as they were unpacked."""

    packed: int = 0
    whole: int = 0

    def add(self, where: str, size: int) -> None:
        """Count a chunk in, before it is unpacked; LogError where all of them grow too far."""
        self.whole += size
        if self.whole > max(MOST_CHUNK_BYTES, self.packed * MOST_RATIO):
            message = f"{where}: up to here, {self.packed} bytes of files would grow to {self.whole}; {_ASK}"
            raise LogError(message)


def unpacked(where: str, data: bytes, kind: str, size: int) -> bytes:
    """Return data of `size` bytes, compressed as `kind` (none, lz4, zstd, bz2).

    Raises BrokenError where it is something else, LogError where it would grow too far.
    """
    if kind in ("", "none"):
        if len(data) != size:
            raise BrokenError
        return data
    refuse_growth(where, len(data), size)
    try:
        out = _decompressed(data, kind, size)
    except (RuntimeError, OSError, EOFError, ValueError, zstd.ZstdError) as error:
        raise BrokenError from error
    if len(out) != size:
        raise BrokenError
    return out


def refuse_growth(where: str, packed: int, size: int) -> None:
    """Refuse what would grow beyond the limits; all in bytes."""
    if size > MOST_CHUNK_BYTES or (size > FREE_BYTES and size > packed * MOST_RATIO):
        message = (
            f"{where}: {packed} bytes would grow to {size}, more than {MOST_RATIO} times or {MOST_CHUNK_BYTES} bytes; "
            f"{_ASK}"
        )
        raise LogError(message)


def _decompressed(data: bytes, kind: str, size: int) -> bytes:
    """Return at most `size` bytes and one more."""
    if kind not in ("lz4", "zstd", "bz2"):
        raise BrokenError
    machine = _machine(kind)
    out = machine.decompress(data, max_length=size + 1)
    while len(out) < size and not machine.eof and not machine.needs_input:
        out += machine.decompress(b"", max_length=size + 1 - len(out))
    return out


def _machine(kind: str) -> Any:
    """Return a decompressor that can be told when to stop."""
    if kind == "lz4":
        return lz4.frame.LZ4FrameDecompressor()
    return zstd.ZstdDecompressor() if kind == "zstd" else bz2.BZ2Decompressor()


def unpacked_message(where: str, data: bytes) -> bytes:
    """Return a message that was compressed by itself (rosbag2's message mode)."""
    try:
        size = zstd.get_frame_info(data).decompressed_size
    except zstd.ZstdError as error:
        raise BrokenError from error
    if size is None:
        raise BrokenError
    return unpacked(where, data, "zstd", size)


@contextmanager
def unpacked_file(path: Path) -> Iterator[Path]:
    """Yield the file itself or, of a `.zstd` file, an unpacked one in a temporary folder."""
    with path.open("rb") as file:
        packed = file.read(4) == ZSTD_MAGIC
    if not packed:
        yield path
        return
    with TemporaryDirectory() as folder:
        whole = Path(folder, path.stem)
        with whole.open("wb") as out:
            _unpack(path, out)
        yield whole


def _unpack(path: Path, out: BinaryIO) -> None:
    """Unpack a file up to where it is cut off or broken; LogError where it grows too far."""
    most, written = max(path.stat().st_size * MOST_RATIO, FREE_BYTES), 0
    with zstd.open(path, "rb") as file, suppress(zstd.ZstdError, EOFError):  # the recording says where it ends
        while piece := file.read1(_BLOCK_BYTES):
            written += len(piece)
            if written > most:
                message = f"{path}: grows more than {MOST_RATIO} times; {_ASK}"
                raise LogError(message)
            out.write(piece)
