"""What every report must say of a zone set: areas that differ, sketches, rules not from official texts."""

from collections.abc import Iterator

from analyzer.language import both, marked
from analyzer.terms import Notice
from analyzer.zones import ZoneSet

UNFILLED_US = 253_370_764_800_000_000
"""Rules that take effect in the year 9999 or later are scaffolds: nobody has filled them in."""

AREA_TOLERANCE = 0.01
"""Measured and declared areas may differ by this share before a reader is told."""


def set_notices(zone_set: ZoneSet) -> list[Notice]:
    """Return what every report must say of the set itself."""
    return [
        *_count_notices(zone_set),
        *_area_notices(zone_set),
        *_unfilled_notices(zone_set),
        *_confidence_notices(zone_set),
    ]


def _count_notices(zone_set: ZoneSet) -> Iterator[Notice]:
    """Yield that other than the declared number of zones are there."""
    declared, count = zone_set.declared_zones, len(zone_set.zones)
    if declared not in (None, count):
        text = both("{declared} zones are declared, but the set holds {count}.", declared=declared, count=count)
        yield Notice("zone-count-mismatch", zone_set.id, **text)


def _area_notices(zone_set: ZoneSet) -> Iterator[Notice]:
    """Yield which areas are not those declared, first that of all zones."""
    total, declared = sum(z.measured_area_km2 for z in zone_set.zones), zone_set.declared_area_km2
    if _differs(total, declared):
        areas = {"declared": f"{declared:.2f}", "measured": f"{total:.2f}"}
        wider = both(
            "The declared total is {declared} km², but these outlines measure {measured} km²; "
            "at least one outline is wider than the real zone.",
            **areas,
        )
        other = both("The declared total is {declared} km², but these outlines measure {measured} km².", **areas)
        yield Notice("area-mismatch", zone_set.id, **(wider if total > (declared or 0.0) else other))
    for zone in zone_set.zones:
        if _differs(zone.measured_area_km2, zone.declared_area_km2):
            areas = {"declared": f"{zone.declared_area_km2:.3f}", "measured": f"{zone.measured_area_km2:.3f}"}
            text = both("Zone {zone}: {declared} km² declared, {measured} km² measured.", zone=zone.zone_id, **areas)
            yield Notice("area-mismatch", zone.zone_id, **text)


def _unfilled_notices(zone_set: ZoneSet) -> Iterator[Notice]:
    """Yield which rules nobody has filled in yet."""
    ids = ", ".join(dict.fromkeys(r.id for r in zone_set.rules.rules if r.effective_us >= UNFILLED_US))
    if ids:
        text = both(
            "Nobody has filled in these rules yet: {ids}. They are not in force, so verdicts that depend on them "
            "say only that no permit is written here, not what the permit says.",
            ids=ids,
        )
        yield Notice("unfilled-rule", zone_set.id, **text)


def _differs(measured_km2: float, declared_km2: float | None) -> bool:
    """Return whether an area is not the declared one; false where none is declared."""
    return declared_km2 is not None and abs(measured_km2 - declared_km2) > AREA_TOLERANCE * declared_km2


def _confidence_notices(zone_set: ZoneSet) -> Iterator[Notice]:
    """Yield which outlines are sketches and which rules are not from an official text."""
    sketches = [z for z in zone_set.zones if z.geometry_confidence == "sketch"]
    if sketches:
        text = both(
            "The outlines of these zones are sketches, not surveys (1 sigma up to {sigma} m): {ids}.",
            sigma=f"{max(z.accuracy_m for z in sketches):g}",
            ids=", ".join(z.zone_id for z in sketches),
        )
        yield Notice("sketch-outline", zone_set.id, **text)
    for confidence, sentence in (
        ("press", marked("These rules are not from an official text but taken from press reports: {ids}.")),
        ("assumed", marked("These rules are not from an official text but assumed: {ids}.")),
    ):
        ids = ", ".join(dict.fromkeys(r.id for r in zone_set.rules.rules if r.confidence == confidence))
        if ids:
            yield Notice(f"{confidence}-rule", zone_set.id, **both(sentence, ids=ids))
