"""What is kept on disk from run to run: pieces named by their content, and receipts.

A piece is bytes under their SHA-256; frames are a zip of Parquet files. A receipt is JSON that
says which pieces a piece of work gave; it is written last, so it is the commit: whatever lies
without one was never finished. Everything is written beside its place, synced, then renamed.
Nothing that is read is trusted: every piece and every receipt is compared with its checksum,
what differs is *damaged*, and damaged is the same as missing, but for being named.
"""

import hashlib
import io
import json
import os
import re
import secrets
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.errors import LedgerError

FORMAT = {"zonelog_ledger": 1}
MARK = "ledger.json"
ABANDONED_S = 24 * 3600
"""Age from which on what somebody began to write and never finished is removed."""

_NAME = re.compile(r"[0-9a-f]{64}")
_EPOCH = (1980, 1, 1, 0, 0, 0)
BAD = (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile, pl.exceptions.PolarsError)
"""What reading a damaged or foreign file may raise."""


def canonical(value: Any) -> bytes:
    """Return plain data as JSON, the same bytes for the same data."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of(*values: Any) -> str:
    """Return the SHA-256 of plain data."""
    return hashlib.sha256(canonical(values)).hexdigest()


def packed(frames: Mapping[str, pl.DataFrame]) -> bytes:
    """Return frames as one piece: the same frames give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(frames):
            table = io.BytesIO()
            frames[name].write_parquet(table, compression="zstd", compression_level=3, statistics=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.parquet", _EPOCH), table.getvalue())
    return buffer.getvalue()


@dataclass(frozen=True)
class Store:
    """A folder of pieces and receipts; `damaged` names what was found to be so, in this process."""

    root: Path
    damaged: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Make the folder, or see that it is a ledger and can be written; clear what was abandoned."""
        mark = self.root / MARK
        if self.root.is_dir() and any(self.root.iterdir()) and not mark.exists() and not self._just_made():
            raise LedgerError(f"{self.root}: is no ledger (no {MARK}) and not empty; name a new folder")
        if self.root.exists() and not self.root.is_dir():
            raise LedgerError(f"{self.root}: is a file; name a folder for the ledger")
        self.write(MARK, canonical(FORMAT)) if not mark.exists() else self.check()
        for left in (self.root / "tmp").glob("*"):
            _remove_abandoned(left)

    def _just_made(self) -> bool:
        """Return whether another run is making this ledger right now, or was ended while it did."""
        there = {path.name for path in self.root.iterdir()}
        return there <= {"tmp"} or MARK in there  # it has come since somebody looked

    def check(self) -> None:
        """Refuse a folder that is no ledger of ours."""
        try:
            found = json.loads((self.root / MARK).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LedgerError(f"{self.root}: is no ledger (no {MARK}); `zonelog analyze --ledger` makes one") from None
        except (OSError, ValueError) as error:
            raise LedgerError(
                f"{self.root / MARK}: cannot be read; write {canonical(FORMAT).decode()} there"
            ) from error
        if found != FORMAT:
            raise LedgerError(f"{self.root}: is a ledger of another kind ({MARK}); use the zonelog that made it")

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the ledger, whole or not at all."""
        target = self.root / name
        beside = self.root / "tmp" / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            beside.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(beside, data)
            os.replace(beside, target)  # noqa: PTH105 - replaces on Windows too
        except OSError as error:
            if beside.parent.is_dir():
                beside.unlink(missing_ok=True)
            if isinstance(error, PermissionError) and _holds(target, data):
                return  # another run wrote the same and has it open (Windows)
            message = (
                f"{self.root}: the ledger cannot be written ({error.strerror or error}); make room or name another "
                "folder; what it holds is unharmed, and no result was changed"
            )
            raise LedgerError(message) from error

    def put(self, data: bytes) -> str:
        """Keep a piece; return its name. A damaged one of that name is replaced."""
        name = hashlib.sha256(data).hexdigest()
        if not _holds(self._piece(name), data):
            self.write(self._piece(name).relative_to(self.root).as_posix(), data)
        return name

    def get(self, name: str) -> bytes | None:
        """Return a piece, null where it is missing or damaged, which is noted: a receipt speaks of it."""
        path = self._piece(name) if _NAME.fullmatch(name) else self.root / "pieces"
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != name:
            self.note(path)
            return None
        return data

    def frames(self, name: str) -> dict[str, pl.DataFrame] | None:
        """Return the frames of a piece, null where it is missing or damaged."""
        data = self.get(name)
        if data is None:
            return None
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {n.removesuffix(".parquet"): pl.read_parquet(archive.read(n)) for n in archive.namelist()}
        except BAD:
            self.note(self._piece(name))
            return None

    def commit(self, kind: str, key: str, receipt: Mapping[str, Any]) -> None:
        """Write the receipt of a piece of work: from now on it is done."""
        body = {**receipt, "key": key}
        sealed = canonical({"receipt": body, "sha256": digest_of(body)})
        self.write(self._receipt(kind, key).relative_to(self.root).as_posix(), sealed)

    def receipt(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a receipt, null where there is none or it is damaged, which is noted."""
        return self.sealed(self._receipt(kind, key), key)

    def sealed(self, path: Path, key: str) -> dict[str, Any] | None:
        """Return what a sealed file says, null where it is missing or damaged, which is noted."""
        try:
            content = json.loads(path.read_bytes())
            body = content["receipt"]
            if isinstance(body, dict) and body["key"] == key and digest_of(body) == content["sha256"]:
                return body
        except FileNotFoundError:
            return None
        except (*BAD, RecursionError):
            pass
        self.note(path)
        return None

    def receipt_is_bad(self, kind: str, key: str) -> None:
        """Note that a receipt, though whole, says what no receipt of ours says."""
        self.note(self._receipt(kind, key))

    def note(self, path: Path) -> None:
        """Note that a file of the ledger is damaged."""
        self.damaged.append(path.relative_to(self.root).as_posix())

    def _piece(self, name: str) -> Path:
        """Return where a piece lies."""
        return self.root / "pieces" / name[:2] / name

    def _receipt(self, kind: str, key: str) -> Path:
        """Return where a receipt lies."""
        return self.root / kind / key[:2] / f"{key}.json" if kind != "runs" else self.root / kind / f"{key}.json"


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
