"""Positions that are not yet degrees of WGS 84: metres of a declared system, whole numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from analyzer.errors import LogError
from analyzer.logs._numbers import MAJORITY

KATEC = (
    "+proj=tmerc +lat_0=38 +lon_0=128 +k=0.9999 +x_0=400000 +y_0=600000 +ellps=bessel +units=m "
    "+towgs84=-115.80,474.99,674.11,1.16,-2.31,-1.63,6.43 +no_defs"
)
"""The grid of Korean car navigation, which has no EPSG code; the shift is that of Korean 1985 (EPSG:4162)."""

_MOST_DEGREES = 360
KOREA = (124.0, 33.0, 132.0, 43.5)
"""Where there are roads in Korea: west, south, east, north."""
_NEAR, _NEAR_UTM = 0.5, 3.0
"""So many degrees beyond its area a system is still used; a zone of UTM also for its neighbours."""


def placed(path: str, measured: Mapping[str, pl.Series], position: Mapping[str, Any]) -> dict[str, pl.Series]:
    """Return longitude and latitude in degrees of WGS 84 where a profile says what they are, else nothing."""
    if "crs" in position:
        return _transformed(path, measured["longitude"], measured["latitude"], position["crs"])
    if "integer_scale" in position:
        return {name: _scaled(measured[name], position["integer_scale"]) for name in ("longitude", "latitude")}
    return {}


def _refuse_elsewhere(path: str, crs: str, source: Any, lon: Any, lat: Any) -> None:
    """Refuse positions most of which lie far from where a system is used: it is another, or its axes are swapped."""
    korean = source.area_of_use is None or source.name.startswith(("KGD2002", "Korean 1985"))
    west, south, east, north = KOREA if korean else source.area_of_use.bounds
    near = _NEAR_UTM if "UTM zone" in source.name else _NEAR
    inside = (lon >= west - near) & (lon <= east + near) & (lat >= south - near) & (lat <= north + near)
    if west < east and np.count_nonzero(inside) < MAJORITY * np.count_nonzero(~np.isnan(lon)):
        message = (
            f"{path}: read as {crs} its positions lie outside the area of that system; it is another, "
            "or longitude (easting) and latitude (northing) are exchanged in the profile"
        )
        raise LogError(message)


def _scaled(values: pl.Series, scale: float) -> pl.Series:
    """Return whole numbers divided; what can be degrees stays."""
    return values.zip_with(values.abs().fill_null(0) <= _MOST_DEGREES, values / scale)


def _transformed(path: str, easting: pl.Series, northing: pl.Series, crs: str) -> dict[str, pl.Series]:
    """Return degrees from metres of a system; null where a position has no image."""
    from pyproj import CRS, Transformer  # noqa: PLC0415 - heavy, and rarely needed
    from pyproj.exceptions import ProjError  # noqa: PLC0415

    try:
        source = CRS(KATEC if crs == "KATEC" else crs)
        transformer = Transformer.from_crs(source, "EPSG:4326", always_xy=True)
    except ProjError as error:
        raise LogError(f"{path}: the coordinate system {crs} of the profile is not known ({error})") from error
    if source.is_geocentric:
        raise LogError(f"{path}: {crs} is not a system of maps; say the one of the two columns")
    x, y = (values.cast(pl.Float64).fill_null(np.nan).to_numpy() for values in (easting, northing))
    lon, lat = transformer.transform(x, y)
    _refuse_elsewhere(path, crs, source, lon, lat)
    found = {"longitude": lon, "latitude": lat}
    return {name: pl.Series(np.where(np.isfinite(v), v, np.nan)).fill_nan(None) for name, v in found.items()}
