"""The findings of the map: columns for the list of 50,000 of them, which must open at once."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzer.figures import duration_text, number
from analyzer.outputs._packing import packed_json

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
