"""How fine the grid over a set of zones is: as fine as they ask for, in memory that is bounded."""

from statistics import median

import numpy as np

from analyzer.edges import Edges
from analyzer.grid import Grid

PAGE_BITS = 5
PAGE = 1 << PAGE_BITS
"""Cells along each side of a page."""

CELLS_ACROSS = 200
"""Cells across the zone of middling size, where the memory allows it."""

LEAST_CELL_DEG = 1e-5
MOST_CELLS_ALONG = 1 << 19
MOST_PAGES = 1 << 20
MOST_BORDER_PAGES = 5_000
MOST_BORDER_CELLS = 80_000
MOST_FINE_CELLS = 5_000_000
"""Bounds of the memory: 4 MB of page numbers, 20 MB of cells, 20 MB of fine cells."""

FINE = (4, 8, 16, 32, 64)
"""Fine cells along each side of a cell: as many as leave EDGES_A_CELL edges to one, or fewer."""

EDGES_A_CELL = 2


def grid_over(bounds: np.ndarray, edges: Edges) -> Grid:
    """Return a grid over all zones and two cells around, fine enough for them, bounded in memory."""
    if not len(bounds):
        return Grid(0.0, 0.0, 1.0, PAGE, PAGE)
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    across = np.sqrt(np.prod(bounds[:, 2:] - bounds[:, :2], axis=1))
    size = max(median(across.tolist()) / CELLS_ACROSS, LEAST_CELL_DEG)
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


def fine_factor(grid: Grid, edges: Edges) -> int:
    """Return into how many fine cells along each side a border cell is cut."""
    cells = max(_length(edges) / grid.size, 1.0)
    bounded = [f for f in FINE if cells * f * f <= MOST_FINE_CELLS] or [FINE[0]]
    enough = [f for f in bounded if EDGES_A_CELL * cells * f >= len(edges.ax)]
    return (enough or bounded[-1:])[0]
