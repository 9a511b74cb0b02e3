"""Times that are days, as Excel counts them: how they are recognised, how coarse they are, what they mean."""

import re

import polars as pl

from analyzer.logs._numbers import MAJORITY
from analyzer.logs._remarks import Remark

EXCEL = "excel"
"""The format of times that are days since 1899-12-30, as Excel counts them."""
SPAN_EXCEL = (32_874.0, 73_051.0)
"""Days of 1990 to 2100."""
_EXCEL_ZERO_DAYS, _DAY_MS = 25_569, 86_400_000
_FINE_DECIMALS = 7
"""So many decimals of a day are steps of 9 ms."""


def local_of(days: pl.Series, earliest_us: int, latest_us: int) -> pl.Series:
    """Return local times to the millisecond, null where they do not lie between two (microseconds since 1970)."""
    millis = ((days - _EXCEL_ZERO_DAYS) * _DAY_MS).round()
    sound = (millis * 1000).is_between(earliest_us, latest_us)
    return millis.set(~sound.fill_null(value=False), None).cast(pl.Int64).cast(pl.Datetime("ms"))


def coarse_days(path: str, days: pl.Series) -> list[Remark]:
    """Tell how coarse times are that are written as days, where that can be seen: in texts of few decimals."""
    if days.dtype != pl.String:
        return []
    decimals = days.str.extract(r"[.,](\d+)\s*$").str.len_bytes().max()
    if decimals is None or decimals >= _FINE_DECIMALS:  # type: ignore[operator]
        return []
    return [Remark("coarse-days", path, words=(f"{86_400 / 10**decimals:.2g}",))]  # type: ignore[operator]


def are_days(numbers: pl.Series) -> bool:
    """Return whether most numbers can be days of 1990 to 2100 as Excel counts them."""
    return bool(numbers.is_between(*SPAN_EXCEL).sum() > MAJORITY * max(len(numbers), 1))


def looks_like_days(column: pl.Series) -> bool:
    """Return whether most texts are days as Excel counts them, looking at all only where the first is one."""
    place = column.is_not_null().arg_max()
    first = "" if place is None else column[place] or ""
    if not re.fullmatch(r"\s*\d{5}([.,]\d+)?\s*", first):
        return False
    return are_days(column.str.strip_chars().str.replace(",", ".", literal=True).cast(pl.Float64, strict=False))


def days_not_said(path: str, name: str) -> str:
    """Return what to say of numbers that are days as Excel counts them, as far as their size tells."""
    return (
        f"{path}: column {name!r} holds numbers that look like days as Excel counts them (1.5 is noon of "
        f'1899-12-31); if they are, say so in a profile (--profile): [columns] timestamp = "{name}", '
        '[time] format = "excel", [fixed] timezone = "Asia/Seoul"'
    )
