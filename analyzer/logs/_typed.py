"""Typed tables, read lazily: only the columns that a plain log knows, row range by row range."""

from collections.abc import Callable
from itertools import pairwise

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._columns import columns_of
from analyzer.logs._format import POLARS_FAILS, Log, Part, PartSize, Plan, ReadOptions, bounds, refuse_unreadable
from analyzer.logs._plain import Sheet, log_of
from analyzer.logs._profile import fitting, load_profile
from analyzer.logs._remarks import built_in

Scan = Callable[[str], pl.LazyFrame]


def plan_typed(path: str, options: ReadOptions, size: PartSize, name: str, scan: Scan) -> Plan:
    """Return a typed table divided into row ranges, by what its metadata says."""
    profile = load_profile(options.profile)
    try:
        lazy = scan(path)
        names = lazy.collect_schema().names()
        columns_of(path, names, fitting(profile, names))
        count = int(lazy.select(pl.len()).collect().item())
    except (*POLARS_FAILS, OSError) as error:
        raise _unreadable(path, name, error) from error
    if not count:
        refuse_unreadable(path, 0, None)
    edges = bounds(0, count, size.records)
    return Plan(path, name, tuple(Part(low, high, high - low) for low, high in pairwise(edges)))


def read_typed(plan: Plan, part: Part, options: ReadOptions, scan: Scan) -> Log:
    """Return a part of a typed table."""
    profile = load_profile(options.profile)
    length = None if part.stop is None else part.stop - part.start
    try:
        lazy = scan(plan.path)
        names = lazy.collect_schema().names()
        profile = fitting(profile, names)
        columns = columns_of(plan.path, names, profile)
        frame = lazy.select(list(dict.fromkeys(columns.values()))).slice(part.start, length).collect()
    except (*POLARS_FAILS, OSError) as error:
        raise _unreadable(plan.path, plan.format, error) from error
    return log_of(
        Sheet(plan.path, plan.format, frame.rechunk(), remarks=built_in(plan.path, profile.name)), options, profile
    )


def _unreadable(path: str, name: str, error: BaseException) -> LogError:
    """Return the refusal of a table that polars cannot read."""
    panicked = isinstance(error, pl.exceptions.PanicException)
    reason = "its bytes make no sense" if panicked else str(error).splitlines()[0]
    return LogError(f"{path}: cannot be read as {name} ({reason}); was it cut off?")
