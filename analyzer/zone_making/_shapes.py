"""Zones from the features of a file of shapes: which layer, which system, which attributes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely

from analyzer.coordinates import korean_crs_of
from analyzer.errors import ZoneSetError
from analyzer.language import Both, both, several
from analyzer.plain_text import plain
from analyzer.terms import GEOMETRY_CONFIDENCES
from analyzer.vectors import Feature, VectorLayer, text_of
from analyzer.vectors.systems import System, exact, system_of
from analyzer.zone_making._drafts import Choices, Draft, Import
from analyzer.zone_making._fields import ids_of, names_of
from analyzer.zone_outlines import area_km2

AREA_UNITS = {"km2": 1.0, "ha": 0.01, "m2": 1e-6}
KEPT = ("valid_from", "valid_to", "source", "legal_basis", "authority")
ASSUMED_ACCURACY_M = {"derived": 3.0, "sketch": 10.0, "official": 3.0}
"""1 sigma in metres of an outline of which nobody says how exact it is: an assumption, and said to be one."""


def of_layers(path: Path, layers: Sequence[VectorLayer], choices: Choices) -> Import:
    """Return the zones of a layer; ZoneSetError says what is missing and how to say it."""
    layer = _chosen(path, layers, choices.layer)
    areas, remarks = _areas(path, layer)
    system, said = _system(path, layer, areas, choices)
    remarks = [*layer.remarks, *remarks, *said]
    try:
        ids, how = ids_of(areas, choices.id_field)
        names, which = names_of(areas, ids, choices.name_field)
    except ZoneSetError as error:
        raise ZoneSetError(f"{path}: {error}") from error
    drafts, added = [], 0
    for feature, zone_id, name in zip(areas, ids, names, strict=True):
        where = f"{path}, feature {feature.number} ({plain(zone_id)})"
        geometry, more = _in_degrees(where, feature.geometry, system, choices)
        properties = _properties(feature.properties, choices, "sketch" if layer.drawn else "derived", system)
        drafts.append(Draft(where, zone_id, name, geometry, properties, _declared(where, feature, choices)))
        added += more
    if added:
        text = several(
            added,
            "{n} vertex was added: straight edges of {system} stay within 1 cm, drawn straight in degrees.",
            "{n} vertices were added: straight edges of {system} stay within 1 cm, drawn straight in degrees.",
            system=system.name,
        )
        remarks.append(text)
    return Import(tuple(drafts), remarks=(*remarks, how, which, *_accuracy(drafts, choices)))


def _chosen(path: Path, layers: Sequence[VectorLayer], name: str | None) -> VectorLayer:
    """Return the layer that is meant."""
    names = [layer.name for layer in layers]
    if name is None and len(layers) == 1:
        return layers[0]
    if name not in names:
        listed = ", ".join(map(plain, names)) or "none"
        problem = "which layer is meant? Say it by --layer" if name is None else f"there is no layer {name!r}"
        raise ZoneSetError(f"{path}: {problem}; there are: {listed}")
    return layers[names.index(name)]


def _areas(path: Path, layer: VectorLayer) -> tuple[list[Feature], list[Both]]:
    """Return the features with an area, and how many have none."""
    areas, skipped, empty = [], 0, 0
    for feature in layer.features:
        if feature.geometry is None or (feature.geometry.is_empty and "Polygon" in feature.geometry.geom_type):
            empty += 1
            continue
        own, others = _polygons(feature.geometry)
        skipped += others
        if own is not None:
            areas.append(Feature(feature.number, own, feature.properties))
    if not areas:
        raise ZoneSetError(f"{path}: layer {plain(layer.name)} holds no polygon ({skipped} lines and points)")
    remarks = [
        several(skipped, "{n} line or point was skipped.", "{n} lines and points were skipped."),
        several(empty, "{n} feature without a shape was skipped.", "{n} features without a shape were skipped."),
    ]
    return areas, [text for text, count in zip(remarks, (skipped, empty), strict=True) if count]


def _polygons(geometry: Any) -> tuple[Any, int]:
    """Return the polygon or multipolygon of a geometry (null: none), and how many lines and points it has."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry, 0
    if geometry.geom_type != "GeometryCollection":
        return None, 1
    found = [_polygons(own) for own in geometry.geoms]
    parts = [part for own, _ in found if own is not None for part in shapely.get_parts(own)]
    own = parts[0] if len(parts) == 1 else shapely.multipolygons(parts) if parts else None
    return own, sum(others for _, others in found)


