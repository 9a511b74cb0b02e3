"""Recorder streams, whose record order is the truth: a clock that steps back starts a new trip."""

from pathlib import Path

import polars as pl

from analyzer.logs._profile import Profile
from analyzer.logs._remarks import Remark


def vehicle_and_remarks(path: str, profile: Profile, said: str | None = None) -> tuple[str, tuple[Remark, ...]]:
    """Return the vehicle of a file: the profile's, the one said in it, or one called after the file."""
    named = profile.fixed.get("vehicle_id") or said
    if named is not None:
        return named, ()
    name = Path(path).name.split(".")[0]
    return name, (Remark("vehicle-from-file", path, words=(name,)),)


def with_sessions(path: str, records: pl.DataFrame, profile: Profile) -> tuple[pl.DataFrame, tuple[Remark, ...]]:
    """Return records in order of the file with `trip_id` where the clock steps back, and what to say of it.

    The first session has the profile's trip id or none, the next ones `NAME#2`, `NAME#3`, ….
    """
    own = profile.fixed.get("trip_id")
    session = _session(records)
    steps = int(session.max() or 0)  # type: ignore[arg-type]
    if not steps:
        return (records.with_columns(trip_id=pl.lit(own)) if own else records), ()
    name = own or Path(path).name.split(".")[0]
    later = pl.concat_str(pl.lit(f"{name}#"), session + 1)
    named = records.with_columns(trip_id=pl.select(pl.when(session > 0).then(later).otherwise(pl.lit(own))).to_series())
    return named, (Remark("clock-back", path, steps),)


def _session(records: pl.DataFrame) -> pl.Series:
    """Return how often the clock has stepped back before each record."""
    return (records["time"].to_physical().diff() < 0).fill_null(value=False).cast(pl.Int64).cum_sum()


def fixed_columns(profile: Profile) -> dict[str, pl.Expr]:
    """Return what a profile says of every record of a log."""
    names = ("vehicle_type", "control_mode", "operator")
    return {name: pl.lit(profile.fixed[name]) for name in names if name in profile.fixed}
