"""Where a text may be divided: at line ends outside quotes, found in one pass over its bytes."""

import codecs
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from analyzer.logs._format import Part, bounds
from analyzer.logs._packed import MOST_BYTES, open_whole, size_of
from analyzer.records import record

BLOCK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 16


@record(frozen=True)
class Survey:
    """What one pass over a text found: where its parts end, and the first byte that is not UTF-8 (null: all is).

    `continued` counts, before that, the bytes that continue a character: cp949 hardly ever has any
    that could. `is_open` says that a quote is opened before the last line and never closed.
    """

    edges: tuple[int, ...]
    broken_at: int | None
    continued: int
    is_open: bool = False


@dataclass
class _Surveyor:
    """The state of the pass: `wanted` are the bytes at which to divide, the sooner the better."""

    wanted: deque[int]
    quote: bytes | None
    at: int = 0
    in_quotes: bool = False
    last_quote: int = -1
    last_line: int = 0
    broken_at: int | None = None
    continued: int = 0
    cuts: list[int] = field(default_factory=list)
    decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def see(self, block: bytearray) -> None:
        """Take the next block of the text into account."""
        if self.broken_at is None:
            self._decode(block)
        quote = self.quote if self.quote and self.quote in block else None
        if quote:
            self.last_quote = self.at + block.rfind(quote)
        if (end := block.rstrip(b"\r\n").rfind(b"\n")) >= 0:
            self.last_line = self.at + end
        self._turn(block, quote, self._cut(block, quote), len(block))
        self.at += len(block)

    def _decode(self, block: bytearray) -> None:
        """Note where the text ceases to be UTF-8."""
        pending = len(self.decoder.getstate()[0])
        if block.isascii() and not pending:
            return
        try:
            self.continued += len(block) - len(self.decoder.decode(block))
        except UnicodeDecodeError as error:
            sound = block[: max(error.start - pending, 0)]
            self.continued += len(sound) - len(sound.decode("utf-8", "ignore"))
            self.broken_at = self.at - pending + error.start

    def _turn(self, block: bytearray, quote: bytes | None, low: int, high: int) -> None:
        """Go over bytes of a block: every quote character opens or closes a quote."""
        if quote and block.count(quote, low, high) % 2:
            self.in_quotes = not self.in_quotes

    def _cut(self, block: bytearray, quote: bytes | None) -> int:
        """Divide the block where that is wanted; return up to where it has been gone over."""
        seen = 0
        while self.wanted and self.wanted[0] < self.at + len(block):
            low = max(self.wanted[0] - self.at, seen)
            self._turn(block, quote, seen, low)
            seen, line_end = self._line_end(block, quote, low)
            if not line_end:
                break
            self.cuts.append(self.at + seen)
            while self.wanted and self.wanted[0] <= self.at + seen:
                self.wanted.popleft()
        return seen

    def _line_end(self, block: bytearray, quote: bytes | None, low: int) -> tuple[int, bool]:
        """Return the byte after the next line end outside quotes; false and how far it went without one."""
        seen = low
        while (end := block.find(b"\n", seen)) >= 0:
            self._turn(block, quote, seen, end)
            seen = end + 1
            if not self.in_quotes:
                return seen, True
        return seen, False


def survey(path: str, start: int, most_bytes: int, quote: bytes | None) -> Survey:
    """Return how to divide the bytes of a file from `start` on into parts of about `most_bytes`.

    `quote` is the character within whose pairs a line end ends no line.
    """
    known = size_of(path)
    wanted: range | list[int] = range(start + most_bytes, MOST_BYTES, most_bytes)
    if known is not None:
        wanted = bounds(start, max(known, start), most_bytes)[1:-1]
    surveyor = _Surveyor(deque(wanted), quote)
    block = bytearray(BLOCK_BYTES)
    with open_whole(path) as file:
        while count := file.readinto(block):  # type: ignore[attr-defined]
            surveyor.see(block if count == len(block) else block[:count])
    size = surveyor.at
    pending = len(surveyor.decoder.getstate()[0])
    broken_at = size - pending if pending and surveyor.broken_at is None else surveyor.broken_at
    # Of a packed file the size is known only now: its last part must not be a small one.
    cuts = [cut for cut in surveyor.cuts if cut < size - (most_bytes // 2 if known is None else 0)]
    is_open = surveyor.in_quotes and surveyor.last_quote < surveyor.last_line
    return Survey((start, *cuts, size), broken_at, surveyor.continued, is_open)


def parts_between(path: str, edges: tuple[int, ...]) -> tuple[Part, ...]:
    """Return parts of a text; their records are estimated by its first lines."""
    with open_whole(path) as file:
        file.seek(edges[0])
        sample = file.read(SAMPLE_BYTES)
    line_bytes = len(sample) / max(sample.count(b"\n"), 1)
    return tuple(Part(low, high, max(1, round((high - low) / max(line_bytes, 1)))) for low, high in pairwise(edges))


def place_of(path: str, at: int) -> str:
    """Return words for a byte of a text: its number from 0, and its line from 1."""
    lines, left = 1, at
    with open_whole(path) as file:
        while left and (data := file.read(min(left, BLOCK_BYTES))):
            lines += data.count(b"\n")
            left -= len(data)
    return f"byte {at} (line {lines})"
