"""Stretches of all shards become findings: put together, filtered, merged, or suppressed; then named."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from analyzer.episodes import beyond, joined_over_holes, merged, touching
from analyzer.geometry import geodesic_m
from analyzer.judgement import NO_RULE
from analyzer.rulebook import Rulebook
from analyzer.rules import Evaluation
from analyzer.sentence import Check
from analyzer.tables import FINDINGS, empty
from analyzer.terms import CONTROL_MODES, SECOND_US

LEAST_DEPTH_M = 0.01
"""Excursions no deeper than this are none, whatever the buffer."""

MOMENTS = ("start_us", "end_us", "peak_us", "decided_us", "hole_end_us")
UNITS = {"outside-zone": "m", "no-entry": "m", "speed-limit": "km/h"}
ID_LENGTH = 12


def find(
    stretches: pl.DataFrame,
    holes: pl.DataFrame,
    offset_us: np.ndarray,
    evaluation: Evaluation,
    checks: Mapping[str, Check],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (findings, suppressed) in the columns of `stretches`; both have `trip`.

    `holes` has trip and last_us of every hole; `offset_us` makes, a trip, one rising clock
    of all trips' times.
    """
    if stretches.is_empty():
        return stretches, stretches
    clock = pl.Series(offset_us[stretches["trip"].to_numpy()])
    timed = stretches.with_columns(pl.col("check").cast(pl.Enum(list(checks))), *(pl.col(n) + clock for n in MOMENTS))
    whole = joined_over_holes(touching(timed), checks)
    deep = beyond(whole, checks, max(evaluation.border_buffer_m, LEAST_DEPTH_M))
    ends = np.sort(holes["last_us"].to_numpy() + offset_us[holes["trip"].to_numpy()])
    found = merged(deep, ends, evaluation.merge_gap_s)
    back = pl.Series(offset_us[found["trip"].to_numpy()])
    found = found.with_columns(*(pl.col(n) - back for n in MOMENTS))
    short = too_short(found, evaluation.min_duration_s)
    return found.filter(~short), found.filter(short)


def too_short(findings: pl.DataFrame, min_duration_s: float) -> pl.Series:
    """Return which findings are left out: short, and seen from before their start to after their end."""
    short = (findings["end_us"] - findings["start_us"]) < round(min_duration_s * SECOND_US)
    return short & (findings["hole_us"] == 0) & ~findings["edge_start"] & ~findings["edge_end"]


def named_findings(findings: pl.DataFrame, trips: pl.DataFrame, book: Rulebook, files: Sequence[str]) -> pl.DataFrame:
    """Return findings with the columns of FINDINGS, but for ids and messages."""
    if findings.is_empty():
        return empty(FINDINGS)
    rule = findings["rule"].to_numpy()
    code = findings["check"].cast(pl.String)
    duration_us = pl.col("end_us") - pl.col("start_us")
    known = {
        "rule_id": _of_rule([r.id for r in book.rules], rule, pl.String),
        "rule_revision": _of_rule([r.revision for r in book.rules], rule, pl.Int64),
        "rules_matched": _joined_ids(findings["matched"], [r.id for r in book.rules]),
        "zone_id": _zones(findings, code, book),
        "control_mode": mode_names(findings["control_mode"]),
        "limit": pl.Series(_limits(code, np.where(rule == NO_RULE, 0, rule), book), nan_to_null=True),
        "unit": code.replace_strict(UNITS, default=None, return_dtype=pl.String),
        **_records(findings, files),
    }
    own = findings.select(
        *(f"{n}_{axis}" for n in ("start", "end", "peak") for axis in ("longitude", "latitude")),
        "peak",
        pl.col("margin", "error").fill_nan(None),
        verdict=_VERDICT,
        start=as_instant(pl.col("start_us")),
        end=as_instant(pl.col("end_us")),
        duration_s=duration_us / SECOND_US,
        observed_s=(duration_us - pl.col("hole_us")) / SECOND_US,
        peak_time=as_instant(pl.col("peak_us")),
        decided_at=as_instant(pl.col("decided_us")),
    )
    named = trip_names(trips, findings["trip"])
    return named.hstack([*own, code, *(values.alias(name) for name, values in known.items())])


