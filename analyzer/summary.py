"""The totals of an analysis as plain data: the content of summary.json."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from analyzer.results import LogAccount
from analyzer.terms import VERDICTS, Notice
from analyzer.zones import ZoneSet

FINDING_VERDICTS = ("violation", "indeterminate", "not_observed")
TRIP = ("vehicle_id", "trip_id", "trip_start")
"""The columns that name a trip."""


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
        "trips": coverage.select(TRIP).n_unique(),
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
    return _worst(set(coverage["verdict"].unique()))


def _worst(found: set[str]) -> str:
    """Return the worst of some verdicts."""
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


def _counts_by(frame: pl.DataFrame, column: str, verdicts: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many rows with each value of a column have each verdict."""
    counts: dict[str, dict[str, int]] = {}
    for value, verdict, count in frame.group_by(column, "verdict").len().iter_rows():
        counts.setdefault(value, dict.fromkeys(verdicts, 0))[verdict] = count
    return counts


def _per_check(findings: pl.DataFrame, coverage: pl.DataFrame) -> dict[str, Any]:
    """Return findings, lines and suppressed findings of each check."""
    found = _counts_by(findings, "check", FINDING_VERDICTS)
    lines = _counts_by(coverage, "check", VERDICTS)
    suppressed = coverage.group_by("check").agg(pl.col("suppressed").sum()).sort("check")
    none = dict.fromkeys(FINDING_VERDICTS, 0)
    return {
        code: {"findings": found.get(code, none), "lines": lines[code], "suppressed": count}
        for code, count in suppressed.iter_rows()
    }


def _sums(exposure: pl.DataFrame) -> dict[str, float]:
    """Return distance and time of some rows of exposure."""
    names = ("distance_m", "duration_s", "observed_s")
    return {name: _rounded(exposure[name].sum()) for name in names}


def _sums_by(exposure: pl.DataFrame, column: str) -> dict[str, dict[str, float]]:
    """Return distance and time of the rows of exposure with each value of a column."""
    parts = exposure.partition_by(column, as_dict=True, maintain_order=True)
    return {key[0]: _sums(part) for key, part in parts.items()}


def _per_vehicle(findings: pl.DataFrame, coverage: pl.DataFrame, exposure: pl.DataFrame) -> dict[str, Any]:
    """Return verdict, findings and exposure of each vehicle."""
    found = _counts_by(findings, "vehicle_id", FINDING_VERDICTS)
    driven = _sums_by(exposure, "vehicle_id")
    trips = coverage.select(TRIP).unique().group_by("vehicle_id").len()
    verdicts = _counts_by(coverage, "vehicle_id", VERDICTS)
    none, nothing = dict.fromkeys(FINDING_VERDICTS, 0), _sums(exposure.clear())
    return {
        vehicle: {
            "verdict": _worst({verdict for verdict, count in verdicts[vehicle].items() if count}),
            "trips": count,
            "findings": found.get(vehicle, none),
            **driven.get(vehicle, nothing),
        }
        for vehicle, count in sorted(trips.iter_rows())
    }


def _per_zone(findings: pl.DataFrame, exposure: pl.DataFrame) -> dict[str, Any]:
    """Return findings and exposure of each zone (`a+b` where zones overlap, empty outside)."""
    found = _counts_by(findings.select("verdict", pl.col("zone_id").fill_null("")), "zone_id", FINDING_VERDICTS)
    driven = _sums_by(exposure, "zone_id")
    none, nothing = dict.fromkeys(FINDING_VERDICTS, 0), _sums(exposure.clear())
    return {
        zone: {"findings": found.get(zone, none), **driven.get(zone, nothing)} for zone in sorted({*found, *driven})
    }
