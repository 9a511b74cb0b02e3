"""Arrays of JSON records that are written alike, read block by block as lines instead of as one document.

The first records tell names and types. Wherever `}`, a comma and `{` follow each other the array
is cut into lines, which polars reads: a cut inside a text or a list leaves half an object, and that
is refused. Quotes, colons and brackets are counted as well, so that what is taken is exactly what the
whole document would give: the same members, none said twice, every text a text. An array of
any other kind is loaded as a document.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import polars as pl

from analyzer.logs._format import POLARS_FAILS
from analyzer.logs._json import MOST_BYTES, MOST_NAMES
from analyzer.logs._packed import open_whole
from analyzer.records import record

LEAST_BYTES = 1 << 16
"""A smaller file is loaded as a document."""
BLOCK_BYTES = 1 << 22
_ENDS_BYTES = 1 << 16
_MOST_TRIES, _WIDEST_GAP = 64, 256
_MOST_DEPTH = 8
_LARGEST_WHOLE = 2.0**63
_BETWEEN = re.compile(rb"\}[ \t\r]*,[ \t\r]*\{")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_JSON_SPACES = " \t\r\n"
_SPACES = _JSON_SPACES.encode()
_TYPES: dict[frozenset[type], Any] = {
    frozenset(): pl.String,
    frozenset({int}): pl.Int64,
    frozenset({float}): pl.Float64,
    frozenset({int, float}): pl.Float64,
    frozenset({str}): pl.String,
    frozenset({bool}): pl.Boolean,
}
Member = tuple[str, ...]
"""The names of a member, those of the objects around it first."""


class UnlikeError(Exception):
    """Records that may not be written alike."""


@record(frozen=True)
class Array:
    """An array of records in a file: its elements are the bytes `[start, stop)`, `sample` are the first of them.

    `document` is what the file holds, with the first element alone; `types` are the types of the members.
    """

    path: str
    start: int
    stop: int
    document: Any
    types: Mapping[Member, Any]

    @property
    def names(self) -> list[str]:
        """Return the names of all members in order, as `flat` calls them."""
        return [_called(member) for member in self.types]

    def frame(self, wanted: Sequence[str]) -> pl.DataFrame:
        """Return the wanted members of all elements, in the types of `column_of`.

        UnlikeError where loading the document might give another table.
        """
        types, frames = dict(self.types), []
        for lines, height in self._blocks():
            table = _table(lines, height, types)
            types = {member: table[_called(member)].dtype for member in types}
            frames.append(table.select(wanted))
        whole = pl.concat(frames, how="vertical_relaxed", rechunk=True)
        return whole.with_columns(pl.col(pl.Boolean).cast(pl.String))

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        """Yield some MB of elements at a time as lines, and how many they are."""
        with open_whole(self.path) as file:
            file.seek(self.start)
            left, rest = self.stop - self.start, b""
            while left:
                block = file.read(min(BLOCK_BYTES, left)) or _unlike()
                left -= len(block)
                data = rest + block
                cut = _last_beginning(data) if left else len(data)
                whole = data[:cut].rstrip(_SPACES)
                yield _lines(whole.removesuffix(b",") if left else whole)
                rest = data[cut:]


def array_in(path: str) -> Array:
    """Return the array of records that makes up a file; UnlikeError where there is none that is plainly one."""
    with open_whole(path) as file:
        size = file.seek(0, os.SEEK_END)
        if not LEAST_BYTES <= size <= MOST_BYTES:
            raise UnlikeError
        file.seek(0)
        head = file.read(_ENDS_BYTES)
        file.seek(max(size - _ENDS_BYTES, 0))
        tail = file.read()
    start, left = head.find(b"[") + 1, len(tail) - tail.rfind(b"]")
    if not start or left > len(tail) or start >= size - left:
        raise UnlikeError
    try:
        first, *others = _elements(head[start:].decode("utf-8", "ignore"))
        before, after = head[:start].decode("utf-8-sig"), tail[-left:].decode()
        document = json.loads(before + json.dumps(first) + after, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UnlikeError from error
    return Array(path, start, size - left, document, _types([first, *others]))


def _unlike() -> NoReturn:
    """Say that records may not be alike."""
    raise UnlikeError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object none of whose members is said twice."""
    members = dict(pairs)
    return members if len(members) == len(pairs) else _unlike()


def _elements(text: str) -> list[dict[str, Any]]:
    """Return the objects with which the elements of an array begin, as far as they are whole."""
    decoder, found = json.JSONDecoder(object_pairs_hook=_once), []
    while text:
        try:
            element, end = decoder.raw_decode(text.lstrip(_JSON_SPACES))
        except ValueError:
            break
        found.append(element if isinstance(element, dict) else _unlike())
        text = text.lstrip(_JSON_SPACES)[end:].lstrip(_JSON_SPACES)
        if not text.startswith(","):
            break
        text = text[1:]
    return found or _unlike()


def _types(sample: Sequence[Mapping[str, Any]]) -> dict[Member, Any]:
    """Return the members of records and their types; UnlikeError where one is no plain value, or may be two."""
    kinds: dict[Member, set[type]] = {}
    for one in sample:
        for member, value in _members(one, ()):
            kinds.setdefault(member, set()).add(type(value))
    types = {member: _TYPES.get(frozenset(found - {type(None)})) for member, found in kinds.items()}
    around = {member[:depth] for member in types for depth in range(1, len(member))}
    called = {_called(member) for member in (*types, *around)}
    if None in types.values() or len(called) < len(types) + len(around) or len(types) > MOST_NAMES:
        raise UnlikeError
    return types


