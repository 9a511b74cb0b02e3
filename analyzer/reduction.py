"""The rows of all shards put together: trips of legs, findings of stretches, and the tables.

Shards come in the order of the plan, whoever judged them; everything is sorted by what it
says, so the tables depend on the input alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from analyzer.coverage import asked_lines, coverage_table
from analyzer.events import events_table
from analyzer.exposure import exposure_table
from analyzer.findings import complete_findings, find, log_gaps, named_findings, named_suppressed, trip_names
from analyzer.legs import trips_of, with_trip_numbers
from analyzer.messages import add_messages
from analyzer.records import record
from analyzer.shard import Shard, World
from analyzer.speeds import speeds_table
from analyzer.tables import EVENTS, FINDINGS, conform, empty
from analyzer.tracks import tracks_table
from analyzer.unlogged import unlogged_movements
from analyzer.visits import visits_table

_OF_TRIPS = ("holes", "stretches", "phases", "lines", "visits")


@record(frozen=True, eq=False)
class Reduced:
    """The tables of an analysis but for the rejects, and the trips that they speak of."""

    findings: pl.DataFrame
    coverage: pl.DataFrame
    exposure: pl.DataFrame
    events: pl.DataFrame
    tracks: pl.DataFrame
    speeds: pl.DataFrame
    visits: pl.DataFrame
    trips: pl.DataFrame


def together(shards: Sequence[Shard], name: str) -> pl.DataFrame:
    """Return the rows of one frame of all shards, with `shard`, their number."""
    frames = {n: frame for n, shard in enumerate(shards) if not (frame := getattr(shard, name)).is_empty()}
    if not frames:
        return pl.DataFrame()
    heights = [frame.height for frame in frames.values()]
    rows = pl.concat(list(frames.values()), how="diagonal_relaxed")
    return rows.hstack([pl.Series("shard", np.repeat(list(frames), heights))])


def numbered_legs(shards: Sequence[Shard]) -> pl.DataFrame:
    """Return the legs of all shards with `shard` and `number`, their trip's."""
    return with_trip_numbers(together(shards, "legs"))


def reduce(shards: Sequence[Shard], world: World, files: Sequence[str]) -> Reduced:
    """Return the tables; there must be a leg at least."""
    legs = numbered_legs(shards)
    rows = {name: _by_trip(together(shards, name), legs) for name in _OF_TRIPS}
    holes = rows["holes"] if rows["holes"].width else _NO_HOLES
    trips = trips_of(legs, holes)
    evaluation = world.zone_set.rules.evaluation
    offset = trips["offset_us"].to_numpy()
    found, left_out = find(rows["stretches"], holes, offset, evaluation, world.checks)
    findings = _findings(found, holes, trips, world, files)
    suppressed = named_suppressed(left_out, trips)
    lines = asked_lines(trips, world.rulebook, world.checks)
    coverage = coverage_table(_named(lines, trips), findings, suppressed, evaluation)
    events = events_table(rows["phases"], holes, trips, files) if rows["phases"].height else empty(EVENTS)
    return Reduced(
        findings=findings,
        coverage=coverage,
        exposure=exposure_table(together(shards, "exposure")),
        events=events,
        tracks=tracks_table(rows["lines"], holes, found, trips),
        speeds=speeds_table(together(shards, "speeds")),
        visits=visits_table(rows["visits"], holes, trips, [zone.zone_id for zone in world.zone_set.zones]),
        trips=trips,
    )


_HOLE: Mapping[str, type[pl.DataType]] = {
    "trip": pl.Int64,
    "last_us": pl.Int64,
    "next_us": pl.Int64,
    **{f"{end}_{axis}": pl.Float64 for end in ("last", "next") for axis in ("longitude", "latitude")},
    **{f"{end}_{name}": pl.Int64 for end in ("last", "next") for name in ("file", "record")},
    "last_mode": pl.Int8,
}
_NO_HOLES = pl.DataFrame(schema=_HOLE)


def _by_trip(rows: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with `trip`, the number of the trip instead of the shard's own, in the order of trips."""
    if rows.is_empty():
        return rows
    most = legs["trip"].to_numpy().max() + 1
    known, own = (frame["shard"].to_numpy() * most + frame["trip"].to_numpy() for frame in (legs, rows))
    order = np.argsort(known)
    number = legs["number"].to_numpy()[order][np.searchsorted(known, own, sorter=order)]
    return rows.drop("shard").with_columns(trip=pl.Series(number)).sort("trip", maintain_order=True)


def _findings(
    found: pl.DataFrame, holes: pl.DataFrame, trips: pl.DataFrame, world: World, files: Sequence[str]
) -> pl.DataFrame:
    """Return the table of findings, of stretches, holes and starts of trips."""
    frames = [named_findings(found, trips, world.rulebook, files)]
    if "log-gap" in world.checks and holes.height:
        frames.append(log_gaps(holes, trips, files))
    if "unlogged-movement" in world.checks:
        frames.append(unlogged_movements(trips, world.zone_set.rules.evaluation, world.z, files))
    return conform(add_messages(complete_findings([f for f in frames if f.height]), world.zone_set), FINDINGS)


def _named(lines: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with the names of their trips."""
    end = trips["end_us"].gather(lines["trip"]).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    names = trip_names(trips, lines["trip"]).with_columns(trip_end=end)
    return pl.concat([names, lines.drop("trip")], how="horizontal")
