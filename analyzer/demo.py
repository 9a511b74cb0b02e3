"""One synthetic day, clearly labelled, with the truth of what was built into it.

Four vehicles of the four types drive in the invented zone set `demo`. Every trip is laid
out from metres, seconds and km/h, so when and where each rule is broken is known from the
building, not from the analysis; the two are compared.
"""

import csv
import datetime as dt
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from analyzer import __version__
from analyzer.analysis import Options, analyze
from analyzer.demo_day import Day, build_day
from analyzer.outputs import Run, refuse_output, write_outputs
from analyzer.results import Analysis
from analyzer.zone_loading import load_zone_set

TOLERANCE_S = 0.2
LOG_COLUMNS = (
    "vehicle_id",
    "timestamp",
    "latitude",
    "longitude",
    "trip_id",
    "vehicle_type",
    "speed_kph",
    "horizontal_accuracy_m",
    "control_mode",
    "operator",
)
TRUTH_COLUMNS = ("vehicle_id", "trip_id", "check", "verdict", "start", "end", "what_ko", "what_en")


def write_day(folder: Path) -> Day:
    """Write logs/ (a CSV a vehicle), truth.csv and a label; return the day."""
    day = build_day()
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for vehicle in dict.fromkeys(trip.vehicle_id for trip in day.trips):
        rows = [row for trip in day.trips if trip.vehicle_id == vehicle for row in trip.rows()]
        _write_csv(logs / f"{vehicle}.csv", LOG_COLUMNS, rows)
    truth = [{k: v.isoformat() if isinstance(v, dt.datetime) else v for k, v in r.items()} for r in day.truth]
    _write_csv(folder / "truth.csv", TRUTH_COLUMNS, truth)
    label = (
        "이 폴더의 기록은 시연을 위해 만든 가상 데이터이며 실제 운행이 아닙니다.\n"
        "The logs in this folder are synthetic, made for demonstration; nobody drove them.\n"
    )
    (folder / "SYNTHETIC.txt").write_text(label, encoding="utf-8", newline="\n")
    return day


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@dataclass(frozen=True)
class Outcome:
    """Each row of the truth table and whether the analysis found it; findings beyond it."""

    rows: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    extra: int = 0


def compare(day: Day, findings: pl.DataFrame) -> Outcome:
    """Return which facts of the day the findings hold, and how many they hold beyond it."""
    rows = [(fact, _found(fact, findings)) for fact in day.truth]
    facts = sum(1 for fact in day.truth if fact["check"])
    return Outcome(rows, findings.height - facts if all(ok for _, ok in rows) else findings.height)


def _found(fact: Mapping[str, Any], findings: pl.DataFrame) -> bool:
    """Return whether exactly one finding says a fact (none, for a clean trip)."""
    own = findings.filter((pl.col("vehicle_id") == fact["vehicle_id"]) & (pl.col("trip_id") == fact["trip_id"]))
    if not fact["check"]:
        return own.is_empty()
    tolerance = dt.timedelta(seconds=TOLERANCE_S)
    same = own.filter(
        (pl.col("check") == fact["check"])
        & (pl.col("verdict") == fact["verdict"])
        & ((pl.col("start") - fact["start"]).abs() <= tolerance)
        & ((pl.col("end") - fact["end"]).abs() <= tolerance)
    )
    return same.height == 1


def run_demo(out: Path, lang: str, progress: Callable[[int, int, str], None] | None = None) -> tuple[Analysis, Outcome]:
    """Make the day, judge it, write the result with logs and truth into `out`, compare."""
    refuse_output(out)
    zone_set = load_zone_set("demo")
    with tempfile.TemporaryDirectory(prefix="zonelog-demo-") as work:
        staging = Path(work) / "day"
        day = write_day(staging)
        logs = sorted(str(path) for path in (staging / "logs").glob("*.csv"))
        analysis = analyze(logs, zone_set, Options(base=staging, progress=progress))
        command = ("zonelog", "demo")
        run = Run(command, __version__, "ko" if lang == "ko" else "en", extras=staging)
        write_outputs(analysis, out, run)
    return analysis, compare(day, analysis.findings)
