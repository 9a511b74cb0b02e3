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
    ruled = np.where(rule == NO_RULE, 0, rule)
    no_rule = pl.Series(rule == NO_RULE)
    code = findings["check"].cast(pl.String)
    duration_us = findings["end_us"] - findings["start_us"]
    ids = pl.Series([r.id for r in book.rules], dtype=pl.String)
    revisions = pl.Series([r.revision for r in book.rules], dtype=pl.Int64)
    places = [f"{n}_{axis}" for n in ("start", "end", "peak") for axis in ("longitude", "latitude")]
    return trip_names(trips, findings["trip"]).with_columns(
        check=code,
        verdict=pl.select(
            pl.when(findings["certain"]).then(pl.lit("violation")).otherwise(pl.lit("indeterminate"))
        ).to_series(),
        rule_id=_unless(no_rule, _gather(ids, ruled)),
        rule_revision=_unless(no_rule, _gather(revisions, ruled)),
        rules_matched=_joined_ids(findings["matched"], [r.id for r in book.rules]),
        zone_id=_zones(findings, code, book),
        start=as_instants(findings["start_us"]),
        end=as_instants(findings["end_us"]),
        duration_s=duration_us / SECOND_US,
        observed_s=(duration_us - findings["hole_us"]) / SECOND_US,
        control_mode=mode_names(findings["control_mode"]),
        limit=pl.Series(_limits(code, ruled, book)).fill_nan(None),
        peak=findings["peak"],
        margin=findings["margin"].fill_nan(None),
        error=findings["error"].fill_nan(None),
        unit=code.replace_strict(UNITS, default=None, return_dtype=pl.String),
        peak_time=as_instants(findings["peak_us"]),
        decided_at=as_instants(findings["decided_us"]),
        **{name: findings[name] for name in places},
        **_records(findings, files),
    )


def trip_names(trips: pl.DataFrame, trip: pl.Series) -> pl.DataFrame:
    """Return vehicle, trip and its start for each trip number."""
    rows = trips[trip.to_numpy()]
    return rows.select("vehicle_id", "trip_id", trip_start=as_instant(pl.col("start_us")))


def mode_names(codes: pl.Series) -> pl.Series:
    """Return the control modes of their indices."""
    return pl.Series(CONTROL_MODES, dtype=pl.String).gather(codes.cast(pl.UInt32))


def as_instant(time_us: pl.Expr) -> pl.Expr:
    """Return microseconds since 1970 as an instant in UTC."""
    return time_us.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def as_instants(time_us: pl.Series) -> pl.Series:
    """Return microseconds since 1970 as a series of instants in UTC."""
    return time_us.alias("time").to_frame().select(as_instant(pl.col("time"))).to_series()


def _gather(values: pl.Series, at: np.ndarray) -> pl.Series:
    """Return the values at `at`, nulls where there are none at all."""
    return values.gather(pl.Series(at)) if len(values) else values.extend_constant(None, len(at))


def _unless(mask: pl.Series, values: pl.Series) -> pl.Series:
    """Return the values, null where the mask holds."""
    return pl.select(pl.when(~mask).then(values)).to_series()


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
            (f"{end}_file", names.gather(rows[f"{end}_file"].cast(pl.UInt32))),
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
    places = ("last_longitude", "last_latitude", "next_longitude", "next_latitude")
    last_lon, last_lat, next_lon, next_lat = (holes[n] for n in places)
    metres = geodesic_m(*(place.to_numpy() for place in (last_lon, last_lat, next_lon, next_lat)))
    end = as_instants(holes["next_us"])
    records = holes.rename({"last_file": "first_file", "last_record": "first_record"}).rename(
        {"next_file": "last_file", "next_record": "last_record"}
    )
    return trip_names(trips, holes["trip"]).with_columns(
        check=pl.lit("log-gap"),
        verdict=pl.lit("not_observed"),
        start=as_instants(holes["last_us"]),
        end=end,
        duration_s=(holes["next_us"] - holes["last_us"]) / SECOND_US,
        observed_s=pl.lit(0.0),
        control_mode=mode_names(holes["last_mode"]),
        peak=pl.Series(metres),
        unit=pl.lit("m"),
        peak_time=end,
        decided_at=end,
        start_longitude=last_lon,
        start_latitude=last_lat,
        end_longitude=next_lon,
        end_latitude=next_lat,
        peak_longitude=next_lon,
        peak_latitude=next_lat,
        **_records(records, files),
    )


def complete_findings(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return all findings in one table with every column, ids given, messages still null."""
    wanted = pl.DataFrame(schema={c.name: c.dtype for c in FINDINGS.columns})
    typed = [f.cast({n: wanted.schema[n] for n in f.columns}) for f in frames]
    everything = pl.concat([wanted, *typed], how="diagonal").with_columns(pl.col("rules_matched").fill_null(""))
    key = ("vehicle_id", "trip_id", "trip_start", "check", "rule_id", "rule_revision", "start")
    ids = [_finding_id(row) for row in everything.select(key).iter_rows()]
    return everything.with_columns(finding_id=pl.Series(ids, dtype=pl.String)).sort(
        FINDINGS.key, nulls_last=True, maintain_order=True
    )


def _finding_id(key: tuple[object, ...]) -> str:
    """Return the stable id of a finding: the start of the SHA-256 of what names it."""
    text = "\x1f".join("" if value is None else str(value) for value in key)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]
