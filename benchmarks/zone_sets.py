"""Synthetic zone sets: jagged star-shaped rings with holes around known places, and rules for every check."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LON_M, LAT_M = 91_000, 110_900
"""Metres a degree of longitude and latitude, near enough for made-up data at 35 degrees north."""


@dataclass(frozen=True)
class Place:
    """A zone's name, its middle in degrees and its radius in metres."""

    name: str
    lon: float
    lat: float
    radius_m: float


SIX = (
    Place("pyeongdong", 126.7597, 35.1281, 1200),
    Place("hanam", 126.8043, 35.2001, 1300),
    Place("jingok", 126.7785, 35.2240, 700),
    Place("suwan", 126.8300, 35.1800, 1100),
    Place("bitgreen", 126.6655, 35.1641, 750),
    Place("songjeong", 126.7962, 35.1466, 400),
)
"""Where the vehicles of the seven zones drive; the seventh is a school in one of the six."""

SCHOOL_M = 60
FEWEST, MOST = 51, 5_000
RULES = """schema = 1
timezone = "Asia/Seoul"
[evaluation]
confidence = 0.95
[[rule]]
id = "sweeping"
kind = "permit"
text = {{ ko = "무인 청소 허가", en = "sweeping permit" }}
zones = {permitted}
vehicle_types = ["sweeper"]
control_modes = ["autonomous", "remote"]
max_speed_kph = 7.0
operator = "remote"
hours = [{{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from = "06:00", to = "16:50" }}]
effective = 2026-01-01T00:00:00+09:00
[[rule]]
id = "trial"
kind = "permit"
text = {{ ko = "시험 허가", en = "trial permit" }}
zones = {trial}
control_modes = ["autonomous"]
max_speed_kph = 9.0
operator = "any"
effective = 2026-03-17T10:10:00+09:00
[[rule]]
id = "school"
kind = "restriction"
text = {{ ko = "어린이 보호구역 진입 금지", en = "no entry near schools" }}
zones = {schools}
no_entry = true
effective = 2026-01-01T00:00:00+09:00
"""


def spread(count: int) -> tuple[Place, ...]:
    """Return the places, and others on a wide grid around them until there are `count`."""
    rng = np.random.default_rng(63)
    places = list(SIX[:count])
    for step in range(1_000):
        row, column = divmod(step, 8)
        lon, lat = 126.50 + 0.055 * column, 34.86 + 0.055 * row
        near = any(np.hypot((lon - p.lon) * LON_M, (lat - p.lat) * LAT_M) < 3_000 for p in places)
        if len(places) == count:
            break
        if not near:
            places.append(Place(f"area-{step:02d}", round(lon, 4), round(lat, 4), float(rng.integers(500, 1300))))
    return tuple(places)


def schools(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return small zones inside every eighth place, from the fourth on, where vehicles pass."""
    return tuple(Place(f"school-{p.name}", p.lon, p.lat + 0.6 * p.radius_m / LAT_M, SCHOOL_M) for p in places[3::8])


def ring(place: Place, vertices: int, scale: float = 1.0, turn: float = 0.0) -> list[list[float]]:
    """Return a closed star-shaped ring, jagged at all lengths, of so many vertices."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    wave = 1 + 0.15 * np.sin(5 * angle + turn) + 0.02 * np.sin(61 * angle) + 0.004 * np.sin(733 * angle)
    radius = scale * place.radius_m * wave
    lon, lat = place.lon + radius * np.cos(angle) / LON_M, place.lat + radius * np.sin(angle) / LAT_M
    points = np.column_stack([lon, lat]).round(8).tolist()
    return [*points, points[0]]


def polygon(place: Place, vertices: int) -> list[list[list[float]]]:
    """Return a ring and, in it, a hole that the vehicles' way leads through."""
    inner = max(vertices // 10, 12)
    middle = Place("", place.lon + 0.55 * place.radius_m / LON_M, place.lat, place.radius_m)
    return [ring(place, vertices - inner), ring(middle, inner, scale=0.1)[::-1]]


def vertex_counts(places: int, vertices: int | None) -> list[int]:
    """Return the vertices of each place: from 51 to 5,000, or those that add up to `vertices`."""
    shares = np.linspace(FEWEST, MOST, places)
    if vertices is not None:
        shares = np.maximum(shares * vertices / shares.sum(), FEWEST)
    return shares.astype(int).tolist()


def driven(zones: int) -> tuple[Place, ...]:
    """Return the places of a set of so many zones, its schools left out: vehicles drive there."""
    count = next(n for n in range(zones, 0, -1) if n + len(schools(spread(n))) <= zones)
    return spread(count)


def write_zone_set(folder: Path, zones: int = 7, vertices: int | None = None) -> Path:
    """Write a zone set of `zones` zones, the schools among them."""
    places = driven(zones)
    near_schools = schools(places)
    outlines = [polygon(p, n) for p, n in zip(places, vertex_counts(len(places), vertices), strict=True)]
    outlines += [[ring(p, 40)] for p in near_schools]
    features = [
        {
            "type": "Feature",
            "properties": {"zone_id": place.name, "accuracy_m": 0},
            "geometry": {"type": "Polygon", "coordinates": outline},
        }
        for place, outline in zip((*places, *near_schools), outlines, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "zones.geojson").write_text(text, encoding="utf-8")
    names = {
        "permitted": [p.name for p in places if p not in places[1::8]],
        "trial": [p.name for p in places[1::8]],
        "schools": [p.name for p in near_schools],
    }
    rules = RULES.format(**{k: json.dumps(v) for k, v in names.items()})
    (folder / "rules.toml").write_text(rules, encoding="utf-8")
    return folder
