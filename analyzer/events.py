"""Changes of the control mode: disengagements and others, with time, place and zone."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.exposure import zone_names
from analyzer.findings import as_instant, mode_names, trip_names
from analyzer.tables import EVENTS, conform
from analyzer.terms import DISENGAGED_TO, SECOND_US
from analyzer.track import Track

FLIP_US = SECOND_US // 2
"""A mode held for less than this, between two others, is a flip and no mode of its own."""


def phases_of(track: Track, zone_ids: Sequence[str]) -> pl.DataFrame:
    """Return the first fix of every stretch of one mode within a leg and a run.

    trip (of the shard), time_us, control_mode (index), longitude, latitude, zone_id, file, record.
    """
    fixes = track.fixes
    new = np.ones(len(fixes) + 1, dtype=bool)
    new[1:-1] = fixes.control_mode[1:] != fixes.control_mode[:-1]
    new[fixes.holes + 1] = True
    new[fixes.trips["own_first"].to_numpy()] = True
    first = np.flatnonzero(new[:-1])
    trip = fixes.trip[first]
    low, high = (fixes.trips[name].to_numpy()[trip] for name in ("own_first", "own_last"))
    first = first[(first >= low) & (first <= high)]
    names = pl.Series(zone_names(track, zone_ids), dtype=pl.String)
    return pl.DataFrame(
        {
            "trip": fixes.trip[first].astype(np.int64),
            "time_us": fixes.time_us[first],
            "control_mode": fixes.control_mode[first],
            "longitude": fixes.longitude[first],
            "latitude": fixes.latitude[first],
            "zone_id": names.gather(track.combination[first]),
            "file": fixes.file[first],
            "record": fixes.record[first],
        }
    )


def events_table(phases: pl.DataFrame, holes: pl.DataFrame, trips: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """Return the table of events; trips whose log never says a mode have none.

    `phases` and `holes` have `trip`, the number of a row of `trips`.
    """
    offset = trips["offset_us"].to_numpy()
    ordered = phases.sort("trip", "time_us")
    clock = ordered["time_us"].to_numpy() + offset[ordered["trip"].to_numpy()]
    ends = np.sort(holes["last_us"].to_numpy() + offset[holes["trip"].to_numpy()])
    timed = ordered.with_columns(clock=pl.Series(clock), run=pl.Series(np.searchsorted(ends, clock)))
    kept = _without_flips(_joined(timed))
    same_run = pl.all_horizontal(pl.col(n) == pl.col(n).shift(1) for n in ("trip", "run"))
    other_mode = pl.col("control_mode") != pl.col("control_mode").shift(1)
    said = trips["mode_said"].gather(kept["trip"])
    changes = kept.with_columns(before=pl.col("control_mode").shift(1)).filter(same_run & other_mode & said)
    return _table(changes, trips, files)


def _joined(phases: pl.DataFrame) -> pl.DataFrame:
    """Return the phases, those cut by the end of a leg alone as one."""
    key = ("trip", "run", "control_mode")
    return phases.filter(pl.any_horizontal(pl.col(n) != pl.col(n).shift(1) for n in key).fill_null(value=True))


def _without_flips(phases: pl.DataFrame) -> pl.DataFrame:
    """Return the phases less those held for a moment between two others of the same run."""
    inner = pl.all_horizontal(
        pl.col(name) == pl.col(name).shift(by) for name in ("trip", "run") for by in (1, -1)
    ).fill_null(value=False)
    lasts_us = pl.col("clock").shift(-1) - pl.col("clock")
    return phases.filter(~(inner & (lasts_us < FLIP_US)).fill_null(value=False))


def _table(changes: pl.DataFrame, trips: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """Return the rows of the changes, with names."""
    from_mode, to_mode = mode_names(changes["before"]), mode_names(changes["control_mode"])
    disengaged = (pl.col("from_mode") == "autonomous") & pl.col("to_mode").is_in(DISENGAGED_TO)
    own = changes.select(
        "longitude",
        "latitude",
        "zone_id",
        "record",
        time=as_instant(pl.col("time_us")),
        from_mode=from_mode,
        to_mode=to_mode,
        initiated_by=pl.lit("unknown"),
        cause=pl.lit("unknown"),
        file=pl.Series(files, dtype=pl.String).gather(changes["file"]),
    )
    event = pl.when(disengaged).then(pl.lit("disengagement")).otherwise(pl.lit("mode-change"))
    named = trip_names(trips, changes["trip"]).hstack(own)
    return conform(named.lazy().with_columns(event=event), EVENTS)
