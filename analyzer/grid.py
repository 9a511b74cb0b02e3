"""A grid of square cells over longitude and latitude: the cell of a point, the cells of a way.

Positions are counted in cells from the south-west corner. A cell's number is what
truncation of that position gives, which is its floor wherever it is not negative; other
points count as being in the outermost cell beside them.

Safety of the rounding: a position has an error of less than 1e-7 cells (a grid has at
most 2**25 cells to a side, a double 53 bits), and the cells of a way are widened by
`MARGIN` = 1e-3 cells. So whatever point of a way is looked up, its cell is among the cells
of that way, and a cell that no way claims is clear of them all.
"""

import itertools

import numpy as np

from analyzer.records import record

MARGIN = 1e-3
"""What is added on all sides to the cells a way touches, in cells."""


def ranges(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (owner, value) for all values first[i] … first[i] + count[i] - 1 of every i."""
    owner = np.repeat(np.arange(len(count)), count)
    before = np.cumsum(count) - count
    return owner, np.arange(len(owner)) + (first - before)[owner]


@record(frozen=True, eq=False)
class Ways:
    """Straight ways from (px, py) to (qx, qy), in degrees."""

    px: np.ndarray
    py: np.ndarray
    qx: np.ndarray
    qy: np.ndarray

    def __len__(self) -> int:
        """Return how many ways there are."""
        return len(self.px)

    def take(self, which: np.ndarray | slice) -> "Ways":
        """Return the ways at `which`."""
        return Ways(self.px[which], self.py[which], self.qx[which], self.qy[which])

    def at(self, way: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the points at shares of ways."""
        px, py = self.px[way], self.py[way]
        return px + share * (self.qx[way] - px), py + share * (self.qy[way] - py)

    def joined(self, others: "Ways") -> "Ways":
        """Return these ways and then the others."""
        mine, theirs = vars(self).values(), vars(others).values()
        return Ways(*(np.concatenate(pair) for pair in zip(mine, theirs, strict=True)))

    def lengths(self) -> np.ndarray:
        """Return the length of each way along both axes together."""
        return np.abs(self.qx - self.px) + np.abs(self.qy - self.py)


def boxes_meet(ways: Ways, others: Ways, reach: float) -> np.ndarray:
    """Return which boxes around ways come within `reach` of the boxes around the others, pair by pair."""
    along_x = _meet(ways.px, ways.qx, others.px, others.qx, reach)
    return along_x & _meet(ways.py, ways.qy, others.py, others.qy, reach)


def _meet(p: np.ndarray, q: np.ndarray, a: np.ndarray, b: np.ndarray, reach: float) -> np.ndarray:
    """Return whether the intervals p to q and a to b come within `reach` of each other."""
    return (np.minimum(p, q) - reach <= np.maximum(a, b)) & (np.minimum(a, b) - reach <= np.maximum(p, q))


@record(frozen=True)
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

    def cells_of_ways(self, ways: Ways) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (way, column, row) of every cell that a way may touch, each once."""
        px, py = (ways.px - self.west) / self.size, (ways.py - self.south) / self.size
        dx, dy = (ways.qx - ways.px) / self.size, (ways.qy - ways.py) / self.size
        first, count = _span(py, py + dy, self.rows)
        way, row = ranges(first, count)
        px, dx = px[way], dx[way]
        enters, leaves = _shares(py[way], dy[way], row)
        first, count = _span(px + enters * dx, px + leaves * dx, self.columns)
        stretch, column = ranges(first, count)
        return way[stretch], column, row[stretch]

    def pieces(self, ways: Ways, way: np.ndarray, column: np.ndarray, row: np.ndarray) -> Ways:
        """Return the piece of each way in a cell that it touches, widened by MARGIN on all sides."""
        part = ways.take(way)
        across = _shares((part.px - self.west) / self.size, (part.qx - part.px) / self.size, column)
        up = _shares((part.py - self.south) / self.size, (part.qy - part.py) / self.size, row)
        every = np.arange(len(part))
        return Ways(*part.at(every, np.maximum(across[0], up[0])), *part.at(every, np.minimum(across[1], up[1])))

    def batches(self, ways: Ways, most: int) -> list[slice]:
        """Return slices of the ways that touch about `most` cells each, at least one way."""
        cells = np.minimum(ways.lengths() / self.size, self.columns + self.rows) + 2
        batch = (np.cumsum(cells) // most).astype(np.int64)
        edges = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(ways)]
        return [slice(low, high) for low, high in itertools.pairwise(edges)]


def _span(start: np.ndarray, end: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first cell and number of cells between two positions along one axis."""
    low = np.clip(np.minimum(start, end) - MARGIN, 0, count - 1).astype(np.int64)
    high = np.clip(np.maximum(start, end) + MARGIN, 0, count - 1).astype(np.int64)
    return low, high - low + 1


def _shares(start: np.ndarray, step: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return from which to which share (0..1) each way runs within a row (or column) widened by MARGIN."""
    level = step == 0
    step = np.where(level, 1.0, step)
    with np.errstate(over="ignore"):
        lower = (row - MARGIN - start) / step
        upper = (row + 1 + MARGIN - start) / step
    enters = np.where(level, 0.0, np.clip(np.minimum(lower, upper), 0, 1))
    leaves = np.where(level, 1.0, np.clip(np.maximum(lower, upper), 0, 1))
    return enters, leaves
