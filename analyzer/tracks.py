"""Trips as polylines of one verdict each, simplified for drawing.

A shard draws its legs as *lines*, cut wherever a stretch starts or ends (`lines_of`); when
all findings are known, lines get their verdict and those alike are put together.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import shapely

from analyzer.epochs import within
from analyzer.evidence import Parts, Scene, paths_of
from analyzer.findings import as_instants, trip_names
from analyzer.tables import TRACKS, conform, empty
from analyzer.terms import CONTROL_MODES

SIMPLIFY_DEG = 5e-6
"""Drawn lines leave out vertices that matter less than about half a metre."""

DIGITS = 7


def lines_of(scene: Scene, stretches: pl.DataFrame) -> pl.DataFrame:
    """Return the legs of a shard as lines: trip (of the shard), start_us, end_us, needed, and vertices.

    `stretches` are those of the shard, in UTC; `needed` says whether a permit is needed.
    """
    track = scene.track
    offset = track.fixes.trips["offset_us"].to_numpy()
    needed = np.isin(CONTROL_MODES, scene.rulebook.zone_set.rules.evaluation.permit_needed_for)
    pieces = track.pieces.select("trip", "run", "start_us", "end_us").with_columns(
        needed=pl.Series(needed[track.pieces["control_mode"].to_numpy()])
    )
    cut = _cut(pieces, _edges(stretches, offset))
    key = pl.struct("trip", "run", "needed", edge=pl.col("edge")).rle_id()
    merged = cut.group_by(key.alias("line"), maintain_order=True).agg(
        pl.col("trip", "needed", "start_us").first(), pl.col("end_us").last()
    )
    drawn = merged.drop("line")
    if drawn.is_empty():
        return pl.DataFrame()
    paths = paths_of(scene, _as_parts(drawn), np.zeros((2, drawn.height), dtype=np.int64))
    lines = shapely.linestrings(np.column_stack([paths.longitude, paths.latitude]), indices=paths.path)
    back = pl.Series(offset[drawn["trip"].to_numpy()])
    simple = _vertices(shapely.simplify(lines, SIMPLIFY_DEG))
    timed = drawn.with_columns(pl.col("start_us") - back, pl.col("end_us") - back)
    return pl.concat([timed, simple], how="horizontal")


def _as_parts(lines: pl.DataFrame) -> Parts:
    """Return lines as parts, of which only the ways are asked for."""
    none = np.zeros(lines.height, dtype=np.int64)
    never = np.zeros(lines.height, dtype=bool)
    start, end = lines["start_us"].to_numpy(), lines["end_us"].to_numpy()
    return Parts(none, start, end, never, none, none, none, none, never)


def _edges(stretches: pl.DataFrame, offset_us: np.ndarray) -> np.ndarray:
    """Return the instants (clock) at which stretches start or end, sorted."""
    if stretches.is_empty():
        return np.empty(0, dtype=np.int64)
    clock = offset_us[stretches["trip"].to_numpy()]
    return np.unique(np.concatenate([stretches[name].to_numpy() + clock for name in ("start_us", "end_us")]))


def _vertices(lines: np.ndarray) -> pl.DataFrame:
    """Return the vertices of lines, rounded, as lists."""
    points, owner = shapely.get_coordinates(lines, return_index=True)
    flat = pl.DataFrame({"line": owner, "longitude": points[:, 0], "latitude": points[:, 1]})
    rounded = flat.with_columns(pl.col("longitude", "latitude").round(DIGITS))
    return rounded.group_by("line", maintain_order=True).agg("longitude", "latitude").drop("line")


def tracks_table(lines: pl.DataFrame, holes: pl.DataFrame, findings: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Return the table of tracks; all frames have `trip`, the row of `trips`, and times in UTC."""
    if lines.is_empty():
        return empty(TRACKS)
    offset = trips["offset_us"].to_numpy()
    bad, unsure = (_union(*_spans(findings, offset, certain=certain)) for certain in (True, False))
    start = lines["start_us"].to_numpy() + offset[lines["trip"].to_numpy()]
    verdict = np.where(lines["needed"].to_numpy(), "compliant", "not_required")
    verdict = np.where(within(start, unsure), "indeterminate", verdict)
    verdict = np.where(within(start, bad), "violation", verdict)
    drawn = _joined(lines.drop("needed").with_columns(verdict=pl.Series(verdict)))
    both = pl.concat([drawn, _holes(holes).select(drawn.columns)])
    names = trip_names(trips, both["trip"]).with_columns(
        both.select("verdict", "longitude", "latitude"),
        start=as_instants(both["start_us"]),
        end=as_instants(both["end_us"]),
    )
    return conform(names, TRACKS)


