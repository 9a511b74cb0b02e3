"""Findings as sentences in Korean and English that need no programmer to read them.

Numbers are formatted here once; report, map and workbook show the same text. Korean
sentences put names after a noun, so no particle depends on how a name ends.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.zones import ZoneSet

Row = Mapping[str, Any]

MODE_KO = {
    "autonomous": "자율",
    "manual": "수동",
    "remote": "원격",
    "disengaged": "자율 해제",
    "not_ready": "준비 안 됨",
    "minimal_risk": "최소 위험 조작",
    "unknown": "알 수 없음",
}

SENTENCES: dict[str, tuple[str, str]] = {
    "outside-zone": (
        "{subject} 허가 구역을 벗어나 있었습니다. 가장 멀리 {peak} 벗어났습니다{nearest_ko}.",
        "{subject} was outside every permit zone{nearest_en}, at the most {peak} away.",
    ),
    "permit-not-in-force": (
        "{subject} 효력 있는 허가가 없는 때에 {zone_ko}에 있었습니다.",
        "{subject} was in {zone_en} while no permit was in force there.",
    ),
    "vehicle-not-permitted": (
        "{subject} {zone_ko}에 있었으나, 그곳의 허가는 이 차량에 대한 것이 아닙니다.",
        "{subject} was in {zone_en}, where the permit in force is not for this vehicle.",
    ),
    "speed-limit": (
        "{subject} 제한 속도 {limit}를 넘었습니다. 최고 속도는 {peak}였습니다.",
        "{subject} was faster than the limit of {limit}: {peak} at the most.",
    ),
    "operating-hours": (
        "{subject} 허가된 시간 밖에 움직였습니다.",
        "{subject} was moving outside the permitted hours.",
    ),
    "driving-mode": (
        "{subject} 허가되지 않은 주행 모드({mode_ko})로 움직였습니다.",
        "{subject} was moving in a mode that the permit does not name ({mode_en}).",
    ),
    "safety-operator": (
        "{subject} 허가가 요구하는 안전요원 없이 움직였습니다.",
        "{subject} was moving without the operator that the permit asks for.",
    ),
    "no-entry": (
        "{subject} 진입이 금지된 {zone_ko}에 들어갔습니다. 가장 깊이 {peak} 들어갔습니다.",
        "{subject} was in {zone_en}, where it must not enter, at the most {peak} inside.",
    ),
    "log-gap": (
        "{subject} 운행 중 기록이 끊겼습니다. 끊긴 두 지점의 직선 거리는 {peak}입니다.",
        "{subject} was not observed during the trip; the two ends of the gap are {peak} apart.",
    ),
    "unlogged-movement": (
        "{subject} 지난 운행이 끝난 곳에서 {peak} 떨어진 곳에서 운행을 시작했습니다. "
        "그 사이의 이동은 기록되지 않았습니다.",
        "{subject} started this trip {peak} from where its last one ended; the move between is not logged.",
    ),
}

VERDICT_SENTENCES = {
    "violation": ("위반이 확실합니다.", "The violation is certain."),
    "indeterminate": (
        "측정 오차 또는 알 수 없는 값 때문에 위반인지 판정할 수 없습니다.",
        "Whether it is a violation cannot be decided: the error of measurement, or a value that "
        "the log does not say, leaves both possible.",
    ),
    "not_observed": ("관측되지 않아 판정하지 않습니다.", "It was not observed, so it is not judged."),
}

CONFIDENCE_SENTENCES = {
    "press": (" (규칙은 보도자료 기준, 미확인)", " (rule as reported by the press, unconfirmed)"),
    "assumed": (" (가정한 규칙)", " (assumed rule)"),
}


def number(value: float | None, unit: str | None) -> str:
    """Return a number with its unit, as every output shows it; a dash where there is none."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 1000 else 1  # noqa: PLR2004
    return f"{value:,.{digits}f} {unit or ''}".strip()


def above(value: float, limit: float, unit: str) -> str:
    """Return a value above a limit with as many digits as it takes to show that it is above."""
    for digits in range(1, 7):
        if f"{value:.{digits}f}" != f"{limit:.{digits}f}":
            return f"{value:,.{digits}f} {unit}"
    return f"{value:.6f} {unit}"


