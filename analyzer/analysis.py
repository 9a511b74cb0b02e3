"""The whole flow: logs and a zone set in, an Analysis out.

Logs are divided into parts; parts are judged as slices, by several processes at once; what
lies at the ends of slices is judged as seams; then everything is put together. Memory holds
a few parts and what was found in the others, however long the logs are.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from analyzer.accounting import accounts_of, all_notices, rejects_table
from analyzer.checks import checks
from analyzer.errors import LogError
from analyzer.judging import judge_all, slice_tasks
from analyzer.logs import Plan, ReadOptions, is_empty_recording, plan_log, sha256_of
from analyzer.pool import Pool, pool_of
from analyzer.reduction import reduce
from analyzer.results import Analysis, LogAccount
from analyzer.shard import World
from analyzer.summary import summarise
from analyzer.tasks import Common
from analyzer.zones import ZoneSet

WORTH_SHARING = 3_000_000
"""Records from which on other processes are worth their start."""


@dataclass(frozen=True)
class Options:
    """How to read and what part to judge; `start` and `end` are aware instants, `[start, end)`.

    `base` is a folder that paths are shown relative to. `progress` is called with steps
    done, steps in all, and what is being done. `draw` false leaves out the tracks. With a
    `pool` other processes judge as well, where there is enough to do.
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
    pool: Pool | None = None


def analyze(logs: Sequence[str | Path], zone_set: ZoneSet, options: Options | None = None) -> Analysis:
    """Return the verdicts on all trips of the logs.

    Raises LogError where not one log can be analyzed; a log among others that cannot be
    is named with its reason in the accounting.
    """
    options = options or Options()
    paths = sorted({str(log) for log in logs})
    plans, failed = _plans(paths, options)
    if not plans:
        raise LogError("\n".join(failed.values()) or "no log was given: name a file, a folder or a pattern")
    with ExitStack() as stack:
        pool = options.pool or stack.enter_context(pool_of(1))
        if sum(part.records for plan in plans for part in plan.parts) >= WORTH_SHARING:
            pool.start()
        hasher = stack.enter_context(ThreadPoolExecutor(1))
        hashes = hasher.map(sha256_of, [plan.path for plan in plans], [plan.files for plan in plans])
        return _analyzed(plans, failed, zone_set, options, pool, hashes)


def _plans(paths: list[str], options: Options) -> tuple[list[Plan], dict[str, str]]:
    """Return how each log is divided, in order of path, and the reasons of those that cannot be read."""
    plans, failed = [], {}
    for path in paths:
        try:
            plans.append(plan_log(path, _reading(options)))
        except LogError as error:
            failed[path] = str(error)
    return plans, failed


def _reading(options: Options) -> ReadOptions:
    """Return how to read."""
    return ReadOptions(timezone=options.timezone, profile=options.profile, msgs=options.msgs)


def _analyzed(  # noqa: PLR0913 - everything comes together here
    plans: list[Plan],
    failed: dict[str, str],
    zone_set: ZoneSet,
    options: Options,
    pool: Pool,
    hashes: Iterable[str | None],
) -> Analysis:
    """Return the analysis of planned logs."""
    files = [_shown(plan.path, options) for plan in plans]
    tasks = slice_tasks(plans)
    world = World.of(zone_set, checks())
    pool.share(_common(world, options, pool, alone=len(tasks) == 1 and len(tasks[0].batches) == 1))
    judged = judge_all(tasks, pool, _telling(options))
    if len(judged.errors) == len(plans):
        raise LogError("\n".join([*judged.errors.values(), *failed.values()]))
    if not any(shard.legs.height for shard in judged.shards):
        empty = all(is_empty_recording(reading.remarks) for reading in judged.readings)
        raise LogError(_nothing_left(files, empty=empty))
    reduced = reduce(judged.shards, world, files)
    in_part = bool(options.start or options.end or options.vehicles)
    notices = all_notices(judged, plans, files, reduced.trips, zone_set, in_part=in_part)
    accounts = accounts_of(judged, plans, files, list(hashes)) + [
        LogAccount(_shown(path, options), None, None, 0, 0, 0, 0, error=reason) for path, reason in failed.items()
    ]
    ordered = tuple(sorted(accounts, key=lambda account: account.path))
    rejects = rejects_table(judged, files)
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
    )


def _common(world: World, options: Options, pool: Pool, *, alone: bool) -> Common:
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
    )


def _telling(options: Options) -> Callable[[int, int], None]:
    """Return what tells the caller how far the analysis is."""
    tell = options.progress
    return (lambda done, total: tell(done, total, "judging")) if tell else (lambda _done, _total: None)


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
