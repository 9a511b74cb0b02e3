"""Random little worlds: zones, rules, vehicles and logs that meet every clause of the contract."""

import csv
import json
import math
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

from shapely.geometry import shape

KST = timezone(timedelta(hours=9))
NOON = datetime(2026, 3, 17, 12, 0, tzinfo=KST)
LON0, LAT0 = 126.8, 35.15
KX, KY = 91_140.0, 110_950.0
TYPES = ["sweeper", "truck"]
MODES = ["autonomous", "autonomous", "autonomous", "remote", "manual", "disengaged", "unknown", "minimal_risk"]


def degrees(x, y):
    return [round(LON0 + x / KX, 8), round(LAT0 + y / KY, 8)]


def star(rng, x, y, radius, corners):
    angles = sorted(rng.uniform(0, 2 * math.pi) for _ in range(corners))
    angles = [2 * math.pi * (i + rng.uniform(-0.3, 0.3)) / corners for i in range(corners)]
    ring = [
        (x + radius * rng.uniform(0.45, 1) * math.cos(a), y + radius * rng.uniform(0.45, 1) * math.sin(a))
        for a in angles
    ]
    return [*ring, ring[0]]


def geometry(rng, x, y, radius):
    """A valid polygon or multipolygon, perhaps with a hole."""
    while True:
        made = any_geometry(rng, x, y, radius)
        if shape(made).is_valid:
            return made


def any_geometry(rng, x, y, radius):
    outer = star(rng, x, y, radius, rng.choice([4, 5, 8, 12]))
    rings = [outer]
    if rng.random() < 0.3:
        rings.append(star(rng, x, y, radius * 0.25, 4)[::-1])
    polygon = [[degrees(*p) for p in ring] for ring in rings]
    if rng.random() < 0.25:
        other = [degrees(*p) for p in star(rng, x + 3 * radius, y, radius * 0.6, 5)]
        return {"type": "MultiPolygon", "coordinates": [polygon, [other]]}
    return {"type": "Polygon", "coordinates": polygon}


def squares(x, y, size):
    """Two zones that share a border."""
    a = [(x - size, y - size), (x, y - size), (x, y + size), (x - size, y + size), (x - size, y - size)]
    b = [(x, y - size), (x + size, y - size), (x + size, y + size), (x, y + size), (x, y - size)]
    return [{"type": "Polygon", "coordinates": [[degrees(*p) for p in ring]]} for ring in (a, b)]


def text(value):
    return json.dumps(value, ensure_ascii=False)


def toml_rule(rule):
    lines = ["[[rule]]"]
    for key, value in rule.items():
        if isinstance(value, datetime):
            lines.append(f"{key} = {value.isoformat()}")
        elif key == "hours":
            windows = [f'{{ days = {text(w["days"])}, from = "{w["from"]}", to = "{w["to"]}" }}' for w in value]
            lines.append(f"hours = [{', '.join(windows)}]")
        elif key == "except_dates":
            lines.append(f"except_dates = [{', '.join(value)}]")
        elif isinstance(value, dict):
            lines.append(f"{key} = {{ " + ", ".join(f"{k} = {text(v)}" for k, v in value.items()) + " }")
        else:
            lines.append(f"{key} = {text(value)}")
    return "\n".join(lines)


def random_rules(rng, ids, start, span_s):
    """Permits and restrictions, some with revisions, around the time of the trips."""
    inside = lambda: start + timedelta(seconds=rng.uniform(0, span_s))  # noqa: E731
    rules = []
    for number in range(rng.choice([0, 1, 1, 2, 2, 3])):
        zones = rng.sample(ids, rng.randint(1, len(ids)))
        rule = {
            "id": f"permit-{number}",
            "revision": 1,
            "kind": "permit",
            "text": {"ko": "허가", "en": "permit"},
            "effective": inside() if rng.random() < 0.15 else start - timedelta(days=30),
            "zones": zones,
        }
        if rng.random() < 0.2:
            rule["expires"] = max(inside(), rule["effective"] + timedelta(seconds=1))
        conditions(rng, rule, permit=True)
        rules.append(rule)
        if rng.random() < 0.25 and "expires" not in rule:
            later = dict(rule) | {"revision": 2, "effective": inside()}
            if later["effective"] > rule["effective"]:
                conditions(rng, later, permit=True)
                rules.append(later)
    for number in range(rng.choice([0, 0, 1, 2])):
        rule = {
            "id": f"restriction-{number}",
            "revision": 1,
            "kind": "restriction",
            "text": {"ko": "제한", "en": "restriction"},
            "effective": start - timedelta(days=30),
            "zones": rng.sample(ids, rng.randint(1, min(2, len(ids)))),
        }
        if rng.random() < 0.6:
            rule["no_entry"] = True
        if rng.random() < 0.4 or "no_entry" not in rule:
            rule["max_speed_kph"] = rng.choice([4.0, 6.0])
        conditions(rng, rule, permit=False)
        rules.append(rule)
    return rules


