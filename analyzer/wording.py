"""Words that every output shows, in Korean and English."""

from collections.abc import Mapping
from typing import Any

WORDS: dict[str, dict[str, str]] = {
    "violation": {"ko": "위반", "en": "violation"},
    "indeterminate": {"ko": "판정 불가", "en": "indeterminate"},
    "not_checkable": {"ko": "확인 불가(기록 항목 없음)", "en": "not checkable (not in the log)"},
    "not_observed": {"ko": "관측되지 않음", "en": "not observed"},
    "not_required": {"ko": "허가 불필요(수동 운전)", "en": "no permit needed (manual driving)"},
    "compliant": {"ko": "적합", "en": "compliant"},
    "sketch": {"ko": "스케치", "en": "sketch"},
    "official": {"ko": "공식", "en": "official"},
    "derived": {"ko": "유도", "en": "derived"},
    "press": {"ko": "보도자료(미확인)", "en": "press (unconfirmed)"},
    "assumed": {"ko": "가정", "en": "assumed"},
    "legend": {"ko": "범례", "en": "Legend"},
    "findings": {"ko": "발견 사항", "en": "Findings"},
    "none": {"ko": "발견 사항이 없습니다.", "en": "There are no findings."},
    "vehicle": {"ko": "차량", "en": "Vehicle"},
    "trip": {"ko": "운행", "en": "Trip"},
    "rule": {"ko": "규칙", "en": "Rule"},
    "peak": {"ko": "최댓값", "en": "Peak"},
    "margin": {"ko": "초과분", "en": "Margin"},
    "error": {"ko": "오차", "en": "Error"},
    "start": {"ko": "시작", "en": "Start"},
    "end": {"ko": "끝", "en": "End"},
    "records": {"ko": "기록", "en": "Records"},
    "id": {"ko": "번호", "en": "Id"},
}

CHECK_WORDS: dict[str, dict[str, str]] = {
    "outside-zone": {"ko": "구역 이탈", "en": "Outside the zones"},
    "permit-not-in-force": {"ko": "허가 효력 없음", "en": "Permit not in force"},
    "vehicle-not-permitted": {"ko": "허가되지 않은 차량", "en": "Vehicle not permitted"},
    "speed-limit": {"ko": "속도 초과", "en": "Speed limit"},
    "operating-hours": {"ko": "운행 시간 외", "en": "Operating hours"},
    "driving-mode": {"ko": "주행 모드", "en": "Driving mode"},
    "safety-operator": {"ko": "안전요원", "en": "Safety operator"},
    "no-entry": {"ko": "진입 금지", "en": "No entry"},
    "log-gap": {"ko": "기록 공백", "en": "Gap in the log"},
    "unlogged-movement": {"ko": "기록 없는 이동", "en": "Unlogged movement"},
}

ANSWERS: dict[str, dict[str, str]] = {
    "violation": {
        "ko": "예. 확실한 위반이 {violation}건 있습니다. 판정할 수 없는 사항은 {indeterminate}건, "
        "관측되지 않은 구간은 {not_observed}건입니다.",
        "en": "Yes: {violation} certain violation(s). {indeterminate} more cannot be decided, and "
        "{not_observed} stretch(es) were not observed.",
    },
    "indeterminate": {
        "ko": "확실한 위반은 없으나, 위반인지 판정할 수 없는 사항이 {indeterminate}건 있습니다. "
        "관측되지 않은 구간은 {not_observed}건입니다.",
        "en": "No certain violation, but {indeterminate} finding(s) cannot be decided; "
        "{not_observed} stretch(es) were not observed.",
    },
    "not_checkable": {
        "ko": "기록에 있는 내용에서는 위반이 없으나, 기록에 없는 항목이 있어 모두 확인하지는 못했습니다.",
        "en": "No violation in what the logs say, but they do not say everything the rules ask.",
    },
    "not_observed": {
        "ko": "관측된 구간에서는 위반이 없으나, 운행의 일부가 관측되지 않았습니다.",
        "en": "No violation where the vehicles were observed, but part of the trips was not observed.",
    },
    "compliant": {
        "ko": "아니요. 모든 운행이 모든 규칙을 지켰습니다.",
        "en": "No: every trip obeyed every rule.",
    },
}


def answer(summary: Mapping[str, Any], lang: str) -> str:
    """Return the answer to "did anyone break a rule, and how sure is it", from a summary."""
    text = ANSWERS[summary["verdict"]][lang].format(**summary["findings"])
    left_out = summary["suppressed"]
    if not left_out:
        return text
    more = {
        "ko": f" 최소 지속 시간보다 짧아 제외한 사항은 {left_out}건입니다.",
        "en": f" {left_out} finding(s) shorter than the least duration were left out.",
    }
    return text + more[lang]
