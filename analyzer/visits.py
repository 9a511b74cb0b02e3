"""When each vehicle was in which zone: from an entry to an exit, for the report.

A visit starts where the way crosses a border, a trip starts or a hole ends, and ends likewise.
What lies in a hole is not assumed: a visit ends before it and another starts behind it.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.findings import as_instants, trip_names
from analyzer.tables import VISITS, conform, empty
from analyzer.terms import SECOND_US
from analyzer.track import Track


def visit_parts(track: Track) -> pl.DataFrame:
    """Return the visits of a shard: trip (of the shard), zone (index), start_us and end_us (UTC)."""
    members = [np.flatnonzero(row).tolist() for row in track.index.combinations.matrix()]
    zones = pl.Series(members, dtype=pl.List(pl.Int64))
    pieces = track.pieces.filter((pl.col("end_us") > pl.col("start_us")) | pl.col("ends_run"))
    offset = pl.Series(track.fixes.trips["offset_us"].to_numpy()[pieces["trip"].to_numpy()])
    same = pieces.select(
        "trip",
        zone=pl.col("combination").cast(pl.Int64),
        start_us=pl.col("start_us") - offset,
        end_us=pl.col("end_us") - offset,
    )
    whole = _joined(same)
    inside = whole.with_columns(zone=zones.gather(whole["zone"])).explode("zone", keep_nulls=False, empty_as_null=False)
    return _joined(inside)


def _joined(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the parts, those of one trip and zone that touch as one."""
    ordered = parts.sort("trip", "zone", "start_us", "end_us")
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in ("trip", "zone"))
    follows = (same & (pl.col("start_us") == pl.col("end_us").shift(1))).fill_null(value=False)
    numbered = ordered.with_columns(visit=(~follows).cast(pl.Int64).cum_sum())
    firsts = (pl.col(name).first() for name in ("trip", "zone", "start_us"))
    return numbered.group_by("visit", maintain_order=True).agg(*firsts, pl.col("end_us").last()).drop("visit")


def visits_table(
    parts: pl.DataFrame, holes: pl.DataFrame, trips: pl.DataFrame, zone_ids: Sequence[str]
) -> pl.DataFrame:
    """Return the table of visits; `parts` and `holes` have `trip`, the row of `trips`."""
    if parts.is_empty():
        return empty(VISITS)
    visits = _joined(parts)
    trip = visits["trip"].to_numpy()
    begins = _how(visits["start_us"], trip, trips["start_us"], holes, "next_us", ("entry", "trip-start"))
    ends = _how(visits["end_us"], trip, trips["end_us"], holes, "last_us", ("exit", "trip-end"))
    named = trip_names(trips, visits["trip"]).with_columns(
        zone_id=pl.Series(zone_ids, dtype=pl.String).gather(visits["zone"]),
        start=as_instants(visits["start_us"]),
        end=as_instants(visits["end_us"]),
        duration_s=(visits["end_us"] - visits["start_us"]) / SECOND_US,
        starts_with=begins,
        ends_with=ends,
    )
    return conform(named, VISITS)


def _how(  # noqa: PLR0913 - one end of all visits
    time_us: pl.Series, trip: np.ndarray, bound_us: pl.Series, holes: pl.DataFrame, edge: str, words: tuple[str, str]
) -> pl.Series:
    """Return how visits start or end: at a border, with the trip (at `bound_us`), or at the `edge` of a hole."""
    at_border, with_trip = words
    at = pl.DataFrame({"trip": trip, "us": time_us})
    known = holes.select(pl.col("trip"), us=pl.col(edge)).unique().with_columns(hole=pl.lit(value=True))
    hole = at.join(known, on=("trip", "us"), how="left", maintain_order="left")["hole"].fill_null(value=False)
    own = np.where(hole.to_numpy(), "hole", at_border)
    return pl.Series(np.where(time_us.to_numpy() == bound_us.to_numpy()[trip], with_trip, own), dtype=pl.String)
