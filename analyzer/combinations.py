"""Sets of zones as *combinations*: numbers given as sets are met; 0 is the empty one."""

import numpy as np


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
