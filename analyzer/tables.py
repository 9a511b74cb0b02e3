"""The schema of every table, each column documented: names and types are an interface.

A table is a tuple of columns. `schema(table)` is what polars needs, `conform(frame,
table)` gives a frame exactly the columns, order and types of its table.
"""

from typing import Any

import polars as pl

from analyzer.records import record
from analyzer.terms import CONTROL_MODES, OPERATORS

INSTANT = pl.Datetime("us", "UTC")


@record(frozen=True)
class Column:
    """One column of a table: its name, type, unit, meaning, and what null means in it."""

    name: str
    dtype: Any
    unit: str
    meaning: str
    null: str = ""


@record(frozen=True)
class Table:
    """A named table; `key` are the columns that sort it and make its rows unique."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def schema(table: Table) -> pl.Schema:
    """Return the polars schema of a table."""
    return pl.Schema({column.name: column.dtype for column in table.columns})


def empty(table: Table) -> pl.DataFrame:
    """Return a table without rows."""
    return pl.DataFrame(schema=schema(table))


def conform(frame: pl.DataFrame | pl.LazyFrame, table: Table) -> pl.DataFrame:
    """Return `frame` with the columns, order, types and sorting of `table`."""
    typed = frame.lazy().select(pl.col(c.name).cast(c.dtype) for c in table.columns)
    ordered = typed.sort(table.key, maintain_order=True, nulls_last=True)
    return ordered.collect(engine="in-memory")  # streaming, numbers are divided to other last digits


_VEHICLE = Column("vehicle_id", pl.String, "", "vehicle as the log names it")
_TRIP = Column(
    "trip_id",
    pl.String,
    "",
    "trip as the log names it; a nameless trip by its first instant, ISO 8601 with Z",
)
_TRIP_START = Column("trip_start", INSTANT, "UTC", "first fix of the trip")

RECORDS = Table(
    "records",
    "Log records as a format read them, before they become fixes (inside the analysis only).",
    (
        Column("record", pl.Int64, "", "number of the record in its file, from 1"),
        Column("vehicle_id", pl.String, "", "vehicle", "the log names none"),
        Column("trip_id", pl.String, "", "trip", "nameless"),
        Column("vehicle_type", pl.String, "", "type of the vehicle", "not said"),
        Column("time", INSTANT, "UTC", "instant of the record", "unreadable: a reject"),
        Column("longitude", pl.Float64, "degrees WGS 84", "east positive", "a sample, or a reject"),
        Column("latitude", pl.Float64, "degrees WGS 84", "north positive", "a sample, or a reject"),
        Column("speed_kph", pl.Float64, "km/h", "reported speed", "not said"),
        Column("heading_deg", pl.Float64, "degrees true", "clockwise from north", "not said"),
        Column("odometer_m", pl.Float64, "m", "odometer", "not said"),
        Column("horizontal_accuracy_m", pl.Float64, "m", "1 sigma per axis", "not said"),
        Column("coordinate_error_m", pl.Float64, "m", "1 sigma that a coarse grid of positions adds", "a fine one"),
        Column("control_mode", pl.Enum(CONTROL_MODES), "", "one of the control modes", "not said"),
        Column("control_mode_raw", pl.String, "", "the mode in the log's own words", "not said"),
        Column("operator", pl.Enum(OPERATORS), "", "on_board, remote, none or unknown", "not said"),
        Column("is_sample", pl.Boolean, "", "a speed or mode sample without a position"),
    ),
    ("record",),
)

FINDINGS = Table(
    "findings",
    "One unbroken stretch of one trip that breaks one check of one revision of one rule.",
    (
        Column("finding_id", pl.String, "", "stable id: the same input gives the same id"),
        Column("check", pl.String, "", "code of the check"),
        Column("verdict", pl.String, "", "violation, indeterminate or not_observed"),
        _VEHICLE,
        _TRIP,
        _TRIP_START,
        Column("rule_id", pl.String, "", "rule broken", "the check concerns no single rule"),
        Column("rule_revision", pl.Int64, "", "revision of that rule", "no single rule"),
        Column("rules_matched", pl.String, "", "the (other) permits looked at, ids joined by ;"),
        Column("zone_id", pl.String, "", "zone; for outside-zone the nearest", "no zone there"),
        Column("start", INSTANT, "UTC", "the best estimate starts to break the check"),
        Column("end", INSTANT, "UTC", "the best estimate stops breaking it"),
        Column("duration_s", pl.Float64, "s", "end less start"),
        Column("observed_s", pl.Float64, "s", "duration less the holes in it"),
        Column("control_mode", pl.String, "", "control mode at the start"),
        Column("limit", pl.Float64, "by unit", "limit with its tolerance", "no number asked"),
        Column("peak", pl.Float64, "by unit", "largest value in the finding", "no number asked"),
        Column("margin", pl.Float64, "by unit", "value beyond the limit at decided_at", "no number"),
        Column("error", pl.Float64, "by unit", "error of that margin", "no number asked"),
        Column("unit", pl.String, "", "m or km/h", "no number asked"),
        Column("peak_time", INSTANT, "UTC", "instant of the peak", "no number asked"),
        Column("decided_at", INSTANT, "UTC", "instant that decided the verdict"),
        Column("start_longitude", pl.Float64, "degrees WGS 84", "place of the start"),
        Column("start_latitude", pl.Float64, "degrees WGS 84", "place of the start"),
        Column("end_longitude", pl.Float64, "degrees WGS 84", "place of the end"),
        Column("end_latitude", pl.Float64, "degrees WGS 84", "place of the end"),
        Column("peak_longitude", pl.Float64, "degrees WGS 84", "place of the peak", "no number"),
        Column("peak_latitude", pl.Float64, "degrees WGS 84", "place of the peak", "no number"),
        Column("first_file", pl.String, "", "file of the last fix at or before the start"),
        Column("first_record", pl.Int64, "", "record of that fix"),
        Column("last_file", pl.String, "", "file of the first fix at or after the end"),
        Column("last_record", pl.Int64, "", "record of that fix"),
        Column("message_ko", pl.String, "", "the finding as a Korean sentence"),
        Column("message_en", pl.String, "", "the finding as an English sentence"),
    ),
    ("vehicle_id", "trip_start", "trip_id", "start", "check", "rule_id", "rule_revision"),
)

COVERAGE = Table(
    "coverage",
    "Trip x check: what can be said of the whole trip. Only `compliant` is a pass.",
    (
        _VEHICLE,
        _TRIP,
        _TRIP_START,
        Column("trip_end", INSTANT, "UTC", "last fix of the trip"),
        Column("check", pl.String, "", "code of the check"),
        Column(
            "verdict",
            pl.String,
            "",
            "violation, indeterminate, not_checkable, not_observed or compliant",
        ),
        Column("observed_share", pl.Float64, "0 to 1", "share of the trip outside holes"),
        Column("findings", pl.Int64, "", "findings of the check on the trip"),
        Column("suppressed", pl.Int64, "", "findings left out as shorter than min_duration_s"),
    ),
    ("vehicle_id", "trip_start", "trip_id", "check"),
)

EXPOSURE = Table(
    "exposure",
    "Distance and time per vehicle, local day, zone and control mode; the parts add up.",
    (
        _VEHICLE,
        Column("local_date", pl.Date, "", "day in the rule file's time zone"),
        Column("zone_id", pl.String, "", "zone, a+b where zones overlap, empty outside"),
        Column("control_mode", pl.String, "", "control mode"),
        Column("distance_m", pl.Float64, "m", "distance on the ground, holes left out"),
        Column("duration_s", pl.Float64, "s", "time, holes given to the state before them"),
        Column("observed_s", pl.Float64, "s", "time without the holes"),
        Column("observed_share", pl.Float64, "0 to 1", "observed_s by duration_s", "no duration"),
        Column("mean_speed_kph", pl.Float64, "km/h", "distance by observed time", "no observed time"),
        Column("top_speed_kph", pl.Float64, "km/h", "largest speed of a fix", "no speed known"),
    ),
    ("vehicle_id", "local_date", "zone_id", "control_mode"),
)

EVENTS = Table(
    "events",
    "Disengagements and other changes of the control mode.",
    (
        _VEHICLE,
        _TRIP,
        _TRIP_START,
        Column("time", INSTANT, "UTC", "first fix in the new mode"),
        Column("event", pl.String, "", "disengagement or mode-change"),
        Column("from_mode", pl.String, "", "control mode before"),
        Column("to_mode", pl.String, "", "control mode after"),
        Column("longitude", pl.Float64, "degrees WGS 84", "place"),
        Column("latitude", pl.Float64, "degrees WGS 84", "place"),
        Column("zone_id", pl.String, "", "zone, a+b where zones overlap, empty outside"),
        Column("initiated_by", pl.String, "", "who, where the log says so; else unknown"),
        Column("cause", pl.String, "", "why, where the log says so; else unknown"),
        Column("file", pl.String, "", "file of that fix"),
        Column("record", pl.Int64, "", "record of that fix"),
    ),
    ("vehicle_id", "trip_start", "trip_id", "time"),
)

REJECTS = Table(
    "rejects",
    "Log records that could not become fixes: nothing that was read disappears.",
    (
        Column("file", pl.String, "", "file as given"),
        Column("record", pl.Int64, "", "number of the record in its file, from 1"),
        Column("reason", pl.String, "", "bad-time, bad-position, duplicate-time, position-jump, …"),
        Column("text", pl.String, "", "the record's own words, shortened; of a jump also the speeds implied"),
    ),
    ("file", "record"),
)

TRACKS = Table(
    "tracks",
    "Stretches of trips with one verdict, for drawing (inside the analysis only).",
    (
        _VEHICLE,
        _TRIP,
        _TRIP_START,
        Column("start", INSTANT, "UTC", "start of the stretch"),
        Column("end", INSTANT, "UTC", "end of the stretch"),
        Column(
            "verdict",
            pl.String,
            "",
            "violation, indeterminate, not_observed, not_required (manual driving) or compliant",
        ),
        Column("longitude", pl.List(pl.Float64), "degrees WGS 84", "vertices"),
        Column("latitude", pl.List(pl.Float64), "degrees WGS 84", "vertices"),
        Column("time_us", pl.List(pl.Int64), "µs since 1970 UTC", "when the vehicle was at each vertex"),
    ),
    ("vehicle_id", "trip_start", "trip_id", "start", "verdict"),
)

SPEEDS = Table(
    "speeds",
    "Time by speed, for the report's distribution (inside the analysis only).",
    (
        _VEHICLE,
        Column("zone_id", pl.String, "", "zone, a+b where zones overlap, empty outside"),
        Column("control_mode", pl.String, "", "control mode"),
        Column("speed_kph", pl.Float64, "km/h", "upper end of a step of 1 km/h, 0 standing", "speed unknown"),
        Column("observed_s", pl.Float64, "s", "time at such a speed, holes left out"),
    ),
    ("vehicle_id", "zone_id", "control_mode", "speed_kph"),
)

VISITS = Table(
    "visits",
    "Time of a vehicle in a zone from entry to exit, for the report (inside the analysis only).",
    (
        _VEHICLE,
        _TRIP,
        _TRIP_START,
        Column("zone_id", pl.String, "", "zone"),
        Column("start", INSTANT, "UTC", "first instant inside"),
        Column("end", INSTANT, "UTC", "last instant inside"),
        Column("duration_s", pl.Float64, "s", "end less start"),
        Column("starts_with", pl.String, "", "entry, trip-start or hole"),
        Column("ends_with", pl.String, "", "exit, trip-end or hole"),
    ),
    ("zone_id", "vehicle_id", "start", "trip_start", "trip_id"),
)

PUBLIC = (FINDINGS, COVERAGE, EXPOSURE, EVENTS, REJECTS)
"""The tables of an output folder."""
