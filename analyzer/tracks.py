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
from analyzer.terms import CONTROL_MODES, SECOND_US
from analyzer.waypoints import Paths
from analyzer.windows import local_midnights

SIMPLIFY_DEG = 5e-6
"""Drawn lines leave out vertices that matter less than about half a metre; noisy ones up to eight times as much."""

COARSEST_DEG = 4e-5
LEAST_S = 20.0
"""A line that keeps more than one vertex in so many seconds is noise, and is drawn coarser."""

SLACK_M = 5.0
PACE_MPS = 2.0
"""Where a vehicle is at an instant may be off by about `SLACK_M` at this pace, by interpolation between vertices."""

STRIDE = 5
DIGITS = 7
VERTICES = ("longitude", "latitude", "time_us")


def lines_of(scene: Scene, stretches: pl.DataFrame) -> pl.DataFrame:
    """Return the legs of a shard as lines: trip (of the shard), start_us, end_us, needed, and timed vertices.

    `stretches` are those of the shard, in UTC; `needed` says whether a permit is needed. A line
    ends where a stretch, a zone or a local day does, so these places are never simplified away.
    """
    offset = scene.track.fixes.trips["offset_us"].to_numpy()
    cut = _cut(_pieces(scene, offset), _edges(stretches, offset))
    key = pl.struct("trip", "run", "needed", "combination", "day", edge=pl.col("edge")).rle_id()
    merged = cut.group_by(key.alias("line"), maintain_order=True).agg(
        pl.col("trip", "needed", "start_us").first(), pl.col("end_us").last()
    )
    drawn = merged.drop("line")
    if drawn.is_empty():
        return pl.DataFrame()
    paths = paths_of(scene, _as_parts(drawn), np.zeros((2, drawn.height), dtype=np.int64))
    broken = within(drawn["start_us"].to_numpy(), _union(*_clocked(stretches, offset)))
    back = pl.Series(offset[drawn["trip"].to_numpy()])
    simple = _vertices(paths, kept(paths, broken), back.to_numpy())
    timed = drawn.with_columns(pl.col("start_us") - back, pl.col("end_us") - back)
    return pl.concat([timed, simple], how="horizontal")


def _pieces(scene: Scene, offset_us: np.ndarray) -> pl.DataFrame:
    """Return the pieces with what cuts a line: trip, run, combination, needed and day (a number)."""
    rules = scene.rulebook.zone_set.rules
    needed = np.isin(CONTROL_MODES, rules.evaluation.permit_needed_for)
    pieces = scene.track.pieces.select("trip", "run", "combination", "start_us", "end_us", "control_mode")
    utc = pieces["start_us"].to_numpy() - offset_us[pieces["trip"].to_numpy()]
    days = local_midnights(rules.timezone, int(utc.min()), int(utc.max())) if len(utc) else []
    midnights = np.array([us for us, _ in days], dtype=np.int64)
    return pieces.drop("control_mode").with_columns(
        needed=pl.Series(needed[pieces["control_mode"].to_numpy()]),
        day=pl.Series(np.searchsorted(midnights, utc, side="right")),
    )


def kept(paths: Paths, broken: np.ndarray) -> np.ndarray:
    """Return which vertices of ways are drawn; `broken` says which ways are (parts of) broken stretches.

    Of broken stretches all are, and the first and the last of every other way. Time is kept
    too: between two vertices a vehicle is where its pace puts it, but for `SLACK_M`.
    """
    first = np.flatnonzero(np.diff(paths.path, prepend=-1))
    count = np.diff(np.append(first, len(paths.path)))
    keep = np.repeat(broken, count)
    coarse, tolerance = np.flatnonzero(~broken), SIMPLIFY_DEG
    while len(coarse):
        _keep(keep, paths, first, count, coarse, tolerance)
        left = np.add.reduceat(keep, first)[coarse]
        seconds = (paths.clock_us[first + count - 1] - paths.clock_us[first])[coarse] / SECOND_US
        tolerance *= 2
        coarse = coarse[left > 2 + seconds / LEAST_S] if tolerance <= COARSEST_DEG else coarse[:0]
    return keep


