"""Huge pages are asked for where there are any, and nowhere else."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer import huge_pages

GIVEN_ON_REQUEST = Path("/sys/kernel/mm/transparent_hugepage/enabled")
ASKED = """
from analyzer.huge_pages import ask_for_huge_pages
ask_for_huge_pages()
import numpy
kept = [numpy.ones(500_000) for _ in range(20)]
print(*open("/proc/self/smaps"))
"""


def _advised(environment):
    """Return whether a part of the heap of a process that asks is marked."""
    result = subprocess.run([sys.executable, "-c", ASKED], env=environment, capture_output=True, text=True, check=True)
    flags, inside = [], False
    for line in result.stdout.splitlines():
        words = line.split() or [""]
        inside = words[-1] == "[heap]" if "-" in words[0] else inside
        flags += words[1:] if inside and words[0] == "VmFlags:" else []
    return "hg" in flags


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's heap alone is asked for")
@pytest.mark.skipif(not GIVEN_ON_REQUEST.exists(), reason="this system gives no huge pages")
def test_the_heap_is_marked_unless_the_user_tunes_it():
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    assert _advised(plain)
    assert not _advised(plain | {"MALLOC_TRIM_THRESHOLD_": "131072"})


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(huge_pages.ctypes, "CDLL", lambda _: pytest.fail("no library is asked"))
    huge_pages.ask_for_huge_pages()