def named_suppressed(suppressed: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Return what coverage asks of findings that are left out: trip, check, verdict and duration_s."""
    if suppressed.is_empty():
        return empty(FINDINGS)
    own = suppressed.select(
        pl.col("check").cast(pl.String),
        verdict=_VERDICT,
        duration_s=(pl.col("end_us") - pl.col("start_us")) / SECOND_US,
    )
    return trip_names(trips, suppressed["trip"]).hstack(own)


_VERDICT = pl.when("certain").then(pl.lit("violation")).otherwise(pl.lit("indeterminate"))


def trip_names(trips: pl.DataFrame, trip: pl.Series) -> pl.DataFrame:
    """Return vehicle, trip and its start for each trip number."""
    rows = trips[trip.to_numpy()]
    return rows.select("vehicle_id", "trip_id", trip_start=as_instant(pl.col("start_us")))


def mode_names(codes: pl.Series) -> pl.Series:
    """Return the control modes of their indices."""
    return pl.Series(CONTROL_MODES, dtype=pl.String).gather(codes)


def as_instant(time_us: pl.Expr) -> pl.Expr:
    """Return microseconds since 1970 as an instant in UTC."""
    return time_us.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def as_instants(time_us: pl.Series) -> pl.Series:
    """Return microseconds since 1970 as a series of instants in UTC."""
    return time_us.alias("time").to_frame().select(as_instant(pl.col("time"))).to_series()


def _of_rule(values: Sequence[str | int], rule: np.ndarray, dtype: type[pl.DataType]) -> pl.Series:
    """Return the value of each rule, null of NO_RULE."""
    return pl.Series([*values, None], dtype=dtype).gather(np.where(rule == NO_RULE, len(values), rule))


def _joined_ids(matched: pl.Series, ids: list[str]) -> pl.Series:
    """Return the ids of lists of rules in file order, each once, joined by a semicolon."""
    texts = [";".join(dict.fromkeys(ids[i] for i in row)) for row in matched.to_list()]
    return pl.Series(texts, dtype=pl.String)


def _records(rows: pl.DataFrame, files: Sequence[str]) -> dict[str, pl.Series]:
    """Return file and record of the first and last fix of each row."""
    names = pl.Series(files, dtype=pl.String)
    return {
        column: values
        for end in ("first", "last")
        for column, values in (
            (f"{end}_file", names.gather(rows[f"{end}_file"])),
            (f"{end}_record", rows[f"{end}_record"]),
        )
    }


def _limits(code: pl.Series, rule: np.ndarray, book: Rulebook) -> np.ndarray:
    """Return the limit of each finding, NaN where its check asks for no number."""
    buffer = book.zone_set.rules.evaluation.border_buffer_m
    speed = book.limit_kph[rule] if len(book.rules) else np.full(len(rule), np.nan)
    by_depth = code.is_in(["outside-zone", "no-entry"]).to_numpy()
    by_speed = (code == "speed-limit").to_numpy()
    return np.where(by_depth, buffer, np.where(by_speed, speed, np.nan))


def _zones(findings: pl.DataFrame, code: pl.Series, book: Rulebook) -> pl.Series:
    """Return the zone of each finding: the nearest at the peak, or the rule's that covers the start."""
    ids = [zone.zone_id for zone in book.zone_set.zones]
    outside = (code == "outside-zone").to_numpy()
    number = np.where(outside, findings["peak_zone"].fill_null(-1).to_numpy(), findings["zone"].to_numpy())
    return pl.Series([ids[i] if i >= 0 else None for i in number], dtype=pl.String)


def log_gaps(holes: pl.DataFrame, trips: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """Return the findings of log-gap: every hole inside a trip."""
    axes = ("longitude", "latitude")
    metres = geodesic_m(*(holes[f"{end}_{axis}"].to_numpy() for end in ("last", "next") for axis in axes))
    end = as_instant(pl.col("next_us"))
    gaps = holes.select(
        check=pl.lit("log-gap"),
        verdict=pl.lit("not_observed"),
        start=as_instant(pl.col("last_us")),
        end=end,
        duration_s=(pl.col("next_us") - pl.col("last_us")) / SECOND_US,
        observed_s=pl.lit(0.0),
        unit=pl.lit("m"),
        peak_time=end,
        decided_at=end,
        **{f"start_{axis}": pl.col(f"last_{axis}") for axis in axes},
        **{f"{name}_{axis}": pl.col(f"next_{axis}") for name in ("end", "peak") for axis in axes},
        first_record="last_record",
        last_record="next_record",
    )
    names = pl.Series(files, dtype=pl.String)
    known = {
        "control_mode": mode_names(holes["last_mode"]),
        "peak": pl.Series(metres),
        "first_file": names.gather(holes["last_file"]),
        "last_file": names.gather(holes["next_file"]),
    }
    return trip_names(trips, holes["trip"]).hstack([*gaps, *(values.alias(name) for name, values in known.items())])


def complete_findings(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return all findings in one table with every column, ids given, messages still null."""
    everything = pl.concat([empty(FINDINGS), *frames], how="diagonal_relaxed")
    keys = everything.select(pl.concat_str(_KEY, separator="\x1f")).to_series()
    ids = [hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH] for key in keys.to_list()]
    return everything.with_columns(pl.col("rules_matched").fill_null(""), finding_id=pl.Series(ids, dtype=pl.String))


def _text(instant: pl.Expr) -> pl.Expr:
    """Return an instant as ISO 8601 with a blank, and with a fraction where it has one."""
    whole, fine = (instant.dt.strftime(f"%Y-%m-%d %H:%M:%S{fraction}+00:00") for fraction in ("", "%.6f"))
    return pl.when(instant.dt.microsecond() == 0).then(whole).otherwise(fine)


_KEY = (
    "vehicle_id",
    "trip_id",
    _text(pl.col("trip_start")),
    "check",
    pl.col("rule_id").fill_null(""),
    pl.col("rule_revision").cast(pl.String).fill_null(""),
    _text(pl.col("start")),
)
"""What names a finding; the start of its SHA-256 is the id, so the same input gives the same one."""
