"""Tasks whose outcome is kept: each depends on as little as can be, so what is new changes few of them.

A slice is a part of one log; small logs share a task, a slice each, and stay together from run
to run (`grouped`). What slices cannot judge is judged again from the records on a
shelf: vehicles whose records do not lie in order over the slices, or that come in several
streams. Such a task reads the parts of logs that hold them, and judges some vehicles, or the
hours of a large one; which vehicles share a task depends on these parts alone.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import polars as pl

from analyzer.errors import LedgerError
from analyzer.logs import PART_RECORDS, Plan
from analyzer.records import record
from analyzer.shard import analyze_shard
from analyzer.stated import Hints
from analyzer.tasks import HOUR, Common, Outcome, Piece, Reading, SliceTask, Spill, read_batch, records_of

KEPT_BATCHES = 4
"""Slices of one task of a large log at the most: few, because they are judged again together."""

LOG_TASKS = 4
"""Tasks that a large log has at the least, where it has as many parts: all processes have something to do."""


GROUP_LOGS = 16
"""Small logs of one task at the most: a task costs about as much as ten of them."""

GROUP_RECORDS = PART_RECORDS // 4
"""Records of the logs of one task at the most."""

GROWN = 8
"""A group of fewer logs is made anew with those that are new."""


def tasks_by_log(plans: Sequence[Plan], groups: Iterable[Sequence[int]]) -> list[SliceTask]:
    """Return the parts of all logs as tasks, a batch a part; logs of several parts have tasks of their own.

    `groups` are the small logs that share a task, by index.
    """
    parts = [[(Piece(file, n, plan, part),) for n, part in enumerate(plan.parts)] for file, plan in enumerate(plans)]
    shared = [tuple(batch for file in group for batch in parts[file]) for group in groups]
    large = [
        tuple(batches[first : first + most])
        for batches in parts
        if len(batches) > 1
        for most in [min(KEPT_BATCHES, -(-len(batches) // LOG_TASKS))]
        for first in range(0, len(batches), most)
    ]
    ordered = sorted((*shared, *large), key=lambda batches: (batches[0][0].file, batches[0][0].number))
    return [SliceTask(number, batches) for number, batches in enumerate(ordered)]


def grouped(
    plans: Sequence[Plan], names: Sequence[str], past: Iterable[Sequence[str]], alone: Collection[int] = ()
) -> list[tuple[int, ...]]:
    """Return the logs of one part in groups, by index and in order; `names` say what each log holds.

    A group of the `past` (names) of which all logs are there stays as it was: its outcome is kept.
    The others are divided in their order, those of `alone` into groups of one.
    """
    small = [file for file, plan in enumerate(plans) if len(plan.parts) == 1 and file not in alone]
    free: dict[str, list[int]] = {}
    for file in reversed(small):
        free.setdefault(names[file], []).append(file)
    groups = [[free[name].pop() for name in group] for group in past if _all_free(group, free)]
    if sum(map(len, groups)) < len(small):
        groups = [group for group in groups if len(group) >= GROWN]
    taken = {file for group in groups for file in group}
    rest = [(file, plans[file].parts[0].records) for file in small if file not in taken]
    groups += [list(group) for group in _divided(rest)]
    return sorted([*(tuple(sorted(group)) for group in groups), *((file,) for file in alone)])


def _all_free(group: Sequence[str], free: dict[str, list[int]]) -> bool:
    """Return whether the logs of a group are all there, and in no group yet."""
    return all(group.count(name) <= len(free.get(name, ())) for name in group)


def _divided(logs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """Yield logs (index, records) in groups that are not too large."""
    some: list[int] = []
    count = 0
    for file, records in logs:
        if some and (count + records > GROUP_RECORDS or len(some) == GROUP_LOGS):
            yield tuple(some)
            some, count = [], 0
        some.append(file)
        count += records
    if some:
        yield tuple(some)


@record(frozen=True)
class Source:
    """Parts of a log that were read together; `base` is added to their record numbers."""

    batch: tuple[Piece, ...]
    base: int


@record(frozen=True, eq=False)
class HoursTask:
    """Say how many records of each vehicle there are in each hour, source by source."""

    sources: tuple[Source, ...]

    @property
    def records(self) -> int:
        """Return about how many records it reads."""
        return records_of(source.batch for source in self.sources)

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:  # noqa: ARG002 - nothing is judged
        """Return the counts."""
        return Outcome(spills=tuple(Spill(Path(), _hours(_records(source, common))) for source in self.sources))


def vehicles_by_batch(outcome: Outcome) -> list[set[str]]:
    """Return the vehicles with lanes or samples in each batch of a task."""
    found = [set(spill.samples) for spill in outcome.spills]
    if outcome.shard.lanes.width:
        for vehicle, number in outcome.shard.lanes.select("vehicle_id", "slice").unique().iter_rows():
            found[number].add(vehicle)
    return found


def _hours(records: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, hour, count) of records."""
    if records.is_empty():
        return pl.DataFrame()
    vehicle = pl.col("vehicle_id").cast(pl.String)
    return records.group_by(vehicle, HOUR).agg(pl.len().cast(pl.Int64).alias("count")).sort("vehicle_id", "hour")


