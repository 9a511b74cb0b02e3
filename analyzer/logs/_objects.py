"""Logs in object storage (`s3://bucket/key`): each is fetched whole when it is planned or read, then read as a file.

So every format is read from there, in parts, and its SHA-256 is known. The few objects that
were fetched last are kept, because the parts of a log are often read by the same process.
"""

import hashlib
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from analyzer.addresses import SCHEME, divided, is_object
from analyzer.buckets import client, library, named, size_and_version_of
from analyzer.errors import LogError

__all__ = ["copy_of", "is_object", "objects_of", "sha256_of_object", "version_of"]

KEPT = 4
"""Objects that a thread keeps."""
CHUNK_BYTES = 1 << 23

_planned: dict[str, str] = {}
_hashes: dict[tuple[str, str], str] = {}


def objects_of(argument: str) -> list[str]:
    """Return the objects that an address names: the one of that key, else all below it as a folder."""
    bucket, key = divided(argument, LogError)
    store = client(bucket, LogError)
    with _named(argument):
        if key and not key.endswith("/") and _is_there(store, key):
            return [argument]
        found = [meta for batch in library(LogError).list(store, prefix=key or None) for meta in batch]
    return sorted(f"{SCHEME}{bucket}/{meta['path']}" for meta in found if meta["size"])


def version_of(path: str) -> str:
    """Return the version (ETag) of an object."""
    with _named(path):
        return size_and_version_of(path, LogError)[1]


@contextmanager
def copy_of(path: str, version: str) -> Iterator[str]:
    """Give a copy of an object, of the version that was planned; errors speak of the object, not of the copy."""
    copy = str(_shelf().copy(path, version))
    _planned[path] = version
    try:
        yield copy
    except LogError as error:
        raise LogError(str(error).replace(copy, path)) from error


def sha256_of_object(path: str, version: str | None = None) -> str:
    """Return the SHA-256 of an object: of this version, else as it was planned in this process, else as it is now."""
    known = (path, version or _planned.get(path) or version_of(path))
    if known not in _hashes:
        _shelf().copy(*known)
    return _hashes[known]


class _Folder:
    """A folder that goes with its owner."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="zonelog-objects-")
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class _Shelf(threading.local):
    """Copies of the objects that a thread fetched last, in a folder that goes with the thread."""

    def __init__(self) -> None:
        self._folder = _Folder()
        self._copies: OrderedDict[tuple[str, str], Path] = OrderedDict()

    def copy(self, path: str, version: str) -> Path:
        """Return a copy; its name is that of the object, because a vehicle may be called after it."""
        known = (path, version)
        if known not in self._copies:
            while len(self._copies) >= KEPT:
                shutil.rmtree(self._copies.popitem(last=False)[1].parent, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(dir=self._folder.path))
            self._copies[known] = _download(path, version, folder / path.rpartition("/")[2])
        self._copies.move_to_end(known)
        return self._copies[known]


@cache
def _shelf() -> _Shelf:
    """Return the copies of this process."""
    return _Shelf()


def _download(path: str, version: str, target: Path) -> Path:
    """Write an object to a file, and note its SHA-256."""
    bucket, key = divided(path, LogError)
    digest = hashlib.sha256()
    with _named(path), target.open("wb") as file:
        found = library(LogError).get(client(bucket, LogError), key, options={"if_match": version})
        for chunk in found.stream(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    _hashes[path, version] = digest.hexdigest()
    return target


def _is_there(store: Any, key: str) -> bool:
    """Return whether there is an object of this very key."""
    try:
        library(LogError).head(store, key)
    except (FileNotFoundError, library(LogError).exceptions.NotFoundError):
        return False
    return True


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Make a sentence of what goes wrong with an object."""
    errors = library(LogError).exceptions
    try:
        with named(path, LogError, "read"):
            yield
    except (FileNotFoundError, errors.NotFoundError) as error:
        raise LogError(f"{path}: there is no such object or bucket; check the address") from error
    except errors.PreconditionError as error:
        raise LogError(f"{path}: was changed while it was read; analyze again when it is complete") from error
