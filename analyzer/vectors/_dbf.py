"""The attributes of a shapefile: dBASE III, with Korean text in cp949 or UTF-8."""

import codecs
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from analyzer.language import Both, both

HEAD_BYTES, FIELD_BYTES = 32, 32
LANGUAGES = {0x4E: "cp949", 0x79: "cp949", 0x03: "cp1252", 0x13: "cp932", 0x4D: "cp936", 0x4F: "cp950"}
"""Encodings by the language byte of dBASE; the others say nothing certain."""

WORDS = {"949": "cp949", "ansi949": "cp949", "mskorean": "cp949", "euckr": "cp949", "65001": "utf-8", "utf8": "utf-8"}


class Table:
    """A table: its encoding, and the rows (null where one is marked as deleted)."""

    def __init__(self, data: bytes, stated: str | None) -> None:
        """Read the head; `stated` is the encoding that a .cpg or an option names."""
        if len(data) < HEAD_BYTES:
            raise ValueError("the .dbf is cut off")
        self._data = data
        self.count, head, self._width = struct.unpack_from("<IHH", data, 4)
        if head < HEAD_BYTES + 1 or self._width < 1 or head + self.count * self._width > len(data):
            raise ValueError("the .dbf is cut off, or is none")
        self._start = head
        self._fields = list(self._described(data[HEAD_BYTES:head]))
        self.encoding, self.remarks = self._encoding(stated, LANGUAGES.get(data[29]))

    def _described(self, head: bytes) -> Iterator[tuple[bytes, str, int, int]]:
        """Yield name, type, first byte and end of every field."""
        at = 1
        for number in range(len(head) // FIELD_BYTES):
            own = head[number * FIELD_BYTES : (number + 1) * FIELD_BYTES]
            if own[:1] == b"\r":
                return
            end = at + own[16]
            if end > self._width:
                raise ValueError("the fields of the .dbf are longer than its records")
            yield own[:11].split(b"\0")[0], chr(own[11]), at, end
            at = end

    def _encoding(self, stated: str | None, language: str | None) -> tuple[str, list[Both]]:
        """Return the encoding that every text fits: the stated one, else that of the language byte, UTF-8, cp949."""
        wanted = _codec(stated) if stated else language
        texts = set(self._texts())
        for encoding in [wanted] if stated and wanted else [wanted, "utf-8", "cp949"]:
            if encoding and all(_fits(text, encoding) for text in texts):
                guessed = encoding != wanted and not all(text.isascii() for text in texts)
                said = both("Nothing states the encoding of the attributes; they are read as {name}.", name=encoding)
                return encoding, [said] if guessed else []
        problem = f"the attributes are not {stated}" if stated else "the attributes are neither UTF-8 nor cp949"
        raise ValueError(f"{problem}; name their encoding by --encoding")

    def _texts(self) -> Iterator[bytes]:
        """Yield the names of fields and all texts."""
        yield from (name for name, _, _, _ in self._fields)
        block = np.frombuffer(self._data, np.uint8, self.count * self._width, self._start)
        rows = block.reshape(self.count, self._width)
        for _, kind, start, end in self._fields:
            if kind == "C" and end > start:
                yield from np.unique(np.ascontiguousarray(rows[:, start:end]).view(f"S{end - start}")).tolist()

    def rows(self) -> Iterator[dict[str, Any] | None]:
        """Yield the attributes of each record."""
        names = [_decoded(name, self.encoding) for name, _, _, _ in self._fields]
        for number in range(self.count):
            at = self._start + number * self._width
            row = self._data[at : at + self._width]
            own = zip(names, self._fields, strict=True)
            values = {n: _value(row[start:end], kind, self.encoding) for n, (_, kind, start, end) in own}
            yield None if row[:1] == b"*" else values


def _codec(name: str | None) -> str | None:
    """Return Python's name of an encoding, null for none that is known."""
    words = (name or "").strip()
    plain = words.lower().replace("-", "").replace("_", "").replace(" ", "")
    try:
        return codecs.lookup(WORDS.get(plain, words)).name if words else None
    except (LookupError, ValueError):
        return None


def _fits(text: bytes, encoding: str) -> bool:
    """Return whether a text can be read, but for a last character that the width cut."""
    try:
        _decoded(text, encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(text: bytes, encoding: str) -> str:
    """Return a text without padding; a last character cut by the width of the field is left out."""
    own = text.rstrip(b" \0")
    for cut in (0, 1, 2, 3):
        try:
            return own[: len(own) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(own) - 3 or cut == 3:  # noqa: PLR2004
                raise
    return ""


def _value(text: bytes, kind: str, encoding: str) -> Any:
    """Return a value: number, text, or null where it is empty; a date stays text."""
    if kind == "C":
        return _decoded(text, encoding)
    own = text.decode("ascii", "replace").strip(" \0*")
    if kind in "NF":
        try:
            return int(own) if own.lstrip("+-").isdigit() else float(own)
        except ValueError:
            return None
    return own or None
