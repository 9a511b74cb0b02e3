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
    rows = {name: parts[name].to_numpy() for name in parts.columns if name != "check"}
    rows["profile"] = scene.profiles.of_piece[rows["piece"]]
    first = np.flatnonzero(np.diff(rows["stretch"], prepend=-1))
    spans = _spans(rows, first)
    matched = _sets(rows["matched"], first, judgements.precedents)
    sets = pl.Series(judgements.precedents.matched, dtype=pl.List(pl.Int64))
    frame = pl.DataFrame(spans | _evidence(scene, parts["check"], rows, checks) | _places(scene, spans))
    return _in_utc(scene, frame.with_columns(check=parts["check"].gather(first), matched=sets.gather(matched)))


def _evidence(
    scene: Scene, check: pl.Series, rows: Mapping[str, np.ndarray], checks: Mapping[str, Check]
) -> dict[str, np.ndarray]:
    """Return the evidence of every stretch, check by check."""
    codes = list(checks)
    number = check.to_physical().to_numpy()
    starts = np.flatnonzero(np.diff(number.astype(np.int64), prepend=-1))
    found = []
    for low, high in zip(starts, np.append(starts[1:], len(number)), strict=True):
        own = slice(int(low), int(high))
        columns = {f.name: rows[f.name][own] for f in fields(Parts) if f.name != "group"}
        parts = Parts(group=rows["stretch"][own] - rows["stretch"][low], **columns)
        found.append(_of_check(scene, parts, codes[number[low]], checks[codes[number[low]]]))
    return {f.name: np.concatenate([getattr(e, f.name) for e in found]) for f in fields(Evidence)}


def _of_check(scene: Scene, parts: Parts, code: str, check: Check) -> Evidence:
    """Return the evidence of the stretches of one check."""
    if check.measure == "depth":
        return _depths(scene, parts)
    if "place" in check.scopes:
        return place_evidence(scene, parts)
    return condition_evidence(scene, parts, code)


def _spans(rows: Mapping[str, np.ndarray], first: np.ndarray) -> dict[str, np.ndarray]:
    """Return, a stretch: trip, rule, span, and what holds at its start and end."""
    last = np.append(first[1:], len(rows["stretch"])) - 1
    firsts = ("trip", "rule", "start_us", "starts_run", "run", "control_mode", "kind", "combination")
    return {n: rows[n][first] for n in firsts} | {n: rows[n][last] for n in ("end_us", "ends_run")}


def _sets(matched: np.ndarray, first: np.ndarray, precedents: Precedents) -> np.ndarray:
    """Return the number of the set of rules that the parts of each stretch matched together."""
    least, most = np.minimum.reduceat(matched, first), np.maximum.reduceat(matched, first)
    for mixed in np.flatnonzero(least < most):
        own = np.unique(matched[first[mixed] : first[mixed + 1] if mixed + 1 < len(first) else None])
        least[mixed] = precedents.number(tuple(sorted({rule for n in own for rule in precedents.matched[n]})))
    return least


def _depths(scene: Scene, parts: Parts) -> Evidence:
    """Return the evidence of a check by depth: from the permit zones, or into a restriction's."""
    book = scene.rulebook
    if (parts.rule == NO_RULE).all():
        return depth_evidence(scene, parts, np.zeros(len(parts.rule)), {0: scene.borders.of(book.permit_zones)})
    zones = book.zones[parts.rule] & scene.track.epochs.zone_valid[parts.kind]
    distinct, number = np.unique(zones, axis=0, return_inverse=True)
    borders = {k: scene.borders.of_union(row) for k, row in enumerate(distinct)}
    return depth_evidence(scene, parts, number.ravel(), borders)


def _places(scene: Scene, spans: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return zones, places of both ends, their records, and what touches a hole, of each stretch."""
    fixes = scene.track.fixes
    start, end = spans["start_us"], spans["end_us"]
    first = fix_at(fixes, start)
    last = np.minimum(np.searchsorted(fixes.clock_us, end), len(fixes) - 1)
    (start_lon, start_lat), (end_lon, end_lat) = place_at(fixes, start), place_at(fixes, end)
    return {
        "zone": _zone(scene, spans),
        "hole_us": np.zeros(len(start), dtype=np.int64),
        "edge_start": _at_edge(scene.track, start),
        "edge_end": _at_edge(scene.track, end),
        "first_file": fixes.file[first],
        "first_record": fixes.record[first],
        "last_file": fixes.file[last],
        "last_record": fixes.record[last],
        "start_longitude": start_lon,
        "start_latitude": start_lat,
        "end_longitude": end_lon,
        "end_latitude": end_lat,
        **_holes(scene, spans),
    }


def _in_utc(scene: Scene, stretches: pl.DataFrame) -> pl.DataFrame:
    """Return the stretches with times in UTC, the places of their peaks, and nulls where nothing is known."""
    fixes = scene.track.fixes
    longitude, latitude = place_at(fixes, np.maximum(stretches["peak_us"].to_numpy(), 0))
    offset = pl.Series(fixes.trips["offset_us"].to_numpy()[stretches["trip"].to_numpy()])
    known = pl.col("peak_us") >= 0
    moments = {n: pl.col(n) - offset for n in ("start_us", "end_us", "decided_us")}
    maybe = {n: pl.when(pl.col(n) >= 0).then(pl.col(n) - offset) for n in ("peak_us", "hole_end_us")}
    return stretches.with_columns(
        pl.col("peak", "margin", "error").fill_nan(None),
        **moments,
        **maybe,
        peak_zone=pl.when(pl.col("peak_zone") >= 0).then(pl.col("peak_zone")),
        peak_longitude=pl.when(known).then(pl.Series(longitude)),
        peak_latitude=pl.when(known).then(pl.Series(latitude)),
    ).drop("run", "kind", "combination")


def _zone(scene: Scene, spans: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the first zone of the rule (of any permit) that covers the start, -1 where none does."""
    book = scene.rulebook
    rule = spans["rule"]
    free = (rule == NO_RULE)[:, None]
    if not book.zones.size:
        return np.full(len(rule), -1)
    own = np.where(free, book.permit_zones, book.zones[rule])
    covers = scene.track.index.combinations.matrix()[spans["combination"]]
    valid = scene.track.epochs.zone_valid[spans["kind"]]
    any_zone = own & covers & (valid | free)
    return np.where(any_zone.any(axis=1), any_zone.argmax(axis=1), -1)


def _at_edge(track: Track, clock_us: np.ndarray) -> np.ndarray:
    """Return which instants are those of the first or last fix of a run."""
    fixes = track.fixes
    ends = fixes.clock_us[fixes.holes]
    starts = fixes.clock_us[np.concatenate([[0], fixes.holes[:-1] + 1])]
    return np.isin(clock_us, ends) | np.isin(clock_us, starts)


def _holes(scene: Scene, spans: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return whether the hole at the end of each stretch may be spanned, and where it ends (-1: none)."""
    fixes = scene.track.fixes
    last = fixes.holes[spans["run"]]
    after = np.minimum(last + 1, len(fixes) - 1)
    within = spans["ends_run"] & (after > last) & (fixes.trip[after] == fixes.trip[last])
    joinable = within & joinable_holes(scene, last, after)
    return {"joinable": joinable, "hole_end_us": np.where(within, fixes.clock_us[after], -1)}


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
