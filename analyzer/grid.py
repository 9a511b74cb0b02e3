"""A grid of square cells over longitude and latitude: the cell of a point, the cells of a way.

Positions are counted in cells from the south-west corner. A cell's number is what
truncation of that position gives, which is its floor wherever it is not negative; other
points count as being in the outermost cell beside them.

Safety of the rounding: a position has an error of less than 1e-7 cells (a grid has at
most 2**25 cells to a side, a double 53 bits), and the cells of a way are widened by
`MARGIN` = 1e-3 cells. So whatever point of a way is looked up, its cell is among the cells
of that way, and a cell that no way claims is clear of them all.
"""

from dataclasses import dataclass

import numpy as np

MARGIN = 1e-3
"""What is added on all sides to the cells a way touches, in cells."""


def ranges(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (owner, value) for all values first[i] … first[i] + count[i] - 1 of every i."""
    owner = np.repeat(np.arange(len(count)), count)
    before = np.cumsum(count) - count
    return owner, np.arange(len(owner)) + (first - before)[owner]


@dataclass(frozen=True)
class Grid:
    """Square cells of `size` degrees from the corner (west, south) on."""

    west: float
    south: float
    size: float
    columns: int
    rows: int

    def finer(self, factor: int) -> "Grid":
        """Return the grid with each cell cut into factor x factor; exact for powers of two."""
        return Grid(self.west, self.south, self.size / factor, self.columns * factor, self.rows * factor)

    def cells(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return column and row of the cell of each point (int32)."""
        return self._cell(x, self.west, self.columns), self._cell(y, self.south, self.rows)

    def _cell(self, values: np.ndarray, origin: float, count: int) -> np.ndarray:
        """Return the number of each value's cell along one axis; clip only if some lie outside."""
        place = values - origin
        place *= 1 / self.size
        if not (place.min(initial=0) >= 0 and place.max(initial=0) < count):
            place = np.clip(np.nan_to_num(place, nan=0.0), 0, count - 1)
        return place.astype(np.int32)

    def centres(self, column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return longitude and latitude of the middle of each cell."""
        return self.west + (column + 0.5) * self.size, self.south + (row + 0.5) * self.size

    def cells_of_ways(
        self, ax: np.ndarray, ay: np.ndarray, bx: np.ndarray, by: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (way, column, row) of every cell that a straight way from a to b may touch, each once."""
        fromx, fromy = (ax - self.west) / self.size, (ay - self.south) / self.size
        dx, dy = (bx - ax) / self.size, (by - ay) / self.size
        first, count = _span(fromy, fromy + dy, self.rows)
        way, row = ranges(first, count)
        fromx, dx = fromx[way], dx[way]
        enters, leaves = _shares(fromy[way], dy[way], row)
        first, count = _span(fromx + enters * dx, fromx + leaves * dx, self.columns)
        stretch, column = ranges(first, count)
        return way[stretch], column, row[stretch]


def _span(start: np.ndarray, end: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first cell and number of cells between two positions along one axis."""
    low = np.clip(np.minimum(start, end) - MARGIN, 0, count - 1).astype(np.int64)
    high = np.clip(np.maximum(start, end) + MARGIN, 0, count - 1).astype(np.int64)
    return low, high - low + 1


def _shares(start: np.ndarray, step: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return from which to which share (0..1) each way runs within a row widened by MARGIN."""
    level = step == 0
    step = np.where(level, 1.0, step)
    with np.errstate(over="ignore"):
        lower = (row - MARGIN - start) / step
        upper = (row + 1 + MARGIN - start) / step
    enters = np.where(level, 0.0, np.clip(np.minimum(lower, upper), 0, 1))
    leaves = np.where(level, 1.0, np.clip(np.maximum(lower, upper), 0, 1))
    return enters, leaves
