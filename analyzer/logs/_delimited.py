"""Tables of text with a delimiter, read in ranges of bytes that end at line ends."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from analyzer.errors import LogError
from analyzer.logs._by_line import read_by_line
from analyzer.logs._columns import ON_REQUEST, TIMES, columns_of
from analyzer.logs._files import is_url
from analyzer.logs._format import POLARS_FAILS, Log, Part, PartSize, Plan, ReadOptions, refuse_unreadable
from analyzer.logs._heading import (
    DIVISIBLE,
    MOST_COLUMNS,
    Heading,
    as_utf8,
    confirmed_encoding,
    heading_of,
    open_text,
    said_encoding,
    stated_encoding,
)
from analyzer.logs._plain import NUMBERS, Sheet, log_of
from analyzer.logs._profile import Profile, fitting, load_profile
from analyzer.logs._ranges import parts_between, survey
from analyzer.logs._remarks import Remark, built_in

_QUOTE = b'"'
_BLANK_LINES = re.compile(rb"\n(?:\r?\n)+")
_SAMPLE_BYTES = 1 << 12
Types = Mapping[str, Any]


def plan_delimited(path: str, options: ReadOptions, size: PartSize, name: str, separator: str) -> Plan:
    """Return a text table divided into ranges of bytes; LogError where it cannot be a log."""
    profile = load_profile(options.profile)
    if is_url(path):
        return Plan(path, name)
    encoding = stated_encoding(path, profile)
    start = heading_of(path, encoding or "iso8859-1", profile, separator).start
    if encoding is None or encoding in DIVISIBLE:
        found = survey(path, start, size.text_bytes, _QUOTE)
        if found.is_open:  # whatever comes after that quote is lines all the same
            found = survey(path, start, size.text_bytes, None)
        encoding = confirmed_encoding(path, encoding, found)
        parts = parts_between(path, found.edges)
    else:
        parts = (Part(start),)
    names = heading_of(path, encoding, profile, separator).names
    columns_of(path, names, fitting(profile, names))
    if parts[-1].stop == start:
        refuse_unreadable(path, 0, None)
    return Plan(path, name, parts, encoding)


def read_delimited(plan: Plan, part: Part, options: ReadOptions, separator: str) -> Log:
    """Return the log of a part of a delimited text."""
    profile = load_profile(options.profile)
    if is_url(plan.path):
        sheet = _remote(plan, profile, separator)
        profile = fitting(profile, sheet.frame.columns)
        return log_of(replace(sheet, remarks=built_in(plan.path, profile.name)), options, profile)
    heading = heading_of(plan.path, plan.encoding, profile, separator)
    profile = fitting(profile, heading.names)
    text = _Text(plan, heading, _bytes_of(plan, part, heading))
    return log_of(text.sheet(profile), options, profile)


def _remote(plan: Plan, profile: Profile, separator: str) -> Sheet:
    """Return the whole table of a URL, as text."""
    columns = profile.read.get("columns")
    given = profile.read.get("delimiter") or separator
    try:
        frame = pl.read_csv(
            plan.path,
            separator=given,
            infer_schema=False,
            has_header=columns is None,
            new_columns=columns,
            skip_lines=profile.read.get("skip_rows", 0),
        )
    except POLARS_FAILS as error:
        raise LogError(f"{plan.path}: cannot be read as a table ({error})") from error
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise LogError(f"{plan.path}: cannot be fetched ({reason}); check the address, or download it") from error
    return Sheet(plan.path, plan.format, frame)


def _bytes_of(plan: Plan, part: Part, heading: Heading) -> bytes:
    """Return the bytes of a part, without the header, as UTF-8."""
    start = max(part.start, heading.start)
    file, encoding = open_text(plan.path, plan.encoding)
    with file:
        file.seek(start)
        data = file.read(-1 if part.stop is None else part.stop - start)
    return as_utf8(plan.path, data, encoding, start)


@dataclass
class _Text:
    """The lines of one part and how to read them."""

    plan: Plan
    heading: Heading
    data: bytes

    def sheet(self, profile: Profile) -> Sheet:
        """Return the table of the part."""
        columns = columns_of(self.plan.path, self.heading.names, profile)
        remarks = (*said_encoding(self.plan.path, self.plan.encoding), *built_in(self.plan.path, profile.name))
        make = partial(Sheet, self.plan.path, self.plan.format, remarks=remarks)
        try:
            frame, typed = self._frame(columns, decimal_comma=profile.read.get("decimal") == ",")
        except POLARS_FAILS:
            frame, record, rejects = self._by_line()
            swallowed = self._swallowed(frame.height + rejects.height)
            if not swallowed:
                return make(frame, record=record, rejects=rejects)
        else:
            swallowed = self._swallowed(frame.height)
            if not swallowed:
                return make(frame, raw=self._raw(list(frame.columns)) if typed else None)
        frame, record, rejects = self._by_line(each=True)
        said = Remark("open-quote", self.plan.path, swallowed)
        return make(frame, record=record, rejects=rejects, remarks=(*remarks, said))

    def _by_line(self, *, each: bool = False) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
        """Return the rows, their numbers, and the lines that do not fit, read line by line."""
        text = self.data.decode()
        return read_by_line(self.plan.path, text, self.heading.separator, self.heading.names, each=each)

    def _swallowed(self, found: int) -> int:
        """Return how many lines a quote has swallowed, where fewer rows than lines were found."""
        return self._lines_in_quotes() if _QUOTE in self.data and found < self.data.count(b"\n") else 0

    def _lines_in_quotes(self) -> int:
        """Return how many lines begin inside quotes and have as many fields as a record: a quote has swallowed them."""
        signs = np.frombuffer(self.data, dtype=np.uint8)
        begins = np.flatnonzero(signs == ord("\n")) + 1
        inside = begins[np.searchsorted(np.flatnonzero(signs == ord(_QUOTE)), begins) % 2 == 1].tolist()
        separator, usual = self.heading.separator.encode(), len(self.heading.names) - 1
        ends = ((begin, self.data.find(b"\n", begin)) for begin in inside)
        return sum(self.data.count(separator, begin, end if end >= 0 else None) == usual for begin, end in ends)

    def _frame(self, columns: Mapping[str, str], *, decimal_comma: bool) -> tuple[pl.DataFrame, bool]:
        """Return the columns that are needed, and whether numbers in them are numbers already."""
        wanted = list(dict.fromkeys(columns.values()))
        types = {} if decimal_comma else self._types(columns)
        try:
            frame = self._parsed(self.data, wanted, types)
        except POLARS_FAILS:
            frame, types = self._parsed(self.data, wanted, {}), {}
        if _holds_empty_rows(frame) and (data := _without_blank_lines(self.data)) != self.data:
            self.data = data
            frame = self._parsed(self.data, wanted, types)
        return frame, bool(types)

    def _types(self, columns: Mapping[str, str]) -> Types:
        """Return the columns to read as numbers at once; one that is no number makes all of them text again."""
        types: dict[str, Any] = {columns[name]: pl.Float64 for name in NUMBERS if name in columns}
        types = {name: kind for name, kind in types.items() if name not in {columns.get(n) for n in ON_REQUEST}}
        kind = next(name for name in TIMES if name in columns)
        time = self._type_of_time(kind, columns[kind])
        return types if time is None else types | {columns[kind]: time}

    def _type_of_time(self, kind: str, column: str) -> Any:
        """Return the type of a column of numbers since 1970 by its first value, null for text."""
        sample = self.data[:_SAMPLE_BYTES].split(b"\n", 1)[0]
        if kind == "timestamp" or not sample:
            return None
        try:
            values = self._parsed(sample, [column], {})[column].to_list()
        except POLARS_FAILS:
            return None
        first = str(*values[:1])
        if re.fullmatch(r"\d+", first):
            return pl.Int64
        return pl.Float64 if kind != "timestamp_ns" and re.fullmatch(r"\d+\.\d+", first) else None

    def _parsed(self, data: bytes, wanted: list[str], types: Types) -> pl.DataFrame:
        """Return columns of lines without a header.

        All are parsed: polars sees only then that a line has too many fields.
        """
        separator, names = self.heading.separator, self.heading.names
        schema = {name: types.get(name, pl.String) for name in names}
        if not data:
            return pl.DataFrame(schema={name: schema[name] for name in wanted})
        if data[: data.find(b"\n")].count(separator.encode()) > MOST_COLUMNS:  # polars gives each a column first
            raise pl.exceptions.ComputeError
        try:
            frame = pl.read_csv(data, has_header=False, separator=separator, schema=schema)
        except pl.exceptions.SchemaError:  # the first line is shorter than the others, or longer
            frame = pl.read_csv(self.heading.header + data, separator=separator, schema=schema)
        return frame.select(wanted).rechunk()

    def _raw(self, wanted: list[str]) -> Callable[[pl.Series], pl.DataFrame]:
        """Return how to get rows as they are written."""

        def rows(chosen: pl.Series) -> pl.DataFrame:
            lines = _lines(self.data, chosen)
            if lines is None:
                return self._parsed(self.data, wanted, {}).filter(chosen)
            return self._parsed(lines, wanted, {})

        return rows


def _holds_empty_rows(frame: pl.DataFrame) -> bool:
    """Return whether a row says nothing in any column: it may be a blank line."""
    if not all(frame.null_count().row(0)):
        return False
    return bool(frame.select(pl.all_horizontal(pl.all().is_null()).any()).item())


def _without_blank_lines(data: bytes) -> bytes:
    """Return lines without the blank ones; what is inside quotes stays."""
    pieces = (b"\n" + data).split(_QUOTE)
    pieces[::2] = [_BLANK_LINES.sub(b"\n", piece) for piece in pieces[::2]]
    return _QUOTE.join(pieces).removeprefix(b"\n")


def _lines(data: bytes, chosen: pl.Series) -> bytes | None:
    """Return the chosen lines, null where a line may be more than one row or less."""
    if _QUOTE in data:
        return None
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    if len(ends) != len(chosen):
        return None
    starts = np.concatenate([[0], ends[:-1]])
    return b"".join(data[starts[i] : ends[i]] for i in chosen.arg_true())
