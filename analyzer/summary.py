"""The totals of an analysis as plain data: the content of summary.json."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from analyzer.results import LogAccount
from analyzer.terms import VERDICTS, Notice
from analyzer.zones import ZoneSet

FINDING_VERDICTS = ("violation", "indeterminate", "not_observed")


def summarise(  # noqa: PLR0913 - one argument a table
    findings: pl.DataFrame,
    coverage: pl.DataFrame,
    exposure: pl.DataFrame,
    events: pl.DataFrame,
    rejects: pl.DataFrame,
    logs: Sequence[LogAccount],
    notices: Sequence[Notice],
    zone_set: ZoneSet,
) -> dict[str, Any]:
    """Return totals, per check, vehicle and zone, the accounting per file, and the notices."""
    return {
        "verdict": overall(coverage),
        "zone_set": {"id": zone_set.id, "name": dict(zone_set.name)},
        "vehicles": coverage["vehicle_id"].n_unique(),
        "trips": coverage.select("vehicle_id", "trip_id", "trip_start").n_unique(),
        "first": _instant(coverage["trip_start"].min()),
        "last": _instant(coverage["trip_end"].max()),
        "findings": _counts(findings, FINDING_VERDICTS),
        "coverage": _counts(coverage, VERDICTS),
        "suppressed": int(coverage["suppressed"].sum()),
        "distance_m": _rounded(exposure["distance_m"].sum()),
        "duration_s": _rounded(exposure["duration_s"].sum()),
        "observed_s": _rounded(exposure["observed_s"].sum()),
        "events": _by(events, "event"),
        "rejects": _by(rejects, "reason"),
        "checks": _per_check(findings, coverage),
        "per_vehicle": _per_vehicle(findings, coverage, exposure),
        "per_zone": _per_zone(findings, exposure),
        "logs": [asdict(account) for account in logs],
        "notices": [asdict(notice) for notice in notices],
    }


def overall(coverage: pl.DataFrame) -> str:
    """Return the worst verdict of the coverage table."""
    found = set(coverage["verdict"].unique())
    return next((v for v in VERDICTS if v in found), "compliant")


def _instant(value: Any) -> str | None:
    """Return an instant as ISO 8601 in UTC."""
    return value.isoformat().replace("+00:00", "Z") if value is not None else None


def _rounded(value: Any) -> float:
    """Return a number with three digits: enough to read, the same on every machine."""
    return round(float(value or 0.0), 3)


def _counts(frame: pl.DataFrame, verdicts: Sequence[str]) -> dict[str, int]:
    """Return how many rows have each verdict."""
    return {verdict: int((frame["verdict"] == verdict).sum()) for verdict in verdicts}


def _by(frame: pl.DataFrame, column: str) -> dict[str, int]:
    """Return how many rows have each value of a column."""
    return dict(frame.group_by(column).len().sort(column).iter_rows())


def _per_check(findings: pl.DataFrame, coverage: pl.DataFrame) -> dict[str, Any]:
    """Return findings, lines and suppressed findings of each check."""
    codes = coverage["check"].unique().sort().to_list()
    return {
        code: {
            "findings": _counts(findings.filter(pl.col("check") == code), FINDING_VERDICTS),
            "lines": _counts(lines, VERDICTS),
            "suppressed": int(lines["suppressed"].sum()),
        }
        for code in codes
        for lines in [coverage.filter(pl.col("check") == code)]
    }


def _sums(exposure: pl.DataFrame) -> dict[str, float]:
    """Return distance and time of some rows of exposure."""
    names = ("distance_m", "duration_s", "observed_s")
    return {name: _rounded(exposure[name].sum()) for name in names}


def _grouped(frame: pl.DataFrame, column: str) -> dict[Any, pl.DataFrame]:
    """Return the rows of each value of a column."""
    parts = frame.partition_by(column, as_dict=True, maintain_order=True)
    return {key[0]: part for key, part in parts.items()}


def _per_vehicle(findings: pl.DataFrame, coverage: pl.DataFrame, exposure: pl.DataFrame) -> dict[str, Any]:
    """Return verdict, findings and exposure of each vehicle."""
    found, driven = _grouped(findings, "vehicle_id"), _grouped(exposure, "vehicle_id")
    lines = _grouped(coverage, "vehicle_id")
    return {
        vehicle: {
            "verdict": overall(lines[vehicle]),
            "trips": lines[vehicle].select("trip_id", "trip_start").n_unique(),
            "findings": _counts(found.get(vehicle, findings.clear()), FINDING_VERDICTS),
            **_sums(driven.get(vehicle, exposure.clear())),
        }
        for vehicle in sorted(lines)
    }


def _per_zone(findings: pl.DataFrame, exposure: pl.DataFrame) -> dict[str, Any]:
    """Return findings and exposure of each zone (`a+b` where zones overlap, empty outside)."""
    named = findings.with_columns(pl.col("zone_id").fill_null(""))
    found, driven = _grouped(named, "zone_id"), _grouped(exposure, "zone_id")
    return {
        zone: {
            "findings": _counts(found.get(zone, findings.clear()), FINDING_VERDICTS),
            **_sums(driven.get(zone, exposure.clear())),
        }
        for zone in sorted({*found, *driven})
    }
