"""JSON: an array of objects, or an object with one such array, as the records of a plain log.

Members are the columns of a plain log, by the same names and with the same profile; members
of objects within a record are called `outer.inner`. Which kind of JSON a file holds (this,
GeoJSON, ArcGIS JSON, Moving Features, MDS) is told by its content, whatever its suffix;
lines of one object each are read as NDJSON.

It may be packed by gzip or Zstandard. Encoding is UTF-8, UTF-16 or UTF-32 with a mark, or cp949
(a notice says so). Of a member that one object says twice with two values nobody knows which
holds: it counts as not said, and a remark counts it. Times that are numbers are told
by their size, as in GeoJSON. An element that is no object is a reject (`bad-json`). Records that
are all written alike are read block by block; other arrays, and documents of other kinds, take
some ten times their size in memory. Refused: documents of more than 1 GiB (write NDJSON), deep
nesting, brackets with little between them, a list of vehicles (a fleet).

## Example
```
[{"vehicle_id": "S-1", "timestamp": "2026-03-02T10:00:00+09:00", "latitude": 35.19, "longitude": 126.82}]
```
"""

import json

from analyzer.logs import ndjson
from analyzer.logs._documents import read_document
from analyzer.logs._files import is_url
from analyzer.logs._format import Format, PartSize, Plan, ReadOptions
from analyzer.logs._heading import UTF16
from analyzer.logs._packed import open_bytes


def _plan(path: str, options: ReadOptions, size: PartSize) -> Plan:
    if not is_url(path) and ndjson.FORMAT.plan and _has_lines_of_objects(path):
        return ndjson.FORMAT.plan(path, options, size)
    return Plan(path, "json")


def _has_lines_of_objects(path: str) -> bool:
    """Return whether the first line is an object of its own, and another follows."""
    with open_bytes(path) as file:
        head = file.read(1 << 16)
    text = head.decode("utf-16" if head.startswith(UTF16) else "utf-8-sig", "replace")
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    try:
        return len(lines) > 1 and lines[1].startswith("{") and isinstance(json.loads(lines[0]), dict)
    except (ValueError, RecursionError):
        return False


def _recognises(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith((b"{", b"["))


FORMAT = Format("json", (".json",), _recognises, read_document, _plan, may_panic=True, unpacks=True)