def local_time(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Return a local time to the second."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def duration_text(seconds: float) -> tuple[str, str]:
    """Return a duration in Korean and English."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f}초", f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}시간 {minutes}분 {rest}초", f"{hours} h {minutes} min {rest} s"
    return f"{minutes}분 {rest}초", f"{minutes} min {rest} s"


def add_messages(findings: pl.DataFrame, zone_set: ZoneSet) -> pl.DataFrame:
    """Return the findings (all other columns of FINDINGS) with message_ko and message_en."""
    writer = _Writer(zone_set)
    pairs = [writer.sentences(row) for row in findings.iter_rows(named=True)]
    return findings.with_columns(
        message_ko=pl.Series([ko for ko, _ in pairs], dtype=pl.String),
        message_en=pl.Series([en for _, en in pairs], dtype=pl.String),
    )


class _Writer:
    """Writes the sentences of findings of one zone set."""

    def __init__(self, zone_set: ZoneSet) -> None:
        self._zone = ZoneInfo(zone_set.rules.timezone)
        self._zones = {zone.zone_id: zone for zone in zone_set.zones}
        self._confidence = {(r.id, r.revision): r.confidence for r in zone_set.rules.rules}

    def sentences(self, row: Row) -> tuple[str, str]:
        """Return the Korean and the English text of one finding."""
        words = self._words(row)
        what_ko, what_en = SENTENCES[row["check"]]
        sure_ko, sure_en = VERDICT_SENTENCES[row["verdict"]]
        rule_ko, rule_en = self._rule(row)
        sketch_ko, sketch_en = self._sketch(row)
        start = local_time(row["start"], self._zone)
        lasts_ko, lasts_en = duration_text(row["duration_s"])
        ko = what_ko.format(**{**words, "subject": f"차량 {row['vehicle_id']} –"})
        en = what_en.format(**{**words, "subject": f"Vehicle {row['vehicle_id']}"})
        return (
            f"{start}부터 {lasts_ko} 동안: {ko}{rule_ko} {sure_ko}{sketch_ko}",
            f"{start}, for {lasts_en}: {en}{rule_en} {sure_en}{sketch_en}",
        )

    def _words(self, row: Row) -> dict[str, str]:
        """Return what the sentences have gaps for; braces in names stay what they are."""
        zone = self._zones.get(row["zone_id"] or "")
        zone_ko, zone_en = (zone.name["ko"], zone.name["en"]) if zone else ("구역", "a zone")
        peak, limit, unit = row["peak"], row["limit"], row["unit"] or ""
        fast = row["check"] == "speed-limit" and peak is not None and peak > limit
        unknown = row["check"] == "speed-limit" and peak is None
        return {
            "zone_ko": zone_ko,
            "zone_en": zone_en,
            "nearest_ko": f" (가장 가까운 구역: {zone_ko})" if zone else "",
            "nearest_en": f" (nearest: {zone_en})" if zone else "",
            "peak": above(peak, limit, unit) if fast else "?" if unknown else number(peak, unit),
            "limit": number(limit, unit),
            "mode_ko": MODE_KO.get(row["control_mode"] or "", "?"),
            "mode_en": row["control_mode"] or "?",
        }

    def _rule(self, row: Row) -> tuple[str, str]:
        """Return which rule it is, and how sure its text."""
        if not row["rule_id"]:
            return "", ""
        revision = row["rule_revision"]
        confidence = self._confidence.get((row["rule_id"], revision), "")
        ko, en = CONFIDENCE_SENTENCES.get(confidence, ("", ""))
        return (
            f" 규칙: {row['rule_id']} (개정 {revision}){ko}.",
            f" Rule: {row['rule_id']}, revision {revision}{en}.",
        )

    def _sketch(self, row: Row) -> tuple[str, str]:
        """Return the warning that an outline is no survey."""
        zone = self._zones.get(row["zone_id"] or "")
        if zone is None or zone.geometry_confidence != "sketch":
            return "", ""
        return (
            f" 이 구역의 경계는 스케치입니다(1시그마 {zone.accuracy_m:g} m).",
            f" The outline of this zone is a sketch (1 sigma {zone.accuracy_m:g} m).",
        )
