"""Broken pieces put together: stretches, joined across holes, merged across short gaps.

A *part* is one piece in which one check of one rule is broken or undecided. Parts that
touch are a stretch; stretches of the same check and rule are joined over holes where
the contract allows it, and become findings when those a moment apart are merged.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from analyzer.judgement import Judgements
from analyzer.sentence import Check
from analyzer.terms import SECOND_US
from analyzer.track import Track
from analyzer.zones import ZoneSet

KEY = ("trip", "check", "rule")


def broken_parts(track: Track, judgements: Judgements, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the parts, sorted by trip, check, rule and start, with `stretch`, their number.

    Columns: those of the pieces, `piece`, `state`, check, rule, undecided, matched, stretch.
    """
    states = pl.Series(judgements.of_piece).cast(pl.Int64)
    pieces = track.pieces.with_columns(state=states).with_row_index("piece")
    broken = judgements.broken.with_columns(pl.col("check").cast(pl.Enum(list(checks))))
    parts = pieces.join(broken, on="state", how="inner", maintain_order="left_right")
    parts = parts.sort(*KEY, "start_us", "end_us", maintain_order=True)
    changed = pl.any_horizontal(pl.col(k) != pl.col(k).shift(1) for k in KEY)
    apart = pl.col("start_us") != pl.col("end_us").shift(1)
    return parts.with_columns(stretch=_numbered(changed | apart))


def _numbered(starts: pl.Expr) -> pl.Expr:
    """Return numbers from 0 that go up where `starts` (null on the first row: a start)."""
    return starts.fill_null(value=True).cast(pl.Int64).cum_sum() - 1


def joinable_holes(track: Track, zone_set: ZoneSet) -> np.ndarray:
    """Return per run whether a position check may span the hole after it.

    It may where the hole lies within a trip, is no longer than `trip_gap_s`, and nothing
    starts, ends or changes mode between its ends.
    """
    fixes, epochs = track.fixes, track.epochs
    last = np.flatnonzero(fixes.hole_after)
    after = np.minimum(last + 1, len(fixes) - 1)
    gap_us = fixes.time_us[after] - fixes.time_us[last]
    longest_us = round(zone_set.rules.evaluation.trip_gap_s * SECOND_US)
    quiet = epochs.of(fixes.time_us[after]) == epochs.of(fixes.time_us[last])
    same_mode = fixes.control_mode[after] == fixes.control_mode[last]
    within = (fixes.trip[after] == fixes.trip[last]) & (after > last)
    return within & (gap_us <= longest_us) & quiet & same_mode


def join_over_holes(parts: pl.DataFrame, joinable: np.ndarray, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the parts, their stretches joined over the holes that their check may span."""
    spanning = [code for code, check in checks.items() if check.spans_holes]
    run = parts["run"].to_numpy()
    may = np.append(joinable, False)[run] if len(run) else np.empty(0, dtype=bool)
    over = (
        pl.Series(may).shift(1)
        & parts["ends_run"].shift(1)
        & parts["starts_run"]
        & (parts["run"] == parts["run"].shift(1) + 1)
        & parts["check"].cast(pl.String).is_in(spanning)
    )
    same = pl.all_horizontal(pl.col(k) == pl.col(k).shift(1) for k in KEY)
    new = pl.col("stretch") != pl.col("stretch").shift(1)
    return (
        parts.with_columns(over=over)
        .with_columns(stretch=_numbered(new & ~(same & pl.col("over")).fill_null(value=False)))
        .drop("over")
    )


def stretches_of(parts: pl.DataFrame) -> pl.DataFrame:
    """Return one row a stretch: key, span, runs, holes spanned, and whether its ends touch a hole."""
    hole_us = pl.col("start_us") - pl.col("end_us").shift(1)
    new_run = pl.col("run") != pl.col("run").shift(1)
    return parts.group_by("stretch", maintain_order=True).agg(
        *(pl.col(k).first() for k in KEY),
        pl.col("start_us").first(),
        pl.col("end_us").last(),
        pl.col("run").first().alias("first_run"),
        pl.col("run").last().alias("last_run"),
        pl.col("starts_run").first(),
        pl.col("ends_run").last(),
        hole_us.filter(new_run).sum().alias("hole_us"),
        pl.col("control_mode").first(),
        pl.col("kind").first(),
        pl.col("combination").first(),
        pl.col("matched").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
    )


def merge_stretches(stretches: pl.DataFrame, merge_gap_s: float) -> pl.DataFrame:
    """Return the stretches with `finding`, the number that those merged into one share."""
    same = pl.all_horizontal(pl.col(k) == pl.col(k).shift(1) for k in KEY)
    gap_us = pl.col("start_us") - pl.col("end_us").shift(1)
    close = (gap_us < round(merge_gap_s * SECOND_US)) | (gap_us <= 0)
    no_hole = pl.col("first_run") == pl.col("last_run").shift(1)
    return stretches.with_columns(finding=_numbered(~(same & close & no_hole)))
