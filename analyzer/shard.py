"""One shard, judged: a pure function of its records, the zone set and the checks.

A shard is a slice of a log, or seams between slices (`ownership`). How records are spread
over shards changes nothing in the tables that `reduction` puts together.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, fields

import numpy as np
import polars as pl

from analyzer.digest import Digest, digest, united
from analyzer.epochs import epochs_between
from analyzer.events import phases_of
from analyzer.evidence import BorderBook, Scene
from analyzer.exposure import exposure_parts
from analyzer.fixes import Fixes, FixesMade, make_fixes
from analyzer.judgement import Precedents, judge, profiles_of
from analyzer.legs import holes_of, legs_of
from analyzer.membership import ZoneIndex
from analyzer.records import record
from analyzer.rulebook import Rulebook
from analyzer.sentence import Check
from analyzer.speeds import speed_parts
from analyzer.stated import Hints
from analyzer.stretches import stretches_of
from analyzer.tally import ratios_of
from analyzer.track import make_track
from analyzer.tracks import lines_of
from analyzer.visits import visit_parts
from analyzer.windows import local_midnights
from analyzer.zones import ZoneSet


@record(frozen=True, eq=False)
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
        from statistics import NormalDist  # noqa: PLC0415 - one process of all prepares a world

        index = ZoneIndex(tuple(zone.geometry for zone in zone_set.zones))
        z = NormalDist().inv_cdf(zone_set.rules.evaluation.confidence)
        book = Rulebook(zone_set)
        borders = BorderBook(index.geometries, index.edges, book.accuracy_m, z)
        return World(zone_set, book, index, checks, borders, Precedents(), z)


@record(frozen=True, eq=False)
class Shard:
    """The rows of one shard, before `reduction`; a frame without rows may lack its columns.

    `legs`, `holes`, `stretches`, `phases`, `lines` and `visits` have `trip`, that of the shard.
    `exposure` and `speeds` are partial sums. `rejects`, `counts` (fixes, interpolated), `others` and `ratios`
    (`tally`) are by vehicle_id and file (index), as is `order` (`ordering.order_met`), which only slices have.
    `lanes` (with `slice`) and `left` say what is left to seams.
    """

    legs: pl.DataFrame = field(default_factory=pl.DataFrame)
    holes: pl.DataFrame = field(default_factory=pl.DataFrame)
    stretches: pl.DataFrame = field(default_factory=pl.DataFrame)
    phases: pl.DataFrame = field(default_factory=pl.DataFrame)
    exposure: pl.DataFrame = field(default_factory=pl.DataFrame)
    lines: pl.DataFrame = field(default_factory=pl.DataFrame)
    speeds: pl.DataFrame = field(default_factory=pl.DataFrame)
    visits: pl.DataFrame = field(default_factory=pl.DataFrame)
    rejects: pl.DataFrame = field(default_factory=pl.DataFrame)
    counts: pl.DataFrame = field(default_factory=pl.DataFrame)
    others: pl.DataFrame = field(default_factory=pl.DataFrame)
    ratios: pl.DataFrame = field(default_factory=pl.DataFrame)
    order: pl.DataFrame = field(default_factory=pl.DataFrame)
    lanes: pl.DataFrame = field(default_factory=pl.DataFrame)
    left: pl.DataFrame = field(default_factory=pl.DataFrame)

    def map(self, change: Mapping[str, pl.DataFrame]) -> "Shard":
        """Return the shard with some frames changed."""
        return Shard(**{f.name: change.get(f.name, getattr(self, f.name)) for f in fields(self)})


MOST_KEPT = 1 << 18
"""Fixes kept of several slices before they are judged: memory holds no more."""


def analyze_shard(  # noqa: PLR0913 - as make_fixes
    batches: Iterable[pl.DataFrame],
    world: World,
    seams: pl.DataFrame | None = None,
    *,
    alone: bool = True,
    hints: Hints | None = None,
    draw: bool = True,
) -> Shard:
    """Return the rows of one shard, of one or more slices; the arguments are those of `fixes.make_fixes`.

    Each of `batches` is a slice by itself. `draw` false leaves out the lines, visits and speeds.
    """
    done: list[Shard] = []
    open_digests: list[Digest] = []
    trips, trip_base, lanes = 0, 0, 0
    numbers = itertools.count()
    for records in batches:  # enumerate would hold one slice while the next is read
        number = next(numbers)
        if records.is_empty() or _samples_only(records):
            done.append(Shard(others=_all_others(records)))
            continue
        told = None if hints is None else hints.among(trips, max(int(hints.trip.max(initial=0)) + 1, 1))
        made = make_fixes(records, world.zone_set.rules.evaluation, world.z, seams, alone=alone, hints=told)
        del records  # what became fixes is held by them
        done.append(_of_records(made, number, lanes))
        lanes += made.ownership.lanes.height
        own = _digest(made.fixes, world, whole=draw)
        if open_digests and sum(len(d.fixes) for d in (*open_digests, own)) > MOST_KEPT:
            done.append(_judged(open_digests, world, trip_base, draw=draw))
            open_digests, trip_base = [], trips
        open_digests.append(own)
        trips += made.fixes.trips.height
        del made, own  # before the next slice is read
    if open_digests:
        done.append(_judged(open_digests, world, trip_base, draw=draw))
    return joined(done)


def joined(shards: Sequence[Shard]) -> Shard:
    """Return the rows of several shards as one."""
    if len(shards) == 1:
        return shards[0]
    frames = {f.name: [frame for s in shards if (frame := getattr(s, f.name)).height] for f in fields(Shard)}
    return Shard(**{name: pl.concat(some, how="diagonal_relaxed") for name, some in frames.items() if some})


def _digest(fixes: Fixes, world: World, *, whole: bool) -> Digest:
    """Return what is kept of the fixes of a slice."""
    rules, book = world.zone_set.rules, world.rulebook
    first_us, last_us = int(fixes.time_us.min()), int(fixes.time_us.max())
    epochs = epochs_between(world.zone_set, first_us, last_us)
    midnights = np.array([us for us, _ in local_midnights(rules.timezone, first_us, last_us)], dtype=np.int64)
    moving_kph = rules.evaluation.moving_kph
    track = make_track(fixes, world.index, epochs, midnights, book.thresholds_kph, moving_kph)
    if track.pieces.is_empty():
        return digest(track, np.empty(0, dtype=bool), whole=whole)
    judgements = judge(track, book, profiles_of(track, book), world.checks, world.precedents)
    broken = np.isin(judgements.of_piece, judgements.broken["state"].to_numpy())
    return digest(track, broken, whole=whole)


def _judged(digests: Sequence[Digest], world: World, trip_base: int, *, draw: bool) -> Shard:
    """Return the rows of what was kept of slices; their trips are numbered from `trip_base`."""
    track = united(digests, world.zone_set, world.index)
    legs = legs_of(track.fixes)
    if legs.is_empty():
        return Shard()
    book = world.rulebook
    profiles = profiles_of(track, book)
    scene = Scene(track, book, profiles, world.borders)
    stretches = stretches_of(scene, judge(track, book, profiles, world.checks, world.precedents), world.checks)
    zone_ids = [zone.zone_id for zone in world.zone_set.zones]
    of_trips = {
        "legs": legs,
        "holes": holes_of(track.fixes),
        "stretches": stretches,
        "phases": phases_of(track, zone_ids),
        "lines": lines_of(scene, stretches) if draw else pl.DataFrame(),
        "visits": visit_parts(track) if draw else pl.DataFrame(),
    }
    based = {name: f.with_columns(pl.col("trip") + trip_base) if f.height else f for name, f in of_trips.items()}
    return Shard(
        **based,
        exposure=exposure_parts(track, world.zone_set.rules.timezone, zone_ids),
        speeds=speed_parts(track, zone_ids) if draw else pl.DataFrame(),
    )


def _of_records(made: FixesMade, number: int, lane_base: int) -> Shard:
    """Return what became of the records of a slice, the `number`th here; its lanes are numbered from `lane_base`."""
    own = made.ownership
    lanes, left = own.lanes, own.left
    if lane_base:
        lanes, left = (f.with_columns(pl.col("lane") + lane_base) if f.height else f for f in (lanes, left))
    if lanes.height:
        lanes = lanes.hstack([pl.Series("slice", [number], dtype=pl.Int64).new_from_index(0, lanes.height)])
    return Shard(
        rejects=made.rejects,
        others=made.others,
        lanes=lanes,
        left=left,
        counts=_counts(made.fixes),
        ratios=ratios_of(made.fixes),
        order=made.order,
    )


def _samples_only(records: pl.DataFrame) -> bool:
    """Return whether no record has a position of its own."""
    return "is_sample" in records.columns and bool(records["is_sample"].fill_null(value=False).all())


def _all_others(records: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, file, others) of records of which none is a fix."""
    if records.is_empty():
        return pl.DataFrame()
    counts = records.group_by("vehicle_id", "file").agg(pl.len().cast(pl.Int64).alias("others"))
    return counts.with_columns(pl.col("vehicle_id").cast(pl.String))


def _counts(fixes: Fixes) -> pl.DataFrame:
    """Return (vehicle_id, file, fixes, interpolated) of the fixes owned."""
    own = fixes.trips.filter(pl.col("own_fixes") > 0)
    none = pl.lit(0, dtype=pl.Int64)
    if fixes.interpolated is None and fixes.file.min() == fixes.file.max():
        file = pl.lit(fixes.file[0], dtype=pl.Int32)
        return own.select("vehicle_id", file=file, fixes="own_fixes", interpolated=none)
    spans = own.select("own_first", "own_last").iter_rows()
    at = np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(a, b + 1) for a, b in spans)])
    between = np.zeros(len(at), dtype=bool) if fixes.interpolated is None else fixes.interpolated[at]
    frame = pl.DataFrame(
        {
            "vehicle_id": fixes.trips["vehicle_id"].gather(fixes.trip[at]),
            "file": fixes.file[at].astype(np.int32),
            "interpolated": between.astype(np.int64),
        }
    )
    return frame.group_by("vehicle_id", "file", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("fixes"), pl.col("interpolated").sum()
    )
