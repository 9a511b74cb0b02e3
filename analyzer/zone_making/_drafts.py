"""What a zone set is made of before it is written: zones, rules, and what must be said of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.language import Both


@dataclass(frozen=True)
class Choices:
    """What the command line says; null or empty = not said.

    `area_unit` is km2, ha or m2; `accuracy_m` is 1 sigma of every outline that does not state its own.
    """

    crs: str | None = None
    layer: str | None = None
    set_id: str | None = None
    id_field: str | None = None
    name_field: str | None = None
    area_field: str | None = None
    area_unit: str | None = None
    accuracy_m: float | None = None
    confidence: str | None = None
    encoding: str | None = None
    timezone: str = "Asia/Seoul"
    repair: bool = False
    swap_axes: bool = False


@dataclass(frozen=True)
class Draft:
    """One zone to be: where it comes from, its id and name, its outline as the source has it, and properties.

    `properties` are those of zones.geojson other than id and name; `declared_km2` null = not declared;
    `restricts` is true of a zone that forbids or conditions something: no permit is made for it.
    """

    where: str
    zone_id: str
    name: Mapping[str, str]
    geometry: Any
    properties: Mapping[str, Any] = field(default_factory=dict)
    declared_km2: float | None = None
    restricts: bool = False


@dataclass(frozen=True)
class RuleDraft:
    """One rule to be: its TOML table, and why it must stay a comment (empty = it is written as a rule)."""

    table: Mapping[str, Any]
    doubts: Sequence[str] = ()


@dataclass(frozen=True)
class Import:
    """What one source gives: zones, rules, sentences, and the fields that have no counterpart (one line each)."""

    drafts: tuple[Draft, ...] = ()
    rules: tuple[RuleDraft, ...] = ()
    remarks: tuple[Both, ...] = ()
    without_counterpart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A zone set that was written: its folder and what its maker must know."""

    folder: Path
    remarks: tuple[Both, ...]
    without_counterpart: tuple[str, ...]
