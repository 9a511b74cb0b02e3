"""Which zones cover a point: a two-level grid answers at once, GEOS near the borders.

Every grid cell that a border edge may touch is marked, and its neighbours too; a cell
that is not marked lies wholly inside or outside every zone, so one exact test at one
point of it (or of a run of such cells in a row) holds for all its points. Points in
marked cells are tested by GEOS (`intersects_xy`, which is *covers* for a point). So the
grid never disagrees with GEOS; it only spares the asking.

Sets of zones are *combinations*, numbered as they are met; 0 is the empty one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

FINE = 8
"""Fine cells along each side of a coarse cell."""

COARSE_CELLS = 1024
"""Coarse cells along the longer side of the zones' extent."""

CHUNK = 1 << 18
"""Points looked up at once: the arrays in between stay in the processor's cache."""

BORDER = -1


class Combinations:
    """Numbers for sets of zones; exact (factorised, never hashed), for any number of zones."""

    def __init__(self, zones: int) -> None:
        """Start with the empty set, number 0."""
        self._zones = zones
        self._numbers: dict[bytes, int] = {}
        self._rows: list[np.ndarray] = []
        self.numbers(np.zeros((1, zones), dtype=bool))

    def numbers(self, inside: np.ndarray) -> np.ndarray:
        """Return the number of each row of a boolean (points, zones) matrix."""
        packed = np.ascontiguousarray(np.packbits(inside, axis=1))
        width = max(packed.shape[1], 1)
        keys = packed.view(np.dtype((np.void, width))).ravel() if packed.size else None
        if keys is None:
            return np.zeros(len(inside), dtype=np.int32)
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        numbers = [self._number(k.tobytes(), inside[i]) for k, i in zip(distinct, first, strict=True)]
        return np.asarray(numbers, dtype=np.int32)[inverse.ravel()]

    def _number(self, key: bytes, row: np.ndarray) -> int:
        """Return the number of one set, a new one where it was never met."""
        if key not in self._numbers:
            self._numbers[key] = len(self._rows)
            self._rows.append(row.copy())
        return self._numbers[key]

    def matrix(self) -> np.ndarray:
        """Return a boolean (combinations, zones) matrix: which zones each one holds."""
        return np.array(self._rows, dtype=bool).reshape(len(self._rows), self._zones)


@dataclass(frozen=True)
class Edges:
    """Border edges of all zones: start and end in degrees, and the index of their zone."""

    ax: np.ndarray
    ay: np.ndarray
    bx: np.ndarray
    by: np.ndarray
    zone: np.ndarray

    @staticmethod
    def of(geometries: Sequence[BaseGeometry]) -> "Edges":
        """Return the edges of all rings of polygons and multipolygons."""
        rings = [
            (ring, index)
            for index, geometry in enumerate(geometries)
            for ring in shapely.get_rings(shapely.get_parts(geometry))
        ]
        points = [shapely.get_coordinates(ring) for ring, _ in rings]
        lengths = [len(p) - 1 for p in points]
        starts = np.concatenate([p[:-1] for p in points]) if points else np.empty((0, 2))
        ends = np.concatenate([p[1:] for p in points]) if points else np.empty((0, 2))
        zone = np.repeat([index for _, index in rings], lengths).astype(np.int64)
        return Edges(starts[:, 0], starts[:, 1], ends[:, 0], ends[:, 1], zone)

    def take(self, which: np.ndarray) -> "Edges":
        """Return the edges at `which` (indices or mask)."""
        return Edges(*(a[which] for a in (self.ax, self.ay, self.bx, self.by, self.zone)))


@dataclass(frozen=True)
class Cells:
    """Fine cell of each point (column, row) and its combination, -1 in a border cell."""

    column: np.ndarray
    row: np.ndarray
    label: np.ndarray
    coarse: np.ndarray


