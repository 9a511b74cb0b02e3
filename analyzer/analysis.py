"""The whole flow: logs and a zone set in, an Analysis out.

Logs are divided into parts; parts are judged as slices, by several processes at once; what
lies at the ends of slices is judged as seams; then everything is put together. Memory holds
a few parts and what was found in the others, however long the logs are.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import polars as pl

from analyzer.accounting import accounts_of, all_notices, join_account, join_notices, rejects_table
from analyzer.checks import checks
from analyzer.engines import Engine, engine_of
from analyzer.errors import LogError
from analyzer.joins import Join
from analyzer.judging import Judged, judge_all, slice_tasks
from analyzer.logs import (
    Plan,
    ReadOptions,
    Remark,
    is_empty_recording,
    is_url,
    notices_of,
    plan_log,
    read_states,
    sha256_of,
)
from analyzer.planning import Plans, plans_of
from analyzer.records import record
from analyzer.reduction import reduce
from analyzer.results import Analysis, LogAccount
from analyzer.shard import World
from analyzer.summary import summarise
from analyzer.tasks import Common
from analyzer.zones import ZoneSet

if TYPE_CHECKING:  # imported where there is one
    from analyzer.ledger import Ledger

WORTH_SHARING = 3_000_000
"""Records from which on other processes are worth their start."""

LATE_BYTES = 1 << 28
"""The last bytes to be hashed: that waits until there are fewer slices left than processors."""


@record(frozen=True, eq=False)
class Options:
    """How to read and what part to judge; `start` and `end` are aware instants, `[start, end)`.

    `base` is a folder that paths are shown relative to. `progress` is called with steps
    done, steps in all, and what is being done. `draw` false leaves out the tracks. With a
    `pool` other processes judge as well, where there is enough to do. `join` is a file that
    says modes and operators, no older than `join_tolerance_s` (null: the rules' `max_mode_age_s`).
    With a `ledger` only what is not in it is read and judged.
    `remarks` are on what was found beside the logs. `planned` waits for the plans of the logs, where
    somebody makes them already.
    """

    timezone: str | None = None
    profile: Path | None = None
    msgs: Path | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    vehicles: tuple[str, ...] = ()
    base: Path | None = None
    progress: Callable[[int, int, str], None] | None = None
    draw: bool = True
    pool: Engine | None = None
    join: Path | None = None
    join_tolerance_s: float | None = None
    ledger: "Ledger | None" = None
    remarks: tuple[Remark, ...] = ()
    planned: Callable[[], Plans] | None = None


def analyze(logs: Sequence[str | Path], zone_set: ZoneSet, options: Options | None = None) -> Analysis:
    """Return the verdicts on all trips of the logs.

    Raises LogError where not one log can be analyzed; a log among others that cannot be
    is named with its reason in the accounting.
    """
    options = options or Options()
    paths = sorted({str(log) for log in logs})
    world = World.of(zone_set, checks())  # beside the planning
    import numpy.ma  # noqa: F401, PLC0415 - polars asks for it at its first array; while plans are awaited there is time

    plans, failed = _plans(paths, options)
    if not plans:
        raise LogError("\n".join(failed.values()) or "no log was given: name a file, a folder or a pattern")
    with ExitStack() as stack:
        pool = options.pool or stack.enter_context(engine_of("serial"))
        if options.ledger is None and sum(p.records for plan in plans for p in plan.parts) >= WORTH_SHARING:
            pool.start()
        hasher = stack.enter_context(ThreadPoolExecutor(1))
        pool.spare.clear()
        stack.callback(pool.spare.set)
        hashes = hasher.submit(_all_hashes, plans, options.ledger, pool.spare)
        return _analyzed(plans, failed, world, options, pool, hashes)


def _all_hashes(plans: Sequence[Plan], ledger: "Ledger | None", spare: Event) -> list[str | None]:
    """Return the SHA-256 of each log."""
    return ledger.hashes(plans) if ledger else list(_hashes(plans, spare))


def _hashes(plans: Sequence[Plan], spare: Event) -> Iterator[str | None]:
    """Yield the SHA-256 of each log, null of a URL; those of the last bytes once a processor is free."""
    sizes = [sum(Path(file).stat().st_size for file in (plan.path, *plan.files) if not is_url(file)) for plan in plans]
    left = sum(sizes)
    for plan, size in zip(plans, sizes, strict=True):
        if left <= LATE_BYTES:
            spare.wait()
        yield sha256_of(plan.path, plan.files)
        left -= size


def _plans(paths: list[str], options: Options) -> Plans:
    """Return how each log is divided, in order of path, and the reasons of those that cannot be read."""
    reading = _reading(options)
    if options.ledger is not None:
        options.ledger.remarks = options.remarks
        return options.ledger.plans(paths, reading, lambda path: plan_log(path, reading))
    if options.planned is not None:
        return options.planned()
    return plans_of(paths, lambda path: plan_log(path, reading))


def _reading(options: Options) -> ReadOptions:
    """Return how to read."""
    return ReadOptions(timezone=options.timezone, profile=options.profile, msgs=options.msgs)


def _analyzed(  # noqa: PLR0913 - everything comes together here
    plans: list[Plan],
    failed: dict[str, str],
    world: World,
    options: Options,
    pool: Engine,
    hashes: Future[list[str | None]],
) -> Analysis:
    """Return the analysis of planned logs."""
    files = [_shown(plan.path, options) for plan in plans]
    zone_set = world.zone_set
    join = _join(zone_set, options)
    judged = _judged(plans, world, options, pool, join)
    pool.stop()
    if len(judged.errors) == len(plans):
        raise LogError("\n".join([*judged.errors.values(), *failed.values()]))
    if not any(shard.legs.height for shard in judged.shards):
        empty = all(is_empty_recording(reading.remarks) for reading in judged.readings)
        raise LogError(_nothing_left(files, empty=empty))
    reduced = reduce(judged.shards, world, files)
    in_part = bool(options.start or options.end or options.vehicles)
    notices = all_notices(judged, plans, files, reduced.trips, zone_set, in_part=in_part)
    notices += notices_of(options.remarks)
    joined: dict[str, Join] = {} if join is None else {_shown(join.states.path, options): join}
    notices += tuple(notice for path, states in joined.items() for notice in join_notices(judged, states, path))
    accounts = accounts_of(judged, plans, files, hashes.result()) + [
        LogAccount(_shown(path, options), None, None, 0, 0, 0, 0, error=reason) for path, reason in failed.items()
    ]
    ordered = tuple(
        sorted([*accounts, *(join_account(j, path) for path, j in joined.items())], key=lambda account: account.path)
    )
    rejects = rejects_table(judged, files, [(path, j.states.rejects) for path, j in joined.items()])
    summary = summarise(
        reduced.findings, reduced.coverage, reduced.exposure, reduced.events, rejects, ordered, notices, zone_set
    )
    return Analysis(
        reduced.findings,
        reduced.coverage,
        reduced.exposure,
        reduced.events,
        rejects,
        reduced.tracks,
        notices,
        ordered,
        zone_set,
        summary,
        reduced.speeds,
        reduced.visits,
        _types(reduced.trips),
    )


def _judged(plans: list[Plan], world: World, options: Options, pool: Engine, join: Join | None) -> Judged:
    """Return what is judged of planned logs: now, or, with a ledger, in runs before this one."""
    tell, ledger = _telling(options, pool.spare), options.ledger
    if ledger is None:
        tasks = slice_tasks(plans, shared=pool.shares)
        pool.share(_common(world, options, pool, join, alone=len(tasks) == 1 and len(tasks[0].batches) == 1))
        return judge_all(tasks, pool, tell)
    common = replace(_common(world, options, pool, join, alone=False), shelf=ledger.shelf(plans))
    pool.share(common)
    runner, tasks = ledger.runner(pool, common), ledger.tasks(plans)
    judged = judge_all(tasks, runner, tell)
    given_up = [files for task in tasks if len(files := task.files) > 1 and files <= judged.errors.keys()]
    if given_up:  # one log may have ended the process that judged all of a group
        judged = judge_all(ledger.tasks(plans, alone=set().union(*given_up)), runner, tell)
    return judged


def _join(zone_set: ZoneSet, options: Options) -> Join | None:
    """Return the states of the file to join."""
    if options.join is None:
        return None
    tolerance_s = options.join_tolerance_s
    if tolerance_s is None:
        tolerance_s = zone_set.rules.evaluation.max_mode_age_s
    read = read_states if options.ledger is None else options.ledger.states
    return Join.of(read(options.join, _reading(options)), tolerance_s)


def _types(trips: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the types that the logs state of each vehicle, "" among them where some trip states none."""
    stated = trips.group_by("vehicle_id").agg(
        pl.col("types").list.explode(keep_nulls=False, empty_as_null=False).unique().sort()
    )
    return {vehicle: tuple(types) for vehicle, types in stated.sort("vehicle_id").iter_rows()}


def _common(world: World, options: Options, pool: Engine, join: Join | None, *, alone: bool) -> Common:
    """Return what all tasks share."""
    return Common(
        world=world,
        reading=_reading(options),
        start=options.start,
        end=options.end,
        vehicles=options.vehicles,
        draw=options.draw,
        alone=alone,
        spill=pool.folder,
        join=join,
    )


def _telling(options: Options, spare: Event) -> Callable[[int, int], None]:
    """Return what tells the caller how far the analysis is, and sets `spare` when all slices are judged."""

    def tell(done: int, total: int) -> None:
        if options.progress:
            options.progress(done, total, "judging")
        if done == total:
            spare.set()

    return tell


def _shown(path: str, options: Options) -> str:
    """Return a path as the tables show it."""
    if options.base is None:
        return path
    return Path(path).resolve().relative_to(options.base.resolve()).as_posix()


def _nothing_left(files: list[str], *, empty: bool) -> str:
    """Return what to say where no record is a fix."""
    names = ", ".join(files[:3]) + (", …" if len(files) > 3 else "")  # noqa: PLR2004
    if empty:
        return f"{names}: an empty recording: the file is whole, but holds not one message; nothing was recorded"
    return (
        f"{names}: no record became a fix (none is readable, or --from, --to and --vehicle leave "
        "none); look at the columns, the times and the positions of the log"
    )
