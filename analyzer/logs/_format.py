"""What a log format is, how a log is divided, and what reading a part of it gives."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._remarks import Remark, notices_of
from analyzer.records import record
from analyzer.terms import Notice

PART_RECORDS = 1 << 19
"""Most records of a part of a typed table: parts depend on the file alone, never on the machine."""

PART_BYTES = 24_000_000
"""Bytes of a part of a text table; larger ones take more time, because their memory is not used again."""

POLARS_FAILS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars raises of a damaged file; the second, of damage it is not prepared for, is no `Exception`."""

_SHOWN_CHARACTERS = 80

NO_REJECTS = pl.DataFrame(schema={"record": pl.Int64, "reason": pl.String, "text": pl.String})


@record(frozen=True)
class ReadOptions:
    """How to read: the IANA time zone of times without offset, a profile file, a folder of .msg files."""

    timezone: str | None = None
    profile: Path | None = None
    msgs: Path | None = None


@record(frozen=True)
class PartSize:
    """Into how large parts logs are divided."""

    records: int = PART_RECORDS
    text_bytes: int = PART_BYTES


PART_SIZE = PartSize()


@record(frozen=True)
class Part:
    """What to read of a log: `[start, stop)`, to the end where `stop` is null.

    Rows of a typed table, bytes of a text table. `records` is how many records that is:
    exact where the format knows it cheaply, else an estimate, for planning only.
    """

    start: int = 0
    stop: int | None = None
    records: int = 0


@record(frozen=True)
class Plan:
    """A log divided into parts, in order; `encoding` is that of a text table.

    `grid` says how coarsely positions are written (`_grid`), empty where nobody has looked.
    `files` are what a log of several files consists of besides `path`, `version` is that of an
    object in object storage.
    """

    path: str
    format: str
    parts: tuple[Part, ...] = (Part(),)
    encoding: str = "utf-8"
    grid: str = ""
    version: str = ""
    files: tuple[str, ...] = ()


@record(frozen=True, eq=False)
class Log:
    """A log, or a part of one, as read.

    `records` follow `tables.RECORDS` but may lack a column of which nothing is said;
    `rejects` has record, reason, text. `record_count = records + rejects + other_records`.
    Of a part, `record` counts from 1 within the part and `sha256` is null (as of a URL).
    """

    path: str
    format: str
    sha256: str | None
    records: pl.DataFrame
    rejects: pl.DataFrame
    record_count: int
    other_records: int = 0
    remarks: tuple[Remark, ...] = ()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Return the remarks as sentences."""
        return notices_of(self.remarks)


@record(frozen=True, eq=False)
class Format:
    """A log format: known by suffix, sure by its first bytes.

    `read` gives one part of a planned log. `plan` divides a log without decoding it;
    without one, a log is one part. The content of a `decisive` one proves it, whatever
    its suffix. `unpacks` says that it reads gzip and Zstandard itself. `is_vague`:
    its first bytes may well be those of another format, which then comes first. `may_panic`:
    polars reads it, which writes on standard error where it panics.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Callable[[Plan, Part, ReadOptions], Log]
    plan: Callable[[str, ReadOptions, PartSize], Plan] | None = None
    decisive: bool = False
    unpacks: bool = False
    is_vague: bool = False
    may_panic: bool = False


def bounds(start: int, stop: int, most: int) -> list[int]:
    """Return where to divide `[start, stop)` into equal pieces of at most `most`, ends included.

    Equal ones, because what is asked of most records of a part means little of a few.
    """
    pieces = max(1, -(-(stop - start) // most))
    return [start + (stop - start) * number // pieces for number in range(pieces + 1)]


def refuse_unreadable(
    path: str, record_count: int, first_reject: tuple[int, str] | tuple[int, str, str] | None
) -> NoReturn:
    """Refuse a log of which no record is readable; `first_reject` is its record, reason and perhaps own words."""
    if first_reject is None:
        raise LogError(f"{path}: has a header but no record; there is nothing to judge")
    record, reason, *words = first_reject
    said = f" ({words[0][:_SHOWN_CHARACTERS]!r})" if words else ""
    message = (
        f"{path}: not one of {record_count} records is readable; the first (record {record}) is "
        f"rejected as {reason}{said}; check the columns and the format: `zonelog formats guess` says what it sees"
    )
    raise LogError(message)
