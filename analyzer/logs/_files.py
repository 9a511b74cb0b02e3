"""Files and URLs, before anybody knows their format."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from analyzer.errors import LogError

HEAD_BYTES = 4096


def is_url(path: str) -> bool:
    """Return whether a path is a URL."""
    return "://" in path


def head_of(path: str) -> bytes:
    """Return the first bytes of a file, none of a URL; LogError where it is missing or empty."""
    if is_url(path):
        return b""
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        message = f"{path}: cannot be opened ({error.strerror}); check path and permissions"
        raise LogError(message) from error
    if not head.strip():
        raise LogError(f"{path}: the file is empty; there is nothing to judge in it")
    return head


def sha256_of(path: str, files: Sequence[str] = ()) -> str | None:
    """Return the SHA-256 of a file, null for a URL.

    Of a log of several files it is that of the lines that `sha256sum` prints of them.
    """
    if is_url(path):
        return None
    if files:
        lines = [f"{sha256_of(file)}  {Path(file).name}\n" for file in (path, *files)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
