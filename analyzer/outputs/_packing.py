"""Numbers and text packed for a page: varints, deflate, 91 characters.

The page unpacks with `DecompressionStream`, so the stream is zlib's (RFC 1950). Its bytes are
written 13 bits as two of 91 printable characters (`ALPHABET`), a twelfth shorter than base64.
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

ALPHABET = "".join(map(chr, [0x21, *range(0x23, 0x3C), *range(0x3D, 0x5C), *range(0x5D, 0x7F)]))
"""All printable ASCII but space, quote, `<` and backslash: nothing that ends a block or a string, or escapes."""

BASE, BITS, FEW = 91, 13, 6
"""91 characters, 13 bits as two of them; up to 6 bits at the end are one."""

STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY)


def varints(values: np.ndarray) -> bytes:
    """Return whole numbers as zigzag varints: small ones of either sign take one byte."""
    rest = zigzag(np.asarray(values, dtype=np.int64)).view(np.uint64)
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


def zigzag(values: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2, 3, 4 ... of 0, -1, 1, -2, 2 ..."""
    return (values << 1) ^ (values >> 63)


def packed(*streams: bytes) -> str:
    """Return the streams, one after the other, as one deflated stream in characters of `ALPHABET`.

    Each is deflated by itself, by the better of two strategies.
    """
    pieces = [min((_piece(data, strategy) for strategy in STRATEGIES), key=len) for data in streams]
    whole = b"".join(streams)
    return characters(b"\x78\xda" + b"".join(pieces) + b"\x03\x00" + zlib.adler32(whole).to_bytes(4, "big"))


def _piece(data: bytes, strategy: int) -> bytes:
    """Return blocks of deflate (RFC 1951) that end at a byte, none of them the last."""
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
    return deflating.compress(data) + deflating.flush(zlib.Z_FULL_FLUSH)


def characters(data: bytes) -> str:
    """Return bytes as characters of `ALPHABET`, the high bits first."""
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))
    short = len(bits) % BITS
    groups = np.pad(bits, (0, -len(bits) % BITS)).reshape(-1, BITS)
    values = groups @ (1 << np.arange(BITS - 1, -1, -1))
    pairs = np.column_stack(np.divmod(values, BASE)).ravel()
    if 0 < short <= FEW:
        pairs = np.append(pairs[:-2], values[-1] >> (BITS - FEW))
    return np.frombuffer(ALPHABET.encode(), dtype=np.uint8)[pairs].tobytes().decode("ascii")


def symbols(values: np.ndarray, bits: int) -> bytes:
    """Return numbers below 2 ** `bits` (2 or 4), several in a byte, the first in the low bits."""
    many = 8 // bits
    rows = np.pad(values, (0, -len(values) % many)).reshape(-1, many)
    return (rows << (np.arange(many) * bits)).sum(axis=1).astype(np.uint8).tobytes()


def joined(streams: Sequence[bytes], *numbers: int) -> str:
    """Return numbers, the lengths of streams, and the streams, packed."""
    return packed(varints(np.array([*numbers, *map(len, streams)], dtype=np.int64)), *streams)


def packed_json(data: Any) -> str:
    """Return data as packed JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed(text.encode())
