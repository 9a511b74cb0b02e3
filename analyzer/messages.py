"""Findings as sentences in Korean and English that need no programmer to read them.

Numbers are formatted once (`figures`); report, map and workbook show the same text. Korean
sentences put names after a noun, so no particle depends on how a name ends.
"""

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import above, duration_text, local_time, number
from analyzer.language import Both, both, marked
from analyzer.wording import MODE_WORDS
from analyzer.zones import ZoneSet

__all__ = ["above", "add_messages", "duration_text", "local_time", "number"]

NO_TEXT: Both = {"ko": "", "en": ""}

SENTENCES: dict[str, str] = {
    "outside-zone": marked("{subject} was outside every permit zone{nearest}, at the most {peak} away."),
    "permit-not-in-force": marked("{subject} was in {zone} while no permit was in force there."),
    "vehicle-not-permitted": marked("{subject} was in {zone}, where the permit in force is not for this vehicle."),
    "speed-limit": marked("{subject} was faster than the limit of {limit}: {peak} at the most."),
    "operating-hours": marked("{subject} was moving outside the permitted hours."),
    "driving-mode": marked("{subject} was moving in a mode that the permit does not name ({mode})."),
    "safety-operator": marked("{subject} was moving without the operator that the permit asks for."),
    "no-entry": marked("{subject} was in {zone}, where it must not enter, at the most {peak} inside."),
    "log-gap": marked("{subject} was not observed during the trip; the two ends of the gap are {peak} apart."),
    "unlogged-movement": marked(
        "{subject} started this trip {peak} from where its last one ended; the move between is not logged."
    ),
}

VERDICT_SENTENCES: dict[str, Both] = {
    "violation": both("The violation is certain."),
    "indeterminate": both(
        "Whether it is a violation cannot be decided: the error of measurement, or a value that "
        "the log does not say, leaves both possible."
    ),
    "not_observed": both("It was not observed, so it is not judged."),
}

CONFIDENCE_SENTENCES: dict[str, Both] = {
    "press": both(" (rule as reported by the press, unconfirmed)"),
    "assumed": both(" (assumed rule)"),
}


def add_messages(findings: pl.DataFrame, zone_set: ZoneSet) -> pl.DataFrame:
    """Return the findings (all other columns of FINDINGS) with message_ko and message_en."""
    writer = _Writer(zone_set)
    pairs = [writer.sentences(row) for row in findings.select(*SHARED, *OWN).iter_rows()]
    return findings.with_columns(
        message_ko=pl.Series([ko for ko, _ in pairs], dtype=pl.String),
        message_en=pl.Series([en for _, en in pairs], dtype=pl.String),
    )


SHARED = ("check", "verdict", "rule_id", "rule_revision", "zone_id", "control_mode")
"""What many findings have in common: the text around their own numbers is put together once."""

OWN = ("vehicle_id", "start", "duration_s", "peak", "limit", "unit")
"""What each finding has of its own."""


def _escaped(text: Both) -> Both:
    """Return a text in which braces stay what they are when its gaps are filled."""
    return {lang: words.replace("{", "{{").replace("}", "}}") for lang, words in text.items()}


def _peak(check: str, peak: float | None, limit: float, unit: str) -> str:
    """Return how far, or how fast, with as many digits as it takes to show that it is above a limit."""
    if check != "speed-limit":
        return number(peak, unit)
    if peak is None:
        return "?"
    return above(peak, limit, unit) if peak > limit else number(peak, unit)


class _Writer:
    """Writes the sentences of findings of one zone set."""

    def __init__(self, zone_set: ZoneSet) -> None:
        self._zone = ZoneInfo(zone_set.rules.timezone)
        self._zones = {zone.zone_id: zone for zone in zone_set.zones}
        self._confidence = {(r.id, r.revision): r.confidence for r in zone_set.rules.rules}
        # Many findings share a vehicle, a rule, a zone: what is said of each is put together once.
        self._subject = cache(lambda vehicle: both("Vehicle {vehicle}", vehicle=vehicle))
        self._rule = cache(self._rule_text)
        self._place = cache(self._place_texts)
        self._limit = cache(number)
        self._sentence = cache(self._with_gaps)

    def sentences(self, row: tuple[Any, ...]) -> tuple[str, str]:
        """Return the Korean and the English text of one finding: the values of SHARED and of OWN."""
        *shared, vehicle_id, start, duration_s, peak, limit, unit = row
        text, subject = self._sentence(*shared), self._subject(vehicle_id)
        values = {
            "start": local_time(start, self._zone),
            "peak": _peak(shared[0], peak, limit, unit or ""),
            "limit": self._limit(limit, unit or ""),
        }
        ko, en = duration_text(duration_s)
        return (
            text["ko"].format(**values, subject=subject["ko"], time=ko),
            text["en"].format(**values, subject=subject["en"], time=en),
        )

    def _with_gaps(self, check: str, *shared: Any) -> Both:
        """Return the text of findings that have so much in common; the gaps are for what they have not."""
        verdict, rule_id, revision, zone_id, control_mode = shared
        place = self._place(zone_id)
        what = both(
            SENTENCES[check],
            subject="{subject}",
            zone=_escaped(place["zone"]),
            nearest=_escaped(place["nearest"]),
            mode=MODE_WORDS.get(control_mode or "", "?"),
            peak="{peak}",
            limit="{limit}",
        )
        return both(
            "{start}, for {time}: {what}{rule} {sure}{sketch}",
            start="{start}",
            time="{time}",
            what=what,
            rule=_escaped(self._rule(rule_id, revision)),
            sure=VERDICT_SENTENCES[verdict],
            sketch=_escaped(place["sketch"]),
        )

    def _rule_text(self, rule_id: str | None, revision: int) -> Both:
        """Return which rule it is, and how sure its text."""
        if not rule_id:
            return NO_TEXT
        sure = CONFIDENCE_SENTENCES.get(self._confidence.get((rule_id, revision), ""), NO_TEXT)
        return both(" Rule: {rule}, revision {n}{sure}.", rule=rule_id, n=revision, sure=sure)

    def _place_texts(self, zone_id: str | None) -> dict[str, Both]:
        """Return the name of a zone, how it is called as the nearest, and the warning that its outline is no survey."""
        zone = self._zones.get(zone_id or "")
        if zone is None:
            return {"zone": both("a zone"), "nearest": NO_TEXT, "sketch": NO_TEXT}
        warning = both(" The outline of this zone is a sketch (1 sigma {sigma} m).", sigma=f"{zone.accuracy_m:g}")
        return {
            "zone": dict(zone.name),
            "nearest": both(" (nearest: {zone})", zone=dict(zone.name)),
            "sketch": warning if zone.geometry_confidence == "sketch" else NO_TEXT,
        }
