"""What is wrong with the data of a log, said of each file: never corrected, always told.

Units that disagree with the positions, records out of order, duplicates, jumps, dates out
of reach, one drive under several names. Everything is counted over shards, so it does not
depend on how a log is divided.
"""

import math
from collections.abc import Iterable, Sequence

import polars as pl

from analyzer.judging import Judged
from analyzer.language import Both, both, several
from analyzer.odometers import Told, odometers
from analyzer.reduction import together
from analyzer.rules import Rule
from analyzer.tally import inversions, medians
from analyzer.terms import SECOND_US, Notice
from analyzer.twins import twins
from analyzer.zones import ZoneSet

TOLERANCE = 1.2
"""A median ratio beyond this, up or down, disagrees with the declared unit (a factor; 20 %)."""

NEAR = 1.1
"""A mistaken unit explains a ratio that is no farther from it than this factor."""

LEAST_WINDOWS = 8
"""Fewer windows say nothing about a unit."""

MISTAKEN = (
    (3.6, "km/h", "m/s"),
    (2.237, "mph", "m/s"),
    (1.944, "kn", "m/s"),
    (1.852, "km/h", "kn"),
    (1.609, "km/h", "mph"),
)
"""How many times too fast a speed is whose number is of the first unit and is read as of the second."""

ODOMETER_UNITS = {"km": 1000.0, "mile": 1609.344, "0.1 km": 100.0, "0.1 m": 0.1, "ft": 0.3048, "cm": 0.01}
"""Units of odometers, in metres: as many times too short is a number that is read as metres."""

ROLL_OVER_US = 1024 * 7 * 86_400 * SECOND_US
"""A GPS week counter of 10 bits starts again after 1,024 weeks."""

YEAR_2000_US = 946_684_800 * SECOND_US


def data_notices(judged: Judged, files: Sequence[str], trips: pl.DataFrame, zone_set: ZoneSet) -> Iterable[Notice]:
    """Yield what must be said of the data; `files` are the paths as shown, `trips` those of the analysis."""
    for file, (ratio, windows) in sorted(medians(together(judged.shards, "ratios")).items()):
        if windows >= LEAST_WINDOWS and not 1 / TOLERANCE <= ratio <= TOLERANCE:
            yield _unit(files[file], ratio, windows)
    for file, told in odometers(_odometer_parts(judged)):
        yield from _odometer(files[file], told)
    for file, count in inversions(judged.order).items():
        if file not in judged.errors:
            yield _inversions(files[file], count)
    yield from _of_rejects(judged, files)
    yield from _dates(trips, zone_set)
    yield from twins(trips)


def _unit(path: str, ratio: float, windows: int) -> Notice:
    """Return that reported speeds disagree with the way."""
    text = several(
        windows,
        "{path}: reported speeds are {ratio} times what the positions imply (median of {n} moving stretch). {why} "
        "Nothing was corrected: check the unit before trusting any verdict on speed or moving.",
        "{path}: reported speeds are {ratio} times what the positions imply (median of {n} moving stretches). {why} "
        "Nothing was corrected: check the unit before trusting any verdict on speed or moving.",
        path=path,
        ratio=f"{ratio:.2f}",
        why=_explained(ratio),
    )
    return Notice("speed-unit", path, **text)


def _explained(ratio: float) -> Both:
    """Return which mistaken unit is nearest to a ratio, if any is near."""
    mistakes = [*MISTAKEN, *((1 / factor, told, real) for factor, real, told in MISTAKEN)]
    factor, real, told = min(mistakes, key=lambda mistake: abs(math.log(ratio / mistake[0])))
    if abs(math.log(ratio / factor)) > math.log(NEAR):
        return both("No mistaken unit that is known explains it.")
    return both("{real} read as {told} gives {factor}.", real=real, told=told, factor=f"{factor:.3f}")


def _odometer_parts(judged: Judged) -> dict[int, list[pl.DataFrame]]:
    """Return what the odometers of the parts of each file that could be read say, in order."""
    parts: dict[int, list[pl.DataFrame]] = {}
    for reading in sorted(judged.readings, key=lambda r: (r.file, r.part)):
        if reading.file not in judged.errors:
            parts.setdefault(reading.file, []).append(reading.odometer)
    return parts


