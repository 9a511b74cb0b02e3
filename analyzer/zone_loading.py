"""Zone sets, read and validated: outlines, declared areas, fleet; and the bundled ones."""

import csv
import datetime as dt
import difflib
import gc
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely

from analyzer.errors import ZoneSetError
from analyzer.language import both
from analyzer.rule_loading import load_rules
from analyzer.terms import GEOMETRY_CONFIDENCES, Notice
from analyzer.windows import instant_us
from analyzer.zone_notices import set_notices
from analyzer.zone_outlines import area_km2, outline, rings_of
from analyzer.zones import Vehicle, Zone, ZoneSet

FLEET_COLUMNS = ("vehicle_id", "vehicle_type", "name", "operator")


def bundled() -> dict[str, Path]:
    """Return name -> folder of the bundled zone sets, in the wheel or in a checkout."""
    here = Path(__file__).resolve().parent
    folder = next((f for f in (here / "_zones", here.parent / "zones") if f.is_dir()), None)
    found = sorted(folder.iterdir()) if folder else []
    return {f.name: f for f in found if (f / "zones.geojson").is_file()}


def load_zone_set(name_or_folder: str | Path, fleet: Path | None = None) -> ZoneSet:
    """Return a validated zone set; `fleet` replaces the fleet.csv of the set.

    Raises ZoneSetError or RuleError: what is wrong, where, and what to write instead.
    """
    with _no_garbage_collection():
        return _load(_folder(name_or_folder), fleet)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Spare the collector millions of new lists, which it would walk through again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(folder: Path, fleet: Path | None) -> ZoneSet:
    """Return the zone set of a folder."""
    path = folder / "zones.geojson"
    document = _json(path)
    notices: list[Notice] = []
    features = _features(path, document)
    zones = tuple(_zone(path, n, feature, notices) for n, feature in enumerate(features, start=1))
    _unique(path, zones)
    rules = load_rules(folder / "rules.toml", [zone.zone_id for zone in zones])
    fleet_path = fleet or folder / "fleet.csv"
    vehicles = _fleet(fleet_path) if fleet or fleet_path.exists() else {}
    declared = _declared(path, document.get("zone_set", {}), folder.name)
    zone_set = ZoneSet(
        **declared,
        zones=zones,
        rules=rules,
        fleet=vehicles,
        path=folder,
        files=_hashes(folder, fleet_path),
    )
    return replace(zone_set, notices=(*set_notices(zone_set), *notices))


