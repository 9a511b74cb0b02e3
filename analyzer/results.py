"""The result of one analysis, as data: what outputs write and callers read."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

import polars as pl

from analyzer.records import record
from analyzer.tables import SPEEDS, VISITS, empty
from analyzer.terms import Notice
from analyzer.zones import ZoneSet


@record(frozen=True)
class LogAccount:
    """What became of the records of one file: `records = fixes + rejects + other_records`.

    `interpolated` of the fixes are samples of another stream with an interpolated position.
    `error` is null for a file that was analyzed, else the reason why it could not be.
    """

    path: str
    format: str | None
    sha256: str | None
    records: int
    fixes: int
    rejects: int
    other_records: int
    interpolated: int = 0
    error: str | None = None


@record(frozen=True, eq=False)
class Analysis:
    """The tables of one analysis (schemas in `analyzer.tables`), never changed after.

    `tracks`, `speeds` and `visits` are for drawing (empty where nobody draws), `notices` what every output must
    repeat, `logs` the accounting in the order of paths, `summary` the content of summary.json, `vehicle_types` the
    types that the logs state of a vehicle ("" where a part of them states none).
    """

    findings: pl.DataFrame
    coverage: pl.DataFrame
    exposure: pl.DataFrame
    events: pl.DataFrame
    rejects: pl.DataFrame
    tracks: pl.DataFrame
    notices: tuple[Notice, ...]
    logs: tuple[LogAccount, ...]
    zone_set: ZoneSet
    summary: dict[str, Any]
    speeds: pl.DataFrame = field(default_factory=lambda: empty(SPEEDS))
    visits: pl.DataFrame = field(default_factory=lambda: empty(VISITS))
    vehicle_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
