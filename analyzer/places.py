"""Where a ledger lies: a folder of a file system, or a prefix of object storage. Who uses it does not know which.

Names are those of files below it, with `/`. A file is written whole or not at all; what is
there already and is the same stays, what is another is replaced.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from analyzer.addresses import is_object
from analyzer.buckets import AT_ONCE, Prefix
from analyzer.errors import LedgerError
from analyzer.records import record

ABANDONED_S = 24 * 3600
"""Age from which on what somebody began to write and never finished is removed."""
TRIES = 5
"""How often an object is replaced that others replace at the same time."""
UNHARMED = "; what the ledger holds is unharmed, and no result was changed"


class Place(Protocol):
    """A place for files of a ledger; LedgerError where it cannot be used, but for single files that cannot be read."""

    at_once: int
    """How many files are best asked for at a time."""

    def read(self, name: str) -> bytes:
        """Return a file; FileNotFoundError where there is none, OSError where it cannot be read."""
        ...

    def keep(self, name: str, data: bytes) -> None:
        """See that a file holds these bytes."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no trouble."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names of the files right in a folder, in order; none where it is missing."""
        ...

    def is_new(self) -> bool:
        """Return whether nothing is there, but for what is being written."""
        ...

    def tidy(self) -> None:
        """Remove what was abandoned; LedgerError where that shows that nothing can be written there."""
        ...


def place_at(where: Path | str) -> Place:
    """Return the place of a path or an address."""
    return BucketPlace(str(where)) if is_object(where) else FolderPlace(Path(where))


@record(frozen=True)
class FolderPlace:
    """A folder: files are written beside their place, synced, then renamed."""

    root: Path
    at_once = 1

    def __str__(self) -> str:
        return str(self.root)

    def read(self, name: str) -> bytes:
        """Return a file."""
        return (self.root / name).read_bytes()

    def keep(self, name: str, data: bytes) -> None:
        """See that a file holds these bytes."""
        target = self.root / name
        if _holds(target, data):
            return
        with self._beside() as beside:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(beside, data)
            try:
                os.replace(beside, target)  # noqa: PTH105 - replaces on Windows too
            except PermissionError:
                if not _holds(target, data):  # another run wrote the same and has it open (Windows)
                    raise
                beside.unlink()

    @contextmanager
    def _beside(self) -> Iterator[Path]:
        """Give a path for a new file; make a sentence of what goes wrong with it, and leave nothing there then."""
        path = self.root / "tmp" / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield path
        except OSError as error:
            with suppress(OSError):  # nothing can be removed there either, or there is nothing
                path.unlink()
            message = (
                f"{self.root}: the ledger cannot be written ({error.strerror or error}); make it writable, make room "
                "or name another folder; what it holds is unharmed, and no result was changed"
            )
            raise LedgerError(message) from error

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.root / name).unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """Return the names of the files right in a folder."""
        return sorted(path.name for path in (self.root / folder).glob("*"))

    def is_new(self) -> bool:
        """Return whether nothing is there, but for what is being written; a file in its place is refused."""
        if self.root.exists() and not self.root.is_dir():
            raise LedgerError(f"{self.root}: is a file; name a folder for the ledger")
        return not self.root.exists() or {path.name for path in self.root.iterdir()} <= {"tmp"}

    def tidy(self) -> None:
        """Remove what was abandoned; LedgerError where nothing can be written."""
        with self._beside() as probe:
            probe.touch()
            probe.unlink()
        for left in (self.root / "tmp").glob("*"):
            _remove_abandoned(left)


@record(frozen=True)
class BucketPlace:
    """A prefix of object storage: objects are created, and replaced only where they hold something else."""

    address: str
    at_once = AT_ONCE

    def __str__(self) -> str:
        return self.address

    @property
    def _prefix(self) -> Prefix:
        """Return the objects."""
        return Prefix(self.address, LedgerError, UNHARMED)

    def read(self, name: str) -> bytes:
        """Return an object."""
        return self._prefix.read(name)[0]

    def keep(self, name: str, data: bytes) -> None:
        """See that an object holds these bytes: put it where there is none, else compare, and replace what differs."""
        for _ in range(TRIES):
            if self._prefix.create(name, data):
                return
            try:
                there, version = self._prefix.read(name)
            except FileNotFoundError:
                continue  # it has gone meanwhile
            if there == data or self._prefix.replace(name, data, version):
                return
        raise LedgerError(f"{self.address}/{name}: others change it all the time{UNHARMED}; who writes there?")

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._prefix.delete([name])

    def names(self, folder: str) -> list[str]:
        """Return the names of the objects right in a folder."""
        below = (name.removeprefix(f"{folder}/") for name in self._prefix.names(folder))
        return [name for name in below if "/" not in name]

    def is_new(self) -> bool:
        """Return whether no object is there."""
        return self._prefix.is_empty()

    def tidy(self) -> None:
        """Do nothing: an object that was not put whole is not there."""


def _holds(path: Path, data: bytes) -> bool:
    """Return whether a file holds these bytes."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _write_synced(path: Path, data: bytes) -> None:
    """Write a new file and see it on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _remove_abandoned(path: Path) -> None:
    """Remove what somebody began to write long ago; another run may do so as well."""
    try:
        if time.time() - path.stat().st_mtime > ABANDONED_S:
            path.unlink()
    except OSError:
        return
