"""One line per trip and check: what can be said of the whole trip."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

from analyzer.rulebook import Rulebook
from analyzer.rules import Evaluation
from analyzer.sentence import Check
from analyzer.stated import SAID
from analyzer.tables import COVERAGE, conform
from analyzer.terms import SECOND_US


def asked_lines(trips: pl.DataFrame, rulebook: Rulebook, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return (trip, check, observed_share, not_checkable) for every line of the trips."""
    may_bind = _may_bind(trips, rulebook)
    shares = trips["observed_share"].to_numpy()
    asked, lacking = [], []
    for code, check in checks.items():
        asked.append((may_bind & _asks(rulebook, code)).any(axis=1) | _always(rulebook, check))
        said = [trips[need].to_numpy() for need in SAID if need in check.needs]
        lacking.append(~np.all(said, axis=0) if said else np.zeros(trips.height, dtype=bool))
    trip, number = np.nonzero(np.transpose(asked))
    return pl.DataFrame(
        {
            "trip": trip,
            "observed_share": shares[trip],
            "not_checkable": np.array(lacking)[number, trip],
            "check": pl.Series(list(checks), dtype=pl.String).gather(number),
        }
    )


def _always(rulebook: Rulebook, check: Check) -> bool:
    """Return whether a check is asked of every trip: of trips always, of place with any permit."""
    return "trip" in check.scopes or ("place" in check.scopes and bool(rulebook.is_permit.any()))


def _asks(rulebook: Rulebook, code: str) -> np.ndarray:
    """Return (R,) which rules ask a check."""
    permit = rulebook.is_permit
    asks = {
        "speed-limit": ~np.isnan(rulebook.limit_kph),
        "operating-hours": permit & rulebook.hours_asked,
        "driving-mode": permit & rulebook.modes_named,
        "safety-operator": permit & rulebook.operator_asked,
        "no-entry": ~permit & rulebook.no_entry,
    }
    return asks.get(code, np.zeros(len(permit), dtype=bool))


def _may_bind(trips: pl.DataFrame, rulebook: Rulebook) -> np.ndarray:
    """Return (trips, R): rules in force at some time of the trip that match, or may match."""
    start, end = trips["start_us"].to_numpy()[:, None], trips["end_us"].to_numpy()[:, None]
    never = np.iinfo(np.int64).max
    effective = np.array([r.effective_us for r in rulebook.rules], dtype=np.int64)
    until = np.array([never if r.until_us is None else r.until_us for r in rulebook.rules], dtype=np.int64)
    in_force = (effective <= end) & (until > start) & (until > effective)
    match = cache(lambda vehicle, types: np.any([rulebook.match_of(vehicle, t or None) != 0 for t in types], axis=0))
    matched = [match(vehicle, tuple(types)) for vehicle, types in trips.select("vehicle_id", "types").iter_rows()]
    return in_force & np.array(matched, dtype=bool).reshape(in_force.shape)


LINE = ("vehicle_id", "trip_id", "trip_start", "check")


def coverage_table(
    lines: pl.DataFrame, findings: pl.DataFrame, suppressed: pl.DataFrame, evaluation: Evaluation
) -> pl.DataFrame:
    """Return the table of coverage.

    `lines` are the asked lines with names; `suppressed` the findings left out, by the same
    names, with `verdict` and `duration_s`; `evaluation` the settings.
    """
    found = (
        findings.lazy()
        .group_by(LINE)
        .agg(
            pl.len().cast(pl.Int64).alias("findings"),
            *((pl.col("verdict") == v).any().alias(v) for v in ("violation", "indeterminate", "not_observed")),
        )
    )
    certain_us = (pl.col("duration_s") * SECOND_US).round().filter(pl.col("verdict") == "violation")
    left_out = (
        suppressed.lazy()
        .group_by(LINE)
        .agg(pl.len().cast(pl.Int64).alias("suppressed"), certain_us.sum().alias("certain_us"))
    )
    joined = lines.lazy().join(found, on=LINE, how="left").join(left_out, on=LINE, how="left")
    filled = joined.with_columns(
        pl.col("findings", "suppressed").fill_null(0),
        pl.col("violation", "indeterminate", "not_observed").fill_null(value=False),
        certain=pl.col("certain_us") >= round(evaluation.min_duration_s * SECOND_US),
    )
    unseen = pl.col("observed_share") < evaluation.min_observed_share
    moved = pl.col("not_observed") & (pl.col("check") == "unlogged-movement")
    verdict = (
        pl.when("violation")
        .then(pl.lit("violation"))
        .when(pl.col("indeterminate") | pl.col("certain"))
        .then(pl.lit("indeterminate"))
        .when("not_checkable")
        .then(pl.lit("not_checkable"))
        .when(unseen | moved)
        .then(pl.lit("not_observed"))
        .otherwise(pl.lit("compliant"))
    )
    return conform(filled.with_columns(verdict=verdict), COVERAGE)
