"""Log formats: one module each, found by scanning."""

import glob
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from analyzer.errors import LogError
from analyzer.logs._format import Format, Log, ReadOptions
from analyzer.plugins import discover

__all__ = ["Format", "Log", "ReadOptions", "find_logs", "formats", "read_log"]

HEAD_BYTES = 4096


@cache
def formats() -> dict[str, Format]:
    """Return module name -> log format."""
    return discover(__name__, "FORMAT", Format)


def is_url(path: str) -> bool:
    """Return whether a path is a URL."""
    return "://" in path


def find_logs(arguments: Sequence[str]) -> list[str]:
    """Return the logs that files, folders (searched recursively), globs and URLs name.

    Each is named as the user gave it (a folder's files below that folder); the order is
    that of the names. Raises LogError where an argument names nothing.
    """
    found = [path for argument in arguments for path in _named(argument)]
    return sorted(dict.fromkeys(found))


def _named(argument: str) -> list[str]:
    """Return the logs that one argument names."""
    path = Path(argument)
    if is_url(argument) or path.is_file():
        return [argument]
    if path.is_dir():
        inside = [str(p) for p in path.rglob("*") if p.is_file() and _known_suffix(str(p))]
        return _something(sorted(inside), f"{argument}: no log in this folder; {_known_formats()}")
    matches = sorted(p for p in glob.glob(argument, recursive=True) if Path(p).is_file())  # noqa: PTH207 - patterns may be absolute
    return _something(matches, f"{argument}: no such file or folder; check the path")


def _something(paths: list[str], message: str) -> list[str]:
    """Return the paths, refused where there are none."""
    if not paths:
        raise LogError(message)
    return paths


def _known_suffix(path: str) -> bool:
    """Return whether some format has the suffix of this path."""
    return any(path.lower().endswith(s) for f in formats().values() for s in f.suffixes)


def _known_formats() -> str:
    """Return a clause that names the formats."""
    names = [f"{f.name} ({', '.join(f.suffixes)})" for f in formats().values()]
    return f"zonelog reads {'; '.join(names)}"


def read_log(path: str, options: ReadOptions) -> Log:
    """Return one log; LogError says why it cannot be read as a whole."""
    head = b"" if is_url(path) else _head(path)
    return _format_of(path, head).read(path, options)


def _head(path: str) -> bytes:
    """Return the first bytes of a file."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        message = f"{path}: cannot be opened ({error.strerror}); check path and permissions"
        raise LogError(message) from error
    if not head.strip():
        raise LogError(f"{path}: the file is empty; there is nothing to judge in it")
    return head


def _format_of(path: str, head: bytes) -> Format:
    """Return the format of a log: by suffix, confirmed by its first bytes where they tell."""
    lower = path.lower()
    by_suffix = [f for f in formats().values() if any(lower.endswith(s) for s in f.suffixes)]
    by_content = [f for f in formats().values() if head and f.recognises(head)]
    if by_suffix and (not head or by_suffix[0] in by_content or not by_content):
        return by_suffix[0]
    if by_content:
        return by_content[0]
    raise LogError(f"{path}: unknown kind of file; {_known_formats()}")
