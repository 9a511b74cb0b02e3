"""Movements that nobody logged: where trips begin against where the vehicle's last one ended."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.findings import as_instant, mode_names
from analyzer.geometry import geodesic_m
from analyzer.rules import Evaluation
from analyzer.terms import SECOND_US


def unlogged_movements(trips: pl.DataFrame, evaluation: Evaluation, z: float, files: Sequence[str]) -> pl.DataFrame:
    """Return the findings of unlogged-movement over all trips (of `legs.trips_of`)."""
    if trips.is_empty():
        return pl.DataFrame()
    both = _pairs(trips)
    between_us = both["first_time_us"] - both["before_last_time_us"]
    places = ("before_last_longitude", "before_last_latitude", "first_longitude", "first_latitude")
    metres = geodesic_m(*(both[name].to_numpy() for name in places))
    driven_s = np.minimum(between_us.to_numpy() / SECOND_US, evaluation.max_gap_s)
    error = (
        z * (both["before_last_accuracy_m"] + both["first_accuracy_m"]).to_numpy()
        + both["before_last_speed_kph"].to_numpy() / 3.6 * driven_s
    )
    margin = metres - evaluation.unlogged_distance_m
    found = margin > error
    measured = both.with_columns(peak=pl.Series(metres), margin=pl.Series(margin), error=pl.Series(error)).filter(
        pl.Series(found)
    )
    return _table(measured, evaluation, files)


def _pairs(trips: pl.DataFrame) -> pl.DataFrame:
    """Return the trips, each beside the one of its vehicle that ended last before its start, if any."""
    by_end = trips.lazy().sort("last_time_us", "trip_id").select(pl.all().name.prefix("before_"))
    both = (
        trips.lazy()
        .sort("first_time_us", "trip_id")
        .join_asof(
            by_end,
            left_on="first_time_us",
            right_on="before_last_time_us",
            by_left="vehicle_id",
            by_right="before_vehicle_id",
            allow_exact_matches=False,
            coalesce=False,
            check_sortedness=False,  # both are sorted, whatever the vehicle
        )
    )
    earlier = both.filter(pl.col("before_last_time_us").is_not_null())
    return earlier.sort("vehicle_id", "first_time_us", "trip_id", maintain_order=True).collect(engine="in-memory")


def _table(found: pl.DataFrame, evaluation: Evaluation, files: Sequence[str]) -> pl.DataFrame:
    """Return the rows in the columns of the table of findings."""
    end = as_instant(pl.col("first_time_us"))
    places = {
        f"{name}_{axis}": f"{source}_{axis}"
        for name, source in (("start", "before_last"), ("end", "first"), ("peak", "first"))
        for axis in ("longitude", "latitude")
    }
    names = pl.Series(files, dtype=pl.String)
    return found.select(
        "vehicle_id",
        "trip_id",
        "peak",
        "margin",
        "error",
        trip_start=end,
        check=pl.lit("unlogged-movement"),
        verdict=pl.lit("not_observed"),
        start=as_instant(pl.col("before_last_time_us")),
        end=end,
        duration_s=(pl.col("first_time_us") - pl.col("before_last_time_us")) / SECOND_US,
        observed_s=pl.lit(0.0),
        control_mode=mode_names(found["before_last_mode"]),
        limit=pl.lit(evaluation.unlogged_distance_m),
        unit=pl.lit("m"),
        peak_time=end,
        decided_at=end,
        first_file=names.gather(found["before_last_file"]),
        first_record="before_last_record",
        last_file=names.gather(found["first_file"]),
        last_record="first_record",
        **places,
    )
