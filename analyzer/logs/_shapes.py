"""Runs of GPX points that are written alike, read by one pattern instead of element by element.

A recorder writes thousands of points that differ in their values alone. One of them is read
by the parser; its markup, letter by letter, is the pattern of others: what matches has the
same elements in the same places, and no sign in its values that means anything to a parser.
So it needs no parser, and gives the same. Everything else goes through the parser, and a run is
taken only where that has just ended a point.
"""

import re
from collections.abc import Iterator
from typing import IO

import numpy as np
import polars as pl

from analyzer.logs._xml import XmlReader
from analyzer.records import record

POINT = "trkpt"
END = f"</{POINT}>"
BLOCK_BYTES = 1 << 21
SHORTEST_RUN = 32
MOST_SHAPES = 8
_TOKEN = re.compile(r"<[^<>]*>|[^<>]+")
_TAG = re.compile(
    r'<(?P<end>/?)(?P<name>[A-Za-z_][\w:.-]*)(?P<attributes>(?:\s+[A-Za-z_][\w:.-]*="[^"]*")*)\s*(?P<empty>/?)>'
)
_ATTRIBUTE = re.compile(r'(\s+)([A-Za-z_][\w:.-]*)="([^"]*)"')
_VALUE = r'[^<>&"\x00-\x1f\x7f-\x9f\u{fffe}\u{ffff}]*'
_MARKED = ("lat", "lon")
_DIRECT = 2


@record(frozen=True)
class Shape:
    """A pattern with a named group for each value that is wanted."""

    pattern: str

    def values(self, rows: pl.Series) -> pl.DataFrame:
        """Return the values of rows, null in rows of another shape."""
        return rows.str.extract_groups(self.pattern).struct.unnest()


def shape_of(row: str) -> Shape | None:
    """Return the shape of a point, all of it but its last tag; null where it is out of the ordinary."""
    tokens: list[str] = _TOKEN.findall(row)
    if "&" in row or "<!" in row or "<?" in row or "".join(tokens) != row:
        return None
    stack: list[str] = []
    seen: set[str] = set()
    pattern = []
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        piece = _tag(token, stack, seen) if token[0] == "<" else _text(token, stack, seen, following)
        if piece is None:
            return None
        pattern.append(piece)
    return Shape(f"^{''.join(pattern)}$") if stack == [POINT] and seen >= {"lat", "lon"} else None


def _tag(token: str, stack: list[str], seen: set[str]) -> str | None:
    """Return the pattern of a tag, null where there is more to it."""
    tag = _TAG.fullmatch(token)
    if tag is None or (not stack and tag["name"] != POINT):
        return None
    if tag["end"]:
        return _literal(token) if len(stack) > 1 and stack.pop() == tag["name"] else None
    if tag["empty"] and (_local(tag["name"]) in {"time", "speed", "course"} or not stack):
        return None
    if not tag["empty"]:
        stack.append(tag["name"])
    return _opening(tag["attributes"], token, seen) if stack == [POINT] and not tag["empty"] else _literal(token)


def _opening(attributes: str, token: str, seen: set[str]) -> str | None:
    """Return the pattern of the tag that begins a point: its position are values."""
    pattern = _literal(f"<{POINT}")
    for space, name, value in _ATTRIBUTE.findall(attributes):
        if name in _MARKED and name not in seen:
            seen.add(name)
            pattern += f'{_literal(space)}{name}="(?<{name}>{_VALUE})"'
        elif name in seen:
            return None
        else:
            pattern += _literal(f'{space}{name}="{value}"')
    return pattern + _literal(token[len(f"<{POINT}") + len(attributes) :])


def _text(token: str, stack: list[str], seen: set[str], following: str) -> str | None:
    """Return the pattern of a text: a value where it is all that its element holds."""
    if not token.strip():
        return _literal(token)
    name = _local(stack[-1]) if len(stack) > 1 else ""
    if not name or following != f"</{stack[-1]}>" or not re.fullmatch(r'[^<>&"\x00-\x1f\x7f-\x9f]*', token):
        return None
    if name == "time" and len(stack) != _DIRECT:
        return _VALUE
    if name in {"time", "speed", "course"}:
        if name in seen:
            return None
        seen.add(name)
        return f"(?<{name}>{_VALUE})"
    return _VALUE


def _local(name: str) -> str:
    """Return a name without its prefix."""
    return name.rsplit(":", 1)[-1]


def _literal(text: str) -> str:
    """Return a pattern that matches this text alone."""
    return "".join(c if c.isalnum() and c.isascii() else f"\\x{{{ord(c):x}}}" for c in text)


class ShapedReader:
    """Feeds a parser with what it must see; yields runs of points that it need not see, as tables."""

    def __init__(self, reader: XmlReader) -> None:
        self._reader = reader
        self._shapes: list[Shape] = []
        self._tries = 0
        self._after_point = False

    def read(self, stream: IO[bytes]) -> Iterator[pl.DataFrame]:
        """Read a document: the parser has seen all that comes before a run when that is yielded."""
        block = stream.read(BLOCK_BYTES)
        plain = self._reader.begin(block)
        rest = b""
        while block:
            data = rest + block
            cut = data.rfind(END.encode()) + len(END) if plain else 0
            if cut < len(END):
                self._reader.feed(data)
                self._after_point, cut = False, len(data)
            else:
                yield from self._points(data[:cut])
            rest = data[cut:]
            block = stream.read(BLOCK_BYTES)
        self._reader.feed(rest)
        self._reader.close()

    def _points(self, data: bytes) -> Iterator[pl.DataFrame]:
        """Read a piece of a document that ends with a point."""
        try:
            rows = data.decode().split(END)[:-1]
        except UnicodeDecodeError:
            self._reader.feed(data)
            self._after_point = False
            return
        column = pl.Series(rows, dtype=pl.String)
        found: list[tuple[pl.DataFrame, np.ndarray]] = []
        place = 0
        while place < len(rows):
            while len(found) < len(self._shapes):
                found.append(_ends_of_runs(self._shapes[len(found)].values(column)))
            run = self._run(found, place)
            if run is None:
                self._parse(rows[place])
                place += 1
                continue
            yield run
            self._reader.skipped_lines += sum(row.count("\n") for row in rows[place : place + run.height])
            place += run.height

    def _run(self, found: list[tuple[pl.DataFrame, np.ndarray]], place: int) -> pl.DataFrame | None:
        """Return the values of a run that begins at a row, null where none is long enough."""
        if not self._after_point:
            return None
        for values, ends in found:
            length = int(ends[place]) - place
            if length >= SHORTEST_RUN:
                return values.slice(place, length)
        return None

    def _parse(self, row: str) -> None:
        """Let the parser read a point, and learn its shape."""
        self._after_point = self._reader.feed_to_end_of(POINT, (row + END).encode())
        if self._after_point and self._tries < MOST_SHAPES:
            self._tries += 1
            shape = shape_of(row)
            if shape is not None and shape not in self._shapes:
                self._shapes.append(shape)


def _ends_of_runs(values: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """Return values of rows, and for every row where the run that it is in ends (itself: in none)."""
    other = values["lat"].is_null().to_numpy()
    places = np.where(other, np.arange(len(other)), len(other))
    return values, np.minimum.accumulate(places[::-1])[::-1]