def _records(source: Source, common: Common) -> pl.DataFrame:
    """Return the records of a source, numbered as those of their log."""
    readings: list[Reading] = []
    records = read_batch(source.batch, common, readings)
    for reading in readings:
        if reading.error is not None:
            raise LedgerError(reading.error)
    return records.with_columns(pl.col("record") + source.base) if records.width else records


@record(frozen=True, eq=False)
class Regather:
    """Judge vehicles by all their records in some parts, or (`hours`: first and last) in some hours.

    `alone` says that nobody else has any of these vehicles.
    """

    sources: tuple[Source, ...]
    vehicles: tuple[str, ...]
    hours: tuple[int, int] | None
    alone: bool

    @property
    def records(self) -> int:
        """Return about how many records it reads."""
        return records_of(source.batch for source in self.sources)

    def run(self, common: Common, hints: Hints | None = None) -> Outcome:
        """Return the rows of the shard."""
        records = pl.concat([self._own(source, common) for source in self.sources], how="diagonal_relaxed")
        return Outcome(analyze_shard([records], common.world, alone=self.alone, hints=hints, draw=common.draw))

    def _own(self, source: Source, common: Common) -> pl.DataFrame:
        """Return the records of the vehicles in one source."""
        records = _records(source, common)
        own = pl.col("vehicle_id").cast(pl.String).is_in(self.vehicles)
        if self.hours is not None:
            own &= HOUR.is_between(*self.hours)
        named = records.filter(own).with_columns(pl.col("vehicle_id").cast(pl.String))
        return named.sort("vehicle_id", "time", maintain_order=True)


def regathers(
    sources: Sequence[Source], hours: Sequence[pl.DataFrame], vehicles: Sequence[str], whole: Collection[str], size: int
) -> Iterator[Regather]:
    """Yield the tasks for some vehicles, of about `size` records; `hours` says what each source holds.

    The vehicles of `whole`, with samples, stay in one piece: they belong to fixes of other streams.
    """
    found = pl.concat(
        rows.with_columns(source=pl.lit(number, dtype=pl.Int64)) for number, rows in enumerate(hours) if rows.height
    ).filter(pl.col("vehicle_id").is_in(list(vehicles)))
    small: list[tuple[tuple[int, ...], str, int]] = []
    for (vehicle,), own in found.partition_by("vehicle_id", as_dict=True).items():
        total = int(own["count"].sum())
        if total > size and vehicle not in whole:
            yield from _by_hours(sources, vehicle, own, size)
        else:
            small.append((_numbers(own), vehicle, total))
    for numbers, alike in groupby(sorted(small), key=lambda entry: entry[0]):
        read = tuple(sources[number] for number in numbers)
        for some in _filled([(vehicle, total) for _, vehicle, total in alike], size):
            yield Regather(read, some, None, alone=True)


def _filled(vehicles: Sequence[tuple[str, int]], size: int) -> Iterator[tuple[str, ...]]:
    """Yield vehicles together as long as they have no more than `size` records."""
    some: list[str] = []
    count = 0
    for vehicle, total in vehicles:
        if some and count + total > size:
            yield tuple(some)
            some, count = [], 0
        some.append(vehicle)
        count += total
    yield tuple(some)


def _by_hours(sources: Sequence[Source], vehicle: str, rows: pl.DataFrame, size: int) -> Iterator[Regather]:
    """Yield the tasks of a large vehicle, cut by the hour."""
    hours = rows.group_by("hour").agg(pl.col("count").sum()).sort("hour")
    cut = hours.select("hour", group=(pl.col("count").cum_sum() - 1) // size)
    parts = rows.join(cut, on="hour").sort("group").partition_by("group", maintain_order=True)
    for part in parts:
        read = tuple(sources[number] for number in _numbers(part))
        span = (part["hour"].min(), part["hour"].max())
        yield Regather(read, (vehicle,), span, alone=len(parts) == 1)  # type: ignore[arg-type]


def _numbers(rows: pl.DataFrame) -> tuple[int, ...]:
    """Return the numbers of the sources of some rows."""
    return tuple(rows["source"].unique().sort().to_list())
