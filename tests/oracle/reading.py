"""The oracle's own reading of a scenario folder: json, tomllib and csv, nothing of the analyzer."""

import csv
import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from pyproj import Geod
from shapely.affinity import affine_transform
from shapely.geometry import shape

GEOD = Geod(ellps="WGS84")
DEFAULTS = {
    "confidence": 0.95,
    "default_accuracy_m": 3.0,
    "border_buffer_m": 0.0,
    "min_duration_s": 2.0,
    "merge_gap_s": 2.0,
    "max_gap_s": 10.0,
    "trip_gap_s": 300.0,
    "speed_tolerance_kph": 0.0,
    "moving_kph": 1.0,
    "unlogged_distance_m": 50.0,
    "min_observed_share": 0.95,
    "max_plausible_kph": 200.0,
    "permit_needed_for": ["autonomous", "remote", "disengaged", "not_ready", "minimal_risk", "unknown"],
    "assumed_control_mode": "autonomous",
    "max_mode_age_s": 10.0,
}
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NEVER = 10**18


def us(moment):
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass
class Zone:
    id: str
    degrees: object
    metres: object
    valid_from: int
    valid_to: int
    accuracy: float

    def valid(self, t):
        return self.valid_from <= t < self.valid_to


@dataclass
class Rule:
    order: int
    data: dict
    effective: int
    until: int
    windows: list = field(default_factory=list)

    def __getattr__(self, name):
        return self.data.get(name)

    @property
    def key(self):
        return (self.data["id"], self.data.get("revision", 1))

    def in_force(self, t):
        return self.effective <= t < self.until

    def open(self, t):
        return self.windows is None or any(a <= t < b for a, b in self.windows)


@dataclass
class World:
    zones: list
    rules: list
    settings: dict
    fleet: dict
    scale: tuple
    edges: list

    def metres(self, lon, lat):
        kx, ky, lon0, lat0 = self.scale
        return (lon - lon0) * kx, (lat - lat0) * ky


def read_world(folder: Path) -> World:
    document = json.loads((folder / "zones.geojson").read_text(encoding="utf-8"))
    rules = tomllib.loads((folder / "rules.toml").read_text(encoding="utf-8"))
    settings = DEFAULTS | rules.get("evaluation", {})
    shapes = [shape(f["geometry"]) for f in document["features"]]
    lon0, lat0 = shapes[0].centroid.coords[0]
    kx = GEOD.inv(lon0, lat0, lon0 + 1e-3, lat0)[2] * 1e3
    ky = GEOD.inv(lon0, lat0 - 5e-4, lon0, lat0 + 5e-4)[2] * 1e3
    zones = []
    for feature, geometry in zip(document["features"], shapes, strict=True):
        p = feature["properties"]
        metres = affine_transform(geometry, [kx, 0, 0, ky, -lon0 * kx, -lat0 * ky])
        start, end = us(p.get("valid_from")), us(p.get("valid_to"))
        zones.append(
            Zone(
                p["zone_id"],
                geometry,
                metres,
                -NEVER if start is None else start,
                NEVER if end is None else end,
                p.get("accuracy_m", 0.0),
            )
        )
    made = []
    for order, data in enumerate(rules.get("rule", [])):
        ends = [us(data["expires"])] if "expires" in data else []
        ends += [
            us(r["effective"])
            for r in rules["rule"]
            if r["id"] == data["id"] and us(r["effective"]) > us(data["effective"])
        ]
        made.append(
            Rule(
                order,
                data,
                us(data["effective"]),
                min(ends, default=NEVER),
                windows_of(data, ZoneInfo(rules["timezone"])),
            )
        )
    fleet = {}
    if (folder / "fleet.csv").exists():
        with (folder / "fleet.csv").open(encoding="utf-8", newline="") as file:
            fleet = {row["vehicle_id"]: row["vehicle_type"] for row in csv.DictReader(file)}
    edges = [e for r in made for e in (r.effective, r.until, us(r.data.get("expires")))]
    edges += [e for z in zones for e in (z.valid_from, z.valid_to)]
    edges += [e for r in made for w in (r.windows or []) for e in w]
    edges = sorted({e for e in edges if e is not None and abs(e) < NEVER})
    return World(zones, made, settings, fleet, (kx, ky, lon0, lat0), edges)


def windows_of(data, zone, first=date(2026, 3, 1), days=40):
    """Every window in some weeks, merged; None where the rule has neither hours nor exceptions."""
    if not data.get("hours") and not data.get("except_dates"):
        return None
    spans = []
    for number in range(days):
        day = first + timedelta(days=number)
        if day in data.get("except_dates", []):
            continue
        for w in data.get("hours") or [{"days": WEEK, "from": "00:00", "to": "24:00"}]:
            if WEEK[day.weekday()] in w["days"]:
                begin = datetime.combine(day, clock(w["from"])[0], zone)
                end_time, extra = clock(w["to"])
                end = datetime.combine(day + timedelta(days=extra), end_time, zone)
                if end <= begin:
                    end = datetime.combine(day + timedelta(days=1), end_time, zone)
                spans.append((us(begin), us(end)))
    merged = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def clock(text):
    if text == "24:00":
        return time(0, 0), 1
    return time.fromisoformat(text), 0


