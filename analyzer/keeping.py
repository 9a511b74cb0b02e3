"""Tasks whose outcome is kept: found in the ledger, or done and kept there.

The name of an outcome is the digest of all that it depends on: the records (by content),
zones, rules, settings, zonelog itself, and what is told of trips. Files are numbered anew in each
run, so what is kept speaks of those of its own task as 0, 1, ….
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analyzer.engines import Engine
from analyzer.errors import LedgerError, WorkerError
from analyzer.grounds import grounds_of
from analyzer.joins import Joined
from analyzer.kept_tasks import HoursTask, Regather
from analyzer.records import record
from analyzer.shard import Shard
from analyzer.shelf import Shelf, reading_key, remarks_from, remarks_of
from analyzer.stated import Hints
from analyzer.store import BAD, Store, digest_of, packed
from analyzer.tasks import Common, Job, Outcome, Piece, Reading, SeamTask, SliceTask, Spill, Task

KIND = "judged"

_FRAMES = ("rejects", "odometer")
_NOT_PLAIN = (*_FRAMES, "remarks", "file", "error", "joined")
_NOT_JUDGED_BY = ("world", "spill", "shelf", "reading", "start", "end", "vehicles", "join")


def common_key(common: Common, tool: dict[str, str]) -> str:
    """Return the digest of what all tasks share."""
    rest = {f.name: getattr(common, f.name) for f in fields(common) if f.name not in _NOT_JUDGED_BY}
    part = (str(common.start), str(common.end), sorted(common.vehicles))
    join = common.join and (common.join.states.sha256, common.join.tolerance_us)
    return digest_of(tool, grounds_of(common.world.zone_set), part, reading_key(common.reading), join, rest)


@dataclass(frozen=True)
class Name:
    """The name of an outcome, and the files that it speaks of, by their index in this run."""

    key: str
    files: tuple[int, ...]


@record(frozen=True, eq=False)
class Keep:
    """Do a task, and keep its outcome unless something could not be read."""

    task: Task
    name: Name

    @property
    def records(self) -> int:
        """Return about how many records it reads."""
        return self.task.records

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:
        """Return the outcome, once it is kept."""
        if common.shelf is None:
            raise LedgerError("what is kept needs a ledger")
        store = common.shelf.store
        before = len(store.damaged)
        outcome = self.task.run(common, hints)
        errors = [reading.error for reading in outcome.readings if reading.error is not None]
        if errors and hints is not None:
            raise LedgerError(errors[0])
        if not errors:
            paths = [common.shelf.logs[file].path for file in self.name.files]
            store.commit(KIND, self.name.key, _kept(outcome, self.name.files, paths, store))
        return replace(outcome, damaged=tuple(store.damaged[before:]))


@dataclass
class Keeper:
    """Does jobs as a pool does, but each only once for all runs on a ledger; or none, with `found_only`."""

    pool: Engine
    common: Common
    shelf: Shelf
    tool: dict[str, str]
    found_only: bool = False
    done: int = 0
    reused: int = 0
    damaged: list[str] = field(default_factory=list)

    keeps = True

    def run(self, jobs: Sequence[Job], done: Callable[[int], None] = lambda _: None) -> list[Outcome | WorkerError]:
        """Return the outcome of every job, in their order; a WorkerError where it was given up."""
        names = [self._name(*job) for job in jobs]
        kept = enumerate(self.shelf.store.each(self._found, names))
        outcomes: dict[int, Outcome | WorkerError] = {number: found for number, found in kept if found is not None}
        reused = len(outcomes)
        done(reused)
        left = [number for number in range(len(jobs)) if number not in outcomes]
        todo: list[Job] = [(Keep(jobs[number][0], names[number]), jobs[number][1]) for number in left]
        if left and self.found_only:
            raise LedgerError(
                f"{self.shelf.store.place}: lacks {len(left)} piece(s) of this run, which was judged by another "
                f"zonelog ({self.tool['zonelog']}, {self.tool['sources']}); install that one to make the result again"
            )
        outcomes.update(zip(left, self.pool.run(todo, lambda count: done(reused + count)), strict=True))
        self.reused, self.done = self.reused + reused, self.done + len(left)
        for outcome in outcomes.values():
            self.damaged += outcome.damaged if isinstance(outcome, Outcome) else ()
        return [outcomes[number] for number in range(len(jobs))]

    @cached_property
    def _common_key(self) -> str:
        """Return the digest of what all tasks share."""
        return common_key(self.common, self.tool)

    def _name(self, task: Task, hints: Hints | None) -> Name:
        """Return the name of the outcome of a task that is told something."""
        what, files = _described(task, self.shelf)
        return Name(digest_of(self._common_key, what, None if hints is None else _plain_hints(hints)), files)

    def _found(self, name: Name) -> Outcome | None:
        """Return an outcome that is kept, null where it is not."""
        store = self.shelf.store
        receipt = store.receipt(KIND, name.key)
        frames = None if receipt is None else store.frames(receipt["piece"])
        if receipt is None or frames is None:
            return None
        try:
            return _outcome(receipt, frames, name.files, [self.shelf.logs[file].path for file in name.files])
        except BAD:
            store.receipt_is_bad(KIND, name.key)
            return None


def _described(task: Task, shelf: Shelf) -> tuple[Any, tuple[int, ...]]:
    """Return what a task depends on as plain data, and the files that it speaks of."""
    if isinstance(task, SliceTask):
        files = _files_of(task.batches)
        return ["slice", [[shelf.part_key(p.file, p.part) for p in batch] for batch in task.batches]], files
    if isinstance(task, HoursTask | Regather):
        files = _files_of(source.batch for source in task.sources)
        read = [[[shelf.part_key(p.file, p.part) for p in s.batch], s.base] for s in task.sources]
        rest = () if isinstance(task, HoursTask) else (task.vehicles, task.hours, task.alone)
        return [type(task).__name__, read, rest], files
    if isinstance(task, SeamTask):
        files = tuple(task.left["file"].unique().sort().to_list())
        frames = (_renumbered(task.left, _numbers(files)), task.seams)
        return ["seam", [_digest_of_frame(frame) for frame in frames]], files
    raise TypeError(task)


def _files_of(batches: Iterable[tuple[Piece, ...]]) -> tuple[int, ...]:
    """Return the files of some parts in the order in which they are named, which is that of their keys."""
    return tuple(dict.fromkeys(piece.file for batch in batches for piece in batch))


def _digest_of_frame(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a frame as Parquet: Arrow may write the same rows in several ways."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(buffer, compression="uncompressed", statistics=False)
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def _plain_hints(hints: Hints) -> Any:
    """Return hints as plain data."""
    values = {f.name: getattr(hints, f.name) for f in fields(hints)}
    return {n: _plain(dict(v) if n == "said" else v) for n, v in values.items()}


def _plain(value: Any) -> Any:
    """Return arrays as lists."""
    if isinstance(value, dict):
        return {name: _plain(own) for name, own in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _numbers(files: Sequence[int]) -> dict[int, int]:
    """Return what files are called in what is kept."""
    return {file: number for number, file in enumerate(files)}


def _renumbered(frame: pl.DataFrame, numbers: dict[int, int]) -> pl.DataFrame:
    """Return a frame with other numbers of files."""
    names = [n for n, t in frame.schema.items() if (n == "file" or n.endswith("_file")) and t.is_integer()]
    if not names or all(old == new for old, new in numbers.items()):
        return frame
    changed = frame.clone()
    for name in names:
        series = frame[name]
        if len(numbers) == 1:
            (step,) = (new - old for old, new in numbers.items())
            other = series + step
        else:
            other = series.replace_strict(list(numbers), list(numbers.values()), return_dtype=series.dtype)
        changed.replace_column(frame.get_column_index(name), other)
    return changed


def _kept(outcome: Outcome, files: tuple[int, ...], paths: Sequence[str], store: Store) -> dict[str, Any]:
    """Return the receipt of an outcome, whose frames are kept before."""
    frames = {f"shard-{f.name}": getattr(outcome.shard, f.name) for f in fields(Shard)}
    frames |= {f"{name}-{n}": getattr(r, name) for n, r in enumerate(outcome.readings) for name in _FRAMES}
    frames |= {f"rows-{n}": spill.rows for n, spill in enumerate(outcome.spills)}
    numbers = _numbers(files)
    piece = store.put(packed({n: _renumbered(f, numbers) for n, f in frames.items() if f.height}))
    return {
        "piece": piece,
        "readings": [
            {
                "plain": {f.name: getattr(r, f.name) for f in fields(r) if f.name not in _NOT_PLAIN},
                "file": numbers[r.file],
                "remarks": remarks_of(r.remarks, paths[numbers[r.file]]),
                "joined": r.joined and asdict(r.joined),
            }
            for r in outcome.readings
        ],
        "samples": [spill.samples for spill in outcome.spills],
    }


def _outcome(
    receipt: dict[str, Any], frames: dict[str, pl.DataFrame], files: tuple[int, ...], paths: Sequence[str]
) -> Outcome:
    """Return an outcome from what is kept of it."""
    numbers = {number: file for file, number in _numbers(files).items()}
    own = {name: _renumbered(frame, numbers) for name, frame in frames.items()}
    nothing = pl.DataFrame()
    readings = tuple(
        Reading(
            file=files[kept["file"]],
            rejects=own.get(f"rejects-{n}", nothing),
            odometer=own.get(f"odometer-{n}", nothing),
            remarks=remarks_from(kept["remarks"], paths[kept["file"]]),
            joined=kept["joined"] and Joined(**kept["joined"]),
            **kept["plain"],
        )
        for n, kept in enumerate(receipt["readings"])
    )
    samples = enumerate(receipt["samples"])
    spills = tuple(Spill(Path(), own.get(f"rows-{n}", nothing), tuple(vehicles)) for n, vehicles in samples)
    return Outcome(Shard(**{f.name: own.get(f"shard-{f.name}", nothing) for f in fields(Shard)}), readings, spills)
