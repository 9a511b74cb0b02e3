"""The records of logs as a ledger keeps them: read once, then taken from there.

What is kept depends on the content of a file, its name (a vehicle may be called after it),
how it is read and by which zonelog; on no rule and on no zone. So other rules judge the
records again and read no log.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.errors import LedgerError, LogError
from analyzer.logs import Log, Part, Plan, Remark
from analyzer.records import record
from analyzer.store import BAD, Store, digest_of, packed
from analyzer.tables import INSTANT

if TYPE_CHECKING:
    from analyzer.index import Stamp

OWN_PATH = "\0"
"""Stands for the path of a log, which may be another one when its records are asked for again."""

_NOT_PLAIN = ("path", "format", "sha256", "records", "rejects", "remarks")


@record(frozen=True)
class KeptFile:
    """What a file held; `settled` says that its stamp is sure to change with the content."""

    path: str
    stamp: "Stamp"
    sha256: str
    settled: bool

    def unchanged(self) -> bool:
        """Return whether the file still is what it was."""
        try:
            return self.stamp.of(self.path) == self.stamp
        except (OSError, LogError):
            return False


@record(frozen=True)
class KeptLog:
    """A log that a ledger knows by its content and reading (`key`); one without files is not to be opened."""

    path: str
    key: str
    sha256: str
    files: tuple[KeptFile, ...] = ()

    @property
    def version(self) -> str:
        """Return the version (ETag) of an object, empty for a file."""
        return self.files[0].stamp.etag if self.files else ""

    def refuse_changed(self) -> None:
        """Refuse a file that is no longer what was named."""
        if not self.files:
            raise LedgerError(
                f"{self.path}: what this run read of it is no longer in the ledger; analyze the logs again, "
                "if they still are as they were"
            )
        if not all(file.unchanged() for file in self.files):
            raise LogError(f"{self.path}: was changed while it was read; analyze again when it is complete")


@record(frozen=True)
class Shelf:
    """The records of all logs of a run, by the index of the file."""

    store: Store
    logs: Mapping[int, KeptLog]

    def part_key(self, file: int, part: Part) -> str:
        """Return the name of the records of a part."""
        return digest_of("records", self.logs[file].key, part.start, part.stop)

    def part(self, file: int, plan: Plan, part: Part, read: Callable[[], Log]) -> Log:
        """Return a part of a log as it is kept, else read it and keep it."""
        key = self.part_key(file, part)
        kept = self._kept(key, plan)
        if kept is not None:
            return kept
        self.logs[file].refuse_changed()
        log = read()
        self.logs[file].refuse_changed()
        tables = {"records": _steps(log.records), "rejects": log.rejects}
        piece = self.store.put(packed({name: frame for name, frame in tables.items() if frame.width}))
        self.store.commit("records", key, {"piece": piece, **_plain(log)})
        return log

    def _kept(self, key: str, plan: Plan) -> Log | None:
        """Return a part that is kept, null where it is not."""
        receipt = self.store.receipt("records", key)
        frames = None if receipt is None else self.store.frames(receipt["piece"])
        if receipt is None or frames is None:
            return None
        records, rejects = (frames.get(name, pl.DataFrame()) for name in ("records", "rejects"))
        try:
            remarks = remarks_from(receipt["remarks"], plan.path)
            return Log(plan.path, plan.format, None, _from_steps(records), rejects, remarks=remarks, **receipt["plain"])
        except BAD:
            self.store.receipt_is_bad("records", key)
            return None


def _steps(records: pl.DataFrame) -> pl.DataFrame:
    """Return records with steps in the place of what mostly rises evenly: that packs to almost nothing."""
    rising = {name: pl.col(name).cast(dtype).cast(pl.Int64) for name, dtype in _rising(records).items()}
    return records.with_columns((c - c.shift(1, fill_value=0)).alias(name) for name, c in rising.items())


def _from_steps(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records of which these are the steps."""
    return records.with_columns(pl.col(name).cum_sum().cast(dtype) for name, dtype in _rising(records).items())


def _rising(records: pl.DataFrame) -> dict[str, pl.DataType]:
    """Return the columns that are kept as steps, and their types."""
    types = {"record": pl.Int64(), "time": INSTANT}
    return {name: dtype for name, dtype in types.items() if name in records.columns and not records[name].null_count()}


def _plain(log: Log) -> dict[str, Any]:
    """Return what a log says but for its tables."""
    plain = {f.name: getattr(log, f.name) for f in fields(log) if f.name not in _NOT_PLAIN}
    return {"plain": plain, "remarks": remarks_of(log.remarks, log.path)}


def remarks_of(remarks: tuple[Remark, ...], path: str) -> list[dict[str, Any]]:
    """Return remarks on a log as plain data."""
    return [asdict(replace(r, subject=OWN_PATH if r.subject == path else r.subject)) for r in remarks]


def remarks_from(plain: list[dict[str, Any]], path: str) -> tuple[Remark, ...]:
    """Return remarks from plain data, on the log of this path."""
    made = (Remark(**{**own, "words": tuple(own["words"])}) for own in plain)
    return tuple(replace(r, subject=path) if r.subject == OWN_PATH else r for r in made)


def reading_key(options: Any) -> dict[str, Any]:
    """Return how to read as plain data: of a file its content counts, not where it is."""
    return {f.name: _plain_value(getattr(options, f.name)) for f in fields(options)}


def _plain_value(value: Any) -> Any:
    """Return a value as plain data; a path that is no file is a name."""
    if not isinstance(value, Path):
        return value
    if value.is_dir():
        return [(name, hashlib.sha256(file.read_bytes()).hexdigest()) for name, file in files_below(value)]
    return hashlib.sha256(value.read_bytes()).hexdigest() if value.is_file() else str(value)


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """Return all files of a folder by their names in it, in order."""
    return sorted((file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file())
