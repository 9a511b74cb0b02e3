"""XLSX: a sheet of a workbook with the columns of a plain log, below any title rows.

The sheet is the only one that has the columns of a log; where several have them, a profile
must say which (`[read] sheet`). The header is the first of the first 40 rows that names
them. Dates are the workbook's own: they have no offset, so `--timezone` must say their
zone. Record numbers count the rows below the header from 1; an empty row is none. XLS,
XLSB and ODS are refused, as is a workbook that unpacks to more than 200 times its size,
or whose cells lie so far apart that the table would be mostly empty.

## Example
```
zonelog analyze route.xlsx --zones gwangju --out result --timezone Asia/Seoul
```
"""

import re
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import columns_of
from analyzer.logs._files import is_url
from analyzer.logs._format import POLARS_FAILS, Format, Log, Part, Plan, ReadOptions, refuse_unreadable
from analyzer.logs._packed import FREE_BYTES, MOST_TIMES
from analyzer.logs._plain import Sheet, log_of
from analyzer.logs._profile import Profile, fitting, load_profile
from analyzer.logs._remarks import built_in

MOST_BYTES = 1 << 30
_HEADER_ROWS = 40
_PIECE = 1 << 16
_CELL = re.compile(rb"""<(?:\w+:)?(?:c|row)\b[^>]*?\br=["']([A-Z]{0,3})([0-9]{1,7})["']""")
_MOST_EMPTY, _FREE_CELLS = 50, 1_000_000
_MOST_MEMBERS = 4096


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    if is_url(plan.path):
        raise LogError(f"{plan.path}: workbooks are read from files only; download it first")
    given = load_profile(options.profile)
    tables = _tables(plan.path, _unpacked(plan.path), given)
    frame = _the_one(plan.path, tables, given)
    profile = fitting(given, frame.columns)
    if frame.is_empty():
        refuse_unreadable(plan.path, 0, None)
    return log_of(Sheet(plan.path, plan.format, frame, remarks=built_in(plan.path, profile.name)), options, profile)


def _unpacked(path: str) -> bytes:
    """Return the workbook with nothing packed in it, its sizes checked on the way."""
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * Path(path).stat().st_size))
    out = BytesIO()
    try:
        with zipfile.ZipFile(path) as packed, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as clean:
            infos = packed.infolist()
            if len(infos) > _MOST_MEMBERS or sum(info.file_size for info in infos) > most:
                raise _too_large(path, most)
            for info in infos:
                clean.writestr(zipfile.ZipInfo(info.filename), _member(path, packed, info))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise LogError(f"{path}: cannot be read as a workbook ({error}); was it cut off?") from error
    return out.getvalue()


def _too_large(path: str, most: int) -> LogError:
    """Return the refusal of a workbook that unpacks to too much."""
    return LogError(f"{path}: unpacks to more than {most:,} bytes; save the sheet as CSV if it really is a log")


