"""Areas are those of the ellipsoid with edges straight in degrees; what is no ring of positions is refused."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from analyzer.errors import ZoneSetError
from analyzer.zone_loading import load_zone_set
from analyzer.zone_outlines import area_km2

RULES = 'schema = 1\ntimezone = "Asia/Seoul"\n'
SQUARE = [[126.8, 35.1], [126.9, 35.1], [126.9, 35.2], [126.8, 35.2], [126.8, 35.1]]
HOLE = [[126.82, 35.12], [126.83, 35.12], [126.83, 35.13], [126.82, 35.13], [126.82, 35.12]]


def geodesic_km2(geometry, size):
    """By PROJ; short edges, because a geodesic leaves the straight line in degrees."""
    fine = shapely.segmentize(shapely.orient_polygons(geometry), size / 400)
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(fine)[0]) / 1e6


@given(seed=st.integers(0, 10**6), latitude=st.floats(-80, 80), size=st.sampled_from([0.001, 0.01, 0.2]))
def test_areas_are_those_of_the_ellipsoid(seed, latitude, size):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
    ring = np.column_stack([127 + size * np.cos(angle), latitude + size * np.sin(angle)])
    zone = shapely.Polygon(ring)
    holed = zone.difference(shapely.affinity.scale(zone, 0.2, 0.2))
    for geometry in (zone, holed):
        if geometry.is_valid and geometry.area > size**2 / 100:
            assert area_km2(geometry) == pytest.approx(geodesic_km2(geometry, size), rel=1e-6)


def zone_set(tmp_path, geometry):
    feature = {"type": "Feature", "properties": {"zone_id": "a"}, "geometry": geometry}
    document = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "zones.geojson").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "ring",
    [
        [[126.8, None], *SQUARE[1:4]],
        [[126.8, float("nan")], *SQUARE[1:4]],
        [[126.8, float("inf")], *SQUARE[1:4]],
        [[126.8, "north"], *SQUARE[1:4]],
        [[126.8, [35.1]], *SQUARE[1:4]],
        [[126.8], *SQUARE[1:4]],
        [[126.8, 35.1, 0.0], *SQUARE[1:4]],
        [[*position, 0, 0] for position in SQUARE],
        ["12", "34", "56"],
        [126.8, 35.1, 126.9],
        [{"x": 1, "y": 2}] * 4,
        "ring",
        [],
    ],
)
def test_what_is_no_ring_of_positions_is_refused(tmp_path, ring):
    for kind, coordinates in (("Polygon", [ring]), ("MultiPolygon", [[SQUARE], [ring]]), ("Polygon", [SQUARE, ring])):
        with pytest.raises(ZoneSetError):
            load_zone_set(zone_set(tmp_path, {"type": kind, "coordinates": coordinates}))


@pytest.mark.parametrize("coordinates", [1, {}, [], [1], [[]], [[[]]]])
def test_what_is_no_list_of_rings_is_refused(tmp_path, coordinates):
    with pytest.raises(ZoneSetError):
        load_zone_set(zone_set(tmp_path, {"type": "MultiPolygon", "coordinates": coordinates}))


def test_heights_are_left_out_and_rings_are_repaired(tmp_path):
    high = [[*position, 30.5] for position in SQUARE]
    turned = {"type": "MultiPolygon", "coordinates": [[high[:-1][::-1], HOLE]]}
    zones = load_zone_set(zone_set(tmp_path, turned))
    zone = zones.zones[0]
    assert zone.geometry.equals(shapely.Polygon(SQUARE, [HOLE]))
    assert zone.geometry.geom_type == "MultiPolygon"
    assert not zone.geometry.has_z
    assert "ring-repaired" in [notice.code for notice in zones.notices]
    assert zone.vertices == 8
