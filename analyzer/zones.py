"""Zone sets: outlines with validity and accuracy, loaded and validated."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from shapely.geometry import MultiPolygon, Polygon

from analyzer.records import record
from analyzer.rules import Rules
from analyzer.terms import Notice


@record(frozen=True)
class Zone:
    """One zone; validity is `[valid_from_us, valid_to_us)` in microseconds since 1970 UTC.

    `geometry` is WGS 84 longitude, latitude; `accuracy_m` is 1 sigma of the outline;
    null bounds of the validity mean always; `declared_area_km2` null = not declared.
    """

    zone_id: str
    name: Mapping[str, str]
    geometry: Polygon | MultiPolygon
    valid_from_us: int | None = None
    valid_to_us: int | None = None
    accuracy_m: float = 0.0
    geometry_confidence: str = "sketch"
    source: str = ""
    legal_basis: str = ""
    authority: str = ""
    declared_area_km2: float | None = None
    measured_area_km2: float = 0.0
    vertices: int = 0


@record(frozen=True)
class Vehicle:
    """One line of fleet.csv; empty text where the file says nothing."""

    vehicle_id: str
    vehicle_type: str = ""
    name: str = ""
    operator: str = ""


@record(frozen=True)
class ZoneSet:
    """A validated zone set: zones and rules in file order, and what readers must be told.

    `files` maps the file names of the set to their SHA-256; `notices` are warnings that
    every report repeats (area mismatch, sketch outlines, repaired rings, …).
    """

    id: str
    name: Mapping[str, str]
    zones: tuple[Zone, ...]
    rules: Rules
    declared_area_km2: float | None = None
    declared_zones: int | None = None
    fleet: Mapping[str, Vehicle] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    path: Path = Path()
    files: Mapping[str, str] = field(default_factory=dict)
