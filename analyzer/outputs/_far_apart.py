"""Places that lie so far apart that a drawing of all of them shows none."""

import numpy as np
import polars as pl
import shapely

from analyzer.results import Analysis

NEAR_DEG = 0.25
"""Tracks within about 50 km of each other are one place."""

MOST_PLACES = 6


def places_apart(analysis: Analysis) -> list[tuple[float, float, float, float]]:
    """Return west, south, east, north of each place that was driven in, from west to east; none where there is one.

    A zone belongs to the place that it touches.
    """
    seen = analysis.tracks.filter(pl.col("verdict") != "not_observed")  # holes may lead anywhere
    if seen.is_empty():
        return []
    lists = seen["longitude"].list, seen["latitude"].list
    driven = shapely.box(*(side.to_numpy() for side in (*(n.min() for n in lists), *(n.max() for n in lists))))
    around = shapely.get_parts(shapely.union_all(shapely.buffer(driven, NEAR_DEG)))
    zones = [zone.geometry for zone in analysis.zone_set.zones]
    boxes = [_box(place, driven, zones) for place in around]
    return sorted(boxes)[:MOST_PLACES] if len(boxes) > 1 else []


def _box(
    place: shapely.Geometry, driven: np.ndarray, zones: list[shapely.Geometry]
) -> tuple[float, float, float, float]:
    """Return the bounds of the tracks and zones of one place."""
    own = [shape for shape in [*driven, *zones] if shapely.intersects(place, shape)]
    west, south, east, north = (float(side) for side in shapely.total_bounds(own))
    return west, south, east, north
