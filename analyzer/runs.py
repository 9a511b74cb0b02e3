"""Runs of equal values in a column."""

import polars as pl


def changed(column: pl.Series) -> pl.Series:
    """Return (one fewer than values) whether each value but the first differs from the one before; nulls are alike."""
    following, before = column.slice(1), column.head(max(len(column) - 1, 0))
    # Where nothing is null the plain comparison says the same, sooner.
    return following.ne_missing(before) if column.null_count() else following != before