def _system(path: Path, layer: VectorLayer, areas: Sequence[Feature], choices: Choices) -> tuple[System, list[Both]]:
    """Return the system of a layer; ZoneSetError where nobody says it."""
    named = choices.crs or layer.crs
    if named is None:
        raise ZoneSetError(f"{path}: nothing says in which coordinate system it is; {_advice(areas)}")
    try:
        west, south, east, north = shapely.total_bounds([area.geometry for area in areas]).tolist()
        bounds = (south, west, north, east) if choices.swap_axes else (west, south, east, north)
        system = system_of(named, bounds)
    except ValueError as error:
        raise ZoneSetError(f"{path}: {error}") from error
    if system.transform is None:
        return system, []
    return system, [both("Coordinates are read as {system}.", system=system.name), _exactness(system)]


def _advice(areas: Sequence[Feature]) -> str:
    """Return what the coordinates look like."""
    x, y = shapely.get_coordinates(areas[0].geometry)[0]
    looks = korean_crs_of(float(x), float(y))
    hint = f"they look like {looks}, but ask whoever drew them" if looks else "ask whoever drew them"
    return f"the first vertex is {x:.6g} {y:.6g}; {hint}, and say --crs EPSG:…"


def _exactness(system: System) -> Both:
    """Return how exact the way to WGS 84 is."""
    if system.by_grid:
        return both("The best shift of the datum needs a grid that is not here; a coarser one was used.")
    if system.accuracy_m is None:
        return both("Nobody states how exact the change to WGS 84 is (it uses given parameters).")
    return both("The change to WGS 84 is exact to {m} m.", m=f"{system.accuracy_m:g}")


def _in_degrees(where: str, geometry: Any, system: System, choices: Choices) -> tuple[Any, int]:
    """Return an area in WGS 84 and the vertices added; axes are swapped where that is said."""
    own = shapely.transform(geometry, lambda p: p[:, ::-1]) if choices.swap_axes else geometry
    try:
        made, added = exact(own, system)
    except ValueError as error:
        raise ZoneSetError(f"{where}: {error}") from error
    _plausible(where, made, system)
    return made, added


def _plausible(where: str, geometry: Any, system: System) -> None:
    """Refuse what is no place on earth, and what is swapped."""
    west, south, east, north = geometry.bounds
    if west > 33 and east < 43.5 and south > 124 and north < 132:  # noqa: PLR2004
        raise ZoneSetError(f"{where}: latitude and longitude are swapped; if so, say --swap-axes")
    if system.transform is None and (max(-west, east) > 180 or max(-south, north) > 90):  # noqa: PLR2004
        looks = korean_crs_of(west, south)
        hint = f"they look like {looks}" if looks else "they are in some other system"
        raise ZoneSetError(f"{where}: coordinates are not degrees: {hint}; say --crs EPSG:…")


def _properties(given: Mapping[str, Any], choices: Choices, confidence: str, system: System) -> dict[str, Any]:
    """Return what the zone keeps of a feature, and how exact its outline is taken to be."""
    kept = {key: text_of(given[key]) for key in KEPT if given.get(key) not in (None, "")}
    own = given.get("geometry_confidence")
    word = choices.confidence or (own if own in GEOMETRY_CONFIDENCES else confidence)
    return {
        "accuracy_m": _sigma(given.get("accuracy_m"), choices, str(word), system),
        "geometry_confidence": word,
        **kept,
    }


def _sigma(own: Any, choices: Choices, confidence: str, system: System) -> float:
    """Return 1 sigma of an outline: stated, or assumed by what kind of outline it is."""
    number = isinstance(own, int | float) and not isinstance(own, bool) and 0 <= own < 1e6  # noqa: PLR2004
    stated = choices.accuracy_m if choices.accuracy_m is not None else float(own) if number else None
    taken = ASSUMED_ACCURACY_M[confidence] if stated is None else stated
    return float(f"{(taken**2 + (system.accuracy_m or 0.0) ** 2) ** 0.5:.3g}")


def _accuracy(drafts: Sequence[Draft], choices: Choices) -> list[Both]:
    """Return what the outlines are taken to be exact to."""
    if choices.accuracy_m is not None:
        return []
    values = sorted({d.properties["accuracy_m"] for d in drafts})
    text = ", ".join(f"{v:g}" for v in values)
    return [both("How exact the outlines are, nobody said: 1 sigma is taken as {m} m; --accuracy-m says it.", m=text)]


def _declared(where: str, feature: Feature, choices: Choices) -> float | None:
    """Return the declared area in square kilometres, null for none."""
    name = choices.area_field or "declared_area_km2"
    value = feature.properties.get(name)
    if choices.area_field and name not in feature.properties:
        raise ZoneSetError(f"{where}: there is no attribute {name!r}")
    if value is None or value == "":
        return None
    try:
        number = float(str(value).replace(",", "")) * (AREA_UNITS[choices.area_unit or "km2"])
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:  # noqa: PLR2004
        raise ZoneSetError(f"{where}: {plain(name)} {plain(text_of(value))!r} is no area")
    return number


def measured_km2(geometry: Any) -> float:
    """Return the area of a polygon or multipolygon, 0 where it is empty."""
    return 0.0 if geometry.is_empty else area_km2(geometry)
