"""What is kept from run to run: pieces named by their content, and receipts.

A piece is bytes under their SHA-256; frames are a zip of Parquet files. A receipt is JSON that
says which pieces a piece of work gave; it is written last, so it is the commit: whatever lies
without one was never finished. Where they lie, a folder or object storage, is for `places`.
Nothing that is read is trusted: every piece and every receipt is compared with its checksum,
what differs is *damaged*, and damaged is the same as missing, but for being named.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from analyzer.errors import LedgerError
from analyzer.places import Place, place_at
from analyzer.records import record

Item = TypeVar("Item")
Given = TypeVar("Given")

FORMAT = {"zonelog_ledger": 1}
MARK = "ledger.json"
RUNS = "runs"
"""The kind of receipts of which there are few, and which are listed."""

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


@record(frozen=True)
class Store:
    """Pieces and receipts at a place; `damaged` names what was found to be so, in this process."""

    place: Place
    damaged: list[str] = field(default_factory=list)

    @staticmethod
    def at(where: Path | str) -> "Store":
        """Return the store in a folder, or below an address of object storage."""
        return Store(place_at(where))

    def open(self) -> None:
        """Make the ledger, or see that it is one; clear what was abandoned."""
        if not self._is_marked() and self.place.is_new():
            self.place.keep(MARK, canonical(FORMAT))
        # Its mark may have come since: another run makes this ledger right now.
        self.check(" and not empty; name a new folder")
        self.place.tidy()

    def _is_marked(self) -> bool:
        """Return whether there is the mark of a ledger."""
        try:
            self.place.read(MARK)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            pass  # `check` has the words for it
        return True

    def check(self, advice: str = "; `zonelog analyze --ledger` makes one") -> None:
        """Refuse a place that is no ledger of ours; a mark that is lost or damaged is made again where a run proves it.

        `advice` goes on where a sentence says that a place is none.
        """
        found = self._mark()
        if found == FORMAT:
            return
        write = f"write {canonical(FORMAT).decode()} into {MARK}"
        if isinstance(found, dict) and found.keys() == FORMAT.keys():
            raise LedgerError(
                f"{self.place}: is a ledger of another kind ({MARK}); use the zonelog that made it, or, if it was "
                f"this one and the file is damaged, {write}"
            )
        if not self.runs():
            what = f"no {MARK}" if found is None else f"{MARK} is damaged"
            raise LedgerError(f"{self.place}: is no ledger ({what}){advice}; if it was one, {write}")
        with suppress(LedgerError):  # who only reads can do without
            self.place.keep(MARK, canonical(FORMAT))
            self.note(MARK)

    def _mark(self) -> Any:
        """Return what the mark of a ledger says, null where there is none, an empty text where it is damaged."""
        try:
            return json.loads(self.place.read(MARK))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"{self.place}: {MARK} there cannot be read ({error.strerror or error}); is this a ledger, and may it "
                "be read by you?"
            ) from error
        except (ValueError, RecursionError):
            return ""

    def each(self, function: Callable[[Given], Item], items: Iterable[Given]) -> list[Item]:
        """Return what a function gives of each item, in order; of a far place much is asked for at once."""
        if self.place.at_once == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(self.place.at_once) as threads:
            return list(threads.map(function, items))

    def put(self, data: bytes) -> str:
        """Keep a piece; return its name. A damaged one of that name is replaced."""
        name = hashlib.sha256(data).hexdigest()
        self.place.keep(_piece(name), data)
        return name

    def get(self, name: str) -> bytes | None:
        """Return a piece, null where it is missing or damaged, which is noted: a receipt speaks of it."""
        file = _piece(name) if _NAME.fullmatch(name) else "pieces"
        try:
            data = self.place.read(file)
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != name:
            self.note(file)
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
            self.note(_piece(name))
            return None

    def commit(self, kind: str, key: str, receipt: Mapping[str, Any]) -> None:
        """Write the receipt of a piece of work: from now on it is done."""
        body = {**receipt, "key": key}
        self.place.keep(_receipt(kind, key), canonical({"receipt": body, "sha256": digest_of(body)}))

    def withdraw(self, kind: str, key: str) -> None:
        """Remove a receipt, as far as that can be done: what it said is not so."""
        with suppress(OSError, LedgerError):
            self.place.remove(_receipt(kind, key))

    def receipt(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a receipt, null where there is none or it is damaged, which is noted."""
        file = _receipt(kind, key)
        try:
            content = json.loads(self.place.read(file))
            body = content["receipt"]
            if isinstance(body, dict) and body["key"] == key and digest_of(body) == content["sha256"]:
                return body
        except FileNotFoundError:
            return None
        except (*BAD, RecursionError):
            pass
        self.note(file)
        return None

    def runs(self, last: int = 0) -> list[dict[str, Any]]:
        """Return the manifests of all runs that are whole (0: all, else so many of the last), in the order of names."""
        keys = sorted(name.removesuffix(".json") for name in self.place.names(RUNS) if name.endswith(".json"))[-last:]
        return [found for found in self.each(lambda key: self.receipt(RUNS, key), keys) if found is not None]

    def receipt_is_bad(self, kind: str, key: str) -> None:
        """Note that a receipt, though whole, says what no receipt of ours says."""
        self.note(_receipt(kind, key))

    def note(self, name: str) -> None:
        """Note that a file of the ledger is damaged."""
        self.damaged.append(name)


def _piece(name: str) -> str:
    """Return where a piece lies."""
    return f"pieces/{name[:2]}/{name}"


def _receipt(kind: str, key: str) -> str:
    """Return where a receipt lies."""
    return f"{kind}/{key}.json" if kind == RUNS else f"{kind}/{key[:2]}/{key}.json"
