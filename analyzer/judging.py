"""From plans to judged shards: slices first, then what slices alone could not judge.

1. Every part is read and judged as a slice (small logs share one).
2. Vehicles whose records are not in order over the slices, or that come in several streams,
   are put aside, sorted by vehicle and hour, and judged again from there.
3. The ends of lanes that slices left are judged as seams.
4. Shards that did not see what matters of their trips are told, and done again.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from analyzer.engines import Runner
from analyzer.errors import LogError, WorkerError
from analyzer.kept_tasks import HoursTask, Source, regathers, vehicles_by_batch
from analyzer.legs import hints_for, with_trip_numbers
from analyzer.logs import PART_RECORDS, Plan, is_empty_recording, refuse_unreadable
from analyzer.records import record
from analyzer.reduction import together
from analyzer.seams import by_day, in_shards, seams_of, tangled_vehicles
from analyzer.shard import Shard
from analyzer.tasks import GatherTask, Job, Outcome, Piece, Reading, Rows, SeamTask, SliceTask, Spill, SpillTask, Task

TASK_BATCHES = 4
"""Slices of one task at the most: they are judged together."""

FAIR_SHARE = 2
"""A task takes no more of the slices still left than one in so many: the last ones are small, and
all processes are done at about the same time."""

ROUNDS = 3
"""How often shards are told more of their trips: each time, they know all that is known."""

OF_A_TRIP = ("holes", "stretches", "phases", "lines", "visits")
OF_A_VEHICLE = ("legs", "exposure", "speeds", "rejects", "counts", "others", "ratios", "lanes")


@record(frozen=True, eq=False)
class Work:
    """A task that gives a shard.

    `base` is added to its record numbers, `drop` are vehicles that others judge.
    """

    task: Task
    base: int = 0
    drop: tuple[str, ...] = ()

    def finished(self, shard: Shard) -> Shard:
        """Return the shard as it counts."""
        return without(based(shard, self.base), self.drop)


@dataclass
class Judged:
    """All shards in the order of the plan, what was read, and why logs cannot be read, by file.

    `order` is that of the slices: in which order the records of each file were met.
    """

    works: list[Work] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    order: pl.DataFrame = field(default_factory=pl.DataFrame)

    def add(self, work: Work, shard: Shard) -> None:
        """Add a shard."""
        self.works.append(work)
        self.shards.append(work.finished(shard))


Tell = Callable[[int, int], None]


def judge_all(tasks: Sequence[SliceTask], pool: Runner, tell: Tell) -> Judged:
    """Return the judged shards of all slices, and of what lies between them."""
    outcomes = [
        _or_named(o, t)
        for o, t in zip(pool.run([(t, None) for t in tasks], _told(tell, len(tasks))), tasks, strict=True)
    ]
    judged = Judged(readings=[reading for outcome in outcomes for reading in outcome.readings])
    judged.errors.update(_errors(tasks, judged.readings))
    bases = _bases(judged.readings)
    kept = [(t, o) for t, o in zip(tasks, outcomes, strict=True) if not _refused(t, judged.errors)]
    lanes, judged.order = (together([outcome.shard for _, outcome in kept], name) for name in ("lanes", "order"))
    sampled = {vehicle for _, outcome in kept for spill in outcome.spills for vehicle in spill.samples}
    tangled = tuple(sorted({*tangled_vehicles(lanes), *sampled}))
    for task, outcome in kept:
        judged.add(Work(task, _base(task, bases), tangled), outcome.shard)
    if tangled:
        (_regather if pool.keeps else _untangle)(judged, kept, tangled, bases, pool)
    _close_seams(judged, pool)
    _tell_legs(judged, pool)
    return judged


def _told(tell: Tell, total: int) -> Callable[[int], None]:
    """Return what the pool calls when tasks are done."""
    return lambda done: tell(done, total)


def slice_tasks(plans: Sequence[Plan], *, shared: bool = True) -> list[SliceTask]:
    """Return the parts of all logs as tasks; `shared` says that several processes do them.

    Whole logs share a batch up to about PART_RECORDS, large ones are a batch a part; a task
    has up to TASK_BATCHES, all of one log or all of whole ones.
    """
    fair_share = FAIR_SHARE if shared else 1
    batches = list(_batches(plans, PART_RECORDS // 4))
    tasks: list[SliceTask] = []
    taken = 0
    for _, run in itertools.groupby(batches, _large_log):
        alike = list(run)
        while alike:
            most = min(TASK_BATCHES, -(-(len(batches) - taken) // fair_share))
            tasks.append(SliceTask(len(tasks), tuple(alike[:most])))
            del alike[:most]
            taken += len(tasks[-1].batches)
    return tasks


def _large_log(batch: tuple[Piece, ...]) -> int | None:
    """Return the log of which a batch is a part; null where it holds whole ones."""
    return batch[0].file if len(batch[0].plan.parts) > 1 else None


def _batches(plans: Sequence[Plan], size: int) -> Iterator[tuple[Piece, ...]]:
    """Yield the parts that are read together."""
    shared: list[Piece] = []
    for file, plan in enumerate(plans):
        pieces = [Piece(file, number, plan, part) for number, part in enumerate(plan.parts)]
        full = sum(p.part.records for p in (*shared, *pieces)) > size
        if shared and (full or len(pieces) > 1):
            yield tuple(shared)
            shared = []
        if len(pieces) > 1:
            yield from ((piece,) for piece in pieces)
        else:
            shared += pieces
    if shared:
        yield tuple(shared)


def _pieces(task: SliceTask) -> list[Piece]:
    """Return the parts that a task reads."""
    return [piece for batch in task.batches for piece in batch]


def _or_named(outcome: Outcome | WorkerError, task: SliceTask) -> Outcome:
    """Return the outcome; of a task that was given up, the reason for each of its logs."""
    if isinstance(outcome, Outcome):
        return outcome
    reason = str(outcome)
    return Outcome(readings=tuple(Reading(p.file, p.number, error=f"{p.plan.path}: {reason}") for p in _pieces(task)))


def _errors(tasks: Sequence[SliceTask], readings: Sequence[Reading]) -> dict[int, str]:
    """Return why logs cannot be read: the reason of their first bad part, or that nothing is good."""
    errors = {}
    by_file: dict[int, list[Reading]] = {}
    for reading in sorted(readings, key=lambda r: (r.file, r.part)):
        by_file.setdefault(reading.file, []).append(reading)
    paths = {piece.file: piece.plan.path for task in tasks for piece in _pieces(task)}
    for file, read in by_file.items():
        bad = [r.error for r in read if r.error is not None]
        error = bad[0] if bad else _unreadable(paths[file], read)
        if error is not None:
            errors[file] = error
    return errors


def _unreadable(path: str, readings: Sequence[Reading]) -> str | None:
    """Return why a log of which not one record is good cannot be judged, null where one is."""
    count = sum(r.records for r in readings)
    if any(r.records > r.rejects.height or is_empty_recording(r.remarks) for r in readings):
        return None
    first = next((r.rejects.row(0, named=True) for r in readings if r.rejects.height), None)
    try:
        refuse_unreadable(path, count, (first["record"], first["reason"], first["text"]) if first else None)
    except LogError as error:
        return str(error)


def _refused(task: SliceTask, errors: dict[int, str]) -> bool:
    """Return whether a task holds a part of a log that is refused as a whole."""
    first = task.batches[0][0]
    return len(first.plan.parts) > 1 and first.file in errors


def _bases(readings: Sequence[Reading]) -> dict[tuple[int, int], int]:
    """Return how many records of its log come before each part."""
    bases, before = {}, dict[int, int]()
    for reading in sorted(readings, key=lambda r: (r.file, r.part)):
        bases[reading.file, reading.part] = before.get(reading.file, 0)
        before[reading.file] = bases[reading.file, reading.part] + reading.records
    return bases


def _base(task: SliceTask, bases: dict[tuple[int, int], int]) -> int:
    """Return what is added to the record numbers of a task: its parts are the first, but for one alone."""
    first = task.batches[0][0]
    return bases[first.file, first.number]


def based(shard: Shard, base: int) -> Shard:
    """Return the shard with `base` added to all numbers of records."""
    if not base:
        return shard
    changed = {}
    for name in ("legs", "holes", "stretches", "phases", "rejects", "left"):
        frame: pl.DataFrame = getattr(shard, name)
        numbers = [c for c in frame.columns if c == "record" or c.endswith("_record")]
        changed[name] = frame.with_columns(pl.col(numbers) + base)
    return shard.map(changed)


def without(shard: Shard, vehicles: Sequence[str]) -> Shard:
    """Return the shard without what it says of some vehicles."""
    if not vehicles:
        return shard
    others = ~pl.col("vehicle_id").is_in(list(vehicles))
    changed = {name: frame.filter(others) for name in OF_A_VEHICLE if (frame := getattr(shard, name)).width}
    if shard.legs.width:
        trips = changed["legs"]["trip"].implode()
        rows = {n: getattr(shard, n) for n in OF_A_TRIP}
        changed |= {n: f.filter(pl.col("trip").is_in(trips)) for n, f in rows.items() if f.width}
    if shard.left.width:
        changed["left"] = shard.left.filter(pl.col("vehicle_id").cast(pl.String).is_in(list(vehicles)).not_())
    return shard.map(changed)


def _untangle(
    judged: Judged,
    kept: Sequence[tuple[SliceTask, Outcome]],
    tangled: tuple[str, ...],
    bases: dict[tuple[int, int], int],
    pool: Runner,
) -> None:
    """Judge vehicles whose records do not lie in order over the slices, from records put aside."""
    spills: list[tuple[Spill, int]] = [(spill, _base(t, bases)) for t, o in kept for spill in o.spills]
    again: list[tuple[SpillTask, int]] = []
    for number, (task, outcome) in enumerate(kept):
        here = set(outcome.shard.lanes["vehicle_id"]) if outcome.shard.lanes.width else set()
        vehicles = tuple(v for v in tangled if v in here)
        if vehicles:
            again.append((SpillTask(len(kept) + number, task.batches, vehicles), _base(task, bases)))
    for put_aside, (_, base) in zip(pool.run([(task, None) for task, _ in again]), again, strict=True):
        spills += [(spill, base) for spill in _done(put_aside).spills]
    sampled = {vehicle for spill, _ in spills for vehicle in spill.samples}
    gathers = _gathers(spills, sampled, PART_RECORDS)
    for gathered, gather in zip(pool.run([(task, None) for task in gathers]), gathers, strict=True):
        judged.add(Work(gather), _done(gathered).shard)


def _regather(
    judged: Judged,
    kept: Sequence[tuple[SliceTask, Outcome]],
    tangled: tuple[str, ...],
    bases: dict[tuple[int, int], int],
    pool: Runner,
) -> None:
    """Judge these vehicles from records that are kept."""
    sampled = {vehicle for _, outcome in kept for spill in outcome.spills for vehicle in spill.samples}
    sources = [
        Source(batch, bases[batch[0].file, batch[0].number])
        for task, outcome in kept
        for batch, vehicles in zip(task.batches, vehicles_by_batch(outcome), strict=True)
        if not vehicles.isdisjoint(tangled)
    ]
    sources.sort(key=lambda source: (source.batch[0].file, source.batch[0].number))
    counts = pool.run([(HoursTask((source,)), None) for source in sources])
    hours = [spill.rows for outcome in counts for spill in _done(outcome).spills]
    tasks = list(regathers(sources, hours, tangled, sampled, PART_RECORDS))
    for regather, found in zip(tasks, pool.run([(task, None) for task in tasks]), strict=True):
        judged.add(Work(regather), _done(found).shard)


def _done(outcome: Outcome | WorkerError) -> Outcome:
    """Return an outcome; what cannot be done without ends the analysis."""
    if isinstance(outcome, WorkerError):
        raise outcome
    return outcome


def _gathers(spills: Sequence[tuple[Spill, int]], sampled: set[str], size: int) -> list[GatherTask]:
    """Return tasks for the records put aside: small vehicles share one, large ones are cut by the hour.

    A vehicle with samples stays in one piece: they belong to fixes of other streams.
    """
    rows = pl.concat([s.rows.with_columns(spill=pl.lit(n, dtype=pl.Int64)) for n, (s, _) in enumerate(spills)])
    totals = rows.group_by("vehicle_id").agg(pl.col("count").sum().alias("total")).sort("vehicle_id")
    large = pl.col("vehicle_id").is_in(
        totals.filter((pl.col("total") > size) & ~pl.col("vehicle_id").is_in(list(sampled)))["vehicle_id"].implode()
    )
    shared = totals.filter(~large).with_columns(group=(pl.col("total").cum_sum() - 1) // size)
    whole = rows.join(shared.select("vehicle_id", "group"), on="vehicle_id").sort(
        "group", "vehicle_id", "spill", "start"
    )
    tasks = [GatherTask(_rows(group, spills), alone=True) for group in whole.partition_by("group", maintain_order=True)]
    for vehicle in rows.filter(large).partition_by("vehicle_id", maintain_order=True):
        hours = vehicle.group_by("hour").agg(pl.col("count").sum()).sort("hour")
        cut = hours.select("hour", group=(pl.col("count").cum_sum() - 1) // size)
        parts = vehicle.join(cut, on="hour").sort("group", "spill", "start").partition_by("group", maintain_order=True)
        tasks += [GatherTask(_rows(part, spills), alone=len(parts) == 1) for part in parts]
    return tasks


def _rows(group: pl.DataFrame, spills: Sequence[tuple[Spill, int]]) -> tuple[Rows, ...]:
    """Return the rows of spilled files of one task, those that follow each other as one."""
    rows: list[Rows] = []
    for spill, start, count in group.select("spill", "start", "count").iter_rows():
        path, base = spills[spill][0].path, spills[spill][1]
        if rows and rows[-1].path == path and rows[-1].start + rows[-1].count == start:
            rows[-1] = replace(rows[-1], count=rows[-1].count + count)
        else:
            rows.append(Rows(path, start, count, base))
    return tuple(rows)


def _close_seams(judged: Judged, pool: Runner) -> None:
    """Judge what slices left at the ends of lanes."""
    lanes, left = together(judged.shards, "lanes"), together(judged.shards, "left")
    if left.is_empty():
        return
    divided = (by_day if pool.keeps else in_shards)(*seams_of(lanes, left), PART_RECORDS)
    tasks = [SeamTask(records, seams) for records, seams in divided]
    for outcome, task in zip(pool.run([(task, None) for task in tasks]), tasks, strict=True):
        judged.add(Work(task), _done(outcome).shard)


def _tell_legs(judged: Judged, pool: Runner) -> None:
    """Do shards again whose legs did not see what their trips say."""
    for _ in range(ROUNDS):
        legs = together(judged.shards, "legs")
        if legs.is_empty():
            return
        hints = hints_for(with_trip_numbers(legs))
        if not hints:
            return
        jobs: list[Job] = [(judged.works[number].task, told) for number, told in hints.items()]
        for number, outcome in zip(hints, pool.run(jobs), strict=True):
            judged.shards[number] = judged.works[number].finished(_done(outcome).shard)
