"""From the bytes of a message to its values, by the definition in the file or in a folder of .msg files.

The library rosbags makes Python code of definitions: so only names of types that are names
reach it, only definitions of moderate length, and none with lists of messages (no type that
is read here has any; their length could be anything).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from analyzer.errors import LogError
from analyzer.logs._recordings import ZSTD_MAGIC
from analyzer.logs._ros_walk import Topic
from analyzer.logs._unpack import BrokenError, unpacked_message

Decode = Callable[[bytes], Any]

_TYPE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*/msg/[A-Za-z][A-Za-z0-9_]*")
_HEAD_BYTES, _PADDING = 4, 3
"""Of a message in CDR: what says its byte order, and what may follow it."""
_MOST_DEFINITION, _MOST_FILES = 1 << 18, 20_000
"""Characters of a definition, files of a folder."""


def decoder_of(topic: Topic, folder: Path | None) -> Decode | None:
    """Return what decodes messages of a topic, null where nobody says how; it raises anything on bad bytes."""
    if topic.encoding not in ("cdr", "ros1") or not _TYPE_NAME.fullmatch(topic.type):
        return None
    return _cached_decoder(replace(topic, name=""), folder)


@lru_cache(maxsize=256)
def _cached_decoder(topic: Topic, folder: Path | None) -> Decode | None:
    """Return what decodes messages of a type: made once for all recordings that define it alike."""
    fields = _embedded(topic) if topic.definition else {**_standard(), **(_of_folder(folder) if folder else {})}
    return _decoder(topic, fields) if fields else None


def _decoder(topic: Topic, fields: Mapping[str, Any]) -> Decode | None:
    """Return what decodes messages by parsed definitions, null where one is missing."""
    from rosbags.typesys import Stores, get_typestore  # noqa: PLC0415 - only recordings need it

    store = get_typestore(Stores.EMPTY)
    needed = _needed(topic.type, {**store.fielddefs, **fields})
    if needed is None:
        return None
    try:
        store.register(needed)
        store.get_msgdef(topic.type)
    except Exception:  # noqa: BLE001 - the library says what it cannot use by any exception
        return None
    name = topic.type
    if topic.encoding == "ros1":
        return lambda raw: store.deserialize_ros1(raw, name)
    return _of_cdr(store.get_msgdef(name), store)


def _of_cdr(message_type: Any, store: Any) -> Decode:
    """Return what decodes CDR as rosbags' own `deserialize_cdr` does, without its look-ups for every message."""
    functions = {b"\0\1": message_type.deserialize_cdr_le, b"\0\0": message_type.deserialize_cdr_be}
    made = message_type.cls

    def decode(raw: bytes) -> Any:
        if raw[:4] == ZSTD_MAGIC:
            raw = unpacked_message(message_type.name, raw)
        message, at = functions[raw[:2]](raw[4:], 0, made, store)
        if at + _HEAD_BYTES + _PADDING < len(raw):
            raise BrokenError
        return message

    return decode


def _needed(name: str, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the definition of a type and of all it is made of, null where one is missing or a list of messages."""
    from rosbags.interfaces import Nodetype  # noqa: PLC0415

    found: dict[str, Any] = {}
    wanted = [name]
    while wanted:
        kind = wanted.pop()
        if kind in found:
            continue
        if kind not in fields or not _TYPE_NAME.fullmatch(kind):
            return None
        found[kind] = fields[kind]
        for _, (node, of) in fields[kind][1]:
            if node == Nodetype.NAME:
                wanted.append(of)
            elif node in (Nodetype.ARRAY, Nodetype.SEQUENCE) and of[0][0] == Nodetype.NAME:
                return None
    return found


def _embedded(topic: Topic) -> Mapping[str, Any]:
    """Return the parsed definitions inside the file, none where they make no sense."""
    from rosbags.typesys import get_types_from_idl, get_types_from_msg  # noqa: PLC0415

    if len(topic.definition) > _MOST_DEFINITION:
        return {}
    definition = topic.definition.replace("\r\n", "\n")  # as packages built on Windows have it
    try:
        if topic.grammar == "msg":
            return get_types_from_msg(definition, topic.type)
        found: dict[str, Any] = {}
        for text in _idl_texts(definition):
            found.update(get_types_from_idl(text))
    except Exception:  # noqa: BLE001 - the library says what it cannot parse by any exception
        return {}
    return found


def _idl_texts(definition: str) -> list[str]:
    """Return the IDL files of a definition, without the lines that rosbags stumbles over."""
    texts = re.split(r"^=+\nIDL: .*\n", definition, flags=re.MULTILINE)
    return [re.sub(r"^#include.*$", "", text, flags=re.MULTILINE) for text in texts if text.strip()]


@cache
def _standard() -> Mapping[str, Any]:
    """Return the parsed definitions that come with ROS 2 itself."""
    from rosbags.typesys import Stores, get_typestore  # noqa: PLC0415

    return get_typestore(Stores.ROS2_HUMBLE).fielddefs


@cache
def _of_folder(folder: Path) -> Mapping[str, Any]:
    """Return the parsed definitions of the .msg files in a folder and below; LogError where one is none."""
    from rosbags.typesys import get_types_from_msg  # noqa: PLC0415

    files = sorted(file for file in folder.rglob("*.msg") if file.is_file())
    if not files or len(files) > _MOST_FILES:
        raise LogError(
            f"{folder}: holds {len(files)} .msg files; name the folder of the packages with their definitions"
        )
    found: dict[str, Any] = {}
    for file in files:
        name = _type_of(folder, file)
        try:
            text = file.read_text(encoding="utf-8-sig") if file.stat().st_size <= _MOST_DEFINITION else ""
            found.update(get_types_from_msg(text, name))
        except Exception as error:
            message = f"{file}: is no message definition ({type(error).__name__}); take it out of the folder"
            raise LogError(message) from error
    return found


def _type_of(folder: Path, file: Path) -> str:
    """Return the name of the type that a file of a package, PACKAGE/msg/TYPE.msg or PACKAGE/TYPE.msg, defines."""
    home = file.resolve().parent
    package = _package_of(home, folder.resolve()) or (home.parent.name if home.name == "msg" else home.name)
    name = f"{package}/msg/{file.stem}"
    if not _TYPE_NAME.fullmatch(name):
        message = f"{file}: says no type; put it at PACKAGE/msg/TYPE.msg below {folder}"
        raise LogError(message)
    return name


@cache
def _package_of(home: Path, top: Path) -> str | None:
    """Return the name in the nearest package.xml from a folder up to `top`, null where there is none.

    The sources of a package may sort their messages into folders (PACKAGE/vehicle/msg/TYPE.msg).
    """
    manifest = home / "package.xml"
    if manifest.is_file() and manifest.stat().st_size <= _MOST_DEFINITION:
        named = re.search(r"<name>\s*([^<\s]+)\s*</name>", manifest.read_text(encoding="utf-8", errors="replace"))
        return named[1] if named else None
    return _package_of(home.parent, top) if home != top and home.is_relative_to(top) else None
