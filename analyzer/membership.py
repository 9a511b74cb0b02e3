"""Which zones cover a point: a grid answers at once, GEOS near the borders.

Three levels, each cut finer where it must be: *pages* of `PAGE` x `PAGE` *cells*, and
blocks of *fine cells* in place of the cells that a border may touch. A cell that no
border edge may touch (see `grid`) is *free*: it lies wholly inside or outside every
zone, so one exact test at one point of it, or of a run of free cells in a row, holds for
all its points. Points in fine cells that are not free are tested by GEOS
(`intersects_xy`, which is *covers* for a point). So the grid never disagrees with GEOS;
it only spares the asking. It also says which edges come near a way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from analyzer.combinations import Combinations
from analyzer.edges import Edges
from analyzer.grid import Grid, Ways, boxes_meet, ranges
from analyzer.grid_sizes import PAGE, PAGE_BITS, fine_factor, grid_over
from analyzer.records import record

OCTET = 8
"""Cells along each side of the squares within which longer ways are cleared at a glance."""

MOST_TOUCHED = 1 << 20
"""Cells of ways looked up at once: bounds the memory that many long ways take."""

BLOCK = 1 << 15
"""Points looked up at once: the arrays in between stay in the processor's cache."""

CHUNK = 1 << 12
"""Points tested by GEOS at once: bounds the matrix of points and zones."""


@record(frozen=True, eq=False)
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
    """The grid over a set of zones. Prepared again where it is unpickled."""

    geometries: tuple[BaseGeometry, ...]
    combinations: Combinations = field(init=False)

    def __post_init__(self) -> None:
        """Build the grid."""
        self.combinations = Combinations(len(self.geometries))
        self._prepare()
        self.grid = grid_over(self._bounds, self.edges)
        self.factor = fine_factor(self.grid, self.edges)
        self.fine_grid = self.grid.finer(self.factor)
        edge, column, row = self._list_edges()
        border_cells = self._label_cells(column // self.factor, row // self.factor)
        self._label_fine(*border_cells, edge, column, row)

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
        label = np.empty(len(longitude), dtype=np.int32)
        for low in range(0, len(longitude), BLOCK):
            part = slice(low, low + BLOCK)
            _, _, label[part] = self.coarse(longitude[part], latitude[part])
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
