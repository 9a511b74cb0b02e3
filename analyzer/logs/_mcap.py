"""The bytes of an MCAP file, walked from the front: an index or an end is not needed.

Layout: https://mcap.dev/spec. A chunk whose checksum or compression is wrong is left out
and counted; a record that goes on beyond the end of the file is where the file is cut (of a
chunk that is not compressed, the messages before that are read).
"""

import struct
import zlib
from contextlib import suppress
from os import SEEK_CUR
from pathlib import Path
from typing import BinaryIO

from analyzer.logs._recordings import MCAP_MAGIC
from analyzer.logs._ros_walk import UNKNOWN, Course, Messages, Topic
from analyzer.logs._unpack import BrokenError, unpacked

_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<BQHIQQ")
_CHUNK = struct.Struct("<QQQI")
_SCHEMA, _CHANNEL, _DATA, _CHUNK_OP, _DATA_END = 3, 4, 5, 6, 15
_GRAMMARS = {"ros2msg": "msg", "ros1msg": "msg", "ros2idl": "idl"}
_HEAD_BYTES = _RECORD.size + 22


class _Walk:
    """The schemas and topics met so far."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.schemas: dict[int, tuple[str, str, str]] = {}
        self.topics: dict[int, Topic] = {}

    def messages(self, body: bytes) -> Messages:
        """Yield the messages of records that follow each other."""
        at, end, topics = 0, len(body), self.topics
        while at < end:
            if at + _RECORD.size > end:
                raise BrokenError
            op, length = _RECORD.unpack_from(body, at)
            stop = at + _RECORD.size + length
            if stop > end:
                raise BrokenError
            if op == _DATA:
                if length < _HEAD_BYTES - _RECORD.size:
                    raise BrokenError
                _, _, channel, _, log_ns, _ = _MESSAGE.unpack_from(body, at)
                topic = topics.get(channel, UNKNOWN)
                yield topic, log_ns, body[at + _HEAD_BYTES : stop] if topic.wanted else b""
            else:
                self.describe(op, body[at + _RECORD.size : stop])
            at = stop

    def describe(self, op: int, body: bytes) -> None:
        """Take a schema or a channel into account; there is nothing else among messages."""
        if op == _SCHEMA:
            number, (name, encoding, definition) = _number(body), _texts(body[2:], 3)
            self.schemas[number] = (name, encoding, definition)
        elif op == _CHANNEL:
            name, encoding = _texts(body[4:], 2)
            kind, grammar, definition = self.schemas.get(_number(body[2:]), ("", "", ""))
            topic = Topic(name, kind, definition, _GRAMMARS.get(grammar, ""), encoding)
            self.topics[_number(body)] = self.course.topic(topic)
        else:
            raise BrokenError


def _number(body: bytes) -> int:
    """Return the first two bytes as a number."""
    return int.from_bytes(body[:2], "little")


def _texts(body: bytes, count: int) -> list[str]:
    """Return texts that each follow their length."""
    texts, at = [], 0
    for _ in range(count):
        length = int.from_bytes(body[at : at + 4], "little")
        at += 4 + length
        if at > len(body):
            raise BrokenError
        texts.append(body[at - length : at].decode("utf-8", "replace"))
    return texts


def walk_mcap(path: Path, course: Course) -> Messages:
    """Yield all messages in the order of the file; how it went is noted in `course`."""
    walk = _Walk(course)
    size = path.stat().st_size
    course.growth.packed += size
    with path.open("rb") as file:
        at = len(MCAP_MAGIC)
        while True:
            file.seek(at)
            head = file.read(_RECORD.size)
            op, length = _RECORD.unpack(head) if len(head) == _RECORD.size else (0, size)
            stop = at + _RECORD.size + length
            if stop > size:
                course.cut = True
                yield from _cut_chunk(walk, file) if op == _CHUNK_OP else ()
                return
            if op == _DATA_END:
                course.cut |= not _closed(file, size)
                return
            yield from _record(walk, file, op, head, length)
            at = stop


def _closed(file: BinaryIO, size: int) -> bool:
    """Return whether the file ends as it should."""
    file.seek(max(size - len(MCAP_MAGIC), 0))
    return file.read() == MCAP_MAGIC


def _record(walk: _Walk, file: BinaryIO, op: int, head: bytes, length: int) -> Messages:
    """Yield the messages of one record of the file."""
    try:
        if op == _CHUNK_OP:
            yield from walk.messages(_chunk(file, walk.course, length))
        elif op in (_SCHEMA, _CHANNEL, _DATA):
            yield from walk.messages(head + file.read(length))
    except BrokenError:
        walk.course.bad_chunks += 1


def _cut_chunk(walk: _Walk, file: BinaryIO) -> Messages:
    """Yield the whole messages of a chunk that goes on beyond the end of the file, where it is not compressed."""
    file.seek(_CHUNK.size, SEEK_CUR)
    if file.read(4) == bytes(4):  # no name of a compression; a length follows
        with suppress(BrokenError):
            yield from walk.messages(file.read()[8:])


def _chunk(file: BinaryIO, course: Course, length: int) -> bytes:
    """Return what a chunk holds; BrokenError where it is damaged."""
    start = file.tell()
    if length < _CHUNK.size + 12:
        raise BrokenError
    _, _, size, checksum = _CHUNK.unpack(file.read(_CHUNK.size))
    name_length = int.from_bytes(file.read(4), "little")
    if name_length > length - _CHUNK.size - 12:
        raise BrokenError
    kind = file.read(name_length).decode("ascii", "replace")
    packed = int.from_bytes(file.read(8), "little")
    if file.tell() + packed != start + length:
        raise BrokenError
    where = f"{course.path}: chunk at byte {start}"
    course.growth.add(where, size if kind else 0)
    body = unpacked(where, file.read(packed), kind, size)
    if checksum and zlib.crc32(body) != checksum:
        raise BrokenError
    return body
