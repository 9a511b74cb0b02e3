"""What a verdict rests on besides the records: zones, rules, settings, vehicles; as plain data that can be compared."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import shapely

from analyzer.store import digest_of
from analyzer.zones import Zone, ZoneSet


def grounds_of(zone_set: ZoneSet) -> dict[str, Any]:
    """Return a digest of each zone, revision of a rule and vehicle, and the settings.

    How the files are written, and comments in them, make no difference.
    """
    rules = zone_set.rules
    return {
        "zones": {zone.zone_id: _of_zone(zone) for zone in zone_set.zones},
        "order": [zone.zone_id for zone in zone_set.zones],
        "rules": {f"{rule.id}, {rule.revision}": digest_of(_plain(asdict(rule))) for rule in rules.rules},
        "rule_order": [f"{rule.id}, {rule.revision}" for rule in rules.rules],
        "timezone": rules.timezone,
        "evaluation": _plain(asdict(rules.evaluation)),
        "fleet": {name: digest_of(asdict(vehicle)) for name, vehicle in sorted(zone_set.fleet.items())},
    }


def _of_zone(zone: Zone) -> str:
    """Return the digest of a zone."""
    outline = hashlib.sha256(shapely.to_wkb(zone.geometry, byte_order=1)).hexdigest()
    plain = {name: value for name, value in vars(zone).items() if name != "geometry"}
    return digest_of(outline, _plain({**plain, "name": dict(zone.name)}))


def _plain(value: Any) -> Any:
    """Return a value as what JSON can say of it."""
    return json.loads(json.dumps(value, default=str))
