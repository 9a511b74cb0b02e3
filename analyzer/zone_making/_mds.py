"""MDS 2.0 Geography and Policy (Open Mobility Foundation): what has a counterpart here.

A geography becomes a zone. A rule of type `speed` becomes a restriction with `max_speed_kph`;
where something narrows it that rules here cannot say, it is written as a comment. All other
types (`count`, `time`, `rate`, `user`) are listed.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import shapely

from analyzer.errors import ZoneSetError
from analyzer.language import both
from analyzer.terms import WEEKDAYS
from analyzer.vectors import geojson_layer, text_of
from analyzer.zone_making._drafts import Choices, Draft, Import, RuleDraft
from analyzer.zone_making._shapes import ASSUMED_ACCURACY_M

KPH = {"kph": 1.0, "mph": 1.609344}
ZONE_KEYS = {"geography_id", "name", "geography_json", "effective_date"}
POLICY_KEYS = {"policy_id", "name", "description", "start_date", "end_date", "rules"}
RULE_KEYS = {"rule_id", "name", "rule_type", "geographies", "rule_units", "maximum", "start_time", "end_time", "days"}
MODE = "delivery-robots"
"""The one mode of MDS that is about vehicles like these."""

NARROWING = ("propulsion_types", "minimum")


def part_of(document: Mapping[str, Any], name: str) -> list[Any] | None:
    """Return the list `geographies` or `policies` of a document, also inside `data`; null where it has none."""
    data = document.get("data")
    for holder in (document, data if isinstance(data, dict) else {}):
        if isinstance(holder.get(name), list):
            return list(holder[name])
    return None


def geographies(where: str, given: Sequence[Any], choices: Choices) -> Import:
    """Return the zones of geographies."""
    drafts, lost = [], []
    for number, own in enumerate(given, start=1):
        place = f"{where}, geography {number}"
        if not isinstance(own, dict) or not isinstance(own.get("geography_id"), str):
            raise ZoneSetError(f"{place}: has no geography_id")
        drafts.append(_zone(place, own, choices))
        lost += [f"geography {own['geography_id']}: {k} = {_short(v)}" for k, v in own.items() if k not in ZONE_KEYS]
    said = both("{n} geographies of MDS became zones; `effective_date` became `valid_from`.", n=str(len(drafts)))
    return Import(tuple(drafts), remarks=(said,), without_counterpart=tuple(lost))


def _zone(where: str, own: Mapping[str, Any], choices: Choices) -> Draft:
    """Return the zone of a geography: all polygons of its GeoJSON together."""
    try:
        layer = geojson_layer(own.get("geography_json") or {}, "geography_json")
    except ValueError as error:
        raise ZoneSetError(f"{where}: geography_json: {error}") from error
    shapes = [f.geometry for f in layer.features if f.geometry is not None and "Polygon" in f.geometry.geom_type]
    if not shapes:
        raise ZoneSetError(f"{where}: geography_json holds no polygon; take this geography out")
    parts = [part for shape in shapes for part in shapely.get_parts(shape)]
    shape = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    name = text_of(own.get("name")) or own["geography_id"]
    word = choices.confidence or "derived"
    accuracy = ASSUMED_ACCURACY_M[word] if choices.accuracy_m is None else choices.accuracy_m
    properties = {"accuracy_m": accuracy, "geometry_confidence": word}
    if own.get("effective_date") is not None:
        properties["valid_from"] = _instant(where, own["effective_date"])
    return Draft(where, own["geography_id"], {"ko": name, "en": name}, shape, properties)


def policies(where: str, given: Sequence[Any], timezone: str) -> Import:
    """Return the rules of policies that have a counterpart, and the fields that have none.

    MDS gives hours in the local time of the agency; `timezone` is that of the rules here.
    """
    rules: list[RuleDraft] = []
    lost: list[str] = []
    for number, policy in enumerate(given, start=1):
        place = f"{where}, policy {number}"
        if not isinstance(policy, dict) or not isinstance(policy.get("rules"), list):
            raise ZoneSetError(f"{place}: has no rules")
        name = text_of(policy.get("policy_id")) or str(number)
        lost += [f"policy {name}: {k} = {_short(v)}" for k, v in policy.items() if k not in POLICY_KEYS]
        fastest = 0.0
        for rule in policy["rules"]:
            draft, lines = _rule(place, policy, rule, fastest)
            lost += lines
            if draft is not None:
                rules.append(draft)
                fastest = max(fastest, draft.table["max_speed_kph"])
    said = both(
        "{n} speed rules of MDS were read; {m} of them are comments, because something in them is in doubt.",
        n=str(len(rules)),
        m=str(sum(bool(r.doubts) for r in rules)),
    )
    hours = both("Their hours are taken as local time in {zone}; --timezone says another.", zone=timezone)
    return Import(rules=tuple(rules), remarks=(said, hours), without_counterpart=tuple(lost))


def _rule(where: str, policy: Mapping[str, Any], rule: Any, fastest: float) -> tuple[RuleDraft | None, list[str]]:
    """Return the restriction of a speed rule (null for other types) and what has no counterpart."""
    if not isinstance(rule, dict):
        raise ZoneSetError(f"{where}: a rule is no object")
    name = text_of(rule.get("rule_id"))
    speed, unit = rule.get("maximum"), KPH.get(str(rule.get("rule_units")))
    usable = isinstance(speed, int | float) and not isinstance(speed, bool) and speed > 0 and unit is not None
    if rule.get("rule_type") != "speed" or not usable or not isinstance(rule.get("geographies"), list):
        kind = f"type {_short(rule.get('rule_type'))}, {_short(rule.get('name'))}"
        return None, [f"rule {name}: {kind}, maximum = {_short(speed)} {_short(rule.get('rule_units'))}"]
    kph = float(f"{float(speed or 0) * (unit or 1.0):.6g}")
    table: dict[str, Any] = {
        "id": name.replace(";", "_") or "mds-rule",
        "revision": 1,
        "kind": "restriction",
        "text": dict.fromkeys(("ko", "en"), f"{text_of(rule.get('name'))}: {text_of(policy.get('description'))}"),
        "source": f"MDS policy {text_of(policy.get('policy_id'))}",
        "confidence": "assumed",
        "effective": _instant(where, policy.get("start_date")),
        "zones": [text_of(zone) for zone in rule["geographies"]],
        "max_speed_kph": kph,
    }
    if policy.get("end_date") is not None:
        table["expires"] = _instant(where, policy["end_date"])
    if rule.get("vehicle_types"):
        table["vehicle_types"] = [text_of(v) for v in rule["vehicle_types"]]
    if window := _window(rule):
        table["hours"] = [window]
    lost = [f"rule {name}: {k} = {_short(v)}" for k, v in rule.items() if k not in {*RULE_KEYS, "vehicle_types"} and v]
    return RuleDraft(table, tuple(_doubts(policy, rule, kph, fastest))), lost


def _window(rule: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the window of a rule, null where it holds always; the last second of a day is its end."""
    start, end = text_of(rule.get("start_time")) or "00:00:00", text_of(rule.get("end_time")) or "23:59:59"
    days = [d for d in WEEKDAYS if d in (rule.get("days") or WEEKDAYS)]
    if (start, end, len(days)) == ("00:00:00", "23:59:59", len(WEEKDAYS)):
        return None
    return {"days": days, "from": start, "to": "24:00" if end == "23:59:59" else end}


