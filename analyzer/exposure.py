"""How far and how long each vehicle drove: per local day, zone and control mode.

Sums are of whole microseconds and micrometres, so no order of adding changes a digit.
The time of a hole is given to what was last known before it, and is not observed.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.fixes import Fixes
from analyzer.geometry import MICROMETRES
from analyzer.tables import EXPOSURE, conform
from analyzer.terms import CONTROL_MODES, SECOND_US
from analyzer.track import Track, cut_pieces, fix_at
from analyzer.windows import local_midnights

KEYS = ("vehicle_id", "local_date", "zone_id", "control_mode")


def exposure_parts(track: Track, timezone: str, zone_ids: Sequence[str]) -> pl.DataFrame:
    """Return partial sums of the legs by KEYS: way_um, duration_us, observed_us, top_speed_kph (null unknown).

    The pieces of the track are cut at midnight, and have `way_um` and `top_speed_kph`.
    """
    fixes = track.fixes
    midnights = local_midnights(timezone, int(fixes.time_us.min()), int(fixes.time_us.max()))
    days = np.array([us for us, _ in midnights], dtype=np.int64)
    dates = pl.Series([date for _, date in midnights], dtype=pl.Date)
    both = pl.concat([_driven(track), _holes(track, track.pieces, days)])
    parts = both.with_columns(local_date=dates.gather(pl.Series(_day_of(days, fixes, both))))
    keys = ("trip", "local_date", "combination", "control_mode")
    return sum_parts(_named(_summed(parts, keys), fixes, track, zone_ids))


def _day_of(days: np.ndarray, fixes: Fixes, parts: pl.DataFrame) -> np.ndarray:
    """Return the index of the local day in which each part starts."""
    offset = fixes.trips["offset_us"].to_numpy()[parts["trip"].to_numpy()]
    return np.maximum(np.searchsorted(days, parts["start_us"].to_numpy() - offset, side="right") - 1, 0)


def _driven(track: Track) -> pl.DataFrame:
    """Return way, time and top speed of each observed piece."""
    duration = pl.col("end_us") - pl.col("start_us")
    return track.pieces.select(
        "trip",
        "combination",
        "control_mode",
        "start_us",
        "way_um",
        duration_us=duration,
        observed_us=duration,
        top_speed_kph=pl.col("top_speed_kph").fill_nan(None),
    )


def _holes(track: Track, pieces: pl.DataFrame, days: np.ndarray) -> pl.DataFrame:
    """Return the time of each hole inside a trip, cut at midnights, in the state before it."""
    fixes = track.fixes
    before = pieces.filter("ends_run")
    last = fix_at(fixes, before["end_us"].to_numpy())
    after = np.minimum(last + 1, len(fixes) - 1)
    within = (after > last) & (fixes.trip[after] == fixes.trip[last])
    holes = before.with_columns(
        start_us=pl.Series(fixes.clock_us[last]),
        end_us=pl.Series(fixes.clock_us[after]),
        ends_run=pl.lit(value=False),
    ).filter(pl.Series(within))
    cut = cut_pieces(holes, fixes, days)
    return cut.select("trip", "combination", "control_mode", "start_us").with_columns(
        way_um=pl.lit(0, dtype=pl.Int64),
        duration_us=cut["end_us"] - cut["start_us"],
        observed_us=pl.lit(0, dtype=pl.Int64),
        top_speed_kph=pl.lit(None, dtype=pl.Float64),
    )


def zone_names(track: Track, zone_ids: Sequence[str]) -> list[str]:
    """Return the name of each combination: ids joined by `+` in file order, empty outside."""
    return ["+".join(np.array(zone_ids, dtype=object)[row]) for row in track.index.combinations.matrix()]


def _named(parts: pl.DataFrame, fixes: Fixes, track: Track, zone_ids: Sequence[str]) -> pl.DataFrame:
    """Return the parts with the names of vehicle, zone and mode."""
    names = pl.Series(zone_names(track, zone_ids), dtype=pl.String)
    modes = pl.Series(CONTROL_MODES, dtype=pl.String)
    return parts.with_columns(
        vehicle_id=fixes.trips["vehicle_id"].gather(parts["trip"]),
        zone_id=names.gather(parts["combination"].cast(pl.UInt32)),
        control_mode=modes.gather(parts["control_mode"].cast(pl.UInt32)),
    )


def sum_parts(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the partial sums added up by KEYS, sorted."""
    return _summed(parts, KEYS).sort(KEYS)


def _summed(parts: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return whole sums, and the top speed, by some keys."""
    sums = (pl.col(name).sum() for name in ("way_um", "duration_us", "observed_us"))
    return parts.group_by(keys).agg(*sums, pl.col("top_speed_kph").max())


def exposure_table(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the table of exposure from partial sums."""
    summed = sum_parts(parts)
    distance = pl.col("way_um") / MICROMETRES
    observed = pl.col("observed_us") / SECOND_US
    duration = pl.col("duration_us") / SECOND_US
    table = summed.lazy().with_columns(
        distance_m=distance,
        duration_s=duration,
        observed_s=observed,
        observed_share=pl.when(duration > 0).then(observed / duration),
        mean_speed_kph=pl.when(observed > 0).then(3.6 * distance / observed),
    )
    return conform(table, EXPOSURE)
