"""What every report must say of a zone set: areas that differ, sketches, rules not from official texts."""

from analyzer.terms import Notice
from analyzer.zones import ZoneSet

UNFILLED_US = 253_370_764_800_000_000
"""Rules that take effect in the year 9999 or later are scaffolds: nobody has filled them in."""

AREA_TOLERANCE = 0.01
"""Measured and declared areas may differ by this share before a reader is told."""


def set_notices(zone_set: ZoneSet) -> list[Notice]:
    """Return what every report must say of the set itself."""
    notices = []
    count, total = len(zone_set.zones), sum(z.measured_area_km2 for z in zone_set.zones)
    if zone_set.declared_zones not in (None, count):
        notices.append(
            Notice(
                "zone-count-mismatch",
                zone_set.id,
                f"고시된 구역 수는 {zone_set.declared_zones}곳이지만 파일에는 {count}곳이 있습니다.",
                f"{zone_set.declared_zones} zones are declared, but the set holds {count}.",
            )
        )
    declared = zone_set.declared_area_km2
    if declared is not None and abs(total - declared) > AREA_TOLERANCE * declared:
        notices.append(
            Notice(
                "area-mismatch",
                zone_set.id,
                f"고시된 총면적은 {declared:.2f} km²이지만 이 경계의 총면적은 {total:.2f} km²입니다. "
                "일부 경계는 실제 특구보다 넓게 그려져 있습니다."
                if total > declared
                else f"고시된 총면적은 {declared:.2f} km²이지만 이 경계의 총면적은 {total:.2f} km²입니다.",
                f"The declared total is {declared:.2f} km², but these outlines measure {total:.2f} km²"
                + ("; at least one outline is wider than the real zone." if total > declared else "."),
            )
        )
    for zone in zone_set.zones:
        own = zone.declared_area_km2
        if own is not None and abs(zone.measured_area_km2 - own) > AREA_TOLERANCE * own:
            notices.append(
                Notice(
                    "area-mismatch",
                    zone.zone_id,
                    f"구역 {zone.zone_id}: 고시 면적 {own:.3f} km², 측정 면적 {zone.measured_area_km2:.3f} km².",
                    f"Zone {zone.zone_id}: {own:.3f} km² declared, {zone.measured_area_km2:.3f} km² measured.",
                )
            )
    return [*notices, *_unfilled_notices(zone_set), *_confidence_notices(zone_set)]


def _unfilled_notices(zone_set: ZoneSet) -> list[Notice]:
    """Return which rules nobody has filled in yet."""
    ids = ", ".join(dict.fromkeys(r.id for r in zone_set.rules.rules if r.effective_us >= UNFILLED_US))
    if not ids:
        return []
    return [
        Notice(
            "unfilled-rule",
            zone_set.id,
            f"아직 작성하지 않은 규칙이 있습니다: {ids}. 이 규칙은 효력이 없으므로, "
            "여기에 기대는 판정은 허가 내용이 아니라 허가가 적혀 있지 않다는 사실만 말합니다.",
            f"Nobody has filled in these rules yet: {ids}. They are not in force, so verdicts that depend on them "
            "say only that no permit is written here, not what the permit says.",
        )
    ]


def _confidence_notices(zone_set: ZoneSet) -> list[Notice]:
    """Return which outlines are sketches and which rules are not from an official text."""
    notices = []
    sketches = [z for z in zone_set.zones if z.geometry_confidence == "sketch"]
    if sketches:
        ids = ", ".join(z.zone_id for z in sketches)
        worst = max(z.accuracy_m for z in sketches)
        notices.append(
            Notice(
                "sketch-outline",
                zone_set.id,
                f"다음 구역의 경계는 공식 측량이 아닌 스케치입니다(1시그마 최대 {worst:g} m): {ids}.",
                f"The outlines of these zones are sketches, not surveys (1 sigma up to {worst:g} m): {ids}.",
            )
        )
    for confidence, ko, en in (
        ("press", "보도자료에서 옮긴", "taken from press reports"),
        ("assumed", "가정한", "assumed"),
    ):
        ids = ", ".join(dict.fromkeys(r.id for r in zone_set.rules.rules if r.confidence == confidence))
        if ids:
            notices.append(
                Notice(
                    f"{confidence}-rule",
                    zone_set.id,
                    f"다음 규칙은 공식 고시문이 아니라 {ko} 것입니다: {ids}.",
                    f"These rules are not from an official text but {en}: {ids}.",
                )
            )
    return notices
