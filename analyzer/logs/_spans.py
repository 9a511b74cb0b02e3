"""The own words of records that are known by their bytes in a file."""

import numpy as np
import polars as pl

from analyzer.logs._format import NO_REJECTS
from analyzer.logs._plain import TEXT_LENGTH, clean_text

_AT_ONCE = 1 << 16
"""Words made before they go into a column: as Python objects they are many times as large."""


def words_of_spans(data: bytes, start: np.ndarray, stop: np.ndarray, encoding: str) -> pl.Series:
    """Return what the bytes `[start, stop)` say, as clean text."""
    ends = np.minimum(stop, start + TEXT_LENGTH + 1)
    pieces = [pl.Series([], dtype=pl.String)]
    for low in range(0, len(start), _AT_ONCE):
        places = zip(start[low : low + _AT_ONCE].tolist(), ends[low : low + _AT_ONCE].tolist(), strict=True)
        said = [clean_text(data[a:b].decode(encoding, "replace")) for a, b in places]
        pieces.append(pl.Series(said, dtype=pl.String))
    return pl.concat(pieces)


def rejects_of(record: pl.Series, reason: pl.Series, text: pl.Series) -> pl.DataFrame:
    """Return rejects in order of their records."""
    frame = pl.DataFrame({"record": record, "reason": reason, "text": text})
    return frame.cast(NO_REJECTS.schema).sort("record")