def _member(path: str, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a member of the workbook, never more than it says it holds."""
    with packed.open(info) as file:
        data = file.read(info.file_size)
    if info.filename.endswith(".xml"):
        _refuse_sparse(path, data)
    return data


def _refuse_sparse(path: str, sheet: bytes) -> None:
    """Refuse cells so far apart that a table with all places between them would not fit anywhere."""
    count, rows, columns = 0, 0, 1
    for match in _CELL.finditer(sheet):
        count += 1
        rows = max(rows, int(match[2]))
        columns = max(columns, _column(match[1]))
    if rows * columns > max(_FREE_CELLS, _MOST_EMPTY * count):
        raise LogError(f"{path}: its cells lie too far apart ({rows} rows, {columns} columns); delete the stray ones")


def _column(letters: bytes) -> int:
    """Return the number of a column from its letters."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _tables(path: str, book: bytes, profile: Profile) -> dict[str, pl.DataFrame]:
    """Return name -> table of the sheets that may be the log."""
    import fastexcel  # noqa: PLC0415 - only workbooks need it

    try:
        reader = fastexcel.read_excel(book)
        wanted = profile.read.get("sheet")
        if wanted is not None and wanted not in reader.sheet_names:
            raise LogError(f"{path}: has no sheet {wanted!r}; it has {', '.join(reader.sheet_names)}")
        names = reader.sheet_names if wanted is None else [wanted]
        return {name: _texts(reader.load_sheet(name, header_row=None, dtypes="string")) for name in names}
    except (fastexcel.FastExcelError, *POLARS_FAILS, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise LogError(f"{path}: cannot be read as a workbook ({reason}); save it anew as XLSX") from error


def _texts(sheet: Any) -> pl.DataFrame:
    """Return the cells of a sheet as texts."""
    frame: pl.DataFrame = pl.DataFrame(sheet)
    return frame.select(pl.all().cast(pl.String))


def _the_one(path: str, tables: dict[str, pl.DataFrame], profile: Profile) -> pl.DataFrame:
    """Return the table below its header; LogError where none or several can be the log."""
    found: dict[str, pl.DataFrame] = {}
    reasons: list[LogError] = []
    for name, table in tables.items():
        try:
            found[name] = _below_header(path, table, profile)
        except LogError as error:
            reasons.append(error)
    if len(found) > 1:
        message = f"{path}: several sheets can be the log ({', '.join(found)}); say which in a profile: [read] sheet"
        raise LogError(message)
    if not found:
        raise reasons[0] if reasons else LogError(f"{path}: the workbook has no sheet")
    return next(iter(found.values()))


def _below_header(path: str, table: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Return the rows below the first row that names the columns of a log."""
    skipped = profile.read.get("skip_rows", 0)
    if "columns" in profile.read:
        names = profile.read["columns"]
        return _named(table.slice(skipped), [*names, *(None for _ in table.columns[len(names) :])])
    reason = LogError(f"{path}: a sheet is empty; there is nothing to judge in it")
    widest = -1
    for place in range(skipped, min(table.height, skipped + _HEADER_ROWS)):
        row = table.row(place)
        names = [name for name in row if name]
        try:
            columns_of(path, names, fitting(profile, names))
        except LogError as error:
            if len(names) > widest:
                reason, widest = error, len(names)
            continue
        return _named(table.slice(place + 1), list(row))
    raise reason


def _named(table: pl.DataFrame, names: list[str | None]) -> pl.DataFrame:
    """Return a table with its columns named, each name once, without empty rows."""
    seen: dict[str, int] = {}
    unique = []
    for place, name in enumerate(names[: table.width]):
        text = name or f"column_{place}"
        seen[text] = seen.get(text, 0) + 1
        unique.append(text if seen[text] == 1 else f"{text}_{seen[text]}")
    renamed = table.rename(dict(zip(table.columns, unique, strict=False)))
    return renamed.filter(~pl.all_horizontal(pl.all().fill_null("").str.strip_chars() == ""))


def widest(path: str) -> pl.DataFrame:
    """Return the first sheet that can be a log, else the largest below its widest row, for whoever looks into it."""
    tables = _tables(path, _unpacked(path), Profile())
    try:
        return _the_one(path, tables, Profile())
    except LogError:
        table = max(tables.values(), key=pl.DataFrame.height.fget, default=pl.DataFrame())  # type: ignore[attr-defined]
    heads = [[cell for cell in row if cell] for row in table.head(_HEADER_ROWS).rows()]
    if not heads:
        raise LogError(f"{path}: the workbook is empty; there is nothing to judge in it")
    place = max(range(len(heads)), key=lambda n: (len(heads[n]), -n))
    return _named(table.slice(place + 1), list(table.row(place)))


def _recognises(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04") and (b"[Content_Types].xml" in head or b"xl/" in head)


FORMAT = Format("xlsx", (".xlsx", ".xlsm"), _recognises, _read)
