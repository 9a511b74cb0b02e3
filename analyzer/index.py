"""The index of a ledger: which content a file had when it was last read, so it need not be read again.

An entry counts as long as size, times and inode of the file are what they were. A file
that was changed within the last two seconds before it was read may be changed once more
without its time telling so: it gets no entry. The index is a memory only. Where it is missing or
damaged it is made again from the manifests of past runs; without any, files are read once more.
It needs a file system: what a ledger in object storage knows, and what is known of objects, is
in receipts (`contents`).
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from analyzer.addresses import is_object
from analyzer.buckets import size_and_version_of
from analyzer.errors import LedgerError, LogError
from analyzer.records import record
from analyzer.store import digest_of

INDEX = "index.sqlite"
RACY_NS = 2_000_000_000
BUSY_S = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, size INT, mtime_ns INT, inode INT, ctime_ns INT, sha256 TEXT, seal TEXT
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Stamp:
    """What a file system says of a file, or a store of an object (size and ETag), without its being read."""

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    etag: str = ""

    @staticmethod
    def of(path: str) -> "Stamp":
        """Return the stamp of a file or object as it is now; OSError or LogError where there is none."""
        if is_object(path):
            size, etag = size_and_version_of(path, LogError)
            return Stamp(size, 0, 0, 0, etag)
        found = os.stat(path)  # noqa: PTH116 - a path as the user gave it
        # SQLite holds 63 bits and a sign; inodes of some systems have 64.
        return Stamp(found.st_size, found.st_mtime_ns, found.st_ino & (1 << 63) - 1, found.st_ctime_ns)

    def settled(self, now_ns: int) -> bool:
        """Return whether a change after `now_ns` is sure to give another stamp."""
        return bool(self.etag) or self.mtime_ns < now_ns - RACY_NS


@record(frozen=True, eq=False)
class Index:
    """The index of a ledger; `past` gives (path, stamp, sha256) of past runs, `note` is told of damage."""

    root: Path
    past: Callable[[], Iterable[tuple[str, Stamp, str]]]
    note: Callable[[str], None]

    def known(self, paths: Iterable[str]) -> dict[str, tuple[Stamp, str]]:
        """Return stamp and SHA-256 of those files that are as they were."""
        return self._trying(lambda base: _known(base, paths))

    def remember(self, entries: Iterable[tuple[str, Stamp, str]]) -> None:
        """Note the content of files."""
        rows = list(entries)
        self._trying(lambda base: _insert(base, rows))

    def _trying(self, act: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do something with the index; a damaged one is made anew first."""
        path = self.root / INDEX
        try:
            with self._opened(path) as base:
                return act(base)
        except sqlite3.OperationalError as error:
            if "malformed" not in str(error) and "disk image" not in str(error):
                raise LedgerError(
                    f"{path}: the index of the ledger cannot be used ({error}): make room, or wait for other runs"
                ) from error
        except sqlite3.DatabaseError:
            pass
        self.note(INDEX)
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(INDEX + suffix).unlink(missing_ok=True)
        with self._opened(path) as base:
            return act(base)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[sqlite3.Connection]:
        """Give the index, made from past runs where it is new."""
        new = not path.exists()
        # IMMEDIATE: who will write waits before it reads, else two that both read may each wait for the other.
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level="IMMEDIATE")) as base:
            base.execute("BEGIN IMMEDIATE")
            base.execute(_TABLE)
            base.commit()
            if new:
                _insert(base, self.past())
            yield base


def _known(base: sqlite3.Connection, paths: Iterable[str]) -> dict[str, tuple[Stamp, str]]:
    """Return stamp and content of files that have an entry which is whole and true."""
    found = {}
    for path in paths:
        name = os.path.abspath(path)  # noqa: PTH100 - links are not resolved
        row = base.execute("SELECT size, mtime_ns, inode, ctime_ns, sha256, seal FROM files WHERE path = ?", [name])
        for *stamp, sha256, seal in row:
            if seal == digest_of(name, *stamp, sha256) and _is_now(path, stamp):
                found[path] = Stamp(*stamp), sha256
    return found


def _is_now(path: str, stamp: list[int]) -> bool:
    """Return whether a file has a stamp."""
    try:
        return _numbers(Stamp.of(path)) == tuple(stamp)
    except OSError:
        return False


def _insert(base: sqlite3.Connection, entries: Iterable[tuple[str, Stamp, str]]) -> None:
    """Write entries, the later ones over the earlier."""
    rows = []
    for path, stamp, sha256 in entries:
        values = (os.path.abspath(path), *_numbers(stamp), sha256)  # noqa: PTH100
        rows.append((*values, digest_of(*values)))
    with base:
        base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _numbers(stamp: Stamp) -> tuple[int, ...]:
    """Return what a stamp says of a file."""
    return astuple(stamp)[:4]


def now_ns() -> int:
    """Return the time of the clock that stamps files."""
    return time.time_ns()


def stamped(entry: Mapping[str, Any]) -> Stamp:
    """Return a stamp from plain data."""
    size, mtime_ns, inode, ctime_ns = (int(entry[name]) for name in ("size", "mtime_ns", "inode", "ctime_ns"))
    return Stamp(size, mtime_ns, inode, ctime_ns, str(entry.get("etag", "")))
