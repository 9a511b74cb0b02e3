"""Millions of points and ways made to go wrong, against GEOS: prints what was tested and what differs.

`python -m benchmarks.adversarial [MILLIONS] [SEED]`; exits 1 on any difference. Points: vertices,
edges, lines of the grid's cells, all of them some last bits beside, far outside. Ways: between
such points, along edges, through vertices, of zero length and of a few last bits, in small steps.

A point must be covered by exactly the zones that GEOS says. A way is looked at from inside every
part, on both sides of every cut (2 microseconds from it), and at random: there, too, the zones
must be those of GEOS, unless the place is within 2 * ON_EDGE_DEG of the zone's border, where a
way counts as running along it.
"""

import sys
import time

import numpy as np
import shapely

from analyzer.crossings import ON_EDGE_DEG, memberships
from analyzer.membership import ZoneIndex

CHUNK = 100_000
NEAR_CUT_US = 2


def star(rng, x, y, size, vertices, digits=17):
    """A star-shaped polygon of random radii."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, vertices))
    radius = size * rng.uniform(0.3, 1, vertices)
    points = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]).round(digits)
    return _polygonal(shapely.make_valid(shapely.polygons(points)))


def _polygonal(geometry):
    """The polygons of a geometry, as one."""
    parts = [g for g in shapely.get_parts(geometry) if g.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def stars(rng, count, *, extent, size, vertices, digits=17):
    """Many stars, overlapping or far from each other."""
    found = []
    while len(found) < count:
        x, y = rng.uniform(126.8, 126.8 + extent), rng.uniform(35.15, 35.15 + extent)
        zone = star(rng, x, y, size * rng.uniform(0.3, 1), int(rng.integers(3, vertices)), digits)
        found += [zone] if not zone.is_empty and zone.is_valid else []
    return found


def board(rng, step):
    """Squares that share borders and corners, one with a hole that another fills, one of two parts."""
    x, y = 126.8125 + step * rng.integers(0, 9), 35.15625
    square = [
        [shapely.box(x + step * i, y + step * j, x + step * (i + 1), y + step * (j + 1)) for i in range(6)]
        for j in range(4)
    ]
    holed = shapely.box(x, y, x + 3 * step, y + 3 * step).difference(square[1][1])
    return [
        holed,
        square[1][1],
        square[0][3],
        square[1][4],
        shapely.multipolygons([square[2][3], square[3][4]]),
        square[3][5],
    ]


def wedges(rng):
    """Triangles that share sloping borders, needles, and a zone of a few last bits."""
    x, y = 126.8 + rng.uniform(0, 0.01), 35.15
    corners = [(x + 0.001 * np.cos(a), y + 0.001 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 8)[:-1]]
    fan = [shapely.Polygon([(x, y), a, b]) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
    needle = shapely.Polygon([(x, y), (x + 0.01, y + 0.003), (x + 0.01, y + 0.003 + 1e-12)])
    speck = shapely.box(x, y + 0.002, x + 1e-12, y + 0.002 + 1e-12)
    return [*fan, needle, speck]


def dense(rng, vertices=5_000):
    """Large rings of many vertices, one with a hole of many."""
    rings = [star(rng, 126.8 + 0.02 * i, 35.15, 0.012, 3) for i in range(2)]
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    for i, size in enumerate((0.012, 0.011)):
        radius = size * (1 + 0.15 * np.sin(5 * angle) + 0.02 * np.sin(61 * angle))
        outer = np.column_stack([126.8 + 0.02 * i + radius * np.cos(angle), 35.15 + radius * np.sin(angle)])
        hole = (outer - outer.mean(axis=0)) * 0.3 + outer.mean(axis=0)
        rings.append(shapely.Polygon(outer.round(8), [hole.round(8)]))
    return rings


SCENES = {
    "stars": lambda rng: stars(rng, 4, extent=0.02, size=0.006, vertices=40),
    "rounded stars": lambda rng: stars(rng, 6, extent=0.01, size=0.006, vertices=12, digits=4),
    "board": lambda rng: board(rng, 2.0**-10),
    "decimal board": lambda rng: board(rng, 0.001),
    "wedges": wedges,
    "5,000 vertices": dense,
    "tiny": lambda rng: stars(rng, 5, extent=1e-7, size=1e-7, vertices=9),
    "country": lambda rng: stars(rng, 63, extent=4, size=0.01, vertices=300),
    "tiny and huge": lambda rng: [*stars(rng, 9, extent=3, size=1e-5, vertices=9), star(rng, 127, 36, 3, 50)],
    "130 zones": lambda rng: stars(rng, 130, extent=0.03, size=0.004, vertices=20),
}


def bits_beside(rng, values, most=3):
    """The values, many of them moved by up to `most` last bits."""
    moved = values + np.spacing(values) * rng.integers(-most, most + 1, values.shape)
    return np.where(rng.random(values.shape) < 0.5, values, moved)


class Adversary:
    """Makes points and ways that are hard for one set of zones and its grid."""

    def __init__(self, rng, zones):
        self.rng, self.zones, self.index = rng, zones, ZoneIndex(tuple(zones))
        e = self.index.edges
        self.a, self.b = np.column_stack([e.ax, e.ay]), np.column_stack([e.bx, e.by])
        bounds = shapely.total_bounds(zones)
        self.low, self.extent = bounds[:2], bounds[2:] - bounds[:2]

    def edge(self, count):
        return self.rng.integers(0, len(self.a), count)

    def on_edges(self, count, edge=None):
        """Points on the lines of edges, some beyond their ends."""
        edge = self.edge(count) if edge is None else edge
        share = self.rng.choice([0, 0.5, 1, -0.25, 1.25, 0.125], (count, 1))
        share = np.where(self.rng.random((count, 1)) < 0.5, share, self.rng.uniform(-0.2, 1.2, (count, 1)))
        return self.a[edge] + share * (self.b[edge] - self.a[edge])

    def near_edges(self, count, edge):
        """Points about as far from an edge as it is long, or in line with a corner of it."""
        reach = np.abs(self.b[edge] - self.a[edge]).max(axis=1, keepdims=True)
        points = self.on_edges(count, edge) + reach * self.rng.normal(0, 1, (count, 2)) * self.rng.choice(
            [1, 0.01], (count, 1)
        )
        return np.where(self.rng.random((count, 2)) < 0.3, self.a[edge], points)

    def on_cell_lines(self, count):
        """Points near edges, moved onto a line between cells or fine cells."""
        points = self.on_edges(count)
        for axis, origin in ((0, self.index.grid.west), (1, self.index.grid.south)):
            for grid in (self.index.grid, self.index.fine_grid):
                line = origin + np.rint((points[:, axis] - origin) / grid.size) * grid.size
                points[:, axis] = np.where(self.rng.random(count) < 0.4, line, points[:, axis])
        return points

    def anywhere(self, count):
        wide = self.rng.choice([1.1, 3, 100], (count, 1), p=[0.8, 0.1, 0.1])
        return self.low + self.extent * (0.5 + wide * self.rng.uniform(-0.5, 0.5, (count, 2)))

    def points(self, count):
        """Points of all kinds."""
        kinds = [self.a[self.edge(count)], self.on_edges(count), self.on_cell_lines(count), self.anywhere(count)]
        mixed = np.column_stack([self.a[self.edge(count), 0], self.a[self.edge(count), 1]])
        which = self.rng.integers(0, 5, count)
        return bits_beside(self.rng, np.choose(which[:, None], [*kinds, mixed]))

    def ways(self, count):
        """Ways of all kinds, as starts and ends."""
        edge = self.edge(count)
        step = self.extent.max() * 2.0 ** -self.rng.integers(1, 30, (count, 1)) * self.rng.uniform(-1, 1, (count, 2))
        start, near = self.points(count), self.near_edges(count, edge)
        vertex, nudge = self.a[edge], self.rng.normal(0, ON_EDGE_DEG, (count, 2))
        kinds = [
            (start, self.points(count)),
            (start, start + step),
            (start, bits_beside(self.rng, start)),
            (self.on_edges(count, edge), self.on_edges(count, edge)),
            (near, self.near_edges(count, edge)),
            (near, self.on_edges(count, edge)),
            (vertex - step, vertex + step),
            (vertex - step + nudge, vertex + step + nudge),
            (vertex - step, vertex),
            (near, vertex + (vertex - near)),
            (start, start),
        ]
        which = self.rng.integers(0, len(kinds), count)[:, None]
        ends = (np.choose(which, [kind[side] for kind in kinds]) for side in (0, 1))
        return tuple(bits_beside(self.rng, end, 1) if self.rng.random() < 0.5 else end for end in ends)

    def drives(self, count):
        """Small steps along and across borders, as one long track."""
        drives, steps = max(count // 200, 1), 200
        pace = self.extent.max() * 10.0 ** self.rng.uniform(-6, -2, (drives, 1, 1))
        start = self.points(drives)[:, None]
        turns = self.rng.normal(0, 1, (drives, steps, 2)) * pace
        turns[self.rng.random((drives, steps)) < 0.2] = 0
        return (start + np.cumsum(turns, axis=1)).reshape(-1, 2)

    def fixes(self, count):
        """Half single ways, half drives; between them ways from anywhere to anywhere."""
        single = np.stack(self.ways(count // 4), axis=1).reshape(-1, 2)
        return np.concatenate([single, self.drives(count // 2)])


def wrong_points(adversary, count):
    """How many points are not covered by exactly the zones that GEOS says."""
    x, y = adversary.points(count).T
    found = adversary.index.combination_of(x, y)
    matrix = adversary.index.combinations.matrix()
    wrong = np.zeros(count, dtype=bool)
    for number, zone in enumerate(adversary.zones):
        wrong |= matrix[found, number] != shapely.intersects_xy(zone, x, y)
    return int(wrong.sum())


class Answers:
    """What `memberships` says of the ways of some fixes, to be asked at any share of a way."""

    def __init__(self, index, points, span_us, hole_after):
        self.points, self.span_us, self.hole_after = points, span_us, hole_after
        self.start_us = np.concatenate([[0], np.cumsum(span_us)[:-1]])
        found = memberships(index, points[:, 0].copy(), points[:, 1].copy(), self.start_us, hole_after)
        self.found, self.matrix = found, index.combinations.matrix()
        starts = np.concatenate([self.start_us, found.cut_us])
        labels = np.concatenate([found.combination, found.cut_combination])
        order = np.argsort(starts, kind="stable")
        self._starts, self._labels = starts[order], labels[order]

    def at(self, instant_us):
        """The combination of zones at each instant."""
        return self._labels[np.searchsorted(self._starts, instant_us, side="right") - 1]

    def place(self, fix, instant_us):
        """The place at each instant."""
        share = (instant_us - self.start_us[fix]) / self.span_us[fix]
        return self.points[fix] + share[:, None] * (self.points[fix + 1] - self.points[fix])

    def instants(self, rng, each=2):
        """(fix, instant) inside ways: random ones, the middles of parts and both sides of cuts."""
        open_fixes = np.flatnonzero(~self.hole_after)
        fix = np.repeat(open_fixes, each)
        random = self.start_us[fix] + rng.uniform(0.01, 0.99, len(fix)) * self.span_us[fix]
        ends = np.append(self._starts[1:], self._starts[-1])
        middle = (self._starts + ends) / 2
        owner = np.searchsorted(self.start_us, middle, side="right") - 1
        cut = np.concatenate([self.found.cut_us - NEAR_CUT_US, self.found.cut_us + NEAR_CUT_US])
        fixes = np.concatenate([fix, owner, np.tile(self.found.cut_fix, 2)])
        instants = np.concatenate([random, middle, cut]).astype(np.int64)
        inside = (instants > self.start_us[fixes]) & (instants < self.start_us[fixes] + self.span_us[fixes])
        # no second cut within the microseconds around
        apart = self.at(instants - NEAR_CUT_US + 1) == self.at(instants + NEAR_CUT_US - 1)
        kept = inside & ~self.hole_after[fixes] & apart
        return fixes[kept], instants[kept]


def wrong_places(answers, zones, fix, instant_us):
    """Which places have other zones than GEOS says, although no border of these is within reach."""
    place = answers.place(fix, instant_us)
    found = answers.at(instant_us)
    length = np.hypot(*(answers.points[fix + 1] - answers.points[fix]).T)
    reach = 2.2 * ON_EDGE_DEG + 2 * length / answers.span_us[fix]
    wrong = np.zeros(len(fix), dtype=bool)
    for number, zone in enumerate(zones):
        differs = np.flatnonzero(answers.matrix[found, number] != shapely.intersects_xy(zone, *place.T))
        border = shapely.boundary(zone)
        shapely.prepare(border)
        far = ~shapely.dwithin(border, shapely.points(place[differs]), reach[differs])
        wrong[differs[far]] = True
    return np.flatnonzero(wrong)


def wrong_ways(adversary, count):
    """How many ways were looked at, at how many places, and how many of these are wrong."""
    rng, index = adversary.rng, adversary.index
    points = adversary.fixes(count)
    span_us = rng.choice([1, 100_000, 1_000_000, 10**12], len(points), p=[0.05, 0.2, 0.25, 0.5])
    hole_after = rng.random(len(points)) < 0.1
    hole_after[-1] = True
    answers = Answers(index, points, span_us, hole_after)
    standing = np.flatnonzero(hole_after)
    exact = answers.matrix[answers.found.combination[standing]]
    wrong = sum(
        np.count_nonzero(exact[:, number] != shapely.intersects_xy(zone, *points[standing].T))
        for number, zone in enumerate(adversary.zones)
    )
    fix, instant_us = answers.instants(rng)
    wrong += len(wrong_places(answers, adversary.zones, fix, instant_us))
    return np.count_nonzero(~hole_after), len(fix) + len(standing), wrong


def main():
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    rounds = max(round(millions * 1e6 / CHUNK / 2 / len(SCENES)), 1)
    bad = 0
    print(f"{'scene':<16}{'points':>12}{'different':>10}{'ways':>12}{'places':>12}{'different':>10}{'seconds':>9}")
    for name, scene in SCENES.items():
        started, totals = time.perf_counter(), np.zeros(5, dtype=np.int64)
        for _ in range(rounds):
            adversary = Adversary(rng, scene(rng))
            totals += [CHUNK, wrong_points(adversary, CHUNK), *wrong_ways(adversary, CHUNK)]
        points, differ, ways, places, wrong = totals
        bad += differ + wrong
        seconds = time.perf_counter() - started
        print(f"{name:<16}{points:>12,}{differ:>10,}{ways:>12,}{places:>12,}{wrong:>10,}{seconds:>9.1f}", flush=True)
    print("no difference" if not bad else f"{bad:,} differences")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
