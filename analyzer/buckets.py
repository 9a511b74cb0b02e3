"""Object storage (`s3://bucket/prefix`) as far as zonelog needs it: the library for it is an extra, `zonelog[s3]`.

Endpoint and credentials are those of the usual AWS_* variables, in every process for itself:
they are never sent. An object is written whole or not at all, and everybody sees it from then on.
What must not be overwritten blindly is put with `If-None-Match: *` (create only) or with
`If-Match` and the ETag of what is to be replaced.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analyzer.addresses import divided
from analyzer.errors import AnalyzerError
from analyzer.records import record

RETRIES = 3
AT_ONCE = 16
"""Requests under way at a time where many are made: each is mostly waiting."""
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Variables that name the server, the first that is set."""
CREDENTIALS = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that become part of a request."""
PANIC = "PanicException"
"""What the library raises where it breaks down; it has no name to import, and is no Exception."""
CLIENT = {"timeout": "1h", "read_timeout": "60s"}
"""A large object may take its time, as long as something comes."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".geojson": "application/geo+json",
    ".csv": "text/csv; charset=utf-8",
    ".pdf": "application/pdf",
}
"""What browsers are told that an object is."""
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
"""The name of a host, or an IPv6 address."""


def library(error: type[AnalyzerError]) -> Any:
    """Return the library for object storage; a sentence where it is not installed."""
    try:
        import obstore  # noqa: PLC0415 - it is an extra
        import obstore.store  # noqa: PLC0415
    except ImportError as missing:
        raise error('s3:// needs a library for object storage; install it: pip install "zonelog[s3]"') from missing
    return obstore


def client(bucket: str, error: type[AnalyzerError]) -> Any:
    """Return a bucket; a sentence where the library is not installed, or what it is told cannot be."""
    library(error)
    _refuse_settings(error)
    return _client(bucket)


def _refuse_settings(error: type[AnalyzerError]) -> None:
    """Refuse variables that cannot be what they say: the library for object storage would break down over them."""
    for name in filter(os.environ.get, ENDPOINTS):
        if not _is_endpoint(os.environ[name]):
            raise error(
                f"{name}: {os.environ[name]!r} is no address of a store; write http:// or https://, a host "
                "and, if need be, a port: https://storage.example.org:9000"
            )
    for name in filter(os.environ.get, CREDENTIALS):
        if not (os.environ[name].isascii() and os.environ[name].isprintable()):  # the value is a secret
            raise error(f"{name}: holds a line end or what is no ASCII; set it again, to the letters and digits alone")


