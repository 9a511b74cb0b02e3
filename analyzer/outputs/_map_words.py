"""The map's own words, in Korean and English, and its headline."""

from collections.abc import Mapping
from typing import Any

MAP_WORDS: dict[str, dict[str, str]] = {
    "page_title": {"ko": "운행 준수 지도", "en": "Compliance map"},
    "skip_list": {"ko": "발견 사항 목록으로", "en": "Skip to the findings"},
    "skip_map": {"ko": "지도로", "en": "Skip to the map"},
    "language": {"ko": "English", "en": "한국어"},
    "map": {"ko": "지도: 화살표로 이동, + - 로 확대·축소", "en": "Map: arrows move it, + and - zoom"},
    "zoom_in": {"ko": "확대", "en": "Zoom in"},
    "zoom_out": {"ko": "축소", "en": "Zoom out"},
    "fit": {"ko": "전체 보기", "en": "Show all"},
    "measure": {"ko": "거리 재기", "en": "Measure"},
    "measure_help": {
        "ko": "지도를 누르거나 Enter로 점을 더합니다. Esc로 끝냅니다.",
        "en": "Click, or press Enter, to add a point. Esc ends it.",
    },
    "layers": {"ko": "범례·레이어", "en": "Legend and layers"},
    "zones": {"ko": "구역 경계", "en": "Zones"},
    "restriction": {"ko": "제한 구역", "en": "Restriction"},
    "band": {"ko": "경계의 불확실한 범위", "en": "Where the border may lie"},
    "ground": {"ko": "배경 지도", "en": "Basemap"},
    "tiles": {"ko": "배경 지도 (온라인)", "en": "Basemap (online)"},
    "marks": {"ko": "발견 위치", "en": "Places of findings"},
    "inside": {"ko": "적합 (구역 안)", "en": "compliant"},
    "search": {"ko": "차량 또는 번호 찾기", "en": "Find a vehicle or an id"},
    "filters": {"ko": "거르기", "en": "Filters"},
    "check": {"ko": "검사 항목", "en": "Check"},
    "zone": {"ko": "구역", "en": "Zone"},
    "verdict": {"ko": "판정", "en": "Verdict"},
    "day": {"ko": "날짜", "en": "Day"},
    "all": {"ko": "전체", "en": "all"},
    "no_zone": {"ko": "구역 없음", "en": "no zone"},
    "in_view": {"ko": "지도에 보이는 것만", "en": "Only what the map shows"},
    "sort": {"ko": "순서", "en": "Order"},
    "sort_worst": {"ko": "중요도·거리순", "en": "worst first"},
    "sort_time": {"ko": "시간순", "en": "by time"},
    "reset": {"ko": "모두 보기", "en": "Reset"},
    "shown": {"ko": "{all}건 중 {some}건 표시", "en": "{some} of {all} shown"},
    "none_shown": {
        "ko": "조건에 맞는 발견 사항이 없습니다.",
        "en": "No finding fits the filters.",
    },
    "back": {"ko": "목록으로", "en": "Back to the list"},
    "previous": {"ko": "이전", "en": "Previous"},
    "next": {"ko": "다음", "en": "Next"},
    "link": {"ko": "이 발견 사항의 링크", "en": "Link to this finding"},
    "copy": {"ko": "복사", "en": "Copy"},
    "copied": {"ko": "복사했습니다", "en": "Copied"},
    "copy_by_hand": {"ko": "선택했습니다. Ctrl+C로 복사하세요", "en": "Selected: press Ctrl+C"},
    "duration": {"ko": "지속 시간", "en": "Duration"},
    "observed_share": {"ko": "관측 비율", "en": "Observed share"},
    "mode": {"ko": "주행 모드", "en": "Control mode"},
    "limit": {"ko": "제한", "en": "Limit"},
    "decided_at": {"ko": "판정 시점", "en": "Decided at"},
    "rounded": {
        "ko": "이 파일에서는 선의 점을 축마다 {cm} cm 이내로 반올림했습니다. 숫자는 반올림하지 않았습니다.",
        "en": "In this file points of lines are rounded by up to {cm} cm along each axis; the numbers are not.",
    },
    "rule_text": {"ko": "규칙 원문과 출처", "en": "Rule text and source"},
    "matched": {"ko": "함께 살펴본 허가", "en": "Permits looked at"},
    "legal_basis": {"ko": "법적 근거", "en": "Legal basis"},
    "source": {"ko": "출처", "en": "Source"},
    "confidence": {"ko": "출처의 확실성", "en": "How sure"},
    "notices": {"ko": "알아 둘 점", "en": "Please note"},
    "time": {"ko": "시각", "en": "Time"},
    "play": {"ko": "재생", "en": "Play"},
    "pause": {"ko": "멈춤", "en": "Pause"},
    "speed": {"ko": "재생 속도", "en": "Playing speed"},
    "to_end": {"ko": "끝까지", "en": "To the end"},
    "whole_time": {"ko": "전체 기간", "en": "whole period"},
    "loading": {"ko": "{all}일 중 {some}일을 불러왔습니다", "en": "{some} of {all} days loaded"},
    "too_many": {
        "ko": "날짜가 많아 {some}일만 그렸습니다. 날짜를 고르면 그 날을 그립니다.",
        "en": "Too much to draw at once: {some} days are drawn. Choose a day to see it.",
    },
    "not_loaded": {
        "ko": "이 날의 자료(map 폴더)를 읽지 못했습니다.",
        "en": "The data of this day (folder map) cannot be read.",
    },
    "no_such": {
        "ko": "이 결과에는 {id} 발견 사항이 없습니다. 다른 결과의 링크일 수 있습니다.",
        "en": "This result has no finding {id}; the link may belong to another result.",
    },
    "lonlat": {"ko": "경위도 (WGS 84)", "en": "WGS 84"},
    "grid": {"ko": "중부원점 (EPSG:5186) 동·북", "en": "EPSG:5186 E, N"},
    "made_by": {"ko": "zonelog {version} · 시간대 {zone}", "en": "zonelog {version} · time zone {zone}"},
    "noscript": {
        "ko": "이 지도는 자바스크립트가 필요합니다. 같은 내용이 report.html에 있습니다.",
        "en": "This map needs JavaScript; report.html says the same without.",
    },
}


def headline(summary: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the sentence of the headline and what is counted apart; the numbers are those of summary.json."""
    found, vehicles = summary["findings"], summary["vehicles"]
    bad = sum(v["findings"]["violation"] > 0 for v in summary["per_vehicle"].values())
    count, unsure, unseen = (found[name] for name in ("violation", "indeterminate", "not_observed"))
    ko = f"위반 {count:,}건 · 차량 {vehicles:,}대 중 {bad:,}대" if count else f"확실한 위반 없음 · 차량 {vehicles:,}대"
    many = "violation" if count == 1 else "violations"
    fleet = f"{bad:,} of {vehicles:,} {'vehicle' if vehicles == 1 else 'vehicles'}"
    en = f"{count:,} {many} · {fleet}" if count else f"No certain violation · vehicles: {vehicles:,}"
    apart = {
        "ko": f"따로 셈: 판정 불가 {unsure:,}건, 관측되지 않음 {unseen:,}건",
        "en": f"Counted apart: {unsure:,} indeterminate, {unseen:,} not observed",
    }
    return {"sentence": {"ko": ko, "en": en}, "apart": apart}
