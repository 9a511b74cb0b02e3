"""A zone set written: beside its place first, checked by the loader, then moved there."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely

from analyzer.errors import ZoneSetError
from analyzer.zone_loading import load_zone_set
from analyzer.zone_making._drafts import Draft
from analyzer.zone_making._scaffold import FLEET
from analyzer.zones import ZoneSet


def zones_geojson(drafts: Sequence[Draft], set_id: str, source: str) -> str:
    """Return zones.geojson, one zone a line."""
    lines = [json.dumps(_feature(draft, source), ensure_ascii=False, allow_nan=False) for draft in drafts]
    member = json.dumps({"id": set_id, "name": {"ko": set_id, "en": set_id}}, ensure_ascii=False)
    body = ",\n".join(lines)
    return f'{{"type": "FeatureCollection", "zone_set": {member}, "features": [\n{body}\n]}}\n'


def _feature(draft: Draft, source: str) -> Mapping[str, Any]:
    """Return the feature of a zone; coordinates are written so that they read back the same."""
    declared = {} if draft.declared_km2 is None else {"declared_area_km2": draft.declared_km2}
    properties = {"zone_id": draft.zone_id, "name": draft.name, "source": source, **draft.properties, **declared}
    return {"type": "Feature", "properties": properties, "geometry": _geometry(draft.geometry)}


def _geometry(geometry: Any) -> Mapping[str, Any]:
    """Return a geometry as GeoJSON."""
    parts = [[shapely.get_coordinates(r).tolist() for r in shapely.get_rings(p)] for p in shapely.get_parts(geometry)]
    if geometry.geom_type == "Polygon":
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def refuse_existing(folder: Path) -> None:
    """Refuse to write over anything."""
    if folder.exists() or folder.is_symlink():
        raise ZoneSetError(f"{folder}: exists already; zones new makes a new folder and overwrites nothing")


def write_set(folder: Path, zones: str, rules: str) -> ZoneSet:
    """Write the folder whole or not at all, and return the set as the loader reads it."""
    refuse_existing(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".zonelog-", dir=folder.parent))
    except OSError as error:
        raise ZoneSetError(f"{folder}: cannot be written ({error})") from error
    try:
        for name, text in (("zones.geojson", zones), ("rules.toml", rules), ("fleet.example.csv", FLEET)):
            (beside / name).write_text(text, encoding="utf-8", newline="\n")
        _check(beside, folder)
        beside.chmod(0o755)
        refuse_existing(folder)
        beside.rename(folder)
    except OSError as error:
        raise ZoneSetError(f"{folder}: cannot be written ({error})") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return load_zone_set(folder)


def _check(beside: Path, folder: Path) -> None:
    """Refuse a set that does not load; the message names the folder that was asked for."""
    try:
        load_zone_set(beside)
    except ZoneSetError as error:
        raise ZoneSetError(str(error).replace(str(beside), str(folder))) from error