def _is_endpoint(text: str) -> bool:
    """Return whether a text is the address of a server."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    whole = _HOST.fullmatch(parts.hostname or "") and parts.scheme in ("http", "https") and port != 0
    return bool(whole) and text.isascii() and text.isprintable() and not {*" ?#@"} & {*text}


@cache
def _client(bucket: str) -> Any:
    """Return a bucket, at the endpoint and with the credentials of the AWS_* variables."""
    endpoint = next(filter(None, map(os.environ.get, ENDPOINTS)), None)
    own = {"endpoint": endpoint} if endpoint else {}
    plain = {"allow_http": True} if endpoint and endpoint.startswith("http://") else {}
    store = library(AnalyzerError).store.S3Store
    return store(bucket, client_options={**CLIENT, **plain}, retry_config={"max_retries": RETRIES}, **own)


@contextmanager
def named(address: str, error: type[AnalyzerError], done: str, advice: str = "") -> Iterator[None]:
    """Make a sentence of what goes wrong with an object; what is missing, there already or another is for the caller.

    `done` is what was to be done, "read" or "written"; `advice` ends the sentence.
    """
    errors = library(error).exceptions
    try:
        yield
    except (FileNotFoundError, errors.NotFoundError, errors.PreconditionError, errors.AlreadyExistsError):
        raise
    except (errors.BaseError, OSError) as found:
        reason = (str(found).strip().splitlines() or [type(found).__name__])[0]
        raise error(f"{address}: cannot be {done} ({reason}); check the AWS_* variables{advice}") from found
    except BaseException as found:
        if type(found).__name__ != PANIC:
            raise
        raise error(f"{address}: cannot be {done} ({found}); check the AWS_* variables{advice}") from found


def size_and_version_of(address: str, error: type[AnalyzerError]) -> tuple[int, str]:
    """Return the size of an object and its ETag, which another content has not; FileNotFoundError if there is none."""
    bucket, key = divided(address, error)
    with named(address, error, "read"):
        found = library(error).head(client(bucket, error), key)
    return int(found["size"]), str(found["e_tag"])


@record(frozen=True)
class Prefix:
    """What lies below an address, as if that were a folder; trouble becomes an `error` that ends with `advice`."""

    address: str
    error: type[AnalyzerError]
    advice: str = ""

    def read(self, name: str) -> tuple[bytes, str]:
        """Return an object and its ETag; FileNotFoundError where there is none."""
        with self._named(name, "read"):
            found = self._library.get(self._client, self._key(name))
            return bytes(found.bytes()), str(found.meta["e_tag"])

    def create(self, name: str, data: bytes | Path) -> bool:
        """Write an object where there is none; return whether that was so."""
        return self._put(name, data, "create")

    def replace(self, name: str, data: bytes | Path, version: str | None = None) -> bool:
        """Write an object over another, that of this ETag if one is named; return false where it is none any more."""
        return self._put(name, data, {"e_tag": version} if version else "overwrite")

    def copy(self, name: str, target: str) -> None:
        """Copy an object over another, within the store."""
        with self._named(target, "written"):
            self._library.copy(self._client, self._key(name), self._key(target))

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is not there is no trouble."""
        keys = [self._key(name) for name in names]
        with self._named("", "written"):
            for key in keys:
                self._library.delete(self._client, key)

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all objects below a folder, in order."""
        start = len(self._key("")) + 1 if self._key("") else 0
        return sorted(str(meta["path"])[start:] for batch in self._listed(folder) for meta in batch)

    def is_empty(self) -> bool:
        """Return whether there is no object."""
        return not any(len(batch) for batch in self._listed(""))

    def _listed(self, folder: str) -> Iterator[Any]:
        """Yield what lies below a folder, some at a time."""
        try:
            with self._named(folder, "read"):
                yield from self._library.list(self._client, prefix=self._key(folder) or None)
        except (FileNotFoundError, self._library.exceptions.NotFoundError):
            raise self.error(f"{self.address}: there is no such bucket; check the address") from None

    def _put(self, name: str, data: bytes | Path, mode: Any) -> bool:
        """Write an object; return false where the condition of `mode` does not hold."""
        errors = self._library.exceptions
        kind = {"Content-Type": TYPES.get(Path(name).suffix, "application/octet-stream")}
        with self._named(name, "written"):
            try:
                self._library.put(self._client, self._key(name), data, mode=mode, attributes=kind)
            except (errors.AlreadyExistsError, errors.PreconditionError, errors.NotFoundError, FileNotFoundError):
                if mode == "overwrite":
                    raise self.error(f"{self.address}: there is no such bucket; check the address") from None
                return False
        return True

    def _named(self, name: str, done: str) -> Any:
        """Make a sentence of what goes wrong."""
        return named(f"{self.address}/{name}".rstrip("/"), self.error, done, self.advice)

    def _key(self, name: str) -> str:
        """Return the key of an object."""
        return "/".join(part for part in (divided(self.address, self.error)[1], name) if part)

    @property
    def _library(self) -> Any:
        """Return the library for object storage."""
        return library(self.error)

    @property
    def _client(self) -> Any:
        """Return the bucket."""
        return client(divided(self.address, self.error)[0], self.error)