@dataclass
class Fix:
    vehicle: str
    trip: str
    t: int
    lon: float
    lat: float
    x: float
    y: float
    speed: float | None
    accuracy: float
    mode: str | None
    operator: str | None
    type: str | None
    file: str
    record: int
    speed_error: float = 0.0


@dataclass
class Trip:
    vehicle: str
    id: str
    fixes: list
    mode_said: bool = False
    operator_said: bool = False
    speed_known: bool = False


def read_logs(world, paths):
    """Return fixes per vehicle sorted by time, and rejects."""
    rows, rejects = [], []
    for path in sorted(str(p) for p in paths):
        with Path(path).open(encoding="utf-8", newline="") as file:
            for record, row in enumerate(csv.DictReader(file), start=1):
                lon, lat = float(row["longitude"]), float(row["latitude"])
                speed = row.get("speed_kph") or None
                speed = None if speed is None or float(speed) < 0 else float(speed)
                accuracy = row.get("horizontal_accuracy_m") or world.settings["default_accuracy_m"]
                rows.append(
                    Fix(
                        row["vehicle_id"],
                        row.get("trip_id") or "",
                        us(row["timestamp"]),
                        lon,
                        lat,
                        *world.metres(lon, lat),
                        speed,
                        float(accuracy),
                        row.get("control_mode") or None,
                        row.get("operator") or None,
                        row.get("vehicle_type") or None,
                        path,
                        record,
                    )
                )
    kept = {}
    for fix in rows:
        old = kept.get((fix.vehicle, fix.t))
        if old is not None:
            rejects.append((old.file, old.record, "duplicate-time"))
        kept[fix.vehicle, fix.t] = fix
    return sorted(kept.values(), key=lambda f: (f.vehicle, f.t)), rejects


def distance(a, b):
    return GEOD.inv(a.lon, a.lat, b.lon, b.lat)[2]


def make_trips(world, fixes, rejects):
    s = world.settings
    groups = {}
    for fix in fixes:
        groups.setdefault((fix.vehicle, fix.trip), []).append(fix)
    trips = []
    for (vehicle, name), members in groups.items():
        limit = 12 * 3600 if name else s["trip_gap_s"]
        part = [members[0]]
        for fix in members[1:]:
            if fix.t - part[-1].t > limit * 1e6:
                trips.append(Trip(vehicle, name, part))
                part = []
            part.append(fix)
        trips.append(Trip(vehicle, name, part))
    for trip in trips:
        f = trip.fixes
        fast = [implied(f[i], f[i + 1]) > s["max_plausible_kph"] for i in range(len(f) - 1)]
        bad = {i for i in range(1, len(f) - 1) if fast[i - 1] and fast[i]}
        rejects += [(f[i].file, f[i].record, "position-jump") for i in bad]
        trip.fixes = [x for i, x in enumerate(f) if i not in bad]
        if not trip.id:
            start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=trip.fixes[0].t)
            trip.id = start.isoformat().replace("+00:00", "Z")
        fill(world, trip)
    return trips


def implied(a, b):
    return 3.6 * distance(a, b) / ((b.t - a.t) / 1e6)


def hole_between(world, a, b):
    s = world.settings
    return b.t - a.t > s["max_gap_s"] * 1e6 or implied(a, b) > s["max_plausible_kph"]


def fill(world, trip):
    """Types, modes, derived speeds."""
    f = trip.fixes
    for i in range(1, len(f)):
        f[i].type = f[i].type or f[i - 1].type
    for i in range(len(f) - 2, -1, -1):
        f[i].type = f[i].type or f[i + 1].type
    trip.mode_said = any(x.mode for x in f)
    trip.operator_said = any(x.operator for x in f)
    for x in f:
        x.type = x.type or world.fleet.get(trip.vehicle) or None
        if not x.mode:
            x.mode = "unknown" if trip.mode_said else world.settings["assumed_control_mode"]
    runs = runs_of(world, trip)
    z = z_of(world)
    derived = []
    for run in runs:
        for i, x in enumerate(run):
            if x.speed is not None:
                continue
            after = next((y for y in run[i + 1 :] if y.t - x.t >= 2_000_000), None)
            before = next((y for y in reversed(run[:i]) if x.t - y.t >= 2_000_000), None)
            other = after or before
            if other is not None:
                w = abs(other.t - x.t) / 1e6
                error = 3.6 * z * 2**0.5 * max(x.accuracy, other.accuracy) / w
                derived.append((x, 3.6 * distance(x, other) / w, error))
    for x, speed, error in derived:
        x.speed, x.speed_error = speed, error
    trip.speed_known = any(x.speed is not None for x in f)


def runs_of(world, trip):
    runs = [[trip.fixes[0]]]
    for a, b in pairwise(trip.fixes):
        if hole_between(world, a, b):
            runs.append([])
        runs[-1].append(b)
    return runs


def z_of(world):
    from statistics import NormalDist

    return NormalDist().inv_cdf(world.settings["confidence"])