def conditions(rng, rule, *, permit):
    if permit and rng.random() < 0.7:
        rule["max_speed_kph"] = rng.choice([5.0, 7.0, 10.0])
    if rng.random() < 0.35:
        rule["vehicle_types"] = [rng.choice(TYPES)]
    if rng.random() < 0.1:
        rule["vehicles"] = [rng.choice(["V1", "V2"])]
    if rng.random() < 0.4:
        rule["control_modes"] = rng.choice([["autonomous"], ["remote"], ["autonomous", "remote"]])
    if permit and rng.random() < 0.35:
        rule["operator"] = rng.choice(["on_board", "remote", "any"])
    if rng.random() < 0.35:
        week = ["mon", "tue", "wed", "thu", "fri"]
        rule["hours"] = rng.choice(
            [
                [{"days": week, "from": "10:00", "to": "12:00"}],
                [{"days": week, "from": "12:00", "to": "12:01"}, {"days": week, "from": "12:02", "to": "24:00"}],
                [{"days": week, "from": "22:00", "to": "12:00"}],
            ]
        )
    if rng.random() < 0.1:
        rule["except_dates"] = ["2026-03-17"]


def walk(rng, place, count, interval, speed_mps):
    """A way with turns, sometimes standing."""
    x, y = place
    heading = rng.uniform(0, 2 * math.pi)
    out = []
    for _ in range(count):
        out.append((x, y))
        if rng.random() < 0.15:
            heading += rng.uniform(-1.8, 1.8)
        pace = 0.0 if rng.random() < 0.08 else speed_mps * rng.uniform(0.6, 1.3)
        heading += 0.35 * math.sin(math.atan2(-y, -x) - heading)
        x += math.cos(heading) * pace * interval
        y += math.sin(heading) * pace * interval
    return out


def random_trip(rng, vehicle, start, columns, settings):
    interval = rng.choice([0.2, 0.5, 1.0, 1.0, 2.0, 5.0])
    count = rng.randint(15, 70)
    speed = rng.uniform(0.8, 3.2)
    place = (rng.uniform(-70, 70), rng.uniform(-70, 70))
    trip_id = rng.choice(["", "T1", "T2", "T3"])
    mode, operator = rng.choice(MODES[:3]), rng.choice(["remote", "on_board", "none"])
    kind = rng.choice([*TYPES, ""])
    accuracy = rng.choice([0.5, 1.0, 3.0, 8.0, 40.0])
    t, rows, last = start, [], None
    for x, y in walk(rng, place, count, interval, speed):
        if rng.random() < 0.04:
            mode = rng.choice(MODES)
        if rng.random() < 0.04:
            operator = rng.choice(["remote", "on_board", "none", "unknown", ""])
        if rng.random() < 0.1:
            accuracy = rng.choice([0.5, 1.0, 3.0, 8.0, 40.0])
        jump = 3000 if rng.random() < 0.005 else 0
        lon, lat = degrees(x + jump, y)
        paced = 3.6 * math.hypot(x - last[0], y - last[1]) / interval if last else 3.6 * speed
        last = (x, y)
        reported = rng.choice([round(paced, 1), round(paced, 1), 5.0, 7.0])
        rows.append(
            {
                "vehicle_id": vehicle,
                "timestamp": t.isoformat(),
                "latitude": f"{lat:.8f}",
                "longitude": f"{lon:.8f}",
                "trip_id": trip_id,
                "vehicle_type": kind,
                "speed_kph": "" if rng.random() < 0.08 else f"{reported:g}",
                "horizontal_accuracy_m": "" if rng.random() < 0.05 else f"{accuracy:g}",
                "control_mode": "" if rng.random() < 0.02 else mode,
                "operator": operator,
            }
        )
        step = interval
        if rng.random() < 0.02:
            step = rng.choice([settings["max_gap_s"] + 1.5, settings["trip_gap_s"] + 20, 2 * settings["max_gap_s"]])
        t += timedelta(milliseconds=round(step * 1000))
    if "speed_kph" not in columns:
        for row in rows:
            row["speed_kph"] = ""
    return rows, t


