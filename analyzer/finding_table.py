"""Findings of a shard get names, places, records and numbers: the table of the contract."""

import hashlib
from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.evidence import Scene
from analyzer.geometry import geodesic_m
from analyzer.judgement import NO_RULE
from analyzer.tables import FINDINGS
from analyzer.terms import CONTROL_MODES, SECOND_US
from analyzer.track import fix_at, place_at

MESSAGES = ("message_ko", "message_en")
UNITS = {"outside-zone": "m", "no-entry": "m", "speed-limit": "km/h"}
ID_LENGTH = 12


def table_of(scene: Scene, findings: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """Return findings with the columns of FINDINGS, but for their messages."""
    clock = _ClockColumns(scene, findings)
    book = scene.rulebook
    rule = findings["rule"].to_numpy()
    ruled = np.where(rule == NO_RULE, 0, rule)
    code = findings["check"].cast(pl.String)
    last = scene.track.fixes.time_us
    first_fix = fix_at(scene.track.fixes, findings["start_us"].to_numpy())
    last_fix = np.searchsorted(scene.track.fixes.clock_us, findings["end_us"].to_numpy())
    last_fix = np.minimum(last_fix, max(len(last) - 1, 0))
    duration_us = findings["end_us"] - findings["start_us"]
    ids = pl.Series([r.id for r in book.rules], dtype=pl.String)
    revisions = pl.Series([r.revision for r in book.rules], dtype=pl.Int64)
    no_rule = pl.Series(rule == NO_RULE)
    modes = pl.Series(CONTROL_MODES, dtype=pl.String)
    return clock.names().with_columns(
        check=code,
        verdict=_verdicts(findings["certain"]),
        rule_id=_unless(no_rule, _gather(ids, ruled)),
        rule_revision=_unless(no_rule, _gather(revisions, ruled)),
        rules_matched=_joined_ids(findings["matched"], [r.id for r in book.rules]),
        zone_id=_zones(scene, findings),
        start=clock.instant("start_us"),
        end=clock.instant("end_us"),
        duration_s=duration_us / SECOND_US,
        observed_s=(duration_us - findings["hole_us"]) / SECOND_US,
        control_mode=modes.gather(findings["control_mode"].cast(pl.UInt32)),
        limit=pl.Series(_limits(scene, code, ruled)).fill_nan(None),
        peak=findings["peak"],
        margin=findings["margin"].fill_nan(None),
        error=findings["error"].fill_nan(None),
        unit=code.replace_strict(UNITS, default=None, return_dtype=pl.String),
        peak_time=clock.instant("peak_us"),
        decided_at=clock.instant("decided_us"),
        **clock.places("start_us", "start"),
        **clock.places("end_us", "end"),
        **clock.places("peak_us", "peak"),
        **_records(scene, first_fix, "first", files),
        **_records(scene, last_fix, "last", files),
    )


def _verdicts(certain: pl.Series) -> pl.Series:
    """Return violation where certain, else indeterminate."""
    return (
        pl.select(pl.when(certain).then(pl.lit("violation")).otherwise(pl.lit("indeterminate"))).to_series()
        if len(certain)
        else pl.Series([], dtype=pl.String)
    )


def _gather(values: pl.Series, at: np.ndarray) -> pl.Series:
    """Return the values at `at`, nulls where there are none at all."""
    return values.gather(pl.Series(at)) if len(values) else values.extend_constant(None, len(at))


def _unless(mask: pl.Series, values: pl.Series) -> pl.Series:
    """Return the values, null where the mask holds."""
    return pl.select(pl.when(~mask).then(values)).to_series() if len(values) else values


def _joined_ids(matched: pl.Series, ids: list[str]) -> pl.Series:
    """Return the ids of lists of rules in file order, each once, joined by a semicolon."""
    texts = [";".join(dict.fromkeys(ids[i] for i in row)) for row in matched.to_list()]
    return pl.Series(texts, dtype=pl.String)


class _ClockColumns:
    """Columns made from instants of the shard's clock."""

    def __init__(self, scene: Scene, findings: pl.DataFrame) -> None:
        self._fixes = scene.track.fixes
        self._findings = findings
        self._trips = self._fixes.trips[findings["trip"].to_numpy()]
        self._offset = self._trips["offset_us"]

    def names(self) -> pl.DataFrame:
        """Return vehicle, trip and its start."""
        return self._trips.select("vehicle_id", "trip_id", trip_start=as_instant(pl.col("start_us")))

    def instant(self, name: str) -> pl.Series:
        """Return instants of the clock as UTC."""
        time = (self._findings[name] - self._offset).alias("time")
        return time.to_frame().select(as_instant(pl.col("time"))).to_series()

    def places(self, name: str, prefix: str) -> dict[str, pl.Series]:
        """Return longitude and latitude at instants of the clock."""
        clock = self._findings[name]
        longitude, latitude = place_at(self._fixes, clock.fill_null(0).to_numpy())
        known = clock.is_not_null()
        return {
            f"{prefix}_longitude": _unless(~known, pl.Series(longitude)),
            f"{prefix}_latitude": _unless(~known, pl.Series(latitude)),
        }


def as_instant(time_us: pl.Expr) -> pl.Expr:
    """Return microseconds since 1970 as an instant in UTC."""
    return time_us.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _records(scene: Scene, fix: np.ndarray, prefix: str, files: Sequence[str]) -> dict[str, pl.Series]:
    """Return file and record of fixes."""
    fixes = scene.track.fixes
    return {
        f"{prefix}_file": pl.Series([files[i] for i in fixes.file[fix]], dtype=pl.String),
        f"{prefix}_record": pl.Series(fixes.record[fix], dtype=pl.Int64),
    }


def _limits(scene: Scene, code: pl.Series, rule: np.ndarray) -> np.ndarray:
    """Return the limit of each finding, NaN where its check asks for no number."""
    book = scene.rulebook
    buffer = book.zone_set.rules.evaluation.border_buffer_m
    speed = book.limit_kph[rule] if len(book.rules) else np.full(len(rule), np.nan)
    by_depth = code.is_in(["outside-zone", "no-entry"]).to_numpy()
    by_speed = (code == "speed-limit").to_numpy()
    return np.where(by_depth, buffer, np.where(by_speed, speed, np.nan))


def _zones(scene: Scene, findings: pl.DataFrame) -> pl.Series:
    """Return the zone of each finding: the nearest at the peak, or the rule's that covers the start."""
    book = scene.rulebook
    ids = [zone.zone_id for zone in book.zone_set.zones]
    rule = findings["rule"].to_numpy()
    own = np.where((rule == NO_RULE)[:, None], book.permit_zones, book.zones[rule])
    covers = scene.track.index.combinations.matrix()[findings["combination"].to_numpy()]
    valid = scene.track.epochs.zone_valid[findings["kind"].to_numpy()]
    any_zone = (own & covers) & (valid | (rule == NO_RULE)[:, None])
    first = np.where(any_zone.any(axis=1), any_zone.argmax(axis=1), -1) if ids else np.full(len(rule), -1)
    outside = (findings["check"].cast(pl.String) == "outside-zone").to_numpy()
    number = np.where(outside, findings["peak_zone"].fill_null(-1).to_numpy(), first)
    return pl.Series([ids[i] if i >= 0 else None for i in number], dtype=pl.String)


def log_gaps(scene: Scene, files: Sequence[str]) -> pl.DataFrame:
    """Return the findings of log-gap: every hole inside a trip."""
    fixes = scene.track.fixes
    last = np.flatnonzero(fixes.hole_after[:-1])
    last = last[fixes.trip[last + 1] == fixes.trip[last]]
    after = last + 1
    metres = geodesic_m(fixes.longitude[last], fixes.latitude[last], fixes.longitude[after], fixes.latitude[after])
    modes = pl.Series(CONTROL_MODES, dtype=pl.String)
    end = as_instants(fixes.time_us[after])
    trips = fixes.trips[fixes.trip[last]]
    frame = trips.select("vehicle_id", "trip_id", trip_start=as_instant(pl.col("start_us")))
    return frame.with_columns(
        check=pl.lit("log-gap"),
        verdict=pl.lit("not_observed"),
        start=as_instants(fixes.time_us[last]),
        end=end,
        duration_s=pl.Series((fixes.time_us[after] - fixes.time_us[last]) / SECOND_US),
        observed_s=pl.lit(0.0),
        control_mode=modes.gather(pl.Series(fixes.control_mode[last]).cast(pl.UInt32)),
        peak=pl.Series(metres),
        unit=pl.lit("m"),
        peak_time=end,
        decided_at=end,
        start_longitude=pl.Series(fixes.longitude[last]),
        start_latitude=pl.Series(fixes.latitude[last]),
        end_longitude=pl.Series(fixes.longitude[after]),
        end_latitude=pl.Series(fixes.latitude[after]),
        peak_longitude=pl.Series(fixes.longitude[after]),
        peak_latitude=pl.Series(fixes.latitude[after]),
        **_records(scene, last, "first", files),
        **_records(scene, after, "last", files),
    )


def as_instants(time_us: np.ndarray) -> pl.Series:
    """Return microseconds since 1970 as a series of instants in UTC."""
    return pl.Series("time", time_us).to_frame().select(as_instant(pl.col("time"))).to_series()


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
