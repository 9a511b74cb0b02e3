"""Modes and operators of another file, joined to records as of their time.

A record takes the last state of its vehicle at or before its own instant, where that is no
older than the tolerance; what the log says itself stands. A record of a vehicle that the
file knows, but without a state fresh enough, is `unknown`. Every record is looked at by
itself, so that the division of a log changes nothing; only a recording, which is never
divided, takes nothing of what it says itself by messages beside its positions.
"""

from collections.abc import Iterable

import numpy as np
import polars as pl

from analyzer.logs import States
from analyzer.records import record
from analyzer.terms import CONTROL_MODES, OPERATORS, SECOND_US

WORDS = {"control_mode": CONTROL_MODES, "operator": OPERATORS}


@record(frozen=True)
class Join:
    """States by vehicle, and how old one may be."""

    states: States
    tolerance_us: int

    @staticmethod
    def of(states: States, tolerance_s: float) -> "Join":
        """Take a tolerance in seconds."""
        return Join(states, round(tolerance_s * SECOND_US))


@record(frozen=True)
class Joined:
    """How many records took a state, how many found none, and the age of the oldest taken, in microseconds."""

    matched: int = 0
    unmatched: int = 0
    oldest_us: int = 0

    @staticmethod
    def total(parts: Iterable["Joined"]) -> "Joined":
        """Return the sum of the counts and the largest age."""
        found = list(parts)
        return Joined(
            sum(p.matched for p in found), sum(p.unmatched for p in found), max((p.oldest_us for p in found), default=0)
        )


def with_states(records: pl.DataFrame, join: Join) -> tuple[pl.DataFrame, Joined]:
    """Return the records with what the joined file says of them, and how many it speaks of."""
    table = join.states.table
    wanted = [name for name in WORDS if name in table.columns and not _says_in_samples(records, name)]
    place, age_us = _places(records, join)
    known = records["vehicle_id"].cast(pl.String).is_in(table["vehicle_id"].unique().implode()).to_numpy()
    asked = np.full(records.height, bool(wanted))
    if "is_sample" in records.columns:
        asked &= ~records["is_sample"].fill_null(value=False).to_numpy()
    fresh = asked & (place >= 0)
    columns = [_filled(records, table, name, place, asked & known) for name in wanted]
    oldest = int(age_us[fresh].max()) if fresh.any() else 0
    return records.with_columns(columns), Joined(int(fresh.sum()), int((asked & ~fresh).sum()), oldest)


def _says_in_samples(records: pl.DataFrame, name: str) -> bool:
    """Return whether a recording says something itself, by messages of its own beside the positions."""
    if "is_sample" not in records.columns or name not in records.columns:
        return False
    return bool(records.select((pl.col("is_sample") & pl.col(name).is_not_null()).any()).item())


def _places(records: pl.DataFrame, join: Join) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of the state of each record (-1: none is fresh enough), and its age in microseconds."""
    table = join.states.table.select("vehicle_id", "time").with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64))
    wanted = records.select(
        pl.col("vehicle_id").cast(pl.String), "time", pl.int_range(pl.len(), dtype=pl.Int64).alias("row")
    )
    states = table.with_columns(since=pl.col("time")).sort("time", maintain_order=True)
    found = (
        wanted.sort("time", maintain_order=True)
        .join_asof(states, on="time", by="vehicle_id", strategy="backward", check_sortedness=False)
        .sort("row")
        .with_columns(age=(pl.col("time") - pl.col("since")).dt.total_microseconds())
    )
    age = found["age"].fill_null(-1).to_numpy()
    place = found["place"].fill_null(-1).to_numpy()
    return np.where((age >= 0) & (age <= join.tolerance_us), place, -1), age


def _filled(records: pl.DataFrame, table: pl.DataFrame, name: str, place: np.ndarray, known: np.ndarray) -> pl.Series:
    """Return a column of the records, what it does not say taken from the states, else unknown."""
    ours = pl.Enum(WORDS[name])
    rows = pl.Series(np.where(place >= 0, place, 0)).cast(pl.UInt32)
    frame = pl.DataFrame(
        {
            "said": records[name] if name in records.columns else pl.Series([None] * records.height, dtype=ours),
            "state": table[name].gather(rows),
            "fresh": place >= 0,
            "known": known,
        },
        schema_overrides={"said": ours, "state": ours},
    )
    state = pl.when(pl.col("fresh")).then(pl.col("state")).fill_null("unknown")
    return frame.select(pl.coalesce("said", pl.when("known").then(state)).alias(name))[name]
