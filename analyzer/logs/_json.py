"""JSON documents, hostile or not: loaded once, within limits known before; rows made into columns."""

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._files import is_url
from analyzer.logs._packed import open_bytes, size_of
from analyzer.logs._plain import clean_text
from analyzer.logs._remarks import Remark, first_words
from analyzer.records import record

MOST_BYTES = 1 << 30
MOST_PACKED_BYTES, MOST_PACKED_TIMES = 1 << 24, 4
"""A document that is packed grows twice: unpacked, and as objects."""
FREE_BYTES = 1 << 26
MOST_TIMES = 16
MOST_NAMES = 10_000
_ARRAY_BYTES, _OBJECT_BYTES, _VALUE_BYTES = 88, 232, 40
_WIDE = (BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_LE, BOM_UTF32_BE)
_MOST_DEPTH = 8


@record(frozen=True)
class Document:
    """A JSON document as loaded; in `value`, a member said twice with two values is null."""

    path: str
    value: Any
    remarks: tuple[Remark, ...] = ()


@dataclass
class Rows:
    """Records of a document: `rows` under `numbers`, `bad` ones with a reason, others only counted.

    `ours` says which of their members are which of our columns, `modes` what the values of
    the control mode mean.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    record: int = 0
    others: int = 0
    ours: dict[str, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        """Take over a record."""
        self.record += 1
        self.numbers.append(self.record)
        self.rows.append(row)

    def add_bad(self, reason: str, text: str) -> None:
        """Take over a record that is none, with its own words."""
        self.record += 1
        self.bad.append((self.record, reason, clean_text(printable(text))))

    def add_other(self, count: int = 1) -> None:
        """Count records that are no positions."""
        self.record += count
        self.others += count


@dataclass
class _Members:
    """Makes objects of their members and counts those said twice."""

    twice: int = 0
    names: set[str] = field(default_factory=set)

    def make(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object; of a member said twice with two values nobody knows which holds."""
        members = dict(pairs)
        if len(members) < len(pairs):
            for name, value in pairs:
                if members[name] is not None and repr(value) != repr(members[name]):
                    members[name] = None
                    self.twice += 1
                    self.names = set(first_words([*self.names, printable(name)[:30]]))
        return members


def load_document(path: str) -> Document:
    """Return the JSON document of a file; LogError where it is none or would not fit."""
    if is_url(path):
        raise LogError(f"{path}: JSON is read from files only; download it first")
    data = _whole(path)
    text, remarks = _text(path, data)
    del data
    _bounded(path, text)
    members = _Members()
    try:
        value = json.loads(text, object_pairs_hook=members.make)
    except RecursionError as error:
        raise LogError(f"{path}: its JSON is nested too deep; that is no log") from error
    except ValueError as error:
        raise LogError(f"{path}: is not sound JSON ({str(error)[:120]}); was it cut off?") from error
    if members.twice:
        remarks = (*remarks, Remark("said-twice", path, members.twice, tuple(sorted(members.names))))
    return Document(path, value, remarks)


def _whole(path: str) -> bytes:
    """Return what a file holds; LogError where that is too much to be read at once."""
    size = Path(path).stat().st_size
    if size > MOST_BYTES:
        raise LogError(f"{path}: a JSON document this large is not read at once; write it as NDJSON or split it")
    if size_of(path) is not None:
        return Path(path).read_bytes()
    most = min(max(MOST_PACKED_BYTES, MOST_PACKED_TIMES * size), MOST_BYTES)
    with open_bytes(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise LogError(f"{path}: a JSON document that unpacks to this much is not read at once; unpack it first")
    return data


def _text(path: str, data: bytes) -> tuple[str, tuple[Remark, ...]]:
    """Return a text: UTF-16 or UTF-32 with a mark, UTF-8, or cp949."""
    encoding = "utf-8-sig"
    if data.startswith(_WIDE):
        encoding = "utf-32" if data.startswith(_WIDE[2:]) else "utf-16"
    try:
        return data.decode(encoding), ()
    except UnicodeDecodeError as first:
        try:
            return data.decode("cp949"), (Remark("encoding", path, words=("cp949",)),)
        except UnicodeDecodeError:
            message = f"{path}: is neither UTF-8 nor cp949 text (byte {first.start}); save it as UTF-8"
            raise LogError(message) from first


def _bounded(path: str, text: str) -> None:
    """Refuse a text of little but brackets: as objects it takes many times its size."""
    containers = text.count("[") * _ARRAY_BYTES + text.count("{") * _OBJECT_BYTES
    needed = containers + text.count(",") * _VALUE_BYTES
    if needed > max(FREE_BYTES, MOST_TIMES * len(text)):
        raise LogError(f"{path}: its JSON is little but brackets and commas; that is no log")


def names_of(path: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of all members of rows, in order; LogError where there are too many."""
    names: dict[str, None] = {}
    for row in rows:
        if row.keys() <= names.keys():
            continue
        names.update(dict.fromkeys(row))
        if len(names) > MOST_NAMES:
            raise LogError(
                f"{path}: its records have more than {MOST_NAMES} members of different names; that is no log"
            )
    return list(names)


def printable(text: str) -> str:
    """Return a text without halves of characters, which JSON can hold and nothing else can."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def flat(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return the members of a record, those of objects within it as `outer.inner`."""
    if not prefix and dict not in map(type, record.values()) and "".join(record).isascii():
        return dict(record)
    found: dict[str, Any] = {}
    for name, value in record.items():
        own = prefix + printable(name)
        if isinstance(value, dict) and depth < _MOST_DEPTH:
            found |= flat(value, f"{own}.", depth + 1)
        else:
            found[own] = value
    return found


def column_of(values: list[Any]) -> pl.Series:
    """Return numbers as numbers; anything mixed as text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds == {int}:
        try:
            return pl.Series(values, dtype=pl.Int64)
        except (OverflowError, TypeError):  # from 2**64 on; from 2**63 on
            return pl.Series([_word(value) for value in values], dtype=pl.String)
    if kinds == {float}:
        return pl.Series(values, dtype=pl.Float64)
    if kinds == {str} and "".join(filter(None, values)).isascii():
        return pl.Series(values, dtype=pl.String)
    if kinds and kinds <= {int, float}:
        return pl.Series([None if v is None else _float(v) for v in values], dtype=pl.Float64)
    return pl.Series([_word(value) for value in values], dtype=pl.String)


def _float(value: float) -> float:
    """Return a number as a float, infinite where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _word(value: Any) -> str | None:
    """Return a value as a word; a whole number without its point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if value is None else printable(value if isinstance(value, str) else json.dumps(value))
