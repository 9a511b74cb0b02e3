"""Broken pieces put together: stretches, joined across holes, merged across short gaps.

A *part* is one piece in which one check of one rule is broken or undecided. Parts that
touch are a stretch, in a shard (`broken_parts`) and again over the ends of shards
(`touching`); stretches of the same check and rule are joined over holes where the contract
allows it (`joined_over_holes`), and become findings when those a moment apart are merged
(`merged`). Whatever is put together keeps the greatest peak and the best decision.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from analyzer.judgement import Judgements
from analyzer.sentence import Check
from analyzer.terms import SECOND_US
from analyzer.track import Track

KEY = ("trip", "check", "rule")

FIRSTS = (
    "starts_run",
    "edge_start",
    "control_mode",
    "zone",
    "start_longitude",
    "start_latitude",
    "first_file",
    "first_record",
)
LASTS = (
    "end_us",
    "ends_run",
    "edge_end",
    "joinable",
    "hole_end_us",
    "end_longitude",
    "end_latitude",
    "last_file",
    "last_record",
)
PEAKS = ("peak", "peak_us", "peak_longitude", "peak_latitude", "peak_zone")
DECISIONS = ("certain", "decided_us", "margin", "error", "foremost", "ahead")


def broken_parts(track: Track, judgements: Judgements, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the parts, sorted by check, trip, rule and start, with `stretch`, their number.

    Columns: those of the pieces, `piece`, `state`, check, rule, undecided, matched, stretch.
    """
    broken = judgements.broken.with_columns(pl.col("check").cast(pl.Enum(list(checks))))
    bad = np.isin(judgements.of_piece, broken["state"].unique().to_numpy())
    states = pl.Series(judgements.of_piece).cast(pl.Int64)
    pieces = track.pieces.with_columns(state=states).with_row_index("piece").filter(pl.Series(bad))
    parts = pieces.join(broken, on="state", how="inner", maintain_order="left_right")
    parts = parts.sort("check", "trip", "rule", "start_us", "end_us", maintain_order=True)
    return parts.with_columns(stretch=_numbered(~(_same_key() & _touches())))


def _same_key() -> pl.Expr:
    """Return whether a row is of the same trip, check and rule as the one before."""
    return pl.all_horizontal(pl.col(k) == pl.col(k).shift(1) for k in KEY)


def _touches() -> pl.Expr:
    """Return whether a row starts where the one before ends."""
    return pl.col("start_us") == pl.col("end_us").shift(1)


def _numbered(starts: pl.Expr) -> pl.Expr:
    """Return numbers from 0 that go up where `starts` (null on the first row: a start)."""
    return starts.fill_null(value=True).cast(pl.Int64).cum_sum() - 1


def touching(stretches: pl.DataFrame) -> pl.DataFrame:
    """Return the stretches of all shards in order, those that touch as one."""
    ordered = stretches.sort(*KEY, "start_us", "end_us", maintain_order=True)
    return _united(ordered.with_columns(united=_numbered(~(_same_key() & _touches()))))


def joined_over_holes(stretches: pl.DataFrame, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the stretches, those of checks that may span a hole joined over joinable ones."""
    spanning = [code for code, check in checks.items() if check.spans_holes]
    over = (
        pl.col("ends_run").shift(1)
        & pl.col("joinable").shift(1)
        & pl.col("starts_run")
        & (pl.col("start_us") == pl.col("hole_end_us").shift(1))
        & pl.col("check").cast(pl.String).is_in(spanning)
    )
    return _united(stretches.with_columns(united=_numbered(~(_same_key() & over))))


def beyond(stretches: pl.DataFrame, checks: Mapping[str, Check], least_m: float) -> pl.DataFrame:
    """Return the stretches less the excursions that never go beyond `least_m`."""
    by_depth = [code for code, check in checks.items() if check.measure == "depth"]
    shallow = pl.col("check").cast(pl.String).is_in(by_depth) & (pl.col("peak") <= least_m)
    return stretches.filter(~shallow)


def merged(stretches: pl.DataFrame, holes_us: np.ndarray, merge_gap_s: float) -> pl.DataFrame:
    """Return the stretches, those less than `merge_gap_s` apart with no hole between as one.

    `holes_us` are the instants of the last fix before each hole, sorted.
    """
    gap_us = pl.col("start_us") - pl.col("end_us").shift(1)
    close = (gap_us < round(merge_gap_s * SECOND_US)) | (gap_us <= 0)
    first_run = np.searchsorted(holes_us, stretches["start_us"].to_numpy())
    last_run = np.searchsorted(holes_us, stretches["end_us"].to_numpy())
    no_hole = pl.Series(first_run) == pl.Series(last_run).shift(1)
    return _united(stretches.with_columns(united=_numbered(~(_same_key() & close & no_hole))))


def _united(stretches: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each number in `united`: span, holes and peak of all, the best decision."""
    number = stretches["united"].to_numpy()
    several = np.bincount(number, minlength=1)[number] > 1
    if not several.any():
        return stretches.drop("united")
    holes = pl.col("hole_us") + _hole_before()
    rows = stretches.with_columns(hole_us=holes, height=pl.col("peak").fill_null(-np.inf))
    together, alone = _as_one(rows.lazy().filter(pl.Series(several))), rows.lazy().filter(pl.Series(~several))
    both = pl.concat([together, alone], how="diagonal").sort("united")
    return both.drop("united", "height").collect(engine="in-memory")


def _as_one(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows of each number in `united` as one."""
    best = _best(DECISIONS, ("certain", "foremost", "ahead", "decided_us"), (True, True, True, False))
    top = _best(PEAKS, ("height", "peak_us"), (True, False))
    return rows.group_by("united", maintain_order=True).agg(
        *(pl.col(name).first() for name in (*KEY, "start_us", *FIRSTS)),
        *(pl.col(name).last() for name in LASTS),
        pl.col("hole_us").sum(),
        pl.col("matched").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
        *top,
        *best,
    )


def _hole_before() -> pl.Expr:
    """Return the time of the hole over which a row is joined to the one before."""
    follows = pl.col("united") == pl.col("united").shift(1)
    over = follows & pl.col("starts_run") & (pl.col("start_us") == pl.col("hole_end_us").shift(1))
    return pl.when(over).then(pl.col("start_us") - pl.col("end_us").shift(1)).otherwise(0).fill_null(0)


def _best(names: Sequence[str], by: Sequence[str], descending: Sequence[bool]) -> list[pl.Expr]:
    """Return the values of the row that ranks first."""
    return [pl.col(name).sort_by(list(by), descending=list(descending)).first() for name in names]
