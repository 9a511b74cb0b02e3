"""The columns of the workbook: what each is called by people, and how it is written."""

from dataclasses import dataclass
from typing import Literal

from analyzer.language import Both, both

Kind = Literal[
    "text", "long", "time", "date", "number", "whole", "degrees", "share", "verdict", "check", "mode", "zone", "visit"
]
WIDTHS: dict[str, int] = {
    "long": 70,
    "text": 20,
    "time": 19,
    "date": 11,
    "zone": 20,
    "check": 18,
    "verdict": 15,
    "mode": 14,
    "visit": 26,
}
"""Widths in characters; numbers get 12."""


@dataclass(frozen=True)
class Shown:
    """A column of a table as people see it."""

    column: str
    label: Both
    kind: Kind = "text"


_VEHICLE = Shown("vehicle_id", both("Vehicle"))
_TRIP = Shown("trip_id", both("Trip"))
_TRIP_START = Shown("trip_start", both("Start of the trip"), "time")
_ZONE = Shown("zone_id", both("Zone"), "zone")

FINDINGS = (
    Shown("finding_id", both("Id"), "text"),
    Shown("verdict", both("Verdict"), "verdict"),
    Shown("check", both("Check"), "check"),
    _VEHICLE,
    _TRIP,
    Shown("start", both("Start"), "time"),
    Shown("end", both("End"), "time"),
    Shown("duration_s", both("Duration (s)"), "number"),
    Shown("observed_s", both("Observed (s)"), "number"),
    _ZONE,
    Shown("control_mode", both("Mode"), "mode"),
    Shown("limit", both("Limit"), "number"),
    Shown("peak", both("Peak"), "number"),
    Shown("margin", both("Margin"), "number"),
    Shown("error", both("Error"), "number"),
    Shown("unit", both("Unit")),
    Shown("peak_time", both("Time of the peak"), "time"),
    Shown("decided_at", both("Decided at"), "time"),
    Shown("rule_id", both("Rule")),
    Shown("rule_revision", both("Revision"), "whole"),
    Shown("rules_matched", both("Other permits looked at")),
    Shown("message_ko", both("Sentence (Korean)"), "long"),
    Shown("message_en", both("Sentence (English)"), "long"),
    Shown("start_latitude", both("Latitude of the start"), "degrees"),
    Shown("start_longitude", both("Longitude of the start"), "degrees"),
    Shown("peak_latitude", both("Latitude of the peak"), "degrees"),
    Shown("peak_longitude", both("Longitude of the peak"), "degrees"),
    Shown("end_latitude", both("Latitude of the end"), "degrees"),
    Shown("end_longitude", both("Longitude of the end"), "degrees"),
    Shown("first_file", both("First file")),
    Shown("first_record", both("First record"), "whole"),
    Shown("last_file", both("Last file")),
    Shown("last_record", both("Last record"), "whole"),
    _TRIP_START,
)

COVERAGE = (
    _VEHICLE,
    _TRIP,
    _TRIP_START,
    Shown("trip_end", both("End of the trip"), "time"),
    Shown("check", both("Check"), "check"),
    Shown("verdict", both("Verdict"), "verdict"),
    Shown("observed_share", both("Observed share"), "share"),
    Shown("findings", both("Findings"), "whole"),
    Shown("suppressed", both("Left out as too short"), "whole"),
)

EXPOSURE = (
    _VEHICLE,
    Shown("local_date", both("Day"), "date"),
    _ZONE,
    Shown("control_mode", both("Mode"), "mode"),
    Shown("distance_m", both("Distance (m)"), "number"),
    Shown("duration_s", both("Duration (s)"), "number"),
    Shown("observed_s", both("Observed (s)"), "number"),
    Shown("observed_share", both("Observed share"), "share"),
    Shown("mean_speed_kph", both("Mean speed (km/h)"), "number"),
    Shown("top_speed_kph", both("Top speed (km/h)"), "number"),
)

VISITS = (
    _ZONE,
    _VEHICLE,
    _TRIP,
    Shown("start", both("Inside from"), "time"),
    Shown("starts_with", both("Starts with"), "visit"),
    Shown("end", both("Inside until"), "time"),
    Shown("ends_with", both("Ends with"), "visit"),
    Shown("duration_s", both("Duration (s)"), "number"),
)

EVENTS = (
    _VEHICLE,
    _TRIP,
    Shown("time", both("Time"), "time"),
    Shown("event", both("Event")),
    Shown("from_mode", both("Mode before"), "mode"),
    Shown("to_mode", both("Mode after"), "mode"),
    _ZONE,
    Shown("initiated_by", both("Initiated by")),
    Shown("cause", both("Cause"), "long"),
    Shown("latitude", both("Latitude"), "degrees"),
    Shown("longitude", both("Longitude"), "degrees"),
    Shown("file", both("File")),
    Shown("record", both("Record"), "whole"),
)

REJECTS = (
    Shown("file", both("File")),
    Shown("record", both("Record"), "whole"),
    Shown("reason", both("Reason"), "long"),
    Shown("text", both("The record's own words"), "long"),
)
