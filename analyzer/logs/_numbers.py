"""Columns of numbers, judged by a few passes over all values instead of one by one."""

import polars as pl

MAJORITY = 0.5
"""More than this share of the records of a part tells what its column is."""


def within(values: pl.Series, low: float, high: float) -> bool:
    """Return whether all values are numbers from `low` to `high`; false where there are none."""
    if values.null_count() or values.is_empty():
        return False
    smallest, largest, total = values.min(), values.max(), values.sum()
    return bool(low <= smallest and largest <= high and total == total)  # type: ignore[operator]  # noqa: PLR0124 - NaN


def with_point(column: pl.Series) -> pl.Series:
    """Return texts of numbers with a decimal comma as such with a point, null where a point may be either."""
    if column.dtype != pl.String:
        return column
    text = pl.col(column.name)
    comma, point = text.str.contains(",", literal=True), text.str.contains(".", literal=True)
    grouped = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return column.to_frame().select(pl.when(comma).then(grouped).when(~point).then(text))[column.name]


def numbers(column: pl.Series) -> pl.Series:
    """Return floats; what is no number is null."""
    if column.dtype == pl.Float64:
        return column
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    return column.cast(pl.Float64, strict=False)
