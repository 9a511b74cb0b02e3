"""How long each vehicle drove how fast: time by steps of 1 km/h, for the report's distribution.

The speed of a fix holds up to the next; what lies in holes is not observed and not counted.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.exposure import zone_names
from analyzer.tables import SPEEDS, conform, empty
from analyzer.terms import CONTROL_MODES, SECOND_US
from analyzer.track import Track, fix_at

KEYS = ("vehicle_id", "zone_id", "control_mode", "speed_kph")


def speed_parts(track: Track, zone_ids: Sequence[str]) -> pl.DataFrame:
    """Return partial sums by KEYS: observed_us.

    `speed_kph` is the upper end of a step (0: standing), null where the speed is unknown.
    """
    pieces, fixes = track.pieces, track.fixes
    start, end = (pieces[name].to_numpy() for name in ("start_us", "end_us"))
    cuts = np.unique(np.concatenate([start, fixes.clock_us]))
    piece = np.searchsorted(start, cuts, side="right") - 1
    until = np.minimum(np.append(cuts[1:], cuts[-1:]), end[piece])
    inside = (piece >= 0) & (until > cuts)
    cuts, piece, until = cuts[inside], piece[inside], until[inside]
    speed = np.round(fixes.speed_kph[fix_at(fixes, cuts)], 6)
    parts = pl.DataFrame(
        {
            "trip": pieces["trip"].gather(piece),
            "combination": pieces["combination"].gather(piece),
            "control_mode": pieces["control_mode"].gather(piece),
            "speed_kph": np.ceil(speed),
            "observed_us": until - cuts,
        }
    )
    summed = parts.group_by("trip", "combination", "control_mode", "speed_kph").agg(pl.col("observed_us").sum())
    names = pl.Series(zone_names(track, zone_ids), dtype=pl.String)
    return summed.select(
        vehicle_id=fixes.trips["vehicle_id"].gather(summed["trip"]),
        zone_id=names.gather(summed["combination"].cast(pl.UInt32)),
        control_mode=pl.Series(CONTROL_MODES, dtype=pl.String).gather(summed["control_mode"].cast(pl.UInt32)),
        speed_kph=pl.col("speed_kph").fill_nan(None),
        observed_us="observed_us",
    )


def speeds_table(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the table of speeds from partial sums."""
    if parts.is_empty():
        return empty(SPEEDS)
    summed = parts.group_by(KEYS).agg(pl.col("observed_us").sum())
    return conform(summed.with_columns(observed_s=pl.col("observed_us") / SECOND_US), SPEEDS)
