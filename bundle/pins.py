"""Which pins of the locks belong into a bundle."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from bundle.systems import SYSTEMS

ROOT = Path(__file__).resolve().parents[1]
LOCK, EXTRAS_LOCK = "requirements.lock", "requirements-extras.lock"


@dataclass(frozen=True)
class Pin:
    """One entry of a lock: what it pins, its hashes (`--hash=sha256:…`), and who asks for it."""

    requirement: Requirement
    hashes: tuple[str, ...]
    askers: frozenset[str]

    @property
    def name(self) -> str:
        """The package."""
        return self.requirement.name

    def line(self) -> str:
        """Return it as a line for pip, without its marker."""
        return " ".join([f"{self.name}{self.requirement.specifier}", *self.hashes]) + "\n"


def extras() -> dict[str, list[str]]:
    """Return the extras of the project and what each asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {name: [Requirement(one).name for one in asked] for name, asked in project["optional-dependencies"].items()}


def pins(target: str, python: str, wanted: Iterable[str] = ()) -> list[Pin]:
    """Return the pins that a system and a Python need, for zonelog and for the extras that are wanted.

    Markers are asked here, because pip asks them of the machine it runs on, also where it downloads for another.
    """
    version = {"python_version": python, "python_full_version": f"{python}.0"}
    environment = SYSTEMS[target].markers | version
    return [
        pin
        for pin in _wanted(list(wanted))
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(environment)
    ]


def _wanted(wanted: list[str]) -> list[Pin]:
    """Return the pins for zonelog, and those that extras add; all of one lock, so that they agree."""
    plain = read(LOCK)
    if not wanted:
        return plain
    everything = read(EXTRAS_LOCK)
    roots = {root for extra in wanted for root in extras()[extra]}
    names = {pin.name for pin in plain} | _asked_by(roots, everything)
    return [pin for pin in everything if pin.name in names]


def _asked_by(roots: set[str], lock: list[Pin]) -> set[str]:
    """Return packages and all that they ask for, as the lock's comments say."""
    names = set(roots)
    while more := {pin.name for pin in lock if pin.askers & names} - names:
        names |= more
    return names


def read(lock: str) -> list[Pin]:
    """Read a lock of the project, by its name."""
    return [_pin(block) for block in _blocks(ROOT / lock)]


def _pin(block: list[str]) -> Pin:
    """Read one entry: the requirement, its hashes, comments that say who asks for it."""
    hashes = tuple(line.rstrip(" \\") for line in block[1:] if line.startswith("--hash"))
    comments = (line.lstrip("# ").removeprefix("via").strip() for line in block if line.startswith("#"))
    return Pin(Requirement(block[0].rstrip(" \\")), hashes, frozenset(comments) - {""})


def _blocks(lock: Path) -> Iterator[list[str]]:
    """Yield the lines of each entry, without their indents."""
    block: list[str] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line[:1].strip() and block:
            yield block
            block = []
        block.append(line.strip())
    yield block
