"""Which zonelog, on what: part of the name of all that it judges, because another one may judge otherwise."""

import hashlib
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LIBRARIES = ("fastexcel", "numpy", "polars", "pyproj", "rosbags", "shapely", "tzdata")
"""What reads, computes and writes; outputs for people need not judge alike."""

JUDGING = (".py", ".toml")
"""Kinds of files that judge: modules, and the profiles that come along."""

NOT_JUDGING = ("outputs", "vectors", "zone_making", "locale", "assets")
"""Packages on which no verdict depends."""


@cache
def tool() -> Mapping[str, str]:
    """Return version and sources of zonelog, versions of Python and libraries, and the kind of processor.

    The sources count, not only the version: a checkout changes between two releases.
    """
    return {
        "zonelog": _version("zonelog"),
        "sources": _sources()[:16],
        "python": platform.python_version(),
        "machine": f"{platform.machine()} {sys.byteorder}",
        **{name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    """Return the version of a library, empty where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only runs on a ledger ask

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _sources() -> str:
    """Return the SHA-256 of all that judges, line ends left out."""
    folder = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in JUDGING and name.split("/", 1)[0] not in NOT_JUDGING:
            digest.update(name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()
