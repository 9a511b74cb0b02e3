"""Logs in object storage (`s3://bucket/key`): each is fetched whole when it is planned or read, then read as a file.

So every format is read from there, in parts, and its SHA-256 is known. Endpoint and
credentials are those of the usual AWS_* variables. The few objects that were fetched last
are kept, because the parts of a log are often read by the same process.
"""

import hashlib
import os
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

from analyzer.errors import LogError

SCHEME = "s3://"
KEPT = 4
"""Objects that a process keeps."""
CHUNK_BYTES = 1 << 23
RETRIES = 3

_hashes: dict[str, str] = {}


def is_object(path: str) -> bool:
    """Return whether a path is one of object storage."""
    return path.startswith(SCHEME)


def objects_of(argument: str) -> list[str]:
    """Return the objects that an address names: the one of that key, else all below it as a folder."""
    bucket, key = _divided(argument)
    store, library = _store(bucket), _library()
    with _named(argument):
        if key and not key.endswith("/") and _is_there(store, key):
            return [argument]
        found = [meta for batch in library.list(store, prefix=key or None) for meta in batch]
    return sorted(f"{SCHEME}{bucket}/{meta['path']}" for meta in found if meta["size"])


def version_of(path: str) -> str:
    """Return the version (ETag) of an object."""
    bucket, key = _divided(path)
    with _named(path):
        return str(_library().head(_store(bucket), key)["e_tag"])


@contextmanager
def copy_of(path: str, version: str) -> Iterator[str]:
    """Give a copy of an object, of the version that was planned; errors speak of the object, not of the copy."""
    copy = str(_shelf().copy(path, version))
    try:
        yield copy
    except LogError as error:
        raise LogError(str(error).replace(copy, path)) from error


def sha256_of_object(path: str) -> str:
    """Return the SHA-256 of an object as it was planned in this process, else as it is now."""
    if path not in _hashes:
        _shelf().copy(path, version_of(path))
    return _hashes[path]


class _Shelf(threading.local):
    """Copies of the objects that a thread fetched last, in a folder that goes with the thread."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="zonelog-objects-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._copies: OrderedDict[tuple[str, str], Path] = OrderedDict()

    def copy(self, path: str, version: str) -> Path:
        """Return a copy; its name is that of the object, because a vehicle may be called after it."""
        known = (path, version)
        if known not in self._copies:
            while len(self._copies) >= KEPT:
                shutil.rmtree(self._copies.popitem(last=False)[1].parent, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(dir=self._folder))
            self._copies[known] = _download(path, version, folder / path.rpartition("/")[2])
        self._copies.move_to_end(known)
        return self._copies[known]


@cache
def _shelf() -> _Shelf:
    """Return the copies of this process."""
    return _Shelf()


def _download(path: str, version: str, target: Path) -> Path:
    """Write an object to a file, and note its SHA-256."""
    bucket, key = _divided(path)
    digest = hashlib.sha256()
    with _named(path), target.open("wb") as file:
        for chunk in _library().get(_store(bucket), key, options={"if_match": version}).stream(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    _hashes[path] = digest.hexdigest()
    return target


def _divided(address: str) -> tuple[str, str]:
    """Return the bucket and the key of an address."""
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise LogError(f"{address}: names no bucket; write s3://bucket/key")
    return bucket, key


def _library() -> Any:
    """Return the library for object storage; a sentence where it is not installed."""
    try:
        import obstore  # noqa: PLC0415 - it is an extra
        import obstore.store  # noqa: PLC0415
    except ImportError as error:
        raise LogError('s3:// needs a library for object storage; install it: pip install "zonelog[s3]"') from error
    return obstore


@cache
def _store(bucket: str) -> Any:
    """Return a bucket, at the endpoint and with the credentials of the AWS_* variables."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    own = {"endpoint": endpoint} if endpoint else {}
    plain = {"allow_http": True} if endpoint and endpoint.startswith("http://") else {}
    return _library().store.S3Store(bucket, client_options=plain, retry_config={"max_retries": RETRIES}, **own)


def _is_there(store: Any, key: str) -> bool:
    """Return whether there is an object of this very key."""
    try:
        _library().head(store, key)
    except (FileNotFoundError, _library().exceptions.NotFoundError):
        return False
    return True


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Make a sentence of what goes wrong with an object."""
    errors = _library().exceptions
    try:
        yield
    except (FileNotFoundError, errors.NotFoundError) as error:
        raise LogError(f"{path}: there is no such object or bucket; check the address") from error
    except errors.PreconditionError as error:
        raise LogError(f"{path}: was changed while it was read; analyze again when it is complete") from error
    except (errors.BaseError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise LogError(f"{path}: cannot be read ({reason}); check the AWS_* variables") from error
