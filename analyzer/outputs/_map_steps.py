"""Places of broken stretches, packed: how far each lies from where those before it lead.

A vehicle goes on as it went: a straight line through its last places (least squares) says where
the next is, in sixteenths of a unit. What is left is one of a few small numbers, and most likely
nought where the line says a whole unit. So the rests go into four streams, by how far the line is
from a whole unit, of 2 or 4 bits each; large rests go into a fifth as varints.
"""

import numpy as np

from analyzer.outputs._packing import symbols, varints, zigzag

PARTS = 16
"""The line says sixteenths of a unit."""

STREAMS = 4
ORDERS = (1, 2, 4, 10)
"""Of how many places the line is made; of one: stay there."""

LARGE = 15
MANY = 0.15
"""Share of rests that two bits cannot say from which on four are taken."""


def packed_places(axes: list[np.ndarray], place: np.ndarray) -> tuple[int, int, list[bytes]]:
    """Return the places that the line is made of, the bits of a rest, and five streams for each axis.

    `axes` are whole units, counted from the first vertex of each line; `place` is the number of a
    vertex in its line.
    """
    later = place > 0
    made = {order: [_rests(units, _line(units, place, order), later) for units in axes] for order in ORDERS}
    order = min(ORDERS, key=lambda order: sum(_bits(rest, sure) for rest, sure in made[order]))
    large = np.concatenate([zigzag(rest) for rest, _ in made[order]]) > 2  # noqa: PLR2004 - what two bits can say
    bits = 2 if large.sum() <= MANY * len(large) else 4
    return order, bits, [stream for rest, sure in made[order] for stream in _streams(rest, sure, bits)]


def _line(units: np.ndarray, place: np.ndarray, order: int) -> np.ndarray:
    """Return where the last `order` places of the line lead, in `PARTS` of a unit, rounded down.

    Least squares of u at k = 1..n places back, taken at 0: sum of (4 n + 2 - 6 k) u / (n (n - 1)).
    Sums over all lines may overflow; differences of them do not (modulo 2^64).
    """
    n, at = np.minimum(place, order), np.arange(len(units))
    total, moment = (np.append(0, np.cumsum(v)) for v in (units, units * place))
    near = total[at] - total[at - n]
    far = place * near - (moment[at] - moment[at - n])
    line = PARTS * ((4 * n + 2) * near - 6 * far) // np.maximum(n * (n - 1), 1)
    return np.where(n > 1, line, PARTS * near)


def _rests(units: np.ndarray, line: np.ndarray, later: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is left of later vertices, positive towards the fraction of the line, and which stream it goes to."""
    whole = (line + PARTS // 2) // PARTS
    over = line - whole * PARTS
    rest = np.where(over < 0, whole - units, units - whole)
    return rest[later], (np.minimum(np.abs(over), PARTS // 2 - 1) // 2)[later]


def _bits(rest: np.ndarray, sure: np.ndarray) -> float:
    """Return about how many bits the rests take: their entropy, and the size of large ones."""
    code = zigzag(rest)
    small = np.minimum(code, LARGE)
    counts = np.bincount(sure * (LARGE + 1) + small, minlength=STREAMS * (LARGE + 1)).reshape(STREAMS, -1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -(counts * np.log2(np.where(counts > 0, shares, 1))).sum()
    return float(entropy + np.log2(1.0 + code[code >= LARGE]).sum())


def _streams(rest: np.ndarray, sure: np.ndarray, bits: int) -> list[bytes]:
    """Return the streams of one axis: four of symbols, then the large rests."""
    most = (1 << bits) - 1
    small = np.minimum(zigzag(rest), most)
    return [*(symbols(small[sure == k], bits) for k in range(STREAMS)), varints(rest[small == most])]
