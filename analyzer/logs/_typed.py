"""Typed tables, read lazily: only the columns that a plain log knows."""

from collections.abc import Callable

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import columns_of
from analyzer.logs._format import Log, ReadOptions
from analyzer.logs._plain import Sheet, log_of
from analyzer.logs._profile import load_profile

Scan = Callable[[str], pl.LazyFrame]


def read_typed(path: str, options: ReadOptions, name: str, scan: Scan) -> Log:
    """Return the log of a typed table."""
    profile = load_profile(options.profile)
    try:
        lazy = scan(path)
        names = lazy.collect_schema().names()
        columns = columns_of(path, names, profile)
        frame = lazy.select(list(dict.fromkeys(columns.values()))).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0]
        raise LogError(f"{path}: cannot be read as {name} ({first}); was it cut off?") from error
    numbered = frame.with_columns(record=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    return log_of(Sheet(path, name, numbered), options, profile)
