"""The findings of the map: columns for the list, and the whole story of each in parts.

The list of 50,000 findings must open at once, so sentences and records come in parts of
`PART` findings that the page unpacks when one is looked at.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import duration_text, local_time, number
from analyzer.outputs._packing import packed_json
from analyzer.wording import MODE_WORDS, word
from analyzer.zones import ZoneSet

PART = 1_000
SEVERITY = {"violation": 0, "indeterminate": 1, "not_observed": 2}
PARTS_A_DEGREE = 1_000_000
AXES = ("longitude", "latitude")


def worst_first(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the findings, violations first, then by time."""
    return findings.sort(_severity(), "start", "vehicle_id", "check", maintain_order=True)


def farthest_first(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the findings by severity, those with a distance first, the farther the earlier."""
    kind = pl.col("unit").replace_strict({"m": 0, "km/h": 1}, default=2, return_dtype=pl.Int8)
    columns = [
        _severity(),
        kind,
        pl.col("peak").fill_null(0.0),
        pl.col("duration_s"),
        pl.col("start"),
        pl.col("finding_id"),
    ]
    return findings.sort(columns, descending=[False, False, True, True, False, False], maintain_order=True)


def _severity() -> pl.Expr:
    """Return 0 for a violation, 1 and 2 for what weighs less."""
    return pl.col("verdict").replace_strict(SEVERITY, return_dtype=pl.Int8)


def finding_columns(findings: pl.DataFrame, numbers: Mapping[str, Mapping[Any, int]], timezone: str) -> str:
    """Return the columns of the list, packed; ends and peaks are steps from the start, in millionths of a degree.

    `numbers` gives those of trips, zones, checks and verdicts.
    """
    trips = [numbers["trips"][key] for key in findings.select("vehicle_id", "trip_id", "trip_start").iter_rows()]
    lon, lat = (_whole(findings[f"start_{axis}"]) for axis in AXES)
    near = {
        f"{name}_{axis}": (_whole(findings[f"{name}_{axis}"]) - start).to_list()
        for name in ("end", "peak")
        for axis, start in zip(AXES, (lon, lat), strict=True)
    }
    start_ms, end_ms = (findings[name].dt.epoch("ms") for name in ("start", "end"))
    peaks = zip(findings["peak"], findings["unit"], findings["duration_s"], strict=True)
    return packed_json(
        {
            "id": findings["finding_id"].to_list(),
            "trip": trips,
            "check": [numbers["checks"][code] for code in findings["check"]],
            "verdict": [numbers["verdicts"][verdict] for verdict in findings["verdict"]],
            "zone": [numbers["zones"].get(zone, -1) for zone in findings["zone_id"]],
            "start": start_ms.to_list(),
            "lasts": (end_ms - start_ms).to_list(),
            "day": findings["start"].dt.convert_time_zone(timezone).dt.date().cast(pl.String).to_list(),
            "amount": [_amount(peak, unit, seconds) for peak, unit, seconds in peaks],
            "start_longitude": lon.to_list(),
            "start_latitude": lat.to_list(),
            **near,
        }
    )


def _whole(degrees: pl.Series) -> pl.Series:
    """Return degrees as whole millionths, null where there are none."""
    return (degrees * PARTS_A_DEGREE).round(0).cast(pl.Int64)


def _amount(peak: float | None, unit: str | None, seconds: float) -> str | list[str]:
    """Return how much it was, for the list: the peak, or where there is none how long (Korean, English)."""
    return list(duration_text(seconds)) if peak is None else number(peak, unit)


def finding_parts(findings: pl.DataFrame, zone_set: ZoneSet) -> list[str]:
    """Return the stories of `PART` findings each, packed."""
    zone = ZoneInfo(zone_set.rules.timezone)
    names = {z.zone_id: dict(z.name) for z in zone_set.zones}
    return [
        packed_json([_story(row, zone, names) for row in part.iter_rows(named=True)])
        for part in findings.iter_slices(PART)
    ]


def _story(row: Mapping[str, Any], zone: ZoneInfo, names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return all that the page tells of one finding: sentences, rules, and rows of word and text."""
    unit = row["unit"]
    lasts = dict(zip(("ko", "en"), duration_text(row["duration_s"]), strict=True))
    rows = [
        ("vehicle", row["vehicle_id"]),
        ("trip", row["trip_id"]),
        ("zone", names.get(row["zone_id"] or "")),
        ("start", with_offset(row["start"], zone)),
        ("end", with_offset(row["end"], zone)),
        ("duration", lasts),
        ("observed_share", _share(row["observed_s"], row["duration_s"])),
        ("mode", word(MODE_WORDS, row["control_mode"])),
        ("limit", _number(row["limit"], unit) if row["check"] == "speed-limit" else None),
        ("peak", _number(row["peak"], unit)),
        ("margin", _margin(row["margin"], row["error"], unit)),
        ("decided_at", with_offset(row["decided_at"], zone)),
        ("records", _records(row)),
    ]
    own = [f"{row['rule_id']}/{row['rule_revision']}"] if row["rule_id"] else []
    return {
        "ko": row["message_ko"],
        "en": row["message_en"],
        "rules": own,
        "matched": (row["rules_matched"] or "").split(";") if row["rules_matched"] else [],
        "rows": [pair for pair in rows if pair[1] is not None],
    }


def with_offset(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Return a local time to the second with its offset."""
    return f"{local_time(instant, zone)} {instant.astimezone(zone).isoformat()[-6:]}"


def _number(value: float | None, unit: str | None) -> str | None:
    """Return a number with its unit, null where there is none."""
    return None if value is None else number(value, unit)


def _margin(margin: float | None, error: float | None, unit: str | None) -> str | None:
    """Return a margin with its error, null where there is none."""
    if margin is None:
        return None
    return number(margin, unit) if error is None else f"{number(margin, unit)} ± {number(error, unit)}"


def _share(observed_s: float, duration_s: float) -> str | None:
    """Return the observed share in percent, null of an instant; only all of it is 100 %."""
    if duration_s <= 0:
        return None
    share = 100 * observed_s / duration_s
    return f"{min(share, 99.9):.1f} %" if share < 100 else "100 %"  # noqa: PLR2004


def _records(row: Mapping[str, Any]) -> str:
    """Return the records between which it lies."""
    if row["first_file"] == row["last_file"]:
        return f"{row['first_file']}: {row['first_record']} – {row['last_record']}"
    return f"{row['first_file']}: {row['first_record']} – {row['last_file']}: {row['last_record']}"
