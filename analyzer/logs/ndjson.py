"""NDJSON: one JSON object a line, with the columns of a plain log as members.

Members may be missing; a line that is no JSON object is a reject (`bad-json`). Record
numbers count lines that are not empty from 1. Encodings are those of CSV.

## Example
```
{"vehicle_id": "S-1", "timestamp": "2026-03-02T10:00:00+09:00", "latitude": 35.19, "longitude": 126.82}
```
"""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import columns_of
from analyzer.logs._files import is_url
from analyzer.logs._format import NO_REJECTS, POLARS_FAILS, Format, Log, Part, PartSize, Plan, ReadOptions
from analyzer.logs._heading import (
    DIVISIBLE,
    as_utf8,
    confirmed_encoding,
    open_text,
    said_encoding,
    stated_encoding,
)
from analyzer.logs._json import column_of
from analyzer.logs._plain import Sheet, clean_text, log_of
from analyzer.logs._profile import Profile, fitting, load_profile
from analyzer.logs._ranges import parts_between, survey
from analyzer.logs._remarks import built_in

HEAD_BYTES = 1 << 16
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _plan(path: str, options: ReadOptions, size: PartSize) -> Plan:
    if is_url(path):
        raise LogError(f"{path}: NDJSON is read from files only; download it first")
    profile = load_profile(options.profile)
    encoding = stated_encoding(path, profile)
    if encoding is None or encoding in DIVISIBLE:
        found = survey(path, 0, size.text_bytes, None)
        encoding = confirmed_encoding(path, encoding, found)
        parts = parts_between(path, found.edges)
    else:
        parts = (Part(),)
    names = list(_members(path, encoding))
    columns_of(path, names, fitting(profile, names))
    return Plan(path, "ndjson", parts, encoding)


def _members(path: str, encoding: str) -> dict[str, Any]:
    """Return the members of the first objects of a file and their values, the first that is not null."""
    file, encoding = open_text(path, encoding)
    with file:
        head = file.read(HEAD_BYTES)
    if len(head) == HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    members: dict[str, Any] = {}
    for line in as_utf8(path, head, encoding).removeprefix(_BOM).splitlines():
        for name, value in (_object(line) or {}).items():
            if members.get(name) is None:
                members[name] = value
    if not members:
        raise LogError(f"{path}: not one line is a JSON object; is it NDJSON?")
    return members


def _read(plan: Plan, part: Part, options: ReadOptions) -> Log:
    members = _members(plan.path, plan.encoding)
    profile = fitting(load_profile(options.profile), members)
    file, encoding = open_text(plan.path, plan.encoding)
    with file:
        file.seek(part.start)
        data = file.read(-1 if part.stop is None else part.stop - part.start)
    data = as_utf8(plan.path, data, encoding, part.start)
    data = data.removeprefix(_BOM) if part.start == 0 else data
    sheet = _at_once(plan, data, members, profile) or _by_line(plan, data, members)
    remarks = (*said_encoding(plan.path, plan.encoding), *built_in(plan.path, profile.name))
    return log_of(replace(sheet, remarks=remarks), options, profile)


def _at_once(plan: Plan, data: bytes, members: dict[str, Any], profile: Profile) -> Sheet | None:
    """Return the table as polars reads it, null where reading line by line may give another."""
    wanted = columns_of(plan.path, list(members), profile)
    types = {name: _type(value) for name, value in members.items()}
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if any(types[name] is None for name in wanted.values()) or (b"\\" in data and _SURROGATE.search(data)):
        return None
    try:
        frame = pl.read_ndjson(data, schema={name: kind or pl.String for name, kind in types.items()})
        names = list(members) if _complete(frame, data) else _all_members(data, members)
    except POLARS_FAILS:
        return None
    if frame.height != lines or columns_of(plan.path, names, profile) != wanted:
        return None

    def rows(chosen: pl.Series) -> pl.DataFrame:
        found = data.split(b"\n")
        return _texts([_object(found[place]) or {} for place in chosen.arg_true()], list(members))

    return Sheet(plan.path, plan.format, frame.select(list(dict.fromkeys(wanted.values()))).rechunk(), raw=rows)


def _complete(frame: pl.DataFrame, data: bytes) -> bool:
    """Return whether every line plainly has the members of the table and no other: as many colons after quotes."""
    if any(frame.null_count().row(0)):
        return False
    signs = np.frombuffer(data, dtype=np.uint8)
    names = np.count_nonzero((signs[:-1] == ord('"')) & (signs[1:] == ord(":")))
    return bool(names == frame.height * frame.width)


def _all_members(data: bytes, members: Iterable[str]) -> list[str]:
    """Return the names of all members of some lines, the known ones first."""
    found = pl.scan_ndjson(data, infer_schema_length=None).collect_schema().names()
    return list(dict.fromkeys([*members, *found]))


def _type(value: object) -> Any:
    """Return the type of a column by its first value, null where polars would read it otherwise."""
    return {str: pl.String, float: pl.Float64, int: pl.Int64, type(None): pl.String}.get(type(value))


def _by_line(plan: Plan, data: bytes, members: Iterable[str]) -> Sheet:
    """Return the table read line by line: slow, but it names every line that is no object."""
    good: list[dict[str, object]] = []
    numbers: list[int] = []
    bad: list[tuple[int, str, str]] = []
    lines = filter(bytes.strip, data.split(b"\n"))
    for record, line in enumerate(lines, start=1):
        row = _object(line)
        if row is None:
            bad.append((record, "bad-json", clean_text(line.decode())))
        else:
            good.append(row)
            numbers.append(record)
    names = list(dict.fromkeys([*members, *(name for row in good for name in row)]))
    frame = pl.DataFrame({name: column_of([row.get(name) for row in good]) for name in names})
    rejects = pl.DataFrame(bad, schema=NO_REJECTS.schema, orient="row")

    def rows(chosen: pl.Series) -> pl.DataFrame:
        return _texts([good[place] for place in chosen.arg_true()], names)

    return Sheet(plan.path, plan.format, frame, pl.Series(numbers, dtype=pl.Int64), rejects, raw=rows)


def _texts(rows: list[dict[str, Any]], names: list[str]) -> pl.DataFrame:
    """Return members of some objects as texts, as they are written."""
    return pl.DataFrame({name: pl.Series([_written(row.get(name)) for row in rows], dtype=pl.String) for name in names})


def _written(value: object) -> str | None:
    """Return a value as its line writes it."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _object(line: bytes) -> dict[str, Any] | None:
    """Return the object of a line, of members of one name the first; null where it is none."""
    try:
        value = json.loads(line, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return dict(reversed(value.items())) if isinstance(value, dict) else None


def _recognises(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"{")


FORMAT = Format("ndjson", (".ndjson", ".jsonl"), _recognises, _read, _plan, unpacks=True, may_panic=True)
