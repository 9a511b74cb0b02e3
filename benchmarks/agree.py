"""Do all give the same answer? A fast wrong one is worth nothing: any complaint fails the benchmark."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import shapely

from benchmarks.peers import Zones, scanned

TRIP_GAP_S = 300.0
NEEDED = ("vehicle_id", "timestamp", "longitude", "latitude")


def same_counts(answers: Mapping[str, Mapping[str, int]], allowed: int = 0) -> list[str]:
    """Return where the numbers of fixes in each zone differ from those of the first answer."""
    (first, right), *others = answers.items()
    return [
        f"{zone}: {count} fixes by {first}, {found.get(zone, 0)} by {name}"
        for name, found in others
        for zone, count in right.items()
        if abs(found.get(zone, 0) - count) > allowed
    ]


@dataclass
class Times:
    """Seconds of trips by vehicle and in each zone, and how far the last may be off."""

    fixes: int = 0
    trips: int = 0
    by_vehicle: dict[str, float] = field(default_factory=dict)
    by_zone: dict[str, float] = field(default_factory=dict)
    slack: dict[str, float] = field(default_factory=dict)


def times_of(log: Path, zones: Zones) -> Times:
    """Return the times by the log and shapely alone.

    A fix in a zone counts until the next one. zonelog cuts at the border between the two,
    so it may differ by the length of each interval that crosses.
    """
    times = Times(by_zone=dict.fromkeys(zones, 0.0), slack=dict.fromkeys(zones, 1e-3))
    for frame in _vehicles(log):
        seconds = np.diff(frame["timestamp"].dt.epoch("us").to_numpy()) / 1e6
        within = seconds <= TRIP_GAP_S
        vehicle = frame["vehicle_id"][0]
        times.fixes += frame.height
        times.trips += 1 + int((~within).sum())
        times.by_vehicle[vehicle] = times.by_vehicle.get(vehicle, 0.0) + float(seconds[within].sum())
        lon, lat = frame["longitude"].to_numpy(), frame["latitude"].to_numpy()
        for zone, geometry in zones.items():
            inside = shapely.contains_xy(geometry, lon, lat)
            crosses = (inside[1:] != inside[:-1]) & within
            times.by_zone[zone] += float(seconds[inside[:-1] & within].sum())
            times.slack[zone] += float(seconds[crosses].sum())
    return times


def _vehicles(log: Path) -> Iterator[pl.DataFrame]:
    """Yield a vehicle, or a vehicle's day, at a time."""
    if log.is_dir():
        for path in sorted(log.iterdir()):
            yield pl.read_parquet(path, columns=list(NEEDED))
        return
    yield from scanned(log).select(NEEDED).collect().partition_by("vehicle_id", maintain_order=True)


def whole_analysis(out: Path, times: Times) -> list[str]:
    """Return where zonelog's tables do not add up to what the log says."""
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    exposure = pl.read_parquet(out / "exposure.parquet")
    fixes = sum(log["fixes"] for log in summary["logs"])
    complaints = []
    if fixes != times.fixes:
        complaints.append(f"{times.fixes} fixes were written, zonelog judged {fixes}")
    if summary["trips"] != times.trips:
        complaints.append(f"{times.trips} trips were written, zonelog found {summary['trips']}")
    by_vehicle = dict(exposure.group_by("vehicle_id").agg(pl.col("duration_s").sum()).iter_rows())
    complaints += [
        f"{vehicle}: trips of {seconds:.3f} s, exposure of {by_vehicle.get(vehicle, 0):.3f} s"
        for vehicle, seconds in times.by_vehicle.items()
        if abs(by_vehicle.get(vehicle, 0.0) - seconds) > 1e-3
    ]
    single = exposure.with_columns(pl.col("zone_id").str.split("+")).explode("zone_id")
    by_zone = dict(single.group_by("zone_id").agg(pl.col("duration_s").sum()).iter_rows())
    complaints += [
        f"{zone}: {seconds:.1f} s by shapely, {by_zone.get(zone, 0):.1f} s in the exposure"
        for zone, seconds in times.by_zone.items()
        if abs(by_zone.get(zone, 0.0) - seconds) > times.slack[zone]
    ]
    return complaints
