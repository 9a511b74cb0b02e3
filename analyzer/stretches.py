"""The broken stretches of a shard, with evidence, places and records: what findings are made of.

Times in the table are microseconds since 1970 UTC, `leg` is the row of `legs`, `rule` the
index of a rule (-1: none), `zone` and `peak_zone` indices of zones (-1: none), files the
indices of the log's paths. A stretch ends at the last fix before a hole; `joinable` says
whether a check of position may span that hole, which ends at `hole_end_us`.
"""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import polars as pl

from analyzer.conditions import condition_evidence, place_evidence
from analyzer.episodes import broken_parts
from analyzer.evidence import Evidence, Parts, Scene, depth_evidence
from analyzer.judgement import NO_RULE, Judgements, Precedents
from analyzer.sentence import Check
from analyzer.terms import SECOND_US
from analyzer.track import Track, fix_at, place_at


def stretches_of(scene: Scene, judgements: Judgements, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the broken stretches of the legs of a shard; `trip` is still that of the shard."""
    parts = broken_parts(scene.track, judgements, checks)
    if parts.is_empty():
        return pl.DataFrame()
    profile = scene.profiles.of_piece[parts["piece"].to_numpy()]
    typed = parts.with_columns(profile=pl.Series(profile))
    by_check = typed.partition_by("check", as_dict=True, maintain_order=True)
    book = judgements.precedents
    found = [_of_check(scene, own, book, str(code), checks[str(code)]) for (code,), own in by_check.items()]
    return _placed(scene, pl.concat(found))


def _of_check(scene: Scene, rows: pl.DataFrame, precedents: Precedents, code: str, check: Check) -> pl.DataFrame:
    """Return the stretches of one check, with their evidence."""
    stretch = rows["stretch"].to_numpy()
    new = np.diff(stretch, prepend=-1) != 0
    columns = {name: rows[name].to_numpy() for name in (f.name for f in fields(Parts)) if name != "group"}
    parts = Parts(group=np.cumsum(new) - 1, **columns)
    if check.measure == "depth":
        evidence = _depths(scene, parts)
    elif "place" in check.scopes:
        evidence = place_evidence(scene, parts)
    else:
        evidence = condition_evidence(scene, parts, code)
    return pl.concat([_spans(rows, np.flatnonzero(new), precedents), _columns(evidence)], how="horizontal")


def _spans(rows: pl.DataFrame, first: np.ndarray, precedents: Precedents) -> pl.DataFrame:
    """Return one row a stretch: key, span, and what holds at its start."""
    firsts = ("trip", "check", "rule", "start_us", "starts_run", "run", "control_mode", "kind", "combination")
    last = np.append(first[1:], rows.height) - 1
    numbers = np.split(rows["matched"].to_numpy(), first[1:])
    matched = [sorted({rule for n in set(own.tolist()) for rule in precedents.matched[n]}) for own in numbers]
    return (
        rows[first]
        .select(firsts)
        .with_columns(rows[last].select("end_us", "ends_run"), matched=pl.Series(matched, dtype=pl.List(pl.Int64)))
    )


def _columns(evidence: Evidence) -> pl.DataFrame:
    """Return evidence as columns, null where no number is asked for."""
    columns = {f.name: getattr(evidence, f.name) for f in fields(Evidence)}
    unknown = {name: pl.when(pl.col(name) >= 0).then(pl.col(name)) for name in ("peak_us", "peak_zone")}
    return pl.DataFrame(columns).with_columns(pl.col("peak", "margin", "error").fill_nan(None), **unknown)


def _depths(scene: Scene, parts: Parts) -> Evidence:
    """Return the evidence of a check by depth: from the permit zones, or into a restriction's."""
    book = scene.rulebook
    if (parts.rule == NO_RULE).all():
        return depth_evidence(scene, parts, np.zeros(len(parts.rule)), {0: scene.borders.of(book.permit_zones)})
    zones = book.zones[parts.rule] & scene.track.epochs.zone_valid[parts.kind]
    distinct, number = np.unique(zones, axis=0, return_inverse=True)
    borders = {k: scene.borders.of_union(row) for k, row in enumerate(distinct)}
    return depth_evidence(scene, parts, number.ravel(), borders)


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
    ).drop("run", "kind", "combination")


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
