"""One shard, judged: a pure function of its records, the zone set and the checks.

A shard is a slice of a log, or seams between slices (`ownership`). How records are spread
over shards changes nothing in the tables that `reduction` puts together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from statistics import NormalDist

import numpy as np
import polars as pl

from analyzer.epochs import epochs_between
from analyzer.events import phases_of
from analyzer.evidence import BorderBook, Scene
from analyzer.exposure import exposure_parts
from analyzer.fixes import Fixes, FixesMade, make_fixes
from analyzer.judgement import Precedents, judge, profiles_of
from analyzer.legs import holes_of, legs_of
from analyzer.membership import ZoneIndex
from analyzer.rulebook import Rulebook
from analyzer.sentence import Check
from analyzer.stated import Hints
from analyzer.stretches import stretches_of
from analyzer.track import make_track
from analyzer.tracks import lines_of
from analyzer.zones import ZoneSet


@dataclass(frozen=True)
class World:
    """What every shard is judged by: prepared once, the same for all."""

    zone_set: ZoneSet
    rulebook: Rulebook
    index: ZoneIndex
    checks: Mapping[str, Check]
    borders: BorderBook
    precedents: Precedents
    z: float

    @staticmethod
    def of(zone_set: ZoneSet, checks: Mapping[str, Check]) -> "World":
        """Prepare a zone set."""
        index = ZoneIndex(tuple(zone.geometry for zone in zone_set.zones))
        z = NormalDist().inv_cdf(zone_set.rules.evaluation.confidence)
        book = Rulebook(zone_set)
        borders = BorderBook(index.geometries, index.edges, book.accuracy_m, z)
        return World(zone_set, book, index, checks, borders, Precedents(), z)


@dataclass(frozen=True)
class Shard:
    """The rows of one shard, before `reduction`; a frame without rows may lack its columns.

    `legs`, `holes`, `stretches`, `phases` and `lines` have `trip`, that of the shard.
    `exposure` are partial sums. `rejects`, `counts` (fixes, interpolated) and `others` are by
    vehicle_id and file (index). `lanes` and `left` say what is left to seams.
    """

    legs: pl.DataFrame = field(default_factory=pl.DataFrame)
    holes: pl.DataFrame = field(default_factory=pl.DataFrame)
    stretches: pl.DataFrame = field(default_factory=pl.DataFrame)
    phases: pl.DataFrame = field(default_factory=pl.DataFrame)
    exposure: pl.DataFrame = field(default_factory=pl.DataFrame)
    lines: pl.DataFrame = field(default_factory=pl.DataFrame)
    rejects: pl.DataFrame = field(default_factory=pl.DataFrame)
    counts: pl.DataFrame = field(default_factory=pl.DataFrame)
    others: pl.DataFrame = field(default_factory=pl.DataFrame)
    lanes: pl.DataFrame = field(default_factory=pl.DataFrame)
    left: pl.DataFrame = field(default_factory=pl.DataFrame)

    def map(self, change: Mapping[str, pl.DataFrame]) -> "Shard":
        """Return the shard with some frames changed."""
        return Shard(**{f.name: change.get(f.name, getattr(self, f.name)) for f in fields(self)})


def analyze_shard(  # noqa: PLR0913 - as make_fixes
    records: pl.DataFrame,
    world: World,
    seams: pl.DataFrame | None = None,
    *,
    alone: bool = True,
    hints: Hints | None = None,
    draw: bool = True,
) -> Shard:
    """Return the rows of one shard; the arguments are those of `fixes.make_fixes`.

    `draw` false leaves out the lines.
    """
    if records.is_empty() or _samples_only(records):
        return Shard(others=_all_others(records))
    rules = world.zone_set.rules
    made = make_fixes(records, rules.evaluation, world.z, seams, alone=alone, hints=hints)
    fixes, legs = made.fixes, legs_of(made.fixes)
    if legs.is_empty():
        return _told(Shard(), made)
    epochs = epochs_between(world.zone_set, int(fixes.time_us.min()), int(fixes.time_us.max()))
    book = world.rulebook
    track = make_track(fixes, world.index, epochs, book.thresholds_kph, rules.evaluation.moving_kph)
    profiles = profiles_of(track, book)
    scene = Scene(track, book, profiles, world.borders)
    judgements = judge(track, book, profiles, world.checks, world.precedents)
    stretches = stretches_of(scene, judgements, world.checks)
    zone_ids = [zone.zone_id for zone in world.zone_set.zones]
    judged = Shard(
        legs=legs,
        holes=holes_of(fixes),
        stretches=stretches,
        phases=phases_of(track, zone_ids),
        exposure=exposure_parts(track, rules.timezone, zone_ids),
        lines=lines_of(scene, stretches) if draw else pl.DataFrame(),
        counts=_counts(fixes, legs),
    )
    return _told(judged, made)


def _samples_only(records: pl.DataFrame) -> bool:
    """Return whether no record has a position of its own."""
    return "is_sample" in records.columns and bool(records["is_sample"].fill_null(value=False).all())


def _all_others(records: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, file, others) of records of which none is a fix."""
    if records.is_empty():
        return pl.DataFrame()
    counts = records.group_by("vehicle_id", "file").agg(pl.len().cast(pl.Int64).alias("others"))
    return counts.with_columns(pl.col("vehicle_id").cast(pl.String))


def _told(shard: Shard, made: FixesMade) -> Shard:
    """Return the shard with what became of the records that are no fixes of it."""
    own = made.ownership
    return shard.map({"rejects": made.rejects, "others": made.others, "lanes": own.lanes, "left": own.left})


def _counts(fixes: Fixes, legs: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, file, fixes, interpolated) of the fixes owned."""
    if fixes.interpolated is None and fixes.file.min() == fixes.file.max():
        counted = legs.group_by("vehicle_id", maintain_order=True).agg(pl.col("fixes").sum())
        file, none = pl.lit(fixes.file[0], dtype=pl.Int32), pl.lit(0, dtype=pl.Int64)
        return counted.select("vehicle_id", file.alias("file"), "fixes", none.alias("interpolated"))
    own = fixes.trips[legs["trip"].to_numpy()]
    at = np.concatenate([np.arange(a, b + 1) for a, b in own.select("own_first", "own_last").iter_rows()])
    interpolated = np.zeros(len(at), dtype=np.int64) if fixes.interpolated is None else fixes.interpolated[at]
    frame = pl.DataFrame(
        {
            "vehicle_id": fixes.trips["vehicle_id"].gather(fixes.trip[at]),
            "file": fixes.file[at],
            "interpolated": interpolated.astype(np.int64),
        }
    )
    counted = frame.group_by("vehicle_id", "file", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("fixes"), pl.col("interpolated").sum()
    )
    return counted.select("vehicle_id", pl.col("file").cast(pl.Int32), "fixes", "interpolated")
