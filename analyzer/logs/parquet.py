"""Parquet: a typed table with the columns of a plain log; only known columns are read.

Times may be a timestamp with a time zone, ISO 8601 text, or numbers named
`timestamp_s/ms/us/ns`. Record numbers count rows from 1.

## Example
```
polars.read_csv("log.csv").write_parquet("log.parquet")
```
"""

import polars as pl

from analyzer.logs._format import Format, Log, Part, PartSize, Plan, ReadOptions
from analyzer.logs._typed import plan_typed, read_typed


def _scan(path: str) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False)


def _plan(path: str, options: ReadOptions, size: PartSize) -> Plan:
    return plan_typed(path, options, size, "parquet", _scan)


def _read(plan: Plan, part: Part, options: ReadOptions) -> Log:
    return read_typed(plan, part, options, _scan)


def _recognises(head: bytes) -> bool:
    return head.startswith(b"PAR1")


FORMAT = Format("parquet", (".parquet", ".pq"), _recognises, _read, _plan, may_panic=True)
