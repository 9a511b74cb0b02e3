"""Text in cp949 (Korean Windows): where it is broken, and the same as UTF-8.

In cp949 a character that is not ASCII is a pair of bytes, of which the first is 0x80 or
more: so of bytes of that kind in a row every other one begins a pair. The pairs and their
characters are those of Python's codec of this name.
"""

from functools import cache
from typing import Any, BinaryIO

import numpy as np

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Words = np.ndarray[Any, np.dtype[np.uint32]]
Places = np.ndarray[Any, np.dtype[np.intp]]

BLOCK_BYTES = 1 << 20
_ASCII, _TWO_BYTES, _THREE_BYTES = 0x80, 0x800, 3
_SIZE = 3
"""Where the size of a character is, after its three bytes."""


class BrokenTextError(ValueError):
    """Bytes are no text in cp949; `at` is the first that is none."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


@cache
def _characters() -> Words:
    """Return for each pair, as a number, the bytes of its character in UTF-8 and how many these are, as one number."""
    candidates = "".join(map(chr, (*range(_ASCII, 0xD800), *range(0xE000, 0x10000))))
    pairs = np.frombuffer(candidates.encode("cp949", "ignore"), dtype=">u2")
    points = np.frombuffer(pairs.tobytes().decode("cp949").encode("utf-16-le"), dtype="<u2").astype(np.uint32)
    six = np.uint32(0x3F)
    low, middle, high = points & six | 0x80, points >> 6 & six | 0x80, points >> 12 | 0xE0
    two = points < _TWO_BYTES
    table = np.zeros((1 << 16, 4), dtype=np.uint8)
    table[pairs, 0] = np.where(two, points >> 6 | 0xC0, high)
    table[pairs, 1] = np.where(two, low, middle)
    table[pairs, 2] = np.where(two, 0, low)
    table[pairs, 3] = np.where(two, 2, 3)
    return table.view(np.uint32)[:, 0]


def _pairs(data: Bytes) -> tuple[Places, Bytes]:
    """Return where pairs begin, and for each its character in UTF-8 and that one's size; 0: it is no pair.

    The last may lack its second byte.
    """
    starts = _starts(np.flatnonzero(data >= _ASCII))
    if starts[-1] == len(data) - 1:
        data = np.append(data, np.uint8(0))
    pairs = data[starts].astype(np.uint16) << 8 | data[starts + 1]
    return starts, _characters()[pairs].view(np.uint8).reshape(-1, 4)


def _starts(high: Places) -> Places:
    """Return where pairs begin, by where bytes are that are not ASCII."""
    firsts, seconds = high[::2], high[1::2]
    if len(firsts) == len(seconds) and (firsts + 1 == seconds).all():
        return firsts  # as Hangul is written, but for rare syllables
    number = np.arange(len(high))
    begins = np.diff(high, prepend=-2) != 1
    return high[(number - np.maximum.accumulate(np.where(begins, number, 0))) % 2 == 0]


def broken_at(file: BinaryIO) -> int | None:
    """Return the first byte of an open file, from where it is, that is not cp949; null where all of it is."""
    at, rest = file.tell(), b""
    while block := file.read(BLOCK_BYTES):
        data = rest + block
        rest = b""
        if not data.isascii():
            starts, said = _pairs(np.frombuffer(data, dtype=np.uint8))
            sizes = said[:, _SIZE]
            if starts[-1] == len(data) - 1:
                rest, starts, sizes = data[-1:], starts[:-1], sizes[:-1]
            if not sizes.all():
                return at + int(starts[sizes.argmin()])
        at += len(data) - len(rest)
    return at if rest else None


def to_utf8(data: bytes) -> bytes:
    """Return text in cp949 as UTF-8; BrokenTextError where it is none."""
    if data.isascii():
        return data
    old = np.frombuffer(data, dtype=np.uint8)
    starts, said = _pairs(old)
    sizes = said[:, _SIZE]
    if not sizes.all():
        raise BrokenTextError(int(starts[sizes.argmin()]))
    longer = sizes == _THREE_BYTES
    new = np.empty(len(old) + np.count_nonzero(longer), dtype=np.uint8)
    places = starts + np.cumsum(longer) - longer
    thirds = places[longer] + 2
    own = np.ones(len(new), dtype=np.bool_)
    own[thirds] = False
    new[own] = old
    new[places], new[places + 1], new[thirds] = said[:, 0], said[:, 1], said[longer, 2]
    return new.tobytes()
