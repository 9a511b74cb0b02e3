"""TSV: a text table with a header line, separated by tabs; otherwise as CSV.

## Example
```
vehicle_id	timestamp_ms	latitude	longitude	speed_mps
SWEEPER-1	1772413200000	35.1916	126.8203	1.4
```
"""

from analyzer.logs._delimited import plan_delimited, read_delimited
from analyzer.logs._format import Format, Log, Part, PartSize, Plan, ReadOptions
from analyzer.logs._heading import is_text


def _plan(path: str, options: ReadOptions, size: PartSize) -> Plan:
    return plan_delimited(path, options, size, "tsv", "\t")


def _read(plan: Plan, part: Part, options: ReadOptions) -> Log:
    return read_delimited(plan, part, options, "\t")


FORMAT = Format("tsv", (".tsv", ".tab"), is_text, _read, _plan, unpacks=True, is_vague=True, may_panic=True)
