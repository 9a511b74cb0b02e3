"""What a log format is, and what reading a log gives."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analyzer.terms import Notice


@dataclass(frozen=True)
class ReadOptions:
    """How to read: the IANA time zone of times without offset, and a profile file."""

    timezone: str | None = None
    profile: Path | None = None


@dataclass(frozen=True)
class Log:
    """One log as read.

    `records` follow `tables.RECORDS` but may lack a column of which nothing is said;
    `rejects` has record, reason, text. `record_count = records + rejects + other_records`.
    """

    path: str
    format: str
    sha256: str | None
    records: pl.DataFrame
    rejects: pl.DataFrame
    record_count: int
    other_records: int = 0
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Format:
    """A log format: known by suffix, sure by its first bytes."""

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Callable[[str, ReadOptions], Log]


NO_REJECTS = pl.DataFrame(schema={"record": pl.Int64, "reason": pl.String, "text": pl.String})
