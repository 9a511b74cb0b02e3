"""How finely a log writes its positions, told from its first records.

That is done as a log is planned, or as it is read where it is one part.
A grid hides where the vehicle was: 5 decimals are steps of 1.1 m, 32-bit floats steps of
0.4 m north and 0.7 m east in Korea. What is told is the same however a log is divided,
because it depends on the start of the file alone. A vehicle must have been at
`LEAST_PLACES` places there: a parked one tells nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from analyzer.errors import LogError
from analyzer.logs._files import is_url
from analyzer.logs._format import Log, Part, Plan

GLANCE_RECORDS = 1024
GLANCE_BYTES = 1 << 18
LEAST_PLACES = 30
COARSEST, FINEST_COARSE = 1, 5
"""Decimals of degrees that are a grid worth telling; with 6 the steps are 0.1 m."""

METRES_PER_DEGREE = 111_195.0
FLOAT32 = "float32"
FLOAT32_ERROR_M = 0.6
_PRINTED = 5.1e-9
"""Half of the last place where degrees are printed with 8 decimals."""


def with_grid(plan: Plan, read: Callable[[Part], Log]) -> Plan:
    """Return the plan with the grid of its positions; `read` gives a part of the log."""
    part = None if is_url(plan.path) or len(plan.parts) == 1 else _glance(plan)
    if part is None:
        return plan
    try:
        records = read(part).records
    except LogError:  # said when the log is read
        return plan
    return replace(plan, grid=_told_by(_first(records)))


def grid_in(plan: Plan, records: pl.DataFrame) -> str:
    """Return the grid of a log of which `records` are a part: as planned, else as the only part tells it."""
    if len(plan.parts) > 1 or "longitude" not in records.columns:
        return plan.grid
    if plan.parts[0].stop is None:  # messages, of which many are no positions
        return _told_by(records.select("longitude", "latitude").drop_nulls().head(GLANCE_RECORDS))
    return _told_by(_first(records))


def _first(records: pl.DataFrame) -> pl.DataFrame:
    """Return those among the first records of a log that have a position."""
    first = records.head(GLANCE_RECORDS).filter(pl.col("record") <= GLANCE_RECORDS)
    return first.select("longitude", "latitude").drop_nulls()


def _told_by(placed: pl.DataFrame) -> str:
    """Return the grid of some positions."""
    return grid_of(placed["longitude"].to_numpy(), placed["latitude"].to_numpy())


def _glance(plan: Plan) -> Part | None:
    """Return the first records of a log as a part, null where they cannot be told from the others."""
    first, stop = plan.parts[0], plan.parts[-1].stop
    if stop is None:
        return None
    if first.records == (first.stop or 0) - first.start:  # rows, not bytes
        return Part(first.start, min(stop, GLANCE_RECORDS))
    end = first.start + GLANCE_BYTES
    return Part(first.start, stop if stop <= end else _line_end(plan.path, first.start))


def _line_end(path: str, start: int) -> int | None:
    """Return the last line end outside quotes among the first bytes of a text."""
    with Path(path).open("rb") as file:
        file.seek(start)
        data = file.read(GLANCE_BYTES)
    end = data.rfind(b"\n")
    while end >= 0 and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end)
    return start + end + 1 if end >= 0 else start


def grid_of(longitude: np.ndarray, latitude: np.ndarray) -> str:
    """Return `float32`, the number of decimals (`1` to `5`), or nothing where positions are finer or few."""
    if len(np.unique(np.stack([longitude, latitude]), axis=1).T) < LEAST_PLACES:
        return ""
    for decimals in range(COARSEST, FINEST_COARSE + 1):
        if all(bool((np.round(v, decimals) == v).all()) for v in (longitude, latitude)):
            return str(decimals)
    return FLOAT32 if all(_is_float32(v) for v in (longitude, latitude)) else ""


def _is_float32(values: np.ndarray) -> bool:
    """Return whether all values are 32-bit floats, as such or as they are printed."""
    single = values.astype(np.float32)
    if bool((np.abs(single.astype(np.float64) - values) <= _PRINTED).all()):
        return True
    shortest = pl.Series(single).cast(pl.String).cast(pl.Float64)
    return bool((shortest.to_numpy() == values).all())


def error_m(grid: str) -> float:
    """Return what a grid adds to the accuracy of positions: half a step, in metres, as one standard deviation.

    Half a step is the most that rounding moves a position along an axis, and about the
    standard deviation where digits were cut off: an upper bound of the one, fair to the other.
    """
    if grid == FLOAT32:
        return FLOAT32_ERROR_M
    return METRES_PER_DEGREE / 2 / 10 ** int(grid) if grid else 0.0
