"""One shard, judged: a pure function of its records, the zone set and the checks.

A shard holds all records of each vehicle in it; how vehicles are spread over shards
changes nothing in the tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import polars as pl

from analyzer.coverage import asked_lines
from analyzer.epochs import epochs_between
from analyzer.events import events_of
from analyzer.evidence import Scene
from analyzer.exposure import exposure_parts
from analyzer.finding_table import as_instant, log_gaps, table_of
from analyzer.findings import find
from analyzer.fixes import make_fixes
from analyzer.judgement import judge, profiles_of
from analyzer.membership import ZoneIndex
from analyzer.reduction import trip_ends
from analyzer.rulebook import Rulebook
from analyzer.sentence import Check
from analyzer.tables import TRACKS, empty
from analyzer.track import Track, make_track
from analyzer.tracks import tracks_of
from analyzer.zones import ZoneSet


@dataclass(frozen=True)
class World:
    """What every shard is judged by: prepared once, the same for all."""

    zone_set: ZoneSet
    rulebook: Rulebook
    index: ZoneIndex
    checks: Mapping[str, Check]
    z: float

    @staticmethod
    def of(zone_set: ZoneSet, checks: Mapping[str, Check]) -> "World":
        """Prepare a zone set."""
        index = ZoneIndex(tuple(zone.geometry for zone in zone_set.zones))
        z = NormalDist().inv_cdf(zone_set.rules.evaluation.confidence)
        return World(zone_set, Rulebook(zone_set), index, checks, z)


@dataclass(frozen=True)
class Shard:
    """The tables of one shard, before `reduction`; findings lack ids and messages.

    `fixes` and `others` count by file (index); `rejects` have the index of their file.
    """

    findings: pl.DataFrame
    suppressed: pl.DataFrame
    lines: pl.DataFrame
    exposure: pl.DataFrame
    events: pl.DataFrame
    ends: pl.DataFrame
    tracks: pl.DataFrame
    rejects: pl.DataFrame
    fixes: pl.DataFrame
    others: pl.DataFrame
    unstated: pl.DataFrame
    conflicts: pl.DataFrame


def analyze_shard(records: pl.DataFrame, world: World, files: Sequence[str], *, draw: bool = True) -> Shard | None:
    """Return the tables of one shard; null where none of its records is a fix.

    `records` are as for `fixes.make_fixes`; `files` are the paths that `file` indexes.
    """
    samples_only = "is_sample" in records.columns and records["is_sample"].fill_null(value=False).all()
    if records.is_empty() or samples_only:
        return None
    rules = world.zone_set.rules
    made = make_fixes(records, rules.evaluation, world.z)
    fixes = made.fixes
    epochs = epochs_between(world.zone_set, int(fixes.time_us.min()), int(fixes.time_us.max()))
    book = world.rulebook
    track = make_track(fixes, world.index, epochs, book.thresholds_kph, rules.evaluation.moving_kph)
    profiles = profiles_of(track, book)
    scene = Scene(track, book, profiles, world.z)
    findings, suppressed = find(scene, judge(track, book, profiles, world.checks), world.checks)
    zone_ids = [zone.zone_id for zone in world.zone_set.zones]
    gaps = log_gaps(scene, files) if "log-gap" in world.checks else pl.DataFrame()
    lines = asked_lines(track, book, profiles, world.checks)
    counted = pl.DataFrame({"file": fixes.file, "interpolated": fixes.interpolated}).group_by("file")
    counts = counted.agg(pl.len().alias("fixes"), pl.col("interpolated").sum())
    return Shard(
        findings=pl.concat([table_of(scene, findings, files), gaps], how="diagonal"),
        suppressed=table_of(scene, suppressed, files),
        lines=_named(lines, fixes.trips),
        exposure=exposure_parts(track, rules.timezone, zone_ids),
        events=events_of(track, zone_ids, list(files)),
        ends=trip_ends(fixes),
        tracks=tracks_of(scene, findings) if draw else empty(TRACKS),
        rejects=made.rejects,
        fixes=counts,
        others=made.others,
        unstated=_unstated(fixes.trips),
        conflicts=_conflicts(track, world.zone_set),
    )


def _named(lines: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with the names of their trips."""
    names = trips[lines["trip"].to_numpy()].select(
        "vehicle_id",
        "trip_id",
        trip_start=as_instant(pl.col("start_us")),
        trip_end=as_instant(pl.col("end_us")),
    )
    return pl.concat([names, lines.drop("trip")], how="horizontal")


def _conflicts(track: Track, zone_set: ZoneSet) -> pl.DataFrame:
    """Return (vehicle_id, stated, listed) where a log states another type than the fleet file."""
    fixes = track.fixes
    pairs = track.pieces.select("trip", "vehicle_type").unique()
    vehicles = fixes.trips["vehicle_id"].gather(pairs["trip"].cast(pl.UInt32)).to_list()
    stated = [fixes.vehicle_types[code] for code in pairs["vehicle_type"]]
    listed = [zone_set.fleet[v].vehicle_type if v in zone_set.fleet else "" for v in vehicles]
    rows = {(v, s, f) for v, s, f in zip(vehicles, stated, listed, strict=True) if s and f and s != f}
    schema = {"vehicle_id": pl.String, "stated": pl.String, "listed": pl.String}
    return pl.DataFrame(sorted(rows), schema=schema, orient="row")


def _unstated(trips: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, trips): trips whose log never says a control mode."""
    silent = trips.filter(~pl.col("mode_said"))
    return silent.group_by("vehicle_id", maintain_order=True).agg(pl.len().alias("trips"))
