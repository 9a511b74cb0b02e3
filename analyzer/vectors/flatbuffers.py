"""Flatbuffers without a schema compiler: tables, vectors and scalars by the numbers of their fields.

Raises ValueError, struct.error or IndexError where the bytes are none.
"""

import struct
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Table:
    """A table of a flatbuffer: where it starts in its bytes."""

    data: bytes
    at: int

    @staticmethod
    def root(data: bytes) -> "Table":
        """Return the table that a buffer is about."""
        return Table(data, u32(data, 0))

    def _field(self, number: int) -> int:
        """Return where a field is, 0 where it is left out."""
        fields = self.at - struct.unpack_from("<i", self.data, self.at)[0]
        slot = 4 + 2 * number
        if slot >= struct.unpack_from("<H", self.data, fields)[0]:
            return 0
        offset = struct.unpack_from("<H", self.data, fields + slot)[0]
        return self.at + int(offset) if offset else 0

    def scalar(self, number: int, kind: str, default: int) -> int:
        """Return a number by its `struct` letter."""
        at = self._field(number)
        return int(struct.unpack_from("<" + kind, self.data, at)[0]) if at else default

    def vector(self, number: int, dtype: str) -> np.ndarray:
        """Return a vector of numbers."""
        at = self._target(number)
        if not at:
            return np.empty(0, dtype=dtype)
        return np.frombuffer(self.data, dtype=dtype, count=u32(self.data, at), offset=at + 4)

    def text(self, number: int) -> str:
        """Return a text, empty where it is left out."""
        return self.vector(number, "<u1").tobytes().decode("utf-8", "replace")

    def table(self, number: int) -> "Table | None":
        """Return a table in this table."""
        at = self._target(number)
        return Table(self.data, at) if at else None

    def tables(self, number: int) -> list["Table"]:
        """Return a vector of tables."""
        at = self._target(number)
        slots = [at + 4 + 4 * k for k in range(u32(self.data, at))] if at else []
        return [Table(self.data, slot + u32(self.data, slot)) for slot in slots]

    def _target(self, number: int) -> int:
        """Return what a field points to, 0 where it is left out."""
        at = self._field(number)
        return at + u32(self.data, at) if at else 0


def u32(data: bytes, at: int) -> int:
    """Return four bytes as a number."""
    return int(struct.unpack_from("<I", data, at)[0])
