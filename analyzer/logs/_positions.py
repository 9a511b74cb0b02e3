"""Positions of plain tables: whether they make sense as a whole, and record by record."""

import polars as pl

from analyzer.coordinates import korean_crs_of
from analyzer.errors import LogError
from analyzer.logs._numbers import MAJORITY, within

NO_FIX = "no_fix"
"""Where a log says so: records for which the receiver had no position."""


def sound_as_a_whole(typed: pl.DataFrame) -> bool:
    """Return whether it is plain without looking at single records that all positions are sound."""
    lon, lat = typed["longitude"], typed["latitude"]
    if not (within(lon, -180, 180) and within(lat, -90, 90)):
        return False
    return not (_may_be_zero(lon) and _may_be_zero(lat))


def _may_be_zero(values: pl.Series) -> bool:
    """Return whether zero lies within the values."""
    return bool(values.min() <= 0 <= values.max())  # type: ignore[operator]


def refuse_other_coordinates(path: str, typed: pl.DataFrame) -> None:
    """Refuse a log whose positions, as a whole, are swapped or not in degrees."""
    positions = typed.select("longitude", "latitude").drop_nulls()
    if positions.is_empty():
        return
    lon, lat = positions["longitude"], positions["latitude"]
    swapped = (lat.is_between(124, 132) & lon.is_between(33, 43.5)) | (
        (lat.abs() > 90) & (lat.abs() <= 180) & (lon.abs() <= 90)  # noqa: PLR2004
    )
    if _share(swapped) > MAJORITY:
        message = f"{path}: latitude and longitude are swapped; exchange the names of the two columns"
        raise LogError(message)
    beyond = (lat.abs() > 180) | (lon.abs() > 360)  # noqa: PLR2004
    if _share(beyond) > MAJORITY:
        raise LogError(f"{path}: positions are not degrees: {_looks(_middle(lon), _middle(lat))}")


def _looks(x: float, y: float) -> str:
    """Return what coordinates in metres look like, and what to do about it."""
    crs, swapped = korean_crs_of(x, y), korean_crs_of(y, x)
    advice = "transform them to WGS 84 (EPSG:4326)"
    if crs is None and swapped is None:
        return advice
    columns = "" if crs else " with the two columns exchanged"
    code = str(crs or swapped).split(" ")[0].rstrip(",")
    return (
        f"they look like {crs or swapped}{columns}; {advice}, or, where whoever made the log says so, declare "
        f'crs = "{code}" in a profile; a system on the Bessel ellipsoid (5174, 2097, KATEC) taken for one on GRS 80 '
        "is 300 to 400 m off, and no range shows it"
    )


def _share(mask: pl.Series) -> float:
    """Return the share of true values."""
    return float(mask.sum()) / max(len(mask), 1)


def _middle(values: pl.Series) -> float:
    """Return the median of numbers."""
    return float(values.quantile(0.5) or 0)


def reasons_of(typed: pl.DataFrame) -> pl.Series:
    """Return why each record cannot become a fix, null where it can."""
    lon, lat = pl.col("longitude"), pl.col("latitude")
    sound = lon.is_between(-180, 180) & lat.is_between(-90, 90) & ~((lon == 0) & (lat == 0))
    tests = {
        "no-vehicle": pl.col("vehicle_id").is_null(),
        "bad-time": pl.col("time").is_null(),
        "no-fix": pl.col(NO_FIX) if NO_FIX in typed.columns else pl.lit(False),
        "bad-position": ~sound.fill_null(value=False),
    }
    reason = pl.coalesce(pl.when(test).then(pl.lit(name)) for name, test in tests.items())
    return typed.select(reason.alias("reason"))["reason"]
