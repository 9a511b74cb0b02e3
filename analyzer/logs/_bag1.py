"""The bytes of a ROS 1 bag (version 2.0), walked from the front: an index is not needed.

Layout: https://wiki.ros.org/Bags/Format/2.0. The last chunk of a bag that was never closed
has no length yet: its messages then follow its header as records of their own.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from analyzer.errors import LogError
from analyzer.logs._recordings import BAG1_MAGIC
from analyzer.logs._ros_walk import UNKNOWN, Course, Messages, Topic
from analyzer.logs._unpack import BrokenError, unpacked

_DATA, _HEADER, _CHUNK, _CHUNK_INFO, _CONNECTION = 2, 3, 5, 6, 7
_TIME = struct.Struct("<II")
_SECOND_NS = 1_000_000_000


def walk_bag1(path: Path, course: Course) -> Messages:
    """Yield all messages in the order of the file; how it went is noted in `course`."""
    size = path.stat().st_size
    course.growth.packed += size
    topics: dict[int, Topic] = {}
    indexed = 0
    with path.open("rb") as file:
        if file.read(len(BAG1_MAGIC)) != BAG1_MAGIC:
            message = f"{course.path}: only bags of version 2.0 are read; convert a copy with `rosbag fix`"
            raise LogError(message)
        while file.tell() < size:
            try:
                fields, length = _head(file, size)
            except BrokenError:
                course.cut = True
                return
            op = _op(fields)
            stop = file.tell() + length
            if op == _HEADER:
                course.cut |= not any(fields.get("index_pos", b""))
                indexed = int.from_bytes(fields.get("chunk_count", b"")[:4], "little")
                _refuse_encryption(course.path, fields)
            elif op == _CHUNK_INFO:
                indexed -= 1
            elif op in (_CHUNK, _CONNECTION, _DATA):
                try:
                    yield from _record(file, fields, length, topics, course)
                except BrokenError:
                    course.bad_chunks += 1
            file.seek(stop)
    course.cut |= indexed != 0  # the index comes last, with a record a chunk


def _refuse_encryption(path: str, fields: dict[str, bytes]) -> None:
    """Refuse a bag of which nothing can be read."""
    if fields.get("encryptor"):
        raise LogError(f"{path}: the bag is encrypted; decrypt a copy with `rosbag decrypt`")


def _head(file: BinaryIO, size: int) -> tuple[dict[str, bytes], int]:
    """Return the fields of a record's header, and the bytes of its data."""
    length = _length(file, size)
    fields = _fields(file.read(length))
    return fields, _length(file, size)


def _length(file: BinaryIO, size: int) -> int:
    """Return a length of bytes that follow it; BrokenError where there are not so many."""
    length = int.from_bytes(file.read(4), "little")
    if file.tell() + length > size or not length >= 0:
        raise BrokenError
    return length


def _fields(body: bytes) -> dict[str, bytes]:
    """Return name -> value."""
    fields, at = {}, 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "little")
        at += 4 + length
        name, equals, value = body[at - length : at].partition(b"=")
        if at > len(body) or not equals:
            raise BrokenError
        fields[name.decode("ascii", "replace")] = value
    return fields


def _op(fields: dict[str, bytes]) -> int:
    """Return what kind of record it is, 0 where it does not say."""
    return int.from_bytes(fields.get("op", b"\0")[:1], "little")


def _record(
    file: BinaryIO, fields: dict[str, bytes], length: int, topics: dict[int, Topic], course: Course
) -> Messages:
    """Yield the messages of one record of the file."""
    where, body = f"{course.path}: chunk at byte {file.tell()}", file.read(length)
    if _op(fields) != _CHUNK:
        yield from _one(fields, body, topics, course)
        return
    kind = fields.get("compression", b"").decode("ascii", "replace")
    size = int.from_bytes(fields.get("size", b"")[:4], "little")
    if not length:
        return  # never closed: its records follow
    course.growth.add(where, 0 if kind == "none" else size)
    yield from _records(unpacked(where, body, kind, size), topics, course)


def _records(body: bytes, topics: dict[int, Topic], course: Course) -> Messages:
    """Yield the messages of a chunk."""
    at = 0
    while at < len(body):
        middle = at + 4 + int.from_bytes(body[at : at + 4], "little")
        stop = middle + 4 + int.from_bytes(body[middle : middle + 4], "little")
        if stop > len(body):
            raise BrokenError
        yield from _one(_fields(body[at + 4 : middle]), body[middle + 4 : stop], topics, course)
        at = stop


def _one(fields: dict[str, bytes], body: bytes, topics: dict[int, Topic], course: Course) -> Messages:
    """Yield the message of a record, or take its connection into account."""
    op, connection = _op(fields), int.from_bytes(fields.get("conn", b""), "little")
    if op == _DATA:
        if len(fields.get("time", b"")) != _TIME.size:
            raise BrokenError
        seconds, rest = _TIME.unpack(fields["time"])
        topic = topics.get(connection, UNKNOWN)
        yield topic, seconds * _SECOND_NS + rest, body if topic.wanted else b""
    elif op == _CONNECTION:
        said = _fields(body)
        words = [value.decode("utf-8", "replace") for value in (fields.get("topic", b""), said.get("type", b""))]
        definition = said.get("message_definition", b"").decode("utf-8", "replace")
        topic = Topic(words[0], words[1].replace("/", "/msg/", 1), definition, "msg", "ros1")
        topics[connection] = course.topic(topic)
    else:
        raise BrokenError
