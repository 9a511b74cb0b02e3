"""Points and ways made to go wrong: the zones are those of GEOS and of exact arithmetic."""

import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.crossings import ON_EDGE_DEG, memberships
from analyzer.edges import Edges
from analyzer.grid import Grid, Ways
from analyzer.membership import ZoneIndex
from benchmarks.adversarial import SCENES, Adversary, Answers, dense, stars, wrong_points, wrong_ways

SEEDS = st.integers(0, 10**6)
QUICK = [name for name in SCENES if name not in ("5,000 vertices", "country", "130 zones")]


@pytest.mark.parametrize("scene", SCENES)
def test_adversarial_points_and_ways(scene):
    rng = np.random.default_rng(7)
    adversary = Adversary(rng, SCENES[scene](rng))
    assert wrong_points(adversary, 5_000) == 0
    assert wrong_ways(adversary, 2_000)[2] == 0


@pytest.mark.parametrize("scene", QUICK)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_adversarial_points_and_ways_of_any_zones(scene, seed):
    rng = np.random.default_rng(seed)
    adversary = Adversary(rng, SCENES[scene](rng))
    assert wrong_points(adversary, 500) == 0
    assert wrong_ways(adversary, 400)[2] == 0


class Exact:
    """One zone and rational arithmetic."""

    def __init__(self, zone):
        edges = Edges.of([zone])
        self.edges = [tuple(map(Fraction, edge)) for edge in zip(edges.ax, edges.ay, edges.bx, edges.by, strict=True)]

    def shares(self, p, q):
        """Every share at which the way meets an edge; the ends of what they have in common."""
        rx, ry = q[0] - p[0], q[1] - p[1]
        found = {Fraction(0), Fraction(1)}
        for ax, ay, bx, by in self.edges:
            ex, ey, wx, wy = bx - ax, by - ay, ax - p[0], ay - p[1]
            cross = rx * ey - ry * ex
            if cross:
                share, along = (wx * ey - wy * ex) / cross, (wx * ry - wy * rx) / cross
                found |= {share} if 0 <= along <= 1 else set()
            elif wx * ry == wy * rx:
                found |= {((x - p[0]) * rx + (y - p[1]) * ry) / (rx * rx + ry * ry) for x, y in ((ax, ay), (bx, by))}
        return sorted(share for share in found if 0 <= share <= 1)

    def covers(self, x, y):
        """Whether the zone covers a point: on an edge, or an odd number of edges to its right."""
        odd = False
        for ax, ay, bx, by in self.edges:
            side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            between = min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)
            if side == 0 and between:
                return True
            if (ay > y) != (by > y):
                odd ^= (side > 0) == (by > ay)
        return odd

    def within_reach(self, x, y):
        """Whether the border is so near that a way counts as running along it."""
        return any(
            shapely.LineString([(float(ax - x), float(ay - y)), (float(bx - x), float(by - y))]).distance(
                shapely.Point(0, 0)
            )
            <= 2.2 * ON_EDGE_DEG
            for ax, ay, bx, by in self.edges
        )


@pytest.mark.parametrize("scene", ["board", "decimal board", "wedges", "rounded stars"])
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_ways_are_cut_where_rational_arithmetic_says(scene, seed):
    rng = np.random.default_rng(seed)
    adversary = Adversary(rng, SCENES[scene](rng))
    points = np.stack(adversary.ways(15), axis=1).reshape(-1, 2)
    span_us = np.full(len(points), 10**12)
    last = np.arange(len(points)) == len(points) - 1
    answers = Answers(adversary.index, points, span_us, last)
    for number, zone in enumerate(adversary.zones):
        exact = Exact(zone)
        for fix in range(len(points) - 1):
            p, q = ([Fraction(v) for v in points[i]] for i in (fix, fix + 1))
            shares = exact.shares(p, q) if p != q else [Fraction(0), Fraction(1)]
            for start, end in itertools.pairwise(shares):
                if end - start < Fraction(4, 10**12):
                    continue
                for share in (start + Fraction(2, 10**12), (start + end) / 2, end - Fraction(2, 10**12)):
                    x, y = (a + share * (b - a) for a, b in zip(p, q, strict=True))
                    instant = answers.start_us[fix] + round(share * 10**12)
                    said = answers.matrix[answers.at(np.array([instant]))[0], number]
                    assert said == exact.covers(x, y) or exact.within_reach(x, y)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, size=st.sampled_from([1e-6, 1e-4, 0.1]))
def test_every_place_of_a_way_is_in_a_cell_of_it(seed, size):
    rng = np.random.default_rng(seed)
    grid = Grid(126.0, 35.0, size, 64, 96)
    ends = 35.0 + size * np.where(
        rng.random((4, 50)) < 0.5, rng.integers(-5, 105, (4, 50)), rng.uniform(-5, 105, (4, 50))
    )
    ends[[0, 2]] += 91.0
    ends[3, :10], ends[2, 10:20] = ends[1, :10], ends[0, 10:20]
    ways = Ways(*ends)
    way, column, row = grid.cells_of_ways(ways)
    listed = set(zip(way.tolist(), column.tolist(), row.tolist(), strict=True))
    assert len(listed) == len(way)
    every = np.repeat(np.arange(50), 200)
    x, y = ways.at(every, rng.uniform(0, 1, len(every)))
    inside = (x >= 126) & (y >= 35) & (x < 126 + 64 * size) & (y < 35 + 96 * size)
    column, row = grid.cells(x[inside], y[inside])
    assert set(zip(every[inside].tolist(), column.tolist(), row.tolist(), strict=True)) <= listed


def test_an_index_survives_pickling_and_stays_small():
    rng = np.random.default_rng(5)
    zones = dense(rng)
    index = ZoneIndex(tuple(zones))
    text = pickle.dumps(index)
    assert len(text) < 8_000_000
    points = Adversary(rng, zones).points(2_000)
    again = pickle.loads(text)
    assert (again.combination_of(*points.T) == index.combination_of(*points.T)).all()
    assert (again.edges.ax == index.edges.ax).all()


@pytest.mark.parametrize("extent", [1e-9, 1e-3, 4.0])
def test_the_memory_of_an_index_is_bounded(extent):
    rng = np.random.default_rng(3)
    zones = [*stars(rng, 60, extent=extent, size=extent / 30, vertices=60), shapely.box(126, 34, 126.1, 34.1)]
    index = ZoneIndex(tuple(zones))
    arrays = [value for value in vars(index).values() if isinstance(value, np.ndarray)]
    assert sum(array.nbytes for array in arrays) < 64_000_000


def test_no_fixes_no_zones():
    nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
    found = memberships(ZoneIndex(()), nothing, nothing, none, none.astype(bool))
    assert len(found.combination) == len(found.cut_fix) == 0
    index = ZoneIndex(())
    assert index.combination_of(np.array([0.0, 200.0]), np.array([0.0, -90.0])).tolist() == [0, 0]
    assert index.combinations.matrix().shape == (1, 0)


def test_places_that_are_none_are_in_no_zone():
    index = ZoneIndex((shapely.box(126.8, 35.1, 126.9, 35.2),))
    longitude = np.array([126.85, np.nan, np.inf, -np.inf, 1e300, 126.85])
    assert index.combination_of(longitude, np.full(6, 35.15)).tolist() == [1, 0, 0, 0, 0, 1]
