"""The beginning of a table as texts, before anybody knows what its columns mean."""

import csv
import io
import re

import polars as pl

from analyzer.errors import LogError
from analyzer.logs import _heading, xlsx
from analyzer.logs._format import POLARS_FAILS
from analyzer.logs._heading import as_utf8, stated_encoding
from analyzer.logs._packed import open_bytes
from analyzer.logs._profile import Profile
from analyzer.records import record

SAMPLE_BYTES = 1 << 20
SAMPLE_ROWS = 5000
_NUMBER = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)?\s*")
_TIME = re.compile(r"\s*\d{2,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


@record(frozen=True, eq=False)
class Sample:
    """The first rows of a table as texts; `header` says whether a line names the columns.

    `encoding` and `delimiter` are those of a text, null of other formats; `sheet` is that of a workbook.
    """

    frame: pl.DataFrame
    header: bool = True
    encoding: str | None = None
    delimiter: str | None = None
    complete: bool = False


def sample_text(path: str) -> Sample:
    """Return the sample of a delimited text; LogError where it is no table."""
    text, encoding, complete = _beginning(path)
    delimiter = _delimiter_of(text)
    rows = _rows(path, text, delimiter)
    if not complete and len(rows) > 1:
        rows = rows[:-1]
    if not rows or len(rows[0]) < 3:  # noqa: PLR2004 - a log needs a time and two coordinates
        raise LogError(f"{path}: no table is seen in it: no separator gives columns; is it a log?")
    header = not any(_NUMBER.fullmatch(cell) or _TIME.fullmatch(cell) for cell in rows[0])
    names = _unique(rows[0]) if header else [f"column_{n}" for n in range(len(rows[0]))]
    return Sample(_frame(names, rows[header : SAMPLE_ROWS + header]), header, encoding, delimiter, complete)


def _beginning(path: str) -> tuple[str, str, bool]:
    """Return the beginning of a text, its encoding, and whether it is all of it."""
    stated = stated_encoding(path, Profile())
    with open_bytes(path) as file:
        data = file.read(SAMPLE_BYTES)
    complete = len(data) < SAMPLE_BYTES
    encoding = stated or _encoding_of(path, data)
    if not complete:
        data = data[: data.rfind(b"\n") + 1] if encoding != "utf-16" else data[: len(data) // 2 * 2]
    return as_utf8(path, data, encoding).decode("utf-8-sig"), encoding, complete


def _rows(path: str, text: str, delimiter: str) -> list[list[str]]:
    """Return the rows of a text that say anything."""
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise LogError(f"{path}: cannot be read as a table ({error})") from error


def _encoding_of(path: str, data: bytes) -> str:
    """Return the encoding of the first bytes, of which the last character may be cut."""
    for encoding in ("utf-8", "cp949"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError as error:
            if len(data) == SAMPLE_BYTES and error.start > len(data) - 4:
                return encoding
        else:
            return encoding
    raise LogError(f"{path}: is neither UTF-8 nor cp949 text; say its encoding in a profile, [read] encoding")


def _delimiter_of(text: str) -> str:
    """Return the separator that gives the most lines the same number of columns."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def worth(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual else 0), usual

    return max(_heading.SEPARATORS, key=worth)


def _unique(names: list[str]) -> list[str]:
    """Return names, each once."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return names if len(seen) == len(names) else [f"{name}_{n}" for n, name in enumerate(names)]


def _frame(names: list[str], rows: list[list[str]]) -> pl.DataFrame:
    """Return rows as a table of texts; a row too short has nulls, one too long is left out."""
    width = len(names)
    fitting = [[*row, *[None] * (width - len(row))] for row in rows if len(row) <= width]
    return pl.DataFrame(fitting, schema=dict.fromkeys(names, pl.String), orient="row")


def sample_typed(path: str, name: str) -> Sample:
    """Return the sample of a typed table, of lines of JSON or of a workbook."""
    if name == "xlsx":
        return Sample(xlsx.widest(path).head(SAMPLE_ROWS))
    try:
        if name == "ndjson":
            text, _, complete = _beginning(path)
            frame = pl.read_ndjson((text if complete else text[: text.rfind("\n") + 1]).encode())
        else:
            lazy = pl.scan_parquet(path, glob=False) if name == "parquet" else pl.scan_ipc(path, glob=False)
            frame = lazy.head(SAMPLE_ROWS).collect()
    except (*POLARS_FAILS, OSError) as error:
        raise LogError(f"{path}: cannot be read as {name} ({str(error).splitlines()[0]})") from error
    flat = [c for c, kind in frame.schema.items() if not kind.is_nested()]
    return Sample(frame.select(pl.col(c).cast(pl.String, strict=False) for c in flat))
