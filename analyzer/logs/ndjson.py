"""NDJSON: one JSON object a line, with the columns of a plain log as members.

Members may be missing; a line that is no JSON object is a reject (`bad-json`). Record
numbers count lines that are not empty from 1.

## Example
```
{"vehicle_id": "S-1", "timestamp": "2026-03-02T10:00:00+09:00", "latitude": 35.19, "longitude": 126.82}
```
"""

import json
from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._format import NO_REJECTS, Format, Log, ReadOptions
from analyzer.logs._plain import Sheet, clean_text, log_of


def _read(path: str, options: ReadOptions) -> Log:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LogError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8") from error
    good: list[dict[str, object]] = []
    bad: list[tuple[int, str, str]] = []
    for record, line in enumerate((ln for ln in text.splitlines() if ln.strip()), start=1):
        row = _object(line)
        if row is None:
            bad.append((record, "bad-json", clean_text(line)))
        else:
            good.append({**row, "record": record})
    if not good:
        raise LogError(f"{path}: not one line is a JSON object; is it NDJSON?")
    names = list(dict.fromkeys(name for row in good for name in row))
    columns = {name: _column([row.get(name) for row in good]) for name in names}
    rejects = pl.DataFrame(bad, schema=NO_REJECTS.schema, orient="row")
    return log_of(Sheet(path, "ndjson", pl.DataFrame(columns), rejects), options)


def _object(line: str) -> dict[str, object] | None:
    """Return the object of a line, null where it is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _column(values: list[object]) -> pl.Series:
    """Return numbers as numbers; anything mixed as text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int}:
        try:
            return pl.Series(values, dtype=pl.Int64)
        except OverflowError:
            kinds = {str}
    if kinds <= {int, float}:
        return pl.Series([None if v is None else float(str(v)) for v in values], dtype=pl.Float64)
    texts = [None if v is None else v if isinstance(v, str) else json.dumps(v) for v in values]
    return pl.Series(texts, dtype=pl.String)


def _recognises(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


FORMAT = Format("ndjson", (".ndjson", ".jsonl"), _recognises, _read)
