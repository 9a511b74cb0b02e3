"""The grid never disagrees with GEOS, and distances are those of the geodesic."""

from unittest import mock

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from analyzer import edge_trees
from analyzer.borders import Border
from analyzer.crossings import memberships
from analyzer.edge_trees import EdgeTrees
from analyzer.edges import Edges
from analyzer.membership import ZoneIndex

SEEDS = st.integers(0, 10**6)


def random_zones(rng, count=4):
    zones = []
    for _ in range(count):
        x, y = rng.uniform(126.79, 126.81), rng.uniform(35.145, 35.155)
        n = int(rng.integers(3, 40))
        angle = np.sort(rng.uniform(0, 2 * np.pi, n))
        radius = rng.uniform(0.0005, 0.006, n)
        zone = shapely.make_valid(
            shapely.polygons(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
        )
        polygons = [g for g in shapely.get_parts(zone) if g.geom_type == "Polygon"]
        zones.append(shapely.multipolygons(polygons) if len(polygons) > 1 else polygons[0])
    return tuple(zones)


def adversarial_points(rng, zones):
    """Vertices, a step of the last bit beside them, points on edges, on cell lines, far away."""
    corners = np.concatenate([shapely.get_coordinates(zone) for zone in zones])
    middles = (corners[:-1] + corners[1:]) / 2
    near = [np.nextafter(corners, np.inf), np.nextafter(corners, -np.inf)]
    spread = rng.uniform([126.78, 35.135], [126.82, 35.165], (400, 2))
    return np.concatenate([corners, middles, *near, spread, spread + 10])


@settings(max_examples=30)
@given(seed=SEEDS)
def test_membership_equals_covers(seed):
    rng = np.random.default_rng(seed)
    zones = random_zones(rng)
    index = ZoneIndex(zones)
    points = adversarial_points(rng, zones)
    numbers = index.combination_of(*points.T)
    found = index.combinations.matrix()[numbers]
    for number, zone in enumerate(zones):
        assert (found[:, number] == shapely.covers(zone, shapely.points(points))).all()


def test_any_number_of_zones():
    rng = np.random.default_rng(1)
    zones = random_zones(rng, 130)
    index = ZoneIndex(zones)
    points = rng.uniform([126.78, 35.135], [126.82, 35.165], (3000, 2))
    numbers = index.combination_of(*points.T)
    exact = np.column_stack([shapely.intersects_xy(zone, *points.T) for zone in zones])
    assert (index.combinations.matrix()[numbers] == exact).all()


@settings(max_examples=30)
@given(seed=SEEDS)
def test_the_middle_of_every_part_of_a_way_is_where_it_says(seed):
    rng = np.random.default_rng(seed)
    zones = random_zones(rng)
    index = ZoneIndex(zones)
    points = adversarial_points(rng, zones)[:500]
    rng.shuffle(points)
    time_us = np.arange(len(points)) * 10_000_000
    last = np.zeros(len(points), dtype=bool)
    last[-1] = True
    way = memberships(index, points[:, 0].copy(), points[:, 1].copy(), time_us, last)
    matrix = index.combinations.matrix()
    starts = np.concatenate([time_us[:-1], way.cut_us])
    combination = np.concatenate([way.combination[:-1], way.cut_combination])
    order = np.argsort(starts, kind="stable")
    starts, combination = starts[order], combination[order]
    ends = np.append(starts[1:], time_us[-1])
    for share in (0.25, 0.5, 0.75):
        at = starts + share * (ends - starts)
        fix = np.minimum((at // 10_000_000).astype(int), len(points) - 2)
        part = (at - time_us[fix]) / 10_000_000
        place = points[fix] + part[:, None] * (points[fix + 1] - points[fix])
        for number, zone in enumerate(zones):
            far = shapely.distance(shapely.boundary(zone), shapely.points(place)) > 1e-9
            exact = shapely.intersects_xy(zone, *place.T)
            assert (matrix[combination][:, number] == exact)[far & (ends - starts > 10)].all()


@settings(max_examples=20)
@given(seed=SEEDS)
def test_distances_are_within_a_twentieth_of_a_percent_of_the_geodesic(seed):
    rng = np.random.default_rng(seed)
    zones = random_zones(rng, 2)
    edges = Edges.of(zones)
    points = rng.uniform([126.5, 34.9], [127.1, 35.4], (20, 2))
    metres, _ = Border(EdgeTrees(edges), np.arange(2)).nearest(*points.T)
    share = np.linspace(0, 1, 400)[:, None]
    lon = (edges.ax + share * (edges.bx - edges.ax)).ravel()
    lat = (edges.ay + share * (edges.by - edges.ay)).ravel()
    geod = Geod(ellps="WGS84")
    for (x, y), found in zip(points, metres, strict=True):
        exact = geod.inv(np.full_like(lon, x), np.full_like(lat, y), lon, lat)[2].min()
        assert abs(found - exact) <= 5e-4 * exact + 2.0


@settings(max_examples=20)
@given(seed=SEEDS)
def test_a_border_is_as_far_whether_its_zones_have_trees_of_their_own_or_one_together(seed):
    rng = np.random.default_rng(seed)
    edges = Edges.of(random_zones(rng, 5))
    far, near = ([126.5, 34.9], [127.1, 35.4]), ([126.78, 35.135], [126.82, 35.165])
    points = np.concatenate([rng.uniform(*box, (100, 2)) for box in (far, near)]).T
    metres, edge = Border(EdgeTrees(edges), np.arange(5)).nearest(*points)
    with mock.patch.object(edge_trees, "MANY_EDGES", 1):
        apart, edge_apart = Border(EdgeTrees(edges), np.arange(5)).nearest(*points)
    np.testing.assert_allclose(apart, metres, rtol=1e-12, atol=1e-9)
    assert (edges.zone[edge_apart] == edges.zone[edge]).all()
