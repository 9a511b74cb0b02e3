"""The whole flow: logs and a zone set in, an Analysis out."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import polars as pl

from analyzer.checks import checks
from analyzer.coverage import coverage_table
from analyzer.errors import LogError
from analyzer.exposure import exposure_table
from analyzer.finding_table import complete_findings
from analyzer.logs import Log, ReadOptions, read_log
from analyzer.messages import add_messages
from analyzer.reduction import unlogged_movements
from analyzer.results import Analysis, LogAccount
from analyzer.shard import Shard, World, analyze_shard
from analyzer.summary import summarise
from analyzer.tables import EVENTS, FINDINGS, RECORDS, REJECTS, TRACKS, conform, empty
from analyzer.terms import Notice
from analyzer.zones import ZoneSet

SHARD_RECORDS = 1_000_000
"""Vehicles are put into one shard up to about this many records."""


@dataclass(frozen=True)
class Options:
    """How to read and what part to judge; `start` and `end` are aware instants, `[start, end)`.

    `base` is a folder that paths are shown relative to. `progress` is called with steps
    done, steps in all, and what is being done. `draw` false leaves out the tracks.
    """

    timezone: str | None = None
    profile: Path | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    vehicles: tuple[str, ...] = ()
    base: Path | None = None
    progress: Callable[[int, int, str], None] | None = None
    draw: bool = True


def analyze(logs: Sequence[str | Path], zone_set: ZoneSet, options: Options | None = None) -> Analysis:
    """Return the verdicts on all trips of the logs.

    Raises LogError where not one log can be analyzed; a log among others that cannot be
    is named with its reason in the accounting.
    """
    options = options or Options()
    read, failed = _read_all(sorted({str(log) for log in logs}), options)
    if not read:
        raise LogError(_no_log(failed))
    world = World.of(zone_set, checks())
    files = [_shown(log.path, options) for log in read]
    records, left_out = _records(read, options)
    shards, unfixed = _judged(records, world, files, options)
    if not shards:
        raise LogError(_nothing_left(files))
    notices = _notices(read, shards, zone_set, options)
    accounts = _accounts(read, failed, shards, pl.concat([left_out, unfixed]), options)
    return _reduce(shards, world, files, read, notices, accounts)


def _read_all(paths: list[str], options: Options) -> tuple[list[Log], dict[str, str]]:
    """Return the logs that can be read, sorted by path, and the reasons of the others."""
    reading = ReadOptions(timezone=options.timezone, profile=options.profile)
    read, failed = [], {}
    for number, path in enumerate(paths):
        _report(options, number, len(paths), path)
        try:
            read.append(read_log(path, reading))
        except LogError as error:
            failed[path] = str(error)
    return read, failed


def _report(options: Options, done: int, total: int, what: str) -> None:
    """Tell the caller how far the analysis is."""
    if options.progress:
        options.progress(done, total, what)


def _shown(path: str, options: Options) -> str:
    """Return a path as the tables show it."""
    if options.base is None:
        return path
    return Path(path).resolve().relative_to(options.base.resolve()).as_posix()


def _no_log(failed: dict[str, str]) -> str:
    """Return why nothing could be read."""
    return "\n".join(failed.values()) or "no log was given: name a file, a folder or a pattern"


def _nothing_left(files: list[str]) -> str:
    """Return what to say where no record is a fix."""
    names = ", ".join(files[:3]) + (", …" if len(files) > 3 else "")  # noqa: PLR2004
    return (
        f"{names}: no record became a fix (none is readable, or --from, --to and --vehicle leave "
        "none); look at the columns, the times and the positions of the log"
    )


def _records(read: list[Log], options: Options) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all records to judge with the index of their file, and (file, left_out) counts."""
    frames = [_typed(log.records, number) for number, log in enumerate(read)]
    everything = pl.concat(frames, how="diagonal")
    kept = everything.filter(*_part(options)) if _part(options) else everything
    counts = [f.height for f in frames]
    by_file = kept.group_by("file").agg(pl.len().alias("kept")) if kept.height < sum(counts) else None
    if by_file is None:
        return kept, pl.DataFrame(schema={"file": pl.Int32, "others": pl.Int64})
    all_files = pl.DataFrame({"file": range(len(read)), "all": counts}, schema={"file": pl.Int32, "all": pl.Int64})
    joined = all_files.join(by_file, on="file", how="left")
    return kept, joined.select("file", others=pl.col("all") - pl.col("kept").fill_null(0).cast(pl.Int64))


