"""What the buffers of an Arrow IPC file would grow to, read before anybody makes room for them.

A packed buffer says its size in its first eight bytes. polars believes that, and where there is no
such room the process ends: so a file that says too much is refused. What is no Arrow otherwise,
polars says itself.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from analyzer.errors import LogError
from analyzer.logs._packed import MOST_TIMES
from analyzer.vectors.flatbuffers import Table

MOST_BATCH_BYTES = 1 << 30
"""What the buffers of one batch may grow to, where the file is small."""
_END = struct.Struct("<i6s")
_MAGIC = b"ARROW1"
_WHOLE = -1
"""What a buffer says that is not packed though others are."""
_BLOCK, _BUFFER = "<i8,<i4,<i4,<i8", "<i8,<i8"
_BUFFERS, _PACKED, _DICTIONARY = 2, 3, 2
"""Fields of a record batch, and the kind of message of a dictionary."""


def refuse_growth(path: str) -> None:
    """Refuse an Arrow IPC file in which a batch would grow beyond what can be meant."""
    size = Path(path).stat().st_size
    most = max(MOST_BATCH_BYTES, MOST_TIMES * size)
    try:
        with Path(path).open("rb") as file:
            for grown in _grown(file, size):
                if not 0 <= grown <= most:
                    raise LogError(f"{path}: cannot be read as arrow (it states sizes that cannot be); was it cut off?")
    except (ValueError, IndexError, struct.error, OverflowError):
        return


def _grown(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield the size of each batch as it is unpacked; negative where it says what cannot be."""
    file.seek(size - _END.size)
    length, magic = _END.unpack(file.read(_END.size))
    if magic != _MAGIC or not 0 < length < size:
        return
    file.seek(size - _END.size - length)
    footer = Table.root(file.read(length))
    for number in (2, 3):
        for at, head, _, body in footer.vector(number, _BLOCK).tolist():
            if not 0 <= at <= at + head <= at + head + body <= size:
                return
            yield _unpacked(file, at, head, body)


def _unpacked(file: BinaryIO, at: int, head: int, body: int) -> int:
    """Return the size of a batch: its message is at `[at, at + head)`, its buffers in the `body` bytes after that."""
    file.seek(at)
    data = file.read(head)
    message = Table.root(data[8 if data.startswith(b"\xff\xff\xff\xff") else 4 :])
    batch = message.table(2)
    if batch is not None and message.scalar(1, "B", 0) == _DICTIONARY:
        batch = batch.table(1)
    if batch is None:
        return 0
    buffers = [(place, length) for place, length in batch.vector(_BUFFERS, _BUFFER).tolist() if length]
    if not all(0 <= place <= place + length <= body for place, length in buffers):
        return -1
    said = [_stated(file, at + head + place) for place, _ in buffers] if batch.table(_PACKED) else [body]
    return -1 if min(said, default=0) < _WHOLE else sum(said)


def _stated(file: BinaryIO, at: int) -> int:
    """Return the size that a packed buffer states."""
    file.seek(at)
    return int(np.frombuffer(file.read(8), dtype="<i8")[0])
