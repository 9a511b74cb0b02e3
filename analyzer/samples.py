"""Speed and mode samples between two position fixes become fixes with an interpolated position.

A recording of several streams says its speed and mode at other instants than its
position. A sample inside an observed segment becomes a fix there (`is_sample` stays
true: its position is interpolated); one at the very instant of a fix completes that
fix; one inside a hole or outside a trip is no fix: it is counted.
"""

import numpy as np
import polars as pl

from analyzer.geometry import ground_distance_m
from analyzer.rules import Evaluation
from analyzer.terms import SECOND_US

SPEED_AGE_US = SECOND_US
"""A speed of another stream is carried forward no longer than this."""

_VALUES = ("speed_kph", "control_mode", "control_mode_raw", "operator")


def insert_samples(
    fixes: pl.DataFrame, samples: pl.DataFrame, evaluation: Evaluation
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the fixes with the samples among them, and (vehicle_id, file, others): samples left out.

    `fixes` are sorted by trip and time and have `trip`; so does the result.
    """
    if samples.is_empty():
        return fixes, _counts(samples)
    placed = _placed(fixes, samples)
    held = _observed(fixes, placed, evaluation)
    at_fix = pl.col("time") == pl.col("fix_time")
    completed = _completed(fixes, placed.filter(at_fix))
    between = placed.filter(held & ~placed.select(at_fix.fill_null(value=False)).to_series())
    inserted = _one_an_instant(_interpolated(fixes, between))
    merged = pl.concat([completed, inserted.select(completed.columns)])
    carried = _carried(merged.sort("trip", "time"), evaluation)
    return _unknown_if_old(_from_before(carried, samples, evaluation), samples), _left_out(samples, inserted)


def _placed(fixes: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Return the samples with the index and instant of the fix at or before each, null if none."""
    keys = fixes.select(
        pl.col("vehicle_id").cast(pl.String),
        "trip_id",
        "time",
        pl.col("time").alias("fix_time"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("fix"),
    ).sort("time", maintain_order=True)
    wanted = samples.with_columns(
        pl.col("vehicle_id").cast(pl.String), pl.col("trip_id").cast(pl.String).fill_null("")
    ).sort("time", "file", "record")
    by = ["vehicle_id", "trip_id"]
    return wanted.join_asof(keys, on="time", by=by, strategy="backward", check_sortedness=False)


def _observed(fixes: pl.DataFrame, placed: pl.DataFrame, evaluation: Evaluation) -> pl.Series:
    """Return which samples lie between two fixes of one trip without a hole between them."""
    trip = fixes["trip"].to_numpy()
    time = fixes["time"].to_physical().to_numpy()
    lon, lat = fixes["longitude"].to_numpy(), fixes["latitude"].to_numpy()
    near = placed["fix"].fill_null(len(trip)).to_numpy()
    far = near + 1
    good = far < len(trip)
    near, far = np.where(good, near, 0), np.where(good, far, 0)
    gap_us = time[far] - time[near]
    metres = ground_distance_m(lon[near], lat[near], lon[far], lat[far])
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = 3.6 * metres / (gap_us / SECOND_US)
    good &= (trip[near] == trip[far]) & (gap_us <= round(evaluation.max_gap_s * SECOND_US))
    return pl.Series(good & ~(implied > evaluation.max_plausible_kph))


def _completed(fixes: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Return the fixes, what they do not say taken from samples of the same instant."""
    last = [pl.col(name).drop_nulls().last() for name in _VALUES]
    values = samples.group_by("fix", maintain_order=True).agg(last)
    indexed = fixes.with_columns(fix=pl.int_range(pl.len(), dtype=pl.Int64))
    joined = indexed.join(values, on="fix", how="left", suffix="_sample", maintain_order="left")
    filled = [pl.col(n).cast(values.schema[n]).fill_null(pl.col(f"{n}_sample")) for n in _VALUES]
    return joined.with_columns(filled).select(fixes.columns)


def _interpolated(fixes: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Return the samples with trip, position and accuracy from the fixes around them."""
    near = samples["fix"].to_numpy()
    time = fixes["time"].to_physical().to_numpy()
    at = samples["time"].to_physical().to_numpy()
    share = (at - time[near]) / (time[near + 1] - time[near])

    def between(name: str) -> pl.Series:
        values = fixes[name].to_numpy()
        return pl.Series(values[near] + share * (values[near + 1] - values[near]))

    accuracy = fixes["horizontal_accuracy_m"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    worst = pl.Series(np.maximum(accuracy[near], accuracy[near + 1])).fill_nan(None)
    return samples.with_columns(
        longitude=between("longitude"),
        latitude=between("latitude"),
        horizontal_accuracy_m=worst,
        trip=fixes["trip"].gather(near),
        vehicle_type=fixes["vehicle_type"].gather(near),
    )


def _one_an_instant(samples: pl.DataFrame) -> pl.DataFrame:
    """Return one row an instant of a trip, with the last value said of each kind."""
    kept = [name for name in samples.columns if name not in ("trip", "time")]
    last = [pl.col(n).drop_nulls().last() if n in _VALUES else pl.col(n).last() for n in kept]
    return samples.group_by("trip", "time", maintain_order=True).agg(last)


def _carried(fixes: pl.DataFrame, evaluation: Evaluation) -> pl.DataFrame:
    """Return the fixes with speeds and modes of other streams carried forward while fresh."""
    mode_age_us = round(evaluation.max_mode_age_s * SECOND_US)
    mode_age = _age_us("control_mode") <= mode_age_us
    return fixes.with_columns(
        pl.when(_age_us("speed_kph") <= SPEED_AGE_US).then(pl.col("speed_kph").forward_fill().over("trip")),
        pl.when(mode_age).then(pl.col("control_mode").forward_fill().over("trip")),
        pl.when(mode_age).then(pl.col("control_mode_raw").forward_fill().over("trip")),
    )


def _from_before(fixes: pl.DataFrame, samples: pl.DataFrame, evaluation: Evaluation) -> pl.DataFrame:
    """Return the fixes, modes they still lack taken from samples before the trip while those are fresh.

    A mode that is said only when it changes may be said before the first position.
    """
    names = ["control_mode", "control_mode_raw"]
    by = ["vehicle_id", "trip_id"]
    keys = [pl.col(name).cast(pl.String).fill_null("") for name in by]
    said = samples.filter(pl.col("control_mode").is_not_null()).sort("time", "file", "record")
    if said.is_empty() or not fixes["control_mode"].null_count():
        return fixes
    wanted = fixes.select("time", *keys, row=pl.int_range(pl.len())).sort("time", maintain_order=True)
    tolerance = f"{round(evaluation.max_mode_age_s * SECOND_US)}us"
    found = wanted.join_asof(
        said.select("time", *keys, *names), on="time", by=by, tolerance=tolerance, check_sortedness=False
    ).sort("row")
    lacks = pl.col("control_mode").is_null()
    return fixes.with_columns(pl.when(lacks).then(found[name]).otherwise(pl.col(name)).alias(name) for name in names)


def _unknown_if_old(fixes: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Return the fixes with an unknown mode where a recording that says modes has none that is fresh.

    No mode is assumed for a log that says one, also where all of it lies before a trip.
    """
    files = samples.filter(pl.col("control_mode").is_not_null())["file"].unique()
    is_old = pl.col("control_mode").is_null() & pl.col("file").is_in(files.implode())
    return fixes.with_columns(
        pl.when(is_old)
        .then(pl.lit("unknown", dtype=fixes.schema["control_mode"]))
        .otherwise("control_mode")
        .alias("control_mode")
    )


def _age_us(name: str) -> pl.Expr:
    """Return the microseconds since the trip last said `name`."""
    said = pl.when(pl.col(name).is_not_null()).then(pl.col("time"))
    return (pl.col("time") - said.forward_fill().over("trip")).dt.total_microseconds()


def _counts(samples: pl.DataFrame) -> pl.DataFrame:
    """Return the number of samples a vehicle and file."""
    counts = samples.group_by("vehicle_id", "file").agg(pl.len().cast(pl.Int64).alias("others"))
    return counts.with_columns(pl.col("vehicle_id").cast(pl.String)).sort("vehicle_id", "file")


def _left_out(samples: pl.DataFrame, inserted: pl.DataFrame) -> pl.DataFrame:
    """Return (vehicle_id, file, others): samples that did not become a fix of their own."""
    used = _counts(inserted).rename({"others": "used"})
    counts = _counts(samples).join(used, on=("vehicle_id", "file"), how="left", maintain_order="left")
    return counts.select("vehicle_id", "file", pl.col("others") - pl.col("used").fill_null(0))
