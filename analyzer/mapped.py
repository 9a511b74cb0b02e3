"""Objects in a file between processes: their large arrays lie in it as they are, and are mapped by who reads it.

So they are copied into no process, and all that read the same file hold them in memory once.
"""

import mmap
import pickle
from pathlib import Path
from typing import Any

LARGE_BYTES = 1 << 16
"""Arrays from which on bytes are kept apart; smaller ones are pickled with the rest."""

ALIGNED = 64
"""Arrays begin at multiples of so many bytes."""


def write_mapped(value: Any, path: Path) -> None:
    """Write an object to a new file."""
    large: list[memoryview] = []

    def is_small(buffer: pickle.PickleBuffer) -> bool:
        """Return whether an array is pickled with the rest; keep it apart otherwise."""
        raw = buffer.raw()
        if raw.nbytes >= LARGE_BYTES:
            large.append(raw)
        return raw.nbytes < LARGE_BYTES

    rest = pickle.dumps(value, protocol=5, buffer_callback=is_small)
    with path.open("xb") as file:
        pickle.dump((rest, [raw.nbytes for raw in large]), file)
        for raw in large:
            file.write(bytes(-file.tell() % ALIGNED))
            file.write(raw)


def read_mapped(path: Path) -> Any:
    """Return the object of a file; its large arrays cannot be written to."""
    with path.open("rb") as file:
        rest, sizes = pickle.load(file)  # noqa: S301 - written by a process of ours
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        at, large = file.tell(), []
    for size in sizes:
        at += -at % ALIGNED
        large.append(whole[at : at + size])
        at += size
    return pickle.loads(rest, buffers=large)  # noqa: S301 - as above
