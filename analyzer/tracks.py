"""Trips as polylines of one verdict each, simplified for drawing."""

import numpy as np
import polars as pl
import shapely

from analyzer.epochs import within
from analyzer.evidence import Scene, paths_of
from analyzer.finding_table import as_instants
from analyzer.tables import TRACKS, conform, empty
from analyzer.terms import CONTROL_MODES

SIMPLIFY_DEG = 5e-6
"""Drawn lines leave out vertices that matter less than about half a metre."""

DIGITS = 7


def tracks_of(scene: Scene, findings: pl.DataFrame) -> pl.DataFrame:
    """Return the table of tracks of a shard; `findings` have start_us, end_us (clock) and certain."""
    stretches = _stretches(scene, findings)
    if stretches.is_empty():
        return empty(TRACKS)
    paths = paths_of(scene, stretches, np.zeros(stretches.height, dtype=np.int64))
    points = np.column_stack([paths.longitude, paths.latitude])
    several = np.bincount(paths.path)[paths.path] > 1
    lines = shapely.linestrings(points[several], indices=np.unique(paths.path[several], return_inverse=True)[1])
    drawn = stretches.filter(pl.Series(np.bincount(paths.path) > 1))
    simple = shapely.simplify(lines, SIMPLIFY_DEG)
    return _table(scene, drawn, simple)


def _stretches(scene: Scene, findings: pl.DataFrame) -> pl.DataFrame:
    """Return stretches of trips of one verdict, and the holes between them."""
    fixes = scene.track.fixes
    needed_for = scene.rulebook.zone_set.rules.evaluation.permit_needed_for
    needed = np.isin(CONTROL_MODES, needed_for)
    certain = findings["certain"].to_numpy().astype(bool)
    spans = [findings["start_us"].to_numpy(), findings["end_us"].to_numpy()]
    bad, unsure = (_union(*(s[m] for s in spans)) for m in (certain, ~certain))
    pieces = scene.track.pieces
    cut = _cut(pieces, np.unique(np.concatenate([bad.ravel(), unsure.ravel()])))
    start = cut["start_us"].to_numpy()
    verdict = np.where(needed[cut["control_mode"].to_numpy()], "compliant", "not_required")
    verdict = np.where(within(start, unsure), "indeterminate", verdict)
    verdict = np.where(within(start, bad), "violation", verdict)
    labelled = cut.select("trip", "run", "start_us", "end_us").with_columns(verdict=pl.Series(verdict))
    key = pl.struct("trip", "run", "verdict").rle_id()
    merged = labelled.group_by(key.alias("line"), maintain_order=True).agg(
        pl.col("trip", "run", "start_us", "verdict").first(), pl.col("end_us").last()
    )
    last = np.flatnonzero(fixes.hole_after[:-1])
    last = last[fixes.trip[last + 1] == fixes.trip[last]]
    holes = pl.DataFrame(
        {
            "trip": fixes.trip[last],
            "start_us": fixes.clock_us[last],
            "end_us": fixes.clock_us[last + 1],
            "verdict": ["not_observed"] * len(last),
        }
    )
    columns = ["trip", "start_us", "end_us", "verdict"]
    both = pl.concat([merged.select(columns), holes.select(columns).cast(merged.select(columns).schema)])
    return both.sort("trip", "start_us", "end_us").with_columns(ends_run=pl.lit(value=False))


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
    cut = pieces[piece].with_columns(start_us=pl.Series(begin), end_us=pl.Series(finish))
    return cut.filter(pl.col("end_us") > pl.col("start_us"))


def _table(scene: Scene, drawn: pl.DataFrame, lines: np.ndarray) -> pl.DataFrame:
    """Return the rows of the table of tracks."""
    trips = scene.track.fixes.trips[drawn["trip"].to_numpy()]
    offset = trips["offset_us"].to_numpy()
    points, owner = shapely.get_coordinates(lines, return_index=True)
    rounded = pl.DataFrame({"line": owner, "longitude": points[:, 0], "latitude": points[:, 1]})
    vertices = (
        rounded.with_columns(pl.col("longitude", "latitude").round(DIGITS))
        .group_by("line", maintain_order=True)
        .agg("longitude", "latitude")
    )
    names = trips.select("vehicle_id", "trip_id").with_columns(
        trip_start=as_instants(trips["start_us"].to_numpy()),
        start=as_instants(drawn["start_us"].to_numpy() - offset),
        end=as_instants(drawn["end_us"].to_numpy() - offset),
        verdict=drawn["verdict"],
        longitude=vertices["longitude"],
        latitude=vertices["latitude"],
    )
    return conform(names, TRACKS)
