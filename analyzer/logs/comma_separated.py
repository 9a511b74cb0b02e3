"""CSV: a text table with a header line, separated by commas (or semicolons, tabs, bars).

Encoding is UTF-8 (with or without a byte order mark), UTF-16 with a mark, or cp949, as
Korean Windows writes it: then a notice says so. Record numbers count the records below
the header from 1; a blank line is none. A line with more fields than the header is a
reject (`ragged-line`); a missing field is null. A quote that is never closed ends with its
line, which a notice says.

## Example
```
vehicle_id,timestamp,latitude,longitude,speed_kph,control_mode,operator
SWEEPER-1,2026-03-02T10:00:00+09:00,35.1916,126.8203,5.2,autonomous,remote
SWEEPER-1,2026-03-02T10:00:01+09:00,35.1916,126.8204,5.3,autonomous,remote
```
"""

from analyzer.logs._delimited import plan_delimited, read_delimited
from analyzer.logs._format import Format, Log, Part, PartSize, Plan, ReadOptions
from analyzer.logs._heading import is_text


def _plan(path: str, options: ReadOptions, size: PartSize) -> Plan:
    return plan_delimited(path, options, size, "csv", ",")


def _read(plan: Plan, part: Part, options: ReadOptions) -> Log:
    return read_delimited(plan, part, options, ",")


FORMAT = Format("csv", (".csv", ".txt", ".psv"), is_text, _read, _plan, unpacks=True, is_vague=True, may_panic=True)