def _doubts(policy: Mapping[str, Any], rule: Mapping[str, Any], kph: float, fastest: float) -> Iterator[str]:
    """Yield why a rule cannot be taken over as it is."""
    if policy.get("provider_ids"):
        yield "it binds some providers only (provider_ids)"
    if policy.get("mode_id") not in (None, MODE):
        yield f"it is made for the mode {_short(policy['mode_id'])} (mode_id)"
    states = rule.get("states")
    if states and not (isinstance(states, dict) and states.get("on_trip") == []):
        yield f"it binds in some states of a vehicle only (states = {_short(states)})"
    yield from (f"{key} = {_short(rule[key])} has no counterpart" for key in NARROWING if rule.get(key))
    if rule.get("inclusive_maximum") is False:
        yield "the maximum itself is not allowed (inclusive_maximum = false); here a limit is"
    if kph < fastest:
        yield "an earlier rule of the policy allows more and is asked first; here every restriction binds"
    if policy.get("prev_policies"):
        yield "it replaces earlier policies (prev_policies); here a revision needs the same id"


def _instant(where: str, value: Any) -> str:
    """Return an instant of MDS (milliseconds since 1970 UTC) as ISO 8601."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**48:
        raise ZoneSetError(f"{where}: {_short(value)} is no time of MDS (milliseconds since 1970)")
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    try:
        return (start + dt.timedelta(milliseconds=value)).isoformat()
    except OverflowError as error:
        raise ZoneSetError(f"{where}: {value} is no time") from error


def _short(value: Any) -> str:
    """Return a value as a short text."""
    return text_of(value)[:120]
