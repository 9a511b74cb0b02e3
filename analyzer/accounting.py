"""What became of every record, and what every output must repeat."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from analyzer.data_notices import coarse_positions, data_notices
from analyzer.joins import Join, Joined
from analyzer.judging import Judged
from analyzer.language import both, several
from analyzer.logs import Plan, Remark, error_m, notices_of
from analyzer.reduction import together
from analyzer.results import LogAccount
from analyzer.tables import REJECTS, conform
from analyzer.terms import SECOND_US, Notice
from analyzer.wording import MODE_WORDS
from analyzer.zones import ZoneSet

_SHOWN_VEHICLES = 5


def accounts_of(
    judged: Judged, plans: Sequence[Plan], files: Sequence[str], hashes: Sequence[str | None]
) -> list[LogAccount]:
    """Return the accounting of every log that was planned; `files` are their paths as shown."""
    fixes, between = (_by_file(judged, "counts", name) for name in ("fixes", "interpolated"))
    others, rejects = _by_file(judged, "others", "others"), _by_file(judged, "rejects", None)
    accounts = []
    for file, plan in enumerate(plans):
        if file in judged.errors:
            accounts.append(LogAccount(files[file], None, None, 0, 0, 0, 0, error=judged.errors[file]))
            continue
        read = [r for r in judged.readings if r.file == file]
        accounts.append(
            LogAccount(
                path=files[file],
                format=plan.format,
                sha256=hashes[file],
                records=sum(r.records for r in read),
                fixes=fixes.get(file, 0),
                rejects=rejects.get(file, 0) + sum(r.rejects.height for r in read),
                other_records=others.get(file, 0) + sum(r.other_records + r.left_out for r in read),
                interpolated=between.get(file, 0),
            )
        )
    return accounts


def _by_file(judged: Judged, name: str, column: str | None) -> Mapping[int, int]:
    """Return sums of a column (or counts of rows) of a frame of all shards by file."""
    frame = together(judged.shards, name)
    if frame.is_empty():
        return {}
    value = pl.len() if column is None else pl.col(column).sum()
    return dict(frame.group_by("file").agg(value).iter_rows())


def join_account(join: Join, path: str) -> LogAccount:
    """Return the accounting of a joined file: its records are no positions."""
    states = join.states
    others = states.record_count - states.rejects.height
    return LogAccount(path, "join", states.sha256, states.record_count, 0, states.rejects.height, others)


def join_notices(judged: Judged, join: Join, path: str) -> tuple[Notice, ...]:
    """Return how many records took a mode or operator of the joined file, and how many did not."""
    total = Joined.total(r.joined for r in judged.readings if r.joined is not None and r.file not in judged.errors)
    tolerance_s, oldest_s = join.tolerance_us / SECOND_US, total.oldest_us / SECOND_US
    text = several(
        total.matched,
        "{path}: {n} record takes its mode or operator from this file (the oldest is {oldest} s old, {tolerance} s "
        "are allowed); {unmatched} found none.",
        "{path}: {n} records take their mode or operator from this file (the oldest is {oldest} s old, {tolerance} s "
        "are allowed); {unmatched} found none.",
        path=path,
        oldest=f"{oldest_s:g}",
        tolerance=f"{tolerance_s:g}",
        unmatched=f"{total.unmatched:,}",
    )
    said = Notice("joined", path, **text)
    remarks = (_shown(remark, {join.states.path: path}) for remark in join.states.remarks)
    return (said, *_strangers(judged, join, path), *notices_of(remarks))


def _strangers(judged: Judged, join: Join, path: str) -> tuple[Notice, ...]:
    """Return that a joined file and the logs call their vehicles by other names, none where they have one in common."""
    known = set(join.states.table["vehicle_id"].unique())
    ours = set() if judged.order.is_empty() else set(judged.order["vehicle_id"].unique())
    if not ours or ours & known:
        return ()
    text = both(
        "{path}: speaks of no vehicle of the logs, so that nothing was joined. It has: {theirs}; the logs have: {ours}."
        " Write the same names in both ([fixed] vehicle_id in a profile names the vehicle of a log).",
        path=path,
        theirs=", ".join(sorted(known)[:_SHOWN_VEHICLES]),
        ours=", ".join(sorted(ours)[:_SHOWN_VEHICLES]),
    )
    return (Notice("joined-no-vehicle", path, **text),)


def rejects_table(
    judged: Judged, files: Sequence[str], joined: Sequence[tuple[str, pl.DataFrame]] = ()
) -> pl.DataFrame:
    """Return the table of rejects: of the readers, of the making of fixes, and of `joined` files (path, rejects)."""
    own = _log_rejects(judged, files)
    others = [conform(rejects.with_columns(file=pl.lit(path)), REJECTS) for path, rejects in joined]
    return conform(pl.concat([own, *others]), REJECTS)


def _log_rejects(judged: Judged, files: Sequence[str]) -> pl.DataFrame:
    """Return the rejects of logs."""
    bases = {}
    before: dict[int, int] = {}
    for reading in sorted(judged.readings, key=lambda r: (r.file, r.part)):
        bases[reading.file, reading.part] = before.get(reading.file, 0)
        before[reading.file] = bases[reading.file, reading.part] + reading.records
    read = [
        r.rejects.with_columns(pl.col("record") + bases[r.file, r.part])
        for r in judged.readings
        if r.rejects.height and r.file not in judged.errors
    ]
    made = together(judged.shards, "rejects")
    names = pl.Series(files, dtype=pl.String)
    columns = ("file", "record", "reason", "text")
    frames = [frame.select(columns) for frame in (*read, made) if frame.height]
    if not frames:
        return conform(pl.DataFrame(schema={c.name: c.dtype for c in REJECTS.columns}), REJECTS)
    everything = pl.concat(frames, how="vertical_relaxed")
    return conform(everything.with_columns(file=names.gather(everything["file"].cast(pl.UInt32))), REJECTS)


def all_notices(  # noqa: PLR0913 - of everything, something
    judged: Judged,
    plans: Sequence[Plan],
    files: Sequence[str],
    trips: pl.DataFrame,
    zone_set: ZoneSet,
    *,
    in_part: bool,
) -> tuple[Notice, ...]:
    """Return what every output must repeat: of the zone set, the logs and this run."""
    shown = {plan.path: file for plan, file in zip(plans, files, strict=True)}
    remarks = (r for reading in judged.readings if reading.file not in judged.errors for r in reading.remarks)
    found = [*zone_set.notices, *notices_of(_shown(r, shown) for r in remarks)]
    found += data_notices(judged, files, trips, zone_set)
    grids = {r.file: r.grid for r in judged.readings if r.grid and r.file not in judged.errors}
    found += [coarse_positions(files[file], grid, error_m(grid)) for file, grid in sorted(grids.items())]
    found += _assumed_modes(trips, zone_set)
    found += _type_conflicts(trips, zone_set)
    if in_part:
        found.append(
            Notice("part-judged", "", **both("Only a part of the records was judged (--from, --to or --vehicle)."))
        )
    return tuple(dict.fromkeys(found))


def _shown(remark: Remark, shown: Mapping[str, str]) -> Remark:
    """Return a remark on a log under the path that the tables show."""
    return Remark(remark.code, shown.get(remark.subject, remark.subject), remark.count, remark.words)


def _assumed_modes(trips: pl.DataFrame, zone_set: ZoneSet) -> Iterable[Notice]:
    """Yield a notice for each vehicle with trips that never say a control mode."""
    mode = zone_set.rules.evaluation.assumed_control_mode
    silent = trips.filter(~pl.col("mode_said")).group_by("vehicle_id").len()
    for vehicle, count in silent.sort("vehicle_id").iter_rows():
        text = several(
            count,
            "Vehicle {vehicle}: the log of {n} trip never says a control mode; {mode} is assumed.",
            "Vehicle {vehicle}: the logs of {n} trips never say a control mode; {mode} is assumed.",
            vehicle=vehicle,
            mode=MODE_WORDS[mode],
        )
        yield Notice("assumed-mode", vehicle, **text)


def _type_conflicts(trips: pl.DataFrame, zone_set: ZoneSet) -> Iterable[Notice]:
    """Yield a notice for each vehicle and type that the fleet file states otherwise."""
    pairs = trips.select("vehicle_id", pl.col("types")).explode("types").unique().sort("vehicle_id", "types")
    for vehicle, stated in pairs.iter_rows():
        listed = zone_set.fleet[vehicle].vehicle_type if vehicle in zone_set.fleet else ""
        if stated and listed and stated != listed:
            text = both(
                "Vehicle {vehicle}: the log states the type {stated}, the fleet file {listed}; the log was followed.",
                vehicle=vehicle,
                stated=stated,
                listed=listed,
            )
            yield Notice("type-conflict", vehicle, **text)