def _typed(records: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return the records of one log in the types of RECORDS, with the index of their file."""
    types = {c.name: c.dtype for c in RECORDS.columns if c.name in records.columns}
    return records.select(pl.col(n).cast(t) for n, t in types.items()).with_columns(file=pl.lit(number, dtype=pl.Int32))


def _part(options: Options) -> list[pl.Expr]:
    """Return the conditions on records of the part to judge."""
    conditions = []
    if options.start is not None:
        conditions.append(pl.col("time") >= options.start)
    if options.end is not None:
        conditions.append(pl.col("time") < options.end)
    if options.vehicles:
        conditions.append(pl.col("vehicle_id").is_in(list(options.vehicles)))
    return conditions


def _judged(
    records: pl.DataFrame, world: World, files: list[str], options: Options
) -> tuple[list[Shard], pl.DataFrame]:
    """Return the shards, whole vehicles each, and (file, others) of vehicles without any fix."""
    groups = _groups(records)
    shards = []
    unfixed = [pl.DataFrame(schema={"file": pl.Int32, "others": pl.Int64})]
    for number, group in enumerate(groups):
        _report(options, number, len(groups), "judging")
        shard = analyze_shard(group, world, files, draw=options.draw)
        if shard is None:
            unfixed.append(group.group_by("file").agg(pl.len().cast(pl.Int64).alias("others")))
        else:
            shards.append(shard)
    return shards, pl.concat(unfixed)


def _groups(records: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the records in groups of whole vehicles of about SHARD_RECORDS."""
    if records.height <= SHARD_RECORDS:
        return [records]
    groups: list[list[pl.DataFrame]] = [[]]
    for vehicle in _vehicles(records):
        if sum(f.height for f in groups[-1]) + vehicle.height > SHARD_RECORDS and groups[-1]:
            groups.append([])
        groups[-1].append(vehicle)
    return [pl.concat(frames) for frames in groups]


def _vehicles(records: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the records of each vehicle; slices where each vehicle stands in one piece."""
    runs = records["vehicle_id"].rle_id()
    count = int(runs[-1]) + 1
    if records["vehicle_id"].n_unique() != count:
        return records.partition_by("vehicle_id", maintain_order=True)
    starts = runs.search_sorted(pl.Series(range(count + 1), dtype=runs.dtype), "left").to_list()
    return [records[low:high] for low, high in pairwise(starts)]


def _notices(read: list[Log], shards: list[Shard], zone_set: ZoneSet, options: Options) -> tuple[Notice, ...]:
    """Return what every output must repeat: of the zone set, the logs and this run."""
    found = list(zone_set.notices)
    found += [replace(n, subject=_shown_subject(n, log, options)) for log in read for n in log.notices]
    silent = pl.concat([shard.unstated for shard in shards]).group_by("vehicle_id").agg(pl.col("trips").sum())
    mode = zone_set.rules.evaluation.assumed_control_mode
    for vehicle, trips in silent.sort("vehicle_id").iter_rows():
        found.append(
            Notice(
                "assumed-mode",
                vehicle,
                f"차량 {vehicle}: 운행 {trips}건의 기록에 제어 모드가 전혀 없어 '{mode}' 모드로 가정했습니다.",
                f"Vehicle {vehicle}: the logs of {trips} trip(s) never say a control mode; '{mode}' is assumed.",
            )
        )
    for vehicle, stated, listed in (
        pl.concat([shard.conflicts for shard in shards]).unique().sort("vehicle_id").iter_rows()
    ):
        found.append(
            Notice(
                "type-conflict",
                vehicle,
                f"차량 {vehicle}: 기록의 차종({stated})이 차량 목록의 차종({listed})과 다릅니다. 기록을 따랐습니다.",
                f"Vehicle {vehicle}: the log states the type {stated}, the fleet file {listed}; the log was followed.",
            )
        )
    if _part(options):
        found.append(
            Notice(
                "part-judged",
                "",
                "--from, --to 또는 --vehicle 옵션으로 기록의 일부만 판정했습니다.",
                "Only a part of the records was judged (--from, --to or --vehicle).",
            )
        )
    return tuple(dict.fromkeys(found))


def _shown_subject(notice: Notice, log: Log, options: Options) -> str:
    """Return the subject of a notice, a path as the tables show it."""
    return _shown(log.path, options) if notice.subject == log.path else notice.subject


def _accounts(
    read: list[Log],
    failed: dict[str, str],
    shards: list[Shard],
    left_out: pl.DataFrame,
    options: Options,
) -> tuple[LogAccount, ...]:
    """Return what became of the records of each file, sorted by path."""
    fixes = _by_file([shard.fixes for shard in shards], "fixes")
    between = _by_file([shard.fixes for shard in shards], "interpolated")
    others = _by_file([*(shard.others for shard in shards), left_out], "others")
    lost = pl.concat([shard.rejects.select("file") for shard in shards])
    rejects = dict(lost.group_by("file").len().iter_rows())
    accounts = [
        LogAccount(
            path=_shown(log.path, options),
            format=log.format,
            sha256=log.sha256,
            records=log.record_count,
            fixes=fixes.get(number, 0),
            rejects=rejects.get(number, 0) + log.rejects.height,
            other_records=others.get(number, 0) + log.other_records,
            interpolated=between.get(number, 0),
        )
        for number, log in enumerate(read)
    ]
    accounts += [
        LogAccount(_shown(path, options), None, None, 0, 0, 0, 0, error=reason) for path, reason in failed.items()
    ]
    return tuple(sorted(accounts, key=lambda account: account.path))


def _by_file(frames: list[pl.DataFrame], name: str) -> dict[int, int]:
    """Return the counts of several frames added up by file."""
    typed = [f.select(pl.col("file").cast(pl.Int32), pl.col(name).cast(pl.Int64)) for f in frames]
    return dict(pl.concat(typed).group_by("file").agg(pl.col(name).sum()).iter_rows())


def _reduce(  # noqa: PLR0913 - everything comes together here
    shards: list[Shard],
    world: World,
    files: list[str],
    read: list[Log],
    notices: tuple[Notice, ...],
    accounts: tuple[LogAccount, ...],
) -> Analysis:
    """Return the analysis: the shards' tables as one, and what crosses their ends."""
    zone_set, evaluation = world.zone_set, world.zone_set.rules.evaluation
    ends = pl.concat([shard.ends for shard in shards])
    moved = unlogged_movements(ends, evaluation, world.z, files)
    kept = [shard.findings for shard in shards]
    if "unlogged-movement" in world.checks:
        kept.append(moved)
    findings = conform(add_messages(complete_findings(kept), zone_set), FINDINGS)
    suppressed = pl.concat([shard.suppressed for shard in shards], how="diagonal_relaxed")
    lines = pl.concat([shard.lines for shard in shards])
    coverage = coverage_table(lines, findings, suppressed, evaluation)
    exposure = exposure_table(pl.concat([shard.exposure for shard in shards]))
    events = conform(pl.concat([shard.events for shard in shards] or [empty(EVENTS)]), EVENTS)
    tracks = conform(pl.concat([shard.tracks for shard in shards] or [empty(TRACKS)]), TRACKS)
    rejects = _rejects(read, shards, files)
    summary = summarise(findings, coverage, exposure, events, rejects, accounts, notices, zone_set)
    return Analysis(findings, coverage, exposure, events, rejects, tracks, notices, accounts, zone_set, summary)


def _rejects(read: list[Log], shards: list[Shard], files: list[str]) -> pl.DataFrame:
    """Return the table of rejects: of the readers, and of the making of fixes."""
    names = pl.Series(files, dtype=pl.String)
    made = [shard.rejects.with_columns(file=names.gather(shard.rejects["file"].cast(pl.UInt32))) for shard in shards]
    at_reading = [
        log.rejects.select(pl.lit(files[number]).alias("file"), "record", "reason", "text")
        for number, log in enumerate(read)
    ]
    typed = [conform(frame, REJECTS) for frame in (*at_reading, *made)]
    return conform(pl.concat(typed), REJECTS)
