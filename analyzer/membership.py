"""Which zones cover a point: a grid answers at once, GEOS near the borders.

Three levels, each cut finer where it must be: *pages* of `PAGE` x `PAGE` *cells*, and
blocks of *fine cells* in place of the cells that a border may touch. A cell that no
border edge may touch (see `grid`) is *free*: it lies wholly inside or outside every
zone, so one exact test at one point of it, or of a run of free cells in a row, holds for
all its points. Points in fine cells that are not free are tested by GEOS
(`intersects_xy`, which is *covers* for a point). So the grid never disagrees with GEOS;
it only spares the asking. It also says which edges come near a way.

Sets of zones are *combinations*, numbered as they are met; 0 is the empty one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from analyzer.grid import Grid, Ways, boxes_meet, ranges

PAGE_BITS = 5
PAGE = 1 << PAGE_BITS
"""Cells along each side of a page."""

OCTET = 8
"""Cells along each side of the squares within which longer ways are cleared at a glance."""

CELLS_ACROSS = 200
"""Cells across the zone of middling size, where the memory allows it."""

LEAST_CELL_DEG = 1e-5
MOST_CELLS_ALONG = 1 << 19
MOST_PAGES = 1 << 20
MOST_BORDER_PAGES = 5_000
MOST_BORDER_CELLS = 80_000
MOST_FINE_CELLS = 5_000_000
"""Bounds of the memory: 4 MB of page numbers, 20 MB of cells, 20 MB of fine cells."""

FINE = (8, 16, 32, 64)
"""Fine cells along each side of a cell: as many as leave EDGES_A_CELL edges to one, or fewer."""

EDGES_A_CELL = 2

MOST_TOUCHED = 1 << 20
"""Cells of ways looked up at once: bounds the memory that many long ways take."""

CHUNK = 1 << 12
"""Points tested by GEOS at once: bounds the matrix of points and zones."""


class Combinations:
    """Numbers for sets of zones; exact (factorised, never hashed), for any number of zones."""

    def __init__(self, zones: int) -> None:
        """Start with the empty set, number 0."""
        self._zones = zones
        self._numbers: dict[bytes, int] = {}
        self._rows: list[np.ndarray] = []
        nothing = np.zeros((1, zones), dtype=bool)
        self._number(np.packbits(nothing, axis=1).tobytes(), nothing[0])

    def numbers(self, inside: np.ndarray) -> np.ndarray:
        """Return the number of each row of a boolean (points, zones) matrix."""
        packed = np.ascontiguousarray(np.packbits(inside, axis=1))
        if not packed.size:
            return np.zeros(len(inside), dtype=np.int32)
        keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
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
        parts, zone = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        joined = ring[1:] == ring[:-1]
        start, end = points[:-1][joined], points[1:][joined]
        owner = zone[part[ring[:-1][joined]]].astype(np.int64)
        columns = (np.ascontiguousarray(column) for column in (*start.T, *end.T, owner))
        return Edges(*columns)

    def ways(self) -> Ways:
        """Return the edges as ways."""
        return Ways(self.ax, self.ay, self.bx, self.by)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Return west, south, east and north of the rings that the edges make up."""
        return float(self.ax.min()), float(self.ay.min()), float(self.ax.max()), float(self.ay.max())

    def take(self, which: np.ndarray) -> "Edges":
        """Return the edges at `which` (indices or mask)."""
        return Edges(*(a[which] for a in (self.ax, self.ay, self.bx, self.by, self.zone)))


@dataclass(frozen=True)
class Cells:
    """Fine cell of each point: its label is the combination of a free cell, negative where a border may be.

    `free` tells whether even the coarse cell around it is free.
    """

    column: np.ndarray
    row: np.ndarray
    label: np.ndarray
    free: np.ndarray


