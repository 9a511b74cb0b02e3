"""Synthetic fleets for the benchmarks: vehicles that wander in and around seven zones at 10 Hz."""

import json
from pathlib import Path

import numpy as np
import polars as pl

START_US = 1_773_709_200_000_000  # 2026-03-17 10:00 in Seoul
ZONES = {
    "pyeongdong": (126.7597, 35.1281, 1200),
    "hanam": (126.8043, 35.2001, 1300),
    "jingok": (126.7785, 35.2140, 700),
    "suwan": (126.8300, 35.1800, 1100),
    "uchi": (126.8933, 35.2242, 600),
    "bitgreen": (126.6655, 35.1641, 750),
    "songjeong": (126.7962, 35.1466, 400),
}
RULES = """schema = 1
timezone = "Asia/Seoul"
[evaluation]
confidence = 0.95
[[rule]]
id = "permit"
kind = "permit"
text = {{ ko = "허가", en = "permit" }}
zones = {zones}
control_modes = ["autonomous", "remote"]
max_speed_kph = 7.0
operator = "any"
hours = [{{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from = "06:00", to = "22:00" }}]
effective = 2026-01-01T00:00:00+09:00
[[rule]]
id = "school"
kind = "restriction"
text = {{ ko = "금지", en = "no entry" }}
zones = ["school"]
no_entry = true
effective = 2026-01-01T00:00:00+09:00
"""


def ring(lon, lat, radius_m, vertices):
    """Return a star-shaped ring with many vertices."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = radius_m * (1 + 0.15 * np.sin(5 * angle) + 0.02 * np.sin(61 * angle))
    points = np.column_stack([lon + radius * np.cos(angle) / 91_000, lat + radius * np.sin(angle) / 110_900])
    return [*points.round(8).tolist(), points[0].round(8).tolist()]


def write_zone_set(folder: Path, vertices: int = 5_000) -> Path:
    """Write seven permit zones and a school inside one of them."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.linspace(51, vertices, len(ZONES)).astype(int)
    rings = {name: ring(*where, n) for (name, where), n in zip(ZONES.items(), counts, strict=True)}
    rings["school"] = ring(126.83, 35.181, 60, 40)
    features = [
        {
            "type": "Feature",
            "properties": {"zone_id": name, "accuracy_m": 0},
            "geometry": {"type": "Polygon", "coordinates": [points]},
        }
        for name, points in rings.items()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "zones.geojson").write_text(text, encoding="utf-8")
    rules = RULES.format(zones=json.dumps(list(ZONES)))
    (folder / "rules.toml").write_text(rules, encoding="utf-8")
    return folder


def vehicle(number: int, fixes: int) -> pl.DataFrame:
    """Return one vehicle's day: a smooth random way around its zone, mostly inside."""
    rng = np.random.default_rng(number)
    lon, lat, radius = list(ZONES.values())[number % len(ZONES)]
    steps = np.arange(fixes)
    speed_kph = np.clip(5.5 + 1.2 * np.sin(steps / 700) + rng.normal(0, 0.12, fixes), 0, None)
    stops = (steps % 6000) < 600
    speed_kph[stops] = 0
    way = np.cumsum(speed_kph / 36)
    turn = way / (0.9 * radius)
    reach = radius * (0.72 + 0.34 * np.sin(turn / 3.1) * np.sin(turn / 7.7))
    x, y = reach * np.cos(turn), reach * np.sin(turn)
    modes = np.where((steps // 9000) % 9 == 8, "manual", "autonomous")
    return pl.DataFrame(
        {
            "vehicle_id": pl.Series([f"V{number:03d}"]).new_from_index(0, fixes),
            "timestamp": pl.Series(START_US + steps * 100_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "latitude": np.round(lat + y / 110_900, 8),
            "longitude": np.round(lon + x / 91_000, 8),
            "speed_kph": np.round(speed_kph, 2),
            "horizontal_accuracy_m": np.round(np.abs(rng.normal(0.6, 0.15, fixes)), 2),
            "control_mode": modes,
            "operator": pl.Series(["remote"]).new_from_index(0, fixes),
        }
    )


def write_fleet(path: Path, fixes: int, vehicles: int = 20) -> Path:
    """Write one Parquet file of a fleet, vehicle after vehicle."""
    each = fixes // vehicles
    frames = [vehicle(number, each) for number in range(vehicles)]
    pl.concat(frames).write_parquet(path, compression="zstd", row_group_size=500_000)
    return path
