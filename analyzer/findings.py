"""Stretches with their evidence become findings: filtered, merged, judged, or suppressed."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from analyzer.conditions import condition_evidence, place_evidence
from analyzer.episodes import broken_parts, join_over_holes, joinable_holes, merge_stretches, stretches_of
from analyzer.evidence import Scene, depth_evidence
from analyzer.judgement import NO_RULE, Judgements
from analyzer.sentence import Check
from analyzer.terms import SECOND_US

LEAST_DEPTH_M = 0.01
"""Excursions no deeper than this are none, whatever the buffer."""

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


def find(scene: Scene, judgements: Judgements, checks: Mapping[str, Check]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (findings, suppressed) of a shard, without names and places.

    Both have trip, check, rule, start_us, end_us (clock), hole_us, matched, control_mode,
    kind, combination, and the columns of EVIDENCE but `stretch`.
    """
    zone_set = scene.rulebook.zone_set
    evaluation = zone_set.rules.evaluation
    parts = broken_parts(scene.track, judgements, checks)
    parts = join_over_holes(parts, joinable_holes(scene.track, zone_set), checks)
    evidence = _evidence(scene, parts, checks)
    stretches = stretches_of(parts).join(evidence, on="stretch", maintain_order="left")
    deep = _beyond(stretches, checks, evaluation.border_buffer_m)
    merged = _merged(merge_stretches(deep, evaluation.merge_gap_s))
    short = _too_short(merged, scene, evaluation.min_duration_s)
    return merged.filter(~short), merged.filter(short)


def _evidence(scene: Scene, parts: pl.DataFrame, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the evidence of every stretch, check by check."""
    found = [pl.DataFrame(schema=EVIDENCE)]
    for code, check in checks.items():
        own = parts.filter(pl.col("check") == code)
        if own.is_empty():
            continue
        if check.measure == "depth":
            evidence = _depths(scene, own)
        elif "place" in check.scopes:
            evidence = place_evidence(scene, own)
        else:
            evidence = condition_evidence(scene, own, code)
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


def _beyond(stretches: pl.DataFrame, checks: Mapping[str, Check], buffer_m: float) -> pl.DataFrame:
    """Return the stretches less the excursions that never go beyond the buffer."""
    by_depth = [code for code, check in checks.items() if check.measure == "depth"]
    shallow = pl.col("check").cast(pl.String).is_in(by_depth)
    return stretches.filter(~(shallow & (pl.col("peak") <= max(buffer_m, LEAST_DEPTH_M))))


def _merged(stretches: pl.DataFrame) -> pl.DataFrame:
    """Return one row a finding: span and peak of all its stretches, decision of the best of them."""
    ahead = (pl.col("margin") - pl.col("error")).fill_null(0.0)
    ranked = stretches.with_columns(ahead=ahead)
    order = ["certain", "ahead", "decided_us"]
    descending = [True, True, False]

    def decisive(name: str) -> pl.Expr:
        return pl.col(name).sort_by(order, descending=descending).first()

    def topmost(name: str) -> pl.Expr:
        by = [pl.col("peak").fill_null(-np.inf), pl.col("peak_us")]
        return pl.col(name).sort_by(by, descending=[True, False]).first()

    firsts = ("trip", "check", "rule", "start_us", "starts_run", "control_mode", "kind", "combination")
    lasts = ("end_us", "ends_run")
    return ranked.group_by("finding", maintain_order=True).agg(
        *(pl.col(name).first() for name in firsts),
        *(pl.col(name).last() for name in lasts),
        pl.col("hole_us").sum(),
        pl.col("matched").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
        *(topmost(name) for name in ("peak", "peak_us", "peak_zone")),
        *(decisive(name) for name in ("certain", "decided_us", "margin", "error")),
    )


def _too_short(findings: pl.DataFrame, scene: Scene, min_duration_s: float) -> pl.Series:
    """Return which findings are left out: short, and seen from before their start to after their end.

    A run starts and ends at a hole or at an end of the trip.
    """
    clock = scene.track.fixes.clock_us
    hole = scene.track.fixes.hole_after
    run_ends = clock[hole]
    run_starts = clock[np.concatenate([[True], hole[:-1]])] if len(clock) else clock
    short = (findings["end_us"] - findings["start_us"]) < round(min_duration_s * SECOND_US)
    at_edge = np.isin(findings["start_us"], run_starts) | np.isin(findings["start_us"], run_ends)
    at_edge |= np.isin(findings["end_us"], run_ends) | np.isin(findings["end_us"], run_starts)
    return short & (findings["hole_us"] == 0) & ~pl.Series(at_edge)
