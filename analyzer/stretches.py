"""The broken stretches of a shard, with evidence, places and records: what findings are made of.

Times in the table are microseconds since 1970 UTC, `leg` is the row of `legs`, `rule` the
index of a rule (-1: none), `zone` and `peak_zone` indices of zones (-1: none), files the
indices of the log's paths. A stretch ends at the last fix before a hole; `joinable` says
whether a check of position may span that hole, which ends at `hole_end_us`.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from analyzer.conditions import condition_evidence, place_evidence
from analyzer.episodes import broken_parts
from analyzer.evidence import Scene, depth_evidence
from analyzer.judgement import NO_RULE, Judgements
from analyzer.sentence import Check
from analyzer.terms import SECOND_US
from analyzer.track import Track, fix_at, place_at

EVIDENCE = {
    "stretch": pl.Int64,
    "peak": pl.Float64,
    "peak_us": pl.Int64,
    "peak_zone": pl.Int64,
    "certain": pl.Boolean,
    "decided_us": pl.Int64,
    "margin": pl.Float64,
    "error": pl.Float64,
}


def stretches_of(scene: Scene, judgements: Judgements, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the broken stretches of the legs of a shard; `trip` is still that of the shard."""
    parts = broken_parts(scene.track, judgements, checks)
    if parts.is_empty():
        return pl.DataFrame()
    stretches = _spans(parts).join(_evidence(scene, parts, checks), on="stretch", maintain_order="left")
    return _placed(scene, stretches)


def _spans(parts: pl.DataFrame) -> pl.DataFrame:
    """Return one row a stretch: key, span, and what holds at its start."""
    firsts = ("trip", "check", "rule", "start_us", "starts_run", "run", "control_mode", "kind", "combination")
    return parts.group_by("stretch", maintain_order=True).agg(
        *(pl.col(name).first() for name in firsts),
        *(pl.col(name).last() for name in ("end_us", "ends_run")),
        pl.col("matched").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
    )


