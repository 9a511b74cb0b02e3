"""Packed files (gzip, Zstandard), unpacked as a stream: in bounded memory, and only up to a limit."""

import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO

from analyzer.errors import LogError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST_TIMES = 200
"""A file that unpacks to more than this many times its size is no log but a bomb."""
FREE_BYTES = 1 << 24
"""Up to here the ratio says nothing: a short log of equal lines packs very well."""
MOST_BYTES = 1 << 34
_LARGEST_WINDOW_LOG = 27
_BROKEN = (OSError, EOFError, zlib.error, zstd.ZstdError, ValueError, MemoryError)


def is_packed(head: bytes) -> bool:
    """Return whether a file with these first bytes is packed."""
    return head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))


def unpacked_name(path: str) -> str:
    """Return a path without the suffix of a packed file."""
    lower = path.lower()
    return next((path[: -len(s)] for s in (".gz", ".zst", ".zstd") if lower.endswith(s)), path)


def open_bytes(path: str) -> BinaryIO:
    """Return a file opened for reading, unpacked on the way where it is packed.

    What is read raises LogError where it is damaged or unpacks to too much.
    """
    file = Path(path).open("rb")  # noqa: SIM115 - whoever asked closes it
    head = file.read(4)
    file.seek(0)
    if not is_packed(head):
        return file
    stream: Any
    if head.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=file)
    else:
        options = {int(zstd.DecompressionParameter.window_log_max): _LARGEST_WINDOW_LOG}
        stream = zstd.ZstdFile(file, options=options)
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * Path(path).stat().st_size))
    return io.BufferedReader(_Limited(path, stream, file, most), 1 << 16)


def size_of(path: str) -> int | None:
    """Return how many bytes a file holds, null of a packed one: only unpacking it tells."""
    with Path(path).open("rb") as file:
        return None if is_packed(file.read(4)) else Path(path).stat().st_size


class _Limited(io.RawIOBase):
    """An unpacked stream that goes forward only and ends with a sentence where it goes on too long."""

    def __init__(self, path: str, stream: Any, file: IO[bytes], most: int) -> None:
        self._path, self._stream, self._file, self._most = path, stream, file, most
        self._at = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be sought, forward."""
        return True

    def tell(self) -> int:
        """Return where it is."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on to a byte by reading up to it."""
        wanted = offset if whence == io.SEEK_SET else self._at + offset
        if whence == io.SEEK_END or wanted < self._at:
            raise io.UnsupportedOperation("a packed file is read forward only")
        while self._at < wanted and self._next(min(1 << 16, wanted - self._at)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer; return how many."""
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the stream and the file below it."""
        if not self.closed:
            self._stream.close()
            self._file.close()
        super().close()

    def _next(self, most: int) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        try:
            data: bytes = self._stream.read(most)
        except _BROKEN as error:
            message = (
                f"{self._path}: cannot be unpacked ({error or type(error).__name__}); it is damaged or was cut off"
            )
            raise LogError(message) from error
        self._at += len(data)
        if self._at > self._most:
            message = (
                f"{self._path}: unpacks to more than {self._most:,} bytes; unpack it yourself if it really is a log"
            )
            raise LogError(message)
        return data