def _folder(name_or_folder: str | Path) -> Path:
    """Return the folder of a bundled set or a path."""
    sets = bundled()
    folder = Path(name_or_folder)
    if str(name_or_folder) in sets:
        return sets[str(name_or_folder)]
    if folder.is_dir():
        return folder
    near = difflib.get_close_matches(str(name_or_folder), sets, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"bundled are: {', '.join(sets)}"
    message = f"{name_or_folder}: no such zone set (neither a folder nor bundled); {hint}"
    raise ZoneSetError(message)


def _json(path: Path) -> dict[str, Any]:
    """Return the JSON document."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message = f"{path}: not found; a zone set is a folder with zones.geojson and rules.toml"
        raise ZoneSetError(message) from None
    except json.JSONDecodeError as error:
        raise ZoneSetError(f"{path}, line {error.lineno}: not valid JSON: {error.msg}") from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise ZoneSetError(f"{path}: cannot be read as UTF-8 JSON ({error})") from error
    if not isinstance(document, dict):
        raise ZoneSetError(f"{path}: must be a GeoJSON FeatureCollection")
    return document


def _features(path: Path, document: Mapping[str, Any]) -> list[Any]:
    """Return the features, at least one."""
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise ZoneSetError(f"{path}: must be a GeoJSON FeatureCollection (RFC 7946)")
    if not features:
        raise ZoneSetError(f"{path}: holds no zone; add at least one Polygon feature")
    return features


def _zone(path: Path, number: int, feature: Any, notices: list[Notice]) -> Zone:
    """Return one zone of the file."""
    where = f"{path}, feature {number}"
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise ZoneSetError(f"{where}: has no properties; a zone needs at least `zone_id`")
    zone_id = properties.get("zone_id")
    if not isinstance(zone_id, str) or not zone_id or set(zone_id) & set("+;"):
        message = f"{where}: `zone_id` must be a text without `+` and `;`, not {zone_id!r}"
        raise ZoneSetError(message)
    where = f"{where} ({zone_id})"
    geometry, repaired = outline(where, feature.get("geometry"))
    if repaired:
        notices.append(_repaired(zone_id))
    confidence = properties.get("geometry_confidence", "sketch")
    if confidence not in GEOMETRY_CONFIDENCES:
        words = ", ".join(GEOMETRY_CONFIDENCES)
        raise ZoneSetError(f"{where}: geometry_confidence {confidence!r}; write one of {words}")
    start, end = (_instant(where, properties, key) for key in ("valid_from", "valid_to"))
    if start is not None and end is not None and end <= start:
        raise ZoneSetError(f"{where}: valid_to is not after valid_from; swap or correct them")
    return Zone(
        zone_id=zone_id,
        name=_names(where, properties.get("name", zone_id)),
        geometry=geometry,
        valid_from_us=start,
        valid_to_us=end,
        accuracy_m=_number(where, properties, "accuracy_m") or 0.0,
        geometry_confidence=confidence,
        declared_area_km2=_number(where, properties, "declared_area_km2"),
        measured_area_km2=area_km2(geometry),
        vertices=int(shapely.get_num_coordinates(geometry)) - len(rings_of(geometry)),
        **{key: _text(where, properties, key) for key in ("source", "legal_basis", "authority")},
    )


def _repaired(zone_id: str) -> Notice:
    """Return the notice of a ring turned or closed."""
    text = both("Zone {zone}: the order or the closing of a ring was repaired (RFC 7946).", zone=zone_id)
    return Notice("ring-repaired", zone_id, **text)


def _names(where: str, value: Any) -> dict[str, str]:
    """Return the name in Korean and English."""
    if isinstance(value, str):
        return {"ko": value, "en": value}
    if isinstance(value, dict) and all(isinstance(value.get(k), str) for k in ("ko", "en")):
        return {"ko": value["ko"], "en": value["en"]}
    raise ZoneSetError(f'{where}: name must be a text or {{"ko": "…", "en": "…"}}')


def _instant(where: str, properties: Mapping[str, Any], key: str) -> int | None:
    """Return an instant with an offset, null where it is left out."""
    value = properties.get(key)
    if value is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        message = f"{where}: {key} {value!r} must be ISO 8601 with an offset, 2021-02-17T00:00:00+09:00"
        raise ZoneSetError(message)
    return instant_us(instant)


def _number(where: str, properties: Mapping[str, Any], key: str) -> float | None:
    """Return a number of 0 or more, null where it is left out."""
    value = properties.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ZoneSetError(f"{where}: {key} must be a number of 0 or more, not {value!r}")
    return float(value)


def _text(where: str, properties: Mapping[str, Any], key: str) -> str:
    """Return a text, empty where it is left out."""
    value = properties.get(key) or ""
    if not isinstance(value, str):
        raise ZoneSetError(f"{where}: {key} must be a text, not {value!r}")
    return value


def _unique(path: Path, zones: tuple[Zone, ...]) -> None:
    """Refuse an id that two zones share."""
    seen: set[str] = set()
    for zone in zones:
        if zone.zone_id in seen:
            raise ZoneSetError(f"{path}: two zones are called {zone.zone_id!r}; rename one")
        seen.add(zone.zone_id)


def _declared(path: Path, member: Any, folder: str) -> dict[str, Any]:
    """Return the set-level members."""
    where = f"{path}, zone_set"
    if not isinstance(member, dict):
        raise ZoneSetError(f"{where}: must be an object with `id`, `name` and what is declared")
    count = _number(where, member, "declared_zones")
    return {
        "id": member.get("id") or folder,
        "name": _names(where, member.get("name") or folder),
        "declared_area_km2": _number(where, member, "declared_area_km2"),
        "declared_zones": None if count is None else int(count),
    }


def _fleet(path: Path) -> dict[str, Vehicle]:
    """Return the vehicles of a fleet.csv."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ZoneSetError(f"{path}: the fleet file cannot be read as UTF-8 CSV ({error})") from error
    if rows and "vehicle_id" not in rows[0]:
        raise ZoneSetError(f"{path}: the first line must be {','.join(FLEET_COLUMNS)}")
    vehicles: dict[str, Vehicle] = {}
    for number, row in enumerate(rows, start=2):
        vehicle = Vehicle(*((row.get(name) or "").strip() for name in FLEET_COLUMNS))
        if not vehicle.vehicle_id or vehicle.vehicle_id in vehicles:
            problem = "is there twice" if vehicle.vehicle_id else "is empty"
            raise ZoneSetError(f"{path}, line {number}: vehicle_id {problem}; correct the line")
        vehicles[vehicle.vehicle_id] = vehicle
    return vehicles


def _hashes(folder: Path, fleet: Path) -> dict[str, str]:
    """Return file name -> SHA-256 of the files of the set."""
    paths = [folder / "zones.geojson", folder / "rules.toml", fleet]
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths if p.is_file()}