def _evidence(scene: Scene, parts: pl.DataFrame, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the evidence of every stretch, check by check."""
    found = [pl.DataFrame(schema=EVIDENCE)]
    for (code,), own in parts.partition_by("check", as_dict=True, maintain_order=True).items():
        check = checks[str(code)]
        if check.measure == "depth":
            evidence = _depths(scene, own)
        elif "place" in check.scopes:
            evidence = place_evidence(scene, own)
        else:
            evidence = condition_evidence(scene, own, str(code))
        found.append(evidence.with_columns(pl.col("stretch").cast(pl.Int64)))
    return pl.concat(found, how="diagonal_relaxed")


def _depths(scene: Scene, parts: pl.DataFrame) -> pl.DataFrame:
    """Return the evidence of a check by depth: from the permit zones, or into a restriction's."""
    book = scene.rulebook
    rule, kind = parts["rule"].to_numpy(), parts["kind"].to_numpy()
    if (rule == NO_RULE).all():
        border = {0: scene.border_of(book.permit_zones)}
        return depth_evidence(scene, parts.with_columns(border=pl.lit(0)), border)
    zones = book.zones[rule] & scene.track.epochs.zone_valid[kind]
    distinct, number = np.unique(zones, axis=0, return_inverse=True)
    borders = {k: scene.union_border_of(row) for k, row in enumerate(distinct)}
    return depth_evidence(scene, parts.with_columns(border=pl.Series(number.ravel())), borders)


def _placed(scene: Scene, stretches: pl.DataFrame) -> pl.DataFrame:
    """Return the stretches with zones, places, records, what touches a hole, and times in UTC."""
    fixes = scene.track.fixes
    start, end = stretches["start_us"].to_numpy(), stretches["end_us"].to_numpy()
    first = fix_at(fixes, start)
    last = np.minimum(np.searchsorted(fixes.clock_us, end), len(fixes) - 1)
    peak = stretches["peak_us"].fill_null(0).to_numpy()
    places = {"start": place_at(fixes, start), "end": place_at(fixes, end), "peak": place_at(fixes, peak)}
    offset = pl.Series(fixes.trips["offset_us"].to_numpy()[stretches["trip"].to_numpy()])
    known = stretches["peak_us"].is_not_null()
    placed = stretches.with_columns(
        zone=pl.Series(_zone(scene, stretches)),
        hole_us=pl.lit(0, dtype=pl.Int64),
        edge_start=pl.Series(_at_edge(scene.track, start)),
        edge_end=pl.Series(_at_edge(scene.track, end)),
        first_file=pl.Series(fixes.file[first]),
        first_record=pl.Series(fixes.record[first]),
        last_file=pl.Series(fixes.file[last]),
        last_record=pl.Series(fixes.record[last]),
        **{f"{n}_longitude": pl.Series(lon) for n, (lon, _) in places.items()},
        **{f"{n}_latitude": pl.Series(lat) for n, (_, lat) in places.items()},
        **_holes(scene, stretches),
    )
    return placed.with_columns(
        *(pl.when(known).then(pl.col(f"peak_{axis}")).alias(f"peak_{axis}") for axis in ("longitude", "latitude")),
        *(pl.col(name) - offset for name in ("start_us", "end_us", "peak_us", "decided_us", "hole_end_us")),
    ).drop("stretch", "run", "kind", "combination")


def _zone(scene: Scene, stretches: pl.DataFrame) -> np.ndarray:
    """Return the first zone of the rule (of any permit) that covers the start, -1 where none does."""
    book = scene.rulebook
    rule = stretches["rule"].to_numpy()
    free = (rule == NO_RULE)[:, None]
    if not book.zones.size:
        return np.full(len(rule), -1)
    own = np.where(free, book.permit_zones, book.zones[rule])
    covers = scene.track.index.combinations.matrix()[stretches["combination"].to_numpy()]
    valid = scene.track.epochs.zone_valid[stretches["kind"].to_numpy()]
    any_zone = own & covers & (valid | free)
    return np.where(any_zone.any(axis=1), any_zone.argmax(axis=1), -1)


def _at_edge(track: Track, clock_us: np.ndarray) -> np.ndarray:
    """Return which instants are those of the first or last fix of a run."""
    fixes = track.fixes
    ends = fixes.clock_us[fixes.holes]
    starts = fixes.clock_us[np.concatenate([[0], fixes.holes[:-1] + 1])]
    return np.isin(clock_us, ends) | np.isin(clock_us, starts)


def _holes(scene: Scene, stretches: pl.DataFrame) -> dict[str, pl.Series]:
    """Return whether the hole at the end of each stretch may be spanned, and where it ends."""
    fixes = scene.track.fixes
    ends_run = stretches["ends_run"].to_numpy()
    last = fixes.holes[stretches["run"].to_numpy()]
    after = np.minimum(last + 1, len(fixes) - 1)
    within = ends_run & (after > last) & (fixes.trip[after] == fixes.trip[last])
    joinable = within & joinable_holes(scene, last, after)
    end_us = pl.select(pl.when(pl.Series(within)).then(pl.Series(fixes.clock_us[after]))).to_series()
    return {"joinable": pl.Series(joinable), "hole_end_us": end_us}


def joinable_holes(scene: Scene, last: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return which holes, between fixes of one trip, a position check may span.

    It may where the hole is no longer than `trip_gap_s`, and nothing starts, ends or changes
    mode between its ends.
    """
    fixes, epochs = scene.track.fixes, scene.track.epochs
    gap_us = fixes.time_us[after] - fixes.time_us[last]
    longest_us = round(scene.rulebook.zone_set.rules.evaluation.trip_gap_s * SECOND_US)
    quiet = epochs.of(fixes.time_us[after]) == epochs.of(fixes.time_us[last])
    same_mode = fixes.control_mode[after] == fixes.control_mode[last]
    return (gap_us <= longest_us) & quiet & same_mode
