"""run.json: what was judged, by which rules, with what, and the hashes of it all.

It holds no time of its making: the same input gives the same bytes.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analyzer.outputs._output import Run
from analyzer.results import Analysis
from analyzer.rules import Rule
from analyzer.zones import Zone

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def run_record(analysis: Analysis, run: Run, hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of run.json; `hashes` are file -> SHA-256 of the outputs."""
    zone_set = analysis.zone_set
    return {
        "zonelog": run.version,
        "command": list(run.command),
        "timezone": zone_set.rules.timezone,
        "evaluation": asdict(zone_set.rules.evaluation),
        "zone_set": {
            "id": zone_set.id,
            "name": dict(zone_set.name),
            "files": dict(zone_set.files),
            "zones": [zone_record(zone) for zone in zone_set.zones],
        },
        "rules": [rule_record(rule) for rule in zone_set.rules.rules],
        "inputs": [asdict(account) for account in analysis.logs],
        "basemap": [{"layer": own.name, "file": own.file, "sha256": own.sha256} for own in run.basemap],
        "notices": [asdict(notice) for notice in analysis.notices],
        "outputs": dict(hashes),
    }


def zone_record(zone: Zone) -> dict[str, Any]:
    """Return a zone as plain data, without its outline."""
    record = {k: v for k, v in vars(zone).items() if k not in ("geometry", "valid_from_us", "valid_to_us")}
    bounds = {"valid_from": _text(zone.valid_from_us), "valid_to": _text(zone.valid_to_us)}
    area = {"measured_area_km2": round(zone.measured_area_km2, 6)}
    return {**record, "name": dict(zone.name), **area, **bounds}


def rule_record(rule: Rule) -> dict[str, Any]:
    """Return a rule as plain data."""
    record = {k: v for k, v in vars(rule).items() if not k.endswith("_us")}
    instants = {k: _text(getattr(rule, f"{k}_us")) for k in ("effective", "expires", "until")}
    hours = [asdict(window) for window in rule.hours]
    days = [day.isoformat() for day in rule.except_dates]
    return {**record, "text": dict(rule.text), "hours": hours, "except_dates": days, **instants}


def _text(time_us: int | None) -> str | None:
    """Return an instant as ISO 8601 in UTC, null for always."""
    if time_us is None:
        return None
    instant = _EPOCH + dt.timedelta(microseconds=time_us)
    return instant.isoformat().replace("+00:00", "Z")
