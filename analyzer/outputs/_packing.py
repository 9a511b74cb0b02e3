"""Numbers and text packed for a page: varints, deflate, base64.

The page unpacks with `DecompressionStream`, so the stream is zlib's (RFC 1950).
"""

import base64
import json
import zlib
from typing import Any

import numpy as np


def varints(values: np.ndarray) -> bytes:
    """Return whole numbers as zigzag varints: small ones of either sign take one byte."""
    signed = np.asarray(values, dtype=np.int64)
    rest = ((signed << 1) ^ (signed >> 63)).view(np.uint64)
    length = np.ones(len(rest), dtype=np.int64)
    for bits in range(7, 64, 7):
        length += rest >> np.uint64(bits) > 0
    place = np.cumsum(length) - length
    out = np.zeros(int(length.sum()), dtype=np.uint8)
    for byte in range(int(length.max(initial=0))):
        own = np.flatnonzero(length > byte)
        low = (rest[own] >> np.uint64(7 * byte)).astype(np.uint8) & 0x7F
        out[place[own] + byte] = low | np.where(length[own] > byte + 1, 0x80, 0).astype(np.uint8)
    return out.tobytes()


def packed(data: bytes) -> str:
    """Return bytes deflated, in base64: letters, digits, `+`, `/` and `=` only."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def packed_json(data: Any) -> str:
    """Return data as packed JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed(text.encode())
