"""`python -m bundle`: build the zip that installs zonelog where no network is.

Wheels are downloaded by pip for other systems as well, each with the hash of the lock;
what has no wheel is no part of it, so nothing is compiled anywhere. How old a system may
be is what the names of the wheels say; README.txt and `systems.json`, which install.py
asks, repeat it. Same lock, same project, same bytes.
"""

import argparse
import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from bundle.pins import EXTRAS_LOCK, LOCK, ROOT, extras, pins
from bundle.systems import SYSTEMS, Promise, least_version, needed_lines

HERE = Path(__file__).resolve().parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EPOCH = (1980, 1, 1, 0, 0, 0)
SCRIPTS = ("install.py", "install.sh", "install.command", "install.bat")


def main() -> None:
    """Build the zip and say what it holds."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="zonelog-bundle-") as folder:
        top = Path(folder) / "zonelog-bundle"
        _fill(top, arguments.targets, arguments.pythons, arguments.extras)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        _zip(top, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size:.0f} MB, SHA-256 {_sha256(arguments.out)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bundle", description="Build the zip for closed networks.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "zonelog-bundle.zip")
    parser.add_argument("--targets", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), metavar="SYSTEM")
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS), metavar="VERSION")
    parser.add_argument("--extras", type=_extras, default=[], metavar="NAME,NAME", help=", ".join(extras()))
    return parser.parse_args()


def _extras(text: str) -> list[str]:
    """Read names of extras, in the order of their names."""
    names = sorted(set(filter(None, text.split(","))))
    if unknown := [name for name in names if name not in extras()]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is none of {', '.join(extras())}")
    return names


def _fill(top: Path, targets: list[str], pythons: list[str], wanted: list[str]) -> None:
    """Put everything that belongs into the zip into a folder."""
    wheels = top / "wheels"
    wheels.mkdir(parents=True)
    _pip("to build zonelog", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT)
    promises = [_download(wheels, target, python, wanted) for target in targets for python in pythons]
    _copy(top, [LOCK, EXTRAS_LOCK] if wanted else [LOCK])
    _describe(top, promises, wanted)
    sums = (f"{_sha256(path)}  {path.relative_to(top).as_posix()}\n" for path in _files(top))
    (top / "SHA256SUMS").write_text("".join(list(sums)), encoding="utf-8", newline="\n")


def _copy(top: Path, locks: Iterable[str]) -> None:
    """Copy the scripts, the docs and the locks."""
    for name in SCRIPTS:
        shutil.copy(HERE / name, top / name)
    (top / "install.sh").chmod(0o755)
    (top / "install.command").chmod(0o755)
    shutil.copytree(ROOT / "docs", top / "docs")
    for name in ("README.md", "CHANGELOG.md", "LICENSE", *locks):
        shutil.copy(ROOT / name, top / name)


def _describe(top: Path, promises: list[Promise], wanted: list[str]) -> None:
    """Say what the bundle is for, to people and to install.py."""
    words = (HERE / "README.txt").read_text(encoding="utf-8")
    filled = words.format(
        needed=needed_lines(promises, korean=False),
        needed_korean=needed_lines(promises, korean=True),
        extras=", ".join(wanted) or "none",
        extras_korean=", ".join(wanted) or "없음",
    )
    (top / "README.txt").write_text(filled, encoding="utf-8", newline="\n")
    facts = {"extras": wanted, "systems": [dataclasses.asdict(promise) for promise in promises]}
    (top / "systems.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8", newline="\n")


def _download(wheels: Path, target: str, python: str, wanted: list[str]) -> Promise:
    """Download the wheels of one system and Python, by their hashes; return what they promise."""
    system = SYSTEMS[target]
    with tempfile.TemporaryDirectory(prefix="zonelog-wheels-", dir=wheels.parent) as folder:
        lines = Path(folder) / "pins.txt"
        lines.write_text("".join(pin.line() for pin in pins(target, python, wanted)), encoding="utf-8")
        tags = [part for tag in system.tags for part in ("--platform", tag)]
        purpose = f"to download the wheels for {target}, Python {python}"
        flags = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", folder, "--requirement", lines]
        _pip(purpose, "download", *tags, "--python-version", python, *flags)
        names = [path.replace(wheels / path.name).name for path in sorted(Path(folder).glob("*.whl"))]
    promise = Promise(target, python, least_version(system, names))
    print(f"{needed_lines([promise], korean=False).strip()}: {len(names)} wheels", flush=True)
    return promise


def _pip(purpose: str, command: str, *arguments: object) -> None:
    """Run pip; where it fails, end with its words and what it was run for."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", *map(str, arguments)], check=False, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"No bundle was made: pip failed {purpose}; what it says above tells why")


def _files(top: Path) -> list[Path]:
    """Return all files below a folder, by name."""
    return sorted(path for path in top.rglob("*") if path.is_file())


def _zip(top: Path, out: Path) -> None:
    """Write a folder as a zip: names in order, one time for all, wheels as they are."""
    with zipfile.ZipFile(out, "w") as archive:
        for path in _files(top):
            entry = zipfile.ZipInfo(path.relative_to(top.parent).as_posix(), EPOCH)
            entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