def _odometer(path: str, told: Told) -> Iterable[Notice]:
    """Yield what an odometer says that cannot be: another way than the positions, or a step back."""
    if told.ratio is not None and not 1 / TOLERANCE <= told.ratio <= TOLERANCE:
        unit = next((u for u, metres in ODOMETER_UNITS.items() if 1 / NEAR <= told.ratio * metres <= NEAR), None)
        text = both(
            "{path}: its odometer goes {ratio} times the way between positions ({way} m).{unit} "
            "No verdict uses the odometer.",
            path=path,
            ratio=f"{told.ratio:.3g}",
            way=f"{told.way_m:,.0f}",
            unit="" if unit is None else both(" {unit} read as m would do so.", unit=unit),
        )
        yield Notice("odometer-unit", path, **text)
    if told.resets:
        text = several(
            told.resets,
            "{path}: its odometer steps back {n} time. No verdict uses the odometer.",
            "{path}: its odometer steps back {n} times. No verdict uses the odometer.",
            path=path,
        )
        yield Notice("odometer-reset", path, **text)


def _inversions(path: str, count: int) -> Notice:
    """Return that records were not in order of time."""
    text = several(
        count,
        "{path}: {n} record is earlier than the one before of the same vehicle; each trip was sorted by time.",
        "{path}: {n} records are earlier than the one before of the same vehicle; each trip was sorted by time.",
        path=path,
    )
    return Notice("out-of-order", path, **text)


def _of_rejects(judged: Judged, files: Sequence[str]) -> Iterable[Notice]:
    """Yield how many duplicates (how many of them exact copies) and jumps a file has."""
    rejects = together(judged.shards, "rejects")
    if rejects.is_empty():
        return
    counts = rejects.group_by("file", "reason").agg(pl.len().alias("count"), pl.col("is_copy").sum().alias("copies"))
    for file, reason, count, copies in counts.sort("file", "reason").iter_rows():
        yield _duplicates(files[file], count, copies) if reason == "duplicate-time" else _jumps(files[file], count)


def _duplicates(path: str, count: int, copies: int) -> Notice:
    """Return that several records of a vehicle have one time."""
    text = several(
        count,
        "{path}: {n} record has the vehicle and time of a later one and is left out (exact copies: {copies}, "
        "with other content: {different}); the last record stands.",
        "{path}: {n} records have the vehicle and time of a later one and are left out (exact copies: {copies}, "
        "with other content: {different}); the last record stands.",
        path=path,
        copies=f"{copies:,}",
        different=f"{count - copies:,}",
    )
    return Notice("duplicate-time", path, **text)


def _jumps(path: str, count: int) -> Notice:
    """Return that positions lie between two jumps."""
    text = several(
        count,
        "{path}: {n} position that implies an impossible speed before and after is left out; "
        "the table of rejects has the speeds.",
        "{path}: {n} positions that imply an impossible speed before and after are left out; "
        "the table of rejects has the speeds.",
        path=path,
    )
    return Notice("position-jump", path, **text)


def _dates(trips: pl.DataFrame, zone_set: ZoneSet) -> Iterable[Notice]:
    """Yield the vehicles with trips at a time out of reach, or when a GPS week counter may have started again."""
    early = pl.col("start_us") < YEAR_2000_US
    moved = pl.lit(value=False)
    for rule in zone_set.rules.rules:
        moved |= _in_force(rule, pl.col("start_us") + ROLL_OVER_US)
    none_now = ~pl.any_horizontal([_in_force(rule, pl.col("start_us")) for rule in zone_set.rules.rules] or [False])
    found = trips.filter(early | (none_now & moved)).group_by("vehicle_id")
    rows = found.agg(pl.len(), pl.col("start_us").min().cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d"))
    for vehicle, count, first in rows.sort("vehicle_id").iter_rows():
        yield _date(vehicle, count, first)


def _in_force(rule: Rule, time: pl.Expr) -> pl.Expr:
    """Return whether a rule is in force at a time."""
    ends = [end for end in (rule.expires_us, rule.until_us) if end is not None]
    started = time >= rule.effective_us
    return started & (time < min(ends)) if ends else started


def _date(vehicle: str, count: int, first: str) -> Notice:
    """Return that a clock may be wrong by the range of a GPS week counter."""
    text = several(
        count,
        "Vehicle {vehicle}: the date of {n} trip, {first}, lies before 2000, or meets rules in force only 1,024 weeks "
        "later, as of a receiver whose GPS week counter started again. No date was corrected.",
        "Vehicle {vehicle}: the dates of {n} trips, from {first} on, lie before 2000, or meet rules in force only "
        "1,024 weeks later, as of a receiver whose GPS week counter started again. No date was corrected.",
        vehicle=vehicle,
        first=first,
    )
    return Notice("date-out-of-reach", vehicle, **text)


def coarse_positions(path: str, grid: str, error_m: float) -> Notice:
    """Return that positions are written on a coarse grid, and what that adds to their error."""
    text = both(
        "{path}: positions are written with {grid}; {error} m (1 sigma) widen their accuracy, in quadrature.",
        path=path,
        grid=both("32-bit floats") if grid == "float32" else both("{n} decimals of degrees", n=grid),
        error=f"{error_m:.2g}",
    )
    return Notice("coarse-positions", path, **text)
