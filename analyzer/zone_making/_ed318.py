"""EUROCAE ED-318, zones for unmanned aircraft, as GeoJSON: what has a counterpart here.

A feature with `identifier` and `type` becomes a zone (a circle: a polygon within 1 cm of it);
`name`, `zoneAuthority` and one period without a schedule are kept. PROHIBITED becomes a
restriction with `no_entry` where it reaches the ground always and for all; otherwise it is
a comment. These zones are made for aircraft: whether they bind vehicles, the reader must say.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from analyzer.errors import ZoneSetError
from analyzer.language import both, several
from analyzer.plain_text import plain
from analyzer.vectors import Feature, geojson_layer, polygon_of, shape_of, text_of
from analyzer.vectors.systems import DEVIATION_M
from analyzer.zone_making._drafts import Choices, Draft, Import, RuleDraft
from analyzer.zone_making._shapes import ASSUMED_ACCURACY_M

TYPES = ("USPACE", "PROHIBITED", "REQ_AUTHORIZATION", "CONDITIONAL", "NO_RESTRICTION")
KEPT = {"identifier", "name", "id"}
ALWAYS = "1970-01-01T00:00:00+00:00"
MOST_RADIUS_M = 100_000.0


def is_ed318(document: Mapping[str, Any]) -> bool:
    """Return whether a GeoJSON document looks like ED-318: every feature has an identifier and a type of zone."""
    features = document.get("features")
    if not isinstance(features, list) or not features:
        return False
    properties = [f.get("properties") if isinstance(f, dict) else None for f in features]
    return all(isinstance(p, dict) and "identifier" in p and str(p.get("type")).upper() in TYPES for p in properties)


def zones_of(where: str, document: Mapping[str, Any], choices: Choices) -> Import:
    """Return zones and rules of a document."""
    prepared = [{**f, "geometry": None} for f in document["features"]]
    features = geojson_layer({"type": "FeatureCollection", "features": prepared}, "ED-318").features
    drafts, rules, lost, skipped = [], [], [], 0
    for feature, given in zip(features, document["features"], strict=True):
        name = text_of(feature.properties["identifier"])
        place = f"{where}, feature {feature.number} ({plain(name)})"
        shape = _shape(place, given.get("geometry"))
        if shape is None:
            skipped += 1
            continue
        drafts.append(_draft(place, feature, shape, choices))
        rules += list(_rules(name, feature.properties, given["geometry"]))
        lost += list(_lost(name, feature.properties, given["geometry"]))
    said = [
        both("These zones are made for unmanned aircraft (ED-318); whether they bind vehicles, you must say."),
        *(
            [several(skipped, "{n} line or point was skipped.", "{n} lines and points were skipped.")]
            if skipped
            else ()
        ),
    ]
    return Import(tuple(drafts), tuple(rules), tuple(said), tuple(lost))


def _shape(where: str, geometry: Any) -> Any:
    """Return the area of a geometry, also of a circle; null for lines and points."""
    if not isinstance(geometry, dict):
        return None
    extent = geometry.get("extent")
    if geometry.get("type") == "Point" and isinstance(extent, dict) and extent.get("subType") == "Circle":
        return _circle(where, geometry.get("coordinates"), extent.get("radius"))
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        return shape_of(geometry)
    except (ValueError, TypeError, LookupError) as error:
        raise ZoneSetError(f"{where}: {error}") from error


def _circle(where: str, centre: Any, radius: Any) -> Any:
    """Return a circle on the ellipsoid as a polygon that lies within 1 cm of it."""
    numbers: list[Any] = [*centre[:2], radius] if isinstance(centre, list) else [None]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers) or len(numbers) != 3:  # noqa: PLR2004
        raise ZoneSetError(f"{where}: a circle needs a centre and a radius in metres")
    longitude, latitude, metres = map(float, numbers)
    if not (0 < metres <= MOST_RADIUS_M and abs(longitude) <= 180 and abs(latitude) <= 85):  # noqa: PLR2004
        raise ZoneSetError(f"{where}: a circle of {metres:g} m at {longitude:g} {latitude:g} is not read")
    from pyproj import Geod  # noqa: PLC0415

    count = max(16, math.ceil(math.pi / math.acos(max(1 - DEVIATION_M / (2 * metres), 0.0))))
    azimuth = np.linspace(0, -360, count, endpoint=False)
    own = [np.full(count, v) for v in (longitude, latitude)]
    east, north, _ = Geod(ellps="WGS84").fwd(*own, azimuth, np.full(count, metres))
    return polygon_of([np.column_stack([east, north])])


def _draft(where: str, feature: Feature, shape: Any, choices: Choices) -> Draft:
    """Return the zone of a feature."""
    given = feature.properties
    word = choices.confidence or "derived"
    accuracy = ASSUMED_ACCURACY_M[word] if choices.accuracy_m is None else choices.accuracy_m
    authorities = [
        text for a in _list(given.get("zoneAuthority")) if isinstance(a, dict) for text in _texts(a.get("name"))
    ]
    period = _only_period(given) or {}
    times = {"valid_from": period.get("startDateTime"), "valid_to": period.get("endDateTime")}
    properties = {
        "accuracy_m": accuracy,
        "geometry_confidence": word,
        **({"authority": "; ".join(authorities)} if authorities else {}),
        **{key: value for key, value in times.items() if value},
    }
    name = _name(given.get("name"), text_of(given["identifier"]))
    return Draft(where, text_of(given["identifier"]), name, shape, properties, restricts=True)


def _list(value: Any) -> list[Any]:
    """Return a list: some writers leave out the brackets around one entry."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: Any) -> list[str]:
    """Return the texts of a multilingual field."""
    return [text_of(t.get("text") if isinstance(t, dict) else t) for t in _list(value)]


