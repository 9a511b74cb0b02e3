"""Where something is: a path of this machine, or an address of object storage (`s3://bucket/key`), which is a text."""

import re
from pathlib import Path

from analyzer.errors import AnalyzerError

SCHEME = "s3://"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_BUCKET = re.compile(r"[A-Za-z0-9._-]+")


def is_object(path: object) -> bool:
    """Return whether a path is an address of object storage."""
    return isinstance(path, str) and path.startswith(SCHEME)


def scheme_of(text: object) -> str | None:
    """Return what an address begins with (`gs` of `gs://bucket`, `s3` of `s3:/bucket`), null of a path.

    A letter alone is a drive of Windows.
    """
    found = _SCHEME.match(text) if isinstance(text, str) else None
    return found and found[1]


def where(text: str) -> Path | str:
    """Return an address as it is, anything else as a path."""
    return text.rstrip("/") if is_object(text) else Path(text)


def place_of(path: str) -> str:
    """Return a path that does not depend on where this process is."""
    return path if is_object(path) else str(Path(path).absolute())


def lies_in(inner: Path | str, outer: Path | str) -> bool:
    """Return whether a place is another one, or below it."""
    if isinstance(inner, str) or isinstance(outer, str):
        return type(inner) is type(outer) and f"{inner}/".startswith(f"{outer}/")
    place, other = inner.resolve(), outer.resolve()
    return place == other or other in place.parents


def divided(address: str, error: type[AnalyzerError]) -> tuple[str, str]:
    """Return the bucket and the key of an address; `error` where there is no bucket, or no such name can be."""
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise error(f"{address}: names no bucket; write s3://bucket/key")
    if not _BUCKET.fullmatch(bucket):
        raise error(f"{address}: {bucket!r} is no name of a bucket (letters, digits, dots and dashes)")
    if key and not (key.isprintable() and {"", ".", ".."}.isdisjoint(key.removesuffix("/").split("/"))):
        raise error(f"{address}: {key!r} is no name of an object that can be used: no part may be empty, . or ..")
    return bucket, key
