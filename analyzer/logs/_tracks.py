"""What formats without a table share: points collected as columns, read on as a plain table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from analyzer.logs._columns import SPEED_TO_KPH
from analyzer.logs._format import NO_REJECTS, Log, ReadOptions, refuse_unreadable
from analyzer.logs._plain import Sheet, clean_text, log_of
from analyzer.logs._profile import Profile, load_profile
from analyzer.logs._remarks import Remark

CHUNK = 1 << 15


@dataclass
class Points:
    """Points as they are read: columns of texts, kept small; `record` counts what is no point as well."""

    names: tuple[str, ...]
    record: int = 0
    others: int = 0
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _chunks: list[pl.DataFrame] = field(default_factory=list)

    def add(self, *values: str | None) -> None:
        """Take over a point, a value for each name."""
        self.record += 1
        self._rows.append((self.record, *values))
        if len(self._rows) >= CHUNK:
            self._flush()

    def add_run(self, frame: pl.DataFrame) -> None:
        """Take over points as a table of texts; a column that it lacks says nothing."""
        self._flush()
        lacking = [pl.lit(None, dtype=pl.String).alias(n) for n in self.names if n not in frame.columns]
        numbers = pl.int_range(self.record + 1, self.record + 1 + frame.height, dtype=pl.Int64, eager=True)
        self._chunks.append(frame.with_columns(numbers.alias("record"), *lacking).select("record", *self.names))
        self.record += frame.height

    def add_bad(self, reason: str, text: str) -> None:
        """Take over a record that cannot be read, with its own words."""
        self.record += 1
        self.bad.append((self.record, reason, clean_text(text)))

    def add_other(self) -> None:
        """Count a record that is no position in time."""
        self.record += 1
        self.others += 1

    def _flush(self) -> None:
        """Put the rows read so far into columns."""
        if not self._rows and self._chunks:
            return
        schema = {"record": pl.Int64, **dict.fromkeys(self.names, pl.String)}
        self._chunks.append(pl.DataFrame(self._rows, schema=schema, orient="row"))
        self._rows = []

    def frame(self) -> pl.DataFrame:
        """Return all points; a column of which nothing is said is left out."""
        self._flush()
        frame = pl.concat(self._chunks, rechunk=True)
        said = [s.name for s in frame if s.null_count() < len(s) or s.name in {"record", *self.names[:3]}]
        return frame.select(said)


def log_of_points(  # noqa: PLR0913 - what a sheet needs, and what becomes of it
    path: str,
    name: str,
    points: Points,
    options: ReadOptions,
    ours: Mapping[str, str],
    remarks: tuple[Remark, ...] = (),
) -> Log:
    """Return the log of points; `ours` says which of their names are which of ours."""
    frame = points.frame()
    if frame.is_empty():
        first = points.bad[0][:2] if points.bad else (1, "no position in time") if points.others else None
        refuse_unreadable(path, points.record, first)
    profile = with_columns(load_profile(options.profile), ours, frame.columns)
    rejects = pl.DataFrame(points.bad, schema=NO_REJECTS.schema, orient="row")
    log = log_of(Sheet(path, name, frame.drop("record"), frame["record"], rejects, remarks), options, profile)
    return replace(log, record_count=log.record_count + points.others, other_records=points.others)


def with_columns(profile: Profile, ours: Mapping[str, str], names: list[str]) -> Profile:
    """Return a profile with a format's own names of columns; what the profile says itself holds."""
    said = {ours_of: own for ours_of, own in ours.items() if own in names and own not in profile.columns.values()}
    if set(SPEED_TO_KPH) & set(profile.columns):
        said = {ours_of: own for ours_of, own in said.items() if ours_of not in SPEED_TO_KPH}
    return replace(profile, columns={**said, **profile.columns})


class TripNames:
    """Names of trips within a file: a name said again for another trip is numbered."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def name(self, wanted: str) -> str:
        """Return a name that no other trip of the file has."""
        count = self._seen[wanted] = self._seen.get(wanted, 0) + 1
        return wanted if count == 1 else self.name(f"{wanted} ({count})")
