"""The systems that a bundle is for, and how old one may be: as old as the wheels say, not older."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import parse_wheel_filename

Version = tuple[int, int]
"""Of macOS, or of glibc on Linux: (14, 0), (2, 28)."""


@dataclass(frozen=True)
class System:
    """One system.

    `markers`: what the markers of a lock ask for. `tags`: the platforms of wheels that run on it, those of its oldest
    version first, because pip takes the first of them that a package has. `machines`: how the tags that count end.
    `oldest`: the version that the first tag is of, nothing where tags say no version. `english` and `korean` name it,
    with `{}` for the version.
    """

    markers: dict[str, str]
    tags: tuple[str, ...]
    machines: tuple[str, ...]
    oldest: Version | None
    english: str
    korean: str


SYSTEMS = {
    "linux-x86_64": System(
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
        ("manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in range(17, 45))),
        ("x86_64",),
        (2, 17),
        "Linux (x86-64, glibc {} or later)",
        "Linux(x86-64, glibc {} 이상)",
    ),
    "windows-x86_64": System(
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
        ("win_amd64",),
        ("amd64",),
        None,
        "Windows (x86-64)",
        "Windows(x86-64)",
    ),
    "macos-arm64": System(
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
        tuple(f"macosx_{major}_0_arm64" for major in (11, 12, 13, 14, 15, 26)),
        ("arm64", "universal2"),
        (11, 0),
        "macOS {} or later (Apple silicon)",
        "macOS {} 이상(Apple 실리콘)",
    ),
}
"""By the name that `--targets` and `systems.json` give it."""

_VERSION = re.compile(r"(?:macosx|manylinux)_(\d+)_(\d+)_")
_OLD_NAMES = {"manylinux1_": (2, 5), "manylinux2010_": (2, 12), "manylinux2014_": (2, 17)}


@dataclass(frozen=True)
class Promise:
    """A system and a Python for which all wheels are there; `least` is the oldest version of the system they run on."""

    system: str
    python: str
    least: Version | None


def least_version(system: System, wheels: Iterable[str]) -> Version | None:
    """Return the oldest version of a system on which all these wheels (names of files) run."""
    asked = [min(versions) for name in wheels if (versions := _versions(system, name))]
    return max([*asked, system.oldest]) if system.oldest else None


def _versions(system: System, wheel: str) -> list[Version]:
    """Return the versions that a wheel's tags name for a system, none where it runs anywhere."""
    tags = [tag.platform for tag in parse_wheel_filename(wheel)[3]]
    return [version for tag in tags if tag.endswith(system.machines) for version in _version(tag)]


def _version(tag: str) -> list[Version]:
    """Return the version that a tag names, also under the names that tags had before they named one."""
    found = [version for name, version in _OLD_NAMES.items() if tag.startswith(name)]
    named = _VERSION.match(tag)
    return [*found, (int(named[1]), int(named[2]))] if named else found


def needed_lines(promises: Iterable[Promise], *, korean: bool) -> str:
    """Return the lines of README.txt that say what is needed: a system, its least version, the Pythons."""
    pythons: dict[str, list[str]] = {}
    for promise in promises:
        system = SYSTEMS[promise.system]
        name = (system.korean if korean else system.english).format(_written(promise.least))
        pythons.setdefault(name, []).append(promise.python)
    return "\n".join(f"  {name}: Python {_either(those, korean=korean)}" for name, those in pythons.items())


def _written(version: Version | None) -> str:
    """Return a version as people write it: 14 for (14, 0), 2.28 for (2, 28)."""
    return ".".join(str(number) for number in version or () if number)


def _either(pythons: list[str], *, korean: bool) -> str:
    """Return a list as people write it: 3.12, 3.13 or 3.14."""
    *others, last = pythons
    return f"{', '.join(others)}{' 또는' if korean else ' or'} {last}" if others else last