def _members(record: Mapping[str, Any], around: Member) -> Iterator[tuple[Member, Any]]:
    """Yield the members of a record and of the objects in it, and their values."""
    if not record or len(around) > _MOST_DEPTH:
        raise UnlikeError
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _members(value, (*around, name))
        else:
            yield (*around, name), value


def _called(member: Member) -> str:
    """Return the name of a member, as `flat` gives it."""
    return ".".join(member)


def _last_beginning(data: bytes) -> int:
    """Return where the last element begins that follows another."""
    place = len(data)
    for _ in range(_MOST_TRIES):
        place = data.rfind(b"{", 0, place)
        before = data[max(place - _WIDEST_GAP, 0) : max(place, 0)].rstrip(_SPACES)
        if before.endswith(b",") and before[:-1].rstrip(_SPACES).endswith(b"}"):
            return place
    return _unlike()


def _lines(elements: bytes) -> tuple[bytes, int]:
    """Return elements, each on a line of its own, and how many they are.

    Line ends become tabs: between the parts of an object they mean the same, in a text neither may be.
    """
    data = elements.replace(b"\n", b"\t").lstrip(_SPACES)
    usual = _BETWEEN.search(data)
    if usual:
        data = data.replace(usual[0], b"}\n{")
    data = _BETWEEN.sub(b"}\n{", data)
    return data, data.count(b"\n") + 1


def _table(lines: bytes, height: int, types: Mapping[Member, Any]) -> pl.DataFrame:
    """Return the members of objects that are written a line each, called as `flat` does."""
    if b"\\\\" in lines or _HALF.search(lines) or lines.count(b"["):
        raise UnlikeError
    whole: list[Member] = []
    try:
        nested = pl.read_ndjson(lines, schema=_schema(types))
    except POLARS_FAILS:
        whole = [member for member, kind in types.items() if kind == pl.Int64]
        nested = _or_unlike(lines, {**types, **dict.fromkeys(whole, pl.Float64)})
    table = nested.select(_value(member).alias(_called(member)) for member in types)
    table = table.with_columns(_wholes(lines, member, table[_called(member)]) for member in whole)
    if table.height != height or not _is_all(lines, nested, table, types):
        raise UnlikeError
    return table


def _or_unlike(lines: bytes, types: Mapping[Member, Any]) -> pl.DataFrame:
    """Return lines as polars reads them."""
    try:
        return pl.read_ndjson(lines, schema=_schema(types))
    except POLARS_FAILS as error:
        raise UnlikeError from error


def _schema(types: Mapping[Member, Any]) -> dict[str, Any]:
    """Return types of members as those of the objects that hold them."""
    inner: dict[str, dict[Member, Any]] = {}
    for member, kind in types.items():
        inner.setdefault(member[0], {})[member[1:]] = kind
    return {name: kinds[()] if () in kinds else pl.Struct(_schema(kinds)) for name, kinds in inner.items()}


def _value(member: Member) -> pl.Expr:
    """Return the value of a member."""
    found = pl.col(member[0])
    for name in member[1:]:
        found = found.struct.field(name)
    return found


def _wholes(lines: bytes, member: Member, floats: pl.Series) -> pl.Series:
    """Return numbers as whole ones where all are, else as they are; UnlikeError where some are too large for that."""
    try:
        nested = pl.read_ndjson(lines, schema=_schema({member: pl.Int64}))
    except POLARS_FAILS as error:
        if (floats.abs() >= _LARGEST_WHOLE).any():
            raise UnlikeError from error
        return floats
    return nested.select(_value(member).alias(floats.name)).to_series()


def _is_all(lines: bytes, nested: pl.DataFrame, table: pl.DataFrame, types: Mapping[Member, Any]) -> bool:
    """Return whether a table holds all that lines say: every member once, texts where they are texts."""
    around = dict.fromkeys(member[:depth] for member in types for depth in range(1, len(member)))
    objects = {member: nested.select(_value(member).is_not_null().sum()).item() for member in around}
    named = _named(lines, table, types, objects)
    signs = np.frombuffer(lines, dtype=np.uint8)
    colons = np.count_nonzero((signs[:-1] == ord('"')) & (signs[1:] == ord(":")))
    texts = sum(column.len() - column.null_count() for column in table.iter_columns() if column.dtype == pl.String)
    quotes = np.count_nonzero(signs == ord('"')) - lines.count(b'\\"')
    return bool(
        colons == named and quotes == 2 * (colons + texts) and lines.count(b"{") == table.height + sum(objects.values())
    )


def _named(lines: bytes, table: pl.DataFrame, types: Mapping[Member, Any], objects: Mapping[Member, int]) -> int:
    """Return how many members are named in lines, one that a line names twice once."""
    gaps = [member for member in types if table[_called(member)].null_count()]
    if not gaps:
        return table.height * (len(types) + len(objects))
    names = [member[-1] for member in (*types, *objects)]
    if b'\\"' in lines or len(set(names)) < len(names):
        raise UnlikeError
    line = pl.Series(lines.split(b"\n"), dtype=pl.Binary)
    found = {member: _lines_with(line, member[-1]) for member in (*gaps, *objects)}
    if any(found[member] != count for member, count in objects.items()):
        raise UnlikeError
    return sum(found.get(member, table.height) for member in (*types, *objects))


def _lines_with(line: pl.Series, name: str) -> int:
    """Return how many lines name a member."""
    ways = {json.dumps(name, ensure_ascii=ascii_only) + ":" for ascii_only in (True, False)}
    found = pl.any_horizontal(pl.col("line").bin.contains(way.encode()) for way in ways)
    return int(line.to_frame("line").select(found.sum()).item())
