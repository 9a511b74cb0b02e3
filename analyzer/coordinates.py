"""Coordinates in metres are recognised by their range: which projected system they look like."""

_SYSTEMS = (
    ("EPSG:5179 (Korea 2000 / Unified, UTM-K)", 740_000, 1_400_000, 1_450_000, 2_100_000),
    ("EPSG:3857 (Web Mercator)", 13_800_000, 14_700_000, 3_800_000, 4_700_000),
    ("EPSG:32652 (WGS 84 / UTM zone 52N)", 150_000, 850_000, 3_600_000, 4_300_000),
    ("KATEC (no EPSG code)", 250_000, 360_000, 230_000, 620_000),
    ("EPSG:5186 (Korea 2000 / Central Belt 2010)", 100_000, 300_000, 250_000, 700_000),
    ("EPSG:5181, 5174 or 2097 (Korean Central Belts)", 100_000, 300_000, -60_000, 250_000),
)


def korean_crs_of(x: float, y: float) -> str | None:
    """Return the projected system that easting `x` and northing `y` (metres) look like, null if none.

    The ranges are those of South Korea. EPSG:5181, 5174 and 2097 lie within 400 m of each
    other and cannot be told apart by range; EPSG:5186 and the older belts overlap north of
    Daejeon: what is named is what to try first.
    """
    for name, west, east, south, north in _SYSTEMS:
        if west <= x <= east and south <= y <= north:
            return name
    return None