def _keep(  # noqa: PLR0913 - ways as arrays
    keep: np.ndarray, paths: Paths, first: np.ndarray, count: np.ndarray, ways: np.ndarray, tolerance_deg: float
) -> None:
    """Take down the vertices of some ways that matter more than a tolerance, by place or by time.

    A way that was simplified before is simplified further. Of its pace every `STRIDE`th vertex is looked at.
    """
    if not len(ways):
        return
    own = np.repeat(np.arange(len(ways)), count[ways])
    place = np.arange(len(own)) - np.repeat(np.cumsum(count[ways]) - count[ways], count[ways])
    at = first[ways][own] + place
    ends = (place == 0) | (place == count[ways][own] - 1)
    if tolerance_deg > SIMPLIFY_DEG:
        left = keep[at] | ends
        own, place, at, ends = own[left], place[left], at[left], ends[left]
    keep[at] = False
    few = ends | (place % STRIDE == 0) if tolerance_deg == SIMPLIFY_DEG else np.ones(len(at), dtype=bool)
    _mark(keep, at, own, paths.longitude[at], paths.latitude[at], tolerance_deg)
    seconds = (paths.clock_us[at[few]] - paths.clock_us[first[ways][own[few]]]) / SECOND_US
    _mark(keep, at[few], own[few], paths.way_um[at[few]] / 1e6, seconds * PACE_MPS, SLACK_M)


def _mark(  # noqa: PLR0913 - lines as arrays
    keep: np.ndarray, at: np.ndarray, line: np.ndarray, x: np.ndarray, y: np.ndarray, tolerance: float
) -> None:
    """Mark in `keep` the vertices (numbers `at`) of lines x, y that matter more than a tolerance."""
    lines = shapely.linestrings(np.column_stack([x, y, at]), indices=line)
    simple = shapely.simplify(lines, tolerance, preserve_topology=False)
    keep[shapely.get_coordinates(simple, include_z=True)[:, 2].astype(np.int64)] = True


def _as_parts(lines: pl.DataFrame) -> Parts:
    """Return lines as parts, of which only the ways are asked for."""
    none = np.zeros(lines.height, dtype=np.int64)
    never = np.zeros(lines.height, dtype=bool)
    start, end = lines["start_us"].to_numpy(), lines["end_us"].to_numpy()
    return Parts(none, start, end, never, none, none, none, none, never)


def _edges(stretches: pl.DataFrame, offset_us: np.ndarray) -> np.ndarray:
    """Return the instants (clock) at which stretches start or end, sorted."""
    return np.unique(np.concatenate(_clocked(stretches, offset_us)))


def _clocked(stretches: pl.DataFrame, offset_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and ends (clock) of stretches in UTC."""
    if stretches.is_empty():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    clock = offset_us[stretches["trip"].to_numpy()]
    return stretches["start_us"].to_numpy() + clock, stretches["end_us"].to_numpy() + clock


def _vertices(paths: Paths, keep: np.ndarray, offset_us: np.ndarray) -> pl.DataFrame:
    """Return the vertices that are drawn, a list a line: rounded degrees, and microseconds since 1970 UTC."""
    at = np.flatnonzero(keep)
    line = paths.path[at]
    flat = pl.DataFrame(
        {
            "line": line,
            "longitude": paths.longitude[at],
            "latitude": paths.latitude[at],
            "time_us": paths.clock_us[at] - offset_us[line],
        }
    )
    rounded = flat.with_columns(pl.col("longitude", "latitude").round(DIGITS))
    return rounded.group_by("line", maintain_order=True).agg(VERTICES).drop("line")


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
        both.select("verdict", *VERTICES),
        start=as_instants(both["start_us"]),
        end=as_instants(both["end_us"]),
    )
    return conform(names, TRACKS)


def _spans(findings: pl.DataFrame, offset_us: np.ndarray, *, certain: bool) -> Sequence[np.ndarray]:
    """Return starts and ends (clock) of the findings that are certain, or not."""
    own = findings if findings.is_empty() else findings.filter(pl.col("certain") == certain)
    return _clocked(own, offset_us)


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines, those of one trip and verdict that touch as one."""
    ordered = lines.sort("trip", "start_us", "end_us")
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in ("trip", "verdict"))
    follows = (same & (pl.col("start_us") == pl.col("end_us").shift(1))).fill_null(value=False)
    numbered = ordered.with_columns(follows=follows, line=(~follows).cast(pl.Int64).cum_sum())
    later = (
        pl.when("follows").then(pl.col(name).list.slice(1)).otherwise(pl.col(name)).alias(name) for name in VERTICES
    )
    return (
        numbered.with_columns(*later)
        .group_by("line", maintain_order=True)
        .agg(
            pl.col("trip", "start_us", "verdict").first(),
            pl.col("end_us").last(),
            pl.col(VERTICES).list.explode(keep_nulls=False, empty_as_null=False),
        )
        .drop("line")
    )


def _holes(holes: pl.DataFrame) -> pl.DataFrame:
    """Return the holes as straight lines."""
    ends = {
        name: pl.concat_list(f"last_{name}", f"next_{name}").list.eval(pl.element().round(DIGITS))
        for name in ("longitude", "latitude")
    }
    ends["time_us"] = pl.concat_list("last_us", "next_us")
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