def _name(value: Any, identifier: str) -> dict[str, str]:
    """Return the Korean and the English name; another language stands for both."""
    by_language = {str(t.get("lang"))[:2].lower(): text_of(t.get("text")) for t in _list(value) if isinstance(t, dict)}
    first = next(iter(_texts(value)), "") or identifier
    return {lang: by_language.get(lang) or first for lang in ("ko", "en")}


def _only_period(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the one period of a zone, null where it has none, several, or one with a schedule."""
    periods = _list(given.get("limitedApplicability"))
    if len(periods) != 1 or not isinstance(periods[0], dict) or periods[0].get("schedule"):
        return None
    return dict(periods[0])


def _rules(name: str, given: Mapping[str, Any], geometry: Mapping[str, Any]) -> Iterator[RuleDraft]:
    """Yield the restriction of a prohibited zone."""
    if str(given.get("type")).upper() != "PROHIBITED":
        return
    text = " ".join(_texts(given.get("message"))) or f"ED-318 {name}: PROHIBITED"
    table = {
        "id": f"ed318-{name}".replace(";", "_"),
        "revision": 1,
        "kind": "restriction",
        "text": {"ko": text, "en": text},
        "source": "ED-318",
        "confidence": "assumed",
        "effective": ALWAYS,
        "zones": [name],
        "no_entry": True,
    }
    yield RuleDraft(table, tuple(_doubts(given, geometry)))


def _doubts(given: Mapping[str, Any], geometry: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a prohibition cannot be taken over as it is."""
    layer = geometry.get("layer")
    ground = isinstance(layer, dict) and layer.get("lower") == 0 and str(layer.get("lowerReference")).upper() == "AGL"
    if not ground:
        yield "it may not reach the ground (layer)"
    if given.get("limitedApplicability") and _only_period(given) is None:
        yield "it applies at some times only (limitedApplicability), and the clock of its schedule is not sure"
    if given.get("restrictionConditions"):
        yield "it has conditions (restrictionConditions)"
    if str(given.get("variant") or "COMMON").upper() != "COMMON":
        yield "it is made for one operator (variant)"


def _lost(name: str, given: Mapping[str, Any], geometry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields without a counterpart."""
    used = {*KEPT, *({"limitedApplicability"} if _only_period(given) else set())}
    if str(given.get("type")).upper() == "PROHIBITED":
        used |= {"type", "message"}
    for key, value in given.items():
        if key not in used and value not in (None, "", []):
            part = " (only its names are kept)" if key == "zoneAuthority" else ""
            yield f"zone {name}: {key} = {text_of(value)[:120]}{part}"
    if "layer" in geometry:
        yield f"zone {name}: layer = {text_of(geometry['layer'])[:120]}"