def _spans(findings: pl.DataFrame, offset_us: np.ndarray, *, certain: bool) -> Sequence[np.ndarray]:
    """Return starts and ends (clock) of the findings that are certain, or not."""
    if findings.is_empty():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    own = findings.filter(pl.col("certain") == certain)
    clock = offset_us[own["trip"].to_numpy()]
    return own["start_us"].to_numpy() + clock, own["end_us"].to_numpy() + clock


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines, those of one trip and verdict that touch as one."""
    ordered = lines.sort("trip", "start_us", "end_us")
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in ("trip", "verdict"))
    follows = (same & (pl.col("start_us") == pl.col("end_us").shift(1))).fill_null(value=False)
    numbered = ordered.with_columns(follows=follows, line=(~follows).cast(pl.Int64).cum_sum())
    later = (
        pl.when("follows").then(pl.col(name).list.slice(1)).otherwise(pl.col(name)).alias(name)
        for name in ("longitude", "latitude")
    )
    return (
        numbered.with_columns(*later)
        .group_by("line", maintain_order=True)
        .agg(
            pl.col("trip", "start_us", "verdict").first(),
            pl.col("end_us").last(),
            pl.col("longitude", "latitude").list.explode(keep_nulls=False, empty_as_null=False),
        )
        .drop("line")
    )


def _holes(holes: pl.DataFrame) -> pl.DataFrame:
    """Return the holes as straight lines."""
    ends = {
        name: pl.concat_list(f"last_{name}", f"next_{name}").list.eval(pl.element().round(DIGITS))
        for name in ("longitude", "latitude")
    }
    return holes.select("trip", start_us="last_us", end_us="next_us", verdict=pl.lit("not_observed"), **ends)


def _union(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the union of intervals as sorted, disjoint (n, 2)."""
    order = np.argsort(start, kind="stable")
    start, end = start[order], np.maximum.accumulate(end[order]) if len(end) else end
    new = np.ones(len(start), dtype=bool)
    new[1:] = start[1:] > end[:-1]
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(start))[: len(first)] - 1
    return np.column_stack([start[first], end[last]])


def _cut(pieces: pl.DataFrame, edges: np.ndarray) -> pl.DataFrame:
    """Return the pieces cut at instants of the clock, empty ones left out."""
    start, end = pieces["start_us"].to_numpy(), pieces["end_us"].to_numpy()
    low = np.searchsorted(edges, start, side="right")
    extra = np.maximum(np.searchsorted(edges, end, side="left") - low, 0)
    piece = np.repeat(np.arange(len(start)), extra + 1)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(extra + 1) - extra - 1, extra + 1)
    padded = np.append(edges, 0)
    begin = np.where(place == 0, start[piece], padded[np.clip(low[piece] + place - 1, 0, len(edges))])
    finish = np.where(place == extra[piece], end[piece], padded[np.clip(low[piece] + place, 0, len(edges))])
    # Lines may only run on where no edge lies between them: edges cut, whatever stands on both sides.
    edge = np.searchsorted(edges, begin, side="right")
    cut = pieces[piece].with_columns(start_us=pl.Series(begin), end_us=pl.Series(finish), edge=pl.Series(edge))
    return cut.filter(pl.col("end_us") > pl.col("start_us"))
