"""The words that logs, rules, checks and outputs share."""

from dataclasses import dataclass

CONTROL_MODES = (
    "autonomous",
    "manual",
    "remote",
    "disengaged",
    "not_ready",
    "minimal_risk",
    "unknown",
)
"""Control modes of a fix, in the order in which tables and legends list them."""

JUDGED_DRIVING_MODES = ("autonomous", "remote", "unknown")
"""Modes that `driving-mode` asks about; the others are the safety response."""

DISENGAGED_TO = ("manual", "remote", "disengaged", "not_ready", "minimal_risk")
"""Modes whose start, coming from `autonomous`, is a disengagement."""

OPERATORS = ("on_board", "remote", "none", "unknown")
"""Where the safety operator is, as logs say it."""

VERDICTS = ("violation", "indeterminate", "not_checkable", "not_observed", "compliant")
"""Verdicts of a coverage line, worst first; findings use the first two and `not_observed`."""

GEOMETRY_CONFIDENCES = ("official", "derived", "sketch")
RULE_CONFIDENCES = ("official", "press", "assumed")

CHECKS = (
    "outside-zone",
    "permit-not-in-force",
    "vehicle-not-permitted",
    "speed-limit",
    "operating-hours",
    "driving-mode",
    "safety-operator",
    "no-entry",
    "log-gap",
    "unlogged-movement",
)
"""Codes of the checks in the order of the contract, which is the order of every table."""

UNOBSERVED_CHECKS = ("log-gap", "unlogged-movement")
"""Checks whose findings say `not_observed`: nobody saw what happened."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

SECOND_US = 1_000_000
"""Microseconds in a second; instants inside the analysis are microseconds since 1970 UTC."""


@dataclass(frozen=True, order=True)
class Notice:
    """Something a reader of any output must know, in both languages.

    `code` names the kind (`area-mismatch`, `assumed-mode`, …) and `subject` what it is
    about (a file, a zone, a vehicle); the texts are whole sentences.
    """

    code: str
    subject: str
    ko: str
    en: str