@dataclass
class ZoneIndex:
    """The grid over a set of zones."""

    geometries: tuple[BaseGeometry, ...]
    edges: Edges = field(init=False)
    combinations: Combinations = field(init=False)

    def __post_init__(self) -> None:
        """Build the grid."""
        self.edges = Edges.of(self.geometries)
        self.combinations = Combinations(len(self.geometries))
        self._bounds = np.array([g.bounds for g in self.geometries]).reshape(-1, 4)
        for geometry in self.geometries:
            shapely.prepare(geometry)
        self._lay_grid()
        self._mark_borders()
        self._label_coarse()
        self._label_fine()

    def _lay_grid(self) -> None:
        """Choose origin and cell size: the extent of all zones and a cell around it."""
        low = self._bounds[:, :2].min(axis=0, initial=np.inf)
        high = self._bounds[:, 2:].max(axis=0, initial=-np.inf)
        if not len(self._bounds):
            low, high = np.zeros(2), np.ones(2)
        self._size = max(float((high - low).max()) / COARSE_CELLS, 1e-6)
        self._fine_size = self._size / FINE
        self._origin = low - 2 * self._size
        self._shape = tuple(int(n) for n in np.ceil((high - low) / self._size) + 4)

    def _mark_borders(self) -> None:
        """Find the fine cells that an edge may touch: those of close samples, and around them."""
        edges = self.edges
        length = np.maximum(np.abs(edges.bx - edges.ax), np.abs(edges.by - edges.ay))
        steps = np.ceil(length / (self._fine_size / 2)).astype(np.int64) + 1
        edge = np.repeat(np.arange(len(steps)), steps)
        first = np.repeat(np.cumsum(steps) - steps, steps)
        share = (np.arange(len(edge)) - first) / np.repeat(np.maximum(steps - 1, 1), steps)
        x = edges.ax[edge] + share * (edges.bx - edges.ax)[edge]
        y = edges.ay[edge] + share * (edges.by - edges.ay)[edge]
        column, row = self._fine_cell(x, y)
        around = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        wide = self._shape[0] * FINE
        own = np.unique(row * wide + column)
        marked = np.unique(np.concatenate([own + dy * wide + dx for dx, dy in around]))
        self._marked_row, self._marked_column = np.divmod(marked, wide)

    def _fine_cell(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return column and row of the fine cell of each point, clipped to the grid."""
        limit_x, limit_y = self._shape[0] * FINE - 1, self._shape[1] * FINE - 1
        column = np.floor((x - self._origin[0]) / self._fine_size)
        row = np.floor((y - self._origin[1]) / self._fine_size)
        return (
            np.clip(column, 0, limit_x).astype(np.int64),
            np.clip(row, 0, limit_y).astype(np.int64),
        )

    def _label_coarse(self) -> None:
        """Give each free coarse cell its combination, each marked one the number of its block."""
        wide, high = self._shape
        border = np.zeros((high, wide), dtype=bool)
        border[self._marked_row // FINE, self._marked_column // FINE] = True
        labels = self._labels_of_runs(border, self._size, np.zeros(high), np.arange(high))
        blocks = np.cumsum(border).reshape(border.shape) - 1
        self._coarse = np.where(border, -1 - blocks, labels).astype(np.int32).ravel()
        self._block_cells = np.flatnonzero(border.ravel())

    def _label_fine(self) -> None:
        """Give each free fine cell of the marked coarse cells its combination."""
        wide = self._shape[0]
        block = -1 - self._coarse[self._marked_row // FINE * wide + self._marked_column // FINE]
        border = np.zeros((len(self._block_cells), FINE, FINE), dtype=bool)
        border[block, self._marked_row % FINE, self._marked_column % FINE] = True
        block_row, block_column = np.divmod(self._block_cells, wide)
        first_column = np.repeat(block_column * FINE, FINE)
        rows = (block_row[:, None] * FINE + np.arange(FINE)).ravel()
        flat = border.reshape(-1, FINE)
        labels = self._labels_of_runs(flat, self._fine_size, first_column, rows)
        self._fine = np.where(flat, BORDER, labels).astype(np.int32).ravel()

    def _labels_of_runs(
        self, border: np.ndarray, size: float, first_column: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Return the combination of each free cell, by one exact test a run of them in a row."""
        starts = ~border
        starts[:, 1:] &= border[:, :-1]
        line, column = np.nonzero(starts)
        x = self._origin[0] + (first_column[line] + column + 0.5) * size
        y = self._origin[1] + (rows[line] + 0.5) * size
        labels = np.append(self.covering(x, y), 0)
        return labels[np.cumsum(starts.ravel()).reshape(starts.shape) - 1]

    def covering(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the combination that covers each point, by GEOS alone."""
        inside = np.zeros((len(longitude), len(self.geometries)), dtype=bool)
        for zone, (west, south, east, north) in enumerate(self._bounds):
            near = (longitude >= west) & (longitude <= east)
            near &= (latitude >= south) & (latitude <= north)
            at = np.flatnonzero(near)
            covered = shapely.intersects_xy(self.geometries[zone], longitude[at], latitude[at])
            inside[at, zone] = covered
        return self.combinations.numbers(inside)

    def cells(self, longitude: np.ndarray, latitude: np.ndarray) -> Cells:
        """Return cell and combination of each point as far as the grid alone knows it."""
        column, row = self._fine_cell(longitude, latitude)
        coarse = row // FINE * self._shape[0] + column // FINE
        label = self._coarse[coarse]
        marked = np.flatnonzero(label < 0)
        block = -1 - label[marked].astype(np.int64)
        within = row[marked] % FINE * FINE + column[marked] % FINE
        fine = label.copy()
        fine[marked] = self._fine[block * FINE * FINE + within]
        return Cells(column, row, fine, label)

    def combination_of(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the combination that covers each point."""
        label = self.cells(longitude, latitude).label
        unsure = np.flatnonzero(label < 0)
        label[unsure] = self.covering(longitude[unsure], latitude[unsure])
        return label


def never_crossing(cells: Cells, start: slice, end: slice) -> np.ndarray:
    """Return which segments between two cells cannot touch a border.

    Two cells that are the same or share a side are together convex; where both are free
    of borders, so is every segment between them.
    """
    across = np.abs(cells.column[start] - cells.column[end])
    up = np.abs(cells.row[start] - cells.row[end])
    free = (cells.label[start] >= 0) & (cells.label[end] >= 0)
    fine = free & (across + up <= 1)
    wide = np.abs(cells.column[start] // FINE - cells.column[end] // FINE)
    tall = np.abs(cells.row[start] // FINE - cells.row[end] // FINE)
    coarse = (cells.coarse[start] >= 0) & (cells.coarse[end] >= 0) & (wide + tall <= 1)
    return fine | coarse
