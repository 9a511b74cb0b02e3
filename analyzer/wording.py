"""Words that every output shows, in Korean and English; the Korean is in `locale/ko.po`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.language import both, joined, several
from analyzer.terms import Notice

WORDS: dict[str, dict[str, str]] = {
    "violation": both("violation"),
    "indeterminate": both("indeterminate"),
    "not_checkable": both("not checkable (not in the log)"),
    "not_observed": both("not observed"),
    "not_required": both("no permit needed (manual driving)"),
    "compliant": both("compliant"),
    "sketch": both("sketch"),
    "official": both("official"),
    "derived": both("derived"),
    "press": both("press (unconfirmed)"),
    "assumed": both("assumed"),
    "legend": both("Legend"),
    "findings": both("Findings"),
    "none": both("There are no findings."),
    "vehicle": both("Vehicle"),
    "trip": both("Trip"),
    "rule": both("Rule"),
    "peak": both("Peak"),
    "margin": both("Margin"),
    "error": both("Error"),
    "start": both("Start"),
    "end": both("End"),
    "records": both("Records"),
    "id": both("Id"),
}

CHECK_WORDS: dict[str, dict[str, str]] = {
    "outside-zone": both("Outside the zones"),
    "permit-not-in-force": both("Permit not in force"),
    "vehicle-not-permitted": both("Vehicle not permitted"),
    "speed-limit": both("Speed limit"),
    "operating-hours": both("Operating hours"),
    "driving-mode": both("Driving mode"),
    "safety-operator": both("Safety operator"),
    "no-entry": both("No entry"),
    "log-gap": both("Gap in the log"),
    "unlogged-movement": both("Unlogged movement"),
}

MODE_WORDS: dict[str, dict[str, str]] = {
    "autonomous": both("autonomous"),
    "manual": both("manual"),
    "remote": both("remote"),
    "disengaged": both("disengaged"),
    "not_ready": both("not ready"),
    "minimal_risk": both("minimal risk manoeuvre"),
    "unknown": both("unknown"),
}

REJECT_WORDS: dict[str, dict[str, str]] = {
    "bad-time": both("unreadable time"),
    "bad-position": both("unreadable or impossible position"),
    "duplicate-time": both("same instant twice (the last record stands)"),
    "position-jump": both("impossible jump of the position"),
    "no-fix": both("receiver without a fix"),
    "bad-json": both("unreadable line"),
    "bad-checksum": both("damaged or cut-off sentence"),
    "bad-record": both("record of another length or cut off"),
    "not-measured": both("position of a simulator or entered by hand"),
    "times-do-not-match": both("not as many times as positions"),
}

EVENT_WORDS: dict[str, dict[str, str]] = {
    "disengagement": both("disengagement"),
    "mode-change": both("change of mode"),
}

KIND_WORDS: dict[str, dict[str, str]] = {"permit": both("permit"), "restriction": both("restriction")}


MOST_ALIKE = 3
"""So many notices of one kind are shown one by one; of more, the first few and how many there are."""

VISIT_WORDS: dict[str, dict[str, str]] = {
    "entry": both("crossed the border inwards"),
    "exit": both("crossed the border outwards"),
    "trip-start": both("trip starts inside"),
    "trip-end": both("trip ends inside"),
    "hole": both("hole in the log"),
}


def told(notices: Sequence[Notice]) -> list[dict[str, str]]:
    """Return what notices say: of one kind the first few, then how many more (Korean, English)."""
    count = Counter(notice.code for notice in notices)
    seen: Counter[str] = Counter()
    lines = []
    for notice in notices:
        seen[notice.code] += 1
        if seen[notice.code] <= MOST_ALIKE or count[notice.code] == MOST_ALIKE + 1:
            lines.append({"ko": notice.ko, "en": notice.en})
        elif seen[notice.code] == MOST_ALIKE + 1:
            more = f"{count[notice.code] - MOST_ALIKE:,}"
            lines.append(both("… and {n} more notices of this kind; all are in summary.json.", n=more))
    return lines


def word(words: Mapping[str, Mapping[str, str]], key: str | None) -> Mapping[str, str]:
    """Return what a code is called, the code itself where nobody named it, a dash for none."""
    return words.get(key or "", dict.fromkeys(("ko", "en"), key or "–"))


def answer(summary: Mapping[str, Any], lang: str) -> str:
    """Return the answer to "did anyone break a rule, and how sure is it", from a summary."""
    return joined([_ANSWERS[summary["verdict"]](summary), *_left_out(summary)])[lang]


def _violation(summary: Mapping[str, Any]) -> dict[str, str]:
    found = summary["findings"]
    vehicles = summary["per_vehicle"].values()
    guilty = sum(1 for v in vehicles if v["findings"]["violation"])
    of_vehicles = several(len(vehicles), "{m} of {n} vehicle", "{m} of {n} vehicles", m=str(guilty))
    certain = several(found["violation"], "Yes: {n} certain violation", "Yes: {n} certain violations")
    sentence = both("{certain} ({vehicles}).", certain=certain, vehicles=of_vehicles)
    undecided = several(found["indeterminate"], "{n} more cannot be decided;", "{n} more cannot be decided;")
    return joined([sentence, undecided, _unseen(summary)])


def _indeterminate(summary: Mapping[str, Any]) -> dict[str, str]:
    undecided = several(
        summary["findings"]["indeterminate"],
        "No certain violation, but {n} finding cannot be decided;",
        "No certain violation, but {n} findings cannot be decided;",
    )
    return joined([undecided, _unseen(summary)])


def _unseen(summary: Mapping[str, Any]) -> dict[str, str]:
    number = summary["findings"]["not_observed"]
    return several(number, "{n} stretch was not observed.", "{n} stretches were not observed.")


def _not_checkable(_summary: Mapping[str, Any]) -> dict[str, str]:
    return both("No violation in what the logs say, but they do not say everything the rules ask.")


def _not_observed(_summary: Mapping[str, Any]) -> dict[str, str]:
    return both("No violation where the vehicles were observed, but part of the trips was not observed.")


def _compliant(_summary: Mapping[str, Any]) -> dict[str, str]:
    return both("No: every trip obeyed every rule.")


_ANSWERS = {
    "violation": _violation,
    "indeterminate": _indeterminate,
    "not_checkable": _not_checkable,
    "not_observed": _not_observed,
    "compliant": _compliant,
}


def _left_out(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return how many findings were too short to count."""
    number = summary["suppressed"]
    text = several(
        number,
        "{n} finding shorter than the least duration was left out.",
        "{n} findings shorter than the least duration were left out.",
    )
    return [text] if number else []
