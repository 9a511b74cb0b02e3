"""Arrow IPC (Feather version 2): a typed table with the columns of a plain log.

As Parquet; the stream form of Arrow is not read.

## Example
```
polars.read_csv("log.csv").write_ipc("log.arrow")
```
"""

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._files import head_of, is_url
from analyzer.logs._format import Format, Log, Part, PartSize, Plan, ReadOptions
from analyzer.logs._typed import plan_typed, read_typed


def _scan(path: str) -> pl.LazyFrame:
    return pl.scan_ipc(path, glob=False)


def _plan(path: str, options: ReadOptions, size: PartSize) -> Plan:
    if not is_url(path):
        if not _recognises(head_of(path)):
            raise LogError(f"{path}: is no Arrow IPC file; where it is the stream form of Arrow, write it as a file")
        from analyzer.logs._arrow_sizes import refuse_growth  # noqa: PLC0415 - no other log needs it

        refuse_growth(path)
    return plan_typed(path, options, size, "arrow", _scan)


def _read(plan: Plan, part: Part, options: ReadOptions) -> Log:
    return read_typed(plan, part, options, _scan)


def _recognises(head: bytes) -> bool:
    return head.startswith(b"ARROW1")


FORMAT = Format("arrow", (".arrow", ".feather", ".ipc"), _recognises, _read, _plan, may_panic=True)