def write_random_scenario(folder: Path, seed: int) -> Path:
    """Write zones.geojson, rules.toml, perhaps fleet.csv, and log files; return the folder."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    shapes = squares(rng.uniform(-20, 20), rng.uniform(-20, 20), rng.uniform(30, 60)) if rng.random() < 0.3 else []
    while len(shapes) < rng.randint(1, 4):
        shapes.append(geometry(rng, rng.uniform(-60, 60), rng.uniform(-60, 60), rng.uniform(25, 70)))
    start = NOON - timedelta(seconds=rng.choice([20, 60, 200]))
    settings = {
        "border_buffer_m": rng.choice([0.0, 0.0, 1.0, 3.0]),
        "min_duration_s": rng.choice([0.0, 1.0, 2.0, 4.0]),
        "merge_gap_s": rng.choice([0.0, 1.0, 2.0, 5.0]),
        "max_gap_s": rng.choice([6.0, 10.0]),
        "trip_gap_s": rng.choice([15.0, 60.0, 300.0]),
        "speed_tolerance_kph": rng.choice([0.0, 0.0, 0.5]),
        "unlogged_distance_m": rng.choice([5.0, 50.0]),
        "confidence": rng.choice([0.9, 0.95, 0.99]),
        "default_accuracy_m": rng.choice([1.0, 3.0]),
        "moving_kph": rng.choice([1.0, 3.0]),
    }
    if rng.random() < 0.15:
        settings["permit_needed_for"] = ["autonomous", "remote"]
    features = []
    for number, outline in enumerate(shapes):
        properties = {"zone_id": f"z{number}", "accuracy_m": rng.choice([0, 0, 0, 0.5, 2, 30])}
        if rng.random() < 0.12:
            properties["valid_from"] = (start + timedelta(seconds=rng.uniform(0, 120))).isoformat()
        if rng.random() < 0.12:
            properties["valid_to"] = (start + timedelta(seconds=rng.uniform(121, 240))).isoformat()
        features.append({"type": "Feature", "properties": properties, "geometry": outline})
    columns = {"speed_kph", "control_mode", "operator", "vehicle_type", "horizontal_accuracy_m"}
    columns -= {name for name in sorted(columns) if rng.random() < 0.12}
    rows, t = [], start
    for _ in range(rng.randint(1, 3)):
        made, t = random_trip(rng, rng.choice(["V1", "V1", "V2"]), t, columns, settings)
        rows += made
        t += timedelta(seconds=rng.choice([3, 30, 400]))
    rules = random_rules(rng, [f["properties"]["zone_id"] for f in features], start, (t - start).total_seconds())
    write_world(folder, features, settings, rules)
    if rng.random() < 0.4:
        (folder / "fleet.csv").write_text("vehicle_id,vehicle_type\nV1,sweeper\nV2,\n", encoding="utf-8")
    if rng.random() < 0.3:
        rows += [dict(row) | {"speed_kph": "3"} for row in rng.sample(rows, 2)]
    if rng.random() < 0.3:
        rng.shuffle(rows)
    kept = ["vehicle_id", "timestamp", "latitude", "longitude", "trip_id", *sorted(columns)]
    parts = 2 if rng.random() < 0.3 else 1
    for part in range(parts):
        with (folder / f"log{part}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, kept, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows[part::parts])
    return folder


def write_world(folder, features, settings, rules):
    document = {"type": "FeatureCollection", "zone_set": {"id": "random", "name": "random"}, "features": features}
    (folder / "zones.geojson").write_text(json.dumps(document), encoding="utf-8")
    lines = ["schema = 1", 'timezone = "Asia/Seoul"', "[evaluation]"]
    lines += [f"{key} = {text(value)}" for key, value in settings.items()]
    body = "\n\n".join(["\n".join(lines), *(toml_rule(rule) for rule in rules)])
    (folder / "rules.toml").write_text(body + "\n", encoding="utf-8")