@dataclass
class ZoneIndex:
    """The grid over a set of zones. Pickled without what is quickly made again."""

    geometries: tuple[BaseGeometry, ...]
    combinations: Combinations = field(init=False)

    def __post_init__(self) -> None:
        """Build the grid."""
        self.combinations = Combinations(len(self.geometries))
        self._prepare()
        self.grid = _grid(self._bounds, self.edges)
        self.factor = _factor(self.grid, self.edges)
        self.fine_grid = self.grid.finer(self.factor)
        edge, column, row = self._list_edges()
        border_cells = self._label_cells(column // self.factor, row // self.factor)
        self._label_fine(*border_cells, edge, column, row)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the edges, which the geometries hold."""
        return {name: value for name, value in vars(self).items() if name != "edges"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Prepare the geometries again."""
        vars(self).update(state)
        self._prepare()

    def _prepare(self) -> None:
        """Prepare the geometries for quick tests (GEOS indexes each when it is first asked)."""
        self._bounds = shapely.bounds(np.asarray(self.geometries, dtype=object)).reshape(-1, 4)
        shapely.prepare(self.geometries)

    @cached_property
    def edges(self) -> Edges:
        """The border edges of all zones."""
        return Edges.of(self.geometries)

    def _list_edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (edge, column, row) of all fine cells that an edge may touch, by cell."""
        e = self.edges
        edge, column, row = self.fine_grid.cells_of_ways(e.ways())
        order = np.argsort(row * self.fine_grid.columns + column, kind="stable")
        return edge[order], column[order], row[order]

    def _label_cells(self, column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Label every cell, those given as border cells; return row and column of each of these, by label.

        `_page_start[page] + row * PAGE + column` is the place of a cell in `_cells`.
        """
        number, kinds = self._number_pages(column // PAGE, row // PAGE)
        page_row, page_column = np.indices(number.shape)
        self._page_start = ((number - page_row) * PAGE**2 - page_column * PAGE).astype(np.int32).ravel()
        border = np.zeros((len(kinds) + np.count_nonzero(self._bordered), PAGE, PAGE), dtype=bool)
        border[number[row // PAGE, column // PAGE], row % PAGE, column % PAGE] = True
        octets = border.reshape(-1, PAGE // OCTET, OCTET, PAGE // OCTET, OCTET)
        self._free_octets = np.logical_not(octets.any(axis=(2, 4)))
        return self._label_bordered(kinds, border[len(kinds) :])

    def _number_pages(self, column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each page, and the combinations that free pages have.

        Pages without border cells are all of one combination, and all those of the same one
        share a number, its place among the combinations; the others follow, each by itself.
        """
        wide, high = self.grid.columns // PAGE, self.grid.rows // PAGE
        self._pages = Grid(self.grid.west, self.grid.south, self.grid.size * PAGE, wide, high)
        self._bordered = np.zeros((high, wide), dtype=bool)
        self._bordered[row, column] = True
        whole = self._labels(self._bordered[None], self._pages, np.zeros(1), np.zeros(1))[0]
        kinds, kind = np.unique(whole, return_inverse=True)
        own = len(kinds) - 1 + np.cumsum(self._bordered).reshape(whole.shape)
        return np.where(self._bordered, own, kind.reshape(whole.shape)), kinds

    def _label_bordered(self, kinds: np.ndarray, border: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Label the cells of free pages and of bordered ones; return row and column of each border cell."""
        first_row, first_column = (PAGE * place for place in np.nonzero(self._bordered))
        labels = self._labels(border, self.grid, first_row, first_column)
        labels[border] = -1 - np.arange(np.count_nonzero(border))
        self._cells = np.concatenate([np.repeat(kinds, PAGE**2), labels.ravel()]).astype(np.int32)
        page, row, column = np.nonzero(border)
        return first_row[page] + row, first_column[page] + column

    def _label_fine(
        self, cell_row: np.ndarray, cell_column: np.ndarray, edge: np.ndarray, column: np.ndarray, row: np.ndarray
    ) -> None:
        """Label the fine cells of the border cells; keep which edges touch which of them."""
        factor = self.factor
        opens = (np.diff(row, prepend=-1) != 0) | (np.diff(column, prepend=-1) != 0)
        self._cell_edges, self._first_edge = edge.astype(np.int32), np.append(np.flatnonzero(opens), len(edge))
        row, column = row[opens], column[opens]
        block = -1 - self._coarse_label(column // factor, row // factor)
        border = np.zeros((len(cell_row), factor, factor), dtype=bool)
        border[block, row % factor, column % factor] = True
        labels = self._labels(border, self.fine_grid, cell_row * factor, cell_column * factor)
        labels[block, row % factor, column % factor] = -1 - np.arange(len(row))
        self._fine = labels.ravel()

    def _labels(self, border: np.ndarray, grid: Grid, first_row: np.ndarray, first_column: np.ndarray) -> np.ndarray:
        """Return the combination of each free cell of blocks (block, row, column): one exact test a run in a row."""
        opens = ~border
        opens[:, :, 1:] &= border[:, :, :-1]
        block, row, column = np.nonzero(opens)
        centres = grid.centres(first_column[block] + column, first_row[block] + row)
        labels = np.append(self.covering(*centres), 0).astype(np.int32)
        return labels[np.cumsum(opens.ravel()).reshape(opens.shape) - 1]

    def covering(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the combination that covers each point, by GEOS alone."""
        parts = [slice(low, low + CHUNK) for low in range(0, len(longitude), CHUNK)]
        found = [self._covering(longitude[part], latitude[part]) for part in parts]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int32)

    def _covering(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the combination that covers each of a few points."""
        west, south, east, north = self._bounds.T
        x, y = longitude[:, None], latitude[:, None]
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        for zone in np.flatnonzero(inside.any(axis=0)):
            at = np.flatnonzero(inside[:, zone])
            inside[at, zone] = shapely.intersects_xy(self.geometries[zone], longitude[at], latitude[at])
        return self.combinations.numbers(inside)

    def coarse(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return column, row and label of each point's cell: a combination, negative in a border cell."""
        column, row = self.grid.cells(longitude, latitude)
        return column, row, self._coarse_label(column, row)

    def _coarse_label(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return the label of cells."""
        return self._cells.take(self._place(column, row), mode="wrap")

    def _place(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return the place of cells in `_cells`."""
        page = (row >> PAGE_BITS) * (self.grid.columns >> PAGE_BITS) + (column >> PAGE_BITS)
        # every place is valid, and "wrap" is the quickest way to take
        place = self._page_start.take(page, mode="wrap")
        place += row << PAGE_BITS
        place += column
        return place

    def cells(self, longitude: np.ndarray, latitude: np.ndarray) -> Cells:
        """Return the fine cell of each point and what the grid alone knows of it."""
        column, row = self.fine_grid.cells(longitude, latitude)
        label = self._coarse_label(column // self.factor, row // self.factor)
        free = label >= 0
        self._refine(label, column, row)
        return Cells(column, row, label, free)

    def clear(self, start: Cells, end: Cells) -> np.ndarray:
        """Return which ways from cell to cell cannot touch a border, as far as a glance tells.

        Two cells that are the same or share a side are together convex, and so are four that
        share a corner: where all are free of borders, so is every way within them. The same
        holds for squares of OCTET x OCTET cells.
        """
        steps = np.abs(start.column - end.column) + np.abs(start.row - end.row)
        clear = (start.label >= 0) & (end.label >= 0) & (steps <= 1)
        for size, is_free in ((self.factor, self._free_cell), (self.factor * OCTET, self._free_octet)):
            asked = np.flatnonzero(start.free & end.free & ~clear)
            column, row = start.column[asked] // size, start.row[asked] // size
            to_column, to_row = end.column[asked] // size, end.row[asked] // size
            free = (np.abs(column - to_column) <= 1) & (np.abs(row - to_row) <= 1)
            for corner in ((column, row), (to_column, row), (column, to_row), (to_column, to_row)):
                free &= is_free(*corner)
            clear[asked] = free
        return clear

    def _free_cell(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return which cells are free."""
        return self._coarse_label(column, row) >= 0

    def _free_octet(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return which squares of OCTET x OCTET cells are free."""
        place = self._place(column * OCTET, row * OCTET)
        page, row, column = place // PAGE**2, place // PAGE % PAGE, place % PAGE
        return self._free_octets[page, row // OCTET, column // OCTET]

    def _refine(self, label: np.ndarray, column: np.ndarray, row: np.ndarray) -> None:
        """Replace the labels of border cells by those of the fine cells, in place."""
        at = np.flatnonzero(label < 0)
        within = self.factor - 1
        place = (-1 - label[at].astype(np.int64)) * self.factor**2
        place += (row[at] & within) * self.factor
        place += column[at] & within
        label[at] = self._fine.take(place)

    def combination_of(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return the combination that covers each point."""
        _, _, label = self.coarse(longitude, latitude)
        for known in (lambda x, y: self.cells(x, y).label, self.covering):
            unsure = np.flatnonzero(label < 0)
            label[unsure] = known(longitude[unsure], latitude[unsure])
        return label

    def edges_near(self, ways: Ways, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (way, edge), sorted, for every edge whose box comes within `reach` of the way's box.

        `reach` must be less than MARGIN of a fine cell. Long ways are taken apart first: of
        their way through border pages, the pieces in border cells.
        """
        long = ways.lengths() > self.grid.size
        way, pieces = self._pieces_in_border_cells(ways.take(long))
        way = np.concatenate([np.flatnonzero(~long), np.flatnonzero(long)[way]])
        pieces = ways.take(~long).joined(pieces)
        batches = self.fine_grid.batches(pieces, MOST_TOUCHED)
        found = [self._edges_near(pieces.take(part), way[part], ways, reach) for part in batches]
        return np.divmod(np.unique(np.concatenate(found)), max(len(self.edges.ax), 1))

    def _pieces_in_border_cells(self, ways: Ways) -> tuple[np.ndarray, Ways]:
        """Return (way, piece) for the pieces of ways in border cells; of long ways, by way of border pages."""
        long = ways.lengths() > self._pages.size
        way, pieces = _pieces(self._pages, ways.take(long), self._in_border_page)
        way = np.concatenate([np.flatnonzero(~long), np.flatnonzero(long)[way]])
        piece, pieces = _pieces(self.grid, ways.take(~long).joined(pieces), self._in_border_cell)
        return way[piece], pieces

    def _edges_near(self, pieces: Ways, owner: np.ndarray, ways: Ways, reach: float) -> np.ndarray:
        """Return way * number of edges + edge for some pieces of ways, several times where cells repeat."""
        piece, column, row = self.fine_grid.cells_of_ways(pieces)
        label = self._coarse_label(column // self.factor, row // self.factor)
        self._refine(label, column, row)
        at = np.flatnonzero(label < 0)
        cell = -1 - label[at].astype(np.int64)
        first = self._first_edge[cell]
        place, listed = ranges(first, self._first_edge[cell + 1] - first)
        way, edge = owner[piece[at]][place], self._cell_edges[listed].astype(np.int64)
        meet = boxes_meet(ways.take(way), self.edges.take(edge).ways(), reach)
        return way[meet] * len(self.edges.ax) + edge[meet]

    def _in_border_page(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return which pages hold border cells."""
        return self._bordered[row, column]

    def _in_border_cell(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return which cells are border cells."""
        return self._coarse_label(column, row) < 0


def _pieces(grid: Grid, ways: Ways, border: Callable[..., np.ndarray]) -> tuple[np.ndarray, Ways]:
    """Return (way, piece) for the pieces of ways in border cells of a grid."""
    found, owner = Ways(*np.empty((4, 0))), [np.empty(0, dtype=np.int64)]
    if not len(ways):
        return owner[0], found
    for batch in grid.batches(ways, MOST_TOUCHED):
        part = ways.take(batch)
        way, column, row = grid.cells_of_ways(part)
        at = np.flatnonzero(border(column, row))
        owner.append(way[at] + batch.start)
        found = found.joined(grid.pieces(part, way[at], column[at], row[at]))
    return np.concatenate(owner), found


def _grid(bounds: np.ndarray, edges: Edges) -> Grid:
    """Return a grid over all zones and two cells around, fine enough for them, bounded in memory."""
    if not len(bounds):
        return Grid(0.0, 0.0, 1.0, PAGE, PAGE)
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    across = np.sqrt(np.prod(bounds[:, 2:] - bounds[:, :2], axis=1))
    size = max(float(np.median(across)) / CELLS_ACROSS, LEAST_CELL_DEG)
    border = _length(edges)
    while not _fits((high - low) / size, border / size):
        size *= 2
    west, south = low - 2 * size
    columns, rows = (int(np.ceil(n / PAGE)) * PAGE for n in (high - low) / size + 4)
    return Grid(float(west), float(south), size, columns, rows)


def _fits(cells: np.ndarray, border_cells: float) -> bool:
    """Return whether the memory of a grid of so many columns and rows is bounded as it must be."""
    pages = float(np.prod(cells / PAGE + 2))
    border_pages = min(border_cells / PAGE, pages)
    fits = cells.max() < MOST_CELLS_ALONG and pages <= MOST_PAGES and border_pages <= MOST_BORDER_PAGES
    return bool(fits and border_cells <= MOST_BORDER_CELLS)


def _length(edges: Edges) -> float:
    """Return the length of all edges along the axes: in cells, no fewer than those they pass (but for one a ring)."""
    return float(np.abs(edges.bx - edges.ax).sum() + np.abs(edges.by - edges.ay).sum())


def _factor(grid: Grid, edges: Edges) -> int:
    """Return into how many fine cells along each side a border cell is cut."""
    cells = max(_length(edges) / grid.size, 1.0)
    bounded = [f for f in FINE if cells * f * f <= MOST_FINE_CELLS] or [FINE[0]]
    enough = [f for f in bounded if EDGES_A_CELL * cells * f >= len(edges.ax)]
    return (enough or bounded[-1:])[0]
