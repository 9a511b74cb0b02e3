"""Files and URLs, before anybody knows their format."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from analyzer.errors import LogError
from analyzer.logs._objects import is_object, sha256_of_object
from analyzer.logs._packed import is_packed, open_bytes

HEAD_BYTES = 4096
CHUNK_BYTES = 1 << 22
"""Bytes hashed at once: other threads run meanwhile, and for each chunk it must wait for them."""


def is_url(path: str) -> bool:
    """Return whether a path is a URL."""
    return "://" in path


def head_of(path: str) -> bytes:
    """Return the first bytes of a file, unpacked, none of a URL; LogError where it is missing or empty."""
    if is_url(path):
        return b""
    refuse_no_file(path)
    try:
        with open_bytes(path) as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        message = f"{path}: cannot be opened ({error.strerror}); check path and permissions"
        raise LogError(message) from error
    if not head.strip():
        raise LogError(f"{path}: the file is empty; there is nothing to judge in it")
    return head


def refuse_no_file(path: str) -> None:
    """Refuse a pipe or device: reading one may never end, and a log is read more than once."""
    place = Path(path)
    if place.exists() and not (place.is_file() or place.is_dir()):
        raise LogError(f"{path}: is a pipe or device, which is read once only; write it to a file first")


def packed(path: str) -> bool:
    """Return whether a file is packed."""
    if is_url(path):
        return False
    with Path(path).open("rb") as file:
        return is_packed(file.read(4))


def sha256_of(path: str, files: Sequence[str] = (), version: str | None = None) -> str | None:
    """Return the SHA-256 of a file or an object (of a version, or as it was planned), null for another URL.

    Of a log of several files it is that of the lines that `sha256sum` prints of them.
    """
    if is_object(path):
        return sha256_of_object(path, version)
    if is_url(path):
        return None
    if files:
        lines = [f"{sha256_of(file)}  {Path(file).name}\n" for file in (path, *files)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with Path(path).open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest()
