"""Huge pages for the arrays of a process, where the system gives them to who asks (Linux with glibc).

A slice is a few hundred passes over arrays of 4 MB, most of them made anew: with pages of 4 kB
a tenth of the time goes into getting those, and into looking up where they are. On other
systems nothing is changed.
"""

import ctypes
import os
import sys

HEAP_BYTES = 64 << 20
"""Addresses, not memory, that are set apart for arrays; what does not fit has ordinary pages."""

LARGEST_ARRAY_BYTES = 32 << 20
"""Larger ones are taken from the system one by one."""

HUGE_PAGE_BYTES = 2 << 20

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # malloc.h
_ADVICE_HUGE = 14  # sys/mman.h
_DECIDED_BY_USER = ("GLIBC_TUNABLES", "MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def ask_for_huge_pages() -> None:
    """Let the heap grow once, ask for huge pages there, and keep it: what is freed is used again."""
    if sys.platform != "linux" or any(name in os.environ for name in _DECIDED_BY_USER):
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):  # not glibc
        return
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    libc.free.argtypes = (ctypes.c_void_p,)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for option, value in ((_MMAP_THRESHOLD, LARGEST_ARRAY_BYTES), (_TRIM_THRESHOLD, 1 << 30), (_TOP_PAD, HEAP_BYTES)):
        libc.mallopt(option, value)
    block = libc.malloc(LARGEST_ARRAY_BYTES - 4096)  # more than is free: the heap grows by the padding, too
    if block is not None:
        start = -(-block // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES
        libc.madvise(start, HEAP_BYTES, _ADVICE_HUGE)
        libc.free(block)
    libc.mallopt(_TOP_PAD, 1 << 20)
