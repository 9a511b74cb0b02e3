"""Tables of text with a delimiter: encoding, header, and lines that do not fit it."""

import codecs
import csv
import io
from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._format import NO_REJECTS, Log, ReadOptions
from analyzer.logs._plain import Sheet, clean_text, log_of
from analyzer.logs._profile import Profile, load_profile
from analyzer.terms import Notice

_BINARY = bytes({*range(9), *range(14, 27), *range(28, 32)})
_SEPARATORS = ",;\t|"
PIECE_BYTES = 1 << 22
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_text(head: bytes) -> bool:
    """Return whether the first bytes of a file can be text."""
    return head.startswith(_UTF16) or not any(byte in _BINARY for byte in head)


def read_delimited(path: str, options: ReadOptions, name: str, separator: str | None) -> Log:
    """Return the log of a delimited file; `separator` null means: the one its header uses."""
    profile = load_profile(options.profile)
    source, notices = _source(path, profile)
    given = profile.read.get("delimiter") or separator
    header = _first_line(source)
    used = given if given and (given in header or separator is None) else _separator(header)
    columns = profile.read.get("columns")
    frame, rejects = _frame(path, source, used, columns)
    sheet = Sheet(path, name, frame, rejects, tuple(notices))
    return log_of(sheet, options, profile)


def _source(path: str, profile: Profile) -> tuple[str | bytes, list[Notice]]:
    """Return what polars shall read: the path of a UTF-8 file (or a URL), else its text as UTF-8."""
    if "://" in path:
        return path, []
    encoding = profile.read.get("encoding") or _encoding(path)
    if encoding == "utf-8":
        return path, []
    try:
        text = Path(path).read_text(encoding=encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise LogError(f"{path}: cannot be read as {encoding} ({error}); save it as UTF-8") from error
    notice = Notice(
        "encoding",
        path,
        f"{path}: UTF-8이 아니라 {encoding}(으)로 읽었습니다.",
        f"{path}: is not UTF-8; it was read as {encoding}.",
    )
    return text.encode(), [notice]


def _encoding(path: str) -> str:
    """Return the encoding of a text: UTF-8, UTF-16 by its mark, else cp949 (Korean Windows)."""
    with Path(path).open("rb") as file:
        head = file.read(4096)
    if not is_text(head):
        raise LogError(f"{path}: this is binary data, not a text table; was it renamed?")
    if head.startswith(_UTF16):
        return "utf-16"
    for encoding in ("utf-8", "cp949"):
        if _decodes(path, encoding):
            return encoding
    raise LogError(f"{path}: is neither UTF-8 nor cp949 text; save it as UTF-8")


def _decodes(path: str, encoding: str) -> bool:
    """Return whether the whole file is text in an encoding, read piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with Path(path).open("rb") as file:
        try:
            while piece := file.read(PIECE_BYTES):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _first_line(source: str | bytes) -> str:
    """Return the header line; of a URL nothing is known yet."""
    if isinstance(source, bytes):
        return source.split(b"\n", 1)[0].decode("utf-8", "replace")
    if "://" in source:
        return ""
    with Path(source).open(encoding="utf-8-sig") as file:
        return file.readline(PIECE_BYTES)


def _separator(header: str) -> str:
    """Return the separator that the header uses most."""
    return max(_SEPARATORS, key=header.count)


def _frame(
    path: str, source: str | bytes, separator: str, columns: list[str] | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the table with `record`, and the lines that do not fit its header as rejects."""
    data = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        frame = pl.read_csv(
            data,
            separator=separator,
            infer_schema=False,
            has_header=columns is None,
            new_columns=columns,
            glob=False,
        )
    except pl.exceptions.NoDataError:
        raise LogError(f"{path}: the file is empty; there is nothing to judge in it") from None
    except (pl.exceptions.ComputeError, pl.exceptions.PolarsError) as error:
        if "://" in path:
            raise LogError(f"{path}: cannot be read as a table ({error})") from error
        text = Path(path).read_text(encoding="utf-8-sig") if isinstance(source, str) else source.decode("utf-8-sig")
        return _frame_by_line(path, text, separator, columns)
    return frame.with_columns(record=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)), NO_REJECTS


def _frame_by_line(
    path: str, text: str, separator: str, columns: list[str] | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the table read line by line: slow, but it names every line that does not fit."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    good, bad = [], []
    try:
        names = columns or next(reader)
        for record, row in enumerate((r for r in reader if r), start=1):
            if len(row) > len(names):
                bad.append((record, "ragged-line", clean_text(separator.join(row))))
            else:
                good.append((*row, *[None] * (len(names) - len(row)), record))
    except (csv.Error, StopIteration) as error:
        raise LogError(f"{path}: cannot be read as a table ({error})") from error
    if len(set(names)) != len(names):
        raise LogError(f"{path}: two columns have the same name; rename one")
    schema = {**dict.fromkeys(names, pl.String), "record": pl.Int64}
    frame = pl.DataFrame(good, schema=schema, orient="row")
    return frame, pl.DataFrame(bad, schema=NO_REJECTS.schema, orient="row")
