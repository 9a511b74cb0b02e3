"""What the beginning of a delimited text says: encoding, separator, names of columns."""

import codecs
import csv
import io
from typing import BinaryIO

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._cp949 import BrokenTextError, broken_at, to_utf8
from analyzer.logs._files import HEAD_BYTES
from analyzer.logs._format import POLARS_FAILS
from analyzer.logs._packed import open_bytes, open_whole
from analyzer.logs._profile import Profile
from analyzer.logs._ranges import Survey, place_of
from analyzer.logs._remarks import Remark
from analyzer.records import record

_BINARY = bytes({*range(9), *range(14, 27), *range(28, 32)})
SEPARATORS = ",;\t|"
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLANK = codecs.BOM_UTF8 + b"\r\n"
PIECE_BYTES = 1 << 22
MOST_COLUMNS = 5_000
"""A table with more is no log: every column costs memory and time, whatever is in it."""
PLAINLY_UTF8_BYTES = 16
"""So many bytes of characters of UTF-8 no text in cp949 holds before one that is not UTF-8."""
DIVISIBLE = ("utf-8", "ascii", "cp949", "euc_kr", "iso8859-1", "iso8859-15", "cp1252")
"""Encodings in which the bytes of a line end and a quote are nothing else."""


@record(frozen=True)
class Heading:
    """The heading of a text.

    `header` is a line as UTF-8 that names the columns, `start` the byte of the file where
    the records begin; `names` are the columns, each name once.
    """

    header: bytes
    start: int
    separator: str
    names: list[str]


def is_text(head: bytes) -> bool:
    """Return whether the first bytes of a file can be text."""
    return head.startswith((*UTF16, *UTF32)) or not any(byte in _BINARY for byte in head)


def stated_encoding(path: str, profile: Profile) -> str | None:
    """Return the encoding that the profile or a mark says, null where none does."""
    stated = profile.read.get("encoding")
    if stated:
        return _normal(path, stated)
    with open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
    if not is_text(head):
        raise LogError(f"{path}: this is binary data, not a text table; was it renamed?")
    if head.startswith(UTF32):
        return "utf-32"
    return "utf-16" if head.startswith(UTF16) else None


def said_encoding(path: str, encoding: str) -> tuple[Remark, ...]:
    """Return what to say of an encoding."""
    return () if encoding == "utf-8" else (Remark("encoding", path, words=(encoding,)),)


def confirmed_encoding(path: str, stated: str | None, found: Survey) -> str:
    """Return the encoding of a text: the stated one, UTF-8, or cp949 (Korean Windows)."""
    if stated not in {None, "utf-8", "cp949"}:
        return str(stated)
    if stated != "cp949":
        if found.broken_at is None:
            return "utf-8"
        if stated or found.continued >= PLAINLY_UTF8_BYTES:
            here = place_of(path, found.broken_at)
            raise LogError(
                f"{path}: is UTF-8 text that is damaged at {here}; repair that line, or save it anew as UTF-8"
            )
    with open_whole(path) as file:
        at = broken_at(file)
    if at is None:
        return "cp949"
    here = place_of(path, at)
    if stated:
        raise LogError(f"{path}: cannot be read as cp949 ({here}); save it as UTF-8")
    raise LogError(f"{path}: is neither UTF-8 nor cp949 text ({here} is neither); save it as UTF-8")


def _normal(path: str, encoding: str) -> str:
    """Return the usual name of an encoding."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise LogError(f"{path}: cannot be read as {encoding} ({error}); save it as UTF-8") from error
    return "utf-8" if name == "utf-8-sig" else name


def as_utf8(path: str, data: bytes, encoding: str, start: int = 0) -> bytes:
    """Return bytes of a text, of which `start` is the first, as UTF-8; LogError where they are not in the encoding."""
    if encoding == "utf-8":
        return data
    try:
        return to_utf8(data) if encoding == "cp949" else data.decode(encoding).encode()
    except BrokenTextError as error:
        at = error.at
    except UnicodeDecodeError as error:
        at = error.start
    except LookupError as error:  # a codec of something else than text
        raise LogError(f"{path}: cannot be read as {encoding} ({error}); save it as UTF-8") from error
    raise LogError(f"{path}: cannot be read as {encoding} (byte {start + at}); save it as UTF-8")


def open_text(path: str, encoding: str) -> tuple[BinaryIO, str]:
    """Return a file opened for reading bytes, and their encoding: all of it as UTF-8 where it cannot be divided."""
    if encoding in DIVISIBLE:
        return open_whole(path), encoding
    with open_whole(path) as file:
        return io.BytesIO(as_utf8(path, file.read(), encoding)), "utf-8"


def header_bytes(file: BinaryIO) -> bytes:
    """Return the header line, with blank lines before it and line ends inside its quotes."""
    header = b""
    while line := file.readline(PIECE_BYTES):
        header += line
        complete = header.strip(_BLANK) and header.count(b'"') % 2 == 0
        if complete or len(header) > PIECE_BYTES:
            break
    return header


def heading_of(path: str, encoding: str, profile: Profile, separator: str) -> Heading:
    """Return the heading of a text in an encoding."""
    file, encoding = open_text(path, encoding)
    with file:
        skipped = b"".join(file.readline(PIECE_BYTES) for _ in range(profile.read.get("skip_rows", 0)))
        raw = header_bytes(file)
    header = as_utf8(path, raw, encoding)
    text = header.decode("utf-8", "replace")
    given = profile.read.get("delimiter") or separator
    used = given if given in text else max(SEPARATORS, key=text.count)
    if text.count(used) > MOST_COLUMNS:
        raise LogError(f"{path}: its header names more than {MOST_COLUMNS} columns; that is no log")
    names = _fields(path, header, used)
    columns = profile.read.get("columns")
    start = len(skipped) + len(raw)
    if columns is not None:
        more = [f"column_{number}" for number in range(len(columns), len(names))]
        names = _fields(path, _line([*columns, *more], used), used)
        start = len(skipped) + (len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0)
    return Heading(_line(names, used), start, used, names)


def _fields(path: str, header: bytes, separator: str) -> list[str]:
    """Return the names in a header line as polars reads them, each once."""
    try:
        return pl.read_csv(header, separator=separator, infer_schema=False).columns
    except POLARS_FAILS as error:
        raise LogError(f"{path}: its header cannot be read ({str(error).splitlines()[0]})") from error


def _line(fields: list[str], separator: str) -> bytes:
    """Return a line of fields, quoted where that is needed."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(fields)
    return text.getvalue().encode()
