"""The pieces of work of an analysis: pure functions of a task and what all tasks share.

A task can be sent to another process, done twice, and done anywhere: the same task gives
the same outcome. Its records live only while it runs.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from analyzer.errors import LogError
from analyzer.joins import Join, Joined, with_states
from analyzer.logs import Log, Part, Plan, ReadOptions, Remark, error_m, grid_in, read_part
from analyzer.odometers import odometer_of
from analyzer.records import record
from analyzer.shard import Shard, World, analyze_shard
from analyzer.shelf import Shelf
from analyzer.stated import Hints
from analyzer.tables import RECORDS

HOUR_US = 3_600_000_000


@record(frozen=True, eq=False)
class Common:
    """What all tasks share: the world, how to read, and which records are left out.

    `start` and `end` (null: open) and `vehicles` (empty: all) say what part is judged;
    `alone` that one task reads everything; `spill` is a folder for records in between; `join`
    are modes and operators of another file. With a `shelf` records are kept there, and nothing
    is put aside: it can be had again.
    """

    world: World
    reading: ReadOptions
    start: dt.datetime | None
    end: dt.datetime | None
    vehicles: tuple[str, ...]
    draw: bool
    alone: bool
    spill: Path
    join: Join | None = None
    shelf: Shelf | None = None


@record(frozen=True, eq=False)
class Reading:
    """What reading one part gave, but for its records.

    `left_out` are records that are not to be judged, `joined` what another file says of the
    others, `odometer` what its odometers say (`odometers`), `grid`
    how coarsely positions are written. `error` (null: none) says why
    the part cannot be read; then nothing else is known.
    """

    file: int
    part: int
    records: int = 0
    other_records: int = 0
    left_out: int = 0
    rejects: pl.DataFrame = field(default_factory=pl.DataFrame)
    remarks: tuple[Remark, ...] = ()
    error: str | None = None
    joined: Joined | None = None
    odometer: pl.DataFrame = field(default_factory=pl.DataFrame)
    grid: str = ""


@record(frozen=True, eq=False)
class Spill:
    """Records put aside, sorted by vehicle and time, and the rows of each vehicle and hour in them.

    `rows` has vehicle_id, hour (since 1970 UTC), start and count. `samples` names the
    vehicles of which there are samples. Of records on a shelf there is no file, and no start.
    """

    path: Path
    rows: pl.DataFrame
    samples: tuple[str, ...] = ()


@record(frozen=True, eq=False)
class Outcome:
    """What a task gives: the rows of its shard, and what it read or put aside; `damaged` files of a ledger."""

    shard: Shard = field(default_factory=Shard)
    readings: tuple[Reading, ...] = ()
    spills: tuple[Spill, ...] = ()
    damaged: tuple[str, ...] = ()


class Task(Protocol):
    """A piece of work."""

    @property
    def records(self) -> int:
        """Return about how many records it reads."""
        ...

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:
        """Do it; `hints` are what the rest of the log says of its trips."""
        ...


Job = tuple[Task, Hints | None]
"""A task, and what it is told of its trips."""


@record(frozen=True)
class Piece:
    """One part of one log; `file` is the index of the log, `number` that of the part."""

    file: int
    number: int
    plan: Plan
    part: Part


def records_of(batches: Iterable[tuple[Piece, ...]]) -> int:
    """Return about how many records some parts have."""
    return sum(piece.part.records for batch in batches for piece in batch)


UNASKED = ("control_mode_raw", "heading_deg", "odometer_m")  # the last is looked at apart
"""Columns of records of which no verdict speaks: not kept."""


@record(frozen=True)
class SliceTask:
    """Read parts, batch by batch, and judge what they hold; each batch is a slice."""

    number: int
    batches: tuple[tuple[Piece, ...], ...]

    @property
    def records(self) -> int:
        """Return about how many records it reads."""
        return records_of(self.batches)

    @property
    def files(self) -> set[int]:
        """Return the logs that it reads."""
        return {piece.file for batch in self.batches for piece in batch}

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:
        """Return the rows of the slices; vehicles with samples are put aside unless the task is alone."""
        readings: list[Reading] = []
        asides: list[Spill] = []
        records = self._records(common, readings, asides)
        shard = analyze_shard(records, common.world, alone=common.alone, hints=hints, draw=common.draw)
        return Outcome(shard, tuple(readings), tuple(asides))

    def _records(self, common: Common, readings: list[Reading], asides: list[Spill]) -> Iterator[pl.DataFrame]:
        """Yield the records of each batch; none of them is held here. What is read and put aside is noted."""
        for number, batch in enumerate(self.batches):
            yield self._judged_here(number, read_batch(batch, common, readings), common, asides)

    def _judged_here(self, number: int, records: pl.DataFrame, common: Common, asides: list[Spill]) -> pl.DataFrame:
        """Return the records of a batch less those that are put aside."""
        sampled = () if common.alone else _sampled(records)
        if common.shelf is not None:
            asides.append(Spill(Path(), pl.DataFrame(), sampled))
        if not sampled:
            return records
        whole = pl.col("vehicle_id").cast(pl.String).is_in(sampled)
        if common.shelf is None:
            path = common.spill / f"{self.number}-{number}.arrow"
            asides.append(put_aside(records.filter(whole), path, sampled))
        return records.filter(~whole)


def read_batch(batch: tuple[Piece, ...], common: Common, readings: list[Reading]) -> pl.DataFrame:
    """Return the records of some parts; numbers go on where an earlier part of the log was read here."""
    frames = []
    for piece in batch:
        before = sum(r.records for r in readings if r.file == piece.file)
        reading, records = _read(piece, common)
        readings.append(reading)
        if before and records.width:
            records.replace_column(records.get_column_index("record"), records["record"] + before)
        frames.append(records)
    return _concat(frames)


@record(frozen=True)
class SpillTask:
    """Read parts again, and put the records of some vehicles aside."""

    number: int
    batches: tuple[tuple[Piece, ...], ...]
    vehicles: tuple[str, ...]

    @property
    def records(self) -> int:
        """Return about how many records it reads."""
        return records_of(self.batches)

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:  # noqa: ARG002 - nothing is judged
        """Return where the records are."""
        readings: list[Reading] = []
        spills = []
        for number, batch in enumerate(self.batches):
            records = read_batch(batch, common, readings)
            if records.width:
                own = records.filter(pl.col("vehicle_id").cast(pl.String).is_in(self.vehicles))
                spills.append(put_aside(own, common.spill / f"{self.number}-{number}.arrow", ()))
        return Outcome(spills=tuple(spills))


@record(frozen=True)
class Rows:
    """Rows of a spilled file; `base` is added to their record numbers."""

    path: Path
    start: int
    count: int
    base: int


@record(frozen=True)
class GatherTask:
    """Judge records that were put aside; `alone` says that nobody else has any of their vehicles."""

    rows: tuple[Rows, ...]
    alone: bool

    @property
    def records(self) -> int:
        """Return how many records it reads."""
        return sum(rows.count for rows in self.rows)

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:
        """Return the rows of the shard."""
        parts = [pl.scan_ipc(r.path, glob=False).slice(r.start, r.count).collect() for r in self.rows]
        based = [p.with_columns(pl.col("record") + r.base) for p, r in zip(parts, self.rows, strict=True)]
        records = pl.concat(based, how="diagonal_relaxed")
        return Outcome(analyze_shard([records], common.world, alone=self.alone, hints=hints, draw=common.draw))


@record(frozen=True, eq=False)
class SeamTask:
    """Judge seams; rows of `left` have `seam`, `seams` say what is owned."""

    left: pl.DataFrame
    seams: pl.DataFrame

    @property
    def records(self) -> int:
        """Return how many records it reads."""
        return self.left.height

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:
        """Return the rows of the shard."""
        return Outcome(analyze_shard([self.left], common.world, self.seams, hints=hints, draw=common.draw))


def _read(piece: Piece, common: Common) -> tuple[Reading, pl.DataFrame]:
    """Return what one part holds: its accounting, and the records that are to be judged."""
    try:
        log = _log(piece, common)
    except LogError as error:
        return Reading(piece.file, piece.number, error=str(error)), pl.DataFrame()
    typed = _typed(log, piece.file)
    if grid := grid_in(piece.plan, typed):
        typed = typed.with_columns(coordinate_error_m=pl.lit(error_m(grid)))
    conditions = _part(common)
    kept = typed.filter(*conditions) if conditions else typed
    joined = None
    if common.join is not None:
        kept, joined = with_states(kept, common.join)
    reading = Reading(
        piece.file,
        piece.number,
        log.record_count,
        log.other_records,
        typed.height - kept.height,
        log.rejects.with_columns(file=pl.lit(piece.file, dtype=pl.Int32)),
        log.remarks,
        joined=joined,
        odometer=odometer_of(log.records),
        grid=grid,
    )
    return reading, kept


def _log(piece: Piece, common: Common) -> Log:
    """Return a part of a log, from the shelf where it is there."""
    if common.shelf is None:
        return read_part(piece.plan, piece.part, common.reading)
    return common.shelf.part(piece.file, piece.plan, piece.part, lambda: _to_keep(piece, common))


def _to_keep(piece: Piece, common: Common) -> Log:
    """Return a part of a log with what is judged of its records, and what their odometers say."""
    log = read_part(piece.plan, piece.part, common.reading)
    return replace(log, records=_typed(log, piece.file, without=UNASKED[:-1]).drop("file"))


def _typed(log: Log, file: int, without: Sequence[str] = UNASKED) -> pl.DataFrame:
    """Return what is judged of the records of a log, in the types of RECORDS, with the index of their file."""
    wanted = [c for c in RECORDS.columns if c.name in log.records.columns and c.name not in without]
    of_file = pl.Series("file", [file], dtype=pl.Int32).new_from_index(0, log.records.height)
    return pl.DataFrame([*(log.records[c.name].cast(c.dtype) for c in wanted), of_file])


def _part(common: Common) -> list[pl.Expr]:
    """Return the conditions on records of what is to be judged."""
    conditions = []
    if common.start is not None:
        conditions.append(pl.col("time") >= common.start)
    if common.end is not None:
        conditions.append(pl.col("time") < common.end)
    if common.vehicles:
        conditions.append(pl.col("vehicle_id").is_in(list(common.vehicles)))
    return conditions


def _concat(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the frames as one."""
    full = [frame for frame in frames if frame.height]
    return full[0] if len(full) == 1 else pl.concat(full, how="diagonal") if full else pl.DataFrame()


def _sampled(records: pl.DataFrame) -> tuple[str, ...]:
    """Return the vehicles of which there are samples."""
    if "is_sample" not in records.columns or not records["is_sample"].any():
        return ()
    return tuple(records.filter("is_sample")["vehicle_id"].cast(pl.String).unique().sort())


HOUR = (pl.col("time").dt.epoch("us") // HOUR_US).alias("hour")


def put_aside(records: pl.DataFrame, path: Path, samples: tuple[str, ...]) -> Spill:
    """Write records to a file, sorted by vehicle and time."""
    ordered = records.with_columns(pl.col("vehicle_id").cast(pl.String)).sort("vehicle_id", "time", maintain_order=True)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")  # somebody else may do the same task
    ordered.write_ipc(beside, compression="uncompressed")
    beside.replace(path)
    counts = ordered.group_by("vehicle_id", HOUR, maintain_order=True).agg(pl.len().cast(pl.Int64).alias("count"))
    return Spill(path, counts.with_columns(start=pl.col("count").cum_sum() - pl.col("count")), samples)
