"""Packed files (gzip, Zstandard), unpacked as a stream: in bounded memory, and only up to a limit."""

import io
import os
import sys
import tempfile
import threading
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
CHUNK_BYTES = 1 << 18
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GZIP_BITS = 31
"""What zlib calls a gzip member, its checksum and length verified."""
_LARGEST_WINDOW_LOG = 27
_BROKEN = (OSError, EOFError, zlib.error, zstd.ZstdError, ValueError, MemoryError)


def is_packed(head: bytes) -> bool:
    """Return whether a file with these first bytes is packed."""
    return head.startswith((_GZIP, _ZSTD))


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
    if head.startswith(_GZIP):
        stream = _Gzip(file)
    else:
        options = {int(zstd.DecompressionParameter.window_log_max): _LARGEST_WINDOW_LOG}
        stream = zstd.ZstdFile(file, options=options)
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * Path(path).stat().st_size))
    return io.BufferedReader(_Limited(path, stream, file, most), CHUNK_BYTES)


def open_whole(path: str) -> BinaryIO:
    """Return a file as `open_bytes` does, for somebody who reads far into it: what is packed is unpacked once.

    The last such file of a thread is kept unpacked in a temporary file without a name, which goes with the
    process: it is read several times, as it is planned and part by part. Where there is no room for it, it is
    unpacked on the way, each time.
    """
    stat = Path(path).stat()
    wanted = (os.getpid(), path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if _kept.of != wanted:
        opened = open_bytes(path)
        if not isinstance(opened, io.BufferedReader) or not isinstance(opened.raw, _Limited):
            return opened
        _kept.drop()
        with opened:
            try:
                _kept.file = _copy(opened)
            except OSError:  # no room
                return open_bytes(path)
        _kept.of = wanted
    file = os.fdopen(os.dup(_kept.file.fileno()), "rb")
    file.seek(0)
    return file


def _copy(opened: BinaryIO) -> IO[bytes]:
    """Return a temporary file with what an open one says."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - kept
    try:
        while data := opened.read(CHUNK_BYTES):
            file.write(data)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


class _Kept(threading.local):
    """The file that a thread unpacked last, and what it was unpacked of."""

    def __init__(self) -> None:
        self.of: tuple[int, str, int, int, int] | None = None
        self.file: Any = None

    def drop(self) -> None:
        """Forget it."""
        self.of = None
        if self.file is not None:
            self.file.close()
            self.file = None


_kept = _Kept()


def forget() -> None:
    """Forget the file that this thread unpacked last."""
    _kept.drop()


class _Gzip:
    """The members of a gzip file one after the other, blanks after them passed over."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._machine = zlib.decompressobj(_GZIP_BITS)
        self._left = b""

    def read(self, most: int) -> bytes:
        """Return up to so many bytes, none at the end; EOFError where a member is cut off."""
        while most:
            if self._machine.eof and not self._begin():
                return b""
            packed = self._machine.unconsumed_tail or self._left or self._file.read(CHUNK_BYTES)
            self._left = b""
            data = self._machine.decompress(packed, most)
            if data:
                return data
            if not packed and not self._machine.eof:
                raise EOFError
        return b""

    def _begin(self) -> bool:
        """Begin the next member; return whether there is one."""
        left = self._machine.unused_data
        while not left.lstrip(b"\0"):
            left = self._file.read(CHUNK_BYTES)
            if not left:
                return False
        self._left = left.lstrip(b"\0")
        self._machine = zlib.decompressobj(_GZIP_BITS)
        return True

    def close(self) -> None:
        """Leave the file to whoever opened it."""


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
